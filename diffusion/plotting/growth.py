"""New activations by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .layout import plain_axes
from .style import PALETTE, band, log_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_growth"]


def plot_growth(result: Any, ax: Axes | None = None) -> Axes:
    """Plot new activations by step on a logarithmic axis.

    Parameters
    ----------
    result : Ensemble or Growth
        Of an ensemble: the median over runs and the band that holds the middle 95 % of them. Of a growth: the mean,
        with the fitted steps in grey and the verdict above.
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
    growth, simulation.Growth
    """
    table = result.by_step() if hasattr(result, "by_step") else getattr(result, "R_by_step", None)
    if table is None:
        raise InputError(f"{type(result).__name__} cannot be plotted as growth: give an Ensemble or a Growth")
    with style():
        ax = plain_axes(ax)
        floor = 0.6
        if "median" in table:
            # A logarithmic axis has no zero: the band goes on below the axis, the line ends.
            low, high = table["low"].clip(lower=floor / 2), table["high"].clip(lower=floor / 2)
            line = table["median"].where(table["median"] > 0)
            band(ax, table["step"].tolist(), low.tolist(), line.tolist(), high.tolist(), colour=PALETTE[0], marker="o")
            top = float(table["high"].max()) if len(table) else 1.0
        else:
            if result.first >= 0:
                ax.axvspan(result.first - 0.15, result.last + 0.15, color="#e9e9e9", linewidth=0, zorder=0)
            ax.plot(table["step"], table["new"].where(table["new"] > 0), color=PALETTE[0], marker="o")
            ax.set_title(f"{result.phase}: R = {result.R.value:.3g} [{result.R.low:.3g}, {result.R.high:.3g}]")
            top = float(table["new"].max()) if len(table) else 1.0
        ax.set_ylim(floor, max(2 * top, 10))
        log_axis(ax, "y")
        ax.set_xlabel("step")
        ax.set_ylabel("new active users")
    return ax
