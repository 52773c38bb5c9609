"""Who could take the place of a seed, and what that loses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._html import card, interval_table
from .._random import RNGLike
from .._upward import draw
from .._validation import level, number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..results.estimates import Estimate
from ..simulation.runner import seed_labels
from .constraints import read_prices
from .halves import Halves
from .problem import seen_of
from .selection import SeedSelection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Substitutes", "substitutes"]


@dataclass(frozen=True, repr=False, eq=False)
class Substitutes:
    """Who could take the place of a seed, the best first.

    Attributes
    ----------
    creator : label
        The seed to be replaced.
    table : DataFrame
        One row a candidate, by what it adds on the sets that choose: node, tier (where the graph has it), followers,
        price and price_difference (to that of the creator; where there are prices), reach (of the seeds with it in the
        creator's place), loss (reach lost), low and high (interval of the loss; below 0 something is won).
    reach : Estimate
        Spread of the seeds with the creator.
    alone : Estimate
        What is lost where nobody takes the place.
    confidence : float
        Of each interval by itself.
    n_rr_sets : int
    unit : {"nodes", "weight"}
    key : int
    provenance : dict

    See Also
    --------
    seeding.substitutes, plotting.plot_substitutes
    """

    creator: Any
    table: pd.DataFrame
    reach: Estimate
    alone: Estimate
    confidence: float
    n_rr_sets: int
    unit: str
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a candidate, with the columns of `table`."""
        return self.table.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the loss with each candidate and its interval, and the loss with nobody as a line."""
        return draw("substitutes", self, ax)

    def __repr__(self) -> str:
        text = f"Substitutes for {self.creator!r}: without one {self.alone!r} of {self.reach.value:,.5g} {self.unit} are lost"
        if len(self):
            best = self.table.iloc[0]
            text += f"; with {self.table['node'].tolist()[0]!r} {best['loss']:,.4g} [{best['low']:,.4g}, {best['high']:,.4g}]"
        return f"{text}; {len(self):,} candidates"

    def _repr_html_(self) -> str:
        return card(repr(self), interval_table(self.table, value="loss"))


def substitutes(
    graph: FollowerGraph,
    seeds: Any,
    creator: Any,
    n: int = 10,
    *,
    prices: Any = None,
    max_price: float | None = None,
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
) -> Substitutes:
    """Find who could take the place of a seed, and what reach is lost with each.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    seeds : SeedSelection or iterable of labels
        All seeds, the creator among them.
    creator : label
        The seed to be replaced.
    n : int
        Most candidates to name.
    prices : optional
        As in `select_seeds`; who is not for sale is no candidate. Default: the node attribute ``price`` where the graph
        has it, else prices are left out.
    max_price : float, optional
        Most that a candidate may cost; infinite: any price. Default: of a SeedSelection that was bought for a budget, the
        creator's price and what is left of the budget; else any price.
    model, candidates, exclude, existing, node_weights
        As in `select_seeds`; `model` has to be one with live edges.
    confidence : float in (0, 1)
        Of each interval by itself.
    rel_error : float above 0
        Sample until the reach of the seeds is known to about this relative error (two standard errors).
    max_rr_sets : int, optional
        Most RR sets, in both halves; default 2**21, and at most some 2**26 members in each.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.
    executor : concurrent.futures.Executor or Dask client, optional
        Samples the RR sets.

    Returns
    -------
    Substitutes

    Raises
    ------
    InputError
        A creator who is no seed, nobody who could replace it, a model without live edges, or a value out of range.
    NotFoundError
        An unknown label or attribute.

    See Also
    --------
    seeding.Substitutes, seeding.budget_curve, select_seeds, compare

    Notes
    -----
    One half of the RR sets ranks candidates by what they add to the other seeds. The other half, independent of it,
    estimates the losses: sets that the seeds with the creator cover, and with the candidate do not, less those the other
    way round. The two numbers have exact binomial bounds, which are put together; as both seed sets share all but one
    seed, this is far sharper than two estimates of reach.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 5, 5], [1, 2, 3, 8, 6, 7], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0)
    >>> found = substitutes(g, [0, 4], 0, n=1, rng=7)
    >>> found.to_pandas()["node"].tolist(), round(found.alone.value)
    ([5], 4)
    """
    check_graph(graph)
    level(confidence)
    n = whole(n, "n")
    labels = seed_labels(graph, seeds)
    if creator not in labels:
        if creator not in graph:
            raise NotFoundError(f"the creator {creator!r} is no node of the graph." + did_you_mean(creator, labels))
        raise InputError(f"the creator {creator!r} is none of the {len(labels):,} seeds: give one of them")
    others = [label for label in labels if label != creator]
    priced = prices is not None or "price" in graph.attributes
    price = read_prices(graph, "price" if prices is None else prices) if priced else np.zeros(graph.n_nodes)
    limit = _limit(seeds, creator, max_price)
    if limit < float("inf") and not priced:
        raise InputError("the most that a candidate may cost asks for prices: give prices=, or max_price=float('inf')")
    asked = {"candidates": candidates, "exclude": exclude, "existing": existing, "node_weights": node_weights}
    halves = Halves.of(graph, rng, "substitutes", model=model, threads=threads, executor=executor, **asked)
    task = halves.task
    internal = graph.index.internal
    rest, gone = halves.nodes_of(internal(others)), halves.nodes_of(internal([creator]))
    before = np.concatenate([rest, gone])
    allowed, costs = task.for_sale(price)
    allowed = allowed & (costs <= limit)
    allowed[before] = False
    if not allowed.any():
        raise InputError(
            f"nobody is left who could replace {creator!r}: all others are seeds, excluded or too expensive; raise "
            "max_price= or allow more candidates="
        )
    halves.sample(before, before, rel_error, max_rr_sets)
    gain = halves.selection.open_counts(rest)
    pool = np.flatnonzero(allowed)
    names = graph.index.order[task.users_of(pool)]
    best = pool[np.lexsort((names, costs[pool], -gain[pool]))[:n]].astype(np.int32)
    *_, without, reached = halves.hits(before)  # the creator comes last
    rows = [halves.difference(before, np.append(rest, other).astype(np.int32), confidence) for other in best]
    loss, low, high = np.array(rows).T
    reach, alone = (halves.estimate(int(count), confidence) for count in (reached, reached - without))
    users = task.users_of(best)
    columns = {"node": pd.Index(list(task.problem.labels(users)), tupleize_cols=False), **seen_of(graph, users)}
    if priced:
        columns["price"] = costs[best]
        paid = price[internal([creator])][0]
        if paid == paid:
            columns["price_difference"] = costs[best] - paid
    columns |= {"reach": reach.value - loss, "loss": loss, "low": low, "high": high}
    return Substitutes(
        creator,
        pd.DataFrame(columns),
        reach,
        alone,
        confidence,
        2 * halves.n,
        halves.unit,
        task.problem.key,
        halves.record("substitutes", n_seeds=len(labels)),
    )


def _limit(seeds: Any, creator: Any, max_price: Any) -> float:
    """Most that a candidate may cost: what was asked, or the creator's share of a budget and what is left of it."""
    if max_price is not None:
        return float("inf") if max_price == float("inf") else number(max_price, "max_price", least=0)
    if not isinstance(seeds, SeedSelection) or seeds.cost != seeds.cost:
        return float("inf")
    paid = float(seeds.prices[seeds.seeds.index(creator)])
    return paid + seeds.purchase.budget - float(seeds.purchase.cost)
