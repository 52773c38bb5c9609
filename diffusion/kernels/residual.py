"""What a cascade that was seen leaves of a graph: arcs whose state is still open, with their probabilities given that."""

import numpy as np

from .._numba import njit


# arcs indptr i8[n + 1], indices i4[m]; silent b1[n]: nodes whose out-arcs were all seen; active b1[n]: nodes that need no
# in-arcs  ->  indptr i8[n + 1], kept i8[]: positions of the arcs that stay
@njit
def open_arcs(indptr, indices, silent, active):
    n = indptr.size - 1
    ends = np.zeros(n + 1, np.int64)
    for u in range(n):
        count = ends[u]
        if not silent[u]:
            for j in range(indptr[u], indptr[u + 1]):
                if not active[indices[j]]:
                    count += 1
        ends[u + 1] = count
    kept = np.empty(ends[n], np.int64)
    for u in range(n):
        if not silent[u]:
            at = ends[u]
            for j in range(indptr[u], indptr[u + 1]):
                if not active[indices[j]]:
                    kept[at] = j
                    at += 1
    return ends, kept


# as open_arcs; weight f8[m] of linear thresholds  ->  weight f8[len(kept)] of the arcs that stay
@njit
def given_silence(indptr, indices, weight, silent, kept):
    """Weights given that no arc out of a silent node is the one that its target keeps.

    A node keeps each in-arc with its weight and none with what is left, so that they are divided by one minus the weights
    that were seen to fail. Weights that sum to 1, or to more by the rounding of a file, leave ones that sum to 1.
    """
    n = indptr.size - 1
    failed, left = np.zeros(n), np.zeros(n)
    for u in range(n):
        for j in range(indptr[u], indptr[u + 1]):
            if silent[u]:
                failed[indices[j]] += weight[j]
            else:
                left[indices[j]] += weight[j]
    out = np.empty(kept.size)
    for i in range(kept.size):
        v = indices[kept[i]]
        whole = left[v] if failed[v] + left[v] >= 1.0 - 1e-6 else 1.0 - failed[v]
        out[i] = weight[kept[i]] / whole if whole > 0.0 else 0.0
    return out
