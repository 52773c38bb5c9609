"""Rankings that cost next to nothing, judged on the same sets as the seeds of a search; the best are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..constraints import Cardinality
from ..rr_store import RRStore
from ..search import State, on_sets
from ..task import Task
from .centrality import PageRank
from .rankings import Degree, DegreeDiscount, Ranking, SingleDiscount

__all__ = ["JUDGED", "Kept", "keep_best"]

FREE: tuple[Ranking, ...] = (Degree(), SingleDiscount(), DegreeDiscount(), PageRank())
WALKED: tuple[Ranking, ...] = (Degree(), PageRank())  # where a ranking is gone down further than for its first k
JUDGED = 1 + len(FREE)  # seed sets judged at the last look
MOST_SETS = 2**17  # that judge a ranking where RR sets are large
SURE = 3.0  # standard errors by which a ranking must lead where it is judged on sets of its own


@dataclass(frozen=True)
class Kept:
    """The best of the seeds of a search and the rankings beside it, and the estimated spread of each."""

    state: State
    name: str  # "greedy": those of the search
    spreads: dict[str, float]
    gains: NDArray[np.float64] | None = None  # of a ranking whose seeds are known together


def keep_best(task: Task, state: State, validation: RRStore | None, whole: RRStore) -> Kept:
    """Judge the rankings as the seeds of `state` were judged, each bound at its share of the failure probability.

    The upper bound holds for any seed set, so that it stays. The validation sets are whole, or end at seeds fixed
    beforehand, in which case a ranking is judged on sets of its own that end at it. None: by forward runs.
    """
    best, name, gains = state, "greedy", None
    spreads = {"greedy": state.spread}
    threads = task.problem.threads
    for ranking in FREE if isinstance(task.problem.constraint, Cardinality) else WALKED:
        seeds = _seeds(task, ranking)
        if len(seeds) == 0 or len(seeds) < (task.problem.constraint.k or 0):
            continue
        if set(seeds.tolist()) == set(state.choice.seeds.tolist()):
            spreads[ranking.name] = state.spread
            continue
        added, lead, alpha = np.zeros(0), 0.0, state.alpha
        if validation is None:
            spread, low = task.forward_bound(seeds, state.n, alpha)
            before = spread
        elif not validation.stops_at(task.existing):
            n = min(validation.n, MOST_SETS)
            own = task.store("judge", "ranking", ranking.name, stop=seeds)
            own.extend(n, threads=threads)
            spread, low, before, _ = on_sets(task, seeds[:0], own, alpha)
            lead = SURE * _error(task, (state.spread, validation.n), (spread, n))
        else:
            spread, low, before, added = on_sets(task, seeds, validation, alpha)
        spreads[ranking.name] = spread
        if spread > best.spread + lead:
            lower = max(low, task.weight_of(np.concatenate([task.existing, seeds])))
            choice, upper, name = replace(state.choice, seeds=seeds), max(state.upper, lower), ranking.name
            best = State(choice, state.n, added, before, lower, upper, spread, alpha)
            gains = None if added.size else whole.covered_in_order(seeds)[:-1].astype(np.float64)
    if name != "greedy" and best.added.size:
        assert validation is not None
        # The best of several flatters itself on the sets where it was the best: it is estimated on fresh ones.
        fresh = task.store("judge", "kept")
        fresh.extend(validation.n, threads=threads)
        spread, _, before, added = on_sets(task, best.choice.seeds, fresh, best.alpha)
        best = replace(best, spread=spread, before=before, added=added)
    return Kept(best, name, spreads, gains)


def _seeds(task: Task, ranking: Ranking) -> NDArray[np.int32]:
    """Nodes of those whom the constraint lets be chosen going down a ranking."""
    problem, constraint = task.problem, task.problem.constraint
    count = constraint.k if isinstance(constraint, Cardinality) else int(problem.allowed.sum())
    assert count is not None
    users, _ = ranking.order(problem.reckoned, count, problem.allowed, 0)  # these rankings draw nothing
    return task.nodes_of(users[constraint.walk(users)])


def _error(task: Task, *parts: tuple[float, int]) -> float:
    """Standard error of the difference of spreads, each from so many sets of its own."""
    shares = [(spread / task.total, n) for spread, n in parts]
    return task.total * math.sqrt(sum(max(x * (1.0 - x), 0.0) / n for x, n in shares))
