"""Greedy coverage of RR sets inside a matroid of quotas, and of several communities' RR sets at once."""

import heapq
from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coverage import as_arrays

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


class Reserve(NamedTuple):
    """Nodes for sale of every community, the cheapest first: those of g are cheap[start[g] : start[g + 1]]."""

    cheap: np.ndarray  # i4[]
    start: np.ndarray  # i8[G + 1]


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


@njit
def owed_price(reserve, price, taken, g, need):
    """Price of the `need` cheapest nodes of community g that are not taken."""
    total, at = 0.0, reserve.start[g]
    while need > 0 and at < reserve.start[g + 1]:
        v = reserve.cheap[at]
        if not taken[v]:
            total += price[v]
            need -= 1
        at += 1
    return total if need == 0 else np.inf


# quotas Quotas, reserve Reserve, price f8[n]; taken b1[n] and held i8[G]: seeds so far; owed f8[G]: what the cheapest
# nodes cost that still meet each lower quota; spent, budget f8; v  ->  b1
@njit
def may_buy(quotas, reserve, price, taken, held, owed, spent, budget, v):
    """Do the upper quotas let v be bought, and the money, so that enough is left for all lower quotas?

    What may not be bought now may not be bought later either: what was spent and what is owed only grow together. A
    node that is itself among the cheapest that are owed can always be bought, so that it may count in the rest, too.
    """
    g = np.int64(quotas.group[v])
    budget *= 1.0 + 1e-12  # sums in another order differ in their last digits
    if g < 0:
        return spent + price[v] + owed.sum() <= budget
    if held[g] >= quotas.most[g]:
        return False
    need = quotas.least[g] - held[g] - 1
    rest = owed_price(reserve, price, taken, g, need) if need > 0 else 0.0
    return spent + price[v] + (owed.sum() - owed[g]) + rest <= budget


@njit
def buy(quotas, reserve, price, taken, held, owed, v):
    """Note that v is a seed."""
    taken[v] = True
    g = np.int64(quotas.group[v])
    if g >= 0:
        held[g] += 1
        need = quotas.least[g] - held[g]
        owed[g] = owed_price(reserve, price, taken, g, need) if need > 0 else 0.0


@njit
def first_owed(quotas, reserve, price, taken):
    """Price of the cheapest nodes that meet each lower quota."""
    owed = np.zeros(quotas.least.size)
    for g in range(owed.size):
        if quotas.least[g] > 0:
            owed[g] = owed_price(reserve, price, taken, g, quotas.least[g])
    return owed


# order i4[]: nodes; budget f8  ->  positions i8[] of those that are bought going down the order
@njit
def quota_walk(order, quotas, reserve, price, budget):
    taken, held = np.zeros(price.size, np.bool_), np.zeros(quotas.least.size, np.int64)
    owed, spent = first_owed(quotas, reserve, price, taken), 0.0
    bought = [np.int64(0) for _ in range(0)]
    for at in range(order.size):
        v = np.int64(order[at])
        if price[v] <= budget and may_buy(quotas, reserve, price, taken, held, owed, spent, budget, v):
            buy(quotas, reserve, price, taken, held, owed, v)
            spent += price[v]
            bought.append(np.int64(at))
    found = np.empty(len(bought), np.int64)
    for i in range(len(bought)):
        found[i] = bought[i]
    return found


# rr_sets Sets of coverage.py; allowed b1[n]; price f8[n]; budget f8; first: node that is bought in any case, -1: none
#   ->  seeds i4[], gains i8[] in sets
@njit
def quota_knapsack(rr_sets, allowed, quotas, reserve, price, budget, first):
    """Greedy by gain per price within quotas and a budget; at the end the cheapest nodes meet lower quotas."""
    nodes, offsets, n_sets = rr_sets
    n = allowed.size
    start, sets = sets_of_nodes(nodes, offsets, np.arange(n_sets), n)
    gain = start[1:] - start[:-1]
    heap = [(np.float64(0.0), np.int64(0)) for _ in range(0)]
    for v in range(n):
        if allowed[v] and gain[v] > 0 and price[v] <= budget and v != first:
            heap.append((-gain[v] / price[v] if price[v] > 0.0 else -np.inf, np.int64(v)))
    heapq.heapify(heap)
    covered = np.zeros(n_sets, np.bool_)
    taken, held = np.zeros(n, np.bool_), np.zeros(quotas.least.size, np.int64)
    owed, spent = first_owed(quotas, reserve, price, taken), 0.0
    seeds = [np.int32(0) for _ in range(0)]
    gains = [np.int64(0) for _ in range(0)]
    g, at = 0, np.int64(0)  # of the lower quotas that are met at the end
    while True:
        chosen = np.int64(-1)
        if first >= 0 and len(seeds) == 0:
            chosen = np.int64(first)
        while chosen < 0 and len(heap) > 0:
            known, v = heapq.heappop(heap)
            if gain[v] <= 0 or taken[v]:
                continue
            if not may_buy(quotas, reserve, price, taken, held, owed, spent, budget, v):
                continue
            fresh = -gain[v] / price[v] if price[v] > 0.0 else -np.inf
            if fresh > known:
                heapq.heappush(heap, (fresh, v))
                continue
            chosen = v
        while chosen < 0 and g < held.size:
            if held[g] >= quotas.least[g]:
                g += 1
                at = np.int64(0)
                continue
            v = np.int64(reserve.cheap[reserve.start[g] + at])
            at += 1
            if not taken[v]:
                chosen = v
        if chosen < 0:
            break
        buy(quotas, reserve, price, taken, held, owed, chosen)
        spent += price[chosen]
        seeds.append(np.int32(chosen))
        gains.append(np.int64(gain[chosen]))
        for e in range(start[chosen], start[chosen + 1]):
            s = sets[e]
            if not covered[s]:
                covered[s] = True
                for i in range(offsets[s], offsets[s + 1]):
                    gain[nodes[i]] -= 1
    return as_arrays(seeds, gains)


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
