"""Results of epidemics and rumours: compartments, figures, messages, studies."""

from __future__ import annotations

import io
import re

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from strategies import random_graph

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.models import (
    SEIR,
    SIR,
    SIRS,
    SIS,
    Fixed,
    Gamma,
    Rumour,
)

GRAPH = random_graph(40, 200, rng=3)
SEEDS = [0, 5, 17]
TRIANGLE = dif.FollowerGraph.from_networkx(nx.complete_graph(3))


def test_results_by_compartment():
    ens = dif.simulate(GRAPH, SEEDS, model=SEIR(0.5, 1.0, width=0.5), runs=300, rng=7)
    total = sum(ens.counts(name) for name in ens.model.compartments)
    assert (total == 40).all()
    table = ens.curves()
    assert table.columns.tolist() == ["compartment", "time", "mean", "low", "high", "lower", "upper"]
    assert table["time"].max() == ens.times[-1] == 0.5 * (ens.new_by_state.shape[1] - 1)
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()
    assert ens.counts("susceptible")[:, 0].tolist() == [37] * 300
    assert ens.counts("infected")[:, -1].tolist() == [0] * 300
    assert ens.final_size().mean == ens.sizes.mean() == ens.counts("recovered")[:, -1].mean()
    assert ens.peak().value == ens.counts("infected").max(axis=1).mean()
    at = ens.counts("infected")
    assert ens.peak_times.tolist() == [0.5 * row.tolist().index(row.max()) for row in at]
    last = [max(np.flatnonzero(row.any(axis=1))) for row in ens.new_by_state]
    assert ens.durations.tolist() == [0.5 * k for k in last]
    assert ens.duration().low <= ens.durations.mean() <= ens.duration().high
    with pytest.raises(NotFoundError, match=r"has no compartment 'infectd': .* Did you mean 'infected'"):
        ens.counts("infectd")
    nobody = dif.simulate(GRAPH, [], model=SIR(0.5), runs=3, rng=7)
    assert nobody.counts("susceptible").tolist() == [[40]] * 3
    assert nobody.peak().value == 0
    short = dif.simulate(TRIANGLE, [0], model=SIR(0.0, 9.0, end=5.0), runs=3, rng=7)
    assert short.times.tolist() == [0, 1, 2, 3, 4, 5]
    assert short.counts("recovered")[:, -1].tolist() == [1, 1, 1]


def test_nothing_happens_after_the_end():
    for model in (SIR(0.5, end=2.0), SEIR(0.5, 1.0, end=2.0), SIS(0.5, end=2.0), Rumour(0.5, end=2.0)):
        ens = dif.simulate(GRAPH, SEEDS, model=model, runs=50, rng=7)
        assert ens.new_by_state.shape[1] == 3
        cascade = ens.replay(0)
        assert cascade.time.max() <= 2.0
        assert cascade.to_pandas()["time"].is_monotonic_increasing


def tables(html):
    """Tables of HTML as comma-separated text."""
    for table in html.split("<table")[1:]:
        rows = (re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in table.split("</tr>"))
        yield "\n".join(",".join(row) for row in rows if row)


def test_results_are_shown_as_compartments_by_time():
    ens = dif.simulate(GRAPH, [0], model=SIR(0.5, width=0.25), runs=50, rng=7)
    assert repr(ens).startswith("EpidemicEnsemble: 50 runs of SIR transmission=0.5 width=0.25 from 1 seed; final size ")
    assert re.search(r"; peak [\d.]+ \[[\d.]+, [\d.]+\], duration [\d.]+ \[[\d.]+, [\d.]+\]$", repr(ens))
    assert " from 3 seeds; " in repr(dif.simulate(GRAPH, [0, 1, 2], model=SIR(0.5), runs=50, rng=7))
    one = repr(dif.simulate(GRAPH, [0], model=SIR(0.5), runs=1, rng=7))
    assert one.startswith("EpidemicEnsemble: 1 run of ")
    assert "nan" not in one.partition("peak")[2]
    measures, course = (pd.read_csv(io.StringIO(text)) for text in tables(ens._repr_html_()))
    assert measures.iloc[:, 0].tolist() == ["final size", "peak of infected", "time of the peak", "duration"]
    assert measures.loc[1, "mean"] == pytest.approx(ens.peak().value, rel=1e-3)
    assert measures.loc[3, "high"] == pytest.approx(ens.duration().high, rel=1e-3)
    assert course.columns.tolist() == ["time", "susceptible", "infected", "recovered"]
    assert 10 <= len(course) <= 12
    assert course["time"].iloc[[0, -1]].tolist() == [0.0, ens.settled]
    table = ens.curves().pivot(index="time", columns="compartment", values="mean")
    np.testing.assert_allclose(course["infected"], table.loc[course["time"], "infected"], rtol=1e-3)


