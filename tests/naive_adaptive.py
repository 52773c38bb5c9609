"""Naive twins of seeds in waves: what is left of a graph by its definition, and choices by enumerating all worlds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import naive

Arc = tuple[Any, Any]
World = tuple[Any, list[Arc]]


def left_over(
    arcs: Sequence[Arc], p: Sequence[Fraction], silent: set[Any], active: set[Any], *, linear: bool
) -> dict[Arc, Fraction]:
    """Arcs whose state is open, with their probability given that no arc of a silent node into others was live."""
    failed: dict[Any, Fraction] = {}
    for (u, v), w in zip(arcs, p, strict=True):
        if u in silent:
            failed[v] = failed.get(v, Fraction(0)) + w
    out = {}
    for (u, v), w in zip(arcs, p, strict=True):
        if u not in silent and v not in active:
            out[u, v] = w / (1 - failed.get(v, Fraction(0))) if linear else w
    return out


def sight(live: Sequence[Arc], seeds: Iterable[Any], *, myopic: bool) -> tuple[set[Any], set[Any]]:
    """Who is silent and who is active after seeds, in a world."""
    seeds = set(seeds)
    if not myopic:
        active = naive.reached(0, live, seeds)
        return active, active
    return seeds, seeds | {v for u, v in live if u in seeds}


def spread_after(
    worlds: Sequence[World], seen: tuple[set[Any], set[Any]], seeds: set[Any], more: set[Any], *, myopic: bool
) -> Any:
    """Expected reach of seeds and more over the worlds in which the seeds show the same; by conditioning, not by a formula."""
    same = [(chance, live) for chance, live in worlds if sight(live, seeds, myopic=myopic) == seen]
    total = sum(chance for chance, _ in same)
    return sum(chance * len(naive.reached(0, live, seeds | more)) for chance, live in same) / total


def gains(
    nodes: Sequence[Any], worlds: Sequence[World], live: Sequence[Arc], seeds: set[Any], *, myopic: bool
) -> dict[Any, float]:
    """What each node that is not seen active adds to the seeds, given what they show in a world."""
    seen = sight(live, seeds, myopic=myopic)
    before = spread_after(worlds, seen, seeds, set(), myopic=myopic)
    return {v: float(spread_after(worlds, seen, seeds, {v}, myopic=myopic) - before) for v in nodes if v not in seen[1]}


def best(value: dict[Any, float]) -> list[Any]:
    """Node of largest gain, of equals the first; nobody where there is none."""
    return sorted(value, key=lambda v: (-round(value[v], 4), v))[:1]
