"""Threshold cascades: the naive twin, exact rounding, rings and small graphs worked out by hand or by brute force."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import naive
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KEYS, graphs, internal_arcs, random_graph, seed_sets

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError, NotFoundError
from diffusion.simulation.runner import Runner, prepare


def twin(graph: FollowerGraph, model: dif.Threshold, seeds, key: int, run: int) -> naive.NaiveRun:
    arcs = internal_arcs(graph)
    fraction: Any = None if model.fraction is None or model.column else Fraction(str(model.fraction))
    count: Any = model.count
    if model.column is not None:
        own = [
            Fraction(str(graph.node_data.loc[label, model.column]))
            for label in graph.index.labels_of(range(graph.n_nodes))
        ]
        fraction, count = (own, None) if model.count is None else (None, own)
    return naive.threshold_run(
        graph.n_nodes,
        arcs,
        np.broadcast_to(graph.csr.multiplicity, len(arcs)).tolist(),
        [int(v) for v in graph.index.internal(seeds)],
        key,
        run,
        fraction=fraction,
        count=count,
        noise=model.noise,
    )


def assert_same_run(engine: Runner, row: np.ndarray, run: int) -> naive.NaiveRun:
    want = twin(engine.graph, engine.model, engine.seeds, int(engine.key), run)
    assert np.trim_zeros(row, "b").tolist() == want.levels
    trace = engine.replay(run)
    nodes, step, parent = (found.tolist() for found in (trace.nodes, trace.steps, trace.parents))
    assert dict(zip(nodes, step, strict=True)) == want.step
    assert {v: None if at < 0 else nodes[at] for v, at in zip(nodes, parent, strict=True)} == want.parent
    return want


MODELS = st.builds(
    dif.Threshold,
    fraction=st.sampled_from([0.1, 0.18, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0]),
    noise=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
) | st.builds(dif.Threshold, count=st.integers(1, 4), noise=st.sampled_from([0.0, 0.1, 0.5]))


@given(draw=st.data())
@settings(max_examples=80)
def test_twin_on_small_graphs(draw):
    graph = draw.draw(graphs(n=9, max_rows=30))
    engine = prepare(graph, draw.draw(MODELS), draw.draw(seed_sets(graph)), draw.draw(KEYS))
    found = engine.run(0, 66, threads=2)
    out, total, visits = np.diff(graph.csr.indptr), np.zeros(graph.n_nodes, int), 0
    for run in range(66):
        reached = list(assert_same_run(engine, found.new[run, :, 0], run).step)
        total[reached] += 1
        visits += out[reached].sum()
    assert found.node_counts[:, 0].tolist() == total.tolist()
    assert found.visits == visits


@given(draw=st.data())
@settings(max_examples=60)
def test_twin_where_every_node_has_its_own(draw):
    graph = draw.draw(graphs(n=9, max_rows=30))
    shares = st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 0.75, 1.0, 1.5])
    each = {"share": shares, "k": st.integers(1, 4)}
    for name, of in each.items():
        graph = graph.with_node_data({name: draw.draw(st.lists(of, min_size=graph.n_nodes, max_size=graph.n_nodes))})
    of = draw.draw(st.sampled_from([{"fraction": "share"}, {"count": "k"}]))
    model = dif.Threshold(**of, noise=draw.draw(st.sampled_from([0.0, 0.1])))
    engine = prepare(graph, model, draw.draw(seed_sets(graph)), draw.draw(KEYS))
    found = engine.run(0, 20, threads=1)
    for run in range(20):
        assert_same_run(engine, found.new[run, :, 0], run)


def test_a_column_of_one_value_is_that_value():
    graph = random_graph(200, 900, rng=3).with_node_data(
        share=np.full(200, 0.2), k=np.full(200, 2), no=np.full(200, 9.0)
    )
    for value, column in (({"fraction": 0.2}, {"fraction": "share"}), ({"count": 2}, {"count": "k"})):
        a, b = (dif.simulate(graph, range(20), model=dif.Threshold(**of), runs=1, rng=1) for of in (value, column))
        assert a.new_by_step.tolist() == b.new_by_step.tolist()
        assert a.sizes[0] > 25
    assert not dif.Threshold(count="k").submodular(graph)
    assert dif.Threshold(fraction="share").label == "Threshold fraction=share"
    stubborn = dif.simulate(graph, range(20), model=dif.Threshold(fraction="no"), runs=1)
    assert stubborn.sizes.tolist() == [20]


def test_thresholds_of_a_column_enter_a_study(tmp_path):
    graph = random_graph(200, 900, rng=3).with_node_data(k=np.full(200, 2))
    models = [dif.Threshold(count="k"), dif.Threshold(count=2)]
    found = dif.Study(graph, models=models, strategies=["degree"], budgets=[20], max_runs=128).run(tmp_path, rng=1)
    table = found.to_pandas().set_index("model")
    assert table["reach"].nunique() == 1
    assert table["thresholds"].fillna("").to_dict() == {"Threshold count=k": "k", "Threshold count=2": ""}
    assert table["count"].fillna(0).to_dict() == {"Threshold count=k": 0, "Threshold count=2": 2}


def test_granovetter_one_other_threshold_ends_the_riot():
    """Granovetter (1978): thresholds 1, 2, ..., n - 1 of a crowd tip one by one; without the first of them nobody does."""
    n = 30
    source, target = zip(*((u, v) for u in range(n) for v in range(n) if u != v), strict=True)
    crowd = FollowerGraph.from_arrays(source, target, edges_mean="influences", directed=True)
    steps = dif.threshold_cascade(crowd.with_node_data(own=np.maximum(np.arange(n), 1)), [0], count="own")
    assert (steps.size, steps.depth) == (n, n - 1)
    other = crowd.with_node_data(own=np.maximum(np.arange(n), 2))
    assert dif.threshold_cascade(other, [0], count="own").size == 1


@pytest.mark.parametrize(
    ("own", "of", "text"),
    [
        (
            [1, 0],
            {"count": "own"},
            r"the node 'b' has own 0: a count is a whole number from 1; nodes that need nobody are seeds",
        ),
        ([1.5, 1], {"count": "own"}, "the node 'a' has own 1.5: a count is a whole number"),
        ([0.5, float("nan")], {"fraction": "own"}, "the node 'b' has own nan: a fraction is a number above 0"),
        ([0.5, math.inf], {"fraction": "own"}, "the node 'b' has own inf"),
        (["x", "y"], {"fraction": "own"}, "fraction holds something that is no number"),
    ],
)
def test_columns_that_are_no_thresholds(own, of, text):
    graph = FollowerGraph.from_arrays(["a"], ["b"], edges_mean="influences", directed=True).with_node_data(own=own)
    with pytest.raises(InputError, match=text):
        dif.simulate(graph, ["a"], model=dif.Threshold(**of), runs=1)
    with pytest.raises(
        NotFoundError, match=r"fraction='owm' is no node attribute of the graph; it has 'own'. Did you mean 'own'"
    ):
        dif.simulate(graph, ["a"], model=dif.Threshold(fraction="owm"), runs=1)


@pytest.mark.parametrize(
    "model",
    [dif.Threshold(fraction=0.2), dif.Threshold(count=2, noise=0.05), dif.Threshold(count=5, noise=0.3)],
    ids=lambda m: m.label,
)
@pytest.mark.parametrize("parallel", ["collapse", "keep"])
def test_twin_on_200_nodes(model, parallel):
    graph = random_graph(200, 900, rng=3, parallel=parallel)
    engine = prepare(graph, model, graph.nodes[[2, 9, 30, 77, 78]], 4242)
    new = engine.run(0, 1030, threads=2).new[..., 0]
    for run in (0, 1, 511, 512, 1029):
        assert_same_run(engine, new[run], run)
    assert new[0].sum() > 10


@given(graphs(n=9, max_rows=30), st.sampled_from(["0.1", "0.2", "0.25", "1/3", "0.4", "0.5", "0.6", "1"]), st.data())
def test_final_set_is_that_of_brute_force(graph, phi, draw):
    seeds = draw.draw(seed_sets(graph))
    followed: dict[int, list[int]] = {}
    for (u, v), c in zip(
        internal_arcs(graph), np.broadcast_to(graph.csr.multiplicity, graph.n_edges).tolist(), strict=True
    ):
        followed.setdefault(v, []).extend([u] * c)
    want = naive.watts(graph.n_nodes, followed, Fraction(phi), graph.index.internal(seeds).tolist())
    cascade = dif.threshold_cascade(graph, seeds, fraction=float(Fraction(phi)))
    assert set(graph.index.internal(cascade.nodes).tolist()) == want


# -- the number that is needed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "degree", "needed"),
    [(0.4, 5, 2), (0.3, 10, 3), (0.1, 3, 1), (0.1, 30, 3), (0.7, 10, 7), (0.18, 5, 1), (0.18, 6, 2), (0.18, 50, 9),
     (0.29, 100, 29), (0.57, 100, 57), (1.0, 7, 7), (1e-9, 4, 1), (1 / 3, 3, 1), (2 / 3, 3, 2),
     (0.07, 100, 7), (0.55, 100, 55), (0.14, 50, 7),
     (0.35, 20, 7), (0.5, 3, 2)],
)  # fmt: skip
def test_needed_neighbours(phi, degree, needed):
    assert dif.Threshold(fraction=phi).need(np.array([degree])).tolist() == [needed]


@given(st.integers(1, 1000), st.integers(1, 100_000))
def test_needed_neighbours_are_exact_for_decimals(thousandths, degree):
    phi = Fraction(thousandths, 1000)
    want = max(math.ceil(phi * degree), 1)
    assert dif.Threshold(fraction=thousandths / 1000).need(np.array([degree])).tolist() == [want]


def test_needed_neighbours_of_every_share_in_thousandths():
    degree = np.arange(1, 401)
    for thousandths in range(1, 1001):
        want = np.maximum(-(-thousandths * degree // 1000), 1)
        assert np.array_equal(dif.Threshold(fraction=thousandths / 1000).need(degree), want), thousandths


def test_who_follows_nobody_or_too_few_never_adopts():
    need = dif.Threshold(count=3).need(np.array([0, 1, 2, 3, 9]))
    assert need.tolist() == [0, 0, 0, 3, 3]
    assert dif.Threshold(fraction=0.01).need(np.array([0, 1])).tolist() == [0, 1]
    assert dif.Threshold(count=2**40).need(np.array([5])).tolist() == [0]
    graph = FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True)
    assert dif.simulate(graph, [1], model=dif.Threshold(fraction=0.01), runs=2).sizes.tolist() == [1, 1]


# -- rings and small graphs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [7, 8, 20, 101, 1000])
def test_ring_lattice_fills_at_one_node_a_side(n):
    """Centola and Macy 2007: k = 4, threshold 2, two neighbouring seeds: one more node on each side at every step.

    ceil((n - 2) / 2) steps for even n. For odd n the last node has one active neighbour in each front a step earlier,
    so it joins with the pair before it: floor((n - 2) / 2).
    """
    graph = FollowerGraph.from_networkx(nx.watts_strogatz_graph(n, 4, 0))
    cascade = dif.threshold_cascade(graph, [0, 1], count=2)
    assert cascade.size == n
    assert cascade.depth == (n - 2) // 2
    assert cascade.breadth_by_step.tolist()[:-1] == [2] * cascade.depth
    assert dif.threshold_cascade(graph, [0, n // 2], count=2).size == (2 if n > 8 else n)
    assert dif.threshold_cascade(graph, [0, 1], fraction=0.5).step.tolist() == cascade.step.tolist()
    assert dif.threshold_cascade(graph, [0, 1], fraction=0.51).size == 2


def test_threshold_one_is_breadth_first_search():
    graph = random_graph(150, 400, rng=5)
    found = dif.threshold_cascade(graph, [3], count=1)
    want = nx.single_source_shortest_path_length(graph.to_networkx(), 3)
    assert dict(zip(found.nodes.tolist(), found.step.tolist(), strict=True)) == want


def test_parallel_arcs_count():
    rows = [(0, 2), (0, 2), (1, 2), (3, 2)]
    u, v = zip(*rows, strict=True)
    keep = FollowerGraph.from_arrays(u, v, edges_mean="influences", directed=True, parallel="keep")
    once = FollowerGraph.from_arrays(u, v, edges_mean="influences", directed=True)
    for graph, half, two in [(keep, 2, 2), (once, 1, 1)]:
        assert dif.threshold_cascade(graph, [0], fraction=0.5).size == half
        assert dif.threshold_cascade(graph, [0], count=2).size == two


# -- noise and runs ----------------------------------------------------------------------------------------------------


def test_noise_alone_is_an_independent_cascade_in_distribution():
    graph = random_graph(40, 120, rng=5)
    threshold = dif.simulate(graph, [0, 1], model=dif.Threshold(count=1000, noise=0.2), runs=4000, rng=1).mean()
    cascade = dif.simulate(graph.with_probabilities("constant", p=0.2), [0, 1], runs=40_000, rng=1).mean()
    assert abs(threshold.mean - cascade.mean) < 4 * math.hypot(threshold.se, cascade.se)
    assert threshold.se > 0


def test_noise_breaks_the_ring_that_two_distant_seeds_cannot():
    graph = FollowerGraph.from_networkx(nx.watts_strogatz_graph(60, 4, 0))
    assert dif.threshold_cascade(graph, [0, 30], count=2).size == 2
    ens = dif.simulate(graph, [0, 30], model=dif.Threshold(count=2, noise=0.2), runs=200, rng=1)
    assert ens.mean().mean > 30


def test_full_noise_is_threshold_one():
    graph = random_graph(60, 200, rng=5)
    a = dif.simulate(graph, [0], model=dif.Threshold(count=3, noise=1.0), runs=3, rng=1)
    b = dif.simulate(graph, [0], model=dif.Threshold(count=1), runs=3, rng=1)
    assert np.array_equal(a.new_by_step, b.new_by_step)


def test_without_noise_every_run_is_computed_once():
    graph = random_graph(100, 400, rng=5)
    ens = dif.simulate(graph, [0, 1, 2], model=dif.Threshold(fraction=0.2), runs=10**6, rng=1)
    assert ens.runs == 10**6
    assert ens.new_by_step.strides[0] == 0
    assert set(ens.activation_probability.tolist()) <= {0.0, 1.0}
    assert ens.mean().stopped_by == "deterministic"
    assert ens.mean().low == ens.mean().high == ens.sizes[0]
    assert ens.replay(77).breadth_by_step.tolist() == ens.new_by_step[0].tolist()
    estimate = dif.spread(graph, [0, 1, 2], model=dif.Threshold(fraction=0.2))
    assert (estimate.mean, estimate.se, estimate.stopped_by) == (ens.sizes[0], 0.0, "deterministic")


@given(graphs(n=9, max_rows=30), st.data())
@settings(max_examples=25)
def test_more_seeds_or_a_lower_threshold_never_reach_less(graph, draw):
    small = draw.draw(seed_sets(graph))
    large = small + draw.draw(seed_sets(graph))
    low, high = sorted((draw.draw(st.floats(0.01, 1)), draw.draw(st.floats(0.01, 1))))
    reach = lambda seeds, phi: set(dif.threshold_cascade(graph, seeds, fraction=phi).nodes)  # noqa: E731
    assert reach(small, high) <= reach(large, high)
    assert reach(small, high) <= reach(small, low)


def test_thresholds_need_no_probabilities():
    graph = random_graph(20, 40, rng=1)
    assert graph.probabilities is None
    a = dif.threshold_cascade(graph, [0], count=1)
    b = dif.threshold_cascade(graph.with_probabilities("constant", p=0.1), [0], count=1)
    assert a.nodes.tolist() == b.nodes.tolist()


@pytest.mark.parametrize(
    ("mixing", "low", "high"),
    [(0.20, 0.50, 0.54), (0.21, 0.99, 1), (0.25, 0.99, 1), (0.30, 0.99, 1), (0.32, 0.19, 0.22)],
)
def test_the_window_of_optimal_modularity_at_full_size(mixing, low, high):
    """Nematzadeh et al. (2014): theta = .4, z = 20, all of the 17 % seeds in one of two communities of 65,528 nodes."""
    graph = dif.graph.generate_two_communities(131_056, mean_degree=20, mixing=mixing, rng=11)
    side = graph.node_data["community"]
    seeds = np.random.default_rng(11).choice(graph.nodes[side == side.iloc[0]], round(0.17 * 131_056), replace=False)
    share = dif.simulate(graph, seeds, model=dif.Threshold(fraction=0.4), runs=1).sizes[0] / 131_056
    assert low <= share <= high
