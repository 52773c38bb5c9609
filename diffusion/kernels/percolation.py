"""Final sizes of epidemics as percolation: arcs out of one node share its infectious period; 512 runs at a time.

Arc u -> v transmits where its transmission time is at most the infectious period R of u, so with the probability F(R) that
all arcs out of u share in a run, F the distribution of transmission times. Only that probability matters. It is drawn as a
threshold of 32 bits: first its top BIN_BITS bits, by an alias table of their exact distribution (Walker 1977), and the rest
within the bin by inversion, which is computed only for the few lanes that a coin leaves undecided. Then an arc is live where
its coin is below the threshold of its source in this run, as in the independent cascade, but with one threshold a lane.

Distributions that cannot be inverted have no table: then R and the transmission times are drawn themselves, a run at a time.
"""

from typing import NamedTuple

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.extending import intrinsic

from .._numba import njit
from .cascade import parent_rank, weigh
from .coins import (
    ALWAYS,
    BITS,
    BITS_A_ROUND,
    I32,
    I64,
    LANES,
    ROW,
    WORDS,
    _any,
    _const,
    _load,
    _row,
    _store,
    _words,
    coin_base,
    coin_below,
    mix,
    popcount,
    prefetch,
    trailing_zeros,
    world_of,
)
from .lanes import (
    FEW,
    PLANES,
    WAITING,
    apply_activations,
    clear_node,
    copy_rows,
    count_lanes,
    list_few,
    new_scan,
    read_counters,
    seed_lanes,
    weigh_lanes,
)
from .waiting import Wait, below, open_unit, time_of, wait_at

BIN_BITS = 12
BINS = 1 << BIN_BITS
TAG_PERIOD = 0x5E1
TAG_TRANSMIT = 0x5E2
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
LOW_WORD = np.uint64(0xFFFFFFFF)
_1, _8, _16, _20, _52 = np.uint64(1), np.uint64(8), np.uint64(16), np.uint64(20), np.uint64(52)
BIN_MASK = np.uint64(0xFFFF)
LEAST_FULL = 48  # active lanes of a word from which the bins of all its lanes are drawn


class Periods(NamedTuple):
    """Transmission times and infectious periods, and the distribution of the probability to transmit.

    `alias` has one entry where there is no table. Otherwise entry i keeps bin i where a number of 32 bits is below its
    bits 16 and up (33 of them), and else gives the bin of its lowest 16 bits. `edges` are the values of the distribution
    function of R at the edges of the bins.
    """

    transmission: Wait
    recovery: Wait
    alias: np.ndarray  # u8[BINS] or u8[1]
    edges: np.ndarray  # f8[BINS + 1] or f8[1]
    most: float  # longest period that counts


class Bins(NamedTuple):
    """Workspace: bins of the 512 lanes of one node, in bytes, and their bits lane by lane."""

    high: np.ndarray  # u1[512]
    low: np.ndarray  # u1[512]
    planes: np.ndarray  # u8[BIN_BITS * WORDS]
    left: np.ndarray  # u8[WORDS]: lanes that the bits of the bin leave undecided
    few: np.ndarray  # i8[FEW]
    thresholds: np.ndarray  # u8[FEW]


@intrinsic
def byte_bits(typing, values, at, bit):
    """Word whose bit k is bit `bit` of values[at + k], k = 0 ... 63."""
    signature = types.uint64(values, types.int64, types.int64)

    def codegen(context, b, s, args):
        kind = ir.VectorType(ir.IntType(8), 64)
        data = context.make_array(s.args[0])(context, b, args[0]).data
        vector = b.load(b.bitcast(b.gep(data, [args[1]]), kind.as_pointer()))
        vector.align = 1
        mask = b.shl(ir.Constant(ir.IntType(8), 1), b.trunc(args[2], ir.IntType(8)))
        one = b.insert_element(ir.Constant(kind, ir.Undefined), mask, ir.Constant(I32, 0))
        splat = b.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(I32, 64), [0] * 64))
        hit = b.icmp_unsigned("!=", b.and_(vector, splat), ir.Constant(kind, [0] * 64))
        return b.bitcast(hit, I64)

    return signature, codegen


