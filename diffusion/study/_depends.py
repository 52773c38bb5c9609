"""On what an effect depends: the one factor that best tells apart where it goes which way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ._format import chosen
from ._read import PLACES, Tables

__all__ = ["Split", "level_words", "telling_split"]

_FACTORS = ("identify", "feed", "eta", "graph", "place", "budget", "strategy", "model", "rule")
_LEAST = 0.1  # share of the variance of the signs below which a factor tells nothing


@dataclass(frozen=True)
class Split:
    """Cases by the level of one factor: (words for the level, signs of its cases)."""

    name: str
    levels: list[tuple[str, list[int]]]


def _name(tables: Tables, factor: str) -> str:
    if factor == "graph" and all(tables.graph_name(g).startswith("mixing") for g in tables.results["graph"].unique()):
        return "mixing"
    named = {
        "identify": "identification",
        "feed": "the feed",
        "place": "the place of the seeds",
        "rule": "probabilities",
    }
    return named.get(factor, factor if factor in ("eta", "mixing") else f"the {factor}")


def level_words(tables: Tables, factor: str, row: Any) -> str:
    """Name the level of a factor, such as ``a feed of 3``; empty where it has none."""
    value = row[factor]
    if pd.isna(value) or value == "":
        return ""
    if factor == "feed":
        return f"a feed of {value:g}" if value > 0 else "no feed"
    written = {
        "identify": lambda: f"{value} identification",
        "eta": lambda: f"eta {value:g}",
        "graph": lambda: tables.graph_name(str(value)),
        "place": lambda: f"seeds {PLACES.get(str(value), str(value))}",
        "strategy": lambda: chosen(str(value)),
    }
    return str(written[factor]() if factor in written else value)


def telling_split(tables: Tables, cases: Sequence[tuple[Any, int]]) -> Split | None:
    """Return the factor that explains most of the variance of the signs, allowing for its number of levels.

    `cases` are (row of the results, sign). None where no factor explains a tenth.
    """
    signs = np.array([sign for _, sign in cases], dtype=float)
    if len(signs) < 2 or not signs.std():
        return None
    best, found = _LEAST, None
    for factor in _FACTORS:
        words = [level_words(tables, factor, row) for row, _ in cases]
        levels = list(dict.fromkeys(words))
        if not 1 < len(levels) < len(signs) or (factor == "model" and any(row["identify"] for row, _ in cases)):
            continue
        groups = [signs[[word == level for word in words]] for level in levels]
        within = sum(float(((g - g.mean()) ** 2).sum()) for g in groups)
        # Adjusted eta squared: a factor of many levels explains something by chance alone.
        told = 1 - within / (len(signs) - len(levels)) / float(signs.var(ddof=1))
        if told > best:
            order = sorted(range(len(levels)), key=lambda i: -groups[i].mean())
            best, found = told, Split(_name(tables, factor), [(levels[i], [int(s) for s in groups[i]]) for i in order])
    return found
