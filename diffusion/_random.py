"""One random rule: a public call turns ``rng=`` into one 64-bit key, and everything random follows from that key."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np

from .errors import InputError

__all__ = ["RNGLike", "derive_key", "generator", "igraph_seeded", "key_of"]

_IGRAPH_RNG = threading.Lock()

RNGLike: TypeAlias = "int | np.integer | np.random.Generator | np.random.SeedSequence | np.random.BitGenerator | None"


def key_of(rng: RNGLike) -> int:
    """Draw one 64-bit key from ``np.random.default_rng(rng)``.

    The same integer gives the same key on every machine; a `Generator` is advanced by one draw.
    """
    if isinstance(rng, float | str | bytes | bool | np.bool_):
        raise InputError(f"rng={rng!r} is not a seed: give a whole number, a numpy Generator or None")
    if isinstance(rng, int | np.integer) and rng < 0:
        raise InputError(f"rng={rng} is negative: give a whole number from 0, a numpy Generator or None")
    try:
        draw = np.random.default_rng(rng)
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"rng={rng!r} is not a seed: give a whole number from 0, a list of such numbers, a numpy Generator or None"
        ) from None
    return int(draw.integers(0, 2**64, dtype=np.uint64))


def derive_key(key: int, *identity: object) -> int:
    """Derive an independent 64-bit key from `key` and what the new key is for (by the text of its parts)."""
    text = "\x1f".join([str(int(key)), *(repr(part) for part in identity)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def generator(key: int) -> np.random.Generator:
    """Return the numpy Generator that belongs to a key (for draws outside kernels)."""
    return np.random.Generator(np.random.PCG64(int(key)))


@contextmanager
def igraph_seeded(seed: int) -> Iterator[None]:
    """Let igraph, which has one random number generator for the process, draw from `seed` inside the block."""
    import igraph

    with _IGRAPH_RNG:
        igraph.set_random_number_generator(random.Random(seed))
        try:
            yield
        finally:
            igraph.set_random_number_generator(random)
