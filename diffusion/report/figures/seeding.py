"""The figures on whom to seed: reach against budget, and what choosing each strategy costs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..analysis import factor_groups, regret
from ..format import label, number
from ..hypotheses import elasticity_of_budget
from ..read import StudyTables, at_home
from .base import (
    WIDTH,
    Figure,
    Panel,
    colours_of,
    data_of,
    finish,
    heat_panel,
    line_panel,
    shown,
    telling,
    width_of,
    with_ends,
)

__all__ = ["seeding_figures"]

MOST_COLUMNS = 16


def seeding_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on seeding."""
    drawn = [_curves(tables), _regret(tables)]
    return [figure for figure in drawn if figure is not None]


def _curves(tables: StudyTables) -> Figure | None:
    """Reach against budget on logarithmic axes, one line a strategy, one panel a setting."""
    own = at_home(tables.sweeps.get("budget", tables.crossed.iloc[:0]))
    own = own[own["budget_kind"] == own["budget_kind"].iloc[0]] if len(own) else own
    if own.empty or own["x"].nunique() < 3:
        return None
    frame = own.assign(**with_ends(own, "reach"), series=own["strategy"], dashed=False, named=False)
    xlabel = "budget (RMB)" if own["budget_kind"].iloc[0] == "money" else "seeds"
    parts = telling(tables, frame)
    colours, width = colours_of(tables), width_of(len(parts))
    heads = [tables.name(part.iloc[0], ("place",)) for part in parts]
    panels = [
        line_panel(part, colours, f"b{i}", head, xlabel, "reach (users)", width=width)
        for i, (part, head) in enumerate(zip(parts, heads, strict=True))
    ]
    facts = {c: elasticity_of_budget(tables, c) for c in ("simple", "complex")}
    return Figure("budget", panels, data_of(own, ["reach"], "budget_value", "cost"), facts)


def _regret(tables: StudyTables) -> Figure | None:
    """Share of reach lost by each strategy against the best, which is chosen on the other half of the graphs."""
    held = ["graph", "model_name", "rule", "place", "budget"]
    crossed = tables.home
    lost = regret(tables, crossed.assign(x=crossed["budget_value"]), held) if len(crossed) else pd.DataFrame()
    if lost.empty:
        return None
    settings = lost.drop_duplicates(held)[[*held, "x"]].reset_index(drop=True)
    order = {c: pd.factorize(settings[c])[0] for c in ("model_name", "graph", "rule")} | {"x": settings["x"]}
    settings = settings.iloc[np.lexsort([*order.values()][::-1])].head(MOST_COLUMNS)
    panels = [_panel(tables, lost.merge(settings, on=[*held, "x"]), settings, "Models and budgets", "g0")]
    parts = [lost]
    # Where structure is swept, whether the best strategy changes with it.
    groups = [g for g in factor_groups(tables, "mixing") if len(g) > 2]
    swept = pd.DataFrame([row for g in groups for row in g])
    if len(swept) and swept["strategy"].nunique() > 2:
        swept = at_home(swept)
        by_mixing = regret(tables, swept, ["model_name", "rule", "place", "level"])
        for i, (name, own) in enumerate(by_mixing.groupby("model_name", sort=False)):
            levels = own.drop_duplicates("level").sort_values("x").reset_index(drop=True)
            width = width_of(min(by_mixing["model_name"].nunique(), 4))
            panels += [_panel(tables, own, levels[["level"]], f"Mixing, {name}", f"g{i + 1}", width)] if i < 4 else []
        parts.append(by_mixing)
    everywhere = lost.groupby("strategy")["regret"].agg(["max", "size"])
    worst = everywhere.loc[everywhere["size"] == everywhere["size"].max(), "max"]
    facts = {"safest": worst.idxmin(), "most": float(worst.min()), "graphs": int(crossed["replicates"].max())}
    return Figure("regret", panels, pd.concat(parts).drop(columns="x"), facts)


def _panel(tables: StudyTables, lost: Any, settings: Any, head: str, name: str, width: float = WIDTH) -> Panel:
    strategies = [s for s in tables.strategies if s in set(lost["strategy"])]
    keys = [c for c in ("graph", "model_name", "rule", "place", "budget", "level") if c in settings]
    columns = {tuple(row): i for i, row in enumerate(settings[keys].itertuples(index=False, name=None))}
    cells = lost[lost["strategy"].isin(strategies)].copy()
    cells["x"] = [columns[key] for key in cells[keys].itertuples(index=False, name=None)]
    cells["y"] = cells["strategy"].map(strategies.index)
    # Half of the reach lost is as dark as it gets; what is not told apart from the best has a star.
    cells["shade"] = (cells["regret"] / 0.5).clip(0, 1)
    even = (cells["low"] <= 0) & np.isfinite(cells["regret"])
    cells["text"] = [
        ("★" if e else "") + number(100 * max(v, 0.0), 1 if v < 0.1 else 2) if math.isfinite(v) else "–"
        for v, e in zip(cells["regret"], even, strict=True)
    ]
    wide = "budget" in keys
    names = [_short(row.get("budget", shown(row.get("level", "")))) for row in settings.to_dict("records")]
    second, rows = "reach lost against the best, %", [label(s) for s in strategies]
    width = (3.08 if len(names) > 7 else 1.5) * WIDTH if wide else width
    figure, axes = heat_panel(cells, head, names, rows, second=second, width=width)
    groups = [tables.name({**row, "place": ""}, ("place",)) if wide else "" for row in settings.to_dict("records")]
    starts = [i for i, g in enumerate(groups) if wide and (not i or g != groups[i - 1])]
    for start, end in zip(starts, [*starts[1:], len(groups)], strict=False):
        middle, place = ((start + end - 1) / 2, -0.5), {"xytext": (0, 3), "textcoords": "offset points"}
        axes.annotate(groups[start], middle, ha="center", fontsize=10, **place)
        axes.axvline(start - 0.5, color=plotting.GREY, linewidth=0.8 if start else 0)
    return finish(figure, f"Reach lost against the best strategy, {head}", name)


def _short(budget: str) -> str:
    return budget.replace(",000,000 RMB", "M").replace(",000 RMB", "k").replace(" RMB", "")