@intrinsic
def row_below_planes(typing, lanes, at, out, to, planes, base, left):
    """out[to:to+8] = lanes of lanes[at:at+8] whose coin is below the bits in `planes`, left[:8] = those that equal them.

    Plane b, the row at 8 * b, holds bit BITS - 1 - b of the thresholds. Returns which words have lanes below in bits 0-7,
    and which have lanes left in bits 8-15.
    """
    signature = types.uint64(lanes, types.int64, out, types.int64, planes, types.uint64, left)

    def codegen(context, b, s, args):
        undecided0 = _load(b, _row(context, b, s.args[0], args[0], args[1]))
        entry, loop, done = b.block, b.append_basic_block("bits"), b.append_basic_block("done")
        b.branch(loop)
        b.position_at_end(loop)
        undecided, hit, counter, at_plane = b.phi(ROW), b.phi(ROW), b.phi(I64), b.phi(I64)
        hit2, undecided2, counter2, plane = hit, undecided, counter, at_plane
        for _ in range(BITS_A_ROUND):
            x = _words(b, counter2)
            want = _load(b, _row(context, b, s.args[4], args[4], plane))
            hit2 = b.or_(hit2, b.and_(b.and_(undecided2, b.not_(x)), want))
            undecided2 = b.and_(undecided2, b.not_(b.xor(x, want)))
            counter2 = b.add(counter2, ir.Constant(I64, (0x9E3779B97F4A7C15 * WORDS) & (2**64 - 1)))
            plane = b.add(plane, ir.Constant(I64, WORDS))
        some = _any(b, undecided2)
        stop = b.or_(
            b.icmp_unsigned("==", some, ir.Constant(I64, 0)),
            b.icmp_signed(">=", plane, ir.Constant(I64, BIN_BITS * WORDS)),
        )
        for phi, first, following in (
            (undecided, undecided0, undecided2),
            (hit, _const(0), hit2),
            (counter, args[5], counter2),
            (at_plane, ir.Constant(I64, 0), plane),
        ):
            phi.add_incoming(first, entry)
            phi.add_incoming(following, loop)
        b.cbranch(stop, done, loop)
        b.position_at_end(done)
        _store(b, hit2, _row(context, b, s.args[2], args[2], args[3]))
        _store(b, undecided2, _row(context, b, s.args[6], args[6], ir.Constant(I64, 0)))
        return b.or_(_any(b, hit2), b.shl(some, ir.Constant(I64, 8)))

    return signature, codegen


@njit(inline="always")
def bits_of_period(base, lane):
    """64 random bits of the infectious period of a node (by its base) in one lane of the batch."""
    return mix(base + np.uint64(lane + 1) * GOLDEN)


@njit(inline="always")
def bin_of(alias, bits):
    """Bin of the probability to transmit: its top BIN_BITS bits."""
    i = bits >> _52
    entry = alias[i]
    return i if (bits >> _20) & LOW_WORD < entry >> _16 else entry & BIN_MASK


@njit
def threshold_in_bin(periods, k, bits):
    """Threshold, in 0 ... 2**32, of a node whose probability to transmit lies in bin k: by inversion within the bin."""
    wait, period = periods.transmission, periods.recovery
    low, high = periods.edges[k], periods.edges[k + 1]
    u = low + open_unit(mix(bits + GOLDEN)) * (high - low)
    u = min(u, 1.0 - 0.5**53)
    length = min(time_of(period.kind, period.scale[0], period.shape, u), periods.most)
    p = min(below(wait, 0, length), 1.0)
    threshold = np.int64(p * 4294967296.0 + 0.5)
    least = np.int64(k) << (BITS - BIN_BITS)
    most = least + (1 << (BITS - BIN_BITS)) - 1
    if k == BINS - 1 and threshold >= most:  # certain
        return ALWAYS if p >= 1.0 else np.uint64(most)
    return np.uint64(min(max(threshold, least), most))


@njit
def threshold_of_lane(periods, base, lane):
    """Threshold of a node in one lane of the batch."""
    bits = bits_of_period(base, lane)
    return threshold_in_bin(periods, np.int64(bin_of(periods.alias, bits)), bits)


