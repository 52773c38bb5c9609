"""Distinct sharers that users have seen, in all runs of a block: complex identification of SIPS.

Beside its rows of lanes.py every node has further rows of marks: *settled* holds lanes in which nothing more can come
of an exposure, since the user identified, does not sympathize, or is a seed. The counter of the other lanes is
bit-sliced and holds the distinct sharers seen beyond the first, up to theta - 2: so theta = 2 needs no bits, and theta
in 3 ... 7 at most three. A sharer publishes once, so it reaches a user at one step only, and an arc carries it once:
every live arc is a new sharer. What the feed shows is cleared of repeats before it comes here.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import coin_base, coin_below, popcount, prefetch
from .lanes import count_lanes
from .sips import ATTENDED, COLUMNS, EXPOSED, FEED, FOLLOW, I, S
from .sips_stages import AHEAD, pass_stage

_1 = np.uint64(1)


class Sharers(NamedTuple):
    """Marks of the nodes; kernels leave `marks` and `note_of` zero."""

    marks: np.ndarray  # u8[n * per_node * words]: settled, counter bits, and the rows of the next two
    per_node: int  # rows; 0: simple identification
    bits: int  # of the counter
    by_feed: int  # row of the lanes in which the feed exposed the user first; -1: no feed
    ready: int  # row of the lanes in which one more sharer is enough, as of the last step; -1: no amplification
    note_of: np.ndarray  # i8[n]: number of the last note that the feed showed to the user


@njit
def split_by_channel(rows, marks, at, by_feed, part, planes, column, words):
    """Count lanes for the channel that exposed the user first; the row at `at` says where that was the feed."""
    if by_feed < 0:
        count_lanes(rows, 0, planes[FOLLOW * COLUMNS + column], words)
        return
    for w in range(words):
        part[w] = rows[w] & marks[at + w]
    count_lanes(part, 0, planes[FEED * COLUMNS + column], words)
    for w in range(words):
        part[w] = rows[w] & ~part[w]
    count_lanes(part, 0, planes[FOLLOW * COLUMNS + column], words)


@njit
def settle_seeds(frontier, size, state, sharers, words):
    """Nothing comes of exposures of the seeds, and they count as identified."""
    marks, per_node, _, _, ready, _ = sharers
    for i in range(size):
        v = np.int64(frontier[i])
        for w in range(words):
            marks[v * per_node * words + w] = state[2 * v * words + w]
            if ready > 0:
                marks[(v * per_node + ready) * words + w] = state[2 * v * words + w]


@njit
def enough(marks, at, bits, last, w, words):
    """Lanes of one word whose counter is `last`."""
    found = ~np.uint64(0)
    for k in range(bits):
        plane = marks[at + (1 + k) * words + w]
        found &= plane if (last >> k) & 1 else ~plane
    return found


@njit
def ready_lanes(touched, n_touched, need, state, sharers, words):
    """Write for every touched node in which lanes one more sharer is enough: for scores of the next step."""
    marks, per_node, bits, _, ready, _ = sharers
    for i in range(n_touched):
        v = np.int64(touched[i])
        at = v * per_node * words
        for w in range(words):
            some = state[2 * v * words + w] & enough(marks, at, bits, need - 2, w, words)
            marks[at + ready * words + w] = some | marks[at + w]


@njit(inline="always")
def is_ready(marks, at, lane):
    """Is one more sharer enough in this lane for the user with the row of ready lanes at `at`?"""
    return (marks[at + (lane >> 6)] >> np.uint64(lane & 63)) & _1 != 0


@njit
def clear_marks(touched, n_touched, sharers, words):
    marks, per_node, note_of = sharers.marks, sharers.per_node, sharers.note_of
    for i in range(n_touched):
        v = np.int64(touched[i])
        for k in range(v * per_node * words, (v + 1) * per_node * words):
            marks[k] = 0
        if note_of.size > 0:
            note_of[v] = 0


@njit
def meet_in_lane(v, lane, channel, words, first_word, worlds, p, need, state, marks, layout, tally, node_counts):
    """Show user v one more sharer in one run -> does the user share?"""
    per_node, bits, by_feed = layout
    w = lane >> 6
    bit = _1 << np.uint64(lane & 63)
    at, seen = v * per_node * words + w, 2 * v * words + w
    if marks[at] & bit:
        return False
    if state[seen] & bit == 0:
        state[seen] |= bit
        tally[channel * COLUMNS + EXPOSED, lane] += 1
        if channel == FEED:
            marks[at + by_feed * words] |= bit
        if coin_below(coin_base(worlds[0], v), first_word + w, lane & 63, p[0]):
            tally[channel * COLUMNS + S, lane] += 1
            node_counts[v, 1] += 1
        else:
            marks[at] |= bit
        return False
    if enough(marks, at - w, bits, need - 2, w, words) & bit == 0:
        for k in range(1, bits + 1):
            marks[at + k * words] ^= bit
            if marks[at + k * words] & bit:
                break
        return False
    marks[at] |= bit
    first = FEED if by_feed > 0 and marks[at + by_feed * words] & bit else FOLLOW
    tally[first * COLUMNS + I, lane] += 1
    node_counts[v, 2] += 1
    for k in range(2, 4):
        if not coin_below(coin_base(worlds[k], v), first_word + w, lane & 63, p[k]):
            return False
        tally[first * COLUMNS + I + k - 1, lane] += 1
        node_counts[v, k + 1] += 1
    state[seen + words] |= bit
    return True


@njit
def meet_in_rows(scan, n, lanes, block, stages, sharers, need, tally, queue, n_queue, touched, n_touched):
    """Show the targets of the n waiting live arcs one more sharer each, and queue those who share."""
    state, flags = lanes.state, lanes.flags
    targets, lane_of, live = scan.targets, scan.lanes, scan.rows
    worlds, p, planes, rows, _, node_counts = stages
    marks, per_node, bits, by_feed, _, _ = sharers
    words, first_word = block.words, block.first_word
    layout = per_node, bits, by_feed
    again, part = np.empty(words, np.uint64), np.empty(words, np.uint64)
    for k in range(n):
        prefetch(marks, np.int64(targets[k]) * per_node * words)
    for k in range(n):
        v = np.int64(targets[k])
        lane = np.int64(lane_of[k])
        if flags[v] == 0:
            touched[n_touched] = v
            n_touched += 1
            flags[v] = 2
        if lane >= 0:
            tally[FOLLOW * COLUMNS + ATTENDED, lane] += 1
            shares = meet_in_lane(
                v, lane, FOLLOW, words, first_word, worlds, p, need, state, marks, layout, tally, node_counts
            )
        else:
            count_lanes(live, k * words, planes[ATTENDED], words)
            shares = False
            at, seen = v * per_node * words, 2 * v * words
            some_new, some_again = np.uint64(0), np.uint64(0)
            for w in range(words):
                waiting = live[k * words + w] & ~marks[at + w]
                rows[w] = waiting & ~state[seen + w]
                again[w] = waiting & state[seen + w]
                some_new |= rows[w]
                some_again |= again[w]
            if some_new != 0:  # first exposures: settled where the user does not sympathize
                count_lanes(rows, 0, planes[EXPOSED], words)
                for w in range(words):
                    state[seen + w] |= rows[w]
                    marks[at + w] |= rows[w]
                if pass_stage(rows, worlds, p, 0, v, words, first_word) != 0:
                    count_lanes(rows, 0, planes[S], words)
                    for w in range(words):
                        marks[at + w] ^= rows[w]
                        node_counts[v, 1] += np.int64(popcount(rows[w]))
            if some_again != 0:
                some = np.uint64(0)
                for w in range(words):
                    rows[w] = again[w] & enough(marks, at, bits, need - 2, w, words)
                    marks[at + w] |= rows[w]
                    some |= rows[w]
                    carry = again[w] ^ rows[w]
                    for b in range(1, bits + 1):
                        old = marks[at + b * words + w]
                        marks[at + b * words + w] = old ^ carry
                        carry &= old
                for s in range(1, 4):
                    if s > 1:
                        some = pass_stage(rows, worlds, p, s, v, words, first_word)
                    if some == 0:
                        break
                    split_by_channel(rows, marks, at + by_feed * words, by_feed, part, planes, EXPOSED + 1 + s, words)
                    for w in range(words):
                        node_counts[v, s + 1] += np.int64(popcount(rows[w]))
                    if s == 3:
                        shares = True
                        for w in range(words):
                            state[seen + words + w] |= rows[w]
        if shares and flags[v] & 1 == 0:
            flags[v] = 3
            queue[n_queue] = v
            n_queue += 1
    return n_queue, n_touched


@njit
def meet_shown(
    exposures, n, first_user, lanes, block, stages, sharers, need, tally, queue, n_queue, touched, n_touched
):
    """Show the users of n exposures of the feed, free of repeats, one more sharer each, and queue those who share."""
    state, flags, marks = lanes.state, lanes.flags, sharers.marks
    worlds, p, node_counts = stages.worlds, stages.p, stages.node_counts
    words, first_word = block.words, block.first_word
    per_node = sharers.per_node
    layout = per_node, sharers.bits, sharers.by_feed
    for i in range(n):
        if i + AHEAD < n:
            ahead = first_user + (np.int64(exposures[i + AHEAD]) >> 9)
            prefetch(marks, ahead * per_node * words)
            prefetch(state, ahead * 2 * words)
        exposure = np.int64(exposures[i])
        v = first_user + (exposure >> 9)
        if flags[v] == 0:
            touched[n_touched] = v
            n_touched += 1
            flags[v] = 2
        shares = meet_in_lane(
            v, exposure & 511, FEED, words, first_word, worlds, p, need, state, marks, layout, tally, node_counts
        )
        if shares and flags[v] & 1 == 0:
            flags[v] = 3
            queue[n_queue] = v
            n_queue += 1
    return n_queue, n_touched
