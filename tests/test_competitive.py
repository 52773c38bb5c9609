"""Rivals: the naive twins run for run, exact values of small graphs, limits that are other models."""

from __future__ import annotations

import math
import pickle
import random
from fractions import Fraction

import naive
import naive_competitive as twins
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KEYS, ic_graphs, internal_arcs, internal_values, lt_graphs, random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.models import ICN, ComIC, CompetitiveIC, CompetitiveLT
from diffusion.simulation import prepare

NAMES = ("A", "B", "C")


def diamond(p: float = 0.5) -> FollowerGraph:
    """Two seeds, one node between them."""
    graph = FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
    return graph.with_probabilities("constant", p=p)


def path(n: int, p: float) -> FollowerGraph:
    graph = FollowerGraph.from_arrays(range(n - 1), range(1, n), edges_mean="influences", directed=True)
    return graph.with_probabilities("constant", p=p)


@st.composite
def rival_seeds(draw: st.DrawFn, graph: FollowerGraph, brands: int) -> dict[str, list[int]]:
    """Seeds of each brand, none in two of them; some brands may have none."""
    nodes = draw(st.permutations(graph.nodes.tolist()))
    owner = [draw(st.integers(0, brands)) for _ in nodes[:5]]
    return {NAMES[b]: [v for v, o in zip(nodes[:5], owner, strict=True) if o == b] for b in range(brands)}


def by_internal(graph: FollowerGraph, seeds: dict[str, list[int]]) -> dict[int, int]:
    return {int(v): b for b, name in enumerate(seeds) for v in graph.index.internal(seeds[name])}


def assert_same_run(runner, new, run: int, want: twins.RivalRun, first: int) -> None:
    """Counts by step and brand of a row of lanes, and the replayed run, equal those of the twin."""
    brands = new.shape[2] - first
    rows = want.new(brands)
    assert new[run, : len(rows), first:].tolist() == rows
    assert not new[run, len(rows) :].any()
    if first:
        assert new[run, : len(rows), 0].tolist() == [sum(row) for row in rows]
    trace = runner.replay(run)
    nodes, steps, parents = trace.nodes.tolist(), trace.steps.tolist(), trace.parents.tolist()
    assert dict(zip(nodes, steps, strict=True)) == want.step
    assert {v: None if at < 0 else nodes[at] for v, at in zip(nodes, parents, strict=True)} == want.parent
    assert dict(zip(nodes, trace.details["brand"].tolist(), strict=True)) == want.brand


# -- twins -------------------------------------------------------------------------------------------------------------


@given(ic_graphs(n=9, max_rows=40), st.data(), KEYS)
@settings(max_examples=50)
def test_competitive_ic_is_its_twin(graph, draw, key):
    brands = draw.draw(st.integers(2, 3))
    names = NAMES[:brands]
    tie = draw.draw(st.sampled_from(["random", "random", "first", tuple(draw.draw(st.permutations(names)))]))
    strength = draw.draw(st.none() | st.tuples(*[st.sampled_from([0.0, 0.5, 0.8, 1.0, 3.0])] * brands))
    model = CompetitiveIC(names, tie=tie, strength=strength)
    seeds = draw.draw(rival_seeds(graph, brands))
    runner = prepare(graph, model, seeds, key)
    runs = draw.draw(st.sampled_from([20, 140, 520]))
    new = runner.run(0, runs).new
    p = np.asarray(internal_values(graph))
    by_brand = [np.minimum(p * s, 1).astype(np.float32).tolist() for s in strength or [1.0] * brands]
    own = by_internal(graph, seeds)
    for run in [*range(20), *draw.draw(st.lists(st.integers(0, runs - 1), max_size=10))]:
        want = twins.rivals_run(graph.n_nodes, internal_arcs(graph), by_brand, own, key, run, priority=model.priority)
        assert_same_run(runner, new, run, want, 1)


def test_competitive_ic_is_its_twin_in_all_runs_of_a_graph_with_many_ties():
    graph = random_graph(40, 300, rng=3).with_probabilities("constant", p=0.3)
    arcs, p = internal_arcs(graph), internal_values(graph)
    seeds = {"A": [0, 3, 5, 6], "B": [1, 4, 7], "C": [2]}
    for model in (
        CompetitiveIC(NAMES),
        CompetitiveIC(NAMES, tie=("C", "A", "B")),
        CompetitiveIC(NAMES, strength={"B": 0.6, "C": 0.9}),
    ):
        runner = prepare(graph, model, seeds, 11)
        found = runner.run(0, 576)
        by_brand = [np.float32(np.minimum(np.asarray(p) * s, 1)).tolist() for s in model.strength or (1, 1, 1)]
        counts = np.zeros((graph.n_nodes, 4), int)
        for run in range(576):
            want = twins.rivals_run(
                graph.n_nodes, arcs, by_brand, by_internal(graph, seeds), 11, run, priority=model.priority
            )
            assert_same_run(runner, found.new, run, want, 1)
            for v, b in want.brand.items():
                counts[v, 0] += 1
                counts[v, 1 + b] += 1
        assert np.array_equal(found.node_counts, counts)


