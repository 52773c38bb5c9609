"""Public calls: ensembles, spreads with a stopping rule, paired comparisons, intervals that cover, and bad input."""

from __future__ import annotations

import dataclasses
import json
import math
from fractions import Fraction
from itertools import pairwise

import naive
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError, NotFoundError
from diffusion.results.estimates import share_interval
from diffusion.results.intervals import mean_interval
from diffusion.simulation.simulate import rounds

ARCS = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 1), (5, 4)]
P = Fraction(2, 5)


def small(p: Fraction = P) -> FollowerGraph:
    return FollowerGraph.from_arrays(
        [u for u, _ in ARCS], [v for _, v in ARCS], edges_mean="influences", directed=True
    ).with_probabilities("constant", p=float(p))


def exact(seeds: list[int]) -> float:
    return float(naive.exact_spread(6, naive.ic_worlds(ARCS, [P] * len(ARCS)), seeds))


def covers_often_enough(hits: int, trials: int, level: float) -> bool:
    return abs(hits - trials * level) <= 4 * math.sqrt(trials * level * (1 - level))


# -- ensembles ---------------------------------------------------------------------------------------------------------


def test_ensemble_tells_one_story():
    graph = random_graph(80, 300, rng=2).with_probabilities("constant", p=0.2)
    ens = dif.simulate(graph, [0, 3], model=dif.IC(), runs=777, rng=7)
    new = ens.new_by_step
    assert (ens.runs, ens.seeds, ens.model, ens.graph) == (777, (0, 3), dif.IC(), graph)
    assert new.shape[0] == 777
    assert (new[:, 0] == 2).all()
    assert (new >= 0).all()
    assert new[:, -1].any()
    assert ens.sizes.tolist() == new.sum(axis=1).tolist()
    assert ens.depths.tolist() == [int(np.flatnonzero(row).max()) for row in new]
    assert ens.alive_by_step.tolist() == (new > 0).mean(axis=0).tolist()
    assert ens.activation_probability.sum() == pytest.approx(ens.sizes.mean())
    assert ens.activation_probability[[0, 3]].tolist() == [1.0, 1.0]
    mean = ens.mean()
    assert mean.mean == ens.sizes.mean()
    assert mean.se == pytest.approx(ens.sizes.std(ddof=1) / math.sqrt(777))
    assert mean.high - mean.low == pytest.approx(2 * 1.959964 * mean.se, rel=0.02)
    assert ens.mean(confidence=0.99).high > mean.high
    steps = ens.by_step()
    assert steps["mean"].sum() == pytest.approx(ens.sizes.mean())
    assert steps["cumulative"].iloc[-1] == pytest.approx(ens.sizes.mean())
    assert (steps["low"] <= steps["median"]).all()
    assert (steps["median"] <= steps["high"]).all()
    table = ens.to_pandas()
    assert table["size"].tolist() == ens.sizes.tolist()
    assert table["max_breadth"].tolist() == new.max(axis=1).tolist()
    assert "777 runs of IC from 2 seeds" in repr(ens)
    assert "<table" in ens._repr_html_()
    with pytest.raises(dataclasses.FrozenInstanceError):
        ens.key = 1


def test_provenance_is_json_and_says_enough():
    graph = small()
    for record in (
        dif.simulate(graph, [0], runs=5, rng=7).provenance,
        dif.spread(graph, [0], runs=5, rng=7).provenance,
        dif.compare(graph, {"a": [0]}, runs=5, rng=7).provenance,
        dif.independent_cascade(graph, [0], rng=7).provenance,
    ):
        text = json.loads(json.dumps(record))
        assert text["graph"] == graph.fingerprint
        assert text["model"] == "IC"
        assert text["probabilities"] == "constant p=0.4"
        assert int(text["key"], 16) == dif.simulate(graph, [0], runs=1, rng=7).key


def test_one_seed_of_randomness_is_one_result():
    graph = small()
    run = lambda rng: dif.simulate(graph, [0], runs=300, rng=rng)  # noqa: E731
    assert np.array_equal(run(7).new_by_step, run(7).new_by_step)
    assert np.array_equal(run(7).new_by_step, run(np.random.default_rng(7)).new_by_step)
    assert np.array_equal(run(np.int64(7)).new_by_step, run(np.random.SeedSequence(7)).new_by_step)
    assert not np.array_equal(run(7).sizes, run(8).sizes)
    assert run(None).key != run(None).key
    generator = np.random.default_rng(7)
    assert run(generator).key != run(generator).key
    np.random.seed(1)  # noqa: NPY002 - the global state must be left alone
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    run(7)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_results_of_a_fixed_key_stay():
    """A pinned number: coins, build order and the random rule together. It may only change with a new format."""
    graph = small()
    ens = dif.simulate(graph, [0], runs=20, rng=7)
    assert ens.key == 11530976094092348043
    assert ens.sizes.tolist() == PINNED


PINNED = [1, 2, 5, 3, 3, 1, 4, 1, 3, 1, 2, 3, 2, 4, 3, 1, 1, 5, 3, 3]


