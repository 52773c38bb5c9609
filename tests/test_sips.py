"""SIPS: the kernels against their naive twin, the seven limits that are known, and the branching numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import naive_sips
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KEYS, PROBABILITIES, ic_graphs, internal_arcs, internal_values, random_graph, seed_sets

import diffusion as dif
from diffusion import SIPS, FollowerGraph
from diffusion.errors import DiffusionError, InputError, NotFoundError
from diffusion.kernels.sips import delay_of, poisson, stream_of
from diffusion.kernels.sips_feed import NOTES
from diffusion.models import Complex, Delay, Feed, Funnel
from diffusion.models.sips.parts import CES_WEIGHTS
from diffusion.simulation.runner import Runner, prepare

SE = 4


def members_of(graph: FollowerGraph) -> list[list[int]]:
    codes, names = pd.factorize(graph.node_data["community"].to_numpy())
    of = codes[graph.index.order]
    return [np.flatnonzero(of == g).tolist() for g in range(len(names))]


def tally_of(found: list[dict[Any, int]]) -> np.ndarray:
    whats = ["attended", "exposed", 1, 2, 3, 4]
    return np.array([[[step.get((c, w), 0) for w in whats] for c in ("follow", "feed")] for step in found])


def padded(a: np.ndarray, steps: int) -> np.ndarray:
    return np.pad(a, [(0, steps - a.shape[0])] + [(0, 0)] * (a.ndim - 1))


@st.composite
def campaigns(draw: st.DrawFn) -> tuple[FollowerGraph, SIPS]:
    """Graphs and models with every option of SIPS, on and off."""
    graph = draw(ic_graphs(n=7))
    graph = graph.with_node_data(community=[draw(st.integers(0, 1)) for _ in range(graph.n_nodes)])
    chance = st.sampled_from([0.5, 0.9, 1.0, 1.0]) | PROBABILITIES
    feed = None
    if draw(st.booleans()):
        feed = Feed(
            impressions=draw(st.sampled_from([0.0, 0.7, 2.0])),
            amplification=draw(st.sampled_from([0.0, 0.05, 0.3])),
            own_community=draw(st.sampled_from([0.0, 0.5, 1.0])),
            weights=draw(st.sampled_from([CES_WEIGHTS, {"sympathize": 1.5, "share": 2.0}])),
            cap=draw(st.sampled_from([1, 3, 40])),
        )
    delay = st.builds(
        Delay, st.sampled_from(["fixed", "exponential", "gamma"]), mean=st.sampled_from([1.0, 24.0]),
        shape=st.sampled_from([0.4, 1.0, 2.5]), bin=st.sampled_from([None, 0.5, 30.0]),
    )  # fmt: skip
    return graph, SIPS(
        draw(st.sampled_from([None, 0.4, 1.0])),
        Funnel(*[draw(chance) for _ in range(4)]),
        feed,
        draw(st.sampled_from(["simple", Complex(1), Complex(2), Complex(3)])),
        draw(st.booleans()),
        draw(st.none() | delay),
    )


def twin_run(engine: Runner, run: int) -> naive_sips.NaiveCampaign:
    graph, model = engine.graph, engine.model
    feed, delay = model.feed or Feed(), model.delay
    p = internal_values(graph) if model.attention is None else [float(np.float32(model.attention))] * graph.n_edges
    return naive_sips.sips_run(
        graph.n_nodes, internal_arcs(graph), p, [int(v) for v in engine.start.seeds], int(engine.key), run,
        funnel=model.funnel.values, theta=model.identify.theta if isinstance(model.identify, Complex) else None,
        redraw=model.redraw, m0=feed.impressions, gain=feed.amplification, own=feed.own_community, cap=feed.cap,
        weights=[feed.weights.get(name, 0.0) for name in ("sympathize", "identify", "participate", "share")],
        members=members_of(graph) if feed.own_community else (),
        delay=None if delay is None else (delay.kind, delay.mean, delay.shape, delay.width),
    )  # fmt: skip


def assert_same_story(engine: Runner, want: naive_sips.NaiveCampaign, run: int) -> None:
    """Who was met, when, by whom, through what, how far they came and when: all as in the twin."""
    trace = engine.replay(run)
    steps, hours = trace.details["stage_step"], trace.details["hours"]
    lists = trace.nodes, trace.steps, trace.parents, trace.details["channel"], trace.details["stage"]
    node, step, parent, channel, stage = (values.tolist() for values in lists)
    assert set(node) == set(want.users)
    for i, v in enumerate(node):
        user = want.users[v]
        assert (step[i], stage[i]) == (user.step, user.stage)
        assert ("follow", "feed", "seed")[channel[i]] == user.channel
        assert (node[parent[i]] if parent[i] >= 0 else None) == user.parent
        assert {k: s for k, s in enumerate(steps[:, i].tolist()) if s >= 0} == user.steps
        if engine.model.delay is not None:
            assert hours[i] == pytest.approx(user.hours)


def assert_same_runs(engine: Runner, first: int, last: int, words: int) -> list[naive_sips.NaiveCampaign]:
    """Every run of one kernel call (one run at a time where `words` is 0, else lanes), and its sums, against the twin."""
    space = engine.program.workspace(words)
    found = engine.program.run(engine.start, first, last, space)
    wanted = [twin_run(engine, run) for run in range(first, last)]
    steps = max(found.details["tally"].shape[1], *(len(want.tally) for want in wanted))
    for tally, want in zip(found.details["tally"], wanted, strict=True):
        np.testing.assert_array_equal(padded(tally, steps), padded(tally_of(want.tally), steps))
    stages = np.zeros((engine.graph.n_nodes, 5), int)
    for want in wanted:
        for v, user in want.users.items():
            stages[v, : user.stage + 1] += 1
    np.testing.assert_array_equal(space.node_counts, stages)
    assert found.totals["capped"] == sum(want.capped for want in wanted)
    if not words:
        assert found.visits == sum(want.visits for want in wanted)
        for run, want in enumerate(wanted, first):
            assert_same_story(engine, want, run)
    else:  # clean for the next call
        assert not space.lanes.state.any()
        assert not space.lanes.flags.any()
        assert not space.sharers.marks.any()
        assert not space.sharers.note_of.any()
    return wanted


@settings(max_examples=80)
@given(campaigns(), st.data(), KEYS, st.integers(0, 300))
def test_twin(campaign, data, key, batch):
    """One run at a time, whatever the options; and a width of lanes, where they take the model."""
    graph, model = campaign
    engine = prepare(graph, model, data.draw(seed_sets(graph)), key)
    first = 512 * batch + data.draw(st.sampled_from([0, 1, 64, 500]))
    assert_same_runs(engine, first, first + 6, 0)


@settings(max_examples=40)
@given(campaigns(), st.data(), KEYS, st.integers(0, 300))
def test_twin_of_lanes(campaign, data, key, batch):
    graph, model = campaign
    model = replace(model, redraw=False, delay=None)
    engine = prepare(graph, model, data.draw(seed_sets(graph)), key)
    assert engine.program.lanes
    words, word = data.draw(st.sampled_from([(1, 0), (1, 5), (2, 2), (8, 0)]))
    first = 512 * batch + 64 * word
    assert_same_runs(engine, first, first + data.draw(st.sampled_from([1, 5, 40, 64 * min(words, 2)])), words)


@pytest.mark.parametrize("options", [
    {}, {"identify": Complex(2)}, {"redraw": True}, {"identify": Complex(2), "redraw": True},
    {"delay": Delay("gamma", mean=10.0, shape=0.5, bin=4.0), "identify": Complex(2)},
], ids=str)  # fmt: skip
def test_twin_where_everything_is_on(options):
    """Attention of the graph, an own community, engagement, a cap, users met through both channels; on a graph of size."""
    graph = random_graph(60, 500, rng=3, parallel="keep").with_probabilities("weighted_cascade")
    graph = graph.with_node_data(community=["ab"[v % 2] for v in graph.nodes])
    funnel, feed = Funnel(0.9, 0.8, 0.9, 0.7), Feed(impressions=4.0, amplification=0.3, own_community=0.7, cap=12)
    engine = prepare(graph, SIPS(None, funnel, feed, **options), [0, 1, 2], 77)
    runs = assert_same_runs(engine, 509, 521, 0)
    if engine.program.lanes:
        runs += assert_same_runs(engine, 512, 534, 1)
    assert sum(user.both for want in runs for user in want.users.values()) > 10
    assert sum(want.capped for want in runs) > 3
    assert {user.channel for want in runs for user in want.users.values()} == {"seed", "follow", "feed"}


@pytest.mark.parametrize("redraw", [False, True])
def test_a_sharer_met_through_both_channels_is_one_sharer(redraw):
    """0 is followed by 1, 2 and 3 and shown to its community, which is the same four, many times over."""
    graph = FollowerGraph.from_arrays([0, 0, 0], [1, 2, 3], edges_mean="influences", directed=True)
    graph = graph.with_node_data(community=[0, 0, 0, 0])
    model = SIPS(1.0, feed=Feed(impressions=20, own_community=1.0), identify=Complex(2), redraw=redraw)
    ens = dif.simulate(graph, [0], model=model, runs=100, rng=1)
    assert ens.sizes.tolist() == [4] * 100
    assert ens.tally[:, 1, 1, 0].mean() > 15  # the feed showed it too
    assert ens.sharers.tolist() == [1] * 100


@pytest.mark.parametrize("theta", [2, 3])
@pytest.mark.parametrize("delay", [None, Delay("fixed", mean=2.0)], ids=str)
def test_distinct_sharers_are_counted_over_channels_and_steps(theta, delay):
    """6 meets 0 through follow and feed at once, and `theta` - 2 others later: one sharer too few, if 0 counts once.

    0 and 6 are a community, all others are alone; 4 and 5 follow the `theta` creators, and 7 follows `theta` sharers.
    """
    crowd = range(theta)
    arcs = [(u, v) for u in crowd for v in (4, 5)] + [(0, 6), (0, 7), (4, 7)] + [(5, v) for v in (6, 7) if theta == 3]
    graph = FollowerGraph.from_arrays(*zip(*arcs, strict=True), edges_mean="influences", directed=True, nodes=range(8))
    graph = graph.with_node_data(community=[0 if v == 6 else v for v in range(8)])
    feed = Feed(impressions=20, amplification=0.01, own_community=1.0)
    engine = prepare(graph, SIPS(1.0, feed=feed, identify=Complex(theta), delay=delay), crowd, 5)
    met_twice = int(graph.index.internal([6])[0])
    for run, want in enumerate(assert_same_runs(engine, 0, 12, 0)):
        assert want.users[met_twice].both
        trace = engine.replay(run)
        assert set(graph.index.labels_of(trace.nodes[trace.details["stage"] == 4]).tolist()) == {*crowd, 4, 5, 7}


def test_threads_and_chunks_agree_on_a_graph_of_size():
    graph = dif.generate_platform(3000, communities=4, rng=1)
    model = SIPS(0.3, Funnel(0.8, 0.7, 0.9, 0.6), Feed(impressions=1.5, amplification=0.05, own_community=0.3))
    one, two = (dif.simulate(graph, [0, 1, 2], model=model, runs=1100, rng=9, threads=t) for t in (1, 2))
    np.testing.assert_array_equal(one.tally, two.tally)
    np.testing.assert_array_equal(one.node_counts, two.node_counts)
    shorter = dif.simulate(graph, [0, 1, 2], model=model, runs=100, rng=9)
    steps = shorter.tally.shape[1]
    np.testing.assert_array_equal(one.tally[:100, :steps], shorter.tally)
    assert one.sizes.sum() == one.node_counts[:, 0].sum()
    assert one.replay(700).size == one.sizes[700]
    assert one.replay(700).n_sharers == one.sharers[700]


@pytest.mark.parametrize("theta", [0, 2, 3, 5, 7])
@pytest.mark.parametrize("amplification", [0.0, 0.08])
def test_lanes_are_the_runs_one_by_one(theta, amplification):
    """More users than one block of the feed has, blocks that fill up, and enough exposures for a table of stages."""
    rows, seeds = (20_000, 600) if theta <= 3 else (60_000, 1200)
    graph = random_graph(4500, rows, rng=1)
    graph = graph.with_node_data(community=np.arange(graph.n_nodes) % 3)
    feed = Feed(impressions=3.0, amplification=amplification, own_community=0.3)
    identify = Complex(theta) if theta else "simple"
    engine = prepare(graph, SIPS(0.9, Funnel(0.9, 0.8, 0.9, 0.8), feed, identify), graph.nodes[:seeds], 5)
    assert engine.program.lanes
    lanes, alone = (engine.program.workspace(words) for words in (8, 0))
    found = engine.program.run(engine.start, 512, 1024, lanes)
    for first in (512, 1000):
        want = engine.program.run(engine.start, first, first + 8, alone)
        steps = want.details["tally"].shape[1]
        tally = found.details["tally"][first - 512 : first - 504]
        np.testing.assert_array_equal(tally[:, :steps], want.details["tally"])
        assert not tally[:, steps:].any()
    one = engine.program.run(engine.start, 512, 576, engine.program.workspace(1))
    np.testing.assert_array_equal(found.details["tally"][:64, : one.new.shape[1]], one.details["tally"])
    assert found.details["tally"][:, :, 1, 0].sum() > 16 * graph.n_nodes
    assert (found.details["tally"][..., 3].sum(axis=(1, 2)) > 100).all()  # who identifies, in every run
    assert found.new[:, :, 0].sum() == lanes.node_counts[:, 0].sum()
    np.testing.assert_array_equal(
        found.details["tally"][..., 2:].sum(axis=(0, 1, 2)) + seeds * 512, lanes.node_counts[:, 1:].sum(axis=0)
    )


def test_more_notes_at_one_step_than_are_sorted_at_once():
    graph = random_graph(4400, 10_000, rng=1)
    model = SIPS(0.5, Funnel(0.9, 0.8, 0.9, 0.8), Feed(impressions=0.2, amplification=0.05))
    engine = prepare(graph, model, graph.nodes[:4300], 5)
    assert NOTES < 4300 * 512
    found = engine.program.run(engine.start, 0, 512, engine.program.workspace(8)).details["tally"]
    for run in (0, 301, 511):
        want = engine.program.run(engine.start, run, run + 1, engine.program.workspace(0)).details["tally"]
        np.testing.assert_array_equal(found[run, : want.shape[1]], want[0])


@pytest.mark.parametrize("identify", ["simple", Complex(2)])
def test_answers_of_a_feed_with_a_mean_beyond_the_tables(identify):
    graph = random_graph(30, 120, rng=2)
    feed = Feed(impressions=2.0, amplification=2.0, weights={"participate": 0.01, "share": 300.0}, cap=650)
    engine = prepare(graph, SIPS(0.5, Funnel(0.9, 0.8, 0.9, 0.3), feed, identify), [0, 1], 7)
    for words in (0, 1):
        runs = assert_same_runs(engine, 512, 540, words)
    shown = [step.get(("feed", "attended"), 0) for want in runs for step in want.tally]
    assert max(shown) > 500
    assert (
        0 < sum(want.capped for want in runs) < sum(users.stage == 4 for want in runs for users in want.users.values())
    )


# -- the seven limits ------------------------------------------------------------------------------------------------


@given(ic_graphs(), st.data(), KEYS, st.booleans())
def test_limit_1_without_funnel_and_feed_it_is_the_independent_cascade(graph, data, key, complex_):
    seeds = data.draw(seed_sets(graph))
    model = SIPS(identify=Complex(1) if complex_ else "simple")
    rng = np.random.default_rng(key % 2**32)
    state = rng.bit_generator.state
    ours = dif.simulate(graph, seeds, model=model, runs=70, rng=rng)
    rng.bit_generator.state = state
    ic = dif.simulate(graph, seeds, model="ic", runs=70, rng=rng)
    steps = max(ours.new_by_step.shape[1], ic.new_by_step.shape[1])
    for found in (ours.new_by_step, ours.sharers_by_step):
        np.testing.assert_array_equal(padded(found.T, steps), padded(ic.new_by_step.T, steps))
    mine, theirs = ours.replay(3), ic.replay(3)
    assert mine.nodes.tolist() == theirs.nodes.tolist()
    assert mine.parent.tolist() == theirs.parent.tolist()


def test_limit_2_full_attention_is_site_percolation():
    graph = random_graph(9, 20, rng=4)
    arcs = internal_arcs(graph)
    rho, funnel = 0.42, Funnel(0.7, 0.75, 0.8, 1.0)
    start = int(graph.index.internal([0])[0])
    exact = 0.0
    for world in range(2**9):  # every set of users who would share
        share = {v for v in range(9) if world >> v & 1} | {start}
        seen, todo = {start}, [start]
        while todo:
            u = todo.pop()
            for a, b in arcs:
                if a == u and b not in seen:
                    seen.add(b)
                    if b in share:
                        todo.append(b)
        weight = math.prod(rho if world >> v & 1 else 1 - rho for v in range(9) if v != start) / 2
        exact += weight * len(seen)
    found = dif.spread(graph, [0], model=SIPS(1.0, funnel), runs=40_000, rng=3)
    assert abs(found.mean - exact) < SE * found.se
    assert funnel.rho == pytest.approx(rho)


def test_limit_3_the_feed_alone_is_a_branching_process_on_any_graph():
    m, funnel = 2.0, Funnel(0.8, 0.9, 0.5, 1.0)
    mean = m * funnel.rho  # R
    sizes = []
    for graph in (random_graph(200_000, 50_000, rng=1), random_graph(200_000, 400_000, rng=2)):
        sizes.append(dif.simulate(graph, [0], model=SIPS(0.0, funnel, Feed(impressions=m)), runs=4096, rng=5).sharers)
    np.testing.assert_array_equal(*sizes)  # users are numbered otherwise, draws of the feed are not by user
    total = np.concatenate(sizes[:1])
    assert abs(total.mean() - 1 / (1 - mean)) < SE * total.std() / math.sqrt(total.size)
    for k in (1, 2, 3, 5):  # Borel distribution of the total progeny
        borel = math.exp(-mean * k) * (mean * k) ** (k - 1) / math.factorial(k)
        se = math.sqrt(borel * (1 - borel) / total.size)
        assert abs((total == k).mean() - borel) < SE * se


@pytest.mark.parametrize("theta", [1, 2, 3])
def test_limit_4_complex_identification_is_a_threshold_model(theta):
    graph = random_graph(400, 3000, rng=theta)
    seeds = list(range(12))
    ours = dif.simulate(graph, seeds, model=SIPS(1.0, identify=Complex(theta)), runs=3, rng=1)
    threshold = dif.simulate(graph, seeds, model=dif.Threshold(count=theta), runs=1, rng=1)
    steps = max(ours.sharers_by_step.shape[1], threshold.new_by_step.shape[1])
    for run in range(3):
        np.testing.assert_array_equal(padded(ours.sharers_by_step[run], steps), padded(threshold.new_by_step[0], steps))
    assert threshold.sizes[0] > len(seeds)


def test_limit_5_a_feed_of_the_own_community_leaves_none():
    graph = dif.generate_platform(2000, communities=5, rng=2)
    seed = graph.nodes[0]
    home = graph.node_data["community"][seed]
    ens = dif.simulate(
        graph, [seed], model=SIPS(0.0, Funnel(share=0.5), Feed(impressions=4, own_community=1.0)), runs=100, rng=1
    )
    reached = ens.activation_probability[ens.activation_probability > 0].index
    assert len(reached) > 100
    assert (graph.node_data["community"][reached] == home).all()
    crossing = dif.simulate(
        graph, [seed], model=SIPS(0.0, Funnel(share=0.5), Feed(impressions=4, own_community=0.5)), runs=100, rng=1
    )
    assert graph.node_data["community"][crossing.activation_probability > 0].nunique() == 5


def test_limit_6_without_shares_it_is_a_broadcast():
    graph = dif.generate_platform(1000, rng=2)
    ens = dif.simulate(graph, [0, 1], model=SIPS(0.4, Funnel(share=0.0), Feed(impressions=3)), runs=200, rng=1)
    assert ens.depths.max() == 1
    assert (ens.sharers == 2).all()
    assert ens.replay(0).depth == 1


@given(ic_graphs(), st.data(), KEYS)
def test_limit_7_one_sharer_is_enough(graph, data, key):
    seeds = data.draw(seed_sets(graph))
    funnel = Funnel(0.8, 1.0, 0.7, 0.9)
    rows = [
        prepare(graph, SIPS(None, funnel, Feed(impressions=0.8), identify), seeds, key).run(0, 70).details["tally"]
        for identify in ("simple", Complex(1))
    ]
    np.testing.assert_array_equal(*rows)


# -- branching ---------------------------------------------------------------------------------------------------------


def heavy_graph(n: int, rng: int) -> FollowerGraph:
    """Directed Chung-Lu graph with mean 8 and correlated in- and out-degrees."""
    draw = np.random.default_rng(rng)
    weight = np.minimum((1 - draw.random(n)) ** (-1 / 2.5), 60)
    ends = [np.searchsorted(np.cumsum(weight / weight.sum()), draw.random(8 * n)) for _ in range(2)]
    return FollowerGraph.from_arrays(
        *np.minimum(ends, n - 1), nodes=range(n), directed=True, edges_mean="influences", parallel="collapse"
    )


@pytest.mark.parametrize(("a", "rho", "m"), [(0.2, 0.1, 3.0), (0.2, 0.2, 1.0), (0.1, 0.1, 5.0)])
def test_mean_sharers_below_the_threshold(a, rho, m):
    """Section 6's closed form; 256 uniformly random creators, each with 64 runs, are the units of the error."""
    graph = heavy_graph(100_000, 1)
    k, j = graph.out_degree.to_numpy(), graph.in_degree.to_numpy()
    mean, kappa = k.mean(), (k * j).mean() / j.mean()
    A, B, C = a * rho * kappa, a * rho * mean, m * rho
    R = ((A + C) + math.sqrt((A - C) ** 2 + 4 * B * C)) / 2
    assert R < 1
    matrix = np.array([[A, B], [C, C]])
    predicted = np.linalg.solve(np.eye(2) - matrix, [0.0, 1.0]).sum()
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(R)
    seeds = np.random.default_rng(5).integers(0, graph.n_nodes, 256)
    model = SIPS(a, Funnel(share=rho), Feed(impressions=m))
    means = [
        prepare(graph, model, [s], i).run(0, 64).details["tally"][..., 5].sum() / 64 + 1 for i, s in enumerate(seeds)
    ]
    assert abs(np.mean(means) - predicted) < SE * np.std(means) / 16


