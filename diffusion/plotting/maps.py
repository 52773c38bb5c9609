"""Drawings of networks: a map of communities and one cascade as a tree, through igraph layouts; sizes and shapes.

Every function takes ``ax=`` and returns the axes. Nothing here imports matplotlib or igraph until it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .._validation import whole
from ..errors import InputError
from ..graph.communities import Partition
from ..kernels.trees import tree_passes
from ..models.sips.parts import STAGES
from ..models.sips.results import CHANNELS, SIPSCascade
from ..results.cascade import Cascade
from ..results.ensemble import Ensemble
from ..simulation.flow import CommunityFlow
from ..simulation.trees import cascade_statistics, tree_statistics
from .layout import bars, check_kind, circle_places, largest_cells, new_axes, tree_places, tree_sample
from .style import GREY, INK, PALETTE, compact, log_axis, spelled, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_cascade_tree", "plot_community_map", "plot_partition", "plot_virality"]

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


def plot_partition(partition: Partition, ax: Axes | None = None, *, most: int = 24) -> Axes:
    """Plot how many nodes each community has, the largest on top.

    Parameters
    ----------
    partition : Partition
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    most : int
        The largest so many communities are drawn; the title says how many there are.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No partition, or `most` below 1.

    See Also
    --------
    graph.Partition, plotting.plot_community_map
    """
    check_kind(partition, Partition, "a partition", "give what communities returned")
    sizes = partition.sizes.iloc[: whole(most, "most", least=1)]
    n = partition.n_communities
    with style():
        ax = new_axes(ax, height=1.5 + 0.28 * len(sizes))
        bars(ax, partition.names[: len(sizes)].tolist(), sizes.tolist(), "nodes")
        ax.set_ylabel("community")
        title = f"{compact(n)} communit{'y' if n == 1 else 'ies'}"
        title += f", the {len(sizes)} largest drawn" if len(sizes) < n else ""
        if partition.mixing == partition.mixing:
            title += f"; {100 * partition.mixing:.3g} % of the arcs between them"
        ax.set_title(title)
    return ax


def plot_virality(result: Ensemble | Cascade | pd.DataFrame, ax: Axes | None = None, *, sample: int = 200) -> Axes:
    """Plot structural virality against size, one point a cascade, and the median of cascades of like size.

    Structural virality tends to grow with size, so that cascades are compared at one size (Juul and Ugander 2021).

    Parameters
    ----------
    result : Ensemble, Cascade or DataFrame
        Of an ensemble the first `sample` runs are replayed; of a cascade the trees under its roots are drawn; of a table,
        such as that of `simulation.cascade_statistics`, its columns `size` and `structural_virality`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure unless given.
    sample : int
        Runs of an ensemble that are replayed.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `result` is something else, or `sample` below 1.

    See Also
    --------
    structural_virality, plotting.plot_cascade_tree

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(300, rng=7).with_probabilities("weighted_cascade")
    >>> plot_virality(dif.simulate(g, [0], runs=20, rng=7)).get_xlabel()
    'size of the cascade'
    """
    advice = "give simulate(...), ensemble.replay(run) or simulation.cascade_statistics(cascades)"
    check_kind(result, (Ensemble, Cascade, pd.DataFrame), "what has a virality", advice)
    sample = whole(sample, "sample", least=1)
    if isinstance(result, Ensemble):
        table, what = cascade_statistics(map(result.replay, range(min(sample, result.runs)))), "run"
    elif isinstance(result, Cascade):
        table, what = tree_statistics(result), "tree"
    else:
        table, what = result, "cascade"
    missing = [name for name in ("size", "structural_virality") if name not in table]
    if missing:
        raise InputError(f"the table has no column {missing[0]!r}: {advice}")
    shown = table[table["structural_virality"].notna()]
    with style():
        ax = new_axes(ax)
        if len(shown):
            size, virality = shown["size"].to_numpy(np.float64), shown["structural_virality"].to_numpy(np.float64)
            ax.plot(size, virality, "o", color=PALETTE[0], alpha=0.35, markersize=4, markeredgewidth=0)
            octave = np.floor(np.log2(size))
            middle = shown.assign(size=size).groupby(octave)[["size", "structural_virality"]].median()
            if len(middle) > 1:
                ax.plot(middle["size"], middle["structural_virality"], color=INK, marker="o", label="median by size")
                ax.legend(loc="best")
            ax.set_xlim(size.min() / 1.2, 1.2 * size.max())
            log_axis(ax, "x")
            ax.set_ylim(0, 1.1 * virality.max())
        alone = len(table) - len(shown)
        title = f"{compact(len(table))} {what}{'s' * (len(table) != 1)}"
        if len(shown):
            title += f", structural virality {spelled(float(shown['structural_virality'].median()))} (median)"
        ax.set_title(title + (f"\n{compact(alone)} without two nodes in a tree: not drawn" if alone else ""))
        ax.set_xlabel("size of the cascade")
        ax.set_ylabel("structural virality: mean distance of two nodes")
    return ax
