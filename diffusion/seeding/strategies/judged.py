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

__all__ = ["JUDGED", "Kept", "keep_best", "rankings_of"]

FREE: tuple[Ranking, ...] = (Degree(), SingleDiscount(), DegreeDiscount(), PageRank())
WALKED: tuple[Ranking, ...] = (Degree(), PageRank())  # where a ranking is gone down further than for its first k
JUDGED = 1 + len(FREE)  # seed sets judged at the last look
MOST_SETS = 2**17  # that judge a ranking where RR sets are large
SURE = 3.0  # standard errors by which a ranking must lead where it is judged on sets of its own
CLOSE = 2.0  # standard errors within which more sets decide ...
COARSE = 0.01  # ... if one is more than this share of the spread
MORE = 4  # times as many


@dataclass(frozen=True)
class Kept:
    """The best of the seeds of a search and the rankings beside it, and the estimated spread of each."""

    state: State
    name: str  # "greedy": those of the search
    spreads: dict[str, float]
    gains: NDArray[np.float64] | None = None  # of a ranking whose seeds are known together


def rankings_of(task: Task) -> dict[str, NDArray[np.int32]]:
    """Seeds (nodes) of each ranking that leads to a full seed set."""
    constraint = task.problem.constraint
    found = {r.name: _seeds(task, r) for r in (FREE if isinstance(constraint, Cardinality) else WALKED)}
    return {name: seeds for name, seeds in found.items() if len(seeds) >= max(task.problem.constraint.k or 0, 1)}


def keep_best(
    task: Task,
    state: State,
    validation: RRStore | None,
    whole: RRStore,
    rankings: dict[str, NDArray[np.int32]],
    settle: bool,
) -> Kept:
    """Judge the rankings as the seeds of `state` were judged, each bound at its share of the failure probability.

    The upper bound holds for any seed set, so that it stays. The validation sets are whole, or end at seeds fixed
    beforehand, in which case a ranking is judged on sets of its own that end at it. None: by forward runs. `settle`:
    where a ranking and greedy are close on the same sets, more sets that bound neither decide.
    """
    best, name, gains, top = state, "greedy", None, state.spread
    spreads = {"greedy": state.spread}
    threads = task.problem.threads
    more = task.store("judge", "close") if settle else None
    for ranking, seeds in rankings.items():
        if set(seeds.tolist()) == set(state.choice.seeds.tolist()):
            spreads[ranking] = state.spread
            continue
        added, lead, alpha = np.zeros(0), 0.0, state.alpha
        if validation is None:
            spread, low = task.forward_bound(seeds, state.n, alpha)
            before = spread
        elif not validation.stops_at(task.existing):
            n = min(validation.n, MOST_SETS)
            own = task.store("judge", "ranking", ranking, stop=seeds)
            own.extend(n, threads=threads)
            spread, low, before, _ = on_sets(task, seeds[:0], own, alpha)
            lead = SURE * _error(task, (state.spread, validation.n), (spread, n))
        else:
            spread, low, before, added = on_sets(task, seeds, validation, alpha)
        estimate = spread
        if more is not None and added.size:
            assert validation is not None
            estimate = state.spread - _lead(task, (validation, more), state.choice.seeds, seeds)
        spreads[ranking] = estimate
        if estimate > top + lead:
            top = estimate
            lower = max(low, task.weight_of(np.concatenate([task.existing, seeds])))
            choice, upper, name = replace(state.choice, seeds=seeds), max(state.upper, lower), ranking
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


def _lead(task: Task, stores: tuple[RRStore, RRStore], greedy: NDArray[np.int32], seeds: NDArray[np.int32]) -> float:
    """By how much greedy reaches more than a ranking, on the first sets and, if that is not sure, on both."""
    validation, more = stores
    mine, theirs, both = validation.covered_apart(greedy, seeds)
    n = validation.n
    error = math.sqrt(mine + theirs)
    if abs(mine - theirs) < CLOSE * error and error > COARSE * (mine + both):
        more.extend(MORE * n, threads=task.problem.threads)
        counts = more.covered_apart(greedy, seeds)
        mine, theirs, n = mine + counts[0], theirs + counts[1], n + more.n
    return task.total * (mine - theirs) / n


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
