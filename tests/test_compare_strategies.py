"""compare_strategies: the table against its parts, paired differences, money, limits and the figure."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

import diffusion as dif
from diffusion.plotting.seeding import plot_strategies
from diffusion.seeding.compare import StrategyComparison, compare_strategies
from diffusion.seeding.constraints import affordable
from diffusion.simulation.runner import prepare

matplotlib.use("Agg")

GRAPH = dif.generate_platform(1500, communities=5, rng=3).with_probabilities("weighted_cascade")
PLAIN = dif.generate_platform(300, communities=3, rng=3)


@pytest.fixture(scope="module")
def found() -> StrategyComparison:
    return compare_strategies(GRAPH, [2, 10], strategies=("random", "degree", "opim"), runs=1024, rng=5)


def test_the_table_is_made_of_the_public_calls(found: StrategyComparison) -> None:
    table = found.to_pandas()
    assert table["strategy"].tolist() == ["random", "degree", "opim"] * 2
    assert table["budget"].tolist() == [2] * 3 + [10] * 3
    assert table["n_seeds"].tolist() == table["budget"].tolist()
    assert (found.unit, found.budgets) == ("seeds", (2, 10))
    for row in table.itertuples():
        seeds = found.seeds[row.strategy, row.budget]
        assert row.low < row.spread < row.high
        if row.strategy != "random":  # drawn anew for every world
            again = dif.spread(GRAPH, seeds, runs=20_000, rng=9, confidence=0.9999)
            half = row.high - row.low
            assert again.low - half <= row.spread <= again.high + half
        assert row.runs == 1024
        assert row.seconds >= 0
        assert np.isnan(row.cost)
        assert (row.lower == row.lower) == (row.strategy == "opim" and row.budget == 10)
    assert found.seeds["degree", 10] == dif.select_seeds(GRAPH, 10, method="degree").seeds
    assert found.seeds["degree", 2] == found.seeds["degree", 10][:2]
    assert found.seeds["random", 2] == found.seeds["random", 10][:2]
    of = table.set_index(["strategy", "budget"])
    certified = of.loc["opim"].loc[[10]]
    assert (certified["lower"] <= certified["high"]).all()
    assert (certified["ratio"] == certified["lower"] / certified["upper"]).all()
    assert (of["spread"]["opim"] > of["spread"]["random"]).all()


def test_differences_are_paired_and_to_the_best_of_each_budget(found: StrategyComparison) -> None:
    gaps = found.differences
    assert len(gaps) == 6
    for budget, rows in gaps.groupby("budget"):
        sizes = dict(zip(found.comparisons[budget].names, found.comparisons[budget].sizes, strict=True))
        best = max(sizes, key=lambda name: sizes[name].mean())
        assert set(rows["best"]) == {best}
        for row in rows.itertuples():
            paired = sizes[row.strategy] - sizes[best]
            assert row.difference == pytest.approx(paired.mean())
            half = 1.959964 * paired.std(ddof=1) / np.sqrt(paired.size)
            assert (row.high - row.low) / 2 == pytest.approx(half, rel=0.02)
            expected = "best" if row.strategy == best else "smaller" if row.high < 0 else "undecided"
            assert row.verdict == expected
    assert "smaller" in set(gaps[gaps["strategy"] == "random"]["verdict"])


def test_the_same_worlds_for_all_budgets_and_threads(found: StrategyComparison) -> None:
    again = compare_strategies(GRAPH, [10], strategies=("opim", "random"), runs=1024, rng=5, threads=2)
    for name in ("opim", "random"):
        assert again.seeds[name, 10] == found.seeds[name, 10]
        at = found.comparisons[10].names.index(name)
        assert (again.comparisons[10].sizes[again.strategies.index(name)] == found.comparisons[10].sizes[at]).all()


@pytest.mark.parametrize("model", ["ic", "lt"])
def test_prefixes_that_share_a_cascade_reach_what_they_reach_alone(model: str) -> None:
    """In every world of a fixed key: 700 worlds are one whole batch and a part of the next."""
    graph = GRAPH if model == "ic" else PLAIN.with_probabilities("lt")
    compared = compare_strategies(graph, [12, 1, 5], strategies=["degree", "opim"], model=model, runs=700, rng=4)
    for (name, budget), seeds in compared.seeds.items():
        one = compared.comparisons[budget]
        alone = prepare(graph, model, seeds, one.key).run(0, 700).values
        assert (one.sizes[one.names.index(name)] == alone).all()


def test_one_order_serves_all_numbers_so_that_no_curve_falls() -> None:
    budgets = range(1, 31)
    curve = compare_strategies(GRAPH, budgets, rng=2)
    wide = curve.table.pivot(index="budget", columns="strategy", values="spread")
    assert (wide.drop(columns="random").diff().dropna() > 0).all(axis=None)
    assert len(wide.columns) == 4
    for name in curve.strategies:
        longest = curve.seeds[name, 30]
        assert all(curve.seeds[name, k] == longest[:k] for k in budgets)
    bounds = curve.table[curve.table["strategy"] == "opim"].set_index("budget")["lower"]
    assert bounds.notna().tolist() == [k == 30 for k in budgets]  # the certificate is that of 30 seeds
    # Means of one random user are known to tens of per cent, which no longer sets the number of worlds.
    assert curve.comparisons[1].stopped_by == "precision"
    assert curve.comparisons[1].runs <= 10_000
    gaps = curve.differences
    half, best = gaps["high"] - gaps["difference"], gaps["budget"].map(wide.max(axis=1))
    sharp = compare_strategies(GRAPH, [10], strategies=["random", "degree"], rel_error=1e-9, max_runs=20_000, rng=2)
    assert sharp.comparisons[10].stopped_by == "precision"  # as the difference is known to a quarter of itself
    assert (half <= np.maximum(0.02 * best, 0.25 * gaps["difference"].abs()) + 1e-9).all()


def test_random_is_a_mean_over_draws() -> None:
    compared = compare_strategies(GRAPH, [1, 8], strategies=["random", "degree"], runs=4096, rng=3)
    for k in (1, 8):
        row = compared.table.set_index(["strategy", "budget"]).loc[("random", k)]
        rng = np.random.default_rng(k)
        means = [
            dif.simulate(GRAPH, rng.choice(GRAPH.nodes, k, replace=False).tolist(), runs=64, rng=i).sizes.mean()
            for i in range(150)
        ]
        error = np.hypot(np.std(means) / np.sqrt(150), (row["high"] - row["low"]) / 3.92)
        assert abs(np.mean(means) - row["spread"]) < 4 * error
    hubs, leaves = np.repeat(np.arange(10), 9), np.arange(10, 100)
    stars = dif.FollowerGraph.from_arrays(hubs, leaves, directed=True, edges_mean="influences")
    one = compare_strategies(stars.with_probabilities("constant", p=1.0), [1], strategies="random", runs=4096, rng=3)
    sizes = one.comparisons[1].sizes[0]
    assert set(sizes.tolist()) == {1, 10}  # every world draws its own user, a hub in one of ten
    assert abs((sizes == 10).mean() - 0.1) < 4 * np.sqrt(0.09 / 4096)
    tiers = compare_strategies(GRAPH, [5], strategies=["waist"], runs=512, rng=3)
    other = compare_strategies(GRAPH, [5], strategies=["waist"], runs=512, rng=4)
    assert tiers.provenance["draws"] == {"waist": "each world"}
    assert abs(tiers.table["spread"].item() - other.table["spread"].item()) < tiers.table["spread"].item()
    averaged = compare_strategies(PLAIN, [3], strategies=["random"], model=dif.SIPS(0.3), runs=64, rng=1)
    assert averaged.provenance["draws"] == {"random": 16}


def test_differences_to_a_baseline() -> None:
    names = ("random", "degree", "opim")
    compared = compare_strategies(GRAPH, [10], strategies=names, baseline="degree", runs=1024, rng=5)
    gaps = compared.differences.set_index("strategy")
    assert gaps["baseline"].tolist() == ["degree"] * 3
    assert gaps["verdict"].to_dict()["random"] == "smaller"
    assert gaps["verdict"].to_dict()["degree"] == "baseline"
    sizes = dict(zip(names, compared.comparisons[10].sizes, strict=True))
    assert gaps.loc["opim", "difference"] == pytest.approx((sizes["opim"] - sizes["degree"]).mean())
    with pytest.raises(dif.errors.InputError, match="baseline='celf' is none of the strategies"):
        compare_strategies(GRAPH, [10], strategies=names, baseline="celf")


def test_money_buys_down_a_ranking() -> None:
    price = GRAPH.node_data["price"].to_numpy(float, copy=True)
    price[::7] = np.nan  # not for sale
    found = compare_strategies(
        GRAPH, [2_000, 40_000.0], strategies=("degree", "amateur", "opim"), prices=price, runs=512, rng=1
    )
    assert found.unit == "money"
    table = found.to_pandas()
    assert (table["cost"] <= table["budget"]).all()
    assert (table["cost"] > 0).all()
    order = dif.select_seeds(GRAPH, GRAPH.n_nodes, method="degree").seeds
    paid = price[GRAPH.index.positions(list(order))]
    for budget in (2_000, 40_000):
        assert found.seeds["degree", budget] == tuple(order[at] for at in affordable(paid, budget))
        for name in ("degree", "amateur", "opim"):
            assert not np.isnan(price[GRAPH.index.positions(list(found.seeds[name, budget]))]).any()
    tier = dict(zip(GRAPH.nodes, GRAPH.node_data["tier"], strict=True))
    assert {tier[v] for v in found.seeds["amateur", 40_000]} == {"amateur"}
    best = table[table["budget"] == 40_000].sort_values("spread")["strategy"].iloc[-1]
    assert best == "opim"


def test_affordable_passes_over_who_is_too_dear() -> None:
    prices = np.array([5.0, 9.0, np.nan, 2.0, 0.0, 4.0, 1.0])
    for budget in (0.0, 1.0, 7.0, 10.0, 100.0):
        left, expected = budget, []
        for at, price in enumerate(prices):
            if price <= left:
                expected.append(at)
                left -= price
        assert affordable(prices, budget).tolist() == expected


def test_defaults_and_models() -> None:
    by_default = compare_strategies(PLAIN.with_probabilities("weighted_cascade"), [3], runs=64, rng=1)
    assert by_default.strategies == ("random", "degree", "two_step_discount", "opim")
    model = dif.Threshold(fraction=0.2)
    fixed = compare_strategies(PLAIN, [1, 4], model=model, rng=1)
    assert fixed.strategies == ("random", "degree", "celf")
    assert fixed.table["runs"].tolist() == [1] * 6
    assert (fixed.table["low"] == fixed.table["high"]).all()
    assert set(fixed.differences["verdict"]) <= {"best", "equal", "smaller"}
    linear = compare_strategies(PLAIN.with_probabilities("lt"), 2, strategies="opim", model="lt", rel_error=0.2, rng=1)
    assert linear.table["runs"].item() >= 512
    assert linear.provenance["model"].startswith("LT")
    heads = int((PLAIN.node_data["tier"] == "waist").sum())
    few = compare_strategies(PLAIN, [heads + 5], strategies=["waist"], model=model, rng=1)
    assert few.table["n_seeds"].item() == heads


def test_it_shows_and_plots(found: StrategyComparison) -> None:
    assert "3 strategies" in repr(found)
    assert "degree" in found._repr_html_()
    axes = found.plot()
    assert axes.get_xlabel() == "seeds"
    assert [line.get_xdata().tolist() for line in axes.lines] == [[2, 10]] * 3
    top = found.table[found.table["budget"] == 10].set_index("strategy")["spread"]
    assert [line.get_ydata()[-1] for line in axes.lines] == [top[name] for name in found.strategies]
    assert sorted(text.get_text() for text in axes.texts) == ["degree", "opim", "random"]
    assert len(axes.collections) == 3
    _, own = matplotlib.pyplot.subplots()
    assert plot_strategies(found, ax=own) is own
    matplotlib.pyplot.close("all")
    with pytest.raises(dif.errors.InputError, match="no StrategyComparison"):
        plot_strategies(found.table)  # type: ignore[arg-type]


def test_a_wide_range_of_budgets_keeps_a_linear_axis() -> None:
    wide = compare_strategies(GRAPH, [1, 100], strategies=["degree"], runs=64, rng=1)
    axes = wide.plot()
    assert axes.get_xscale() == "linear"
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_strategies(GRAPH, []), "budgets is empty"),
        (lambda: compare_strategies(GRAPH, [0]), "whole numbers from 1"),
        (lambda: compare_strategies(GRAPH, [-1.0], prices="price"), "-1.0"),
        (lambda: compare_strategies(GRAPH, [True]), "True"),
        (lambda: compare_strategies(GRAPH, [5, 2000.5]), "mixes numbers of seeds"),
        (lambda: compare_strategies(GRAPH, [2000.5]), "give prices="),
        (lambda: compare_strategies(GRAPH, [5, 5]), "twice"),
        (lambda: compare_strategies(GRAPH, [5], strategies=[]), "strategies is empty"),
        (lambda: compare_strategies(GRAPH, [5], strategies=["degree", "degree"]), "twice"),
        (lambda: compare_strategies(GRAPH, [500.0], strategies=["celf"], prices="price"), "not money"),
        (lambda: compare_strategies(GRAPH, [1.0], prices="price"), "buys nobody"),
        (lambda: compare_strategies(GRAPH, [1501], strategies=["degree"]), "more than the 1,500 nodes"),
        (lambda: compare_strategies(GRAPH, [1501], strategies=["opim"]), "more than the 1,500 nodes"),
        (
            lambda: compare_strategies(GRAPH, [5], strategies=["opim"], model=dif.Threshold(count=2)),
            "no certificate is known for Threshold",
        ),
        (lambda: compare_strategies(GRAPH, [5], confidence=2), "confidence"),
    ],
)
def test_bad_input_is_one_clear_error(call: Any, message: str) -> None:
    with pytest.raises(dif.errors.InputError, match=message):
        call()


def test_unknown_names_are_not_found() -> None:
    with pytest.raises(dif.errors.NotFoundError, match="Did you mean 'degree'"):
        compare_strategies(GRAPH, [5], strategies=["degre"])
    with pytest.raises(dif.errors.NotFoundError, match="no node attribute"):
        compare_strategies(GRAPH, [5.0], prices="cost")


def test_the_table_survives_pandas(found: StrategyComparison) -> None:
    copy = found.to_pandas()
    copy["spread"] = 0
    assert (found.table["spread"] > 0).all()
    assert isinstance(found.table, pd.DataFrame)


def test_a_ranking_tells_who_would_be_bought_next() -> None:
    prices = {v: 10.0 for v in GRAPH.nodes}
    first, second, third, *_ = dif.select_seeds(GRAPH, 3, method="degree").seeds
    prices[second] = 95.0
    prices[third] = float("nan")
    found = dif.select_seeds(GRAPH, budget=100.0, prices=prices, method="degree", evaluate=True, rng=1)
    assert found.seeds[0] == first
    assert found.cost == 100
    assert found.next_buy is not None
    assert (found.next_buy.seed, found.next_buy.price, found.next_buy.missing) == (second, 95.0, 95.0)
    assert np.isnan(found.next_buy.gain)
    assert found.spread is not None
    assert found.spread_per_cost == pytest.approx(found.spread.mean / 100)
    assert f"95 more would buy {second!r}" in repr(found)
    assert np.isnan(dif.select_seeds(GRAPH, 3, method="degree").spread_per_cost)
