"""What the figures share: panels of rows, of lines and of cells, and colours that follow the page into the dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..format import cut, label, number
from ..read import StudyTables

__all__ = ["Figure", "Panel", "dot_panel", "finish", "heat_panel", "line_panel", "telling"]

FACTORS = ["graph", "model_name", "rule", "place", "budget", "strategy"]
NARROW, WIDTH, BROAD = 258.0, 350.0, 420.0  # four, three or two panels a row of the page, one on a telephone
MOST_PANELS = 4  # more are a wall; the rest is in the data
ACCENT = "#0072b3"  # no colour of the palette: cells keep it in the dark
DEEPEST = 0.7  # share of the accent in the deepest cell: dark and light text can both be read on it
# (marker, filled, the same as a character for the key above the panels)
MARKS = (("o", True, "●"), ("s", False, "□"), ("^", True, "▲"), ("D", False, "◇"))


@dataclass(frozen=True)
class Panel:
    """One drawing and its width in pixels, and numbers for what is said under it."""

    svg: str
    width: float
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A figure of the report: its panels, the numbers drawn, and the numbers that its title and caption name."""

    key: str
    panels: list[Panel]
    data: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    marks: list[tuple[str, str]] = field(default_factory=list)


def width_of(panels: int) -> float:
    """Width of panels in pixels, so that no row holds one alone."""
    return NARROW if panels in (4, 7, 8) else WIDTH


