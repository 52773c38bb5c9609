"""What kernels of many runs at once share: run r of a batch is one bit, its lane, of every row of 64-bit words.

Every node has two rows, *seen* (lanes in which it is active) and *pending* (lanes in which it became active in this
step). A step takes the pending rows of the frontier, draws the coins of all their lanes arc by arc, and lets the live
arcs wait until the cache lines of their targets have come; then `apply_activations`, or what a model has in its place,
changes the rows of the targets. Arcs out of a node with few active lanes are drawn lane by lane instead.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import (
    ALWAYS,
    LANES,
    TAG_IC,
    TAG_LT,
    WORDS,
    coin_base,
    coin_between,
    eight_bases,
    eight_coins,
    popcount,
    prefetch,
    prefetch_read,
    row_absorb,
    row_below,
    row_between,
    row_count,
    threshold_of,
    trailing_zeros,
    word_below,
    world_of,
)

PLANES = 32  # bits of the counters of lanes
WAITING = 64  # activations that wait for cache lines at once
AHEAD = 12  # rows of the frontier whose cache lines are asked for beforehand
FEW = 4  # active lanes up to which one lane over many arcs is cheaper than one arc over all lanes
BLOCK = 128  # arcs at once in that case
FULL_U32 = np.uint64(0xFFFFFFFF)  # an interval bound of 2**32 does not fit uint32: the top value stands for it
_1, _8 = np.uint64(1), np.uint64(8)


class Lanes(NamedTuple):
    """Rows and queues of one thread; kernels leave `state` and `flags` zero."""

    state: np.ndarray  # u8[2 * n * words]: the seen row of every node, then its pending row
    active: np.ndarray  # u8[n * words]: rows of the frontier
    flags: np.ndarray  # u1[n]: 0 untouched, 2 touched, 3 touched and queued
    queues: np.ndarray  # i4[3, n]: frontier, next frontier, touched nodes


class Scan(NamedTuple):
    """Workspace of the scan of arcs.

    Activation k of those that wait is of node ``targets[k]`` in the lane ``lanes[k]``, or, where that is -1, in all
    lanes of the k-th row of `rows`. No more than WAITING have a row: only single lanes are collected beyond.
    """

    world: np.uint64
    few: np.ndarray  # i8[FEW]: active lanes of a row with few
    coins: np.ndarray  # u8[4, BLOCK] of a block of arcs: indices of their coins, bases, interval bounds
    targets: np.ndarray  # i4[WAITING + FEW * BLOCK]
    lanes: np.ndarray  # i4[WAITING + FEW * BLOCK]
    rows: np.ndarray  # u8[WAITING * WORDS]


@njit
def new_scan(arcs, block):
    return Scan(
        world_of(block.key, TAG_LT if arcs.linear else TAG_IC, block.batch),
        np.empty(FEW, np.int64),
        np.zeros((4, BLOCK), np.uint64),
        np.empty(WAITING + FEW * BLOCK, np.int32),
        np.empty(WAITING + FEW * BLOCK, np.int32),
        np.empty(WAITING * WORDS, np.uint64),
    )


@njit(inline="always")
def bound_of(stored):
    """uint32 interval bound -> threshold; the top value stands for 2**32."""
    bound = np.uint64(stored)
    return ALWAYS if bound == FULL_U32 else bound


@njit(inline="always")
def bounds(p, p_step, lo, hi, linear, j):
    """Interval [low, high) of coins for which arc j is live."""
    if linear:
        return bound_of(lo[j]), bound_of(hi[j])
    return np.uint64(0), threshold_of(p[j * p_step])


@njit(inline="always")
def first_lanes(count):
    """Mask of the first `count` lanes of a word."""
    if count >= 64:
        return ~np.uint64(0)
    if count <= 0:
        return np.uint64(0)
    return (_1 << np.uint64(count)) - _1


@njit(forceinline=True)
def live_lanes(lanes, at, out, to, low, high, base, words, first_word):
    """out[to:to+words] = lanes of the row at `at` with low <= coin < high; nonzero if any."""
    some = np.uint64(0)
    if words == WORDS:
        if high < ALWAYS:
            if low == 0:
                return row_below(lanes, at, out, to, high, base)
            return row_between(lanes, at, out, to, low, high, base)
        if low != 0:
            row_below(lanes, at, out, to, low, base)
    for w in range(words):
        mask = lanes[at + w]
        if high >= ALWAYS and words == WORDS and low != 0:
            mask &= ~out[to + w]
        else:
            if high < ALWAYS:
                mask = word_below(base, first_word + w, mask, high)
            if low != 0:
                mask &= ~word_below(base, first_word + w, mask, low)
        out[to + w] = mask
        some |= mask
    return some


@njit
def absorb(row, at, state, to, words):
    """Add the lanes of a row that the seen row at `to` lacks to it and to the pending row; nonzero if there are any."""
    if words == WORDS:
        return row_absorb(row, at, state, to)
    some = np.uint64(0)
    for w in range(words):
        new = row[at + w] & ~state[to + w]
        state[to + w] |= new
        state[to + words + w] |= new
        some |= new
    return some


@njit
def count_lanes(row, at, planes, words):
    """Add one to the counter of every lane of a row; planes[8*k:] hold bit k of the counters."""
    if words == WORDS:
        row_count(row, at, planes)
        return
    for w in range(words):
        carry = row[at + w]
        k = 0
        while carry != 0:
            old = planes[k * WORDS + w]
            planes[k * WORDS + w] = old ^ carry
            carry &= old
            k += 1


@njit
def read_counters(planes, counts, words):
    """Add the counters of the lanes to counts[lane], and clear them."""
    for k in range(PLANES):
        for w in range(words):
            bits = planes[k * WORDS + w]
            if bits == 0:
                continue
            planes[k * WORDS + w] = 0
            for lane in range(64):
                counts[w * 64 + lane] += np.int32((bits >> np.uint64(lane)) & _1) << np.int32(k)


@njit
def copy_rows(rows, to):
    """Copy rows to the beginning of larger ones; an assignment of slices takes seconds longer to compile."""
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            to[i, k] = rows[i, k]


@njit
def list_few(active, at, words, few):
    """List the lanes of a row if there are at most FEW; otherwise return more than FEW."""
    count = 0
    for w in range(words):
        count += np.int64(popcount(active[at + w]))
    if count > FEW:
        return count
    count = 0
    for w in range(words):
        bits = active[at + w]
        while bits != 0:
            few[count] = w * 64 + np.int64(trailing_zeros(bits))
            count += 1
            bits &= bits - _1
    return count


@njit
def apply_activations(scan, n, lanes, queue, n_queue, touched, n_touched, words):
    """Make the targets of the n waiting activations active, and queue those that gained lanes."""
    state, flags = lanes.state, lanes.flags
    targets, lane_of, rows = scan.targets, scan.lanes, scan.rows
    for k in range(n):
        v = np.int64(targets[k])
        at = v * 2 * words
        lane = np.int64(lane_of[k])
        if lane < 0:
            if absorb(rows, k * words, state, at, words) == 0:
                continue
        else:
            bit = _1 << np.uint64(lane & 63)
            at += lane >> 6
            if state[at] & bit:
                continue
            state[at] |= bit
            state[at + words] |= bit
        if flags[v] & 1 == 0:
            if flags[v] == 0:
                touched[n_touched] = v
                n_touched += 1
            flags[v] = 3
            queue[n_queue] = v
            n_queue += 1
    return n_queue, n_touched


@njit
def wait_in_all(scan, v, block):
    """Let one activation wait: of v in all lanes of the block."""
    scan.targets[0] = v
    scan.lanes[0] = -1
    for w in range(block.words):
        scan.rows[w] = first_lanes(block.n_lanes - 64 * w)


@njit
def seed_lanes(start, block, scan, lanes):
    """Make the seeds active, in all lanes or in that of the only run of each -> size of the frontier, touched too."""
    first_run = block.batch * LANES + block.first_word * 64
    frontier, touched = lanes.queues[0], lanes.queues[2]
    size = n_touched = np.int64(0)
    for i in range(start.seeds.size):
        wait_in_all(scan, start.seeds[i], block)
        if start.run_of.size > 0:
            lane = start.run_of[i] - first_run
            if lane < 0 or lane >= block.n_lanes:
                continue
            scan.lanes[0] = lane
        size, n_touched = apply_activations(scan, 1, lanes, frontier, size, touched, n_touched, block.words)
    return size


@njit
def open_step(frontier, size, lanes, words):
    """Move the pending rows of the frontier to `active`, in its order."""
    state, active, flags = lanes.state, lanes.active, lanes.flags
    for i in range(size):
        if i + AHEAD < size:
            prefetch(state, (2 * np.int64(frontier[i + AHEAD]) + 1) * words)
        u = np.int64(frontier[i])
        flags[u] = 2
        for w in range(words):
            active[i * words + w] = state[(2 * u + 1) * words + w]
            state[(2 * u + 1) * words + w] = 0


@njit(forceinline=True)
def ask_for_target(v, lanes, words):
    """Ask for the cache lines of a target that waits."""
    prefetch(lanes.state, v * 2 * words)
    prefetch(lanes.state, v * 2 * words + words)
    prefetch(lanes.flags, v)


@njit
def scan_arcs(arcs, block, scan, lanes, frontier, i, end, j, n):
    """Draw the coins of all active lanes of frontier rows i ... end - 1, and let live arcs wait behind n others.

    The scan begins at arc j (-1: the first) of row i and stops once WAITING activations wait, or a few more  ->  row
    and arc to go on with, activations that wait, arcs of the rows that were begun.
    """
    indptr, indices, p, lo, hi, linear = arcs
    world, few, coins, targets, lane_of, rows = scan
    keys, bases, lows, highs = coins[0], coins[1], coins[2], coins[3]
    active, words, first_word = lanes.active, block.words, block.first_word
    p_step = 0 if p.size == 1 else 1
    visits = np.int64(0)
    while i < end and n < WAITING:
        u = np.int64(frontier[i])
        stop = indptr[u + 1]
        if j < 0:
            j = indptr[u]
            visits += stop - j
            if i + 2 * AHEAD < end:
                prefetch_read(indptr, np.int64(frontier[i + 2 * AHEAD]))
            if i + AHEAD < end:
                begin = indptr[frontier[i + AHEAD]]
                prefetch_read(indices, begin)
                if linear:
                    prefetch_read(lo, begin)
                    prefetch_read(hi, begin)
                else:
                    prefetch_read(p, begin * p_step)
        n_few = list_few(active, i * words, words, few)
        if n_few <= FEW:
            while j < stop and n < WAITING:
                count = min(stop - j, BLOCK)
                for k in range(count):
                    keys[k] = np.uint64(indices[j + k]) if linear else np.uint64(j + k)
                    lows[k], highs[k] = bounds(p, p_step, lo, hi, linear, j + k)
                for k in range(0, count, 8):
                    eight_bases(world, keys, k, bases)
                for f in range(n_few):
                    word, lane = first_word + (few[f] >> 6), few[f] & 63
                    for begin in range(0, count, 8):
                        found = eight_coins(bases, begin, word, lane, lows, highs)
                        left = (found | found >> _8) & first_lanes(min(count - begin, 8))
                        while left != 0:
                            k = begin + np.int64(trailing_zeros(left))
                            left &= left - _1
                            sure = found >> np.uint64(k - begin) & _1 != 0  # but for one in sixteen
                            if not sure and not coin_between(bases[k], word, lane, lows[k], highs[k]):
                                continue
                            v = np.int64(indices[j + k])
                            targets[n] = v
                            lane_of[n] = few[f]
                            ask_for_target(v, lanes, words)
                            n += 1
                j += count
        else:
            while j < stop and n < WAITING:
                low, high = bounds(p, p_step, lo, hi, linear, j)
                if high != low:
                    base = coin_base(world, np.int64(indices[j]) if linear else j)
                    if live_lanes(active, i * words, rows, n * words, low, high, base, words, first_word) != 0:
                        v = np.int64(indices[j])
                        targets[n] = v
                        lane_of[n] = -1
                        ask_for_target(v, lanes, words)
                        n += 1
                j += 1
        if j == stop:
            i += 1
            j = np.int64(-1)
    return i, j, n, visits


@njit
def weigh_lanes(touched, state, words, weighing):
    """Add to sums[lane] the weights of its active nodes, in the order of nodes: no queue changes the sums."""
    weights, sums = weighing.weights, weighing.sums
    if weights.size == 0:
        return
    for v in np.sort(touched):
        weight = weights[v]
        if weight == 0.0:
            continue
        for w in range(words):
            bits = state[np.int64(v) * 2 * words + w]
            while bits != 0:
                sums[w * 64 + np.int64(trailing_zeros(bits))] += weight
                bits &= bits - _1


@njit(forceinline=True)
def ask_for_node(nodes, i, size, lanes, words):
    """Ask for the cache lines that `clear_node` will need of the node AHEAD places after the i-th."""
    if i + AHEAD < size:
        v = np.int64(nodes[i + AHEAD])
        prefetch(lanes.state, v * 2 * words)
        prefetch(lanes.flags, v)


@njit(forceinline=True)
def clear_node(v, lanes, words):
    """Leave the rows and flags of a touched node zero -> number of lanes in which it was active."""
    state, flags = lanes.state, lanes.flags
    flags[v] = 0
    count = np.int64(0)
    for w in range(words):
        count += np.int64(popcount(state[v * 2 * words + w]))
        state[v * 2 * words + w] = 0
    return count
