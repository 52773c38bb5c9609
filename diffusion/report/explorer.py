"""The explorer of a study: every condition of its table as a point in the space of factors, for sliders in the page."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from .. import plotting
from .analysis import Contrast, mean_effect
from .format import Interval, axis_name, interval, label, number, tie
from .read import StudyTables, keyed, records

__all__ = ["Explorer", "explorer", "ranking", "script"]

STRUCTURE = ("users", "communities", "mixing_set", "mean_followers", "tail", "reciprocity")
NAMES = {
    "mixing_set": "mixing",
    "model_name": "model",
    "rule": "propagation probabilities",
    "eta": "eta",
    "tail": "tail exponent",
    "place": "place of seeds",
}
LISTS = ("model_name", "rule", "place", "graph", "model", "condition")  # chosen from a list; the others by a slider
#: Column, what it is called on an axis, its unit in a sentence, factor, and whether it belongs to graph and model alone.
MEASURES = (
    ("reach", "reach, users", "", 1.0, False),
    ("global_probability", "runs that become global, %", " %", 100.0, False),
    ("R_predicted", "R, by theory", "", 1.0, True),
    ("R", "R, measured", "", 1.0, True),
)


@dataclass(frozen=True)
class Ranking:
    """The best strategy of conditions that differ in strategy alone, and the next.

    It is decided where the best is told apart from every other strategy.
    """

    best: str
    next: str
    difference: Interval  # users that the best reaches more than the next
    decided: bool
    against: str  # the strategy that it is not told apart from


@dataclass(frozen=True)
class Explorer:
    """What the page embeds: factors with their levels, the conditions as levels and values, and rankings."""

    factors: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    strategies: list[dict[str, Any]]
    rows: list[list[Any]]  # level of every factor, strategy, then of every measure [value, low, high, text] or None
    rankings: dict[str, dict[str, Any]]  # by the levels of all factors, joined by commas
    maps: list[tuple[int, int]]
    curves: list[int]
    models: list[list[list[int]]]  # by model: (factor, level) of the parameters it brings
    level: float

    def json(self) -> str:
        """JSON for a script element: no character of it can end the element."""
        text = json.dumps(asdict(self), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
        return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def script() -> str:
    """Return the code of the explorer."""
    return (files("diffusion.report") / "static" / "explorer.js").read_text(encoding="utf-8")


def explorer(tables: StudyTables) -> Explorer | None:
    """Return what the explorer shows; None where nothing varies but the strategy."""
    rows = tables.ordered(tables.designed[tables.designed["reach"].notna()]).reset_index(drop=True)
    columns = _columns(tables, rows)
    if not columns:
        return None
    levels = {column: _levels(tables, rows, column) for column in columns}
    places = pd.DataFrame({c: rows[c].map(_plain).map(levels[c].index) for c in columns}, index=rows.index)
    places["strategy"] = rows["strategy"].map(tables.strategies.index)
    maps, curves = _axes(tables, places, columns)
    if not curves:
        return None
    measures = [m for m in MEASURES if rows[m[0]].notna().any()]
    colours = plotting.strategy_colours(tables.strategies)
    values = zip(*(_triples(rows, name, unit, scale) for name, _, unit, scale, _ in measures), strict=True)
    rankings: dict[str, dict[str, Any]] = {}
    for _, own in rows.groupby(keyed(places, columns), sort=False):
        found = ranking(tables, own)
        if found is not None:
            key = ",".join(str(v) for v in places.loc[own.index[0], columns])
            said = {"best": label(found.best), "next": label(found.next), "against": label(found.against)}
            text = tie(interval(found.difference, " users"))
            rankings[key] = said | {"difference": text, "decided": found.decided}
    return Explorer(
        factors=[_factor(tables, rows, column, levels[column]) for column in columns],
        measures=[{"key": m[0], "name": m[1], "common": m[4]} for m in measures],
        strategies=[
            {"name": label(s), "colour": plotting.PALETTE.index(c) if c in plotting.PALETTE else -1}
            for s, c in colours.items()
        ],
        rows=[[*map(int, at), *own] for at, own in zip(places.to_numpy(), values, strict=True)],
        rankings=rankings,
        maps=maps,
        curves=curves,
        models=_brought(tables, rows, places, columns),
        level=tables.confidence,
    )


# --- factors ---------------------------------------------------------------------------------------------------------


def _columns(tables: StudyTables, rows: pd.DataFrame) -> list[str]:
    """Columns that vary, and as many labels as it takes to tell all conditions apart."""
    names = ["model_name", "rule", *tables.model_factors, *STRUCTURE, "place", "budget"]
    found = [name for name in names if rows[name].map(_plain).nunique() > 1]
    for more in ("graph", "model", "condition"):
        if rows.duplicated([*found, "strategy"]).any():
            found.append(more)
    return found


def _plain(value: Any) -> Any:
    """A level as a text or a number; an empty text where there is none."""
    if isinstance(value, str):
        return value
    return "" if value is None or math.isnan(value) else float(value)


def _levels(tables: StudyTables, rows: pd.DataFrame, column: str) -> list[Any]:
    """Levels in the order of their numbers, or else of their sweep, then of the study; none comes first."""
    swept = tables.sweeps.get(column)
    first = list(swept[column]) if swept is not None and column in swept else []
    if column == "budget":
        order = rows.drop_duplicates("budget").sort_values(["budget_kind", "budget_value"], kind="stable")
        first = list(order["budget"])
    found = list(dict.fromkeys(map(_plain, [*first, *rows[column]])))
    if all(isinstance(v, float) for v in found if v != ""):
        found.sort(key=lambda v: -math.inf if v == "" else v)
    return found


def _factor(tables: StudyTables, rows: pd.DataFrame, column: str, levels: Sequence[Any]) -> dict[str, Any]:
    """A factor for the page. Levels of another group (money, a number of seeds) stand on no common axis."""
    amounts = rows.drop_duplicates("budget").set_index("budget")
    numbers = [float(amounts.loc[v, "budget_value"]) for v in levels] if column == "budget" else levels
    groups = [amounts.loc[v, "budget_kind"] if column == "budget" else "none" if v == "" else "" for v in levels]
    texts = [v if isinstance(v, str) else number(v, 3) for v in levels]
    if column == "graph":
        texts = [tables.graph_name(v) for v in levels]
    if len(set(texts)) < len(texts):
        texts = [v if isinstance(v, str) else f"{v:.10g}" for v in levels]
    return {
        "name": _short(column),
        "levels": [text or ("as given" if column in STRUCTURE else "none") for text in texts],
        "numbers": [v if isinstance(v, float) and math.isfinite(v) else None for v in numbers],
        "groups": groups,
        "list": column in LISTS,
        "model": column == "model_name",
    }


def _axes(tables: StudyTables, places: pd.DataFrame, columns: Sequence[str]) -> tuple[list[tuple[int, int]], list[int]]:
    """Pairs of factors that somewhere vary together, and factors that somewhere vary alone; those declared come first.

    Two sweeps that cross are no map: more must be measured than that, and half of the cells.
    """
    declared = [_short(name) for name in tables.sweeps]
    order = sorted(
        (i for i, c in enumerate(columns) if c not in ("model_name", "model", "condition")),
        key=lambda i: (declared.index(_short(columns[i])) if _short(columns[i]) in declared else len(declared), i),
    )
    curves, maps = [], []
    for i in order:
        others = [c for c in columns if c != columns[i]]
        held = places.groupby(keyed(places, others)) if others else places.assign(all=0).groupby("all")
        if held[columns[i]].nunique().max() > 1:
            curves.append(i)
    for i, j in combinations(sorted(curves), 2):
        x, y = columns[i], columns[j]
        groups = places.groupby(keyed(places, [c for c in (*columns, "strategy") if c not in (x, y)]))
        size, nx, ny = groups.size(), groups[x].nunique(), groups[y].nunique()
        full = (size > 3) & (size >= nx + ny) & (2 * size > nx * ny)
        if full.any():
            maps.append((int(size[full].max()), i, j))
    pairs = [{_short(m["factor"].iloc[0]), _short(m["factor_y"].iloc[0])} for m in tables.maps]
    first = [{_short(columns[i]), _short(columns[j])} in pairs for _, i, j in maps]
    ranked = sorted(zip(first, maps, strict=True), key=lambda entry: (not entry[0], -entry[1][0]))
    return [(i, j) for _, (_, i, j) in ranked], curves


def _short(column: str) -> str:
    return NAMES.get(column, axis_name(column))


def _brought(tables: StudyTables, rows: pd.DataFrame, places: pd.DataFrame, columns: Sequence[str]) -> Any:
    """The parameters and rule that come with each model: those of the crossed part, or else those it has most often."""
    if "model_name" not in columns:
        return []
    own = [c for c in columns if c == "rule" or c in tables.model_factors]
    crossed = rows["condition"].isin(set(tables.crossed["condition"]))
    found = []
    for _, at in places.groupby("model_name"):
        at = at[crossed[at.index]] if crossed[at.index].any() else at
        levels = at[own].value_counts(sort=True).index[0] if own else ()
        found.append([[columns.index(c), int(v)] for c, v in zip(own, levels, strict=True)])
    return found


def _triples(rows: pd.DataFrame, name: str, unit: str, scale: float) -> list[list[Any] | None]:
    """A measure with its interval, and as it is written; None where it is not known."""
    found: list[list[Any] | None] = []
    for row in records(rows[[name, f"{name}_low", f"{name}_high"]] * scale):
        ends = [float(v) for v in row.values()]
        numbers = [float(f"{v:.6g}") if math.isfinite(v) else None for v in ends]
        found.append(None if numbers[0] is None else [*numbers, tie(interval(ends, unit))])
    return found


# --- the best strategy -----------------------------------------------------------------------------------------------


def ranking(tables: StudyTables, rows: pd.DataFrame) -> Ranking | None:
    """Compare the best strategy with every other on the graphs that all share; None with fewer than two.

    The best is picked by the data that judge it. Of two equal strategies that is what a two-sided interval allows for,
    and among more of them the gap to the next is smaller still, so that equal strategies are told apart in at most 5 %
    of studies at 95 %. With one graph the differences are those of shared worlds in the table `paired`.
    """
    reach = tables.by_replicate("reach")
    values = np.array([reach[c] for c in rows["condition"]])
    values = values[:, np.isfinite(values).all(axis=0)]
    if len(rows) < 2 or values.shape[1] == 0:
        return None
    names = list(rows["strategy"])
    order = [int(i) for i in np.argsort(-values.mean(axis=1), kind="stable")]
    best, others = order[0], order[1:]
    if values.shape[1] > 1:
        gaps = [_gap(values[best] - values[i], tables.confidence) for i in others]
    else:
        gaps = [_shared(tables, rows.iloc[i], names[best], values[best, 0] - values[i, 0]) for i in others]
    undecided = [i for i, gap in zip(others, gaps, strict=True) if not gap.low > 0]
    return Ranking(
        names[best],
        names[others[0]],
        gaps[0],
        not undecided,
        names[undecided[0]] if undecided else "",
    )


def _gap(values: Any, confidence: float) -> Interval:
    effect = mean_effect([Contrast(values, math.nan)], confidence)
    return effect.change if effect else Interval(math.nan, math.nan, math.nan)


def _shared(tables: StudyTables, row: Any, best: str, gap: float) -> Interval:
    """The difference on shared worlds of one graph; without ends where the table has none against this best."""
    p = tables.paired
    for name in ("graph", "model", "rule", "budget", "place", "strategy"):
        p = p[p[name] == row[name]]
    p = p[p["best"] == best]
    if p.empty:
        return Interval(float(gap), math.nan, math.nan)
    return Interval(*(-float(p[end].iloc[0]) for end in ("difference", "high", "low")))
