"""Spending a budget of money with a certificate: knapsack greedy on RR sets."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._random import RNGLike
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import node_values
from ..models.base import DiffusionModel
from ._certificate import Certificate, certificate
from ._rankings import JUDGED, keep_best
from ._search import CONVERGED, Choice, Task, cut_short, is_number, make_task, open_unit, schedule_of, search, targets
from .opim import PILOT
from .ris import MOST_SETS, RRStore
from .selection import NextBuy

__all__ = ["opim_budget"]

MOST_MEMBERS = 2**22  # of the sets of one stage
LARGE_SET = 12.0  # mean RR size from which first seeds are fixed beforehand
STAGES = 12
LEAST = 4096  # sets of a stage, where they are not too many members
HUGE_SET = 200.0  # mean RR size from which forward runs bound the seeds from below
SURE = 24  # sets that a seed fixed beforehand is the first to cover, at least
SHARE = 0.5  # of the budget that may be fixed beforehand
LIMITS = (64, 128, 256, 512, 1024, 2048, 4096)  # members
MISSED = 0.05  # share of the sets with a seed that large ones without one may amount to


def opim_budget(
    graph: FollowerGraph,
    budget: float,
    prices: Any,
    *,
    model: DiffusionModel | str = "ic",
    eps: float | None = None,
    delta: float | None = None,
    quality: float | None = None,
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    taken: Iterable[Any] = (),
    node_weights: Any = None,
    time_limit: float | None = None,
    max_rr_sets: int | None = None,
    rng: RNGLike = None,
    threads: int | None = None,
    _ranked_on: tuple[FollowerGraph, NDArray[np.int32]] | None = None,
) -> Certificate:
    """Choose seeds of largest spread whose prices sum to at most a budget, with a certificate.

    Parameters
    ----------
    budget : float
        Money there is.
    prices : str, mapping, Series, callable or array-like
        Price of each node, from 0: by label, in the order of ``graph.nodes``, as the name of a node attribute, or as a
        function of the number of followers. NaN, or a label left out, is allowed for nodes that are no candidates.
    eps : float in (0, 1), optional
        Stop when sampling error costs at most this share: when lower / upper >= (1 - eps) times the ratio of the greedy
        coverage to its upper bound. Default: 0.1, and until more sets would hardly choose better seeds (see `opim`; to
        about 1 % here).
    quality : float in (0, 1), optional
        Instead of `eps`: sample until lower / upper reaches it, as in `opim`.
    graph, model, delta, candidates, exclude, taken, node_weights, time_limit, max_rr_sets, rng, threads
        As in `opim`. Seeds already taken cost nothing.

    Returns
    -------
    Certificate
        With ``cost``, ``spread_per_cost``, ``prices`` of the seeds, ``next_unit`` and ``next_buy``.

    Raises
    ------
    InputError
        A budget below the cheapest candidate, negative or missing prices, or what `opim` refuses.

    Notes
    -----
    On the sets that choose, greedy by gain per price that skips what no longer fits, or the best single node if that
    covers more, reaches 0.405 of the best affordable coverage (Tang et al. 2021, "Revisiting modified greedy algorithm
    for monotone submodular maximization with a knapsack constraint"; (1 - 1/e)/2 by Khuller, Moss and Naor 1999). What
    is proven for *this* result is lower / upper, usually far more: `upper` bounds every affordable set by the
    fractional knapsack of the marginal gains, the least over prefixes of the greedy order.

    Where RR sets are large, the first seeds, for at most half of the budget, are fixed on few whole sets, and the
    sampling of all others ends as soon as it meets one (after HIST: Guo et al., SIGMOD 2020). The bounds rest on sets
    sampled after that. They hold whatever those seeds are: an optimum that spends the whole budget covers at most what
    the fixed seeds cover and what the whole budget adds to them. Where nearly all sets over some size hold a fixed
    seed, the sampling of the sets that choose ends at that size too, and they count as covered by anyone, which can
    only raise `upper`. Where RR sets have over 200 members on average, `lower` rests on forward runs from the seeds
    (a bound by betting: Waudby-Smith and Ramdas 2024).

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> found = opim_budget(g, 3.0, {0: 2, 4: 1, 1: 3, 2: 3, 3: 3, 5: 3}, rng=7)
    >>> sorted(found.seeds), found.cost
    ([0, 4], 3.0)
    """
    if quality is not None:
        _, error, enough, target = targets(eps, quality)
    else:
        error = open_unit(0.1 if eps is None else eps, "eps")
        target = lambda s: (1.0 - error) * s.reachable  # noqa: E731
        enough = lambda s: "precision" if s.ratio >= target(s) else None  # noqa: E731
    task = make_task(
        graph, model=model, delta=delta, candidates=candidates, exclude=exclude, taken=taken, node_weights=node_weights,
        time_limit=time_limit, max_rr_sets=max_rr_sets, rng=rng, threads=threads, judged=JUDGED, ranked_on=_ranked_on,
    )  # fmt: skip
    price, budget = _checked_prices(task, prices, budget)
    most = int(np.searchsorted(np.cumsum(np.sort(price[task.allowed])), budget * (1 + 1e-12), side="right"))
    none = np.zeros(0, np.int32)
    start, gains, cut, kept = _Start(none, np.zeros(0), 0), np.zeros(0), False, None
    schedule = schedule_of(task, max(most, 1), None, task.delta)
    whole = choosing = task.store("choose")
    with progress(total=None, description="RR sets", unit="set") as bar:
        try:
            whole.extend(min(schedule.first, PILOT), threads=task.threads, bar=bar)
            large = whole.mean_size > LARGE_SET
            if large:
                start = _sentinels(task, whole, price, budget, max(schedule.first, LEAST), bar)
                choosing = task.store("choose", "hist", stop=start.seeds, limit=start.limit)
            by_runs = whole.mean_size > HUGE_SET and task.weights is None
            judging = None if by_runs else task.store("judge", stop=start.seeds if large else None)
            cover = lambda sets: _cover(task, sets, price, budget, start)  # noqa: E731
            state, stopped, used = search(
                task, choosing, judging, schedule, cover, enough, target, start.seeds, start.used, bar,
                converge=2.5 * CONVERGED if eps is None and quality is None else 0.0,
            )  # fmt: skip
            gains = start.gains
            if by_runs:
                gains = np.concatenate([gains, state.choice.gains * (task.total / state.n)])
        except KeyboardInterrupt:
            start = _Start(none, np.zeros(0), 0)
            cover = lambda sets: _cover(task, sets, price, budget, start)  # noqa: E731
            state, gains, used = cut_short(task, whole, cover, schedule, bar)
            stopped, choosing, cut = "interrupted", whole, True
    try:
        if not cut and stopped not in ("time", "interrupted"):
            kept = keep_best(task, state, 0, judging, whole, money=(price, budget))
            if kept.state is not state:
                state, gains = kept.state, np.zeros(0) if kept.gains is None else kept.gains
    except KeyboardInterrupt:
        stopped = "interrupted"
    paid = price[state.choice.seeds]
    cost = float(paid.sum())
    upcoming = _next_buy(task, choosing, state.choice.seeds, price, budget, cost)
    return certificate(
        task, state, stopped, call="opim_budget", method="OPIM budget", eps=error, guarantee=float("nan"),
        used=used, choosing=choosing, gains_given=gains, kept=kept, cost=cost, budget=budget, prices=paid, next_buy=upcoming,
        next_unit=0.0 if upcoming is None else upcoming.gain_per_cost,
        already=task.total * whole.n_empty / max(whole.n, 1) if len(gains) else None,
        facts={
            "budget": budget, "eps": None if quality is not None else error, "quality": quality,
            "sentinels": len(start.seeds), "limit": start.limit if start.limit < MOST_SETS else None,
        },
    )  # fmt: skip


@dataclass(frozen=True)
class _Start:
    """Seeds fixed beforehand, with their gains and the sets used; and how large sets are let grow.

    Sets over `limit` members count as covered by anyone, which keeps the upper bound an upper bound. `missed` is the
    share of sets that are so large and hold none of the seeds.
    """

    seeds: NDArray[np.int32]
    gains: NDArray[np.float64]
    used: int
    limit: int = MOST_SETS
    missed: float = 0.0


def _sentinels(task: Task, whole: RRStore, price: NDArray[np.float64], budget: float, n: int, bar: Any) -> _Start:
    """First seeds of the greedy order that spare the sampling of large sets.

    Each stage samples sets that end where they meet the seeds of the stages before, and adds those seeds that are the
    first of at least SURE of them: for at most SHARE of the budget, and for more where only that lets large sets go.
    """
    given, added = np.zeros(0, np.int32), np.zeros(0)
    sets, used = whole, 0
    for stage in range(STAGES):
        if stage:
            sets = task.store("sentinels", stage, stop=given)
        deadline = task.deadline if stage else float("inf")
        sets.extend(n, threads=task.threads, deadline=deadline, most=MOST_MEMBERS, bar=bar)
        used += sets.n
        if not sets.n or (stage and sets.size <= LARGE_SET * sets.n):
            break
        spent = float(price[given].sum())
        seeds, gains, _, single = sets.knapsack(task.allowed, price, spent, budget)
        if stage == 0 and single >= 0 and sets.counts[single] > gains.sum():
            seeds, gains = np.array([single], np.int32), sets.counts[[single]].astype(np.int64)
        sure = gains >= SURE
        count = _leading(sure & (spent + np.cumsum(price[seeds]) <= SHARE * budget))
        longer = _leading(sure)
        more, worth = seeds[:longer], task.total * gains[:longer] / sets.n
        start = _limited(
            task, np.concatenate([given, more[:count]]), np.concatenate([added, worth[:count]]), whole, used, bar
        )
        if start is None and longer > count:
            start = _limited(task, np.concatenate([given, more]), np.concatenate([added, worth]), whole, used, bar)
        if start is not None:
            return start
        given, added = np.concatenate([given, more[:count]]), np.concatenate([added, worth[:count]])
        used += whole.n
        if count == 0 or time.perf_counter() > task.deadline:
            break
    return _Start(given, added, used)


def _leading(flags: NDArray[np.bool_]) -> int:
    return len(flags) if flags.all() else int(flags.argmin())


def _limited(
    task: Task, given: NDArray[np.int32], added: NDArray[np.float64], whole: RRStore, used: int, bar: Any
) -> _Start | None:
    """Let the sampling end at the smallest size that nearly all sets of it have a seed; None: there is none."""
    if not len(given):
        return None
    check = task.store("sentinels", "check", len(given), stop=given)
    check.extend(whole.n, threads=task.threads, most=MOST_MEMBERS, bar=bar)
    sizes = np.diff(check.offsets[: check.n + 1])
    for limit in LIMITS:
        missed = int((sizes > limit).sum())
        if missed <= MISSED * check.n_empty:
            return _Start(given, added, used + check.n, limit, missed / check.n)
    return None


def _checked_prices(task: Task, prices: Any, budget: Any) -> tuple[NDArray[np.float64], float]:
    price = node_values(task.graph, prices, "prices", missing=float("nan"))
    bad = task.allowed & ~((price >= 0) & np.isfinite(price))
    if bad.any():
        at = task.graph.index.rank[bad[task.graph.index.rank]][:1]  # the first in the order of labels
        label = task.graph.index.labels_of(at).tolist()[0]
        raise InputError(
            f"the price of {label!r} is {price[at[0]]:g} (and {int(bad.sum()) - 1:,} more such): every candidate needs "
            "a finite price from 0"
        )
    if not is_number(budget) or not 0 <= budget <= sys.float_info.max:
        raise InputError(f"budget={budget!r} is no sum of money: give a finite number from 0")
    if not task.allowed.any():
        raise InputError("no candidate is left to choose from")
    cheapest = float(price[task.allowed].min())
    if budget < cheapest:
        raise InputError(f"budget={budget:,.6g} is below the cheapest candidate, {cheapest:,.6g}: no seed can be had")
    return np.where(task.allowed, price, np.inf), float(budget)


def _cover(task: Task, sets: RRStore, price: NDArray[np.float64], budget: float, start: _Start) -> Choice:
    """Greedy by gain per price after the seeds fixed beforehand; the sets that they hit are empty ones."""
    given = start.seeds
    seeds, gains, upper, single = sets.knapsack(task.allowed, price, float(price[given].sum()), budget)
    if not len(given) and single >= 0 and sets.counts[single] > gains.sum():
        seeds, gains = np.array([single], np.int32), sets.counts[[single]].astype(np.int64)
    chosen = np.concatenate([given, seeds]).astype(np.int32)
    covered = sets.n_empty + float(gains.sum()) - start.missed * sets.n
    return Choice(chosen, covered, sets.n_empty + min(upper, sets.n - sets.n_empty), gains)


def _next_buy(
    task: Task, sets: RRStore, seeds: NDArray[np.int32], price: NDArray[np.float64], budget: float, cost: float
) -> NextBuy | None:
    """Of those whom the budget alone could pay, the one that adds most per price to the seeds."""
    gain = sets.open_counts(seeds).astype(np.float64)
    gain[(price > budget) | (gain <= 0)] = -1.0
    gain[seeds] = -1.0
    left = np.flatnonzero(gain > 0)
    if not left.size:
        return None
    with np.errstate(divide="ignore"):
        worth = gain[left] / price[left]
    order = np.lexsort((task.graph.index.order[left], -worth))
    at = int(left[order[0]])
    label = task.graph.index.labels_of(np.array([at])).tolist()[0]
    missing = max(float(price[at]) - (budget - cost), 0.0)
    return NextBuy(label, float(price[at]), task.total * float(gain[at]) / sets.n, missing)