def test_seeds_may_be_anything_that_names_nodes():
    graph = small()
    want = dif.simulate(graph, [0, 3], runs=50, rng=1)
    for seeds in (
        (0, 3), {0, 3}, np.array([0, 3]), pd.Series([0, 3], index=[7, 7]), pd.Index([0, 3]), iter([0, 3]),
        range(0, 4, 3),
        [0.0, 3.0], {0: "x", 3: "y"}, [np.int8(0), 3, 3],
    ):  # fmt: skip
        found = dif.simulate(graph, seeds, runs=50, rng=1)
        assert np.array_equal(found.new_by_step, want.new_by_step)
        assert sorted(found.seeds) == [0, 3]
        assert {type(seed) for seed in found.seeds} == {int}
    for one in (3, np.int64(3), np.array(3), [3]):
        assert dif.simulate(graph, one, runs=2, rng=1).seeds == (3,)
    text = FollowerGraph.from_arrays(["ab", "a"], ["c", "b"], edges_mean="influences", directed=True)
    text = text.with_probabilities("constant", p=1)
    assert dif.simulate(text, "ab", runs=1).seeds == ("ab",)
    pairs = FollowerGraph.from_arrays([(1, 2)], [(3, 4)], edges_mean="influences", directed=True)
    pairs = pairs.with_probabilities("constant", p=1)
    assert dif.simulate(pairs, (1, 2), runs=1).seeds == ((1, 2),)
    assert dif.simulate(pairs, [(1, 2), (3, 4)], runs=1).seeds == ((1, 2), (3, 4))


def test_models_by_name_class_or_object():
    graph = small()
    want = dif.simulate(graph, [0], runs=50, rng=1).sizes.tolist()
    for model in ("ic", "IC", dif.IC, dif.IC()):
        assert dif.simulate(graph, [0], model=model, runs=50, rng=1).sizes.tolist() == want
    assert dif.simulate(small(Fraction(1, 4)), [0], model=dif.LT, runs=5).model == dif.LT()
    assert dif.Threshold(fraction=0.18).label == "Threshold fraction=0.18"
    assert dif.Threshold(count=2, noise=0.1).label == "Threshold count=2 noise=0.1"
    assert dif.Threshold(count=2).parameters == {"fraction": None, "count": 2, "noise": 0.0}
    assert dif.IC() == dif.IC()
    assert hash(dif.Threshold(count=2)) == hash(dif.Threshold(count=2))


# -- outbreaks ---------------------------------------------------------------------------------------------------------


def test_outbreak_and_die_out():
    graph = small()
    ens = dif.simulate(graph, [0], runs=20_000, rng=1)
    exact_sizes = naive.exact_distribution(6, naive.ic_worlds(ARCS, [P] * len(ARCS)), [0])
    for share in (0.01, 0.3, 0.5, 0.8, 1.0):
        chance = float(sum(c for size, c in exact_sizes.items() if size >= share * 6))
        grown, died = ens.outbreak_probability(share), ens.die_out_probability(share)
        assert abs(grown.value - chance) <= 4 * math.sqrt(chance * (1 - chance) / 20_000)
        assert grown.value + died.value == pytest.approx(1)
        assert (died.low, died.high) == (pytest.approx(1 - grown.high), pytest.approx(1 - grown.low))
        assert 0 <= grown.low <= grown.value <= grown.high <= 1
        assert float(grown) == grown.value
    assert ens.outbreak_probability(1.0).value == 0
    large = dif.simulate(random_graph(400, 1200, rng=1).with_probabilities("constant", p=0.2), [0], runs=300, rng=1)
    assert large.outbreak_probability(0.01) != large.outbreak_probability(0.05)
    assert large.outbreak_probability() == large.outbreak_probability(0.01)  # one user in a hundred by default
    assert large.die_out_probability() == large.die_out_probability(0.01)
    assert 0 < ens.outbreak_probability(1.0).high < 1e-3


def test_shares_near_0_and_1_are_covered():
    """Summed over all outcomes: Wilson's alone covers 84 % where a share is a fifth of one in `runs`."""
    runs = 512
    hits = np.arange(runs + 1)
    found = [share_interval(int(k), runs, 0.95) for k in hits]
    for events in (0.1, 0.176, 1, 3, 8, 16, 40, 256):
        for p in (events / runs, 1 - events / runs):
            inside = [e.low <= p <= e.high for e in found]
            assert scipy.stats.binom.pmf(hits, runs, p)[inside].sum() >= 0.935


def test_wilson_interval_covers():
    rng = np.random.default_rng(3)
    for p in (0.02, 0.3, 0.9):
        found = [share_interval(int(k), 300, 0.9) for k in rng.binomial(300, p, 300)]
        hits = sum(e.low <= p <= e.high for e in found)
        assert abs(hits / 300 - 0.9) < 0.08  # its exact coverage waves by a few percent around the level


# -- intervals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_intervals_cover_the_exact_spread(confidence):
    graph, want, keys = small(), exact([0]), 400
    hits = 0
    for key in range(keys):
        found = dif.simulate(graph, [0], runs=512, rng=key, threads=1).mean(confidence=confidence)
        hits += found.low <= want <= found.high
    assert covers_often_enough(hits, keys, confidence)


