"""Deciding with money: curves, least budgets, other prices and substitutes against enumerated worlds and naive twins."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_worlds import Worlds

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError, NotFoundError
from diffusion.kernels import coverage, quotas
from diffusion.kernels.coverage import Sets, target_cover
from diffusion.kernels.quotas import Quotas as Limits
from diffusion.kernels.quotas import quota_knapsack, quota_walk
from diffusion.seeding import OPIM, SeedSelection, budget_curve, fit_prices, min_budget, price_sensitivity, substitutes
from diffusion.seeding.budget_curve import round_numbers
from diffusion.seeding.certificate import binomial_bounds
from diffusion.seeding.constraints import reserve_of
from diffusion.seeding.halves import paired_bounds
from diffusion.seeding.min_budget import fewest, fractional_cost, least
from diffusion.seeding.price_sensitivity import price_factors
from diffusion.seeding.strategies.quota_knapsack import lagrangian_bound

GRAPH = dif.generate_platform(400, communities=4, mixing=0.2, rng=7).with_probabilities("weighted_cascade")


def tiny(i: int, n: int = 7, m: int = 9) -> FollowerGraph:
    """A graph of few arcs, with prices; every fourth one under linear thresholds has the same arcs."""
    rng = np.random.default_rng(i)
    graph = FollowerGraph.from_arrays(
        rng.integers(0, n, m), rng.integers(0, n, m), weight=rng.choice([0.1, 0.5, 0.9], m), combine="max",
        nodes=range(n), directed=True, edges_mean="influences",
    )  # fmt: skip
    return graph.with_probabilities("column").with_node_data(price=rng.integers(1, 9, n).astype(float))


class Exact:
    """Exact reach and cost of every seed set of a tiny graph."""

    def __init__(self, graph: FollowerGraph, pool: Any = None) -> None:
        self.worlds, self.price = Worlds(graph), graph.node_data["price"].to_numpy()
        pool = graph.nodes.tolist() if pool is None else pool
        self.sets = [s for k in range(len(pool) + 1) for s in itertools.combinations(pool, k)]
        self.reach = {s: float(self.worlds.activation(s).sum()) for s in self.sets}
        self.cost = {s: float(self.price[list(s)].sum()) for s in self.sets}

    def of(self, seeds: Any) -> float:
        return float(self.worlds.activation(seeds).sum())

    def best(self, budget: float) -> float:
        return max(reach for s, reach in self.reach.items() if self.cost[s] <= budget)

    def cheapest(self, reach: float) -> float:
        return min(cost for s, cost in self.cost.items() if self.reach[s] >= reach - 1e-12)


def too_many(failures: int, cases: int, rate: float) -> bool:
    return failures > cases * rate + 4 * np.sqrt(cases * rate * (1 - rate))


# -- kernels against naive twins ---------------------------------------------------------------------------------------


@st.composite
def covers(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(1, 7))
    sets = draw(st.lists(st.frozensets(st.integers(0, n - 1), min_size=1, max_size=3), min_size=1, max_size=25))
    price = draw(st.lists(st.integers(0, 9).map(float), min_size=n, max_size=n))
    allowed = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return {"n": n, "sets": sets, "price": np.array(price), "allowed": np.array(allowed)}


def flat(case: dict[str, Any]) -> Sets:
    nodes = np.array([v for s in case["sets"] for v in sorted(s)], np.int32)
    return Sets(nodes, np.cumsum([0, *map(len, case["sets"])]), len(case["sets"]))


def density(gain: float, price: float) -> float:
    return gain / price if price > 0 else float("inf")


@given(covers(), st.lists(st.integers(1, 12), min_size=1, max_size=4))
@settings(max_examples=300)
def test_the_cover_of_a_target_is_the_naive_greedy(case: dict[str, Any], targets: list[int]):
    n, price, allowed = case["n"], case["price"], case["allowed"]
    sets = flat(case)
    counts = np.bincount(sets.nodes, minlength=n).astype(np.int32)
    met = np.flatnonzero(counts).astype(np.int32)
    space = coverage.Gains(np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n, np.int64))
    goals = np.unique(targets).astype(np.int64)
    found, gains = target_cover(sets, counts, met, allowed, price, goals, space)
    left, seeds, reached = list(case["sets"]), [], 0
    for goal in goals.tolist():
        while reached < goal:
            gain = [sum(v in s for s in left) if allowed[v] else 0 for v in range(n)]
            if not max(gain):
                break
            worth = [density(min(g, goal - reached), price[v]) if g else -1.0 for v, g in enumerate(gain)]
            v = int(np.argmax(worth))  # ties go to the first
            assert gains[len(seeds)] == gain[v]
            seeds.append(v)
            reached += gain[v]
            left = [s for s in left if v not in s]
    assert found.tolist() == seeds


@st.composite
def bought(draw: st.DrawFn) -> dict[str, Any]:
    case = draw(covers())
    n, n_groups = case["n"], draw(st.integers(1, 3))
    group = np.array(draw(st.lists(st.integers(-1, n_groups - 1), min_size=n, max_size=n)), np.int32)
    there = [int(((group == g) & case["allowed"]).sum()) for g in range(n_groups)]
    low = np.array([draw(st.integers(0, min(t, 2))) for t in there])
    most = np.array([draw(st.integers(a, n)) for a in low.tolist()])
    price = [np.sort(case["price"][(group == g) & case["allowed"]])[: low[g]] for g in range(n_groups)]
    needed = float(sum(map(np.sum, price)))  # so that some seeds meet all quotas
    return {**case, "group": group, "least": low, "most": most, "budget": needed + draw(st.integers(0, 6))}


def permitted(case: dict[str, Any]) -> list[tuple[int, ...]]:
    pool = np.flatnonzero(case["allowed"]).tolist()
    found = []
    for seeds in (s for k in range(len(pool) + 1) for s in itertools.combinations(pool, k)):
        held = np.bincount(case["group"][list(seeds)] + 1, minlength=len(case["least"]) + 1)[1:]
        paid = case["price"][list(seeds)].sum() <= case["budget"]
        if paid and (held >= case["least"]).all() and (held <= case["most"]).all():
            found.append(seeds)
    return found


@given(bought(), st.permutations(range(7)))
@settings(max_examples=300)
def test_buying_within_quotas_is_the_naive_greedy_and_the_bound_holds(case: dict[str, Any], order: list[int]):
    n, allowed, group = case["n"], case["allowed"], case["group"]
    whole = permitted(case)
    assert whole
    price = np.where(allowed, case["price"], np.inf)
    limits = Limits(group, case["most"], case["least"])
    reserve = reserve_of(group, len(case["least"]), allowed, price)
    sets = flat(case)
    seeds, gains = quota_knapsack(sets, allowed, limits, reserve, price, case["budget"], -1)

    def may(chosen: list[int], v: int) -> bool:
        """Naively: some permitted set holds all seeds and v."""
        return any({*chosen, v} <= set(s) for s in whole)

    naive: list[int] = []
    left = list(case["sets"])
    while True:
        gain = [sum(v in s for s in left) for v in range(n)]
        open_to = [v for v in range(n) if gain[v] and v not in naive and may(naive, v)]
        if not open_to:
            break
        v = max(open_to, key=lambda v: density(gain[v], price[v]))
        assert gains[len(naive)] == gain[v]
        naive.append(v)
        left = [s for s in left if v not in s]
    assert seeds[: len(naive)].tolist() == naive
    assert tuple(sorted(seeds.tolist())) in whole  # and the cheapest met the lower quotas
    assert not gains[len(naive) :].any()
    walked: list[int] = []
    down = np.array([v for v in order if v < n], np.int32)
    for v in down.tolist():
        if allowed[v] and may(walked, v):
            walked.append(v)
    assert down[quota_walk(down, limits, reserve, price, case["budget"])].tolist() == walked
    counts = np.array([sum(v in s for s in case["sets"]) for v in range(n)])
    bound = lagrangian_bound(counts, allowed, limits, reserve, price, case["budget"])
    assert max(counts[list(s)].sum() for s in whole) <= bound + 1e-9


def test_kernels_of_money_compile_for_one_signature():
    budget_curve(GRAPH, [50_000], max_rr_sets=2_000, rng=1)
    min_budget(GRAPH, 50, max_rr_sets=20_000, rng=1)
    dif.select_seeds(GRAPH, budget=20_000, at_least=1, method=OPIM(eps=0.3), rng=1)
    dif.select_seeds(GRAPH, budget=20_000, at_least=1, method="degree")
    kernels = [k for module in (coverage, quotas) for k in vars(module).values() if hasattr(k, "signatures")]
    assert [k.__name__ for k in kernels if len(k.signatures) > 1] == []


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=8), st.integers(1, 30))
def test_the_fractional_cost_bounds_every_cover_from_below(rows: list[tuple[int, int]], missing: int):
    gain, price = np.array(rows).T
    some = [s for k in range(len(rows) + 1) for s in itertools.combinations(range(len(rows)), k)]
    costs = [price[list(s)].sum() for s in some if gain[list(s)].sum() >= missing]
    assert fractional_cost(gain, price.astype(float), missing) <= min(costs, default=np.inf) + 1e-9


def test_counts_that_prove_a_share_are_those_of_the_binomial_bounds():
    for share, n, alpha in itertools.product([0.003, 0.2, 0.71], [50, 1000], [0.025, 0.2]):
        lows, highs = zip(*(binomial_bounds(hits, n, alpha) for hits in range(n + 1)), strict=True)
        assert fewest(share, n, alpha) == next((h for h in range(n + 1) if lows[h] >= share), n + 1)
        assert least(share, n, alpha) == next(h for h in range(n + 1) if highs[h] >= share)


def test_paired_bounds_hold_as_often_as_they_say():
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(500):
        alone, other, _ = rng.multinomial(300, [0.06, 0.02, 0.92])
        low, high = paired_bounds(int(alone), int(other), 300, 0.05)
        missed += not low <= 0.04 <= high
    assert not too_many(missed, 500, 0.1)
    assert paired_bounds(5, 5, 300, 0.05)[0] < 0 < paired_bounds(5, 5, 300, 0.05)[1]
    assert paired_bounds(90, 5, 300, 0.05)[0] > 0


# -- reach against money -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nested", [False, True])
def test_all_rows_of_a_curve_hold_at_once_as_often_as_they_say(nested):
    cases, failures, budgets = 120, 0, [9.0, 12.0, 20.0]
    for i in range(cases):
        graph = tiny(i % 12)
        exact = Exact(graph)
        curve = budget_curve(graph, budgets, nested=nested, confidence=0.8, max_rr_sets=800, rng=i, threads=1)
        assert curve.n_rr_sets == 800
        good = True
        for row, seeds in zip(curve.to_pandas().itertuples(), curve.seeds, strict=True):
            assert row.cost == exact.cost[tuple(sorted(seeds))] <= row.budget
            assert row.n_seeds == len(seeds)
            good &= row.low - 1e-9 <= exact.of(seeds) <= row.high + 1e-9
            good &= exact.best(row.budget) <= row.upper + 1e-9
        failures += not good
        if nested:
            assert all(a == b[: len(a)] for a, b in itertools.pairwise(curve.seeds))
    assert not too_many(failures, cases, 0.2)


def test_a_curve_is_as_good_as_its_guarantee_and_mostly_the_optimum():
    shares = []
    for i in range(12):
        graph = tiny(i)
        exact = Exact(graph)
        curve = budget_curve(graph, [8.0, 15.0], max_rr_sets=20_000, rng=i, threads=1)
        shares += [exact.of(seeds) / exact.best(budget) for seeds, budget in zip(curve.seeds, (8.0, 15.0), strict=True)]
        estimates = curve.table["reach"].to_numpy()
        assert estimates == pytest.approx([exact.of(s) for s in curve.seeds], rel=0.1)
    assert min(shares) > 0.405
    assert np.mean(shares) > 0.95


def test_one_budget_of_a_curve_is_what_select_seeds_buys():
    budgets = [3_000.0, 10_000.0, 40_000.0]
    curve = budget_curve(GRAPH, budgets[::-1], rng=3)
    assert curve.table["budget"].tolist() == budgets
    for budget, row in zip(budgets, curve.table.itertuples(), strict=True):
        chosen = dif.select_seeds(GRAPH, budget=budget, rng=4)
        truth = dif.spread(GRAPH, chosen, rel_error=0.01, rng=5)
        assert row.reach == pytest.approx(truth.mean, rel=0.03)
        assert row.low <= truth.mean <= row.upper
    first = budget_curve(GRAPH, budgets[:1], rng=3, max_rr_sets=4_000)
    both = budget_curve(GRAPH, budgets[:2], rng=3, max_rr_sets=4_000)
    assert first.seeds[0] == both.seeds[0]  # whatever other budgets are asked for
    assert first.table["reach"][0] == both.table["reach"][0]


def test_columns_of_a_curve_add_up():
    curve = budget_curve(GRAPH, existing=[5], rng=3, rel_error=0.05)
    table = curve.to_pandas()
    assert 10 < len(curve) == len(table) < 20
    assert table["upper"].is_monotonic_increasing
    assert (table["low"] < table["reach"]).all()
    assert (table["reach"] < table["high"]).all()
    assert curve.existing_spread >= 0.5
    assert all(5 not in seeds for seeds in curve.seeds)
    spent, won = np.diff(table["cost"], prepend=0), np.diff(table["reach"], prepend=curve.existing_spread)
    assert (table["marginal"] * spent).fillna(0.0).to_numpy() == pytest.approx(np.where(spent > 0, won, 0.0))
    assert curve.plot().get_xlabel() == "budget"
    assert round_numbers(2.0, 9.0).tolist() == [2, 3, 4, 5, 7, 10]
    assert round_numbers(950.0, 1000.0).tolist() == [1000]
    assert round_numbers(0.03, 0.031) == pytest.approx([0.03, 0.04])
    again = budget_curve(GRAPH, existing=[5], rng=3, rel_error=0.05, threads=1)
    assert again.table.equals(table)


def test_a_curve_counts_weights_and_serves_the_feed():
    weights = np.zeros(GRAPH.n_nodes)
    weights[:40] = 2.0
    curve = budget_curve(GRAPH, [20_000.0], node_weights=weights, rng=3)
    truth = dif.spread(GRAPH, curve.seeds[0], node_weights=weights, rel_error=0.01, rng=5)
    assert curve.unit == "weight"
    assert curve.table["low"][0] <= truth.mean <= curve.table["high"][0]
    sips = budget_curve(GRAPH, [20_000.0], model=dif.SIPS(0.2), rng=3)
    truth = dif.spread(GRAPH, sips.seeds[0], model=dif.SIPS(0.2), rel_error=0.03, rng=5)
    assert sips.table["low"][0] <= truth.high
    assert truth.low <= sips.table["high"][0]


# -- the least money for a reach ---------------------------------------------------------------------------------------


def test_seeds_reach_the_target_and_nobody_cheaper_does():
    cases, false_reach, false_cost, spread_missed = 105, 0, 0, 0
    ratios, costs = [], []
    for i in range(cases):
        graph = tiny(i % 15)
        exact = Exact(graph)
        target = [2.5, 3.7, 5.2][i % 3]
        plan = min_budget(graph, target, confidence=0.8, max_rr_sets=1_000, rng=i, threads=1)
        cheapest, reached = exact.cheapest(target), exact.of(plan.seeds)
        false_reach += reached < target - 1e-9
        false_cost += cheapest < plan.cheapest - 1e-9
        spread_missed += not plan.spread.low - 1e-9 <= reached <= plan.spread.high + 1e-9
        assert plan.lower >= target * (1 - 1e-9)
        assert plan.cost == exact.cost[tuple(sorted(plan.seeds))] >= plan.cheapest
        ratios.append(plan.cheapest / cheapest)
        costs.append(plan.cost / cheapest)
    assert not too_many(false_reach, cases, 0.1)
    assert not too_many(false_cost, cases, 0.1)
    assert not too_many(spread_missed, cases, 0.2)
    assert np.mean(ratios) > 0.6  # a bound of 0 would hold, too
    assert np.mean(costs) < 1.5


def test_with_sure_arcs_the_cheapest_cover_is_found():
    graph = FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=1.0).with_node_data(price=[8.0, 1, 1, 1, 3, 1])
    plan = min_budget(graph, 4, rng=7)
    assert (plan.cost, sorted(plan.seeds), plan.lower) == (4.0, [1, 2, 3, 5], 4.0)
    assert plan.cheapest == pytest.approx(4.0, rel=0.05)
    everyone = min_budget(graph.with_probabilities("constant", p=0.0), 6, rng=7)
    assert (everyone.cost, len(everyone), everyone.cheapest) == (15.0, 6, 15.0)


def test_a_plan_is_nested_and_its_table_adds_up():
    plan = min_budget(GRAPH, 150, rng=3)
    table = plan.to_pandas()
    assert table["node"].tolist() == list(plan.seeds)
    assert table["rank"].tolist() == list(range(1, len(plan) + 1))
    assert table["cost"].iloc[-1] == pytest.approx(plan.cost)
    assert table["gain"].sum() == pytest.approx(table["reach"].iloc[-1])
    assert table["low"].is_monotonic_increasing
    assert plan.lower == 150
    assert table["low"].iloc[-1] >= 150 * (1 - 1e-9) > table["low"].iloc[-2]
    data = GRAPH.node_data.loc[list(plan.seeds)]
    assert table["price"].tolist() == data["price"].tolist()
    assert table["tier"].astype(str).tolist() == data["tier"].astype(str).tolist()
    assert table["followers"].tolist() == GRAPH.out_degree[list(plan.seeds)].tolist()
    truth = dif.spread(GRAPH, plan.seeds, rel_error=0.005, rng=5)
    assert truth.mean >= 150
    assert plan.spread.low <= truth.high
    assert truth.low <= plan.spread.high
    assert plan.plot().get_xlabel() == "money spent"
    curve = budget_curve(GRAPH, [plan.cheapest * 0.999], rng=4).table
    assert curve["low"].iloc[0] < 150
    assert min_budget(GRAPH, 150, rng=3, threads=1).table.equals(table)
    held = min_budget(GRAPH, 1, existing=[0, 1], rng=3)
    assert (held.seeds, held.cost, held.cheapest, len(held.table)) == ((), 0.0, 0.0, 0)
    assert held.plot().get_ylabel() == "users reached"


def test_a_reach_beyond_the_possible_says_how_far_the_graph_goes():
    with pytest.raises(InputError, match="reach=500 is more than the 400 nodes of the whole graph"):
        min_budget(GRAPH, 500, rng=1)
    some = GRAPH.nodes[:3].tolist()
    truth = dif.spread(GRAPH, some, rel_error=0.01, rng=5)
    with pytest.raises(InputError, match="is beyond what can be bought: the 3 users for sale, who cost") as error:
        min_budget(GRAPH, 300, candidates=some, rng=1)
    low, high = (float(x) for x in str(error.value).split("[")[1].split("]")[0].split(", "))
    assert low <= truth.high
    assert truth.low <= high
    with pytest.raises(InputError, match=r"cannot be certified.*rel_error="):
        min_budget(GRAPH, truth.mean, candidates=some, rng=1, max_rr_sets=2_000)
    for wrong in (0, -1, float("nan"), "many"):
        with pytest.raises(InputError, match="reach="):
            min_budget(GRAPH, wrong)
    with pytest.raises(InputError, match="no candidate has a price"):
        min_budget(GRAPH, 5, prices={}, rng=1)


# -- other prices ------------------------------------------------------------------------------------------------------


def test_a_common_factor_is_another_budget():
    found = price_sensitivity(GRAPH, 20_000, change=[-0.2, 0.25], rng=3)
    table = found.to_pandas()
    assert table["change"].tolist() == [0.0, -0.2, 0.25]
    same = budget_curve(GRAPH, [16_000, 20_000, 25_000], rng=9)
    assert table["reach"].tolist() == pytest.approx(same.table["reach"].iloc[[1, 2, 0]].tolist(), rel=0.03)
    assert (table["cost"] <= 20_000).all()
    first = table.iloc[0]
    assert (first["stay"], first["share_stay"], first["difference"]) == (first["n_seeds"], 1.0, 0.0)
    assert table["difference"].to_numpy() == pytest.approx((table["reach"] - first["reach"]).to_numpy())
    assert table["difference_low"].iloc[1] > 0 > table["difference_high"].iloc[2]
    assert (table["cost_per_reach"] * table["reach"]).tolist() == pytest.approx(table["cost"].tolist())
    assert found.creators["stays"].mean() * 2 * first["n_seeds"] == pytest.approx(table["stay"].iloc[1:].sum())
    assert found.creators["price"].sum() == pytest.approx(first["cost"])
    assert found.plot().get_yticklabels()[0].get_text() == "given prices"


def test_noise_belongs_to_labels_whatever_the_arcs():
    """Internal nodes are ordered by the arcs; a user's price moves alike in every graph of the same users."""
    drawn = []
    for arcs in ([(0, 1), (2, 1), (3, 1)], [(1, 0), (2, 3), (1, 3)]):
        graph = FollowerGraph.from_arrays(
            *zip(*arcs, strict=True), nodes=range(4), edges_mean="influences", directed=True
        )
        factors = np.asarray(price_factors(7, 0.5, 2, 0.3, graph))
        drawn.append(factors[graph.index.internal(range(4))].tolist())
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 4


