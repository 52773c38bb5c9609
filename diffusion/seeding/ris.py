"""Reverse-influence sampling: collections of RR sets, grown in place, with what given seeds cover."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import progress
from .._provenance import provenance
from .._random import RNGLike, key_of
from .._threads import map_chunks, n_threads
from ..cascades._engine import check_runs, seed_labels
from ..cascades.models import LT, Model, Threshold, model_of
from ..cascades.results import Estimate, check_confidence
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph._probabilities import lt_bounds
from ..graph.follower_graph import FollowerGraph
from ..kernels.coverage import count_members, first_covered
from ..kernels.rr_sets import PLAN, plan_ic, plan_lt, sample_ic, sample_lt, sort_mixed

__all__ = ["RRSets", "RRStore", "audience", "binomial_bounds", "node_values", "sample_rr_sets"]

CHUNK_ENTRIES = 2**19  # members sampled in one kernel call, about: some milliseconds, so that Ctrl-C is heard
MOST_SETS = 2**31 - 2  # indices of sets are int32


def node_values(graph: FollowerGraph, given: Any, what: str, *, missing: float | None) -> NDArray[np.float64]:
    """Return one number for each node, by internal node.

    `given` names a node attribute, or is a Series or mapping by label, a callable of the number of followers (an array
    in, an array out), or an array in the order of ``graph.nodes``. Labels left out get `missing`; None refuses them.
    """
    if isinstance(given, str):
        if given not in graph._node_data:
            known = list(graph._node_data)
            listed = ", ".join(map(repr, known)) or "none"
            raise NotFoundError(
                f"{what}={given!r} is no node attribute of the graph; it has {listed}." + did_you_mean(given, known)
            )
        given = graph.node_data[given].to_numpy()
    elif callable(given):
        given = given(graph.out_degree.to_numpy())
    if isinstance(given, Mapping):
        given = pd.Series(list(given.values()), index=pd.Index(list(given), tupleize_cols=False))
    if isinstance(given, pd.Series):
        positions = graph._check_labels(given.index)
        values = np.full(graph.n_nodes, np.nan if missing is None else missing)
        values[positions] = _numbers(given.to_numpy(), what)
        if not given.index.is_unique:
            twice = given.index[given.index.duplicated()].tolist()[0]
            raise InputError(f"{what} has more than one value for the node {twice!r}: give one for each node")
    else:
        values = _numbers(given, what)
        if values.shape != (graph.n_nodes,):
            shape = " x ".join(f"{k:,}" for k in values.shape) or "one"
            raise InputError(f"{what} has {shape} values for {graph.n_nodes:,} nodes: give one for each node")
    return values[graph._arcs.order]


def _numbers(given: Any, what: str) -> NDArray[np.float64]:
    try:
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{what} holds something that is no number: give numbers by label (Series, dict), in the order of "
            "graph.nodes, or the name of a node attribute"
        ) from None


def audience(graph: FollowerGraph, node_weights: Any) -> NDArray[np.float64] | None:
    """Weights by internal node, checked; None: every node counts 1."""
    if node_weights is None:
        return None
    weights = node_values(graph, node_weights, "node_weights", missing=0.0)
    bad = ~((weights >= 0) & np.isfinite(weights))
    if bad.any():
        at = int(graph._rank[bad[graph._rank]][0])  # the first in the order of labels
        label = graph._labels_of(np.array([at])).tolist()[0]
        raise InputError(f"node_weights of {label!r} is {weights[at]:g}: weights are finite numbers from 0")
    if not weights.sum() > 0:
        raise InputError("node_weights are all 0: give a positive weight to the nodes of the audience")
    return weights


def binomial_bounds(hits: float, n: int, alpha: float) -> tuple[float, float]:
    """Exact one-sided bounds (Clopper and Pearson 1934) of a share: each fails with probability at most `alpha`."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, n - hits + 1, alpha)) if hits > 0 else 0.0
    # The complement keeps its precision where alpha is tiny.
    high = 1.0 - float(betaincinv(n - hits, hits + 1, alpha)) if hits < n else 1.0
    return low, high


@dataclass(frozen=True)
class _Plan:
    """What the sampling kernels read of a graph under a model."""

    nodes: NDArray[Any]
    sources: NDArray[np.int32]
    limits: NDArray[np.uint32]


