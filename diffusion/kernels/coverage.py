"""Maximum coverage of RR sets: greedy with exact gains, its upper bounds, and what a seed set covers."""

import heapq
from typing import NamedTuple

import numpy as np

from .._numba import njit

LOW = np.int64(0xFFFFFFFF)
BOUNDS = 32  # prefixes of a greedy order by price with a bound each


class Sets(NamedTuple):
    """RR sets 0 ... n - 1: the members of set s are nodes[offsets[s] : offsets[s + 1]]."""

    nodes: np.ndarray  # i4[]
    offsets: np.ndarray  # i8[n + 1] or longer
    n: int


class Gains(NamedTuple):
    """Space for what is known of nodes, of which only those that are members are used."""

    gain: np.ndarray  # i4[n]
    place: np.ndarray  # i8[n]
    begin: np.ndarray  # i8[n]


# nodes i4[], of which first ... last - 1 are new; counts i4[n] is added to; met i4[n], of which n_met are filled: nodes
# with a count, in the order in which they were met  ->  n_met
@njit
def count_members(nodes, first, last, counts, met, n_met):
    for e in range(first, last):
        v = nodes[e]
        if counts[v] == 0:
            met[n_met] = v
            n_met += 1
        counts[v] += 1
    return n_met


# rank i4[n]: place of a seed; bits of the seeds; k  ->  first i8[k + 1]: sets whose first
# seed, by place, it is; the last entry holds those with none that are not empty
@njit
def first_covered(rr_sets, rank, bits, k):
    nodes, offsets, n_sets = rr_sets
    first = np.zeros(k + 1, np.int64)
    for s in range(n_sets):
        best = np.int64(k)
        for e in range(offsets[s], offsets[s + 1]):
            v = np.uint64(nodes[e])
            if (bits[v >> np.uint64(6)] >> (v & np.uint64(63))) & np.uint64(1):
                best = min(best, np.int64(rank[v]))
        if offsets[s + 1] > offsets[s]:
            first[best] += 1
    return first


# bits of two seed sets  ->  sets that hold seeds of the first alone, of the second alone, of both
@njit
def covered_apart(rr_sets, first, second):
    nodes, offsets, n_sets = rr_sets
    alone, other, both = 0, 0, 0
    for s in range(n_sets):
        one, two = np.uint64(0), np.uint64(0)
        for e in range(offsets[s], offsets[s + 1]):
            v = np.uint64(nodes[e])
            one |= first[v >> np.uint64(6)] >> (v & np.uint64(63))
            two |= second[v >> np.uint64(6)] >> (v & np.uint64(63))
            if one & two & np.uint64(1):
                break
        one &= np.uint64(1)
        two &= np.uint64(1)
        both += np.int64(one & two)
        alone += np.int64(one & ~two)
        other += np.int64(two & ~one)
    return alone, other, both


@njit
def index_sets(nodes, offsets, n_sets, covered, met, gain, low, high, place, sets, filled):
    """Add the open sets of nodes with low <= gain < high to the inverted index, by counting sort; the index grows."""
    total = filled
    for v in met:
        if low <= gain[v] < high:
            place[v] = total
            total += gain[v]
    if total > sets.size:
        grown = np.empty(total, np.int32)
        grown[:filled] = sets[:filled]
        sets = grown
    for s in range(n_sets):
        if covered[s] == 0:
            for e in range(offsets[s], offsets[s + 1]):
                v = nodes[e]
                if low <= gain[v] < high:
                    sets[place[v]] = s
                    place[v] += 1
    return sets, total


