"""The figures on community structure: mixing, where reach is, when communities are entered, concentrated or spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ._compare import Contrast, contrasts, place_contrasts, seeds_alike, tally, telling_model, winners
from ._figures import (
    FACTORS,
    Exhibit,
    Look,
    Panel,
    marked_rows,
    marks_of,
    panel_title,
    plotting,
    rows_axes,
)
from ._format import chosen, count, label, listing, number, range_of
from ._read import Setting, Tables, largest

__all__ = ["base_cells", "community_figures"]

_MOST_PANELS = 4
_MOST_COMMUNITIES = 10
_SAME_STEPS = 1.25
# From early to late: dark to light, so that the order survives without colour (viridis, cut at both ends).
_EARLY, _LATE = 0.12, 0.92


def community_figures(tables: Tables) -> list[Exhibit]:
    """Return the figures on community structure."""
    look = Look(tables)
    with plotting.style():
        drawn = [_by_mixing(tables, look), _shares(tables), _entries(tables), _places(tables, look)]
    return [exhibit for exhibit in drawn if exhibit is not None]


def base_cells(tables: Tables, *, smallest: bool = False) -> tuple[pd.DataFrame, str]:
    """Return the cells of the largest (or smallest) budget at which section 4 looks, and words for what is held fixed.

    Of SIPS, the feed and the eta at which mixing (or else the place of the seeds) changes reach most.
    """
    r = tables.results[(tables.results["n_seeds"] > 0) & tables.results["reach"].notna()]
    kind = "k" if (r["budget_kind"] == "k").any() else "money"
    r = r[r["budget_kind"] == kind]
    r = r[r["budget_value"] == (r["budget_value"].min() if smallest else r["budget_value"].max())]
    held = [str(r["budget"].iloc[0])] if len(r) else []
    if (r["model_kind"] == "SIPS").any():
        pair = telling_model(tables, contrasts(tables, "mixing", rows=r) or place_contrasts(tables))
        if pair is not None:
            feed, eta = r["feed"].fillna(-1.0), r["eta"].fillna(-1.0)
            words = [
                text
                for text, several in (
                    (f"feed {pair[0]:g}" if pair[0] > 0 else "no feed", feed[r["model_kind"] == "SIPS"].nunique() > 1),
                    (f"eta {pair[1]:g}", eta[r["model_kind"] == "SIPS"].nunique() > 1),
                )
                if several
            ]
            held += words
            r = r[((feed == pair[0]) & (eta == pair[1])) | (r["model_kind"] != "SIPS")]
    return r, ", ".join(held)


def _ways(tables: Tables, rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Split cells by how users identify, or by model and rule: (head of the panel, rows)."""
    found = []
    for (model, rule, identify), group in rows.groupby(["model", "rule", "identify"], sort=False):
        if identify:
            name = f"{str(identify).capitalize()} identification"
        else:
            name = str(model) + (f" · {rule}" if Setting("", "", str(rule)).has_rule else "")
        found.append((name, group))
    return found[:_MOST_PANELS]


def _kept(held: str) -> str:
    return f" Held fixed: {held}." if held else ""


# --- reach against mixing --------------------------------------------------------------------------------------------


