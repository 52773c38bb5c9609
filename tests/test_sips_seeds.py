"""Seeds for SIPS: the split graph is SIPS, certificates hold, and every method uses the model it was given."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from strategies import internal_arcs, random_graph

import diffusion as dif
from diffusion import SIPS
from diffusion.errors import InputError
from diffusion.models import Complex, Feed, Funnel
from diffusion.seeding import OPIM

FUNNEL = Funnel(0.9, 0.8, 0.7, 0.9)


def exact_reach(
    n: int, arcs: list[tuple[int, int]], a: float | list[float], rho: float, seeds: tuple[int, ...]
) -> float:
    """Enumerate attention of every arc (one chance, or one each) and willingness of every user."""
    total = 0.0
    each = a if isinstance(a, list) else [a] * len(arcs)
    for live in itertools.product((False, True), repeat=len(arcs)):
        chance = math.prod(p if x else 1 - p for p, x in zip(each, live, strict=True))
        out = [arc for arc, x in zip(arcs, live, strict=True) if x]
        for share in itertools.product((False, True), repeat=n):
            weight = math.prod(rho if s else 1 - rho for s in share)
            seen, todo = set(seeds), list(seeds)
            while todo:
                u = todo.pop()
                for x, v in out:
                    if x == u and v not in seen:
                        seen.add(v)
                        if share[v]:
                            todo.append(v)
            total += chance * weight * len(seen)
    return total


def test_the_split_graph_is_sips():
    graph = random_graph(300, 1500, rng=2)
    model = SIPS(0.3, FUNNEL)
    seeds = [0, 5, 17]
    ours = dif.spread(graph, seeds, model=model, runs=20_000, rng=1)
    live = model.live_edges(graph)
    at = live.graph.index.labels_of(live.seed_of[graph.index.internal(seeds)])
    ens = dif.simulate(live.graph, at.tolist(), runs=20_000, rng=2)
    active = ens.activation_probability
    reach = active[live.graph.index.labels_of(live.counted)].sum()
    assert abs(ours.mean - reach) < 4 * math.hypot(ours.se, ens.sizes.std() / 2 / math.sqrt(20_000))


def test_certificates_hold_for_the_enumerated_optimum():
    misses = 0
    for case in range(12):
        graph = random_graph(6, 9, rng=case)
        arcs = internal_arcs(graph)
        if len(arcs) > 8:
            arcs = arcs[:8]
            names = [
                (graph.index.labels_of(np.array([u]))[0], graph.index.labels_of(np.array([v]))[0]) for u, v in arcs
            ]
            graph = dif.FollowerGraph.from_arrays(
                [u for u, _ in names], [v for _, v in names], nodes=range(6), directed=True, edges_mean="influences"
            )
            arcs = internal_arcs(graph)
        model = SIPS(0.5, FUNNEL)
        reach = {s: exact_reach(6, arcs, 0.5, FUNNEL.rho, s) for s in itertools.combinations(range(6), 2)}
        found = dif.select_seeds(graph, 2, model=model, method=OPIM(delta=0.1), rng=case)
        chosen = tuple(sorted(graph.index.internal(list(found.seeds)).tolist()))
        misses += not (found.lower <= reach[chosen] + 1e-9 and max(reach.values()) <= found.upper + 1e-9)
    assert misses <= 2


def feed_arcs(graph: dif.FollowerGraph, feed: Feed) -> dict[tuple[int, int], float]:
    """Chance that the feed shows the note of u to v, by internal node, from Poisson thinning."""
    n = graph.n_nodes
    of = graph.node_data["community"].to_numpy()[graph.index.order] if feed.own_community else np.zeros(n, int)
    size = {c: int((of == c).sum()) for c in of.tolist()}
    return {
        (u, v): 1
        - math.exp(
            -feed.impressions * ((1 - feed.own_community) / n + feed.own_community * (of[u] == of[v]) / size[of[v]])
        )
        for u in range(n)
        for v in range(n)
        if u != v
    }


@pytest.mark.parametrize(
    "feed",
    [
        Feed(impressions=0.8),
        Feed(impressions=3.0, own_community=0.6),
        Feed(impressions=1.5, own_community=1.0),
        Feed(impressions=60.0),
    ],
)
def test_rr_sets_with_a_feed_are_the_enumerated_ones(feed: Feed):
    graph = dif.FollowerGraph.from_arrays(
        [0, 2], [1, 1], nodes=range(3), directed=True, edges_mean="influences"
    ).with_node_data(community=[0, 1, 0])  # fmt: skip
    model = SIPS(0.4, Funnel(share=0.5), feed=feed)
    shown = feed_arcs(graph, feed)
    arcs = [*internal_arcs(graph), *shown]
    chance = [*[0.4] * 2, *shown.values()]
    n_sets = 200_000
    sets = dif.seeding.sample_rr_sets(graph, n_sets, model=model, rng=1)
    groups = [set(sets[i]) for i in range(500)]
    for seeds in ((0,), (1,), (2,), (0, 1)):
        exact = exact_reach(3, arcs, chance, 0.5, seeds)
        users = graph.index.labels_of(np.array(seeds)).tolist()
        share = sets.coverage(users) / n_sets
        assert abs(sets.total * share - sets.estimate(users).value) < 1e-9
        assert abs(sum(bool(group & set(users)) for group in groups) / 500 - share) < 0.12
        error = math.sqrt(exact / 3 * (1 - exact / 3) / n_sets)
        assert abs(share - exact / 3) <= 4 * error + 1e-9
    found = dif.select_seeds(graph, 1, model=model, rng=2)
    reach = {v: exact_reach(3, arcs, chance, 0.5, (v,)) for v in range(3)}
    chosen = int(graph.index.internal(list(found.seeds))[0])
    assert found.lower <= reach[chosen] + 1e-9
    assert max(reach.values()) <= found.upper + 1e-9


@pytest.mark.parametrize(
    "model",
    [
        SIPS(0.2, Funnel(share=0.2), feed=Feed(impressions=3.0)),
        SIPS(0.2, Funnel(share=0.1), feed=Feed(impressions=20.0, own_community=0.7)),
        SIPS(0.2, Funnel(identify=0.1, share=0.2), identify=Complex(1), feed=Feed(impressions=2.0, own_community=1.0)),
        SIPS(0.2, Funnel(share=0.3), feed=Feed()),
    ],
)
def test_certificates_with_a_feed_agree_with_simulation(model: SIPS):
    graph = dif.generate_platform(600, communities=3, rng=3)
    found = dif.select_seeds(graph, 4, model=model, rng=1)
    reach = dif.spread(graph, found.seeds, model=model, runs=8192, rng=3)
    assert found.lower - 4 * reach.se <= reach.mean <= found.upper + 4 * reach.se
    estimate = found.gains.sum()
    share = estimate / 600
    error = 600 * math.sqrt(share * (1 - share) / (found.n_rr_sets / 2))
    assert abs(estimate - reach.mean) < 4 * math.hypot(reach.se, error)
    assert found.compared["degree"] <= found.compared[found.chosen_by]
    price = graph.with_node_data(price=np.ones(600))
    assert len(dif.select_seeds(price, budget=3, model=model, rng=1).seeds) == 3


def test_methods_choose_for_the_model_they_are_given():
    # A hub whose followers never share, and a chain of sharers: who is best depends on rho.
    source = [0] * 8 + [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]
    target = [*range(1, 9), *range(11, 22)]
    graph = dif.FollowerGraph.from_arrays(source, target, directed=True, edges_mean="influences")
    shy, eager = SIPS(1.0, Funnel(share=0.05)), SIPS(1.0, Funnel(share=1.0))
    for method in ("opim", "celf", "greedy", "hist"):
        assert dif.select_seeds(graph, 1, model=shy, method=method, rng=1).seeds == (0,)
        assert dif.select_seeds(graph, 1, model=eager, method=method, rng=1).seeds == (10,)
    graph = graph.with_node_data(price=[1.0] * graph.n_nodes, community=[int(v >= 10) for v in graph.nodes])
    bought = dif.select_seeds(graph, budget=2, model=eager, rng=1)
    assert {0, 10} <= set(bought.seeds) or len(bought.seeds) == 2
    weights = {v: 1.0 for v in range(1, 9)}
    assert dif.select_seeds(graph, 1, model=eager, node_weights=weights, rng=1).seeds == (0,)
    spread = dif.select_seeds(graph.with_probabilities("constant", p=0.5), 2, at_most=1, rng=1)
    assert len({int(v >= 10) for v in spread.seeds}) == 2


def test_what_has_no_certificate_is_refused():
    graph = random_graph(30, 90, rng=1)
    for model, text in (
        (SIPS(0.2, feed=Feed(impressions=1, amplification=0.05)), "a feed that answers to engagement"),
        (SIPS(0.2, feed=Feed(impressions=1, cap=3)), "a feed with cap="),
        (SIPS(0.2, identify=Complex(2)), "complex identification"),
        (SIPS(0.2, redraw=True), "redraw"),
    ):
        with pytest.raises(InputError, match=f"no certificate is known for SIPS with {text}"):
            dif.select_seeds(graph, 2, model=model)
        assert len(dif.select_seeds(graph, 2, model=model, method=dif.seeding.CELF(runs=64), rng=1)) == 2


def platform() -> dif.FollowerGraph:
    return dif.generate_platform(600, communities=3, rng=3)


MODELS = {
    "followers alone": SIPS(0.3, Funnel(share=0.3)),
    "a feed": SIPS(0.2, Funnel(share=0.2), feed=Feed(impressions=3.0)),
    "a feed in the own community": SIPS(0.2, Funnel(share=0.15), feed=Feed(impressions=10.0, own_community=0.6)),
}


def certified(found: dif.seeding.SeedSelection, graph: dif.FollowerGraph, model: SIPS, others: tuple = ()) -> None:
    """Is the reach, by simulations of SIPS that know nothing of live edges, between the bounds, and near the estimate?"""
    reach = dif.spread(graph, [*others, *found.seeds], model=model, runs=8192, rng=77)
    assert found.lower - 4 * reach.se <= reach.mean <= found.upper + 4 * reach.se
    assert found.ratio > 0.5
    share = found.certificate.spread / graph.n_nodes
    error = graph.n_nodes * math.sqrt(share * (1 - share) / (found.n_rr_sets / 2))
    assert abs(found.certificate.spread - reach.mean) < 4 * math.hypot(reach.se, error)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_quotas_budgets_and_existing_seeds_are_certified_for_sips(model: SIPS):
    graph = platform()
    community = graph.node_data["community"]
    spread = dif.select_seeds(graph, 6, model=model, at_most=2, rng=1)
    assert community[list(spread.seeds)].value_counts().tolist() == [2, 2, 2]
    certified(spread, graph, model)
    some = dif.select_seeds(graph, 4, model=model, at_least={1: 3}, at_most={0: 0}, existing=spread.seeds[:2], rng=2)
    assert (community[list(some.seeds)] == 1).sum() >= 3
    assert 0 not in set(community[list(some.seeds)])
    certified(some, graph, model, spread.seeds[:2])
    bought = dif.select_seeds(graph, budget=3_000.0, model=model, rng=3)
    assert 0 < bought.cost <= 3_000
    certified(bought, graph, model)
    audience = {user: 2.0 for user in graph.nodes[:200].tolist()}
    aimed = dif.select_seeds(graph, 3, model=model, node_weights=audience, evaluate=True, rng=4)
    assert aimed.lower - 4 * aimed.spread.se <= aimed.spread.mean <= aimed.upper + 4 * aimed.spread.se
    classic = dif.select_seeds(graph, 3, model=model, method=dif.seeding.IMM(eps=0.5), rng=5)
    certified(classic, graph, model)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_fair_seeds_for_sips_reach_the_shares_that_simulation_finds(model: SIPS):
    graph = platform()
    fair = dif.seeding.maximin_seeds(graph, 6, model=model, rng=1)
    active = dif.simulate(graph, fair.seeds, model=model, runs=4096, rng=2).activation_probability
    share = active.groupby(graph.node_data["community"]).mean()
    assert (np.abs(fair.shares["share"] - share) < 0.15 * share).all()
    assert fair.lower <= share.min() + 0.01
    assert fair.upper >= share.min() - 0.01
    best = dif.select_seeds(graph, 6, model=model, rng=1)
    price = dif.seeding.price_of_fairness(graph, fair, best, model=model, runs=2048, rng=3)
    assert price.spread_fair.value == pytest.approx(active.sum(), rel=0.05)


def test_strategies_are_compared_for_sips_with_certificates():
    graph = platform()
    model = MODELS["a feed"]
    compared = dif.compare_strategies(graph, [2, 5], model=model, runs=1024, rng=1)
    assert compared.strategies == ("random", "degree", "two_step_discount", "opim")
    row = compared.table.set_index(["strategy", "budget"]).loc[("opim", 5)]
    assert row["lower"] <= row["high"]
    assert row["low"] <= row["upper"]
