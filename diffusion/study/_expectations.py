"""What theory lets expect, and what the table says: every verdict is computed, none was written before the data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ._compare import Contrast, between, contagion, contrasts, groups_over, pairs, place_contrasts
from ._depends import telling_split
from ._format import TIERS, count, interval, label, listing, number
from ._growth_words import of_graph_and_model
from ._read import Setting, Tables
from ._tables import Column, Table

__all__ = ["Case", "Expectation", "expectations", "expectations_table", "verdict_of"]

AS_EXPECTED, OTHER_WAY, UNDECIDED, MIXED, NOT_ASKED = (
    "as expected", "the other way", "undecided", "depends", "not asked"
)  # fmt: skip

_ONE_IN = 10  # a verdict bears one clear case in ten that goes the other way


@dataclass(frozen=True)
class Case:
    """One comparison that speaks to an expectation: an effect with its interval; `sign` 1 for, -1 against, 0 open."""

    where: str
    effect: float
    low: float
    high: float
    sign: int
    size: float  # by which cases are put in order
    row: Any = None  # of the results, for the factors


@dataclass(frozen=True)
class Expectation:
    """A question, what is expected, and the cases of this study that speak to it."""

    number: str
    question: str
    expected: str
    measure: str  # what the effect of a case is
    unit: str
    cases: list[Case]
    needs: str  # what a study has to vary to ask this

    @property
    def counts(self) -> tuple[int, int, int]:
        """Cases for, against, open."""
        signs = [case.sign for case in self.cases]
        return signs.count(1), signs.count(-1), signs.count(0)


def verdict_of(expectation: Expectation, confidence: float) -> str:
    """Weigh the clear cases: one direction is the verdict when nine in ten of them go there, else it depends.

    Undecided: no more clear cases to either side than intervals that err with (1 - confidence) / 2 give by chance.
    """
    ahead, against, open_ = expectation.counts
    n = ahead + against + open_
    if not n:
        return NOT_ASKED
    if max(ahead, against) <= _by_chance(n, (1 - confidence) / 2):
        return UNDECIDED
    borne = (ahead + against) // _ONE_IN
    return AS_EXPECTED if against <= borne else OTHER_WAY if ahead <= borne else MIXED


def _by_chance(n: int, p: float) -> int:
    """Return the 95 % quantile of the binomial distribution of n cases."""
    k, below = 0, (1 - p) ** n
    while below < 0.95:
        k += 1
        below += math.comb(n, k) * p**k * (1 - p) ** (n - k)
    return k


def depends_on(tables: Tables, expectation: Expectation, confidence: float) -> str:
    """Say on which factor the cases depend most, and the verdict at its levels."""
    cases = [(case.row, case.sign) for case in expectation.cases if case.row is not None]
    split = telling_split(tables, cases)
    if split is None:
        return "on more than one factor"
    told: dict[str, list[str]] = {}
    for words, signs in split.levels:
        part = [Case("", 0.0, 0.0, 0.0, sign, 0.0) for sign in signs]
        told.setdefault(verdict_of(replace(expectation, cases=part), confidence), []).append(words)
    if len(told) < 2:
        return f"most on {split.name}"
    order = [v for v in (AS_EXPECTED, OTHER_WAY, MIXED, UNDECIDED) if v in told]
    return f"on {split.name}: " + "; ".join(f"{v.replace(MIXED, 'either way')} with {_several(told[v])}" for v in order)


def _several(names: list[str]) -> str:
    return listing(names if len(names) < 4 else [*names[:2], f"{count(len(names) - 2)} others"])


# --- cases -----------------------------------------------------------------------------------------------------------


def _where(tables: Tables, row: Any, *, without: Iterable[str] = (), strategy: bool = True) -> str:
    setting = Setting(row["graph"], row["model"], row["rule"], row["place"])
    parts = [tables.name(setting, without=without)]
    if strategy:
        parts.append(label(str(row["strategy"])))
    if tables.results["budget"].nunique() > 1:
        parts.append(str(row["budget"]))
    return ", ".join(part for part in parts if part)


def _percent_cases(
    tables: Tables, found: Iterable[Contrast], expected: int, *, without: tuple[str, ...] = (), strategy: bool = True
) -> list[Case]:
    cases = []
    for c in found:
        if c.before <= 0:
            continue
        effect, low, high = (100 * v / c.before for v in (c.difference, c.low, c.high))
        where = _where(tables, c.to, without=without, strategy=strategy)
        cases.append(Case(where, effect, low, high, c.sign * expected, effect, c.to))
    return cases


def _small_or_big(tables: Tables) -> list[Case]:
    """Amateurs against the biggest tier that the money buys; expected is the side with more followers for its price."""
    bought = tables.seeds.groupby("cell")[["followers", "price"]].sum(min_count=1) if len(tables.seeds) else None
    if bought is None:
        return []

    def biggest(rows: Any) -> str | None:
        return next((t for t in reversed(TIERS[1:]) if t in rows), None)

    cases = []
    for big, small, c in pairs(tables, biggest, "amateur"):
        if small["budget_kind"] != "money" or not {big["cell"], small["cell"]} <= set(bought.index):
            continue
        of_big, of_small = bought.loc[big["cell"]], bought.loc[small["cell"]]
        if not (of_big["price"] > 0 and of_small["price"] > 0) or c.before <= 0:
            continue
        per_price = [own["followers"] / own["price"] for own in (of_small, of_big)]
        expected = 1 if per_price[0] > per_price[1] else -1
        effect, low, high = (100 * v / c.before for v in (c.difference, c.low, c.high))
        where = _where(tables, small, strategy=False) + f", amateur against {big['strategy']}"
        cases.append(Case(where, effect, low, high, c.sign * expected, effect, small))
    return cases


def _of_contagion(tables: Tables, kind: str) -> pd.DataFrame:
    r = tables.results
    return r[[contagion(row) == kind for row in r[["identify", "model_kind"]].to_dict("records")]]


def _concentrated(rows: pd.DataFrame) -> pd.DataFrame:
    own = rows[rows["place"] == "one community"]
    return own if not own.empty else rows


def _interior(tables: Tables) -> list[Case]:
    """The best mixing between the extremes against the better of the two extremes."""
    cases = []
    for group in groups_over(tables, "mixing", _concentrated(_of_contagion(tables, "complex"))):
        if len(group) < 3:
            continue
        top = max(group[1:-1], key=lambda row: float(row["reach"]))
        end = group[0] if group[0]["reach"] >= group[-1]["reach"] else group[-1]
        c = between(end, top)
        if c is not None:
            cases += _percent_cases(tables, [c], 1)
    return cases


def _falls_with_modularity(tables: Tables) -> list[Case]:
    found = contrasts(tables, "mixing", rows=_concentrated(_of_contagion(tables, "simple")))
    return _percent_cases(tables, found, 1, without=("graph",))


def _placed(tables: Tables, kind: str, expected: int) -> list[Case]:
    found = [c for c in place_contrasts(tables) if contagion(c.start) == kind]
    return _percent_cases(tables, found, expected, without=("place",))


def _ordered(tables: Tables, better: str, worse: str) -> list[Case]:
    found = [c for _, _, c in pairs(tables, lambda rows: worse if worse in rows else None, better)]
    return _percent_cases(tables, found, 1, strategy=False)


def _returns(tables: Tables) -> list[Case]:
    """Ratio of reach against ratio of seeds, in percent of proportion."""
    cases = []
    kinds = {"simple": 1, "complex": -1, "neither": 1}
    for group in groups_over(tables, "budget", tables.results[tables.results["budget_kind"] == "k"]):
        a, b = group[0], group[-1]
        more = float(b["n_seeds"] / a["n_seeds"])
        c = between(a, b)
        if c is None or c.before <= 0:
            continue
        rest = (more - 1) * c.before
        slope = Contrast(a, b, c.before, c.after, c.difference - rest, c.low - rest, c.high - rest, c.runs)
        expected = -1 * kinds[contagion(a)]
        effect, low, high = (100 * v / (more * c.before) for v in (slope.difference, slope.low, slope.high))
        cases.append(Case(_where(tables, b), effect, low, high, slope.sign * expected, effect, b))
    return cases


def _feed_on_r(tables: Tables) -> list[Case]:
    return [
        Case(_where(tables, c.to), c.difference, c.low, c.high, c.sign, c.difference, c.to)
        for c in contrasts(tables, "feed", measure="R")
    ]


def _feed_on_hubs(tables: Tables) -> list[Case]:
    """Change of log(reach of hubs / reach of random seeds) from the weakest to the strongest feed."""
    hub = next((s for s in ("degree", "head", "pagerank") if s in tables.strategies), None)
    if hub is None or "random" not in tables.strategies:
        return []
    groups: dict[tuple[Any, ...], dict[str, list[dict[str, Any]]]] = {}
    for group in groups_over(tables, "feed"):
        first = group[0]
        key = tuple(str(first[k]) for k in ("graph", "rule", "identify", "eta", "attention", "rho", "place", "budget"))
        groups.setdefault(key, {})[str(first["strategy"])] = group
    cases = []
    for members in groups.values():
        if hub not in members or "random" not in members:
            continue
        logs, variance = [], 0.0
        for name in (hub, "random"):
            ends = [members[name][i] for i in (0, -1)]
            if any(not row["reach"] > 0 for row in ends):
                break
            logs.append(math.log(ends[1]["reach"] / ends[0]["reach"]))
            variance += sum(((row["reach_high"] - row["reach_low"]) / 2 / row["reach"]) ** 2 for row in ends)
        else:
            change, half = logs[0] - logs[1], math.sqrt(variance)
            if not math.isfinite(half):
                continue
            effect, low, high = (100 * math.expm1(v) for v in (change, change - half, change + half))
            sign = 1 if high < 0 else -1 if low > 0 else 0
            where = _where(tables, members[hub][-1], strategy=False) + f", {label(hub)} against random"
            cases.append(Case(where, effect, low, high, sign, effect, members[hub][-1]))
    return cases


def _only_above_one(tables: Tables) -> list[Case]:
    """Cells that grow exponentially, by the R that was predicted for them without looking at the simulation."""
    r = tables.results
    growing = of_graph_and_model(r[(r["phase"] == "exponential") & r["R_predicted"].notna()])
    return [
        Case(
            _where(tables, row) + f" (predicted {number(row['R_predicted'], 3)})", row["R"], row["R_low"], row["R_high"],
            1 if row["R_predicted"] > 1 else -1, row["R"], row,
        )
        for row in growing.to_dict("records")
    ]  # fmt: skip


def _elasticity(tables: Tables) -> list[Case]:
    """Log R against log rho between two etas: 1 where every stage counts alike."""
    cases = []
    for c in contrasts(tables, "eta", measure="R", rows=_of_contagion(tables, "simple")):
        rho = float(c.to["rho"]) / float(c.start["rho"]) if c.start["rho"] > 0 else math.nan
        if not (rho > 1 and c.before > 0 and c.after > 0):
            continue
        a = [float(c.start[k]) for k in ("R_low", "R_high")]
        b = [float(c.to[k]) for k in ("R_low", "R_high")]
        if min(*a, *b) <= 0:
            continue
        scale = math.log(rho)
        middle = math.log(c.after / c.before) / scale
        low = middle - math.hypot(math.log(c.after / b[0]), math.log(a[1] / c.before)) / scale
        high = middle + math.hypot(math.log(b[1] / c.after), math.log(c.before / a[0])) / scale
        cases.append(Case(_where(tables, c.to), middle, low, high, 1 if low <= 1 <= high else -1, middle, c.to))
    return cases


# --- the list --------------------------------------------------------------------------------------------------------


def expectations(tables: Tables) -> list[Expectation]:
    """Return the expectations with the cases of this study, asked or not."""
    money = (tables.results["budget_kind"] == "money").all()
    orders = "expected for equal numbers of seeds" + ("; here at equal money" if money else "")
    etas = sorted({float(v) for v in tables.results["eta"].dropna()})
    one = (tables.results["place"] == "one community").any()
    concentrated = "seeds in one community" if one else "seeds as placed"
    return [
        Expectation(
            "1", "Many small creators or few big ones at equal money?",
            "the side with more followers for its price reaches more", "reach of amateurs against the biggest tier", " %",
            _small_or_big(tables), "strategies amateur and head, waist or tail, a budget in money",
        ),
        Expectation(
            "2", f"Mixing under complex contagion ({concentrated})", "reach is highest at a mixing between the extremes",
            "best inner mixing against the better extreme", " %", _interior(tables),
            "complex contagion and three mixings",
        ),
        Expectation(
            "3", f"Mixing under simple contagion ({concentrated})", "reach falls as modularity rises, so more mixing helps",
            "highest mixing against the lowest", " %", _falls_with_modularity(tables), "simple contagion and two mixings",
        ),
        Expectation(
            "4a", "All seeds in one community, complex contagion", "helps", "one community against spread", " %",
            _placed(tables, "complex", 1), "complex contagion, places one community and spread",
        ),
        Expectation(
            "4b", "All seeds in one community, simple contagion", "hurts", "one community against spread", " %",
            _placed(tables, "simple", -1), "simple contagion, places one community and spread",
        ),
        Expectation(
            "5a", "Certified seeds or degree discount?", f"certified at least as good ({orders})", "OPIM-C against degree discount",
            " %", _ordered(tables, "opim", "degree_discount"), "strategies opim and degree_discount",
        ),
        Expectation(
            "5b", "Degree discount or degree?", f"degree discount is better ({orders})", "degree discount against degree", " %",
            _ordered(tables, "degree_discount", "degree"), "strategies degree_discount and degree",
        ),
        Expectation(
            "5c", "Degree or random?", f"degree is better ({orders})", "degree against random", " %",
            _ordered(tables, "degree", "random"), "strategies degree and random",
        ),
        Expectation(
            "6", "Are returns to the number of seeds diminishing?",
            "yes under simple contagion and LT, no under complex contagion", "reach against proportion", " %",
            _returns(tables), "two budgets counted in seeds",
        ),
        Expectation(
            "7a", "Does a stronger feed raise R?", "yes", "R with the strongest feed minus with the weakest", "",
            _feed_on_r(tables), "two strengths of the feed, with R measured at both",
        ),
        Expectation(
            "7b", "Does a stronger feed shrink the advantage of hubs? (conjecture)", "yes",
            "change of their reach relative to random seeds", " %", _feed_on_hubs(tables),
            "two strengths of the feed, strategies degree and random",
        ),
        Expectation(
            "8", "Is growth exponential only where R is above 1?", "yes: wherever growth is exponential, predicted R is above 1",
            "R measured where growth is exponential", "", _only_above_one(tables),
            "a cell that grows exponentially, with R predicted",
        ),
        Expectation(
            "9", "Do the stages of the funnel count alike for R?",
            "yes: R rises in proportion to rho, elasticity 1"
            + (f" (participate and share together, through eta {listing([format(e, 'g') for e in etas])})" if len(etas) > 1 else ""),
            "elasticity of R in rho", "", _elasticity(tables), "two values of eta, with R measured at both",
        ),
    ]  # fmt: skip


def expectations_table(tables: Tables) -> Table:
    """Expected, found, interval and verdict of every question, and all cases as CSV."""
    confidence = float(tables.results["confidence"].min())
    rows: list[list[Any]] = []
    data = []
    verdicts: list[str] = []
    for e in expectations(tables):
        verdict = verdict_of(e, confidence)
        verdicts.append(verdict)
        data += [
            {
                "question": e.number,
                "measure": e.measure,
                "where": c.where,
                "effect": c.effect,
                "low": c.low,
                "high": c.high,
            }
            | {"case": {1: AS_EXPECTED, -1: OTHER_WAY, 0: UNDECIDED}[c.sign], "verdict": verdict}
            for c in e.cases
        ]
        if not e.cases:
            rows.append([e.number, e.question, e.expected, f"needs {e.needs}", "–", verdict])
            data.append({"question": e.number, "measure": e.measure, "verdict": verdict})
            continue
        middle = _middle(e.cases)
        ahead, against, open_ = e.counts
        words = ((ahead, "as expected"), (against, "the other way"), (open_, "undecided"))
        found = listing([f"{count(n)} {text}" for n, text in words if n]) + (
            f" of {count(len(e.cases))} comparisons" if len(e.cases) > 1 else " comparison"
        )
        told = f"{verdict} {depends_on(tables, e, confidence)}" if verdict == MIXED else verdict
        sign = "+" if middle.effect > 0 and e.unit else ""
        shown = sign + interval(middle.effect, middle.low, middle.high, e.unit)
        rows.append([e.number, e.question, e.expected, found, f"{e.measure}: {shown} ({middle.where})", told])
    columns = [
        Column("No.", right=False), Column("Question", right=False), Column("Expected", right=False),
        Column("Found", right=False), Column(f"Typical case [{tables.percent}]", right=False), Column("Verdict", right=False),
    ]  # fmt: skip
    asked = [v for v in verdicts if v != NOT_ASKED]
    parts = [
        f"{count(asked.count(v))} {'depend' if v == MIXED and asked.count(v) > 1 else v}"
        for v in (AS_EXPECTED, OTHER_WAY, MIXED, UNDECIDED)
        if asked.count(v)
    ]
    title = f"Of {count(len(verdicts))} expectations this study speaks to {count(len(asked))}"
    title += f": {listing(parts)}" if parts else ""
    note = (
        "Expectations come from theory; verdicts are computed from the comparisons. One direction is the verdict "
        "when nine in ten of the clear comparisons go there; undecided when no more comparisons are clear than chance gives; otherwise it depends, and the factor that best tells the cases apart is named. The CSV has every comparison. Typical: the one in the middle by size. Cells on different graphs or models share no worlds, so "
        "their intervals are combined as independent."
    )
    return Table("expectations", title, columns, rows, pd.DataFrame(data), note)


def _middle(cases: Sequence[Case]) -> Case:
    ordered = sorted(cases, key=lambda c: c.size if np.isfinite(c.size) else -math.inf)
    return ordered[(len(ordered) - 1) // 2]
