"""The figures on channels and stages: the funnel, and how much of the reach the feed brings."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ... import plotting
from ..format import Interval, label, number, show
from ..read import StudyTables, largest, records
from .base import FACTORS, Figure, Look, Panel, beside, dot_panel, finish, heading, marks_of

__all__ = ["channel_figures"]

DARK, LIGHT = "#3d3d3d", "#ffffff"
MOST_PANELS = 4


def channel_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on the funnel and on the feed."""
    drawn = [_funnel(tables), _feed_share(tables, Look(tables))]
    return [figure for figure in drawn if figure is not None]


def _middle_graph(rows: pd.DataFrame) -> pd.DataFrame:
    """Cells at the largest budget, seeds anywhere where there are such, on the graph in the middle of the mixings."""
    free = rows[rows["place"] == "anywhere"]
    rows = free if len(free) else rows
    rows = rows[rows["budget_value"] == rows["budget_value"].max()]
    graphs = list(rows.drop_duplicates("graph").sort_values("mixing", na_position="first", kind="stable")["graph"])
    middle: pd.DataFrame = rows[rows["graph"] == graphs[len(graphs) // 2]]
    return middle


def _funnel(tables: StudyTables) -> Figure | None:
    rows = tables.seeded[tables.seeded["cell"].isin(set(tables.funnel["cell"]))]
    if rows.empty:
        return None
    rows = _middle_graph(rows[rows["feed"].fillna(-1.0) == rows["feed"].fillna(-1.0).max()])
    cells = rows.loc[rows.groupby("model", sort=False)["reach"].idxmax()].head(MOST_PANELS)
    panels = [_funnel_panel(tables, row, f"f{i}") for i, row in enumerate(records(cells))]
    everyone = tables.funnel[tables.funnel["channel"] == "all"].pivot_table(
        index="cell", columns="stage", values="users"
    )
    everyone = everyone.reindex(cells["cell"])
    rates = (everyone["shared"] / everyone["exposed"]).dropna()
    data = cells[["cell", *FACTORS, "runs"]].merge(tables.funnel, on="cell").drop(columns="cell")
    feed = bool((tables.funnel.loc[tables.funnel["channel"] == "feed", "users"] > 0).any())
    marks = [("■", "first met by a followed account"), ("□", "first met in the feed")] if feed else []
    facts = {
        "rates": (float(rates.min()), float(rates.max())) if len(rates) else None,
        "budget": cells["budget"].iloc[0],
    }
    return Figure("funnel", panels, data, facts, marks)


def _funnel_panel(tables: StudyTables, row: dict[str, Any], key: str) -> Panel:
    own = tables.funnel[tables.funnel["cell"] == row["cell"]]
    stages = list(dict.fromkeys(own["stage"]))
    used = [c for c in ("follow", "feed") if (own.loc[own["channel"] == c, "users"] > 0).any()] or ["all"]
    figure, axes = plotting.panel(height=90 + (19.0 * len(used) + 8) * len(stages), left=92, right=122, top=42)
    head = tables.name(row, without=("graph", "place")) or row["model"]
    heading(axes, head, f"{label(row['strategy'])}, {row['n_seeds']:,} seeds")
    axes.set_ylim(len(stages) - 0.5, -0.5)
    axes.set_yticks(range(len(stages)), stages)
    axes.grid(visible=False, axis="x")
    height, highest = 0.8 / len(used), 0.0
    for bar in records(own[own["channel"].isin(used)]):
        at = stages.index(bar["stage"]) - 0.4 + (used.index(bar["channel"]) + 0.5) * height
        face = LIGHT if bar["channel"] == "feed" else DARK
        axes.barh(at, bar["users"], height=0.84 * height, color=face, edgecolor=DARK, linewidth=1.1)
        axes.plot([bar["low"], bar["high"]], [at, at], color=plotting.GREY, linewidth=1.4)
        text = number(bar["users"], 3) + (f" · {number(100 * bar['rate'], 3)} %" if pd.notna(bar["rate"]) else "")
        beside(axes, text, at)
        highest = max(highest, float(bar["users"]))
    axes.set_xlim(0, 1.04 * highest or 1)
    axes.locator_params(axis="x", nbins=4)
    axes.annotate("users · rate", (1.03, 1.01), xycoords="axes fraction", va="bottom", fontsize=10, color=plotting.GREY)
    axes.set_xlabel("users")
    return finish(figure, f"Funnel, {head}", key)


def _feed_share(tables: StudyTables, look: Look) -> Figure | None:
    r = tables.seeded[tables.seeded["feed_share"].notna() & (tables.seeded["feed"] > 0)]
    if r.empty:
        return None
    own = _middle_graph(r)
    factors = [f for f in tables.model_factors if f != "identify" and own[f].nunique() > 1]
    own = own.sort_values(factors, kind="stable")
    levels = [", ".join(f"{f} {show(row[f])}" for f in factors) for row in records(own)]
    own = own.assign(row=own["strategy"], level=levels, value=100 * own["feed_share"])
    own = own.assign(low=100 * own["feed_share_low"], high=100 * own["feed_share_high"])
    xlabel = "share of reach first met in the feed (%)"
    panels = [
        dot_panel(part, name=f"g{i}", head=f"Identification {identify}", xlabel=xlabel, colours=look.colour)
        for i, (identify, part) in enumerate(own.groupby("identify", sort=False))
    ]
    ends = largest(r.assign(least=-r["feed_share"]), "least"), largest(r, "feed_share")
    found = [
        (e["strategy"], Interval(e["feed_share"], e["feed_share_low"], e["feed_share_high"]).times(100)) for e in ends
    ]
    columns = ["feed_share", "feed_share_low", "feed_share_high", "redundancy", "runs"]
    data = r[[*FACTORS, *tables.model_factors, *columns]]
    return Figure(
        "feed-share",
        panels,
        data,
        {"ends": found, "budget": own["budget"].iloc[0]},
        marks_of(list(dict.fromkeys(levels))),
    )
