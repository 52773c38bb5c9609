"""Plots of what money buys: reach by budget, the least money for a reach, other prices, and substitutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..seeding.budget_curve import BudgetCurve
from ..seeding.min_budget import MinBudget
from ..seeding.price_sensitivity import PriceSensitivity
from ..seeding.substitutes import Substitutes
from .layout import check_kind, name_rows, new_axes
from .style import GREY, PALETTE, band, compact, intervals, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_budget_curve", "plot_min_budget", "plot_price_sensitivity", "plot_substitutes"]


def plot_budget_curve(result: Any, ax: Axes | None = None) -> Axes:
    """Plot reach against budget with its band, and the upper bound of what any seeds for that money reach.

    Parameters
    ----------
    result : BudgetCurve
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
    seeding.budget_curve, plotting.plot_min_budget
    """
    check_kind(result, BudgetCurve, "a BudgetCurve", "give what seeding.budget_curve returned")
    from matplotlib.ticker import MaxNLocator

    budget, low, reach, high, upper = (
        result.table[name].tolist() for name in ("budget", "low", "reach", "high", "upper")
    )
    with style():
        ax = new_axes(ax)
        band(ax, budget, low, reach, high, colour=PALETTE[0], marker="o")
        ax.plot(budget, upper, color=GREY, linewidth=0.9, label="no seeds for this budget reach more")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
        ax.legend(loc="lower right")
        ax.set_xlabel("budget")
        ax.set_ylabel("users reached" if result.unit == "nodes" else "weight reached")
        ax.set_title(f"What each budget reaches (all bounds hold at once: {result.confidence:.0%})".replace("%", " %"))
    return ax


def plot_min_budget(result: Any, ax: Axes | None = None) -> Axes:
    """Plot what the seeds reach, one after the other, against what they cost, up to the target.

    Parameters
    ----------
    result : MinBudget
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
    seeding.min_budget, plotting.plot_budget_curve
    """
    check_kind(result, MinBudget, "a MinBudget", "give what seeding.min_budget returned")
    from matplotlib.ticker import MaxNLocator

    table = result.table
    with style():
        ax = new_axes(ax)
        cost, reach = [0.0, *table["cost"]], [result.existing_spread, *table["reach"]]
        ax.plot(cost, reach, color=PALETTE[0], marker="o" if len(table) < 30 else None, label="estimated")
        ax.plot(table["cost"], table["low"], color=PALETTE[0], linewidth=0.9, linestyle="--", label="certified")
        ax.axhline(result.target, color=GREY, linewidth=0.9, label="asked for")
        if result.cheapest > 0:
            label = "no seeds that reach it cost less"
            ax.axvline(result.cheapest, color=GREY, linewidth=0.9, linestyle=":", label=label)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
        ax.set_xlim(0, 1.05 * result.cost if result.cost > 0 else 1.0)
        ax.set_ylim(bottom=0)
        ax.legend(loc="lower right")
        ax.set_xlabel("money spent")
        ax.set_ylabel("users reached" if result.unit == "nodes" else "weight reached")
        ax.set_title(f"{compact(round(result.cost, 2))} for a reach of {compact(result.target)}")
    return ax


def plot_price_sensitivity(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the reach of each case with its interval, the given prices on top, and how many of the seeds stay.

    Parameters
    ----------
    result : PriceSensitivity
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
    seeding.price_sensitivity, plotting.plot_budget_curve
    """
    check_kind(result, PriceSensitivity, "a PriceSensitivity", "give what seeding.price_sensitivity returned")
    table, n = result.table, len(result.creators)
    names = [
        f"{row.change:+.0%}{f', draw {row.draw}' if row.draw else ''}: {row.stay:,} of {n:,} stay".replace("%", " %")
        for row in table.iloc[1:].itertuples()
    ]
    with style():
        ax = new_axes(ax, height=1.6 + 0.3 * len(table))
        low, reach, high = (table[column].tolist() for column in ("low", "reach", "high"))
        rows = [float(row) for row in range(len(table))]
        intervals(ax, low, reach, high, rows, colours=[PALETTE[1], *[PALETTE[0]] * (len(table) - 1)])
        ax.axvline(reach[0], color=GREY, linewidth=0.9)
        name_rows(ax, ["given prices", *names])
        ax.set_xlabel("users reached" if result.unit == "nodes" else "weight reached")
        ax.set_title(f"A budget of {compact(result.budget)} at other prices")
    return ax


def plot_substitutes(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the loss with each candidate and its interval, and the loss with nobody as a line.

    Parameters
    ----------
    result : Substitutes
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
    seeding.substitutes, plotting.plot_price_sensitivity
    """
    check_kind(result, Substitutes, "Substitutes", "give what seeding.substitutes returned")
    table = result.table
    with style():
        ax = new_axes(ax, height=1.6 + 0.3 * len(table))
        low, loss, high = (table[column].tolist() for column in ("low", "loss", "high"))
        intervals(ax, low, loss, high, [float(row) for row in range(len(table))], colours=[PALETTE[0]] * len(table))
        ax.axvline(0, color=GREY, linewidth=0.9)
        ax.axvline(result.alone.value, color=GREY, linewidth=0.9, linestyle="--", label="with nobody instead")
        name_rows(ax, [str(node) for node in table["node"]])
        ax.legend(loc="best")
        ax.set_xlabel("users lost" if result.unit == "nodes" else "weight lost")
        ax.set_title(f"Who instead of {result.creator}? ({result.confidence:.0%} intervals)".replace("%", " %"))
    return ax
