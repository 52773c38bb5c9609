"""IRIE: influence by a linear system over all nodes, discounted by what the seeds reach (Jung, Heo and Chen 2012)."""

import heapq

import numpy as np

from .._numba import njit


# indptr i8[n + 1], indices i4[m], p f4[m] or f4[1]; free f8[n]: probability that the seeds do not activate a node;
# rank f8[n] is changed  ->  rounds done
@njit
def influence_rank(indptr, indices, p, free, alpha, rounds, close, rank):
    """Iterate rank(u) = free(u) * (1 + alpha * sum over followers v of p_uv * rank(v)) until no rank changes much."""
    n = indptr.size - 1
    step = 0 if p.size == 1 else 1
    done = 0
    for _ in range(rounds):
        done += 1
        change, largest = 0.0, 0.0
        # In place: later nodes already see the new ranks of earlier ones, which converges faster (Gauss-Seidel).
        for u in range(n):
            total = 0.0
            if free[u] > 0.0:
                for j in range(indptr[u], indptr[u + 1]):
                    total += p[j * step] * rank[indices[j]]
            new = free[u] * (1.0 + alpha * total)
            change = max(change, abs(new - rank[u]))
            largest = max(largest, new)
            rank[u] = new
        if change <= close * largest:
            break
    return done


# seed b1[n], free f8[n] is changed; best f8[n] all 0 before and after
@njit
def reach_of_seed(indptr, indices, p, s, floor, seed, free, best):
    """Multiply `free` by 1 - p of the likeliest path from s past no other seed, where that is at least `floor`."""
    step = 0 if p.size == 1 else 1
    heap = [(-1.0, np.int64(s))]
    reached = [np.int64(s)]
    best[s] = 1.0
    while len(heap) > 0:
        value, u = heapq.heappop(heap)
        if -value != best[u]:
            continue
        for j in range(indptr[u], indptr[u + 1]):
            v = np.int64(indices[j])
            along = best[u] * p[j * step]
            if along >= floor and along > best[v] and not seed[v]:
                if best[v] == 0.0:
                    reached.append(v)
                best[v] = along
                heapq.heappush(heap, (-along, v))
    for v in reached:
        free[v] *= 1.0 - best[v]
        best[v] = 0.0
    free[s] = 0.0


# as above; place i4[n] (ties go to the smallest), allowed b1[n]  ->  seeds i4[<= k], rank f8[<= k]
@njit
def irie_seeds(indptr, indices, p, place, allowed, k, alpha, floor, rounds, close):
    n = indptr.size - 1
    free = np.ones(n)
    rank = np.ones(n)
    best = np.zeros(n)
    seed = np.zeros(n, np.bool_)
    seeds = np.empty(k, np.int32)
    scores = np.empty(k)
    for size in range(k):
        influence_rank(indptr, indices, p, free, alpha, rounds, close, rank)
        chosen, largest = -1, 0.0
        for v in range(n):
            largest = max(largest, rank[v])
            if seed[v] or not allowed[v]:
                continue
            if chosen < 0 or rank[v] > rank[chosen] or (rank[v] == rank[chosen] and place[v] < place[chosen]):
                chosen = v
        if chosen < 0:
            return seeds[:size], scores[:size]
        seeds[size] = chosen
        scores[size] = rank[chosen]
        seed[chosen] = True
        reach_of_seed(indptr, indices, p, chosen, floor, seed, free, best)
        if largest > n:  # the iteration diverges: more rounds upon these would say less, and overflow in the end
            rank[:] = 1.0
    return seeds, scores