def test_amplified_feed_shows_notes_as_often_as_the_closed_form_says():
    graph = FollowerGraph.from_arrays(
        np.zeros(50, int), np.arange(1, 51), nodes=range(5000), directed=True, edges_mean="influences"
    )
    funnel, feed = Funnel(0.5, 0.5, 0.4, 0.0), Feed(impressions=3.0, amplification=0.4)
    c = 0.5 * 1 + 0.25 * 1 + 0.1 * 4
    assert feed.score(funnel) == pytest.approx(c)
    ens = dif.simulate(graph, [0], model=SIPS(0.3, funnel, feed), runs=8192, rng=2)
    shown = ens.tally[:, :, 1, 0].sum(axis=1)
    want = (3.0 + 0.4 * c * 0.3 * 50) / (1 - 0.4 * c)
    assert feed.exposures(funnel, 0.3, 50) == pytest.approx(want)
    assert abs(shown.mean() - want) < SE * shown.std() / math.sqrt(shown.size)


def test_redrawn_funnels_are_the_independent_cascade_of_a_rho():
    graph = random_graph(60, 400, rng=3)
    funnel = Funnel(0.5, 1.0, 0.8, 0.5)
    ens = dif.simulate(graph, [0, 1], model=SIPS(0.6, funnel, redraw=True), runs=20_000, rng=4)
    ic = dif.spread(graph.with_probabilities("constant", p=0.6 * funnel.rho), [0, 1], runs=20_000, rng=5)
    gap = ens.sharers.mean() - ic.mean
    assert abs(gap) < SE * math.hypot(ens.sharers.std() / math.sqrt(20_000), ic.se)
    once = dif.simulate(graph, [0, 1], model=SIPS(0.6, funnel), runs=20_000, rng=4)
    assert ens.sharers.mean() > once.sharers.mean()  # several chances


