"""SIPS for 512 runs at a time: simple identification, latents drawn once, generations as time.

The follow channel is the kernel of the independent cascade with a funnel behind it: lanes that are new at a user go
through four coins of the user, and those that come out share. What the feed shows differs from run to run, so its
exposures are listed one by one and delivered after those of the step that came through followers.
"""

import numpy as np

from .._numba import njit
from .cascade import (
    BLOCK,
    FEW,
    PLANES,
    WAITING,
    count_lanes,
    list_few,
    live_lanes,
    read_counters,
    seed_lanes,
    weigh_lanes,
)
from .coins import (
    LANES,
    TAG_FEED,
    TAG_IC,
    WORDS,
    coin_base,
    coin_bases,
    coin_below,
    first_bits,
    popcount,
    prefetch,
    row_fresh,
    threshold_of,
    trailing_zeros,
    world_of,
)
from .sips import (
    ATTENDED,
    COLUMNS,
    EXPOSED,
    FEED,
    FOLLOW,
    PART,
    engagement,
    latent_stage,
    latent_worlds,
    poisson,
    poisson_table,
    shown_user,
    stream_of,
    uniform,
)

AHEAD = 16  # exposures of the feed that wait for cache lines
_28 = np.uint64(28)
_1 = np.uint64(1)


@njit
def fresh_lanes(live, at, state, to, words):
    """Keep the lanes of a row that a state row lacks, and add them to it; nonzero if there are any."""
    if words == WORDS:
        return row_fresh(live, at, state, to)
    some = np.uint64(0)
    for w in range(words):
        new = live[at + w] & ~state[to + w]
        state[to + w] |= new
        live[at + w] = new
        some |= new
    return some


@njit
def move_on(v, bit_word, bit_lane, width, words, first_word, worlds, p, state, tally, channel, node_counts):
    """One user in one run goes through the funnel -> does the user share?"""
    stage = latent_stage(worlds, first_word + bit_word, bit_lane, p, v, 0)
    at = bit_word * 64 + bit_lane
    tally[channel * COLUMNS + EXPOSED, at] += 1
    for k in range(1, stage + 1):
        tally[channel * COLUMNS + EXPOSED + k, at] += 1
        node_counts[v, k] += 1
    if stage == 4:
        state[v * width + words + bit_word] |= _1 << np.uint64(bit_lane)
    return stage == 4


@njit
def deliver(
    live, targets, waiting, state, flags, following, n_following, touched, n_touched, words, first_word, worlds, p, planes,
    stages, few, tally, node_counts,
):  # fmt: skip
    """Expose the targets of the waiting live rows, send new lanes through the funnel, and queue those who share."""
    width = 2 * words
    for k in range(waiting):
        v = np.int64(targets[k])
        if fresh_lanes(live, k * words, state, v * width, words) == 0:
            continue
        if flags[v] == 0:
            touched[n_touched] = v
            n_touched += 1
            flags[v] = 2
        shares = False
        n_few = list_few(live, k * words, words, few)
        if n_few <= FEW:
            for f in range(n_few):
                if move_on(
                    v, few[f] >> 6, few[f] & 63, width, words, first_word, worlds, p, state, tally, FOLLOW, node_counts
                ):
                    shares = True
        else:
            count_lanes(live, k * words, planes[EXPOSED], words)
            for w in range(words):
                stages[w] = live[k * words + w]
            for s in range(4):
                some = live_lanes(
                    stages, 0, stages, WORDS, np.uint64(0), p[s], coin_base(worlds[s], v), words, first_word
                )
                if some == 0:
                    break
                for w in range(words):
                    stages[w] = stages[WORDS + w]
                    node_counts[v, s + 1] += np.int64(popcount(stages[w]))
                count_lanes(stages, 0, planes[EXPOSED + 1 + s], words)
                if s == 3:
                    for w in range(words):
                        state[v * width + words + w] |= stages[w]
                    shares = True
        if shares and flags[v] & 1 == 0:
            flags[v] = 3
            following[n_following] = v
            n_following += 1
    return n_following, n_touched


@njit
def grown(array):
    more = np.empty(2 * array.size, array.dtype)
    more[: array.size] = array
    return more


