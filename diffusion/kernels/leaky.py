"""Independent cascades in which users who meet an active in-neighbour may also adopt by themselves."""

import numpy as np

from .._numba import njit
from .cascade import fires
from .coins import LANES, TAG_BACKGROUND, TAG_IC, coin_base, coin_below, threshold_of, world_of


# alone f8[n], seeds i4[], key u8, run i8  ->  nodes i4[size] in order of step, step i4[size], parent i4[size] (position, -1 seed)
@njit
def leaky_run(arcs, alone, seeds, key, run):
    """One run; with `alone` of 0 the one of `replay_run`, but for who of several is the parent.

    A node's coin for `alone` is drawn once: it adopts when it first meets an active in-neighbour, whichever that is.
    """
    n = arcs.indptr.size - 1
    batch, word, lane = run // LANES, run % LANES // 64, run % 64
    world, of_nodes = world_of(key, TAG_IC, batch), world_of(key, TAG_BACKGROUND, batch)
    active, met = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    nodes, step, parent = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    size = 0
    for s in seeds:
        active[s] = True
        nodes[size], step[size], parent[size] = s, 0, -1
        size += 1
    i = 0
    while i < size:
        for j in range(arcs.indptr[nodes[i]], arcs.indptr[nodes[i] + 1]):
            v = np.int64(arcs.indices[j])
            if active[v]:
                continue
            by_itself = not met[v] and coin_below(coin_base(of_nodes, v), word, lane, threshold_of(alone[v]))
            met[v] = True
            if not (by_itself or fires(arcs.p, arcs.lo, arcs.hi, False, world, j, v, word, lane)):
                continue
            active[v] = True
            nodes[size], step[size], parent[size] = v, step[i] + 1, i
            size += 1
        i += 1
    return nodes[:size].copy(), step[:size].copy(), parent[:size].copy()
