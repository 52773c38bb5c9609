"""Seed sets of several strategies and budgets in the same worlds, until their differences are precise enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._provenance import provenance
from .._random import derive_key, generator
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..results.estimates import Comparison
from ..results.intervals import mean_interval
from ..simulation.runner import Runner, prepare
from ..simulation.simulate import _rounds
from .heuristics import TIER_STRATEGIES

__all__ = ["Lots", "evaluate"]

KNOWN = 0.25  # share of a difference to which it is known well enough, however small it is


def evaluate(
    graph: FollowerGraph, model: DiffusionModel, names: tuple[str, ...], amounts: tuple[float, ...],
    chosen: dict[tuple[str, float], list[tuple[Any, ...]]], lots: dict[str, Lots], baseline: str | None, key: int, *, runs: int | None,
    rel_error: float, confidence: float, max_runs: int, threads: int | None,
) -> dict[float, Comparison]:  # fmt: skip
    """Run all seed sets in the same worlds until the differences are precise enough."""
    engine = prepare(graph, model, [], key)
    parts: list[NDArray[np.float64]] = []  # names, amounts, runs
    rounds, stopped = (
        [(0, 1)] if engine.deterministic else [(0, runs)] if runs is not None else _rounds(max_runs),
        "runs",
    )
    with progress(total=None, description="worlds", unit="run") as bar:
        for first, last in rounds:
            found = []
            for name in names:
                if name in lots:
                    found.append(lots[name].sizes(engine, first, last, threads))
                    continue
                draws = [list(draw) for draw in zip(*(chosen[name, at] for at in amounts), strict=True)]
                each = [_sizes(engine, seeds, amounts, first, last, threads) for seeds in draws]
                found.append(each[0] if len(each) == 1 else np.mean(each, axis=0))
            parts.append(np.stack(found))
            bar.update(last - first)
            if runs is None and not engine.deterministic:
                sizes = np.concatenate(parts, axis=2)
                stopped = "max_runs"
                if _precise(
                    sizes, None if baseline is None else names.index(baseline), rel_error, confidence, graph.n_nodes
                ):
                    stopped = "precision"
                    break
    sizes = np.concatenate(parts, axis=2)
    if engine.deterministic:
        stopped = "deterministic"
    record = provenance(
        "compare", key=key, model=model.label, graph=graph.fingerprint, runs=sizes.shape[2], names=list(names)
    )

    def source(name: str, amount: float) -> Any:
        if name in lots or len(chosen[name, amount]) > 1:
            return DrawnSeeds(name, graph.n_nodes)
        return prepare(graph, model, chosen[name, amount][0], key)

    return {
        amount: Comparison(
            names, np.ascontiguousarray(sizes[:, at]), confidence, stopped, key, record,
            tuple(source(name, amount) for name in names),
        )
        for at, amount in enumerate(amounts)
    }  # fmt: skip


@dataclass(frozen=True)
class DrawnSeeds:
    """What a comparison asks of an engine, for seeds that are not the same in every world."""

    name: str
    n_nodes: int
    unit: str = "nodes"

    @property
    def seeds(self) -> tuple[Any, ...]:
        """Nobody in particular: the name keeps two ways of drawing apart."""
        return ("drawn", self.name)

    def limits(self) -> tuple[float, float]:
        """Least and most that one run can give."""
        return 0.0, float(self.n_nodes)


class Lots:
    """Seeds drawn anew for every world, in an order whose first are the seeds of a smaller number."""

    def __init__(self, graph: FollowerGraph, name: str, amounts: tuple[float, ...], key: int) -> None:
        self._graph, self._key = graph, key
        self._pool = graph.index.rank  # in the order of labels
        if name in TIER_STRATEGIES:
            self._pool = self._pool[(graph.node_data["tier"] == name).to_numpy()]
        self._ends = np.minimum(np.array(amounts, np.int64), len(self._pool))

    def _draw(self, run: int) -> NDArray[Any]:
        picked = generator(derive_key(self._key, run)).choice(len(self._pool), int(self._ends.max()), replace=False)
        return np.asarray(self._pool[picked])

    def labels(self, run: int) -> tuple[Any, ...]:
        return tuple(self._graph.index.labels_of(self._draw(run)).tolist())

    def sizes(self, engine: Runner, first: int, last: int, threads: int | None) -> NDArray[np.int64]:
        order = np.stack([self._draw(run) for run in range(first, last)], axis=1).astype(np.int32)
        ends, at = np.unique(self._ends, return_inverse=True)
        return engine.prefix_sizes(order, ends, first, last, threads=threads)[at]


def _sizes(
    engine: Runner, seeds: list[tuple[Any, ...]], amounts: tuple[float, ...], first: int, last: int, threads: int | None
) -> NDArray[np.int64]:
    """Sizes from each seed set, shape (amounts, runs); prefixes of one order together where the model has lanes."""
    graph = engine.graph
    rising = sorted(range(len(amounts)), key=lambda at: len(seeds[at]))
    longest = seeds[rising[-1]]
    nested = all(seeds[at] == longest[: len(seeds[at])] for at in rising)
    if nested and len(amounts) > 1 and engine.program.shares_prefixes:
        ends = np.array([len(seeds[at]) for at in rising], np.int64)
        order = graph.index.internal(list(longest)).astype(np.int32)[:, None]
        found = engine.prefix_sizes(order, ends, first, last, threads=threads)
        out = np.empty_like(found)
        out[rising] = found
        return out
    return np.stack(
        [
            Runner(engine.program, graph.index.internal(list(one)), engine.key)
            .run(first, last, threads=threads, show=False)
            .values
            for one in seeds
        ]
    )


def _precise(
    sizes: NDArray[np.float64], baseline: int | None, rel_error: float, confidence: float, n_nodes: int
) -> bool:
    """Is each difference known to a share of what the baseline (None: the best) reaches, or to a quarter of itself?"""
    means = sizes.mean(axis=2)
    for at in range(sizes.shape[1]):
        to = int(means[:, at].argmax()) if baseline is None else baseline
        for row in range(sizes.shape[0]):
            found = mean_interval(sizes[row, at] - sizes[to, at], confidence, (-n_nodes, n_nodes), exact=row == to)
            if found.half > max(rel_error * means[to, at], KNOWN * abs(found.mean)):
                return False
    return True
