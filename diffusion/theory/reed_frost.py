"""Exact cascade sizes: on complete graphs, paths, stars, cycles, trees, and on any graph small enough to enumerate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._provenance import provenance
from .._upward import draw
from .._validation import Floats, floats, is_whole, probability, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_static
from ..graph.probabilities import without_rounding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "FinalSize",
    "cycle_spread",
    "exact_final_size",
    "path_spread",
    "reed_frost",
    "star_spread",
    "tree_spread",
]

_MOST_NODES = 1000  # of a complete graph: work goes as the third power
_WORLDS = 1 << 20


@dataclass(frozen=True, repr=False)
class FinalSize:
    """Exact distribution of the size of a cascade, seeds included.

    Attributes
    ----------
    sizes : ndarray of int
        0, 1, ..., number of nodes.
    probability : ndarray of float
        Of each size.
    provenance : dict

    See Also
    --------
    theory.exact_final_size, theory.reed_frost
    """

    sizes: NDArray[np.int64]
    probability: Floats
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """The spread sigma(S)."""
        return float(self.sizes @ self.probability)

    @property
    def sd(self) -> float:
        """Standard deviation of the size of one cascade."""
        return math.sqrt(float((self.sizes - self.mean) ** 2 @ self.probability))

    def to_pandas(self) -> pd.DataFrame:
        """Return columns size and probability."""
        return pd.DataFrame({"size": self.sizes, "probability": self.probability})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the probability of every size."""
        return draw("final_size", self, ax)

    def __repr__(self) -> str:
        return f"FinalSize: mean {self.mean:.6g}, sd {self.sd:.6g}, of {self.sizes.size - 1:,} nodes"


def reed_frost(n: int, p: float, seeds: int = 1) -> FinalSize:
    """Final size of an independent cascade with constant `p` on the complete graph of `n` nodes: Reed and Frost's model.

    Parameters
    ----------
    n : int from 1 to 1,000
    p : float in [0, 1]
    seeds : int from 0 to n

    Returns
    -------
    FinalSize

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.exact_final_size

    Notes
    -----
    With s nodes inactive and i just activated, the next generation is Binomial(s, 1 - (1 - p)^i): Abbey (1952); Bailey
    (1975). The chain is followed forward from the seeds, so
    only positive numbers are added. The mean obeys E(s, i) = sum over j of the binomial weight times (j + E(s - j, j)).

    References
    ----------
    - Abbey, H. (1952). An examination of the Reed-Frost theory of epidemics. Human Biology 24(3), 201-233.
    - Bailey, N. T. J. (1975). The Mathematical Theory of Infectious Diseases.

    Examples
    --------
    >>> round(reed_frost(4, 0.5).mean, 10), round(reed_frost(20, 0.1).mean, 10)
    (3.25, 12.6944195575)
    """
    from scipy.stats import binom

    n = whole(n, "n", least=1, most=_MOST_NODES)
    p, seeds = probability(p, "p"), whole(seeds, "seeds", least=0, most=n)
    state = np.zeros((n - seeds + 1, n + 1))  # probability of s inactive and i just activated, at some generation
    state[n - seeds, seeds] = 1.0
    for s in range(n - seeds, 0, -1):
        new = np.flatnonzero(state[s, 1:]) + 1
        if new.size:
            reached = -np.expm1(new * np.log1p(-p)) if p < 1 else np.ones(new.size)
            counts = np.arange(s + 1)
            weight = state[s, new] @ binom.pmf(counts[None, :], s, reached[:, None])
            state[s, 0] += weight[0]
            state[s - counts[1:], counts[1:]] += weight[1:]
    final = np.zeros(n + 1)
    final[n - np.arange(n - seeds + 1)] = state[:, 0]
    final[n] += state[0, 1:].sum()
    return FinalSize(np.arange(n + 1), final, provenance("reed_frost", n=n, p=p, seeds=seeds))


def path_spread(n: int, p: float) -> float:
    """Spread from the end of a path of `n` nodes with constant `p`: (1 - p^n) / (1 - p).

    Parameters
    ----------
    n : int
        Nodes, at least 1.
    p : float in [0, 1]
        Propagation probability of every arc.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.tree_spread, theory.cycle_spread, theory.star_spread

    Examples
    --------
    >>> round(path_spread(4, 0.3), 6)
    1.417
    """
    n, p = whole(n, "n", least=1), probability(p, "p")
    return float(n) if p == 1 else (1 - p**n) / (1 - p)


