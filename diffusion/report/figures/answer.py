"""The three figures that answer: where Share & Spread grows, whom to pay, and what matters most."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..analysis import Contrast, baseline_of, factor_effects, mean_effect, strategy_effects
from ..format import Interval, axis_name, label, number
from ..read import StudyTables, records
from .base import (
    ACCENT,
    BROAD,
    Figure,
    Panel,
    data_of,
    dot_panel,
    finish,
    heading,
    heat_panel,
    marks_of,
    row_axes,
    shown,
    telling,
    with_ends,
)

__all__ = ["answer_figures"]

MOST_BARS = 13


def answer_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures of the first screen."""
    drawn = [_phase_map(tables), _pay(tables), _sensitivity(tables) or _factors(tables)]
    return [figure for figure in drawn if figure is not None]


# --- (a) where it grows ----------------------------------------------------------------------------------------------


def _phase_map(tables: StudyTables) -> Figure | None:
    """Reach, or the probability of a global cascade where no R exists, over two factors, with the contour R = 1."""
    groups = []
    for rows in tables.maps:
        named = [s for s in tables.strategies if s in set(rows["strategy"]) and s != "random"]
        rows = rows[rows["strategy"] == (named or list(rows["strategy"]))[0]]
        groups += [own for _, own in rows.groupby(["model_name", "rule", "place"], sort=False)]
    if not groups:
        return None
    measures = [_measure_of(own) for own in groups[:3]]
    panels = [_map_panel(tables, own, m, f"m{i}") for i, (own, m) in enumerate(zip(groups, measures, strict=False))]
    crossings = [(own.iloc[0], _crossing(tables, own)) for own in groups]
    facts: dict[str, Any] = {"crossing": next(((row, c) for row, c in crossings if c is not None), None), "ends": None}
    ignition = [own for own, m in zip(groups, measures, strict=False) if m == "global_probability"]
    if ignition:
        rows = pd.concat(ignition).sort_values("global_probability", kind="stable")
        facts["ends"] = records(rows.iloc[[0, -1]])
    data = data_of(
        pd.concat(groups), ("reach", "global_probability", "R_predicted"), "factor", "level", "factor_y", "level_y"
    )
    return Figure("phase-map", panels, data, facts)


def _measure_of(own: pd.DataFrame) -> str:
    """The probability of a global cascade where R does not exist and it varies, else the share of users reached."""
    p = own["global_probability"]
    ignites = own["R_predicted"].isna().all() and p.max() - p.min() >= 0.05
    return "global_probability" if ignites else "reach_share"


def _crossing(tables: StudyTables, own: pd.DataFrame) -> Interval | None:
    """Value of the first factor at which R as predicted is 1, mean over the levels of the second, over graphs."""
    R, found = tables.by_replicate("R_predicted"), []
    if own["value"].isna().any() or not (own["value"] > 0).all():
        return None
    for _, row in own.groupby("level_y", sort=False):
        row = row.sort_values("value")
        logs = np.log(np.array([R[c] for c in row["condition"]]))
        at = np.full(logs.shape[1], math.nan)
        for g in np.flatnonzero((logs[0] < 0) & (logs[-1] > 0)):
            i = int(np.flatnonzero((logs[:-1, g] < 0) & (logs[1:, g] >= 0))[-1])
            share = -logs[i, g] / (logs[i + 1, g] - logs[i, g])
            at[g] = np.interp(share, [0, 1], np.log(row["value"].to_numpy(dtype=float))[i : i + 2])
        found.append(Contrast(at, math.nan))
    effect = mean_effect(found, tables.confidence)
    return effect.change.ratio if effect else None


