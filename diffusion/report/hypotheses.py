"""What theory lets expect: a list of comparisons with the direction expected; every verdict is computed from the tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pandas as pd

from .analysis import (
    Contrast,
    average,
    between,
    confidence_of,
    contrasts,
    groups_over,
    of_graph_and_model,
    place_contrasts,
    strategy_contrasts,
)
from .format import Interval
from .read import StudyTables, records

__all__ = ["HYPOTHESES", "Finding", "Hypothesis", "findings"]

TIERS = ("tail", "waist", "head")
EQUAL = 1e-9  # rounding of effects that are equal by construction
Verdict = Literal["as expected", "the other way", "not as expected", "undecided", "not asked"]


class Comparison(Protocol):
    """What a hypothesis asks the tables for."""

    def cases(self, tables: StudyTables) -> list[Contrast]:
        """Return the comparisons that speak to it."""


def _of(tables: StudyTables, contagion: str, *, concentrated: bool = False) -> pd.DataFrame:
    rows = tables.seeded
    rows = rows[rows["contagion"] == contagion] if contagion else rows
    inside = rows[rows["place"] == "one community"]
    return inside if concentrated and len(inside) else rows


@dataclass(frozen=True)
class Levels:
    """The highest level of a factor against the lowest."""

    factor: str
    contagion: str = ""
    measure: str = "reach"
    ratio: bool = True

    def cases(self, tables: StudyTables) -> list[Contrast]:
        rows = _of(tables, self.contagion, concentrated=self.factor == "mixing")
        return contrasts(tables, self.factor, measure=self.measure, ratio=self.ratio, rows=rows)


@dataclass(frozen=True)
class Interior:
    """The best level between the extremes against the better of the two extremes."""

    factor: str
    contagion: str

    def cases(self, tables: StudyTables) -> list[Contrast]:
        found = []
        for group in groups_over(tables, self.factor, _of(tables, self.contagion, concentrated=True)):
            if len(group) > 2:
                best = max(group[1:-1], key=lambda row: float(row["reach"]))
                end = max(group[0], group[-1], key=lambda row: float(row["reach"]))
                found.append(between(end, best))
        return [pair for pair in found if pair is not None]


@dataclass(frozen=True)
class Places:
    """All seeds in one community against seeds spread over all."""

    contagion: str

    def cases(self, tables: StudyTables) -> list[Contrast]:
        return [pair for pair in place_contrasts(tables) if pair.start["contagion"] == self.contagion]


@dataclass(frozen=True)
class Strategies:
    """One strategy against another."""

    start: str
    to: str

    def cases(self, tables: StudyTables) -> list[Contrast]:
        return strategy_contrasts(tables, self.start, self.to)


@dataclass(frozen=True)
class FollowersPerPrice:
    """Amateurs against the biggest tier at equal money, turned so that the side with more followers for its price is second."""

    def cases(self, tables: StudyTables) -> list[Contrast]:
        bought = tables.seeds.groupby("cell")[["followers", "price"]].sum(min_count=1)
        found: dict[tuple[Any, ...], Contrast] = {}
        for tier in reversed(TIERS):
            for pair in strategy_contrasts(tables, tier, "amateur"):
                key = tuple(pair.start[k] for k in ("graph", "model", "rule", "place", "budget"))
                if pair.start["budget_kind"] != "money" or key in found:
                    continue
                big, small = (bought.loc[row["cell"]] for row in (pair.start, pair.to))
                if not (big["price"] > 0 and small["price"] > 0):
                    continue
                sign = 1 if small["followers"] / small["price"] > big["followers"] / big["price"] else -1
                ends = sorted((sign * pair.change.low, sign * pair.change.high))
                found[key] = Contrast(pair.start, pair.to, Interval(sign * pair.change.value, *ends))
        return list(found.values())


@dataclass(frozen=True)
class Returns:
    """Log reach against log seeds from the smallest number of seeds to the largest: 0 in proportion."""

    contagion: str

    def cases(self, tables: StudyTables) -> list[Contrast]:
        rows = _of(tables, self.contagion)
        pairs = contrasts(tables, "n_seeds", rows=rows[rows["budget_kind"] == "k"])
        return [
            Contrast(p.start, p.to, Interval(*(c - math.log(p.to["n_seeds"] / p.start["n_seeds"]) for c in p.change)))
            for p in pairs
        ]


@dataclass(frozen=True)
class HubAdvantage:
    """Change, from the weakest feed to the strongest, of the log ratio of reach between hubs and random seeds."""

    hubs: tuple[str, ...] = ("degree", "head", "pagerank")

    def cases(self, tables: StudyTables) -> list[Contrast]:
        hub = next((name for name in self.hubs if name in tables.strategies), "")
        by_rest: dict[tuple[Any, ...], dict[str, Contrast]] = {}
        for pair in contrasts(tables, "feed"):
            rest = (*(str(pair.to[k]) for k in ("graph", "model", "rule", "place", "budget")), str(pair.start["model"]))
            by_rest.setdefault(rest, {})[pair.to["strategy"]] = pair
        found = []
        for members in by_rest.values():
            if hub in members and "random" in members:
                a, b = members["random"].change, members[hub].change
                half = math.hypot((a.high - a.low) / 2, (b.high - b.low) / 2)
                value = b.value - a.value
                found.append(Contrast(members[hub].start, members[hub].to, Interval(value, value - half, value + half)))
        return found


@dataclass(frozen=True)
class LeastGrowing:
    """R as predicted, minus 1, on the graph and model with the lowest prediction among those that grow exponentially."""

    def cases(self, tables: StudyTables) -> list[Contrast]:
        r = of_graph_and_model(tables.results)
        r = r[(r["phase"] == "exponential") & r["R_predicted"].notna()].sort_values("R_predicted")
        return [Contrast(row, row, Interval(*(3 * (row["R_predicted"] - 1,)))) for row in records(r.head(1))]


@dataclass(frozen=True)
class Elasticity:
    """Log R against log rho between two etas, minus 1: 0 where every stage counts alike."""

    def cases(self, tables: StudyTables) -> list[Contrast]:
        pairs = contrasts(tables, "eta", measure="R", rows=_of(tables, "simple"))
        scales = [math.log(p.to["rho"] / p.start["rho"]) if p.start["rho"] > 0 else 0.0 for p in pairs]
        return [
            Contrast(p.start, p.to, Interval(*(c / scale - 1 for c in p.change)))
            for p, scale in zip(pairs, scales, strict=True)
            if scale > 0
        ]


@dataclass(frozen=True)
class Hypothesis:
    """A comparison and the direction expected of it: 1 up, -1 down, 0 no change. Its words are in the template by key."""

    key: str
    source: str
    comparison: Comparison
    expected: int = 1
    scale: Literal["percent", "plain"] = "percent"


CONTAGION = "Centola and Macy 2007"
HYPOTHESES = (
    Hypothesis("1", "followers for the price", FollowersPerPrice()),
    Hypothesis("2", "Nematzadeh et al. 2014", Interior("mixing", "complex")),
    Hypothesis("3", "percolation on modular graphs", Levels("mixing", "simple")),
    Hypothesis("4a", CONTAGION, Places("complex")),
    Hypothesis("4b", CONTAGION, Places("simple"), expected=-1),
    Hypothesis("5a", "Tang et al. 2018", Strategies("degree_discount", "opim")),
    Hypothesis("5b", "Chen, Wang and Yang 2009", Strategies("degree", "degree_discount")),
    Hypothesis("5c", "Kempe, Kleinberg and Tardos 2003", Strategies("random", "degree")),
    Hypothesis("6a", "Kempe, Kleinberg and Tardos 2003", Returns("simple"), expected=-1),
    Hypothesis("6b", CONTAGION, Returns("complex")),
    Hypothesis("7a", "next-generation operator", Levels("feed", measure="R", ratio=False), scale="plain"),
    Hypothesis("7b", "conjecture", HubAdvantage(), expected=-1),
    Hypothesis("8", "branching processes", LeastGrowing(), scale="plain"),
    Hypothesis("9", "next-generation operator", Elasticity(), expected=0, scale="plain"),
)


@dataclass(frozen=True)
class Finding:
    """What the tables say of a hypothesis: the average effect with its interval, and the verdict."""

    hypothesis: Hypothesis
    cases: list[Contrast]
    effect: Interval | None
    verdict: Verdict

    @property
    def shown(self) -> Interval | None:
        """The effect in its unit."""
        percent = self.effect is not None and self.hypothesis.scale == "percent"
        return self.effect.percent_change if percent and self.effect is not None else self.effect


def findings(tables: StudyTables) -> list[Finding]:
    """Test every hypothesis."""
    return [_test(hypothesis, tables) for hypothesis in HYPOTHESES]


def _test(hypothesis: Hypothesis, tables: StudyTables) -> Finding:
    cases = hypothesis.comparison.cases(tables)
    effect = average((case.change for case in cases), confidence_of(tables))
    if effect is None:
        return Finding(hypothesis, cases, None, "not asked")
    if hypothesis.expected == 0:
        verdict: Verdict = "as expected" if effect.sign == 0 or abs(effect.value) < EQUAL else "not as expected"
    elif effect.sign == 0:
        verdict = "undecided"
    else:
        verdict = "as expected" if effect.sign == hypothesis.expected else "the other way"
    return Finding(hypothesis, cases, effect, verdict)
