"""A selection problem: everything that is common to all strategies, validated once, in internal ids."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._provenance import provenance
from .._threads import n_threads
from .._validation import is_whole, number
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
from ..graph.node_weights import reach_weights
from ..models.base import DiffusionModel, LiveEdges
from ..models.registry import model_of
from ..simulation.runner import seed_labels
from ..simulation.workers import Workers, workers_of
from .constraints import Budget, BudgetQuotas, Cardinality, Constraint, Quotas
from .selection import SeedSelection

__all__ = ["SelectionProblem", "record", "refuse_rivals", "seen_of"]


@dataclass(frozen=True, eq=False)
class SelectionProblem:
    """What seeds are asked for; users are internal nodes of the graph.

    Attributes
    ----------
    graph : FollowerGraph
    model : DiffusionModel
    constraint : Constraint
        A number of seeds, a budget, quotas, or the last two together.
    allowed : ndarray of bool, shape (n_nodes,)
        Who may be chosen.
    existing : ndarray of int32
        Seeds there are already.
    weights : ndarray of float64, shape (n_nodes,), or None
        Weight of reaching each user; None: every one counts 1.
    start, deadline : float
        Of `time.perf_counter`.
    key : int
        From which all random draws follow.
    threads : int
    asked : frozenset of str
        Options that were used, of those that not every strategy supports: "budget", "quotas", "candidates", "exclude",
        "existing", "node_weights", "time_limit", "executor".
    partial : bool
        Are fewer than k seeds an answer where a ranking ends before?
    workers : Workers or None
        On which RR sets are sampled; None: in this process.

    See Also
    --------
    seeding.Strategy, select_seeds
    """

    graph: FollowerGraph
    model: DiffusionModel
    constraint: Constraint
    allowed: NDArray[np.bool_]
    existing: NDArray[np.int32]
    weights: NDArray[np.float64] | None
    key: int
    threads: int
    start: float
    deadline: float = float("inf")
    asked: frozenset[str] = field(default_factory=frozenset)
    partial: bool = False
    workers: Workers | None = None

    @classmethod
    def of(
        cls,
        graph: FollowerGraph,
        k: Any = None,
        *,
        key: int,
        budget: Any = None,
        prices: Any = "price",
        model: DiffusionModel | str = "ic",
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] = (),
        existing: Iterable[Any] = (),
        node_weights: Any = None,
        at_most: Any = None,
        at_least: Any = None,
        communities: Any = None,
        time_limit: float | None = None,
        threads: int | None = None,
        partial: bool = False,
        executor: Any = None,
    ) -> SelectionProblem:
        """Check what `select_seeds` was called with.

        Parameters
        ----------
        graph, k, budget, prices, model, candidates, exclude, existing, node_weights, at_most, at_least, communities
            As in `select_seeds`, and so are `time_limit`, `threads` and `executor`.
        key : int
            Of the selection itself.
        partial : bool
            See the attribute.

        Returns
        -------
        SelectionProblem

        Raises
        ------
        InputError, NotFoundError
            See `select_seeds`.

        Examples
        --------
        >>> import diffusion as dif
        >>> g = dif.FollowerGraph.from_arrays([0, 0], [1, 2], edges_mean="influences", directed=True)
        >>> problem = SelectionProblem.of(g, 2, key=7, exclude=[0])
        >>> int(problem.allowed.sum()), sorted(problem.asked)
        (2, ['exclude'])
        """
        start = time.perf_counter()
        check_graph(graph)
        if (k is None) == (budget is None):
            raise InputError("give k= (a number of seeds) or budget= (money), one of the two")
        quotas = at_most is not None or at_least is not None
        if communities is not None and not quotas:
            raise InputError("communities= says whose quotas at_most= and at_least= are: give one of these too")
        exclude, labels = seed_labels(graph, exclude), seed_labels(graph, existing)
        allowed = np.ones(graph.n_nodes, np.bool_)
        if candidates is not None:
            allowed[:] = False
            allowed[graph.index.internal(seed_labels(graph, candidates))] = True
        there_already = graph.index.internal(labels)
        allowed[graph.index.internal(exclude)] = False
        allowed[there_already] = False
        if k is None:
            money = Budget.of(graph, budget, prices, allowed)
            limits = (at_least, at_most, communities)
            constraint: Constraint = BudgetQuotas.of(graph, money, allowed, *limits) if quotas else money
        else:
            k = _check_k(k, allowed)
            constraint = Quotas.of(graph, k, allowed, at_least, at_most, communities) if quotas else Cardinality(k)
        used = {"budget": budget, "candidates": candidates, "node_weights": node_weights, "time_limit": time_limit}
        used["executor"] = executor
        asked = {name for name, value in used.items() if value is not None}
        asked |= {name for name, here in (("quotas", quotas), ("exclude", exclude), ("existing", labels)) if here}
        weights, deadline = reach_weights(graph, node_weights), start + _seconds(time_limit)
        users, count = (allowed, there_already, weights), n_threads(threads)
        model = model_of(model)
        model.check_graph(graph)
        refuse_rivals(model)
        workers = workers_of(executor)
        return cls(graph, model, constraint, *users, key, count, start, deadline, frozenset(asked), partial, workers)

    @cached_property
    def live(self) -> LiveEdges | None:
        """Live-edge view of the model on the graph; None where it has none."""
        return self.model.live_edges(self.graph)

    @property
    def live_edges(self) -> LiveEdges:
        """Live-edge view of the model on the graph, or an error where it has none."""
        return need_live_edges(self.model, self.live)

    @cached_property
    def reckoned(self) -> FollowerGraph:
        """Graph of the users with the probability of each to activate a follower alone, for rankings that reckon."""
        return self.model.effective_probabilities(self.graph)

    def labels(self, users: NDArray[Any]) -> tuple[Any, ...]:
        """Labels of internal users."""
        return tuple(self.graph.index.labels_of(users).tolist())

    def selection(self, users: NDArray[Any], method: str, scores: NDArray[np.float64], **more: Any) -> SeedSelection:
        """Return chosen users as a selection that took the time since the start of the problem.

        Parameters
        ----------
        users : ndarray of int
            In the order in which they were chosen.
        method : str
        scores : ndarray of float64, shape (len(users),)
        **more
            Further attributes of `SeedSelection`.
        """
        seconds, known = time.perf_counter() - self.start, seen_of(self.graph, users)
        return SeedSelection(self.labels(users), method, scores, seconds, self.key, known=known, **more)

    def record(self, method: str, **facts: Any) -> dict[str, Any]:
        """Provenance of a selection.

        Parameters
        ----------
        method : str
        **facts
        """
        return record("select_seeds", self.graph, self.model, self.key, method=method, **facts)


def seen_of(graph: FollowerGraph, users: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """What a graph says of internal users: followers, and tier and price where it has these attributes."""
    users = np.asarray(users, np.int64)
    at, given = graph.index.order[users], graph.attributes
    found: dict[str, NDArray[Any]] = {"tier": np.asarray(given["tier"], object)[at]} if "tier" in given else {}
    found["followers"] = graph.csr.out_degree[users]
    if "price" in given and np.asarray(given["price"]).dtype.kind in "fiu":
        found["price"] = np.asarray(given["price"], np.float64)[at]
    return found


def refuse_rivals(model: DiffusionModel) -> None:
    """Refuse models whose rivals have a set of seeds each."""
    if model.brands:
        raise InputError(
            f"{model.name} has the rivals {', '.join(model.brands)}, and one set of seeds was asked for: give "
            "seeding.best_response(graph, k, brand=..., rivals={...}, model=...) the seeds of the others"
        )


def record(call: str, graph: FollowerGraph, model: DiffusionModel, key: int, **facts: Any) -> dict[str, Any]:
    """Provenance of a call about a graph and a model."""
    rule = None if graph.probabilities is None else graph.probabilities.label
    return provenance(call, key=key, model=model.label, probabilities=rule, graph=graph.fingerprint, **facts)


def need_live_edges(model: DiffusionModel, live: LiveEdges | None) -> LiveEdges:
    """Return the live-edge view of a model, or say that there is none."""
    if live is None:
        raise InputError(
            f"no certificate is known for {model.no_live_edges}: its spread is not that of live edges, so that RR sets "
            "do not estimate it; choose seeds by a ranking or method='celf', or for a model without it, and compare in "
            "simulations"
        )
    return live


def _check_k(k: Any, allowed: NDArray[np.bool_]) -> int:
    if not is_whole(k) or k < 0:
        raise InputError(f"k={k!r} is not a number of seeds: give a whole number from 1")
    if k > allowed.sum():
        what = "nodes" if allowed.all() else "candidates"
        raise InputError(f"k={k:,} is more than the {int(allowed.sum()):,} {what} there are to choose from")
    return int(k)


def _seconds(limit: Any) -> float:
    """Seconds of a time limit; infinite for None."""
    return float("inf") if limit is None else number(limit, "time_limit", above=0, advice=" of seconds, or None")