def _by_mixing(tables: Tables, look: Look) -> Exhibit | None:
    rows, held = base_cells(tables)
    rows = rows[rows["mixing"].notna()]
    if rows["mixing"].nunique() < 2:
        return None
    # The same money may buy two creators at one mixing and ten at another: that is no line of structure.
    alike = rows.groupby(["model", "rule", "place", "strategy"])["n_seeds"].transform(seeds_alike).astype(bool)
    uneven, rows = rows[~alike], rows[alike]
    if rows.empty:
        return None
    places = [p for p in ("anywhere", "one community") if (rows["place"] == p).any()] or [str(rows["place"].iloc[0])]
    ways = _ways(tables, rows)
    if len(ways) * len(places) > _MOST_PANELS:
        places = places[:1]
    panels: list[Panel] = []
    for place in places:
        for name, group in ways:
            own = group[group["place"] == place]
            if own["mixing"].nunique() > 1:
                second = {"one community": "all seeds in one community"}.get(place, f"seeds {place}")
                panels.append(
                    _mixing_panel(tables, look, name, second if tables.several_places else "", own, f"x{len(panels)}")
                )
    drawn = pd.concat([g for _, g in ways])
    drawn = drawn[drawn["place"].isin(places)]
    found = contrasts(tables, "mixing", rows=drawn)
    if not found or not panels:
        return None
    up, down, open_ = tally(found)
    title = (
        f"From the lowest mixing to the highest, reach rises in {count(up)} of {count(len(found))} lines, falls in {count(down)}"
        + (f" and is undecided in {count(open_)}" if open_ else "")
    )
    caption = (
        "Mixing: share of follower arcs that lead to another community; each mixing is a graph of its own. Reach with its "
        f"{tables.percent} interval as a band ({range_of(drawn['runs'])} a cell). The scale of reach differs between panels."
        + _kept(held)
    )
    if held.count(",") > 0:
        caption += " These are the ones at which reach changes most with mixing; the others are in the CSV."
    uneven = uneven[uneven["place"].isin(places)]
    if len(uneven):
        numbers = [
            f"{label(str(name))} ({count(int(own.min()))} to {count(int(own.max()))})"
            for name, own in uneven.groupby("strategy", sort=False)["n_seeds"]
        ]
        caption += f" Not drawn, since the same budget buys different numbers of seeds at different mixings: {listing(numbers)}."
    kept = [*FACTORS, "mixing", "identify", "feed", "eta", "n_seeds", "reach", "reach_low", "reach_high", "runs"]
    data = tables.results[tables.results["mixing"].notna()][kept]
    return Exhibit("mixing", title, panels, caption, data.dropna(axis=1, how="all"))


def _mixing_panel(tables: Tables, look: Look, name: str, second: str, own: pd.DataFrame, key: str) -> Panel:
    names = [s for s in tables.strategies if s in set(own["strategy"])]
    figure, axes = plotting.panel(height=max(270.0, 96 + 13.5 * len(names)), left=58, right=122, top=42)
    panel_title(axes, name, second)
    ends, labels = [], []
    for strategy in names:
        line = own[own["strategy"] == strategy].sort_values("mixing")
        plotting.band(
            axes, line["mixing"].tolist(), line["reach_low"].tolist(), line["reach"].tolist(),
            line["reach_high"].tolist(), colour=look.colour[strategy], marker=look.marker[strategy],
        )  # fmt: skip
        ends.append(float(line["mixing"].iloc[-1]))
        labels.append((float(line["reach"].iloc[-1]), label(strategy), look.colour[strategy]))
    from matplotlib.ticker import FixedLocator

    levels = sorted(own["mixing"].unique())
    gap = 0.09 * (levels[-1] - levels[0])
    ticks = [levels[-1]]
    for level in reversed(levels[:-1]):
        if ticks[-1] - level >= gap:
            ticks.append(level)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(lambda value, _: number(value, 2))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("mixing (share of arcs between communities)")
    axes.set_ylabel("reach (users)")
    plotting.end_labels(axes, labels, x=max(ends))
    return Panel(plotting.figure_to_svg(figure, title=f"Reach by mixing, {name} {second}".strip(), name=key))


# --- where reach is, and when communities are entered ------------------------------------------------------------------


def _leader(rows: pd.DataFrame) -> str:
    """Strategy that most often reaches most, of those tried in the most settings."""
    return winners(_everywhere(rows))[0][0]


def _everywhere(rows: pd.DataFrame) -> pd.DataFrame:
    tried = rows.groupby("strategy")["cell"].transform("size")
    kept: pd.DataFrame = rows[tried == tried.max()]
    return kept


