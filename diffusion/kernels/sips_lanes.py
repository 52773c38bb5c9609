"""SIPS for 512 runs at a time: latents drawn once, generations as time.

The follow channel is the kernel of the independent cascade with a funnel behind it: lanes that are new at a user go
through four coins of the user, and those that come out share (with complex identification, once enough sharers were
seen: sips_sharers.py). What the feed shows differs from run to run, so its
exposures are listed one by one and recorded after those of the step that came through followers.
"""

import numpy as np

from .._numba import njit
from .coins import LANES, TAG_FEED, WORDS, coin_base, coin_below, prefetch, threshold_of, trailing_zeros
from .lanes import (
    FEW,
    PLANES,
    WAITING,
    clear_node,
    copy_rows,
    count_lanes,
    list_few,
    new_scan,
    open_step,
    popcount,
    read_counters,
    scan_arcs,
    seed_lanes,
    weigh_lanes,
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
from .sips_sharers import AHEAD, clear_marks, meet_in_rows, meet_shown, ready_lanes, settle_seeds
from .sips_stages import Stages, fresh_lanes, pass_lane, pass_stage

_1 = np.uint64(1)


@njit
def apply_exposures(scan, n, lanes, block, stages, tally, queue, n_queue, touched, n_touched):
    """Expose the targets of the n waiting live arcs, send new lanes through the funnel, and queue those who share."""
    state, flags = lanes.state, lanes.flags
    targets, lane_of, live = scan.targets, scan.lanes, scan.rows
    worlds, p, planes, rows, few, _, node_counts = stages
    words, first_word = block.words, block.first_word
    for k in range(n):
        v = np.int64(targets[k])
        lane = np.int64(lane_of[k])
        n_few = np.int64(1)
        if lane < 0:
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
                if pass_lane(v, few[f], words, first_word, worlds, p, state, tally, FOLLOW, node_counts):
                    shares = True
        else:
            count_lanes(live, k * words, planes[EXPOSED], words)
            for w in range(words):
                rows[w] = live[k * words + w]
            for s in range(4):
                if pass_stage(rows, worlds, p, s, v, words, first_word) == 0:
                    break
                for w in range(words):
                    node_counts[v, s + 1] += np.int64(popcount(rows[w]))
                count_lanes(rows, 0, planes[EXPOSED + 1 + s], words)
                if s == 3:
                    for w in range(words):
                        state[(2 * v + 1) * words + w] |= rows[w]
                    shares = True
        if shares and flags[v] & 1 == 0:
            flags[v] = 3
            queue[n_queue] = v
            n_queue += 1
    return n_queue, n_touched


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
            stage = latent_stage(worlds, first_word + (lane >> 6), lane & 63, p, v, identified(marks, at, ready, lane))
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


@njit(inline="always")
def identified(marks, at, ready, lane):
    """What `latent_stage` takes: is one more sharer enough for the user of the row at `at`?"""
    if ready < 0:
        return 0
    return 1 if (marks[at + (lane >> 6)] >> np.uint64(lane & 63)) & _1 else -1


@njit
def live_arc(arcs, world, u, v, word, lane):
    """Does a live arc lead from u to v in one lane?"""
    low, high = arcs.indptr[u], arcs.indptr[u + 1]
    end = high
    while low < high:
        middle = (low + high) >> 1
        if arcs.indices[middle] < v:
            low = middle + 1
        else:
            high = middle
    if low == end or arcs.indices[low] != v:
        return False
    return coin_below(coin_base(world, low), word, lane, threshold_of(arcs.p[low if arcs.p.size > 1 else 0]))


@njit(forceinline=True)
def show_notes(
    feed, arcs, block, stages, sharers, world, table, scores, active, frontier, begin, end, shown, n_shown, n_notes, row
):
    """List the users to whom the feed shows the notes of frontier rows begin ... end - 1, with the lane of each.

    `scores` are those of the row, and left zero -> shown i4[2, more], its filled entries, notes that met the cap. Where
    sharers are counted, a user is listed once for each note, and not at all where the note came through a live arc.
    """
    impressions, amplification, own_community, weights, cap, group_of, group_ptr, group_members = feed
    worlds, p = stages.worlds, stages.p
    marks, per_node, ready, note_of = sharers.marks, sharers.per_node, sharers.ready, sharers.note_of
    words, first_word = block.words, block.first_word
    n = stages.node_counts.shape[0]
    by_stage = stages.shown
    capped = np.int64(0)
    for i in range(begin, end):
        x = np.int64(frontier[i])
        for w in range(words):
            bits = active[i * words + w]
            while bits != 0:
                lane = w * 64 + np.int64(trailing_zeros(bits))
                bits &= bits - _1
                n_notes += 1
                score = 0.0
                if amplification > 0.0:
                    for s in range(4):
                        score += weights[s] * scores[s, lane]
                        scores[s, lane] = 0
                base = stream_of(block.key, TAG_FEED, block.batch * LANES + first_word * 64 + lane, x)
                count = np.int64(0)
                if table.size > 0:  # the same mean for every note
                    u = uniform(base, 0)
                    k = np.int64(1)
                    planned = np.int64(0)
                    while planned < table.size - 1 and u >= table[planned]:
                        planned += 1
                else:
                    planned, k = poisson(base, np.int64(0), impressions + amplification * score)
                while planned > 0:
                    for _ in range(planned):
                        if count == cap and cap > 0:
                            break
                        count += 1
                        v, k = shown_user(base, k, n, own_community, group_of, group_ptr, group_members, x)
                        if amplification > 0.0:
                            known = identified(marks, (v * per_node + ready) * words, ready, lane)
                            for s in range(latent_stage(worlds, first_word + w, lane & 63, p, v, known)):
                                by_stage[s] += 1
                        if per_node > 0:
                            row[FEED * COLUMNS + ATTENDED, lane] += 1
                            if note_of[v] == n_notes or live_arc(arcs, world, x, v, first_word + w, lane & 63):
                                continue
                            note_of[v] = n_notes
                        if n_shown == shown.shape[1]:
                            more = np.empty((2, 2 * n_shown), np.int32)
                            copy_rows(shown, more)
                            shown = more
                        shown[0, n_shown] = v
                        shown[1, n_shown] = lane
                        n_shown += 1
                    if count == cap and cap > 0:
                        capped += 1
                        engagement(by_stage, weights)
                        break
                    planned = np.int64(0)
                    if amplification > 0.0:
                        planned, k = poisson(base, k, amplification * engagement(by_stage, weights))
    return shown, n_shown, n_notes, capped


@njit
def apply_shown(shown, n_shown, lanes, block, stages, tally, queue, n_queue, touched, n_touched):
    """Expose the users of the feed, send them through the funnel where new, and queue those who share."""
    state, flags = lanes.state, lanes.flags
    worlds, p, node_counts = stages.worlds, stages.p, stages.node_counts
    words, first_word = block.words, block.first_word
    for i in range(min(AHEAD, n_shown)):
        prefetch(state, np.int64(shown[0, i]) * 2 * words)
    for i in range(n_shown):
        if i + AHEAD < n_shown:
            prefetch(state, np.int64(shown[0, i + AHEAD]) * 2 * words)
        v, lane = np.int64(shown[0, i]), np.int64(shown[1, i])
        tally[FEED * COLUMNS + ATTENDED, lane] += 1
        bit, seen = _1 << np.uint64(lane & 63), v * 2 * words + (lane >> 6)
        if state[seen] & bit:
            continue
        state[seen] |= bit
        if flags[v] == 0:
            touched[n_touched] = v
            n_touched += 1
            flags[v] = 2
        shares = pass_lane(v, lane, words, first_word, worlds, p, state, tally, FEED, node_counts)
        if shares and flags[v] & 1 == 0:
            flags[v] = 3
            queue[n_queue] = v
            n_queue += 1
    return n_queue, n_touched


# funnel, feed as in sips_run; node_counts i8[n, 5] is added to
#   ->  tally i4[steps, 12, 64 * words] (2 channels of 6 columns), arc visits, notes that met the cap
@njit
def sips_lanes(arcs, funnel, feed, start, block, lanes, sharers, node_counts, weighing):
    """SIPS in all runs of a block."""
    impressions, amplification, words = feed.impressions, feed.amplification, block.words
    need, complex_ = np.int64(funnel.need[0]), sharers.per_node > 0
    frontier, following, touched = lanes.queues[0], lanes.queues[1], lanes.queues[2]
    scan = new_scan(arcs, block)
    worlds = latent_worlds(block.key, False, block.batch)
    planes, rows = np.zeros((2 * COLUMNS, PLANES * WORDS), np.uint64), np.empty(2 * WORDS, np.uint64)
    stages = Stages(worlds, funnel.p, planes, rows, np.empty(FEW, np.int64), np.zeros(4, np.int64), node_counts)
    one_mean = amplification == 0.0 and 0.0 < impressions <= PART
    table = poisson_table(impressions) if one_mean else np.empty(0, np.float64)
    score_planes = np.zeros((4, PLANES * WORDS), np.uint64)
    scores = np.zeros((4, 64 * words), np.int32)
    shown = np.empty((2, 1024), np.int32)
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
    visits, capped, n_notes = np.int64(0), np.int64(0), np.int64(0)
    while size > 0:
        now += 1
        if now == tally.shape[0]:
            more = np.zeros((2 * now, 2 * COLUMNS, 64 * words), np.int32)
            for step in range(now):
                copy_rows(tally[step], more[step])
            tally = more
        row = tally[now]
        open_step(frontier, size, lanes, words)
        n_following, n_shown = np.int64(0), np.int64(0)
        counted = False
        i, j, n = np.int64(0), np.int64(-1), np.int64(0)
        while i < size:
            begin, waiting = i, n
            end = i + 1 if amplification > 0.0 else size  # scores belong to one sharer
            i, j, n, seen = scan_arcs(arcs, block, scan, lanes, frontier, i, end, j, n)
            visits += seen
            if amplification > 0.0:
                counted |= score_exposures(scan, waiting, n, block, stages, sharers, score_planes, scores)
            if n >= WAITING or i == size:
                if complex_:
                    n_following, n_touched = meet_in_rows(
                        scan, n, lanes, block, stages, sharers, need, row, following, n_following, touched, n_touched
                    )
                else:
                    n_following, n_touched = apply_exposures(
                        scan, n, lanes, block, stages, row, following, n_following, touched, n_touched
                    )
                n = np.int64(0)
            if i == begin or (impressions == 0.0 and amplification == 0.0):
                continue
            if counted:
                for s in range(4):
                    read_counters(score_planes[s], scores[s], words)
                counted = False
            shown, n_shown, n_notes, met_cap = show_notes(
                feed,
                arcs,
                block,
                stages,
                sharers,
                scan.world,
                table,
                scores,
                lanes.active,
                frontier,
                begin,
                i,
                shown,
                n_shown,
                n_notes,
                row,
            )
            capped += met_cap
        if complex_:
            n_following, n_touched = meet_shown(
                shown, n_shown, lanes, block, stages, sharers, need, row, following, n_following, touched, n_touched
            )
            if sharers.ready > 0:
                ready_lanes(touched, n_touched, need, lanes.state, sharers, words)
        else:
            n_following, n_touched = apply_shown(
                shown, n_shown, lanes, block, stages, row, following, n_following, touched, n_touched
            )
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
