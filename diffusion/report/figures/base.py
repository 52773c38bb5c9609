"""What the figures share: panels of rows and of lines, looks, and the choice of what to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..format import cut, label
from ..read import SETTING, StudyTables

__all__ = [
    "FACTORS",
    "Figure",
    "Look",
    "Panel",
    "beside",
    "budgets_of",
    "dot_panel",
    "finish",
    "heading",
    "line_panel",
    "telling",
    "ways",
]

FACTORS = ["graph", "model", "rule", "place", "budget", "strategy"]
MOST_PANELS = 4  # more are a wall; the rest is in the data
# (marker, filled, the same as a character for the key above the panels)
MARKS = (("o", True, "●"), ("s", False, "□"), ("^", True, "▲"), ("D", False, "◇"), ("o", False, "○"), ("s", True, "■"))


@dataclass(frozen=True)
class Panel:
    """One drawing, and numbers for what is said under it."""

    svg: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A figure of the report: its panels, the numbers drawn, and the numbers that its title and caption name."""

    key: str
    panels: list[Panel]
    data: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    marks: list[tuple[str, str]] = field(default_factory=list)


class Look:
    """Colour and marker of each strategy, the same through the whole report."""

    def __init__(self, tables: StudyTables) -> None:
        self.colour = plotting.strategy_colours(tables.strategies)
        self.marker = plotting.strategy_markers(tables.strategies)


def marks_of(levels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the key above the panels: (character, level); none where there is one level only."""
    return [(mark, level) for (_, _, mark), level in zip(MARKS, levels, strict=False)] if len(levels) > 1 else []


def budgets_of(rows: pd.DataFrame) -> list[str]:
    """Return the budgets in order: by seeds, then by money."""
    order = rows[["budget_kind", "budget_value", "budget"]].drop_duplicates()
    return [str(b) for b in order.sort_values(["budget_kind", "budget_value"])["budget"]]


def heading(axes: Any, text: str, second: str = "") -> None:
    """Bold head at the left edge of the panel, with a plain second line where there is one."""
    figure = axes.figure
    width, height = figure.bbox.width, figure.bbox.height
    figure.text(2 / width, 1 - 13 / height, cut(text, 56), fontsize=11.5, fontweight="bold", va="baseline")
    if second:
        figure.text(2 / width, 1 - 28 / height, cut(second, 62), fontsize=10.5, va="baseline")


def beside(axes: Any, text: str, at: float) -> None:
    """Write a text to the right of the axes, at a height in data units."""
    axes.annotate(
        text, (1.03, at), xycoords=("axes fraction", "data"), va="center_baseline", fontsize=10, annotation_clip=False
    )


def finish(figure: Any, alt: str, name: str, **facts: Any) -> Panel:
    """Return a panel; `name` goes before every id of its SVG."""
    return Panel(plotting.figure_to_svg(figure, title=alt, name=name), facts)


def dot_panel(
    frame: pd.DataFrame,
    *,
    name: str,
    head: str,
    xlabel: str,
    second: str = "",
    colours: dict[str, str] | None = None,
    log: bool = False,
    line: float | None = None,
    notes: bool = False,
) -> Panel:
    """Draw horizontal intervals: one row a value of `row`, one mark a value of `level`.

    The frame has the columns row, level, low, value and high, and note for texts at the right edge.
    """
    rows, levels = list(dict.fromkeys(frame["row"])), list(dict.fromkeys(frame["level"]))[: len(MARKS)]
    names = [cut(label(r), 38) for r in rows]
    small = max(map(len, names)) > 26
    left = 16 + (5.7 if small else 6.4) * max(map(len, names))
    top = 42.0 if second else 28.0
    height = top + 44 + max(20.0, 8.0 * len(levels) + 6) * len(rows)
    figure, axes = plotting.panel(height=height, left=left, right=92 if notes else 18, top=top)
    heading(axes, head, second)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), names, fontsize=9.5 if small else 11)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=log, axis="x")
    if line is not None:
        axes.axvline(line, color=plotting.INK, linewidth=0.9, zorder=1)
    step = min(0.3, 0.62 / max(len(levels) - 1, 1))
    for i, (level, (marker, filled, _)) in enumerate(zip(levels, MARKS, strict=False)):
        own = frame[frame["level"] == level]
        offset = (i - (len(levels) - 1) / 2) * step if len(levels) > 1 else 0.0
        at = [rows.index(r) + offset for r in own["row"]]
        low, value, high = (own[end].tolist() for end in ("low", "value", "high"))
        shades = [(colours or {}).get(r, plotting.INK) for r in own["row"]]
        plotting.intervals(axes, low, value, high, at, colours=shades, marker=marker, filled=filled)
    drawn = frame[["low", "value", "high"]].to_numpy(dtype=float)
    values = np.append(drawn[np.isfinite(drawn)], [] if line is None else [line])
    least, most = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if log and least > 0 and most > 3 * least:
        axes.set_xlim(least / 1.25, most * 1.25)
        plotting.log_axis(axes, "x")
    else:
        margin = 0.06 * (most - least or abs(most) or 1.0)
        axes.set_xlim(least - margin, most + margin)
    if notes:
        for row, text in frame.drop_duplicates("row", keep="last")[["row", "note"]].itertuples(index=False):
            beside(axes, text, rows.index(row))
    axes.set_xlabel(xlabel)
    return finish(figure, " ".join(p for p in (head, second, xlabel) if p), name)


def line_panel(
    frame: pd.DataFrame, look: Look, *, name: str, head: str, xlabel: str, second: str = "", log: bool = False
) -> Panel:
    """Draw reach against `x` with bands, one line a strategy, labelled at its end."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    strategies = list(dict.fromkeys(frame["strategy"]))
    top = 42.0 if second else 28.0
    figure, axes = plotting.panel(height=max(250.0, top + 54 + 13.5 * len(strategies)), left=58, right=122, top=top)
    heading(axes, head, second)
    labels, ticks = [], sorted(frame["x"].unique())
    for strategy in strategies:
        own = frame[frame["strategy"] == strategy].sort_values("x")
        x, low, reach, high = (own[column].tolist() for column in ("x", "reach_low", "reach", "reach_high"))
        plotting.band(axes, x, low, reach, high, colour=look.colour[strategy], marker=look.marker[strategy])
        labels.append((float(own["reach"].iloc[-1]), label(strategy), look.colour[strategy]))
    axes.set_ylim(bottom=0)
    if log and ticks[0] > 0 and ticks[-1] >= 8 * ticks[0]:
        axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(_apart(ticks, log=axes.get_xscale() == "log")))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(plotting.compact))
    axes.set_xlabel(xlabel)
    axes.set_ylabel("reach (users)")
    plotting.end_labels(axes, labels, x=float(ticks[-1]))
    return finish(figure, f"Reach by {xlabel}, {head} {second}".strip(), name)


