"""The figures on growth: R predicted and measured, new activations per step."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ._figures import (
    FACTORS,
    Exhibit,
    Look,
    Panel,
    budgets_of,
    head_room,
    left_out,
    marked_rows,
    marks_of,
    name_id,
    plotting,
    rows_axes,
    setting_title,
    shown_of,
)
from ._format import count, interval, label, listing, number, range_of, share
from ._growth_words import reason_of
from ._read import Setting, Tables, largest

__all__ = ["growth_figures"]

_MOST_SETTINGS = 8
_MOST_GROWTH = 4


def growth_figures(tables: Tables) -> list[Exhibit]:
    """Return the figures on growth: R by cell, and new activations per step."""
    look = Look(tables)
    of_campaigns = replace(tables, results=_campaigns(tables.results))
    with plotting.style():
        by_cell = _r_by_cell if len(tables.settings) <= _MOST_SETTINGS else _r_predicted
        drawn = [by_cell(of_campaigns, look), _new_by_step(tables, look)]
    return [exhibit for exhibit in drawn if exhibit is not None]


def _campaigns(results: pd.DataFrame) -> pd.DataFrame:
    """The results with R of the campaign, measured and forecast from its seeds, in place of R of graph and model."""
    names = {
        "R_campaign": "R",
        "R_campaign_low": "R_low",
        "R_campaign_high": "R_high",
        "R_campaign_predicted": "R_predicted",
    }
    return results.drop(columns=list(names.values())).rename(columns=names)


def _r_by_cell(tables: Tables, look: Look) -> Exhibit | None:
    r = tables.results
    measured = r[r["R"].notna()]
    if measured.empty and r["R_predicted"].isna().all():
        return None
    budgets = budgets_of(r)
    shown = shown_of(tables.settings, _MOST_SETTINGS)
    panels = [_r_panel(tables, look, setting, budgets) for setting in shown]
    title = _title_on_r(tables)
    caption = (
        "R of a campaign: ratio of new activations at successive early steps. Marks: as measured, with the "
        f"{tables.percent} confidence interval ({range_of(r['runs'])} a cell). Dashed: as forecast by message passing from the "
        "same seeds, with depletion. The scale differs between panels."
    )
    unpredicted = sorted({str(m) for m in r.loc[r["R_predicted"].isna(), "model"]})
    if unpredicted:
        caption += f" Where no dashed line is drawn ({', '.join(unpredicted)}) there is no forecast."
    columns = [*FACTORS, "R_predicted", "R", "R_low", "R_high", "phase", "runs"]
    return Exhibit(
        "r",
        title,
        panels,
        caption + left_out(len(shown), len(tables.settings)),
        r[columns],
        marks_of(budgets),
    )


def _title_on_r(tables: Tables) -> str:
    r = tables.results
    measured = r[r["R"].notna()]
    above = int((measured["R_low"] > 1).sum())
    below = int((measured["R_high"] < 1).sum())
    n = len(r)
    between, unmeasured = len(measured) - above - below, n - len(measured)
    shares = (("above 1", above), ("below 1", below), ("not told apart from 1", between), ("not measured", unmeasured))
    parts = [f"{words} in {count(some)}" for words, some in shares if some]
    if len(parts) == 1:
        return f"R of the campaign is {next(words for words, some in shares if some)} in all {count(n)} cells"
    return f"R of the campaign is {', '.join(parts[:-1])} and {parts[-1]} of {count(n)} cells"


def _not_drawn(r: pd.DataFrame) -> str:
    """Say which cells have no mark, and why."""
    unpredicted, unmeasured = int(r["R_predicted"].isna().sum()), int((r["R"].isna() & r["R_predicted"].notna()).sum())
    parts = [
        f"{count(unpredicted)} cells have no forecast (under complex contagion one active user alone decides nothing)"
        if unpredicted
        else "",
        f"in {count(unmeasured)} R could not be measured" if unmeasured else "",
    ]
    return f"Not drawn: {'; '.join(p for p in parts if p)}." if any(parts) else ""


def _quarter(values: pd.Series[float]) -> float:
    return float(values.quantile(0.25))


def _three_quarters(values: pd.Series[float]) -> float:
    return float(values.quantile(0.75))


def _r_predicted(tables: Tables, look: Look) -> Exhibit | None:
    """R measured against R predicted, one mark a graph and model: median and range over its cells."""
    r = tables.results
    both = r[r["R"].notna() & r["R_predicted"].notna()]
    if both.empty:
        return None
    kinds: dict[str, pd.DataFrame] = {}
    for (identify, kind), group in both.groupby(["identify", "model_kind"], sort=False):
        kinds[f"{identify} identification" if identify else str(kind)] = group
    figure, axes = plotting.panel(height=290, left=50, right=20, top=34, bottom=44)
    colours = (plotting.PALETTE[0], plotting.PALETTE[1], plotting.PALETTE[2], plotting.PALETTE[3])
    ends, labels, drawn_to = [1.0], [], 0.0
    for (name, group), colour, marker in zip(kinds.items(), colours, plotting.MARKERS, strict=False):
        points = group.groupby(["graph", "model", "rule"], sort=False).agg(
            x=("R_predicted", "median"), y=("R", "median"), low=("R", _quarter), high=("R", _three_quarters)
        )
        for x, y, low, high in points.itertuples(index=False):
            axes.plot([x, x], [low, high], color=colour, linewidth=1.8, alpha=0.4, solid_capstyle="butt")
            axes.plot([x], [y], marker=marker, color=colour, markersize=5.5, linestyle="none")
        ends += [*points["x"], *points["low"], *points["high"]]
        drawn_to = max(drawn_to, float(points["x"].max()))
        last = points.sort_values("x").iloc[-1]
        labels.append((float(last["x"]), float(last["y"]), name, colour))
    top = 1.06 * max(ends)
    axes.plot([0, top], [0, top], color=plotting.GREY, linewidth=1.1, dashes=(4, 3), zorder=1)
    axes.axhline(1, color=plotting.INK, linewidth=0.9, zorder=1)
    axes.set_xlim(0, 1.06 * max(drawn_to, 1.0))
    axes.set_ylim(0, top)
    axes.set_xlabel("R of the campaign as forecast")
    axes.set_ylabel("R of the campaign as measured")
    # Names stand above the axes: inside they would meet the marks.
    head = 2.0
    for _, _, name, colour in labels:
        axes.figure.text(
            head / axes.figure.bbox.width, 1 - 13 / axes.figure.bbox.height, name, fontsize=10.5, va="baseline",
            color=plotting.text_colour(colour), fontweight="bold",
        )  # fmt: skip
        head += 7.2 * len(name) + 16
    panel = Panel(plotting.figure_to_svg(figure, title="R measured against R predicted", name="rp"))
    caption = (
        "Each mark is one model on one graph: the median of R measured over its strategies, budgets and places, with the middle "
        "half of them as a line. Dashed: measured as forecast. Above the full line activity grows. " + _not_drawn(r)
    )
    columns = [*FACTORS, "R_predicted", "R", "R_low", "R_high", "phase", "runs"]
    return Exhibit("r", _title_on_r(tables), [panel], caption, r[columns])


def _r_panel(tables: Tables, look: Look, setting: Setting, budgets: list[str]) -> Panel:
    rows = tables.of(setting)
    names = [s for s in tables.strategies if s in set(rows["strategy"])]
    height = max(20.0, 8.0 * len(budgets) + 6)
    figure, axes = rows_axes(names, row=height, left=112, right=16, top=16 + head_room(tables))
    setting_title(axes, tables, setting)
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
    marked_rows(axes, rows.assign(level=rows["budget"]), names, budgets, look, ("R_low", "R", "R_high"))
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
        plotting.figure_to_svg(
            figure, title=f"R by strategy, {tables.name(setting)}", name=name_id("r", tables, setting)
        )
    )


def _representative(tables: Tables) -> list[tuple[Setting, pd.Series[Any]]]:
    """Best strategy and random seeds at the largest budget of a handful of settings."""
    with_steps = set(tables.new_by_step["cell"])
    found = []
    for setting in shown_of(tables.settings, _MOST_GROWTH):
        rows = tables.of(setting)
        budget = tables.main_budget(setting)
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


def _telling(tables: Tables) -> list[tuple[Setting, pd.Series[Any]]]:
    """Take a handful of cells out of hundreds: clear growth, clear decline, and what could not be told apart.

    Of each way to identify: the cell with the highest lower end of R, and of those that die out the one that takes longest.
    """
    r = tables.results
    r = r[r["cell"].isin(set(tables.new_by_step["cell"])) & (r["n_seeds"] > 0) & r["reach"].notna()]
    found: dict[str, pd.Series[Any]] = {}
    for _, group in r.groupby(["identify", "model_kind"], sort=False):
        measured = group[group["R"].notna()]
        if measured.empty:
            top = largest(group, "reach")
            found.setdefault(str(top["cell"]), top)
            continue
        growing, dying = (measured[measured["phase"] == phase] for phase in ("exponential", "subcritical"))
        ends = [largest(growing if len(growing) else measured, "R_low")]
        if len(dying):
            steps = dying["fit_last"] - dying["fit_first"]
            ends.append(largest(dying[steps == steps.max()], "reach"))
        else:
            ends.append(largest(measured.assign(minus=-measured["R_high"]), "minus"))
        for row in ends:
            found.setdefault(str(row["cell"]), row)
    return [
        (Setting(row["graph"], row["model"], row["rule"], row["place"]), row)
        for row in list(found.values())[:_MOST_GROWTH]
    ]


def _new_by_step(tables: Tables, look: Look) -> Exhibit | None:
    few = len(tables.settings) <= _MOST_SETTINGS
    cells = _representative(tables) if few else _telling(tables)
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
        title = f"In none of the {count(n)} cells drawn are there early steps"
    else:
        span = f"step {min(lasts)}" if min(lasts) == max(lasts) else f"steps {min(lasts)} to {max(lasts)}"
        phases = Counter(str(row["phase"]) for _, row in cells)
        words = (
            ("exponential", "exponential"), ("subcritical", "subcritical"), ("core", "one of a core"),
            ("undecided", "undecided"), ("not applicable", "without an R"),
        )  # fmt: skip
        told = listing([f"{text} in {count(phases[name])}" for name, text in words if phases[name]])
        title = f"Growth of graph and model is {told} of the {count(n)} cells drawn; early steps end at {span}"
    caption = (
        "New activations in each step, on a logarithmic axis. Line: median over runs; band: the middle 95 % of the "
        f"runs ({range_of(row['runs'] for _, row in cells)} a cell). Grey: early steps; dashed: growth at R of "
        "graph and model. Counts below one lie under the axis. "
    )
    if few:
        caption += (
            "Drawn: the strategy with the highest mean reach and, for comparison, random seeds (or the lowest reach), at the "
            "largest budget."
        ) + left_out(len({s for s, _ in cells}), len(tables.settings))
    else:
        caption += (
            f"Drawn, {count(n)} of {count(len(tables.results))} cells: for each way to identify the one in which growth is "
            "clearest, and of those that are subcritical the one that takes longest."
        )
    factors = tables.results[["cell", *FACTORS, "runs"]]
    return Exhibit(
        "new",
        title,
        panels,
        caption,
        factors.merge(steps, on="cell").drop(columns="cell"),
    )


def _growth_panel(
    tables: Tables, look: Look, setting: Setting, row: pd.Series[Any], own: pd.DataFrame, top: float, name: str
) -> Panel:
    from matplotlib.ticker import MaxNLocator

    figure, axes = plotting.panel(height=250, left=54, top=40, bottom=42, right=12)
    setting_title(axes, tables, setting, f"{label(row['strategy'])}, {row['budget']}")
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
            "early", (max(middle, 0.4), 0.97), xycoords=("data", "axes fraction"), ha="center", va="top",
            fontsize=10, color=plotting.GREY,
        )  # fmt: skip
    else:
        axes.annotate(
            "no early steps",
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
        text += f", R = {interval(row['R'], row['R_low'], row['R_high'])}".replace("= under", "under")
    text += f": {reason}." if reason else "."
    if row["fit_last"] >= 0 and row["reach"] > 0:
        used = float(own.loc[own["step"] <= row["fit_last"], "mean"].sum())
        text += (
            f" Early: steps {int(row['fit_first'])} to {int(row['fit_last'])}; at its end "
            f"{share(used, float(row['reach']))} of the mean reach is used up."
        )
    if not own.empty and own["mean"].max() > 0:
        later = own[own["step"] > 0]
        if not later.empty:
            text += f" New activations peak at step {int(largest(later, 'mean')['step'])}."
    return text
