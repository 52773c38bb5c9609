"""Cascades along live edges: independent cascade and linear threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..graph.follower_graph import FollowerGraph
from ..graph.probabilities import lt_bounds
from ..kernels.cascade import replay_run, run_batch
from ..kernels.prefixes import prefix_batch
from .base import DiffusionModel, LiveEdges, need_probabilities
from .program import BATCH, Chunk, Program, Start, Trace, Workspace

__all__ = ["IC", "LT", "CascadeProgram"]

_ALWAYS = np.uint32(0xFFFFFFFF)  # the interval bound that stands for certainty
_NO_BOUNDS = np.zeros(1, np.uint32)
_NO_BOUNDS.flags.writeable = False
_NO_PROBABILITY = np.zeros(1, np.float32)
_NO_PROBABILITY.flags.writeable = False


@dataclass(frozen=True)
class IC(DiffusionModel):
    """Independent cascade: a newly active node tries once to activate each follower, with the arc's probability.

    Takes the graph's propagation probabilities (Goldenberg, Libai and Muller 2001). Simulated as live-edge worlds: the
    proof of theorem 2.2 of Kempe, Kleinberg and Tardos (2003), theorem 4.5 of the version of 2015.

    See Also
    --------
    LT, Threshold, simulate, spread, select_seeds

    References
    ----------
    - Goldenberg, J., Libai, B. and Muller, E. (2001). Talk of the network: A complex systems look at the underlying
      process of word-of-mouth. Marketing Letters 12(3), 211-223. doi:10.1023/A:1011122126881
    - Kempe, D., Kleinberg, J. and Tardos, E. (2003). Maximizing the spread of influence through a social network. KDD
      2003, 137-146. doi:10.1145/956750.956769
    - Kempe, D., Kleinberg, J. and Tardos, E. (2015). Maximizing the spread of influence through a social network.
      Theory of Computing 11(4), 105-147. doi:10.4086/toc.2015.v011a004

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 3, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> estimate = dif.spread(g, [0], model=dif.IC(), runs=20_000, rng=7)
    >>> estimate.low < 2.4375 < estimate.high
    True
    """

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return CascadeProgram(graph, self, linear=False)

    def live_edges(self, graph: FollowerGraph) -> LiveEdges:
        """Arcs are live independently, each with its probability."""
        need_probabilities(graph, self.name)
        return LiveEdges(graph)


@dataclass(frozen=True)
class LT(DiffusionModel):
    """Linear threshold: a node activates when the weights of its active in-neighbours reach a uniform threshold.

    Takes the graph's propagation probabilities as weights; they must sum to at most 1 at every node. Simulated as
    live-edge worlds in which each node keeps at most one in-arc, which has the same distribution of the active set at
    every step: claim 2.6 of Kempe, Kleinberg and Tardos (2003), in the proof of theorem 4.6 of the version of 2015.
    Thresholds of individuals go back to Granovetter (1978).

    See Also
    --------
    IC, Threshold, simulate, spread, select_seeds

    References
    ----------
    - Granovetter, M. (1978). Threshold models of collective behavior. American Journal of Sociology 83(6), 1420-1443.
      doi:10.1086/226707
    - Kempe, D., Kleinberg, J. and Tardos, E. (2003). Maximizing the spread of influence through a social network. KDD
      2003, 137-146. doi:10.1145/956750.956769
    - Kempe, D., Kleinberg, J. and Tardos, E. (2015). Maximizing the spread of influence through a social network.
      Theory of Computing 11(4), 105-147. doi:10.4086/toc.2015.v011a004

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 3, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> estimate = dif.spread(g, [0], model=dif.LT(), runs=20_000, rng=7)
    >>> estimate.low < 2.5 < estimate.high
    True
    """

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return CascadeProgram(graph, self, linear=True)

    def live_edges(self, graph: FollowerGraph) -> LiveEdges:
        """Each node keeps at most one in-arc, with its weight."""
        need_probabilities(graph, self.name)
        return LiveEdges(graph, linear=True)


class CascadeProgram(Program):
    """Live-edge worlds of a graph, 512 at a time: arcs that are live independently, or at most one into a node."""

    lanes = True
    shares_prefixes = True

    def __init__(self, graph: FollowerGraph, model: DiffusionModel, *, linear: bool) -> None:
        super().__init__(graph, model)
        p = need_probabilities(graph, model.name)
        self.linear = linear
        self._p, self._lo, self._hi = p, _NO_BOUNDS, _NO_BOUNDS
        if linear:
            self._p = _NO_PROBABILITY
            self._lo, self._hi = lt_bounds(graph)

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        csr, words = self.graph.csr, workspace.words
        weight = np.zeros(64 * words if start.weights.size else 0)
        counts, visits = run_batch(
            csr.indptr,
            csr.indices,
            self._p,
            self._lo,
            self._hi,
            self.linear,
            start.seeds,
            start.run_of,
            start.key,
            first // BATCH,
            first % BATCH // 64,
            words,
            last - first,
            workspace.state,
            workspace.active,
            workspace.flags,
            workspace.queues,
            workspace.node_counts[:, 0],
            start.weights,
            weight,
        )
        new = np.ascontiguousarray(counts[:, : last - first].T)[:, :, None]
        return Chunk(new, int(visits), weight[: last - first] if start.weights.size else None)

    def prefixes(
        self,
        start: Start,
        order: NDArray[np.int32],
        ends: NDArray[np.int64],
        first: int,
        last: int,
        workspace: Workspace,
    ) -> NDArray[np.int32]:
        """See `Program.prefixes`."""
        csr, words = self.graph.csr, workspace.words
        found: NDArray[np.int32] = prefix_batch(
            csr.indptr,
            csr.indices,
            self._p,
            self._lo,
            self._hi,
            self.linear,
            order,
            ends,
            start.key,
            first // BATCH,
            first % BATCH // 64,
            words,
            last - first,
            workspace.state,
            workspace.active,
            workspace.flags,
            workspace.queues,
        )
        return found[:, : last - first]

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`."""
        csr = self.graph.csr
        nodes, steps, parents = replay_run(
            csr.indptr, csr.indices, self._p, self._lo, self._hi, self.linear, start.seeds, start.key, run
        )
        return Trace(nodes, steps, parents)

    def certain(self, start: Start) -> NDArray[np.int32]:
        """See `Program.certain`."""
        sure = (self._lo == 0) & (self._hi == _ALWAYS) if self.linear else self._p >= 1
        return self.reachable(start, sure)

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`."""
        return self.reachable(start, self._lo < self._hi if self.linear else self._p > 0)
