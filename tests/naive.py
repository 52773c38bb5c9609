"""Naive twins of the kernels: plain Python integers, lists and dicts, one run at a time, no numpy in the logic.

They follow the definitions (the docstrings of `diffusion.kernels`), not the code: a coin is the whole 32-bit number and
is compared with ``<``; a graph is a dict; exact values come from enumerating live-edge worlds.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX_A = 0xBF58476D1CE4E5B9
MIX_B = 0x94D049BB133111EB
TAG_IC, TAG_LT, TAG_NOISE, TAG_PARENT = 0x1C, 0x17, 0x4E, 0x9A
ONE = 1 << 32  # thresholds and coins are in units of 2**-32


# -- coins -------------------------------------------------------------------------------------------------------------


def mix(x: int) -> int:
    """Finaliser of splitmix64."""
    x &= MASK
    x = ((x ^ (x >> 30)) * MIX_A) & MASK
    x = ((x ^ (x >> 27)) * MIX_B) & MASK
    return x ^ (x >> 31)


def world_of(key: int, tag: int, batch: int) -> int:
    return mix(mix(key ^ tag) + batch * GOLDEN)


def base_of(world: int, index: int) -> int:
    return mix(world ^ ((index * MIX_A) & MASK))


def coin(world: int, index: int, lane_of_batch: int, bits: int = 32) -> int:
    """The coin of an index in one run, 0 ... 2**bits - 1: bit b from the top is one bit of one word."""
    word, lane = divmod(lane_of_batch, 64)
    base = base_of(world, index)
    value = 0
    for b in range(bits):
        value = 2 * value + ((mix(base + (word + 1 + 8 * b) * GOLDEN) >> lane) & 1)
    return value


def threshold_of(p: float) -> int:
    """Probability -> threshold in 0 ... 2**32, rounded half up."""
    return math.floor(Fraction(float(p)) * ONE + Fraction(1, 2))


def fires(world: int, index: int, lane_of_batch: int, threshold: int) -> bool:
    return coin(world, index, lane_of_batch) < threshold


def parent_rank(key: int, run: int, arc: int) -> int:
    return mix(world_of(key, TAG_PARENT, run) ^ mix(arc))


# -- graphs ------------------------------------------------------------------------------------------------------------


@dataclass
class NaiveGraph:
    """Arcs in the internal order of a follower graph: by internal source, then internal target."""

    nodes: list[Any]  # labels in canonical order
    internal: dict[Any, int]  # label -> internal number
    arcs: list[tuple[int, int]]  # internal ends
    multiplicity: list[int]
    loops: int
    parallel: int

    def labelled(self) -> list[tuple[Any, Any]]:
        name = {number: label for label, number in self.internal.items()}
        return [(name[u], name[v]) for u, v in self.arcs]


def build(
    rows: Sequence[tuple[Hashable, Hashable]],
    *,
    directed: bool,
    edges_mean: str | None = None,
    nodes: Iterable[Hashable] = (),
) -> NaiveGraph:
    """Rows of sortable labels -> the graph, with nodes numbered by falling in-degree, ties by label."""
    labels = sorted({label for row in rows for label in row} | set(nodes))  # type: ignore[type-var]
    count: Counter[tuple[Any, Any]] = Counter()
    loops = 0
    for a, b in rows:
        if a == b:
            loops += 1
            continue
        u, v = (b, a) if edges_mean == "follows" else (a, b)
        count[u, v] += 1
        if not directed:
            count[v, u] += 1
    indegree = Counter(v for _, v in count)
    internal = {label: i for i, label in enumerate(sorted(labels, key=lambda x: (-indegree[x], labels.index(x))))}
    arcs = sorted((internal[u], internal[v]) for u, v in count)
    name = {number: label for label, number in internal.items()}
    return NaiveGraph(
        labels,
        internal,
        arcs,
        [count[name[u], name[v]] for u, v in arcs],
        loops,
        sum(count.values()) - len(count),
    )


def out_arcs(n: int, arcs: Sequence[tuple[int, int]]) -> list[list[int]]:
    out: list[list[int]] = [[] for _ in range(n)]
    for j, (u, _) in enumerate(arcs):
        out[u].append(j)
    return out


def in_arcs(n: int, arcs: Sequence[tuple[int, int]]) -> list[list[int]]:
    into: list[list[int]] = [[] for _ in range(n)]
    for j in sorted(range(len(arcs)), key=lambda j: arcs[j][0]):
        into[arcs[j][1]].append(j)
    return into


# -- cascades ----------------------------------------------------------------------------------------------------------


@dataclass
class NaiveRun:
    """Step of every active node, and its parent (None for a seed)."""

    step: dict[int, int]
    parent: dict[int, int | None]

    @property
    def levels(self) -> list[int]:
        count = Counter(self.step.values())
        return [count[s] for s in range(len(count))]


def _spread(
    arcs: Sequence[tuple[int, int]], live: Sequence[bool], seeds: Iterable[int], key: int, run: int
) -> NaiveRun:
    """Breadth-first levels over live arcs; the parent is the source of the firing arc of smallest rank."""
    step = dict.fromkeys(seeds, 0)
    parent: dict[int, int | None] = dict.fromkeys(seeds)
    now = 0
    while True:
        now += 1
        candidates: dict[int, list[tuple[int, int]]] = {}
        for j, (u, v) in enumerate(arcs):
            if live[j] and step.get(u) == now - 1 and v not in step:
                candidates.setdefault(v, []).append((parent_rank(key, run, j), u))
        if not candidates:
            return NaiveRun(step, parent)
        for v, found in candidates.items():
            step[v] = now
            parent[v] = min(found)[1]


def ic_run(arcs: Sequence[tuple[int, int]], p: Sequence[float], seeds: Iterable[int], key: int, run: int) -> NaiveRun:
    """Independent cascade: arc j is live when its coin is below p[j]."""
    world = world_of(key, TAG_IC, run // 512)
    live = [fires(world, j, run % 512, threshold_of(p[j])) for j in range(len(arcs))]
    return _spread(arcs, live, seeds, key, run)


def lt_intervals(n: int, arcs: Sequence[tuple[int, int]], weight: Sequence[float]) -> list[tuple[int, int]]:
    """Disjoint intervals of the in-arcs of each node, in order of source; a sum within 1e-6 of 1 is 1."""
    found: list[tuple[int, int]] = [(0, 0)] * len(arcs)
    for into in in_arcs(n, arcs):
        total, bound = 0.0, 0
        for j in into:
            total += weight[j]
            low, bound = bound, ONE if total >= 1 - 1e-6 else min(math.floor(total * ONE + 0.5), ONE - 2)
            found[j] = (low, bound)
    return found


def lt_run(
    n: int, arcs: Sequence[tuple[int, int]], weight: Sequence[float], seeds: Iterable[int], key: int, run: int
) -> NaiveRun:
    """Linear threshold: arc j is live when the coin of its target lies in its interval."""
    world = world_of(key, TAG_LT, run // 512)
    coins = [coin(world, v, run % 512) for v in range(n)]
    live = [low <= coins[arcs[j][1]] < high for j, (low, high) in enumerate(lt_intervals(n, arcs, weight))]
    return _spread(arcs, live, seeds, key, run)


def threshold_run(
    n: int,
    arcs: Sequence[tuple[int, int]],
    multiplicity: Sequence[int],
    seeds: Iterable[int],
    key: int,
    run: int,
    *,
    fraction: Fraction | Sequence[Fraction] | None = None,
    count: int | Sequence[int] | None = None,
    noise: float = 0.0,
) -> NaiveRun:
    """Adopt when active in-neighbours >= fraction * in-degree (exact), or >= count, or by noise; a list has one a node."""
    world = world_of(key, TAG_NOISE, run // 512)
    into = in_arcs(n, arcs)
    degree = [sum(multiplicity[j] for j in into[v]) for v in range(n)]
    step = dict.fromkeys(seeds, 0)
    parent: dict[int, int | None] = dict.fromkeys(seeds)
    now = 0
    while True:
        now += 1
        adopted: dict[int, int] = {}
        for v in range(n):
            if v in step:
                continue
            fresh = [j for j in into[v] if step.get(arcs[j][0]) == now - 1]
            if not fresh:
                continue
            active = sum(multiplicity[j] for j in into[v] if arcs[j][0] in step)
            given = count if count is not None else fraction or 0
            own = given[v] if isinstance(given, Sequence) else given
            enough = active >= (own if count is not None else own * degree[v])
            firing = fresh if enough else [j for j in fresh if fires(world, j, run % 512, threshold_of(noise))]
            if firing:
                adopted[v] = min((parent_rank(key, run, j), arcs[j][0]) for j in firing)[1]
        if not adopted:
            return NaiveRun(step, parent)
        for v, u in adopted.items():
            step[v], parent[v] = now, u


def watts(n: int, followed: Mapping[int, Sequence[int]], phi: Fraction, seeds: Iterable[int]) -> set[int]:
    """Watts' rule by brute force: sweep over all nodes until nobody adopts any more; the order plays no part."""
    active = set(seeds)
    while True:
        more = {
            v
            for v in range(n)
            if v not in active and followed.get(v) and sum(u in active for u in followed[v]) >= phi * len(followed[v])
        }
        if not more:
            return active
        active |= more


