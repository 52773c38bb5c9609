"""Running a study: graphs, seeds, cells, tables. Finished cells are files, so running again goes on where it stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa

from .._files import ensure_folder, whole_file, write_text
from .._progress import one_bar, progress
from .._provenance import provenance
from .._random import derive_key, generator
from .._threads import n_threads
from .._version import __version__
from ..errors import InputError
from ..results.intervals import mean_interval
from ..simulation.workers import workers_of
from .cell import LEVELS, Cell, CellResult
from .critical import Search, critical_of, searches_of
from .design import StudyDesign
from .estimates import conditions_of, phases_of, predictive_of
from .graphs import PreparedGraph, check_graph_and_models, check_weights, contents_of, graph_card, prepare_graph
from .methods import METHODS
from .models import ModelSpec
from .parts import Point
from .schema import conform
from .sensitivity import Sample, indices_of, samples_of
from .work import Unit, base_of, compute_here, compute_on, finished, impossible

__all__ = ["Prepared", "prepare", "run_study"]

MOST_COMMUNITIES = 64  # rows of a cell in the table of communities; its file keeps all
Skipped = list[dict[str, str]]


@dataclass
class Prepared:
    """A study that has been checked against its graphs: what will run."""

    design: StudyDesign
    cells: list[Cell]
    points: list[tuple[dict[str, Any], Point, range]]  # columns of the table of points, condition, replicates
    searches: list[Search]
    samples: list[Sample]
    first: list[PreparedGraph]  # the first replicate of every graph of the crossed part
    skipped: Skipped = field(default_factory=list)


def prepare(design: StudyDesign) -> Prepared:
    """Check every combination against its graph; raises before anything is simulated."""
    skipped: Skipped = []
    every = list(_points(design))
    models = {(point.model.rule, point.model.model): point.model for _, point, _, _ in every}
    for spec in {point.graph.key: point.graph for _, point, _, _ in every if point.graph not in design.graphs}.values():
        check_weights(spec, design)
    graphs = _first_graphs(design, list(models.values()), skipped)
    there = {ready.spec.key for ready in graphs}
    levels = [p for p in every if p[1].graph not in design.graphs or p[1].graph.key in there]
    points = [(columns, point, replicates) for columns, point, replicates, _ in levels]
    for budget in design.budgets:
        most = min((ready.graph.n_nodes for ready in graphs), default=0)
        if graphs and budget.kind == "k" and budget.value > most:
            raise InputError(f"seeding.budget: {budget.label} is more than the {most:,} users of the graph")
    details: dict[tuple[str, int], tuple[int, Point]] = {}
    for _, point, replicates, level in levels:
        detail = LEVELS.index(level)
        for r in replicates if point.graph.replicated else range(1):
            known, _ = details.get((point.identity, r), (0, point))
            # Growth curves, shapes and communities of some graphs are enough; R is measured on all.
            details[point.identity, r] = max(known, detail - (detail == FULL and r >= FULL_REPLICATES)), point
    contents = {point.graph.key: contents_of(point.graph) for _, point, _ in points}
    cells = [
        Cell.make(
            point, r, LEVELS[detail], contents[point.graph.key], design.precision, design.seed, base_of(design, point)
        )
        for (_, r), (detail, point) in details.items()
    ]
    searches = list(searches_of(design.critical, design.base, design.replicates, design.seed))
    samples = samples_of(design.sensitivity, design.seed)
    prepared = Prepared(design, cells, points, searches, samples, graphs, skipped)
    _refuse_impossible(prepared)
    return prepared


FULL = LEVELS.index("full")
FULL_REPLICATES = 2


def _points(design: StudyDesign) -> Iterator[tuple[dict[str, Any], Point, range, str]]:
    """Yield the points of all parts, draws of the survey's posteriors included: each on the next graph in turn."""
    for columns, point, replicates, level in design.points():
        yield columns, point, range(replicates), level
    plan = design.predictive
    if plan is None:
        return
    for start in design.base.points(plan.models, plan.strategies, plan.budget, (plan.place,)):
        yield {"part": "base", "number": 0}, start, range(design.replicates), "reach"
        posteriors = start.model.model.posteriors(start.model.table)
        for draw in range(plan.draws):
            u = generator(derive_key(design.seed, "posterior", str(draw))).random(len(posteriors))
            values = {name: float(of.ppf(x)) for (name, of), x in zip(posteriors.items(), u, strict=True)}
            columns = {"part": "predictive", "number": draw, "factor": "draw", "level": str(draw), "value": float(draw)}
            columns |= {"factor_y": "base", "level_y": start.identity}
            at = draw % design.replicates
            yield columns, start.changed(values, "predictive"), range(at, at + 1), "reach"


