"""What the feed shows, in all runs of a block.

It differs from run to run, so its exposures come one by one. They are drawn run by run, and collected by blocks of
users whose rows fit into the cache; a full block is handed on as rows of lanes, each with its user, so that the funnel
behind serves many runs at once.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import LANES, TAG_FEED, WORDS, coin_base, coin_below, mix, popcount, threshold_of, trailing_zeros, world_of
from .sips import (
    ATTENDED,
    COLUMNS,
    FEED,
    UNIT,
    answer,
    draw_shown,
    latent_stage,
    poisson,
    shown_user,
    uniform,
)
from .sips_sharers import is_ready, meet_shown
from .sips_stages import apply_exposures, pass_stage

BLOCK_BITS = 12
USERS = 1 << BLOCK_BITS  # of one block: rows of 256 KB
EXPOSURES = 16 * USERS  # that a block collects
NOTES = 1 << 21  # notes at once, sorted by run
FIRST = 4  # entries of tables of Poisson sums that are compared without a branch
CELLS = 1  # exposures for each user and word after which a table of stages pays
_1, _11, _LANE = np.uint64(1), np.uint64(11), np.uint64(9)


class Notes(NamedTuple):
    """Notes sorted by lane, those of one lane in the order of the frontier."""

    sharers: np.ndarray  # i4[]
    planned: np.ndarray  # i4[]: users that the feed shows it to, before it answers to them
    starts: np.ndarray  # i8[64 * words + 1]


class Collected(NamedTuple):
    """Exposures by blocks of users, and one block of them as rows of lanes."""

    exposures: np.ndarray  # u4[blocks, EXPOSURES + 1]: user in the block, then 9 bits of lane
    filled: np.ndarray  # i8[blocks]
    place: np.ndarray  # i4[USERS]: row of a user plus 1; zero between blocks
    targets: np.ndarray  # i4[USERS]
    lanes: np.ndarray  # i4[USERS]: -1, as for rows of a scan
    rows: np.ndarray  # u8[USERS * words]


@njit
def new_collected(n, words, has_feed):
    blocks = (n + USERS - 1) >> BLOCK_BITS if has_feed else 0
    users = USERS if has_feed else 0
    return Collected(
        np.empty((blocks, EXPOSURES + 1), np.uint32),
        np.zeros(blocks, np.int64),
        np.zeros(users, np.int32),
        np.empty(users, np.int32),
        np.full(users, -1, np.int32),
        np.empty(users * words, np.uint64),
    )


@njit
def rows_of_block(collected, block, words):
    """Write the exposures of one block as rows, repeats merged -> number of rows."""
    exposures, filled, place, targets, _, rows = collected
    size = 0
    for i in range(filled[block]):
        exposure = np.int64(exposures[block, i])
        user, lane = exposure >> 9, exposure & 511
        at = np.int64(place[user]) - 1
        if at < 0:
            at = size
            size += 1
            place[user] = size
            targets[at] = (block << BLOCK_BITS) + user
            for w in range(words):
                rows[at * words + w] = 0
        rows[at * words + (lane >> 6)] |= _1 << np.uint64(lane & 63)
    for at in range(size):
        place[targets[at] & (USERS - 1)] = 0
    filled[block] = 0
    return size


@njit
def fill_cells(cells, worlds, p, n, words, first_word):
    """Stage of every user in every run, 4 bits each: cells[lane, v // 2]; the highest bit says that the feed has shown it."""
    together = 128
    stages = np.empty((3, together * words), np.uint64)  # bits of the stage
    rows = np.empty(2 * WORDS, np.uint64)
    for begin in range(0, n, together):
        end = min(begin + together, n)
        stages[:] = 0
        for v in range(begin, end):
            at = (v - begin) * words
            for w in range(words):
                rows[w] = ~np.uint64(0)
            for s in range(4):
                if pass_stage(rows, worlds, p, s, v, words, first_word) == 0:
                    break
                for w in range(words):  # stages 1 to 4 as numbers: one more where the row is set
                    carry = rows[w] & stages[0, at + w]
                    stages[0, at + w] ^= rows[w]
                    stages[2, at + w] |= carry & stages[1, at + w]
                    stages[1, at + w] ^= carry
        for w in range(words):
            for bit in range(64):
                shift = np.uint64(bit)
                out = cells[w * 64 + bit]
                for pair in range((end - begin + 1) // 2):
                    at = 2 * pair * words + w
                    one = ((stages[0, at] >> shift) & _1) | (((stages[1, at] >> shift) & _1) << _1)
                    one |= ((stages[2, at] >> shift) & _1) << np.uint64(2)
                    at += words
                    two = ((stages[0, at] >> shift) & _1) | (((stages[1, at] >> shift) & _1) << _1)
                    two |= ((stages[2, at] >> shift) & _1) << np.uint64(2)
                    out[begin // 2 + pair] = np.uint8(one | (two << np.uint64(4)))


@njit
def sort_notes(frontier, active, begin, size, words, planned, taken, notes):
    """Sort notes of the frontier from row `begin` on by lane; `planned` has theirs in order from `taken` on, or is empty.

    -> row to go on with, notes
    """
    sharers, planned_of, starts = notes
    starts[:] = 0
    total, end = np.int64(0), begin
    while end < size and total + 64 * words <= NOTES:
        for w in range(words):
            bits = active[end * words + w]
            total += np.int64(popcount(bits))
            while bits != 0:
                starts[w * 64 + np.int64(trailing_zeros(bits)) + 1] += 1
                bits &= bits - _1
        end += 1
    for lane in range(64 * words):
        starts[lane + 1] += starts[lane]
    for i in range(begin, end):
        for w in range(words):
            bits = active[i * words + w]
            while bits != 0:
                lane = w * 64 + np.int64(trailing_zeros(bits))
                bits &= bits - _1
                at = starts[lane]
                starts[lane] += 1
                sharers[at] = frontier[i]
                if planned.size > 0:
                    planned_of[at] = planned[taken]
                    taken += 1
    for lane in range(64 * words, 0, -1):  # back from the ends to the beginnings
        starts[lane] = starts[lane - 1]
    starts[0] = 0
    return end, total


@njit
def live_arc(arcs, world, u, v, word, lane):
    """Does a live arc lead from u to v in one lane?"""
    indices = arcs.indices
    low, high = arcs.indptr[u], arcs.indptr[u + 1]
    end = high
    while low < high:
        middle = (low + high) >> 1
        if indices[middle] < v:
            low = middle + 1
        else:
            high = middle
    if low == end or indices[low] != v:
        return False
    return coin_below(coin_base(world, low), word, lane, threshold_of(arcs.p[low if arcs.p.size > 1 else 0]))


@njit
def expose_block(collected, at, lanes, block, stages, sharers, need, tally, queue, n_queue, touched, n_touched):
    """Expose the users of one block of those collected."""
    if sharers.per_node > 0:
        n = collected.filled[at]
        collected.filled[at] = 0
        exposures = collected.exposures[at]
        return meet_shown(
            exposures,
            n,
            at << BLOCK_BITS,
            lanes,
            block,
            stages,
            sharers,
            need,
            tally,
            queue,
            n_queue,
            touched,
            n_touched,
        )
    n = rows_of_block(collected, at, block.words)
    targets, lane_of, rows = collected.targets, collected.lanes, collected.rows
    return apply_exposures(
        targets,
        lane_of,
        rows,
        n,
        FEED,
        lanes.state,
        lanes.flags,
        block,
        stages,
        tally,
        queue,
        n_queue,
        touched,
        n_touched,
    )


@njit
def poisson_below(table, u):
    """Poisson number by inversion of u; `table` goes on to 2 behind its sums."""
    count = np.int64(0)
    for k in range(2 * FIRST):
        count += np.int64(u >= table[k])
    if count == 2 * FIRST:
        while u >= table[count]:
            count += 1
    return count


@njit
def show_notes(
    feed,
    notes,
    n_notes,
    table,
    cells,
    arcs,
    world,
    collected,
    lanes,
    block,
    stages,
    sharers,
    need,
    tally,
    queue,
    n_queue,
    touched,
    n_touched,
):
    """Let the feed show the notes -> users queued, users touched, notes that met the cap, exposures.

    `table`: sums of probabilities of the number of users where it does not depend on the note. `cells`: those of
    `fill_cells`, or none. Where sharers are counted, a user counts once for each note, and not at all where the note came
    through a live arc. The numbers of notes begin behind n_notes.
    """
    impressions, amplification, own_community, weights, cap, answers, group_of, group_ptr, group_members = feed
    worlds, p = stages.worlds, stages.p
    marks, per_node, ready, note_of = sharers.marks, sharers.per_node, sharers.ready, sharers.note_of
    exposures, filled = collected.exposures, collected.filled
    words, first_word = block.words, block.first_word
    sharer_of, planned_of, starts = notes
    n = stages.node_counts.shape[0]
    dense = cells.size > 0
    capped, total = np.int64(0), np.int64(0)
    first = np.empty(5 * FIRST, np.float64)
    for stage in range(5):
        for k in range(FIRST):  # -1: ask `answer`
            first[stage * FIRST + k] = answers[stage, 0 if answers[stage, 0] < 0.0 else k]
    for lane in range(64 * words):
        word, bit = first_word + (lane >> 6), lane & 63
        feed_world = world_of(block.key, TAG_FEED, block.batch * LANES + first_word * 64 + lane)
        stage_of = cells[lane if dense else 0]
        count = np.int64(0)
        for at in range(starts[lane], starts[lane + 1]):
            x = np.int64(sharer_of[at])
            base = mix(feed_world ^ mix(np.uint64(x)))
            if amplification > 0.0:
                planned = np.int64(planned_of[at])
            elif table.size > 0:
                planned = poisson_below(table, uniform(base, 0))
            else:
                planned, _ = poisson(base, np.int64(0), impressions)
            shown = np.int64(0)
            while shown < planned:
                draw = draw_shown(base, shown)
                v, left = shown_user(
                    np.float64(draw >> _11) * UNIT, n, own_community, group_of, group_ptr, group_members, x
                )
                shown += 1
                is_new = np.int64(1)
                if amplification > 0.0:
                    if dense:
                        cell, shift = np.int64(stage_of[v >> 1]), 4 * (v & 1)
                        stage_of[v >> 1] = np.uint8(cell | (8 << shift))
                        stage = (cell >> shift) & 7
                        is_new = 1 - ((cell >> (shift + 3)) & 1)
                    else:
                        stage = latent_stage(worlds, word, bit, p, v, 0)
                    if per_node > 0 and stage > 1 and not is_ready(marks, (v * per_node + ready) * words, lane):
                        stage = 1
                    more = np.int64(0)
                    for k in range(FIRST):
                        more += np.int64(left >= first[stage * FIRST + k])
                    if more == FIRST:
                        more = answer(answers, amplification, weights, stage, left, draw)
                    planned += more
                if per_node > 0:
                    is_new = np.int64(0)
                    if note_of[v] != n_notes + 1 + at and not live_arc(arcs, world, x, v, word, bit):
                        note_of[v] = n_notes + 1 + at
                        is_new = np.int64(1)
                b = v >> BLOCK_BITS
                if filled[b] == EXPOSURES:
                    n_queue, n_touched = expose_block(
                        collected, b, lanes, block, stages, sharers, need, tally, queue, n_queue, touched, n_touched
                    )
                exposures[b, filled[b]] = np.uint32(((v & (USERS - 1)) << 9) | lane)  # written over if not new
                filled[b] += is_new
                if shown == cap:  # 0: never
                    capped += 1
                    break
            count += shown
        tally[FEED * COLUMNS + ATTENDED, lane] += count
        total += count
    return n_queue, n_touched, capped, total