@given(lt_graphs(n=9, max_rows=40), st.data(), KEYS)
@settings(max_examples=30)
def test_competitive_lt_is_its_twin(graph, draw, key):
    seeds = draw.draw(rival_seeds(graph, 3))
    runner = prepare(graph, CompetitiveLT(NAMES), seeds, key)
    new = runner.run(0, 130).new
    for run in range(0, 130, 6):
        want = twins.rivals_run(
            graph.n_nodes,
            internal_arcs(graph),
            [internal_values(graph)] * 3,
            by_internal(graph, seeds),
            key,
            run,
            linear=True,
        )
        assert_same_run(runner, new, run, want, 1)


@given(ic_graphs(n=9, max_rows=40), st.data(), KEYS)
@settings(max_examples=30)
def test_negative_opinions_are_their_twin(graph, draw, key):
    quality = draw.draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    seeds = draw.draw(st.lists(st.sampled_from(graph.nodes.tolist()), max_size=4, unique=True))
    runner = prepare(graph, ICN(quality), seeds, key)
    found = runner.run(0, 130)
    own = {int(v): 0 for v in graph.index.internal(seeds)}
    for run in range(0, 130, 6):
        p = [internal_values(graph)] * 2
        want = twins.rivals_run(graph.n_nodes, internal_arcs(graph), p, own, key, run, quality=quality)
        assert_same_run(runner, found.new, run, want, 0)


@given(ic_graphs(n=8, max_rows=30), st.data(), KEYS)
@settings(max_examples=50)
def test_comic_is_its_twin(graph, draw, key):
    q = [draw.draw(st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0])) for _ in range(4)]
    model = ComIC(*q)
    seeds = draw.draw(rival_seeds(graph, 2))
    runner = prepare(graph, model, seeds, key)
    found = runner.run(0, 40)
    counts = np.zeros((graph.n_nodes, 3), int)
    for run in range(40):
        want = twins.comic_run(
            internal_arcs(graph),
            internal_values(graph),
            (model.a, model.b),
            (model.a_after_b, model.b_after_a),
            by_internal(graph, seeds),
            key,
            run,
        )
        new = np.zeros(found.new.shape[1:], int)
        for (v, item), step in want.step.items():
            new[step, 1 + item] += 1
            counts[v, 1 + item] += 1
            new[step, 0] += want.first[v] == item
        for v in want.first:
            counts[v, 0] += 1
        assert np.array_equal(found.new[run], new)
        trace = runner.replay(run)
        nodes = trace.nodes.tolist()
        assert dict(zip(nodes, trace.details["brand"].tolist(), strict=True)) == want.first
        steps = trace.details["step_by_brand"]
        assert {(v, i): steps[i][k] for k, v in enumerate(nodes) for i in (0, 1) if steps[i][k] >= 0} == want.step
        found_parent = {v: None if at < 0 else nodes[at] for v, at in zip(nodes, trace.parents.tolist(), strict=True)}
        assert found_parent == want.parent
        assert (np.diff(trace.steps) >= 0).all()
    assert np.array_equal(found.node_counts, counts)


# -- limits that are other models --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["constant", "weighted_cascade"])
def test_all_brands_together_are_the_cascade_from_all_seeds_and_brands_are_those_of_its_roots(rule):
    graph = random_graph(200, 1200, rng=5)
    graph = graph.with_probabilities(rule, **({"p": 0.12} if rule == "constant" else {}))
    seeds = {"A": [0, 1, 2], "B": [5, 9], "C": [30]}
    union = [v for mine in seeds.values() for v in mine]
    pairs = [(CompetitiveIC(NAMES), dif.IC())]
    if rule == "weighted_cascade":
        pairs.append((CompetitiveLT(NAMES), dif.LT()))
    for model, plain in pairs:
        rivals = dif.simulate(graph, seeds, model=model, runs=700, rng=7)
        cascade = dif.simulate(graph, union, model=plain, runs=700, rng=7)
        assert np.array_equal(rivals.new_by_step, cascade.new_by_step)
        assert np.array_equal(rivals.node_counts[:, 0], cascade.node_counts[:, 0])
        assert rivals.mean().mean == cascade.mean().mean
        colour = {v: name for name, mine in seeds.items() for v in mine}
        for run in (0, 1, 511, 699):
            tree, mine = cascade.replay(run), rivals.replay(run)
            assert tree.nodes.tolist() == mine.nodes.tolist()
            assert tree.parent.tolist() == mine.parent.tolist()
            of = []
            for v, up in zip(tree.nodes.tolist(), tree.parent.tolist(), strict=True):
                of.append(colour[v] if up < 0 else of[up])
            assert of == mine.brand.tolist()