# -- time ---------------------------------------------------------------------------------------------------------------


def test_fixed_delays_are_generations():
    graph = dif.generate_platform(1500, rng=3)
    plain = SIPS(0.3, Funnel(share=0.4), Feed(impressions=1))
    delayed = SIPS(0.3, Funnel(share=0.4), Feed(impressions=1), delay=Delay("fixed", mean=6.0))
    a, b = (dif.simulate(graph, [0], model=m, runs=64, rng=1) for m in (plain, delayed))
    np.testing.assert_array_equal(a.tally, b.tally)
    assert np.isnan(a.hours).all()
    assert b.hours[:3].tolist() == [0, 6, 12]
    cascade = b.replay(5)
    assert cascade.hours.tolist() == [max(6.0 * (s - 1), 0) for s in cascade.step]


@pytest.mark.parametrize(("kind", "shape"), [("exponential", 1.0), ("gamma", 0.5), ("gamma", 3.0)])
def test_delays_have_the_distribution_asked_for(kind, shape):
    from scipy import stats

    number = {"exponential": 2, "gamma": 3}[kind]
    drawn = np.array(
        [delay_of(np.uint64(stream_of(np.uint64(9), 0xDE, i, 4)), number, 5.0, shape) for i in range(20_000)]
    )
    assert stats.kstest(drawn, stats.gamma(shape, scale=5.0 / shape).cdf).pvalue > 1e-4


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 900.0])
def test_poisson_numbers(mean):
    drawn = np.array([poisson(np.uint64(stream_of(np.uint64(7), 0xFE, i, 1)), 0, mean)[0] for i in range(20_000)])
    assert abs(drawn.mean() - mean) <= SE * math.sqrt(mean / drawn.size)
    if mean:
        assert abs(drawn.var() / mean - 1) < SE * math.sqrt((2 + 1 / mean) / drawn.size)