@njit
def draw_bins(alias, base, active, at, words, first_word, bins):
    """Draw the bins of the active lanes of one node, and slice their bits into planes."""
    for w in range(words):
        lanes = active[at + w]
        if lanes == 0:
            continue
        first = first_word * 64 + w * 64
        if popcount(lanes) < LEAST_FULL:
            while lanes != 0:
                lane = np.int64(trailing_zeros(lanes))
                lanes &= lanes - _1
                k = bin_of(alias, bits_of_period(base, first + lane))
                bins.high[w * 64 + lane] = np.uint8(k >> _8)
                bins.low[w * 64 + lane] = np.uint8(k & np.uint64(255))
        else:
            for lane in range(64):
                k = bin_of(alias, bits_of_period(base, first + lane))
                bins.high[w * 64 + lane] = np.uint8(k >> _8)
                bins.low[w * 64 + lane] = np.uint8(k & np.uint64(255))
        for bit in range(BIN_BITS - 8):
            bins.planes[bit * WORDS + w] = byte_bits(bins.high, w * 64, BIN_BITS - 9 - bit)
        for bit in range(8):
            bins.planes[(BIN_BITS - 8 + bit) * WORDS + w] = byte_bits(bins.low, w * 64, 7 - bit)


@njit
def word_below_planes(base, word, lanes, planes, w):
    """As row_below_planes, for one word  ->  lanes below, lanes undecided."""
    undecided, hit = lanes, np.uint64(0)
    counter = base + np.uint64(word + 1) * GOLDEN
    for b in range(BIN_BITS):
        if undecided == 0:
            break
        x, want = mix(counter), planes[b * WORDS + w]
        hit |= undecided & ~x & want
        undecided &= ~(x ^ want)
        counter += GOLDEN * np.uint64(WORDS)
    return hit, undecided


@njit
def settle(periods, base_of_node, out, to, base, words, first_word, left):
    """Add to out[to:to+words] the lanes of `left` whose coin is below the whole threshold; nonzero if there are any."""
    some = np.uint64(0)
    for w in range(words):
        lanes = left[w]
        while lanes != 0:
            lane = np.int64(trailing_zeros(lanes))
            threshold = threshold_of_lane(periods, base_of_node, (first_word + w) * 64 + lane)
            if coin_below(base, first_word + w, lane, threshold):
                out[to + w] |= _1 << np.uint64(lane)
                some = _1
            lanes &= lanes - _1
    return some


@njit
def new_bins():
    return Bins(
        np.zeros(LANES, np.uint8),
        np.zeros(LANES, np.uint8),
        np.zeros(BIN_BITS * WORDS, np.uint64),
        np.zeros(WORDS, np.uint64),
        np.empty(FEW, np.int64),
        np.empty(FEW, np.uint64),
    )


@njit
def scan_nodes(arcs, periods, worlds, block, scan, lanes, bins, frontier, i, size, j, n):
    """Let the live arcs out of frontier rows i ... size - 1 wait, behind n others; see `lanes.scan_arcs`.

    -> row and arc to go on with (-1: the first of the row), activations that wait, arcs of the rows that were begun.
    """
    indptr, indices = arcs.indptr, arcs.indices
    active, words, first_word = lanes.active, block.words, block.first_word
    targets, lane_of, rows, state = scan.targets, scan.lanes, scan.rows, lanes.state
    world, of_periods = worlds
    planes, left, few, thresholds = bins.planes, bins.left, bins.few, bins.thresholds
    visits = np.int64(0)
    while i < size and n < WAITING:
        u = np.int64(frontier[i])
        stop = indptr[u + 1]
        base_of_node = coin_base(of_periods, u)
        n_few = list_few(active, i * words, words, few)
        if j < 0:
            j = indptr[u]
            visits += stop - j
            if j < stop:
                if n_few <= FEW:
                    for f in range(n_few):
                        thresholds[f] = threshold_of_lane(periods, base_of_node, first_word * 64 + few[f])
                else:
                    draw_bins(periods.alias, base_of_node, active, i * words, words, first_word, bins)
        while j < stop and n < WAITING:
            base = coin_base(world, j)
            v = np.int64(indices[j])
            if n_few <= FEW:
                for f in range(n_few):
                    if coin_below(base, first_word + (few[f] >> 6), few[f] & 63, thresholds[f]):
                        targets[n] = v
                        lane_of[n] = few[f]
                        prefetch(state, v * 2 * words)
                        n += 1
                j += 1
                continue
            to = n * words
            if words == WORDS:
                found = row_below_planes(active, i * words, rows, to, planes, base, left)
            else:
                found = np.uint64(0)
                for w in range(words):
                    rows[to + w], left[w] = word_below_planes(base, first_word + w, active[i * words + w], planes, w)
                    found |= np.uint64(rows[to + w] != 0) | (np.uint64(left[w] != 0) << _8)
            if found >> _8:
                found |= settle(periods, base_of_node, rows, to, base, words, first_word, left)
            if found & np.uint64(255):
                targets[n] = v
                lane_of[n] = -1
                prefetch(state, v * 2 * words)
                prefetch(state, v * 2 * words + words)
                n += 1
            j += 1
        if j == stop:
            i += 1
            j = np.int64(-1)
    return i, j, n, visits


