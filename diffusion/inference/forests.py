"""Observed cascades as forests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._provenance import provenance
from .._random import RNGLike, key_of
from ..errors import NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..kernels.action_logs import Log
from ..kernels.forests import FIRST, LAST, RANDOM, choose_parents
from ..kernels.trees import tree_passes
from ..results.cascade import Cascade

if TYPE_CHECKING:
    from .action_log import ActionLog

__all__ = ["RULES", "forests", "node_rows", "parent_rows"]

RULES = {"first": FIRST, "last": LAST, "random": RANDOM}
NO_PLACE, NO_AGES = np.empty(0, np.int64), np.empty(0)


def node_rows(indptr: NDArray[np.int64], node: NDArray[np.int32], time: NDArray[np.float64]) -> Log:
    """Adoptions for kernels that go by item alone."""
    return Log(indptr, node, time, NO_PLACE, NO_AGES)


def parent_rows(
    log: ActionLog, graph: FollowerGraph, rule: str, *, window: float = math.inf, rng: RNGLike = None
) -> NDArray[np.int32]:
    """Row of the parent of every adoption, -1 for none; `log` holds users of the graph alone."""
    if rule not in RULES:
        raise NotFoundError(
            f"parents={rule!r} is unknown: give 'first', 'last' or 'random'" + did_you_mean(rule, RULES)
        )
    key = np.uint64(key_of(rng))
    parent = np.empty(len(log), np.int32)
    rows = node_rows(log.indptr, log.positions(graph)[log.user], log.time)
    row_of = np.full(graph.n_nodes, -1, np.int64)
    choose_parents(rows, graph.csr.into, np.array(graph.index.order), window, RULES[rule], key, row_of, parent)
    return parent


def forests(
    log: ActionLog, graph: FollowerGraph, *, parents: str = "first", unknown: str = "drop", rng: RNGLike = None
) -> dict[Any, Cascade]:
    """Return the observed cascades as forests on a graph; see `ActionLog.cascades`."""
    log = log.on(graph, unknown=unknown)
    parent = parent_rows(log, graph, parents, rng=rng)
    _, depth, _ = tree_passes(parent)
    order = np.lexsort((depth, log.item))  # stable: by time within a depth
    place = np.empty(order.size, np.int64)
    place[order] = np.arange(order.size)
    begin = log.indptr[log.item]
    above = np.where(parent[order] < 0, -1, place[parent[order]] - begin).astype(np.int32)
    labels, step = log.users.take(log.user[order]), depth[order]
    record = provenance("cascades", graph=graph.fingerprint, parents=parents)
    ends = log.indptr.tolist()
    return {
        item: Cascade(labels[a:b], step[a:b], above[a:b], {**record, "item": item}, graph=graph)
        for item, a, b in zip(log.items.tolist(), ends, ends[1:], strict=False)
    }
