"""Branching theory: what R predicts, and R predicted from a graph before anything is simulated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DiffusionError, InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph

__all__ = [
    "configuration_R",
    "doubling_time",
    "extinction_probability",
    "giant_component",
    "mean_total_size",
    "rate_with_delays",
    "reproduction_number",
]

_DENSE = 200  # arcs up to which all eigenvalues are computed
_POWERS, _ROUNDS = 15, 8  # powers between two looks at the bounds, and looks
Floats = NDArray[np.float64]


def _number(value: Any, name: str, *, above: float | None = None, least: float | None = None) -> float:
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if real and math.isfinite(value) and (above is None or value > above) and (least is None or value >= least):
        return float(value)
    bound = f"above {above:g}" if above is not None else f"from {least:g}"
    raise InputError(f"{name}={value!r} is out of range: give a finite number {bound}")


def mean_total_size(R: float) -> float:
    """Mean number of nodes in a branching cascade from one seed: 1 / (1 - R) below R = 1, infinite from there on.

    Source: Harris (1963), The Theory of Branching Processes, chapter I.

    Raises
    ------
    InputError
        R is negative.

    Examples
    --------
    >>> mean_total_size(0.75), mean_total_size(1.0)
    (4.0, inf)
    """
    R = _number(R, "R", least=0)
    return 1 / (1 - R) if R < 1 else math.inf


def extinction_probability(R: float, offspring: Literal["poisson", "geometric"] = "poisson") -> float:
    """Probability that a branching cascade from one seed dies out: the smallest root of q = f(q).

    Parameters
    ----------
    R : float
        Mean activations caused by each node, at least 0.
    offspring : {"poisson", "geometric"}
        Their distribution: f(q) = exp(R (q - 1)), or 1 / (1 + R (1 - q)) with the root 1 / R.

    Returns
    -------
    float
        1 where R <= 1.

    Raises
    ------
    InputError
        R is negative.
    NotFoundError
        Another distribution.

    Notes
    -----
    Watson and Galton (1875); Harris (1963), chapter I, theorem 6.1.

    Examples
    --------
    >>> round(extinction_probability(2.0), 6), extinction_probability(2.0, "geometric")
    (0.203188, 0.5)
    """
    R = _number(R, "R", least=0)
    if offspring not in ("poisson", "geometric"):
        near = did_you_mean(offspring, ["poisson", "geometric"])
        raise NotFoundError(f"offspring={offspring!r} is not known: give 'poisson' or 'geometric'.{near}")
    if R <= 1:
        return 1.0
    return 1 / R if offspring == "geometric" else 1 - _survival(R)


def _survival(R: float) -> float:
    """Positive root of s = 1 - exp(-R s), for R > 1."""
    from scipy.optimize import brentq

    # At (R - 1) / R^2 the left side is still the smaller one, at 1 the larger one.
    return float(brentq(lambda s: s + math.expm1(-R * s), (R - 1) / R**2, 1.0, xtol=1e-300, rtol=1e-14))


def giant_component(zp: float) -> float:
    """Share of nodes in the giant component of an Erdos-Renyi graph with mean degree `zp`; 0 up to 1.

    With arcs of a graph of mean degree z kept with probability p, this is both the probability that a cascade from one
    random seed takes off and the share of nodes it then reaches (Erdos and Renyi 1960; Newman 2002).

    Examples
    --------
    >>> round(giant_component(1.5), 6), giant_component(1.0)
    (0.582812, 0.0)
    """
    zp = _number(zp, "zp", least=0)
    return _survival(zp) if zp > 1 else 0.0


def doubling_time(R: float) -> float:
    """Generations until new activations double, log 2 / log R; infinite where R <= 1.

    Examples
    --------
    >>> round(doubling_time(1.2), 3), doubling_time(2.0), doubling_time(0.9)
    (3.802, 1.0, inf)
    """
    R = _number(R, "R", least=0)
    return math.log(2) / math.log(R) if R > 1 else math.inf


def rate_with_delays(R: float, shape: float, mean: float) -> float:
    """Exponential growth rate per unit of time when each activation takes a gamma-distributed delay.

    r = (shape / mean) (R^(1 / shape) - 1), from 1 = R E[exp(-r delay)] (Wallinga and Lipsitch 2007). Shape 1 is the
    exponential delay; a large shape tends to log(R) / mean, a fixed delay.

    Parameters
    ----------
    R : float
        Mean activations caused by each node, at least 0.
    shape : float
        Shape of the gamma distribution, above 0.
    mean : float
        Its mean, above 0, in the unit of time of the answer.

    Examples
    --------
    >>> rate_with_delays(2.0, shape=1, mean=4)
    0.25
    """
    R, shape, mean = _number(R, "R", least=0), _number(shape, "shape", above=0), _number(mean, "mean", above=0)
    if R == 0:
        return -shape / mean
    return shape / mean * math.expm1(math.log(R) / shape)


def configuration_R(graph: FollowerGraph, p: float) -> float:
    """R of an independent cascade with constant `p` on a random graph with the same degrees.

    Parameters
    ----------
    graph : FollowerGraph
        Only its degrees count, parallel arcs included.
    p : float in [0, 1]

    Returns
    -------
    float
        Undirected: p (<k^2> - <k>) / <k>, since one edge leads back. Directed: p <j k> / <j>, with j the accounts that
        a node follows and k its followers. 0 without arcs.

    Notes
    -----
    Newman, Strogatz and Watts (2001). A graph built with ``directed=True`` is treated as directed even where arcs are
    mutual; `reproduction_number` takes mutual arcs, unequal probabilities and the graph itself into account.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2, 3], [1, 2, 3, 0], directed=False)
    >>> configuration_R(g, 0.5)
    0.5
    """
    if _number(p, "p", least=0) > 1:
        raise InputError(f"p={p!r} is out of range: give a probability from 0 to 1")
    k = graph._out_degree.astype(np.float64)
    j = graph._in_degree.astype(np.float64)
    if not graph.n_edges:
        return 0.0
    return float(p * ((j @ k - (0.0 if graph.directed else k.sum())) / k.sum()))


def reproduction_number(graph: FollowerGraph, *, tol: float = 1e-6, max_iter: int = 2000) -> float:
    """R of an independent cascade on this very graph: the spectral radius of its next-generation operator.

    An activation that came along u -> v goes on along every arc v -> w but the one back to u. So the operator acts on
    arcs: y[u -> v] = p[u -> v] (sum of x over arcs into u - x[v -> u]). Without mutual arcs its spectral radius is that
    of the matrix of probabilities; where all arcs are mutual it is the weighted non-backtracking matrix of Hashimoto
    (1989). R > 1 predicts growth as long as few nodes are active and circles are long; it may be the R of a small dense
    core alone, above 1 while cascades that start elsewhere die out.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    tol : float
        Relative accuracy asked of the eigenvalue.
    max_iter : int
        Restarts of the eigenvalue solver at most.

    Returns
    -------
    float
        Exactly 0 where no arc can be met again, as on a tree or an acyclic graph.

    Raises
    ------
    InputError
        The graph has no probabilities, or `tol` or `max_iter` is out of range.
    DiffusionError
        The solver did not reach `tol`.

    Notes
    -----
    Karrer, Newman and Zdeborova (2014) on why this and not the spectral radius of the matrix itself sets the threshold.
    Each step costs a few passes over the arcs; arcs on no circle are left out first.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3], directed=False)
    >>> round(reproduction_number(g.with_probabilities("constant", p=0.25)), 6)  # each of 3 followers but one
    0.5
    """
    tol = _number(tol, "tol", above=0)
    if isinstance(max_iter, bool) or not isinstance(max_iter, int | np.integer) or max_iter < 1:
        raise InputError(f"max_iter={max_iter!r} is not a number of iterations: give a whole number from 1")
    if graph.probabilities is None:
        raise InputError(
            "the graph has no propagation probabilities: call graph.with_probabilities('weighted_cascade'), or "
            "'constant' with p=, first"
        )
    arcs = _circling(graph)
    x = np.ones(arcs.p.size)
    radius = 0.0
    for _ in range(_ROUNDS):
        if not arcs.p.size:
            return radius
        apply = arcs.operator()
        for _ in range(_POWERS):
            y = apply(x)
            x = y + 0.1 * float((x * y).sum() / (x * x).sum()) * x  # the shift keeps periodic operators from swinging
            x = np.maximum(x / x.max(), 1e-100)
        # The radius of each part lies between these two (Collatz 1942, Wielandt 1950), so few need a closer look.
        order, first = arcs.by_part()
        ratio = (apply(x) / x)[order]
        low, high = np.minimum.reduceat(ratio, first), np.maximum.reduceat(ratio, first)
        radius = max(radius, float(low.max()))
        settled = high - low <= tol * high
        radius = max(radius, float(((low + high) / 2)[settled].max(initial=0)))
        size = np.diff(first, append=order.size)
        for at in np.flatnonzero(~settled & (size <= _DENSE))[np.argsort(-high[~settled & (size <= _DENSE)])]:
            if high[at] > radius * (1 + tol):
                radius = max(radius, arcs.of(arcs.part == arcs.part[order[first[at]]]).dense_radius())
        open_parts = ~settled & (size > _DENSE) & (high > radius * (1 + tol))
        keep = np.isin(arcs.part, arcs.part[order[first[open_parts]]])
        arcs, x = arcs.of(keep), x[keep]
    for number in np.unique(arcs.part):
        keep = arcs.part == number
        radius = max(radius, _largest(arcs.of(keep).operator(), x[keep], tol, int(max_iter)))
    return radius


@dataclass(frozen=True)
class _Arcs:
    """Arcs sorted by source and target: both ends, probability, strong part, position of the arc back or -1."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    p: Floats
    part: NDArray[np.int32]
    back: NDArray[np.int64]

    def of(self, keep: NDArray[np.bool_]) -> _Arcs:
        """Only some of the arcs."""
        if keep.all():
            return self
        position = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
        return _Arcs(self.source[keep], self.target[keep], self.p[keep], self.part[keep], position[self.back[keep]])

    def by_part(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Order of the arcs that puts parts together, and where in it each part starts."""
        order = np.argsort(self.part, kind="stable")
        return order, np.flatnonzero(np.diff(self.part[order], prepend=-1))

    def operator(self) -> Callable[[Floats], Floats]:
        """The next-generation operator."""
        n = int(max(self.source.max(), self.target.max())) + 1
        mutual = np.flatnonzero(self.back >= 0)
        back = self.back[mutual]
        out = np.bincount(self.source, minlength=n)

        def apply(x: Floats) -> Floats:
            x = x.ravel()
            y: Floats = np.repeat(np.bincount(self.target, x, n), out) * self.p
            y[mutual] -= self.p[mutual] * x[back]
            return y

        return apply

    def dense_radius(self) -> float:
        """Spectral radius from all eigenvalues."""
        follows = (self.target[None, :] == self.source[:, None]) & (self.source[None, :] != self.target[:, None])
        return float(np.abs(np.linalg.eigvals(follows * self.p[:, None])).max())


def _largest(apply: Callable[[Floats], Floats], start: Floats, tol: float, max_iter: int) -> float:
    """Largest eigenvalue of a non-negative operator, which is real (Perron and Frobenius)."""
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

    operator = LinearOperator((start.size, start.size), matvec=apply, dtype=np.float64)
    try:
        found = eigs(operator, k=1, which="LR", v0=start, tol=tol, maxiter=max_iter, return_eigenvectors=False)
    except ArpackError as error:
        bound = float((apply(start) / start).max())
        raise DiffusionError(
            f"the reproduction number did not settle to tol={tol:g} within max_iter={max_iter:,}; it is at most "
            f"{bound:.6g}. Raise tol or max_iter"
        ) from error
    return float(found[0].real)


def _circling(graph: FollowerGraph) -> _Arcs:
    """Return the arcs that can lie on a circle without turning back."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    assert graph.probabilities is not None
    n = graph.n_nodes
    source = np.repeat(np.arange(n), np.diff(graph._indptr))
    target = graph._indices.astype(np.int64)
    p = np.broadcast_to(graph.probabilities.values, target.shape).astype(np.float64)
    passes = p > 0
    indptr = np.append(0, np.cumsum(passes))[graph._indptr]
    matrix = csr_array((p[passes], graph._indices[passes], indptr), shape=(n, n))
    _, part = connected_components(matrix, connection="strong")
    key = source * n + target
    into = graph._in_arcs  # sorted by target and source, so that its reversed arcs ascend
    back = np.full(key.size, -1)
    if key.size:
        reverse = np.repeat(np.arange(n), np.diff(into.indptr)) * n + into.sources
        at = np.minimum(np.searchsorted(key, reverse), key.size - 1)
        back[into.arc] = np.where(key[at] == reverse, at, -1)
    arcs = _Arcs(source, target, p, part[source], back).of(passes & (part[source] == part[target]))
    while True:  # an arc that no other leads to, or from which none leads on, lies on no circle
        mutual = arcs.back >= 0
        before = np.bincount(arcs.target, minlength=n)[arcs.source] - mutual
        after = np.bincount(arcs.source, minlength=n)[arcs.target] - mutual
        keep = (before > 0) & (after > 0)
        if keep.all():
            return arcs
        arcs = arcs.of(keep)
