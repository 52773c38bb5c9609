"""The worth of reaching each node, as users give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, NotFoundError, did_you_mean
from .follower_graph import FollowerGraph

__all__ = ["reach_weights"]


def reach_weights(graph: FollowerGraph, given: Any) -> NDArray[np.float64] | None:
    """Weights by internal node, checked and read-only; None: every node counts 1.

    `given` names a node attribute, or is a Series or mapping by label (labels left out weigh 0), a callable of the number
    of followers (an array in, an array out), or an array in the order of ``graph.nodes``.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if given not in graph._node_data:
            known = list(graph._node_data)
            raise NotFoundError(
                f"node_weights={given!r} is no node attribute of the graph; it has {', '.join(map(repr, known)) or 'none'}."
                + did_you_mean(given, known)
            )
        given = graph.node_data[given].to_numpy()
    elif callable(given):
        given = given(graph.out_degree.to_numpy())
    if isinstance(given, Mapping):
        given = pd.Series(list(given.values()), index=pd.Index(list(given), tupleize_cols=False))
    if isinstance(given, pd.Series):
        if not given.index.is_unique:
            twice = given.index[given.index.duplicated()].tolist()[0]
            raise InputError(f"node_weights has more than one value for the node {twice!r}: give one for each node")
        values = np.zeros(graph.n_nodes)
        values[graph._check_labels(given.index)] = _numbers(given.to_numpy())
    else:
        values = _numbers(given)
        if values.shape != (graph.n_nodes,):
            shape = " x ".join(f"{k:,}" for k in values.shape) or "one"
            raise InputError(f"node_weights has {shape} values for {graph.n_nodes:,} nodes: give one for each node")
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        at = int(bad.argmax())
        label = graph.nodes[[at]].tolist()[0]
        raise InputError(f"node_weights of {label!r} is {values[at]:g}: weights are finite numbers from 0")
    total = float(values.max(initial=0.0)) * len(values)
    if not 0 < total < 1e150:  # squares are summed
        raise InputError(
            "node_weights are all 0: give a positive weight to the nodes of the audience" if total == 0 else
            f"node_weights go up to {values.max():g}, whose sums do not fit: divide them all by one number"
        )  # fmt: skip
    weights = values[graph._arcs.order]
    weights.flags.writeable = False  # as the arrays of a graph: kernels compile once
    return weights


def _numbers(given: Any) -> NDArray[np.float64]:
    try:
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            "node_weights holds something that is no number: give numbers by label (Series, dict), in the order of "
            "graph.nodes, or the name of a node attribute"
        ) from None
