"""Estimators of growth on counts of new activations; `reproduction` and `growth` say why each is as it is.

All of them rest on pairs (new(t), new(t + 1)) of a run, chosen by what was known at t. If R is the same everywhere,
new(t + 1) - R new(t) are then martingale differences: uncorrelated, however heavy the tail of the sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation import Floats

__all__ = ["ReachFit", "fit_by_reach", "inactive_share", "leading", "pooled_ratio", "ratios_by_step"]

FIRST_REACH = 8.0  # activations from which on the mix of sharers counts as settled (7 beside one seed)
ENOUGH = 20.0  # effective events below which a ratio is not fitted
FLOOR = 0.02  # error of log R, as a share of it, below which none is trusted: reach is not all that matters
DEPLETED = 0.01  # fall of log R from which on depletion is fitted
MOST_DEPLETION = 1.0  # message passing, which knows no short circles, uses users up fastest
SKEWED = 0.05  # skewness of a sum from which its likelihood is asked, too
SHAPES = np.geomspace(1e-3, 1e4, 57)  # dispersion of the negative binomial
DECELERATIONS = np.arange(0.0, 1.001, 0.01)


def leading(mask: NDArray[np.bool_]) -> int:
    """Number of unbroken True from step 1 on."""
    return int(np.logical_and.accumulate(mask[1:]).sum())


def ratios_by_step(sums: Floats) -> Floats:
    """New at t + 1 over new at t; NaN after nobody."""
    before = sums[:-1]
    return np.asarray(np.divide(sums[1:], before, out=np.full(before.shape, np.nan), where=before > 0))


def inactive_share(new: NDArray[Any], n_nodes: int, last: int) -> float:
    """Share of nodes inactive after the next step, as the average activation of steps 1 ... last - 1 finds it."""
    reach = new[:, :2].sum(axis=1, dtype=np.float64)
    met = total = 0.0
    for t in range(1, last):
        reach += new[:, t + 1]
        met += float(new[:, t] @ reach)
        total += float(new[:, t].sum())
    return 1 - met / (total * n_nodes) if total else 1.0


def pooled_ratio(x: NDArray[Any], y: NDArray[Any], run: NDArray[Any], confidence: float) -> tuple[float, float, float]:
    """Sum of y over sum of x with its interval; x, y and run have one entry a pair.

    The wider of two intervals: the normal one of the martingale, corrected for skewness (Hall 1992), its variance the
    larger of that of pairs and that of runs; and where skewness matters, the likelihood-ratio interval of
    negative-binomial offspring of any dispersion (Lloyd-Smith, Schreiber, Kopp and Getz 2005).
    """
    from scipy.special import ndtri

    total, after = float(x.sum()), float(y.sum())
    if total == 0:
        return float("nan"), float("nan"), float("nan")
    R = after / total
    if after == 0:  # of N trials none came true: exact for Poisson offspring
        return 0.0, 0.0, -np.log((1 - confidence) / 2) / total
    error = y - R * x
    by_run = np.bincount(np.unique(run, return_inverse=True)[1], error)
    variance = max(float(error @ error), float(by_run @ by_run))
    if variance == 0:
        return R, R, R
    skewness = float((error**3).sum()) / variance**1.5
    z = float(ndtri(0.5 + confidence / 2))
    low, high = (R - np.sqrt(variance) / total * _untransformed(q, skewness) for q in (z, -z))
    if abs(skewness) > SKEWED:
        least, most = _likelihood_interval(x, y, z)
        low, high = min(low, least), max(high, most)
    return R, max(float(low), 0.0), float(high)


def _untransformed(q: float, skewness: float) -> float:
    """Quantile of the studentised mean whose cubic transform (Hall 1992) is q."""
    if abs(skewness) < 1e-9:
        return q
    return float(3 / skewness * (np.cbrt(1 + skewness * (q - skewness / 6)) - 1))


def _likelihood_interval(x: NDArray[Any], y: NDArray[Any], z: float) -> tuple[float, float]:
    """Profile-likelihood interval of R where x sharers make negative-binomial y, mean R x and size k x."""
    from scipy.special import gammaln

    pairs, times = np.unique(np.stack([x, y], axis=1), axis=0, return_counts=True)
    before, after = pairs.T.astype(np.float64)
    total, made = float(times @ before), float(times @ after)
    size = SHAPES[:, None] * before
    constant = (gammaln(after + size) - gammaln(size)) @ times + SHAPES * total * np.log(SHAPES)

    def profile(R: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            terms = made * np.log(R)[:, None] - (made + SHAPES * total) * np.log(SHAPES + R[:, None])
        return np.asarray((constant + terms).max(axis=1))

    R = made / total
    grid = R * np.concatenate([np.geomspace(1e-3, 1, 400), np.geomspace(1, 1e3, 400)])
    inside = profile(grid) >= float(profile(np.array([R]))[0]) - z**2 / 2
    return float(grid[inside][0]), float(grid[inside][-1])


@dataclass(frozen=True)
class ReachFit:
    """What pairs say by reach.

    `bins`: one row for each doubling of reach (reach so far, offspring over sharers, their numbers); `final`: mean
    reach of the largest runs; `generations`: mean number of ratios in the window of a run that crosses it (or
    of the largest runs, where none does). Then the fit of
    log R(c) = a c**-b - k D(c), with D what depletion takes: `b` and its ends, R before depletion at b = 0 and its
    ends.
    """

    bins: dict[str, NDArray[Any]]
    final: float
    limit: float
    generations: float
    deceleration: tuple[float, float, float]
    R: tuple[float, float, float]
    pooled: tuple[float, float, float]


NOTHING = (float("nan"),) * 3


def fit_by_reach(
    new: NDArray[Any],
    depletion: float,
    confidence: float,
    *,
    final: float | None = None,
    depleted: Callable[[Floats], Floats] | None = None,
) -> ReachFit:
    """Fit R against the reach so far, from counts ``new[run, step]`` whose column 0 holds the seeds.

    `depleted` gives the fall of log R at a reach that the using up of users explains, up to a factor k that is fitted;
    without it, the share of the final reach.

    Reach is asked and not time: in time, runs that are ahead are used up while others have hardly begun, so that the
    ratio of the means falls although R of every run stands still.
    """
    from scipy.special import ndtri

    counts = np.asarray(new, np.float64)
    reach = counts.cumsum(axis=1)
    if final is None:
        ends = reach[:, -1]
        final = float(ends[ends >= ends.max() / 2].mean())
    limit = depletion * final
    seeds = counts[:, :1]
    inside = (counts[:, 1:-1] > 0) & (reach[:, 1:-1] - seeds >= FIRST_REACH - 1) & (reach[:, 1:-1] <= limit)
    x, y, c = counts[:, 1:-1][inside], counts[:, 2:][inside], reach[:, 1:-1][inside]
    run = np.nonzero(inside)[0]
    crossed = reach[:, -1] > min(limit, reach[:, -1].max() / 2)
    generations = float(inside[crossed].sum(axis=1).mean()) if crossed.any() else 0.0
    at = np.floor(np.log2(np.maximum(c / c.min(), 1.0)) + 1e-9).astype(np.intp) if c.size else np.zeros(0, np.intp)
    size = int(at.max()) + 1 if c.size else 0
    sharers, made = np.bincount(at, x, size), np.bincount(at, y, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, mean_reach = made / sharers, np.bincount(at, c * x, size) / sharers
    pooled = pooled_ratio(x, y, run, confidence)
    error = y - ratio[at] * x if c.size else y
    dispersion = float(error @ error / made.sum()) if made.sum() else 0.0  # variance over mean of the offspring
    used = made >= ENOUGH * max(dispersion, 1.0) if dispersion else made > 0
    bins = {"reach": mean_reach, "R": ratio, "sharers": sharers, "offspring": made, "fitted": used}
    if used.sum() < 3:
        return ReachFit(bins, final, limit, generations, NOTHING, NOTHING, pooled)
    z = float(ndtri(0.5 + confidence / 2))
    level, at_reach = np.log(ratio[used]), mean_reach[used]
    fall = at_reach / final if depleted is None else depleted(at_reach)
    root = 1 / np.sqrt(dispersion / made[used] + (FLOOR * np.abs(level).mean()) ** 2 + 1e-8)
    depleting = fall.max() > DEPLETED
    most = np.inf if depleted is None else MOST_DEPLETION

    def fit(b: float) -> tuple[float, float, float]:
        """Misfit, log R at the start, its variance."""
        columns = np.stack([(at_reach / at_reach[0]) ** -b, -fall], axis=1) * root[:, None]
        target = level * root
        found = np.linalg.lstsq(columns, target, rcond=None)[0] if depleting else np.zeros(2)
        if found[1] <= 0 or found[1] > most:  # depletion can only lower R
            target = target - columns[:, 1] * np.clip(found[1], 0.0, most)
            columns = columns[:, :1]
            found = np.linalg.lstsq(columns, target, rcond=None)[0]
        rest = columns @ found - target
        return float(rest @ rest), float(found[0]), float(np.linalg.inv(columns.T @ columns)[0, 0])

    fits = np.array([fit(b) for b in DECELERATIONS])
    best = int(fits[:, 0].argmin())
    spare = max(int(used.sum()) - 3, 1)
    near = fits[:, 0] <= fits[best, 0] + z**2 * max(1.0, fits[best, 0] / spare)
    b = (float(DECELERATIONS[best]), float(DECELERATIONS[near][0]), float(DECELERATIONS[near][-1]))
    misfit, start, variance = fits[0]
    half = z * np.sqrt(variance * max(1.0, misfit / max(int(used.sum()) - 2, 1)))
    R = (float(np.exp(start)), float(np.exp(start - half)), float(np.exp(start + half)))
    return ReachFit(bins, final, limit, generations, b, R, pooled)
