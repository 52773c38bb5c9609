"""The answers in words: every sentence is built from the table, or is not said.

A sentence compares two things and carries its interval and its number of runs. A difference whose interval
touches zero is called undecided.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

__all__ = [
    "Comparison",
    "Setting",
    "Tables",
    "answers",
    "chosen",
    "comparisons",
    "count",
    "interval",
    "label",
    "largest",
    "number",
    "on_prediction",
    "phase_counts",
    "phase_reasons",
    "reason_of",
    "runner_up",
    "share",
    "verdict_on_growth",
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
_TIERS = ("amateur", "tail", "waist", "head")
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TIMES = {2: "twice", 20: "twenty times"}


class Setting(NamedTuple):
    """What is held fixed while strategies and budgets are compared."""

    graph: str
    model: str
    rule: str

    @property
    def has_rule(self) -> bool:
        """Whether the model uses propagation probabilities at all (thresholds do not)."""
        return self.rule not in ("", "no probabilities")


@dataclass(frozen=True)
class Tables:
    """What a finished study folder holds, as it was read."""

    results: pd.DataFrame
    new_by_step: pd.DataFrame
    by_community: pd.DataFrame
    seeds: pd.DataFrame
    paired: pd.DataFrame
    graphs: list[dict[str, Any]]
    study: dict[str, Any]
    provenance: dict[str, Any]
    settings: list[Setting] = field(default_factory=list)
    strategies: list[str] = field(default_factory=list)

    @property
    def percent(self) -> str:
        """Confidence of the intervals in the table, such as ``95 %``."""
        levels = sorted(self.results["confidence"].unique())
        return " and ".join(f"{number(100 * level)} %" for level in levels)

    def name(self, setting: Setting) -> str:
        """Short name of a setting, for the head of a panel."""
        graph = f"{setting.graph} · " if self.several_graphs else ""
        return f"{graph}{setting.model}" + (f" · {setting.rule}" if setting.has_rule else "")

    def under(self, setting: Setting) -> str:
        """Words for a setting inside a sentence."""
        graph = f" on {setting.graph}" if self.several_graphs else ""
        return f"under {setting.model}" + (f" with {setting.rule}" if setting.has_rule else "") + graph

    @property
    def several_graphs(self) -> bool:
        """Whether the graph is a factor of the study."""
        return len({setting.graph for setting in self.settings}) > 1

    def of(self, setting: Setting) -> pd.DataFrame:
        """Rows of the results that belong to a setting."""
        r = self.results
        return r[(r["graph"] == setting.graph) & (r["model"] == setting.model) & (r["rule"] == setting.rule)]

    def largest_k(self, setting: Setting) -> str | None:
        """Label of the largest budget counted in seeds, or None."""
        rows = self.of(setting)
        rows = rows[rows["budget_kind"] == "k"]
        return None if rows.empty else str(largest(rows, "budget_value")["budget"])


def largest(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return the row with the largest value in a column (the first of equals; NaN counts as least)."""
    values = rows[column].to_numpy(dtype=float)
    return rows.iloc[int(np.where(np.isnan(values), -np.inf, values).argmax())]


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


def _spelled(value: int) -> str:
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
    if strategy in _TIERS:
        return f"{many}{strategy} creator{'' if one else 's'}"
    noun = f"{many}seed{'' if one else 's'}"
    if strategy == "random":
        return f"{noun} drawn at random"
    return f"{noun} chosen by {label(strategy)}"


def _with_budget(kind: str, value: float, budget: str) -> str:
    if kind == "money":
        return f"for {budget}"
    return f"with {count(value)} seed{'' if value == 1 else 's'}"


