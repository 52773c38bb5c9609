"""Communities of a follower graph: found by igraph or networkit, or given; their sizes, modularity and mixing."""

from __future__ import annotations

import gzip
import os
import threading
import warnings
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._html import card, table
from .._provenance import provenance
from .._random import RNGLike, derive_key, igraph_seeded, key_of
from .._upward import draw
from .._validation import number
from ..errors import InputError, MissingDataError, NotFoundError, ReadError, did_you_mean
from .follower_graph import FollowerGraph, check_graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "METHODS",
    "Communities",
    "Partition",
    "communities",
    "community_codes",
    "modularity_and_mixing",
    "read_communities",
]

Method: TypeAlias = Literal["leiden", "louvain", "infomap", "label_propagation"]
METHODS = ("leiden", "louvain", "infomap", "label_propagation")
Engine: TypeAlias = Literal["igraph", "networkit"]
ENGINES: dict[str, tuple[str, ...]] = {"igraph": METHODS, "networkit": ("leiden", "louvain", "label_propagation")}
#: What functions accept as communities: a partition, values by label or in node order, or None for the node attribute.
Communities: TypeAlias = "Partition | pd.Series[Any] | dict[Any, Any] | list[Any] | NDArray[Any] | None"

LARGE = 20_000_000  # arcs above which networkit is the default: igraph takes minutes there
LEIDEN_ITERATIONS = 10  # more gain under 0.1 % in modularity and take several times as long
NETWORKIT_ITERATIONS = 3  # within 0.5 % of the modularity of igraph's ten
NETWORKIT_SWEEPS = 10  # of Louvain's first phase: 32, its default, take twice as long for the same modularity
INFOMAP_TRIALS = 2  # the better one is kept
_ENGINE = threading.Lock()  # networkit has one random number generator for the process


@dataclass(frozen=True, repr=False, eq=False)
class Partition:
    """Communities of the nodes of a graph.

    Attributes
    ----------
    labels : Series of int64, index node label
        Community of every node: 0 is the largest, ties in the order of their first nodes.
    names : Index
        What the communities were called where they were given; 0, 1, ... where they were found.
    modularity : float
        Of the directed graph, at resolution 1; see `communities`. NaN without arcs.
    mixing : float
        Share of arcs between communities (mu), parallel arcs counted. NaN without arcs.
    method : str
        How they were found, or ``"given"``.
    resolution : float
        What the method was given.
    engine : str
        "igraph" or "networkit", which found them; empty where they were given.
    provenance : dict

    See Also
    --------
    communities, graph.read_communities

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(500, communities=3, mixing=0.1, rng=7)
    >>> part = dif.communities(g, method="leiden", rng=7)
    >>> part.labels.shape, 0 < part.mixing < 0.3
    ((500,), True)
    """

    labels: pd.Series[int]
    names: pd.Index[Any]
    modularity: float
    mixing: float
    method: str
    resolution: float = 1.0
    engine: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_labels(cls, graph: FollowerGraph, labels: Any = None) -> Partition:
        """Make a partition from known communities.

        Parameters
        ----------
        graph : FollowerGraph
        labels : Series or dict by node label, or array in the order of nodes, optional
            Any hashable names, one for every node. Default: the node attribute ``community``.

        Raises
        ------
        InputError
            A node without a community, or no communities at all.
        NotFoundError
            A label that is not in the graph.

        Examples
        --------
        >>> g = FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
        >>> part = Partition.from_labels(g, {0: "x", 1: "y", 2: "y"})
        >>> part.labels.tolist(), part.names.tolist(), round(part.mixing, 3)
        ([1, 0, 0], ['y', 'x'], 0.667)
        """
        codes, names = community_codes(graph, labels)
        record = provenance("Partition.from_labels", graph=graph.fingerprint)
        return _partition(graph, codes, names, "given", 1.0, "", record)

    @property
    def n_communities(self) -> int:
        """Number of communities."""
        return len(self.names)

    @property
    def sizes(self) -> pd.Series[int]:
        """Nodes of each community, by number."""
        counts = np.bincount(self.labels.to_numpy(), minlength=self.n_communities)
        return pd.Series(counts, index=pd.RangeIndex(self.n_communities, name="community"), name="size")

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a node: node, community, name of the community."""
        codes = self.labels.to_numpy()
        return pd.DataFrame({"node": self.labels.index, "community": codes, "name": self.names.take(codes)})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot how many nodes each community has."""
        return draw("partition", self, ax)

    def __repr__(self) -> str:
        sizes = self.sizes.to_numpy()
        how = f"{self.method}, {self.engine}" if self.engine else self.method
        return (
            f"Partition ({how}): {self.n_communities:,} communities of {sizes.min():,} to {sizes.max():,} nodes; "
            + (
                f"modularity {self.modularity:.3g}, mixing {self.mixing:.3g}"
                if self.mixing == self.mixing
                else "no arcs"
            )
        )

    def _repr_html_(self) -> str:
        sizes = self.sizes.to_numpy()
        rows = pd.DataFrame({"community": self.sizes.index, "name": self.names, "nodes": sizes})
        return card(repr(self), table(rows.assign(share=sizes / max(sizes.sum(), 1))))


