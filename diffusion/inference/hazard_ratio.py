"""Hazards of further neighbours: shares over clusters, and ratios within users and items."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation import Floats
from ..results.estimates import Estimate

__all__ = [
    "UserSpells",
    "by_item",
    "clustered_share",
    "hazard_ratios",
    "informative",
    "periods",
    "poisson_means",
    "regression",
]

FEW = 5  # adoptions at either level below which the standard error of a ratio is not trusted
ROUNDS, TOL = 2000, 1e-6  # of iterations over effects
PERIODS = 10  # of an item at most
EXTREME = 700.0  # logarithm of a ratio that a float still holds

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class UserSpells:
    """Spells of users with one number of active neighbours, by item in order of their beginning."""

    item: Ints
    node: NDArray[np.int32]
    level: NDArray[np.int32]
    jump: NDArray[np.int32]
    begin: Floats
    adopted: NDArray[np.bool_]

    def where(self, keep: NDArray[Any]) -> UserSpells:
        return UserSpells(*(getattr(self, f.name)[keep] for f in fields(self)))


def by_item(found: UserSpells) -> tuple[Ints, Ints]:
    """Adoptions and exposures of every item that has any exposure."""
    _, code = np.unique(found.item, return_inverse=True)
    return np.bincount(code[found.adopted], minlength=code.max(initial=-1) + 1), np.bincount(code)


def clustered_share(
    hits: Ints, counts: Ints, confidence: float, correlation: float | None = None
) -> tuple[float, float, float]:
    """Share over clusters with Korn and Graubard's interval (1998): exact, for the effective number of trials.

    All or no hits show no `correlation` within clusters: without a given one, clusters stand for as many trials.
    """
    from scipy.special import betaincinv, stdtrit

    items, n, x = counts.size, float(counts.sum()), float(hits.sum())
    if not n:
        return math.nan, math.nan, math.nan
    p = x / n
    if items < 2:
        return p, 0.0, 1.0
    tail = (1 - confidence) / 2
    effective = float(items) if correlation is None else n / (1 + (_mean_size(counts) - 1) * correlation)
    if 0 < x < n:
        effective = n / max(_design_effect(hits, counts), 1.0)
        effective *= float(stdtrit(n - 1, tail) / stdtrit(items - 1, tail)) ** 2
    hit, miss = p * effective, (1 - p) * effective
    low = float(betaincinv(hit, miss + 1, tail)) if hit else 0.0
    high = float(betaincinv(hit + 1, miss, 1 - tail)) if miss else 1.0
    return p, low, high


def _design_effect(hits: Ints, counts: Ints) -> float:
    """Variance of a share over clusters, over that of independent trials."""
    n, p = float(counts.sum()), float(hits.sum() / counts.sum())
    variance = counts.size / (counts.size - 1) * float(((hits - p * counts) ** 2).sum()) / n**2
    return variance / (p * (1 - p) / n)


def _mean_size(counts: Ints) -> float:
    """Mean size of the cluster of a trial."""
    return float((counts**2).sum() / counts.sum())


def hazard_ratios(found: UserSpells, level: int, confidence: float) -> tuple[Estimate, Estimate]:
    """Hazard of neighbour `level` over that of the first: within users and items, and over all together."""
    of_first = found.level == 1
    both = found.where(of_first | ((found.level == level) & (found.jump == 1)))
    return _ratio(both, confidence, within=True), _ratio(both, confidence, within=False)


def _ratio(found: UserSpells, confidence: float, *, within: bool) -> Estimate:
    """Ratio of hazards, corrected by the split-panel jackknife where every user has an effect; robust to clusters of items."""
    from scipy.special import stdtrit

    items = np.unique(found.item).size
    first, further = found.where(found.level == 1), found.where(found.level > 1)
    if min(first.adopted.sum(), further.adopted.sum()) < FEW:
        return _boxed(first, further, confidence, items)
    value, se, clusters = regression(found, within)
    if within:
        half = np.unique(found.item, return_inverse=True)[1] % 2 == 1
        value = 2 * value - (regression(found.where(half), within)[0] + regression(found.where(~half), within)[0]) / 2
    if not math.isfinite(value) or clusters < 2:
        return _boxed(first, further, confidence, items)
    reach = float(stdtrit(clusters - 1, 0.5 + confidence / 2)) * se
    middle, low, high = (math.exp(max(min(value + side * reach, EXTREME), -EXTREME)) for side in (0, -1, 1))
    return Estimate(middle, low, high, confidence, items)


def regression(found: UserSpells, within: bool) -> tuple[float, float, int]:
    """Logarithm of the ratio, its standard error, and items that say something, by Poisson regression."""
    effects: tuple[Ints, ...] = (np.zeros(found.item.size, np.int64),) * 2
    if within:
        effects = found.node.astype(np.int64), periods(found)
        keep = informative(found.adopted, effects)
        found, effects = found.where(keep), tuple(np.unique(e[keep], return_inverse=True)[1] for e in effects)
    further, y = found.level > 1, found.adopted
    cluster = np.unique(found.item, return_inverse=True)[1]
    if min(y[further].sum(), y[~further].sum()) < 1:
        return math.nan, math.nan, 0
    value, mean = poisson_means(effects[0], effects[1], further, y)
    rest = further.astype(np.float64)  # what effects do not tell of who is at the further neighbour
    weights = [np.bincount(effect, weights=mean) for effect in effects]
    for _ in range(ROUNDS):
        before = rest
        for effect, weight in zip(effects, weights, strict=True):
            rest = rest - (np.bincount(effect, weights=mean * rest) / weight)[effect]
        if np.abs(rest - before).max() < TOL:
            break
    score, information = np.bincount(cluster, weights=rest * (y - mean)), float((mean * rest**2).sum())
    if score.size < 2 or information < TOL:
        return math.nan, math.nan, 0
    return math.log(value), math.sqrt(score.size / (score.size - 1) * float(score @ score)) / information, score.size


def periods(found: UserSpells) -> Ints:
    """Periods of every item by when spells begin: its times, or ten groups of them where there are more."""
    order = np.lexsort((found.begin, found.item))
    item, begin = found.item[order], found.begin[order]
    new_item = np.concatenate([[True], np.diff(item) > 0])
    new = new_item | np.concatenate([[True], np.diff(begin) > 0])
    rank = np.cumsum(new) - 1
    start, times = rank[new_item], np.diff(np.append(rank[new_item], rank[-1] + 1))
    of = np.cumsum(new_item) - 1
    period = np.empty(order.size, np.int64)
    period[order] = (rank - start[of]) * np.minimum(times, PERIODS)[of] // times[of] + PERIODS * of
    return period


def informative(y: NDArray[np.bool_], effects: tuple[Ints, ...]) -> NDArray[np.bool_]:
    """Rows whose effects all have an adoption: those without one are estimated as 0, and say nothing of the ratio."""
    keep = np.ones(y.size, np.bool_)
    while True:
        kept = keep.copy()
        for effect in effects:
            keep &= np.bincount(effect[keep & y], minlength=int(effect.max()) + 1)[effect] > 0
        if (keep == kept).all():
            return keep


def poisson_means(user: Ints, period: Ints, further: NDArray[np.bool_], y: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Ratio and means that maximise the likelihood of y ~ Poisson(a_user b_period ratio^further), one factor at a time."""
    of_user, of_period = (np.bincount(effect, weights=y) for effect in (user, period))
    b, ratio, hits = np.ones(of_period.size), 1.0, float(y[further].sum())
    for _ in range(ROUNDS):
        times = np.where(further, ratio, 1.0)
        a = of_user / np.bincount(user, weights=b[period] * times)
        b = of_period / np.bincount(period, weights=a[user] * times)
        mean = a[user] * b[period]
        last, ratio = ratio, hits / float(mean[further].sum())
        if abs(math.log(ratio / last)) < TOL:
            break
    return ratio, mean * np.where(further, ratio, 1.0)


def _boxed(first: UserSpells, further: UserSpells, confidence: float, items: int) -> Estimate:
    """The ratio between the ends of the intervals of the two probabilities, each at half the error."""
    if not first.item.size or not further.item.size:
        return Estimate(math.nan, 0.0, math.inf, confidence, items)
    both = by_item(first), by_item(further)
    found = [
        (_design_effect(hits, counts) - 1) / (_mean_size(counts) - 1)
        for hits, counts in both
        if 0 < hits.sum() < counts.sum() and counts.size > 1 and counts.max() > 1
    ]
    correlation = min(max(0.0, *found), 1.0) if found else None
    half = (1 + confidence) / 2
    (p, low, high), (q, lower, higher) = (clustered_share(*counted, half, correlation) for counted in both)
    value = q / p if p else math.inf if q else math.nan
    return Estimate(value, lower / high, higher / low if low else math.inf, confidence, items)
