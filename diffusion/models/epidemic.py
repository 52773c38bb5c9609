"""Epidemics in continuous time in which a node is infected at most once: SIR and SEIR."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ..graph.follower_graph import FollowerGraph
from ..kernels.arcs import OutArcs
from ..kernels.clock import steps_of
from ..kernels.epidemic import BUCKETS, FREE, Course, Outbreak, outbreak_tree, outbreaks
from .base import LiveEdges
from .compartmental import Compartmental, too_many_steps, typical_time
from .next_generation import NextGeneration
from .outbreak_size import OutbreakSize, shared_periods
from .program import Chunk, Program, Start, Trace, Workspace
from .waiting import RATE_1, Fixed, WaitingTime

__all__ = ["SEIR", "SIR"]

AT_ONCE = Fixed(0.0)
BUCKET = 0.1  # width of a bucket of times, as a share of a typical time


class _Outbreaks(Compartmental):
    """What SIR and SEIR share."""

    @property
    def latency(self) -> WaitingTime | None:
        """Time from infection until a node is infectious; None: at once."""
        return None

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return _OutbreakProgram(graph, self)

    def submodular(self, graph: FollowerGraph) -> bool:
        """True: infection times are shortest paths over random arcs."""
        return True

    def live_edges(self, graph: FollowerGraph) -> LiveEdges:
        """An arc is live if its transmission time is at most its source's period; with an `end`, paths take time."""
        waits = self.time_of("transmission"), self.time_of("recovery")
        return shared_periods(graph, self.effective_probabilities(graph), *waits, self.latency, self.end)

    def in_generations(self) -> OutbreakSize:
        """Percolation along the arcs whose own transmission time is at most the end."""
        waits = self.time_of("transmission"), self.time_of("recovery")
        return OutbreakSize(*waits, within=self.end, generations=True)

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """Transmissibility of every arc; with an `end`, of a source that is infected at time 0."""
        return self.in_generations().effective_probabilities(graph)

    def next_generation(self, graph: FollowerGraph) -> NextGeneration | None:
        """See `DiffusionModel.next_generation`: that of percolation."""
        return self.in_generations().next_generation(graph)


@dataclass(frozen=True)
class SIR(_Outbreaks):
    """Susceptible, infected, recovered: an infected node infects followers until it recovers, and is immune then.

    A node u infected at time t is infectious for a period R. Every arc u -> v has a transmission time D, the time until
    the first contact that transmits: v is infected at t + D if D <= R and v is still susceptible then (Kermack and
    McKendrick 1927; on networks Newman 2002). With rates, that is with exponential times, it is the Markov process; with
    `Geometric` times it is the model in discrete time, where at each step transmission comes before recovery.

    Parameters
    ----------
    transmission : WaitingTime or float
        Transmission time of an arc; a number is a rate.
    recovery : WaitingTime or float, default 1.0
        Infectious period of a node; a number is a rate, and 0 is the SI model without recovery.
    width : float, default 1.0
        Length of a step of the time grid. Step 0 holds the seeds, step k what happens in ((k - 1) * width, k * width].
    end : float, optional
        Nothing after this time happens.

    See Also
    --------
    models.SEIR, models.SIS, models.Exponential, models.EpidemicEnsemble, simulate

    Notes
    -----
    The final size is that of percolation in which arcs out of one node share its infectious period (Kenah and Robins
    2007). Times are found as shortest paths; events at equal times count as the model says, without a jitter.

    References
    ----------
    - Kermack, W. O. and McKendrick, A. G. (1927). A contribution to the mathematical theory of epidemics. Proceedings of
      the Royal Society A 115(772), 700-721. doi:10.1098/rspa.1927.0118
    - Newman, M. E. J. (2002). Spread of epidemic disease on networks. Physical Review E 66, 016128.
      doi:10.1103/PhysRevE.66.016128
    - Kenah, E. and Robins, J. M. (2007). Second look at the spread of epidemics on networks. Physical Review E 76, 036113.
      doi:10.1103/PhysRevE.76.036113

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1], [1, 2, 2], directed=False)
    >>> estimate = dif.spread(g, [0], model=dif.models.SIR(transmission=1.0), runs=20_000, confidence=0.999, rng=7)
    >>> estimate.low < 13 / 6 < estimate.high
    True
    """

    states: ClassVar[tuple[str, ...]] = ("infected", "recovered")
    compartments: ClassVar[dict[str, tuple[int, ...]]] = {
        "susceptible": (-1, 0),
        "infected": (1, -1),
        "recovered": (0, 1),
    }
    waiting: ClassVar[tuple[str, ...]] = ("transmission", "recovery")
    example: ClassVar[str] = "SIR(transmission=0.3, recovery=1.0)"

    transmission: WaitingTime | float
    recovery: WaitingTime | float = RATE_1
    width: float = field(default=1.0, kw_only=True)
    end: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check()


