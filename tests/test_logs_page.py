"""The numbers of docs/logs.md, computed anew from the real logs."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

import diffusion as dif
from diffusion import inference
from diffusion.inference import EM, Bernoulli, PartialCredit

TEXT = (ROOT / "docs" / "logs.md").read_text()


@pytest.fixture(scope="module")
def logs(data):
    return {
        name: (
            dif.read_edges(data(f"mshgat-{name}-edges.txt.gz"), directed=True, edges_mean="follows"),
            inference.read_cascades(data(f"mshgat-{name}-cascades.txt.gz")),
        )
        for name in ("android", "christianity")
    }


def table_row(start: str) -> list[float]:
    line = next(line for line in TEXT.splitlines() if line.startswith(f"| {start}"))
    return [float(cell) for cell in re.findall(r"\d*\.\d+", line)]


def test_sizes_of_the_logs(logs):
    android, christianity = (log for _, log in logs.values())
    assert f"{android.n_items} tags, {len(android):,} adoptions" in TEXT
    assert f"Christianity: {christianity.n_items} and {len(christianity):,}" in TEXT


def test_scores(logs):
    ways = {
        "EM, with": EM(),
        "EM, without": EM(background="none"),
        "Bernoulli, unshrunk": Bernoulli(shrinkage=None, trials="all"),
        "partial credit, unshrunk": PartialCredit(shrinkage=None, trials="all"),
    }
    found = []
    for graph, log in logs.values():
        train, test = log.split(0.8)
        fits = {name: inference.fit_probabilities(graph, train, method=way) for name, way in ways.items()}
        found.append(inference.compare_fits(fits, test).table)
    for name, row in {
        **{n: n for n in ways},
        "1 / in-degree": "1 / in-degree",
        "the follower": "follower's activity",
        "the background": "background alone",
    }.items():
        ours = [value for table in found for value in table.loc[row, ["auc", "log_loss"]]]
        assert table_row(name) == pytest.approx(ours, abs=6e-4), name


def test_exposure_response(logs):
    found = inference.exposure_response(*logs["android"])
    ratio = found.ratio
    assert f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]" in TEXT
    assert f"in {found.overtaken:.0%} of cases".replace("%", " %") in TEXT
    assert "undecided" in str(found.verdict)
    first, second = found.table["probability"].iloc[:2]
    assert f"from {first:.1%} after one to {second:.1%} after two".replace("%", " %") in TEXT


@pytest.mark.slow
def test_predictions_and_seeds(logs):
    graph, log = logs["android"]
    train, test = log.split(0.8)
    fit = inference.fit_probabilities(graph, train)
    lt = inference.fit_probabilities(graph, train, method="lt")
    assumed = graph.with_probabilities("weighted_cascade")
    check = inference.predictive_check(test, {"ic": fit, "lt": lt, "assumed": assumed}, runs=200, rng=9)
    assert not check.reproduced.any()
    rows = check.table.xs("new adopters", level="statistic")
    for name in ("ic", "lt"):
        row = rows.loc[name]
        assert f"{row.predicted:.1f} [{row.low:.1f}, {row.high:.1f}]" in TEXT
    assert f"1 / in-degree {rows.loc['assumed'].predicted:.0f}" in TEXT
    assert f"{rows.observed.iloc[0]:.1f} adopters beyond their roots" in TEXT
    assert_seeds(
        graph, log, r"On Android {common} of 50 seeds .* reaches {a} users from one set and {b} from the other"
    )


def assert_seeds(graph, log, sentence):
    train, _ = log.split(0.8)
    fit = inference.fit_probabilities(graph, train)
    active = [user for user in train.users if user in graph]
    chosen = [
        dif.select_seeds(g, 50, candidates=active, rng=7)
        for g in (fit.graph, graph.with_probabilities("weighted_cascade"))
    ]
    means = dif.compare(fit.graph, {"a": chosen[0], "b": chosen[1]}, runs=2_000, rng=8).means["mean"]
    common = len({*chosen[0].seeds} & {*chosen[1].seeds})
    pattern = sentence.format(common=common, a=f"{means['a']:.0f}", b=f"{means['b']:.0f}")
    assert re.search(pattern, " ".join(TEXT.split())), pattern


@pytest.mark.slow
def test_seeds_on_christianity(logs):
    assert_seeds(*logs["christianity"], r"On Christianity {common} are the same, and it reaches {a} against {b}\.")
