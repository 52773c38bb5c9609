"""Diffusion on contacts at points of time, or on follows that begin and end: event-driven, one run at a time.

Who becomes active at t delivers along every arc once, at a time after t that one or two draws of the arc decide (Holme
2021): the number of contacts up to the first that transmits is geometric, so that no contact is looked at one by one.
The earliest deliveries wait in a heap. What is drawn is a function of (key, run, arc or node) alone. Nothing is reset but
what a run touched, and nothing is allocated in it.
"""

import math
from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank, weigh
from .coins import MIX_A, mix, world_of
from .waiting import Wait, open_unit, wait_at

TAG_CONTACT, TAG_WAIT, TAG_START = 0xC0, 0xC1, 0xC2
SIR, IC_CONTACTS, IC_FOLLOWS = 0, 1, 2
DONE, AWAY = -2, -1  # places outside the heap
MOST_STEPS = 10_000
_A = np.uint64(MIX_A)


class TimedArcs(NamedTuple):
    """Arcs out of every node, those of the latest last time first, and the times of each."""

    indptr: np.ndarray  # i8[n + 1]
    target: np.ndarray  # i4[m]
    arc: np.ndarray  # i8[m]: position among the arcs of the graph
    last: np.ndarray  # f8[m]: last contact, or end of the last follow
    begin: np.ndarray  # i8[m + 1]: its times are begin[k] ... begin[k + 1] - 1
    time: np.ndarray  # f8[]: of contacts, or starts of follows; rising within an arc
    until: np.ndarray  # f8[]: ends of follows; of one entry for contacts


class Course(NamedTuple):
    """How a run goes. SIR: `p[k]` is the probability that one of k contacts transmits; else the probability of an arc."""

    mode: int
    p: np.ndarray  # f8[]
    wait: Wait  # SIR: of nodes, until recovery; else of arcs, from exposure to activation
    start: float
    length: float  # start is drawn from so much time after `start`
    end: float  # later events do not count
    width: float  # of a step


class Events(NamedTuple):
    """Workspace of one thread; kernels leave `when` infinite and `place` AWAY."""

    when: np.ndarray  # f8[n]: earliest delivery so far, later time of activation
    place: np.ndarray  # i4[n]: in the heap, or DONE or AWAY
    heap: np.ndarray  # i4[n]
    nodes: np.ndarray  # i4[n]: active, in order of time
    over: np.ndarray  # f8[n]: time of recovery, in the order of `nodes`
    parent: np.ndarray  # i4[n]: by node, of those that are no seeds
    rank: np.ndarray  # u8[n]: of the parent's arc, by node


@njit(inline="always")
def comes_before(when, u, v):
    return when[u] < when[v] or (when[u] == when[v] and u < v)


@njit
def lift(events, at, v):
    """Put node v at the place `at` or above it."""
    when, place, heap = events.when, events.place, events.heap
    while at > 0:
        above = (at - 1) >> 1
        u = heap[above]
        if not comes_before(when, v, u):
            break
        heap[at] = u
        place[u] = at
        at = above
    heap[at] = v
    place[v] = at


@njit
def pop(events, size):
    """Take the first node off a heap of `size` nodes."""
    when, place, heap = events.when, events.place, events.heap
    first, v = heap[0], heap[size - 1]
    size -= 1
    at = 0
    while 2 * at + 1 < size:
        below = 2 * at + 1
        if below + 1 < size and comes_before(when, heap[below + 1], heap[below]):
            below += 1
        u = heap[below]
        if not comes_before(when, u, v):
            break
        heap[at] = u
        place[u] = at
        at = below
    if size > 0:
        heap[at] = v
        place[v] = at
    place[first] = DONE
    return first


@njit(inline="always")
def first_after(time, low, high, now, at_once):
    """Position of the first time after `now` (from `now` on where `at_once`) in low ... high - 1; high: there is none."""
    while low < high:
        middle = (low + high) >> 1
        if time[middle] > now or (at_once and time[middle] == now):
            high = middle
        else:
            low = middle + 1
    return low


