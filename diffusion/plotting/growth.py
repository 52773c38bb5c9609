"""Growth: new activations by step, R by reach, and the number of seeds from which on cascades are likely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..simulation.critical_mass import Ignition
from ..simulation.phase import Reproduction
from .layout import check_kind, new_axes, plain_axes
from .style import GREY, PALETTE, band, compact, log_axis, spelled, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_growth", "plot_ignition", "plot_reproduction"]


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
            R = result.R
            known = R.value == R.value
            ax.set_title(
                f"{result.phase}: R = {spelled(R.value, R.low, R.high)}"
                if known
                else f"phase of growth: {result.phase}"
            )
            top = float(table["new"].max()) if len(table) else 1.0
        ax.set_ylim(floor, max(2 * top, 10))
        log_axis(ax, "y")
        ax.set_xlabel("step")
        ax.set_ylabel("new active users")
    return ax


def plot_reproduction(result: Reproduction, ax: Axes | None = None) -> Axes:
    """Plot R of typical sharers against the reach so far, with the fit, the predicted R and the line of 1.

    Parameters
    ----------
    result : Reproduction
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
    simulation.Reproduction, plotting.plot_growth
    """
    check_kind(result, Reproduction, "a Reproduction", "give what simulation.reproduction returned")
    table = result.by_reach[result.by_reach["reach"] > 0]
    with style():
        ax = new_axes(ax)
        ax.axhline(1.0, color=GREY, linewidth=0.8)
        if result.predicted == result.predicted:
            ax.axhline(result.predicted, color=PALETTE[1], linestyle=":", label="predicted")
        if len(table):
            ax.plot(table["reach"], table["R"], color=PALETTE[0], marker="o", linestyle="", label="measured")
            if table["fitted"].notna().any():
                ax.plot(
                    table["reach"], table["fitted"], color=PALETTE[0], linestyle="--", linewidth=1.0, label="fitted"
                )
            ax.set_xlim(float(table["reach"].min()) / 1.2, 1.2 * float(table["reach"].max()))
            log_axis(ax, "x")
        ax.set_ylim(bottom=0)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(loc="best")
        known = result.R.value == result.R.value
        says = f": R = {spelled(result.R.value, result.R.low, result.R.high)}" if known else ""
        ax.set_title(f"{result.phase}{says}")
        ax.set_xlabel(f"users reached so far, pooled over {compact(result.runs)} runs")
        ax.set_ylabel("R: sharers that one sharer makes")
    return ax


def plot_ignition(result: Ignition, ax: Axes | None = None) -> Axes:
    """Plot the probability of a global cascade against the number of seeds, with its interval, and the critical mass.

    Parameters
    ----------
    result : Ignition
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
    simulation.Ignition
    """
    check_kind(result, Ignition, "an Ignition", "give what simulation.ignition returned")
    from matplotlib.ticker import MaxNLocator

    table, critical = result.by_size.sort_values("seeds"), result.critical
    with style():
        ax = new_axes(ax)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        seeds, low, middle, high = (table[name].tolist() for name in ("seeds", "low", "probability", "high"))
        band(ax, seeds, low, middle, high, colour=PALETTE[0], marker="o")
        ax.axhline(0.5, color=GREY, linewidth=0.8)
        most = 1.05 * max(table["seeds"].max() if len(table) else 1.0, 1.0)
        if critical.value == critical.value:
            ax.axvspan(critical.low, min(critical.high, most), color="#e9e9e9", linewidth=0, zorder=0)
            ax.axvline(critical.value, color=PALETTE[1], linestyle="--")
            ends = spelled(critical.value, critical.low, critical.high)
            ax.set_title(f"More likely than not from {ends} seed{'s' * (critical.value != 1)} on")
        elif len(table):
            ax.set_title(f"Less likely than not up to {compact(table['seeds'].max())} seeds")
        else:
            ax.set_title("No number of seeds leaves enough users to reach")
        ax.set_xlim(0, most)
        ax.set_ylim(-0.02, 1.02)
        runs = f"{compact(result.runs)} run{'s' * (result.runs != 1)}"
        ax.set_xlabel(f"seeds\nband: {critical.confidence:.0%} interval, {runs}".replace("%", " %"))
        ax.set_ylabel(f"probability to reach {100 * result.share:.3g} % of the users")
    return ax
