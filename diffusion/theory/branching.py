"""Branching theory: what R predicts, and R predicted from degrees."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from .._validation import number
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_static
from ..graph.spectral import reproduction_number

__all__ = [
    "configuration_R",
    "doubling_time",
    "extinction_probability",
    "giant_component",
    "mean_total_size",
    "rate_with_delays",
    "reproduction_number",
]


def mean_total_size(R: float) -> float:
    """Mean number of nodes in a branching cascade from one seed: 1 / (1 - R) below R = 1, infinite from there on.

    Harris (1963), chapter I.

    Parameters
    ----------
    R : float
        Mean activations caused by each node, at least 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        R is negative.

    See Also
    --------
    theory.extinction_probability, theory.configuration_R

    References
    ----------
    - Harris, T. E. (1963). The Theory of Branching Processes. Springer. doi:10.1007/978-3-642-51866-9

    Examples
    --------
    >>> mean_total_size(0.75), mean_total_size(1.0)
    (4.0, inf)
    """
    R = number(R, "R", least=0)
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

    See Also
    --------
    theory.mean_total_size, theory.giant_component

    Notes
    -----
    Watson and Galton (1875); Harris (1963), chapter I, theorem 6.1.

    References
    ----------
    - Watson, H. W. and Galton, F. (1875). On the probability of the extinction of families. Journal of the
      Anthropological Institute of Great Britain and Ireland 4, 138-144.
    - Harris, T. E. (1963). The Theory of Branching Processes. Springer. doi:10.1007/978-3-642-51866-9

    Examples
    --------
    >>> round(extinction_probability(2.0), 6), extinction_probability(2.0, "geometric")
    (0.203188, 0.5)
    """
    R = number(R, "R", least=0)
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

    Parameters
    ----------
    zp : float
        Mean degree times the share of edges kept, at least 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        zp is negative.

    See Also
    --------
    theory.percolation, theory.extinction_probability

    References
    ----------
    - Erdos, P. and Renyi, A. (1960). On the evolution of random graphs. Publications of the Mathematical Institute of
      the Hungarian Academy of Sciences 5, 17-60.
    - Newman, M. E. J. (2002). Spread of epidemic disease on networks. Physical Review E 66, 016128.
      doi:10.1103/PhysRevE.66.016128

    Examples
    --------
    >>> round(giant_component(1.5), 6), giant_component(1.0)
    (0.582812, 0.0)
    """
    zp = number(zp, "zp", least=0)
    return _survival(zp) if zp > 1 else 0.0


def doubling_time(R: float) -> float:
    """Generations until new activations double, log 2 / log R; infinite where R <= 1.

    Parameters
    ----------
    R : float
        Mean activations caused by each node, at least 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        R is negative.

    See Also
    --------
    theory.rate_with_delays, growth

    Examples
    --------
    >>> round(doubling_time(1.2), 3), doubling_time(2.0), doubling_time(0.9)
    (3.802, 1.0, inf)
    """
    R = number(R, "R", least=0)
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

    Returns
    -------
    float
        Per unit of time; negative where R < 1.

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.doubling_time, models.Delay

    References
    ----------
    - Wallinga, J. and Lipsitch, M. (2007). How generation intervals shape the relationship between growth rates and
      reproductive numbers. Proceedings of the Royal Society B 274, 599-604. doi:10.1098/rspb.2006.3754

    Examples
    --------
    >>> rate_with_delays(2.0, shape=1, mean=4)
    0.25
    """
    R, shape, mean = number(R, "R", least=0), number(shape, "shape", above=0), number(mean, "mean", above=0)
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

    See Also
    --------
    theory.reproduction_number, theory.percolation_threshold

    Notes
    -----
    Newman, Strogatz and Watts (2001). A graph built with ``directed=True`` is treated as directed even where arcs are
    mutual; `reproduction_number` takes mutual arcs, unequal probabilities and the graph itself into account.

    References
    ----------
    - Newman, M. E. J., Strogatz, S. H. and Watts, D. J. (2001). Random graphs with arbitrary degree distributions and
      their applications. Physical Review E 64, 026118. doi:10.1103/PhysRevE.64.026118

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2, 3], [1, 2, 3, 0], directed=False)
    >>> configuration_R(g, 0.5)
    0.5
    """
    check_static(graph)
    if number(p, "p", least=0) > 1:
        raise InputError(f"p={p!r} is out of range: give a probability from 0 to 1")
    k = graph.csr.out_degree.astype(np.float64)
    j = graph.csr.in_degree.astype(np.float64)
    if not graph.n_edges:
        return 0.0
    return float(p * ((j @ k - (0.0 if graph.directed else k.sum())) / k.sum()))
