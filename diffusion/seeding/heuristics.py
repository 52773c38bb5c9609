"""Heuristic seeds: rankings that need no simulation, each from a library where one has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._provenance import provenance
from .._random import RNGLike, generator, key_of
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from .selection import SeedSelection

__all__ = ["HEURISTICS", "TIER_STRATEGIES", "rank_seeds"]


# graph, k, allowed (by internal node), p, draw -> internal nodes in order, scores
Ranking = Callable[
    [FollowerGraph, int, NDArray[np.bool_], float, np.random.Generator], tuple[NDArray[Any], NDArray[np.float64]]
]


def _top(graph: FollowerGraph, score: NDArray[Any], k: int, allowed: NDArray[np.bool_]) -> tuple[Any, Any]:
    """Largest scores first; ties go to the label that comes first."""
    nodes = np.flatnonzero(allowed)
    order = np.lexsort((graph._arcs.order[nodes], -score[nodes].astype(np.float64)))[:k]
    chosen = nodes[order]
    return chosen, score[chosen].astype(np.float64)


def _random(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float, draw: np.random.Generator
) -> tuple[Any, Any]:
    positions = np.sort(graph._arcs.order[allowed])
    chosen = graph._rank[draw.permutation(positions)[:k]]
    return chosen, np.full(len(chosen), np.nan)


def _degree(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float, draw: np.random.Generator
) -> tuple[Any, Any]:
    return _top(graph, graph._out_degree, k, allowed)


def _discount(graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float) -> tuple[Any, Any]:
    from ..kernels.discount import discount_seeds

    into = graph._in_arcs
    found = discount_seeds(
        graph._indptr, graph._indices, into.indptr, into.sources, into.arc, graph._multiplicity, graph._out_degree,
        graph._arcs.order, allowed, p, k,
    )  # fmt: skip
    return found[0], found[1]


def _single_discount(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float, draw: np.random.Generator
) -> tuple[Any, Any]:
    return _discount(graph, k, allowed, -1.0)


def _degree_discount(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float, draw: np.random.Generator
) -> tuple[Any, Any]:
    return _discount(graph, k, allowed, p)


def _pagerank(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float, draw: np.random.Generator
) -> tuple[Any, Any]:
    flipped = _igraph(graph, reverse=True)
    score = np.array(flipped.pagerank(directed=True, weights="count" if graph._arcs.multiplicity is not None else None))
    return _top(graph, np.round(score, 15), k, allowed)


def _k_core(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float, draw: np.random.Generator
) -> tuple[Any, Any]:
    # Mutual follows are one edge of the undirected graph.
    core = np.array(_igraph(graph).as_undirected(mode="collapse").coreness())
    # Many nodes share the innermost core: followers decide among them.
    degree = graph._out_degree
    chosen, _ = _top(graph, core + degree / (degree.max() + 1.0), k, allowed)
    return chosen, core[chosen].astype(np.float64)


def _voterank(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], p: float, draw: np.random.Generator
) -> tuple[Any, Any]:
    import networkx as nx

    order = graph._arcs.order
    flow: Any = nx.DiGraph()
    flow.add_nodes_from(range(graph.n_nodes))
    sources = np.repeat(order, np.diff(graph._arcs.indptr))
    flow.add_edges_from(zip(sources.tolist(), order[graph._arcs.indices].tolist(), strict=True))
    want = k if allowed.all() else graph.n_nodes
    ranked = graph._rank[np.array(nx.voterank(flow, want), dtype=np.int64)]
    ranked = ranked[allowed[ranked]][:k]
    return ranked, np.full(len(ranked), np.nan)


def _igraph(graph: FollowerGraph, *, reverse: bool = False) -> Any:
    import igraph

    sources = np.repeat(np.arange(graph.n_nodes), np.diff(graph._arcs.indptr))
    ends = (graph._arcs.indices, sources) if reverse else (sources, graph._arcs.indices)
    made = igraph.Graph(n=graph.n_nodes, edges=np.column_stack(ends), directed=True)
    if graph._arcs.multiplicity is not None:
        made.es["count"] = graph._arcs.multiplicity.tolist()
    return made


HEURISTICS: dict[str, tuple[Ranking, str]] = {
    "random": (_random, "drawn uniformly"),
    "degree": (_degree, "most followers"),
    "single_discount": (_single_discount, "most followers not yet chosen (Chen, Wang and Yang 2009)"),
    "degree_discount": (
        _degree_discount,
        "followers discounted by what the seeds reach (Chen, Wang and Yang 2009, alg. 4)",
    ),
    "pagerank": (_pagerank, "PageRank along follows, damping 0.85 (igraph)"),
    "k_core": (_k_core, "core number of the undirected graph, then followers (igraph)"),
    "voterank": (_voterank, "VoteRank, followers vote (Zhang et al. 2016; networkx, slow on large graphs)"),
}
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
    """Rank up to k nodes by a heuristic; VoteRank may rank fewer.

    The seeds for a smaller k are the first of those for a larger one.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 0:
        raise InputError(f"k={k!r} is not a number of seeds: give a whole number from 0")
    allowed = np.ones(graph.n_nodes, np.bool_)
    if candidates is not None:
        allowed[:] = False
        allowed[graph._internal(list(candidates))] = True
    ranking = method
    if method in TIER_STRATEGIES:
        if "tier" not in graph._node_data:
            raise InputError(
                f"the method {method!r} needs creator tiers, the node attribute 'tier': see dif.with_creator_tiers(graph)"
            )
        allowed &= (graph.node_data["tier"].to_numpy() == method)[graph._arcs.order]
        ranking = "random"
    if not isinstance(ranking, str) or ranking not in HEURISTICS:
        known = [*HEURISTICS, *TIER_STRATEGIES]
        raise NotFoundError(
            f"the method {method!r} is unknown: choose {', '.join(known)}." + did_you_mean(method, known)
        )
    if k > allowed.sum():
        what = "nodes" if allowed.all() else "candidates"
        raise InputError(f"k={k:,} is more than the {int(allowed.sum()):,} {what} there are to choose from")
    key = key_of(rng)
    discount = _discount_probability(graph, p) if method == "degree_discount" else 0.0
    start = time.perf_counter()
    nodes, scores = HEURISTICS[ranking][0](graph, int(k), allowed, discount, generator(key))
    seconds = time.perf_counter() - start
    record = provenance("select_seeds", key=key, method=method, k=int(k), graph=graph.fingerprint)
    return SeedSelection(tuple(graph._labels_of(nodes).tolist()), method, scores, seconds, key, provenance=record)


def _discount_probability(graph: FollowerGraph, p: float | None) -> float:
    if p is None:
        if graph.n_edges == 0:
            return 0.0  # nothing to discount
        if graph.probabilities is None:
            raise InputError(
                "degree_discount reckons with a propagation probability: give p=, or a graph with probabilities, whose "
                "mean is then used"
            )
        return float(graph.probabilities.values.mean(dtype=np.float64))
    if isinstance(p, bool) or not isinstance(p, int | float | np.floating) or not 0 <= p <= 1:
        raise InputError(f"p={p!r} is not a probability: give a number from 0 to 1")
    return float(p)
