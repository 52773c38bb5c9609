"""Message passing for the independent cascade: activation probabilities by step, without simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._provenance import provenance
from .._upward import draw
from .._validation import Floats, floats, number, whole
from ..errors import DiffusionError, InputError
from ..graph.follower_graph import FollowerGraph, check_static

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MessagePassing", "message_passing"]


@dataclass(frozen=True, repr=False)
class MessagePassing:
    """Probabilities that nodes are active, by step.

    Attributes
    ----------
    nodes : Index
        Labels, in the order of the graph.
    by_step : ndarray of float, shape (n_steps + 1, n_nodes)
        Probability that a node is active at step 0, 1, ... or before.
    exact : bool
        Whether the arcs form a forest, where the probabilities are exact. Elsewhere they are upper bounds, close where
        circles are long.
    provenance : dict

    See Also
    --------
    theory.message_passing, plotting.plot_message_passing
    """

    nodes: pd.Index[Any]
    by_step: Floats
    exact: bool
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def activation_probability(self) -> pd.Series[float]:
        """Probability that each node is active in the end, by label."""
        return pd.Series(self.by_step[-1], index=self.nodes, name="activation_probability")

    @property
    def new_by_step(self) -> Floats:
        """Expected number of nodes that become active at each step."""
        return np.diff(self.by_step.sum(axis=1), prepend=0.0)

    @property
    def spread(self) -> float:
        """Expected number of active nodes in the end, seeds included."""
        return float(self.by_step[-1].sum())

    def to_pandas(self) -> pd.DataFrame:
        """Return one row for each node and step: node, step, probability of having become active by then."""
        steps, n = self.by_step.shape
        return pd.DataFrame(
            {
                "node": self.nodes.take(np.tile(np.arange(n), steps)),
                "step": np.repeat(np.arange(steps), n),
                "probability": self.by_step.ravel(),
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the expected number of active nodes by step."""
        return draw("message_passing", self, ax)

    def __repr__(self) -> str:
        kind = "exact" if self.exact else "upper bound"
        return f"MessagePassing: spread {self.spread:.6g} ({kind}), {len(self.nodes):,} nodes, {len(self.by_step) - 1} steps"


def message_passing(
    graph: FollowerGraph, seeds: Any, *, steps: int | None = None, tol: float = 1e-12, max_steps: int = 10_000
) -> MessagePassing:
    """Probability that each node is active by each step of an independent cascade.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    seeds : label, iterable of labels, or mapping of label to probability
        Nodes active at step 0; a mapping gives each node an independent probability to be.
    steps : int, optional
        So many steps; default: until the expected number of new activations falls to `tol`.
    tol : float
        See `steps`; above 0.
    max_steps : int
        Without `steps`: steps after which it is an error not to have settled.

    Returns
    -------
    MessagePassing
        `by_step` holds 8 bytes for each node and step.

    Raises
    ------
    InputError
        No probabilities, or a value out of range.
    NotFoundError
        A seed that is not in the graph.
    DiffusionError
        `max_steps` came first.

    See Also
    --------
    simulation.forecast, theory.exact_final_size, spread

    Notes
    -----
    The message of u -> v is the probability that u is active by step t with v taken out of the graph:
    1 - (1 - s_u) times the product over arcs w -> u, w other than v, of 1 - p_wu times the message of w -> u at t - 1;
    the probability of v is the same with all its in-neighbours. Karrer and Newman (2010); Lokhov,
    Mezard, Ohta and Zdeborova (2014) on dynamic message passing. Exact where no two paths lead from one node to
    another, such as on trees; otherwise events that help each other are taken for independent, which can only raise the
    probabilities.

    References
    ----------
    - Karrer, B. and Newman, M. E. J. (2010). Message passing approach for general epidemic models. Physical Review E
      82, 016101.
    - Lokhov, A. Y., Mezard, M., Ohta, H. and Zdeborova, L. (2014). Inferring the origin of an epidemic with a dynamic
      message-passing algorithm. Physical Review E 90, 012801. doi:10.1103/PhysRevE.90.012801

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], directed=False).with_probabilities("constant", p=0.5)
    >>> result = message_passing(g, [0])
    >>> result
    MessagePassing: spread 1.875 (exact), 4 nodes, 4 steps
    >>> result.new_by_step.tolist()
    [1.0, 0.5, 0.25, 0.125, 0.0]
    """
    check_static(graph)
    if graph.probabilities is None:
        raise InputError(
            "the graph has no propagation probabilities: call graph.with_probabilities('weighted_cascade'), or "
            "'constant' with p=, first"
        )
    tol, max_steps = number(tol, "tol", above=0), whole(max_steps, "max_steps", least=1)
    last = max_steps if steps is None else whole(steps, "steps", least=0)
    n = graph.n_nodes
    start = _start(graph, seeds)
    source = np.repeat(np.arange(n), np.diff(graph.csr.indptr))
    target = graph.csr.indices.astype(np.int64)
    p = np.broadcast_to(graph.probabilities.values, target.shape).astype(np.float64)
    back = graph.csr.back
    mutual = np.flatnonzero(back >= 0)
    message = start[source]
    found = [start]
    for _ in range(last):
        # Products of what does not happen, as sums of logarithms; certain events are counted apart, since log 0 is not
        # a number that can be taken away again.
        passed = p * message
        certain = passed >= 1
        log = np.log1p(-np.where(certain, 0.0, passed))
        spared = np.bincount(target, log, n).astype(np.float64)
        surely = np.bincount(target, certain, n).astype(np.float64)
        found.append(1 - (1 - start) * np.where(surely > 0, 0.0, np.exp(spared)))
        without = spared[source]
        sure = surely[source]
        without[mutual] -= log[back[mutual]]
        sure[mutual] -= certain[back[mutual]]
        new = 1 - (1 - start[source]) * np.where(sure > 0, 0.0, np.exp(np.minimum(without, 0.0)))
        settled = float((found[-1] - found[-2]).sum()) <= tol and float((new - message).max(initial=0.0)) <= tol
        message = new
        if settled and steps is None:
            break
    else:
        if steps is None:
            raise DiffusionError(
                f"probabilities still moved after max_steps={max_steps:,} steps: raise max_steps or tol"
            )
    record = provenance("message_passing", n_nodes=n, n_edges=graph.n_edges, steps=len(found) - 1, tol=tol)
    return MessagePassing(graph.nodes, np.stack(found)[:, graph.index.rank], _is_forest(source, target, p, n), record)


def _start(graph: FollowerGraph, seeds: Any) -> Floats:
    """Probability of each internal node to be active at step 0."""
    from ..simulation.runner import seed_labels

    start = np.zeros(graph.n_nodes)
    if isinstance(seeds, Mapping):
        start[graph.index.internal(list(seeds))] = floats(list(seeds.values()), "the probabilities of seeds", most=1)
    else:
        start[graph.index.internal(seed_labels(graph, seeds))] = 1.0
    return start


def _is_forest(source: NDArray[Any], target: NDArray[Any], p: Floats, n: int) -> bool:
    """Whether the arcs, taken without direction, form no circle."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    live = (p > 0) & (source != target)
    ends = np.sort(np.stack([source[live], target[live]]), axis=0)
    pairs = np.unique(ends[0].astype(np.int64) * n + ends[1])
    matrix = csr_array((np.ones(pairs.size), (pairs // n, pairs % n)), shape=(n, n))
    parts, _ = connected_components(matrix, directed=False)
    return bool(n - parts == pairs.size)
