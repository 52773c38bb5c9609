"""The three figures that answer: where Share & Spread grows, whom to pay, and what matters most."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..analysis import baseline_of, factor_effects, strategy_effects
from ..format import Interval, label, number
from ..read import StudyTables, records
from .base import (
    ACCENT,
    FACTORS,
    WIDTH,
    Figure,
    Panel,
    dot_panel,
    finish,
    heading,
    heat_panel,
    marks_of,
    shown,
    telling,
)

__all__ = ["answer_figures", "at_home"]

MOST_BARS = 13


def answer_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures of the first screen."""
    drawn = [_phase_map(tables), _pay(tables), _sensitivity(tables) or _factors(tables)]
    return [figure for figure in drawn if figure is not None]


# --- (a) where it grows ----------------------------------------------------------------------------------------------


def _phase_map(tables: StudyTables) -> Figure | None:
    """Reach, or the probability of an outbreak where no R exists, over two factors, with the contour R = 1."""
    groups = []
    for rows in tables.maps:
        named = [s for s in tables.strategies if s in set(rows["strategy"]) and s != "random"]
        rows = rows[rows["strategy"] == (named or list(rows["strategy"]))[0]]
        groups += [own for _, own in rows.groupby(["model_name", "rule", "place"], sort=False)]
    if not groups:
        return None
    panels = [_map_panel(tables, own, f"m{i}") for i, own in enumerate(groups[:3])]
    critical = [row for own in groups for row in _critical_of(tables, own)]
    ignition = pd.concat([own for own in groups if own["R_predicted"].isna().all()] or [groups[0].iloc[:0]])
    ignition = ignition[ignition["outbreak_probability"].notna()]
    facts: dict[str, Any] = {"critical": critical[:1], "ignition": None, "n": len(groups)}
    if len(ignition):
        facts["ignition"] = ignition.reset_index().loc[ignition["outbreak_probability"].argmax()].to_dict()
    columns = ["factor", "level", "factor_y", "level_y", *FACTORS, "reach", "reach_low", "reach_high", "R_predicted"]
    columns += ["outbreak_probability", "outbreak_probability_low", "outbreak_probability_high", "replicates"]
    return Figure("phase-map", panels, pd.concat(groups)[columns], facts)


def _critical_of(tables: StudyTables, own: pd.DataFrame) -> list[dict[str, Any]]:
    c, first = tables.critical, own.iloc[0]
    for name in ("model_name", "factor"):
        c = c[c[name] == first[name]]
    return records(c[c["critical"].notna()])


def _map_panel(tables: StudyTables, own: pd.DataFrame, name: str) -> Panel:
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
    if simple or not own["outbreak_probability"].notna().any():
        share = cells["reach_share"].clip(lower=1e-9)
        low, high = math.log(share.min()), math.log(share.max())
        cells["shade"] = (np.log(share) - low) / (high - low or 1.0)
        cells["text"] = [number(100 * v, 2) for v in cells["reach_share"]]
        what = "reach, % of users"
    else:
        cells["shade"] = cells["outbreak_probability"]
        cells["text"] = [number(100 * v, 2) for v in cells["outbreak_probability"]]
        what = "runs with an outbreak, %"
    head = tables.name(first, without=("graph", "place"))
    place = (
        ""
        if first["place"] == "anywhere"
        else f", seeds {'in ' if first['place'] == 'one community' else ''}{first['place']}"
    )
    figure, axes = heat_panel(
        cells, name=name, head=f"{head}{place}", second=what, columns=[shown(v) for v in x["level"]],
        rows=[shown(v) for v in y["level"]], xlabel=first["factor"], ylabel=first["factor_y"], row_height=30,
    )  # fmt: skip
    R = cells.pivot_table(index="y", columns="x", values="R_predicted").reindex(
        index=range(len(y)), columns=range(len(x))
    )
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
    if (
        factor not in tables.crossed
        or not pd.api.types.is_numeric_dtype(tables.crossed[factor])
        or x["value"].isna().any()
    ):
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


def at_home(rows: pd.DataFrame) -> pd.DataFrame:
    """Conditions with seeds anywhere, or at the first place there is."""
    if rows.empty:
        return rows
    place = "anywhere" if (rows["place"] == "anywhere").any() else rows["place"].iloc[0]
    return rows[rows["place"] == place]


