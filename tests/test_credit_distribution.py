"""Credit distribution: credit by its definition, greedy seeds by brute force, and real logs."""

from __future__ import annotations

import itertools
import math

import naive_rates as naive
import numpy as np
import pytest
from test_lt_weights import random_case, sources_of, times_by_node

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.inference import ActionLog, credit_distribution, read_cascades
from diffusion.kernels import credits


def by_definition(graph, log, aware):
    found = credit_distribution(graph, log, credit="time_aware" if aware else "equal")
    times = times_by_node(graph, log)
    into = {v: sources_of(type("Data", (), {"into": graph.csr.into}), v) for v in range(graph.n_nodes)}
    direct = naive.direct_credit(into, times, aware)
    return found, lambda seeds: naive.credit_spread(set(graph.index.internal(list(seeds)).tolist()), times, direct)


CASES = [(rng, aware) for rng in range(5) for aware in (True, False)]


@pytest.mark.parametrize(("rng", "aware"), CASES)
def test_credit_and_gains_are_those_of_the_definition(rng, aware):
    graph, log = random_case(rng, n=7, items=8, steps=6)
    found, spread = by_definition(graph, log, aware)
    draw = np.random.default_rng(rng)
    for size in (0, 1, 2, 4):
        seeds = draw.choice(graph.nodes.to_numpy(), size, replace=False).tolist()
        if size:
            assert found.spread(seeds) == pytest.approx(spread(seeds), rel=1e-12)
        gains = found.gains(seeds)
        for v in graph.nodes:
            assert gains[v] == pytest.approx(spread([*seeds, v]) - (spread(seeds) if size else 0.0), abs=1e-12)


@pytest.mark.parametrize(("rng", "aware"), CASES)
def test_greedy_seeds_are_those_of_brute_force(rng, aware):
    graph, log = random_case(rng, n=7, items=8, steps=6)
    found, spread = by_definition(graph, log, aware)
    chosen = found.select_seeds(5)
    for i, (seed, gain) in enumerate(zip(chosen.seeds, chosen.gains, strict=True)):
        before = list(chosen.seeds[:i])
        now = spread(before) if before else 0.0
        gains = {v: spread([*before, v]) - now for v in graph.nodes if v not in before}
        assert gain == pytest.approx(gains[seed], abs=1e-12)
        assert gain >= max(gains.values()) - 1e-12
    assert chosen.gains.sum() == pytest.approx(found.spread(chosen.seeds), rel=1e-12)
    assert (np.diff(chosen.gains) <= 1e-12).all()
    best = max(spread(list(s)) for s in itertools.combinations(graph.nodes.tolist(), 2))
    assert chosen.gains[:2].sum() >= (1 - 1 / math.e) * best


def test_monotone_and_submodular():
    graph, log = random_case(3, n=7, items=8, steps=6)
    found, _ = by_definition(graph, log, True)
    for small in itertools.combinations(graph.nodes.tolist(), 2):
        for v, w in itertools.permutations(set(graph.nodes.tolist()) - set(small), 2):
            here, there = found.gains(small)[v], found.gains([*small, w])[v]
            assert -1e-12 <= there <= here + 1e-12


def test_equal_users_come_in_the_order_of_nodes():
    graph = dif.FollowerGraph.from_arrays(["b", "a"], ["d", "c"], edges_mean="influences", directed=True)
    log = ActionLog.from_arrays([1, 1, 1, 1], ["b", "d", "a", "c"], [0, 1, 0, 1])
    assert credit_distribution(graph, log).select_seeds(4).seeds == ("a", "b", "c", "d")


def test_window_and_users_without_an_adoption():
    graph = dif.FollowerGraph.from_arrays([0, 1, 0], [1, 2, 2], nodes=range(4), edges_mean="influences", directed=True)
    log = ActionLog.from_arrays([1, 1, 1, 2], [0, 1, 2, 2], [0, 1, 2, 0])
    found = credit_distribution(graph, log, credit="equal", window=1)
    assert found.gains().tolist() == [2.5, 1.5, 1.0, 0.0]  # 0 has half of an adoption by 2 through 1 alone
    assert found.spread([3]) == 0
    assert found.to_pandas().to_numpy().tolist() == [[0, 1, 2.5], [1, 1, 1.5], [2, 2, 1.0], [3, 0, 0.0]]
    assert found.possible == 1
    assert "most has 0, 2.5" in repr(found)
    with pytest.raises(InputError, match="k=4 is more than the 3 users with an adoption"):
        found.select_seeds(4)
    with pytest.raises(NotFoundError, match="credit='equals' is unknown"):
        credit_distribution(graph, log, credit="equals")
    with pytest.raises(
        InputError,
        match="none of the 1 adoptions comes after one by a user that is followed, so nobody has credit: check",
    ):
        credit_distribution(graph, log.select([2]))
    with pytest.raises(NotFoundError):
        found.spread(["x"])


@pytest.mark.parametrize("name", ["android", "christianity"])
def test_real_logs(data, name):
    graph = dif.read_edges(data(f"mshgat-{name}-edges.txt.gz"), edges_mean="follows", directed=True)
    log = read_cascades(data(f"mshgat-{name}-cascades.txt.gz"), leading=True)
    found = credit_distribution(graph, log, credit="equal")
    seeds = found.select_seeds(20)
    assert found.spread(seeds.seeds) == pytest.approx(seeds.gains.sum(), rel=1e-9)
    again = found.gains(seeds.seeds[:-1])
    assert again.max() == pytest.approx(seeds.gains[-1], rel=1e-9)
    assert again.drop(list(seeds.seeds[:-1])).idxmax() == seeds.seeds[-1]
    everyone = found.spread(log.on(graph).users.tolist())
    assert everyone == pytest.approx(log.on(graph).n_users)


def test_one_signature_a_kernel():
    for kernel in vars(credits).values():
        if hasattr(kernel, "signatures"):
            assert len(kernel.signatures) <= 1, kernel.__name__
