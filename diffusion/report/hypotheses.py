"""What theory lets expect: contrasts with the direction expected; every verdict is computed from the tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..study.estimates import false_discoveries
from .analysis import Contrast, Effect, combine, factor_groups, level_contrasts, mean_effect, place_effect
from .analysis import strategy_contrasts as strategies
from .format import Interval
from .read import StudyTables

__all__ = ["HYPOTHESES", "Finding", "Hypothesis", "elasticity_of_budget", "findings", "prediction"]

TIERS = ("head", "waist", "tail")
HUBS = ("degree", "head", "pagerank")
Verdict = Literal["holds", "fails", "undecided", "not asked"]
Contrasts = list[Contrast]


def _seeds_for_a_number(start: str, to: str) -> Callable[[StudyTables], Contrasts]:
    """Two strategies with the same number of seeds: what is published is not of seeds for money."""

    def contrasts(tables: StudyTables) -> Contrasts:
        rows = tables.designed[(tables.designed["budget_kind"] == "k") & (tables.designed["contagion"] != "complex")]
        return [c for *_, c in strategies(tables, start, to, rows)]

    return contrasts


def _levels(
    factor: str, contagion: str = "", measure: str = "reach", *, log: bool = True
) -> Callable[[StudyTables], Contrasts]:
    return lambda tables: [c for *_, c in level_contrasts(tables, factor, contagion, measure=measure, log=log)]


def _followers_for_the_price(tables: StudyTables) -> Contrasts:
    """Amateurs against the biggest tier at equal money; the side with more followers for its price is the second."""
    bought = tables.seeds.groupby("cell")[["followers", "price"]].sum(min_count=1)
    offer = (bought["followers"] / bought["price"]).replace([np.inf, 0.0], np.nan)
    by_condition = offer.groupby(tables.results.set_index("cell")["condition"].reindex(offer.index)).mean()
    for tier in TIERS:
        found = []
        for a, b, contrast in strategies(tables, tier, "amateur"):
            big, small = (float(by_condition.get(row["condition"], math.nan)) for row in (a, b))
            if a["budget_kind"] == "money" and math.isfinite(big) and math.isfinite(small):
                found.append(replace(contrast, values=contrast.values * (1 if small > big else -1)))
        if found:
            return found
    return []


def _interior(tables: StudyTables) -> Contrasts:
    """Log reach at the best mixing between the extremes against the better extreme.

    Both are chosen on every other graph and compared on the rest: the comparisons are independent of the choice and of
    each other. Choosing on all graphs but the one that is judged calls 15 % of flat curves bent at 5 % (8 graphs).
    """
    found = []
    for group in factor_groups(tables, "mixing", "complex"):
        reach = np.array([tables.by_replicate("reach")[row["condition"]] for row in group])
        whole = np.asarray((reach > 0).all(axis=0))
        choosing = np.arange(len(whole)) % 2 == 0
        if len(group) < 3 or not (whole & choosing).any() or (whole & ~choosing).sum() < 2:
            continue
        logs = np.log(np.where(reach > 0, reach, np.nan))
        means = logs[:, whole & choosing].mean(axis=1)
        change = logs[1 + means[1:-1].argmax()] - logs[0 if means[0] >= means[-1] else -1]
        found.append(Contrast(np.where(whole & ~choosing, change, math.nan), 0.0))
    return found


def _returns(contagion: str) -> Callable[[StudyTables], Contrasts]:
    """Elasticity of reach in the budget, minus 1: 0 where reach goes in proportion."""

    def contrasts(tables: StudyTables) -> Contrasts:
        found = []
        for a, b, contrast in level_contrasts(tables, "budget", contagion):
            size = "cost" if a["cost"] > 0 and b["cost"] > a["cost"] else "budget_value"
            scale = math.log(b[size] / a[size])
            found.append(Contrast(contrast.values / scale - 1, contrast.se / scale))
        return found

    return contrasts


def elasticity_of_budget(tables: StudyTables, contagion: str) -> Interval | None:
    """Percent by which reach grows for one percent more budget."""
    effect = mean_effect(_returns(contagion)(tables), tables.confidence)
    return None if effect is None else Interval(*(1 + end for end in effect.change))


def _hub_advantage(tables: StudyTables) -> Contrasts:
    """Change of the log ratio of reach between hubs and random seeds from the weakest feed to the strongest."""
    for swept in (True, False):
        groups = factor_groups(tables, "feed", swept=swept)
        for hub in HUBS:
            random = [g for g in groups if g[0]["strategy"] == "random"]
            found = []
            for g in (g for g in groups if g[0]["strategy"] == hub):
                keys = ("graph", "model_name", "rule", "place", "budget")
                for r in random:
                    if all(g[0][k] == r[0][k] and g[-1][k] == r[-1][k] for k in keys):
                        ends = ((g[-1], 1.0), (r[-1], -1.0), (g[0], -1.0), (r[0], 1.0))
                        found.append(combine(tables, {row["condition"]: w for row, w in ends}))
            known = [c for c in found if c is not None]
            if known:
                return known
    return []


def _global_cascades(tables: StudyTables) -> Contrasts:
    """Probability of a global cascade with R predicted above 1.1 minus that with R below .9, along one sweep each."""
    found = []
    for factor in tables.sweeps:
        for group in factor_groups(tables, factor) if factor != "budget" else []:
            above = [row["condition"] for row in group if row["R_predicted"] > 1.1]
            below = [row["condition"] for row in group if row["R_predicted"] < 0.9]
            if above and below:
                weights = dict.fromkeys(above, 1 / len(above)) | dict.fromkeys(below, -1 / len(below))
                found.append(combine(tables, weights, "global_probability", log=False))
    return [c for c in found if c is not None]


def prediction(tables: StudyTables) -> Contrasts:
    """Log of R measured over R predicted, of every graph and model of the crossed part."""
    found = []
    rows = tables.crossed[tables.crossed["R"].notna() & tables.crossed["R_predicted"].notna()]
    for condition in rows.drop_duplicates(["graph", "model", "rule"])["condition"]:
        measured, predicted = (combine(tables, {condition: 1.0}, measure) for measure in ("R", "R_predicted"))
        if measured is not None and predicted is not None:
            found.append(Contrast(measured.values - predicted.values, measured.se))
    return found


def _elasticity(tables: StudyTables) -> Contrasts:
    """Elasticity of measured R in rho between two etas, minus 1: 0 if all stages count alike."""
    found = {}
    for a, b, contrast in level_contrasts(tables, "eta", "simple", measure="R"):
        scale = math.log(b["rho"] / a["rho"]) if a["rho"] > 0 and b["rho"] > 0 else 0.0
        if scale > 0:
            key = (a["graph"], a["model"], b["model"])
            found[key] = Contrast(contrast.values / scale - 1, contrast.se / scale)
    return list(found.values())


@dataclass(frozen=True)
class Hypothesis:
    """Contrasts and the sign expected of their mean; 0: within `margin` of 0. Its words are in the template by key."""

    key: str
    source: str
    contrasts: Callable[[StudyTables], Contrasts] | str  # a kind of contagion: the place of its seeds
    expected: int = 1
    scale: Literal["percent", "points", "plain"] = "percent"
    margin: float = 0.0


CONTAGION = "Centola and Macy 2007"
HYPOTHESES = (
    Hypothesis("1", "followers for the price", _followers_for_the_price),
    Hypothesis("2", "Nematzadeh et al. 2014", _interior),
    Hypothesis("3", "modular percolation", _levels("mixing", "simple")),
    Hypothesis("4a", CONTAGION, "complex"),
    Hypothesis("4b", CONTAGION, "simple", expected=-1),
    Hypothesis("5a", "Tang et al. 2018", _seeds_for_a_number("degree_discount", "opim")),
    Hypothesis("5b", "Chen et al. 2009", _seeds_for_a_number("degree", "degree_discount")),
    Hypothesis("5c", "Kempe et al. 2003", _seeds_for_a_number("random", "degree")),
    Hypothesis("6a", "Kempe et al. 2003", _returns("simple"), expected=-1, scale="plain"),
    Hypothesis("6b", CONTAGION, _returns("complex"), scale="plain"),
    Hypothesis("7a", "next generation", _levels("feed", "simple", "R")),
    Hypothesis("7b", "conjecture", _hub_advantage, expected=-1),
    Hypothesis("8a", "branching processes", _global_cascades, scale="points"),
    Hypothesis("8b", "next generation", prediction, expected=0, margin=math.log(1.1)),
    Hypothesis("9", "next generation", _elasticity, expected=0, scale="plain", margin=0.1),
)


@dataclass(frozen=True)
class Finding:
    """What the tables say of a hypothesis: the effect over graphs, p-values, and the verdict after correction."""

    hypothesis: Hypothesis
    effect: Effect | None
    p_value: float = math.nan
    p_adjusted: float = math.nan
    verdict: Verdict = "not asked"

    @property
    def shown(self) -> Interval | None:
        """The effect in its unit: percent, percentage points, or as it is."""
        if self.effect is None:
            return None
        change, scale = self.effect.change, self.hypothesis.scale
        return change.percent_change if scale == "percent" else change.times(100.0 if scale == "points" else 1.0)


def findings(tables: StudyTables) -> list[Finding]:
    """Test every hypothesis; verdicts hold at a false discovery rate of 5 % (Benjamini and Hochberg)."""
    effects = [_effect(h, tables) for h in HYPOTHESES]
    p = np.array([math.nan if e is None else p_value(h, e) for h, e in zip(HYPOTHESES, effects, strict=True)])
    adjusted = false_discoveries(p)
    found = []
    for h, effect, own, corrected in zip(HYPOTHESES, effects, p, adjusted, strict=True):
        verdict: Verdict = "not asked"
        if effect is not None:
            decided = corrected <= 0.05
            verdict = ("holds" if _as_expected(h, effect) else "fails") if decided else "undecided"
        found.append(Finding(h, effect, float(own), float(corrected), verdict))
    return found


def _effect(hypothesis: Hypothesis, tables: StudyTables) -> Effect | None:
    if isinstance(hypothesis.contrasts, str):
        return place_effect(tables, hypothesis.contrasts)
    return mean_effect(hypothesis.contrasts(tables), tables.confidence)


def _as_expected(hypothesis: Hypothesis, effect: Effect) -> bool:
    if hypothesis.expected:
        return effect.change.value * hypothesis.expected > 0
    return abs(effect.change.value) < hypothesis.margin


def p_value(hypothesis: Hypothesis, effect: Effect) -> float:
    """Two-sided p-value against 0, or against the nearer end of the margin within which there is no effect."""
    value, margin = effect.change.value, hypothesis.margin
    return effect.p_value(math.copysign(margin, value) if hypothesis.expected == 0 else 0.0)
