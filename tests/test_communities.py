"""Communities are found under a key, leave the engine as it was, and are described as the formulas say."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion as dif
from diffusion.errors import InputError, MissingDataError, NotFoundError
from diffusion.graph.communities import ENGINES, METHODS, Partition, communities, community_codes
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.kernels.csr import undirected_edges, undirected_rows


@pytest.fixture(scope="module")
def platform() -> FollowerGraph:
    return dif.generate_platform(900, communities=4, mixing=0.05, mean_followers=15, tail=3, rng=1)


def agree(one: pd.Series[Any], two: pd.Series[Any]) -> float:
    """Share of nodes whose community has its majority in the same community of the other."""
    table = pd.crosstab(one, two)
    return float(table.max(axis=1).sum() / table.to_numpy().sum())


@pytest.mark.parametrize("method", METHODS)
def test_planted_communities_are_found(platform: FollowerGraph, method: Any):
    part = communities(platform, method=method, rng=3)
    planted = platform.node_data["community"]
    assert agree(part.labels, planted) > 0.95
    assert part.mixing < 0.2
    assert part.method == method
    assert part.labels.index.equals(platform.nodes)
    assert part.provenance["method"] == method
    if method in ("leiden", "louvain"):
        assert part.n_communities == 4


@pytest.mark.parametrize("method", METHODS)
def test_the_key_decides_and_the_global_state_stays(platform: FollowerGraph, method: Any):
    random.seed(5)
    state = random.getstate()
    first = igraph.Graph.Erdos_Renyi(20, 0.2).get_edgelist()
    random.setstate(state)
    one = communities(platform, method=method, rng=3)
    assert random.getstate() == state
    assert igraph.Graph.Erdos_Renyi(20, 0.2).get_edgelist() == first  # the generator is Python's `random` again
    random.seed(99)
    assert one.labels.equals(communities(platform, method=method, rng=3).labels)


def test_the_generator_is_put_back_after_an_error(platform: FollowerGraph, monkeypatch: pytest.MonkeyPatch):
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("stop")

    monkeypatch.setattr(igraph.Graph, "community_leiden", fail)
    with pytest.raises(RuntimeError, match="stop"):
        communities(platform, rng=1)
    random.seed(5)
    state = random.getstate()
    igraph.Graph.Erdos_Renyi(20, 0.2)
    assert random.getstate() != state


def test_keys_matter_where_chance_does():
    graph = dif.generate_platform(400, communities=2, mixing=0.5, rng=1)
    labels = [tuple(communities(graph, method="louvain", rng=key).labels) for key in range(4)]
    assert len(set(labels)) > 1


@given(st.integers(0, 10**6))
def test_modularity_and_mixing_are_those_of_networkx(seed: int):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(2, 25))
    ends = draw.integers(0, n, (int(draw.integers(1, 80)), 2))
    parallel: Any = ["keep", "collapse"][seed % 2]
    graph = FollowerGraph.from_arrays(
        ends[:, 0], ends[:, 1], nodes=range(n), directed=True, edges_mean="influences", parallel=parallel
    )
    labels = draw.integers(0, 4, n)
    part = Partition.from_labels(graph, labels)
    arcs = graph.to_pandas()
    if not len(arcs):
        assert np.isnan(part.modularity)
        assert np.isnan(part.mixing)
        return
    other = nx.DiGraph()
    other.add_nodes_from(range(n))
    weights = arcs["multiplicity"] if "multiplicity" in arcs else np.ones(len(arcs))
    other.add_weighted_edges_from(zip(arcs["source"], arcs["target"], weights, strict=True))
    groups = [set(np.flatnonzero(labels == c).tolist()) for c in np.unique(labels)]
    assert part.modularity == pytest.approx(nx.community.modularity(other, groups), abs=1e-12)
    crossing = labels[arcs["source"]] != labels[arcs["target"]]
    assert part.mixing == pytest.approx(float((crossing * weights).sum() / np.sum(weights)), abs=1e-12)


def test_the_direction_counts_in_modularity():
    """Leicht and Newman's example: expected arcs go by out-degree of the source and in-degree of the target."""
    graph = FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 2, 3], directed=True, edges_mean="influences")
    out, into, same = np.array([2, 1, 1, 0]), np.array([0, 1, 2, 1]), np.array([0, 0, 1, 1])
    arcs = np.zeros((4, 4))
    arcs[[0, 0, 1, 2], [1, 2, 2, 3]] = 1
    want = ((arcs - np.outer(out, into) / 4) * (same[:, None] == same)).sum() / 4
    assert Partition.from_labels(graph, same).modularity == pytest.approx(want)


