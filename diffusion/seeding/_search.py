"""The search that samples RR sets until the bounds are good enough, and what it is asked, checked."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._memory import available_bytes
from .._random import RNGLike, derive_key, key_of
from .._threads import n_threads
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import reach_weights
from ..models.base import DiffusionModel
from ..models.registry import model_of
from ..simulation.runner import seed_labels
from ._forward import forward_bound
from .ris import MOST_SETS, RRStore, binomial_bounds

__all__ = [
    "CONVERGED", "REACHED", "Choice", "Schedule", "State", "Task", "check_k", "covered_by", "cut_short", "is_number", "judge",
    "judge_by_runs", "log_choose", "make_task", "open_unit", "permitted", "schedule_of", "search", "targets",
]  # fmt: skip

REACHED = 1.0 - 1.0 / math.e  # what greedy reaches of the best coverage (Nemhauser, Wolsey and Fisher 1978)
FEW_LEFT = 0.02  # sampling error at which a search ends whose quality the bound of greedy itself forbids
EARLY = 1.0 / 64.0  # share of delta for looks before the first, where a search is cut short
SMALL_BYTES = 2**26  # memory that is not asked for beforehand
EPS = 0.1  # of the guarantee, where nothing else is asked
CONVERGED = 0.0075  # by default: what the seeds of either half may lose to those of the other on its sets; about twice their loss
LEAST_HITS = 2000  # sets that the seeds must cover for that to be believed, or else there must be
MANY_SETS = 2**20  # sets
# Bounds by default; `max_rr_sets` sets another one for both.
DEFAULT_SETS = 2**25
DEFAULT_BYTES = 2**31


@dataclass(frozen=True)
class Task:
    """What is asked, checked and in internal numbers."""

    graph: FollowerGraph
    model: DiffusionModel
    allowed: NDArray[np.bool_]
    taken: NDArray[np.int32]
    weights: NDArray[np.float64] | None
    delta: float
    key: int
    threads: int
    deadline: float
    max_rr_sets: float
    max_bytes: float
    start: float
    judged: int = 1  # seed sets that may be judged at a look: the failure probability of lower bounds is shared out
    ranked_on: tuple[FollowerGraph, NDArray[np.int32]] | None = (
        None  # a graph that heuristics rank, its nodes in this one
    )

    def store(self, *purpose: object, stop: NDArray[Any] | None = None, limit: int = MOST_SETS) -> RRStore:
        """Return an empty collection that no other purpose shares; sets hit by seeds already taken are empty."""
        stops = self.taken if stop is None else np.concatenate([self.taken, stop])
        key = derive_key(self.key, "rr", *purpose)
        return RRStore(self.graph, self.model, key, weights=self.weights, stop=stops, limit=limit)

    def runs_of(self, n: int) -> tuple[int, int]:
        """Key and number of the forward runs that judge beside n sets that choose."""
        return derive_key(self.key, "judge", "runs", n), min(max(n // 64 // 512, 1), 16) * 512

    @property
    def total(self) -> float:
        return float(self.graph.n_nodes if self.weights is None else self.weights.sum())

    def worth(self, nodes: NDArray[Any]) -> float:
        """Weight of nodes: their spread is at least this."""
        return float(len(nodes) if self.weights is None else self.weights[nodes].sum())


def make_task(
    graph: FollowerGraph,
    *,
    model: DiffusionModel | str,
    delta: float | None,
    candidates: Iterable[Any] | None,
    exclude: Iterable[Any],
    taken: Iterable[Any],
    node_weights: Any,
    time_limit: float | None,
    max_rr_sets: int | None,
    rng: RNGLike,
    threads: int | None,
    judged: int = 1,
    ranked_on: tuple[FollowerGraph, NDArray[np.int32]] | None = None,
) -> Task:
    start = time.perf_counter()
    delta = 1.0 / max(graph.n_nodes, 2) if delta is None else open_unit(delta, "delta")
    if time_limit is not None and (not is_number(time_limit) or time_limit <= 0):
        raise InputError(f"time_limit={time_limit!r} is no time: give seconds above 0, or None")
    if max_rr_sets is not None and (not is_number(max_rr_sets) or max_rr_sets < 2):
        raise InputError(f"max_rr_sets={max_rr_sets!r} is out of range: give a whole number from 2, or None")
    allowed = permitted(graph, candidates, exclude, taken)
    chosen = graph.index.internal(seed_labels(graph, taken))
    return Task(
        graph, model_of(model), allowed, chosen, reach_weights(graph, node_weights), delta, key_of(rng), n_threads(threads),
        start + (float("inf") if time_limit is None else float(time_limit)),
        float(DEFAULT_SETS if max_rr_sets is None else max_rr_sets),
        float(DEFAULT_BYTES) if max_rr_sets is None else float("inf"), start, judged, ranked_on,
    )  # fmt: skip


def permitted(
    graph: FollowerGraph, candidates: Iterable[Any] | None, exclude: Iterable[Any], taken: Iterable[Any]
) -> NDArray[np.bool_]:
    """Return which internal nodes may be chosen: the candidates without those excluded or already taken."""
    allowed = np.ones(graph.n_nodes, np.bool_)
    if candidates is not None:
        allowed[:] = False
        allowed[graph.index.internal(seed_labels(graph, candidates))] = True
    for away in (exclude, taken):
        allowed[graph.index.internal(seed_labels(graph, away))] = False
    return allowed


def check_k(k: Any, allowed: NDArray[np.bool_]) -> int:
    """Return a number of seeds, from 1 to the nodes there are to choose from."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k={k!r} is not a number of seeds: give a whole number from 1")
    if k > allowed.sum():
        what = "nodes" if allowed.all() else "candidates"
        raise InputError(f"k={k:,} is more than the {int(allowed.sum()):,} {what} there are to choose from")
    return int(k)


