"""What figures share: axes, a check of what is drawn, and places: circles that do not overlap, trees as rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._random import generator
from ..errors import InputError
from ..kernels.trees import tree_passes
from .style import compact

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["check_kind", "circle_places", "largest_cells", "new_axes", "plain_axes", "tree_places", "tree_sample"]

Floats = NDArray[np.float64]


def new_axes(ax: Axes | None, width: float = 6.4, height: float = 4.2) -> Axes:
    """Return the axes given, or those of a new figure with plain numbers on both."""
    if ax is not None:
        return ax
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter

    _, made = pyplot.subplots(figsize=(width, height), layout="constrained")
    for axis in (made.xaxis, made.yaxis):
        axis.set_major_formatter(FuncFormatter(compact))
    return made


def plain_axes(ax: Axes | None) -> Axes:
    """Return the axes given, or those of a new figure."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def check_kind(value: object, kind: type | tuple[type, ...], what: str, advice: str) -> None:
    """Refuse anything else than `kind`."""
    if not isinstance(value, kind):
        raise InputError(f"{type(value).__name__} is not {what}: {advice}")


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
