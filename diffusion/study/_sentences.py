"""The answers in words: every sentence is built from the table, or is not said.

A sentence compares two things and carries its interval and its number of runs. A difference whose interval
touches zero is called undecided.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ._compare import Comparison, comparisons, runner_up
from ._effects import on_certificate, on_feed, on_identify, on_many, on_mixing, on_place
from ._format import TIERS, budget_words, chosen, count, interval, number, spelled
from ._growth_words import cell_words, on_prediction, sentence, verdict_on_growth
from ._read import Setting, Tables, largest

__all__ = ["answers"]

_TIMES = {2: "twice", 20: "twenty times"}
# With more combinations than this, a sentence says how many go which way and tells the one in the middle.
_FEW = 4


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


def _picked(found: list[Comparison], pick: Callable[[list[Comparison]], Comparison | None]) -> list[Comparison]:
    """Pick one comparison of each setting and budget."""
    groups: dict[tuple[Setting, str], list[Comparison]] = {}
    for c in found:
        groups.setdefault((c.setting, c.budget), []).append(c)
    return [c for c in map(pick, groups.values()) if c is not None and math.isfinite(c.relative)]


def _lowest(members: list[Comparison]) -> Comparison:
    return min(members, key=lambda c: (c.reach_other, c.other))


def _yardstick(members: list[Comparison]) -> Comparison:
    """Against random seeds where the study has them, else against the strategy that reaches least."""
    return next((c for c in members if c.other == "random"), _lowest(members))


def _dearest(members: list[Comparison]) -> Comparison:
    """Against the tier that reaches least for the money, where the best is a tier; else as for any budget."""
    tiers = [c for c in members if c.other in TIERS]
    return _lowest(tiers) if tiers and members[0].best in TIERS else _yardstick(members)


def _far_and_near(tables: Tables, picked: list[Comparison], *, sizes: bool) -> str | None:
    """Say the comparison with the largest relative gain, and in the same breath the one with the smallest."""
    if not picked:
        return None
    picked = sorted(picked, key=lambda c: (-c.relative, c.setting, c.budget))
    far, near = picked[0], picked[-1]
    where = f"{budget_words(far.kind, far.value, far.budget)} {tables.under(far.setting)}"
    text = f"{where}, {_told(far, sizes=sizes)}"
    if len(picked) > 1:
        budget = "" if near.budget == far.budget else f"{budget_words(near.kind, near.value, near.budget)} "
        among = "" if len(picked) == 2 else f", where the gain is relatively smallest of {spelled(len(picked))},"
        comma = "," if not among else ""
        text += f"; {budget}{tables.under(near.setting)}{among}{comma} {_told(near, sizes=sizes)}"
    return sentence(text)


def _on_strategy(tables: Tables, found: list[Comparison]) -> str | None:
    largest = {setting: tables.main_budget(setting) for setting in tables.settings}
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
    where = f"{budget_words(clearest.kind, clearest.value, clearest.budget)} {tables.under(clearest.setting)}"
    if len(seconds) == 1:
        return sentence(f"against the second best strategy, {where}, {_told(clearest)}")
    if not decided:
        return sentence(
            f"which strategy is best is undecided in all {spelled(len(seconds))} combinations of setting and budget: "
            f"nearest to a decision, {where}, {_told(clearest)}"
        )
    rest = len(seconds) - len(decided)
    tail = f"; in the other {spelled(rest)} the second is not told apart from the first (undecided)" if rest else ""
    of = f"all {spelled(len(seconds))}" if not rest else f"{spelled(len(decided))} of {spelled(len(seconds))}"
    return sentence(
        f"the lead of the best strategy over the second is clear of zero in {of} combinations of setting and "
        f"budget: most clearly {where}, {_told(clearest)}{tail}"
    )


def _on_returns(tables: Tables) -> str | None:
    """Compare the largest budget with the smallest, for the strategy and setting that reach most."""
    r = tables.results[(tables.results["budget_kind"] == "k") & (tables.results["reach"] > 0)]
    if r.empty:
        return None
    top = largest(r, "reach")
    own = tables.of(_of(tables, top))
    same = own[(own["budget_kind"] == "k") & (own["reach"] > 0) & (own["strategy"] == top["strategy"])]
    same = same.sort_values("n_seeds")
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
    times = _TIMES.get(int(more), f"{spelled(int(more))} times") if more == int(more) else f"{number(more, 3)} times"
    setting = _of(tables, top)
    runs = sorted({int(small["runs"]), int(large["runs"])})
    return sentence(
        f"{times} the seeds ({count(small['n_seeds'])} to {count(large['n_seeds'])}, "
        f"{chosen(str(top['strategy']))}, {tables.under(setting)}) bring {interval(ratio, low, high, ' times')} the "
        f"reach, {verdict} ({' and '.join(count(n) for n in runs)} runs)"
    )


def _on_share(tables: Tables) -> str | None:
    r = tables.results[tables.results["reach"].notna()]
    if r.empty:
        return None
    top = largest(r.assign(part=r["reach"] / r["n_nodes"]), "part")
    n = float(top["n_nodes"])
    percent = interval(100 * top["reach"] / n, 100 * top["reach_low"] / n, 100 * top["reach_high"] / n, " %")
    return sentence(
        f"the widest reach of the study is {percent} of the {count(n)} users, {cell_words(tables, top)} "
        f"({count(top['runs'])} runs)"
    )


def _of(tables: Tables, row: Any) -> Setting:
    return Setting(row["graph"], row["model"], row["rule"], row["place"])


# --- the list --------------------------------------------------------------------------------------------------------


def answers(tables: Tables) -> list[str]:
    """Return the answers of the study, three to six sentences, the most useful first.

    Fewer than three only where the table has no number to compare.
    """
    found = comparisons(tables)
    many = len(tables.settings) > _FEW and len(found) > 0
    # (rank in importance, sentence), in the order in which they are read
    said: list[tuple[int, str | None]] = []
    if many:
        said.append((0, on_many(tables)))
    else:
        said += [(0, _on_strategy(tables, found)), (1, _on_money(tables, found)), (4, _on_lead(tables, found))]
    said += [
        (2, verdict_on_growth(tables)),
        (3, on_mixing(tables)),
        (5, on_feed(tables)),
        (6, on_identify(tables)),
        (8, on_place(tables)),
        (9, _on_returns(tables)),
        (7, on_certificate(tables)),
    ]
    there = [(rank, text) for rank, text in said if text]
    most = sorted(rank for rank, _ in there)[:6]
    kept = [text for rank, text in there if rank in most]
    spare = [text for text in (on_prediction(tables), _on_share(tables)) if text]
    return kept + spare[: max(0, 3 - len(kept))]
