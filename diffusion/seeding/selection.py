"""What every way of choosing seeds gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._html import card, interval_table, table
from .._upward import draw
from ..results.estimates import SpreadEstimate
from .certificate import Certificate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HEURISTIC", "NextBuy", "Purchase", "SeedSelection"]

_NAN = float("nan")
HEURISTIC = "none: a heuristic"


@dataclass(frozen=True)
class NextBuy:
    """Who would be bought next, had the budget been larger.

    Attributes
    ----------
    seed : label
        Of those not chosen whom the budget alone could pay: the one that adds most per price; of a ranking, the next in
        its order.
    price : float
    gain : float
        Estimated spread added to that of the seeds, on the RR sets that chose them; NaN for rankings.
    missing : float
        Money needed beyond the budget: the price less what is left.

    See Also
    --------
    seeding.Purchase, seeding.SeedSelection

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


@dataclass(frozen=True, eq=False)
class Purchase:
    """Money spent on seeds.

    Attributes
    ----------
    budget : float
    prices : ndarray of float64, shape (len(seeds),)
    next_buy : NextBuy or None
        None where nobody is left whom the budget could pay, or nobody adds anything.

    See Also
    --------
    seeding.NextBuy, seeding.SeedSelection

    Examples
    --------
    >>> Purchase(budget=100.0, prices=np.array([30.0, 50.0])).cost
    80.0
    """

    budget: float = _NAN
    prices: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    next_buy: NextBuy | None = None

    @property
    def cost(self) -> float:
        """Money spent; NaN without a budget."""
        return float(self.prices.sum()) if self.budget == self.budget else _NAN


def _read(part: str, name: str, text: str, otherwise: Any = _NAN) -> Any:
    """Attribute of a part of the selection."""

    def read(selection: SeedSelection) -> Any:
        owner = getattr(selection, part)
        return otherwise if owner is None else getattr(owner, name)

    return property(read, doc=text)


