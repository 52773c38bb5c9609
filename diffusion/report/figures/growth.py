"""The figures on growth: R of graph and model, forecasts of campaigns, new activations per step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..analysis import of_graph_and_model
from ..format import Interval, label
from ..read import StudyTables, largest, records
from .base import FACTORS, Figure, Look, Panel, dot_panel, finish, heading

__all__ = ["growth_figures"]

MOST_ROWS = 18
CAMPAIGN = ["R_campaign_predicted", "R_campaign", "R_campaign_low", "R_campaign_high"]


def growth_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on growth."""
    drawn = [_reproduction(tables), _new_by_step(tables, Look(tables))]
    return [figure for figure in drawn if figure is not None]


def _reproduction(tables: StudyTables) -> Figure | None:
    """R of graph and model as measured, and the R of campaigns against its forecast."""
    models = of_graph_and_model(tables.results)
    models = models[models["R"].notna()]
    if models.empty:
        return None
    shown = models.sort_values("R", ascending=False).iloc[
        np.linspace(0, len(models) - 1, min(len(models), MOST_ROWS)).round().astype(int)
    ]
    rows = [tables.name(row, without=("place",)) or row["model"] for row in records(shown)]
    columns = {"R_low": "low", "R": "value", "R_high": "high"}
    measured = shown[list(columns)].rename(columns=columns).assign(row=rows, level="measured")
    predicted = measured.assign(value=shown["R_predicted"], low=math.nan, high=math.nan, level="predicted")
    frame = pd.concat([measured, predicted])
    panels = [
        dot_panel(frame, name="r", head="R of graph and model", xlabel="new sharers of a typical sharer", line=1.0)
    ]
    both = tables.results[tables.results[CAMPAIGN[:2]].notna().all(axis=1)]
    facts: dict[str, Any] = {
        "top": _top(models),
        "low": float(models["R"].min()),
        "n": len(models),
        "shown": len(shown),
    }
    facts["above"] = models[models["R_low"] > 1]
    if len(both):
        panels.append(_forecasts(both))
        facts["forecast_ratio"] = float((both["R_campaign"] / both["R_campaign_predicted"]).median())
    data = tables.results[[*FACTORS, "R_predicted", "R", "R_low", "R_high", *CAMPAIGN, "phase", "phase_cause", "runs"]]
    return Figure("r", panels, data, facts, [("●", "measured"), ("□", "predicted")])


def _top(models: pd.DataFrame) -> Interval:
    row = largest(models, "R")
    return Interval(row["R"], row["R_low"], row["R_high"])


def _forecasts(both: pd.DataFrame) -> Panel:
    figure, axes = plotting.panel(height=290, left=50, right=20, top=48, bottom=44)
    heading(axes, "R of campaigns, by contagion")
    highest, at = 1.0, 2.0
    for i, (kind, own) in enumerate(both.groupby("contagion", sort=False)):
        colour = plotting.PALETTE[i]
        x, y = own["R_campaign_predicted"], own["R_campaign"]
        axes.plot(x, y, plotting.MARKERS[i], color=colour, markersize=3.5, alpha=0.6)
        highest = max(highest, float(x.max()), float(y.quantile(0.98)))
        width, height = figure.bbox.width, figure.bbox.height
        axes.figure.text(at / width, 1 - 30 / height, str(kind), fontsize=10.5, color=plotting.text_colour(colour))
        at += 7.2 * len(str(kind)) + 16
    axes.plot([0, highest], [0, highest], color=plotting.GREY, linewidth=1.1, dashes=(4, 3), zorder=1)
    axes.axhline(1, color=plotting.INK, linewidth=0.9, zorder=1)
    axes.set_xlim(0, 1.04 * highest)
    axes.set_ylim(0, 1.04 * highest)
    axes.set_xlabel("as forecast from its seeds")
    axes.set_ylabel("as measured")
    return finish(figure, "R of campaigns measured against forecast", "rp")


