"""One cell of a study: its identity, its computation, and the small file that holds it."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .._files import whole_file
from .._random import derive_key, generator
from .._version import __version__
from ..graph.follower_graph import FollowerGraph
from ..models.program import Trace
from ..results.cascade import Cascade
from ..results.estimates import Estimate, SpreadEstimate, share_interval
from ..simulation.growth import Growth, generations_of, growth_of_counts, growth_on_graph
from ..simulation.phase import Reproduction, reproduction
from ..simulation.runner import prepare
from ..simulation.simulate import sample_until
from ..simulation.trees import structural_virality
from .design import Precision
from .graph_specs import GraphSpec, identity_of
from .graphs import PreparedGraph
from .models import ModelSpec
from .parts import Point, canonical
from .schema import TABLES

__all__ = ["OUTBREAK_SHARE", "Cell", "CellResult", "Chosen", "compute", "read_cell", "world_key", "write_cell"]

OUTBREAK_SHARE = 0.01  # an outbreak reaches at least this share of all users
GLOBAL_SHARE = 0.4  # a global cascade reaches at least this share, more than any one community of the default platform
VIRALITY_RUNS = 16  # runs replayed with parents for depth, breadth and structural virality
FIRST_LOOK = 64  # runs after which precision is looked at first: reach of nearly everybody varies little
LIGHT_RUNS = 32  # runs at most of a cell of a sweep or a map: the spread between graphs is the larger part
R_RUNS, R_RUNS_LIGHT = 512, 128  # cascades of typical sharers for R of a graph and a model, in full and in sweeps
RADIUS_TOL = 1e-3  # of R predicted
LEVELS = ("reach", "R", "phase", "full")
PARTS = {"by_step": "new_by_step", "by_community": "reach_by_community", "seeds": "seeds", "funnel": "funnel"}
DEPLETION = 0.10  # growth is fitted until this share of the final reach is used up


@dataclass(frozen=True)
class Cell:
    """A replicate of a condition, before it is computed. `identity` is everything its result depends on.

    `detail` says how much is measured: "reach"; "R", which adds R measured from typical sharers; "phase", which measures
    R more precisely and says how it grows; or "full", which adds growth curves, shapes and communities.
    """

    point: Point
    replicate: int
    detail: str
    identity: str

    @staticmethod
    def make(
        point: Point,
        replicate: int,
        detail: str,
        contents: tuple[str, ...],
        precision: Precision,
        seed: int,
        base: ModelSpec,
    ) -> Cell:
        """Return the cell with its identity: a hash of all that its numbers depend on."""
        parts: dict[str, Any] = {
            "condition": point.identity,
            "contents": contents,
            "replicate": replicate,
            "detail": detail,
            "precision": [precision.rel_error, precision.confidence, precision.max_runs],
            "fit": [
                OUTBREAK_SHARE,
                GLOBAL_SHARE,
                VIRALITY_RUNS,
                DEPLETION,
                FIRST_LOOK,
                LIGHT_RUNS,
                R_RUNS,
                R_RUNS_LIGHT,
                RADIUS_TOL,
            ],
            "base": [base.model.name, canonical(base.model.parameters), base.rule_table],
            "seed": seed,
            "diffusion": __version__,
            "tables": {name: TABLES[name].names for name in ("results", *PARTS.values())},
        }
        return Cell(point, replicate, detail, identity_of(parts))

    @property
    def graph(self) -> GraphSpec:
        """Graph that it is computed on."""
        return self.point.graph

    @property
    def on(self) -> tuple[GraphSpec, int]:
        """Graph and replicate that it is computed on."""
        return self.point.graph, self.replicate

    def on_graph(self, of: Callable[[GraphSpec], GraphSpec]) -> Cell:
        """Return the cell on another graph made from its own."""
        return dataclasses.replace(self, point=dataclasses.replace(self.point, graph=of(self.graph)))

    def labels(self) -> dict[str, Any]:
        """Return the columns that name the cell, of which no number depends."""
        return {
            "cell": self.identity,
            "condition": self.point.identity,
            "graph": self.point.graph.label,
            **self.point.model.columns(),
            "replicate": self.replicate,
            "detail": self.detail,
            "strategy": self.point.strategy,
            "place": self.point.place,
            "budget": self.point.budget.label,
            "budget_kind": self.point.budget.kind,
            "budget_value": self.point.budget.value,
            **self.point.graph.structure,
        }


@dataclass(frozen=True)
class Chosen:
    """Seeds of a cell, the seconds they took, and their certificate (NaN where the strategy has none)."""

    seeds: tuple[Any, ...]
    seconds: float
    lower: float = float("nan")
    upper: float = float("nan")


@dataclass(frozen=True)
class CellResult:
    """What a cell gives: one row, the sizes of its runs, and its parts of the long tables.

    Of a cell that cannot be computed the row says why, as "skipped".
    """

    row: dict[str, Any]
    sizes: NDArray[np.int64]
    by_step: pd.DataFrame
    by_community: pd.DataFrame
    seeds: pd.DataFrame
    funnel: pd.DataFrame

    @staticmethod
    def skipped(cell: Cell, reason: str) -> CellResult:
        """Return what stands for a cell that cannot be computed."""
        nothing = pd.DataFrame()
        row = cell.labels() | {"skipped": reason}
        return CellResult(row, np.zeros(0, np.int64), nothing, nothing, nothing, nothing)


def world_key(seed: int, fingerprint: str, model: ModelSpec, name: str = "") -> int:
    """Key of the worlds: the same for every strategy and budget, so that they can be compared run by run."""
    rule = json.dumps(model.rule_table, sort_keys=True)
    return derive_key(seed, "worlds", fingerprint, name or model.model.label, rule)


def reproduction_of(ready: PreparedGraph, spec: ModelSpec, seed: int, confidence: float, runs: int) -> Reproduction:
    """R of a graph and a model, predicted and measured, once for each."""

    def measure() -> Reproduction:
        key = derive_key(
            seed, "reproduction", ready.reckoned(spec).fingerprint, spec.model.label, repr(spec.rule_table)
        )
        options: dict[str, Any] = {"confidence": confidence, "max_runs": runs, "rng": generator(key), "threads": 1}
        return reproduction(ready.simulated(spec), model=spec.model, **options)

    return ready.once.get(("R", spec.rule, spec.model, runs), measure)


def radius_of(ready: PreparedGraph, spec: ModelSpec, base: ModelSpec | None = None) -> float:
    """R of a graph and a model by the next-generation operator alone; NaN where R does not exist.

    The search for it starts from the state that was found for the model `base`, which is close to that of `spec`.
    """
    return _leading(ready, spec, base)[0]


def _leading(ready: PreparedGraph, spec: ModelSpec, base: ModelSpec | None) -> tuple[float, NDArray[np.float64] | None]:
    near = None if base is None or (base.rule, base.model) == (spec.rule, spec.model) else base

    def reckon() -> tuple[float, NDArray[np.float64] | None]:
        operator = spec.model.in_generations().next_generation(ready.simulated(spec))
        if operator is None:
            return math.nan, None
        start = None if near is None else _leading(ready, near, None)[1]
        return operator.leading(tol=RADIUS_TOL, start=start)

    name = ("leading", spec.rule, spec.model, None if near is None else (near.rule, near.model))
    return ready.once.get(name, reckon)


def compute(
    cell: Cell, ready: PreparedGraph, chosen: Chosen, precision: Precision, seed: int, base: ModelSpec
) -> CellResult:
    """Simulate a cell until it is precise enough and measure what its detail asks for."""
    start = time.perf_counter()
    spec = cell.point.model
    graph, model, confidence = ready.simulated(spec), spec.model, precision.confidence
    n = graph.n_nodes
    key = world_key(seed, ready.graph.fingerprint, spec)
    engine = prepare(graph, model, chosen.seeds, key)
    limits = dataclasses.asdict(precision) | {"runs": None, "first_look": FIRST_LOOK}
    if cell.detail in ("reach", "R"):  # a point of a curve over replicated graphs
        limits["max_runs"] = min(precision.max_runs, LIGHT_RUNS)
    (runs,), stopped_by = sample_until([engine], **limits, threads=1, show=False)
    seconds = time.perf_counter() - start
    new = runs.new[..., 0]
    sizes = new.sum(axis=1, dtype=np.int64)
    reach = SpreadEstimate.from_sizes(
        sizes, confidence=confidence, stopped_by=stopped_by, key=key, provenance={}, limits=engine.limits
    )
    everywhere = share_interval(int((sizes >= GLOBAL_SHARE * n).sum()), len(sizes), confidence)
    outbreak = share_interval(int((sizes >= OUTBREAK_SHARE * n).sum()), len(sizes), confidence)
    seeds = _seed_table(graph, chosen.seeds)
    measures = model.study_measures(runs.details, n_seeds=len(seeds), n_nodes=n, confidence=confidence)
    cost = float(seeds["price"].sum(skipna=False)) if len(seeds) else 0.0
    row = cell.labels() | {
        "mixing": ready.mixing,
        "n_nodes": n,
        "n_seeds": len(seeds),
        "cost": cost,
        **_ends("reach", reach.mean, reach.low, reach.high),
        "reach_per_cost": reach.mean / cost if cost > 0 else math.nan,
        "confidence": confidence,
        "runs": reach.runs,
        "rel_error": reach.rel_error,
        "stopped_by": stopped_by,
        **_ends("outbreak_probability", outbreak.value, outbreak.low, outbreak.high, ends="outbreak"),
        "outbreak_share": OUTBREAK_SHARE,
        **_ends("global_probability", everywhere.value, everywhere.low, everywhere.high, ends="global"),
        "global_share": GLOBAL_SHARE,
        **dict.fromkeys(("R_runs", "virality_runs"), 0),
        **dict.fromkeys(("fit_first", "fit_last"), -1),
        **measures,
        "lower": chosen.lower,
        "upper": chosen.upper,
        "ratio": chosen.lower / chosen.upper if chosen.upper > 0 else math.nan,
        "key": f"{key:#018x}",
        "seconds_select": chosen.seconds,
        "seconds_simulate": seconds,
    }
    nothing = pd.DataFrame()
    if cell.detail == "reach":
        row["R_predicted"] = radius_of(ready, spec, base)
        return CellResult(row, sizes, nothing, nothing, seeds, nothing)
    known = reproduction_of(ready, spec, seed, confidence, R_RUNS_LIGHT if cell.detail == "R" else R_RUNS)
    if cell.detail == "R":
        of_R = _ends("R", known.R.value, known.R.low, known.R.high)
        row |= {"R_predicted": known.predicted, **of_R, "R_runs": known.runs}
        return CellResult(row, sizes, nothing, nothing, seeds, nothing)
    if cell.detail == "phase":
        return CellResult(row | _phase(known), sizes, nothing, nothing, seeds, nothing)
    new = generations_of(graph, model, chosen.seeds, key, new)
    counted = growth_of_counts(new, n, depletion=DEPLETION, confidence=confidence, deterministic=engine.deterministic)
    grown = growth_on_graph(counted, graph, model, chosen.seeds, known)
    traces = [engine.replay(run) for run in range(1 if engine.deterministic else VIRALITY_RUNS)]
    communities = _by_community(graph, runs.node_counts[:, 0] / len(sizes), traces)
    row |= {
        **_growth(grown, known),
        **_shapes(traces),
        "entry_share": float(communities["entered"].mean()) if len(communities) else math.nan,
        **_concentration(communities),
    }
    funnel = model.study_stages(runs.details, n_seeds=len(seeds), n_nodes=n, confidence=confidence)
    steps = _by_step(new, grown.first, grown.last).merge(_ratios(grown), on="step", how="left")
    return CellResult(row, sizes, steps, communities, seeds, funnel)


def _ends(name: str, value: float, low: float, high: float, ends: str = "") -> dict[str, float]:
    return {name: value, f"{ends or name}_low": low, f"{ends or name}_high": high}


def _growth(grown: Growth, known: Reproduction) -> dict[str, Any]:
    estimates: dict[str, Estimate] = {
        "R": grown.R,
        "deceleration": grown.deceleration,
        "rate": grown.rate,
        "doubling": grown.doubling_time,
        "R_campaign": grown.campaign,
    }
    row: dict[str, Any] = {
        "phase": grown.phase,
        "phase_cause": grown.cause,
        "phase_reason": grown.reason,
        "R_predicted": grown.R_predicted,
        "R_runs": known.runs,
        "core_share": known.core_share,
        "R_campaign_predicted": grown.campaign_predicted,
        "fit_first": grown.first,
        "fit_last": grown.last,
    }
    for name, found in estimates.items():
        row |= _ends(name, found.value, found.low, found.high)
    return row


def _phase(known: Reproduction) -> dict[str, Any]:
    """R of graph and model and how it grows, whatever the campaign."""
    names = {"phase": known.phase, "phase_cause": known.cause, "phase_reason": known.reason}
    R, b = known.R, known.deceleration
    ends = _ends("R", R.value, R.low, R.high) | _ends("deceleration", b.value, b.low, b.high)
    return {**names, **ends, "R_predicted": known.predicted, "R_runs": known.runs, "core_share": known.core_share}


def _shapes(traces: list[Trace]) -> dict[str, Any]:
    cascades = [Cascade(pd.RangeIndex(len(one.nodes)), one.steps, one.parents) for one in traces]
    virality = [v for v in map(structural_virality, cascades) if not math.isnan(v)]
    return {
        "depth": float(np.mean([c.depth for c in cascades])),
        "breadth": float(np.mean([c.max_breadth for c in cascades])),
        "virality": float(np.mean(virality)) if virality else math.nan,
        "virality_runs": len(virality),
    }


def _by_step(new: NDArray[np.int32], first: int, last: int) -> pd.DataFrame:
    low, median, high = np.quantile(new, (0.025, 0.5, 0.975), axis=0) if new.size else np.zeros((3, 0))
    step = np.arange(new.shape[1])
    table = {"step": step, "mean": new.mean(axis=0), "low": low, "median": median, "high": high}
    fitted = (first >= 0) & (step >= first) & (step <= last)
    return pd.DataFrame(table | {"alive": (new > 0).mean(axis=0), "fitted": fitted})


def _ratios(grown: Growth) -> pd.DataFrame:
    """R by step, as measured and as forecast from these seeds."""
    names = {"step": "step", "R": "R", "low": "R_low", "high": "R_high", "predicted": "R_predicted"}
    return grown.R_by_step.reindex(columns=list(names)).rename(columns=names)


def _by_community(graph: FollowerGraph, probability: NDArray[np.float64], traces: list[Trace]) -> pd.DataFrame:
    """Expected number of active users in each community; when and how often each was entered in the replayed runs."""
    if "community" not in graph.node_data:
        return pd.DataFrame({"share": [], "entered": []})
    labels = graph.node_data["community"].astype(str)
    reached = graph.index.series(probability, "reach").groupby(labels).agg(["size", "sum"])
    total = float(reached["sum"].sum())
    codes = reached.index.get_indexer(pd.Index(labels, tupleize_cols=False))[graph.index.order]
    entry = np.full((len(traces), len(reached)), np.inf)
    for run, trace in enumerate(traces):
        nodes, step = trace.nodes, trace.steps
        np.minimum.at(entry[run], codes[nodes], step)
    entered = np.isfinite(entry)
    entry_step = np.full(len(reached), math.nan)
    some = entered.any(axis=0)
    entry_step[some] = np.where(entered, entry, 0).sum(axis=0)[some] / entered.sum(axis=0)[some]
    share = reached["sum"].to_numpy() / total if total else np.full(len(reached), math.nan)
    table = {
        "community": reached.index.to_numpy(),
        "size": reached["size"].to_numpy(),
        "reach": reached["sum"].to_numpy(),
    }
    return pd.DataFrame(table | {"share": share, "entry_step": entry_step, "entered": entered.mean(axis=0)})


def _concentration(communities: pd.DataFrame) -> dict[str, float]:
    """Dominance max_c n_c / n and entropy -sum (n_c / n) log2(n_c / n) of the reach (Weng, Menczer and Ahn 2013)."""
    share = communities["share"].to_numpy(dtype=float)
    if not len(share) or np.isnan(share).any():
        return {"entropy": math.nan, "dominance": math.nan}
    positive = share[share > 0]
    return {"entropy": float(-(positive * np.log2(positive)).sum()) + 0.0, "dominance": float(share.max())}


def _seed_table(graph: FollowerGraph, seeds: tuple[Any, ...]) -> pd.DataFrame:
    at = graph.nodes.get_indexer(pd.Index(seeds, tupleize_cols=False))
    data = graph.node_data.iloc[at]
    texts = {
        name: [None if pd.isna(value) else str(value) for value in data[name]]
        for name in ("tier", "community")
        if name in data
    }
    price = data["price"].to_numpy(dtype=float) if "price" in data else np.full(len(seeds), math.nan)
    followers = graph.out_degree.to_numpy()[at]
    table = {"rank": np.arange(1, len(seeds) + 1), "node": [str(s) for s in seeds], "followers": followers}
    return pd.DataFrame({**table, **texts, "price": price})


def write_cell(path: Path, result: CellResult) -> None:
    """Write a cell whole: one parquet row with its parts as JSON, and the sizes as a list."""
    parts: Mapping[str, pd.DataFrame] = {name: getattr(result, name) for name in PARTS}
    columns = {name: pa.array([json.dumps(table.to_dict("list"))]) for name, table in parts.items()}
    columns["row"] = pa.array([json.dumps(result.row)])
    columns["sizes"] = pa.array([result.sizes], pa.list_(pa.int64()))
    with whole_file(path) as part:
        pq.write_table(pa.table(columns), part, write_page_checksum=True, use_dictionary=False, write_statistics=False)


def read_cell(path: Path) -> CellResult | None:
    """Read a finished cell; None where there is none, or not a whole and undamaged one."""
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        texts = {name: json.loads(table[name][0].as_py()) for name in ("row", *PARTS)}
        sizes = np.asarray(table["sizes"].chunk(0).values)
    except (OSError, pa.ArrowException, LookupError, TypeError, ValueError):
        return None
    if not isinstance(texts["row"], dict) or texts["row"].get("cell") != path.stem:
        return None
    frames = {name: pd.DataFrame(texts[name]) for name in PARTS}
    return CellResult(texts["row"], sizes, **frames)
