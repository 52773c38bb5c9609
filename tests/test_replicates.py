"""Studies with replicated graphs: what is drawn anew, estimates over graphs, sweeps, maps, sensitivity, posteriors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import diffusion as dif
from diffusion import _upward
from diffusion._random import derive_key, generator
from diffusion.models import SURVEY
from diffusion.report.analysis import Contrast, mean_effect, other_half
from diffusion.report.hypotheses import HYPOTHESES
from diffusion.study.design import parse_study
from diffusion.study.estimates import conditions_of, false_discoveries, mean_over_graphs, phases_of
from diffusion.study.graphs import prepare_graph
from diffusion.study.parts import Range, Sensitivity
from diffusion.study.seeds import Seeds
from diffusion.study.sensitivity import CHANCE, indices_of, samples_of

PLATFORM = {"users": 500, "communities": 4}
SIPS = {"attention": 0.4, "eta": 1.0}


def no_report(folder: Path, path: Path | None = None) -> Path:
    return folder / "report.html"


@pytest.fixture(autouse=True)
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_upward, "REPORT", ("test_replicates", "no_report"))


def run(folder: Path, document: dict[str, Any], threads: int = 1) -> dif.StudyResult:
    whole = {
        "graph": {"platform": PLATFORM},
        "model": {"name": "stated", "kind": "sips", "sips": SIPS},
        "seeding": {"strategy": "degree", "budget": 5},
        "replicates": 3,
        **document,
    }
    return dif.Study.from_design(parse_study(whole)).run(folder, threads=threads)


# -- what a replicate is -----------------------------------------------------------------------------------------------


def test_replicates_are_other_graphs_seeds_and_worlds(tmp_path: Path):
    document: dict[str, Any] = {"seeding": {"strategy": ["random", "degree"], "budget": 5}, "replicates": 4}
    result = run(tmp_path / "s", document)
    table, seeds = result.to_pandas(), result.to_pandas("seeds")
    assert len(table) == 8
    assert sorted(set(table["replicate"])) == [0, 1, 2, 3]
    assert table["condition"].nunique() == 2
    assert table["key"].nunique() == 4  # strategies meet the same worlds on a graph, and graphs have their own
    drawn = seeds.merge(table[["cell", "strategy", "replicate"]], on="cell").query("strategy == 'random'")
    assert drawn.groupby("replicate")["node"].apply(frozenset).nunique() == 4
    for row in table[table["strategy"] == "degree"].itertuples():
        names = ("platform", str(row.replicate)) if row.replicate else ("platform",)
        graph = dif.generate_platform(500, communities=4, rng=generator(derive_key(7, *names)))
        chosen = seeds.loc[seeds["cell"] == row.cell, "node"].astype(int)
        assert tuple(chosen) == dif.select_seeds(graph, 5, method="degree").seeds


def test_a_replicate_does_not_depend_on_how_many_there_are_nor_on_threads(tmp_path: Path):
    few = run(tmp_path / "s", {"replicates": 2}).to_pandas()
    more = run(tmp_path / "s", {"replicates": 5}, threads=2)
    assert more.provenance["cells_reused"] == 2
    assert more.provenance["cells_computed"] == 3
    alone = run(tmp_path / "t", {"replicates": 5}, threads=1).to_pandas()
    numbers = [c for c in few if not c.startswith("seconds")]
    pd.testing.assert_frame_equal(more.to_pandas()[numbers], alone[numbers], check_exact=True)
    pd.testing.assert_frame_equal(more.to_pandas()[numbers].head(2), few[numbers], check_exact=True)


def test_levels_of_a_factor_meet_the_same_draws(tmp_path: Path):
    """Graphs at two mixings come from one key a replicate: what follows from the draw alone is the same in both."""
    sweep = {"factor": "mixing", "levels": [0.1, 0.2], "R": True}
    table = run(tmp_path / "s", {"sweep": sweep, "replicates": 4}).to_pandas()
    low, high = (table[table["mixing_set"] == level].set_index("replicate") for level in (0.1, 0.2))
    assert (low["n_seeds"] == high["n_seeds"]).all()
    assert set(table["detail"]) == {"full", "phase", "R"}  # shapes of two graphs are enough
    assert low["mixing"].to_numpy() == pytest.approx(np.full(4, 0.1), abs=0.01)


# -- estimates over graphs ---------------------------------------------------------------------------------------------


def test_conditions_are_means_over_graphs(tmp_path: Path):
    result = run(tmp_path / "s", {"replicates": 6, "seeding": {"strategy": ["degree", "amateur"], "budget": [5, 20]}})
    table, conditions = result.to_pandas(), result.to_pandas("conditions").set_index("condition")
    assert len(conditions) == 4
    for name, own in table.groupby("condition"):
        row = conditions.loc[name]
        assert row["replicates"] == 6
        for measure in ("reach", "R_predicted", "R", "feed_share"):
            values = own[measure].to_numpy()
            half = stats.t.ppf(0.975, 5) * values.std(ddof=1) / math.sqrt(6)
            ends = (row[measure], row[f"{measure}_low"], row[f"{measure}_high"], row[f"{measure}_sd_between"])
            expected = (values.mean(), max(values.mean() - half, 0), values.mean() + half, values.std(ddof=1))
            assert ends == pytest.approx(expected, rel=1e-9), measure
        within = ((own["reach_high"] - own["reach_low"]) / (2 * stats.norm.ppf(0.975))).mean()
        assert row["reach_se_within"] == pytest.approx(within)
        assert row["reach_share"] == pytest.approx(own["reach"].mean() / 500)


def test_one_graph_has_the_interval_of_its_simulation(tmp_path: Path):
    result = run(tmp_path / "s", {"replicates": 1})
    (row,), (cell,) = result.to_pandas("conditions").to_dict("records"), result.to_pandas().to_dict("records")
    assert row["replicates"] == 1
    assert [row[c] for c in ("reach", "reach_low", "reach_high")] == [
        cell[c] for c in ("reach", "reach_low", "reach_high")
    ]
    assert math.isnan(row["reach_sd_between"])
    graph = dif.generate_platform(300, communities=3, rng=1).with_probabilities("weighted_cascade")
    given = dif.Study(graph, models=["ic"], strategies=["random", "degree"], budgets=[3]).run(tmp_path / "g")
    assert set(given.to_pandas("conditions")["replicates"]) == {1}
    assert len(given.to_pandas("paired")) == 1  # differences over worlds, since there is one graph
    assert len(run(tmp_path / "r", {}).to_pandas("paired")) == 0


def test_probabilities_that_are_all_one_keep_a_doubt():
    rows = [
        {"condition": "c", "replicate": r, "n_nodes": 100, "n_seeds": 1, "cost": 1.0, "confidence": 0.95, "runs": 64}
        | {"mixing": 0.2, "reach": 50.0, "reach_low": 49.0, "reach_high": 51.0, "reach_per_cost": 50.0}
        | {"outbreak_probability": 1.0, "outbreak_low": 0.95, "outbreak_high": 1.0}
        | {"global_probability": 0.0, "global_low": 0.0, "global_high": 0.05}
        | dict.fromkeys(("R_predicted", "R", "R_low", "R_high", "R_campaign"), math.nan)
        | dict.fromkeys(
            ("R_campaign_low", "R_campaign_high", "feed_share", "feed_share_low", "feed_share_high"), math.nan
        )
        | dict.fromkeys(("entry_share", "ratio"), math.nan)
        for r in range(4)
    ]
    (row,) = conditions_of(pd.DataFrame(rows)).to_dict("records")
    assert 0.97 < row["outbreak_probability_low"] < 1.0 == row["outbreak_probability_high"]
    assert row["global_probability_low"] == 0.0 < row["global_probability_high"] < 0.03


def test_a_mean_over_graphs_holds_the_mean_in_19_of_20_cases():
    draw = np.random.default_rng(5)
    values = np.exp(draw.normal(0, 0.3, (4_000, 8)))
    ends = np.array([mean_over_graphs(row, 0.95) for row in values])
    held = ((ends[:, 1] <= math.exp(0.045)) & (math.exp(0.045) <= ends[:, 2])).mean()
    assert 0.925 < held < 0.96
    assert math.isnan(mean_over_graphs([3.0], 0.95)[1])


def test_null_contrasts_are_decided_in_one_of_twenty(tmp_path: Path):
    """A condition against itself with other graphs, seeds and worlds (A/A); the whole of it stands in the benchmarks."""
    sweep = {"factor": "mixing", "levels": [0.3], "replicates": 320, "R": True, "strategy": ["degree", "amateur"]}
    table = run(
        tmp_path / "s", {"graph": {"platform": {"users": 200, "communities": 2}}, "replicates": 1, "sweep": sweep}, 2
    )
    cells = table.to_pandas().query("detail == 'R'")
    decided, alone = [], []
    for _, own in cells.groupby("strategy"):
        reach = own.sort_values("replicate")[["reach", "reach_low", "reach_high"]].to_numpy()
        for first in range(0, 320, 8):
            a, b = np.log(reach[first : first + 4]), np.log(reach[first + 4 : first + 8])
            effect = mean_effect([Contrast(b[:, 0] - a[:, 0], math.nan)], 0.95)
            assert effect is not None
            decided.append(not effect.change.low <= 0 <= effect.change.high)
            half = (a[0, 2] - a[0, 1], b[0, 2] - b[0, 1])
            alone.append(abs(b[0, 0] - a[0, 0]) > math.hypot(*half) / 2)
    assert len(decided) == 80
    assert np.mean(decided) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 80)
    assert np.mean(alone) > 0.15  # what one graph and the interval of its simulation would say


# -- phases ------------------------------------------------------------------------------------------------------------


def graphs_with(R: np.ndarray, predicted: float, verdict: str, b: float = 0.02, name: str = "m") -> pd.DataFrame:
    n = len(R)
    draw = np.random.default_rng(3)
    b_values = b + draw.normal(0, 0.01, n)
    return pd.DataFrame(
        {"graph": "g", "model": name, "rule": "", "model_name": name, "contagion": "simple", "replicate": range(n)}
        | {"detail": "phase", "confidence": 0.95, "R_predicted": predicted, "R": R, "R_low": R - 0.1, "R_high": R + 0.1}
        | {"deceleration": b_values, "deceleration_low": b_values - 0.02, "deceleration_high": b_values + 0.02}
        | {"phase": verdict, "phase_cause": "steady"}
    )


def test_phases_need_graphs_that_agree():
    draw = np.random.default_rng(1)
    near = 1 + draw.normal(0, 0.2, 8)
    cases = {
        "exponential": graphs_with(1.5 + draw.normal(0, 0.1, 8), 1.5, "exponential", name="a"),
        "undecided": graphs_with(near, 1.05, "exponential", name="b"),  # R over graphs is not told apart from 1
        "slows": graphs_with(1.5 + draw.normal(0, 0.1, 8), 1.5, "exponential", b=0.2, name="c"),
        "few": graphs_with(1.5 + draw.normal(0, 0.1, 8), 1.5, "exponential", name="d"),
        "subcritical": graphs_with(0.4 + draw.normal(0, 0.05, 8), 0.4, "subcritical", name="e"),
        "not below": graphs_with(0.9 + draw.normal(0, 0.05, 8), 1.1, "subcritical", name="f"),
        "one": graphs_with(np.array([1.5]), 1.5, "exponential", name="g"),
    }
    cases["few"].loc[:4, "phase"] = "undecided"  # most graphs do not say so
    found = phases_of(pd.concat(cases.values(), ignore_index=True)).set_index("model_name")["phase"]
    assert found.to_dict() == {
        "a": "exponential", "b": "undecided", "c": "undecided", "d": "undecided", "e": "subcritical", "f": "undecided",
        "g": "exponential",
    }  # fmt: skip


def test_phases_are_corrected_for_their_number():
    """Of many models with R = 1 on graphs that all say exponential, no more than a few per cent are called so."""
    draw = np.random.default_rng(11)
    tables = [graphs_with(np.exp(draw.normal(0, 0.1, 8)), 1.2, "exponential", name=f"m{i}") for i in range(200)]
    found = phases_of(pd.concat(tables, ignore_index=True))
    assert (found["p_value"] < 0.05).mean() < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 200)
    assert (found["phase"] == "exponential").sum() <= 2
    assert (found["p_adjusted"] >= found["p_value"]).all()
    assert (
        false_discoveries([0.01, math.nan, 0.04]).tolist()[1] != false_discoveries([0.01, math.nan, 0.04]).tolist()[1]
    )
    assert np.nanmax(false_discoveries([0.01, math.nan, 0.04])) == pytest.approx(0.04)


# -- sweeps, maps, critical values ---------------------------------------------------------------------------------------


def test_a_sweep_varies_one_factor_and_shares_the_base_point(tmp_path: Path):
    sweeps = [
        {"factor": "eta", "levels": [0.25, 1.0]},
        {"factor": "mixing", "levels": [0.05, 0.2], "strategy": "random", "replicates": 2},
        {"factor": "budget", "levels": [5, 10]},
    ]
    result = run(tmp_path / "s", {"sweep": sweeps})
    table, points = result.to_pandas().set_index("cell"), result.to_pandas("points")
    eta = points[(points["part"] == "sweep") & (points["number"] == 0)].join(table, on="cell", rsuffix="_of")
    assert eta.groupby("value")["eta"].unique().map(list).to_dict() == {0.25: [0.25], 1.0: [1.0]}
    assert len(eta) == 6
    assert eta.groupby("value")["reach"].mean().is_monotonic_increasing
    assert eta.loc[eta["detail"] == "reach", "runs"].max() == 32  # a point of a curve over replicated graphs
    assert eta.loc[eta["detail"] != "reach", "runs"].min() >= 64
    crossed = set(points.loc[points["part"] == "crossed", "cell"])
    assert crossed == set(eta.loc[eta["value"] == 1.0, "cell"])  # the base point is computed once
    mixing = points[(points["part"] == "sweep") & (points["number"] == 1)].join(table, on="cell", rsuffix="_of")
    assert len(mixing) == 4
    assert set(mixing["strategy"]) == {"random"}
    assert mixing.groupby("value")["mixing"].mean().to_numpy() == pytest.approx([0.05, 0.2], abs=0.01)
    budget = points[(points["part"] == "sweep") & (points["number"] == 2)].join(table, on="cell", rsuffix="_of")
    assert budget.groupby("value")["n_seeds"].unique().map(list).to_dict() == {5.0: [5], 10.0: [10]}


def test_models_without_a_name_keep_that_of_the_base_point(tmp_path: Path):
    model = dif.SIPS(0.4, dif.models.Funnel(share=0.5))
    study = dif.Study(
        PLATFORM, models=[model], strategies=["degree"], budgets=[5], replicates=2,
        sweeps=[{"factor": "attention", "levels": [0.1, 0.4]}],
    )  # fmt: skip
    table = study.run(tmp_path / "s").to_pandas()
    assert set(table["model_name"]) == {model.label}
    assert table["attention"].value_counts().to_dict() == {0.1: 2, 0.4: 2}


def test_a_map_crosses_two_factors(tmp_path: Path):
    axes = {"x": {"factor": "attention", "levels": [0.1, 0.4]}, "y": {"factor": "mixing", "levels": [0.05, 0.2, 0.4]}}
    result = run(tmp_path / "s", {"map": {**axes, "replicates": 2, "place": ["one community", "spread"]}})
    points = result.to_pandas("points").query("part == 'map'")
    assert len(points) == 2 * 3 * 2 * 2
    found = points.join(result.to_pandas().set_index("cell"), on="cell", rsuffix="_of")
    assert (found["attention"] == found["value"]).all()
    assert (found["mixing_set"] == found["value_y"]).all()
    assert set(found["place"]) == {"one community", "spread"}


def test_critical_values_are_where_R_is_one(tmp_path: Path):
    critical = {"eta": 1.0, "feed": 50.0, "attention": 0.2}
    result = run(
        tmp_path / "s", {"critical": critical, "model": {"kind": "sips", "sips": {"attention": 0.1, "eta": 0.5}}}
    )
    table = result.to_pandas("critical").set_index("factor")
    assert (table["replicates"] == 3).all()
    assert table.loc["attention", "crossed"] == 0  # too little even at .2
    assert table.loc["attention", "R_at_most"] < 1
    graph = dif.generate_platform(500, communities=4, rng=generator(derive_key(7, "platform")))
    (spec,) = parse_study({"model": {"kind": "sips", "sips": {"attention": 0.1, "eta": 0.5}}}).models
    for factor in ("feed",):
        at = spec.changed({factor: float(table.loc[factor, "critical"])}, "").model
        assert at.reproduction_number(graph) == pytest.approx(1.0, abs=0.1)  # one graph of three
    assert table.loc["feed", "critical_low"] <= table.loc["feed", "critical"] <= table.loc["feed", "critical_high"]


def test_what_a_level_needs_is_asked_before_anything_runs(tmp_path: Path):
    draw = np.random.default_rng(1)
    graph = dif.FollowerGraph.from_arrays(*draw.integers(0, 200, (2, 900)), directed=True, edges_mean="follows")
    (tmp_path / "weighted.csv").write_text("u,v,w\n" + "".join(f"{i},{(i + 1) % 50},0.5\n" for i in range(50)))
    feed = dif.models.Feed(impressions=1.0)
    cases = [
        (
            dif.Study(
                graph, models=[dif.SIPS(0.3, feed=feed)], strategies=["degree"], budgets=[3],
                sweeps=[{"factor": "own_community", "levels": [0.0, 0.5]}],
            ),
            "needs communities",
        ),
        (
            dif.Study.from_design(
                parse_study(
                    {
                        "graph": {
                            "edges": {
                                "file": str(tmp_path / "weighted.csv"), "edges_mean": "influences", "weight": "w",
                                "communities": "leiden",
                            }
                        },
                        "model": {"kind": "ic", "probability": "column"},
                        "seeding": {"strategy": "degree", "budget": 3},
                        "sweep": {"factor": "mixing", "levels": [0.2]},
                    }
                )
            ),
            "rewiring draws other arcs",
        ),
    ]  # fmt: skip
    for study, message in cases:
        with pytest.raises(dif.DiffusionError, match=message):
            study.run(tmp_path / "s")
        assert not (tmp_path / "s").exists()


# -- sensitivity and posteriors ------------------------------------------------------------------------------------------


def plan_of(ranges: dict[str, Any], samples: int = 256) -> Sensitivity:
    whole = {
        "graph": {"platform": PLATFORM},
        "model": {"kind": "sips", "sips": SIPS},
        "seeding": {"budget": {"money": 5_000}},
    }
    plan = parse_study({**whole, "sensitivity": {"samples": samples, "ranges": ranges}}).sensitivity
    assert plan is not None
    return plan


def test_indices_are_those_of_a_known_function():
    """log reach = 2 eta + attention * 3 feed and noise that is an input: indices by hand."""
    plan = plan_of({"attention": [0.0, 1.0], "eta": [0.0, 1.0], "feed": [0.0, 1.0]})
    samples = samples_of(plan, 7)
    rows = []
    for sample in samples:
        for block, u in sample.blocks():
            y = 2 * u["eta"] + 3 * u["attention"] * u["feed"] + 0.2 * (u[CHANCE] - 0.5)
            rows.append({"sample": sample.number, "block": block, "reach": math.exp(y), "R": math.exp(u["eta"])})
    found = indices_of(pd.DataFrame(rows), plan, samples[0].inputs, 0.95, 7).set_index(["measure", "input"])
    # Var: eta 4/12; attention and feed alone 9/4/12 each, together 9/144; chance .04/12.
    alone, together = 9 / 48, 9 / 144
    total = 4 / 12 + 2 * alone + together + 0.04 / 12
    reach = found.loc["log reach"]
    assert reach.loc["eta", "first"] == pytest.approx(4 / 12 / total, abs=0.05)
    assert reach.loc["attention", "first"] == pytest.approx(alone / total, abs=0.06)
    assert reach.loc["attention", "total"] == pytest.approx((alone + together) / total, abs=0.05)
    assert reach.loc[CHANCE, "total"] == pytest.approx(0.04 / 12 / total, abs=0.01)
    assert (reach["total_low"] <= reach["total"]).all()
    assert (reach["total"] <= reach["total_high"]).all()
    assert found.loc[("log R", "eta"), "total"] == pytest.approx(1.0, abs=0.05)
    assert found.loc[("log R", "feed"), "total"] == 0.0
    assert set(found["evaluations"]) == {256 * 6}


def test_samples_meet_their_inputs_and_the_same_chance(tmp_path: Path):
    ranges = {"eta": [0.2, 1.0], "mixing": [0.05, 0.4], "small_share": [0.0, 1.0], "participate": "survey"}
    result = run(
        tmp_path / "s",
        {
            "seeding": {"strategy": "degree", "budget": {"money": 5_000}},
            "sensitivity": {"samples": 4, "ranges": ranges},
        },
    )
    samples, table = result.to_pandas("samples"), result.to_pandas("sensitivity")
    assert len(samples) == 4 * (2 + len(ranges) + 1)
    assert samples["eta"].between(0.2, 1.0).all()
    for _, own in samples.groupby("sample"):
        rows = own.set_index("block")
        assert (rows.drop(index=["B", "eta"])["eta"] == rows.loc["A", "eta"]).all()
        assert rows.loc["eta", "eta"] == rows.loc["B", "eta"]
        # Shares to small creators change seeds and no graph: R is that of A to the last bit.
        assert rows.loc["small_share", "R"] == rows.loc["A", "R"]
        assert rows.loc[CHANCE, "R"] != rows.loc["A", "R"]
    assert set(table["input"]) == {*ranges, CHANCE}
    assert table.set_index(["measure", "input"]).loc[("log R", "small_share"), "total"] == 0.0
    again = run(
        tmp_path / "s",
        {
            "seeding": {"strategy": "degree", "budget": {"money": 5_000}},
            "sensitivity": {"samples": 4, "ranges": ranges},
        },
    )
    pd.testing.assert_frame_equal(again.to_pandas("samples"), samples)


def test_money_is_split_between_amateurs_and_the_most_followed():
    plan = plan_of({"small_share": [0.0, 1.0]})
    ready = prepare_graph(plan.graph, 0, 7)
    tier, followers, price = (ready.graph.node_data["tier"], ready.graph.out_degree, ready.graph.node_data["price"])
    point, _ = plan.point({"small_share": 0.5})
    chosen = {share: list(Seeds(7).mixed(point, ready, share).seeds) for share in (0.0, 0.4, 1.0)}
    assert (tier[chosen[1.0]] == "amateur").all()
    assert followers[chosen[0.0]].max() > followers[chosen[1.0]].max()
    dear = [user for user in chosen[0.4] if tier[user] != "amateur"]
    assert 0 < price[dear].sum() <= 0.6 * 5_000
    assert all(price[seeds].sum() <= 5_000 for seeds in chosen.values())
    assert len(chosen[0.0]) < len(chosen[0.4]) < len(chosen[1.0])


def test_eta_from_engagement_stays_when_attention_is_varied():
    block = {"kind": "sips", "sips": {"attention": 0.3, "eta": "engagement"}}
    (spec,) = parse_study({"model": block}).models
    varied = spec.changed({"attention": 0.6}, "")
    assert varied.model.funnel == spec.model.funnel
    assert varied.columns()["shares_per_follower"] == pytest.approx(2 * spec.columns()["shares_per_follower"])


def test_ranges_are_what_they_say():
    assert Range("x", None, low=1.0, high=100.0, log=True).at(0.5) == pytest.approx(10.0)
    assert [Range("place", None, values=("a", "b")).at(u) for u in (0.0, 0.49, 0.5, 1.0)] == ["a", "a", "b", "b"]
    plan = plan_of({"participate": "survey", "budget": [1_000, 3_000]})
    point, _ = plan.point({"participate": 0.5, "budget": 0.25})
    assert point.budget.value == 1_500
    middle = stats.beta(*SURVEY["participates"].posterior).ppf(0.5)
    assert point.model.model.funnel.participate == pytest.approx(middle)


def test_posteriors_are_carried_through(tmp_path: Path):
    result = run(tmp_path / "s", {"predictive": {"draws": 12}})
    (row,) = result.to_pandas("predictive").to_dict("records")
    points = result.to_pandas("points").query("part == 'predictive'")
    cells = result.to_pandas().set_index("cell").loc[points["cell"]]
    assert row["draws"] == 12 == cells["rho"].nunique()
    assert cells["replicate"].value_counts().to_dict() == {0: 4, 1: 4, 2: 4}  # each on the next graph in turn
    low, high = np.quantile(cells["reach"], (0.025, 0.975))
    assert (row["predictive_low"], row["predictive_high"]) == pytest.approx((low, high))
    base = result.to_pandas("conditions").set_index("condition").loc[row["condition"]]
    assert row["reach"] == base["reach"]
    # The draws are those of the posteriors: rho over its value at the survey's shares has a mean of about 1.
    shares = [SURVEY[name].share for name in ("prefers_genuine", "participates", "has_posted")]
    assert cells["rho"].mean() / math.prod(shares) == pytest.approx(1.0, abs=0.1)


def test_a_quick_study_is_the_same_with_less_of_it():
    design = parse_study({})
    quick = design.made_quick()
    assert quick.quick
    assert quick.n_cells < design.n_cells / 3
    assert quick.replicates < design.replicates
    assert [p.axes[0].factor for p in quick.parts] == [p.axes[0].factor for p in design.parts]
    mixing = quick.parts[0].axes[0].levels
    assert (mixing[0], mixing[-1]) == (0.02, 0.7)
    identities = {point.identity for _, point, _, _ in design.points()}
    assert {
        point.identity for _, point, _, _ in quick.points()
    } <= identities  # a quick study is a part of the whole one


# -- choices are judged where they were not made --------------------------------------------------------------------------


def test_equal_strategies_are_told_apart_in_one_of_twenty():
    """Regret against the best of five equal strategies: the best is chosen on the other half of the graphs."""
    draw = np.random.default_rng(2)
    calls = []
    for _ in range(600):
        reach = draw.normal(0, 1, (5, 8)) + draw.normal(0, 2, 8)
        chosen = reach[other_half(reach).argmax(axis=0), np.arange(8)]
        lost = [row for row in chosen - reach if np.ptp(row) > 0]
        calls += [stats.ttest_1samp(row, 0).pvalue < 0.05 for row in lost]
    assert np.mean(calls) < 0.08  # 11 % if it were chosen on all graphs but the one it is judged on


class OneSweep:
    """As much of the tables of a study as a curve over mixing needs."""

    def __init__(self, frame: pd.DataFrame, reach: dict[str, np.ndarray]) -> None:
        self.sweeps, self.crossed = {"mixing": frame}, frame.iloc[:0]
        self.reach = reach

    def by_replicate(self, measure: str) -> dict[str, np.ndarray]:
        return self.reach


def test_a_flat_curve_is_called_bent_in_one_of_twenty():
    (bent,) = (h for h in HYPOTHESES if h.key == "2")
    assert callable(bent.contrasts)
    draw = np.random.default_rng(4)
    calls = []
    for _ in range(400):
        reach = {f"c{i}": np.exp(draw.normal(0, 0.3, 8)) for i in range(7)}
        frame = pd.DataFrame(
            {"condition": list(reach), "x": range(7), "contagion": "complex", "budget": "b", "reach": 1.0}
        )
        frame[["model_name", "rule", "place", "strategy"]] = "m", "", "anywhere", "degree"
        tables = OneSweep(frame, reach)
        effect = mean_effect(bent.contrasts(tables), 0.95)  # type: ignore[arg-type]
        assert effect is not None
        calls.append(effect.p_value() < 0.05)
    assert abs(np.mean(calls) - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 400)
