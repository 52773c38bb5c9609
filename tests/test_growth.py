"""The claim of exponential growth against processes whose growth is known."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest

import diffusion as dif
from diffusion._random import derive_key, generator, key_of
from diffusion.errors import InputError
from diffusion.simulation.growth import Growth, forecast, growth, growth_of_counts
from diffusion.simulation.growth_fit import fit_by_reach
from diffusion.simulation.runner import prepare

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


def of_counts(new, **options):
    return growth_of_counts(new, BIG, **options)


@pytest.mark.parametrize(
    ("R", "runs", "steps", "phase"),
    [
        (0.8, 400, 60, "declining"), (0.9, 400, 60, "declining"), (1.2, 400, 35, "exponential"),
        (1.5, 300, 18, "exponential"), (2.0, 300, 11, "exponential"),
    ],
)  # fmt: skip
def test_interval_covers_the_known_r(R, runs, steps, phase):
    found = [of_counts(galton_watson(R, runs=runs, steps=steps, seed=s), complete=R < 1) for s in range(100)]
    covered = np.mean([f.R.low <= R <= f.R.high for f in found])
    assert covered >= 0.87  # nominal 0.95; 0.87 is 3.7 standard errors below
    assert np.mean([f.R.value for f in found]) == pytest.approx(R, rel=0.01)
    assert sum(f.phase == phase for f in found) >= 95


def negative_binomial(R, k, *, runs, steps, seed):
    rng = np.random.default_rng(seed)
    new = np.zeros((runs, steps + 1), np.int64)
    new[:, 0] = 1
    for t in range(steps):
        mean = np.where(new[:, t] > 0, rng.gamma(np.maximum(k * new[:, t], 1e-9), R / k), 0.0)
        new[:, t + 1] = rng.poisson(mean)
    return new


@pytest.mark.parametrize(("R", "runs"), [(0.8, 128), (0.8, 512), (1.0, 128)])
def test_intervals_hold_for_offspring_with_a_heavy_tail(R, runs):
    found = [of_counts(negative_binomial(R, 0.1, runs=runs, steps=60, seed=s)).campaign for s in range(300)]
    covered = np.mean([f.low <= R <= f.high for f in found])
    assert 0.91 <= covered <= 0.985  # resampling of runs held 69 % (R = .8, 128 runs) and 47 % (R = 1)


@pytest.mark.parametrize("steps", [15, 100])
def test_the_critical_process_is_undecided(steps):
    new = [galton_watson(1.0, runs=400, steps=steps, seed=s) for s in range(100)]
    found = [of_counts(n, complete=False) for n in new]
    assert np.mean([f.campaign.low <= 1 <= f.campaign.high for f in found]) >= 0.87
    assert sum(f.phase == "exponential" for f in found) <= 1
    assert sum(f.phase == "undecided" for f in found) >= 92


def test_nearly_critical_growth_needs_many_runs():
    few = of_counts(galton_watson(1.05, runs=300, steps=60, seed=1), complete=False)
    many = of_counts(galton_watson(1.05, runs=60_000, steps=60, seed=1), complete=False)
    assert many.phase == "exponential"
    assert many.R.low < 1.05 < many.R.high
    assert few.R.high - few.R.low > 3 * (many.R.high - many.R.low)


def test_more_confidence_is_wider():
    new = galton_watson(1.5, runs=300, steps=15, seed=2)
    wide, narrow = (of_counts(new, confidence=c, complete=False).R for c in (0.99, 0.8))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_the_ratio_of_means_over_a_window_by_hand():
    new = np.array([[1, 2, 4, 0], [1, 1, 3, 0], [1, 0, 0, 0]] * 4)
    found = of_counts(new)
    assert found.campaign.value == pytest.approx((4 + 3 + 0 + 0) / (2 + 1 + 4 + 3))
    assert found.R_by_step["R"].tolist() == pytest.approx([1, 7 / 3, 0])


def test_by_hand_a_reach_bin_holds_what_was_known_at_its_step():
    new = np.array([[1, 7, 10, 12, 30, 0], [1, 0, 0, 0, 0, 0]])
    fit = fit_by_reach(new, 0.5, 0.95, final=100)
    assert fit.bins["sharers"].tolist() == [7, 10 + 12]  # reach 8; 18 and 30: the next doubling
    assert fit.bins["offspring"].tolist() == [10, 12 + 30]


def test_activations_beside_the_seeds_count():
    new = np.array([[100, 3, 3, 5, 6, 0]])
    fit = fit_by_reach(new, 0.5, 0.95, final=10_000)
    assert fit.bins["sharers"].sum() == 5 + 6  # 7 beside the seeds: from step 3 on (11), not at 3 or 6
    assert fit.bins["offspring"].sum() == 6


def test_each_half_of_the_runs_is_measured_in_the_window_of_the_other():
    new = np.zeros((40, 9), np.int64)
    new[::2] = [1, 2, 4, 8, 16, 32, 64, 128, 256]
    new[1::2] = [1, 1, 1, 1, 1, 1, 30, 60, 190]
    found = of_counts(new)
    even, odd = (of_counts(new[h::2]).last for h in (0, 1))
    assert even != odd
    assert found.halves == (odd, even)


# -- R of graph and model ------------------------------------------------------------------------------------


@pytest.mark.parametrize("R", [1.2, 1.5, 2.0, 3.0])
def test_a_large_random_graph_is_exponential(R):
    found = measured(random_graph(40_000, 5), [0], R / 5, runs=600)
    assert found.phase == "exponential", found.reason
    assert found.R_predicted == pytest.approx(R, rel=0.02)
    assert found.R.low < R < found.R.high
    assert found.R.value == pytest.approx(R, rel=0.03)
    assert found.doubling_time.value == pytest.approx(math.log(2) / math.log(R), rel=0.15)
    assert found.campaign_predicted == pytest.approx(found.campaign.value, rel=0.05)


def test_r_is_that_of_the_graph_whatever_the_seeds():
    graph = random_graph(20_000, 5).with_probabilities("constant", p=0.4)
    known = dif.simulation.reproduction(graph, rng=1)
    for seeds in ([0], range(2000), range(200)):
        found = growth(dif.simulate(graph, seeds, runs=200, rng=7), known=known)
        assert (found.phase, found.R) == ("exponential", known.R)
    assert found.campaign.high < known.R.low  # 200 seeds use up a part of the graph while this campaign is early


@pytest.mark.parametrize("R", [1.1, 1.3, 1.6])
@pytest.mark.parametrize("strategy", ["random", "degree", "head"])
def test_a_campaign_that_uses_up_its_surroundings_does_not_make_a_graph_subcritical(R, strategy):
    platform = dif.generate_platform(10_000, rng=7)
    unit = dif.theory.reproduction_number(platform.with_probabilities("constant", p=1.0))
    graph = platform.with_probabilities("constant", p=R / unit)
    seeds = dif.select_seeds(platform, 60 if strategy == "random" else 3, method=strategy, rng=1)
    found = growth(dif.simulate(graph, seeds, runs=256, rng=1))
    assert found.phase in ("exponential", "undecided"), found.reason
    assert found.R_predicted == pytest.approx(R, rel=1e-3)


@pytest.mark.parametrize("p", [0.1, 0.16])
@pytest.mark.parametrize("k", [1, 50])
def test_below_the_threshold_is_subcritical(p, k):
    graph = random_graph(20_000, 5)
    seeds = graph.out_degree.sort_values(ascending=False).index[:k].tolist()
    found = measured(graph, seeds, p)
    assert found.phase == "subcritical", found.reason
    assert found.R_predicted == pytest.approx(5 * p, rel=0.02)
    assert found.campaign.value == pytest.approx(5 * p, rel=0.15)
    assert "below 1: the spread dies out" in repr(found)


def test_a_dense_core_in_a_bulk_that_dies_out_is_a_verdict_of_its_own():
    rng = np.random.default_rng(5)
    n, size = 10_000, 40
    ends, clique = rng.integers(0, n, (2, 2 * n)), np.triu_indices(size, 1)
    graph = dif.FollowerGraph.from_arrays(*np.concatenate([ends, clique], axis=1), directed=False, nodes=range(n))
    found = dif.simulation.reproduction(graph.with_probabilities("constant", p=1.6 / 38), rng=1)
    assert (found.phase, found.cause) == ("core", "core")
    assert found.core_share == pytest.approx(size / n, abs=0.001)
    assert found.final_share < 0.01
    assert "among the others R is 0." in found.reason


@pytest.mark.parametrize(("side", "dimensions"), [(60, 2), (25, 3), (13, 4), (8, 5)])
@pytest.mark.parametrize("R", [1.3, 2.0])
def test_growth_in_space_is_not_exponential(side, dimensions, R):
    graph, _ = lattice(side, dimensions)
    unit = dif.theory.reproduction_number(graph.with_probabilities("constant", p=1.0), tol=1e-5)
    found = dif.simulation.reproduction(graph.with_probabilities("constant", p=R / unit), rng=1)
    assert found.predicted > 1  # R alone would have called it exponential
    assert found.phase == "undecided", found.reason
    if R == 2.0:
        assert found.cause == "slowing"
        assert "as for new activations that go as t^" in found.reason


def test_along_a_line_and_on_a_tree():
    line = dif.FollowerGraph.from_arrays(np.arange(999), np.arange(1, 1000), directed=False)
    assert measured(line, [0], 1.0).phase in ("undecided", "subcritical")
    ring = dif.FollowerGraph.from_arrays(np.arange(1000), (np.arange(1000) + 1) % 1000, directed=False)
    assert measured(ring, [0], 1.0, runs=20).phase == "undecided"
    assert measured(ring, [0], 0.8).phase == "subcritical"
    child = np.arange(1, 2**12 - 1)
    tree = dif.FollowerGraph.from_arrays((child - 1) // 2, child, edges_mean="influences", directed=True)
    found = measured(tree, [0], 0.9)  # R of a tree is 0, and yet this campaign grows for ten generations
    assert (found.phase, found.cause, found.R_predicted) == ("undecided", "transient", 0)


def test_a_star_ends_after_one_step():
    star = dif.FollowerGraph.from_arrays(np.zeros(500, int), np.arange(1, 501), directed=False, nodes=range(10_000))
    found = measured(star, [0], 0.5)
    assert (found.phase, found.R_predicted) == ("subcritical", 0)
    assert found.campaign.value == found.campaign.low == 0 < found.campaign.high


@pytest.mark.parametrize("model", [dif.Threshold(fraction=0.18), dif.SIPS(0.2, identify=dif.models.Complex(2))])
def test_r_does_not_exist_where_one_sharer_convinces_nobody(model):
    graph = random_graph(2000, 6)
    found = growth(dif.simulate(graph, range(20), model=model, runs=50, rng=1))
    assert (found.phase, found.cause) == ("not applicable", "no R")
    assert math.isnan(found.R.value)
    assert math.isnan(found.R_predicted)
    assert math.isnan(found.campaign_predicted)
    assert not math.isnan(found.R_by_step["R"][0])


def test_one_sharer_as_the_threshold_is_simple_identification():
    graph = random_graph(3000, 6)
    funnel = dif.models.Funnel(0.8, 0.3, 0.9, 0.5)
    one = dif.SIPS(0.5, funnel, dif.models.Feed(impressions=1.0), identify=dif.models.Complex(1))
    simple = dif.SIPS(0.5, dif.models.Funnel(0.8, 1.0, 0.9, 0.5), dif.models.Feed(impressions=1.0))
    radius = dif.theory.sips_graph_radius(graph, simple)
    assert dif.simulation.reproduction(graph, model=one, rng=1).predicted == pytest.approx(radius, rel=1e-4)


def test_r_of_sips_with_a_feed():
    graph = random_graph(20_000, 5)
    model = dif.SIPS(0.4, dif.models.Funnel(share=0.5), dif.models.Feed(impressions=1.0))
    found = dif.simulation.reproduction(graph, model=model, rng=1)
    assert found.predicted == pytest.approx(0.5 * (0.4 * 5 + 1.0), rel=0.02)
    assert found.phase == "exponential"
    assert found.R.low < 1.5 < found.R.high
    again = dif.simulation.reproduction(
        graph,
        model=dif.SIPS(0.4, dif.models.Funnel(share=0.5), dif.models.Feed(impressions=1.0), redraw=True),
        rng=1,
        max_runs=512,
    )
    assert again.R.low < 1.5 < again.R.high


def test_typical_runs_start_from_their_own_user():
    graph = random_graph(300, 4).with_probabilities("constant", p=0.4)
    users = np.random.default_rng(1).integers(0, 300, 700).astype(np.int32)
    for model in (
        dif.IC(),
        dif.SIPS(0.5, dif.models.Funnel(share=0.6), dif.models.Feed(impressions=0.7)),
        dif.SIPS(0.5, dif.models.Funnel(share=0.6), redraw=True),
    ):
        each = prepare(graph, model, [], 99).run_each(users).new[..., 0]
        for run in (0, 1, 63, 64, 511, 512, 699):
            label = graph.index.labels_of(users[run : run + 1]).tolist()
            alone = prepare(graph, model, label, 99).replay(run).steps
            alone = np.bincount(alone)
            assert each[run, : alone.size].tolist() == alone.tolist()
            assert not each[run, alone.size :].any()
        assert (each[:, 0] == 1).all()


def test_forecast_is_message_passing():
    graph = random_graph(500, 4).with_probabilities("constant", p=0.3)
    want = dif.theory.message_passing(graph, [0, 5], steps=12).new_by_step
    assert forecast(graph, "ic", [0, 5], steps=12) == pytest.approx(want, rel=1e-9)


def test_forecast_of_sips_and_linear_thresholds_on_a_tree():
    child = np.arange(1, 40)
    tree = dif.FollowerGraph.from_arrays((child - 1) // 3, child, edges_mean="influences", directed=True)
    tree = tree.with_probabilities("constant", p=0.6)
    models = (dif.LT(), dif.SIPS(0.6, dif.models.Funnel(0.9, 1.0, 0.8, 0.7)))
    for model in models:
        new = dif.simulate(tree, [0], model=model, runs=40_000, rng=3).new_by_step
        want = forecast(tree, model, [0], steps=new.shape[1] - 1)
        error = new.std(axis=0) / math.sqrt(len(new))
        assert (np.abs(new.mean(axis=0) - want) <= 4 * error + 1e-9).all()


def test_forecast_with_a_feed():
    graph = random_graph(4000, 5)
    model = dif.SIPS(0.2, dif.models.Funnel(share=0.3), dif.models.Feed(impressions=2.0))
    new = dif.simulate(graph, range(20), model=model, runs=1000, rng=3).new_by_step[:, :6]
    want = forecast(graph, model, range(20), steps=5)
    assert new.mean(axis=0) == pytest.approx(want, rel=0.02)
    less = forecast(graph, dif.SIPS(0.2, dif.models.Funnel(share=0.3)), range(20), steps=5)
    assert less[1:].sum() < 0.8 * want[1:].sum()


@pytest.mark.parametrize("own", [0.0, 0.4, 1.0])
def test_forecast_is_message_passing_over_follows_and_feed_written_out(own):
    """Two communities of unequal size, some follows mutual; what came from v says nothing new to v."""
    rng = np.random.default_rng(2)
    arcs = {(int(u), int(v)) for u, v in rng.integers(0, 12, (30, 2)) if u != v}
    arcs = sorted(arcs | {(v, u) for u, v in list(arcs)[::2]})
    graph = dif.FollowerGraph.from_arrays(
        *zip(*arcs, strict=True), edges_mean="influences", directed=True, nodes=range(12)
    )
    of = [int(v >= 8) for v in range(12)]
    graph = graph.with_node_data(community=of)
    a, funnel, m, size = 0.4, dif.models.Funnel(0.9, 0.8, 1.0, 0.7), 1.3, (8, 4)
    seeds = {0: 1.0, 9: 1.0}
    sharing, tells = [seeds.get(v, 0.0) for v in range(12)], {arc: seeds.get(arc[0], 0.0) for arc in arcs}
    reach = [2.0]
    for _ in range(6):
        missed = [
            math.exp(-sum(m * sharing[x] * ((1 - own) / 12 + own * (of[x] == of[v]) / size[of[v]]) for x in range(12)))
            for v in range(12)
        ]
        kept = {(u, v): 1 - a * tells[u, v] for u, v in arcs}

        def unexposed(v, without, missed=missed, kept=kept):
            return missed[v] * math.prod(q for (x, y), q in kept.items() if y == v and x != without)

        exposed = [1 if v in seeds else 1 - unexposed(v, None) for v in range(12)]
        sharing = [1 if v in seeds else funnel.rho * exposed[v] for v in range(12)]
        tells = {(u, v): 1 if u in seeds else funnel.rho * (1 - unexposed(u, v)) for u, v in arcs}
        reach.append(sum(exposed))
    model = dif.SIPS(a, funnel, dif.models.Feed(impressions=m, own_community=own))
    assert forecast(graph, model, [0, 9], steps=6) == pytest.approx(np.diff(reach, prepend=0), abs=1e-6)


# -- campaigns -----------------------------------------------------------------------------------------------


def test_at_the_threshold_depletion_is_not_taken_for_decline():
    ensemble = dif.simulate(random_graph(20_000, 5).with_probabilities("constant", p=0.2), range(200), runs=400, rng=7)
    found = of_counts_in(ensemble)
    assert found.phase == "undecided"
    assert found.R.high < 1
    assert "nodes already active explain" in found.reason


def of_counts_in(ensemble):
    return growth_of_counts(ensemble.new_by_step, ensemble.graph.n_nodes)


def test_nobody_but_the_seeds():
    graph = random_graph(100, 4)
    for seeds, p in (([0], 0.0), ([], 0.5)):
        found = measured(graph, seeds, p)
        assert math.isnan(found.campaign.value)
        assert growth_of_counts(np.ones((20, 1), int), 100).reason.startswith("the seeds activated nobody")


def test_too_few_runs_say_nothing():
    for runs in (1, 9):
        found = of_counts(galton_watson(2.0, runs=runs, steps=11, seed=1), complete=False)
        assert found.phase == "undecided"
        assert math.isnan(found.campaign.low)
    equal = of_counts(np.tile([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024], (50, 1)))
    assert equal.phase == "undecided"
    assert "all of them equal" in equal.reason
    certain = of_counts(np.array([[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]]), deterministic=True)
    assert certain.phase == "exponential"
    assert certain.R.value == pytest.approx(2)
    assert certain.doubling_time.value == pytest.approx(1)


def test_powers_of_time_are_not_exponential():
    for power in (1, 2, 3, 4):
        t = np.arange(1, 60)
        new = np.random.default_rng(power).poisson(3.0 * t**power, (200, t.size))
        new[:, 0] = 1
        found = of_counts(new)
        assert found.phase == "undecided", (power, found.reason)
        assert found.deceleration.low < 1.3 / (power + 1)
        assert found.deceleration.high > 0.1


def test_a_claim_needs_three_ratios():
    new = np.random.default_rng(1).poisson([1, 30, 900, 27_000], (400, 4))
    new[:, 0] = 1
    assert of_counts(new, complete=False).phase == "undecided"


def test_a_fall_before_the_rise_is_not_decline():
    new = np.zeros((200, 12), int)
    new[:, 0] = 5
    new[:, 1:] = np.random.default_rng(1).poisson([40, 20, 10, 5, 4, 8, 30, 90, 200, 300, 100], (200, 11))
    assert of_counts(new).phase == "undecided"


def test_growth_is_early_up_to_a_tenth_of_what_can_be_reached():
    """The default, for everybody who measures growth: an ensemble, counts, and a study."""
    from diffusion.study import cell

    for measure in (growth, growth_of_counts):
        assert inspect.signature(measure).parameters["depletion"].default == 0.1
    assert cell.DEPLETION == 0.1  # a study that names its own names the same
    ensemble = dif.simulate(random_graph(5000, 5).with_probabilities("constant", p=0.4), [0], runs=300, rng=1)
    assert growth(ensemble).R == growth(ensemble, depletion=0.1).R
    assert growth(ensemble).R != growth(ensemble, depletion=0.2).R


def early_steps(new, n, alive=None):
    """Steps from 1 on whose next step lies within a tenth of the final mean reach; if fewer than two, of all nodes.

    Up to the step at which nobody is new, in these runs or in those of `alive`.
    """
    alive = new if alive is None else alive
    reach = np.append(new.cumsum(axis=1).mean(axis=0), new.sum(axis=1).mean())
    steps = []
    for most in (0.1 * reach[-1], 0.1 * n):
        t, steps = 1, []
        while t < new.shape[1] and alive[:, t].any() and reach[t + 1] <= most:
            steps.append(t)
            t += 1
        if len(steps) > 1:
            break
    return steps


def ratio_in(new, steps):
    after = np.pad(new, ((0, 0), (0, 1)))
    return after[:, [t + 1 for t in steps]].sum(), new[:, steps].sum()


def campaign_ratio(new, n):
    """New(t + 1) over new(t), each half of the runs in the early steps of the other half."""
    parts = [ratio_in(new[h::2], early_steps(new[1 - h :: 2], n, new)) for h in (0, 1)]
    after, before = np.sum(parts, axis=0)
    return after / before


def test_the_window_of_a_campaign_is_a_tenth_by_default():
    graph = random_graph(5000, 5).with_probabilities("constant", p=0.4)
    ensemble = dif.simulate(graph, [0, 1], runs=300, rng=1)
    new = ensemble.new_by_step
    known = dif.simulation.reproduction(graph, max_runs=16, rng=1)
    for found in (growth(ensemble, known=known), growth_of_counts(new, 5000)):
        steps = early_steps(new, 5000)
        assert (found.first, found.last) == (1, steps[-1] + 1)
        assert found.campaign.value == pytest.approx(campaign_ratio(new, 5000))
    final = new.sum(axis=1)
    limit = 0.1 * final[final >= final.max() / 2].mean()
    assert found.why.numbers["limit"] == pytest.approx(limit)


def test_the_window_of_a_decline_is_a_tenth_of_all_nodes_by_default():
    new = galton_watson(0.8, runs=400, steps=80, seed=2, seeds=100)
    n = 4000  # 500 are reached in the end: a fifth of all nodes would be everything
    found = growth_of_counts(new, n)
    steps = early_steps(new, n)
    assert 2 < len(steps) < 10
    assert (found.first, found.last) == (1, steps[-1] + 1)
    assert found.campaign.value == pytest.approx(campaign_ratio(new, n))
    after, before = ratio_in(new, steps)
    assert (found.phase, found.R.value) == ("declining", pytest.approx(after / before))


def test_the_window_of_typical_cascades_is_a_tenth_by_default():
    """The pairs that R is fitted on, from the same cascades: reach from 8 to a tenth of the largest ones."""
    graph = random_graph(20_000, 5).with_probabilities("constant", p=0.4)
    found = dif.simulation.reproduction(graph, max_runs=1024, rng=5)
    key = key_of(5)
    share, _ = dif.IC().next_generation(graph).settled()
    users = generator(derive_key(key, "typical")).choice(graph.n_nodes, 1024, p=share).astype(np.int32)
    new = prepare(graph, "ic", [], derive_key(key, "worlds")).run_each(users).new[..., 0]
    final = new.sum(axis=1)
    limit = 0.1 * final[final >= final.max() / 2].mean()
    sharers = offspring = 0
    for run in np.pad(new, ((0, 0), (0, 1))):
        reach = run.cumsum()
        for t in range(1, len(run) - 1):
            if run[t] and 8 <= reach[t] <= limit:
                sharers, offspring = sharers + run[t], offspring + run[t + 1]
    assert found.runs == 1024
    assert found.why.numbers["limit"] == pytest.approx(limit)
    assert (found.by_reach["sharers"].sum(), found.by_reach["offspring"].sum()) == (sharers, offspring)


@pytest.mark.parametrize(("n", "phase"), [(10_000, "core"), (2500, "undecided")])
def test_growth_of_more_than_a_hundredth_of_the_users_is_not_that_of_a_core(n, phase):
    """40 users who all follow each other in a sparse crowd: .4 % and 1.6 % of it, and much the same cascades."""
    rng = np.random.default_rng(5)
    ends, clique = rng.integers(0, n, (2, n)), np.triu_indices(40, 1)
    graph = dif.FollowerGraph.from_arrays(*np.concatenate([ends, clique], axis=1), directed=False, nodes=range(n))
    found = dif.simulation.reproduction(graph.with_probabilities("constant", p=2.5 / 38), max_runs=2048, rng=1)
    assert found.core_share < 0.05
    assert (0.002 < found.final_share < 0.01) == (phase == "core")
    assert found.final_share < 0.04
    assert found.phase == phase


# -- the result ----------------------------------------------------------------------------------------------


def test_numbers_hang_together():
    new = galton_watson(1.5, runs=400, steps=15, seed=8)
    found = of_counts(new, complete=False)
    table = found.R_by_step
    sums = new.sum(axis=0)
    assert list(table.columns) == ["step", "new", "cumulative", "R", "low", "high", "predicted", "inside"]
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


def test_same_key_same_result():
    ensemble = dif.simulate(random_graph(5000, 5).with_probabilities("constant", p=0.4), [0], runs=300, rng=1)
    a, b, c = growth(ensemble), growth(ensemble), growth(ensemble, rng=5)
    pd.testing.assert_frame_equal(a.R_by_step, b.R_by_step)
    assert a.R == b.R
    assert a.R != c.R
    assert a.campaign == c.campaign
    assert a.provenance["call"] == "growth"
    one = dif.simulation.reproduction(ensemble.graph, rng=3, threads=1)
    assert one.R == dif.simulation.reproduction(ensemble.graph, rng=3, threads=2).R


def test_steps_after_the_end_change_nothing():
    new = galton_watson(0.7, runs=200, steps=40, seed=2)
    assert not new[:, -1].any()
    a = of_counts(new)
    b = of_counts(np.pad(new, ((0, 0), (0, 5))))
    assert a.R == b.R
    assert a.reason == b.reason


def test_says_what_it_found():
    below = of_counts(galton_watson(0.8, runs=400, steps=60, seed=1))
    assert repr(below).startswith("Growth: declining: R of these counts is 0.")
    assert "400 runs" in repr(below)
    above = of_counts(galton_watson(2.0, runs=400, steps=11, seed=1), complete=False)
    assert repr(above).startswith("Growth: exponential, doubling every ")
    assert "<table" in above._repr_html_()
    assert isinstance(above, Growth)


def test_early_means_a_tenth():
    for call in (growth, growth_of_counts, dif.simulation.reproduction):
        assert inspect.signature(call).parameters["depletion"].default == 0.1
    new = galton_watson(1.5, runs=400, steps=15, seed=8)
    a, b = (of_counts(new, complete=False, **options) for options in ({}, {"depletion": 0.1}))
    assert (a.first, a.last, a.R) == (b.first, b.last, b.R)
    assert of_counts(new, complete=False, depletion=0.2).last > a.last


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depletion": 0.0}, "depletion=0.0"), ({"depletion": 0.7}, "depletion=0.7"),
        ({"confidence": 95}, "confidence=95"), ({"n_nodes": 0}, "n_nodes=0"),
        ({"new_by_step": [[1.5]]}, "whole numbers"), ({"new_by_step": [1, 2]}, "one row a run"),
        ({"new_by_step": [[1, -1]]}, "from 0"),
    ],
)  # fmt: skip
def test_wrong_input(options, message):
    options = {"new_by_step": np.ones((3, 3), int), "n_nodes": 10} | options
    with pytest.raises(InputError, match=message):
        growth_of_counts(options.pop("new_by_step"), options.pop("n_nodes"), **options)
