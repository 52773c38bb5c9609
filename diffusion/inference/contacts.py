"""What a log says about the arcs of a graph: who had which active neighbours when they adopted, and who did not adopt."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._threads import map_chunks
from ..graph.follower_graph import FollowerGraph
from ..kernels.action_logs import Log, Met, Stamps, count_contacts, count_exposed, fill_contacts, fill_exposed
from ..kernels.arcs import InArcs, OutArcs
from ..kernels.learning import Contacts
from ..kernels.lt_learning import Histories
from .action_log import ActionLog

__all__ = ["Exposed", "GraphLog", "chunks_of", "exposed_pairs", "graph_log", "in_chunks"]

CHUNK = 1 << 20  # steps of work in a chunk


@dataclass(frozen=True, eq=False)
class GraphLog:
    """A log on a graph, with the contacts of every adopter.

    Attributes
    ----------
    graph : FollowerGraph
    log : ActionLog
        Of the users in the graph.
    rows : Log
        The same by internal node.
    contacts : Contacts
        By node, in the order of its in-arcs.
    trials : ndarray of int64, shape (n_edges,)
        Items in which the source of the arc was active while its target was not yet; in the order of in-arcs.
    activity : ndarray of int64, shape (n_nodes,)
        Items adopted by each internal node.
    window : float
        Longest delay of a contact.
    threads : int
    """

    graph: FollowerGraph
    log: ActionLog
    rows: Log
    contacts: Contacts
    trials: NDArray[np.int64]
    activity: NDArray[np.int64]
    window: float
    threads: int

    @property
    def into(self) -> InArcs:
        """Arcs by target."""
        return self.graph.csr.into

    @property
    def n_contacts(self) -> int:
        """Pairs of an adoption and an in-neighbour that was active before."""
        return int(self.contacts.slot.size)

    @functools.cached_property
    def contact_counts(self) -> NDArray[np.int64]:
        """Contacts of each in-arc."""
        first = np.repeat(self.into.indptr[:-1], np.diff(self.contacts.indptr[self.contacts.rows]))
        return np.bincount(first + self.contacts.slot, minlength=self.graph.n_edges)

    @property
    def later(self) -> int:
        """Adoptions after the first of each item."""
        return len(self.log) - self.log.n_items

    @property
    def possible(self) -> float:
        """Share of the adoptions after the first of each item that have a contact."""
        return _ratio(int((np.diff(self.contacts.indptr) > 0).sum()), self.later)

    @functools.cached_property
    def histories(self) -> Histories:
        """Adoptions by internal node, in the order of the items."""
        item, time = np.empty(len(self.log), np.int64), np.empty(len(self.log))
        item[self.rows.place], time[self.rows.place] = self.log.item, self.log.time
        return Histories(self.contacts.rows, item, time)

    @functools.cached_property
    def reversed_possible(self) -> float:
        """The same with every arc turned round."""
        csr = self.graph.csr
        counts = np.zeros(len(self.log), np.int64)
        turned = InArcs(csr.indptr, csr.indices, csr.into.arc)
        _count(self.graph, self.rows, turned, self.window, self.threads, counts)
        return _ratio(int((counts > 0).sum()), self.later)

    def by_node(self, kernel: Callable[[int, int], Any], what: str, *, exposed: bool = False) -> list[Any]:
        """Call a kernel on ranges of nodes, in threads; what it returns of each, in order.

        The ranges are of equal work if that goes with the contacts; if `exposed`, with the adoptions of in-neighbours.
        """
        work = np.diff(self.into.indptr) + np.diff(self.contacts.indptr[self.contacts.rows])
        if exposed:
            active = np.concatenate([[0], np.cumsum(self.activity[self.into.sources])])
            work = np.diff(active[self.into.indptr])
        return in_chunks(kernel, chunks_of(work), what, self.threads)

    def on_out_arcs(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of in-arcs in the order of the graph's arcs."""
        out = np.empty(values.shape, values.dtype)
        out[self.into.arc] = values
        return out

    def on_table(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of in-arcs in the order of the rows of ``graph.to_pandas()``, which go by label."""
        return self.on_out_arcs(values)[self._rows_of_table]

    @functools.cached_property
    def _rows_of_table(self) -> NDArray[np.int64]:
        csr, order = self.graph.csr, self.graph.index.order
        return np.lexsort((order[csr.indices], order[csr.sources]))


def chunks_of(work: NDArray[Any], *, size: int = CHUNK) -> list[tuple[int, int]]:
    """Ranges of about equal work."""
    done = np.cumsum(work.astype(np.float64) + 1)
    parts = math.ceil(float(done[-1]) / size) if done.size else 0
    cuts = np.searchsorted(done, np.arange(1, parts) * size)
    ends = np.unique(np.concatenate([[0], cuts, [done.size]]).astype(np.int64)).tolist()
    return list(itertools.pairwise(ends))


def in_chunks(kernel: Callable[[int, int], Any], chunks: list[tuple[int, int]], what: str, threads: int) -> list[Any]:
    """Call a kernel on every range, in threads, with a progress bar; what it returns of each, in order."""
    found = {}
    with progress(total=len(chunks), description=what, unit="parts") as bar:
        for chunk, value in map_chunks(lambda chunk: kernel(*chunk), chunks, threads=threads):
            found[chunk] = value
            bar.update()
    return [found[chunk] for chunk in chunks]


class _Spare:
    """Arrays that a kernel writes to: one set a thread, lent to one chunk after the other."""

    def __init__(self, threads: int, make: Callable[[], Any]) -> None:
        self._sets = [make() for _ in range(threads)]
        self._free: SimpleQueue[Any] = SimpleQueue()
        for held in self._sets:
            self._free.put(held)

    def lent(self, kernel: Callable[[int, int, Any], None]) -> Callable[[int, int], None]:
        """The kernel with a free set as its last argument."""

        def call(first: int, last: int) -> None:
            held = self._free.get()
            try:
                kernel(first, last, held)
            finally:
                self._free.put(held)

        return call

    def all(self) -> list[Any]:
        return self._sets


def _stamps(n: int) -> Stamps:
    return Stamps(np.full(n, -1, np.int32), np.zeros(n))


def _chunks(rows: Log, indptr: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of items of about equal work, with these arcs to look at for each adoption."""
    done = np.concatenate([[0], np.cumsum(np.diff(indptr)[rows.node] + 1)])
    return chunks_of(np.diff(done[rows.indptr]))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _count(
    graph: FollowerGraph, rows: Log, into: InArcs, window: float, threads: int, counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the contacts of every adoption; return the items in which each arc had no trial."""
    spare = _Spare(threads, lambda: (_stamps(graph.n_nodes), np.zeros(graph.n_edges, np.int32)))
    in_chunks(
        spare.lent(lambda first, last, held: count_contacts(first, last, rows, into, window, *held, counts)),
        _chunks(rows, into.indptr),
        "counting contacts",
        threads,
    )
    total: NDArray[np.int64] = np.sum([blocked for _, blocked in spare.all()], axis=0, dtype=np.int64)
    return total


def bound_rows(graph: FollowerGraph, log: ActionLog) -> Log:
    """The adoptions of a log by internal node."""
    node = log.positions(graph)[log.user]
    place = np.empty(node.size, np.int64)
    place[np.argsort(node, kind="stable")] = np.arange(node.size)
    ages = np.sort(log.time - np.repeat(log.time[log.indptr[:-1]], np.diff(log.indptr)))
    return Log(log.indptr, node, log.time, place, ages)


def graph_log(graph: FollowerGraph, log: ActionLog, *, window: float, threads: int) -> GraphLog:
    """Find the contacts of every adoption; `log` holds users of the graph alone."""
    rows = bound_rows(graph, log)
    csr, n = graph.csr, graph.n_nodes
    into = csr.into
    activity = np.bincount(rows.node, minlength=n).astype(np.int64)
    counts = np.zeros(rows.node.size, np.int64)
    blocked = _count(graph, rows, into, window, threads, counts)
    trials = activity[into.sources] - blocked
    indptr = np.concatenate([[0], np.cumsum(counts)])
    written = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float64), np.empty(len(log), np.float64)
    stamped = _Spare(threads, lambda: _stamps(n))
    in_chunks(
        stamped.lent(lambda first, last, held: fill_contacts(first, last, rows, into, window, held, indptr, *written)),
        _chunks(rows, into.indptr),
        "writing contacts",
        threads,
    )
    by_node = np.concatenate([[0], np.cumsum(activity)])
    contacts = Contacts(by_node, indptr, *written)
    return GraphLog(graph, log, rows, contacts, trials, activity, window, threads)


@dataclass(frozen=True, eq=False)
class Exposed:
    """Pairs of an item and a user who met an active neighbour before adopting, or without adopting.

    Attributes
    ----------
    item : ndarray of int64, shape (n_pairs,)
        Position in the log's items.
    node : ndarray of int32, shape (n_pairs,)
        Internal node.
    active : ndarray of int32, shape (n_pairs,)
        Neighbours that were active: before the adoption, or at the end of the log.
    adopted : ndarray of bool, shape (n_pairs,)
    log_miss : ndarray of float64, shape (n_pairs,)
        Sum of log(1 - p) over these neighbours; log(1 - sum p) where probabilities add up.
    clock : ndarray of float64, shape (n_pairs,)
        Time that was left to the item once the first of these was active: the share of all adoptions at a higher age.
    """

    item: NDArray[np.int64]
    node: NDArray[np.int32]
    active: NDArray[np.int32]
    adopted: NDArray[np.bool_]
    log_miss: NDArray[np.float64]
    clock: NDArray[np.float64]


def exposed_pairs(
    graph: FollowerGraph,
    log: ActionLog,
    probability: NDArray[np.float64] | None,
    *,
    threads: int,
    additive: bool = False,
) -> Exposed:
    """Find every exposed pair; `probability` of each arc, in the graph's order, or None, and whether they add up."""
    rows = bound_rows(graph, log)
    csr, n = graph.csr, graph.n_nodes
    out = OutArcs(csr.indptr, csr.indices)
    log_miss = np.zeros(1)
    if probability is not None:
        with np.errstate(divide="ignore"):
            full = np.broadcast_to(probability, graph.n_edges)
            log_miss = -full.astype(np.float64) if additive else np.maximum(np.log1p(-full), -700.0)

    def arrays() -> tuple[Stamps, Met]:
        met = Met(np.full(n, -1, np.int32), np.zeros(n, np.int32), np.zeros(n), np.zeros(n), np.zeros(n, np.int32))
        return _stamps(n), met

    chunks = _chunks(rows, csr.indptr)
    counts = np.zeros(log.n_items, np.int64)
    in_chunks(
        _Spare(threads, arrays).lent(lambda first, last, held: count_exposed(first, last, rows, out, *held, counts)),
        chunks,
        "counting exposures",
        threads,
    )
    indptr = np.concatenate([[0], np.cumsum(counts)])
    pairs = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.bool_)
    sums = np.empty(indptr[-1]), np.empty(indptr[-1])
    in_chunks(
        _Spare(threads, arrays).lent(
            lambda first, last, held: fill_exposed(first, last, rows, out, log_miss, *held, indptr, *pairs, *sums)
        ),
        chunks,
        "writing exposures",
        threads,
    )
    if additive:
        sums[0][:] = np.log1p(-np.minimum(-sums[0], 1 - 1e-12))
    return Exposed(np.repeat(np.arange(log.n_items), counts), *pairs, *sums)