def test_noise_moves_single_prices_and_keeps_the_draws():
    found = price_sensitivity(GRAPH, 20_000, change=0.1, noise=0.3, draws=3, rng=3)
    assert found.table[["change", "draw"]].to_numpy().tolist() == [
        [0, 0], [0, 1], [0, 2], [0, 3], [0.1, 1], [0.1, 2], [0.1, 3]
    ]  # fmt: skip
    assert (found.table["stay"].iloc[1:] < found.table["n_seeds"].iloc[0]).any()
    again = price_sensitivity(GRAPH, 20_000, change=[0.1, 0.4], noise=0.3, draws=3, rng=3, threads=1)
    assert again.table.iloc[:7].equals(found.table)
    assert 0 < found.creators["stays"].mean() < 1


def test_wrong_changes_are_refused():
    for wrong, words in (({"change": -1.0}, "everything free"), ({"change": [0.0]}, "nothing changes")):
        with pytest.raises(InputError, match=words):
            price_sensitivity(GRAPH, 20_000, **wrong)
    with pytest.raises(InputError, match=r"noise="):
        price_sensitivity(GRAPH, 20_000, noise=-1)
    cheapest = float(GRAPH.node_data["price"].min())
    with pytest.raises(InputError, match=r"at prices changed by \+20%"):
        price_sensitivity(GRAPH, cheapest * 1.1, change=[0.2])


