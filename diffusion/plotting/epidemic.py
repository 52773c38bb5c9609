"""Compartments over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .layout import new_axes
from .style import INK, PALETTE, compact, spelled, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_compartments"]

_DASHES = ("-", "--", "-.", ":")
_COARSE = 8  # steps below which a time grid hides the course
_LEVEL = 0.95  # of its largest value: a curve that ends above has no peak to speak of


def plot_compartments(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the nodes in every compartment over time: means over runs, and the band that holds the middle 95 % of runs.

    The title says where the mean of the infected (of rumours: of the spreaders) has its peak, or where it ends. The axis
    ends when 99 % of runs have ended. Where that is less than 8 steps of the time grid, every step has a marker.

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

    See Also
    --------
    models.SIR, models.EpidemicEnsemble

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(300, rng=7)
    >>> ens = dif.simulate(g, [0], model=dif.models.SIR(transmission=0.5, width=0.25), runs=200, rng=7)
    >>> plot_compartments(ens).get_ylabel()
    'nodes'
    """
    if not hasattr(result, "curves"):
        raise InputError(
            f"{type(result).__name__} has no compartments to plot: give the result of simulate with models.SIR, SEIR, SIS, "
            "SIRS, Rumour or TemporalSIR"
        )
    until = result.settled
    shown = result.times <= until
    times = result.times[shown]
    coarse = times.size <= _COARSE
    with style():
        beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if ax is None else {}
        ax = new_axes(ax, width=7.6)
        bands = False
        for k, name in enumerate(result.model.compartments):
            colour, dash = PALETTE[k % len(PALETTE)], _DASHES[k % len(_DASHES)]
            counts = result.counts(name)[:, shown]
            mean = counts.mean(axis=0)
            low, high = np.quantile(counts, [0.025, 0.975], axis=0)
            if (low < high).any():
                bands = True
                ax.fill_between(times, low, high, color=colour, alpha=0.09, linewidth=0)
                for edge in (low, high):  # where bands overlap, their outlines tell them apart
                    ax.plot(times, edge, color=colour, linestyle=dash, linewidth=0.6, alpha=0.8)
            marker = "o" if coarse else None
            ax.plot(times, mean, color=colour, linestyle=dash, marker=marker, markersize=4, label=str(name))
            if name == result.model.crowded:
                title, at = _finding(result, mean, times)
                if at is not None:
                    ax.plot([times[at]], [mean[at]], "o", color=INK, markerfacecolor="none", markersize=7, zorder=4)
        runs = f"{compact(result.runs)} run{'s' if result.runs != 1 else ''}"
        says = f"mean of {runs}" if result.runs > 1 else runs
        ax.legend(title=says + (",\nband: middle 95 % of them" if bands else ""), alignment="left", **beside)
        ax.set_ylim(0, None)
        ax.set_xlim(times[0], times[-1] if times.size > 1 else None)
        ax.set_xlabel(_axis(result, until, coarse))
        ax.set_ylabel("nodes")
        ax.set_title(title)
    return ax


def _finding(result: Any, mean: NDArray[np.float64], times: NDArray[np.float64]) -> tuple[str, int | None]:
    """What the curve of the crowded compartment shows, and the step of its peak, where it has one."""
    name = result.model.crowded
    who = name.capitalize() + ("" if name.endswith("ed") else "s")
    of = f"{compact(result.graph.n_nodes)} nodes"
    at = int(mean.argmax())
    if mean[at] == 0:
        return ("Nobody is reached" if not result.sizes.any() else f"No node is ever {name}"), None
    if at == 0:
        return f"{who} are never more than the {spelled(mean[0])} at the start", None
    if mean[-1] >= _LEVEL * mean[at]:
        return f"{who} are {spelled(mean[-1])} of {of} at time {spelled(times[-1])}", None
    return f"{who} peak at {spelled(mean[at])} of {of} at time {spelled(times[at])}", at


def _axis(result: Any, until: float, coarse: bool) -> str:
    """The clock, where it is cut, and whether its steps are too long to show the course."""
    text: str = result.grid.name
    if until < result.times[-1]:
        text += f" (99 % of runs have ended by {spelled(until)})"
    if coarse:
        text += f"\nsteps of {spelled(result.grid.width)} are coarse here: a smaller width= shows more"
    return text
