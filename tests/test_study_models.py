"""Any model and any seeding method may enter a study: a toy model that the package does not know, and every method."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass

import pandas as pd
import pytest
from conftest import ROOT

import diffusion as dif
from diffusion.errors import InputError
from diffusion.models.registry import MODELS
from diffusion.report.page import render
from diffusion.report.read import read
from diffusion.study.design import parse_study
from diffusion.study.methods import METHODS
from diffusion.study.schema import TABLES, conform, markdown

PLATFORM = {"users": 400, "communities": 4}


@dataclass(frozen=True)
class Weak(dif.IC):
    """Independent cascade of a note that loses strength; here a name, a parameter, and what a study asks."""

    strength: float = 1.0
    mood: str = "calm"


def test_a_toy_model_enters_a_study_and_its_report(tmp_path, monkeypatch):
    models = [Weak(0.5), Weak(0.25, "wild"), dif.IC()]
    study = dif.Study(
        PLATFORM, models=models, strategies=["random", "degree", "opim"], budgets=[4, 8], rel_error=0.2, replicates=1
    )
    assert study.design.n_cells == 3 * 3 * 2
    result = study.run(tmp_path / "s")
    table = result.to_pandas()
    toy = table[table["model_kind"] == "Weak"].drop_duplicates("model").set_index("model")
    assert toy["strength"].tolist() == [0.5, 0.25]
    assert toy["mood"].tolist() == ["calm", "wild"]
    assert table.loc[table["model_kind"] == "IC", "strength"].isna().all()
    assert (table.loc[table["strategy"] == "opim", "ratio"] > 0).all()
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    for text in (*toy.index, "Independent cascade of a note that loses strength"):
        assert text in page, text
    assert read(result.folder).model_factors == ["strength", "mood"]
    assert '[[model]]\nkind = "weak"\n\n[model.weak]\nstrength = 0.5\n' in study.to_toml().replace("\r", "")
    with pytest.raises(InputError, match=r"the key model\[0\]\.weak is unknown"):
        parse_study(tomllib.loads(study.to_toml()))
    monkeypatch.setitem(MODELS, "weak", Weak)  # registered, a study file may name it
    assert parse_study(tomllib.loads(study.to_toml())).models == study.design.models
    block = {"kind": "weak", "weak": {"strength": [0.5, 0.1]}, "probability": "weighted_cascade"}
    assert [spec.model.strength for spec in parse_study({"model": block}).models] == [0.5, 0.1]
    with pytest.raises(InputError, match=r"model\[0\]\.weak\.strenth is unknown.*'strength'"):
        parse_study({"model": {"kind": "weak", "weak": {"strenth": 1}}})


def test_a_column_of_a_model_takes_no_place_of_another():
    @dataclass(frozen=True)
    class Clash(dif.IC):
        """A parameter with the name of a measure."""

        reach: float = 1.0

    with pytest.raises(InputError, match="brings a column 'reach' to the table of results"):
        dif.Study(PLATFORM, models=[Clash(2.0)])


def test_sips_of_every_kind_enters(tmp_path):
    funnel = dif.models.Funnel(0.8, 1.0, 0.7, 0.6)
    models = [
        dif.SIPS(None, funnel),
        dif.SIPS(0.3, funnel, redraw=True),
        dif.SIPS(0.3, funnel, delay=dif.models.Delay("gamma", mean=12.0)),
        dif.SIPS(0.3, funnel, dif.models.Feed(impressions=2.0, cap=5, weights={"share": 2.0})),
    ]
    study = dif.Study(
        PLATFORM,
        models=models,
        probabilities=["weighted_cascade"],
        strategies=["degree", "opim"],
        budgets=[4],
        max_runs=128,
    )
    result = study.run(tmp_path / "s")
    table = result.to_pandas().drop_duplicates("model").set_index("model")
    assert table["rule"].tolist() == ["weighted cascade", "", "", ""]
    assert parse_study(tomllib.loads(study.to_toml())).models == study.design.models
    skipped = json.loads((result.folder / "study.json").read_text(encoding="utf-8"))["skipped"]
    assert [entry["strategy"] for entry in skipped] == ["opim"]  # redraw has no certificate
    graph = dif.generate_platform(**PLATFORM, rng=0).with_probabilities("weighted_cascade")
    assert models[0].effective_probabilities(graph).probabilities.values.max() <= funnel.rho + 1e-6


def test_every_seeding_method_enters(tmp_path):
    small = {"users": 120, "communities": 2, "mean_followers": 5}
    study = dif.Study(
        small, models=["ic", dif.Threshold(count=2)], strategies=list(METHODS), budgets=[2], max_runs=128, replicates=1
    )
    result = study.run(tmp_path / "s")
    table, skipped = (
        result.to_pandas(),
        json.loads((result.folder / "study.json").read_text(encoding="utf-8"))["skipped"],
    )
    left_out = {entry["strategy"] for entry in skipped}
    assert set(table["strategy"]) | left_out == set(METHODS)
    assert {"opim", "hist", "imm", "celf", "greedy", "irie"} <= set(table.loc[table["model_kind"] == "IC", "strategy"])
    assert {"celf", "greedy", "degree"} <= set(table.loc[table["model_kind"] == "Threshold", "strategy"])
    assert {entry["reason"] for entry in skipped if entry["strategy"] == "opim"} == {
        "opim needs a model with probabilities, and Threshold count=2 has none"
    }
    money = dif.Study(
        small, models=["ic"], strategies=["celf", "degree"], budgets=[{"money": 2_000}], max_runs=128, replicates=1
    )
    result = money.run(tmp_path / "money")
    assert result.to_pandas()["strategy"].tolist() == ["degree"]


def test_tables_of_another_shape_are_made_whole():
    frame = conform("seeds", pd.DataFrame({"cell": ["a"], "rank": [1], "node": ["u"], "followers": [3]}))
    assert tuple(frame) == TABLES["seeds"].names
    assert frame["tier"].tolist() == [""]
    assert frame["price"].isna().all()
    assert len(conform("funnel", pd.DataFrame())) == 0
    page = markdown()
    for table in TABLES.values():
        assert f"## {table.name}" in page
        for column in table.columns:
            assert f"| `{column.name}` |" in page
            assert column.meaning[0].islower() or not column.meaning[0].isalpha() or column.name in page


def test_the_page_of_the_documentation_is_that_of_the_schema():
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == markdown()


def test_the_report_is_made_from_the_tables_alone(tmp_path):
    result = dif.Study(PLATFORM, models=["ic"], strategies=["degree"], budgets=[2], max_runs=128, replicates=1).run(
        tmp_path / "s"
    )
    assert render(read(result.folder)) == (result.folder / "report.html").read_text(encoding="utf-8")