def _pay(tables: StudyTables) -> Figure | None:
    """Reach of strategies at the lowest, the middle and the highest budget, and what a user reached costs."""
    r = at_home(tables.crossed)
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
        frame = own.rename(
            columns={"strategy": "row", "budget": "level", "reach_low": "low", "reach_high": "high", "reach": "value"}
        )
        frame["note"] = [number(1 / v, 2) if v > 0 else "–" for v in frame["reach_per_cost"]]
        priced = bool(frame["reach_per_cost"].notna().any())
        head = tables.name(own.iloc[0], without=("place",))
        panels.append(
            dot_panel(
                frame,
                name=f"p{i}",
                head=head,
                xlabel="reach (users)",
                log=True,
                width=WIDTH * 1.5,
                notes="RMB a user" if priced else "",
            )
        )
    effects = strategy_effects(tables)
    facts = {"best": effects[0] if effects else None, "baseline": baseline_of(tables), "budget": kept[-1], "kind": kind}
    columns = [
        *FACTORS,
        "reach",
        "reach_low",
        "reach_high",
        "reach_sd_between",
        "reach_se_within",
        "cost",
        "reach_per_cost",
    ]
    return Figure("pay", panels, r[[*columns, "replicates"]], facts, marks_of(kept))


# --- (c) what matters most -------------------------------------------------------------------------------------------


def _sensitivity(tables: StudyTables) -> Figure | None:
    """Total Sobol indices as bars with their intervals, and those of first order as marks."""
    s = tables.sensitivity
    s = s[s["total"].notna()]
    if s.empty:
        return None
    panels, tops = [], []
    for i, (measure, own) in enumerate(s.groupby("measure", sort=False)):
        own = own.sort_values("total", ascending=False)
        tops.append((str(measure), own.iloc[0].to_dict(), own[own["input"] == "graph and draw"]))
        panels.append(_bars(own.head(MOST_BARS), str(measure), f"s{i}"))
    inputs = s[s["input"] != "graph and draw"]
    measure, _top, chance = tops[0]
    real = inputs[inputs["measure"] == measure].sort_values("total", ascending=False)
    rows = records(real.head(2))
    facts = {"measure": measure, "rows": rows, "chance": records(chance)[:1], "n": int(s["evaluations"].max())}
    return Figure("matter", panels, s, facts)


def _bars(own: pd.DataFrame, measure: str, name: str) -> Panel:
    names = own["input"].tolist()
    left = min(18 + 6.2 * max(map(len, names)), 190.0)
    width = WIDTH * 1.5
    figure, axes = plotting.panel(width, 72 + 19.0 * len(names), left=left, right=14, top=28)
    heading(axes, f"Variance of {measure}")
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, fontsize=10)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    for i, row in enumerate(records(own)):
        chance = row["input"] == "graph and draw"
        axes.barh(i, 100 * row["total"], height=0.66, color=plotting.GREY if chance else ACCENT, alpha=0.55)
        axes.plot([100 * max(row["total_low"], 0), 100 * row["total_high"]], [i, i], color=plotting.INK, linewidth=1.3)
        axes.plot([100 * max(row["first"], 0.0)], [i], marker="|", markersize=12, markeredgewidth=2, color=plotting.INK)
    axes.set_xlim(0, 105 * min(max(float(own["total_high"].max()), 0.1), 1.2))
    axes.set_xlabel("share of variance, with interactions (%)")
    return finish(figure, f"Total sensitivity of {measure} by input", name)


def _factors(tables: StudyTables) -> Figure | None:
    """Without a sensitivity analysis: the average effect of every factor from its first level to its last."""
    effects = sorted(factor_effects(tables), key=lambda e: -abs(e.effect.change.value))[:MOST_BARS]
    if not effects:
        return None
    rows = []
    for e in effects:
        name = f"{e.factor}: {label(shown(e.start))} → {label(shown(e.to))}"
        ratio = e.ratio
        rows.append(
            {"row": name, "level": "", "value": ratio.value, "low": ratio.low, "high": ratio.high,
             "contagion": e.contagion or "all", "graphs": e.effect.graphs, "p_value": e.effect.p_value()}
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    panels = [
        dot_panel(
            own,
            name=f"f{i}",
            head=f"{contagion} contagion" if contagion != "all" else "All models",
            xlabel="factor by which reach changes",
            log=True,
            line=1.0,
            width=WIDTH * 1.5,
        )
        for i, (contagion, own) in enumerate(frame.groupby("contagion", sort=False))
    ]
    return Figure(
        "factors", panels, frame.drop(columns="level"), {"top": effects[0], "interval": Interval(*effects[0].ratio)}
    )
