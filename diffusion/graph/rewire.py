"""Rewiring that changes how much runs between communities and keeps every degree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .._progress import one_bar, progress
from .._random import RNGLike, derive_key, key_of
from .._validation import number, probability
from ..errors import InputError
from .communities import Communities, community_codes
from .follower_graph import FollowerGraph, check_graph
from .generate import empty_arc_set

__all__ = ["rewire_mixing"]

CHUNK = 1 << 20  # proposals between two looks at Ctrl-C
SLACK = 2  # arcs: a swap of mutual arcs moves two at a time
ROUNDS = 4  # of steering, with a shuffle between, before a mixing counts as out of reach


@one_bar
def rewire_mixing(
    graph: FollowerGraph,
    mixing: float,
    *,
    communities: Communities = None,
    keep_mutual: bool = True,
    shuffle: float = 10.0,
    rng: RNGLike = None,
) -> FollowerGraph:
    """Return a graph with another share of arcs between communities and the same degrees.

    Parameters
    ----------
    graph : FollowerGraph
        Without counted parallel arcs.
    mixing : float in [0, 1]
        Share of arcs between communities (mu) to reach; met to within two arcs.
    communities : Partition, Series or dict by label, or array in node order, optional
        Default: the node attribute ``community``.
    keep_mutual : bool
        Keep the number of mutual followers of every node too, and so the reciprocity: mutual arcs are swapped in pairs,
        and a one-way arc never becomes mutual. An undirected graph always stays undirected. False swaps single arcs,
        which leaves few mutual ones.
    shuffle : float >= 0
        Random swaps tried for each arc once the mixing is reached. 0 changes as few arcs as the mixing needs.
    rng : int, Generator or None

    Returns
    -------
    FollowerGraph
        On the same nodes, with their attributes. Weights, time stamps and propagation probabilities belonged to the
        arcs and are dropped: call `with_probabilities` again.

    Raises
    ------
    InputError
        A mixing out of range or out of reach of these degrees (the message names the bound, or the nearest value that
        was reached), counted parallel arcs, or a node without a community.

    See Also
    --------
    communities, graph.read_communities, graph.generate_two_communities

    Notes
    -----
    A swap turns u -> v and x -> y into u -> y and x -> v: every in-degree and out-degree stays, and a swap that would
    make a loop or a parallel arc is refused (Maslov and Sneppen 2002). First only swaps that bring mixing nearer to
    what was asked are made. Then random swaps that leave the number of arcs between communities as it is make the rest
    random: the result is nearly a uniform draw from the graphs with these degrees and this mixing. So clustering and
    all other structure is lost too; **compare a rewired graph with one rewired to the mixing the graph has already**,
    not with the graph itself, where mixing alone should differ.

    Memory: about 45 bytes an arc while it runs.

    References
    ----------
    - Maslov, S. and Sneppen, K. (2002). Specificity and stability in topology of protein networks. Science 296,
      910-913. doi:10.1126/science.1065103

    Examples
    --------
    >>> from diffusion.graph.generate import generate_platform
    >>> g = generate_platform(1000, communities=4, mixing=0.2, rng=7)
    >>> h = rewire_mixing(g, 0.4, rng=7)
    >>> community = g.node_data["community"]
    >>> arcs = h.to_pandas()
    >>> round(float((community[arcs["source"]].values != community[arcs["target"]].values).mean()), 2)
    0.4
    >>> h.out_degree.equals(g.out_degree), h.in_degree.equals(g.in_degree), h.reciprocity == g.reciprocity
    (True, True, True)
    """
    check_graph(graph)
    from ..kernels.rewire import fill_table
    from ..kernels.rewire import shuffle as shuffle_arcs

    probability(mixing, "mixing")
    number(shuffle, "shuffle", least=0)
    if not isinstance(keep_mutual, bool | np.bool_):
        raise InputError(f"keep_mutual={keep_mutual!r} is neither True nor False")
    if graph.is_temporal:
        raise InputError(
            "the arcs of this graph come and go, and a swap keeps no times: rewire graph.window(start, end)"
        )
    if graph._arcs.multiplicity is not None:
        raise InputError("the graph counts parallel arcs, which a swap cannot keep: build it with parallel='collapse'")
    codes, names = community_codes(graph, communities)
    community = codes[graph.index.order].astype(np.int32)
    key = derive_key(key_of(rng), "rewire")
    keep_mutual = bool(keep_mutual) or not graph.directed
    n, m = graph.n_nodes, graph.n_edges
    if not m:
        raise InputError("the graph has no arcs, so it has no mixing to change")
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(graph.csr.indptr))
    target = graph.csr.indices.copy()
    mate = graph.csr.back.copy() if keep_mutual else np.full(m, -1, np.int32)
    _check_reach(mixing, source, target, mate, community, len(names))
    table = empty_arc_set(m)
    fill_table(source, target, n, table)
    slots = _Slots(source, target, mate, community, len(names), table, keep_mutual)
    _steer(slots, np.uint64(derive_key(key, "steer")), float(mixing))
    tries, used = round(shuffle * m), 0
    with progress(total=tries, description="shuffling arcs", unit="swap", unit_scale=True) as bar:
        while used < 2 * tries:
            used, _ = shuffle_arcs(
                np.uint64(derive_key(key, "shuffle")), used, min(CHUNK, tries - used // 2), slots.arrays, keep_mutual
            )
            bar.update(used // 2 - bar.n)
    # The degrees have not changed, so the rows begin where they did and the order of the nodes holds.
    by = np.argsort(source.astype(np.int64) * n + target)
    arcs = replace(
        graph._arcs,
        indices=target[by],
        weight=None,
        time=None,
        rows=m if graph.directed else m // 2,
        dropped_self_loops=0,
        dropped_parallel=0,
        comment_lines=0,
    )
    return replace(graph, _arcs=arcs, probabilities=None, _shared={})


class _Slots:
    """The arrays of `kernels.rewire`: one slot an arc, grouped by the community of the target, arcs across first."""

    def __init__(
        self,
        source: NDArray[np.int32],
        target: NDArray[np.int32],
        mate: NDArray[np.int32],
        community: NDArray[np.int32],
        n_communities: int,
        table: NDArray[np.int64],
        keep_mutual: bool,
    ) -> None:
        from ..kernels.rewire import Slots

        group, crossing = community[target], community[source] != community[target]
        order = np.argsort(group.astype(np.int64) * 2 + ~crossing, kind="stable").astype(np.int32)
        place = np.empty_like(order)
        place[order] = np.arange(order.size, dtype=np.int32)
        start = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=n_communities))])
        across = np.bincount(group[crossing], minlength=n_communities)
        self.arrays = Slots(source, target, mate, community, start, across, order, place, table)
        self.keep_mutual = keep_mutual
        self.size = order.size
        self.crossing = int(crossing.sum())


def _steer(slots: _Slots, key: np.uint64, mixing: float) -> None:
    """Swap until the mixing is reached; where steering gets stuck, a shuffle opens other ways."""
    from ..kernels.rewire import shuffle, steer

    m = slots.size
    goal, now, used = round(mixing * m), slots.crossing, 0
    nearest = now
    patience = 5 * m + 1_000_000  # proposals in a row that come to nothing
    for turn in range(ROUNDS):
        failed = 0
        with progress(total=abs(now - goal), description="rewiring arcs", unit="arc", unit_scale=True) as bar:
            while abs(now - goal) > SLACK and failed < patience:
                before = now
                now, used, failed = steer(key, used, CHUNK, goal, SLACK, now, failed, slots.arrays, slots.keep_mutual)
                bar.update(abs(before - now))
        nearest = min(now, nearest, key=lambda count: abs(count - goal))
        if abs(now - goal) <= SLACK:
            return
        if turn < ROUNDS - 1:
            used, _ = shuffle(key, used, min(m, CHUNK), slots.arrays, slots.keep_mutual)
    raise InputError(
        f"mixing={mixing!r} cannot be reached with these degrees and communities: no swap leads beyond "
        f"{nearest / m:.6g}; ask for {nearest / m:.6g} or a value on this side of it, or use other communities"
    )


def _check_reach(
    mixing: float,
    source: NDArray[np.int32],
    target: NDArray[np.int32],
    mate: NDArray[np.int32],
    community: NDArray[np.int32],
    n_communities: int,
) -> None:
    """Refuse a mixing that the number of arc ends in each community rules out."""
    least = most = 0
    for kind in (mate < 0, mate >= 0):  # one-way arcs swap with one-way arcs, mutual ones with mutual ones
        out = np.bincount(community[source[kind]], minlength=n_communities)
        into = np.bincount(community[target[kind]], minlength=n_communities)
        arcs = int(kind.sum())
        least += arcs - int(np.minimum(out, into).sum())
        most += arcs - int(np.maximum(out + into - arcs, 0).sum())
    m = source.size
    if not least - SLACK <= mixing * m <= most + SLACK:
        bound, word = (least, "least") if mixing * m < least else (most, "most")
        raise InputError(
            f"mixing={mixing!r} cannot be reached: with these degrees and communities at {word} {bound / m:.6g} of the "
            f"arcs run between communities; ask for a value from {least / m:.6g} to {most / m:.6g}"
        )
