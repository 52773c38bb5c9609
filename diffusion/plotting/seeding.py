"""Figures of seeding results, in the style of `plotting`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..results.estimates import Comparison
from ..seeding.compare import StrategyComparison
from ..seeding.rr_sets import RRSets
from ..seeding.selection import SeedSelection
from .layout import check_kind, given_axes, name_rows, new_axes, plain_axes, shares_at_least, told_apart
from .style import (
    GREY,
    PALETTE,
    band,
    compact,
    intervals,
    log_axis,
    spelled,
    spread_apart,
    strategy_colours,
    strategy_markers,
    style,
    text_colour,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_comparison",
    "plot_fairness_price",
    "plot_maximin",
    "plot_prices",
    "plot_rr_sets",
    "plot_selection",
    "plot_strategies",
]

GAP = 13.0  # points between two names


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
        from matplotlib.ticker import FuncFormatter

        if ax is None:
            from matplotlib import pyplot

            figure, ax = pyplot.subplots()
            figure.subplots_adjust(left=0.13, right=0.7, bottom=0.14, top=0.95)
        ax = given_axes(ax)
        ends = []
        for name in result.strategies:
            rows = result.table[result.table["strategy"] == name].sort_values("budget")
            low, middle, high = (rows[column].tolist() for column in ("low", "spread", "high"))
            band(ax, rows["budget"].tolist(), low, middle, high, colour=colours[name], marker=markers[name])
            ends.append((middle[-1], name.replace("_", " "), colours[name]))
        ax.set_ylim(bottom=0)
        ax.xaxis.set_major_formatter(FuncFormatter(compact))
        ax.set_xlabel("seeds" if result.unit == "seeds" else "budget")
        ax.set_ylabel("users reached")
        _name_ends(ax, ends, max(result.budgets))
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


def plot_selection(result: SeedSelection, ax: Axes | None = None) -> Axes:
    """Plot estimated spread against the number of seeds, with what is proven of all of them; of a ranking, its scores.

    At the last seed stand the independent estimate with its interval, where there is one, and the bounds of the
    certificate: a lower one of the spread of these seeds and an upper one of the optimum.

    Parameters
    ----------
    result : SeedSelection
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
    seeding.SeedSelection, plotting.plot_strategies

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(300, rng=1).with_probabilities("weighted_cascade")
    >>> plot_selection(dif.select_seeds(g, 5, rng=1)).get_xlabel()
    'seeds'
    """
    check_kind(result, SeedSelection, "a SeedSelection", "give what select_seeds returned")
    from matplotlib.ticker import MaxNLocator

    k = len(result)
    name = result.method.replace("_", " ")
    title = f"{compact(k)} seed{'s' * (k != 1)} by {name}"
    certified = result.certificate is not None
    by_spread = bool(result.gains.size) or certified or result.spread is not None
    with style():
        ax = new_axes(ax)
        if result.gains.size:
            total = result.existing_spread + np.concatenate([[0.0], np.cumsum(result.gains)])
            ax.plot(range(k + 1), total, color=PALETTE[0], marker="o" if k < 30 else None, label="estimated spread")
        elif not by_spread and np.isfinite(result.scores).any():
            ax.plot(range(1, k + 1), result.scores, color=PALETTE[0], marker="o" if k < 30 else None)
        if result.spread is not None:
            at = result.spread
            ax.plot([k, k], [at.low, at.high], color=PALETTE[2], linewidth=2.2, alpha=0.55)
            ax.plot([k], [at.mean], "s", color=PALETTE[2], label=f"independent estimate, {at.confidence:.0%} interval")
        if certified:
            ax.axhline(result.upper, color=GREY, linewidth=0.9, label="the optimum is at most this")
            ax.axhline(result.lower, color=GREY, linewidth=0.9, linestyle="--", label="these seeds reach at least this")
            if result.ratio == result.ratio:
                title += f": at least {result.ratio:.1%} of the optimum".replace("%", " %")
        ax.set_title(title)
        if by_spread:
            ax.set_ylim(bottom=0)
            ax.legend(loc="lower right")
        ax.set_xlim(0 if by_spread else 0.5, max(1.03 * k, 1.0))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        ax.set_xlabel("seeds" if by_spread else "rank of the seed")
        ax.set_ylabel("users reached" if by_spread else f"score by {name}")
    return ax


def plot_comparison(result: Comparison, ax: Axes | None = None) -> Axes:
    """Plot the mean of every seed set with its interval, the largest on top; the title is a paired difference.

    It is that of the two largest in the same worlds, which is sharper than the two intervals.

    Parameters
    ----------
    result : Comparison
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
    results.Comparison, plotting.plot_strategies

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1], [1, 2, 3], edges_mean="influences", directed=True)
    >>> found = dif.compare(g.with_probabilities("constant", p=1.0), {"hub": [0], "leaf": [3]}, rng=7)
    >>> plot_comparison(found).get_title(loc="left")
    'hub reaches 3 nodes more than leaf'
    """
    check_kind(result, Comparison, "a Comparison", "give what compare returned")
    table = result.means
    names = [str(name) for name in table.index]
    rows = [float(row) for row in range(len(names))]
    with style():
        ax = new_axes(ax, height=1.6 + 0.45 * len(names))
        low, mean, high = (table[column].tolist() for column in ("low", "mean", "high"))
        intervals(ax, low, mean, high, rows, colours=[PALETTE[0]] * len(rows))
        name_rows(ax, names)
        one = result.runs == 1
        over = "one world" if one else f"{compact(result.runs)} common worlds, {result.confidence:.0%} interval"
        ax.set_xlabel(f"active {result.unit}, mean over {over}".replace("%", " %"))
        if len(names) > 1:
            ax.set_title(told_apart(names[0], names[1], result.difference(*table.index[:2].tolist()), result.unit))
    return ax


def plot_rr_sets(result: RRSets, ax: Axes | None = None) -> Axes:
    """Plot which share of the RR sets has at least so many members, on logarithmic axes.

    Parameters
    ----------
    result : RRSets
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
    seeding.RRSets
    """
    check_kind(result, RRSets, "a collection of RR sets", "give what seeding.sample_rr_sets returned")
    with style():
        ax = new_axes(ax)
        shares_at_least(ax, result.sizes, "RR sets", "members of an RR set")
        ax.set_title(f"{compact(result.n)} RR sets, {spelled(result.mean_size)} members on average")
    return ax


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
