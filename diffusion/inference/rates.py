"""Rates of units (creators, users): their mean, and a hierarchical model of counts, by quadrature, for every unit's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._upward import draw
from .._validation import Floats
from ..errors import InputError
from ..results.intervals import EVENTS, MeanInterval, mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RateFit", "fit_rates", "note_dispersion"]

MOST_SPREAD = 4.0  # standard deviation between units over the mean: the prior on it is flat from 0 to here
STEP = 0.3  # between nodes of a rate, as a share of its smallest standard error
NODES, CELLS = 1000, 4_000_000  # most nodes of a rate, and most cells of units by nodes
LEVELS = 400  # of intervals that make the confidence distribution of a mean
ROWS = 2048  # units worked on at once
EDGE = 1e-7  # posterior mass that a refined grid may leave out at an end
EXACT = 1e-8  # squared variation of a unit's rate below which counts are plain binomial or Poisson


class Units(NamedTuple):
    """Counts of units: events, exposures, and the squared variation c^2 S of a unit's rate over its rows."""

    events: Floats
    exposures: Floats
    variation: Floats


@dataclass(frozen=True, repr=False, eq=False)
class RateFit:
    """How often an action follows an exposure: the mean over units (creators, users), and every unit's own rate.

    Attributes
    ----------
    name : str
        What is counted.
    rate, low, high : float
        Mean of the units' rates, and its interval. Every unit counts as much, however many exposures it has.
    spread, spread_low, spread_high : float
        Standard deviation of rates between units over their mean, with its interval.
    overdispersion : float
        c^2: squared coefficient of variation of the rate between rows (notes) of one unit, beyond chance; NaN where no
        unit has two rows.
    pooled : float
        All events over all exposures: units with many exposures weigh most.
    units : DataFrame
        One row a unit: events, exposures, rows, and rate (posterior mean), low, high: shrunk towards the mean rate.
    confidence : float
        Level of the intervals.
    bounded : bool
        Whether rates are at most 1 (events are a part of exposures).
    distribution : DataFrame
        Confidence distribution of the mean rate, columns rate and probability: the ends of its intervals at all levels.
    provenance : dict

    See Also
    --------
    inference.fit_attention, inference.FunnelFit

    Notes
    -----
    The model is described in the notes of `fit_funnel`.
    """

    name: str
    rate: float
    low: float
    high: float
    spread: float
    spread_low: float
    spread_high: float
    overdispersion: float
    pooled: float
    units: pd.DataFrame
    confidence: float
    bounded: bool
    distribution: pd.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)

    def quantile(self, u: Any) -> Floats:
        """Return quantiles of the mean rate's confidence distribution.

        Parameters
        ----------
        u : array-like of numbers from 0 to 1

        Returns
        -------
        ndarray of float64
        """
        cdf, rate = self.distribution["probability"].to_numpy(), self.distribution["rate"].to_numpy()
        return np.asarray(np.interp(np.asarray(u, np.float64), cdf, rate), np.float64)

    def to_pandas(self) -> pd.DataFrame:
        """Return the rates of the units."""
        return self.units

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the rate of every unit with its interval, and the mean over units."""
        return draw("rates", self, ax)

    def __repr__(self) -> str:
        within = f", c^2 {self.overdispersion:.3g} within" if self.overdispersion > 0 else ""
        return (
            f"{self.name} per exposure {self.rate:.3g} [{self.low:.3g}, {self.high:.3g}] ({self.confidence:.0%}, mean over "
            f"{len(self.units):,} units of which rates vary by {self.spread:.2g} of it{within}); pooled {self.pooled:.3g}"
        )


def fit_rates(
    events: Floats,
    exposures: Floats,
    labels: pd.Series[Any],
    *,
    name: str,
    bounded: bool,
    confidence: float,
    provenance: dict[str, Any],
) -> RateFit:
    """Fit the hierarchical model of `fit_funnel` to rows of events and exposures; what is given has been checked."""
    codes, names = pd.factorize(labels, sort=True)
    done, seen = (np.bincount(codes, values, len(names)).astype(np.float64) for values in (events, exposures))
    rows = np.bincount(codes, minlength=len(names))
    share = np.bincount(codes, exposures**2, len(names)) / seen**2  # 1 over the effective number of rows
    dispersion = note_dispersion(events, exposures, codes, bounded=bounded)
    units = Units(done, seen, np.nan_to_num(dispersion) * share)
    alike, back, times = np.unique(np.column_stack(units), axis=0, return_inverse=True, return_counts=True)
    units = Units(alike[:, 0].copy(), alike[:, 1].copy(), alike[:, 2].copy())
    nodes = _edges(units, bounded)
    prior = _refined(units, times, nodes, bounded)
    tails = np.array([(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    mean, low, high = _of_units(units, nodes, prior, tails, bounded)
    spreads = prior.spread_quantiles(tails)
    own = done / seen
    found = _interval(own, confidence, bounded, name)
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    quantiles = [_interval(own, abs(1 - 2 * u), bounded, name)[2 if u < 0.5 else 3] for u in levels]
    table = pd.DataFrame(
        {"events": done.astype(np.int64), "exposures": seen.astype(np.int64), "rows": rows}
        | {column: values[back.ravel()] for column, values in (("rate", mean), ("low", low), ("high", high))},
        index=pd.Index(names, name=labels.name),
    )
    return RateFit(
        name,
        found.mean,
        found.low,
        found.high,
        float(spreads[1]),
        float(spreads[0]),
        float(spreads[2]),
        dispersion,
        float(done.sum() / seen.sum()),
        table,
        confidence,
        bounded,
        pd.DataFrame({"rate": np.maximum.accumulate(quantiles), "probability": levels}),
        provenance,
    )


def _interval(own: Floats, confidence: float, bounded: bool, name: str) -> MeanInterval:
    """Interval of the mean of units' rates, which supposes nothing of how rates, or rows of a unit, are distributed."""
    found = mean_interval(own, confidence, (0.0, 1.0 if bounded else np.inf))
    if not np.isfinite(found.high):
        raise InputError(
            f"of {len(own):,} units too few have a rate of {name} other than {np.median(own):.3g}, the usual one: an interval of "
            f"the mean needs {EVENTS} that differ; give more creators, or impressions, which bound a rate by 1"
        )
    return found