@njit(inline="always")
def pending(u, lanes, words):
    """Lanes in which a node has become active and not yet been visited."""
    count = np.int64(0)
    for w in range(words):
        count += np.int64(popcount(lanes.state[(2 * u + 1) * words + w]))
    return count


@njit
def open_nodes(frontier, size, following, lanes, words, least):
    """Move the pending rows of nodes with at least so many pending lanes to `active`; the others wait in `following`.

    -> nodes opened (the first of `frontier`), nodes that wait, the most lanes that one of all these had pending.
    """
    state, active, flags = lanes.state, lanes.active, lanes.flags
    opened = kept = most = np.int64(0)
    for i in range(size):
        u = np.int64(frontier[i])
        count = pending(u, lanes, words)
        most = max(most, count)
        if count < least:
            following[kept] = u
            kept += 1
            continue
        flags[u] = 2
        for w in range(words):
            active[opened * words + w] = state[(2 * u + 1) * words + w]
            state[(2 * u + 1) * words + w] = 0
        frontier[opened] = u
        opened += 1
    return opened, kept, most


# node_counts i8[n] and weighing.sums are added to  ->  new infections i4[steps, 64 * words], arc visits
@njit
def percolation_batch(arcs, periods, start, block, lanes, node_counts, weighing, in_generations):
    """Percolation in all runs of a block.

    Steps are generations, or, where only sizes are asked for, 0 (seeds) and 1 (all others): then nodes wait until lanes
    have gathered, as no lane depends on the order in which nodes are visited.
    """
    words = block.words
    frontier, following, touched = lanes.queues[0], lanes.queues[1], lanes.queues[2]
    scan, bins = new_scan(arcs, block), new_bins()
    worlds = world_of(block.key, TAG_TRANSMIT, block.batch), world_of(block.key, TAG_PERIOD, block.batch)
    planes = np.zeros(PLANES * WORDS, np.uint64)
    counts = np.zeros((16 if in_generations else 2, words * 64), np.int32)
    size = n_touched = seed_lanes(start, block, scan, lanes)
    steps = 0
    visits = np.int64(0)
    least = np.int64(1)
    while size > 0:
        opened, n_following, most = open_nodes(frontier, size, following, lanes, words, least)
        if in_generations or steps == 0:
            for i in range(opened):
                count_lanes(lanes.active, i * words, planes, words)
            if steps == counts.shape[0]:
                more = np.zeros((2 * steps, words * 64), np.int32)
                copy_rows(counts, more)
                counts = more
            read_counters(planes, counts[steps], words)
            steps += 1
        i, j = np.int64(0), np.int64(-1)
        while i < opened:
            i, j, n, seen = scan_nodes(
                arcs, periods, worlds, block, scan, lanes, bins, frontier, i, opened, j, np.int64(0)
            )
            n_following, n_touched = apply_activations(
                scan, n, lanes, following, n_following, touched, n_touched, words
            )
            visits += seen
        if not in_generations:
            least = max(most // 2, 1)
        size = n_following
        frontier, following = following, frontier
    if not in_generations:
        for i in range(n_touched):
            count_lanes(lanes.state, np.int64(touched[i]) * 2 * words, planes, words)
        if steps > 0:
            read_counters(planes, counts[1], words)
            for lane in range(words * 64):
                counts[1, lane] -= counts[0, lane]
            steps = 2
    weigh_lanes(touched[:n_touched], lanes.state, words, weighing)
    for i in range(n_touched):
        v = np.int64(touched[i])
        node_counts[v] += clear_node(v, lanes, words)
    return counts[:steps], visits


class Lists(NamedTuple):
    """Workspace of one run at a time; kernels leave `position` -1."""

    nodes: np.ndarray  # i4[n], in order of generation
    step: np.ndarray  # i4[n]
    parent: np.ndarray  # i4[n]
    position: np.ndarray  # i4[n]
    rank: np.ndarray  # u8[n]


@njit(inline="always")
def stream(world, index):
    """64-bit key of the draws of one node or arc in one run."""
    return mix(world ^ mix(np.uint64(index)))


@njit
def one_run(arcs, periods, seeds, key, run, lists):
    """Percolation in one run, generation by generation  ->  size, arc visits; `lists` hold nodes, steps and parents."""
    indptr, indices = arcs.indptr, arcs.indices
    nodes, step, parent, position, rank = lists
    tabled = periods.alias.size > 1
    batch, word, lane = run // LANES, run % LANES // 64, run % 64
    world, of_periods = world_of(key, TAG_TRANSMIT, batch), world_of(key, TAG_PERIOD, batch)
    if not tabled:
        world, of_periods = world_of(key, TAG_TRANSMIT, run), world_of(key, TAG_PERIOD, run)
    size, visits = np.int64(0), np.int64(0)
    for s in seeds:
        position[s] = size
        nodes[size] = s
        step[size] = 0
        parent[size] = -1
        size += 1
    begin, now = np.int64(0), np.int32(0)
    while begin < size:
        end = size
        now += 1
        for i in range(begin, end):
            u = np.int64(nodes[i])
            threshold, period = np.uint64(0), 0.0
            if tabled:
                threshold = threshold_of_lane(periods, coin_base(of_periods, u), run % LANES)
            else:
                period = min(wait_at(periods.recovery, u, stream(of_periods, u)), periods.most)
            visits += indptr[u + 1] - indptr[u]
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                at = position[v]
                if at >= 0 and step[at] < now:
                    continue
                if tabled:
                    live = coin_below(coin_base(world, j), word, lane, threshold)
                else:
                    live = wait_at(periods.transmission, j, stream(world, j)) <= period
                if not live:
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
        begin = end
    for i in range(size):
        position[nodes[i]] = -1
    return size, visits


@njit
def percolation_run(arcs, periods, seeds, key, run, lists):
    """One run with parents  ->  nodes i4[size] in order of step, step i4[size], parent i4[size]."""
    size, _ = one_run(arcs, periods, seeds, key, run, lists)
    return lists.nodes[:size].copy(), lists.step[:size].copy(), lists.parent[:size].copy()


# seeds i4[], begin i8[last - first + 1] (of each run; of one entry: all in every run)  ->  new infections
# i4[last - first, steps], arc visits
@njit
def percolation_runs(arcs, periods, seeds, begin, key, first, last, lists, node_counts, weighing, in_generations):
    """Runs first ... last - 1 one by one; node_counts and the sums of weighing are added to."""
    weights, sums = weighing.weights, weighing.sums
    new = np.zeros((last - first, 16 if in_generations else 2), np.int32)
    visits, steps = np.int64(0), 0
    for run in range(first, last):
        row = run - first
        mine = seeds if begin.size == 1 else seeds[begin[row] : begin[row + 1]]
        size, seen = one_run(arcs, periods, mine, key, run, lists)
        visits += seen
        if weights.size > 0:
            sums[row] += weigh(lists.nodes[:size], weights)
        if size == 0:
            continue
        depth = lists.step[size - 1] + 1 if in_generations else 2
        if depth > new.shape[1]:
            more = np.zeros((last - first, max(2 * new.shape[1], depth)), np.int32)
            copy_rows(new, more)
            new = more
        steps = max(steps, depth)
        for i in range(size):
            new[row, lists.step[i] if in_generations else min(lists.step[i], 1)] += 1
            node_counts[lists.nodes[i]] += 1
    return new[:, :steps].copy(), visits


@njit
def times_at(wait, u):
    """Times of a distribution of one number at the uniform numbers u."""
    out = np.empty(u.size)
    for i in range(u.size):
        out[i] = time_of(wait.kind, wait.scale[0], wait.shape, u[i])
    return out
