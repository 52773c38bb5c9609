"""Maximin coverage of the RR sets of several communities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.quotas import RootedSets, capped_cover, sets_of_nodes
from .groups import Groups
from .rr_store import RRStore
from .strategies.rankings import by_followers
from .task import Task

__all__ = ["Collection", "best_maximin", "optimum_bound"]

LEVELS = 12  # halvings of the level at which shares are cut
ROUNDS = 12  # moves of the weights
LOOKS = 8  # prefixes of a greedy order at which the optimum is bounded
STEP = 2.0  # how far weights move to the communities reached least


class Collection:
    """RR sets in the order of the communities of their roots; nodes are those of the live-edge graph."""

    def __init__(self, task: Task, store: RRStore, groups: Groups) -> None:
        self.task = task
        self.store = store
        root = task.at_counted(groups.code, -1)[store.nodes[store.offsets[: store.n]]]
        self.order = np.argsort(root, kind="stable")
        self.of = root[self.order].astype(np.int32)
        self.n_sets = np.bincount(root, minlength=len(groups)).astype(np.int64)
        self.n = store.n_nodes

    def covered(self, seeds: NDArray[np.int32]) -> NDArray[np.int64]:
        """Sets of each community that hold a seed."""
        marked = np.zeros(self.n, np.bool_)
        marked[seeds] = True
        hit = np.concatenate([[0], np.cumsum(marked[self.store.nodes[: self.store.size]])])
        ends = self.store.offsets[: self.store.n + 1]
        met = (hit[ends[1:]] > hit[ends[:-1]])[self.order]
        return np.bincount(self.of[met], minlength=self.n_sets.size).astype(np.int64)


def best_maximin(sets: Collection, k: int) -> tuple[NDArray[np.int32], float, list[tuple[NDArray[np.float64], float]]]:
    """Return the seeds of largest smallest share on these sets, that share, and bounds of weighted means of shares.

    Each bound is a pair of weights (sum 1) and a number that the mean of shares under them exceeds for no k nodes.
    """
    store, allowed = sets.store, sets.task.allowed
    place = by_followers(sets.task.graph)
    start, index = sets_of_nodes(store.nodes, store.offsets, sets.order, sets.n)
    rooted = RootedSets(store.nodes, store.offsets, sets.order, start, index, sets.of)
    n_sets = np.maximum(sets.n_sets, 1)
    free = np.full(n_sets.size, np.inf)
    bounds: list[tuple[NDArray[np.float64], float]] = []
    best: tuple[Any, ...] = (-1.0, -1.0, np.zeros(0, np.int32))

    def cover(weights: NDArray[np.float64], cap: NDArray[np.float64], looks: int) -> Any:
        return capped_cover(rooted, weights / n_sets, cap, allowed, place, k, looks)

    def consider(seeds: NDArray[np.int32]) -> NDArray[np.float64]:
        nonlocal best
        if len(seeds) < k:  # nothing more to cover up to the level, or at all: followers decide
            left = allowed.copy()
            left[seeds] = False
            seeds = np.concatenate([seeds, place[left[place]][: k - len(seeds)]]).astype(np.int32)
        share = sets.covered(seeds) / n_sets
        if (share.min(), share.mean()) > best[:2]:
            best = (share.min(), share.mean(), seeds)
        return share

    weights = np.full(n_sets.size, 1.0 / n_sets.size)
    for _ in range(ROUNDS if n_sets.size > 1 else 1):
        seeds, _, bound = cover(weights, free, LOOKS)
        bounds.append((weights, float(bound)))
        share = consider(seeds)
        moved = weights * np.exp(-STEP * (share - share.min()) / max(float(share.max() - share.min()), 1e-12))
        weights = moved / moved.sum()
    even = np.ones(n_sets.size)
    low, high = best[0], min(1.0, min(bound for _, bound in bounds))
    for _ in range(LEVELS if n_sets.size > 1 else 0):
        level = (low + high) / 2
        share = consider(cover(even, level * n_sets, 0)[0])
        if share.min() >= level * (1 - 1e-12):
            low = level
        else:
            high = level
    return best[2], float(best[0]), bounds


def optimum_bound(n_sets: NDArray[np.int64], bounds: list[tuple[NDArray[np.float64], float]], alpha: float) -> float:
    """Return the largest smallest share that some set may have, but with probability alpha for each community.

    The best set T was there before the sets: if every community is reached at least to the share t, its covered sets
    are at least the alpha-quantile of a binomial count with t, all communities together but with probability alpha
    times their number. So t is possible only while these quantiles, weighted, keep within every bound.
    """
    from scipy.stats import binom

    def possible(t: float) -> bool:
        least = binom.ppf(alpha, n_sets, t) / np.maximum(n_sets, 1)
        return all(float(weights @ least) <= bound * (1 + 1e-12) for weights, bound in bounds)

    low, high = 0.0, 1.0
    if possible(high):
        return high
    for _ in range(40):
        middle = (low + high) / 2
        if possible(middle):
            low = middle
        else:
            high = middle
    return high