# --- comparisons -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """The best strategy of a setting and budget against another, on the same worlds."""

    setting: Setting
    budget: str
    kind: str
    value: float
    best: str
    other: str
    difference: float  # reach of best minus reach of other
    low: float
    high: float
    runs: int
    reach_best: float
    reach_other: float
    n_best: int
    n_other: int

    @property
    def decided(self) -> bool:
        """Whether the interval keeps clear of zero."""
        return self.low > 0 or self.high < 0

    @property
    def tied(self) -> bool:
        """Whether both reach equally many in every run, as the same seeds do."""
        return self.difference == self.low == self.high == 0

    @property
    def relative(self) -> float:
        """Difference as a share of the reach of the other."""
        return self.difference / self.reach_other if self.reach_other > 0 else math.nan


def comparisons(tables: Tables) -> list[Comparison]:
    """Return every paired difference of the table that has an interval, turned so that the best comes first."""
    cells = {
        (r["graph"], r["model"], r["rule"], r["budget"], r["strategy"]): r for r in tables.results.to_dict("records")
    }
    found = []
    for row in tables.paired.to_dict("records"):
        group = (row["graph"], row["model"], row["rule"], row["budget"])
        best, other = cells.get((*group, row["best"])), cells.get((*group, row["strategy"]))
        if best is None or other is None or row["strategy"] == row["best"] or other["n_seeds"] < 1:
            continue
        if not all(math.isfinite(row[name]) for name in ("difference", "low", "high")):
            continue
        found.append(
            Comparison(
                setting=Setting(row["graph"], row["model"], row["rule"]),
                budget=row["budget"],
                kind=best["budget_kind"],
                value=float(best["budget_value"]),
                best=row["best"],
                other=row["strategy"],
                difference=-float(row["difference"]),
                low=-float(row["high"]),
                high=-float(row["low"]),
                runs=int(row["runs"]),
                reach_best=float(best["reach"]),
                reach_other=float(other["reach"]),
                n_best=int(best["n_seeds"]),
                n_other=int(other["n_seeds"]),
            )
        )
    return found


