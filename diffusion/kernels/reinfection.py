"""Epidemics in continuous time whose nodes can be infected again (SIS, SIRS): one event at a time.

The c-th infection of node u at time t lasts R(u, c). Meanwhile arc j out of it is in contact at t + D1, t + D1 + D2, ..., up
to t + R, where Dk is the waiting time k of the arc in that infection: a Poisson process where D is exponential, otherwise a
renewal process. A contact infects a target that is susceptible; one that recovers, or loses its immunity, at the very time of
the contact is not yet. Every draw is a function of (key, run, node or arc, number of the infection, number of the contact).
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank
from .clock import grown, step_of
from .coins import GOLDEN, mix, world_of
from .epidemic import TAG_RECOVERY, TAG_TRANSMISSION, TAG_WANING, key_of
from .events import Heap, drop_first, push
from .waiting import Wait, drawn

_G = np.uint64(GOLDEN)
NO_STEP, TOO_MANY_STEPS = np.int64(-1), np.int64(-2)


class Relapse(NamedTuple):
    """Of a disease: its waiting times, and when all ends."""

    transmission: Wait  # of arcs
    recovery: Wait  # of nodes
    waning: Wait  # of nodes: from recovery until susceptible again
    end: float


class Contacts(NamedTuple):
    """Workspace of one thread; kernels leave `infections` 0."""

    infections: np.ndarray  # i4[n]: how often each node was infected
    recovery: np.ndarray  # f8[n]: of its last infection
    susceptible: np.ndarray  # f8[n]: it is so after this time
    nodes: np.ndarray  # i4[n]: nodes ever infected
    source: np.ndarray  # i4[m]
    done: np.ndarray  # i4[m]: contacts of each arc in the present infection of its source
    heap: Heap  # room for m events: the next contact of each arc


class FirstTimes(NamedTuple):
    """First infection of each node, where they are wanted; of no entries otherwise."""

    time: np.ndarray  # f8[n]
    parent: np.ndarray  # i4[n], -1 for a seed


@njit(inline="always")
def again_key(world, index, infection, contact):
    """Key of contact `contact` in infection `infection`, both from 1."""
    return mix(mix(key_of(world, index) + np.uint64(infection) * _G) + np.uint64(contact) * _G)


@njit(inline="always")
def counted(new, row, time, state, clock):
    """Add an event to the counts of its run  ->  counts, step or TOO_MANY_STEPS."""
    step = step_of(time, clock.width)
    if step >= clock.limit:
        return new, TOO_MANY_STEPS
    if step >= new.shape[1]:
        new = grown(new, step + 1)
    new[row, step, state] += 1
    return new, step


# new i4[runs, steps, states] is added to in `row`, states: reached, infected, recovered, and with `wanes` susceptible
#   ->  size i8 (space.nodes[:size]), counts, last step i8, arc visits i8
@njit
def relapses(arcs, disease, clock, wanes, seeds, key, run, new, row, space, first):
    """One run."""
    indptr, indices = arcs
    kind, scales, shape = disease.transmission
    recovery_kind, recovery_scales, recovery_shape = disease.recovery
    waning_kind, waning_scales, waning_shape = disease.waning
    end = disease.end
    infections, recovery, susceptible, nodes, source, done, heap = space
    by_arc, by_node, by_waning = scales.size > 1, recovery_scales.size > 1, waning_scales.size > 1
    from_arcs, from_recovery = world_of(key, TAG_TRANSMISSION, run), world_of(key, TAG_RECOVERY, run)
    from_waning = world_of(key, TAG_WANING, run)
    size, queued, at, last, visits = 0, 0, 0, np.int64(-1), np.int64(0)
    while at < seeds.size or queued > 0:
        arc, now = np.int64(-1), 0.0
        if at < seeds.size:
            v = np.int64(seeds[at])
            at += 1
            if infections[v] > 0:
                continue
        else:
            arc, now = heap.what[0], heap.time[0]
            queued = drop_first(heap, queued)
            v = np.int64(indices[arc])
        if infections[v] == 0 or now > susceptible[v]:
            new_infection = infections[v] + 1
            infections[v] = new_infection
            if new_infection == 1:
                nodes[size] = v
                size += 1
                new, step = counted(new, row, now, 0, clock)
                if first.time.size > 0:
                    first.time[v], first.parent[v] = now, np.int32(-1) if arc < 0 else source[arc]
            new, step = counted(new, row, now, 1, clock)
            scale = recovery_scales[v if by_node else 0]
            most = drawn(recovery_kind, scale, recovery_shape, again_key(from_recovery, v, new_infection, 0))
            recovery[v] = susceptible[v] = now + most
            if recovery[v] <= end and recovery[v] < np.inf:
                new, later = counted(new, row, recovery[v], 2, clock)
                step = later if later < 0 or step < 0 else max(step, later)
            if wanes:
                scale = waning_scales[v if by_waning else 0]
                susceptible[v] += drawn(waning_kind, scale, waning_shape, again_key(from_waning, v, new_infection, 0))
                if susceptible[v] <= end and susceptible[v] < np.inf:
                    new, later = counted(new, row, susceptible[v], 3, clock)
                    step = later if later < 0 or step < 0 else max(step, later)
            if step < 0:
                last = TOO_MANY_STEPS
                break
            last = max(last, step)
            begin, stop = indptr[v], indptr[v + 1]
            visits += stop - begin
            for j in range(begin, stop):
                source[j], done[j] = v, 0
        else:
            begin, stop = np.int64(0), np.int64(0)
        # The next contact that may matter of the arcs of a node infected now, and of the arc whose contact this was.
        for k in range(begin - (1 if arc >= 0 else 0), stop):
            j = arc if k < begin else k
            u = np.int64(source[j])
            w = np.int64(indices[j])
            time, contact = now, done[j]
            closed = susceptible[w] if infections[w] > 0 else -1.0
            scale = scales[j if by_arc else 0]
            while True:
                contact += 1
                time += drawn(kind, scale, shape, again_key(from_arcs, j, infections[u], contact))
                if time > closed or time > recovery[u] or time > end:
                    break
            done[j] = contact
            if time <= recovery[u] and time <= end and time < np.inf:
                queued = push(heap, queued, time, parent_rank(key, run, j), j)
    return size, new, last, visits


@njit
def clear_contacts(nodes, space):
    for u in nodes:
        space.infections[u] = 0


@njit
def many_relapses(arcs, disease, clock, wanes, seeds, begin, key, first, last, space, node_counts, weighing):
    """Runs first ... last - 1  ->  new i4[last - first, steps, states], arc visits i8; -1: more steps than the limit."""
    new = np.zeros((last - first, 32, 4 if wanes else 3), np.int32)
    nothing = FirstTimes(np.empty(0), np.empty(0, np.int32))
    depth, visits = np.int64(0), np.int64(0)
    for run in range(first, last):
        row = run - first
        mine = seeds if begin.size == 1 else seeds[begin[row] : begin[row + 1]]
        size, new, step, seen = relapses(arcs, disease, clock, wanes, mine, key, run, new, row, space, nothing)
        nodes = space.nodes[:size]
        clear_contacts(nodes, space)
        if step == TOO_MANY_STEPS:
            return new[:, :0].copy(), np.int64(-1)
        visits += seen
        depth = max(depth, step + 1)
        for u in nodes:
            node_counts[u] += 1
        if weighing.weights.size > 0:
            for u in np.sort(nodes):
                weighing.sums[row] += weighing.weights[u]
    return new[:, :depth].copy(), visits


# ->  nodes i4[size] in order of time, time f8[size], parent i4[size] (position, -1 seed)
@njit
def first_infections(arcs, disease, clock, wanes, seeds, key, run, space):
    """Tree of the first infections of one run."""
    n = arcs.indptr.size - 1
    first = FirstTimes(np.empty(n), np.empty(n, np.int32))
    new = np.zeros((1, 32, 4 if wanes else 3), np.int32)
    size, _, _, _ = relapses(arcs, disease, clock, wanes, seeds, key, run, new, 0, space, first)
    nodes = space.nodes[:size].copy()
    clear_contacts(nodes, space)
    position = np.empty(n, np.int32)
    parent = np.empty(size, np.int32)
    for i in range(size):
        u = nodes[i]
        position[u] = i
        parent[i] = -1 if first.parent[u] < 0 else position[first.parent[u]]
    return nodes, first.time[nodes], parent
