"""Running a study: graphs, seeds, cells, tables. Finished cells are files, so running again goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._files import ensure_folder, whole_file, write_text
from .._progress import progress
from .._provenance import provenance
from .._random import derive_key, generator
from .._threads import map_chunks, n_threads
from ..cascades.models import IC, LT
from ..cascades.results import mean_interval
from ..errors import InputError, NotFoundError
from ..graph._probabilities import lt_bounds
from ..graph.creators import TIER_SHARES, with_creator_tiers
from ..graph.follower_graph import FollowerGraph
from ..graph.generate import generate_platform
from ..graph.read import read_edges
from ..seeding.budget import affordable
from ..seeding.heuristics import HEURISTICS, TIER_STRATEGIES, rank_seeds
from ..theory.branching import reproduction_number
from ._cell import Cell, CellResult, compute, read_cell, world_key, write_cell
from .design import Budget, GraphSpec, ModelSpec, StudyDesign

__all__ = ["Prepared", "prepare", "run_study"]

TABLES = ("results", "new_by_step", "reach_by_community", "seeds", "paired")


@dataclass
class PreparedGraph:
    """A graph of the study with everything its cells share."""

    spec: GraphSpec
    graph: FollowerGraph
    by_rule: dict[ModelSpec, FollowerGraph]
    tiers_note: str | None

    def fingerprint(self, model: ModelSpec) -> str:
        """Hash of all of the graph that a cell depends on: arcs, probabilities, communities, tiers and prices."""
        digest = hashlib.blake2b(self.by_rule[model].fingerprint.encode(), digest_size=16)
        for name in ("community", "tier", "price"):
            column = self.graph._node_data.get(name)
            digest.update(b"-" if column is None else repr(pd.Series(column).astype(object).tolist()).encode())
        return digest.hexdigest()


@dataclass
class Prepared:
    """A study that has been checked against its graphs: what will run, and what cannot."""

    design: StudyDesign
    graphs: list[PreparedGraph]
    cells: list[tuple[Cell, PreparedGraph]]
    skipped: list[dict[str, str]]


def prepare(design: StudyDesign) -> Prepared:
    """Build the graphs and check every combination against them; raises before anything is simulated."""
    graphs = [_prepare_graph(spec, design) for spec in design.graphs]
    cells: list[tuple[Cell, PreparedGraph]] = []
    skipped: list[dict[str, str]] = []
    for ready in graphs:
        hashes = {model: ready.fingerprint(model) for model in design.models}
        for budget in design.budgets:
            if budget.kind == "k" and budget.value > ready.graph.n_nodes:
                raise InputError(
                    f"seeding.budget: {budget.label} is more than the {ready.graph.n_nodes:,} users of the graph"
                )
        for strategy in design.strategies:
            for budget in design.budgets:
                reason = _impossible(ready.graph, strategy, budget)
                if reason:
                    skipped.append(
                        {"graph": ready.spec.label, "strategy": strategy, "budget": budget.label, "reason": reason}
                    )
                    continue
                for model in design.models:
                    given = (ready.spec.label, hashes[model], model, strategy, budget, design.precision, design.seed)
                    cells.append((Cell.make(*given), ready))
    if not cells:
        raise InputError(
            f"no combination of this study is possible: {skipped[0]['strategy']} with {skipped[0]['budget']}: "
            f"{skipped[0]['reason']}; ask for smaller budgets or other strategies"
        )
    return Prepared(design, graphs, cells, skipped)


def _prepare_graph(spec: GraphSpec, design: StudyDesign) -> PreparedGraph:
    graph = _load_graph(spec, design.seed)
    note = None
    missing = [name for name in ("tier", "price") if name not in graph._node_data]
    if missing:  # what the graph brings stays as it is
        made = with_creator_tiers(graph)._node_data
        graph = graph.with_node_data({name: made[name] for name in missing})
    if missing or spec.kind != "object":
        shares = ", ".join(f"{tier} the top {share:.1%}" for tier, share in TIER_SHARES.items())
        note = (
            f"Creator tiers are set by quantile of followers on this graph ({shares}, amateurs the rest), since it is smaller "
            "than the platform; prices follow the tier and are third-party market figures for Xiaohongshu, not measurements."
        )
    by_rule: dict[ModelSpec, FollowerGraph] = {}
    for model in design.models:
        if model.rule is None:
            by_rule[model] = graph
            continue
        by_rule[model] = model.rule.apply(graph, generator(derive_key(design.seed, "rule", model.rule.label)))
        if isinstance(model.model, LT):
            lt_bounds(by_rule[model])  # refuses weights that sum to more than 1, before anything runs
    return PreparedGraph(spec, graph, by_rule, note)


def _load_graph(spec: GraphSpec, seed: int) -> FollowerGraph:
    if spec.given is not None:
        return spec.given
    if spec.kind == "platform":
        return generate_platform(**spec.parameters, rng=generator(derive_key(seed, "platform")))
    if spec.kind == "dataset":
        from ..datasets import load

        try:
            return load(spec.parameters["name"])
        except NotFoundError as error:
            raise NotFoundError(f"graph.dataset: {error}") from None
    given = dict(spec.parameters)
    return read_edges(given.pop("file"), **given)


def _impossible(graph: FollowerGraph, strategy: str, budget: Budget) -> str | None:
    if strategy in TIER_STRATEGIES and budget.kind == "k":
        members = int((graph.node_data["tier"] == strategy).sum())
        if budget.value > members:
            return f"the tier {strategy} has {members:,} creators, {int(budget.value):,} were asked for"
    return None


FIRST_RANKED = 512  # seeds ranked at first for a money budget; more where money is left over


class _Seeds:
    """Rankings by graph, strategy and rule, each computed once, as far as needed, and cut to every budget."""

    def __init__(self, prepared: Prepared) -> None:
        self._design = prepared.design
        self._lock = threading.Lock()
        self._done: dict[Any, tuple[tuple[Any, ...], float, bool]] = {}

    def take(self, cell: Cell, ready: PreparedGraph) -> tuple[tuple[Any, ...], float]:
        """Return the seeds of a cell (fewer than k only where the strategy ranks no more) and the seconds they took."""
        rule = cell.model if cell.strategy == "degree_discount" and cell.model.rule is not None else None
        name = (id(ready), cell.strategy, rule)
        wanted = max((int(b.value) for b in self._design.budgets if b.kind == "k"), default=0)
        if cell.budget.kind == "money":
            wanted = max(wanted, FIRST_RANKED)
        with self._lock:
            while True:
                ranking, seconds, whole = self._done.get(name, ((), 0.0, False))
                if len(ranking) < wanted and not whole:
                    ranking, more, whole = self._rank(cell, ready, rule, wanted)
                    self._done[name] = ranking, seconds + more, whole
                    continue
                if cell.budget.kind == "k":
                    return ranking[: int(cell.budget.value)], seconds
                chosen, cheapest_left, left = self._spend(ranking, cell, ready.graph)
                if whole or not cheapest_left <= left:
                    return chosen, seconds
                wanted = 4 * len(ranking)  # somebody further down can still be paid

    def _rank(
        self, cell: Cell, ready: PreparedGraph, rule: ModelSpec | None, wanted: int
    ) -> tuple[tuple[Any, ...], float, bool]:
        graph = ready.by_rule[rule] if rule else ready.graph
        available = graph.n_nodes
        if cell.strategy in TIER_STRATEGIES:
            available = int((graph.node_data["tier"] == cell.strategy).sum())
        size = min(wanted, available)
        key = derive_key(self._design.seed, "seeds", cell.strategy)
        p = 0.0 if rule is None and cell.strategy == "degree_discount" else None
        found = rank_seeds(graph, size, method=cell.strategy, p=p, rng=generator(key))
        return found.seeds, found.seconds, size == available or len(found) < size

    def _spend(
        self, ranking: tuple[Any, ...], cell: Cell, graph: FollowerGraph
    ) -> tuple[tuple[Any, ...], float, float]:
        """Return who is bought going down the ranking, the lowest price beyond it, and the money left."""
        prices = graph.node_data["price"].to_numpy(dtype=float)
        at = graph._check_labels(list(ranking))
        bought = affordable(prices[at], cell.budget.value)
        left = cell.budget.value - float(prices[at][bought].sum())
        beyond = np.ones(prices.size, np.bool_)
        beyond[at] = False
        if cell.strategy in TIER_STRATEGIES:
            beyond &= (graph.node_data["tier"] == cell.strategy).to_numpy()
        priced = prices[beyond & ~np.isnan(prices)]
        return tuple(ranking[i] for i in bought), float(priced.min(initial=np.inf)), left


def run_study(
    design: StudyDesign, out: str | Path, *, threads: int | None = None, command: str | None = None
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
    seeds = _Seeds(prepared)
    todo = _leave_out_short(prepared, seeds, todo)
    predicted = _Predicted()

    def work(item: tuple[Cell, PreparedGraph]) -> CellResult:
        cell, ready = item
        graph = ready.by_rule[cell.model]
        chosen, seconds = seeds.take(cell, ready)
        result = compute(
            cell, graph, chosen, design.precision, key=world_key(design.seed, ready.graph.fingerprint, cell.model),
            seconds_select=seconds, R_predicted=predicted.of(graph, cell.model), threads=1,
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


def _leave_out_short(
    prepared: Prepared, seeds: _Seeds, todo: list[tuple[Cell, PreparedGraph]]
) -> list[tuple[Cell, PreparedGraph]]:
    """Skip the cells of VoteRank that it cannot fill: how many nodes it ranks is known only after it has run."""
    kept = []
    for cell, ready in todo:
        if cell.strategy == "voterank" and cell.budget.kind == "k":
            ranked = len(seeds.take(cell, ready)[0])
            if ranked < cell.budget.value:
                reason = f"VoteRank ranks {ranked:,} users of this graph, {int(cell.budget.value):,} were asked for"
                entry = {"graph": cell.graph, "strategy": cell.strategy, "budget": cell.budget.label, "reason": reason}
                if entry not in prepared.skipped:
                    prepared.skipped.append(entry)
                prepared.cells = [(c, r) for c, r in prepared.cells if c is not cell]
                continue
        kept.append((cell, ready))
    if not prepared.cells:
        raise InputError(f"no combination of this study is possible: {prepared.skipped[-1]['reason']}")
    return kept


class _Predicted:
    """R predicted from the graph alone, once for each graph and rule (independent cascades only)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[int, float] = {}

    def of(self, graph: FollowerGraph, model: ModelSpec) -> float:
        if not isinstance(model.model, IC):
            return float("nan")
        with self._lock:
            if id(graph) not in self._done:
                self._done[id(graph)] = reproduction_number(graph)
            return self._done[id(graph)]