def test_growth_in_hours_with_exponential_delays():
    """Sharers who wait: E W(t) = m exp((m - 1) t / tau) after the first note; each event adds m."""
    m, tau = 1.5, 10.0
    graph = FollowerGraph.from_arrays([0], [1], nodes=range(4_000), directed=True, edges_mean="influences")
    model = SIPS(0.0, Funnel(), Feed(impressions=m), delay=Delay("exponential", mean=tau, bin=5.0))
    ens = dif.simulate(graph, [0], model=model, runs=600, rng=8)
    total = np.cumsum(ens.sharers_by_step, axis=1)
    for step in (1, 3, 6, 8):  # the end of a bin; the first one begins with the note itself
        t = 5.0 * step
        want = 1 + m + m * m * (math.exp((m - 1) * t / tau) - 1) / (m - 1)
        assert abs(total[:, step].mean() - want) < SE * total[:, step].std() / math.sqrt(600) + 6e-3 * want
    assert Delay("exponential", mean=tau).rate(m) == pytest.approx((m - 1) / tau)
    assert Delay("gamma", mean=tau, shape=2).rate(m) == pytest.approx(2 / tau * (math.sqrt(m) - 1))


# -- results -----------------------------------------------------------------------------------------------------------


def test_funnel_channels_credit_and_costs():
    graph = dif.generate_platform(3000, communities=3, rng=4)
    seeds = graph.node_data.index[graph.node_data["tier"] == "waist"][:4].tolist()
    funnel = Funnel(0.6, 0.8, 0.5, 0.3)
    ens = dif.simulate(graph, seeds, model=SIPS(0.4, funnel, Feed(impressions=4, own_community=0.5)), runs=600, rng=2)
    table = ens.funnel()
    for stage, p in zip(table.index[1:], funnel.values, strict=True):
        row = table.loc[stage]
        assert row["rate_low"] - (row["rate"] - row["rate_low"]) <= p <= 2 * row["rate_high"] - row["rate"]
    by = ens.funnel("channel")["users"].unstack()
    np.testing.assert_allclose(by.sum(), table["users"])
    assert ens.channel_shares()["share"].sum() == pytest.approx(1)
    for name in ("community", "tier"):
        parts = ens.funnel(name, sample=600)["users"].unstack()
        np.testing.assert_allclose(parts.sum(), table["users"])
    credit = ens.credit("tier")
    assert credit.index.tolist() == ["waist"]
    assert credit["share"].tolist() == [1.0]
    costs = ens.costs()
    assert costs["cost"] == pytest.approx(graph.node_data["price"][seeds].sum())
    assert costs["cost_per_reach_low"] < costs["cost_per_reach"] < costs["cost_per_reach_high"]
    assert 0 < ens.redundancy().value < 1
    exposed = table.loc["exposed", "users"] + len(seeds)
    assert ens.mean().mean == pytest.approx(exposed)
    replayed = ens.replay(0).to_pandas()
    assert len(replayed) == ens.sizes[0]
    assert set(replayed["channel"].unique()) == {"seed", "follow", "feed"}
    assert "reach" in repr(ens)
    assert ens.to_pandas()["shared"].mean() == pytest.approx(table.loc["shared", "users"])


