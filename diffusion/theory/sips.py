"""R and mean totals of SIPS (Sympathize, Identify, Participate, Share & Spread) before anything is simulated.

Two channels carry a note: follows, and the platform's feed. A sharer reached along a follow is a user chosen by
accounts followed, so has kappa = <jk> / <j> followers on average; one whom the feed reached is a uniform user, with
<k>. All of it assumes a simple Identify stage and holds while few users have been exposed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._validation import Floats, floats, number, probability
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_static
from ..graph.spectral import next_generation_radius

__all__ = [
    "community_arcs",
    "feed_intensity",
    "sips_block_matrix",
    "sips_matrix",
    "sips_mean_total",
    "sips_reproduction_number",
]


def sips_matrix(attention: float, rho: float, kappa: float, mean_followers: float, m: float) -> Floats:
    """Next-generation matrix of SIPS, [[A, B], [C, C]] over sharers reached by follow and by feed.

    Parameters
    ----------
    attention : float in [0, 1]
        a: probability that a follower attends to a note.
    rho : float in [0, 1]
        Probability that an attended exposure leads to a share: p_S p_I p_P p_X.
    kappa : float
        <jk> / <j>: mean followers of a user reached along a follow, at least 0.
    mean_followers : float
        <k>, at least 0.
    m : float
        Mean exposures that the feed adds to each share, at least 0 (`feed_intensity` where it grows with engagement).

    Returns
    -------
    ndarray of float, shape (2, 2)
        A = a rho kappa, B = a rho <k>, C = m rho; entry (i, j): sharers of kind i that one of kind j causes.

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.sips_reproduction_number, theory.sips_block_matrix, theory.sips_mean_total

    Notes
    -----
    A two-type branching process (Harris 1963, chapter II) on a random graph with the degrees of the platform.
    Mutual follows lower A a little: the account that a user has the note from cannot be reached again.

    References
    ----------
    - Harris, T. E. (1963). The Theory of Branching Processes. Springer. doi:10.1007/978-3-642-51866-9

    Examples
    --------
    >>> sips_matrix(0.2, 0.1, 12.9, 8.0, 3.0).round(3).tolist()
    [[0.258, 0.16], [0.3, 0.3]]
    """
    attention, rho = probability(attention, "attention"), probability(rho, "rho")
    kappa, followers = number(kappa, "kappa", least=0), number(mean_followers, "mean_followers", least=0)
    feed = number(m, "m", least=0) * rho
    return np.array([[attention * rho * kappa, attention * rho * followers], [feed, feed]])


def sips_reproduction_number(attention: float, rho: float, kappa: float, mean_followers: float, m: float) -> float:
    """R of SIPS: sharers that each sharer causes, ((A + C) + sqrt((A - C)^2 + 4 B C)) / 2.

    Parameters as in `sips_matrix`.

    Parameters
    ----------
    attention, rho, kappa, mean_followers, m
        As in `sips_matrix`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.sips_matrix, theory.sips_graph_radius

    Examples
    --------
    >>> round(sips_reproduction_number(0.2, 0.1, 12.9, 8.0, 3.0), 4)
    0.4991
    >>> sips_reproduction_number(0.0, 0.25, 12.9, 8.0, 3.0)  # the feed alone: m rho
    0.75
    """
    (a, b), (c, _) = sips_matrix(attention, rho, kappa, mean_followers, m).tolist()
    return float(((a + c) + math.sqrt((a - c) ** 2 + 4 * b * c)) / 2)


def sips_mean_total(matrix: ArrayLike, start: ArrayLike | None = None) -> float:
    """Mean number of sharers in all, those at the start included: 1' (I - K)^-1 start.

    Parameters
    ----------
    matrix : array-like, shape (n, n)
        Next-generation matrix K of `sips_matrix` or `sips_block_matrix`.
    start : array-like, shape (n,), optional
        Sharers of each kind at the start. Default for two kinds: one uniformly random user, who counts as reached by
        feed.

    Returns
    -------
    float
        Infinite where R >= 1.

    Raises
    ------
    InputError
        K is not square or holds a negative number, or `start` is missing for more than two kinds.

    See Also
    --------
    theory.sips_matrix, theory.mean_total_size

    Examples
    --------
    >>> round(sips_mean_total(sips_matrix(0.2, 0.1, 12.9, 8.0, 3.0)), 3)
    1.913
    """
    radius = next_generation_radius(matrix)
    k = np.asarray(matrix, np.float64)
    n = k.shape[0]
    if start is None:
        if n != 2:
            raise InputError(f"the matrix has {n} kinds of sharers: give start=, how many of each there are at first")
        start = (0.0, 1.0)
    begin = floats(start, "start", shape=(n,))
    if radius >= 1:
        return math.inf if begin.any() else 0.0
    return float(np.linalg.solve(np.eye(n) - k, begin).sum())


def feed_intensity(m0: float, gain: float, ces: float, attention: float, mean_followers: float) -> float:
    """Mean exposures that the feed gives a note once engagement is fed back: (m0 + g c a k) / (1 - g c).

    Parameters
    ----------
    m0 : float
        Exposures every shared note gets, at least 0.
    gain : float
        g: further exposures per unit of the engagement score, at least 0.
    ces : float
        c: mean engagement score of one attended exposure, at least 0.
    attention : float in [0, 1]
        a: probability that a follower attends.
    mean_followers : float
        k: followers of the sharer, at least 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A value out of range, or g c >= 1: each exposure then earns at least one more, and the feed explodes on its own.

    See Also
    --------
    models.Feed, theory.sips_matrix

    Notes
    -----
    The fixed point of m = m0 + g c (a k + m): the score is summed over followers who attend and over the feed's own
    exposures.

    Examples
    --------
    >>> round(feed_intensity(2.0, 0.1, 3.0, 0.2, 8.0), 6)
    3.542857
    """
    m0, gain, ces = number(m0, "m0", least=0), number(gain, "gain", least=0), number(ces, "ces", least=0)
    attention, followers = probability(attention, "attention"), number(mean_followers, "mean_followers", least=0)
    back = gain * ces
    if back >= 1:
        raise InputError(
            f"gain * ces = {back:g}: every exposure earns the note at least one more, so the feed never ends. Give a gain "
            "below 1 / ces"
        )
    return (m0 + back * attention * followers) / (1 - back)


def community_arcs(graph: FollowerGraph, community: Any) -> tuple[list[Any], Floats, Floats, Floats]:
    """Count what `sips_block_matrix` needs on a graph with communities.

    Parameters
    ----------
    graph : FollowerGraph
    community : str, or array-like of shape (n_nodes,) in the order of `graph.nodes`
        Name of a node attribute, or the community of each node.

    Returns
    -------
    names : list
        Communities in ascending order.
    sizes : ndarray of float, shape (n,)
        Nodes in each.
    arcs : ndarray of float, shape (n, n)
        Arcs from each (row) to each (column), parallel ones counted.
    pairs : ndarray of float, shape (n, n)
        Sum over the nodes of a community (row) of accounts followed times followers in each community (column).

    Raises
    ------
    InputError
        No such attribute, or one value missing or too many.

    See Also
    --------
    theory.sips_block_matrix

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
    >>> names, sizes, arcs, pairs = community_arcs(g, ["x", "x", "y"])
    >>> names, sizes.tolist(), arcs.tolist(), pairs.tolist()
    (['x', 'y'], [2.0, 1.0], [[1.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
    """
    check_static(graph)
    import pandas as pd

    if isinstance(community, str):
        if community not in graph.node_data:
            raise InputError(
                f"the graph has no node attribute {community!r}: add it with graph.with_node_data({community}=...), or give "
                "the community of each node"
            )
        community = graph.node_data[community]
    code, names = pd.factorize(pd.Series(list(community)), sort=True)
    if code.size != graph.n_nodes or (code < 0).any():
        raise InputError(
            f"{int((code >= 0).sum()):,} communities are given for {graph.n_nodes:,} nodes: give one for each"
        )
    n = len(names)
    internal = np.empty(graph.n_nodes, np.int64)
    internal[graph.index.rank] = code
    source = np.repeat(np.arange(graph.n_nodes), np.diff(graph.csr.indptr))
    count = np.broadcast_to(graph.csr.multiplicity, graph.csr.indices.shape).astype(np.float64)
    cell = internal[source] * n + internal[graph.csr.indices]
    arcs = np.bincount(cell, count, n * n).reshape(n, n).astype(np.float64)
    pairs = np.bincount(cell, count * graph.csr.in_degree[source], n * n).reshape(n, n).astype(np.float64)
    return names.tolist(), np.bincount(internal, minlength=n).astype(np.float64), arcs, pairs


def sips_block_matrix(
    sizes: ArrayLike,
    arcs: ArrayLike,
    pairs: ArrayLike,
    *,
    attention: float,
    rho: ArrayLike | float,
    m: ArrayLike | float,
    own_community: float = 0.0,
) -> Floats:
    """Next-generation matrix of SIPS over (community, channel): all communities by follow, then all by feed.

    Parameters
    ----------
    sizes : array-like, shape (n,)
        Users in each community, above 0.
    arcs : array-like, shape (n, n)
        Arcs from community (row) to community (column): the second follows the first.
    pairs : array-like, shape (n, n)
        Sum over the users of a community (row) of accounts followed times followers in each community (column).
        `community_arcs` counts all three.
    attention : float in [0, 1]
        Probability that a follower attends.
    rho : float in [0, 1], or array-like of shape (n,)
        Probability that an attended exposure leads to a share, for all or by the community of who is exposed.
    m : float, or array-like of shape (n,)
        Mean exposures that the feed adds to each share, for all or by the community of the sharer.
    own_community : float in [0, 1]
        h: share of the feed's exposures that stay in the sharer's community; the others go to everyone.

    Returns
    -------
    ndarray of float, shape (2 n, 2 n)
        For `next_generation_radius` (R) and `sips_mean_total`. Entry (i, j): sharers of kind i that one of kind j
        causes.

    Raises
    ------
    InputError
        A value out of range, or shapes that do not fit.

    See Also
    --------
    theory.community_arcs, theory.sips_matrix, theory.next_generation_radius

    Notes
    -----
    Followers of a sharer reached by follow are weighted with accounts followed, as kappa is in `sips_matrix`, to which
    this reduces for one community. Within a community, followers in each community are taken to be independent of where
    the note came from.

    Examples
    --------
    >>> k = sips_block_matrix([10.0], [[80.0]], [[1032.0]], attention=0.2, rho=0.1, m=3.0)
    >>> k.round(3).tolist()
    [[0.258, 0.16], [0.3, 0.3]]
    """
    size = floats(sizes, "sizes", least=1e-300)
    n = size.size
    if not n:
        raise InputError("sizes is empty: give the number of users of each community")
    links, paths = floats(arcs, "arcs", shape=(n, n)), floats(pairs, "pairs", shape=(n, n))
    attention, h = probability(attention, "attention"), probability(own_community, "own_community")
    share = np.full(n, probability(rho, "rho")) if np.ndim(rho) == 0 else floats(rho, "rho", shape=(n,), most=1)
    feed = np.full(n, number(m, "m", least=0)) if np.ndim(m) == 0 else floats(m, "m", shape=(n,))
    into = links.sum(axis=0)
    followed = np.divide(paths, into[:, None], out=np.zeros((n, n)), where=into[:, None] > 0)
    shown = h * np.eye(n) + (1 - h) * (size / size.sum())[:, None]  # column: community of the sharer
    by_feed = share[:, None] * shown * feed
    from_follow = attention * share[:, None] * followed.T
    from_feed = attention * share[:, None] * (links / size[:, None]).T
    return np.block([[from_follow, from_feed], [by_feed, by_feed]])
