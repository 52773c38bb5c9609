"""Quotas: the greedy kernel against a naive twin and brute force, certificates against enumerated worlds, and limits."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_worlds import Worlds
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion._random import key_of
from diffusion.errors import InputError, NotFoundError
from diffusion.kernels.coverage import Sets
from diffusion.kernels.quotas import Quotas, quota_cover
from diffusion.seeding import OPIM, SeedSelection, SelectionProblem, choose
from diffusion.seeding.groups import groups_of

OWN = {"eps", "delta", "max_rr_sets"}


def select_with_quotas(graph: FollowerGraph, k: int, *, rng: Any = None, **options: Any) -> SeedSelection:
    """Seeds by OPIM under quotas from the key of `rng` itself."""
    method = OPIM(**{"eps": 0.05} | {name: options.pop(name) for name in sorted(OWN & set(options))})
    return choose(SelectionProblem.of(graph, k, key=key_of(rng), **options), method)


# -- the kernel --------------------------------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Sets over few nodes in up to three communities, and quotas that can be met."""
    n = draw(st.integers(1, 8))
    n_groups = draw(st.integers(1, 3))
    group = draw(st.lists(st.integers(-1, n_groups - 1), min_size=n, max_size=n))
    allowed = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    pool = [v for v in range(n) if allowed[v]]
    there = [sum(group[v] == g for v in pool) for g in range(n_groups)]
    least = [draw(st.integers(0, t)) for t in there]
    most = [draw(st.integers(low, n)) for low in least]
    room = sum(map(min, most, there)) + sum(group[v] < 0 for v in pool)
    k = draw(st.integers(sum(least), room))
    sets = draw(st.lists(st.frozensets(st.integers(0, n - 1)), min_size=1, max_size=30))
    place = draw(st.permutations(range(n)))
    return {"n": n, "group": group, "pool": pool, "least": least, "most": most, "k": k, "sets": sets, "place": place}


def meets(case: dict[str, Any], seeds: Any) -> bool:
    held = Counter(case["group"][v] for v in seeds)
    return all(low <= held[g] <= high for g, (low, high) in enumerate(zip(case["least"], case["most"], strict=True)))


def completions(case: dict[str, Any]) -> list[tuple[int, ...]]:
    return [seeds for seeds in itertools.combinations(case["pool"], case["k"]) if meets(case, seeds)]


@given(cases(), st.integers(1, 4))
@settings(max_examples=150)
def test_the_kernel_is_the_naive_greedy_and_its_bound_holds(case: dict[str, Any], looks: int):
    n, k, sets = case["n"], case["k"], case["sets"]
    nodes = np.array([v for s in sets for v in sorted(s)], np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in sets])]).astype(np.int64)
    allowed = np.zeros(n, np.bool_)
    allowed[case["pool"]] = True
    quotas = Quotas(np.array(case["group"], np.int32), np.array(case["most"]), np.array(case["least"]))
    place = np.array(case["place"], np.int32)
    found, gains, bound = quota_cover(Sets(nodes, offsets, len(sets)), allowed, quotas, place, k, looks)
    whole = completions(case)
    assert whole  # such k and quotas can be met
    seeds: list[int] = []
    open_sets = list(sets)
    while len(seeds) < k:
        # Naively: v may join if some permitted set of k holds all seeds and v.
        may = [v for v in case["place"] if v not in seeds and any({*seeds, v} <= set(s) for s in whole)]
        best = max(may, key=lambda v: sum(v in s for s in open_sets))  # ties go to the first
        assert gains[len(seeds)] == sum(best in s for s in open_sets)
        seeds.append(best)
        open_sets = [s for s in open_sets if best not in s]
    assert found.tolist() == seeds
    assert meets(case, seeds)
    optimum = max(sum(bool(s & set(some)) for s in sets) for some in whole)
    assert gains.sum() <= optimum <= min(bound, 2 * gains.sum())


# -- certificates ------------------------------------------------------------------------------------------------------