# -- exact values ------------------------------------------------------------------------------------------------------


def reached(n: int, live: Iterable[tuple[int, int]], seeds: Iterable[int]) -> set[int]:
    out: dict[int, list[int]] = {}
    for u, v in live:
        out.setdefault(u, []).append(v)
    found = set(seeds)
    todo = list(found)
    while todo:
        for v in out.get(todo.pop(), ()):
            if v not in found:
                found.add(v)
                todo.append(v)
    return found


def ic_worlds(arcs: Sequence[tuple[int, int]], p: Sequence[Any]) -> Iterable[tuple[Any, list[tuple[int, int]]]]:
    """All 2**m worlds with their probabilities (exact where p are fractions)."""
    for keep in itertools.product((False, True), repeat=len(arcs)):
        chance = math.prod((q if k else 1 - q for q, k in zip(p, keep, strict=True)), start=Fraction(1))
        if chance:
            yield chance, [arc for arc, k in zip(arcs, keep, strict=True) if k]


def lt_worlds(
    n: int, arcs: Sequence[tuple[int, int]], weight: Sequence[Any]
) -> Iterable[tuple[Any, list[tuple[int, int]]]]:
    """All prod(in-degree + 1) worlds: each node keeps one in-arc or none."""
    choices = []
    for v in range(n):
        into = [(weight[j], arcs[j]) for j in range(len(arcs)) if arcs[j][1] == v]
        choices.append([*into, (1 - sum((w for w, _ in into), start=Fraction(0)), None)])
    for picks in itertools.product(*choices):
        chance = math.prod((w for w, _ in picks), start=Fraction(1))
        if chance > 0:
            yield chance, [arc for _, arc in picks if arc is not None]