def test_intervals_after_stopping_cover_the_exact_spread():
    graph, want, keys = small(), exact([0]), 200
    found = [dif.spread(graph, [0], rel_error=0.033, rng=key, threads=1) for key in range(keys)]
    assert all(s.stopped_by == "precision" for s in found)
    assert covers_often_enough(sum(s.low <= want <= s.high for s in found), keys, 0.95)
    assert len({s.runs for s in found}) > 1


def test_paired_intervals_cover_the_exact_difference_and_are_shorter():
    graph, want, keys = small(), exact([0, 1]) - exact([0, 3]), 200
    hits, paired, unpaired = 0, [], []
    for key in range(keys):
        both = dif.compare(graph, {"a": [0, 1], "b": [0, 3]}, runs=512, rng=key, threads=1)
        gap = both.difference("a", "b")
        hits += gap.low <= want <= gap.high
        paired.append(gap.high - gap.low)
        unpaired.append(2 * 1.96 * math.hypot(*both.means["se"]))
    assert covers_often_enough(hits, keys, 0.95)
    assert np.mean(paired) < 0.8 * np.mean(unpaired)


def test_mean_interval():
    values = np.arange(1, 10_001)
    found = mean_interval(values, 0.95)
    assert (found.mean, found.se) == (5000.5, pytest.approx(values.std(ddof=1) / 100))
    for end in (found.mean - found.low, found.high - found.mean):  # not skewed: the normal one
        assert end == pytest.approx(1.959964 * found.se, rel=1e-3)
    assert mean_interval(np.array([5]), 0.95, exact=True) == (5.0, 0.0, 5.0, 5.0)
    assert np.isnan(mean_interval(np.array([5]), 0.95)[1:]).all()


def test_skewed_values_get_a_skewed_interval_of_usual_width():
    rng = np.random.default_rng(1)
    values = rng.geometric(0.3, 2000)
    found, mirrored = mean_interval(values, 0.95), mean_interval(-values, 0.95)
    assert found.high - found.mean > found.mean - found.low
    assert found.half == found.high - found.mean
    assert (mirrored.low, mirrored.high) == (pytest.approx(-found.high), pytest.approx(-found.low))
    assert found.high - found.low == pytest.approx(2 * 1.959964 * found.se, rel=0.02)
    # Hall's transformation, solved for its polynomial: at both ends it gives the t quantiles.
    a = float(((values - found.mean) ** 3).mean() / values.std(ddof=1) ** 3) / math.sqrt(2000)
    far, near = scipy.stats.t.ppf(0.975, 1 / a**2), scipy.stats.t.ppf(0.975, 1999)
    a *= 1 + a**2 / 2
    for end, want in ((found.low, near), (found.high, -far)):
        t = (found.mean - end) / found.se
        assert t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6 == pytest.approx(want)


def test_few_events_rest_on_what_a_run_can_give():
    """Without events the exact share that may hide times the largest size; equal events give the exact interval."""
    none = mean_interval(np.full(512, 3), 0.95, (3, 1003))
    hidden = 1 - 0.025 ** (1 / 512)
    assert (none.mean, none.se, none.low) == (3.0, 0.0, 3.0)
    assert none.high == pytest.approx(3 + 1000 * hidden)
    sizes = np.full(512, 1.0)
    sizes[:7] = 1001
    exact = scipy.stats.binomtest(7, 512).proportion_ci(0.95, method="exact")
    found = mean_interval(sizes, 0.95, (1, 1001))
    assert (found.low, found.high) == (pytest.approx(1 + 1000 * exact.low), pytest.approx(1 + 1000 * exact.high))
    mirrored = mean_interval(-sizes, 0.95, (-1001, -1))
    assert (mirrored.low, mirrored.high) == (pytest.approx(-found.high), pytest.approx(-found.low))
    sizes[:7] = [2, 2, 3, 4, 5, 6, 7]
    assert 1 <= mean_interval(sizes, 0.95, (1, 1001)).low < 1 + 22 / 512
    assert mean_interval(sizes, 0.95, (1, 1001)).high == pytest.approx(1 + 1000 * hidden, abs=0.2)
    assert mean_interval(sizes, 0.95).high == math.inf


def test_equal_sums_of_weights_in_another_order_are_no_events():
    values = np.full(512, 0.1 + 0.2 + 0.3)
    values[::2] = 0.3 + 0.2 + 0.1
    assert len(set(values.tolist())) == 2
    assert mean_interval(values, 0.95, (0.0, 10.0)).high > 0.6 + 0.05


COVERED = {
    "Poisson 0.8": lambda g, n: g.poisson(0.8, n),
    "negative binomial, k = 0.1": lambda g, n: g.negative_binomial(0.1, 0.1 / 0.9, n),
    "1,000 nodes in one run of 200": lambda g, n: 1000 * (g.random(n) < 0.005),
    "1,000 nodes in one run of 50": lambda g, n: 1000 * (g.random(n) < 0.02),
}
EXPECTED = {"Poisson 0.8": 0.8, "negative binomial, k = 0.1": 0.8}
EXPECTED |= {"1,000 nodes in one run of 200": 5.0, "1,000 nodes in one run of 50": 20.0}


