"""Reach against money: what each of many budgets buys, on one sampling."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._html import card, interval_table
from .._random import RNGLike
from .._upward import draw
from .._validation import Floats, floats, level
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from .certificate import binomial_bounds
from .constraints import Budget, read_prices
from .halves import Halves, affordable_cover

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BudgetCurve", "budget_curve"]

SERIES = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)  # budgets by default, times powers of ten
SPAN = 100.0  # the largest over the smallest of them, about
MOST_COVERED = 0.95  # of what all users for sale cover, by the largest budget by default
GREEDY = (
    "at each budget at least 0.405 of the best coverage of the sets that choose (greedy by gain per price or the best "
    "single user: Tang et al. 2021)"
)
NESTED = "none beforehand: one order for all budgets"


@dataclass(frozen=True, repr=False, eq=False)
class BudgetCurve:
    """What each of many budgets buys.

    Attributes
    ----------
    table : DataFrame
        One row a budget, rising: budget, n_seeds, cost, reach, low, high, upper, and marginal, the reach that a unit of
        money buys beyond the row before (the first: beyond the seeds there are already), NaN where no more is spent.
    seeds : tuple of tuples of labels
        Of each row, in the order in which they were chosen.
    confidence : float
        With this probability all rows hold at once: low <= spread of these seeds <= high, and no seeds that the budget
        can pay reach more than `upper`.
    nested : bool
        Are the seeds of a budget among those of every larger one?
    existing_spread : float
        Estimated spread of the seeds there are already.
    n_rr_sets : int
        Of both halves.
    unit : {"nodes", "weight"}
    guarantee : str
    key : int
    provenance : dict

    See Also
    --------
    seeding.budget_curve, seeding.min_budget, plotting.plot_budget_curve
    """

    table: pd.DataFrame
    seeds: tuple[tuple[Any, ...], ...]
    confidence: float
    nested: bool
    existing_spread: float
    n_rr_sets: int
    unit: str
    guarantee: str
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a budget, with the columns of `table`."""
        return self.table.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot reach against budget with its band, and the upper bound of what any seeds for that money reach."""
        return draw("budget_curve", self, ax)

    def __repr__(self) -> str:
        ends = [self.table.iloc[0], self.table.iloc[-1]][: len(self)]
        rows = "; ".join(f"{r.budget:,.6g} reaches {r.reach:.5g} [{r.low:.5g}, {r.high:.5g}]" for r in ends)
        return f"BudgetCurve of {len(self):,} budgets: {rows} {self.unit} ({self.confidence:.0%} for all at once)"

    def _repr_html_(self) -> str:
        return card(repr(self), interval_table(self.table, value="reach"))


def budget_curve(
    graph: FollowerGraph,
    budgets: ArrayLike | None = None,
    *,
    prices: Any = "price",
    model: DiffusionModel | str = "ic",
    nested: bool = False,
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
) -> BudgetCurve:
    """Say what each of many budgets reaches: all of them on one sampling of RR sets.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    budgets : array-like of float, optional
        Amounts of money, in any order. Default: round numbers over two powers of ten, up to what reaches about
        95 % of what all users for sale reach together.
    prices, model, candidates, exclude, existing, node_weights
        As in `select_seeds`; `model` has to be one with live edges.
    nested : bool
        Take the seeds of all budgets from one order, that of the largest budget, each time as far as the money goes,
        so that a larger budget keeps the seeds of a smaller one. Without it each budget is chosen for by itself, which
        reaches more, above all where an expensive user stands early in the order.
    confidence : float in (0, 1)
        Of all rows together, see `BudgetCurve`.
    rel_error : float above 0
        Sample until the reach of the smallest budget is known to about this relative error (two standard errors), and
        seeds of the largest are hardly flattered by the sets that chose them.
    max_rr_sets : int, optional
        Most RR sets, in both halves; default 2**21, and at most some 2**26 members in each.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.
    executor : concurrent.futures.Executor or Dask client, optional
        Samples the RR sets.

    Returns
    -------
    BudgetCurve

    Raises
    ------
    InputError
        A budget below the cheapest candidate, no prices, a model without live edges, or a value out of range.
    NotFoundError
        An unknown label or attribute.

    See Also
    --------
    seeding.min_budget, seeding.price_sensitivity, select_seeds, compare_strategies

    Notes
    -----
    One half of the sets chooses: greedy by gain per price, passing over who no longer fits, or the best single user,
    which together reach 0.405 of the best coverage (Tang et al. 2021; (1 - 1/e)/2 by Khuller, Moss and Naor 1999). The
    other half, independent of it, estimates. All intervals are exact binomial ones (Clopper and Pearson 1934), and the
    failure probability is shared out over the three bounds of every row (Bonferroni). `upper` bounds every affordable
    set by the fractional knapsack of the marginal gains at prefixes of the greedy order. The number of sets follows
    from a pilot that does nothing else.

    References
    ----------
    Khuller, Moss and Naor (1999), "The budgeted maximum coverage problem", Information Processing Letters 70.
    Tang, Tang, Lim, Han, Li and Yuan (2021), "Revisiting modified greedy algorithm for monotone submodular maximization
    with a knapsack constraint", arXiv:2008.05391.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0).with_node_data(price=[3, 1, 1, 1, 2, 1.5])
    >>> curve = budget_curve(g, [3, 5], rng=7)
    >>> curve.seeds
    ((0,), (0, 4))
    >>> curve.to_pandas()[["cost", "n_seeds"]].to_numpy().tolist()
    [[3.0, 1.0], [5.0, 2.0]]
    """
    check_graph(graph)
    level(confidence)
    price = read_prices(graph, prices)
    asked = {"candidates": candidates, "exclude": exclude, "existing": existing, "node_weights": node_weights}
    halves = Halves.of(graph, rng, "budget curve", model=model, threads=threads, executor=executor, **asked)
    task = halves.task
    allowed, costs = task.for_sale(price)
    amounts = None if budgets is None else _amounts(budgets)
    least = float(costs[allowed].sum()) if amounts is None else float(amounts[0])
    Budget.of(graph, least, price, task.problem.allowed)  # an error where it buys nobody
    amounts = _round(halves, allowed, costs) if amounts is None else amounts
    first, last = (
        affordable_cover(halves.pilot, allowed, costs, 0.0, float(amounts[i]), alone=True)[0] for i in (0, -1)
    )
    halves.sample(first, last, rel_error, max_rr_sets)
    sets = halves.selection
    chosen = [affordable_cover(sets, allowed, costs, 0.0, float(amount), alone=True) for amount in amounts]
    picked = [seeds for seeds, _, _ in chosen]
    if nested:
        paid = np.cumsum(costs[picked[-1]])
        picked = [picked[-1][: int(np.searchsorted(paid, x * (1.0 + 1e-12), side="right"))] for x in amounts]
    alpha = (1.0 - confidence) / (3.0 * len(amounts))
    rows = []
    for amount, seeds, (_, _, more) in zip(amounts.tolist(), picked, chosen, strict=True):
        hits = int(halves.hits(seeds)[-1])
        low, high = halves.bounds(seeds, hits, alpha)
        best = binomial_bounds(min(sets.n_empty + more, sets.n), sets.n, alpha)[1]
        reach = task.total * hits / halves.n
        rows.append((amount, len(seeds), float(costs[seeds].sum()), reach, low, high, max(task.total * best, low)))
    table = pd.DataFrame(rows, columns=["budget", "n_seeds", "cost", "reach", "low", "high", "upper"])
    # What a larger budget cannot reach, a smaller one cannot either.
    table["upper"] = np.minimum.accumulate(table["upper"].to_numpy()[::-1])[::-1]
    before = task.total * halves.validation.n_empty / halves.n
    table["marginal"] = _marginal(table["cost"].to_numpy(), table["reach"].to_numpy(), before)
    return BudgetCurve(
        table,
        tuple(halves.labels(seeds) for seeds in picked),
        confidence,
        nested,
        before,
        2 * halves.n,
        halves.unit,
        NESTED if nested else GREEDY,
        task.problem.key,
        halves.record("budget_curve", budgets=len(amounts), nested=nested, confidence=confidence),
    )


def _amounts(budgets: ArrayLike) -> Floats:
    """Budgets as users give them, rising, each once."""
    amounts = np.unique(floats(np.atleast_1d(np.asarray(budgets)), "budgets"))
    if not amounts.size:
        raise InputError("budgets is empty: give amounts of money, or None for round numbers")
    return amounts


def _round(halves: Halves, allowed: NDArray[np.bool_], costs: Floats) -> Floats:
    """Round numbers up to where greedy covers most of what all for sale cover."""
    everything, cheapest = float(costs[allowed].sum()), float(costs[allowed].min())
    seeds, gains, _, _ = halves.pilot.knapsack(allowed, costs, 0.0, everything * (1.0 + 1e-9))
    last = int(np.searchsorted(np.cumsum(gains), MOST_COVERED * gains.sum()))
    top = float(costs[seeds[: last + 1]].sum())
    amounts = round_numbers(max(top / SPAN, cheapest), top) if top > 0 else np.zeros(0)
    return amounts if amounts.size else np.array([cheapest])


def round_numbers(low: float, high: float) -> Floats:
    """Numbers of one digit, or with 1.5 before their zeros, from a number above 0 up to the first that reaches another."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = np.array([digit * 10.0**power for power in powers for digit in SERIES])
    numbers = numbers[numbers >= low * (1.0 - 1e-12)]
    return numbers[: int(np.searchsorted(numbers, high * (1.0 - 1e-12))) + 1]


def _marginal(cost: Floats, reach: Floats, before: float) -> Floats:
    """Reach that a unit of money buys beyond the row before."""
    spent, won = np.diff(cost, prepend=0.0), np.diff(reach, prepend=before)
    marginal = np.full(len(cost), np.nan)
    np.divide(won, spent, out=marginal, where=spent > 0)
    return marginal
