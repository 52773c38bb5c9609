"""Fixed thresholds: complex contagion that waits for several others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from .._validation import number, probability, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import node_values
from ..kernels.threshold import Adoption, CountedArcs, Tallies, threshold_batch, threshold_run
from .base import DiffusionModel
from .program import Chunk, Program, Start, Trace, Workspace

__all__ = ["Threshold"]


@dataclass(frozen=True)
class Threshold(DiffusionModel):
    """Fixed threshold: a node activates once enough of the accounts it follows are active.

    Parameters
    ----------
    fraction : float in (0, 1] or str, optional
        Activate when active in-neighbours / in-degree >= fraction (Watts 2002). Parallel arcs count.
    count : int >= 1 or str, optional
        Activate when at least `count` in-neighbours are active (Centola and Macy 2007). Give one of the two. A name is
        that of a column of `FollowerGraph.node_data` with a threshold of every node's own (Granovetter 1978), which
        may be more than all its in-neighbours: such a node never activates by its threshold.
    noise : float in [0, 1], default 0
        Sub-threshold adoption: every newly active in-neighbour also activates the node at once with this
        probability, independently (in the spirit of Eckles, Mossel, Rahimian and Sen 2024).

    See Also
    --------
    IC, LT, threshold_cascade, theory.watts_window, theory.gleeson_cahalane

    Notes
    -----
    Without noise the model is deterministic: every run is the same, and it is computed once. A node that follows
    nobody never activates.

    References
    ----------
    - Granovetter, M. (1978). Threshold models of collective behavior. American Journal of Sociology 83(6), 1420-1443.
      doi:10.1086/226707
    - Watts, D. J. (2002). A simple model of global cascades on random networks. PNAS 99(9), 5766-5771.
      doi:10.1073/pnas.082090499
    - Centola, D. and Macy, M. (2007). Complex contagions and the weakness of long ties. American Journal of Sociology
      113(3), 702-734. doi:10.1086/521848
    - Eckles, D., Mossel, E., Rahimian, M. A. and Sen, S. (2024). Long ties accelerate noisy threshold-based contagions.
      Nature Human Behaviour 8(6), 1057-1064. doi:10.1038/s41562-024-01865-0

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 3, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> dif.spread(g, [0], model=dif.Threshold(fraction=0.6), runs=1).mean
    4.0
    >>> dif.Threshold(count=2).label
    'Threshold count=2'

    A threshold of every node's own:

    >>> g = g.with_node_data(own=[1, 1, 1, 2])
    >>> dif.spread(g, [0], model=dif.Threshold(count="own"), runs=1).mean
    4.0
    """

    takes_probabilities = False
    example: ClassVar[str] = "Threshold(fraction=0.18) or Threshold(count=2)"

    fraction: float | str | None = None
    count: int | str | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        if (self.fraction is None) == (self.count is None):
            raise InputError("Threshold takes either fraction= (from above 0 to 1) or count= (a whole number from 1)")
        if self.fraction is not None and not isinstance(self.fraction, str):
            number(self.fraction, "fraction", above=0, most=1)
        if self.count is not None and not isinstance(self.count, str):
            whole(self.count, "count", most=2**63 - 1)
        probability(self.noise, "noise")

    @property
    def column(self) -> str | None:
        """Column of node data with the thresholds; None: one threshold for all."""
        return next((given for given in (self.fraction, self.count) if isinstance(given, str)), None)

    def need(self, in_degree: NDArray[np.int64], own: NDArray[np.float64] | None = None) -> NDArray[np.int32]:
        """Active in-neighbours each node needs; 0 where the node can never activate by its threshold.

        Parameters
        ----------
        in_degree : ndarray of int, shape (n_nodes,)
            Accounts that each node follows.
        own : ndarray of float, shape (n_nodes,), optional
            Fraction or count of each node, in place of one for all.

        Returns
        -------
        ndarray of int32, shape (n_nodes,)
        """
        given: Any = (self.count if self.fraction is None else self.fraction) if own is None else own
        if self.fraction is None:
            need = np.broadcast_to(given, in_degree.shape)
        else:
            # The smallest c with c / in_degree >= fraction; the slack takes back the rounding of decimal fractions.
            need = np.maximum(np.ceil(np.asarray(given, np.float64) * in_degree - 1e-9), 1)
        return np.where(need <= in_degree, need, 0).astype(np.int32)

    def need_on(self, graph: FollowerGraph) -> NDArray[np.int32]:
        """Active in-neighbours each node of a graph needs, by internal node; see `need`.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        ndarray of int32, shape (n_nodes,)

        Raises
        ------
        NotFoundError
            The graph has no such column of node data.
        InputError
            A threshold in it that is not above 0, or a count that is not a whole number.
        """
        if self.column is None:
            return self.need(graph.csr.in_degree)
        counted = self.fraction is None
        what = "count" if counted else "fraction"
        own = node_values(graph, self.column, what, missing=None)
        bad = ~((own > 0) & np.isfinite(own)) | (counted & (own != np.floor(own)))
        if bad.any():
            at, label = graph.index.first_of(bad)
            raise InputError(
                f"the node {label!r} has {self.column} {own[at]:g}: a {what} is "
                + ("a whole number from 1" if counted else "a number above 0")
                + "; nodes that need nobody are seeds"
            )
        return self.need(graph.csr.in_degree, own)

    def study_columns(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """See `Declared.study_columns`: numbers are those of one threshold for all."""
        columns = super().study_columns(table)
        if self.column is None:
            return columns
        return columns | {"fraction": math.nan, "count": math.nan, "thresholds": self.column}

    @property
    def spreads_alone(self) -> bool:
        """See `DiffusionModel.spreads_alone`."""
        return False

    def submodular(self, graph: FollowerGraph) -> bool:
        """True where one active in-neighbour is enough everywhere."""
        return bool((self.need_on(graph) <= 1).all())

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return _ThresholdProgram(graph, self)


class _Workspace(Workspace):
    """Lists for one run at a time."""

    def __init__(self, n: int) -> None:
        super().__init__(n, 0)
        self.tallies = Tallies(np.empty((5, n), np.int32), np.zeros(n, np.int32), np.zeros(n, np.uint8))


class _ThresholdProgram(Program):
    """Active in-neighbours are counted, one run at a time."""

    def __init__(self, graph: FollowerGraph, model: Threshold) -> None:
        super().__init__(graph, model)
        need = constant(model.need_on(graph))
        noise = np.uint64(round(float(model.noise) * 2**32))
        csr = graph.csr
        self._rules = CountedArcs(csr.indptr, csr.indices, csr.multiplicity), Adoption(need, noise)
        self.deterministic = bool(noise == 0)

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes)

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        if start.run_of.size:
            return super().run(start, first, last, workspace)
        assert isinstance(workspace, _Workspace)
        weighing = start.weighing(last - first)
        counts = workspace.node_counts[:, 0]
        rules = *self._rules, start.seeds, start.key
        new, visits = threshold_batch(*rules, first, last, workspace.tallies, counts, weighing)
        return Chunk(new[:, :, None], int(visits), weighing.sums if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`."""
        space = _Workspace(self.graph.n_nodes)
        rules = *self._rules, start.seeds, start.key
        nodes, steps, parents = threshold_run(*rules, run, space.tallies, space.node_counts[:, 0])
        return Trace(nodes, steps, parents)