def test_certificates_hold_against_brute_force():
    rng = np.random.default_rng(5)
    delta, n_cases, failures = 0.1, 150, 0
    for i in range(n_cases):
        n, m = int(rng.integers(4, 10)), int(rng.integers(1, 9))
        model = "lt" if rng.random() < 0.5 else "ic"
        graph = FollowerGraph.from_arrays(
            rng.integers(0, n, m), rng.integers(0, n, m), weight=rng.choice([0.1, 0.5, 0.9], m), combine="max",
            nodes=range(n), directed=True, edges_mean="influences",
        )  # fmt: skip
        graph = graph.with_probabilities("column" if model == "ic" else "lt", normalize=model == "lt")
        group = pd.Series(rng.choice(["a", "b", None], n, p=[0.4, 0.4, 0.2]), index=range(n))
        group[:2] = ["a", "b"]
        taken = [n - 1] if rng.random() < 0.3 else []
        k = 2
        found = select_with_quotas(
            graph, k, at_most={"a": 1}, at_least={"b": 1}, communities=group, model=model, delta=delta, eps=0.2, rng=i,
            existing=taken, threads=1,
        )  # fmt: skip
        worlds = Worlds(graph, model)
        pool = [v for v in range(n) if v not in taken]
        permitted = [
            s for s in itertools.combinations(pool, k)
            if sum(group[v] == "a" for v in s) <= 1 and sum(group[v] == "b" for v in s) >= 1
        ]  # fmt: skip
        optimum = max(worlds.activation([*taken, *s]).sum() for s in permitted)
        actual = worlds.activation([*taken, *found.seeds]).sum()
        assert tuple(sorted(found.seeds)) in permitted
        assert actual >= (0.5 - 0.2) * optimum
        failures += not (found.lower <= actual + 1e-6 and optimum <= found.upper + 1e-6)
    assert failures <= delta * n_cases


def platform() -> FollowerGraph:
    graph = random_graph(2000, 12_000, rng=3).with_probabilities("weighted_cascade")
    return graph.with_node_data(community=np.random.default_rng(2).integers(0, 5, 2000))


def test_quotas_are_met_and_cost_no_more_than_they_must():
    graph = platform()
    community = graph.node_data["community"]
    free = dif.select_seeds(graph, 20, rng=1, method=OPIM(eps=0.05))
    most = select_with_quotas(graph, 20, at_most=4, rng=1)
    assert set(Counter(community[list(most.seeds)]).values()) == {4}
    least = select_with_quotas(graph, 20, at_least={3: 9}, rng=1)
    assert community[list(least.seeds)].tolist().count(3) >= 9
    both = select_with_quotas(graph, 10, at_least={1: 2, 2: 2}, at_most={0: 0, 1: 2}, rng=1)
    held = Counter(community[list(both.seeds)])
    assert (held[0], held[1]) == (0, 2)
    assert held[2] >= 2
    # Quotas that do not bind change nothing but the certificate's origin.
    loose = select_with_quotas(graph, 20, at_most=20, rng=1)
    assert loose.ratio > 0.8
    check = dif.compare(graph, {"free": free, "loose": loose, "least": least}, rng=3, runs=4096)
    assert check.difference("loose", "free").low > 0  # more sets than for that eps
    assert check.difference("loose", "least").low > 0
    for found in (most, least, both, loose):
        assert found.lower <= found.upper
        assert found.stopped == "precision"
        checked = dif.spread(graph, found, rng=9, runs=4096)
        assert found.lower <= checked.mean + 4 * checked.se
        assert found.gains.sum() == pytest.approx(checked.mean, rel=0.05)


def test_one_and_two_threads_give_the_same():
    one, two = (select_with_quotas(platform(), 10, at_most=3, rng=4, threads=t) for t in (1, 2))
    assert (one.seeds, one.lower, one.upper, one.n_rr_sets) == (two.seeds, two.lower, two.upper, two.n_rr_sets)
    assert one.gains.tolist() == two.gains.tolist()


