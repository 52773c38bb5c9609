"""Cascades along live edges: independent cascade and linear threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from ..graph.follower_graph import FollowerGraph
from ..graph.probabilities import lt_bounds
from ..kernels.cascade import replay_run, run_batch
from ..kernels.prefixes import prefix_batch
from .base import DiffusionModel, LiveEdges, need_probabilities
from .program import Chunk, Program, Start, Trace, Workspace, arcs_of

__all__ = ["IC", "LT", "CascadeProgram"]

_ALWAYS = np.uint32(0xFFFFFFFF)  # the interval bound that stands for certainty
_NO_PROBABILITY = constant(np.zeros(1, np.float32))


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

    @property
    def contagion(self) -> str:
        """Neither simple nor complex: exposures add up against a threshold that is drawn."""
        return "linear"

    def refuses_rule(self, rule: str) -> str:
        """See `DiffusionModel.refuses_rule`: weights have to sum to at most 1 at every node."""
        if rule not in ("constant", "trivalency"):
            return ""
        return (
            f"the kind 'lt' cannot be combined with the rule {rule!r}, whose weights sum to more than 1 at most nodes; put "
            "lt into its own [[model]] block with weighted_cascade, lt or column"
        )


class CascadeProgram(Program):
    """Live-edge worlds of a graph, 512 at a time: arcs that are live independently, or at most one into a node."""

    lanes = True
    shares_prefixes = True

    def __init__(self, graph: FollowerGraph, model: DiffusionModel, linear: bool = False) -> None:
        super().__init__(graph, model)
        p = need_probabilities(graph, model.name)
        self.arcs = arcs_of(graph, p)
        if linear:
            low, high = lt_bounds(graph)
            self.arcs = self.arcs._replace(p=_NO_PROBABILITY, lo=low, hi=high, linear=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.graph, self.model, self.arcs.linear)

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        words = workspace.words
        weighing = start.weighing(64 * words)
        block, counts_by_node = start.block(first, last, words), workspace.node_counts[:, 0]
        counts, visits = run_batch(self.arcs, start.for_kernel, block, workspace.lanes, counts_by_node, weighing)
        new = np.ascontiguousarray(counts[:, : last - first].T)[:, :, None]
        return Chunk(new, int(visits), weighing.sums[: last - first] if start.weights.size else None)

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
        block = start.block(first, last, workspace.words)
        counts: NDArray[np.int32] = prefix_batch(self.arcs, order, ends, block, workspace.lanes)
        return counts[:, : last - first]

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`."""
        nodes, steps, parents = replay_run(self.arcs, start.seeds, start.key, run)
        return Trace(nodes, steps, parents)

    def certain(self, start: Start) -> NDArray[np.int32]:
        """See `Program.certain`."""
        arcs = self.arcs
        sure = (arcs.lo == 0) & (arcs.hi == _ALWAYS) if arcs.linear else arcs.p >= 1
        return self.reachable(start, sure)

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`."""
        arcs = self.arcs
        return self.reachable(start, arcs.lo < arcs.hi if arcs.linear else arcs.p > 0)
