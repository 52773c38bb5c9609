"""Figures of campaigns: what is drawn is what the results hold, and places in drawings do what they promise."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.patches import Circle, FancyArrowPatch

import diffusion as dif
from diffusion import plotting as plots
from diffusion.errors import InputError, NotFoundError
from diffusion.models.sips.parts import STAGES
from diffusion.plotting.layout import circle_places, largest_cells, tree_places, tree_sample


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def graph() -> dif.FollowerGraph:
    return dif.generate_platform(1500, communities=4, mixing=0.1, rng=7)


@pytest.fixture(scope="module")
def ens(graph: dif.FollowerGraph) -> dif.models.SIPSEnsemble:
    model = dif.SIPS(attention=0.2, funnel=dif.models.Funnel(0.8, 0.9, 0.8, 0.5), feed=dif.models.Feed(impressions=2))
    return dif.simulate(graph, graph.out_degree.nlargest(2).index, model=model, runs=60, rng=7)


def _close_to_white(colour: str) -> bool:
    return min(mpl.colors.to_rgb(colour)) > 0.95


def _draw(ax: pyplot.Axes) -> None:
    ax.figure.canvas.draw()


# --- funnel ------------------------------------------------------------------------------------------------------------


def test_funnel_draws_the_table_and_writes_its_rates(ens):
    ax = ens.plot_funnel()
    table = ens.funnel()
    whole = [line for line in ax.lines if len(line.get_xdata()) == 5]
    assert len(whole) == 1
    np.testing.assert_allclose(whole[0].get_xdata(), table["users"])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(STAGES)
    written = [text.get_text() for text in ax.texts]
    assert written == [f"{100 * rate:.3g} % of them" for rate in table["rate"][1:]]
    assert "60 runs" in ax.get_xlabel()
    assert "95 % interval" in ax.get_xlabel()
    _draw(ax)


def test_funnel_by_group_has_one_line_a_group_and_uses_the_axes_given(ens):
    _, ax = pyplot.subplots()
    assert plots.plot_funnel(ens, ax, by="channel") is ax
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["follow", "feed"]
    by_community = plots.plot_funnel(ens, by="community", sample=10)
    table = ens.funnel("community", sample=10)
    lines = [line for line in by_community.lines if len(line.get_xdata()) == 5]
    for line, name in zip(lines, table.index.get_level_values(0).unique(), strict=True):
        np.testing.assert_allclose(line.get_xdata(), table.loc[name, "users"].where(table.loc[name, "users"] > 0))
    assert "10 runs" in by_community.get_xlabel()


def test_a_funnel_that_runs_dry_is_drawn_as_far_as_it_goes(graph):
    model = dif.SIPS(attention=0.5, funnel=dif.models.Funnel(share=0.0))
    ens = dif.simulate(graph, graph.out_degree.nlargest(1).index, model=model, runs=20, rng=1)
    ax = plots.plot_funnel(ens)
    line = next(line for line in ax.lines if len(line.get_xdata()) == 5)
    assert np.isnan(np.asarray(line.get_xdata(), float)).tolist() == [False] * 4 + [True]
    _draw(ax)


# --- reach ---------------------------------------------------------------------------------------------------------------


def test_the_reach_curve_is_cumulative_and_ends_at_the_median_size(ens):
    ax = plots.plot_reach_curve(ens)
    curve = ax.lines[0].get_ydata()
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == np.median(ens.sizes)
    assert "middle 95 % of 60 runs" in ax.get_xlabel()


def test_the_log_curve_draws_mean_new_users_and_the_fit_at_its_slope():
    ends = np.random.default_rng(1).integers(0, 20_000, (2, 50_000))
    g = dif.FollowerGraph.from_arrays(*ends, directed=False).with_probabilities("constant", p=0.4)
    ens = dif.simulate(g, [0], runs=200, rng=7)
    found = dif.growth(ens)
    ax = plots.plot_reach_curve(ens, scale="log", growth_of=found)
    assert ax.get_yscale() == "log"
    line, fit = ax.lines
    np.testing.assert_allclose(line.get_ydata(), ens.new_by_step.mean(axis=0))
    x, y = np.asarray(fit.get_xdata()), np.asarray(fit.get_ydata())
    np.testing.assert_allclose(np.diff(np.log(y)) / np.diff(x), np.log(found.R.value))
    assert (x.min(), x.max()) == (found.first, found.last)
    assert ax.get_title(loc="left").startswith("exponential: R = ")
    assert f"doubles every {found.doubling_time.value:.3g} steps" in [text.get_text() for text in ax.texts]
    _draw(ax)


def test_delays_turn_the_axis_into_hours(graph):
    model = dif.SIPS(attention=0.2, funnel=dif.models.Funnel(share=0.3), delay=dif.models.Delay(mean=12, bin=6))
    ens = dif.simulate(graph, graph.out_degree.nlargest(2).index, model=model, runs=20, rng=7)
    ax = plots.plot_reach_curve(ens, scale="log")
    assert ax.get_xlabel().startswith("hours")
    assert "a generation" in ax.get_title(loc="left")
    assert ax.lines[0].get_xdata()[1] == 6
    few = dif.simulate(graph, graph.nodes[:1], model=model, runs=3, rng=7)
    assert plots.plot_reach_curve(few).get_title(loc="left") == ""  # too few runs for a verdict, so none is given


# --- tables --------------------------------------------------------------------------------------------------------------


def _table() -> pd.DataFrame:
    rows = [
        (mu, name, top * mu, top * mu - 1, top * mu + 1, 300)
        for name, top in (("random", 10.0), ("degree", 40.0), ("opim", 90.0))
        for mu in (0.4, 0.1, 0.2)
    ]
    return pd.DataFrame(rows, columns=["mixing", "strategy", "reach", "reach_low", "reach_high", "runs"])


def test_reach_against_mixing_has_a_line_a_strategy_in_order_of_mixing():
    ax = plots.plot_reach_against_mixing(_table())
    assert [line.get_xdata()[0] for line in ax.lines] == [0.1] * 3
    np.testing.assert_allclose(ax.lines[2].get_ydata(), [9.0, 18.0, 36.0])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["opim", "degree", "random"]
    assert "bands: 95 % interval over 300 runs" in ax.get_xlabel()
    assert len(ax.collections) == 3


def test_reach_against_mixing_names_no_band_where_there_is_none():
    ax = plots.plot_reach_against_mixing(_table().drop(columns=["reach_low", "reach_high"]))
    assert "band" not in ax.get_xlabel()


def test_cost_by_tier_draws_cost_per_user_of_each_tier(graph):
    model = dif.SIPS(attention=0.2, funnel=dif.models.Funnel(share=0.1))
    tiers = {
        tier: dif.simulate(graph, dif.select_seeds(graph, 2, method=tier, rng=1), model=model, runs=30, rng=7)
        for tier in ("amateur", "tail")
    }
    ax = plots.plot_cost_by_tier(tiers)
    drawn = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(drawn, [ens.costs()["cost_per_reach"] for ens in tiers.values()])
    assert "30 runs" in ax.get_xlabel()
    same = plots.plot_cost_by_tier({name: ens.costs() for name, ens in tiers.items()}, per="participation")
    assert "participation" in same.get_xlabel()


def test_a_tier_that_shares_nothing_is_named_and_not_drawn():
    none = pd.Series({"cost_per_share": np.inf, "cost_per_share_low": np.inf, "cost_per_share_high": np.inf})
    some = pd.Series({"cost_per_share": 4.0, "cost_per_share_low": 3.0, "cost_per_share_high": np.inf})
    ax = plots.plot_cost_by_tier({"tail": none, "head": some}, per="share")
    assert [text.get_text() for text in ax.texts] == ["nobody: no cost", "4"]
    _draw(ax)


# --- drawings --------------------------------------------------------------------------------------------------------------


def test_the_map_has_a_circle_a_community_with_area_by_members_and_arrows_for_the_flux(ens):
    flow = dif.simulation.community_flow(ens, runs=30)
    ax = plots.plot_community_map(flow, carried=1.0)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle)]
    sizes = np.sort(flow.sizes)[::-1]
    np.testing.assert_allclose([c.radius**2 / circles[0].radius ** 2 for c in circles], sizes / sizes[0])
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    crossing = flow.flux.to_numpy().copy()
    np.fill_diagonal(crossing, 0)
    assert len(arrows) == (crossing > 0).sum()
    fewer = plots.plot_community_map(flow, carried=0.5)
    drawn = [patch for patch in fewer.patches if isinstance(patch, FancyArrowPatch)]
    assert 0 < len(drawn) < len(arrows)
    assert "30 runs" in ax.get_title(loc="left")
    two = plots.plot_community_map(flow, most=2)
    assert sum(isinstance(patch, Circle) for patch in two.patches) == 2
    assert "2 of 4 communities" in two.get_title(loc="left")
    _draw(ax)


def test_a_community_that_was_never_entered_is_white():
    g = dif.FollowerGraph.from_arrays([0, 2], [1, 3], edges_mean="influences", directed=True)
    g = g.with_probabilities("constant", p=1.0).with_node_data(community=["a", "a", "b", "b"])
    ax = plots.plot_community_map(dif.simulation.community_flow(dif.simulate(g, [0], runs=5, rng=1)))
    a, b = (patch for patch in ax.patches if isinstance(patch, Circle))
    assert _close_to_white(b.get_facecolor())
    assert not _close_to_white(a.get_facecolor())
    assert not [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def test_the_map_is_the_same_each_time(ens):
    flow = dif.simulation.community_flow(ens, runs=20)
    first, second = (
        [patch.center for patch in plots.plot_community_map(flow).patches if isinstance(patch, Circle)]
        for _ in range(2)
    )
    assert first == second


@given(st.integers(1, 30), st.integers(0, 2**32))
def test_circles_do_not_overlap(n: int, key: int):
    draw = np.random.default_rng(key)
    radius = np.sqrt(draw.pareto(1.5, n) + 1)
    radius *= np.sqrt(0.16 / (radius**2).sum())
    weight = np.triu(draw.random((n, n)) * (draw.random((n, n)) < 0.3), 1)
    place = circle_places(weight + weight.T, radius)
    low, high = np.triu_indices(n, 1)
    assert np.isfinite(place).all()
    assert (np.hypot(*(place[low] - place[high]).T) >= 1.02 * (radius[low] + radius[high])).all()


def test_the_largest_cells_hold_the_share_and_no_cell_too_many():
    crossing = np.array([[0.0, 5.0, 1.0], [3.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert largest_cells(crossing, 0.5) == [(0, 1)]
    assert largest_cells(crossing, 0.8) == [(0, 1), (1, 0)]
    assert len(largest_cells(crossing, 1.0)) == 4
    assert largest_cells(np.zeros((2, 2)), 0.8) == []


def test_a_tree_has_every_user_at_its_distance_from_the_root():
    cascade = dif.results.Cascade.from_parents("abcdef", [None, "a", "a", "b", "d", "a"])
    ax = plots.plot_cascade_tree(cascade)
    place = np.asarray(ax.collections[-1].get_offsets())
    depth = [0, 1, 1, 1, 2, 3]
    np.testing.assert_allclose(np.hypot(*place.T), depth, atol=1e-9)
    assert ax.get_title(loc="left") == "6 users, depth 3"
    _draw(ax)


def test_several_roots_lie_on_the_first_ring():
    place, depth = tree_places(np.array([-1, -1, 0, 1, 3]))
    assert depth.tolist() == [0, 0, 1, 1, 2]
    np.testing.assert_allclose(np.hypot(*place.T), depth + 1, atol=1e-9)


@given(st.integers(1, 300), st.integers(2, 60), st.integers(0, 2**32))
def test_a_sample_of_a_tree_is_a_forest_of_the_size_asked_with_its_longest_path(n: int, most: int, key: int):
    draw = np.random.default_rng(key)
    parent = np.array([-1 if i == 0 or draw.random() < 0.05 else draw.integers(0, i) for i in range(n)], np.int32)
    keep = tree_sample(parent, most, key)
    assert keep.size == min(n, most)
    assert np.isin(parent[keep], [-1, *keep.tolist()]).all()
    depth = np.zeros(n, int)
    for i in range(n):
        depth[i] = 0 if parent[i] < 0 else depth[parent[i]] + 1
    assert depth[keep].max() == min(depth.max(), most - 1)


def test_a_large_campaign_is_sampled_and_says_so(ens):
    run = int(np.argmax(ens.sizes))
    cascade = ens.replay(run)
    ax = plots.plot_cascade_tree(cascade, most=50)
    assert f"{cascade.size:,} users" in ax.get_title(loc="left")
    assert "50 of them drawn" in ax.get_title(loc="left")
    dots = sum(len(c.get_offsets()) for c in ax.collections if c.get_label().startswith(("by", "seeded")))
    assert dots == 50
    assert "seeded creator" in [text.get_text() for text in ax.get_legend().get_texts()]
    _draw(ax)


# --- bad input -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: plots.plot_funnel("ens"), InputError, "not an ensemble of SIPS"),
        (lambda: plots.plot_reach_curve(3), InputError, "not an ensemble"),
        (lambda: plots.plot_reach_against_mixing(pd.DataFrame({"mix": [1]})), NotFoundError, "Did you mean"),
        (lambda: plots.plot_reach_against_mixing(_table()[:0]), InputError, "no rows"),
        (lambda: plots.plot_cost_by_tier({}), InputError, "nothing to draw"),
        (lambda: plots.plot_cost_by_tier({"a": 3}), InputError, "not an ensemble or its costs"),
        (lambda: plots.plot_cost_by_tier({"a": pd.Series({"cost": 1.0})}), InputError, "cost_per_reach"),
        (lambda: plots.plot_cost_by_tier({"a": pd.Series({"cost": 1.0})}, per="reech"), NotFoundError, "Did you mean"),
        (lambda: plots.plot_community_map(None), InputError, "not a flow"),
        (lambda: plots.plot_cascade_tree([]), InputError, "not a cascade"),
        (lambda: plots.plot_cascade_tree(dif.results.Cascade.from_parents([], [])), InputError, "empty"),
        (lambda: plots.plot_cascade_tree(dif.results.Cascade.from_parents("a", [None]), most=1), InputError, "from 2"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_unknown_scales_and_shares_are_refused(ens):
    with pytest.raises(NotFoundError, match="Did you mean"):
        plots.plot_reach_curve(ens, scale="lin")
    flow = dif.simulation.community_flow(ens, runs=3)
    with pytest.raises(InputError, match="carried"):
        plots.plot_community_map(flow, carried=0)
    with pytest.raises(InputError, match="most"):
        plots.plot_community_map(flow, most=0)
    with pytest.raises(InputError, match="12"):
        plots.plot_reach_against_mixing(pd.DataFrame({"mixing": 0.1, "reach": 1.0, "strategy": range(13)}))
