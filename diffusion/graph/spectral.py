"""R of a given graph before anything is simulated: spectral radii of next-generation and non-backtracking operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validation import Floats, number, whole
from ..errors import DiffusionError, InputError
from ..kernels.generations import Generation, advance, forward
from ._parts import read_only
from .follower_graph import FollowerGraph, check_static

__all__ = ["next_generation_radius", "non_backtracking_radius", "reproduction_number"]

_DENSE = 200  # arcs up to which all eigenvalues are computed
_POWERS, _ROUNDS = 15, 8  # powers between two looks at the bounds, and looks


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

    See Also
    --------
    simulation.reproduction, theory.non_backtracking_radius, theory.configuration_R

    Notes
    -----
    Karrer, Newman and Zdeborova (2014) on why this and not the spectral radius of the matrix itself sets the threshold.
    Each step costs a few passes over the arcs; arcs on no circle are left out first.

    References
    ----------
    - Hashimoto, K. (1989). Zeta functions of finite graphs and representations of p-adic groups. Advanced Studies in
      Pure Mathematics 15, 211-280.
    - Karrer, B., Newman, M. E. J. and Zdeborova, L. (2014). Percolation on sparse networks.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3], directed=False)
    >>> round(reproduction_number(g.with_probabilities("constant", p=0.25)), 6)  # each of 3 followers but one
    0.5
    """
    check_static(graph)
    tol = number(tol, "tol", above=0)
    whole(max_iter, "max_iter")
    if graph.probabilities is None:
        raise InputError(
            "the graph has no propagation probabilities: call graph.with_probabilities('weighted_cascade'), or "
            "'constant' with p=, first"
        )
    return leading_arcs(graph, tol, int(max_iter))[0]


def leading_arcs(graph: FollowerGraph, tol: float, max_iter: int, start: Floats | None = None) -> tuple[float, Floats]:
    """Return `reproduction_number` and a positive vector by arc near the eigenvector, from which a next one may start."""
    arcs = _circling(graph)
    vector = np.ones(graph.n_edges) if start is None else start.copy()
    x = vector[arcs.at]
    radius = 0.0
    for count in range(_ROUNDS):
        if not arcs.p.size:
            return radius, vector
        apply = arcs.operator()
        for _ in range(_POWERS if count or start is None else 1):
            advance(x, apply(x), 1e-100, 1e-100)
        vector[arcs.at] = x
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
    for part in np.unique(arcs.part):
        keep = arcs.part == part
        radius = max(radius, _largest(arcs.of(keep).operator(), x[keep], tol, max_iter))
    return radius, vector


@dataclass(frozen=True)
class _Arcs:
    """Arcs sorted by source and target: both ends, probability, strong part, position of the arc back or -1.

    `at` is the position of each in the graph.
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    p: Floats
    part: NDArray[np.int32]
    back: NDArray[np.int32]
    at: NDArray[np.int32]

    def of(self, keep: NDArray[np.bool_]) -> _Arcs:
        """Only some of the arcs."""
        if keep.all():
            return self
        kept = np.flatnonzero(keep)  # positions are several times as fast as a mask
        position = np.full(keep.size + 1, -1, np.int32)
        position[kept] = np.arange(kept.size, dtype=np.int32)
        ends, back = (self.source[kept], self.target[kept]), position[self.back[kept]]
        return _Arcs(*ends, self.p[kept], self.part[kept], back, self.at[kept])

    def by_part(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Order of the arcs that puts parts together, and where in it each part starts."""
        order = np.argsort(self.part, kind="stable")
        return order, np.flatnonzero(np.diff(self.part[order], prepend=-1))

    def operator(self) -> Callable[[Floats], Floats]:
        """The next-generation operator."""
        n = int(max(self.source.max(), self.target.max())) + 1
        indptr = np.append(0, np.cumsum(np.bincount(self.source, minlength=n)))
        of = along_arcs(indptr, self.target, self.back, self.p)

        def apply(x: Floats) -> Floats:
            y: Floats = forward(of, np.ascontiguousarray(x.ravel()), -np.inf)
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


