"""Seeds with a certificate: OPIM-C, HIST, IMM, and greedy under a money budget, all on RR sets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._random import RNGLike
from ..cascades.models import Model
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..kernels.coverage import greedy_cover, knapsack_cover
from ._certificate import (
    Certificate,
    Choice,
    Schedule,
    State,
    Task,
    certificate,
    check_k,
    is_number,
    judge,
    make_task,
    open_unit,
    search,
)  # fmt: skip
from .ris import RRStore, binomial_bounds, node_values

__all__ = ["imm", "imm_lambda_star", "opim", "opim_budget"]

REACHED = 1.0 - 1.0 / math.e  # what greedy reaches of the best coverage (Nemhauser, Wolsey and Fisher 1978)
METHODS = ("auto", "opim", "hist")
LARGE_SET = 12.0  # mean RR size from which "auto" chooses HIST, which is then some times faster
FEW_LEFT = 0.02  # sampling error at which a search ends whose quality the bound of greedy itself forbids
BOUND_EVERY = 10  # prefixes of a long greedy order between two bounds


def _cover(task: Task, sets: RRStore, k: int, given: NDArray[Any]) -> Choice:
    """Greedy on RR sets; the sets that `given` (the first seeds) or the taken seeds hit are empty ones."""
    seeds, gains, best = greedy_cover(sets.nodes, sets.offsets, sets.n, sets.counts, task.allowed, k - len(given), k)
    before = sets.n_empty + np.concatenate([[0], np.cumsum(gains)])
    chosen = np.concatenate([given, seeds]).astype(np.int32)
    if len(chosen) < k:  # all sets are covered, or no candidate is in any: followers decide
        chosen = np.concatenate([chosen, _fill(task, chosen, k - len(chosen))])
    return Choice(chosen, float(before[-1]), float((before + best).min()))


def _fill(task: Task, chosen: NDArray[Any], count: int) -> NDArray[np.int32]:
    left = task.allowed.copy()
    left[chosen] = False
    nodes = np.flatnonzero(left)
    order = np.lexsort((task.graph._arcs.order[nodes], -task.graph._out_degree[nodes]))[:count]
    return nodes[order].astype(np.int32)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _opim_schedule(task: Task, k: int, eps: float | None, delta: float) -> Schedule:
    """First and last size of OPIM-C (Tang et al. 2018, section 5), for weighted nodes by the worth of the best k."""
    pool = int(task.allowed.sum())
    log = math.log(6.0 / delta)
    root = (REACHED * math.sqrt(log) + math.sqrt(REACHED * (_log_choose(pool, k) + log))) ** 2
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


def _targets(
    eps: float | None, quality: float | None
) -> tuple[float, float, Callable[[State], str | None], Callable[[State], float]]:
    """Check eps and quality -> guarantee, eps, reason to stop, ratio aimed at."""
    if quality is not None:
        if eps is not None:
            raise InputError(f"eps={eps!r} and quality={quality!r} are two ways to say when to stop: give one of them")
        wanted = open_unit(quality, "quality")
        return float("nan"), float("nan"), lambda s: _quality(s, wanted), lambda s: min(wanted, _most(s))
    eps = open_unit(0.1 if eps is None else eps, "eps")
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


def opim(
    graph: FollowerGraph,
    k: int,
    *,
    model: Model | str = "ic",
    eps: float | None = None,
    delta: float | None = None,
    quality: float | None = None,
    method: str = "auto",
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    taken: Iterable[Any] = (),
    node_weights: Any = None,
    time_limit: float | None = None,
    max_rr_sets: int | None = None,
    rng: RNGLike = None,
    threads: int | None = None,
) -> Certificate:
    """Choose k seeds of largest spread, with a certificate.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    k : int
        Number of seeds, from 1 to the number of candidates.
    model : Model or {"ic", "lt"}
    eps : float in (0, 1 - 1/e), default 0.1
        Stop when lower / upper >= 1 - 1/e - eps.
    delta : float in (0, 1), optional
        Probability with which the certificate may fail; default 1 / n_nodes.
    quality : float in (0, 1), optional
        Instead of `eps`: sample until lower / upper reaches it. The ratio never exceeds what greedy reaches of its own
        upper bound (0.75 to 0.95 on real graphs): once it is 2 % from that, the search ends, stopped by "bound".
    method : {"auto", "opim", "hist"}
        ``"opim"`` is OPIM-C (Tang et al., SIGMOD 2018), ``"hist"`` is HIST (Guo et al., SIGMOD 2020). ``"auto"`` takes
        HIST where the mean RR set of the first round has over 12 members.
    candidates : iterable of labels, optional
        Choose among these only; the optimum is the best set of candidates.
    exclude : iterable of labels
        Never choose these; they still pass content on and count as reached.
    taken : iterable of labels
        Seeds there are already: the k new ones are chosen by what they add, and spread, lower and upper include them.
    node_weights : str, mapping, Series, callable or array-like, optional
        Worth of reaching each node, see `sample_rr_sets`; spread is then in these units.
    time_limit : float, optional
        Seconds after which the best set so far is returned; the first round is always finished.
    max_rr_sets : int, optional
        Most RR sets to sample.
    rng : int, Generator or None
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it, unless time ends the search.

    Returns
    -------
    Certificate
        Ctrl-C after the first round returns the best set so far, stopped by "interrupted".

    Raises
    ------
    InputError
        A value out of range, k over the number of candidates, weights that are all 0, or a threshold model.
    NotFoundError
        An unknown label, method or attribute.

    Notes
    -----
    One half of the RR sets chooses greedily and bounds the optimum from above, at every prefix of the greedy order by
    the k largest marginal gains (Tang et al. 2018, section 5.2); the other half bounds the chosen set from below. Both
    bounds use exact binomial tails (Clopper and Pearson 1934), which are tighter than the Chernoff forms of the paper
    and hold at the same delta, shared out over all sizes that could be looked at.

    HIST first picks some sentinel seeds on few whole RR sets; the sampling of others ends as soon as it meets one. Its
    bounds rest on sets sampled after the sentinels were fixed, so that they hold whatever the sentinels are.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> found = opim(g.with_probabilities("constant", p=0.5), 2, rng=7)
    >>> sorted(found.seeds), found.lower <= 4 <= found.upper
    ([0, 4], True)
    """
    if method not in METHODS:
        raise NotFoundError(
            f"the method {method!r} is unknown: choose {', '.join(METHODS)}." + did_you_mean(method, METHODS)
        )
    guarantee, error, enough, target = _targets(eps, quality)
    task = make_task(
        graph, model=model, delta=delta, candidates=candidates, exclude=exclude, taken=taken, node_weights=node_weights,
        time_limit=time_limit, max_rr_sets=max_rr_sets, rng=rng, threads=threads,
    )  # fmt: skip
    k = check_k(k, task.allowed)
    facts = {"k": k, "eps": None if quality is not None else error, "quality": quality}
    limit = None if quality is not None else error
    with progress(total=None, description="RR sets", unit="set") as bar:
        choosing = task.store("choose")
        schedule = _opim_schedule(task, k, limit, task.delta)
        if method == "auto":
            choosing.extend(schedule.first, threads=task.threads, bar=bar)
            method = "hist" if choosing.mean_size > LARGE_SET else "opim"
        if method == "opim":
            judging = task.store("judge")
            given = np.zeros(0, np.int32)
            cover = lambda sets: _cover(task, sets, k, given)  # noqa: E731
            state, stopped = search(task, choosing, judging, schedule, cover, enough, target, given, 0, bar)
            return certificate(
                task, state, stopped, call="opim", method="OPIM-C", eps=error, guarantee=guarantee,
                used=choosing.n + judging.n, choosing=choosing, gains_given=np.zeros(0), facts=facts,
            )  # fmt: skip
        given, gains, already, used = _sentinels(task, choosing, k, 0.1 if limit is None else limit, bar)
        choosing, judging = (task.store(purpose, "hist", stop=given) for purpose in ("choose", "judge"))
        schedule = _opim_schedule(task, k, limit, task.delta / 2.0)
        cover = lambda sets: _cover(task, sets, k, given)  # noqa: E731
        state, stopped = search(task, choosing, judging, schedule, cover, enough, target, given, used, bar)
    return certificate(
        task, state, stopped, call="opim", method="HIST", eps=error, guarantee=guarantee,
        used=used + choosing.n + judging.n, choosing=choosing, gains_given=gains, already=already,
        facts=facts | {"sentinels": len(given)},
    )  # fmt: skip


def _sentinels(
    task: Task, sets: RRStore, k: int, eps: float, bar: Any
) -> tuple[NDArray[np.int32], NDArray[np.float64], float, int]:
    """First phase of HIST: seeds that cover enough -> they, their gains, the spread of taken seeds, sets used.

    The first b seeds serve when their spread is at least 1 - (1 - 1/k)^b - eps/2 of the bound of the optimum, on the
    sets that chose them and then on others, each of which ends where it meets one of them (after Guo et al. 2020).
    """
    schedule = _opim_schedule(task, k, eps / 2.0, task.delta / 2.0)
    checked = 0
    i = 0
    while True:
        n, alpha = schedule.size(i), schedule.alpha(i)
        sets.extend(n, threads=task.threads, bar=bar)
        seeds, gains, best = greedy_cover(sets.nodes, sets.offsets, sets.n, sets.counts, task.allowed, k, k)
        covered = sets.n_empty + np.concatenate([[0], np.cumsum(gains)])
        upper = binomial_bounds(min(float((covered + best).min()), n), n, alpha)[1]
        share = 1.0 - (1.0 - 1.0 / k) ** np.arange(len(covered)) - eps / 2.0
        good = [b for b in range(1, len(covered)) if binomial_bounds(covered[b], n, alpha)[0] >= share[b] * upper]
        b = max(good, default=0)
        last = n >= schedule.last or time.perf_counter() > task.deadline or checked + 4 * n > task.max_rr_sets
        while b:
            other = task.store("sentinels", i, b, stop=seeds[:b])
            other.extend(n, threads=task.threads, bar=bar)
            checked += other.n
            if last or binomial_bounds(other.n_empty, n, alpha)[0] >= share[b] * upper:
                return seeds[:b], gains[:b].astype(np.float64), task.total * sets.n_empty / n, checked + sets.n
            b //= 2  # fewer are almost as good at ending the sampling: large sets meet the first ones
        if last:
            return seeds[:0], np.zeros(0), task.total * sets.n_empty / n, checked + sets.n
        i += 1


def imm_lambda_star(n: int, k: int, *, eps: float, ell: float) -> float:
    """Return lambda* of IMM (Tang, Shi and Xiao, SIGMOD 2015, equation 6): sets needed = lambda* / optimum.

    Examples
    --------
    >>> round(imm_lambda_star(15_233, 50, eps=0.1, ell=1))
    864462053
    """
    log = ell * (math.log(n) + math.log(2.0)) + math.log(2.0)  # of ell (1 + ln 2 / ln n), as the proof asks for
    root = REACHED * math.sqrt(log) + math.sqrt(REACHED * (_log_choose(n, k) + log))
    return 2.0 * n * root**2 / eps**2


def imm(
    graph: FollowerGraph,
    k: int,
    *,
    model: Model | str = "ic",
    eps: float = 0.1,
    ell: float = 1.0,
    rng: RNGLike = None,
    threads: int | None = None,
) -> Certificate:
    """Choose k seeds by IMM (Tang, Shi and Xiao, SIGMOD 2015), the classic; `opim` needs far fewer RR sets.

    Parameters
    ----------
    graph, k, model, rng, threads
        As in `opim`.
    eps : float in (0, 1 - 1/e)
        The seeds reach 1 - 1/e - eps of the optimum ...
    ell : float above 0
        ... with probability at least 1 - n^-ell.

    Returns
    -------
    Certificate
        ``guarantee`` is what IMM proves. `lower` and `upper` come from its sets and as many fresh ones, at
        ``delta = n**-ell``.

    Notes
    -----
    The second phase samples anew: with the sets of the first, as published, the proof has a gap (Chen 2018).

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> imm(g.with_probabilities("constant", p=0.5), 1, eps=0.3, rng=7).seeds
    (0,)
    """
    guarantee, eps, _, _ = _targets(eps, None)
    if not is_number(ell) or ell <= 0:
        raise InputError(f"ell={ell!r} is out of range: give a number above 0; the failure probability is n^-ell")
    n = max(graph.n_nodes, 2)
    task = make_task(
        graph, model=model, delta=n ** -float(ell), candidates=None, exclude=(), taken=(), node_weights=None,
        time_limit=None, max_rr_sets=None, rng=rng, threads=threads,
    )  # fmt: skip
    k = check_k(k, task.allowed)
    star = imm_lambda_star(n, k, eps=eps, ell=ell)
    ell = ell * (1.0 + math.log(2.0) / math.log(n))
    wide = math.sqrt(2.0) * eps
    log = _log_choose(n, k) + ell * math.log(n) + math.log(max(math.log2(n), 1.0))
    wanted = (2.0 + 2.0 * wide / 3.0) * log * n / wide**2
    none = np.zeros(0, np.int32)
    least = float(k)
    with progress(total=None, description="RR sets", unit="set") as bar:
        first = task.store("imm", 1)
        for i in range(1, max(int(math.log2(n)), 2)):
            guess = n / 2.0**i
            first.extend(math.ceil(wanted / guess), threads=task.threads, bar=bar)
            found = n * _cover(task, first, k, none).covered / first.n
            if found >= (1.0 + wide) * guess:
                least = max(found / (1.0 + wide), least)
                break
        choosing, judging = task.store("imm", 2), task.store("imm", 3)
        for sets in (choosing, judging):
            sets.extend(math.ceil(star / least), threads=task.threads, bar=bar)
        state = judge(task, _cover(task, choosing, k, none), choosing, judging, task.delta / 2.0, none)
    return certificate(
        task, state, "guarantee", call="imm", method="IMM", eps=eps, guarantee=guarantee,
        used=first.n + choosing.n + judging.n, choosing=choosing, gains_given=np.zeros(0),
        facts={"k": k, "eps": eps, "ell": ell},
    )  # fmt: skip


def opim_budget(
    graph: FollowerGraph,
    budget: float,
    prices: Any,
    *,
    model: Model | str = "ic",
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
) -> Certificate:
    """Choose seeds of largest spread whose prices sum to at most a budget, with a certificate.

    Parameters
    ----------
    budget : float
        Money there is.
    prices : str, mapping, Series, callable or array-like
        Price of each node, from 0: by label, in the order of ``graph.nodes``, as the name of a node attribute, or as a
        function of the number of followers. NaN, or a label left out, is allowed for nodes that are no candidates.
    eps : float in (0, 1), default 0.1
        Stop when sampling error costs at most this share: when lower / upper >= (1 - eps) times the ratio of the greedy
        coverage to its upper bound.
    quality : float in (0, 1), optional
        Instead of `eps`: sample until lower / upper reaches it, as in `opim`.
    graph, model, delta, candidates, exclude, taken, node_weights, time_limit, max_rr_sets, rng, threads
        As in `opim`. Seeds already taken cost nothing.

    Returns
    -------
    Certificate
        With ``cost``, ``spread_per_cost``, ``prices`` of the seeds and ``next_unit``.

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
        _, error, enough, target = _targets(eps, quality)
    else:
        error = open_unit(0.1 if eps is None else eps, "eps")
        target = lambda s: (1.0 - error) * s.reachable  # noqa: E731
        enough = lambda s: "precision" if s.ratio >= target(s) else None  # noqa: E731
    task = make_task(
        graph, model=model, delta=delta, candidates=candidates, exclude=exclude, taken=taken, node_weights=node_weights,
        time_limit=time_limit, max_rr_sets=max_rr_sets, rng=rng, threads=threads,
    )  # fmt: skip
    price, budget = _checked_prices(task, prices, budget)
    most = int(np.searchsorted(np.cumsum(np.sort(price[task.allowed])), budget * (1 + 1e-12), side="right"))
    none = np.zeros(0, np.int32)
    with progress(total=None, description="RR sets", unit="set") as bar:
        choosing, judging = task.store("choose"), task.store("judge")
        schedule = _opim_schedule(task, max(most, 1), None, task.delta)
        cover = lambda sets: _cover_priced(task, sets, price, budget)  # noqa: E731
        state, stopped = search(task, choosing, judging, schedule, cover, enough, target, none, 0, bar)
    paid = price[state.choice.seeds]
    return certificate(
        task, state, stopped, call="opim_budget", method="OPIM budget", eps=error, guarantee=float("nan"),
        used=choosing.n + judging.n, choosing=choosing, gains_given=np.zeros(0), cost=float(paid.sum()), budget=budget,
        next_unit=task.total * state.choice.next_unit / state.n, prices=paid,
        facts={"budget": budget, "eps": None if quality is not None else error, "quality": quality},
    )  # fmt: skip


