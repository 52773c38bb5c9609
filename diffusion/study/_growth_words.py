"""Whether growth is exponential, in words made from the table."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import pandas as pd

from ._depends import confined
from ._format import chosen, count, interval, listing, number
from ._read import Setting, Tables, largest

__all__ = ["cell_words", "on_prediction", "phase_counts", "phase_reasons", "reason_of", "sentence", "verdict_on_growth"]


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    text = re.sub(r"(?<![\d,.])1 runs\b", "1 run", text)
    return text[0].upper() + text[1:] + "."


def cell_words(tables: Tables, row: Any) -> str:
    """Name a cell inside a sentence."""
    setting = Setting(row["graph"], row["model"], row["rule"], row["place"])
    subject = chosen(str(row["strategy"]), int(row["n_seeds"]))
    money = f" for {row['budget']}" if row["budget_kind"] == "money" else ""
    return f"{tables.under(setting)}, {subject}{money}"


def phase_counts(tables: Tables) -> dict[str, int]:
    """Return the number of cells in each phase, in a fixed order."""
    counted = Counter(str(phase) for phase in tables.results["phase"])
    names = ["exponential", "subcritical", "undecided"]
    return {name: counted[name] for name in [*names, *sorted(set(counted) - set(names))]}


def _phases(tables: Tables, *, without: str = "") -> str:
    return listing([f"{count(n)} {name}" for name, n in phase_counts(tables).items() if n and name != without])


def verdict_on_growth(tables: Tables) -> str:
    """Say in one sentence whether growth is exponential anywhere, and on what evidence."""
    r = tables.results
    n = len(r)
    growing = r[r["phase"] == "exponential"]
    measured = r[r["R_low"].notna() & r["R"].notna()]
    if not growing.empty:
        top = largest(growing, "R_low")
        doubling = ""
        if math.isfinite(top["doubling"]):
            doubling = ", so that new activations double every " + interval(
                top["doubling"], top["doubling_low"], top["doubling_high"], " steps"
            )
        of = f"all {count(n)}" if len(growing) == n else f"{count(len(growing))} of {count(n)}"
        all_with = confined(tables, growing, r)
        within = f", all with {listing(all_with)}" if all_with and len(growing) > 1 else ""
        return sentence(
            f"growth is exponential for a while in {of} cells (combinations of setting, strategy and budget){within}: most clearly {cell_words(tables, top)}, where one "
            f"active user activates {interval(top['R'], top['R_low'], top['R_high'])} others (R; above 1 activity grows)"
            f"{doubling} ({count(top['runs'])} runs){_elsewhere(tables)}"
        )
    others = _phases(tables, without="exponential")
    each = f"all {count(n)} are {others.split(' ', 1)[1]}" if " and " not in others else f"{others}, of {count(n)}"
    if measured.empty:
        return sentence(
            f"no cell is found to grow exponentially ({each}): in none of the {count(n)} cells was there a stretch "
            "of steps long enough to measure R, the mean number of users that one active user activates"
        )
    top = largest(measured, "R_low")
    if top["phase"] == "subcritical":
        relation = "below the 1 that growth needs"
    else:
        # R alone does not decide: growth as in space has R above 1 too, and late steps are held down by depletion.
        relation = f"{top['phase']}: {reason_of(top) or 'no reason was recorded'}"
    return sentence(
        f"no cell is found to grow exponentially ({each}): R comes nearest to it "
        f"{cell_words(tables, top)}, {interval(top['R'], top['R_low'], top['R_high'])} ({count(top['runs'])} runs), "
        f"{relation}"
    )


# Why growth was not decided, by what the recorded reason says; the first that fits.
_OPEN = (
    (r"used up: too few|nodes were active", "too much of the audience is used up before growth could show"),
    (r"activated nobody", "the seeds activate nobody"),
    (r"cannot tell exponential|slow", "growth is not told apart from a slower kind"),
    (r"keep clear of 1|spans 1|explain", "R is not told apart from 1"),
    (r"later step activates", "a later step activates far more than the first ones"),
    (r"fewer than|too few|no interval", "there are too few steps or runs to measure R"),
)


def _elsewhere(tables: Tables) -> str:
    """Say why the other cells do not grow exponentially."""
    r = tables.results
    parts = []
    below = int((r["phase"] == "subcritical").sum())
    if below:
        parts.append(f"in {count(below)} cell{'' if below == 1 else 's'} R lies below 1 and the spread dies out")
    reasons = Counter(
        next((words for pattern, words in _OPEN if re.search(pattern, str(reason))), "")
        for reason in r.loc[r["phase"] == "undecided", "phase_reason"]
    )
    open_ = sum(reasons.values())
    if open_:
        why, times = reasons.most_common(1)[0]
        because = f", because {why}" if times == open_ else f", in {count(times)} of them because {why}"
        parts.append(f"{count(open_)} {'is' if open_ == 1 else 'are'} undecided{because if why else ''}")
    return f". Elsewhere it is not shown: {listing(parts)}" if parts else ""


def reason_of(row: Any) -> str:
    """Return the reason recorded for the phase of a cell, without the R and its interval that stand beside it."""
    text = "" if pd.isna(row["phase_reason"]) else str(row["phase_reason"]).strip().rstrip(".")
    text = re.sub(r"\s*\(R = \S+ \[[^\]]*\][^)]*\)", "", text)
    return re.sub(r"^R = \S+ \[[^\]]*\] ", "R ", text)


def phase_reasons(tables: Tables) -> list[tuple[str, str, int]]:
    """Return (phase, reason, cells), the most frequent first; reasons that differ only in their numbers are one.

    The reason shown is that of the first such cell, marked with "for example" where the numbers differ.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for phase, reason in zip(tables.results["phase"], tables.results["phase_reason"], strict=True):
        text = "" if pd.isna(reason) else str(reason).strip().rstrip(".")
        groups.setdefault((str(phase), re.sub(r"[-−]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?", "#", text)), []).append(text)
    rows = []
    for (phase, _), texts in groups.items():
        # One without powers of ten reads better.
        first = next((text for text in texts if not re.search(r"\de[-+]?\d", text)), texts[0])
        example = f"for example: {first}" if len(set(texts)) > 1 else first
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
    ratio = float((both["R"] / both["R_predicted"]).median())
    return sentence(
        f"the R predicted from the graph lies inside the measured interval in {of} cells where R could be measured (the median "
        f"of measured over predicted is {number(ratio, 3)}). The prediction is for activity that has forgotten where it "
        f"started; the first steps after chosen seeds can differ. Furthest apart they are {cell_words(tables, far)}: "
        f"{number(float(far['R_predicted']))} predicted and {interval(far['R'], far['R_low'], far['R_high'])} measured "
        f"({count(far['runs'])} runs)"
    )