@pytest.mark.parametrize("case", COVERED)
@pytest.mark.parametrize("runs", [128, 512])
def test_intervals_cover_skewed_and_rare_sizes(case, runs):
    rng, want, hits = np.random.default_rng(11), EXPECTED[case], 0
    for _ in range(400):
        found = mean_interval(COVERED[case](rng, runs), 0.95, (0, 1000))
        hits += found.low <= want <= found.high
    rare = "one run" in case
    assert 0.92 * 400 <= hits <= (400 if rare else 0.985 * 400)


def gate(p: float, followers: int = 1000) -> FollowerGraph:
    """One seed, 0, that reaches node 1 with probability p; from there everybody else follows for certain."""
    weight = [p] + [1.0] * (followers - 1)
    return FollowerGraph.from_arrays(
        [0] + [1] * (followers - 1),
        list(range(1, followers + 1)),
        weight=weight,
        edges_mean="influences",
        directed=True,
    ).with_probabilities("column")


@pytest.mark.parametrize("p", [0.001, 0.005])
def test_spread_of_rare_outbreaks_is_covered(p):
    graph, want = gate(p), 1 + 1000 * p
    found = [dif.spread(graph, [0], max_runs=2048, rng=key, threads=1) for key in range(120)]
    assert not any(s.stopped_by == "precision" for s in found)  # it never stops at zero variance
    assert sum(s.low <= want <= s.high for s in found) >= 0.92 * 120
    fixed = [dif.spread(graph, [0], runs=128, rng=key, threads=1) for key in range(120)]
    assert sum(s.low <= want <= s.high for s in fixed) >= 0.92 * 120
    assert all(s.low >= 1 and s.high <= 1001 for s in (*found, *fixed))


def test_paired_differences_of_rare_outbreaks_are_covered():
    graph, keys = gate(0.005), 120
    found = [dif.compare(graph, {"a": [0], "b": [2]}, runs=512, rng=key, threads=1) for key in range(keys)]
    gaps = [c.difference("a", "b") for c in found]
    assert sum(gap.low <= 5.0 <= gap.high for gap in gaps) >= 0.92 * keys
    assert all(gap.high > gap.low for gap in gaps)


def test_nodes_out_of_reach_do_not_widen_the_interval():
    """Seeds that can reach one node more are not unsure of the thousand others."""
    sources, targets = [0, *([2] * 1000)], [1, *range(3, 1003)]
    graph = FollowerGraph.from_arrays(sources, targets, edges_mean="influences", directed=True)
    found = dif.spread(graph.with_probabilities("constant", p=1e-6), [0], rng=1)
    assert (found.mean, found.stopped_by) == (1.0, "precision")
    assert 1 < found.high <= 1.01
    alone = dif.spread(graph.with_probabilities("constant", p=1e-6), [1], rng=1)
    assert (alone.low, alone.high) == (1.0, 1.0)


# -- spread ------------------------------------------------------------------------------------------------------------


def test_spread_stops_at_the_precision_asked_for():
    graph = random_graph(200, 700, rng=3).with_probabilities("weighted_cascade")
    last = 0
    for rel_error in (0.2, 0.05, 0.02, 0.01):
        found = dif.spread(graph, [0, 1], rel_error=rel_error, rng=4)
        assert found.stopped_by == "precision"
        assert found.rel_error <= rel_error
        assert max(found.high - found.mean, found.mean - found.low) == pytest.approx(found.rel_error * found.mean)
        assert found.runs >= last
        sizes = dif.simulate(graph, [0, 1], runs=found.runs, rng=4).sizes
        assert found.mean == sizes.mean()
        ends = [end for _, end in rounds(found.runs)]
        assert ends[-1] == found.runs
        earlier = [mean_interval(sizes[:end], 0.95) for end in ends[:-1]]
        assert all(each.half > rel_error * each.mean for each in earlier)
        last = found.runs
    assert last > 512


def test_spread_does_not_depend_on_threads():
    graph = random_graph(200, 700, rng=3).with_probabilities("weighted_cascade")
    one, two, four = (dif.spread(graph, [0, 1], rel_error=0.01, rng=4, threads=k) for k in (1, 2, 4))
    assert (one.mean, one.se, one.runs) == (two.mean, two.se, two.runs) == (four.mean, four.se, four.runs)


def test_spread_says_when_the_limit_came_first():
    graph = random_graph(200, 700, rng=3).with_probabilities("weighted_cascade")
    for limit in (1, 2, 511, 700, 1536):
        found = dif.spread(graph, [0, 1], rel_error=1e-5, max_runs=limit, rng=4)
        assert (found.runs, found.stopped_by) == (limit, "max_runs")
        assert "stopped by the run limit" in repr(found)
    assert np.isnan(dif.spread(graph, [0, 1], rel_error=1e-5, max_runs=1, rng=4).se)
    fixed = dif.spread(graph, [0, 1], runs=700, rng=4)
    assert (fixed.runs, fixed.stopped_by) == (700, "runs")
    assert fixed.mean == dif.spread(graph, [0, 1], rel_error=1e-5, max_runs=700, rng=4).mean


