"""What selections with a certificate give back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._provenance import provenance
from ._rankings import Kept
from ._search import State, Task, check_k, is_number, open_unit, permitted
from .ris import RRStore
from .selection import NextBuy, told

__all__ = ["Certificate", "certificate", "check_k", "is_number", "open_unit", "permitted"]


@dataclass(frozen=True, repr=False, eq=False)
class Certificate:
    """Seeds with proven bounds: with probability at least 1 - delta, lower <= spread of the seeds and optimum <= upper.

    Attributes
    ----------
    seeds : tuple of labels
        In the order in which they were chosen.
    gains : ndarray of float64, shape (len(seeds),)
        Estimated marginal spread of each seed after those before it (and after the seeds already taken).
    spread : float
        Estimated spread of the seeds (with those already taken), from sets, or forward runs, that did not choose them.
    lower : float
        Lower bound of the spread of the seeds.
    upper : float
        Upper bound of the spread that *any* permitted seed set has.
    guarantee : float
        Share of the optimum that the method promises beforehand; NaN where it promises none, or was ended before.
    eps, delta : float
        What was asked; eps is NaN where `quality` was asked instead.
    n_rr_sets : int
        RR sets sampled, of all phases.
    mean_rr_size : float
        Mean members of the RR sets that chose the seeds; those cut short by hit-and-stop are not counted.
    seconds : float
        Time of the whole selection, with preparing the graph if that was not done before.
    stopped : {"converged", "guarantee", "quality", "precision", "bound", "time", "max_rr_sets", "memory", "interrupted"}
        ``"converged"``: the guarantee holds, and more sets would hardly choose better seeds. ``"precision"``: sampling error within eps (budgets). ``"bound"``: more sets cannot prove the quality asked for,
        as what is missing is the distance of greedy from its own upper bound. ``"memory"``: twice as many sets would
        not fit. The bounds hold whatever the reason.
    method : str
    chosen_by : str
        "greedy", or the ranking whose seeds these are, as they reach more than those of greedy (``"degree"``, ...).
    compared : dict of str to float
        Estimated spread of the seeds of greedy and of each ranking judged beside them; empty where none was.
    already : float
        Estimated spread of the seeds already taken; part of spread, lower and upper.
    cost, budget, next_unit : float
        Money spent, money given, and the spread that the next unit of money would buy (NaN without prices).
    next_buy : NextBuy or None
        Who would be bought with it; None without prices, or where nobody adds anything.
    prices : ndarray of float64
        Price of each seed; empty without prices.
    key : int
    provenance : dict
    """

    seeds: tuple[Any, ...]
    gains: NDArray[np.float64]
    spread: float
    lower: float
    upper: float
    guarantee: float
    eps: float
    delta: float
    n_rr_sets: int
    mean_rr_size: float
    seconds: float
    stopped: str
    method: str
    key: int
    chosen_by: str = "greedy"
    compared: dict[str, float] = field(default_factory=dict)
    already: float = 0.0
    cost: float = float("nan")
    budget: float = float("nan")
    next_unit: float = float("nan")
    next_buy: NextBuy | None = None
    prices: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Proven share of the optimum, lower / upper."""
        return self.lower / self.upper if self.upper > 0 else float("nan")

    @property
    def spread_per_cost(self) -> float:
        """Estimated spread gained per unit of money (NaN without prices)."""
        return (self.spread - self.already) / self.cost if self.cost > 0 else float("nan")

    def __len__(self) -> int:
        return len(self.seeds)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a seed: rank (from 1), node, gain, cumulated spread, and price where there are prices."""
        table = pd.DataFrame(
            {
                "rank": np.arange(1, len(self.seeds) + 1),
                "node": pd.Index(list(self.seeds), tupleize_cols=False),
                "gain": self.gains,
                "spread": self.already + np.cumsum(self.gains),
            }
        )
        return table.assign(price=self.prices) if self.prices.size else table

    def __repr__(self) -> str:
        text = (
            f"Certificate: {len(self.seeds):,} seeds by {self.method}, spread {self.spread:.5g}, at least "
            f"{self.lower:.5g} of an optimum of at most {self.upper:.5g} (ratio {self.ratio:.3f}, delta "
            f"{self.delta:.2g}), {self.n_rr_sets:,} RR sets, stopped by {self.stopped}"
            f"{told(self.chosen_by, self.compared)}"
        )
        return text + (f", cost {self.cost:,.6g} of {self.budget:,.6g}" if self.cost == self.cost else "")


def certificate(
    task: Task, state: State, stopped: str, *, call: str, method: str, eps: float, guarantee: float, used: int,
    choosing: RRStore, gains_given: NDArray[np.float64], facts: dict[str, Any], kept: Kept | None = None, **more: Any,
) -> Certificate:  # fmt: skip
    seconds = time.perf_counter() - task.start
    seeds = state.choice.seeds
    given = len(gains_given)
    already = more.pop("already", None)
    if already is None:
        already = state.of_given
    gains = np.concatenate([gains_given, state.added])
    if given and gains_given.sum() > 0:  # the first seeds are known together: they share by the first phase
        gains[:given] *= (state.of_given - already) / gains_given.sum()
    rule = task.graph.probabilities
    record = provenance(
        call,
        key=task.key,
        model=task.model.label,
        probabilities=None if rule is None else rule.label,
        graph=task.graph.fingerprint,
        method=method,
        delta=task.delta,
        n_rr_sets=used,
        stopped=stopped,
        chosen_by="greedy" if kept is None else kept.name,
        compared={} if kept is None else kept.spreads,
        **facts,
    )
    if stopped in ("time", "max_rr_sets", "memory", "interrupted") and not state.ratio >= guarantee:
        guarantee = float("nan")
    return Certificate(
        seeds=tuple(task.graph.index.labels_of(seeds).tolist()), gains=gains, spread=state.spread, lower=state.lower,
        upper=state.upper, guarantee=guarantee, eps=eps, delta=task.delta, n_rr_sets=used,
        mean_rr_size=choosing.mean_size, seconds=seconds, stopped=stopped, method=method,
        key=task.key, chosen_by=record["chosen_by"], compared=record["compared"], already=already if task.taken.size else 0.0, provenance=record, **more,
    )  # fmt: skip