def _told(c: Comparison, *, sizes: bool = False) -> str:
    """Say one comparison; with `sizes`, how many seeds each side has."""
    best = chosen(c.best, c.n_best if sizes else None)
    other = chosen(c.other, c.n_other if sizes else None)
    if c.tied:
        return f"{best} and {other} reach equally many users in every run ({count(c.runs)} runs)"
    if not c.decided:
        return (
            f"the difference between {best} and {other} is undecided, "
            f"{interval(c.difference, c.low, c.high, ' users')} ({count(c.runs)} runs)"
        )
    verb = "reaches" if sizes and c.n_best == 1 else "reach"
    more = " more users" if c.low > 0 else " users"  # below zero the sign itself says that it is fewer
    return (
        f"{best} {verb} {interval(c.difference, c.low, c.high, more)} {'than' if c.low > 0 else 'against'} {other} "
        f"({number(c.reach_best)} against {number(c.reach_other)}; {count(c.runs)} runs)"
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _picked(found: list[Comparison], pick: Callable[[list[Comparison]], Comparison | None]) -> list[Comparison]:
    """Pick one comparison of each setting and budget."""
    groups: dict[tuple[Setting, str], list[Comparison]] = {}
    for c in found:
        groups.setdefault((c.setting, c.budget), []).append(c)
    return [c for c in map(pick, groups.values()) if c is not None and math.isfinite(c.relative)]


def _lowest(members: list[Comparison]) -> Comparison:
    return min(members, key=lambda c: (c.reach_other, c.other))


def runner_up(members: list[Comparison]) -> Comparison:
    """Return the comparison with the strategy that comes second."""
    return max(members, key=lambda c: (c.reach_other, c.other))


def _yardstick(members: list[Comparison]) -> Comparison:
    """Against random seeds where the study has them, else against the strategy that reaches least."""
    return next((c for c in members if c.other == "random"), _lowest(members))


def _dearest(members: list[Comparison]) -> Comparison:
    """Against the tier that reaches least for the money, where the best is a tier; else as for any budget."""
    tiers = [c for c in members if c.other in _TIERS]
    return _lowest(tiers) if tiers and members[0].best in _TIERS else _yardstick(members)


def _far_and_near(tables: Tables, picked: list[Comparison], *, sizes: bool) -> str | None:
    """Say the comparison with the largest relative gain, and in the same breath the one with the smallest."""
    if not picked:
        return None
    picked = sorted(picked, key=lambda c: (-c.relative, c.setting, c.budget))
    far, near = picked[0], picked[-1]
    where = f"{_with_budget(far.kind, far.value, far.budget)} {tables.under(far.setting)}"
    text = f"{where}, {_told(far, sizes=sizes)}"
    if len(picked) > 1:
        budget = "" if near.budget == far.budget else f"{_with_budget(near.kind, near.value, near.budget)} "
        among = "" if len(picked) == 2 else f", where the gain is relatively smallest of {_spelled(len(picked))},"
        comma = "," if not among else ""
        text += f"; {budget}{tables.under(near.setting)}{among}{comma} {_told(near, sizes=sizes)}"
    return _sentence(text)


# --- the sentences ---------------------------------------------------------------------------------------------------


def _on_strategy(tables: Tables, found: list[Comparison]) -> str | None:
    largest = {setting: tables.largest_k(setting) for setting in tables.settings}
    at_largest = [c for c in found if c.kind == "k" and c.budget == largest[c.setting]]
    return _far_and_near(tables, _picked(at_largest, _yardstick), sizes=False)


def _on_money(tables: Tables, found: list[Comparison]) -> str | None:
    said = _far_and_near(tables, _picked([c for c in found if c.kind == "money"], _dearest), sizes=True)
    if said is None:
        return None
    r = tables.results
    none = r[(r["budget_kind"] == "money") & (r["n_seeds"] == 0)]
    if none.empty:
        return said
    bought = sorted({(row["budget_value"], row["budget"], row["strategy"]) for row in none.to_dict("records")})
    parts = [f"{budget} buys no {chosen(strategy, 1)[2:]}" for _, budget, strategy in bought[:3]]
    return f"{said[:-1]}; {', '.join(parts)}."


def _on_lead(tables: Tables, found: list[Comparison]) -> str | None:
    seconds = _picked(found, runner_up)
    if not seconds:
        return None
    decided = [c for c in seconds if c.decided]
    pool = decided or seconds
    clearest = max(pool, key=lambda c: (c.low / c.reach_other, c.setting, c.budget))
    where = f"{_with_budget(clearest.kind, clearest.value, clearest.budget)} {tables.under(clearest.setting)}"
    if len(seconds) == 1:
        return _sentence(f"against the second best strategy, {where}, {_told(clearest)}")
    if not decided:
        return _sentence(
            f"which strategy is best is undecided in all {_spelled(len(seconds))} combinations of setting and budget: "
            f"nearest to a decision, {where}, {_told(clearest)}"
        )
    rest = len(seconds) - len(decided)
    tail = f"; in the other {_spelled(rest)} the second is not told apart from the first (undecided)" if rest else ""
    of = f"all {_spelled(len(seconds))}" if not rest else f"{_spelled(len(decided))} of {_spelled(len(seconds))}"
    return _sentence(
        f"the lead of the best strategy over the second is clear of zero in {of} combinations of setting and "
        f"budget: most clearly {where}, {_told(clearest)}{tail}"
    )


def _on_returns(tables: Tables) -> str | None:
    """Compare the largest budget with the smallest, for the strategy and setting that reach most."""
    r = tables.results[(tables.results["budget_kind"] == "k") & (tables.results["reach"] > 0)]
    if r.empty:
        return None
    top = largest(r, "reach")
    same = r[(r["graph"] == top["graph"]) & (r["model"] == top["model"]) & (r["rule"] == top["rule"])]
    same = same[same["strategy"] == top["strategy"]].sort_values("n_seeds")
    small, large = same.iloc[0], same.iloc[-1]
    if small["n_seeds"] < 1 or large["n_seeds"] <= small["n_seeds"] or small["reach_low"] <= 0:
        return None
    more = float(large["n_seeds"] / small["n_seeds"])
    ratio = float(large["reach"] / small["reach"])
    low, high = float(large["reach_low"] / small["reach_high"]), float(large["reach_high"] / small["reach_low"])
    if math.isnan(low) or math.isnan(high):
        return None
    if high < more:
        verdict = "less than in proportion"
    elif low > more:
        verdict = "more than in proportion"
    else:
        verdict = "whether that is less than in proportion is undecided"
    times = _TIMES.get(int(more), f"{_spelled(int(more))} times") if more == int(more) else f"{number(more, 3)} times"
    setting = Setting(top["graph"], top["model"], top["rule"])
    runs = sorted({int(small["runs"]), int(large["runs"])})
    return _sentence(
        f"{times} the seeds ({count(small['n_seeds'])} to {count(large['n_seeds'])}, "
        f"{chosen(str(top['strategy']))}, {tables.under(setting)}) bring {interval(ratio, low, high, ' times')} the "
        f"reach, {verdict} ({' and '.join(count(n) for n in runs)} runs)"
    )


def _cell_words(tables: Tables, row: Any) -> str:
    setting = Setting(row["graph"], row["model"], row["rule"])
    subject = chosen(str(row["strategy"]), int(row["n_seeds"]))
    money = f" for {row['budget']}" if row["budget_kind"] == "money" else ""
    return f"{tables.under(setting)}, {subject}{money}"


def phase_counts(tables: Tables) -> dict[str, int]:
    """Return the number of cells in each phase, in a fixed order."""
    counted = Counter(str(phase) for phase in tables.results["phase"])
    names = ["exponential", "subcritical", "undecided"]
    return {name: counted[name] for name in [*names, *sorted(set(counted) - set(names))]}


def _phases(tables: Tables, *, without: str = "") -> str:
    parts = [f"{count(n)} {name}" for name, n in phase_counts(tables).items() if n and name != without]
    return " and ".join(parts) if len(parts) < 3 else ", ".join(parts[:-1]) + " and " + parts[-1]


def verdict_on_growth(tables: Tables) -> str:
    """Say in one sentence whether growth is exponential anywhere, and on what evidence."""
    r = tables.results
    n = len(r)
    growing = r[r["phase"] == "exponential"]
    measured = r[r["R_low"].notna() & r["R"].notna()]
    others = _phases(tables, without="exponential")
    if not growing.empty:
        top = largest(growing, "R_low")
        doubling = ""
        if math.isfinite(top["doubling"]):
            doubling = ", new activations doubling every " + interval(
                top["doubling"], top["doubling_low"], top["doubling_high"], " steps"
            )
        rest = f"; of the other cells {others}" if others else ""
        of = f"all {count(n)}" if len(growing) == n else f"{count(len(growing))} of {count(n)}"
        return _sentence(
            f"growth is exponential for a while in {of} cells, most clearly {_cell_words(tables, top)}: "
            f"R is {interval(top['R'], top['R_low'], top['R_high'])} against the 1 above which activity grows"
            f"{doubling} ({count(top['runs'])} runs){rest}"
        )
    each = f"all {count(n)} are {others.split(' ', 1)[1]}" if " and " not in others else f"{others}, of {count(n)}"
    if measured.empty:
        return _sentence(
            f"no cell is found to grow exponentially ({each}): in none of the {count(n)} cells was there a stretch "
            "of steps long enough to measure R, the mean number of users that one active user activates"
        )
    top = largest(measured, "R_low")
    if top["phase"] == "subcritical":
        relation = "below the 1 that growth needs"
    else:
        # R alone does not decide: growth as in space has R above 1 too, and late steps are held down by depletion.
        relation = f"{top['phase']}: {reason_of(top) or 'no reason was recorded'}"
    return _sentence(
        f"no cell is found to grow exponentially ({each}): R comes nearest to it "
        f"{_cell_words(tables, top)}, {interval(top['R'], top['R_low'], top['R_high'])} ({count(top['runs'])} runs), "
        f"{relation}"
    )


def reason_of(row: Any) -> str:
    """Return the reason recorded for the phase of a cell, without the R and its interval that stand beside it."""
    text = "" if pd.isna(row["phase_reason"]) else str(row["phase_reason"]).strip().rstrip(".")
    return re.sub(r"^R = \S+ \[[^\]]*\] ", "R ", text)


def phase_reasons(tables: Tables) -> list[tuple[str, str, int]]:
    """Return (phase, reason, cells), the most frequent first; reasons that differ only in their numbers are one.

    The reason shown is that of the first such cell, marked with "for example" where the numbers differ.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for phase, reason in zip(tables.results["phase"], tables.results["phase_reason"], strict=True):
        text = "" if pd.isna(reason) else str(reason).strip().rstrip(".")
        groups.setdefault((str(phase), re.sub(r"[-−]?\d[\d.,]*", "#", text)), []).append(text)
    rows = []
    for (phase, _), texts in groups.items():
        example = f"for example: {texts[0]}" if len(set(texts)) > 1 else texts[0]
        rows.append((phase, example or "no reason was recorded", len(texts)))
    order = list(phase_counts(tables))
    return sorted(rows, key=lambda row: (order.index(row[0]), -row[2], row[1]))


def on_prediction(tables: Tables) -> str | None:
    """Say how often the R predicted from the graph is inside the measured interval, and where it is furthest off."""
    r = tables.results
    both = r[r["R"].notna() & r["R_low"].notna() & r["R_high"].notna() & r["R_predicted"].notna()]
    if both.empty:
        return None
    inside = (both["R_low"] <= both["R_predicted"]) & (both["R_predicted"] <= both["R_high"])
    far = largest(both.assign(gap=(both["R"] - both["R_predicted"]).abs()), "gap")
    of = f"all {count(len(both))}" if inside.all() else f"{count(int(inside.sum()))} of {count(len(both))}"
    if not inside.any():
        of = f"none of the {count(len(both))}"
    return _sentence(
        f"the R predicted from the graph lies inside the measured interval in {of} cells where R could be measured; "
        f"they are furthest apart {_cell_words(tables, far)}, "
        f"{number(float(far['R_predicted']))} predicted and {interval(far['R'], far['R_low'], far['R_high'])} measured "
        f"({count(far['runs'])} runs)"
    )


def _on_share(tables: Tables) -> str | None:
    r = tables.results[tables.results["reach"].notna()]
    if r.empty:
        return None
    top = largest(r.assign(part=r["reach"] / r["n_nodes"]), "part")
    n = float(top["n_nodes"])
    percent = interval(100 * top["reach"] / n, 100 * top["reach_low"] / n, 100 * top["reach_high"] / n, " %")
    return _sentence(
        f"the widest reach of the study is {percent} of the {count(n)} users, {_cell_words(tables, top)} "
        f"({count(top['runs'])} runs)"
    )


def answers(tables: Tables) -> list[str]:
    """Return the answers of the study, three to six sentences, the most useful first.

    Fewer than three only where the table has no number to compare.
    """
    found = comparisons(tables)
    said = [
        _on_strategy(tables, found),
        _on_money(tables, found),
        _on_lead(tables, found),
        _on_returns(tables),
        verdict_on_growth(tables),
    ]
    kept = [sentence for sentence in said if sentence]
    spare = [sentence for sentence in (on_prediction(tables), _on_share(tables)) if sentence]
    return kept + spare[: max(0, 3 - len(kept))]
