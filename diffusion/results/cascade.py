"""One realised diffusion: who became active, when, and through whom."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._upward import draw, load
from ..errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..graph.follower_graph import FollowerGraph

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
    graph : FollowerGraph or None
        The graph it ran on; None of a cascade that was observed.

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
    graph: FollowerGraph | None = field(default=None, kw_only=True)

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

    @property
    def categories(self) -> dict[str, dict[str, NDArray[np.int32]]]:
        """What else is known of the nodes: kind, such as "stage", to value to the step at which each node took it.

        A step of -1 is never. At any step a node has the value that it took last.
        """
        return {}

    @property
    def clock(self) -> tuple[str, NDArray[np.float64]] | None:
        """Unit and times of the activations, where the model knows times."""
        return None if self.time is None else ("time", self.time)

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        communities: Any = None,
        layout: Any = None,
        title: str | None = None,
    ) -> Path:
        """Write a player of the cascade to one HTML file, which asks nothing of any network.

        Parameters
        ----------
        path : path
            An existing file is replaced once the new one is complete.
        communities : Partition, Series, dict, list or array, optional
            By label, or in the order of ``graph.nodes``. Default: the node attribute
            ``community``, else those that Leiden's method finds, else none in a graph above 100,000 nodes or
            1,000,000 arcs.
        layout : {"force", "packed"} or array of shape (n_nodes, 2), optional
            Inside the discs of communities: ``"force"``, igraph's Fruchterman-Reingold layout; ``"packed"``, by falling
            degree from the centre; or all places, in the order of ``graph.nodes``. Default: force up to 100,000 nodes
            and 1,000,000 arcs. A cascade without a graph is drawn as a tree around its roots.
        title : str, optional
            Default: what the cascade reached.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        InputError
            An empty cascade, an unknown layout, or communities that do not fit the graph.
        OutputError
            A file that cannot be written.

        See Also
        --------
        results.Cascade.view, plotting.plot_cascade_tree

        Notes
        -----
        The page has all arcs up to 200,000, and those of the cascade tree above; labels of all users up to 200,000, and
        of the first 100,000 reached above. It says what it leaves out. Browsers need WebGL2 and
        ``DecompressionStream``; others show a picture of the end.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> cascade = Cascade.from_parents(["ann", "bob", "eve"], [None, "ann", "bob"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = cascade.to_html(pathlib.Path(folder) / "replay.html")
        ...     "1 seed reached 3 users in 2 steps" in page.read_text()
        True
        """
        file: Path = load("player_page")(self, path, communities=communities, layout=layout, title=title)
        return file

    def view(self, *, communities: Any = None, layout: Any = None, title: str | None = None) -> Any:
        """Return the player as a Jupyter widget; needs the extra ``diffusion-graphs[view]``.

        Parameters
        ----------
        communities, layout, title
            As in `to_html`.

        Returns
        -------
        anywidget.AnyWidget

        Raises
        ------
        InputError
            As in `to_html`.
        DiffusionError
            anywidget is not installed.

        See Also
        --------
        results.Cascade.to_html
        """
        return load("player_widget")(self, communities=communities, layout=layout, title=title)

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
