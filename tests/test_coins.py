"""Coins: the scalar, 64-lane and 512-lane versions are one function, fair, and independent in every direction.

Statistical checks run on fixed keys over more than 10**9 draws. Each statistic is a normal score or a chi-square turned
into one; a single check may be off by 4.5, which a fair coin exceeds once in 150,000 checks.
"""

from __future__ import annotations

import math
from itertools import pairwise

import naive
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numba import njit
from strategies import KEYS

from diffusion.kernels.coins import (
    ALWAYS,
    TAG_IC,
    TAG_LT,
    TAG_NOISE,
    TAG_PARENT,
    WORDS,
    coin_base,
    coin_below,
    coin_between,
    coin_words,
    eight_bases,
    eight_coins,
    mix,
    popcount,
    row_below,
    row_between,
    threshold_of,
    word_below,
    world_of,
)
from diffusion.kernels.lanes import bound_of, first_lanes, live_lanes

LIMIT = 4.5
P = (1e-3, 0.3, 0.5, 0.97, 1 - 2**-24)
ALL = np.uint64(2**64 - 1)


@njit
def _row(lanes, threshold, base, out):
    return row_below(lanes, 0, out, 0, threshold, base)


@njit
def _row_between(lanes, low, high, base, out):
    return row_between(lanes, 0, out, 0, low, high, base)


@njit
def _eight(world, indices, word, lane, lows, highs, bases):
    eight_bases(world, indices, 8, bases)
    return eight_coins(bases, 8, word, lane, lows, highs)


@njit
def _hits(key, tag, batch, n, threshold, per_lane):
    """Hits among 512 n coins; per_lane[512] is added to."""
    lanes = np.full(WORDS, ALL)
    out = np.empty(WORDS, np.uint64)
    world = world_of(key, tag, batch)
    total = 0
    for j in range(n):
        if row_below(lanes, 0, out, 0, threshold, coin_base(world, j)) == 0:
            continue
        for w in range(WORDS):
            total += np.int64(popcount(out[w]))
            if per_lane.size:
                for lane in range(64):
                    per_lane[64 * w + lane] += np.int64((out[w] >> np.uint64(lane)) & np.uint64(1))
    return total


@njit
def _joint(key_a, tag_a, batch_a, key_b, tag_b, batch_b, n, stride, gap, threshold, cells):
    """cells[4] += joint outcomes of the coins of arc stride * j in world a and of arc stride * j + gap in world b."""
    lanes = np.full(WORDS, ALL)
    a, b = np.empty(WORDS, np.uint64), np.empty(WORDS, np.uint64)
    world_a, world_b = world_of(key_a, tag_a, batch_a), world_of(key_b, tag_b, batch_b)
    for j in range(n):
        row_below(lanes, 0, a, 0, threshold, coin_base(world_a, stride * j))
        row_below(lanes, 0, b, 0, threshold, coin_base(world_b, stride * j + gap))
        for w in range(WORDS):
            cells[0] += np.int64(popcount(~(a[w] | b[w])))
            cells[1] += np.int64(popcount(~a[w] & b[w]))
            cells[2] += np.int64(popcount(a[w] & ~b[w]))
            cells[3] += np.int64(popcount(a[w] & b[w]))


@njit
def _lanes_joint(key, tag, batch, n, threshold, shift, cells):
    """The same for lanes `shift` apart within a word (cells[0]) and for words next to each other (cells[1])."""
    lanes = np.full(WORDS, ALL)
    a = np.empty(WORDS, np.uint64)
    world = world_of(key, tag, batch)
    keep = (np.uint64(1) << np.uint64(64 - shift)) - np.uint64(1)
    for j in range(n):
        row_below(lanes, 0, a, 0, threshold, coin_base(world, j))
        for w in range(WORDS):
            other = a[w] >> np.uint64(shift)
            cells[0, 0] += np.int64(popcount(~(a[w] | other) & keep))
            cells[0, 1] += np.int64(popcount(~a[w] & other & keep))
            cells[0, 2] += np.int64(popcount(a[w] & ~other & keep))
            cells[0, 3] += np.int64(popcount(a[w] & other & keep))
            following = a[(w + 1) % WORDS]
            cells[1, 0] += np.int64(popcount(~(a[w] | following)))
            cells[1, 1] += np.int64(popcount(~a[w] & following))
            cells[1, 2] += np.int64(popcount(a[w] & ~following))
            cells[1, 3] += np.int64(popcount(a[w] & following))


