"""Every result of the package draws itself: nothing that a figure says is "nan", whatever the result is like."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import api_pages
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.text import Text

import diffusion as dif
from diffusion import inference, models, plotting, seeding, simulation, theory
from diffusion.errors import InputError
from diffusion.results import Cascade, Estimate

ONE = dif.FollowerGraph.from_arrays([], [], nodes=["alone"], edges_mean="influences", directed=True).with_probabilities(
    "constant", p=0.5
)
PAIR = dif.FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True).with_probabilities(
    "constant", p=1.0
)
GRAPH = dif.generate_platform(120, communities=3, mixing=0.2, rng=7).with_probabilities("weighted_cascade")
SURE = GRAPH.with_probabilities("constant", p=1.0)
NEVER = GRAPH.with_probabilities("constant", p=0.0)
FUNNEL = models.Funnel(0.8, 0.9, 0.8, 0.5)
LOG = inference.simulate_log(GRAPH, items=40, seeds=2, rng=7)
ONCE = inference.ActionLog.from_arrays([1, 1, 2], [0, 1, 0], [0.0, 1.0, 0.0])
FIT = inference.fit_probabilities(GRAPH, LOG.split(0.6)[0])


def ensembles(model: Any, graph: Any = GRAPH, seeds: Any = (0, 1)) -> Iterator[Any]:
    yield dif.simulate(graph, seeds, model=model, runs=30, rng=7)
    yield dif.simulate(graph, seeds, model=model, runs=1, rng=7)
    yield dif.simulate(ONE, ["alone"], model=model, runs=12, rng=7)


def basic() -> Iterator[Any]:
    yield from ensembles("ic")
    yield dif.simulate(GRAPH, [], runs=12, rng=7)
    yield dif.simulate(SURE, [0], runs=12, rng=7)
    yield dif.simulate(NEVER, [0], runs=12, rng=7)
    yield dif.simulate(GRAPH, [0, 1, 2], model=dif.Threshold(fraction=0.2))


def cascades() -> Iterator[Any]:
    yield dif.simulate_one(GRAPH, [0, 1], model="ic", rng=7)
    yield dif.simulate_one(ONE, ["alone"], model="ic", rng=7)
    yield Cascade.from_parents("abcd", [None, None, None, None])


def sips() -> Iterator[Any]:
    yield from ensembles(dif.SIPS(0.3, FUNNEL, models.Feed(impressions=2.0)))
    yield dif.simulate(GRAPH, [], model=dif.SIPS(0.3, FUNNEL), runs=12, rng=7)
    yield dif.simulate(GRAPH, [0], model=dif.SIPS(1e-9, FUNNEL), runs=12, rng=7)


def growths() -> Iterator[Any]:
    for ens in (*basic(), *sips()):
        if ens.runs >= 10:
            yield dif.growth(ens)


def ignitions() -> Iterator[Any]:
    for model, graph in (("ic", GRAPH), (dif.Threshold(fraction=0.3), GRAPH), ("ic", NEVER), ("ic", ONE)):
        yield simulation.ignition(graph, graph.nodes.tolist(), model=model, runs=64, rng=7)


def reproductions() -> Iterator[Any]:
    for graph in (GRAPH, SURE, NEVER, ONE, PAIR):
        yield simulation.reproduction(graph, max_runs=256, rng=7)
    yield simulation.reproduction(GRAPH, model=dif.Threshold(fraction=0.3), max_runs=256, rng=7)


def flows() -> Iterator[Any]:
    for ens in (dif.simulate(g, seeds, runs=12, rng=7) for g, seeds in ((GRAPH, [0]), (GRAPH, []), (SURE, [0]))):
        yield simulation.community_flow(ens)
    yield simulation.community_flow(dif.simulate(ONE, ["alone"], runs=12, rng=7), communities=["all"])


def comparisons() -> Iterator[Any]:
    for graph, runs in ((GRAPH, 64), (GRAPH, 1), (SURE, 64), (NEVER, 64)):
        yield dif.compare(graph, {"a": [0], "b": [1], "both": [0, 1]}, runs=runs, rng=7)
    yield dif.compare(GRAPH, {"a": [0], "again": [0]}, runs=64, rng=7)
    yield dif.compare(GRAPH, {"nobody": [], "empty": []}, runs=64, rng=7)
    yield dif.compare(ONE, {"alone": ["alone"]}, runs=64, rng=7)


def selections() -> Iterator[Any]:
    for method in ("opim", "celf", "degree", "random", "imm"):
        yield dif.select_seeds(GRAPH, 4, method=method, rng=7)
    yield dif.select_seeds(GRAPH, 3, method="degree", evaluate=True, rng=7)
    yield dif.select_seeds(GRAPH, 3, existing=[0], rng=7)
    yield dif.select_seeds(NEVER, 2, rng=7)
    yield dif.select_seeds(ONE, 1, rng=7)
    yield dif.select_seeds(GRAPH, budget=1.5, prices=dict.fromkeys(GRAPH.nodes, 1.0), rng=7)


EQUAL = dict.fromkeys(GRAPH.nodes, 1.0)


def curves() -> Iterator[Any]:
    for graph in (GRAPH, SURE, NEVER):
        yield seeding.budget_curve(graph, prices=EQUAL, max_rr_sets=4_000, rng=7)
    yield seeding.budget_curve(GRAPH, [0.0], prices=dict.fromkeys(GRAPH.nodes, 0.0), max_rr_sets=4_000, rng=7)
    yield seeding.budget_curve(ONE, prices=[2.0], max_rr_sets=4_000, rng=7)


def least_budgets() -> Iterator[Any]:
    for graph in (GRAPH, SURE, NEVER):
        yield seeding.min_budget(graph, 20, prices=EQUAL, max_rr_sets=4_000, rng=7)
    yield seeding.min_budget(GRAPH, 1, existing=[0], max_rr_sets=4_000, rng=7)
    yield seeding.min_budget(ONE, 1, prices=[0.0], max_rr_sets=4_000, rng=7)


def other_prices() -> Iterator[Any]:
    yield seeding.price_sensitivity(GRAPH, 5.0, prices=EQUAL, max_rr_sets=4_000, rng=7)
    yield seeding.price_sensitivity(NEVER, 5.0, prices=EQUAL, noise=0.2, draws=2, max_rr_sets=4_000, rng=7)
    yield seeding.price_sensitivity(ONE, 5.0, prices=[0.0], max_rr_sets=4_000, rng=7)


def instead() -> Iterator[Any]:
    yield seeding.substitutes(GRAPH, [0, 1, 2], 1, max_rr_sets=4_000, rng=7)
    yield seeding.substitutes(NEVER, [0], 0, n=1, prices=EQUAL, max_rr_sets=4_000, rng=7)


def strategies() -> Iterator[Any]:
    for graph, budgets in ((GRAPH, [1, 4, 40]), (NEVER, [1]), (ONE, [1])):
        yield dif.compare_strategies(graph, budgets, strategies=["random", "degree"], runs=64, rng=7)


def adaptive() -> Iterator[Any]:
    for graph, worlds in ((GRAPH, 20), (GRAPH, 2), (SURE, 5), (NEVER, 5)):
        yield seeding.adaptive_seeds(graph, 4, waves=2, method="degree", worlds=worlds, rng=7)


def responses() -> Iterator[Any]:
    for graph, runs in ((GRAPH, 64), (NEVER, 64)):
        yield seeding.best_response(graph, 1, brand="A", rivals={"B": [0]}, runs=64, evaluate_runs=runs, rng=7)


def rivals() -> Iterator[Any]:
    yield from (dif.simulate(GRAPH, s, model=models.CompetitiveIC(), runs=r, rng=7) for s, r in RIVALS)


RIVALS = (({"A": [0], "B": [1]}, 30), ({"A": [0], "B": [1]}, 1), ({"A": [], "B": []}, 12), ({"A": [0], "B": []}, 12))


def epidemics() -> Iterator[Any]:
    for model in (models.SIR(0.5), models.SIS(0.2, end=5.0), models.Rumour(0.5)):
        yield from ensembles(model)
    yield dif.simulate(GRAPH, [], model=models.SIR(0.5), runs=12, rng=7)


def fairness() -> Iterator[Any]:
    yield seeding.maximin_seeds(GRAPH, 3, rng=7)
    yield seeding.maximin_seeds(NEVER, 3, rng=7)


def prices_of_fairness() -> Iterator[Any]:
    for graph in (GRAPH, NEVER, SURE):
        yield seeding.price_of_fairness(graph, [0, 1], [2, 3], runs=64, rng=7)


def priced() -> Iterator[Any]:
    table = pd.DataFrame({"fans": [100, 300, 1000, 5000, 20000], "price": [50, 200, 600, 2000, 9000]})
    yield seeding.fit_prices(table, followers="fans", price="price")


def rr_sets() -> Iterator[Any]:
    for graph in (GRAPH, NEVER, SURE, ONE):
        yield seeding.sample_rr_sets(graph, 50, rng=7)


def partitions() -> Iterator[Any]:
    yield dif.communities(GRAPH, rng=7)
    yield dif.graph.Partition.from_labels(ONE, ["all"])
    yield dif.graph.Partition.from_labels(GRAPH, GRAPH.nodes.tolist())


def logs() -> Iterator[Any]:
    yield LOG
    yield inference.ActionLog.from_arrays(["item"], ["ann"], [0.0])


def learned() -> Iterator[Any]:
    yield FIT
    yield inference.fit_probabilities(GRAPH, LOG, method="bernoulli")
    yield inference.fit_probabilities(PAIR, ONCE, method="bernoulli")


def credits() -> Iterator[Any]:
    yield inference.credit_distribution(GRAPH, LOG)
    yield inference.credit_distribution(PAIR, ONCE)


def compared_fits() -> Iterator[Any]:
    yield inference.compare_fits({"em": FIT}, LOG.split(0.6)[1])


def checks() -> Iterator[Any]:
    yield inference.predictive_check(LOG.split(0.6)[1], {"em": FIT}, runs=200, rng=7)
    one = inference.ActionLog.from_arrays([1], [0], [0.0])
    yield inference.predictive_check(one, {"never": NEVER}, runs=200, rng=7)


def responses_to_exposure() -> Iterator[Any]:
    yield inference.exposure_response(GRAPH, LOG)
    yield inference.exposure_response(GRAPH, LOG, kind="snapshot")


FANS = np.random.default_rng(7)
NOTES = pd.DataFrame({"creator": np.repeat(np.arange(12), 4), "shown": 1000, "shares": FANS.poisson(40, 48)})
SESSIONS = pd.DataFrame({"user": np.arange(20), "shown": 50, "attended": FANS.binomial(50, 0.4, 20)})


def funnel_fits() -> Iterator[Any]:
    yield inference.fit_funnel(NOTES, impressions="shown", actions={"share": "shares"})


def etas() -> Iterator[Any]:
    for fit in funnel_fits():
        yield fit.eta(0.4, rng=7)
        yield fit.eta(0.4, survey="fixed", rng=7)


#: What makes the results of every class that draws, those included that have little or nothing to show.
MADE: dict[str, Callable[[], Iterator[Any]]] = {
    "results.Ensemble": basic,
    "results.Cascade": cascades,
    "results.Comparison": comparisons,
    "models.SIPSEnsemble": sips,
    "models.SIPSCascade": lambda: (ens.replay(0) for ens in ensembles(dif.SIPS(0.3, FUNNEL))),
    "models.CompetitiveEnsemble": rivals,
    "models.CompetitiveCascade": lambda: (ens.replay(0) for ens in rivals() if ens.sizes[0]),
    "models.EpidemicEnsemble": epidemics,
    "simulation.Growth": growths,
    "simulation.Reproduction": reproductions,
    "simulation.Ignition": ignitions,
    "simulation.CommunityFlow": flows,
    "graph.Partition": partitions,
    "seeding.SeedSelection": selections,
    "seeding.StrategyComparison": strategies,
    "seeding.AdaptiveSeeding": adaptive,
    "seeding.BestResponse": responses,
    "seeding.MaximinSelection": fairness,
    "seeding.FairnessPrice": prices_of_fairness,
    "seeding.BudgetCurve": curves,
    "seeding.MinBudget": least_budgets,
    "seeding.PriceSensitivity": other_prices,
    "seeding.Substitutes": instead,
    "seeding.PriceFit": priced,
    "seeding.RRSets": rr_sets,
    "theory.MessagePassing": lambda: (theory.message_passing(g, g.nodes[:1]) for g in (GRAPH, ONE, NEVER)),
    "theory.TwoCommunities": lambda: iter(
        [theory.two_communities(0.4, 8.0, 0.2, 0.3), theory.two_communities(0.9, 4, 0.1, 0)]
    ),
    "theory.Adoption": lambda: (
        theory.gleeson_cahalane(5.0, phi, r0) for phi, r0 in ((0.18, 0.01), (0.9, 0.0), (0.1, 1.0))
    ),
    "theory.FinalSize": lambda: iter(
        [theory.reed_frost(20, 0.1), theory.reed_frost(1, 0.0), theory.reed_frost(5, 1.0)]
    ),
    "inference.ActionLog": logs,
    "inference.FittedProbabilities": learned,
    "inference.CreditDistribution": credits,
    "inference.FitComparison": compared_fits,
    "inference.PredictiveCheck": checks,
    "inference.ExposureResponse": responses_to_exposure,
    "inference.FunnelFit": funnel_fits,
    "inference.EtaFit": etas,
    "inference.RateFit": lambda: iter([inference.fit_attention(SESSIONS)]),
}
#: Results that have nothing to draw, and why.
NOTHING = {
    "results.Estimate": "one number with its interval",
    "results.SpreadEstimate": "one number with its interval",
    "inference.Elasticity": "one number with its interval",
    "theory.WattsWindow": "two numbers: the ends of a window",
    "theory.CriticalValue": "one number, found by R at a few values that are not kept",
    "theory.Percolation": "numbers at one point: draw a call for each value of bond=",
    "theory.DirectedPercolation": "numbers at one point: draw a call for each value of bond=",
    "seeding.Certificate": "two bounds: drawn with the selection that holds it",
    "FollowerGraph": "no result but what results are made from: to_networkx and to_igraph hand it to drawing packages",
    "graph.TemporalGraph": "as FollowerGraph",
    "graph.TopicProbabilities": "no result: by_topic() is a short table",
    "StudyResult": "report() writes the page with its figures",
}


def words(ax: pyplot.Axes) -> list[str]:
    """Everything that the figure of these axes says, once it is drawn."""
    ax.figure.canvas.draw()
    return [text.get_text() for text in ax.figure.findobj(Text) if text.get_visible()]


def check_words(ax: pyplot.Axes) -> None:
    said = words(ax)
    assert any(said)
    assert [text for text in said if re.search(r"(?i)\b(nan|inf|none|nat)\b", text)] == []


@pytest.mark.parametrize("name", MADE)
def test_every_result_draws_itself_and_says_no_nan(name):
    kind, count = api_pages.value_of(name), 0
    for result in MADE[name]():
        assert type(result) is kind
        ax = result.plot()
        check_words(ax)
        _, mine = pyplot.subplots()
        assert result.plot(mine) is mine
        assert result.plot(ax=mine) is mine
        pyplot.close("all")
        count += 1
    assert count


@pytest.mark.parametrize("model", [dif.Threshold(fraction=0.3), dif.SIPS(0.3, FUNNEL, identify=models.Complex(2))])
def test_growth_without_R_is_drawn_without_a_number_for_it(model):
    found = dif.growth(dif.simulate(GRAPH, GRAPH.nodes[:3].tolist(), model=model, runs=12, rng=7))
    assert found.R.value != found.R.value
    ax = found.plot()
    check_words(ax)
    assert ax.get_title(loc="left") == "phase of growth: not applicable"


def test_every_public_result_is_drawn_or_named_with_the_reason():
    known = {id(api_pages.value_of(name)) for name in (*MADE, *NOTHING)}
    classes = {name: api_pages.value_of(name) for name in api_pages.public_names()}
    results = {name: value for name, value in classes.items() if inspect.isclass(value) and hasattr(value, "to_pandas")}
    assert [name for name, value in results.items() if id(value) not in known] == []
    assert [name for name in NOTHING if hasattr(api_pages.value_of(name), "plot")] == []
    assert all(NOTHING.values())


@pytest.mark.parametrize("name", [name for name in plotting.__all__ if name.startswith("plot_")])
def test_every_plot_takes_what_it_draws_then_axes_then_options_by_name(name):
    function = getattr(plotting, name)
    first, second, *rest = inspect.signature(function).parameters.values()
    assert first.default is first.empty
    assert (second.name, second.default) == ("ax", None)
    assert all(option.kind is option.KEYWORD_ONLY for option in rest)


def test_methods_that_plot_take_axes_first():
    found = 0
    for name in api_pages.public_names():
        value = api_pages.value_of(name)
        for method in (m for m in dir(value) if inspect.isclass(value) and re.match(r"plot(_|$)", m)):
            _, ax, *rest = inspect.signature(getattr(value, method)).parameters.values()
            assert (ax.name, ax.default) == ("ax", None)
            assert all(option.kind is option.KEYWORD_ONLY for option in rest)
            found += 1
    assert found > 30


def test_what_is_no_axes_is_refused_in_words():
    """An option that stands where axes belong is not taken for axes."""
    with pytest.raises(InputError, match=r"ax='channel' is no matplotlib axes"):
        next(sips()).plot_funnel("channel")
    for result in (next(basic()), next(selections()), next(strategies())):
        with pytest.raises(InputError, match="is no matplotlib axes"):
            result.plot("x")


# -- what is drawn is what the result holds ----------------------------------------------------------------------------


def lines(ax: pyplot.Axes) -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines]


def test_spread_against_k_is_on_a_linear_axis_and_adds_up():
    found = dif.select_seeds(GRAPH, 4, existing=[0], rng=7)
    ax = found.plot()
    x, y = lines(ax)[0]
    assert x == [0, 1, 2, 3, 4]
    assert y[0] == found.existing_spread
    assert y[1:] == pytest.approx(found.to_pandas()["spread"].tolist())
    heights = [line[1][0] for line in lines(ax)[1:]]
    assert found.lower in heights
    assert found.upper in heights
    compared = dif.compare_strategies(GRAPH, [1, 40, 100], strategies=["degree"], runs=64, rng=7).plot()
    assert [ax.get_xscale(), compared.get_xscale()] == ["linear", "linear"]


def test_a_ranking_shows_its_scores_and_promises_nothing():
    found = dif.select_seeds(GRAPH, 4, method="degree", rng=7)
    ax = found.plot()
    assert lines(ax)[0] == ([1, 2, 3, 4], found.scores.tolist())
    assert ax.get_title(loc="left") == "4 seeds by degree"
    assert "optimum" in dif.select_seeds(GRAPH, 4, rng=7).plot().get_title(loc="left")


def test_a_comparison_shows_its_means_and_says_the_paired_difference():
    found = dif.compare(GRAPH, {"one": [0], "three": [0, 1, 2]}, runs=512, rng=7)
    ax = found.plot()
    centres = [x[0] for x, _ in lines(ax) if len(x) == 1]
    assert centres == found.means["mean"].tolist()
    more = found.difference("three", "one")
    ends = plotting.spelled(more.value, more.low, more.high)
    assert ax.get_title(loc="left") == f"three reaches {ends} nodes more than one"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (Estimate(2.0, 1.0, 3.0, 0.95, 9), "a reaches 2 [1, 3] nodes more than b"),
        (Estimate(-2.0, -3.0, -1.0, 0.95, 9), "a reaches 2 [1, 3] nodes fewer than b"),
        (Estimate(0.5, -1.0, 2.0, 0.95, 9), "a and b cannot be told apart: 0.5 [−1, 2] nodes"),
        (Estimate(0.0, 0.0, 0.0, 0.95, 9), "a and b reach as many in every world"),
        (Estimate(2.0, float("nan"), float("nan"), 0.95, 1), "a less b: 2 nodes, in one world"),
    ],
)
def test_a_paired_difference_in_words(more, text):
    from diffusion.plotting.layout import told_apart

    assert told_apart("a", "b", more, "nodes") == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((2.0, 1.0, 3.0), "2 [1, 3]"),
        ((0.12345, 0.1, float("inf")), "0.123 [0.1, ∞]"),
        ((123.6, float("nan"), float("nan")), "124"),
        ((float("nan"), 1.0, 2.0), "not known"),
        ((float("inf"),), "∞"),
        ((-1e-7, -2e-7, 0.0), "−0.0000001 [−0.0000002, 0]"),
    ],
)
def test_numbers_are_spelled(values, text):
    assert plotting.spelled(*values) == text


def test_virality_is_drawn_against_size():
    ens = dif.simulate(GRAPH, [0, 1, 2], runs=40, rng=7)
    table = simulation.cascade_statistics([ens.replay(run) for run in range(25)])
    shown = table[table["structural_virality"].notna()]
    for ax in (plotting.plot_virality(ens, sample=25), plotting.plot_virality(table)):
        assert lines(ax)[0] == (shown["size"].tolist(), shown["structural_virality"].tolist())
        assert ax.get_title(loc="left").startswith("25 ")
    trees = plotting.plot_virality(Cascade.from_parents("abcde", [None, "a", "a", None, None]))
    assert lines(trees)[0] == ([3], [pytest.approx(4 / 3)])
    assert trees.get_title(loc="left").endswith("2 without two nodes in a tree: not drawn")
    for ax in (plotting.plot_virality(Cascade.from_parents("a", [None])), plotting.plot_virality(table.iloc[:0])):
        check_words(ax)
    with pytest.raises(InputError, match="no column 'size'"):
        plotting.plot_virality(pd.DataFrame({"a": [1]}))
    with pytest.raises(InputError, match="virality"):
        plotting.plot_virality([1, 2])


def test_shares_at_least_count_from_above():
    sets = seeding.sample_rr_sets(GRAPH, 200, rng=7)
    (x, y), *_ = lines(sets.plot())
    assert y == [float((sets.sizes >= at).mean()) for at in x]
    (x, y), *_ = lines(LOG.plot())
    assert y == pytest.approx([float((LOG.sizes >= at).mean()) for at in x])
    (x, y), *_ = lines(FIT.plot())
    assert y == pytest.approx([float((FIT.found.probability >= at).mean()) for at in x])


def test_bars_are_sizes_and_credits_largest_first():
    part = dif.communities(GRAPH, rng=7)
    assert [bar.get_width() for bar in part.plot().patches] == part.sizes.tolist()
    few = plotting.plot_partition(part, most=2)
    assert [bar.get_width() for bar in few.patches] == part.sizes.tolist()[:2]
    assert f"{part.n_communities} communities, the 2 largest drawn" in few.get_title(loc="left")
    found = inference.credit_distribution(GRAPH, LOG)
    top = found.gains().sort_values(ascending=False, kind="stable")[:20]
    ax = found.plot()
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(top.tolist())
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [str(label) for label in top.index]
    with pytest.raises(InputError, match="most"):
        plotting.plot_partition(part, most=0)


def test_the_critical_mass_is_where_the_line_stands():
    found = simulation.ignition(GRAPH, GRAPH.nodes.tolist(), model=dif.Threshold(fraction=0.3), rng=7)
    ax = found.plot()
    x, y = lines(ax)[0]
    rows = found.by_size.sort_values("seeds")
    assert (x, y) == (rows["seeds"].tolist(), rows["probability"].tolist())
    assert ([found.critical.value] * 2, [0, 1]) in lines(ax)
    assert ax.get_title(loc="left").startswith(f"More likely than not from {plotting.spelled(found.critical.value)}")


def test_theory_draws_what_it_holds():
    size = theory.reed_frost(12, 0.2)
    (bars,) = size.plot().collections
    tops = [segment[1] for segment in bars.get_segments()]
    assert np.array(tops)[:, 1].tolist() == size.probability.tolist()
    assert np.array(tops)[:, 0].tolist() == size.sizes.tolist()
    share = theory.gleeson_cahalane(5.0, 0.18, 0.01)
    assert lines(share.plot())[0][1] == share.by_step.tolist()


def test_rates_and_eta_draw_their_units_and_draws():
    fit = inference.fit_attention(SESSIONS)
    assert lines(fit.plot())[0][1] == sorted(fit.units["rate"])
    eta = next(etas())
    assert sum(bar.get_height() for bar in eta.plot().patches[1:]) == len(eta.draws)


def test_R_is_drawn_by_reach():
    graph = dif.generate_platform(3000, rng=7).with_probabilities("constant", p=0.08)
    found = simulation.reproduction(graph, max_runs=512, rng=7)
    assert len(found.by_reach) > 2
    ax = found.plot()
    points = next((x, y) for x, y in lines(ax) if len(x) > 2)
    assert points == (found.by_reach["reach"].tolist(), found.by_reach["R"].tolist())
    assert ax.get_title(loc="left").startswith(f"{found.phase}: R = ")
