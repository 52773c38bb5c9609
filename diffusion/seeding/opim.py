"""Seeds with a certificate: OPIM-C, HIST and IMM, on RR sets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._random import RNGLike
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ._certificate import Certificate, certificate
from ._rankings import JUDGED, keep_best
from ._search import (
    CONVERGED,
    REACHED,
    Choice,
    Task,
    check_k,
    cut_short,
    is_number,
    judge,
    log_choose,
    make_task,
    schedule_of,
    search,
    targets,
)  # fmt: skip
from .ris import RRStore, binomial_bounds

__all__ = ["imm", "imm_lambda_star", "opim"]

METHODS = ("auto", "opim", "hist")
LARGE_SET = 128.0  # mean RR size from which "auto" chooses HIST, which is then some times faster
SENTINEL_SETS = 8  # times the first size of a search: sets by which sentinels are chosen or not at all
PILOT = 256  # sets by which "auto" chooses
SURE = 100  # sets that a sentinel is the first to cover, at least: those of fewer are better chosen on more sets
MOST_MEMBERS = 2**24  # of whole sets for the sentinels


def _cover(task: Task, sets: RRStore, k: int, given: NDArray[Any]) -> Choice:
    """Greedy on RR sets; the sets that `given` (the first seeds) or the taken seeds hit are empty ones."""
    seeds, gains, best = sets.greedy(task.allowed, k - len(given), k)
    before = sets.n_empty + np.concatenate([[0], np.cumsum(gains)])
    chosen = np.concatenate([given, seeds]).astype(np.int32)
    if len(chosen) < k:  # all sets are covered, or no candidate is in any: followers decide
        chosen = np.concatenate([chosen, _fill(task, chosen, k - len(chosen))])
    return Choice(chosen, float(before[-1]), float((before + best).min()), gains)


def _fill(task: Task, chosen: NDArray[Any], count: int) -> NDArray[np.int32]:
    left = task.allowed.copy()
    left[chosen] = False
    nodes = np.flatnonzero(left)
    order = np.lexsort((task.graph.index.order[nodes], -task.graph.csr.out_degree[nodes]))[:count]
    return nodes[order].astype(np.int32)


def opim(
    graph: FollowerGraph,
    k: int,
    *,
    model: DiffusionModel | str = "ic",
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
    _ranked_on: tuple[FollowerGraph, NDArray[np.int32]] | None = None,
) -> Certificate:
    """Choose k seeds of largest spread, with a certificate.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    k : int
        Number of seeds, from 1 to the number of candidates.
    model : DiffusionModel or {"ic", "lt"}
    eps : float in (0, 1 - 1/e), optional
        Stop when lower / upper >= 1 - 1/e - eps. Default: sample until that holds for 0.1 *and* more RR sets would
        hardly choose better seeds (see Notes).
    delta : float in (0, 1), optional
        Probability with which the certificate may fail; default 1 / n_nodes.
    quality : float in (0, 1), optional
        Instead of `eps`: sample until lower / upper reaches it. The ratio never exceeds what greedy reaches of its own
        upper bound (0.75 to 0.95 on real graphs): once it is 2 % from that, the search ends, stopped by "bound".
    method : {"auto", "opim", "hist"}
        ``"opim"`` is OPIM-C (Tang et al., SIGMOD 2018), ``"hist"`` is HIST (Guo et al., SIGMOD 2020). ``"auto"`` takes
        HIST where the mean of the first 256 RR sets is over 128 members.
    candidates : iterable of labels, optional
        Choose among these only; the optimum is the best set of candidates.
    exclude : iterable of labels
        Never choose these; they still pass content on and count as reached.
    taken : iterable of labels
        Seeds there are already: the k new ones are chosen by what they add, and spread, lower and upper include them.
    node_weights : str, mapping, Series, callable or array-like, optional
        Worth of reaching each node, see `sample_rr_sets`; spread is then in these units.
    time_limit : float, optional
        Seconds after which the best set so far is returned, with its bounds; a few sets are always sampled.
    max_rr_sets : int, optional
        Most RR sets to sample; default 2**25, in at most 2 GiB of memory.
    rng : int, Generator or None
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it, unless time ends the search.

    Returns
    -------
    Certificate
        The seeds of greedy or, where it reaches more, of a ranking (``chosen_by`` says which). Ctrl-C returns the best set so far, stopped by "interrupted"; while nothing has been sampled it is Ctrl-C.

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

    The guarantee permits seeds that reach 3 to 10 % less than the best known, and searches that stop at it return such
    seeds. By default the search goes on until the seeds chosen on either half, judged on the other, lose at most 0.75 %
    to those chosen there; their spread is then within about half of that of what more sets would choose (measured: 0.2 %
    in the mean and at most 0.9 %, in 96 selections of 1 to 200 seeds on graphs of 1,000 to 82,000 nodes).

    Degree, single discount, degree discount and PageRank are judged on the same sets, and the best of the five is kept
    (estimated anew on fresh sets, where it is a ranking). The upper bound holds for any seed set; the failure
    probability of the lower bound is shared out over the five, and their estimates are in ``compared``.

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
    guarantee, error, enough, target = targets(eps, quality)
    task = make_task(
        graph, model=model, delta=delta, candidates=candidates, exclude=exclude, taken=taken, node_weights=node_weights,
        time_limit=time_limit, max_rr_sets=max_rr_sets, rng=rng, threads=threads, judged=JUDGED, ranked_on=_ranked_on,
    )  # fmt: skip
    k = check_k(k, task.allowed)
    converge = CONVERGED if eps is None and quality is None else 0.0
    facts = {"k": k, "eps": None if quality is not None else error, "quality": quality}
    limit = None if quality is not None else error
    none = np.zeros(0, np.int32)
    given, gains, used, cut = none, np.zeros(0), 0, False
    whole = choosing = task.store("choose")
    schedule = schedule_of(task, k, limit, task.delta)
    with progress(total=None, description="RR sets", unit="set") as bar:
        try:
            if method == "auto":
                whole.extend(min(schedule.first, PILOT), threads=task.threads, bar=bar)
                method = "hist" if whole.mean_size > LARGE_SET else "opim"
            if method == "hist":
                schedule = schedule_of(task, k, limit, task.delta / 2.0)
                given, gains, used = _sentinels(task, whole, k, 0.1 if limit is None else limit, bar)
                choosing = task.store("choose", "hist", stop=given)
            judging = task.store("judge", "hist", stop=given) if method == "hist" else task.store("judge")
            cover = lambda sets: _cover(task, sets, k, given)  # noqa: E731
            state, stopped, used = search(
                task, choosing, judging, schedule, cover, enough, target, given, used, bar, converge=converge
            )
        except KeyboardInterrupt:
            cover = lambda sets: _cover(task, sets, k, none)  # noqa: E731
            state, gains, used = cut_short(task, whole, cover, schedule, bar)
            stopped, choosing, cut = "interrupted", whole, True
    kept = None
    try:
        if not cut and (method == "opim" or stopped not in ("time", "interrupted")):
            kept = keep_best(task, state, k, judging, whole)
            if kept.state is not state:
                state, gains = kept.state, np.zeros(0) if kept.gains is None else kept.gains
    except KeyboardInterrupt:
        stopped = "interrupted"
    if method == "hist":
        facts["sentinels"] = len(given)
    return certificate(
        task, state, stopped, call="opim", method="HIST" if method == "hist" else "OPIM-C", eps=error,
        guarantee=guarantee, used=used, choosing=choosing, gains_given=gains, kept=kept,
        already=task.total * whole.n_empty / max(whole.n, 1) if len(gains) else None, facts=facts,
    )  # fmt: skip


