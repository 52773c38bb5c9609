"""Finished studies with made-up tables in which every effect is known (no simulation runs here)."""

from __future__ import annotations

import itertools
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from diffusion.report.read import StudyTables
from diffusion.study.schema import TABLES, conform

N_NODES = 20_000
STRATEGIES = ("random", "amateur", "tail", "waist", "head", "degree", "degree_discount", "opim")
#: Log of how far a strategy gets beyond random seeds, and what one of its seeds costs.
PULL = dict(zip(STRATEGIES, (0.0, 0.6, 0.3, 0.2, 0.1, 0.4, 0.5, 0.65), strict=True))
PRICE = dict(zip(STRATEGIES, (600, 450, 2_000, 9_000, 60_000, 6_000, 5_500, 500), strict=True))
MIXING = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7)
MODELS: dict[str, dict[str, Any]] = {
    "observed": {"model_kind": "SIPS", "contagion": "simple", "identify": "simple", "feed": 3.0, "eta": 0.08},
    "stated": {"model_kind": "SIPS", "contagion": "simple", "identify": "simple", "feed": 0.0, "eta": 1.0},
    "stated, feed": {"model_kind": "SIPS", "contagion": "simple", "identify": "simple", "feed": 3.0, "eta": 1.0},
    "complex": {"model_kind": "SIPS", "contagion": "complex", "identify": "complex 2", "feed": 0.0, "eta": 1.0},
    "IC": {"model_kind": "IC", "contagion": "simple", "rule": "weighted cascade"},
}
DEFAULT = ("observed", "stated", "stated, feed", "complex")
STAGES = ("exposed", "sympathized", "identified", "participated", "shared")
#: The truth, in logarithms of reach unless said.
MIXING_SIMPLE, PLACE_SIMPLE, PLACE_COMPLEX, RETURNS_SIMPLE, RETURNS_COMPLEX = 0.25, -0.2, 0.3, 0.7, 1.3
FEED_FOR_RANDOM, R_RATIO = 0.15, 1 / 1.03  # by which the advantage of hubs shrinks; measured over predicted R
MEASURES = (
    "reach", "reach_share", "reach_per_cost", "outbreak_probability", "global_probability", "R_predicted", "R", "R_campaign", "feed_share",
    "entry_share", "ratio",
)  # fmt: skip


def _truth(cell: dict[str, Any], strength: float) -> dict[str, float]:
    """Log reach, R and outbreak probability of a cell; `strength` 0 leaves no effect at all."""
    complex_ = cell["contagion"] == "complex"
    R = 1.55 * cell.get("eta", 1.0) * cell["attention"] / 0.25 * (1 + 0.2 * strength * cell.get("feed", 0.0))
    slope = RETURNS_COMPLEX if complex_ else RETURNS_SIMPLE
    mixing = MIXING_SIMPLE * (cell["mixing"] - MIXING[0]) / (MIXING[-1] - MIXING[0])
    if complex_:
        mixing = -0.3 * np.log(cell["mixing"] / 0.1) ** 2
    place = {"one community": PLACE_COMPLEX if complex_ else PLACE_SIMPLE}.get(cell["place"], 0.0)
    feed = FEED_FOR_RANDOM * (cell["strategy"] == "random") * (cell.get("feed", 0.0) > 0)
    log = np.log(cell["budget_value"] / 10_000) * (1 + strength * (slope - 1))
    log += strength * (PULL[cell["strategy"]] + mixing + place + feed)
    outbreak = 0.5 + strength * (0.4 * np.tanh(3 * (R - 1)) if not complex_ else 0.4 * np.tanh(mixing + 0.5))
    return {"log": 4.0 + 0.6 * (cell.get("eta", 1.0) > 0.5) + log, "R": R, "outbreak": outbreak}


