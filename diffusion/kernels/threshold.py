"""Thresholds on counts of active in-neighbours (Granovetter 1978; Watts 2002; Centola and Macy 2007), one run at a time.

With the same threshold in every run, runs differ only through sub-threshold noise, so lanes would have nothing to share
but counters; a scalar kernel touches one counter per delivery, and a deterministic model is run once.
"""

import numpy as np

from .._numba import njit
from .cascade import parent_rank
from .coins import LANES, TAG_NOISE, coin_base, coin_below, world_of


# indptr i8[], indices i4[], multiplicity i4[] (one per arc, or one), need i4[n] (0: never adopts), noise u8 threshold,
# seeds i4[], key u8, run i8; workspace, all zero: count i4[n], mark u1[n]; node_counts i8[n] is added to
# ->  nodes i4[size] in order of step, step i4[size], parent i4[size] (position, -1 for a seed)
@njit
def threshold_run(indptr, indices, multiplicity, need, noise, seeds, key, run, count, mark, node_counts):
    n = indptr.size - 1
    lane_of_batch = run % LANES
    word, lane = lane_of_batch // 64, lane_of_batch % 64
    world = world_of(key, TAG_NOISE, run // LANES)
    c_step = 0 if multiplicity.size == 1 else 1
    nodes = np.empty(n, np.int32)
    step = np.empty(n, np.int32)
    parent = np.empty(n, np.int32)
    touched = np.empty(n, np.int32)
    best_rank = np.empty(n, np.uint64)
    best_parent = np.empty(n, np.int32)
    fired_rank = np.empty(n, np.uint64)
    fired_parent = np.empty(n, np.int32)
    reached = np.empty(n, np.int32)
    size = 0
    n_touched = 0
    for s in seeds:
        mark[s] = 1
        nodes[size] = s
        step[size] = 0
        parent[size] = -1
        size += 1
    start = 0
    now = 0
    # mark: 0 untouched, 1 active, 2 touched earlier, 4 reached in this step, 8 also by noise
    while start < size:
        end = size
        now += 1
        n_reached = 0
        for i in range(start, end):
            u = nodes[i]
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                if mark[v] & 1:
                    continue
                if mark[v] == 0:
                    touched[n_touched] = v
                    n_touched += 1
                    mark[v] = 2
                order = parent_rank(key, run, j)
                if mark[v] & 4 == 0:
                    mark[v] |= 4
                    reached[n_reached] = v
                    n_reached += 1
                    best_rank[v] = order
                    best_parent[v] = i
                elif order < best_rank[v]:
                    best_rank[v] = order
                    best_parent[v] = i
                count[v] += multiplicity[j * c_step]
                if noise != 0 and coin_below(coin_base(world, j), word, lane, noise):
                    if mark[v] & 8 == 0 or order < fired_rank[v]:
                        fired_rank[v] = order
                        fired_parent[v] = i
                    mark[v] |= 8
        for r in range(n_reached):
            v = np.int64(reached[r])
            enough = need[v] > 0 and count[v] >= need[v]
            if enough or mark[v] & 8:
                nodes[size] = v
                step[size] = now
                parent[size] = best_parent[v] if enough else fired_parent[v]
                size += 1
                mark[v] = 3
            else:
                mark[v] = 2
        start = end
    for i in range(size):
        node_counts[nodes[i]] += 1
        mark[nodes[i]] = 0
    for i in range(n_touched):
        count[touched[i]] = 0
        mark[touched[i]] = 0
    return nodes[:size].copy(), step[:size].copy(), parent[:size].copy()
