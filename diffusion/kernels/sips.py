"""SIPS: Sympathize, Identify, Participate, Share & Spread, one run at a time with every option.

A user who shares publishes once. Followers attend with the probability of the arc, by the coins of the independent
cascade; the platform's feed shows the note to a Poisson number of users. Every attended exposure is an event; what a
user does follows from latents drawn once a campaign (coins of the user) or, with `redraw`, from coins of the exposure.

Nothing depends on the order in which sharers are visited: a step collects all its exposures before anybody moves on.
The kernel of 512 runs (sips_lanes.py) gives the same numbers for the plain case.
"""

import math
from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank, weigh
from .coins import (
    GOLDEN,
    LANES,
    TAG_AGAIN,
    TAG_DELAY,
    TAG_FEED,
    TAG_IC,
    TAG_SYMPATHIZE,
    coin_base,
    coin_below,
    mix,
    threshold_of,
    world_of,
)

FOLLOW, FEED, SEED = 0, 1, 2  # channels; stages: 0 exposed, 1 S, 2 I, 3 P, 4 X
# Columns of a tally, once for each channel: attended exposures, users exposed first, users who reach S, I, P, X.
ATTENDED, EXPOSED, S, I, P, X = 0, 1, 2, 3, 4, 5
COLUMNS = 6
# One row of 64 bytes for each user exposed, so that an exposure touches one cache line.
NODE, STEP, PARENT, CHANNEL, STAGE = 0, 1, 2, 3, 4  # STEP also of stage 0; the steps of stages 1 to 4 follow STAGE
# Sharer of the last exposure; distinct sharers before this step, and new in it; stage after it (-1: not reached in it).
LAST_SHARER, SHARERS, NEW_SHARERS, NEXT_STAGE, WIDTH = 9, 10, 11, 12, 16
_G = np.uint64(GOLDEN)
_1, _11 = np.uint64(1), np.uint64(11)
UNIT = 2.0**-53
PART = 400.0  # means above are added up from parts: exp(-700) is where doubles end
SUMS = 1024  # entries of a table of Poisson sums, more than a mean of PART needs
_SHOWN = 1 << 32  # positions of a note's stream from here on: one for each user to whom the feed shows it
NO_DELAY, FIXED, EXPONENTIAL, GAMMA = 0, 1, 2, 3


class FunnelCoins(NamedTuple):
    """What decides on the stages of a user."""

    p: np.ndarray  # u8[4]: thresholds of S, I, P, X
    need: np.ndarray  # i4[1]: distinct sharers of complex identification, 0: simple
    redraw: bool


class FeedRule(NamedTuple):
    """What the feed shows; the community arrays are short where ``own_community`` is 0."""

    impressions: float
    amplification: float
    own_community: float
    weights: np.ndarray  # f8[4], of the stages S, I, P, X
    cap: int  # 0: none
    answers: np.ndarray  # f8[5, SUMS]: see `answer_tables`
    group_of: np.ndarray  # i4[n]: community
    group_ptr: np.ndarray  # i8[communities + 1]
    group_members: np.ndarray  # i4[n]


class DelayRule(NamedTuple):
    """Waiting times, and the width of the bins of time."""

    kind: int
    mean: float
    shape: float
    width: float


class Users(NamedTuple):
    """Workspace of one run at a time."""

    rows: np.ndarray  # i4[n, WIDTH]
    position: np.ndarray  # i4[n], -1 everywhere between runs
    reached: np.ndarray  # i4[n]
    best_rank: np.ndarray  # u8[n]
    times: np.ndarray  # f8[n] of exposure


@njit(inline="always")
def uniform(base, k):
    """The k-th uniform number in [0, 1) of a stream."""
    return np.float64(mix(base + np.uint64(k + 1) * _G) >> _11) * UNIT


@njit(inline="always")
def stream_of(key, tag, run, index):
    """Stream of one user in one run."""
    return mix(world_of(key, tag, run) ^ mix(np.uint64(index)))


