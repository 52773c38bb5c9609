"""Naive twin of topic-aware models: every live arc of a run by fractions and lists, on the coins of IC and LT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import naive


def mixed(vectors: Sequence[Mapping[str, float]], mixture: Mapping[str, float]) -> list[Fraction]:
    """Exact probability of every arc for an item: the sum over its topics of share times probability."""
    return [sum((Fraction(share) * Fraction(row[z]) for z, share in mixture.items()), Fraction(0)) for row in vectors]


def run(
    n: int,
    arcs: Sequence[tuple[int, int]],
    vectors: Sequence[Mapping[str, float]],
    mixture: Mapping[str, float],
    seeds: Iterable[int],
    key: int,
    run: int,
    *,
    linear: bool,
) -> naive.NaiveRun:
    """One run from internal seeds; probabilities are those of 32-bit floats, as the package stores them."""
    p = [single(value) for value in mixed(vectors, mixture)]
    if linear:
        return naive.lt_run(n, arcs, p, seeds, key, run)
    return naive.ic_run(arcs, p, seeds, key, run)


def single(value: Fraction) -> float:
    """Nearest 32-bit float, by the rules of the standard library."""
    import struct

    found: float = struct.unpack("f", struct.pack("f", float(value)))[0]
    return found


def interests_to_vectors(
    arcs: Sequence[tuple[Any, Any]], base: Sequence[float], interests: Mapping[Any, Mapping[str, float]], scale: float
) -> list[dict[str, float]]:
    """The rule of `TopicProbabilities.from_interests` by its definition, for arcs between labels."""
    out = []
    for (_, v), p in zip(arcs, base, strict=True):
        total = sum(interests[v].values())
        out.append({z: scale * p * value / total for z, value in interests[v].items()})
    return out
