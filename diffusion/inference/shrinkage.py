"""Priors of probabilities and rates, fitted to all of them: rare pairs are drawn towards what is usual."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._validation import Floats, is_number
from ..errors import InputError

__all__ = ["BetaPrior", "GammaPrior", "shrinkage_of"]

MOST_ROWS = 500_000  # pairs of successes and trials that a prior is fitted to
LEAST_STRENGTH, MOST_STRENGTH = 0.5, 1e6  # of a fitted prior, in trials


@dataclass(frozen=True)
class BetaPrior:
    """A Beta distribution of probabilities, as pseudo-counts.

    Attributes
    ----------
    hits, misses : float
        Parameters alpha and beta.

    See Also
    --------
    inference.EM, inference.Bernoulli, inference.FittedProbabilities

    Examples
    --------
    >>> BetaPrior(0.5, 4.5).mean
    0.1
    """

    hits: float
    misses: float

    @property
    def mean(self) -> float:
        """Mean probability."""
        return self.hits / self.strength

    @property
    def strength(self) -> float:
        """Trials that it weighs as much as."""
        return self.hits + self.misses

    @classmethod
    def fitted(cls, hits: Floats, trials: Floats, *, copies: int = 1) -> BetaPrior | None:
        """Return the prior under which successes and trials are likeliest (beta-binomial); None if nothing was tried.

        The share of its weight against the mean number of trials has a uniform prior itself.

        Parameters
        ----------
        hits, trials : ndarray of float64
            Successes may be expected ones, of any fraction.
        copies : int
            How often each arc is there, with successes drawn anew.
        """
        from scipy.special import betaln, digamma, expit

        tried = trials > 0
        if not tried.any():
            return None
        k, n, counts = _distinct(hits[tried], trials[tried])
        k, weights = np.minimum(k, n), counts / copies
        mean = float(np.clip((k @ counts + 0.5) / (n @ counts + 1), 1e-9, 1 - 1e-9))

        def cost(x: Floats) -> tuple[float, Floats]:
            m, s = float(expit(x[0])), math.exp(x[1])
            a, b = m * s, (1 - m) * s
            value = weights @ (betaln(k + a, n - k + b) - betaln(a, b))
            shared = digamma(s) - digamma(n + s)
            by_a = weights @ (digamma(k + a) - digamma(a) + shared)
            by_b = weights @ (digamma(n - k + b) - digamma(b) + shared)
            return -float(value), -np.array([(by_a - by_b) * s * m * (1 - m), by_a * a + by_b * b])

        logit, log_strength = _least(
            cost, [math.log(mean / (1 - mean)), 2.0], (-25.0, 25.0), float(n @ counts / counts.sum())
        )
        m, s = float(expit(logit)), math.exp(log_strength)
        return cls(m * s, (1 - m) * s)


@dataclass(frozen=True)
class GammaPrior:
    """A Gamma distribution of rates, as pseudo-counts.

    Attributes
    ----------
    events, exposure : float
        Shape, and rate.

    Examples
    --------
    >>> GammaPrior(0.5, 50.0).mean
    0.01
    """

    events: float
    exposure: float

    @property
    def mean(self) -> float:
        """Mean rate."""
        return self.events / self.exposure

    @classmethod
    def fitted(cls, events: Floats, exposure: Floats) -> GammaPrior | None:
        """Return the prior under which the counts are likeliest (negative binomial); None if there was no exposure.

        The share of its weight against the mean exposure has a uniform prior itself.

        Parameters
        ----------
        events, exposure : ndarray of float64
            Events may be expected ones, of any fraction.
        """
        from scipy.special import digamma, gammaln

        there = exposure > 0
        if not there.any() or not events.any():
            return None
        k, e, counts = _distinct(events[there], exposure[there])
        rate = float(k @ counts) / float(e @ counts)

        def cost(x: Floats) -> tuple[float, Floats]:
            a, r = math.exp(x[0] + x[1]), math.exp(x[1])  # mean exp(x[0])
            value = counts @ (gammaln(k + a) - gammaln(a) + a * np.log(r / (r + e)) - k * np.log(r + e))
            by_a = counts @ (digamma(k + a) - digamma(a) + np.log(r / (r + e)))
            by_r = counts @ (a / r - (a + k) / (r + e))
            return -float(value), -np.array([by_a * a, by_a * a + by_r * r])

        log_mean, log_exposure = _least(cost, [math.log(rate), 2.0], (-35.0, 25.0), float(e @ counts / counts.sum()))
        return cls(math.exp(log_mean + log_exposure), math.exp(log_exposure))


def _distinct(values: Floats, sizes: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Distinct pairs, to three digits, and how many there are of each; evenly thinned out where there are very many."""
    if values.size > MOST_ROWS:
        keep = np.linspace(0, values.size - 1, MOST_ROWS).astype(np.int64)
        values, sizes = values[keep], sizes[keep]
    rounded = []
    for column in (values, sizes):
        scale = 10.0 ** np.floor(np.log10(np.maximum(column, 1.0)))
        rounded.append(np.round(column / scale, 2) * scale)
    codes, distinct = zip(*(np.unique(column, return_inverse=True)[::-1] for column in rounded), strict=True)
    pairs, counts = np.unique(codes[0] * distinct[1].size + codes[1], return_counts=True)
    return distinct[0][pairs // distinct[1].size], distinct[1][pairs % distinct[1].size], counts


def _least(cost: Any, start: list[float], ends: tuple[float, float], size: float) -> list[float]:
    """Where a function of a location and a log strength is least, with a prior of the strength.

    The weight of the prior against `size` trials, strength / (strength + size), is uniform. Without it the strength would
    go to infinity, and intervals to nothing, wherever probabilities happen to vary no more than chance has it.
    """
    from scipy.optimize import minimize

    def whole(x: Floats) -> tuple[float, Floats]:
        value, slope = cost(x)
        strength = math.exp(x[1])
        return value + 2 * math.log(strength + size), slope + np.array([0.0, 2 * strength / (strength + size)])

    bounds = [ends, (math.log(LEAST_STRENGTH), math.log(MOST_STRENGTH))]
    found: list[float] = minimize(whole, start, jac=True, bounds=bounds, method="L-BFGS-B").x.tolist()
    return found


def shrinkage_of(given: Any) -> BetaPrior | Literal["empirical_bayes"] | None:
    """Check what `shrinkage=` was given: a word, nothing, or pseudo-counts."""
    if given is None:
        return None
    if isinstance(given, str) and given == "empirical_bayes":
        return "empirical_bayes"
    if isinstance(given, tuple | list) and len(given) == 2 and all(is_number(x) and x > 0 for x in given):
        return BetaPrior(float(given[0]), float(given[1]))
    raise InputError(
        f"shrinkage={given!r} is unknown: give 'empirical_bayes', None, or pseudo-counts above 0 such as (0.5, 4.5)"
    )
