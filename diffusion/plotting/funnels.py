"""Figures of calibrated funnels, in the style of `plotting`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._random import generator
from ..inference.funnel_fit import FunnelFit
from .layout import check_kind, new_axes
from .style import GREY, PALETTE, intervals, log_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_funnel_rates"]


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
