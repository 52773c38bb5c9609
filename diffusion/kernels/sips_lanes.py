"""SIPS for 512 runs at a time: latents drawn once, generations as time.

The follow channel is the kernel of the independent cascade with a funnel behind it: lanes that are new at a user go
through four coins of the user, and those that come out share (sips_stages.py; with complex identification, once enough
sharers were seen: sips_sharers.py). What the feed shows is drawn after the exposures of the step that came through
followers (sips_feed.py).
"""

import numpy as np

from .._numba import njit
from .coins import LANES, TAG_FEED, WORDS, trailing_zeros
from .lanes import (
    FEW,
    PLANES,
    WAITING,
    clear_node,
    copy_rows,
    count_lanes,
    new_scan,
    open_step,
    popcount,
    read_counters,
    scan_arcs,
    seed_lanes,
    weigh_lanes,
)
from .sips import COLUMNS, FOLLOW, PART, latent_stage, latent_worlds, poisson, poisson_table, stream_of
from .sips_feed import CELLS, NOTES, Notes, expose_block, fill_cells, new_collected, show_notes, sort_notes
from .sips_sharers import clear_marks, is_ready, meet_in_rows, ready_lanes, settle_seeds
from .sips_stages import Stages, apply_exposures, pass_stage

_1 = np.uint64(1)


@njit(forceinline=True)
def score_exposures(scan, begin, end, block, stages, sharers, score_planes, scores):
    """Count by lane the stages that the waiting live arcs begin ... end - 1 earn the note of their sharer.

    Returns whether some of them are in the counters.
    """
    counted = False
    targets, lane_of, live = scan.targets, scan.lanes, scan.rows
    worlds, p, rows = stages.worlds, stages.p, stages.rows
    words, first_word = block.words, block.first_word
    marks, per_node, ready = sharers.marks, sharers.per_node, sharers.ready
    for k in range(begin, end):
        v = np.int64(targets[k])
        lane = np.int64(lane_of[k])
        at = (v * per_node + ready) * words
        if lane >= 0:
            identified = 0
            if ready > 0:
                identified = 1 if is_ready(marks, at, lane) else -1
            stage = latent_stage(worlds, first_word + (lane >> 6), lane & 63, p, v, identified)
            for s in range(stage):
                scores[s, lane] += 1
            continue
        for w in range(words):
            rows[w] = live[k * words + w]
        for s in range(4):
            if s == 1 and ready > 0:
                some = np.uint64(0)
                for w in range(words):
                    rows[w] &= marks[at + w]
                    some |= rows[w]
            else:
                some = pass_stage(rows, worlds, p, s, v, words, first_word)
            if some == 0:
                break
            count_lanes(rows, 0, score_planes[s], words)
        counted = True
    return counted


@njit(forceinline=True)
def plan_notes(feed, block, x, row, depth, counted, score_planes, scores, planned, n_planned):
    """List to how many users the feed shows the note of x before it answers to them, for every active lane of its row.

    Scores are those counted by lane and, where `counted`, in `depth` planes; both are left zero -> the list, its filled
    entries.
    """
    impressions, amplification, weights = feed.impressions, feed.amplification, feed.weights
    words = block.words
    for w in range(words):
        bits = row[w]
        while bits != 0:
            shift = trailing_zeros(bits)
            lane = w * 64 + np.int64(shift)
            bits &= bits - _1
            score = 0.0
            for s in range(4):
                count = np.int64(scores[s, lane])
                scores[s, lane] = 0
                if counted:
                    for k in range(depth):
                        count += np.int64((score_planes[s, k * WORDS + w] >> shift) & _1) << k
                score += weights[s] * count
            base = stream_of(block.key, TAG_FEED, block.batch * LANES + block.first_word * 64 + lane, x)
            if n_planned == planned.size:
                more = np.empty(2 * n_planned, np.int32)
                for k in range(n_planned):
                    more[k] = planned[k]
                planned = more
            planned[n_planned], _ = poisson(base, np.int64(0), impressions + amplification * score)
            n_planned += 1
    if counted:
        for s in range(4):
            for k in range(depth * WORDS):
                score_planes[s, k] = 0
    return planned, n_planned


