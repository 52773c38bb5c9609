"""Certified seeds for SIPS: reach is the weighted spread of an independent cascade on a larger graph."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import reach_weights
from ..models.sips.model import SIPS
from ._rr_store import add_arcs_by_rate
from .budget import price_values
from .knapsack import opim_budget
from .opim import opim
from .selection import SeedSelection

__all__ = ["select_sips_seeds"]


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
    >>> model = dif.SIPS(attention=0.2, funnel=dif.models.Funnel(share=0.2))
    >>> found = select_sips_seeds(g, 5, model=model, rng=7)
    >>> reach = dif.spread(g, found.seeds, model=model, rng=7)
    >>> len(found), found.lower <= reach.high, reach.low <= found.upper
    (5, True, True)
    """
    from .select import _from_certificate

    if (k is None) == (budget is None):
        raise InputError("give k= (a number of seeds) or budget= (money), one of the two")
    n = graph.n_nodes
    live = model.live_edges(graph)
    if live is None:
        raise InputError(
            f"no certificate is known for {model.no_live_edges}: use a heuristic or method='celf', or choose seeds for "
            "the model without it and compare in simulations"
        )
    split = live.graph
    if live.rated:
        add_arcs_by_rate(split, live.rated)
    worth = reach_weights(graph, node_weights)  # by internal node
    weights = np.zeros(split.n_nodes)
    weights[:n] = 1.0 if worth is None else worth[graph.index.rank]
    pool = graph.index.positions(list(candidates)) if candidates is not None else np.arange(n)
    ranked_on = live.ranked, live.seed_of
    common: dict[str, Any] = {"model": "ic", "node_weights": weights, "_ranked_on": ranked_on, **options}
    for name, nodes in (("exclude", exclude), ("taken", taken)):
        common[name] = (n + graph.index.positions(list(nodes))).tolist()
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