def is_number(value: Any) -> bool:
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return real and bool(abs(value) <= sys.float_info.max or abs(value) == float("inf"))  # neither NaN nor 10**400


def open_unit(value: Any, what: str) -> float:
    if not is_number(value) or not 0 < value < 1:
        raise InputError(f"{what}={value!r} is out of range: give a number between 0 and 1, both excluded")
    return float(value)


@dataclass(frozen=True)
class Choice:
    """A seed set chosen on one collection: its coverage there, and what no permitted set surpasses there, in sets."""

    seeds: NDArray[np.int32]
    covered: float
    bound: float
    gains: NDArray[np.int64]  # sets covered by each seed after those given beforehand


@dataclass(frozen=True)
class State:
    """One look: a choice and its bounds."""

    choice: Choice
    n: int  # sets that chose
    added: NDArray[Any]  # spread of each seed not given beforehand, after those before it
    of_given: float  # spread of what was given beforehand
    lower: float
    upper: float
    spread: float
    alpha: float  # failure probability of the upper bound, and of the lower ones together

    @property
    def ratio(self) -> float:
        return self.lower / self.upper if self.upper > 0 else 1.0

    @property
    def reachable(self) -> float:
        """Ratio without any sampling error: what greedy reaches of its own bound."""
        return self.choice.covered / self.choice.bound if self.choice.bound > 0 else 1.0


def judge(task: Task, choice: Choice, choosing: RRStore, judging: RRStore, alpha: float, given: NDArray[Any]) -> State:
    """Bounds that fail with probability at most alpha each: `choosing` bounds the optimum, `judging` the seeds."""
    hits = judging.covered_in_order(choice.seeds[len(given) :])[:-1]
    reached = judging.n_empty + int(hits.sum())
    scale = task.total / judging.n
    low = task.total * binomial_bounds(reached, judging.n, alpha / task.judged)[0]
    return _state(task, choice, choosing, alpha, scale * hits, scale * judging.n_empty, scale * reached, low)


def judge_by_runs(task: Task, choice: Choice, choosing: RRStore, alpha: float) -> State:
    """As `judge`, by forward runs instead of RR sets: far fewer, as each of them weighs all roots at once."""
    key, runs = task.runs_of(choosing.n)
    seeds = np.concatenate([task.taken, choice.seeds])
    mean, low = forward_bound(task.graph, task.model, seeds, key, runs, alpha / task.judged, task.threads)
    return _state(task, choice, choosing, alpha, np.zeros(0), mean, mean, low)


def _state(
    task: Task, choice: Choice, choosing: RRStore, alpha: float, added: NDArray[Any], of_given: float,
    spread: float, low: float,
) -> State:  # fmt: skip
    high = task.total * binomial_bounds(min(choice.bound, choosing.n), choosing.n, alpha)[1]
    lower = max(low, task.worth(np.concatenate([task.taken, choice.seeds])))
    return State(choice, choosing.n, added, of_given, lower, max(high, lower), spread, alpha)


def covered_by(sets: RRStore, seeds: NDArray[Any]) -> int:
    """Sets that hold a seed; sets that ended at seeds given beforehand count for any."""
    return sets.n_empty + int(sets.covered_in_order(seeds)[:-1].sum())


