"""The arcs of a graph in compressed sparse rows, and the mapping between labels and internal nodes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, NotFoundError, did_you_mean
from ..kernels.arcs import InArcs
from ._build import Arcs
from ._parts import read_only

__all__ = ["CSR", "NodeIndex"]

MOST_ARCS = 2**31  # positions of reverse arcs are int32


class CSR:
    """Arcs in compressed sparse rows by internal node, which is sorted by in-degree; all arrays are read-only.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_nodes + 1,)
        Row of node u: ``indices[indptr[u] : indptr[u + 1]]``, its followers.
    indices : ndarray of int32, shape (n_edges,)
    """

    def __init__(self, arcs: Arcs) -> None:
        self._arcs = arcs
        self.indptr: NDArray[np.int64] = read_only(arcs.indptr)
        self.indices: NDArray[np.int32] = read_only(arcs.indices)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return self.indptr.size - 1

    @functools.cached_property
    def multiplicity(self) -> NDArray[np.int32]:
        """Parallel arcs that each arc stands for, or one 1 for all."""
        counted = self._arcs.multiplicity
        return read_only(np.ones(1, np.int32) if counted is None else counted)

    @functools.cached_property
    def into(self) -> InArcs:
        """The same arcs grouped by target."""
        from ..kernels.csr import transpose

        return InArcs(*(read_only(array) for array in transpose(self.indptr, self.indices)))

    @functools.cached_property
    def back(self) -> NDArray[np.int32]:
        """Position of the arc v -> u for every arc u -> v, -1 where there is none; int32 holds 2**31 - 1 arcs."""
        if self.indices.size >= MOST_ARCS:
            raise InputError(
                f"reverse arcs are looked up among at most {MOST_ARCS - 1:,} arcs, and this graph has {self.indices.size:,}: "
                "take a part of it"
            )
        from ..kernels.csr import reverse_arcs

        return read_only(reverse_arcs(self.indptr, self.indices))

    @functools.cached_property
    def out_degree(self) -> NDArray[np.int64]:
        """Followers of each node, parallel arcs counted."""
        if self._arcs.multiplicity is None:
            return read_only(np.diff(self.indptr))
        total = np.concatenate([[0], np.cumsum(self._arcs.multiplicity, dtype=np.int64)])
        return read_only(np.diff(total[self.indptr]))

    @functools.cached_property
    def in_degree(self) -> NDArray[np.int64]:
        """Accounts that each node follows, parallel arcs counted."""
        counts = np.bincount(self.indices, weights=self._arcs.multiplicity, minlength=self.n_nodes)
        return read_only(counts.astype(np.int64))

    @property
    def sources(self) -> NDArray[np.int64]:
        """Source of every arc."""
        return np.repeat(np.arange(self.n_nodes), np.diff(self.indptr))


class NodeIndex:
    """Labels of the nodes, their positions in the canonical order, and the internal nodes that kernels count by.

    Attributes
    ----------
    labels : Index
        In canonical order: position i is ``labels[i]``.
    order : ndarray of int32, shape (n_nodes,)
        Position of each internal node.
    """

    def __init__(self, arcs: Arcs) -> None:
        self.labels: pd.Index[Any] = arcs.labels
        self.order: NDArray[np.int32] = arcs.order

    def __len__(self) -> int:
        return len(self.labels)

    @functools.cached_property
    def rank(self) -> NDArray[np.int32]:
        """Internal node of each position."""
        rank = np.empty(len(self.labels), np.int32)
        rank[self.order] = np.arange(rank.size, dtype=np.int32)
        return rank

    def series(self, values: NDArray[Any], name: str) -> pd.Series[Any]:
        """Return values by internal node as a Series by label."""
        return pd.Series(values[self.rank], index=self.labels, name=name)

    def labels_of(self, internal: NDArray[Any]) -> pd.Index[Any]:
        """Return the labels of internal nodes."""
        return self.labels.take(self.order[internal])

    def first_of(self, chosen: NDArray[np.bool_]) -> tuple[int, Any]:
        """Return of some internal nodes the one whose label comes first, with its label."""
        node = int(self.rank[chosen[self.rank]][0])
        return node, self.labels_of(np.array([node])).tolist()[0]

    def internal(self, labels: Any) -> NDArray[np.int32]:
        """Return the internal nodes of labels, in the order given; unknown labels are an error."""
        return self.rank[self.positions(labels)]

    def find(self, labels: Any) -> tuple[pd.Index[Any], NDArray[np.intp]]:
        """Return labels as an index, and their positions in the canonical order, -1 for unknown ones."""
        nodes = self.labels
        if isinstance(labels, pd.Index):
            index = labels
        else:
            items = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
            index = pd.Index(items, tupleize_cols=False) if items else nodes[:0]
        if index.dtype.kind in "iub" and nodes.dtype.kind not in "iufO":
            positions = np.full(len(index), -1, np.intp)  # numbers never name nodes of a graph labelled with text
        else:
            try:
                positions = np.asarray(nodes.get_indexer(index))
            except TypeError as error:
                raise InputError(f"the labels {index.tolist()[:3]!r} cannot name nodes ({error})") from None
            # Compared as float64, where 2**53 + 1 is 2**53.
            if index.dtype.kind == "f" and nodes.dtype.kind in "iu":
                same = [a == b for a, b in zip(index.tolist(), nodes.take(positions).tolist(), strict=True)]
                positions = np.where(same, positions, -1)
        return index, positions

    def positions(self, labels: Any) -> NDArray[np.intp]:
        """Return the positions of labels in the canonical order; unknown labels are an error."""
        index, positions = self.find(labels)
        nodes = self.labels
        if (positions < 0).any():
            missing = [label for label, at in zip(index.tolist(), positions, strict=True) if at < 0]
            more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
            known = nodes[: min(len(nodes), 100_000)].tolist()
            raise NotFoundError(
                f"the node {missing[0]!r}{more} is not in the graph of {len(nodes):,} nodes."
                + (did_you_mean(missing[0], known) or f" Labels look like {nodes[:1].tolist()[0]!r}.")
            )
        return positions
