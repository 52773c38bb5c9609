"""Final sizes of epidemics of the SIR type: percolation in which arcs out of one node share its infectious period."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from .._validation import number
from ..graph.follower_graph import FollowerGraph
from ..kernels.percolation import Lists, percolation_batch, percolation_run, percolation_runs
from ..kernels.periods import BINS, Periods, times_at
from ..kernels.sampling import alias_tables
from ..kernels.waiting import GEOMETRIC, Wait
from .base import DiffusionModel, LiveEdges
from .next_generation import NextGeneration
from .program import Chunk, Program, Start, Trace, Workspace, arcs_of
from .timed import TimedSampler
from .transmissibility import with_transmissibility
from .waiting import RATE_1, Fixed, WaitingTime

__all__ = ["OutbreakSize", "shared_periods"]


@dataclass(frozen=True)
class OutbreakSize(DiffusionModel):
    """Who is ever infected in a susceptible-infectious-recovered epidemic, without the times: 512 runs at once.

    The final size of SIR has the distribution of the nodes that are reached in percolation: arc u -> v is open where its
    transmission time is at most the infectious period of u, which all arcs out of u share (Kenah and Robins 2007). Times
    need a queue of events; who is ever infected does not, so that 512 runs share one pass over the arcs.

    Parameters
    ----------
    transmission : float from 0, or WaitingTime
        Time that an infectious node takes to infect a follower; a number is the rate of an exponential time.
    recovery : float from 0, or WaitingTime, default 1.0
        Infectious period; a number is a rate, and 0 means that nobody recovers.
    within : float above 0, optional
        Transmissions that take longer do not count.
    generations : bool
        True: steps are generations of infection. False, which is faster: step 0 holds the seeds, step 1 all others.

    See Also
    --------
    models.WaitingTime, models.SIR, IC

    Notes
    -----
    Runs share their visits where both times are exponential, Weibull, geometric or fixed, with one value for all arcs and
    one for all nodes; otherwise they are computed one by one.

    References
    ----------
    - Kenah, E. and Robins, J. M. (2007). Second look at the spread of epidemics on networks. Physical Review E 76(3),
      036113. doi:10.1103/PhysRevE.76.036113

    Examples
    --------
    A complete graph of three, transmission and recovery at rate 1: the mean final size is 13/6.

    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1], [1, 2, 2], directed=False)
    >>> estimate = dif.spread(g, [0], model=OutbreakSize(1.0), runs=20_000, rng=7)
    >>> estimate.low < 13 / 6 < estimate.high
    True
    """

    states: ClassVar[tuple[str, ...]] = ("infected",)
    example: ClassVar[str] = "OutbreakSize(transmission=0.3)"
    takes_probabilities = False

    transmission: WaitingTime | float
    recovery: WaitingTime | float = RATE_1
    within: float | None = field(default=None, kw_only=True)
    generations: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "transmission", WaitingTime.of(self.transmission, "transmission"))
        object.__setattr__(self, "recovery", WaitingTime.of(self.recovery, "recovery"))
        if self.within is not None:
            number(self.within, "within", above=0)

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return _PercolationProgram(graph, self)

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """See `DiffusionModel.effective_probabilities`: the transmissibility of every arc."""
        return with_transmissibility(graph, *self._waits, self._most)

    def next_generation(self, graph: FollowerGraph) -> NextGeneration | None:
        """See `DiffusionModel.next_generation`: means do not change where arcs share an infectious period."""
        return NextGeneration.on_arcs(self.effective_probabilities(graph))

    def live_edges(self, graph: FollowerGraph) -> LiveEdges | None:
        """An arc is live if its transmission time is at most its source's period."""
        live = shared_periods(graph, self.effective_probabilities(graph), *self._waits)
        return live if self.within is None or live.sampler is None else None

    def submodular(self, graph: FollowerGraph) -> bool:
        """True: it is percolation."""
        return True

    @property
    def _most(self) -> float:
        return np.inf if self.within is None else float(self.within)

    @property
    def _waits(self) -> tuple[WaitingTime, WaitingTime]:
        return WaitingTime.of(self.transmission, "transmission"), WaitingTime.of(self.recovery, "recovery")

    @property
    def steps_are_times(self) -> bool:
        """Without `generations` there are two steps: the seeds, and all others."""
        return not self.generations

    def in_generations(self) -> DiffusionModel:
        """See `DiffusionModel.in_generations`."""
        return replace(self, generations=True)


