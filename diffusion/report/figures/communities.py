"""The figures on structure: reach, R and global cascades against mixing, every other sweep, and shares by community."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..analysis import factor_effects, model_effects
from ..format import axis_name, number
from ..read import StudyTables, at_home, records
from .base import (
    ACCENT,
    FACTORS,
    WIDTH,
    Figure,
    Panel,
    at_right,
    colours_of,
    data_of,
    finish,
    heading,
    line_panel,
    row_axes,
    shown,
    telling,
    with_ends,
)

__all__ = ["community_figures"]

MOST_SWEEPS, MOST_BARS = 9, 9


def community_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on community structure and on the other factors that are swept."""
    drawn = [_mixing(tables), _sweeps(tables), _shares(tables)]
    return [figure for figure in drawn if figure is not None]


def _lines(own: pd.DataFrame, measure: str, series: str, *, dashed: bool = False) -> pd.DataFrame:
    texts = [shown(level) if level else number(x, 3) for level, x in zip(own["level"], own["x"], strict=True)]
    named = bool(own["value"].isna().any())
    frame = with_ends(own, measure, x=own["x"], level=texts, series=own[series], dashed=dashed, named=named)
    return frame[frame["value"].notna()]


def _mixing(tables: StudyTables) -> Figure | None:
    """Reach by strategy and model against mixing; R where it exists; global cascades."""
    own = at_home(tables.sweeps.get("mixing", tables.crossed.iloc[:0]))
    if own.empty:
        return None
    own = own[own["budget"] == own["budget"].iloc[-1]]
    colours, panels = _model_colours(tables), []
    for i, (name, part) in enumerate(own.groupby("model_name", sort=False)):
        frame = _lines(part, "reach", "strategy")
        panels.append(line_panel(frame, colours_of(tables), f"x{i}", str(name), "mixing", "reach (users)"))
    panels = panels[:4]
    once = own.drop_duplicates(["model_name", "rule", "x"])
    frame = pd.concat([_lines(once, "R_predicted", "model_name"), _lines(once, "R", "model_name", dashed=True)])
    if len(frame):
        panels.append(line_panel(frame, colours, "xr", "R of graph and model", "mixing", "R", line=1.0))
    one = _one_strategy(own)
    frame = _lines(one, "global_probability", "model_name")
    if len(frame) and np.ptp(frame["value"]) > 0.02:
        second, ylabel = one["strategy"].iloc[0], "share of runs"
        panel = line_panel(frame, colours, "xo", "Global cascades", "mixing", ylabel, second=second, log_y=False)
        panels.append(panel)
    facts = {"effects": model_effects(tables, "mixing")}
    data = data_of(own, ("reach", "R", "R_predicted", "global_probability"), "x")
    return Figure("mixing", panels, data, facts)


def _one_strategy(own: pd.DataFrame) -> pd.DataFrame:
    """Conditions of the strategy that is swept most often, random seeds last."""
    counts = own["strategy"].value_counts(sort=False).to_dict()
    best = max(counts, key=lambda s: (counts[s], s != "random"))
    rows: pd.DataFrame = own[own["strategy"] == best]
    return rows


def _model_colours(tables: StudyTables) -> dict[str, str]:
    names, palette = tables.designed["model_name"].unique(), plotting.PALETTE
    return {str(name): palette[i % len(palette)] for i, name in enumerate(names)}


def _sweeps(tables: StudyTables) -> Figure | None:
    """Reach against every factor that is swept but mixing and budget, one line a model."""
    factors = [f for f in tables.sweeps if f not in ("mixing", "budget")]
    panels, frames = [], []
    for i, factor in enumerate(factors):
        own = _one_strategy(at_home(tables.sweeps[factor]))
        own = own[own["budget"] == own["budget"].iloc[-1]]
        frames.append(own.assign(factor=factor))
        frame = _lines(own, "reach", "model_name")
        panels.append(
            line_panel(frame, _model_colours(tables), f"w{i}", axis_name(factor), "", "reach (users)", height=206)
        )
    if not panels:
        return None
    effects = [e for e in factor_effects(tables) if e.factor in factors]
    facts = {"effect": max(effects, key=lambda e: abs(e.effect.change.value)) if effects else None}
    facts["strategy"] = frames[0]["strategy"].iloc[0]
    data = data_of(pd.concat(frames), ["reach"], "factor", "level", "value")
    return Figure("sweeps", panels[:MOST_SWEEPS], data, facts)


def _shares(tables: StudyTables) -> Figure | None:
    """Share of reach by community of cells that differ in model and place, and how many communities they enter."""
    r = tables.results[tables.results["cell"].isin(set(tables.reach_by_community["cell"]))]
    r = r[r["condition"].isin(set(tables.crossed["condition"])) & (r["replicate"] == r["replicate"].min())]
    if r.empty:
        return None
    placed = r[r["strategy"].isin(r.loc[r["place"] != "anywhere", "strategy"])]
    r = placed if len(placed) else r
    strategy, budget = r["strategy"].iloc[0], r.sort_values("budget_value")["budget"].iloc[-1]
    cells = r[(r["strategy"] == strategy) & (r["budget"] == budget)].head(3 * MOST_BARS)
    groups = telling(tables, cells.assign(place=""), 3)
    groups = [own.assign(place=r.loc[own.index, "place"]) for own in groups]
    panels = [_share_panel(tables, own, f"h{i}") for i, own in enumerate(groups)]
    shares = tables.reach_by_community
    top = shares.loc[shares["cell"].isin(set(cells["cell"]))].groupby("cell")["share"].max()
    facts = {"low": float(top.min()), "high": float(top.max()), "strategy": strategy, "budget": budget}
    data = cells[["cell", *FACTORS, "replicate"]].merge(shares, on="cell").drop(columns="cell")
    return Figure("community-shares", panels, data, facts)


def _share_panel(tables: StudyTables, cells: pd.DataFrame, name: str) -> Panel:
    rows = records(cells)
    names = [row["place"] for row in rows]
    axes = row_axes(names, WIDTH, 23, left=16 + 6.2 * max(map(len, names)), right=74)
    heading(axes, tables.name(rows[0], ("place",)))
    axes.grid(visible=False)
    at_right(axes, "entered at")
    for position, row in enumerate(rows):
        own: Any = tables.reach_by_community[tables.reach_by_community["cell"] == row["cell"]]
        own = own.sort_values(["size", "community"], ascending=[False, True], kind="stable")
        start = 0.0
        for i, part in enumerate(100 * own["share"].fillna(0.0)):  # one dark shade, then two light ones in turn
            alpha = (0.7, 0.34, 0.18)[0 if not i else 2 - i % 2]
            axes.barh(position, part, left=start, height=0.72, color=ACCENT, alpha=alpha, linewidth=0)
            if part >= 12:
                axes.text(start + part / 2, position, f"{part:.0f}", ha="center", va="center_baseline", fontsize=10)
            start += part
        later = own["entry_step"].iloc[1:]
        at_right(axes, f"step {number(float(later.mean()), 2)}" if later.notna().any() else "–", position, 10)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of reach (%)")
    return finish(axes.figure, f"Share of reach by community, {tables.name(rows[0], ('place',))}", name)
