"""Independent cascades in continuous time: shortest paths of delays along live arcs, one run at a time.

An arc is live by the coin that it has under the independent cascade, so that without a deadline a run reaches the nodes
that the run of the same key and number reaches there. Its delay is a function of (key, run, arc).
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank, weigh
from .clock import step_of
from .coins import LANES, TAG_IC, coin_base, coin_below, mix, threshold_of, world_of
from .heap import Heap, pop, push
from .waiting import GEOMETRIC, Wait, open_unit, time_of, wait_at

TAG_ARC_DELAY = 0xC7D  # delays of arcs
MOST_STEPS = 10_000  # that one run may have
LARGEST = np.finfo(np.float64).max  # a time that every finite one is at most
NEARLY_ONE = 1.0 + 1e-9
UNSEEN = np.inf


class Timed(NamedTuple):
    """Arcs out of every node with their probabilities and delays, and until when events count."""

    indptr: np.ndarray  # i8[n + 1]
    indices: np.ndarray  # i4[m], targets
    p: np.ndarray  # f4[m] or f4[1]
    delay: Wait
    late: np.ndarray  # f8[m] or f8[1]: uniform number above which a delay alone is past the limit
    limit: float  # LARGEST: none
    width: float  # of a step


class Space(NamedTuple):
    """Workspace of one thread; kernels leave `time` infinite and the heap empty."""

    time: np.ndarray  # f8[n]
    heap: Heap
    nodes: np.ndarray  # i4[n]
    steps: np.ndarray  # i4[n]


@njit(inline="always")
def delay_at(delay, late, j, key):
    """Delay of arc j under its own key, infinite where it is past the limit for certain."""
    kind, scale, shape = delay
    if kind > GEOMETRIC:
        return wait_at(delay, j, key)
    u = open_unit(mix(key))
    if u > late[j if late.size > 1 else 0] * NEARLY_ONE:
        return np.inf
    return time_of(kind, scale[j if scale.size > 1 else 0], shape, u)


# seeds i4[], key u8, run i8, record bool  ->  size i8, arc visits i8. nodes[:size] in order of time, steps[:size] and
# time[nodes] are set and time must be cleared; where `record`, parent i4[n] by place among the nodes, -1 for a seed.
#
# Nodes of one time become active in layers: first those that arcs with a delay reach, then what arcs without one reach
# from them. Among the arcs that make a node active in its layer the one of smallest rank is its parent.
@njit
def one_run(arcs, seeds, key, run, record, space, parent):
    indptr, indices, p, delay, late, limit, width = arcs
    time, heap, nodes, steps = space
    lane_of_batch = run % LANES
    word, lane = lane_of_batch // 64, lane_of_batch % 64
    coins = world_of(key, TAG_IC, run // LANES)
    delays = world_of(key, TAG_ARC_DELAY, run)
    p_step = 0 if p.size == 1 else 1
    kept = time.size if record else 0
    rank = np.empty(kept, np.uint64)  # of the arc by which a node is reached so far
    by = np.empty(kept, np.int32)  # place of its source
    place = np.full(kept, -1, np.int32)
    size, waiting, visits, now = np.int64(0), np.int64(0), np.int64(0), 0.0
    for s in seeds:
        time[s] = 0.0
        nodes[size] = s
        steps[size] = 0
        if record:
            place[s] = size
            by[s] = -1
        size += 1
    start = np.int64(0)
    while True:
        while start < size:  # a layer
            end = size
            for i in range(start, end):
                u = np.int64(nodes[i])
                visits += indptr[u + 1] - indptr[u]
                for j in range(indptr[u], indptr[u + 1]):
                    v = np.int64(indices[j])
                    if time[v] <= now and not (record and time[v] == now and place[v] >= end):
                        continue
                    if not coin_below(coin_base(coins, j), word, lane, threshold_of(p[j * p_step])):
                        continue
                    at = now + delay_at(delay, late, j, coin_base(delays, j))
                    if at > limit or at > time[v]:
                        continue
                    if record:
                        order = parent_rank(key, run, j)
                        if at < time[v] or order < rank[v]:
                            rank[v] = order
                            by[v] = i
                    if at == time[v]:
                        continue
                    time[v] = at
                    if at > now:
                        waiting = push(heap, waiting, v, at)
                        continue
                    if heap.place[v] >= 0:
                        waiting = push(heap, waiting, v, -1.0)
                        waiting = pop(heap, waiting)[1]
                    nodes[size] = v
                    steps[size] = step_of(now, width)
                    if record:
                        place[v] = size
                    size += 1
            start = end
        if waiting == 0:
            break
        now = heap.times[0]
        step = step_of(now, width)
        while waiting > 0 and heap.times[0] == now:
            v, waiting = pop(heap, waiting)
            nodes[size] = v
            steps[size] = step
            if record:
                place[v] = size
            size += 1
    if record:
        for i in range(size):
            parent[i] = by[nodes[i]]
    return size, visits


@njit
def continuous_run(arcs, seeds, key, run, space):
    """One run  ->  nodes i4[size] in order of time, steps i4[size], parents i4[size], times f8[size]."""
    parent = np.empty(space.time.size, np.int32)
    size, _ = one_run(arcs, seeds, key, run, True, space, parent)
    nodes = space.nodes[:size].copy()
    times = space.time[nodes]
    space.time[nodes] = UNSEEN
    return nodes, space.steps[:size].copy(), parent[:size].copy(), times


@njit
def continuous_batch(arcs, seeds, begin, key, first, last, space, node_counts, weighing):
    """Runs first ... last - 1  ->  new activations i4[last - first, steps], arc visits; weighing as in `run_batch`.

    The seeds of run `first + i` are begin[i] ... begin[i + 1] - 1, or all of them where `begin` has one entry. A run of more than MOST_STEPS steps ends them: no more columns than MOST_STEPS + 1 are filled.
    """
    weights, sums = weighing.weights, weighing.sums
    nodes, steps, time = space.nodes, space.steps, space.time
    new = np.zeros((last - first, 16), np.int32)
    parent = np.empty(0, np.int32)
    depth, visits = np.int64(0), np.int64(0)
    for run in range(first, last):
        row = run - first
        mine = seeds if begin.size == 1 else seeds[begin[row] : begin[row + 1]]
        size, seen = one_run(arcs, mine, key, run, False, space, parent)
        visits += seen
        if size == 0:
            continue
        if weights.size > 0:
            sums[row] += weigh(nodes[:size], weights)
        needed = np.int64(steps[size - 1]) + 1
        if needed > MOST_STEPS + 1:
            depth = needed
        if needed > new.shape[1] and depth <= MOST_STEPS + 1:
            more = np.zeros((last - first, max(2 * new.shape[1], needed)), np.int32)
            more[:, : new.shape[1]] = new
            new = more
        depth = max(depth, needed)
        for i in range(size):
            v = nodes[i]
            node_counts[v] += 1
            time[v] = UNSEEN
            if depth <= MOST_STEPS + 1:
                new[row, steps[i]] += 1
        if depth > MOST_STEPS + 1:
            break
    return new[:, : min(depth, new.shape[1])].copy(), depth, visits