@njit
def poisson(base, k, mean):
    """Poisson number by inversion, and the next position of the stream."""
    total = np.int64(0)
    left = mean
    while left > 0.0:
        part = min(left, PART)
        left -= part
        u = uniform(base, k)
        k += 1
        probability = math.exp(-part)
        below = probability
        count = 0
        while u >= below and (probability > 0.0 or count < part):
            count += 1
            probability *= part / count
            before = below
            below += probability
            if below == before and count > part:  # the tail is beyond what a double resolves
                break
        total += count
    return total, k


@njit
def poisson_table(mean):
    """Sums of probabilities that `poisson` compares with, for a mean up to PART that is asked for again; 2 behind them."""
    table = np.full(SUMS, 2.0)
    probability = math.exp(-mean)
    below = probability
    table[0] = below
    count = 0
    while count < SUMS - 2:
        count += 1
        probability *= mean / count
        before = below
        below += probability
        table[count] = below
        if below == before and count > mean:
            break
    return table


@njit
def answer_tables(amplification, weights):
    """Sums of Poisson probabilities of the further users that one exposure brings, by its stage.

    By the sum of independent Poisson numbers the feed answers to every exposure on its own. A mean above PART has no
    table: its first entry is -1.
    """
    tables = np.full((5, SUMS), 2.0)
    score = 0.0
    for stage in range(5):
        if stage > 0:
            score += weights[stage - 1]
        mean = amplification * score
        if mean > PART:
            tables[stage, 0] = -1.0
        else:
            tables[stage] = poisson_table(mean)
    return tables


@njit(inline="always")
def draw_shown(base, k):
    """The 64 bits of the k-th user to whom the feed shows a note."""
    return mix(base + np.uint64(_SHOWN + k + 1) * _G)


@njit
def shown_user(u, n, own_community, group_of, group_ptr, group_members, x):
    """User whom a uniform number picks to see the note of x, and what is left of the number: it is uniform again."""
    if own_community > 0.0:
        if u < own_community:
            g = group_of[x]
            first = group_ptr[g]
            place = u / own_community * (group_ptr[g + 1] - first)
            at = np.int64(place)
            return np.int64(group_members[first + at]), place - at
        u = (u - own_community) / (1.0 - own_community)
    place = u * n
    at = np.int64(place)
    return at, place - at


@njit
def answer(tables, amplification, weights, stage, left, draw):
    """Further users to whom the feed shows a note for one exposure of this stage."""
    if tables[stage, 0] < 0.0:
        score = 0.0
        for k in range(stage):
            score += weights[k]
        return poisson(draw, np.int64(0), amplification * score)[0]
    count = np.int64(0)
    while left >= tables[stage, count]:
        count += 1
    return count


@njit
def delay_of(base, kind, mean, shape):
    """Waiting time between the exposure that convinces and the share."""
    if kind == FIXED:
        return mean
    if kind == EXPONENTIAL:
        return -mean * math.log(1.0 - uniform(base, 0))
    # Marsaglia and Tsang (2000); a shape below 1 is raised by one and scaled back.
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    k = 1
    value = 0.0
    while True:
        normal = math.sqrt(-2.0 * math.log(1.0 - uniform(base, k))) * math.cos(2.0 * math.pi * uniform(base, k + 1))
        u = 1.0 - uniform(base, k + 2)
        k += 3
        v = 1.0 + c * normal
        if v <= 0.0:
            continue
        v = v * v * v
        if math.log(u) < 0.5 * normal * normal + d - d * v + d * math.log(v):
            value = d * v
            break
    if shape < 1.0:
        value *= (1.0 - uniform(base, 0)) ** (1.0 / shape)
    return value * mean / shape


