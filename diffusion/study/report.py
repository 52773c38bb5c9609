"""The report of a finished study: one HTML file that opens offline, made only from the tables of its folder."""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from .._files import write_text
from .._version import __version__
from ..errors import InputError, MissingDataError, ReadError
from ._figures import Exhibit, growth_figures, method_figures, seeding_figures
from ._sentences import (
    Setting,
    Tables,
    answers,
    comparisons,
    count,
    interval,
    label,
    largest,
    number,
    on_prediction,
    phase_counts,
    phase_reasons,
    runner_up,
    share,
    verdict_on_growth,
)

__all__ = ["write_report"]

_FACTORS = ("graph", "model", "rule", "strategy", "budget")
_COLUMNS = {
    "results": (
        "cell", *_FACTORS, "budget_kind", "budget_value", "n_seeds", "n_nodes", "reach", "reach_low", "reach_high",
        "confidence", "runs", "rel_error", "stopped_by", "R_predicted", "R", "R_low", "R_high", "rate", "doubling",
        "doubling_low", "doubling_high", "phase", "phase_reason", "fit_first", "fit_last", "outbreak_probability",
        "outbreak_low", "outbreak_high", "outbreak_share", "depth", "breadth", "virality", "virality_runs", "cost",
        "reach_per_cost", "entropy", "dominance", "seconds_select", "seconds_simulate",
    ),
    "new_by_step": ("cell", "step", "mean", "low", "median", "high", "alive", "fitted"),
    "paired": ("graph", "model", "rule", "budget", "strategy", "best", "difference", "low", "high", "runs"),
    "reach_by_community": ("cell", "community", "size", "reach", "share"),
    "seeds": ("cell", "rank", "node", "tier", "community", "followers", "price"),
}  # fmt: skip
_OPTIONAL = ("reach_by_community", "seeds")
_MOST_COMMUNITIES = 12
_STOPPED = {
    "precision": "the precision asked for was reached",
    "max_runs": "the largest number of runs was reached first",
    "deterministic": "every run is the same: nothing is random in this cell",
}


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
    extra: dict[str, Any] = field(default_factory=dict)