def _level_name(tables: Tables, row: Any) -> str:
    name = tables.graph_name(str(row["graph"]))
    return name if tables.several_graphs else ""


def _shares(tables: Tables) -> Exhibit | None:
    """Stacked bars: share of reach in each community, by where seeds are and by mixing, for one strategy."""
    rows, held = base_cells(tables)
    rows = rows[rows["cell"].isin(set(tables.by_community["cell"]))]
    if rows.empty or not (tables.several_graphs or tables.several_places):
        return None
    strategy = _leader(rows)
    rows = rows[rows["strategy"] == strategy]
    ways = _ways(tables, rows)
    panels = [_share_panel(tables, name, group, f"h{i}") for i, (name, group) in enumerate(ways)]
    drawn = pd.concat([g for _, g in ways])
    top, low = largest(drawn, "dominance"), largest(drawn.assign(minus=-drawn["dominance"]), "minus")
    title = f"Share of reach by community, {chosen(strategy)}"
    if math.isfinite(top["dominance"]) and top["dominance"] > low["dominance"]:
        title = (
            f"The community with most of the reach has from {number(100 * low['dominance'], 3)} % to "
            f"{number(100 * top['dominance'], 3)} % of it ({chosen(strategy)})"
        )
    caption = (
        "Each bar is all of the reach of one cell, cut by community: the largest community first, where all seeds of “in one "
        f"community” are, then by size. Means ({range_of(drawn['runs'])} a cell); no interval is recorded by community."
        + _kept(", ".join(part for part in (held, chosen(strategy)) if part))
    )
    factors = tables.results[["cell", *FACTORS, "runs"]]
    data = factors.merge(tables.by_community.drop(columns=["entry_step", "entered"]), on="cell").drop(columns="cell")
    return Exhibit("community-shares", title, panels, caption, data[data["strategy"] == strategy])


def _share_panel(tables: Tables, name: str, group: pd.DataFrame, key: str) -> Panel:
    group = group.sort_values(["place", "mixing"], kind="stable")
    names, blocks = [], []
    for _, row in group.iterrows():
        own = tables.by_community[tables.by_community["cell"] == row["cell"]]
        own = own.assign(name=own["community"].astype(str)).sort_values(
            ["size", "name"], ascending=[False, True], kind="stable"
        )
        place = {"one community": "one community", "spread": "spread"}.get(str(row["place"]), str(row["place"]))
        names.append(
            " · ".join(p for p in (place if tables.several_places else "", _level_name(tables, row)) if p) or "all"
        )
        blocks.append(own)
    longest = max(len(n) for n in names)
    figure, axes = rows_axes(names, row=22, left=min(26 + 6.2 * longest, 190), right=18, top=28)
    panel_title(axes, name)
    shades = _greys(max(len(b) for b in blocks))
    for position, own in enumerate(blocks):
        start = 0.0
        for i, part in enumerate(own["share"].fillna(0.0)):
            axes.barh(position, 100 * part, left=start, height=0.72, color=shades[i], edgecolor="white", linewidth=0.8)
            if part >= 0.12:
                axes.text(
                    start + 50 * part, position, f"{100 * part:.0f}", ha="center", va="center_baseline", fontsize=10,
                    color="white" if i == 0 else plotting.INK,
                )  # fmt: skip
            start += 100 * part
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of reach (%)")
    return Panel(plotting.figure_to_svg(figure, title=f"Share of reach by community, {name}", name=key))


def _greys(n: int) -> list[str]:
    """One dark colour for the first community, then two light ones in turn: neighbours always differ."""
    return ["#2f4b66", *("#b9cad9" if i % 2 else "#dbe4ec" for i in range(n - 1))]


