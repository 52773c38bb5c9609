"""Fair seeds: the kernel against a naive twin, bounds against enumerated worlds, and the price against paired runs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_worlds import Worlds
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError
from diffusion.kernels.quotas import RootedSets, capped_cover, sets_of_nodes
from diffusion.seeding.fairness import maximin_seeds
from diffusion.seeding.fairness_price import price_of_fairness

# -- the kernel --------------------------------------------------------------------------------------------------------

N, GROUPS = 7, 3


@given(
    st.lists(st.tuples(st.integers(0, GROUPS - 1), st.frozensets(st.integers(0, N - 1))), min_size=1, max_size=40),
    st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0]), min_size=GROUPS, max_size=GROUPS),
    st.lists(st.sampled_from([0.0, 1.0, 2.5, np.inf]), min_size=GROUPS, max_size=GROUPS),
    st.lists(st.booleans(), min_size=N, max_size=N),
    st.permutations(range(N)),
    st.integers(1, N),
    st.integers(1, 5),
)
@settings(max_examples=150)
def test_capped_cover_is_the_naive_greedy(
    rooted: list[tuple[int, frozenset[int]]], scale: list[float], cap: list[float], allowed: list[bool],
    place: list[int], k: int, looks: int,
):  # fmt: skip
    nodes = np.array([v for _, s in rooted for v in sorted(s)], np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(s) for _, s in rooted])]).astype(np.int64)
    order = np.argsort([g for g, _ in rooted], kind="stable")
    of = np.array([rooted[i][0] for i in order], np.int32)
    start, index = sets_of_nodes(nodes, offsets, order, N)
    for v in range(N):
        assert index[start[v] : start[v + 1]].tolist() == [i for i, s in enumerate(order) if v in rooted[s][1]]
    collection = RootedSets(nodes, offsets, order, start, index, of)
    limits = np.array(scale), np.array(cap), np.array(allowed), np.array(place, np.int32)
    seeds, covered, bound = capped_cover(collection, *limits, k, looks)

    def worth(chosen: Any, capped: bool = True) -> float:
        hit = [sum(h == g and bool(s & set(chosen)) for h, s in rooted) for g in range(GROUPS)]
        return sum(w * (min(h, c) if capped else h) for w, h, c in zip(scale, hit, cap, strict=True))

    naive: list[int] = []
    while len(naive) < k:
        left = [v for v in place if allowed[v] and v not in naive]
        if not left:
            break
        best = max(left, key=lambda v: worth([*naive, v]))
        if worth([*naive, best]) <= worth(naive):
            break
        naive.append(best)
    assert seeds.tolist() == naive
    assert covered.tolist() == [sum(h == g and bool(s & set(naive)) for h, s in rooted) for g in range(GROUPS)]
    pool = [v for v in range(N) if allowed[v]]
    optimum = max(worth(some, capped=False) for some in itertools.combinations(pool, min(k, len(pool))))
    assert bound >= optimum - 1e-9


# -- bounds against brute force ----------------------------------------------------------------------------------------


def small(rng: np.random.Generator) -> tuple[FollowerGraph, str]:
    n, m = int(rng.integers(5, 10)), int(rng.integers(1, 9))
    model = "lt" if rng.random() < 0.5 else "ic"
    graph = FollowerGraph.from_arrays(
        rng.integers(0, n, m), rng.integers(0, n, m), weight=rng.choice([0.1, 0.5, 0.9], m), combine="max",
        nodes=range(n), directed=True, edges_mean="influences",
    )  # fmt: skip
    graph = graph.with_probabilities("column" if model == "ic" else "lt", normalize=model == "lt")
    return graph.with_node_data(community=[i % 3 if i < 3 else int(rng.integers(0, 3)) for i in range(n)]), model


def test_bounds_hold_against_brute_force():
    rng = np.random.default_rng(8)
    delta, n_cases, failures, best = 0.1, 100, 0, 0
    for i in range(n_cases):
        graph, model = small(rng)
        community = graph.node_data["community"].to_numpy()
        found = maximin_seeds(graph, 2, model=model, delta=delta, rng=i, threads=1, max_rr_sets=30_000)
        worlds = Worlds(graph, model)

        def least(seeds: Any, worlds: Worlds = worlds, community: Any = community) -> float:
            active = worlds.activation(seeds)
            return min(float(active[community == c].mean()) for c in range(3))

        optimum = max(least(s) for s in itertools.combinations(range(graph.n_nodes), 2))
        actual = least(found.seeds)
        failures += not (found.lower <= actual + 1e-6 and optimum <= found.upper + 1e-6)
        best += actual >= 0.98 * optimum
        assert len(set(found.seeds)) == 2
    assert failures <= delta * n_cases
    assert best >= 0.85 * n_cases  # not promised, but so it should be on small graphs


# -- fair and best on a graph with a remote community ------------------------------------------------------------------


def divided() -> FollowerGraph:
    """A large dense community, and two small sparse ones with few arcs from outside."""
    rng = np.random.default_rng(3)
    community = np.repeat(["big", "left", "right"], [1400, 300, 300])
    inside = {name: np.flatnonzero(community == name) for name in np.unique(community)}
    ends = [rng.choice(inside[name], (2, m)) for name, m in (("big", 9000), ("left", 500), ("right", 400))]
    ends.append(rng.integers(0, 2000, (2, 150)))
    u, v = np.concatenate(ends, axis=1)
    graph = FollowerGraph.from_arrays(u, v, nodes=range(2000), directed=True, edges_mean="influences")
    return graph.with_probabilities("constant", p=0.15).with_node_data(community=community)


def test_fair_seeds_raise_the_smallest_share_and_cost_spread():
    graph = divided()
    fair = maximin_seeds(graph, 20, rng=1)
    best = dif.select_seeds(graph, 20, rng=1)
    price = price_of_fairness(graph, fair, best, rng=2, runs=4096)
    assert price.minimum_fair.low > price.minimum_best.high
    assert price.given_up.low > 0
    assert 0 < price.price < 1
    assert fair.lower <= price.minimum_fair.high
    assert fair.ratio > 0.55
    assert fair.shares.index.tolist() == ["big", "left", "right"]
    assert fair.shares["size"].tolist() == [1400, 300, 300]
    table = price.shares
    assert (np.abs(table["fair"] - fair.shares["share"]) < 0.25 * fair.shares["share"]).all()
    assert np.allclose(table["difference"], table["fair"] - table["best"])
    # One community: the fair seeds are those of largest spread.
    one = maximin_seeds(graph, 20, communities=["all"] * 2000, rng=1)
    same = dif.compare(graph, {"one": one, "best": best}, rng=5, runs=2048)
    assert abs(same.difference("one", "best").value) < 0.03 * same.means["mean"].max()


def test_the_price_is_that_of_paired_runs():
    graph = divided()
    fair, best = [0, 1500, 1800], [0, 1, 2]
    found = price_of_fairness(graph, fair, best, rng=6, runs=3000)
    assert found.runs == 3072
    same = dif.compare(graph, {"fair": fair, "best": best}, rng=6, runs=3072)
    assert found.given_up.value == pytest.approx(same.difference("best", "fair").value)
    assert found.spread_fair.value == pytest.approx(same.means.loc["fair", "mean"])
    half, want = found.given_up.high - found.given_up.value, same.difference("best", "fair")
    assert 0.3 < half / (want.high - want.value) < 3
    active = dif.simulate(graph, fair, runs=3072, rng=6).activation_probability
    share = active.groupby(graph.node_data["community"]).mean()
    assert found.shares["fair"].to_numpy() == pytest.approx(share.to_numpy())
    mean = (found.shares["fair"] * found.shares["size"]).sum()
    assert mean == pytest.approx(found.spread_fair.value)


def test_intervals_of_shares_hold_the_truth():
    rng = np.random.default_rng(4)
    hits = total = 0
    for i in range(150):
        graph, model = small(rng)
        worlds = Worlds(graph, model)
        community = graph.node_data["community"].to_numpy()
        found = price_of_fairness(graph, [0, 1], [2], model=model, rng=i, runs=2560, confidence=0.9, threads=1)
        for name, seeds in (("fair", [0, 1]), ("best", [2])):
            active = worlds.activation(seeds)
            for c in range(3):
                row = found.shares.loc[c]
                if row[f"{name}_low"] < row[f"{name}_high"]:
                    total += 1
                    hits += row[f"{name}_low"] <= active[community == c].mean() <= row[f"{name}_high"]
    assert total > 60
    assert abs(hits / total - 0.9) <= 4 * np.sqrt(0.09 / total)


def test_threshold_models_are_computed_once():
    graph = divided()
    found = price_of_fairness(graph, range(300), [0], model=dif.Threshold(fraction=0.2), rng=1)
    assert found.runs == 1
    cascade = dif.threshold_cascade(graph, range(300), fraction=0.2)
    assert found.spread_fair.value == len(cascade.nodes)
    assert found.spread_fair.low == found.spread_fair.high


def test_one_and_two_threads_give_the_same():
    graph = divided()
    one, two = (maximin_seeds(graph, 5, rng=4, threads=t) for t in (1, 2))
    assert (one.seeds, one.lower, one.upper) == (two.seeds, two.lower, two.upper)
    a, b = (price_of_fairness(graph, one, [1], rng=4, threads=t, runs=2048) for t in (1, 2))
    assert a.to_pandas().equals(b.to_pandas())


def test_what_results_show_and_limits():
    graph = divided()
    found = maximin_seeds(graph, 4, rng=1, max_rr_sets=5000, candidates=range(100), exclude=[3])
    assert found.stopped == "max_rr_sets"
    assert found.n_rr_sets <= 5000
    assert set(found.seeds) <= set(range(100)) - {3}
    assert found.to_pandas().columns.tolist() == ["community", "size", "share", "low", "high"]
    assert repr(found).startswith("MaximinSelection: 4 seeds")
    assert found.plot().get_ylabel() == "community"
    assert maximin_seeds(graph, 4, rng=1, eps=0.001, time_limit=1e-9).stopped == "time"
    price = price_of_fairness(graph, found, [0], rng=1, runs=100)
    assert price.runs == 2048
    assert "spread given up" in repr(price)
    assert price.plot().get_xlabel().startswith("share")
    assert price.to_pandas()["community"].tolist() == ["big", "left", "right"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k=0"),
        ({"k": 2001}, "k=2,001 is more than"),
        ({"eps": 0}, "eps=0"),
        ({"delta": 1}, "delta=1"),
        ({"confidence": 2.0}, "confidence=2.0"),
        ({"time_limit": -1}, "time_limit=-1"),
        ({"max_rr_sets": 0}, "max_rr_sets=0"),
        ({"communities": [1]}, "1 values for 2,000 nodes"),
        ({"model": dif.Threshold(count=2)}, "no certificate is known for Threshold"),
    ],
)
def test_mistakes(options: dict[str, Any], message: str):
    given_ = {"k": 3} | options
    with pytest.raises(InputError, match=message):
        maximin_seeds(divided(), given_.pop("k"), **given_)


def test_mistakes_of_the_price():
    plain = random_graph(20, 60, rng=1).with_probabilities("weighted_cascade")
    with pytest.raises(InputError, match="the graph has no communities"):
        price_of_fairness(plain, [1], [2])
    with pytest.raises(InputError, match="runs=0"):
        price_of_fairness(divided(), [1], [2], runs=0)
