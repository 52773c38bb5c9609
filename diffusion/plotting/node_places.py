"""Places of all nodes of a graph: communities as discs that do not overlap, and a layout inside each disc."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._random import derive_key, igraph_seeded
from ..errors import InputError
from ..graph.communities import communities as find_communities
from ..graph.communities import community_codes
from ..graph.follower_graph import FollowerGraph
from ..results.cascade import Cascade
from .layout import circle_places, tree_places

__all__ = ["LAYOUTS", "NodePlaces", "node_places", "places_of_cascade"]

LAYOUTS = ("force", "packed")
MOST_DISCS = 60  # the largest communities have a disc of their own, the others share one
MOST_FORCE = (100_000, 1_000_000)  # nodes and arcs up to which igraph's force layout takes seconds
MOST_RINGS = 20_000  # nodes up to which a tree is laid out as rings
KEPT = 8  # layouts

_GOLDEN = np.pi * (3 - np.sqrt(5))
_kept: dict[tuple[str, str, str], NDArray[np.float64]] = {}


@dataclass(frozen=True, eq=False)
class NodePlaces:
    """Where each node is drawn, and the disc it lies in.

    Attributes
    ----------
    place : ndarray of float64, shape (n_nodes, 2)
        By position in ``graph.nodes``.
    disc : ndarray of int64, shape (n_nodes,)
        Number of the disc of each node; 0 is that of the largest community.
    names : list
        Community of each disc, None for the one that is shared; empty where no communities are known.
    kind : {"force", "packed", "given", "rings", "spiral"}
        How nodes were placed.
    pooled : int
        Communities that share the last disc, 0 if each has its own.
    """

    place: NDArray[np.float64]
    disc: NDArray[np.int64]
    names: list[Any]
    kind: str
    pooled: int = 0


def node_places(graph: FollowerGraph, communities: Any = None, layout: Any = None) -> NodePlaces:
    """Lay out all nodes of a graph; equal graphs and communities are laid out once.

    Parameters
    ----------
    graph : FollowerGraph
    communities : Partition, Series, dict, list or array, optional
        Default: the node attribute ``community``, else those that Leiden's method finds, else none in a large graph.
    layout : {"force", "packed"} or array of shape (n_nodes, 2), optional
        ``"force"``: igraph's Fruchterman-Reingold layout inside each disc, whose nodes are then spread evenly.
        ``"packed"``: the nodes of a disc by falling degree from its centre, on a spiral. An array has the places, in
        the order of ``graph.nodes``. Default: force up to 100,000 nodes and 1,000,000 arcs.

    Returns
    -------
    NodePlaces

    Raises
    ------
    InputError
        An unknown layout, or places that are not one finite pair for each node.
    """
    small = graph.n_nodes <= MOST_FORCE[0] and graph.n_edges <= MOST_FORCE[1]
    chosen = ("force" if small else "packed") if layout is None else layout
    given = None
    if not isinstance(chosen, str):
        given = np.asarray(chosen, np.float64)
        if given.shape != (graph.n_nodes, 2) or not np.isfinite(given).all():
            raise InputError(
                f"layout has shape {given.shape} or values that are not finite: give one finite pair (x, y) for each of the "
                f"{graph.n_nodes:,} nodes, in the order of graph.nodes"
            )
        chosen = "given"
    elif chosen not in LAYOUTS:
        raise InputError(f"layout={layout!r} is unknown: give 'force', 'packed' or an array of places")
    if communities is None and "community" not in graph.attributes:
        communities = find_communities(graph, rng=0).labels if small and graph.n_edges else None
        codes, names = (
            (np.zeros(graph.n_nodes, np.int64), pd.Index([]))
            if communities is None
            else community_codes(graph, communities)
        )
    else:
        codes, names = community_codes(graph, communities)
    sizes = np.bincount(codes, minlength=1)
    order = np.argsort(-sizes, kind="stable")
    pooled = 0 if order.size <= MOST_DISCS + 1 else order.size - MOST_DISCS
    number = np.empty(order.size, np.int64)
    number[order] = np.minimum(np.arange(order.size), MOST_DISCS if pooled else order.size)
    disc = number[codes]
    titles: list[Any] = names.take(order[: MOST_DISCS if pooled else order.size]).tolist() if len(names) else []
    titles += [None] if pooled else []
    if given is not None:
        return NodePlaces(given, disc, titles, chosen, pooled)
    key = graph.fingerprint, hashlib.blake2b(disc.tobytes(), digest_size=16).hexdigest(), chosen
    if key not in _kept:
        while len(_kept) >= KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = _discs(graph, disc, chosen == "force")
    return NodePlaces(_kept[key], disc, titles, chosen, pooled)


def places_of_cascade(cascade: Cascade) -> NodePlaces:
    """Lay out a cascade without a graph: its tree as rings, or on a spiral in the order of step where it is large."""
    disc = np.zeros(cascade.size, np.int64)
    if 0 < cascade.size <= MOST_RINGS:
        return NodePlaces(tree_places(np.asarray(cascade.parent, np.int64))[0], disc, [], "rings")
    return NodePlaces(_spiral(cascade.size), disc, [], "spiral")


def _spiral(n: int) -> NDArray[np.float64]:
    """Places that fill the unit disc evenly, from the centre (Vogel 1979)."""
    at = np.arange(n)
    return _polar(np.sqrt((at + 0.5) / max(n, 1)), at * _GOLDEN)


def _polar(radius: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _discs(graph: FollowerGraph, disc: NDArray[np.int64], force: bool) -> NDArray[np.float64]:
    """Place discs by the arcs between them, and nodes inside."""
    order = graph.index.order
    source = np.repeat(order, np.diff(graph.csr.indptr)).astype(np.int64)
    target = order[graph.csr.indices].astype(np.int64)
    count = int(disc.max(initial=0)) + 1
    sizes = np.bincount(disc, minlength=count)
    crossing = np.bincount(disc[source] * count + disc[target], minlength=count * count)
    between = crossing.reshape(count, count).astype(np.float64)
    np.fill_diagonal(between, 0.0)
    radius = np.sqrt(sizes / max(graph.n_nodes, 1))
    centre = np.zeros((1, 2))
    if count > 1:
        centre = _drawn_together(circle_places(between + between.T, radius * 0.4) / 0.4, radius)
    degree = np.bincount(source, minlength=graph.n_nodes) + np.bincount(target, minlength=graph.n_nodes)
    by_degree = np.lexsort((-degree, disc))
    place = np.empty((graph.n_nodes, 2))
    local = np.empty(graph.n_nodes, np.int64)
    inner = np.flatnonzero(disc[source] == disc[target])
    inner = inner[np.argsort(disc[source[inner]], kind="stable")]
    ends = np.searchsorted(disc[source[inner]], np.arange(count + 1))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    for d in range(count):
        mine = by_degree[starts[d] : starts[d + 1]]
        at = _spiral(mine.size)
        arcs = inner[ends[d] : ends[d + 1]]
        if force and arcs.size and mine.size > 2:
            local[mine] = np.arange(mine.size)
            at = _force(at, np.column_stack([local[source[arcs]], local[target[arcs]]]))
        place[mine] = centre[d] + radius[d] * at
    return place


def _force(start: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fruchterman and Reingold's layout from a given start; angles stay, radii are spread so that the disc is full."""
    import igraph

    n = len(start)
    made = igraph.Graph(n=n, edges=pairs, directed=False).simplify()
    with igraph_seeded(derive_key(0, "layout", n)):
        found = made.layout_fruchterman_reingold(
            niter=500 if n <= 1000 else 150,
            seed=(start * np.sqrt(n)).tolist(),
            grid="nogrid" if n <= 1000 else "grid",
        )
    at = np.asarray(found.coords, np.float64)
    return _evened(at - np.median(at, axis=0))


