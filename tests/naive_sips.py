"""Naive twin of the SIPS kernels: plain Python, one run, users in dicts, every exposure an event, every option."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from naive import GOLDEN, TAG_IC, fires, mix, parent_rank, threshold_of, world_of

TAG_FEED, TAG_DELAY = 0xFE, 0xDE
LATENTS = (0x51, 0x52, 0x53, 0x54)
AGAIN = 0x80


class Stream:
    """Uniform numbers of a base, in the order they are asked for."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.k = 0

    @classmethod
    def of(cls, key: int, tag: int, run: int, index: int) -> Stream:
        """That of one user in one run."""
        return cls(mix(world_of(key, tag, run) ^ mix(index)))

    def uniform(self) -> float:
        self.k += 1
        return (mix(self.base + self.k * GOLDEN) >> 11) * 2.0**-53

    def poisson(self, mean: float) -> int:
        total = 0
        while mean > 0:
            part = min(mean, 400.0)
            mean -= part
            total += poisson_below(self.uniform(), part)
        return total


def poisson_below(u: float, mean: float) -> int:
    """Poisson number by inversion of u."""
    chance, count = math.exp(-mean), 0
    below = chance
    while u >= below:
        count += 1
        chance *= mean / count
        below += chance
    return count


def waiting_time(key: int, run: int, user: int, kind: str, mean: float, shape: float) -> float:
    """Hours between exposure and share; gamma by Marsaglia and Tsang (2000), a shape below 1 raised by one."""
    stream = Stream.of(key, TAG_DELAY, run, user)
    if kind == "fixed":
        return mean
    first = 1 - stream.uniform()
    if kind == "exponential":
        return -mean * math.log(first)
    d = shape + (shape < 1) - 1 / 3
    while True:
        radius = math.sqrt(-2 * math.log(1 - stream.uniform()))
        normal = radius * math.cos(2 * math.pi * stream.uniform())
        u, v = 1 - stream.uniform(), (1 + normal / math.sqrt(9 * d)) ** 3
        if v > 0 and math.log(u) < normal**2 / 2 + d - d * v + d * math.log(v):
            return d * v * (first ** (1 / shape) if shape < 1 else 1) * mean / shape


@dataclass
class User:
    step: int
    parent: int | None
    channel: str
    hours: float = 0.0  # of the first exposure
    stage: int = 0
    steps: dict[int, int] = field(default_factory=dict)  # stage -> step
    seen: set[int] = field(default_factory=set)  # sharers
    both: bool = False  # was one sharer ever met through follow and feed at once?


@dataclass
class NaiveCampaign:
    """One run: users by number, for every step a tally of (channel, what), arcs looked at, notes that met their cap."""

    users: dict[int, User]
    tally: list[dict[Any, int]]
    visits: int
    capped: int


def sips_run(
    n: int,
    arcs: Sequence[tuple[int, int]],
    attention: Sequence[float],
    seeds: Sequence[int],
    key: int,
    run: int,
    *,
    funnel: Sequence[float] = (1, 1, 1, 1),
    theta: int | None = None,
    redraw: bool = False,
    m0: float = 0.0,
    gain: float = 0.0,
    own: float = 0.0,
    weights: Sequence[float] = (1, 1, 4, 4),
    cap: int | None = None,
    members: Sequence[Sequence[int]] = (),
    delay: tuple[str, float, float, float] | None = None,  # kind, mean, shape, hours of a step
) -> NaiveCampaign:
    batch, lane = divmod(run, 512)
    group = {v: g for g, some in enumerate(members) for v in some}

    def stage_of(index: int, identified: bool | None, again: int) -> int:
        for k in range(4):
            if k == 1 and identified is not None:
                if not identified:
                    return 1
            elif not fires(world_of(key, LATENTS[k] + again, batch), index, lane, threshold_of(funnel[k])):
                return k
        return 4

    users = {s: User(0, None, "seed", 0.0, 4, dict.fromkeys(range(5), 0)) for s in seeds}
    tally: list[dict[Any, int]] = [{}]
    visits = capped = 0
    publish: dict[float, list[int]] = {0.0: list(seeds)} if seeds else {}  # who publishes when: in steps, or in hours
    while publish:
        clock = min(publish)
        frontier = publish.pop(clock)
        now = int(clock) + 1 if delay is None else int(clock / delay[3]) + 1
        tally += [{} for _ in range(now + 1 - len(tally))]
        count = tally[now]
        found: dict[
            int, list[tuple[int, int, int, int]]
        ] = {}  # user -> (channel, rank, sharer, stage this exposure gives)

        def expose(v: int, channel: int, rank: int, x: int, index: int, found: Any = found, count: Any = count) -> int:
            identified = None
            if theta is not None:
                before = users.get(v)
                seen = len(before.seen) if before else 0
                identified = seen + 1 >= theta or (before is not None and before.stage >= 2)
            stage = stage_of(index if redraw else v, identified, AGAIN if redraw else 0)
            found.setdefault(v, []).append((channel, rank, x, stage))
            name = ("follow", "feed")[channel]
            count[name, "attended"] = count.get((name, "attended"), 0) + 1
            return stage

        for x in frontier:
            scores = [0, 0, 0, 0]
            for j, (u, v) in enumerate(arcs):
                visits += u == x
                if u == x and fires(world_of(key, TAG_IC, batch), j, lane, threshold_of(attention[j])):
                    for k in range(expose(v, 0, parent_rank(key, run, j), x, j)):
                        scores[k] += 1
            if m0 == 0 and gain == 0:
                continue
            stream = Stream.of(key, TAG_FEED, run, x)
            planned = stream.poisson(m0 + gain * sum(w * s for w, s in zip(weights, scores, strict=True)))
            shown = 0
            while shown < planned:
                draw = mix(stream.base + (2**32 + shown + 1) * GOLDEN)
                shown += 1
                rank = mix(draw)
                left, crowd = (draw >> 11) * 2.0**-53, range(n)
                if own > 0:
                    home = left < own
                    crowd = members[group[x]] if home else crowd
                    left = left / own if home else (left - own) / (1 - own)
                left *= len(crowd)
                v, left = crowd[int(left)], left - int(left)
                stage = expose(v, 1, rank, x, rank >> 1)
                mean = gain * sum(weights[:stage])
                planned += Stream(draw).poisson(mean) if mean > 400 else poisson_below(left, mean)
                if shown == cap:
                    capped += 1
                    break
        for v, events in found.items():
            first = v not in users
            if first:
                channel, _, x, _ = min(events)
                users[v] = User(now, x, ("follow", "feed")[channel], clock, 0, {0: now})
                count[users[v].channel, "exposed"] = count.get((users[v].channel, "exposed"), 0) + 1
            user = users[v]
            user.seen |= {x for _, _, x, _ in events}
            through = {(channel, x) for channel, _, x, _ in events}
            user.both |= any((1 - channel, x) in through for channel, x in through)
            if user.channel == "seed":
                continue
            if redraw:
                stage = max([user.stage, *(s for _, _, _, s in events)])
            elif theta is not None:
                stage = user.stage if user.stage >= 2 else stage_of(v, len(user.seen) >= theta, 0)
            else:
                stage = stage_of(v, None, 0)
            for k in range(user.stage + 1, stage + 1):
                user.steps[k] = now
                count[user.channel, k] = count.get((user.channel, k), 0) + 1
            if stage == 4 and user.stage < 4:
                wait = 1.0 if delay is None else waiting_time(key, run, v, *delay[:3])
                publish.setdefault(clock + wait, []).append(v)
            user.stage = stage
    return NaiveCampaign(users, tally, visits, capped)
