"""Running a study: graphs, seeds, cells, tables. Finished cells are files, so running again goes on where it stopped."""

from __future__ import annotations

import contextlib
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
from ..graph.communities import community_codes
from ..graph.follower_graph import FollowerGraph
from ..models.sips.model import SIPS
from ..results.intervals import mean_interval
from ..seeding.registry import STRATEGIES
from ..seeding.strategies.rankings import TIERS
from ._cell import Cell, CellResult, compute, read_cell, world_key, write_cell
from ._graphs import PreparedGraph, graph_card, prepare_graph
from ._models import ModelSpec
from ._seeds import Reproductions, Seeds
from .design import Budget, StudyDesign

__all__ = ["Prepared", "prepare", "run_study"]

TABLES = ("results", "new_by_step", "reach_by_community", "seeds", "funnel", "paired", "paired_place")


@dataclass
class Prepared:
    """A study that has been checked against its graphs: what will run, and what cannot."""

    design: StudyDesign
    graphs: list[PreparedGraph]
    cells: list[tuple[Cell, PreparedGraph]]
    skipped: list[dict[str, str]]


def prepare(design: StudyDesign) -> Prepared:
    """Build the graphs and check every combination against them; raises before anything is simulated."""
    graphs: list[PreparedGraph] = []
    cells: list[tuple[Cell, PreparedGraph]] = []
    skipped: list[dict[str, str]] = []
    for spec in design.graphs:
        try:
            graphs.append(prepare_graph(spec, design))
        except InputError as error:
            if not isinstance(spec.parameters.get("rewire_mixing"), str):
                raise
            # A multiple of the graph's own mixing may be out of reach of its degrees: the study goes on without this copy.
            skipped.append({"graph": spec.label, "strategy": "all", "budget": "all", "reason": str(error)})
    graphs = _leave_out_equal(graphs, design, skipped)
    for ready in graphs:
        hashes = {model: ready.fingerprint(model) for model in design.models}
        for budget in design.budgets:
            if budget.kind == "k" and budget.value > ready.graph.n_nodes:
                raise InputError(
                    f"seeding.budget: {budget.label} is more than the {ready.graph.n_nodes:,} users of the graph"
                )
        for strategy in design.strategies:
            for budget in design.budgets:
                reasons = {
                    place: _short_of_seeds(ready.graph, strategy, budget, place) for place in design.places_of(strategy)
                }
                for model, place in itertools.product(design.models, design.places_of(strategy)):
                    reason = reasons[place] or _unsuited(strategy, model, place)
                    if reason:
                        entry = {
                            "graph": ready.spec.label,
                            "strategy": strategy,
                            "budget": budget.label,
                            "reason": reason,
                        }
                        if entry not in skipped:
                            skipped.append(entry)
                        continue
                    given = (
                        ready.spec.label,
                        hashes[model],
                        model,
                        strategy,
                        budget,
                        place,
                        design.precision,
                        design.seed,
                    )
                    cells.append((Cell.make(*given), ready))
    if not cells:
        raise InputError(
            f"no combination of this study is possible: {skipped[0]['strategy']} with {skipped[0]['budget']}: "
            f"{skipped[0]['reason']}; ask for smaller budgets or other strategies"
        )
    return Prepared(design, graphs, cells, skipped)


def _unsuited(strategy: str, model: ModelSpec, place: str) -> str | None:
    """Why a strategy cannot choose seeds for a model or place, if so."""
    complex_ = isinstance(model.model, SIPS) and model.model.identify != "simple"
    if strategy == "opim" and complex_:
        return "opim needs a model whose spread is submodular, and complex identification is not"
    if strategy == "opim" and place == "spread":
        return "opim chooses for the whole graph or within one community, not in turn from each"
    if strategy in ("two_step_discount", "irie", "opim") and model.rule is None and not isinstance(model.model, SIPS):
        return f"{strategy} needs a model with probabilities, and {model.model.label} has none"
    if strategy == "voterank" and place != "anywhere":
        return "VoteRank ranks too few users to be placed by community"
    return None


def _leave_out_equal(
    graphs: list[PreparedGraph], design: StudyDesign, skipped: list[dict[str, str]]
) -> list[PreparedGraph]:
    """Keep one of several equal graphs: on a small graph two mixings may leave the same arcs, and so the same cells."""
    kept: dict[tuple[str, ...], PreparedGraph] = {}
    for ready in graphs:
        same = kept.setdefault(tuple(ready.fingerprint(model) for model in design.models), ready)
        if same is not ready:
            reason = f"it has the same arcs as '{same.spec.label}', so there is nothing to compare"
            skipped.append({"graph": ready.spec.label, "strategy": "all", "budget": "all", "reason": reason})
    return list(kept.values())