def test_times_end_at_the_end():
    ens = dif.simulate(GRAPH, SEEDS, model=SIS(0.9, end=2.5), runs=50, rng=7)
    assert ens.times.tolist() == [0.0, 1.0, 2.0, 2.5]
    assert ens.durations.max() == 2.5
    assert ens.duration().high <= 2.5
    assert ens.peak_time().high <= 2.5


def test_figures_end_when_nearly_all_runs_have_ended():
    ens = dif.simulate(GRAPH, SEEDS, model=SIR(0.5, width=0.25), runs=300, rng=7)
    assert (ens.durations <= ens.settled).mean() >= 0.99
    assert (ens.durations < ens.settled).mean() < 0.99
    assert ens.settled < ens.durations.max()
    ax = ens.plot()
    assert ax.get_xlim() == (0, ens.settled)
    assert ax.get_xlabel() == f"time (99 % of runs have ended by {ens.settled:.3g})"
    mean = ens.counts("infected").mean(axis=0)
    at = int(mean.argmax())
    assert ax.get_title(loc="left") == f"Infected peak at {mean[at]:.3g} of 40 nodes at time {ens.times[at]:.3g}"
    circle = next(line for line in ax.lines if line.get_marker() == "o")
    assert (circle.get_xdata()[0], circle.get_ydata()[0]) == (ens.times[at], mean[at])
    assert ax.get_legend().get_title().get_text() == "mean of 300 runs,\nband: middle 95 % of them"
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in lines] == ["susceptible", "infected", "recovered"]
    assert len({line.get_linestyle() for line in lines}) == 3


@pytest.mark.parametrize(
    ("model", "seeds", "title"),
    [
        (SIR(0.0), [0, 1], "Infected are never more than the 2 at the start"),
        (SIR(1.0, 0.0, end=30.0), [0], "Infected are 39 of 40 nodes at time 6"),
        (SIR(1.0), [], "Nobody is reached"),
        (SEIR(0.0, 0.0), [0], "No node is ever infected"),
        (Rumour(1.0), [0], "Spreaders peak at [0-9.]+ of 40 nodes at time [0-9.]+"),
    ],
    ids=str,
)
def test_titles_say_what_the_curve_shows(model, seeds, title):
    assert re.fullmatch(title, dif.simulate(GRAPH, seeds, model=model, runs=50, rng=7).plot().get_title(loc="left"))


def test_a_coarse_grid_is_said():
    coarse = dif.simulate(GRAPH, SEEDS, model=SIR(1.0, width=4.0), runs=50, rng=7).plot()
    assert "steps of 4 are coarse here: a smaller width= shows more" in coarse.get_xlabel()
    assert [line.get_marker() for line in coarse.lines if line.get_label() == "infected"] == ["o"]
    fine = dif.simulate(GRAPH, SEEDS, model=SIR(1.0, width=0.1), runs=50, rng=7).plot()
    assert "coarse" not in fine.get_xlabel()
    assert [line.get_marker() for line in fine.lines if line.get_label() == "infected"] == ["None"]