def _map_panel(tables: StudyTables, own: pd.DataFrame, measure: str, name: str) -> Panel:
    first = own.iloc[0]
    axes_of = {}
    for axis, level, value in (("x", "level", "value"), ("y", "level_y", "value_y")):
        levels = own[[level, value]].drop_duplicates(level).sort_values(value, kind="stable").reset_index(drop=True)
        axes_of[axis] = levels.rename(columns={level: "level", value: "value"})
    x, y = axes_of["x"], axes_of["y"].iloc[::-1].reset_index(drop=True)
    cells = own.assign(
        x=own["level"].map({v: i for i, v in enumerate(x["level"])}),
        y=own["level_y"].map({v: i for i, v in enumerate(y["level"])}),
    )
    simple = bool(own["R_predicted"].notna().any())
    cells = cells.assign(shade=cells[measure], text=[number(100 * v, 2) for v in cells[measure]])
    what = "runs that become global, %"
    if measure == "reach_share":
        logs, what = np.log(cells[measure].clip(lower=1e-9)), "reach, % of users"
        cells["shade"] = (logs - logs.min()) / (logs.max() - logs.min() or 1.0)
    head = tables.name(first, without=("graph", "place"))
    place = {"anywhere": "", "one community": ", seeds in one community"}.get(
        first["place"], f", seeds {first['place']}"
    )
    columns, rows = ([shown(v) for v in axis["level"]] for axis in (x, y))
    labels: dict[str, Any] = {
        "second": what,
        "xlabel": axis_name(first["factor"]),
        "ylabel": axis_name(first["factor_y"]),
    }
    figure, axes = heat_panel(cells, f"{head}{place}", columns, rows, row_height=30, **labels)
    R = cells.pivot_table(index="y", columns="x", values="R_predicted")
    R = R.reindex(index=range(len(y)), columns=range(len(x)))
    values = np.log(R.to_numpy(dtype=float)) if simple else np.empty((0, 0))
    if simple and min(values.shape) > 1 and np.nanmin(values) < 0 < np.nanmax(values):
        # The line goes on to the edges of the outer cells.
        wide = np.pad(values, 1, mode="edge")
        at_x, at_y = (np.array([-0.5, *range(n), n - 0.5]) for n in (len(x), len(y)))
        axes.contour(at_x, at_y, wide, levels=[0.0], colors=[plotting.INK], linewidths=[2.0])
        row = values[0]
        cross = np.flatnonzero(np.diff(np.sign(row)) != 0)
        if len(cross):
            heads = {"ha": "center", "fontsize": 10, "fontweight": "bold"}
            axes.annotate("R = 1", (cross[0] + 0.5, -0.5), xytext=(0, 2), textcoords="offset points", **heads)
    for other, text in _others(tables, first, x):
        at = float(np.interp(other, x["value"].to_numpy(dtype=float), range(len(x))))
        axes.axvline(at, color=plotting.INK, linewidth=1.1, dashes=(1.5, 2))
        axes.annotate(text, (at, len(y) - 0.5), xytext=(3, 3), textcoords="offset points", fontsize=9.5, style="italic")
    return finish(figure, f"{what} over {first['factor']} and {first['factor_y']}, {head}{place}", name)


def _others(tables: StudyTables, first: Any, x: pd.DataFrame) -> list[tuple[float, str]]:
    """Other models of this kind of contagion whose value of the factor lies inside the axis."""
    factor = first["factor"]
    if factor not in tables.model_factors or x["value"].isna().any():
        return []
    others = tables.crossed[tables.crossed["contagion"] == first["contagion"]].drop_duplicates("model_name")
    base = others.loc[others["model_name"] == first["model_name"], factor]
    found: dict[float, str] = {}
    for row in records(others[others["model_name"] != first["model_name"]]):
        value = float(row[factor])
        if x["value"].min() <= value <= x["value"].max() and value not in set(base):
            found.setdefault(value, str(row["model_name"]))
    return list(found.items())[:2]


# --- (b) whom to pay -------------------------------------------------------------------------------------------------


