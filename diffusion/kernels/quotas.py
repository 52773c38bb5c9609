"""Greedy coverage of RR sets inside a matroid of quotas, and of several communities' RR sets at once."""

import heapq
from typing import NamedTuple

import numpy as np

from .._numba import njit

LOW = np.int64(0xFFFFFFFF)


class Quotas(NamedTuple):
    """Community of every node, and how many seeds of each there may and must be."""

    group: np.ndarray  # i4[n], -1 for none
    most: np.ndarray  # i8[G]
    least: np.ndarray  # i8[G]


class RootedSets(NamedTuple):
    """RR sets of several communities, numbered by `order`, in which those of a community follow each other."""

    nodes: np.ndarray  # i4[]
    offsets: np.ndarray  # i8[sets + 1]
    order: np.ndarray  # i8[n_sets]
    start: np.ndarray  # i8[n + 1], of the inverted index
    sets: np.ndarray  # i4[]: numbers of the sets that hold each node
    of: np.ndarray  # i4[n_sets]: community of each set


# nodes i4[], offsets i8[sets + 1], order i8[n_sets]: sets in the order in which they are numbered; n
#   ->  start i8[n + 1], sets i4[]: numbers of the sets that hold each node, ascending
@njit
def sets_of_nodes(nodes, offsets, order, n):
    start = np.zeros(n + 1, np.int64)
    for i in range(order.size):
        s = order[i]
        for e in range(offsets[s], offsets[s + 1]):
            start[nodes[e] + 1] += 1
    for v in range(n):
        start[v + 1] += start[v]
    at = start[:-1].copy()
    sets = np.empty(start[n], np.int32)
    for i in range(order.size):
        s = order[i]
        for e in range(offsets[s], offsets[s + 1]):
            v = nodes[e]
            sets[at[v]] = i
            at[v] += 1
    return start, sets


# group i4[n]: community, -1 for none; held i8[G], most i8[G], least i8[G]; owed: sum of max(held, least); k, size
@njit
def may_join(g, held, most, least, owed, others, k):
    """May one more node of community g be chosen, so that all lower quotas can still be met with k nodes?"""
    if g < 0:
        return owed + others < k
    if held[g] >= most[g]:
        return False
    return held[g] < least[g] or owed + others < k