@dataclass(frozen=True)
class SEIR(_Outbreaks):
    """Susceptible, exposed, infected, recovered: SIR whose nodes are infectious only after an incubation time.

    A node exposed at time t is infectious from t + E until t + E + R, and then infects as in `SIR`.

    Parameters
    ----------
    transmission : WaitingTime or float
        Transmission time of an arc, counted from when its source is infectious; a number is a rate.
    incubation : WaitingTime or float
        Time E from exposure until a node is infectious; a number is a rate.
    recovery : WaitingTime or float, default 1.0
        Infectious period R of a node.
    width, end
        As in `SIR`.

    See Also
    --------
    models.SIR, models.EpidemicEnsemble, simulate

    References
    ----------
    - Anderson, R. M. and May, R. M. (1991). Infectious Diseases of Humans: Dynamics and Control. Oxford University Press.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1], [1, 2, 2], directed=False)
    >>> model = dif.models.SEIR(transmission=1.0, incubation=dif.models.Gamma(mean=5.0, shape=3.0))
    >>> estimate = dif.spread(g, [0], model=model, runs=20_000, confidence=0.999, rng=7)
    >>> estimate.low < 13 / 6 < estimate.high  # the incubation delays, and changes no final size
    True
    """

    states: ClassVar[tuple[str, ...]] = ("exposed", "infected", "recovered")
    compartments: ClassVar[dict[str, tuple[int, ...]]] = {
        "susceptible": (-1, 0, 0),
        "exposed": (1, -1, 0),
        "infected": (0, 1, -1),
        "recovered": (0, 0, 1),
    }
    waiting: ClassVar[tuple[str, ...]] = ("transmission", "incubation", "recovery")
    example: ClassVar[str] = "SEIR(transmission=0.3, incubation=0.5, recovery=1.0)"

    transmission: WaitingTime | float
    incubation: WaitingTime | float
    recovery: WaitingTime | float = RATE_1
    width: float = field(default=1.0, kw_only=True)
    end: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check()

    @property
    def latency(self) -> WaitingTime | None:
        """See `SIR`: the incubation time."""
        return self.time_of("incubation")


class _Workspace(Workspace):
    """Times, buckets and lists of one run at a time."""

    def __init__(self, n: int, most: int) -> None:
        super().__init__(n, 0)
        head = np.full(BUCKETS + 1, -1, np.int32)
        lists = np.empty(n, np.int32), head, np.empty(n, np.int32), np.full(n, FREE, np.int32)
        self.outbreak = Outbreak(
            np.full(n, np.inf), np.full(n, -1.0), np.zeros(n), *lists, np.empty(most + 1, np.int64)
        )


class _OutbreakProgram(Program):
    """Shortest paths over random arcs, one run at a time."""

    def __init__(self, graph: FollowerGraph, model: _Outbreaks) -> None:
        super().__init__(graph, model)
        self.model: _Outbreaks = model
        self.arcs = OutArcs(graph.csr.indptr, graph.csr.indices)
        transmission = model.time_of("transmission").on_arcs(graph, "transmission")
        latent, recovery = (
            (model.latency or AT_ONCE).on_nodes(graph, "incubation"),
            model.time_of("recovery").on_nodes(graph, "recovery"),
        )
        width = BUCKET * typical_time(transmission, latent, recovery)
        self.course = Course(transmission, latent, recovery, model.horizon, 1.0 / width)
        self.most = int(np.diff(graph.csr.indptr).max(initial=0))

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes, self.most)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`."""
        return self.graph.n_nodes * 44 + 8 * self.most

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        weighing = start.weighing(last - first)
        seeds, begin = start.by_run(first, last)
        rules = self.arcs, self.course, self.model.clock, seeds, begin, start.key, first, last
        exposed, counts = len(self.model.states) == 3, workspace.node_counts[:, 0]
        new, visits = outbreaks(*rules, workspace.outbreak, exposed, counts, weighing)
        if visits < 0:
            raise too_many_steps(self.model)
        return Chunk(new, int(visits), weighing.sums if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`; details have the times of infection, of becoming infectious and of recovery."""
        found = outbreak_tree(self.arcs, self.course, start.seeds, start.key, run)
        nodes, time, parents, infectious, recovered = found
        details = {"time": time, "infectious": infectious, "recovered": recovered}
        return Trace(nodes, steps_of(time, float(self.model.width)), parents, details)
