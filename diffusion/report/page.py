"""The report of a finished study: one HTML file that opens offline, made only from the tables of its folder."""

from __future__ import annotations

import base64
import gzip
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import plotting
from .._files import write_text
from .._version import __version__
from . import format
from .analysis import baseline_of, factor_effects, model_effects, strategy_effects
from .explorer import explorer, script
from .figures.answer import answer_figures
from .figures.base import FACTORS, Figure
from .figures.channels import channel_figures
from .figures.communities import community_figures
from .figures.growth import growth_figures
from .figures.seeding import seeding_figures
from .format import Interval
from .hypotheses import Finding, findings
from .read import StudyTables, read, records

__all__ = ["render", "write_report"]

UNKNOWN = Interval(math.nan, math.nan, math.nan)


def write_report(folder: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a finished study as one HTML file that needs nothing beside it.

    Every number and figure is made from the tables of the folder; nothing is simulated here, so the same folder gives
    the same file. Figures are inline SVG, and the numbers behind each figure and table can be had as CSV from the page.
    Where scripts run, a part of the page answers to sliders over the conditions that the study holds; the rest does without.

    Parameters
    ----------
    folder : str or path
        Folder that a study has filled.
    path : str or path, optional
        Where to write; ``report.html`` in the folder unless said.

    Returns
    -------
    pathlib.Path
        The file written. It is written whole or not at all.

    Raises
    ------
    MissingDataError
        If the folder or one of its tables is not there.
    ReadError
        If a table cannot be read or lacks a column.
    InputError
        If the study has no finished cell.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> from diffusion.report import write_report
    >>> write_report("results/who-to-seed")  # doctest: +SKIP
    PosixPath('results/who-to-seed/report.html')
    """
    source = Path(folder)
    target = source / "report.html" if path is None else Path(path)
    write_text(target, render(read(source)))
    return target


def render(tables: StudyTables) -> str:
    """Return the page of a study."""
    with plotting.style():
        drawn = [
            *answer_figures(tables),
            *growth_figures(tables),
            *seeding_figures(tables),
            *community_figures(tables),
            *channel_figures(tables),
        ]
    figures: dict[str, Figure] = {figure.key: figure for figure in drawn}
    found = findings(tables)
    replicates = sorted(tables.designed["replicates"].unique())
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            figures=figures,
            tables=tables,
            answer=_answer(tables, found),
            explorer=explorer(tables),
            script=script(),
            growth=_growth(tables),
            critical=_critical(tables),
            seeds=_seeds(tables),
            predictive=_predictive(tables),
            expectations=_expectations(found),
            parameters=_parameters(tables),
            skipped=_skipped(tables),
            cells=_cells(tables),
            graphs=pd.DataFrame(tables.graphs).drop(columns=["follower_ccdf", "tiers"], errors="ignore"),
            level=tables.confidence,
            replicates=(int(replicates[0]), int(replicates[-1])),
            runs=int(tables.results["runs"].sum()),
            version=str(tables.provenance.get("diffusion") or __version__),
            seen=set(),
        )
    )


def _answer(tables: StudyTables, found: list[Finding]) -> dict[str, Any]:
    """Numbers of the answers: growth, critical values, strategies, structure."""
    models = tables.models[tables.models["R_predicted"].notna() | tables.models["R"].notna()]
    order = models.assign(R_any=models["R"].fillna(models["R_predicted"])).sort_values("R_any")
    rows = [row | {"shown": _measured(row)} for row in records(order)]
    effects = factor_effects(tables)
    critical: list[dict[str, Any]] = []
    if rows:
        c = tables.critical[tables.critical["critical"].notna()]
        c = c[(c["model_name"] == rows[0]["model_name"]) & (c["graph"] == rows[0]["graph"])]
        steps = c.assign(step=(c["critical"] / c["value"]).where(c["value"] > 0)).sort_values("step")
        critical = records(steps[(steps["R"] < 1) & (steps["step"] > 1)])[:2]
    return {
        "lowest": rows[0] if rows else None,
        "highest": rows[-1] if len(rows) > 1 else None,
        "critical": critical,
        "strategies": strategy_effects(tables),
        "baseline": baseline_of(tables) if len(tables.crossed) else None,
        "mixing": model_effects(tables, "mixing"),
        "place": [e for e in effects if e.factor == "place"],
        "interior": next((f.shown for f in found if f.hypothesis.key == "2" and f.verdict == "holds"), None),
        "certified": _certified(tables),
    }


def _measured(row: Any) -> Interval:
    """R as measured, or as predicted where it is not."""
    return _interval(row, "R" if math.isfinite(row["R"]) else "R_predicted")


def _interval(row: Any, name: str) -> Interval:
    return Interval(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]))


def _certified(tables: StudyTables) -> dict[str, Any] | None:
    own = tables.home[tables.home["ratio"].notna()]
    return None if own.empty else records(own.nlargest(1, "ratio"))[0]


# --- tables of the page ----------------------------------------------------------------------------------------------


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


def _block(key: str, rows: Iterable[dict[str, Any]], data: pd.DataFrame) -> Block | None:
    rows = list(rows)
    return Block(key, rows, data) if rows else None


def _growth(tables: StudyTables) -> Block | None:
    rows = [
        {name: _interval(row, name) for name in ("R", "R_predicted")}
        | {"model": tables.name(row, ("place",)), "phase": row["phase"], "cause": row["phase_cause"]}
        | {"doubling": _interval(row, "doubling") if math.isfinite(row["doubling"]) else UNKNOWN}
        for row in records(tables.models)
    ]
    return _block("growth", rows, tables.phases)


def _critical(tables: StudyTables) -> Block | None:
    rows = [
        {"model": tables.name(row, ("place",)), "factor": row["factor"], "critical": _interval(row, "critical")}
        | {name: float(row[name]) for name in ("value", "R", "most", "R_at_most")}
        | {"step": float(row["critical"] / row["value"]) if row["value"] else math.nan}
        | {"graphs": f"{row['crossed']} of {row['replicates']}"}
        for row in records(tables.critical)
    ]
    return _block("critical", rows, tables.critical)


def _seeds(tables: StudyTables) -> Block | None:
    """Who the seeds are at the largest budget of the first setting of the crossed part, on one graph."""
    r = tables.home_cells(tables.seeds).sort_values("budget_value", ascending=False, kind="stable")
    if r.empty:
        return None
    first = tables.ordered(r).iloc[0]
    for column in ("model_name", "rule", "graph", "budget"):
        r = r[r[column] == first[column]]
    rows = []
    for strategy in tables.strategies:
        own = tables.seeds[tables.seeds["cell"].isin(set(r.loc[r["strategy"] == strategy, "cell"]))]
        if own.empty:
            continue
        tiers = own.loc[own["tier"] != "", "tier"].value_counts().to_dict()
        rows.append(
            {"strategy": strategy, "seeds": len(own), "tiers": format.show(tiers) if tiers else ""}
            | {"median": float(own["followers"].median()), "most": int(own["followers"].max())}
            | {"price": float(own["price"].median())}
            | {"communities": own.loc[own["community"] != "", "community"].nunique() or None}
        )
    data = r[["cell", *FACTORS, "replicate"]].merge(tables.seeds, on="cell").drop(columns="cell")
    return _block("seeds", rows, data)


def _predictive(tables: StudyTables) -> Block | None:
    p = tables.predictive.sort_values(["model_name", "budget"], kind="stable")
    rows = [
        {"model": row["model_name"], "strategy": row["strategy"], "budget": row["budget"], "R": _interval(row, "R")}
        | {"reach": _interval(row, "reach")}
        | {"predictive": Interval(row["reach"], row["predictive_low"], row["predictive_high"])}
        for row in records(p)
    ]
    return _block("predictive", rows, p)


def _expectations(found: list[Finding]) -> Block | None:
    rows = [
        {
            "key": f.hypothesis.key,
            "source": f.hypothesis.source,
            "effect": f.shown,
            "scale": f.hypothesis.scale,
            "p": f.p_value,
            "p_adjusted": f.p_adjusted,
            "verdict": f.verdict,
            "graphs": f.effect.graphs if f.effect else 0,
            "contrasts": f.effect.contrasts if f.effect else 0,
        }
        for f in found
    ]
    flat = [
        {k: v for k, v in row.items() if k != "effect"}
        | dict(zip(("effect", "low", "high"), f.shown or UNKNOWN, strict=True))
        for row, f in zip(rows, found, strict=True)
    ]
    asked = [row for row in rows if row["verdict"] != "not asked"]
    return _block("expectations", asked, pd.DataFrame(flat))


def _parameters(tables: StudyTables) -> Block | None:
    """Parameters that a model marks as assumed or prior, once where models share them."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for model in tables.study.get("models", []):
        for p in model.get("parameters", []):
            key = tuple(str(p.get(k)) for k in ("name", "value", "standing", "note"))
            entry = {"parameter": p["name"], "value": p["value"], "standing": p["standing"], "note": p.get("note", "")}
            found.setdefault(key, entry | {"models": []})["models"].append(str(model.get("name") or model.get("model")))
    rows = [
        row | {"models": ", ".join(dict.fromkeys(row["models"])), "value": format.show(row["value"])}
        for row in found.values()
    ]
    return _block("parameters", rows, pd.DataFrame(rows))


def _listed(words: pd.Series[Any]) -> str:
    return ", ".join(dict.fromkeys(words))


def _skipped(tables: StudyTables) -> Block | None:
    frame = pd.DataFrame(tables.study.get("skipped", []), columns=["strategy", "graph", "budget", "reason"]).astype(str)
    groups = frame.groupby(["strategy", "reason"], sort=False)
    joined = groups[["graph", "budget"]].agg(_listed).reset_index()
    return _block("skipped", records(joined), frame)


def _cells(tables: StudyTables) -> Block | None:
    c = tables.crossed if len(tables.crossed) else tables.designed
    rows = [
        {"model": tables.name(row, ("place",)), "reach": _interval(row, "reach"), "ratio": format.Share(row["ratio"])}
        | {name: row[name] for name in ("place", "budget", "strategy")}
        | {
            name: float(row[name])
            for name in ("n_seeds", "reach_sd_between", "reach_se_within", "cost", "reach_per_cost")
        }
        | {"global": _interval(row, "global_probability").times(100.0)}
        for row in records(c)
    ]
    return _block("conditions", rows, tables.conditions)


def _points(row: Any, name: str) -> Interval:
    """Return a share with its interval in percent."""
    return _interval(row, name).times(100.0)


def _level(value: Any, digits: int) -> str:
    """Write a level of a factor, a number or a text that may be one."""
    try:
        return format.number(float(value), digits)
    except ValueError:
        return str(value)


def _csv(frame: pd.DataFrame) -> str:
    """Return a table as a data: address that a link can download."""
    text = frame.to_csv(index=False, float_format="%.6g")
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def _packed(frame: pd.DataFrame) -> str:
    """Return a large table as a gzipped one; the same table gives the same bytes."""
    text = frame.dropna(axis=1, how="all").to_csv(index=False, float_format="%.6g")
    return "data:application/gzip;base64," + base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _environment() -> Environment:
    # Everything that is put into the page is escaped, but for the SVG that this package has drawn itself.
    environment = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(format, name) for name in format.__all__ if name[0].islower()}
    environment.filters |= {"csv": _csv, "packed": _packed, "missing": missing, "number_of": _level, "points": _points}
    environment.globals["triple"] = _interval
    return environment
