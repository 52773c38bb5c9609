"""Diffusion on contacts at points of time, or on follows that begin and end: event-driven, one run at a time.

Who becomes active at t delivers along every arc once, at a time after t that one or two draws of the arc decide (Holme
2021): the number of contacts up to the first that transmits is geometric, so that no contact is looked at one by one.
The earliest deliveries wait in a heap. What is drawn is a function of (key, run, arc or node) alone. Nothing is reset but
what a run touched, and nothing is allocated in it.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank, weigh
from .clock import grown, step_of
from .coins import MIX_A, mix, world_of
from .waiting import Wait, open_unit, wait_at

TAG_TEMPORAL = 0xC0
OF_START, OF_WAIT = np.uint64(0x5DEECE66D1CE4E5B), np.uint64(0xA0761D6478BD642F)  # other draws of the same world
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
def lift(when, place, heap, at, v):
    """Put node v at the place `at` or above it."""
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
def pop(when, place, heap, size):
    """Take the first node off a heap of `size` nodes."""
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
    return np.int64(first)


@njit(inline="always")
def first_after(time, low, high, after):
    """Position of the first time above `after` in low ... high - 1; high: there is none."""
    n = high - low
    while n > 0:  # without a branch to guess
        half = n >> 1
        up = time[low + half] <= after
        low = low + half + 1 if up else low
        n = n - half - 1 if up else half
    return low


@njit(inline="always")
def trials_to_success(p, most, u):
    """Smallest k in 1 ... most with u < p[k], which there is."""
    low, n = 1, most - 1
    while n > 0:
        half = n >> 1
        up = u >= p[low + half]
        low = low + half + 1 if up else low
        n = n - half - 1 if up else half
    return low


@njit(inline="always")
def step_after(time, began, width):
    """Step of an event after the start: no event but that of a seed is in step 0."""
    return max(step_of(time - began, width), 1)


@njit
def reset(events, size):
    for i in range(size):
        v = events.nodes[i]
        events.when[v] = np.inf
        events.place[v] = AWAY


# start: Start whose runs of seeds rise, key u8, first i8, last i8, states i8; node_counts i8[n] is added to  ->  new
# i4[last - first, steps, states]; arc visits i8; steps i8, which are not counted where there are more than MOST_STEPS; size i8
# of the last run, whose `events` stay where `record` (nodes[:size], seeds first, then in order of time; over[:size]; by node
# `when` and `parent`) and are to be reset
@njit
def temporal_batch(arcs, course, start, key, first, last, states, record, events, node_counts, weighing):
    """Runs first ... last - 1.

    One function holds the loop over runs and that over events: arrays are taken out of their tuples once, since each time
    costs two counts of references, and an outbreak of one node takes less than a hundred of them.
    """
    when, place, heap, nodes, over, parent, rank = events
    indptr, target, arc, latest, begin, time, until = arcs
    mode, p, wait, starts, length, end, width = course
    seeds, run_of = start
    weights, sums = weighing
    each = 0 if p.size == 1 else 1
    new = np.zeros((last - first, 16, states), np.int32)
    steps, visits, size = 1, 0, 0
    low_seed, high_seed = 0, seeds.size
    if run_of.size > 0:
        high_seed = np.searchsorted(run_of, first)
    for run in range(first, last):
        if run_of.size > 0:
            low_seed = high_seed
            while high_seed < run_of.size and run_of[high_seed] == run:
                high_seed += 1
        n_seeds = high_seed - low_seed
        world = world_of(key, TAG_TEMPORAL, run)
        began = starts
        if length > 0.0:
            began += length * open_unit(mix(world ^ OF_START))
        for i in range(n_seeds):
            s = seeds[low_seed + i]
            when[s] = began
            place[s] = DONE
        size = n_heap = 0
        final = began
        while size < n_seeds or n_heap > 0:
            at_once = size < n_seeds
            if at_once:
                u = np.int64(seeds[low_seed + size])
            else:
                u = pop(when, place, heap, n_heap)
                n_heap -= 1
            now = when[u]
            after = np.nextafter(now, -np.inf) if at_once else now
            final = max(final, now)
            limit = end
            if mode == SIR:
                done = now + wait_at(wait, u, world ^ OF_WAIT ^ (np.uint64(u) * _A))
                over[size] = done
                if done <= end:
                    limit = done
                    final = max(final, done)
            nodes[size] = u
            size += 1
            for k in range(indptr[u], indptr[u + 1]):
                if latest[k] < now:
                    break
                visits += 1
                v = np.int64(target[k])
                if place[v] == DONE:
                    continue
                j = arc[k]
                low, high = begin[k], begin[k + 1]
                draw = open_unit(mix(world ^ (np.uint64(j) * _A)))
                if draw >= p[high - low if mode == SIR else j * each]:
                    continue
                t = now
                if mode == IC_FOLLOWS:
                    i = first_after(time, low, high, now) - 1  # the last that began by now
                    if i < low or now >= until[i]:
                        continue
                else:
                    i = first_after(time, low, high, after)
                    if mode == SIR:
                        if draw >= p[high - i]:
                            continue
                        i += trials_to_success(p, high - i, draw) - 1
                    elif i == high:
                        continue
                    t = time[i]
                if mode != SIR:
                    t += wait_at(wait, j, world ^ OF_WAIT ^ (np.uint64(j) * _A))
                if t > limit or t > when[v] or t == np.inf:
                    continue
                if record:
                    order = parent_rank(key, run, j)
                    if t == when[v] and order >= rank[v]:
                        continue
                    rank[v] = order
                    parent[v] = u
                if t < when[v]:
                    when[v] = t
                    at = np.int64(place[v])
                    if at == AWAY:
                        at = n_heap
                        n_heap += 1
                    lift(when, place, heap, at, v)
        if record:
            break
        if weights.size > 0:
            sums[run - first] += weigh(nodes[:size], weights)
        depth = (final - began) / width + 2.0
        if depth > MOST_STEPS:
            reset(events, size)
            return new[:, :0].copy(), visits, np.int64(min(depth, 1e15)), size
        room = np.int64(depth) + 1
        if room > new.shape[1]:
            new = grown(new, room)
        for i in range(size):
            v = nodes[i]
            at = np.int64(0) if i < n_seeds else step_after(when[v], began, width)
            new[run - first, at, 0] += 1
            steps = max(steps, at + 1)
            if states > 1 and over[i] <= end:
                at = step_after(over[i], began, width)
                new[run - first, at, 1] += 1
                steps = max(steps, at + 1)
            node_counts[v] += 1
            when[v] = np.inf
            place[v] = AWAY
    return new[:, :steps], visits, steps, size


# ->  nodes i4[size] in order of time, step i4[size], parent i4[size] (positions, -1 seed), time f8[size], over f8[size]
@njit
def temporal_run(arcs, course, start, key, run, events, node_counts, weighing):
    """One run with the parents of its nodes; weighing is empty."""
    size = temporal_batch(arcs, course, start, key, run, run + 1, 1, True, events, node_counts, weighing)[3]
    began = course.start
    if course.length > 0.0:
        began += course.length * open_unit(mix(world_of(key, TAG_TEMPORAL, run) ^ OF_START))
    nodes = events.nodes[:size].copy()
    time, step, parent = np.empty(size), np.zeros(size, np.int32), np.full(size, -1, np.int32)
    position = events.heap  # empty by now
    for i in range(size):
        position[nodes[i]] = i
    n_seeds = start.seeds.size
    for i in range(size):
        v = nodes[i]
        time[i] = events.when[v]
        if i >= n_seeds:
            parent[i] = position[events.parent[v]]
            step[i] = step_after(time[i], began, course.width)
    over = events.over[:size].copy()
    reset(events, size)
    return nodes, step, parent, time, over
