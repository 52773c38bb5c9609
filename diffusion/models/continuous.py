"""Independent cascades in continuous time, and with meetings: what becomes active by a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from .._validation import number, probability
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..kernels.continuous import LARGEST, MOST_STEPS, UNSEEN, Space, Timed, continuous_batch, continuous_run
from ..kernels.heap import new_heap
from .base import DiffusionModel, LiveEdges
from .cascade import CascadeProgram
from .program import Chunk, Program, Start, Trace, Workspace
from .timed import TimedSampler, arrival, limit_of, scaled
from .waiting import RATE_1, Geometric, WaitingTime

__all__ = ["CTIC", "ICM"]

_ANY_DELAY = constant(np.full(1, 2.0))
_CERTAIN = constant(np.ones(1, np.float32))


class _InTime(DiffusionModel):
    """Arcs that are live with their probability and then take a delay, up to a deadline."""

    delay: Any
    deadline: float | None
    width: float = 1.0

    @property
    def steps_are_times(self) -> bool:
        """See `DiffusionModel.steps_are_times`."""
        return True

    def _check(self) -> None:
        if self.deadline is not None:
            number(self.deadline, "deadline", least=0, advice=", or None for no deadline")

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return _TimedProgram(graph, self)

    def submodular(self, graph: FollowerGraph) -> bool:
        """Always: a node is active in time if it is from one of the seeds."""
        return True

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """Return the graph with the probability that an arc is live and its delay at most the deadline."""
        wait = self.delay.on_arcs(graph, "delay")
        return scaled(graph, arrival(wait, graph, limit_of(self.deadline)), self.deadline)

    def live_edges(self, graph: FollowerGraph) -> LiveEdges:
        """Arcs are live independently; with a deadline, RR sets are drawn in time."""
        alone = self.effective_probabilities(graph)
        if self.deadline is None:
            return LiveEdges(alone)
        return LiveEdges(alone, sampler=TimedSampler(graph, self.delay, deadline=self.deadline))

    def in_generations(self) -> DiffusionModel:
        """Return the independent cascade along the arcs whose delay is at most the deadline: R counts generations."""
        return _Generations(self)


@dataclass(frozen=True)
class _Generations(DiffusionModel):
    """Independent cascade with the effective probabilities of a model in time."""

    of: _InTime

    @property
    def label(self) -> str:
        """Label of the model in time."""
        return self.of.label

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return CascadeProgram(self.of.effective_probabilities(graph), self)

    def live_edges(self, graph: FollowerGraph) -> LiveEdges:
        """See `DiffusionModel.live_edges`."""
        return LiveEdges(self.of.effective_probabilities(graph))


@dataclass(frozen=True)
class CTIC(_InTime):
    """Continuous-time independent cascade: an arc that fires takes a random time, and only what comes in time counts.

    An arc is live with the graph's propagation probability (on a graph without probabilities every arc is), and then has
    a delay. A node becomes active at its shortest distance in time from the seeds (Gomez-Rodriguez, Balduzzi and
    Schoelkopf 2011; Du, Song, Gomez-Rodriguez and Zha 2013).

    Parameters
    ----------
    delay : WaitingTime, float or str, default Exponential(1)
        Of each live arc. A number is a rate, a name a column of rates: ``"weight"`` is what the graph was built with.
    deadline : float from 0, optional
        Only activations up to this time count. Default: all do, and the size is that of `IC`.
    width : float above 0, default 1
        Length of a step of the time grid: step k holds the activations at times in ((k - 1) width, k width], and step 0
        the seeds.

    See Also
    --------
    models.ICM, models.Exponential, IC, select_seeds, inference.NetRate

    Notes
    -----
    Delays, deadline and width have one unit of time; ``replay(run).time`` gives the time of every activation. The spread
    is monotone and submodular in the seeds, and `select_seeds` certifies seeds for the deadline. Under one key a run
    without a deadline reaches the nodes that the same run of `IC` reaches.

    References
    ----------
    - Gomez-Rodriguez, M., Balduzzi, D. and Schölkopf, B. (2011). Uncovering the temporal dynamics of diffusion networks.
      ICML 2011. arXiv:1105.0697
    - Du, N., Song, L., Gomez-Rodriguez, M. and Zha, H. (2013). Scalable influence estimation in continuous-time diffusion
      networks. NIPS 2013. arXiv:1311.3669

    Examples
    --------
    Five users in a row, and time 1: the number reached beyond the first is a Poisson number of at most 4.

    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2, 3], [1, 2, 3, 4], edges_mean="influences", directed=True)
    >>> estimate = dif.spread(g, [0], model=dif.models.CTIC(1.0, deadline=1.0), runs=20_000, rng=7)
    >>> estimate.low < 1.99565 < estimate.high
    True
    """

    delay: Any = RATE_1
    deadline: float | None = None
    width: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "delay", WaitingTime.of(self.delay, "delay"))
        self._check()
        number(self.width, "width", above=0)


@dataclass(frozen=True)
class ICM(_InTime):
    """Independent cascade with meetings (IC-M): at each step an active node meets a follower with a probability.

    At the first meeting it tries once to activate the follower, with the arc's propagation probability. This is `CTIC`
    with geometric delays (Chen, Lu and Zhang 2012).

    Parameters
    ----------
    meeting : float in [0, 1] or str
        Probability to meet at each step; a name is that of a column of the arcs.
    deadline : float from 0, optional
        Number of steps after which activations no longer count. Default: all do.

    See Also
    --------
    models.CTIC, models.Geometric, IC

    References
    ----------
    - Chen, W., Lu, W. and Zhang, N. (2012). Time-critical influence maximization in social networks with time-delayed
      diffusion process. AAAI 2012. arXiv:1204.3074

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.8)
    >>> estimate = dif.spread(g, [0], model=dif.models.ICM(0.5, deadline=2), runs=20_000, rng=7)
    >>> estimate.low < 1 + 0.8 * (1 - 0.5**2) < estimate.high
    True
    """

    example: ClassVar[str] = "ICM(meeting=0.5)"

    meeting: float | str
    deadline: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.meeting, str):
            probability(self.meeting, "meeting")
        self._check()

    @property
    def delay(self) -> WaitingTime:
        """Steps until the first meeting."""
        return Geometric(self.meeting)


class _Workspace(Workspace):
    """Lists for one run at a time."""

    def __init__(self, n: int) -> None:
        super().__init__(n, 0)
        self.space = Space(np.full(n, UNSEEN), new_heap(n), np.empty(n, np.int32), np.empty(n, np.int32))


class _TimedProgram(Program):
    """Shortest paths of delays along live arcs, one run at a time."""

    def __init__(self, graph: FollowerGraph, model: _InTime) -> None:
        super().__init__(graph, model)
        self._model = model
        wait, limit = model.delay.on_arcs(graph, "delay"), limit_of(model.deadline)
        self._arrives = arrival(wait, graph, limit)
        late = self._arrives if limit < LARGEST else _ANY_DELAY
        self._p: NDArray[np.float32] = _CERTAIN if graph.probabilities is None else graph.probabilities.values
        csr = graph.csr
        self._arcs = Timed(csr.indptr, csr.indices, self._p, wait, late, limit, float(model.width))

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`."""
        return 40 * self.graph.n_nodes

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        weighing = start.weighing(last - first)
        counts = workspace.node_counts[:, 0]
        of_runs = self._arcs, *start.by_run(first, last), start.key, first, last, workspace.space, counts, weighing
        new, depth, visits = continuous_batch(*of_runs)
        self._check_steps(int(depth) - 1)
        return Chunk(new[:, :, None], int(visits), weighing.sums if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`."""
        space = _Workspace(self.graph.n_nodes).space
        nodes, steps, parents, times = continuous_run(self._arcs, start.seeds, start.key, run, space)
        self._check_steps(int(steps.max(initial=0)))
        return Trace(nodes, steps, parents, {"time": times})

    def _check_steps(self, steps: int) -> None:
        if steps > MOST_STEPS:
            raise InputError(
                f"a run of {self._model.label} lasts more than {MOST_STEPS:,} steps of width={self._model.width:g}: give a "
                "larger width, or a deadline"
            )

    def certain(self, start: Start) -> NDArray[np.int32]:
        """See `Program.certain`."""
        return (
            self.reachable(start, (self._p >= 1) & (self._arrives >= 1)) if self._arcs.limit == LARGEST else start.seeds
        )

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`."""
        return self.reachable(start, (self._p > 0) & (self._arrives > 0))
