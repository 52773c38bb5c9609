"""Figures of what logs teach: exposure response, predictive check, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._validation import whole
from ..inference.action_log import ActionLog
from ..inference.credit_distribution import CreditDistribution
from ..inference.exposure import ExposureResponse
from ..inference.fit import FittedProbabilities
from ..inference.predictive import PredictiveCheck
from ..inference.scores import FitComparison
from .layout import bars, check_kind, new_axes, shares_at_least
from .style import GREY, INK, compact, log_axis, spelled, strategy_colours, strategy_markers, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_calibration",
    "plot_credits",
    "plot_exposure_response",
    "plot_learned",
    "plot_log",
    "plot_predictive_check",
]

ORDINALS = {2: "second", 3: "third"}


def plot_exposure_response(result: ExposureResponse, ax: Axes | None = None) -> Axes:
    """Plot the probability to adopt against active neighbours, beside independent contagion; the title is the verdict.

    Parameters
    ----------
    result : ExposureResponse
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `result` is something else.

    See Also
    --------
    inference.exposure_response, inference.ExposureResponse
    """
    from matplotlib.ticker import MaxNLocator

    check_kind(result, ExposureResponse, "an ExposureResponse", "give what exposure_response returned")
    table = result.table[result.table["exposed"] > 0]
    with style():
        ax = new_axes(ax)
        p = table["probability"].to_numpy()
        reach = np.abs(table[["low", "high"]].to_numpy().T - p)
        ax.plot(table.index, table["independent"], "--", color=GREY, label="independent contagion from p(1)")
        colour = strategy_colours(["observed"])["observed"]
        ax.errorbar(table.index, p, yerr=reach, fmt="o", color=colour, capsize=2.5, linewidth=1.2, label="observed")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        top = max(1.35 * p.max(), 1.15 * table["independent"].max(), 1.3 * float(table["low"].max()))
        ax.set_ylim(0, min(max(top, 1e-9), 1.02 if top > 1 else top))  # a wide interval of few may leave the axes
        ax.set(xlabel="active neighbours", ylabel="probability to adopt")
        ax.set_title(_response_title(result))
        ax.legend(loc="best")
    return ax


def _response_title(result: ExposureResponse) -> str:
    if result.kind == "snapshot":
        return "Two snapshots: a curve, but no hazards"
    ratio, which = result.ratio, ORDINALS.get(result.level, f"{result.level}th")
    text = f"{ratio.value:.3g} [{ratio.low:.3g}, {ratio.high:.3g}] times the hazard of the first"
    if not np.isfinite(ratio.value):
        text = f"at least {ratio.low:.3g} times the hazard of the first"
    if np.isnan(ratio.value):
        text = "no adoption to compare with the first"
    return f"{result.verdict.capitalize()}: the {which} neighbour has\n{text}"


def plot_predictive_check(result: PredictiveCheck, ax: Axes | None = None) -> Axes:
    """Plot how many cascades have at least so many adopters beyond their roots: observed, and in the bands of the models.

    Parameters
    ----------
    result : PredictiveCheck
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `result` is something else.

    See Also
    --------
    inference.predictive_check, inference.PredictiveCheck
    """
    check_kind(result, PredictiveCheck, "a PredictiveCheck", "give what predictive_check returned")
    most = max(int(result.observed_sizes.max()), *(int(sizes.max()) for sizes in result.sizes.values()), 2)
    grid = np.unique(np.geomspace(1, most, 200).astype(np.int64))
    tail = (1 - result.confidence) / 2
    colours, fine = strategy_colours(result.sizes), result.reproduced
    floor = 0.5 / result.log.n_items
    with style():
        ax = new_axes(ax)
        for name, sizes in result.sizes.items():
            shares = np.array([_at_least(row, grid) for row in sizes])
            low, middle, high = np.quantile(shares, [tail, 0.5, 1 - tail], axis=0)
            label = f"{name}: {'reproduced' if fine[name] else 'not reproduced'}"
            ax.fill_between(
                grid,
                np.maximum(low, floor / 2),
                np.maximum(high, floor / 2),
                color=colours[name],
                alpha=0.22,
                linewidth=0,
            )
            ax.plot(grid, np.where(middle > 0, middle, np.nan), color=colours[name], linewidth=1.2, label=label)
        observed = _at_least(result.observed_sizes, grid)
        ax.plot(grid, np.where(observed > 0, observed, np.nan), color=INK, linewidth=2.2, label="observed")
        ax.set_xlim(1, most * 1.1)
        ax.set_ylim(floor, 1.3)
        log_axis(ax, "x")
        log_axis(ax, "y")
        ax.set(xlabel="adopters beyond the roots", ylabel="share of cascades with at least so many")
        ax.set_title(_check_title(fine))
        ax.legend(loc="lower left")
    return ax


def _at_least(sizes: Any, grid: Any) -> Any:
    return 1 - np.searchsorted(np.sort(sizes), grid, side="left") / sizes.size


def _check_title(fine: pd.Series[bool]) -> str:
    if len(fine) == 1:
        return f"{fine.index[0]} {'reproduces' if fine.iloc[0] else 'does not reproduce'} the observed cascades"
    if not fine.any():
        return f"None of {len(fine)} models reproduces the observed cascades"
    if fine.sum() == 1:
        return f"Of {len(fine)} models {fine.index[fine][0]} alone reproduces the observed cascades"
    return f"{fine.sum()} of {len(fine)} models reproduce the observed cascades"


def plot_calibration(comparison: FitComparison, ax: Axes | None = None) -> Axes:
    """Plot observed shares of adoption against predicted probabilities; a calibrated fit lies on the diagonal.

    Parameters
    ----------
    comparison : FitComparison
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `comparison` is something else.

    See Also
    --------
    inference.compare_fits, inference.FitComparison

    Notes
    -----
    Axes are logarithmic: bins with a predicted probability of 0 are left out, and an observed share of 0 shows by the upper
    end of its interval alone.
    """
    check_kind(comparison, FitComparison, "a FitComparison", "give what compare_fits returned")
    curves = comparison.calibration
    names = curves.index.get_level_values("fit").unique()
    shown = curves[(curves["predicted"] > 0) & (curves["high"] > 0)]
    values = shown[["predicted", "observed"]].to_numpy()
    floor, top = float(values[values > 0].min()) / 2, min(2 * float(values.max()), 1.2)
    colours, markers = strategy_colours(names), strategy_markers(names)
    with style():
        ax = new_axes(ax, 5.6, 5.0)
        ax.plot([floor, top], [floor, top], color=GREY, linewidth=1, linestyle=":", zorder=1)
        for name in names:
            rows = shown.loc[[name]]
            low, high = rows["low"].clip(lower=floor), rows["high"].clip(lower=floor)
            ax.vlines(rows["predicted"], low, high, color=colours[name], linewidth=1, alpha=0.6)
            line = rows["observed"].where(rows["observed"] > 0)
            ax.plot(rows["predicted"], line, color=colours[name], marker=markers[name], linewidth=1, label=name)
        ax.set_xlim(floor, top)
        ax.set_ylim(floor, top)
        log_axis(ax, "x")
        log_axis(ax, "y")
        ax.set(xlabel="predicted probability", ylabel="observed share of adoptions")
        gap = (curves["predicted"] - curves["observed"]).abs() * curves["pairs"]
        off = gap.groupby(level="fit").sum() / curves["pairs"].groupby(level="fit").sum()
        ax.set_title(f"{off.idxmin()} is closest to the diagonal:\noff by {100 * off.min():.2g} points on average")
        ax.legend(loc="upper left")
    return ax


def plot_log(log: ActionLog, ax: Axes | None = None) -> Axes:
    """Plot which share of the items has at least so many adopters, on logarithmic axes.

    Parameters
    ----------
    log : ActionLog
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `log` is something else.

    See Also
    --------
    inference.ActionLog
    """
    check_kind(log, ActionLog, "an action log", "give what inference.read_actions returned")
    with style():
        ax = new_axes(ax)
        shares_at_least(ax, log.sizes.to_numpy(), "items", "adopters of an item")
        ax.set_title(
            f"{compact(len(log))} adoptions of {compact(log.n_items)} items, {log.sizes.median():g} (median) an item"
        )
    return ax


def plot_learned(result: FittedProbabilities, ax: Axes | None = None) -> Axes:
    """Plot which share of the arcs has at least such a probability, on logarithmic axes; zeros lie left of them.

    Parameters
    ----------
    result : FittedProbabilities
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `result` is something else.

    See Also
    --------
    inference.FittedProbabilities, plotting.plot_calibration
    """
    check_kind(result, FittedProbabilities, "what was learned", "give what inference.fit_probabilities returned")
    p = result.found.probability
    with style():
        ax = new_axes(ax)
        shares_at_least(ax, p, "arcs", "probability learned")
        ax.set_ylabel("share of arcs with at least this probability")
        text = f"{compact(p.size)} arcs, mean probability {spelled(float(p.mean()))}" if p.size else "no arc"
        if np.isfinite(result.explained):
            text += f"\n{100 * result.explained:.3g} % of the adoptions explained by followed users"
        ax.set_title(text)
    return ax


def plot_credits(result: CreditDistribution, ax: Axes | None = None, *, most: int = 20) -> Axes:
    """Plot the users that have most credit by themselves.

    Parameters
    ----------
    result : CreditDistribution
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    most : int
        Users drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `result` is something else, or `most` below 1.

    See Also
    --------
    inference.CreditDistribution
    """
    check_kind(result, CreditDistribution, "a credit distribution", "give what inference.credit_distribution returned")
    top = result.gains().sort_values(ascending=False, kind="stable").iloc[: whole(most, "most", least=1)]
    with style():
        ax = new_axes(ax, height=1.5 + 0.28 * len(top))
        bars(ax, top.index.tolist(), top.tolist(), "credit: expected number of users that adopt")
        ax.set_title(f"The {len(top)} users of {compact(result.graph.n_nodes)} with most credit by themselves")
    return ax