def _conditions(results: pd.DataFrame) -> pd.DataFrame:
    """Means over graphs with their t intervals; with one graph the interval of the simulation."""
    groups = results.groupby("condition", sort=False)
    first = groups.first()
    n, level = groups.size(), 0.95
    out = {"replicates": n}
    for name in MEASURES:
        mean, sd = groups[name].mean(), groups[name].std(ddof=1)
        within = (mean * 0.02).abs()
        half = pd.Series(t.ppf(0.5 + level / 2, (n - 1).clip(lower=1)), index=n.index) * sd / np.sqrt(n)
        half = half.where(n > 1, 1.96 * within)
        out |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}
        out |= {f"{name}_sd_between": sd, f"{name}_se_within": within}
    kept = [c for c in TABLES["conditions"].names if c in first and c not in out]
    return pd.concat([first[kept], pd.DataFrame(out)], axis=1).reset_index()


def make(
    *,
    models: tuple[str, ...] = DEFAULT,
    strategies: tuple[str, ...] = STRATEGIES,
    budgets: tuple[int, ...] = (10_000, 100_000),
    kind: str = "money",
    places: tuple[str, ...] = ("anywhere", "one community", "spread"),
    replicates: int = 8,
    sweeps: bool = True,
    maps: bool = True,
    sensitivity: bool = True,
    communities: bool = True,
    details: bool = True,
    strength: float = 1.0,
    noise: float = 0.03,
    title: str = "Who to seed?",
    key: int = 0,
) -> StudyTables:
    """Tables of a finished study; `details` adds those of growth, communities, seeds and funnel."""
    rng = np.random.default_rng(key)
    cells: dict[str, dict[str, Any]] = {}
    ids: dict[Any, str] = {}
    points: list[dict[str, Any]] = []
    graph_effect = rng.normal(0, 0.2, replicates)

    def add(part: str, number: int, levels: dict[str, Any], model: str, strategy: str, place: str, budget: float):
        spec: dict[str, Any] = {"attention": 0.25, **MODELS[model]}
        platform = {"mixing": 0.2, "communities": 8.0, "users": float(N_NODES)}
        for name, value in levels.items():
            if name != "budget":
                (platform if name in platform else spec)[name] = value
        budget = levels.get("budget", budget)
        graph = "platform, " + ", ".join(f"{k} {v:g}" for k, v in platform.items())
        label = " ".join(f"{k} {v}" for k, v in spec.items())
        identity = (graph, model, label, strategy, place, budget)
        condition = ids.setdefault(identity, f"c{len(ids):04d}")
        named = [*levels.items(), ("", ""), ("", "")]
        axes = {"factor": named[0][0], "level": str(named[0][1]), "factor_y": named[1][0], "level_y": str(named[1][1])}
        axes |= {"value": named[0][1] if named[0][0] else np.nan, "value_y": named[1][1] if named[1][0] else np.nan}
        for replicate in range(replicates):
            cell = f"{condition}-{replicate}"
            points.append({"part": part, "number": number, **axes, "cell": cell, "condition": condition})
            if cell in cells:
                continue
            row: dict[str, Any] = {"rule": "", **spec, **platform, "mixing_set": platform["mixing"], "graph": graph}
            row |= {"cell": cell, "condition": condition, "model": label, "model_name": model, "replicate": replicate}
            row |= {
                "strategy": strategy,
                "place": place,
                "budget": f"{budget:,.0f} RMB" if kind == "money" else f"k={budget:g}",
            }
            row |= {
                "budget_kind": kind,
                "budget_value": float(budget),
                "n_nodes": N_NODES,
                "confidence": 0.95,
                "runs": 400,
            }
            row["detail"] = "full" if part == "crossed" else "reach"
            truth = _truth(row, strength)
            reach = float(np.exp(truth["log"] + graph_effect[replicate] + noise * rng.normal()))
            R = truth["R"] * float(np.exp(noise * rng.normal())) if row["contagion"] == "simple" else np.nan
            n_seeds = max(int(budget / PRICE[strategy]), 1) if kind == "money" else int(budget)
            row |= {
                "reach": reach,
                "reach_low": 0.96 * reach,
                "reach_high": 1.04 * reach,
                "reach_share": reach / N_NODES,
            }
            row |= {"R_predicted": R, "R": R * R_RATIO if part == "crossed" else np.nan, "n_seeds": n_seeds}
            row |= {
                "R_low": 0.97 * row["R"],
                "R_high": 1.03 * row["R"],
                "R_campaign": row["R"],
                "rate": np.log(row["R"]),
            }
            row |= {"rho": 0.3 * row.get("eta", np.nan), "cost": float(budget) if kind == "money" else np.nan}
            row |= {"reach_per_cost": reach / budget if kind == "money" else np.nan, "outbreak_share": 0.01}
            row["global_probability"] = row["outbreak_probability"] = float(
                np.clip(truth["outbreak"] + noise * rng.normal(), 0, 1)
            )
            row |= {"feed_share": 0.4 if row.get("feed") else 0.0 if "feed" in row else np.nan, "entry_share": 0.9}
            row |= {"ratio": 0.8 if strategy == "opim" else np.nan, "R_runs": 100, "fit_first": 1, "fit_last": 4}
            row |= {"virality_runs": 100, "phase": "undecided", "phase_cause": "near one", "stopped_by": "precision"}
            cells[cell] = row

    for model, strategy, place, budget in itertools.product(models, strategies, places, budgets):
        if place == "anywhere" or strategy in ("amateur", "random"):
            add("crossed", 0, {}, model, strategy, place, budget)
    swept = [s for s in strategies if s in ("random", "amateur", "degree")]
    declared: list[dict[str, Any]] = []
    if sweeps:
        for number, (factor, levels, own) in enumerate((
            ("mixing", MIXING, models),
            ("budget", (3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000), models),
            ("attention", (0.1, 0.2, 0.4, 0.8), models),
            ("eta", (0.05, 0.1, 0.3, 0.6, 1.0), [m for m in models if m in DEFAULT]),
        )):  # fmt: skip
            declared.append({"part": "sweep", "factor": factor, "levels": levels})
            for level, model, strategy in itertools.product(levels, own, swept):
                add("sweep", number, {factor: level}, model, strategy, "anywhere", budgets[-1])
    if maps:
        for number, (model, x, levels, at) in enumerate((
            ("stated", "eta", (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0), ("anywhere",)),
            ("complex", "attention", (0.1, 0.2, 0.4, 0.6, 0.8), ("one community", "spread")),
        )):  # fmt: skip
            declared.append({"part": "map", "x": x, "y": "mixing"})
            for level, mixing, place in itertools.product(levels, MIXING, at):
                add("map", number, {x: level, "mixing": mixing}, model, swept[-1], place, budgets[-1])
    frames: dict[str, Any] = {"results": pd.DataFrame(list(cells.values())), "points": pd.DataFrame(points)}
    results = frames["results"]
    frames["conditions"] = _conditions(results)
    full = set(results.loc[results["detail"] == "full", "condition"])
    crossed = frames["conditions"][frames["conditions"]["condition"].isin(full)]
    frames |= _of_models(crossed, replicates)
    if details:
        frames |= _details(results[results["detail"] == "full"], rng, communities=communities)
    if replicates == 1:
        frames |= _paired(results[results["detail"] == "full"])
    if sensitivity:
        frames |= _sensitivity()
    tables = {name: conform(name, pd.DataFrame(frames.get(name, []))) for name in TABLES}
    graphs = [
        {"label": label, "kind": "platform", "source": label, "n_nodes": N_NODES, "n_edges": 317_080, "directed": True,
         "edges_mean": "influences", "mean_followers": 15.854, "max_followers": 4_213, "reciprocity": 0.2043,
         "n_communities": 8 if communities else None, "mixing": 0.2, "modularity": 0.61, "rewired_from": None,
         "rows": None, "dropped_self_loops": 0, "dropped_parallel": 0, "comment_lines": 0, "tiers": None,
         "tier_shares": {"tail": 0.06, "head": 0.001}, "communities_from": "the generator", "follower_ccdf": []}
        for label in results["graph"].unique()
    ]  # fmt: skip
    standing = {"name": "a, attention of a follower", "value": 0.25, "standing": "assumed", "note": ""}
    study = {
        "title": title, "seed": 7, "command": "diffusion study study.toml", "toml": f'title = "{title}"\n', "quick": False,
        "precision": {"rel_error": 0.02, "confidence": 0.95, "max_runs": 20_000}, "replicates": replicates, "skipped": [],
        "models": [{"name": m, "model": m, "kind": MODELS[m]["model_kind"], "description": "how a note spreads",
                    "parameters": [standing]} for m in models],
        "strategies": [{"strategy": s, "description": f"how {s} picks its seeds"} for s in strategies], "parts": declared,
    }  # fmt: skip
    provenance = {"diffusion": "0.1.0", "python": "3.11.4", "libraries": {"numpy": "2.1.0"}, "machine": "Linux, 2 CPUs",
                  "made": "2026-01-02T03:04:05+00:00", "key": "0x0000000000000007", "seconds": 81.2,
                  "cells_computed": len(results), "cells_reused": 0}  # fmt: skip
    return StudyTables(**tables, graphs=graphs, study=study, provenance=provenance)