@njit
def latent_worlds(key, again, batch):
    """Worlds of the four latents S, I, P, X; `again`: those of exposures instead of users."""
    worlds = np.empty(4, np.uint64)
    for k in range(4):
        worlds[k] = world_of(key, TAG_SYMPATHIZE + k + (TAG_AGAIN if again else 0), batch)
    return worlds


@njit
def latent_stage(worlds, word, lane, p, index, identified):
    """Stage that the coins of `index` lead to: 0 stays exposed, 1 S, 2 I, 3 P, 4 X.

    `identified` 1: enough sharers were seen, -1: too few; 0: the coin decides (simple identification).
    """
    for k in range(4):
        if k == 1 and identified != 0:
            if identified < 0:
                return 1
            continue
        if not coin_below(coin_base(worlds[k], index), word, lane, p[k]):
            return k
    return 4


@njit
def push(heap_time, heap_at, size, time, at):
    i = size
    while i > 0:
        up = (i - 1) // 2
        if heap_time[up] < time or (heap_time[up] == time and heap_at[up] < at):
            break
        heap_time[i], heap_at[i] = heap_time[up], heap_at[up]
        i = up
    heap_time[i], heap_at[i] = time, at
    return size + 1


@njit
def pop(heap_time, heap_at, size):
    """Take the smallest off a binary heap -> its place in the list of users, and the new size."""
    top = heap_at[0]
    size -= 1
    time, at = heap_time[size], heap_at[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            heap_time[right] < heap_time[child]
            or (heap_time[right] == heap_time[child] and heap_at[right] < heap_at[child])
        ):
            child = right
        if heap_time[child] > time or (heap_time[child] == time and heap_at[child] >= at):
            break
        heap_time[i], heap_at[i] = heap_time[child], heap_at[child]
        i = child
    if size > 0:
        heap_time[i], heap_at[i] = time, at
    return top, size


@njit
def record_exposure(v, x_at, channel, rank, position, rows, size, best_rank, reached, n_reached):
    """Record that v is exposed to the sharer at x_at -> users exposed so far, users reached in this step."""
    at = position[v]
    if at < 0:
        at = size
        size += 1
        position[v] = at
        row = rows[at]
        row[NODE], row[STEP], row[PARENT], row[CHANNEL], row[STAGE] = v, -1, x_at, channel, 0
        for k in range(1, 5):
            row[STAGE + k] = -1
        row[LAST_SHARER], row[SHARERS], row[NEW_SHARERS], row[NEXT_STAGE] = -1, 0, 0, -1
        best_rank[at] = rank
    else:
        row = rows[at]
        if row[STEP] < 0 and (channel < row[CHANNEL] or (channel == row[CHANNEL] and rank < best_rank[at])):
            row[PARENT], row[CHANNEL] = x_at, channel
            best_rank[at] = rank
    if row[NEXT_STAGE] < 0:
        row[NEXT_STAGE] = row[STAGE]
        reached[n_reached] = at
        n_reached += 1
    if row[LAST_SHARER] != x_at:  # sharers count once, through whichever channel
        row[LAST_SHARER] = x_at
        row[NEW_SHARERS] += 1
    return size, n_reached


@njit
def react(worlds, word, lane, p, need, complex_, redraw, v, row, index):
    """Stage that an exposure earns the note; with `redraw` the user moves on by the coins of the exposure."""
    identified = 0
    if complex_:
        seen = row[SHARERS] + 1  # before this step, and this sharer: so no order within a step matters
        identified = 1 if seen >= need[0] or row[STAGE] >= 2 else -1
    if redraw:
        stage = latent_stage(worlds, word, lane, p, index, identified)
        row[NEXT_STAGE] = max(row[NEXT_STAGE], stage)
    else:
        stage = latent_stage(worlds, word, lane, p, v, identified)
    return stage


@njit
def engagement(scores, weights):
    """Community engagement score of what was counted; clears the counts."""
    total = 0.0
    for k in range(4):
        total += weights[k] * scores[k]
        scores[k] = 0
    return total


