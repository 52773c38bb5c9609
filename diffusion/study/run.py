"""Running a study: graphs, seeds, cells, tables. Finished cells are files, so running again goes on where it stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .._files import ensure_folder, whole_file, write_text
from .._progress import one_bar, progress
from .._provenance import provenance
from .._threads import map_chunks, n_threads
from .._version import __version__
from ..errors import InputError
from ..results.intervals import mean_interval
from .cell import Cell, CellResult, compute, read_cell, world_key, write_cell
from .design import Budget, StudyDesign
from .graphs import PreparedGraph, graph_card, prepare_graph
from .methods import METHODS
from .schema import conform
from .seeds import Reproductions, Seeds, users_of

__all__ = ["Prepared", "prepare", "run_study"]

MOST_COMMUNITIES = 64  # rows of a cell in the table of communities; its file keeps all
Skipped = list[dict[str, str]]


@dataclass
class Prepared:
    """A study that has been checked against its graphs: what will run, and what cannot."""

    design: StudyDesign
    graphs: list[PreparedGraph]
    cells: list[tuple[Cell, PreparedGraph]]
    skipped: Skipped


def prepare(design: StudyDesign) -> Prepared:
    """Build the graphs and check every combination against them; raises before anything is simulated."""
    skipped: Skipped = []
    graphs = _prepare_graphs(design, skipped)
    cells: list[tuple[Cell, PreparedGraph]] = []
    for ready in graphs:
        fingerprints = {model: ready.fingerprint(model) for model in design.models}
        for budget in design.budgets:
            if budget.kind == "k" and budget.value > ready.graph.n_nodes:
                raise InputError(
                    f"seeding.budget: {budget.label} is more than the {ready.graph.n_nodes:,} users of the graph"
                )
        for strategy, budget in itertools.product(design.strategies, design.budgets):
            places = design.places_of(strategy)
            short = {place: _short_of_seeds(ready, strategy, budget, place) for place in places}
            for model, place in itertools.product(design.models, places):
                has_probabilities = ready.effective[model] is not None
                reason = short[place]
                reason = reason or METHODS[strategy].unsuited(model.model, has_probabilities, place, budget.kind)
                if reason:
                    _skip(skipped, ready.spec.label, strategy, budget.label, reason)
                    continue
                label, fingerprint = ready.spec.label, fingerprints[model]
                parts = (label, fingerprint, model, strategy, budget, place, design.precision, design.seed)
                cells.append((Cell.make(*parts), ready))
    prepared = Prepared(design, graphs, cells, skipped)
    _refuse_nothing(prepared)
    return prepared


def _refuse_nothing(prepared: Prepared) -> None:
    if not prepared.cells:
        first = prepared.skipped[0]
        raise InputError(
            f"no combination of this study is possible: {first['strategy']} with {first['budget']}: {first['reason']}; ask for "
            "smaller budgets or other strategies"
        )


def _skip(skipped: Skipped, graph: str, strategy: str, budget: str, reason: str) -> None:
    entry = {"graph": graph, "strategy": strategy, "budget": budget, "reason": reason}
    if entry not in skipped:
        skipped.append(entry)


def _prepare_graphs(design: StudyDesign, skipped: Skipped) -> list[PreparedGraph]:
    """Build the graphs, without those that cannot be built and those that equal another.

    A multiple of the graph's own mixing may be out of reach of its degrees: the study goes on without this copy. On a
    small graph two mixings may leave the same arcs, and so the same cells.
    """
    kept: dict[tuple[str, ...], PreparedGraph] = {}
    for spec in design.graphs:
        try:
            ready = prepare_graph(spec, design)
        except InputError as error:
            if not isinstance(spec.parameters.get("rewire_mixing"), str):
                raise
            _skip(skipped, spec.label, "all", "all", str(error))
            continue
        same = kept.setdefault(tuple(ready.fingerprint(model) for model in design.models), ready)
        if same is not ready:
            reason = f"it has the same arcs as '{same.spec.label}', so there is nothing to compare"
            _skip(skipped, spec.label, "all", "all", reason)
    return list(kept.values())


def _short_of_seeds(ready: PreparedGraph, strategy: str, budget: Budget, place: str) -> str | None:
    """Why a budget buys nobody, or fewer than the number asked for, if so."""
    if budget.value == 0:
        return f"the budget {budget.label} buys nobody"
    users = users_of(ready, strategy, place)
    tier, one = METHODS[strategy].tier, place == "one community"
    who = "creators" if tier else "users"
    where = f"the tier {strategy}" if tier else "the largest community" if one else "the graph"
    where += " in the largest community" if tier and one else ""
    there = int(users.sum())
    if budget.kind == "k":
        short = budget.value > there
        return f"{where} has {there:,} {who}, {int(budget.value):,} were asked for" if short else None
    prices = ready.graph.node_data["price"].to_numpy(dtype=float)[users]
    cheapest = float(prices[~np.isnan(prices)].min(initial=np.inf))
    if cheapest <= budget.value:
        return None
    if np.isinf(cheapest):
        return f"{where} has nobody with a price" if there else f"{where} has no {who}"
    return f"{budget.label} buys nobody: the cheapest of {where} costs {cheapest:,.0f} RMB"


@one_bar
def run_study(
    design: StudyDesign,
    out: str | Path,
    *,
    threads: int | None = None,
    command: str | None = None,
    overwrite: bool = False,
) -> tuple[Path, dict[str, Any]]:
    """Run what is missing of a study in the folder `out`, then write tables and provenance.

    Returns the folder and the provenance record.
    """
    workers = n_threads(threads)
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
    todo: list[tuple[Cell, PreparedGraph]] = []
    for cell, ready in prepared.cells:
        finished = read_cell(cells_folder / f"{cell.identity}.parquet")
        if finished is None:
            todo.append((cell, ready))
        else:
            finished.row.update(cell.labels())
            results[cell.identity] = finished
    seeds = Seeds(design)
    todo = _leave_out_short(prepared, seeds, todo)
    reproductions = Reproductions(design.seed, design.precision.confidence)

    def work(item: tuple[Cell, PreparedGraph]) -> CellResult:
        cell, ready = item
        chosen = seeds.take(cell, ready)
        key = world_key(design.seed, ready.graph.fingerprint, cell.model)
        known = reproductions.of(ready, cell.model)
        graph = ready.simulated[cell.model]
        result = compute(cell, graph, chosen, design.precision, key=key, known=known, mixing=ready.mixing)
        write_cell(cells_folder / f"{cell.identity}.parquet", result)
        return result

    with progress(total=len(todo), description="cells", unit="cell") as bar:
        for (cell, _), result in map_chunks(work, todo, threads=workers):
            results[cell.identity] = result
            bar.update(1)
    _write_tables(folder, [results[cell.identity] for cell, _ in prepared.cells])
    _write_json(folder / "graphs.json", [graph_card(ready) for ready in prepared.graphs])
    _write_json(folder / "study.json", _describe(prepared, command))
    record = provenance(
        "study",
        key=design.seed,
        cells_computed=len(todo),
        cells_reused=len(prepared.cells) - len(todo),
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
    old, new = set(results.loc[results["n_seeds"] > 0, "cell"]), {cell.identity for cell, _ in prepared.cells}
    if old <= new or new <= old or (same and version != __version__):
        return
    why = "its design is this one, but its graph was another" if same else "its cells and those of this study differ"
    raise InputError(
        f"'{folder}' holds another finished study, {title!r} ({len(old):,} cells, of which this one has "
        f"{len(old & new):,}; {why}), and its tables and report would be replaced: name another folder as out, or say "
        "overwrite (--overwrite, overwrite=True)"
    )


def _leave_out_short(
    prepared: Prepared, seeds: Seeds, todo: list[tuple[Cell, PreparedGraph]]
) -> list[tuple[Cell, PreparedGraph]]:
    """Skip the cells of VoteRank that it cannot fill: how many nodes it ranks is known only after it has run."""
    left_out: set[str] = set()
    for cell, ready in todo:
        if cell.strategy != "voterank":
            continue
        ranked = len(seeds.take(cell, ready).seeds)
        money = cell.budget.kind == "money"
        wanted = 1 if money else int(cell.budget.value)
        if ranked < wanted:
            reason = f"VoteRank ranks {ranked:,} users of this graph, {wanted:,} were asked for"
            if money:
                reason = f"{cell.budget.label} buys nobody that VoteRank ranks on this graph"
            _skip(prepared.skipped, cell.graph, cell.strategy, cell.budget.label, reason)
            left_out.add(cell.identity)
    prepared.cells = [(cell, ready) for cell, ready in prepared.cells if cell.identity not in left_out]
    _refuse_nothing(prepared)
    return [(cell, ready) for cell, ready in todo if cell.identity not in left_out]


# --- tables ----------------------------------------------------------------------------------------------------------


def _write_tables(folder: Path, ordered: list[CellResult]) -> None:
    parts = {
        "new_by_step": [r.by_step for r in ordered],
        "reach_by_community": [_largest(r.by_community) for r in ordered],
        "seeds": [r.seeds for r in ordered],
        "funnel": [r.funnel for r in ordered],
    }
    tables = {name: _joined(frames, [r.row["cell"] for r in ordered]) for name, frames in parts.items()}
    tables["results"] = pd.DataFrame([result.row for result in ordered])
    tables["paired"] = pd.DataFrame(_paired(ordered))
    tables["paired_place"] = pd.DataFrame(_paired_places(ordered))
    for name, table in tables.items():
        with whole_file(folder / f"{name}.parquet") as part:
            conform(name, table).to_parquet(part, index=False)


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
        "n_cells": len(prepared.cells),
        "skipped": prepared.skipped,
        "models": models,
        "strategies": strategies,
    }


def _write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1, default=str) + "\n")
