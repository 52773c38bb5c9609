"""Tables of the report: what the page shows as rows, and the numbers behind them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ._compare import Comparison, comparisons, runner_up
from ._format import count, fixed, interval, label, number, range_of, share
from ._growth_words import of_graph_and_model, phase_reasons
from ._read import FACTORS, Setting, Tables, largest

__all__ = [
    "Column",
    "Table",
    "best_table",
    "cells_table",
    "community_table",
    "factor_cells",
    "factor_columns",
    "paired_table",
    "phase_table",
    "seeds_table",
    "varying",
]

_MOST_COMMUNITIES = 12
# Longer tables are folded.
_LONG = 12
_FEW_SETTINGS = 8


@dataclass(frozen=True)
class Column:
    """Head of a column, and whether it holds numbers (set to the right)."""

    head: str
    right: bool = True


@dataclass(frozen=True)
class Table:
    """A table of the report; a cell is text, or (text, tint in percent)."""

    key: str
    title: str
    columns: list[Column]
    rows: list[list[Any]]
    data: pd.DataFrame
    note: str = ""
    long: bool = False


def varying(tables: Tables) -> list[str]:
    """Factors shown as columns: the model always, the others where they vary."""
    several = {
        "graph": tables.several_graphs,
        "model": True,
        "rule": any(s.has_rule for s in tables.settings),
        "place": tables.several_places,
    }
    return [name for name, shown in several.items() if shown]


_HEADS = {"graph": "Graph", "model": "DiffusionModel", "rule": "Probabilities", "place": "Seeds placed"}


def factor_columns(tables: Tables) -> list[Column]:
    """Heads of the factors."""
    return [Column(_HEADS[name], right=False) for name in varying(tables)]


def factor_cells(tables: Tables, row: Any) -> list[str]:
    """Short names of the factors of a row."""
    written = {"graph": tables.graph_name, "model": tables.model_name}
    return [written.get(name, str)(str(row[name])) for name in varying(tables)]


def phase_table(tables: Tables) -> Table:
    """Cells by phase and reason."""
    rows = phase_reasons(tables)
    n = len(of_graph_and_model(tables.results))
    return Table(
        "phases",
        "Phase of each graph and model, with the reason",
        [Column("Phase", right=False), Column("Graphs and models"), Column("Share"), Column("Reason", right=False)],
        [[phase, count(k), share(k, n), f"{reason}."] for phase, reason, k in rows],
        pd.DataFrame(rows, columns=["phase", "reason", "graphs_and_models"]),
        long=len(rows) > _LONG // 2,
    )


def best_table(tables: Tables) -> Table:
    """Best and second best strategy of every setting and budget."""
    members_of: dict[tuple[Setting, str], list[Comparison]] = {}
    for c in comparisons(tables):
        members_of.setdefault((c.setting, c.budget), []).append(c)
    rows, data = [], []
    decided = 0
    r = tables.results[(tables.results["n_seeds"] > 0) & tables.results["reach"].notna()]
    keys = ["graph", "model", "rule", "place", "budget"]
    for setting in tables.settings:
        own = r.loc[r.index.intersection(tables.of(setting).index)]
        for _, group in own.sort_values(["budget_kind", "budget_value"]).groupby("budget", sort=False):
            first = largest(group, "reach")
            members = members_of.get((setting, str(first["budget"])))
            second = runner_up(members) if members else None
            best = second.best if second else str(first["strategy"])
            top = group[group["strategy"] == best].iloc[0]
            row = [
                *factor_cells(tables, first), first["budget"], label(best), count(top["n_seeds"]),
                interval(top["reach"], top["reach_low"], top["reach_high"]), share(top["reach"], top["n_nodes"]),
            ]  # fmt: skip
            if second is None:
                row += ["–", "–", "–"]
            else:
                lead = interval(second.difference, second.low, second.high)
                lead = "equal in every run" if second.tied else lead if second.decided else f"undecided: {lead}"
                decided += second.decided
                row += [label(second.other), lead, count(second.runs)]
            rows.append(row)
            record = {k: first[k] for k in keys} | {"best": best, "n_seeds": top["n_seeds"]}
            record |= {k: top[k] for k in ("reach", "reach_low", "reach_high", "n_nodes")}
            record |= {
                "second": second.other if second else None,
                "lead": second.difference if second else math.nan,
                "lead_low": second.low if second else math.nan,
                "lead_high": second.high if second else math.nan,
                "runs": second.runs if second else None,
            }
            data.append(record)
    columns = [
        *factor_columns(tables), Column("Budget", right=False), Column("Best (highest mean)", right=False),
        Column("Seeds"), Column(f"Reach [{tables.percent}]"), Column("Of all users"), Column("Second", right=False),
        Column(f"Lead over second, users [{tables.percent}]"), Column("Runs"),
    ]  # fmt: skip
    frame = pd.DataFrame(data)
    title = f"The lead over the second best strategy is decided in {decided} of {len(rows)} combinations"
    note = (
        "The lead is measured on the same worlds for both. The best is picked from these same numbers, so a narrow "
        "lead is on average a little too large."
    )
    return Table("best", title, columns, rows, frame, note, long=len(rows) > _LONG)


def paired_table(tables: Tables) -> Table | None:
    """All differences to the best."""
    p = tables.paired[tables.paired["strategy"] != tables.paired["best"]]
    if p.empty:
        return None
    rows = []
    for row in p.to_dict("records"):
        spans = not (row["low"] > 0 or row["high"] < 0)
        verdict = "–" if math.isnan(row["difference"]) else "undecided" if spans else "decided"
        rows.append(
            [*factor_cells(tables, row), row["budget"], label(str(row["strategy"])), label(str(row["best"])),
             interval(row["difference"], row["low"], row["high"]), count(row["runs"]), verdict]
        )  # fmt: skip
    columns = [
        *factor_columns(tables), Column("Budget", right=False), Column("Strategy", right=False),
        Column("Best", right=False), Column(f"Difference, users [{tables.percent}]"), Column("Runs"),
        Column("Verdict", right=False),
    ]  # fmt: skip
    return Table("all-paired", f"All {count(len(p))} differences to the best on the same worlds", columns, rows, p)


def _one_setting(tables: Tables, first: pd.Series[Any]) -> pd.DataFrame:
    """Rows of the setting and budget of the cell `first`, the widest reach first."""
    r = tables.results
    same = r[r["reach"].notna() & (r["n_seeds"] > 0)]
    for name in ("graph", "model", "rule", "place", "budget"):
        same = same[same[name] == first[name]]
    return same.sort_values(["reach", "strategy"], ascending=[False, True])


def _widest(tables: Tables) -> pd.DataFrame:
    """Cells of the setting and budget counted in seeds (or any) in which the widest reach is found."""
    r = tables.results[tables.results["reach"].notna() & (tables.results["n_seeds"] > 0)]
    free = r[r["place"] == "anywhere"]
    r = free if not free.empty else r
    in_seeds = r[r["budget_kind"] == "k"]
    pool = in_seeds if not in_seeds.empty else r
    return pool if pool.empty else _one_setting(tables, largest(pool, "reach"))


def _least_even(tables: Tables) -> pd.DataFrame:
    """Cells of the setting and budget, seeds anywhere, in which strategies differ most in how evenly they reach."""
    r = tables.results[tables.results["entropy"].notna() & (tables.results["n_seeds"] > 0)]
    free = r[r["place"] == "anywhere"]
    r = free if not free.empty else r
    if len(tables.settings) <= _FEW_SETTINGS or r.empty:
        return _widest(tables)
    apart = r.groupby(["graph", "model", "rule", "place", "budget"])["entropy"].transform("std").fillna(0.0)
    return _one_setting(tables, largest(r.assign(apart=apart), "apart"))


def _place(tables: Tables, cells: pd.DataFrame) -> str:
    first = cells.iloc[0]
    return f"{first['budget']}, {tables.name(Setting(first['graph'], first['model'], first['rule'], first['place']))}"


def seeds_table(tables: Tables) -> Table | None:
    """Who the seeds are, by strategy, where the reach is widest."""
    cells = _widest(tables)
    if cells.empty or tables.seeds.empty:
        return None
    chosen = {cell: group.sort_values("rank") for cell, group in tables.seeds.groupby("cell")}
    best = {str(n) for n in chosen[cells.iloc[0]["cell"]]["node"]} if cells.iloc[0]["cell"] in chosen else None
    rows, parts = [], []
    for row in cells.to_dict("records"):
        own = chosen.get(row["cell"])
        if own is None:
            continue
        tiers = Counter(str(t) for t in own["tier"].dropna())
        nodes = [str(n) for n in own["node"]]
        shared = "–" if best is None else share(len(best & set(nodes)), len(nodes))
        rows.append(
            [label(row["strategy"]), count(len(own)), number(float(own["followers"].median())),
             number(float(own["followers"].max())), shared,
             ", ".join(f"{n} {t}" for t, n in tiers.most_common()) or "–",
             count(own["community"].nunique()) if own["community"].notna().any() else "–"]
        )  # fmt: skip
        parts.append(own.assign(strategy=row["strategy"]))
    if not rows:
        return None
    columns = [
        Column("Strategy", right=False), Column("Seeds"), Column("Followers, median"), Column("Followers, most"),
        Column(f"Also seeds of {label(cells.iloc[0]['strategy'])}"), Column("Tiers", right=False),
        Column("Communities"),
    ]  # fmt: skip
    keep = [i for i in range(len(columns)) if any(row[i] != "–" for row in rows)]
    medians = [(float(p["followers"].median()), str(p["strategy"].iloc[0])) for p in parts]
    low, high = min(medians), max(medians)
    title = (
        f"The median seed has from {number(low[0])} followers ({label(low[1])}) to {number(high[0])} ({label(high[1])})"
        if len(medians) > 1
        else f"The median seed has {number(low[0])} followers"
    )
    data = pd.concat(parts).drop(columns="cell")
    note = f"Where the widest reach was found: {_place(tables, cells)}. The CSV lists every one of these seeds."
    return Table("seeds", title, [columns[i] for i in keep], [[row[i] for i in keep] for row in rows], data, note)


def community_table(tables: Tables) -> Table | None:
    """Share of the users of each community that are reached, by strategy."""
    cells = _least_even(tables)
    own = tables.by_community[tables.by_community["cell"].isin(set(cells["cell"]))] if not cells.empty else cells
    if own.empty:
        return None
    own = own.assign(part=own["reach"] / own["size"], community=own["community"].astype(str))
    sizes = own.groupby("community")["size"].first().sort_values(ascending=False, kind="stable")
    shown = list(sizes.index[:_MOST_COMMUNITIES])
    part = own.pivot_table(index="cell", columns="community", values="part")
    largest = float(part[shown].max().max()) or 1.0
    rows, even = [], []
    for row in cells.to_dict("records"):
        if row["cell"] not in part.index:
            continue
        values = [float(part.loc[row["cell"], c]) for c in shown]
        tinted = [
            ("–" if math.isnan(v) else f"{100 * v:.1f}", 0 if math.isnan(v) else round(34 * v / largest))
            for v in values
        ]
        rows.append([label(row["strategy"]), *tinted, fixed(row["entropy"], 2), fixed(100 * row["dominance"], 1)])
        if not math.isnan(row["entropy"]):
            even.append((float(row["entropy"]), str(row["strategy"])))
    columns = [Column("Strategy", right=False)]
    columns += [Column(f"{_community_name(c)} ({count(sizes[c])})") for c in shown]
    columns += [Column("Evenness, bits"), Column("In its largest, %")]
    low, high = (min(even), max(even)) if even else ((math.nan, ""), (math.nan, ""))
    title = "Percent of the users of each community that are reached"
    if len(even) > 1 and low[0] < high[0]:
        title = (
            f"Reach is spread most evenly over communities with {label(high[1])} ({fixed(high[0], 2)} bits) and least "
            f"with {label(low[1])} ({fixed(low[0], 2)} bits)"
        )
    note = (
        "Percent of the users of each community that are reached on average (its size in brackets); "
        f"{_place(tables, cells)}, {range_of(cells['runs'])}. Evenness: entropy of the shares of reach, at most "
        f"{number(math.log2(len(sizes)), 3)} bits for {count(len(sizes))} communities. In its largest: share of reach "
        "in the community that has most of it. Means: no interval is recorded by community."
    )
    if len(sizes) > len(shown):
        note += f" The {count(len(shown))} largest communities are shown; the CSV has all."
    factors = cells[["cell", *FACTORS, "runs"]]
    data = factors.merge(own.drop(columns="part"), on="cell").drop(columns="cell")
    return Table("communities", title, columns, rows, data, note)


def _community_name(name: str) -> str:
    return f"No. {name}" if name.isdigit() else name


def cells_table(tables: Tables) -> Table:
    """Every cell with its main measures."""
    r = tables.results
    spread = r[["depth", "breadth", "virality"]].notna().any()
    wanted: list[tuple[Column, Any]] = [
        (Column("Budget", right=False), lambda c: c["budget"]),
        (Column("Strategy", right=False), lambda c: label(c["strategy"])),
        (Column("Seeds"), lambda c: count(c["n_seeds"])),
        (Column(f"Reach [{tables.percent}]"), lambda c: interval(c["reach"], c["reach_low"], c["reach_high"])),
        (Column("Runs"), lambda c: count(c["runs"])),
        (Column("Stopped by", right=False), lambda c: c["stopped_by"].replace("_", " ")),
        (Column("R predicted"), lambda c: number(c["R_predicted"])),
        (Column("R measured"), lambda c: interval(c["R"], c["R_low"], c["R_high"])),
        (
            Column("R of the campaign"),
            lambda c: interval(c["R_campaign"], c["R_campaign_low"], c["R_campaign_high"]),
        ),
        (Column("Doubling, steps"), lambda c: interval(c["doubling"], c["doubling_low"], c["doubling_high"])),
        (Column("Phase", right=False), lambda c: c["phase"]),
        (Column("Outbreak, %"), lambda c: _percent(c["outbreak_probability"], c["outbreak_low"], c["outbreak_high"])),
        (Column("Depth"), lambda c: number(c["depth"], 3)),
        (Column("Breadth"), lambda c: number(c["breadth"], 3)),
        (Column("Virality"), lambda c: number(c["virality"], 3)),
        (Column("Cost, RMB"), lambda c: number(c["cost"])),
        (Column("Reach per 1,000 RMB"), lambda c: number(1000 * c["reach_per_cost"])),
        (Column("Evenness, bits"), lambda c: number(c["entropy"], 3)),
    ]
    records = r.to_dict("records")
    columns = [*factor_columns(tables), *(column for column, _ in wanted)]
    rows = [[*factor_cells(tables, c), *(write(c) for _, write in wanted)] for c in records]
    keep = [i for i in range(len(columns)) if any(row[i] != "–" for row in rows)]
    outbreak = sorted({float(v) for v in r["outbreak_share"].dropna()})
    notes = []
    if outbreak:
        notes.append(
            f"Outbreak: a run that reaches at least {' or '.join(number(100 * v, 3) for v in outbreak)} % of users."
        )
    if spread.any():
        notes.append(
            "Depth: steps from the seeds to the last activation; breadth: most activations in one step; virality: "
            "mean distance between two users of a cascade tree (each a mean over at most "
            f"{count(r['virality_runs'].max())} runs)."
        )
    return Table(
        "cells",
        f"All {count(len(r))} cells",
        [columns[i] for i in keep],
        [[row[i] for i in keep] for row in rows],
        r,
        " ".join(notes),
    )


def _percent(middle: float, low: float, high: float) -> str:
    return interval(100 * middle, 100 * low, 100 * high)
