"""Final sizes of epidemics as percolation: arcs out of one node share its infectious period; 512 runs at a time.

Where the probability to transmit that they share has a table (`periods`), an arc is live where its coin is below the
threshold of its source in this run. Distributions that cannot be inverted have none: then periods and transmission times
are drawn themselves, a run at a time.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank, weigh
from .coins import LANES, WORDS, coin_base, coin_below, mix, popcount, prefetch, world_of
from .lanes import (
    FEW,
    PLANES,
    WAITING,
    apply_activations,
    clear_node,
    copy_rows,
    count_lanes,
    list_few,
    new_scan,
    read_counters,
    seed_lanes,
    weigh_lanes,
)
from .periods import draw_bins, new_bins, row_below_planes, settle, threshold_of_lane, word_below_planes
from .waiting import wait_at

TAG_PERIOD = 0x5E1
TAG_TRANSMIT = 0x5E2
_8 = np.uint64(8)


@njit
def scan_nodes(arcs, periods, worlds, block, scan, lanes, bins, frontier, i, size, j, n):
    """Let the live arcs out of frontier rows i ... size - 1 wait, behind n others; see `lanes.scan_arcs`.

    -> row and arc to go on with (-1: the first of the row), activations that wait, arcs of the rows that were begun.
    """
    indptr, indices = arcs.indptr, arcs.indices
    active, words, first_word = lanes.active, block.words, block.first_word
    targets, lane_of, rows, state = scan.targets, scan.lanes, scan.rows, lanes.state
    world, of_periods = worlds
    planes, left, few, thresholds = bins.planes, bins.left, bins.few, bins.thresholds
    visits = np.int64(0)
    while i < size and n < WAITING:
        u = np.int64(frontier[i])
        stop = indptr[u + 1]
        base_of_node = coin_base(of_periods, u)
        n_few = list_few(active, i * words, words, few)
        if j < 0:
            j = indptr[u]
            visits += stop - j
            if j < stop:
                if n_few <= FEW:
                    for f in range(n_few):
                        thresholds[f] = threshold_of_lane(periods, base_of_node, first_word * 64 + few[f])
                else:
                    draw_bins(periods.alias, base_of_node, active, i * words, words, first_word, bins)
        while j < stop and n < WAITING:
            base = coin_base(world, j)
            v = np.int64(indices[j])
            if n_few <= FEW:
                for f in range(n_few):
                    if coin_below(base, first_word + (few[f] >> 6), few[f] & 63, thresholds[f]):
                        targets[n] = v
                        lane_of[n] = few[f]
                        prefetch(state, v * 2 * words)
                        n += 1
                j += 1
                continue
            to = n * words
            if words == WORDS:
                found = row_below_planes(active, i * words, rows, to, planes, base, left)
            else:
                found = np.uint64(0)
                for w in range(words):
                    rows[to + w], left[w] = word_below_planes(base, first_word + w, active[i * words + w], planes, w)
                    found |= np.uint64(rows[to + w] != 0) | (np.uint64(left[w] != 0) << _8)
            if found >> _8:
                found |= settle(periods, base_of_node, rows, to, base, words, first_word, left)
            if found & np.uint64(255):
                targets[n] = v
                lane_of[n] = -1
                prefetch(state, v * 2 * words)
                prefetch(state, v * 2 * words + words)
                n += 1
            j += 1
        if j == stop:
            i += 1
            j = np.int64(-1)
    return i, j, n, visits


@njit(inline="always")
def pending(u, lanes, words):
    """Lanes in which a node has become active and not yet been visited."""
    count = np.int64(0)
    for w in range(words):
        count += np.int64(popcount(lanes.state[(2 * u + 1) * words + w]))
    return count


@njit
def open_nodes(frontier, size, following, lanes, words, least):
    """Move the pending rows of nodes with at least so many pending lanes to `active`; the others wait in `following`.

    -> nodes opened (the first of `frontier`), nodes that wait, the most lanes that one of all these had pending.
    """
    state, active, flags = lanes.state, lanes.active, lanes.flags
    opened = kept = most = np.int64(0)
    for i in range(size):
        u = np.int64(frontier[i])
        count = pending(u, lanes, words)
        most = max(most, count)
        if count < least:
            following[kept] = u
            kept += 1
            continue
        flags[u] = 2
        for w in range(words):
            active[opened * words + w] = state[(2 * u + 1) * words + w]
            state[(2 * u + 1) * words + w] = 0
        frontier[opened] = u
        opened += 1
    return opened, kept, most


# node_counts i8[n] and weighing.sums are added to  ->  new infections i4[steps, 64 * words], arc visits
@njit
def percolation_batch(arcs, periods, start, block, lanes, node_counts, weighing, in_generations):
    """Percolation in all runs of a block.

    Steps are generations, or, where only sizes are asked for, 0 (seeds) and 1 (all others): then nodes wait until lanes
    have gathered, as no lane depends on the order in which nodes are visited.
    """
    words = block.words
    frontier, following, touched = lanes.queues[0], lanes.queues[1], lanes.queues[2]
    scan, bins = new_scan(arcs, block), new_bins()
    worlds = world_of(block.key, TAG_TRANSMIT, block.batch), world_of(block.key, TAG_PERIOD, block.batch)
    planes = np.zeros(PLANES * WORDS, np.uint64)
    counts = np.zeros((16 if in_generations else 2, words * 64), np.int32)
    size = n_touched = seed_lanes(start, block, scan, lanes)
    steps = 0
    visits = np.int64(0)
    least = np.int64(1)
    while size > 0:
        opened, n_following, most = open_nodes(frontier, size, following, lanes, words, least)
        if in_generations or steps == 0:
            for i in range(opened):
                count_lanes(lanes.active, i * words, planes, words)
            if steps == counts.shape[0]:
                more = np.zeros((2 * steps, words * 64), np.int32)
                copy_rows(counts, more)
                counts = more
            read_counters(planes, counts[steps], words)
            steps += 1
        i, j = np.int64(0), np.int64(-1)
        while i < opened:
            i, j, n, seen = scan_nodes(
                arcs, periods, worlds, block, scan, lanes, bins, frontier, i, opened, j, np.int64(0)
            )
            n_following, n_touched = apply_activations(
                scan, n, lanes, following, n_following, touched, n_touched, words
            )
            visits += seen
        if not in_generations:
            least = max(most // 2, 1)
        size = n_following
        frontier, following = following, frontier
    if not in_generations:
        for i in range(n_touched):
            count_lanes(lanes.state, np.int64(touched[i]) * 2 * words, planes, words)
        if steps > 0:
            read_counters(planes, counts[1], words)
            for lane in range(words * 64):
                counts[1, lane] -= counts[0, lane]
            steps = 2
    weigh_lanes(touched[:n_touched], lanes.state, words, weighing)
    for i in range(n_touched):
        v = np.int64(touched[i])
        node_counts[v] += clear_node(v, lanes, words)
    return counts[:steps], visits


class Lists(NamedTuple):
    """Workspace of one run at a time; kernels leave `position` -1."""

    nodes: np.ndarray  # i4[n], in order of generation
    step: np.ndarray  # i4[n]
    parent: np.ndarray  # i4[n]
    position: np.ndarray  # i4[n]
    rank: np.ndarray  # u8[n]


@njit(inline="always")
def stream(world, index):
    """64-bit key of the draws of one node or arc in one run."""
    return mix(world ^ mix(np.uint64(index)))


@njit
def one_run(arcs, periods, seeds, key, run, lists):
    """Percolation in one run, generation by generation  ->  size, arc visits; `lists` hold nodes, steps and parents."""
    indptr, indices = arcs.indptr, arcs.indices
    nodes, step, parent, position, rank = lists
    tabled = periods.alias.size > 1
    batch, word, lane = run // LANES, run % LANES // 64, run % 64
    world, of_periods = world_of(key, TAG_TRANSMIT, batch), world_of(key, TAG_PERIOD, batch)
    if not tabled:
        world, of_periods = world_of(key, TAG_TRANSMIT, run), world_of(key, TAG_PERIOD, run)
    size, visits = np.int64(0), np.int64(0)
    for s in seeds:
        position[s] = size
        nodes[size] = s
        step[size] = 0
        parent[size] = -1
        size += 1
    begin, now = np.int64(0), np.int32(0)
    while begin < size:
        end = size
        now += 1
        for i in range(begin, end):
            u = np.int64(nodes[i])
            threshold, period = np.uint64(0), 0.0
            if tabled:
                threshold = threshold_of_lane(periods, coin_base(of_periods, u), run % LANES)
            else:
                period = min(wait_at(periods.recovery, u, stream(of_periods, u)), periods.most)
            visits += indptr[u + 1] - indptr[u]
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                at = position[v]
                if at >= 0 and step[at] < now:
                    continue
                if tabled:
                    live = coin_below(coin_base(world, j), word, lane, threshold)
                else:
                    live = wait_at(periods.transmission, j, stream(world, j)) <= period
                if not live:
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
        begin = end
    for i in range(size):
        position[nodes[i]] = -1
    return size, visits


@njit
def percolation_run(arcs, periods, seeds, key, run, lists):
    """One run with parents  ->  nodes i4[size] in order of step, step i4[size], parent i4[size]."""
    size, _ = one_run(arcs, periods, seeds, key, run, lists)
    return lists.nodes[:size].copy(), lists.step[:size].copy(), lists.parent[:size].copy()


# seeds i4[], begin i8[last - first + 1] (of each run; of one entry: all in every run)  ->  new infections
# i4[last - first, steps], arc visits
@njit
def percolation_runs(arcs, periods, seeds, begin, key, first, last, lists, node_counts, weighing, in_generations):
    """Runs first ... last - 1 one by one; node_counts and the sums of weighing are added to."""
    weights, sums = weighing.weights, weighing.sums
    new = np.zeros((last - first, 16 if in_generations else 2), np.int32)
    visits, steps = np.int64(0), 0
    for run in range(first, last):
        row = run - first
        mine = seeds if begin.size == 1 else seeds[begin[row] : begin[row + 1]]
        size, seen = one_run(arcs, periods, mine, key, run, lists)
        visits += seen
        if weights.size > 0:
            sums[row] += weigh(lists.nodes[:size], weights)
        if size == 0:
            continue
        depth = lists.step[size - 1] + 1 if in_generations else 2
        if depth > new.shape[1]:
            more = np.zeros((last - first, max(2 * new.shape[1], depth)), np.int32)
            copy_rows(new, more)
            new = more
        steps = max(steps, depth)
        for i in range(size):
            new[row, lists.step[i] if in_generations else min(lists.step[i], 1)] += 1
            node_counts[lists.nodes[i]] += 1
    return new[:, :steps].copy(), visits
