"""What figures share: axes, a check of what is drawn, and places: circles that do not overlap, trees as rings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._random import generator
from ..errors import InputError
from ..kernels.trees import tree_passes
from .style import PALETTE, compact, log_axis, spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ..results.estimates import Estimate

__all__ = [
    "bars",
    "check_kind",
    "circle_places",
    "given_axes",
    "largest_cells",
    "name_rows",
    "new_axes",
    "plain_axes",
    "shares_at_least",
    "told_apart",
    "tree_places",
    "tree_sample",
]

Floats = NDArray[np.float64]


def given_axes(ax: object) -> Axes:
    """Return the axes given; refuse anything else, such as an option that stands where the axes belong."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise InputError(f"ax={ax!r} is no matplotlib axes: give axes first, or ax=None, and options by their names")
    return ax


def new_axes(ax: Axes | None, width: float = 6.4, height: float = 4.2) -> Axes:
    """Return the axes given, or those of a new figure with plain numbers on both."""
    if ax is not None:
        return given_axes(ax)
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter

    _, made = pyplot.subplots(figsize=(width, height), layout="constrained")
    for axis in (made.xaxis, made.yaxis):
        axis.set_major_formatter(FuncFormatter(compact))
    return made


def plain_axes(ax: Axes | None) -> Axes:
    """Return the axes given, or those of a new figure."""
    if ax is not None:
        return given_axes(ax)
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def check_kind(value: object, kind: type | tuple[type, ...], what: str, advice: str) -> None:
    """Refuse anything else than `kind`."""
    if not isinstance(value, kind):
        raise InputError(f"{type(value).__name__} is not {what}: {advice}")


def bars(ax: Axes, names: Sequence[object], values: Sequence[float], label: str) -> None:
    """Draw one horizontal bar a name, the first on top, with its value at its end."""
    rows = list(range(len(names)))
    ax.barh(rows, values, height=0.6, color=PALETTE[0], alpha=0.75)
    for row, value in zip(rows, values, strict=True):
        ax.annotate(spelled(value), (value, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9.5)
    ax.set_yticks(rows, [str(name) for name in names])
    ax.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    ax.set_xlim(0, 1.15 * max([*values, 1e-9]))
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(label)


def name_rows(ax: Axes, names: Sequence[object]) -> None:
    """Name rows 0, 1, ..., the first on top."""
    ax.set_yticks(range(len(names)), [str(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)


def shares_at_least(ax: Axes, values: NDArray[Any], what: str, label: str) -> None:
    """Draw which share of the values is at least x against x, on logarithmic axes; zeros lie left of them."""
    at, counts = np.unique(values[values > 0], return_counts=True)
    if at.size:
        share = np.cumsum(counts[::-1])[::-1] / len(values)
        ax.plot(at, share, color=PALETTE[0], drawstyle="steps-pre", marker="o" if at.size < 30 else None)
        ax.set_xlim(at[0] / 1.2, 1.2 * at[-1])
        ax.set_ylim(share[-1] / 1.5, 1.5)
        log_axis(ax, "x")
        log_axis(ax, "y")
    ax.set_xlabel(label)
    ax.set_ylabel(f"share of {what} with at least so many")


def told_apart(first: str, second: str, more: Estimate, unit: str, verb: str = "reaches") -> str:
    """A paired difference in words: how much more the first reaches, or that the two cannot be told apart."""
    if np.isnan(more.low):
        return f"{first} less {second}: {spelled(more.value)} {unit}, in one world"
    if more.low == more.high == 0:
        return f"{first} and {second} reach as many in every world"
    ends = spelled(more.value, more.low, more.high)
    if more.low <= 0 <= more.high:
        return f"{first} and {second} cannot be told apart: {ends} {unit}"
    if more.value < 0:
        ends = spelled(-more.value, -more.high, -more.low)
    return f"{first} {verb} {ends} {unit} {'more' if more.value > 0 else 'fewer'} than {second}"


def largest_cells(crossing: Floats, share: float) -> list[tuple[int, int]]:
    """Cells that hold `share` of the total, the largest first."""
    flat = crossing.ravel()
    order = np.argsort(-flat, kind="stable")
    total = np.cumsum(flat[order])
    if not total.size or total[-1] <= 0:
        return []
    count = int(np.searchsorted(total, share * total[-1] * (1 - 1e-12))) + 1
    return [(int(at // len(crossing)), int(at % len(crossing))) for at in order[:count] if flat[at] > 0]


def circle_places(weight: Floats, radius: Floats) -> Floats:
    """Centres of circles that do not overlap, near where a spring layout puts them."""
    import igraph

    n = len(radius)
    angle = 2 * np.pi * np.arange(n) / n
    start = np.column_stack([np.cos(angle), np.sin(angle)])
    if n < 3:
        return np.asarray(start * (radius.sum() + 0.1) / 2)
    low, high = np.triu_indices(n, 1)
    on = weight[low, high] > 0
    made = igraph.Graph(n=n, edges=np.column_stack([low[on], high[on]]).tolist())
    # Kamada and Kawai's layout draws no random numbers; much crossing is a short line.
    length = (1 / (0.2 + weight[low, high][on] / max(float(weight.max()), 1e-300))).tolist() if on.any() else None
    layout = made.layout_kamada_kawai(weights=length, seed=start.tolist())
    place = np.asarray(layout.coords, np.float64)
    place -= place.mean(axis=0)
    place *= 0.75 / max(float(np.abs(place).max()), 1e-9)
    for _ in range(400):
        gap = place[low] - place[high]
        distance = np.maximum(np.hypot(*gap.T), 1e-9)
        lack = 1.25 * (radius[low] + radius[high]) - distance
        if (lack <= 1e-6).all():
            break
        push = (np.maximum(lack, 0) / distance / 2)[:, None] * gap
        np.add.at(place, low, push)
        np.add.at(place, high, -push)
    return place


def tree_sample(parent: NDArray[np.int32], most: int, key: int) -> NDArray[np.int64]:
    """Positions of at most `most` nodes of a forest, ancestors included, in ascending order.

    The longest path comes first, then nodes in random order, each with those above it as long as they fit.
    """
    if parent.size <= most:
        return np.arange(parent.size)
    _, depth, _ = tree_passes(parent)
    keep = np.zeros(parent.size, bool)
    left = most
    drawn = generator(key).permutation(parent.size)
    for node in (int(depth.argmax()), *drawn.tolist()):
        path = []
        while node >= 0 and not keep[node]:
            path.append(node)
            node = int(parent[node])
        # Of a path that does not fit the part next to the root is taken, which keeps the sample a forest.
        path = path[max(len(path) - left, 0) :]
        keep[path] = True
        left -= len(path)
        if not left:
            break
    return np.flatnonzero(keep)


def tree_places(parent: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Places on rings around the root and distance to it, by igraph's circular Reingold-Tilford layout.

    Several roots lie on the first ring, around a centre that is no node. A parent comes before its children.
    """
    import igraph

    n = parent.size
    depth = np.asarray(tree_passes(np.array(parent, np.int32))[1], np.int64)
    roots = np.flatnonzero(parent < 0)
    child = np.flatnonzero(parent >= 0)
    several = roots.size > 1
    edges = np.column_stack([parent[child], child]).tolist()
    if several:
        edges += [(n, int(root)) for root in roots]
    made = igraph.Graph(n=n + several, edges=edges, directed=True)
    layout = made.layout_reingold_tilford_circular(mode="out", root=[n if several else int(roots[0])])
    place = np.asarray(layout.coords, np.float64)[:n]
    return place, depth
