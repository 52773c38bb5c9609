"""Heuristic seeds: naive twins of the discounts, the libraries called directly, ties, candidates, tiers, NetHEPT."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import graphs, internal_arcs, random_graph

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.seeding.heuristics import HEURISTICS, rank_seeds

METHODS = tuple(HEURISTICS)


def counted_arcs(graph: FollowerGraph) -> dict[tuple[Any, Any], int]:
    """Source and target label -> number of parallel arcs."""
    table = graph.to_pandas()
    count = table["multiplicity"] if "multiplicity" in table else [1] * len(table)
    return {(u, v): int(c) for u, v, c in zip(table["source"], table["target"], count, strict=True)}


def naive_discount(
    graph: FollowerGraph, k: int, p: float | None, candidates: Sequence[Any] | None = None
) -> tuple[list[Any], list[float]]:
    """Chen, Wang and Yang (2009): take the node of largest discounted degree, k times, all anew each time.

    Single discount (p None): followers that are no seeds. Degree discount (their algorithm 4, for directed arcs):
    d - 2t - (d - t) t p, where the first t counts arcs to seeds and the others arcs from seeds.
    """
    arcs = counted_arcs(graph)
    nodes = graph.nodes.tolist()
    seeds: list[Any] = []
    scores: list[float] = []
    while len(seeds) < k:
        best: tuple[float, int] | None = None
        for place, v in enumerate(nodes):
            if v in seeds or (candidates is not None and v not in candidates):
                continue
            left = sum(c for (a, b), c in arcs.items() if a == v and b not in seeds)
            exposed = sum(c for (a, b), c in arcs.items() if b == v and a in seeds)
            score = float(left) if p is None else left - exposed - left * exposed * p
            if best is None or score > best[0]:  # the earlier label wins a tie
                best = (score, place)
        assert best is not None
        seeds.append(nodes[best[1]])
        scores.append(best[0])
    return seeds, scores


# -- discounts against their naive twins -------------------------------------------------------------------------------


@given(graphs(n=9, max_rows=40), st.sampled_from([None, 0.0, 0.01, 0.1, 0.5, 1.0]), st.data())
def test_discounts_equal_their_naive_twins(graph: FollowerGraph, p: float | None, data: st.DataObject):
    nodes = graph.nodes.tolist()
    among = data.draw(st.none() | st.lists(st.sampled_from(nodes), min_size=1, unique=True))
    k = data.draw(st.integers(0, len(nodes if among is None else among)))
    method = "single_discount" if p is None else "degree_discount"
    found = dif.select_seeds(graph, k, method=method, p=p, candidates=among)
    seeds, scores = naive_discount(graph, k, p, among)
    assert list(found.seeds) == seeds
    assert found.scores.tolist() == scores


@pytest.mark.parametrize("parallel", ["collapse", "keep"])
@pytest.mark.parametrize("directed", [True, False])
def test_discounts_on_larger_graphs(parallel: str, directed: bool):
    graph = random_graph(60, 400, rng=3, directed=directed, parallel=parallel)
    for p in (None, 0.05):
        method = "single_discount" if p is None else "degree_discount"
        found = dif.select_seeds(graph, 25, method=method, p=p)
        seeds, scores = naive_discount(graph, 25, p)
        assert list(found.seeds) == seeds
        assert found.scores.tolist() == scores


def test_degree_discount_reckons_with_the_mean_probability():
    graph = random_graph(80, 500, rng=5)
    column = graph.with_probabilities("weighted_cascade")
    mean = float(column.probabilities.values.mean(dtype=np.float64))
    assert rank_seeds(column, 20, method="degree_discount").seeds == (
        rank_seeds(graph, 20, method="degree_discount", p=mean).seeds
    )
    with pytest.raises(InputError, match="give p="):
        dif.select_seeds(graph, 2, method="degree_discount")


def test_nodes_without_arcs_are_ranked_too():
    graph = FollowerGraph.from_arrays([], [], nodes=list("cab"), directed=True, edges_mean="influences")
    order = tuple(graph.nodes)
    for method in ("degree", "single_discount", "degree_discount", "pagerank", "k_core"):
        assert dif.select_seeds(graph, 3, method=method).seeds == order


# -- libraries called directly -----------------------------------------------------------------------------------------


def ranked(score: dict[Any, float], graph: FollowerGraph, k: int) -> tuple[Any, ...]:
    place = {v: i for i, v in enumerate(graph.nodes.tolist())}
    return tuple(sorted(score, key=lambda v: (-score[v], place[v]))[:k])


@pytest.mark.parametrize("directed", [True, False])
def test_degree_is_the_number_of_followers(directed: bool):
    graph = random_graph(120, 500, rng=8, directed=directed, parallel="keep")
    flow = nx.MultiDiGraph()
    flow.add_nodes_from(graph.nodes)
    flow.add_edges_from((u, v) for (u, v), c in counted_arcs(graph).items() for _ in range(c))
    found = dif.select_seeds(graph, 30, method="degree")
    assert found.seeds == ranked(dict(flow.out_degree()), graph, 30)
    assert found.scores.tolist() == [flow.out_degree(v) for v in found.seeds]


@pytest.mark.parametrize("parallel", ["collapse", "keep"])
def test_pagerank_flows_from_follower_to_followed(parallel: str):
    graph = random_graph(150, 900, rng=9, parallel=parallel)
    follows = nx.DiGraph()
    follows.add_nodes_from(graph.nodes)
    follows.add_weighted_edges_from((v, u, c) for (u, v), c in counted_arcs(graph).items())
    want = nx.pagerank(follows, alpha=0.85, tol=1e-12, max_iter=1000)
    found = dif.select_seeds(graph, 40, method="pagerank")
    assert found.scores == pytest.approx([want[v] for v in found.seeds], rel=1e-6)
    assert sorted(want.values())[-40] == pytest.approx(found.scores[-1], rel=1e-6)


@pytest.mark.parametrize("directed", [True, False])
def test_k_core_is_the_core_number_of_the_undirected_graph(directed: bool):
    graph = random_graph(150, 900, rng=10, directed=directed)
    plain = nx.Graph(list(counted_arcs(graph)))
    plain.add_nodes_from(graph.nodes)
    core = nx.core_number(plain)
    other = igraph.Graph.from_networkx(plain)
    assert dict(zip(other.vs["_nx_name"], other.coreness(), strict=True)) == core
    found = dif.select_seeds(graph, 150, method="k_core")
    assert found.scores.tolist() == [core[v] for v in found.seeds]
    followers = graph.out_degree
    assert found.seeds == ranked({v: 1000 * core[v] + int(followers[v]) for v in core}, graph, 150)


def test_voterank_is_that_of_networkx():
    graph = random_graph(150, 900, rng=11)
    flow = nx.DiGraph()
    flow.add_nodes_from(graph.nodes)  # in this order: networkx gives ties to the first
    label = graph._labels_of(np.arange(150)).tolist()  # votes are sums of floats: in one order
    flow.add_edges_from((label[u], label[v]) for u, v in internal_arcs(graph))
    want = nx.voterank(flow)
    assert dif.select_seeds(graph, 20, method="voterank").seeds == tuple(want[:20])
    among = graph.nodes.tolist()[::2]
    assert dif.select_seeds(graph, 10, method="voterank", candidates=among).seeds == tuple(
        [v for v in want if v in among][:10]
    )
    assert rank_seeds(graph, 150, method="voterank").seeds == tuple(want)
    with pytest.raises(InputError, match=f"ranks only {len(want)} nodes"):
        dif.select_seeds(graph, 150, method="voterank")


# -- what all methods share --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_seeds_are_distinct_nested_and_of_the_candidates(method: str):
    graph = random_graph(100, 700, rng=12).with_probabilities("constant", p=0.1)
    longer = dif.select_seeds(graph, 20, method=method, rng=7)
    assert len(set(longer.seeds)) == 20
    assert dif.select_seeds(graph, 6, method=method, rng=7).seeds == longer.seeds[:6]
    assert dif.select_seeds(graph, 0, method=method).seeds == ()
    among = graph.nodes.tolist()[::3]
    chosen = dif.select_seeds(graph, 5, method=method, candidates=[*among, among[0]], rng=7)
    assert set(chosen.seeds) <= set(among)
    assert len(chosen) == 5
    table = longer.to_pandas()
    assert table["node"].tolist() == list(longer.seeds)
    assert table["rank"].tolist() == list(range(1, 21))


@pytest.mark.parametrize("method", ["degree", "single_discount", "degree_discount", "pagerank", "k_core"])
def test_ties_go_to_the_label_that_comes_first(method: str):
    labels = ["d", "b", "a", "c"]
    ring = FollowerGraph.from_arrays(labels, labels[1:] + labels[:1], directed=True, edges_mean="influences")
    first = dif.select_seeds(ring, 1, method=method, p=0.1 if method == "degree_discount" else None).seeds
    assert first == (ring.nodes[0],)
    assert dif.select_seeds(ring, 4, method="degree").seeds == tuple(ring.nodes)


def test_the_order_of_rows_plays_no_part():
    rng = np.random.default_rng(4)
    u, v = rng.integers(0, 60, (2, 300))
    mixed = rng.permutation(300)
    one, two = (
        FollowerGraph.from_arrays(u[at], v[at], nodes=range(60), directed=True, edges_mean="follows")
        for at in (np.arange(300), mixed)
    )
    for method in METHODS:
        p = 0.1 if method == "degree_discount" else None
        found = [dif.select_seeds(g, 15, method=method, p=p, rng=3).seeds for g in (one, two)]
        assert found[0] == found[1], method


def test_random_seeds_are_uniform_and_follow_the_key():
    graph = random_graph(20, 60, rng=1)
    assert (
        dif.select_seeds(graph, 5, method="random", rng=1).seeds
        == dif.select_seeds(graph, 5, method="random", rng=1).seeds
    )
    draws = [dif.select_seeds(graph, 5, method="random", rng=i).seeds for i in range(800)]
    count = np.bincount(np.ravel(draws), minlength=20)
    expected = 800 * 5 / 20
    assert ((count - expected) ** 2 / expected).sum() < 55  # chi-square, 19 degrees of freedom, p < 3e-5
    assert len(set(draws)) > 700


def test_tiers_draw_among_their_creators():
    graph = dif.generate_platform(1200, communities=4, rng=7)
    tier = graph.node_data["tier"]
    for name in ("amateur", "tail", "waist", "head"):
        members = set(tier.index[tier == name])
        chosen = dif.select_seeds(graph, len(members), method=name, rng=1)
        assert set(chosen.seeds) == members
        with pytest.raises(InputError, match="more than the"):
            dif.select_seeds(graph, len(members) + 1, method=name)
    half = tier.index[tier == "tail"][:20].tolist()
    assert set(dif.select_seeds(graph, 20, method="tail", candidates=half, rng=1).seeds) == set(half)
    assert (
        dif.select_seeds(graph, 50, method="tail", rng=1).seeds
        != dif.select_seeds(graph, 50, method="tail", rng=2).seeds
    )
    with pytest.raises(InputError, match="with_creator_tiers"):
        dif.select_seeds(random_graph(10, 20, rng=1), 2, method="tail")


@pytest.mark.parametrize(
    ("k", "options", "error", "message"),
    [
        (31, {"method": "degree"}, InputError, "k=31 is more than the 30 nodes"),
        (3, {"method": "degree", "candidates": [1, 2]}, InputError, "k=3 is more than the 2 candidates"),
        (-1, {"method": "degree"}, InputError, "k=-1"),
        (2.0, {"method": "degree"}, InputError, "k=2.0"),
        (True, {"method": "degree"}, InputError, "k=True"),
        (1, {"method": "degre"}, NotFoundError, "'degre' is unknown.*'degree'"),
        (1, {"method": ["degree"]}, NotFoundError, "is unknown"),
        (1, {"method": "degree", "candidates": [99]}, NotFoundError, "99"),
        (1, {"method": "degree_discount", "p": 1.5}, InputError, "p=1.5"),
        (1, {"method": "degree_discount", "p": float("nan")}, InputError, "p=nan"),
        (1, {"method": "degree_discount", "p": "a"}, InputError, "p='a'"),
        (1, {"method": "random", "rng": "a"}, InputError, "rng='a'"),
    ],
)
def test_mistakes(k: Any, options: dict[str, Any], error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        dif.select_seeds(random_graph(30, 90, rng=2), k, **options)


# -- NetHEPT -----------------------------------------------------------------------------------------------------------


def test_degree_discount_picks_the_published_nodes_of_nethept(data: Callable[[str], Path]):
    graph = dif.read_edges(data("nethept.txt.gz"), directed=False, parallel="keep")
    found = dif.select_seeds(graph, 12, method="degree_discount", p=0.01)
    assert found.seeds == (131, 639, 287, 267, 608, 100, 559, 124, 359, 66, 1292, 236)


@pytest.mark.parametrize(
    ("parallel", "rule", "p", "published"),
    [
        ("keep", {"rule": "constant", "p": 0.01}, 0.01, (134.2, 129.4, 122.6)),
        ("collapse", {"rule": "constant", "p": 0.01}, 0.01, (73.0, 72.8, 72.0)),
        ("keep", {"rule": "constant", "p": 0.02}, 0.02, (274.9, 259.3, 242.2)),
        ("keep", {"rule": "weighted_cascade"}, 0.01, (972.8, 949.6, 892.9)),
        ("collapse", {"rule": "weighted_cascade"}, 0.01, (901.1, 883.6, 848.2)),
    ],
    ids=["p=.01 multigraph", "p=.01 simple", "p=.02 multigraph", "WC multigraph", "WC simple"],
)
def test_spreads_of_nethept_are_reproduced(
    data: Callable[[str], Path], parallel: Any, rule: dict[str, Any], p: float, published: tuple[float, ...]
):
    """Each value is itself the mean of 20,000 runs: 4 standard errors of the difference, plus 0.5 % for ties in the seeds."""
    graph = dif.read_edges(data("nethept.txt.gz"), directed=False, parallel=parallel).with_probabilities(**rule)
    for method, value in zip(("degree_discount", "single_discount", "degree"), published, strict=True):
        seeds = dif.select_seeds(graph, 50, method=method, p=p if method == "degree_discount" else None)
        found = dif.spread(graph, seeds.seeds, model=dif.IC(), runs=20_000, rng=7)
        assert abs(found.mean - value) <= 4 * math.sqrt(2) * found.se + 0.005 * value, (method, found.mean)
