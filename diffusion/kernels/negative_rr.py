"""RR sets of the independent cascade with negative opinions (IC-N, Chen et al. 2011), whose coverage is positive spread.

A node at distance d from the seeds along live arcs is positive with probability q**(d + 1). So a set holds the nodes
from which its root is reached by at most D live arcs, where D is drawn with P(D >= d) = q**(d + 1); a set of depth -1,
which no seed can hit, holds its root as one who counts. There are two nodes a user, as in the live edges of the model:
u counts, n + u is a seed.
"""

import numpy as np

from .._numba import njit
from .coins import GOLDEN, mix, threshold_of
from .rr_sets import clear, draw_root

TAG_RR_NEGATIVE = np.uint64(0x5E71C4)
DEEPEST = 2**31
_G = np.uint64(GOLDEN)
_1, _11, _32, _63 = np.uint64(1), np.uint64(11), np.uint64(32), np.uint64(63)


@njit
def random_depth(x, quality):
    """64 random bits -> D with P(D >= d) = quality**(d + 1), from -1."""
    if quality >= 1.0:
        return np.int64(DEEPEST)
    if quality <= 0.0:
        return np.int64(-1)
    depth = np.log((np.float64(x >> _11) + 1.0) / 9007199254740992.0) / np.log(quality)
    return np.int64(min(depth, np.float64(DEEPEST))) - 1


# into: InArcs of n users; p f4[m] or f4[1]; roots, cut: of 2 n nodes; marks u8[ceil(2 n / 64)]; else as `sample_ic`
@njit
def sample_negative(into, p, quality, roots, cut, key, first, last, marks, nodes, size, ends, row):
    """Sample RR sets cut at random depths."""
    indptr, sources, arc = into
    cumulated, guide = roots
    stopping, stop, limit = cut
    n = indptr.size - 1
    p_step = 0 if p.size == 1 else 1
    base = mix(key ^ TAG_RR_NEGATIVE)
    full = nodes.size
    empty = 0
    for i in range(first, last):
        state = mix(base + np.uint64(i) * _G)
        root = draw_root(mix(state), 2 * n, cumulated, guide)
        if size + 1 > full:
            return i - first, size, empty
        state += _G
        depth = random_depth(mix(state), quality)
        head = size
        hit = False
        if depth < 0:
            nodes[size] = root
            size += 1
        else:
            carrier = n + root
            nodes[size] = carrier
            size += 1
            marks[carrier >> 6] |= _1 << (np.uint64(carrier) & _63)
            hit = stopping and stop[carrier >> 6] & (_1 << (np.uint64(carrier) & _63)) != 0
        at, level = head, size  # nodes from `level` on are one live arc further away
        while depth > 0 and at < size and not hit:
            v = np.int64(nodes[at]) - n
            at += 1
            if size + indptr[v + 1] - indptr[v] > full:
                clear(nodes, head, size, marks)
                return i - first, head, empty
            for k in range(indptr[v], indptr[v + 1]):
                state += _G
                if mix(state) >> _32 >= threshold_of(p[arc[k] * p_step]):
                    continue
                u = n + np.int64(sources[k])
                bit = _1 << (np.uint64(u) & _63)
                if marks[u >> 6] & bit:
                    continue
                if (stopping and stop[u >> 6] & bit) or size - head >= limit:
                    hit = True
                    break
                marks[u >> 6] |= bit
                nodes[size] = u
                size += 1
            if at == level:
                depth -= 1
                level = size
        clear(nodes, head, size, marks)
        if hit:
            size = head
            empty += 1
        ends[row + i - first] = size
    return last - first, size, empty
