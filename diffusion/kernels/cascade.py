"""Independent cascades and linear thresholds on live-edge worlds: 512 runs at a time, or one run with parents.

Both models keep arc j in run r iff ``lo_j <= U < hi_j``. Independent cascade: U belongs to the arc, lo = 0 and hi = p.
Linear threshold: U belongs to the target and the intervals of its in-arcs are disjoint, so it keeps at most one
(Kempe, Kleinberg and Tardos 2003, theorem 4.6).
"""

import numpy as np

from .._numba import njit
from .coins import (
    LANES,
    TAG_IC,
    TAG_LT,
    TAG_PARENT,
    coin_base,
    coin_below,
    coin_between,
    mix,
    threshold_of,
    world_of,
)
from .lanes import (
    PLANES,
    WORDS,
    apply_activations,
    ask_for_node,
    bound_of,
    clear_node,
    copy_rows,
    count_lanes,
    new_scan,
    open_step,
    read_counters,
    scan_arcs,
    seed_lanes,
    weigh_lanes,
)


@njit
def next_step(arcs, block, scan, lanes, planes, frontier, size, following, touched, n_touched):
    """One step of all runs, whose lanes are counted  ->  size of the next frontier, touched nodes, arc visits."""
    words = block.words
    open_step(frontier, size, lanes, words)
    for i in range(size):
        count_lanes(lanes.active, i * words, planes, words)
    i, j = np.int64(0), np.int64(-1)
    n_following, visits = np.int64(0), np.int64(0)
    while i < size:
        i, j, n, seen = scan_arcs(arcs, block, scan, lanes, frontier, i, size, j, np.int64(0))
        n_following, n_touched = apply_activations(scan, n, lanes, following, n_following, touched, n_touched, words)
        visits += seen
    return n_following, n_touched, visits


# node_counts i8[n] and weighing.sums are added to  ->  new activations i4[steps, 64 * words], arc visits
@njit
def run_batch(arcs, start, block, lanes, node_counts, weighing):
    """Independent cascade or linear threshold in all runs of a block."""
    words = block.words
    frontier, following, touched = lanes.queues[0], lanes.queues[1], lanes.queues[2]
    scan = new_scan(arcs, block)
    planes = np.zeros(PLANES * WORDS, np.uint64)
    counts = np.zeros((16, words * 64), np.int32)
    size = n_touched = seed_lanes(start, block, scan, lanes)
    steps = 0
    visits = np.int64(0)
    while size > 0:
        size, n_touched, seen = next_step(
            arcs, block, scan, lanes, planes, frontier, size, following, touched, n_touched
        )
        visits += seen
        if steps == counts.shape[0]:
            more = np.zeros((2 * steps, words * 64), np.int32)
            copy_rows(counts, more)
            counts = more
        read_counters(planes, counts[steps], words)
        steps += 1
        frontier, following = following, frontier
    weigh_lanes(touched[:n_touched], lanes.state, words, weighing)
    for i in range(n_touched):
        ask_for_node(touched, i, n_touched, lanes, words)
        v = np.int64(touched[i])
        node_counts[v] += clear_node(v, lanes, words)
    return counts[:steps], visits


@njit
def weigh(nodes, weights):
    """Sum of the weights of the active nodes of one run, in the order of the nodes."""
    total = 0.0
    for v in np.sort(nodes):
        total += weights[v]
    return total


@njit
def fires(p, lo, hi, linear, world, j, v, word, lane):
    """Is arc j (into v) live in the run at (word, lane) of this world?"""
    if linear:
        return coin_between(coin_base(world, v), word, lane, bound_of(lo[j]), bound_of(hi[j]))
    return coin_below(coin_base(world, j), word, lane, threshold_of(p[j if p.size > 1 else 0]))


@njit
def parent_rank(key, run, j):
    """Ties among arcs that fire at one step are broken by the smallest of these: a fair draw that needs no order."""
    return mix(world_of(key, TAG_PARENT, run) ^ mix(np.uint64(j)))


# seeds i4[], key u8, run i8  ->  nodes i4[size] in order of step, step i4[size], parent i4[size] (position, -1 seed)
@njit
def replay_run(arcs, seeds, key, run):
    """One run with the parents of its nodes."""
    indptr, indices, p, lo, hi, linear = arcs
    n = indptr.size - 1
    batch, lane_of_batch = run // LANES, run % LANES
    word, lane = lane_of_batch // 64, lane_of_batch % 64
    world = world_of(key, TAG_LT if linear else TAG_IC, batch)
    position = np.full(n, -1, np.int32)
    nodes = np.empty(n, np.int32)
    step = np.empty(n, np.int32)
    parent = np.empty(n, np.int32)
    rank = np.empty(n, np.uint64)
    size = 0
    for s in seeds:
        position[s] = size
        nodes[size] = s
        step[size] = 0
        parent[size] = -1
        size += 1
    start = 0
    now = 0
    while start < size:
        end = size
        now += 1
        for i in range(start, end):
            u = nodes[i]
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                at = position[v]
                if at >= 0 and step[at] < now:
                    continue
                if not fires(p, lo, hi, linear, world, j, v, word, lane):
                    continue
                order = parent_rank(key, run, j)
                if at < 0:
                    position[v] = size
                    nodes[size] = v
                    step[size] = now
                    parent[size] = i
                    rank[size] = order
                    size += 1
                elif order < rank[at]:
                    parent[at] = i
                    rank[at] = order
        start = end
    return nodes[:size].copy(), step[:size].copy(), parent[:size].copy()
