"""The command line: one clear line for every mistake, exit codes, nothing half-written, and a run that works."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT

import diffusion as dif
from diffusion.__main__ import main
from diffusion.study.design import EXAMPLE, parse_study

STUDY = """
title = "From the command line"
replicates = 1
[graph]
platform = { users = 500, communities = 4 }
[[model]]
kind = "ic"
probability = "weighted_cascade"
[seeding]
strategy = ["degree", "random"]
budget = [{ k = 3 }]
[precision]
rel_error = 0.2
"""


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "diffusion", *arguments],
        capture_output=True, text=True, cwd=cwd or ROOT, env=environment, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a small study file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# -- what works --------------------------------------------------------------------------------------------------------


def test_version_and_example():
    shown = run("--version")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, f"diffusion {dif.__version__}\n", "")
    example = run("study", "--example")
    assert (example.returncode, example.stdout, example.stderr) == (0, EXAMPLE, "")
    assert parse_study(tomllib.loads(example.stdout)) == parse_study({})
    (epinions,) = re.findall(r"^# (edges = .*soc-Epinions1.*)$", example.stdout, re.MULTILINE)
    # A row "u v" of the file says that u trusts v, so u follows v.
    assert tomllib.loads(epinions)["edges"]["edges_mean"] == "follows"


@pytest.mark.parametrize("arguments", [["--help"], ["study", "--help"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 0
    assert "study" in capsys.readouterr().out


def test_a_study_runs_and_runs_again(place: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["study", "study.toml", "--out", "results/x", "--seed", "11", "--threads", "2"]
    assert main(arguments) == 0
    first = capsys.readouterr()
    assert first.out == f"{Path('results/x/report.html')}\n"
    assert "From the command line" in first.err
    assert "2 cells computed, 0 found finished, 0 combinations impossible" in first.err
    assert Path("results/x/report.html").is_file()
    assert main(arguments) == 0
    assert "0 cells computed, 2 found finished" in capsys.readouterr().err
    result = dif.StudyResult.load("results/x")
    described = (place / "results/x/study.json").read_text()
    assert "diffusion study study.toml --out results/x --seed 11 --threads 2" in described
    python = dif.Study.from_toml("study.toml").run("results/python", rng=11)
    drop = ["seconds_select", "seconds_simulate"]
    pd.testing.assert_frame_equal(result.to_pandas().drop(columns=drop), python.to_pandas().drop(columns=drop))


@pytest.mark.parametrize("packed", [False, True])
def test_edges_take_the_place_of_the_graph(packed: bool, place: Path, capsys: pytest.CaptureFixture[str]):
    text = "".join(f"{i}\t{(3 * i + 1) % 40}\n" for i in range(40)) * 2
    name = "net.txt.gz" if packed else "net.txt"
    (place / name).write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert (
        main(["study", "study.toml", "--edges", name, "--edges-mean", "follows", "--parallel", "keep", "--out", "a"])
        == 0
    )
    assert main(["study", "study.toml", "--edges", name, "--undirected", "--out", "b"]) == 0
    cards = [pd.read_json(folder + "/graphs.json").iloc[0] for folder in "ab"]
    assert [card["label"] for card in cards] == [name, name]
    assert [bool(card["directed"]) for card in cards] == [True, False]
    assert cards[0]["edges_mean"] == "follows"
    assert [int(card["rows"]) for card in cards] == [80, 80]
    assert int(cards[1]["n_edges"]) > int(cards[0]["n_edges"])


def test_a_file_that_was_written_anew_is_read_anew(place: Path):
    """In one process, under the same name: the second study is of the second graph and its communities."""
    graph = '[graph]\nedges = { file = "net.txt", edges_mean = "follows", communities = { file = "groups.txt", rows = "nodes" } }'
    (place / "grouped.toml").write_text(
        STUDY.replace("[graph]\nplatform = { users = 500, communities = 4 }", graph).replace("k = 3", "k = 2")
    )
    found = []
    for size, groups in ((20, 2), (30, 2), (30, 3)):
        (place / "net.txt").write_text("".join(f"{i}\t{(3 * i + 1) % size}\n" for i in range(size)))
        (place / "groups.txt").write_text("".join(f"{i}\t{i % groups}\n" for i in range(size)))
        assert main(["study", "grouped.toml", "--out", f"of-{size}-{groups}"]) == 0
        card = pd.read_json(f"of-{size}-{groups}/graphs.json").iloc[0]
        found.append((int(card["n_nodes"]), int(card["n_communities"])))
    assert found == [(20, 2), (30, 2), (30, 3)]


def test_columns_of_the_edge_file_are_named_and_those_left_out_are_said(
    place: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    rows = "".join(f"{i},x,{(3 * i + 1) % 40},{0.2 + i / 100},{i}\n" for i in range(40))
    (place / "net.csv").write_text("who,kind,whom,strength,day\n" + rows)
    (place / "column.toml").write_text(STUDY.replace('"weighted_cascade"', '"column"').replace("[graph]", "").replace(
        "platform = { users = 500, communities = 4 }", ""
    ))  # fmt: skip
    edges = ["--edges", "net.csv", "--edges-mean", "influences", "--source", "who", "--target", "2", "--rewire", "none"]
    assert main(["study", "column.toml", *edges, "--weight", "strength", "--out", "a"]) == 0
    assert "not read: column 'kind', column 'day'" in caplog.text
    assert "no model of this study uses them" not in capsys.readouterr().err
    graph = dif.read_edges("net.csv", edges_mean="influences", directed=True, source=0, target=2, weight="strength")
    table = dif.StudyResult.load("a").to_pandas().set_index("strategy")
    seeds = dif.select_seeds(graph, 3, method="degree").seeds
    found = dif.spread(graph.with_probabilities("column"), seeds, rel_error=0.02, rng=3)
    assert table.loc["degree", "reach_low"] * 0.9 < found.mean < table.loc["degree", "reach_high"] * 1.1
    assert main(["study", "study.toml", *edges, "--weight", "3", "--time", "day", "--out", "b"]) == 0
    assert "the weights are read, but no model of this study uses them" in capsys.readouterr().err
    assert main(["study", "study.toml", *edges, "--weight", "strenght", "--out", "c"]) == 2
    assert "Did you mean 'strength'" in capsys.readouterr().err


def test_another_study_in_the_folder_needs_overwrite(place: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["study", "study.toml", "--out", "r"]
    assert main(arguments) == 0
    assert main([*arguments, "--seed", "8"]) == 2
    assert "holds another finished study" in capsys.readouterr().err
    assert main([*arguments, "--seed", "8", "--overwrite"]) == 0
    assert main([*arguments, "--seed", "8"]) == 0


# -- what does not -----------------------------------------------------------------------------------------------------

MISTAKES: list[tuple[list[str], list[str]]] = [
    (["none.toml"], ["no study file 'none.toml'", "--example"]),
    (["."], ["no study file '.'"]),
    (["broken.toml"], ["'broken.toml' is not a TOML file", "line 1"]),
    (["unknown.toml"], ["'unknown.toml'", "seeding.strategy", "'degre'", "Did you mean 'degree'"]),
    (["large.toml"], ["k=501", "500 users"]),
    (["head.toml"], ["no combination of this study is possible", "head has 0 creators"]),
    (["study.toml", "--edges", "net.txt"], ["--edges needs --edges-mean", "follows", "influences", "--undirected"]),
    (["--edges-mean", "follows"], ["belong to --edges FILE"]),
    (["--undirected"], ["belong to --edges FILE"]),
    (["--parallel", "keep"], ["belong to --edges FILE"]),
    (["--weight", "w", "--time", "2"], ["--weight and --time", "belong to --edges FILE"]),
    (["study.toml", "--edges", "none.txt", "--edges-mean", "follows"], ["none.txt"]),
    (["study.toml", "--edges", "cut.txt.gz", "--edges-mean", "follows"], ["cut.txt.gz"]),
    (["study.toml", "--edges", "field.txt", "--edges-mean", "follows"], ["field.txt", "3"]),
    (["study.toml", "--edges", "empty.txt", "--edges-mean", "follows"], ["empty.txt"]),
    (["over.toml"], ["sum to more than 1"]),
    (["study.toml", "--seed", "-1"], ["seed = -1 is out of range"]),
    (["study.toml", "--threads", "0"], ["threads=0"]),
    (["study.toml", "--out", "a-file"], ["cannot write to the folder 'a-file'"]),
    (["study.toml", "--out", "a-file/below"], ["cannot write to the folder 'a-file/below'"]),
]


def fill(place: Path) -> None:
    (place / "broken.toml").write_text("title = \n")
    (place / "unknown.toml").write_text(STUDY.replace('"degree"', '"degre"'))
    (place / "large.toml").write_text(STUDY.replace("k = 3", "k = 501"))
    (place / "head.toml").write_text(STUDY.replace('["degree", "random"]', '"head"'))
    (place / "net.txt").write_text("0 1\n1 2\n")
    (place / "cut.txt.gz").write_bytes(gzip.compress("".join(f"{i} {i + 1}\n" for i in range(2000)).encode())[:-40])
    (place / "field.txt").write_text("0 1\n1 2\n3\n4 5\n")
    (place / "empty.txt").write_text("# nothing\n")
    (place / "heavy.csv").write_text("source,target,w\n0,2,0.7\n1,2,0.7\n3,0,0.1\n")
    (place / "over.toml").write_text(
        'out = "over"\n[graph]\nedges = { file = "heavy.csv", edges_mean = "influences", weight = "w" }\n'
        '[[model]]\nkind = "lt"\nprobability = "column"\n[seeding]\nstrategy = "degree"\nbudget = 1\n'
    )
    (place / "a-file").write_text("mine")


@pytest.mark.parametrize(("arguments", "parts"), MISTAKES, ids=[" ".join(a) for a, _ in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], parts: list[str], place: Path, capsys: pytest.CaptureFixture[str]
):
    fill(place)
    before = files(place)
    assert main(["study", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    errors = [line for line in shown.err.splitlines() if line.startswith("diffusion: ")]
    assert len(errors) == 1
    assert shown.err.splitlines()[-1] == errors[0]
    assert len(shown.err.splitlines()) <= 2  # at most the title before it
    for part in parts:
        assert part in errors[0]
    assert files(place) == before
    assert (place / "a-file").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [[], ["stduy"], ["study", "--edges-mean", "sideways"], ["study", "--seed", "x"], ["study", "--nothing"]],
)
def test_options_that_do_not_exist(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "diffusion" in capsys.readouterr().err


def test_a_mistake_in_a_real_process(place: Path):
    fill(place)
    ended = run("study", "unknown.toml", cwd=place)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "Did you mean 'degree'" in ended.stderr


def test_every_error_of_the_package_is_caught_and_no_other(place: Path, monkeypatch: Any, capsys: Any):
    def bug(*arguments: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("diffusion.__main__._study", bug)
    with pytest.raises(ZeroDivisionError):  # a bug shows where it is
        main(["study"])


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background leaves it ignored
from diffusion.study import work
compute = work.compute
def slow(*args, **options):
    time.sleep(0.5)
    return compute(*args, **options)
work.compute = slow
from diffusion.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_is_exit_code_130_and_the_study_goes_on(place: Path, capsys: pytest.CaptureFixture[str]):
    (place / "long.toml").write_text(STUDY.replace("[{ k = 3 }]", "[1, 2, 3, 4, 5, 6]"))
    arguments = ["study", "long.toml", "--out", "s", "--threads", "2"]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments], cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(place.glob("s/cells/[!.]*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    finished = lambda: len(list(place.glob("s/cells/[!.]*.parquet")))  # noqa: E731
    before = finished()
    os.kill(process.pid, signal.SIGINT)
    while process.poll() is None and finished() < before + 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    if process.poll() is None:  # Python drops an interrupt that meets it in a finaliser; people press again
        os.kill(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("diffusion: interrupted; finished cells are kept")
    assert files(place / "s") == {"cells"} | {f"cells/{path.name}" for path in (place / "s/cells").glob("*.parquet")}
    done = len(list(place.glob("s/cells/*.parquet")))
    assert 1 <= done < 12
    assert main(arguments) == 0
    assert f"{12 - done} cells computed, {done} found finished" in capsys.readouterr().err


def test_warmup_compiles_and_says_so(capsys: pytest.CaptureFixture[str]):
    assert main(["warmup"]) == 0
    assert "kernels ready after" in capsys.readouterr().out