def communities(
    graph: FollowerGraph,
    *,
    method: Method = "leiden",
    resolution: float = 1.0,
    engine: Engine | None = None,
    rng: RNGLike = None,
) -> Partition:
    """Find communities with igraph, or with networkit on a large graph.

    Parameters
    ----------
    graph : FollowerGraph
    method : {"leiden", "louvain", "infomap", "label_propagation"}
        - ``"leiden"`` (Traag, Waltman and van Eck 2019): modularity, in ten iterations. Direction is not used: two
          accounts are joined by the number of arcs between them, 2 where they follow each other.
        - ``"louvain"`` (Blondel et al. 2008): modularity. Direction is not used, as above.
        - ``"infomap"`` (Rosvall and Bergstrom 2008): map equation of a random walk along the arcs. Direction is used:
          the walk goes where content goes, and starts anew from anywhere with probability 0.15. The better of two
          trials; by far the slowest of the four.
        - ``"label_propagation"`` (Raghavan, Albert and Kumara 2007): direction is not used, as above.
    resolution : float > 0
        For Leiden and Louvain: above 1 gives more, smaller communities.
    engine : {"igraph", "networkit"}, optional
        Default: igraph up to 20 million arcs and for ``"infomap"``; above, networkit where it is installed (``pip
        install 'diffusion-graphs[networkit]'``), else igraph with a warning. The two find different communities of
        about the same modularity; the result names its engine.
    rng : int, Generator or None
        The same key gives the same communities with the same version of the engine.

    Returns
    -------
    Partition
        A node without arcs is a community of its own.

    Raises
    ------
    NotFoundError
        An unknown method or engine.
    InputError
        A resolution that is not above 0, or is given to a method that has none; ``"infomap"`` with networkit.
    MissingDataError
        ``engine="networkit"`` where networkit is not installed.

    Warns
    -----
    UserWarning
        More than 20 million arcs, and networkit is not installed.

    See Also
    --------
    graph.Partition, graph.read_communities, rewire_mixing, simulation.community_flow

    Notes
    -----
    Parallel arcs count as often as they occur; weights and probabilities of arcs are not used. The modularity of the
    result is that of directed graphs (Leicht and Newman 2008), Q = (1/m) sum over u, v of [A_uv - k_u j_v / m] in
    the same community, whatever the method maximised.

    networkit's Leiden is that of Nguyen (2021) in three iterations, its Louvain and label propagation those of Staudt and
    Meyerhenke (2016). They run on one thread: on several, the same key gives other communities in each call. Louvain
    visits nodes in a fixed order, so that the key has no part in it. On DBLP (2.1M arcs) Leiden reaches a modularity of
    .834 in a third of igraph's time, against .838. On a Chung-Lu graph of 58M arcs, which has no communities to find, it
    took 4 minutes of processor time for .156, and Louvain 2 minutes for .154; both held under 9 GB.

    igraph has one random number generator for the process. For the call it is one that is seeded from `rng`; then it
    is again Python's ``random`` module, igraph's default, whose state has not changed. A generator that was set with
    ``igraph.set_random_number_generator`` has to be set again. networkit's generators, too, are seeded from `rng`, and
    stay so; its number of threads is put back.

    References
    ----------
    - Traag, V. A., Waltman, L. and van Eck, N. J. (2019). From Louvain to Leiden: guaranteeing well-connected
      communities. Scientific Reports 9, 5233. doi:10.1038/s41598-019-41695-z
    - Blondel, V. D., Guillaume, J.-L., Lambiotte, R. and Lefebvre, E. (2008). Fast unfolding of communities in large
      networks. Journal of Statistical Mechanics, P10008. doi:10.1088/1742-5468/2008/10/P10008
    - Rosvall, M. and Bergstrom, C. T. (2008). Maps of random walks on complex networks reveal community structure. PNAS
      105(4), 1118-1123. doi:10.1073/pnas.0706851105
    - Raghavan, U. N., Albert, R. and Kumara, S. (2007). Near linear time algorithm to detect community structures in
      large-scale networks. Physical Review E 76, 036106. doi:10.1103/PhysRevE.76.036106
    - Staudt, C. L. and Meyerhenke, H. (2016). Engineering parallel algorithms for community detection in massive
      networks. IEEE Transactions on Parallel and Distributed Systems 27(1), 171-184. doi:10.1109/TPDS.2015.2390633
    - Nguyen, F. (2021). Leiden-based parallel community detection. Bachelor's thesis, Karlsruhe Institute of
      Technology.
    - Leicht, E. A. and Newman, M. E. J. (2008). Community structure in directed networks. Physical Review Letters 100,
      118703. doi:10.1103/PhysRevLett.100.118703

    Examples
    --------
    >>> from diffusion.graph.generate import generate_platform
    >>> g = generate_platform(600, communities=3, mixing=0.05, rng=7)
    >>> part = communities(g, rng=7)
    >>> part.n_communities, round(part.mixing, 2)
    (3, 0.05)
    """
    check_graph(graph)
    if method not in METHODS:
        raise NotFoundError(
            f"the method {method!r} is unknown: choose {', '.join(METHODS)}." + did_you_mean(method, METHODS)
        )
    number(resolution, "resolution", above=0, advice=", such as 1.0")
    if resolution != 1.0 and method not in ("leiden", "louvain"):
        raise InputError(f"resolution={resolution!r} does not apply to {method!r}: leave it out, or use 'leiden'")
    engine = _engine(graph, method, engine)
    key = key_of(rng)
    facts = {"method": method, "resolution": float(resolution), "engine": engine, "graph": graph.fingerprint}
    record = provenance("communities", key=key, **facts)
    detect = _igraph if engine == "igraph" else _networkit
    found = detect(graph, method, float(resolution), derive_key(key, engine))
    record["libraries"][engine] = metadata.version(engine)
    return _partition(graph, found[graph.index.rank], None, method, float(resolution), engine, record)


