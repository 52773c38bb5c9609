"""The figures on community structure: mixing, where reach is, when communities are entered, one community or all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ... import plotting
from ..analysis import confidence_of, factor_effects, place_contrasts, seeds_alike
from ..format import label, number
from ..read import StudyTables, keyed, largest, records
from .base import FACTORS, Figure, Look, Panel, dot_panel, finish, heading, line_panel, marks_of, ways

__all__ = ["base_cells", "community_figures"]

MOST_COMMUNITIES = 10


def community_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on community structure."""
    look = Look(tables)
    drawn = [_by_mixing(tables, look), _shares(tables), _entries(tables), _places(tables, look)]
    return [figure for figure in drawn if figure is not None]


def base_cells(tables: StudyTables, *, smallest: bool = False) -> pd.DataFrame:
    """Return the cells of the largest (or smallest) budget, and of one level of every numeric factor of the models.

    The level is the one at which reach varies most between graphs or places, so that their effect is seen.
    """
    r: pd.DataFrame = tables.seeded
    kind = "k" if (r["budget_kind"] == "k").any() else "money"
    r = r[r["budget_kind"] == kind]
    r = r[r["budget_value"] == (r["budget_value"].min() if smallest else r["budget_value"].max())]
    held = [f for f in tables.model_factors if pd.api.types.is_numeric_dtype(r[f])]
    if held:
        keys = keyed(r, held)
        spread = np.log(r["reach"].clip(lower=1e-9)).groupby([keys, r["contagion"], r["strategy"]]).std()
        chosen = spread.groupby(level=[1, 0]).mean().fillna(0.0).groupby(level=0).idxmax()
        r = r[[(kind, key) in set(chosen) for kind, key in zip(r["contagion"], keys, strict=True)]]
    return r


def _leader(rows: pd.DataFrame) -> str:
    """Strategy tried in most cells, and among those the one that reaches most."""
    tried = rows.groupby("strategy")["reach"].agg(["size", "mean"])
    return str(tried.sort_values(["size", "mean"]).index[-1])


def _held(rows: pd.DataFrame, strategy: str = "") -> dict[str, Any]:
    return {
        "budget": str(rows["budget"].iloc[0]),
        "strategy": strategy,
        "runs": (rows["runs"].min(), rows["runs"].max()),
    }


def _by_mixing(tables: StudyTables, look: Look) -> Figure | None:
    rows = base_cells(tables)
    rows = rows[rows["mixing"].notna()]
    if rows["mixing"].nunique() < 2:
        return None
    # The same money may buy two creators at one mixing and ten at another: that is no line of structure.
    alike = rows.groupby(["model", "rule", "place", "strategy"])["n_seeds"].transform(seeds_alike).astype(bool)
    uneven, rows = rows[~alike], rows[alike]
    panels: list[Panel] = []
    for place in ("anywhere", "one community"):
        for head, own in ways(tables, rows[rows["place"] == place]):
            if own["mixing"].nunique() > 1 and len(panels) < 4:
                second = f"seeds {place}" if tables.varies("place") else ""
                frame = own.assign(x=own["mixing"])
                xlabel = "mixing (share of arcs between communities)"
                panels.append(line_panel(frame, look, name=f"x{len(panels)}", head=head, second=second, xlabel=xlabel))
    if not panels:
        return None
    effects = [effect for effect in factor_effects(tables) if effect.factor == "mixing"]
    numbers = [
        (label(str(s)), int(own.min()), int(own.max())) for s, own in uneven.groupby("strategy", sort=False)["n_seeds"]
    ]
    kept = [
        *FACTORS,
        "mixing",
        "contagion",
        *tables.model_factors,
        "n_seeds",
        "reach",
        "reach_low",
        "reach_high",
        "runs",
    ]
    data = tables.results.loc[tables.results["mixing"].notna(), kept]
    return Figure("mixing", panels, data, {"effects": effects, "uneven": numbers, **_held(rows)})


def _shares(tables: StudyTables) -> Figure | None:
    """Stacked bars: share of reach in each community, by where seeds are and by graph, for one strategy."""
    rows = base_cells(tables)
    rows = rows[rows["cell"].isin(set(tables.reach_by_community["cell"]))]
    if rows.empty or not (tables.varies("graph") or tables.varies("place")):
        return None
    strategy = _leader(rows)
    rows = rows[rows["strategy"] == strategy].sort_values(["place", "mixing"], kind="stable")
    panels = [_share_panel(tables, head, own, f"h{i}") for i, (head, own) in enumerate(ways(tables, rows))]
    facts = {"low": float(rows["dominance"].min()), "high": float(rows["dominance"].max()), **_held(rows, strategy)}
    shares = tables.reach_by_community.drop(columns=["entry_step", "entered"])
    data = rows[["cell", *FACTORS, "runs"]].merge(shares, on="cell").drop(columns="cell")
    return Figure("community-shares", panels, data, facts)


def _row_name(tables: StudyTables, row: Any) -> str:
    return tables.name(row, without=("model", "rule")) or tables.graph_name(row["graph"])


def _share_panel(tables: StudyTables, head: str, cells: pd.DataFrame, key: str) -> Panel:
    names = [_row_name(tables, row) for row in records(cells)]
    left = 16 + 6.2 * max(map(len, names))
    figure, axes = plotting.panel(height=70 + 22 * len(names), left=min(left, 240), right=18, top=28)
    heading(axes, head)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False)
    for position, cell in enumerate(cells["cell"]):
        own = tables.reach_by_community[tables.reach_by_community["cell"] == cell]
        parts = own.sort_values(["size", "community"], ascending=[False, True], kind="stable")["share"].fillna(0.0)
        start = 0.0
        for i, part in enumerate(100 * parts):  # one dark colour, then two light ones in turn: neighbours always differ
            shade = "#2f4b66" if i == 0 else "#b9cad9" if i % 2 else "#dbe4ec"
            axes.barh(position, part, left=start, height=0.72, color=shade, edgecolor="white", linewidth=0.8)
            if part >= 12:
                colour = "white" if i == 0 else plotting.INK
                axes.text(start + part / 2, position, f"{part:.0f}", ha="center", va="center_baseline", color=colour)
            start += part
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of reach (%)")
    return finish(figure, f"Share of reach by community, {head}", key)


