"""Figures of rivals: the reach of each brand, and what an answer to the rivals changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..models.competitive_results import CompetitiveEnsemble
from ..seeding.best_response import BestResponse
from .layout import check_kind, name_rows, new_axes
from .style import GREY, PALETTE, compact, intervals, spelled, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_response", "plot_shares"]

#: Brands beyond the palette start again.
_BRANDS = PALETTE
_LONG = 3.0  # intervals beyond so many times the longest bar are cut


def plot_shares(result: CompetitiveEnsemble, ax: Axes | None = None) -> Axes:
    """Plot the mean reach of each brand with its interval and its share; the title says who is ahead.

    Of few runs intervals may be many times as long as the bars: those go on beyond the axis, and their ends are written.

    Parameters
    ----------
    result : CompetitiveEnsemble
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
    models.CompetitiveEnsemble, plotting.plot_response

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> ens = dif.simulate(g, {"A": [0], "B": [1]}, model=dif.models.CompetitiveIC(), runs=512, rng=7)
    >>> plot_shares(ens).get_xlabel()
    'users reached, mean over 512 runs'
    """
    check_kind(
        result, CompetitiveEnsemble, "an ensemble with rivals", "give what simulate returned for a CompetitiveIC"
    )
    table = result.share_of_voice()
    rows = list(range(len(table)))
    with style():
        ax = new_axes(ax, height=1.7 + 0.55 * len(table))
        colours = [_BRANDS[b % len(_BRANDS)] for b in rows]
        ax.barh(rows, table["mean"], height=0.55, color=colours, alpha=0.28, zorder=1)
        low, mean, high = (table[name].tolist() for name in ("low", "mean", "high"))
        ends = [end if math.isfinite(end) else at for end, at in zip(high, mean, strict=True)]
        largest, top = max(mean), max(ends)
        if largest > 0 and top > _LONG * largest:
            top = 0.5 * _LONG * largest
        top = top or 1.0
        shown = [min(end, top) for end in ends]
        intervals(ax, low, mean, shown, [float(row) for row in rows], colours=colours)
        for row, (end, share) in enumerate(zip(ends, table["share"], strict=True)):
            text = f"{share:.0%}" if share == share else ""
            if end > top:
                ax.plot([top], [row], marker=">", color=colours[row], markersize=6, markeredgewidth=0)
                text += f" (to {compact(float(f'{end:.3g}'))})"
            ax.annotate(text, (shown[row], row), xytext=(7, 0), textcoords="offset points", va="center")
        ax.set_xlim(0, (1.12 if max(ends) <= top else 1.35) * top)
        name_rows(ax, table.index.tolist())
        ax.set_xlabel(f"users reached, {'mean over ' if result.runs > 1 else ''}{_counted(result.runs, 'run')}")
        ax.set_title(_who_leads(result))
    return ax


def _who_leads(result: Any) -> str:
    """The two largest brands, compared in pairs over runs."""
    table = result.share_of_voice().sort_values("mean", ascending=False, kind="stable")
    if not table["mean"].iloc[0] > 0:
        return "Nobody is reached"
    first, second = table.index[:2].tolist()
    found = result.difference(first, second)
    if not found.low > 0:
        return f"{first} and {second} cannot be told apart"
    times = table["mean"].iloc[0] / table["mean"].iloc[1] if table["mean"].iloc[1] > 0 else float("inf")
    much = f"{times:.2g} times as many as" if times >= 1.5 and times < 100 else f"{found.value:.3g} more than"
    return f"{first} reaches {much} {second}"


def plot_response(result: BestResponse, ax: Axes | None = None) -> Axes:
    """Plot the reach of each brand before (hollow) and after (filled) the chosen seeds, with intervals.

    The title gives the paired change of the brand, and of its rival, or of the rival that changes most.

    Parameters
    ----------
    result : BestResponse
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
    seeding.best_response, plotting.plot_shares

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> answer = dif.seeding.best_response(g, 1, brand="A", rivals={"B": [0]}, runs=64, rng=7)
    >>> plot_response(answer).get_xlabel()
    'users reached: before (hollow) and after (filled)'
    """
    check_kind(result, BestResponse, "an answer to rivals", "give what seeding.best_response returned")
    table = result.reach
    rows = [float(row) for row in range(len(table))]
    with style():
        ax = new_axes(ax, height=1.7 + 0.6 * len(table))
        colours = [_BRANDS[b % len(_BRANDS)] for b in range(len(rows))]
        for row, colour, (_, at) in zip(rows, colours, table.iterrows(), strict=True):
            ax.plot([at["before"], at["after"]], [row, row], color=GREY, linewidth=0.9, zorder=1)
            for name, filled in (("before", False), ("after", True)):
                ends = ([at[f"{name}_low"]], [at[name]], [at[f"{name}_high"]])
                intervals(ax, *ends, [row], colours=[colour], filled=filled)
        ax.set_xlim(left=-0.015 * ax.get_xlim()[1])  # a brand without seeds stands at 0
        name_rows(ax, table.index.tolist())
        ax.set_xlabel("users reached: before (hollow) and after (filled)")
        ax.set_title(_what_changes(result))
    return ax


def _what_changes(result: Any) -> str:
    """What the seeds win, and what they cost the rivals."""
    others = result.reach.drop(index=result.brand)
    most = others.loc[others["change"].abs().idxmax()]
    one = len(result.seeds) == 1
    won = f"{_counted(len(result.seeds), 'seed')} {'wins' if one else 'win'} {result.brand}"
    won += f" {_change(result.reach.loc[result.brand], 1)} users"
    lost = most["change"] < 0
    verb = ("cost" if lost else "give") + ("s" if one else "")
    which = "" if len(others) == 1 else ", which changes most,"
    return f"{won}\nand {verb} {most.name}{which} {_change(most, -1 if lost else 1)}"


def _change(row: Any, sign: int) -> str:
    """A change with its interval, taken by its size where `sign` is -1."""
    return spelled(sign * row["change"], *sorted((sign * row["change_low"], sign * row["change_high"])))


def _counted(count: int, what: str) -> str:
    return f"{compact(count)} {what}{'s' if count != 1 else ''}"