def _engine(graph: FollowerGraph, method: Method, given: Engine | None) -> Engine:
    """What finds the communities: as given, or by the number of arcs and by what is installed."""
    if given is not None and given not in ENGINES:
        raise NotFoundError(
            f"the engine {given!r} is unknown: choose {', '.join(ENGINES)}." + did_you_mean(given, ENGINES)
        )
    if given is not None and method not in ENGINES[given]:
        raise InputError(
            f"{given} has no method {method!r}: use engine='igraph', or one of {', '.join(ENGINES[given])}"
        )
    install = "pip install 'diffusion-graphs[networkit]'"
    present = find_spec("networkit") is not None
    if given == "networkit" and not present:
        raise MissingDataError(f"engine='networkit' needs the package networkit: {install}, or use engine='igraph'")
    if given is not None:
        return given
    if graph.n_edges <= LARGE or method not in ENGINES["networkit"]:
        return "igraph"
    if not present:
        warnings.warn(
            f"igraph takes many minutes for {graph.n_edges:,} arcs, and networkit is not installed: {install}; "
            "engine='igraph' says that igraph is meant",
            stacklevel=3,
        )
    return "networkit" if present else "igraph"


def _igraph(graph: FollowerGraph, method: str, resolution: float, seed: int) -> NDArray[np.int64]:
    """Community of each internal node."""
    import igraph

    if method == "infomap":
        source, target = graph.csr.sources.astype(np.int32), graph.csr.indices
        weight = np.broadcast_to(graph.csr.multiplicity, graph.n_edges).astype(np.float64)
    else:
        source, target, weight = _edges(graph)
    ends = np.column_stack([source.astype(np.int64), target.astype(np.int64)])
    made = igraph.Graph(n=graph.n_nodes, edges=ends, directed=method == "infomap")
    made.es["weight"] = weight.tolist()
    with igraph_seeded(seed):
        if method == "leiden":
            found = made.community_leiden(
                "modularity", weights="weight", resolution=resolution, n_iterations=LEIDEN_ITERATIONS
            )
        elif method == "louvain":
            found = made.community_multilevel(weights="weight", resolution=resolution)
        elif method == "infomap":
            found = made.community_infomap(edge_weights="weight", trials=INFOMAP_TRIALS)
        else:
            found = made.community_label_propagation(weights="weight")
    return np.asarray(found.membership, np.int64)