def star_spread(leaves: int, p: float, seed: Literal["centre", "leaf"] = "centre") -> float:
    """Spread on an undirected star with constant `p`: 1 + m p from the centre, 1 + p + (m - 1) p^2 from a leaf.

    Parameters
    ----------
    leaves : int
        Leaves m, at least 1.
    p : float in [0, 1]
        Propagation probability of every arc.
    seed : {"centre", "leaf"}
        Where it starts.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A value out of range.
    NotFoundError
        Another `seed`.

    See Also
    --------
    theory.path_spread, theory.tree_spread

    Examples
    --------
    >>> round(star_spread(4, 0.3), 6), round(star_spread(4, 0.3, seed="leaf"), 6)
    (2.2, 1.57)
    """
    m, p = whole(leaves, "leaves", least=1), probability(p, "p")
    if seed not in ("centre", "leaf"):
        raise NotFoundError(
            f"seed={seed!r} is not known: give 'centre' or 'leaf'.{did_you_mean(seed, ['centre', 'leaf'])}"
        )
    return 1 + m * p if seed == "centre" else 1 + p + (m - 1) * p**2


def cycle_spread(n: int, p: float) -> float:
    """Spread from one node of an undirected cycle with constant `p`: 1 + sum over i of p^i + p^(n-i) - p^n, i < n.

    Parameters
    ----------
    n : int
        Nodes, at least 3.
    p : float in [0, 1]
        Propagation probability of every arc.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.path_spread, theory.exact_final_size

    Examples
    --------
    >>> round(cycle_spread(5, 0.3), 6)
    1.84048
    """
    n, p = whole(n, "n", least=3), probability(p, "p")
    i = np.arange(1, n)
    return float(1 + (p**i + p ** (n - i) - p**n).sum())


def tree_spread(parents: Iterable[int | None], p: ArrayLike | float) -> float:
    """Spread from the root of an out-tree: 1 + the sum over other nodes of the product of `p` along the path to them.

    Parameters
    ----------
    parents : iterable of int or None
        Position of the parent of each node, which comes before it; None for the root, which is the first.
    p : float, or array-like of shape (n_nodes,)
        Propagation probability of the arc into each node; that of the root plays no part.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Parents that are no tree, or a value out of range.

    See Also
    --------
    theory.path_spread, theory.message_passing

    Examples
    --------
    >>> tree_spread([None, 0, 0, 1], 0.5)
    2.25
    """
    given = list(parents)
    if not given or given[0] is not None or any(not is_whole(u) or not 0 <= u < v for v, u in enumerate(given) if v):
        raise InputError(
            "parents is no tree: give None for the root first, then for each node the position of its parent"
        )
    chances = (
        np.full(len(given), probability(p, "p")) if np.ndim(p) == 0 else floats(p, "p", shape=(len(given),), most=1)
    )
    through = np.ones(len(given))
    for v in range(1, len(given)):
        through[v] = through[given[v]] * chances[v]
    return float(through.sum())


