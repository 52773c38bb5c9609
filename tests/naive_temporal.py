"""Naive twins of diffusion on temporal graphs: plain Python, one run at a time, every contact looked at in turn.

They follow the definitions: who is active offers every arc once, contacts are tried one after the other, and pending
activations lie in a list that is sorted whole. Draws are those of the kernel's docstring.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from naive import MASK, MIX_A, mix, parent_rank, world_of

TAG_TEMPORAL = 0xC0
OF_START, OF_WAIT = 0x5DEECE66D1CE4E5B, 0xA0761D6478BD642F


def unit(bits: int) -> float:
    return (bits >> 11) / 2**53 + 0.5 / 2**53


def of_index(world: int, index: int) -> int:
    return world ^ ((index * MIX_A) & MASK)


@dataclass
class TemporalRun:
    """Times and parents by internal node; steps of infections and recoveries."""

    time: dict[int, float] = field(default_factory=dict)
    parent: dict[int, int | None] = field(default_factory=dict)
    over: dict[int, float] = field(default_factory=dict)
    began: float = 0.0

    def step(self, v: int, width: float) -> int:
        return 0 if self.parent[v] is None else steps(self.time[v] - self.began, width)

    def counts(self, width: float, end: float, states: int) -> dict[tuple[int, int], int]:
        """Nodes that enter a state at a step, by (step, state)."""
        found: dict[tuple[int, int], int] = {}
        for v in self.time:
            found[self.step(v, width), 0] = found.get((self.step(v, width), 0), 0) + 1
            if states > 1 and self.over[v] <= end:
                at = steps(self.over[v] - self.began, width)
                found[at, 1] = found.get((at, 1), 0) + 1
        return found


def steps(passed: float, width: float) -> int:
    k = 1
    while passed / width > k + 1e-9:
        k += 1
    return k


def geometric(beta: float, u: float) -> float:
    """Trials up to the first success: the smallest k with u < 1 - (1 - beta)^k."""
    if beta == 0:
        return math.inf
    k = 1
    while beta < 1 and not u < -math.expm1(k * math.log1p(-beta)):
        k += 1
    return k


def began(start: float, length: float, world: int) -> float:
    return start + length * unit(mix(world ^ OF_START)) if length > 0 else start


def spread(
    arcs: Sequence[tuple[int, int]],
    seeds: Sequence[int],
    key: int,
    run: int,
    start: float,
    length: float,
    end: float,
    offer: Callable[[int, int, float, float, bool, int], float],
    recovery: Callable[[int, int], float] | None,
) -> TemporalRun:
    """Activations in order of time; `offer` says when an arc of a newly active node delivers, infinite for never."""
    world = world_of(key, TAG_TEMPORAL, run)
    done = TemporalRun(began=began(start, length, world))
    pending = [(done.began, -1, -1, s) for s in sorted(set(seeds))]  # time, rank of the arc, source, node
    for s in set(seeds):
        done.parent[s] = None
    while pending:
        pending.sort(key=lambda entry: (entry[0], entry[2] >= 0, entry[3], entry[1]))
        now, _, source, v = pending.pop(0)
        if v in done.time or (source >= 0 and done.parent.get(v, source) is None):
            continue
        done.time[v] = now
        if source >= 0:
            done.parent[v] = source
        done.over[v] = math.inf if recovery is None else now + recovery(v, of_index(world ^ OF_WAIT, v))
        for j, (a, b) in enumerate(arcs):
            if a == v and b not in done.time:
                t = offer(j, v, now, done.over[v], source < 0, world)
                if t <= end and t < math.inf:
                    pending.append((t, parent_rank(key, run, j), v, b))
    return done


def on_contacts(times: Sequence[Sequence[float]], beta: float) -> Callable[..., float]:
    """SIR: each contact after the infection, up to the recovery, transmits with probability beta."""

    def offer(j: int, u: int, now: float, over: float, seed: bool, world: int) -> float:
        trial = 0
        wanted = geometric(beta, unit(mix(of_index(world, j))))
        for t in sorted(times[j]):
            if t > now or (seed and t == now):
                trial += 1
                if trial == wanted:
                    return t if t <= over else math.inf
        return math.inf

    return offer


def first_contact(
    times: Sequence[Sequence[float]], p: Sequence[float], delay: Callable[[int, int], float]
) -> Callable[..., float]:
    def offer(j: int, u: int, now: float, over: float, seed: bool, world: int) -> float:
        later = [t for t in times[j] if t > now or (seed and t == now)]
        if not later or unit(mix(of_index(world, j))) >= p[j]:
            return math.inf
        return min(later) + delay(j, of_index(world ^ OF_WAIT, j))

    return offer


def while_followed(
    intervals: Sequence[Sequence[tuple[float, float]]], p: Sequence[float], delay: Callable[[int, int], float]
) -> Callable[..., float]:
    def offer(j: int, u: int, now: float, over: float, seed: bool, world: int) -> float:
        if not any(start <= now < end for start, end in intervals[j]) or unit(mix(of_index(world, j))) >= p[j]:
            return math.inf
        return now + delay(j, of_index(world ^ OF_WAIT, j))

    return offer