def _write_tables(folder: Path, ordered: list[CellResult]) -> None:
    rows = pd.DataFrame([result.row for result in ordered])
    long = {
        "new_by_step": [r.by_step.assign(cell=r.row["cell"]) for r in ordered],
        "reach_by_community": [r.by_community.assign(cell=r.row["cell"]) for r in ordered],
        "seeds": [r.seeds.assign(cell=r.row["cell"]) for r in ordered],
    }
    tables = {"results": rows, "paired": pd.DataFrame(_paired(ordered), columns=PAIRED)}
    for name, parts in long.items():
        filled = [part for part in parts if len(part)]
        tables[name] = pd.concat(filled or parts[:1], ignore_index=True)
    for name, table in tables.items():
        with whole_file(folder / f"{name}.parquet") as part:
            table.to_parquet(part, index=False)


PAIRED = ["graph", "model", "rule", "budget", "strategy", "best", "difference", "low", "high", "runs"]


def _paired(ordered: list[CellResult]) -> Iterator[tuple[Any, ...]]:
    """Difference of every strategy to the best one of its group, over the worlds that both have met."""
    groups: dict[tuple[str, ...], list[CellResult]] = {}
    for result in ordered:
        row = result.row
        groups.setdefault((row["graph"], row["model"], row["rule"], row["budget"]), []).append(result)
    for name, members in groups.items():
        best = max(members, key=lambda r: r.row["reach"])
        for result in members:
            if result is best:
                continue
            runs = min(len(best.sizes), len(result.sizes))
            exact = result.row["stopped_by"] == "deterministic"
            gap = result.sizes[:runs] - best.sizes[:runs]
            mean, _, half = mean_interval(gap, result.row["confidence"], exact=exact)
            yield (*name, result.row["strategy"], best.row["strategy"], mean, mean - half, mean + half, runs)


