"""Com-IC: two items from pure competition to full complementarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from .._validation import probability
from ..graph.follower_graph import FollowerGraph
from ..kernels.comic import Items, Told, comic_batch, comic_run
from .base import need_probabilities
from .competitive import Rivals, brand_names
from .program import Chunk, Program, Start, Trace, Workspace, arcs_of

__all__ = ["ComIC"]


@dataclass(frozen=True)
class ComIC(Rivals):
    """Comparative independent cascade: two items, of which each makes the other more or less likely to be adopted.

    Com-IC of Lu, Chen and Lakshmanan (2015). An arc is live with its probability, for both items at once, and carries
    from its source to its target, one step later, every item that the source adopts. A node that is told of an item for
    the first time adopts it with probability q(item | nothing) if it has not adopted the other one, and with q(item |
    other) if it has. A node that did not adopt while it had nothing reconsiders once, when it adopts the other item: all
    in all it then has adopted with probability q(item | other), if that is larger. Seeds adopt their item untested.

    Parameters
    ----------
    a, a_after_b : float in [0, 1]
        Probability that a node told of the first item adopts it: without the second item, and with it.
    b, b_after_a : float in [0, 1]
        The same of the second item.
    brands : sequence of 2 str
        Names of the items; seeds are ``{"A": [...], "B": [...]}``.

    See Also
    --------
    models.CompetitiveIC, seeding.best_response, models.CompetitiveEnsemble

    Notes
    -----
    Each node has one uniform number an item, with which all its decisions are made: adopt where it is below the
    probability that holds. In-neighbours that tell a node at one step do so in random order, and one that has adopted
    both items at once tells of them in the order in which it adopted them. Sizes count nodes with any item; a node with
    both counts once in ``sizes`` and once in each column of ``sizes_by_brand``. A node is a seed of one item only; in
    the paper it can be one of both.

    With all probabilities 1 each item spreads as under IC from its own seeds in the same worlds. With ``a = b = 1`` and
    ``a_after_b = b_after_a = 0`` the model is `CompetitiveIC` with ``tie="random"``, run for run.

    References
    ----------
    - Lu, W., Chen, W. and Lakshmanan, L. V. S. (2015). From competition to complementarity: comparative influence
      diffusion and maximization. PVLDB 9(2), 60-71. doi:10.14778/2850578.2850581, arXiv:1507.00317

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0)
    >>> helps = dif.models.ComIC(a=0.5, a_after_b=0.9, b=0.5, b_after_a=0.5)
    >>> ens = dif.simulate(g, {"A": [0], "B": [1]}, model=helps, runs=20_000, rng=7)
    >>> ens.share_of_voice()["mean"].round(1).tolist()  # A: 1 + .5 + .5 * (.9 - .5), B: 1 + .5
    [1.7, 1.5]
    """

    a: float = 1.0
    a_after_b: float = 0.0
    b: float = 1.0
    b_after_a: float = 0.0
    brands: tuple[str, ...] = ("A", "B")

    def __post_init__(self) -> None:
        for name in ("a", "a_after_b", "b", "b_after_a"):
            probability(getattr(self, name), name)
        object.__setattr__(self, "brands", brand_names(self.brands, "ComIC", most=2))

    @property
    def relation(self) -> str:
        """``"competition"``, ``"complementarity"``, ``"independence"``, or ``"mixed"``: what each does to the other."""
        to_a, to_b = self.a_after_b - self.a, self.b_after_a - self.b
        if to_a == 0 and to_b == 0:
            return "independence"
        if to_a <= 0 and to_b <= 0:
            return "competition"
        return "complementarity" if to_a >= 0 and to_b >= 0 else "mixed"

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return _ComICProgram(graph, self)


class _Workspace(Workspace):
    """Lists for one run at a time."""

    def __init__(self, n: int) -> None:
        super().__init__(n, 0, columns=3)
        mark, first, head = np.zeros((n, 2), np.uint8), np.zeros(n, np.int8), np.full(n, -1, np.int32)
        position, nodes, parent, reached, touched = np.zeros((5, n), np.int32)
        step, fresh = np.zeros((n, 2), np.int32), np.zeros((2, n), np.int32)
        self.told = Told(mark, position, nodes, step, first, parent, fresh, head, reached, touched)


class _ComICProgram(Program):
    """Two items, one run at a time."""

    def __init__(self, graph: FollowerGraph, model: ComIC) -> None:
        super().__init__(graph, model)
        self.arcs = arcs_of(graph, need_probabilities(graph, model.name))
        self.items = Items(_thresholds(model.a, model.b), _thresholds(model.a_after_b, model.b_after_a))

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`."""
        return self.graph.n_nodes * 71

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        weighing = start.weighing(last - first)
        where = start.for_kernel, start.brand_of, start.key, first, last
        new, visits = comic_batch(self.arcs, self.items, *where, workspace.told, workspace.node_counts, weighing)
        return Chunk(new, int(visits), weighing.sums if start.weights.size else None)

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`: `details` has the item adopted first, and the step of each item, -1 for never."""
        told = _Workspace(self.graph.n_nodes).told
        size, _ = comic_run(self.arcs, self.items, start.seeds, start.brand_of, start.key, run, told)
        by_item, first = told.step[:size], told.first[:size].copy()
        steps = by_item[np.arange(size), first]
        details = {"brand": first, "step_by_brand": np.ascontiguousarray(by_item.T)}
        return Trace(told.nodes[:size].copy(), steps.astype(np.int32), told.parent[:size].copy(), details)

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`."""
        return self.reachable(start, self.arcs.p > 0)


def _thresholds(a: float, b: float) -> NDArray[np.uint64]:
    return constant(np.asarray([round(float(a) * 2**32), round(float(b) * 2**32)], np.uint64))
