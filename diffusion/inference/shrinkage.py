"""Beta priors of probabilities, fitted to all of them: rare pairs are drawn towards what is usual."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._validation import is_number
from ..errors import InputError

__all__ = ["BetaPrior", "shrinkage_of"]

Floats = NDArray[np.float64]
MOST_ROWS = 100_000  # distinct pairs of successes and trials that a prior is fitted to
LEAST_STRENGTH, MOST_STRENGTH = 1e-3, 1e6  # of a fitted prior, in trials


@dataclass(frozen=True)
class BetaPrior:
    """A Beta distribution of probabilities, as pseudo-counts.

    Attributes
    ----------
    hits, misses : float
        Parameters alpha and beta.

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
    def fitted(cls, hits: Floats, trials: Floats) -> BetaPrior | None:
        """Return the prior under which successes and trials are likeliest (beta-binomial); None if nothing was tried.

        Parameters
        ----------
        hits, trials : ndarray of float64
            Successes may be expected ones, of any fraction.
        """
        from scipy.optimize import minimize
        from scipy.special import betaln, expit

        tried = trials > 0
        if not tried.any():
            return None
        pairs, counts = np.unique(
            np.column_stack([np.round(hits[tried], 2), trials[tried]]), axis=0, return_counts=True
        )
        if len(pairs) > MOST_ROWS:  # evenly through the sorted pairs
            keep = np.linspace(0, len(pairs) - 1, MOST_ROWS).astype(np.int64)
            pairs, counts = pairs[keep], counts[keep]
        k, n = pairs.T
        k = np.minimum(k, n)
        mean = float(np.clip((k @ counts + 0.5) / (n @ counts + 1), 1e-9, 1 - 1e-9))

        def cost(x: NDArray[Any]) -> float:
            m, s = expit(x[0]), math.exp(x[1])
            a, b = m * s, (1 - m) * s
            return -float(counts @ (betaln(k + a, n - k + b) - betaln(a, b)))

        ends = [(-25.0, 25.0), (math.log(LEAST_STRENGTH), math.log(MOST_STRENGTH))]
        start = math.log(mean / (1 - mean))
        best = min(
            (minimize(cost, [start, s], bounds=ends, method="L-BFGS-B") for s in (0.0, 4.0)), key=lambda r: float(r.fun)
        )
        m, s = float(expit(best.x[0])), math.exp(float(best.x[1]))
        return cls(m * s, (1 - m) * s)

    def interval(self, hits: Floats, trials: Floats, confidence: float) -> tuple[Floats, Floats]:
        """Return the ends of the posterior intervals of equal tails.

        Parameters
        ----------
        hits, trials : ndarray of float64
        confidence : float
        """
        from scipy.special import betaincinv

        yes, no = self.hits + hits, self.misses + trials - hits
        tail = (1 - confidence) / 2
        return betaincinv(yes, no, tail), betaincinv(yes, no, 1 - tail)


def shrinkage_of(given: Any) -> BetaPrior | Literal["empirical_bayes"] | None:
    """Check what `shrinkage=` was given: a word, nothing, or pseudo-counts."""
    if given is None or given == "empirical_bayes":
        return given
    if isinstance(given, tuple | list) and len(given) == 2 and all(is_number(x) and x > 0 for x in given):
        return BetaPrior(float(given[0]), float(given[1]))
    raise InputError(
        f"shrinkage={given!r} is unknown: give 'empirical_bayes', None, or pseudo-counts above 0 such as (0.5, 4.5)"
    )
