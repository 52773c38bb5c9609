"""The figures on whom to seed: reach by budget, differences to the best, money, cost."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ._compare import Comparison, comparisons, open_places, telling, winners
from ._figures import (
    FACTORS,
    Exhibit,
    Look,
    Panel,
    budgets_of,
    head_room,
    marked_rows,
    marks_of,
    name_id,
    plotting,
    rows_axes,
    setting_title,
)
from ._format import chosen, count, interval, label, number, range_of
from ._read import Setting, Tables, largest

__all__ = ["seeding_figures"]

# More panels than this are a wall; the rest are in the table and in the CSV.
_MOST_SETTINGS = 8
_MOST_PANELS = 4


def seeding_figures(tables: Tables) -> list[Exhibit]:
    """Return the figures on strategies: reach by budget, differences to the best, money, cost."""
    look = Look(tables)
    found = comparisons(tables)
    money = tables.results[tables.results["budget_kind"] == "money"]
    with plotting.style():
        drawn = [_reach_by_k(tables, look)]
        drawn.append(
            _differences(
                tables, look, [c for c in found if c.kind == "k" and c.budget == tables.main_budget(c.setting)]
            )
        )
        for i, budget in enumerate(budgets_of(money)):
            drawn.append(_reach_for_money(tables, look, budget, i))
        drawn.append(_cost(tables, look))
    return [exhibit for exhibit in drawn if exhibit is not None]


def _won(lead: str, rows: pd.DataFrame) -> str:
    rows = open_places(rows)
    found = winners(rows)
    if not found:
        return f"{lead}, no strategy can place a seed"
    (strategy, won), of = found[0], sum(n for _, n in found)
    where = f" in {won} of {count(of)} settings"
    if won == of:
        where = "" if of == 1 else " in both settings" if of == 2 else f" in all {count(of)} settings"
    return f"{lead}, {chosen(strategy)} have the highest mean reach{where}"


def _settings(tables: Tables, rows: pd.DataFrame) -> list[Setting]:
    """Settings with a cell among `rows`."""
    there = set(rows[["graph", "model", "rule", "place"]].itertuples(index=False, name=None))
    return [s for s in tables.settings if tuple(s) in there]


def _drawn(tables: Tables, settings: list[Setting]) -> tuple[list[Setting], str]:
    """Take the settings that are drawn, and the sentence on the others."""
    shown = telling(tables, settings, _MOST_PANELS if len(settings) > _MOST_SETTINGS else _MOST_SETTINGS)
    if len(shown) == len(settings):
        return shown, ""
    return shown, (
        f" Drawn: the {count(len(shown))} of {count(len(settings))} combinations in which strategies compare most differently; "
        "all are in the CSV."
    )


def _reach_by_k(tables: Tables, look: Look) -> Exhibit | None:
    rows = tables.results[tables.results["budget_kind"] == "k"]
    if rows.empty:
        return None
    shown, others = _drawn(tables, _settings(tables, rows))
    panels = []
    for setting in shown:
        own = rows.loc[rows.index.intersection(tables.of(setting).index)]
        if not own.empty:
            draw = _reach_lines if own["budget_value"].nunique() > 1 else _reach_dots
            panels.append(draw(tables, look, setting, own))
    top = rows["budget_value"].max()
    title = _won(f"With {count(top)} seed{'' if top == 1 else 's'}", rows[rows["budget_value"] == top])
    caption = (
        "Reach: mean number of users active at the end, seeds included, with its "
        f"{tables.percent} confidence interval as a band ({range_of(rows['runs'])} a cell; where no band is seen it is thinner "
        "than the line). The scale of reach differs between panels."
    )
    short = rows[rows["n_seeds"] < rows["budget_value"]]
    if not short.empty:
        names = ", ".join(label(s) for s in tables.strategies if s in set(short["strategy"]))
        caption += f" In {count(len(short))} cells fewer users were there to seed than the budget allows ({names})."
    columns = [*FACTORS, "budget_value", "n_seeds", "n_nodes", "reach", "reach_low", "reach_high", "runs"]
    return Exhibit("reach", title, panels, caption + others, rows[columns])


def _reach_lines(tables: Tables, look: Look, setting: Setting, own: pd.DataFrame) -> Panel:
    names = [s for s in tables.strategies if s in set(own["strategy"])]
    figure, axes = plotting.panel(height=max(250.0, 84 + 13 * len(names)), left=58, right=122, top=head_room(tables))
    setting_title(axes, tables, setting)
    budgets = sorted(own["budget_value"].unique())
    last, labels = budgets[-1], []
    for name in names:
        line = own[(own["strategy"] == name) & (own["n_seeds"] > 0)].sort_values("budget_value")
        if line.empty:
            continue
        plotting.band(
            axes, line["budget_value"].tolist(), line["reach_low"].tolist(), line["reach"].tolist(),
            line["reach_high"].tolist(), colour=look.colour[name], marker=look.marker[name],
        )  # fmt: skip
        if line["budget_value"].iloc[-1] == last:
            labels.append((float(line["reach"].iloc[-1]), label(name), look.colour[name]))
    axes.set_ylim(bottom=0)
    if _wide(budgets):
        axes.set_xscale("log")
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.xaxis.set_major_locator(FixedLocator(_apart(budgets)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(plotting.compact))
    axes.set_xlabel("seeds")
    axes.set_ylabel("reach (users)")
    plotting.end_labels(axes, labels, x=float(last))
    return Panel(
        plotting.figure_to_svg(
            figure, title=f"Reach by seeds, {tables.name(setting)}", name=name_id("k", tables, setting)
        )
    )


def _wide(budgets: list[float]) -> bool:
    """Budgets far enough apart for a log axis; a budget of nobody has no place on one."""
    return budgets[0] > 0 and budgets[-1] / budgets[0] >= 8


def _apart(budgets: list[float]) -> list[float]:
    """Keep the budgets whose tick labels have room: on either scale, a tenth of the range apart."""
    log = _wide(budgets)
    place = [math.log(b) if log else b for b in budgets]
    kept = [len(budgets) - 1]
    for i in range(len(budgets) - 2, -1, -1):
        if place[kept[-1]] - place[i] >= 0.1 * (place[-1] - place[0]):
            kept.append(i)
    return [budgets[i] for i in reversed(kept)]


def _reach_dots(tables: Tables, look: Look, setting: Setting, own: pd.DataFrame, extra: str = "") -> Panel:
    """Reach by strategy at one budget, highest on top, with the number of seeds at the right."""
    own = own.assign(reach=own["reach"].where(own["n_seeds"] > 0))
    own = own.sort_values(["reach", "strategy"], ascending=[False, True], na_position="last")
    names = own["strategy"].tolist()
    figure, axes = rows_axes(names, row=22, left=112, right=86, top=head_room(tables))
    setting_title(axes, tables, setting)
    plotting.intervals(
        axes, own["reach_low"].tolist(), own["reach"].tolist(), own["reach_high"].tolist(), list(range(len(own))),
        colours=[look.colour[n] for n in names],
    )  # fmt: skip
    right = float(np.nanmax(own["reach_high"].fillna(own["reach"]))) if own["reach"].notna().any() else 1.0
    axes.set_xlim(0, 1.06 * right)
    for position, n_seeds in enumerate(own["n_seeds"]):
        text = f"{count(n_seeds)} seed{'' if n_seeds == 1 else 's'}" if n_seeds else "buys no seed"
        axes.annotate(
            text, (1.03, position), xycoords=("axes fraction", "data"), va="center_baseline", fontsize=10,
            color=plotting.INK if n_seeds else plotting.GREY, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlabel("reach (users)")
    name = name_id("d", tables, setting, extra)
    return Panel(plotting.figure_to_svg(figure, title=f"Reach by strategy, {tables.name(setting)}", name=name))


def _reach_for_money(tables: Tables, look: Look, budget: str, index: int) -> Exhibit:
    every = tables.results[(tables.results["budget"] == budget) & (tables.results["budget_kind"] == "money")]
    rows = open_places(every)
    shown, others = _drawn(tables, _settings(tables, rows))
    panels = [
        _reach_dots(tables, look, s, rows.loc[rows.index.intersection(tables.of(s).index)], f"m{index}") for s in shown
    ]
    caption = (
        f"Reach that {budget} buy, with its {tables.percent} confidence interval ({range_of(rows['runs'])} a cell; an interval "
        "that is not seen is narrower than its mark). At the right: how many creators are paid."
    )
    columns = [*FACTORS, "n_seeds", "n_nodes", "cost", "reach", "reach_low", "reach_high", "runs"]
    return Exhibit(f"money{index}", _won(f"For {budget}", rows), panels, caption + others, every[columns])


def _differences(tables: Tables, look: Look, found: list[Comparison]) -> Exhibit | None:
    if not found:
        return None
    there = {c.setting for c in found}
    shown, others = _drawn(tables, [s for s in tables.settings if s in there])
    panels = [_difference_panel(tables, look, s, [c for c in found if c.setting == s]) for s in shown]
    behind = sum(c.low > 0 for c in found)
    sizes = sorted({c.value for c in found})
    lead = f"With {' or '.join(count(v) for v in sizes)} seed{'' if sizes == [1] else 's'}"
    if behind == len(found):
        title = f"{lead}, every other strategy falls short of the best, each by an interval clear of zero"
    else:
        title = (
            f"{lead}, {count(behind)} of {count(len(found))} comparisons put the other strategy behind the best; "
            f"{count(len(found) - behind)} are undecided"
        )
    runs = sorted({c.runs for c in found})
    span = count(runs[0]) if len(runs) == 1 else f"{count(runs[0])} to {count(runs[-1])}"
    caption = (
        "Reach of each strategy minus reach of the best (the one with the highest mean), on the same worlds, with the "
        f"{tables.percent} interval of that difference ({span} runs); an interval that is not seen is narrower than "
        "its mark. Each interval is for one comparison by itself."
    )
    if behind < len(found):
        caption += " Open marks: the interval spans zero, undecided."
    data = pd.DataFrame(
        [
            {
                **c.setting._asdict(), "budget": c.budget,
                "strategy": c.other, "best": c.best, "difference": -c.difference, "low": -c.high, "high": -c.low,
                "runs": c.runs,
            }
            for c in found
        ]
    )  # fmt: skip
    return Exhibit("paired", title, panels, caption + others, data)


def _difference_panel(tables: Tables, look: Look, setting: Setting, found: list[Comparison]) -> Panel:
    found = sorted(found, key=lambda c: (c.difference, c.other))
    names = [found[0].best, *(c.other for c in found)]
    figure, axes = rows_axes(names, row=22, left=112, right=144, top=head_room(tables))
    setting_title(axes, tables, setting)
    axes.axvline(0, color=plotting.INK, linewidth=0.9, zorder=1)
    for position, c in enumerate(found, start=1):
        plotting.intervals(
            axes, [-c.high], [-c.difference], [-c.low], [position], colours=[look.colour[c.other]], filled=c.decided
        )
    plotting.intervals(axes, [math.nan], [0.0], [math.nan], [0], colours=[look.colour[found[0].best]])
    texts = ["best", *(interval(-c.difference, -c.high, -c.low) for c in found)]
    for position, text in enumerate(texts):
        axes.annotate(
            text, (1.04, position), xycoords=("axes fraction", "data"), va="center_baseline", fontsize=10,
            annotation_clip=False,
        )  # fmt: skip
    low, high = min(-c.high for c in found), max(0.0, *(-c.low for c in found))
    axes.set_xlim(low - 0.06 * (high - low or 1), high + 0.06 * (high - low or 1))
    axes.xaxis.get_major_locator().set_params(nbins=4)
    axes.set_xlabel("difference to the best (users)")
    return Panel(
        plotting.figure_to_svg(
            figure, title=f"Difference to the best, {tables.name(setting)}", name=name_id("p", tables, setting)
        )
    )


def _cost(tables: Tables, look: Look) -> Exhibit | None:
    r = tables.results
    rows = r[r["cost"].notna() & (r["cost"] > 0) & (r["reach"] > 0) & (r["n_seeds"] > 0)]
    if rows.empty:
        return None
    rows = rows.assign(
        cost_per_user=rows["cost"] / rows["reach"],
        cost_per_user_low=rows["cost"] / rows["reach_high"],
        cost_per_user_high=rows["cost"] / rows["reach_low"],
    )
    budgets = budgets_of(rows)
    if len(_settings(tables, rows)) > _MOST_SETTINGS:
        return _cost_over_settings(tables, look, rows)
    shown, others = _drawn(tables, _settings(tables, rows))
    limits = (0.7 * float(rows["cost_per_user_low"].min()), 1.5 * float(rows["cost_per_user_high"].max()))
    panels = []
    for setting in shown:
        own = rows.loc[rows.index.intersection(tables.of(setting).index)]
        names = [s for s in tables.strategies if s in set(own["strategy"])]
        figure, axes = rows_axes(
            names, row=max(20.0, 8.0 * len(budgets) + 6), left=112, right=16, top=head_room(tables)
        )
        setting_title(axes, tables, setting)
        columns = ("cost_per_user_low", "cost_per_user", "cost_per_user_high")
        marked_rows(axes, own.assign(level=own["budget"]), names, budgets, look, columns)
        axes.set_xlim(*limits)
        plotting.log_axis(axes, "x")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("cost of one user reached (RMB)")
        svg = plotting.figure_to_svg(
            figure, title=f"Cost per user reached, {tables.name(setting)}", name=name_id("c", tables, setting)
        )
        panels.append(Panel(svg))
    low, high = largest(rows.assign(cheapness=-rows["cost_per_user"]), "cheapness"), largest(rows, "cost_per_user")
    title = (
        f"A user reached costs from {number(low['cost_per_user'], 3)} RMB ({chosen(low['strategy'])}, {low['budget']}) "
        f"to {number(high['cost_per_user'], 3)} RMB ({chosen(high['strategy'])}, {high['budget']})"
    )
    caption = (
        "Price of the seeds divided by reach, on a logarithmic axis; intervals are the "
        f"{tables.percent} confidence intervals of reach at that price ({range_of(rows['runs'])} a cell). Where prices come from "
        "is said with the graph, under How it was done."
    )
    kept = [*FACTORS, "n_seeds", "cost", "cost_per_user", "cost_per_user_low", "cost_per_user_high", "runs"]
    return Exhibit(
        "cost",
        title,
        panels,
        caption + others,
        rows[kept],
        marks_of(budgets),
    )


def _cost_over_settings(tables: Tables, look: Look, rows: pd.DataFrame) -> Exhibit:
    """One panel for many settings: the median over them by strategy, with the range."""
    every, rows = rows, open_places(rows)
    budgets = budgets_of(rows)
    spread = rows.groupby(["strategy", "budget"])["cost_per_user"].agg(["min", "median", "max"]).reset_index()
    spread = spread.assign(level=spread["budget"])
    order = spread[spread["level"] == budgets[-1]].sort_values(["median", "strategy"])
    names = [str(s) for s in order["strategy"]]
    figure, axes = rows_axes(names, row=max(22.0, 8.0 * len(budgets) + 6), left=112, right=76, top=10)
    marked_rows(axes, spread, names, budgets, look, ("min", "median", "max"))
    for position, value in enumerate(order["median"]):
        axes.annotate(
            number(value, 3), (1.04, position), xycoords=("axes fraction", "data"), va="center_baseline", fontsize=10,
            annotation_clip=False,
        )  # fmt: skip
    axes.set_xlim(0.7 * float(spread["min"].min()), 1.4 * float(spread["max"].max()))
    plotting.log_axis(axes, "x")
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("cost of one user reached (RMB)")
    panel = Panel(plotting.figure_to_svg(figure, title="Cost per user reached by strategy", name="c"))
    low, high = order.iloc[0], order.iloc[-1]
    title = (
        f"For {budgets[-1]}, in the median setting a user reached costs from {number(low['median'], 3)} RMB ({chosen(str(low['strategy']))}) to "
        f"{number(high['median'], 3)} RMB ({chosen(str(high['strategy']))})"
    )
    caption = (
        f"Price of the seeds divided by reach, on a logarithmic axis: median over the {count(len(_settings(tables, rows)))} settings "
        f"(at the right for {budgets[-1]}), and the range from the cheapest to the dearest of them. Strategies that were not tried "
        "in every setting have fewer. Where prices come from is said under How it was done."
    )
    kept = [*FACTORS, "n_seeds", "cost", "cost_per_user", "cost_per_user_low", "cost_per_user_high", "runs"]
    return Exhibit("cost", title, [panel], caption, every[kept], marks_of(budgets))