def _short_of_seeds(graph: FollowerGraph, strategy: str, budget: Budget, place: str) -> str | None:
    """Why a budget buys nobody, or fewer than the number asked for, if so."""
    if budget.value == 0:
        return f"the budget {budget.label} buys nobody"
    users, who = np.ones(graph.n_nodes, np.bool_), "users"
    if strategy in TIERS:
        users, who = (graph.node_data["tier"] == strategy).to_numpy(), "creators"
    where = f"the tier {strategy}" if who == "creators" else "the graph"
    if place == "one community":
        codes, _ = community_codes(graph)
        users = users & (codes == np.bincount(codes).argmax())
        where = f"the tier {strategy} in the largest community" if who == "creators" else "the largest community"
    found = int(users.sum())
    if budget.kind == "k":
        short = budget.value > found
        return f"{where} has {found:,} {who}, {int(budget.value):,} were asked for" if short else None
    prices = graph.node_data["price"].to_numpy(dtype=float)[users]
    cheapest = float(prices[~np.isnan(prices)].min(initial=np.inf))
    if cheapest <= budget.value:
        return None
    if np.isinf(cheapest):
        return f"{where} has nobody with a price" if found else f"{where} has no {who}"
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
        found = read_cell(cells_folder / f"{cell.identity}.parquet")
        if found is None:
            todo.append((cell, ready))
        else:
            found.row["graph"] = cell.graph  # a name for people, of which no number depends
            results[cell.identity] = found
    seeds = Seeds(prepared.design)
    todo = _leave_out_short(prepared, seeds, todo)
    reproductions = Reproductions(prepared.design.seed, design.precision.confidence)

    def work(item: tuple[Cell, PreparedGraph]) -> CellResult:
        cell, ready = item
        graph = ready.by_rule[cell.model]
        chosen = seeds.take(cell, ready)
        result = compute(
            cell, graph, chosen, design.precision, key=world_key(design.seed, ready.graph.fingerprint, cell.model),
            known=reproductions.of(graph, cell.model), mixing=ready.mixing, threads=1,
        )  # fmt: skip
        write_cell(cells_folder / f"{cell.identity}.parquet", result)
        return result

    with progress(total=len(todo), description="cells", unit="cell") as bar:
        for (cell, _), result in map_chunks(work, todo, threads=workers):
            results[cell.identity] = result
            bar.update(1)
    ordered = [results[cell.identity] for cell, _ in prepared.cells]
    _write_tables(folder, ordered)
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
    kept = []
    for cell, ready in todo:
        if cell.strategy == "voterank":
            ranked = len(seeds.take(cell, ready).seeds)
            wanted = int(cell.budget.value) if cell.budget.kind == "k" else 1
            if ranked < wanted:
                reason = f"VoteRank ranks {ranked:,} users of this graph, {wanted:,} were asked for"
                if cell.budget.kind == "money":
                    reason = f"{cell.budget.label} buys nobody that VoteRank ranks on this graph"
                entry = {"graph": cell.graph, "strategy": cell.strategy, "budget": cell.budget.label, "reason": reason}
                if entry not in prepared.skipped:
                    prepared.skipped.append(entry)
                prepared.cells = [(c, r) for c, r in prepared.cells if c is not cell]
                continue
        kept.append((cell, ready))
    if not prepared.cells:
        raise InputError(f"no combination of this study is possible: {prepared.skipped[-1]['reason']}")
    return kept


def _write_tables(folder: Path, ordered: list[CellResult]) -> None:
    rows = pd.DataFrame([result.row for result in ordered])
    long = {
        "new_by_step": [r.by_step.assign(cell=r.row["cell"]) for r in ordered],
        "reach_by_community": [_largest(r.by_community).assign(cell=r.row["cell"]) for r in ordered],
        "seeds": [r.seeds.assign(cell=r.row["cell"]) for r in ordered],
        "funnel": [r.funnel.assign(cell=r.row["cell"]) for r in ordered],
    }
    tables = {
        "results": rows,
        "paired": pd.DataFrame(_paired(ordered), columns=PAIRED),
        "paired_place": pd.DataFrame(_paired_places(ordered), columns=PAIRED_PLACE),
    }
    for name, parts in long.items():
        filled = [part for part in parts if len(part)]
        tables[name] = pd.concat(filled or parts[:1], ignore_index=True)
    tables["funnel"] = tables["funnel"].astype(
        FUNNEL
    )  # the same whether cells were computed or read, and where there are none
    for name, table in tables.items():
        with whole_file(folder / f"{name}.parquet") as part:
            table.to_parquet(part, index=False)


