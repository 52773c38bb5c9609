"""How many seeds there may be: a number, what a budget of money buys, or so many of each community."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation import is_whole, number
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import node_values
from .groups import Groups, groups_of
from .selection import NextBuy, Purchase

__all__ = ["Budget", "Cardinality", "Constraint", "Quotas", "affordable", "read_prices"]


class Constraint(ABC):
    """Which seed sets are permitted."""

    k: int | None  # number of seeds, where it is fixed

    @abstractmethod
    def walk(self, order: NDArray[Any]) -> NDArray[np.intp]:
        """Positions of those that are chosen going down an order of internal users."""

    def purchase(self, graph: FollowerGraph, order: NDArray[Any], chosen: NDArray[np.intp]) -> Purchase:
        """Return what was paid for the chosen positions of an order."""
        return Purchase()


@dataclass(frozen=True)
class Cardinality(Constraint):
    """Exactly k seeds."""

    k: int

    def walk(self, order: NDArray[Any]) -> NDArray[np.intp]:
        return np.arange(min(self.k, len(order)))


@dataclass(frozen=True, eq=False)
class Budget(Constraint):
    """Seeds whose prices sum to at most a budget.

    Attributes
    ----------
    amount : float
    price : ndarray of float64, shape (n_nodes,)
        By internal user; NaN for who is not for sale.
    """

    amount: float
    price: NDArray[np.float64]
    k = None

    @classmethod
    def of(cls, graph: FollowerGraph, amount: Any, prices: Any, allowed: NDArray[np.bool_]) -> Budget:
        """Check a budget and prices as users give them."""
        price = read_prices(graph, prices)
        amount = number(amount, "budget", least=0)
        if not allowed.any():
            raise InputError("no candidate is left to choose from")
        cheapest = float(np.nanmin(price[allowed], initial=np.inf))
        if amount < cheapest:
            costs = f"the cheapest candidate, {cheapest:,.6g}" if cheapest < np.inf else "all: no candidate has a price"
            raise InputError(f"budget={amount:,.6g} is below {costs}: no seed can be bought")
        return cls(amount, price)

    def walk(self, order: NDArray[Any]) -> NDArray[np.intp]:
        return affordable(self.price[order], self.amount)

    def purchase(self, graph: FollowerGraph, order: NDArray[Any], chosen: NDArray[np.intp]) -> Purchase:
        """See `Constraint.purchase`; bought next is the first of the order whom the whole budget could pay."""
        price = self.price[order]
        paid = price[chosen]
        passed = price <= self.amount
        passed[chosen] = False
        upcoming = None
        if passed.any():
            at = int(passed.argmax())
            label = graph.index.labels_of(order[[at]]).tolist()[0]
            missing = float(price[at] - (self.amount - paid.sum()))
            upcoming = NextBuy(label, float(price[at]), float("nan"), missing)
        return Purchase(self.amount, paid, upcoming)


@dataclass(frozen=True, eq=False)
class Quotas(Constraint):
    """k seeds, of which each community has at least and at most so many.

    Sets that can be completed to k seeds within both quotas are the independent sets of a matroid.

    Attributes
    ----------
    k : int
    groups : Groups
    least, most : ndarray of int64, shape (len(groups),)
    """

    k: int
    groups: Groups
    least: NDArray[np.int64]
    most: NDArray[np.int64]

    @classmethod
    def of(
        cls, graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], at_least: Any, at_most: Any, communities: Any
    ) -> Quotas:
        """Check quotas as users give them: some k seeds must be able to meet them all."""
        groups = groups_of(graph, communities)
        there = groups.sizes(allowed)
        least = _numbers(groups, at_least, "at_least", 0)
        most = _numbers(groups, at_most, "at_most", k)
        for g, name in enumerate(groups.names):
            if least[g] > most[g]:
                raise InputError(
                    f"the community {name!r} shall have at least {least[g]:,} and at most {most[g]:,} seeds: lower "
                    "at_least= or raise at_most="
                )
            if least[g] > there[g]:
                raise InputError(
                    f"the community {name!r} shall have at least {least[g]:,} seeds, and has {there[g]:,} candidates: "
                    "lower its quota"
                )
        if least.sum() > k:
            raise InputError(
                f"the communities shall have at least {least.sum():,} seeds in all, and k={k:,}: raise k or lower "
                "at_least="
            )
        free = int((allowed & (groups.code < 0)).sum())
        room = int(np.minimum(most, there).sum()) + free
        if room < k:
            raise InputError(
                f"the quotas leave room for {room:,} seeds, and k={k:,}: lower k or raise at_most="
                + (f" (of them {free:,} belong to no community)" if free else "")
            )
        return cls(k, groups, least, np.minimum(most, k))

    def walk(self, order: NDArray[Any]) -> NDArray[np.intp]:
        """See `Constraint.walk`: who would leave too few seeds for the lower quotas of others is passed over."""
        held = np.zeros(len(self.groups), np.int64)
        reserved, chosen = int(self.least.sum()), []  # seeds so far, and those still owed to lower quotas
        for at, g in enumerate(self.groups.code[order].tolist()):
            if g >= 0 and held[g] >= self.most[g]:
                continue
            more = g < 0 or held[g] >= self.least[g]
            if reserved + more > self.k:
                continue
            reserved += more
            if g >= 0:
                held[g] += 1
            chosen.append(at)
            if len(chosen) == self.k:
                break
        return np.array(chosen, np.intp)


def read_prices(graph: FollowerGraph, prices: Any) -> NDArray[np.float64]:
    """Return the price of each internal user; NaN for who is not for sale."""
    price = node_values(graph, prices, "prices", missing=float("nan"))
    bad = price < 0
    if bad.any():
        at = graph.index.rank[bad[graph.index.rank]][:1]  # the first in the order of labels
        label = graph.index.labels_of(at).tolist()[0]
        others = f" (and {int(bad.sum()) - 1:,} more such)" if bad.sum() > 1 else ""
        raise InputError(
            f"the price of {label!r} is {price[at[0]]:g}{others}: prices are numbers from 0, and NaN for who is not "
            "for sale"
        )
    return np.where(np.isinf(price), np.nan, price)


def affordable(prices: NDArray[np.float64], budget: float) -> NDArray[np.intp]:
    """Positions that the budget buys, in order, passing over prices above what is left (NaN: not for sale)."""
    left = budget
    bought = []
    for at, price in enumerate(prices.tolist()):
        if price <= left:
            bought.append(at)
            left -= price
    return np.array(bought, dtype=np.intp)


def _numbers(groups: Groups, quota: Any, what: str, default: int) -> NDArray[np.int64]:
    values = np.full(len(groups), default, np.int64)
    if not isinstance(quota, Mapping):
        return values if quota is None else np.full(len(groups), _count(quota, what), np.int64)
    at = {name: g for g, name in enumerate(groups.names)}
    for name, value in quota.items():
        if name not in at:
            raise NotFoundError(
                f"{what} names the community {name!r}, which the graph does not have." + did_you_mean(name, at)
            )
        values[at[name]] = _count(value, f"{what} of {name!r}")
    return values


def _count(value: Any, what: str) -> int:
    if not is_whole(value) or value < 0:
        raise InputError(f"{what}={value!r} is no quota: give a whole number from 0")
    return int(value)
