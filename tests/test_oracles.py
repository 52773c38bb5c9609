"""Closed forms and full enumerations: every row of the table of exact values, within 4 standard errors, fixed keys."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import naive
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph

RUNS = 200_000


def directed(rows: Sequence[tuple[Any, Any]], weight: Any = None, **options: Any) -> FollowerGraph:
    return FollowerGraph.from_arrays(
        [u for u, _ in rows], [v for _, v in rows], weight=weight, edges_mean="influences", directed=True, **options
    )


def undirected(rows: Sequence[tuple[Any, Any]]) -> FollowerGraph:
    return FollowerGraph.from_arrays([u for u, _ in rows], [v for _, v in rows], directed=False)


def check(
    graph: FollowerGraph, exact: float, seeds: Any = (0,), *, model: Any = "ic", runs: int = RUNS, rng: int = 1
) -> None:
    found = dif.simulate(graph, list(seeds), model=model, runs=runs, rng=rng).mean()
    assert abs(found.mean - exact) <= 4 * found.se + 1e-12, f"{found.mean:.6f} +- {found.se:.6f}, exact {exact:.6f}"
    assert found.se < 0.02 * exact


def constant(graph: FollowerGraph, p: float) -> FollowerGraph:
    return graph.with_probabilities("constant", p=p)


# -- the naive enumerations reproduce the table exactly ----------------------------------------------------------------

HALF, P3, P4 = Fraction(1, 2), Fraction(3, 10), Fraction(2, 5)
DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3)]
TRIANGLE = [(0, 1), (0, 2), (1, 2)]
FEEDBACK = [(0, 1), (1, 2), (2, 1), (0, 2)]
FEEDBACK_P = [P4, P4, P4, P3]


def both_ways(rows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [arc for u, v in rows for arc in ((u, v), (v, u))]


def test_enumeration_gives_the_table():
    spread = lambda n, arcs, p, seed=0: naive.exact_spread(n, naive.ic_worlds(arcs, p), [seed])  # noqa: E731
    assert spread(4, [(0, 1), (1, 2), (2, 3)], [P3] * 3) == Fraction(1417, 1000)
    star = both_ways([(0, k) for k in range(1, 5)])
    assert spread(5, star, [P3] * 8) == Fraction(22, 10)
    assert spread(5, star, [P3] * 8, 1) == Fraction(157, 100)
    assert spread(5, both_ways([(k, (k + 1) % 5) for k in range(5)]), [P3] * 10) == Fraction("1.84048")
    assert spread(3, both_ways(TRIANGLE), [HALF] * 6) == Fraction(9, 4)
    assert spread(4, DIAMOND, [HALF] * 4) == Fraction("2.4375")
    assert naive.exact_spread(4, naive.lt_worlds(4, DIAMOND, [HALF] * 4), [0]) == Fraction("2.5")
    assert spread(3, TRIANGLE, [P4] * 3) == Fraction("1.896")
    assert naive.exact_spread(3, naive.lt_worlds(3, TRIANGLE, [P4] * 3), [0]) == Fraction("1.96")
    assert spread(3, FEEDBACK, FEEDBACK_P) == Fraction("1.884")
    assert naive.exact_spread(3, naive.lt_worlds(3, FEEDBACK, FEEDBACK_P), [0]) == Fraction("1.980")
    k4 = both_ways([(u, v) for u in range(4) for v in range(u)])
    assert float(spread(4, k4, [HALF] * 12)) == naive.reed_frost(4, 0.5) == 3.25


REED_FROST = [
    (4, 0.5, 3.25), (5, 0.2, 2.2701372416), (10, 0.1, 3.0269285933), (10, 0.2, 6.7844583453), (20, 0.1, 12.6944195575),
    (50, 0.03, 17.2888916225),
]  # fmt: skip


@pytest.mark.parametrize(("n", "p", "value"), REED_FROST)
def test_reed_frost_gives_the_table(n, p, value):
    assert naive.reed_frost(n, p) == pytest.approx(value, abs=1e-9)


# -- the table by simulation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "p"), [(4, 0.3), (12, 0.7), (60, 0.95), (3, 0.001)])
@pytest.mark.parametrize("model", ["ic", "lt"])
def test_path(n, p, model):
    check(constant(directed([(k, k + 1) for k in range(n - 1)]), p), (1 - p**n) / (1 - p), model=model)


@pytest.mark.parametrize(("m", "p"), [(4, 0.3), (40, 0.1), (200, 0.01)])
def test_star(m, p):
    star = constant(undirected([(0, k) for k in range(1, m + 1)]), p)
    check(star, 1 + m * p)
    check(star, 1 + p + (m - 1) * p**2, [m])


@pytest.mark.parametrize(("n", "p"), [(5, 0.3), (3, 0.5), (17, 0.8)])
def test_cycle(n, p):
    cycle = constant(undirected([(k, (k + 1) % n) for k in range(n)]), p)
    check(cycle, 1 + sum(p**i + p ** (n - i) - p**n for i in range(1, n)), [n // 2])


@pytest.mark.parametrize("model", ["ic", "lt"])
def test_out_tree(model):
    draw = np.random.default_rng(3)
    n = 60
    parent = [int(draw.integers(max(v - 9, 0), v)) for v in range(1, n)]
    p = draw.integers(0, 65, n - 1) / 64
    through = [1.0]
    for v in range(1, n):
        through.append(through[parent[v - 1]] * p[v - 1])
    tree = directed(list(zip(parent, range(1, n), strict=True)), p).with_probabilities("column")
    check(tree, sum(through), model=model)
    ens = dif.simulate(tree, [0], model=model, runs=RUNS, rng=2)
    z = (ens.activation_probability - through) / np.sqrt(
        np.maximum(np.multiply(through, np.subtract(1, through)), 1e-9) / RUNS
    )
    assert z.abs().max() < 4.5


@pytest.mark.parametrize("p", [0.5, 0.2, 0.9])
def test_triangle(p):
    check(constant(undirected(TRIANGLE), p), 1 + 2 * p + 2 * p**2 - 2 * p**3)


@pytest.mark.parametrize(("n", "p", "value"), REED_FROST)
def test_complete_graph(n, p, value):
    check(constant(undirected([(u, v) for u in range(n) for v in range(u)]), p), value, runs=100_000)


def test_diamond():
    graph = constant(directed(DIAMOND), 0.5)
    check(graph, 2.4375)
    check(graph, 2.5, model="lt")


def test_acyclic_triangle():
    graph = constant(directed(TRIANGLE), 0.4)
    check(graph, 1.896)
    check(graph, 1.96, model="lt")


def test_feedback():
    graph = directed(FEEDBACK, [0.4, 0.4, 0.4, 0.3])
    check(graph.with_probabilities("column"), 1.884)
    check(graph.with_probabilities("lt"), 1.980, model="lt")


def test_the_whole_distribution_on_the_diamond():
    graph = constant(directed(DIAMOND), 0.5)
    for model, worlds in [
        ("ic", naive.ic_worlds(DIAMOND, [HALF] * 4)),
        ("lt", naive.lt_worlds(4, DIAMOND, [HALF] * 4)),
    ]:
        exact = naive.exact_distribution(4, worlds, [0])
        sizes = Counter(dif.simulate(graph, [0], model=model, runs=RUNS, rng=3).sizes.tolist())
        assert set(sizes) == set(exact)
        for size, chance in exact.items():
            assert abs(sizes[size] - RUNS * chance) < 4 * math.sqrt(RUNS * chance * (1 - chance))


def test_in_degree_one_makes_ic_and_lt_the_same_distribution():
    draw = np.random.default_rng(4)
    n = 120
    source = [int(draw.integers(n)) for _ in range(n)]  # one followed account each: trees that hang on cycles
    rows = [(u, v) for v, u in enumerate(source) if u != v]
    graph = directed(rows, draw.integers(20, 64, len(rows)) / 64, nodes=range(n)).with_probabilities("column")
    seeds = graph.out_degree.nlargest(4).index.tolist()
    ic, lt = (dif.simulate(graph, seeds, model=model, runs=50_000, rng=4) for model in ("ic", "lt"))
    a, b = ic.mean(), lt.mean()
    assert abs(a.mean - b.mean) < 4 * math.hypot(a.se, b.se)
    assert not np.array_equal(ic.sizes, lt.sizes)  # the same distribution from other coins
    bins = np.quantile(ic.sizes, np.arange(0.1, 1, 0.1))
    rows_, columns = (np.bincount(np.digitize(e.sizes, bins), minlength=10) for e in (ic, lt))
    seen = rows_ + columns > 0
    chi = ((rows_ - columns)[seen] ** 2 / (rows_ + columns)[seen]).sum()
    assert chi < seen.sum() - 1 + 4 * math.sqrt(2 * seen.sum())
    p, q = ic.activation_probability, lt.activation_probability
    z = (p - q) / np.sqrt(np.maximum(p * (1 - p) + q * (1 - q), 1e-9) / 50_000)
    assert z.abs().max() < 4.5


def test_lt_keeps_each_in_arc_as_often_as_its_weight():
    """All sources seeded: the target's parent is in-arc j with probability w_j, and nobody with the rest."""
    weight = [0.05, 0.2, 0.0, 0.3, 0.25]
    graph = directed([(k, 9) for k in range(5)], weight).with_probabilities("lt")
    ens = dif.simulate(graph, range(5), model="lt", runs=RUNS, rng=6)
    assert abs(ens.activation_probability[9] - 0.8) < 4 * math.sqrt(0.16 / RUNS)
    runs = 4000
    parents = Counter(
        c.nodes[c.parent[c.nodes.get_loc(9)]] for c in (ens.replay(run) for run in range(runs)) if 9 in c.nodes
    )
    for k, w in enumerate(weight):
        assert abs(parents[k] - runs * w) <= 4 * math.sqrt(runs * w * (1 - w))