def test_one_brand_without_rivals_is_the_plain_cascade():
    graph = random_graph(100, 500, rng=5).with_probabilities("constant", p=0.15)
    alone = dif.simulate(graph, {"A": [0, 4], "B": []}, model=CompetitiveIC(tie="first"), runs=300, rng=1)
    assert np.array_equal(alone.sizes, dif.simulate(graph, [0, 4], runs=300, rng=1).sizes)
    assert not alone.sizes_by_brand[:, 1].any()
    nobody = dif.simulate(graph, {"A": [], "B": []}, model=CompetitiveIC(), runs=10, rng=1)
    assert not nobody.sizes.any()
    assert np.isnan(nobody.share_of_voice()["share"]).all()


def test_full_quality_is_the_plain_cascade_and_no_quality_reaches_nobody():
    graph = random_graph(100, 500, rng=5).with_probabilities("constant", p=0.15)
    plain = dif.simulate(graph, [0, 4], runs=300, rng=1)
    full = dif.simulate(graph, [0, 4], model=ICN(1.0), runs=300, rng=1)
    assert np.array_equal(full.new_by_step, plain.new_by_step)
    none = dif.simulate(graph, [0, 4], model=ICN(0.0), runs=300, rng=1)
    assert not none.sizes.any()
    assert np.array_equal(none.sizes_by_brand[:, 1], plain.sizes)


def test_comic_with_certain_adoptions_is_two_cascades_and_without_a_second_one_is_rivalry():
    graph = random_graph(120, 700, rng=5).with_probabilities("constant", p=0.12)
    seeds = {"A": [0, 1, 2], "B": [5, 9]}
    both = dif.simulate(graph, seeds, model=ComIC(1, 1, 1, 1), runs=400, rng=7)
    for b, name in enumerate("AB"):
        plain = dif.simulate(graph, seeds[name], runs=400, rng=7)
        steps = plain.new_by_step.shape[1]
        assert np.array_equal(both.new_by_brand[:, :steps, b], plain.new_by_step)
        assert not both.new_by_brand[:, steps:, b].any()
    apart = dif.simulate(graph, seeds, model=ComIC(1, 0, 1, 0), runs=400, rng=7)
    rivals = dif.simulate(graph, seeds, model=CompetitiveIC(), runs=400, rng=7)
    assert np.array_equal(apart.new_by_state, rivals.new_by_state)
    assert apart.replay(17).brand.tolist() == rivals.replay(17).brand.tolist()


