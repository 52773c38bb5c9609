"""Naive twin of percolation with shared infectious periods: whole thresholds, one run at a time, in plain Python.

The alias table is part of the definition (which bin a draw falls in), so the twin reads it; it is tested on its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from naive import GOLDEN, MASK, ONE, NaiveRun, _spread, base_of, coin, mix, world_of

from diffusion.models import Exponential, Fixed, Geometric, WaitingTime, Weibull

TAG_PERIOD, TAG_TRANSMIT = 0x5E1, 0x5E2


def quantile(wait: WaitingTime, u: float) -> float:
    """Time at which the distribution function reaches u."""
    if isinstance(wait, Fixed):
        return wait.time
    if isinstance(wait, Geometric):
        if wait.p in (0, 1):
            return math.inf if wait.p == 0 else 1.0
        return max(math.ceil(math.log1p(-u) / math.log1p(-wait.p)), 1)
    if isinstance(wait, Weibull):
        return wait.scale * (-math.log1p(-u)) ** (1 / wait.shape)
    assert isinstance(wait, Exponential)
    return -math.log1p(-u) / wait.rate if wait.rate else math.inf


def probability_within(wait: WaitingTime, time: float) -> float:
    """Distribution function."""
    if isinstance(wait, Exponential) and wait.rate == 0:
        return 0.0
    return 1.0 if time == math.inf else float(wait.cdf(time))


def threshold(
    transmission: WaitingTime,
    recovery: WaitingTime,
    alias: Sequence[int],
    edges: Sequence[float],
    bits: int,
    most: float = math.inf,
) -> int:
    """Threshold of a node from the 64 bits of its period: bin of 12 bits, then inversion within the bin."""
    i, fraction = bits >> 52, (bits >> 20) & 0xFFFFFFFF
    k = i if fraction < alias[i] >> 16 else alias[i] & 0xFFFF
    u = (mix(bits + GOLDEN) >> 11) / 2**53 + 0.5 / 2**53
    u = min(edges[k] + u * (edges[k + 1] - edges[k]), 1 - 2**-53)
    p = probability_within(transmission, min(quantile(recovery, u), most))
    whole = int(p * ONE + 0.5)
    least, most = k << 20, ((k + 1) << 20) - 1
    if k == 4095 and whole >= most:
        return ONE if p >= 1 else most
    return min(max(whole, least), most)


def percolation_run(
    n: int,
    arcs: Sequence[tuple[int, int]],
    transmission: WaitingTime,
    recovery: WaitingTime,
    table: tuple[Sequence[int], Sequence[float]],
    seeds: Iterable[int],
    key: int,
    run: int,
    most: float = math.inf,
) -> NaiveRun:
    """Arc j out of u is live where its coin is below the threshold of u."""
    periods, transmits = world_of(key, TAG_PERIOD, run // 512), world_of(key, TAG_TRANSMIT, run // 512)
    lane = run % 512
    limit = [
        threshold(transmission, recovery, *table, mix((base_of(periods, u) + (lane + 1) * GOLDEN) & MASK), most)
        for u in range(n)
    ]
    live = [coin(transmits, j, lane) < limit[u] for j, (u, _) in enumerate(arcs)]
    return _spread(arcs, live, seeds, key, run)
