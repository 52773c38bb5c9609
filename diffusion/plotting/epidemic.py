"""Compartments over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .layout import new_axes
from .style import PALETTE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_compartments"]


def plot_compartments(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the nodes in every compartment over time: means over runs, and the band that holds the middle 95 % of runs.

    Parameters
    ----------
    result : EpidemicEnsemble
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `result` has no compartments.
    """
    if not hasattr(result, "curves"):
        raise InputError(
            f"{type(result).__name__} has no compartments to plot: give the result of simulate with models.SIR, SEIR, SIS, "
            "SIRS or Rumour"
        )
    with style():
        ax = new_axes(ax)
        table = result.curves()
        for colour, (name, rows) in zip(PALETTE, table.groupby("compartment", sort=False), strict=False):
            ax.fill_between(rows["time"], rows["lower"], rows["upper"], color=colour, alpha=0.15, linewidth=0)
            ax.plot(rows["time"], rows["mean"], color=colour, label=str(name))
        ax.legend(frameon=False)
        ax.set_ylim(0, None)
        ax.set_xlim(0, None)
        ax.set_xlabel("time")
        ax.set_ylabel("nodes")
    return ax
