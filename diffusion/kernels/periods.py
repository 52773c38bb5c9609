"""Probabilities to transmit that all arcs out of a node share in a run: drawn as thresholds, for 512 runs at a time.

An arc transmits where its transmission time is at most the infectious period R of its source, so with the probability F(R),
F the distribution of transmission times. That probability is drawn as a threshold of 32 bits: first its top BIN_BITS bits,
by an alias table of their exact distribution (Walker 1977), and the rest within the bin by inversion, which is computed only
for the few lanes that a coin leaves undecided. An arc is live where its coin is below the threshold of its source, as in the
independent cascade, but with one threshold a lane.
"""

from typing import NamedTuple

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.extending import intrinsic

from .._numba import njit
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
    coin_below,
    mix,
    popcount,
    trailing_zeros,
)
from .lanes import FEW
from .waiting import Wait, below, open_unit, time_of

BIN_BITS = 12
BINS = 1 << BIN_BITS
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
def times_at(wait, u):
    """Times of a distribution of one number at the uniform numbers u."""
    out = np.empty(u.size)
    for i in range(u.size):
        out[i] = time_of(wait.kind, wait.scale[0], wait.shape, u[i])
    return out
