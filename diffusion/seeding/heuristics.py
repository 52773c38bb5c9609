"""Heuristic seeds: rankings that need no simulation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._provenance import provenance
from .._random import RNGLike, generator, key_of
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..kernels.arcs import OutArcs
from ._groups import groups_of
from .selection import SeedSelection

__all__ = ["HEURISTICS", "TIER_STRATEGIES", "rank_seeds"]


# graph, k, allowed (by internal node), p (None: of each arc), draw -> internal nodes in order, scores
Ranking = Callable[
    [FollowerGraph, int, NDArray[np.bool_], float | None, np.random.Generator],
    tuple[NDArray[Any], NDArray[np.float64]],
]


def _top(graph: FollowerGraph, score: NDArray[Any], k: int, allowed: NDArray[np.bool_]) -> tuple[Any, Any]:
    """Largest scores first; ties go to the label that comes first."""
    nodes = np.flatnonzero(allowed)
    order = np.lexsort((graph.index.order[nodes], -score[nodes].astype(np.float64)))[:k]
    chosen = nodes[order]
    return chosen, score[chosen].astype(np.float64)


def _random(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    positions = np.sort(graph.index.order[allowed])
    chosen = graph.index.rank[draw.permutation(positions)[:k]]
    return chosen, np.full(len(chosen), np.nan)


def _degree(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    return _top(graph, graph.csr.out_degree, k, allowed)


def _discount(graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float) -> tuple[Any, Any]:
    from ..kernels.discount import discount_seeds

    out, place = OutArcs(graph.csr.indptr, graph.csr.indices), graph.index.order
    found = discount_seeds(out, graph.csr.into, graph.csr.multiplicity, graph.csr.out_degree, place, allowed, p, k)
    return found[0], found[1]


def _single_discount(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    return _discount(graph, k, allowed, -1.0)


def _degree_discount(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    if p is not None:
        return _discount(graph, k, allowed, p)
    from ..kernels.discount import star_discount_seeds

    return _by_arc(star_discount_seeds, graph, k, allowed)


def _two_step_discount(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    from ..kernels.discount import two_step_seeds

    return _by_arc(two_step_seeds, graph, k, allowed)


def _by_arc(kernel: Any, graph: FollowerGraph, k: int, allowed: NDArray[np.bool_]) -> tuple[Any, Any]:
    assert graph.probabilities is not None  # rank_seeds has looked
    out = OutArcs(graph.csr.indptr, graph.csr.indices)
    found: tuple[Any, Any] = kernel(out, graph.csr.into, graph.probabilities.values, graph.index.order, allowed, k)
    return found


def _irie(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    from .irie import irie

    return irie(graph, k, allowed)


def _pagerank(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    from ..kernels.ranking import page_rank

    def score() -> NDArray[np.float64]:
        times = graph.csr.multiplicity
        each = None if times.size == 1 else times
        follows = np.bincount(graph.csr.indices, each, minlength=graph.n_nodes)
        found: NDArray[np.float64] = page_rank(graph.csr.indptr, graph.csr.indices, times, follows.astype(np.float64))
        return found

    # It needs many passes over all arcs, and every certified selection asks for it.
    return _top(graph, np.round(graph.cached("pagerank", score), 15), k, allowed)


def _k_core(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    # Mutual follows are one edge of the undirected graph.
    core = np.array(_igraph(graph).as_undirected(mode="collapse").coreness())
    # Many nodes share the innermost core: followers decide among them.
    degree = graph.csr.out_degree
    chosen, _ = _top(graph, core + degree / (degree.max() + 1.0), k, allowed)
    return chosen, core[chosen].astype(np.float64)


def _voterank(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    from ..kernels.ranking import vote_rank

    into = graph.csr.into
    nodes, votes = vote_rank(
        graph.csr.indptr, graph.csr.indices, into.indptr, into.sources, graph.index.order, allowed, k
    )
    return nodes, votes / max(graph.n_edges, 1)


def _collective_influence(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    from scipy.sparse import csr_array

    from ..kernels.ranking import collective_influence

    n = graph.n_nodes
    flow = csr_array((np.ones(graph.n_edges, np.int8), graph.csr.indices, graph.csr.indptr), shape=(n, n))
    both = csr_array(flow + flow.T)  # mutual follows are one edge
    # Among equals, such as all nodes of a tree's edge, followers decide, then the label.
    place = np.empty(n, np.int32)
    place[np.lexsort((graph.index.order, -graph.csr.out_degree))] = np.arange(n, dtype=np.int32)
    nodes, score = collective_influence(both.indptr.astype(np.int64), both.indices.astype(np.int32), place, allowed, k)
    return nodes, score.astype(np.float64)


def _community_degree(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float | None, draw: np.random.Generator
) -> tuple[Any, Any]:
    groups = groups_of(graph)
    sizes = groups.sizes()
    degree = graph.csr.out_degree
    allowed = allowed & (groups.code >= 0)
    # Sainte-Lague: seat j of a community comes at (j + 1/2) / size, so that a smaller k takes the first of a larger one.
    ranked, _ = _top(graph, degree, int(allowed.sum()), allowed)
    community = groups.code[ranked]
    by_community = np.argsort(community, kind="stable")
    counts = np.bincount(community, minlength=len(groups))
    seat = np.empty(len(ranked), np.int64)
    seat[by_community] = np.arange(len(ranked)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.lexsort((community, -sizes[community], (seat + 0.5) / sizes[community]))[:k]
    return ranked[order], degree[ranked[order]].astype(np.float64)


def _igraph(graph: FollowerGraph) -> Any:
    import igraph

    sources = np.repeat(np.arange(graph.n_nodes), np.diff(graph.csr.indptr))
    return igraph.Graph(n=graph.n_nodes, edges=np.column_stack((sources, graph.csr.indices)), directed=True)


HEURISTICS: dict[str, tuple[Ranking, str]] = {
    "random": (_random, "drawn uniformly"),
    "degree": (_degree, "most followers"),
    "single_discount": (_single_discount, "most followers not yet chosen (Chen, Wang and Yang 2009)"),
    "degree_discount": (
        _degree_discount,
        "followers discounted by what the seeds reach (Chen, Wang and Yang 2009, alg. 4; each arc's own p)",
    ),
    "two_step_discount": (_two_step_discount, "expected reach within two steps, discounted by what the seeds reach"),
    "irie": (_irie, "influence ranking and influence estimation, alpha 0.7 (Jung, Heo and Chen 2012)"),
    "collective_influence": (
        _collective_influence,
        "collective influence within two steps, adaptive (Morone and Makse 2015)",
    ),
    "community_degree": (_community_degree, "most followers of each community, seeds in proportion to its size"),
    "pagerank": (_pagerank, "PageRank along follows, damping 0.85"),
    "k_core": (_k_core, "core number of the undirected graph, then followers (igraph)"),
    "voterank": (_voterank, "VoteRank, followers vote (Zhang et al. 2016)"),
}
BY_ARC = ("two_step_discount", "irie")  # methods that reckon with the probability of every arc
TIER_STRATEGIES = ("amateur", "tail", "waist", "head")


def rank_seeds(
    graph: FollowerGraph,
    k: int,
    *,
    method: str,
    p: float | None = None,
    candidates: Iterable[Any] | None = None,
    rng: RNGLike = None,
) -> SeedSelection:
    """Rank up to k nodes by a heuristic.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities for ``"irie"``, ``"two_step_discount"``, and ``"degree_discount"`` without `p`; with the node attribute
        ``community`` for ``"community_degree"``, and ``tier`` for the creator tiers.
    k : int
        Number of seeds, from 0. VoteRank ranks fewer once no one is left with a vote, and community degree leaves out
        nodes of no community. The seeds for a smaller k are the first of those for a larger one.
    method : str
        One of `HEURISTICS` or `TIER_STRATEGIES`.
    p : float in [0, 1], optional
        One probability for ``"degree_discount"`` to reckon with, in the published formula; default: that of each arc.
    candidates : iterable of labels, optional
        Rank these only.
    rng : int, Generator or None
        For ``"random"`` and the tiers.

    Returns
    -------
    SeedSelection

    Raises
    ------
    InputError
        A value out of range, more seeds than candidates, or a graph without what the method needs.
    NotFoundError
        An unknown method or label.

    Notes
    -----
    Degree discount. Chen, Wang and Yang (2009, section 4.1) look at the star of a node v: v is worth
    (1 - p)^t (1 + (d - t) p), as no seed among its t neighbours activates it with probability (1 - p)^t, and it then
    activates each of its d - t others with p. To first order in p this is 1 + p (d - 2t - (d - t) t p), their algorithm
    4, which serves when `p` is given. Without `p` the star is kept whole, with the probability of every arc:
    prod over seeds s of (1 - p_sv) * (1 + sum over followers w that are no seeds of p_vw). Parallel arcs count by the
    probability of the arc that they form. Time: the arcs of the seeds, each with the logarithm of the nodes.

    Two-step discount carries the same reasoning one step further, and discounts followers too: with f(v) the chance that
    no seed activates v directly, v is worth f(v) (1 + sum_w p_vw f(w) (1 + sum_x p_wx f(x))).

    The star alone is short-sighted where probabilities differ: on NetHEPT with weighted-cascade probabilities 50 seeds
    reach 949 nodes on the multigraph and 845 on the simple graph, against 973 and 902 by the published formula with
    p = 0.01, and 1027 and 949 by two-step discount.

    IRIE: see `diffusion.seeding.irie.irie`. Collective influence (Morone and Makse 2015, with balls of radius 2):
    (degree - 1) times the sum of (degree - 1) over nodes two steps away, on the undirected graph, from which each seed
    is then removed; ties, as among nodes of influence 0, go to more followers. VoteRank (Zhang et al. 2016): an elected
    node votes no more, and each of its followers with 1 / (mean followers) less. Community degree gives out seats as
    elections do (Sainte-Lague), ties to the larger community.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> rank_seeds(g.with_probabilities("weighted_cascade"), 2, method="degree_discount").to_pandas()
       rank  node  score
    0     1     0    4.0
    1     2     4    2.0
    """
    check_graph(graph)
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 0:
        raise InputError(f"k={k!r} is not a number of seeds: give a whole number from 0")
    allowed = np.ones(graph.n_nodes, np.bool_)
    if candidates is not None:
        allowed[:] = False
        allowed[graph.index.internal(list(candidates))] = True
    ranking = method
    if method in TIER_STRATEGIES:
        if "tier" not in graph.attributes:
            raise InputError(
                f"the method {method!r} needs creator tiers, the node attribute 'tier': see dif.graph.with_creator_tiers(graph)"
            )
        allowed &= (graph.node_data["tier"].to_numpy() == method)[graph.index.order]
        ranking = "random"
    if not isinstance(ranking, str) or ranking not in HEURISTICS:
        known = [*HEURISTICS, *TIER_STRATEGIES]
        raise NotFoundError(
            f"the method {method!r} is unknown: choose {', '.join(known)}." + did_you_mean(method, known)
        )
    if k > allowed.sum():
        what = "nodes" if allowed.all() else "candidates"
        raise InputError(f"k={k:,} is more than the {int(allowed.sum()):,} {what} there are to choose from")
    one = None if p is None else _probability(p)
    key = key_of(rng)
    if graph.probabilities is None and (method in BY_ARC or (method == "degree_discount" and p is None)):
        also = "p=, or " if method == "degree_discount" else ""
        raise InputError(
            f"{method} reckons with propagation probabilities: give {also}a graph with probabilities, see "
            "graph.with_probabilities"
        )
    start = time.perf_counter()
    nodes, scores = HEURISTICS[ranking][0](graph, int(k), allowed, one, generator(key))
    seconds = time.perf_counter() - start
    record = provenance("select_seeds", key=key, method=method, k=int(k), graph=graph.fingerprint)
    return SeedSelection(tuple(graph.index.labels_of(nodes).tolist()), method, scores, seconds, key, provenance=record)


def _probability(p: object) -> float:
    if isinstance(p, bool) or not isinstance(p, int | float | np.integer | np.floating) or not 0 <= p <= 1:
        raise InputError(f"p={p!r} is not a probability: give a number from 0 to 1")
    return float(p)
