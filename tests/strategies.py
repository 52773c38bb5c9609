"""Hypothesis strategies: edge rows, graphs with probabilities, seeds; and a seeded random graph of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from diffusion import FollowerGraph

KEYS = st.integers(0, 2**64 - 1)
PROBABILITIES = st.sampled_from([0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 1.0]) | st.floats(0, 1, width=32)


@st.composite
def edge_rows(draw: st.DrawFn, *, n: int = 8, min_rows: int = 0, max_rows: int = 24) -> list[tuple[int, int]]:
    """Rows over at most n integer labels, with self-loops and repeated rows."""
    size = draw(st.integers(1, n))
    node = st.integers(0, size - 1)
    return draw(st.lists(st.tuples(node, node), min_size=min_rows, max_size=max_rows))


@st.composite
def graphs(draw: st.DrawFn, *, n: int = 8, max_rows: int = 24) -> FollowerGraph:
    """Graphs of every kind: one-way or two-way rows in both senses, collapsed or with counted parallel arcs."""
    rows = draw(edge_rows(n=n, max_rows=max_rows))
    directed = draw(st.booleans())
    return FollowerGraph.from_arrays(
        [u for u, _ in rows],
        [v for _, v in rows],
        nodes=range(draw(st.integers(1, n))),
        directed=directed,
        edges_mean=draw(st.sampled_from(["follows", "influences"])) if directed else None,
        parallel=draw(st.sampled_from(["collapse", "keep"])),
    )


@st.composite
def ic_graphs(draw: st.DrawFn, *, n: int = 8, max_rows: int = 24) -> FollowerGraph:
    """Graphs with any probabilities: one for all arcs, or one for each."""
    graph = draw(graphs(n=n, max_rows=max_rows))
    if draw(st.booleans()):
        return graph.with_probabilities("constant", p=draw(PROBABILITIES))
    values = draw(st.lists(PROBABILITIES, min_size=graph.n_edges, max_size=graph.n_edges))
    return with_arc_values(graph, values, "column")


@st.composite
def lt_graphs(draw: st.DrawFn, *, n: int = 8, max_rows: int = 24) -> FollowerGraph:
    """Graphs with linear-threshold weights whose sums are below 1, or within rounding of it."""
    graph = draw(graphs(n=n, max_rows=max_rows))
    if draw(st.booleans()):
        return graph.with_probabilities("weighted_cascade")
    values = draw(st.lists(st.integers(0, 5), min_size=graph.n_edges, max_size=graph.n_edges))
    table = graph.to_pandas()
    total = table.assign(w=values).groupby("target")["w"].transform("sum").to_numpy()
    slack = draw(st.sampled_from([0, 0, 1, 3]))
    return with_arc_values(graph, [w / max(t + slack, 1) for w, t in zip(values, total, strict=True)], "lt")


def with_arc_values(graph: FollowerGraph, values: Any, rule: str) -> FollowerGraph:
    """The same graph built anew with one weight for each arc, in the order of `to_pandas`."""
    table = graph.to_pandas()
    counts = table["multiplicity"].to_numpy() if "multiplicity" in table else np.ones(len(table), int)
    at = np.repeat(np.arange(len(table)), counts)
    weight = np.asarray(values, np.float64)[at] if len(table) else np.empty(0)
    return FollowerGraph.from_arrays(
        table["source"].to_numpy()[at],
        table["target"].to_numpy()[at],
        weight=weight,
        nodes=graph.nodes,
        directed=True,
        edges_mean="influences",
        parallel="keep",
    ).with_probabilities(rule)


def seed_sets(graph: FollowerGraph, *, min_size: int = 0) -> st.SearchStrategy[list[Any]]:
    """Seeds of a graph, with repetitions."""
    return st.lists(st.sampled_from(graph.nodes.tolist()), min_size=min_size, max_size=6)


def random_graph(
    n: int, m: int, *, rng: int, directed: bool = True, parallel: str = "collapse", **options: Any
) -> FollowerGraph:
    """A random graph with hubs: ends drawn with squared uniform numbers, so that degrees vary widely."""
    draw = np.random.default_rng(rng)
    u = (n * draw.random(m) ** 2).astype(int)
    v = (n * draw.random(m) ** 2).astype(int)
    return FollowerGraph.from_arrays(
        u,
        v,
        nodes=range(n),
        directed=directed,
        edges_mean="influences" if directed else None,
        parallel=parallel,
        **options,
    )


def internal_arcs(graph: FollowerGraph) -> list[tuple[int, int]]:
    """Arcs in internal order, by internal number."""
    source = np.repeat(np.arange(graph.n_nodes), np.diff(graph.csr.indptr))
    return list(zip(source.tolist(), graph.csr.indices.tolist(), strict=True))


def internal_values(graph: FollowerGraph) -> list[float]:
    """The probability of every arc in internal order."""
    assert graph.probabilities is not None
    return np.broadcast_to(graph.probabilities.values.astype(float), graph.n_edges).tolist()