def along_arcs(indptr: NDArray[np.int64], indices: NDArray[np.int32], back: NDArray[np.int32], p: Floats) -> Generation:
    """Return the operator without a feed, for kernels; `back` is the position of the reversed arc, -1 without one."""
    mutual = np.flatnonzero(back >= 0).astype(np.int32)
    arrays = (read_only(array) for array in (indptr, indices, mutual, back[mutual]))
    return Generation(*arrays, p, np.zeros(0), 0.0, np.zeros(0, np.int64), np.zeros(0))


def _circling(graph: FollowerGraph) -> _Arcs:
    """Return the arcs that can lie on a circle without turning back."""
    assert graph.probabilities is not None
    p = np.broadcast_to(graph.probabilities.values, graph.n_edges).astype(np.float64)
    passes = p > 0
    if passes.all():  # then they are the same whatever the probabilities
        arcs = graph.cached("circling", lambda: _circling_of(graph, passes))
    else:
        arcs = _circling_of(graph, passes)
    return replace(arcs, p=p[arcs.at])


def _circling_of(graph: FollowerGraph, passes: NDArray[np.bool_]) -> _Arcs:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n, m = graph.n_nodes, graph.n_edges
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(graph.csr.indptr))
    target = graph.csr.indices
    p = passes.astype(np.float64)
    indptr = np.append(0, np.cumsum(passes))[graph.csr.indptr]
    matrix = csr_array((p[passes], graph.csr.indices[passes], indptr), shape=(n, n))
    _, part = connected_components(matrix, connection="strong")
    arcs = _Arcs(source, target, p, part[source], graph.csr.back, np.arange(m, dtype=np.int32))
    arcs = arcs.of(passes & (part[source] == part[target]))
    while True:  # an arc that no other leads to, or from which none leads on, lies on no circle
        mutual = arcs.back >= 0
        before = np.bincount(arcs.target, minlength=n)[arcs.source] - mutual
        after = np.bincount(arcs.source, minlength=n)[arcs.target] - mutual
        keep = (before > 0) & (after > 0)
        if keep.all():
            return arcs
        arcs = arcs.of(keep)


def _times(matrix: Any) -> Callable[[Floats], Floats]:
    return lambda x: np.asarray(matrix @ x.ravel(), np.float64)


def non_backtracking_radius(graph: FollowerGraph, *, tol: float = 1e-8, max_iter: int = 5000) -> float:
    """Spectral radius of the non-backtracking matrix of a graph whose arcs are all mutual; probabilities play no part.

    With one probability p on all arcs, R = p times this radius, and 1 / radius is the threshold of p on a large sparse
    graph.

    Parameters
    ----------
    graph : FollowerGraph
        Built with ``directed=False``, or with every arc mutual. Parallel arcs count once.
    tol : float
        Relative accuracy of the eigenvalue.
    max_iter : int
        Restarts of the eigenvalue solver at most.

    Returns
    -------
    float
        0 on forests, 1 where every circle stands alone, otherwise above 1.

    Raises
    ------
    InputError
        An arc without its reverse (`reproduction_number` takes those), or `tol` or `max_iter` out of range.
    DiffusionError
        The solver did not reach `tol`.

    See Also
    --------
    theory.reproduction_number, theory.percolation_threshold

    Notes
    -----
    Hashimoto (1989) and Bass (1992): apart from eigenvalues of size 1, the spectrum of the matrix over 2 m arcs is that
    of [[A, I - D], [I, 0]] over 2 n nodes. Computed on the 2-core, since trees that hang on it change nothing.
    Threshold: Karrer, Newman and Zdeborova (2014).

    References
    ----------
    - Hashimoto, K. (1989). Zeta functions of finite graphs and representations of p-adic groups. Advanced Studies in
      Pure Mathematics 15, 211-280.
    - Bass, H. (1992). The Ihara-Selberg zeta function of a tree lattice. International Journal of Mathematics 3(6),
      717-797. doi:10.1142/S0129167X92000357
    - Karrer, B., Newman, M. E. J. and Zdeborova, L. (2014). Percolation on sparse networks.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3], directed=False)
    >>> round(non_backtracking_radius(g), 6)  # every node has 3 neighbours: 2 without the one it came from
    2.0
    """
    check_static(graph)
    from scipy.sparse import block_array, csr_array, diags_array, eye_array
    from scipy.sparse.linalg import ArpackError, eigs

    tol, max_iter = number(tol, "tol", above=0), whole(max_iter, "max_iter", least=1)
    one_way = int((graph.csr.back < 0).sum())
    if one_way:
        raise InputError(
            f"{one_way:,} of {graph.n_edges:,} arcs have no reverse: build the graph with directed=False, or use "
            "reproduction_number, which takes one-way arcs"
        )
    n = graph.n_nodes
    arcs = (np.ones(graph.csr.indices.size), graph.csr.indices, graph.csr.indptr)
    core: Any = csr_array(arcs, shape=(n, n))
    while True:
        degree: Floats = np.asarray(core.sum(axis=1), np.float64).ravel()
        keep = np.flatnonzero(degree > 1)
        if keep.size == degree.size:
            break
        core = core[keep][:, keep]
    if not degree.size:
        return 0.0
    if degree.max() == 2:
        return 1.0
    eye = eye_array(degree.size)
    matrix = block_array([[core, eye - diags_array(degree)], [eye, None]], format="csr")
    if matrix.shape[0] <= _DENSE:
        return float(np.abs(np.linalg.eigvals(matrix.toarray())).max())
    try:
        found = eigs(
            matrix, k=1, which="LR", v0=np.ones(matrix.shape[0]), tol=tol, maxiter=max_iter, return_eigenvectors=False
        )
    except ArpackError as error:
        raise DiffusionError(
            f"the non-backtracking radius did not settle to tol={tol:g} within max_iter={max_iter:,}: raise one of them"
        ) from error
    return float(found[0].real)