# Arguments as in sips_run and run_batch; tally i4[steps, 12, 64 * words] (2 channels of 6 columns); node_counts i8[n, 5] is
# added to; reach_weights and sums as weights and sums in run_batch  ->  tally, visits, capped
@njit
def sips_lanes(
    indptr, indices, attention, p, m0, gain, own, weights, cap, group_of, group_ptr, group_members, seeds, run_of, key,
    batch, first_word, words, n_lanes, state, active, flags, queues, node_counts, reach_weights, sums,
):  # fmt: skip
    n = indptr.size - 1
    live = np.empty(WAITING * WORDS, np.uint64)
    targets = np.empty(WAITING, np.int32)
    waiting = 0
    few = np.empty(FEW, np.int64)
    few_new = np.empty(FEW, np.int64)
    bases = np.empty(BLOCK, np.uint64)
    bits = np.empty(BLOCK, np.uint64)
    table = poisson_table(m0) if gain == 0.0 and 0.0 < m0 <= PART else np.empty(0, np.float64)
    planes = np.zeros((COLUMNS, PLANES * WORDS), np.uint64)
    score_planes = np.zeros((4, PLANES * WORDS), np.uint64)
    scores = np.zeros((4, 64 * words), np.int32)
    shown_scores = np.zeros(4, np.int64)
    stages = np.empty(2 * WORDS, np.uint64)
    feed_user = np.empty(1024, np.int32)
    feed_lane = np.empty(1024, np.int32)
    tally = np.zeros((16, 2 * COLUMNS, 64 * words), np.int32)
    frontier, following, touched = queues[0], queues[1], queues[2]
    world = world_of(key, TAG_IC, batch)
    worlds = latent_worlds(key, False, batch)
    a_step = 0 if attention.size == 1 else 1
    width = 2 * words
    size = 0
    n_touched = 0
    for i in range(seeds.size):
        s = np.int64(seeds[i])
        lanes = seed_lanes(run_of, i, batch * LANES + first_word * 64, n_lanes, s, state, words)
        if lanes == 0:
            continue
        for k in range(1, 5):
            node_counts[s, k] += lanes
        if flags[s] == 0:
            frontier[size] = s
            size += 1
            touched[n_touched] = s
            n_touched += 1
            flags[s] = 2
    now = 0
    visits = np.int64(0)
    capped = np.int64(0)
    while size > 0:
        now += 1
        if now == tally.shape[0]:
            more = np.zeros((2 * now, 2 * COLUMNS, 64 * words), np.int32)
            more[:now] = tally
            tally = more
        row = tally[now]
        for i in range(size):
            u = np.int64(frontier[i])
            flags[u] = 2
            for w in range(words):
                active[i * words + w] = state[u * width + words + w]
                state[u * width + words + w] = 0
        n_following = 0
        n_feed = 0
        for i in range(size):
            x = np.int64(frontier[i])
            start, stop = indptr[x], indptr[x + 1]
            visits += stop - start
            n_few = list_few(active, i * words, words, few)
            if n_few <= FEW:
                while start < stop:
                    end = min(start + BLOCK, stop)
                    block = bases[: end - start]
                    coin_bases(world, start, indices[start:end], False, block)
                    for f in range(n_few):
                        w, lane = few[f] >> 6, few[f] & 63
                        first_bits(block, first_word + w, lane, bits)
                        for k in range(end - start):
                            high = threshold_of(attention[(start + k) * a_step])
                            if bits[k] > high >> _28 or not coin_below(bases[k], first_word + w, lane, high):
                                continue
                            row[FOLLOW * COLUMNS + ATTENDED, few[f]] += 1
                            v = np.int64(indices[start + k])
                            if gain > 0.0:
                                stage = latent_stage(worlds, first_word + w, lane, p, v, 0)
                                for q in range(stage):
                                    scores[q, few[f]] += 1
                            for q in range(words):
                                live[waiting * words + q] = 0
                            live[waiting * words + w] = _1 << np.uint64(lane)
                            targets[waiting] = v
                            prefetch(state, v * width)
                            prefetch(state, v * width + words)
                            waiting += 1
                            if waiting == WAITING:
                                n_following, n_touched = deliver(
                                    live, targets, waiting, state, flags, following, n_following, touched, n_touched,
                                    words, first_word, worlds, p, planes, stages, few_new, row, node_counts,
                                )  # fmt: skip
                                waiting = 0
                    start = end
            else:
                for j in range(start, stop):
                    high = threshold_of(attention[j * a_step])
                    base = coin_base(world, j)
                    at = waiting * words
                    if live_lanes(active, i * words, live, at, np.uint64(0), high, base, words, first_word) == 0:
                        continue
                    count_lanes(live, at, planes[ATTENDED], words)
                    v = np.int64(indices[j])
                    if gain > 0.0:
                        for w in range(words):
                            stages[w] = live[at + w]
                        for s in range(4):
                            some = live_lanes(
                                stages, 0, stages, WORDS, np.uint64(0), p[s], coin_base(worlds[s], v), words, first_word
                            )
                            if some == 0:
                                break
                            for w in range(words):
                                stages[w] = stages[WORDS + w]
                            count_lanes(stages, 0, score_planes[s], words)
                    targets[waiting] = v
                    prefetch(state, v * width)
                    prefetch(state, v * width + words)
                    waiting += 1
                    if waiting == WAITING:
                        n_following, n_touched = deliver(
                            live, targets, waiting, state, flags, following, n_following, touched, n_touched, words,
                            first_word, worlds, p, planes, stages, few_new, row, node_counts,
                        )  # fmt: skip
                        waiting = 0
                if gain > 0.0:
                    for s in range(4):
                        read_counters(score_planes[s], scores[s], words)
            if m0 == 0.0 and gain == 0.0:
                continue
            for w in range(words):
                lanes = active[i * words + w]
                while lanes != 0:
                    lane = np.int64(trailing_zeros(lanes))
                    lanes &= lanes - _1
                    ces = 0.0
                    if gain > 0.0:
                        for s in range(4):
                            ces += weights[s] * scores[s, w * 64 + lane]
                            scores[s, w * 64 + lane] = 0
                    run = batch * LANES + (first_word + w) * 64 + lane
                    base = stream_of(key, TAG_FEED, run, x)
                    shown = np.int64(0)
                    if table.size > 0:  # the same mean for every note
                        u = uniform(base, 0)
                        k = np.int64(1)
                        planned = np.int64(0)
                        while planned < table.size - 1 and u >= table[planned]:
                            planned += 1
                    else:
                        planned, k = poisson(base, np.int64(0), m0 + gain * ces)
                    while planned > 0:
                        for _ in range(planned):
                            if shown == cap and cap > 0:
                                break
                            shown += 1
                            v, k = shown_user(base, k, n, own, group_of, group_ptr, group_members, x)
                            if n_feed == feed_user.size:
                                feed_user, feed_lane = grown(feed_user), grown(feed_lane)
                            feed_user[n_feed] = v
                            feed_lane[n_feed] = w * 64 + lane
                            n_feed += 1
                            if gain > 0.0:
                                stage = latent_stage(worlds, first_word + w, lane, p, v, 0)
                                for s in range(stage):
                                    shown_scores[s] += 1
                        if shown == cap and cap > 0:
                            capped += 1
                            engagement(shown_scores, weights)
                            break
                        planned = np.int64(0)
                        if gain > 0.0:
                            planned, k = poisson(base, k, gain * engagement(shown_scores, weights))
        n_following, n_touched = deliver(
            live, targets, waiting, state, flags, following, n_following, touched, n_touched, words, first_word, worlds,
            p, planes, stages, few_new, row, node_counts,
        )  # fmt: skip
        waiting = 0
        for c in range(COLUMNS):
            read_counters(planes[c], row[FOLLOW * COLUMNS + c], words)
        for i in range(min(AHEAD, n_feed)):
            prefetch(state, np.int64(feed_user[i]) * width)
        for i in range(n_feed):
            if i + AHEAD < n_feed:
                prefetch(state, np.int64(feed_user[i + AHEAD]) * width)
            v, at = np.int64(feed_user[i]), np.int64(feed_lane[i])
            row[FEED * COLUMNS + ATTENDED, at] += 1
            w, lane = at >> 6, at & 63
            bit = _1 << np.uint64(lane)
            if state[v * width + w] & bit:
                continue
            state[v * width + w] |= bit
            if flags[v] == 0:
                touched[n_touched] = v
                n_touched += 1
                flags[v] = 2
            shares = move_on(v, w, lane, width, words, first_word, worlds, p, state, row, FEED, node_counts)
            if shares and flags[v] & 1 == 0:
                flags[v] = 3
                following[n_following] = v
                n_following += 1
        frontier, following = following, frontier
        size = n_following
    if reach_weights.size > 0:
        weigh_lanes(touched[:n_touched], state, words, reach_weights, sums)
    for i in range(n_touched):
        v = np.int64(touched[i])
        flags[v] = 0
        for w in range(words):
            node_counts[v, 0] += np.int64(popcount(state[v * width + w]))
            state[v * width + w] = 0
    return tally[: now + 1].copy(), visits, capped