def _entries(tables: Tables) -> Exhibit | None:
    """Communities coloured by the step at which they are entered: rows are mixings, columns communities."""
    rows, held = base_cells(tables, smallest=True)
    known = tables.by_community[tables.by_community["entry_step"].notna()]
    rows = rows[rows["cell"].isin(set(known["cell"]))]
    if rows.empty:
        return None
    place = "one community" if (rows["place"] == "one community").any() else str(rows["place"].iloc[0])
    rows = rows[rows["place"] == place]
    # Many seeds enter everything at once; the strategy that takes longest shows the order best.
    late = known.groupby("cell")["entry_step"].mean()
    pool = _everywhere(rows)
    slowest = pool.assign(late=pool["cell"].map(late)).groupby("strategy")["late"].mean()
    strategy = str(slowest.idxmax())
    rows = rows[rows["strategy"] == strategy]
    ways = _ways(tables, rows)
    drawn = pd.concat([g for _, g in ways])
    steps = known[known["cell"].isin(set(drawn["cell"]))]["entry_step"]
    last = max(float(steps.max()), 1.0)
    entered = known[known["cell"].isin(set(drawn["cell"]))]["entered"]
    if steps[steps > 0].max() < _SAME_STEPS * steps[steps > 0].min() and entered.min() > 0.99:
        return None  # everything is entered at once: there is no order to show
    panels = [_entry_panel(tables, name, group, last, f"y{i}") for i, (name, group) in enumerate(ways)]
    others = steps[steps > 0]
    where = {"one community": "in one community"}.get(place, place)
    title = f"With all seeds {where}" if place == "one community" else f"With seeds {where}"
    title += (
        f", the other communities are entered after {number(float(others.min()), 2)} to {number(float(others.max()), 2)} steps on average"
        if len(others) and others.min() < others.max()
        else ": when each community is entered"
    )
    caption = (
        "Each circle is a community, its area the number of its users, the largest on the left. Number and colour: mean step of the "
        "first user reached there (dark: early; 0: seeded), over the replayed runs that entered it. Below, where it is not all: "
        "share of runs that entered. A dash: never entered. Drawn: the strategy for which entering takes longest."
        + _kept(", ".join(p for p in (held, chosen(strategy)) if p))
    )
    factors = tables.results[["cell", *FACTORS, "mixing"]]
    data = factors.merge(tables.by_community, on="cell").drop(columns="cell")
    return Exhibit("entry", title, panels, caption, data[data["strategy"] == strategy].dropna(axis=1, how="all"))


def _entry_panel(tables: Tables, name: str, group: pd.DataFrame, last: float, key: str) -> Panel:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    group = group.sort_values("mixing", kind="stable")
    names = [_level_name(tables, row) or name for _, row in group.iterrows()]
    row_height = 52.0
    left = min(20 + 6.4 * max(len(n) for n in names), 150)
    figure, axes = plotting.panel(height=34 + row_height * len(names), left=left, right=6, top=30, bottom=4)
    panel_title(axes, name)
    columns = 1
    colour_of = colormaps["viridis"]
    for position, (_, row) in enumerate(group.iterrows()):
        own = tables.by_community[tables.by_community["cell"] == row["cell"]]
        own = own.assign(name=own["community"].astype(str)).sort_values(
            ["size", "name"], ascending=[False, True], kind="stable"
        )[:_MOST_COMMUNITIES]
        columns = max(columns, len(own))
        biggest = float(own["size"].max())
        for i, part in enumerate(own.to_dict("records")):
            # Area in proportion to users, down to a circle that still holds its number.
            diameter = max(17.0, 35.0 * math.sqrt(part["size"] / biggest))
            step, entered = float(part["entry_step"]), float(part["entered"])
            never = math.isnan(step)
            shade = "#ffffff" if never else to_hex(colour_of(_EARLY + (_LATE - _EARLY) * min(step / last, 1.0)))
            axes.plot(
                [i], [position - 0.08], marker="o", markersize=diameter, color=shade, markeredgewidth=0.9,
                markeredgecolor=plotting.GREY, linestyle="none",
            )  # fmt: skip
            text = "–" if never else number(step, 2)
            dark = not never and _dark(shade)
            axes.text(
                i,
                position - 0.08,
                text,
                ha="center",
                va="center_baseline",
                fontsize=9.5,
                color="white" if dark else plotting.INK,
            )
            if math.isfinite(entered) and entered < 0.995:
                axes.text(
                    i,
                    position + 0.44,
                    f"{100 * entered:.0f} %",
                    ha="center",
                    va="center",
                    fontsize=8.5,
                    color=plotting.GREY,
                )
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(len(names) - 0.4, -0.55)
    axes.set_yticks([i - 0.08 for i in range(len(names))], names)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return Panel(plotting.figure_to_svg(figure, title=f"When communities are entered, {name}", name=key))


