"""Seeds of epidemics: RR sets of arcs that share an infectious period, certificates, and generations of infection."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from strategies import random_graph

import diffusion as dif
from diffusion.models import SEIR, SIR, Exponential, Fixed, Gamma, OutbreakSize
from diffusion.seeding import sample_rr_sets

GRAPH = random_graph(80, 320, rng=4)
MODELS = [
    SIR(0.5),
    SIR(0.5, end=1.5),
    SIR(0.5, Gamma(1.0, 3.0)),
    SIR(Gamma(2.0, 2.0), Fixed(1.5), end=3.0),
    SIR(0.5, 0.0, end=1.0),
    SEIR(0.5, 1.0),
    SEIR(0.5, 1.0, end=2.5),
    OutbreakSize(0.5),
    OutbreakSize(0.3, Fixed(1.0)),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.label)
def test_rr_sets_estimate_the_spread(model):
    sets = sample_rr_sets(GRAPH, 60_000, model=model, rng=7)
    for seeds in ([3], [1, 20, 33]):
        forward = dif.spread(GRAPH, seeds, model=model, runs=20_000, rng=8)
        hits = sets.coverage(seeds) / len(sets)
        se = GRAPH.n_nodes * math.sqrt(hits * (1 - hits) / len(sets))
        assert abs(sets.estimate(seeds).value - forward.mean) < 4 * math.hypot(se, forward.se)


@pytest.mark.parametrize(("n", "beta", "mean"), [(3, 1.0, 13 / 6), (4, 1.0, 2.97916667), (10, 0.2, 4.57100449)])
def test_rr_sets_of_complete_graphs_share_the_period(n, beta, mean):
    graph = dif.FollowerGraph.from_networkx(nx.complete_graph(n))
    found = sample_rr_sets(graph, 80_000, model=SIR(beta), rng=3)
    hits = found.coverage([0]) / len(found)
    assert abs(found.estimate([0]).value - mean) < 4 * n * math.sqrt(hits * (1 - hits) / len(found))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.label)
def test_certificates_hold(model):
    chosen = dif.select_seeds(GRAPH, 4, model=model, rng=7)
    reach = dif.spread(GRAPH, chosen.seeds, model=model, runs=8000, rng=8)
    assert chosen.lower <= reach.high
    assert reach.low <= chosen.upper
    degree = dif.select_seeds(GRAPH, 4, model=model, method="degree_discount", rng=7)
    assert dif.spread(GRAPH, degree.seeds, model=model, runs=8000, rng=8).low <= chosen.upper


def test_probabilities_of_the_graph_play_no_part():
    weak = GRAPH.with_probabilities("constant", p=0.01)
    sets = [sample_rr_sets(graph, 500, model=SIR(0.5), rng=7) for graph in (GRAPH, weak)]
    assert sets[0].to_pandas().equals(sets[1].to_pandas())


def test_a_short_end_changes_the_best_seeds():
    """A hub behind a slow arc reaches more in the end, and nobody in time."""
    slow = [("far", "hub", 0.05)] + [("hub", f"h{i}", 5.0) for i in range(30)]
    fast = [("near", f"n{i}", 5.0) for i in range(8)]
    source, target, rate = zip(*slow, *fast, strict=True)
    graph = dif.FollowerGraph.from_arrays(source, target, weight=rate, directed=True, edges_mean="influences")
    options = {"candidates": ["far", "near"], "rng": 7}
    contacts = Exponential("weight")
    soon = dif.select_seeds(graph, 1, model=SIR(contacts, 0.0, end=1.0), **options)
    late = dif.select_seeds(graph, 1, model=SIR(contacts, 0.0), **options)
    assert (soon.seeds, late.seeds) == (("near",), ("far",))


def test_generations_are_those_of_percolation():
    model = SIR(0.5, Gamma(1.0, 3.0), end=4.0).in_generations()
    assert model == OutbreakSize(Exponential(0.5), Gamma(1.0, 3.0), within=4.0, generations=True)
    found = dif.simulation.reproduction(GRAPH, model=SIR(0.2), rng=1)
    assert found.predicted == pytest.approx(SIR(0.2).reproduction_number(GRAPH), rel=0.01)
    sizes = (
        dif.spread(GRAPH, [3], model=SIR(0.5), runs=20_000, rng=1),
        dif.spread(GRAPH, [3], model=SIR(0.5).in_generations(), runs=20_000, rng=2),
    )
    assert abs(sizes[0].mean - sizes[1].mean) < 4 * np.hypot(sizes[0].se, sizes[1].se)