def test_lt_weights_that_sum_to_one_always_keep_an_arc():
    """With every in-neighbour active the target always follows, at any in-degree (weights are 32-bit numbers)."""
    for d in (1, 2, 3, 7, 10, 49, 1000, 4097):
        graph = directed([(k, d) for k in range(d)]).with_probabilities("weighted_cascade")
        assert (dif.simulate(graph, range(d), model="lt", runs=2000, rng=d).sizes == d + 1).all()


def test_parallel_arcs_act_as_independent_chances():
    rows = [(0, 1)] * 3 + [(1, 2)] * 2
    graph = directed(rows, parallel="keep").with_probabilities("constant", p=0.2)
    first, second = 1 - 0.8**3, 1 - 0.8**2
    check(graph, 1 + first + first * second)


# -- any small graph ---------------------------------------------------------------------------------------------------


@st.composite
def small_worlds(draw):
    n = draw(st.integers(2, 6))
    pairs = [(u, v) for u in range(n) for v in range(n) if u != v]
    arcs = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=9, unique=True))
    parts = draw(st.lists(st.integers(0, 16), min_size=len(arcs), max_size=len(arcs)))
    seeds = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=2, unique=True))
    return n, arcs, parts, seeds


def within(sizes: np.ndarray, exact: dict[int, Fraction], limit: float = 5.5) -> None:
    """Mean within `limit` standard errors (several hundred graphs are tried), and no size that cannot occur."""
    mean = float(sum(size * chance for size, chance in exact.items()))
    variance = float(sum(size * size * chance for size, chance in exact.items())) - mean**2
    assert set(sizes.tolist()) <= set(exact)
    assert abs(sizes.mean() - mean) <= limit * math.sqrt(max(variance, 0) / sizes.size) + 1e-9


