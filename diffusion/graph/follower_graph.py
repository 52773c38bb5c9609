"""The follower graph: immutable compressed sparse rows inside, the user's own labels outside."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._given import how_to_build
from ..errors import InputError, NotFoundError, did_you_mean
from ..kernels.arcs import InArcs
from ._build import Arcs, Parallel, build_arcs
from ._parts import Probabilities, read_only

if TYPE_CHECKING:
    import igraph
    import networkx
    import scipy.sparse

    from .._random import RNGLike

__all__ = ["FollowerGraph", "InArcs", "Probabilities"]


@dataclass(frozen=True, repr=False, eq=False)
class FollowerGraph:
    """A follower graph: an arc u -> v means that v follows u, so content flows from u to v.

    Build one with `from_pandas`, `from_arrays`, `from_table` (pyarrow, polars), `from_networkx`, `from_igraph`,
    `from_scipy`, `read_edges` or `load`. It never changes: methods that set something return a new graph that shares
    the arrays.

    Attributes
    ----------
    edges_mean : {"follows", "influences"} or None
        What the rows it was built from meant; None if they had no direction. Arcs always point in the direction of influence.
    directed : bool
        False where every row became two arcs.
    parallel : {"collapse", "keep"}
        Whether repeated arcs became one, or one with their number as multiplicity.
    probabilities : Probabilities or None
        Propagation probabilities: ``values``, one for all arcs or one for each, with the ``rule`` and its ``parameters``.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays(["bob", "eve"], ["ann", "ann"], edges_mean="follows", directed=True)
    >>> g.n_nodes, g.n_edges
    (3, 2)
    >>> g.out_degree["ann"].item()
    2
    """

    _arcs: Arcs
    edges_mean: str | None
    directed: bool
    parallel: str
    probabilities: Probabilities | None = None
    _node_data: dict[str, Any] = field(default_factory=dict)
    _shared: dict[str, Any] = field(default_factory=dict)  # what is computed once for all graphs on these arcs

    def __new__(cls, *given: Any, **named: Any) -> Self:
        first = given[0] if given else named.get("_arcs")
        if (given or named) and not isinstance(first, Arcs):  # nothing at all: pickle, which fills it in afterwards
            raise InputError(f"FollowerGraph(...) is not how a graph is built, and {how_to_build(first)}")
        return object.__new__(cls)

    # -- doors in --------------------------------------------------------------------------------------------------

    @classmethod
    def from_arrays(
        cls,
        source: Any,
        target: Any,
        *,
        directed: bool,
        edges_mean: str | None = None,
        weight: Any = None,
        time: Any = None,
        nodes: Iterable[Any] | None = None,
        parallel: Parallel = "collapse",
        combine: str | None = None,
    ) -> FollowerGraph:
        """Build a graph from two columns of node labels.

        Parameters
        ----------
        source, target : array-like, shape (n_rows,)
            Labels of the two ends of every row: any hashable values.
        directed : bool
            False makes every row two arcs, one each way.
        edges_mean : {"follows", "influences"}
            Whether a row (u, v) means that u follows v (content flows from v to u) or that content flows from u to v.
            It has to be given for directed rows: the answer can differ several times between the two.
        weight : array-like of float, shape (n_rows,), optional
            A number for every row, for ``with_probabilities("column")``.
        time : array-like, shape (n_rows,), optional
            A time stamp for every row; repeated rows keep the earliest.
        nodes : iterable of labels, optional
            Further nodes; those without an edge are isolated.
        parallel : {"collapse", "keep"}
            Repeated arcs become one arc, or one arc with their number as its multiplicity.
        combine : {"sum", "max", "min", "mean", "noisy_or"}, optional
            How the weights of repeated arcs become one; needed only where they differ.

        Returns
        -------
        FollowerGraph

        Raises
        ------
        InputError
            A missing label, columns of unequal length, an unknown choice, or no node at all.

        Notes
        -----
        Self-loops are dropped and counted in `dropped_self_loops`. The order of the rows changes nothing.
        """
        arcs = build_arcs(
            source, target, weight=weight, time=time, nodes=nodes, edges_mean=edges_mean, directed=directed,
            parallel=parallel, combine=combine,
        )  # fmt: skip
        return cls(arcs, edges_mean if directed else None, bool(directed), parallel)

    @classmethod
    def from_pandas(
        cls,
        edges: Any,
        *,
        source: Any = "source",
        target: Any = "target",
        weight: Any = None,
        time: Any = None,
        directed: bool,
        edges_mean: str | None = None,
        nodes: Iterable[Any] | None = None,
        parallel: Parallel = "collapse",
        combine: str | None = None,
    ) -> FollowerGraph:
        """Build a graph from a table with one edge a row: pandas, polars, pyarrow, or anything with named columns.

        `source`, `target`, `weight` and `time` name columns; for the rest see `from_arrays`.

        Parameters
        ----------
        edges : DataFrame or table
            Anything with named columns.
        source, target, weight, time : column names
            Columns with the labels of both ends, and with the weight and time of every row where there are such.
        directed, edges_mean, nodes, parallel, combine
            As in `from_arrays`.

        Returns
        -------
        FollowerGraph

        Examples
        --------
        >>> import pandas as pd
        >>> edges = pd.DataFrame({"follower": ["bob"], "followee": ["ann"]})
        >>> FollowerGraph.from_pandas(edges, source="follower", target="followee", edges_mean="follows", directed=True)
        FollowerGraph: 2 nodes, 1 arc; followers mean 0.5, max 1; reciprocity 0
        """
        from ._convert import table_columns

        columns = table_columns(edges, {"source": source, "target": target, "weight": weight, "time": time})
        return cls.from_arrays(
            columns["source"], columns["target"], weight=columns["weight"], time=columns["time"], nodes=nodes,
            edges_mean=edges_mean, directed=directed, parallel=parallel, combine=combine,
        )  # fmt: skip

    from_table = from_pandas

    @classmethod
    def from_networkx(
        cls,
        graph: networkx.Graph[Any],
        *,
        edges_mean: str | None = None,
        weight: str | None = None,
        parallel: Parallel = "collapse",
        combine: str | None = None,
    ) -> FollowerGraph:
        """Build a graph from a networkx Graph, DiGraph, MultiGraph or MultiDiGraph; node attributes ride along.

        Parameters
        ----------
        graph : networkx graph
        edges_mean : {"follows", "influences"}
            For directed graphs; as in `from_arrays`.
        weight : str, optional
            Edge attribute with the weight.
        parallel, combine
            As in `from_arrays`.

        Returns
        -------
        FollowerGraph
        """
        from ._convert import from_networkx

        return from_networkx(cls, graph, edges_mean=edges_mean, weight=weight, parallel=parallel, combine=combine)

    @classmethod
    def from_igraph(
        cls,
        graph: igraph.Graph,
        *,
        edges_mean: str | None = None,
        weight: str | None = None,
        parallel: Parallel = "collapse",
        combine: str | None = None,
    ) -> FollowerGraph:
        """Build a graph from an igraph Graph; labels are the vertex attribute ``name``, else 0, 1, ...

        Parameters
        ----------
        graph : igraph.Graph
        edges_mean : {"follows", "influences"}
            For directed graphs; as in `from_arrays`.
        weight : str, optional
            Edge attribute with the weight.
        parallel, combine
            As in `from_arrays`.

        Returns
        -------
        FollowerGraph
        """
        from ._convert import from_igraph

        return from_igraph(cls, graph, edges_mean=edges_mean, weight=weight, parallel=parallel, combine=combine)

    @classmethod
    def from_scipy(
        cls,
        matrix: scipy.sparse.sparray | scipy.sparse.spmatrix,
        *,
        edges_mean: str,
        nodes: Iterable[Any] | None = None,
    ) -> FollowerGraph:
        """Build a graph from a square sparse matrix: the stored entry (u, v) is the row (u, v), its value the weight.

        Parameters
        ----------
        matrix : sparse array or matrix, shape (n_nodes, n_nodes)
            Directed: a symmetric matrix gives arcs both ways.
        edges_mean : {"follows", "influences"}
            As in `from_arrays`.
        nodes : iterable of labels, optional
            Labels of the rows; default 0, 1, ...

        Returns
        -------
        FollowerGraph
        """
        from ._convert import from_scipy

        return from_scipy(cls, matrix, edges_mean=edges_mean, nodes=nodes)

    @staticmethod
    def load(path: str | os.PathLike[str], *, memory_map: bool = True) -> FollowerGraph:
        """Load a graph that `save` wrote; with `memory_map` the arrays stay in the file until they are read.

        Parameters
        ----------
        path : path
            A file that `save` wrote.
        memory_map : bool
            Leave the arrays in the file until they are read; False reads all of it now.

        Returns
        -------
        FollowerGraph
        """
        from ._store import load

        return load(path, memory_map=memory_map)

    # -- doors out -------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to one file, whole or not at all, that `load` opens without parsing.

        Parameters
        ----------
        path : path
            An existing file is replaced once the new one is complete.
        """
        from ._store import save

        save(self, path)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an arc, in the direction of influence: source, target and what the arcs carry."""
        from ._convert import to_pandas

        return to_pandas(self)

    def to_networkx(self) -> networkx.DiGraph[Any]:
        """Return a DiGraph whose arcs point in the direction of influence, with node and arc attributes."""
        from ._convert import to_networkx

        return to_networkx(self)

    def to_igraph(self) -> igraph.Graph:
        """Return a directed igraph Graph in the direction of influence; vertex i is ``nodes[i]``, with its name."""
        from ._convert import to_igraph

        return to_igraph(self)

    def to_scipy(self) -> scipy.sparse.csr_array:
        """Return the matrix of propagation probabilities (or of multiplicities where none are set), rows in `nodes` order."""
        from ._convert import to_scipy

        return to_scipy(self)

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self._arcs.labels)

    @property
    def n_edges(self) -> int:
        """Number of distinct arcs; an undirected edge is two."""
        return int(self._arcs.indices.size)

    @property
    def nodes(self) -> pd.Index[Any]:
        """Node labels in canonical order: numbers ascending, strings by code point."""
        return self._arcs.labels

    @property
    def rows(self) -> int:
        """Rows the graph was built from."""
        return self._arcs.rows

    @property
    def comment_lines(self) -> int:
        """Lines before the first edge of the file that were taken as comments."""
        return self._arcs.comment_lines

    @property
    def dropped_self_loops(self) -> int:
        """Rows dropped because both ends were the same node."""
        return self._arcs.dropped_self_loops

    @property
    def dropped_parallel(self) -> int:
        """Repeated arcs that were collapsed."""
        return self._arcs.dropped_parallel

    @property
    def out_degree(self) -> pd.Series[int]:
        """Followers reached by each node, parallel arcs counted; indexed by label."""
        return self._series(self._out_degree, "out_degree")

    @property
    def in_degree(self) -> pd.Series[int]:
        """Accounts that each node follows, parallel arcs counted; indexed by label."""
        return self._series(self._in_degree, "in_degree")

    @property
    def reciprocity(self) -> float:
        """Share of arcs u -> v for which v -> u exists; NaN without arcs."""
        if "reciprocity" not in self._shared:
            from ..kernels.csr import count_mutual

            into = self._in_arcs
            mutual = count_mutual(self._arcs.indptr, self._arcs.indices, into.indptr, into.sources)
            self._shared["reciprocity"] = mutual / self.n_edges if self.n_edges else float("nan")
        return float(self._shared["reciprocity"])

    @property
    def fingerprint(self) -> str:
        """Hash of labels, arcs and probabilities: equal graphs have equal fingerprints on every machine."""
        from ._card import fingerprint

        return fingerprint(self)

    def __contains__(self, node: object) -> bool:
        try:
            return node in self.nodes
        except TypeError:
            return False

    def __len__(self) -> int:
        return self.n_nodes

    # -- attributes of nodes ---------------------------------------------------------------------------------------

    @property
    def node_data(self) -> pd.DataFrame:
        """Attributes that ride along (community, tier, price ...), one row a node in `nodes` order."""
        return pd.DataFrame(dict(self._node_data), index=self.nodes)

    def with_node_data(self, data: pd.DataFrame | Mapping[str, Any] | None = None, **columns: Any) -> FollowerGraph:
        """Return the graph with further node attributes.

        Parameters
        ----------
        data : DataFrame or mapping of name to values
            A DataFrame or Series is aligned by its index of labels, and a dict by its keys; nodes it does not name get a
            missing value. A list or array has one value for every node in the order of `nodes`.
        **columns
            The same by keyword: ``community=..., tier=..., price=...``.

        Raises
        ------
        NotFoundError
            A label that is not in the graph.
        InputError
            An array of another length.
        """
        new = dict(self._node_data)
        table: dict[Any, Any] = {} if data is None else {name: values for name, values in data.items()}
        for name, values in (table | columns).items():
            if isinstance(values, Mapping):
                values = pd.Series(list(values.values()), index=pd.Index(list(values), tupleize_cols=False))
            if isinstance(values, pd.Series):
                if not values.index.is_unique:
                    twice = values.index[values.index.duplicated()].tolist()[0]
                    raise InputError(f"{name} has more than one value for the node {twice!r}: give one for each node")
                self._check_labels(values.index)
                values = values.reindex(self.nodes).array
            if isinstance(values, str | bytes | set | frozenset) or not isinstance(values, Collection):
                raise InputError(
                    f"{name}={values!r} is not one value for each node: give a Series or a dict by label, or a list or "
                    "array in the order of nodes"
                )
            if len(values) != self.n_nodes or getattr(values, "ndim", 1) != 1:
                shape = getattr(values, "shape", (len(values),))
                given = " x ".join(f"{k:,}" for k in shape)
                raise InputError(f"{name} has {given} values for {self.n_nodes:,} nodes: give one for each node")
            new[str(name)] = values.copy() if hasattr(values, "copy") else list(values)
        return replace(self, _node_data=new)

    # -- probabilities ---------------------------------------------------------------------------------------------

    def with_probabilities(
        self,
        rule: str,
        *,
        p: float | None = None,
        values: tuple[float, ...] = (0.1, 0.01, 0.001),
        normalize: bool = False,
        rng: RNGLike = None,
    ) -> FollowerGraph:
        """Return a graph on the same arcs with propagation probabilities.

        Parameters
        ----------
        rule : {"constant", "weighted_cascade", "trivalency", "column", "lt"}
            - ``"constant"``: `p` on every arc; c parallel arcs act as 1 - (1 - p)^c.
            - ``"weighted_cascade"``: c / in-degree of the target, parallel arcs counted in both (Kempe et al. 2003).
            - ``"trivalency"``: drawn for each arc from `values` with `rng` (Chen, Wang and Wang 2010).
            - ``"column"``: the weight of the arc, which must be a probability.
            - ``"lt"``: linear-threshold weights: the weight of the arc where there is one, else c / in-degree. They
              must sum to at most 1 at every node; ``normalize=True`` divides them by their sum at each node. A sum that exceeds
              1 only because the weights were rounded to 3 to 6 decimals is divided out too, with a warning.
        p : float in [0, 1]
            For ``"constant"``.
        values : tuple of float in [0, 1]
            For ``"trivalency"``.
        normalize : bool
            For ``"lt"``.
        rng : int, Generator or None
            For ``"trivalency"``.

        Raises
        ------
        InputError
            A probability outside [0, 1] or NaN, no weight column, or weights that sum to more than 1 at a node.
        NotFoundError
            An unknown rule.

        Examples
        --------
        >>> g = FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
        >>> g.with_probabilities("weighted_cascade").to_pandas()["probability"].tolist()
        [0.5, 0.5]
        """
        from ._probabilities import assign

        return replace(self, probabilities=assign(self, rule, p=p, values=values, normalize=normalize, rng=rng))

    # -- inside: for the other rooms of the package ------------------------------------------------------------------

    def __getstate__(
        self,
    ) -> dict[str, Any]:  # what can be computed again stays behind: pickled arrays become writeable
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"_shared": {}}

    @functools.cached_property
    def _indptr(self) -> NDArray[np.int64]:
        return read_only(self._arcs.indptr)

    @functools.cached_property
    def _indices(self) -> NDArray[np.int32]:
        return read_only(self._arcs.indices)

    @property
    def _multiplicity(self) -> NDArray[np.int32]:
        """Parallel arcs of each arc, or one 1 for all."""
        m = self._arcs.multiplicity
        return read_only(np.ones(1, np.int32) if m is None else m)

    @property
    def _in_arcs(self) -> InArcs:
        if "in_arcs" not in self._shared:
            from ..kernels.csr import transpose

            self._shared["in_arcs"] = InArcs(*(read_only(a) for a in transpose(self._indptr, self._indices)))
        found: InArcs = self._shared["in_arcs"]
        return found

    @property
    def _out_degree(self) -> NDArray[np.int64]:
        if self._arcs.multiplicity is None:
            return np.diff(self._arcs.indptr)
        return np.diff(np.concatenate([[0], np.cumsum(self._arcs.multiplicity, dtype=np.int64)])[self._arcs.indptr])

    @property
    def _in_degree(self) -> NDArray[np.int64]:
        if "in_degree" not in self._shared:
            found = np.bincount(self._arcs.indices, weights=self._arcs.multiplicity, minlength=self.n_nodes)
            self._shared["in_degree"] = found.astype(np.int64)
        return np.asarray(self._shared["in_degree"])

    @property
    def _rank(self) -> NDArray[np.int32]:
        """Internal node of each label position."""
        if "rank" not in self._shared:
            rank = np.empty(self.n_nodes, np.int32)
            rank[self._arcs.order] = np.arange(self.n_nodes, dtype=np.int32)
            self._shared["rank"] = rank
        return np.asarray(self._shared["rank"])

    def _series(self, internal: NDArray[Any], name: str) -> pd.Series[Any]:
        """Values by internal node -> a Series by label."""
        return pd.Series(internal[self._rank], index=self.nodes, name=name)

    def _labels_of(self, internal: NDArray[Any]) -> pd.Index[Any]:
        return self.nodes.take(self._arcs.order[internal])

    def _internal(self, labels: Any) -> NDArray[np.int32]:
        """Labels -> internal nodes, in the order given; unknown labels are an error."""
        return self._rank[self._check_labels(labels)]

    def _check_labels(self, labels: Any) -> NDArray[np.intp]:
        if isinstance(labels, pd.Index):
            index = labels
        else:
            items = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
            index = pd.Index(items, tupleize_cols=False) if items else self.nodes[:0]
        if index.dtype.kind in "iub" and self.nodes.dtype.kind not in "iufO":
            positions = np.full(len(index), -1, np.intp)  # numbers never name nodes of a graph labelled with text
        else:
            try:
                positions = np.asarray(self.nodes.get_indexer(index))
            except TypeError as error:
                raise InputError(f"the labels {index.tolist()[:3]!r} cannot name nodes ({error})") from None
            if (
                index.dtype.kind == "f" and self.nodes.dtype.kind in "iu"
            ):  # compared as float64, where 2**53 + 1 is 2**53
                same = [a == b for a, b in zip(index.tolist(), self.nodes.take(positions).tolist(), strict=True)]
                positions = np.where(same, positions, -1)
        if (positions < 0).any():
            missing = [label for label, at in zip(index.tolist(), positions, strict=True) if at < 0]
            more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
            raise NotFoundError(
                f"the node {missing[0]!r}{more} is not in the graph of {self.n_nodes:,} nodes."
                + (did_you_mean(missing[0], self._name_pool) or f" Labels look like {self.nodes[:1].tolist()[0]!r}.")
            )
        return positions

    @property
    def _name_pool(self) -> list[Any]:
        return self.nodes[: min(self.n_nodes, 100_000)].tolist()

    # -- what a notebook shows -------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        from ._card import text_card

        return text_card(self)

    def _repr_html_(self) -> str:
        from ._card import html_card

        return html_card(self)