def _loss(
    choice: Choice, choosing: RRStore, judging: RRStore, choose: Callable[[RRStore], Choice], given: NDArray[Any]
) -> float:
    """What the seeds of either collection lose to those of the other on the other's sets, as a share of what they cover.

    Both are chosen alike, so this is the mean optimism of coverage on the sets that chose, estimated by pairs: with the
    sampling error of those sets alone on which the two differ. A choice is as far below the best it could be, about, as
    it looks better than that where it was made: the loss in spread is about half of it. Infinite: too few sets to say.
    """
    other = choose(judging)
    mine, theirs = choice.seeds[len(given) :], other.seeds[len(given) :]
    here, there = covered_by(choosing, mine), covered_by(judging, theirs)
    lost = here - covered_by(choosing, theirs) + there - covered_by(judging, mine)
    kept = here + there - lost
    return lost / kept if kept >= 2 * LEAST_HITS or (kept and choosing.n >= MANY_SETS) else float("inf")


@dataclass(frozen=True)
class Schedule:
    """Sizes at which a collection may be looked at, first * 2**(i/2), and the failure probability of each bound there.

    A search that is cut short before the first look takes one at the largest size of `early` that it has reached, in
    whole sets or in those of HIST; a share of delta is set aside for all of them, so that it does not matter when and
    why a search ends.
    """

    first: int
    last: float  # the size at which the guarantee holds in any case; infinite: none
    delta: float

    def size(self, i: int) -> int:
        return int(self.first * 2.0 ** (0.5 * i))

    def alpha(self, i: int) -> float:
        delta = (1.0 - EARLY) * self.delta
        if math.isinf(self.last):
            return delta / (2.0 * (i + 1) * (i + 2))  # sums to delta over all looks and both bounds
        return delta / (3.0 * max(math.ceil(2.0 * math.log2(self.last / self.first)), 1))

    @property
    def early(self) -> list[int]:
        """Sizes before the first, rising."""
        return [self.first >> e for e in (6, 3) if self.first >> e]

    @property
    def early_alpha(self) -> float:
        return EARLY * self.delta / (4.0 * (len(self.early) + 1))


def search(
    task: Task,
    choosing: RRStore,
    judging: RRStore | None,
    schedule: Schedule,
    choose: Callable[[RRStore], Choice],
    enough: Callable[[State], str | None],
    target: Callable[[State], float],
    given: NDArray[Any],
    used: int,
    bar: Any,
    *,
    converge: float = 0.0,
) -> tuple[State, str, int]:
    """Let both collections grow until `enough` names a reason to stop, or time, sets, memory or patience end.

    With `converge` also until the seeds of either collection lose at most that share to those of the other. Without a
    collection that judges, forward runs do. Returns the last state, why it is the last, and all sets used.
    """
    state: State | None = None
    i, done = 0, -1
    both = (choosing,) if judging is None else (choosing, judging)

    def look(alpha: float) -> State:
        choice = choose(choosing)
        if judging is None:
            return judge_by_runs(task, choice, choosing, alpha)
        return judge(task, choice, choosing, judging, alpha, given)

    reached: tuple[int, float] | None = None  # size of both collections, and what a look there may cost
    stopped: str | None = None
    while True:
        steps = [(schedule.size(level), schedule.alpha(level)) for level in range(done + 1, i + 1)]
        if state is None:
            steps = [(size, schedule.early_alpha) for size in schedule.early] + steps
        elif used + 2 * schedule.size(i) > min(task.max_rr_sets, 2 * MOST_SETS):
            stopped = "max_rr_sets"
        elif not _fits(both, schedule.size(i), task.max_bytes):
            stopped = "memory"
        if stopped is None:
            try:
                for size, alpha in steps:
                    # There must be something to return when time ends.
                    deadline, most = float("inf"), float("inf")
                    if reached is not None:
                        deadline, most = task.deadline, task.max_bytes / 8.0 / len(both)
                    if not all(_grow(s, size, task, deadline, most, bar) for s in both):
                        stopped = "time" if time.perf_counter() > deadline else "memory"
                        break
                    reached = size, alpha
                else:
                    state = look(schedule.alpha(i))
                    done = i
            except KeyboardInterrupt:
                if reached is None:
                    raise
                stopped = "interrupted"
        if stopped is not None:
            assert reached is not None
            if state is None or reached[0] > state.n:  # a look that was left out serves now
                for sets in both:
                    sets.truncate(reached[0])
                state = look(reached[1])
            return state, stopped, used + sum(sets.n for sets in both)
        assert state is not None
        reason, loss = enough(state), 0.0
        if reason is not None and converge and judging is not None and schedule.size(i) < schedule.last:
            loss = _loss(state.choice, choosing, judging, choose, given)
            reason = "converged" if loss <= converge else None
        if reason is None and schedule.size(i) >= schedule.last:
            reason = "guarantee"
        if reason is None and time.perf_counter() > task.deadline:
            reason = "time"
        if reason is not None:
            return state, reason, used + sum(sets.n for sets in both)
        # Looks that would fail are left out, as greedy is run again at each: far below the target four times as many
        # sets about triple the ratio, so that none of these steps leads far beyond the size that is needed.
        share = state.ratio / target(state)
        ahead = 4 if share < 0.3 else 2 if share < 0.85 or judging is None or converge else 1
        if loss > 4 * converge:  # it falls as one over the number of sets, about
            ahead = 4
        most = min(task.max_rr_sets - used, 2 * MOST_SETS, 2 * schedule.last)
        while ahead > 1 and 2 * schedule.size(i + ahead) > most:
            ahead -= 1
        i += ahead