@pytest.mark.parametrize(("method", "name"), [("leiden", "community_leiden"), ("louvain", "community_multilevel"),
                                             ("label_propagation", "community_label_propagation")])  # fmt: skip
def test_mutual_arcs_weigh_two_where_direction_is_not_used(monkeypatch: pytest.MonkeyPatch, method: Any, name: str):
    made = handed_over(monkeypatch, name, method)
    assert not made.is_directed()
    assert {frozenset(e.tuple): e["weight"] for e in made.es} == {frozenset((0, 1)): 4, frozenset((1, 2)): 1}


def test_infomap_gets_the_arcs_in_the_direction_of_influence(monkeypatch: pytest.MonkeyPatch):
    made = handed_over(monkeypatch, "community_infomap", "infomap")
    assert made.is_directed()
    assert {e.tuple: e["weight"] for e in made.es} == {(0, 1): 3, (1, 0): 1, (2, 1): 1}


def handed_over(monkeypatch: pytest.MonkeyPatch, name: str, method: Any) -> igraph.Graph:
    """What igraph is given for a -> b three times, b -> a and c -> b, vertices renumbered as a, b, c."""
    graph = FollowerGraph.from_arrays(
        list("aaabc"), list("bbbab"), directed=True, edges_mean="influences", parallel="keep"
    )
    seen: list[igraph.Graph] = []
    original = getattr(igraph.Graph, name)

    def spy(self: igraph.Graph, *args: Any, **options: Any) -> Any:
        seen.append(self.copy())
        return original(self, *args, **options)

    monkeypatch.setattr(igraph.Graph, name, spy)
    communities(graph, method=method, rng=1)
    return seen[0].permute_vertices(graph.index.order.tolist())


@pytest.fixture(scope="module")
def networkit() -> Any:
    return pytest.importorskip("networkit")


@pytest.mark.parametrize("method", ENGINES["networkit"])
def test_networkit_finds_planted_communities_under_a_key(platform: FollowerGraph, networkit: Any, method: Any):
    part = communities(platform, method=method, engine="networkit", rng=3)
    assert agree(part.labels, platform.node_data["community"]) > 0.95
    assert (part.method, part.engine, part.provenance["engine"]) == (method, "networkit", "networkit")
    assert part.provenance["libraries"]["networkit"] == networkit.__version__
    assert f"Partition ({method}, networkit): " in repr(part)
    by_igraph = communities(platform, method=method, rng=3)
    assert part.modularity == pytest.approx(by_igraph.modularity, abs=0.02)
    networkit.setNumberOfThreads(2)
    networkit.setSeed(17, True)
    again = communities(platform, method=method, engine="networkit", rng=3)
    assert networkit.getMaxNumberOfThreads() == 2
    assert part.labels.equals(again.labels)
    assert part.provenance["key"] == again.provenance["key"]


def test_networkit_with_other_keys_and_resolutions(networkit: Any):
    graph = dif.generate_platform(400, communities=2, mixing=0.5, rng=1)
    labels = [tuple(communities(graph, engine="networkit", rng=key).labels) for key in range(4)]
    assert len(set(labels)) > 1
    networkit.setSeed(17, True)
    networkit.setNumberOfThreads(2)
    for _ in range(10):  # where two threads have a part in it, about one partition in seven differs
        assert [tuple(communities(graph, engine="networkit", rng=key).labels) for key in range(4)] == labels
    for method in ("leiden", "louvain"):
        counts = [
            communities(graph, method=method, engine="networkit", resolution=r, rng=1).n_communities  # type: ignore[arg-type]
            for r in (0.3, 1.0, 3.0)
        ]
        assert counts == sorted(set(counts))
    for resolution in (0.5, 1.0, 2.0):  # the same scale of resolution in both
        one, two = (communities(graph, engine=e, resolution=resolution, rng=1) for e in ("igraph", "networkit"))  # type: ignore[arg-type]
        assert two.modularity == pytest.approx(one.modularity, abs=0.03)
        assert abs(one.n_communities - two.n_communities) <= 3


