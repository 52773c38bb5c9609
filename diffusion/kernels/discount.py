"""Degree heuristics that discount what chosen seeds already cover (Chen, Wang and Yang 2009)."""

import heapq

import numpy as np

from .._numba import njit


# arcs out: indptr i8[], indices i4[]; arcs in: in_indptr i8[], in_sources i4[], in_arc i8[]; multiplicity i4[] (one per
# arc, or one); degree i8[n]; place i4[n] (ties go to the smallest); allowed b1[n]; p f8 (below 0: single discount)
#   ->  seeds i4[<= k], score f8[<= k] at the time each was taken
@njit
def discount_seeds(indptr, indices, in_indptr, in_sources, in_arc, multiplicity, degree, place, allowed, p, k):
    n = indptr.size - 1
    step = 0 if multiplicity.size == 1 else 1
    single = p < 0.0
    useless = np.zeros(n, np.int64)  # arcs from v to seeds
    exposed = np.zeros(n, np.int64)  # arcs from seeds to v
    taken = np.zeros(n, np.bool_)
    score = degree.astype(np.float64)
    heap = [(-score[v], np.int64(place[v]), np.int64(v)) for v in range(n) if allowed[v]]
    heapq.heapify(heap)
    seeds = np.empty(k, np.int32)
    scores = np.empty(k, np.float64)
    size = 0
    while size < k and len(heap) > 0:
        value, _, u = heapq.heappop(heap)
        if taken[u] or -value != score[u]:  # an entry from before a discount
            continue
        taken[u] = True
        seeds[size] = u
        scores[size] = score[u]
        size += 1
        for i in range(in_indptr[u], in_indptr[u + 1]):
            v = np.int64(in_sources[i])
            useless[v] += multiplicity[in_arc[i] * step]
            rescore(heap, v, useless, exposed, degree, place, allowed, taken, score, p, single)
        if not single:
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                exposed[v] += multiplicity[j * step]
                rescore(heap, v, useless, exposed, degree, place, allowed, taken, score, p, single)
    return seeds[:size], scores[:size]


@njit
def rescore(heap, v, useless, exposed, degree, place, allowed, taken, score, p, single):
    if taken[v] or not allowed[v]:
        return
    left = degree[v] - useless[v]
    new = np.float64(left) if single else left - exposed[v] - left * exposed[v] * p
    if new != score[v]:
        score[v] = new
        heapq.heappush(heap, (-new, np.int64(place[v]), v))