def test_rounds_are_looked_at_in_growing_steps():
    assert [end for _, end in rounds(10_000)] == [512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 10_000]
    for limit in (1, 512, 513, 99_999):
        ranges = list(rounds(limit))
        assert ranges[0][0] == 0
        assert ranges[-1][1] == limit
        assert all(a[1] == b[0] for a, b in pairwise(ranges))
        assert all(first % 512 == 0 for first, _ in ranges)


def test_spread_of_certain_outcomes():
    certain = small(Fraction(1))
    found = dif.spread(certain, [0], rng=1)
    assert (found.mean, found.se, found.runs) == (5.0, 0.0, 512)
    assert float(found) == 5.0
    assert found.to_pandas().shape == (1, 9)
    assert (found.low, found.high) == (5.0, 5.0)
    nobody = dif.spread(certain, [], rng=1)
    assert (nobody.mean, nobody.rel_error, nobody.stopped_by) == (0.0, 0.0, "precision")


def test_limits_are_those_of_arcs_that_may_and_must_fire():
    """Each end of an interval without events: seen less or more, times the chance that 20 runs may hide."""
    unseen, graph = 1 - 0.025 ** (1 / 20), gate(1e-6, 10)  # 0 -> 1 hardly ever, 1 -> 2 ... 9 always
    alone = dif.spread(graph, [0], runs=20, rng=1)
    assert (alone.mean, alone.low, alone.high) == (1.0, 1.0, pytest.approx(1 + 10 * unseen))
    both = dif.compare(graph, {"a": [0], "b": [1]}, runs=20, rng=1)  # 1 or 11 nodes, less 10 for certain
    gap = both.difference("a", "b")
    assert (gap.value, gap.low, gap.high) == (-9.0, -9.0, pytest.approx(-9 + 10 * unseen))
    back = both.difference("b", "a")
    assert (back.low, back.high) == (-gap.high, -gap.low)
    pair = FollowerGraph.from_arrays(
        [0, 1, 2], [2, 2, 3], weight=[1e-6, 1e-6, 1.0], edges_mean="influences", directed=True
    )
    two = dif.compare(pair.with_probabilities("column"), {"a": [0], "b": [1]}, runs=20, rng=1).difference("a", "b")
    assert (two.value, two.low, two.high) == (0.0, pytest.approx(-2 * unseen), pytest.approx(2 * unseen))
    nearly = FollowerGraph.from_arrays([0, 1], [1, 2], weight=[1 - 1e-6, 1.0], edges_mean="influences", directed=True)
    nearly = nearly.with_probabilities("column")
    found = dif.spread(nearly, [0], runs=20, rng=1)
    assert (found.mean, found.high, found.low) == (3.0, 3.0, pytest.approx(3 - 2 * unseen))
    linear = dif.spread(nearly.with_probabilities("lt"), [0], runs=20, model="lt", rng=1)
    assert (linear.mean, linear.low, linear.high) == (3.0, pytest.approx(3 - 2 * unseen), 3.0)
    halves = FollowerGraph.from_arrays([0, 1], [2, 2], weight=[1 - 1e-6, 1e-6], edges_mean="influences", directed=True)
    later = dif.spread(halves.with_probabilities("column"), [1], runs=20, model="lt", rng=1)  # its interval begins late
    assert (later.mean, later.low, later.high) == (1.0, 1.0, pytest.approx(1 + unseen))
    noisy = dif.spread(nearly, [0], runs=20, model=dif.Threshold(count=9, noise=1e-6), rng=1)
    assert (noisy.mean, noisy.low, noisy.high) == (1.0, 1.0, pytest.approx(1 + 2 * unseen))
    followed = dif.spread(nearly, [1], runs=20, model=dif.SIPS(1e-6), rng=1)
    assert (followed.mean, followed.high) == (1.0, pytest.approx(1 + unseen))
    fed = dif.spread(nearly, [1], runs=20, model=dif.SIPS(1e-6, feed=dif.models.Feed(impressions=1e-6)), rng=1)
    assert (fed.mean, fed.high) == (1.0, pytest.approx(1 + 2 * unseen))


# -- node weights ------------------------------------------------------------------------------------------------------

WEIGHED = (
    dif.IC(), dif.LT(), dif.Threshold(fraction=0.3, noise=0.05), dif.Threshold(count=2),
    dif.SIPS(0.3, dif.models.Funnel(share=0.5), dif.models.Feed(impressions=1)), dif.SIPS(0.5, identify=dif.models.Complex(2)),
    dif.SIPS(0.4, dif.models.Funnel(share=0.6), delay=dif.models.Delay("exponential")),
)  # fmt: skip