def note_dispersion(events: Floats, exposures: Floats, codes: NDArray[np.intp], *, bounded: bool) -> float:
    """Squared coefficient of variation c^2 of a unit's rate from row to row, by moments; NaN where no unit has two rows.

    With n exposures in a row, rate t of the unit and N exposures in all, the variance of the row's events is n t q +
    c^2 n^2 t^2 (q = 1 - t where events are a part of exposures, else 1), of which the squared residuals from the unit's own
    rate have the mean solved here. The square of an estimated rate is 1 + c^2 S + q / (N t) times that of the rate, which the
    denominator takes off. Each unit counts by its effective rows 1 / S: no unit with one outlier decides.
    """
    n_units = int(codes.max()) + 1
    sums = (np.bincount(codes, x, n_units).astype(np.float64) for x in (exposures, events, exposures**2, exposures**3))
    N, Y, n2, n3 = sums
    r, S = Y / N, n2 / N**2
    residual = np.bincount(codes, (events - exposures * r[codes]) ** 2, n_units).astype(np.float64)
    some = (np.bincount(codes, minlength=n_units) > 1) & (Y > 0)
    if not some.any():
        return float("nan")
    N, r, S, n2, n3, residual = (x[some] for x in (N, r, S, n2, n3, residual))
    q = 1 - r if bounded else np.ones_like(r)
    x = (residual - (N - n2 / N) * r * q) / (n2 - 2 * n3 / N + n2**2 / N**2) / r**2
    left = ((1 - q / (N * r) - S * x) / S).sum()
    # All of the squared rate is noise where nothing is left: then rates differ from row to row as much as they can.
    return float(max((x / S).sum() / max(left, 1e-3 * (1 / S).sum()), 0.0))


