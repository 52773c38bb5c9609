"""RR sets in time: who could have reached a random root by a deadline, when sources wait and recover.

An arc u -> v has the length E_u + D_uv and is live if its coin is below p_uv and D_uv <= R_u: latency E_u and period R_u
belong to the source and are shared by all its arcs. A set holds the nodes from which the root is at most the deadline
away. Set i is a function of (key, i): the root is that of `sample_ic`; delays, latencies and periods are functions of
(key, i, arc or source); the coins of the arcs into v come from the stream ``mix(c), mix(c + GOLDEN), ...`` with
``c = coin_base(world_of(key, TAG_COINS, i), v)``.

Coins are drawn at once with what of a delay is known beforehand: arcs are skipped through with the probability to be live
*and* in time, after which the delay is drawn among those in time.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import ALWAYS, GOLDEN, coin_base, mix, world_of
from .continuous import UNSEEN
from .heap import Heap, pop, push
from .rr_sets import ALL, COUNT, KIND_BITS, NEVER, SEGMENT, SKIP, START, TAG_RR, TOP, UNIT, draw_root, prefetch
from .waiting import GEOMETRIC, Wait, below, open_unit, time_of, wait_at

TAG_COINS = 0xC01
TAG_DELAYS = 0xDE1
TAG_LATENCY = 0x1A7
TAG_PERIOD = 0x9E2
_G = np.uint64(GOLDEN)
_1, _11, _32 = np.uint64(1), np.uint64(11), np.uint64(32)


class Timing(NamedTuple):
    """Lengths of arcs, and how long they may be in all."""

    delay: Wait
    bound: np.ndarray  # f8[m] or f8[1]: uniform number up to which a delay alone is in time; 1: any may be
    shares_latency: bool
    latency: Wait
    shares_period: bool
    period: Wait
    limit: float
    ordered: bool  # does the limit bind? Otherwise nodes are met in any order


class InPlan(NamedTuple):
    """Arcs into every node as `plan_ic` and `sort_mixed` put them, with their probability to be live and in time."""

    nodes: np.ndarray  # PLAN[n]
    sources: np.ndarray  # i4[m]
    arc: np.ndarray  # i8[m], positions among the out-arcs
    limits: np.ndarray  # u4[m] or u4[1]


class Marks(NamedTuple):
    """Workspace of one thread: `time` is infinite and the heap empty, and kernels leave them so."""

    time: np.ndarray  # f8[n]
    heap: Heap
    live: np.ndarray  # i8[largest in-degree]


@njit(inline="always")
def skip_unit(x):
    """64 random bits -> a number in (0, 1], for the logarithm."""
    return (np.float64(x >> _11) + 1.0) * UNIT


# counter u8: the stream; live i8[] is filled with positions of arcs (among the planned ones)  ->  number of live arcs
@njit(inline="always")
def live_into(plan, limits, v, counter, live):
    """Arcs into v that are live (and in time, as far as that is known)."""
    place = plan[v].place
    kind = place >> KIND_BITS
    d = np.int64(plan[v].degree)
    start = place & START
    count = np.int64(0)
    if kind == NEVER or d == 0:
        return count
    if kind == ALL:
        for j in range(d):
            live[j] = start + j
        return d
    if kind in (COUNT, SKIP):
        u = skip_unit(mix(counter))
        if u <= plan[v].none:
            return count
        scale = plan[v].one if kind == SKIP else d / np.log(plan[v].none)
        j = np.int64(-1)
        while True:
            jump = np.log(u) * scale
            if jump >= d - 1 - j:
                return count
            j += 1 + np.int64(jump)
            live[count] = start + j
            count += 1
            counter += _G
            u = skip_unit(mix(counter))
    for j in range(min(SEGMENT, d)):
        if (mix(counter) >> _32) <= np.uint64(limits[start + j]):
            live[count] = start + j
            count += 1
        counter += _G
    first = np.int64(SEGMENT)
    while first < d:  # a segment, by its largest probability
        end = min(2 * first, d)
        rate = np.uint64(limits[start + first]) + _1
        scale = 0.0 if rate == ALWAYS else 1.0 / np.log1p(-np.float64(rate) / TOP)
        j = first - 1
        while True:
            jump = np.log(skip_unit(mix(counter))) * scale
            counter += _G
            if jump >= end - 1 - j:
                break
            j += 1 + np.int64(jump)
            u = np.float64(mix(counter) >> _11) * UNIT
            counter += _G
            if u * np.float64(rate) < np.float64(limits[start + j]) + 1.0:
                live[count] = start + j
                count += 1
        first = end
    return count


@njit
def forget(nodes, head, size, marks):
    for r in range(head, size):
        marks.time[nodes[r]] = UNSEEN
        marks.heap.place[nodes[r]] = -1


# as sample_ic  ->  sets done, size, empty sets. Members of a set stand in the order in which they are met.
@njit
def sample_timed(plan, timing, roots, cut, key, first, last, marks, nodes, size, ends, row):
    """Sample RR sets in time."""
    into, sources, arc, limits = plan
    cumulated, guide = roots
    stopping, stop, limit = cut
    time, heap, live = marks
    # Arrays alone in the loops: references to tuples of them would be counted at every turn.
    heap_times = heap.times
    delay, bound, shares_latency, latency, shares_period, period, most, ordered = timing
    kind, scale, shape = delay
    scale_step, bound_step = np.int64(scale.size > 1), np.int64(bound.size > 1)
    base = mix(key ^ TAG_RR)
    full = nodes.size
    empty = 0
    upcoming = draw_root(mix(mix(base + np.uint64(first) * _G)), into.size, cumulated, guide)
    for i in range(first, last):
        root = upcoming
        upcoming = draw_root(mix(mix(base + np.uint64(i + 1) * _G)), into.size, cumulated, guide)
        prefetch(into, upcoming)
        prefetch(time, upcoming)
        if size >= full:
            return i - first, size, empty
        if stopping and (stop[root >> 6] >> np.uint64(root & 63)) & _1:
            empty += 1
            ends[row + i - first] = size
            continue
        coins = world_of(key, TAG_COINS, i)
        delays = world_of(key, TAG_DELAYS, i)
        latencies = world_of(key, TAG_LATENCY, i)
        periods = world_of(key, TAG_PERIOD, i)
        head = size
        nodes[size] = root
        size += 1
        time[root] = 0.0
        at, waiting, v, now = head, np.int64(0), root, 0.0
        hit = False
        while True:
            count = live_into(into, limits, v, coin_base(coins, v), live)
            if size + count > full:
                forget(nodes, head, size, marks)
                return i - first, head, empty
            for q in range(count):
                u = np.int64(sources[live[q]])
                if time[u] <= now:
                    continue
                j = arc[live[q]]
                own = coin_base(delays, j)
                if kind <= GEOMETRIC:
                    there = time_of(kind, scale[j * scale_step], shape, open_unit(mix(own)) * bound[j * bound_step])
                else:
                    there = wait_at(delay, j, own)
                if shares_period and there > wait_at(period, u, coin_base(periods, u)):
                    continue
                if shares_latency:
                    there += wait_at(latency, u, coin_base(latencies, u))
                if ordered:
                    there += now
                elif there < np.inf:
                    there = 0.0
                if there > most or there >= time[u]:
                    continue
                if time[u] == UNSEEN:
                    if stopping and (stop[u >> 6] >> np.uint64(u & 63)) & _1:
                        hit = True
                        break
                    nodes[size] = u
                    prefetch(into, u)
                    size += 1
                    if size - head > limit:
                        hit = True
                        break
                time[u] = there
                if ordered:
                    waiting = push(heap, waiting, u, there)
            if hit:
                break
            if ordered:
                if waiting == 0:
                    break
                now = heap_times[0]
                v, waiting = pop(heap, waiting)
            else:
                at += 1
                if at == size:
                    break
                v = np.int64(nodes[at])
        forget(nodes, head, size, marks)
        if hit:
            size = head
            empty += 1
        ends[row + i - first] = size
    return last - first, size, empty


# most f8[n] by source, or f8[1]; bound f8[m] or f8[1] is filled
@njit
def fill_bounds(delay, indptr, most, bound):
    """bound[j] = uniform number up to which the delay of arc j is at most most[source], 1 for all of them."""
    if bound.size != indptr[-1]:  # one for all arcs
        bound[0] = min(below(delay, 0, most[0]), 1.0)
        return
    for u in range(indptr.size - 1):
        for j in range(indptr[u], indptr[u + 1]):
            bound[j] = min(below(delay, j, most[u if most.size > 1 else 0]), 1.0)