def test_the_interval_of_the_peak_holds_no_seed_that_is_only_exposed():
    ens = dif.simulate(TRIANGLE, [0, 1, 2], model=SEIR(0.5, 1.0, 50.0, width=0.01), runs=5, rng=7)
    assert ens.peaks.min() < 3
    assert ens.peak().low < ens.peaks.min() + 1
    assert ens.peak().low < 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SIR(-0.1), "transmission: rate=-0.1 is out of range"),
        (lambda: SIR(0.1, width=0.0), "width=0.0 is out of range: give a finite number above 0"),
        (lambda: SIR(0.1, end=-1), "end=-1 is out of range"),
        (lambda: SIR(0.1, end=1e9), "end=1e\\+09 is 1,000,000,000 steps of width=1: give a width from 50000"),
        (lambda: SIS(0.1), "SIS needs end="),
        (lambda: SIS(0.1, 0.0), "SIS needs end="),
        (lambda: SIRS(0.1, 1.0, 0.0), "SIRS needs end="),
        (lambda: Rumour(0.1, kind="maki"), "kind='maki' is no kind of rumour"),
        (lambda: dif.simulate(GRAPH, [0], model="sir"), r"SIR needs its parameters: SIR\(transmission=0.3"),
        (lambda: dif.simulate(GRAPH, [0], model="sis"), r"SIS needs its parameters: .*end=50"),
        (lambda: dif.simulate(GRAPH, [0], model=SIS(Fixed(0.0), end=1.0)), "give SIS times above 0"),
        (lambda: dif.simulate(GRAPH, [0], model=SIR(0.1, 1e-6)), "lasts more than 20,000 steps of width=1"),
        (lambda: dif.simulate(GRAPH, [0], model=SIR("rate")), "transmission: the graph has no column 'rate' of arcs"),
    ],
)
def test_wrong_calls_are_named(make, says):
    with pytest.raises((InputError, NotFoundError), match=says):
        make()


def test_labels_and_tables_of_studies():
    assert SIR(0.3).label == "SIR transmission=0.3"
    assert SIR(0.3, 2.0, end=9).label == "SIR transmission=0.3 recovery=2 end=9"
    for model in (SIR(0.3), SEIR(0.3, Gamma(2.0, 3.0), end=4.0), Rumour(Fixed(1.0), kind="daley_kendall")):
        ((again, _),) = type(model).from_study_table(model.study_table(), "model")
        assert again == model
    crossed = SIR.from_study_table({"transmission": [0.1, {"kind": "fixed", "time": 1.0}], "recovery": [1.0, 2.0]}, "m")
    assert [model for model, _ in crossed] == [
        SIR(0.1), SIR(0.1, 2.0), SIR(Fixed(1.0)), SIR(Fixed(1.0), 2.0)
    ]  # fmt: skip


STUDY = """
replicates = 1

[graph.platform]
users = 300
communities = 3

[[model]]
kind = "sir"
[model.sir]
transmission = [0.1, {kind = "gamma", mean = 10.0, shape = 2.0}]

[[model]]
kind = ["sis", "seir"]
[model.sis]
transmission = 0.1
end = 5.0
[model.seir]
transmission = 0.1
incubation = 1.0

[seeding]
strategy = ["random", "degree"]
budget = [{k = 4}]

[precision]
max_runs = 128
"""


def test_epidemics_enter_a_study(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    study = dif.Study.from_toml(tmp_path / "study.toml")
    table = study.run(tmp_path / "s").to_pandas()
    assert set(table["model_kind"]) == {"SIR", "SIS", "SEIR"}
    assert table.loc[table["model_kind"] == "SIR", "transmission_mean"].tolist() == [10.0] * 4
    (tmp_path / "again.toml").write_text(study.to_toml(), encoding="utf-8")
    assert dif.Study.from_toml(tmp_path / "again.toml").design.models == study.design.models
    objects = dif.Study(
        {"users": 300, "communities": 3},
        models=[SIR(0.1), SEIR(Gamma(4.0, 2.0), 1.0)],
        strategies=["random", "degree"],
        budgets=[4],
        max_runs=128,
        replicates=1,
    )
    assert set(objects.run(tmp_path / "o").to_pandas()["model_kind"]) == {"SIR", "SEIR"}
