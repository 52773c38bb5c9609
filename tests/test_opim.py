"""Certified seeds: the coverage kernels against naive twins, the certificate against brute force, and the limits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion._random import key_of
from diffusion.kernels.coverage import (
    Gains,
    Sets,
    covered_apart,
    first_covered,
    greedy_cover,
    knapsack_cover,
    open_counts,
)
from diffusion.seeding import (
    IMM,
    OPIM,
    SeedSelection,
    SelectionProblem,
    certificate,
    choose,
    search,
    strategy_of,
    task,
)
from diffusion.seeding.certificate import binomial_bounds
from diffusion.seeding.rr_store import RRStore, bits_of
from diffusion.seeding.strategies import judged, knapsack
from diffusion.seeding.strategies.imm import imm_lambda_star

OWN = {"eps", "delta", "quality", "max_rr_sets", "hist"}


def chosen(graph: FollowerGraph, k: int | None, *, rng: Any = None, **options: Any) -> SeedSelection:
    """Seeds by OPIM from the key of `rng` itself."""
    method = OPIM(**{name: options.pop(name) for name in sorted(OWN & set(options))})
    return choose(SelectionProblem.of(graph, k, key=key_of(rng), **options), method)


def opim(graph: FollowerGraph, k: int, **options: Any) -> SeedSelection:
    return chosen(graph, k, **options)


def opim_budget(graph: FollowerGraph, budget: float, prices: Any, **options: Any) -> SeedSelection:
    return chosen(graph, None, budget=budget, prices=prices, **options)


def imm(graph: FollowerGraph, k: int, *, rng: Any = None, **options: Any) -> SeedSelection:
    return choose(SelectionProblem.of(graph, k, key=key_of(rng)), IMM(**options))


# -- kernels against naive twins ---------------------------------------------------------------------------------------

SETS = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.frozensets(st.integers(0, n - 1), max_size=n), min_size=1, max_size=60),
        st.lists(st.booleans(), min_size=n, max_size=n),
        st.integers(1, n),
    )
)


def space(n: int) -> Gains:
    """Where the kernels keep what they know of nodes; what it holds beforehand must not matter."""
    return Gains(np.full(n, 77, np.int32), np.full(n, -5, np.int64), np.full(n, 10**6, np.int64))


def flat(n: int, sets: list[frozenset[int]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    nodes = np.array([v for s in sets for v in sorted(s)], np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in sets])]).astype(np.int64)
    return nodes, offsets, np.bincount(nodes, minlength=n).astype(np.int32)


@given(SETS)
@settings(max_examples=150)
def test_greedy_cover_is_the_naive_greedy(case: tuple[int, list[frozenset[int]], list[bool], int]) -> None:
    n, sets, allowed, k = case
    nodes, offsets, counts = flat(n, sets)
    met = np.random.default_rng(k).permutation(np.flatnonzero(counts)).astype(np.int32)
    seeds, gains, best = greedy_cover(Sets(nodes, offsets, len(sets)), counts, met, np.array(allowed), k, k, space(n))
    open_sets = list(sets)
    for i in range(k + 1):
        gain = [sum(v in s for s in open_sets) if allowed[v] else 0 for v in range(n)]
        assert best[i] == sum(sorted(gain)[-k:])
        if i == k or max(gain) == 0:
            assert len(seeds) == i
            break
        v = gain.index(max(gain))  # ties go to the smallest
        assert (seeds[i], gains[i]) == (v, gain[v])
        open_sets = [s for s in open_sets if v not in s]


def test_greedy_cover_takes_in_nodes_of_small_gain_in_time() -> None:
    rng = np.random.default_rng(3)
    n, k = 5000, 200
    sets = [frozenset((rng.zipf(1.2, 3) % n).tolist()) for _ in range(4000)]
    nodes, offsets, counts = flat(n, sets)
    met = np.flatnonzero(counts).astype(np.int32)
    seeds, gains, best = greedy_cover(Sets(nodes, offsets, len(sets)), counts, met, np.ones(n, bool), k, k, space(n))
    gain = counts.astype(np.int64)
    holds: dict[int, list[int]] = {}
    for s, members in enumerate(sets):
        for v in members:
            holds.setdefault(v, []).append(s)
    covered = np.zeros(len(sets), bool)
    for i in range(k):
        assert best[i] == np.sort(gain)[-k:].sum()
        assert seeds[i] == gain.argmax()
        assert gains[i] == gain.max()
        for s in holds[int(seeds[i])]:
            if not covered[s]:
                covered[s] = True
                gain[list(sets[s])] -= 1


SEEDS = st.lists(st.integers(0, 12), max_size=4, unique=True)


@given(SETS, SEEDS, SEEDS)
def test_covered_apart_tells_whose_seeds_a_set_holds(
    case: tuple[int, list[frozenset[int]], list[bool], int], first: list[int], second: list[int]
) -> None:
    n, sets, _, _ = case
    nodes, offsets, _ = flat(n, sets)
    one, two = ({v for v in seeds if v < n} for seeds in (first, second))
    bits = [bits_of(np.array(sorted(seeds), np.int64), n) for seeds in (one, two)]
    hits = [(bool(s & one), bool(s & two)) for s in sets]
    expected = [hits.count(which) for which in ((True, False), (False, True), (True, True))]
    assert list(covered_apart(Sets(nodes, offsets, len(sets)), *bits)) == expected


@given(SETS, SEEDS)
def test_first_covered_counts_each_set_once(
    case: tuple[int, list[frozenset[int]], list[bool], int], order: list[int]
) -> None:
    n, sets, _, _ = case
    seeds = [v for v in order if v < n]
    nodes, offsets, _ = flat(n, sets)
    rank = np.full(n, -1, np.int32)
    rank[seeds] = np.arange(len(seeds))
    found = first_covered(Sets(nodes, offsets, len(sets)), rank, bits_of(np.array(seeds, np.int64), n), len(seeds))
    expected = [0] * (len(seeds) + 1)
    for s in sets:
        if s:
            expected[min((seeds.index(v) for v in s if v in seeds), default=len(seeds))] += 1
    assert found.tolist() == expected


@given(SETS, st.data())
@settings(max_examples=150)
def test_knapsack_cover_is_affordable_and_its_bound_holds(
    case: tuple[int, list[frozenset[int]], list[bool], int], data: st.DataObject
) -> None:
    n, sets, allowed, _ = case
    n, sets, allowed = min(n, 9), [frozenset(v for v in s if v < 9) for s in sets], allowed[:9]
    price = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.7, 9.0]), min_size=n, max_size=n)))
    budget = data.draw(st.sampled_from([0.0, 1.0, 3.0, 7.5, 40.0]))
    spent = data.draw(st.sampled_from([0.0, 0.0, 0.5, 3.0]))
    nodes, offsets, counts = flat(n, sets)
    met = np.flatnonzero(counts).astype(np.int32)
    seeds, gains, upper, single = knapsack_cover(
        Sets(nodes, offsets, len(sets)), counts, met, np.array(allowed), price, spent, budget, space(n)
    )
    assert not len(seeds) or price[seeds].sum() + spent <= budget
    assert all(allowed[v] for v in seeds)
    assert gains.sum() == sum(bool(s & set(seeds.tolist())) for s in sets)
    fitting = [v for v in range(n) if allowed[v] and price[v] <= budget]
    optimum = max(
        sum(bool(s & set(group)) for s in sets)
        for size in range(len(fitting) + 1)
        for group in itertools.combinations(fitting, size)
        if price[list(group)].sum() <= budget
    )
    reached = max(gains.sum(), counts[single] if single >= 0 else 0)
    assert reached <= optimum <= upper + 1e-9
    assert spent > 0 or reached >= 0.405 * optimum
    left = np.zeros(n, np.int64)
    open_counts(Sets(nodes, offsets, len(sets)), bits_of(seeds, n), left)
    assert left.tolist() == [sum(v in s for s in sets if not s & set(seeds.tolist())) for v in range(n)]


# -- the certificate against brute force -------------------------------------------------------------------------------


def exact_spreads(graph: FollowerGraph, model: str, weight: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """All live-edge worlds at once: a function of seed sets as bit masks -> exact spread, up to 14 nodes."""
    table = graph.to_pandas()
    u, v, p = table["source"].to_numpy(), table["target"].to_numpy(), table["probability"].to_numpy(np.float64)
    n = graph.n_nodes
    if model == "ic":
        live = np.array(list(itertools.product([False, True], repeat=len(p))), bool).reshape(2 ** len(p), len(p))
        mass = np.prod(np.where(live, p, 1 - p), axis=1)
    else:
        options = [[-1, *np.flatnonzero(v == t).tolist()] for t in range(n)]
        kept = np.array(list(itertools.product(*options)))
        live = np.zeros((len(kept), len(p)), bool)
        mass = np.ones(len(kept))
        for t in range(n):
            chosen = kept[:, t]
            live[np.flatnonzero(chosen >= 0), chosen[chosen >= 0]] = True
            mass *= np.where(chosen >= 0, p[chosen] if len(p) else 0, 1 - p[v == t].sum())
    reach = np.tile(1 << np.arange(n), (len(live), 1))
    for _ in range(n):
        before = reach.copy()
        for j in range(len(p)):
            reach[:, u[j]] |= np.where(live[:, j], reach[:, v[j]], 0)
        if (before == reach).all():
            break
    # From masks of reached nodes to their distribution for one seed, joined for a set by "or".
    worth = (np.arange(1 << n)[:, None] >> np.arange(n) & 1) @ weight

    def spread(groups: NDArray[Any]) -> NDArray[Any]:
        out = np.empty(len(groups))
        for i, group in enumerate(groups):
            together = np.zeros(len(live), np.int64)
            for t in group:
                together |= reach[:, t]
            out[i] = mass @ worth[together]
        return out

    return spread


def random_case(rng: np.random.Generator) -> tuple[FollowerGraph, str, dict[str, Any], list[int], NDArray[Any]]:
    n = int(rng.integers(3, 15))
    m = int(rng.integers(1, 10))
    model = "lt" if rng.random() < 0.5 else "ic"
    u, v = rng.integers(0, n, m), rng.integers(0, n, m)
    graph = FollowerGraph.from_arrays(
        u, v, weight=rng.choice([0.1, 0.5, 0.9, 1.0], m) if model == "ic" else rng.random(m), nodes=range(n),
        directed=True, edges_mean="influences", combine="max",
    )  # fmt: skip
    graph = graph.with_probabilities("column") if model == "ic" else graph.with_probabilities("lt", normalize=True)
    options: dict[str, Any] = {"hist": True if rng.random() < 0.3 else None}
    pool = list(range(n))
    weight = np.ones(n)
    if rng.random() < 0.3:
        options["existing"] = rng.permutation(n)[:1].tolist()
    if rng.random() < 0.3 and n > 4:
        options["candidates"] = rng.permutation(n)[: n - 2].tolist()
    if rng.random() < 0.3:
        weight = rng.integers(0, 3, n).astype(float)
        weight[0] = 1
        options["node_weights"] = weight
    pool = [x for x in options.get("candidates", pool) if x not in options.get("existing", [])]
    return graph, model, options, pool, weight


@pytest.mark.parametrize(("eps", "cases"), [(0.2, 1000), (None, 400)])
def test_certificates_hold_against_brute_force_in_random_cases(eps: float | None, cases: int) -> None:
    rng = np.random.default_rng(11)
    delta, failures, promised = 0.1, 0, 0
    for case in range(cases):
        graph, model, options, pool, weight = random_case(rng)
        k = int(rng.integers(1, min(3, len(pool)) + 1))
        found = opim(graph, k, model=model, delta=delta, eps=eps, rng=case, threads=1, **options)
        spread = exact_spreads(graph, model, weight)
        taken = options.get("existing", [])
        optimum = spread(np.array([[*taken, *group] for group in itertools.combinations(pool, k)])).max()
        actual = spread(np.array([[*taken, *found.seeds]]))[0]
        assert len(set(found.seeds)) == k
        assert set(found.seeds) <= set(pool)
        assert found.existing_spread + found.gains.sum() == pytest.approx(found.certificate.spread)
        slack = 1e-6 * optimum  # probabilities are float32
        failures += not (found.lower <= actual + slack and optimum <= found.upper + slack)
        promised += actual >= (found.certificate.guarantee - 1e-6) * optimum
    assert failures <= delta * cases
    assert promised >= (1 - delta) * cases


@pytest.mark.parametrize("fixed_first", [False, True])
def test_budget_certificates_hold_against_brute_force(monkeypatch: pytest.MonkeyPatch, fixed_first: bool) -> None:
    sentinels = 0
    if fixed_first:  # as where RR sets are large
        monkeypatch.setattr(knapsack, "LARGE_SET", 0.0)
        monkeypatch.setattr(knapsack, "SHARE", 1.0)
        monkeypatch.setattr(knapsack, "SURE", 1)
    rng = np.random.default_rng(12)
    delta, cases, failures = 0.1, 150, 0
    for case in range(cases):
        graph, model, options, pool, weight = random_case(rng)
        del options["hist"]
        pool = pool[:8]
        options["candidates"] = pool
        prices = {v: float(rng.integers(1, 8)) for v in pool}
        budget = float(rng.integers(min(prices.values()), 20))
        found = opim_budget(graph, budget, prices, model=model, delta=delta, eps=0.2, rng=case, threads=1, **options)
        spread = exact_spreads(graph, model, weight)
        taken = options.get("existing", [])
        affordable = [
            [*taken, *group]
            for size in range(len(pool) + 1)
            for group in itertools.combinations(pool, size)
            if sum(prices[v] for v in group) <= budget
        ]
        optimum = max(spread([np.array(group, int)])[0] for group in affordable)  # type: ignore[arg-type]
        actual = spread(np.array([[*taken, *found.seeds]]))[0]
        assert found.cost == sum(prices[v] for v in found.seeds) <= budget
        assert found.prices.tolist() == [prices[v] for v in found.seeds]
        assert found.existing_spread + found.gains.sum() == pytest.approx(found.certificate.spread)
        left = [v for v in pool if v not in found.seeds and prices[v] <= budget]
        if found.next_buy is None:
            assert found.next_unit == 0
        else:
            buy = found.next_buy
            assert buy.seed in left
            assert (buy.price, buy.gain / buy.price) == (prices[buy.seed], found.next_unit)
            assert buy.missing == max(buy.price - (budget - found.cost), 0)
        sentinels += found.provenance["sentinels"]
        failures += not (found.lower <= actual + 1e-6 * optimum and optimum <= found.upper + 1e-6 * optimum)
    assert failures <= delta * cases
    assert (sentinels > 0) == fixed_first


# -- a graph of some size ----------------------------------------------------------------------------------------------


def some_graph(n: int = 2000, m: int = 12_000, seed: int = 0) -> FollowerGraph:
    rng = np.random.default_rng(seed)
    hubs = (n * rng.random(m) ** 3).astype(int)
    return FollowerGraph.from_arrays(
        hubs, rng.integers(0, n, m), nodes=range(n), directed=True, edges_mean="influences"
    )


GRAPH = some_graph().with_probabilities("weighted_cascade")
DENSE = some_graph().with_probabilities("constant", p=0.25)


@pytest.mark.parametrize(
    ("graph", "options"),
    [(GRAPH, {}), (GRAPH, {"model": "lt"}), (DENSE, {"hist": True}), (GRAPH, {"node_weights": np.arange(2000)})],
)  # fmt: skip
def test_one_and_two_threads_give_the_same(graph: FollowerGraph, options: dict[str, Any]) -> None:
    one = opim(graph, 20, rng=5, threads=1, **options)
    two = opim(graph, 20, rng=5, threads=2, **options)
    assert one.seeds == two.seeds
    assert (one.lower, one.upper, one.n_rr_sets) == (two.lower, two.upper, two.n_rr_sets)
    assert one.certificate.spread == two.certificate.spread
    assert (one.gains == two.gains).all()


def test_hist_is_chosen_where_sets_are_large_and_agrees_with_opim() -> None:
    assert opim(GRAPH, 10, rng=1, eps=0.1).method == "OPIM-C"
    auto = opim(DENSE, 10, rng=1, eps=0.1)
    plain = opim(DENSE, 10, rng=1, hist=False, eps=0.1)
    assert (auto.method, plain.method) == ("HIST", "OPIM-C")
    for found in (auto, plain):
        assert found.stopped == "guarantee"
        assert found.ratio >= found.certificate.guarantee == pytest.approx(1 - 1 / math.e - 0.1)
        check = dif.spread(DENSE, found.seeds, runs=4096, rng=2, confidence=0.999)
        assert found.lower <= check.high
        assert check.low <= found.upper
        assert found.gains.sum() == pytest.approx(found.certificate.spread)
        assert len(found.to_pandas()) == 10
    assert auto.provenance["sentinels"] >= 1


def test_quality_samples_until_the_ratio_is_proven_or_cannot_be() -> None:
    rough = opim(GRAPH, 10, eps=0.2, rng=1)
    fine = opim(GRAPH, 10, quality=0.8, rng=1)
    assert fine.stopped == "quality"
    assert fine.ratio >= 0.8
    assert fine.n_rr_sets > rough.n_rr_sets
    assert math.isnan(fine.certificate.guarantee)
    most = opim(GRAPH, 40, quality=0.9999, rng=1)
    assert most.stopped == "bound"
    assert 0.7 < most.ratio < 0.9999


def test_seeds_taken_already_change_what_is_chosen() -> None:
    first = opim(GRAPH, 5, rng=1)
    more = opim(GRAPH, 5, existing=first.seeds, rng=2)
    assert not set(first.seeds) & set(more.seeds)
    alone = dif.spread(GRAPH, first.seeds, runs=8192, rng=3)
    both = dif.spread(GRAPH, [*first.seeds, *more.seeds], runs=8192, rng=3)
    assert more.existing_spread == pytest.approx(alone.mean, rel=0.1)
    assert more.lower <= both.high
    assert both.low <= more.upper
    assert set(opim(GRAPH, 3, exclude=first.seeds, rng=1).seeds).isdisjoint(first.seeds)
    pool = list(range(1000, 1010))
    assert set(opim(GRAPH, 10, candidates=pool, rng=1).seeds) == set(pool)


def test_an_audience_moves_the_seeds_towards_it() -> None:
    graph = FollowerGraph.from_arrays(
        [0] * 8 + [9] * 3, [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12], directed=True, edges_mean="influences"
    ).with_probabilities("constant", p=1.0)
    assert opim(graph, 1, rng=1).seeds == (0,)
    audience = opim(graph, 1, node_weights={10: 1, 11: 1, 12: 2}, rng=1)
    assert audience.seeds == (9,)
    assert audience.certificate.spread == audience.upper == 4


def test_a_budget_buys_by_value_for_money() -> None:
    found = opim_budget(GRAPH, 500.0, lambda followers: 1.0 + followers, rng=1)
    tight = opim_budget(GRAPH, 100.0, lambda followers: 1.0 + followers, rng=1, quality=0.5)
    assert tight.cost <= 100 < found.cost <= 500
    assert found.certificate.spread > tight.certificate.spread
    assert found.stopped == "converged"
    assert opim_budget(GRAPH, 500.0, lambda followers: 1.0 + followers, rng=1, eps=0.1).stopped == "precision"
    assert found.spread_per_cost == pytest.approx(found.certificate.spread / found.cost)
    assert 0 < found.next_unit < found.spread_per_cost
    assert found.next_buy is not None
    assert found.next_buy.missing > 0
    whole = dif.select_seeds(GRAPH, budget=500.0, prices=lambda followers: 1.0 + followers, rng=1)
    assert whole.spread_per_cost == pytest.approx(whole.gains.sum() / whole.cost)
    assert "more would buy" in repr(whole)
    assert found.to_pandas()["price"].sum() == pytest.approx(found.cost)
    check = dif.spread(GRAPH, found.seeds, runs=4096, rng=2, confidence=0.999)
    assert found.lower <= check.high
    assert check.low <= found.upper
    even = opim_budget(GRAPH, 10.0, np.ones(2000), rng=1, eps=0.05)
    assert len(even.seeds) == 10
    assert even.certificate.spread == pytest.approx(opim(GRAPH, 10, rng=1, eps=0.02).certificate.spread, rel=0.1)


def test_a_budget_where_a_message_reaches_a_large_part_of_the_graph() -> None:
    price = 1.0 + DENSE.out_degree.to_numpy()
    found = opim_budget(DENSE, 60.0, price, rng=1, threads=1)
    assert found.provenance["sentinels"] >= 1
    assert found.mean_rr_size < 100  # whole sets have some 700 members
    two = opim_budget(DENSE, 60.0, price, rng=1, threads=2)
    assert (found.seeds, found.lower, found.upper, found.n_rr_sets) == (two.seeds, two.lower, two.upper, two.n_rr_sets)
    check = dif.spread(DENSE, found.seeds, runs=4096, rng=2, confidence=0.999)
    assert found.lower <= check.high
    assert check.low <= found.upper
    assert found.gains.sum() == pytest.approx(found.certificate.spread)
    assert found.ratio > 0.8


def test_whole_sets_give_no_better_seeds_for_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    price = 1.0 + DENSE.out_degree.to_numpy()
    short = opim_budget(DENSE, 60.0, price, rng=1)
    monkeypatch.setattr(knapsack, "LARGE_SET", 1e9)
    whole = opim_budget(DENSE, 60.0, price, rng=1)
    assert whole.provenance["sentinels"] == 0
    pair = dif.compare(DENSE, {"short": short.seeds, "whole": whole.seeds}, runs=4096, rng=2)
    assert pair.difference("short", "whole").low > -0.01 * whole.certificate.spread
    assert short.ratio > whole.ratio - 0.05


def naive_betting(values: list[float], alpha: float) -> float:
    """Largest m on a fine grid at which the gambler has 1 / alpha."""
    best, mean = 0.0, sum(values) / len(values)
    for step in range(1, 2001 if mean else 0):
        m = mean * step / 2000
        money = [math.prod(1 + c * (x / m - 1) for x in values) for c in certificate.STAKES]
        if sum(money) / len(money) >= 1 / alpha:
            best = m
    return best


def test_the_bound_by_betting_is_the_naive_one_and_holds() -> None:
    rng = np.random.default_rng(5)
    for alpha in (0.3, 0.01, 1e-4):
        for values in (rng.integers(0, 9, 30), np.full(40, 7), rng.random(25) < 0.2, np.zeros(5)):
            naive = naive_betting([float(x) for x in values], alpha)
            assert certificate.betting_low(values, alpha) == pytest.approx(naive, abs=float(values.mean()) / 1900)
    assert certificate.betting_low(np.full(512, 1000), 1e-8) > 950
    wrong = 0
    for _ in range(2000):  # a law of few large values is the hardest
        wrong += certificate.betting_low(np.where(rng.random(60) < 0.05, 20.0, 0.0), 0.1) > 1.0
    assert wrong <= 0.1 * 2000 + 4 * math.sqrt(2000 * 0.1 * 0.9)


@pytest.mark.parametrize("large", [False, True])
def test_budget_certificates_by_forward_runs_hold_against_brute_force(
    monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """As where RR sets are huge: forward runs judge, and sets over a limit count as covered by anyone."""
    monkeypatch.setattr(knapsack, "LARGE_SET", 0.0)
    monkeypatch.setattr(knapsack, "HUGE_SET", 0.0)
    monkeypatch.setattr(knapsack, "SURE", 1)
    if large:
        monkeypatch.setattr(knapsack, "LIMITS", (1, 2, 3))
        monkeypatch.setattr(knapsack, "MISSED", 1.0)
    rng = np.random.default_rng(13)
    delta, cases, failures, limited = 0.1, 120, 0, 0
    for case in range(cases):
        graph, model, options, pool, weight = random_case(rng)
        options = {"existing": options.get("existing", []), "candidates": pool[:8]}
        prices = {v: float(rng.integers(1, 8)) for v in pool[:8]}
        budget = float(rng.integers(min(prices.values()), 20))
        found = opim_budget(
            graph, budget, prices, model=model, delta=delta, eps=0.3, rng=case, threads=1, max_rr_sets=20_000, **options
        )
        spread = exact_spreads(graph, model, np.ones(len(weight)))
        sets = [
            [*options["existing"], *group]
            for size in range(len(prices) + 1)
            for group in itertools.combinations(pool[:8], size)
            if sum(prices[v] for v in group) <= budget
        ]
        optimum = max(spread([np.array(group, int)])[0] for group in sets)  # type: ignore[arg-type]
        actual = spread(np.array([[*options["existing"], *found.seeds]]))[0]
        assert found.existing_spread + found.gains.sum() == pytest.approx(found.certificate.spread)
        limited += found.provenance["limit"] is not None
        failures += not (found.lower <= actual + 1e-6 * optimum and optimum <= found.upper + 1e-6 * optimum)
    assert failures <= delta * cases
    assert not large or limited > cases / 4


# -- limits ------------------------------------------------------------------------------------------------------------


def test_time_and_sets_end_the_search_with_valid_bounds() -> None:
    timed = opim(GRAPH, 10, quality=0.999, time_limit=1e-6, rng=1)
    assert timed.stopped == "time"
    assert 0 < timed.ratio < 0.999
    few = opim(GRAPH, 10, quality=0.95, max_rr_sets=3000, rng=1)
    assert few.stopped == "max_rr_sets"
    assert few.n_rr_sets <= 3000
    assert len(few.seeds) == 10


def interrupt_after(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Ctrl-C at the call of `RRStore.extend` after so many, and once only."""
    made = 0
    plain = RRStore.extend

    def interrupted(self: RRStore, n: int, **options: Any) -> bool:
        nonlocal made
        made += 1
        if made == calls + 1:
            raise KeyboardInterrupt
        return plain(self, n, **options)

    monkeypatch.setattr(RRStore, "extend", interrupted)


