"""What equations predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..theory.reed_frost import FinalSize
from ..theory.thresholds import Adoption
from .layout import check_kind, new_axes, plain_axes
from .style import GREY, PALETTE, compact, spelled, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_adoption", "plot_final_size", "plot_message_passing", "plot_two_communities"]


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


def plot_adoption(result: Adoption, ax: Axes | None = None) -> Axes:
    """Plot the share of nodes that are active by step, as theory has it.

    Parameters
    ----------
    result : Adoption
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
    theory.Adoption
    """
    check_kind(result, Adoption, "an Adoption", "give what theory.gleeson_cahalane returned")
    with style():
        ax = new_axes(ax)
        ax.plot(result.by_step, color=PALETTE[0], marker="o" if len(result.by_step) < 30 else None)
        ax.set(xlabel="step", ylabel="share active (theory)", ylim=(0, 1.02))
        ax.set_title(f"{spelled(result.share)} of all nodes from {spelled(result.seed_share)} of them")
    return ax


def plot_final_size(result: FinalSize, ax: Axes | None = None) -> Axes:
    """Plot the exact probability of every size of a cascade, and the mean as a line.

    Parameters
    ----------
    result : FinalSize
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
    theory.FinalSize
    """
    check_kind(result, FinalSize, "a FinalSize", "give what theory.reed_frost or theory.exact_final_size returned")
    with style():
        ax = new_axes(ax)
        ax.axvline(result.mean, color=GREY, linewidth=0.9, linestyle="--", label="mean")
        ax.vlines(result.sizes, 0, result.probability, color=PALETTE[0], linewidth=max(1.0, 120 / result.sizes.size))
        ax.set_ylim(bottom=0)
        ax.set(xlabel="size of the cascade, seeds included", ylabel="probability (exact)")
        ax.set_title(
            f"Mean {spelled(result.mean)} of {compact(result.sizes.size - 1)}, standard deviation {spelled(result.sd)}"
        )
        ax.legend()
    return ax
