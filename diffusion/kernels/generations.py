"""One generation of sharers along the arcs and through the feed, and what power iteration needs besides.

A state has one entry for each arc u -> v (sharers v who have the note from u) and, with a feed, one for each user.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit


class Generation(NamedTuple):
    """The next-generation operator; without a feed `shown` and `local` are empty."""

    indptr: np.ndarray  # i8[n + 1]
    indices: np.ndarray  # i4[m], targets
    mutual: np.ndarray  # i4[], positions of arcs that have a reverse
    back: np.ndarray  # i4[], positions of those reverses
    p: np.ndarray  # f8[m], mean sharers that a sharer makes along an arc
    shown: np.ndarray  # f8[n], mean sharers that a sharer makes through the feed
    own: float  # share of those in the sharer's community
    group: np.ndarray  # i8[n], community of every user
    local: np.ndarray  # f8[groups], 1 / size of every community


# Generation, x f8[m] or f8[m + n], least f8  ->  y like x
@njit
def forward(of, x, least):
    """Sharers of the next generation; along an arc no fewer than `least`, 0 where rounding may not go below it."""
    n = of.indptr.size - 1
    m = of.indices.size
    y = np.empty_like(x)
    sharers = np.zeros(n)
    for e in range(m):
        sharers[of.indices[e]] += x[e]
    if of.shown.size:
        total = 0.0
        local = np.zeros(of.local.size)
        for u in range(n):
            sharers[u] += x[m + u]
            made = of.shown[u] * sharers[u]
            total += made
            local[of.group[u]] += made
        for u in range(n):
            y[m + u] = (1 - of.own) * total / n + of.own * local[of.group[u]] * of.local[of.group[u]]
    for u in range(n):
        for e in range(of.indptr[u], of.indptr[u + 1]):
            y[e] = sharers[u]
    for k in range(of.mutual.size):  # apart, since a branch in the loop over all arcs costs more than the loop
        y[of.mutual[k]] -= x[of.back[k]]
    for e in range(m):
        made = of.p[e] * y[e]
        y[e] = made if made > least else least
    return y


# Generation, value f8[m] or f8[m + n]  ->  worth like value
@njit
def backward(of, value):
    """Value of a sharer from that of the sharers it makes."""
    n = of.indptr.size - 1
    m = of.indices.size
    out = np.empty_like(value)
    worth = np.zeros(n)
    for u in range(n):
        for e in range(of.indptr[u], of.indptr[u + 1]):
            worth[u] += of.p[e] * value[e]
    if of.shown.size:
        total = 0.0
        local = np.zeros(of.local.size)
        for u in range(n):
            total += value[m + u]
            local[of.group[u]] += value[m + u]
        for u in range(n):
            own = local[of.group[u]] * of.local[of.group[u]]
            worth[u] += of.shown[u] * ((1 - of.own) * total / n + of.own * own)
            out[m + u] = worth[u]
    for e in range(m):
        out[e] = worth[of.indices[e]]
    for k in range(of.mutual.size):
        out[of.mutual[k]] -= of.p[of.back[k]] * value[of.back[k]]
    for e in range(m):
        out[e] = out[e] if out[e] > 0 else 0.0
    return out


# x f8[], y f8[] (the image of x), tiny f8  ->  least and largest y / x where x is above tiny
@njit
def bounds(x, y, tiny):
    """Bounds of the spectral radius of a non-negative operator (Collatz 1942, Wielandt 1950)."""
    low, high = np.inf, 0.0
    for i in range(x.size):
        if x[i] > tiny:
            ratio = y[i] / x[i]
            low = ratio if ratio < low else low
            high = ratio if ratio > high else high
    return low, high


# x f8[], y f8[] (the image of x), tiny f8, instead f8  ->  x becomes y + a tenth of R x, largest entry 1
@njit
def advance(x, y, tiny, instead):
    """One step of power iteration, in place; entries up to `tiny` become `instead`."""
    xy = xx = top = 0.0
    for i in range(x.size):
        xy += x[i] * y[i]
        xx += x[i] * x[i]
    shift = 0.1 * (xy / xx)  # keeps periodic operators from swinging
    for i in range(x.size):
        x[i] = y[i] + shift * x[i]
        top = x[i] if x[i] > top else top
    scale = 1 / top
    for i in range(x.size):
        x[i] = x[i] * scale if x[i] * scale > tiny else instead


# x f8[] of sum 1, y f8[] (the image of x), total f8 (the sum of y)  ->  change; x becomes the next, of sum 1
@njit
def settle(x, y, total):
    """One step towards the settled mix, in place."""
    after = moved = 0.0
    for i in range(x.size):
        y[i] = y[i] / total + 0.1 * x[i]
        after += y[i]
    for i in range(x.size):
        y[i] /= after
        moved += abs(y[i] - x[i])
        x[i] = y[i]
    return moved
