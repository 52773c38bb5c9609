"""Numbers and names as the report writes them: at most four significant digits, intervals, shares, strategies."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "TIERS",
    "budget_words",
    "chosen",
    "count",
    "cut",
    "fixed",
    "interval",
    "label",
    "listing",
    "number",
    "plain",
    "range_of",
    "share",
    "spelled",
    "tie",
]

_LABELS = {
    "pagerank": "PageRank",
    "k_core": "k-core",
    "voterank": "VoteRank",
    "opim": "OPIM-C",
    "celf": "CELF",
    "hist": "HIST",
    "ris": "RIS",
}
TIERS = ("amateur", "tail", "waist", "head")
_LEAST = 1e-4  # an interval that lies nearer to zero is not written out
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


# --- numbers ---------------------------------------------------------------------------------------------------------


def _grouped(value: float, decimals: int) -> str:
    rounded = round(value, decimals) + 0.0  # no minus zero
    return f"{rounded:,.{max(decimals, 0)}f}".replace("-", "\N{MINUS SIGN}")


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def number(value: float | None, digits: int = 4) -> str:
    """Write a number with at most `digits` significant digits and thousands separators; a dash if there is none.

    Examples
    --------
    >>> number(12345.6), number(0.0512349), number(3.0)
    ('12,350', '0.05123', '3')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    text = _grouped(value, digits - 1 - _magnitude(float(f"{value:.{digits - 1}e}")))
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float) -> str:
    """Write an exact count in full.

    Examples
    --------
    >>> count(317080)
    '317,080'
    """
    return f"{int(value):,}"


def _decimals(middle: float, low: float, high: float) -> int:
    """Decimals at which an interval shows two digits of its half width and nothing shows more than four in all."""
    most = 3 - _magnitude(max(abs(v) for v in (middle, low, high)))
    decimals = min(1 - _magnitude((high - low) / 2), most)
    # An end that is not zero must not look like zero: that is what decides "undecided".
    while decimals < most and any(v and round(v, decimals) == 0 for v in (low, high)):
        decimals += 1
    return decimals


def interval(middle: float, low: float, high: float, unit: str = "") -> str:
    """Write a value with its interval, such as ``18.3 % [17.9, 18.7]``.

    Examples
    --------
    >>> interval(1634.2, 1628.4, 1640.9, " users")
    '1,634 users [1,628, 1,641]'
    """
    if math.isnan(middle):
        return "–"
    if math.isnan(low) or math.isnan(high):
        return number(middle) + unit
    if 0 < max(abs(v) for v in (middle, low, high)) < _LEAST:
        return f"under {_LEAST:g}{unit}"
    if math.isinf(low) or math.isinf(high) or low == high:
        return f"{number(middle)}{unit} [{number(low)}, {number(high)}]"
    decimals = _decimals(middle, low, high)
    return f"{_grouped(middle, decimals)}{unit} [{_grouped(low, decimals)}, {_grouped(high, decimals)}]"


def share(part: float, whole: float) -> str:
    """Write a part of a whole in percent, with three significant digits.

    Examples
    --------
    >>> share(12, 100), share(1, 1), share(0, 3)
    ('12.0 %', '100 %', '0 %')
    """
    if not whole or math.isnan(part):
        return "–"
    percent = 100 * part / whole
    return f"{_grouped(percent, 2 - _magnitude(percent)) if percent else '0'} %"


def spelled(value: int) -> str:
    """Write a small count as a word."""
    return _WORDS[value] if 0 <= value < len(_WORDS) else count(value)


# --- names -----------------------------------------------------------------------------------------------------------


def label(strategy: str) -> str:
    """Return the name of a strategy as it is printed.

    Examples
    --------
    >>> label("degree_discount"), label("pagerank")
    ('degree discount', 'PageRank')
    """
    return _LABELS.get(strategy, strategy.replace("_", " "))


def chosen(strategy: str, n_seeds: int | None = None) -> str:
    """Return the seeds of a strategy as the subject of a sentence; with `n_seeds`, how many they are."""
    one = n_seeds == 1
    many = "" if n_seeds is None else f"{count(n_seeds)} "
    if strategy in TIERS:
        return f"{many}{strategy} creator{'' if one else 's'}"
    noun = f"{many}seed{'' if one else 's'}"
    if strategy == "random":
        return f"{noun} drawn at random"
    return f"{noun} chosen by {label(strategy)}"


def budget_words(kind: str, value: float, budget: str) -> str:
    """Say how much is spent, such as ``for 100,000 RMB``."""
    if kind == "money":
        return f"for {budget}"
    return f"with {count(value)} seed{'' if value == 1 else 's'}"


def fixed(value: float, decimals: int) -> str:
    """Write a number with so many decimals; a dash if there is none."""
    return "–" if math.isnan(value) else _grouped(value, decimals)


def range_of(values: Iterable[float], unit: str = " runs") -> str:
    """Write counts as one number or as a range, such as ``512 to 1,024 runs``."""
    found = sorted({int(v) for v in values})
    if len(found) < 2:
        return f"{count(found[0])}{unit}" if found else ""
    return f"{count(found[0])} to {count(found[-1])}{unit}"


def listing(parts: Sequence[str]) -> str:
    """Join words as in ``a, b and c``."""
    parts = [part for part in parts if part]
    return " and ".join(parts) if len(parts) < 3 else ", ".join(parts[:-1]) + " and " + parts[-1]


def cut(text: str, most: int) -> str:
    """Shorten a text that is too long for its place."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def plain(value: Any) -> str:
    """Write a value of a study file."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    return str(value)


def tie(text: str) -> str:
    """Keep a number and its percent sign, and the two ends of an interval, on one line."""
    tied = re.sub(r"(?<=\d) ?%", "\N{NO-BREAK SPACE}%", text)
    return re.sub(r"(\[[^\s\[\]]+,) ([^\s\[\]]+\])", "\\1\N{NO-BREAK SPACE}\\2", tied)
