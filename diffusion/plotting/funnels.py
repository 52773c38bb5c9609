"""Figures of calibrated funnels, in the style of `plotting`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._random import generator
from ..inference.funnel_fit import EtaFit, FunnelFit
from ..inference.rates import RateFit
from .layout import check_kind, new_axes
from .style import GREY, PALETTE, compact, intervals, log_axis, spelled, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_eta", "plot_funnel_rates", "plot_rates"]


def plot_funnel_rates(result: FunnelFit, ax: Axes | None = None) -> Axes:
    """Plot how often each action follows an exposure: the mean over creators with its interval, over creators' own rates.

    Parameters
    ----------
    result : FunnelFit
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
    inference.fit_funnel, inference.FunnelFit, plotting.plot_funnel
    """
    check_kind(result, FunnelFit, "a FunnelFit", "give what fit_funnel returned")
    with style():
        ax = new_axes(ax, 6.4, 0.8 + 0.75 * len(result.rates))
        table = result.table
        for row, fit in enumerate(result.rates.values()):
            own = np.sort(fit.units["rate"].to_numpy())
            jitter = generator(len(own)).permutation(np.linspace(0.12, 0.38, len(own)))
            name = f"a creator ({result.n_creators:,}), shrunk" if row == 0 else None
            ax.scatter(own, row + jitter, s=9, alpha=0.45, linewidths=0, color=GREY, label=name)
        middle = table["rate"].tolist()
        ends = (table["low"].tolist(), middle, table["high"].tolist(), list(range(len(table))))
        intervals(ax, *ends, colours=[PALETTE[0]] * len(table))
        ax.lines[-1].set_label(f"mean over creators, {result.confidence:.0%} interval")
        ax.set_yticks(range(len(table)), [f"{fit.name}\n({step})" for step, fit in result.rates.items()])
        ax.set_ylim(len(table) - 0.45, -0.35)
        ax.grid(visible=False, axis="y")
        log_axis(ax, "x")
        ax.set_xlabel(f"per {result.per}{' and note' if result.per == 'follower' else ''}")
        ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2, handletextpad=0.4, borderaxespad=0.2)
    return ax


def plot_rates(result: RateFit, ax: Axes | None = None) -> Axes:
    """Plot the rate of every unit with its interval, the smallest first, and the mean over units with its own.

    Parameters
    ----------
    result : RateFit
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
    inference.RateFit
    """
    check_kind(result, RateFit, "a RateFit", "give what inference.fit_attention returned, or a rate of fit_funnel")
    units = result.units.sort_values("rate", kind="stable")
    with style():
        ax = new_axes(ax)
        at = np.arange(1, len(units) + 1)
        ax.vlines(at, units["low"], units["high"], color=GREY, linewidth=0.8, alpha=0.6)
        ax.plot(at, units["rate"], "o", color=GREY, markersize=3, label="a unit, shrunk, with its interval")
        ax.axhspan(result.low, result.high, color=PALETTE[0], alpha=0.25, linewidth=0)
        ax.axhline(result.rate, color=PALETTE[0], label=f"mean over units, {result.confidence:.0%} interval")
        ax.set_ylim(bottom=0)
        ax.set_title(f"{result.name} per exposure: {spelled(result.rate, result.low, result.high)}")
        ax.set_xlabel(f"{compact(len(units))} units, in order of their rate")
        ax.set_ylabel("rate per exposure")
        ax.legend(loc="upper left")
    return ax


def plot_eta(result: EtaFit, ax: Axes | None = None) -> Axes:
    """Plot the distribution of the draws of eta, its interval and its value.

    Parameters
    ----------
    result : EtaFit
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
    inference.EtaFit
    """
    check_kind(result, EtaFit, "an EtaFit", "give what FunnelFit.eta returned")
    with style():
        ax = new_axes(ax)
        ax.axvspan(result.low, result.high, color="#e9e9e9", linewidth=0, zorder=0)
        ax.hist(result.draws, bins=min(50, max(5, int(len(result.draws) ** 0.5))), color=PALETTE[0], alpha=0.7)
        ax.axvline(result.eta, color=PALETTE[1])
        ax.set_title(f"eta = {spelled(result.eta, result.low, result.high)} at attention {result.attention:g}")
        ax.set_xlabel(
            f"share of stated intentions acted upon (grey: {result.confidence:.0%} interval)".replace("%", " %")
        )
        ax.set_ylabel(f"draws of {compact(len(result.draws))}")
    return ax
