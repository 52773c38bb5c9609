"""A binary heap of events: the earliest first, ties by a second number, then by what happens."""

from typing import NamedTuple

import numpy as np

from .._numba import njit


class Heap(NamedTuple):
    """Room for events, of which the caller counts the first `size`."""

    time: np.ndarray  # f8[room]
    rank: np.ndarray  # u8[room]: breaks ties of time
    what: np.ndarray  # i8[room]


@njit(inline="always")
def precedes(time, rank, what, heap, i):
    """Does an event come before entry i?"""
    if time != heap.time[i]:
        return time < heap.time[i]
    return rank < heap.rank[i] or (rank == heap.rank[i] and what < heap.what[i])


@njit
def push(heap, size, time, rank, what):
    """Add an event to a heap of `size`  ->  its new size."""
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if not precedes(time, rank, what, heap, up):
            break
        heap.time[at], heap.rank[at], heap.what[at] = heap.time[up], heap.rank[up], heap.what[up]
        at = up
    heap.time[at], heap.rank[at], heap.what[at] = time, rank, what
    return size + 1


@njit
def drop_first(heap, size):
    """Remove entry 0, the earliest  ->  new size."""
    size -= 1
    time, rank, what = heap.time[size], heap.rank[size], heap.what[size]
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        if down + 1 < size and precedes(heap.time[down + 1], heap.rank[down + 1], heap.what[down + 1], heap, down):
            down += 1
        if precedes(time, rank, what, heap, down):
            break
        heap.time[at], heap.rank[at], heap.what[at] = heap.time[down], heap.rank[down], heap.what[down]
        at = down
    heap.time[at], heap.rank[at], heap.what[at] = time, rank, what
    return size