def test_survey_counts_give_the_stated_percentages():
    stated = {
        "prefers_genuine": 64.08, "participates": 78.87, "has_posted": 65.49, "several_times_a_day": 73.24,
        "primary_network": 76.06, "uses": 94.67,
    }  # fmt: skip
    for name, percent in stated.items():
        assert round(100 * dif.models.SURVEY[name].share, 2) == percent
    assert dif.models.SURVEY["participates"].posterior == (112.5, 30.5)
    assert dif.models.SURVEY["has_posted"].posterior == (93.5, 49.5)
    ratio = dif.models.NOTES["experience"].sympathize / dif.models.NOTES["sponsored"].sympathize
    assert round(ratio, 2) == 1.78
    table = dif.models.priors_table()
    assert (table["low"] < table["share"]).all()
    assert (table["share"] < table["high"]).all()
    assert set(dif.models.NOTES) == {"experience", "recommendation", "cooperation", "official", "sponsored"}


def test_engagement_is_that_of_the_notes(data):
    notes = pd.read_csv(data("xhs-notes.csv.gz"))
    fans = pd.read_csv(data("xhs-creators.csv.gz")).set_index("creator")["fans"]
    of_note = notes["creator"].map(fans)
    columns = {"likes": "liked", "collects": "collected", "comments": "comments", "shares": "shared"}
    assert set(columns) == set(dif.models.ENGAGEMENT)
    for name, column in columns.items():
        found = dif.models.ENGAGEMENT[name]
        assert (found.notes, found.creators) == (len(notes), len(fans))
        assert (found.count, found.followers) == (notes[column].sum(), of_note.sum())
        assert found.pooled == pytest.approx(notes[column].sum() / of_note.sum())
        assert found.median == pytest.approx((notes[column] / of_note).median(), rel=5e-4)
        of_creator = notes.groupby("creator")[column].mean() / fans
        quartiles = np.percentile(of_creator, [25, 50, 75])
        assert [found.low, found.middle, found.high] == pytest.approx(quartiles, rel=5e-4)


