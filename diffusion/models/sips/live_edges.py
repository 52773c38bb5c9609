"""Reach of SIPS as the spread of an independent cascade on a larger graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph.follower_graph import FollowerGraph
from ..base import LiveEdges, RatedArcs
from .feed_groups import feed_groups
from .parts import Feed

__all__ = ["split_graph"]


def split_graph(graph: FollowerGraph, attention: NDArray[np.float32], rho: float, feed: Feed | None) -> LiveEdges:
    """Return the graph on which SIPS is an independent cascade.

    User i (in the order of `graph.nodes`) is node i when exposed and node n + i when sharing: an arc n + i -> j for
    every follower j with the probability of attention, i -> n + i with rho, and n + i -> i with 1, since who shares
    was reached.

    A feed without amplification shows the note of each sharer to a Poisson number of users, so that each pair of sharer
    and user has a Poisson number of exposures of its own: independent arcs, n * n of them. They come as arcs from every
    sharer into the node 2 n + i, "the feed of user i", with 1 - exp(-m0 (1 - own) / n), and from the members of the
    community of i into 3 n + i with 1 - exp(-m0 own / members), each with an arc of 1 to i. RR sets draw them without
    storing them: they are the rated arcs of the live edges.

    Parameters
    ----------
    graph : FollowerGraph
    attention : ndarray of float32, shape (1,) or (n_edges,)
        Probability that a follower attends to a note.
    rho : float
        Probability that an exposure makes a sharer.
    feed : Feed or None
        Without amplification and cap.

    Returns
    -------
    LiveEdges
    """
    n = graph.n_nodes
    order = graph.index.order.astype(np.int64)
    source, target = order[graph.csr.sources], order[graph.csr.indices]
    users = np.arange(n)
    shown = feed is not None and feed.impressions > 0
    layers = 4 if shown else 2
    split = FollowerGraph.from_arrays(
        np.concatenate([n + source, users, *(layer * n + users for layer in range(1, layers))]),
        np.concatenate([target, n + users, *(users for _ in range(1, layers))]),
        weight=np.concatenate(
            [np.broadcast_to(attention, target.shape).astype(np.float64), np.full(n, rho), np.ones((layers - 1) * n)]
        ),
        nodes=range(layers * n),
        directed=True,
        edges_mean="influences",
    ).with_probabilities("column")
    at = split.index.rank
    rated: list[RatedArcs] = []
    if feed is not None and shown:
        of, starts, members = feed_groups(graph, feed.own_community)
        everyone, rate = at[n + users], feed.impressions * (1.0 - feed.own_community) / n
        rated.append(
            RatedArcs(at[2 * n + users], everyone, np.zeros(n, np.int64), np.full(n, n, np.int64), np.full(n, rate))
        )
        if feed.own_community > 0:
            size = np.diff(starts)[of]
            # `of`, `starts` and `members` go by internal nodes of `graph`; layers by the order of its labels.
            mine = feed.impressions * feed.own_community / size
            rated.append(RatedArcs(at[3 * n + order], at[n + order[members]], starts[of], size, mine))
    return LiveEdges(split, seed_of=at[n + order], counted=at[order], rated=tuple(rated))