def marks_of(levels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the key above the panels: (character, level); none where there is one level only."""
    return [(mark, level) for (_, _, mark), level in zip(MARKS, levels, strict=False)] if len(levels) > 1 else []


def with_ends(rows: pd.DataFrame, measure: str, scale: float = 1.0, **columns: Any) -> pd.DataFrame:
    """Return a measure and the ends of its interval as value, low and high, beside other columns."""
    ends = rows[[measure, f"{measure}_low", f"{measure}_high"]].set_axis(["value", "low", "high"], axis=1)
    return ends.mul(scale).assign(**columns)


def data_of(rows: pd.DataFrame, measures: Sequence[str], *further: str) -> pd.DataFrame:
    """Return the numbers behind a figure: factors, further columns, and measures with their intervals."""
    ends = [f"{m}{end}" for m in measures for end in ("", "_low", "_high")]
    return rows[[*further, *FACTORS, *ends, "replicates"]]


def row_axes(names: Sequence[str], width: float, row: float, *, left: float, right: float = 14, top: float = 28) -> Any:
    """Make a panel of horizontal rows with their names; returns its axes."""
    _, axes = plotting.panel(width, top + 44 + row * len(names), left=left, right=right, top=top)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, fontsize=10)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    return axes


def colours_of(tables: StudyTables) -> dict[str, str]:
    """Colour of each strategy, the same through the whole report."""
    return plotting.strategy_colours(tables.strategies)


def heading(axes: Any, text: str, second: str = "") -> None:
    """Bold head at the left edge of the panel, with a plain second line where there is one."""
    figure = axes.figure
    width, height = figure.bbox.width, figure.bbox.height
    figure.text(
        2 / width, 1 - 13 / height, cut(text, int(width / 7.2)), fontsize=11.5, fontweight="bold", va="baseline"
    )
    if second:
        figure.text(2 / width, 1 - 28 / height, cut(second, int(width / 6.2)), fontsize=10.5, va="baseline")


def finish(figure: Any, alt: str, name: str, **facts: Any) -> Panel:
    """Return a panel; `name` goes before every id of its SVG, and its colours become those of the page."""
    svg = plotting.figure_to_svg(figure, title=alt, name=name)
    colours = {
        plotting.INK: "currentColor",
        plotting.GREY: "var(--soft)",
        "#d9d9d9": "var(--hair)",
        "#ffffff": "var(--paper)",
    }
    for i, colour in reversed(list(enumerate(plotting.PALETTE))):
        colours |= {plotting.text_colour(colour): f"var(--t{i})", colour.lower(): f"var(--c{i})"}
    for colour, variable in colours.items():
        svg = svg.replace(colour, variable)
    svg = svg.replace('<text style="', '<text style="fill: currentColor; ')  # matplotlib leaves out a fill of black
    return Panel(svg, figure.bbox.width, facts)


def at_right(axes: Any, text: str, at: float | None = None, size: float = 9.5) -> None:
    """Write a text at the right of the axes, at a height in data units, or as the head of such a column."""
    if at is None:
        axes.annotate(text, (1.03, 1.0), xycoords="axes fraction", va="bottom", fontsize=size, color=plotting.GREY)
    else:
        axes.annotate(text, (1.03, at), xycoords=("axes fraction", "data"), va="center_baseline", fontsize=size)


def _limits(axes: Any, which: str, values: Any, *, log: bool) -> None:
    found = np.asarray(values, dtype=float)
    found = found[np.isfinite(found)]
    least, most = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
    limit = axes.set_xlim if which == "x" else axes.set_ylim
    if log and least > 0 and most > 3 * least:
        limit(least / 1.2, most * 1.2)
        plotting.log_axis(axes, which)
    else:
        margin = 0.06 * (most - least or abs(most) or 1.0)
        limit(least - margin, most + margin)


def dot_panel(
    frame: pd.DataFrame,
    name: str,
    head: str,
    xlabel: str,
    *,
    log: bool = False,
    line: float | None = None,
    notes: str = "",
) -> Panel:
    """Draw horizontal intervals: one row a value of `row`, one mark a value of `level`.

    The frame has the columns row, level, low, value and high, and note for texts at the right under a head `notes`.
    """
    width, colour = BROAD, plotting.PALETTE[0]
    rows, levels = list(dict.fromkeys(frame["row"])), list(dict.fromkeys(frame["level"]))[: len(MARKS)]
    names = [cut(str(r), 30) for r in rows]
    left = min(16 + 6.2 * max(map(len, names)), 0.5 * width)
    axes = row_axes(names, width, max(17.0, 6.0 * len(levels) + 5), left=left, right=66 if notes else 14)
    heading(axes, head)
    axes.grid(visible=log, axis="x")
    if line is not None:
        axes.axvline(line, color=plotting.INK, linewidth=0.9, zorder=1)
    step = min(0.26, 0.62 / max(len(levels) - 1, 1))
    for i, (level, (marker, filled, _)) in enumerate(zip(levels, MARKS, strict=False)):
        own = frame[frame["level"] == level]
        at = [rows.index(r) + (i - (len(levels) - 1) / 2) * step for r in own["row"]]
        low, value, high = (own[end].tolist() for end in ("low", "value", "high"))
        plotting.intervals(axes, low, value, high, at, colours=[colour] * len(at), marker=marker, filled=filled)
    drawn = frame[["low", "value", "high"]].to_numpy(dtype=float).ravel()
    _limits(axes, "x", np.append(drawn, [] if line is None else [line]), log=log)
    if notes:
        at_right(axes, notes)
        for row, text in frame.drop_duplicates("row", keep="last")[["row", "note"]].itertuples(index=False):
            at_right(axes, text, rows.index(row), 10)
    axes.set_xlabel(xlabel)
    return finish(axes.figure, f"{head} {xlabel}", name)


def line_panel(
    frame: pd.DataFrame,
    colours: dict[str, str],
    name: str,
    head: str,
    xlabel: str,
    ylabel: str,
    *,
    second: str = "",
    log_y: bool = True,
    line: float | None = None,
    height: float = 226.0,
    width: float = WIDTH,
) -> Panel:
    """Draw `value` against `x` with bands from low to high, one line a value of `series`, labelled at its end.

    Levels that are no numbers have equal distances and their names; a `dashed` series has no band.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, NullLocator

    top = 42.0 if second else 28.0
    figure, axes = plotting.panel(width, height, left=48, right=96 if width >= WIDTH else 78, top=top)
    heading(axes, head, second)
    labels, ticks = [], sorted(frame["x"].unique())
    for (series, dashed), own in frame.groupby(["series", "dashed"], sort=False):
        own = own.sort_values("x")
        x, low, value, high = (own[column].tolist() for column in ("x", "low", "value", "high"))
        colour = colours[str(series)]
        if dashed:
            axes.plot(x, value, color=colour, linewidth=1.2, dashes=(4, 3))
        else:
            plotting.band(axes, x, low, value, high, colour=colour, marker="o")
            labels.append((float(own["value"].iloc[-1]), cut(label(str(series)), 15), colour))
    if line is not None:
        axes.axhline(line, color=plotting.INK, linewidth=0.9, zorder=1)
    _limits(axes, "y", frame[["low", "value", "high"]].to_numpy(dtype=float).ravel(), log=log_y)
    words = [str(t) for t in frame.drop_duplicates("x").sort_values("x")["level"]]
    named = frame["named"].any()
    if not named and ticks[0] > 0 and ticks[-1] >= 8 * ticks[0]:
        axes.set_xscale("log")
    kept = _apart(ticks, 0.16 * WIDTH / width, log=axes.get_xscale() == "log")
    axes.xaxis.set_major_locator(FixedLocator([ticks[i] for i in kept]))
    axes.xaxis.set_minor_locator(NullLocator())
    texts = FixedFormatter([cut(words[i], 12) for i in kept])
    axes.xaxis.set_major_formatter(texts if named else FuncFormatter(_brief))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    plotting.end_labels(axes, [entry for entry in labels if math.isfinite(entry[0])], x=float(ticks[-1]))
    return finish(figure, " ".join(p for p in (ylabel, "by", xlabel, head, second) if p), name)


def _brief(value: float, _position: object = None) -> str:
    """Write a number for an axis with little room: 30k, 1M."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{letter}"
    return plotting.compact(value)


def _apart(ticks: list[float], share: float, *, log: bool) -> list[int]:
    """Keep the ticks whose labels have room: a share of the range apart."""
    place = [math.log(t) if log else t for t in ticks]
    kept = [len(ticks) - 1]
    for i in range(len(ticks) - 2, -1, -1):
        if place[kept[-1]] - place[i] >= share * (place[-1] - place[0]):
            kept.append(i)
    return kept[::-1]


def heat_panel(
    frame: pd.DataFrame,
    head: str,
    columns: Sequence[str],
    rows: Sequence[str],
    *,
    second: str = "",
    xlabel: str = "",
    ylabel: str = "",
    width: float = WIDTH,
    row_height: float = 26.0,
) -> tuple[Any, Any]:
    """Draw cells (x, y: column and row; shade in [0, 1]; text); return figure and axes, to draw more on them."""
    from matplotlib.patches import Rectangle

    left = 12 + 6.2 * max(len(cut(r, 24)) for r in rows) + (16 if ylabel else 0)
    top, bottom = 42.0 if second else 28.0, 42.0 if xlabel else 28.0
    figure, axes = plotting.panel(
        width, top + bottom + row_height * len(rows), left=left, right=8, top=top, bottom=bottom
    )
    heading(axes, head, second)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    room = int((width - left) / len(columns) / 5.6)
    axes.set_xticks(range(len(columns)), [cut(c, max(room, 4)) for c in columns], fontsize=10)
    axes.set_yticks(range(len(rows)), [cut(r, 24) for r in rows], fontsize=10)
    for x, y, shade, text in frame[["x", "y", "shade", "text"]].itertuples(index=False):
        if math.isfinite(shade):
            depth = 0.03 + (DEEPEST - 0.03) * min(max(shade, 0.0), 1.0)
            axes.add_patch(Rectangle((x - 0.48, y - 0.47), 0.96, 0.94, facecolor=ACCENT, alpha=depth, linewidth=0))
        axes.text(x, y, text, ha="center", va="center_baseline", fontsize=9)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    return figure, axes


def shown(value: Any) -> str:
    """Write a level of a factor for an axis."""
    try:
        return number(float(value), 3)
    except ValueError:
        return str(value)


def telling(tables: StudyTables, rows: pd.DataFrame, most: int = MOST_PANELS) -> list[pd.DataFrame]:
    """Take the settings in which strategies compare most differently, in the order of the study.

    Each is described by the reach of its strategies relative to the best at the largest budget; the first is the one in
    which they are furthest apart, and each further one is the furthest from those taken.
    """
    groups = [own for _, own in rows.groupby(["graph", "model", "rule", "place"], sort=False)]
    if len(groups) <= most:
        return groups
    vectors = []
    for own in groups:
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
