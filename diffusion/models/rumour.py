"""Rumours whose spreaders lose interest when they meet someone who knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from ..errors import NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..kernels.clock import steps_of
from ..kernels.events import Heap
from ..kernels.rumour import Gossip, Pairs, Talk, rumour_tree, rumours
from .compartmental import Compartmental, too_many_steps
from .program import Chunk, Program, Start, Trace, Workspace
from .waiting import RATE_1, WaitingTime

__all__ = ["Rumour"]

KINDS = ("maki_thompson", "daley_kendall")


@dataclass(frozen=True)
class Rumour(Compartmental):
    """Ignorants, spreaders and stiflers: a spreader who meets someone who knows the rumour stops spreading it.

    A spreader u tells a follower v who does not know after the time `spread` of the arc u -> v. From when u is a spreader
    and v knows, whichever comes later, the time `stifle` of the arc runs, and at its end u becomes a stifler. With rates
    both are Poisson contacts: `spread` that of contacts that convince an ignorant, `stifle` that of contacts with one who
    knows that end the spreader's interest.

    Parameters
    ----------
    spread : WaitingTime or float
        Time of an arc until its target is told; a number is a rate.
    stifle : WaitingTime or float, default 1.0
        Time of an arc until its source loses interest in telling a target who knows; a number is a rate.
    kind : {"maki_thompson", "daley_kendall"}
        ``"maki_thompson"``: only the spreader who makes the contact becomes a stifler. ``"daley_kendall"``: if its target is
        a spreader, both do; two spreaders who follow each other are one pair, which meets by one clock.
    width : float, default 1.0
        Length of a step of the time grid, as in `SIR`.
    end : float, optional
        Nothing after this time happens.

    See Also
    --------
    models.SIR, models.EpidemicEnsemble, simulate

    Notes
    -----
    On a large complete graph with ``spread = stifle`` a share of 0.2032 of all nodes never hears the rumour, in both kinds:
    the root of theta = exp(-2 (1 - theta)). There are no live edges: a node that is told may stop others, so that more
    seeds can reach less.

    References
    ----------
    - Daley, D. J. and Kendall, D. G. (1964). Epidemics and rumours. Nature 204, 1118. doi:10.1038/2041118a0
    - Maki, D. P. and Thompson, M. (1973). Mathematical Models and Applications. Prentice-Hall.
    - Moreno, Y., Nekovee, M. and Pacheco, A. F. (2004). Dynamics of rumor spreading in complex networks. Physical Review
      E 69, 066130. doi:10.1103/PhysRevE.69.066130

    Examples
    --------
    >>> import diffusion as dif
    >>> import networkx as nx
    >>> g = dif.FollowerGraph.from_networkx(nx.complete_graph(300))
    >>> ens = dif.simulate(g, [0], model=dif.models.Rumour(spread=1.0, width=0.01), runs=100, rng=7)
    >>> bool(0.17 < 1 - ens.sizes.mean() / 300 < 0.24)
    True
    """

    states: ClassVar[tuple[str, ...]] = ("spreader", "stifler")
    compartments: ClassVar[dict[str, tuple[int, ...]]] = {"ignorant": (-1, 0), "spreader": (1, -1), "stifler": (0, 1)}
    crowded: ClassVar[str] = "spreader"
    waiting: ClassVar[tuple[str, ...]] = ("spread", "stifle")
    example: ClassVar[str] = "Rumour(spread=1.0, stifle=1.0)"

    spread: WaitingTime | float
    stifle: WaitingTime | float = RATE_1
    kind: Literal["maki_thompson", "daley_kendall"] = field(default="maki_thompson", kw_only=True)
    width: float = field(default=1.0, kw_only=True)
    end: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise NotFoundError(
                f"kind={self.kind!r} is no kind of rumour: choose {' or '.join(map(repr, KINDS))}."
                + did_you_mean(self.kind, KINDS)
            )
        self._check()

    @property
    def not_submodular(self) -> str:
        """Spreaders stop each other."""
        return "spreaders who meet others who know the rumour stop, so that a second seed can take spreaders away"

    @property
    def no_live_edges(self) -> str:
        """See `DiffusionModel.no_live_edges`."""
        return "Rumour, in which a node that is told may stop another"

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return _RumourProgram(graph, self)


class _Workspace(Workspace):
    """Times of the nodes and the events to come, of one run at a time."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__(n, 0)
        room = n + 2 * m
        heap = Heap(np.empty(room), np.empty(room, np.uint64), np.empty(room, np.int64))
        lists = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(m, np.int32)
        self.talk = Talk(np.full(n, np.inf), np.empty(n), np.empty(n), *lists, heap)


class _RumourProgram(Program):
    """Contacts in order of time, one run at a time."""

    def __init__(self, graph: FollowerGraph, model: Rumour) -> None:
        super().__init__(graph, model)
        self.model: Rumour = model
        csr, both = graph.csr, model.kind == "daley_kendall"
        meets = (csr.back < 0) | (csr.sources < csr.indices) if both else np.ones(1, np.bool_)
        self.pairs = Pairs(csr.indptr, csr.indices, csr.into.indptr, csr.into.sources, csr.into.arc, meets)
        spread, stifle = (
            model.time_of("spread").on_arcs(graph, "spread"),
            model.time_of("stifle").on_arcs(graph, "stifle"),
        )
        self.gossip = Gossip(spread, stifle, both, model.horizon)

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes, self.graph.n_edges)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`."""
        return self.graph.n_nodes * 64 + self.graph.n_edges * 52

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        weighing = start.weighing(last - first)
        seeds, begin = start.by_run(first, last)
        rules = self.pairs, self.gossip, self.model.clock, seeds, begin, start.key, first, last
        new, visits = rumours(*rules, workspace.talk, workspace.node_counts[:, 0], weighing)
        if visits < 0:
            raise too_many_steps(self.model)
        return Chunk(new, int(visits), weighing.sums if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`; details have the times of being told and of becoming a stifler."""
        space = _Workspace(self.graph.n_nodes, self.graph.n_edges).talk
        nodes, told, parents, stopped = rumour_tree(self.pairs, self.gossip, start.seeds, start.key, run, space)
        return Trace(nodes, steps_of(told, float(self.model.width)), parents, {"time": told, "stopped": stopped})
