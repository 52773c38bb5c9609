"""Threshold cascades in two communities: how strongly they should be tied for a cascade to become global."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._provenance import provenance
from .._upward import draw
from .._validation import Floats, floats, number, probability
from ._row import Row
from .percolation import distribution_of
from .thresholds import Response, settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TwoCommunities", "minimal_seed_fraction", "mixing_window", "two_communities"]


@dataclass(frozen=True, repr=False)
class TwoCommunities(Row):
    """Share of two equally large communities that a threshold cascade reaches.

    Attributes
    ----------
    total : float
        Share of all nodes active in the end, seeds included.
    a, b : float
        The same in each community.
    mixing : float
        Share of edges that leave their community.
    by_step : ndarray of float, shape (n_steps, 2)
        Share active in each community at step 0, 1, ... with all nodes updated at once.
    provenance : dict

    See Also
    --------
    theory.two_communities, theory.mixing_window, plotting.plot_two_communities
    """

    total: float
    a: float
    b: float
    mixing: float
    by_step: Floats
    provenance: dict[str, Any] = field(default_factory=dict)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the active share of each community by step."""
        return draw("two_communities", self, ax)


def _mixing_matrix(mixing: float) -> Floats:
    return np.array([[1 - mixing, mixing], [mixing, 1 - mixing]])


def two_communities(
    theta: float,
    degrees: ArrayLike | float,
    mixing: float,
    seeds_in_a: float,
    seeds_in_b: float = 0.0,
    *,
    strict: bool = False,
) -> TwoCommunities:
    """Share that a threshold cascade reaches in two equally large communities.

    Parameters
    ----------
    theta : float in (0, 1]
        Threshold share of active neighbours.
    degrees : array-like p[k], or float
        Degrees, the same in both communities; a number is the mean of a Poisson distribution.
    mixing : float in [0, 1]
        mu: share of edges that leave their community. At 1/2 there are no communities.
    seeds_in_a, seeds_in_b : float in [0, 1]
        Share of each community that is seeded at random. All seeds in A with a share rho0 of all nodes: 2 rho0 in A.
    strict : bool
        The active share has to be above theta instead of at least theta.

    Returns
    -------
    TwoCommunities

    Raises
    ------
    InputError
        A value out of range.
    DiffusionError
        The equations did not settle, which takes parameters within rounding of a jump.

    See Also
    --------
    theory.mixing_window, theory.minimal_seed_fraction, theory.gleeson_cahalane, graph.generate_two_communities

    Notes
    -----
    Nematzadeh, Ferrara, Flammini and Ahn (2014): `gleeson_cahalane` with
    qbar_A = (1 - mu) q_A + mu q_B in place of q, and the same for B (Gleeson 2008 for any number of communities).

    References
    ----------
    - Nematzadeh, A., Ferrara, E., Flammini, A. and Ahn, Y.-Y. (2014). Optimal network modularity for information
      diffusion. Physical Review Letters 113, 088701. doi:10.1103/PhysRevLett.113.088701
    - Gleeson, J. P. (2008). Cascades on correlated and modular random networks.

    Examples
    --------
    >>> [round(two_communities(0.4, 20.0, mu, 0.34).total, 2) for mu in (0.05, 0.25, 0.5)]  # an optimum in between
    [0.5, 1.0, 0.18]
    """
    p, theta = distribution_of(degrees), number(theta, "theta", above=0, most=1)
    mixing = probability(mixing, "mixing")
    seeds = np.array([probability(seeds_in_a, "seeds_in_a"), probability(seeds_in_b, "seeds_in_b")])
    _, share = settle(Response(p, theta, strict), _mixing_matrix(mixing), seeds)
    record = provenance(
        "two_communities",
        theta=theta,
        mixing=mixing,
        seeds_in_a=float(seeds[0]),
        seeds_in_b=float(seeds[1]),
        strict=strict,
        mean_degree=float(np.arange(p.size) @ p),
    )
    a, b = share[-1].tolist()
    return TwoCommunities((a + b) / 2, a, b, mixing, share, record)


def mixing_window(
    theta: float,
    degrees: ArrayLike | float,
    seeds_in_a: float,
    *,
    mixing: ArrayLike | None = None,
    reached: float = 0.99,
    strict: bool = False,
) -> Floats:
    """Values of mixing at which a cascade that starts in one of two communities becomes global.

    Parameters
    ----------
    theta, degrees, seeds_in_a, strict
        As in `two_communities`.
    mixing : array-like of float in [0, 1], optional
        Values to try; default 0, 0.01, ..., 0.5.
    reached : float in (0, 1]
        A cascade is global when it reaches more than this share of all nodes.

    Returns
    -------
    ndarray of float
        Those values, ascending; empty where there are none.

    See Also
    --------
    theory.two_communities, theory.minimal_seed_fraction

    Examples
    --------
    >>> window = mixing_window(0.4, 20.0, 0.34, mixing=[0.19, 0.2, 0.21, 0.3, 0.31])
    >>> window.tolist()
    [0.21, 0.3]
    """
    tried = np.unique(floats(np.arange(51) / 100 if mixing is None else mixing, "mixing", most=1))
    reached = number(reached, "reached", above=0, most=1)
    found = [two_communities(theta, degrees, mu, seeds_in_a, strict=strict).total > reached for mu in tried]
    return tried[np.array(found, dtype=np.bool_)]


def minimal_seed_fraction(
    theta: float,
    degrees: ArrayLike | float,
    mixing: ArrayLike,
    *,
    reached: float = 0.99,
    strict: bool = False,
    tol: float = 1e-4,
) -> Floats:
    """Smallest share of all nodes to seed, all in one of two communities, that makes a cascade global.

    Parameters
    ----------
    theta, degrees, strict
        As in `two_communities`.
    mixing : array-like of float in [0, 1]
    reached : float in (0, 1]
        A cascade is global when it reaches more than this share of all nodes.
    tol : float
        Accuracy of the answer.

    Returns
    -------
    ndarray of float, shape of `mixing`
        From 0 to 1/2 (the whole community), rounded up to `tol`; NaN where even that does not make it global.

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.two_communities, theory.mixing_window

    Notes
    -----
    The reach grows with the share of seeds, so bisection finds the step (Nematzadeh et al. 2014).

    References
    ----------
    - Nematzadeh, A., Ferrara, E., Flammini, A. and Ahn, Y.-Y. (2014). Optimal network modularity for information
      diffusion. Physical Review Letters 113, 088701. doi:10.1103/PhysRevLett.113.088701

    Examples
    --------
    >>> fractions = minimal_seed_fraction(0.4, 20.0, [0.0, 0.25, 0.5], tol=1e-2)
    >>> bool(np.isnan(fractions[0])), bool(fractions[1] < 0.17 < fractions[2])
    (True, True)
    """
    tried = floats(mixing, "mixing", most=1)
    tol, reached = number(tol, "tol", above=0, most=0.5), number(reached, "reached", above=0, most=1)

    def is_global(mu: float, share: float) -> bool:
        return two_communities(theta, degrees, mu, min(2 * share, 1.0), strict=strict).total > reached

    answers = []
    for mu in tried:
        low, high = 0.0, 0.5
        if not is_global(mu, high):
            answers.append(math.nan)
            continue
        while high - low > tol:
            middle = (low + high) / 2
            low, high = (low, middle) if is_global(mu, middle) else (middle, high)
        answers.append(high)
    return np.array(answers)