# -- who instead -------------------------------------------------------------------------------------------------------


def test_losses_are_those_of_the_enumerated_worlds():
    missed = rows = 0
    for i in range(60):
        graph = tiny(i)
        exact = Exact(graph)
        found = substitutes(graph, [0, 1, 2], 1, confidence=0.9, max_rr_sets=2_000, rng=i, threads=1)
        before, without = exact.of([0, 1, 2]), exact.of([0, 2])
        missed += not found.alone.low <= before - without <= found.alone.high
        missed += not found.reach.low <= before <= found.reach.high
        rows += 2
        assert set(found.table["node"]) == {3, 4, 5, 6}
        for row in found.to_pandas().itertuples():
            missed += not row.low <= before - exact.of([0, 2, row.node]) <= row.high
            rows += 1
            assert row.price_difference == exact.price[row.node] - exact.price[1]
            assert row.reach == pytest.approx(found.reach.value - row.loss)
    assert not too_many(missed, rows, 0.1)


def test_substitutes_are_the_best_of_those_who_may():
    chosen = dif.select_seeds(GRAPH, budget=20_000, rng=3)
    gone = chosen.seeds[0]
    found = substitutes(GRAPH, chosen, gone, n=6, max_price=float("inf"), rng=4)
    losses = {row.node: row.loss for row in found.table.itertuples()}
    others = [label for label in chosen.seeds if label != gone]
    truth = {v: dif.spread(GRAPH, [*others, v], runs=512, rng=5).mean for v in GRAPH.nodes if v not in chosen.seeds}
    best = sorted(truth, key=lambda v: -truth[v])[:6]
    assert len(set(best) & set(losses)) >= 4
    assert found.table["low"].le(found.table["loss"]).all()
    assert found.alone.value > max(losses.values())
    limit = float(GRAPH.node_data["price"][gone]) + chosen.budget - chosen.cost
    cheap = substitutes(GRAPH, chosen, gone, rng=4)
    assert (cheap.table["price"] <= limit).all()
    assert cheap.table.equals(substitutes(GRAPH, chosen, gone, max_price=limit, rng=4).table)
    first = cheap.table["node"].tolist()[0]
    assert first not in substitutes(GRAPH, chosen, gone, exclude=[first], rng=4).table["node"].tolist()
    assert found.plot().get_xlabel() == "users lost"
    assert substitutes(GRAPH, chosen, gone, rng=4, threads=1).table.equals(cheap.table)


