"""Effects of the factors of a study: comparisons of cells that differ in one factor, their averages, what matters most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from .format import Interval
from .read import StudyTables, keyed, records

__all__ = [
    "Contrast",
    "FactorEffect",
    "average",
    "baseline_of",
    "between",
    "contrasts",
    "dominant_factor",
    "factor_effects",
    "groups_over",
    "of_graph_and_model",
    "place_contrasts",
    "seeds_alike",
    "strategy_contrasts",
    "strategy_effects",
    "variance_shares",
]

SEEDS_ALIKE = 1.05  # the same money may buy this many times as many seeds and still be compared as structure
Row = dict[str, Any]


@dataclass(frozen=True)
class Contrast:
    """Two cells that differ in one factor, and the change from `start` to `to` (of a ratio: its logarithm)."""

    start: Row
    to: Row
    change: Interval


@dataclass(frozen=True)
class FactorEffect:
    """The average effect of a factor on log reach over the conditions of the study.

    The interval takes conditions as the unit (Student's t); of one condition it is that of the simulation.
    """

    factor: str
    start: Any
    to: Any
    change: Interval
    conditions: int
    contagion: str = ""  # of which the conditions are; empty: of all


def of_graph_and_model(results: pd.DataFrame) -> pd.DataFrame:
    """One row for each graph and model: R and the phase are theirs, whatever the seeds."""
    return results.drop_duplicates(["graph", "model", "rule"])


def logarithm(difference: Sequence[float], before: float) -> Interval:
    """Return the interval of a difference as one of the logarithm of the ratio."""
    shares = (value / before for value in difference)
    return Interval(*(math.log1p(share) if share > -1 else -math.inf for share in shares))


def difference(start: Row, to: Row, measure: str) -> Interval:
    """Difference of two cells that share no worlds: their intervals are combined as those of independent estimates."""
    a, b = float(start[measure]), float(to[measure])
    a_low, a_high, b_low, b_high = (float(row[f"{measure}_{end}"]) for row in (start, to) for end in ("low", "high"))
    return Interval(b - a, b - a - math.hypot(b - b_low, a_high - a), b - a + math.hypot(b_high - b, a - a_low))


def between(start: Row, to: Row, measure: str = "reach", *, ratio: bool = True) -> Contrast | None:
    """Compare two cells by a measure; None where it is not known, or no ratio can be formed."""
    change = difference(start, to, measure)
    if not all(map(math.isfinite, change)) or (ratio and not (start[measure] > 0 and to[measure] > 0)):
        return None
    return Contrast(start, to, logarithm(change, start[measure]) if ratio else change)


def average(changes: Iterable[Interval], confidence: float) -> Interval | None:
    """Mean over conditions with the t interval that takes each as one observation; None without any."""
    from scipy.stats import t

    known = [change for change in changes if math.isfinite(change.value)]
    if len(known) < 2:
        return known[0] if known else None
    values = np.array([change.value for change in known])
    half = float(t.ppf(0.5 + confidence / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half)


# --- one factor, everything else held fixed --------------------------------------------------------------------------


def seeds_alike(numbers: Iterable[Any]) -> bool:
    """Whether cells have about as many seeds; if not, a difference of reach says more about the seeds than a factor."""
    found = [int(n) for n in numbers]
    return max(found) <= SEEDS_ALIKE * min(found)


def groups_over(
    tables: StudyTables, factor: str, rows: pd.DataFrame | None = None, *, of_model: bool = False
) -> list[list[Row]]:
    """Return the groups of cells that differ in `factor` alone, each in the order of its levels.

    Groups in which the same money buys other numbers of seeds differ in these too, and are left out. With `of_model`
    one row stands for each graph and model, whatever the seeds.
    """
    r = tables.seeded if rows is None else rows[rows["n_seeds"] > 0]
    if factor == "mixing" and tables.copies:
        r = r[r["graph"].isin(tables.copies)]
    held = {"graph", "model_kind", "rule", "place", "strategy", "budget", *tables.model_factors}
    held -= {factor, {"mixing": "graph", "n_seeds": "budget"}.get(factor, "")}
    if of_model:
        r, held = of_graph_and_model(r), held - {"place", "strategy", "budget"}
    r = r[r[factor].notna() & (r[factor] != "")]
    text = not pd.api.types.is_numeric_dtype(r[factor])
    groups: dict[str, list[Row]] = {}
    for key, row in zip(keyed(r, sorted(held)), records(r), strict=True):
        groups.setdefault(key, []).append(row)
    found = []
    for own in groups.values():
        # Two cells at one level differ in something that has no column: nothing could be read from them.
        alike = of_model or factor == "n_seeds" or seeds_alike(row["n_seeds"] for row in own)
        if len(own) > 1 and len({row[factor] for row in own}) == len(own) and alike:
            found.append(sorted(own, key=lambda row: (text and row[factor] != "simple", row[factor])))
    return found


def contrasts(
    tables: StudyTables,
    factor: str,
    *,
    measure: str = "reach",
    ratio: bool = True,
    rows: pd.DataFrame | None = None,
) -> list[Contrast]:
    """Compare the highest level of `factor` with the lowest in every group of cells that differ in it alone."""
    groups = groups_over(tables, factor, rows, of_model=measure == "R")
    pairs = (between(group[0], group[-1], measure, ratio=ratio) for group in groups)
    return [pair for pair in pairs if pair is not None]


def _cells(tables: StudyTables, *keys: str) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[k] for k in keys): row for row in tables.records}


def place_contrasts(tables: StudyTables, start: str = "spread", to: str = "one community") -> list[Contrast]:
    """Compare reach at two places of the seeds, on the same worlds."""
    keys = ("graph", "model", "rule", "budget", "strategy")
    cells = _cells(tables, *keys, "place")
    found = []
    for row in records(tables.paired_place):
        if {row["place_a"], row["place_b"]} != {start, to}:
            continue
        a, b = (cells.get((*(row[k] for k in keys), place)) for place in (start, to))
        if a is None or b is None or not a["reach"] > 0 or not seeds_alike((a["n_seeds"], b["n_seeds"])):
            continue
        ends = (row["difference"], row["low"], row["high"])
        change = Interval(*ends) if row["place_a"] == to else Interval(-ends[0], -ends[2], -ends[1])
        found.append(Contrast(a, b, logarithm(change, a["reach"])))
    return found


def strategy_contrasts(tables: StudyTables, start: str, to: str) -> list[Contrast]:
    """Compare two strategies at every setting and budget; on the same worlds where that was recorded."""
    keys = ("graph", "model", "rule", "place", "budget")
    paired = {
        (*(row[k] for k in keys), row["strategy"], row["best"]): (row["difference"], row["low"], row["high"])
        for row in records(tables.paired)
    }
    cells = _cells(tables, *keys, "strategy")
    found = []
    for key, b in cells.items():
        a = cells.get((*key[:-1], start))
        if key[-1] != to or a is None or not a["reach"] > 0:
            continue
        change = difference(a, b, "reach")
        if (*key[:-1], to, start) in paired:
            change = Interval(*paired[*key[:-1], to, start])
        elif (*key[:-1], start, to) in paired:
            value, low, high = paired[*key[:-1], start, to]
            change = Interval(-value, -high, -low)
        if all(map(math.isfinite, change)):
            found.append(Contrast(a, b, logarithm(change, a["reach"])))
    return found


# --- averages and what matters most ----------------------------------------------------------------------------------


def confidence_of(tables: StudyTables) -> float:
    """Level of the intervals of a study."""
    return float(tables.results["confidence"].min())


def baseline_of(tables: StudyTables) -> str:
    """The strategy others are compared with: random, or else the one that reaches least."""
    if "random" in tables.strategies:
        return "random"
    return str(tables.seeded.groupby("strategy")["reach"].mean().idxmin())


@lru_cache(maxsize=4)
def strategy_effects(tables: StudyTables, budget_kind: str = "") -> list[FactorEffect]:
    """Effect of every strategy against the baseline, over settings and budgets (of a kind), the strongest first."""
    start = baseline_of(tables)
    others = [name for name in tables.strategies if name != start]
    found = []
    for name in others:
        pairs = strategy_contrasts(tables, start, name)
        own = [pair for pair in pairs if budget_kind in ("", pair.to["budget_kind"])]
        found.append(_effect(tables, "strategy", start, name, own))
    return sorted((e for e in found if e is not None), key=lambda e: -e.change.value)


@lru_cache(maxsize=4)
def factor_effects(tables: StudyTables) -> list[FactorEffect]:
    """Average effect on log reach of every factor, from its lowest level to its highest; of structure by contagion."""
    found: list[FactorEffect | None] = []
    for factor in tables.model_factors:
        pairs = contrasts(tables, factor)
        found.append(_effect(tables, factor, None, None, pairs))
    found.append(_effect(tables, "n_seeds", None, None, contrasts(tables, "n_seeds", rows=_in_seeds(tables))))
    for factor, pairs in (("mixing", contrasts(tables, "mixing")), ("place", place_contrasts(tables))):
        for contagion in dict.fromkeys(tables.results["contagion"]):
            own = [pair for pair in pairs if pair.start["contagion"] == contagion]
            found.append(_effect(tables, factor, None, None, own, contagion))
    strategies = strategy_effects(tables)
    return [effect for effect in found if effect is not None] + strategies[:1]


def _in_seeds(tables: StudyTables) -> pd.DataFrame:
    return tables.seeded[tables.seeded["budget_kind"] == "k"]


def _effect(
    tables: StudyTables, factor: str, start: Any, to: Any, pairs: Sequence[Contrast], contagion: str = ""
) -> FactorEffect | None:
    change = average((pair.change for pair in pairs), confidence_of(tables))
    if change is None:
        return None
    levels = [start, to]
    if start is None:
        numeric = isinstance(pairs[0].start[factor], int | float)
        lows, highs = ([row[factor] for row in rows] for rows in ([p.start for p in pairs], [p.to for p in pairs]))
        levels = [min(lows), max(highs)] if numeric else [lows[0], highs[0]]
    return FactorEffect(factor, levels[0], levels[1], change, len(pairs), contagion)


@lru_cache(maxsize=4)
def variance_shares(tables: StudyTables) -> pd.Series[float]:
    """Share of the variance of log reach over cells that each factor explains alone (omega squared), the largest first."""
    r = tables.seeded[tables.seeded["reach"] > 0]
    y = np.log(r["reach"].to_numpy(dtype=float))
    total = float(((y - y.mean()) ** 2).sum())
    factors = [*tables.model_factors, "mixing", "rule", "model_kind", "place", "budget", "strategy"]
    if r["mixing"].nunique() < 2:
        factors.append("graph")
    shares = {}
    for factor in factors:
        levels = r[factor].map(str)
        n_levels = levels.nunique()
        if not 1 < n_levels < len(y) or not total:
            continue
        own = pd.Series(y).groupby(levels.to_numpy())
        within = float(((y - own.transform("mean")) ** 2).sum())
        error = within / (len(y) - n_levels)
        shares[factor] = max(total - within - (n_levels - 1) * error, 0.0) / (total + error)
    return pd.Series(shares, dtype=float).sort_values(ascending=False)


def dominant_factor(tables: StudyTables) -> tuple[str, float] | None:
    """The factor that explains most of the variance of log reach, and its share."""
    shares = variance_shares(tables)
    return (str(shares.index[0]), float(shares.iloc[0])) if len(shares) else None