def _checked_prices(task: Task, prices: Any, budget: Any) -> tuple[NDArray[np.float64], float]:
    price = node_values(task.graph, prices, "prices", missing=float("nan"))
    bad = task.allowed & ~((price >= 0) & np.isfinite(price))
    if bad.any():
        at = task.graph._rank[bad[task.graph._rank]][:1]  # the first in the order of labels
        label = task.graph._labels_of(at).tolist()[0]
        raise InputError(
            f"the price of {label!r} is {price[at[0]]:g} (and {int(bad.sum()) - 1:,} more such): every candidate needs "
            "a finite price from 0"
        )
    if not is_number(budget) or not math.isfinite(budget) or budget < 0:
        raise InputError(f"budget={budget!r} is no sum of money: give a finite number from 0")
    if not task.allowed.any():
        raise InputError("no candidate is left to choose from")
    cheapest = float(price[task.allowed].min())
    if budget < cheapest:
        raise InputError(f"budget={budget:,.6g} is below the cheapest candidate, {cheapest:,.6g}: no seed can be had")
    return np.where(task.allowed, price, np.inf), float(budget)


def _cover_priced(task: Task, sets: RRStore, price: NDArray[np.float64], budget: float) -> Choice:
    seeds, gains, upper, single, after = knapsack_cover(
        sets.nodes, sets.offsets, sets.n, sets.counts, task.allowed, price, budget, BOUND_EVERY
    )
    covered = float(gains.sum())
    if single >= 0 and sets.counts[single] > covered:
        seeds, covered = np.array([single], np.int32), float(sets.counts[single])
    return Choice(seeds, sets.n_empty + covered, sets.n_empty + min(upper, sets.n - sets.n_empty), float(after))
