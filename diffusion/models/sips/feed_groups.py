"""Communities as a feed sees them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...errors import InputError
from ...graph.follower_graph import FollowerGraph

__all__ = ["feed_groups"]


def feed_groups(graph: FollowerGraph, own: float) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Community of every internal node, and members by community; one entry each where the feed does not ask."""
    if own == 0:
        return np.zeros(1, np.int32), np.zeros(2, np.int64), np.zeros(1, np.int32)
    if "community" not in graph.attributes:
        raise InputError(
            f"own_community={own:g} shows notes to the creator's own community, and the graph has no node attribute 'community': add "
            "it with graph.with_node_data(community=dif.communities(graph).labels), or set own_community=0"
        )
    codes, names = pd.factorize(graph.node_data["community"].to_numpy(), use_na_sentinel=True)
    if (codes < 0).any():
        lost = graph.nodes[[int((codes < 0).argmax())]].tolist()[0]
        raise InputError(f"the node {lost!r} has no community: give every node one, or set own_community=0")
    of = codes[graph.index.order].astype(np.int32)
    members = np.argsort(of, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(names)))]).astype(np.int64)
    return of, starts, members
