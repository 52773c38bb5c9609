"""Numbers of nodes as users give them: prices, weights, thresholds, probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._arrays import constant
from ..errors import InputError, NotFoundError, did_you_mean

if TYPE_CHECKING:
    from .follower_graph import FollowerGraph

__all__ = ["node_values", "reach_weights"]

MOST_WEIGHT = 1e100  # squares of sums of weights are still numbers


def node_values(graph: FollowerGraph, given: Any, what: str, *, missing: float | None) -> NDArray[np.float64]:
    """Return one number for each node, by internal node.

    `given` names a node attribute, or is a Series or mapping by label, a callable of the number of followers (an array
    in, an array out), or an array in the order of ``graph.nodes``. Labels left out get `missing`; None refuses them.
    """
    if isinstance(given, str):
        if given not in graph.attributes:
            known = list(graph.attributes)
            listed = ", ".join(map(repr, known)) or "none"
            raise NotFoundError(
                f"{what}={given!r} is no node attribute of the graph; it has {listed}." + did_you_mean(given, known)
            )
        given = graph.node_data[given].to_numpy()
    elif callable(given):
        given = _called(graph, given, what)
    if isinstance(given, Mapping):
        given = pd.Series(list(given.values()), index=pd.Index(list(given), tupleize_cols=False))
    if isinstance(given, pd.Series):
        positions = graph.index.positions(given.index)
        values = np.full(graph.n_nodes, np.nan if missing is None else missing)
        values[positions] = _numbers(given.to_numpy(), what)
        if not given.index.is_unique:
            twice = given.index[given.index.duplicated()].tolist()[0]
            raise InputError(f"{what} has more than one value for the node {twice!r}: give one for each node")
    else:
        values = _numbers(given, what)
        if values.shape != (graph.n_nodes,):
            shape = " x ".join(f"{k:,}" for k in values.shape) or "one"
            raise InputError(f"{what} has {shape} values for {graph.n_nodes:,} nodes: give one for each node")
    return values[graph.index.order]


def _called(graph: FollowerGraph, function: Any, what: str) -> Any:
    """Values of a function of followers; where it raises, say for which node."""
    followers = graph.out_degree.to_numpy()
    try:
        return function(followers)
    except Exception as whole:
        error, fails, good = whole, -1, False  # a function may take every node alone, and not all at once
        for at in range(followers.size):
            try:
                function(followers[at : at + 1])
                good = True
            except Exception as alone:
                if fails < 0:
                    fails, error = at, alone
            if good and fails >= 0:
                raise InputError(
                    f"the function given as {what} fails at the node {graph.nodes[[fails]].tolist()[0]!r} with "
                    f"{followers[fails]:,} followers: {type(error).__name__}: {error}"
                ) from error
        raise InputError(
            f"the function given as {what} raises {type(error).__name__}: {error}. It takes an array, the followers of all "
            f"nodes, and returns an array of numbers, such as lambda followers: 0.5 * followers"
        ) from error


def _numbers(given: Any, what: str) -> NDArray[np.float64]:
    try:
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{what} holds something that is no number: give numbers by label (Series, dict), in the order of "
            "graph.nodes, or the name of a node attribute"
        ) from None


def reach_weights(graph: FollowerGraph, node_weights: Any) -> NDArray[np.float64] | None:
    """Weights by internal node, checked and read-only (labels left out weigh 0); None: every node counts 1."""
    if node_weights is None:
        return None
    weights = node_values(graph, node_weights, "node_weights", missing=0.0)
    bad = ~((weights >= 0) & np.isfinite(weights))
    if bad.any():
        at, label = graph.index.first_of(bad)
        raise InputError(f"node_weights of {label!r} is {weights[at]:g}: weights are finite numbers from 0")
    if weights.max(initial=0) > MOST_WEIGHT:
        at, label = graph.index.first_of(weights > MOST_WEIGHT)
        raise InputError(
            f"node_weights of {label!r} is {weights[at]:g}, too large to be added up: sums do not fit, so give all weights in a larger unit"
        )
    if not weights.sum() > 0:
        raise InputError("node_weights are all 0: give a positive weight to the nodes of the audience")
    return constant(weights)