@pytest.mark.parametrize("note", ["experience", "sponsored"])
def test_engagement_eta_gives_the_shares_of_followers(note):
    shares = dif.models.ENGAGEMENT["shares"]
    for attention, identify, rate in ((0.3, 1.0, shares.pooled), (0.5, 0.6, shares.low), (1.0, 1.0, 0.0)):
        eta = dif.models.engagement_eta(attention, note=note, identify=identify, shares_per_follower=rate)
        asked = [eta * dif.models.SURVEY[name].share for name in ("participates", "has_posted")]
        funnel = dif.models.Funnel.from_note(note, identify=identify, participate=asked[0], share=asked[1])
        assert attention * funnel.rho == pytest.approx(rate)
    table = dif.models.priors_table()
    assert table.loc["engagement: shares", "share"] == pytest.approx(0.00895, abs=5e-6)
    assert table["standing"].isin(["prior", "assumed"]).all()


def test_engagement_eta_refuses_what_no_eta_gives():
    for options, message in (
        ({"attention": 0}, "attention"), ({"identify": 0}, "identify"), ({"shares_per_follower": -1}, "shares_per_follower"),
        ({"attention": 0.02}, "give a higher attention"), ({"note": "sponsred"}, "'sponsored'"),
    ):  # fmt: skip
        with pytest.raises(DiffusionError, match=message):
            dif.models.engagement_eta(**options)


