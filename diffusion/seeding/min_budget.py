"""The least money for a reach: seeds that are certified to reach it, and what any seeds that reach it cost at least."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._html import card, table
from .._random import RNGLike
from .._upward import draw
from .._validation import Floats, level, number
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..results.estimates import Estimate
from .certificate import binomial_bounds
from .constraints import read_prices
from .halves import Halves, Nodes
from .problem import seen_of
from .rr_store import RRStore

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MinBudget", "min_budget"]

RAISED = 1.02  # the target of the sets that choose, time after time, until the sets that judge are content
LOOKS = 16  # prefixes of the order at which the cost of any other seeds is bounded


@dataclass(frozen=True, repr=False, eq=False)
class MinBudget:
    """Seeds that are certified to reach what was asked, and their cost.

    Attributes
    ----------
    target : float
        The reach that was asked for.
    seeds : tuple of labels
        In the order in which they were chosen.
    table : DataFrame
        One row a seed: rank (from 1), node, tier (where the graph has it), followers, price, cost (cumulated), gain and
        reach (estimated; marginal and cumulated), low (lower bound of the seeds so far, of each row by itself).
    spread : Estimate
        Of all seeds, from RR sets that neither chose nor judged them, with its exact binomial interval.
    lower : float
        Certified reach of the seeds: the target, or the weight of the seeds themselves where that is more.
    cheapest : float
        No seeds that reach the target cost less than this.
    confidence : float
        Probability with which `lower` and `cheapest` hold, both at once.
    existing_spread : float
        Estimated spread of the seeds there are already.
    n_rr_sets : int
        Of the halves that choose and judge; those of `spread` are half as many again.
    unit : {"nodes", "weight"}
    guarantee : str
    key : int
    provenance : dict

    See Also
    --------
    seeding.min_budget, seeding.budget_curve, plotting.plot_min_budget
    """

    target: float
    seeds: tuple[Any, ...]
    table: pd.DataFrame
    spread: Estimate
    lower: float
    cheapest: float
    confidence: float
    existing_spread: float
    n_rr_sets: int
    unit: str
    guarantee: str
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """Money that the seeds cost: the budget."""
        return float(self.table["price"].sum())

    @property
    def ratio(self) -> float:
        """The bound of the cost of any seeds as a share of that of these, cheapest / cost; NaN where they cost nothing."""
        return self.cheapest / self.cost if self.cost > 0 else float("nan")

    def __len__(self) -> int:
        return len(self.seeds)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a seed, with the columns of `table`."""
        return self.table.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot what the seeds reach, one after the other, against what they cost, up to the target."""
        return draw("min_budget", self, ax)

    def __repr__(self) -> str:
        head = ", ".join(map(repr, self.seeds[:5])) + (", ..." if len(self.seeds) > 5 else "")
        return (
            f"MinBudget: {self.cost:,.6g} for {self.target:,.6g} {self.unit}: {len(self.seeds):,} seeds: {head}; they reach "
            f"{self.spread!r}, at least {self.lower:,.5g}; no seeds that reach it cost less than {self.cheapest:,.5g} "
            f"({self.confidence:.0%})"
        )

    def _repr_html_(self) -> str:
        return card(repr(self), table(self.table))


def min_budget(
    graph: FollowerGraph,
    reach: float,
    *,
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
) -> MinBudget:
    """Find the least money whose seeds are certified to reach so many users.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    reach : float above 0
        Expected users to reach, with those whom the `existing` seeds reach; with `node_weights` expected weight.
    prices, model, candidates, exclude, existing, node_weights
        As in `select_seeds`; `model` has to be one with live edges.
    confidence : float in (0, 1)
        With which the seeds reach `reach` and no others that do cost less than `cheapest`.
    rel_error : float above 0
        Sample until `reach` is known to about this relative error (two standard errors). By about as much the seeds are
        estimated above it, so that a smaller one saves money.
    max_rr_sets : int, optional
        Most RR sets, in the halves that choose and judge; default 2**21, and at most some 2**26 members in each.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.
    executor : concurrent.futures.Executor or Dask client, optional
        Samples the RR sets.

    Returns
    -------
    MinBudget

    Raises
    ------
    InputError
        A reach beyond what all users for sale reach together, which the message names; no prices; a model without live
        edges; a value out of range.
    NotFoundError
        An unknown label or attribute.

    See Also
    --------
    seeding.MinBudget, seeding.budget_curve, seeding.price_sensitivity, select_seeds

    Notes
    -----
    The problem is that of Goyal et al. (2013). One half of the RR sets makes an order: greedy by what a user adds per
    price, where only what is missing to the target counts (Wolsey 1982), and then on to targets 2 % higher, one after the
    other. On these sets the seeds that first cover the target cost at most 1 + ln(m) times the least that covers it,
    where m is the largest number of sets that one user is in (Wolsey 1982). The seeds are the shortest prefix of the
    order whose exact lower bound on the other half (Clopper and Pearson 1934) is at least `reach`. As coverage only grows
    along an order, the first prefix that seems enough is a false one no more often than a single one would be.

    `cheapest` holds for any seeds: those that reach the target cover so many choosing sets, but for the failure
    probability, and after each of some prefixes of the order the cheapest way to cover what is missing is at least the
    fractional one, by the marginal gains there.

    References
    ----------
    Wolsey (1982), "An analysis of the greedy algorithm for the submodular set covering problem", Combinatorica 2.
    Goyal, Bonchi, Lakshmanan and Venkatasubramanian (2013), "On minimizing budget and time in influence propagation over
    social networks", Social Network Analysis and Mining 3.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0).with_node_data(price=[3, 1, 1, 1, 2, 1.5])
    >>> plan = min_budget(g, 5, rng=7)
    >>> plan.seeds, plan.cost, plan.lower >= 5
    ((0, 5), 4.5, True)
    """
    check_graph(graph)
    level(confidence)
    reach = number(reach, "reach", above=0)
    price = read_prices(graph, prices)
    asked = {"candidates": candidates, "exclude": exclude, "existing": existing, "node_weights": node_weights}
    halves = Halves.of(graph, rng, "min budget", model=model, threads=threads, executor=executor, **asked)
    task = halves.task
    allowed, costs = task.for_sale(price)
    if reach > task.total * (1.0 + 1e-12):
        raise InputError(
            f"reach={reach:,.6g} is more than the {task.total:,.6g} {halves.unit} of the whole graph: give less"
        )
    share, alpha = min(reach / task.total, 1.0), (1.0 - confidence) / 2.0
    pilot = halves.pilot
    first, _ = pilot.reaching(allowed, costs, np.array([math.ceil(share * pilot.n) - pilot.n_empty]))
    halves.sample(first, first, rel_error, max_rr_sets, share)
    n, sets = halves.n, halves.selection
    order = _order(sets, allowed, costs, math.ceil(share * n))
    hits = halves.hits(order)
    own = task.weight_of(task.existing) + np.concatenate([[0.0], np.cumsum(_weights(task.weights, order))])
    enough = (hits >= fewest(share, n, alpha)) | (own >= reach * (1.0 - 1e-12))
    if not enough.any():
        raise _beyond(halves, reach, order, costs, confidence)
    k = int(enough.argmax())
    seeds = order[:k]
    fresh = task.store("report", stop=seeds)
    fresh.extend(n, threads=task.problem.threads)
    spread = halves.estimate(fresh.n_empty, confidence)
    users = task.users_of(seeds)
    proven = [task.total * binomial_bounds(int(h), n, alpha)[0] for h in hits[: k + 1]]
    bounds = np.maximum(proven, own[: k + 1])
    columns = {
        "rank": np.arange(1, k + 1),
        "node": pd.Index(list(task.problem.labels(users)), tupleize_cols=False),
        **seen_of(graph, users),
        "price": costs[seeds],
        "cost": np.cumsum(costs[seeds]),
        "gain": task.total * np.diff(hits[: k + 1]) / n,
        "reach": task.total * hits[1 : k + 1] / n,
        "low": bounds[1:],
    }
    problem = task.problem
    return MinBudget(
        reach,
        problem.labels(users),
        pd.DataFrame(columns),
        spread,
        max(reach, float(own[k])),  # what the first prefix that seems enough proves is no more
        min(cheapest_cover(sets, allowed, costs, seeds, least(share, n, alpha)), float(costs[seeds].sum())),
        confidence,
        task.total * int(hits[0]) / n,
        2 * n,
        halves.unit,
        "on the choosing sets at most 1 + ln(m) times the least that covers the target (greedy: Wolsey 1982)",
        problem.key,
        halves.record("min_budget", reach=reach, confidence=confidence),
    )


def _order(sets: RRStore, allowed: NDArray[np.bool_], costs: Floats, target: int) -> Nodes:
    """All nodes for sale: greedy to the target and to ever higher ones, at the end those that are in no set left."""
    steps = math.ceil(math.log(max(sets.n / max(target, 1), 1.0)) / math.log(RAISED)) + 1
    targets = np.unique(np.minimum(np.ceil(target * RAISED ** np.arange(steps + 1.0)), sets.n).astype(np.int64))
    first, _ = sets.reaching(allowed, costs, targets - sets.n_empty)
    rest = allowed.copy()
    rest[first] = False
    left = np.flatnonzero(rest)
    return np.concatenate([first, left[np.argsort(costs[left], kind="stable")]]).astype(np.int32)


def _weights(weights: Floats | None, nodes: Nodes) -> Floats:
    return np.ones(len(nodes)) if weights is None else weights[nodes]


def fewest(share: float, n: int, alpha: float) -> int:
    """Fewest of n sets that prove a share: those whose lower bound, `binomial_bounds`, is at least it."""
    from scipy.stats import binom

    return int(binom.isf(alpha, n, share)) + 1


def least(share: float, n: int, alpha: float) -> int:
    """Fewest of n sets with which a share is not refuted: those whose upper bound, `binomial_bounds`, is at least it."""
    from scipy.stats import binom

    return int(binom.ppf(alpha, n, share)) if share < 1.0 else n


def cheapest_cover(sets: RRStore, allowed: NDArray[np.bool_], costs: Floats, seeds: Nodes, needed: int) -> float:
    """Money without which nobody covers so many sets: the most over some prefixes of seeds of what the rest costs."""
    bound = 0.0
    for k in np.unique(np.linspace(0, len(seeds), LOOKS + 1).astype(int)).tolist():
        gain = sets.open_counts(seeds[:k])
        covered = sets.n_empty + int(sets.covered_in_order(seeds[:k])[:-1].sum())
        if covered < needed:
            some = np.flatnonzero(allowed & (gain > 0))
            bound = max(bound, fractional_cost(gain[some], costs[some], needed - covered))
    return bound


def fractional_cost(gain: NDArray[np.int64], price: Floats, missing: int) -> float:
    """Least money for parts of nodes whose gains sum to what is missing; infinite where all of them are too little."""
    gain = np.minimum(gain, missing).astype(np.float64)  # more than is missing helps nobody
    if gain.sum() < missing:
        return float("inf")
    order = np.argsort(price / gain, kind="stable")
    total, paid = np.cumsum(gain[order]), np.cumsum(price[order])
    last = int(np.searchsorted(total, missing))
    return float(paid[last] - price[order[last]] * (total[last] - missing) / gain[order[last]])


def _beyond(halves: Halves, reach: float, order: Nodes, costs: Floats, confidence: float) -> InputError:
    """Say how far the graph goes."""
    if not len(order):
        return InputError("no candidate has a price: nobody can be bought")
    alpha = (1.0 - confidence) / 2.0
    hits = int(halves.hits(order)[-1])
    low, high = halves.bounds(order, hits, alpha)
    what = f"the {len(order):,} users for sale, who cost {float(costs[order].sum()):,.6g} together, reach "
    what += f"{halves.task.total * hits / halves.n:,.5g} {halves.unit} [{low:,.5g}, {high:,.5g}] ({confidence:.0%})"
    if reach > high:
        return InputError(f"reach={reach:,.6g} is beyond what can be bought: {what}; ask for less, or offer more users")
    return InputError(
        f"reach={reach:,.6g} cannot be certified: {what}; ask for less, or sample more (rel_error=, max_rr_sets=)"
    )
