"""Tables of the page as typed rows: the template names the columns and writes the values."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .analysis import of_graph_and_model
from .figures.base import FACTORS
from .format import Interval, Share, label
from .hypotheses import Finding
from .read import SETTING, StudyTables, largest, records

__all__ = ["Block", "best", "cells", "expectations", "growth", "parameters", "seeds", "skipped", "tiers"]

UNKNOWN = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Block:
    """A table of the page: rows by column, and the numbers behind them."""

    key: str
    rows: list[dict[str, Any]]
    data: pd.DataFrame

    def has(self, column: str) -> bool:
        """Whether any row has a value in a column."""
        return any(not missing(row.get(column)) for row in self.rows)


def missing(value: Any) -> bool:
    """Whether a value is not there."""
    value = value[0] if isinstance(value, Interval) else value
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _interval(row: Any, name: str) -> Interval:
    return Interval(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]))


def _doubling(row: Any) -> Interval:
    """The doubling time where there is one."""
    return _interval(row, "doubling") if math.isfinite(row["doubling"]) else UNKNOWN


def _factors(tables: StudyTables, row: Any) -> dict[str, str]:
    """Short names of the factors of a cell; empty where they do not vary."""
    shown = {
        "graph": tables.graph_name(row["graph"]),
        "model": tables.model_name(row),
        "rule": row["rule"],
        "place": row["place"],
    }
    return {name: text if name == "model" or tables.varies(name) else "" for name, text in shown.items()}


def growth(tables: StudyTables) -> Block:
    """R predicted and measured, phase and cause by graph and model, and the range of R of their campaigns."""
    rows = []
    campaigns = {key: own for key, own in tables.results.groupby(["graph", "model", "rule"])["R_campaign"]}
    models = of_graph_and_model(tables.results)
    for row in records(models):
        campaign = campaigns[row["graph"], row["model"], row["rule"]]
        rows.append(
            _factors(tables, row | {"place": ""})
            | {"predicted": float(row["R_predicted"]), "R": _interval(row, "R"), "doubling": _doubling(row)}
            | {
                "phase": row["phase"],
                "cause": row["phase_cause"],
                "lowest": float(campaign.min()),
                "highest": float(campaign.max()),
            }
        )
    columns = [
        "graph",
        "model",
        "rule",
        *(c for c in map(str, models) if c.startswith(("R_", "phase", "doubling", "core"))),
        "R",
    ]
    return Block("growth", rows, models[columns])


def best(tables: StudyTables) -> Block:
    """Best and second best strategy of every setting and budget, with the lead on the same worlds."""
    keys = [*SETTING, "budget"]
    leads = {tuple(p[k] for k in (*keys, "strategy")): p for p in records(tables.paired)}
    rows, data = [], []
    for key, own in tables.seeded.groupby(keys, sort=False):
        ranked = records(own.sort_values("reach", ascending=False, kind="stable"))
        first, second = ranked[0], ranked[1] if len(ranked) > 1 else None
        lead = leads.get((*key, second["strategy"])) if second else None
        ahead = Interval(-lead["difference"], -lead["high"], -lead["low"]) if lead else UNKNOWN
        decided = "" if lead is None else "equal" if ahead == (0, 0, 0) else "decided" if ahead.sign else "undecided"
        row = {"budget": first["budget"], "best": first["strategy"], "seeds": int(first["n_seeds"])}
        row |= {"second": second["strategy"] if second else None, "decided": decided}
        rows.append(_factors(tables, first) | row | {"reach": _interval(first, "reach"), "lead": ahead})
        rows[-1] |= {"share": Share(first["reach"] / first["n_nodes"])}
        data.append(dict(zip(keys, key, strict=True)) | row | {"reach": first["reach"], **_flat("lead", ahead)})
    return Block("best", rows, pd.DataFrame(data))


def _flat(name: str, found: Interval | None) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), found or UNKNOWN, strict=True))


def seeds(tables: StudyTables) -> Block | None:
    """Who the seeds are, by strategy, in the setting and budget in which the widest reach is found."""
    free = tables.seeded[tables.seeded["place"] == "anywhere"]
    pool = free if len(free) else tables.seeded
    if pool.empty:
        return None
    top = largest(pool, "reach")
    own = tables.of(top)
    own = own[own["budget"] == top["budget"]].sort_values("reach", ascending=False)
    rows, parts = [], []
    best_nodes = set(tables.seeds.loc[tables.seeds["cell"] == top["cell"], "node"])
    for cell in records(own):
        chosen = tables.seeds[tables.seeds["cell"] == cell["cell"]]
        tiers = Counter(t for t in chosen["tier"] if t)
        row = {
            "strategy": cell["strategy"],
            "seeds": len(chosen),
            "median": float(chosen["followers"].median()),
            "most": int(chosen["followers"].max()),
            "shared": Share(len(best_nodes & set(chosen["node"])) / len(chosen)),
            "tiers": dict(tiers.most_common()) or None,
            "communities": chosen["community"].nunique() if (chosen["community"] != "").any() else None,
        }
        rows.append(row)
        parts.append(chosen.assign(strategy=cell["strategy"]))
    return Block("seeds", rows, pd.concat(parts).drop(columns="cell"))


def expectations(tables: StudyTables, findings: list[Finding]) -> Block:
    """Every hypothesis with its average effect, the number of conditions, and the verdict; all cases as data."""
    rows: list[dict[str, Any]] = []
    data: list[dict[str, Any]] = []
    for found in findings:
        h = found.hypothesis
        rows.append(
            {"key": h.key, "source": h.source, "effect": found.shown, "percent": h.scale == "percent"}
            | {"conditions": len(found.cases), "verdict": found.verdict}
        )
        data.append(
            {
                "hypothesis": h.key,
                "conditions": len(found.cases),
                "verdict": found.verdict,
                **_flat("effect", found.effect),
            }
        )
        data += [
            {"hypothesis": h.key, **{k: case.to[k] for k in FACTORS}, **_flat("effect", case.change)}
            for case in found.cases
        ]
    return Block("expectations", rows, pd.DataFrame(data))


def parameters(tables: StudyTables) -> Block | None:
    """Parameters of the models with their values and where these come from, merged over models."""
    given = [(m, p) for m in tables.study.get("models", []) for p in m["parameters"]]
    merged: dict[tuple[str, str, str, str], list[Any]] = {}
    for model, p in given:
        values = merged.setdefault((model["kind"], p["name"], p["standing"], p["note"]), [])
        if p["value"] not in values:
            values.append(p["value"])
    rows: list[dict[str, Any]] = [
        {"model": kind, "parameter": name, "values": sorted(values, key=str), "standing": standing, "note": note}
        for (kind, name, standing, note), values in merged.items()
    ]
    data = pd.DataFrame(rows)
    return Block("parameters", rows, data) if rows else None


def skipped(tables: StudyTables) -> Block | None:
    """Combinations that the study refused to run, with the reason it gave."""
    data = pd.DataFrame(tables.study.get("skipped") or [], columns=["graph", "strategy", "budget", "reason"])
    rows = [
        {
            "strategy": label(str(strategy)),
            "reason": reason,
            **{k: list(dict.fromkeys(own[k])) for k in ("graph", "budget")},
        }
        for (strategy, reason), own in data.groupby(["strategy", "reason"], sort=False)
    ]
    return Block("skipped", rows, data) if rows else None


def tiers(tables: StudyTables) -> Block | None:
    """Creator tiers of all graphs."""
    rows = [
        {"graph": tables.graph_name(str(g["label"])) if len(tables.graphs) > 1 else ""} | tier
        for g in tables.graphs
        for tier in g.get("tiers") or []
    ]
    return Block("tiers", rows, pd.DataFrame(rows)) if rows else None


def cells(tables: StudyTables) -> Block:
    """Every cell with its main measures; all columns as data."""
    rows = [
        _factors(tables, row)
        | {
            k: row[k]
            for k in ("budget", "strategy", "n_seeds", "runs", "stopped_by", "phase", "depth", "breadth", "virality")
        }
        | {"cost": row["cost"], "entropy": row["entropy"], "ratio": Share(row["ratio"])}
        | {k: _interval(row, k) for k in ("reach", "R", "R_campaign")}
        | {"outbreak": Interval(*(100 * row[k] for k in ("outbreak_probability", "outbreak_low", "outbreak_high")))}
        for row in records(tables.results)
    ]
    return Block("cells", rows, tables.results)
