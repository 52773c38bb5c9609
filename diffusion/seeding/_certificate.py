"""What selections with a certificate have in common: the result, the checked task, and the search that doubles."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._provenance import provenance
from .._random import RNGLike, derive_key, key_of
from .._threads import n_threads
from ..cascades._engine import seed_labels
from ..cascades.models import Model, model_of
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from .ris import MOST_SETS, RRStore, audience, binomial_bounds

__all__ = [
    "Certificate", "Choice", "Schedule", "State", "Task", "certificate", "check_k", "is_number", "judge", "make_task",
    "open_unit", "permitted", "search",
]  # fmt: skip

MARGIN = 0.02  # a look is left out when its ratio is foreseen to miss the target by more


@dataclass(frozen=True, repr=False, eq=False)
class Certificate:
    """Seeds with proven bounds: with probability at least 1 - delta, lower <= spread of the seeds and optimum <= upper.

    Attributes
    ----------
    seeds : tuple of labels
        In the order in which they were chosen.
    gains : ndarray of float64, shape (len(seeds),)
        Estimated marginal spread of each seed after those before it (and after the seeds already taken).
    spread : float
        Estimated spread of the seeds (with those already taken), from sets that did not choose them.
    lower : float
        Lower bound of the spread of the seeds.
    upper : float
        Upper bound of the spread that *any* permitted seed set has.
    guarantee : float
        Share of the optimum that the method promises beforehand; NaN where it promises none.
    eps, delta : float
        What was asked; eps is NaN where `quality` was asked instead.
    n_rr_sets : int
        RR sets sampled, of all phases.
    mean_rr_size : float
        Mean members of the RR sets that chose the seeds; those cut short by hit-and-stop are not counted.
    seconds : float
        Time of the whole selection, with preparing the graph if that was not done before.
    stopped : {"guarantee", "quality", "precision", "bound", "time", "max_rr_sets", "interrupted"}
        ``"precision"``: sampling error within eps (budgets). ``"bound"``: more sets cannot prove the quality asked for,
        as what is missing is the distance of greedy from its own upper bound.
    method : str
    already : float
        Estimated spread of the seeds already taken; part of spread, lower and upper.
    cost, budget, next_unit : float
        Money spent, money given, and the spread that the next unit of money would buy (NaN without prices).
    prices : ndarray of float64
        Price of each seed; empty without prices.
    key : int
    provenance : dict
    """

    seeds: tuple[Any, ...]
    gains: NDArray[np.float64]
    spread: float
    lower: float
    upper: float
    guarantee: float
    eps: float
    delta: float
    n_rr_sets: int
    mean_rr_size: float
    seconds: float
    stopped: str
    method: str
    key: int
    already: float = 0.0
    cost: float = float("nan")
    budget: float = float("nan")
    next_unit: float = float("nan")
    prices: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Proven share of the optimum, lower / upper."""
        return self.lower / self.upper if self.upper > 0 else float("nan")

    @property
    def spread_per_cost(self) -> float:
        """Estimated spread gained per unit of money (NaN without prices)."""
        return (self.spread - self.already) / self.cost if self.cost > 0 else float("nan")

    def __len__(self) -> int:
        return len(self.seeds)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a seed: rank (from 1), node, gain, cumulated spread, and price where there are prices."""
        table = pd.DataFrame(
            {
                "rank": np.arange(1, len(self.seeds) + 1),
                "node": pd.Index(list(self.seeds), tupleize_cols=False),
                "gain": self.gains,
                "spread": self.already + np.cumsum(self.gains),
            }
        )
        return table.assign(price=self.prices) if self.prices.size else table

    def __repr__(self) -> str:
        text = (
            f"Certificate: {len(self.seeds):,} seeds by {self.method}, spread {self.spread:.5g}, at least "
            f"{self.lower:.5g} of an optimum of at most {self.upper:.5g} (ratio {self.ratio:.3f}, delta "
            f"{self.delta:.2g}), {self.n_rr_sets:,} RR sets, stopped by {self.stopped}"
        )
        return text + (f", cost {self.cost:,.6g} of {self.budget:,.6g}" if self.cost == self.cost else "")


# -- the common ground -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """What is asked, checked and in internal numbers."""

    graph: FollowerGraph
    model: Model
    allowed: NDArray[np.bool_]
    taken: NDArray[np.int32]
    weights: NDArray[np.float64] | None
    delta: float
    key: int
    threads: int
    deadline: float
    max_rr_sets: float
    start: float

    def store(self, *purpose: object, stop: NDArray[Any] | None = None) -> RRStore:
        """Return an empty collection that no other purpose shares; sets hit by seeds already taken are empty."""
        stops = self.taken if stop is None else np.concatenate([self.taken, stop])
        return RRStore(self.graph, self.model, derive_key(self.key, "rr", *purpose), weights=self.weights, stop=stops)

    @property
    def total(self) -> float:
        return float(self.graph.n_nodes if self.weights is None else self.weights.sum())

    def worth(self, nodes: NDArray[Any]) -> float:
        """Weight of nodes: their spread is at least this."""
        return float(len(nodes) if self.weights is None else self.weights[nodes].sum())


def make_task(
    graph: FollowerGraph,
    *,
    model: Model | str,
    delta: float | None,
    candidates: Iterable[Any] | None,
    exclude: Iterable[Any],
    taken: Iterable[Any],
    node_weights: Any,
    time_limit: float | None,
    max_rr_sets: int | None,
    rng: RNGLike,
    threads: int | None,
) -> Task:
    start = time.perf_counter()
    delta = 1.0 / max(graph.n_nodes, 2) if delta is None else open_unit(delta, "delta")
    if time_limit is not None and (not is_number(time_limit) or time_limit <= 0):
        raise InputError(f"time_limit={time_limit!r} is no time: give seconds above 0, or None")
    if max_rr_sets is not None and (not is_number(max_rr_sets) or max_rr_sets < 2):
        raise InputError(f"max_rr_sets={max_rr_sets!r} is out of range: give a whole number from 2, or None")
    allowed = permitted(graph, candidates, exclude, taken)
    chosen = graph._internal(seed_labels(graph, taken))
    return Task(
        graph, model_of(model), allowed, chosen, audience(graph, node_weights), delta, key_of(rng), n_threads(threads),
        start + (float("inf") if time_limit is None else float(time_limit)),
        float("inf") if max_rr_sets is None else float(max_rr_sets), start,
    )  # fmt: skip


def permitted(
    graph: FollowerGraph, candidates: Iterable[Any] | None, exclude: Iterable[Any], taken: Iterable[Any]
) -> NDArray[np.bool_]:
    """Return which internal nodes may be chosen: the candidates without those excluded or already taken."""
    allowed = np.ones(graph.n_nodes, np.bool_)
    if candidates is not None:
        allowed[:] = False
        allowed[graph._internal(seed_labels(graph, candidates))] = True
    for away in (exclude, taken):
        allowed[graph._internal(seed_labels(graph, away))] = False
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
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and value == value


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
    next_unit: float = float("nan")


@dataclass(frozen=True)
class State:
    """One look: a choice and its bounds."""

    choice: Choice
    n: int
    hits: NDArray[np.int64]  # of the judging sets, by seed
    empty: int  # judging sets met by what was given beforehand
    lower: float
    upper: float
    spread: float

    @property
    def ratio(self) -> float:
        return self.lower / self.upper if self.upper > 0 else 1.0

    @property
    def reachable(self) -> float:
        """Ratio without any sampling error: what greedy reaches of its own bound."""
        return self.choice.covered / self.choice.bound if self.choice.bound > 0 else 1.0


def judge(task: Task, choice: Choice, choosing: RRStore, judging: RRStore, alpha: float, given: NDArray[Any]) -> State:
    """Bounds that fail with probability at most alpha each: `choosing` bounds the optimum, `judging` the seeds."""
    _, high = binomial_bounds(min(choice.bound, choosing.n), choosing.n, alpha)
    new = choice.seeds[len(given) :]
    hits = judging.covered_in_order(new)[:-1]
    reached = judging.n_empty + int(hits.sum())
    low, _ = binomial_bounds(reached, judging.n, alpha)
    least = task.worth(np.concatenate([task.taken, choice.seeds]))
    lower = max(task.total * low, least)
    spread = task.total * reached / judging.n
    return State(choice, choosing.n, hits, judging.n_empty, lower, max(task.total * high, lower), spread)


@dataclass(frozen=True)
class Schedule:
    """Sizes at which a collection is looked at, first * 2**i, and the failure probability of each bound there."""

    first: int
    last: float  # the size at which the guarantee holds in any case; infinite: none
    delta: float

    def size(self, i: int) -> int:
        return self.first << i

    def alpha(self, i: int) -> float:
        if math.isinf(self.last):
            return self.delta / (2.0 * (i + 1) * (i + 2))  # sums to delta over all looks and both bounds
        return self.delta / (3.0 * max(math.ceil(math.log2(self.last / self.first)), 1))


def search(
    task: Task,
    choosing: RRStore,
    judging: RRStore,
    schedule: Schedule,
    choose: Callable[[RRStore], Choice],
    enough: Callable[[State], str | None],
    target: Callable[[State], float],
    given: NDArray[Any],
    used: int,
    bar: Any,
) -> tuple[State, str]:
    """Double both collections until `enough` names a reason to stop, or time, sets or patience end."""
    state: State | None = None
    i, done = 0, -1
    both = (choosing, judging)
    while True:
        if state is not None and used + 2 * schedule.size(i) > min(task.max_rr_sets, 2 * MOST_SETS):
            return state, "max_rr_sets"
        stopped = None
        try:
            for level in range(done + 1, i + 1):
                # The first look has no deadline, so that there is something to return.
                deadline = task.deadline if state is not None else float("inf")
                if not all(
                    s.extend(schedule.size(level), threads=task.threads, deadline=deadline, bar=bar) for s in both
                ):
                    stopped = "time"
                    break
                done = level
            else:
                state = judge(task, choose(choosing), choosing, judging, schedule.alpha(i), given)
        except KeyboardInterrupt:
            if state is None:
                raise
            stopped = "interrupted"
        if stopped is not None and state is not None:
            if schedule.size(done) > state.n:  # a look that was left out serves now
                for sets in both:
                    sets.truncate(schedule.size(done))
                state = judge(task, choose(choosing), choosing, judging, schedule.alpha(done), given)
            return state, stopped
        assert state is not None
        reason = enough(state)
        if reason is None and schedule.size(i) >= schedule.last:
            reason = "guarantee"
        if reason is None and time.perf_counter() > task.deadline:
            reason = "time"
        if reason is not None:
            return state, reason
        i += 1
        # A look that will hardly succeed is left out, as greedy is run again at each; never two, as small collections
        # foretell badly.
        if (
            schedule.size(i + 1) <= schedule.last
            and used + 2 * schedule.size(i + 1) <= min(task.max_rr_sets, MOST_SETS)
            and _predicted(state, choosing.n, schedule, i) < target(state) - MARGIN
        ):
            i += 1


def _predicted(state: State, n: int, schedule: Schedule, i: int) -> float:
    """Ratio to hope for at look i: that of the choosing sets, which flatter the seeds, with the error of that size."""
    size, alpha = schedule.size(i), schedule.alpha(i)
    reached = min(state.choice.covered / n, 1.0)
    bound = min(state.choice.bound / n, 1.0)
    low, _ = binomial_bounds(reached * size, size, alpha)
    _, high = binomial_bounds(bound * size, size, alpha)
    return low / high


def certificate(
    task: Task, state: State, stopped: str, *, call: str, method: str, eps: float, guarantee: float, used: int,
    choosing: RRStore, gains_given: NDArray[np.float64], facts: dict[str, Any], **more: Any,
) -> Certificate:  # fmt: skip
    seconds = time.perf_counter() - task.start
    seeds = state.choice.seeds
    scale = task.total / state.n
    given = len(gains_given)
    already = more.pop("already", scale * state.empty if given == 0 else 0.0)
    gains = np.concatenate([gains_given, scale * state.hits])
    if given and gains_given.sum() > 0:  # the first seeds are known together: they share by the first phase
        gains[:given] *= (scale * state.empty - already) / gains_given.sum()
    rule = task.graph.probabilities
    record = provenance(
        call,
        key=task.key,
        model=task.model.label,
        probabilities=None if rule is None else rule.label,
        graph=task.graph.fingerprint,
        method=method,
        delta=task.delta,
        n_rr_sets=used,
        stopped=stopped,
        **facts,
    )
    return Certificate(
        seeds=tuple(task.graph._labels_of(seeds).tolist()), gains=gains, spread=state.spread, lower=state.lower,
        upper=state.upper, guarantee=guarantee, eps=eps, delta=task.delta, n_rr_sets=used,
        mean_rr_size=choosing.mean_size, seconds=seconds, stopped=stopped, method=method,
        key=task.key, already=already if task.taken.size else 0.0, provenance=record, **more,
    )  # fmt: skip