@pytest.mark.parametrize("after", [8, 9])
def test_ctrl_c_returns_the_best_so_far(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    interrupt_after(monkeypatch, after)
    found = opim(GRAPH, 10, quality=0.999, hist=False, rng=1)
    assert found.stopped == "interrupted"
    monkeypatch.undo()
    whole = opim(GRAPH, 10, quality=0.999, hist=False, max_rr_sets=found.n_rr_sets, rng=1)
    assert (found.seeds, found.certificate.spread) == (whole.seeds, whole.certificate.spread)


@pytest.mark.parametrize("graph", [GRAPH, DENSE])
@pytest.mark.parametrize("budget", [None, 60.0])
def test_ctrl_c_before_the_first_look_returns_what_there_is(
    monkeypatch: pytest.MonkeyPatch, graph: FollowerGraph, budget: float | None
) -> None:
    """At every call of the sampling until the search ends by itself: seeds with bounds that hold."""
    ends, calls = set(), 1
    while "interrupted" in ends or not ends:
        interrupt_after(monkeypatch, calls)
        price = 1.0 + graph.out_degree.to_numpy()
        found = opim(graph, 10, rng=1) if budget is None else opim_budget(graph, budget, price, rng=1)
        monkeypatch.undo()
        ends = {found.stopped}
        assert len(found.seeds) == 10 or (budget is not None and 0 < found.cost <= budget)
        check = dif.spread(graph, found.seeds, runs=512, rng=2, confidence=0.9999)
        assert found.lower <= check.high
        assert check.low <= found.upper
        assert found.gains.sum() == pytest.approx(found.certificate.spread)
        calls += 1
    assert calls > 5


def test_ctrl_c_without_any_set_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    for call in (lambda: opim(GRAPH, 10, rng=1), lambda: opim_budget(GRAPH, 10.0, np.ones(2000), rng=1)):
        interrupt_after(monkeypatch, 0)
        with pytest.raises(KeyboardInterrupt):
            call()
        monkeypatch.undo()


def test_memory_ends_the_search_with_valid_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SMALL_BYTES", 0)
    monkeypatch.setenv("DIFFUSION_MEMORY", "1000000")
    found = opim(GRAPH, 10, quality=0.999, rng=1)
    assert found.stopped == "memory"
    assert 0.3 < found.ratio < 0.999


def _halves(n: int, *, key: int = 1) -> tuple[task.Task, RRStore, RRStore]:
    prepared = task.Task.of(SelectionProblem.of(GRAPH, 5, key=key), delta=0.1, judged=5)
    halves = prepared.store("choose"), prepared.store("judge")
    for half in halves:
        half.extend(n, threads=1)
    return prepared, *halves


def _members(sets: RRStore) -> list[set[int]]:
    return [set(sets.nodes[sets.offsets[i] : sets.offsets[i + 1]].tolist()) for i in range(sets.n)]


def test_joined_collections_are_one_after_the_other() -> None:
    _, one, two = _halves(700)
    assert one.counts.sum() == one.size  # counted before: the members that are new are added
    expected = _members(one) + _members(two)
    one.join(two)
    assert _members(one) == expected
    assert (one.n, one.size, one.n_empty) == (1400, sum(map(len, expected)), 0)
    assert one.counts.tolist() == np.bincount(one.nodes[: one.size], minlength=2000).tolist()


@pytest.mark.parametrize("ranked", [None, 0, 1, 2, 3])
def test_losses_are_the_naive_ones(monkeypatch: pytest.MonkeyPatch, ranked: int | None) -> None:
    """At looks of 1, 2 and 4 times so many sets, with each of the reasons that make a loss less.

    A ranking has so many seeds that nobody else may choose, the last ones of five, and otherwise the best there are.
    """
    monkeypatch.setattr(search, "LEAST_HITS", 20)
    prepared, one, two = _halves(500)
    best = prepared.store("better")
    best.extend(200_000, threads=1)
    strong = best.greedy(prepared.allowed, 5, 5)[0]
    weak = prepared.allowed.copy()
    rankings: tuple[NDArray[Any], ...] = ()
    if ranked is not None:
        weak[strong] = False
        mixed = np.concatenate([best.greedy(weak, 5, 5)[0][: 5 - ranked], strong[5 - ranked :]])
        rankings = (np.arange(5, dtype=np.int32), mixed)

    def choose(sets: RRStore) -> search.Choice:
        seeds, gains, _ = sets.greedy(weak, 5, 5)
        return search.Choice(seeds, float(gains.sum()), 0.0, gains)

    def covers(sets: RRStore, seeds: NDArray[Any]) -> NDArray[np.bool_]:
        return np.array([not members.isdisjoint(seeds.tolist()) for members in _members(sets)])

    def against(a: list[NDArray[Any]], b: list[NDArray[Any]]) -> tuple[int, float]:
        hits = [(covers(s, x).astype(int), covers(s, y).astype(int)) for s, x, y in zip((two, one), a, b, strict=True)]
        return sum(int((x - y).sum()) for x, y in hits), math.sqrt(sum(int((x != y).sum()) for x, y in hits))

    for enough, settled in [(10.0, 0.0), *((0.0, x) for x in (0.0, 0.01, 0.014, 0.02, 0.03, 0.04, 0.06))]:
        prepared, one, two = _halves(500)
        monkeypatch.setattr(search, "SETTLED", settled)
        losses = search._Losses(choose, task.NOBODY, lambda: rankings, enough)
        before: list[NDArray[Any]] = []
        for n in (500, 1000, 2000):
            one.extend(n, threads=1)
            two.extend(n, threads=1)
            mine, theirs = choose(one).seeds, choose(two).seeds
            kept = int(covers(two, mine).sum() + covers(one, theirs).sum())
            won, error = against([mine, theirs], [theirs, mine])
            expected = max(error - won, 0.0) / kept
            if expected > enough:
                more, wide = against([mine, theirs], before) if before else (0, math.inf)
                if abs(more) + 2 * wide <= settled * kept:
                    expected = enough
                else:
                    leads = [against([seeds, seeds], [mine, theirs]) for seeds in rankings]
                    lead = max([0.0, *(a - b for a, b in leads)]) / kept
                    expected = min(expected, 2 * max(expected - 2 * lead, 0.0))
            assert losses.at(choose(one), one, two) == pytest.approx(expected, rel=1e-12)
            before = [mine, theirs]
    monkeypatch.setattr(search, "LEAST_HITS", 10**6)
    assert math.isinf(losses.at(choose(one), one, two))


@pytest.mark.parametrize("order", [("strong", "middle"), ("middle", "strong")])
def test_the_best_of_several_rankings_is_kept(order: tuple[str, str]) -> None:
    prepared, one, two = _halves(4000)
    best = one.greedy(prepared.allowed, 10, 5)[0].astype(np.int32)
    sets = {"strong": best[:5], "middle": best[3:8]}
    weak = search.Choice(np.flatnonzero(one.counts == 0)[:5].astype(np.int32), 0.0, 4000.0, np.zeros(5, np.int64))
    state = search.judge(prepared, weak, one, two, 0.01)
    for settle in (False, True):
        kept = judged.keep_best(prepared, state, two, one, {name: sets[name] for name in order}, settle)
        assert kept.name == "strong"
        assert kept.spreads["strong"] > kept.spreads["middle"] > kept.spreads["greedy"] == state.spread
        hits = two.n_empty + int(two.covered_in_order(sets["strong"])[:-1].sum())
        assert kept.state.lower == pytest.approx(2000 * binomial_bounds(hits, 4000, 0.01 / 5)[0])


def test_more_sets_settle_a_close_ranking() -> None:
    """On 200 sets that nobody can tell apart by; on five times as many the difference counts on all of them."""
    prepared, _, two = _halves(200)
    mine, theirs = np.arange(5, dtype=np.int32), np.arange(5, 10, dtype=np.int32)
    more = prepared.store("judge", "close")
    lead = judged._lead(prepared, (two, more), mine, theirs)
    a, b, _ = two.covered_apart(mine, theirs)
    assert abs(a - b) < 2 * math.sqrt(a + b)
    assert more.n == 800
    c, d, _ = more.covered_apart(mine, theirs)
    assert lead == pytest.approx(2000 * (a + c - b - d) / 1000)


@pytest.mark.parametrize("existing", [[], [3, 4]])
def test_by_default_seeds_are_chosen_on_both_halves_and_judged_on_fresh_sets(existing: list[int]) -> None:
    """At half the failure probability of the look, each lower bound at a fifth of that."""
    found = opim(GRAPH, 10, delta=0.1, rng=1, hist=False, existing=existing)
    assert (found.stopped, found.chosen_by) == ("converged", "greedy")
    prepared = task.Task.of(SelectionProblem.of(GRAPH, 10, key=key_of(1), existing=existing), delta=0.1, judged=5)
    schedule = search.schedule_of(prepared, 10, 0.1, 0.1)
    look = next(i for i in range(40) if 2 * schedule.size(i) + schedule.size(i) // 2 == found.n_rr_sets)
    n, alpha = schedule.size(look), schedule.alpha(look) / 2
    both, other, fresh = (prepared.store(*name) for name in (("choose",), ("judge",), ("judge", "joined")))
    for sets, size in ((both, n), (other, n), (fresh, n // 2)):
        sets.extend(size, threads=1)
    both.join(other)
    seeds, gains, best = both.greedy(prepared.allowed, 10, 10)
    assert found.seeds == tuple(prepared.problem.labels(prepared.users_of(seeds)))
    hits = fresh.n_empty + int(fresh.covered_in_order(seeds)[:-1].sum())
    assert found.lower == pytest.approx(2000 * binomial_bounds(hits, n // 2, alpha / 5)[0])
    most = float((both.n_empty + np.concatenate([[0], np.cumsum(gains)]) + best).min())
    assert found.upper == pytest.approx(2000 * binomial_bounds(most, 2 * n, alpha)[1])


def test_failure_probabilities_of_all_looks_sum_to_delta() -> None:
    for last in (math.inf, 100_000.0):
        schedule = search.Schedule(700, last, 0.01)
        looks = 5000 if math.isinf(last) else math.ceil(2 * math.log2(last / 700))
        whole = 2 * sum(schedule.alpha(i) for i in range(looks)) + (0 if math.isinf(last) else 0.01 / 3 * 63 / 64)
        early = 2 * schedule.early_alpha * (2 * len(schedule.early) + 1)  # cut short in the search, or before it
        assert 0.009 < whole + early <= 0.01 + 1e-12


# -- IMM and real graphs -----------------------------------------------------------------------------------------------


def test_lambda_star_of_imm() -> None:
    assert search.log_choose(15_233, 50) == pytest.approx(333.003, abs=5e-4)
    assert round(imm_lambda_star(15_233, 50, eps=0.1, ell=1)) == 864_462_053


def test_imm_reaches_its_guarantee_with_more_sets_than_opim() -> None:
    classic, modern = imm(GRAPH, 10, eps=0.3, rng=1), opim(GRAPH, 10, eps=0.3, rng=1)
    assert classic.ratio > classic.certificate.guarantee == modern.certificate.guarantee
    assert classic.n_rr_sets > 5 * modern.n_rr_sets
    pair = dif.compare(GRAPH, {"imm": classic.seeds, "opim": modern.seeds}, runs=4096, rng=2)
    assert pair.difference("imm", "opim").high > -0.03 * modern.certificate.spread


@pytest.mark.parametrize(
    ("parallel", "rule", "model", "expected", "tolerance"),
    [
        ("keep", {"rule": "weighted_cascade"}, "ic", 1047.5, 0.01),
        ("collapse", {"rule": "weighted_cascade"}, "ic", 966.1, 0.01),
        ("keep", {"rule": "weighted_cascade"}, "lt", 1417.0, 0.01),
        ("collapse", {"rule": "weighted_cascade"}, "lt", 1298.9, 0.01),
        ("keep", {"rule": "constant", "p": 0.02}, "ic", 277.3, 0.02),
    ],
)
def test_nethept_by_independent_evaluation(
    data: Callable[[str], Path], parallel: Any, rule: dict[str, Any], model: str, expected: float, tolerance: float
) -> None:
    graph = dif.read_edges(data("nethept.txt.gz"), directed=False, parallel=parallel).with_probabilities(**rule)
    found = opim(graph, 50, model=model, quality=0.9999, max_rr_sets=2_400_000, rng=1)
    check = dif.spread(graph, found.seeds, model=model, runs=20_000, rng=2)
    assert check.mean == pytest.approx(expected, rel=tolerance)
    assert found.lower <= check.high
    assert check.low <= found.upper


# -- bad input ---------------------------------------------------------------------------------------------------------

PRICES = np.ones(2000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: opim(GRAPH, 0), "k=0"),
        (lambda: opim(GRAPH, 2001), "more than the 2,000 nodes"),
        (lambda: opim(GRAPH, 3, candidates=[1, 2]), "more than the 2 candidates"),
        (lambda: opim(GRAPH, 3, eps=0), "eps=0"),
        (lambda: opim(GRAPH, 3, eps=0.7), "no guarantee"),
        (lambda: opim(GRAPH, 3, eps=0.1, quality=0.9), "two ways"),
        (lambda: opim(GRAPH, 3, quality=1.0), "quality=1.0"),
        (lambda: opim(GRAPH, 3, delta=float("nan")), "delta=nan"),
        (lambda: opim(GRAPH, 3, time_limit=-1), "time_limit=-1"),
        (lambda: opim(GRAPH, 3, max_rr_sets=0), "max_rr_sets=0"),
        (lambda: opim(GRAPH, 3, model=dif.Threshold(count=2)), "no certificate is known for Threshold"),
        (lambda: opim(GRAPH, 3, node_weights=np.zeros(2000)), "all 0"),
        (lambda: imm(GRAPH, 3, ell=0), "ell=0"),
        (lambda: opim_budget(GRAPH, 0.5, PRICES), "below the cheapest"),
        (lambda: opim_budget(GRAPH, float("nan"), PRICES), "budget=nan"),
        (lambda: opim_budget(GRAPH, 5, -PRICES), "price of 0 is -1"),
        (lambda: opim_budget(GRAPH, 5, {}), "no candidate has a price"),
        (lambda: opim_budget(GRAPH, 5, PRICES, eps=2), "eps=2"),
        (lambda: opim_budget(GRAPH, 5, PRICES, candidates=[]), "no candidate"),
    ],
)
def test_bad_input_is_one_clear_error(call: Any, message: str) -> None:
    with pytest.raises(dif.errors.InputError, match=message):
        call()


def test_an_unknown_method_is_not_found() -> None:
    with pytest.raises(dif.errors.NotFoundError, match="Did you mean 'hist'"):
        dif.select_seeds(GRAPH, 3, method="hisst")


@pytest.mark.parametrize("method", ["opim", "celf"])
def test_seeds_for_an_audience_are_evaluated_in_its_weight(method):
    """Bounds and evaluation in one unit: the spread of the seeds lies between the bounds, and below that in nodes."""
    graph = random_graph(200, 800, rng=3).with_probabilities("weighted_cascade")
    weights = {node: 1.0 for node in graph.nodes.tolist()[:20]}
    found = dif.select_seeds(graph, 3, method=method, node_weights=weights, evaluate=True, rng=1)
    checked = dif.simulate(graph, found.seeds, runs=20_000, node_weights=weights, rng=2)
    assert found.spread.unit == "node weight"
    assert found.spread.mean == pytest.approx(checked.mean().mean, rel=0.03)
    assert found.spread.high < checked.sizes.mean()
    assert "node weight" in repr(found)
    if method == "opim":
        assert found.lower <= found.spread.high
        assert found.spread.low <= found.upper


# -- the default: as good as more sets would choose, never below a free ranking, and an end -----------------------------


@pytest.mark.parametrize(
    ("name", "direction", "best"),
    [("nethept", None, 968.0), ("epinions", "follows", 15_670.0), ("epinions", "influences", 12_070.0),
     ("wiki", "follows", 1_793.5), ("wiki", "influences", 673.8), ("email", "influences", 482.2)],
)  # fmt: skip
def test_default_seeds_are_within_one_percent_of_the_best_known(
    data: Callable[[str], Path], name: str, direction: Any, best: float
) -> None:
    """50 seeds, weighted cascade; the best known are from 4,000,000 RR sets."""
    files = {"nethept": "nethept", "epinions": "soc-Epinions1", "wiki": "wiki-Vote", "email": "email-Eu-core"}
    how: dict[str, Any] = {"directed": False, "parallel": "collapse"} if direction is None else {"directed": True}
    if direction is not None:
        how["edges_mean"] = direction
    graph = dif.read_edges(data(f"{files[name]}.txt.gz"), **how).with_probabilities("weighted_cascade")
    found = dif.select_seeds(graph, 50, rng=1)
    sets = {m: dif.select_seeds(graph, 50, method=m).seeds for m in ("degree", "pagerank")}
    compared = dif.compare(graph, {"default": found.seeds, **sets}, runs=1024, rng=2)
    reached = compared.means["mean"]
    assert reached["default"] >= 0.99 * best  # the standard error is .2 to .4 %
    assert found.stopped == "converged"
    assert found.lower <= reached["default"] <= found.upper
    for m in sets:
        assert compared.difference("default", m).high >= 0


STARS = FollowerGraph.from_arrays(
    np.repeat(np.arange(40), 25), np.arange(40, 1040), nodes=range(1040), directed=True, edges_mean="influences"
).with_probabilities("constant", p=0.04)


def test_a_ranking_that_reaches_more_is_kept_and_said() -> None:
    """40 equal stars of little spread: few RR sets choose leaves too, degree does not."""
    found = dif.select_seeds(STARS, 20, method=OPIM(eps=0.05, max_rr_sets=1500), rng=1)
    degree = dif.select_seeds(STARS, 20, method="degree")
    assert set(found.seeds) == set(degree.seeds)
    assert found.chosen_by == "degree"
    assert found.compared["degree"] > found.compared["greedy"]
    assert "chosen by 'degree', which reaches" in repr(found)
    assert found.lower <= 40.0 <= found.upper
    plain = dif.select_seeds(STARS, 20, rng=1)
    assert plain.lower <= 40.0 <= plain.upper
    assert {"greedy", "degree", "single_discount", "degree_discount", "pagerank"} == set(plain.compared)
    assert len(dif.select_seeds(STARS, 5, candidates=range(30, 60), existing=[0], rng=1).seeds) == 5


@pytest.mark.parametrize(("eps", "by_greedy"), [(0.3, False), (0.1, True)])
def test_lower_bounds_are_shared_out_over_the_sets_judged(eps: float, by_greedy: bool) -> None:
    """Of 5 seed sets the best is kept: each is bounded at a fifth of the failure probability."""
    found = opim(GRAPH, 10, eps=eps, delta=0.1, rng=8 if by_greedy else 1, hist=False)
    assert (found.chosen_by == "greedy") == by_greedy
    prepared = task.Task.of(SelectionProblem.of(GRAPH, 10, key=1), delta=0.1)
    schedule = search.schedule_of(prepared, 10, eps, 0.1)
    n = found.n_rr_sets // 2
    look = next(i for i in range(40) if schedule.size(i) == n)
    hits = round(max(found.compared.values()) * n / 2000)
    assert found.lower == pytest.approx(2000 * binomial_bounds(hits, n, schedule.alpha(look) / 5)[0])


def test_a_bound_by_forward_runs_shares_out_its_failure_probability():
    """Of 5 seed sets judged, each has a fifth of alpha: the same runs, a lower bound that is lower."""
    problem, seeds = SelectionProblem.of(GRAPH, 10, key=1), np.arange(10, dtype=np.int32)
    bounds = [task.Task.of(problem, delta=0.1, judged=n).forward_bound(seeds, 2**15, 0.05) for n in (1, 5)]
    again = task.Task.of(problem, delta=0.1, judged=1).forward_bound(seeds, 2**15, 0.01)
    assert bounds[0][0] == bounds[1][0] == again[0]
    assert bounds[1][1] == again[1] < bounds[0][1]


@pytest.mark.parametrize("method", ["opim", "hist"])
def test_selection_ends_within_its_bound_on_tiny_and_sparse_graphs(method: str) -> None:
    """Hundreds of random graphs, with users nobody follows, SIPS among them: no search draws without end."""
    rng = np.random.default_rng(4)
    for case in range(80):
        n = int(rng.integers(1, 9))
        m = int(rng.integers(0, 2 * n))
        graph = FollowerGraph.from_arrays(
            rng.integers(0, n, m), rng.integers(0, n, m), nodes=range(n), directed=True, edges_mean="influences"
        ).with_probabilities("constant", p=float(rng.choice([0.0, 0.05, 0.5, 1.0])))
        k = int(rng.integers(1, n + 1))
        model: Any = dif.SIPS(0.3, dif.models.Funnel(share=float(rng.choice([0.0, 0.3])))) if case % 2 else "ic"
        found = dif.select_seeds(graph, k, model=model, method=method, rng=case)
        assert len(found.seeds) == k
        assert found.n_rr_sets <= 1_000_000
    sparse = FollowerGraph.from_arrays(
        rng.integers(0, 20_000, 100_000), rng.integers(0, 20_000, 100_000), nodes=range(20_000), directed=True,
        edges_mean="influences",
    ).with_probabilities("constant", p=0.05)  # fmt: skip
    found = dif.select_seeds(sparse, 5, method=type(strategy_of(method))(eps=0.1), rng=1)
    assert found.stopped == "guarantee"
    assert found.n_rr_sets < 8_000_000


def test_a_bound_by_default_ends_the_search_and_takes_back_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "DEFAULT_SETS", 3000)
    few = opim(GRAPH, 10, quality=0.99, rng=1)
    assert (few.stopped, few.n_rr_sets <= 3000) == ("max_rr_sets", True)
    hard = opim(STARS, 20, eps=0.01, rng=1)
    assert hard.stopped == "max_rr_sets"
    assert hard.ratio < 1 - 1 / math.e - 0.01
    assert math.isnan(hard.certificate.guarantee)
    assert math.isnan(imm(STARS, 20, rng=1).certificate.guarantee)
    monkeypatch.setattr(task, "DEFAULT_SETS", 2**25)
    monkeypatch.setattr(task, "DEFAULT_BYTES", 100_000)
    assert opim(GRAPH, 10, quality=0.99, rng=1).stopped == "memory"
    assert dif.select_seeds(GRAPH, 10, method=OPIM(quality=0.99, max_rr_sets=200_000), rng=1).stopped == "max_rr_sets"
