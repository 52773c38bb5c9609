"""Drawings of networks: a map of communities and one cascade as a tree, through igraph layouts.

Every function takes ``ax=`` and returns the axes. Nothing here imports matplotlib or igraph until it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._validation import whole
from ..errors import InputError
from ..kernels.trees import tree_passes
from ..models.sips.parts import STAGES
from ..models.sips.results import CHANNELS, SIPSCascade
from ..results.cascade import Cascade
from ..simulation.flow import CommunityFlow
from .layout import check_kind, circle_places, largest_cells, new_axes, tree_places, tree_sample
from .style import GREY, INK, PALETTE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_cascade_tree", "plot_community_map"]

_SMALL = 0.06  # radius below which the words stand under a circle
_CHANNEL = {"follow": "by follow", "feed": "by the feed", "seed": "seeded creator"}


def plot_community_map(flow: CommunityFlow, ax: Axes | None = None, *, most: int = 24, carried: float = 0.8) -> Axes:
    """Draw communities as circles sized by members, coloured by time of entry, with arrows for what crosses over.

    Parameters
    ----------
    flow : CommunityFlow
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    most : int
        The largest so many communities are drawn; the title says how many there are.
    carried : float in (0, 1]
        The widest arrows are drawn until they hold this share of the crossings between the communities drawn.

    Returns
    -------
    matplotlib.axes.Axes
        The area of a circle goes with members, the width of an arrow with activations a run, a thick rim marks seeded
        communities, white ones were never entered. Places come from igraph's Kamada-Kawai layout on the
        crossings, from a fixed start, moved apart.

    Raises
    ------
    InputError
        No flow, or a value out of range.

    See Also
    --------
    simulation.community_flow, plotting.plot_cascade_tree

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(1000, communities=4, rng=7).with_probabilities("weighted_cascade")
    >>> ax = plot_community_map(dif.simulation.community_flow(dif.simulate(g, [0, 1], runs=30, rng=7)))
    >>> len(ax.patches) >= 4
    True
    """
    check_kind(flow, CommunityFlow, "a flow between communities", "give community_flow(ensemble)")
    whole(most, "most", least=1)
    if not 0 < carried <= 1:
        raise InputError(f"carried={carried!r} is out of range: give a share above 0 and at most 1")
    order = np.argsort(-flow.sizes, kind="stable")[:most]
    table = flow.to_pandas().iloc[order].reset_index(drop=True)
    crossing = flow.flux.to_numpy(np.float64)[np.ix_(order, order)].copy()
    np.fill_diagonal(crossing, 0.0)
    radius = np.sqrt(table["size"].to_numpy(np.float64))
    radius *= np.sqrt(0.16 / (radius**2).sum())  # circles cover half of a unit disc's inner square
    place = circle_places(crossing + crossing.T, radius)
    with style():
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.patches import Circle, FancyArrowPatch

        ax = new_axes(ax, 6.8, 5.4)
        step = table["step"].to_numpy(np.float64)
        known = step[np.isfinite(step)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        colours = ScalarMappable(Normalize(low, high if high > low else low + 1), colormaps["viridis_r"])
        top = crossing.max() if crossing.size else 0.0
        for i, j in largest_cells(crossing, carried):
            ax.add_patch(
                FancyArrowPatch(
                    tuple(place[i]),
                    tuple(place[j]),
                    arrowstyle="-|>",
                    mutation_scale=9,
                    connectionstyle="arc3,rad=0.12",
                    linewidth=0.5 + 3.5 * np.sqrt(crossing[i, j] / top),
                    color=GREY,
                    alpha=0.55,
                    zorder=1,
                    shrinkA=0,
                    shrinkB=0,
                    clip_on=False,
                    patchA=Circle(tuple(place[i]), radius[i], transform=ax.transData),
                    patchB=Circle(tuple(place[j]), radius[j], transform=ax.transData),
                )
            )
        for i in range(len(table)):
            entered, seeded = np.isfinite(step[i]), table["seeded"].iloc[i] > 0
            face = colours.to_rgba(step[i]) if entered else "white"
            ax.add_patch(
                Circle(
                    tuple(place[i]),
                    radius[i],
                    facecolor=face,
                    edgecolor=INK,
                    linewidth=2.6 if seeded else 0.8,
                    linestyle="-" if entered else "--",
                    zorder=2,
                )
            )
            dark = entered and np.dot(colours.to_rgba(step[i])[:3], (0.299, 0.587, 0.114)) < 0.5
            words = f"{table['community'].iloc[i]}\n{100 * table['share'].iloc[i]:.2g} %"
            inside = radius[i] > _SMALL
            ax.text(
                float(place[i, 0]),
                float(place[i, 1]) if inside else float(place[i, 1] - radius[i]) - 0.01,
                words,
                ha="center",
                va="center" if inside else "top",
                fontsize=9,
                color="white" if dark and inside else INK,
                zorder=3,
            )
        ax.set_aspect("equal")
        pad = 0.04
        ax.set_xlim((place[:, 0] - radius).min() - pad, (place[:, 0] + radius).max() + pad)
        ax.set_ylim((place[:, 1] - radius).min() - pad, (place[:, 1] + radius).max() + pad)
        ax.set_axis_off()
        ax.figure.colorbar(colours, ax=ax, shrink=0.7, label="mean step of entry, over the runs that entered")
        some = f"{len(order)} of {len(flow.names):,} communities" if len(order) < len(flow.names) else "communities"
        ax.set_title(
            f"Mean of {flow.runs:,} runs: {some} with the share they reach\n"
            f"arrows: {carried:.0%} of the crossings; thick rim: seeded".replace("%", " %"),
            fontsize=10.5,
            fontweight="normal",
        )
    return ax


def plot_cascade_tree(cascade: Cascade, ax: Axes | None = None, *, most: int = 400, key: int = 0) -> Axes:
    """Draw one cascade as a tree around its roots: every ring is one share further.

    Parameters
    ----------
    cascade : Cascade
        Of a SIPS campaign, arcs are coloured by channel and users who shared are filled; else users by step.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    most : int
        Users drawn at most, at least 2. Of a larger cascade: the longest path, then users drawn at random with those
        before them, so that branches keep their proportions. The title says how many were left out.
    key : int
        Of that draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No cascade, an empty one, or `most` out of range.

    See Also
    --------
    results.Cascade, plotting.plot_community_map

    Examples
    --------
    >>> ax = plot_cascade_tree(Cascade.from_parents("abcd", [None, "a", "a", "b"]))
    >>> ax.get_title(loc="left")
    '4 users, depth 2'
    """
    check_kind(
        cascade, Cascade, "a cascade", "give ensemble.replay(run), independent_cascade(...) or Cascade.from_parents"
    )
    whole(most, "most", least=2)
    if not cascade.size:
        raise InputError("the cascade is empty: there is nothing to draw")
    keep = tree_sample(np.asarray(cascade.parent, np.int32), int(most), key)
    parent = np.full(cascade.size, -1, np.int64)
    parent[keep] = np.arange(keep.size)
    above = np.asarray(cascade.parent)[keep]
    up = np.where(above < 0, -1, parent[above])
    place, depth = tree_places(up)
    step = np.asarray(cascade.step)[keep]
    with style():
        from matplotlib import colormaps
        from matplotlib.collections import LineCollection
        from matplotlib.patches import Circle

        ax = new_axes(ax, 6.0, 5.6)
        child = np.flatnonzero(up >= 0)
        lines = np.stack([place[up[child]], place[child]], axis=1)
        several = int((up < 0).sum()) > 1
        for ring in range(0 if several else 1, int(depth.max(initial=0)) + 1):
            radius = ring + (1 if several else 0)
            ax.add_patch(Circle((0, 0), radius, fill=False, edgecolor="#e4e4e4", linewidth=0.6, zorder=0))
        if isinstance(cascade, SIPSCascade):
            channel, shared = cascade.channel[keep], cascade.stage[keep] == len(STAGES) - 1
            for c, colour in enumerate((PALETTE[0], PALETTE[1], INK)):
                on = channel[child] == c
                if on.any():
                    ax.add_collection(
                        LineCollection(list(lines[on]), colors=colour, linewidths=0.7, alpha=0.7, zorder=1)
                    )
                mine = channel == c
                for some, face, what in ((mine & shared, colour, "shared"), (mine & ~shared, "white", "exposed only")):
                    if some.any():
                        where = f"{_CHANNEL[CHANNELS[c]]}, {what}" if c < 2 else _CHANNEL[CHANNELS[c]]
                        ax.scatter(
                            place[some, 0],
                            place[some, 1],
                            s=26 if c == 2 else 13,
                            facecolor=face,
                            edgecolor=colour,
                            linewidth=0.7,
                            zorder=3 if c == 2 else 2,
                            label=where,
                        )
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, fontsize=9.5, columnspacing=1.0)
        else:
            ax.add_collection(LineCollection(list(lines), colors=GREY, linewidths=0.6, alpha=0.7, zorder=1))
            dots = ax.scatter(
                place[:, 0],
                place[:, 1],
                c=step,
                cmap=colormaps["viridis_r"],
                s=np.where(up < 0, 32, 13),
                linewidth=0.4,
                edgecolor=INK,
                zorder=2,
            )
            ax.figure.colorbar(dots, ax=ax, shrink=0.7, label="step")
        ax.set_aspect("equal")
        ax.autoscale_view()
        ax.set_axis_off()
        drawn = (
            "" if keep.size == cascade.size else f"\n{keep.size:,} of them drawn: the longest path and a random sample"
        )
        ax.set_title(f"{cascade.size:,} users, depth {_depth(cascade)}{drawn}", fontsize=10.5, fontweight="normal")
    return ax


def _depth(cascade: Cascade) -> int:
    """Largest distance to a root; with delays or noise the steps say something else."""
    _, depth, _ = tree_passes(np.array(cascade.parent, np.int32))
    return int(depth.max(initial=0))
