"""What a study measures, computed again from the same runs by plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_growth import campaign_ratio, early_steps

import diffusion as dif
from diffusion import _upward
from diffusion.simulation.runner import prepare

N = 400


@pytest.fixture(scope="module")
def graph() -> dif.FollowerGraph:
    return dif.generate_platform(N, communities=4, rng=3).with_probabilities("weighted_cascade")


@pytest.fixture(scope="module")
def rows(graph: dif.FollowerGraph, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[pd.Series, np.ndarray]]:
    """Every row of a study of two models and two strategies, with its runs as counts by step."""
    models = {
        "IC": dif.IC(),
        "SIPS": dif.SIPS(0.1, dif.models.Funnel(share=0.5), dif.models.Feed(impressions=1.2, own_community=0.5)),
    }
    study = dif.Study(
        graph,
        models=list(models.values()),
        probabilities=["weighted_cascade"],
        strategies=["random", "degree"],
        budgets=[2],
        rel_error=0.2,
        max_runs=512,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_upward, "REPORT", ("test_study", "no_report"))
        result = study.run(tmp_path_factory.mktemp("measures") / "study", threads=1)
    table, seeds = result.to_pandas(), result.to_pandas("seeds")
    found = []
    for _, row in table.iterrows():
        model = models[row["model_kind"]]
        chosen = seeds.loc[seeds["cell"] == row["cell"], "node"].astype(int).tolist()
        runs = prepare(graph, model, chosen, int(row["key"], 16)).run(0, int(row["runs"]))
        found.append((row, runs.new[..., 0]))
    assert len(found) == 4
    return found


def test_an_outbreak_reaches_one_user_in_a_hundred(rows):
    told_apart = False
    for row, new in rows:
        sizes = new.sum(axis=1)
        assert sizes.mean() == pytest.approx(row["reach"])  # the same runs
        assert row["outbreak_probability"] == pytest.approx(np.mean(sizes >= 0.01 * N))
        told_apart |= np.mean(sizes >= 0.05 * N) < row["outbreak_probability"] - 0.05
    assert told_apart  # another share would be another number


def test_early_steps_are_those_within_a_tenth(rows):
    for row, new in rows:
        steps = early_steps(new, N)
        assert (row["fit_first"], row["fit_last"]) == ((1, steps[-1] + 1) if steps else (-1, -1))
        if steps:
            assert row["R_campaign"] == pytest.approx(campaign_ratio(new, N))
    assert any(row["fit_last"] > 0 for row, _ in rows)


def test_r_is_predicted_with_feed_and_own_community(rows, graph):
    for row, _ in rows:
        feed = dif.models.Feed(impressions=1.2, own_community=0.5)
        want = dif.theory.reproduction_number(graph)
        if row["model_kind"] == "SIPS":
            want = dif.theory.sips_graph_radius(graph, dif.SIPS(0.1, dif.models.Funnel(share=0.5), feed))
        assert row["R_predicted"] == pytest.approx(want, rel=1e-3)