@njit
def _patterns(key, batches, n, k_arcs, k_bits, cells):
    """cells[2**(k_arcs * batches * k_bits)]: joint patterns of the first bits of neighbouring arcs and batches."""
    out = np.empty((k_bits, WORDS), np.uint64)
    got = np.empty((k_arcs * batches * k_bits, WORDS), np.uint64)
    for j in range(n):
        at = 0
        for arc in range(k_arcs):
            for batch in range(batches):
                coin_words(key, TAG_IC, batch, k_arcs * j + arc, k_bits, out)
                for bit in range(k_bits):
                    got[at] = out[bit]
                    at += 1
        for w in range(WORDS):
            for lane in range(64):
                cell = 0
                for i in range(at):
                    cell = 2 * cell + np.int64((got[i, w] >> np.uint64(lane)) & np.uint64(1))
                cells[cell] += 1


def chi_score(observed: np.ndarray, expected: np.ndarray) -> float:
    """Chi-square as a normal score (Wilson and Hilferty 1931)."""
    cells = observed.size - 1
    chi = float(((observed - expected) ** 2 / expected).sum())
    return ((chi / cells) ** (1 / 3) - (1 - 2 / (9 * cells))) / math.sqrt(2 / (9 * cells))


def pair_score(cells: np.ndarray, threshold: int) -> float:
    p = threshold / 2**32
    return chi_score(cells, cells.sum() * np.array([(1 - p) ** 2, p * (1 - p), p * (1 - p), p * p]))


def correlation_score(cells: np.ndarray) -> float:
    """Correlation of the two coins given how often each fired: unlike the cells, free of what the worlds share."""
    total, a, b = cells.sum(), cells[2] + cells[3], cells[1] + cells[3]
    return float(cells[3] * total - a * b) / math.sqrt(float(a) * (total - a) * b * (total - b)) * math.sqrt(total)


def key(number: int) -> np.uint64:
    return np.uint64(naive.mix(number))


# -- one function ------------------------------------------------------------------------------------------------------


@given(KEYS, st.sampled_from([TAG_IC, TAG_LT, TAG_NOISE, TAG_PARENT]), st.integers(0, 2**40), st.integers(0, 2**33))
def test_the_same_words_as_the_definition(k, tag, batch, index):
    out = np.empty((4, WORDS), np.uint64)
    coin_words(np.uint64(k), tag, batch, index, 4, out)
    base = naive.base_of(naive.world_of(k, tag, batch), index)
    assert int(coin_base(np.uint64(world_of(np.uint64(k), tag, batch)), index)) == base
    assert out.tolist() == [[naive.mix(base + (w + 1 + 8 * b) * naive.GOLDEN) for w in range(8)] for b in range(4)]


@given(
    KEYS,
    st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**32 - 256]),
    st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8),
)
def test_scalar_word_and_row_agree_bit_for_bit(base, threshold, lanes):
    row = np.array(lanes, np.uint64)
    out = np.empty(WORDS, np.uint64)
    some = _row(row, np.uint64(threshold), np.uint64(base), out)
    assert (some != 0) == bool(out.any())
    for word in range(WORDS):
        assert int(word_below(np.uint64(base), word, row[word], np.uint64(threshold))) == int(out[word])
        assert int(out[word]) & ~lanes[word] == 0
        for lane in (0, 1, 31, 62, 63):
            asked = lanes[word] >> lane & 1
            assert (int(out[word]) >> lane & 1) == (
                asked and coin_below(np.uint64(base), word, lane, np.uint64(threshold))
            )