def _of_models(crossed: pd.DataFrame, replicates: int) -> dict[str, pd.DataFrame]:
    """Phases, critical values and predictive intervals of the models of the crossed part."""
    phases, critical, predictive = [], [], []
    for row in crossed.drop_duplicates(["graph", "model"]).to_dict("records"):
        named = {k: row[k] for k in ("graph", "model", "rule", "model_name", "contagion")}
        R = row["R"]
        phase = "not applicable" if np.isnan(R) else "exponential" if R > 1 else "subcritical"
        cause = {"not applicable": "no R", "exponential": "steady", "subcritical": "below one"}[phase]
        ends = {f"{m}{e}": row[f"{m}{e}"] for m in ("R", "R_predicted") for e in ("", "_low", "_high")}
        phases.append({**named, **ends, "replicates": replicates, "phase": phase, "phase_cause": cause,
                       "doubling": np.log(2) / np.log(R) if R > 1 else np.nan, "p_value": 0.001})  # fmt: skip
        if named["contagion"] == "simple" and row["model_kind"] == "SIPS":
            for factor, at in (("attention", 0.25), ("eta", row["eta"])):
                value = at / row["R_predicted"]
                reached = value <= 1
                critical.append({**named, "factor": factor, "value": at, "R": row["R_predicted"], "most": 1.0,
                                 "critical": value if reached else np.nan, "critical_low": 0.98 * value if reached else np.nan,
                                 "critical_high": 1.02 * value if reached else np.nan, "R_at_most": row["R_predicted"] / at,
                                 "crossed": replicates if reached else 0, "replicates": replicates})  # fmt: skip
            predictive.append({**named, "condition": row["condition"], "strategy": row["strategy"], "budget": row["budget"],
                               "draws": 64, "reach": row["reach"], "reach_low": row["reach_low"], "reach_high": row["reach_high"],
                               "predictive_low": 0.6 * row["reach"], "predictive_high": 1.5 * row["reach"], "R": row["R"],
                               "R_low": 0.8 * row["R"], "R_high": 1.2 * row["R"]})  # fmt: skip
    return {"phases": pd.DataFrame(phases), "critical": pd.DataFrame(critical), "predictive": pd.DataFrame(predictive)}


