"""Answers of a study with many combinations: whom to pay, and what mixing, feed, identification and place change.

Each says how often an effect goes which way, on what that depends, and the typical case with its interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ._compare import (
    Contrast,
    contagion,
    contrasts,
    middle_of,
    open_places,
    pairs,
    place_contrasts,
    tally,
    winners,
)
from ._depends import telling_split
from ._format import TIERS, budget_words, chosen, count, interval, listing, number, range_of
from ._growth_words import sentence
from ._read import Setting, Tables, largest

__all__ = ["on_certificate", "on_feed", "on_identify", "on_many", "on_mixing", "on_place"]

_MOST_LEVELS = 2
_ONE_SIDED = 9  # an effect goes one way when at most one clear case in so many more goes the other


def _percent(c: Contrast) -> str:
    scale = 100 / c.before if c.before > 0 else math.nan
    sign = "+" if c.difference > 0 else ""
    return sign + interval(scale * c.difference, scale * c.low, scale * c.high, " %")


def _one_sided(up: int, down: int) -> bool:
    return min(up, down) * _ONE_SIDED <= max(up, down)


def _levels(tables: Tables, found: Sequence[Contrast], verbs: tuple[str, str]) -> str:
    """Say on which factor the direction depends, and where it goes which way."""
    split = telling_split(tables, [(c.to, c.sign) for c in found])
    if split is None:
        return ""
    told: dict[str, list[tuple[float, str]]] = {}
    for words, signs in split.levels:
        up, down = signs.count(1), signs.count(-1)
        if max(up, down) > len(signs) / 2:
            part = max(up, down) / len(signs)
            text = f"{words} ({count(max(up, down))} of {count(len(signs))})"
            told.setdefault(verbs[0] if up > down else verbs[1], []).append((-part, text))
    if not told:
        return f"; it depends most on {split.name}"
    parts = []
    for verb, levels in told.items():
        names = [text for _, text in sorted(levels, key=lambda level: level[0])]
        more = len(names) - _MOST_LEVELS
        names = names if more < 2 else [*names[:_MOST_LEVELS], f"{count(more)} others"]
        parts.append(f"mostly {verb} with {listing(names)}")
    return f"; it depends most on {split.name}: reach {listing(parts)}"


def _effect(tables: Tables, found: Sequence[Contrast], verbs: tuple[str, str] = ("rises", "falls")) -> str:
    """Say how often reach goes which way, on what that depends, and the typical case."""
    up, down, open_ = tally(found)
    of = f"{count(len(found))} comparison{'' if len(found) == 1 else 's'}"
    sides = sorted(zip((up, down), verbs, strict=True), key=lambda side: -side[0])
    text = f"reach {sides[0][1]} in {count(sides[0][0])} of {of}"
    if sides[1][0]:
        text += f" and {sides[1][1]} in {count(sides[1][0])}"
    elif sides[0][0]:
        text += f" and {sides[1][1]} in none"
    if not sides[0][0]:
        text = f"no change of reach is clear of chance in {of}"
    elif open_:
        text += f" ({count(open_)} undecided)"
    if not _one_sided(up, down):
        text += _levels(tables, found, verbs)
    middle = middle_of(found)
    case = "typically" if len(found) > 1 else "that is"
    return (
        f"{text}; {case} {_percent(middle)}, from {number(middle.before)} to {number(middle.after)} users "
        f"({chosen(str(middle.to['strategy']))}; {range_of(middle.runs)})"
    )


def _by_contagion(tables: Tables, found: Sequence[Contrast], verbs: tuple[str, str] = ("rises", "falls")) -> str:
    """Say the effect under simple and under complex contagion, each by itself."""
    groups: dict[str, list[Contrast]] = {}
    for c in found:
        groups.setdefault(contagion(c.start), []).append(c)
    known = [name for name in ("simple", "complex") if name in groups]
    if len(known) < 2:
        return _effect(tables, groups[known[0]] if known else found, verbs)
    word = "identification" if all(c.start["identify"] for c in found) else "contagion"
    first, second = (f"under {name} {word} {_effect(tables, groups[name], verbs)}" for name in known)
    return f"{first}. {second[0].upper()}{second[1:]}"


# --- the answers -----------------------------------------------------------------------------------------------------


def on_many(tables: Tables) -> str | None:
    """Say who reaches most for the largest budget: small creators or big ones, and which strategy comes first."""
    rows = tables.results[(tables.results["n_seeds"] > 0) & tables.results["reach"].notna()]
    if rows.empty:
        return None
    top = max((row["budget_kind"] == "money", row["budget_value"], row["budget"]) for row in rows.to_dict("records"))
    rows = open_places(rows[rows["budget"] == top[2]])
    inside = set(rows["cell"])
    won = winners(rows)
    where = budget_words("money" if top[0] else "k", top[1], top[2])
    tried = rows.groupby("strategy").size()
    firsts = [
        f"{chosen(s)} ({f'in all {count(n)}' if n == tried[s] else f'in {count(n)} of {count(tried[s])}'} settings where tried)"
        for s, n in won[:3]
    ]
    ranking = f"of all {count(len(tables.strategies))} ways to choose, these come first most often: {listing(firsts)}"

    def big(own: Any) -> str | None:
        return next((t for t in reversed(TIERS[1:]) if t in own), None)

    subject, found = "many small creators", [c for _, _, c in pairs(tables, big, "amateur") if c.to["cell"] in inside]
    against = "few big ones"
    if not found:
        # Without tiers: the most frequent winner against random seeds, or else against whoever reaches least.
        first = won[0][0]
        rest = rows[rows["strategy"] != first].groupby("strategy")["reach"].mean()
        if rest.empty:
            return None
        other = "random" if "random" in rest.index else str(rest.idxmin())
        found = [
            c for _, _, c in pairs(tables, lambda own: other if other in own else None, first) if c.to["cell"] in inside
        ]
        subject, against = chosen(first), chosen(other)
    if not found:
        return None
    up, down, open_ = tally(found)
    text = f"{where}, {subject} reach more users than {against} in {count(up)} of {count(len(found))} settings"
    text += (f", fewer in {count(down)}" if down else "") + (f" ({count(open_)} undecided)" if open_ else "")
    middle = middle_of(found)
    a, b = (chosen(str(row["strategy"]), int(row["n_seeds"])) for row in (middle.to, middle.start))
    case = "typically" if len(found) > 1 else "there"
    level = f"({number(middle.after)} against {number(middle.before)}; {range_of(middle.runs)})"
    if middle.sign and middle.before > 0:
        ends = sorted(abs(100 * v / middle.before) for v in (middle.low, middle.high))
        size = interval(abs(100 * middle.relative), ends[0], ends[1], " %")
        text += f"; {case} {a} reach{'es' if middle.to['n_seeds'] == 1 else ''} {size} {'more' if middle.sign > 0 else 'fewer'} than {b} {level}"
    else:
        text += f"; {case} the difference between {a} and {b} is undecided, {_percent(middle)} {level}"
    return sentence(f"{text}. {ranking[0].upper()}{ranking[1:]}")


def on_mixing(tables: Tables) -> str | None:
    """Say what more links between communities change."""
    found = contrasts(tables, "mixing")
    if not found:
        return None
    low, high = min(float(c.start["mixing"]) for c in found), max(float(c.to["mixing"]) for c in found)
    return sentence(
        f"when communities mix more ({number(100 * high, 3)} % instead of {number(100 * low, 3)} % of follower links lead to "
        f"another community), {_by_contagion(tables, found)}"
    )


def on_feed(tables: Tables) -> str | None:
    """Say what a stronger feed changes."""
    found = contrasts(tables, "feed")
    if not found:
        return None
    low, high = (sorted(tables.results["feed"].dropna().unique())[i] for i in (0, -1))
    text = f"when the platform's feed shows each shared note to {number(high)} users on average besides the followers, instead of to nobody"
    if low > 0:
        text = f"when the platform's feed shows each shared note to {number(high)} users on average instead of {number(low)}"
    return sentence(f"{text}, {_effect(tables, found)}")


def on_identify(tables: Tables) -> str | None:
    """Say what it changes that users identify with a note only after several sharers."""
    found = contrasts(tables, "identify")
    if not found:
        return None
    kinds = listing(sorted({str(c.to["identify"]) for c in found}))
    needed = kinds.removeprefix("complex ")
    meaning = f"after notes of {needed} different sharers" if needed.isdigit() else "after several sharers"
    return sentence(
        f"when users identify with a note only {meaning} ({kinds} identification) instead of by chance at once (simple), "
        f"{_effect(tables, found)}"
    )


def on_place(tables: Tables) -> str | None:
    """Say what it changes to put all seeds in one community."""
    found = place_contrasts(tables)
    if not found:
        return None
    text = "with all seeds in one community instead of spread over all"
    return sentence(f"{text}, {_by_contagion(tables, found)}")


def on_certificate(tables: Tables) -> str | None:
    """Say what the certificate proves: no choice of seeds at this price reaches more than its upper bound."""
    r = tables.results
    r = r[r["lower"].notna() & r["upper"].notna() & (r["upper"] > 0) & (r["n_seeds"] > 0) & (r["place"] == "anywhere")]
    if r.empty:
        return None
    r = r.assign(ratio=r["lower"] / r["upper"])
    best, worst = largest(r, "ratio"), largest(r.assign(minus=-r["ratio"]), "minus")
    who = chosen(str(best["strategy"])).removeprefix("seeds chosen by ")
    setting = Setting(best["graph"], best["model"], best["rule"], best["place"])
    money = f" for {best['budget']}" if best["budget_kind"] == "money" else ""
    least, most = (f"{number(100 * row['ratio'], 3)} %" for row in (worst, best))
    rest = ""
    if len(r) > 1:
        rest = f"; of the {count(len(r))} choices with such a certificate this one is closest" + (
            f", the loosest certifies {least}" if least != most else ""
        )
    return sentence(
        f"the choice of {who} comes with a certificate of how good it is: {tables.under(setting)}, its "
        f"{count(best['n_seeds'])} seeds{money} reach {interval(best['reach'], best['reach_low'], best['reach_high'])} users "
        f"({count(best['runs'])} runs), and no other choice at the same price can reach more than {number(best['upper'])}, so "
        f"they are certified to reach at least {most} of the best possible{rest}"
    )
