"""Rankings that cost next to nothing, judged on the same sets as the seeds of a search; the best are kept."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._forward import forward_bound
from ._search import State, Task
from .budget import affordable
from .heuristics import HEURISTICS
from .ris import RRStore, binomial_bounds

__all__ = ["JUDGED", "Kept", "keep_best"]

FREE = ("degree", "single_discount", "degree_discount", "pagerank")
BY_MONEY = ("degree", "pagerank")
JUDGED = 1 + len(FREE)  # seed sets judged at the last look
MOST_SETS = 2**17  # that judge a ranking where RR sets are large
SURE = 3.0  # standard errors by which a ranking must lead where it is judged on sets of its own


@dataclasses.dataclass(frozen=True)
class Kept:
    """The best of the seeds of a search and the rankings beside it, and the estimated spread of each."""

    state: State
    name: str  # "greedy": those of the search
    spreads: dict[str, float]
    gains: NDArray[np.float64] | None = None  # of a ranking whose seeds are known together


def keep_best(
    task: Task, state: State, k: int, judging: RRStore | None, whole: RRStore, *,
    money: tuple[NDArray[np.float64], float] | None = None,
) -> Kept:  # fmt: skip
    """Judge the rankings as the seeds of `state` were judged, each bound at its share of the failure probability.

    The upper bound holds for any seed set, so that it stays. `judging` holds whole sets, or ends them at seeds given
    beforehand, in which case a ranking is judged on sets of its own that end at it. None: by forward runs.
    """
    best, name, gains = state, "greedy", None
    spreads = {"greedy": state.spread}
    for ranking in FREE if money is None else BY_MONEY:
        seeds = _seeds(task, ranking, k, money)
        if len(seeds) == 0 or (money is None and len(seeds) < k):
            continue
        if set(seeds.tolist()) == set(state.choice.seeds.tolist()):
            spreads[ranking] = state.spread
            continue
        if judging is None:
            found = _by_runs(task, state, seeds)
            lead = found.spread > best.spread
        elif not judging.stops_at(task.taken):
            found = _by_own_sets(task, state, seeds, ranking, judging.n)
            lead = found.spread > best.spread + SURE * _error(task, state, judging.n, found)
        else:
            found = _on(task, state, seeds, judging)
            lead = found.spread > best.spread
        spreads[ranking] = found.spread
        if lead:
            best, name = found, ranking
            known = bool(found.added.size)
            gains = None if known else whole.covered_in_order(seeds)[:-1].astype(np.float64)
    if name != "greedy" and best.added.size:
        assert judging is not None
        best = _anew(task, best, judging.n)
    return Kept(best, name, spreads, gains)


def _anew(task: Task, state: State, n: int) -> State:
    """Estimate the spread on fresh sets: the best of several flatters itself on the sets where it was the best."""
    fresh = task.store("judge", "kept")
    fresh.extend(n, threads=task.threads)
    hits = fresh.covered_in_order(state.choice.seeds)[:-1]
    scale = task.total / n
    spread = scale * (fresh.n_empty + int(hits.sum()))
    return dataclasses.replace(state, spread=spread, of_given=scale * fresh.n_empty, added=scale * hits)


def _seeds(task: Task, ranking: str, k: int, money: tuple[NDArray[np.float64], float] | None) -> NDArray[np.int32]:
    graph, allowed, back = task.graph, task.allowed, None
    if task.ranked_on is not None:
        graph, back = task.ranked_on
        allowed = allowed[back]
    count = k if money is None else int(allowed.sum())
    draw = np.random.default_rng(0)  # these rankings draw nothing
    nodes = HEURISTICS[ranking][0](graph, count, allowed, None, draw)[0].astype(np.int32)
    if back is not None:
        nodes = back[nodes]
    if money is not None:
        price, budget = money
        nodes = nodes[affordable(price[nodes], budget)]
    return nodes


def _replaced(
    task: Task, state: State, seeds: NDArray[np.int32], low: float, spread: float, of_given: float, added: NDArray[Any]
) -> State:  # fmt: skip
    lower = max(low, task.worth(np.concatenate([task.taken, seeds])))
    choice = dataclasses.replace(state.choice, seeds=seeds)
    return dataclasses.replace(
        state, choice=choice, added=added, of_given=of_given, lower=lower, upper=max(state.upper, lower), spread=spread
    )


def _on(task: Task, state: State, seeds: NDArray[np.int32], judging: RRStore) -> State:
    hits = judging.covered_in_order(seeds)[:-1]
    reached = judging.n_empty + int(hits.sum())
    scale = task.total / judging.n
    low = task.total * binomial_bounds(reached, judging.n, state.alpha / task.judged)[0]
    return _replaced(task, state, seeds, low, scale * reached, scale * judging.n_empty, scale * hits)


def _by_own_sets(task: Task, state: State, seeds: NDArray[np.int32], ranking: str, n: int) -> State:
    own = task.store("judge", "ranking", ranking, stop=seeds)
    own.extend(min(n, MOST_SETS), threads=task.threads)
    low = task.total * binomial_bounds(own.n_empty, own.n, state.alpha / task.judged)[0]
    spread = task.total * own.n_empty / own.n
    return _replaced(task, state, seeds, low, spread, spread, np.zeros(0))


def _by_runs(task: Task, state: State, seeds: NDArray[np.int32]) -> State:
    key, runs = task.runs_of(state.n)
    start = np.concatenate([task.taken, seeds])
    mean, low = forward_bound(task.graph, task.model, start, key, runs, state.alpha / task.judged, task.threads)
    return _replaced(task, state, seeds, low, mean, mean, np.zeros(0))


def _error(task: Task, state: State, n: int, found: State) -> float:
    """Standard error of the difference of two spreads, each from sets of its own."""
    parts = [(state.spread / task.total, n), (found.spread / task.total, min(n, MOST_SETS))]
    return task.total * math.sqrt(sum(max(x * (1.0 - x), 0.0) / size for x, size in parts))
