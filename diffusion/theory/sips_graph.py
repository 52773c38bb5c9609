"""R of SIPS on a given graph: the spectral radius over follows and feed, before anything is simulated."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..cascades._sips_engine import follow_probabilities
from ..cascades.sips import SIPS
from ..errors import DiffusionError, InputError
from ..graph._given import check_graph
from ..graph.communities import community_codes
from ..graph.follower_graph import FollowerGraph
from ._checks import Floats, number
from .spectral import reproduction_number

__all__ = ["sips_graph_radius"]


def sips_graph_radius(graph: FollowerGraph, model: SIPS, *, tol: float = 1e-6, max_iter: int = 5000) -> float:
    """R of SIPS on this very graph: mean sharers that a sharer makes, after the mix of sharers has settled.

    The next-generation operator acts on arcs (a sharer who has the note along u -> v) and on users (a sharer who has it
    from the feed). A sharer v makes a rho new ones of each follower but the one it has the note from, and m_v rho among
    those whom the feed shows the note, a share h of them in its own community.

    Parameters
    ----------
    graph : FollowerGraph
        With the node attribute ``community`` where the feed has ``own`` above 0, and with probabilities where the model's
        attention is None.
    model : SIPS
        With simple identification.
    tol : float
        Relative width of the bounds between which R lies (Collatz 1942, Wielandt 1950).
    max_iter : int
        Applications of the operator at most.

    Returns
    -------
    float
        R > 1 predicts growth while few users have been exposed. Infinite where the feed explodes on its own.

    Raises
    ------
    InputError
        Complex identification, whose growth has no R, or a graph without what the model needs.
    DiffusionError
        The bounds did not close.

    Notes
    -----
    With engagement the feed shows a note of v to m_v = (m0 + g c a k_v) / (1 - g c) users, k_v its followers. Latents drawn
    once make the follower who brought the note unavailable, as in Karrer, Newman and Zdeborova (2014); with
    `redraw` it could be reached but has shared already.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
    >>> round(sips_graph_radius(g, dif.SIPS(0.5, dif.Funnel(share=0.4), dif.Feed(m0=1.5))), 6)  # a rho + m rho
    0.8
    """
    check_graph(graph)
    if model.identify != "simple":
        raise InputError("complex identification has no reproduction number: one sharer alone convinces nobody")
    tol = number(tol, "tol", above=0)
    rho = model.funnel.rho
    n, m = graph.n_nodes, graph.n_edges
    source = np.repeat(np.arange(n), np.diff(graph._indptr))
    target = graph._indices.astype(np.int64)
    if model.attention is not None:
        attention = np.full(m, float(model.attention))
    elif graph.probabilities is not None:
        attention = np.broadcast_to(graph.probabilities.values, (m,)).astype(np.float64)
    else:
        raise InputError("attention=None takes the graph's propagation probabilities, and it has none")
    shown: Floats = np.zeros(n)
    own = 0.0
    group: NDArray[np.intp] = np.zeros(n, np.intp)
    if model.feed is not None:
        own = float(model.feed.own)
        back = model.feed.gain * model.feed.score(model.funnel)
        if back >= 1:
            return math.inf
        attended = np.bincount(source, attention, n)
        shown = np.asarray((model.feed.m0 + back * attended) / (1 - back), np.float64)
        if own > 0:
            codes, _ = community_codes(graph, None)
            group = codes.astype(np.intp)[graph._arcs.order]
    sizes = np.bincount(group)
    key = source * n + target
    place = np.searchsorted(key, target * n + source)
    mutual = place < m
    mutual[mutual] = key[place[mutual]] == (target * n + source)[mutual]
    place = np.where(mutual, place, m)
    p = attention * rho

    def apply(x: Floats) -> Floats:
        arcs = x[:m]
        sharers = np.bincount(target, arcs, n) + x[m:]
        along = p * (sharers[source] - np.append(arcs, 0.0)[place])
        notes = shown * sharers
        local = np.bincount(group, notes) / sizes
        feed = rho * ((1 - own) * notes.sum() / n + own * local[group])
        return np.concatenate([np.maximum(along, 0.0), feed])

    if not shown.any() or rho == 0:
        if rho == 0 or not m:
            return 0.0
        return reproduction_number(follow_probabilities(graph, model), tol=tol)
    x = np.ones(m + n)
    low = 0.0
    for _ in range(max_iter):
        y = apply(x)
        positive = x > 1e-200
        ratio = y[positive] / x[positive]
        low, high = float(ratio.min()), float(ratio.max())
        if high - low <= tol * high:
            return (low + high) / 2
        x = y + 0.1 * float((x @ y) / (x @ x)) * x
        x /= x.max()
        x = np.where(x > 1e-200, x, 0.0)
    raise DiffusionError(
        f"R lies between {low:.6g} and {high:.6g} after {max_iter} rounds: give a larger tol= or max_iter="
    )
