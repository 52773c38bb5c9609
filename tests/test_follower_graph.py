"""The graph: constructors and exporters, labels of every kind, canonical order, files, immutability and what errors say."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
from collections import Counter
from fractions import Fraction
from typing import Any

import igraph
import naive
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import edge_rows, graphs, internal_arcs, random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import DiffusionError, InputError, MissingDataError, NotFoundError, OutputError, ReadError

ROWS = [("ann", "bob"), ("ann", "eve"), ("eve", "bob"), ("dan", "ann"), ("ann", "bob"), ("bob", "bob")]
ARCS = {("ann", "bob"), ("ann", "eve"), ("eve", "bob"), ("dan", "ann")}


def make(rows: Any, *, edges_mean: str | None = "influences", directed: bool = True, **options: Any) -> FollowerGraph:
    rows = list(rows)
    return FollowerGraph.from_arrays(
        [u for u, _ in rows], [v for _, v in rows], edges_mean=edges_mean, directed=directed, **options
    )


def arcs_of(graph: FollowerGraph) -> set[tuple[Any, Any]]:
    table = graph.to_pandas()
    found = list(zip(table["source"].tolist(), table["target"].tolist(), strict=True))
    assert len(set(found)) == len(found) == graph.n_edges
    return set(found)


def same(a: FollowerGraph, b: FollowerGraph) -> bool:
    return (
        a.fingerprint == b.fingerprint and a.nodes.tolist() == b.nodes.tolist() and a.to_pandas().equals(b.to_pandas())
    )


# -- building against the naive twin -----------------------------------------------------------------------------------


@given(edge_rows(max_rows=30), st.booleans(), st.sampled_from(["follows", "influences"]), st.booleans())
def test_build_is_the_twin(rows, directed, means, text):
    if text:
        rows = [(f"n{u}", f"n{v}") for u, v in rows]
    extra = ["zz"] if text else [99]
    want = naive.build(rows, directed=directed, edges_mean=means if directed else None, nodes=extra)
    for parallel in ("collapse", "keep"):
        graph = make(rows, edges_mean=means if directed else None, directed=directed, parallel=parallel, nodes=extra)
        assert graph.nodes.tolist() == want.nodes
        assert internal_arcs(graph) == want.arcs
        assert graph.index.internal(want.nodes).tolist() == [want.internal[label] for label in want.nodes]
        assert graph.dropped_self_loops == want.loops
        assert graph.dropped_parallel == (want.parallel if parallel == "collapse" else 0)
        assert graph.rows == len(rows)
        counts = np.broadcast_to(graph.csr.multiplicity, graph.n_edges).tolist()
        assert counts == (want.multiplicity if parallel == "keep" else [1] * graph.n_edges)
        assert arcs_of(graph) == set(want.labelled())
        out, into = Counter(), Counter()
        for (u, v), c in zip(want.labelled(), counts, strict=True):
            out[u] += c
            into[v] += c
        assert graph.out_degree.to_dict() == {label: out[label] for label in want.nodes}
        assert graph.in_degree.to_dict() == {label: into[label] for label in want.nodes}
        mutual = sum((v, u) in set(want.labelled()) for u, v in want.labelled())
        if want.arcs:
            assert graph.reciprocity == mutual / len(want.arcs)
        else:
            assert np.isnan(graph.reciprocity)
        assert (graph.csr.indptr.dtype, graph.csr.indices.dtype) == (np.int64, np.int32)


@pytest.mark.parametrize("m", [30, 120, 400])
def test_reciprocity(m):
    for rng in range(5):
        graph = random_graph(30, m, rng=rng)
        assert graph.reciprocity == nx.overall_reciprocity(graph.to_networkx())


@given(graphs())
def test_transpose_groups_the_same_arcs_by_target(graph):
    arcs, into = internal_arcs(graph), graph.csr.into
    for v in range(graph.n_nodes):
        rows = slice(into.indptr[v], into.indptr[v + 1])
        assert into.sources[rows].tolist() == sorted(u for u, w in arcs if w == v)
        assert [arcs[j] for j in into.arc[rows].tolist()] == [(u, v) for u in into.sources[rows].tolist()]


def test_direction():
    follows = make(ROWS, edges_mean="follows")
    influences = make(ROWS)
    assert arcs_of(influences) == ARCS
    assert arcs_of(follows) == {(v, u) for u, v in ARCS}
    assert arcs_of(make(ROWS, directed=False, edges_mean=None)) == ARCS | {(v, u) for u, v in ARCS}
    assert follows.out_degree["bob"] == 2
    assert influences.in_degree["bob"] == 2
    assert (follows.edges_mean, influences.directed) == ("follows", True)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), max_size=20), st.randoms())
def test_order_of_rows_changes_nothing(rows, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    made = []
    for given_rows in (rows, shuffled):
        u, v, w = zip(*given_rows, strict=True) if given_rows else ((), (), ())
        for combine in ("sum", "mean", "max", "min"):
            made.append(
                FollowerGraph.from_arrays(
                    u,
                    v,
                    weight=np.asarray(w, float) * 0.1,
                    nodes=[0],
                    edges_mean="follows",
                    directed=True,
                    combine=combine,
                    time=[10 * x for x in w],
                )
            )
    for a, b in zip(made[:4], made[4:], strict=True):
        assert same(a, b)
        x, y = (dif.simulate(g.with_probabilities("constant", p=0.5), [0], runs=70, rng=3) for g in (a, b))
        assert np.array_equal(x.new_by_step, y.new_by_step)


def test_order_of_rows_changes_nothing_on_a_large_graph():
    draw = np.random.default_rng(1)
    u, v = draw.integers(0, 300, 2000), draw.integers(0, 300, 2000)
    order = draw.permutation(2000)
    for labels in (lambda x: x, lambda x: x.astype(str), lambda x: [(int(k), "n") for k in x]):
        for parallel in ("collapse", "keep"):
            a, b = (
                FollowerGraph.from_arrays(
                    labels(x), labels(y), edges_mean="follows", directed=True, parallel=parallel
                ).with_probabilities("trivalency", rng=4, values=(0.2, 0.5))
                for x, y in ((u, v), (u[order], v[order]))
            )
            assert same(a, b)
            x, y = (dif.simulate(g, g.nodes[:3], runs=600, rng=3) for g in (a, b))
            assert np.array_equal(x.new_by_step, y.new_by_step)
            assert x.activation_probability.equals(y.activation_probability)


@pytest.mark.parametrize("combine", ["sum", "mean", "noisy_or"])
def test_order_of_rows_changes_no_bit_of_joined_weights(combine):
    draw = np.random.default_rng(7)
    u, v, w = draw.integers(0, 4, 500), draw.integers(4, 8, 500), draw.random(500)
    order = draw.permutation(500)
    a, b = (
        FollowerGraph.from_arrays(u[k], v[k], weight=w[k], combine=combine, edges_mean="follows", directed=True)
        for k in (np.arange(500), order)
    )
    assert same(a, b)


def test_renaming_users_changes_no_distribution():
    """Other names give other coins to the arcs: the numbers differ, their distribution does not."""
    graph = random_graph(120, 500, rng=3).with_probabilities("constant", p=0.15)
    table = graph.to_pandas()
    name = np.random.default_rng(8).permutation(120)
    renamed = make(zip(name[table["source"]], name[table["target"]], strict=True), nodes=range(120)).with_probabilities(
        "constant", p=0.15
    )
    a = dif.simulate(graph, [0, 5], runs=40_000, rng=1)
    b = dif.simulate(renamed, name[[0, 5]].tolist(), runs=40_000, rng=1)
    assert not np.array_equal(a.sizes, b.sizes)
    x, y = a.mean(), b.mean()
    assert abs(x.mean - y.mean) < 4 * np.hypot(x.se, y.se)
    p, q = a.activation_probability.to_numpy(), b.activation_probability.reindex(name).to_numpy()
    assert (np.abs(p - q) <= 4.5 * np.sqrt((p * (1 - p) + q * (1 - q)) / 40_000)).all()


# -- repeated rows and weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("combine", "value"), [("sum", 1.0), ("max", 0.5), ("min", 0.2), ("mean", 1 / 3), ("noisy_or", 1 - 0.5 * 0.7 * 0.8)]
)
def test_combine(combine, value):
    rows = [(0, 1)] * 3 + [(1, 0)]
    for parallel in ("collapse", "keep"):
        graph = make(rows, weight=[0.5, 0.3, 0.2, 0.9], combine=combine, parallel=parallel)
        table = graph.to_pandas().set_index(["source", "target"])
        assert table["weight"].tolist() == pytest.approx([value, 0.9])
        if parallel == "keep":
            assert table["multiplicity"].tolist() == [3, 1]


def test_repeated_rows_of_one_weight_need_no_combine_and_others_do():
    assert make([(0, 1), (0, 1)], weight=[0.5, 0.5]).to_pandas()["weight"].tolist() == [0.5]
    with pytest.raises(
        InputError, match=r"1 repeated edges carry different weights \(first: 'a' -> 'b', 0.25 and 0.5\)"
    ):
        make([("a", "b"), ("a", "b"), ("b", "c")], weight=[0.5, 0.25, 1])
    with pytest.raises(InputError, match=r"noisy_or.*probabilities"):
        make([(0, 1), (0, 1)], weight=[0.5, 2], combine="noisy_or")


def test_repeated_rows_keep_the_earliest_time():
    rows = [(0, 1), (1, 2), (0, 1)]
    assert make(rows, time=[30, 20, 10]).to_pandas()["time"].tolist() == [10, 20]
    days = pd.to_datetime(["2020-01-03", "2020-01-02", "2020-01-01"])
    graph = make(rows, time=days)
    assert graph.to_pandas()["time"].tolist() == [int(days[i].timestamp()) for i in (2, 1)]


def test_weights_and_times_follow_their_arcs():
    draw = np.random.default_rng(2)
    rows = draw.permutation([(u, v) for u in range(12) for v in range(12) if u != v])[:70].tolist()
    weight, time = draw.random(70), draw.integers(0, 10**12, 70)
    want = {(u, v): (w, t) for (u, v), w, t in zip(rows, weight.tolist(), time.tolist(), strict=True)}
    for means in ("follows", "influences"):
        table = make(rows, edges_mean=means, weight=weight, time=time).to_pandas()
        ends = ("source", "target") if means == "influences" else ("target", "source")
        found = zip(*(table[c].tolist() for c in (*ends, "weight", "time")), strict=True)
        assert {(u, v): (w, t) for u, v, w, t in found} == want


# -- labels ------------------------------------------------------------------------------------------------------------

LABELS = {
    "gaps": [0, 5, 10**9, 77],
    "negative": [-5, -1, 3, 0],
    "int64 ends": [-(2**63), 2**63 - 1, 0, 2**53 + 1],
    "beyond int64": [2**64, 5, 2**70, -(2**65)],
    "numbers of numpy": [np.int64(10), np.int64(9), np.int32(100), np.int64(2)],
    "text": ["b", "a", "10", "9"],
    "unicode": ["é", "z", "小红书", "\U0001f600", "e\u0301", ""],
    "text with separators": ["a\x1fb", "a,b", "a\x00", "a\n", " a", "a"],
    "bytes": [b"a", b"b", b"\xff", b""],
    "tuples": [(1, 2), (1, 10), ("x", None), ()],
    "pairs": [(1, 2), (3, 4), (5, 6), (0, 9)],
    "mixed": [1, "1", (1,), 2.5, b"1"],
    "floats": [0.5, -1.5, 10.25, 2.0, float("inf")],
    "numbers": [1, 2.5, 3, -0.25],
    "bools": [True, False, "maybe"],
    "other": [datetime.date(2020, 1, 1), Fraction(1, 3), frozenset({1}), complex(1, 2)],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_come_back(kind):
    labels = LABELS[kind]
    rows = [(labels[i], labels[(i + 1) % len(labels)]) for i in range(len(labels))]
    graph = make(rows)
    assert arcs_of(graph) == set(rows)
    assert set(graph.nodes.tolist()) == set(labels)
    assert len(graph) == len(labels)
    run = graph.with_probabilities("constant", p=1.0)
    for label in labels:
        assert label in graph
        assert dif.simulate(run, [label], runs=1).seeds == (label,)
        cascade = dif.independent_cascade(run, [label])
        assert cascade.nodes.tolist()[0] == label
        assert cascade.size == len(labels)
        assert cascade.to_pandas().shape == (len(labels), 3)
        assert graph.with_node_data(x={label: 1}).node_data["x"].notna().sum() == 1
    assert same(graph, make(reversed(rows)))
    assert dif.simulate(run, labels, runs=3).activation_probability.index.equals(graph.nodes)
    assert repr(run)


def test_numbers_ascend_and_text_is_by_code_point():
    numbers = [10, 9, -1, 2]
    for labels in (numbers, [np.int64(x) for x in numbers], pd.Series(numbers, dtype=object), np.array(numbers, "i2")):
        graph = FollowerGraph.from_arrays(labels, [0] * 4, edges_mean="follows", directed=True)
        assert graph.nodes.tolist() == [-1, 0, 2, 9, 10]
        assert graph.nodes.dtype == np.int64
    assert make([(10.5, 9.5), (1e3, 2)]).nodes.tolist() == [2, 9.5, 10.5, 1e3]
    assert make([(2**70, 5), (2**64, 7)]).nodes.tolist() == [5, 7, 2**64, 2**70]
    assert make([("b", "a"), ("Z", "é"), ("10", "9")]).nodes.tolist() == ["10", "9", "Z", "a", "b", "é"]


def test_text_in_any_container_is_the_same_graph():
    u, v = ["é", "b", "小", "b"], ["a", "a", "b", "Ω"]
    want = make(zip(u, v, strict=True))
    for to in (
        np.array, pd.Series, pd.Index, pa.array, lambda x: pa.chunked_array([x[:1], x[1:]]),
        lambda x: np.array(x, object),
        lambda x: pd.Series(x, dtype="string[python]"), lambda x: pd.Series(x, dtype="string[pyarrow]"),
        lambda x: pd.Series(x, dtype="category"), lambda x: pa.array(x).dictionary_encode(), tuple, iter,
        lambda x: [np.str_(k) for k in x], lambda x: pd.Series(x, dtype=pd.ArrowDtype(pa.string())),
        lambda x: pa.array(x, pa.large_string()), lambda x: pd.Series(x, index=[9, 9, 1, 0]),
    ):  # fmt: skip
        assert same(FollowerGraph.from_arrays(to(u), to(v), edges_mean="influences", directed=True), want)
    mixed = FollowerGraph.from_arrays(pa.array(u), v, edges_mean="influences", directed=True)
    assert same(mixed, want)


@pytest.mark.parametrize("kind", ["i1", "u2", "i4", "u4", "i8", "u8", ">i8", "Int64", "int64[pyarrow]"])
def test_whole_numbers_in_any_container_are_the_same_graph(kind):
    u, v = [3, 1, 100], [1, 7, 3]
    made = FollowerGraph.from_arrays(
        pd.Series(u, dtype=kind) if kind in ("Int64", "int64[pyarrow]") else np.array(u, kind),
        pd.Series(v, dtype=kind) if kind in ("Int64", "int64[pyarrow]") else np.array(v, kind),
        edges_mean="influences", directed=True,
    )  # fmt: skip
    assert same(made, make(zip(u, v, strict=True)))


def test_large_whole_numbers_beside_floats_stay_apart():
    graph = FollowerGraph.from_arrays(
        np.array([2**53, 2**53 + 1]), np.array([1.0, 2.0]), edges_mean="influences", directed=True
    )
    assert graph.n_nodes == 4
    assert 2**53 + 1 in graph
    exact = make([(2**53, 1), (2**53 + 1, 2)]).with_probabilities("constant", p=1.0)
    with pytest.raises(NotFoundError):
        dif.simulate(exact, [2.0**60], runs=1)
    ends = make([(2**63 - 1, 0)]).with_probabilities("constant", p=1.0)
    for near in (2.0**63, 2**63, 2**64 - 1):
        with pytest.raises(NotFoundError):
            dif.simulate(ends, [near], runs=1)


def test_equal_labels_are_one_node_whatever_the_order():
    a = make([(1, "a"), (1.0, "b"), (True, "c"), (0.0, -0.0)])
    b = make([(-0.0, 0.0), (True, "c"), (1.0, "b"), (1, "a")])
    assert same(a, b)
    assert a.n_nodes == 5
    zeros = [
        FollowerGraph.from_arrays(np.array(u), np.array(v), edges_mean="follows", directed=True).fingerprint
        for u, v in [([0.0, 2.5], [1.0, -0.0]), ([-0.0, 2.5], [1.0, 0.0])]
    ]
    assert zeros[0] == zeros[1]


def test_isolated_nodes():
    graph = make([(0, 1)], nodes=[5, 1, 9, 5])
    assert graph.nodes.tolist() == [0, 1, 5, 9]
    assert graph.out_degree.tolist() == [1, 0, 0, 0]
    assert make([], nodes={"a"}).n_nodes == 1
    assert make([("a", "b")], nodes=pd.Series(["c"])).nodes.tolist() == ["a", "b", "c"]
    assert make([(1, 1)]).n_nodes == 1


# -- constructors ------------------------------------------------------------------------------------------------------


def test_tables():
    frame = pd.DataFrame({"u": [u for u, _ in ROWS], "v": [v for _, v in ROWS], "w": [0.1, 0.2, 0.3, 0.4, 0.1, 0.6]})
    polars = pytest.importorskip("polars")
    want = make(ROWS, weight=frame["w"])
    for table in (
        frame, polars.DataFrame(frame.to_dict("list")), pa.table(frame), frame.to_dict("list"),
        frame.set_index("w").reset_index(),
        pa.table(frame).to_batches()[0], frame.iloc[::-1],
    ):  # fmt: skip
        made = FollowerGraph.from_pandas(
            table, source="u", target="v", weight="w", edges_mean="influences", directed=True
        )
        assert same(made, want)
        assert same(
            FollowerGraph.from_table(table, source="v", target="u", weight="w", edges_mean="follows", directed=True),
            want,
        )
    round_trip = FollowerGraph.from_pandas(want.to_pandas(), weight="weight", edges_mean="influences", directed=True)
    assert same(round_trip, want)


def test_table_errors():
    frame = pd.DataFrame({"follower": [1], "followee": [2]})
    with pytest.raises(NotFoundError, match=r"no column 'folower' for source=.*'follower'.*Did you mean"):
        FollowerGraph.from_pandas(frame, source="folower", target="followee", edges_mean="follows", directed=True)
    twice = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=["source", "target", "source"])
    with pytest.raises(InputError, match=r"2 columns named 'source'"):
        FollowerGraph.from_pandas(twice, edges_mean="follows", directed=True)
    with pytest.raises(InputError, match="edges is a int"):
        FollowerGraph.from_pandas(5, edges_mean="follows", directed=True)


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_networkx(kind):
    source = kind()
    source.add_nodes_from(["lone"], tier="head")
    source.add_node("ann", pos=(1.0, 2.0), tier="tail")
    source.add_edges_from(ROWS, w=0.5)
    means = "influences" if source.is_directed() else None
    for parallel in ("collapse", "keep"):
        graph = FollowerGraph.from_networkx(source, edges_mean=means, weight="w", parallel=parallel)
        assert arcs_of(graph) == (ARCS if source.is_directed() else ARCS | {(v, u) for u, v in ARCS})
        assert graph.directed == source.is_directed()
        assert "lone" in graph
        assert graph.dropped_self_loops == 1
        if source.is_multigraph() and parallel == "keep":
            assert graph.to_pandas().set_index(["source", "target"])["multiplicity"]["ann", "bob"] == 2
        data = graph.node_data
        assert data["tier"]["lone"] == "head"
        assert data["tier"]["ann"] == "tail"
        assert data["pos"]["ann"] == (1.0, 2.0)
        back = graph.to_networkx()
        assert set(back.edges) == arcs_of(graph)
        assert back.edges["ann", "eve"]["weight"] == 0.5
        assert back.nodes["lone"]["tier"] == "head"
        again = FollowerGraph.from_networkx(back, edges_mean="influences", weight="weight")
        assert again.nodes.tolist() == graph.nodes.tolist()
        assert arcs_of(again) == arcs_of(graph)


def test_networkx_errors_and_odd_attributes():
    source = nx.DiGraph([(0, 1), (1, 2)])
    with pytest.raises(InputError, match=r"the edge \(0, 1\) has no attribute 'w'"):
        FollowerGraph.from_networkx(source, edges_mean="follows", weight="w")
    with pytest.raises(InputError, match="edges_mean is not given"):
        FollowerGraph.from_networkx(source)
    source.nodes[0][5] = "number"
    source.nodes[1]["x"] = [1, 2]
    data = FollowerGraph.from_networkx(source, edges_mean="follows").node_data
    assert data["5"][0] == "number"
    assert data["x"][1] == [1, 2]


def test_networkx_labels_of_every_kind():
    for labels in LABELS.values():
        rows = [(labels[i], labels[i - 1]) for i in range(len(labels))]
        graph = FollowerGraph.from_networkx(nx.DiGraph(rows), edges_mean="influences")
        assert same(graph, make(rows))
        assert set(graph.to_networkx().edges) == set(rows)


def test_igraph():
    source = igraph.Graph(n=4, edges=[(0, 1), (0, 1), (1, 2), (2, 2)], directed=True)
    source.es["w"] = [0.1, 0.1, 0.3, 0.9]
    source.vs["tier"] = ["a", "b", "c", "d"]
    graph = FollowerGraph.from_igraph(source, edges_mean="influences", weight="w")
    assert arcs_of(graph) == {(0, 1), (1, 2)}
    assert graph.node_data["tier"].tolist() == ["a", "b", "c", "d"]
    assert graph.n_nodes == 4
    source.vs["name"] = ["z", "y", "x", "w"]
    named = FollowerGraph.from_igraph(source, edges_mean="influences", weight="w", parallel="keep")
    assert arcs_of(named) == {("z", "y"), ("y", "x")}
    assert named.node_data["tier"].to_dict() == {"w": "d", "x": "c", "y": "b", "z": "a"}
    back = named.with_probabilities("constant", p=0.5).to_igraph()
    assert back.vs["name"] == named.nodes.tolist()
    assert {(back.vs[e.source]["name"], back.vs[e.target]["name"]) for e in back.es} == arcs_of(named)
    assert dict(zip([e.tuple for e in back.es], back.es["multiplicity"], strict=True)) == {(3, 2): 2, (2, 1): 1}
    assert same(FollowerGraph.from_igraph(back, edges_mean="influences", weight="weight"), named.__class__.from_pandas(
        named.to_pandas(), weight="weight", edges_mean="influences", directed=True, nodes=named.nodes))  # fmt: skip
    assert arcs_of(FollowerGraph.from_igraph(igraph.Graph.Ring(3))) == {
        (u, v) for u in range(3) for v in range(3) if u != v
    }
    with pytest.raises(NotFoundError, match=r"no attribute 'wt'.*Did you mean 'w'"):
        FollowerGraph.from_igraph(source, edges_mean="influences", weight="wt")
    source.vs["name"] = ["a", "a", "b", "c"]
    with pytest.raises(InputError, match="'name' repeats"):
        FollowerGraph.from_igraph(source, edges_mean="influences")


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix, sp.coo_array, sp.lil_array])
def test_scipy(kind):
    dense = np.array([[0, 0.5, 0, 0], [0, 0, 0.25, 0], [0.125, 0, 0.5, 0], [0, 0, 0, 0]])
    graph = FollowerGraph.from_scipy(kind(dense), edges_mean="influences")
    assert arcs_of(graph) == {(0, 1), (1, 2), (2, 0)}
    assert graph.n_nodes == 4
    np.fill_diagonal(dense, 0)
    assert (graph.with_probabilities("column").to_scipy().toarray() == dense).all()
    assert (graph.to_scipy().toarray() == (dense > 0)).all()
    named = FollowerGraph.from_scipy(kind(dense), edges_mean="follows", nodes=["d", "c", "b", "a"])
    assert arcs_of(named) == {("c", "d"), ("b", "c"), ("d", "b")}
    assert named.to_scipy().toarray()[named.nodes.get_loc("c"), named.nodes.get_loc("d")] == 1


def test_scipy_errors():
    square = sp.csr_array(np.eye(3))
    with pytest.raises(InputError, match="is a ndarray"):
        FollowerGraph.from_scipy(np.eye(3), edges_mean="follows")
    with pytest.raises(InputError, match=r"shape \(2, 3\).*square"):
        FollowerGraph.from_scipy(sp.csr_array(np.ones((2, 3))), edges_mean="follows")
    with pytest.raises(InputError, match="2 labels for a matrix of 3 rows"):
        FollowerGraph.from_scipy(square, edges_mean="follows", nodes=["a", "b"])
    with pytest.raises(InputError, match="repeats a label"):
        FollowerGraph.from_scipy(square, edges_mean="follows", nodes=["a", "b", "a"])


def test_stored_entries_of_scipy_are_summed():
    twice = sp.coo_array(([0.25, 0.5, 0.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    table = FollowerGraph.from_scipy(twice, edges_mean="influences").to_pandas()
    assert table.to_numpy().tolist() == [[0, 1, 0.75], [1, 0, 0.0]]


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("kind", ["gaps", "int64 ends", "text", "unicode", "text with separators", "floats"])
def test_files_give_the_same_graph(tmp_path, mapped, kind):
    labels = LABELS[kind]
    rows = [(a, b) for a in labels for b in labels if a != b]
    plain = make(rows)
    weighted = make(rows * 2, parallel="keep", weight=[0.1] * (2 * len(rows)), time=range(2 * len(rows)))
    for graph in (
        plain,
        weighted,
        make(rows, directed=False, edges_mean=None).with_probabilities("constant", p=0.25),
        weighted.with_probabilities("trivalency", rng=1, values=(0.5, 0.25)),
        plain.with_node_data(tier=["a"] * len(labels), price=np.arange(len(labels)), ok=[True] * len(labels)),
        make([], nodes=labels),
    ):
        path = tmp_path / "graph.arrow"
        graph.save(path)
        again = FollowerGraph.load(path, memory_map=mapped)
        assert same(again, graph)
        assert again.nodes.dtype == graph.nodes.dtype
        assert again.node_data.equals(graph.node_data)
        assert (again.edges_mean, again.directed, again.parallel, again.rows) == (
            graph.edges_mean, graph.directed, graph.parallel, graph.rows,
        )  # fmt: skip
        assert repr(again) == repr(graph)
        if graph.probabilities is not None:
            assert again.probabilities.label == graph.probabilities.label
            assert again.probabilities.parameters == graph.probabilities.parameters
            runs = [dif.simulate(g, [labels[0]], runs=99, rng=1).new_by_step for g in (graph, again)]
            assert np.array_equal(*runs)
        again.save(path)  # over the file it is mapped from
        assert same(FollowerGraph.load(path), graph)


def saved(tmp_path: Any) -> Any:
    path = tmp_path / "graph.arrow"
    random_graph(200, 800, rng=1).with_probabilities("weighted_cascade").save(path)
    return path


@pytest.mark.parametrize("keep", [0, 1, 10, 0.3, 0.9, -1])
def test_truncated_files(tmp_path, keep):
    path = saved(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    for mapped in (True, False):
        with pytest.raises(ReadError, match=r"not a whole saved graph.*save it again"):
            FollowerGraph.load(path, memory_map=mapped)


def rewritten(path: Any, change: Any) -> None:
    with pa.OSFile(str(path)) as source:
        batch = pa.ipc.open_file(source).read_all().to_batches()[0]
    batch = change(batch)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def test_files_of_another_version_or_kind(tmp_path):
    path = saved(tmp_path)

    def older(batch: Any) -> Any:
        header = json.loads(batch.schema.metadata[b"diffusion.graph"]) | {"format": "0", "diffusion": "0.0.1"}
        return batch.replace_schema_metadata({b"diffusion.graph": json.dumps(header).encode()})

    rewritten(path, older)
    with pytest.raises(ReadError, match=r"graph format '0', written by diffusion 0.0.1; this version reads format '2'"):
        FollowerGraph.load(path)
    rewritten(path, lambda batch: batch.replace_schema_metadata(None))
    with pytest.raises(ReadError, match="Arrow file but not a graph"):
        FollowerGraph.load(path)
    for text in (b"source,target\n1,2\n", b"ARROW1\x00\x00 but no footer", b"\x00" * 5000):
        path.write_bytes(text)
        with pytest.raises(ReadError, match="not a whole saved graph"):
            FollowerGraph.load(path)
    with pytest.raises(MissingDataError, match="there is no file"):
        FollowerGraph.load(tmp_path / "absent.arrow")
    with pytest.raises(DiffusionError):
        FollowerGraph.load(tmp_path)


@pytest.mark.parametrize("name", ["indptr", "order", "indices", "probability", "labels"])
def test_files_whose_arrays_do_not_fit(tmp_path, name):
    path = saved(tmp_path)

    def cut(batch: Any) -> Any:
        at = batch.schema.names.index(name)
        values = batch.column(at).values
        short = pa.LargeListArray.from_arrays(pa.array([0, len(values) - 1], pa.int64()), values[:-1])
        return batch.set_column(at, batch.schema.field(at), short)

    rewritten(path, cut)
    with pytest.raises(ReadError, match="damaged"):
        FollowerGraph.load(path)


def test_a_file_with_a_flipped_byte_is_refused_or_holds_the_same_graph(tmp_path):
    path = saved(tmp_path)
    whole = path.read_bytes()
    original = FollowerGraph.load(path, memory_map=False)
    refused = 0
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            loaded = FollowerGraph.load(path, memory_map=False)
        except ReadError:
            refused += 1
        else:  # the byte was padding or a word of the header that does not count
            for name in ("indptr", "indices", "order"):
                np.testing.assert_array_equal(getattr(loaded._arcs, name), getattr(original._arcs, name))
            np.testing.assert_array_equal(loaded.probabilities.values, original.probabilities.values)
            assert loaded.nodes.tolist() == original.nodes.tolist()
    assert refused > len(whole) / 7 / 5


def test_a_file_that_cannot_be_written(tmp_path):
    graph = make(ROWS)
    with pytest.raises(OutputError, match="cannot write"):
        graph.save(tmp_path / "absent" / "graph.arrow")
    for labels in ("tuples", "bools", "mixed", "beyond int64"):
        first, second = LABELS[labels][:2]
        with pytest.raises(InputError, match="cannot be saved"):
            make([(first, second)]).save(tmp_path / "graph.arrow")
    with pytest.raises(InputError, match="the node attribute 'x' cannot be saved"):
        graph.with_node_data(x=[1, "a", None, object()]).save(tmp_path / "graph.arrow")
    assert list(tmp_path.iterdir()) == []


# -- immutability ------------------------------------------------------------------------------------------------------


def shared_arrays(graph: FollowerGraph) -> list[np.ndarray]:
    into = graph.csr.into
    return [graph.csr.indptr, graph.csr.indices, graph.csr.multiplicity, into.indptr, into.sources, into.arc,
            graph.probabilities.values]  # fmt: skip


def test_nothing_can_be_written(tmp_path):
    graph = make(ROWS * 2, parallel="keep", weight=[0.5] * 12).with_probabilities("weighted_cascade")
    graph.save(tmp_path / "g.arrow")
    for one in (
        graph,
        FollowerGraph.load(tmp_path / "g.arrow"),
        FollowerGraph.load(tmp_path / "g.arrow", memory_map=False),
        pickle.loads(pickle.dumps(graph)),
        copy.deepcopy(graph),
    ):
        before = one.fingerprint
        for array in shared_arrays(one):
            assert not array.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
        with pytest.raises(AttributeError):
            one.probabilities = None
        with pytest.raises(AttributeError):
            one.probabilities.values = None
        with pytest.raises(TypeError):
            one.nodes[0] = "x"
        assert one.nodes.tolist() == ["ann", "bob", "dan", "eve"]
        for found in (one.out_degree, one.in_degree, one.to_pandas()["weight"], one.to_pandas()["probability"]):
            found.iloc[:] = 0
        one.to_scipy().data[:] = 0
        again = dif.simulate(one, ["dan"], runs=9, rng=1)
        shares = again.activation_probability
        shares.iloc[:] = 7
        assert one.fingerprint == graph.fingerprint == before
        assert one.in_degree.sum() == one.out_degree.sum() == 10
        assert (one.to_pandas()["weight"] == 0.5).all()
        assert again.activation_probability.max() <= 1


def test_the_given_arrays_stay_free():
    u, v, w = np.array([0, 1]), np.array([1, 2]), np.array([0.5, 0.25])
    graph = FollowerGraph.from_arrays(u, v, weight=w, edges_mean="influences", directed=True).with_probabilities(
        "column"
    )
    before = graph.fingerprint, graph.to_pandas().copy()
    u[:] = v[:] = 9
    w[:] = 0
    assert graph.fingerprint == before[0]
    assert graph.to_pandas().equals(before[1])


def test_node_data_is_a_copy_both_ways():
    graph = make([(1, 2), (2, 3)])
    array, items, series = np.array([1, 2, 3]), [1, 2, 3], pd.Series([1, 2, 3], index=[1, 2, 3])
    found = graph.with_node_data(array=array, items=items, series=series)
    array[0] = items[0] = 99
    series.iloc[0] = 99
    shown = found.node_data
    shown.iloc[:, :] = 77
    assert found.node_data.to_numpy().tolist() == [[1] * 3, [2] * 3, [3] * 3]
    assert graph.node_data.empty


def test_methods_return_new_graphs_that_share_the_arcs():
    graph = make(ROWS)
    other = graph.with_probabilities("constant", p=0.5)
    assert graph.probabilities is None
    assert other.csr.indices.base is graph.csr.indices.base
    assert graph.fingerprint != other.fingerprint
    assert other.with_node_data(x=[1, 2, 3, 4]).fingerprint == other.fingerprint


def test_fingerprints_tell_graphs_apart():
    made = [
        make([(0, 1), (1, 2)]), make([(0, 1), (2, 1)]), make([(0, 1), (1, 2)], nodes=[3]),
        make([("0", "1"), ("1", "2")]),
        make([(0, 1), (1, 2), (1, 2)], parallel="keep"), make([(0, 1), (1, 2)]).with_probabilities("constant", p=0.5),
        make([(0, 1), (1, 2)]).with_probabilities("constant", p=0.25), make([(5, 1), (1, 2)]),
        make([("a\x1fb", "c"), ("c", "d")]), make([("a", "b\x1fc"), ("c", "d")]), make([("a\x1f'b", "c"), ("c", "d")]),
    ]  # fmt: skip
    assert len({graph.fingerprint for graph in made}) == len(made)
    assert make([(0, 1), (1, 2)]).fingerprint == made[0].fingerprint


def test_fingerprint_is_the_same_on_every_machine():
    graph = make([(0, 1), (1, 2), (5, 2)]).with_probabilities("constant", p=0.5)
    assert graph.fingerprint == FINGERPRINT


FINGERPRINT = "287f33d5f4bf75472a0700874e633e69"


# -- node data ---------------------------------------------------------------------------------------------------------


def test_node_data_is_aligned():
    graph = make([("b", "a"), ("c", "a")])
    series = pd.Series([3.0, 1.0], index=["c", "a"])
    frame = pd.DataFrame({"x": [1, 2, 3], "y": list("pqr")}, index=["c", "b", "a"])
    data = graph.with_node_data(frame, s=series, d={"b": "hub"}, order=["first", "second", "third"]).node_data
    assert data.index.tolist() == ["a", "b", "c"]
    assert data["x"].tolist() == [3, 2, 1]
    assert data["y"].tolist() == ["r", "q", "p"]
    assert data["s"].tolist()[::2] == [1.0, 3.0]
    assert np.isnan(data["s"]["b"])
    assert data["d"].isna().tolist() == [True, False, True]
    assert data["order"].tolist() == ["first", "second", "third"]
    more = graph.with_node_data(x=[1, 2, 3]).with_node_data({"x": [4, 5, 6], "z": [7, 8, 9]})
    assert more.node_data.to_dict("list") == {"x": [4, 5, 6], "z": [7, 8, 9]}


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"nobody": 1}, NotFoundError, "the node 'nobody' is not in the graph"),
        ([1, 2], InputError, "x has 2 values for 3 nodes"),
        (np.ones((3, 2)), InputError, "x has 3 x 2 values for 3 nodes"),
        (5, InputError, "x=5 is not one value for each node"),
        ("abc", InputError, "x='abc' is not one value for each node"),
        ({1, 2, 3}, InputError, "is not one value for each node"),
        ((k for k in range(3)), InputError, "is not one value for each node"),
        (pd.Series([1, 2], index=["a", "a"]), InputError, "more than one value for the node 'a'"),
    ],
)
def test_node_data_errors(values, error, text):
    with pytest.raises(error, match=text):
        make([("b", "a"), ("c", "a")]).with_node_data(x=values)


# -- what errors say ---------------------------------------------------------------------------------------------------

ONE = {"source": [1], "target": [2], "directed": True, "edges_mean": "follows"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"edges_mean": None}, "edges_mean is not given: say 'follows' when"),
        ({"edges_mean": "folows"}, "edges_mean is 'folows': say 'follows' when"),
        ({"edges_mean": "up", "directed": False}, "edges_mean is 'up'"),
        ({"directed": "yes"}, "directed='yes' is neither True nor False"),
        ({"directed": None}, "directed=None is neither True nor False"),
        ({"parallel": "keeep"}, "parallel='keeep' is unknown.*Did you mean 'keep'"),
        ({"combine": "max_"}, "combine='max_' is unknown: choose sum, max.*Did you mean 'max'"),
        ({"source": [1, 2]}, "source has 2 rows and target 1"),
        ({"source": [None]}, "source is missing in row 0"),
        ({"target": [float("nan")]}, "target is missing in row 0"),
        ({"source": [1, 2], "target": pd.Series([1, None])}, "target is missing in row 1"),
        ({"source": pa.array(["a", None]), "target": ["a", "b"]}, "source is missing in row 1"),
        ({"source": pd.Series(["a", None]), "target": ["a", "b"]}, "source is missing in row 1"),
        ({"nodes": ["a", None]}, "nodes is missing in row 1"),
        ({"source": [[1]]}, "cannot be hashed.*use strings, numbers or tuples"),
        ({"source": np.ones((2, 2))}, r"source has shape \(2, 2\)"),
        ({"source": np.array(3)}, r"source has shape \(\)"),
        ({"source": "ann"}, "source='ann' is not a column of labels"),
        ({"source": 5}, "source=5 is not a column of labels"),
        ({"nodes": 5}, "nodes=5 is not a column of labels"),
        ({"source": ["\ud800"]}, "not valid Unicode text"),
        ({"source": [], "target": []}, "the graph is empty: give at least one edge, or the node labels as nodes="),
        ({"weight": ["x"]}, "weight must be numbers"),
        ({"weight": [1, 2]}, "weight has 2 values for 1 edges"),
        ({"weight": [float("inf")]}, "weight is inf in row 0"),
        ({"weight": [None]}, "weight is .* in row 0: every edge needs a finite number"),
        ({"time": [float("nan")]}, "time is nan in row 0"),
        ({"time": pd.to_datetime([None])}, "time is NaT in row 0"),
        ({"time": ["soon"]}, "time must be numbers"),
    ],
)
def test_errors_of_building(change, text):
    with pytest.raises(InputError, match=text):
        FollowerGraph.from_arrays(**(ONE | change))


def test_unknown_labels():
    text = make([("ann", "bob"), ("bob", "eve")]).with_probabilities("constant", p=0.5)
    numbers = make([(10, 20), (20, 30)]).with_probabilities("constant", p=0.5)
    for graph, label, message in [
        (text, "anne", "the node 'anne' is not in the graph of 3 nodes. Did you mean 'ann'?"),
        (text, 7, "the node 7 is not in the graph of 3 nodes. Labels look like 'ann'."),
        (text, True, "the node True is not"),
        (text, b"ann", "the node b'ann' is not"),
        (text, None, "the node None is not"),
        (text, float("nan"), "the node nan is not"),
        (numbers, "10", "Did you mean 10?"),
        (numbers, 7, "the node 7 is not in the graph of 3 nodes. Labels look like 10."),
        (numbers, 10.5, "the node 10.5 is not"),
        (numbers, 2**80, "is not in the graph"),
        (numbers, (10, 20, 5), "the node 5 is not"),
    ]:
        with pytest.raises(NotFoundError) as caught:
            dif.simulate(graph, label if isinstance(label, tuple) else [label], runs=1)
        assert message in str(caught.value)
        assert isinstance(caught.value, KeyError)
        assert isinstance(label, tuple) or label not in graph
    with pytest.raises(NotFoundError, match=r"the node 'x' \(and 1 more\)"):
        dif.simulate(text, ["x", "ann", "y"], runs=1)
    with pytest.raises(InputError, match=r"cannot name nodes \(unhashable"):
        dif.simulate(numbers, [[10]], runs=1)
    assert [10] not in numbers
    assert 10 in numbers
    assert 10.0 in numbers


# -- what a notebook shows ---------------------------------------------------------------------------------------------


def test_repr():
    assert repr(make(ROWS)) == (
        "FollowerGraph: 4 nodes, 4 arcs; followers mean 1, max 2; reciprocity 0; dropped 1 self-loops, 1 repeated arcs"
    )
    graph = make(ROWS, parallel="keep").with_probabilities("constant", p=0.02).with_node_data(tier=["a"] * 4)
    assert "1 counted" in repr(graph)
    assert "probabilities constant p=0.02" in repr(graph)
    assert "node data tier" in repr(graph)
    assert repr(make([], nodes=[1])) == "FollowerGraph: 1 node, 0 arcs; followers mean 0, max 0; reciprocity no arcs"
    assert repr(make([(0, 1)], directed=False, edges_mean=None)).startswith(
        "FollowerGraph: 2 nodes, 2 arcs; followers mean 1"
    )


def test_html():
    graph = make(ROWS).with_node_data({"<b>": [1, 2, 3, 4]})
    html = graph._repr_html_()
    assert html.startswith("<table>")
    assert "<th style='text-align:left'>nodes</th><td style='text-align:left'>4</td>" in html
    assert "influences" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "undirected" in make([(0, 1)], directed=False, edges_mean=None)._repr_html_()


# -- real data ---------------------------------------------------------------------------------------------------------


def test_nethept_counts(data):
    """An undirected multigraph: 58,891 rows, 39 of them self-loops, 31,376 distinct pairs."""
    table = pd.read_csv(data("nethept.txt.gz"), sep=r"\s+", comment="#", header=None)
    if len(table) == 58_892:  # a first row that holds the counts
        table = table.iloc[1:]
    graph = FollowerGraph.from_arrays(table[0].to_numpy(), table[1].to_numpy(), directed=False, parallel="keep")
    assert graph.rows == 58_891
    assert graph.n_nodes == 15_233
    assert graph.dropped_self_loops == 39
    assert graph.n_edges == 2 * 31_376
    assert graph.in_degree.sum() == 2 * (58_891 - 39)
    assert graph.reciprocity == 1


def test_reverse_arcs_end_where_their_positions_do(monkeypatch: pytest.MonkeyPatch):
    ends = [0, 1, 1], [1, 0, 2]
    first, second = (FollowerGraph.from_arrays(*ends, directed=True, edges_mean="influences") for _ in range(2))
    monkeypatch.setattr("diffusion.graph.csr.MOST_ARCS", 4)
    assert sorted(first.csr.back.tolist()) == [-1, *sorted(np.flatnonzero(first.csr.back >= 0).tolist())]
    monkeypatch.setattr("diffusion.graph.csr.MOST_ARCS", 3)
    with pytest.raises(InputError, match="at most 2 arcs, and this graph has 3"):
        _ = second.csr.back


def some_graph(parallel="keep"):
    rng = np.random.default_rng(3)
    labels = np.array(["ann", "bob", "cyd", "dan", "eve", "fay", "gus"])
    source, target = labels[rng.integers(0, 7, 40)], labels[rng.integers(0, 6, 40)]
    weight = (source < target) * 0.5 + 0.1
    graph = FollowerGraph.from_arrays(
        source,
        target,
        weight=weight,
        time=rng.integers(0, 9, 40),
        nodes=["zoe"],
        edges_mean="follows",
        directed=True,
        parallel=parallel,
    )
    return graph.with_node_data(age=np.arange(graph.n_nodes), name=list(graph.nodes.str.upper()))


def test_around_a_node_as_networkx_says():
    graph = some_graph()
    other = graph.to_networkx()
    assert set(graph.edges) == set(other.edges)
    assert graph.edges.names == ["source", "target"]
    for node in graph.nodes:
        assert graph.followers(node).tolist() == sorted(other.successors(node))
        assert graph.following(node).tolist() == sorted(other.predecessors(node))
        assert graph.neighbors(node).tolist() == sorted({*other.successors(node), *other.predecessors(node)})
    with pytest.raises(NotFoundError, match="'anne' is not in the graph"):
        graph.followers("anne")


@pytest.mark.parametrize("rule", [None, "constant", "weighted_cascade", "trivalency"])
@pytest.mark.parametrize("parallel", ["keep", "collapse"])
def test_a_subgraph_has_the_arcs_inside_with_all_they_carry(rule, parallel):
    graph = some_graph(parallel)
    if rule is not None:
        graph = graph.with_probabilities(rule, rng=1, **({"p": 0.3} if rule == "constant" else {}))
    kept = ["zoe", "fay", "bob", "ann", "gus"]
    part = graph.subgraph(kept)
    whole = graph.to_pandas()
    inside = whole[whole["source"].isin(kept) & whole["target"].isin(kept)].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.to_pandas(), inside)
    pd.testing.assert_frame_equal(part.node_data, graph.node_data.loc[sorted(kept)])
    assert (part.edges_mean, part.directed, part.parallel) == ("follows", True, parallel)
    assert (part.probabilities is None) == (rule is None)
    same = graph.subgraph(graph.nodes)
    pd.testing.assert_frame_equal(same.to_pandas(), whole)
    assert same.fingerprint == graph.fingerprint
    with pytest.raises(InputError, match="nodes is empty"):
        graph.subgraph([])
    with pytest.raises(NotFoundError, match="'xxx' is not"):
        graph.subgraph(["ann", "xxx"])


def test_a_partition_is_node_data():
    graph = dif.generate_platform(300, communities=3, mixing=0.05, rng=1)
    found = dif.communities(graph, rng=1)
    with_it = graph.with_node_data(mine=found)
    assert with_it.node_data["mine"].tolist() == found.labels.tolist()