# seeds i4[], key u8, run i8, record bool (parents)
#   ->  users exposed (rows of users.rows), tally i4[steps, 2, 6], arc visits, notes that met the cap
@njit
def sips_run(arcs, funnel, feed, delay, seeds, key, run, record, users):
    """One run with every option of SIPS."""
    indptr, indices, attention = arcs.indptr, arcs.indices, arcs.p
    p, need, redraw = funnel
    impressions, amplification, own_community, weights, cap, answers, group_of, group_ptr, group_members = feed
    delay_kind, delay_mean, delay_shape, width = delay
    rows, position, reached, best_rank, times = users
    n = indptr.size - 1
    batch = run // LANES
    word, lane = run % LANES // 64, run % LANES % 64
    world = world_of(key, TAG_IC, batch)
    worlds = latent_worlds(key, redraw, batch)
    complex_ = need[0] > 0
    each = redraw or amplification > 0.0  # exposures are looked at one by one
    a_step = 0 if attention.size == 1 else 1
    timed = delay_kind != NO_DELAY
    scores = np.zeros(4, np.int64)
    tally = np.zeros((16, 2, COLUMNS), np.int32)
    heap_time = np.empty(16, np.float64)
    heap_at = np.empty(16, np.int32)
    heap_size = 0
    frontier = np.empty(max(seeds.size, 16), np.int32)
    following = np.empty(16, np.int32)
    size = 0
    visits = np.int64(0)
    capped = np.int64(0)
    for s in seeds:  # creators publish at time 0
        position[s] = size
        row = rows[size]
        row[NODE], row[STEP], row[PARENT], row[CHANNEL], row[STAGE] = s, 0, -1, SEED, 4
        row[LAST_SHARER], row[SHARERS], row[NEW_SHARERS], row[NEXT_STAGE] = -1, 0, 0, -1
        for k in range(1, 5):
            row[STAGE + k] = 0
        times[size] = 0.0
        frontier[size] = size
        size += 1
    n_frontier = size
    last = 0
    now = 0
    clock = 0.0
    while n_frontier > 0:
        now = np.int64(clock / width) + 1 if timed else now + 1
        while now >= tally.shape[0]:
            more = np.zeros((2 * tally.shape[0], 2, COLUMNS), np.int32)
            more[: tally.shape[0]] = tally
            tally = more
        n_reached = 0
        for f in range(n_frontier):
            x_at = frontier[f]
            x = np.int64(rows[x_at, NODE])
            visits += indptr[x + 1] - indptr[x]
            for j in range(indptr[x], indptr[x + 1]):
                if not coin_below(coin_base(world, j), word, lane, threshold_of(attention[j * a_step])):
                    continue
                v = np.int64(indices[j])
                rank = parent_rank(key, run, j) if record else np.uint64(0)
                size, n_reached = record_exposure(
                    v, x_at, FOLLOW, rank, position, rows, size, best_rank, reached, n_reached
                )
                tally[now, FOLLOW, ATTENDED] += 1
                if each:
                    for k in range(react(worlds, word, lane, p, need, complex_, redraw, v, rows[position[v]], j)):
                        scores[k] += 1
            if impressions == 0.0 and amplification == 0.0:  # no feed: nobody asks for the scores
                continue
            base = stream_of(key, TAG_FEED, run, x)
            shown = np.int64(0)
            planned, _ = poisson(base, np.int64(0), impressions + amplification * engagement(scores, weights))
            while shown < planned:
                draw = draw_shown(base, shown)
                rank = mix(draw)  # the draw itself says whom, and how the feed answers
                v, left = shown_user(
                    np.float64(draw >> _11) * UNIT, n, own_community, group_of, group_ptr, group_members, x
                )
                shown += 1
                size, n_reached = record_exposure(
                    v, x_at, FEED, rank, position, rows, size, best_rank, reached, n_reached
                )
                tally[now, FEED, ATTENDED] += 1
                if each:
                    index = np.int64(rank >> _1)
                    stage = react(worlds, word, lane, p, need, complex_, redraw, v, rows[position[v]], index)
                    planned += answer(answers, amplification, weights, stage, left, draw)
                if shown == cap:  # 0: never
                    capped += 1
                    break
        if n_reached > following.size:
            following = np.empty(2 * n_reached, np.int32)
        n_following = 0
        for r in range(n_reached):
            at = reached[r]
            row = rows[at]
            v = np.int64(row[NODE])
            before = row[STAGE]
            after = row[NEXT_STAGE]
            row[NEXT_STAGE] = -1
            row[SHARERS] += row[NEW_SHARERS]
            row[NEW_SHARERS] = 0
            if row[STEP] < 0:
                row[STEP] = now
                times[at] = clock
                tally[now, row[CHANNEL], EXPOSED] += 1
                if not redraw and not complex_:
                    after = latent_stage(worlds, word, lane, p, v, 0)
            if complex_ and not redraw and before < 2:
                after = latent_stage(worlds, word, lane, p, v, 1 if row[SHARERS] >= need[0] else -1)
            if after > before:
                row[STAGE] = after
                for k in range(before + 1, after + 1):
                    row[STAGE + k] = now
                    tally[now, row[CHANNEL], EXPOSED + k] += 1
                if after == 4:
                    following[n_following] = at
                    n_following += 1
        last = max(last, now)
        if not timed:
            frontier, following = following, frontier
            n_frontier = n_following
            continue
        for i in range(n_following):
            at = following[i]
            if heap_size == heap_time.size:
                heap_time = np.concatenate((heap_time, np.empty(heap_size, np.float64)))
                heap_at = np.concatenate((heap_at, np.empty(heap_size, np.int32)))
            wait = delay_of(stream_of(key, TAG_DELAY, run, rows[at, NODE]), delay_kind, delay_mean, delay_shape)
            heap_size = push(heap_time, heap_at, heap_size, clock + wait, at)
        n_frontier = 0
        if heap_size > 0:
            clock = heap_time[0]
        while heap_size > 0 and heap_time[0] == clock:
            if n_frontier == frontier.size:
                frontier = np.concatenate((frontier, np.empty(n_frontier, np.int32)))
            frontier[n_frontier], heap_size = pop(heap_time, heap_at, heap_size)
            n_frontier += 1
    for i in range(size):
        position[rows[i, NODE]] = -1
    return size, tally[: last + 1].copy(), visits, capped


