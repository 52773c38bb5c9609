"""Thresholds on counts of active in-neighbours (Granovetter 1978; Watts 2002; Centola and Macy 2007), one run at a
time.

With the same threshold in every run, runs differ only through sub-threshold noise: lanes would have nothing to share
but counters, and counters of many bits for the hubs of a fractional threshold. So the kernel is scalar: it touches one
counter and one mark for each delivery along an arc, and a deterministic model is run once.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank, weigh
from .coins import LANES, TAG_NOISE, coin_base, coin_below, world_of

# Marks: 0 untouched, 1 active, 2 touched earlier, 4 reached in this step, 8 also by noise.
ACTIVE, TOUCHED, REACHED, FIRED = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)


class CountedArcs(NamedTuple):
    """Arcs out of every node, and how often each counts."""

    indptr: np.ndarray  # i8[n + 1]
    indices: np.ndarray  # i4[m]
    multiplicity: np.ndarray  # i4[m] or i4[1]


class Adoption(NamedTuple):
    """When a node adopts."""

    need: np.ndarray  # i4[n]: active in-neighbours; 0: never
    noise: np.uint64  # threshold of the coin of an arc from an active node


class Tallies(NamedTuple):
    """Workspace of one thread; kernels leave `count` and `mark` zero."""

    lists: np.ndarray  # i4[5, n]: nodes, steps, positions of parents; touched nodes, nodes reached in a step
    count: np.ndarray  # i4[n]
    mark: np.ndarray  # u1[n]


# seeds i4[], key u8, run i8, record bool; node_counts i8[n] is added to  ->  size i8, arc visits i8; lists[0, :size]
# nodes in order of step, lists[1, :size] steps, and where `record` lists[2, :size] positions of the parents (-1 for a
# seed)
@njit
def one_run(arcs, adoption, seeds, key, run, record, tallies, node_counts):
    indptr, indices, multiplicity = arcs
    need, noise = adoption
    lists, count, mark = tallies
    n = indptr.size - 1
    lane_of_batch = run % LANES
    word, lane = lane_of_batch // 64, lane_of_batch % 64
    world = world_of(key, TAG_NOISE, run // LANES)
    c_step = 0 if multiplicity.size == 1 else 1
    nodes, step, parent, touched, reached = lists[0], lists[1], lists[2], lists[3], lists[4]
    kept = n if record else 0
    best_rank = np.empty(kept, np.uint64)
    best_parent = np.empty(kept, np.int32)
    fired_rank = np.empty(kept, np.uint64)
    fired_parent = np.empty(kept, np.int32)
    size = 0
    n_touched = 0
    visits = 0
    for s in seeds:
        mark[s] = ACTIVE
        nodes[size] = s
        step[size] = 0
        parent[size] = -1
        size += 1
    start = 0
    now = 0
    while start < size:
        end = size
        now += 1
        n_reached = 0
        for i in range(start, end):
            u = nodes[i]
            visits += indptr[u + 1] - indptr[u]
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                before = mark[v]
                if before & ACTIVE:
                    continue
                if before == 0:
                    touched[n_touched] = v
                    n_touched += 1
                after = before | TOUCHED | REACHED
                if before & REACHED == 0:
                    reached[n_reached] = v
                    n_reached += 1
                count[v] += multiplicity[j * c_step]
                fires = noise != 0 and coin_below(coin_base(world, j), word, lane, noise)
                if record:
                    order = parent_rank(key, run, j)
                    if before & REACHED == 0 or order < best_rank[v]:
                        best_rank[v] = order
                        best_parent[v] = i
                    if fires and (before & FIRED == 0 or order < fired_rank[v]):
                        fired_rank[v] = order
                        fired_parent[v] = i
                mark[v] = after | FIRED if fires else after
        for r in range(n_reached):
            v = np.int64(reached[r])
            enough = need[v] > 0 and count[v] >= need[v]
            if enough or mark[v] & FIRED:
                nodes[size] = v
                step[size] = now
                if record:
                    parent[size] = best_parent[v] if enough else fired_parent[v]
                size += 1
                mark[v] = ACTIVE | TOUCHED
            else:
                mark[v] = TOUCHED
        start = end
    for i in range(size):
        node_counts[nodes[i]] += 1
        mark[nodes[i]] = 0
    for i in range(n_touched):
        count[touched[i]] = 0
        mark[touched[i]] = 0
    return size, visits


@njit
def threshold_run(arcs, adoption, seeds, key, run, tallies, node_counts):
    """One run with parents  ->  nodes i4[size] in order of step, step i4[size], parent i4[size]."""
    size, _ = one_run(arcs, adoption, seeds, key, run, True, tallies, node_counts)
    lists = tallies.lists
    return lists[0, :size].copy(), lists[1, :size].copy(), lists[2, :size].copy()


@njit
def threshold_batch(arcs, adoption, seeds, key, first, last, tallies, node_counts, weighing):
    """Runs first ... last - 1  ->  new activations i4[last - first, steps], arc visits; weighing as in `run_batch`."""
    lists, weights, sums = tallies.lists, weighing.weights, weighing.sums
    new = np.zeros((last - first, 16), np.int32)
    steps = 0
    visits = 0
    for run in range(first, last):
        size, seen = one_run(arcs, adoption, seeds, key, run, False, tallies, node_counts)
        visits += seen
        if weights.size > 0:
            sums[run - first] += weigh(lists[0, :size], weights)
        if size == 0:
            continue
        depth = lists[1, size - 1] + 1
        if depth > new.shape[1]:
            more = np.zeros((last - first, max(2 * new.shape[1], depth)), np.int32)
            more[:, : new.shape[1]] = new
            new = more
        steps = max(steps, depth)
        for i in range(size):
            new[run - first, lists[1, i]] += 1
    return new[:, :steps].copy(), visits