def _refuse_impossible(prepared: Prepared) -> None:
    """Refuse a study of which no crossed combination can be run, as far as the first graphs tell."""
    reasons = []
    for cell in prepared.cells:
        if cell.detail not in ("phase", "full") or cell.replicate:
            continue
        ready = next(r for r in prepared.first if r.spec.key == cell.point.graph.key)
        reason = impossible(cell.point, ready)
        if not reason:
            return
        reasons.append((cell.point, reason))
    if reasons:
        _refuse(*reasons[0])


def _refuse(point: Point, reason: str) -> NoReturn:
    raise InputError(
        f"no combination of this study is possible: {point.strategy} with {point.budget.label}: {reason}; ask for smaller "
        "budgets or other strategies"
    )


def _skip(skipped: Skipped, graph: str, strategy: str, budget: str, reason: str) -> None:
    entry = {"graph": graph, "strategy": strategy, "budget": budget, "reason": reason}
    if entry not in skipped:
        skipped.append(entry)


def _first_graphs(design: StudyDesign, models: list[ModelSpec], skipped: Skipped) -> list[PreparedGraph]:
    """Build the first replicate of every graph and check the models on it, without those that cannot be built.

    A multiple of the graph's own mixing may be out of reach of its degrees: the study goes on without this copy. On a
    small graph two mixings may leave the same arcs, and so the same cells.
    """
    kept: dict[str, PreparedGraph] = {}
    for spec in design.graphs:
        try:
            check_weights(spec, design)
            ready = prepare_graph(spec, 0, design.seed)
            check_graph_and_models(ready, models, design)
        except InputError as error:
            if not isinstance(spec.parameters.get("rewire_mixing"), str):
                raise
            _skip(skipped, spec.label, "all", "all", str(error))
            continue
        same = kept.setdefault(ready.graph.fingerprint, ready)
        if same is not ready:
            reason = f"it has the same arcs as '{same.spec.label}', so there is nothing to compare"
            _skip(skipped, spec.label, "all", "all", reason)
    return list(kept.values())


@one_bar
def run_study(
    design: StudyDesign,
    out: str | Path,
    *,
    threads: int | None = None,
    executor: Any = None,
    command: str | None = None,
    overwrite: bool = False,
) -> tuple[Path, dict[str, Any]]:
    """Run what is missing of a study in the folder `out`, then write tables and provenance.

    Returns the folder and the provenance record.
    """
    count, workers = n_threads(threads), workers_of(executor)
    target = Path(out).absolute()
    made = [path for path in (target / "cells", target, *target.parents) if not path.exists()]
    folder = ensure_folder(out)
    cells_folder = ensure_folder(folder / "cells")
    start = time.perf_counter()
    try:
        prepared = prepare(design)
        if not overwrite:
            _refuse_another_study(folder, prepared)
    except BaseException:
        with contextlib.suppress(OSError):  # a study that cannot run leaves no folders behind
            for path in made:
                path.rmdir()
        raise
    results: dict[str, CellResult] = {}
    extra: dict[str, pd.DataFrame] = {}
    todo: list[Cell | Search] = []
    missing: list[Sample] = []

    def keep(unit: Unit, result: CellResult | pd.DataFrame) -> None:
        if isinstance(result, CellResult):
            results[unit.identity] = result
        else:
            extra[unit.identity] = result

    units: tuple[Unit, ...] = (*prepared.cells, *prepared.searches, *prepared.samples)
    for unit in units:
        found = finished(cells_folder, unit)
        if found is not None:
            keep(unit, found)
        elif isinstance(unit, Sample):
            missing.append(unit)
        else:
            todo.append(unit)
    wanted = {cell.identity for cell in prepared.cells} - set(results)
    with progress(total=len(todo) + len(missing), description="cells", unit="cell") as bar:
        if workers is not None:
            computed = compute_on(workers, design, cells_folder, todo, missing)
        else:
            computed = compute_here(design, cells_folder, todo, missing, graphs=prepared.first, threads=count)
        for unit, result in computed:
            keep(unit, result)
            bar.update(1)
    if all("skipped" in result.row for result in results.values()):
        for cell in prepared.cells:
            (cells_folder / f"{cell.identity}.parquet").unlink()
        cell = prepared.cells[0]
        _refuse(cell.point, results[cell.identity].row["skipped"])
    _write_tables(folder, prepared, results, extra)
    cards = [graph_card(ready) for ready in prepared.first]
    _write_json(folder / "graphs.json", cards)
    _write_json(folder / "study.json", _describe(prepared, command))
    done = {identity for identity, result in results.items() if "skipped" not in result.row}
    record = provenance(
        "study",
        key=design.seed,
        cells_computed=len(done & wanted),
        cells_reused=len(done - wanted),
        cells_skipped=len(prepared.skipped),
        seconds=round(time.perf_counter() - start, 2),
    )
    _write_json(folder / "provenance.json", record)
    return folder, record


