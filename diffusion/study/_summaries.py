"""Summaries of studies with many cells: R by model, strategies relative to the best, the funnel in numbers."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from ._compare import open_places, winners
from ._format import chosen, count, interval, label, number, share
from ._read import FACTORS, Setting, Tables
from ._tables import Column, Table, factor_cells, factor_columns, varying

__all__ = ["STAGES", "funnel_cells", "funnel_table", "growth_table", "relative_table"]

STAGES = ("exposed", "sympathized", "identified", "participated", "shared")
_FEW_CELLS = 12


def growth_table(tables: Tables) -> Table | None:
    """R predicted and measured by graph and model, and the range of R of their campaigns."""
    r = tables.results
    if len(r) <= _FEW_CELLS or (r["R"].isna().all() and r["R_campaign"].isna().all()):
        return None
    rows, data = [], []
    for (graph, model, rule), group in r.groupby(["graph", "model", "rule"], sort=False):
        one, campaigns = group.iloc[0], group["R_campaign"].dropna()
        first = {"graph": graph, "model": model, "rule": rule, "place": ""}
        names = [n for n in varying(tables) if n != "place"]
        head = [c for n, c in zip(varying(tables), factor_cells(tables, first), strict=True) if n != "place"]
        low, high = (float(campaigns.agg(f)) if len(campaigns) else math.nan for f in ("min", "max"))
        rows.append(
            [*head, number(float(one["R_predicted"])), interval(one["R"], one["R_low"], one["R_high"]), str(one["phase"]),
             f"{number(low, 3)} to {number(high, 3)}" if len(campaigns) else "–"]
        )  # fmt: skip
        data.append(
            {n: first[n] for n in names}
            | {c: one[c] for c in ("R_predicted", "R", "R_low", "R_high", "phase", "phase_cause", "phase_reason")}
            | {"campaign_lowest": low, "campaign_highest": high, "cells": len(group)}
        )
    columns = [
        *(c for n, c in zip(varying(tables), factor_columns(tables), strict=True) if n != "place"),
        Column("R predicted"), Column("R measured"), Column("Phase", right=False), Column("R of campaigns"),
    ]  # fmt: skip
    keep = [i for i in range(len(columns)) if any(row[i] != "–" for row in rows)]
    note = (
        "R of graph and model is the same whatever the seeds: predicted by the next-generation operator, measured from typical "
        "sharers before depletion. R of campaigns: lowest to highest ratio of new activations at successive early steps."
    )
    return Table(
        "growth", "R by graph and model", [columns[i] for i in keep], [[row[i] for i in keep] for row in rows],
        pd.DataFrame(data), note, long=len(rows) > _FEW_CELLS,
    )  # fmt: skip


def relative_table(tables: Tables) -> Table | None:
    """Reach of every strategy in percent of the best at the same setting and budget."""
    r = tables.results[(tables.results["n_seeds"] > 0) & tables.results["reach"].notna()]
    groups = list(r.groupby(["graph", "model", "rule", "place", "budget"], sort=False))
    if len(tables.strategies) < 3 or len(groups) <= 4:
        return None
    several = r["budget"].nunique() > 1
    rows, data = [], []
    for key, group in groups:
        best = float(group["reach"].max())
        first = dict(zip(("graph", "model", "rule", "place", "budget"), key, strict=True))
        part = (
            {str(s): 100 * float(v) / best for s, v in zip(group["strategy"], group["reach"], strict=True)}
            if best
            else {}
        )
        row: list[Any] = factor_cells(tables, first) + ([first["budget"]] if several else [])
        # 100 is the best itself: a rounded 100 would hide who it is.
        row += [_tinted(part.get(s, math.nan)) for s in tables.strategies]
        rows.append(row)
        data.append(first | {"best": best} | {f"{s}_percent": part.get(s, math.nan) for s in tables.strategies})
    free = open_places(r)
    found = winners(free)
    won, times = found[0]
    where = f" ({', '.join(f'seeds {place}' for place in free['place'].unique())})" if tables.several_places else ""
    columns = [*factor_columns(tables), *([Column("Budget", right=False)] if several else [])]
    columns += [Column(label(s)[:1].upper() + label(s)[1:]) for s in tables.strategies]
    title = (
        f"Reach in percent of the best of each row: {chosen(won)} lead in {count(times)} of "
        f"{count(sum(n for _, n in found))}{where}, {count(len(found))} strategies lead somewhere"
    )
    note = "100: the highest mean reach of the row. Leads that are not clear of zero are undecided; see the differences below."
    return Table("relative", title, columns, rows, pd.DataFrame(data), note, long=len(rows) > _FEW_CELLS)


def _tinted(percent: float) -> tuple[str, int]:
    if math.isnan(percent):
        return "–", 0
    text = "100" if percent == 100 else number(min(percent, 99.9), 3)
    return text, round(34 * max(percent - 40, 0) / 60)


# --- the funnel ------------------------------------------------------------------------------------------------------


def funnel_cells(tables: Tables) -> pd.DataFrame:
    """Choose the cells whose funnel is shown: a feed where there is one, seeds anywhere, the best strategy of each.

    One cell for each way to identify and each eta, on the graph in the middle of the mixings.
    """
    r = tables.results
    own = r[r["cell"].isin(set(tables.funnel["cell"])) & (r["n_seeds"] > 0) & r["reach"].notna()]
    if own.empty:
        return own
    free = own[own["place"] == "anywhere"]
    own = free if not free.empty else own
    own = own[own["feed"].fillna(-1.0) == own["feed"].fillna(-1.0).max()]
    graphs = list(own.drop_duplicates("graph").sort_values("mixing", na_position="first", kind="stable")["graph"])
    own = own[own["graph"] == graphs[len(graphs) // 2]]
    own = own[own["budget_value"] == own["budget_value"].max()]
    own = own.assign(eta=own["eta"].fillna(-1.0))
    top = own.loc[own.groupby(["identify", "eta"], sort=False)["reach"].idxmax()]
    cells: pd.DataFrame = r.loc[top.sort_values(["identify", "eta"], ascending=[False, True]).index[:4]]
    return cells


def funnel_table(tables: Tables) -> Table | None:
    """Users by stage and channel, with the rate from the stage before, for the cells that are drawn."""
    cells = funnel_cells(tables)
    if cells.empty:
        return None
    rows = []
    for cell in cells.to_dict("records"):
        own = tables.funnel[tables.funnel["cell"] == cell["cell"]]
        by = {(str(f["stage"]), str(f["channel"])): f for f in own.to_dict("records")}
        setting = Setting(cell["graph"], cell["model"], cell["rule"], cell["place"])
        for i, stage in enumerate(STAGES):
            row = [tables.name(setting, without=("graph", "place")) if i == 0 else "", stage]
            for channel in ("follow", "feed"):
                f = by.get((stage, channel))
                if f is None:
                    row += ["–", "–"]
                    continue
                row += [
                    interval(f["users"], f["low"], f["high"]),
                    interval(100 * f["rate"], 100 * f["rate_low"], 100 * f["rate_high"]),
                ]
            rows.append(row)
    columns = [Column("DiffusionModel", right=False), Column("Stage", right=False)]
    for channel in ("follow", "feed"):
        columns += [
            Column(f"Users first met by {channel} [{tables.percent}]"),
            Column(f"{channel.capitalize()}: rate from the stage before, %"),
        ]
    keep = [i for i in range(len(columns)) if any(row[i] != "–" for row in rows)]
    factors = tables.results[["cell", *FACTORS, "n_seeds", "runs"]]
    data = factors.merge(tables.funnel[tables.funnel["cell"].isin(set(cells["cell"]))], on="cell").drop(columns="cell")
    title = "Users at each stage, and the rate at which they went on"
    if len(cells) == 1 or not cells["identify"].nunique() > 1:
        first = cells.iloc[0]
        title += f" ({share(first['reach'], first['n_nodes'])} of all users exposed)"
    note = "Mean users a run, creators left out; rates are ratios of sums over runs. The funnel of every cell is in funnel.parquet of the study."
    return Table(
        "funnel", title, [columns[i] for i in keep], [[row[i] for i in keep] for row in rows], data, note, long=True
    )
