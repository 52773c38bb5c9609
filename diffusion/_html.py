"""Short tables for notebooks: all text escaped, intervals as small bars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["card", "facts", "interval_table", "table"]

LEFT = "style='text-align:left'"
MOST = 12  # rows of a table
WIDTH, HEIGHT = 120, 12  # of a bar, in pixels


def facts(caption: str, values: Mapping[str, str]) -> str:
    """A table of names and values."""
    rows = (f"<tr><th {LEFT}>{escape(name)}</th><td {LEFT}>{escape(text)}</td></tr>" for name, text in values.items())
    return f"<table><caption>{escape(caption)}</caption><tbody>{''.join(rows)}</tbody></table>"


def card(text: str, *tables: str) -> str:
    """A paragraph of text, and tables below it."""
    return f"<p>{escape(text)}</p>{''.join(tables)}"


def table(frame: pd.DataFrame, caption: str = "") -> str:
    """The first rows of a table, without its index."""
    return _table(frame.head(MOST), caption, len(frame), {})


def interval_table(
    frame: pd.DataFrame, caption: str = "", *, value: str = "value", low: str = "low", high: str = "high"
) -> str:
    """The first rows of a table, without its index, in which one number has its interval beside it and as a bar.

    All bars have one scale, which holds 0; a line marks it.
    """
    shown = frame.head(MOST)
    ends = list(zip(*(map(float, shown[name]) for name in (low, value, high)), strict=True))
    known = [0.0, *(end for row in ends for end in row if math.isfinite(end))]
    bars = [_bar(a, at, b, min(known), max(known)) for a, at, b in ends]
    texts = [f"{_text(at)} [{_text(a)}, {_text(b)}]" if a < b else _text(at) for a, at, b in ends]
    shown = shown.assign(**{value: texts}).drop(columns=[low, high])
    return _table(shown, caption, len(frame), {value: bars})


def _table(frame: pd.DataFrame, caption: str, rows: int, bars: Mapping[str, list[str]]) -> str:
    names = list(map(str, frame.columns))
    head = "".join(f"<th {LEFT}>{escape(name)}</th>" + f"<th {LEFT}></th>" * (name in bars) for name in names)
    body = ""
    for i, row in enumerate(frame.itertuples(index=False, name=None)):
        cells = zip(names, row, strict=True)
        body += "<tr>" + "".join(
            f"<td {LEFT}>{escape(_text(value))}</td>" + (f"<td>{bars[name][i]}</td>" if name in bars else "")
            for name, value in cells
        )
        body += "</tr>"
    if rows > len(frame):
        body += f"<tr><td {LEFT} colspan='{frame.shape[1] + len(bars)}'>and {rows - len(frame):,} more</td></tr>"
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return "not known" if math.isnan(value) else f"{value:,.5g}" if abs(value) < 1e5 else f"{value:,.0f}"


def _bar(low: float, value: float, high: float, least: float, most: float) -> str:
    """An interval as a line with a dot at its value; ends that are not finite go to the edge, or are left out."""

    def place(at: float) -> float:
        share = (min(max(at, least), most) - least) / (most - least) if most > least else 0.0
        return round(4 + (WIDTH - 8) * share, 1)

    if math.isnan(value):
        return ""
    says = f"{_text(value)}, from {_text(low)} to {_text(high)}" if low < high else _text(value)
    drawn = f"<line x1='{place(0.0)}' x2='{place(0.0)}' y1='0' y2='{HEIGHT}' stroke='#b8b8b8'/>"
    if low < high:
        drawn += (
            f"<line x1='{place(low)}' x2='{place(high)}' y1='{HEIGHT // 2}' y2='{HEIGHT // 2}' stroke='#0072B2' "
            "stroke-width='3' stroke-opacity='0.5'/>"
        )
    drawn += f"<circle cx='{place(value)}' cy='{HEIGHT // 2}' r='3' fill='#0072B2'/>"
    box = f"width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}'"
    return f"<svg {box} role='img' aria-label='{escape(says)}'>{drawn}</svg>"
