"""Models with rival brands, prepared for one graph: 512 runs share their visits of arcs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from ..graph.follower_graph import FollowerGraph
from ..graph.probabilities import lt_bounds
from ..kernels.coins import ALWAYS, LANES
from ..kernels.competitive import Rivalry, Rows, replay_rivals, rivals_batch
from ..kernels.lanes import BLOCK, FEW, WAITING
from ..kernels.negative_rr import sample_negative
from .base import DiffusionModel, LiveEdges, need_probabilities
from .program import Chunk, Program, Start, Trace, Workspace, aligned, arcs_of

__all__ = ["ICNSampler", "RivalsProgram", "negative_live_edges"]

_CERTAIN = np.uint32(0xFFFFFFFF)  # the interval bound that stands for certainty


class _Workspace(Workspace):
    """Rows of every brand beside those of all."""

    def __init__(self, n: int, words: int, brands: int, columns: int, differ: bool) -> None:
        super().__init__(n, words, columns=columns)
        self.rows = Rows(
            aligned(n * brands * words),
            aligned(n * words if differ else 1),
            np.full(n, -1, np.int32),
            aligned(4 * LANES // 64),
            np.zeros(LANES, np.uint64),
            np.zeros(LANES, np.int32),
            np.zeros(LANES, np.uint64),
            np.zeros(WAITING + FEW * BLOCK, np.int32),
        )


class RivalsProgram(Program):
    """Brands along live edges; a node is of the brand that reaches it first.

    Parameters
    ----------
    graph : FollowerGraph
    model : DiffusionModel
        Its states are the brands, with or without a first one that stands for all of them.
    n_brands : int
    linear : bool
        At most one arc into a node is live.
    p_by_brand : ndarray, shape (n_brands, 1 or n_edges), optional
        Probabilities of the arcs for each brand, where they differ.
    priority : tuple of int
        Brands in the order in which they win ties; empty: the live arcs decide, each as likely.
    quality : float
        Probability that a node of the first brand does not turn to the second.
    """

    lanes = True

    def __init__(
        self,
        graph: FollowerGraph,
        model: DiffusionModel,
        n_brands: int,
        *,
        linear: bool = False,
        p_by_brand: NDArray[Any] | None = None,
        priority: tuple[int, ...] = (),
        quality: float = 1.0,
    ) -> None:
        super().__init__(graph, model)
        p = need_probabilities(graph, model.name)
        self.arcs = arcs_of(graph, p)
        if linear:
            low, high = lt_bounds(graph)
            self.arcs = self.arcs._replace(p=constant(np.zeros(1, np.float32)), lo=low, hi=high, linear=True)
        by_brand = np.zeros((0, 0), np.float32) if p_by_brand is None else p_by_brand.astype(np.float32)
        threshold = np.uint64(round(quality * 2**32))
        self.rivalry = Rivalry(n_brands, constant(by_brand), constant(np.asarray(priority, np.int64)), threshold)
        self._total = len(model.states) - n_brands  # 1 where the first state stands for all brands

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self.model).compile, (self.model, self.graph)

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        brands, differ = self.rivalry.n_brands, self.rivalry.p.size > 0
        return _Workspace(self.graph.n_nodes, words, brands, self._total + brands, differ)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`: a row a brand, and one for frontiers where probabilities differ."""
        more = int(self.rivalry.n_brands) + int(self.rivalry.p.size > 0)
        return super().bytes_of_workspace(words) + self.graph.n_nodes * (8 * words * more + 4 + 8 * more)

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        words, runs = workspace.words, last - first
        weighing = start.weighing(64 * words)
        where = start.for_kernel, start.brand_of, start.block(first, last, words)
        space = workspace.lanes, workspace.rows, workspace.node_counts
        counts, visits = rivals_batch(self.arcs, self.graph.csr.into, self.rivalry, *where, *space, weighing)
        by_brand = counts[..., :runs].transpose(2, 0, 1)
        new = np.empty((runs, len(counts), self._total + self.rivalry.n_brands), np.int32)
        new[..., self._total :] = by_brand
        if self._total:
            by_brand.sum(axis=2, out=new[..., 0])
        return Chunk(new, int(visits), weighing.sums[:runs] if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`: `details` has the place of the brand of each node among the brands."""
        nodes, steps, parents, brand = replay_rivals(
            self.arcs, self.rivalry, start.seeds, start.brand_of, start.key, run
        )
        return Trace(nodes, steps, parents, {"brand": brand})

    def adoption_steps(self, trace: Trace) -> NDArray[np.int32]:
        """See `Program.adoption_steps`: with negative opinions, of those who stay positive."""
        if self.rivalry.quality >= ALWAYS:
            return trace.steps
        return np.where(trace.details["brand"] == 0, trace.steps, -1).astype(np.int32)

    def certain(self, start: Start) -> NDArray[np.int32]:
        """See `Program.certain`."""
        if self.rivalry.quality < ALWAYS:
            return start.seeds[:0]
        arcs = self.arcs
        if arcs.linear:
            return self.reachable(start, (arcs.lo == 0) & (arcs.hi == _CERTAIN))
        p = self.rivalry.p.min(axis=0) if self.rivalry.p.size else arcs.p
        return self.reachable(start, p >= 1)

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`."""
        arcs = self.arcs
        if arcs.linear:
            return self.reachable(start, arcs.lo < arcs.hi)
        p = self.rivalry.p.max(axis=0) if self.rivalry.p.size else arcs.p
        return self.reachable(start, p > 0)


class ICNSampler:
    """RR sets of IC-N; see `diffusion.kernels.negative_rr`.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    quality : float in [0, 1]
    """

    def __init__(self, graph: FollowerGraph, quality: float) -> None:
        self._into = graph.csr.into
        self._p = need_probabilities(graph, "ICN")
        self._quality = float(quality)
        self._n = graph.n_nodes

    def marks(self) -> NDArray[np.uint64]:
        """See `RRSampler.marks`."""
        return np.zeros((2 * self._n + 63) // 64, np.uint64)

    def sample(self, *of_run: Any) -> tuple[int, int, int]:
        """See `RRSampler.sample`."""
        done, size, empty = sample_negative(self._into, self._p, self._quality, *of_run)
        return int(done), int(size), int(empty)


def negative_live_edges(graph: FollowerGraph, quality: float) -> LiveEdges:
    """Return the live-edge view of IC-N.

    User u (internal) is node u where it counts, and node n + u where it is a seed, who is not certain to stay positive.
    The arcs are those of the sampler alone.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    quality : float in [0, 1]

    Returns
    -------
    LiveEdges
    """
    n = graph.n_nodes
    nodes = FollowerGraph.from_arrays([], [], nodes=range(2 * n), directed=True, edges_mean="influences")
    at = nodes.index.rank
    assert (at == np.arange(2 * n)).all()  # without arcs nodes keep the order of their labels
    return LiveEdges(nodes, seed_of=at[n:].copy(), counted=at[:n].copy(), sampler=ICNSampler(graph, quality))