def test_substitutes_without_prices_and_wrong_calls():
    bare = FollowerGraph.from_arrays([0, 0, 4], [1, 2, 5], edges_mean="influences", directed=True)
    bare = bare.with_probabilities("constant", p=0.5)
    alike = FollowerGraph.from_arrays([0, 0, 6, 6, 4], [1, 2, 1, 2, 5], edges_mean="influences", directed=True)
    instead = substitutes(alike.with_probabilities("constant", p=1.0), [0], 0, n=1, rng=1)
    assert instead.table["node"].tolist() == [6]  # who reaches the same users, not who adds most to them
    found = substitutes(bare, [0, 4], 4, n=2, rng=1)
    assert found.table.columns.tolist() == ["node", "followers", "reach", "loss", "low", "high"]
    with pytest.raises(InputError, match="is none of the 2 seeds"):
        substitutes(bare, [0, 4], 1)
    with pytest.raises(NotFoundError, match="is no node"):
        substitutes(bare, [0, 4], 99)
    with pytest.raises(InputError, match="asks for prices: give prices="):
        substitutes(bare, [0, 4], 4, max_price=3)
    with pytest.raises(InputError, match="nobody is left"):
        substitutes(bare, [0, 4], 4, candidates=[0])


# -- quotas together with a budget -------------------------------------------------------------------------------------


