"""Follower graphs that look like a platform: heavy-tailed followers, planted communities, mutual follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._memory import available_bytes, bytes_text
from .._progress import progress
from .._random import RNGLike, derive_key, generator, key_of
from .._validation import number, whole
from ..errors import InputError, did_you_mean
from ._build import Arcs
from ._labels import MAX_NODES
from .creators import with_creator_tiers
from .follower_graph import FollowerGraph

__all__ = ["check_platform", "generate_chung_lu", "generate_platform"]

COMMUNITY_SIZES = ("zipf", "equal", "lfr")
LFR_RATIO = 20.0  # largest over smallest community that the bounded power law of "lfr" can draw
TARGETS_PER_SOURCE = 32  # draws before a creator counts as followed by everyone who could
DRAWS_PER_ARC = 40  # before giving up; a platform far from full needs 1.1 to 2
CHUNK = 1 << 20
BYTES_A_NODE, BYTES_AN_ARC = 100, 50  # while a graph is generated


def generate_platform(
    users: int = 20_000,
    *,
    communities: int = 8,
    mixing: float = 0.2,
    mean_followers: float = 12.0,
    tail: float = 2.3,
    reciprocity: float = 0.2,
    community_sizes: str = "zipf",
    size_exponent: float = 1.5,
    tiers: Mapping[str, float] | None = None,
    rng: RNGLike = None,
) -> FollowerGraph:
    """Generate a directed, degree-corrected planted-partition follower graph with creator tiers and prices.

    Parameters
    ----------
    users : int
        Number of nodes, labelled 0, 1, ...
    communities : int
        Planted communities, numbered from the largest.
    mixing : float in [0, 1]
        Share of arcs that leave their community (mu).
    mean_followers : float
        Mean out-degree.
    tail : float > 2
        Exponent of the power law of expected follower counts, Pr[K >= k] ~ k^(1 - tail), cut at 5 % of the users.
    reciprocity : float in [0, 1)
        Share of arcs whose reverse exists.
    community_sizes : {"zipf", "equal", "lfr"}
        - ``"zipf"``: sizes fall off as rank to the power -1/2.
        - ``"equal"``: sizes differ by at most one user.
        - ``"lfr"``: sizes drawn from a power law with exponent `size_exponent`, the largest at most 20 times the
          smallest, then scaled to the number of users (as in the benchmark of Lancichinetti et al. 2008).
    size_exponent : float in [1, 3]
        For ``"lfr"``; the benchmark uses 1.5 to 2.
    tiers : mapping of tier to share of users, optional
        Share of users in this creator tier or above, as `shares` of `with_creator_tiers`.
    rng : int, Generator or None

    Returns
    -------
    FollowerGraph
        With the node attributes ``community``, ``tier`` and ``price``.

    Raises
    ------
    InputError
        A parameter out of range, or degrees that the communities cannot hold.

    See Also
    --------
    graph.generate_chung_lu, graph.generate_two_communities, graph.with_creator_tiers, datasets.load

    Notes
    -----
    A Chung-Lu construction (Chung and Lu 2002; degree correction as in Karrer and Newman 2011). One-way arcs go from a
    creator drawn by expected followers to a user drawn by activity (expected accounts followed, a power law with
    exponent 3 cut at 1 % of the users); mutual arcs join two users drawn by activity. Draws that repeat an arc are made
    again, of one-way arcs the follower alone, until the planned number of distinct arcs of each kind (inside or across
    communities, one-way or mutual) is reached. So mixing and reciprocity hold up to rounding and random reverses, and
    follower counts have the tail that was asked for, except that a creator whom nearly all of the own community follows
    loses the surplus to others.

    Memory: about 50 bytes an arc while it runs, 4 bytes an arc afterwards.

    References
    ----------
    - Chung, F. and Lu, L. (2002). Connected components in random graphs with given expected degree sequences. Annals of
      Combinatorics 6, 125-145. doi:10.1007/PL00012580
    - Karrer, B. and Newman, M. E. J. (2011). Stochastic blockmodels and community structure in networks. Physical
      Review E 83, 016107. doi:10.1103/PhysRevE.83.016107
    - Lancichinetti, A., Fortunato, S. and Radicchi, F. (2008). Benchmark graphs for testing community detection
      algorithms. Physical Review E 78, 046110. doi:10.1103/PhysRevE.78.046110

    Examples
    --------
    >>> g = generate_platform(1000, communities=4, rng=7)
    >>> g.n_nodes, g.n_edges, sorted(g.node_data.columns)
    (1000, 12000, ['community', 'price', 'tier'])
    """
    check_platform(users, communities, mixing, mean_followers, tail, reciprocity, community_sizes, size_exponent, tiers)
    check_memory(users, mean_followers)
    key = key_of(rng)
    draw = generator(key)
    community = _communities(users, communities, community_sizes, size_exponent, draw)
    fame = _power_law(users, tail, 0.05 * users, draw)
    activity = _power_law(users, 3.0, 0.01 * users, draw)
    total = round(users * mean_followers)
    mutual_pairs = round(total * reciprocity / 2)
    arcs = ArcDraws(users, total, derive_key(key, "arcs"), community)
    across = mixing if communities > 1 else 0.0
    for count, weight, mutual in ((mutual_pairs, activity, True), (total - 2 * mutual_pairs, fame, False)):
        outside = round(count * across)
        arcs.draw(count - outside, weight, activity, inside=True, mutual=mutual)
        arcs.draw(outside, weight, activity, inside=False, mutual=mutual)
    return with_creator_tiers(arcs.graph(directed=True).with_node_data(community=community), shares=tiers)


def generate_chung_lu(
    n: int,
    mean_followers: float = 10.0,
    *,
    tail_out: float = 2.1,
    tail_in: float = 2.3,
    rng: RNGLike = None,
) -> FollowerGraph:
    """Generate a directed Chung-Lu graph: heavy tails of followers and of followed accounts, and nothing else.

    Parameters
    ----------
    n : int
        Number of nodes, labelled 0, 1, ...
    mean_followers : float
        Arcs a node, exactly; at most a quarter of the other nodes.
    tail_out : float > 2
        Exponent of the power law of expected followers (out-degree), Pr[K >= k] ~ k^(1 - tail_out), cut at n^0.6 times
        its mean.
    tail_in : float > 2
        The same for followed accounts (in-degree), cut at n^0.5 times its mean.
    rng : int, Generator or None

    Returns
    -------
    FollowerGraph

    Raises
    ------
    InputError
        A parameter out of range.

    See Also
    --------
    generate_platform, graph.generate_watts_strogatz

    Notes
    -----
    Arc ends are drawn by expected degree (Chung and Lu 2002), the two expected degrees of a node independently. Where
    an arc repeats, or is a loop, its target is drawn again, so the largest in-degrees fall somewhat below what they
    expect. Memory: about 50 bytes an arc while it runs (100M arcs: 5 GB), 4 bytes an arc afterwards.

    References
    ----------
    - Chung, F. and Lu, L. (2002). Connected components in random graphs with given expected degree sequences. Annals of
      Combinatorics 6, 125-145. doi:10.1007/PL00012580

    Examples
    --------
    >>> g = generate_chung_lu(1000, 5, rng=7)
    >>> g.n_nodes, g.n_edges
    (1000, 5000)
    """
    whole(n, "n", least=2)
    number(mean_followers, "mean_followers", above=0, most=(n - 1) / 4)
    number(tail_out, "tail_out", above=2)
    number(tail_in, "tail_in", above=2)
    check_memory(n, mean_followers)
    key = key_of(rng)
    draw = generator(key)
    followed, followers = (_power_law(n, tail, np.inf, draw) for tail in (tail_in, tail_out))
    np.minimum(followers, followers.mean() * n**0.6, out=followers)
    np.minimum(followed, followed.mean() * n**0.5, out=followed)
    total = round(n * mean_followers)
    arcs = ArcDraws(n, total, derive_key(key, "arcs"), np.zeros(n, np.int32))
    arcs.draw(total, followers, followed, inside=True, mutual=False)
    return arcs.graph(directed=True)


def check_platform(
    users: int,
    communities: int,
    mixing: float,
    mean_followers: float,
    tail: float,
    reciprocity: float,
    community_sizes: str = "zipf",
    size_exponent: float = 1.5,
    tiers: Mapping[str, float] | None = None,
) -> None:
    """Refuse parameters of `generate_platform` that are out of range."""
    given = {"mixing": mixing, "mean_followers": mean_followers, "tail": tail, "reciprocity": reciprocity}
    for name, value in given.items():
        number(value, name)
    whole(users, "users", least=2)
    whole(communities, "communities", least=1)
    if users > MAX_NODES:
        check_memory(users, mean_followers)
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
    if community_sizes not in COMMUNITY_SIZES:
        raise InputError(
            f"community_sizes={community_sizes!r} is unknown: choose {', '.join(COMMUNITY_SIZES)}."
            + did_you_mean(community_sizes, COMMUNITY_SIZES)
        )
    number(size_exponent, "size_exponent", least=1, most=3)
    if tiers is not None:
        if not isinstance(tiers, Mapping):
            raise InputError(f"tiers={tiers!r} is not a mapping: give shares of users, such as {{'head': 0.001}}")
        tiny = FollowerGraph.from_arrays([0], [1], directed=True, edges_mean="influences")
        with_creator_tiers(tiny, shares=tiers)  # a wrong tier is refused before the work, not after it


def check_memory(nodes: int, followers: float) -> None:
    """Refuse a graph that would not fit into memory, or has more nodes than a graph can hold."""
    room = available_bytes()
    try:
        need = int((BYTES_A_NODE + BYTES_AN_ARC * followers) * nodes)
    except OverflowError:
        need = BYTES_A_NODE * nodes
    if nodes > MAX_NODES or need > room:
        beyond = f", and a graph holds {MAX_NODES:,} nodes at most" if nodes > MAX_NODES else ""
        many = f"{nodes:,}" if nodes < 10**18 else "over 10^18"
        raise InputError(
            f"{many} nodes with so many followers would take about {bytes_text(need)} of memory, and {bytes_text(room)} may "
            f"be used{beyond}: ask for fewer nodes or fewer followers"
        )


class ArcDraws:
    """Distinct arcs between the nodes 0 ... n - 1, drawn by weight; at most `total` of them.

    `community` decides what is inside. The same key and the same draws in the same order give the same arcs.
    """

    def __init__(self, n: int, total: int, key: int, community: NDArray[Any]) -> None:
        self.n = n
        self.key = np.uint64(key)
        self.used = 0
        self.filled = 0
        self.community = community.astype(np.int32)
        self.source = np.empty(total, np.int32)
        self.target = np.empty(total, np.int32)
        self.table = empty_arc_set(total)

    def draw(self, wanted: int, weight: NDArray[Any], to_weight: NDArray[Any], *, inside: bool, mutual: bool) -> None:
        """Add `wanted` arcs (mutual: pairs of arcs) inside or between communities, ends drawn by the two weights.

        Where an arc cannot be used, its target is drawn again, in mutual pairs both ends.
        """
        from ..kernels.sampling import Ends, Placed, alias_tables, place_arcs

        if not wanted:
            return
        if inside:
            members = np.argsort(self.community, kind="stable").astype(np.int32)
            indptr = np.concatenate([[0], np.cumsum(np.bincount(self.community))])
        else:
            members, indptr = np.arange(self.n, dtype=np.int32), np.array([0, self.n])
        everyone = np.array([0, self.n])
        sources = Ends(*alias_tables(weight, everyone), everyone, np.arange(self.n, dtype=np.int32))
        targets = Ends(*alias_tables(to_weight[members], indptr), indptr, members)
        arcs = Placed(self.table, self.source, self.target)
        patience = 1 if mutual else TARGETS_PER_SOURCE
        placed, budget = 0, DRAWS_PER_ARC * wanted + 100_000
        with progress(total=wanted, description="generating arcs", unit="arc", unit_scale=True) as bar:
            while placed < wanted and budget > 0:
                now, self.used, budget = place_arcs(
                    self.key,
                    self.used,
                    min(CHUNK, wanted - placed),
                    budget,
                    patience,
                    sources,
                    targets,
                    self.community,
                    inside,
                    mutual,
                    arcs,
                    self.filled,
                )
                placed += now
                self.filled += now * (2 if mutual else 1)
                bar.update(now)
        if placed < wanted:
            raise InputError(
                f"{wanted - placed:,} of {wanted:,} arcs {'inside' if inside else 'between'} communities found no "
                "place: the communities are too small for so many followers; ask for fewer followers, fewer "
                "communities, or another mixing"
            )

    def graph(self, *, directed: bool) -> FollowerGraph:
        """Return the follower graph of all arcs drawn."""
        self.table = np.empty(0, np.int64)  # frees more memory than the graph takes
        return graph_of_arcs(self.n, self.source[: self.filled], self.target[: self.filled], directed=directed)


def empty_arc_set(arcs: int) -> NDArray[np.int64]:
    """Return a hash set for the kernels that holds `arcs` arcs, at most two thirds full."""
    return np.full(1 << max(int(np.ceil(np.log2(max(1.5 * arcs, 2)))), 2), -1, np.int64)


def graph_of_arcs(n: int, source: NDArray[np.int32], target: NDArray[np.int32], *, directed: bool) -> FollowerGraph:
    """Build the graph with labels 0 ... n - 1 from distinct arcs without loops: `from_arrays` without its checks.

    An undirected graph is given by the arcs of both directions.
    """
    from ..kernels.sampling import sorted_rows

    order = np.argsort(-np.bincount(target, minlength=n), kind="stable").astype(np.int32)
    rank = np.empty(n, np.int32)
    rank[order] = np.arange(n, dtype=np.int32)
    indptr, indices = sorted_rows(rank, source, target)
    arcs = Arcs(
        labels=pd.Index(np.arange(n)),
        order=order,
        indptr=indptr,
        indices=indices,
        multiplicity=None,
        weight=None,
        time=None,
        rows=source.size if directed else source.size // 2,
        dropped_self_loops=0,
        dropped_parallel=0,
    )
    return FollowerGraph(arcs, "influences" if directed else None, directed, "collapse")


def _communities(
    users: int, communities: int, kind: str, exponent: float, draw: np.random.Generator
) -> NDArray[np.int64]:
    if kind == "equal":
        sizes = np.full(communities, users // communities)
        sizes[: users % communities] += 1
        return draw.permutation(np.repeat(np.arange(communities), sizes))
    if kind == "lfr":
        share = -np.sort(-_bounded_power_law(communities, exponent, LFR_RATIO, draw))
    else:
        share = np.asarray(np.arange(1, communities + 1) ** -0.5, np.float64)
    sizes = np.maximum(np.floor(users * share / share.sum()).astype(np.int64), 2)
    left = users - sizes.sum()
    if left > 0:  # at most one for each community, from flooring
        sizes[:left] += 1
    else:
        sizes[0] += left
    while sizes[0] < sizes[1:].max(initial=2):  # many communities raised to two members each: the large ones shrink
        sizes[sizes[1:].argmax() + 1] -= 1
        sizes[0] += 1
    return draw.permutation(np.repeat(np.arange(communities), sizes))


def _bounded_power_law(n: int, exponent: float, ratio: float, draw: np.random.Generator) -> NDArray[np.float64]:
    """Numbers from 1 to `ratio` with density proportional to x^-exponent."""
    u = draw.random(n)
    if abs(exponent - 1.0) < 1e-9:
        return np.asarray(ratio**u)
    return np.asarray((1.0 - u * (1.0 - ratio ** (1.0 - exponent))) ** (1.0 / (1.0 - exponent)))


def _power_law(n: int, exponent: float, cut: float, draw: np.random.Generator) -> NDArray[np.float64]:
    return np.minimum((1.0 - draw.random(n)) ** (-1.0 / (exponent - 1.0)), max(cut, 2.0))