def graph_card(ready: PreparedGraph) -> dict[str, Any]:
    """Facts about a graph, for the report."""
    graph = ready.graph
    followers = np.sort(graph._out_degree)[::-1]
    levels = np.unique(np.concatenate([[1], np.geomspace(1, max(int(followers[0]), 1), 40).round()])).astype(int)
    card: dict[str, Any] = {
        "label": ready.spec.label, "source": _source(ready.spec), "fingerprint": graph.fingerprint,
        "n_nodes": graph.n_nodes, "n_edges": graph.n_edges, "edges_mean": graph.edges_mean, "directed": graph.directed,
        "rows": graph.rows, "dropped_self_loops": graph.dropped_self_loops, "dropped_parallel": graph.dropped_parallel,
        "mean_followers": float(followers.mean()), "max_followers": int(followers[0]),
        "reciprocity": None if np.isnan(graph.reciprocity) else graph.reciprocity,
        "follower_ccdf": [[int(k), float((followers >= k).mean())] for k in levels],
        "n_communities": None, "modularity": None, "mixing": None, "communities_from": None,
        "tiers": _tiers(graph), "tiers_note": ready.tiers_note,
    }  # fmt: skip
    if "community" in graph._node_data:
        card.update(_community_card(graph))
    return card


def _source(spec: GraphSpec) -> str:
    if spec.kind == "platform":
        return "generated follower graph (degree-corrected planted partition)"
    if spec.kind == "object":
        return "a FollowerGraph given in Python"
    return f"data set {spec.parameters['name']}" if spec.kind == "dataset" else f"edge file {spec.label}"


