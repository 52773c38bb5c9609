"""What equations predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .layout import plain_axes
from .style import PALETTE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_message_passing", "plot_two_communities"]


def plot_message_passing(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the expected number of active nodes by step.

    Parameters
    ----------
    result : MessagePassing
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    See Also
    --------
    theory.message_passing, theory.MessagePassing
    """
    with style():
        ax = plain_axes(ax)
        kind = "exact" if result.exact else "upper bound"
        ax.plot(result.by_step.sum(axis=1), color=PALETTE[0], label=f"message passing, {kind}")
        ax.set(xlabel="step", ylabel="expected active nodes")
        ax.legend(frameon=False)
    return ax


def plot_two_communities(result: Any, ax: Axes | None = None) -> Axes:
    """Plot the active share of each community by step.

    Parameters
    ----------
    result : TwoCommunities
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    See Also
    --------
    theory.two_communities, theory.TwoCommunities
    """
    with style():
        ax = plain_axes(ax)
        for column, name, line in ((0, "A, with the seeds", "-"), (1, "B", "--")):
            ax.plot(result.by_step[:, column], line, color=PALETTE[column], label=f"community {name}")
        ax.set(xlabel="step", ylabel="share active (theory)", ylim=(0, 1.02))
        ax.legend(frameon=False)
    return ax
