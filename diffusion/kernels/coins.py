"""Stateless coins: the uniform number of (arc, run) is a function of the key, read bit by bit.

A *world* is a function, not a stream. Run ``r`` is lane ``r % 64`` of word ``(r // 64) % 8`` of batch ``r // 512``. Bit
``b`` (from the top) of the uniform number of index ``i`` (an arc, or a target node) in that run is bit ``lane`` of

    mix(mix(world ^ i * MIX_A) + (word + 1 + 8 * b) * GOLDEN),    world = mix(mix(key ^ tag) + batch * GOLDEN)

with `mix` the splitmix64 finaliser (Steele, Lea and Flood 2014). It never depends on the order in which arcs are met,
so a scalar kernel, a 512-lane kernel, any thread count and a replay of one run give the same activations bit for bit.

``u < p`` is decided from the top bit down: half of the undecided lanes drop out at every bit. A threshold is
``round(p * 2**32)`` in 0 ... 2**32; 0 never fires and 2**32 always does, without a coin.
"""

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .._numba import njit

WORDS = 8  # 64-bit words in a full row
LANES = 64 * WORDS  # runs in a batch
BITS = 32  # bits of a threshold
BITS_A_ROUND = 4  # bits compared before asking whether any lane is undecided

GOLDEN = 0x9E3779B97F4A7C15
MIX_A = 0xBF58476D1CE4E5B9
MIX_B = 0x94D049BB133111EB
MASK = 2**64 - 1

# One tag for each use of coins, so that two models under one key meet independent worlds.
TAG_IC = 0x1C
TAG_LT = 0x17
TAG_NOISE = 0x4E
TAG_PARENT = 0x9A
TAG_BACKGROUND = 0xBA
# SIPS: latents of the users (0x51 S, 0x52 I, 0x53 P, 0x54 X), the same drawn anew at every exposure (0x80 more), what
# the feed shows, waiting times.
TAG_SYMPATHIZE = 0x51
TAG_AGAIN = 0x80
TAG_FEED = 0xFE
TAG_DELAY = 0xDE

_G, _A, _B = np.uint64(GOLDEN), np.uint64(MIX_A), np.uint64(MIX_B)
_STRIDE = np.uint64((GOLDEN * WORDS) & MASK)
_1, _27, _30, _31 = np.uint64(1), np.uint64(27), np.uint64(30), np.uint64(31)
ALWAYS = np.uint64(2**BITS)

I64 = ir.IntType(64)
I32 = ir.IntType(32)
ROW = ir.VectorType(I64, WORDS)


@njit(inline="always")
def mix(x):
    x = (x ^ (x >> _30)) * _A
    x = (x ^ (x >> _27)) * _B
    return x ^ (x >> _31)


@njit
def world_of(key, tag, batch):
    """uint64 key, tag; int64 batch -> uint64 world."""
    return mix(mix(np.uint64(key) ^ np.uint64(tag)) + np.uint64(batch) * _G)


@njit(inline="always")
def coin_base(world, index):
    return mix(world ^ (np.uint64(index) * _A))


@njit(inline="always")
def threshold_of(p):
    """float32 or float64 probability -> threshold in 0 ... 2**32."""
    return np.uint64(np.float64(p) * 4294967296.0 + 0.5)


@njit(inline="always")
def lane_bits(counter, lane):
    """The next four bits of one lane's coin, first bit highest; their mixes do not wait for each other."""
    b3 = (mix(counter) >> lane) & _1
    b2 = (mix(counter + _STRIDE) >> lane) & _1
    b1 = (mix(counter + _STRIDE + _STRIDE) >> lane) & _1
    b0 = (mix(counter + _STRIDE + _STRIDE + _STRIDE) >> lane) & _1
    return (b3 << np.uint64(3)) | (b2 << np.uint64(2)) | (b1 << _1) | b0


@njit
def coin_below(base, word, lane, threshold):
    """One lane: is the coin below the threshold?"""
    if threshold >= ALWAYS:
        return True
    counter = base + np.uint64(word + 1) * _G
    for shift in range(BITS - 4, -1, -4):
        coin = lane_bits(counter, np.uint64(lane))
        want = (threshold >> np.uint64(shift)) & np.uint64(15)
        if coin != want:  # one in sixteen goes on: a branch that is easy to predict
            return coin < want
        counter += _STRIDE << np.uint64(2)
    return False