def next_generation_radius(matrix: ArrayLike | Any, *, tol: float = 1e-10) -> float:
    """Spectral radius of a next-generation matrix: R of a process with several kinds of activation.

    Parameters
    ----------
    matrix : array-like or scipy.sparse array, shape (n, n)
        Entry (i, j): mean activations of kind i that one of kind j causes; at least 0.
    tol : float
        Relative accuracy where a part has more than 200 kinds; smaller parts are solved whole.

    Returns
    -------
    float
        Exactly 0 where no kind can lead to itself again.

    Raises
    ------
    InputError
        Not square, or an entry that is negative or not finite.
    DiffusionError
        The solver did not reach `tol`.

    See Also
    --------
    theory.reproduction_number, theory.sips_block_matrix

    Notes
    -----
    Diekmann, Heesterbeek and Metz (1990). The radius is the largest among the strongly connected parts.

    References
    ----------
    - Diekmann, O., Heesterbeek, J. A. P. and Metz, J. A. J. (1990). On the definition and the computation of the basic
      reproduction ratio R0 in models for infectious diseases in heterogeneous populations. Journal of Mathematical
      Biology 28(4), 365-382. doi:10.1007/BF00178324

    Examples
    --------
    >>> round(next_generation_radius([[0.5, 0.25], [1.0, 0.5]]), 6), next_generation_radius([[0, 3], [0, 0]])
    (1.0, 0.0)
    """
    from scipy.sparse import csr_array, issparse
    from scipy.sparse.csgraph import connected_components

    tol = number(tol, "tol", above=0)
    try:
        given: Any = matrix if issparse(matrix) else np.asarray(matrix, np.float64)
        whole_matrix: Any = csr_array(given, copy=True)
    except (TypeError, ValueError):
        raise InputError("the next-generation matrix is not an array of numbers: give a square array") from None
    if whole_matrix.ndim != 2 or whole_matrix.shape[0] != whole_matrix.shape[1]:
        raise InputError(f"the next-generation matrix has shape {whole_matrix.shape}: give a square one")
    if not np.isfinite(whole_matrix.data).all() or (whole_matrix.data < 0).any():
        raise InputError("the next-generation matrix holds a negative or infinite entry: give mean numbers, at least 0")
    whole_matrix.eliminate_zeros()
    _, part = connected_components(whole_matrix, connection="strong")
    size = np.bincount(part)
    diagonal = whole_matrix.diagonal()
    radius = float(diagonal[size[part] == 1].max(initial=0.0))
    for number_of_part in np.flatnonzero(size > 1):
        members = np.flatnonzero(part == number_of_part)
        inner = whole_matrix[members][:, members]
        if members.size <= _DENSE:
            radius = max(radius, float(np.abs(np.linalg.eigvals(inner.toarray())).max()))
        else:
            radius = max(radius, _largest(_times(inner), np.ones(members.size), tol, 2000))
    return radius
