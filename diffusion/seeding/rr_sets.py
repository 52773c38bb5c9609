"""Reverse-influence sampling: collections of RR sets, grown in place, with what seeds cover."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import progress
from .._random import RNGLike, key_of
from .._threads import n_threads
from .._upward import draw
from .._validation import level, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..kernels.coverage import Sets, first_covered
from ..models.base import DiffusionModel
from ..results.estimates import Estimate
from ..simulation.runner import seed_labels
from .certificate import binomial_bounds
from .problem import SelectionProblem
from .rr_store import RRStore, bits_of
from .task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RRSets", "sample_rr_sets"]


@dataclass(frozen=True, repr=False, eq=False)
class RRSets:
    """RR sets of a graph: set i holds the users from whom a random root is reached in one random world.

    The expected spread of seeds S is `total` times the probability that a random RR set meets S (Borgs et al. 2014).

    Attributes
    ----------
    graph, model
        What was sampled.
    n : int
        Number of sets.
    total : float
        Number of users, or the sum of their weights.
    key : int
        Set i depends on the graph, the model, the weights, the key and i alone.
    task : Task
        The live edges of the model on the graph.
    store : RRStore
        Sets of nodes of the live-edge graph.
    provenance : dict

    See Also
    --------
    seeding.sample_rr_sets, seeding.OPIM
    """

    graph: FollowerGraph
    model: DiffusionModel
    n: int
    total: float
    key: int
    task: Task
    store: RRStore
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where the sets begin in `members`, shape (n + 1,)."""
        view = self._flat[0].view()
        view.flags.writeable = False
        return view

    @property
    def members(self) -> pd.Index[Any]:
        """Labels of the members of all sets, one set after the other (the root first, where nodes are users)."""
        return self.graph.index.labels_of(self.users)

    @property
    def users(self) -> NDArray[np.int32]:
        """The members as internal users."""
        return self._flat[1]

    @cached_property
    def _flat(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        offsets = self.store.offsets[: self.n + 1]
        nodes = self.store.nodes[: offsets[-1]]
        if self.task.live.seed_of is None:
            return offsets, nodes
        users = self.task.users_of(nodes)  # nodes that no seed activates at once are nobody
        before = np.concatenate([[0], np.cumsum(users >= 0)])
        return before[offsets], users[users >= 0]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Number of members of each set, shape (n,)."""
        return np.diff(self.offsets)

    @property
    def mean_size(self) -> float:
        """Mean number of members."""
        return float(self.offsets[-1] / self.n)

    @property
    def nbytes(self) -> int:
        """Bytes of the members and offsets."""
        return int(4 * self.offsets[-1] + 8 * (self.n + 1))

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> list[Any]:
        """Labels of set i, the root first."""
        if isinstance(i, bool) or not isinstance(i, int | np.integer) or not 0 <= i < self.n:
            raise InputError(f"{i!r} is no RR set: give a whole number from 0 to {self.n - 1:,}")
        labels: list[Any] = self.graph.index.labels_of(self.users[self.offsets[i] : self.offsets[i + 1]]).tolist()
        return labels

    def coverage(self, seeds: Any) -> int:
        """Return how many sets hold at least one of the seeds.

        Raises
        ------
        NotFoundError
            A seed that is not in the graph.
        """
        chosen = self.task.nodes_of(self.graph.index.internal(seed_labels(self.graph, seeds)))
        rank = np.full(self.store.n_nodes, -1, np.int32)
        rank[chosen] = 0
        bits = bits_of(chosen, self.store.n_nodes)
        return int(first_covered(Sets(self.store.nodes, self.store.offsets, self.n), rank, bits, 1)[0])

    def estimate(self, seeds: Any, *, confidence: float = 0.95) -> Estimate:
        """Estimate the spread of seeds that were chosen without a look at these sets.

        Parameters
        ----------
        seeds : iterable of labels
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
            In nodes, or in units of the node weights, with the exact binomial interval (Clopper and Pearson 1934).
            Of seeds chosen *on* these sets it would be biased upward.

        Examples
        --------
        >>> import diffusion as dif
        >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
        >>> sets = sample_rr_sets(g.with_probabilities("constant", p=0.5), 10_000, rng=7)
        >>> found = sets.estimate([0])
        >>> found.low < 1.75 < found.high
        True
        """
        level(confidence)
        hits = self.coverage(seeds)
        low, high = binomial_bounds(hits, self.n, (1.0 - confidence) / 2.0)
        return Estimate(self.total * hits / self.n, self.total * low, self.total * high, confidence, self.n)

    def extend(self, n: int, *, threads: int | None = None) -> RRSets:
        """Return a collection of n sets whose first sets are these; the memory is shared and grows in place."""
        n = whole(n, "n")
        with progress(total=max(n - self.store.n, 0), description="RR sets", unit="set") as bar:
            self.store.extend(n, threads=n_threads(threads), bar=bar)
        return replace(self, n=n, provenance=self.provenance | {"n": n})

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a membership: rr_set (from 0) and node, the root of a set first."""
        return pd.DataFrame({"rr_set": np.repeat(np.arange(self.n), self.sizes), "node": self.members})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot which share of the sets has at least so many members."""
        return draw("rr_sets", self, ax)

    def __repr__(self) -> str:
        return f"RRSets: {self.n:,} sets under {self.model.label}, mean size {self.mean_size:.4g}"


def sample_rr_sets(
    graph: FollowerGraph,
    n: int,
    *,
    model: DiffusionModel | str = "ic",
    node_weights: Any = None,
    rng: RNGLike = None,
    threads: int | None = None,
) -> RRSets:
    """Sample n reverse-reachable sets.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    n : int
        Number of sets, from 1.
    model : DiffusionModel or {"ic", "lt"}
        One with live edges.
    node_weights : str, mapping, Series, callable or array-like, optional
        Weight of reaching each node: roots are drawn in proportion. By label (nodes left out count 0), in the order of
        ``graph.nodes``, as the name of a node attribute, or as a function of the number of followers.
    rng : int, Generator or None
        Gives the 64-bit key; set i is the same for every n > i.
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it.

    Returns
    -------
    RRSets

    Raises
    ------
    InputError
        n below 1, no probabilities, a model without live edges, or weights that are negative, NaN or all 0.
    NotFoundError
        An unknown model, label or attribute.

    See Also
    --------
    seeding.RRSets, seeding.OPIM, spread

    Notes
    -----
    Memory: 4 bytes a member and 8 a set. As in SUBSIM (Guo et al., SIGMOD 2020) the cost goes with the arcs that fire,
    not with those looked at, where arcs into a node share a probability.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> sets = sample_rr_sets(g.with_probabilities("constant", p=1.0), 1000, rng=7)
    >>> sorted({tuple(sorted(sets[i])) for i in range(1000)})
    [(0,), (0, 1), (0, 1, 2)]
    """
    n = whole(n, "n")
    problem = SelectionProblem.of(graph, 0, model=model, node_weights=node_weights, key=key_of(rng), threads=threads)
    task = Task.of(problem, delta=None)
    store = RRStore(task.live, problem.key, weights=task.weights)
    with progress(total=n, description="RR sets", unit="set") as bar:
        store.extend(n, threads=problem.threads, bar=bar)
    record = problem.record("RR sets", n=n, weighted=node_weights is not None) | {"call": "sample_rr_sets"}
    return RRSets(graph, problem.model, n, store.total, problem.key, task, store, record)
