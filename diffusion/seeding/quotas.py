"""Seeds under quotas: at most, or at least, so many of each community."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._provenance import provenance
from .._random import RNGLike, derive_key, key_of
from .._threads import n_threads
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..graph.node_weights import reach_weights
from ..kernels.quotas import Quotas, quota_cover
from ..models.base import DiffusionModel
from ..models.registry import model_of
from ..simulation.runner import seed_labels
from ._certificate import check_k, is_number, open_unit, permitted
from ._groups import Groups, groups_of
from ._search import DEFAULT_BYTES, DEFAULT_SETS
from .ris import MOST_SETS, RRStore, binomial_bounds
from .selection import SeedSelection

__all__ = ["by_followers", "select_with_quotas"]

FIRST = 2048  # RR sets of the first look, in each half
LOOKS = 16  # prefixes of the greedy order at which the optimum is bounded
GUARANTEE = (
    "at least half of the best that the quotas permit, less the sampling error (greedy over a matroid: Fisher, Nemhauser "
    "and Wolsey 1978)"
)


def select_with_quotas(
    graph: FollowerGraph,
    k: int,
    *,
    at_most: int | Mapping[Any, int] | None = None,
    at_least: int | Mapping[Any, int] | None = None,
    communities: Any = None,
    model: DiffusionModel | str = "ic",
    eps: float = 0.05,
    delta: float | None = None,
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    taken: Iterable[Any] = (),
    node_weights: Any = None,
    time_limit: float | None = None,
    max_rr_sets: int | None = None,
    rng: RNGLike = None,
    threads: int | None = None,
) -> SeedSelection:
    """Choose k seeds of large spread, so many of each community, with a certificate.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    k : int
        Number of seeds, from 1.
    at_most, at_least : int from 0, or mapping of community to int, optional
        Quota of every community, or of those named (the others are free). Give one of the two or both.
    communities : optional
        The community of each node: None for the node attribute ``community``, the name of another, a Series or mapping by
        label, values in the order of ``graph.nodes``, or a partition. Nodes without one count toward no quota.
    model : DiffusionModel or {"ic", "lt"}
    eps : float in (0, 1)
        Sample until the sampling error takes at most this share off the ratio of the bounds.
    delta : float in (0, 1), optional
        Probability with which the certificate may fail; default 1 / n_nodes.
    candidates, exclude, taken, node_weights
        As in ``select_seeds``; quotas count the new seeds, not those taken already.
    time_limit : float, optional
        Seconds after which the best set so far is returned; the first look is always finished.
    max_rr_sets : int, optional
        Most RR sets to sample; default 2**25, in at most 2 GiB of memory.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it, unless time ends the search.

    Returns
    -------
    SeedSelection
        `lower` bounds the spread of the seeds from below, `upper` that of every seed set *that the quotas permit* from
        above; `stopped` is "precision", "time", "max_rr_sets", "memory" or "interrupted".

    Raises
    ------
    InputError
        Quotas that cannot be met together, or a value out of range.
    NotFoundError
        An unknown label, attribute or community.

    Notes
    -----
    Sets that can be completed to k seeds within both quotas are a matroid (for upper quotas alone a partition matroid;
    with lower ones see El Halabi et al. 2020, section 3), over which greedy reaches at least half of the best coverage
    (Fisher, Nemhauser and Wolsey 1978). What is proven of the seeds found, lower / upper, is mostly far more: after each
    prefix of the greedy order the best permitted set covers at most what is covered already plus the largest sum of
    marginal gains within the quotas. Both bounds use exact binomial tails on separate collections of RR sets; delta is
    shared out over all looks.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4, 6], [1, 2, 3, 5, 1, 7], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5).with_node_data(community=list("aaaaaabb"))
    >>> found = select_with_quotas(g, 2, at_most=1, rng=7)
    >>> sorted(found.seeds), found.lower <= 4.0 <= found.upper
    ([0, 6], True)
    """
    check_graph(graph)
    begin = time.perf_counter()
    if at_most is None and at_least is None:
        raise InputError("give at_most= or at_least=: without quotas use select_seeds")
    chosen_model = model_of(model)
    eps = open_unit(eps, "eps")
    delta = 1.0 / max(graph.n_nodes, 2) if delta is None else open_unit(delta, "delta")
    if time_limit is not None and (not is_number(time_limit) or time_limit <= 0):
        raise InputError(f"time_limit={time_limit!r} is no time: give seconds above 0, or None")
    if max_rr_sets is not None and (not is_number(max_rr_sets) or max_rr_sets < 2):
        raise InputError(f"max_rr_sets={max_rr_sets!r} is out of range: give a whole number from 2, or None")
    groups = groups_of(graph, communities)
    allowed = permitted(graph, candidates, exclude, taken)
    k = check_k(k, allowed)
    least, most = _quotas(groups, allowed, k, at_least, at_most)
    before = graph.index.internal(seed_labels(graph, taken))
    weights = reach_weights(graph, node_weights)
    key, workers = key_of(rng), n_threads(threads)
    choosing, judging = (
        RRStore(graph, chosen_model, derive_key(key, "quotas", purpose), weights=weights, stop=before)
        for purpose in ("choose", "judge")
    )
    place = by_followers(graph)
    deadline = float("inf") if time_limit is None else begin + float(time_limit)
    limit = min(float(DEFAULT_SETS if max_rr_sets is None else max_rr_sets), 2.0 * MOST_SETS)
    room = float(DEFAULT_BYTES) if max_rr_sets is None else float("inf")
    size, look, stopped = min(FIRST, int(limit // 2)), 0, ""
    state: tuple[Any, ...] | None = None
    with progress(total=None, description="RR sets", unit="set") as bar:
        while not stopped:
            try:
                until = float("inf") if state is None else deadline
                if not all(sets.extend(size, threads=workers, deadline=until, bar=bar) for sets in (choosing, judging)):
                    stopped = "time"
                    break
                alpha = delta / (2.0 * (look + 1) * (look + 2))  # sums to delta over all looks and both bounds
                seeds, gains, bound = quota_cover(
                    choosing.sets, allowed, Quotas(groups.code, most, least), place, k, LOOKS
                )
                covered, best = choosing.n_empty + int(gains.sum()), choosing.n_empty + int(bound)
                hits = judging.covered_in_order(seeds)[:-1]
                reached = judging.n_empty + int(hits.sum())
                low = binomial_bounds(reached, judging.n, alpha)[0] * choosing.total
                high = binomial_bounds(min(best, choosing.n), choosing.n, alpha)[1] * choosing.total
                sure = np.concatenate([before, seeds])
                low = max(low, float(len(sure) if weights is None else weights[sure].sum()))
                high = max(high, low)
                state = seeds, hits * (choosing.total / size), low, high, size
            except KeyboardInterrupt:
                if state is None:
                    raise
                stopped = "interrupted"
                break
            if low >= (1.0 - eps) * (covered / best if best else 1.0) * high:
                stopped = "precision"
            elif time.perf_counter() > deadline:
                stopped = "time"
            elif 4 * size > limit:
                stopped = "max_rr_sets"
            elif choosing.bytes_at(2 * size) + judging.bytes_at(2 * size) > room:
                stopped = "memory"
            size, look = 2 * size, look + 1
    assert state is not None
    seeds, new, low, high, n = state
    rule = graph.probabilities
    record = provenance(
        "select_with_quotas", key=key, model=chosen_model.label, graph=graph.fingerprint, k=k, eps=eps, delta=delta,
        probabilities=None if rule is None else rule.label, n_rr_sets=2 * n, stopped=stopped,
        communities=len(groups), at_most=_plain(at_most), at_least=_plain(at_least),
    )  # fmt: skip
    return SeedSelection(
        seeds=tuple(graph.index.labels_of(seeds).tolist()), method="quotas", scores=new, gains=new,
        seconds=time.perf_counter() - begin, key=key, lower=float(low), upper=float(high), eps=eps, delta=delta,
        guarantee=GUARANTEE, n_rr_sets=2 * n, mean_rr_size=choosing.mean_size, stopped=stopped, provenance=record,
    )  # fmt: skip


def by_followers(graph: FollowerGraph) -> NDArray[np.int32]:
    """Internal nodes, most followers first, ties in the order of labels: who goes first where gains are equal."""
    return np.lexsort((graph.index.order, -graph.csr.out_degree)).astype(np.int32)


def _plain(quota: int | Mapping[Any, int] | None) -> Any:
    if isinstance(quota, Mapping):
        return {str(name): int(value) for name, value in quota.items()}
    return None if quota is None else int(quota)


def _quotas(
    groups: Groups, allowed: NDArray[np.bool_], k: int, at_least: Any, at_most: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lower and upper quota of each community, such that k seeds can meet them all."""
    there = groups.sizes(allowed)
    least = _numbers(groups, at_least, "at_least", 0)
    most = _numbers(groups, at_most, "at_most", k)
    for g, name in enumerate(groups.names):
        if least[g] > most[g]:
            raise InputError(
                f"the community {name!r} shall have at least {least[g]:,} and at most {most[g]:,} seeds: lower "
                "at_least= or raise at_most="
            )
        if least[g] > there[g]:
            raise InputError(
                f"the community {name!r} shall have at least {least[g]:,} seeds, and has {there[g]:,} candidates: lower "
                "its quota"
            )
    if least.sum() > k:
        raise InputError(
            f"the communities shall have at least {least.sum():,} seeds in all, and k={k:,}: raise k or lower at_least="
        )
    free = int((allowed & (groups.code < 0)).sum())
    room = int(np.minimum(most, there).sum()) + free
    if room < k:
        raise InputError(
            f"the quotas leave room for {room:,} seeds, and k={k:,}: lower k or raise at_most="
            + (f" (of them {free:,} belong to no community)" if free else "")
        )
    return least, np.minimum(most, k)


def _numbers(groups: Groups, given: Any, what: str, default: int) -> NDArray[np.int64]:
    if given is None:
        return np.full(len(groups), default, np.int64)
    if not isinstance(given, Mapping):
        return np.full(len(groups), _count(given, what), np.int64)
    values = np.full(len(groups), default, np.int64)
    at = {name: g for g, name in enumerate(groups.names)}
    for name, value in given.items():
        if name not in at:
            raise NotFoundError(
                f"{what} names the community {name!r}, which the graph does not have." + did_you_mean(name, at)
            )
        values[at[name]] = _count(value, f"{what} of {name!r}")
    return values


def _count(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise InputError(f"{what}={value!r} is no quota: give a whole number from 0")
    return int(value)
