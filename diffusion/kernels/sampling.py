"""Random arcs: alias tables, a hash set of arcs, and distinct arcs drawn by weight.

Every random number is ``uniform(key, i)``, a function of the key and of how many were used before it: splitmix64
(Steele, Lea and Flood 2014), 53 bits. Nothing here runs in parallel, so nothing can depend on threads.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import GOLDEN, mix

_G = np.uint64(GOLDEN)
_11 = np.uint64(11)
EMPTY = -1  # place of a hash set that holds nothing; arcs are numbers from 0


@njit(inline="always")
def uniform(key, i):
    """Random number i of a key, in [0, 1)."""
    return np.float64(mix(np.uint64(key) + np.uint64(i + 1) * _G) >> _11) * (1.0 / 9007199254740992.0)


# weight f8[m] > 0, indptr i8[c + 1]  ->  keep f8[m], other i4[m]
@njit
def alias_tables(weight, indptr):
    """Alias table (Walker 1977, built as in Vose 1991) of each segment of `weight`, in whose positions `other` is."""
    keep = np.ones(weight.size)
    other = np.arange(weight.size).astype(np.int32)
    small = np.empty(weight.size, np.int32)
    large = np.empty(weight.size, np.int32)
    for c in range(indptr.size - 1):
        start, end = indptr[c], indptr[c + 1]
        total = 0.0
        for i in range(start, end):
            total += weight[i]
        n_small = n_large = 0
        for i in range(start, end):
            keep[i] = weight[i] * (end - start) / total
            if keep[i] < 1.0:
                small[n_small] = i
                n_small += 1
            else:
                large[n_large] = i
                n_large += 1
        while n_small > 0 and n_large > 0:
            n_small -= 1
            low, high = small[n_small], large[n_large - 1]
            other[low] = high
            keep[high] -= 1.0 - keep[low]
            if keep[high] < 1.0:
                n_large -= 1
                small[n_small] = high
                n_small += 1
        for i in range(n_small):  # what rounding left over
            keep[small[i]] = 1.0
        for i in range(n_large):
            keep[large[i]] = 1.0
    return keep, other


@njit(inline="always")
def draw_alias(keep, other, start, end, u):
    """Position in [start, end) drawn by weight with one uniform number u."""
    x = u * (end - start)
    i = np.int64(x)
    return start + i if x - i < keep[start + i] else np.int64(other[start + i])


@njit(inline="always")
def find(table, arc):
    """Place of an arc in the hash set (open addressing, a power of two of places), or the empty place to put it."""
    mask = table.size - 1
    at = np.int64(mix(np.uint64(arc)) & np.uint64(mask))
    while table[at] != EMPTY and table[at] != arc:
        at = (at + 1) & mask
    return at


@njit
def discard(table, at):
    """Empty a place and move up what had to go past it (Knuth 1973, vol. 3, algorithm 6.4 R)."""
    mask = table.size - 1
    hole = at
    at = (at + 1) & mask
    while table[at] != EMPTY:
        home = np.int64(mix(np.uint64(table[at])) & np.uint64(mask))
        if ((at - home) & mask) >= ((at - hole) & mask):
            table[hole] = table[at]
            hole = at
        at = (at + 1) & mask
    table[hole] = EMPTY


class Ends(NamedTuple):
    """Alias tables of the ends of arcs: of the nodes of each group."""

    keep: np.ndarray  # f8[n]
    other: np.ndarray  # i4[n]
    indptr: np.ndarray  # i8[c + 1], positions of `members`
    members: np.ndarray  # i4[n]


class Placed(NamedTuple):
    """Arcs drawn so far, of which `filled` entries are used, and a hash set of them."""

    table: np.ndarray  # i8[2**b]
    source: np.ndarray  # i4[m]
    target: np.ndarray  # i4[m]


# key u8, used i8, wanted i8, budget i8, patience i8, sources (one group of all nodes), community i4[n], filled i8
#   ->  placed i8, used i8, budget i8
@njit
def place_arcs(key, used, wanted, budget, patience, sources, targets, community, inside, mutual, arcs, filled):
    """Draw `wanted` new arcs (or mutual pairs) and append them.

    Where an arc cannot be used, the target is drawn again, and the source too after `patience` targets. Inside, the
    target comes from the group of the source's community. Otherwise there is one group, `indptr` = [0, n], and a target
    in the source's own community is refused. Gives up after `budget` targets.
    """
    from_keep, from_other = sources.keep, sources.other
    to_keep, to_other, indptr, members = targets
    table, source, target = arcs
    n = np.int64(members.size)
    placed = 0
    while placed < wanted and budget > 0:
        u = draw_alias(from_keep, from_other, 0, n, uniform(key, used))
        used += 1
        group = community[u] if inside else 0
        for _ in range(min(patience, budget)):
            v = np.int64(members[draw_alias(to_keep, to_other, indptr[group], indptr[group + 1], uniform(key, used))])
            used += 1
            budget -= 1
            if u == v or (community[u] == community[v]) != inside:
                continue
            at = find(table, u * n + v)
            if table[at] != EMPTY or (mutual and table[find(table, v * n + u)] != EMPTY):
                continue
            table[at] = u * n + v
            if mutual:
                table[find(table, v * n + u)] = v * n + u
                source[filled] = v
                target[filled] = u
                filled += 1
            source[filled] = u
            target[filled] = v
            filled += 1
            placed += 1
            break
    return placed, used, budget


# key u8, n i8, half i8, rewire f8, table i8[2**b], source i4[n * half], target i4[n * half]
@njit
def small_world(key, n, half, rewire, table, source, target):
    """Edges i -- i + j (j = 1 ... half) of a ring, each kept or given a new end (Watts and Strogatz 1998)."""
    for j in range(1, half + 1):
        for i in range(n):
            v = (i + j) % n
            source[(j - 1) * n + i] = i
            target[(j - 1) * n + i] = v
            low, high = min(i, v), max(i, v)
            table[find(table, low * n + high)] = low * n + high
    used = 0
    for e in range(n * half):
        used += 1
        if uniform(key, used - 1) >= rewire:
            continue
        u = np.int64(source[e])
        for _ in range(64):  # a node joined to nearly all others keeps its edge
            w = np.int64(uniform(key, used) * n)
            used += 1
            low, high = min(u, w), max(u, w)
            if u == w or table[find(table, low * n + high)] != EMPTY:
                continue
            v = np.int64(target[e])
            discard(table, find(table, min(u, v) * n + max(u, v)))
            table[find(table, low * n + high)] = low * n + high
            target[e] = w
            break


# rank i4[n], source i4[m], target i4[m] (distinct arcs)  ->  indptr i8[n + 1], indices i4[m]
@njit
def sorted_rows(rank, source, target):
    """Compressed rows of arcs between relabelled nodes, ascending: a counting sort by target, then one by source."""
    n = rank.size
    m = source.size
    into = np.zeros(n + 1, np.int64)
    indptr = np.zeros(n + 1, np.int64)
    for e in range(m):
        into[rank[target[e]] + 1] += 1
        indptr[rank[source[e]] + 1] += 1
    for v in range(n):
        into[v + 1] += into[v]
        indptr[v + 1] += indptr[v]
    sources = np.empty(m, np.int32)
    at = into[:-1].copy()
    for e in range(m):
        v = rank[target[e]]
        sources[at[v]] = rank[source[e]]
        at[v] += 1
    indices = np.empty(m, np.int32)
    at[:] = indptr[:-1]
    for v in range(n):
        for k in range(into[v], into[v + 1]):
            u = sources[k]
            indices[at[u]] = v
            at[u] += 1
    return indptr, indices
