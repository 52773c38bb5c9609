"""Certified seeds for SIPS: reach is the weighted spread of an independent cascade on a larger graph."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..cascades._sips_engine import feed_groups, follow_probabilities
from ..cascades.sips import SIPS, Complex
from ..errors import InputError
from ..graph._node_weights import reach_weights
from ..graph.follower_graph import FollowerGraph
from ._rr_store import add_arcs_by_rate
from .budget import price_values
from .knapsack import opim_budget
from .opim import opim
from .selection import SeedSelection

__all__ = ["select_sips_seeds", "split_graph"]


def split_graph(graph: FollowerGraph, model: SIPS) -> FollowerGraph:
    """Return the graph on which SIPS is an independent cascade.

    User i (in the order of `graph.nodes`) is node i when exposed and node n + i when sharing: an arc n + i -> j for every
    follower j with the probability of attention, i -> n + i with rho, and n + i -> i with 1, since who shares was reached.

    A feed without amplification shows the note of each sharer to a Poisson number of users, so that each pair of sharer
    and user has a Poisson number of exposures of its own: independent arcs, n * n of them. They come as arcs from every
    sharer into the node 2 n + i, "the feed of user i", with 1 - exp(-m0 (1 - own) / n), and from the members of the
    community of i into 3 n + i with 1 - exp(-m0 own / members), each with an arc of 1 to i. RR sets draw them without
    storing them; they are no arcs of the graph that is returned.

    Raises
    ------
    InputError
        Complex identification of more than one sharer, `redraw`, or a feed with amplification or a cap: these are no
        independent cascade.
    """
    feed = model.feed
    lacks = [
        text
        for text, there in (
            ("complex identification", isinstance(model.identify, Complex) and model.identify.theta > 1),
            ("redraw=True", model.redraw),
            ("a feed that answers to engagement (gain=)", feed is not None and feed.gain > 0),
            ("a feed with cap=", feed is not None and feed.m0 > 0 and feed.cap is not None),
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
    shown = feed is not None and feed.m0 > 0
    layers = 4 if shown else 2
    split = FollowerGraph.from_arrays(
        np.concatenate([n + source, users, *(layer * n + users for layer in range(1, layers))]),
        np.concatenate([target, n + users, *(users for _ in range(1, layers))]),
        weight=np.concatenate([attention, np.full(n, _rho(model)), np.ones((layers - 1) * n)]),
        nodes=range(layers * n),
        directed=True,
        edges_mean="influences",
    ).with_probabilities("column")
    if feed is not None and shown:
        of, starts, members = feed_groups(graph, feed.own)
        at = split._rank
        everyone = at[n + users]
        add_arcs_by_rate(split, at[2 * n + users], everyone, np.zeros(n), np.full(n, n), feed.m0 * (1.0 - feed.own) / n)
        if feed.own > 0:
            size = np.diff(starts)[of]
            # `of`, `starts` and `members` go by internal nodes of `graph`; layers by the order of its labels.
            add_arcs_by_rate(
                split, at[3 * n + order], at[n + order[members]], starts[of], size, feed.m0 * feed.own / size
            )
    return split


def _rho(model: SIPS) -> float:
    """Probability that an exposure makes a sharer; complex identification by one sharer is certain."""
    funnel = model.funnel if model.identify == "simple" else model._identified
    return funnel.rho


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
    from .select import _from_certificate

    if (k is None) == (budget is None):
        raise InputError("give k= (a number of seeds) or budget= (money), one of the two")
    n = graph.n_nodes
    split = split_graph(graph, model)
    worth = reach_weights(graph, node_weights)  # by internal node
    weights = np.zeros(split.n_nodes)
    weights[:n] = 1.0 if worth is None else worth[graph._rank]
    pool = graph._check_labels(list(candidates)) if candidates is not None else np.arange(n)
    ranked_on = follow_probabilities(graph, model), split._rank[n + graph._arcs.order].astype(np.int32)
    common: dict[str, Any] = {"model": "ic", "node_weights": weights, "_ranked_on": ranked_on, **options}
    for name, nodes in (("exclude", exclude), ("taken", taken)):
        common[name] = (n + graph._check_labels(list(nodes))).tolist()
    if budget is not None:
        price = price_values(graph, prices)
        pool = pool[~np.isnan(price[pool])]
        all_prices = np.full(split.n_nodes, np.nan)
        all_prices[n : 2 * n] = price
        certified = opim_budget(split, budget, all_prices, candidates=(n + pool).tolist(), **common)
    else:
        assert k is not None
        certified = opim(
            split, k, method="hist" if method == "hist" else "auto", candidates=(n + pool).tolist(), **common
        )
    found = _from_certificate(certified)
    back = graph.nodes.take([int(seed) - n for seed in found.seeds]).tolist()
    following = found.next_buy
    if following is not None:
        following = dataclasses.replace(following, seed=graph.nodes.take([int(following.seed) - n]).tolist()[0])
    record = {**found.provenance, "graph": graph.fingerprint, "model": model.label}
    return dataclasses.replace(found, seeds=tuple(back), next_buy=following, provenance=record)