def test_a_study_takes_eta_from_engagement():
    table = {"attention": [0.3, 0.6], "eta": ["engagement", 0.1], "feed": 1.0}
    found = SIPS.from_study_table(table, "model[0].sips")
    shares = dif.models.ENGAGEMENT["shares"].pooled
    by = {(single["attention"], single["eta"]): (model, single) for model, single in found}
    assert len(by) == 4
    for attention in (0.3, 0.6):
        model, single = by[attention, "engagement"]
        assert attention * model.funnel.rho == pytest.approx(shares)
        assert model.study_columns(single)["eta"] == dif.models.engagement_eta(attention)
        rows = {row.name: row for row in model.parameter_standing(single)}
        assert rows["p_X"].standing == "prior"
        assert "15,316 notes of 101" in rows["p_X"].note
        model, single = by[attention, 0.1]
        assert model.study_columns(single)["eta"] == 0.1
        assert "notes of 101" not in {row.name: row for row in model.parameter_standing(single)}["p_X"].note
    for wrong, message in (
        ({"eta": "engagment"}, 'eta = .*give numbers or "engagement"'), ({"eta": "engagement", "attention": "graph"}, "give attention"),
        ({"eta": "engagement", "attention": 0.01}, "give a higher attention"), ({"attention": "engagement"}, 'or "graph"'),
        ({"feed": "engagement"}, "feed = 'engagement': give a number"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message) as error:
            SIPS.from_study_table(wrong, "model[0].sips")
        assert str(error.value).startswith("model[0].sips")


def test_survey_draws():
    draws = [SIPS.from_survey(eta=0.25, rng=i).funnel for i in range(400)]
    for name, mean in (("share", 93.5 / 143), ("participate", 112.5 / 143)):  # eta is on both
        drawn = np.array([getattr(f, name) for f in draws]) / 0.25
        assert abs(drawn.mean() - mean) < SE * drawn.std() / 20
    assert {SIPS.from_survey(eta=0.25, identify=0.6, rng=i).funnel.identify for i in range(9)} == {0.6}
    assert SIPS.from_survey(rng=3) == SIPS.from_survey(rng=3)
    assert SIPS.from_survey(rng=3) != SIPS.from_survey(rng=4)


@pytest.mark.parametrize("eta", [0.05, 0.25, 1.0])
def test_eta_is_on_taking_part_and_on_sharing(eta):
    """What people say they do is cut at both steps, in a study's table as in a draw from the survey; p_S is not cut."""
    survey = dif.models.SURVEY
    ((model, _),) = SIPS.from_study_table({"eta": eta, "attention": 0.2}, "model[0].sips")
    want = (survey["prefers_genuine"].share, 1.0, eta * survey["participates"].share, eta * survey["has_posted"].share)
    assert model.funnel.values == pytest.approx(want)
    cut, whole = (Funnel.from_survey(eta=e, rng=3).values for e in (eta, 1.0))
    assert cut == pytest.approx(np.array([1, 1, eta, eta]) * whole)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SIPS(attention=1.2), r"attention=1.2 is not a probability"),
        (lambda: Funnel(share=float("nan")), "share=nan is not a probability"),
        (lambda: Funnel(sympathize=-0.1), "sympathize=-0.1"),
        (lambda: Feed(impressions=-1), "impressions=-1"),
        (lambda: Feed(own_community=2), "own_community=2"),
        (lambda: Feed(cap=0), "cap=0"),
        (lambda: Complex(0), "theta=0"),
        (lambda: Complex(1.5), "theta=1.5"),
        (lambda: Delay("gamma", mean=0), "mean=0"),
        (lambda: SIPS(identify="both"), "identify='both'"),
        (lambda: SIPS(redraw=1), "redraw=1"),
        (lambda: SIPS(funnel=0.5), "funnel=0.5 is not a Funnel"),
        (lambda: SIPS(feed=Feed(amplification=0.2)), "the feed explodes on its own: amplification \\* c = 2"),
        (lambda: SIPS.from_survey(eta=2), "eta=2"),
    ],
)
def test_parameters_out_of_range(make, text):
    with pytest.raises(InputError, match=text):
        make()