def _apart(ticks: list[float], *, log: bool) -> list[float]:
    """Keep the ticks whose labels have room: a tenth of the range apart."""
    place = [math.log(t) if log else t for t in ticks]
    kept = [len(ticks) - 1]
    for i in range(len(ticks) - 2, -1, -1):
        if place[kept[-1]] - place[i] >= 0.1 * (place[-1] - place[0]):
            kept.append(i)
    return [ticks[i] for i in reversed(kept)]


# --- what to draw ----------------------------------------------------------------------------------------------------


def telling(tables: StudyTables, rows: pd.DataFrame, most: int = MOST_PANELS) -> list[tuple[Any, pd.DataFrame]]:
    """Take the settings in which strategies compare most differently, in the order of the study, with their cells.

    Each is described by the reach of its strategies relative to the best at the largest budget; the first is the one in
    which they are furthest apart, and each further one is the furthest from those taken.
    """
    groups: list[tuple[Any, pd.DataFrame]] = [(own.iloc[0], own) for _, own in rows.groupby(list(SETTING), sort=False)]
    if len(groups) <= most:
        return groups
    vectors = []
    for _, own in groups:
        own = own[own["budget_value"] == own["budget_value"].max()].drop_duplicates("strategy")
        reach = own.set_index("strategy")["reach"].reindex(tables.strategies).fillna(0.0).to_numpy(dtype=float)
        vectors.append(reach / (reach.max() or 1.0))
    points = np.array(vectors)
    taken = [int(points.std(axis=1).argmax())]
    while len(taken) < most:
        gaps = np.min([np.abs(points - points[i]).sum(axis=1) for i in taken], axis=0)
        gaps[taken] = -1
        taken.append(int(gaps.argmax()))
    return [groups[i] for i in sorted(taken)]


def ways(tables: StudyTables, rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Split cells by model and rule: (head of the panel, cells), at most four."""
    groups = rows.groupby(["model", "rule"], sort=False)
    return [(tables.name(own.iloc[0], without=("graph", "place")), own) for _, own in groups][:MOST_PANELS]
