"""PageRank, and rankings that change as nodes are taken out: votes and collective influence, with a heap of scores."""

import heapq

import numpy as np

from .._numba import njit


# arcs out: indptr i8[n + 1], indices i4[m]; arcs in: in_indptr i8[n + 1], in_sources i4[m]; place i4[n]; allowed b1[n]
#   ->  nodes i4[<= k], votes i8[<= k] in units of 1 / m
@njit
def vote_rank(indptr, indices, in_indptr, in_sources, place, allowed, k):
    """VoteRank with whole numbers: an ability of 1 is m, and an elected node takes n from that of each follower."""
    n = indptr.size - 1
    m = np.int64(indices.size)
    ability = np.full(n, m, np.int64)
    votes = np.empty(n, np.int64)
    for v in range(n):
        votes[v] = m * (indptr[v + 1] - indptr[v])
    heap = [(-votes[v], np.int64(place[v]), np.int64(v)) for v in range(n) if votes[v] > 0]
    heapq.heapify(heap)
    taken = np.zeros(n, np.bool_)
    nodes = np.empty(k, np.int32)
    scores = np.empty(k, np.int64)
    size = 0
    while size < k and len(heap) > 0:
        value, _, u = heapq.heappop(heap)
        if taken[u] or votes[u] <= 0:
            continue
        if -value != votes[u]:
            heapq.heappush(heap, (-votes[u], np.int64(place[u]), u))
            continue
        taken[u] = True
        if allowed[u]:
            nodes[size] = u
            scores[size] = votes[u]
            size += 1
        weaken(in_indptr, in_sources, ability, votes, u, ability[u])
        for j in range(indptr[u], indptr[u + 1]):
            v = np.int64(indices[j])
            weaken(in_indptr, in_sources, ability, votes, v, min(ability[v], np.int64(n)))
    return nodes[:size], scores[:size]


@njit
def weaken(in_indptr, in_sources, ability, votes, v, loss):
    """Take `loss` from the ability of v, and so from the votes of all whom v follows."""
    if loss == 0:
        return
    ability[v] -= loss
    for i in range(in_indptr[v], in_indptr[v + 1]):
        votes[in_sources[i]] -= loss