def _evened(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill the unit disc evenly: rings of 1, 6, 12, ... nodes by falling nearness to the centre, their angles kept in order."""
    n = len(at)
    order = np.argsort(np.hypot(*at.T), kind="stable")
    angle = np.arctan2(at[:, 1], at[:, 0])
    place = np.zeros((n, 2))
    rings = int(np.ceil(np.sqrt(max(n - 1, 0) / 3 + 0.25) - 0.5))
    for k in range(1, rings + 1):
        ring = order[1 + 3 * k * (k - 1) : 1 + 3 * k * (k + 1)]
        ring = ring[np.argsort(angle[ring], kind="stable")]
        slot = 2 * np.pi * np.arange(ring.size) / ring.size
        turn = np.angle(np.exp(1j * (angle[ring] - slot)).sum())
        place[ring] = _polar(np.full(ring.size, k / (rings + 0.5)), slot + turn)
    return place


def _drawn_together(place: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw circles together until they nearly touch, wider than high as pages are."""
    low, high = np.triu_indices(len(radius), 1)
    room = 1.08 * (radius[low] + radius[high])
    place = place - place.mean(axis=0)
    for turn in range(1000):
        if turn < 300:
            pull = 0.04 * (1 - turn / 300)
            place *= (1 - 0.15 * pull, 1 - pull)
        gap = place[low] - place[high]
        distance = np.maximum(np.hypot(*gap.T), 1e-9)
        lack = room - distance
        if turn >= 300 and (lack <= 1e-6).all():
            break
        push = (np.maximum(lack, 0) / distance / 2)[:, None] * gap
        for side in range(2):
            place[:, side] += np.bincount(low, push[:, side], len(radius)) - np.bincount(
                high, push[:, side], len(radius)
            )
    return place