def _refuse_another_study(folder: Path, prepared: Prepared) -> None:
    """Refuse a folder whose report is of another study: neither this one, nor a part of it, nor one it is part of."""
    try:
        results = pd.read_parquet(folder / "results.parquet", columns=["cell", "n_seeds"])
        design = prepared.design
        held = json.loads((folder / "study.json").read_text(encoding="utf-8"))
        version = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["diffusion"]
        title, same = held["title"], held["toml"] == design.to_toml()
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException):
        return  # no finished study
    old, new = set(results.loc[results["n_seeds"] > 0, "cell"]), {cell.identity for cell in prepared.cells}
    if old <= new or new <= old or (same and version != __version__):
        return
    why = "its design is this one, but its graph was another" if same else "its cells and those of this study differ"
    raise InputError(
        f"'{folder}' holds another finished study, {title!r} ({len(old):,} cells, of which this one has "
        f"{len(old & new):,}; {why}), and its tables and report would be replaced: name another folder as out, or say "
        "overwrite (--overwrite, overwrite=True)"
    )


# --- tables ----------------------------------------------------------------------------------------------------------


def _write_tables(
    folder: Path, prepared: Prepared, results: Mapping[str, CellResult], extra: Mapping[str, pd.DataFrame]
) -> None:
    design = prepared.design
    samples, searches = prepared.samples, [extra[search.identity] for search in prepared.searches]
    for cell in prepared.cells:
        reason = results[cell.identity].row.get("skipped")
        if reason:
            _skip(prepared.skipped, cell.point.graph.label, cell.point.strategy, cell.point.budget.label, reason)
    cells = [cell for cell in prepared.cells if "skipped" not in results[cell.identity].row]
    ordered = [results[cell.identity] for cell in cells]
    parts = {
        "new_by_step": [r.by_step for r in ordered],
        "reach_by_community": [_largest(r.by_community) for r in ordered],
        "seeds": [r.seeds for r in ordered],
        "funnel": [r.funnel for r in ordered],
    }
    tables = {name: _joined(frames, [r.row["cell"] for r in ordered]) for name, frames in parts.items()}
    found = conform("results", pd.DataFrame([result.row for result in ordered]))
    alone = [r for cell, r in zip(cells, ordered, strict=True) if cell.detail == "full" and _alone(cell, design)]
    points = pd.DataFrame(_point_rows(prepared, cells))
    conditions = conditions_of(found)
    tables |= {
        "results": found,
        "conditions": conditions,
        "points": points,
        "phases": phases_of(found),
        "predictive": predictive_of(points, found, conditions),
        "paired": pd.DataFrame(_paired(alone)),
        "paired_place": pd.DataFrame(_paired_places(alone)),
        "samples": _concat([extra[sample.identity] for sample in samples]),
        "sensitivity": pd.DataFrame(),
        "critical": critical_of(_concat(searches), design.precision.confidence),
    }
    if samples:
        of = (samples[0].plan, samples[0].inputs, design.precision.confidence, design.seed)
        tables["sensitivity"] = indices_of(tables["samples"], *of)
    for name, table in tables.items():
        with whole_file(folder / f"{name}.parquet") as part:
            conform(name, table).to_parquet(part, index=False)


def _concat(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _alone(cell: Cell, design: StudyDesign) -> bool:
    """Whether a condition has one graph, so that its comparisons rest on worlds."""
    return design.replicates == 1 or not cell.point.graph.replicated


def _point_rows(prepared: Prepared, cells: list[Cell]) -> Iterator[dict[str, Any]]:
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.point.identity, []).append(cell)
    for columns, point, replicates in prepared.points:
        for cell in found.get(point.identity, []):
            if cell.replicate in replicates or not point.graph.replicated:
                yield {**columns, "cell": cell.identity, "condition": point.identity}