def _details(results: pd.DataFrame, rng: np.random.Generator, *, communities: bool) -> dict[str, pd.DataFrame]:
    steps, shares, seeds, funnel = [], [], [], []
    for row in results[results["replicate"] == 0].to_dict("records"):
        cell = row["cell"]
        mean = 0.3 * row["n_seeds"]
        for step in range(10):
            steps.append({"cell": cell, "step": step, "mean": mean, "low": 0.5 * mean, "median": mean, "high": 1.6 * mean,
                          "alive": 1.0, "fitted": 1 <= step <= 4, "R_predicted": 1.1 * row["R"]})  # fmt: skip
            mean *= 0.8 if np.isnan(row["R"]) else row["R"] if step < 5 else 0.3
        part = np.sort(rng.dirichlet(np.full(8, 3.0)))[::-1]
        for c in range(8 if communities else 0):
            shares.append({"cell": cell, "community": str(c), "size": 4000 - 400 * c, "reach": row["reach"] * part[c],
                           "share": part[c], "entry_step": float(c), "entered": 1 - 0.05 * c})  # fmt: skip
        for rank in range(1, min(row["n_seeds"], 20) + 1):
            tier = row["strategy"] if row["strategy"] in ("amateur", "tail", "waist", "head") else "tail"
            price = float(PRICE[row["strategy"]]) if row["budget_kind"] == "money" else np.nan
            seeds.append({"cell": cell, "rank": rank, "node": f"user{rank}", "tier": tier, "community": str(rank % 8),
                          "followers": 50 * rank, "price": price})  # fmt: skip
        if row["model_kind"] == "SIPS":
            for channel, scale in (("follow", 1.0), ("feed", 0.5 if row["feed"] else 0.0), ("all", 1.5)):
                for i, stage in enumerate(STAGES):
                    users = row["reach"] * scale * 0.6**i
                    funnel.append({"cell": cell, "channel": channel, "stage": stage, "users": users, "low": 0.9 * users,
                                   "high": 1.1 * users, "rate": 0.6 if i else np.nan})  # fmt: skip
    names = ("new_by_step", "reach_by_community", "seeds", "funnel")
    return {n: pd.DataFrame(rows) for n, rows in zip(names, (steps, shares, seeds, funnel), strict=True)}