def _sentinels(
    task: Task, sets: RRStore, k: int, eps: float, bar: Any
) -> tuple[NDArray[np.int32], NDArray[np.float64], int]:
    """First phase of HIST: seeds that cover enough -> they, their gains, sets used.

    The first b seeds serve when their spread is at least 1 - (1 - 1/k)^b - eps/2 of the bound of the optimum, on the
    sets that chose them and then on others, each of which ends where it meets one of them (after Guo et al. 2020). Where
    that is not found in time, the first seeds that are sure serve if sets are large, and otherwise none do.
    """
    schedule = schedule_of(task, k, eps / 2.0, task.delta / 2.0)
    checked = 0
    i = 0
    while True:
        n, alpha = schedule.size(i), schedule.alpha(i)
        deadline = task.deadline if sets.n else float("inf")
        # Where sets are so large that they are too many members, a share of them must do.
        enough = sets.extend(n, threads=task.threads, deadline=deadline, most=MOST_MEMBERS, bar=bar)
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
            other.extend(n, threads=task.threads, bar=bar)
            checked += other.n
            if last or binomial_bounds(other.n_empty, n, alpha)[0] >= share[b] * upper:
                return seeds[:b], gains[:b].astype(np.float64), checked + sets.n
            b //= 2  # fewer are almost as good at ending the sampling: large sets meet the first ones
        if last:
            return seeds[:0], np.zeros(0), checked + sets.n
        i += 1


