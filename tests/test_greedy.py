"""Greedy and CELF in common worlds: against naive selection on the same worlds, for every model."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import diffusion as dif
from diffusion import FollowerGraph
from diffusion._random import key_of
from diffusion.seeding import CELF, Greedy, SeedSelection, SelectionProblem, choose
from diffusion.seeding.strategies.greedy import Evaluator


def greedy(
    graph: FollowerGraph, k: int, *, method: str = "celf", runs: int = 512, rng: Any = None, **options: Any
) -> SeedSelection:
    """Greedy selection in the worlds of `rng` itself, those of a simulation with it."""
    kind = {"celf": CELF, "greedy": Greedy}[method]
    return choose(SelectionProblem.of(graph, k, key=key_of(rng), **options), kind(runs=runs))


def some_graph(n: int = 40, m: int = 120, seed: int = 0) -> FollowerGraph:
    rng = np.random.default_rng(seed)
    return FollowerGraph.from_arrays(
        rng.integers(0, n, m), rng.integers(0, n, m), nodes=range(n), directed=True, edges_mean="influences"
    )


PLAIN = some_graph()
GRAPH = PLAIN.with_probabilities("constant", p=0.2)
CASCADE = PLAIN.with_probabilities("weighted_cascade")
RUNS = 600  # one full batch and a part of one


def naive_greedy(
    graph: FollowerGraph, k: int, model: Any, rng: int, taken: Any = (), pool: Any = None, weight: Any = None
) -> tuple[list[Any], list[float]]:
    """Every candidate at every step, by the public simulation in the worlds of the same key."""

    def value(seeds: list[Any]) -> float:
        if not seeds:
            return 0.0
        if weight is None:
            return float(dif.simulate(graph, seeds, model=model, runs=RUNS, rng=rng).sizes.mean())
        active = dif.simulate(graph, seeds, model=model, runs=RUNS, rng=rng).activation_probability
        return float((active * weight).sum())

    seeds: list[Any] = []
    gains = []
    for _ in range(k):
        base = value([*taken, *seeds])
        left = [v for v in (graph.nodes if pool is None else pool) if v not in seeds and v not in taken]
        gain = [value([*taken, *seeds, v]) - base for v in left]
        best = int(np.argmax(np.round(gain, 9)))  # ties go to the label that comes first
        seeds.append(left[best])
        gains.append(gain[best])
    return seeds, gains


@pytest.mark.parametrize("method", ["celf", "greedy"])
@pytest.mark.parametrize(("graph", "model"), [(GRAPH, "ic"), (CASCADE, "lt")])
def test_selection_is_the_naive_one_in_the_same_worlds(graph: FollowerGraph, model: str, method: str) -> None:
    found = greedy(graph, 4, model=model, method=method, runs=RUNS, rng=3, threads=1)
    seeds, gains = naive_greedy(graph, 4, model, 3)
    assert list(found.seeds) == seeds
    assert found.gains == pytest.approx(gains)
    assert found.provenance["runs"] == RUNS
    assert "63 %" in found.guarantee
    whole = dif.simulate(graph, found.seeds, model=model, runs=RUNS, rng=3).sizes.mean()
    assert found.gains.sum() == pytest.approx(whole)


def test_celf_simulates_less_and_chooses_the_same() -> None:
    lazy = greedy(GRAPH, 8, method="celf", rng=1)
    full = greedy(GRAPH, 8, method="greedy", rng=1)
    assert lazy.seeds == full.seeds
    assert full.provenance["evaluations"] == sum(40 - i for i in range(8))
    assert 40 < lazy.provenance["evaluations"] < full.provenance["evaluations"] / 2


def test_fixed_thresholds_have_no_guarantee_and_greedy_still_works() -> None:
    model = dif.Threshold(fraction=0.5)
    found = greedy(PLAIN, 3, model=model, method="greedy", rng=1)
    seeds, gains = naive_greedy(PLAIN, 3, model, 1)
    assert (list(found.seeds), found.gains.tolist()) == (seeds, gains)
    assert "no guarantee" in found.guarantee
    assert "no guarantee" in repr(found)
    assert found.provenance["runs"] == 1
    pair = FollowerGraph.from_arrays([0, 1, 2, 2], [2, 2, 3, 4], nodes=range(6), directed=True, edges_mean="influences")
    two = dif.Threshold(count=2)  # 0 and 1 only work together: greedy is blind to it
    best = max(dif.simulate(pair, seeds, model=two, runs=1).sizes[0] for seeds in itertools.combinations(range(6), 2))
    assert (best, greedy(pair, 2, model=two).gains.sum()) == (3, 3)
    noisy = greedy(PLAIN, 2, model=dif.Threshold(count=2, noise=0.1), runs=20, rng=1)
    assert noisy.provenance["runs"] == 20


def test_the_guarantee_is_given_where_worlds_are_covered_and_nowhere_else() -> None:
    """Where one sharer is enough a set reaches what its members reach, in each world; where two are needed it is more."""
    graph = dif.generate_platform(120, communities=3, rng=3)
    funnel = dif.models.Funnel(identify=0.6, share=0.4)
    feed = dif.models.Feed(impressions=1.5, amplification=0.1, own_community=0.5)
    covered: list[Any] = [
        dif.SIPS(0.3, funnel, feed=feed), dif.SIPS(0.3, funnel, feed=feed, redraw=True),
        dif.SIPS(0.3, funnel, identify=dif.models.Complex(1)), dif.Threshold(count=1), dif.Threshold(count=1, noise=0.3),
    ]  # fmt: skip
    for model in covered:
        assert "63 %" in greedy(graph, 1, model=model, runs=8, candidates=[0, 1], rng=1).guarantee
        one, two, both = (
            dif.simulate(graph, seeds, model=model, runs=200, rng=1).sizes for seeds in ([0], [50], [0, 50])
        )
        assert (both <= one + two).all()
        assert (both >= np.maximum(one, two)).all()
    # Two neighbours on a ring fill it; greedy first takes the hub of five followers, who is in no ring.
    ring = [(v, (v + step) % 100) for v in range(100) for step in (-2, -1, 1, 2)]
    arcs = [*ring, *((100, v) for v in range(101, 106))]
    trap = FollowerGraph.from_arrays(
        [u for u, _ in arcs], [v for _, v in arcs], directed=True, edges_mean="influences"
    )  # fmt: skip
    waiting = dif.SIPS(1.0, identify=dif.models.Complex(2))
    found = greedy(trap, 2, model=waiting, runs=1, rng=1)
    best = dif.simulate(trap, [0, 1], model=waiting, runs=1, rng=1).sizes[0]
    assert (found.seeds[0], found.gains.sum(), best) == (100, 11, 100)
    for model in (waiting, dif.Threshold(count=2), dif.Threshold(fraction=0.5, noise=0.1)):
        assert "no guarantee" in greedy(trap, 1, model=model, runs=1, candidates=[0], rng=1).guarantee


def test_seeds_taken_pools_and_weights() -> None:
    taken, pool = [0, 7], [1, 2, 3, 4, 5, 30, 31, 32]
    found = greedy(GRAPH, 3, existing=taken, candidates=pool, runs=RUNS, rng=2)
    seeds, gains = naive_greedy(GRAPH, 3, "ic", 2, taken, pool)
    assert list(found.seeds) == seeds
    assert found.gains == pytest.approx(gains)
    base = dif.simulate(GRAPH, taken, runs=RUNS, rng=2).sizes.mean()
    assert found.existing_spread == pytest.approx(base)
    assert found.to_pandas()["spread"].iloc[-1] == pytest.approx(base + sum(gains))
    weight = np.arange(40) % 3
    valued = greedy(GRAPH, 2, node_weights=weight, runs=RUNS, rng=2)
    seeds, gains = naive_greedy(GRAPH, 2, "ic", 2, weight=weight)
    assert list(valued.seeds) == seeds
    assert valued.gains == pytest.approx(gains)
    assert set(greedy(GRAPH, 5, exclude=found.seeds, rng=2).seeds).isdisjoint(found.seeds)


@pytest.mark.parametrize("model", [dif.IC(), dif.Threshold(count=1, noise=0.2)])
@pytest.mark.parametrize("method", ["celf", "greedy"])
def test_one_and_two_threads_give_the_same(model: Any, method: str) -> None:
    one, two = (greedy(GRAPH, 3, model=model, method=method, runs=64, rng=5, threads=t) for t in (1, 2))
    assert one.seeds == two.seeds
    assert (one.gains == two.gains).all()


def test_time_and_ctrl_c_return_the_seeds_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    timed = greedy(GRAPH, 5, time_limit=1e-9, rng=1)
    assert (timed.stopped, len(timed)) == ("time", 0)
    plain = Evaluator.spread
    calls = 0

    def interrupted(self: Evaluator, seeds: Any) -> float:
        nonlocal calls
        calls += 1
        if calls > 45:
            raise KeyboardInterrupt
        return plain(self, seeds)

    monkeypatch.setattr(Evaluator, "spread", interrupted)
    found: SeedSelection = greedy(GRAPH, 20, rng=1, threads=1)
    monkeypatch.undo()
    assert found.stopped == "interrupted"
    assert 1 <= len(found) < 20
    assert found.seeds == greedy(GRAPH, 20, rng=1).seeds[: len(found)]
    monkeypatch.setattr(Evaluator, "spread", interrupted)
    with pytest.raises(KeyboardInterrupt):
        greedy(GRAPH, 20, rng=1, threads=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: greedy(GRAPH, 41), "more than the 40 nodes"),
        (lambda: greedy(GRAPH, 2, runs=0), "runs=0"),
        (lambda: greedy(GRAPH, 2, time_limit=0), "time_limit=0"),
        (lambda: greedy(PLAIN, 2), "no propagation probabilities"),
        (lambda: greedy(GRAPH, 2, node_weights=np.full(40, np.nan)), "weights are finite"),
    ],
)
def test_bad_input_is_one_clear_error(call: Any, message: str) -> None:
    with pytest.raises(dif.errors.InputError, match=message):
        call()
