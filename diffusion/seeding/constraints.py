"""How many seeds there may be: a number, what a budget of money buys, so many of each community, or the last two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation import is_whole, number
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import node_values
from ..kernels.quotas import Quotas as Limits
from ..kernels.quotas import Reserve, first_owed, quota_walk
from .groups import Groups, groups_of
from .selection import NextBuy, Purchase

__all__ = ["Budget", "BudgetQuotas", "Cardinality", "Constraint", "Quotas", "affordable", "read_prices"]


class Constraint(ABC):
    """Which seed sets are permitted."""

    k: int | None  # number of seeds, where it is fixed

    @abstractmethod
    def walk(self, order: NDArray[Any]) -> NDArray[np.intp]:
        """Positions of those that are chosen going down an order of internal users."""

    def purchase(self, graph: FollowerGraph, order: NDArray[Any], chosen: NDArray[np.intp]) -> Purchase:
        """Return what was paid for the chosen positions of an order."""
        return Purchase()

    def unmet(self, seeds: NDArray[Any]) -> list[Any]:
        """Names of the communities of which there are too few among the seeds, where any number may be chosen."""
        return []


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
        _check_lower(groups, least, most, there)
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


@dataclass(frozen=True, eq=False)
class BudgetQuotas(Constraint):
    """Seeds whose prices sum to at most a budget, at least and at most so many of each community.

    Attributes
    ----------
    money : Budget
    groups : Groups
    least, most : ndarray of int64, shape (len(groups),)
    for_sale : ndarray of bool, shape (n_nodes,)
    """

    money: Budget
    groups: Groups
    least: NDArray[np.int64]
    most: NDArray[np.int64]
    for_sale: NDArray[np.bool_]
    k = None

    @classmethod
    def of(
        cls,
        graph: FollowerGraph,
        money: Budget,
        allowed: NDArray[np.bool_],
        at_least: Any,
        at_most: Any,
        communities: Any,
    ) -> BudgetQuotas:
        """Check quotas as users give them: some seeds must be able to meet them all for the money."""
        groups = groups_of(graph, communities)
        for_sale = allowed & ~np.isnan(money.price)
        there = groups.sizes(for_sale)
        least = _numbers(groups, at_least, "at_least", 0)
        most = _numbers(groups, at_most, "at_most", int(allowed.size))
        _check_lower(groups, least, most, there)
        found = cls(money, groups, least, most, for_sale)
        needed = float(first_owed(found.limits, found.reserve, money.price, np.zeros(allowed.size, np.bool_)).sum())
        if needed > money.amount:
            raise InputError(
                f"budget={money.amount:,.6g} does not pay for at_least=: the cheapest seeds that meet it cost "
                f"{needed:,.6g}; raise the budget or lower at_least="
            )
        return found

    @property
    def limits(self) -> Limits:
        """Quotas by user, for kernels."""
        return Limits(self.groups.code, self.most, self.least)

    @cached_property
    def reserve(self) -> Reserve:
        """Users for sale of every community, the cheapest first, for kernels."""
        return reserve_of(self.groups.code, len(self.groups), self.for_sale, self.money.price)

    def walk(self, order: NDArray[Any]) -> NDArray[np.intp]:
        """See `Constraint.walk`; who would leave too little money for lower quotas is passed over."""
        price = np.where(self.for_sale, self.money.price, np.inf)
        users = np.asarray(order, np.int32)
        found: NDArray[np.intp] = quota_walk(users, self.limits, self.reserve, price, self.money.amount)
        return found

    def purchase(self, graph: FollowerGraph, order: NDArray[Any], chosen: NDArray[np.intp]) -> Purchase:
        """See `Budget.purchase`; who would break an upper quota is not bought next."""
        code = self.groups.code[order]
        held = np.bincount(code[chosen][code[chosen] >= 0], minlength=len(self.groups))
        open_to = (code < 0) | (held < self.most)[code]
        open_to[chosen] = True
        kept = np.flatnonzero(open_to)
        return self.money.purchase(graph, order[kept], np.searchsorted(kept, chosen))

    def unmet(self, seeds: NDArray[Any]) -> list[Any]:
        code = self.groups.code[seeds]
        held = np.bincount(code[code >= 0], minlength=len(self.groups))
        return [name for g, name in enumerate(self.groups.names) if held[g] < self.least[g]]


def reserve_of(
    code: NDArray[np.int32], n_groups: int, for_sale: NDArray[np.bool_], price: NDArray[np.float64]
) -> Reserve:
    """Nodes for sale of every community, the cheapest first; ties by node."""
    pool = np.flatnonzero(for_sale & (code >= 0))
    pool = pool[np.lexsort((pool, price[pool], code[pool]))]
    return Reserve(pool.astype(np.int32), np.searchsorted(code[pool], np.arange(n_groups + 1)).astype(np.int64))


def read_prices(graph: FollowerGraph, prices: Any) -> NDArray[np.float64]:
    """Return the price of each internal user; NaN for who is not for sale."""
    price = node_values(graph, prices, "prices", missing=float("nan"))
    bad = price < 0
    if bad.any():
        at, label = graph.index.first_of(bad)
        others = f" (and {int(bad.sum()) - 1:,} more such)" if bad.sum() > 1 else ""
        raise InputError(
            f"the price of {label!r} is {price[at]:g}{others}: prices are numbers from 0, and NaN for who is not "
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


def _check_lower(groups: Groups, least: NDArray[np.int64], most: NDArray[np.int64], there: NDArray[np.int64]) -> None:
    """Refuse lower quotas above the upper ones, or above the candidates of a community."""
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
