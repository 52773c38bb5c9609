"""Seeds under quotas with a certificate: greedy over a matroid on RR sets."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...kernels.quotas import Quotas as Limits
from ...kernels.quotas import quota_cover
from ..constraints import Quotas
from ..rr_store import MOST_SETS, RRStore
from ..search import Choice, Schedule
from .cover import Cover
from .rankings import by_followers

__all__ = ["MatroidCover"]

FIRST = 2048  # RR sets of the first look, in each half
LOOKS = 16  # prefixes of the greedy order at which the optimum is bounded


class MatroidCover(Cover):
    """Greedy over the seed sets that quotas permit.

    Sets that can be completed to k seeds within both quotas are a matroid (for upper quotas alone a partition matroid;
    with lower ones see El Halabi et al. 2020, section 3), over which greedy reaches at least half of the best coverage
    (Fisher, Nemhauser and Wolsey 1978). What is proven of the seeds, lower / upper, is mostly far more: after each
    prefix of the greedy order the best permitted set covers at most what is covered already plus the largest sum of
    marginal gains within the quotas. Both bounds use exact binomial tails on separate collections of RR sets; delta is
    shared out over all looks.
    """

    method = "OPIM quotas"
    purpose = "quotas"
    guarantee = (
        "at least half of the best that the quotas permit, less the sampling error (greedy over a matroid: Fisher, "
        "Nemhauser and Wolsey 1978)"
    )

    def first_schedule(self) -> Schedule:
        most = min(self.task.max_rr_sets, 2.0 * MOST_SETS)
        return Schedule(min(FIRST, int(most // 2)), math.inf, self.task.delta, step=1.0)

    def choose(self, sets: RRStore, fixed: NDArray[np.int32]) -> Choice:
        task = self.task
        quotas = task.problem.constraint
        assert isinstance(quotas, Quotas)
        assert not len(fixed)
        group = task.at_seeds(quotas.groups.code, -1)
        limits = Limits(group, quotas.most, quotas.least)
        seeds, gains, bound = quota_cover(sets.sets, task.allowed, limits, by_followers(task.graph), quotas.k, LOOKS)
        covered, best = sets.n_empty + int(gains.sum()), sets.n_empty + int(bound)
        return Choice(seeds, float(covered), float(best), gains)
