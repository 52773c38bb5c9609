"""Every tiny graph gives a study with a report, or one clear error; drawn in full, as the figures failed on them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import diffusion as dif
from diffusion.__main__ import main
from diffusion.errors import InputError

DESIGN = """
[[model]]
kind = "sips"
sips = { attention = 0.3, feed = [0.0, 3.0], identify = ["simple", { complex = 2 }] }
[seeding]
strategy = ["random", "amateur", "opim"]
budget = [{ money = 10_000 }]
place = ["one community", "spread"]
placed = ["amateur"]
[precision]
max_runs = 128
"""
FOLLOWS, BOTH = ["--edges-mean", "follows"], ["--undirected"]
ARCS: dict[str, list[tuple[int, int]]] = {
    "nothing": [],
    "loop": [(0, 0)],
    "arc": [(0, 1)],
    "path": [(0, 1), (1, 2)],
    "star": [(0, i) for i in range(1, 8)],
    "clique": [(u, v) for u in range(5) for v in range(5) if u != v],
    "bipartite": [(u, v) for u in range(3) for v in range(3, 7)],
    "pieces": [(0, 1), (2, 3), (4, 5), (5, 6)],
    "ring": [(i, (i + 1) % 12) for i in range(12)],
}
#: Name of the graph, options, a part of the error where there is one, and how many of the graphs differ.
CASES: list[tuple[str, list[str], str, int]] = [
    ("nothing", FOLLOWS, "is empty (0 bytes)", 0),
    ("loop", FOLLOWS, "", 1),
    ("arc", FOLLOWS, "", 1),
    ("path", FOLLOWS, "", 1),
    ("star", ["--edges-mean", "influences"], "", 1),
    ("clique", BOTH, "", 1),
    ("bipartite", FOLLOWS, "", 1),
    ("pieces", [*FOLLOWS, "--rewire", "0,1"], "", 2),
    ("ring", FOLLOWS, "", 4),
    ("ring", [*FOLLOWS, "--communities", "given.txt", "--rewire", "0,1"], "", 3),
]


@pytest.mark.parametrize(("name", "options", "error", "graphs"), CASES)
def test_a_report_or_one_clear_error(
    name: str, options: list[str], error: str, graphs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("tiny.toml").write_text(DESIGN)
    Path("net.txt").write_text("".join(f"{u} {v}\n" for u, v in ARCS[name]))
    Path("given.txt").write_text("".join(f"{i} {i % 2}\n" for i in range(12)))
    code = main(["study", "tiny.toml", "--edges", "net.txt", *options, "--out", "s"])
    said = capsys.readouterr().err.splitlines()
    assert code == (2 if error else 0)
    if error:
        assert error in said[-1]
        assert not Path("s").exists()
        return
    table = dif.StudyResult.load("s").to_pandas()
    assert table["graph"].nunique() == graphs
    assert (table["n_seeds"] > 0).all()
    assert table["cell"].is_unique
    page = Path("s/report.html").read_text()
    assert page.rstrip().endswith("</html>")
    assert "nan" not in page.lower().replace("nano", "").split("<svg")[0]


GIVEN: dict[str, tuple[list[str], list[str], list[str]]] = {
    "one node": ([], [], ["a"]),
    "isolated": ([], [], list("abc")),
    "an arc and an isolated node": (["a"], ["b"], list("abc")),
}


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("communities", [False, True])
def test_graphs_given_in_python(name: str, communities: bool, tmp_path: Path):
    source, target, nodes = GIVEN[name]
    graph = dif.FollowerGraph.from_arrays(source, target, nodes=nodes, edges_mean="follows", directed=True)
    if communities:
        graph = graph.with_node_data(community=range(len(nodes)))
    models = [dif.SIPS(0.3, dif.models.Funnel(share=0.5), identify=way) for way in ("simple", dif.models.Complex(2))]
    study = dif.Study(
        graph, models=[*models, "ic"], strategies=["degree", "opim"],
        budgets=[1, {"money": 5_000}], max_runs=128,
    )  # fmt: skip
    result = study.run(tmp_path / "s")
    assert (result.folder / "report.html").is_file()
    assert pd.notna(result.to_pandas()["reach"]).all()


def test_a_graph_of_nobody_is_refused():
    with pytest.raises(InputError, match="the graph is empty: give at least one edge, or the node labels as nodes="):
        dif.FollowerGraph.from_arrays([], [], edges_mean="follows", directed=True)