def test_candidates_time_and_sets():
    graph = platform()
    pool = list(range(0, 2000, 4))
    found = select_with_quotas(graph, 10, at_most=3, candidates=pool, exclude=pool[:3], rng=4)
    assert set(found.seeds) <= set(pool[3:])
    few = select_with_quotas(graph, 10, at_most=3, eps=0.001, max_rr_sets=20_000, rng=4)
    assert (few.stopped, few.n_rr_sets <= 20_000) == ("max_rr_sets", True)
    assert select_with_quotas(graph, 10, at_most=3, eps=0.001, time_limit=1e-9, rng=4).stopped == "time"
    narrow = select_with_quotas(graph, 4, at_most=1, node_weights=(graph.nodes < 100).astype(float), rng=1)
    assert narrow.upper <= 100


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"communities": [1] * 6}, InputError, "communities= says whose quotas at_most= and at_least= are"),
        ({"at_most": 1}, InputError, "leave room for 2 seeds, and k=3"),
        ({"at_least": 2}, InputError, "at least 4 seeds in all, and k=3"),
        ({"at_least": {"a": 2}, "at_most": 1}, InputError, "'a' shall have at least 2 and at most 1"),
        ({"at_least": {"b": 3}}, InputError, "'b' shall have at least 3 seeds, and has 2 candidates"),
        ({"at_least": {"b": 1}, "exclude": [4, 5]}, InputError, "'b' shall have at least 1 seeds, and has 0"),
        ({"at_most": -1}, InputError, "at_most=-1 is no quota"),
        ({"at_most": {"a": 1.5}}, InputError, "at_most of 'a'=1.5 is no quota"),
        ({"at_most": True}, InputError, "at_most=True is no quota"),
        ({"at_most": {"c": 1}}, NotFoundError, "the community 'c', which the graph does not have"),
        ({"at_most": 2, "communities": "town"}, NotFoundError, "'town' is no node attribute.*'community'"),
        ({"at_most": 2, "communities": [1, 2]}, InputError, "2 values for 6 nodes"),
        ({"at_most": 2, "communities": 5}, InputError, "names no communities|values for 6 nodes"),
        ({"at_most": 2, "communities": [None] * 6}, InputError, "all values are missing"),
        ({"at_most": 2, "eps": 1.0}, InputError, "eps=1.0"),
        ({"at_most": 2, "delta": 0}, InputError, "delta=0"),
        ({"at_most": 2, "time_limit": 0}, InputError, "time_limit=0"),
        ({"at_most": 2, "max_rr_sets": 1}, InputError, "max_rr_sets=1"),
        ({"at_most": 2, "model": dif.Threshold(count=2)}, InputError, "no certificate is known for Threshold"),
    ],
)
def test_mistakes(options: dict[str, Any], error: type[Exception], message: str):
    graph = FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=0.5).with_node_data(community=list("aaaabb"))
    with pytest.raises(error, match=message):
        select_with_quotas(graph, 3, **options)


def test_communities_are_read_in_many_ways():
    graph = FollowerGraph.from_arrays(["x"], ["y"], nodes=["z"], edges_mean="influences", directed=True)
    with pytest.raises(InputError, match="the graph has no communities"):
        groups_of(graph)
    want = {"x": 1, "y": 2, "z": None}
    for given_ in (want, pd.Series(want), pd.Series({"y": 2, "x": 1}), [1, 2, None], np.array([1, 2, np.nan])):
        found = groups_of(graph, given_)
        assert found.names == [1, 2]
        assert dict(zip(graph.index.labels_of(np.arange(3)), found.code.tolist(), strict=True)) == {
            "x": 0,
            "y": 1,
            "z": -1,
        }
        assert found.sizes().tolist() == [1, 1]
    assert groups_of(graph.with_node_data(community=["b", "a", "b"])).names == ["a", "b"]
    assert groups_of(graph, pd.Categorical(["b", "a", "b"])).names == ["a", "b"]