MOST_COMMUNITIES = 64  # rows of a cell in the table of communities; its file keeps all


def _largest(communities: pd.DataFrame) -> pd.DataFrame:
    """Keep the largest communities and add up the others, of which a real graph may have tens of thousands."""
    if len(communities) <= MOST_COMMUNITIES:
        return communities
    order = communities["size"].sort_values(ascending=False, kind="stable").index
    kept, rest = communities.loc[order[: MOST_COMMUNITIES - 1]], communities.loc[order[MOST_COMMUNITIES - 1 :]]
    others = {
        "community": f"{len(rest):,} others", "size": int(rest["size"].sum()), "reach": float(rest["reach"].sum()),
        "share": float(rest["share"].sum()), "entry_step": float("nan"), "entered": float("nan"),
    }  # fmt: skip
    return pd.concat([kept, pd.DataFrame([others])], ignore_index=True)


FUNNEL = {
    "channel": "str", "stage": "str", "users": "float64", "low": "float64", "high": "float64", "rate": "float64",
    "rate_low": "float64", "rate_high": "float64", "cell": "str",
}  # fmt: skip
PAIRED = ["graph", "model", "rule", "budget", "place", "strategy", "best", "difference", "low", "high", "runs"]


def _paired(ordered: list[CellResult]) -> Iterator[tuple[Any, ...]]:
    """Difference of every strategy to the best one of its group, over the worlds that both have met."""
    groups: dict[tuple[str, ...], list[CellResult]] = {}
    for result in ordered:
        row = result.row
        groups.setdefault((row["graph"], row["model"], row["rule"], row["budget"], row["place"]), []).append(result)
    for name, members in groups.items():
        best = max(members, key=lambda r: r.row["reach"])
        for result in members:
            if result is best:
                continue
            yield (*name, result.row["strategy"], best.row["strategy"], *_difference(result, best))


def _difference(a: CellResult, b: CellResult) -> tuple[float, float, float, int]:
    """Mean of reach(a) - reach(b) over the worlds that both have met, its interval, and how many."""
    runs = min(len(a.sizes), len(b.sizes))
    exact = a.row["stopped_by"] == "deterministic"
    exact = exact or _same_seeds(a, b)
    most = (a.row["n_nodes"] - b.row["n_seeds"], b.row["n_nodes"] - a.row["n_seeds"])
    found = mean_interval(a.sizes[:runs] - b.sizes[:runs], a.row["confidence"], (-most[1], most[0]), exact=exact)
    return found.mean, found.low, found.high, runs


def _same_seeds(a: CellResult, b: CellResult) -> bool:
    """Did two cells of one graph choose the same seeds? Then they meet the same runs."""
    return set(a.seeds["node"]) == set(b.seeds["node"])


PAIRED_PLACE = [
    "graph", "model", "rule", "budget", "strategy", "place_a", "place_b", "difference", "low", "high", "runs"
]  # fmt: skip


def _paired_places(ordered: list[CellResult]) -> Iterator[tuple[Any, ...]]:
    """Differences between the places of one strategy, over the worlds that both have met."""
    groups: dict[tuple[str, ...], list[CellResult]] = {}
    for result in ordered:
        row = result.row
        groups.setdefault(tuple(row[name] for name in PAIRED_PLACE[:5]), []).append(result)
    for name, members in groups.items():
        for a, b in itertools.combinations(members, 2):
            yield (*name, a.row["place"], b.row["place"], *_difference(a, b))


def _describe(prepared: Prepared, command: str | None) -> dict[str, Any]:
    design = prepared.design
    models = [
        {
            "model": spec.model.label,
            "rule": spec.rule_label,
            "standing": "exact model; parameters as they stand",
            "parameters": spec.standing(),
            "description": (type(spec.model).__doc__ or "").strip().splitlines()[0],
        }
        for spec in design.models
    ]
    return {
        "title": design.title,
        "seed": design.seed,
        "command": command or "diffusion study study.toml",
        "toml": design.to_toml(),
        "precision": {
            "rel_error": design.precision.rel_error,
            "confidence": design.precision.confidence,
            "max_runs": design.precision.max_runs,
        },
        "n_cells": len(prepared.cells),
        "skipped": prepared.skipped,
        "models": models,
        "strategies": [{"strategy": name, "description": STRATEGIES[name].summary} for name in design.strategies],
    }


def _write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1, default=str) + "\n")