@njit(inline="always")
def trials_to_success(p, most, u):
    """Smallest k in 1 ... most with u < p[k], which there is."""
    low, high = 1, most
    while low < high:
        middle = (low + high) >> 1
        if u < p[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@njit(inline="always")
def delivery(arcs, course, k, now, over, at_once, contact_world, wait_world):
    """Time at which arc k out of a node active from `now` on delivers; infinite for never."""
    j = arcs.arc[k]
    draw = open_unit(mix(contact_world ^ (np.uint64(j) * _A)))
    low, high = arcs.begin[k], arcs.begin[k + 1]
    p, mode = course.p, course.mode
    if mode == SIR:
        if draw >= p[high - low]:
            return np.inf
        i = first_after(arcs.time, low, high, now, at_once)
        if draw >= p[high - i]:
            return np.inf
        t = arcs.time[i + trials_to_success(p, high - i, draw) - 1]
        return t if t <= over else np.inf
    if draw >= p[j if p.size > 1 else 0]:
        return np.inf
    t = now
    if mode == IC_CONTACTS:
        i = first_after(arcs.time, low, high, now, at_once)
        if i == high:
            return np.inf
        t = arcs.time[i]
    else:
        i = first_after(arcs.time, low, high, now, False) - 1  # the last that began by now
        if i < low or now >= arcs.until[i]:
            return np.inf
    return t + wait_at(course.wait, j, wait_world ^ (np.uint64(j) * _A))


@njit
def start_of(course, key, run):
    """Time at which the seeds of a run become active."""
    if course.length == 0.0:
        return course.start
    return course.start + course.length * open_unit(world_of(key, TAG_START, run))


# seeds i4[], key u8, run i8, began f8, record bool  ->  size i8, arc visits i8; nodes[:size], seeds first, then in order of
# time; over[:size]; by node `when` and `parent`
@njit
def one_run(arcs, course, seeds, key, run, began, record, events):
    when, place, nodes, over, parent = events.when, events.place, events.nodes, events.over, events.parent
    indptr, target, last = arcs.indptr, arcs.target, arcs.last
    contact_world, wait_world = world_of(key, TAG_CONTACT, run), world_of(key, TAG_WAIT, run)
    sir = course.mode == SIR
    for s in seeds:
        when[s] = began
        place[s] = DONE
    size = visits = n_heap = 0
    while size < seeds.size or n_heap > 0:
        at_once = size < seeds.size
        if at_once:
            u = seeds[size]
        else:
            u = pop(events, n_heap)
            n_heap -= 1
        now = when[u]
        done = np.inf
        if sir:
            done = now + wait_at(course.wait, u, wait_world ^ (np.uint64(u) * _A))
        nodes[size] = u
        over[size] = done
        size += 1
        for k in range(indptr[u], indptr[u + 1]):
            if last[k] < now:
                break
            visits += 1
            v = target[k]
            if place[v] == DONE:
                continue
            t = delivery(arcs, course, k, now, done, at_once, contact_world, wait_world)
            if t > when[v] or t > course.end or t == np.inf:
                continue
            if record:
                order = parent_rank(key, run, arcs.arc[k])
                if t == when[v] and order >= events.rank[v]:
                    continue
                events.rank[v] = order
            if t < when[v]:
                when[v] = t
                at = np.int64(place[v])
                if at == AWAY:
                    at = n_heap
                    n_heap += 1
                lift(events, at, v)
            elif not record:
                continue
            parent[v] = u
    return size, visits


@njit(inline="always")
def step_of(time, began, width):
    """Step of an event: k holds ((k - 1) width, k width] after the start, and no event but that of a seed is in step 0."""
    return max(math.ceil((time - began) / width - 1e-9), 1)


@njit
def reset(events, size):
    for i in range(size):
        v = events.nodes[i]
        events.when[v] = np.inf
        events.place[v] = AWAY


# start: Start, key u8, first i8, last i8, states i8; node_counts i8[n] is added to  ->  new i4[last - first, steps, states],
# arc visits, largest step; no counts where that is MOST_STEPS or more
@njit
def temporal_batch(arcs, course, start, key, first, last, states, events, node_counts, weighing):
    """Runs first ... last - 1."""
    when, nodes, over, end, width = events.when, events.nodes, events.over, course.end, course.width
    new = np.zeros((last - first, 16, states), np.int32)
    deepest, visits = 0, 0
    seeds, run_of = start.seeds, start.run_of  # runs of seeds rise
    low, high = 0, 0 if run_of.size > 0 else seeds.size
    if run_of.size > 0:
        high = np.searchsorted(run_of, first)
    for run in range(first, last):
        if run_of.size > 0:
            low = high
            while high < run_of.size and run_of[high] == run:
                high += 1
        began = start_of(course, key, run)
        size, seen = one_run(arcs, course, seeds[low:high], key, run, began, False, events)
        visits += seen
        if weighing.weights.size > 0:
            weighing.sums[run - first] += weigh(nodes[:size], weighing.weights)
        final = began
        for i in range(size):
            final = max(final, when[nodes[i]])
            if states > 1 and over[i] <= end:
                final = max(final, over[i])
        depth = (final - began) / width + 1.0
        if depth >= MOST_STEPS:
            reset(events, size)
            return new[:, :0], visits, np.int64(min(depth, 1e15))
        if depth + 2.0 > new.shape[1]:
            more = np.zeros((last - first, max(2 * new.shape[1], np.int64(depth) + 3), states), np.int32)
            more[:, : new.shape[1]] = new
            new = more
        row = new[run - first]
        for i in range(size):
            v = nodes[i]
            step = 0 if i < high - low else step_of(when[v], began, width)
            row[step, 0] += 1
            deepest = max(deepest, step)
            if states > 1 and over[i] <= end:
                step = step_of(over[i], began, width)
                row[step, 1] += 1
                deepest = max(deepest, step)
            node_counts[v] += 1
        reset(events, size)
    return new[:, : deepest + 1].copy(), visits, np.int64(deepest)


# ->  nodes i4[size] in order of time, step i4[size], parent i4[size] (positions, -1 seed), time f8[size], over f8[size]
@njit
def temporal_run(arcs, course, seeds, key, run, events):
    """One run with the parents of its nodes."""
    began = start_of(course, key, run)
    size, _ = one_run(arcs, course, seeds, key, run, began, True, events)
    nodes = events.nodes[:size].copy()
    time, step, parent = np.empty(size), np.zeros(size, np.int32), np.empty(size, np.int32)
    position = events.heap  # empty by now
    for i in range(size):
        position[nodes[i]] = i
    for i in range(size):
        v = nodes[i]
        time[i] = events.when[v]
        parent[i] = -1
        if i >= seeds.size:
            parent[i] = position[events.parent[v]]
            step[i] = min(step_of(time[i], began, course.width), 2.0**31 - 1)
    over = events.over[:size].copy()
    reset(events, size)
    return nodes, step, parent, time, over