@pytest.mark.parametrize("model", WEIGHED, ids=lambda m: m.label)
@pytest.mark.parametrize("runs", [40, 700])
def test_weighted_sizes_are_those_of_replayed_runs(model, runs):
    """To the last bit: the weights of the nodes of every run, added in one order, whatever the threads."""
    graph = random_graph(90, 400, rng=6).with_probabilities("weighted_cascade")
    weights = pd.Series(np.random.default_rng(2).random(90).round(3) * (np.arange(90) % 3 > 0), index=graph.nodes)
    ens = dif.simulate(graph, [1, 4], model=model, runs=runs, node_weights=weights, rng=5, threads=2)
    plain = dif.simulate(graph, [1, 4], model=model, runs=runs, rng=5, threads=1)
    assert np.array_equal(ens.new_by_step, plain.new_by_step)
    order = pd.Index(graph.nodes[graph.index.order])  # the order of sums
    checked = range(runs) if runs < 100 else range(0, runs, 37)
    for run in checked:
        total = 0.0
        for at in np.sort(order.get_indexer(ens.replay(run).nodes)):
            total += weights[order[at]]
        assert ens.weights[run] == total
    assert ens.weights.mean() == pytest.approx((ens.activation_probability * weights).sum())
    assert (ens.mean().mean, ens.mean().unit) == (ens.weights.mean(), "node weight")
    assert "node weight" in repr(ens)
    assert ens.to_pandas()["weight"].tolist() == ens.weights.tolist()


def test_spread_and_compare_in_node_weight():
    graph = random_graph(90, 400, rng=6).with_probabilities("weighted_cascade")
    weights = {node: float(node % 4) for node in graph.nodes.tolist()}
    ens = dif.simulate(graph, [0, 4], runs=1500, node_weights=weights, rng=5)
    one = dif.spread(graph, [0, 4], runs=1500, node_weights=weights, rng=5)
    assert (one.mean, one.low, one.high, one.unit) == (ens.mean().mean, ens.mean().low, ens.mean().high, "node weight")
    assert "node weight" in repr(one)
    assert one.to_pandas()["unit"].item() == "node weight"
    assert one.provenance["unit"] == "node weight"
    precise = dif.spread(graph, [0, 4], node_weights=weights, rng=5)
    assert precise.stopped_by == "precision"
    assert precise.rel_error <= 0.01
    both = dif.compare(graph, {"a": [0, 4], "b": [1]}, runs=1500, node_weights=weights, rng=5)
    other = dif.spread(graph, [1], runs=1500, node_weights=weights, rng=5)
    assert both.means.loc["a", "mean"] == one.mean
    assert both.difference("a", "b").value == pytest.approx(one.mean - other.mean)
    assert both.unit == "node weight"
    assert "in node weight" in repr(both)
    plain = dif.spread(graph, [0, 4], runs=1500, rng=5)
    assert (plain.unit, plain.mean) == ("nodes", ens.sizes.mean())
    assert "nodes" in repr(plain)
    assert dif.spread(graph, [0, 4], runs=1500, node_weights=np.ones(90), rng=5).mean == plain.mean
    with pytest.raises(InputError, match="node_weights="):
        _ = dif.simulate(graph, [0], runs=2, rng=1).weights


def test_limits_in_node_weight():
    """Nobody of the audience was met: the interval goes up to what its reachable part weighs."""
    graph = gate(0.001, 10)
    weights = {node: 100.0 for node in range(2, 7)}
    found = dif.spread(graph, [0], runs=20, node_weights=weights, rng=1)
    assert (found.mean, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(500 * (1 - 0.025 ** (1 / 20)))
    assert math.isinf(found.rel_error)
    beyond = dif.spread(graph, [3], runs=20, node_weights=weights, rng=1)
    assert (beyond.mean, beyond.low, beyond.high) == (100.0, 100.0, 100.0)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ({0: -1.0}, "node_weights of 0 is -1"), ({0: math.nan}, "node_weights of 0 is nan"), ({0: 0.0}, "are all 0"),
        ({0: 1e308}, "do not fit"), ([1.0, 2.0], "has 2 values for 6 nodes"), ({0: "a"}, "no number"),
        (1.0, "has one values"), (pd.Series([1, 2], index=[0, 0]), "more than one value"),
    ],
)  # fmt: skip
def test_node_weights_that_are_refused(weights, match):
    for call in (dif.spread, dif.simulate):
        with pytest.raises(InputError, match=match):
            call(small(), [0], node_weights=weights)
    with pytest.raises(NotFoundError):
        dif.compare(small(), {"a": [0]}, node_weights="worth")
    with pytest.raises(NotFoundError):
        dif.spread(small(), [0], node_weights={77: 1.0})


# -- compare -----------------------------------------------------------------------------------------------------------


def test_compare_uses_the_same_worlds():
    graph = random_graph(100, 400, rng=5).with_probabilities("weighted_cascade")
    sets = {"one": [0], "two": [0, 5], "same": [5, 0], "none": []}
    found = dif.compare(graph, sets, runs=1000, rng=3, threads=2)
    for name, row in zip(found.names, found.sizes, strict=True):
        assert np.array_equal(row, dif.simulate(graph, sets[name], runs=1000, rng=3).sizes)
    assert (found.sizes[1] >= found.sizes[0]).all()
    equal = found.difference("two", "same")
    assert (equal.value, equal.low, equal.high) == (0.0, 0.0, 0.0)
    table = found.differences.set_index(["a", "b"])
    assert table.loc[("one", "two"), "verdict"] == "two larger"
    assert table.loc[("two", "same"), "verdict"] == "equal"
    assert len(table) == 6
    assert found.difference("two", "one").value == -found.difference("one", "two").value
    assert found.means.index.tolist()[-1] == "none"
    assert found.means["mean"].is_monotonic_decreasing
    assert found.to_pandas().equals(found.differences)
    assert "1,000 common worlds" in repr(found)
    assert found._repr_html_().count("<table") == 2