def _dark(colour: str) -> bool:
    """Whether white can be read on a colour better than ink can."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.2


# --- concentrated or spread --------------------------------------------------------------------------------------------


def _places(tables: Tables, look: Look) -> Exhibit | None:
    found = place_contrasts(tables)
    rows, held = base_cells(tables)
    inside = set(rows["cell"])
    shown = [c for c in found if c.to["cell"] in inside and c.before > 0]
    if not shown:
        return None
    frame = _place_frame(tables, shown)
    levels = list(frame.sort_values("mixing", kind="stable")["level"].drop_duplicates())
    panels: list[Panel] = []
    for name, own in list(frame.groupby("way", sort=False))[:_MOST_PANELS]:
        names = [s for s in tables.strategies if s in set(own["strategy"])]
        figure, axes = rows_axes(names, row=max(20.0, 8.0 * len(levels) + 6), left=112, right=16, top=28)
        panel_title(axes, str(name))
        axes.axvline(0, color=plotting.INK, linewidth=0.9, zorder=1)
        marked_rows(axes, own, names, levels, look, ("low", "difference", "high"))
        axes.set_xlabel("reach in one community against spread (%)")
        panels.append(
            Panel(plotting.figure_to_svg(figure, title=f"One community against spread, {name}", name=f"z{len(panels)}"))
        )
    up, down, open_ = tally(found)
    parts = [f"reaches more in {count(up)}", f"fewer in {count(down)}"] + (
        [f"is undecided in {count(open_)}"] if open_ else []
    )
    title = (
        f"Putting all seeds in one community {', '.join(parts[:-1])} and {parts[-1]} of {count(len(found))} comparisons"
    )
    runs = [n for c in shown for n in c.runs]
    caption = (
        "Reach with all seeds in the largest community minus reach with seeds spread over communities, in percent of the latter, on "
        f"the same worlds, with the {tables.percent} interval of the difference ({range_of(runs)})." + _kept(held)
    )
    return Exhibit(
        "place", title, panels, caption, _place_frame(tables, found).drop(columns=["way", "level"]), marks_of(levels)
    )


def _place_frame(tables: Tables, found: Sequence[Contrast]) -> pd.DataFrame:
    way_of = {cell: name for name, group in _all_ways(tables, tables.results) for cell in group["cell"]}
    records = []
    for c in found:
        scale = 100 / c.before if c.before > 0 else math.nan
        records.append(
            {
                **{name: c.to[name] for name in FACTORS if name != "place"}, "mixing": float(c.to["mixing"]),
                "way": way_of.get(c.to["cell"], ""), "level": tables.graph_name(str(c.to["graph"])),
                "reach_spread": c.before, "reach_one_community": c.after, "difference": c.difference * scale,
                "low": c.low * scale, "high": c.high * scale, "runs": c.runs[0],
            }
        )  # fmt: skip
    return pd.DataFrame(records).replace([np.inf, -np.inf], np.nan)


def _all_ways(tables: Tables, rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [pair for _, group in rows.groupby(["model", "rule"], sort=False) for pair in _ways(tables, group)]
