"""RR sets in time: for models in which a node must become active by a deadline, or while its neighbour is infectious."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from ..graph.follower_graph import FollowerGraph, Probabilities
from ..kernels.continuous import LARGEST, UNSEEN
from ..kernels.heap import new_heap
from ..kernels.rr_sets import PLAN, plan_ic, sample_ic, sort_mixed
from ..kernels.rr_sets import Plan as KernelPlan
from ..kernels.timed_rr import InPlan, Marks, Timing, fill_bounds, sample_timed
from ..kernels.waiting import FIXED, GEOMETRIC, Wait
from .base import RRSampler
from .waiting import Fixed, WaitingTime, distribution

__all__ = ["TimedSampler", "arrival", "limit_of", "scaled", "timed_sampler"]

SLACK = 1e-9  # relative: a sum of delays that should end at the deadline does
_EVERY_ARC = np.ones(1, np.float32)


def limit_of(deadline: float | None) -> float:
    """Time up to which events count: the deadline with a slack for rounding, or the largest number without one."""
    return LARGEST if deadline is None or math.isinf(deadline) else float(deadline) * (1.0 + SLACK)


def _invertible(wait: Wait) -> bool:
    """Is a waiting time a function of one number that rises with it?"""
    return bool(wait.kind <= GEOMETRIC)


def _comes(wait: Wait) -> bool:
    """Is every waiting time finite?"""
    return bool((wait.scale > 0).all() if wait.kind == GEOMETRIC else np.isfinite(wait.scale).all())


def uniform_bounds(wait: Wait, graph: FollowerGraph, most: NDArray[np.float64]) -> NDArray[np.float64]:
    """Uniform number up to which the delay of each arc is at most ``most[source]``, 1 where any is.

    Parameters
    ----------
    wait : Wait
        Of the arcs; a function of one number.
    graph : FollowerGraph
    most : ndarray of float64, shape (n_nodes,) or (1,)

    Returns
    -------
    ndarray of float64, shape (n_edges,) or (1,)
    """
    same = wait.scale.size <= 1 and most.size == 1
    bound = np.ones(1 if same or not graph.n_edges else graph.n_edges)
    if graph.n_edges:
        fill_bounds(wait, graph.csr.indptr, most, bound)
    return constant(bound)


def arrival(wait: Wait, graph: FollowerGraph, limit: float) -> NDArray[np.float64]:
    """Probability that the delay of an arc is at most `limit`.

    Parameters
    ----------
    wait : Wait
        Of the arcs.
    graph : FollowerGraph
    limit : float

    Returns
    -------
    ndarray of float64, shape (n_edges,) or (1,)
    """
    if _invertible(wait):
        return uniform_bounds(wait, graph, constant(np.full(1, limit)))
    return constant(distribution(wait, np.full(1, limit), wait.scale))


def scaled(graph: FollowerGraph, factor: NDArray[np.float64], deadline: float | None) -> FollowerGraph:
    """Return the graph with each probability times a factor; a graph without probabilities has 1 on every arc.

    Parameters
    ----------
    graph : FollowerGraph
    factor : ndarray of float64, shape (n_edges,) or (1,)
    deadline : float or None
        For the label.

    Returns
    -------
    FollowerGraph
    """
    rule = graph.probabilities
    if rule is not None and (factor == 1.0).all():
        return graph
    of = {} if deadline is None else {"deadline": float(deadline)}
    rule = Probabilities(_EVERY_ARC, "every arc") if rule is None else rule
    return replace(graph, probabilities=rule.scaled(factor, **of))


def timed_sampler(
    graph: FollowerGraph,
    *,
    delay: WaitingTime,
    period: WaitingTime | None = None,
    latency: WaitingTime | None = None,
    deadline: float | None = None,
) -> RRSampler:
    """Return what draws the RR sets of a model in time.

    An arc u -> v is live with its probability (1 on a graph without) and if its delay is at most the period of u; then it
    takes the latency of u and its delay. A set holds the nodes from which its root is at most the deadline away.

    Parameters
    ----------
    graph : FollowerGraph
    delay : WaitingTime
        Of each arc.
    period : WaitingTime, optional
        How long each node transmits after its latency, the same for all its arcs; default: for ever.
    latency : WaitingTime, optional
        How long each node waits before it transmits, the same for all its arcs; default: not at all.
    deadline : float, optional
        Default: none, and then times play no part but the delay against the period.

    Returns
    -------
    RRSampler

    Raises
    ------
    NotFoundError
        A column that the graph does not have.
    InputError
        A value of a column out of range.

    See Also
    --------
    models.LiveEdges, models.CTIC, seeding.sample_rr_sets

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0], [1, 2], edges_mean="influences", directed=True)
    >>> sampler = timed_sampler(g, delay=dif.models.Exponential(1.0), period=dif.models.Exponential(0.5))
    >>> sampler.marks().time.tolist()
    [inf, inf, inf]
    """
    return TimedSampler(graph, delay, period, latency, deadline)


@dataclass(frozen=True, eq=False)
class TimedSampler:
    """Draws RR sets in time; see `timed_sampler` for the attributes."""

    graph: FollowerGraph
    delay: WaitingTime
    period: WaitingTime | None = None
    latency: WaitingTime | None = None
    deadline: float | None = None

    def __post_init__(self) -> None:
        _ = self._timing  # refuses columns that are not there

    def __reduce__(self) -> tuple[Any, ...]:  # made again, since pickled arrays come back writeable
        return type(self), (self.graph, self.delay, self.period, self.latency, self.deadline)

    @cached_property
    def _timing(self) -> Timing:
        graph, limit = self.graph, limit_of(self.deadline)
        delay = self.delay.on_arcs(graph, "delay")
        period = None if self.period is None or self.period.never else self.period.on_nodes(graph, "period")
        latency = None if self.latency is None else self.latency.on_nodes(graph, "latency")
        most = np.full(1, limit)
        if period is not None and period.kind == FIXED and _invertible(delay):
            most, period = np.minimum(period.scale, limit), None
        bound = uniform_bounds(delay, graph, constant(most)) if _invertible(delay) else constant(np.ones(1))
        none = Fixed(0.0).on_nodes(graph, "none")
        ordered = limit < LARGEST
        waits = latency is not None and (ordered or not _comes(latency))
        return Timing(delay, bound, waits, latency or none, period is not None, period or none, limit, ordered)

    @property
    def plain(self) -> bool:
        """Are arcs live independently of each other, so that the RR sets are those of the independent cascade?"""
        timing = self._timing
        independent = not (timing.ordered or timing.shares_period or timing.shares_latency)
        return independent and (_invertible(timing.delay) or _comes(timing.delay))

    @cached_property
    def _plan(self) -> InPlan:
        graph, into = self.graph, self.graph.csr.into
        reached = scaled(graph, self._timing.bound, self.deadline).probabilities
        p = _EVERY_ARC if reached is None else reached.values
        nodes = np.empty(graph.n_nodes, PLAN)
        sources, arc, limits = into.sources, into.arc, np.zeros(1, np.uint32)
        if plan_ic(into.indptr, into.arc, p, nodes):
            sources, limits = sort_mixed(into.indptr, into.sources, into.arc, p, nodes)
            arc, _ = sort_mixed(into.indptr, into.arc, into.arc, p, _as_mixed(nodes, into.indptr))
        return InPlan(*(constant(array) for array in (nodes, sources, arc, limits)))

    def marks(self) -> Any:
        """See `RRSampler.marks`."""
        n = self.graph.n_nodes
        if self.plain:
            return np.zeros(-(-n // 64), np.uint64)
        most = int(np.diff(self.graph.csr.into.indptr).max(initial=1))
        return Marks(np.full(n, UNSEEN), new_heap(n), np.empty(most, np.int64))

    def sample(
        self,
        roots: Any,
        cut: Any,
        key: np.uint64,
        first: int,
        last: int,
        marks: Any,
        nodes: NDArray[np.int32],
        size: int,
        ends: NDArray[np.int64],
        row: int,
    ) -> tuple[int, int, int]:
        """See `RRSampler.sample`."""
        of_sets = roots, cut, key, first, last, marks, nodes, size, ends, row
        plan = self._plan
        if self.plain:
            found = sample_ic(KernelPlan(plan.nodes, plan.sources, plan.limits), *of_sets)
        else:
            found = sample_timed(plan, self._timing, *of_sets)
        return int(found[0]), int(found[1]), int(found[2])


def _as_mixed(nodes: NDArray[Any], indptr: NDArray[np.int64]) -> NDArray[Any]:
    """Plan as `plan_ic` left it: `sort_mixed` cuts arcs that never fire off the degrees."""
    again = nodes.copy()
    again["degree"] = np.diff(indptr)
    return again
