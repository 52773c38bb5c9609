"""Sizes of all prefixes of a seed order, in the worlds of an engine."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from .._threads import map_chunks, n_threads
from ..kernels.prefixes import prefix_batch
from ._engine import BATCH, Engine, Workspace

__all__ = ["prefix_sizes"]


def prefix_sizes(
    engine: Engine,
    order: NDArray[np.int32],
    ends: NDArray[np.int64],
    first: int,
    last: int,
    *,
    threads: int | None = None,
) -> NDArray[np.int64]:
    """Active nodes in runs first ... last - 1 from prefixes of an order (internal nodes), shape (ends, runs).

    The order has shape (k, 1), or (k, runs) where every run has its own, -1 for none. `ends` are the lengths, rising. The same numbers as those of an engine of each prefix; for models with lanes. `first`
    is a multiple of `BATCH`.
    """
    assert first % BATCH == 0
    assert not engine.threshold
    graph = engine.graph
    words = engine._words(last - first)
    chunks = engine.chunks(first, last, words)
    mine = threading.local()

    def work(chunk: tuple[int, int]) -> NDArray[np.int32]:
        if not hasattr(mine, "space"):
            mine.space = Workspace(graph.n_nodes, words)
        space = mine.space
        a, b = chunk
        seeds = order if order.shape[1] == 1 else np.ascontiguousarray(order[:, a - first : b - first])
        found: NDArray[np.int32] = prefix_batch(engine.arcs, seeds, ends, engine.block(a, b, words), space.lanes)
        return found[:, : b - a]

    parts: dict[int, NDArray[np.int32]] = {}
    count = max(min(n_threads(threads), len(chunks), engine._room(words)), 1)
    for (a, _), found in map_chunks(work, chunks, threads=count):
        parts[a] = found
    return np.cumsum(np.concatenate([parts[a] for a in sorted(parts)], axis=1), axis=0, dtype=np.int64)
