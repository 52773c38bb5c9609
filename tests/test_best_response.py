"""Seeds against rivals: brute force on small graphs, guarantees, fresh judgement, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion._random import derive_key, key_of
from diffusion.errors import InputError, NotFoundError
from diffusion.models import ComIC, CompetitiveIC, CompetitiveLT
from diffusion.seeding import best_response
from diffusion.simulation.runner import prepare


@pytest.fixture(scope="module")
def graph() -> FollowerGraph:
    return random_graph(30, 120, rng=4).with_probabilities("weighted_cascade")


RIVALS = {"B": [0, 1]}


def values(graph: FollowerGraph, model, key: int, sets, objective: str, runs: int = 64) -> dict[tuple[int, ...], float]:
    """The objective of seed sets in the worlds that `best_response` chooses in."""
    column = 2 if objective == "block" else 1
    chosen = {}

    def reach(seeds: tuple[int, ...]) -> float:
        runner = prepare(graph, model, {"A": list(seeds), **RIVALS}, derive_key(key, "choose"))
        return float(runner.run(0, runs, show=False).new[..., column].sum() / runs)

    before = reach(())
    for seeds in sets:
        chosen[seeds] = before - reach(seeds) if objective == "block" else reach(seeds)
    return chosen


@pytest.mark.parametrize("objective", ["own", "block"])
@pytest.mark.parametrize(
    "model",
    [
        CompetitiveIC(),
        CompetitiveIC(tie="first"),
        CompetitiveIC(tie=("B", "A")),
        CompetitiveIC(strength=(0.7, 1.0)),
        CompetitiveLT(),
        ComIC(0.4, 0.9, 0.8, 0.3),
    ],
    ids=lambda value: getattr(value, "label", value),
)
def test_the_first_seed_is_the_best_one_and_greedy_goes_on(graph, model, objective):
    found = best_response(graph, 2, brand="A", rivals=RIVALS, model=model, objective=objective, runs=64, rng=3)
    key = key_of(3)
    free = [v for v in graph.nodes.tolist() if v not in RIVALS["B"]]
    single = values(graph, model, key, [(v,) for v in free], objective)
    best = max(single.values())
    assert found.seeds[0] == next(v for v in free if single[v,] == best)  # ties go to the label that comes first
    assert found.gains[0] == pytest.approx(best)
    pair = values(graph, model, key, [tuple(found.seeds)], objective)[tuple(found.seeds)]
    assert found.gains.sum() == pytest.approx(pair)
    greedy = best_response(
        graph, 2, brand="A", rivals=RIVALS, model=model, objective=objective, method="greedy", runs=64, rng=3
    )
    assert greedy.seeds[0] == found.seeds[0]
    if model.rivals_only_take:
        assert (greedy.seeds, greedy.gains.tolist()) == (found.seeds, found.gains.tolist())
        assert found.evaluations < greedy.evaluations
    if found.guarantee:
        every = values(graph, model, key, itertools.combinations(free, 2), objective)
        assert pair >= (1 - 1 / np.e) * max(every.values()) - 1e-9


def test_where_a_guarantee_is_claimed_every_world_is_monotone_and_submodular(graph):
    """Marginal reach of a node never grows with the seeds, in the sum over worlds; and where none is claimed it may."""
    key = 5
    for model, objective in (
        (CompetitiveIC(), "own"),
        (CompetitiveIC(tie="first"), "block"),
        (CompetitiveLT(), "own"),
    ):
        assert model.follower_guarantee("A", objective)
        free = [v for v in graph.nodes.tolist() if v not in RIVALS["B"]][:7]
        sets = [s for size in range(4) for s in itertools.combinations(free, size)]
        found = values(graph, model, key, sets, objective, runs=40)
        for small in itertools.combinations(free, 1):
            for more, new in itertools.permutations([v for v in free if v not in small], 2):
                large = tuple(sorted({*small, more}, key=free.index))
                both = [tuple(sorted({*s, new}, key=free.index)) for s in (small, large)]
                assert found[both[0]] - found[small] >= found[both[1]] - found[large] - 1e-9
                assert found[both[1]] >= found[large] - 1e-9


@pytest.mark.parametrize(
    ("model", "objective"),
    [
        (CompetitiveIC(tie="first"), "own"),
        (CompetitiveIC(), "block"),
        (CompetitiveIC(tie=("B", "A")), "block"),
        (CompetitiveIC(strength=(1, 0.5)), "own"),
        (CompetitiveIC(("A", "B", "C")), "own"),
        (CompetitiveLT(), "block"),
        (ComIC(), "own"),
    ],
)
def test_no_guarantee_is_claimed_where_none_is_published(graph, model, objective):
    found = best_response(graph, 1, brand="A", rivals=RIVALS, model=model, objective=objective, runs=16, rng=1)
    assert found.guarantee is None


def test_answers_beat_the_most_followed(graph):
    graph = dif.generate_platform(400, rng=2).with_probabilities("weighted_cascade")
    ranked = dif.select_seeds(graph, 8, method="degree").seeds
    rivals, degree = {"B": ranked[:4]}, ranked[4:]
    own = best_response(graph, 4, brand="A", rivals=rivals, rng=1)
    block = best_response(graph, 4, brand="A", rivals=rivals, objective="block", rng=1)
    sizes = {
        name: dif.simulate(graph, {"A": seeds, **rivals}, model=CompetitiveIC(), runs=4000, rng=9).sizes_by_brand
        for name, seeds in {"own": own.seeds, "block": block.seeds, "degree": degree}.items()
    }

    def lead(values):
        return values.mean() / (values.std() / np.sqrt(len(values)))

    assert lead(sizes["own"][:, 0] - sizes["degree"][:, 0]) > 4
    assert lead(sizes["degree"][:, 1] - sizes["block"][:, 1]) > 4
    assert block.worth.value > (own.reach["before"] - own.reach["after"])["B"]
    # The judgement comes from fresh worlds: it holds what other worlds show, and gains flatter.
    assert own.worth.low - 1.5 <= sizes["own"][:, 0].mean() <= own.worth.high + 1.5
    assert own.worth.value == own.reach.loc["A", "after"]
    change = own.reach.loc["B"]
    assert change["change"] == pytest.approx(change["after"] - change["before"])
    assert change["change_high"] - change["change_low"] < change["before_high"] - change["before_low"]


def test_threads_and_forms(graph):
    one = best_response(graph, 2, brand="A", rivals=RIVALS, runs=64, rng=3, threads=1)
    two = best_response(graph, 2, brand="A", rivals=RIVALS, runs=64, rng=3, threads=2)
    assert one.seeds == two.seeds
    assert one.reach.equals(two.reach)
    assert one.by_brand == {"A": one.seeds, "B": (0, 1)}
    assert one.to_pandas()["total"].iloc[-1] == pytest.approx(one.gains.sum())
    assert len(one) == 2
    assert "A" in repr(one)
    assert "<table" in one._repr_html_()
    assert one.provenance["call"] == "best_response"
    assert (one.reach.loc["A", "before_low"], one.reach.loc["A", "before_high"]) == (0, 0)
    few = best_response(graph, 1, brand="A", rivals=RIVALS, candidates=[5, 6, 7], exclude=[6], runs=16, rng=1)
    assert few.seeds[0] in (5, 7)
    nobody = best_response(graph, 1, brand="A", rivals={}, runs=64, rng=3)
    plain = dif.simulate(graph, nobody.seeds, runs=512, rng=1).mean()
    assert abs(nobody.worth.value - plain.mean) < 4 * plain.se + 0.5
    stopped = best_response(graph, 3, brand="A", rivals=RIVALS, time_limit=1e-9, runs=16, rng=1)
    assert stopped.stopped == "time"
    assert len(stopped) < 3


def test_the_title_of_the_figure_has_intervals(graph):
    found = best_response(graph, 2, brand="A", rivals=RIVALS, runs=64, rng=3)
    own, rival = found.reach.loc["A"], found.reach.loc["B"]
    want = "2 seeds win A {:.3g} [{:.3g}, {:.3g}] users\nand cost B {:.3g} [{:.3g}, {:.3g}]".format(
        *(own[name] for name in ("change", "change_low", "change_high")),
        *(-rival[name] for name in ("change", "change_high", "change_low")),
    )
    assert found.plot().get_title(loc="left") == want
    model = dif.models.CompetitiveIC(("A", "B", "C"))
    three = best_response(graph, 1, brand="A", rivals={"B": [0, 1], "C": [2]}, model=model, runs=64, rng=3)
    most = three.reach.loc[["B", "C"], "change"].idxmin()
    assert f"1 seed wins A {three.reach.loc['A', 'change']:.3g} [" in three.plot().get_title(loc="left")
    assert f"\nand costs {most}, which changes most, " in three.plot().get_title(loc="left")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"model": "ic"}, InputError, "has no rivals"),
        ({"brand": "C"}, NotFoundError, "unknown"),
        ({"rivals": {"A": [3], "B": [0]}}, InputError, "itself"),
        ({"rivals": [0]}, InputError, "give the seeds of the others"),
        ({"rivals": {"Z": [0]}}, NotFoundError, "does not have"),
        ({"objective": "win"}, NotFoundError, "objective"),
        ({"method": "opim"}, NotFoundError, "method"),
        ({"k": 29}, InputError, "more than the 28 candidates"),
        ({"k": 0}, InputError, "k=0"),
        ({"evaluate_runs": 1}, InputError, "evaluate_runs"),
        ({"confidence": 1}, InputError, "confidence"),
    ],
)
def test_what_cannot_be_is_refused(graph, change, error, words):
    options = {"k": 1, "brand": "A", "rivals": RIVALS, "runs": 16, **change}
    with pytest.raises(error, match=words):
        best_response(graph, options.pop("k"), **options)