@dataclass(frozen=True, repr=False, eq=False)
class SeedSelection:
    """Seeds in the order in which they were chosen.

    Attributes
    ----------
    seeds : tuple of labels
    method : str
    scores : ndarray of float64, shape (len(seeds),)
        What the method ranks by, at the time each seed was chosen (NaN where it has no score).
    seconds : float
        Time of the selection alone.
    key : int
        Key of the random draws.
    gains : ndarray of float64, shape (len(seeds),)
        Estimated marginal spread of each seed after those before it and those there were already; empty for rankings.
    guarantee : str
        What the method promises beforehand, in words; what is proven of these seeds is lower / upper.
    stopped : str
        What ended the selection: "done", "converged" (the guarantee holds, and more RR sets would hardly choose better
        seeds), "guarantee", "quality", "precision" (sampling error within eps), "bound" (more sets cannot prove the
        quality asked for), "time", "max_rr_sets", "memory" (twice as many sets would not fit) or "interrupted". Bounds
        hold whatever the reason.
    certificate : Certificate or None
        What is proven of the seeds; None for methods without a certificate. Its ``lower``, ``upper``, ``ratio``,
        ``eps``, ``delta``, ``n_rr_sets``, ``mean_rr_size``, ``chosen_by`` and ``compared`` are attributes of the
        selection too.
    purchase : Purchase
        Money spent. Its ``budget``, ``cost``, ``prices`` and ``next_buy`` are attributes of the selection too.
    existing_spread : float
        Estimated spread of the seeds there were already.
    spread : SpreadEstimate or None
        Independent estimate, where ``evaluate=True`` asked for one.
    known : dict of str to ndarray
        What the graph says of each seed: followers, and tier and price where it has these attributes.
    provenance : dict

    See Also
    --------
    select_seeds, seeding.Certificate, seeding.Purchase
    """

    seeds: tuple[Any, ...]
    method: str
    scores: NDArray[np.float64]
    seconds: float
    key: int
    gains: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    guarantee: str = HEURISTIC
    stopped: str = "done"
    certificate: Certificate | None = None
    purchase: Purchase = field(default_factory=Purchase)
    existing_spread: float = 0.0
    spread: SpreadEstimate | None = None
    known: dict[str, NDArray[Any]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    lower = _read("certificate", "lower", "Lower bound of the spread of the seeds; NaN without a certificate.")
    upper = _read("certificate", "upper", "Upper bound of the spread of any permitted seed set; NaN without.")
    ratio = _read("certificate", "ratio", "Proven share of the optimum, lower / upper; NaN without a certificate.")
    eps = _read("certificate", "eps", "What was asked of the certificate; NaN without.")
    delta = _read("certificate", "delta", "Probability with which the certificate may fail; NaN without.")
    n_rr_sets = _read("certificate", "n_rr_sets", "RR sets sampled.", 0)
    mean_rr_size = _read("certificate", "mean_rr_size", "Mean members of the RR sets that chose; NaN without.")
    chosen_by = _read("certificate", "chosen_by", "'greedy', or the ranking whose seeds these are; '' without.", "")
    compared = _read("certificate", "compared", "Estimated spread of greedy and of the rankings beside it.", {})
    budget = _read("purchase", "budget", "Money there was; NaN without prices.")
    cost = _read("purchase", "cost", "Money spent; NaN without prices.")
    prices = _read("purchase", "prices", "Price of each seed; empty without prices.")
    next_buy = _read("purchase", "next_buy", "Who would be bought next, had the budget been larger.")

    @property
    def next_unit(self) -> float:
        """Estimated spread that the next unit of money would buy; NaN for rankings and without prices."""
        if self.next_buy is not None:
            return float(self.next_buy.gain_per_cost)
        return 0.0 if self.cost == self.cost and self.certificate is not None else _NAN

    @property
    def spread_per_cost(self) -> float:
        """Estimated spread added per unit of money, by the gains, else by the independent estimate; NaN without."""
        if not self.cost > 0:
            return _NAN
        if self.gains.size:
            return float(self.gains.sum() / self.cost)
        return self.spread.mean / self.cost if self.spread is not None else _NAN

    def __len__(self) -> int:
        return len(self.seeds)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a seed, with what is known of it: a column of which nothing is known is left out.

        Returns
        -------
        DataFrame
            rank (from 1), node, tier, followers, score, gain (marginal reach), spread (cumulated, with the existing
            seeds), price, cost (cumulated).
        """
        seen = {name: values for name, values in self.known.items() if name != "price"}
        found = pd.DataFrame(
            {
                "rank": np.arange(1, len(self.seeds) + 1),
                "node": pd.Index(list(self.seeds), tupleize_cols=False),
                **seen,
                "score": self.scores,
            }
        )
        if self.gains.size:
            found = found.assign(gain=self.gains, spread=self.existing_spread + np.cumsum(self.gains))
        price = self.prices if self.prices.size else self.known.get("price")
        if price is not None:
            found = found.assign(price=price, cost=np.cumsum(price))
        return found.dropna(axis="columns", how="all") if len(found) else found

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot estimated spread against the number of seeds, with what is proven; of a ranking, its scores."""
        return draw("selection", self, ax)

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
            )
            if self.chosen_by != "greedy":
                reached = self.compared
                text += f"; chosen by {self.chosen_by!r}, which reaches {reached[self.chosen_by]:.5g} and greedy "
                text += f"{reached['greedy']:.5g}"
        elif self.guarantee != HEURISTIC:
            text += f"; {self.guarantee}"
        return text + (f"; spread {self.spread!r}" if self.spread is not None else "")

    def _repr_html_(self) -> str:
        rows: list[tuple[str, float, float, float]] = []
        if self.certificate is not None:
            what = "spread of these seeds, from its lower bound to the upper bound of the optimum"
            rows.append((what, self.certificate.spread, self.lower, self.upper))
        if self.spread is not None:
            rows.append(("independent estimate", self.spread.mean, self.spread.low, self.spread.high))
        bounds = [interval_table(pd.DataFrame(rows, columns=["what", "value", "low", "high"]))] if rows else []
        return card(repr(self), *bounds, table(self.to_pandas()))
