"""Where R crosses 1 along a factor, against closed forms; and the operator of R, against its matrix written out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

import diffusion as dif
from diffusion.errors import DiffusionError, EndlessFeedError
from diffusion.graph import spectral
from diffusion.models import Complex, Feed, Funnel, NextGeneration
from diffusion.theory import critical_value


def digraph(n, degree, seed, **options):
    ends = np.random.default_rng(seed).integers(0, n, (2, n * degree))
    return dif.FollowerGraph.from_arrays(*ends, edges_mean="influences", directed=True, nodes=range(n), **options)


def test_a_sparse_random_digraph():
    graph = digraph(20_000, 6, 1)
    out, into = (
        graph.to_pandas()[name].value_counts().reindex(graph.nodes, fill_value=0) for name in ("source", "target")
    )
    kappa = (out * into).sum() / into.sum()
    share = 0.3
    found = critical_value(graph, lambda a: dif.SIPS(a, Funnel(share=share)), (0.01, 1))
    assert found.value == pytest.approx(1 / (share * kappa), rel=0.01)
    assert found.R_high == pytest.approx(share * kappa, rel=0.01)
    assert found.evaluations <= 6  # R is a power of attention


@dataclass(frozen=True)
class Constant(dif.IC):
    """Independent cascade with one probability, whatever the graph's."""

    p: float = 0.1

    def next_generation(self, graph):
        return NextGeneration.on_arcs(graph.with_probabilities("constant", p=self.p))


@pytest.mark.parametrize("make", [Constant, lambda p: dif.SIPS(p)], ids=["IC", "SIPS"])
def test_an_independent_cascade_on_a_regular_graph(make):
    k = 6
    ring = dif.graph.generate_ring_lattice(200, k)
    found = critical_value(ring, lambda p: make(p=p) if make is Constant else make(p), (0.05, 1), tol=1e-6)
    assert found.value == pytest.approx(1 / (k - 1), rel=1e-6)
    assert [found.R_low, found.R_high] == pytest.approx([0.05 * (k - 1), k - 1], rel=1e-4)


def test_a_feed_alone():
    graph, rho = digraph(300, 4, 2), 0.2

    def noted(m, gain=0.0):
        return dif.SIPS(0.0, Funnel(share=rho), Feed(impressions=m, amplification=gain))

    found = critical_value(graph, noted, (0, 40))
    assert found.value == pytest.approx(1 / rho, abs=40e-3)
    c = noted(1).feed.score(noted(1).funnel)
    found = critical_value(graph, lambda gain: noted(2.0, gain), (0, 1), tol=1e-6)
    assert found.value == pytest.approx((1 - 2.0 * rho) / c, abs=1e-6)  # R = rho m0 / (1 - g c)
    assert found.R_low == pytest.approx(2.0 * rho)
    assert found.R_high == math.inf  # where SIPS refuses the feed
    with pytest.raises(EndlessFeedError, match="explodes"):
        noted(2.0, 1.0)
    jump = critical_value(graph, lambda gain: noted(0.0, gain), (0.01, 1), tol=1e-6)
    assert jump.value == pytest.approx(1 / c, rel=1e-5)  # 0 up to where the feed becomes endless


def test_r_that_falls_and_ends_that_do_not_cross():
    ring = dif.graph.generate_ring_lattice(100, 4)  # R = 3 p
    found = critical_value(ring, lambda q: dif.SIPS(1 - q), (0, 1))
    assert found.value == pytest.approx(2 / 3, abs=1e-3)
    assert (found.R_low, found.R_high) == pytest.approx((3, 0), abs=1e-3)
    below, above = (critical_value(ring, lambda p: dif.SIPS(p), ends) for ends in ((0, 0.3), (0.4, 1)))
    for one in (below, above):
        assert not one.reachable
        assert math.isnan(one.value)
        assert one.evaluations == 2
    assert below.R_high < 1 < above.R_low
    assert critical_value(ring, lambda p: dif.SIPS(p), (0.2, 1)).reachable


def test_of_a_platform_r_there_is_one():
    graph = dif.generate_platform(2_000, communities=4, mixing=0.2, mean_followers=12, reciprocity=0.3, rng=5)
    funnel = Funnel(0.64, 1, 0.4, 0.4)
    factors = {
        "attention": (lambda a: dif.SIPS(a, funnel, Feed(1.0, 0.02, 0.5)), (0.01, 1)),
        "eta": (lambda eta: dif.SIPS(0.5, Funnel(0.64, 1, 0.79 * eta, 0.65 * eta)), (0, 1)),
        "feed": (lambda m: dif.SIPS(0.2, funnel, Feed(m, 0.0, 0.5)), (0, 50)),
        "amplification": (lambda g: dif.SIPS(0.2, funnel, Feed(1.0, g, 0.5)), (0, 1)),
    }
    for make, ends in factors.values():
        found = critical_value(graph, make, ends, tol=1e-5)
        assert make(found.value).reproduction_number(graph) == pytest.approx(1, abs=2e-3)
        assert found.evaluations <= 14