def _joined(frames: list[pd.DataFrame], cells: list[str]) -> pd.DataFrame:
    filled = [frame.assign(cell=cell) for frame, cell in zip(frames, cells, strict=True) if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _largest(communities: pd.DataFrame) -> pd.DataFrame:
    """Keep the largest communities and add up the others, of which a real graph may have tens of thousands."""
    if len(communities) <= MOST_COMMUNITIES:
        return communities
    order = communities["size"].sort_values(ascending=False, kind="stable").index
    kept, rest = communities.loc[order[: MOST_COMMUNITIES - 1]], communities.loc[order[MOST_COMMUNITIES - 1 :]]
    others = rest[["size", "reach", "share"]].sum().to_frame().T.astype({"size": "int64"})
    others = others.assign(community=f"{len(rest):,} others", entry_step=np.nan, entered=np.nan)
    return pd.concat([kept, others[list(kept)]], ignore_index=True)


SETTING = ("graph", "model", "rule", "budget")


def _grouped(ordered: list[CellResult], factor: str) -> Iterator[tuple[dict[str, Any], list[CellResult]]]:
    names = (*SETTING, factor)
    groups: dict[tuple[str, ...], list[CellResult]] = {}
    for result in ordered:
        groups.setdefault(tuple(result.row[name] for name in names), []).append(result)
    for key, members in groups.items():
        yield dict(zip(names, key, strict=True)), members


def _paired(ordered: list[CellResult]) -> Iterator[dict[str, Any]]:
    """Difference of every strategy to the best one of its group, over the worlds that both have met."""
    for names, members in _grouped(ordered, "place"):
        best = max(members, key=lambda r: r.row["reach"])
        for result in members:
            if result is not best:
                pair = {"strategy": result.row["strategy"], "best": best.row["strategy"]}
                yield names | pair | _difference(result, best)


def _paired_places(ordered: list[CellResult]) -> Iterator[dict[str, Any]]:
    """Differences between the places of one strategy, over the worlds that both have met."""
    for names, members in _grouped(ordered, "strategy"):
        for a, b in itertools.combinations(members, 2):
            yield names | {"place_a": a.row["place"], "place_b": b.row["place"]} | _difference(a, b)


def _difference(a: CellResult, b: CellResult) -> dict[str, Any]:
    """Mean of reach(a) - reach(b) over the worlds that both have met, its interval, and how many.

    Cells of one graph with the same seeds meet the same runs: their difference is exactly 0.
    """
    runs = min(len(a.sizes), len(b.sizes))
    exact = a.row["stopped_by"] == "deterministic" or set(a.seeds["node"]) == set(b.seeds["node"])
    most = (a.row["n_nodes"] - b.row["n_seeds"], b.row["n_nodes"] - a.row["n_seeds"])
    limits = (-most[1], most[0])
    found = mean_interval(a.sizes[:runs] - b.sizes[:runs], a.row["confidence"], limits, exact=exact)
    return {"difference": found.mean, "low": found.low, "high": found.high, "runs": runs}


def _describe(prepared: Prepared, command: str | None) -> dict[str, Any]:
    design = prepared.design
    models = [
        {
            "name": spec.name,
            "model": spec.model.label,
            "kind": spec.model.name,
            "rule": spec.rule_label,
            "parameters": [dataclasses.asdict(row) for row in spec.model.parameter_standing(spec.table)],
            "rule_parameters": dict(spec.rule.parameters) if spec.rule else {},
            "description": (type(spec.model).__doc__ or "").strip().splitlines()[0],
        }
        for spec in design.models
    ]
    strategies = [{"strategy": name, "description": METHODS[name].description} for name in design.strategies]
    return {
        "title": design.title,
        "seed": design.seed,
        "command": command or "diffusion study study.toml",
        "toml": design.to_toml(),
        "precision": dataclasses.asdict(design.precision),
        "replicates": design.replicates,
        "quick": design.quick,
        "parts": [{"kind": part.kind, **part.to_dict()} for part in design.parts],
        "base": design.base.to_dict(),
        "sensitivity": design.sensitivity.to_dict() if design.sensitivity else None,
        "n_cells": len(prepared.cells),
        "skipped": prepared.skipped,
        "models": models,
        "strategies": strategies,
    }


def _write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1, default=str) + "\n")
