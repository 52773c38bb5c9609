"""Figures of campaigns: funnel, reach, mixing, cost, map of communities and one cascade as a tree.

Every function takes ``ax=`` and returns the axes. Nothing here imports matplotlib or igraph until it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, NotFoundError, did_you_mean
from ..models.sips.parts import STAGES
from ..models.sips.results import SIPSEnsemble
from ..results.ensemble import Ensemble
from ..simulation.growth import MIN_RUNS, Growth, growth
from .layout import check_kind, new_axes
from .maps import plot_cascade_tree, plot_community_map
from .style import PALETTE, band, compact, intervals, log_axis, spelled, strategy_colours, strategy_markers, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_cascade_tree",
    "plot_community_map",
    "plot_cost_by_tier",
    "plot_funnel",
    "plot_reach_against_mixing",
    "plot_reach_curve",
]

Floats = NDArray[np.float64]
_SHADE = "#e9e9e9"
_MOST_GROUPS = 8  # lines in one figure


# --- funnel
# ------------------------------------------------------------------------------------------------------------


def plot_funnel(
    ensemble: SIPSEnsemble,
    ax: Axes | None = None,
    *,
    by: str | None = None,
    confidence: float = 0.95,
    sample: int = 200,
) -> Axes:
    """Plot how many users a run reach each stage, on a log axis, with intervals of the mean.

    Parameters
    ----------
    ensemble : SIPSEnsemble
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    by : str, optional
        ``"channel"``, or a node attribute such as ``"community"`` or ``"tier"``: one line a group, the eight with most
        exposed users. Without it the share that goes on from each stage is written beside it.
    confidence : float in (0, 1)
    sample : int
        Runs that are replayed for a node attribute.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No SIPS ensemble.
    NotFoundError
        An attribute that the graph does not have.

    See Also
    --------
    models.SIPSEnsemble, plotting.plot_funnel_rates

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(1000, communities=3, rng=7)
    >>> ens = dif.simulate(g, [0], model=dif.SIPS(attention=0.2, funnel=dif.models.Funnel(share=0.1)), runs=50, rng=7)
    >>> plot_funnel(ens).get_xlabel()
    'users a run (mean of 50 runs with 95 % interval)'
    """
    check_kind(ensemble, SIPSEnsemble, "an ensemble of SIPS", "give simulate(graph, seeds, model=SIPS(...))")
    table = ensemble.funnel(by, confidence=confidence, sample=sample)
    groups = [None] if by is None else table.index.get_level_values(0).unique().tolist()
    parts = {group: table if group is None else table.loc[group] for group in groups}
    order = sorted(parts, key=lambda group: -float(parts[group]["users"].iloc[0]))[:_MOST_GROUPS]
    shown = [group for group in groups if group in order and parts[group]["users"].iloc[0] > 0]
    colours, markers = strategy_colours(map(str, shown)), strategy_markers(map(str, shown))
    with style():
        ax = new_axes(ax)
        low = min((float(part.loc[part["users"] > 0, "users"].min()) for part in parts.values()), default=1.0)
        # Without groups the rates stand left of the points.
        floor = (0.35 if by is None else 0.6) * low if np.isfinite(low) else 0.5
        for i, group in enumerate(shown):
            part, rows = parts[group], np.arange(5) + 0.09 * (i - (len(shown) - 1) / 2)
            colour, marker = (PALETTE[0], "o") if group is None else (colours[str(group)], markers[str(group)])
            users = part["users"].where(part["users"] > 0)
            ends = part[["low", "high"]].clip(lower=floor)
            ax.plot(users, rows, color=colour, linewidth=0.9, alpha=0.6)
            intervals(
                ax,
                ends["low"].tolist(),
                users.tolist(),
                ends["high"].tolist(),
                rows.tolist(),
                colours=[colour] * 5,
                marker=marker,
            )
            ax.plot([], [], color=colour, marker=marker, linewidth=0.9, label=str(group))
        if by is None:
            for k in range(1, 5):
                rate = table.iloc[k]
                if np.isfinite(rate["rate"]) and rate["users"] > 0:
                    words = f"{100 * rate['rate']:.3g} % of them"
                    ax.annotate(words, (rate["users"], k), (-9, 2), textcoords="offset points", ha="right", fontsize=10)
        else:
            more = len(groups) - len(shown)
            ax.legend(title=by + (f" (of {len(groups):,})" if more > 0 else ""), loc="best")
        ax.set_ylim(4.5, -0.5)
        ax.set_yticks(range(5), STAGES)
        ax.tick_params(axis="y", length=0)
        ax.set_xlim(floor, 1.6 * max((float(parts[group]["high"].max()) for group in shown), default=1.0))
        log_axis(ax, "x")
        runs = int(table["runs"].iloc[0])
        ax.set_xlabel(f"users a run (mean of {runs:,} runs with {confidence:.0%} interval)".replace("%", " %"))
    return ax


# --- reach over time
# ---------------------------------------------------------------------------------------------------


def plot_reach_curve(
    ensemble: Ensemble,
    ax: Axes | None = None,
    *,
    scale: Literal["linear", "log"] = "linear",
    growth_of: Growth | None = None,
) -> Axes:
    """Plot reach by step as an S-curve, or new users by step on a log axis with the fitted phase.

    Parameters
    ----------
    ensemble : Ensemble
        Of any model; with the delays of SIPS the axis is in hours.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    scale : {"linear", "log"}
        Linear: cumulative reach, median and middle 95 % of the runs. Log: mean new users and the middle 95 %, with the
        fitted growth drawn through the steps it was fitted to.
    growth_of : Growth, optional
        What `growth` found; by default it is computed where there are at least 10 runs.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No ensemble.
    NotFoundError
        Another scale.

    See Also
    --------
    compare_strategies, StudyResult, plotting.plot_strategies

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(1000, rng=7).with_probabilities("weighted_cascade")
    >>> plot_reach_curve(dif.simulate(g, [0, 1], runs=50, rng=7)).get_ylabel()
    'users reached'
    """
    check_kind(ensemble, Ensemble, "an ensemble", "give what simulate(...) returns")
    if scale not in ("linear", "log"):
        raise NotFoundError(
            f"scale {scale!r} is unknown: give 'linear' or 'log'." + did_you_mean(str(scale), ("linear", "log"))
        )
    found = growth(ensemble) if growth_of is None and ensemble.runs >= MIN_RUNS else growth_of
    new = np.asarray(ensemble.new_by_step)
    hours = ensemble.hours if isinstance(ensemble, SIPSEnsemble) else np.full(new.shape[1], np.nan)
    unit = float(hours[1]) if hours.size > 1 and np.isfinite(hours[1]) else 1.0
    in_hours = hours.size > 1 and bool(np.isfinite(hours[1]))
    x = np.arange(new.shape[1]) * unit
    with style():
        from matplotlib.ticker import FuncFormatter

        ax = new_axes(ax)
        # Generations are no slices of time: the window and the fit of one are not drawn over the other.
        fitted = found is not None and found.first >= 0 and not in_hours
        if found is not None and fitted:
            ax.axvspan(found.first - 0.15, found.last + 0.15, color=_SHADE, linewidth=0, zorder=0)
        if scale == "linear":
            low, middle, high = np.quantile(np.cumsum(new, axis=1), (0.025, 0.5, 0.975), axis=0)
            band(ax, x.tolist(), low.tolist(), middle.tolist(), high.tolist(), colour=PALETTE[0])
            ax.set_ylim(0, 1.05 * max(float(high.max(initial=0)), 1.0))
            ax.yaxis.set_major_formatter(FuncFormatter(compact))
            ax.set_ylabel("users reached")
            what = "median"
        else:
            low, high = np.maximum(np.quantile(new, (0.025, 0.975), axis=0), 0.01)
            mean = new.mean(axis=0)
            line = np.where(mean > 0, mean, np.nan)
            band(ax, x.tolist(), low.tolist(), line.tolist(), high.tolist(), colour=PALETTE[0])
            if found is not None and fitted and found.R.value > 0:
                _fitted(ax, found, mean)
            ax.set_ylim(0.5, 2 * max(float(high.max(initial=1)), 5.0))
            log_axis(ax, "y")
            ax.set_ylabel("new users in the step")
            what = "mean"
        if found is not None:
            ratio = spelled(found.R.value, found.R.low, found.R.high)
            ax.set_title(f"{found.phase}: R = {ratio}" + " a generation" * in_hours)
        shade = "; grey: steps of the fit" if fitted else ""
        ax.set_xlabel(f"{'hours' if in_hours else 'step'}\n{what} and middle 95 % of {ensemble.runs:,} runs{shade}")
    return ax


def _fitted(ax: Axes, found: Growth, mean: Floats) -> None:
    """Draw new users as R^t through the window, at the height that fits best, weighted with new users."""
    t = np.arange(found.first, min(found.last + 1, mean.size))
    t = t[mean[t] > 0]
    if t.size < 2:
        return
    start = float(np.average(np.log(mean[t]) - t * np.log(found.R.value), weights=mean[t]))
    ax.plot(t, np.exp(start + t * np.log(found.R.value)), color=PALETTE[1], linestyle=(0, (4, 2)))
    doubling = found.doubling_time.value
    if np.isfinite(doubling):
        words = f"doubles every {doubling:.3g} steps"
        ax.text(0.98, 0.97, words, color="#b34f00", fontsize=10, ha="right", va="top", transform=ax.transAxes)


# --- tables of studies
# -------------------------------------------------------------------------------------------------


def plot_reach_against_mixing(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    by: str | None = "strategy",
    y: str = "reach",
    label: str = "users reached",
    interval: str = "95 % interval",
) -> Axes:
    """Plot reach against the share of arcs between communities, one line a strategy.

    Parameters
    ----------
    table : DataFrame
        Columns ``mixing``, `y`, and where there are intervals `y` with ``_low`` and ``_high``; `by`; ``runs`` where
        known.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    by : str or None
        Column that tells lines apart, at most 12 of them; ``"random"`` is grey.
    y, label : str
        What is drawn, and how the axis says it.
    interval : str
        What the bands are.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    NotFoundError
        A column that the table does not have.
    InputError
        No rows, or more than 12 lines.

    See Also
    --------
    StudyResult, rewire_mixing, plotting.plot_reach_curve

    Examples
    --------
    >>> table = pd.DataFrame({"mixing": [0.1, 0.3, 0.5], "reach": [50.0, 90.0, 20.0]})
    >>> len(plot_reach_against_mixing(table, by=None).lines)
    1
    """
    columns = ["mixing", y] + ([] if by is None else [by])
    for column in columns:
        if column not in table.columns:
            raise NotFoundError(
                f"the table has no column {column!r}: there are {', '.join(map(str, table.columns))}."
                + did_you_mean(column, [str(c) for c in table.columns])
            )
    if not len(table):
        raise InputError("the table has no rows: give one a mixing and strategy")
    lines: list[tuple[Any, pd.DataFrame]] = [("", table)] if by is None else list(table.groupby(by, sort=False))
    if len(lines) > len(PALETTE):
        raise InputError(f"{len(lines):,} lines cannot be told apart: choose at most {len(PALETTE)} values of {by!r}")
    colours = strategy_colours(str(name) for name, _ in lines)
    markers = strategy_markers(str(name) for name, _ in lines)
    banded = f"{y}_low" in table.columns and f"{y}_high" in table.columns
    with style():
        ax = new_axes(ax)
        for name, part in lines:
            rows, key = part.sort_values("mixing"), str(name)
            x, middle = rows["mixing"].tolist(), rows[y].tolist()
            low, high = (rows[f"{y}_{end}"].tolist() if banded else middle for end in ("low", "high"))
            band(ax, x, low, middle, high, colour=colours[key], marker=markers[key])
            ax.lines[-1].set_label(key)
        ax.set_ylim(bottom=0)
        runs = table["runs"] if "runs" in table.columns else None
        note = ""
        if banded:
            many = "" if runs is None else f" over {compact(runs.min())}"
            if runs is not None:
                many += (f" to {compact(runs.max())}" if runs.min() != runs.max() else "") + " runs"
            note = f"\nbands: {interval}{many}"
        ax.set_xlabel("mixing: share of arcs between communities" + note)
        ax.set_ylabel(label)
        if by is not None:
            # In the order in which the lines end, so that the eye finds its way.
            handles, names = ax.get_legend_handles_labels()
            last = {str(name): float(part.sort_values("mixing")[y].iloc[-1]) for name, part in lines}
            order = sorted(range(len(names)), key=lambda i: -last.get(names[i], 0.0))
            ax.legend([handles[i] for i in order], [names[i] for i in order], loc="best")
    return ax


def plot_cost_by_tier(
    costs: Mapping[str, SIPSEnsemble | pd.Series[float]],
    ax: Axes | None = None,
    *,
    per: Literal["reach", "participation", "share"] = "reach",
    currency: str = "RMB",
) -> Axes:
    """Plot what one user reached, one participation or one share costs, by creator tier, with intervals.

    Parameters
    ----------
    costs : mapping of tier to SIPSEnsemble or Series
        Ensembles whose graph holds prices, or what `SIPSEnsemble.costs` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    per : {"reach", "participation", "share"}
    currency : str

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        Nothing to draw, or something else than ensembles and costs.
    NotFoundError
        Another `per`.

    See Also
    --------
    models.SIPSEnsemble, plotting.plot_funnel

    Examples
    --------
    >>> one = pd.Series({"cost_per_reach": 0.5, "cost_per_reach_low": 0.4, "cost_per_reach_high": 0.7})
    >>> [tick.get_text() for tick in plot_cost_by_tier({"tail": one}).get_yticklabels()]
    ['tail']
    """
    kinds = ("reach", "participation", "share")
    if per not in kinds:
        raise NotFoundError(f"per={per!r} is unknown: give {', '.join(kinds)}." + did_you_mean(str(per), kinds))
    if not costs:
        raise InputError("there is nothing to draw: give a mapping of tier to ensemble")
    rows: dict[str, pd.Series[float]] = {}
    runs: set[int] = set()
    for name, given in costs.items():
        check_kind(
            given, (SIPSEnsemble, pd.Series), "an ensemble or its costs", "give SIPSEnsemble or ensemble.costs(prices)"
        )
        if isinstance(given, SIPSEnsemble):
            runs.add(given.runs)
            given = given.costs()
        if f"cost_per_{per}" not in given.index:
            raise InputError(f"the costs of {name!r} hold no 'cost_per_{per}': give what SIPSEnsemble.costs returns")
        rows[str(name)] = given
    colours = strategy_colours(rows)
    table = np.array([[row[f"cost_per_{per}{end}"] for end in ("_low", "", "_high")] for row in rows.values()])
    finite = table[np.isfinite(table) & (table > 0)]
    with style():
        ax = new_axes(ax, height=1.4 + 0.42 * len(rows))
        middle = np.where(np.isfinite(table[:, 1]), table[:, 1], np.nan)
        top = 2 * float(finite.max()) if finite.size else 1.0
        intervals(
            ax,
            table[:, 0].tolist(),
            middle.tolist(),
            np.minimum(table[:, 2], top).tolist(),
            list(range(len(rows))),
            colours=[colours[name] for name in rows],
        )
        for i, value in enumerate(middle):
            words = f"{value:.3g}" if np.isfinite(value) else "nobody: no cost"
            at = (value, i) if np.isfinite(value) else (top / 1.9, i)
            ax.annotate(words, at, (0, 7), textcoords="offset points", ha="center", fontsize=10)
        ax.set_ylim(len(rows) - 0.5, -0.7)
        ax.set_yticks(range(len(rows)), list(rows))
        ax.tick_params(axis="y", length=0)
        if finite.size and finite.max() > 8 * finite.min():
            ax.set_xlim(finite.min() / 1.6, 1.3 * finite.max())
            log_axis(ax, "x")
        else:
            ax.set_xlim(0, (1.15 * float(finite.max())) if finite.size else 1.0)
        what = {"reach": "user reached", "participation": "participation", "share": "share"}[per]
        over = f", {runs.pop():,} runs" if len(runs) == 1 else ""
        ax.set_xlabel(f"{currency} for each {what} (95 % interval{over})")
    return ax