def write_report(folder: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a finished study as one HTML file that needs nothing beside it.

    Every sentence and figure is made from the tables of the folder; nothing is simulated here, so the same folder
    gives the same file. Figures are inline SVG, and the numbers behind each figure and table can be had as CSV
    from the page.

    Parameters
    ----------
    folder : str or path
        Folder that a study has filled.
    path : str or path, optional
        Where to write; ``report.html`` in the folder unless said.

    Returns
    -------
    pathlib.Path
        The file written. It is written whole or not at all.

    Raises
    ------
    MissingDataError
        If the folder or one of its tables is not there.
    ReadError
        If a table cannot be read or lacks a column.
    InputError
        If the study has no finished cell.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> from diffusion.study.report import write_report
    >>> write_report("results/who-to-seed")  # doctest: +SKIP
    PosixPath('results/who-to-seed/report.html')
    """
    source = Path(folder)
    target = source / "report.html" if path is None else Path(path)
    write_text(target, _page(_read(source)))
    return target


# --- reading ---------------------------------------------------------------------------------------------------------


def _read(folder: Path) -> Tables:
    if not folder.is_dir():
        raise MissingDataError(f"there is no folder '{folder}': run the study first, or name the folder it was run in")
    frames = {name: _read_table(folder / f"{name}.parquet", name) for name in _COLUMNS}
    results = frames["results"]
    if results.empty:
        raise InputError(f"'{folder / 'results.parquet'}' has no cells: run the study before its report")
    study, graphs = _read_json(folder / "study.json", dict), _read_json(folder / "graphs.json", list)
    for name in ("graph", "model", "rule", "strategy", "budget", "budget_kind", "stopped_by", "phase", "cell"):
        results[name] = results[name].astype(str)
    named = [str(s["strategy"]) for s in study.get("strategies", [])]
    present = list(dict.fromkeys(results["strategy"]))
    return Tables(
        results=results,
        new_by_step=frames["new_by_step"],
        by_community=frames["reach_by_community"],
        seeds=frames["seeds"],
        paired=frames["paired"],
        graphs=graphs,
        study=study,
        provenance=_read_json(folder / "provenance.json", dict),
        settings=[
            Setting(row["graph"], row["model"], row["rule"])
            for row in results[["graph", "model", "rule"]].drop_duplicates().to_dict("records")
        ],
        strategies=[s for s in dict.fromkeys(named) if s in present] + [s for s in present if s not in named],
    )


def _read_table(path: Path, name: str) -> pd.DataFrame:
    if not path.is_file():
        if name in _OPTIONAL:
            return pd.DataFrame(columns=list(_COLUMNS[name]))
        raise MissingDataError(
            f"there is no '{path}': the study has not finished; run it again, it goes on where it was"
        )
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ReadError(f"'{path}' cannot be read as a Parquet table ({error}): run the study again") from None
    missing = [column for column in _COLUMNS[name] if column not in frame.columns]
    if missing and not (frame.empty and name in _OPTIONAL):
        raise ReadError(
            f"'{path}' lacks {', '.join(map(repr, missing))}: it needs {', '.join(_COLUMNS[name])}; "
            "run the study again with this version"
        )
    return frame.reset_index(drop=True)


def _read_json(path: Path, kind: type[Any]) -> Any:
    if not path.is_file():
        raise MissingDataError(
            f"there is no '{path}': the study has not finished; run it again, it goes on where it was"
        )
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(f"'{path}' cannot be read as JSON ({error}): run the study again") from None
    if not isinstance(value, kind):
        raise ReadError(f"'{path}' holds a {type(value).__name__}, not a {kind.__name__}: run the study again")
    return value


# --- tables ----------------------------------------------------------------------------------------------------------


def _varying(tables: Tables) -> list[str]:
    """Factors shown as columns: the graph only where it varies."""
    return [f for f in ("graph", "model", "rule") if f != "graph" or tables.several_graphs]


def _factor_columns(tables: Tables) -> list[Column]:
    return [Column(name.capitalize() if name != "rule" else "Probabilities", right=False) for name in _varying(tables)]


def _phase_table(tables: Tables) -> Table:
    rows = phase_reasons(tables)
    n = len(tables.results)
    return Table(
        "phases",
        "Phase of the cells, with the reason recorded for each",
        [Column("Phase", right=False), Column("Cells"), Column("Share"), Column("Reason", right=False)],
        [[phase, count(k), share(k, n), f"{reason}."] for phase, reason, k in rows],
        pd.DataFrame(rows, columns=["phase", "reason", "cells"]),
    )


def _best_table(tables: Tables) -> Table:
    found = comparisons(tables)
    rows, data = [], []
    decided = 0
    r = tables.results[(tables.results["n_seeds"] > 0) & tables.results["reach"].notna()]
    keys = ["graph", "model", "rule", "budget"]
    for setting in tables.settings:
        own = r[(r["graph"] == setting.graph) & (r["model"] == setting.model) & (r["rule"] == setting.rule)]
        for _, group in own.sort_values(["budget_kind", "budget_value"]).groupby("budget", sort=False):
            first = largest(group, "reach")
            members = [c for c in found if c.setting == setting and c.budget == first["budget"]]
            second = runner_up(members) if members else None
            best = second.best if second else str(first["strategy"])
            top = group[group["strategy"] == best].iloc[0]
            row = [first[f] for f in _varying(tables)] + [
                first["budget"], label(best), count(top["n_seeds"]),
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
        *_factor_columns(tables), Column("Budget", right=False), Column("Best (highest mean)", right=False),
        Column("Seeds"), Column(f"Reach [{tables.percent}]"), Column("Of all users"), Column("Second", right=False),
        Column(f"Lead over second, users [{tables.percent}]"), Column("Runs"),
    ]  # fmt: skip
    frame = pd.DataFrame(data)
    title = f"The lead over the second best strategy is decided in {decided} of {len(rows)} combinations"
    note = (
        "The lead is measured on the same worlds for both. The best is picked from these same numbers, so a narrow "
        "lead is on average a little too large."
    )
    return Table("best", title, columns, rows, frame, note)


def _paired_table(tables: Tables) -> Table | None:
    p = tables.paired[tables.paired["strategy"] != tables.paired["best"]]
    if p.empty:
        return None
    rows = []
    for row in p.to_dict("records"):
        spans = not (row["low"] > 0 or row["high"] < 0)
        verdict = "–" if math.isnan(row["difference"]) else "undecided" if spans else "decided"
        rows.append(
            [*(row[f] for f in _varying(tables)), row["budget"], label(str(row["strategy"])), label(str(row["best"])),
             interval(row["difference"], row["low"], row["high"]), count(row["runs"]), verdict]
        )  # fmt: skip
    columns = [
        *_factor_columns(tables), Column("Budget", right=False), Column("Strategy", right=False),
        Column("Best", right=False), Column(f"Difference, users [{tables.percent}]"), Column("Runs"),
        Column("Verdict", right=False),
    ]  # fmt: skip
    return Table("all-paired", f"All {count(len(p))} differences to the best on the same worlds", columns, rows, p)


def _widest(tables: Tables) -> pd.DataFrame:
    """Cells of the setting and budget counted in seeds (or any) in which the widest reach is found."""
    r = tables.results[tables.results["reach"].notna() & (tables.results["n_seeds"] > 0)]
    in_seeds = r[r["budget_kind"] == "k"]
    pool = in_seeds if not in_seeds.empty else r
    if pool.empty:
        return pool
    top = largest(pool, "reach")
    same = pool
    for name in ("graph", "model", "rule", "budget"):
        same = same[same[name] == top[name]]
    return same.sort_values(["reach", "strategy"], ascending=[False, True])


def _place(tables: Tables, cells: pd.DataFrame) -> str:
    first = cells.iloc[0]
    return f"{first['budget']}, {tables.name(Setting(first['graph'], first['model'], first['rule']))}"


def _seeds_table(tables: Tables) -> Table | None:
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
             count(own["community"].nunique()) if own["community"].notna().any() else "–",
             ", ".join(nodes[:3]) + (" …" if len(nodes) > 3 else "")]
        )  # fmt: skip
        parts.append(own.assign(strategy=row["strategy"]))
    if not rows:
        return None
    columns = [
        Column("Strategy", right=False), Column("Seeds"), Column("Followers, median"), Column("Followers, most"),
        Column(f"Also seeds of {label(cells.iloc[0]['strategy'])}"), Column("Tiers", right=False),
        Column("Communities"), Column("First seeds", right=False),
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


def _community_table(tables: Tables) -> Table | None:
    cells = _widest(tables)
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
        rows.append([label(row["strategy"]), *tinted, _fixed(row["entropy"], 2), _fixed(100 * row["dominance"], 1)])
        if not math.isnan(row["entropy"]):
            even.append((float(row["entropy"]), str(row["strategy"])))
    columns = [Column("Strategy", right=False)]
    columns += [Column(f"{_community_name(c)} ({count(sizes[c])})") for c in shown]
    columns += [Column("Evenness, bits"), Column("In its largest, %")]
    low, high = (min(even), max(even)) if even else ((math.nan, ""), (math.nan, ""))
    title = "Percent of the users of each community that are reached"
    if len(even) > 1 and low[0] < high[0]:
        title = (
            f"Reach is spread most evenly over communities with {label(high[1])} ({_fixed(high[0], 2)} bits) and least "
            f"with {label(low[1])} ({_fixed(low[0], 2)} bits)"
        )
    note = (
        "Percent of the users of each community that are reached on average (its size in brackets); "
        f"{_place(tables, cells)}, {_run_span(cells)}. Evenness: entropy of the shares of reach, at most "
        f"{number(math.log2(len(sizes)), 3)} bits for {count(len(sizes))} communities. In its largest: share of reach "
        "in the community that has most of it. Means: no interval is recorded by community."
    )
    if len(sizes) > len(shown):
        note += f" The {count(len(shown))} largest communities are shown; the CSV has all."
    factors = cells[["cell", *_FACTORS, "runs"]]
    data = factors.merge(own.drop(columns="part"), on="cell").drop(columns="cell")
    return Table("communities", title, columns, rows, data, note)


def _fixed(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"


def _community_name(name: str) -> str:
    return f"No. {name}" if name.isdigit() else name


def _run_span(cells: pd.DataFrame) -> str:
    low, high = int(cells["runs"].min()), int(cells["runs"].max())
    return f"{count(low)} runs" if low == high else f"{count(low)} to {count(high)} runs"


def _cells_table(tables: Tables) -> Table:
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
    columns = [*_factor_columns(tables), *(column for column, _ in wanted)]
    rows = [[*(c[f] for f in _varying(tables)), *(write(c) for _, write in wanted)] for c in records]
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


def _stopping_table(tables: Tables) -> Table:
    r = tables.results
    rows = []
    for reason, group in r.groupby("stopped_by"):
        widest = group["rel_error"].max()
        rows.append(
            [_STOPPED.get(str(reason), str(reason)), count(len(group)), number(float(group["runs"].median())),
             count(group["runs"].max()), f"{number(100 * widest, 3)} %" if widest == widest else "–"]
        )  # fmt: skip
    columns = [
        Column("A cell stopped because", right=False), Column("Cells"), Column("Runs, median"), Column("Runs, most"),
        Column("Widest half interval, share of reach"),
    ]  # fmt: skip
    data = r[["cell", *_FACTORS, "runs", "rel_error", "stopped_by", "seconds_select", "seconds_simulate"]]
    kept = int((r["stopped_by"] == "max_runs").sum())
    title = (
        "Every cell reached the precision asked for"
        if not kept
        else f"{count(kept)} of {count(len(r))} cells stopped at the largest number of runs, not yet precise enough"
    )
    return Table("precision", title, columns, rows, data)


def _models_table(tables: Tables) -> Table:
    rows, data = [], []
    for model in tables.study.get("models", []):
        settings = "; ".join(f"{name} = {_plain(value)}" for name, value in (model.get("parameters") or {}).items())
        rows.append(
            [model["model"], model["rule"], model.get("description", ""), settings or "none", model.get("standing", "")]
        )
        data.append({k: model.get(k) for k in ("model", "rule", "description", "standing")} | {"parameters": settings})
    heads = ("Model", "Probabilities", "What it says", "Parameters", "Standing")
    note = "Standing: where a parameter comes from (exact, read in a source, prior, assumed)."
    return Table("models", "Models", [Column(h, right=False) for h in heads], rows, pd.DataFrame(data), note)


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)


def _skipped_table(tables: Tables) -> Table | None:
    """Combinations that the study refused to run, with the reason it gave."""
    given = tables.study.get("skipped") or []
    if not given:
        return None
    names = ["graph", "strategy", "budget", "reason"]
    keep = names if tables.several_graphs else names[1:]
    rows = [[label(str(s[n])) if n == "strategy" else str(s[n]) for n in keep] for s in given]
    title = f"{count(len(given))} combination{'' if len(given) == 1 else 's'} could not be run"
    heads = [Column(name.capitalize(), right=False) for name in keep]
    return Table("skipped", title, heads, rows, pd.DataFrame(given, columns=names))


def _strategies_table(tables: Tables) -> Table:
    given = tables.study.get("strategies", [])
    rows = [[label(str(s["strategy"])), s.get("description", "")] for s in given]
    data = pd.DataFrame(given, columns=["strategy", "description"])
    heads = [Column("Strategy", right=False), Column("How its seeds are chosen", right=False)]
    return Table("strategies", "Strategies", heads, rows, data)


# --- graph cards and facts -------------------------------------------------------------------------------------------


def _graph_card(graph: dict[str, Any]) -> dict[str, Any]:
    """Facts on one graph as (name, text), and its tiers as a table."""
    meaning = {
        "influences": "an arc leads from a user to a follower",
        "follows": "an arc leads from follower to followed",
    }
    facts: list[tuple[str, str]] = [
        ("Source", str(graph["source"])),
        ("Users", count(graph["n_nodes"])),
        ("Follower arcs", count(graph["n_edges"])),
        ("Direction", "directed" if graph.get("directed") else "undirected: each edge is an arc both ways"),
    ]
    if graph.get("edges_mean"):
        facts.append(
            ("In the source", f"{meaning.get(graph['edges_mean'], graph['edges_mean'])} ({graph['edges_mean']})")
        )
    if graph.get("rows") is not None:
        dropped = [
            f"{count(graph[key])} {words} left out"
            for key, words in (("dropped_self_loops", "self loops"), ("dropped_parallel", "repeated arcs"))
            if graph.get(key)
        ]
        facts.append(("Rows read", count(graph["rows"]) + (f" ({', '.join(dropped)})" if dropped else "")))
    facts += [
        ("Followers", f"{number(graph['mean_followers'])} on average, {count(graph['max_followers'])} at most"),
    ]
    if graph.get("reciprocity") is not None:
        facts.append(("Reciprocity", f"{number(100 * graph['reciprocity'], 3)} % of arcs are returned"))
    if graph.get("n_communities"):
        parts = [count(graph["n_communities"])]
        if graph.get("communities_from"):
            parts.append(f"from {graph['communities_from']}")
        if graph.get("modularity") is not None:
            parts.append(f"modularity {number(graph['modularity'], 3)}")
        if graph.get("mixing") is not None:
            parts.append(f"{number(100 * graph['mixing'], 3)} % of arcs lead to another community")
        facts.append(("Communities", ", ".join(parts)))
    if graph.get("tiers_note"):
        facts.append(("Tiers and prices", str(graph["tiers_note"])))
    return {"label": str(graph["label"]), "facts": facts, "tiers": _tiers_table(graph)}


def _tiers_table(graph: dict[str, Any]) -> Table | None:
    tiers = graph.get("tiers")
    if not tiers:
        return None
    rows = [
        [t["tier"], count(t["users"]), _whole(t.get("followers_min")), _whole(t.get("followers_max")),
         number(_float(t.get("median_price")))]
        for t in tiers
    ]  # fmt: skip
    columns = [
        Column("Tier", right=False),
        Column("Users"),
        Column("Followers, from"),
        Column("to"),
        Column("Median price, RMB"),
    ]
    keep = [i for i in range(len(columns)) if any(row[i] != "–" for row in rows)]
    return Table(
        "tiers", f"Creator tiers of {graph['label']}",
        [columns[i] for i in keep], [[row[i] for i in keep] for row in rows],
        pd.DataFrame(tiers).assign(graph=graph["label"]),
    )  # fmt: skip


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


def _whole(value: Any) -> str:
    value = _float(value)
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else count(value)


def _provenance_facts(tables: Tables) -> list[tuple[str, str]]:
    p = tables.provenance
    facts = [("Computed with", f"diffusion {p.get('diffusion', '?')}, Python {p.get('python', '?')}")]
    if p.get("libraries"):
        facts.append(("Libraries", ", ".join(f"{k} {v}" for k, v in p["libraries"].items() if v)))
    if p.get("machine"):
        facts.append(("Machine", str(p["machine"])))
    if p.get("made"):
        facts.append(("Finished", str(p["made"])))
    if tables.study.get("seed") is not None:
        facts.append(("Key of the study", str(tables.study["seed"]) + (f" ({p['key']})" if p.get("key") else "")))
    if p.get("cells_computed") is not None:
        reused = f", {count(p['cells_reused'])} taken from earlier runs of the study" if p.get("cells_reused") else ""
        facts.append(("Cells", f"{count(p['cells_computed'])} computed{reused}"))
    if p.get("seconds") is not None:
        facts.append(("Time", f"{number(float(p['seconds']), 3)} s"))
    if p.get("call"):
        facts.append(("Call", str(p["call"])))
    return facts


def _precision_words(tables: Tables) -> str:
    p = tables.study.get("precision", {})
    if not p:
        return ""
    aim = ""
    if p.get("rel_error") is not None:
        aim = (
            f"A cell is run until half of the {number(100 * p['confidence'], 3)} % confidence interval of its reach is "
            f"at most {number(100 * p['rel_error'], 3)} % of the reach"
        )
        return f"{aim}, or until {count(p['max_runs'])} runs." if p.get("max_runs") else f"{aim}."
    return f"Every cell is run {count(p['max_runs'])} times." if p.get("max_runs") else ""


def _glossary(tables: Tables, said: list[str]) -> list[tuple[str, str]]:
    r = tables.results
    words = [
        ("Reach", "mean number of users who are active when the spread has ended, seeds included."),
        (
            "[low, high]",
            f"{tables.percent} confidence interval. An effect whose interval spans zero is called undecided."
            # Said only where such a ratio is: see _on_returns.
            + (
                " That of a ratio goes from end to end of both reaches, which is wider."
                if any(" times [" in s for s in said)
                else ""
            ),
        ),
        (
            "Run",
            "one simulated spread. A difference between two strategies is taken on the same worlds (the same coins).",
        ),
        (
            "Setting",
            "one model with one rule for the probabilities" + (", on one graph." if tables.several_graphs else "."),
        ),
        ("Cell", "one setting with one strategy and one budget: a row of the table."),
        (
            "R",
            "mean number of users whom one active user activates early on. Above 1 activity grows from step to step "
            "until it uses up its audience; below 1 it dies out.",
        ),
    ]
    meaning = {
        "exponential": "early on, the whole interval of R lies above 1 and growth does not slow down the way it does "
        "in space.",
        "subcritical": "the interval of R lies below 1.",
        "undecided": "neither could be shown.",
    }
    present = [phase for phase, n in phase_counts(tables).items() if n and phase in meaning]
    if present:
        words.append(("Phase", " ".join(f"{phase.capitalize()}: {meaning[phase]}" for phase in present)))
    for model in dict.fromkeys(r["model"]):
        text = next(
            (
                str(m["description"])
                for m in tables.study.get("models", [])
                if m["model"] == model and m.get("description")
            ),
            "",
        )
        if text:
            words.append((model, text))
    return words


# --- the page --------------------------------------------------------------------------------------------------------


def _csv(frame: pd.DataFrame) -> str:
    """Return a table as a data: address that a link can download."""
    text = frame.to_csv(index=False, float_format="%.8g")
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def _tie(text: str) -> str:
    """Keep a number and its percent sign, and the two ends of an interval, on one line."""
    tied = re.sub(r"(?<=\d) ?%", "\N{NO-BREAK SPACE}%", text)
    return re.sub(r"(\[[^\s\[\]]+,) ([^\s\[\]]+\])", "\\1\N{NO-BREAK SPACE}\\2", tied)


def _page(tables: Tables) -> str:
    r = tables.results
    runs = int(r["runs"].sum())
    said = answers(tables)
    graphs = ", ".join(f"{g['label']} ({count(g['n_nodes'])} users)" for g in tables.graphs)
    figures: dict[str, list[Exhibit]] = {
        "growth": growth_figures(tables),
        "seeding": seeding_figures(tables),
        "method": method_figures(tables),
    }
    version = str(tables.provenance.get("diffusion") or __version__)
    template = resources.files(__package__).joinpath("report.html.jinja").read_text(encoding="utf-8")
    # Everything that is put into the page is escaped, but for the SVG that this package has drawn itself.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["csv"] = _csv
    environment.filters["tie"] = _tie
    made = str(tables.provenance.get("made", ""))[:10].replace("-", "\N{NON-BREAKING HYPHEN}")
    return environment.from_string(template).render(
        title=str(tables.study.get("title") or "A study of diffusion"),
        summary=f"{graphs}; {count(len(r))} cells, {count(runs)} runs in all"
        + (f"; computed {made}" if made else "")
        + ".",
        answers=said,
        glossary=_glossary(tables, said),
        prediction=on_prediction(tables),
        verdict=verdict_on_growth(tables),
        phases=_phase_table(tables),
        figures=figures,
        best=_best_table(tables),
        paired=_paired_table(tables),
        seeds=_seeds_table(tables),
        communities=_community_table(tables),
        graphs=[_graph_card(graph) for graph in tables.graphs],
        models=_models_table(tables),
        strategies=_strategies_table(tables),
        precision=_precision_words(tables),
        stopping=_stopping_table(tables),
        skipped=_skipped_table(tables),
        provenance=_provenance_facts(tables),
        command=str(tables.study.get("command", "")),
        toml=str(tables.study.get("toml", "")),
        citation=f"diffusion ({version}), the diffusion developers, 2026",
        cells=_cells_table(tables),
    )
