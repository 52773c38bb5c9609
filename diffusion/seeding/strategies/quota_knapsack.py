"""Spending a budget of money under quotas with a certificate: greedy on RR sets, and the Lagrangian bound."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...kernels.quotas import Quotas as Limits
from ...kernels.quotas import Reserve, quota_knapsack
from ..constraints import BudgetQuotas, reserve_of
from ..rr_store import MOST_SETS, RRStore
from ..search import Choice, Schedule
from ..selection import Purchase
from ..task import Task
from .cover import Asked, Cover
from .knapsack import purchase_of
from .matroid import FIRST

__all__ = ["QuotaKnapsackCover", "lagrangian_bound"]

LOOKS = 8  # prefixes of the greedy order at which the optimum is bounded, about
NARROWED = 24  # steps in which the best multiplier is sought


class QuotaKnapsackCover(Cover):
    """Greedy by gain per price that buys nobody who would break an upper quota, or leave too little for a lower one.

    Beside it stands the user who covers most alone, with what greedy adds; the better of the two is taken. No share of
    the optimum is known to be reached beforehand. What is proven is lower / upper: after any prefix of the order the
    best permitted set covers at most what is covered already plus the largest sum of marginal gains within money and
    quotas, which the Lagrangian relaxation of the budget bounds from above, whatever the multiplier (Fisher 1981). Both
    bounds use exact binomial tails on separate collections of RR sets; delta is shared out over all looks.

    References
    ----------
    Fisher (1981), "The Lagrangian relaxation method for solving integer programming problems", Management Science 27.
    """

    method = "OPIM budget and quotas"
    purpose = "quotas"
    guarantee = "none beforehand: greedy by gain per price within the quotas"

    def __init__(self, task: Task, strategy: Asked) -> None:
        constraint = task.problem.constraint
        assert isinstance(constraint, BudgetQuotas)
        self.constraint = constraint
        self.budget = constraint.money.amount
        self.allowed, self.price = task.for_sale(constraint.money.price)
        self.limits = Limits(task.at_seeds(constraint.groups.code, -1), constraint.most, constraint.least)
        self.reserve = reserve_of(self.limits.group, len(constraint.groups), self.allowed, self.price)
        super().__init__(task, strategy)

    def first_schedule(self) -> Schedule:
        most = min(self.task.max_rr_sets, 2.0 * MOST_SETS)
        return Schedule(min(FIRST, int(most // 2)), math.inf, self.task.delta, step=1.0)

    def choose(self, sets: RRStore, fixed: NDArray[np.int32]) -> Choice:
        assert not len(fixed)
        within = (self.allowed, self.limits, self.reserve, self.price, self.budget)
        seeds, gains = quota_knapsack(sets.sets, *within, -1)
        alone = self._best_alone(sets)
        if alone >= 0 and alone not in seeds[:1]:
            other, more = quota_knapsack(sets.sets, *within, alone)
            if more.sum() > gains.sum():
                seeds, gains = other, more
        bound = float(sets.n)
        for k in np.unique(np.linspace(0, len(seeds), LOOKS + 1).astype(int)).tolist():
            gain = sets.open_counts(seeds[:k])
            rest = lagrangian_bound(gain, self.allowed, self.limits, self.reserve, self.price, self.budget)
            bound = min(bound, sets.n_empty + int(gains[:k].sum()) + rest)
        covered = sets.n_empty + int(gains.sum())
        return Choice(seeds, float(covered), max(math.floor(bound + 1e-6), covered), gains)

    def _best_alone(self, sets: RRStore) -> int:
        """The node that covers most of those that may be bought first; -1: none covers any."""
        pool = np.flatnonzero(self.allowed & (sets.counts > 0) & (self.price <= self.budget))
        order = self.task.users_of(pool[np.argsort(-sets.counts[pool], kind="stable")])
        for user in order:
            if len(self.constraint.walk(np.array([user]))):
                return int(self.task.nodes_of(np.array([user]))[0])
        return -1

    def purchase(self, selection: RRStore, seeds: NDArray[np.int32]) -> Purchase:
        """See `Cover.purchase`; nobody is bought next whose community has as many seeds as it may."""
        group = self.limits.group
        held = np.bincount(group[seeds][group[seeds] >= 0], minlength=len(self.limits.most))
        full = np.append(held >= self.limits.most, False)
        return purchase_of(self.task, selection, seeds, self.price, self.budget, barred=full[group])


def lagrangian_bound(
    gain: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    limits: Limits,
    reserve: Reserve,
    price: NDArray[np.float64],
    budget: float,
) -> float:
    """Bound of the sum of gains of any nodes within a budget and quotas.

    With a price of money x >= 0 it is x * budget plus, for each community, the largest sum of gain - x * price of as
    many nodes as the quotas permit; it holds for every x, and is convex in x.
    """
    pool = allowed & (price <= budget)
    some = pool & (gain > 0)
    # Of those that add nothing only the cheapest can matter, where a lower quota asks for them.
    for g, least in enumerate(limits.least.tolist()):
        some[reserve.cheap[reserve.start[g] : reserve.start[g + 1]][:least]] = True
    nodes = np.flatnonzero(some & pool)
    if not nodes.size:
        return 0.0
    group = limits.group[nodes]
    most = np.append(limits.most, nodes.size)[group]  # the last entry stands for nodes of no community
    least = np.append(limits.least, 0)[group]
    value, cost = gain[nodes].astype(np.float64), price[nodes]

    def bound(x: float) -> float:
        reduced = value - x * cost
        order = np.lexsort((-reduced, group))
        sorted_group = group[order]
        place = np.arange(nodes.size) - np.searchsorted(sorted_group, sorted_group)
        reduced = reduced[order]
        taken = (place < most[order]) & ((reduced > 0) | (place < least[order]))
        return x * budget + float(reduced[taken].sum())

    best = bound(0.0)
    if not (cost > 0).any():
        return best
    low, high = 0.0, float((value[cost > 0] / cost[cost > 0]).max())
    for _ in range(NARROWED):  # golden sections of a convex function would save little
        third = (high - low) / 3.0
        left, right = bound(low + third), bound(high - third)
        best = min(best, left, right)
        low, high = (low, high - third) if left <= right else (low + third, high)
    return best
