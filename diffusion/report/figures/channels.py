"""The figures on channels and stages: the funnel, and what the feed brings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ... import plotting
from ..format import Interval, label, number
from ..read import StudyTables, records
from .base import (
    ACCENT,
    FACTORS,
    Figure,
    Panel,
    at_right,
    data_of,
    dot_panel,
    finish,
    heading,
    marks_of,
    row_axes,
    width_of,
    with_ends,
)

__all__ = ["channel_figures"]


def channel_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on channels and stages."""
    drawn = [_funnel(tables), _feed_share(tables)]
    return [figure for figure in drawn if figure is not None]


def _funnel(tables: StudyTables) -> Figure | None:
    """Users by stage and channel of one cell a model: the strategy that reaches most at the largest budget."""
    r = tables.home_cells(tables.funnel)
    if r.empty:
        return None
    order = r.sort_values(["budget_value", "reach"], ascending=False, kind="stable")
    cells = tables.ordered(order.drop_duplicates(["model_name", "rule"])).head(4)
    panels = [_funnel_panel(tables, row, f"u{i}", width_of(len(cells))) for i, row in enumerate(records(cells))]
    data = cells[["cell", *FACTORS, "replicate"]].merge(tables.funnel, on="cell").drop(columns="cell")
    stages = data[data["channel"] == "all"].pivot_table(index="model_name", columns="stage", values="users")
    share = stages["shared"] / stages["exposed"] if {"shared", "exposed"} <= set(stages) else pd.Series()
    share = share[np.isfinite(share)]
    feed = bool((data.loc[data["channel"] == "feed", "users"] > 0).any())
    marks = [("■", "first met by a followed account"), ("□", "first met in the feed")] if feed else []
    facts = {"rates": (float(min(share)), float(max(share))) if len(share) else None, "budget": cells["budget"].iloc[0]}
    return Figure("funnel", panels, data, facts, marks)


def _funnel_panel(tables: StudyTables, row: dict[str, object], name: str, width: float) -> Panel:
    own = tables.funnel[tables.funnel["cell"] == row["cell"]]
    stages = list(dict.fromkeys(own["stage"]))
    used = [c for c in ("follow", "feed") if (own.loc[own["channel"] == c, "users"] > 0).any()] or ["all"]
    axes = row_axes(stages, width, 12.0 * len(used) + 7, left=80, right=84, top=42)
    head = tables.name(row, without=("graph", "place"))
    heading(axes, head, label(str(row["strategy"])))
    axes.grid(visible=False)
    height, highest = 0.8 / len(used), 0.0
    for bar in records(own[own["channel"].isin(used)]):
        at = stages.index(bar["stage"]) - 0.4 + (used.index(bar["channel"]) + 0.5) * height
        axes.barh(at, bar["users"], height=0.84 * height, color=ACCENT, alpha=0.2 if bar["channel"] == "feed" else 0.65)
        axes.plot([bar["low"], bar["high"]], [at, at], color=plotting.INK, linewidth=1.2)
        text = number(bar["users"], 3) + (f" · {number(100 * bar['rate'], 3)} %" if pd.notna(bar["rate"]) else "")
        at_right(axes, text, at)
        highest = max(highest, float(bar["high"]) if pd.notna(bar["high"]) else 0.0, float(bar["users"]))
    axes.set_xlim(0, 1.04 * highest or 1)
    axes.locator_params(axis="x", nbins=3)
    at_right(axes, "users · rate")
    axes.set_xlabel("users")
    return finish(axes.figure, f"Funnel, {head}", name)


def _feed_share(tables: StudyTables) -> Figure | None:
    """Share of reach that was first met in the feed, by strategy, for models with a feed."""
    r = tables.home[tables.home["feed_share"] > 0]
    if r.empty:
        return None
    r = r.sort_values("budget_value", kind="stable")
    r = r[r["budget"] == r["budget"].iloc[-1]]
    r = r[r["graph"] == r["graph"].iloc[0]]
    frame = with_ends(r, "feed_share", 100, row=r["strategy"].map(label), level=r["model_name"])
    panel = dot_panel(frame, "e", "By strategy", "share of reach first met in the feed (%)")
    order = frame.sort_values("value", kind="stable")
    ends = [(e["row"], e["level"], Interval(e["value"], e["low"], e["high"])) for e in records(order)]
    facts = {"ends": (ends[0], ends[-1]), "budget": r["budget"].iloc[0]}
    marks = marks_of(list(dict.fromkeys(frame["level"])))
    return Figure("feed-share", [panel], data_of(r, ["feed_share"]), facts, marks)