def test_unknown_names():
    for make in (
        lambda: Funnel.from_note("experiense"), lambda: Feed(weights={"like": 1}), lambda: Delay("gama"),
        lambda: SIPS.from_survey(note="x"),
    ):  # fmt: skip
        with pytest.raises(NotFoundError, match=r"unknown|belongs to no stage"):
            make()
    with pytest.raises(InputError, match="SIPS needs its parameters"):
        dif.simulate(random_graph(5, 9, rng=1), [0], model="sips")


def test_what_a_graph_lacks():
    graph = random_graph(30, 90, rng=1)
    with pytest.raises(InputError, match="attention=None takes the graph's propagation probabilities"):
        dif.simulate(graph, [0], model=SIPS())
    with pytest.raises(InputError, match="no node attribute 'community'"):
        dif.simulate(graph, [0], model=SIPS(0.2, feed=Feed(impressions=1, own_community=0.5)))
    ens = dif.simulate(graph, [0], model=SIPS(0.2, feed=Feed(impressions=1)), runs=20, rng=1)
    with pytest.raises(InputError, match="no node attribute 'price'"):
        ens.costs()
    with pytest.raises(InputError, match="has no price"):
        ens.costs({1: 5.0})
    with pytest.raises(NotFoundError, match="no node attribute 'tear'"):
        ens.funnel("tear")
    capped = dif.simulate(
        graph, [0], model=SIPS(0.9, feed=Feed(impressions=1, amplification=1, cap=30)), runs=20, rng=1
    )
    assert capped.capped > 0
    assert "met its cap" in repr(capped)
