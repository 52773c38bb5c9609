"""One realised diffusion: who became active, when, and through whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._upward import draw
from ..errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cascade"]


@dataclass(frozen=True, repr=False, eq=False)
class Cascade:
    """One realised diffusion: who became active, at which step, and through whom.

    Attributes
    ----------
    nodes : Index, shape (size,)
        Labels in order of step.
    step : ndarray of int32, shape (size,)
        Step of activation; seeds are at 0.
    parent : ndarray of int32, shape (size,)
        Position in `nodes` of the node that activated this one, -1 for a seed. Where several arcs fired at the same
        step, one of them is drawn fairly.
    provenance : dict
    time : ndarray of float64, shape (size,), or None
        Time of activation, of models in continuous time.

    See Also
    --------
    simulate_one, structural_virality

    Examples
    --------
    >>> cascade = Cascade.from_parents(["ann", "bob", "eve"], [None, "ann", "bob"])
    >>> cascade
    Cascade: 3 nodes from 1 roots, depth 2, largest step 1
    >>> cascade.to_pandas()["step"].tolist()
    [0, 1, 2]
    """

    nodes: pd.Index[Any]
    step: NDArray[np.int32]
    parent: NDArray[np.int32]
    provenance: dict[str, Any] = field(default_factory=dict)
    time: NDArray[np.float64] | None = None

    @classmethod
    def from_parents(cls, nodes: Any, parents: Any, *, step: Any = None) -> Cascade:
        """Make a cascade from an observed tree or forest: each node with the label of its parent, None for a root.

        Parameters
        ----------
        nodes : sequence of labels, shape (size,)
            In any order, each once.
        parents : sequence of labels or None, shape (size,)
            The node that each one came from; None or NaN for a root.
        step : sequence of int, optional
            Steps; without them the distance to the root is used.

        Returns
        -------
        Cascade

        Raises
        ------
        InputError
            A repeated node, a parent that is no node of the cascade, or parents that go round in a circle.

        Examples
        --------
        >>> Cascade.from_parents(["a", "b", "c"], [None, "a", "a"]).max_breadth
        2
        """
        labels = pd.Index(list(nodes), tupleize_cols=False)
        above = [None if parent is None or parent is pd.NA or parent != parent else parent for parent in parents]
        if len(above) != len(labels):
            raise InputError(f"nodes has {len(labels):,} entries and parents {len(above):,}: give one for each")
        if not labels.is_unique:
            raise InputError(f"the node {labels[labels.duplicated()][0]!r} appears twice: a node activates once")
        position = {label: i for i, label in enumerate(labels.tolist())}
        up = np.full(len(labels), -1, np.int64)
        for i, parent in enumerate(above):
            if parent is not None:
                if parent not in position:
                    raise InputError(f"the parent {parent!r} of {labels[i]!r} is not a node of the cascade")
                up[i] = position[parent]
        depth = np.where(up < 0, 0, -1)
        while (depth < 0).any():
            ready = (depth < 0) & (up >= 0) & (depth[up] >= 0)
            if not ready.any():
                raise InputError(f"the parents of {labels[int((depth < 0).argmax())]!r} go round in a circle")
            depth[ready] = depth[up[ready]] + 1
        order = np.argsort(depth, kind="stable")
        place = np.empty(len(labels), np.int64)
        place[order] = np.arange(len(labels))
        sorted_up = up[order]
        parent = np.where(sorted_up < 0, -1, place[sorted_up]).astype(np.int32)
        given = depth if step is None else np.asarray(list(step))
        if len(given) != len(labels):
            raise InputError(f"step has {len(given):,} entries for {len(labels):,} nodes: give one for each")
        return cls(labels.take(order), given[order].astype(np.int32), parent)

    @property
    def size(self) -> int:
        """Number of active nodes, seeds included."""
        return len(self.nodes)

    @property
    def depth(self) -> int:
        """Largest step (of a tree: its height)."""
        return int(self.step.max()) if self.size else 0

    @property
    def breadth_by_step(self) -> NDArray[np.int64]:
        """New activations at each step."""
        return np.bincount(self.step) if self.size else np.zeros(0, np.int64)

    @property
    def max_breadth(self) -> int:
        """Largest number of new activations in one step."""
        return int(self.breadth_by_step.max()) if self.size else 0

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an activation: node, step, parent (missing for seeds), and time where the model knows it."""
        labels = self.nodes.to_numpy(dtype=object)
        parent = labels[self.parent]
        parent[self.parent < 0] = None
        if self.size and self.nodes.dtype.kind in "iu":
            parents: Any = pd.array(parent, dtype="Int64")
        else:
            parents = parent
        table = pd.DataFrame({"node": self.nodes, "step": self.step, "parent": parents})
        return table if self.time is None else table.assign(time=self.time)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the cascade as a tree around its roots; see `plotting.plot_cascade_tree`."""
        return draw("cascade_tree", self, ax)

    def __repr__(self) -> str:
        roots = int((self.parent < 0).sum())
        return (
            f"Cascade: {self.size:,} nodes from {roots:,} roots, depth {self.depth}, largest step {self.max_breadth:,}"
        )
