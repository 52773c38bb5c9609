"""Passes over compressed sparse rows, each linear in the number of arcs."""

import numpy as np

from .._numba import njit


# column i4[m], rows already grouped by indptr i8[n + 1]  ->  indptr i8[n + 1], sources i4[m], arc i8[m] of the
# transpose
@njit
def transpose(indptr, indices):
    n = indptr.size - 1
    m = indices.size
    into = np.zeros(n + 1, np.int64)
    for j in range(m):
        into[indices[j] + 1] += 1
    for v in range(n):
        into[v + 1] += into[v]
    at = into[:-1].copy()
    sources = np.empty(m, np.int32)
    arc = np.empty(m, np.int64)
    for u in range(n):
        for j in range(indptr[u], indptr[u + 1]):
            v = indices[j]
            sources[at[v]] = u
            arc[at[v]] = j
            at[v] += 1
    return into, sources, arc


# indptr i8[n + 1], indices i4[m] with ascending rows, reverse indptr/sources of the transpose  ->  mutual arcs
@njit
def count_mutual(indptr, indices, in_indptr, in_sources):
    """Number of arcs u -> v for which v -> u exists too; both directions have ascending rows."""
    mutual = 0
    for u in range(indptr.size - 1):
        i, j = indptr[u], in_indptr[u]
        while i < indptr[u + 1] and j < in_indptr[u + 1]:
            if indices[i] == in_sources[j]:
                mutual += 1
                i += 1
                j += 1
            elif indices[i] < in_sources[j]:
                i += 1
            else:
                j += 1
    return mutual


# indptr i8[n + 1], indices i4[m] with ascending rows  ->  back i4[m], -1 where there is no reverse arc
@njit
def reverse_arcs(indptr, indices):
    """Position of the arc v -> u for every arc u -> v."""
    n = indptr.size - 1
    back = np.full(indices.size, -1, np.int32)
    at = indptr[:-1].copy()
    for u in range(n):  # the rows of all targets are walked through together: sources only ever ascend
        for e in range(indptr[u], indptr[u + 1]):
            v = indices[e]
            while at[v] < indptr[v + 1] and indices[at[v]] < u:
                at[v] += 1
            if at[v] < indptr[v + 1] and indices[at[v]] == u:
                back[e] = at[v]
    return back


# indptr i8[n + 1], in-arc order arc i8[m], in_indptr i8[n + 1], weight f8[m]  ->  lo u4[m], hi u4[m]
@njit
def lt_intervals(in_indptr, arc, weight):
    """Disjoint intervals [lo, hi) of the in-arcs of each node, in order of source; 2**32 is stored as the top value."""
    m = weight.size
    lo = np.empty(m, np.uint32)
    hi = np.empty(m, np.uint32)
    for v in range(in_indptr.size - 1):
        total = 0.0
        bound = np.uint64(0)
        for k in range(in_indptr[v], in_indptr[v + 1]):
            j = arc[k]
            lo[j] = bound
            total += weight[j]
            # A sum within rounding (of float32 weights) of 1 is 1: then some in-arc is always kept.
            if total >= 1.0 - 1e-6:
                bound = np.uint64(0xFFFFFFFF)
            else:
                bound = min(np.uint64(total * 4294967296.0 + 0.5), np.uint64(0xFFFFFFFE))
            hi[j] = bound
    return lo, hi


# arcs out with ascending rows: indptr i8[n + 1], indices i4[m]; the same arcs in: in_indptr, in_sources
#   ->  indptr i8[n + 1], neighbours i4[], ascending in each row
@njit
def undirected_rows(indptr, indices, in_indptr, in_sources):
    """Rows of the undirected graph: the union of out-row and in-row, so that mutual arcs are one edge."""
    n = indptr.size - 1
    rows = np.zeros(n + 1, np.int64)
    neighbours = np.empty(2 * indices.size, np.int32)
    at = 0
    for u in range(n):
        i, j = indptr[u], in_indptr[u]
        while i < indptr[u + 1] or j < in_indptr[u + 1]:
            if j == in_indptr[u + 1] or (i < indptr[u + 1] and indices[i] < in_sources[j]):
                neighbours[at] = indices[i]
                i += 1
            else:
                neighbours[at] = in_sources[j]
                i += np.int64(i < indptr[u + 1] and indices[i] == in_sources[j])
                j += 1
            at += 1
        rows[u + 1] = at
    return rows, neighbours[:at]


# as above; times i4[m] or i4[1]: how often an arc counts; in_arc i8[m]: position of each arc in among the arcs out
#   ->  low i4[e], high i4[e], weight f8[e] of the edges, ordered by (low, high)
@njit
def undirected_edges(indptr, indices, times, in_indptr, in_sources, in_arc):
    """Edges of the undirected graph, each once, weighted by the arcs between its ends in both directions."""
    n = indptr.size - 1
    step = 0 if times.size == 1 else 1
    low, high = np.empty(indices.size, np.int32), np.empty(indices.size, np.int32)
    weight = np.empty(indices.size, np.float64)
    at = 0
    for u in range(n):
        i, j = indptr[u], in_indptr[u]
        while i < indptr[u + 1] and indices[i] < u:
            i += 1
        while j < in_indptr[u + 1] and in_sources[j] < u:
            j += 1
        while i < indptr[u + 1] or j < in_indptr[u + 1]:
            out = i < indptr[u + 1] and (j == in_indptr[u + 1] or indices[i] <= in_sources[j])
            into = j < in_indptr[u + 1] and (i == indptr[u + 1] or in_sources[j] <= indices[i])
            low[at], weight[at] = u, 0.0
            if out:
                high[at] = indices[i]
                weight[at] += times[i * step]
                i += 1
            if into:
                high[at] = in_sources[j]
                weight[at] += times[in_arc[j] * step]
                j += 1
            at += 1
    return low[:at], high[:at], weight[:at]
