"""The funnel of SIPS behind exposures, in all runs of a block."""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import WORDS, coin_base, popcount, prefetch, row_fresh
from .lanes import FEW, count_lanes, list_few, live_lanes
from .sips import ATTENDED, COLUMNS, EXPOSED, FEED, FOLLOW, latent_stage

AHEAD = 16  # exposures of the feed that wait for cache lines
_1 = np.uint64(1)


class Stages(NamedTuple):
    """Latents of the users, and counters of the stages that users reach."""

    worlds: np.ndarray  # u8[4]: worlds of the latents S, I, P, X
    p: np.ndarray  # u8[4]: their thresholds
    planes: np.ndarray  # u8[2 * COLUMNS, PLANES * WORDS]: counters of both channels
    rows: np.ndarray  # u8[2 * WORDS]: lanes that are in the funnel
    few: np.ndarray  # i8[FEW]
    node_counts: np.ndarray  # i8[n, 5]


@njit
def fresh_lanes(row, at, state, to, words):
    """Keep the lanes of a row that a state row lacks, and add them to it; nonzero if there are any."""
    if words == WORDS:
        return row_fresh(row, at, state, to)
    some = np.uint64(0)
    for w in range(words):
        new = row[at + w] & ~state[to + w]
        state[to + w] |= new
        row[at + w] = new
        some |= new
    return some


@njit
def pass_lane(v, lane, words, first_word, worlds, p, state, tally, channel, node_counts):
    """Send one user in one run through the funnel -> does the user share?"""
    word = lane >> 6
    stage = latent_stage(worlds, first_word + word, lane & 63, p, v, 0)
    tally[channel * COLUMNS + EXPOSED, lane] += 1
    for k in range(1, stage + 1):
        tally[channel * COLUMNS + EXPOSED + k, lane] += 1
        node_counts[v, k] += 1
    if stage == 4:
        state[(2 * v + 1) * words + word] |= _1 << np.uint64(lane & 63)
    return stage == 4


@njit
def pass_stage(rows, worlds, p, s, v, words, first_word):
    """Keep the lanes of the funnel in which user v goes on from stage s; nonzero if there are any."""
    some = live_lanes(rows, 0, rows, WORDS, np.uint64(0), p[s], coin_base(worlds[s], v), words, first_word)
    for w in range(words):
        rows[w] = rows[WORDS + w]
    return some


@njit
def apply_exposures(
    targets, lane_of, live, n, channel, state, flags, block, stages, tally, queue, n_queue, touched, n_touched
):
    """Expose n targets, send new lanes through the funnel, and queue those who share.

    Target k is exposed in the lane ``lane_of[k]``, or, where that is -1, in those of the k-th row of `live`, which is
    overwritten. Those of the feed are counted where they are drawn.
    """
    worlds, p, planes, rows, few, node_counts = stages
    words, first_word = block.words, block.first_word
    column = channel * COLUMNS + EXPOSED
    for k in range(n):
        if channel == FEED and k + AHEAD < n:
            prefetch(state, np.int64(targets[k + AHEAD]) * 2 * words)
        v = np.int64(targets[k])
        lane = np.int64(lane_of[k])
        n_few = np.int64(1)
        if lane < 0:
            if channel == FOLLOW:
                count_lanes(live, k * words, planes[ATTENDED], words)
            if fresh_lanes(live, k * words, state, v * 2 * words, words) == 0:
                continue
            n_few = list_few(live, k * words, words, few)
        else:
            tally[FOLLOW * COLUMNS + ATTENDED, lane] += 1
            bit, seen = _1 << np.uint64(lane & 63), v * 2 * words + (lane >> 6)
            if state[seen] & bit:
                continue
            state[seen] |= bit
            few[0] = lane
        if flags[v] == 0:
            touched[n_touched] = v
            n_touched += 1
            flags[v] = 2
        shares = False
        if n_few <= FEW:
            for f in range(n_few):
                if pass_lane(v, few[f], words, first_word, worlds, p, state, tally, channel, node_counts):
                    shares = True
        else:
            count_lanes(live, k * words, planes[column], words)
            for w in range(words):
                rows[w] = live[k * words + w]
            for s in range(4):
                if pass_stage(rows, worlds, p, s, v, words, first_word) == 0:
                    break
                for w in range(words):
                    node_counts[v, s + 1] += np.int64(popcount(rows[w]))
                count_lanes(rows, 0, planes[column + 1 + s], words)
                if s == 3:
                    for w in range(words):
                        state[(2 * v + 1) * words + w] |= rows[w]
                    shares = True
        if shares and flags[v] & 1 == 0:
            flags[v] = 3
            queue[n_queue] = v
            n_queue += 1
    return n_queue, n_touched
