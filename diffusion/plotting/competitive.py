"""Figures of rivals: the reach of each brand, and what an answer to the rivals changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..models.competitive_results import CompetitiveEnsemble
from ..seeding.best_response import BestResponse
from .layout import check_kind, new_axes
from .style import GREY, PALETTE, compact, intervals, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_response", "plot_shares"]

#: Brands beyond the palette start again.
_BRANDS = PALETTE


def plot_shares(result: CompetitiveEnsemble, ax: Axes | None = None) -> Axes:
    """Plot the mean reach of each brand with its interval and its share; the title says who is ahead.

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
        top = float(table["high"].max()) or 1.0
        ax.barh(rows, table["mean"], height=0.55, color=colours, alpha=0.28, zorder=1)
        low, mean, high = (table[name].tolist() for name in ("low", "mean", "high"))
        intervals(ax, low, mean, high, [float(row) for row in rows], colours=colours)
        for row, (end, share) in enumerate(zip(high, table["share"], strict=True)):
            ax.annotate(f"{share:.0%}", (end, row), xytext=(7, 0), textcoords="offset points", va="center")
        ax.set_xlim(0, 1.12 * top)
        ax.set_yticks(rows, table.index.tolist())
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(f"users reached, mean over {compact(result.runs)} runs")
        ax.set_title(_who_leads(result))
    return ax


def _who_leads(result: Any) -> str:
    """The two largest brands, compared in pairs over runs."""
    table = result.share_of_voice().sort_values("mean", ascending=False, kind="stable")
    first, second = table.index[:2].tolist()
    found = result.difference(first, second)
    if not found.low > 0:
        return f"{first} and {second} cannot be told apart"
    times = table["mean"].iloc[0] / table["mean"].iloc[1] if table["mean"].iloc[1] > 0 else float("inf")
    much = f"{times:.2g} times as many as" if times >= 1.5 and times < 100 else f"{found.value:.3g} more than"
    return f"{first} reaches {much} {second}"


def plot_response(result: BestResponse, ax: Axes | None = None) -> Axes:
    """Plot the reach of each brand before (hollow) and after (filled) the chosen seeds, with intervals.

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
        ax.set_yticks(rows, table.index.tolist())
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel("users reached: before (hollow) and after (filled)")
        ax.set_title(_what_changes(result))
    return ax


def _what_changes(result: Any) -> str:
    """What the seeds win, and what they cost the rivals."""
    others = result.reach.drop(index=result.brand)["change"].sum()
    won = result.reach.loc[result.brand, "change"]
    seeds = f"{len(result.seeds):,} seed{'s' if len(result.seeds) != 1 else ''}"
    verb = "cost its rivals" if others < 0 else "give its rivals"
    return f"{seeds} win {result.brand} {compact(round(float(won), 1))} users and {verb} {compact(round(abs(float(others)), 1))}"
