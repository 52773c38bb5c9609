"""Results of models with rivals: shares that cover, forms that agree, refusals."""

from __future__ import annotations

import dataclasses
import math
import pickle

import numpy as np
import pytest
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError, NotFoundError
from diffusion.models import ICN, ComIC, CompetitiveIC, CompetitiveLT

NAMES = ("A", "B", "C")


def diamond(p: float = 0.5) -> FollowerGraph:
    """Two seeds, one node between them."""
    graph = FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
    return graph.with_probabilities("constant", p=p)


# -- results -----------------------------------------------------------------------------------------------------------


def test_shares_cover_the_exact_share():
    graph = diamond()
    want = 1.375 / 2.75
    strong = CompetitiveIC(strength={"B": 0.5})
    exact = (1.4375, 1.1875)
    hits = np.zeros(3)
    trials = 400
    for trial in range(trials):
        fair = dif.simulate(graph, {"A": [0], "B": [1]}, model=CompetitiveIC(), runs=200, rng=trial).share_of_voice()
        hits[0] += fair.loc["A", "share_low"] <= want <= fair.loc["A", "share_high"]
        ens = dif.simulate(graph, {"A": [0], "B": [1]}, model=strong, runs=200, rng=trial)
        table, paired = ens.share_of_voice(), ens.difference("A", "B")
        hits[1] += table.loc["B", "share_low"] <= exact[1] / sum(exact) <= table.loc["B", "share_high"]
        hits[2] += paired.low <= exact[0] - exact[1] <= paired.high
    assert (np.abs(hits / trials - 0.95) < 4 * math.sqrt(0.95 * 0.05 / trials)).all()


def test_results_say_the_same_in_all_forms():
    graph = random_graph(100, 500, rng=5).with_probabilities("constant", p=0.15)
    ens = dif.simulate(graph, {"A": [0, 4], "B": [1]}, model=CompetitiveIC(), runs=300, rng=1)
    assert ens.states == ("active", "A", "B")
    table = ens.share_of_voice()
    assert np.allclose(table["mean"], ens.sizes_by_brand.mean(axis=0))
    assert table["share"].sum() == pytest.approx(1)
    assert np.allclose(ens.brand_probability.sum(axis=1), ens.activation_probability)
    assert np.allclose(ens.brand_probability.sum(), table["mean"])
    runs = ens.to_pandas()
    assert (runs["size_A"] + runs["size_B"] == runs["size"]).all()
    assert ens.difference("A", "B").value == pytest.approx(table["mean"].iloc[0] - table["mean"].iloc[1])
    assert ens.difference("A", "A").high == 0
    assert "<table" in ens._repr_html_()
    assert "A" in repr(ens.replay(0))
    row = ens.replay(3).to_pandas().set_index("node")
    assert row.loc[[0, 4, 1], "brand"].tolist() == ["A", "A", "B"]
    both = dif.simulate_one(graph, {"A": [0, 4], "B": [1]}, model=ComIC(1, 1, 1, 1), rng=1).to_pandas()
    assert {"step_A", "step_B"} <= set(both.columns)
    grown = dif.growth(ens)
    assert grown.provenance
    spread = dif.spread(graph, {"A": [0, 4], "B": [1]}, model="competitiveic", runs=300, rng=1)
    assert spread.mean == ens.mean().mean
    compared = dif.compare(
        graph, {"x": {"A": [0], "B": [1]}, "y": {"A": [0], "B": []}}, model=CompetitiveIC(), runs=300, rng=1
    )
    assert compared.difference("x", "y").low >= 0


def test_nobody_is_said():
    ens = dif.simulate(diamond(), {"A": [], "B": []}, model=CompetitiveIC(), runs=10, rng=7)
    assert repr(ens) == "CompetitiveEnsemble: 10 runs of CompetitiveIC from 0 seeds; nobody is reached"
    ax = ens.plot()
    assert ax.get_title(loc="left") == "Nobody is reached"
    assert not any("nan" in text.get_text() for text in ax.texts)
    one = dif.simulate(diamond(), {"A": [0], "B": []}, model=CompetitiveIC(), runs=10, rng=7)
    assert repr(one).startswith("CompetitiveEnsemble: 10 runs of CompetitiveIC from 1 seed; A ")
    assert "B 0 (0%)" in repr(one)


