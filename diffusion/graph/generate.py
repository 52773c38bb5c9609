"""A follower graph that looks like a platform: heavy-tailed followers, planted communities, mutual follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._random import RNGLike, generator, key_of
from ..errors import InputError
from .creators import with_creator_tiers
from .follower_graph import FollowerGraph

__all__ = ["generate_platform"]

MAX_ROUNDS = 60


def generate_platform(
    users: int = 20_000,
    *,
    communities: int = 8,
    mixing: float = 0.2,
    mean_followers: float = 12.0,
    tail: float = 2.3,
    reciprocity: float = 0.2,
    rng: RNGLike = None,
) -> FollowerGraph:
    """Generate a directed, degree-corrected planted-partition follower graph with creator tiers and prices.

    Parameters
    ----------
    users : int
        Number of nodes, labelled 0, 1, ...
    communities : int
        Planted communities; sizes fall off as rank to the power -1/2.
    mixing : float in [0, 1]
        Share of arcs that leave their community (mu).
    mean_followers : float
        Mean out-degree.
    tail : float > 2
        Exponent of the power law of expected follower counts, Pr[K >= k] ~ k^(1 - tail), cut at 5 % of the users.
    reciprocity : float in [0, 1)
        Share of arcs whose reverse exists.
    rng : int, Generator or None

    Returns
    -------
    FollowerGraph
        With the node attributes ``community``, ``tier`` and ``price``.

    Raises
    ------
    InputError
        A parameter out of range, or degrees that the communities cannot hold.

    Notes
    -----
    A Chung-Lu construction (Chung and Lu 2002; degree correction as in Karrer and Newman 2011). One-way arcs go from a
    creator drawn by expected followers to a user drawn by activity (expected accounts followed, a power law with
    exponent 3 cut at 1 % of the users); mutual arcs join two users drawn by activity. Repeated draws are replaced until
    the planned number of distinct arcs of each kind (inside or across communities, one-way or mutual) is reached, so
    mixing and reciprocity hold up to rounding and chance reverses.

    Examples
    --------
    >>> g = generate_platform(1000, communities=4, rng=7)
    >>> g.n_nodes, g.n_edges, sorted(g.node_data.columns)
    (1000, 12000, ['community', 'price', 'tier'])
    """
    check_platform(users, communities, mixing, mean_followers, tail, reciprocity)
    draw = generator(key_of(rng))
    community = _communities(users, communities, draw)
    fame = _power_law(users, tail, 0.05 * users, draw)
    activity = _power_law(users, 3.0, 0.01 * users, draw)
    members = [np.flatnonzero(community == c) for c in range(communities)]
    total = round(users * mean_followers)
    mutual_pairs = round(total * reciprocity / 2)
    one_way = total - 2 * mutual_pairs
    across = mixing if communities > 1 else 0.0
    taken: NDArray[np.int64] = np.empty(0, np.int64)
    for count, weight, both in ((mutual_pairs, activity, True), (one_way, fame, False)):
        outside = round(count * across)
        for wanted, inside in ((count - outside, True), (outside, False)):
            taken = _sample(wanted, weight, activity, members, community, inside, both, taken, draw)
    graph = FollowerGraph.from_arrays(
        taken // users, taken % users, nodes=np.arange(users), directed=True, edges_mean="influences"
    )
    return with_creator_tiers(graph.with_node_data(community=community))


def check_platform(
    users: int, communities: int, mixing: float, mean_followers: float, tail: float, reciprocity: float
) -> None:
    """Refuse parameters of `generate_platform` that are out of range."""
    given = {"mixing": mixing, "mean_followers": mean_followers, "tail": tail, "reciprocity": reciprocity}
    for name, number in given.items():
        if isinstance(number, bool) or not isinstance(number, int | float | np.integer | np.floating):
            raise InputError(f"{name}={number!r} is not a number: give one such as 0.2")
    for name, value, low in (("users", users, 2), ("communities", communities, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
            raise InputError(f"{name}={value!r} is out of range: give a whole number from {low}")
    if communities > users // 2:
        raise InputError(
            f"communities={communities} leaves fewer than two of {users} users each: give at most {users // 2}"
        )
    if not 0 <= mixing <= 1:
        raise InputError(f"mixing={mixing!r} is out of range: it is the share of arcs between communities, from 0 to 1")
    if mixing > 0 and communities == 1:
        raise InputError(f"mixing={mixing} needs at least two communities, or mixing=0")
    if not 0 <= reciprocity < 1:
        raise InputError(f"reciprocity={reciprocity!r} is out of range: give a number from 0 to below 1")
    if not tail > 2:
        raise InputError(f"tail={tail!r} is out of range: the mean is finite only for exponents above 2")
    if not 0 < mean_followers <= (users - 1) / 4:
        raise InputError(
            f"mean_followers={mean_followers!r} is out of range: give a number above 0, at most {(users - 1) / 4:g} here"
        )


def _communities(users: int, communities: int, draw: np.random.Generator) -> NDArray[np.int64]:
    share = np.arange(1, communities + 1) ** -0.5
    sizes = np.maximum(np.floor(users * share / share.sum()).astype(np.int64), 2)
    sizes[0] += users - sizes.sum()
    while sizes[0] < sizes[1:].max(initial=2):  # many communities raised to two members each: the large ones make room
        sizes[sizes[1:].argmax() + 1] -= 1
        sizes[0] += 1
    return draw.permutation(np.repeat(np.arange(communities), sizes))


def _power_law(n: int, exponent: float, cut: float, draw: np.random.Generator) -> NDArray[np.float64]:
    return np.minimum((1.0 - draw.random(n)) ** (-1.0 / (exponent - 1.0)), max(cut, 2.0))


def _sample(
    wanted: int,
    weight: NDArray[np.float64],
    activity: NDArray[np.float64],
    members: list[NDArray[np.int64]],
    community: NDArray[np.int64],
    inside: bool,
    both: bool,
    taken: NDArray[np.int64],
    draw: np.random.Generator,
) -> NDArray[np.int64]:
    """Add `wanted` new arcs (or mutual pairs) to the arcs taken so far; keys are source * n + target."""
    n = weight.size
    from_all = np.cumsum(weight)
    to_all = np.cumsum(activity)
    to_own = [np.cumsum(activity[m]) for m in members]
    missing = wanted
    for _ in range(MAX_ROUNDS):
        if missing == 0:
            return taken
        size = missing + missing // 4 + 16
        u = np.searchsorted(from_all, draw.random(size) * from_all[-1], side="right")
        if inside:
            v = np.empty(size, np.int64)
            where = community[u]
            for c, cumulative in enumerate(to_own):
                mine = where == c
                at = np.searchsorted(cumulative, draw.random(int(mine.sum())) * cumulative[-1], side="right")
                v[mine] = members[c][at]
        else:
            v = np.searchsorted(to_all, draw.random(size) * to_all[-1], side="right")
        good = (u != v) & ((community[u] == community[v]) == inside)
        u, v = u[good], v[good]
        if both:
            u, v = np.minimum(u, v), np.maximum(u, v)
        _, first = np.unique(u * n + v, return_index=True)
        first.sort()  # in the order drawn: keeping the smallest keys would favour small labels
        u, v = u[first], v[first]
        fresh = ~np.isin(u * n + v, taken)
        if both:
            fresh &= ~np.isin(v * n + u, taken)
        u, v = u[fresh][:missing], v[fresh][:missing]
        missing -= u.size
        taken = np.concatenate([taken, u * n + v, v * n + u]) if both else np.concatenate([taken, u * n + v])
    where_text = "inside" if inside else "between"
    raise InputError(
        f"{missing:,} of {wanted:,} arcs {where_text} communities found no place: the communities are too small for so "
        "many followers; ask for fewer followers, fewer communities, or another mixing"
    )
