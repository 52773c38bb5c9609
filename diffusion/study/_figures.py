"""What the figures of the report share: panels, looks, rows, titles.

A figure is a list of panels, each its own small SVG, so that the page can lay them side by side or, on a narrow
screen, below one another, without the text shrinking. It has one idea, and a sentence computed from what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .. import plotting
from ._format import count, cut, label
from ._read import Setting, Tables

__all__ = [
    "FACTORS",
    "MARKS",
    "Exhibit",
    "Look",
    "Panel",
    "budgets_of",
    "head_room",
    "left_out",
    "marked_rows",
    "marks_of",
    "name_id",
    "panel_title",
    "plotting",
    "rows_axes",
    "setting_title",
    "shown_of",
]

FACTORS = ["graph", "model", "rule", "place", "budget", "strategy"]
# (marker, filled, the same as a character for the key above the panels)
MARKS = (
    ("o", True, "●"),
    ("s", False, "□"),
    ("^", True, "▲"),
    ("D", False, "◇"),
    ("o", False, "○"),
    ("s", True, "■"),
    ("^", False, "△"),
    ("D", True, "◆"),
)


@dataclass(frozen=True)
class Panel:
    """One drawing with what is said under it."""

    svg: str
    note: str = ""


@dataclass(frozen=True)
class Exhibit:
    """A figure of the report: a sentence, its panels, how to read them, and the numbers drawn."""

    key: str
    title: str
    panels: list[Panel]
    caption: str
    data: pd.DataFrame
    marks: list[tuple[str, str]] = field(default_factory=list)


class Look:
    """Colour and marker of each strategy, the same through the whole report."""

    def __init__(self, tables: Tables) -> None:
        self.colour = plotting.strategy_colours(tables.strategies)
        self.marker = plotting.strategy_markers(tables.strategies)


def shown_of(settings: list[Setting], most: int) -> list[Setting]:
    """Take at most `most` settings, spread over the list."""
    if len(settings) <= most:
        return settings
    return [settings[i] for i in np.linspace(0, len(settings) - 1, most).round().astype(int)]


def left_out(shown: int, of: int) -> str:
    """Say how many settings are not drawn."""
    return "" if shown >= of else f" {count(shown)} of {count(of)} settings are drawn; all are in the CSV."


def budgets_of(rows: pd.DataFrame) -> list[str]:
    """Return the budgets in order: by seeds, then by money."""
    order = rows[["budget_kind", "budget_value", "budget"]].drop_duplicates()
    return [str(b) for b in order.sort_values(["budget_kind", "budget_value"])["budget"]]


def rows_axes(names: list[str], *, row: float, left: float, right: float, top: float) -> tuple[Any, Any]:
    """Axes with one horizontal row a strategy, the first on top."""
    figure, axes = plotting.panel(height=top + 42 + row * len(names), left=left, right=right, top=top, bottom=42)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [label(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="x")
    return figure, axes


def panel_title(axes: Any, text: str, second: str = "") -> None:
    """Bold head at the left edge of the panel, with a plain second line where there is one."""
    figure = axes.figure
    height = figure.bbox.height
    figure.text(2 / figure.bbox.width, 1 - 13 / height, cut(text, 56), fontsize=11.5, fontweight="bold", va="baseline")
    if second:
        figure.text(2 / figure.bbox.width, 1 - 28 / height, cut(second, 62), fontsize=10.5, va="baseline")


def setting_title(axes: Any, tables: Tables, setting: Setting, second: str = "") -> None:
    """Head of a panel that shows one setting; where the seeds are stands in the second line."""
    place = {"anywhere": "seeds anywhere", "one community": "all seeds in one community", "spread": "seeds spread"}
    parts = [second, place.get(setting.place, setting.place) if tables.several_places else ""]
    panel_title(axes, tables.name(setting, without=("place",)), ", ".join(p for p in parts if p))


def head_room(tables: Tables) -> float:
    """Height that the head of such a panel needs, in pixels."""
    return 42.0 if tables.several_places else 28.0


def name_id(key: str, tables: Tables, setting: Setting, extra: str = "") -> str:
    """Return the prefix of the ids inside the SVG of a setting."""
    return f"{key}{tables.settings.index(setting)}{extra}"


def marks_of(levels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the key above the panels: (character, level); none where there is one level only."""
    return [(mark, level) for (_, _, mark), level in zip(MARKS, levels, strict=False)] if len(levels) > 1 else []


def marked_rows(
    axes: Any,
    rows: pd.DataFrame,
    names: Sequence[str],
    levels: Sequence[str],
    look: Look,
    columns: tuple[str, str, str],
) -> None:
    """Draw (low, middle, high) of every strategy, one mark a level, levels one below the other in the row.

    `rows` has the columns ``strategy`` and ``level``.
    """
    low, middle, high = columns
    step = 0.62 / max(len(levels) - 1, 1)
    for i, (level, (marker, filled, _)) in enumerate(zip(levels, MARKS, strict=False)):
        own = rows[(rows["level"] == level) & rows["strategy"].isin(names)]
        offset = (i - (len(levels) - 1) / 2) * step if len(levels) > 1 else 0.0
        plotting.intervals(
            axes, own[low].tolist(), own[middle].tolist(), own[high].tolist(),
            [names.index(s) + offset for s in own["strategy"]],
            colours=[look.colour[s] for s in own["strategy"]], marker=marker, filled=filled,
        )  # fmt: skip