def test_intervals_longer_than_the_bars_do_not_fill_the_axis():
    graph = random_graph(2000, 10_000, rng=5).with_probabilities("constant", p=0.05)
    seeds = {"A": [0, 4], "B": [1]}
    few = dif.simulate(graph, seeds, model=CompetitiveIC(), runs=3, rng=1)
    table, ax = few.share_of_voice(), few.plot()
    largest = table["mean"].max()
    assert table["high"].min() > 10 * largest
    assert ax.get_xlim()[1] < 3 * largest
    texts = [text.get_text() for text in ax.texts]
    for text, end in zip(texts, table["high"], strict=True):
        assert text.endswith(f" (to {float(f'{end:.3g}'):,.0f})")
    assert sum(line.get_marker() == ">" for line in ax.lines) == 2
    many = dif.simulate(graph, seeds, model=CompetitiveIC(), runs=512, rng=1)
    ax, high = many.plot(), many.share_of_voice()["high"].max()
    assert ax.get_xlim()[1] == pytest.approx(1.12 * high)
    assert not any("to" in text.get_text() for text in ax.texts)
    alone = dif.simulate(graph, seeds, model=CompetitiveIC(), runs=1, rng=1).plot()
    assert alone.get_xlabel() == "users reached, 1 run"


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CompetitiveIC(("A",)), "takes 2 to 8"),
        (lambda: CompetitiveIC("AB"), "not a list of names"),
        (lambda: CompetitiveIC(("A", "A")), "twice"),
        (lambda: CompetitiveIC(("A", "active")), "all brands together"),
        (lambda: CompetitiveIC(("A", 3)), "not all names"),
        (lambda: CompetitiveIC(tie="second"), "unknown"),
        (lambda: CompetitiveIC(tie=("A",)), "no order"),
        (lambda: CompetitiveIC(strength=(1.0,)), "1 values for 2 brands"),
        (lambda: CompetitiveIC(strength={"A": -1}), "out of range"),
        (lambda: CompetitiveIC(strength=0.5), "no strength for each brand"),
        (lambda: CompetitiveLT(("A", "B", "B")), "twice"),
        (lambda: ICN(1.5), "not a probability"),
        (lambda: ComIC(a=-0.1), "not a probability"),
        (lambda: ComIC(brands=NAMES), "exactly 2"),
        (lambda: dif.simulate(diamond(), [0], model=CompetitiveIC()), "has (the )?rivals"),
        (lambda: dif.simulate(diamond(), {"A": [0], "B": [0]}, model=CompetitiveIC()), "one brand"),
        (lambda: dif.simulate(diamond(), [0], model="icn"), "needs its parameters"),
        (lambda: dif.select_seeds(diamond(), 1, model=CompetitiveIC()), "best_response"),
        (lambda: dif.compare_strategies(diamond(), [1], model=CompetitiveLT()), "has (the )?rivals"),
        (
            lambda: dif.Study(diamond(), models=[CompetitiveIC()], budgets=[1], strategies=["degree"]),
            "has (the )?rivals",
        ),
        (lambda: CompetitiveIC().compile(random_graph(5, 9, rng=1)), "no propagation probabilities"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_unknown_names_are_not_found():
    with pytest.raises(NotFoundError, match="Did you mean 'rival'"):
        dif.simulate(diamond(), {"rivel": [1]}, model=CompetitiveIC(("own", "rival")))
    with pytest.raises(NotFoundError, match="strength"):
        CompetitiveIC(strength={"Z": 1.0})
    with pytest.raises(NotFoundError, match="no brand"):
        dif.simulate(diamond(), {"A": [0], "B": [1]}, model=CompetitiveIC(), runs=20).difference("A", "C")


def test_models_are_values():
    model = CompetitiveIC(["x", "y"], tie=["y", "x"], strength={"y": 0.5})
    assert model == dataclasses.replace(model) == pickle.loads(pickle.dumps(model))
    assert hash(model) == hash(dataclasses.replace(model))
    assert (model.brands, model.priority, model.strength) == (("x", "y"), (1, 0), (1.0, 0.5))
