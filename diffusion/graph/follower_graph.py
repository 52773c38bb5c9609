"""The follower graph: immutable compressed sparse rows inside, the user's own labels outside."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._columns import table_columns
from .._validation import how_to_build
from ..errors import InputError
from ..kernels.arcs import InArcs
from ._build import Arcs, Parallel, build_arcs
from ._parts import Probabilities, read_only
from .csr import CSR, NodeIndex

if TYPE_CHECKING:
    import igraph
    import networkx
    import scipy.sparse

    from .._random import RNGLike

__all__ = ["FollowerGraph", "InArcs", "Probabilities", "check_graph", "check_static"]

T = TypeVar("T")


@dataclass(frozen=True, repr=False, eq=False)
class FollowerGraph:
    """A follower graph: an arc u -> v means that v follows u, so content flows from u to v.

    Build one with `from_pandas`, `from_arrays`, `from_table` (pyarrow, polars), `from_networkx`, `from_igraph`,
    `from_scipy`, `read_edges` or `load`. It never changes: methods that set something return a new graph that shares
    the arrays.

    Attributes
    ----------
    edges_mean : {"follows", "influences"} or None
        What the rows it was built from meant; None if they had no direction. Arcs always point in the direction of
        influence.
    directed : bool
        False where every row became two arcs.
    parallel : {"collapse", "keep"}
        Whether repeated arcs became one, or one with their number as multiplicity.
    probabilities : Probabilities or None
        Propagation probabilities: ``values``, one for all arcs or one for each, with the ``rule`` and its
        ``parameters``.
    attributes : dict of str to array
        Node attributes by name, in the order of `nodes`; `node_data` shows them as a table.

    See Also
    --------
    read_edges, generate_platform, datasets.load

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
    attributes: dict[str, Any] = field(default_factory=dict)
    _shared: dict[Any, Any] = field(default_factory=dict)  # what is computed once for all graphs on these arcs

    def __new__(cls, *given: Any, **named: Any) -> Self:
        first = given[0] if given else named.get("_arcs")
        if (given or named) and not isinstance(first, Arcs):  # nothing at all: pickle, which fills it in afterwards
            raise InputError(f"FollowerGraph(...) is not how a graph is built, and {how_to_build(first)}")
        return object.__new__(cls)

    # -- constructors ----------------------------------------------------------------------------------------------

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
            source,
            target,
            weight=weight,
            time=time,
            nodes=nodes,
            edges_mean=edges_mean,
            directed=directed,
            parallel=parallel,
            combine=combine,
        )
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
        named = {"source": source, "target": target, "weight": weight, "time": time}
        columns = table_columns(edges, named, what="edges", instead="FollowerGraph.from_arrays(source, target, ...)")
        return cls.from_arrays(
            columns["source"],
            columns["target"],
            weight=columns["weight"],
            time=columns["time"],
            nodes=nodes,
            edges_mean=edges_mean,
            directed=directed,
            parallel=parallel,
            combine=combine,
        )

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

        What `to_networkx` made comes back as the same graph, with weights, times, multiplicities, probabilities and node
        data. After a change in between, `edges_mean` has to be given: ``"influences"`` unless arcs were reversed.

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

        Raises
        ------
        InputError
            A directed graph without `edges_mean`, one that `to_networkx` made and that was changed since included; an edge
            that lacks the weight, or another attribute that the graph was made with.

        See Also
        --------
        FollowerGraph.to_networkx

        Examples
        --------
        >>> g = FollowerGraph.from_arrays(["bob", "eve"], ["ann", "ann"], edges_mean="follows", directed=True)
        >>> g = g.with_probabilities("constant", p=0.1).with_node_data(tier=["head", "tail", "tail"])
        >>> again = FollowerGraph.from_networkx(g.to_networkx())
        >>> again.fingerprint == g.fingerprint, again.node_data.equals(g.node_data)
        (True, True)
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

        return FollowerGraph(*load(path, memory_map=memory_map))

    # -- exporters -------------------------------------------------------------------------------------------------

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
        """Return a DiGraph whose arcs point in the direction of influence, with node and arc attributes.

        `from_networkx` makes the same graph of it. Every exporter has the constructor of its name: ``to_x`` and ``from_x``.
        """
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
        return self.index.series(self.csr.out_degree, "out_degree")

    @property
    def in_degree(self) -> pd.Series[int]:
        """Accounts that each node follows, parallel arcs counted; indexed by label."""
        return self.index.series(self.csr.in_degree, "in_degree")

    @property
    def reciprocity(self) -> float:
        """Share of arcs u -> v for which v -> u exists; NaN without arcs."""
        return self.cached("reciprocity", self._reciprocity)

    @property
    def fingerprint(self) -> str:
        """Hash of labels, arcs and probabilities: equal graphs have equal fingerprints on every machine."""
        from ._card import fingerprint

        return fingerprint(self)

    @property
    def is_temporal(self) -> bool:
        """Do arcs come and go? False: they are there always."""
        return False

    def _facts(self) -> dict[str, str]:
        """Further rows of the card."""
        return {}

    # -- around a node, and parts ------------------------------------------------------------------------------------

    def followers(self, node: Any) -> pd.Index[Any]:
        """Return who follows a node, and so hears from it.

        Parameters
        ----------
        node : label

        Returns
        -------
        Index
            Labels in the order of `nodes`, each once.

        See Also
        --------
        FollowerGraph.following, FollowerGraph.neighbors

        Examples
        --------
        >>> g = FollowerGraph.from_arrays(["bob", "eve"], ["ann", "ann"], edges_mean="follows", directed=True)
        >>> g.followers("ann").tolist(), g.following("bob").tolist()
        (['bob', 'eve'], ['ann'])
        """
        (at,) = self.index.internal([node])
        return self._labels(self.csr.indices[self.csr.indptr[at] : self.csr.indptr[at + 1]])

    def following(self, node: Any) -> pd.Index[Any]:
        """Return whom a node follows, and so hears from.

        Parameters
        ----------
        node : label

        Returns
        -------
        Index
            Labels in the order of `nodes`, each once.

        See Also
        --------
        FollowerGraph.followers, FollowerGraph.neighbors
        """
        (at,) = self.index.internal([node])
        return self._labels(self.csr.into.sources[self.csr.into.indptr[at] : self.csr.into.indptr[at + 1]])

    def neighbors(self, node: Any) -> pd.Index[Any]:
        """Return who follows a node or is followed by it; of networkx ``DiGraph.neighbors`` only the `followers`.

        Parameters
        ----------
        node : label

        Returns
        -------
        Index
            Labels in the order of `nodes`, each once.

        See Also
        --------
        FollowerGraph.followers, FollowerGraph.following
        """
        (at,) = self.index.internal([node])
        into = self.csr.into
        ends = (
            self.csr.indices[self.csr.indptr[at] : self.csr.indptr[at + 1]],
            into.sources[into.indptr[at] : into.indptr[at + 1]],
        )
        return self._labels(np.unique(np.concatenate(ends)))

    def _labels(self, internal: NDArray[Any]) -> pd.Index[Any]:
        return self.nodes.take(np.sort(self.index.order[internal]))

    @property
    def edges(self) -> pd.MultiIndex:
        """Arcs (u, v) in the direction of influence, v follows u, as pairs of labels; `to_pandas` has what they carry."""
        table = self.to_pandas()
        return pd.MultiIndex.from_arrays([table["source"], table["target"]], names=["source", "target"])

    def subgraph(self, nodes: Any) -> FollowerGraph:
        """Return the graph of some nodes and all arcs between them.

        Attributes of nodes, weights, times and probabilities stay as they are: probabilities that a rule gave are not
        reckoned anew, so that weighted-cascade probabilities may sum to less than 1 at a node.

        Parameters
        ----------
        nodes : iterable of labels

        Returns
        -------
        FollowerGraph

        Raises
        ------
        NotFoundError
            A label that is not in the graph.
        InputError
            No node at all, or a graph whose arcs come and go.

        See Also
        --------
        FollowerGraph.followers, communities

        Examples
        --------
        >>> g = FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
        >>> g.subgraph([0, 1]).edges.tolist()
        [(0, 1)]
        """
        from ._convert import subgraph

        check_static(self)
        return subgraph(self, nodes)

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
        return pd.DataFrame(dict(self.attributes), index=self.nodes)

    def with_node_data(self, data: pd.DataFrame | Mapping[str, Any] | None = None, **columns: Any) -> FollowerGraph:
        """Return the graph with further node attributes.

        Parameters
        ----------
        data : DataFrame or mapping of name to values
            A DataFrame or Series is aligned by its index of labels, and a dict by its keys; nodes it does not name
            get a missing value. A list or array has one value for every node in the order of `nodes`, and what
            `communities` found has one for every node too.
        **columns
            The same by keyword: ``community=..., tier=..., price=...``.

        Raises
        ------
        NotFoundError
            A label that is not in the graph.
        InputError
            An array of another length.
        """
        new = dict(self.attributes)
        table: dict[Any, Any] = {} if data is None else {name: values for name, values in data.items()}
        for name, values in (table | columns).items():
            values = getattr(values, "labels", values)  # of a Partition
            if isinstance(values, Mapping):
                values = pd.Series(list(values.values()), index=pd.Index(list(values), tupleize_cols=False))
            if isinstance(values, pd.Series):
                if not values.index.is_unique:
                    twice = values.index[values.index.duplicated()].tolist()[0]
                    raise InputError(f"{name} has more than one value for the node {twice!r}: give one for each node")
                self.index.positions(values.index)
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
        return replace(self, attributes=new)

    # -- probabilities ---------------------------------------------------------------------------------------------

    def with_probabilities(
        self,
        rule: str,
        *,
        p: float | None = None,
        values: tuple[float, ...] = (0.1, 0.01, 0.001),
        normalize: bool = False,
        column: str | None = None,
        rng: RNGLike = None,
    ) -> FollowerGraph:
        """Return a graph on the same arcs with propagation probabilities.

        Parameters
        ----------
        rule : {"constant", "weighted_cascade", "trivalency", "column", "lt", "follower", "creator"}
            - ``"constant"``: `p` on every arc; c parallel arcs act as 1 - (1 - p)^c.
            - ``"weighted_cascade"``: c / in-degree of the target, parallel arcs counted in both (Kempe, Kleinberg and
              Tardos 2003).
            - ``"trivalency"``: drawn for each arc from `values` with `rng` (Chen, Wang and Wang 2010).
            - ``"column"``: the weight of the arc, which must be a probability.
            - ``"lt"``: linear-threshold weights: the weight of the arc where there is one, else c / in-degree. They
              must sum to at most 1 at every node; ``normalize=True`` divides them by their sum at each node. A sum
              that exceeds 1 only because the weights were rounded to 3 to 6 decimals is divided out too, with a
              warning.
            - ``"follower"``, ``"creator"``: the value of the arc's follower, or of the creator it leads away from, in a
              `column` of node data: susceptibility or attention, and infectivity. Parallel arcs act as with
              ``"constant"``.
        p : float in [0, 1]
            For ``"constant"``.
        values : tuple of float in [0, 1]
            For ``"trivalency"``.
        normalize : bool
            For ``"lt"``.
        column : str
            For ``"follower"`` and ``"creator"``: a column of `node_data`.
        rng : int, Generator or None
            For ``"trivalency"``.

        Raises
        ------
        InputError
            A probability outside [0, 1] or NaN, no weight column, or weights that sum to more than 1 at a node.
        NotFoundError
            An unknown rule or column.

        References
        ----------
        - Kempe, D., Kleinberg, J. and Tardos, E. (2003). Maximizing the spread of influence through a social network.
          KDD 2003, 137-146. doi:10.1145/956750.956769
        - Chen, W., Wang, C. and Wang, Y. (2010). Scalable influence maximization for prevalent viral marketing in
          large-scale social networks. KDD 2010. doi:10.1145/1835804.1835934

        Examples
        --------
        >>> g = FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
        >>> g.with_probabilities("weighted_cascade").to_pandas()["probability"].tolist()
        [0.5, 0.5]
        >>> g = g.with_node_data(attention=[0, 0, 0.25]).with_probabilities("follower", column="attention")
        >>> g.to_pandas()["probability"].tolist()
        [0.25, 0.25]
        """
        from .probabilities import assign

        return replace(
            self,
            probabilities=assign(self, rule, p=p, values=values, normalize=normalize, column=column, rng=rng),
        )

    def _reciprocity(self) -> float:
        from ..kernels.csr import count_mutual

        into = self.csr.into
        mutual = count_mutual(self.csr.indptr, self.csr.indices, into.indptr, into.sources)
        return mutual / self.n_edges if self.n_edges else float("nan")

    # -- arrays by internal node ---------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        # What can be computed again stays behind: pickled arrays become writeable.
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"_shared": {}}

    @property
    def csr(self) -> CSR:
        """Arcs in compressed sparse rows, by internal node."""
        return self.cached("csr", lambda: CSR(self._arcs))

    @property
    def index(self) -> NodeIndex:
        """Labels, their positions in `nodes`, and internal nodes."""
        return self.cached("index", lambda: NodeIndex(self._arcs))

    @property
    def edge_data(self) -> dict[str, NDArray[Any]]:
        """Weight and time of every arc in the order of ``csr.indices``, where the graph was built with them."""
        columns = {"weight": self._arcs.weight, "time": self._arcs.time}
        return {name: read_only(values) for name, values in columns.items() if values is not None}

    def cached(self, name: Any, make: Callable[[], T], *, of: object = None) -> T:
        """Return what was computed once for all graphs on these arcs; `of` is an object that the name speaks of by its id.

        Parameters
        ----------
        name : hashable
        make : callable
            Computes the value when it is missing.
        of : object, optional
            Kept alive with the value, so that its id is not used again.

        Returns
        -------
        object
        """
        key = (name, id(of)) if of is not None else name
        if key not in self._shared:
            self._shared[key] = make(), of
        value: T = self._shared[key][0]
        return value

    # -- what a notebook shows -------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        from ._card import text_card

        return text_card(self)

    def _repr_html_(self) -> str:
        from ._card import html_card

        return html_card(self)


def check_graph(graph: Any) -> None:
    """Refuse what is no follower graph, and say what to call."""
    if not isinstance(graph, FollowerGraph):
        raise InputError(f"graph has to be a FollowerGraph, and {how_to_build(graph)}")


def check_static(graph: Any) -> None:
    """Refuse what is no follower graph, and one whose arcs come and go."""
    check_graph(graph)
    if graph.is_temporal:
        raise InputError(
            "the arcs of this graph come and go, and this function takes a static graph: give graph.window(start, end)"
        )
