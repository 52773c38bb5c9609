"""Converters between a FollowerGraph and other libraries' graphs and tables."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, NotFoundError, did_you_mean
from ._build import Parallel
from ._parts import Probabilities

if TYPE_CHECKING:
    import igraph
    import networkx
    import scipy.sparse

    from .follower_graph import FollowerGraph

__all__ = [
    "arc_order",
    "from_igraph",
    "from_networkx",
    "from_scipy",
    "subgraph",
    "to_igraph",
    "to_networkx",
    "to_pandas",
    "to_scipy",
]


#: Graph attribute of what `to_networkx` made: what the graph was like, as text, which all file formats can hold.
RECORD = "diffusion"
#: Arc columns that `to_networkx` writes, and `from_networkx` reads where that record says so.
CARRIED = ("multiplicity", "weight", "time", "probability")


def from_networkx(
    cls: type[FollowerGraph],
    graph: networkx.Graph[Any],
    *,
    edges_mean: str | None,
    weight: str | None,
    parallel: Parallel,
    combine: str | None,
) -> FollowerGraph:
    """See `FollowerGraph.from_networkx`."""
    record = json.loads(graph.graph[RECORD]) if RECORD in graph.graph else {}
    given = {name: name for name in CARRIED if name in record.get("carried", ())}
    given |= {"weight": weight} if weight is not None else {}
    edges = list(graph.edges(data=True))
    columns = {role: _edge_column(edges, name) for role, name in given.items()}
    ends = [edge[:2] for edge in edges]
    times = [int(c) for c in columns.get("multiplicity", [1] * len(edges))]
    rows = [i for i, count in enumerate(times) for _ in range(count)]
    known = bool(record) and edges_mean is None and graph.is_directed()
    built = cls.from_arrays(
        [ends[i][0] for i in rows],
        [ends[i][1] for i in rows],
        weight=[columns["weight"][i] for i in rows] if "weight" in columns else None,
        time=[columns["time"][i] for i in rows] if "time" in columns else None,
        nodes=list(graph.nodes),
        edges_mean="influences" if known else edges_mean,
        directed=graph.is_directed(),
        parallel=record.get("parallel", parallel),
        combine=combine,
    )
    if "probability" in columns:
        built = _with_carried(built, ends, columns["probability"], record, edges_mean)
    built = built.with_node_data(_node_columns(graph, built, record.get("node_data", {})))
    if known:
        if signature(built) != record["signature"]:
            raise InputError(
                "edges_mean is not given, and this graph is not as to_networkx made it, so that its arcs may have been turned "
                "round: give 'influences' if they still point the way content flows, or 'follows' if they have been reversed"
            )
        built = replace(built, edges_mean=record["edges_mean"], directed=record["directed"])
    return built


def signature(graph: FollowerGraph) -> str:
    """Hash of nodes, arcs, probabilities, weights and times."""
    digest = hashlib.blake2b(graph.fingerprint.encode(), digest_size=16)
    for name, values in graph.edge_data.items():
        digest.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _edge_column(edges: list[Any], name: str) -> list[Any]:
    missing = next(((u, v) for u, v, data in edges if data.get(name) is None), None)
    if missing is not None:
        raise InputError(
            f"the edge {missing} has no attribute {name!r}: give every edge one, or leave weight out (of a graph from "
            f"to_networkx: delete the graph attribute {RECORD!r})"
        )
    return [data[name] for _, _, data in edges]


def _with_carried(
    graph: FollowerGraph, ends: list[Any], values: list[Any], record: dict[str, Any], edges_mean: str | None
) -> FollowerGraph:
    """Set the probabilities that the edges carry."""
    if not graph.directed or len(ends) != graph.n_edges:
        raise InputError(
            f"{len(ends):,} edges carry probabilities for {graph.n_edges:,} arcs: remove the edge attribute 'probability' and "
            f"the graph attribute {RECORD!r}, and set probabilities with with_probabilities"
        )
    if edges_mean == "follows":
        ends = [(v, u) for u, v in ends]
    p = np.asarray(values, np.float32)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("an edge attribute 'probability' is outside [0, 1]: give probabilities")
    source, target = (graph.index.internal([end[side] for end in ends]) for side in (0, 1))
    placed = np.empty(graph.n_edges, np.float32)
    placed[np.lexsort((graph.csr.indices, graph.csr.sources))] = p[np.lexsort((target, source))]
    rule = record["rule"]
    if record["one"] and placed.size and (placed == placed[0]).all():
        placed = placed[:1]
    parameters = {
        name: tuple(value) if isinstance(value, list) else value for name, value in rule["parameters"].items()
    }
    return replace(graph, probabilities=Probabilities(placed, rule["rule"], parameters))


def _node_columns(graph: networkx.Graph[Any], built: FollowerGraph, kinds: dict[str, Any]) -> dict[str, Any]:
    """Node attributes in the order of `nodes`; a column that `to_networkx` wrote gets its type back where its values fit."""
    seen = {name for _, data in graph.nodes(data=True) for name in data}
    columns: dict[str, Any] = {}
    for name in [*(name for name in kinds if name in seen), *sorted(seen - set(kinds), key=str)]:
        values = np.empty(built.n_nodes, dtype=object)
        values[:] = [graph.nodes[node].get(name) for node in built.nodes]
        columns[name] = pd.array(values).tolist()
        kind = kinds.get(name)
        if isinstance(kind, list):  # categories and their order
            known = pd.Series(values).dropna()
            if known.isin(kind[0]).all():
                columns[name] = pd.Categorical(values, categories=kind[0], ordered=kind[1])
        elif kind is not None:
            with contextlib.suppress(TypeError, ValueError):  # a node that was added may lack a value
                columns[name] = pd.array(values, dtype=kind)
    return columns


def from_igraph(
    cls: type[FollowerGraph],
    graph: igraph.Graph,
    *,
    edges_mean: str | None,
    weight: str | None,
    parallel: Parallel,
    combine: str | None,
) -> FollowerGraph:
    """See `FollowerGraph.from_igraph`."""
    ends = np.array(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2)
    labels: Any = np.arange(graph.vcount())
    named = "name" in graph.vs.attributes()
    if named:
        labels = np.empty(graph.vcount(), dtype=object)
        labels[:] = graph.vs["name"]
        if len(set(labels.tolist())) < len(labels):
            raise InputError("the vertex attribute 'name' repeats: names have to be distinct")
    if weight is not None and weight not in graph.es.attributes():
        raise NotFoundError(f"the edges have no attribute {weight!r}." + did_you_mean(weight, graph.es.attributes()))
    built = cls.from_arrays(
        labels[ends[:, 0]],
        labels[ends[:, 1]],
        weight=None if weight is None else graph.es[weight],
        nodes=labels,
        edges_mean=edges_mean,
        directed=graph.is_directed(),
        parallel=parallel,
        combine=combine,
    )
    at = pd.Index(labels, tupleize_cols=False).get_indexer(built.nodes)
    attributes = [name for name in graph.vs.attributes() if name != "name"]
    return built.with_node_data({name: [graph.vs[name][i] for i in at] for name in attributes})


def from_scipy(cls: type[FollowerGraph], matrix: Any, *, edges_mean: str, nodes: Any) -> FollowerGraph:
    """See `FollowerGraph.from_scipy`."""
    if not hasattr(matrix, "tocoo"):
        raise InputError(f"matrix is a {type(matrix).__name__}: give a scipy sparse matrix or array")
    coo = matrix.tocoo()
    if coo.shape[0] != coo.shape[1]:
        raise InputError(f"the matrix has shape {coo.shape}: an adjacency matrix is square")
    labels = np.arange(coo.shape[0]) if nodes is None else np.asarray(pd.Index(list(nodes), tupleize_cols=False))
    if len(labels) != coo.shape[0]:
        raise InputError(f"nodes has {len(labels):,} labels for a matrix of {coo.shape[0]:,} rows: give one for each")
    if len(set(labels.tolist())) < len(labels):
        raise InputError("nodes repeats a label: the rows of the matrix need distinct ones")
    return cls.from_arrays(
        labels[coo.row],
        labels[coo.col],
        weight=coo.data,
        nodes=labels,
        edges_mean=edges_mean,
        directed=True,
        combine="sum",
    )


def subgraph(graph: FollowerGraph, nodes: Any) -> FollowerGraph:
    """See `FollowerGraph.subgraph`."""
    kept = np.zeros(graph.n_nodes, np.bool_)
    kept[graph.index.positions(list(nodes))] = True
    if not kept.any():
        raise InputError("nodes is empty: give the labels of at least one node")
    (source, target), by = _ends(graph)
    inside = kept[source] & kept[target]
    columns = {name: values[inside] for name, values in _arc_columns(graph, by).items()}
    times = columns.get("multiplicity", 1)
    rows = np.repeat(np.arange(int(inside.sum())), times)
    built = type(graph).from_arrays(
        graph.nodes.take(source[inside][rows]),
        graph.nodes.take(target[inside][rows]),
        weight=columns["weight"][rows] if "weight" in columns else None,
        time=columns["time"][rows] if "time" in columns else None,
        nodes=graph.nodes[kept].tolist(),
        edges_mean="influences",
        directed=True,
        parallel=graph.parallel,  # type: ignore[arg-type]
        combine="max",
    )
    probabilities = graph.probabilities
    if probabilities is not None and probabilities.values.size > 1:
        values = np.empty(built.n_edges, np.float32)
        values[arc_order(built)] = columns["probability"]
        probabilities = replace(probabilities, values=values)
    attributes = {name: values[kept] for name, values in graph.node_data.items()}
    built = replace(built, edges_mean=graph.edges_mean, directed=graph.directed, probabilities=probabilities)
    return built.with_node_data({str(name): values.array for name, values in attributes.items()})


def arc_order(graph: FollowerGraph) -> NDArray[np.int64]:
    """Arc of each row of ``to_pandas()``."""
    by: NDArray[np.int64] = _ends(graph)[1]
    return by


def _ends(graph: FollowerGraph) -> tuple[Any, Any]:
    """Positions in `nodes` of both ends of every arc, ordered by source, then target."""
    order = graph.index.order.astype(np.int64)
    source = np.repeat(order, np.diff(graph.csr.indptr))
    target = order[graph.csr.indices]
    by = np.lexsort((target, source))
    return (source[by], target[by]), by


def _arc_columns(graph: FollowerGraph, by: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in ("multiplicity", "weight", "time"):
        values = getattr(graph._arcs, name)
        if values is not None:
            columns[name] = values[by]
    if graph.probabilities is not None:
        columns["probability"] = np.broadcast_to(graph.probabilities.values, graph.n_edges)[by]
    return columns


def to_pandas(graph: FollowerGraph) -> pd.DataFrame:
    """See `FollowerGraph.to_pandas`."""
    (source, target), by = _ends(graph)
    return pd.DataFrame(
        {"source": graph.nodes.take(source), "target": graph.nodes.take(target), **_arc_columns(graph, by)}
    )


def to_networkx(graph: FollowerGraph) -> networkx.DiGraph[Any]:
    """See `FollowerGraph.to_networkx`."""
    import networkx as nx

    (source, target), by = _ends(graph)
    labels = graph.nodes.tolist()
    columns = {name: values.tolist() for name, values in _arc_columns(graph, by).items()}
    made: networkx.DiGraph[Any] = nx.DiGraph()
    made.graph[RECORD] = json.dumps(_record(graph, list(columns)))
    records = graph.node_data.to_dict("records") if graph.attributes else [{}] * graph.n_nodes
    made.add_nodes_from(zip(labels, records, strict=True))
    made.add_edges_from(
        (labels[u], labels[v], {name: values[i] for name, values in columns.items()})
        for i, (u, v) in enumerate(zip(source.tolist(), target.tolist(), strict=True))
    )
    return made


def _record(graph: FollowerGraph, carried: list[str]) -> dict[str, Any]:
    """What `from_networkx` needs beside nodes and edges to make the same graph."""
    record: dict[str, Any] = {"signature": signature(graph), "carried": carried, "node_data": {}}
    record |= {"edges_mean": graph.edges_mean, "directed": graph.directed, "parallel": graph.parallel}
    for name, values in graph.node_data.items():
        kind: Any = str(values.dtype)
        if isinstance(values.dtype, pd.CategoricalDtype):
            categories = values.dtype.categories.tolist()
            plain = all(isinstance(value, str | int | float) for value in categories)
            kind = [categories, bool(values.dtype.ordered)] if plain else None
        record["node_data"][str(name)] = kind
    if graph.probabilities is not None:
        rule = {"rule": graph.probabilities.rule, "parameters": graph.probabilities.parameters}
        record |= {"rule": json.loads(json.dumps(rule, default=_plain)), "one": graph.probabilities.values.size == 1}
    return record


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def to_igraph(graph: FollowerGraph) -> igraph.Graph:
    """See `FollowerGraph.to_igraph`."""
    import igraph

    (source, target), by = _ends(graph)
    made = igraph.Graph(n=graph.n_nodes, edges=np.column_stack([source, target]), directed=True)
    made.vs["name"] = graph.nodes.tolist()
    for name, values in graph.node_data.items():
        made.vs[str(name)] = values.tolist()
    for name, values in _arc_columns(graph, by).items():
        made.es[name] = values.tolist()
    return made


def to_scipy(graph: FollowerGraph) -> scipy.sparse.csr_array:
    """See `FollowerGraph.to_scipy`."""
    import scipy.sparse as sp

    (source, target), by = _ends(graph)
    columns = _arc_columns(graph, by)
    counts = columns.get("multiplicity", np.ones(graph.n_edges))
    values = columns.get("probability", counts)
    return sp.csr_array((np.asarray(values, np.float64), (source, target)), shape=(graph.n_nodes, graph.n_nodes))
