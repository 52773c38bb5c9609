"""Outbreaks in continuous time in which a node is infected at most once (SIR, SEIR): shortest paths over random arcs.

Node u has a latent time E and an infectious period R, arc j out of it a transmission time D, each a function of (key, run,
node or arc). Infected at t, u infects along j at t + E + D if D <= R: the infection time of a node is the length of its
shortest path from the seeds over the arcs with D <= R, where arc j is E + D long. Times past `end` are none.

Paths are found by label correction in buckets of time (Meyer and Sanders 2003): draws have no state, so that an arc looked
at twice gives the same time, and the order inside a bucket plays no part in the result.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import parent_rank
from .clock import grown, step_of
from .coins import MIX_A, mix, world_of
from .events import Heap, drop_first, push
from .waiting import FIXED, GEOMETRIC, Wait, drawn, open_unit, share_below, wait_at

TAG_TRANSMISSION, TAG_RECOVERY, TAG_LATENT, TAG_WANING = 0xE501, 0xE502, 0xE503, 0xE504
BUCKETS = 1024
FREE, FIRST = np.int32(-2), np.int32(-1)  # instead of the node before: in no bucket, first of its bucket
_A = np.uint64(MIX_A)
_LAST = 4e18


class Course(NamedTuple):
    """Of a disease: its waiting times, when all ends, and the buckets to find times by."""

    transmission: Wait  # of arcs
    latent: Wait  # of nodes
    recovery: Wait  # of nodes
    end: float
    per_bucket: float  # 1 / width of a bucket


class Outbreak(NamedTuple):
    """Workspace of one thread; kernels leave `time` infinite, `period` -1, `head` -1 and `before` FREE."""

    time: np.ndarray  # f8[n]: infection
    period: np.ndarray  # f8[n]: infectious period
    latent: np.ndarray  # f8[n]
    nodes: np.ndarray  # i4[n]: infected nodes
    head: np.ndarray  # i4[BUCKETS + 1]: first node of each bucket, the last of those too far ahead
    after: np.ndarray  # i4[n]
    before: np.ndarray  # i4[n]
    hits: np.ndarray  # i8[largest out-degree + 1]: arcs that may transmit


@njit(inline="always")
def key_of(world, index):
    return world ^ (np.uint64(index) * _A)


@njit(inline="always")
def unlink(u, bucket, head, after, before):
    up, down = before[u], after[u]
    if up == FIRST:
        head[bucket] = down
    else:
        after[up] = down
    if down >= 0:
        before[down] = up


@njit(inline="always")
def link(u, bucket, head, after, before):
    down = head[bucket]
    after[u], before[u] = down, FIRST
    if down >= 0:
        before[down] = u
    head[bucket] = u


@njit(inline="always")
def bucket_of(time, per_bucket, base):
    return np.int64(min(np.int64(min(time * per_bucket, _LAST)) - base, BUCKETS))


@njit
def next_window(course, base, space):
    """Spread the nodes that were too far ahead over the buckets  ->  first bucket number of the new window."""
    head, after, before, time = space.head, space.after, space.before, space.time
    first = np.inf
    u = head[BUCKETS]
    while u >= 0:
        first = min(first, time[u])
        u = after[u]
    base = np.int64(min(first * course.per_bucket, _LAST))
    u = head[BUCKETS]
    head[BUCKETS] = FIRST
    while u >= 0:
        following = after[u]
        link(u, bucket_of(time[u], course.per_bucket, base), head, after, before)
        u = following
    return base


# seeds i4[], key u8, run i8  ->  size i8, arc visits i8; space.nodes[:size] in no particular order, and of them space.time,
# .period, .latent
@njit
def outbreak(arcs, course, seeds, key, run, space):
    """Infection times of one run."""
    indptr, indices = arcs
    transmission, latency, recovery, end, per_bucket = course
    kind, scales, shape = transmission
    latent_kind, latent_scales, latent_shape = latency
    recovery_kind, recovery_scales, recovery_shape = recovery
    time, period, latent, nodes, head, after, before, hits = space
    by_arc, by_node, by_latent = scales.size > 1, recovery_scales.size > 1, latent_scales.size > 1
    at_once = latent_kind == FIXED and not by_latent and latent_scales[0] == 0.0
    one = kind <= GEOMETRIC and not by_arc  # one uniform number an arc, and one bound for all out of a node
    from_arcs = world_of(key, TAG_TRANSMISSION, run)
    from_recovery, from_latent = world_of(key, TAG_RECOVERY, run), world_of(key, TAG_LATENT, run)
    size, visits, base, b = 0, np.int64(0), np.int64(0), 0
    for s in seeds:
        if time[s] != 0.0:
            time[s] = 0.0
            nodes[size] = s
            size += 1
            link(s, 0, head, after, before)
    while True:
        u = np.int64(head[b])
        if u < 0:
            b += 1
            if b == BUCKETS:
                if head[BUCKETS] < 0:
                    return size, visits
                base, b = next_window(course, base, space), 0
            continue
        unlink(u, b, head, after, before)
        before[u] = FREE
        if period[u] < 0.0:
            visits += indptr[u + 1] - indptr[u]
            scale = recovery_scales[u if by_node else 0]
            period[u] = drawn(recovery_kind, scale, recovery_shape, key_of(from_recovery, u))
            latent[u] = 0.0
            if not at_once:
                scale = latent_scales[u if by_latent else 0]
                latent[u] = drawn(latent_kind, scale, latent_shape, key_of(from_latent, u))
        start, most = time[u] + latent[u], period[u]
        if start > end:
            continue
        # What is at most `most` has a number below the cut; the slack is for its rounding, the time itself decides.
        cut = share_below(kind, scales[0], shape, most) * (1.0 + 1e-12) if one else 2.0
        first, live = indptr[u], 0
        if one:  # without a branch: which arcs are live cannot be foretold
            for j in range(first, indptr[u + 1]):
                hits[live] = j
                live += open_unit(mix(key_of(from_arcs, j))) < cut
        else:
            live = indptr[u + 1] - first
        for i in range(live):
            j = hits[i] if one else first + i
            v = np.int64(indices[j])
            if time[v] <= start:
                continue
            took = drawn(kind, scales[j if by_arc else 0], shape, key_of(from_arcs, j))
            now = start + took
            if took > most or now > end or now >= time[v] or now == np.inf:
                continue
            to = bucket_of(now, per_bucket, base)
            if before[v] != FREE:
                was = bucket_of(time[v], per_bucket, base)
                time[v] = now
                if was == to:
                    continue
                unlink(v, was, head, after, before)
            else:
                if time[v] == np.inf:
                    nodes[size] = v
                    size += 1
                time[v] = now
            link(v, to, head, after, before)


@njit
def count(steps, nodes, space, exposed, end, width):
    """Add the events of one run to steps i4[steps, states], which has room for them."""
    time, period, latent = space.time, space.period, space.latent
    last = steps.shape[1] - 1
    for u in nodes:
        now = time[u]
        steps[step_of(now, width), 0] += 1
        now += latent[u]
        if exposed and now <= end and now < np.inf:
            steps[step_of(now, width), 1] += 1
        now += period[u]
        if now <= end and now < np.inf:
            steps[step_of(now, width), last] += 1


# first, last i8, seeds i4[], begin i8[last - first + 1] (seeds of each run; of one entry: all in every run)
#   ->  new i4[last - first, steps, states], arc visits i8; steps -1: more than clock.limit
@njit
def outbreaks(arcs, course, clock, seeds, begin, key, first, last, space, exposed, node_counts, weighing):
    """Runs first ... last - 1. States: infected and recovered, with `exposed` also exposed before them."""
    states = 3 if exposed else 2
    new = np.zeros((last - first, 32, states), np.int32)
    depth, visits = np.int64(0), np.int64(0)
    time, period, latent = space.time, space.period, space.latent
    end, width, limit = course.end, clock.width, clock.limit
    for run in range(first, last):
        row = run - first
        mine = seeds if begin.size == 1 else seeds[begin[row] : begin[row + 1]]
        size, seen = outbreak(arcs, course, mine, key, run, space)
        nodes = space.nodes[:size]
        visits += seen
        if weighing.weights.size > 0:
            for v in np.sort(nodes):
                weighing.sums[row] += weighing.weights[v]
        latest = 0.0
        for u in nodes:
            node_counts[u] += 1
            over = time[u] + latent[u] + period[u]
            latest = max(latest, over if over <= end and over < np.inf else 0.0, time[u])
        # An event before the end may come after the latest recovery before it: that of who becomes infectious.
        if exposed:
            for u in nodes:
                begins = time[u] + latent[u]
                latest = max(latest, begins if begins <= end and begins < np.inf else 0.0)
        most = step_of(latest, width)
        if most >= limit:
            depth = np.int64(-1)
        else:
            new = grown(new, most + 1)
            depth = max(depth, most + 1 if size > 0 else np.int64(0))
            count(new[row], nodes, space, exposed, end, width)
        for u in nodes:
            time[u], period[u] = np.inf, -1.0
        if depth < 0:
            return new[:, :0].copy(), np.int64(-1)
    return new[:, :depth].copy(), visits


# ->  nodes i4[size] in order of time, time f8[size], parent i4[size] (position, -1 seed), infectious f8[size] (start),
#     recovered f8[size]
@njit
def outbreak_tree(arcs, course, seeds, key, run):
    """One run with parents. Where several infect at one time, the parent is the one whose arc has the smallest rank; an
    infection that takes no time comes after those it follows from, so that the parents are a forest.
    """
    indptr, indices = arcs
    transmission, latency, recovery, end, _ = course
    n = indptr.size - 1
    from_arcs = world_of(key, TAG_TRANSMISSION, run)
    from_recovery, from_latent = world_of(key, TAG_RECOVERY, run), world_of(key, TAG_LATENT, run)
    time, level, rank = np.full(n, np.inf), np.zeros(n, np.uint64), np.empty(n, np.uint64)
    above, position = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    room = indices.size + seeds.size
    heap = Heap(np.empty(room), np.empty(room, np.uint64), np.empty(room, np.int64))
    nodes, parent = np.empty(n, np.int32), np.empty(n, np.int32)
    infectious, recovered = np.empty(n), np.empty(n)
    size = queued = 0
    for s in seeds:
        time[s] = 0.0
        queued = push(heap, queued, 0.0, np.uint64(0), np.int64(s))
    while queued > 0:
        u = heap.what[0]
        queued = drop_first(heap, queued)
        if position[u] >= 0:
            continue
        position[u] = size
        nodes[size] = u
        parent[size] = -1 if above[u] < 0 else position[above[u]]
        start = time[u] + wait_at(latency, u, key_of(from_latent, u))
        most = wait_at(recovery, u, key_of(from_recovery, u))
        infectious[size], recovered[size] = start, start + most
        size += 1
        if start > end:
            continue
        for j in range(indptr[u], indptr[u + 1]):
            v = np.int64(indices[j])
            if position[v] >= 0:
                continue
            took = wait_at(transmission, j, key_of(from_arcs, j))
            now = start + took
            if took > most or now > end or now == np.inf or now > time[v]:
                continue
            at_once = level[u] + np.uint64(1) if now == time[u] else np.uint64(0)
            order = parent_rank(key, run, j)
            if now < time[v] or at_once < level[v]:
                time[v], level[v] = now, at_once
                queued = push(heap, queued, now, at_once, v)
            elif at_once > level[v] or (above[v] >= 0 and order >= rank[v]) or above[v] < 0:
                continue
            above[v], rank[v] = u, order
    of = nodes[:size]
    return of.copy(), time[of], parent[:size].copy(), infectious[:size].copy(), recovered[:size].copy()