def _pay(tables: StudyTables) -> Figure | None:
    """Reach of strategies at the lowest, the middle and the highest budget, and what a user reached costs."""
    r = tables.home
    if r.empty:
        return None
    kind = "money" if (r["budget_kind"] == "money").any() else "k"
    r = r[r["budget_kind"] == kind]
    budgets = r[["budget_value", "budget"]].drop_duplicates("budget").sort_values("budget_value")["budget"].tolist()
    kept = list(dict.fromkeys((budgets[0], budgets[len(budgets) // 2], budgets[-1])))
    panels = []
    for i, own in enumerate(telling(tables, r)):
        own = own[own["budget"].isin(kept)].sort_values("budget_value", kind="stable")
        order = own.groupby("strategy")["reach"].max().sort_values(ascending=False).index
        own = own.assign(rank=own["strategy"].map(list(order).index)).sort_values(["rank", "budget_value"])
        frame = with_ends(own, "reach", row=own["strategy"].map(label), level=own["budget"])
        frame["note"] = [number(1 / v, 2) if v > 0 else "–" for v in own["reach_per_cost"]]
        notes = "RMB a user" if own["reach_per_cost"].notna().any() else ""
        head = tables.name(own.iloc[0], without=("place",))
        panels.append(dot_panel(frame, f"p{i}", head, "reach (users)", log=True, notes=notes))
    effects = strategy_effects(tables)
    facts = {"best": effects[0] if effects else None, "baseline": baseline_of(tables), "budget": kept[-1], "kind": kind}
    data = data_of(r, ("reach", "reach_per_cost"), "cost", "reach_sd_between", "reach_se_within")
    return Figure("pay", panels, data, facts, marks_of(kept))


# --- (c) what matters most -------------------------------------------------------------------------------------------


def _sensitivity(tables: StudyTables) -> Figure | None:
    """Total Sobol indices as bars with their intervals, and those of first order as marks."""
    s = tables.sensitivity
    s = s[s["total"].notna()]
    if s.empty:
        return None
    s = s.sort_values("total", ascending=False)
    measures = sorted(set(s["measure"]), key=lambda m: m != "log reach")
    panels = [_bars(s[s["measure"] == m].head(MOST_BARS), m, f"s{i}") for i, m in enumerate(measures)]
    own = s[s["measure"] == measures[0]]
    chance = own["input"] == "graph and draw"
    facts = {"measure": measures[0], "rows": records(own[~chance].head(2)), "chance": records(own[chance])}
    return Figure("matter", panels, s, facts | {"n": int(s["evaluations"].max())})


def _bars(own: pd.DataFrame, measure: str, name: str) -> Panel:
    names = [axis_name(name) for name in own["input"]]
    axes = row_axes(names, BROAD, 19, left=min(18 + 6.2 * max(map(len, names)), 190.0))
    heading(axes, f"Variance of {measure}")
    for i, row in enumerate(records(own)):
        chance = row["input"] == "graph and draw"
        axes.barh(i, 100 * row["total"], height=0.66, color=plotting.GREY if chance else ACCENT, alpha=0.55)
        axes.plot([100 * max(row["total_low"], 0), 100 * row["total_high"]], [i, i], color=plotting.INK, linewidth=1.3)
        axes.plot([100 * max(row["first"], 0.0)], [i], marker="|", markersize=12, markeredgewidth=2, color=plotting.INK)
    axes.set_xlim(0, 105 * min(max(float(own["total_high"].max()), 0.1), 1.2))
    axes.set_xlabel("share of variance, with interactions (%)")
    return finish(axes.figure, f"Total sensitivity of {measure} by input", name)


def _factors(tables: StudyTables) -> Figure | None:
    """Without a sensitivity analysis: the average effect of every factor from its first level to its last."""
    effects = sorted(factor_effects(tables), key=lambda e: -abs(e.effect.change.value))[:MOST_BARS]
    if not effects:
        return None
    frame = pd.DataFrame([e.ratio for e in effects], columns=["value", "low", "high"]).assign(
        row=[f"{e.factor}: {label(shown(e.start))} → {label(shown(e.to))}" for e in effects],
        contagion=[f"{e.contagion or 'any'} contagion" for e in effects],
        graphs=[e.effect.graphs for e in effects],
        p_value=[e.effect.p_value() for e in effects],
        level="",
    )
    panels = [
        dot_panel(own, f"f{i}", str(head), "factor by which reach changes", log=True, line=1.0)
        for i, (head, own) in enumerate(frame.groupby("contagion", sort=False))
    ]
    return Figure("factors", panels, frame.drop(columns="level"), {"top": effects[0]})