def _telling(tables: StudyTables) -> list[pd.Series[Any]]:
    """Of each kind of contagion the cell in which growth is clearest and the one that dies out most slowly; or the widest reach."""
    r = tables.seeded[tables.seeded["cell"].isin(set(tables.new_by_step["cell"]))]
    found: dict[str, pd.Series[Any]] = {}
    for _, group in r.groupby("contagion", sort=False):
        measured = group[group["R"].notna()]
        ends = (
            [largest(group, "reach")]
            if measured.empty
            else [_longest(measured[measured["R_low"] == measured["R_low"].max()])]
        )
        dying = measured[measured["phase"] == "subcritical"]
        ends += [_longest(dying)] if len(dying) else []
        for row in ends:
            found.setdefault(str(row["cell"]), row)
    return list(found.values())[:4]


def _longest(cells: pd.DataFrame) -> pd.Series[Any]:
    """Take the cell with the most early steps."""
    return largest(cells.assign(steps=cells["fit_last"] - cells["fit_first"]), "steps")


def _new_by_step(tables: StudyTables, look: Look) -> Figure | None:
    cells = _telling(tables)
    if not cells:
        return None
    steps = tables.new_by_step[tables.new_by_step["cell"].isin([row["cell"] for row in cells])]
    top = 2.0 * float(steps["high"].max())
    panels = [
        _growth_panel(tables, look, row, steps[steps["cell"] == row["cell"]].sort_values("step"), top, f"n{i}")
        for i, row in enumerate(cells)
    ]
    factors = tables.results[["cell", *FACTORS, "runs"]]
    phases = [str(row["phase"]) for row in cells]
    return Figure("new", panels, factors.merge(steps, on="cell").drop(columns="cell"), {"phases": phases})


def _growth_panel(
    tables: StudyTables, look: Look, row: pd.Series[Any], own: pd.DataFrame, top: float, name: str
) -> Panel:
    from matplotlib.ticker import MaxNLocator

    figure, axes = plotting.panel(height=250, left=54, top=42, bottom=42, right=12)
    head = tables.name(row, without=("place",)) or row["model"]
    second = f"{label(row['strategy'])}, {row['budget']}, {row['phase']}"
    heading(axes, head, second)
    floor, colour = 0.6, look.colour[str(row["strategy"])]
    visible = own[own["high"] >= 1]
    last = int(visible["step"].max()) + 1 if len(visible) else 1
    own = own[own["step"] <= last]
    first, end = int(row["fit_first"]), int(row["fit_last"])
    if end >= 0:
        axes.axvspan(first - 0.15, end + 0.15, color="#e9e9e9", linewidth=0, zorder=0)
    low, high = (own[side].clip(lower=floor / 2).tolist() for side in ("low", "high"))
    median = own["median"].where(own["median"] >= floor).tolist()
    marker = "o" if len(own) <= 30 else None
    plotting.band(axes, own["step"].tolist(), low, median, high, colour=colour, marker=marker)
    axes.set_ylim(floor, max(top, 10))
    axes.set_xlim(-0.4, last + 0.4)
    plotting.log_axis(axes, "y")
    window = own[(own["step"] >= first) & (own["step"] <= end) & (own["mean"] > 0)]
    if end > first >= 0 and math.isfinite(row["rate"]) and len(window):
        # Through the middle of the window, each step counting by its activations, as it does in the fit.
        middle = np.average(window["step"], weights=window["mean"])
        level = np.average(np.log(window["mean"]), weights=window["mean"])
        ends = np.array([first, min(end, last)])
        fit = np.exp(level + row["rate"] * (ends - middle))
        axes.plot(ends, fit, color=plotting.INK, linewidth=1.4, dashes=(3, 2))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.set_xlabel("step")
    axes.set_ylabel("new active users")
    used = float(own.loc[own["step"] <= end, "mean"].sum()) / float(row["reach"]) if end >= 0 else math.nan
    R = Interval(row["R"], row["R_low"], row["R_high"])
    facts = {"phase": row["phase"], "cause": row["phase_cause"], "R": R, "first": first, "last": end, "used": used}
    return finish(figure, f"New activations by step, {head}, {second}", name, **facts)