@given(KEYS, st.integers(0, 2**20), st.integers(0, 511), st.floats(0, 1, width=32))
def test_scalar_coin_is_the_whole_number_below_the_threshold(k, index, lane_of_batch, p):
    world = naive.world_of(k, TAG_IC, 3)
    want = naive.fires(world, index, lane_of_batch, naive.threshold_of(p))
    base, threshold = np.uint64(coin_base(np.uint64(world), index)), np.uint64(threshold_of(np.float32(p)))
    assert coin_below(base, lane_of_batch // 64, lane_of_batch % 64, threshold) == want


@given(KEYS, st.integers(0, 511), st.integers(-2, 2))
def test_the_comparison_is_strict_at_the_last_bit(base, lane_of_batch, shift):
    word, lane = divmod(lane_of_batch, 64)
    bits = [naive.mix(base + (word + 1 + 8 * b) * naive.GOLDEN) >> lane & 1 for b in range(32)]
    coin = int("".join(map(str, bits)), 2)
    threshold = min(max(coin + shift, 0), 2**32)
    assert coin_below(np.uint64(base), word, lane, np.uint64(threshold)) == (coin < threshold)
    for low, high in [(0, threshold), (threshold, 2**32), (coin, coin + 1), (coin + 1, 2**32), (0, coin), (coin, coin)]:
        inside = coin_between(np.uint64(base), word, lane, np.uint64(low), np.uint64(high))
        assert inside == (low <= coin < high)
    hit = word_below(np.uint64(base), word, np.uint64(1 << lane), np.uint64(threshold))
    assert (int(hit) != 0) == (coin < threshold)
    if threshold < 2**32:
        row, out = np.zeros(WORDS, np.uint64), np.empty(WORDS, np.uint64)
        row[word] = 1 << lane
        assert (_row(row, np.uint64(threshold), np.uint64(base), out) != 0) == (coin < threshold)


@given(st.floats(0, 1, width=32) | st.floats(0, 1))
def test_threshold_is_the_rounded_probability(p):
    assert int(threshold_of(p)) == naive.threshold_of(p)
    assert int(threshold_of(np.float32(p))) == naive.threshold_of(float(np.float32(p)))


def test_threshold_at_the_ends():
    assert int(threshold_of(np.float32(0))) == 0
    assert int(threshold_of(np.float32(1))) == 2**32 == int(ALWAYS)
    assert int(threshold_of(np.float32(1 - 2**-24))) == 2**32 - 256


BOUNDS = st.sampled_from([0, 1, 2**20, 2**31, 2**31 + 12345, 2**32 - 256, 2**32 - 1, 2**32]) | st.integers(0, 2**32)


@given(KEYS, BOUNDS, BOUNDS, st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8), st.integers(1, 8))
def test_lanes_between_two_bounds_at_any_width(base, a, b, lanes, words):
    """Every way to ask which coins lie in [low, high) gives the lanes that two scalar comparisons give."""
    low, high = (np.uint64(x) for x in sorted((a, b)))
    assume(low < high)  # an empty interval never reaches the kernels
    base = np.uint64(base)
    row, out = np.array(lanes, np.uint64), np.zeros(16, np.uint64)
    below = lambda bound: [int(word_below(base, w, row[w], bound)) for w in range(8)]  # noqa: E731
    want = [h & ~l for h, l in zip(below(high), below(low), strict=True)]
    if high < ALWAYS:
        full = np.empty(8, np.uint64)
        assert (_row_between(row, low, high, base, full) != 0) == any(want)
        assert full.tolist() == want
    for first in range(8 - words + 1):
        part = row[first : first + words].copy()
        some = live_lanes(part, 0, out, 8, low, high, base, words, first)
        assert (some != 0) == any(want[first : first + words])
        assert out[8 : 8 + words].tolist() == want[first : first + words]
        assert not out[:8].any()


def test_full_rows_between_two_bounds():
    """The same on rows of many lanes, with bounds near each other and far apart."""
    rng = np.random.default_rng(13)
    out = np.empty(8, np.uint64)
    for case in range(400):
        row = rng.integers(0, 2**64, 8, dtype=np.uint64)
        gap = int(2 ** rng.uniform(0, 32))
        low = int(rng.integers(0, 2**32 - 1))
        low, high = np.uint64(low if case % 4 else 0), np.uint64(min(low + gap, 2**32 - 1))
        base = np.uint64(rng.integers(0, 2**64, dtype=np.uint64))
        below = lambda bound, row=row, base=base: [int(word_below(base, w, row[w], bound)) for w in range(8)]  # noqa: E731
        want = [h & ~l for h, l in zip(below(high), below(low), strict=True)]
        assert (_row_between(row, low, high, base, out) != 0) == any(want)
        assert out.tolist() == want


def test_the_top_bound_stands_for_always():
    assert int(bound_of(np.uint32(2**32 - 1))) == 2**32
    assert [int(bound_of(np.uint32(x))) for x in (0, 1, 2**32 - 2)] == [0, 1, 2**32 - 2]


