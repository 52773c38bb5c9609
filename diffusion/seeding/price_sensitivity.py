"""What other prices change: who stays among the seeds of a budget, and what reach then costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._html import card, interval_table
from .._random import RNGLike, derive_key, generator
from .._upward import draw
from .._validation import floats, level, number, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from .constraints import Budget, read_prices
from .halves import Halves, affordable_cover

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PriceSensitivity", "price_sensitivity"]


@dataclass(frozen=True, repr=False, eq=False)
class PriceSensitivity:
    """Seeds of one budget at other prices.

    Attributes
    ----------
    table : DataFrame
        One row a case, that of the given prices first: change (common to all prices; 0.2: 20 % more), draw (from 1; 0
        where prices have no noise of their own), n_seeds, cost (at these prices), stay (seeds at the given prices that
        are chosen again), share_stay, reach, low, high, cost_per_reach (money for each user reached beyond the existing
        seeds), difference (reach less that at the given prices), difference_low and difference_high (paired).
    creators : DataFrame
        One row a seed at the given prices: node, price, and stays, the share of the other cases in which it is chosen.
    budget : float
    noise : float
    confidence : float
        Of each interval by itself.
    n_rr_sets : int
    unit : {"nodes", "weight"}
    key : int
    provenance : dict

    See Also
    --------
    seeding.price_sensitivity, plotting.plot_price_sensitivity
    """

    table: pd.DataFrame
    creators: pd.DataFrame
    budget: float
    noise: float
    confidence: float
    n_rr_sets: int
    unit: str
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a case, with the columns of `table`."""
        return self.table.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the reach of each case with its interval, and how many of the seeds stay."""
        return draw("price_sensitivity", self, ax)

    def __repr__(self) -> str:
        first, others = self.table.iloc[0], self.table.iloc[1:]
        text = (
            f"PriceSensitivity of a budget of {self.budget:,.6g}: {first['reach']:,.5g} {self.unit} at the given prices"
        )
        if len(others):
            text += f", {others['reach'].min():,.5g} to {others['reach'].max():,.5g} in {len(others):,} other cases"
            text += f"; of {len(self.creators):,} seeds {int(others['stay'].min()):,} or more stay"
        return text

    def _repr_html_(self) -> str:
        return card(repr(self), interval_table(self.table, value="reach"))


def price_sensitivity(
    graph: FollowerGraph,
    budget: float,
    *,
    change: float | Sequence[float] = (-0.2, 0.2),
    noise: float = 0.0,
    draws: int = 20,
    prices: Any = "price",
    model: DiffusionModel | str = "ic",
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    existing: Iterable[Any] = (),
    node_weights: Any = None,
    confidence: float = 0.95,
    rel_error: float = 0.01,
    max_rr_sets: int | None = None,
    rng: RNGLike = None,
    threads: int | None = None,
    executor: Any = None,
) -> PriceSensitivity:
    """Choose seeds for a budget at other prices too: who stays, what is reached, and what that costs.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    budget : float
        Money to spend in every case.
    change : float or sequence of float, above -1
        Changes that all prices have in common: 0.2 makes them 20 % higher.
    noise : float from 0
        Standard deviation of the logarithm of each price about its changed value, drawn for each user by itself, such as
        the ``residual_se`` of a `PriceFit`. The median stays where it is.
    draws : int
        Draws of such prices for each change, and for the given prices; without `noise` there is one case a change.
    prices, model, candidates, exclude, existing, node_weights
        As in `select_seeds`; `model` has to be one with live edges.
    confidence : float in (0, 1)
        Of each interval by itself.
    rel_error : float above 0
        Sample until the reach at the given prices is known to about this relative error (two standard errors).
    max_rr_sets : int, optional
        Most RR sets, in both halves; default 2**21, and at most some 2**26 members in each.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.
    executor : concurrent.futures.Executor or Dask client, optional
        Samples the RR sets.

    Returns
    -------
    PriceSensitivity

    Raises
    ------
    InputError
        A budget that buys nobody in some case, no prices, a model without live edges, or a value out of range.
    NotFoundError
        An unknown label or attribute.

    See Also
    --------
    seeding.PriceSensitivity, seeding.budget_curve, seeding.fit_prices

    Notes
    -----
    All cases are chosen for on the same half of the RR sets, as in `budget_curve`, and estimated on the other half, so
    that cases differ by their prices alone and differences are paired. Where all prices change by one factor, the case is
    that of the given prices and the budget over this factor.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0).with_node_data(price=[3, 1, 1, 1, 2, 1.5])
    >>> found = price_sensitivity(g, 5, change=[0.2], rng=7)
    >>> found.to_pandas()[["change", "n_seeds", "stay"]].to_numpy().tolist()
    [[0.0, 2.0, 2.0], [0.2, 1.0, 1.0]]
    """
    check_graph(graph)
    level(confidence)
    noise = number(noise, "noise", least=0)
    draws = whole(draws, "draws")
    changes = floats(np.atleast_1d(np.asarray(change)), "change", least=-1.0)
    if (changes <= -1.0).any():
        raise InputError("change holds -1, which makes everything free: give numbers above -1")
    if noise == 0.0 and not changes.any():
        raise InputError("nothing changes: give change= other than 0, or noise=")
    price = read_prices(graph, prices)
    asked = {"candidates": candidates, "exclude": exclude, "existing": existing, "node_weights": node_weights}
    halves = Halves.of(graph, rng, "price sensitivity", model=model, threads=threads, executor=executor, **asked)
    task = halves.task
    money = Budget.of(graph, budget, price, task.problem.allowed).amount
    cases = _cases(changes, noise, draws)
    factors = [price_factors(task.problem.key, change, turn, noise, graph) for change, turn in cases]
    for (change, turn), factor in zip(cases, factors, strict=True):
        try:
            Budget.of(graph, money, price * factor, task.problem.allowed)
        except InputError as error:
            raise InputError(f"at prices changed by {change:+.0%} (draw {turn}): {error}") from None
    allowed, given = task.for_sale(price)
    seeds, _, _ = affordable_cover(halves.pilot, allowed, given, 0.0, money, alone=True)
    halves.sample(seeds, seeds, rel_error, max_rr_sets)
    before = int(halves.validation.n_empty)
    first = np.zeros(0, np.int32)
    rows: list[tuple[float, ...]] = []
    kept = []
    for (change, turn), factor in zip(cases, factors, strict=True):
        _, costs = task.for_sale(price * factor)
        seeds, _, _ = affordable_cover(halves.selection, allowed, costs, 0.0, money, alone=True)
        first = seeds if not rows else first
        stays = np.isin(first, seeds)
        if rows:
            kept.append(stays)
        hits = int(halves.hits(seeds)[-1])
        reach, cost = halves.estimate(hits, confidence), float(costs[seeds].sum())
        per_reach = cost / (task.total * (hits - before) / halves.n) if hits > before else float("nan")
        lead = halves.difference(seeds, first, confidence) if rows else (0.0, 0.0, 0.0)
        counts = (change, turn, len(seeds), cost, int(stays.sum()), stays.sum() / max(len(first), 1))
        rows.append((*counts, reach.value, reach.low, reach.high, per_reach, *lead))
    columns = ["change", "draw", "n_seeds", "cost", "stay", "share_stay", "reach", "low", "high", "cost_per_reach"]
    columns += ["difference", "difference_low", "difference_high"]
    table = pd.DataFrame(rows, columns=columns)
    creators = pd.DataFrame(
        {
            "node": pd.Index(list(halves.labels(first)), tupleize_cols=False),
            "price": given[first],
            "stays": np.mean(kept, axis=0),
        }
    )
    return PriceSensitivity(
        table,
        creators,
        money,
        noise,
        confidence,
        2 * halves.n,
        halves.unit,
        task.problem.key,
        halves.record("price_sensitivity", budget=money, noise=noise, cases=len(table)),
    )


def _cases(changes: Any, noise: float, draws: int) -> list[tuple[float, int]]:
    """Change and draw of every case; the given prices come first."""
    if noise == 0.0:
        return [(0.0, 0), *((float(change), 0) for change in changes if change != 0.0)]
    shifts = [0.0, *(float(change) for change in changes if change != 0.0)]
    return [(0.0, 0), *((change, draw) for change in shifts for draw in range(1, draws + 1))]


def price_factors(key: int, change: float, draw: int, noise: float, graph: FollowerGraph) -> Any:
    """Factor of each internal user's price; draw i is the same for every change and budget."""
    if draw == 0:
        return 1.0 + change
    normal = generator(derive_key(key, "prices", draw)).standard_normal(graph.n_nodes)
    return (1.0 + change) * np.exp(noise * normal[graph.index.order])
