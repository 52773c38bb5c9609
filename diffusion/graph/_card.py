"""What a follower graph says of itself: its fingerprint, its text and its HTML card."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from .._html import facts

if TYPE_CHECKING:
    from .follower_graph import FollowerGraph

__all__ = ["fingerprint", "html_card", "text_card"]


def fingerprint(graph: FollowerGraph) -> str:
    """See `FollowerGraph.fingerprint`; arcs and probabilities are hashed once each."""
    of_arcs = graph.cached("digest", lambda: _digest_of_arcs(graph))
    # Kept beside the values, which never change, so that both go away together: hashing 15M of them takes 60 ms.
    known: dict[bytes, str] = {} if graph.probabilities is None else vars(graph.probabilities).setdefault("_known", {})
    if of_arcs not in known:
        digest = hashlib.blake2b(of_arcs, digest_size=16)
        if graph.probabilities is not None:
            digest.update(np.ascontiguousarray(graph.probabilities.values).data)
        known[of_arcs] = digest.hexdigest()
    return known[of_arcs]


def _digest_of_arcs(graph: FollowerGraph) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    if graph.nodes.dtype.kind in "iuf":
        digest.update(graph.nodes.to_numpy().tobytes())
    else:
        digest.update("\x1f".join(map(repr, graph.nodes.tolist())).encode())
    for array in (graph._arcs.indptr, graph._arcs.indices, graph._arcs.multiplicity):
        digest.update(b"-" if array is None else np.ascontiguousarray(array).data)
    return digest.digest()


def _card(graph: FollowerGraph) -> dict[str, str]:
    degree = graph.csr.out_degree
    card = {
        "nodes": f"{graph.n_nodes:,}",
        "arcs": f"{graph.n_edges:,}",
        "followers": f"mean {degree.mean():.4g}, max {degree.max():,}",
        "reciprocity": f"{graph.reciprocity:.3g}" if graph.n_edges else "no arcs",
    }
    card |= graph._facts()
    if graph._arcs.multiplicity is not None:
        card["parallel arcs"] = f"{int(graph._arcs.multiplicity.sum()) - graph.n_edges:,} counted"
    if graph.dropped_self_loops or graph.dropped_parallel:
        card["dropped"] = f"{graph.dropped_self_loops:,} self-loops, {graph.dropped_parallel:,} repeated arcs"
    if graph.comment_lines:
        card["comments"] = f"{graph.comment_lines:,} lines of the file before its first edge"
    card["edges mean"] = graph.edges_mean if graph.edges_mean else "undirected: one arc each way"
    if graph.probabilities is not None:
        card["probabilities"] = graph.probabilities.label
    if graph.attributes:
        card["node data"] = ", ".join(graph.attributes)
    return card


def text_card(graph: FollowerGraph) -> str:
    """One line, for `repr`."""
    card = _card(graph)
    plural = ["" if count == 1 else "s" for count in (graph.n_nodes, graph.n_edges)]
    text = f"{type(graph).__name__}: {card['nodes']} node{plural[0]}, {card['arcs']} arc{plural[1]}"
    text += f"; followers {card['followers']}; reciprocity {card['reciprocity']}"
    extra = ("contacts", "follows", "parallel arcs", "dropped", "comments", "probabilities", "node data")
    return text + "".join(f"; {name} {card[name]}" for name in extra if name in card)


def html_card(graph: FollowerGraph) -> str:
    """A small table, for notebooks."""
    return facts(type(graph).__name__, _card(graph))
