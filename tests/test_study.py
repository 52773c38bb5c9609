"""Studies: tables, resuming after every kind of interruption, threads, keys, budgets, and what is refused before it runs."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from strategies import random_graph

import diffusion as dif
from diffusion import _upward
from diffusion._random import derive_key, generator
from diffusion._threads import map_chunks
from diffusion.errors import DiffusionError, InputError, MissingDataError, NotFoundError, OutputError
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.simulation import simulate as simulating
from diffusion.study import graphs as preparing
from diffusion.study import run as running
from diffusion.study import seeds as choosing
from diffusion.study import work
from diffusion.study.cell import read_cell
from diffusion.study.design import parse_study
from diffusion.study.schema import DTYPES, TABLES

FILES = {
    *(f"{name}.parquet" for name in TABLES),
    "graphs.json",
    "study.json",
    "provenance.json",
    "report.html",
    "cells",
}
PLATFORM = {"users": 600, "communities": 4}


def small(graph: Any = None, **options: Any) -> dif.Study:
    """A study of 600 users in 12 cells, or what the options say."""
    return dif.Study(
        graph=PLATFORM if graph is None else graph,
        **{
            "models": ["ic", "lt"],
            "probabilities": ["weighted_cascade"],
            "strategies": ["random", "degree", "tail"],
            "budgets": [3, {"money": 20_000}],
            "rel_error": 0.2,
            "max_runs": 1024,
            "title": "A small study",
            "replicates": 1,
            **options,
        },
    )


def no_report(folder: Path, path: Path | None = None) -> Path:
    return folder / "report.html"


@pytest.fixture(autouse=True)
def without_report(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the drawing of figures, which takes longer than the cells, but where a test is about the report."""
    if "report" not in request.node.name:
        monkeypatch.setattr(_upward, "REPORT", ("test_study", "no_report"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dif.StudyResult:
    """The small study, run once without an interruption."""
    return small().run(tmp_path_factory.mktemp("study") / "whole", threads=1)


def assert_equal_tables(one: dif.StudyResult, two: dif.StudyResult) -> None:
    for name in TABLES:
        left, right = one.to_pandas(name), two.to_pandas(name)
        drop = [column for column in left.columns if column.startswith("seconds")]
        pd.testing.assert_frame_equal(left.drop(columns=drop), right.drop(columns=drop), check_exact=True, obj=name)
    for name in ("graphs.json", "study.json"):
        assert (one.folder / name).read_text() == (two.folder / name).read_text(), name


def n_files(folder: Path) -> int:
    return len(list((folder / "cells").iterdir()))


def counts(result: dif.StudyResult) -> tuple[int, int]:
    return result.provenance["cells_computed"], result.provenance["cells_reused"]


# -- what a finished study holds ---------------------------------------------------------------------------------------


def test_the_tables_have_their_columns(finished: dif.StudyResult):
    for name, table in TABLES.items():
        written = pd.read_parquet(finished.folder / f"{name}.parquet")
        assert tuple(written) == table.names, name
        for column in table.columns:
            assert written[column.name].dtype == np.empty(0, DTYPES[column.kind]).dtype or column.kind == "text"
            assert column.meaning, column.name
            # No stages, one place, and none of the parts that were not asked for.
        assert len(written) or name in ("funnel", "paired_place", "critical", "sensitivity", "samples", "predictive")
    with pytest.raises(InputError, match="'result' is unknown"):
        finished.to_pandas("result")


def test_a_row_a_cell_and_every_number_in_its_range(finished: dif.StudyResult):
    table = finished.to_pandas()
    assert len(table) == 12
    assert table["cell"].is_unique
    assert not table.duplicated(["graph", "model", "rule", "strategy", "budget"]).any()
    assert (table["reach_low"] <= table["reach"]).all()
    assert (table["reach"] <= table["reach_high"]).all()
    assert table["reach"].between(table["n_seeds"], 600).all()
    assert (table["n_nodes"] == 600).all()
    assert set(table["stopped_by"]) <= {"precision", "max_runs"}
    precise = table["stopped_by"] == "precision"
    assert (table.loc[precise, "rel_error"] <= 0.2).all()
    assert (table.loc[~precise, "runs"] == 1024).all()
    assert (table["outbreak_low"] <= table["outbreak_probability"]).all()
    assert (table["outbreak_probability"] <= table["outbreak_high"]).all()
    assert set(table["phase"]) <= {"exponential", "subcritical", "core", "undecided", "not applicable"}
    assert table["R_predicted"].notna().all()
    graph = dif.generate_platform(600, communities=4, rng=generator(derive_key(7, "platform")))
    graph = graph.with_probabilities("weighted_cascade")
    assert table["R_predicted"].dropna().to_numpy() == pytest.approx(dif.theory.reproduction_number(graph), rel=1e-3)
    priced = table[table["cost"] > 0]
    assert (priced["reach"] / priced["cost"]).to_numpy() == pytest.approx(priced["reach_per_cost"].to_numpy())


def test_an_outbreak_is_a_run_that_reaches_one_user_in_a_hundred(finished: dif.StudyResult):
    table = finished.to_pandas()
    assert set(table["outbreak_share"]) == {0.01}
    row = table[(table["strategy"] == "tail") & (table["budget"] == "k=3") & (table["model"] == "IC")].iloc[0]
    graph = dif.generate_platform(600, communities=4, rng=generator(derive_key(7, "platform")))
    graph = graph.with_probabilities("weighted_cascade")
    seeds = finished.to_pandas("seeds").query("cell == @row.cell")["node"].astype(int).tolist()
    sizes = dif.simulate(graph, seeds, runs=4000, rng=1).sizes
    share = np.mean(sizes >= 6)
    assert 0.05 < np.mean(sizes >= 30) < share - 0.2  # 5 % would be another number
    assert abs(row["outbreak_probability"] - share) < 4 * np.sqrt(share * (1 - share) * (1 / row["runs"] + 1 / 4000))


def test_the_long_tables_belong_to_the_cells(finished: dif.StudyResult):
    table = finished.to_pandas().set_index("cell")
    steps = finished.to_pandas("new_by_step")
    assert steps.groupby("cell")["mean"].sum()[table.index].to_numpy() == pytest.approx(table["reach"].to_numpy())
    assert (steps["low"] <= steps["median"]).all()
    assert (steps["median"] <= steps["high"]).all()
    assert (steps.loc[steps["step"] == 0, "mean"].to_numpy() == table["n_seeds"].to_numpy()).all()
    communities = finished.to_pandas("reach_by_community")
    assert communities.groupby("cell")["reach"].sum()[table.index].to_numpy() == pytest.approx(
        table["reach"].to_numpy()
    )
    assert (communities.groupby("cell")["size"].sum() == 600).all()
    assert communities.groupby("cell")["share"].sum().to_numpy() == pytest.approx(1)
    assert (communities["reach"] <= communities["size"]).all()
    seeds = finished.to_pandas("seeds")
    assert seeds.groupby("cell").size()[table.index].equals(table["n_seeds"].rename(None))
    assert not seeds.duplicated(["cell", "node"]).any()
    assert seeds.groupby("cell")["price"].sum()[table.index].to_numpy() == pytest.approx(table["cost"].to_numpy())
    tail = table.index[table["strategy"] == "tail"]
    assert set(seeds.loc[seeds["cell"].isin(tail), "tier"]) == {"tail"}


def test_every_file_is_whole_and_nothing_else_is_there(finished: dif.StudyResult):
    assert {path.name for path in finished.folder.iterdir()} == FILES
    assert {path.stem for path in (finished.folder / "cells").iterdir()} == set(finished.to_pandas()["cell"])
    assert not list(finished.folder.rglob("*.part"))
    record = json.loads((finished.folder / "provenance.json").read_text())
    assert record == finished.provenance == dif.StudyResult.load(finished.folder).provenance
    assert counts(finished) == (12, 0)
    assert record["cells_skipped"] == 0
    facts = json.loads((finished.folder / "graphs.json").read_text())
    assert [(g["n_nodes"], g["n_edges"], g["n_communities"]) for g in facts] == [(600, 7200, 4)]
    assert facts[0]["mixing"] == pytest.approx(0.2, abs=0.001)
    assert set(facts[0]["tier_shares"]) == {"tail", "waist", "head"}
    described = json.loads((finished.folder / "study.json").read_text())
    assert described["n_cells"] == 12
    assert dif.Study.from_design(small().design).to_toml() == described["toml"]


def test_the_report_names_what_was_studied(finished: dif.StudyResult, tmp_path: Path):
    page = (finished.folder / "report.html").read_text()
    assert page.rstrip().endswith("</html>")
    for text in ("A small study", "random", "degree", "tail", "weighted cascade", "20,000 RMB", "IC", "LT", "600"):
        assert text in page, text
    other = finished.report(tmp_path / "copy.html")
    assert other == tmp_path / "copy.html"
    assert other.read_text().rstrip().endswith("</html>")


def test_a_folder_without_a_study_is_refused(tmp_path: Path):
    with pytest.raises(MissingDataError, match="holds no finished study"):
        dif.StudyResult.load(tmp_path)


# -- the same numbers as the functions ---------------------------------------------------------------------------------


def graph_of(seed: int = 7) -> FollowerGraph:
    from diffusion._random import derive_key, generator

    return dif.generate_platform(
        **{**PLATFORM, "mixing": 0.2, "mean_followers": 12.0, "tail": 2.3, "reciprocity": 0.2},
        rng=generator(derive_key(seed, "platform")),
    ).with_probabilities("weighted_cascade")


def test_cells_and_pairs_are_those_of_spread_and_compare(finished: dif.StudyResult, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(simulating, "key_of", lambda rng: int(rng))  # the key of the worlds itself
    graph = graph_of()
    table, seeds = finished.to_pandas(), finished.to_pandas("seeds")
    pairs = finished.to_pandas("paired")
    assert len(pairs) == 2 * 2 * (3 - 1)
    for (model, budget), group in table.groupby(["model", "budget"]):
        keys = set(group["key"])
        assert len(keys) == 1  # the same worlds
        key = int(keys.pop(), 16)
        sets = {
            row.strategy: [int(v) for v in seeds.loc[seeds["cell"] == row.cell, "node"]] for row in group.itertuples()
        }
        for row in group.itertuples():
            alone = dif.spread(graph, sets[row.strategy], model=model.lower(), runs=row.runs, rng=key)
            assert (alone.mean, alone.low, alone.high) == (row.reach, row.reach_low, row.reach_high)
        best = group.loc[group["reach"].idxmax(), "strategy"]
        found = pairs[(pairs["model"] == model) & (pairs["budget"] == budget)]
        assert set(found["strategy"]) == set(sets) - {best}
        for row in found.itertuples():
            assert row.best == best
            both = dif.compare(graph, sets, model=model.lower(), runs=row.runs, rng=key).difference(row.strategy, best)
            assert (row.difference, row.low, row.high) == (both.value, both.low, both.high)


def test_seeds_are_those_of_select_seeds(finished: dif.StudyResult):
    table, seeds = finished.to_pandas(), finished.to_pandas("seeds")
    for row in table[(table["strategy"] == "degree") & (table["budget"] == "k=3")].itertuples():
        chosen = seeds.loc[seeds["cell"] == row.cell, "node"].astype(int).tolist()
        assert tuple(chosen) == dif.select_seeds(graph_of(), 3, method="degree").seeds


# -- running again, interrupted, killed, extended ----------------------------------------------------------------------


def test_running_again_computes_nothing(finished: dif.StudyResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def never(*args: Any, **options: Any) -> None:
        raise AssertionError("a finished cell was computed again")

    first = small().run(tmp_path / "s", threads=1)
    before = {path: path.stat().st_mtime_ns for path in (first.folder / "cells").iterdir()}
    monkeypatch.setattr(work, "compute", never)
    again = small().run(tmp_path / "s")
    assert counts(again) == (0, 12)
    assert {path: path.stat().st_mtime_ns for path in (again.folder / "cells").iterdir()} == before
    assert_equal_tables(again, finished)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupted_study_goes_on(
    threads: int, finished: dif.StudyResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    compute, calls = work.compute, itertools.count()

    def interrupted(*args: Any, **options: Any) -> Any:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return compute(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(work, "compute", interrupted)
        with pytest.raises(KeyboardInterrupt):
            small().run(tmp_path / "s", threads=threads)
    assert {path.name for path in (tmp_path / "s").iterdir()} == {"cells"}  # no table of half a study
    done = n_files(tmp_path / "s")
    assert 5 <= done <= 6
    resumed = small().run(tmp_path / "s", threads=threads)
    assert counts(resumed) == (12 - done, done)
    assert_equal_tables(resumed, finished)


def test_an_interruption_between_cells_keeps_what_is_done(
    finished: dif.StudyResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def three(*args: Any, **options: Any) -> Any:
        yield from itertools.islice(map_chunks(*args, **options), 3)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(work, "map_chunks", three)
        with pytest.raises(KeyboardInterrupt):
            small().run(tmp_path / "s", threads=1)
    assert n_files(tmp_path / "s") == 3
    assert_equal_tables(small().run(tmp_path / "s"), finished)


SLOW = """
import sys, time
from diffusion.study import work
compute = work.compute
def slow(*args, **options):
    time.sleep(0.15)
    return compute(*args, **options)
work.compute = slow
from diffusion.study.study import Study
Study.from_toml(sys.argv[1]).run(sys.argv[2], threads=2)
"""


def test_a_killed_study_goes_on(finished: dif.StudyResult, tmp_path: Path):
    (tmp_path / "s.toml").write_text(small().to_toml())
    out = tmp_path / "s"
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "s.toml"), str(out)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while process.poll() is None and len(list(out.glob("cells/*.parquet"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is None, "the study ended before it could be killed"
    finally:
        process.kill()
        process.wait()
    done = len(list(out.glob("cells/[!.]*.parquet")))
    assert 3 <= done < 12
    assert not (out / "results.parquet").exists()
    resumed = small().run(out)
    assert counts(resumed) == (12 - done, done)
    assert_equal_tables(resumed, finished)


def test_only_new_cells_are_computed(finished: dif.StudyResult, tmp_path: Path):
    small(strategies=["degree"]).run(tmp_path / "s", threads=1)
    wider = small(strategies=["random", "degree", "tail"]).run(tmp_path / "s", threads=1)
    assert counts(wider) == (8, 4)
    assert_equal_tables(wider, finished)  # order of the rows and all
    narrow = small(budgets=[3]).run(tmp_path / "s", threads=1)
    assert counts(narrow) == (0, 6)
    assert len(narrow.to_pandas()) == 6
    assert n_files(tmp_path / "s") == 12


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"",
        lambda raw: b"PAR1" + b"\0" * 100 + b"PAR1",
        lambda raw: raw[:400] + bytes(b ^ 0x01 for b in raw[400:500]) + raw[500:],
        lambda raw: raw[:4] + bytes(b ^ 0xFF for b in raw[4:60]) + raw[60:],
    ],
    ids=["truncated", "empty", "zeros", "flipped bits", "flipped page header"],
)
def test_a_damaged_cell_is_computed_again(spoil: Callable[[bytes], bytes], finished: dif.StudyResult, tmp_path: Path):
    options: dict[str, Any] = {"strategies": ["degree"], "budgets": [3]}
    first = small(**options).run(tmp_path / "s", threads=1)
    path = min((first.folder / "cells").iterdir())
    good = first.to_pandas().drop(columns=["seconds_select", "seconds_simulate"])
    path.write_bytes(spoil(path.read_bytes()))
    assert read_cell(path) is None
    again = small(**options).run(tmp_path / "s", threads=1)
    assert counts(again) == (1, 1)
    assert read_cell(path) is not None
    pd.testing.assert_frame_equal(again.to_pandas().drop(columns=["seconds_select", "seconds_simulate"]), good)


def test_a_flipped_bit_never_passes_for_a_result(finished: dif.StudyResult, tmp_path: Path):
    """Single bits all over the data: the cell is refused, or the bit belonged to nothing that is read."""
    path = min((finished.folder / "cells").iterdir())
    raw, good = path.read_bytes(), read_cell(path)
    assert good is not None
    refused = 0
    other = tmp_path / path.name
    for number, place in enumerate(np.linspace(4, 0.7 * len(raw), 300).astype(int)):
        spoilt = bytearray(raw)
        spoilt[place] ^= 1 << (number % 8)
        other.write_bytes(spoilt)
        found = read_cell(other)
        refused += found is None
        if found is not None:
            assert json.dumps(found.row) == json.dumps(good.row)
            assert found.sizes.tolist() == good.sizes.tolist()
            assert found.by_step.equals(good.by_step)
            assert found.seeds.equals(good.seeds)
    assert refused > 250


def test_a_cell_under_another_name_is_not_taken_for_it(finished: dif.StudyResult, tmp_path: Path):
    cells = sorted((finished.folder / "cells").iterdir())
    other = tmp_path / cells[1].name
    other.write_bytes(cells[0].read_bytes())
    assert read_cell(cells[0]) is not None
    assert read_cell(other) is None


def test_no_number_depends_on_the_threads(finished: dif.StudyResult, tmp_path: Path):
    assert_equal_tables(small().run(tmp_path / "two", threads=2), finished)


def test_another_key_meets_other_worlds(tmp_path: Path):
    graph = random_graph(500, 3000, rng=1)
    options: dict[str, Any] = {"strategies": ["degree"], "models": ["ic"], "budgets": [3]}
    rows = [
        small(graph, **options, seed=seed).run(tmp_path / "s", threads=1, overwrite=True).to_pandas().iloc[0]
        for seed in (1, 2, 2**63)
    ]
    assert n_files(tmp_path / "s") == 3
    assert len({row["key"] for row in rows}) == 3
    assert len({row["reach"] for row in rows}) == 3
    again = small(graph, **options).run(tmp_path / "s", rng=np.int64(2), overwrite=True)
    assert again.provenance["cells_computed"] == 0
    with pytest.raises(InputError, match="seed = -1"):
        small(graph, **options).run(tmp_path / "s", rng=-1)


def test_a_cell_belongs_to_all_it_depends_on(tmp_path: Path):
    """Prices, communities, tiers and weights change cells; so nothing is reused when one of them changes."""
    draw = np.random.default_rng(3)
    u, v = draw.integers(0, 500, (2, 3000))
    weight = np.full(3000, 0.05)
    graph = FollowerGraph.from_arrays(
        u, v, weight=weight, combine="max", nodes=range(500), directed=True, edges_mean="follows"
    )
    heavier = FollowerGraph.from_arrays(
        u, v, weight=3 * weight, combine="max", nodes=range(500), directed=True, edges_mean="follows"
    )
    versions = [
        graph,
        heavier,
        graph.with_node_data(price=np.full(500, 100.0)),
        graph.with_node_data(community=np.arange(500) % 3),
        graph.with_node_data(tier=np.where(np.arange(500) < 50, "tail", "amateur")),
    ]
    options: dict[str, Any] = {
        "models": ["ic"], "probabilities": ["column"], "strategies": ["degree", "tail"], "budgets": [{"money": 2000}]
    }  # fmt: skip
    tables = []
    for number, given in enumerate(versions):
        result = small(given, **options).run(tmp_path / "s", threads=1, overwrite=True)
        assert counts(result) == (2, 0), number
        tables.append(result.to_pandas().set_index("strategy"))
    assert tables[1].loc["degree", "reach"] > tables[0].loc["degree", "reach"]
    assert tables[2].loc["degree", "n_seeds"] == 20
    assert tables[3]["dominance"].notna().all()
    assert tables[0]["dominance"].isna().all()
    assert small(graph, **options).run(tmp_path / "s", overwrite=True).provenance["cells_computed"] == 0


def test_the_name_of_a_graph_is_no_part_of_a_cell(tmp_path: Path):
    text = "".join(f"{i} {(7 * i + 3) % 50}\n" for i in range(50))
    labels = []
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(text)
        study = small(strategies=["degree"], budgets=[3], models=["ic"])
        spec = replace(
            study.design.graphs[0],
            kind="edges",
            parameters={"file": str(tmp_path / name), "directed": True, "edges_mean": "follows"},
        )
        result = dif.Study.from_design(replace(study.design, graphs=(spec,))).run(tmp_path / "s")
        labels.append((result.to_pandas()["graph"].tolist(), counts(result)))
    assert labels == [(["a.txt"], (1, 0)), (["b.txt"], (0, 1))]


# -- graphs and models of every kind -----------------------------------------------------------------------------------


def test_a_graph_given_in_python_without_attributes(tmp_path: Path):
    graph = random_graph(500, 3000, rng=5)
    result = small(graph, models=["ic", dif.Threshold(fraction=0.3)], strategies=["degree", "amateur"]).run(
        tmp_path / "s"
    )
    table = result.to_pandas()
    assert table["entropy"].isna().all()
    assert len(result.to_pandas("reach_by_community")) == 0
    card = json.loads((result.folder / "graphs.json").read_text())[0]
    assert (card["n_communities"], card["communities_from"]) == (None, None)
    assert card["tier_shares"] is not None
    assert card["kind"] == "object"
    assert {"tier", "price"}.isdisjoint(graph.node_data)
    threshold = table[table["model"] == "Threshold fraction=0.3"]
    assert len(threshold) == 4
    assert set(threshold["stopped_by"]) == {"deterministic"}
    assert (threshold["reach"] == threshold["reach_low"]).all()
    assert (threshold["reach"] == threshold["reach_high"]).all()
    for row in threshold.itertuples():
        seeds = result.to_pandas("seeds").query("cell == @row.cell")["node"].astype(int)
        assert row.reach == dif.threshold_cascade(graph, seeds, fraction=0.3).size
    pairs = result.to_pandas("paired").query("model == 'Threshold fraction=0.3'")
    assert (pairs["low"] == pairs["high"]).all()


def test_attributes_of_a_given_graph_are_kept(tmp_path: Path):
    names = [f"user {i}" for i in range(500)]
    draw = np.random.default_rng(3)
    u, v = draw.integers(0, 500, (2, 3000))
    tier = np.where(np.arange(500) < 7, "head", "amateur")
    graph = FollowerGraph.from_arrays(
        [names[i] for i in u], [names[i] for i in v], nodes=names, directed=True, edges_mean="follows"
    )
    at = [int(name.split()[1]) for name in graph.nodes]
    graph = graph.with_node_data(tier=tier[at], community=[f"c{i % 3}" for i in at])
    result = small(graph, models=["ic"], strategies=["head", "degree"], budgets=[7]).run(tmp_path / "s")
    seeds = result.to_pandas("seeds")
    head = result.to_pandas().query("strategy == 'head'")["cell"].item()
    assert set(seeds.loc[seeds["cell"] == head, "node"]) == set(names[:7])
    assert set(seeds["community"]) <= {"c0", "c1", "c2"}
    assert seeds["price"].notna().all()
    assert set(result.to_pandas("reach_by_community")["community"]) == {"c0", "c1", "c2"}
    whole = graph.with_node_data(price=np.full(500, 10.0))
    record = small(whole, models=["ic"], strategies=["head"], budgets=[{"money": 50}]).run(tmp_path / "t")
    assert record.to_pandas()["n_seeds"].item() == 5
    assert json.loads((record.folder / "graphs.json").read_text())[0]["tier_shares"] is None


def test_several_mixings_make_several_graphs(tmp_path: Path):
    result = small(mixing=[0.05, 0.5], models=["ic"], strategies=["degree", "random"], budgets=[3]).run(tmp_path / "s")
    cards = json.loads((result.folder / "graphs.json").read_text())
    assert [card["mixing"] for card in cards] == pytest.approx([0.05, 0.5], abs=0.002)
    assert result.to_pandas()["graph"].tolist() == [
        f"platform, mixing {level}, 600 users, 4 communities" for level in (0.05, 0.05, 0.5, 0.5)
    ]
    assert len(result.to_pandas("paired")) == 2


def test_a_study_that_buys_nobody_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"no combination of this study is possible: .* the budget 0 RMB buys nobody"):
        small(strategies=["degree", "head"], budgets=[{"money": 0}]).run(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_graph_without_arcs(tmp_path: Path):
    graph = FollowerGraph.from_arrays([], [], nodes=list("abc"), directed=True, edges_mean="follows")
    strategies = ["degree", "degree_discount", "pagerank", "k_core", "single_discount", "random"]
    result = small(graph, strategies=strategies, budgets=[2]).run(tmp_path / "s")
    assert (result.to_pandas()["reach"] == 2).all()


# -- budgets -----------------------------------------------------------------------------------------------------------


def test_money_is_never_overspent_and_never_left_where_somebody_can_be_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(choosing, "FIRST_RANKED", 4)  # so that most rankings have to be lengthened
    graph = dif.generate_platform(400, communities=4, rng=3)
    price = graph.node_data["price"]
    budgets = [{"money": m} for m in (199, 900, 20_000, 100_000)]
    strategies = ["degree", "random", "degree_discount", "voterank", "amateur", "waist"]
    options: dict[str, Any] = {"models": ["ic"], "strategies": strategies}
    result = small(graph, **options, budgets=budgets).run(tmp_path / "s", threads=2)
    seeds = result.to_pandas("seeds")
    for row in result.to_pandas().itertuples():
        chosen = seeds.loc[seeds["cell"] == row.cell, "node"].astype(int)
        paid = price[chosen].sum()
        assert paid <= row.budget_value
        assert row.cost == pytest.approx(paid)
        others = price.drop(chosen)
        if row.strategy in ("amateur", "waist"):
            others = others[graph.node_data["tier"][others.index] == row.strategy]
        if row.strategy != "voterank":  # which ranks only some
            assert not (others <= row.budget_value - paid).any(), (row.strategy, row.budget)
    table = result.to_pandas().set_index(["strategy", "budget"])
    assert "199 RMB" not in table.index.get_level_values("budget")  # nobody is that cheap
    assert table.loc[("degree", "900 RMB"), "n_seeds"] > 0  # the first forty are all dearer
    assert table.loc[("voterank", "900 RMB"), "n_seeds"] > 0
    # The seeds of a budget do not depend on which other budgets the study has.
    alone = small(graph, **options, budgets=budgets[2:3]).run(tmp_path / "s")
    assert counts(alone) == (0, 6)
    fresh = small(graph, **options, budgets=budgets[2:3]).run(tmp_path / "fresh")
    for name in ("seeds", "new_by_step"):
        pd.testing.assert_frame_equal(fresh.to_pandas(name), alone.to_pandas(name))


def test_tiers_that_are_too_small_are_left_out_and_said(tmp_path: Path):
    result = small(models=["ic"], strategies=["degree", "waist", "head"], budgets=[3, 10]).run(tmp_path / "s")
    table = result.to_pandas()
    assert sorted(set(zip(table["strategy"], table["budget"], strict=True))) == [
        ("degree", "k=10"),
        ("degree", "k=3"),
        ("waist", "k=3"),
    ]
    skipped = json.loads((result.folder / "study.json").read_text())["skipped"]
    assert [(entry["strategy"], entry["budget"]) for entry in skipped] == [
        ("waist", "k=10"),
        ("head", "k=3"),
        ("head", "k=10"),
    ]
    assert "the tier head has 0 creators, 10 were asked for" in skipped[-1]["reason"]
    assert result.provenance["cells_skipped"] == 3


def test_voterank_that_ranks_too_few_is_left_out_and_said(tmp_path: Path):
    # Only those whose followers still have votes are ranked.
    for expected in ((3, 0), (0, 3)):
        result = small(
            {"users": 200, "communities": 4}, models=["ic"], strategies=["voterank", "degree"], budgets=[5, 195]
        ).run(tmp_path / "s")
        assert counts(result) == expected
        assert result.to_pandas()["strategy"].tolist() == ["voterank", "degree", "degree"]
        (skipped,) = json.loads((result.folder / "study.json").read_text())["skipped"]
        assert (skipped["strategy"], skipped["budget"]) == ("voterank", "k=195")
        assert "195 were asked for" in skipped["reason"]


# -- refused before anything is computed -------------------------------------------------------------------------------


def weights_over_one() -> FollowerGraph:
    return FollowerGraph.from_arrays(
        [0, 1, 2], [3, 3, 3], weight=[0.5, 0.5, 0.5], directed=True, edges_mean="influences"
    )


@pytest.mark.parametrize(
    ("graph", "options", "error", "message"),
    [
        (
            weights_over_one,
            {"models": ["ic", "lt"], "probabilities": ["column"]},
            InputError,
            "sum to more than 1.*3",
        ),
        (weights_over_one, {"models": ["lt"], "probabilities": ["lt"]}, InputError, "sum to more than 1"),
        (lambda: random_graph(50, 200, rng=1), {"probabilities": ["column"]}, InputError, "this graph has none"),
        (None, {"budgets": [3, 601]}, InputError, "seeding.budget: k=601 is more than the 600 users"),
        (None, {"strategies": ["head"], "budgets": [3]}, InputError, "no combination.*head has 0 creators"),
        (
            {"users": 200, "communities": 4},
            {"strategies": ["voterank"], "budgets": [195]},
            InputError,
            "no combination.*VoteRank ranks",
        ),
        ("platform-20", {}, NotFoundError, r"graph\.dataset: .*'platform-20' is unknown.*'platform-20k'"),
        ({"users": 100, "communities": 40, "mixing": 0, "mean_followers": 10}, {}, InputError, "found no place"),
        (None, {"threads": 0}, InputError, "threads=0"),
    ],
)
def test_what_cannot_run_is_refused_before_it_runs(
    graph: Any, options: dict[str, Any], error: type[DiffusionError], message: str, monkeypatch: Any, tmp_path: Path
):
    def never(*args: Any, **arguments: Any) -> None:
        raise AssertionError("a cell was computed")

    monkeypatch.setattr(work, "compute", never)
    given = {"budgets": [2], **options}
    threads = given.pop("threads", 1)
    with pytest.raises(error, match=message):
        small(graph() if callable(graph) else graph, **given).run(tmp_path / "deep" / "s", threads=threads)
    assert not list((tmp_path / "deep").rglob("*.parquet"))


def test_a_study_that_cannot_run_leaves_no_folder(tmp_path: Path):
    with pytest.raises(InputError, match="is more than the 600 users"):
        small(budgets=[601]).run(tmp_path / "deep" / "s")
    assert not list(tmp_path.iterdir())
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(InputError):
        small(budgets=[601]).run(kept)
    assert kept.is_dir()
    assert not list(kept.iterdir())


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused(place: str, tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"cannot write to the folder .*file"):
        small().run(tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_cell_that_cannot_be_written_ends_the_study_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        small().run(tmp_path / "s", threads=1)
    assert not [path for path in (tmp_path / "s").rglob("*") if path.is_file()]


def test_budgets_that_buy_nobody_are_left_out_with_the_reason(tmp_path: Path):
    study = dif.Study(
        graph={"users": 300, "communities": 2},
        models=["ic"],
        strategies=["random", "degree"],
        budgets=[0, 5],
        rel_error=0.3,
    )
    result = study.run(tmp_path / "out")
    assert result.to_pandas()["budget"].unique().tolist() == ["k=5"]
    skipped = json.loads((result.folder / "study.json").read_text())["skipped"]
    assert [entry["reason"] for entry in skipped] == ["the budget k=0 buys nobody"] * 2
    # Money: nobody of a tier is cheap enough; places: the largest community has too few users.
    graph = dif.FollowerGraph.from_arrays(
        [0, 1, 2, 3, 4], [1, 2, 0, 4, 3], directed=True, edges_mean="influences"
    ).with_node_data(
        community=[0, 0, 0, 1, 1], tier=["head", "tail", "amateur", "amateur", "amateur"], price=[900, 80, 5, 5, 5]
    )  # fmt: skip
    options: dict[str, Any] = {"models": ["ic"], "places": ["anywhere", "one community"]}
    result = small(graph, **options, strategies=["degree", "head", "tail", "amateur"], budgets=[2, {"money": 60}]).run(
        tmp_path / "small"
    )
    table = result.to_pandas()
    assert sorted(zip(table["strategy"], table["budget"], table["place"], table["n_seeds"], strict=True)) == [
        ("amateur", "60 RMB", "anywhere", 3), ("amateur", "60 RMB", "one community", 1),
        ("amateur", "k=2", "anywhere", 2),
        ("degree", "60 RMB", "anywhere", 3), ("degree", "60 RMB", "one community", 1),
        ("degree", "k=2", "anywhere", 2), ("degree", "k=2", "one community", 2),
    ]  # fmt: skip
    reasons = {
        (entry["strategy"], entry["budget"], entry["reason"])
        for entry in json.loads((result.folder / "study.json").read_text())["skipped"]
    }
    assert ("head", "60 RMB", "60 RMB buys nobody: the cheapest of the tier head costs 900 RMB") in reasons
    assert ("tail", "k=2", "the tier tail has 1 creators, 2 were asked for") in reasons
    assert ("amateur", "k=2", "the tier amateur in the largest community has 1 creators, 2 were asked for") in reasons


def test_a_budget_that_buys_exactly_one_and_a_number_that_is_all_are_cells(tmp_path: Path):
    graph = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], directed=True, edges_mean="influences").with_node_data(
        tier=["head", "tail", "amateur"], price=[900, 80, 5]
    )
    result = small(graph, models=["ic"], strategies=["tail", "degree"], budgets=[{"money": 80}, 3]).run(tmp_path / "s")
    table = result.to_pandas()
    assert sorted(zip(table["strategy"], table["budget"], table["n_seeds"], strict=True)) == [
        ("degree", "80 RMB", 1), ("degree", "k=3", 3), ("tail", "80 RMB", 1)
    ]  # fmt: skip


def test_another_study_does_not_replace_a_report_unless_told(tmp_path: Path):
    def edges(seed: int) -> dif.Study:
        return dif.Study.from_design(
            parse_study(
                {
                    "seed": seed, "graph": {"edges": {"file": str(tmp_path / "net.txt"), "directed": False}},
                    "model": {"kind": "ic", "probability": "weighted_cascade"}, "seeding": {"strategy": "degree", "budget": 2},
                    "precision": {"max_runs": 128},
                }
            )
        )  # fmt: skip

    (tmp_path / "net.txt").write_text("0 1\n1 2\n2 3\n")
    edges(1).run(tmp_path / "s")
    assert edges(1).run(tmp_path / "s").provenance["cells_reused"] == 1
    kept = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    with pytest.raises(
        InputError, match=r"holds another finished study, .*\(1 cells, of which this one has 0.*overwrite"
    ):
        edges(2).run(tmp_path / "s")
    (tmp_path / "net.txt").write_text("0 1\n1 2\n2 3\n3 4\n")
    getattr(preparing._read_edges_with_communities, "cache_clear", bool)()
    with pytest.raises(InputError, match=r"its design is this one, but its graph was another"):
        edges(1).run(tmp_path / "s")
    for path, content in kept.items():
        assert path.read_bytes() == content
    assert edges(2).run(tmp_path / "s", overwrite=True).to_pandas()["n_nodes"].tolist() == [5]


def test_a_rewired_copy_of_weights_is_left_out_for_the_true_reason(tmp_path: Path):
    rows = "".join(
        f"{u} {v} 0.{1 + (u + v) % 3}\n" for u in range(12) for v in range(12) if u != v and (u * v) % 4 != 1
    )
    (tmp_path / "w.txt").write_text(rows)
    edges = {"file": str(tmp_path / "w.txt"), "edges_mean": "influences", "weight": 2, "rewire_mixing": ["1x"]}
    document: dict[str, Any] = {
        "graph": {"edges": edges}, "model": {"kind": "ic", "probability": "column"},
        "seeding": {"strategy": "degree", "budget": 2}, "precision": {"max_runs": 128},
    }  # fmt: skip
    result = dif.Study.from_design(parse_study(document)).run(tmp_path / "s")
    assert result.to_pandas()["graph"].tolist() == ["w.txt"]
    (left_out,) = json.loads((result.folder / "study.json").read_text())["skipped"]
    assert "rewiring draws other arcs, which have no weight that the rule 'column' could read" in left_out["reason"]
    edges["rewire_mixing"] = [0.5]
    with pytest.raises(InputError, match="rewiring draws other arcs"):
        dif.Study.from_design(parse_study(document)).run(tmp_path / "t")


# -- SIPS, places, rewired copies ----------------------------------------------------------------------------------------


def test_a_sips_study_crosses_identification_feed_and_place(tmp_path):
    funnel = dif.models.Funnel(0.8, 1.0, 0.7, 0.6)
    models = [
        dif.SIPS(0.4, funnel, feed, way)
        for feed in (None, dif.models.Feed(impressions=2, own_community=0.5))
        for way in ("simple", dif.models.Complex(2))
    ]
    study = dif.Study(
        PLATFORM, models=models, strategies=["degree", "amateur", "opim", "irie"], budgets=[4], places=["anywhere", "spread", "one community"],
        placed=["degree", "opim"], rel_error=0.1, replicates=1,
    )  # fmt: skip
    assert [spec.model for spec in study.design.models] == models
    result = study.run(tmp_path / "out", threads=2)
    table = result.to_pandas()
    assert set(table["identify"]) == {"simple", "complex 2"}
    assert set(table["feed"]) == {0.0, 2.0}
    assert set(table.loc[table["strategy"] == "amateur", "place"]) == {"anywhere"}
    assert set(table.loc[table["strategy"] == "degree", "place"]) == {"anywhere", "spread", "one community"}
    assert set(table.loc[table["strategy"] == "opim", "identify"]) == {"simple"}
    assert set(table.loc[table["strategy"] == "opim", "place"]) == {"anywhere", "one community"}
    certified = table[(table["strategy"] == "opim") & (table["feed"] == 0)]
    assert (certified["lower"] <= certified["reach_high"]).all()
    assert table.loc[(table["strategy"] == "opim") & (table["feed"] > 0), "lower"].isna().all()
    graph = dif.generate_platform(600, communities=4, rng=generator(derive_key(7, "platform")))
    assert set(result.to_pandas("seeds")["node"].astype(int)) <= set(graph.nodes)
    for model in models[::2]:  # simple identification: R is that of theory, feed and all
        predicted = table.loc[table["model"] == model.label, "R_predicted"]
        assert predicted.to_numpy() == pytest.approx(dif.theory.sips_graph_radius(graph, model), rel=1e-3)
    # One cell again by hand: the same worlds, the same creators.
    row = table[(table["strategy"] == "degree") & (table["place"] == "anywhere") & (table["feed"] == 2.0)].iloc[0]
    seeds = result.to_pandas("seeds").query("cell == @row.cell")["node"].astype(int).tolist()
    model = next(m for m in models if m.label == row["model"])
    ens = dif.simulate(graph, seeds, model=model, runs=4000, rng=1)
    assert abs(ens.sizes.mean() - row["reach"]) < 4 * np.hypot(
        (row["reach_high"] - row["reach"]) / 1.96, ens.sizes.std() / 63
    )
    funnel_rows = result.to_pandas("funnel").query("cell == @row.cell").set_index(["channel", "stage"])["users"]
    assert funnel_rows["all", "exposed"] + len(seeds) == pytest.approx(row["reach"])
    assert funnel_rows["follow", "shared"] + funnel_rows["feed", "shared"] == pytest.approx(
        funnel_rows["all", "shared"]
    )
    home = graph.node_data["community"].value_counts().index[0]
    cell = table[(table["strategy"] == "degree") & (table["place"] == "one community")].iloc[0]["cell"]
    chosen = result.to_pandas("seeds")
    assert set(chosen.loc[chosen["cell"] == cell, "community"]) == {str(home)}
    cell = table[(table["strategy"] == "degree") & (table["place"] == "spread")].iloc[0]["cell"]
    chosen = result.to_pandas("seeds")
    assert chosen.loc[chosen["cell"] == cell, "community"].nunique() == 4
    places = result.to_pandas("paired_place")
    assert len(places) == 4 * 3 + 2
    before = {name: result.to_pandas(name) for name in TABLES}
    again = dif.Study.from_design(parse_study(tomllib.loads(study.to_toml()))).run(tmp_path / "out")
    assert again.provenance["cells_computed"] == 0
    for name, table in before.items():
        pd.testing.assert_frame_equal(again.to_pandas(name), table, obj=name)


def test_rewired_copies_of_an_edge_file(tmp_path):
    graph = dif.generate_platform(400, communities=4, mixing=0.3, rng=3)
    edges = graph.to_pandas()[["source", "target"]]
    edges.to_csv(tmp_path / "edges.csv", index=False)
    labels = graph.node_data["community"].reset_index()
    labels.to_csv(tmp_path / "labels.txt", sep=" ", index=False, header=False)
    document = {
        "graph": {
            "edges": {
                "file": str(tmp_path / "edges.csv"), "edges_mean": "influences",
                "communities": {"file": str(tmp_path / "labels.txt")}, "rewire_mixing": ["1x", "0.5x", 0.6, "9x"],
            }
        },
        "model": {"kind": "sips", "sips": {"attention": 0.3, "eta": 1.0}},
        "seeding": {"strategy": ["degree"], "budget": [3]}, "replicates": 1,
    }  # fmt: skip
    result = dif.Study.from_design(parse_study(document)).run(tmp_path / "out")
    table = result.to_pandas().set_index("graph")["mixing"]
    own = table["edges.csv"]
    assert own == pytest.approx(0.3, abs=0.02)
    assert table["edges.csv, rewired to 1x its mixing"] == pytest.approx(own, abs=0.005)
    assert table["edges.csv, rewired to 0.5x its mixing"] == pytest.approx(own / 2, abs=0.005)
    assert table["edges.csv, rewired to mixing 0.6"] == pytest.approx(0.6, abs=0.005)
    assert len(table) == 4
    assert result.provenance["cells_skipped"] == 1  # nine times its mixing cannot be reached
    cards = {card["label"]: card for card in json.loads((result.folder / "graphs.json").read_text())}
    assert cards["edges.csv"]["rewired_from"] is None
    assert cards["edges.csv, rewired to mixing 0.6"]["rewired_from"] == "edges.csv"
    assert len({card["mean_followers"] for card in cards.values()}) == 1


def test_places_need_communities(tmp_path):
    graph = dif.FollowerGraph.from_arrays([0, 1], [1, 2], directed=True, edges_mean="influences")
    study = dif.Study(graph, models=[dif.SIPS(0.2)], strategies=["degree"], budgets=[1], places=["spread"])
    with pytest.raises(InputError, match=r"seeding.place 'spread' needs communities"):
        study.run(tmp_path / "out")


def test_many_communities_are_added_up_beyond_the_largest():
    n = 500
    table = pd.DataFrame(
        {
            "community": [str(i) for i in range(n)], "size": np.arange(1, n + 1), "reach": np.linspace(0, 9, n),
            "share": np.full(n, 1 / n), "entry_step": 1.0, "entered": 0.5,
        }
    )  # fmt: skip
    short = running._largest(table)
    assert len(short) == running.MOST_COMMUNITIES
    assert short["community"].tolist()[:2] == ["499", "498"]
    assert short["community"].iloc[-1] == f"{n - len(short) + 1} others"
    for name in ("size", "reach", "share"):
        assert short[name].sum() == pytest.approx(table[name].sum())
    pd.testing.assert_frame_equal(running._largest(table.head(64)), table.head(64))
