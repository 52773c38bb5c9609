"""Exposure in ordinal time: how many in-neighbours of a user were active, and whether it adopted before the next."""

from typing import NamedTuple

import numpy as np

from .._numba import njit


class Marks(NamedTuple):
    """What is known of every node in the item under way; all begin at -1."""

    adopted: np.ndarray  # i8[n]: the last item that the node adopted
    met: np.ndarray  # i8[n]: the last item in which it met an active in-neighbour
    active: np.ndarray  # i8[n]: how many it met
    before: np.ndarray  # i8[n]: the same before the time under way
    since: np.ndarray  # i8[n]: first row of the time at which it met the last of them
    spell: np.ndarray  # i8[n]: its open spell, -1 for none
    touched: np.ndarray  # i8[n]


class Spells(NamedTuple):
    """A spell is the time from one meeting to the next, or to the adoption."""

    node: np.ndarray  # i4[spells]
    level: np.ndarray  # i4[spells]: active in-neighbours
    jump: np.ndarray  # i4[spells]: how many of them became active at its beginning, at one time
    begin: np.ndarray  # f8[spells]: time of its beginning
    adopted: np.ndarray  # b1[spells]


# most i8, write b1; counts i8[items] is written and spells too, where write is true  ->  i8, spells above `most`
@njit
def find_spells(log, out, most, write, marks, counts, spells):
    """Find the spells with at most so many active in-neighbours, by item in order of their beginning.

    Users of one time do not expose one another: a user meets those who adopted before it adopts, if it ever does.
    """
    at = beyond = np.int64(0)
    for item in range(log.indptr.size - 1):
        first, last = log.indptr[item], log.indptr[item + 1]
        begin = at
        while first < last:
            end = first
            while end < last and log.time[end] == log.time[first]:
                v = log.node[end]
                marks.adopted[v] = item
                if write and marks.met[v] == item and marks.spell[v] >= 0:
                    spells.adopted[marks.spell[v]] = True
                end += 1
            found = 0
            for row in range(first, end):
                u = log.node[row]
                for j in range(out.indptr[u], out.indptr[u + 1]):
                    v = out.indices[j]
                    if marks.adopted[v] == item:
                        continue
                    if marks.met[v] != item:
                        marks.met[v], marks.active[v], marks.since[v] = item, 0, -1
                    if marks.since[v] != first:
                        marks.since[v], marks.before[v] = first, marks.active[v]
                        marks.touched[found] = v
                        found += 1
                    marks.active[v] += 1
            for i in range(found):
                v = marks.touched[i]
                if marks.active[v] > most:
                    marks.spell[v] = -1
                    beyond += 1
                    continue
                if write:
                    spells.node[at], spells.level[at] = v, marks.active[v]
                    spells.jump[at] = marks.active[v] - marks.before[v]
                    spells.begin[at], spells.adopted[at] = log.time[first], False
                marks.spell[v] = at
                at += 1
            first = end
        counts[item] = at - begin
    return beyond