def imm_lambda_star(n: int, k: int, *, eps: float, ell: float) -> float:
    """Return lambda* of IMM (Tang, Shi and Xiao, SIGMOD 2015, equation 6): sets needed = lambda* / optimum.

    Examples
    --------
    >>> round(imm_lambda_star(15_233, 50, eps=0.1, ell=1))
    864462053
    """
    log = ell * (math.log(n) + math.log(2.0)) + math.log(2.0)  # of ell (1 + ln 2 / ln n), as the proof asks for
    root = REACHED * math.sqrt(log) + math.sqrt(REACHED * (log_choose(n, k) + log))
    return 2.0 * n * root**2 / eps**2


def imm(
    graph: FollowerGraph,
    k: int,
    *,
    model: DiffusionModel | str = "ic",
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
        ``guarantee`` is what IMM proves; NaN where that needs more than 2**25 RR sets, or 2 GiB of them. `lower` and `upper` come from its sets and as many fresh ones, at
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
    guarantee, eps, _, _ = targets(eps, None)
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
    log = log_choose(n, k) + ell * math.log(n) + math.log(max(math.log2(n), 1.0))
    wanted = (2.0 + 2.0 * wide / 3.0) * log * n / wide**2
    none = np.zeros(0, np.int32)
    least = float(k)
    with progress(total=None, description="RR sets", unit="set") as bar:
        first = task.store("imm", 1)
        stopped = "guarantee"
        for i in range(1, max(int(math.log2(n)), 2)):
            guess = n / 2.0**i
            stopped = stopped if _imm_grow(task, first, wanted / guess, bar) else "max_rr_sets"
            found = n * _cover(task, first, k, none).covered / first.n
            if found >= (1.0 + wide) * guess:
                least = max(found / (1.0 + wide), least)
                break
            if stopped != "guarantee":
                break
        choosing, judging = task.store("imm", 2), task.store("imm", 3)
        for sets in (choosing, judging):
            if not _imm_grow(task, sets, star / least, bar):
                stopped = "max_rr_sets"
        state = judge(task, _cover(task, choosing, k, none), choosing, judging, task.delta / 2.0, none)
    return certificate(
        task, state, stopped, call="imm", method="IMM", eps=eps, guarantee=guarantee,
        used=first.n + choosing.n + judging.n, choosing=choosing, gains_given=np.zeros(0),
        facts={"k": k, "eps": eps, "ell": ell},
    )  # fmt: skip


def _imm_grow(task: Task, sets: RRStore, wanted: float, bar: Any) -> bool:
    """Sample so many sets, or as many as fit; False: fewer."""
    n = math.ceil(min(wanted, task.max_rr_sets))
    return sets.extend(n, threads=task.threads, most=task.max_bytes / 24.0, bar=bar) and n >= wanted