# counts i4[n] of members, met i4[]: the nodes that have some; allowed b1[n]; pick, top
#   ->  seeds i4[<= pick], gains i8[<= pick] in sets, best i8[<= pick + 1]: sum of the `top` largest gains before each
# pick and after the last
@njit
def greedy_cover(rr_sets, counts, met, allowed, pick, top, space):
    """Greedy with the gains of all nodes kept exact.

    Only nodes of large gain, at least `low`, stand in the inverted index, the heap and the histogram: gains only fall,
    so nodes below `low` matter only once the `top`-th largest gain has fallen to it. Then `low` is lowered.

    The sum of the `top` largest gains is above + (top - n_above) * edge: n_above nodes have a gain over `edge`.
    """
    nodes, offsets, n_sets = rr_sets
    gain, place, begin = space
    biggest = 0
    for v in met:
        gain[v] = counts[v] if allowed[v] else -1
        biggest = max(biggest, gain[v])
    histogram = np.zeros(biggest + 2, np.int64)
    covered = np.zeros(n_sets, np.uint8)
    sets = np.empty(0, np.int32)
    heap = [np.int64(0) for _ in range(0)]
    seeds = np.empty(pick, np.int32)
    gains = np.empty(pick, np.int64)
    best = np.empty(pick + 1, np.int64)
    filled = np.int64(0)
    low = np.int64(biggest + 1)
    edge, n_above, above = np.int64(biggest), np.int64(0), np.int64(0)
    size = 0
    while True:
        # The edge falls to where at least `top` nodes have it or more.
        while edge >= 1 and (edge < low or n_above + histogram[edge] < top):
            if edge < low:  # take in more nodes, about four times as many
                high = low
                wanted = max(3 * len(heap), 4 * top, 256)
                histogram[:high] = 0
                for v in met:
                    if gain[v] > 0 and gain[v] < high:
                        histogram[gain[v]] += 1
                low = edge
                collected = histogram[low]
                while low > 1 and collected < wanted:
                    low -= 1
                    collected += histogram[low]
                sets, filled = index_sets(nodes, offsets, n_sets, covered, met, gain, low, high, place, sets, filled)
                for v in met:
                    if low <= gain[v] < high:
                        begin[v] = place[v] - gain[v]
                        heap.append(-(np.int64(gain[v]) << 32) | np.int64(v))
                heapq.heapify(heap)
                continue
            n_above += histogram[edge]
            above += histogram[edge] * edge
            edge -= 1
        best[size] = above + max(top - n_above, 0) * max(edge, 0)
        if size == pick:
            break
        chosen = np.int64(-1)
        while len(heap) > 0:
            entry = heapq.heappop(heap)
            v = entry & LOW
            known = -(entry >> 32)
            if gain[v] == known:
                chosen = v
                break
            if gain[v] > 0:
                heapq.heappush(heap, -(np.int64(gain[v]) << 32) | v)
        if chosen < 0:
            break
        seeds[size] = chosen
        gains[size] = gain[chosen]
        size += 1
        for at in range(begin[chosen], place[chosen]):
            s = sets[at]
            if covered[s]:
                continue
            covered[s] = 1
            for e in range(offsets[s], offsets[s + 1]):
                v = nodes[e]
                g = np.int64(gain[v])
                gain[v] = g - 1
                if g >= low:
                    histogram[g] -= 1
                    histogram[g - 1] += 1
                    if g > edge:
                        above -= 1
                        if g - 1 == edge:
                            n_above -= 1
                            above -= edge
    return seeds[:size], gains[:size], best[: size + 1]


@njit
def as_arrays(seeds, gains):
    """Return lists of seeds and of their gains as arrays."""
    nodes, sets = np.empty(len(seeds), np.int32), np.empty(len(seeds), np.int64)
    for i in range(len(seeds)):
        nodes[i], sets[i] = seeds[i], gains[i]
    return nodes, sets


# as greedy_cover; price f8[n]; spent f8 of budget f8 beforehand  ->  seeds i4[], gains i8[], upper f8: no affordable
# set adds more, single i8: best node alone (-1: none)
@njit
def knapsack_cover(rr_sets, counts, met, allowed, price, spent, budget, space):
    """Greedy by gain per price, skipping what no longer fits; the upper bound is the least fractional knapsack.

    The bound holds for sets of the whole budget, whatever was spent beforehand. It is taken at every prefix of up to
    BOUNDS nodes, then where a prefix is a tenth longer: neighbours differ little.
    """
    nodes, offsets, n_sets = rr_sets
    gain, place, begin = space
    for v in met:
        gain[v] = counts[v] if allowed[v] and price[v] <= budget else -1
    covered = np.zeros(n_sets, np.uint8)
    sets, _ = index_sets(nodes, offsets, n_sets, covered, met, gain, 1, n_sets + 1, place, np.empty(0, np.int32), 0)
    heap = [(np.float64(0.0), np.int64(0)) for _ in range(0)]
    single = np.int64(-1)
    for v in met:
        if gain[v] > 0:
            begin[v] = place[v] - gain[v]
            heap.append((-density_of(gain[v], price[v]), np.int64(v)))
            if single < 0 or gain[v] > gain[single] or (gain[v] == gain[single] and v < single):
                single = np.int64(v)
    heapq.heapify(heap)
    passed = [np.int64(0) for _ in range(0)]  # does not fit beside the seeds, but counts for the bounds
    seeds = [np.int32(0) for _ in range(0)]
    gains = [np.int64(0) for _ in range(0)]
    reached = np.int64(0)
    upper = np.float64(n_sets)
    next_bound = 0
    while True:
        if len(seeds) >= next_bound:
            upper = min(upper, reached + fractional(heap, passed, gain, price, budget))
            next_bound = len(seeds) + 1 + max(len(seeds) - BOUNDS, 0) // 10
        chosen = np.int64(-1)
        while len(heap) > 0:
            known, v = heapq.heappop(heap)
            if gain[v] <= 0:
                continue
            fresh = -density_of(gain[v], price[v])
            if fresh > known:
                heapq.heappush(heap, (fresh, v))
            elif spent + price[v] > budget:
                passed.append(v)
            else:
                chosen = v
                break
        if chosen < 0:
            break
        seeds.append(np.int32(chosen))
        gains.append(np.int64(gain[chosen]))
        reached += gain[chosen]
        spent += price[chosen]
        for at in range(begin[chosen], place[chosen]):
            s = sets[at]
            if covered[s] == 0:
                covered[s] = 1
                for e in range(offsets[s], offsets[s + 1]):
                    gain[nodes[e]] -= 1
    upper = min(upper, reached + fractional(heap, passed, gain, price, budget))
    chosen_nodes, chosen_gains = as_arrays(seeds, gains)
    return chosen_nodes, chosen_gains, upper, single


# as knapsack_cover; targets i8[], rising: numbers of sets  ->  seeds i4[], gains i8[]
@njit
def target_cover(rr_sets, counts, met, allowed, price, targets, space):
    """Greedy by min(gain, what is missing to the target) per price, with one target after another.

    What a node adds beyond the target counts for nothing, so that an expensive one is not bought for the last few sets.
    """
    nodes, offsets, n_sets = rr_sets
    gain, place, begin = space
    for v in met:
        gain[v] = counts[v] if allowed[v] else -1
    covered = np.zeros(n_sets, np.uint8)
    sets, _ = index_sets(nodes, offsets, n_sets, covered, met, gain, 1, n_sets + 1, place, np.empty(0, np.int32), 0)
    for v in met:
        if gain[v] > 0:
            begin[v] = place[v] - gain[v]
    seeds = [np.int32(0) for _ in range(0)]
    gains = [np.int64(0) for _ in range(0)]
    reached = np.int64(0)
    for target in targets:
        if reached >= target:
            continue
        heap = [(np.float64(0.0), np.int64(0)) for _ in range(0)]
        for v in met:
            if gain[v] > 0:
                heap.append((-density_of(np.int32(min(gain[v], target - reached)), price[v]), np.int64(v)))
        heapq.heapify(heap)
        while reached < target and len(heap) > 0:
            known, v = heapq.heappop(heap)
            if gain[v] <= 0:
                continue
            fresh = -density_of(np.int32(min(gain[v], target - reached)), price[v])
            if fresh > known:
                heapq.heappush(heap, (fresh, v))
                continue
            seeds.append(np.int32(v))
            gains.append(np.int64(gain[v]))
            reached += gain[v]
            for at in range(begin[v], place[v]):
                s = sets[at]
                if covered[s] == 0:
                    covered[s] = 1
                    for e in range(offsets[s], offsets[s + 1]):
                        gain[nodes[e]] -= 1
    return as_arrays(seeds, gains)


# bits as first_covered; counts i8[n] is filled: sets without a seed that hold each node
@njit
def open_counts(rr_sets, bits, counts):
    nodes, offsets, n_sets = rr_sets
    for s in range(n_sets):
        covered = False
        for e in range(offsets[s], offsets[s + 1]):
            v = np.uint64(nodes[e])
            if (bits[v >> np.uint64(6)] >> (v & np.uint64(63))) & np.uint64(1):
                covered = True
                break
        if not covered:
            for e in range(offsets[s], offsets[s + 1]):
                counts[nodes[e]] += 1


@njit
def density_of(gain, price):
    return gain / price if price > 0.0 else np.inf


@njit
def fractional(heap, passed, gain, price, budget):
    """Most that any nodes of a total price within the budget add, parts of nodes allowed."""
    taken = [(np.float64(0.0), np.int64(0)) for _ in range(0)]
    for v in passed:
        if gain[v] > 0:
            taken.append((-density_of(gain[v], price[v]), v))
    spent = 0.0
    n_passed = len(taken)
    while len(heap) > 0 and spent <= budget:
        known, v = heapq.heappop(heap)
        if gain[v] <= 0:
            continue
        fresh = -density_of(gain[v], price[v])
        if fresh > known:
            heapq.heappush(heap, (fresh, v))
            continue
        taken.append((fresh, v))
        spent += price[v]
    for i in range(n_passed, len(taken)):
        heapq.heappush(heap, taken[i])
    taken.sort()
    total, spent = 0.0, 0.0
    for _, v in taken:
        if price[v] <= budget - spent:
            total += gain[v]
            spent += price[v]
        else:
            total += gain[v] * ((budget - spent) / price[v])
            break
    return total