def exact_distribution(
    n: int, worlds: Iterable[tuple[Any, list[tuple[int, int]]]], seeds: Sequence[int]
) -> dict[int, Any]:
    """Cascade size -> its probability."""
    found: dict[int, Any] = {}
    for chance, live in worlds:
        size = len(reached(n, live, seeds))
        found[size] = found.get(size, 0) + chance
    return found


def exact_spread(n: int, worlds: Iterable[tuple[Any, list[tuple[int, int]]]], seeds: Sequence[int]) -> Any:
    return sum(size * chance for size, chance in exact_distribution(n, worlds, seeds).items())


def reed_frost(n: int, p: float) -> float:
    """Expected size on the complete graph of n nodes from one seed, by the recursion of Reed and Frost."""
    q = 1 - p
    memo: dict[tuple[int, int], float] = {}

    def more(s: int, i: int) -> float:
        """Expected further activations with s inactive nodes and i just activated."""
        if s == 0 or i == 0:
            return 0.0
        if (s, i) not in memo:
            a = 1 - q**i
            memo[s, i] = sum(
                math.comb(s, j) * a**j * q ** (i * (s - j)) * (j + more(s - j, j)) for j in range(1, s + 1)
            )
        return memo[s, i]

    return 1 + more(n - 1, 1)