def _community_card(graph: FollowerGraph) -> dict[str, Any]:
    """Modularity of directed graphs as in Leicht and Newman (2008), from counts between communities."""
    codes, names = pd.factorize(graph.node_data["community"].to_numpy())
    of = codes[graph._arcs.order]
    weight = np.broadcast_to(graph._multiplicity, graph.n_edges).astype(float)
    source = np.repeat(of, np.diff(graph._arcs.indptr))
    target = of[graph._arcs.indices]
    between = np.zeros((len(names), len(names)))
    np.add.at(between, (source, target), weight)
    total = between.sum()
    inside = np.trace(between) / total if total else float("nan")
    expected = (between.sum(axis=1) @ between.sum(axis=0)) / total**2 if total else float("nan")
    return {
        "n_communities": len(names),
        "modularity": float(inside - expected),
        "mixing": float(1 - inside),
        "communities_from": "the node attribute community",
    }


def _tiers(graph: FollowerGraph) -> list[dict[str, Any]]:
    data = graph.node_data.assign(followers=graph.out_degree.to_numpy())
    found = []
    for tier in reversed(TIER_STRATEGIES):
        members = data[data["tier"] == tier]
        if len(members):
            found.append(
                {
                    "tier": tier,
                    "users": len(members),
                    "followers_min": int(members["followers"].min()),
                    "followers_max": int(members["followers"].max()),
                    "median_price": float(members["price"].median()),
                }
            )
    return found[::-1]


def _describe(prepared: Prepared, command: str | None) -> dict[str, Any]:
    design = prepared.design
    tier_text = "drawn uniformly from the creators of this tier"
    models = [
        {
            "model": spec.model.label,
            "rule": spec.rule_label,
            "standing": "exact model; probabilities assumed",
            "parameters": {**spec.model.parameters, **(spec.rule.to_dict() if spec.rule else {})},
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
        "strategies": [
            {"strategy": name, "description": HEURISTICS[name][1] if name in HEURISTICS else tier_text}
            for name in design.strategies
        ],
    }


def _write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1, default=str) + "\n")
