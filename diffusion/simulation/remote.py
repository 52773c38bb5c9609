"""Runs on the workers of an executor: the same numbers, in the same order, as here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from ..models.base import DiffusionModel
from ..models.program import BATCH
from .runner import Runner, Runs, join_runs
from .workers import Ahead, Workers

__all__ = ["run_on", "runs_ahead"]

NO_COUNTS = np.zeros((0, 0), np.int64)


@dataclass(frozen=True)
class RunsWork:
    """Runs of one model in the same worlds from several seed sets: internal nodes, and the brand of each."""

    model: DiffusionModel
    key: int
    starts: tuple[tuple[NDArray[np.int32], NDArray[np.int8]], ...]
    weights: NDArray[np.float64] | None
    counts: bool  # of every node, over all runs of a task; else runs by batch without them

    @classmethod
    def of(cls, runners: list[Runner], *, counts: bool) -> RunsWork:
        first = runners[0]
        starts = tuple((runner.nodes, runner.brand_of) for runner in runners)
        return cls(first.model, first.key, starts, first.weights, counts)

    def open(self, graph: Any) -> Callable[[int, int], list[list[Runs]]]:
        runners = [Runner.of(graph, self.model, nodes, self.key, self.weights, of) for nodes, of in self.starts]

        def run(first: int, last: int) -> list[list[Runs]]:
            step = last - first if self.counts else BATCH
            spans = [(a, min(a + step, last)) for a in range(first, last, step)]
            return [[self._reduced(runner.run(*span, threads=1, show=False)) for runner in runners] for span in spans]

        return run

    def _reduced(self, runs: Runs) -> Runs:
        """As little as has to travel."""
        if not self.counts:
            return replace(runs, node_counts=NO_COUNTS)
        most = np.min_scalar_type(int(runs.node_counts.max(initial=0)))
        return replace(runs, node_counts=runs.node_counts.astype(most))


def run_on(workers: Workers, runner: Runner, runs: int) -> Runs:
    """Compute runs 0 ... runs - 1 on workers, with the counts of nodes."""
    job = workers.job(RunsWork.of([runner], counts=True), runner.graph)
    parts: list[Runs] = []
    counts = np.zeros(1, np.int64)
    with progress(total=runs, description="cascades", unit="run") as bar:
        for a, b, found in job.parts(0, runs, step=BATCH):
            ((part,),) = found
            counts = counts + part.node_counts
            parts.append(replace(part, node_counts=NO_COUNTS))
            bar.update(b - a)
    return replace(join_runs(parts), node_counts=counts)


def runs_ahead(workers: Workers, runners: list[Runner], limit: int, *, ahead: bool) -> Ahead[list[Runs]]:
    """Return the runs of several runners in the same worlds, without counts of nodes."""
    job = workers.job(RunsWork.of(runners, counts=False), runners[0].graph)
    return Ahead(
        job, limit, join=lambda parts: [join_runs(list(mine)) for mine in zip(*parts, strict=True)], ahead=ahead
    )