def _networkit(graph: FollowerGraph, method: str, resolution: float, seed: int) -> NDArray[np.int64]:
    """Community of each internal node."""
    import networkit
    from scipy.sparse import csr_array

    n = graph.n_nodes
    low, high, weight = _edges(graph)
    rows = np.concatenate([[0], np.cumsum(np.bincount(low, minlength=n))])
    # Every entry becomes one edge: half of the matrix is the graph. GraphFromCoo makes the same one in four times as long.
    half = csr_array((weight, high, rows), shape=(n, n))
    del low, high, weight
    with _ENGINE:
        threads = networkit.getMaxNumberOfThreads()
        networkit.setNumberOfThreads(1)
        try:
            networkit.setSeed(seed, False)
            # Also the graph is made on one thread: on several, the order of neighbours differs from call to call.
            made = networkit.graph.GraphFromCsr(half, directed=False, weighted=True)
            del half
            if method == "leiden":
                work = networkit.community.ParallelLeiden(made, iterations=NETWORKIT_ITERATIONS, gamma=resolution)
            elif method == "louvain":
                work = networkit.community.PLM(made, gamma=resolution, maxIter=NETWORKIT_SWEEPS)
            else:
                work = networkit.community.PLP(made)
            found = work.run().getPartition()
        finally:
            networkit.setNumberOfThreads(threads)
    return np.asarray(found.getVector(), np.int64)