def test_certificates_of_quotas_and_money_hold_against_brute_force():
    cases, failures, ratios = 100, 0, []
    for i in range(cases):
        graph = tiny(i % 20)
        exact = Exact(graph)
        group = pd.Series(["a", "a", "b", "b", None, "a", "b"], index=range(7))
        found = dif.select_seeds(
            graph, budget=14.0, at_most={"a": 1}, at_least={"b": 1}, communities=group, rng=i, threads=1,
            method=OPIM(eps=0.2, delta=0.1),
        )  # fmt: skip

        def meets(seeds: Any, group: Any = group) -> bool:
            names = [group[v] for v in seeds]
            return names.count("a") <= 1 <= names.count("b")

        best = max(r for s, r in exact.reach.items() if exact.cost[s] <= 14.0 and meets(s))
        assert meets(found.seeds)
        assert found.cost == exact.cost[tuple(sorted(found.seeds))] <= 14.0
        failures += not (found.lower <= exact.of(found.seeds) + 1e-9 and best <= found.upper + 1e-9)
        ratios.append(exact.of(found.seeds) / best)
    assert not too_many(failures, cases, 0.1)
    assert np.mean(ratios) > 0.95
    assert found.guarantee.startswith("none beforehand")


def test_rankings_take_quotas_and_money():
    groups = GRAPH.node_data["community"]
    for method in ("degree", "random", "pagerank", OPIM(eps=0.3)):
        found = dif.select_seeds(GRAPH, budget=30_000, at_least=2, at_most=6, method=method, rng=3)
        held = groups[list(found.seeds)].value_counts()
        assert held.min() >= 2
        assert held.max() <= 6
        assert len(held) == 4
        assert found.cost <= 30_000
        assert found.cost == pytest.approx(GRAPH.node_data["price"][list(found.seeds)].sum())
        if found.next_buy is not None:
            assert held[groups[found.next_buy.seed]] < 6
    with pytest.raises(InputError, match=r"does not pay for at_least=: the cheapest seeds that meet it cost"):
        dif.select_seeds(GRAPH, budget=2_000, at_least=20)
    least = GRAPH.node_data.groupby("community")["price"].apply(lambda prices: prices.nsmallest(20).sum()).sum()
    with pytest.raises(InputError, match="does not pay for at_least="):
        dif.select_seeds(GRAPH, budget=0.999 * least, at_least=20)
    assert len(dif.select_seeds(GRAPH, budget=1.001 * least, at_least=20, method="degree")) == 80
    with pytest.raises(InputError, match=r"at_most= are not used by the method 'celf'|celf"):
        dif.select_seeds(GRAPH, budget=30_000, at_most=2, method="celf")
    free = dif.select_seeds(GRAPH, budget=30_000, at_most=400, method=OPIM(eps=0.1), rng=3)
    plain = dif.select_seeds(GRAPH, budget=30_000, method=OPIM(eps=0.1), rng=3)
    assert free.certificate.spread == pytest.approx(plain.certificate.spread, rel=0.05)
    assert 0.9 * plain.ratio < free.ratio <= 1


