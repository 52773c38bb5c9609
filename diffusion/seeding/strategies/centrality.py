"""Rankings by position in the graph, whatever the probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...graph.follower_graph import FollowerGraph
from ...kernels.csr import undirected_rows
from ...kernels.ranking import collective_influence, core_numbers, page_rank, vote_rank
from ..groups import groups_of
from .rankings import Order, Ranking, by_followers, top

__all__ = ["CollectiveInfluence", "CommunityDegree", "KCore", "PageRank", "VoteRank"]


def _neighbours(graph: FollowerGraph) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Rows of the undirected graph, in which mutual follows are one edge."""
    into = graph.csr.into
    indptr, neighbours = undirected_rows(graph.csr.indptr, graph.csr.indices, into.indptr, into.sources)
    return indptr, neighbours


@dataclass(frozen=True)
class CollectiveInfluence(Ranking):
    """Collective influence within two steps (Morone and Makse 2015, with balls of radius 2), adaptive.

    (degree - 1) times the sum of (degree - 1) over nodes two steps away, on the undirected graph, from which each seed
    is then removed; ties, as among nodes of influence 0, go to more followers.

    See Also
    --------
    seeding.KCore, seeding.VoteRank, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=CollectiveInfluence()).seeds
    (0, 4)
    """

    name = "collective_influence"

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        n = graph.n_nodes
        # Among equals, such as all nodes of a tree's edge, followers decide, then the label.
        place = np.empty(n, np.int32)
        place[by_followers(graph)] = np.arange(n, dtype=np.int32)
        nodes, score = collective_influence(*_neighbours(graph), place, allowed, size)
        return nodes, score.astype(np.float64)


@dataclass(frozen=True)
class CommunityDegree(Ranking):
    """Most followers of each community, seeds in proportion to its size; needs the node attribute ``community``.

    Communities get seats as in elections (Sainte-Lague), ties going to the larger one; nodes of no community are left
    out.

    See Also
    --------
    seeding.Degree, communities, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g.with_node_data(community=list("aaaabb")), 2, method=CommunityDegree()).seeds
    (0, 4)
    """

    name = "community_degree"

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        groups = groups_of(graph)
        sizes = groups.sizes()
        degree = graph.csr.out_degree
        allowed = allowed & (groups.code >= 0)
        # Seat j of a community comes at (j + 1/2) / size, so that a smaller number takes the first of a larger one.
        ranked, _ = top(graph, degree, int(allowed.sum()), allowed)
        community = groups.code[ranked]
        by_community = np.argsort(community, kind="stable")
        counts = np.bincount(community, minlength=len(groups))
        seat = np.empty(len(ranked), np.int64)
        seat[by_community] = np.arange(len(ranked)) - np.repeat(np.cumsum(counts) - counts, counts)
        order = np.lexsort((community, -sizes[community], (seat + 0.5) / sizes[community]))[:size]
        return ranked[order], degree[ranked[order]].astype(np.float64)


@dataclass(frozen=True)
class PageRank(Ranking):
    """PageRank along follows, with a damping of 0.85.

    See Also
    --------
    seeding.IRIE, seeding.Degree, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=PageRank()).seeds
    (4, 0)
    """

    name = "pagerank"

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:

        def score() -> NDArray[np.float64]:
            csr = graph.csr
            each = None if csr.multiplicity.size == 1 else csr.multiplicity
            follows = np.bincount(csr.indices, each, minlength=graph.n_nodes).astype(np.float64)
            ranks: NDArray[np.float64] = page_rank(csr.indptr, csr.indices, csr.multiplicity, follows)
            return ranks

        # It needs many passes over all arcs, and every certified selection asks for it.
        return top(graph, np.round(graph.cached("pagerank", score), 15), size, allowed)


@dataclass(frozen=True)
class KCore(Ranking):
    """Core number of the undirected graph, then followers.

    See Also
    --------
    seeding.CollectiveInfluence, seeding.VoteRank, select_seeds

    References
    ----------
    Batagelj and Zaversnik (2003), "An O(m) algorithm for cores decomposition of networks", arXiv:cs/0310049.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=KCore()).seeds
    (0, 4)
    """

    name = "k_core"

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        core = core_numbers(*_neighbours(graph))
        # Many nodes share the innermost core: followers decide among them.
        degree = graph.csr.out_degree
        chosen, _ = top(graph, core + degree / (degree.max() + 1.0), size, allowed)
        return chosen, core[chosen].astype(np.float64)


@dataclass(frozen=True)
class VoteRank(Ranking):
    """VoteRank, followers vote (Zhang et al. 2016).

    An elected node votes no more, and each of its followers with 1 / (mean followers) less; the ranking ends once no
    one is left with a vote.

    See Also
    --------
    seeding.KCore, seeding.CollectiveInfluence, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=VoteRank()).seeds
    (0, 4)
    """

    name = "voterank"

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        csr, into = graph.csr, graph.csr.into
        nodes, votes = vote_rank(csr.indptr, csr.indices, into.indptr, into.sources, graph.index.order, allowed, size)
        return nodes, votes / max(graph.n_edges, 1)