def _plan(graph: FollowerGraph, model: Model) -> _Plan:
    if isinstance(model, Threshold):
        raise InputError(
            f"RR sets exist for IC() and LT(), not for {model.label}: choose its seeds by greedy selection, "
            "method='greedy' or 'celf'"
        )
    if graph.probabilities is None:
        raise InputError(
            f"the graph has no propagation probabilities, which {model.name} needs: call "
            "graph.with_probabilities('weighted_cascade'), or 'constant' with p=, first"
        )
    p = graph.probabilities.values
    name = "rr_plan", model.name, id(p)
    shared: dict[Any, Any] = graph._shared
    if name not in shared:
        into = graph._in_arcs
        nodes = np.empty(graph.n_nodes, PLAN)
        sources, limits = into.sources, np.zeros(1, np.uint32)
        if isinstance(model, LT):
            _, hi = lt_bounds(graph)
            if plan_lt(into.indptr, into.arc, p, hi, nodes):
                limits = hi[into.arc]
        elif plan_ic(into.indptr, into.arc, p, nodes):
            sources, limits = sort_mixed(into.indptr, into.sources, into.arc, p, nodes)
        for array in (nodes, sources, limits):
            array.flags.writeable = False
        shared[name] = _Plan(nodes, sources, limits), p  # holding `p` keeps its id from being used again
    found: _Plan = shared[name][0]
    return found


