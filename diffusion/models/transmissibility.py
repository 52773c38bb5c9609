"""Probability that an arc transmits before its source recovers, for all pairs of waiting times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..graph.follower_graph import FollowerGraph
from ..kernels.waiting import EXPONENTIAL, FIXED, GAMMA, GEOMETRIC, LOGNORMAL, WEIBULL, Wait
from .waiting import WaitingTime, distribution

__all__ = ["transmissibility", "with_transmissibility"]

POINTS = 4096  # quantiles of the infectious period that stand for it
FEW = 2048  # distinct pairs of arcs that are computed one by one; of more, a fine grid of ratios is
Floats = NDArray[np.float64]


def with_transmissibility(
    graph: FollowerGraph, transmission: WaitingTime, recovery: WaitingTime, end: float = np.inf
) -> FollowerGraph:
    """Return the graph with the probability of each arc that it transmits before its source recovers, and by `end`."""
    p = transmissibility(graph, transmission, recovery, end).astype(np.float32)
    rule = graph.with_probabilities("constant", p=0.0).probabilities
    assert rule is not None
    return replace(graph, probabilities=replace(rule, values=p, rule="transmissibility", parameters={}))


def transmissibility(
    graph: FollowerGraph, transmission: WaitingTime, recovery: WaitingTime, end: float = np.inf
) -> Floats:
    """P(D <= R, D <= end) of every arc, or one value for all; D is the time of the arc, R that of its source.

    Parameters
    ----------
    graph : FollowerGraph
    transmission : WaitingTime
    recovery : WaitingTime
    end : float

    Returns
    -------
    ndarray of float64, shape (n_edges,) or (1,)
    """
    of_arc, of_node = transmission.on_arcs(graph, "transmission"), recovery.on_nodes(graph, "recovery")
    d, r = of_arc.scale, of_node.scale
    if r.size > 1 or (recovery.column is not None and graph.n_nodes == 1):
        r = r[graph.csr.sources]
    d, r = np.broadcast_arrays(d, r)
    pairs, back = np.unique(np.stack([d, r]), axis=1, return_inverse=True)
    return _of_pairs(of_arc, of_node, pairs[0], pairs[1], end)[back.ravel()]


def _of_pairs(of_arc: Wait, of_node: Wait, d: Floats, r: Floats, end: float) -> Floats:
    """P(D <= R, D <= end) for scales d and r."""
    never_d = d <= 0 if of_arc.kind == GEOMETRIC else np.isinf(d)
    never_r = r <= 0 if of_node.kind == GEOMETRIC else np.isinf(r)
    found = np.where(never_d, 0.0, 1.0)
    if end < np.inf:
        found = np.where(never_d, 0.0, distribution(of_arc, np.full(1, end), np.where(never_d, 1.0, d)))
    usual = ~never_d & ~never_r
    if usual.any():
        of = of_arc, of_node, d[usual], r[usual]
        found[usual] = np.clip(_usual(*of) if end == np.inf else _by_end(*of, end), 0.0, 1.0)
    return found


def _usual(of_arc: Wait, of_node: Wait, d: Floats, r: Floats) -> Floats:
    kinds = of_arc.kind, of_node.kind
    if of_node.kind == FIXED:
        return distribution(of_arc, r, d)
    if kinds == (EXPONENTIAL, EXPONENTIAL):
        return np.asarray(r / (r + d))
    if kinds == (GEOMETRIC, GEOMETRIC):
        return np.asarray(d / (1.0 - (1.0 - d) * (1.0 - r)))
    if kinds == (EXPONENTIAL, GAMMA):  # Laplace transform of the period
        return np.asarray(-np.expm1(-of_node.shape * np.log1p(r / d)))
    if kinds == (GAMMA, EXPONENTIAL):
        return np.asarray((1.0 + d / r) ** -of_arc.shape)
    if of_arc.kind == FIXED:
        return 1.0 - distribution(of_node, d, r, left=True)
    if GEOMETRIC in kinds or d.size <= FEW:
        return _midpoints(of_arc, of_node, d, r)
    # Both times are a scale times a time of scale 1: the probability is a smooth function of the ratio alone.
    from scipy.interpolate import PchipInterpolator

    ratio = np.log(r) - np.log(d)
    grid = np.linspace(ratio.min(), ratio.max(), FEW)
    values = _midpoints(of_arc, of_node, np.ones(FEW), np.exp(grid))
    return np.asarray(PchipInterpolator(grid, values)(ratio))


def _by_end(of_arc: Wait, of_node: Wait, d: Floats, r: Floats, end: float) -> Floats:
    if of_node.kind == FIXED:
        return distribution(of_arc, np.minimum(r, end), d)
    if (of_arc.kind, of_node.kind) == (EXPONENTIAL, EXPONENTIAL):
        return np.asarray(r / (r + d) * -np.expm1(-end / d - end / r))
    pairs, back = np.unique(np.stack([d, r]), axis=1, return_inverse=True)
    return _midpoints(of_arc, of_node, pairs[0], pairs[1], end)[back.ravel()]


def _midpoints(of_arc: Wait, of_node: Wait, d: Floats, r: Floats, end: float = np.inf) -> Floats:
    """Mean of P(D <= R | R) over the middles of equally likely parts of the period, which lasts until `end` at most."""
    levels = (np.arange(POINTS) + 0.5) / POINTS
    found = np.empty(d.size)
    for i in range(d.size):
        found[i] = distribution(of_arc, np.minimum(_quantiles(of_node, levels, r[i]), end), d[i]).mean()
    return found


def _quantiles(wait: Wait, levels: Floats, scale: float) -> Floats:
    from scipy import special

    kind, _, shape = wait
    if kind == EXPONENTIAL:
        return -np.log1p(-levels) * scale
    if kind == WEIBULL:
        return np.asarray((-np.log1p(-levels)) ** (1.0 / shape) * scale)
    if kind == GEOMETRIC:
        return np.ones(levels.size) if scale >= 1.0 else np.maximum(np.ceil(np.log1p(-levels) / np.log1p(-scale)), 1.0)
    if kind == GAMMA:
        return np.asarray(special.gammaincinv(shape, levels) * scale)
    assert kind == LOGNORMAL
    return np.asarray(scale * np.exp(shape * special.ndtri(levels)))
