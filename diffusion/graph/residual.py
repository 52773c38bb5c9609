"""The graph that is left once part of a cascade was seen."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..kernels.residual import given_silence, open_arcs
from ._parts import Probabilities
from .follower_graph import FollowerGraph

__all__ = ["residual_graph"]


def residual_graph(
    graph: FollowerGraph, silent: NDArray[np.bool_], active: NDArray[np.bool_], *, linear: bool = False
) -> FollowerGraph:
    """Return the arcs whose state is open after a cascade was seen, with their probabilities given what was seen.

    The cascade of further seeds among the users who are not active is the same model on this graph. It has the same nodes,
    also by internal number, and shares nothing computed with `graph`, so that it goes away when it is not used any more.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    silent : ndarray of bool, shape (n_nodes,)
        Internal nodes whose out-arcs were all seen: those into users who are not active did not fire.
    active : ndarray of bool, shape (n_nodes,)
        Internal nodes that are active; all silent ones are.
    linear : bool
        Weights of the linear threshold model: the weights of others rise where an account followed was seen to fail.

    Returns
    -------
    FollowerGraph

    Raises
    ------
    InputError
        No probabilities.
    """
    rule = graph.probabilities
    if rule is None:
        raise InputError("the graph has no propagation probabilities, which what is left of it needs")
    csr, p = graph.csr, rule.values
    indptr, kept = open_arcs(csr.indptr, csr.indices, silent, active)
    if linear:
        weight = np.broadcast_to(p, graph.n_edges).astype(np.float64)
        p = given_silence(csr.indptr, csr.indices, weight, silent, kept).astype(np.float32)
    elif p.size > 1 or csr.indices.size == 1:
        p = p[kept]
    parts = {"multiplicity": graph._arcs.multiplicity, "weight": graph._arcs.weight, "time": graph._arcs.time}
    columns: dict[str, Any] = {name: None if column is None else column[kept] for name, column in parts.items()}
    arcs = dataclasses.replace(graph._arcs, indptr=indptr, indices=csr.indices[kept], **columns)
    left = Probabilities(p, "residual", {"of": rule.label})
    return FollowerGraph(arcs, graph.edges_mean, graph.directed, graph.parallel, left, graph.attributes)