def test_networkit_gets_each_edge_once_with_its_arcs(networkit: Any, monkeypatch: pytest.MonkeyPatch):
    graph = FollowerGraph.from_arrays(
        list("aaabc"), list("bbbab"), nodes=["lone"], directed=True, edges_mean="influences", parallel="keep"
    )
    original, seen = networkit.graph.GraphFromCsr, []

    def spy(*args: Any, **options: Any) -> Any:
        seen.append(original(*args, **options))
        return seen[-1]

    monkeypatch.setattr(networkit.graph, "GraphFromCsr", spy)
    part = communities(graph, engine="networkit", rng=1)
    assert part.labels["lone"] == 1
    made = seen[0]
    assert (made.numberOfNodes(), made.numberOfEdges(), made.totalEdgeWeight()) == (4, 2, 5)
    labels = graph.index.labels_of(np.arange(4))
    found = {frozenset(labels[[u, v]]): w for u, v, w in made.iterEdgesWeights()}
    assert found == {frozenset("ab"): 4, frozenset("bc"): 1}


def test_the_number_of_arcs_decides_between_the_engines(platform: FollowerGraph, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("diffusion.graph.communities.find_spec", lambda name: None)
    assert communities(platform, rng=1).engine == "igraph"
    with pytest.raises(
        MissingDataError, match=r"engine='networkit' needs .* pip install 'diffusion-graphs\[networkit\]'"
    ):
        communities(platform, engine="networkit", rng=1)
    monkeypatch.setattr("diffusion.graph.communities.LARGE", platform.n_edges - 1)
    with pytest.warns(UserWarning, match=f"{platform.n_edges:,} arcs.*diffusion-graphs"):
        assert communities(platform, rng=1).engine == "igraph"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert communities(platform, engine="igraph", rng=1).engine == "igraph"
        assert communities(platform, method="infomap", rng=1).engine == "igraph"


def test_a_large_graph_goes_to_networkit(platform: FollowerGraph, networkit: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("diffusion.graph.communities.LARGE", platform.n_edges)
    assert communities(platform, rng=1).engine == "igraph"
    monkeypatch.setattr("diffusion.graph.communities.LARGE", platform.n_edges - 1)
    part = communities(platform, rng=1)
    assert part.engine == "networkit"
    assert part.labels.equals(communities(platform, engine="networkit", rng=1).labels)


@given(st.integers(0, 10**6))
def test_rows_and_edges_of_the_undirected_graph(seed: int):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(2, 20))
    ends = draw.integers(0, n, (int(draw.integers(1, 80)), 2))
    graph = FollowerGraph.from_arrays(
        *ends.T, nodes=range(n), directed=True, edges_mean="influences", parallel=["keep", "collapse"][seed % 2]
    )
    csr = graph.csr
    times = np.broadcast_to(csr.multiplicity, graph.n_edges)
    want: dict[tuple[int, int], int] = {}
    for u, v, count in zip(csr.sources.tolist(), csr.indices.tolist(), times.tolist(), strict=True):
        pair = min(u, v), max(u, v)
        want[pair] = want.get(pair, 0) + count
    low, high, weight = undirected_edges(csr.indptr, csr.indices, csr.multiplicity, *csr.into)
    assert list(zip(low.tolist(), high.tolist(), weight.tolist(), strict=True)) == [(*p, want[p]) for p in sorted(want)]
    indptr, neighbours = undirected_rows(csr.indptr, csr.indices, csr.into.indptr, csr.into.sources)
    for u in range(n):
        both = sorted({v for pair in want for v in pair if u in pair and v != u})
        assert neighbours[indptr[u] : indptr[u + 1]].tolist() == both


def test_numbers_go_by_size_then_first_node():
    graph = FollowerGraph.from_arrays([0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0], directed=True, edges_mean="influences")
    part = Partition.from_labels(graph, ["small", "x", "big", "big", "x", "big"])
    assert part.labels.tolist() == [2, 1, 0, 0, 1, 0]
    assert part.names.tolist() == ["big", "x", "small"]
    assert part.sizes.tolist() == [3, 2, 1]
    tied = Partition.from_labels(graph, ["b", "a", "b", "a", "c", "c"])
    assert tied.labels.tolist() == [0, 1, 0, 1, 2, 2]
    table = part.to_pandas()
    assert table.columns.tolist() == ["node", "community", "name"]
    assert table["name"].tolist() == ["small", "x", "big", "big", "x", "big"]
    assert "3 communities of 1 to 3 nodes" in repr(part)
    assert part.method == "given"


def test_a_partition_becomes_a_node_attribute(platform: FollowerGraph):
    part = communities(platform, rng=1)
    graph = platform.with_node_data(community=part.labels)
    again = Partition.from_labels(graph)
    assert again.labels.equals(part.labels)
    assert again.modularity == part.modularity
    assert community_codes(platform, part)[0].tolist() == part.labels.tolist()


def test_text_labels_missing_arcs_and_resolution():
    graph = FollowerGraph.from_arrays(["b", "a"], ["a", "b"], nodes=["lone"], directed=True, edges_mean="influences")
    part = communities(graph, rng=1)
    assert part.labels["a"] == part.labels["b"] == 0
    assert part.labels["lone"] == 1
    empty = FollowerGraph.from_arrays([], [], nodes=[1, 2], directed=True, edges_mean="influences")
    for method in METHODS:
        alone = communities(empty, method=method, rng=1)  # type: ignore[arg-type]
        assert alone.n_communities == 2
        assert np.isnan(alone.modularity)
    graph = dif.generate_platform(400, communities=2, mixing=0.3, rng=1)
    few, many = (communities(graph, resolution=r, rng=1).n_communities for r in (0.5, 3.0))
    assert few < many


def test_categories_and_mixed_names():
    graph = FollowerGraph.from_arrays([0, 1], [1, 2], directed=True, edges_mean="influences")
    part = Partition.from_labels(graph, pd.Categorical(["x", "y", "y"], categories=["y", "x", "z"]))
    assert part.names.tolist() == ["y", "x"]
    codes, names = community_codes(graph, {0: "b", 1: "a", 2: "b"})
    assert (codes.tolist(), names.tolist()) == ([1, 0, 1], ["a", "b"])
    codes, names = community_codes(graph, {0: "b", 1: 1, 2: "b"})  # numbers before text
    assert (codes.tolist(), names.tolist()) == ([1, 0, 1], [1, "b"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "leidn"}, NotFoundError, "'leidn' is unknown.*'leiden'"),
        ({"resolution": 0}, InputError, "resolution=0"),
        ({"resolution": float("inf")}, InputError, "resolution=inf"),
        ({"resolution": True}, InputError, "resolution=True"),
        ({"resolution": 2.0, "method": "infomap"}, InputError, "does not apply to 'infomap'"),
        ({"rng": -1}, InputError, "rng=-1"),
        ({"engine": "igrap"}, NotFoundError, "'igrap' is unknown.*'igraph'"),
        ({"method": "infomap", "engine": "networkit"}, InputError, "networkit has no method 'infomap'"),
    ],
)
def test_mistakes(options: dict[str, Any], error: type[Exception], message: str):
    graph = FollowerGraph.from_arrays([0], [1], directed=True, edges_mean="influences")
    with pytest.raises(error, match=message):
        communities(graph, **options)


def test_labels_have_to_fit():
    graph = FollowerGraph.from_arrays([0, 1], [1, 2], directed=True, edges_mean="influences")
    with pytest.raises(InputError, match="no node attribute 'community'"):
        Partition.from_labels(graph)
    with pytest.raises(InputError, match=r"1 nodes have no community \(first: 2\)"):
        Partition.from_labels(graph, {0: "a", 1: "b"})
    with pytest.raises(NotFoundError, match="node 7"):
        Partition.from_labels(graph, {0: "a", 7: "b"})


def test_departments_of_a_real_graph(data: Callable[[str], Path]):
    graph = dif.read_edges(data("email-Eu-core.txt.gz"), directed=True, edges_mean="influences")
    labels = pd.read_csv(data("email-Eu-core-department-labels.txt.gz"), sep=" ", header=None, index_col=0)[1]
    given_part = Partition.from_labels(graph, labels.loc[graph.nodes])
    assert given_part.n_communities == 42
    found = communities(graph, rng=1)
    assert found.modularity > given_part.modularity > 0.25