# undirected graph: indptr i8[n + 1], indices i4[2m], each edge both ways; place i4[n]; allowed b1[n]
#   ->  nodes i4[<= k], influence i8[<= k] at the time each was taken
@njit
def collective_influence(indptr, indices, place, allowed, k):
    """(degree - 1) * sum of (degree - 1) over the nodes at distance 2, in what is left of the graph.

    All of it only falls as nodes leave. A node is looked at in full, its ball walked through, only where no cheaper bound
    on its influence is below the best.
    """
    n = indptr.size - 1
    degree = np.empty(n, np.int64)
    everyone = np.int64(0)  # sum of (degree - 1) over all that are left
    for v in range(n):
        degree[v] = indptr[v + 1] - indptr[v]
        everyone += max(degree[v] - 1, 0)
    # Walks of two steps are at least as many as nodes at distance 2, and cost one pass instead of a ball for each node.
    around = np.zeros(n, np.int64)
    for v in range(n):
        for j in range(indptr[v], indptr[v + 1]):
            around[v] += degree[indices[j]] - 1
    most = np.zeros(n, np.float64)  # bound on the sum over the nodes at distance 2
    heap = [(np.float64(0.0), np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    for v in range(n):
        if allowed[v]:
            walks = 0.0
            for j in range(indptr[v], indptr[v + 1]):
                walks += around[indices[j]] - (degree[v] - 1)
            most[v] = max(walks, 0.0) * (1.0 + 1e-9)
            heap.append((-most[v] * max(degree[v] - 1, 0), np.int64(place[v]), np.int64(v), np.int64(-1)))
    heapq.heapify(heap)
    mark = np.full(n, -1, np.int32)
    nodes = np.empty(k, np.int32)
    scores = np.empty(k, np.int64)
    size, looks = 0, np.int32(0)
    while size < k and len(heap) > 0:
        value, _, u, stamp = heapq.heappop(heap)
        if stamp < 2 * size:  # a bound from before a node left: all but u and its neighbours may be at distance 2
            near = np.int64(0)
            for j in range(indptr[u], indptr[u + 1]):
                if mark[indices[j]] != GONE:
                    near += degree[indices[j]] - 1
            most[u] = min(most[u], np.float64(everyone - max(degree[u] - 1, 0) - near))
            stamp = np.int64(2 * size)
        elif stamp == 2 * size:
            most[u] = np.float64(ball(indptr, indices, degree, mark, u, looks))
            looks += np.int32(1)
            stamp = np.int64(2 * size + 1)
        else:
            nodes[size] = u
            scores[size] = np.int64(-value)
            size += 1
            mark[u] = GONE
            everyone -= max(degree[u] - 1, 0)
            for j in range(indptr[u], indptr[u + 1]):
                v = indices[j]
                if mark[v] != GONE:
                    everyone -= np.int64(degree[v] > 1)
                degree[v] -= 1
            continue
        heapq.heappush(heap, (-most[u] * max(degree[u] - 1, 0), np.int64(place[u]), u, stamp))
    return nodes[:size], scores[:size]


GONE = np.int32(2**31 - 1)  # mark of a node that has left; others hold the number of the last look that came by


@njit
def ball(indptr, indices, degree, mark, v, look):
    """Sum of (degree - 1) over the nodes at distance 2 from v."""
    mark[v] = look
    for j in range(indptr[v], indptr[v + 1]):
        if mark[indices[j]] != GONE:
            mark[indices[j]] = look
    total = np.int64(0)
    for j in range(indptr[v], indptr[v + 1]):
        u = indices[j]
        if mark[u] == GONE:
            continue
        for i in range(indptr[u], indptr[u + 1]):
            w = indices[i]
            if mark[w] < look:
                mark[w] = look
                total += degree[w] - 1
    return total


# arcs out: indptr i8[n + 1], indices i4[m]; times i4[m] or i4[1]: how often an arc counts; follows f8[n]: arcs in, so
# counted
#   ->  score f8[n], sums to 1
@njit
def page_rank(indptr, indices, times, follows):
    """PageRank along follows, damping 0.85, by sweeps that use scores that are already new (Gauss and Seidel).

    Users who follow nobody pass their score to all alike, which only scales the scores of the others: they are left out
    and the sum is set to 1 at the end.
    """
    n = indptr.size - 1
    step = 0 if times.size == 1 else 1
    per_follow = np.empty(n, np.float64)  # score of a user by the number of those it follows
    score = np.full(n, 1.0 / max(n, 1), np.float64)
    for v in range(n):
        per_follow[v] = score[v] / follows[v] if follows[v] > 0 else 0.0
    for _ in range(1000):
        moved, total = 0.0, 0.0
        for u in range(n):
            new = 0.0
            for j in range(indptr[u], indptr[u + 1]):
                new += per_follow[indices[j]] * times[j * step]
            new = 0.15 / n + 0.85 * new
            moved += abs(new - score[u])
            total += new
            score[u] = new
            if follows[u] > 0:
                per_follow[u] = new / follows[u]
        if moved <= 1e-8 * total:
            break
    total = score.sum()
    for u in range(n):
        score[u] /= total
    return score


# rows of an undirected graph indptr i8[n + 1], indices i4[m]  ->  core number i8[n]
@njit
def core_numbers(indptr, indices):
    """Core numbers: nodes leave in the order of the degree that is left (Batagelj and Zaversnik 2003)."""
    n = indptr.size - 1
    core = indptr[1:] - indptr[:-1]  # degree left, in the end the core number
    first = np.zeros(core.max() + 2 if n else 1, np.int64)  # of the nodes of each degree, in the order below
    for v in range(n):
        first[core[v] + 1] += 1
    for d in range(1, first.size):
        first[d] += first[d - 1]
    order, place, at = np.empty(n, np.int64), np.empty(n, np.int64), first.copy()
    for v in range(n):
        order[at[core[v]]], place[v] = v, at[core[v]]
        at[core[v]] += 1
    for i in range(n):
        u = order[i]
        for e in range(indptr[u], indptr[u + 1]):
            v = indices[e]
            if core[v] > core[u]:  # v changes places with the first node of its degree, and that degree starts later
                to = first[core[v]]
                w = order[to]
                order[place[v]], place[w] = w, place[v]
                order[to], place[v] = v, to
                first[core[v]] += 1
                core[v] -= 1
    return core