def _paired(results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Differences on shared worlds, with intervals of +- 1 % of the best."""
    paired, places = [], []
    for _, own in results.groupby(["graph", "model", "budget", "place"], sort=False):
        best = own.loc[own["reach"].idxmax()]
        for row in own.to_dict("records"):
            if row["cell"] != best["cell"]:
                gap, half = row["reach"] - best["reach"], 0.01 * best["reach"]
                named = {k: row[k] for k in ("graph", "model", "rule", "budget", "place", "strategy")}
                paired.append(
                    {
                        **named,
                        "best": best["strategy"],
                        "difference": gap,
                        "low": gap - half,
                        "high": gap + half,
                        "runs": 400,
                    }
                )
    for _, own in results.groupby(["graph", "model", "budget", "strategy"], sort=False):
        for a, b in itertools.combinations(own.to_dict("records"), 2):
            gap, half = a["reach"] - b["reach"], 0.01 * a["reach"]
            named = {k: a[k] for k in ("graph", "model", "rule", "budget", "strategy")}
            places.append({**named, "place_a": a["place"], "place_b": b["place"], "difference": gap, "low": gap - half,
                           "high": gap + half, "runs": 400})  # fmt: skip
    return {"paired": pd.DataFrame(paired), "paired_place": pd.DataFrame(places)}


def _sensitivity() -> dict[str, pd.DataFrame]:
    inputs = {"attention": (0.45, 0.6), "eta": (0.2, 0.3), "mixing": (0.01, 0.03), "graph and draw": (0.02, 0.05)}
    rows = [
        {"measure": measure, "input": name, "range": "uniform 0 to 1", "first": first, "first_low": first - 0.05,
         "first_high": first + 0.05, "total": total, "total_low": total - 0.06, "total_high": total + 0.06,
         "samples": 64, "evaluations": 384}
        for measure in ("log reach", "log R") for name, (first, total) in inputs.items()
    ]  # fmt: skip
    samples = pd.DataFrame({"sample": range(4), "block": "A", "reach": [1.0, 2, 3, 4], "R": 0.5, "attention": 0.1})
    return {"sensitivity": pd.DataFrame(rows), "samples": samples}


def write(tables: StudyTables, folder: Path) -> Path:
    """Write tables into a folder, as a study does."""
    folder.mkdir(parents=True, exist_ok=True)
    for field in fields(tables):
        value = getattr(tables, field.name)
        if isinstance(value, pd.DataFrame):
            value.to_parquet(folder / f"{field.name}.parquet")
        else:
            (folder / f"{field.name}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder
