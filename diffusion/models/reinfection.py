"""Epidemics in continuous time whose nodes can be infected again: SIS and SIRS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..kernels.arcs import OutArcs
from ..kernels.clock import Clock, steps_of
from ..kernels.events import Heap
from ..kernels.reinfection import Contacts, Relapse, first_infections, many_relapses
from ..kernels.waiting import FIXED, GAMMA, GEOMETRIC, Wait
from .compartmental import MAX_STEPS, Compartmental, too_many_steps
from .program import Chunk, Program, Start, Trace, Workspace
from .waiting import RATE_1, Fixed, WaitingTime

__all__ = ["SIRS", "SIS"]

MOST_CONTACTS = 10_000  # along one arc in one infection


class _Relapsing(Compartmental):
    """What SIS and SIRS share."""

    @property
    def immune(self) -> WaitingTime:
        """Time from recovery until a node is susceptible again."""
        return Fixed(0.0)

    def _check(self) -> None:
        if self.end is None:
            raise InputError(
                f"{self.name} needs end=, the time at which it stops, such as end=50.0: a disease that comes back to the "
                "same nodes may never end by itself"
            )
        super()._check()

    @property
    def not_submodular(self) -> str:
        """Who is infected earlier is also immune or recovered earlier."""
        return "who is infected earlier also recovers earlier, so that a second seed can take infections away"

    @property
    def no_live_edges(self) -> str:
        """See `DiffusionModel.no_live_edges`."""
        return f"{self.name}, whose nodes are infected again and again along arcs that are not simply live or not"

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return _RelapseProgram(graph, self)


@dataclass(frozen=True)
class SIS(_Relapsing):
    """Susceptible, infected, susceptible: a node that recovers can be infected again.

    While a node is infected, each arc out of it is in contact with its target again and again, and a contact infects a
    target that is susceptible. The times between contacts are the waiting times `transmission`: with a rate contacts
    are a Poisson process, and the model is the Markov process (contact process) on the graph; with any other distribution
    they are a renewal process that begins with the infection. A contact at the very time at which its source recovers
    still counts, and one at the very time at which its target recovers does not infect it, so that `Geometric` times
    give the model in discrete time in which all nodes look at the states before the step.

    Parameters
    ----------
    transmission : WaitingTime or float
        Time between contacts of an arc that transmit; a number is a rate.
    recovery : WaitingTime or float, default 1.0
        Time for which an infection lasts.
    width : float, default 1.0
        Length of a step of the time grid, as in `SIR`.
    end : float
        Nothing after this time happens. Has to be given, for an endemic state does not end.

    See Also
    --------
    models.SIRS, models.SIR, models.EpidemicEnsemble, simulate

    Notes
    -----
    Sizes count nodes ever reached: the state ``"reached"``. ``"infected"`` and ``"recovered"`` count events. A replay is the
    tree of first infections. There are no live edges: whether a contact infects depends on when its target was infected
    before, so that no certificate is known for seeds.

    References
    ----------
    - Pastor-Satorras, R., Castellano, C., Van Mieghem, P. and Vespignani, A. (2015). Epidemic processes in complex networks.
      Reviews of Modern Physics 87, 925-979. doi:10.1103/RevModPhys.87.925

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(300, rng=7)
    >>> ens = dif.simulate(g, [0, 1, 2], model=dif.models.SIS(transmission=0.5, end=20.0), runs=50, rng=7)
    >>> infected = ens.counts("infected")
    >>> infected.shape, bool((infected[:, -1] <= ens.sizes).all())
    ((50, 21), True)
    """

    states: ClassVar[tuple[str, ...]] = ("reached", "infected", "recovered")
    compartments: ClassVar[dict[str, tuple[int, ...]]] = {"susceptible": (0, -1, 1), "infected": (0, 1, -1)}
    waiting: ClassVar[tuple[str, ...]] = ("transmission", "recovery")
    example: ClassVar[str] = "SIS(transmission=0.3, recovery=1.0, end=50.0)"

    transmission: WaitingTime | float
    recovery: WaitingTime | float = RATE_1
    width: float = field(default=1.0, kw_only=True)
    end: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check()


@dataclass(frozen=True)
class SIRS(_Relapsing):
    """Susceptible, infected, recovered, susceptible: immunity wanes, and a node can be infected again.

    As `SIS`, but a node that recovers is immune for the time `waning` before it is susceptible again.

    Parameters
    ----------
    transmission : WaitingTime or float
        Time between contacts of an arc that transmit, as in `SIS`; a number is a rate.
    recovery : WaitingTime or float
        Time for which an infection lasts.
    waning : WaitingTime or float
        Time for which a node is immune after it.
    width, end
        As in `SIS`; `end` has to be given.

    See Also
    --------
    models.SIS, models.SIR, models.EpidemicEnsemble, simulate

    References
    ----------
    - Pastor-Satorras, R., Castellano, C., Van Mieghem, P. and Vespignani, A. (2015). Epidemic processes in complex networks.
      Reviews of Modern Physics 87, 925-979. doi:10.1103/RevModPhys.87.925

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(300, rng=7)
    >>> model = dif.models.SIRS(transmission=0.5, recovery=1.0, waning=0.1, end=20.0)
    >>> dif.simulate(g, [0, 1, 2], model=model, runs=50, rng=7).curves()["compartment"].unique().tolist()
    ['susceptible', 'infected', 'recovered']
    """

    states: ClassVar[tuple[str, ...]] = ("reached", "infected", "recovered", "susceptible")
    compartments: ClassVar[dict[str, tuple[int, ...]]] = {
        "susceptible": (0, -1, 0, 1),
        "infected": (0, 1, -1, 0),
        "recovered": (0, 0, 1, -1),
    }
    waiting: ClassVar[tuple[str, ...]] = ("transmission", "recovery", "waning")
    example: ClassVar[str] = "SIRS(transmission=0.3, recovery=1.0, waning=0.2, end=50.0)"

    transmission: WaitingTime | float
    recovery: WaitingTime | float
    waning: WaitingTime | float
    width: float = field(default=1.0, kw_only=True)
    end: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check()

    @property
    def immune(self) -> WaitingTime:
        """See `SIS`: the waning time."""
        return self.time_of("waning")


class _Workspace(Workspace):
    """Infections of the nodes and the next contact of every arc, of one run at a time."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__(n, 0)
        heap = Heap(np.empty(m), np.empty(m, np.uint64), np.empty(m, np.int64))
        of_arcs = np.empty(m, np.int32), np.empty(m, np.int32)
        self.contacts = Contacts(np.zeros(n, np.int32), np.empty(n), np.empty(n), np.empty(n, np.int32), *of_arcs, heap)