def test_compare_is_undecided_where_worlds_do_not_tell():
    """Two seeds with the same exact spread: the interval holds 0 in all but a few of many keys."""
    graph = FollowerGraph.from_arrays([0, 1], [2, 3], edges_mean="influences", directed=True).with_probabilities(
        "constant", p=0.5
    )
    verdicts = [
        dif.compare(graph, {"a": [0], "b": [1]}, runs=512, rng=key, threads=1).differences["verdict"].item()
        for key in range(200)
    ]
    assert covers_often_enough(verdicts.count("undecided"), 200, 0.95)


def test_compare_stops_when_every_mean_is_precise():
    graph = random_graph(100, 400, rng=5).with_probabilities("weighted_cascade")
    found = dif.compare(graph, {"a": [0], "b": [1, 2, 3]}, rel_error=0.02, rng=3)
    assert found.stopped_by == "precision"
    assert (found.means["rel_error"] <= 0.02).all()
    assert found.runs == max(dif.spread(graph, s, rel_error=0.02, rng=3).runs for s in ([0], [1, 2, 3]))
    limit = dif.compare(graph, {"a": [0], "b": [1]}, rel_error=1e-6, max_runs=600, rng=3)
    assert (limit.runs, limit.stopped_by) == (600, "max_runs")


def test_compare_of_a_deterministic_model():
    graph = random_graph(100, 400, rng=5)
    found = dif.compare(graph, {"a": range(30), "b": [1]}, model=dif.Threshold(fraction=0.3))
    assert (found.runs, found.stopped_by) == (1, "deterministic")
    gap = found.difference("a", "b")
    assert gap.value == gap.low == gap.high > 0
    assert found.differences["verdict"].item() == "a larger"


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [0, -1, 1.0, 2.5, True, "10", None, float("nan")])
def test_run_counts(runs):
    with pytest.raises(InputError, match="is out of range: give a whole number from 1"):
        dif.simulate(small(), [0], runs=runs)
    if runs is not None:
        with pytest.raises(InputError, match="runs="):
            dif.spread(small(), [0], runs=runs)
    with pytest.raises(InputError, match="max_runs="):
        dif.spread(small(), [0], max_runs=runs)
    with pytest.raises(InputError, match="max_runs="):
        dif.compare(small(), {"a": [0]}, max_runs=runs)


@pytest.mark.parametrize("rng", [-1, 1.5, "7", True, b"7"])
def test_seeds_of_randomness(rng):
    with pytest.raises(InputError, match="rng="):
        dif.simulate(small(), [0], rng=rng)


@pytest.mark.parametrize("threads", [0, -2, 1.0, True, "two"])
def test_thread_counts(threads):
    for call in (dif.simulate, dif.spread):
        with pytest.raises(InputError, match=r"threads=.* is not a thread count: give a whole number from 1"):
            call(small(), [0], threads=threads)


@pytest.mark.parametrize("value", [0, 0.0, -0.1, float("nan"), "x", None, True])
def test_precision(value):
    with pytest.raises(InputError, match="rel_error="):
        dif.spread(small(), [0], rel_error=value)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, 95, -0.1, float("nan"), "x", None, True])
def test_confidence(value):
    ens = dif.simulate(small(), [0], runs=5)
    for call in (
        lambda: dif.spread(small(), [0], confidence=value),
        lambda: dif.compare(small(), {"a": [0]}, confidence=value),
        lambda: ens.mean(confidence=value),
        lambda: ens.outbreak_probability(confidence=value),
        lambda: ens.die_out_probability(confidence=value),
    ):
        with pytest.raises(InputError, match="confidence="):
            call()


@pytest.mark.parametrize("share", [0, -0.1, 1.5, float("nan")])
def test_shares(share):
    with pytest.raises(InputError, match="share="):
        dif.simulate(small(), [0], runs=5).outbreak_probability(share)


@pytest.mark.parametrize("run", [-1, 1.0, True, "0", None, 2**63])
def test_run_numbers(run):
    with pytest.raises(InputError, match="give a whole number from 0"):
        dif.simulate(small(), [0], runs=5).replay(run)


@pytest.mark.parametrize("seed_sets", [[[0]], {}, None, "ab"])
def test_seed_sets(seed_sets):
    with pytest.raises(InputError, match="compare takes a mapping of names to seeds"):
        dif.compare(small(), seed_sets)


def test_names_of_seed_sets():
    with pytest.raises(InputError, match="the same name as text"):
        dif.compare(small(), {1: [0], "1": [1]})
    with pytest.raises(NotFoundError, match=r"'c' was not compared; there are 'a', 'b'"):
        dif.compare(small(), {"a": [0], "b": [1]}, runs=9).difference("a", "c")


