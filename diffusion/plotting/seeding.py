"""Figures of seeding results, in the style of `plotting`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..seeding.compare import StrategyComparison
from .layout import plain_axes
from .style import (
    PALETTE,
    band,
    compact,
    intervals,
    log_axis,
    spread_apart,
    strategy_colours,
    strategy_markers,
    style,
    text_colour,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_fairness_price", "plot_maximin", "plot_prices", "plot_strategies"]

GAP = 13.0  # points between two names
LOG_FROM = 20.0  # largest over smallest budget from which the axis is logarithmic


def plot_strategies(result: StrategyComparison, ax: Axes | None = None) -> Axes:
    """Plot spread against budget: one line a strategy with the band of its interval, named at its end.

    Parameters
    ----------
    result : StrategyComparison
    ax : matplotlib.axes.Axes, optional
        Axes to draw on, with space for the names to its right; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `result` is something else.

    See Also
    --------
    compare_strategies, seeding.StrategyComparison, plotting.strategy_colours

    Examples
    --------
    >>> import diffusion as dif
    >>> from diffusion.seeding.compare import compare_strategies
    >>> g = dif.generate_platform(300, rng=1).with_probabilities("weighted_cascade")
    >>> found = compare_strategies(g, [1, 5], strategies=["random", "degree"], runs=64, rng=1)
    >>> plot_strategies(found).get_ylabel()
    'users reached'
    """
    if not isinstance(result, StrategyComparison):
        raise InputError(f"{type(result).__name__} is no StrategyComparison: give what compare_strategies returned")
    colours, markers = strategy_colours(result.strategies), strategy_markers(result.strategies)
    with style():
        if ax is None:
            from matplotlib import pyplot

            figure, ax = pyplot.subplots()
            figure.subplots_adjust(left=0.13, right=0.7, bottom=0.14, top=0.95)
        ends = []
        for name in result.strategies:
            rows = result.table[result.table["strategy"] == name].sort_values("budget")
            low, middle, high = (rows[column].tolist() for column in ("low", "spread", "high"))
            band(ax, rows["budget"].tolist(), low, middle, high, colour=colours[name], marker=markers[name])
            ends.append((middle[-1], name.replace("_", " "), colours[name]))
        ax.set_ylim(bottom=0)
        least, largest = min(result.budgets), max(result.budgets)
        if least > 0 and largest / least >= LOG_FROM:
            log_axis(ax, "x")
        else:
            from matplotlib.ticker import FuncFormatter

            ax.xaxis.set_major_formatter(FuncFormatter(compact))
        ax.set_xlabel("seeds" if result.unit == "seeds" else "budget")
        ax.set_ylabel("users reached")
        _name_ends(ax, ends, largest)
    return ax


def _name_ends(ax: Axes, ends: list[tuple[float, str, str]], x: float) -> None:
    """Name the lines right of the axes, moved apart; in points from their ends, so that any resolution will do."""
    box = ax.get_window_extent()
    points = 72.0 / ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    order = sorted(ends)
    at = [ax.transData.transform((x, y)) * points for y, _, _ in order]
    places = spread_apart([float(y) for _, y in at], GAP, box.y0 * points, box.y1 * points)
    for (y, name, colour), (across, up), place in zip(order, at, places, strict=True):
        ax.annotate(
            name,
            xy=(x, y),
            xytext=(box.x1 * points - across + 10, place - up),
            textcoords="offset points",
            color=text_colour(colour),
            fontsize=10.5,
            va="center_baseline",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.6,
                "shrinkA": 1,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )


def plot_maximin(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the share reached of each community with its interval, and the bound of the optimum as a line.

    Parameters
    ----------
    result : MaximinSelection
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    See Also
    --------
    seeding.maximin_seeds, plotting.plot_fairness_price
    """
    with style():
        ax = plain_axes(ax)
        _shares(ax, result.shares, ("low", "share", "high"), PALETTE[0])
        ax.axvline(result.upper, color="#888888", linewidth=1)
        _name_communities(ax, result.shares.index)
    return ax


def plot_fairness_price(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the share reached of each community, fair (filled) and best (open), with intervals.

    Parameters
    ----------
    result : FairnessPrice
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    See Also
    --------
    seeding.price_of_fairness, plotting.plot_maximin
    """
    with style():
        ax = plain_axes(ax)
        _shares(ax, result.shares, ("fair_low", "fair", "fair_high"), PALETTE[0], shift=0.12)
        _shares(ax, result.shares, ("best_low", "best", "best_high"), PALETTE[1], shift=-0.12, filled=False)
        _name_communities(ax, result.shares.index)
    return ax


def _shares(
    ax: Axes,
    table: pd.DataFrame,
    columns: tuple[str, str, str],
    colour: str,
    *,
    shift: float = 0.0,
    filled: bool = True,
) -> None:
    """Draw one share of each community with its interval, a row each."""
    low, middle, high = (table[column].tolist() for column in columns)
    rows = [row + shift for row in range(len(table))]
    intervals(ax, low, middle, high, rows, colours=[colour] * len(rows), filled=filled)


def _name_communities(ax: Axes, names: pd.Index[Any]) -> None:
    ax.set_yticks(range(len(names)), [str(name) for name in names])
    ax.invert_yaxis()
    ax.set_xlabel("share of the community that becomes active")
    ax.set_ylabel("community")


def plot_prices(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the prices that were used against followers, with the law on followers alone, on logarithmic axes.

    Parameters
    ----------
    result : PriceFit
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        The fit was made without its data.

    See Also
    --------
    seeding.fit_prices, seeding.PriceFit
    """
    if result.data is None:
        raise InputError("this fit was made without its data, so there is nothing to plot")
    followers, prices = result.data
    with style():
        ax = plain_axes(ax)
        ax.scatter(followers, prices, s=14, alpha=0.6, linewidths=0, color=PALETTE[0])
        line = np.geomspace(float(result.followers_range[0]), float(result.followers_range[1]), 50)
        ax.plot(line, result.predict(line), color=PALETTE[1])
        log_axis(ax, "x")
        log_axis(ax, "y")
        ax.set_xlabel("followers")
        ax.set_ylabel("price")
    return ax