# rr_sets Sets of coverage.py; allowed b1[n]; by_place i4[n]: nodes, the first in a tie first; k; looks: most prefixes
# at which the bound is reckoned
#   ->  seeds i4[<= k], gains i8[<= k] in sets, bound i8: no set that the quotas permit covers more
@njit
def quota_cover(rr_sets, allowed, quotas, by_place, k, looks):
    """Greedy over the sets that can be completed to k nodes within the quotas, which are a matroid.

    After any prefix S the optimum covers at most covered(S) + the largest sum of gains of an independent set, which
    taking nodes by falling gain finds exactly.
    """
    nodes, offsets, n_sets = rr_sets
    group, most, least = quotas
    n = allowed.size
    start, sets = sets_of_nodes(nodes, offsets, np.arange(n_sets), n)
    gain = np.empty(n, np.int64)
    place = np.empty(n, np.int64)
    for i in range(n):
        place[by_place[i]] = i
    heap = [np.int64(0) for _ in range(0)]
    for v in range(n):
        gain[v] = start[v + 1] - start[v]
        if allowed[v]:
            heap.append(-(gain[v] << 32) | place[v])
    heapq.heapify(heap)
    covered = np.zeros(n_sets, np.bool_)
    held = np.zeros(most.size, np.int64)
    owed, others = least.sum(), np.int64(0)
    seeds = np.empty(k, np.int32)
    gains = np.empty(k, np.int64)
    size, reached = 0, np.int64(0)
    bound = np.int64(n_sets)
    every = max((k + looks - 1) // looks, 1)
    while True:
        if size % every == 0 or size == k:
            bound = min(bound, reached + best_base(gain, allowed, group, most, least, k))
        chosen = np.int64(-1)
        while size < k and len(heap) > 0:
            entry = heapq.heappop(heap)
            v = np.int64(by_place[entry & LOW])
            g = group[v]
            if not may_join(g, held, most, least, owed, others, k):  # nor ever again
                continue
            if -(entry >> 32) != gain[v]:
                heapq.heappush(heap, -(gain[v] << 32) | (entry & LOW))
                continue
            chosen = v
            break
        if chosen < 0:
            break
        seeds[size] = chosen
        gains[size] = gain[chosen]
        reached += gain[chosen]
        size += 1
        g = group[chosen]
        if g < 0:
            others += 1
        else:
            if held[g] >= least[g]:
                owed += 1
            held[g] += 1
        for at in range(start[chosen], start[chosen + 1]):
            s = sets[at]
            if not covered[s]:
                covered[s] = True
                for e in range(offsets[s], offsets[s + 1]):
                    gain[nodes[e]] -= 1
    return seeds[:size], gains[:size], bound


@njit
def best_base(gain, allowed, group, most, least, k):
    """Largest sum of gains of a set within the quotas."""
    count = 0
    for v in range(gain.size):
        if allowed[v] and gain[v] > 0:
            count += 1
    value = np.empty(count, np.int64)
    node = np.empty(count, np.int64)
    count = 0
    for v in range(gain.size):
        if allowed[v] and gain[v] > 0:
            value[count] = -gain[v]
            node[count] = v
            count += 1
    held = np.zeros(most.size, np.int64)
    owed, others, total = least.sum(), np.int64(0), np.int64(0)
    for i in np.argsort(value, kind="mergesort"):
        g = group[node[i]]
        if not may_join(g, held, most, least, owed, others, k):
            continue
        total -= value[i]
        if g < 0:
            others += 1
        else:
            if held[g] >= least[g]:
                owed += 1
            held[g] += 1
        if owed + others == k and (least <= held).all():
            break
    return total


# scale f8[G]: weight of a set; cap f8[G]: most sets that count; allowed b1[n]; by_place i4[n]; k; looks: prefixes at
# which the bound is reckoned  ->  seeds i4[<= k], covered i8[G], bound f8: no k nodes have a larger sum
@njit
def capped_cover(rooted, scale, cap, allowed, by_place, k, looks):
    """Greedy on the sum over communities of scale * min(covered, cap), with gains looked at only when they may lead.

    The bound is that of the same sum without caps: what is covered already, plus the k largest gains.
    """
    nodes, offsets, order, start, sets, of = rooted
    n_groups = scale.size
    hit = np.zeros(order.size, np.bool_)
    covered = np.zeros(n_groups, np.int64)
    heap = [(np.float64(0.0), np.int64(0), np.int64(0)) for _ in range(0)]
    for i in range(allowed.size):
        v = by_place[i]
        if allowed[v] and start[v + 1] > start[v]:
            gain = gain_of(start, sets, of, hit, covered, scale, cap, v)
            if gain > 0.0:
                heap.append((-gain, np.int64(i), np.int64(0)))
    heapq.heapify(heap)
    seeds = np.empty(k, np.int32)
    size, looked = 0, -1
    bound = np.inf
    every = max((k + looks - 1) // max(looks, 1), 1)
    while True:
        ended = size == k or len(heap) == 0
        if looks > 0 and size != looked and (ended or size % every == 0):
            looked = size
            bound = min(bound, best_sum(nodes, offsets, order, of, hit, covered, scale, allowed, k))
        if ended:
            break
        gain, i, known = heapq.heappop(heap)
        v = by_place[i]
        if known != size:
            fresh = gain_of(start, sets, of, hit, covered, scale, cap, v)
            if fresh > 0.0:
                heapq.heappush(heap, (-fresh, i, np.int64(size)))
            continue
        seeds[size] = v
        size += 1
        for at in range(start[v], start[v + 1]):
            s = sets[at]
            if not hit[s]:
                hit[s] = True
                covered[of[s]] += 1
    return seeds[:size], covered, bound


@njit
def best_sum(nodes, offsets, order, of, hit, covered, scale, allowed, k):
    gain = np.zeros(allowed.size)
    for i in range(order.size):
        if not hit[i]:
            s = order[i]
            for e in range(offsets[s], offsets[s + 1]):
                if allowed[nodes[e]]:
                    gain[nodes[e]] += scale[of[i]]
    total = 0.0
    for g in range(scale.size):
        total += scale[g] * covered[g]
    top = np.sort(gain)[-k:]
    for i in range(top.size):
        total += top[i]
    return total


@njit
def gain_of(start, sets, of, hit, covered, scale, cap, v):
    total = 0.0
    at, end = start[v], start[v + 1]
    while at < end:
        g = of[sets[at]]
        new = 0
        while at < end and of[sets[at]] == g:
            if not hit[sets[at]]:
                new += 1
            at += 1
        total += scale[g] * max(min(np.float64(new), cap[g] - covered[g]), 0.0)
    return total
