"""One cell of a study: its identity, its computation, and the small file that holds it."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .._files import whole_file
from .._random import derive_key
from .._version import __version__
from ..graph.follower_graph import FollowerGraph
from ..kernels.sips import ATTENDED, EXPOSED, FEED, FOLLOW
from ..models.sips.results import funnel_tables, ratio_interval
from ..results.cascade import Cascade
from ..results.estimates import SpreadEstimate, share_interval
from ..results.intervals import mean_interval
from ..simulation.growth import growth_of_counts, growth_on_graph
from ..simulation.phase import Reproduction
from ..simulation.runner import Runs, prepare
from ..simulation.simulate import sample_until
from ..simulation.trees import structural_virality
from ._models import ModelSpec
from .design import Budget, Precision

__all__ = ["OUTBREAK_SHARE", "Cell", "CellResult", "Chosen", "compute", "read_cell", "write_cell"]

OUTBREAK_SHARE = 0.01  # an outbreak reaches at least this share of all users
VIRALITY_RUNS = 16  # runs replayed with parents for depth, breadth and structural virality
FIRST_LOOK = 128  # runs after which precision is looked at first: reach of nearly everybody varies little
DEPLETION = 0.10  # growth is fitted until this share of the final reach is used up


@dataclass(frozen=True)
class Cell:
    """One combination, before it is computed. `identity` is everything its result depends on."""

    graph: str
    model: ModelSpec
    strategy: str
    budget: Budget
    place: str
    identity: str

    @staticmethod
    def make(
        graph_label: str,
        fingerprint: str,
        model: ModelSpec,
        strategy: str,
        budget: Budget,
        place: str,
        precision: Precision,
        seed: int,
    ) -> Cell:
        """Return the cell with its identity: a hash of all that its numbers depend on."""
        parts: dict[str, Any] = {
            "graph": fingerprint,
            "model": [model.model.name, model.model.parameters],
            "rule": model.rule.to_dict() if model.rule else None,
            "strategy": strategy,
            "budget": [budget.kind, budget.value],
            "place": place,
            "precision": [precision.rel_error, precision.confidence, precision.max_runs],
            "fit": [OUTBREAK_SHARE, VIRALITY_RUNS, DEPLETION, FIRST_LOOK],
            "seed": seed,
            "diffusion": __version__,
        }
        text = json.dumps(parts, sort_keys=True)
        return Cell(
            graph_label, model, strategy, budget, place, hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        )


@dataclass(frozen=True)
class Chosen:
    """Seeds of a cell, the seconds they took, and their certificate (NaN where the strategy has none)."""

    seeds: tuple[Any, ...]
    seconds: float
    lower: float = float("nan")
    upper: float = float("nan")


@dataclass(frozen=True)
class CellResult:
    """What a cell gives: one row, the sizes of its runs, and its parts of the long tables."""

    row: dict[str, Any]
    sizes: NDArray[np.int64]
    by_step: pd.DataFrame
    by_community: pd.DataFrame
    seeds: pd.DataFrame
    funnel: pd.DataFrame


PARTS = ("by_step", "by_community", "seeds", "funnel")


def world_key(seed: int, fingerprint: str, model: ModelSpec) -> int:
    """Key of the worlds: the same for every strategy and budget, so that they can be compared run by run."""
    rule = model.rule.to_dict() if model.rule else None
    return derive_key(seed, "worlds", fingerprint, model.model.label, json.dumps(rule, sort_keys=True))


def compute(
    cell: Cell,
    graph: FollowerGraph,
    chosen: Chosen,
    precision: Precision,
    *,
    key: int,
    known: Reproduction,
    mixing: float,
    threads: int,
) -> CellResult:
    """Simulate a cell until it is precise enough and measure everything the tables hold."""
    start = time.perf_counter()
    seeds = chosen.seeds
    engine = prepare(graph, cell.model.model, seeds, key)
    (found,), stopped_by = sample_until(
        [engine], runs=None, rel_error=precision.rel_error, confidence=precision.confidence,
        max_runs=precision.max_runs, threads=threads, show=False, first_look=FIRST_LOOK,
    )  # fmt: skip
    seconds_simulate = time.perf_counter() - start
    new, counts = found.new[..., 0], found.node_counts[:, 0]
    sizes = new.sum(axis=1, dtype=np.int64)
    reach = SpreadEstimate.from_sizes(
        sizes, confidence=precision.confidence, stopped_by=stopped_by, key=key, provenance={}, limits=engine.limits
    )
    counted = growth_of_counts(
        new, graph.n_nodes, depletion=DEPLETION, confidence=precision.confidence, deterministic=engine.deterministic
    )
    grown = growth_on_graph(counted, graph, cell.model.model, seeds, known)
    outbreak = share_interval(int((sizes >= OUTBREAK_SHARE * graph.n_nodes).sum()), len(sizes), precision.confidence)
    stories = [_story(engine.replay(run)) for run in range(1 if engine.deterministic else VIRALITY_RUNS)]
    shapes = _shapes(stories)
    seed_table = _seed_table(graph, seeds)
    communities = _by_community(graph, counts / len(sizes), stories)
    cost = float(seed_table["price"].sum(skipna=False)) if len(seed_table) else 0.0
    row: dict[str, Any] = {
        "cell": cell.identity, "graph": cell.graph, "model": cell.model.model.label, "rule": cell.model.rule_label,
        **cell.model.columns(), "mixing": mixing,
        "strategy": cell.strategy, "place": cell.place, "budget": cell.budget.label, "budget_kind": cell.budget.kind,
        "budget_value": cell.budget.value, "n_seeds": len(seeds), "n_nodes": graph.n_nodes,
        "reach": reach.mean, "reach_low": reach.low, "reach_high": reach.high, "confidence": precision.confidence,
        "runs": reach.runs, "rel_error": reach.rel_error, "stopped_by": stopped_by, "R_predicted": grown.R_predicted,
        "R_runs": known.runs, "R": grown.R.value, "R_low": grown.R.low, "R_high": grown.R.high,
        "rate": grown.rate.value, "rate_low": grown.rate.low, "rate_high": grown.rate.high,
        "doubling": grown.doubling_time.value, "doubling_low": grown.doubling_time.low,
        "doubling_high": grown.doubling_time.high, "phase": grown.phase, "phase_cause": grown.cause, "phase_reason": grown.reason,
        "R_campaign": grown.campaign.value, "R_campaign_low": grown.campaign.low, "R_campaign_high": grown.campaign.high,
        "R_campaign_predicted": grown.campaign_predicted,
        "fit_first": grown.first, "fit_last": grown.last, "outbreak_probability": outbreak.value,
        "outbreak_low": outbreak.low, "outbreak_high": outbreak.high, "outbreak_share": OUTBREAK_SHARE,
        **shapes, **_channels(found, len(seeds), graph.n_nodes, precision.confidence),
        "entry_share": float(communities["entered"].mean()) if len(communities) else math.nan, "cost": cost, "reach_per_cost": reach.mean / cost if cost > 0 else math.nan,
        **_concentration(communities), "key": f"{key:#018x}",
        "lower": chosen.lower, "upper": chosen.upper, "ratio": chosen.lower / chosen.upper if chosen.upper > 0 else math.nan,
        "seconds_select": chosen.seconds, "seconds_simulate": seconds_simulate,
    }  # fmt: skip
    steps = _by_step(new, grown.first, grown.last)
    return CellResult(
        row, sizes, steps, communities, seed_table, _funnel(found, graph.n_nodes - len(seeds), precision.confidence)
    )


def _channels(found: Runs, n_seeds: int, n_nodes: int, confidence: float) -> dict[str, float]:
    """Sharers, share of reach first met through the feed, and redundancy; NaN for models without stages."""
    names = ("sharers", "sharers_low", "sharers_high", "feed_share", "feed_share_low", "feed_share_high", "redundancy")
    if "tally" not in found.details:
        return dict.fromkeys(names, math.nan)
    sharers = found.details["tally"][..., EXPOSED + 4].sum(axis=(1, 2)) + n_seeds
    mean, _, low, high = mean_interval(sharers, confidence, (n_seeds, n_nodes))
    exposed = found.details["tally"][..., EXPOSED].sum(axis=1)
    feed = ratio_interval(exposed[:, FEED], exposed.sum(axis=1) + n_seeds, confidence)
    attended = found.details["tally"][..., ATTENDED].sum()
    redundancy = float(1 - exposed.sum() / attended) if attended else math.nan
    return dict(zip(names, (mean, low, high, *feed, redundancy), strict=True))


def _funnel(found: Runs, most: int, confidence: float) -> pd.DataFrame:
    """Users by stage, for all channels and by channel of first exposure, creators left out."""
    if "tally" not in found.details:
        return pd.DataFrame(columns=["channel", "stage", "users", "low", "high", "rate", "rate_low", "rate_high"])
    users = found.details["tally"][..., EXPOSED:].sum(axis=1)
    groups = {"all": users.sum(axis=1), "follow": users[:, FOLLOW], "feed": users[:, FEED]}
    parts = funnel_tables(groups, confidence, most)
    return pd.concat(parts, keys=list(groups), names=["channel"]).reset_index().drop(columns="runs")


Story = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


def _story(trace: Any) -> Story:
    return trace.nodes, trace.steps, trace.parents


def _shapes(stories: list[Story]) -> dict[str, Any]:
    cascades = [Cascade(pd.RangeIndex(len(nodes)), step, parent) for nodes, step, parent in stories]
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
    return pd.DataFrame(
        {
            "step": step, "mean": new.mean(axis=0), "low": low, "median": median, "high": high,
            "alive": (new > 0).mean(axis=0), "fitted": (first >= 0) & (step >= first) & (step <= last),
        }
    )  # fmt: skip


def _by_community(graph: FollowerGraph, probability: NDArray[np.float64], stories: list[Story]) -> pd.DataFrame:
    """Expected number of active users in each community; when and how often each was entered in the replayed runs."""
    if "community" not in graph.attributes:
        return pd.DataFrame({"community": [], "size": [], "reach": [], "share": [], "entry_step": [], "entered": []})
    active = graph.index.series(probability, "reach")
    found = active.groupby(graph.node_data["community"].astype(str)).agg(["size", "sum"])
    total = float(found["sum"].sum())
    codes = found.index.get_indexer(pd.Index(graph.node_data["community"].astype(str)))[graph.index.order]
    entry = np.full((len(stories), len(found)), np.inf)
    for run, (nodes, step, _) in enumerate(stories):
        np.minimum.at(entry[run], codes[nodes], step)
    entered = np.isfinite(entry)
    times = np.where(entered, entry, 0).sum(axis=0)
    return pd.DataFrame(
        {
            "community": found.index.to_numpy(), "size": found["size"].to_numpy(), "reach": found["sum"].to_numpy(),
            "share": found["sum"].to_numpy() / total if total else np.full(len(found), math.nan),
            "entry_step": np.divide(times, entered.sum(axis=0), out=np.full(len(found), math.nan), where=entered.any(axis=0)),
            "entered": entered.mean(axis=0),
        }
    )  # fmt: skip


def _concentration(communities: pd.DataFrame) -> dict[str, float]:
    """Dominance max_c n_c / n and entropy -sum (n_c / n) log2(n_c / n) of the reach (Weng, Menczer and Ahn 2013)."""
    share = communities["share"].to_numpy(dtype=float)
    if not len(share) or np.isnan(share).any():
        return {"entropy": math.nan, "dominance": math.nan}
    positive = share[share > 0]
    return {"entropy": float(-(positive * np.log2(positive)).sum()) + 0.0, "dominance": float(share.max())}


def _seed_table(graph: FollowerGraph, seeds: tuple[Any, ...]) -> pd.DataFrame:
    at = graph.index.positions(list(seeds))
    data = graph.node_data.iloc[at]
    missing = [None] * len(seeds)
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(seeds) + 1), "node": [str(s) for s in seeds],
            "tier": data["tier"].astype(object).tolist() if "tier" in data else missing,
            "community": [str(c) for c in data["community"]] if "community" in data else missing,
            "followers": graph.out_degree.to_numpy()[at],
            "price": data["price"].to_numpy(dtype=float) if "price" in data else np.full(len(seeds), math.nan),
        }
    )  # fmt: skip


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
