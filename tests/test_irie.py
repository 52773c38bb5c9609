"""IRIE: the kernels against a naive twin, the linear system against a solver, and what the seeds reach on paths."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import graphs, internal_arcs, internal_values, random_graph, with_arc_values

from diffusion.graph.follower_graph import FollowerGraph
from diffusion.kernels.irie import influence_rank, reach_of_seed
from diffusion.seeding import IRIE
from diffusion.seeding.strategies.rankings import CLOSE, FLOOR, ROUNDS


def irie(graph: FollowerGraph, k: int, allowed: Any, **options: float) -> tuple[Any, Any]:
    return IRIE(**options).order(graph, k, allowed, 0)


def naive_irie(
    graph: FollowerGraph, k: int, allowed: list[bool], alpha: float = 0.7, floor: float = FLOOR
) -> tuple[list[int], list[float]]:
    """Everything anew in plain Python, in the order of internal nodes and arcs."""
    n = graph.n_nodes
    out: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    for (u, v), p in zip(internal_arcs(graph), internal_values(graph), strict=True):
        out[u].append((v, p))
    place = graph.index.order.tolist()
    free, rank = [1.0] * n, [1.0] * n
    seeds: list[int] = []
    scores: list[float] = []
    while len(seeds) < k:
        for _ in range(ROUNDS):
            change = 0.0
            for u in range(n):
                total = 0.0
                if free[u] > 0:
                    for v, p in out[u]:
                        total += p * rank[v]
                new = free[u] * (1.0 + alpha * total)
                change = max(change, abs(new - rank[u]))
                rank[u] = new
            if change <= CLOSE * max(rank):
                break
        left = [v for v in range(n) if allowed[v] and v not in seeds]
        if not left:
            break
        s = min(left, key=lambda v: (-rank[v], place[v]))
        seeds.append(s)
        scores.append(rank[s])
        for v, chance in likeliest(out, s, seeds, floor).items():
            free[v] *= 1.0 - chance
        if max(rank) > n:
            rank = [1.0] * n
    return seeds, scores


def likeliest(out: list[list[tuple[int, float]]], s: int, seeds: list[int], floor: float) -> dict[int, float]:
    """Probability of the likeliest path from s to each node that passes no other seed, if it is at least `floor`."""
    best: dict[int, float] = {}
    heap = [(-1.0, s)]
    while heap:
        value, u = heapq.heappop(heap)
        if u in best:
            continue
        best[u] = -value
        for v, p in out[u]:
            if v not in best and v not in seeds and best[u] * p >= floor:
                heapq.heappush(heap, (-(best[u] * p), v))
    return {v: p for v, p in best.items() if p > 0}


@given(graphs(n=8, max_rows=30), st.data())
def test_the_kernel_is_the_naive_twin(graph: FollowerGraph, data: st.DataObject):
    values = data.draw(
        st.lists(
            st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.5, 1.0]), min_size=graph.n_edges, max_size=graph.n_edges
        )
    )  # fmt: skip
    graph = with_arc_values(graph, values, "column")
    allowed = data.draw(st.lists(st.booleans(), min_size=graph.n_nodes, max_size=graph.n_nodes))
    k = data.draw(st.integers(0, graph.n_nodes))
    seeds, scores = irie(graph, k, np.array(allowed))
    want = naive_irie(graph, k, allowed)
    assert seeds.tolist() == want[0]
    assert scores.tolist() == want[1]


@pytest.mark.parametrize("rule", [{"rule": "weighted_cascade"}, {"rule": "constant", "p": 0.2}])
def test_larger_graphs_too_where_the_iteration_may_diverge(rule: dict[str, Any]):
    graph = random_graph(120, 900, rng=4).with_probabilities(**rule)
    seeds, scores = irie(graph, 30, np.ones(120, np.bool_))
    want = naive_irie(graph, 30, [True] * 120)
    assert seeds.tolist() == want[0]
    assert scores.tolist() == want[1]
    assert np.isfinite(scores).all()


def test_ranks_solve_the_linear_system():
    graph = random_graph(200, 900, rng=2).with_probabilities("weighted_cascade")
    free = np.random.default_rng(1).random(200)
    rank = np.ones(200)
    arcs = graph.csr.indptr, graph.csr.indices, graph.probabilities.values
    rounds = influence_rank(*arcs, free, 0.7, 500, 1e-13, rank)
    assert rounds < 500
    matrix = np.zeros((200, 200))
    for (u, v), p in zip(internal_arcs(graph), internal_values(graph), strict=True):
        matrix[u, v] = p
    want = np.linalg.solve(np.eye(200) - 0.7 * free[:, None] * matrix, free)
    assert rank == pytest.approx(want, rel=1e-9)


def test_reach_is_exact_on_a_tree_and_ends_at_other_seeds_and_the_floor():
    graph = FollowerGraph.from_arrays([0, 0, 1, 2, 4], [1, 2, 3, 4, 5], edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=0.5)
    labels = graph.index.labels_of(np.arange(6)).tolist()
    at = {label: i for i, label in enumerate(labels)}

    def reach(seed: int, others: list[int], floor: float) -> dict[int, float]:
        free, best, seeds = np.ones(6), np.zeros(6), np.zeros(6, np.bool_)
        seeds[[at[s] for s in (seed, *others)]] = True
        reach_of_seed(
            graph.csr.indptr, graph.csr.indices, graph.probabilities.values, at[seed], floor, seeds, free, best
        )
        assert not best.any()
        return dict(zip(labels, (1 - free).tolist(), strict=True))

    activation = {0: 1.0, 1: 0.5, 2: 0.5, 3: 0.25, 4: 0.25, 5: 0.125}
    assert reach(0, [], 0.01) == activation
    assert reach(0, [], 0.2) == activation | {5: 0.0}
    assert reach(0, [2], 0.01) == activation | {2: 0.0, 4: 0.0, 5: 0.0}


def test_without_discount_the_rank_is_the_spread_of_a_tree():
    graph = FollowerGraph.from_arrays([0, 0, 1, 2, 4], [1, 2, 3, 4, 5], edges_mean="influences", directed=True)
    seeds, scores = irie(graph.with_probabilities("constant", p=0.5), 1, np.ones(6, np.bool_), alpha=1.0)
    assert graph.index.labels_of(seeds).tolist() == [0]
    assert scores.tolist() == [2.625]
