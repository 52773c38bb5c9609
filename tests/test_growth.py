"""The claim of exponential growth against processes whose growth is known."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest

import diffusion as dif
from diffusion.cascades.growth import Growth, growth, growth_of_counts
from diffusion.errors import InputError

BIG = 10**7


def galton_watson(R, *, runs, steps, seed, seeds=1):
    rng = np.random.default_rng(seed)
    new = np.empty((runs, steps + 1), np.int64)
    new[:, 0] = seeds
    for t in range(steps):
        new[:, t + 1] = rng.poisson(R * new[:, t])
    return new


def random_graph(n, degree, seed=3):
    ends = np.random.default_rng(seed).integers(0, n, (2, n * degree // 2))
    return dif.FollowerGraph.from_arrays(*ends, directed=False, nodes=range(n))


def lattice(side, dimensions=2):
    ids = np.arange(side**dimensions).reshape((side,) * dimensions)
    a = np.concatenate([np.take(ids, range(side - 1), axis).ravel() for axis in range(dimensions)])
    b = np.concatenate([np.take(ids, range(1, side), axis).ravel() for axis in range(dimensions)])
    return dif.FollowerGraph.from_arrays(a, b, directed=False), int(ids[(side // 2,) * dimensions])


def measured(graph, seeds, p, runs=400, **options):
    return growth(dif.simulate(graph.with_probabilities("constant", p=p), seeds, runs=runs, rng=7), **options)


# -- branching processes with a known R ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("R", "runs", "steps", "phase"),
    [
        (0.8, 400, 60, "subcritical"), (0.9, 400, 60, "subcritical"), (1.2, 400, 35, "exponential"),
        (1.5, 300, 18, "exponential"), (2.0, 300, 11, "exponential"),
    ],
)  # fmt: skip
def test_interval_covers_the_known_r(R, runs, steps, phase):
    found = [
        growth_of_counts(galton_watson(R, runs=runs, steps=steps, seed=s), BIG, key=s, bootstrap=200, complete=False)
        for s in range(100)
    ]
    covered = np.mean([f.R.low <= R <= f.R.high for f in found])
    assert covered >= 0.87  # nominal 0.95; 0.87 is 3.7 standard errors below
    assert np.mean([f.R.value for f in found]) == pytest.approx(R, rel=0.01)
    assert sum(f.phase == phase for f in found) >= 97


@pytest.mark.parametrize("steps", [15, 100])
def test_the_critical_process_is_undecided(steps):
    new = [galton_watson(1.0, runs=400, steps=steps, seed=s) for s in range(100)]
    found = [growth_of_counts(n, BIG, key=1, bootstrap=200, complete=False) for n in new]
    assert np.mean([f.R.low <= 1 <= f.R.high for f in found]) >= 0.87
    assert sum(f.phase == "exponential" for f in found) <= 1
    assert sum(f.phase == "undecided" for f in found) >= 92


def test_nearly_critical_growth_needs_many_runs():
    few = growth_of_counts(galton_watson(1.05, runs=300, steps=60, seed=1), BIG, key=1, complete=False)
    many = growth_of_counts(galton_watson(1.05, runs=60_000, steps=60, seed=1), BIG, key=1, complete=False)
    assert few.phase == "undecided"
    assert many.phase == "exponential"
    assert many.R.low < 1.05 < many.R.high


def test_more_confidence_is_wider():
    new = galton_watson(1.5, runs=300, steps=15, seed=2)
    wide, narrow = (growth_of_counts(new, BIG, key=1, confidence=c, complete=False).R for c in (0.99, 0.8))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_groups_of_runs_say_what_runs_say():
    new = galton_watson(1.3, runs=4096, steps=22, seed=4)
    grouped = growth_of_counts(new, BIG, key=1, complete=False)
    from diffusion.cascades import _growth_fit

    before = _growth_fit.GROUPS
    try:
        _growth_fit.GROUPS = 10**9
        single = growth_of_counts(new, BIG, key=1, complete=False)
    finally:
        _growth_fit.GROUPS = before
    assert grouped.R.value == single.R.value
    assert grouped.R.high - grouped.R.low == pytest.approx(single.R.high - single.R.low, rel=0.15)


# -- simulated cascades --------------------------------------------------------------------------------------


@pytest.mark.parametrize("R", [1.2, 1.5, 2.0, 3.0])
def test_one_seed_on_a_large_random_graph_is_exponential(R):
    found = measured(random_graph(40_000, 5), [0], R / 5, runs=600)
    assert found.phase == "exponential", found.reason
    assert found.R.value == pytest.approx(R, rel=0.03)  # the one seed's own neighbourhood is not in the interval
    assert found.R.low > 1
    assert found.first == 1
    assert found.last - found.first >= 2
    assert found.doubling_time.value == pytest.approx(math.log(2) / math.log(R), rel=0.15)


def test_r_is_not_pulled_down_by_depletion():
    found = measured(random_graph(40_000, 5), [0], 0.4, runs=600)
    table = found.R_by_step
    inside = table[table["inside"]]
    pooled = (inside["R"] * inside["new"]).sum() / inside["new"].sum()
    assert pooled < 1.95
    assert abs(found.R.value - 2) < 0.04


@pytest.mark.parametrize("p", [0.1, 0.16])
@pytest.mark.parametrize("k", [1, 50])
def test_below_the_threshold_is_subcritical(p, k):
    graph = random_graph(20_000, 5)
    seeds = graph.out_degree.sort_values(ascending=False).index[:k].tolist()
    found = measured(graph, seeds, p)
    assert found.phase == "subcritical", found.reason
    assert found.R.value == pytest.approx(5 * p, rel=0.15)
    assert found.doubling_time.value == math.inf
    assert found.rate.high < 0
    assert "lies below 1" in repr(found)


def test_many_seeds_leave_no_early_phase():
    graph = random_graph(20_000, 5)
    tenth = measured(graph, range(2000), 0.4)
    assert (tenth.phase, tenth.first, tenth.last) == ("undecided", -1, -1)
    assert "of all nodes were active" in tenth.reason
    some = measured(graph, range(200), 0.4)
    assert some.phase == "undecided"
    assert some.R.low > 1
    assert "only 1 generation before 10% of the final reach was used up" in some.reason
    assert math.isnan(some.doubling_time.value)


def test_a_small_graph_is_used_up_at_once():
    found = measured(random_graph(300, 6), [0, 1, 2], 0.5)
    assert found.phase == "undecided"


def test_at_the_threshold_depletion_is_not_taken_for_decline():
    found = measured(random_graph(20_000, 5), range(200), 0.2)
    assert found.phase == "undecided"
    assert found.R.high < 1
    assert "nodes already active explain" in found.reason


@pytest.mark.parametrize(("side", "dimensions"), [(16, 2), (60, 2), (150, 2), (12, 3), (25, 3)])
@pytest.mark.parametrize("p", [0.7, 1.0])
def test_growth_in_space_is_not_exponential(side, dimensions, p):
    graph, middle = lattice(side, dimensions)
    found = measured(graph, [middle], p, runs=100)
    assert found.phase == "undecided"
    assert found.R.low > 1  # so R alone would have called it exponential
    assert "growth is slowing" in found.reason
    assert found.deceleration.value > 1 / 3
    assert math.isnan(found.doubling_time.value)
    if p == 1 and dimensions == 2:
        assert found.deceleration.value == pytest.approx(1, rel=0.01)  # new(t) = 4 t


def test_growth_in_space_from_a_block_is_not_exponential():
    graph, _ = lattice(120)
    block = [120 * i + j for i in range(55, 65) for j in range(55, 65)]
    found = measured(graph, block, 0.9, runs=100)
    assert found.phase == "undecided"
    assert "growth is slowing" in found.reason


def test_along_a_line_is_not_exponential():
    line = dif.FollowerGraph.from_arrays(np.arange(999), np.arange(1, 1000), directed=False)
    found = measured(line, [0], 1.0)
    assert found.phase == "undecided"
    assert (found.R.value, found.R.low, found.R.high) == pytest.approx((1, 1, 1))
    ring = dif.FollowerGraph.from_arrays(np.arange(1000), (np.arange(1000) + 1) % 1000, directed=False)
    assert measured(ring, [0], 1.0, runs=1).phase == "undecided"
    assert measured(ring, [0], 0.8).phase == "subcritical"


@pytest.mark.parametrize("p", [0.05, 0.5, 1.0])
def test_a_star_ends_after_one_step(p):
    star = dif.FollowerGraph.from_arrays(np.zeros(500, int), np.arange(1, 501), directed=False, nodes=range(10_000))
    found = measured(star, [0], p)
    assert found.phase == "subcritical"
    assert found.R.value == found.R.low == 0
    assert (found.R.high == 0) == (p == 1)  # with chance, none of N is not never
    assert found.rate.value == -math.inf


def test_nobody_but_the_seeds():
    graph = random_graph(100, 4)
    for seeds, p in (([0], 0.0), ([], 0.5)):
        found = measured(graph, seeds, p)
        assert found.phase == "undecided"
        assert "activated nobody" in found.reason
        assert math.isnan(found.R.value)


def test_a_deterministic_model_has_no_error():
    found = growth(dif.simulate(random_graph(10_000, 6), range(20), model=dif.Threshold(fraction=0.18), runs=50))
    assert found.R.low == found.R.value == found.R.high
    one = growth(dif.simulate(random_graph(10_000, 6), range(20), model=dif.Threshold(fraction=0.18), runs=1))
    assert one.R.value == found.R.value
    assert one.phase == found.phase


def test_too_few_runs_say_nothing():
    graph = random_graph(20_000, 5)
    for runs in (1, 9):
        found = measured(graph, [0], 0.6, runs=runs)
        assert found.phase == "undecided"
        assert math.isnan(found.R.low)
        assert "no interval" in found.reason
    equal = growth_of_counts(np.tile([1, 2, 4, 8, 16, 32, 64, 128, 256, 512], (50, 1)), BIG, key=1)
    assert equal.phase == "undecided"
    assert "all of them equal" in equal.reason
    certain = growth_of_counts(np.array([[1, 2, 4, 8, 16, 32, 64, 128, 256, 512]]), BIG, key=1, deterministic=True)
    assert certain.phase == "exponential"
    assert certain.R.value == pytest.approx(2)
    assert certain.doubling_time.value == pytest.approx(1)


def test_a_fall_before_the_rise_is_not_decline():
    new = np.zeros((200, 12), int)
    new[:, 0] = 5
    new[:, 1:] = np.random.default_rng(1).poisson([40, 20, 10, 5, 4, 8, 30, 90, 200, 300, 100], (200, 11))
    found = growth_of_counts(new, BIG, key=1)
    assert found.phase == "undecided"
    assert "a later step activates 7" in found.reason


def test_growth_is_early_up_to_a_tenth_of_what_can_be_reached():
    """The default, for everybody who measures growth: an ensemble, counts, and a study."""
    from diffusion.study import _cell

    for measure in (growth, growth_of_counts):
        assert inspect.signature(measure).parameters["depletion"].default == 0.1
    assert getattr(_cell, "DEPLETION", 0.1) == 0.1  # a study that names its own names the same
    ensemble = dif.simulate(random_graph(5000, 5).with_probabilities("constant", p=0.4), [0], runs=300, rng=1)
    assert growth(ensemble).R == growth(ensemble, depletion=0.1).R
    assert growth(ensemble).R != growth(ensemble, depletion=0.2).R


# -- the result ----------------------------------------------------------------------------------------------


def test_numbers_hang_together():
    new = galton_watson(1.5, runs=400, steps=15, seed=8)
    found = growth_of_counts(new, BIG, key=3, complete=False)
    table = found.R_by_step
    sums = new.sum(axis=0)
    assert list(table.columns) == ["step", "new", "cumulative", "R", "low", "high", "inside"]
    assert table["R"].to_numpy() == pytest.approx(sums[1:] / sums[:-1])
    assert table["new"].to_numpy() == pytest.approx(new.mean(axis=0)[:-1])
    assert table.loc[table["inside"], "step"].tolist() == list(range(found.first, found.last))
    assert (table["low"] <= table["R"]).all()
    assert (table["R"] <= table["high"]).all()
    reach = new.sum(axis=1).mean()
    assert new[:, : found.last + 1].sum(axis=1).mean() <= 0.1 * reach < new[:, : found.last + 2].sum(axis=1).mean()
    assert found.rate.value == pytest.approx(math.log(found.R.value))
    assert found.rate.low == pytest.approx(math.log(found.R.low))
    assert found.doubling_time.value == pytest.approx(math.log(2) / found.rate.value)
    assert found.doubling_time.high == pytest.approx(math.log(2) / found.rate.low)
    row = found.to_pandas().iloc[0]
    assert (row["R"], row["doubling_low"], row["phase"]) == (found.R.value, found.doubling_time.low, "exponential")


def test_doubling_is_open_above_where_the_rate_may_be_zero():
    found = [
        growth_of_counts(galton_watson(1.04, runs=200, steps=60, seed=s), BIG, key=1, complete=False) for s in range(10)
    ]
    open_above = [
        f for f in found if f.rate.low <= 0 < f.rate.high and f.last > 0 and not math.isnan(f.doubling_time.low)
    ]
    assert open_above
    for f in open_above:
        assert f.doubling_time.high == math.inf
        assert f.doubling_time.low == pytest.approx(math.log(2) / f.rate.high)


def test_same_key_same_intervals():
    ensemble = dif.simulate(random_graph(5000, 5).with_probabilities("constant", p=0.4), [0], runs=300, rng=1)
    a, b, c = growth(ensemble), growth(ensemble), growth(ensemble, rng=5)
    pd.testing.assert_frame_equal(a.R_by_step, b.R_by_step)
    assert a.R == b.R
    assert a.R != c.R
    assert a.R.value == c.R.value
    assert a.provenance["call"] == "growth"


def test_steps_after_the_end_change_nothing():
    new = galton_watson(0.7, runs=200, steps=40, seed=2)
    assert not new[:, -1].any()
    a = growth_of_counts(new, BIG, key=1)
    b = growth_of_counts(np.pad(new, ((0, 0), (0, 5))), BIG, key=1)
    assert a.R == b.R
    assert a.reason == b.reason


def test_says_what_it_found():
    below = growth_of_counts(galton_watson(0.8, runs=400, steps=60, seed=1), BIG, key=1)
    assert repr(below).startswith("Growth: no exponential phase: R = 0.")
    assert "400 runs" in repr(below)
    above = growth_of_counts(galton_watson(2.0, runs=400, steps=11, seed=1), BIG, key=1, complete=False)
    assert repr(above).startswith("Growth: exponential growth over steps 1-")
    assert "<table" in above._repr_html_()
    assert isinstance(above, Growth)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depletion": 0.0}, "depletion=0.0"), ({"depletion": 0.7}, "depletion=0.7"),
        ({"confidence": 95}, "confidence=95"), ({"bootstrap": 10}, "bootstrap=10"), ({"n_nodes": 0}, "n_nodes=0"),
        ({"new_by_step": [[1.5]]}, "whole numbers"), ({"new_by_step": [1, 2]}, "one row a run"),
        ({"new_by_step": [[1, -1]]}, "from 0"),
    ],
)  # fmt: skip
def test_wrong_input(options, message):
    options = {"new_by_step": np.ones((3, 3), int), "n_nodes": 10, "key": 1} | options
    with pytest.raises(InputError, match=message):
        growth_of_counts(options.pop("new_by_step"), options.pop("n_nodes"), **options)
