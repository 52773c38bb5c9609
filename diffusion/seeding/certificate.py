"""What is proven of a choice of seeds, and the confidence bounds it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Certificate", "betting_low", "binomial_bounds"]

_NAN = float("nan")
STAKES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95])
HALVINGS = 40


@dataclass(frozen=True)
class Certificate:
    """Bounds proven afterwards: with probability at least 1 - delta, lower <= spread of the seeds and optimum <= upper.

    Attributes
    ----------
    spread : float
        Estimated spread of the seeds (with those there were already), from RR sets, or forward runs, that did not
        choose them.
    lower : float
        Lower bound of the spread of the seeds.
    upper : float
        Upper bound of the spread of every seed set that is permitted.
    delta : float
        Probability with which the bounds may fail.
    guarantee : float
        Share of the optimum that the method promises beforehand; NaN where it promises none, or was ended before.
    eps : float
        What was asked; NaN where `quality` was asked instead.
    n_rr_sets : int
        RR sets sampled, of all phases.
    mean_rr_size : float
        Mean members of the RR sets that chose the seeds, without those that ended at a seed.
    chosen_by : str
        "greedy", or the ranking whose seeds these are, as they reach more than those of greedy ("degree", ...).
    compared : dict of str to float
        Estimated spread of the seeds of greedy and of each ranking judged beside them; empty where none was.

    See Also
    --------
    seeding.SeedSelection, seeding.OPIM, select_seeds

    Examples
    --------
    >>> Certificate(spread=100.0, lower=90.0, upper=120.0, delta=0.01).ratio
    0.75
    """

    spread: float
    lower: float
    upper: float
    delta: float
    guarantee: float = _NAN
    eps: float = _NAN
    n_rr_sets: int = 0
    mean_rr_size: float = _NAN
    chosen_by: str = "greedy"
    compared: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Proven share of the optimum, lower / upper."""
        return self.lower / self.upper if self.upper > 0 else _NAN


def binomial_bounds(hits: float, n: int, alpha: float) -> tuple[float, float]:
    """Exact one-sided bounds (Clopper and Pearson 1934) of a share: each fails with probability at most `alpha`."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, n - hits + 1, alpha)) if hits > 0 else 0.0
    # The complement keeps its precision where alpha is tiny.
    high = 1.0 - float(betaincinv(n - hits, hits + 1, alpha)) if hits < n else 1.0
    return low, high


def betting_low(values: NDArray[Any], alpha: float) -> float:
    """Lower bound of the mean of independent values from 0, wrong with probability at most `alpha`.

    The bound is the m at which the mean wealth over some fixed stakes reaches 1 / alpha. Where values hardly vary, it
    is within about log(1 / alpha) / n of their mean, as a share.

    Notes
    -----
    Waudby-Smith and Ramdas treat values between 0 and 1; values need no upper limit here, as stakes are never
    negative. Proof: if the mean is m, a bet of the share c in [0, 1) of one's wealth on each value x at fair odds x /
    m multiplies the wealth by 1 + c (x / m - 1) >= 1 - c >= 0, which is 1 on average; so the wealth after n
    independent values, and its mean over the stakes, is non-negative with expectation 1, and is 1 / alpha or more with
    probability at most alpha (Markov; Ville for all n at once). The wealth falls with m, so that the bound exceeds the
    mean only if the wealth at the mean itself is 1 / alpha or more.

    References
    ----------
    Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", arXiv:2010.09686.
    """
    distinct, count = np.unique(np.asarray(values, np.float64), return_counts=True)
    low, high = 0.0, float(values.mean())
    if high <= 0:
        return 0.0
    for _ in range(HALVINGS):
        m = 0.5 * (low + high)
        wealth = np.log1p(STAKES[:, None] * (distinct / m - 1.0)) @ count
        top = float(wealth.max())
        if top + math.log(float(np.exp(wealth - top).mean())) >= -math.log(alpha):
            low = m
        else:
            high = m
    return low
