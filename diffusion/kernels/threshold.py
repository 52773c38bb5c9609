"""Thresholds on counts of active in-neighbours (Granovetter 1978; Watts 2002; Centola and Macy 2007), one run at a time.

With the same threshold in every run, runs differ only through sub-threshold noise: lanes would have nothing to share but
counters, and counters of many bits for the hubs of a fractional threshold. So the kernel is scalar: it touches one counter
and one mark for each delivery along an arc, and a deterministic model is run once.
"""

import numpy as np

from .._numba import njit
from .cascade import parent_rank, weigh
from .coins import LANES, TAG_NOISE, coin_base, coin_below, world_of

# Marks: 0 untouched, 1 active, 2 touched earlier, 4 reached in this step, 8 also by noise.
ACTIVE, TOUCHED, REACHED, FIRED = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)


# indptr i8[], indices i4[], multiplicity i4[] (one per arc, or one), need i4[n] (0: never adopts), noise u8 threshold,
# seeds i4[], key u8, run i8, record bool; workspace: lists i4[5, n], and all zero count i4[n], mark u1[n];
# node_counts i8[n] is added to  ->  size i8, arc visits i8; lists[0, :size] nodes in order of step, lists[1, :size] steps,
# and where `record` lists[2, :size] positions of the parents (-1 for a seed)
@njit
def one_run(indptr, indices, multiplicity, need, noise, seeds, key, run, record, lists, count, mark, node_counts):
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
def threshold_run(indptr, indices, multiplicity, need, noise, seeds, key, run, lists, count, mark, node_counts):
    """One run with parents  ->  nodes i4[size] in order of step, step i4[size], parent i4[size]."""
    size, _ = one_run(
        indptr, indices, multiplicity, need, noise, seeds, key, run, True, lists, count, mark, node_counts
    )  # fmt: skip
    return lists[0, :size].copy(), lists[1, :size].copy(), lists[2, :size].copy()


@njit
def threshold_batch(
    indptr, indices, multiplicity, need, noise, seeds, key, first, last, lists, count, mark, node_counts, weights, sums
):  # fmt: skip
    """Runs first ... last - 1  ->  new activations i4[last - first, steps], arc visits i8; `weights` as in `run_batch`."""
    new = np.zeros((last - first, 16), np.int32)
    steps = 0
    visits = 0
    for run in range(first, last):
        size, met = one_run(
            indptr, indices, multiplicity, need, noise, seeds, key, run, False, lists, count, mark, node_counts
        )  # fmt: skip
        visits += met
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
