"""Spending money on a ranking of creators."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import node_values
from .selection import NextBuy, SeedSelection

__all__ = ["afford", "affordable", "price_values"]


MOST = np.finfo(np.float64).max


def price_values(graph: FollowerGraph, prices: Any) -> NDArray[np.float64]:
    """Return the price of each node in the order of ``graph.nodes``; NaN for who is not for sale."""
    values = node_values(graph, prices, "prices", missing=float("nan"))[graph.index.rank]
    if (values < 0).any():
        at = int((values < 0).argmax())
        raise InputError(f"the price of {graph.nodes[[at]].tolist()[0]!r} is {values[at]:g}: prices are numbers from 0")
    return values


def affordable(prices: NDArray[np.float64], budget: float) -> NDArray[np.intp]:
    """Positions that the budget buys, in order, passing over who is too dear for what is left (NaN: not for sale)."""
    left = budget
    bought = []
    for at, price in enumerate(prices.tolist()):
        if price <= left:
            bought.append(at)
            left -= price
    return np.array(bought, dtype=np.intp)


def afford(graph: FollowerGraph, ranked: SeedSelection, prices: NDArray[np.float64], budget: float) -> SeedSelection:
    """Cut a ranking to what a budget buys."""
    if isinstance(budget, bool) or not isinstance(budget, int | float | np.number) or not 0 <= budget <= MOST:
        raise InputError(f"budget={budget!r} is not an amount of money: give a number from 0")
    paid = prices[graph.index.positions(list(ranked.seeds))]
    bought = affordable(paid, float(budget))
    if not bought.size:
        cheapest = np.nanmin(paid) if (paid == paid).any() else float("nan")
        raise InputError(f"budget={budget:,} buys nobody: the cheapest candidate costs {cheapest:,.6g}")
    cost = float(paid[bought].sum())
    passed = (paid == paid) & (paid <= budget)
    passed[bought] = False
    upcoming = None
    if passed.any():
        at = int(passed.argmax())
        upcoming = NextBuy(ranked.seeds[at], float(paid[at]), float("nan"), float(paid[at] - (budget - cost)))
    return dataclasses.replace(
        ranked,
        seeds=tuple(ranked.seeds[at] for at in bought),
        scores=ranked.scores[bought],
        cost=cost,
        budget=float(budget),
        next_buy=upcoming,
    )