def _edges(graph: FollowerGraph) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Edges of the undirected graph, each once, and the number of arcs between their ends."""
    from ..kernels.csr import undirected_edges

    csr = graph.csr
    low, high, weight = undirected_edges(csr.indptr, csr.indices, csr.multiplicity, *csr.into)
    return low, high, weight


def community_codes(graph: FollowerGraph, given: Any = None) -> tuple[NDArray[np.int64], pd.Index[Any]]:
    """Return the community of every node, by position in `nodes`, as a number from 0, and what each number is called.

    `given` is a `Partition`, values by label or in node order, or None for the node attribute ``community``. Numbers
    and names come in ascending order of the names where they can be ordered, else as they first occur.
    """
    if isinstance(given, Partition):
        given = given.labels
    if given is None:
        if "community" not in graph.attributes:
            raise InputError(
                "the graph has no node attribute 'community': give communities=, or add them with "
                "graph.with_node_data(community=dif.communities(graph).labels)"
            )
        values = graph.node_data["community"]
    else:
        values = graph.with_node_data(community=given).node_data["community"]
    missing = np.asarray(values.isna())
    if missing.any():
        first = values.index[missing][:1].tolist()[0]
        raise InputError(f"{int(missing.sum()):,} nodes have no community (first: {first!r}): give one for every node")
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    try:
        codes, names = pd.factorize(values, sort=True)
    except TypeError:
        codes, names = pd.factorize(values)
    return codes.astype(np.int64), pd.Index(names)


def modularity_and_mixing(graph: FollowerGraph, codes: NDArray[np.integer[Any]]) -> tuple[float, float]:
    """Return modularity (Leicht and Newman 2008) and mixing of a grouping by internal node; NaN without arcs."""
    if not graph.n_edges:
        return float("nan"), float("nan")
    weight = np.broadcast_to(graph.csr.multiplicity, graph.n_edges)
    same = np.repeat(codes, np.diff(graph.csr.indptr)) == codes[graph.csr.indices]
    total = float(weight.sum())
    inside = float(weight[same].sum()) / total
    out, into = (np.bincount(codes, weights=degree) for degree in (graph.csr.out_degree, graph.csr.in_degree))
    return inside - float(out @ into) / total**2, 1.0 - inside


def _partition(
    graph: FollowerGraph,
    codes: NDArray[np.int64],
    names: pd.Index[Any] | None,
    method: str,
    resolution: float,
    engine: str,
    record: dict[str, Any],
) -> Partition:
    """Number communities by size; `codes` by position in `nodes`."""
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    order = np.lexsort((first, -np.bincount(codes)))
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    labels = pd.Series(rank[codes], index=graph.nodes, name="community")
    modularity, mixing = modularity_and_mixing(graph, rank[codes][graph.index.order])
    called = pd.Index(np.arange(order.size)) if names is None else names.take(order)
    return Partition(labels, called, modularity, mixing, method, resolution, engine, record)


def read_communities(
    path: str | os.PathLike[str], graph: FollowerGraph, *, rows: Literal["nodes", "communities"] = "nodes"
) -> pd.Series[Any]:
    r"""Read the communities of a graph's nodes from a text file (.gz as well).

    Parameters
    ----------
    path : path
    graph : FollowerGraph
        Nodes that the file does not name become communities of their own.
    rows : {"nodes", "communities"}
        A row is a node and its community; or all members of one community, numbered by row. Separated by tabs, spaces
        or commas; lines that begin with ``#`` are skipped, and members that are not in the graph (padding) are left
        out.

    Returns
    -------
    Series
        Community by node label, for ``graph.with_node_data(community=...)``.

    Raises
    ------
    MissingDataError, ReadError
        No such file; a row that is no pair; a node in two communities; or no node of the graph at all.

    See Also
    --------
    communities, graph.Partition

    Examples
    --------
    >>> import pathlib, tempfile
    >>> g = FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "labels.txt"
    ...     _ = file.write_text("0 left\n1 left\n2 right\n")
    ...     read_communities(file, g).tolist()
    ['left', 'left', 'right']
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"there is no file '{file}' of communities")
    opener: Any = gzip.open if file.suffix == ".gz" else open
    whole = graph.nodes.dtype.kind in "iu"
    found: dict[Any, Any] = {}
    with opener(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            words = line.replace(",", " ").split()
            if not words or line.startswith("#"):
                continue
            if rows == "nodes" and len(words) != 2:
                raise ReadError(
                    f"'{file}', line {number}: {len(words)} values; give a node and its community in each row"
                )
            names = words[:1] if rows == "nodes" else words
            for name in names:
                try:
                    label = int(name) if whole else name
                except ValueError:
                    raise ReadError(
                        f"'{file}', line {number}: {name!r} is no node: the graph's nodes are whole numbers"
                    ) from None
                if label not in graph:
                    continue
                community = words[1] if rows == "nodes" else str(number)
                if found.setdefault(label, community) != community:
                    raise ReadError(f"'{file}', line {number}: the node {label!r} is in two communities: give each one")
    if not found:
        raise ReadError(f"'{file}' names no node of the graph: look at rows= and at the labels")
    return pd.Series([found.get(label, f"alone {label}") for label in graph.nodes.tolist()], index=graph.nodes)
