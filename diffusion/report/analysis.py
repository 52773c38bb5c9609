"""Effects of the factors of a study with the replicated graph as the unit: contrasts, their averages, regret."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .format import Interval
from .read import LINE, StudyTables, keyed, records

__all__ = [
    "Contrast",
    "Effect",
    "FactorEffect",
    "baseline_of",
    "combine",
    "factor_effects",
    "factor_groups",
    "level_contrasts",
    "mean_effect",
    "model_effects",
    "other_half",
    "pairs_over",
    "place_effect",
    "regret",
    "strategy_contrasts",
    "strategy_effects",
]

EXACT = 1e-12  # a standard error below this is rounding
Weights = Mapping[str, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contrast:
    """A comparison of conditions: its value on every graph, and the standard error of one by simulation alone."""

    values: Floats  # by replicate, NaN where there is none
    se: float


@dataclass(frozen=True)
class Effect:
    """Mean of contrasts. The graph is the unit of its interval; with one graph it is the simulation's on that graph."""

    change: Interval
    se: float
    df: float  # infinite with one graph
    graphs: int
    contrasts: int

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value of the hypothesis that the mean is `null`."""
        from scipy.stats import t

        gap = abs(self.change.value - null)
        if self.se < EXACT:
            return float(gap < 1e-9)
        return float(2 * t.sf(gap / self.se, self.df))


@dataclass(frozen=True)
class FactorEffect:
    """Average effect on log reach of a factor, from one level to another; of a kind of contagion or a model, or of all."""

    factor: str
    start: Any
    to: Any
    effect: Effect
    contagion: str = ""
    model: str = ""

    @property
    def ratio(self) -> Interval:
        """Reach at the second level over reach at the first."""
        return self.effect.change.ratio


def combine(tables: StudyTables, weights: Weights, measure: str = "reach", *, log: bool = True) -> Contrast | None:
    """Return the weighted sum over conditions of a measure or its logarithm; None if it is known on no graph."""
    values, errors = tables.by_replicate(measure), tables.errors(measure)
    total, variance = np.zeros(len(next(iter(values.values())))), 0.0
    for condition, weight in weights.items():
        own, se = values[condition], errors[condition]
        if log:
            own = np.where(own > 0, own, np.nan)
            if np.isnan(own).all():
                return None
            own, se = np.log(own), se / float(np.nanmean(own))
        total, variance = total + weight * own, variance + (weight * se) ** 2
    return Contrast(total, math.sqrt(variance)) if np.isfinite(total).any() else None


def mean_effect(contrasts: Iterable[Contrast | None], confidence: float) -> Effect | None:
    """Average contrasts on every graph, then over graphs with Student's t; None without any.

    Graphs on which half of the contrasts are not known are left out, then contrasts that are not known on all others.
    Contrasts on one graph share its worlds, so their errors are not taken to average out: with one graph the standard
    error is the mean of theirs.
    """
    from scipy.stats import t

    known = [c for c in contrasts if c is not None]
    if not known:
        return None
    values = np.array([c.values for c in known])
    values = values[:, np.isfinite(values).mean(axis=0) >= 0.5]
    whole = np.isfinite(values).all(axis=1) & (values.shape[1] > 0)
    if not whole.any():
        return None
    graphs = values[whole].mean(axis=0)
    G, mean = len(graphs), float(graphs.mean())
    alone = float(np.mean([c.se for c, kept in zip(known, whole, strict=True) if kept]))
    se, df = (float(graphs.std(ddof=1)) / math.sqrt(G), G - 1) if G > 1 else (alone, math.inf)
    half = float(t.ppf(0.5 + confidence / 2, df)) * se
    return Effect(Interval(mean, mean - half, mean + half), se, df, G, int(whole.sum()))


# --- conditions that differ in one factor ----------------------------------------------------------------------------


def pairs_over(rows: pd.DataFrame, factor: str, start: Any, to: Any) -> list[tuple[Any, Any]]:
    """Return pairs of conditions of the crossed part that differ in strategy or place alone."""
    held = [c for c in ("graph", "model", "rule", "strategy", "place", "budget") if c != factor]
    key = keyed(rows, held)
    ends = [dict(zip(key[rows[factor] == v], records(rows[rows[factor] == v]), strict=True)) for v in (start, to)]
    return [(a, ends[1][k]) for k, a in ends[0].items() if k in ends[1]]


@lru_cache(maxsize=64)
def factor_groups(tables: StudyTables, factor: str, contagion: str = "", *, swept: bool = True) -> list[list[Any]]:
    """Return groups of conditions that differ in `factor` alone, each in the order of its levels.

    They come from the sweep of the factor, or (`swept` false) from models of the crossed part with other parameters.
    """
    if swept:
        rows = tables.sweeps.get(factor, tables.crossed.iloc[:0])
        held, order = [*LINE, *(["budget"] if factor != "budget" else ["graph"])], "x"
    else:
        rows, order = tables.crossed, factor
        if factor not in rows:
            return []
        rows = rows[rows[factor].notna() & (rows[factor] != "")]
        others = [f for f in tables.model_factors if f != factor]
        held = ["graph", "rule", "place", "strategy", "budget", "model_kind", "contagion", *others]
    rows = rows[rows["contagion"] == contagion] if contagion else rows
    if rows.empty:
        return []
    rows = rows.sort_values(order, kind="stable")
    groups: dict[str, list[Any]] = {}
    for key, row in zip(keyed(rows, held), records(rows), strict=True):
        groups.setdefault(key, []).append(row)
    return [own for own in groups.values() if len(own) > 1 and len({row[order] for row in own}) == len(own)]


def level_contrasts(
    tables: StudyTables, factor: str, contagion: str = "", *, measure: str = "reach", log: bool = True
) -> list[tuple[Any, Any, Contrast]]:
    """Compare the last level of a factor with the first, over its sweep, or else over the crossed part."""
    for swept in (True, False):
        found = []
        for group in factor_groups(tables, factor, contagion, swept=swept):
            a, b = group[0], group[-1]
            contrast = combine(tables, {a["condition"]: -1.0, b["condition"]: 1.0}, measure, log=log)
            if contrast is not None:
                found.append((a, b, contrast))
        if found:
            return found
    return []


def strategy_contrasts(
    tables: StudyTables, start: str, to: str, rows: pd.DataFrame | None = None
) -> list[tuple[Any, Any, Contrast]]:
    """Compare two strategies over conditions, by default those of the crossed part with seeds anywhere."""
    pairs = pairs_over(tables.home if rows is None else rows, "strategy", start, to)
    made = [(a, b, combine(tables, {a["condition"]: -1.0, b["condition"]: 1.0})) for a, b in pairs]
    return [(a, b, contrast) for a, b, contrast in made if contrast is not None]


# --- average effects -------------------------------------------------------------------------------------------------


def baseline_of(tables: StudyTables) -> str:
    """The strategy others are compared with: random, or else the one that reaches least."""
    present = set(tables.crossed["strategy"])
    if "random" in present:
        return "random"
    return str(tables.crossed.groupby("strategy")["reach"].mean().idxmin())


@lru_cache(maxsize=8)
def strategy_effects(tables: StudyTables) -> list[FactorEffect]:
    """Effect of every strategy against the baseline over the crossed part, the strongest first."""
    if tables.crossed.empty:
        return []
    start, found = baseline_of(tables), []
    for name in tables.strategies:
        pairs = strategy_contrasts(tables, start, name) if name != start else []
        effect = mean_effect((c for *_, c in pairs), tables.confidence)
        if effect is not None:
            found.append(FactorEffect("strategy", start, name, effect))
    return sorted(found, key=lambda e: -e.effect.change.value)


def place_effect(
    tables: StudyTables, contagion: str, start: str = "spread", to: str = "one community"
) -> Effect | None:
    """Effect on log reach of seeds in one community against spread ones; with one graph over the worlds they share."""
    rows = tables.crossed[tables.crossed["contagion"] == contagion]
    pairs = pairs_over(rows, "place", start, to)
    made = [combine(tables, {a["condition"]: -1.0, b["condition"]: 1.0}) for a, b in pairs]
    if len(tables.paired_place):
        keys = ["graph", "model", "rule", "budget", "strategy"]
        shared = {
            tuple(row[k] for k in keys): row
            for row in records(tables.paired_place)
            if {row["place_a"], row["place_b"]} == {start, to}
        }
        z = 2 * _normal_quantile(tables.confidence)
        for i, (a, b) in enumerate(pairs):
            row, own = shared.get(tuple(a[k] for k in keys)), made[i]
            if row is not None and own is not None and np.isfinite(own.values).sum() == 1:
                # d log(b/a) = d(b - a) / b to first order where b - a is measured on shared worlds.
                made[i] = Contrast(own.values, (row["high"] - row["low"]) / z / b["reach"])
    return mean_effect(made, tables.confidence)


def _normal_quantile(confidence: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + confidence / 2))


@lru_cache(maxsize=8)
def factor_effects(tables: StudyTables) -> list[FactorEffect]:
    """Average effect on log reach of every factor from its first level to its last, by kind of contagion."""
    found = []
    names = dict.fromkeys([*tables.sweeps, *tables.model_factors])
    for contagion in dict.fromkeys(tables.designed["contagion"]):
        for factor in names:
            made = level_contrasts(tables, factor, contagion)
            effect = mean_effect((c for *_, c in made), tables.confidence)
            if effect is None:
                continue
            start, to = (row.get("level") or row.get("value", row.get(factor)) for row in made[0][:2])
            found.append(FactorEffect(factor, start, to, effect, contagion))
        effect = place_effect(tables, contagion)
        if effect is not None:
            found.append(FactorEffect("place", "spread", "one community", effect, contagion))
    return found + strategy_effects(tables)[:1]


def model_effects(tables: StudyTables, factor: str) -> list[FactorEffect]:
    """Average effect on log reach of a factor from its first level to its last, model by model."""
    made: dict[str, list[tuple[Any, Any, Contrast]]] = {}
    for a, b, contrast in level_contrasts(tables, factor):
        made.setdefault(str(a["model_name"]), []).append((a, b, contrast))
    found = []
    for model, own in made.items():
        effect = mean_effect((c for *_, c in own), tables.confidence)
        if effect is not None:
            start, to = (row.get("level") or row.get("value", row.get(factor)) for row in own[0][:2])
            found.append(FactorEffect(factor, start, to, effect, model=model))
    return found


# --- regret ----------------------------------------------------------------------------------------------------------


def other_half(values: Floats) -> Floats:
    """For every graph (column) the mean of each row over the half of the graphs that it does not belong to.

    What is chosen on one half is judged on the other. Choosing on all graphs but one makes the judgements depend on each
    other: of equal alternatives 11 % (8 graphs) to 19 % (16) would be told apart at 5 %, here 5 to 7 %.
    """
    even = np.arange(values.shape[1]) % 2 == 0
    means = np.nanmean(values[:, ~even], axis=1), np.nanmean(values[:, even], axis=1)
    found: Floats = np.where(even, means[0][:, None], means[1][:, None])
    return found


def regret(tables: StudyTables, rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """What choosing each strategy costs: the share of reach lost against the best strategy of its group.

    The best is chosen on the other half of the graphs than the one it is judged on, so that the draw that made it the
    best does not flatter it. With one graph the difference is that of shared worlds, and the best is the best of the same runs.

    Returns
    -------
    pandas.DataFrame
        Columns of `by`, then strategy, regret, low, high (shares; negative where a strategy beat the one chosen on the
        other graphs), best and reach.
    """
    values, found = tables.by_replicate("reach"), []
    for _, own in rows.groupby(keyed(rows, by), sort=False):
        own = own.drop_duplicates("strategy")
        reach = pd.DataFrame([values[c] for c in own["condition"]], index=own["strategy"]).dropna(axis=1, how="all")
        reach = reach[reach.notna().all(axis=1)]
        if len(reach) < 2 or not (reach.max() > 0).all():
            continue
        best = str(reach.mean(axis=1).idxmax())
        for row in records(own[own["strategy"].isin(reach.index)]):
            name = row["strategy"]
            if reach.shape[1] > 1:
                others = other_half(reach.to_numpy()).argmax(axis=0)
                chosen = reach.to_numpy()[others, np.arange(reach.shape[1])]
                lost = Contrast(1 - reach.loc[name].to_numpy() / np.where(chosen > 0, chosen, np.nan), 0.0)
                effect = mean_effect([lost], tables.confidence)
                change = effect.change if effect else Interval(math.nan, math.nan, math.nan)
            else:
                change = _regret_on_one_graph(tables, row, best, float(reach.loc[[best]].to_numpy()[0, 0]))
            kept = {k: row[k] for k in by} | {"x": row.get("x", math.nan)}
            ends = {"regret": change.value, "low": change.low, "high": change.high}
            found.append(kept | {"strategy": name, **ends, "best": best, "reach": row["reach"]})
    return pd.DataFrame(found)


def _regret_on_one_graph(tables: StudyTables, row: Any, best: str, most: float) -> Interval:
    if row["strategy"] == best:
        return Interval(0.0, 0.0, 0.0)
    p = tables.paired
    for name in ("graph", "model", "rule", "budget", "place", "strategy"):
        p = p[p[name] == row[name]]
    if p.empty:
        return Interval(1 - row["reach"] / most, math.nan, math.nan)
    return Interval(*(-float(p[end].iloc[0]) / most for end in ("difference", "high", "low")))
