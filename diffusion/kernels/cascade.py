"""Independent cascades and linear thresholds on live-edge worlds: 512 runs at a time, or one run with parents.

Both models keep arc j in run r iff ``lo_j <= U < hi_j``. Independent cascade: U belongs to the arc, lo = 0 and hi = p.
Linear threshold: U belongs to the target and the intervals of its in-arcs are disjoint, so it keeps at most one
(Kempe, Kleinberg and Tardos 2003, theorem 4.6).
"""

import numpy as np

from .._numba import njit
from .coins import (
    ALWAYS,
    LANES,
    TAG_IC,
    TAG_LT,
    TAG_PARENT,
    WORDS,
    coin_base,
    coin_bases,
    coin_below,
    coin_between,
    first_bits,
    mix,
    popcount,
    prefetch,
    row_absorb,
    row_below,
    row_between,
    row_count,
    threshold_of,
    trailing_zeros,
    word_below,
    world_of,
)

PLANES = 32  # bits of the per-lane counters
WAITING = 32  # live rows that wait for cache lines at once
FEW = 4  # active lanes up to which one lane over many arcs is cheaper than one arc over all lanes
BLOCK = 128  # arcs at once in that case
_28 = np.uint64(28)
FULL_U32 = np.uint64(0xFFFFFFFF)  # an interval bound of 2**32 does not fit uint32: the top value stands for it


@njit(inline="always")
def bound_of(stored):
    """uint32 interval bound -> threshold; the top value stands for 2**32."""
    bound = np.uint64(stored)
    return ALWAYS if bound == FULL_U32 else bound


@njit(inline="always")
def first_lanes(count):
    """Mask of the first `count` lanes of a word."""
    if count >= 64:
        return ~np.uint64(0)
    if count <= 0:
        return np.uint64(0)
    return (np.uint64(1) << np.uint64(count)) - np.uint64(1)


@njit
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
def absorb(live, at, state, to, words):
    if words == WORDS:
        return row_absorb(live, at, state, to)
    some = np.uint64(0)
    for w in range(words):
        new = live[at + w] & ~state[to + w]
        state[to + w] |= new
        state[to + words + w] |= new
        some |= new
    return some


@njit
def count_lanes(row, at, planes, words):
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
    """Add the bit-sliced counters to counts[lane], and clear them."""
    for k in range(PLANES):
        for w in range(words):
            bits = planes[k * WORDS + w]
            if bits == 0:
                continue
            planes[k * WORDS + w] = 0
            for lane in range(64):
                counts[w * 64 + lane] += np.int32((bits >> np.uint64(lane)) & np.uint64(1)) << np.int32(k)


@njit
def seed_lanes(run_of, i, first_run, n_lanes, s, state, words):
    """Make seed i active in all lanes, or in that of its own run alone  ->  in how many."""
    width = 2 * words
    if run_of.size == 0:
        for w in range(words):
            mask = first_lanes(n_lanes - 64 * w)
            state[s * width + w] = mask
            state[s * width + words + w] = mask
        return n_lanes
    lane = run_of[i] - first_run
    if lane < 0 or lane >= n_lanes:
        return 0
    bit = np.uint64(1) << np.uint64(lane & 63)
    state[s * width + (lane >> 6)] |= bit
    state[s * width + words + (lane >> 6)] |= bit
    return 1


