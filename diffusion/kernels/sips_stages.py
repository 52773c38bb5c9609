"""The funnel of SIPS behind exposures, in all runs of a block."""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import WORDS, coin_base, row_fresh
from .lanes import live_lanes
from .sips import COLUMNS, EXPOSED, latent_stage

_1 = np.uint64(1)


class Stages(NamedTuple):
    """Latents of the users, and counters of the stages that users reach."""

    worlds: np.ndarray  # u8[4]: worlds of the latents S, I, P, X
    p: np.ndarray  # u8[4]: their thresholds
    planes: np.ndarray  # u8[2 * COLUMNS, PLANES * WORDS]: counters of both channels
    rows: np.ndarray  # u8[2 * WORDS]: lanes that are in the funnel
    few: np.ndarray  # i8[FEW]
    shown: np.ndarray  # i8[4]: users to whom the feed shows one note, by stage; zero between notes
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
