"""What every model of diffusion answers: everything special about a model is asked of it, never of its type."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..results.ensemble import Ensemble
from .declared import Declared
from .next_generation import NextGeneration
from .program import Program

__all__ = ["DiffusionModel", "LiveEdges", "RRSampler", "need_probabilities"]


class RRSampler(Protocol):
    """How RR sets of a model are drawn that are not those of independent arcs, nor of one in-arc a node.

    Set i of a key is a function of the key and i alone; see ``diffusion.kernels.rr_sets.sample_ic`` for the arguments.
    """

    def marks(self) -> Any:
        """Return the workspace of one thread, which `sample` leaves as it found it."""
        ...

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
        """Append sets first ... last - 1 to `nodes` from `size` on, their ends to `ends` from `row` on.

        Returns
        -------
        done : int
            Sets sampled; fewer where `nodes` is full.
        size : int
        empty : int
            Empty sets among them.
        """
        ...


@dataclass(frozen=True, eq=False)
class LiveEdges:
    """A graph whose live edges give the spread of a model exactly, so that its RR sets estimate it.

    Attributes
    ----------
    graph : FollowerGraph
        With the probability of every arc to be live. Its nodes may be other than users: see `seed_of` and `counted`.
    linear : bool
        False: arcs are live independently. True: at most one arc into a node is live.
    seed_of : ndarray of int32, shape (n_users,), or None
        Node of `graph` (internal) that is active where a user (internal) is a seed; None: users are the nodes.
    counted : ndarray of int32, shape (n_users,), or None
        Node of `graph` (internal) whose activation counts for a user (internal); None: users are the nodes.
    rated : tuple of RatedArcs
        Further arcs, too many to be stored one by one.
    sampler : RRSampler or None
        Draws the RR sets where arcs are neither of these, such as arcs out of one node that share its infectious period;
        the probabilities of `graph` are then those of each arc alone.

    See Also
    --------
    models.DiffusionModel, models.RatedArcs, seeding.sample_rr_sets
    """

    graph: FollowerGraph
    linear: bool = False
    seed_of: NDArray[np.int32] | None = None
    counted: NDArray[np.int32] | None = None
    rated: tuple[RatedArcs, ...] = ()
    sampler: RRSampler | None = None


@dataclass(frozen=True, eq=False)
class RatedArcs:
    """Arcs into nodes that have no others, from many sources each, with one rate a node.

    Node ``nodes[k]`` (internal) gets an arc from each of ``sources[begin[k] : begin[k] + count[k]]`` that is live with
    probability 1 - exp(-rate[k]); several nodes may share their sources, and still draw on their own.

    Attributes
    ----------
    nodes : ndarray of int32, shape (n,)
        Internal nodes of the graph of the live edges.
    sources : ndarray of int32
        Internal nodes, in blocks.
    begin, count : ndarray of int64, shape (n,)
        Where the block of each node begins in `sources`, and how long it is.
    rate : ndarray of float64, shape (n,)

    See Also
    --------
    models.LiveEdges

    Examples
    --------
    The users to whom a feed shows the notes of every sharer, as SIPS declares them:

    >>> import diffusion as dif
    >>> g = dif.generate_platform(200, communities=2, rng=7)
    >>> model = dif.SIPS(attention=0.1, feed=dif.models.Feed(impressions=2.0))
    >>> [len(rated.nodes) for rated in model.live_edges(g).rated]
    [200]
    """

    nodes: NDArray[np.int32]
    sources: NDArray[np.int32]
    begin: NDArray[np.int64]
    count: NDArray[np.int64]
    rate: NDArray[np.float64]


class DiffusionModel(Declared, ABC):
    """A model of diffusion: a small frozen dataclass of parameters, and the answers to what the package asks of a model.

    A subclass gives at least `compile`. With `live_edges` it has RR sets, certified seeds and a reproduction number.

    Attributes
    ----------
    states : tuple of str
        What a node can become, in order: the last axis of ``Ensemble.new_by_state``. The first is what sizes count.
    result_type : type of Ensemble
        Class of what `simulate` returns.
    takes_probabilities : bool
        Does the model read the graph's propagation probabilities?
    takes_times : bool
        Does the model read when the arcs of a `TemporalGraph` are there? Others refuse one.
    example : str
        How to write a model that has no parameters by default, for messages.

    See Also
    --------
    models.Program, models.LiveEdges, IC, LT, Threshold, SIPS

    Examples
    --------
    An independent cascade whose arcs fire with the square of their probability:

    >>> from dataclasses import dataclass, replace
    >>> import diffusion as dif
    >>> def squared(graph):
    ...     rule = graph.probabilities
    ...     return replace(graph, probabilities=replace(rule, values=rule.values**2))
    >>> @dataclass(frozen=True)
    ... class Squared(dif.models.DiffusionModel):
    ...     def compile(self, graph):
    ...         return dif.IC().compile(squared(graph))
    ...
    ...     def live_edges(self, graph):
    ...         return dif.models.LiveEdges(squared(graph))
    >>> g = dif.FollowerGraph.from_arrays([0, 0], [1, 2], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> estimate = dif.spread(g, [0], model=Squared(), runs=20_000, rng=7)
    >>> estimate.low < 1 + 2 * 0.5**2 < estimate.high
    True
    """

    states: ClassVar[tuple[str, ...]] = ("active",)
    result_type: ClassVar[type[Ensemble]] = Ensemble
    takes_times: ClassVar[bool] = False
    example: ClassVar[str] = ""  # how to write a model that has no parameters by default, for messages

    @property
    def name(self) -> str:
        """Short name: ``"IC"``."""
        return type(self).__name__

    @property
    def label(self) -> str:
        """Name with the parameters that are set, for tables: ``"Threshold fraction=0.18"``."""
        return " ".join([self.name, *(f"{name}={_text(value)}" for name, value in self.changed.items())])

    @property
    def steps_are_times(self) -> bool:
        """Are steps something else than generations, such as slices of time of any length?"""
        return False

    @property
    def brands(self) -> tuple[str, ...]:
        """Names of rivals, each with seeds of its own: ``seeds={"A": [...], "B": [...]}``; empty: seeds are one list."""
        return ()

    @property
    def rivals_only_take(self) -> bool:
        """Is what a brand reaches in any world, and what it takes from its rivals, at most what it reaches alone?"""
        return False

    def follower_guarantee(self, brand: str, objective: str) -> str | None:
        """Return what greedy seeds of a brand against fixed rivals are proven to reach; None: nothing is published.

        Parameters
        ----------
        brand : str
        objective : {"own", "block"}
            Reach of the brand, or what its seeds take from the reach of the rivals.

        Returns
        -------
        str or None
        """
        return None

    def refuses_graph(self, graph: FollowerGraph) -> str:
        """Return why the model cannot run on a kind of graph; empty: it can.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        str
        """
        if graph.is_temporal and not self.takes_times:
            return (
                f"{self.name} knows no time, and the arcs of this graph come and go: take a static view, "
                "graph.window(start, end), or a model of models.temporal"
            )
        return ""

    def check_graph(self, graph: FollowerGraph) -> None:
        """Raise what `refuses_graph` says against a graph.

        Parameters
        ----------
        graph : FollowerGraph

        Raises
        ------
        InputError
            The model cannot run on the graph.
        """
        refusal = self.refuses_graph(graph)
        if refusal:
            raise InputError(refusal)

    @abstractmethod
    def compile(self, graph: FollowerGraph) -> Program:
        """Check the model against a graph once, and prepare what its kernels read.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        Program

        Raises
        ------
        InputError
            The graph lacks what the model needs.
        """

    @property
    def spreads_alone(self) -> bool:
        """Can one active node alone activate another? Without that there is no reproduction number."""
        return True

    def submodular(self, graph: FollowerGraph) -> bool:
        """Does every world reach from a seed set what it reaches from its members one by one?

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        bool
        """
        return self.live_edges(graph) is not None

    def live_edges(self, graph: FollowerGraph) -> LiveEdges | None:
        """Return the live-edge view of the model on a graph; None where it has none, so that no certificate is known.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        LiveEdges or None
        """
        return None

    @property
    def certified_model(self) -> DiffusionModel | None:
        """The model for which a study chooses certified seeds in place of this one; None: no such seeds exist.

        Their certificate holds for this model only where it is this model.
        """
        return None if type(self).live_edges is DiffusionModel.live_edges else self

    @property
    def contagion(self) -> str:
        """``"simple"``, ``"complex"`` (one active node alone convinces nobody) or ``"linear"``."""
        return "simple" if self.spreads_alone else "complex"

    @property
    def not_submodular(self) -> str:
        """Why a second seed can add more than the first, or take away, where that is so."""
        return "where users wait for several others the spread is not submodular (a second seed can add more than the first)"

    @property
    def no_live_edges(self) -> str:
        """Why there is no live-edge view, for messages: "SIPS with redraw=True"."""
        return self.label

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """Return the graph with the probability that an active node activates a follower alone, for rankings that reckon.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        FollowerGraph
        """
        live = None if graph.probabilities is None else self.live_edges(graph)
        return graph if live is None or live.seed_of is not None else live.graph

    def next_generation(self, graph: FollowerGraph) -> NextGeneration | None:
        """Return the next-generation operator on a graph; None where no node alone convinces another.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        NextGeneration or None
        """
        live = self.live_edges(graph)
        if live is None or live.seed_of is not None:
            return None
        return NextGeneration.on_arcs(live.graph, linear=live.linear)

    def reproduction_number(self, graph: FollowerGraph) -> float | None:
        """Mean number of new activations that an active node makes once their mix has settled; None where it has none.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        float or None
        """
        operator = self.next_generation(graph)
        return None if operator is None else operator.radius()

    def in_generations(self) -> DiffusionModel:
        """Return the model whose steps are generations, for what does not depend on waiting times."""
        return self


def _text(value: Any) -> str:
    value = getattr(value, "text", value)  # of parts of a model, such as waiting times
    return f"{value:g}" if isinstance(value, int | float | np.number) and not isinstance(value, bool) else str(value)


def need_probabilities(graph: FollowerGraph, name: str) -> NDArray[np.float32]:
    """Return the propagation probabilities of a graph, which the model of that name needs."""
    if graph.probabilities is None:
        raise InputError(
            f"the graph has no propagation probabilities, which {name} needs: call "
            "graph.with_probabilities('weighted_cascade'), or 'constant' with p=, first"
        )
    return graph.probabilities.values
