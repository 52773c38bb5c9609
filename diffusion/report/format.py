"""Numbers and names as the report writes them: at most four significant digits, intervals, shares, strategies."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

__all__ = [
    "Interval",
    "Share",
    "axis_name",
    "count",
    "cut",
    "interval",
    "label",
    "listing",
    "number",
    "percent",
    "show",
    "tie",
    "upper_first",
]

LABELS = {"pagerank": "PageRank", "k_core": "k-core", "voterank": "VoteRank", "irie": "IRIE"}
LABELS |= {"opim": "OPIM-C", "celf": "CELF", "hist": "HIST", "imm": "IMM"}
LEAST = 1e-4  # an interval that lies nearer to zero is not written out


class Interval(NamedTuple):
    """A value with the ends of its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval keeps clear of zero, else 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0

    def times(self, factor: float) -> Interval:
        """Return the interval in another unit."""
        return Interval(*(factor * end for end in self))

    @property
    def ratio(self) -> Interval:
        """The interval of a logarithm as one of a ratio."""
        return Interval(*(math.exp(min(end, 700.0)) for end in self))

    @property
    def percent_change(self) -> Interval:
        """The interval of a logarithm as one of a change in percent."""
        return Interval(*(100 * math.expm1(min(end, 700.0)) for end in self))


class Share(float):
    """A share, written in percent."""


def _grouped(value: float, decimals: int) -> str:
    rounded = round(value, decimals) + 0.0  # no minus zero
    return f"{rounded:,.{max(decimals, 0)}f}".replace("-", "\N{MINUS SIGN}")


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with at most `digits` significant digits and thousands separators; a dash if there is none.

    Examples
    --------
    >>> number(12345.6), number(0.0512349), number(3.0)
    ('12,300', '0.0512', '3')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    text = _grouped(value, digits - 1 - _magnitude(float(f"{value:.{digits - 1}e}")))
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float) -> str:
    """Write an exact count in full."""
    return f"{int(value):,}"


def interval(found: Sequence[float], unit: str = "") -> str:
    """Write a value with its interval, such as ``18.3 % [17.9, 18.7]``.

    Examples
    --------
    >>> interval((1634.2, 1628.4, 1640.9), " users")
    '1,630 users [1,630, 1,640]'
    """
    middle, low, high = found
    if math.isnan(middle):
        return "–"
    if math.isnan(low) or math.isnan(high):
        return number(middle) + unit
    if 0 < max(abs(v) for v in found) < LEAST:
        return f"under {LEAST:g}{unit}"
    if math.isinf(low) or math.isinf(high) or low == high:
        return f"{number(middle)}{unit} [{number(low)}, {number(high)}]"
    # Two digits of the half width, nothing with more than three in all.
    most = 2 - _magnitude(max(abs(v) for v in found))
    decimals = min(1 - _magnitude((high - low) / 2), most)
    while decimals <= most and any(v and round(v, decimals) == 0 for v in (low, high)):
        decimals += 1  # an end that is not zero must not look like zero: that is what decides
    return f"{_grouped(middle, decimals)}{unit} [{_grouped(low, decimals)}, {_grouped(high, decimals)}]"


def percent(part: float, digits: int = 3) -> str:
    """Write a share in percent."""
    return "–" if part is None or math.isnan(part) else f"{number(100 * part, digits)} %"


def show(value: Any) -> str:
    """Write a value of any type."""
    if isinstance(value, Interval):
        return interval(value)
    if isinstance(value, Share):
        return percent(value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {show(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(show, value))
    return str(value) or "–"


def label(strategy: str) -> str:
    """Return the name of a strategy as it is printed."""
    return LABELS.get(strategy, strategy.replace("_", " "))


def listing(parts: Sequence[Any]) -> str:
    """Join words as in ``a, b and c``."""
    texts = [show(part) for part in parts]
    return " and ".join(texts) if len(texts) < 3 else ", ".join(texts[:-1]) + " and " + texts[-1]


def cut(text: str, most: int) -> str:
    """Shorten a text that is too long for its place."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def upper_first(text: Any) -> str:
    """Begin with a capital."""
    return str(text)[:1].upper() + str(text)[1:]


def tie(text: Any) -> str:
    """Keep a number and its percent sign, and the two ends of an interval, on one line; markup stays markup."""
    tied = re.sub(r"(?<=\d) ?%", "\N{NO-BREAK SPACE}%", str(text))
    tied = re.sub(r"(\[[^\s\[\]]+,) ([^\s\[\]]+\])", "\\1\N{NO-BREAK SPACE}\\2", tied)
    return Markup(tied) if isinstance(text, Markup) else tied


AXIS_NAMES = {
    "eta": "eta, share of intentions acted upon",
    "identify_rate": "identify (p_I)",
    "sympathize": "sympathize (p_S)",
    "participate": "participate (p_P)",
    "share": "share (p_X)",
    "small_share": "share of money for amateurs",
    "place": "place of the seeds",
    "tail": "tail exponent of followers",
    "graph and draw": "chance: graph and draw",
    "identify": "identify",
}


def axis_name(factor: str) -> str:
    """Name of a factor on an axis."""
    return AXIS_NAMES.get(factor, factor.replace("_", " "))
