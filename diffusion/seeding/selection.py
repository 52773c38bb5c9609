"""What every way of choosing seeds gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..results.estimates import SpreadEstimate

__all__ = ["NextBuy", "SeedSelection", "told"]

_NAN = float("nan")


def told(chosen_by: str, compared: dict[str, float]) -> str:
    """Say that the seeds are those of a ranking, where they are."""
    if chosen_by in ("", "greedy"):
        return ""
    return f"; chosen by {chosen_by!r}, which reaches {compared[chosen_by]:.5g} and greedy {compared['greedy']:.5g}"


@dataclass(frozen=True)
class NextBuy:
    """Who would be bought next, had the budget been larger.

    Attributes
    ----------
    seed : label
        Of those not chosen whom the budget alone could pay: the one that adds most per price; of a heuristic, the next
        of its ranking.
    price : float
    gain : float
        Estimated spread added to that of the seeds, on the RR sets that chose them; NaN for heuristics.
    missing : float
        Money needed beyond the budget: the price less what is left.

    Examples
    --------
    >>> NextBuy("ann", price=800.0, gain=20.0, missing=300.0).gain_per_cost
    0.025
    """

    seed: Any
    price: float
    gain: float
    missing: float

    @property
    def gain_per_cost(self) -> float:
        """Spread that a unit of money buys, gain / price."""
        return self.gain / self.price if self.price > 0 else float("inf") if self.gain > 0 else _NAN


@dataclass(frozen=True, repr=False, eq=False)
class SeedSelection:
    """Seeds in the order in which they were chosen.

    Attributes
    ----------
    seeds : tuple of labels
    method : str
    scores : ndarray of float64, shape (len(seeds),)
        What the method ranks by, at the time each seed was taken (NaN where it has no score).
    seconds : float
        Time of the selection alone.
    key : int
        Key of the random draws.
    gains : ndarray of float64, shape (len(seeds),)
        Estimated marginal spread of each seed after those before it; empty for heuristics.
    lower, upper : float
        With probability at least 1 - delta the spread of the seeds is at least `lower`, and no permitted set has more than
        `upper`; NaN for methods without a certificate.
    eps, delta : float
        What was asked for.
    guarantee : str
        What the method promises beforehand, in words; what is proven of these seeds is lower / upper.
    n_rr_sets : int
    mean_rr_size : float
    chosen_by : str
        Where seeds are certified: "greedy", or the ranking whose seeds these are, as it reaches more than greedy; else "".
    compared : dict of str to float
        Estimated spread of the seeds of greedy, and of the rankings judged beside them on the same RR sets.
    stopped : str
        What ended the selection: "done", "converged", "guarantee", "quality", "precision", "bound", "time", "max_rr_sets",
        "memory" or "interrupted".
    cost, budget, next_unit : float
        Money spent, money given, and the spread that the next unit of money would buy (NaN without prices).
    next_buy : NextBuy or None
        Who would be bought with it, at what price; None without prices, or where nobody is left or adds anything.
    spread : SpreadEstimate or None
        Independent estimate, where ``evaluate=True`` asked for one.
    provenance : dict
    """

    seeds: tuple[Any, ...]
    method: str
    scores: NDArray[np.float64]
    seconds: float
    key: int
    gains: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    lower: float = _NAN
    upper: float = _NAN
    eps: float = _NAN
    delta: float = _NAN
    guarantee: str = "none: a heuristic"
    n_rr_sets: int = 0
    mean_rr_size: float = _NAN
    chosen_by: str = ""
    compared: dict[str, float] = field(default_factory=dict)
    stopped: str = "done"
    cost: float = _NAN
    budget: float = _NAN
    next_unit: float = _NAN
    next_buy: NextBuy | None = None
    spread: SpreadEstimate | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Proven share of the optimum, lower / upper; NaN without a certificate."""
        return self.lower / self.upper if self.upper > 0 else _NAN

    @property
    def spread_per_cost(self) -> float:
        """Estimated spread added per unit of money, by the gains, else by the independent estimate; NaN without."""
        if not self.cost > 0:
            return _NAN
        if self.gains.size:
            return float(self.gains.sum()) / self.cost
        return self.spread.mean / self.cost if self.spread is not None else _NAN

    def __len__(self) -> int:
        return len(self.seeds)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a seed: rank (from 1), node, score, and the marginal gain where the method estimates it."""
        table = pd.DataFrame(
            {
                "rank": np.arange(1, len(self.seeds) + 1),
                "node": pd.Index(list(self.seeds), tupleize_cols=False),
                "score": self.scores,
            }
        )
        return table.assign(gain=self.gains) if self.gains.size else table

    def __repr__(self) -> str:
        head = ", ".join(map(repr, self.seeds[:5])) + (", ..." if len(self.seeds) > 5 else "")
        text = f"SeedSelection: {len(self.seeds):,} seeds by {self.method}: {head}"
        if self.cost == self.cost:
            text += f"; cost {self.cost:,.6g} of {self.budget:,.6g}"
            if self.next_buy is not None:
                text += f", {self.next_buy.missing:,.6g} more would buy {self.next_buy.seed!r}"
        if self.upper == self.upper:
            text += (
                f"; spread at least {self.lower:.5g}, optimum at most {self.upper:.5g} (ratio {self.ratio:.3f}, delta "
                f"{self.delta:.2g}, {self.n_rr_sets:,} RR sets, stopped by {self.stopped})"
                f"{told(self.chosen_by, self.compared)}"
            )
        return text + (f"; spread {self.spread!r}" if self.spread is not None else "")
