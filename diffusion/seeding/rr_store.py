"""Collections of RR sets in flat arrays that grow in place, and what the sampling kernels read of a graph."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from .._threads import map_chunks
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.probabilities import lt_bounds
from ..kernels.coverage import (
    Gains,
    Sets,
    count_members,
    covered_apart,
    first_covered,
    greedy_cover,
    knapsack_cover,
    open_counts,
    target_cover,
)
from ..kernels.rr_sets import (
    COUNT,
    KIND_BITS,
    MANY,
    NEVER,
    PLAN,
    SKIP,
    Cut,
    Plan,
    Roots,
    plan_ic,
    plan_lt,
    sample_ic,
    sample_lt,
    sort_mixed,
)
from ..models.base import DiffusionModel, LiveEdges, RatedArcs, need_probabilities
from ..simulation.workers import Job

__all__ = ["MOST_SETS", "RRStore", "RRWork", "bits_of", "plan_of"]

CHUNK_ENTRIES = 2**19  # members sampled in one kernel call, about: some milliseconds, so that Ctrl-C is heard
STEP = 2**8  # sets at multiples of which tasks of an executor are cut
FIRST_CHUNK = 256  # sets sampled while little is known of their size, which may be that of the graph
MOST_SETS = 2**31 - 2  # indices of sets are int32


def plan_of(live: LiveEdges) -> Plan:
    """Return the plan of live edges, made once for a graph and its probabilities (or, with rated arcs, for them)."""
    graph = live.graph
    p = need_probabilities(graph, "a live-edge graph")
    plan: Plan = graph.cached(("rr_plan", live.linear), lambda: _make_plan(graph, p, live.linear), of=p)
    if live.rated:
        plan = graph.cached("rr_plan with rated arcs", lambda: _with_rated_arcs(plan, live.rated), of=live)
    return plan


def _plan(*arrays: NDArray[Any]) -> Plan:
    return Plan(*map(constant, arrays))


def _make_plan(graph: FollowerGraph, p: NDArray[np.float32], linear: bool) -> Plan:
    into = graph.csr.into
    nodes = np.empty(graph.n_nodes, PLAN)
    sources, limits = into.sources, np.zeros(1, np.uint32)
    if linear:
        _, high = lt_bounds(graph)
        if plan_lt(into.indptr, into.arc, p, high, nodes):
            limits = high[into.arc]
    elif plan_ic(into.indptr, into.arc, p, nodes):
        sources, limits = sort_mixed(into.indptr, into.sources, into.arc, p, nodes)
    return _plan(nodes, sources, limits)


def _with_rated_arcs(plan: Plan, rated: tuple[RatedArcs, ...]) -> Plan:
    """Give nodes that have no in-arcs the rated arcs, with the plan of everybody else as it is."""
    nodes, sources = plan.nodes.copy(), plan.sources
    for arcs in rated:
        _fill(nodes, arcs, sources.size)
        sources = np.concatenate([sources, arcs.sources.astype(np.int32)])
    return _plan(nodes, sources, plan.limits)


def _fill(plan: NDArray[Any], arcs: RatedArcs, begin: int) -> None:
    rate, count = arcs.rate, arcs.count.astype(np.float64)
    p = -np.expm1(-rate)
    many = (count * p > MANY) | (p > 0.5)
    none = np.exp(-count * rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        plan["none"][arcs.nodes] = none
        one = none + count * p * np.exp(-(count - 1.0) * rate)
        plan["one"][arcs.nodes] = np.where(many, -1.0 / rate, one)
        plan["odds"][arcs.nodes] = np.where(many, 0.0, np.expm1(rate))
    kind = np.where(rate > 0, np.where(many, SKIP, COUNT), NEVER).astype(np.int64)
    plan["degree"][arcs.nodes] = count.astype(np.int32)
    plan["place"][arcs.nodes] = begin + arcs.begin.astype(np.int64) + (kind << KIND_BITS)


def bits_of(nodes: NDArray[Any], n: int) -> NDArray[np.uint64]:
    """Set of internal nodes as bits."""
    bits = np.zeros(-(-n // 64), np.uint64)
    np.bitwise_or.at(bits, nodes.astype(np.int64) >> 6, np.uint64(1) << (nodes.astype(np.uint64) & np.uint64(63)))
    return bits


Chunk = tuple[list[NDArray[np.int32]], NDArray[np.int64], int]  # members, where each set ends, number of empty sets


@dataclass(frozen=True)
class RRWork:
    """RR sets that the workers of an executor sample: what a store is made from, with the model in place of live edges."""

    model: DiffusionModel
    key: int
    weights: NDArray[np.float64] | None
    stop: NDArray[Any]
    limit: int

    def open(self, graph: Any) -> Callable[[int, int], Chunk]:
        live = self.model.live_edges(graph)
        assert live is not None
        return RRStore(live, self.key, weights=self.weights, stop=self.stop, limit=self.limit).chunk


class RRStore:
    """RR sets 0, 1, ... of live edges and a key, in flat arrays that grow; nodes are those of the live-edge graph.

    Roots are drawn in proportion to `weights`. Sets that meet a node of `stop`, or have more than `limit` members, are
    cut short and kept empty. With a `job` the workers of an executor sample them.
    """

    def __init__(
        self,
        live: LiveEdges,
        key: int,
        *,
        weights: NDArray[np.float64] | None = None,
        stop: NDArray[Any] | None = None,
        limit: int = MOST_SETS,
        job: Job | None = None,
    ) -> None:
        self.live = live
        self._job = job
        self._mine = threading.local()
        self.key = np.uint64(key)
        self._plan = None if live.sampler else plan_of(live)
        self.n_nodes = n = live.graph.n_nodes
        self.total = float(n)
        self._roots = Roots(np.ones(1), np.zeros(1, np.int32))  # a guide of one entry means uniform roots
        if weights is not None:
            self.total = float(weights.sum())
            cumulated = np.cumsum(weights) / self.total
            cumulated[np.flatnonzero(weights)[-1] :] = 1.0  # a draw never ends at a weight of 0
            guide = np.searchsorted(cumulated, np.arange(max(n, 2)) / n, side="right").astype(np.int32)
            self._roots = Roots(cumulated, guide)
        self._stopping = stop is not None and len(stop) > 0
        self._n_stop = 0 if stop is None else len(stop)
        self._cut = Cut(self._stopping, bits_of(np.zeros(0, np.int64) if stop is None else stop, n), limit)
        self.nodes = np.empty(0, np.int32)
        self.offsets = np.zeros(1, np.int64)
        self.n = 0
        self.size = 0
        self.n_empty = 0
        self._counts = np.zeros(n, np.int32)
        self._met = np.empty(n, np.int32)
        self._counted = self._n_met = 0
        self._space: Gains | None = None
        self._marks: Any = None

    @property
    def sets(self) -> Sets:
        """The sets, for kernels."""
        return Sets(self.nodes, self.offsets, self.n)

    def stops_at(self, nodes: NDArray[Any]) -> bool:
        """Do sets end at so many nodes, such as the seeds there are already, and no others?"""
        return self._n_stop == len(nodes)

    @property
    def mean_size(self) -> float:
        """Mean number of members, empty sets aside; NaN without sets."""
        filled = self.n - self.n_empty
        return self.size / filled if filled else float("nan")

    def extend(
        self,
        n: int,
        *,
        threads: int,
        deadline: float = float("inf"),
        most: float = float("inf"),
        bar: Any = None,
    ) -> bool:
        """Sample until there are n sets; False if the time (of `time.perf_counter`) ended before.

        Also False where the first sets with `most` members are fewer: they are kept, whatever the chunks were.
        """
        if n > MOST_SETS:
            raise InputError(f"n={n:,} RR sets are more than the {MOST_SETS:,} one collection can hold")
        if n + 1 > self.offsets.size:
            self.offsets = _grown(self.offsets, n + 1, self.n + 1)
        while self.n < n:
            if time.perf_counter() > deadline:
                return False
            before = self.n
            if self._job is not None:
                self._remote_chunks(self._job, n, most, deadline, bar)
                before = self.n
            elif threads == 1:
                self._one_chunk(min(self.n + self._chunk_sets(), n))
            else:
                # Rounds of several chunks: their size follows what is known of the sets by then.
                rounds = 8 if math.isinf(most) and self.n else 1
                self._many_chunks(min(self.n + rounds * threads * self._chunk_sets(), n), threads)
            if bar is not None:
                bar.update(self.n - before)
            if self.size > most:
                self.truncate(max(int(np.searchsorted(self.offsets[: self.n + 1], most, side="right")) - 1, 1))
                return False
        return True

    def truncate(self, n: int) -> None:
        """Forget all sets but the first n."""
        self.n = n
        self.size = int(self.offsets[n])
        self.n_empty = int((np.diff(self.offsets[: n + 1]) == 0).sum())
        self._counts[:] = 0
        self._counted = self._n_met = 0

    def join(self, other: RRStore) -> None:
        """Put the sets of another collection after these."""
        size = self.size + other.size
        self.nodes = _grown(self.nodes, size, self.size)
        self.nodes[self.size : size] = other.nodes[: other.size]
        offsets = _grown(self.offsets, self.n + other.n + 1, self.n + 1)
        offsets[self.n + 1 : self.n + other.n + 1] = other.offsets[1 : other.n + 1] + self.size
        self.offsets, self.size = offsets, size
        self.n, self.n_empty = self.n + other.n, self.n_empty + other.n_empty

    def _chunk_sets(self) -> int:
        if self.n < FIRST_CHUNK:
            return FIRST_CHUNK
        # Sets cut short cost time and leave no members to reckon with.
        return int(min(max(CHUNK_ENTRIES * self.n / max(self.size, self.n), 1), 2**12 if self._stopping else 2**16))

    def _new_marks(self) -> Any:
        if self.live.sampler is not None:
            return self.live.sampler.marks()
        return np.zeros(self.n_nodes, np.uint16) if self.live.linear else np.zeros_like(self._cut.stop)

    def bytes_at(self, n: int) -> float:
        """Bytes that n sets and their index will take, about."""
        return n * (8.0 + 8.0 * self.size / max(self.n, 1))

    def _sample(
        self, first: int, last: int, marks: Any, nodes: NDArray[Any], size: int, ends: NDArray[Any], row: int
    ) -> tuple[int, int, int]:
        of_run = self._roots, self._cut, self.key, first, last, marks, nodes, size, ends, row
        if self.live.sampler is not None:
            return self.live.sampler.sample(*of_run)
        found = (sample_lt if self.live.linear else sample_ic)(self._plan, *of_run)
        return int(found[0]), int(found[1]), int(found[2])

    def _one_chunk(self, last: int) -> None:
        if self._marks is None:
            self._marks = self._new_marks()
            self._room(last)
        marks = self._marks
        while self.n < last:
            done, self.size, empty = self._sample(self.n, last, marks, self.nodes, self.size, self.offsets, self.n + 1)
            self.n += done
            self.n_empty += empty
            if self.n < last:
                self._room(last)

    def _room(self, last: int) -> None:
        expected = int((self.size / max(self.n, 1)) * (last - self.n) * 1.1)
        least = self.size + 2 * self.n_nodes + 1024  # room for one set of all nodes, and its last in-arcs
        self.nodes = _grown(self.nodes, max(least, self.size + expected, self.nodes.size * 3 // 2), self.size)

    def _many_chunks(self, last: int, threads: int) -> None:
        step = max(min(self._chunk_sets(), -(-(last - self.n) // (4 * threads))), 1)
        chunks = [(a, min(a + step, last)) for a in range(self.n, last, step)]
        waiting: dict[int, Any] = {}
        for (a, b), found in map_chunks(lambda chunk: self.chunk(*chunk), chunks, threads=min(threads, len(chunks))):
            waiting[a] = b, found
            while self.n in waiting:
                self._append(waiting.pop(self.n), last)

    def _remote_chunks(self, job: Job, last: int, most: float, deadline: float, bar: Any) -> None:
        ahead = not math.isinf(min(most, deadline))
        with contextlib.closing(job.parts(self.n, last, step=STEP, ahead=ahead)) as parts:
            for a, b, found in parts:
                self._append((b, found), last)
                if bar is not None:
                    bar.update(b - a)
                if self.size > most or time.perf_counter() > deadline:
                    return

    def chunk(self, first: int, last: int) -> Chunk:
        """Sample sets first ... last - 1 apart from those that are here."""
        mine = self._mine
        if not hasattr(mine, "marks"):
            mine.marks = self._new_marks()
            mine.nodes = np.empty(2 * self.n_nodes + 1024 + CHUNK_ENTRIES, np.int32)
        ends = np.empty(last - first, np.int64)
        parts: list[NDArray[np.int32]] = []
        at, before, empties = first, 0, 0
        while at < last:
            done, size, empty = self._sample(at, last, mine.marks, mine.nodes, 0, ends, at - first)
            ends[at - first : at - first + done] += before
            parts.append(mine.nodes[:size].copy())
            at, before, empties = at + done, before + size, empties + empty
        return parts, ends, empties

    def _append(self, chunk: tuple[int, Chunk], to_come: int) -> None:
        """Append the sets up to a last one; room is made for so many as are to come."""
        last, (parts, ends, empties) = chunk
        members = sum(map(len, parts))
        if self.size + members > self.nodes.size:
            self._room(to_come)
            if self.size + members > self.nodes.size:
                self.nodes = _grown(self.nodes, self.size + members, self.size)
        at = self.size
        for part in parts:
            self.nodes[at : at + len(part)] = part
            at += len(part)
        self.offsets[self.n + 1 : last + 1] = ends + self.size
        self.n, self.size, self.n_empty = last, at, self.n_empty + empties

    def open_counts(self, seeds: NDArray[Any]) -> NDArray[np.int64]:
        """Number of sets, of those that no seed (internal node) is in, that hold each node."""
        counts = np.zeros(self.n_nodes, np.int64)
        open_counts(self.sets, bits_of(seeds, self.n_nodes), counts)
        return counts

    @property
    def counts(self) -> NDArray[np.int32]:
        """Number of sets that hold each node."""
        if self._counted < self.size:
            self._n_met = count_members(self.nodes, self._counted, self.size, self._counts, self._met, self._n_met)
            self._counted = self.size
        return self._counts

    @property
    def met(self) -> NDArray[np.int32]:
        """Nodes that are in some set."""
        _ = self.counts
        return self._met[: self._n_met]

    def greedy(self, allowed: NDArray[np.bool_], pick: int, top: int) -> tuple[NDArray[Any], ...]:
        """See `greedy_cover`."""
        found: tuple[NDArray[Any], ...] = greedy_cover(
            self.sets, self.counts, self.met, allowed, pick, top, self._greedy_space()
        )
        return found

    def knapsack(
        self, allowed: NDArray[np.bool_], price: NDArray[np.float64], spent: float, budget: float
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], float, int]:
        """See `knapsack_cover`."""
        found: tuple[NDArray[np.int32], NDArray[np.int64], float, int] = knapsack_cover(
            self.sets, self.counts, self.met, allowed, price, spent, budget, self._greedy_space()
        )
        return found

    def reaching(
        self, allowed: NDArray[np.bool_], price: NDArray[np.float64], targets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """See `target_cover`."""
        found: tuple[NDArray[np.int32], NDArray[np.int64]] = target_cover(
            self.sets, self.counts, self.met, allowed, price, targets, self._greedy_space()
        )
        return found

    def _greedy_space(self) -> Gains:
        # Kept, as a look needs little of it on a large graph, and fresh memory is slow.
        if self._space is None:
            n = self.n_nodes
            self._space = Gains(np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n, np.int64))
        return self._space

    def covered_apart(self, first: NDArray[Any], second: NDArray[Any]) -> tuple[int, int, int]:
        """Sets that seeds (internal nodes) of the first alone cover, of the second alone, and of both; empty: both."""
        bits = bits_of(first, self.n_nodes), bits_of(second, self.n_nodes)
        alone, other, both = covered_apart(self.sets, *bits)
        return int(alone), int(other), int(both) + self.n_empty

    def covered_in_order(self, seeds: NDArray[Any]) -> NDArray[np.int64]:
        """Sets that each seed (internal nodes, in order) is the first to cover; the last entry counts the others."""
        rank = np.empty(self.n_nodes, np.int32)  # read at seeds alone
        rank[seeds] = np.arange(len(seeds), dtype=np.int32)
        found: NDArray[np.int64] = first_covered(self.sets, rank, bits_of(seeds, self.n_nodes), len(seeds))
        return found


def _grown(array: NDArray[Any], capacity: int, used: int) -> NDArray[Any]:
    new = np.empty(max(capacity, array.size), array.dtype)
    new[:used] = array[:used]
    return new