def exact_final_size(graph: FollowerGraph, seeds: Any, *, model: Literal["ic", "lt"] = "ic") -> FinalSize:
    """Exact distribution of the size of a cascade on a small graph, by going through all live-edge worlds.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, as 32-bit numbers: 0.1 there is 0.1 up to 1e-9.
    seeds : label or iterable of labels
    model : {"ic", "lt"}
        Independent cascade: each arc is kept or not, 2^n_edges worlds. Linear threshold: each node keeps one in-arc or
        none, product over nodes of (in-degree + 1) worlds.

    Returns
    -------
    FinalSize

    Raises
    ------
    InputError
        No probabilities, more than 2^20 worlds (20 arcs for the independent cascade), or weights at a node that sum to
        more than 1.
    NotFoundError
        Another model, or a seed that is not in the graph.

    See Also
    --------
    theory.reed_frost, theory.message_passing, spread

    Notes
    -----
    Live-edge worlds as in Kempe, Kleinberg and Tardos (2003): the proofs of theorems 2.2 (independent cascade) and 2.5
    (linear threshold), which are theorems 4.5 and 4.6 of the version of 2015.

    References
    ----------
    - Kempe, D., Kleinberg, J. and Tardos, E. (2003). Maximizing the spread of influence through a social network. KDD
      2003, 137-146. doi:10.1145/956750.956769
    - Kempe, D., Kleinberg, J. and Tardos, E. (2015). Maximizing the spread of influence through a social network.
      Theory of Computing 11(4), 105-147. doi:10.4086/toc.2015.v011a004

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 3, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> exact_final_size(g, [0]).mean, exact_final_size(g, [0], model="lt").mean
    (2.4375, 2.5)
    """
    check_static(graph)
    from ..simulation.runner import seed_labels

    if model not in ("ic", "lt"):
        raise NotFoundError(f"model={model!r} is not known: give 'ic' or 'lt'.{did_you_mean(model, ['ic', 'lt'])}")
    if graph.probabilities is None:
        raise InputError("the graph has no propagation probabilities: call graph.with_probabilities(...) first")
    start = graph.index.internal(seed_labels(graph, seeds))
    source = np.repeat(np.arange(graph.n_nodes), np.diff(graph.csr.indptr))
    target = graph.csr.indices.astype(np.int64)
    p = np.broadcast_to(graph.probabilities.values, target.shape).astype(np.float64)
    if model == "lt" and graph.probabilities.rule == "column":
        p = np.asarray(without_rounding(graph, p), np.float64)
    weight, live = (_ic_worlds if model == "ic" else _lt_worlds)(p, target, graph.n_nodes)
    reached = np.zeros((graph.n_nodes, weight.size), np.bool_)
    reached[start] = True
    for _ in range(graph.n_nodes):
        before = reached.sum()
        for arc in range(target.size):
            reached[target[arc]] |= reached[source[arc]] & live(arc)
        if reached.sum() == before:
            break
    probability = np.bincount(reached.sum(axis=0), weight, minlength=graph.n_nodes + 1)
    record = provenance("exact_final_size", model=model, worlds=int(weight.size), n_nodes=graph.n_nodes)
    return FinalSize(np.arange(graph.n_nodes + 1), np.asarray(probability, np.float64), record)


Worlds = tuple[Floats, Callable[[int], NDArray[np.bool_]]]


def _refuse(worlds: float) -> None:
    if worlds > _WORLDS:
        raise InputError(
            f"the graph has {worlds:.3g} live-edge worlds: at most {_WORLDS:,} are enumerated (20 arcs for the "
            "independent cascade). Use simulate or spread"
        )


def _ic_worlds(p: Floats, target: NDArray[np.int64], n: int) -> Worlds:
    """Probability of each world, and in which of them an arc is live: bit `arc` of the number of the world."""
    _refuse(2.0**p.size)
    weight = np.ones(1)
    for q in p:
        weight = np.concatenate([weight * (1 - q), weight * q])
    number = np.arange(weight.size)
    return weight, lambda arc: (number >> arc & 1).astype(np.bool_)


def _lt_worlds(p: Floats, target: NDArray[np.int64], n: int) -> Worlds:
    """Probability of each world, and in which of them an arc is live: a digit of its number in mixed bases."""
    total = np.bincount(target, p, n)
    if (total > 1 + 1e-6).any():
        raise InputError(
            f"the weights at a node sum to {total.max():.6g}, more than 1: use with_probabilities('lt', normalize=True)"
        )
    degree = np.bincount(target, minlength=n)
    _refuse(float(np.prod(degree + 1.0)))
    weight = np.ones(1)
    place = np.ones(n, np.int64)
    choice = np.zeros(p.size, np.int64)  # digit that keeps the arc; 0 keeps none
    for v in range(n):
        arcs = np.flatnonzero(target == v)
        choice[arcs] = np.arange(1, arcs.size + 1)
        place[v] = weight.size
        options = np.concatenate([[max(1 - total[v], 0.0)], p[arcs]])
        weight = (options[:, None] * weight[None, :]).ravel()
    number = np.arange(weight.size)

    def live(arc: int) -> NDArray[np.bool_]:
        v = target[arc]
        return np.asarray(number // place[v] % (degree[v] + 1) == choice[arc])

    return weight, live
