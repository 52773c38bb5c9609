"""The figures on channels and stages: the funnel, and how much of the reach the feed brings."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ._figures import FACTORS, Exhibit, Look, Panel, marked_rows, marks_of, panel_title, plotting, rows_axes
from ._format import chosen, count, interval, label, number, range_of
from ._read import Setting, Tables, largest
from ._summaries import STAGES, funnel_cells

__all__ = ["channel_figures"]

_FOLLOW, _FEED = "#3d3d3d", "#ffffff"
_MOST_PANELS = 4


def channel_figures(tables: Tables) -> list[Exhibit]:
    """Return the figures on the funnel and on the feed."""
    look = Look(tables)
    with plotting.style():
        drawn = [_funnel(tables), _feed_share(tables, look)]
    return [exhibit for exhibit in drawn if exhibit is not None]


def _funnel(tables: Tables) -> Exhibit | None:
    cells = funnel_cells(tables)
    if cells.empty:
        return None
    panels = [_funnel_panel(tables, row, f"f{i}") for i, (_, row) in enumerate(cells.iterrows())]
    parts = []
    for _, row in cells.iterrows():
        own = tables.funnel[(tables.funnel["cell"] == row["cell"]) & (tables.funnel["channel"] == "all")].set_index(
            "stage"
        )
        if "shared" in own.index and own.loc["exposed", "users"] > 0:
            setting = Setting(row["graph"], row["model"], row["rule"], row["place"])
            rate = 100 * float(own.loc["shared", "users"]) / float(own.loc["exposed", "users"])
            parts.append((rate, tables.name(setting, without=("graph", "place"))))
    title = "Users at each stage, by the channel that reached them first"
    if len(parts) > 1:
        low, high = min(parts), max(parts)
        title = f"Of the users reached, from {number(low[0], 2)} % ({low[1]}) to {number(high[0], 2)} % ({high[1]}) go on to share"
    elif parts:
        title = f"Of the users reached, {number(parts[0][0], 2)} % go on to share"
    first = cells.iloc[0]
    held = [tables.graph_name(str(first["graph"])) if tables.several_graphs else "", str(first["budget"])]
    held += ["seeds anywhere"] if tables.several_places else []
    caption = (
        "Mean users a run at each stage, creators left out, by the channel through which they were reached first, and the rate from "
        f"the stage before ({range_of(cells['runs'])} a cell; {tables.percent} intervals in the table below). The strategy that "
        f"reaches most in each. Held fixed: {', '.join(h for h in held if h)}."
    )
    channels = {str(c) for c in tables.funnel["channel"]}
    marks = [("■", "first met by a followed account"), ("□", "first met in the feed")] if "feed" in channels else []
    factors = tables.results[["cell", *FACTORS, "runs"]]
    data = factors.merge(tables.funnel[tables.funnel["cell"].isin(set(cells["cell"]))], on="cell").drop(columns="cell")
    return Exhibit("funnel", title, panels, caption, data, marks)


def _funnel_panel(tables: Tables, row: pd.Series[Any], key: str) -> Panel:
    own = tables.funnel[tables.funnel["cell"] == row["cell"]]
    by = {(str(f["channel"]), str(f["stage"])): f for f in own.to_dict("records")}
    channels = [
        (name, face)
        for name, face in (("follow", _FOLLOW), ("feed", _FEED))
        if any(by[k]["users"] > 0 for k in by if k[0] == name)
    ]
    if not channels:
        channels = [("all", _FOLLOW)]
    setting = Setting(row["graph"], row["model"], row["rule"], row["place"])
    figure, axes = rows_axes(list(STAGES), row=19.0 * len(channels) + 8, left=92, right=122, top=42)
    panel_title(
        axes, tables.name(setting, without=("graph", "place")), chosen(str(row["strategy"]), int(row["n_seeds"]))
    )
    top = max(float(f["users"]) for f in by.values() if f["channel"] != "all" or channels[0][0] == "all")
    height = 0.8 / len(channels)
    for position, stage in enumerate(STAGES):
        for i, (channel, face) in enumerate(channels):
            f = by.get((channel, stage))
            if f is None:
                continue
            at = position - 0.4 + (i + 0.5) * height
            axes.barh(at, f["users"], height=0.84 * height, color=face, edgecolor=_FOLLOW, linewidth=1.1)
            if f["high"] > f["low"]:
                axes.plot([f["low"], f["high"]], [at, at], color=plotting.GREY, linewidth=1.4)
            text = number(f["users"], 3)
            if pd.notna(f["rate"]):
                text += f" · {number(100 * f['rate'], 3)} %"
            axes.annotate(
                text,
                (1.03, at),
                xycoords=("axes fraction", "data"),
                va="center_baseline",
                fontsize=10,
                annotation_clip=False,
            )
    axes.set_xlim(0, 1.04 * top if top > 0 else 1)
    axes.xaxis.get_major_locator().set_params(nbins=4)
    axes.annotate("users · rate", (1.03, 1.01), xycoords="axes fraction", va="bottom", fontsize=10, color=plotting.GREY)
    axes.set_xlabel("users")
    return Panel(plotting.figure_to_svg(figure, title=f"Funnel, {tables.name(setting)}", name=key))


def _feed_share(tables: Tables, look: Look) -> Exhibit | None:
    r = tables.results
    r = r[r["feed_share"].notna() & (r["feed"] > 0) & (r["n_seeds"] > 0)]
    if r.empty:
        return None
    data = r[
        [*FACTORS, "identify", "feed", "eta", "feed_share", "feed_share_low", "feed_share_high", "redundancy", "runs"]
    ]
    own = r[r["place"] == "anywhere"] if (r["place"] == "anywhere").any() else r
    graphs = list(own.drop_duplicates("graph").sort_values("mixing", na_position="first", kind="stable")["graph"])
    own = own[own["graph"] == graphs[len(graphs) // 2]]
    own = own[own["budget_value"] == own["budget_value"].max()]
    varied = [name for name in ("feed", "eta") if own[name].nunique() > 1]
    own = own.sort_values(["feed", "eta"], kind="stable")
    own = own.assign(
        level=[", ".join(f"{name} {row[name]:g}" for name in varied) for _, row in own.iterrows()],
        low=100 * own["feed_share_low"], middle=100 * own["feed_share"], high=100 * own["feed_share_high"],
    )  # fmt: skip
    levels = list(dict.fromkeys(own["level"]))[:8]
    panels: list[Panel] = []
    for identify, group in list(own.groupby("identify", sort=False))[:_MOST_PANELS]:
        names = [s for s in tables.strategies if s in set(group["strategy"])]
        figure, axes = rows_axes(names, row=max(20.0, 9.0 * len(levels) + 6), left=112, right=16, top=28)
        panel_title(axes, f"{str(identify).capitalize()} identification")
        marked_rows(axes, group, names, levels, look, ("low", "middle", "high"))
        most = float(own["high"].fillna(own["middle"]).max())
        axes.set_xlim(0, min(100.0, 1.1 * most) if most > 0 else 1)
        axes.set_xlabel("share of reach first met in the feed (%)")
        panels.append(
            Panel(plotting.figure_to_svg(figure, title=f"Share of the feed, {identify}", name=f"g{len(panels)}"))
        )
    low, high = largest(r.assign(minus=-r["feed_share"]), "minus"), largest(r, "feed_share")
    ends = [
        interval(100 * row["feed_share"], 100 * row["feed_share_low"], 100 * row["feed_share_high"], " %")
        for row in (low, high)
    ]
    title = f"The feed brings from {ends[0]} of the reach ({label(low['strategy'])}) to {ends[1]} ({label(high['strategy'])})"
    held = [tables.graph_name(str(own["graph"].iloc[0])) if tables.several_graphs else "", str(own["budget"].iloc[0])]
    held += ["seeds anywhere"] if tables.several_places else []
    levels_text = (
        "" if len(varied) > 1 or not varied else f" Feed {own['feed'].iloc[0]:g}." if "feed" not in varied else ""
    )
    caption = (
        f"Share of reach that was first met in the feed, with its {tables.percent} interval ({range_of(own['runs'])} a cell). Drawn: "
        f"{', '.join(h for h in held if h)}.{levels_text} All {count(len(r))} cells with a feed are in the CSV."
    )
    return Exhibit("feed-share", title, panels, caption, data.dropna(axis=1, how="all"), marks_of(levels))
