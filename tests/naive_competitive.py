"""Naive twins of the models with rivals: dictionaries, one run at a time, by the definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import naive

TAG_QUALITY, TAG_ITEM = 0x1C4E, 0xC041


@dataclass
class RivalRun:
    """Step, parent (None for a seed) and brand of every active node."""

    step: dict[int, int]
    parent: dict[int, int | None]
    brand: dict[int, int]

    def new(self, brands: int) -> list[list[int]]:
        """New nodes by step and brand."""
        rows = [[0] * brands for _ in range(max(self.step.values(), default=-1) + 1)]
        for v, step in self.step.items():
            rows[step][self.brand[v]] += 1
        return rows


def rivals_run(
    n: int,
    arcs: Sequence[tuple[int, int]],
    p: Sequence[Sequence[float]],
    seeds: Mapping[int, int],
    key: int,
    run: int,
    *,
    linear: bool = False,
    priority: Sequence[int] = (),
    quality: float = 1.0,
) -> RivalRun:
    """Rivals along live edges; `p` is by brand and arc, `seeds` gives the brand of each seed.

    Among the arcs that fire into a node at one step, the one with the best brand by `priority` and the smallest rank is
    its parent and gives the brand; brand 0 then turns to 1 unless the coin of the node is below `quality`.
    """
    tag = naive.TAG_LT if linear else naive.TAG_IC
    world = naive.world_of(key, tag, run // 512)
    nodes_world = naive.world_of(key, TAG_QUALITY, run // 512)
    intervals = naive.lt_intervals(n, arcs, p[0]) if linear else []

    def live(j: int, brand: int) -> bool:
        if linear:
            low, high = intervals[j]
            return low <= naive.coin(world, arcs[j][1], run % 512) < high
        return naive.fires(world, j, run % 512, naive.threshold_of(p[brand][j]))

    def opinion(v: int, brand: int) -> int:
        stays = brand != 0 or naive.fires(nodes_world, v, run % 512, round(quality * naive.ONE))
        return brand if stays else 1

    found = RivalRun(dict.fromkeys(seeds, 0), dict.fromkeys(seeds), {v: opinion(v, b) for v, b in seeds.items()})
    now = 0
    while True:
        now += 1
        attempts: dict[int, list[tuple[int, int, int]]] = {}
        for j, (u, v) in enumerate(arcs):
            if found.step.get(u) == now - 1 and v not in found.step and live(j, found.brand[u]):
                place = priority.index(found.brand[u]) if priority else 0
                attempts.setdefault(v, []).append((place, naive.parent_rank(key, run, j), u))
        if not attempts:
            return found
        for v, tried in attempts.items():
            u = min(tried)[2]
            found.step[v], found.parent[v], found.brand[v] = now, u, opinion(v, found.brand[u])


@dataclass
class ItemsRun:
    """Step of adoption by (node, item), item adopted first and parent of the first adoption of each node."""

    step: dict[tuple[int, int], int]
    first: dict[int, int]
    parent: dict[int, int | None]


def comic_run(
    arcs: Sequence[tuple[int, int]],
    p: Sequence[float],
    alone: Sequence[float],
    after: Sequence[float],
    seeds: Mapping[int, int],
    key: int,
    run: int,
) -> ItemsRun:
    """Com-IC by its automaton: idle, suspended, adopted, rejected."""
    world = naive.world_of(key, naive.TAG_IC, run // 512)
    number = lambda v, item: naive.coin(naive.world_of(key, TAG_ITEM + item, run // 512), v, run % 512)  # noqa: E731
    state: dict[tuple[int, int], str] = {}
    order: dict[int, list[int]] = {}  # items of a node in the order of their adoption
    found = ItemsRun({}, {}, {})

    def adopt(v: int, item: int, now: int, by: int | None) -> None:
        state[v, item] = "adopted"
        found.step[v, item] = now
        order.setdefault(v, []).append(item)
        if v not in found.first:
            found.first[v], found.parent[v] = item, by

    def inform(v: int, item: int, now: int, by: int) -> None:
        if (v, item) in state:
            return
        other = 1 - item
        if state.get((v, other)) == "adopted":
            if number(v, item) < round(after[item] * naive.ONE):
                adopt(v, item, now, by)
            else:
                state[v, item] = "rejected"
            return
        if number(v, item) >= round(alone[item] * naive.ONE):
            state[v, item] = "suspended"
            return
        adopt(v, item, now, by)
        if state.get((v, other)) == "suspended":  # reconsider
            if number(v, other) < round(after[other] * naive.ONE):
                adopt(v, other, now, by)
            else:
                state[v, other] = "rejected"

    for v, item in seeds.items():
        adopt(v, item, 0, None)
    now = 0
    while any(step == now for step in found.step.values()):
        now += 1
        attempts: dict[int, list[tuple[int, int]]] = {}
        for j, (u, v) in enumerate(arcs):
            if any(found.step.get((u, item)) == now - 1 for item in (0, 1)) and naive.fires(
                world, j, run % 512, naive.threshold_of(p[j])
            ):
                attempts.setdefault(v, []).append((naive.parent_rank(key, run, j), u))
        told = {u: [item for item in order[u] if found.step[u, item] == now - 1] for u in order}
        for v, tried in attempts.items():
            for _, u in sorted(tried):
                for item in told[u]:
                    inform(v, item, now, u)
    return found


def brand_shares(
    n: int, live: Sequence[tuple[int, int]], seeds: Mapping[int, int], brands: int, priority: Sequence[int] = ()
) -> list[list[Fraction]]:
    """Probability of each brand at each node in one world of live edges: fair among the attempts, or by priority.

    Shares of a node are the mean over its in-neighbours one step nearer, since the draw is independent of what they are;
    with a priority brands are certain.
    """
    share = [[Fraction(int(seeds.get(v) == b)) for b in range(brands)] for v in range(n)]
    step = dict.fromkeys(seeds, 0)
    now = 0
    while True:
        now += 1
        attempts: dict[int, list[int]] = {}
        for u, v in live:
            if step.get(u) == now - 1 and v not in step:
                attempts.setdefault(v, []).append(u)
        if not attempts:
            return share
        for v, sources in attempts.items():
            step[v] = now
            if priority:
                best = min(sources, key=lambda u: min(priority.index(b) for b in range(brands) if share[u][b]))
                share[v] = share[best]
            else:
                share[v] = [
                    sum((share[u][b] for u in sources), start=Fraction(0)) / len(sources) for b in range(brands)
                ]


def distances(n: int, live: Sequence[tuple[int, int]], seeds: Sequence[int]) -> dict[int, int]:
    """Steps from the seeds along live edges."""
    found = dict.fromkeys(seeds, 0)
    todo = list(seeds)
    while todo:
        u = todo.pop(0)
        for a, v in live:
            if a == u and v not in found:
                found[v] = found[u] + 1
                todo.append(v)
    return found
