"""The units of work of a study: cells, searches and samples, computed in this process or on the workers of an executor."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from .._files import whole_file
from .._threads import map_chunks
from ..errors import InputError, WorkerError
from ..simulation.workers import Workers, this_worker
from .cell import Cell, CellResult, compute, read_cell, write_cell
from .critical import Search
from .design import StudyDesign
from .graphs import Graphs, PreparedGraph, contents_of
from .methods import METHODS
from .models import ModelSpec
from .parts import Point
from .seeds import Seeds, users_of
from .sensitivity import Sample

__all__ = ["Unit", "base_of", "compute_here", "compute_on", "finished", "impossible"]

Unit = Cell | Search | Sample
Result = CellResult | pd.DataFrame
Computed = Iterator[tuple[Unit, Result]]


def base_of(design: StudyDesign, point: Point) -> ModelSpec:
    """Return the model of the study from which a model was changed."""
    return next(spec for spec in design.models if spec.name == point.model.name)


def impossible(point: Point, ready: PreparedGraph) -> str:
    """Why a combination cannot be run on a graph, or its budget buys nobody, if so; else an empty text."""
    strategy, budget, place = point.strategy, point.budget, point.place
    method = METHODS[strategy]
    if budget.value == 0:
        return f"the budget {budget.label} buys nobody"
    if place != "anywhere" and "community" not in ready.graph.node_data:
        return f"the place {place!r} needs communities, and the graph has none"
    users = users_of(ready, strategy, place)
    tier, one = method.tier, place == "one community"
    who = "creators" if tier else "users"
    where = f"the tier {strategy}" if tier else "the largest community" if one else "the graph"
    where += " in the largest community" if tier and one else ""
    there = int(users.sum())
    if budget.kind == "k" and budget.value > there:
        return f"{where} has {there:,} {who}, {int(budget.value):,} were asked for"
    if budget.kind == "money":
        prices = ready.graph.node_data["price"].to_numpy(dtype=float)[users]
        cheapest = float(prices[~np.isnan(prices)].min(initial=np.inf))
        if np.isinf(cheapest):
            return f"{where} has nobody with a price" if there else f"{where} has no {who}"
        if cheapest > budget.value:
            return f"{budget.label} buys nobody: the cheapest of {where} costs {cheapest:,.0f} RMB"
    asks = method.certified or method.by_probability
    there_are = not asks or ready.effective(point.model) is not None
    return method.unsuited(point.model.model, there_are, place, budget.kind) or ""


def _short_of_ranked(point: Point, ranked: int) -> str:
    """Why VoteRank cannot fill a budget: how many nodes it ranks is known only after it has run."""
    if point.strategy != "voterank":
        return ""
    if point.budget.kind == "money":
        return "" if ranked else f"{point.budget.label} buys nobody that VoteRank ranks on this graph"
    wanted = int(point.budget.value)
    return "" if ranked >= wanted else f"VoteRank ranks {ranked:,} users of this graph, {wanted:,} were asked for"


def _computed(cell: Cell, design: StudyDesign, graphs: Graphs, seeds: Seeds) -> CellResult:
    """Compute a cell, or say why it cannot be."""
    point = cell.point
    try:
        ready = graphs.get(*cell.on)
    except InputError as error:  # a multiple of the graph's mixing may be out of reach of its degrees
        if not isinstance(point.graph.parameters.get("rewire_mixing"), str):
            raise
        return CellResult.skipped(cell, str(error))
    reason = impossible(point, ready)
    if reason:
        return CellResult.skipped(cell, reason)
    chosen = seeds.take(point, ready)
    reason = _short_of_ranked(point, len(chosen.seeds))
    if reason:
        return CellResult.skipped(cell, reason)
    return compute(cell, ready, chosen, design.precision, design.seed, base_of(design, point))


@dataclass
class Workbench:
    """What units of a study share in one process: graphs, each until the last unit on it, and seeds."""

    design: StudyDesign
    graphs: Graphs
    seeds: Seeds

    def compute(self, unit: Unit) -> Result:
        """Compute a unit."""
        if isinstance(unit, Cell):
            return _computed(unit, self.design, self.graphs, self.seeds)
        return unit.compute(self.graphs, self.design.seed)


@dataclass(frozen=True)
class StudyWork:
    """Units that the workers of an executor compute; an index of a task is the place of a unit in the list."""

    design: StudyDesign
    units: tuple[Unit, ...]
    contents: dict[str, tuple[str, ...]]  # hashes of the files of every graph, as the process that called found them

    @classmethod
    def of(cls, design: StudyDesign, units: list[Unit]) -> StudyWork:
        """Return the work of units, with the names of files made absolute: workers run elsewhere."""
        there = tuple(unit.on_graph(lambda graph: graph.absolute) for unit in units)
        graphs = {unit.graph.key: unit.graph for unit in there}
        return cls(design, there, {key: contents_of(graph) for key, graph in graphs.items()})

    def open(self, graph: None) -> Callable[[int, int], list[Result]]:
        """Return the function of a range of units; the last graph is kept for the next range."""
        bench = Workbench(self.design, Graphs(self.design.seed), Seeds(self.design.seed))
        kept: list[Cell | Search] = []
        lock = threading.Lock()

        def hold(unit: Cell | Search) -> None:
            with lock:
                bench.graphs.expect(*unit.on)
                kept.append(unit)
                before = kept.pop(0) if len(kept) > 1 else None
            if before is not None:
                bench.graphs.leave(*before.on)

        def run(first: int, last: int) -> list[Result]:
            units = self.units[first:last]
            for key, graph in {unit.graph.key: unit.graph for unit in units}.items():
                if contents_of(graph) != self.contents[key]:
                    raise WorkerError(
                        f"{this_worker()} does not find the file '{graph.parameters['file']}' as it is where the study was "
                        "started: put the same file at the same path on all workers"
                    )
            found = []
            for unit in units:
                if not isinstance(unit, Sample):
                    hold(unit)
                found.append(bench.compute(unit))
            return found

        return run


def _cuts_of(units: list[Unit], slots: int) -> list[int]:
    """Where a list of units is cut into tasks: between graphs, and often enough that no worker waits long in the end."""
    most = max(len(units) // (4 * slots), 1)
    cuts = [0]
    for i in range(1, len(units)):
        before, here = units[i - 1], units[i]
        alone = isinstance(here, Sample) or here.on != before.on  # type: ignore[union-attr]
        if alone or i - cuts[-1] >= most:
            cuts.append(i)
    return [*cuts[1:], len(units)]


def compute_here(
    design: StudyDesign,
    folder: Path,
    todo: list[Cell | Search],
    missing: list[Sample],
    *,
    graphs: list[PreparedGraph],
    threads: int,
) -> Computed:
    """Compute units on the threads of this process; each is a file before it is yielded. `graphs` are there already."""
    bench = Workbench(design, Graphs(design.seed, graphs), Seeds(design.seed))
    for unit in todo:
        bench.graphs.expect(*unit.on)

    def work(unit: Unit) -> Result:
        try:
            found = finished(folder, unit)  # another process may have been here
            return _kept(folder, unit, bench.compute(unit)) if found is None else found
        finally:
            if not isinstance(unit, Sample):
                bench.graphs.leave(*unit.on)

    waiting: list[Unit] = [*_in_turn(todo, threads), *missing]
    yield from map_chunks(work, waiting, threads=threads)


def compute_on(
    workers: Workers, design: StudyDesign, folder: Path, todo: list[Cell | Search], missing: list[Sample]
) -> Computed:
    """Compute units on workers, those on one graph after each other; each is a file as soon as its task has ended."""
    units: list[Unit] = [unit for group in sorted(_groups(todo), key=len, reverse=True) for unit in group] + missing
    if not units:
        return
    job = workers.job(StudyWork.of(design, units), unit="unit")
    ends = _cuts_of(units, workers.slots)
    with contextlib.closing(job.parts(0, len(units), ends=ends, in_order=False)) as parts:
        for first, last, found in parts:
            for unit, result in zip(units[first:last], found, strict=True):
                yield unit, _kept(folder, unit, result)


def finished(folder: Path, unit: Unit) -> Result | None:
    """Read what was computed before; None where there is nothing whole and undamaged."""
    path = folder / f"{unit.identity}.parquet"
    if isinstance(unit, Cell):
        result = read_cell(path)
        if result is not None:
            result.row.update(unit.labels())
        return result
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException):
        return None


def _kept(folder: Path, unit: Unit, result: Result) -> Result:
    """Write down what was computed."""
    path = folder / f"{unit.identity}.parquet"
    if isinstance(result, CellResult):
        write_cell(path, result)
    else:
        with whole_file(path) as part:
            result.to_parquet(part, index=False)
    return result


def _groups(units: list[Cell | Search]) -> list[list[Cell | Search]]:
    """Units by the graph that they are computed on."""
    groups: dict[tuple[str, int], list[Cell | Search]] = {}
    for unit in units:
        spec, replicate = unit.on
        groups.setdefault((spec.key, replicate), []).append(unit)
    return list(groups.values())


def _in_turn(units: list[Cell | Search], threads: int) -> Iterator[Cell | Search]:
    """Order units so that threads are on different graphs, and no more graphs are in memory than there are threads.

    Every process begins at another graph, so that several share the work of one folder.
    """
    waiting = _groups(units)
    start = os.getpid() * 7919 % max(len(waiting), 1)
    waiting = waiting[start:] + waiting[:start]
    for first in range(0, len(waiting), threads):
        for row in itertools.zip_longest(*waiting[first : first + threads]):
            yield from (unit for unit in row if unit is not None)
