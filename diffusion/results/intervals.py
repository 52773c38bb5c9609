"""Intervals of means and shares over runs that hold for skewed sizes and rare events too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["EVENTS", "Limits", "MeanInterval", "mean_interval", "share_bounds"]

EVENTS = 10  # runs that must differ from the usual value before moments are trusted
RARE = 15  # hits, or misses, below which a share gets its exact interval
SAME = 1e-9  # values this close, as a share of the largest, are equal: sums of weights come in different orders

#: Least and most that one run can give, or a function that works them out when they are needed.
Limits = tuple[float, float] | Callable[[], tuple[float, float]]


class MeanInterval(NamedTuple):
    """Mean over runs, its standard error, and the ends of its interval, which need not lie evenly about it."""

    mean: float
    se: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """The larger of the two half widths."""
        return max(self.mean - self.low, self.high - self.mean)


def mean_interval(
    values: NDArray[Any], confidence: float, limits: Limits = (-math.inf, math.inf), *, exact: bool = False
) -> MeanInterval:
    """Mean of independent runs with its interval; NaN ends for one run that is not exact.

    From ten runs on that differ from the usual value: the t interval corrected for skewness by Hall's cubic
    transformation (1992), which tends to the normal one as runs over squared skewness, the effective number of
    events, grows. The sample skewness is raised a little, for it falls short of the true one, and the end on the side
    of the long tail takes a t quantile with as many degrees of freedom as there are effective events.

    With fewer such runs moments say nothing of what was not seen: Stringer's bound (1963) puts exact bounds of the
    shares of runs (Clopper and Pearson) with the values seen, and with `limits` for what was not. It is conservative.
    """
    runs = len(values)
    mean = float(values.mean()) if runs else math.nan
    if exact:
        return MeanInterval(mean, 0.0, mean, mean)
    if runs < 2:
        return MeanInterval(mean, math.nan, math.nan, math.nan)
    away = values - mean
    sd = float(np.sqrt(away @ away / (runs - 1.0)))
    se = sd / math.sqrt(runs)
    lowest, highest = float(values.min()), float(values.max())
    differ = np.abs(values - np.median(values)) > SAME * max(abs(lowest), abs(highest))
    if np.count_nonzero(differ) < EVENTS:
        low, high = _few_events(values, confidence, limits() if callable(limits) else limits)
        return MeanInterval(mean, se, min(low, mean), max(high, mean))
    low, high = _skewed(mean, se, float((away**3).mean()) / sd**3, runs, confidence)
    if low < lowest or high > highest:
        least, most = limits() if callable(limits) else limits
        low, high = max(low, least), min(high, most)
    return MeanInterval(mean, se, low, high)


def _skewed(mean: float, se: float, skewness: float, runs: int, confidence: float) -> tuple[float, float]:
    """Ends of the interval by Hall's transformation of the studentised mean."""
    from scipy.special import stdtrit

    a = skewness / math.sqrt(runs)
    tail = 0.5 + confidence / 2
    near = float(stdtrit(runs - 1, tail))
    far = float(stdtrit(min(runs - 1, 1 / a**2), tail)) if a else near
    a *= 1 + 0.5 * a**2
    below, above = (far, near) if a < 0 else (near, far)
    return mean - _untransformed(below, a) * se, mean - _untransformed(-above, a) * se


def _untransformed(y: float, a: float) -> float:
    """The t with t + a t^2 / 3 + a^2 t^3 / 27 + a / 6 = y."""
    return 3 / a * float(np.cbrt(1 + a * (y - a / 6)) - 1) if abs(a) > 1e-6 else y


def _few_events(values: NDArray[Any], confidence: float, limits: tuple[float, float]) -> tuple[float, float]:
    """Stringer's bounds: the share of runs that give at least x, times x, summed over the values x, largest first."""
    least, most = limits
    found, times = np.unique(values, return_counts=True)
    at_least = np.concatenate([[0], np.cumsum(times[::-1])])  # runs with at least the largest value, the second, ...
    lows, highs = _exact_shares(at_least, len(values), (1 - confidence) / 2)
    gap = found[::-1] - float(found[0])
    low = float(found[0]) + float(np.diff(lows) @ gap)
    high = float(found[0]) + float(np.diff(highs) @ gap)
    # What no run has shown: with the largest share that may go unseen in so many runs, all may take the limits.
    unseen = float(highs[0])
    low -= unseen * (float(found[0]) - least) if found[0] > least else 0.0
    high += unseen * (most - float(found[0])) if most > found[0] else 0.0
    return low, high


def _exact_shares(hits: NDArray[Any], runs: int, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One-sided bounds (Clopper and Pearson 1934) of shares, each wrong with probability at most `alpha`."""
    from scipy.special import betaincinv

    hits = np.asarray(hits, np.float64)
    some, missing = hits > 0, hits < runs
    low, high = np.zeros(hits.shape), np.ones(hits.shape)
    low[some] = betaincinv(hits[some], runs - hits[some] + 1, alpha)
    high[missing] = betaincinv(hits[missing] + 1, runs - hits[missing], 1 - alpha)
    return low, high


def share_bounds(hits: int, runs: int, confidence: float) -> tuple[float, float]:
    """Ends of the interval of a share: exact near 0 and 1, where Wilson's covers as little as 84 %, else Wilson's."""
    from scipy.stats import binomtest

    rare = min(hits, runs - hits) < RARE
    found = binomtest(hits, runs).proportion_ci(confidence, method="exact" if rare else "wilson")
    return float(found.low), float(found.high)
