"""Communities of nodes as selections see them: one number for each node, and a name for each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph

__all__ = ["Groups", "groups_of"]


@dataclass(frozen=True)
class Groups:
    """Communities by internal node.

    Attributes
    ----------
    code : ndarray of int32, shape (n_nodes,)
        Position in `names`; -1 for a node of no community.
    names : list of labels
        Ascending where they can be sorted, else in order of first appearance.
    """

    code: NDArray[np.int32]
    names: list[Any]

    def __len__(self) -> int:
        return len(self.names)

    def sizes(self, among: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Nodes of each community, or those of them that are `among` (by internal node)."""
        code = self.code if among is None else self.code[among]
        return np.bincount(code[code >= 0], minlength=len(self.names)).astype(np.int64)


def groups_of(graph: FollowerGraph, communities: Any = None) -> Groups:
    """Read communities: None (the node attribute ``community``), a name, labels by node, or in the order of ``nodes``.

    A Series or mapping is by label, and nodes it leaves out belong to no community, as do those with a missing value;
    an object with ``labels``, such as a partition, stands for these.
    """
    values: Any = communities
    if values is None:
        if "community" not in graph.attributes:
            raise InputError(
                "the graph has no communities: give communities= (a Series, a mapping by label, or the name of a node "
                "attribute), or set them by graph.with_node_data(community=...)"
            )
        values = "community"
    if isinstance(values, str):
        if values not in graph.attributes:
            known = list(graph.attributes)
            listed = ", ".join(map(repr, known)) or "none"
            raise NotFoundError(
                f"communities={values!r} is no node attribute of the graph; it has {listed}."
                + did_you_mean(values, known)
            )
        values = graph.node_data[values].array
    elif hasattr(values, "labels") and not isinstance(values, pd.Series):
        values = values.labels
    if isinstance(values, Mapping):
        values = pd.Series(list(values.values()), index=pd.Index(list(values), tupleize_cols=False), dtype=object)
    if isinstance(values, pd.Series):
        if not values.index.is_unique:
            twice = values.index[values.index.duplicated()].tolist()[0]
            raise InputError(f"communities has more than one value for the node {twice!r}: give one for each node")
        graph.index.positions(values.index)
        values = values.reindex(graph.nodes).array
    try:
        array: Any = pd.array(values) if isinstance(values, np.ndarray) else pd.Series(values).array
        codes, names = pd.factorize(array, sort=False)
    except (TypeError, ValueError):
        raise InputError(
            f"communities={communities!r} names no communities: give a Series or a mapping by label, values in the order "
            "of graph.nodes, or the name of a node attribute"
        ) from None
    if len(codes) != graph.n_nodes:
        raise InputError(f"communities has {len(codes):,} values for {graph.n_nodes:,} nodes: give one for each node")
    if not len(names):
        raise InputError("communities names no node's community: all values are missing")
    listed_names = np.asarray(names, dtype=object).tolist()
    try:
        order = sorted(range(len(listed_names)), key=listed_names.__getitem__)
    except TypeError:
        order = list(range(len(listed_names)))
    new = np.empty(len(order) + 1, np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    new[-1] = -1
    return Groups(new[codes][graph.index.order], [_plain(listed_names[i]) for i in order])


def _plain(name: Any) -> Any:
    """Whole numbers that a missing value made decimal are whole again."""
    if hasattr(name, "item"):
        name = name.item()
    return int(name) if isinstance(name, float) and name.is_integer() else name
