"""Micro benchmarks for pytest-benchmark, to compare two states of the sources; nothing is asserted of the time.

python -m pytest tests/benchmarks/test_speed.py --benchmark-only -o addopts= --benchmark-autosave
python -m pytest tests/benchmarks/test_speed.py --benchmark-only -o addopts= --benchmark-compare
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest

import diffusion as dif

RUNS = 512


@pytest.fixture(scope="module")
def graph() -> dif.FollowerGraph:
    return graphs.follower_graph("XS").with_probabilities("weighted_cascade")


@pytest.fixture(scope="module")
def seeds(graph: dif.FollowerGraph) -> list[Any]:
    return graphs.creators(graph, 20)


@pytest.mark.parametrize("rule", list(graphs.RULES))
def test_ic(benchmark: Any, graph: dif.FollowerGraph, seeds: list[Any], rule: str) -> None:
    weighted = graph.with_probabilities(**graphs.RULES[rule])
    found = benchmark(lambda: dif.simulate(weighted, seeds, runs=RUNS, rng=1, threads=1))
    assert found.sizes.min() >= len(seeds)


def test_lt(benchmark: Any, graph: dif.FollowerGraph, seeds: list[Any]) -> None:
    found = benchmark(lambda: dif.simulate(graph, seeds, model="lt", runs=RUNS, rng=1, threads=1))
    assert found.sizes.min() >= len(seeds)


def test_threshold(benchmark: Any, graph: dif.FollowerGraph, seeds: list[Any]) -> None:
    model = dif.Threshold(fraction=0.18, noise=0.005)
    found = benchmark(lambda: dif.simulate(graph, seeds, model=model, runs=64, rng=1, threads=1))
    assert found.sizes.min() >= len(seeds)


def test_replay(benchmark: Any, graph: dif.FollowerGraph, seeds: list[Any]) -> None:
    found = benchmark(lambda: dif.independent_cascade(graph, seeds, rng=1))
    assert len(found.nodes) >= len(seeds)


@pytest.mark.parametrize("model", ["ic", "lt"])
def test_rr_sets(benchmark: Any, graph: dif.FollowerGraph, model: str) -> None:
    found = benchmark(lambda: dif.seeding.sample_rr_sets(graph, 10_000, model=model, rng=1, threads=1))
    assert len(found) == 10_000


def test_select_seeds(benchmark: Any, graph: dif.FollowerGraph) -> None:
    found = benchmark(lambda: dif.select_seeds(graph, 20, rng=1, threads=1))
    assert len(found.seeds) == 20


def test_from_arrays(benchmark: Any) -> None:
    n, draws = graphs.SIZES["XS"]
    source, target = graphs.chung_lu(n, draws)
    found = benchmark(lambda: dif.FollowerGraph.from_arrays(source, target, edges_mean="influences", directed=True))
    assert found.n_edges == source.size


def test_read_edges(benchmark: Any, tmp_path: Path) -> None:
    source, target = graphs.chung_lu(*graphs.SIZES["XS"])
    path = tmp_path / "edges.tsv"
    np.savetxt(path, np.column_stack([source, target]), fmt="%d", delimiter="\t")
    found = benchmark(lambda: dif.read_edges(path, edges_mean="influences", directed=True))
    assert found.n_edges == source.size
