"""Spending a budget of money with a certificate: knapsack greedy on RR sets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..constraints import Budget
from ..halves import affordable_cover
from ..rr_store import MOST_SETS, RRStore
from ..search import Choice, Prepared, Schedule, schedule_of
from ..selection import NextBuy, Purchase
from ..task import NOBODY, Task
from .cover import CONVERGED, PILOT, Asked, Cover

__all__ = ["KnapsackCover", "purchase_of"]

MOST_MEMBERS = 2**22  # of the sets of one stage
LARGE_SET = 12.0  # mean RR size from which first seeds are fixed beforehand
STAGES = 12
LEAST = 4096  # sets of a stage, where they are not too many members
HUGE_SET = 200.0  # mean RR size from which forward runs bound the seeds from below
SURE = 24  # sets that a seed fixed beforehand is the first to cover, at least
SHARE = 0.5  # of the budget that may be fixed beforehand
LIMITS = (64, 128, 256, 512, 1024, 2048, 4096)  # members
MISSED = 0.05  # share of the sets with a seed that large ones without one may amount to


class KnapsackCover(Cover):
    """Greedy by gain per price.

    On the sets that choose, greedy by gain per price that skips what no longer fits, or the best single node if that
    covers more, reaches 0.405 of the best affordable coverage (Tang et al. 2021; (1 - 1/e)/2 by Khuller, Moss and Naor
    1999). What is proven for *this* result is lower / upper, usually far more: `upper` bounds every affordable set by
    the fractional knapsack of the marginal gains, the least over prefixes of the greedy order.

    Where RR sets are large, the first seeds, for at most half of the budget, are fixed on few whole sets, and the
    sampling of all others ends as soon as it meets one (after HIST: Guo et al., SIGMOD 2020). The bounds rest on sets
    sampled after that. They hold whatever those seeds are: an optimum that spends the whole budget covers at most what
    the fixed seeds cover and what the whole budget adds to them. Where nearly all sets over some size hold a fixed
    seed, the sampling of the sets that choose ends at that size too, and they count as covered by anyone, which can
    only raise `upper`. Where RR sets have over 200 members on average, `lower` rests on forward runs from the seeds
    (`betting_low`).

    References
    ----------
    Tang, Tang, Lim, Han, Li and Yuan (2021), "Revisiting modified greedy algorithm for monotone submodular maximization
    with a knapsack constraint", arXiv:2008.05391.
    """

    method = "OPIM budget"
    converge = 2.0 * CONVERGED

    def __init__(self, task: Task, strategy: Asked) -> None:
        constraint = task.problem.constraint
        assert isinstance(constraint, Budget)
        self.budget = constraint.amount
        self.allowed, self.price = task.for_sale(constraint.price)
        self.missed = 0.0
        super().__init__(task, strategy)

    def first_schedule(self) -> Schedule:
        prices = np.cumsum(np.sort(self.price[self.allowed]))
        most = int(np.searchsorted(prices, self.budget * (1 + 1e-12), side="right"))
        return schedule_of(self.task, max(most, 1), None, self.task.delta)

    def prepare(self, whole: RRStore, bar: Any) -> Prepared:
        task = self.task
        whole.extend(min(self.schedule.first, PILOT), threads=task.problem.threads, bar=bar)
        large, huge = whole.mean_size > LARGE_SET, whole.mean_size > HUGE_SET
        start, selection = _Start(NOBODY, np.zeros(0), 0), whole
        if large:
            start = self._sentinels(whole, max(self.schedule.first, LEAST), bar)
            selection = task.store("choose", "hist", stop=start.seeds, limit=start.limit)
        self.missed = start.missed
        by_runs = huge and task.weights is None
        validation = None if by_runs else task.store("judge", stop=start.seeds if large else NOBODY)
        facts = {"sentinels": len(start.seeds), "limit": start.limit if start.limit < MOST_SETS else None}
        return Prepared(selection, validation, self.schedule, start.seeds, start.gains, start.used, facts)

    def choose(self, sets: RRStore, fixed: NDArray[np.int32]) -> Choice:
        # the sets that the fixed seeds hit are empty ones.
        spent = float(self.price[fixed].sum())
        seeds, gains, upper = affordable_cover(sets, self.allowed, self.price, spent, self.budget, alone=not len(fixed))
        chosen = np.concatenate([fixed, seeds]).astype(np.int32)
        missed = self.missed * sets.n if len(fixed) else 0.0
        covered = sets.n_empty + float(gains.sum()) - missed
        return Choice(chosen, covered, sets.n_empty + min(upper, sets.n - sets.n_empty), gains)

    def _sentinels(self, whole: RRStore, n: int, bar: Any) -> _Start:
        """First seeds of the greedy order that spare the sampling of large sets.

        Each stage samples sets that end where they meet the seeds of the stages before, and adds those seeds that are
        the first of at least SURE of them: for at most SHARE of the budget, and for more where only that lets large
        sets go.
        """
        task, price = self.task, self.price
        seeds, gains = NOBODY, np.zeros(0)
        sets, used = whole, 0
        for stage in range(STAGES):
            if stage:
                sets = task.store("sentinels", stage, stop=seeds)
            deadline = task.problem.deadline if stage else float("inf")
            sets.extend(n, threads=task.problem.threads, deadline=deadline, most=MOST_MEMBERS, bar=bar)
            used += sets.n
            if not sets.n or (stage and sets.size <= LARGE_SET * sets.n):
                break
            spent = float(price[seeds].sum())
            more, hits, _ = affordable_cover(sets, self.allowed, price, spent, self.budget, alone=stage == 0)
            sure = hits >= SURE
            count = _leading(sure & (spent + np.cumsum(price[more]) <= SHARE * self.budget))
            longer = _leading(sure)
            spread = task.total * hits[:longer] / sets.n
            for size in (count, longer) if longer > count else (count,):
                first = np.concatenate([seeds, more[:size]])
                start = self._limited(first, np.concatenate([gains, spread[:size]]), whole, used, bar)
                if start is not None:
                    return start
            seeds, gains = np.concatenate([seeds, more[:count]]), np.concatenate([gains, spread[:count]])
            used += whole.n
            if count == 0 or time.perf_counter() > task.problem.deadline:
                break
        return _Start(seeds, gains, used)

    def _limited(
        self, seeds: NDArray[np.int32], gains: NDArray[np.float64], whole: RRStore, used: int, bar: Any
    ) -> _Start | None:
        """Let the sampling end at the smallest size that nearly all sets of it have a seed; None: there is none."""
        if not len(seeds):
            return None
        check = self.task.store("sentinels", "check", len(seeds), stop=seeds)
        check.extend(whole.n, threads=self.task.problem.threads, most=MOST_MEMBERS, bar=bar)
        sizes = np.diff(check.offsets[: check.n + 1])
        for limit in LIMITS:
            missed = int((sizes > limit).sum())
            if missed <= MISSED * check.n_empty:
                return _Start(seeds, gains, used + check.n, limit, missed / check.n)
        return None

    def purchase(self, selection: RRStore, seeds: NDArray[np.int32]) -> Purchase:
        """See `Cover.purchase`; bought next is, of those whom the budget alone could pay, who adds most per price."""
        return purchase_of(self.task, selection, seeds, self.price, self.budget)


def purchase_of(
    task: Task,
    selection: RRStore,
    seeds: NDArray[np.int32],
    price: NDArray[np.float64],
    budget: float,
    barred: NDArray[np.bool_] | None = None,
) -> Purchase:
    """What was paid for seeds, and who would be bought next, but for those who are barred."""
    paid = price[seeds]
    gain = selection.open_counts(seeds).astype(np.float64)
    gain[price > budget] = -1.0
    gain[seeds] = -1.0
    if barred is not None:
        gain[barred] = -1.0
    left = np.flatnonzero(gain > 0)
    if not left.size:
        return Purchase(budget, paid)
    with np.errstate(divide="ignore"):
        per_price = gain[left] / price[left]
    order = np.lexsort((task.graph.index.order[left], -per_price))
    at = int(left[order[0]])
    label = task.problem.labels(task.users_of(np.array([at])))[0]
    missing = max(float(price[at]) - (budget - float(paid.sum())), 0.0)
    gained = task.total * float(gain[at]) / selection.n
    return Purchase(budget, paid, NextBuy(label, float(price[at]), gained, missing))


@dataclass(frozen=True)
class _Start:
    """Seeds fixed beforehand, with their gains and the sets used; and how large sets are let grow.

    Sets over `limit` members count as covered by anyone, which keeps the upper bound an upper bound. `missed` is the
    share of sets that are so large and hold none of the seeds.
    """

    seeds: NDArray[np.int32]
    gains: NDArray[np.float64]
    used: int
    limit: int = MOST_SETS
    missed: float = 0.0


def _leading(flags: NDArray[np.bool_]) -> int:
    return len(flags) if flags.all() else int(flags.argmin())
