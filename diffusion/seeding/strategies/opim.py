"""OPIM-C and HIST: seeds with a certificate, on RR sets, for a number of seeds, for money, and under quotas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..._progress import progress
from ...errors import InputError
from ..certificate import binomial_bounds
from ..constraints import Budget, Quotas
from ..judged import JUDGED, keep_best
from ..problem import SelectionProblem, is_number, open_unit
from ..rr_store import RRStore
from ..search import (
    REACHED,
    Choice,
    Judged,
    Prepared,
    Schedule,
    StopRule,
    cut_short,
    schedule_of,
    search,
    selection_of,
    stop_rule,
)
from ..selection import Purchase, SeedSelection
from ..task import NOBODY, Task
from .base import Strategy
from .rankings import by_followers

__all__ = ["HIST", "OPIM", "Cover", "cover_of_number"]

EPS = 0.1  # of the guarantee, or of the sampling error, where nothing else is asked
CONVERGED = 0.0075  # what the seeds of either half may lose to those of the other on its sets; about twice their loss
LARGE_SET = 128.0  # mean RR size from which OPIM goes on as HIST, which is then some times faster
SENTINEL_SETS = 8  # times the first size of a search: sets by which sentinels are chosen or not at all
PILOT = 256  # sets by which that is decided
SURE = 100  # sets that a sentinel is the first to cover, at least: those of fewer are better chosen on more sets
MOST_MEMBERS = 2**24  # of whole sets for the sentinels


@dataclass(frozen=True)
class OPIM(Strategy):
    """Greedy on reverse-reachable sets with a certificate (OPIM-C, Tang et al. 2018; HIST, Guo et al. 2020).

    Half of the sets choose seeds of largest spread, and the other half judges them. For models with live edges. Serves a number of seeds, a budget of money, and quotas.

    Parameters
    ----------
    eps : float in (0, 1), optional
        Of k seeds: stop when lower / upper >= 1 - 1/e - eps. Of money and quotas: stop when sampling error costs at
        most this share, when lower / upper >= (1 - eps) times the ratio of the greedy coverage to its upper bound.
        Default: sample until that holds for 0.1 *and* more RR sets would hardly choose better seeds (see Notes).
    delta : float in (0, 1), optional
        Probability with which the certificate may fail; default 1 over the nodes of the live-edge graph.
    quality : float in (0, 1), optional
        Instead of `eps`: sample until lower / upper reaches it. The ratio never exceeds what greedy reaches of its own
        upper bound (0.75 to 0.95 on real graphs): once it is 2 % from that, the search ends, stopped by "bound".
    max_rr_sets : int, optional
        Most RR sets to sample: a limit that does not depend on the machine. Default 2**25, in at most 2 GiB of memory.
    hist : bool, optional
        Fix sentinels first, as HIST does; default: where the mean of the first 256 RR sets is over 128 members.

    Notes
    -----
    One half of the RR sets chooses greedily and bounds the optimum from above, at every prefix of the greedy order by
    the k largest marginal gains (Tang et al. 2018, section 5.2); the other half bounds the chosen set from below. Both
    bounds use exact binomial tails (Clopper and Pearson 1934), which are tighter than the Chernoff forms of the paper
    and hold at the same delta, shared out over all sizes that could be looked at.

    The guarantee permits seeds that reach 3 to 10 % less than the best known, and searches that stop at it return such
    seeds. By default the search goes on until the seeds chosen on either half, judged on the other, lose at most 0.75
    % to those chosen there; their spread is then within about half of that of what more sets would choose (measured:
    0.2 % in the mean and at most 0.9 %, in 96 selections of 1 to 200 seeds on graphs of 1,000 to 82,000 nodes).

    Degree, single discount, degree discount and PageRank (for money and quotas degree and PageRank) are judged on the
    same sets, and the best is kept (estimated anew on fresh sets, where it is a ranking): `chosen_by` says which. The
    upper bound holds for any seed set; the failure probability of the lower bound is shared out over all of them, and
    their estimates are in `compared`.

    HIST first picks some sentinel seeds on few whole RR sets; the sampling of others ends as soon as it meets one. Its
    bounds rest on sets sampled after the sentinels were fixed, so that they hold whatever the sentinels are. For money
    and quotas see `diffusion.seeding.strategies.knapsack` and `diffusion.seeding.strategies.matroid`.

    Ctrl-C and time return the best set so far, with its bounds; while nothing has been sampled Ctrl-C is Ctrl-C.

    References
    ----------
    Tang, Tang, Xiao and Yuan (2018), "Online processing algorithms for influence maximization", SIGMOD.
    Guo, Wang, Wei and Chen (2020), "Influence maximization revisited: efficient reverse reachable set generation with
    bound tightened", SIGMOD.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> found = dif.select_seeds(g, 2, method=OPIM(quality=0.5), rng=7)
    >>> sorted(found.seeds), found.lower <= 4 <= found.upper
    ([0, 4], True)
    """

    eps: float | None = None
    delta: float | None = None
    quality: float | None = None
    max_rr_sets: float | None = None
    hist: bool | None = None
    name = "opim"
    supports = frozenset({"budget", "quotas", "candidates", "exclude", "existing", "node_weights", "time_limit"})
    certified = True

    def __post_init__(self) -> None:
        if self.eps is not None and self.quality is not None:
            raise InputError(
                f"eps={self.eps!r} and quality={self.quality!r} are two ways to say when to stop: give one of them"
            )
        for name in ("eps", "delta", "quality"):
            if getattr(self, name) is not None:
                open_unit(getattr(self, name), name)
        if self.max_rr_sets is not None and (not is_number(self.max_rr_sets) or self.max_rr_sets < 2):
            raise InputError(f"max_rr_sets={self.max_rr_sets!r} is out of range: give a whole number from 2, or None")

    @property
    def limit(self) -> float | None:
        """`eps` by default too; None where a quality is asked for."""
        if self.quality is not None:
            return None
        return EPS if self.eps is None else float(self.eps)

    def rule(self, cover: type[Cover]) -> StopRule:
        """When a search with this cover ends."""
        if cover.guaranteed and self.eps is not None and self.eps >= REACHED:
            raise InputError(f"eps={self.eps!r} leaves no guarantee: give a number below 1 - 1/e = {REACHED:.4f}")
        converge = cover.converge if self.eps is None and self.quality is None else 0.0
        return stop_rule(self.limit or EPS, self.quality, guarantee=cover.guaranteed, converge=converge)

    def choose(self, problem: SelectionProblem) -> SeedSelection:
        from .knapsack import KnapsackCover
        from .matroid import MatroidCover

        constraint = problem.constraint
        purpose = "quotas" if isinstance(constraint, Quotas) else "rr"
        task = Task.of(problem, delta=self.delta, max_rr_sets=self.max_rr_sets, judged=JUDGED, purpose=purpose)
        if isinstance(constraint, Budget):
            return _certify(task, KnapsackCover(task, self))
        return _certify(task, MatroidCover(task, self) if isinstance(constraint, Quotas) else NumberCover(task, self))


@dataclass(frozen=True)
class HIST(OPIM):
    """OPIM with sentinels first, which pays where RR sets are large (Guo et al. 2020).

    Parameters
    ----------
    eps, delta, quality, max_rr_sets
        As for `OPIM`.

    Attributes
    ----------
    hist : bool
        True.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> dif.select_seeds(g, 1, method=HIST(eps=0.2), rng=7).seeds
    (0,)
    """

    hist: bool | None = field(default=True, init=False)
    name = "hist"
    supports = OPIM.supports - {"quotas"}


class Cover(ABC):
    """How greedy covers RR sets under a constraint."""

    method: str
    guaranteed: ClassVar[bool] = False  # greedy reaches 1 - 1/e of the best coverage
    converge: ClassVar[float] = CONVERGED
    guarantee: str | None = None  # in words, where it is another

    def __init__(self, task: Task, strategy: OPIM) -> None:
        self.task = task
        self.strategy = strategy
        self.schedule = self.first_schedule()

    @abstractmethod
    def first_schedule(self) -> Schedule:
        """Return the sizes at which collections are looked at, while no seeds are fixed."""

    @abstractmethod
    def choose(self, sets: RRStore, fixed: NDArray[np.int32]) -> Choice:
        """Choose seeds on RR sets after those that are fixed."""

    def prepare(self, whole: RRStore, bar: Any) -> Prepared:
        """Fix first seeds, if that helps, and return what the search runs on."""
        return Prepared(whole, self.task.store("judge"), self.schedule)

    def purchase(self, selection: RRStore, seeds: NDArray[np.int32]) -> Purchase:
        """Return what was paid."""
        return Purchase()


def _certify(task: Task, cover: Cover) -> SeedSelection:
    """Prepare, search, judge rankings beside the seeds; Ctrl-C ends it with what there is."""
    rule = cover.strategy.rule(type(cover))
    whole = task.store("choose")
    ready, cheap = Prepared(whole, None, cover.schedule), False
    with progress(total=None, description="RR sets", unit="set") as bar:
        try:
            ready = cover.prepare(whole, bar)
            fixed, validation = ready.fixed, ready.validation
            state, stopped, used = search(task, ready, lambda sets: cover.choose(sets, fixed), rule, bar)
            gains = ready.gains
            if validation is None:
                gains = np.concatenate([gains, state.choice.gains * (task.total / state.n)])
            else:
                cheap = validation.stops_at(task.existing)
        except KeyboardInterrupt:
            ready = Prepared(whole, None, cover.schedule, facts={"sentinels": 0})
            state, gains, used = cut_short(task, whole, lambda sets: cover.choose(sets, NOBODY), cover.schedule, bar)
            stopped, cheap = "cut short", False
    chosen_by, compared = "greedy", {}
    try:
        if cheap or stopped not in ("time", "interrupted", "cut short"):
            kept = keep_best(task, state, ready.validation, whole)
            chosen_by, compared = kept.name, kept.spreads
            if kept.state is not state:
                state, gains = kept.state, np.zeros(0) if kept.gains is None else kept.gains
    except KeyboardInterrupt:
        stopped = "interrupted"
    stopped = "interrupted" if stopped == "cut short" else stopped
    facts = {
        "k": task.problem.constraint.k,
        "eps": cover.strategy.limit,
        "quality": cover.strategy.quality,
        **ready.facts,
    }
    judged = Judged(chosen_by, compared, gains, task.total * whole.n_empty / max(whole.n, 1) if len(gains) else None)
    purchase = cover.purchase(ready.selection, state.choice.seeds)
    words: dict[str, Any] = {"method": cover.method, "guarantee": cover.guarantee, "purchase": purchase}
    return selection_of(task, state, stopped, rule, used, ready.selection, judged, facts, **words)


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
            hist = whole.mean_size > LARGE_SET
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
