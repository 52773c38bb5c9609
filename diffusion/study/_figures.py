"""The figures of the report: one idea each, titled by a sentence that is computed from what is drawn.

A figure is a list of panels, each its own small SVG, so that the page can lay them side by side or, on a narrow
screen, below one another, without the text shrinking.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .. import plotting
from ._sentences import (
    Comparison,
    Setting,
    Tables,
    chosen,
    comparisons,
    count,
    interval,
    label,
    largest,
    number,
    reason_of,
    share,
)

__all__ = ["Exhibit", "Panel", "growth_figures", "method_figures", "seeding_figures"]

_FACTORS = ["graph", "model", "rule", "budget", "strategy"]
# More panels than this are a wall; the rest are in the table and in the CSV.
_MOST_SETTINGS = 8
_MOST_GROWTH = 4
# (marker, filled, the same as a character for the key above the panels)
_BUDGET_MARKS = (
    ("o", True, "●"),
    ("s", False, "□"),
    ("^", True, "▲"),
    ("D", False, "◇"),
    ("o", False, "○"),
    ("s", True, "■"),
    ("^", False, "△"),
    ("D", True, "◆"),
)


@dataclass(frozen=True)
class Panel:
    """One drawing with what is said under it."""

    svg: str
    note: str = ""


@dataclass(frozen=True)
class Exhibit:
    """A figure of the report: a sentence, its panels, how to read them, and the numbers drawn."""

    key: str
    title: str
    panels: list[Panel]
    caption: str
    data: pd.DataFrame
    marks: list[tuple[str, str]] = field(default_factory=list)


class _Look:
    """Colour and marker of each strategy, the same through the whole report."""

    def __init__(self, tables: Tables) -> None:
        self.colour = plotting.strategy_colours(tables.strategies)
        self.marker = plotting.strategy_markers(tables.strategies)


def _shown(settings: list[Setting], most: int) -> list[Setting]:
    """Take at most `most` settings, spread over the list."""
    if len(settings) <= most:
        return settings
    return [settings[i] for i in np.linspace(0, len(settings) - 1, most).round().astype(int)]


def _left_out(shown: int, of: int) -> str:
    return "" if shown >= of else f" {count(shown)} of {count(of)} settings are drawn; all are in the CSV."


def _runs(rows: pd.DataFrame) -> str:
    low, high = int(rows["runs"].min()), int(rows["runs"].max())
    return f"{count(low)} runs" if low == high else f"{count(low)} to {count(high)} runs"


def _budgets(rows: pd.DataFrame) -> list[str]:
    order = rows[["budget_kind", "budget_value", "budget"]].drop_duplicates()
    return [str(b) for b in order.sort_values(["budget_kind", "budget_value"])["budget"]]


def _rows_axes(names: list[str], *, row: float, left: float, right: float, top: float) -> tuple[Any, Any]:
    """Axes with one horizontal row a strategy, the first on top."""
    figure, axes = plotting.panel(height=top + 42 + row * len(names), left=left, right=right, top=top, bottom=42)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [label(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="x")
    return figure, axes


def _title(axes: Any, text: str, second: str = "") -> None:
    """Bold head at the left edge of the panel, with a plain second line where there is one."""
    figure = axes.figure
    height = figure.bbox.height
    figure.text(2 / figure.bbox.width, 1 - 13 / height, _cut(text, 56), fontsize=11.5, fontweight="bold", va="baseline")
    if second:
        figure.text(2 / figure.bbox.width, 1 - 28 / height, _cut(second, 62), fontsize=10.5, va="baseline")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# --- is it exponential? ----------------------------------------------------------------------------------------------


def growth_figures(tables: Tables) -> list[Exhibit]:
    """Return the figures on growth: R by cell, and new activations per step."""
    look = _Look(tables)
    with plotting.style():
        drawn = [_r_by_cell(tables, look), _new_by_step(tables, look)]
    return [exhibit for exhibit in drawn if exhibit is not None]


def _r_by_cell(tables: Tables, look: _Look) -> Exhibit | None:
    r = tables.results
    measured = r[r["R"].notna()]
    if measured.empty and r["R_predicted"].isna().all():
        return None
    budgets = _budgets(r)
    shown = _shown(tables.settings, _MOST_SETTINGS)
    panels = [_r_panel(tables, look, setting, budgets) for setting in shown]
    above = int((measured["R_low"] > 1).sum())
    below = int((measured["R_high"] < 1).sum())
    n = len(r)
    between, unmeasured = len(measured) - above - below, n - len(measured)
    shares = (("above 1", above), ("below 1", below), ("not told apart from 1", between), ("not measured", unmeasured))
    parts = [f"{words} in {count(some)}" for words, some in shares if some]
    if len(parts) == 1:
        title = f"R is {next(words for words, some in shares if some)} in all {count(n)} cells"
    else:
        title = f"R is {', '.join(parts[:-1])} and {parts[-1]} of {count(n)} cells"
    caption = (
        "R: mean number of users whom one active user activates early on. Marks: R measured in the fitted steps, with "
        f"its {tables.percent} confidence interval ({_runs(r)} a cell). Dashed: R predicted from the graph and "
        "the propagation probabilities alone. The scale differs between panels."
    )
    unpredicted = sorted({str(m) for m in r.loc[r["R_predicted"].isna(), "model"]})
    if unpredicted:
        caption += f" Where no dashed line is drawn ({', '.join(unpredicted)}) the study has no prediction."
    columns = [*_FACTORS, "R_predicted", "R", "R_low", "R_high", "phase", "runs"]
    marks = [(mark, budget) for (_, _, mark), budget in zip(_BUDGET_MARKS, budgets, strict=False)]
    return Exhibit(
        "r",
        title,
        panels,
        caption + _left_out(len(shown), len(tables.settings)),
        r[columns],
        marks if len(budgets) > 1 else [],
    )


def _r_panel(tables: Tables, look: _Look, setting: Setting, budgets: list[str]) -> Panel:
    rows = tables.of(setting)
    names = [s for s in tables.strategies if s in set(rows["strategy"])]
    height = max(20.0, 8.0 * len(budgets) + 6)
    figure, axes = _rows_axes(names, row=height, left=112, right=16, top=44)
    _title(axes, tables.name(setting))
    step = 0.62 / max(len(budgets) - 1, 1)
    values = rows[["R", "R_low", "R_high", "R_predicted"]].to_numpy(dtype=float)
    finite = np.append(values[np.isfinite(values)], 1.0)
    margin = 0.08 * (finite.max() - finite.min() or 1.0)
    axes.set_xlim(finite.min() - margin, finite.max() + margin)
    axes.axvline(1, color=plotting.INK, linewidth=0.9, zorder=1)
    for position, name in enumerate(names):
        of_name = rows[rows["strategy"] == name]
        if of_name["R"].isna().all():
            axes.annotate(
                "not measured", (1, position), xycoords=("axes fraction", "data"), ha="right", va="center",
                color=plotting.GREY, fontsize=10,
            )  # fmt: skip
        for i, (budget, (marker, filled, _)) in enumerate(zip(budgets, _BUDGET_MARKS, strict=False)):
            cell = of_name[of_name["budget"] == budget]
            offset = (i - (len(budgets) - 1) / 2) * step if len(budgets) > 1 else 0.0
            plotting.intervals(
                axes, cell["R_low"].tolist(), cell["R"].tolist(), cell["R_high"].tolist(),
                [position + offset] * len(cell), colours=[look.colour[name]] * len(cell), marker=marker, filled=filled,
            )  # fmt: skip
    predicted = sorted({round(v, 6) for v in rows["R_predicted"].dropna()})
    head = {"xycoords": ("data", "axes fraction"), "va": "bottom", "fontsize": 10, "annotation_clip": False}
    if len(predicted) == 1:
        at = predicted[0]
        axes.axvline(at, color=plotting.GREY, linewidth=1.2, dashes=(4, 3), zorder=1)
        # The lower label ends at its line and the higher one begins there, so that they never meet.
        side = "left" if at >= 1 else "right"
        span = axes.get_xlim()
        if (span[1] - at) < 0.38 * (span[1] - span[0]) and side == "left":
            side = "right" if (at - 1) > 0.5 * (span[1] - span[0]) else side
        axes.annotate(f"predicted {number(at, 3)}", (at, 1.01), ha=side, color=plotting.GREY, **head)
        axes.annotate("1", (1, 1.01), ha="right" if at >= 1 else "left", **head)
    else:
        axes.annotate("1", (1, 1.01), ha="center", **head)
        for position, name in enumerate(names):
            for at in rows.loc[rows["strategy"] == name, "R_predicted"].dropna():
                axes.plot([at, at], [position - 0.4, position + 0.4], color=plotting.GREY, linewidth=1.2, dashes=(3, 2))
    axes.set_xlabel("R (users activated by one active user)")
    return Panel(
        plotting.figure_to_svg(figure, title=f"R by strategy, {tables.name(setting)}", name=_id("r", tables, setting))
    )


def _id(key: str, tables: Tables, setting: Setting, extra: str = "") -> str:
    return f"{key}{tables.settings.index(setting)}{extra}"


def _representative(tables: Tables) -> list[tuple[Setting, pd.Series[Any]]]:
    """Best strategy and random seeds at the largest budget of a handful of settings."""
    with_steps = set(tables.new_by_step["cell"])
    found = []
    for setting in _shown(tables.settings, _MOST_GROWTH):
        rows = tables.of(setting)
        budget = tables.largest_k(setting)
        rows = rows[rows["cell"].isin(with_steps) & (rows["n_seeds"] > 0) & rows["reach"].notna()]
        if budget is not None:
            rows = rows[rows["budget"] == budget]
        if rows.empty:
            continue
        best = largest(rows, "reach")
        found.append((setting, best))
        other = rows[rows["strategy"] == "random"]
        if other.empty:
            other = rows[rows["reach"] == rows["reach"].min()]
        if other.iloc[0]["cell"] != best["cell"]:
            found.append((setting, other.iloc[0]))
    return found


def _new_by_step(tables: Tables, look: _Look) -> Exhibit | None:
    cells = _representative(tables)
    if not cells:
        return None
    steps = tables.new_by_step[tables.new_by_step["cell"].isin([str(row["cell"]) for _, row in cells])]
    top = 2.0 * float(steps["high"].max())
    panels, lasts = [], []
    for i, (setting, row) in enumerate(cells):
        own = steps[steps["cell"] == row["cell"]].sort_values("step")
        panels.append(_growth_panel(tables, look, setting, row, own, top, f"n{i}"))
        if row["fit_last"] >= 0:
            lasts.append(int(row["fit_last"]))
    n = len(cells)
    if not lasts:
        title = f"In none of the {count(n)} cells drawn is there a stretch of steady growth to fit"
    else:
        span = f"step {min(lasts)}" if min(lasts) == max(lasts) else f"steps {min(lasts)} to {max(lasts)}"
        of = f"all {count(n)}" if len(lasts) == n else f"{count(len(lasts))} of the {count(n)}"
        title = f"In {of} cells drawn there is a window to fit, and it ends at {span}"
    caption = (
        "New activations in each step, on a logarithmic axis. Line: median over runs; band: the middle 95 % of the "
        f"runs ({_runs(pd.DataFrame([row for _, row in cells]))} a cell). Grey: the steps fitted; dashed: the growth "
        "fitted to the mean. Counts below one lie under the axis. Drawn: the strategy with the highest mean reach and, "
        "for comparison, random seeds (or the lowest reach), at the largest budget counted in seeds."
    )
    factors = tables.results[["cell", *_FACTORS, "runs"]]
    return Exhibit(
        "new",
        title,
        panels,
        caption + _left_out(len({s for s, _ in cells}), len(tables.settings)),
        factors.merge(steps, on="cell").drop(columns="cell"),
    )


def _growth_panel(
    tables: Tables, look: _Look, setting: Setting, row: pd.Series[Any], own: pd.DataFrame, top: float, name: str
) -> Panel:
    from matplotlib.ticker import MaxNLocator

    figure, axes = plotting.panel(height=250, left=54, top=40, bottom=42, right=12)
    _title(axes, tables.name(setting), f"{label(row['strategy'])}, {row['budget']}")
    floor = 0.6
    colour = look.colour[str(row["strategy"])]
    visible = own[own["high"] >= 1]
    last = int(visible["step"].max()) + 1 if not visible.empty else 1
    own = own[own["step"] <= last]
    first, end = int(row["fit_first"]), int(row["fit_last"])
    if end >= 0:
        axes.axvspan(first - 0.15, end + 0.15, color="#e9e9e9", linewidth=0, zorder=0)
    x = own["step"].tolist()
    plotting.band(
        axes, x, own["low"].clip(lower=floor * 0.5).tolist(), own["median"].where(own["median"] >= floor).tolist(),
        own["high"].clip(lower=floor * 0.5).tolist(), colour=colour, marker="o" if len(x) <= 30 else None,
    )  # fmt: skip
    axes.set_ylim(floor, max(top, 10))
    axes.set_xlim(-0.4, last + 0.4)
    plotting.log_axis(axes, "y")
    if end > first >= 0 and math.isfinite(row["rate"]):
        window = own[(own["step"] >= first) & (own["step"] <= end) & (own["mean"] > 0)]
        if len(window):
            # Through the middle of the window, each step counting by its activations, as it does in the fit.
            middle = np.average(window["step"], weights=window["mean"])
            level = np.average(np.log(window["mean"]), weights=window["mean"])
            ends = np.array([first, min(end, last)])
            axes.plot(
                ends, np.exp(level + row["rate"] * (ends - middle)), color=plotting.INK, linewidth=1.4, dashes=(3, 2)
            )
    if end >= 0:
        middle = (first + min(end, last)) / 2
        axes.annotate(
            "fitted", (max(middle, 0.4), 0.97), xycoords=("data", "axes fraction"), ha="center", va="top",
            fontsize=10, color=plotting.GREY,
        )  # fmt: skip
    else:
        axes.annotate(
            "no window to fit",
            (0.99, 0.96),
            xycoords="axes fraction",
            ha="right",
            va="top",
            fontsize=10,
            color=plotting.GREY,
        )
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.set_xlabel("step")
    axes.set_ylabel("new active users")
    svg = plotting.figure_to_svg(
        figure, title=f"New activations, {tables.name(setting)}, {label(row['strategy'])}", name=name
    )
    return Panel(svg, _window_note(row, own))


def _window_note(row: pd.Series[Any], own: pd.DataFrame) -> str:
    """Where the window ends and why, and how much of the reach was used up by then."""
    reason = reason_of(row)
    text = f"{str(row['phase']).capitalize()}"
    if math.isfinite(row["R"]):
        text += f", R = {interval(row['R'], row['R_low'], row['R_high'])}"
    text += f": {reason}." if reason else "."
    if row["fit_last"] >= 0 and row["reach"] > 0:
        used = float(own.loc[own["step"] <= row["fit_last"], "mean"].sum())
        text += (
            f" Fitted: steps {int(row['fit_first'])} to {int(row['fit_last'])}; at its end "
            f"{share(used, float(row['reach']))} of the mean reach is used up."
        )
    if not own.empty and own["mean"].max() > 0:
        later = own[own["step"] > 0]
        if not later.empty:
            text += f" New activations peak at step {int(largest(later, 'mean')['step'])}."
    return text


# --- whom to seed ----------------------------------------------------------------------------------------------------


def seeding_figures(tables: Tables) -> list[Exhibit]:
    """Return the figures on strategies: reach by budget, differences to the best, money, cost."""
    look = _Look(tables)
    found = comparisons(tables)
    money = tables.results[tables.results["budget_kind"] == "money"]
    with plotting.style():
        drawn = [_reach_by_k(tables, look)]
        drawn.append(
            _differences(tables, look, [c for c in found if c.kind == "k" and c.budget == tables.largest_k(c.setting)])
        )
        for i, budget in enumerate(_budgets(money)):
            drawn.append(_reach_for_money(tables, look, budget, i))
        drawn.append(_cost(tables, look))
    return [exhibit for exhibit in drawn if exhibit is not None]


def _winner(rows: pd.DataFrame) -> tuple[str, int, int] | None:
    """Return the strategy that most often has the highest mean reach: (strategy, settings won, settings)."""
    rows = rows[(rows["n_seeds"] > 0) & rows["reach"].notna()]
    if rows.empty:
        return None
    best = [str(largest(own, "reach")["strategy"]) for _, own in rows.groupby(["graph", "model", "rule"])]
    strategy, won = Counter(best).most_common(1)[0]
    return str(strategy), won, len(best)


def _won(lead: str, winner: tuple[str, int, int] | None) -> str:
    if winner is None:
        return f"{lead}, no strategy can place a seed"
    strategy, won, of = winner
    where = (
        ""
        if of == 1
        else (" in both settings" if of == 2 else f" in all {of} settings")
        if won == of
        else f" in {won} of {of} settings"
    )
    return f"{lead}, {chosen(strategy)} have the highest mean reach{where}"


def _reach_by_k(tables: Tables, look: _Look) -> Exhibit | None:
    rows = tables.results[tables.results["budget_kind"] == "k"]
    if rows.empty:
        return None
    shown = _shown(tables.settings, _MOST_SETTINGS)
    panels = []
    for setting in shown:
        own = rows.loc[rows.index.intersection(tables.of(setting).index)]
        if not own.empty:
            draw = _reach_lines if own["budget_value"].nunique() > 1 else _reach_dots
            panels.append(draw(tables, look, setting, own))
    top = rows["budget_value"].max()
    title = _won(f"With {count(top)} seed{'' if top == 1 else 's'}", _winner(rows[rows["budget_value"] == top]))
    caption = (
        "Reach: mean number of users active at the end, seeds included, with its "
        f"{tables.percent} confidence interval as a band ({_runs(rows)} a cell; where no band is seen it is thinner "
        "than the line). The scale of reach differs between panels."
    )
    short = rows[rows["n_seeds"] < rows["budget_value"]]
    if not short.empty:
        names = ", ".join(label(s) for s in tables.strategies if s in set(short["strategy"]))
        caption += f" In {count(len(short))} cells fewer users were there to seed than the budget allows ({names})."
    columns = [*_FACTORS, "budget_value", "n_seeds", "n_nodes", "reach", "reach_low", "reach_high", "runs"]
    return Exhibit("reach", title, panels, caption + _left_out(len(shown), len(tables.settings)), rows[columns])


def _reach_lines(tables: Tables, look: _Look, setting: Setting, own: pd.DataFrame) -> Panel:
    names = [s for s in tables.strategies if s in set(own["strategy"])]
    figure, axes = plotting.panel(height=max(250.0, 84 + 13 * len(names)), left=58, right=122, top=28)
    _title(axes, tables.name(setting))
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
        plotting.figure_to_svg(figure, title=f"Reach by seeds, {tables.name(setting)}", name=_id("k", tables, setting))
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


def _reach_dots(tables: Tables, look: _Look, setting: Setting, own: pd.DataFrame, extra: str = "") -> Panel:
    """Reach by strategy at one budget, highest on top, with the number of seeds at the right."""
    own = own.assign(reach=own["reach"].where(own["n_seeds"] > 0))
    own = own.sort_values(["reach", "strategy"], ascending=[False, True], na_position="last")
    names = own["strategy"].tolist()
    figure, axes = _rows_axes(names, row=22, left=112, right=86, top=28)
    _title(axes, tables.name(setting))
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
    name = _id("d", tables, setting, extra)
    return Panel(plotting.figure_to_svg(figure, title=f"Reach by strategy, {tables.name(setting)}", name=name))


def _reach_for_money(tables: Tables, look: _Look, budget: str, index: int) -> Exhibit:
    rows = tables.results[(tables.results["budget"] == budget) & (tables.results["budget_kind"] == "money")]
    shown = _shown(
        [s for s in tables.settings if not rows.index.intersection(tables.of(s).index).empty], _MOST_SETTINGS
    )
    panels = [
        _reach_dots(tables, look, s, rows.loc[rows.index.intersection(tables.of(s).index)], f"m{index}") for s in shown
    ]
    caption = (
        f"Reach that {budget} buy, with its {tables.percent} confidence interval ({_runs(rows)} a cell; an interval "
        "that is not seen is narrower than its mark). At the right: how many creators are paid."
    )
    columns = [*_FACTORS, "n_seeds", "n_nodes", "cost", "reach", "reach_low", "reach_high", "runs"]
    return Exhibit(f"money{index}", _won(f"For {budget}", _winner(rows)), panels, caption, rows[columns])


def _differences(tables: Tables, look: _Look, found: list[Comparison]) -> Exhibit | None:
    if not found:
        return None
    settings = [s for s in tables.settings if any(c.setting == s for c in found)]
    shown = _shown(settings, _MOST_SETTINGS)
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
                "graph": c.setting.graph, "model": c.setting.model, "rule": c.setting.rule, "budget": c.budget,
                "strategy": c.other, "best": c.best, "difference": -c.difference, "low": -c.high, "high": -c.low,
                "runs": c.runs,
            }
            for c in found
        ]
    )  # fmt: skip
    return Exhibit("paired", title, panels, caption + _left_out(len(shown), len(settings)), data)


def _difference_panel(tables: Tables, look: _Look, setting: Setting, found: list[Comparison]) -> Panel:
    found = sorted(found, key=lambda c: (c.difference, c.other))
    names = [found[0].best, *(c.other for c in found)]
    figure, axes = _rows_axes(names, row=22, left=112, right=144, top=28)
    _title(axes, tables.name(setting))
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
            figure, title=f"Difference to the best, {tables.name(setting)}", name=_id("p", tables, setting)
        )
    )


def _cost(tables: Tables, look: _Look) -> Exhibit | None:
    r = tables.results
    rows = r[r["cost"].notna() & (r["cost"] > 0) & (r["reach"] > 0) & (r["n_seeds"] > 0)]
    if rows.empty:
        return None
    rows = rows.assign(
        cost_per_user=rows["cost"] / rows["reach"],
        cost_per_user_low=rows["cost"] / rows["reach_high"],
        cost_per_user_high=rows["cost"] / rows["reach_low"],
    )
    budgets = _budgets(rows)
    settings = [s for s in tables.settings if not rows.index.intersection(tables.of(s).index).empty]
    shown = _shown(settings, _MOST_SETTINGS)
    limits = (0.7 * float(rows["cost_per_user_low"].min()), 1.5 * float(rows["cost_per_user_high"].max()))
    panels = []
    for setting in shown:
        own = rows.loc[rows.index.intersection(tables.of(setting).index)]
        names = [s for s in tables.strategies if s in set(own["strategy"])]
        figure, axes = _rows_axes(names, row=max(20.0, 8.0 * len(budgets) + 6), left=112, right=16, top=28)
        _title(axes, tables.name(setting))
        step = 0.62 / max(len(budgets) - 1, 1)
        for i, (budget, (marker, filled, _)) in enumerate(zip(budgets, _BUDGET_MARKS, strict=False)):
            cell = own[own["budget"] == budget]
            offset = (i - (len(budgets) - 1) / 2) * step if len(budgets) > 1 else 0.0
            plotting.intervals(
                axes, cell["cost_per_user_low"].tolist(), cell["cost_per_user"].tolist(),
                cell["cost_per_user_high"].tolist(), [names.index(s) + offset for s in cell["strategy"]],
                colours=[look.colour[s] for s in cell["strategy"]], marker=marker, filled=filled,
            )  # fmt: skip
        axes.set_xlim(*limits)
        plotting.log_axis(axes, "x")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("cost of one user reached (RMB)")
        svg = plotting.figure_to_svg(
            figure, title=f"Cost per user reached, {tables.name(setting)}", name=_id("c", tables, setting)
        )
        panels.append(Panel(svg))
    low, high = largest(rows.assign(cheapness=-rows["cost_per_user"]), "cheapness"), largest(rows, "cost_per_user")
    title = (
        f"A user reached costs from {number(low['cost_per_user'], 3)} RMB ({chosen(low['strategy'])}, {low['budget']}) "
        f"to {number(high['cost_per_user'], 3)} RMB ({chosen(high['strategy'])}, {high['budget']})"
    )
    caption = (
        "Price of the seeds divided by reach, on a logarithmic axis; intervals are the "
        f"{tables.percent} confidence intervals of reach at that price ({_runs(rows)} a cell). Where prices come from "
        "is said with the graph, under How it was done."
    )
    columns = [*_FACTORS, "n_seeds", "cost", "cost_per_user", "cost_per_user_low", "cost_per_user_high", "runs"]
    marks = [(mark, budget) for (_, _, mark), budget in zip(_BUDGET_MARKS, budgets, strict=False)]
    return Exhibit(
        "cost",
        title,
        panels,
        caption + _left_out(len(shown), len(settings)),
        rows[columns],
        marks if len(budgets) > 1 else [],
    )


# --- how it was done -------------------------------------------------------------------------------------------------


def method_figures(tables: Tables) -> list[Exhibit]:
    """Return the figure of the degree tail, one line a graph."""
    graphs = [g for g in tables.graphs if g.get("follower_ccdf")]
    if not graphs:
        return []
    with plotting.style():
        figure, axes = plotting.panel(height=280, left=62, right=104 if len(graphs) > 1 else 16, top=10)
        labels, data = [], []
        colours = plotting.strategy_colours(str(g["label"]) for g in graphs)
        for graph in graphs:
            name = str(graph["label"])
            points = [(float(k), float(s)) for k, s in graph["follower_ccdf"] if k > 0 and s > 0]
            data += [{"graph": name, "followers_at_least": k, "share_of_users": s} for k, s in graph["follower_ccdf"]]
            if not points:
                continue
            k, s = zip(*points, strict=True)
            axes.plot(k, s, color=colours[name], marker="o" if len(points) < 60 else None, markersize=3.5)
            labels.append((s[-1], _cut(name, 15), colours[name]))
        plotting.log_axis(axes, "x")
        plotting.log_axis(axes, "y")
        axes.set_xlabel("followers")
        axes.set_ylabel("share of users with at least as many")
        if len(labels) > 1:
            plotting.end_labels(axes, labels, x=axes.get_xlim()[1])
        panel = Panel(plotting.figure_to_svg(figure, title="Share of users by number of followers", name="ccdf"))
    first = graphs[0]
    ccdf = sorted((float(k), float(s)) for k, s in first["follower_ccdf"])
    median = max((k for k, s in ccdf if s >= 0.5), default=0.0)
    one = min((k for k, s in ccdf if s <= 0.01), default=None)
    # The record has a grid of degrees, so both halves of the sentence are bounds, true as they stand.
    title = f"At least half of the users have {count(median)} follower{'' if median == 1 else 's'} or more"
    if one is not None:
        title += f", at most one in a hundred has {count(one)} or more"
    if len(graphs) > 1:
        title += f" ({first['label']})"
    caption = (
        "Share of users with at least so many followers; both axes are logarithmic, so a power law is a straight line."
    )
    return [Exhibit("tail", title, [panel], caption, pd.DataFrame(data))]