@njit
def coin_between(base, word, lane, low, high):
    """One lane: is the coin in [low, high)?"""
    if low >= high:  # 2**32 as `low` has no bits to compare
        return False
    counter = base + np.uint64(word + 1) * _G
    under = np.uint64(1 if high >= ALWAYS else 2)  # below high: 1 yes, 0 no, 2 undecided
    over = np.uint64(1 if low == 0 else 2)  # at least low
    for shift in range(BITS - 4, -1, -4):
        coin = lane_bits(counter, np.uint64(lane))
        if under == 2:
            want = (high >> np.uint64(shift)) & np.uint64(15)
            if coin != want:
                under = np.uint64(coin < want)
        if over == 2:
            want = (low >> np.uint64(shift)) & np.uint64(15)
            if coin != want:
                over = np.uint64(coin > want)
        if (under != 2 and over != 2) or under == 0 or over == 0:
            break
        counter += _STRIDE << np.uint64(2)
    return under == 1 and over != 0


@njit
def word_below(base, word, lanes, threshold):
    """64 lanes of one word: those of `lanes` whose coin is below the threshold."""
    if threshold >= ALWAYS:
        return lanes
    undecided = lanes
    hit = np.uint64(0)
    counter = base + np.uint64(word + 1) * _G
    for bit in range(BITS - 1, -1, -1):
        if undecided == 0:
            break
        x = mix(counter)
        if (threshold >> np.uint64(bit)) & _1:
            hit |= undecided & ~x
            undecided &= x
        else:
            undecided &= ~x
        counter += _STRIDE
    return hit


def _const(value):
    return ir.Constant(ROW, [value & MASK] * WORDS)


def _splat(b, x):
    first = b.insert_element(ir.Constant(ROW, ir.Undefined), x, ir.Constant(I32, 0))
    return b.shuffle_vector(first, ir.Constant(ROW, ir.Undefined), ir.Constant(ir.VectorType(I32, WORDS), [0] * WORDS))


def _row(context, b, array_type, array, at):
    data = context.make_array(array_type)(context, b, array).data
    return b.bitcast(b.gep(data, [at]), ROW.as_pointer())


def _load(b, pointer):
    value = b.load(pointer)
    value.align = 8
    return value


def _store(b, value, pointer):
    b.store(value, pointer).align = 8


def _any(b, row):
    mask = b.icmp_unsigned("!=", row, _const(0))
    return b.zext(b.bitcast(mask, ir.IntType(WORDS)), I64)


def _mix(b, x):
    """`mix` of every word of a row."""
    x = b.mul(b.xor(x, b.lshr(x, _const(30))), _const(MIX_A))
    x = b.mul(b.xor(x, b.lshr(x, _const(27))), _const(MIX_B))
    return b.xor(x, b.lshr(x, _const(31)))


def _words(b, counter):
    """Eight coin words: mix(counter + (word + 1) * GOLDEN)."""
    offsets = ir.Constant(ROW, [(GOLDEN * (word + 1)) & MASK for word in range(WORDS)])
    return _mix(b, b.add(_splat(b, counter), offsets))


@intrinsic
def eight_bases(typing, world, indices, at, bases):
    """bases[at:at+8] = coin bases of indices[at:at+8]."""
    signature = types.void(types.uint64, indices, types.int64, bases)

    def codegen(context, b, s, args):
        index = _load(b, _row(context, b, s.args[1], args[1], args[2]))
        mixed = _mix(b, b.xor(_splat(b, args[0]), b.mul(index, _const(MIX_A))))
        _store(b, mixed, _row(context, b, s.args[3], args[3], args[2]))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def eight_coins(typing, bases, at, word, lane, lows, highs):
    """One lane's coins of bases[at:at+8], by their first four bits.

    Bit k of what is returned: coin k is in [lows[at + k], highs[at + k]); bit 8 + k: four bits do not tell.
    """
    signature = types.uint64(bases, types.int64, types.int64, types.int64, lows, highs)

    def codegen(context, b, s, args):
        base, low, high = (_load(b, _row(context, b, s.args[k], args[k], args[1])) for k in (0, 4, 5))
        offset = b.mul(b.add(args[2], ir.Constant(I64, 1)), ir.Constant(I64, GOLDEN))
        counter, lane, coin = b.add(base, _splat(b, offset)), _splat(b, args[3]), _const(0)
        for bit in range(4):
            x = _mix(b, b.add(counter, _const(GOLDEN * WORDS * bit)))
            coin = b.or_(b.add(coin, coin), b.and_(b.lshr(x, lane), _const(1)))
        low_bits, high_bits = b.lshr(low, _const(BITS - 4)), b.lshr(high, _const(BITS - 4))
        no_low = b.icmp_unsigned("==", low, _const(0))
        under = b.icmp_unsigned("<", coin, high_bits)
        over = b.or_(no_low, b.icmp_unsigned(">", coin, low_bits))
        within = b.and_(b.icmp_unsigned("<=", coin, high_bits), b.or_(no_low, b.icmp_unsigned(">=", coin, low_bits)))
        sure = b.and_(under, over)
        open_ = b.and_(within, b.not_(sure))
        sure, open_ = (b.zext(b.bitcast(mask, ir.IntType(WORDS)), I64) for mask in (sure, open_))
        return b.or_(sure, b.shl(open_, ir.Constant(I64, 8)))

    return signature, codegen


