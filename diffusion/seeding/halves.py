"""Two halves of RR sets of a fixed size for questions about money: one chooses seeds, the other judges them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._random import RNGLike, key_of
from .._validation import number
from ..graph.follower_graph import FollowerGraph
from ..results.estimates import Estimate
from .certificate import binomial_bounds
from .problem import SelectionProblem, record
from .rr_store import MOST_SETS, RRStore
from .task import NOBODY, Task

__all__ = ["MAX_RR_SETS", "Halves", "Nodes", "affordable_cover", "paired_bounds"]

MAX_RR_SETS = 2**21  # of both halves, by default
PILOT_SETS, PILOT_MEMBERS = 2**13, 2**22  # by which the size of the halves is reckoned
OPTIMISM = 0.02  # share by which seeds may cover more of the sets that chose them than of others
FEWEST = 2**15  # sets of a half, so that the seeds chosen on it are good, too
MOST_MEMBERS = 2**26  # of a half, about

Nodes = NDArray[np.int32]


def affordable_cover(
    sets: RRStore, allowed: NDArray[np.bool_], price: NDArray[np.float64], spent: float, budget: float, *, alone: bool
) -> tuple[Nodes, NDArray[np.int64], float]:
    """Greedy by gain per price, or (`alone`) the single node that covers more -> seeds, gains, bound of what sets add."""
    seeds, gains, upper, single = sets.knapsack(allowed, price, spent, budget)
    if alone and single >= 0 and sets.counts[single] > gains.sum():
        seeds, gains = np.array([single], np.int32), sets.counts[[single]].astype(np.int64)
    return seeds, gains, upper


@dataclass(frozen=True, eq=False)
class Halves:
    """A problem with RR sets that choose and RR sets that judge; their number is fixed by a pilot, before both.

    Attributes
    ----------
    task : Task
    selection, validation : RRStore
        Empty until `sample`.
    """

    task: Task
    selection: RRStore
    validation: RRStore

    @classmethod
    def of(cls, graph: FollowerGraph, rng: RNGLike, purpose: str, **asked: Any) -> Halves:
        """Prepare a problem; `asked` as in `SelectionProblem.of`, without a number of seeds and a budget."""
        problem = SelectionProblem.of(graph, 0, key=key_of(rng), **asked)
        task = Task.of(problem, delta=None, purpose=purpose)
        return cls(task, task.store("choose"), task.store("judge"))

    @cached_property
    def pilot(self) -> RRStore:
        """A few RR sets that do nothing but say how many are needed."""
        return self._few("pilot")

    def _few(self, *purpose: object) -> RRStore:
        sets = self.task.store(*purpose)
        sets.extend(PILOT_SETS, threads=self.task.problem.threads, most=PILOT_MEMBERS)
        return sets

    @property
    def n(self) -> int:
        """Sets of each half."""
        return self.selection.n

    @property
    def unit(self) -> str:
        """What spread counts: nodes, or their weight."""
        return "nodes" if self.task.problem.weights is None else "weight"

    def record(self, call: str, **facts: Any) -> dict[str, Any]:
        """Provenance of a call."""
        problem = self.task.problem
        return record(call, problem.graph, problem.model, problem.key, n_rr_sets=2 * self.n, **facts)

    def sample(self, first: Nodes, last: Nodes, rel_error: Any, max_rr_sets: Any, share: float | None = None) -> None:
        """Sample so many sets that a share is known to a relative error (two standard errors), and seeds are good.

        Parameters
        ----------
        first, last : ndarray of int32
            Chosen on the pilot for the least and for the most that is asked for. Other sets say what `first` covers,
            which is the share unless one is given, and by how much the pilot flatters `last`: that falls about as one
            over the number of sets.
        rel_error, max_rr_sets
            As users give them.
        share : float, optional
        """
        rel_error = number(rel_error, "rel_error", above=0)
        limit = number(MAX_RR_SETS if max_rr_sets is None else max_rr_sets, "max_rr_sets", least=2)
        pilot, other = self.pilot, self._few("pilot", "other")
        shown, known = (_share(sets, last) for sets in (pilot, other))
        share = _share(other, first) if share is None else share
        share, known = (min(max(x, 1.0 / PILOT_SETS), 1.0) for x in (share, known))
        flattered = max(shown - known, 0.0) / known
        wanted = max(4.0 * (1.0 - share) / (share * rel_error**2), pilot.n * flattered / OPTIMISM, FEWEST)
        members = max(pilot.size / pilot.n, 1.0)
        n = max(int(min(wanted, limit / 2.0, MOST_MEMBERS / members, MOST_SETS)), 1)
        with progress(total=2 * n, description="RR sets", unit="set") as bar:
            for sets in (self.selection, self.validation):
                sets.extend(n, threads=self.task.problem.threads, bar=bar)

    def hits(self, nodes: Nodes) -> NDArray[np.int64]:
        """Judging sets that the first 0, 1, ... nodes cover, with the seeds there are already."""
        added = self.validation.covered_in_order(nodes)[:-1]
        return self.validation.n_empty + np.concatenate([[0], np.cumsum(added)])

    def bounds(self, nodes: Nodes, hits: int, alpha: float) -> tuple[float, float]:
        """One-sided bounds of the spread of nodes that cover so many judging sets; seeds reach themselves."""
        low, high = binomial_bounds(int(hits), self.n, alpha)
        own = self.task.weight_of(np.concatenate([self.task.existing, nodes]))
        return max(self.task.total * low, own), max(self.task.total * high, own)

    def estimate(self, hits: int, confidence: float) -> Estimate:
        """Spread by the number of judging sets that are covered, with its exact binomial interval."""
        low, high = binomial_bounds(hits, self.n, (1.0 - confidence) / 2.0)
        total = self.task.total
        return Estimate(total * hits / self.n, total * low, total * high, confidence, self.n)

    def difference(self, first: Nodes, second: Nodes, confidence: float) -> tuple[float, float, float]:
        """Spread of the first seeds less that of the second, with its interval, on the judging sets."""
        alone, other, _ = self.validation.covered_apart(first, second)
        scale = self.task.total / self.n
        low, high = paired_bounds(alone, other, self.n, (1.0 - confidence) / 2.0)
        return scale * (alone - other), self.task.total * low, self.task.total * high

    def nodes_of(self, users: NDArray[Any]) -> Nodes:
        """Nodes of internal users."""
        return self.task.nodes_of(users) if len(users) else NOBODY

    def labels(self, nodes: Nodes) -> tuple[Any, ...]:
        """Labels of the users whose nodes these are."""
        return self.task.problem.labels(self.task.users_of(nodes))


def _share(sets: RRStore, nodes: Nodes) -> float:
    """Share of the sets that nodes or existing seeds cover."""
    return (sets.n_empty + int(sets.covered_in_order(nodes)[:-1].sum())) / sets.n


def paired_bounds(alone: int, other: int, n: int, alpha: float) -> tuple[float, float]:
    """One-sided bounds of a difference of shares, from sets that only the first or only the second covers.

    Each end puts together two exact binomial bounds that fail with alpha / 2 each, so that it holds whatever the two
    shares have in common, and errs on the wide side.
    """
    low_alone, high_alone = binomial_bounds(alone, n, alpha / 2.0)
    low_other, high_other = binomial_bounds(other, n, alpha / 2.0)
    return low_alone - high_other, high_alone - low_other
