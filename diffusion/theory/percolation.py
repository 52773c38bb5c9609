"""Percolation on random graphs with given degrees: thresholds, giant components and mean cluster sizes.

A live-edge world of the independent cascade with one probability p is bond percolation with p, so on a large random
graph the giant component answers two questions: how likely one seed is to take off, and how far it then goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._provenance import provenance
from .._validation import Floats, floats, number, probability
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ._row import Row

__all__ = [
    "DirectedPercolation",
    "Percolation",
    "degree_distribution",
    "directed_percolation",
    "g0",
    "g1",
    "molloy_reed",
    "percolation",
    "percolation_threshold",
    "poisson_distribution",
]

_ROUNDING = 1e-9  # of probabilities that should sum to 1


def poisson_distribution(z: float) -> Floats:
    """Degree distribution of a large Erdos-Renyi graph with mean degree `z`: p[k], to where the tail is below 1e-16.

    Parameters
    ----------
    z : float in [0, 1e6]
        Mean degree.

    Returns
    -------
    ndarray of float, shape (largest degree + 1,)

    Raises
    ------
    InputError
        z is out of range.

    See Also
    --------
    theory.degree_distribution

    Examples
    --------
    >>> p = poisson_distribution(4.0)
    >>> round(float(p[0]), 6), round(float(p.sum()), 12)
    (0.018316, 1.0)
    """
    from scipy.stats import poisson

    z = number(z, "z", least=0, most=1e6)
    return np.asarray(poisson.pmf(np.arange(int(poisson.isf(1e-16, z)) + 2 if z else 1), z), np.float64)


def degree_distribution(degrees: ArrayLike | FollowerGraph) -> Floats:
    """Share of nodes with each degree, p[k], of a degree sequence or of an undirected graph.

    Parameters
    ----------
    degrees : array-like of whole numbers, or FollowerGraph
        A graph has to be built with ``directed=False``; `directed_percolation` takes in- and out-degrees.

    Returns
    -------
    ndarray of float, shape (largest degree + 1,)

    Raises
    ------
    InputError
        No node, a degree that is no whole number from 0, or a directed graph.

    See Also
    --------
    theory.poisson_distribution, theory.percolation

    Examples
    --------
    >>> degree_distribution([1, 1, 2, 0]).tolist()
    [0.25, 0.5, 0.25]
    """
    if isinstance(degrees, FollowerGraph):
        if degrees.directed:
            raise InputError(
                "the graph is directed: use directed_percolation(graph.in_degree, graph.out_degree), or build it with "
                "directed=False"
            )
        counts = np.bincount(degrees.csr.out_degree)
    else:
        counts = np.bincount(_sequence(degrees, "degrees"))
    return np.asarray(counts / counts.sum(), np.float64)


def _sequence(degrees: Any, name: str) -> Any:
    found = floats(degrees, name)
    if not found.size or (found != np.floor(found)).any():
        raise InputError(f"{name} is no degree sequence: give one whole number from 0 for each node, and at least one")
    return found.astype(np.int64)


def distribution_of(degrees: ArrayLike | float, name: str = "degrees") -> Floats:
    """Return p[k]: of a number, the Poisson distribution with that mean; of an array, itself once it is checked."""
    if isinstance(degrees, int | float | np.integer | np.floating) and not isinstance(degrees, bool):
        return poisson_distribution(number(degrees, f"{name} (mean degree)", least=0))
    p = floats(degrees, name, most=1.0)
    if not p.size or abs(p.sum() - 1) > _ROUNDING:
        raise InputError(
            f"{name} sums to {p.sum():g}: give p[k], the share of nodes with degree k = 0, 1, ..., which sums to 1 "
            "(degree_distribution makes it from a degree sequence), or a mean degree for a Poisson distribution"
        )
    return p


def _mean(p: Floats) -> float:
    return float(np.arange(p.size) @ p)


def _excess(p: Floats) -> Floats:
    """Distribution of the further edges of a node reached along an edge: (k + 1) p[k + 1] / <k>."""
    weight = np.arange(1, p.size) * p[1:]
    return np.asarray(weight / weight.sum(), np.float64) if weight.sum() > 0 else np.ones(1)


def _power_series(p: Floats, x: float) -> float:
    return float(np.polynomial.polynomial.polyval(x, p)) if p.size else 0.0


def g0(degrees: ArrayLike | float, x: float) -> float:
    """Generating function of degrees, G0(x) = sum over k of p[k] x^k (Newman, Strogatz and Watts 2001, equation 2).

    Parameters
    ----------
    degrees : array-like p[k], or float
        A number is the mean of a Poisson distribution.
    x : float in [0, 1]

    Returns
    -------
    float

    See Also
    --------
    theory.g1

    References
    ----------
    - Newman, M. E. J., Strogatz, S. H. and Watts, D. J. (2001). Random graphs with arbitrary degree distributions and
      their applications. Physical Review E 64, 026118. doi:10.1103/PhysRevE.64.026118

    Examples
    --------
    >>> g0([0.25, 0.5, 0.25], 0.5)
    0.5625
    """
    return _power_series(distribution_of(degrees), probability(x, "x"))


def g1(degrees: ArrayLike | float, x: float) -> float:
    """Generating function of the further edges of a node reached along an edge, G1(x) = G0'(x) / G0'(1).

    Newman, Strogatz and Watts (2001), equation 9; parameters as in `g0`. 1 where no node has an edge.

    Parameters
    ----------
    degrees : array-like p[k], or float
        A number is the mean of a Poisson distribution.
    x : float in [0, 1]

    Returns
    -------
    float

    See Also
    --------
    theory.g0

    References
    ----------
    - Newman, M. E. J., Strogatz, S. H. and Watts, D. J. (2001). Random graphs with arbitrary degree distributions and
      their applications. Physical Review E 64, 026118. doi:10.1103/PhysRevE.64.026118

    Examples
    --------
    >>> g1([0.0, 0.5, 0.5], 0.5)  # two thirds of the edges end at a node of degree 2
    0.6666666666666666
    """
    return _power_series(_excess(distribution_of(degrees)), probability(x, "x"))


def molloy_reed(degrees: ArrayLike | float) -> float:
    """Sum over k of k (k - 2) p[k]: a large random graph has a giant component if and only if it is above 0.

    Molloy and Reed (1995); parameters as in `g0`. In edges per node, from -1 on.

    Parameters
    ----------
    degrees : array-like p[k], or float
        A number is the mean of a Poisson distribution.

    Returns
    -------
    float

    See Also
    --------
    theory.percolation_threshold, theory.percolation

    References
    ----------
    - Molloy, M. and Reed, B. (1995). A critical point for random graphs with a given degree sequence. Random Structures
      & Algorithms 6, 161-180. doi:10.1002/rsa.3240060204

    Examples
    --------
    >>> molloy_reed([0.25, 0.5, 0.25]), molloy_reed([0, 0.5, 0, 0.5])
    (-0.5, 1.0)
    """
    p = distribution_of(degrees)
    k = np.arange(p.size)
    return float((k * (k - 2)) @ p)


def percolation_threshold(degrees: ArrayLike | float) -> float:
    """Smallest share of kept edges, or nodes, with a giant component: <k> / (<k^2> - <k>).

    Cohen, Erez, ben-Avraham and Havlin (2000); Callaway, Newman, Strogatz and Watts (2000). Parameters as in
    `g0`.

    Parameters
    ----------
    degrees : array-like p[k], or float
        A number is the mean of a Poisson distribution.

    Returns
    -------
    float
        Infinite where the graph has no giant component even with all edges kept.

    See Also
    --------
    theory.percolation, theory.molloy_reed, theory.non_backtracking_radius

    References
    ----------
    - Cohen, R., Erez, K., ben-Avraham, D. and Havlin, S. (2000). Resilience of the Internet to random breakdowns.
      Physical Review Letters 85, 4626-4628. doi:10.1103/PhysRevLett.85.4626
    - Callaway, D. S., Newman, M. E. J., Strogatz, S. H. and Watts, D. J. (2000). Network robustness and fragility:
      Percolation on random graphs. Physical Review Letters 85, 5468-5471. doi:10.1103/PhysRevLett.85.5468

    Examples
    --------
    >>> round(percolation_threshold(4.0), 12), percolation_threshold([0, 1.0])
    (0.25, inf)
    """
    p = distribution_of(degrees)
    k = np.arange(p.size)
    branches = float((k * (k - 1)) @ p)
    threshold = _mean(p) / branches if branches > 0 else math.inf
    return threshold if threshold <= 1 + 1e-12 else math.inf


@dataclass(frozen=True, repr=False)
class Percolation(Row):
    """What remains of a large random graph when edges and nodes are kept at random.

    Attributes
    ----------
    giant : float
        Share of all nodes in the giant component; also the probability that a cascade from one random node takes off.
    mean_small : float
        Mean size of the cluster of a random node outside the giant component (a node that is not kept counts 0).
        Infinite at the threshold.
    edge_dies : float
        Probability that an edge, followed one way, does not lead to the giant component.
    branching : float
        Mean number of kept edges that go on from a node at the end of an edge: the R of the cascade. Above 1 there is a
        giant component.
    bond : float
        Share of edges kept.
    provenance : dict

    See Also
    --------
    theory.percolation, theory.DirectedPercolation
    """

    giant: float
    mean_small: float
    edge_dies: float
    branching: float
    bond: float
    provenance: dict[str, Any] = field(default_factory=dict)


def percolation(degrees: ArrayLike | float, *, bond: float = 1.0, site: ArrayLike | float = 1.0) -> Percolation:
    """Giant component and mean cluster size of a large random graph with given degrees, edges and nodes kept at random.

    Parameters
    ----------
    degrees : array-like p[k], or float
        Share of nodes with degree k = 0, 1, ...; a number is the mean of a Poisson distribution. `degree_distribution`
        makes it from a degree sequence.
    bond : float in [0, 1]
        Share of edges kept: the propagation probability of an independent cascade.
    site : float in [0, 1], or array-like of the length of p[k]
        Share of nodes kept, one for all or by degree.

    Returns
    -------
    Percolation

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.directed_percolation, theory.giant_component

    Notes
    -----
    With F0(x) = sum p[k] s[k] x^k and F1(x) = F0'(x) / <k>, an edge leads nowhere with the smallest root of
    u = 1 - bond (F1(1) - F1(u)); the giant component holds F0(1) - F0(u) (Callaway, Newman, Strogatz and Watts 2000;
    Newman 2002 for bonds). The mean over small clusters follows from the same derivatives taken at u.
    Exact for random graphs with these degrees as their size grows.

    References
    ----------
    - Callaway, D. S., Newman, M. E. J., Strogatz, S. H. and Watts, D. J. (2000). Network robustness and fragility:
      Percolation on random graphs. Physical Review Letters 85, 5468-5471. doi:10.1103/PhysRevLett.85.5468
    - Newman, M. E. J. (2002). Spread of epidemic disease on networks. Physical Review E 66, 016128.
      doi:10.1103/PhysRevE.66.016128

    Examples
    --------
    >>> round(percolation(4.0, bond=0.375).giant, 6)  # mean degree 1.5 remains
    0.582812
    >>> percolation([0, 0, 0, 1.0], bond=0.5).giant, round(percolation([0, 0, 0, 1.0], bond=0.75).giant, 6)
    (0.0, 0.962963)
    """
    p = distribution_of(degrees)
    bond = probability(bond, "bond")
    kept = (
        np.full(p.size, probability(site, "site"))
        if np.ndim(site) == 0
        else floats(site, "site", shape=p.shape, most=1)
    )
    mean = _mean(p)
    f0 = p * kept
    f1 = np.arange(1, p.size) * f0[1:] / mean if mean > 0 else np.zeros(0)
    slope = np.arange(1, f1.size) * f1[1:]
    total = float(f1.sum())
    branching = bond * float(slope.sum())
    u = _dies(lambda x: 1 - bond * (total - _power_series(f1, x)), branching)
    giant = float(f0 @ (1 - u ** np.arange(f0.size)))  # a difference of sums would lose hubs that are all but absent
    outside = 1 - giant
    going_on = bond * _power_series(slope, u)
    # Of nodes outside the giant component: sum over their neighbours outside it of whole branches.
    if going_on >= 1 - 1e-12:
        small = math.inf
    else:
        inner = _power_series(f1, u)
        small = _power_series(f0, u) + mean * inner * bond * inner / (1 - going_on)
        small = small / outside if outside > 0 else 0.0
    record = provenance("percolation", bond=bond, mean_degree=mean)
    return Percolation(giant, small, u, branching, bond, record)


def _dies(f: Callable[[float], float], slope: float) -> float:
    """Smallest root of x = f(x) in [0, 1], for a power series f with f(1) = 1 and the given slope at 1."""
    from scipy.optimize import brentq

    if slope <= 1 + 1e-12:
        return 1.0
    if f(0.0) <= 0:
        return 0.0
    below = 1e-3
    while f(1 - below) >= 1 - below:  # f is convex: between the two roots it lies under the diagonal
        below /= 4
        if below < 1e-14:
            return 1.0
    return float(brentq(lambda x: f(x) - x, 0.0, 1 - below, xtol=1e-300, rtol=1e-14))


@dataclass(frozen=True, repr=False)
class DirectedPercolation(Row):
    """What remains of a large random follower graph when arcs and nodes are kept at random.

    Attributes
    ----------
    takes_off : float
        Probability that a cascade from one random seed takes off: the share of nodes that reach the giant strong
        component.
    reach : float
        Share of nodes that it then reaches: those the giant strong component leads to.
    strong : float
        Share of nodes in the giant strong component: they do both.
    branching : float
        R: kept arcs that go on from a node at the end of an arc.
    threshold : float
        Smallest share of kept arcs (all nodes kept) with a giant component, <j> / <j k>; infinite where there is none.
    bond, site : float
    provenance : dict

    See Also
    --------
    theory.directed_percolation, theory.Percolation
    """

    takes_off: float
    reach: float
    strong: float
    branching: float
    threshold: float
    bond: float
    site: float
    provenance: dict[str, Any] = field(default_factory=dict)


def directed_percolation(
    in_degree: ArrayLike, out_degree: ArrayLike, *, bond: float = 1.0, site: float = 1.0
) -> DirectedPercolation:
    """Giant components of a large random follower graph with given in- and out-degrees.

    Parameters
    ----------
    in_degree, out_degree : array-like of whole numbers, shape (n_nodes,)
        Accounts that each node follows, and its followers, in the same order: their correlation counts. The sums must
        agree. `FollowerGraph.in_degree` and `out_degree` fit.
    bond, site : float in [0, 1]
        Share of arcs and of nodes kept.

    Returns
    -------
    DirectedPercolation

    Raises
    ------
    InputError
        A value out of range, sequences of unequal length, or unequal sums.

    See Also
    --------
    theory.percolation, theory.configuration_R

    Notes
    -----
    Newman, Strogatz and Watts (2001), section III, with arcs and nodes kept at random. Forward, an arc leads nowhere
    with the smallest root of u = 1 - bond site (1 - sum of j u^k / <j>), and a seed takes off with site (1 - mean of
    u^k); backward the same with j and k changed. Mutual arcs are not reckoned with: they make R smaller.

    References
    ----------
    - Newman, M. E. J., Strogatz, S. H. and Watts, D. J. (2001). Random graphs with arbitrary degree distributions and
      their applications. Physical Review E 64, 026118. doi:10.1103/PhysRevE.64.026118

    Examples
    --------
    >>> result = directed_percolation([2, 2, 2, 2], [4, 4, 0, 0], bond=0.75)
    >>> round(result.branching, 6), round(result.threshold, 6), result.takes_off < result.reach
    (1.5, 0.5, True)
    """
    j, k = _sequence(in_degree, "in_degree"), _sequence(out_degree, "out_degree")
    if j.shape != k.shape or j.sum() != k.sum():
        raise InputError(
            f"in_degree has {j.size:,} nodes and {j.sum():,} arcs, out_degree {k.size:,} and {k.sum():,}: give both for "
            "the same nodes of one graph"
        )
    bond, site = probability(bond, "bond"), probability(site, "site")
    arcs, pairs = float(j.sum()), float(j.astype(np.float64) @ k)
    branching = bond * site * pairs / arcs if arcs else 0.0
    threshold = arcs / pairs if pairs >= arcs > 0 else math.inf

    def side(here: Any, there: Any) -> Floats:
        """Probability that the arcs of each node on one side all lead nowhere; `here` chooses nodes, `there` goes on."""
        if not arcs:
            return np.ones(here.size)
        degree, at = np.unique(there, return_inverse=True)
        weight = np.bincount(at, here) / arcs
        u = _dies(lambda x: 1 - bond * site * (1 - float(weight @ x**degree)), branching)
        return np.asarray(u**there, np.float64)

    forward, backward = side(j, k), side(k, j)
    record = provenance("directed_percolation", n_nodes=int(j.size), n_edges=int(arcs), bond=bond, site=site)
    return DirectedPercolation(
        site * float(1 - forward.mean()),
        site * float(1 - backward.mean()),
        site * float(((1 - forward) * (1 - backward)).mean()),
        branching,
        threshold,
        bond,
        site,
        record,
    )
