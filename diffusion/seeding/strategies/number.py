"""k seeds by greedy on RR sets, with sentinels where the sets are large."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..certificate import binomial_bounds
from ..rr_store import RRStore
from ..search import Choice, Prepared, Schedule, schedule_of
from ..task import Task
from .cover import EPS, PILOT, Cover
from .rankings import by_followers

__all__ = ["NumberCover", "cover_of_number"]

LARGE_SET = 128.0  # mean RR size from which OPIM goes on as HIST, which is then some times faster
SOME_LARGE = 8.0  # the same where many sets are sampled, until seeds hardly change
SENTINEL_SETS = 8  # times the first size of a search: sets by which sentinels are chosen or not at all
SURE = 100  # sets that a sentinel is the first to cover, at least: those of fewer are better chosen on more sets
MOST_MEMBERS = 2**24  # of whole sets for the sentinels


def cover_of_number(task: Task, sets: RRStore, k: int, fixed: NDArray[np.int32]) -> Choice:
    """Greedy on RR sets; the sets that the fixed first seeds or the existing ones hit are empty ones."""
    seeds, gains, best = sets.greedy(task.allowed, k - len(fixed), k)
    before = sets.n_empty + np.concatenate([[0], np.cumsum(gains)])
    chosen = np.concatenate([fixed, seeds]).astype(np.int32)
    if len(chosen) < k:  # all sets are covered, or no candidate is in any: followers decide
        left = task.allowed.copy()
        left[chosen] = False
        order = by_followers(task.graph)
        chosen = np.concatenate([chosen, order[left[order]][: k - len(chosen)]])
    return Choice(chosen, float(before[-1]), float((before + best).min()), gains)


class NumberCover(Cover):
    """k seeds, with sentinels where RR sets are large."""

    method = "OPIM-C"
    guaranteed = True

    @property
    def k(self) -> int:
        """Number of seeds."""
        k = self.task.problem.constraint.k
        assert k is not None
        return k

    def first_schedule(self) -> Schedule:
        return schedule_of(self.task, self.k, self.strategy.limit, self.task.delta)

    def choose(self, sets: RRStore, fixed: NDArray[np.int32]) -> Choice:
        return cover_of_number(self.task, sets, self.k, fixed)

    def prepare(self, whole: RRStore, bar: Any) -> Prepared:
        task, hist = self.task, self.strategy.hist
        if hist is None:
            whole.extend(min(self.schedule.first, PILOT), threads=task.problem.threads, bar=bar)
            hist = whole.mean_size > (SOME_LARGE if self.strategy.converging else LARGE_SET)
        if not hist:
            return super().prepare(whole, bar)
        self.method = "HIST"
        limit = self.strategy.limit
        self.schedule = schedule_of(task, self.k, limit, task.delta / 2.0)
        fixed, gains, used = self._sentinels(whole, EPS if limit is None else limit, bar)
        selection, validation = task.store("choose", "hist", stop=fixed), task.store("judge", "hist", stop=fixed)
        return Prepared(selection, validation, self.schedule, fixed, gains, used, {"sentinels": len(fixed)})

    def _sentinels(self, sets: RRStore, eps: float, bar: Any) -> tuple[NDArray[np.int32], NDArray[np.float64], int]:
        """First phase of HIST: seeds that cover enough -> they, their gains, sets used.

        The first b seeds serve when their spread is at least 1 - (1 - 1/k)^b - eps/2 of the bound of the optimum, on
        the sets that chose them and then on others, each of which ends where it meets one of them (after Guo et al.
        2020). Where no such b is certified in time, the first seeds that are sure serve if sets are large, and
        otherwise none do.
        """
        task, k = self.task, self.k
        schedule = schedule_of(task, k, eps / 2.0, task.delta / 2.0)
        checked = 0
        i = 0
        while True:
            n, alpha = schedule.size(i), schedule.alpha(i)
            deadline = task.problem.deadline if sets.n else float("inf")
            threads = task.problem.threads
            # Where sets are so large that they are too many members, a share of them must do.
            enough = sets.extend(n, threads=threads, deadline=deadline, most=MOST_MEMBERS, bar=bar)
            n = sets.n
            seeds, gains, best = sets.greedy(task.allowed, k, k)
            covered = sets.n_empty + np.concatenate([[0], np.cumsum(gains)])
            upper = binomial_bounds(min(float((covered + best).min()), n), n, alpha)[1]
            share = 1.0 - (1.0 - 1.0 / k) ** np.arange(len(covered)) - eps / 2.0
            good = [b for b in range(1, len(covered)) if binomial_bounds(covered[b], n, alpha)[0] >= share[b] * upper]
            sure = int((gains >= SURE).cumprod().sum())
            b = min(max(good, default=0), sure)
            most = min(schedule.last, SENTINEL_SETS * schedule.first)
            last = not enough or n >= most or checked + 4 * n > task.max_rr_sets
            if last and sets.mean_size > LARGE_SET:
                b = max(b, sure)
            while b:
                other = task.store("sentinels", i, b, stop=seeds[:b])
                other.extend(n, threads=threads, bar=bar)
                checked += other.n
                if last or binomial_bounds(other.n_empty, n, alpha)[0] >= share[b] * upper:
                    return seeds[:b], gains[:b].astype(np.float64), checked + sets.n
                b //= 2  # fewer are almost as good at ending the sampling: large sets meet the first ones
            if last:
                return seeds[:0], np.zeros(0), checked + sets.n
            i += 1
