"""Forests of observed cascades: whom each adopter has for a parent, by rule or by distance to the roots."""

import numpy as np

from .._numba import njit
from .cascade import parent_rank

FIRST, LAST, RANDOM = 0, 1, 2


# place i4[n] of each node among the labels, window f8, rule i8, key u8, row_of i8[n] of -1; parent i4[rows] is written
@njit
def choose_parents(log, into, place, window, rule, key, row_of, parent):
    """Row of the parent of every adoption, -1 for none: an in-neighbour that adopted before, within the window.

    The first or the last of them, of several at that time the first by place; or one at random.
    """
    for item in range(log.indptr.size - 1):
        first, last = log.indptr[item], log.indptr[item + 1]
        for row in range(first, last):
            row_of[log.node[row]] = row
        for row in range(first, last):
            v = log.node[row]
            best, lowest = np.int64(-1), np.uint64(0)
            for k in range(into.indptr[v], into.indptr[v + 1]):
                u = into.sources[k]
                at = row_of[u]
                if at < first:  # of an item before
                    continue
                delay = log.time[row] - log.time[at]
                if delay <= 0.0 or delay > window:
                    continue
                if rule == RANDOM:
                    order = parent_rank(key, row, k)
                    better = best < 0 or order < lowest
                    if better:
                        lowest = order
                elif best < 0 or log.time[at] == log.time[best]:
                    better = best < 0 or place[u] < place[log.node[best]]
                else:
                    better = (log.time[at] < log.time[best]) == (rule == FIRST)
                if better:
                    best = at
            parent[row] = best


# root b1[rows], key u8, row_of i8[n] of -1; order i8[rows], parent i4[rows] are written
@njit
def grow_generations(log, out, root, key, row_of, order, parent):
    """Forest of the users of each item by distance from the roots along arcs among them, whenever they adopted.

    `order` holds the rows of an item by generation, `parent` the position in it of a user's parent: one drawn fairly among
    the in-neighbours one generation before, -1 for a root. Of users out of reach the earliest becomes a root, in turn.
    """
    rows = log.node.size
    place = np.full(rows, -1, np.int64)
    depth, wave = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    lowest = np.zeros(rows, np.uint64)
    for item in range(log.indptr.size - 1):
        first, last = log.indptr[item], log.indptr[item + 1]
        head = size = first
        for row in range(first, last):
            row_of[log.node[row]] = row
            if root[row]:
                place[row], order[size], parent[size] = size, row, -1
                size += 1
        following, now = first, 0
        while True:
            while head < size:
                row = order[head]
                u = log.node[row]
                for j in range(out.indptr[u], out.indptr[u + 1]):
                    v = out.indices[j]
                    at = row_of[v]
                    if at < first:
                        continue
                    if place[at] < 0:
                        place[at], order[size], parent[size] = size, at, -1
                        depth[at], wave[at] = depth[row] + 1, now
                        size += 1
                    elif wave[at] != now or depth[at] != depth[row] + 1:
                        continue
                    rank = parent_rank(key, at, j)
                    if parent[place[at]] < 0 or rank < lowest[at]:
                        parent[place[at]], lowest[at] = head, rank
                head += 1
            while following < last and place[following] >= 0:
                following += 1
            if following == last:
                break
            now += 1
            place[following], order[size], parent[size] = size, following, -1
            depth[following], wave[following] = 0, now
            size += 1