@given(small_worlds())
@settings(max_examples=40)
def test_ic_is_the_enumeration(case):
    n, arcs, parts, seeds = case
    p = [Fraction(k, 16) for k in parts]
    graph = directed(arcs, [float(x) for x in p], nodes=range(n)).with_probabilities("column")
    sizes = dif.simulate(graph, seeds, runs=20_000, rng=7, threads=1).sizes
    within(sizes, naive.exact_distribution(n, naive.ic_worlds(arcs, p), seeds))


@given(small_worlds())
@settings(max_examples=40)
def test_lt_is_the_enumeration(case):
    n, arcs, parts, seeds = case
    total = Counter()
    for (_, v), k in zip(arcs, parts, strict=True):
        total[v] += k
    weight = [Fraction(k, 2 ** max(total[v] - 1, 0).bit_length() or 1) for (_, v), k in zip(arcs, parts, strict=True)]
    graph = directed(arcs, [float(w) for w in weight], nodes=range(n)).with_probabilities("lt")
    sizes = dif.simulate(graph, seeds, model="lt", runs=20_000, rng=7, threads=1).sizes
    within(sizes, naive.exact_distribution(n, naive.lt_worlds(n, arcs, weight), seeds))


def test_probability_one_is_reachability():
    graph = random_graph(300, 500, rng=9)
    for seed in (0, 17, 200):
        want = 1 + len(nx.descendants(graph.to_networkx(), seed))
        assert dif.simulate(constant(graph, 1.0), [seed], runs=3).sizes.tolist() == [want] * 3
        assert dif.simulate(constant(graph, 0.0), [seed], runs=3).sizes.tolist() == [1] * 3