@pytest.mark.parametrize(
    ("model", "error", "text"),
    [
        ("icc", NotFoundError, r"the model 'icc' is unknown: give IC\(\), Threshold.*Did you mean 'ic'"),
        (None, NotFoundError, "the model None is unknown"),
        (5, NotFoundError, "the model 5 is unknown"),
        ("threshold", InputError, r"needs its parameters: Threshold\(fraction=0.18\) or Threshold\(count=2\)"),
        (dif.Threshold, InputError, "needs its parameters"),
    ],
)
def test_unknown_models(model, error, text):
    with pytest.raises(error, match=text):
        dif.simulate(small(), [0], model=model)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "either fraction= .* or count="),
        ({"fraction": 0.5, "count": 2}, "either fraction= .* or count="),
        ({"fraction": 0}, "fraction=0 is out of range: give a number above 0 and at most 1"),
        ({"fraction": 1.01}, "fraction=1.01 is out of range"),
        ({"fraction": float("nan")}, "fraction=nan is not a number"),
        ({"fraction": True}, "fraction=True is not a number"),
        ({"fraction": [0.5]}, r"fraction=\[0.5\] is not a number"),
        ({"count": 0}, "count=0 is out of range: give a whole number from 1"),
        ({"count": 1.5}, "count=1.5 is out of range"),
        ({"count": True}, "count=True is out of range"),
        ({"count": 1, "noise": 1.5}, "noise=1.5 is not a probability"),
        ({"count": 1, "noise": float("nan")}, "noise=nan is not a probability"),
        ({"count": 1, "noise": None}, "noise=None is not a probability"),
    ],
)
def test_thresholds_refuse(options, text):
    with pytest.raises(InputError, match=text):
        dif.Threshold(**options)
    with pytest.raises(InputError, match=text):
        dif.threshold_cascade(small(), [0], **options)


def test_unknown_seeds_in_every_call():
    graph = small()
    for call in (
        lambda: dif.simulate(graph, [99]),
        lambda: dif.spread(graph, [0, 99]),
        lambda: dif.compare(graph, {"a": [0], "b": [99]}),
        lambda: dif.independent_cascade(graph, 99),
        lambda: dif.linear_threshold(small(Fraction(1, 4)), [99]),
        lambda: dif.threshold_cascade(graph, [99], count=1),
    ):
        with pytest.raises(NotFoundError, match="the node 99 is not in the graph of 6 nodes"):
            call()


# -- cascades ----------------------------------------------------------------------------------------------------------


def test_cascade_from_parents():
    cascade = dif.results.Cascade.from_parents(["c", "a", "d", "b"], ["b", None, "b", "a"])
    assert cascade.nodes.tolist() == ["a", "b", "c", "d"]
    assert cascade.step.tolist() == [0, 1, 2, 2]
    assert cascade.parent.tolist() == [-1, 0, 1, 1]
    assert (cascade.size, cascade.depth, cascade.max_breadth, cascade.breadth_by_step.tolist()) == (4, 2, 2, [1, 1, 2])
    assert cascade.to_pandas()["parent"].tolist()[1:] == ["a", "b", "b"]
    assert cascade.to_pandas()["parent"].isna().tolist() == [True, False, False, False]
    assert dif.results.Cascade.from_parents([5, 6], [float("nan"), 5]).to_pandas()["parent"].tolist()[1] == 5
    assert dif.results.Cascade.from_parents([], []).size == 0
    assert "4 nodes from 1 roots, depth 2" in repr(cascade)


@pytest.mark.parametrize(
    ("nodes", "parents", "text"),
    [
        (["a", "a"], [None, None], "the node 'a' appears twice"),
        (["a", "b"], [None], "nodes has 2 entries and parents 1"),
        (["a", "b"], [None, "z"], "the parent 'z' of 'b' is not a node"),
        (["a", "b", "r"], ["b", "a", None], "the parents of 'a' go round in a circle"),
        (["a"], ["a"], "circle"),
    ],
)
def test_cascade_from_bad_parents(nodes, parents, text):
    with pytest.raises(InputError, match=text):
        dif.results.Cascade.from_parents(nodes, parents)


def test_parents_of_a_cascade_are_labels():
    graph = random_graph(60, 300, rng=2).with_probabilities("constant", p=0.4)
    cascade = dif.independent_cascade(graph, [0], rng=3)
    table = cascade.to_pandas()
    assert table["parent"].isna().sum() == 1
    arcs = set(graph.to_networkx().edges)
    steps = dict(zip(table["node"], table["step"], strict=True))
    for node, step, parent in table.iloc[1:].itertuples(index=False):
        assert (parent, node) in arcs
        assert steps[parent] == step - 1
    again = dif.results.Cascade.from_parents(table["node"], table["parent"])
    assert again.breadth_by_step.tolist() == cascade.breadth_by_step.tolist()


def test_threads_share_nothing_they_should_not():
    """Many small calls with more threads than chunks, and chunks than threads."""
    graph = random_graph(40, 160, rng=2).with_probabilities("constant", p=0.3)
    want = dif.simulate(graph, [0], runs=5000, rng=1, threads=1)
    for threads in (3, 8, 64):
        assert np.array_equal(dif.simulate(graph, [0], runs=5000, rng=1, threads=threads).sizes, want.sizes)
