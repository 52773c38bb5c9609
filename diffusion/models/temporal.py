"""Models on follower graphs whose arcs come and go: epidemics on contacts, cascades on follows or contacts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from .._validation import number, probability
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.temporal import TemporalGraph
from ..kernels.arcs import Start as KernelStart
from ..kernels.arcs import Weighing
from ..kernels.temporal import (
    AWAY,
    IC_CONTACTS,
    IC_FOLLOWS,
    MOST_STEPS,
    SIR,
    Course,
    Events,
    TimedArcs,
    temporal_batch,
    temporal_run,
)
from ..kernels.waiting import FIXED, Wait
from .base import DiffusionModel, need_probabilities
from .epidemic_results import EpidemicEnsemble, Grid
from .program import NO_WEIGHTS, Chunk, Program, Start, Trace, Workspace
from .waiting import RATE_1, Exponential, Fixed, WaitingTime

__all__ = ["TemporalIC", "TemporalSIR"]

_NEVER = Exponential(0.0)


class _TemporalModel(DiffusionModel):
    """What both have in common: a start, a time grid, and refusal of graphs without times."""

    takes_times: ClassVar[bool] = True
    start: float | Literal["random"] | None
    width: float | None

    def _check_clock(self, last: float | None, name: str) -> None:
        start, width = self.start, self.width
        if start is not None and start != "random":
            if isinstance(start, str):
                raise InputError(
                    f"start={start!r} is unknown: give a time, 'random', or None for the first of the graph"
                )
            number(start, "start")
        if width is not None:
            number(width, "width", above=0)
        if last is not None:
            number(last, name)
            if start is not None and start != "random" and last < start:
                raise InputError(f"{name}={last!r} is before start={start!r}: both are on the clock of the graph")

    @property
    def last(self) -> float | None:
        """Last time that counts, where one is given."""
        return None

    def grid(self, graph: FollowerGraph) -> Grid:
        """Return the time grid of runs on a graph: on its clock, or of random starts counted from the start of each run.

        Parameters
        ----------
        graph : TemporalGraph

        Returns
        -------
        Grid
        """
        start, _, end, width = _clock(self, _times(graph))
        return (
            Grid(start, width, end) if self.start != "random" else Grid(0.0, width, end - start, "time since the start")
        )

    def refuses_graph(self, graph: FollowerGraph) -> str:
        """See `DiffusionModel.refuses_graph`: a graph without times is refused."""
        if graph.is_temporal:
            return ""
        return (
            f"{self.name} needs to know when arcs are there, and this graph does not: build one with "
            "graph.TemporalGraph.from_contacts or from_follows, or take a model without time, such as IC()"
        )

    @property
    def steps_are_times(self) -> bool:
        """See `DiffusionModel.steps_are_times`."""
        return True

    @property
    def not_submodular(self) -> str:
        """Who is reached earlier also stops earlier, or has other followers."""
        return (
            "who is reached earlier recovers earlier, or has other followers, so that a second seed can take nodes away"
        )

    @property
    def no_live_edges(self) -> str:
        """See `DiffusionModel.no_live_edges`."""
        return f"{self.label}, in which what an arc carries depends on when its source became active"


@dataclass(frozen=True)
class TemporalSIR(_TemporalModel):
    """SIR on a sequence of contacts: an infectious node infects only at contacts, each with the same probability.

    Every contact of an infectious node with a susceptible one transmits independently with the probability `transmission`.
    Who is infected at a contact transmits from the next later time on, until it recovers; seeds are infectious from
    `start` on, so that contacts at that very time count. Contacts at the time of recovery still count.

    Parameters
    ----------
    transmission : float in [0, 1]
        Probability per contact.
    recovery : WaitingTime, float or str, default 0
        Time from infection to recovery; a number is the rate of an exponential time, per unit of the graph's clock. 0: never
        (SI).
    start : float, "random" or None
        When the seeds are infected, on the clock of the graph. None: at its first time. "random": drawn for each run,
        uniform from the first time of the graph to `end`, or to its last time where that comes before.
    width : float above 0, optional
        Length of a step of the time grid: step 0 holds the seeds, step k what happens in (start + (k - 1) width, start +
        k width], and what happens at `start` itself is in step 1. Default: a hundredth of the span.
    end : float, optional
        Last time that counts, on the clock of the graph. Default: its last time.

    See Also
    --------
    models.TemporalIC, models.EpidemicEnsemble, graph.TemporalGraph

    Notes
    -----
    Curves, peak and duration of the result are on the clock of the graph. With ``start="random"`` they are on that of each
    run, which is 0 at its start; what a run had at `end` it keeps from then on.

    There are no RR sets: a node infected earlier also recovers earlier and may miss later contacts, so that more seeds can
    reach less. Seeds are chosen by rankings or by ``method="celf"``, without a guarantee.

    References
    ----------
    - Holme, P. (2021). Fast and principled simulations of the SIR model on temporal networks. PLOS ONE 16(2), e0246961.
      doi:10.1371/journal.pone.0246961

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.graph.TemporalGraph.from_contacts([0, 1], [1, 2], [1.0, 2.0], directed=False)
    >>> model = dif.models.TemporalSIR(transmission=0.5)
    >>> forward, backward = (dif.spread(g, [seed], model=model, runs=20_000, rng=7) for seed in (0, 2))
    >>> forward.low < 1.75 < forward.high, backward.low < 1.5 < backward.high
    (True, True)
    """

    takes_probabilities = False
    result_type = EpidemicEnsemble
    states: ClassVar[tuple[str, ...]] = ("infected", "recovered")
    compartments: ClassVar[dict[str, tuple[int, ...]]] = {
        "susceptible": (-1, 0),
        "infected": (1, -1),
        "recovered": (0, 1),
    }
    crowded: ClassVar[str] = "infected"
    example: ClassVar[str] = "TemporalSIR(transmission=0.1, recovery=0.5)"

    transmission: float
    recovery: Any = _NEVER
    start: float | Literal["random"] | None = None
    width: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        probability(self.transmission, "transmission")
        object.__setattr__(self, "recovery", WaitingTime.of(self.recovery, "recovery"))
        self._check_clock(self.end, "end")

    @property
    def last(self) -> float | None:
        """See `end`."""
        return self.end

    def refuses_graph(self, graph: FollowerGraph) -> str:
        """See `DiffusionModel.refuses_graph`: it takes contacts."""
        refusal = super().refuses_graph(graph)
        if refusal or _times(graph).contacts is not None:
            return refusal
        return f"{self.name} infects at contacts, and this graph holds follows: take TemporalIC, or a graph of contacts"

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        self.check_graph(graph)
        times = _times(graph)
        assert times.contacts is not None
        most = int(np.diff(times.contacts.indptr).max())
        with np.errstate(divide="ignore", invalid="ignore"):
            p = -np.expm1(np.arange(most + 1) * np.log1p(-float(self.transmission)))
        p[0] = 0.0
        sure = self.transmission in (0, 1) and (self.recovery.kind == FIXED or self.recovery.never)
        wait = self.recovery.on_nodes(graph, "recovery")
        return _TemporalProgram(graph, self, SIR, p, wait, bool(sure))


@dataclass(frozen=True)
class TemporalIC(_TemporalModel):
    """Independent cascade on follows that begin and end, or on contacts: a note is seen by who follows when it is posted.

    A user who becomes active at time t posts then. On a graph of follows each arc that holds at t (start <= t < end) fires
    once with its propagation probability, and the follower becomes active after the delay: a follow that begins after a
    post carries nothing. On a graph of contacts each arc fires once, at its first contact after t (for seeds from t on),
    and the delay counts from that contact. Takes the graph's propagation probabilities.

    Parameters
    ----------
    delay : WaitingTime, float or str, default 1
        Time from exposure to activation, above 0; a number is the rate of an exponential time, per unit of the graph's
        clock.
    start : float, "random" or None
        When the seeds post, on the clock of the graph. None: at its first time. "random": drawn for each run, uniform from
        the first time of the graph to `deadline`, or to its last time where that comes before.
    width : float above 0, optional
        Length of a step of the time grid, as in `TemporalSIR`. Default: a hundredth of the span.
    deadline : float, optional
        Last time that counts, on the clock of the graph. Default: none.

    See Also
    --------
    models.TemporalSIR, graph.TemporalGraph, IC

    Notes
    -----
    There are no RR sets; seeds are chosen by rankings or by ``method="celf"``, without a guarantee.

    Examples
    --------
    Nothing reaches who followed after the post:

    >>> import diffusion as dif
    >>> g = dif.graph.TemporalGraph.from_follows([0, 0], [1, 2], [0.0, 5.0], directed=True, edges_mean="influences")
    >>> g = g.with_probabilities("constant", p=1.0)
    >>> cascade = dif.simulate_one(g, [0], model=dif.models.TemporalIC(), rng=7)
    >>> cascade.to_pandas()["node"].tolist()
    [0, 1]
    """

    delay: Any = RATE_1
    start: float | Literal["random"] | None = None
    width: float | None = None
    deadline: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "delay", WaitingTime.of(self.delay, "delay"))
        if self.delay == Fixed(0):
            raise InputError("delay=Fixed(0) leaves no order among users: give a time above 0, however short")
        self._check_clock(self.deadline, "deadline")

    @property
    def last(self) -> float | None:
        """See `deadline`."""
        return math.inf if self.deadline is None else self.deadline

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        self.check_graph(graph)
        p = need_probabilities(graph, self.name).astype(np.float64)
        wait = self.delay.on_arcs(graph, "delay")
        if wait.kind == FIXED and wait.scale.min(initial=1.0) <= 0:
            raise InputError(f"delay: a value of the column {self.delay.column!r} is 0: give times above 0")
        mode = IC_CONTACTS if _times(graph).follows is None else IC_FOLLOWS
        sure = wait.kind == FIXED and bool(np.isin(p, (0.0, 1.0)).all())
        return _TemporalProgram(graph, self, mode, p, wait, sure)


def _times(graph: FollowerGraph) -> TemporalGraph:
    assert isinstance(graph, TemporalGraph)
    return graph


def _clock(model: _TemporalModel, graph: TemporalGraph) -> tuple[float, float, float, float]:
    """First start, how much later a start may be drawn, last time that counts, and width of a step."""
    first, final = graph.span
    end = final if model.last is None else float(model.last)
    start = first if model.start is None or model.start == "random" else float(model.start)
    if end < start:
        raise InputError(
            f"{model.label} starts at {start:g} and ends at {end:g}: the graph's times go from {first:g} to {final:g}"
        )
    width = model.width if model.width is not None else (final - first) / 100 or 1.0
    return start, min(final, end) - first if model.start == "random" else 0.0, end, float(width)


_EVERY_RUN = constant(np.zeros(0, np.int64))


class _Workspace(Workspace):
    """A heap and lists for one run at a time."""

    def __init__(self, n: int) -> None:
        super().__init__(n, 0)
        lists = np.empty((3, n), np.int32)
        place, rank = np.full(n, AWAY, np.int32), np.empty(n, np.uint64)
        self.events = Events(np.full(n, np.inf), place, lists[0], lists[1], np.empty(n), lists[2], rank)


class _TemporalProgram(Program):
    """Deliveries wait in a heap, one run at a time."""

    def __init__(
        self,
        graph: FollowerGraph,
        model: _TemporalModel,
        mode: int,
        p: NDArray[np.float64],
        wait: Wait,
        sure: bool,
    ) -> None:
        super().__init__(graph, model)
        start, length, end, width = _clock(model, _times(graph))
        self.arcs = graph.cached("timed arcs", lambda: _timed_arcs(_times(graph)))
        self.course = Course(mode, constant(p), wait, start, length, end, width)
        self.deterministic = sure and length == 0.0

    def __reduce__(self) -> tuple[Any, ...]:
        return _compiled, (self.model, self.graph)

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes)

    def bytes_of_workspace(self, words: int) -> int:
        """Bytes of one thread's workspace: 48 a node."""
        return self.graph.n_nodes * 48

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        weighing = start.weighing(last - first)
        states, counts = len(self.model.states), workspace.node_counts[:, 0]
        run = self.arcs, self.course, start.for_kernel, start.key, first, last
        new, visits, steps, _ = temporal_batch(*run, states, False, workspace.events, counts, weighing)
        if steps > MOST_STEPS:
            raise InputError(
                f"a run has {steps:,} steps of width={self.course.width:g}: give a larger width=, such as "
                f"{self.course.width * steps / 100:.3g}, for at most {MOST_STEPS:,}"
            )
        return Chunk(new, int(visits), weighing.sums if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`."""
        space, alone = _Workspace(self.graph.n_nodes), start.of_run(run)
        rules = self.arcs, self.course, KernelStart(alone.seeds, _EVERY_RUN), start.key
        found = temporal_run(*rules, run, space.events, space.node_counts[:, 0], Weighing(NO_WEIGHTS, np.zeros(0)))
        nodes, steps, parents, time, over = found
        details = {"time": time, "recovery": over} if len(self.model.states) > 1 else {"time": time}
        return Trace(nodes, steps, parents, details)


def _compiled(model: _TemporalModel, graph: FollowerGraph) -> Program:
    return model.compile(graph)


def _timed_arcs(graph: TemporalGraph) -> TimedArcs:
    """Arcs of every node by falling last time, so that a kernel stops at the first that is over."""
    of = graph.contacts if graph.follows is None else graph.follows
    assert of is not None
    time = graph.contacts.times if graph.contacts is not None else graph.follows.start  # type: ignore[union-attr]
    until = graph.follows.end if graph.follows is not None else time
    last = until[of.indptr[1:] - 1]
    order = np.lexsort((-last, graph.csr.sources))
    counts = np.diff(of.indptr)[order]
    begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    at = np.repeat(of.indptr[:-1][order] - begin[:-1], counts) + np.arange(begin[-1])
    until = until[at] if graph.follows is not None else np.zeros(1)
    target = graph.csr.indices[order]
    return TimedArcs(
        graph.csr.indptr, *map(constant, (target, order.astype(np.int64), last[order], begin, time[at], until))
    )
