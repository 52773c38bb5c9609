"""Reverse-influence sampling: collections of RR sets, grown in place, with what given seeds cover."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import progress
from .._provenance import provenance
from .._random import RNGLike, key_of
from .._threads import n_threads
from .._validation import level, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
from ..graph.node_weights import reach_weights
from ..kernels.coverage import first_covered
from ..models.base import DiffusionModel
from ..models.registry import model_of
from ..results.estimates import Estimate
from ..simulation.runner import seed_labels
from ._rr_store import MOST_SETS, RRStore, bits_of

__all__ = ["MOST_SETS", "RRSets", "RRStore", "binomial_bounds", "bits_of", "sample_rr_sets"]


def binomial_bounds(hits: float, n: int, alpha: float) -> tuple[float, float]:
    """Exact one-sided bounds (Clopper and Pearson 1934) of a share: each fails with probability at most `alpha`."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, n - hits + 1, alpha)) if hits > 0 else 0.0
    # The complement keeps its precision where alpha is tiny.
    high = 1.0 - float(betaincinv(n - hits, hits + 1, alpha)) if hits < n else 1.0
    return low, high


@dataclass(frozen=True, repr=False, eq=False)
class RRSets:
    """RR sets of a graph: set i holds the nodes from which a random root is reached in one random world.

    The expected spread of seeds S is `total` times the probability that a random RR set meets S (Borgs et al. 2014).

    Attributes
    ----------
    graph, model
        What was sampled.
    n : int
        Number of sets.
    total : float
        Number of nodes, or the sum of the node weights.
    key : int
        Set i depends on the graph, the model, the weights, the key and i alone.
    provenance : dict
    """

    graph: FollowerGraph
    model: DiffusionModel
    n: int
    total: float
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)
    _store: RRStore | None = None

    @property
    def _sets(self) -> RRStore:
        assert self._store is not None  # every maker passes it
        return self._store

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where the sets begin in `members`, shape (n + 1,)."""
        view = self._sets.offsets[: self.n + 1].view()
        view.flags.writeable = False
        return view

    @property
    def members(self) -> pd.Index[Any]:
        """Labels of the members of all sets, one set after the other, the root first."""
        return self.graph.index.labels_of(self._members)

    @property
    def _members(self) -> NDArray[np.int32]:
        return self._sets.nodes[: self.offsets[-1]]

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
        labels: list[Any] = self.graph.index.labels_of(self._members[self.offsets[i] : self.offsets[i + 1]]).tolist()
        return labels

    def coverage(self, seeds: Any) -> int:
        """Return how many sets hold at least one of the seeds.

        Raises
        ------
        NotFoundError
            A seed that is not in the graph.
        """
        chosen = self.graph.index.internal(seed_labels(self.graph, seeds))
        rank = np.full(self.graph.n_nodes, -1, np.int32)
        rank[chosen] = 0
        found = first_covered(
            self._sets.nodes, self._sets.offsets, self.n, rank, bits_of(chosen, self.graph.n_nodes), 1
        )
        return int(found[0])

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
        with progress(total=max(n - self._sets.n, 0), description="RR sets", unit="set") as bar:
            self._sets.extend(n, threads=n_threads(threads), bar=bar)
        record = self.provenance | {"n": n}
        return RRSets(self.graph, self.model, n, self.total, self.key, record, self._store)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a membership: rr_set (from 0) and node, the root of a set first."""
        return pd.DataFrame({"rr_set": np.repeat(np.arange(self.n), self.sizes), "node": self.members})

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
    node_weights : str, mapping, Series, callable or array-like, optional
        Worth of reaching each node: roots are drawn in proportion. By label (nodes left out count 0), in the order of
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
        n below 1, no probabilities, a threshold model, or weights that are negative, NaN or all 0.
    NotFoundError
        An unknown model, label or attribute.

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
    check_graph(graph)
    n = whole(n, "n")
    chosen = model_of(model)
    store = RRStore(graph, chosen, key_of(rng), weights=reach_weights(graph, node_weights))
    with progress(total=n, description="RR sets", unit="set") as bar:
        store.extend(n, threads=n_threads(threads), bar=bar)
    rule = graph.probabilities
    record = provenance(
        "sample_rr_sets",
        key=int(store.key),
        model=chosen.label,
        probabilities=None if rule is None else rule.label,
        graph=graph.fingerprint,
        n=n,
        weighted=node_weights is not None,
    )
    return RRSets(graph, chosen, n, store.total, int(store.key), record, store)