# indptr i8[], indices i4[], p f4[] (one per arc, or one), lo hi u4[] (one per arc; LT), linear bool, seeds i4[], run_of
# i8[] (the only run of each seed; empty: all runs), key u8, batch first_word words n_lanes i8; workspace: state u8[2 * n * words], zero: the seen and the pending row of every node;
# active u8[n * words], flags u1[n], zero, queues i4[3, n]; node_counts i8[n] is added to, and so are, unless `weights` f8[n]
# is empty, sums f8[64 * words], the weights of the active nodes by run
#   ->  (new activations i4[steps, 64 * words], arc visits)
@njit
def run_batch(
    indptr, indices, p, lo, hi, linear, seeds, run_of, key, batch, first_word, words, n_lanes, state, active, flags,
    queues, node_counts, weights, sums,
):  # fmt: skip
    live = np.empty(WAITING * WORDS, np.uint64)  # live rows that wait for their target's cache lines
    targets = np.empty(WAITING, np.int32)
    waiting = 0
    few = np.empty(FEW, np.int64)
    bases = np.empty(BLOCK, np.uint64)
    bits = np.empty(BLOCK, np.uint64)
    planes = np.zeros(PLANES * WORDS, np.uint64)
    counts = np.zeros((16, words * 64), np.int32)
    frontier, following, touched = queues[0], queues[1], queues[2]
    world = world_of(key, TAG_LT if linear else TAG_IC, batch)
    p_step = 0 if p.size == 1 else 1
    width = 2 * words
    size = 0
    n_touched = 0
    for i in range(seeds.size):
        s = np.int64(seeds[i])
        if seed_lanes(run_of, i, batch * LANES + first_word * 64, n_lanes, s, state, words) == 0:
            continue
        if flags[s] == 0:
            frontier[size] = s
            size += 1
            touched[n_touched] = s
            n_touched += 1
            flags[s] = 2
    steps = 0
    visits = 0
    while size > 0:
        for i in range(size):
            u = np.int64(frontier[i])
            flags[u] = 2  # touched, no longer queued
            for w in range(words):
                active[i * words + w] = state[u * width + words + w]
                state[u * width + words + w] = 0
            count_lanes(active, i * words, planes, words)
        if steps == counts.shape[0]:
            more = np.zeros((2 * steps, words * 64), np.int32)
            more[:steps] = counts
            counts = more
        read_counters(planes, counts[steps], words)
        steps += 1
        following_size = 0
        for i in range(size):
            u = frontier[i]
            start, stop = indptr[u], indptr[u + 1]
            visits += stop - start
            n_few = list_few(active, i * words, words, few)
            if n_few <= FEW:
                while start < stop:
                    end = min(start + BLOCK, stop)
                    block = bases[: end - start]
                    coin_bases(world, start, indices[start:end], linear, block)
                    for f in range(n_few):
                        w, lane = few[f] >> 6, few[f] & 63
                        first_bits(block, first_word + w, lane, bits)
                        for k in range(end - start):
                            low, high = bounds(p, p_step, lo, hi, linear, start + k)
                            # Four bits settle nearly every coin; the few that are left are looked at one by one.
                            if bits[k] > high >> _28 or bits[k] < low >> _28:
                                continue
                            if coin_between(bases[k], first_word + w, lane, low, high):
                                for q in range(words):
                                    live[waiting * words + q] = 0
                                live[waiting * words + w] = np.uint64(1) << np.uint64(lane)
                                targets[waiting] = indices[start + k]
                                prefetch(state, np.int64(targets[waiting]) * width)
                                prefetch(state, np.int64(targets[waiting]) * width + words)
                                waiting += 1
                                if waiting == WAITING:
                                    following_size, n_touched = deliver(
                                        live, targets, waiting, state, flags, following, following_size, touched,
                                        n_touched, words,
                                    )  # fmt: skip
                                    waiting = 0
                    start = end
                continue
            for j in range(start, stop):
                low, high = bounds(p, p_step, lo, hi, linear, j)
                if high == low:
                    continue
                base = coin_base(world, np.int64(indices[j]) if linear else j)
                if live_lanes(active, i * words, live, waiting * words, low, high, base, words, first_word) == 0:
                    continue
                targets[waiting] = indices[j]
                prefetch(state, np.int64(targets[waiting]) * width)
                prefetch(state, np.int64(targets[waiting]) * width + words)
                waiting += 1
                if waiting == WAITING:
                    following_size, n_touched = deliver(
                        live, targets, waiting, state, flags, following, following_size, touched, n_touched, words
                    )
                    waiting = 0
        following_size, n_touched = deliver(
            live, targets, waiting, state, flags, following, following_size, touched, n_touched, words
        )
        waiting = 0
        frontier, following = following, frontier
        size = following_size
    if weights.size > 0:
        weigh_lanes(touched[:n_touched], state, words, weights, sums)
    for i in range(n_touched):
        v = np.int64(touched[i])
        flags[v] = 0
        for w in range(words):
            node_counts[v] += np.int64(popcount(state[v * width + w]))
            state[v * width + w] = 0
    return counts[:steps], visits


@njit
def weigh_lanes(touched, state, words, weights, sums):
    """Add to sums[lane] the weights of its active nodes, in the order of the nodes: sums are then the same to the last bit."""
    for v in np.sort(touched):
        weight = weights[v]
        if weight == 0.0:
            continue
        for w in range(words):
            bits = state[np.int64(v) * 2 * words + w]
            while bits != 0:
                sums[w * 64 + np.int64(trailing_zeros(bits))] += weight
                bits &= bits - np.uint64(1)


@njit
def weigh(nodes, weights):
    """Sum of the weights of the active nodes of one run, in the order of the nodes."""
    total = 0.0
    for v in np.sort(nodes):
        total += weights[v]
    return total


@njit(inline="always")
def bounds(p, p_step, lo, hi, linear, j):
    """Interval [low, high) of coins for which arc j is live."""
    if linear:
        return bound_of(lo[j]), bound_of(hi[j])
    return np.uint64(0), threshold_of(p[j * p_step])


@njit
def list_few(active, at, words, few):
    """List the lanes of a row if there are at most FEW; otherwise give more than FEW."""
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
            bits &= bits - np.uint64(1)
    return count


@njit
def deliver(live, targets, waiting, state, flags, following, following_size, touched, n_touched, words):
    """Absorb the waiting live rows into their targets, and queue targets that gained lanes."""
    for k in range(waiting):
        v = np.int64(targets[k])
        if absorb(live, k * words, state, v * 2 * words, words) != 0 and flags[v] & 1 == 0:
            if flags[v] == 0:
                touched[n_touched] = v
                n_touched += 1
            flags[v] = 3  # touched and queued
            following[following_size] = v
            following_size += 1
    return following_size, n_touched


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


# ... seeds i4[], key u8, run i8  ->  nodes i4[size] in order of step, step i4[size], parent i4[size] (position, -1 seed)
@njit
def replay_run(indptr, indices, p, lo, hi, linear, seeds, key, run):
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