@given(KEYS, BOUNDS, BOUNDS, st.integers(0, 511))
@example(1, 2**32, 2**32, 0)  # an arc without weight behind in-arcs whose weights sum to 1
@example(1, 0, 0, 0)
def test_one_lane_between_two_bounds(base, a, b, lane_of_batch):
    low, high = (np.uint64(x) for x in sorted((a, b)))
    word, lane = divmod(lane_of_batch, 64)
    base = np.uint64(base)
    want = coin_below(base, word, lane, high) and not coin_below(base, word, lane, low)
    assert coin_between(base, word, lane, low, high) == want


def test_masks_of_the_first_lanes():
    assert [int(first_lanes(k)) for k in (-3, 0, 1, 2, 63, 64, 70)] == [0, 0, 1, 3, 2**63 - 1, 2**64 - 1, 2**64 - 1]


# -- fair --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("number", [1, 2])
def test_frequency(p, number):
    threshold = np.uint64(threshold_of(p))
    n = 2_000_000 if p > 0.99 else 300_000
    none = np.zeros(0, np.int64)
    hits = sum(_hits(key(number), TAG_IC, batch, n // 2, threshold, none) for batch in (0, 1))
    draws, chance = 512 * n, int(threshold) / 2**32
    assert abs(hits - draws * chance) < LIMIT * math.sqrt(draws * chance * (1 - chance))


def test_zero_never_fires_and_one_always_does():
    none = np.zeros(0, np.int64)
    assert _hits(key(3), TAG_IC, 0, 400_000, np.uint64(0), none) == 0
    assert _hits(key(3), TAG_LT, 7, 400_000, np.uint64(0), none) == 0
    row, out = np.full(8, ALL), np.zeros(8, np.uint64)
    for j in range(2000):
        base = np.uint64(naive.base_of(naive.world_of(int(key(3)), TAG_IC, 0), j))
        live_lanes(row, 0, out, 0, np.uint64(0), ALWAYS, base, 8, 0)
        assert out.tolist() == row.tolist()
        assert word_below(base, j % 8, ALL, ALWAYS) == ALL
        assert coin_below(base, j % 8, j % 64, ALWAYS)


def test_every_bit_of_the_coin_is_fair():
    """Frequencies of every one of the 32 bits over 10**6 coins, and the mean of the whole number."""
    ones = np.zeros(32)
    total = 0.0
    n = 2000
    out = np.empty((32, WORDS), np.uint64)
    for index in range(n):
        coin_words(key(4), TAG_IC, 0, index, 32, out)
        ones += np.unpackbits(out.view(np.uint8), axis=1).sum(axis=1)
    scores = (ones - 256 * n) / math.sqrt(128 * n)
    assert np.abs(scores).max() < LIMIT
    total = float((ones * 2.0 ** -np.arange(1, 33)).sum()) / (512 * n)
    assert abs(total - 0.5) < LIMIT * math.sqrt(1 / 12 / (512 * n))


@pytest.mark.parametrize("p", [0.01, 0.3])
def test_every_lane_is_fair(p):
    per_lane = np.zeros(512, np.int64)
    n = 40_000
    _hits(key(5), TAG_IC, 0, n, np.uint64(threshold_of(p)), per_lane)
    score = ((per_lane - n * p) ** 2 / (n * p * (1 - p))).sum()
    assert abs(score - 512) < LIMIT * math.sqrt(2 * 512)
    assert np.abs((per_lane - n * p) / math.sqrt(n * p * (1 - p))).max() < 5


# -- independent -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5])
@pytest.mark.parametrize(
    ("stride", "gap"), [(2, 1), (3, 2), (1, 512), (1, 2**16), (1, 2**31 - 7), (64, 8), (2**20, 2**19)]
)
def test_arcs_are_independent(p, stride, gap):
    cells = np.zeros(4, np.int64)
    threshold = np.uint64(threshold_of(p))
    _joint(key(6), TAG_IC, 0, key(6), TAG_IC, 0, 30_000, stride, gap, threshold, cells)
    assert abs(pair_score(cells, int(threshold))) < LIMIT


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5])
def test_batches_are_independent(p):
    threshold = np.uint64(threshold_of(p))
    for a, b in [(0, 1), (1, 2), (0, 8), (7, 2**20), (2**32, 2**32 + 1)]:
        cells = np.zeros(4, np.int64)
        _joint(key(7), TAG_IC, a, key(7), TAG_IC, b, 30_000, 1, 0, threshold, cells)
        assert abs(pair_score(cells, int(threshold))) < LIMIT


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5])
def test_uses_of_coins_are_independent(p):
    threshold = np.uint64(threshold_of(p))
    for a, b in pairwise((TAG_IC, TAG_LT, TAG_NOISE, TAG_PARENT, TAG_IC)):
        cells = np.zeros(4, np.int64)
        _joint(key(8), a, 0, key(8), b, 0, 30_000, 1, 0, threshold, cells)
        assert abs(pair_score(cells, int(threshold))) < LIMIT


