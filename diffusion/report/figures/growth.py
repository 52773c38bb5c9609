"""The figures on growth: R of graph and model as measured and predicted, and new activations per step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..analysis import mean_effect
from ..format import label
from ..hypotheses import prediction
from ..read import StudyTables, records
from .base import FACTORS, Figure, Panel, dot_panel, finish, heading, width_of, with_ends

__all__ = ["growth_figures"]

MOST_ROWS, MOST_CELLS = 14, 6


def growth_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on growth."""
    drawn = [reproduction(tables), _new_by_step(tables)]
    return [figure for figure in drawn if figure is not None]


def reproduction(tables: StudyTables) -> Figure | None:
    """R of graph and model, measured and predicted, with intervals over graphs."""
    models = tables.models[tables.models["R"].notna() | tables.models["R_predicted"].notna()]
    if models.empty:
        return None
    models = models.sort_values("R_predicted", ascending=False, kind="stable")
    names = [tables.name(row, ("place",)) for row in records(models)]
    measured, predicted = (
        with_ends(models, column, row=names, level=level).head(MOST_ROWS)
        for column, level in (("R", "measured"), ("R_predicted", "predicted"))
    )
    frame = pd.concat([measured, predicted])
    panel = dot_panel(frame, "r", "R of graph and model", "new sharers that a sharer makes", line=1.0)
    ratio = mean_effect(prediction(tables), tables.confidence)
    facts = {"ratio": ratio.change.ratio if ratio else None, "shown": len(measured), "n": len(models)}
    return Figure("r", [panel], models, facts, [("●", "measured"), ("□", "predicted by the operator")])


def _new_by_step(tables: StudyTables) -> Figure | None:
    """New activations by step of one cell a model: the one with most early steps, or else the widest reach."""
    r = tables.home_cells(tables.new_by_step)
    if r.empty:
        return None
    order = r.assign(early=r["fit_last"] - r["fit_first"]).sort_values(
        ["early", "reach"], ascending=False, kind="stable"
    )
    cells = tables.ordered(order.drop_duplicates(["model_name", "rule"])).head(MOST_CELLS)
    steps = tables.new_by_step[tables.new_by_step["cell"].isin(set(cells["cell"]))]
    top = 2.0 * float(steps["high"].max())
    width = width_of(len(cells))
    panels = [_growth_panel(tables, row, steps, top, f"n{i}", width) for i, row in enumerate(records(cells))]
    data = cells[["cell", *FACTORS, "replicate", "runs"]].merge(steps, on="cell").drop(columns="cell")
    models = tables.models.drop_duplicates(["model_name", "rule"])
    phases = {str(phase): own["model_name"].tolist() for phase, own in models.groupby("phase", sort=False)}
    return Figure("new", panels, data, {"phases": phases})


def _growth_panel(tables: StudyTables, row: Any, steps: pd.DataFrame, top: float, name: str, width: float) -> Panel:
    from matplotlib.ticker import MaxNLocator

    own = steps[steps["cell"] == row["cell"]].sort_values("step")
    m = tables.models
    of_model = m[(m["model_name"] == row["model_name"]) & (m["graph"] == row["graph"]) & (m["rule"] == row["rule"])]
    phase, cause = ((of_model[c].iloc[0] if len(of_model) else row[c]) for c in ("phase", "phase_cause"))
    figure, axes = plotting.panel(width, 212, left=54, top=42, bottom=42, right=12)
    head, second = tables.name(row, ("place",)), f"{label(row['strategy'])}, {row['budget']}"
    heading(axes, head, second)
    floor = 0.6
    visible = own[own["high"] >= 1]
    last = int(visible["step"].max()) + 1 if len(visible) else 1
    own = own[own["step"] <= last]
    first, end = int(row["fit_first"]), int(row["fit_last"])
    if end >= 0:
        axes.axvspan(first - 0.15, end + 0.15, color=plotting.GREY, alpha=0.16, linewidth=0, zorder=0)
    low, high = (own[side].clip(lower=floor / 2).tolist() for side in ("low", "high"))
    median = own["median"].where(own["median"] >= floor).tolist()
    plotting.band(
        axes,
        own["step"].tolist(),
        low,
        median,
        high,
        colour=plotting.PALETTE[0],
        marker="o" if len(own) <= 30 else None,
    )
    axes.set_ylim(floor, max(top, 10))
    axes.set_xlim(-0.4, last + 0.4)
    plotting.log_axis(axes, "y")
    window = own[(own["step"] >= first) & (own["step"] <= end) & (own["mean"] > 0)]
    if end > first >= 0 and math.isfinite(row["rate"]) and len(window):
        # Through the middle of the window, each step counting by its activations, as it does in the fit.
        middle = np.average(window["step"], weights=window["mean"])
        level = np.average(np.log(window["mean"]), weights=window["mean"])
        ends = np.array([first, min(end, last)])
        axes.plot(ends, np.exp(level + row["rate"] * (ends - middle)), color=plotting.INK, linewidth=1.6, dashes=(3, 2))
    forecast = own["mean"].iloc[:1].tolist() + (own["mean"].iloc[0] * own["R_predicted"].cumprod()).tolist()[:-1]
    axes.plot(own["step"], forecast, color=plotting.INK, linewidth=1.2, dashes=(1, 1.6))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.set_xlabel("step")
    axes.set_ylabel("new active users")
    return finish(figure, f"New activations by step, {head}, {second}", name, phase=str(phase), cause=str(cause))