def bits_of(nodes: NDArray[Any], n: int) -> NDArray[np.uint64]:
    """Set of internal nodes as bits."""
    bits = np.zeros(-(-n // 64), np.uint64)
    np.bitwise_or.at(bits, nodes.astype(np.int64) >> 6, np.uint64(1) << (nodes.astype(np.uint64) & np.uint64(63)))
    return bits


class RRStore:
    """RR sets 0, 1, ... of one key, in flat arrays that grow; a set that meets `stop` is cut short and kept empty."""

    def __init__(
        self,
        graph: FollowerGraph,
        model: Model,
        key: int,
        *,
        weights: NDArray[np.float64] | None = None,
        stop: NDArray[Any] | None = None,
    ) -> None:
        self.graph = graph
        self.model = model
        self.key = np.uint64(key)
        self._plan = _plan(graph, model)
        n = graph.n_nodes
        self.total = float(n)
        self._cumulated, self._guide = np.ones(1), np.zeros(1, np.int32)
        if weights is not None:
            self.total = float(weights.sum())
            cumulated = np.cumsum(weights) / self.total
            cumulated[np.flatnonzero(weights)[-1] :] = 1.0  # a draw never ends at a weight of 0
            self._cumulated = cumulated
            # A guide of one entry means uniform roots.
            self._guide = np.searchsorted(cumulated, np.arange(max(n, 2)) / n, side="right").astype(np.int32)
        self._stopping = stop is not None and len(stop) > 0
        self._stop = bits_of(np.zeros(0, np.int64) if stop is None else stop, n)
        self.nodes = np.empty(0, np.int32)
        self.offsets = np.zeros(1, np.int64)
        self.n = 0
        self.size = 0
        self.n_empty = 0
        self._counts = np.zeros(n, np.int32)
        self._counted = 0

    @property
    def mean_size(self) -> float:
        """Mean number of members, empty sets aside; NaN without sets."""
        filled = self.n - self.n_empty
        return self.size / filled if filled else float("nan")

    def extend(self, n: int, *, threads: int, deadline: float = float("inf"), bar: Any = None) -> bool:
        """Sample until there are n sets; False if the time (of `time.perf_counter`) ended before."""
        if n > MOST_SETS:
            raise InputError(f"n={n:,} RR sets are more than the {MOST_SETS:,} one collection can hold")
        if n + 1 > self.offsets.size:
            self.offsets = _grown(self.offsets, n + 1, self.n + 1)
        while self.n < n:
            if time.perf_counter() > deadline:
                return False
            before = self.n
            if threads == 1:
                self._one_chunk(min(self.n + self._chunk_sets(), n))
            else:
                # Rounds of several chunks: their size follows what is known of the sets by then.
                self._many_chunks(min(self.n + 8 * threads * self._chunk_sets(), n), threads)
            if bar is not None:
                bar.update(self.n - before)
        return True

    def truncate(self, n: int) -> None:
        """Forget all sets but the first n."""
        self.n = n
        self.size = int(self.offsets[n])
        self.n_empty = int((np.diff(self.offsets[: n + 1]) == 0).sum())
        self._counts[:] = 0
        self._counted = 0

    def _chunk_sets(self) -> int:
        mean = max((self.size / self.n) if self.n else 64.0, 1.0)
        return int(min(max(CHUNK_ENTRIES / mean, 1), 2**16))

    def _sample(
        self, first: int, last: int, marks: NDArray[Any], nodes: NDArray[Any], size: int, ends: NDArray[Any], row: int
    ) -> tuple[int, int, int]:
        kernel = sample_lt if isinstance(self.model, LT) else sample_ic
        plan = self._plan
        found = kernel(
            plan.nodes, plan.sources, plan.limits, self._cumulated, self._guide, self.key, first, last, self._stopping,
            self._stop, marks, nodes, size, ends, row,
        )  # fmt: skip
        return int(found[0]), int(found[1]), int(found[2])

    def _one_chunk(self, last: int) -> None:
        marks = np.zeros_like(self._stop)
        while self.n < last:
            done, self.size, empty = self._sample(self.n, last, marks, self.nodes, self.size, self.offsets, self.n + 1)
            self.n += done
            self.n_empty += empty
            if self.n < last:
                self._room(last)

    def _room(self, last: int) -> None:
        expected = int((self.size / max(self.n, 1)) * (last - self.n) * 1.1)
        least = self.size + 2 * self.graph.n_nodes + 1024  # room for one set of all nodes, and its last in-arcs
        self.nodes = _grown(self.nodes, max(least, self.size + expected, self.nodes.size * 3 // 2), self.size)

    def _many_chunks(self, last: int, threads: int) -> None:
        step = max(min(self._chunk_sets(), -(-(last - self.n) // (4 * threads))), 1)
        mine = threading.local()

        def work(chunk: tuple[int, int]) -> tuple[list[NDArray[np.int32]], NDArray[np.int64], int]:
            if not hasattr(mine, "marks"):
                mine.marks = np.zeros_like(self._stop)
                mine.nodes = np.empty(2 * self.graph.n_nodes + 1024 + CHUNK_ENTRIES, np.int32)
            ends = np.empty(chunk[1] - chunk[0], np.int64)
            parts: list[NDArray[np.int32]] = []
            at, before, empties = chunk[0], 0, 0
            while at < chunk[1]:
                done, size, empty = self._sample(at, chunk[1], mine.marks, mine.nodes, 0, ends, at - chunk[0])
                ends[at - chunk[0] : at - chunk[0] + done] += before
                parts.append(mine.nodes[:size].copy())
                at, before, empties = at + done, before + size, empties + empty
            return parts, ends, empties

        chunks = [(a, min(a + step, last)) for a in range(self.n, last, step)]
        waiting: dict[int, Any] = {}
        for (a, b), found in map_chunks(work, chunks, threads=min(threads, len(chunks))):
            waiting[a] = b, found
            while self.n in waiting:
                b, (parts, ends, empties) = waiting.pop(self.n)
                members = sum(map(len, parts))
                if self.size + members > self.nodes.size:
                    self._room(last)
                    if self.size + members > self.nodes.size:
                        self.nodes = _grown(self.nodes, self.size + members, self.size)
                at = self.size
                for part in parts:
                    self.nodes[at : at + len(part)] = part
                    at += len(part)
                self.offsets[self.n + 1 : b + 1] = ends + self.size
                self.n, self.size, self.n_empty = b, at, self.n_empty + empties

    @property
    def counts(self) -> NDArray[np.int32]:
        """Number of sets that hold each node."""
        if self._counted < self.size:
            count_members(self.nodes, self._counted, self.size, self._counts)
            self._counted = self.size
        return self._counts

    def covered_in_order(self, seeds: NDArray[Any]) -> NDArray[np.int64]:
        """Sets that each seed (internal nodes, in order) is the first to cover; the last entry counts the others."""
        rank = np.full(self.graph.n_nodes, -1, np.int32)
        rank[seeds] = np.arange(len(seeds), dtype=np.int32)
        found: NDArray[np.int64] = first_covered(
            self.nodes, self.offsets, self.n, rank, bits_of(seeds, self.graph.n_nodes), len(seeds)
        )
        return found


def _grown(array: NDArray[Any], capacity: int, used: int) -> NDArray[Any]:
    new = np.empty(max(capacity, array.size), array.dtype)
    new[:used] = array[:used]
    return new


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
    model: Model
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
        return self.graph._labels_of(self._members)

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
        labels: list[Any] = self.graph._labels_of(self._members[self.offsets[i] : self.offsets[i + 1]]).tolist()
        return labels

    def coverage(self, seeds: Any) -> int:
        """Return how many sets hold at least one of the seeds.

        Raises
        ------
        NotFoundError
            A seed that is not in the graph.
        """
        chosen = self.graph._internal(seed_labels(self.graph, seeds))
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
        check_confidence(confidence)
        hits = self.coverage(seeds)
        low, high = binomial_bounds(hits, self.n, (1.0 - confidence) / 2.0)
        return Estimate(self.total * hits / self.n, self.total * low, self.total * high, confidence, self.n)

    def extend(self, n: int, *, threads: int | None = None) -> RRSets:
        """Return a collection of n sets whose first sets are these; the memory is shared and grows in place."""
        n = check_runs(n, "n")
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
    model: Model | str = "ic",
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
    model : Model or {"ic", "lt"}
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
    n = check_runs(n, "n")
    chosen = model_of(model)
    store = RRStore(graph, chosen, key_of(rng), weights=audience(graph, node_weights))
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