def _grow(sets: RRStore, size: int, task: Task, deadline: float, most: float, bar: Any) -> bool:
    if sets.size * size < 0.5 * most * max(sets.n, 1):  # far from the limit, which takes smaller steps
        most = float("inf")
    return sets.extend(size, threads=task.threads, deadline=deadline, most=most, bar=bar)


def _fits(both: tuple[RRStore, ...], size: int, most: float) -> bool:
    if sum(sets.bytes_at(size) for sets in both) > most:
        return False
    more = sum(sets.bytes_at(size) - sets.bytes_at(sets.n) for sets in both)
    return more < SMALL_BYTES or more < available_bytes()


def cut_short(
    task: Task, choosing: RRStore, choose: Callable[[RRStore], Choice], schedule: Schedule, bar: Any
) -> tuple[State, NDArray[np.float64], int]:
    """Look at whole sets whose sampling was broken off -> state, gains, sets used; Ctrl-C where there are none.

    What the seeds reach is counted in sets that end where they meet one, which takes little time.
    """
    sizes = [size for size in [*schedule.early, schedule.first] if size <= choosing.n]
    if not sizes:
        raise KeyboardInterrupt from None
    choosing.truncate(sizes[-1])
    choice = choose(choosing)
    judging = task.store("judge", "cut short", stop=choice.seeds)
    judging.extend(min(choosing.n, 2**12), threads=task.threads, bar=bar)
    state = judge(task, choice, choosing, judging, schedule.early_alpha, choice.seeds)
    gains = choosing.covered_in_order(choice.seeds)[:-1].astype(np.float64)
    return state, gains, choosing.n + judging.n


def log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def schedule_of(task: Task, k: int, eps: float | None, delta: float) -> Schedule:
    """First and last size of OPIM-C (Tang et al. 2018, section 5), for weighted nodes by the worth of the best k."""
    pool = int(task.allowed.sum())
    log = math.log(6.0 / delta)
    root = (REACHED * math.sqrt(log) + math.sqrt(REACHED * (log_choose(pool, k) + log))) ** 2
    first = max(math.ceil(2.0 * root), 16)
    least = task.worth(task.taken)
    if task.weights is None:
        least += k
    else:
        least += float(np.sort(task.weights[task.allowed])[-k:].sum())
    last = float("inf") if eps is None or least <= 0 else 2.0 * task.total * root / (eps**2 * least)
    if task.max_rr_sets < 2 * first:
        first = max(int(task.max_rr_sets // 2), 1)
    return Schedule(first, max(last, first), delta)


def targets(
    eps: float | None, quality: float | None
) -> tuple[float, float, Callable[[State], str | None], Callable[[State], float]]:
    """Check eps and quality -> guarantee, eps, reason to stop, ratio aimed at."""
    if quality is not None:
        if eps is not None:
            raise InputError(f"eps={eps!r} and quality={quality!r} are two ways to say when to stop: give one of them")
        wanted = open_unit(quality, "quality")
        return float("nan"), float("nan"), lambda s: _quality(s, wanted), lambda s: min(wanted, _most(s))
    eps = open_unit(EPS if eps is None else eps, "eps")
    if eps >= REACHED:
        raise InputError(f"eps={eps!r} leaves no guarantee: give a number below 1 - 1/e = {REACHED:.4f}")
    aim = REACHED - eps
    return aim, eps, lambda s: "guarantee" if s.ratio >= aim else None, lambda s: aim


def _quality(state: State, wanted: float) -> str | None:
    if state.ratio >= wanted:
        return "quality"
    return "bound" if state.reachable < wanted and state.ratio >= _most(state) else None


def _most(state: State) -> float:
    return state.reachable * (1.0 - FEW_LEFT)
