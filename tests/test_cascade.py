"""Live-edge kernels against their naive twins under the same coins, and what must not change a run."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    KEYS,
    ic_graphs,
    internal_arcs,
    internal_values,
    lt_graphs,
    random_graph,
    seed_sets,
    with_arc_values,
)

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError
from diffusion.kernels.arcs import Block, Weighing
from diffusion.kernels.cascade import run_batch
from diffusion.kernels.lanes import Lanes
from diffusion.models import cascade, program, threshold
from diffusion.models.program import NO_WEIGHTS
from diffusion.simulation import runner
from diffusion.simulation.runner import Runner, prepare

MODELS = ["ic", "lt"]


def twin(graph: FollowerGraph, model: str, seeds: Any, key: int, run: int) -> naive.NaiveRun:
    arcs, p = internal_arcs(graph), internal_values(graph)
    start = [int(v) for v in graph.index.internal(list(dict.fromkeys(seeds)))]
    if model == "ic":
        return naive.ic_run(arcs, p, start, key, run)
    return naive.lt_run(graph.n_nodes, arcs, p, start, key, run)


def levels(row: np.ndarray) -> list[int]:
    return np.trim_zeros(row, "b").tolist()


def assert_same_run(engine: Runner, row: np.ndarray, run: int) -> naive.NaiveRun:
    """Levels of the lanes, and nodes, steps and parents of the replay, are those of the twin."""
    want = twin(engine.graph, engine.model.name.lower(), engine.seeds, int(engine.key), run)
    assert levels(row) == want.levels
    trace = engine.replay(run)
    nodes, step, parent = (found.tolist() for found in (trace.nodes, trace.steps, trace.parents))
    assert dict(zip(nodes, step, strict=True)) == want.step
    assert {v: None if at < 0 else nodes[at] for v, at in zip(nodes, parent, strict=True)} == want.parent
    assert step == sorted(step)
    return want


# -- exactly the twin --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@given(draw=st.data())
@settings(max_examples=40)
def test_twin_on_small_graphs(model, draw):
    graph = draw.draw((ic_graphs if model == "ic" else lt_graphs)())
    seeds, key = draw.draw(seed_sets(graph)), draw.draw(KEYS)
    engine = prepare(graph, model, seeds, key)
    first = 512 * draw.draw(st.integers(0, 300))
    runs = draw.draw(st.sampled_from([1, 3, 40, 64, 65, 130]))
    found = engine.run(first, first + runs, threads=1)
    assert found.new.shape[0] == runs
    total = np.zeros(graph.n_nodes, int)
    for run in range(runs):
        total[list(assert_same_run(engine, found.new[run, :, 0], first + run).step)] += 1
    assert found.node_counts[:, 0].tolist() == total.tolist()
    if runs == 1:  # more of them share their visits
        assert found.visits == np.diff(graph.csr.indptr)[total > 0].sum()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["directed", "undirected", "multigraph"])
def test_twin_on_200_nodes(model, kind):
    graph = random_graph(
        200, 700, rng=3, directed=kind == "directed", parallel="keep" if kind == "multigraph" else "collapse"
    )
    if model == "ic":
        graph = with_arc_values(graph, np.random.default_rng(4).random(graph.n_edges) ** 3, "column")
    else:
        graph = graph.with_probabilities("weighted_cascade")
    engine = prepare(graph, model, graph.nodes[[3, 50, 120]], 2**63 + 12345)
    new = engine.run(0, 1100, threads=2).new[..., 0]
    sizes = {assert_same_run(engine, new[run], run).levels.__len__() for run in [*range(8), 511, 512, 513, 1023, 1099]}
    assert max(sizes) > 3


@pytest.mark.parametrize("model", MODELS)
def test_every_lane_of_a_batch(model):
    graph = random_graph(12, 40, rng=8).with_probabilities("weighted_cascade")
    engine = prepare(graph, model, [0, 5], 99)
    found = engine.run(0, 512)
    new, counts = found.new[..., 0], found.node_counts[:, 0]
    total = np.zeros(graph.n_nodes, int)
    for run in range(512):
        want = twin(graph, model, [0, 5], 99, run)
        assert levels(new[run]) == want.levels
        total[list(want.step)] += 1
    assert counts.tolist() == total.tolist()


# -- what must not change a run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("words", range(1, 9))
def test_any_width_is_a_part_of_the_full_row(model, words):
    graph = random_graph(60, 220, rng=5).with_probabilities("weighted_cascade")
    engine = prepare(graph, model, [0, 7, 31], 1234)
    live, start = engine.program, engine.start
    n = graph.n_nodes

    def batch(first_word: int, words: int, lanes: int) -> tuple[np.ndarray, np.ndarray]:
        state = np.zeros(2 * n * words, np.uint64)
        flags, counts = np.zeros(n, np.uint8), np.zeros(n, np.int64)
        lanes_of_node = Lanes(state, np.empty(n * words, np.uint64), flags, np.empty((3, n), np.int32))
        block = Block(start.key, 3, first_word, words, lanes)
        new, _ = run_batch(live.arcs, start.for_kernel, block, lanes_of_node, counts, Weighing(NO_WEIGHTS, np.zeros(0)))
        assert not state.any()
        assert not flags.any()
        return new, counts

    full, _ = batch(0, 8, 512)
    for first in range(8 - words + 1):
        for lanes in (64 * words, 64 * words - 37):
            part, counts = batch(first, words, lanes)
            want = full[:, 64 * first : 64 * first + lanes]
            assert np.array_equal(part[:, :lanes], want[: len(part)])
            assert not want[len(part) :].any()
            assert not part[:, lanes:].any()
            assert counts.sum() == want.sum()


@pytest.mark.parametrize("model", MODELS)
def test_threads_chunks_and_length_change_nothing(model):
    graph = random_graph(150, 500, rng=6).with_probabilities("weighted_cascade")
    long = dif.simulate(graph, [0, 9], model=model, runs=3000, rng=7, threads=1)
    for threads in (2, 4):
        again = dif.simulate(graph, [0, 9], model=model, runs=3000, rng=7, threads=threads)
        assert np.array_equal(again.new_by_step, long.new_by_step)
        assert again.activation_probability.equals(long.activation_probability)
    for runs in (1, 64, 65, 128, 129, 192, 511, 512, 513, 1000, 2999):
        short = dif.simulate(graph, [0, 9], model=model, runs=runs, rng=7, threads=2)
        steps = short.new_by_step.shape[1]
        assert np.array_equal(short.new_by_step, long.new_by_step[:runs, :steps])
        assert not long.new_by_step[:runs, steps:].any()
    engine = prepare(graph, model, [0, 9], long.key)
    parts = [engine.run(a, b, threads=2) for a, b in [(0, 512), (512, 2048), (2048, 3000)]]
    assert [levels(row) for part in parts for row in part.new[..., 0]] == [levels(row) for row in long.new_by_step]
    assert np.array_equal(sum(part.node_counts for part in parts), long.node_counts)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("runs", [100, 700, 1300])
def test_narrow_rows_where_memory_is_short_change_nothing(model, runs, monkeypatch):
    graph = random_graph(150, 500, rng=6).with_probabilities("weighted_cascade")
    engine = prepare(graph, model, [0, 9], 77)
    want = engine.run(0, runs, threads=2)
    widths = set()
    for words in (4, 2, 1):
        monkeypatch.setattr(runner, "available_bytes", lambda w=words: engine.program.bytes_of_workspace(w) + 1)
        widths.add(runner.row_words(engine.program, runs))
        found = engine.run(0, runs, threads=2)
        new, counts, visits = found.new, found.node_counts, found.visits
        assert np.array_equal(new, want.new)
        assert np.array_equal(counts, want.node_counts)
        assert visits >= want.visits  # a narrower row meets an arc more than once
    assert widths == ({2, 1} if runs == 100 else {4, 2, 1})
    monkeypatch.setattr(runner, "available_bytes", lambda: 100)
    with pytest.raises(InputError, match=r"64 runs at once on 150 nodes need .* bytes of memory, and 100 may be used"):
        engine.run(0, runs)


@pytest.mark.parametrize("model", MODELS)
def test_order_and_repetition_of_seeds_change_nothing(model):
    graph = random_graph(80, 300, rng=6).with_probabilities("weighted_cascade")
    a = dif.simulate(graph, [3, 9, 40], model=model, runs=700, rng=7)
    b = dif.simulate(graph, [40, 3, 3, 9, 40], model=model, runs=700, rng=7)
    assert np.array_equal(a.new_by_step, b.new_by_step)
    assert b.seeds == (40, 3, 9)
    assert a.replay(3).to_pandas().equals(b.replay(3).to_pandas())


@pytest.mark.parametrize("model", [dif.IC(), dif.LT(), dif.Threshold(count=2, noise=0.2)], ids=lambda m: m.name)
def test_replay_is_that_run(model):
    graph = random_graph(90, 320, rng=11).with_probabilities("weighted_cascade")
    ens = dif.simulate(graph, [0, 4], model=model, runs=600, rng=12)
    longer = dif.simulate(graph, [0, 4], model=model, runs=1700, rng=12)
    counts = np.zeros(graph.n_nodes, int)
    for run in range(600):
        cascade = ens.replay(run)
        assert cascade.breadth_by_step.tolist() == levels(ens.new_by_step[run])
        counts[graph.nodes.get_indexer(cascade.nodes)] += 1
    assert (ens.activation_probability * 600).round().astype(int).tolist() == counts.tolist()
    for run in (600, 1023, 1024, 1699):
        assert ens.replay(run).breadth_by_step.tolist() == levels(longer.new_by_step[run])
    far = ens.replay(2**40 + 17)
    assert far.size >= 2
    assert far.provenance["run"] == 2**40 + 17


def test_replay_is_the_single_cascade():
    graph = random_graph(90, 320, rng=11).with_probabilities("weighted_cascade")
    for model, one in [("ic", dif.independent_cascade), ("lt", dif.linear_threshold)]:
        ens = dif.simulate(graph, [0, 4], model=model, runs=1, rng=12)
        assert one(graph, [0, 4], rng=12).to_pandas().equals(ens.replay(0).to_pandas())


@pytest.mark.parametrize("model", MODELS)
def test_parents_are_arcs_from_one_step_before(model):
    graph = random_graph(90, 500, rng=11).with_probabilities("weighted_cascade")
    arcs = set(map(tuple, graph.to_pandas()[["source", "target"]].to_numpy().tolist()))
    ens = dif.simulate(graph, [0, 4], model=model, runs=1, rng=12)
    seen = 0
    for run in range(60):
        cascade = ens.replay(run)
        for i, at in enumerate(cascade.parent.tolist()):
            if at >= 0:
                assert cascade.step[at] == cascade.step[i] - 1
                assert (cascade.nodes[at], cascade.nodes[i]) in arcs
                seen += 1
    assert seen > 200


def test_parent_is_drawn_fairly_among_arcs_that_fire_together():
    graph = FollowerGraph.from_arrays(
        [0, 0, 0, 1, 2, 3], [1, 2, 3, 4, 4, 4], edges_mean="influences", directed=True
    ).with_probabilities("constant", p=1.0)
    ens = dif.simulate(graph, [0], runs=1, rng=5)
    runs = 3000
    parents = np.zeros(5, int)
    for run in range(runs):
        cascade = ens.replay(run)
        parents[cascade.nodes[cascade.parent[cascade.nodes.tolist().index(4)]]] += 1
    assert parents[0] == parents[4] == 0
    assert np.abs(parents[1:4] - runs / 3).max() < 4 * np.sqrt(runs * 2 / 9)


# -- extremes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_no_seeds_and_isolated_nodes(model):
    graph = FollowerGraph.from_arrays(
        [0], [1], nodes=range(5), edges_mean="influences", directed=True
    ).with_probabilities("constant", p=1.0)
    none = dif.simulate(graph, [], model=model, runs=70, rng=1)
    assert none.new_by_step.shape == (70, 0)
    assert none.sizes.tolist() == [0] * 70 == none.depths.tolist()
    assert none.activation_probability.tolist() == [0.0] * 5
    assert none.replay(3).size == 0
    assert none.mean().mean == 0
    assert len(none.by_step()) == 0
    lone = dif.simulate(graph, [3, 4], model=model, runs=70, rng=1)
    assert lone.sizes.tolist() == [2] * 70
    assert lone.activation_probability.tolist() == [0, 0, 0, 1, 1]
    every = dif.simulate(graph, range(5), model=model, runs=70, rng=1)
    assert every.new_by_step.tolist() == [[5]] * 70


def test_a_graph_without_arcs():
    graph = FollowerGraph.from_arrays([], [], nodes=[1, 2], edges_mean="influences", directed=True)
    for rule in (
        {"rule": "constant", "p": 0.5},
        {"rule": "weighted_cascade"},
        {"rule": "lt"},
        {"rule": "trivalency", "rng": 1},
    ):
        for model in MODELS:
            ens = dif.simulate(graph.with_probabilities(**rule), [2], model=model, runs=5, rng=1)
            assert ens.sizes.tolist() == [1] * 5


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("runs", [1, 600])
def test_deep_paths(model, runs):
    """More steps than the first size of the count table, several times over."""
    n = 200
    graph = FollowerGraph.from_arrays(
        range(n - 1), range(1, n), edges_mean="influences", directed=True
    ).with_probabilities("constant", p=1.0)
    ens = dif.simulate(graph, [0], model=model, runs=runs, rng=1)
    assert np.array_equal(ens.new_by_step, np.ones((runs, n)))
    assert ens.replay(0).depth == n - 1
    assert ens.replay(0).parent.tolist() == list(range(-1, n - 1))


@pytest.mark.parametrize("leaves", [1, 63, 64, 255, 256, 5000])
@pytest.mark.parametrize("runs", [60, 100, 512])
def test_counters_carry(leaves, runs):
    graph = FollowerGraph.from_arrays(
        np.zeros(leaves, int), np.arange(1, leaves + 1), edges_mean="influences", directed=True
    ).with_probabilities("constant", p=1.0)
    ens = dif.simulate(graph, [0], runs=runs, rng=1)
    assert np.array_equal(ens.new_by_step, np.tile([1, leaves], (runs, 1)))
    assert (ens.activation_probability == 1).all()


def test_counters_with_lanes_of_different_counts():
    leaves = 3000
    graph = FollowerGraph.from_arrays(
        np.zeros(leaves, int), np.arange(1, leaves + 1), edges_mean="influences", directed=True
    ).with_probabilities("constant", p=0.5)
    ens = dif.simulate(graph, [0], runs=520, rng=1)
    for run in (0, 100, 511, 519):
        assert levels(ens.new_by_step[run]) == [1, ens.replay(run).size - 1]
    assert len(np.unique(ens.sizes)) > 50


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("runs", [1, 2, 3, 5, 66])
def test_few_runs_at_hubs(model, runs):
    """Rows of one to a few lanes at nodes with thousands of followers, and lanes that meet again at common targets."""
    n = 3000
    u = np.concatenate([np.zeros(n, int), np.full(n, 1), np.arange(2, n + 1)])
    v = np.concatenate([np.arange(2, n + 2), np.arange(2, n + 2), np.arange(3, n + 2)])
    draw = np.random.default_rng(4)
    weight = np.where(u < 2, draw.choice([0.0, 0.125, 0.25, 0.5], u.size), 0.0)
    weight[2 * n :] = np.where(weight[1:n] + weight[n + 1 : 2 * n] < 1, 0.0625, 0.0)
    graph = FollowerGraph.from_arrays(u, v, weight=weight, edges_mean="influences", directed=True)
    engine = prepare(graph.with_probabilities("column"), model, [0, 1], 77)
    found = engine.run(0, runs, threads=1)
    new, counts = found.new[..., 0], found.node_counts[:, 0]
    total = np.zeros(graph.n_nodes, int)
    for run in range(runs):
        trace = engine.replay(run)
        assert levels(new[run]) == np.bincount(trace.steps).tolist()
        total[trace.nodes] += 1
    assert counts.tolist() == total.tolist()
    want = twin(graph.with_probabilities("column"), model, [0, 1], 77, 0)
    assert levels(new[0]) == want.levels
    assert len(want.levels) > 2


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("p", [1e-6, 1e-4])
def test_small_probabilities(model, p):
    leaves = int(20 / p) if p > 1e-5 else 2_000_000
    graph = FollowerGraph.from_arrays(
        np.zeros(leaves, int), np.arange(1, leaves + 1), edges_mean="influences", directed=True
    ).with_probabilities("constant", p=p)
    runs = 512
    ens = dif.simulate(graph, [0], model=model, runs=runs, rng=5)
    for run in (0, 1, 300, 511):
        assert levels(ens.new_by_step[run]) == ens.replay(run).breadth_by_step.tolist()
    mean = leaves * round(p * 2**32) / 2**32
    assert abs((ens.sizes - 1).mean() - mean) < 4 * np.sqrt(mean / runs)


# -- coupling ----------------------------------------------------------------------------------------------------------


@given(draw=st.data())
@settings(max_examples=30)
def test_runs_grow_with_seeds_under_a_common_key(draw):
    model = draw.draw(st.sampled_from(MODELS))
    graph = draw.draw((ic_graphs if model == "ic" else lt_graphs)())
    small = draw.draw(seed_sets(graph))
    large = small + draw.draw(seed_sets(graph))
    key = draw.draw(st.integers(0, 2**32))
    a, b = (dif.simulate(graph, s, model=model, runs=100, rng=key) for s in (small, large))
    assert (a.sizes <= b.sizes).all()
    for run in (0, 50, 99):
        assert set(a.replay(run).nodes) <= set(b.replay(run).nodes)


@given(draw=st.data())
@settings(max_examples=30)
def test_runs_grow_with_probabilities_under_a_common_key(draw):
    graph = draw.draw(ic_graphs())
    p, q = sorted((draw.draw(st.floats(0, 1)), draw.draw(st.floats(0, 1))))
    seeds, key = draw.draw(seed_sets(graph)), draw.draw(st.integers(0, 2**32))
    a, b = (dif.simulate(graph.with_probabilities("constant", p=x), seeds, runs=100, rng=key) for x in (p, q))
    assert (a.sizes <= b.sizes).all()


def test_sizes_per_world_are_submodular():
    """Reach in one world is a coverage function: f(A) + f(B) >= f(A or B) + f(A and B), run by run."""
    graph = random_graph(60, 260, rng=2).with_probabilities("constant", p=0.3)
    size = {s: dif.simulate(graph, list(s), runs=512, rng=4).sizes for s in [(1, 2), (2, 3), (1, 2, 3), (2,)]}
    assert (size[1, 2] + size[2, 3] >= size[1, 2, 3] + size[2,]).all()
    assert (size[1, 2] + size[2, 3] > size[1, 2, 3] + size[2,]).any()


# -- one signature -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [*MODELS, dif.Threshold(count=2, noise=0.1), dif.SIPS(0.4)], ids=str)
def test_a_pickled_ensemble_replays_the_same_runs(model):
    graph = random_graph(60, 300, rng=5).with_probabilities("weighted_cascade")
    ensemble = dif.simulate(graph, [0, 9], model=model, runs=100, rng=7)
    again = pickle.loads(pickle.dumps(ensemble))
    assert [again.replay(run).size for run in range(100)] == ensemble.sizes.tolist()


def test_one_signature_a_kernel(tmp_path):
    """Whatever the graph came from, its arrays have one type, so that each kernel is compiled once."""
    rows = [(0, 1), (0, 1), (1, 2), (2, 0), (3, 3)]
    u, v = np.array(rows).T
    built = [
        FollowerGraph.from_arrays(u, v, edges_mean="influences", directed=True),
        FollowerGraph.from_arrays(u, v, edges_mean="follows", directed=True, parallel="keep"),
        FollowerGraph.from_arrays(u.tolist(), v.tolist(), directed=False),
        FollowerGraph.from_arrays(u.astype(str), v.astype(str), directed=False, parallel="keep"),
        FollowerGraph.from_arrays([], [], nodes=["0"], directed=False),
    ]
    kinds = []
    for graph in built:
        given = [graph.with_probabilities("constant", p=0.1), graph.with_probabilities("weighted_cascade")]
        for one in given:
            one.save(tmp_path / "g.arrow")
            kinds += [one, pickle.loads(pickle.dumps(one))]
            kinds += [FollowerGraph.load(tmp_path / "g.arrow", memory_map=mapped) for mapped in (True, False)]
    for graph in kinds:
        for model in ("ic", "lt", dif.Threshold(count=1), dif.Threshold(fraction=0.5, noise=0.1)):
            for runs in (1, 100, 600):
                ens = dif.simulate(graph, [graph.nodes[0]], model=model, runs=runs, rng=1)
                ens.replay(np.int64(2))
    pickle.loads(pickle.dumps(ens)).replay(3)
    modules = (cascade, threshold, program)
    kernels = [kernel for module in modules for kernel in vars(module).values() if hasattr(kernel, "signatures")]
    assert len(kernels) >= 3
    for kernel in kernels:
        assert len(kernel.signatures) <= 1, f"{kernel.__name__}: {kernel.signatures}"
    assert sum(len(kernel.signatures) for kernel in kernels) >= 3


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be replaced there")
def test_a_mapped_graph_survives_its_file_being_replaced(tmp_path):
    path = tmp_path / "g.arrow"
    graph = random_graph(50, 200, rng=1).with_probabilities("weighted_cascade")
    graph.save(path)
    mapped = FollowerGraph.load(path)
    random_graph(10, 20, rng=2).save(path)
    assert np.array_equal(
        dif.simulate(mapped, [0], runs=99, rng=1).new_by_step, dif.simulate(graph, [0], runs=99, rng=1).new_by_step
    )
