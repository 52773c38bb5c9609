"""A selection problem on its live edges: what searches on RR sets work on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._random import derive_key
from ..graph.follower_graph import FollowerGraph
from ..models.base import LiveEdges
from ..simulation.runner import Runner
from .certificate import betting_low
from .problem import SelectionProblem
from .rr_store import MOST_SETS, RRStore, RRWork

__all__ = ["NOBODY", "Task"]

# Bounds by default; `max_rr_sets` sets another one for both.
DEFAULT_SETS = 2**25
DEFAULT_BYTES = 2**31
NOBODY = np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class Task:
    """A selection problem on its live edges: nodes are those of the live-edge graph.

    Attributes
    ----------
    problem : SelectionProblem
    delta : float
    max_rr_sets, max_bytes : float
    judged : int
        Seed sets that may be judged at a look: the failure probability of lower bounds is shared out.
    purpose : str
        Part of the keys of RR sets.
    """

    problem: SelectionProblem
    delta: float
    max_rr_sets: float
    max_bytes: float
    judged: int = 1
    purpose: str = "rr"

    @classmethod
    def of(
        cls,
        problem: SelectionProblem,
        *,
        delta: float | None,
        max_rr_sets: float | None = None,
        judged: int = 1,
        purpose: str = "rr",
    ) -> Task:
        """Prepare a problem; without `max_rr_sets` there are bounds of sets and of memory."""
        live = problem.live_edges
        delta = 1.0 / max(live.graph.n_nodes, 2) if delta is None else delta
        most = float(DEFAULT_SETS if max_rr_sets is None else max_rr_sets)
        room = float(DEFAULT_BYTES) if max_rr_sets is None else float("inf")
        return cls(problem, delta, most, room, judged, purpose)

    @property
    def live(self) -> LiveEdges:
        """Live edges of the problem."""
        return self.problem.live_edges

    @property
    def graph(self) -> FollowerGraph:
        """Live-edge graph."""
        return self.live.graph

    def at_seeds(self, values: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Values by user as values by node: each at the node that is active where the user is a seed."""
        return _by_node(values, self.live.seed_of, self.graph.n_nodes, fill)

    def at_counted(self, values: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Values by user as values by node: each at the node whose activation counts for the user."""
        return _by_node(values, self.live.counted, self.graph.n_nodes, fill)

    def nodes_of(self, users: NDArray[Any]) -> NDArray[np.int32]:
        """Nodes that are active where these users are seeds."""
        nodes: NDArray[np.int32] = users if self.live.seed_of is None else self.live.seed_of[users]
        return np.asarray(nodes, np.int32)

    def users_of(self, nodes: NDArray[Any]) -> NDArray[np.int32]:
        """Users who are seeds where these nodes are active."""
        return np.asarray(self._user_at[nodes], np.int32)

    @cached_property
    def _user_at(self) -> NDArray[np.int32]:
        return self.at_seeds(np.arange(self.problem.graph.n_nodes, dtype=np.int32), -1)

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """Nodes that may be chosen."""
        return self.at_seeds(self.problem.allowed, False)

    def for_sale(self, price: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Which nodes may be bought at a price of each user (NaN: none), and the price of each, infinite for others."""
        allowed = self.at_seeds(self.problem.allowed & ~np.isnan(price), False)
        return allowed, np.where(allowed, self.at_seeds(price, np.inf), np.inf)

    @cached_property
    def existing(self) -> NDArray[np.int32]:
        """Nodes of the seeds there are already."""
        return self.nodes_of(self.problem.existing)

    @cached_property
    def weights(self) -> NDArray[np.float64] | None:
        """Weight of reaching each node; None: every one counts 1."""
        weights = self.problem.weights
        if self.live.counted is None:
            return weights
        return self.at_counted(np.ones(self.problem.graph.n_nodes) if weights is None else weights, 0.0)

    def store(
        self, *purpose: object, stop: NDArray[Any] = NOBODY, limit: int = MOST_SETS, weights: NDArray[Any] | None = None
    ) -> RRStore:
        """Return an empty collection that no other purpose shares; sets hit by existing seeds are empty."""
        key = derive_key(self.problem.key, self.purpose, *purpose)
        weights = self.weights if weights is None else weights
        stop, problem, job = np.concatenate([self.existing, stop]), self.problem, None
        if problem.workers is not None:
            job = problem.workers.job(RRWork(problem.model, key, weights, stop, limit), problem.graph, unit="RR set")
        return RRStore(self.live, key, weights=weights, stop=stop, limit=limit, job=job)

    def forward_runs(self, n: int) -> int:
        """Number of forward runs that judge what n sets chose."""
        return min(max(n // 64 // 512, 1), 16) * 512

    def forward_bound(self, seeds: NDArray[Any], n: int, alpha: float) -> tuple[float, float]:
        """Mean spread in forward runs from seeds, and a lower bound; about a 64th as many runs as n sets that chose."""
        problem = self.problem
        users = self.users_of(np.concatenate([self.existing, seeds]))
        runs = self.forward_runs(n)
        runner = Runner.of(problem.graph, problem.model, users, derive_key(problem.key, "judge", "runs", n))
        sizes = runner.run(0, runs, threads=problem.threads, show=False).values
        return float(sizes.mean()), betting_low(sizes, alpha / self.judged)

    @property
    def total(self) -> float:
        """Weight of all nodes."""
        return float(self.graph.n_nodes if self.weights is None else self.weights.sum())

    def weight_of(self, nodes: NDArray[Any]) -> float:
        """Weight of nodes: their spread is at least this."""
        return float(len(nodes) if self.weights is None else self.weights[nodes].sum())


def _by_node(values: NDArray[Any], nodes: NDArray[np.int32] | None, n: int, fill: Any) -> NDArray[Any]:
    if nodes is None:
        return values
    out = np.full(n, fill, values.dtype)
    out[nodes] = values
    return out
