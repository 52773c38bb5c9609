"""Naive twins of the epidemics and rumours: plain Python, one run at a time, all events in one sorted list.

They follow the definitions: waiting times are functions of a key, events happen in order of time, ties by level and rank.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from naive import GOLDEN, MASK, MIX_A, mix, parent_rank, world_of

TRANSMISSION, RECOVERY, LATENT, WANING, SPREAD, STIFLE = 0xE501, 0xE502, 0xE503, 0xE504, 0xE511, 0xE512
Arcs = Sequence[tuple[int, int]]


# -- waiting times -----------------------------------------------------------------------------------------------------


def unit(key: int) -> float:
    return (mix(key) >> 11) / 2**53 + 0.5 / 2**53


def uniform(key: int, i: int) -> float:
    return (mix((key + (i + 1) * GOLDEN) & MASK) >> 11) / 2**53


def normal(key: int, k: int) -> float:
    return math.sqrt(-2 * math.log(1 - uniform(key, k))) * math.cos(2 * math.pi * uniform(key, k + 1))


def gamma(key: int, shape: float) -> float:
    """Marsaglia and Tsang."""
    k, boost = 0, 1.0
    if shape < 1:
        boost = (1 - uniform(key, 0)) ** (1 / shape)
        k, shape = 1, shape + 1
    d = shape - 1 / 3
    while True:
        x = normal(key, k)
        u = 1 - uniform(key, k + 2)
        k += 3
        v = (1 + x / math.sqrt(9 * d)) ** 3
        if v > 0 and math.log(u) < x * x / 2 + d - d * v + d * math.log(v):
            return boost * d * v


def wait(law: Any, key: int, own: float | None = None) -> float:
    """A waiting time of a law; `own` replaces its first parameter."""
    kind = type(law).__name__.lower()
    first, *others = (getattr(law, part.name) for part in fields(law))
    first = first if own is None else own
    if kind == "fixed":
        return first
    if kind == "exponential":
        return -math.log1p(-unit(key)) / first if first else math.inf
    if kind == "weibull":
        return first * (-math.log1p(-unit(key))) ** (1 / others[0])
    if kind == "geometric":
        if first in (0, 1):
            return math.inf if first == 0 else 1.0
        return max(math.ceil(math.log1p(-unit(key)) / math.log1p(-first)), 1)
    if kind == "gamma":
        return first / others[0] * gamma(key, others[0])
    assert kind == "lognormal"
    return first * math.exp(others[0] * normal(key, 0))


def key_at(key: int, tag: int, run: int, index: int) -> int:
    return world_of(key, tag, run) ^ ((index * MIX_A) & MASK)


def key_again(key: int, tag: int, run: int, index: int, infection: int, contact: int) -> int:
    return mix(mix(key_at(key, tag, run, index) + infection * GOLDEN) + contact * GOLDEN)


def step_of(time: float, width: float) -> int:
    return 0 if time <= 0 else max(math.ceil(time / width - 1e-9), 1)


# -- models ------------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """Events of one run."""

    time: dict[int, float] = field(default_factory=dict)  # first infection
    parent: dict[int, int | None] = field(default_factory=dict)
    events: list[tuple[int, float]] = field(default_factory=list)  # state entered, time

    def counts(self, states: int, width: float) -> list[list[int]]:
        steps = [(state, step_of(time, width)) for state, time in self.events]
        table = [[0] * states for _ in range(max((step for _, step in steps), default=-1) + 1)]
        for state, step in steps:
            table[step][state] += 1
        return table


def outbreak(
    n: int,
    arcs: Arcs,
    laws: dict[str, Any],
    seeds: Sequence[int],
    key: int,
    run: int,
    *,
    end: float = math.inf,
    columns: dict[str, Sequence[float]] | None = None,
) -> Run:
    """SIR, or SEIR with a law of "latent"."""
    columns = columns or {}

    def draw(what: str, tag: int, index: int) -> float:
        own = columns[what][index] if what in columns else None
        return wait(laws[what], key_at(key, tag, run, index), own)

    found, level = Run(), {}
    pending: list[tuple[float, int, int, int, int | None]] = sorted((0.0, 0, 0, s, None) for s in seeds)
    while pending:
        now, depth, _, u, parent = pending.pop(0)
        if u in found.time:
            continue
        found.time[u], found.parent[u], level[u] = now, parent, depth
        begin = now + (draw("latent", LATENT, u) if "latent" in laws else 0.0)
        period = draw("recovery", RECOVERY, u)
        states = [now, begin, begin + period] if "latent" in laws else [now, begin + period]
        found.events += [(k, time) for k, time in enumerate(states) if time <= end and time < math.inf]
        for j, (a, v) in enumerate(arcs):
            if a == u:
                took = draw("transmission", TRANSMISSION, j)
                then = begin + took
                if took <= period and then <= end and then < math.inf:
                    depth = level[u] + 1 if then == now else 0
                    bisect.insort(pending, (then, depth, parent_rank(key, run, j), v, u))
    return found


def relapses(arcs: Arcs, laws: dict[str, Any], seeds: Sequence[int], key: int, run: int, *, end: float) -> Run:
    """SIS, or SIRS with a law of "waning": every contact of an infection is listed when it begins."""
    found = Run()
    infections: dict[int, int] = {}
    susceptible: dict[int, float] = {}
    pending: list[tuple[float, int, int, int, int | None]] = sorted((0.0, 0, -1, s, None) for s in seeds)
    while pending:
        now, _, _, v, parent = pending.pop(0)
        if v in susceptible and now <= susceptible[v]:
            continue
        c = infections[v] = infections.get(v, 0) + 1
        if c == 1:
            found.time[v], found.parent[v] = now, parent
            found.events.append((0, now))
        found.events.append((1, now))
        recovered = susceptible[v] = now + wait(laws["recovery"], key_again(key, RECOVERY, run, v, c, 0))
        if recovered <= end:
            found.events.append((2, recovered))
        if "waning" in laws:
            susceptible[v] += wait(laws["waning"], key_again(key, WANING, run, v, c, 0))
            if susceptible[v] <= end:
                found.events.append((3, susceptible[v]))
        for j, (a, w) in enumerate(arcs):
            if a == v:
                contact, k = now, 0
                while True:
                    k += 1
                    contact += wait(laws["transmission"], key_again(key, TRANSMISSION, run, j, c, k))
                    if contact > recovered or contact > end:
                        break
                    bisect.insort(pending, (contact, parent_rank(key, run, j), j, w, v))
    return found


def rumour(
    arcs: Arcs, laws: dict[str, Any], seeds: Sequence[int], key: int, run: int, *, both: bool, end: float = math.inf
) -> Run:
    """Maki and Thompson, or with `both` Daley and Kendall: after every event all clocks that should run are started."""
    found = Run()
    stopped: dict[int, float] = {}
    running: set[int] = set()
    there = set(arcs)
    pending: list[tuple[float, int, int, str]] = []

    def queue(j: int, what: str, tag: int, now: float) -> None:
        time = now + wait(laws[what], key_at(key, tag, run, j))
        if time <= end and time < math.inf:
            bisect.insort(pending, (time, parent_rank(key, run, j), j, "0 tell" if what == "spread" else "1 stifle"))

    def tell(v: int, parent: int | None, now: float) -> None:
        found.time[v], found.parent[v] = now, parent
        found.events.append((0, now))
        for j, (a, _) in enumerate(arcs):
            if a == v:
                queue(j, "spread", SPREAD, now)

    def stop(u: int, now: float) -> None:
        stopped[u] = now
        found.events.append((1, now))

    def clocks(now: float) -> None:
        for j, (u, v) in enumerate(arcs):
            if j in running or u not in found.time or u in stopped or v not in found.time:
                continue
            if not both or v in stopped or (v, u) not in there or u < v:
                running.add(j)
                queue(j, "stifle", STIFLE, now)

    for s in seeds:
        tell(s, None, 0.0)
    clocks(0.0)
    while pending:
        now, _, j, what = pending.pop(0)
        u, v = arcs[j]
        if u in stopped:
            continue
        if what == "0 tell":
            if v in found.time:
                continue
            tell(v, u, now)
        else:
            meets = both and v not in stopped
            stop(u, now)
            if meets:
                stop(v, now)
        clocks(now)
    return found
