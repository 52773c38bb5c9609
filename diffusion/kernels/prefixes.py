"""All prefixes of one seed order in the same worlds, at the cost of one cascade from all of them.

Under the independent cascade and linear thresholds a world is a graph of live arcs: what is active after more seeds holds
what was active before. So seeds come one after the other, the cascade goes on where it stopped, and what is new is counted.
"""

import numpy as np

from .._numba import njit
from .cascade import (
    BLOCK,
    FEW,
    PLANES,
    WAITING,
    bounds,
    count_lanes,
    deliver,
    first_lanes,
    list_few,
    live_lanes,
    read_counters,
)
from .coins import TAG_IC, TAG_LT, WORDS, coin_base, coin_bases, coin_between, first_bits, world_of

_28 = np.uint64(28)


# as run_batch, but `order` i4[k, 1] of seeds, or i4[k, n_lanes] where each run has its own (-1: none), and `ends` i8[] of
# prefixes, rising  ->  active nodes that each prefix adds to the one before it, i4[ends, 64 * words]
@njit
def prefix_batch(
    indptr, indices, p, lo, hi, linear, order, ends, key, batch, first_word, words, n_lanes, state, active, flags, queues
):  # fmt: skip
    live = np.empty(WAITING * WORDS, np.uint64)
    targets = np.empty(WAITING, np.int32)
    few = np.empty(FEW, np.int64)
    bases = np.empty(BLOCK, np.uint64)
    bits = np.empty(BLOCK, np.uint64)
    planes = np.zeros(PLANES * WORDS, np.uint64)
    counts = np.zeros((ends.size, words * 64), np.int32)
    frontier, following, touched = queues[0], queues[1], queues[2]
    world = world_of(key, TAG_LT if linear else TAG_IC, batch)
    p_step = 0 if p.size == 1 else 1
    width = 2 * words
    n_touched = np.int64(0)
    known = np.int64(0)
    for r in range(ends.size):
        size = np.int64(0)
        for k in range(known, ends[r]):
            for column in range(order.shape[1]):  # a seed is new in the lanes that have not reached it
                for w in range(words):
                    live[w] = first_lanes(n_lanes - 64 * w)
                    if order.shape[1] > 1:
                        live[w] = np.uint64(1) << np.uint64(column & 63) if column >> 6 == w else np.uint64(0)
                if order[k, column] < 0:
                    continue
                targets[0] = order[k, column]
                size, n_touched = deliver(live, targets, 1, state, flags, frontier, size, touched, n_touched, words)
        known = ends[r]
        while size > 0:
            for i in range(size):
                u = np.int64(frontier[i])
                flags[u] = 2
                for w in range(words):
                    active[i * words + w] = state[u * width + words + w]
                    state[u * width + words + w] = 0
                count_lanes(active, i * words, planes, words)
            following_size = 0
            for i in range(size):
                u = np.int64(frontier[i])
                n_few = list_few(active, i * words, words, few)
                start = indptr[u]
                while start < indptr[u + 1]:
                    end = min(start + BLOCK, indptr[u + 1])
                    block = bases[: end - start]
                    if n_few <= FEW:
                        coin_bases(world, start, indices[start:end], linear, block)
                        for f in range(n_few):
                            w, lane = few[f] >> 6, few[f] & 63
                            first_bits(block, first_word + w, lane, bits)
                            for k in range(end - start):
                                low, high = bounds(p, p_step, lo, hi, linear, start + k)
                                if bits[k] > high >> _28 or bits[k] < low >> _28:
                                    continue
                                if coin_between(bases[k], first_word + w, lane, low, high):
                                    for q in range(words):
                                        live[q] = 0
                                    live[w] = np.uint64(1) << np.uint64(lane)
                                    targets[0] = indices[start + k]
                                    following_size, n_touched = deliver(
                                        live, targets, 1, state, flags, following, following_size, touched, n_touched,
                                        words,
                                    )  # fmt: skip
                        start = end
                        continue
                    waiting = 0
                    for j in range(start, end):
                        low, high = bounds(p, p_step, lo, hi, linear, j)
                        if high == low:
                            continue
                        base = coin_base(world, np.int64(indices[j]) if linear else j)
                        at = waiting * words
                        if live_lanes(active, i * words, live, at, low, high, base, words, first_word) == 0:
                            continue
                        targets[waiting] = indices[j]
                        waiting += 1
                        if waiting == WAITING:
                            following_size, n_touched = deliver(
                                live, targets, waiting, state, flags, following, following_size, touched, n_touched,
                                words,
                            )  # fmt: skip
                            waiting = 0
                    following_size, n_touched = deliver(
                        live, targets, waiting, state, flags, following, following_size, touched, n_touched, words
                    )
                    start = end
            frontier, following = following, frontier
            size = following_size
        read_counters(planes, counts[r], words)
    for i in range(n_touched):
        v = np.int64(touched[i])
        flags[v] = 0
        for w in range(words):
            state[v * width + w] = 0
    return counts
