"""Seeds in waves beside seeds chosen at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..seeding.adaptive import AdaptiveSeeding
from .layout import check_kind, plain_axes
from .style import PALETTE, band, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_adaptive"]


def plot_adaptive(result: AdaptiveSeeding, ax: Axes | None = None) -> Axes:
    """Plot mean reach against the number of seeds, in waves and at once, with the bands of their intervals.

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
    """
    check_kind(result, AdaptiveSeeding, "an AdaptiveSeeding", "give what seeding.adaptive_seeds returned")
    with style():
        ax = plain_axes(ax)
        table = result.by_wave()
        for name, text, colour, marker in (
            ("adaptive", "in waves", PALETTE[0], "o"),
            ("nonadaptive", "at once", PALETTE[1], "s"),
        ):
            low, high = table[f"{name}_low"].tolist(), table[f"{name}_high"].tolist()
            band(ax, table["n_seeds"].tolist(), low, table[name].tolist(), high, colour=colour, marker=marker)
            ax.lines[-1].set_label(text)
        ax.set_xlabel("seeds")
        ax.set_ylabel("active users")
        gap = result.gap
        ax.set_title(f"{result.feedback} feedback: ratio {gap.value:.4g} [{gap.low:.4g}, {gap.high:.4g}]")
        ax.legend()
    return ax