def _mean(wait: Wait) -> NDArray[np.float64]:
    """Mean of every arc or node, about."""
    with np.errstate(divide="ignore"):
        return np.asarray(
            1.0 / wait.scale
            if wait.kind == GEOMETRIC
            else wait.scale * max(wait.shape, 1e-300)
            if wait.kind == GAMMA
            else wait.scale
        )


def _bounded_contacts(model: _Relapsing, transmission: Wait, recovery: Wait) -> None:
    """Refuse rates with which one infection makes more contacts along an arc than can be followed one by one."""
    if not transmission.scale.size or not recovery.scale.size:
        return
    longest, shortest = min(float(_mean(recovery).max()), model.horizon), float(_mean(transmission).min())
    if longest > MOST_CONTACTS * shortest:
        raise InputError(
            f"transmission={model.time_of('transmission')} makes some {longest / max(shortest, 1e-300):,.0f} contacts along an arc in one "
            f"infection, and {model.name} follows at most {MOST_CONTACTS:,}: with so many a node is infected as soon as it "
            "is susceptible, so give a lower rate"
        )


class _RelapseProgram(Program):
    """Contacts in order of time, one run at a time."""

    def __init__(self, graph: FollowerGraph, model: _Relapsing) -> None:
        super().__init__(graph, model)
        self.model: _Relapsing = model
        self.arcs = OutArcs(graph.csr.indptr, graph.csr.indices)
        transmission = model.time_of("transmission").on_arcs(graph, "transmission")
        if transmission.kind == FIXED and (transmission.scale == 0.0).any():
            raise InputError(
                f"transmission={model.time_of('transmission')}: contacts that follow each other in no time have no next one: give "
                f"{model.name} times above 0"
            )
        recovery, waning = model.time_of("recovery").on_nodes(graph, "recovery"), model.immune.on_nodes(graph, "waning")
        self.disease = Relapse(transmission, recovery, waning, model.horizon)
        _bounded_contacts(model, transmission, recovery)
        self.wanes = len(model.states) == 4

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes, self.graph.n_edges)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`."""
        return self.graph.n_nodes * 32 + self.graph.n_edges * 32

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        weighing = start.weighing(last - first)
        seeds, begin = start.by_run(first, last)
        rules = self.arcs, self.disease, self.model.clock, self.wanes, seeds, begin, start.key, first, last
        new, visits = many_relapses(*rules, workspace.contacts, workspace.node_counts[:, 0], weighing)
        if visits < 0:
            raise too_many_steps(self.model)
        return Chunk(new, int(visits), weighing.sums if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`: the first infection of every node."""
        space = _Workspace(self.graph.n_nodes, self.graph.n_edges).contacts
        one_step = Clock(np.inf, MAX_STEPS)  # steps are not counted here
        rules = self.arcs, self.disease, one_step, self.wanes, start.seeds, start.key, run
        nodes, time, parents = first_infections(*rules, space)
        return Trace(nodes, steps_of(time, float(self.model.width)), parents, {"time": time})