# -- tables ------------------------------------------------------------------------------------------------------------


def test_a_selection_says_what_is_known_of_each_seed_and_nothing_else():
    chosen = dif.select_seeds(GRAPH, budget=20_000, rng=3)
    table = chosen.to_pandas()
    assert table.columns.tolist() == [
        "rank", "node", "tier", "followers", "score", "gain", "spread", "price", "cost"
    ]  # fmt: skip
    assert table["cost"].iloc[-1] == pytest.approx(chosen.cost)
    assert table["spread"].iloc[-1] == pytest.approx(chosen.gains.sum())
    assert table["followers"].tolist() == GRAPH.out_degree[list(chosen.seeds)].tolist()
    assert table["tier"].tolist() == GRAPH.node_data["tier"][list(chosen.seeds)].tolist()
    number = dif.select_seeds(GRAPH, 5, method="degree").to_pandas()
    assert number["price"].tolist() == GRAPH.node_data["price"][number["node"]].tolist()
    bought = dif.select_seeds(GRAPH, budget=9_000, method="degree")
    assert bought.to_pandas()["followers"].tolist() == GRAPH.out_degree[list(bought.seeds)].tolist()
    bare = FollowerGraph.from_arrays([0, 0, 4], [1, 2, 5], edges_mean="influences", directed=True)
    found = dif.select_seeds(bare, 2, method="random", rng=1).to_pandas()
    assert found.columns.tolist() == ["rank", "node", "followers"]
    assert SeedSelection(("a",), "own", np.array([1.0]), 0.0, 1).to_pandas().columns.tolist() == [
        "rank", "node", "score"
    ]  # fmt: skip


def test_a_price_fit_says_where_it_extrapolates():
    table = pd.DataFrame({"fans": [100, 1000, 10_000, 50_000, 700], "rmb": [12, 90, 1_100, 4_800, 70]})
    table["likes"] = [20, 90, 900, 9_000, 60]
    fit = fit_prices(table, followers="fans", price="rmb")
    assert "100 to 50,000 followers" in repr(fit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit([100, 50_000, 700])
    with pytest.warns(UserWarning, match="2 of 3 creators lie outside .* 100 to 50,000 followers:"):
        assert len(fit([99, 5_000, 50_001])) == 3
    assert fit.extrapolates([99, 5_000, 50_001]).tolist() == [True, False, True]
    both = fit_prices(table, followers="fans", price="rmb", engagement="likes")
    assert both.extrapolates([500, 500], [19, 21]).tolist() == [True, False]
    with pytest.warns(UserWarning, match="20 to 9,000 engagement"):
        both.predict([500, 500], [19, 21])
