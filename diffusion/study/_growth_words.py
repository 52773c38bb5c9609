"""Whether growth is exponential, in words made from the table."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import pandas as pd

from ._format import chosen, count, interval, listing, number
from ._read import Setting, Tables, largest

__all__ = [
    "cell_words",
    "of_graph_and_model",
    "on_prediction",
    "phase_counts",
    "phase_reasons",
    "reason_of",
    "sentence",
    "verdict_on_growth",
]


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


PHASES = ("exponential", "subcritical", "core", "undecided", "not applicable")


def of_graph_and_model(results: pd.DataFrame) -> pd.DataFrame:
    """One row for each graph and model: R and the phase are theirs, whatever the seeds."""
    return results.drop_duplicates(["graph", "model", "rule"])


def phase_counts(tables: Tables) -> dict[str, int]:
    """Return the number of graphs and models in each phase, in a fixed order."""
    counted = Counter(str(phase) for phase in of_graph_and_model(tables.results)["phase"])
    return {name: counted[name] for name in [*PHASES, *sorted(set(counted) - set(PHASES))]}


def verdict_on_growth(tables: Tables) -> str:
    """Say in one sentence whether growth is exponential anywhere, and on what evidence."""
    r = of_graph_and_model(tables.results)
    n = len(r)
    growing = r[r["phase"] == "exponential"]
    if not growing.empty:
        top = largest(growing, "R_low")
        doubling = ""
        if math.isfinite(top["doubling"]):
            doubling = ", so that new activations double every " + interval(
                top["doubling"], top["doubling_low"], top["doubling_high"], " steps"
            )
        of = f"all {count(n)}" if len(growing) == n else f"{count(len(growing))} of {count(n)}"
        return sentence(
            f"growth is exponential, while few users are used up, in {of} combinations of graph and model: most clearly "
            f"{_setting_words(tables, top)}, where a typical sharer makes {interval(top['R'], top['R_low'], top['R_high'])} "
            f"others (R; above 1 activity grows){doubling} ({count(top['R_runs'])} runs){_elsewhere(tables)}"
        )
    each = listing([f"{count(k)} {name}" for name, k in phase_counts(tables).items() if k])
    head = f"growth is not shown to be exponential in any of the {count(n)} combinations of graph and model ({each})"
    measured = r[r["R_low"].notna() & r["R_predicted"].notna()]
    if measured.empty:
        return sentence(head)
    top = largest(measured, "R_low")
    return sentence(
        f"{head}; R is highest {_setting_words(tables, top)}, {interval(top['R'], top['R_low'], top['R_high'])} ({count(top['R_runs'])} runs): "
        f"{reason_of(top)}"
    )


def _setting_words(tables: Tables, row: Any) -> str:
    return str(tables.under(Setting(row["graph"], row["model"], row["rule"], row["place"])))


# Why growth was not decided, by the cause that was recorded.
_OPEN = {
    "near one": "R is not told apart from 1",
    "short": "growth lasts too few generations before the audience is used up",
    "slowing": "R falls with reach, as for growth in space",
    "unclear": "steady growth is not told apart from growth that slows",
    "transient": "a campaign swells although R of the graph is below 1",
}


def _elsewhere(tables: Tables) -> str:
    """Say why the others do not grow exponentially."""
    r = of_graph_and_model(tables.results)
    of = phase_counts(tables)
    parts = []
    if of["subcritical"]:
        parts.append(f"in {count(of['subcritical'])} R lies below 1 and the spread dies out")
    if of["core"]:
        parts.append(f"in {count(of['core'])} only a small core grows")
    if of["undecided"]:
        why, times = Counter(r.loc[r["phase"] == "undecided", "phase_cause"]).most_common(1)[0]
        because = (
            ""
            if why not in _OPEN
            else f", mostly because {_OPEN[why]}"
            if times < of["undecided"]
            else f", because {_OPEN[why]}"
        )
        parts.append(f"{count(of['undecided'])} {'is' if of['undecided'] == 1 else 'are'} undecided{because}")
    if of["not applicable"]:
        parts.append(f"in {count(of['not applicable'])} R does not exist, since one sharer alone convinces nobody")
    return f". Elsewhere it is not shown: {listing(parts)}" if parts else ""


def reason_of(row: Any) -> str:
    """Return the reason recorded for a phase, without a full stop."""
    return "" if pd.isna(row["phase_reason"]) else str(row["phase_reason"]).strip().rstrip(".")


def phase_reasons(tables: Tables) -> list[tuple[str, str, int]]:
    """Return (phase, reason, cells), the most frequent first; reasons that differ only in their numbers are one.

    The reason shown is that of the first such cell, marked with "for example" where the numbers differ.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    r = of_graph_and_model(tables.results)
    for phase, reason in zip(r["phase"], r["phase_reason"], strict=True):
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
    """Say how often the forecast of a campaign's R lies inside the measured interval."""
    r = tables.results
    both = r[r[["R_campaign", "R_campaign_low", "R_campaign_high", "R_campaign_predicted"]].notna().all(axis=1)]
    if both.empty:
        return None
    inside = (both["R_campaign_low"] <= both["R_campaign_predicted"]) & (
        both["R_campaign_predicted"] <= both["R_campaign_high"]
    )
    ratio = float((both["R_campaign"] / both["R_campaign_predicted"]).median())
    of = f"all {count(len(both))}" if inside.all() else f"{count(int(inside.sum()))} of {count(len(both))}"
    return sentence(
        f"what message passing forecasts for a campaign from its seeds, with depletion, lies inside the measured interval in "
        f"{of} cells (the median of measured over forecast is {number(ratio, 3)})"
    )
