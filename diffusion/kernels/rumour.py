"""Rumours with stiflers in continuous time (Daley and Kendall 1964; Maki and Thompson 1973): one event at a time.

A spreader u tells a follower v who does not know when it has been a spreader for D, the spreading time of the arc. From when
u is a spreader and v knows, the stifling time S of the arc runs; at its end u becomes a stifler, in the model of Daley and
Kendall together with v if v is a spreader too. There two spreaders are a pair that meets by one clock: where both follow
each other, that of the arc out of the smaller node; the other arc's runs once its target is a stifler.

The queue holds of every spreader the next follower to tell, found anew among those who do not know, and a stifling time only
where it is the earliest so far: on dense graphs nearly all other times never come.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank
from .clock import grown, step_of
from .coins import mix, world_of
from .epidemic import key_of
from .events import Heap, drop_first, push
from .waiting import EXPONENTIAL, Wait, drawn, open_unit

TAG_SPREAD, TAG_STIFLE = 0xE511, 0xE512
TELL, STIFLE = 0, 1


class Gossip(NamedTuple):
    """Of a rumour: its waiting times, both of arcs, whether both of a pair stop, and when all ends."""

    spread: Wait
    stifle: Wait
    both: bool
    end: float


class Pairs(NamedTuple):
    """Arcs out of every node and into it, and of every arc whether its clock runs between two spreaders."""

    indptr: np.ndarray  # i8[n + 1]
    indices: np.ndarray  # i4[m]
    into: np.ndarray  # i8[n + 1]
    sources: np.ndarray  # i4[m]
    arc: np.ndarray  # i8[m]: positions among the out-arcs
    meets: np.ndarray  # b1[m], or of one entry, true: every arc's does


class Talk(NamedTuple):
    """Workspace of one thread; kernels leave `told` infinite."""

    told: np.ndarray  # f8[n]: when it became a spreader
    stopped: np.ndarray  # f8[n]: when it became a stifler
    stops_by: np.ndarray  # f8[n]: earliest stifling time that runs
    parent: np.ndarray  # i4[n], -1 for a seed
    nodes: np.ndarray  # i4[n]: who knows, in order of time
    source: np.ndarray  # i4[m]
    heap: Heap  # room for n + 2 m events: 2 * arc + TELL or STIFLE


@njit(inline="always")
def comes_after(kind, scale, key, bound):
    """Is an exponential time certain to be above a bound, by x <= -log(1 - x)? It spares most logarithms."""
    return kind == EXPONENTIAL and open_unit(mix(key)) * scale * (1.0 - 1e-12) > bound


@njit
def next_to_tell(pairs, spread, world, key, run, u, end, space, queued):
    """Queue the first of the followers of u who do not know, unless u stops before  ->  size of the queue."""
    kind, scales, shape = spread
    indptr, indices, told, by_arc = pairs.indptr, pairs.indices, space.told, spread.scale.size > 1
    begin, first, arc, order = told[u], min(space.stops_by[u], end), np.int64(-1), np.uint64(0)
    for j in range(indptr[u], indptr[u + 1]):
        if told[indices[j]] < np.inf:
            continue
        scale, own = scales[j if by_arc else 0], key_of(world, j)
        if comes_after(kind, scale, own, first - begin):
            continue
        time = begin + drawn(kind, scale, shape, own)
        if time > first or time == np.inf:
            continue
        rank = parent_rank(key, run, j)
        if time < first or arc < 0 or rank < order:
            first, arc, order = time, j, rank
    return queued if arc < 0 else push(space.heap, queued, first, order, 2 * arc + TELL)


# ->  size i8 (space.nodes[:size], .told, .stopped, .parent of them)
@njit
def rumour(pairs, gossip, seeds, key, run, space):
    """One run."""
    indptr, indices, into, sources, arc, meets = pairs
    spread, stifle, both, end = gossip
    kind, scales, shape = stifle
    told, stopped, stops_by, parent, nodes, source, heap = space
    all_meet, by_arc = meets.size == 1, scales.size > 1
    to_tell, to_stifle = world_of(key, TAG_SPREAD, run), world_of(key, TAG_STIFLE, run)
    size, queued, at = 0, 0, 0
    while at < seeds.size or queued > 0:
        j, what, now, pair = np.int64(-1), TELL, 0.0, False
        if at < seeds.size:
            u, v = np.int64(-1), np.int64(seeds[at])
            at += 1
        else:
            j, what, now = heap.what[0] >> 1, heap.what[0] & 1, heap.time[0]
            queued = drop_first(heap, queued)
            u, v = np.int64(source[j]), np.int64(indices[j])
            if stopped[u] < np.inf:
                continue
        if what == STIFLE:
            stopped[u] = now
            pair = both and stopped[v] == np.inf
            if pair:
                stopped[v] = now
            if not both:
                continue
        elif told[v] < np.inf:
            queued = next_to_tell(pairs, spread, to_tell, key, run, u, end, space, queued)
            continue
        else:
            told[v], stopped[v], stops_by[v] = now, np.inf, np.inf
            parent[v] = u
            nodes[size] = v
            size += 1
            for k in range(indptr[v], indptr[v + 1]):
                w = np.int64(indices[k])
                source[k] = v
                if told[w] < np.inf and (all_meet or meets[k] or stopped[w] < np.inf):
                    scale, own = scales[k if by_arc else 0], key_of(to_stifle, k)
                    if comes_after(kind, scale, own, stops_by[v] - now):
                        continue
                    time = now + drawn(kind, scale, shape, own)
                    if time <= min(stops_by[v], end) and time < np.inf:
                        stops_by[v] = time
                        queued = push(heap, queued, time, parent_rank(key, run, k), 2 * k + STIFLE)
        # Clocks that begin with this: of spreaders who can tell v no more, or meet v (and u) no more as a spreader.
        for x in (v, u) if pair else (v, v) if what == TELL else (u, u):
            for i in range(into[x], into[x + 1]):
                w, k = np.int64(sources[i]), arc[i]
                if told[w] == np.inf or stopped[w] < np.inf or (all_meet or meets[k]) != (what == TELL):
                    continue
                scale, own = scales[k if by_arc else 0], key_of(to_stifle, k)
                if comes_after(kind, scale, own, stops_by[w] - now):
                    continue
                time = now + drawn(kind, scale, shape, own)
                if time <= min(stops_by[w], end) and time < np.inf:
                    stops_by[w] = time
                    queued = push(heap, queued, time, parent_rank(key, run, k), 2 * k + STIFLE)
            if not pair:
                break
        if what == TELL:
            queued = next_to_tell(pairs, spread, to_tell, key, run, v, end, space, queued)
            if u >= 0:
                queued = next_to_tell(pairs, spread, to_tell, key, run, u, end, space, queued)
    return size


# ->  new i4[last - first, steps, 2] (spreaders, stiflers), arc visits i8; -1: more steps than the limit
@njit
def rumours(pairs, gossip, clock, seeds, begin, key, first, last, space, node_counts, weighing):
    """Runs first ... last - 1."""
    new = np.zeros((last - first, 32, 2), np.int32)
    depth, visits = np.int64(0), np.int64(0)
    for run in range(first, last):
        row = run - first
        mine = seeds if begin.size == 1 else seeds[begin[row] : begin[row + 1]]
        size = rumour(pairs, gossip, mine, key, run, space)
        nodes = space.nodes[:size]
        if weighing.weights.size > 0:
            for u in np.sort(nodes):
                weighing.sums[row] += weighing.weights[u]
        for u in nodes:
            node_counts[u] += 1
            visits += pairs.indptr[u + 1] - pairs.indptr[u]
            for state in range(2):
                time = space.told[u] if state == 0 else space.stopped[u]
                if time == np.inf:
                    continue
                step = step_of(time, clock.width)
                if step >= clock.limit:
                    depth = np.int64(-1)
                    continue
                if step >= new.shape[1]:
                    new = grown(new, step + 1)
                if depth >= 0:
                    depth = max(depth, step + 1)
                new[row, step, state] += 1
            space.told[u] = np.inf
        if depth < 0:
            return new[:, :0].copy(), np.int64(-1)
    return new[:, :depth].copy(), visits


# ->  nodes i4[size] in order of time, told f8[size], parent i4[size] (position, -1 seed), stopped f8[size]
@njit
def rumour_tree(pairs, gossip, seeds, key, run, space):
    """One run with who told whom."""
    size = rumour(pairs, gossip, seeds, key, run, space)
    nodes = space.nodes[:size].copy()
    position = np.empty(pairs.indptr.size - 1, np.int32)
    parent = np.empty(size, np.int32)
    for i in range(size):
        position[nodes[i]] = i
        parent[i] = -1 if space.parent[nodes[i]] < 0 else position[space.parent[nodes[i]]]
    told, stopped = space.told[nodes], space.stopped[nodes]
    for u in nodes:
        space.told[u] = np.inf
    return nodes, told, parent, stopped