@pytest.mark.parametrize("feed", [None, Feed(0.8, 0.05, 0.5)])
def test_a_start_changes_no_r(feed):
    graph = dif.generate_platform(500, communities=4, mean_followers=8, reciprocity=0.3, rng=6)
    none = dif.SIPS(0.0, Funnel(share=0.3), feed).next_generation(graph)
    _, nothing = none.leading()  # no arc is used, so a state that leaves all of them out
    ahead = dif.SIPS(0.6, Funnel(share=0.5), feed).next_generation(graph)
    _, state = ahead.leading()
    operator = dif.SIPS(0.3, Funnel(share=0.3), feed).next_generation(graph)
    for start in (nothing, state, np.ones(3)):
        assert operator.leading(start=start)[0] == pytest.approx(operator.radius(), rel=2e-6)


def test_from_the_settled_state_one_look_is_enough(monkeypatch):
    graph = dif.generate_platform(2_000, communities=4, mean_followers=8, reciprocity=0.3, rng=6)
    calls = []
    real = spectral.forward
    monkeypatch.setattr(spectral, "forward", lambda *given: calls.append(1) or real(*given))
    first, second = (dif.SIPS(a).next_generation(graph) for a in (0.3, 0.1))
    R, state = first.leading(tol=1e-4)
    cold = len(calls)
    assert second.leading(tol=1e-4, start=state)[0] == pytest.approx(R / 3, rel=1e-4)
    assert len(calls) - cold == 2 < cold / 5


def test_the_operator_is_its_matrix_and_backward_the_transpose():
    rng = np.random.default_rng(3)
    arcs = sorted({(int(u), int(v)) for u, v in rng.integers(0, 9, (40, 2)) if u != v})
    graph = dif.FollowerGraph.from_arrays(*zip(*arcs, strict=True), edges_mean="influences", directed=True)
    graph = graph.with_node_data(community=[0, 0, 0, 1, 1, 1, 1, 1, 1][: graph.n_nodes])
    for feed in (None, Feed(1.5, 0.05, 0.4)):
        operator = dif.SIPS(0.4, Funnel(0.9, 0.8, 0.9, 0.7), feed).next_generation(graph)
        m, n = graph.n_edges, graph.n_nodes
        size = m + (n if feed else 0)
        source, target = graph.csr.sources, graph.csr.indices
        matrix = np.zeros((size, size))
        for column in range(size):
            user = target[column] if column < m else column - m
            for row in range(m):
                if source[row] == user and (column >= m or target[row] != source[column]):
                    matrix[row, column] = 0.4 * operator.rho
            if feed:
                near = operator.group == operator.group[user]
                to = (1 - operator.own) / n + operator.own * near / near.sum()
                matrix[m:, column] = operator.rho * operator.shown[user] * to
        x = rng.random(size)
        assert operator.forward(np.eye(size)[0]) == pytest.approx(matrix[:, 0])
        assert operator.forward(x) == pytest.approx(matrix @ x)
        assert operator.backward(x) == pytest.approx(matrix.T @ x)


def test_users_who_never_share_cost_no_rounds():
    graph = dif.generate_platform(1_000, communities=2, mean_followers=8, rng=7)
    operator = dif.SIPS(0.3, Funnel(share=0.3), Feed(1.0)).next_generation(graph)
    alone = dif.SIPS(0.0, Funnel(share=0.3), Feed(2.0)).next_generation(graph)
    assert alone.radius(max_iter=5) == pytest.approx(0.6)
    few = np.arange(graph.n_nodes) % 7 == 0
    assert operator.without(few) < operator.radius()
    assert operator.without(~few) < operator.without(few)
    assert operator.without(np.ones(graph.n_nodes, bool)) == 0


@pytest.mark.parametrize(
    ("make", "values", "options", "message"),
    [
        (dif.SIPS, 3, {}, "is not a range"),
        (dif.SIPS, (0.1, 0.2, 0.3), {}, "two numbers"),
        (dif.SIPS, (0.5, 0.1), {}, "lower number first"),
        (dif.SIPS, (0.5, "1"), {}, r"values\[1\]"),
        (dif.SIPS, (0, 1), {"tol": 0}, "tol"),
        (dif.SIPS, (0, 2), {}, "attention=2"),  # a value that the model refuses is no crossing
        (lambda a: dif.SIPS(a, identify=Complex(2)), (0, 1), {}, "has no R"),
        (lambda a: a, (0, 1), {}, "model"),
    ],
)
def test_wrong_input(make, values, options, message):
    ring = dif.graph.generate_ring_lattice(20, 4)
    with pytest.raises(DiffusionError, match=message):
        critical_value(ring, make, values, **options)
