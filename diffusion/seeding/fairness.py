"""Fair seeding: the largest reach in the community that is reached least, and what that costs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import progress
from .._random import RNGLike, key_of
from .._upward import draw
from .._validation import level, number
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from .certificate import binomial_bounds
from .groups import Groups, groups_of
from .maximin import Collection, best_maximin, optimum_bound
from .problem import SelectionProblem, record
from .task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MaximinSelection", "maximin_seeds"]

FIRST = 512  # RR sets of each community at the first look, in each half, on average
MAX_RR_SETS = 4_000_000


@dataclass(frozen=True, repr=False, eq=False)
class MaximinSelection:
    """Seeds chosen for the community that they reach least.

    Attributes
    ----------
    seeds : tuple of labels
        In the order in which they were chosen.
    shares : DataFrame
        By community: size, share (expected share of its nodes that become active) with its interval (low, high, exact
        binomial at `confidence` for each community alone), from RR sets that did not choose the seeds.
    minimum : float
        The smallest of these shares.
    lower, upper : float
        With probability at least 1 - delta the smallest share of the seeds is at least `lower`, and no k permitted
        seeds have a larger one than `upper`.
    eps, delta, confidence : float
    n_rr_sets : int
    seconds : float
    stopped : {"precision", "time", "max_rr_sets", "interrupted"}
    key : int
    guarantee : str
    provenance : dict

    See Also
    --------
    seeding.maximin_seeds, seeding.SeedSelection, plotting.plot_maximin
    """

    seeds: tuple[Any, ...]
    shares: pd.DataFrame
    lower: float
    upper: float
    eps: float
    delta: float
    confidence: float
    n_rr_sets: int
    seconds: float
    stopped: str
    key: int
    guarantee: str = "none beforehand: this problem has no approximation in general; lower / upper is proven afterwards"
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def minimum(self) -> float:
        """Smallest estimated share of a community."""
        return float(self.shares["share"].min())

    @property
    def ratio(self) -> float:
        """Proven share of the optimum, lower / upper."""
        return self.lower / self.upper if self.upper > 0 else float("nan")

    def __len__(self) -> int:
        return len(self.seeds)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a community: community, size, share, low, high."""
        return self.shares.reset_index()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the share reached of each community with its interval, and the bound of the optimum as a line."""
        return draw("maximin", self, ax)

    def __repr__(self) -> str:
        head = ", ".join(map(repr, self.seeds[:5])) + (", ..." if len(self.seeds) > 5 else "")
        least = self.shares.index.tolist()[int(self.shares["share"].to_numpy().argmin())]
        return (
            f"MaximinSelection: {len(self.seeds):,} seeds: {head}; smallest share {self.minimum:.4g} (community "
            f"{least!r} of {len(self.shares):,}), at least {self.lower:.4g}, optimum at most {self.upper:.4g}, "
            f"{self.n_rr_sets:,} RR sets, stopped by {self.stopped}"
        )


def maximin_seeds(
    graph: FollowerGraph,
    k: int,
    *,
    communities: Any = None,
    model: DiffusionModel | str = "ic",
    eps: float = 0.1,
    delta: float | None = None,
    confidence: float = 0.95,
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    time_limit: float | None = None,
    max_rr_sets: int | None = None,
    rng: RNGLike = None,
    threads: int | None = None,
) -> MaximinSelection:
    """Choose k seeds for which the smallest expected share reached of any community is large.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    k : int
        Number of seeds, from 1.
    communities : optional
        The community of each node: None for the node attribute ``community``, the name of another, a Series or mapping
        by label, values in the order of ``graph.nodes``, or a partition. Nodes without one do not count.
    model : DiffusionModel or {"ic", "lt"}
    eps : float in (0, 1)
        Sample until the smallest share is known to about this relative error, and the sets that chose the seeds flatter
        them by no more.
    delta : float in (0, 1), optional
        Probability with which the certificate may fail; default 1 / n_nodes.
    confidence : float in (0, 1)
        Level of the interval of each community's share.
    candidates, exclude : iterable of labels
        Choose among these only; never choose these.
    time_limit : float, optional
        Seconds after which the best set so far is returned; the first look is always finished.
    max_rr_sets : int, optional
        Most RR sets to sample; default 4 million.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it, unless time ends the search.

    Returns
    -------
    MaximinSelection

    Raises
    ------
    InputError
        No communities, or a value out of range.
    NotFoundError
        An unknown label or attribute.

    See Also
    --------
    seeding.price_of_fairness, seeding.MaximinSelection, select_seeds

    Notes
    -----
    The aim is that of Tsang et al. (2019), group fairness by the maximin. RR sets are rooted in every community alike.
    Seeds come from greedy on the sum of shares cut at a level, which is raised as long as all communities reach it
    (Saturate, Krause et al. 2008, with exactly k seeds), and from greedy on weighted sums of shares whose weights move
    to the communities reached least (multiplicative weights, as in Udwani 2018); the best set on the choosing sets is
    kept. With exactly k seeds no method has a guarantee for any number of communities (Krause et al. 2008); `upper` is
    proven for the case at hand: the smallest share of any set is at most each weighted mean of shares, whose optimum
    greedy bounds.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5).with_node_data(community=list("aaaabb"))
    >>> found = maximin_seeds(g, 2, rng=7)
    >>> sorted(found.seeds), found.lower <= 0.625 <= found.upper
    ([0, 4], True)
    """
    level(confidence)
    eps = level(eps, "eps")
    asked: dict[str, Any] = {"candidates": candidates, "exclude": exclude, "time_limit": time_limit, "threads": threads}
    problem = SelectionProblem.of(graph, k, model=model, key=key_of(rng), **asked)
    if k < 1:
        raise InputError(f"k={k!r} is not a number of seeds: give a whole number from 1")
    groups = groups_of(graph, communities)
    sizes = groups.sizes()
    delta = 1.0 / max(graph.n_nodes, 2) if delta is None else level(delta, "delta")
    task = Task.of(problem, delta=delta, purpose="maximin")
    # Roots: every community is as likely as another, and its nodes among themselves.
    weights = task.at_counted(np.where(groups.code >= 0, 1.0 / sizes[groups.code], 0.0), 0.0)
    selection, validation = (task.store(purpose, weights=weights) for purpose in ("choose", "judge"))
    limit = number(MAX_RR_SETS if max_rr_sets is None else max_rr_sets, "max_rr_sets", least=2)
    size, look, stopped = max(min(FIRST * len(groups), int(limit // 2)), 1), 0, ""
    state: _Look | None = None
    with progress(total=None, description="RR sets", unit="set") as bar:
        while not stopped:
            try:
                until = float("inf") if state is None else problem.deadline
                both = (selection, validation)
                if not all(s.extend(size, threads=problem.threads, deadline=until, bar=bar) for s in both):
                    stopped = "time"
                    break
                # Sums to delta over all looks and the bounds of every community, of which each look has two.
                alpha = delta / (2.0 * (look + 1) * (look + 2) * len(groups))
                picked = Collection(task, selection, groups)
                nodes, promised, bounds = best_maximin(picked, k)
                upper = optimum_bound(picked.n_sets, bounds, alpha)
                judged = Collection(task, validation, groups)
                hits, n_sets = judged.covered(nodes), judged.n_sets
                lower = min(binomial_bounds(int(h), int(n), alpha)[0] for h, n in zip(hits, n_sets, strict=True))
                users = task.users_of(nodes)
                own = groups.code[users][groups.code[users] >= 0]
                lower = max(lower, float((np.bincount(own, minlength=len(groups)) / sizes).min()))
                state = _Look(users, hits, n_sets, lower, max(upper, lower), size)
            except KeyboardInterrupt:
                if state is None:
                    raise
                stopped = "interrupted"
                break
            if _precise(hits, n_sets, promised, eps):
                stopped = "precision"
            elif time.perf_counter() > problem.deadline:
                stopped = "time"
            elif 4 * size > limit:
                stopped = "max_rr_sets"
            size, look = 2 * size, look + 1
    assert state is not None
    facts = {"k": k, "eps": eps, "delta": delta, "n_rr_sets": 2 * state.n, "stopped": stopped}
    origin = record("maximin_seeds", graph, problem.model, problem.key, communities=len(groups), **facts)
    shares = _share_table(groups, sizes, state.hits, state.n_sets, confidence)
    proven, spent = (state.lower, state.upper, eps, delta, confidence, 2 * state.n), time.perf_counter() - problem.start
    seeds = problem.labels(state.users)
    return MaximinSelection(seeds, shares, *proven, spent, stopped, problem.key, provenance=origin)


@dataclass(frozen=True)
class _Look:
    users: NDArray[np.int32]
    hits: NDArray[np.int64]
    n_sets: NDArray[np.int64]
    lower: float
    upper: float
    n: int


def _precise(hits: NDArray[np.int64], n_sets: NDArray[np.int64], promised: float, eps: float) -> bool:
    """Is the smallest share known to about `eps` (two standard errors), and that near to what the other sets promise?"""
    share = hits / np.maximum(n_sets, 1)
    at = int(share.argmin())
    if hits[at] == 0:
        return False
    return 2.0 * math.sqrt((1.0 - share[at]) / hits[at]) <= eps and float(share[at]) >= (1.0 - eps) * promised


def _share_table(
    groups: Groups, sizes: NDArray[np.int64], hits: NDArray[np.int64], n_sets: NDArray[np.int64], confidence: float
) -> pd.DataFrame:
    ends = [binomial_bounds(int(h), int(n), (1 - confidence) / 2) for h, n in zip(hits, n_sets, strict=True)]
    low, high = np.array(ends).T
    return pd.DataFrame(
        {"size": sizes, "share": hits / np.maximum(n_sets, 1), "low": low, "high": high},
        index=pd.Index(groups.names, name="community", tupleize_cols=False),
    )
