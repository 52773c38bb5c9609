"""Degree heuristics that discount what chosen seeds already cover (Chen, Wang and Yang 2009)."""

import heapq

import numpy as np

from .._numba import njit


# out OutArcs, into InArcs, multiplicity i4[] (one per arc, or one), degree i8[n], place i4[n] (ties go to the
# smallest), allowed b1[n], p f8 (below 0: single discount)  ->  seeds i4[<= k], score f8[<= k] at the time each was
# taken
@njit
def discount_seeds(out, into, multiplicity, degree, place, allowed, p, k):
    indptr, indices = out
    in_indptr, in_sources, in_arc = into
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


UNIT = 2.0**36  # sums of probabilities are whole numbers of 1 / UNIT: no order of summation breaks a tie


# arcs as above; p f4[m] (one per arc, or one)  ->  seeds i4[<= k], score f8[<= k] at the time each was taken
@njit
def star_discount_seeds(out, into, p, place, allowed, k):
    """Largest (1 - probability that a seed activates v directly) * (1 + sum of p over followers that are no seeds)."""
    indptr, indices = out
    in_indptr, in_sources, in_arc = into
    n = indptr.size - 1
    step = 0 if p.size == 1 else 1
    left = np.zeros(n, np.int64)  # sum of p over arcs to nodes that are no seeds
    free = np.ones(n, np.float64)  # probability that no seed activates v directly
    for v in range(n):
        for j in range(indptr[v], indptr[v + 1]):
            left[v] += whole(p[j * step])
    taken = np.zeros(n, np.bool_)
    score = 1.0 + left / UNIT
    heap = [(-score[v], np.int64(place[v]), np.int64(v)) for v in range(n) if allowed[v]]
    heapq.heapify(heap)
    seeds = np.empty(k, np.int32)
    scores = np.empty(k, np.float64)
    size = 0
    while size < k and len(heap) > 0:
        value, _, u = heapq.heappop(heap)
        if taken[u]:
            continue
        if -value != score[u]:  # scores only fall: this one has since the entry was made
            heapq.heappush(heap, (-score[u], np.int64(place[u]), u))
            continue
        taken[u] = True
        seeds[size] = u
        scores[size] = score[u]
        size += 1
        for i in range(in_indptr[u], in_indptr[u + 1]):
            v = np.int64(in_sources[i])
            left[v] -= whole(p[in_arc[i] * step])
            score[v] = free[v] * (1.0 + left[v] / UNIT)
        for j in range(indptr[u], indptr[u + 1]):
            v = np.int64(indices[j])
            free[v] *= 1.0 - np.float64(p[j * step])
            score[v] = free[v] * (1.0 + left[v] / UNIT)
    return seeds[:size], scores[:size]


@njit
def whole(p):
    return np.int64(np.float64(p) * UNIT + 0.5)


# as star_discount_seeds
@njit
def two_step_seeds(out, into, p, place, allowed, k):
    """Largest free(v) * (1 + sum over followers w of p_vw free(w) * (1 + sum over followers x of w of p_wx free(x))).

    free is the probability that no seed activates a node directly, 0 for seeds. Scores only fall, so a score that is
    still the largest when looked at anew is the largest of all.
    """
    indptr, indices = out
    in_indptr, in_sources, in_arc = into
    n = indptr.size - 1
    step = 0 if p.size == 1 else 1
    free = np.ones(n, np.float64)
    star = np.ones(n, np.float64)
    for v in range(n):
        for j in range(indptr[v], indptr[v + 1]):
            star[v] += p[j * step]
    heap = [(np.float64(0.0), np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    for v in range(n):
        if allowed[v]:
            heap.append((-two_steps(indptr, indices, p, free, star, v), np.int64(place[v]), np.int64(v), np.int64(0)))
    heapq.heapify(heap)
    seeds = np.empty(k, np.int32)
    scores = np.empty(k, np.float64)
    size = 0
    while size < k and len(heap) > 0:
        value, _, u, known = heapq.heappop(heap)
        if known != size:
            fresh = two_steps(indptr, indices, p, free, star, u)
            heapq.heappush(heap, (-fresh, np.int64(place[u]), u, np.int64(size)))
            continue
        seeds[size] = u
        scores[size] = -value
        size += 1
        expose(in_indptr, in_sources, in_arc, p, step, free, star, u, 1.0)
        for j in range(indptr[u], indptr[u + 1]):
            expose(in_indptr, in_sources, in_arc, p, step, free, star, np.int64(indices[j]), np.float64(p[j * step]))
    return seeds[:size], scores[:size]


@njit
def expose(in_indptr, in_sources, in_arc, p, step, free, star, v, probability):
    """A seed activates v directly with `probability`: v counts for less in the star of everyone it follows."""
    loss = free[v] * probability
    if loss > 0.0:
        free[v] *= 1.0 - probability
        for i in range(in_indptr[v], in_indptr[v + 1]):
            star[in_sources[i]] -= p[in_arc[i] * step] * loss


@njit
def two_steps(indptr, indices, p, free, star, v):
    if free[v] == 0.0:
        return 0.0
    step = 0 if p.size == 1 else 1
    total = 1.0
    for j in range(indptr[v], indptr[v + 1]):
        w = indices[j]
        total += p[j * step] * free[w] * star[w]
    return free[v] * total