@pytest.mark.parametrize(
    ("model", "seeds"),
    [
        (CompetitiveIC(), {"A": [0, 3], "B": [1, 9]}),
        (CompetitiveIC(strength=(1, 0.6)), {"A": [0, 3], "B": [1, 9]}),
        (CompetitiveLT(), {"A": [0, 3], "B": [1, 9]}),
        (ICN(0.8), [0, 3]),
        (ComIC(0.4, 0.8, 0.6, 0.2), {"A": [0, 3], "B": [1, 9]}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_runs_depend_on_the_key_and_their_number_alone(model, seeds):
    graph = random_graph(150, 900, rng=2).with_probabilities("weighted_cascade")
    weights = np.arange(graph.n_nodes) / 7
    whole = dif.simulate(graph, seeds, model=model, runs=1100, rng=3, threads=1, node_weights=weights)
    other = dif.simulate(graph, seeds, model=model, runs=1100, rng=3, threads=2, node_weights=weights)
    assert np.array_equal(whole.new_by_state, other.new_by_state)
    assert np.array_equal(whole.node_counts, other.node_counts)
    assert np.array_equal(whole.weights, other.weights)
    runner = prepare(graph, model, seeds, whole.key)
    runner = pickle.loads(pickle.dumps(runner))
    parts = [runner.run(a, b) for a, b in ((0, 70), (512, 1024), (1024, 1100))]
    for part, first in zip(parts, (0, 512, 1024), strict=True):
        steps = part.new.shape[1]
        assert np.array_equal(part.new, whole.new_by_state[first : first + len(part.new), :steps])
    first = len(whole.states) - len(whole.brands)
    for run in (0, 69, 513, 1099):
        cascade = whole.replay(run)
        assert list(cascade.sizes_by_brand.values()) == whole.sizes_by_brand[run].tolist()
        counted = cascade.nodes if first else cascade.nodes[cascade.brand == "positive"]
        assert whole.weights[run] == pytest.approx(sum(weights[graph.nodes.get_indexer(counted)]), rel=1e-12)


# -- exact values ------------------------------------------------------------------------------------------------------


def within(found: np.ndarray, want: float) -> bool:
    return abs(found.mean() - want) <= 4 * max(found.std(), 1e-9) / math.sqrt(len(found))


def test_two_rivals_and_one_node():
    seeds = {"A": [0], "B": [1]}
    for tie, want in (("random", 0.375), ("first", 0.5), (("B", "A"), 0.25)):
        ens = dif.simulate(diamond(), seeds, model=CompetitiveIC(tie=tie), runs=40_000, rng=7)
        assert within(ens.sizes_by_brand[:, 0] - 1, want)
    ens = dif.simulate(diamond(), seeds, model=CompetitiveIC(strength={"B": 0.5}), runs=40_000, rng=7)
    # One coin an arc: A fires with .5, B with .25, both with .125, of which each wins half.
    assert within(ens.sizes_by_brand[:, 0] - 1, 0.5 - 0.125 / 2)
    assert within(ens.sizes_by_brand[:, 1] - 1, 0.25 - 0.125 / 2)


def test_ties_are_drawn_among_attempts_and_not_among_brands():
    graph = FollowerGraph.from_arrays([0, 1, 2], [3, 3, 3], edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=1.0)
    ens = dif.simulate(graph, {"A": [0, 1], "B": [2]}, model=CompetitiveIC(), runs=20_000, rng=7)
    assert within(ens.sizes_by_brand[:, 0] - 2, 2 / 3)


@pytest.mark.parametrize("tie", ["random", "first", ("C", "A", "B")])
def test_competitive_ic_by_enumeration(tie):
    rows = [(0, 3), (1, 3), (2, 4), (3, 5), (4, 5), (0, 4), (5, 6), (3, 6), (1, 5), (6, 7)]
    graph = FollowerGraph.from_arrays(*zip(*rows, strict=True), edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=0.5)
    arcs, model = internal_arcs(graph), CompetitiveIC(NAMES, tie=tie)
    seeds = {"A": [0], "B": [1], "C": [2]}
    own = by_internal(graph, seeds)
    want = [Fraction(0)] * 3
    for chance, live in naive.ic_worlds(arcs, [Fraction(1, 2)] * len(arcs)):
        share = twins.brand_shares(graph.n_nodes, live, own, 3, model.priority)
        for b in range(3):
            want[b] += chance * sum(row[b] for row in share)
    ens = dif.simulate(graph, seeds, model=model, runs=40_000, rng=5)
    for b in range(3):
        assert within(ens.sizes_by_brand[:, b], float(want[b]))


def test_competitive_lt_is_the_k_lt_model():
    """By its own definition: thresholds, then a draw among those just activated, by weight."""
    rows = [(0, 3), (1, 3), (2, 3), (3, 4), (1, 4), (4, 5), (3, 5), (2, 5)]
    weight = [0.5, 0.2, 0.2, 0.3, 0.6, 0.5, 0.2, 0.2]
    u, v = zip(*rows, strict=True)
    graph = FollowerGraph.from_arrays(u, v, weight=weight, edges_mean="influences", directed=True)
    ens = dif.simulate(
        graph.with_probabilities("lt"), {"A": [0, 2], "B": [1]}, model=CompetitiveLT(), runs=40_000, rng=5
    )
    draw = random.Random(3)
    runs = 40_000
    total = [0, 0]
    for _ in range(runs):
        threshold = [draw.random() for _ in range(6)]
        step, brand = {0: 0, 1: 0, 2: 0}, {0: 0, 1: 1, 2: 0}
        now = 0
        while any(s == now for s in step.values()):
            now += 1
            new = {}
            for x in range(6):
                into = [(a, w) for (a, b), w in zip(rows, weight, strict=True) if b == x and a in step]
                if x not in step and into and sum(w for _, w in into) >= threshold[x]:
                    fresh = [(a, w) for a, w in into if step[a] == now - 1]
                    new[x] = brand[draw.choices([a for a, _ in fresh], [w for _, w in fresh])[0]]
            for x, b in new.items():
                step[x], brand[x] = now, b
        for b in brand.values():
            total[b] += 1
    for b in range(2):
        mine = ens.sizes_by_brand[:, b]
        assert abs(mine.mean() - total[b] / runs) < 4 * math.sqrt(2) * mine.std() / math.sqrt(runs)


def test_negative_opinions_on_a_path_and_by_enumeration():
    want = sum(0.3**d * 0.9 ** (d + 1) for d in range(4))
    assert round(want, 5) == 1.22632
    ens = dif.simulate(path(4, 0.3), [0], model=ICN(0.9), runs=100_000, rng=7)
    assert within(ens.sizes, want)
    rows = [(0, 2), (1, 2), (2, 3), (1, 3), (3, 4), (0, 4), (4, 5), (2, 5)]
    graph = FollowerGraph.from_arrays(*zip(*rows, strict=True), edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=0.5)
    arcs, seeds = internal_arcs(graph), graph.index.internal([0, 1]).tolist()
    exact = sum(
        chance * sum(Fraction(4, 5) ** (d + 1) for d in twins.distances(graph.n_nodes, live, seeds).values())
        for chance, live in naive.ic_worlds(arcs, [Fraction(1, 2)] * len(arcs))
    )
    ens = dif.simulate(graph, [0, 1], model=ICN(0.8), runs=100_000, rng=7)
    assert within(ens.sizes, float(exact))
    sets = dif.seeding.sample_rr_sets(graph, 100_000, model=ICN(0.8), rng=1)
    found = sets.estimate([0, 1], confidence=0.999)
    assert found.low <= float(exact) <= found.high
    assert found.high - found.low < 0.07


def test_seeds_for_positive_opinions_are_certified_and_shallow():
    """A hub with many followers beats a root of a long path once disappointment grows with every step."""
    rows = [(0, i) for i in range(1, 5)] + [(10 + i, 11 + i) for i in range(8)]
    graph = FollowerGraph.from_arrays(*zip(*rows, strict=True), edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=1.0)
    for quality, best in ((1.0, 10), (0.5, 0)):
        model = ICN(quality)
        for method in ("opim", "celf", "greedy"):
            found = dif.select_seeds(graph, 1, model=model, method=method, rng=1)
            assert found.seeds == (best,)
        certified = dif.select_seeds(graph, 1, model=model, rng=1)
        exact = {10: 9.0, 0: 0.5 + 4 * 0.25}[best]
        assert certified.lower <= exact <= certified.upper
        assert certified.ratio > 0.8
        more = dif.select_seeds(graph, 1, model=model, existing=[best], rng=1)
        assert more.seeds == ((0,) if best == 10 else (10,))
        assert more.lower <= dif.spread(graph, [0, 10], model=model, rng=2).high


def test_reconsideration():
    graph = diamond(1.0)
    ens = dif.simulate(graph, {"A": [0], "B": [1]}, model=ComIC(0.5, 0.9, 0.5, 0.5), runs=40_000, rng=7)
    # A: .5 at once, or once B is adopted before or after: all with .9 then.
    assert within(ens.sizes_by_brand[:, 0] - 1, 0.5 * 0.5 + 0.5 * 0.9)
    assert within(ens.sizes_by_brand[:, 1] - 1, 0.5)
    assert ens.model.relation == "complementarity"
    told = dif.simulate(path(3, 0.5), {"A": [0], "B": []}, model=ComIC(0.6, 0.1, 0.5, 0.1), runs=40_000, rng=7)
    assert within(told.sizes, 1 + 0.3 + 0.3**2)
    assert ComIC(0.6, 0.1, 0.5, 0.1).relation == "competition"
    assert (ComIC(0.6, 0.6, 0.5, 0.5).relation, ComIC(0.6, 0.7, 0.5, 0.1).relation) == ("independence", "mixed")


def test_who_adopts_both_items_at_one_step_tells_of_both_in_one_visit():
    graph = FollowerGraph.from_arrays([0, 1, 2], [2, 2, 3], edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=1.0)
    ens = dif.simulate(graph, {"A": [0], "B": [1]}, model=ComIC(1, 1, 1, 1), runs=10, rng=7)
    assert ens.sizes_by_brand.tolist() == [[3, 3]] * 10
    assert ens.provenance["arc_visits"] == 10 * 3