def _edges(units: Units, bounded: bool) -> Floats:
    """Edges of the nodes of a unit's rate: beyond what any unit shows, in steps below the error of the best known."""
    y, n, variation = units
    low = np.log(float((np.maximum(y, 0.5) / n).min()) / 50)
    if bounded:
        high = -np.log(float((np.maximum(n - y, 0.5) / n).min()) / 50)  # in logits, of which log(rate) is the lower end
    else:
        high = np.log(50 * float((np.maximum(y, 0.5) / n).max()))
    error = float(np.sqrt(1 / np.maximum(y, 1) + variation).min())
    count = min(max(int((high - low) / (STEP * error)), 200), NODES, max(CELLS // len(y), 200))
    return _unlink(np.linspace(low, high, count + 1), bounded)


class _Prior(NamedTuple):
    """Cells of mean rate by spread (by shape of the distribution), with their posterior weights and masses on the nodes."""

    link: Floats  # of the mean rate, evenly spaced
    share: Floats  # of the largest spread, evenly spaced
    mean: Floats  # of each cell
    spread: Floats
    weight: Floats
    mass: Floats  # cells by nodes

    def spread_quantiles(self, u: Floats) -> Floats:
        """Quantiles of the spread between units."""
        order = np.argsort(self.spread, kind="stable")
        cdf = np.cumsum(self.weight[order])
        return np.interp(u, cdf - self.weight[order] / 2, self.spread[order])


def _unlink(link: Floats, bounded: bool) -> Floats:
    return np.asarray(1 / (1 + np.exp(-link)) if bounded else np.exp(link))


def _refined(units: Units, times: NDArray[np.intp], edges: Floats, bounded: bool) -> _Prior:
    """Weigh a wide grid of mean and spread by the data, then finer grids where the mass is."""
    start = float((units.events / units.exposures) @ times / times.sum())
    middle = float(np.log(start / (1 - min(start, 1 - 1e-6))) if bounded else np.log(start))
    link, share = np.linspace(middle - 3, middle + 3, 21), np.linspace(0.005, 1, 13)
    for size in ((21, 13), (31, 19)):
        prior = _weighed(units, times, edges, link, share, bounded)
        cells = prior.weight.reshape(-1, len(link), len(share)).sum(axis=0)
        link, share = _zoomed(link, cells.sum(axis=1), size[0]), _zoomed(share, cells.sum(axis=0), size[1])
    return _weighed(units, times, edges, link, share, bounded)


def _zoomed(grid: Floats, mass: Floats, size: int) -> Floats:
    """A grid of the part that holds all mass but a little, with one step around it."""
    inside = np.flatnonzero(np.minimum(np.cumsum(mass), np.cumsum(mass[::-1])[::-1]) > EDGE)
    first, last = max(inside[0] - 1, 0), min(inside[-1] + 1, len(grid) - 1)
    return np.linspace(grid[first], grid[last], size)


def _weighed(
    units: Units, times: NDArray[np.intp], edges: Floats, link: Floats, share: Floats, bounded: bool
) -> _Prior:
    """Posterior weights of the cells: flat in the link of the mean and in the spread."""
    from scipy.special import betainc, gammainc, ndtr

    m, f = (x.ravel() for x in np.meshgrid(_unlink(link, bounded), share, indexing="ij"))
    widest = np.minimum(MOST_SPREAD, 0.98 * np.sqrt((1 - m) / m)) if bounded else np.full(len(m), MOST_SPREAD)
    v, at = f * widest, edges[None, 1:-1]
    if bounded:
        size = ((1 - m) / (m * v**2) - 1)[:, None]
        below = [betainc(m[:, None] * size, (1 - m[:, None]) * size, at)]
    else:
        s = np.sqrt(np.log1p(v**2))[:, None]
        below = [
            gammainc(v[:, None] ** -2, v[:, None] ** -2 / m[:, None] * at),
            ndtr((np.log(at / m[:, None]) + s**2 / 2) / s),
        ]
    mass: Floats = np.diff(np.concatenate(below), axis=1, prepend=0, append=1).astype(np.float64)
    log = np.tile(np.log(widest), len(below))
    for first, likelihood in _likelihoods(units, edges, bounded):
        with np.errstate(divide="ignore"):
            log += times[first : first + len(likelihood)] @ np.log(likelihood @ mass.T)
    weight = np.exp(log - log.max())
    m, v = np.tile(m, len(below)), np.tile(v, len(below))
    return _Prior(link, share, m, v, weight / weight.sum(), mass)


def _likelihoods(units: Units, edges: Floats, bounded: bool) -> Iterator[tuple[int, Floats]]:
    """Likelihood of every unit at the nodes, up to a factor, some units at a time with the number of the first."""
    from scipy.special import betaln

    t = (edges[1:] + edges[:-1]) / 2
    for first in range(0, len(units.events), ROWS):
        y, n, variation = (x[first : first + ROWS, None] for x in units)
        if bounded:
            log = y * np.log(t) + (n - y) * np.log1p(-t)
            rough = variation[:, 0] > EXACT
            # Beta-binomial with the variance of rows that vary: t (1 - t) / (size + 1) = variation t^2
            size = np.maximum((1 - t) / (t * variation[rough]) - 1, 1e-3)
            y, n, a, b = y[rough], n[rough], t * size, (1 - t) * size
            log[rough] = betaln(y + a, n - y + b) - betaln(a, b)
        else:
            size = 1 / np.maximum(variation, EXACT)  # negative binomial
            log = y * np.log(n * t / (size + n * t)) - size * np.log1p(n * t / size)
        yield first, np.exp(log - log.max(axis=1, keepdims=True))


def _of_units(
    units: Units, edges: Floats, prior: _Prior, tails: Floats, bounded: bool
) -> tuple[Floats, Floats, Floats]:
    """Posterior mean and interval of every unit's rate, over all cells of mean and spread."""
    t = (edges[1:] + edges[:-1]) / 2
    found = []
    for _, likelihood in _likelihoods(units, edges, bounded):
        marginal = likelihood @ prior.mass.T
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(prior.weight > 0, prior.weight / marginal, 0.0)
        density = likelihood * (weight @ prior.mass)
        density /= density.sum(axis=1, keepdims=True)
        cdf = np.cumsum(density, axis=1)
        ends = np.array([np.exp(np.interp(tails[[0, 2]], np.concatenate([[0], row]), np.log(edges))) for row in cdf])
        ends[cdf[:, 0] > tails[0], 0] = 0.0  # the first node stands for all that is below it, down to 0
        if bounded:
            ends[cdf[:, -2] < tails[2], 1] = 1.0
        found.append(np.column_stack([density @ t, ends]))
    mean, low, high = np.concatenate(found).T
    return mean, low, high
