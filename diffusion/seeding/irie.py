"""IRIE: seeds by influence ranking and influence estimation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.follower_graph import FollowerGraph
from ..kernels.irie import irie_seeds

__all__ = ["ALPHA", "CLOSE", "FLOOR", "ROUNDS", "irie"]

ALPHA = 0.7  # damping of the source, which found it good on all its graphs
FLOOR = (
    1 / 320
)  # paths less likely than this are not followed (the threshold of MIA and PMIA, Chen, Wang and Wang 2010)
ROUNDS = 20
CLOSE = 1e-4  # largest change of a rank, relative to the largest rank, that ends the iteration


def irie(
    graph: FollowerGraph, k: int, allowed: NDArray[np.bool_], *, alpha: float = ALPHA, floor: float = FLOOR
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return up to k internal nodes in order, and their rank when each was taken.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    k : int
    allowed : ndarray of bool, shape (n_nodes,)
        By internal node.
    alpha : float in [0, 1]
        Damping: with 1 every walk counts, with 0 the node alone.
    floor : float in (0, 1]
        Least probability of a path along which a seed is taken to reach a node.

    Notes
    -----
    The rank r(u) = (1 - AP(u)) (1 + alpha sum_v p_uv r(v)) estimates what u adds to the seeds (Jung, Heo and Chen, ICDM
    2012), where AP(u) is the chance that the seeds activate u. AP combines, as if they were independent,
    the likeliest path from every seed that passes no seed chosen before, by Dijkstra's algorithm cut at `floor`. The
    iteration takes up the ranks of the seed before. Time: at most 20 passes over the arcs for each seed.
    """
    assert graph.probabilities is not None  # the caller has looked
    arcs = graph.csr.indptr, graph.csr.indices, graph.probabilities.values
    found: tuple[Any, Any] = irie_seeds(*arcs, graph.index.order, allowed, k, float(alpha), float(floor), ROUNDS, CLOSE)
    return found
