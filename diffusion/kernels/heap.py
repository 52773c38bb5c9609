"""A heap of nodes by time, in which a time may fall: what shortest paths in time are found with."""

from typing import NamedTuple

import numpy as np

from .._numba import njit

ABSENT = np.int32(-1)


class Heap(NamedTuple):
    """Nodes and their times in one heap of four children a node; `place` is -1 of nodes that are not in it."""

    times: np.ndarray  # f8[n]
    nodes: np.ndarray  # i4[n]
    place: np.ndarray  # i4[n]


def new_heap(n):
    """Empty heap for n nodes."""
    return Heap(np.empty(n), np.empty(n, np.int32), np.full(n, ABSENT))


@njit(inline="always")
def push(heap, size, v, time):
    """Put a node in, or let its time fall  ->  size."""
    times, nodes, place = heap
    i = np.int64(place[v])
    if i < 0:
        i = size
        size += 1
    while i > 0:
        above = (i - 1) >> 2
        if times[above] <= time:
            break
        times[i], nodes[i] = times[above], nodes[above]
        place[nodes[i]] = i
        i = above
    times[i], nodes[i] = time, v
    place[v] = i
    return size


@njit(inline="always")
def pop(heap, size):
    """Take the first node out  ->  node, size."""
    times, nodes, place = heap
    first = np.int64(nodes[0])
    place[first] = ABSENT
    size -= 1
    if size > 0:
        time, v = times[size], nodes[size]
        i = np.int64(0)
        while True:
            child = 4 * i + 1
            if child >= size:
                break
            least = child
            for other in range(child + 1, min(child + 4, size)):
                if times[other] < times[least]:
                    least = other
            if times[least] >= time:
                break
            times[i], nodes[i] = times[least], nodes[least]
            place[nodes[i]] = i
            i = least
        times[i], nodes[i] = time, v
        place[v] = i
    return first, size
