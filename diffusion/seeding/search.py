"""The search that samples RR sets until the bounds are good enough."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._memory import available_bytes
from .certificate import Certificate, binomial_bounds
from .rr_store import MOST_SETS, RRStore
from .selection import Purchase, SeedSelection
from .task import NOBODY, Task

__all__ = [
    "Choice",
    "Schedule",
    "State",
    "StopRule",
    "cut_short",
    "join",
    "judge",
    "on_sets",
    "schedule_of",
    "search",
    "stop_rule",
]
__all__ += ["REACHED", "Judged", "Prepared", "log_choose", "selection_of"]

REACHED = 1.0 - 1.0 / math.e  # what greedy reaches of the best coverage (Nemhauser, Wolsey and Fisher 1978)
FEW_LEFT = 0.02  # sampling error at which a search ends whose quality the bound of greedy itself forbids
EARLY = 1.0 / 64.0  # share of delta for looks before the first, where a search is cut short
SMALL_BYTES = 2**26  # memory that is not asked for beforehand
LEAST_HITS = 4000  # sets that the seeds must cover before a loss is believed, or else there must be
MANY_SETS = 2**20  # sets
SETTLED = 0.005  # of the spread, that is still to be won by more sets


@dataclass(frozen=True)
class Choice:
    """A seed set chosen on one collection: its coverage there, and what no permitted set surpasses there, in sets."""

    seeds: NDArray[np.int32]
    covered: float
    bound: float
    gains: NDArray[np.int64]  # sets covered by each seed after those fixed beforehand


@dataclass(frozen=True)
class State:
    """One look: a choice and its bounds."""

    choice: Choice
    n: int  # sets that chose
    added: NDArray[Any]  # spread of each seed that was not fixed beforehand, after those before it
    before: float  # spread of what was fixed beforehand
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


def judge(
    task: Task,
    choice: Choice,
    selection: RRStore,
    validation: RRStore | None,
    alpha: float,
    fixed: NDArray[Any] = NOBODY,
) -> State:
    """Bounds that fail with probability at most alpha each: the sets that chose bound the optimum, others the seeds.

    Without validation sets, forward runs bound the seeds: far fewer, as each of them weighs all roots at once.
    """
    added, before = np.zeros(0), 0.0
    if validation is None:
        spread, low = task.forward_bound(choice.seeds, selection.n, alpha)
        before = spread
    else:
        spread, low, before, added = on_sets(task, choice.seeds[len(fixed) :], validation, alpha)
    high = task.total * binomial_bounds(min(choice.bound, selection.n), selection.n, alpha)[1]
    lower = max(low, task.weight_of(np.concatenate([task.existing, choice.seeds])))
    return State(choice, selection.n, added, before, lower, max(high, lower), spread, alpha)


def on_sets(
    task: Task, seeds: NDArray[Any], sets: RRStore, alpha: float
) -> tuple[float, float, float, NDArray[np.float64]]:
    """Estimated spread of seeds, its lower bound, the spread of what ends the sets, and what each seed adds."""
    hits = sets.covered_in_order(seeds)[:-1]
    reached = sets.n_empty + int(hits.sum())
    scale = task.total / sets.n
    low = task.total * binomial_bounds(reached, sets.n, alpha / task.judged)[0]
    return scale * reached, low, scale * sets.n_empty, np.asarray(scale * hits, np.float64)


@dataclass
class _Losses:
    """What the seeds of either half lose to the best there are, look by look, and why that is little enough.

    Both halves choose alike. What their seeds lose to those of the other on its sets, as a share of what they cover, is
    the mean optimism of coverage on the sets that chose, estimated by pairs: with the sampling error of those sets alone
    on which the two differ, which is added. A choice is as far below the best it could be, about, as it looks better than that where it
    was made: the loss in spread is about half of it. Two things make it less:

    - A ranking that surpasses both choices has made good a part already: twice its lead, less a standard error, is
      taken off. What is left counts twice, as choosing on both halves does not make a ranking better.
    - Where seeds hardly differ in spread, what was chosen among them by chance costs nothing. So it is compared with the
      choice of the look before, on the half that chose neither: a loss falls as one over the number of sets, so that
      from n / r to n sets r - 1 times what is left is won. If that, with two standard errors, is at most SETTLED, it is
      taken for the loss.
    """

    choose: Callable[[RRStore], Choice]
    fixed: NDArray[Any]
    rankings: Callable[[], Iterable[NDArray[Any]]]
    enough: float
    last: tuple[int, NDArray[Any], NDArray[Any]] | None = None  # sets and the seeds of both halves at the look before

    def at(self, choice: Choice, selection: RRStore, validation: RRStore) -> float:
        """The loss at a look; infinite where the sets are too few to say."""
        other = self.choose(validation)
        mine, theirs = choice.seeds[len(self.fixed) :], other.seeds[len(self.fixed) :]
        before, self.last = self.last, (selection.n, mine, theirs)
        pairs = (validation, mine), (selection, theirs)
        won, error, kept = self._won(pairs, (theirs, mine))
        if kept == 0 or (kept < 2 * LEAST_HITS and selection.n < MANY_SETS):
            return float("inf")
        loss = max(error - won, 0.0) / kept
        if loss <= self.enough:
            return loss
        if before is not None and before[0] < selection.n:
            won, error, _ = self._won(pairs, before[1:])
            if abs(won) + 2.0 * error <= SETTLED * kept * (selection.n / before[0] - 1.0):
                return self.enough
        if not len(self.fixed):
            leads = (self._won(pairs, (seeds, seeds)) for seeds in self.rankings())
            lead = max([0.0, *(-won - error for won, error, _ in leads)]) / kept
            loss = min(loss, 2.0 * max(loss - 2.0 * lead, 0.0))
        return loss

    @staticmethod
    def _won(
        pairs: tuple[tuple[RRStore, NDArray[Any]], ...], others: tuple[NDArray[Any], ...]
    ) -> tuple[int, float, int]:
        """Sets that the seeds of all pairs cover more than the others do, the standard error of that, what they cover."""
        counts = [sets.covered_apart(seeds, other) for (sets, seeds), other in zip(pairs, others, strict=True)]
        mine, theirs, both = (sum(column) for column in zip(*counts, strict=True))
        return mine - theirs, math.sqrt(mine + theirs), mine + both


def join(
    task: Task, ready: Prepared, state: State, choose: Callable[[RRStore], Choice], bar: Any
) -> tuple[State, RRStore | None, int] | None:
    """Choose anew on both halves together -> state, its validation sets (None: forward runs), sets sampled for that.

    What the choice loses is halved, as it is made on twice as many sets. It is judged by forward runs where they take
    less than sampling, and else on fresh sets, half as many as in a half. None: these would be too many.
    """
    selection, validation = ready.selection, ready.validation
    assert validation is not None
    n = selection.n // 2
    fresh: RRStore | None = None
    if task.weights is not None or state.spread * task.forward_runs(2 * selection.n) > n + validation.size // 2:
        fresh = task.store("judge", "joined", stop=ready.fixed)
        if (
            2 * selection.n + n + ready.used > task.max_rr_sets
            or 3.5 * selection.bytes_at(selection.n) > task.max_bytes
        ):
            return None
        if not fresh.extend(max(n, 1), threads=task.problem.threads, deadline=task.problem.deadline, bar=bar):
            return None
    selection.join(validation)
    found = judge(task, choose(selection), selection, fresh, state.alpha, ready.fixed)
    return found, fresh, 0 if fresh is None else fresh.n


@dataclass(frozen=True)
class Schedule:
    """Sizes at which a collection may be looked at, first * 2**(step * i), and failure probabilities there.

    A search that is cut short before the first look takes one at the largest size of `early` that it has reached, in
    whole sets or in those of HIST; a share of delta is set aside for all of them, so that it does not matter when and
    why a search ends.
    """

    first: int
    last: float  # the size at which the guarantee holds in any case; infinite: none
    delta: float
    step: float = 0.5

    def size(self, i: int) -> int:
        """Sets of a collection at look i."""
        return int(self.first * 2.0 ** (self.step * i))

    def alpha(self, i: int) -> float:
        """Failure probability of either bound at look i."""
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
        """Failure probability of either bound at a look before the first."""
        return EARLY * self.delta / (4.0 * (len(self.early) + 1))


@dataclass(frozen=True)
class StopRule:
    """When a search ends.

    Attributes
    ----------
    reason : callable
        Why a state is good enough; None: it is not.
    target : callable
        Ratio of the bounds at which it would be.
    guarantee, eps : float
        What is promised beforehand, and what was asked; NaN: nothing.
    converge : float
        Go on until the seeds of either half lose at most this share to those of the other, and choose on both at the
        end; 0: do neither. Half of each failure probability is then kept for the choice at the end.
    """

    reason: Callable[[State], str | None]
    target: Callable[[State], float]
    guarantee: float = float("nan")
    eps: float = float("nan")
    converge: float = 0.0


def stop_rule(eps: float, quality: float | None, *, guarantee: bool, converge: float = 0.0) -> StopRule:
    """Return when a search ends: at a quality, at 1 - 1/e - eps, or where sampling error costs at most eps.

    Parameters
    ----------
    eps : float
    quality : float or None
        Instead of `eps`.
    guarantee : bool
        Greedy reaches 1 - 1/e of the best coverage, so that a ratio of 1 - 1/e - eps can always be reached.
    converge : float
        See `StopRule`.
    """
    if quality is not None:

        def most(state: State) -> float:
            return state.reachable * (1.0 - FEW_LEFT)

        def proven(state: State) -> str | None:
            if state.ratio >= quality:
                return "quality"
            return "bound" if state.reachable < quality and state.ratio >= most(state) else None

        return StopRule(proven, lambda state: min(quality, most(state)))
    if guarantee:
        aim = REACHED - eps
        return StopRule(lambda s: "guarantee" if s.ratio >= aim else None, lambda s: aim, aim, eps, converge)

    def target(state: State) -> float:
        return (1.0 - eps) * state.reachable

    return StopRule(lambda s: "precision" if s.ratio >= target(s) else None, target, eps=eps, converge=converge)


@dataclass
class Prepared:
    """What a search runs on.

    Attributes
    ----------
    selection : RRStore
    validation : RRStore or None
        None: forward runs judge.
    schedule : Schedule
    fixed : ndarray of int32
        First seeds, which end the sampling of both collections.
    gains : ndarray of float64
        Sets that the fixed seeds covered where they were chosen.
    used : int
        Sets used for that.
    facts : dict
        For the provenance.
    """

    selection: RRStore
    validation: RRStore | None
    schedule: Schedule
    fixed: NDArray[np.int32] = field(default_factory=lambda: NOBODY)
    gains: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    used: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


def search(
    task: Task,
    ready: Prepared,
    choose: Callable[[RRStore], Choice],
    rule: StopRule,
    bar: Any,
    rankings: Callable[[], Iterable[NDArray[Any]]] = tuple,
) -> tuple[State, str, int]:
    """Let both collections grow until the rule names a reason to stop, or time, sets, memory or patience end.

    Returns the last state, why it is the last, and all sets used. `rankings` gives seeds known beforehand, see `_Losses`.
    """
    selection, validation, schedule, fixed, used = (
        ready.selection,
        ready.validation,
        ready.schedule,
        ready.fixed,
        ready.used,
    )
    state: State | None = None
    i, done = 0, -1
    both = (selection,) if validation is None else (selection, validation)
    share_of_alpha = 0.5 if rule.converge and validation is not None else 1.0

    def alpha_at(level: int) -> float:
        return share_of_alpha * schedule.alpha(level)

    def look(alpha: float) -> State:
        return judge(task, choose(selection), selection, validation, alpha, fixed)

    losses = _Losses(choose, fixed, rankings, rule.converge)
    reached: tuple[int, float] | None = None  # size of both collections, and what a look there may cost
    stopped: str | None = None
    while True:
        steps = [(schedule.size(level), alpha_at(level)) for level in range(done + 1, i + 1)]
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
                        deadline, most = task.problem.deadline, task.max_bytes / 8.0 / len(both)
                    if not all(_grow(s, size, task, deadline, most, bar) for s in both):
                        stopped = "time" if time.perf_counter() > deadline else "memory"
                        break
                    reached = size, alpha
                else:
                    state = look(alpha_at(i))
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
        reason, loss = rule.reason(state), 0.0
        if reason is not None and rule.converge and validation is not None and schedule.size(i) < schedule.last:
            loss = losses.at(state.choice, selection, validation)
            reason = "converged" if loss <= rule.converge else None
        if reason is None and schedule.size(i) >= schedule.last:
            reason = "guarantee"
        if reason is None and time.perf_counter() > task.problem.deadline:
            reason = "time"
        if reason is not None:
            return state, reason, used + sum(sets.n for sets in both)
        # Looks that would fail are left out, as greedy is run again at each: far below the target four times as many
        # sets about triple the ratio, so that none of these steps leads far beyond the size that is needed.
        share = state.ratio / rule.target(state)
        ahead = 4 if share < 0.3 else 2 if share < 0.85 or validation is None or rule.converge else 1
        if loss > 0.0:  # it falls as one over the number of sets, about
            ahead = min(max(int(2.0 * math.log2(min(loss / rule.converge, 4.0))), 1), 4)
        ahead = max(int(ahead * 0.5 / schedule.step), 1)
        most = min(task.max_rr_sets - used, 2 * MOST_SETS, 2 * schedule.last)
        while ahead > 1 and 2 * schedule.size(i + ahead) > most:
            ahead -= 1
        i += ahead


def _grow(sets: RRStore, size: int, task: Task, deadline: float, most: float, bar: Any) -> bool:
    if sets.size * size < 0.5 * most * max(sets.n, 1):  # far from the limit, which takes smaller steps
        most = float("inf")
    return sets.extend(size, threads=task.problem.threads, deadline=deadline, most=most, bar=bar)


def _fits(both: tuple[RRStore, ...], size: int, most: float) -> bool:
    if sum(sets.bytes_at(size) for sets in both) > most:
        return False
    more = sum(sets.bytes_at(size) - sets.bytes_at(sets.n) for sets in both)
    return more < SMALL_BYTES or more < available_bytes()


def cut_short(
    task: Task, selection: RRStore, choose: Callable[[RRStore], Choice], schedule: Schedule, bar: Any
) -> tuple[State, NDArray[np.float64], int]:
    """Look at whole sets whose sampling was broken off -> state, gains, sets used; Ctrl-C where there are none.

    What the seeds reach is counted in sets that end where they meet one, which takes little time.
    """
    sizes = [size for size in [*schedule.early, schedule.first] if size <= selection.n]
    if not sizes:
        raise KeyboardInterrupt from None
    selection.truncate(sizes[-1])
    choice = choose(selection)
    validation = task.store("judge", "cut short", stop=choice.seeds)
    validation.extend(min(selection.n, 2**12), threads=task.problem.threads, bar=bar)
    state = judge(task, choice, selection, validation, schedule.early_alpha, choice.seeds)
    gains = selection.covered_in_order(choice.seeds)[:-1].astype(np.float64)
    return state, gains, selection.n + validation.n


def log_choose(n: int, k: int) -> float:
    """Natural logarithm of the number of sets of k of n."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def schedule_of(task: Task, k: int, eps: float | None, delta: float) -> Schedule:
    """First and last size of OPIM-C (Tang et al. 2018, section 5), for weighted nodes by the weight of the best k."""
    pool = int(task.allowed.sum())
    log = math.log(6.0 / delta)
    root = (REACHED * math.sqrt(log) + math.sqrt(REACHED * (log_choose(pool, k) + log))) ** 2
    first = max(math.ceil(2.0 * root), 16)
    least = task.weight_of(task.existing)
    if task.weights is None:
        least += k
    else:
        least += float(np.sort(task.weights[task.allowed])[-k:].sum())
    last = float("inf") if eps is None or least <= 0 else 2.0 * task.total * root / (eps**2 * least)
    if task.max_rr_sets < 2 * first:
        first = max(int(task.max_rr_sets // 2), 1)
    return Schedule(first, max(last, first), delta)


@dataclass(frozen=True)
class Judged:
    """How the seeds of a search were chosen.

    Attributes
    ----------
    chosen_by : str
        "greedy", or a ranking.
    compared : dict of str to float
        Estimated spread of greedy and of the rankings.
    fixed_gains : ndarray of float64
        By which seeds that were fixed beforehand share what they reach together.
    existing_spread : float or None
        None: all that was fixed beforehand were existing seeds.
    """

    chosen_by: str = "greedy"
    compared: dict[str, float] = field(default_factory=dict)
    fixed_gains: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    existing_spread: float | None = None


def selection_of(
    task: Task,
    state: State,
    stopped: str,
    rule: StopRule,
    used: int,
    sets: RRStore,
    judged: Judged,
    facts: dict[str, Any],
    *,
    method: str,
    guarantee: str | None = None,
    purchase: Purchase | None = None,
) -> SeedSelection:
    """Return what a search on sets came to, with seeds as users."""
    promised = rule.guarantee
    if stopped in ("time", "max_rr_sets", "memory", "interrupted") and not state.ratio >= promised:
        promised = float("nan")
    before = state.before if judged.existing_spread is None else judged.existing_spread
    fixed = judged.fixed_gains
    if fixed.sum() > 0:
        fixed = fixed * ((state.before - before) / fixed.sum())
    gains = np.concatenate([fixed, state.added])
    bounds = (state.spread, state.lower, state.upper, task.delta, promised, rule.eps)
    certificate = Certificate(*bounds, used, sets.mean_size, judged.chosen_by, judged.compared)
    if guarantee is None:
        guarantee = f"at least {promised:.3f} of the optimum" if promised == promised else "none beforehand"
    facts = {"delta": task.delta, "n_rr_sets": used, "stopped": stopped, "chosen_by": judged.chosen_by, **facts}
    return task.problem.selection(
        task.users_of(state.choice.seeds),
        method,
        gains,
        gains=gains,
        guarantee=guarantee,
        stopped=stopped,
        certificate=certificate,
        purchase=Purchase() if purchase is None else purchase,
        existing_spread=before if len(task.existing) else 0.0,
        provenance=task.problem.record(method, compared=judged.compared, **facts),
    )