def _entries(tables: StudyTables) -> Figure | None:
    """Communities coloured by the step at which they are entered: rows are graphs, columns communities."""
    rows = base_cells(tables, smallest=True)
    entries = tables.reach_by_community[tables.reach_by_community["entry_step"].notna()]
    inside = rows[rows["place"] == "one community"]
    rows = inside if len(inside) else rows
    rows = rows[rows["cell"].isin(set(entries["cell"]))]
    if rows.empty:
        return None
    # Many seeds enter everything at once; the strategy that takes longest shows the order best.
    late = rows["cell"].map(entries.groupby("cell")["entry_step"].mean())
    tried = rows.groupby("strategy")["cell"].transform("size")
    strategy = str(late[tried == tried.max()].groupby(rows["strategy"]).mean().idxmax())
    rows = rows[rows["strategy"] == strategy].sort_values("mixing", kind="stable")
    own = entries[entries["cell"].isin(set(rows["cell"]))]
    later = own.loc[own["entry_step"] > 0, "entry_step"]
    if later.empty or (later.max() < 1.25 * later.min() and own["entered"].min() > 0.99):
        return None  # everything is entered at once: there is no order to show
    last = max(float(later.max()), 1.0)
    panels = [_entry_panel(tables, head, cells, last, f"y{i}") for i, (head, cells) in enumerate(ways(tables, rows))]
    data = rows[["cell", *FACTORS, "mixing"]].merge(tables.reach_by_community, on="cell").drop(columns="cell")
    facts = {"first": float(later.min()), "last": last, "place": str(rows["place"].iloc[0]), **_held(rows, strategy)}
    return Figure("entry", panels, data, facts)


def _entry_panel(tables: StudyTables, head: str, cells: pd.DataFrame, last: float, key: str) -> Panel:
    from matplotlib import colormaps

    names = [tables.graph_name(graph) for graph in cells["graph"]]
    left = min(20 + 6.4 * max(map(len, names)), 200)
    figure, axes = plotting.panel(height=34 + 52.0 * len(names), left=left, right=6, top=30, bottom=4)
    heading(axes, head)
    columns = 1
    for position, cell in enumerate(cells["cell"]):
        own = tables.reach_by_community[tables.reach_by_community["cell"] == cell]
        own = own.sort_values(["size", "community"], ascending=[False, True], kind="stable").head(MOST_COMMUNITIES)
        columns = max(columns, len(own))
        largest_size = float(own["size"].max())
        for i, (size, step, entered) in enumerate(own[["size", "entry_step", "entered"]].itertuples(index=False)):
            known = math.isfinite(step)
            shade = colormaps["viridis"](0.12 + 0.8 * min(step / last, 1.0)) if known else "white"
            dark = known and float(np.dot(shade[:3], (0.2126, 0.7152, 0.0722))) < 0.45
            area = 110 + 620 * size / largest_size
            axes.scatter(i, position - 0.08, s=area, color=[shade], edgecolor=plotting.GREY, linewidth=0.8)
            colour = "white" if dark else plotting.INK
            axes.text(
                i, position - 0.08, number(step, 2), fontsize=9.5, color=colour, ha="center", va="center_baseline"
            )
            if known and entered < 0.995:
                axes.text(
                    i,
                    position + 0.44,
                    f"{100 * entered:.0f} %",
                    fontsize=8.5,
                    color=plotting.GREY,
                    ha="center",
                    va="center_baseline",
                )
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(len(names) - 0.4, -0.55)
    axes.set_yticks([i - 0.08 for i in range(len(names))], names)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return finish(figure, f"When communities are entered, {head}", key)


def _places(tables: StudyTables, look: Look) -> Figure | None:
    """Reach with all seeds in one community against seeds spread over all."""
    pairs = place_contrasts(tables)
    inside = set(base_cells(tables)["cell"])
    records = [
        {
            **{name: pair.to[name] for name in FACTORS if name != "place"},
            **{"cell": pair.to["cell"], "mixing": pair.to["mixing"], "level": tables.graph_name(pair.to["graph"])},
            **dict(zip(("value", "low", "high"), pair.change.percent_change, strict=True)),
        }
        for pair in pairs
    ]
    frame = pd.DataFrame(records)
    if frame.empty or not frame["cell"].isin(inside).any():
        return None
    frame["row"] = frame["strategy"]
    shown = frame[frame["cell"].isin(inside)].sort_values("mixing", kind="stable")
    xlabel = "reach in one community against spread (%)"
    heads = {
        cell: head
        for head, own in ways(tables, tables.results[tables.results["cell"].isin(inside)])
        for cell in own["cell"]
    }
    panels = [
        dot_panel(own, name=f"z{i}", head=head, xlabel=xlabel, colours=look.colour, line=0.0)
        for i, (head, own) in enumerate(shown.groupby(shown["cell"].map(heads), sort=False))
    ]
    effects = [effect for effect in factor_effects(tables) if effect.factor == "place"]
    facts = {"effects": effects, "confidence": confidence_of(tables), "best": largest(shown, "value")["strategy"]}
    marks = marks_of(list(dict.fromkeys(shown["level"])))
    return Figure("place", panels, frame.drop(columns=["row", "level", "cell"]), facts, marks)