@intrinsic
def row_below(typing, lanes, at, out, to, threshold, base):
    """out[to:to+8] = lanes of the row at lanes[at:at+8] whose coin is below the threshold (< 2**32); nonzero if any.

    numba does not turn the loop over 8 words into vector instructions by itself: this is 2-5 times faster.
    """
    signature = types.uint64(lanes, types.int64, out, types.int64, types.uint64, types.uint64)

    def codegen(context, b, s, args):
        undecided0 = _load(b, _row(context, b, s.args[0], args[0], args[1]))
        threshold_, base_ = args[4], args[5]
        entry, loop, done = b.block, b.append_basic_block("bits"), b.append_basic_block("done")
        b.branch(loop)
        b.position_at_end(loop)
        undecided, hit, counter, bit = b.phi(ROW), b.phi(ROW), b.phi(I64), b.phi(I64)
        hit2, undecided2, counter2, bit2 = hit, undecided, counter, bit
        for _ in range(BITS_A_ROUND):
            x = _words(b, counter2)
            # All ones where this bit of the threshold is 1: there a coin bit 0 decides for "below".
            want = _splat(b, b.neg(b.and_(b.lshr(threshold_, bit2), ir.Constant(I64, 1))))
            hit2 = b.or_(hit2, b.and_(b.and_(undecided2, b.not_(x)), want))
            undecided2 = b.and_(undecided2, b.not_(b.xor(x, want)))
            counter2 = b.add(counter2, ir.Constant(I64, (GOLDEN * WORDS) & MASK))
            bit2 = b.sub(bit2, ir.Constant(I64, 1))
        stop = b.or_(
            b.icmp_unsigned("==", _any(b, undecided2), ir.Constant(I64, 0)),
            b.icmp_signed("<", bit2, ir.Constant(I64, 0)),
        )
        for phi, first, following in (
            (undecided, undecided0, undecided2),
            (hit, _const(0), hit2),
            (counter, base_, counter2),
            (bit, ir.Constant(I64, BITS - 1), bit2),
        ):
            phi.add_incoming(first, entry)
            phi.add_incoming(following, loop)
        b.cbranch(stop, done, loop)
        b.position_at_end(done)
        _store(b, hit2, _row(context, b, s.args[2], args[2], args[3]))
        return _any(b, hit2)

    return signature, codegen


@intrinsic
def row_between(typing, lanes, at, out, to, low, high, base):
    """out[to:to+8] = lanes of the row at lanes[at:at+8] with low <= coin < high (both under 2**32); nonzero if any.

    One pass over the coin's bits serves both comparisons; a lane that is not below `high` needs no decision on `low`.
    """
    signature = types.uint64(lanes, types.int64, out, types.int64, types.uint64, types.uint64, types.uint64)

    def codegen(context, b, s, args):
        undecided0 = _load(b, _row(context, b, s.args[0], args[0], args[1]))
        low_, high_, base_ = args[4], args[5], args[6]
        entry, loop, done = b.block, b.append_basic_block("bits"), b.append_basic_block("done")
        b.branch(loop)
        b.position_at_end(loop)
        open_high, hit_high, open_low, hit_low = b.phi(ROW), b.phi(ROW), b.phi(ROW), b.phi(ROW)
        counter, bit = b.phi(I64), b.phi(I64)
        oh, hh, ol, hl, counter2, bit2 = open_high, hit_high, open_low, hit_low, counter, bit
        for _ in range(BITS_A_ROUND):
            x = _words(b, counter2)
            want = _splat(b, b.neg(b.and_(b.lshr(high_, bit2), ir.Constant(I64, 1))))
            hh = b.or_(hh, b.and_(b.and_(oh, b.not_(x)), want))
            oh = b.and_(oh, b.not_(b.xor(x, want)))
            want = _splat(b, b.neg(b.and_(b.lshr(low_, bit2), ir.Constant(I64, 1))))
            hl = b.or_(hl, b.and_(b.and_(ol, b.not_(x)), want))
            ol = b.and_(ol, b.not_(b.xor(x, want)))
            counter2 = b.add(counter2, ir.Constant(I64, (GOLDEN * WORDS) & MASK))
            bit2 = b.sub(bit2, ir.Constant(I64, 1))
        ol = b.and_(ol, b.or_(oh, hh))
        stop = b.or_(
            b.icmp_unsigned("==", _any(b, b.or_(oh, ol)), ir.Constant(I64, 0)),
            b.icmp_signed("<", bit2, ir.Constant(I64, 0)),
        )
        for phi, first, following in (
            (open_high, undecided0, oh),
            (hit_high, _const(0), hh),
            (open_low, undecided0, ol),
            (hit_low, _const(0), hl),
            (counter, base_, counter2),
            (bit, ir.Constant(I64, BITS - 1), bit2),
        ):
            phi.add_incoming(first, entry)
            phi.add_incoming(following, loop)
        b.cbranch(stop, done, loop)
        b.position_at_end(done)
        live = b.and_(hh, b.not_(hl))
        _store(b, live, _row(context, b, s.args[2], args[2], args[3]))
        return _any(b, live)

    return signature, codegen