# funnel, feed as in sips_run; node_counts i8[n, 5] is added to
#   ->  tally i4[steps, 12, 64 * words] (2 channels of 6 columns), arc visits, notes that met the cap
@njit
def sips_lanes(arcs, funnel, feed, start, block, lanes, sharers, node_counts, weighing):
    """SIPS in all runs of a block."""
    impressions, amplification, words = feed.impressions, feed.amplification, block.words
    need, complex_ = np.int64(funnel.need[0]), sharers.per_node > 0
    has_feed, answers = impressions > 0.0 or amplification > 0.0, amplification > 0.0
    frontier, following, touched = lanes.queues[0], lanes.queues[1], lanes.queues[2]
    scan = new_scan(arcs, block)
    worlds = latent_worlds(block.key, False, block.batch)
    planes, rows = np.zeros((2 * COLUMNS, PLANES * WORDS), np.uint64), np.empty(2 * WORDS, np.uint64)
    stages = Stages(worlds, funnel.p, planes, rows, np.empty(FEW, np.int64), node_counts)
    table = poisson_table(impressions) if not answers and 0.0 < impressions <= PART else np.empty(0, np.float64)
    n_nodes = node_counts.shape[0]
    collected = new_collected(n_nodes, words, has_feed)
    held = NOTES if has_feed else 0
    notes = Notes(np.empty(held, np.int32), np.empty(held, np.int32), np.empty(64 * words + 1, np.int64))
    cells = np.empty((1, 0), np.uint8)
    planned = np.empty(1024 if answers else 0, np.int32)
    score_planes = np.zeros((4, PLANES * WORDS), np.uint64)
    scores = np.zeros((4, 64 * words), np.int32)
    tally = np.zeros((16, 2 * COLUMNS, 64 * words), np.int32)
    size = n_touched = seed_lanes(start, block, scan, lanes)
    if complex_:
        settle_seeds(frontier, size, lanes.state, sharers, words)
    for i in range(size):
        for w in range(words):
            lanes_of_seed = np.int64(popcount(lanes.state[np.int64(frontier[i]) * 2 * words + w]))
            for k in range(1, 5):
                node_counts[frontier[i], k] += lanes_of_seed
    now = 0
    visits, capped, n_notes, n_shown = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    while size > 0:
        now += 1
        if now == tally.shape[0]:
            more = np.zeros((2 * now, 2 * COLUMNS, 64 * words), np.int32)
            for step in range(now):
                copy_rows(tally[step], more[step])
            tally = more
        row = tally[now]
        open_step(frontier, size, lanes, words)
        n_following, n_planned = np.int64(0), np.int64(0)
        counted = False
        i, j, n = np.int64(0), np.int64(-1), np.int64(0)
        while i < size:
            begin, waiting = i, n
            end = i + 1 if answers else size  # scores belong to one sharer
            i, j, n, seen = scan_arcs(arcs, block, scan, lanes, frontier, i, end, j, n)
            visits += seen
            if answers:
                counted |= score_exposures(scan, waiting, n, block, stages, sharers, score_planes, scores)
            if n >= WAITING or i == size:
                if complex_:
                    n_following, n_touched = meet_in_rows(
                        scan, n, lanes, block, stages, sharers, need, row, following, n_following, touched, n_touched
                    )
                else:
                    n_following, n_touched = apply_exposures(
                        scan.targets,
                        scan.lanes,
                        scan.rows,
                        n,
                        FOLLOW,
                        lanes.state,
                        lanes.flags,
                        block,
                        stages,
                        row,
                        following,
                        n_following,
                        touched,
                        n_touched,
                    )
                n = np.int64(0)
            if answers and i > begin:
                x = np.int64(frontier[begin])
                depth, degree = 0, arcs.indptr[x + 1] - arcs.indptr[x]
                while degree >> depth > 0:
                    depth += 1
                planned, n_planned = plan_notes(
                    feed,
                    block,
                    x,
                    lanes.active[begin * words : i * words],
                    depth,
                    counted,
                    score_planes,
                    scores,
                    planned,
                    n_planned,
                )
                counted = False
        i, taken = np.int64(0), np.int64(0)
        while has_feed and i < size:
            if answers and cells.size == 0 and n_shown >= CELLS * n_nodes * words:
                cells = np.empty((64 * words, (n_nodes + 1) // 2), np.uint8)
                fill_cells(cells, worlds, funnel.p, n_nodes, words, block.first_word)
            i, more_notes = sort_notes(frontier, lanes.active, i, size, words, planned, taken, notes)
            n_following, n_touched, met_cap, more_shown = show_notes(
                feed,
                notes,
                n_notes,
                table,
                cells,
                arcs,
                scan.world,
                collected,
                lanes,
                block,
                stages,
                sharers,
                need,
                row,
                following,
                n_following,
                touched,
                n_touched,
            )
            taken += more_notes
            n_notes += more_notes
            n_shown += more_shown
            capped += met_cap
        for b in range(collected.filled.size):
            n_following, n_touched = expose_block(
                collected, b, lanes, block, stages, sharers, need, row, following, n_following, touched, n_touched
            )
        if sharers.ready > 0:
            ready_lanes(touched, n_touched, need, lanes.state, sharers, words)
        for c in range(2 * COLUMNS):
            read_counters(planes[c], row[c], words)
        frontier, following = following, frontier
        size = n_following
    weigh_lanes(touched[:n_touched], lanes.state, words, weighing)
    if complex_:
        clear_marks(touched, n_touched, sharers, words)
    for i in range(n_touched):
        v = np.int64(touched[i])
        node_counts[v, 0] += clear_node(v, lanes, words)
    return tally[: now + 1].copy(), visits, capped
