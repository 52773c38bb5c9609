"""Estimators of early growth on sums over runs; `growth` says why each is as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._random import generator

__all__ = ["inactive_share", "interval_ends", "leading", "ratios_by_step", "resampled_sums", "slowing", "window_ratio"]

Floats = NDArray[np.float64]

GROUPS = 2048  # sums resampled at most
ROWS = 500  # resamples drawn at once
MOST_DECELERATION = 100.0  # what is returned where there is no growth at all
MAX_DEPLETION_SLOPE = 2.0
OFFSETS = np.concatenate([[0.0], np.geomspace(0.25, 1000.0, 40)])


def resampled_sums(new: NDArray[Any], bootstrap: int, key: int) -> Iterator[Floats]:
    """Column sums over groups of runs drawn with replacement; exact, since they are whole numbers.

    Every statistic is a function of ratios of sums over runs, so sums of a few runs each can be resampled as well.
    """
    rng = generator(key)
    n = min(len(new), GROUPS)
    counts = np.add.reduceat(new, np.arange(n) * len(new) // n, axis=0, dtype=np.int64).astype(np.float64)
    for start in range(0, bootstrap, ROWS):
        size = min(ROWS, bootstrap - start)
        drawn = rng.integers(0, n, (size, n))
        drawn += n * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        yield weights.astype(np.float64) @ counts


def inactive_share(new: NDArray[Any], n_nodes: int, last: int) -> float:
    """Share of nodes inactive after the next step, as the average activation of steps 1 ... last - 1 meets it."""
    reach = new[:, :2].sum(axis=1, dtype=np.float64)
    met = total = 0.0
    for t in range(1, last):
        reach += new[:, t + 1]
        met += float(new[:, t] @ reach)
        total += float(new[:, t].sum())
    return 1 - met / (total * n_nodes) if total else 1.0


def interval_ends(replicates: Floats, tail: float) -> tuple[float, float]:
    """Percentile interval; none where more replicates are undefined than lie outside it."""
    known = replicates[~np.isnan(replicates)]
    if known.size < (1 - tail) * replicates.size or not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, (tail, 1 - tail))
    return float(low), float(high)


def leading(mask: NDArray[np.bool_]) -> int:
    """Number of unbroken True from step 1 on."""
    return int(np.logical_and.accumulate(mask[1:]).sum())


def ratios_by_step(sums: Floats) -> Floats:
    before = sums[:, :-1]
    return np.asarray(np.divide(sums[:, 1:], before, out=np.full(before.shape, np.nan), where=before > 0))


# sums f8[samples, ratios + 1], used f8[ratios]  ->  f8[samples]
def window_ratio(sums: Floats, used: Floats, growing: bool) -> Floats:
    """R of the window: pooled, or the value at no depletion of R_t = R (1 - k used_t), weighted with new(t)."""
    before, after = sums[:, :-1], sums[:, 1:]
    total = before.sum(axis=1)
    total[total == 0] = np.nan
    pooled: Floats = after.sum(axis=1) / total
    if not growing:
        return pooled
    mean = before @ used / total
    off = used - mean[:, None]
    moment = (before * off**2).sum(axis=1)
    slope = np.divide(-(off * after).sum(axis=1), moment, out=np.zeros(len(sums)), where=moment > 0)
    start = pooled + slope * mean
    k = np.divide(slope, start, out=np.full(len(sums), -MAX_DEPLETION_SLOPE), where=start > 0)
    return np.asarray(pooled / (1 - np.clip(k, -MAX_DEPLETION_SLOPE, MAX_DEPLETION_SLOPE) * mean))


# sums f8[samples, ratios + 1] of steps 1, 2, ...; weights f8[ratios]  ->  f8[samples]
def slowing(sums: Floats, weights: Floats) -> Floats:
    """Deceleration 1/d of the best fit log R_t = d log((t + 1 + c) / (t + c)) over c; a large c is exponential."""
    logs = np.log(np.maximum(sums, 0.5))
    y = np.diff(logs, axis=1)
    t = np.arange(1, sums.shape[1])
    x = np.log1p(1 / (t + OFFSETS[:, None]))
    scale = (weights * x**2).sum(axis=1)
    degree = y @ (weights * x).T / scale
    best = np.argmax(degree**2 * scale, axis=1)  # what each fit explains of the weighted sum of squares
    d = degree[np.arange(len(y)), best]
    bound = 1 / MOST_DECELERATION
    found = np.where(d > bound, 1 / np.maximum(d, bound), MOST_DECELERATION)
    return np.where(np.isnan(y).any(axis=1), np.nan, found)
