"""Seeds in waves beside seeds chosen at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..seeding.adaptive import AdaptiveSeeding
from .layout import check_kind, new_axes, told_apart
from .style import PALETTE, band, compact, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_adaptive"]


def plot_adaptive(result: AdaptiveSeeding, ax: Axes | None = None) -> Axes:
    """Plot mean reach against the number of seeds, in waves and at once, with the bands of their intervals.

    The title gives the paired difference at the end with its interval, which is sharper than the bands.

    Parameters
    ----------
    result : AdaptiveSeeding
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
    seeding.adaptive_seeds, seeding.AdaptiveSeeding
    """
    check_kind(result, AdaptiveSeeding, "an AdaptiveSeeding", "give what seeding.adaptive_seeds returned")
    from matplotlib.ticker import MaxNLocator

    with style():
        ax = new_axes(ax, width=7.2)
        table = result.by_wave()
        for name, text, colour, marker in (
            ("adaptive", "in waves", PALETTE[0], "o"),
            ("nonadaptive", "at once", PALETTE[1], "s"),
        ):
            low, high = table[f"{name}_low"].tolist(), table[f"{name}_high"].tolist()
            band(ax, table["n_seeds"].tolist(), low, table[name].tolist(), high, colour=colour, marker=marker)
            ax.lines[-1].set_label(text)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        ax.set_xlabel("seeds")
        ax.set_ylabel(f"active users, mean over {compact(result.worlds)} worlds")
        ax.set_title(_what_waves_add(result))
        ax.legend()
    return ax


def _what_waves_add(result: AdaptiveSeeding) -> str:
    """The paired difference at the end, with its interval."""
    found = told_apart("Waves", "seeds at once", result.difference, "users", "reach")
    return f"{found}\n({result.confidence:.0%} interval, {result.feedback} feedback)"