@pytest.mark.parametrize("first", [0, 1, 2**64 - 1, naive.mix(9)])
def test_keys_that_differ_by_one_bit_are_independent(first):
    threshold = np.uint64(threshold_of(0.3))
    scores = []
    for bit in range(64):
        cells = np.zeros(4, np.int64)
        _joint(np.uint64(first), TAG_IC, 0, np.uint64(first ^ 1 << bit), TAG_IC, 0, 2000, 1, 0, threshold, cells)
        assert abs(pair_score(cells, int(threshold))) < LIMIT
        scores.append(correlation_score(cells))
    assert np.abs(scores).max() < LIMIT
    assert abs(sum(scores)) < LIMIT * math.sqrt(64)
    assert abs(np.square(scores).sum() - 64) < LIMIT * math.sqrt(2 * 64)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5])
@pytest.mark.parametrize("shift", [1, 2, 27, 30, 31, 32, 63])
def test_lanes_and_words_are_independent(p, shift):
    threshold = np.uint64(threshold_of(p))
    cells = np.zeros((2, 4), np.int64)
    _lanes_joint(key(10), TAG_IC, 0, 30_000, threshold, shift, cells)
    assert abs(pair_score(cells[0], int(threshold))) < LIMIT
    assert abs(pair_score(cells[1], int(threshold))) < LIMIT


@pytest.mark.parametrize(
    ("arcs", "batches", "bits"), [(1, 1, 10), (10, 1, 1), (1, 10, 1), (2, 2, 2), (4, 2, 1), (3, 1, 3)]
)
def test_joint_patterns_of_arcs_batches_and_bits(arcs, batches, bits):
    cells = np.zeros(2 ** (arcs * batches * bits), np.int64)
    _patterns(key(11), batches, 6000, arcs, bits, cells)
    assert abs(chi_score(cells, np.full(cells.size, cells.sum() / cells.size))) < LIMIT


def test_mix_is_a_bijection_with_avalanche():
    """Turning one bit of the argument over turns over half of the result on average, for every bit."""
    rng = np.random.default_rng(12)
    words = rng.integers(0, 2**64, 400, dtype=np.uint64)
    assert [int(mix(x)) for x in words[:50]] == [naive.mix(int(x)) for x in words[:50]]
    for bit in range(64):
        turned = sum((naive.mix(int(x)) ^ naive.mix(int(x) ^ 1 << bit)).bit_count() for x in words)
        assert abs(turned - 32 * 400) < LIMIT * math.sqrt(16 * 400)


@pytest.mark.parametrize("low_bits", [0, 32])
def test_four_bits_of_eight_coins_settle_what_they_can(low_bits):
    """Eight coins of one lane: those said to lie in their interval do, and only those said to be open may lie there too."""
    rng = np.random.default_rng(29)
    bases, settled = np.zeros(16, np.uint64), 0
    for case in range(2000):
        word, lane, world = int(rng.integers(8)), int(rng.integers(64)), np.uint64(case)
        indices = rng.integers(0, 2**62, 16, dtype=np.uint64)
        ends = np.sort(rng.integers(0, 2**32 + 1, (2, 16), dtype=np.uint64), axis=0)
        lows = ends[0] if low_bits else np.zeros(16, np.uint64)
        highs = np.where(rng.random(16) < 0.2, np.uint64(2**32), ends[1])
        found = int(_eight(world, indices, word, lane, lows, highs, bases))
        assert bases[:8].tolist() == [0] * 8
        assert found < 1 << 16
        for k in range(8):
            base = np.uint64(coin_base(world, indices[8 + k]))
            assert bases[8 + k] == base
            inside = bool(coin_between(base, word, lane, lows[8 + k], highs[8 + k]))
            sure, is_open = found >> k & 1, found >> 8 + k & 1
            assert not (sure and is_open)
            assert inside if sure else (is_open or not inside)
            settled += not is_open
    assert settled > 2000 * 8 * 0.8
