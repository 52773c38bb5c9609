"""Certified seeds for SIPS: reach is the weighted spread of an independent cascade on a graph of twice the nodes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..cascades.sips import SIPS
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from .budget import price_values
from .ris import audience
from .selection import SeedSelection

__all__ = ["select_sips_seeds", "split_graph"]


def split_graph(graph: FollowerGraph, model: SIPS) -> FollowerGraph:
    """Return the graph of 2 n nodes on which SIPS without a feed is an independent cascade.

    User i (in the order of `graph.nodes`) is node i when exposed and node n + i when sharing: an arc n + i -> j for every
    follower j with the probability of attention, i -> n + i with rho, and n + i -> i with 1, since who shares was reached.

    Raises
    ------
    InputError
        Complex identification, `redraw` or a delay: these are no independent cascade; a feed reaches beyond arcs.
    """
    lacks = [
        text
        for text, there in (
            ("complex identification", model.identify != "simple"),
            ("redraw=True", model.redraw),
            ("a feed", model.feed is not None),
        )
        if there
    ]
    if lacks:
        raise InputError(
            f"no certificate is known for SIPS with {' and '.join(lacks)}: use a heuristic or method='celf', or choose seeds for "
            "the model without it and compare in simulations"
        )
    n = graph.n_nodes
    order = graph._arcs.order.astype(np.int64)
    source = order[np.repeat(np.arange(n), np.diff(graph._indptr))]
    target = order[graph._indices]
    if model.attention is not None:
        attention = np.full(target.size, float(np.float32(model.attention)))
    elif graph.probabilities is not None:
        attention = np.broadcast_to(graph.probabilities.values, target.shape).astype(np.float64)
    else:
        raise InputError("attention=None takes the graph's propagation probabilities, and it has none")
    users = np.arange(n)
    split = FollowerGraph.from_arrays(
        np.concatenate([n + source, users, n + users]),
        np.concatenate([target, n + users, users]),
        weight=np.concatenate([attention, np.full(n, model.funnel.rho), np.ones(n)]),
        nodes=range(2 * n),
        directed=True,
        edges_mean="influences",
    )
    return split.with_probabilities("column")


def select_sips_seeds(
    graph: FollowerGraph,
    k: int | None = None,
    *,
    model: SIPS,
    budget: float | None = None,
    prices: Any = "price",
    method: str = "opim",
    candidates: Any = None,
    exclude: Any = (),
    taken: Any = (),
    node_weights: Any = None,
    **options: Any,
) -> SeedSelection:
    """Choose creators for SIPS with a certificate of reach; what `select_seeds` calls for methods "opim" and "hist".

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(500, rng=7)
    >>> model = dif.SIPS(attention=0.2, funnel=dif.Funnel(share=0.2))
    >>> found = select_sips_seeds(g, 5, model=model, rng=7)
    >>> reach = dif.spread(g, found.seeds, model=model, rng=7)
    >>> len(found), found.lower <= reach.high, reach.low <= found.upper
    (5, True, True)
    """
    from .select import select_seeds

    n = graph.n_nodes
    split = split_graph(graph, model)
    worth = audience(graph, node_weights)  # by internal node
    weights = np.concatenate([np.ones(n) if worth is None else worth[graph._rank], np.zeros(n)])
    pool = graph._check_labels(list(candidates)) if candidates is not None else np.arange(n)
    given: dict[str, Any] = {"k": k}
    if budget is not None:
        price = price_values(graph, prices)
        given |= {"budget": budget, "prices": np.concatenate([np.full(n, np.nan), price])}
        pool = pool[~np.isnan(price[pool])]
    for name, nodes in (("exclude", exclude), ("taken", taken)):
        given[name] = (n + graph._check_labels(list(nodes))).tolist()
    found = select_seeds(
        split, model="ic", method=method, candidates=(n + pool).tolist(), node_weights=weights, **given, **options
    )
    back = graph.nodes.take([int(seed) - n for seed in found.seeds]).tolist()
    following = found.next_buy
    if following is not None:
        following = dataclasses.replace(following, seed=graph.nodes.take([int(following.seed) - n]).tolist()[0])
    record = {**found.provenance, "graph": graph.fingerprint, "model": model.label}
    return dataclasses.replace(found, seeds=tuple(back), next_buy=following, provenance=record)
