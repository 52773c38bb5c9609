"""The figures on structure: reach, R and outbreaks against mixing, every other sweep, and shares by community."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ... import plotting
from ..analysis import factor_effects
from ..format import number
from ..read import StudyTables, records
from .answer import at_home
from .base import (
    ACCENT,
    FACTORS,
    WIDTH,
    Figure,
    Panel,
    at_right,
    colours_of,
    finish,
    heading,
    line_panel,
    shown,
    telling,
)

__all__ = ["community_figures"]

MEASURES = {"R": "R", "R_predicted": "R", "outbreak_probability": "outbreak probability", "reach": "reach (users)"}
MOST_SWEEPS, MOST_BARS = 9, 9


def community_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on community structure and on the other factors that are swept."""
    drawn = [_mixing(tables), _sweeps(tables), _shares(tables)]
    return [figure for figure in drawn if figure is not None]


def _lines(own: pd.DataFrame, measure: str, series: str, *, dashed: bool = False) -> pd.DataFrame:
    ends = own[[measure, f"{measure}_low", f"{measure}_high"]].set_axis(["value", "low", "high"], axis=1)
    named = bool(own["value"].isna().any())
    texts = [shown(level) if level else number(x, 3) for level, x in zip(own["level"], own["x"], strict=True)]
    frame = ends.assign(x=own["x"], level=texts, series=own[series], dashed=dashed, named=named)
    return frame[frame["value"].notna()]


def _mixing(tables: StudyTables) -> Figure | None:
    """Reach by strategy and model against mixing; R of models that have one; outbreaks of those that have none."""
    own = at_home(tables.sweeps.get("mixing", tables.crossed.iloc[:0]))
    if own.empty or own["x"].nunique() < 2:
        return None
    own = own[own["budget"] == own["budget"].iloc[-1]]
    panels = []
    for i, (name, part) in enumerate(own.groupby("model_name", sort=False)):
        if i < 4:
            panels.append(
                line_panel(
                    _lines(part, "reach", "strategy"),
                    colours_of(tables),
                    name=f"x{i}",
                    head=str(name),
                    xlabel="mixing",
                    ylabel="reach (users)",
                )
            )
    colours = _model_colours(tables)
    once = own.drop_duplicates(["model_name", "rule", "x"])
    with_R = once[once["R_predicted"].notna()]
    if len(with_R):
        frame = pd.concat([_lines(with_R, "R_predicted", "model_name"), _lines(with_R, "R", "model_name", dashed=True)])
        panels.append(
            line_panel(frame, colours, name="xr", head="R of graph and model", xlabel="mixing", ylabel="R", line=1.0)
        )
    frame = _lines(_one_strategy(own), "outbreak_probability", "model_name")
    if len(frame):
        panels.append(
            line_panel(
                frame,
                colours,
                name="xo",
                head="Outbreaks",
                second=_one_strategy(own)["strategy"].iloc[0],
                xlabel="mixing",
                ylabel="share of runs",
                log_y=False,
            )
        )
    facts = {"effects": [e for e in factor_effects(tables) if e.factor == "mixing"], "best": _best(own)}
    columns = [
        "x",
        *FACTORS,
        *(f"{m}{e}" for m in ("reach", "R", "R_predicted", "outbreak_probability") for e in ("", "_low", "_high")),
    ]
    return Figure("mixing", panels, own[[*columns, "replicates"]], facts)


def _best(own: pd.DataFrame) -> list[tuple[str, str]]:
    """By contagion the mixing at which median reach over models and strategies is highest."""
    reach = own.groupby(["contagion", "x"])["reach"].median().reset_index().sort_values("reach")
    best = reach.drop_duplicates("contagion", keep="last")
    return [(str(row["contagion"]), number(row["x"], 3)) for row in records(best)]


def _one_strategy(own: pd.DataFrame) -> pd.DataFrame:
    """Conditions of the strategy that is swept most often, random seeds last."""
    counts = own["strategy"].value_counts(sort=False).to_dict()
    best = max(counts, key=lambda s: (counts[s], s != "random"))
    rows: pd.DataFrame = own[own["strategy"] == best]
    return rows


def _model_colours(tables: StudyTables) -> dict[str, str]:
    return {
        str(n): plotting.PALETTE[i % len(plotting.PALETTE)]
        for i, n in enumerate(tables.designed["model_name"].unique())
    }


def _sweeps(tables: StudyTables) -> Figure | None:
    """Reach against every factor that is swept but mixing and budget, one line a model."""
    factors = [f for f in tables.sweeps if f not in ("mixing", "budget")]
    panels, frames = [], []
    for i, factor in enumerate(factors):
        own = _one_strategy(at_home(tables.sweeps[factor]))
        own = own[own["budget"] == own["budget"].iloc[-1]]
        frames.append(own.assign(factor=factor))
        if i < MOST_SWEEPS:
            head = str(factor)
            panels.append(
                line_panel(
                    _lines(own, "reach", "model_name"),
                    _model_colours(tables),
                    name=f"w{i}",
                    head=head,
                    height=206,
                    xlabel="",
                    ylabel="reach (users)",
                )
            )
    if not panels:
        return None
    effects = [e for e in factor_effects(tables) if e.factor in factors]
    facts = {"effect": max(effects, key=lambda e: abs(e.effect.change.value)) if effects else None}
    facts["strategy"] = frames[0]["strategy"].iloc[0]
    columns = ["factor", "level", "value", *FACTORS, "reach", "reach_low", "reach_high", "replicates"]
    return Figure("sweeps", panels, pd.concat(frames)[columns], facts)


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
    panels = [
        _share_panel(tables, own.assign(place=r.loc[own.index, "place"]), f"h{i}") for i, own in enumerate(groups)
    ]
    shares = tables.reach_by_community
    top = shares.loc[shares["cell"].isin(set(cells["cell"]))].groupby("cell")["share"].max()
    facts = {"low": float(top.min()), "high": float(top.max()), "strategy": strategy, "budget": budget}
    data = cells[["cell", *FACTORS, "replicate"]].merge(shares, on="cell").drop(columns="cell")
    return Figure("community-shares", panels, data, facts)


def _share_panel(tables: StudyTables, cells: pd.DataFrame, name: str) -> Panel:
    rows = records(cells)
    names = [row["place"] for row in rows]
    figure, axes = plotting.panel(WIDTH, 72 + 23 * len(names), left=16 + 6.2 * max(map(len, names)), right=74, top=28)
    heading(axes, tables.name(rows[0], ("place",)))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, fontsize=10)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    at_right(axes, "entered at")
    for position, row in enumerate(rows):
        own: Any = tables.reach_by_community[tables.reach_by_community["cell"] == row["cell"]]
        own = own.sort_values(["size", "community"], ascending=[False, True], kind="stable")
        start = 0.0
        for i, part in enumerate(100 * own["share"].fillna(0.0)):  # one dark shade, then two light ones in turn
            axes.barh(
                position,
                part,
                left=start,
                height=0.72,
                color=ACCENT,
                alpha=(0.7, 0.34, 0.18)[0 if not i else 2 - i % 2],
                linewidth=0,
            )
            if part >= 12:
                axes.text(start + part / 2, position, f"{part:.0f}", ha="center", va="center_baseline", fontsize=10)
            start += part
        later = own["entry_step"].iloc[1:]
        at_right(axes, f"step {number(float(later.mean()), 2)}" if later.notna().any() else "–", position, 10)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of reach (%)")
    return finish(figure, f"Share of reach by community, {tables.name(rows[0], ('place',))}", name)