# node_counts i8[n, 5] and weighing.sums are added to  ->  tally i4[last - first, steps, 2, 6], arc visits, capped notes
@njit
def sips_batch(arcs, funnel, feed, delay, seeds, key, first, last, users, node_counts, weighing):
    """Runs first ... last - 1, one after the other."""
    rows, weights, sums = users.rows, weighing.weights, weighing.sums
    tallies = np.zeros((last - first, 16, 2, COLUMNS), np.int32)
    steps = 0
    visits = np.int64(0)
    capped = np.int64(0)
    for run in range(first, last):
        size, tally, seen, met_cap = sips_run(arcs, funnel, feed, delay, seeds, key, run, False, users)
        visits += seen
        capped += met_cap
        if weights.size > 0:
            sums[run - first] += weigh(rows[:size, NODE], weights)
        if tally.shape[0] > tallies.shape[1]:
            more = np.zeros((last - first, max(2 * tallies.shape[1], tally.shape[0]), 2, COLUMNS), np.int32)
            more[:, : tallies.shape[1]] = tallies
            tallies = more
        steps = max(steps, tally.shape[0])
        tallies[run - first, : tally.shape[0]] = tally
        for i in range(size):
            for k in range(rows[i, STAGE] + 1):
                node_counts[rows[i, NODE], k] += 1
    return tallies[:, :steps].copy(), visits, capped
