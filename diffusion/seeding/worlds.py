"""Seed sets of several strategies and budgets in the same worlds, until their differences are precise enough."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._random import derive_key, generator
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..models.program import BATCH
from ..results.estimates import Comparison
from ..results.intervals import mean_interval
from ..simulation.runner import Runner
from ..simulation.simulate import rounds
from ..simulation.workers import Ahead, Workers
from .problem import record
from .strategies.rankings import Ranking

__all__ = ["Lots", "Precision", "evaluate"]

KNOWN = 0.25  # share of a difference to which it is known well enough, however small it is


@dataclass(frozen=True)
class Precision:
    """How many worlds there are: exactly `runs`, or until differences to the baseline (None: the best) are precise."""

    runs: int | None
    rel_error: float
    confidence: float
    max_runs: int
    baseline: int | None


def evaluate(
    runner: Runner,
    names: tuple[str, ...],
    amounts: tuple[float, ...],
    chosen: dict[tuple[str, float], list[tuple[Any, ...]]],
    lots: dict[str, Lots],
    precision: Precision,
    *,
    threads: int | None,
    workers: Workers | None = None,
) -> dict[float, Comparison]:
    """Run all seed sets in the same worlds until the differences are precise enough.

    Parameters
    ----------
    runner : Runner
        Of the model, without seeds.
    names, amounts : tuple
        Strategies and budgets.
    chosen : dict of (name, amount) to list of seed sets
        Over which a strategy is averaged in every world.
    lots : dict of name to Lots
        Strategies whose seeds are drawn anew for every world.
    precision : Precision
    threads : int, optional
    workers : Workers, optional
        Of an executor; default: the threads of this process.

    Returns
    -------
    dict of amount to Comparison
    """
    parts: list[NDArray[np.float64]] = []  # names, amounts, runs
    spans = [(0, precision.runs)] if precision.runs is not None else rounds(precision.max_runs)
    if runner.deterministic:
        spans = [(0, 1)]
    most = runner.graph.n_nodes if runner.weights is None else float(runner.weights.sum())
    stopped = "deterministic" if runner.deterministic else "runs"
    work = WorldsWork(
        runner.model, runner.key, runner.weights, names, amounts, chosen, {n: lot.of for n, lot in lots.items()}
    )
    with progress(total=None, description="worlds", unit="run") as bar, contextlib.ExitStack() as stack:
        take = work.on(runner, lots, threads)
        if workers is not None and not runner.deterministic:
            limit = precision.max_runs if precision.runs is None else precision.runs
            ahead = Ahead(workers.job(work, runner.graph), limit, join=_join, ahead=precision.runs is None)
            take = stack.enter_context(contextlib.closing(ahead)).take
        for first, last in spans:
            parts.append(take(first, last))
            bar.update(last - first)
            if stopped != "deterministic" and precision.runs is None:
                stopped = "max_runs"
                if _precise(np.concatenate(parts, axis=2), precision, most):
                    stopped = "precision"
                    break
    sizes = np.concatenate(parts, axis=2)
    facts = {"runs": sizes.shape[2], "names": list(names)}
    origin = record("compare", runner.graph, runner.model, runner.key, **facts)

    def source(name: str, amount: float) -> Any:
        if name in lots or len(chosen[name, amount]) > 1:
            return DrawnSeeds(name, float(most), runner.unit)
        return _of(runner, chosen[name, amount][0])

    how = (precision.confidence, stopped, runner.key, origin)
    return {
        amount: Comparison(
            names, np.ascontiguousarray(sizes[:, at]), *how, tuple(source(name, amount) for name in names)
        )
        for at, amount in enumerate(amounts)
    }


def _join(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate(parts, axis=2)


@dataclass(frozen=True)
class WorldsWork:
    """Sizes of all seed sets in a range of worlds, shape (names, amounts, worlds), here or on the workers of an executor."""

    model: DiffusionModel
    key: int
    weights: NDArray[np.float64] | None
    names: tuple[str, ...]
    amounts: tuple[float, ...]
    chosen: dict[tuple[str, float], list[tuple[Any, ...]]]
    drawn: dict[str, tuple[Ranking, tuple[float, ...], int]]  # what lots are made from

    def open(self, graph: Any) -> Callable[[int, int], list[NDArray[np.float64]]]:
        runner = Runner.of(graph, self.model, np.zeros(0, np.int32), self.key, self.weights)
        take = self.on(runner, {name: Lots(graph, *of) for name, of in self.drawn.items()}, 1)
        return lambda first, last: [take(a, min(a + BATCH, last)) for a in range(first, last, BATCH)]

    def on(
        self, runner: Runner, lots: dict[str, Lots], threads: int | None
    ) -> Callable[[int, int], NDArray[np.float64]]:
        """Return the function of a range."""

        def take(first: int, last: int) -> NDArray[np.float64]:
            rows = []
            for name in self.names:
                if name in lots:
                    rows.append(lots[name].sizes(runner, first, last, threads))
                    continue
                draws = [list(draw) for draw in zip(*(self.chosen[name, at] for at in self.amounts), strict=True)]
                each = [_sizes(runner, seeds, self.amounts, first, last, threads) for seeds in draws]
                rows.append(each[0] if len(each) == 1 else np.mean(each, axis=0))
            return np.stack(rows)

        return take


def _of(runner: Runner, seeds: tuple[Any, ...]) -> Runner:
    return replace(runner, nodes=runner.graph.index.internal(list(seeds)))


@dataclass(frozen=True)
class DrawnSeeds:
    """What a comparison asks of a runner, for seeds that are not the same in every world."""

    name: str
    most: float
    unit: str = "nodes"

    @property
    def seeds(self) -> tuple[Any, ...]:
        """Nobody in particular: the name keeps two ways of drawing apart."""
        return ("drawn", self.name)

    def limits(self) -> tuple[float, float]:
        """Least and most that one run can give."""
        return 0.0, self.most


class Lots:
    """Seeds drawn anew for every world, in an order whose first are the seeds of a smaller number."""

    def __init__(self, graph: FollowerGraph, ranking: Ranking, amounts: tuple[float, ...], key: int) -> None:
        self.of = ranking, amounts, key
        self._graph, self._key = graph, key
        allowed = ranking.pool(graph, np.ones(graph.n_nodes, np.bool_))
        self._pool = graph.index.rank[allowed[graph.index.rank]]  # in the order of labels
        self._ends = np.minimum(np.array(amounts, np.int64), len(self._pool))

    def _draw(self, run: int) -> NDArray[Any]:
        picked = generator(derive_key(self._key, run)).choice(len(self._pool), int(self._ends.max()), replace=False)
        return np.asarray(self._pool[picked])

    def labels(self, run: int) -> tuple[Any, ...]:
        """Labels of the seeds of a world."""
        return tuple(self._graph.index.labels_of(self._draw(run)).tolist())

    def sizes(self, runner: Runner, first: int, last: int, threads: int | None) -> NDArray[np.int64]:
        """Sizes in worlds first ... last - 1, shape (amounts, worlds)."""
        order = np.stack([self._draw(run) for run in range(first, last)], axis=1).astype(np.int32)
        ends, at = np.unique(self._ends, return_inverse=True)
        return runner.prefix_sizes(order, ends, first, last, threads=threads)[at]


def _sizes(
    runner: Runner, seeds: list[tuple[Any, ...]], amounts: tuple[float, ...], first: int, last: int, threads: int | None
) -> NDArray[Any]:
    """Sizes from each seed set, shape (amounts, runs); prefixes of one order together where the model has lanes."""
    rising = sorted(range(len(amounts)), key=lambda at: len(seeds[at]))
    longest = seeds[rising[-1]]
    nested = all(seeds[at] == longest[: len(seeds[at])] for at in rising)
    if nested and len(amounts) > 1 and runner.program.shares_prefixes and runner.weights is None:
        ends = np.array([len(seeds[at]) for at in rising], np.int64)
        order = runner.graph.index.internal(list(longest)).astype(np.int32)[:, None]
        sizes = runner.prefix_sizes(order, ends, first, last, threads=threads)
        out = np.empty_like(sizes)
        out[rising] = sizes
        return out
    return np.stack([_of(runner, one).run(first, last, threads=threads, show=False).values for one in seeds])


def _precise(sizes: NDArray[np.float64], precision: Precision, most: float) -> bool:
    """Is each difference known to a share of what the baseline reaches, or to a quarter of itself?"""
    means = sizes.mean(axis=2)
    for at in range(sizes.shape[1]):
        to = int(means[:, at].argmax()) if precision.baseline is None else precision.baseline
        for row in range(sizes.shape[0]):
            gap = mean_interval(sizes[row, at] - sizes[to, at], precision.confidence, (-most, most), exact=row == to)
            if gap.half > max(precision.rel_error * means[to, at], KNOWN * abs(gap.mean)):
                return False
    return True
