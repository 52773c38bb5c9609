"""Naive twins of the kernels in continuous time: plain Python numbers, dicts and sorted lists, one run or set at a time.

They follow the definitions (the docstrings of `diffusion.kernels.continuous` and `diffusion.kernels.timed_rr`): waiting
times come from the distributions themselves, shortest times from relaxing all arcs until nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import naive
from naive import GOLDEN, MASK, TAG_IC, base_of, mix, parent_rank, threshold_of, world_of

TAG_ARC_DELAY = 0xC7D
TAG_RR, TAG_COINS, TAG_DELAYS, TAG_LATENCY, TAG_PERIOD = 0x5E7, 0xC01, 0xDE1, 0x1A7, 0x9E2
SLACK = 1e-9


def open_unit(x: int) -> float:
    return (x >> 11) / 2**53 + 0.5 / 2**53


@dataclass
class Law:
    """A waiting time: its value at a uniform number, and the number up to which it is at most some time."""

    at: Callable[[float], float]
    until: Callable[[float], float]


def exponential(rate: float) -> Law:
    if rate == 0:
        return Law(lambda u: math.inf, lambda t: 0.0)
    return Law(lambda u: -math.log1p(-u) / rate, lambda t: -math.expm1(-rate * t))


def weibull(scale: float, shape: float) -> Law:
    return Law(lambda u: (-math.log1p(-u)) ** (1 / shape) * scale, lambda t: -math.expm1(-((t / scale) ** shape)))


def fixed(time: float) -> Law:
    return Law(lambda u: time, lambda t: 1.0 if time <= t else 0.0)


def geometric(p: float) -> Law:
    def at(u: float) -> float:
        if p == 0:
            return math.inf
        return 1.0 if p == 1 else max(math.ceil(math.log1p(-u) / math.log1p(-p)), 1.0)

    def until(t: float) -> float:
        if p in (0, 1) or math.isinf(t):
            return float(p > 0 and t >= 1)
        return -math.expm1(math.floor(t) * math.log1p(-p))

    return Law(at, until)


def limit_of(deadline: float | None) -> float:
    return math.inf if deadline is None else deadline * (1 + SLACK)


def step_of(time: float, width: float) -> int:
    """Smallest k with time <= k * width, but for rounding; only time 0 is in step 0."""
    k = 0 if time == 0 else max(math.floor(time / width) - 1, 1)
    while time / width > k + SLACK:
        k += 1
    return k


@dataclass
class TimedRun:
    """Time of every active node, its parents (several where arcs tie in every respect), and its step."""

    time: dict[int, float] = field(default_factory=dict)
    parent: dict[int, int | None] = field(default_factory=dict)


def continuous_run(
    arcs: Sequence[tuple[int, int]],
    p: Sequence[float],
    delays: Sequence[Law],
    seeds: Iterable[int],
    key: int,
    run: int,
    deadline: float | None,
) -> TimedRun:
    """Live arcs by the coins of the independent cascade; labels (time, layer) by relaxing until nothing changes.

    The layer of a node counts the arcs without delay that end its shortest path; among the arcs that give a node its
    label the parent is the source of the one of smallest rank.
    """
    coins, world = world_of(key, TAG_IC, run // 512), world_of(key, TAG_ARC_DELAY, run)
    live = []
    for j, (u, v) in enumerate(arcs):
        if naive.fires(coins, j, run % 512, threshold_of(p[j])):
            live.append((j, u, v, delays[j].at(open_unit(mix(base_of(world, j))))))
    label = {s: (0.0, 0) for s in seeds}
    roots = set(label)

    def after(u: int, delay: float) -> tuple[float, int]:
        time, layer = label[u]
        return (time + delay, 0) if time + delay > time else (time, layer + 1)

    changed = True
    while changed:
        changed = False
        for _, u, v, delay in live:
            if u not in label or v in roots or after(u, delay)[0] > limit_of(deadline):
                continue
            if after(u, delay) < label.get(v, (math.inf, 0)):
                label[v] = after(u, delay)
                changed = True
    run_found = TimedRun({v: time for v, (time, _) in label.items()}, dict.fromkeys(roots))
    for v in label:
        if v not in roots:
            ways = [
                (parent_rank(key, run, j), u)
                for j, u, w, d in live
                if w == v and u in label and after(u, d) == label[v]
            ]
            run_found.parent[v] = min(ways)[1]
    return run_found


# -- RR sets -----------------------------------------------------------------------------------------------------------


@dataclass
class NaiveTiming:
    """What the arcs of a graph take; latency and period by node, None for none."""

    p: Sequence[float]
    delay: Sequence[Law]
    latency: Sequence[Law] | None = None
    period: Sequence[Law] | None = None
    fixed_period: Sequence[float] | None = None  # periods that are known beforehand
    deadline: float | None = None


def stream(counter: int) -> Iterable[int]:
    while True:
        yield mix(counter)
        counter = (counter + GOLDEN) & MASK


def skip(words: Iterable[int], log_miss: float, first: int, end: int) -> Iterable[int]:
    """Positions first ... end - 1 that fire, by geometric skips."""
    j = first - 1
    while True:
        jump = math.log(((next(words) >> 11) + 1) / 2**53) / log_miss if log_miss else 0.0  # type: ignore[call-overload]
        if jump >= end - 1 - j:
            return
        j += 1 + int(jump)
        yield j


def live_into(arcs_in: Sequence[int], w: Sequence[float], counter: int) -> list[int]:
    """Arcs into one node (in order of source) that fire with their probabilities w."""
    words = iter(stream(counter))
    if not arcs_in:
        return []
    if len({w[j] for j in arcs_in}) == 1:
        if threshold_of(w[arcs_in[0]]) == 0:
            return []
        if threshold_of(w[arcs_in[0]]) == naive.ONE:
            return list(arcs_in)
        return [arcs_in[k] for k in skip(words, math.log1p(-w[arcs_in[0]]), 0, len(arcs_in))]
    order = sorted(arcs_in, key=lambda j: -w[j])
    order = [j for j in order if threshold_of(w[j]) > 0]
    found = [j for j in order[:8] if (next(words) >> 32) < threshold_of(w[j])]
    first = 8
    while first < len(order):
        end = min(2 * first, len(order))
        rate = threshold_of(w[order[first]])
        log_miss = 0.0 if rate == naive.ONE else math.log1p(-rate / 2**32)
        for k in skip(words, log_miss, first, end):
            if (next(words) >> 11) / 2**53 * rate < threshold_of(w[order[k]]):
                found.append(order[k])
        first = end
    return found


def rr_sets(
    n: int, arcs: Sequence[tuple[int, int]], timing: NaiveTiming, key: int, roots: Sequence[int]
) -> list[dict[int, float]]:
    """Members of sets 0, 1, ... with these roots, and their time to the root (0 for all without a deadline)."""
    limit = limit_of(timing.deadline)
    most = [limit if timing.fixed_period is None else min(limit, timing.fixed_period[u]) for u, _ in arcs]
    bound = [min(law.until(t), 1.0) for law, t in zip(timing.delay, most, strict=True)]
    w = [as_float32(q * b) for q, b in zip(timing.p, bound, strict=True)]
    into = naive.in_arcs(n, arcs)
    found = []
    for i, root in enumerate(roots):
        coins, delays, latencies, periods = (
            world_of(key, tag, i) for tag in (TAG_COINS, TAG_DELAYS, TAG_LATENCY, TAG_PERIOD)
        )
        time, done, waiting = {root: 0.0}, set(), [(0.0, root)]
        while waiting:
            now, v = waiting.pop(0)
            if v in done:
                continue
            done.add(v)
            for j in live_into(into[v], w, base_of(coins, v)):
                u = arcs[j][0]
                length = timing.delay[j].at(open_unit(mix(base_of(delays, j))) * bound[j])
                if timing.period is not None and length > timing.period[u].at(open_unit(mix(base_of(periods, u)))):
                    continue
                if timing.latency is not None:
                    length += timing.latency[u].at(open_unit(mix(base_of(latencies, u))))
                if timing.deadline is None and length < math.inf:
                    length = 0.0
                if now + length <= limit and now + length < time.get(u, math.inf):
                    time[u] = now + length
                    waiting.append((time[u], u))
            waiting.sort()
        found.append(time)
    return found


def as_float32(x: float) -> float:
    import struct

    return float(struct.unpack("f", struct.pack("f", x))[0])


def root_of(key: int, i: int, n: int, cumulated: Sequence[float] | None = None) -> int:
    """Root of set i: uniform, or the first node whose cumulated weight is above the uniform number."""
    u = (mix(mix(mix(key ^ TAG_RR) + i * GOLDEN)) >> 11) / 2**53
    if cumulated is None:
        return int(u * n)
    return next(v for v in range(n) if cumulated[v] > u)