@intrinsic
def row_absorb(typing, live, at, state, to):
    """Add the lanes of live[at:at+8] that the row state[to:to+8] (seen) lacks to it and to state[to+8:to+16] (pending).

    Nonzero if there are any. The two rows lie side by side, so that one visit touches neighbouring cache lines.
    """
    signature = types.uint64(live, types.int64, state, types.int64)

    def codegen(context, b, s, args):
        seen_at = _row(context, b, s.args[2], args[2], args[3])
        pending_at = _row(context, b, s.args[2], args[2], b.add(args[3], ir.Constant(I64, WORDS)))
        seen = _load(b, seen_at)
        new = b.and_(_load(b, _row(context, b, s.args[0], args[0], args[1])), b.not_(seen))
        some = _any(b, new)
        with b.if_then(b.icmp_unsigned("!=", some, ir.Constant(I64, 0))):
            _store(b, b.or_(seen, new), seen_at)
            _store(b, b.or_(_load(b, pending_at), new), pending_at)
        return some

    return signature, codegen


@intrinsic
def row_fresh(typing, live, at, state, to):
    """Keep in live[at:at+8] the lanes that state[to:to+8] lacks, and add them to it; nonzero if there are any."""
    signature = types.uint64(live, types.int64, state, types.int64)

    def codegen(context, b, s, args):
        live_at = _row(context, b, s.args[0], args[0], args[1])
        seen_at = _row(context, b, s.args[2], args[2], args[3])
        seen = _load(b, seen_at)
        new = b.and_(_load(b, live_at), b.not_(seen))
        _store(b, new, live_at)
        some = _any(b, new)
        with b.if_then(b.icmp_unsigned("!=", some, ir.Constant(I64, 0))):
            _store(b, b.or_(seen, new), seen_at)
        return some

    return signature, codegen


def _prefetch(array, write):
    signature = types.void(array, types.int64)

    def codegen(context, b, s, args):
        data = context.make_array(s.args[0])(context, b, args[0]).data
        pointer = b.bitcast(b.gep(data, [args[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, I32, I32, I32])
        function = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0")
        b.call(function, [pointer, ir.Constant(I32, write), ir.Constant(I32, 3), ir.Constant(I32, 1)])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def prefetch(typing, array, at):
    """Ask for the cache line of array[at], to be written soon."""
    return _prefetch(array, 1)


@intrinsic
def prefetch_read(typing, array, at):
    """Ask for the cache line of array[at], to be read soon: other threads keep theirs."""
    return _prefetch(array, 0)


@intrinsic
def row_count(typing, row, at, planes):
    """Add one to the counter of every lane set in row[at:at+8]; counters are bit-sliced: planes[8*k:] holds bit k."""
    signature = types.void(row, types.int64, planes)

    def codegen(context, b, s, args):
        carry0 = _load(b, _row(context, b, s.args[0], args[0], args[1]))
        entry, loop, done = b.block, b.append_basic_block("ripple"), b.append_basic_block("counted")
        b.branch(loop)
        b.position_at_end(loop)
        carry, plane = b.phi(ROW), b.phi(I64)
        pointer = _row(context, b, s.args[2], args[2], plane)
        old = _load(b, pointer)
        _store(b, b.xor(old, carry), pointer)
        carry2, plane2 = b.and_(old, carry), b.add(plane, ir.Constant(I64, WORDS))
        carry.add_incoming(carry0, entry)
        carry.add_incoming(carry2, loop)
        plane.add_incoming(ir.Constant(I64, 0), entry)
        plane.add_incoming(plane2, loop)
        b.cbranch(b.icmp_unsigned("!=", _any(b, carry2), ir.Constant(I64, 0)), loop, done)
        b.position_at_end(done)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def popcount(typing, x):
    def codegen(context, b, s, args):
        return b.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@intrinsic
def trailing_zeros(typing, x):
    def codegen(context, b, s, args):
        return b.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


@njit
def coin_words(key, tag, batch, index, n_bits, out):
    """Fill out[bit, word] with the coin words of one index: for tests of the coins themselves."""
    base = coin_base(world_of(key, tag, batch), index)
    for bit in range(n_bits):
        for word in range(WORDS):
            out[bit, word] = mix(base + np.uint64(word + 1 + WORDS * bit) * _G)
