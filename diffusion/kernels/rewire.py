"""Swaps of arc ends that keep every degree and move the number of arcs between communities.

A *slot* holds one arc. A swap exchanges the sources of two slots, (u -> v, x -> y) becoming (x -> v, u -> y), so a slot
keeps its target for ever. `order` lists the slots grouped by the community of their target, in each group those whose
arc comes from another community ("across") first; `place` is its inverse. `mate` is the slot of the reverse arc for
arcs that are swapped together with it (edges of an undirected graph, mutual follows), -1 for one-way arcs.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .sampling import EMPTY, discard, find, uniform

BAD = 9  # no number of arcs that a swap can add or take


class Slots(NamedTuple):
    """The slots of all arcs, their communities, and a hash set of the arcs."""

    source: np.ndarray  # i4[m]
    target: np.ndarray  # i4[m]
    mate: np.ndarray  # i4[m]
    community: np.ndarray  # i4[n]
    start: np.ndarray  # i8[c + 1]: where the groups of `order` begin
    across: np.ndarray  # i8[c]: arcs of each group that come from another community
    order: np.ndarray  # i4[m]
    place: np.ndarray  # i4[m]
    table: np.ndarray  # i8[2**b]


# source i4[m], target i4[m], mate i4[m], community i4[n], table i8[2**b]  ->  change of arcs between communities, or
# BAD
@njit
def _change(i, j, source, target, mate, community, table, keep_mutual):
    """How many arcs more run between communities after swapping slots i and j; BAD where the swap is not allowed."""
    u, v = np.int64(source[i]), np.int64(target[i])
    x, y = np.int64(source[j]), np.int64(target[j])
    if u == x or v == y or x == v or (mate[i] < 0) != (mate[j] < 0) or y == u:
        return BAD
    n = np.int64(community.size)
    if table[find(table, x * n + v)] != EMPTY or table[find(table, u * n + y)] != EMPTY:
        return BAD
    if keep_mutual and (table[find(table, v * n + x)] != EMPTY or table[find(table, y * n + u)] != EMPTY):
        return BAD
    a, b, c, d = community[u], community[v], community[x], community[y]
    change = int(c != b) + int(a != d) - int(a != b) - int(c != d)
    return change * 2 if mate[i] >= 0 else change


@njit
def _settle(slot, source, target, community, start, across, order, place):
    """Move a slot to the part of its group it now belongs to."""
    group = community[target[slot]]
    border = start[group] + across[group]
    is_across = community[source[slot]] != group
    if is_across == (place[slot] < border):
        return
    if not is_across:
        border -= 1
    across[group] += 1 if is_across else -1
    other = order[border]
    order[place[slot]], place[other] = other, place[slot]
    order[border], place[slot] = slot, border


@njit
def _swap_one(i, j, slots):
    source, target, _, community, start, across, order, place, table = slots
    n = np.int64(community.size)
    u, v = np.int64(source[i]), np.int64(target[i])
    x, y = np.int64(source[j]), np.int64(target[j])
    discard(table, find(table, u * n + v))
    discard(table, find(table, x * n + y))
    table[find(table, x * n + v)] = x * n + v
    table[find(table, u * n + y)] = u * n + y
    source[i], source[j] = x, u
    _settle(i, source, target, community, start, across, order, place)
    _settle(j, source, target, community, start, across, order, place)


@njit
def _swap(i, j, slots):
    mate = slots.mate
    _swap_one(i, j, slots)
    if mate[i] >= 0:  # v -> u and y -> x become y -> u and v -> x
        back_i, back_j = mate[i], mate[j]
        _swap_one(back_i, back_j, slots)
        mate[i], mate[back_j] = back_j, i
        mate[j], mate[back_i] = back_i, j


# key u8, used i8, tries i8, goal i8, now i8  ->  now i8, used i8, failed i8 (proposals in a row that came to nothing)
@njit
def steer(key, used, tries, goal, slack, now, failed, slots, keep_mutual):
    """Swap towards `goal` arcs between communities until within `slack` of it; `now` is how many there are.

    Every swap that lessens them joins two arcs across, one of which comes from the community that the other enters, and
    every swap that adds to them starts from an arc inside: only such pairs are drawn.
    """
    source, target, mate, community, start, across, order, _, table = slots
    m = source.size
    for _ in range(tries):
        if abs(now - goal) <= slack:
            break
        failed += 1
        i = np.int64(uniform(key, used) * m)
        second = uniform(key, used + 1)
        used += 2
        group = community[source[i]]
        is_across = group != community[target[i]]
        if now > goal:
            if not is_across or across[group] == 0:
                continue
            j = np.int64(order[start[group] + np.int64(second * across[group])])
        else:
            if is_across:
                continue
            j = np.int64(second * m)
        change = _change(i, j, source, target, mate, community, table, keep_mutual)
        if change != BAD and abs(now + change - goal) < abs(now - goal):
            _swap(i, j, slots)
            now += change
            failed = 0
    return now, used, failed


# as `steer`  ->  used i8, swaps i8
@njit
def shuffle(key, used, tries, slots, keep_mutual):
    """Try random swaps and make those that leave the number of arcs between communities as it is."""
    source, target, mate, community, table = slots.source, slots.target, slots.mate, slots.community, slots.table
    m = source.size
    swaps = 0
    for _ in range(tries):
        i = np.int64(uniform(key, used) * m)
        j = np.int64(uniform(key, used + 1) * m)
        used += 2
        if i != j and _change(i, j, source, target, mate, community, table, keep_mutual) == 0:
            _swap(i, j, slots)
            swaps += 1
    return used, swaps


# source i4[m], target i4[m] (slots), n i8, table i8[2**b] empty  ->  fills the table with the arcs
@njit
def fill_table(source, target, n, table):
    for e in range(source.size):
        arc = np.int64(source[e]) * n + np.int64(target[e])
        table[find(table, arc)] = arc