def shared_periods(
    graph: FollowerGraph,
    live: FollowerGraph,
    transmission: WaitingTime,
    recovery: WaitingTime,
    latency: WaitingTime | None = None,
    end: float | None = None,
) -> LiveEdges:
    """Return live edges whose arcs out of a node share its infectious period; `live` has the probability of each alone."""
    if end is None and (isinstance(recovery, Fixed) or recovery.never):
        return LiveEdges(live)  # arcs of one source do not depend on each other
    every_arc = replace(graph, probabilities=None)
    return LiveEdges(live, sampler=TimedSampler(every_arc, transmission, recovery, latency, end))


_NO_TABLE = constant(np.zeros(1, np.uint64)), constant(np.zeros(1))
_EVERY_ARC = constant(np.ones(1, np.float32))


def table_of(
    transmission: Wait, recovery: Wait, period: WaitingTime, most: float
) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Alias table of the bins of the probability to transmit, and the distribution function of the period at their edges.

    Bin k holds the periods from the time at which the distribution function of transmission times reaches k / BINS.
    """
    if max(transmission.kind, recovery.kind) > GEOMETRIC or max(transmission.scale.size, recovery.scale.size) > 1:
        return _NO_TABLE
    first = times_at(transmission, np.arange(1, BINS) / BINS)
    edges = np.zeros(BINS + 1)
    with np.errstate(invalid="ignore"):
        edges[1:-1] = period.cdf(np.nextafter(first, 0.0))  # periods below the edge
    edges[1:-1][np.isinf(first) | (first > most)] = 1.0
    edges[-1] = 1.0
    keep, other = alias_tables(np.diff(edges), np.array([0, BINS], np.int64))
    alias = (np.rint(keep * 2.0**32).astype(np.uint64) << np.uint64(16)) | other.astype(np.uint64)
    return constant(alias), constant(edges)


class _Workspace(Workspace):
    """Rows for lanes, or lists for one run at a time."""

    def __init__(self, n: int, words: int) -> None:
        super().__init__(n, words)
        if not words:
            self.lists = _lists(n)


def _lists(n: int) -> Lists:
    nodes, step, parent = np.empty((3, n), np.int32)
    return Lists(nodes, step, parent, np.full(n, -1, np.int32), np.empty(n, np.uint64))


class _PercolationProgram(Program):
    """Lanes where the probability to transmit has a table, one run at a time otherwise."""

    model: OutbreakSize

    def __init__(self, graph: FollowerGraph, model: OutbreakSize) -> None:
        super().__init__(graph, model)
        self._arcs = arcs_of(graph, _EVERY_ARC)
        transmission, recovery = model._waits
        waits = transmission.on_arcs(graph, "transmission"), recovery.on_nodes(graph, "recovery")
        self._periods = Periods(*waits, *table_of(*waits, recovery, model._most), model._most)
        self.lanes = self._periods.alias.size > 1

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes, words)

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        words, runs, counts_by_node = workspace.words, last - first, workspace.node_counts[:, 0]
        weighing = start.weighing(64 * words or runs)
        rest: tuple[Any, ...] = counts_by_node, weighing, self.model.generations
        if words:
            block = start.block(first, last, words)
            counts, visits = percolation_batch(
                self._arcs, self._periods, start.for_kernel, block, workspace.lanes, *rest
            )
            new = np.ascontiguousarray(counts[:, :runs].T)
        else:
            of_runs = *start.by_run(first, last), start.key, first, last, workspace.lists
            new, visits = percolation_runs(self._arcs, self._periods, *of_runs, *rest)
        return Chunk(new[:, :, None], int(visits), weighing.sums[:runs] if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`: steps are generations."""
        found = percolation_run(self._arcs, self._periods, start.seeds, start.key, run, _lists(self.graph.n_nodes))
        nodes, steps, parents = found
        return Trace(nodes, steps, parents)

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`."""
        if self._periods.transmission.scale.size == 1 and WaitingTime.of(self.model.transmission, "").never:
            return start.seeds
        return super().possible(start)
