"""A model prepared for one graph: what the runner drives, chunk by chunk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from ..graph.follower_graph import FollowerGraph
from ..kernels.arcs import Arcs, Block, Weighing
from ..kernels.arcs import Start as KernelStart
from ..kernels.cascade import replay_run
from ..kernels.coins import LANES
from ..kernels.lanes import Lanes

if TYPE_CHECKING:
    from .base import DiffusionModel

__all__ = [
    "BATCH",
    "NO_WEIGHTS",
    "ONE_BRAND",
    "Chunk",
    "Program",
    "Start",
    "Trace",
    "Workspace",
    "aligned",
    "arcs_of",
    "stack_runs",
]

BATCH = LANES


IN_EVERY_RUN = np.zeros(1, np.int64)
EVERY_RUN = constant(np.zeros(0, np.int64))
NO_WEIGHTS = constant(np.zeros(0))
ONE_BRAND = constant(np.zeros(0, np.int8))
_NO_BOUNDS = constant(np.zeros(1, np.uint32))


@dataclass(frozen=True, eq=False)
class Start:
    """Where runs begin, and in which worlds.

    Attributes
    ----------
    seeds : ndarray of int32
        Internal nodes; ascending, but where every run has its own.
    key : uint64
    weights : ndarray of float64
        By internal node; empty: every node counts 1.
    run_of : ndarray of int64
        The only run of each seed; empty: seeds are active in every run.
    brand_of : ndarray of int8
        Of models with rivals, the brand of each seed (its place in ``model.brands``); empty: there are none.

    See Also
    --------
    models.Program, models.Trace

    Examples
    --------
    >>> import numpy as np
    >>> Start(np.array([0, 3], np.int32), np.uint64(7)).seeds.tolist()
    [0, 3]
    """

    seeds: NDArray[np.int32]
    key: np.uint64
    weights: NDArray[np.float64] = field(default_factory=lambda: NO_WEIGHTS)
    run_of: NDArray[np.int64] = field(default_factory=lambda: EVERY_RUN)
    brand_of: NDArray[np.int8] = field(default_factory=lambda: ONE_BRAND)

    def __post_init__(self) -> None:
        for array in (self.weights, self.run_of, self.brand_of):
            constant(array)

    @property
    def for_kernel(self) -> KernelStart:
        """Seeds and their runs, as kernels take them."""
        return KernelStart(self.seeds, self.run_of)

    def of_run(self, run: int) -> Start:
        """Return the start of one run, without weights: where every run has seeds of its own, those of this one.

        Parameters
        ----------
        run : int

        Returns
        -------
        Start
        """
        if not self.run_of.size:
            return Start(self.seeds, self.key, brand_of=self.brand_of)
        here = self.run_of == run
        return Start(self.seeds[here], self.key, brand_of=self.brand_of[here] if self.brand_of.size else self.brand_of)

    def by_run(self, first: int, last: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the seeds of runs first ... last - 1, and where those of each begin.

        Parameters
        ----------
        first, last : int

        Returns
        -------
        seeds : ndarray of int32
        begin : ndarray of int64, shape (last - first + 1,)
            Of one entry where every run has all seeds.
        """
        if not self.run_of.size:
            return self.seeds, IN_EVERY_RUN
        here = np.flatnonzero((self.run_of >= first) & (self.run_of < last))
        order = here[np.argsort(self.run_of[here], kind="stable")]
        return self.seeds[order], np.searchsorted(self.run_of[order], np.arange(first, last + 1)).astype(np.int64)

    def weighing(self, runs: int) -> Weighing:
        """Return the weights of nodes, and room for their sums in so many runs; no room where nodes have no weights.

        Parameters
        ----------
        runs : int

        Returns
        -------
        Weighing
        """
        return Weighing(self.weights, np.zeros(runs if self.weights.size else 0))

    def block(self, first: int, last: int, words: int) -> Block:
        """Runs first ... last - 1 of one kernel call, in lanes.

        Parameters
        ----------
        first, last : int
            Not across a multiple of 512.
        words : int
            64-bit words of a row of lanes.

        Returns
        -------
        Block
        """
        return Block(self.key, first // BATCH, first % BATCH // 64, words, last - first)

    def __reduce__(self) -> tuple[Any, ...]:  # pickled arrays come back writeable
        return Start, (self.seeds, self.key, self.weights, self.run_of, self.brand_of)


@dataclass(frozen=True)
class Chunk:
    """Runs of one kernel call.

    Attributes
    ----------
    new : ndarray of int32, shape (runs, steps, states)
        Nodes that entered each state of the model.
    visits : int
        Arcs visited.
    weight : ndarray of float64, shape (runs,), or None
        Weight of the active nodes, where nodes have weights.
    details : mapping of str to ndarray of int32, shape (runs, steps, ...)
        What else the model counts by run and step.
    totals : mapping of str to int
        What the model counts over all runs.

    See Also
    --------
    models.Program, models.Trace, simulation.Runner

    Examples
    --------
    >>> import numpy as np
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> program = dif.IC().compile(g.with_probabilities("constant", p=1.0))
    >>> start = Start(g.index.internal([0]), np.uint64(7))
    >>> chunk = program.run(start, 0, 64, program.workspace(1))
    >>> chunk.new.shape, chunk.new[0, :, 0].tolist()
    ((64, 3, 1), [1, 1, 1])
    """

    new: NDArray[np.int32]
    visits: int
    weight: NDArray[np.float64] | None = None
    details: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """One run alone.

    Attributes
    ----------
    nodes : ndarray of int32, shape (size,)
        Internal nodes in order of step.
    steps : ndarray of int32, shape (size,)
    parents : ndarray of int32, shape (size,)
        Position in `nodes` of who activated each, -1 for a seed.
    details : mapping of str to ndarray
        What else the model says of each node.

    See Also
    --------
    models.Program, models.Start, results.Cascade

    Examples
    --------
    >>> import numpy as np
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> program = dif.IC().compile(g.with_probabilities("constant", p=1.0))
    >>> trace = program.replay(Start(g.index.internal([0]), np.uint64(7)), run=0)
    >>> trace.steps.tolist(), trace.parents.tolist()
    ([0, 1, 2], [-1, 0, 1])
    """

    nodes: NDArray[np.int32]
    steps: NDArray[np.int32]
    parents: NDArray[np.int32]
    details: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def stack_runs(parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Join blocks of runs, which may have different numbers of steps."""
    steps = max((part.shape[1] for part in parts), default=0)
    runs = sum(len(part) for part in parts)
    whole = np.zeros((runs, steps, *(parts[0].shape[2:] if parts else ())), np.int32)
    at = 0
    for part in parts:
        whole[at : at + len(part), : part.shape[1]] = part
        at += len(part)
    return whole


def aligned(size: int) -> NDArray[np.uint64]:
    """Zeros that begin at a 128-byte boundary: a row of 8 words then never straddles two cache lines."""
    raw = np.zeros(size + 16, np.uint64)
    skip = (-raw.ctypes.data) % 128 // 8
    return raw[skip : skip + size]


class Workspace:
    """The memory of one thread, used again for every chunk; kernels leave it as they found it.

    Attributes
    ----------
    node_counts : ndarray of int64, shape (n_nodes, columns)
        Runs so far in which each node entered the first state, and what else the model counts by node.
    words : int
        64-bit words of a row of lanes; 0 without lanes.

    See Also
    --------
    models.Program, models.Chunk

    Examples
    --------
    >>> Workspace(100, words=8).lanes.state.shape  # two rows of eight words a node
    (1600,)
    """

    def __init__(self, n: int, words: int, *, columns: int = 1) -> None:
        self.node_counts = np.zeros((n, columns), np.int64)
        self.words = words
        if words:
            flags, queues = np.zeros(n, np.uint8), np.empty((3, n), np.int32)
            self.lanes = Lanes(aligned(2 * n * words), aligned(n * words), flags, queues)


class Program(ABC):
    """A model prepared for one graph: checked once, with the arrays that its kernels read.

    A subclass gives at least `replay`; without a `run` of its own, runs are replayed one by one.

    Attributes
    ----------
    lanes : bool
        Can 512 runs share their visits of arcs? Then workspaces have rows of up to 8 words.
    deterministic : bool
        Is every run the same, whatever the key?
    shares_prefixes : bool
        Can `prefixes` count all prefixes of an order of seeds in one cascade?

    See Also
    --------
    models.DiffusionModel, models.Trace, models.Chunk, models.Workspace, simulation.prepare
    """

    lanes: bool = False
    deterministic: bool = False
    shares_prefixes: bool = False

    def __init__(self, graph: FollowerGraph, model: DiffusionModel) -> None:
        self.graph = graph
        self.model = model

    def __reduce__(self) -> tuple[Any, ...]:  # made again, since pickled arrays come back writeable
        return type(self), (self.graph, self.model)

    def workspace(self, words: int) -> Workspace:
        """Return the memory of one thread, with rows of so many words."""
        return Workspace(self.graph.n_nodes, words)

    def bytes_of_workspace(self, words: int) -> int:
        """Bytes of one thread's workspace: 24 a word and node for the lanes, 21 a node beside them (33 without lanes)."""
        return self.graph.n_nodes * (24 * words + 21 if words else 33)

    @abstractmethod
    def replay(self, start: Start, run: int) -> Trace:
        """Compute one run alone, with who activated whom.

        Parameters
        ----------
        start : Start
            Seeds, key and weights.
        run : int
            Number of the run: with the key of `start` it decides every draw.

        Returns
        -------
        Trace
        """

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """Compute runs first ... last - 1 of one chunk in the memory of one thread.

        Parameters
        ----------
        start : Start
        first, last : int
            Not across a multiple of 512.
        workspace : Workspace
            Memory of this thread; `node_counts` is added to, the rest left as it was.

        Returns
        -------
        Chunk
        """
        parts, weight = [], np.zeros(last - first)
        for run in range(first, last):
            trace = self.replay(start.of_run(run), run)
            workspace.node_counts[trace.nodes, 0] += 1
            parts.append(np.bincount(trace.steps).astype(np.int32)[None, :, None])
            if start.weights.size:
                weight[run - first] = start.weights[np.sort(trace.nodes)].sum()
        return Chunk(stack_runs(parts), 0, weight if start.weights.size else None)

    def prefixes(
        self,
        start: Start,
        order: NDArray[np.int32],
        ends: NDArray[np.int64],
        first: int,
        last: int,
        workspace: Workspace,
    ) -> NDArray[np.int32]:
        """Count what each prefix adds to the one before in runs first ... last - 1 of one chunk.

        Parameters
        ----------
        start : Start
            Its seeds are not read.
        order : ndarray of int32, shape (k, 1), or (k, runs) where every run has its own
            Internal nodes; -1 for none.
        ends : ndarray of int64
            Lengths of the prefixes, rising.
        first, last : int
        workspace : Workspace

        Returns
        -------
        ndarray of int32, shape (len(ends), last - first)
        """
        raise NotImplementedError(f"{self.model.name} counts one seed set at a time")

    def adoption_steps(self, trace: Trace) -> NDArray[np.int32]:
        """Return the step at which each node of a trace entered the model's last state, -1 for never.

        It is what a log of adoptions would show: of SIPS who shared and not who was exposed.

        Parameters
        ----------
        trace : Trace

        Returns
        -------
        ndarray of int32, shape (size,)
        """
        return trace.steps

    def certain(self, start: Start) -> NDArray[np.int32]:
        """Internal nodes that every run activates: some of them, at least the seeds."""
        return start.seeds

    def possible(self, start: Start) -> NDArray[np.int32]:
        """Internal nodes that some run may activate, or more."""
        return self.reachable(start, np.ones(1, np.bool_))

    def reachable(self, start: Start, arcs: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Internal nodes that can be reached from the seeds along these arcs (one entry: all or none).

        Parameters
        ----------
        start : Start
        arcs : ndarray of bool, shape (n_edges,) or (1,)

        Returns
        -------
        ndarray of int32
        """
        sure = constant(arcs.astype(np.float32))
        along = arcs_of(self.graph, sure)
        reached: NDArray[np.int32] = replay_run(along, start.seeds, start.key, 0)[0]
        return reached


def arcs_of(graph: FollowerGraph, p: NDArray[np.float32]) -> Arcs:
    """Return the arcs of a graph, each live with its probability, as kernels take them."""
    return Arcs(graph.csr.indptr, graph.csr.indices, p, _NO_BOUNDS, _NO_BOUNDS, False)
