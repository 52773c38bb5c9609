"""From a graph, a model, seeds and a key to kernel calls, in chunks of runs that do not depend on each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._progress import progress
from .._threads import map_chunks, n_threads
from ..errors import InputError
from ..graph._probabilities import lt_bounds
from ..graph.follower_graph import FollowerGraph
from ..kernels.cascade import replay_run, run_batch
from ..kernels.coins import LANES, WORDS
from ..kernels.threshold import threshold_run
from .models import LT, Model, Threshold, model_of

__all__ = ["BATCH", "Engine", "check_runs", "seed_labels"]

BATCH = LANES
_NO_BOUNDS = np.zeros(1, np.uint32)
_NO_BOUNDS.flags.writeable = False
_NO_PROBABILITY = np.zeros(1, np.float32)
_NO_PROBABILITY.flags.writeable = False


def check_runs(runs: object, what: str = "runs") -> int:
    """Return a run count, a whole number from 1."""
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or runs < 1:
        raise InputError(f"{what}={runs!r} is not a run count: give a whole number from 1")
    return int(runs)


def seed_labels(graph: FollowerGraph, seeds: Any) -> list[Any]:
    """Return the distinct seeds as a list of labels, in the order given; one label alone stands for itself."""
    if hasattr(seeds, "seeds"):  # a SeedSelection
        seeds = seeds.seeds
    if hasattr(seeds, "tolist"):
        seeds = seeds.tolist()
    if (
        isinstance(seeds, str | bytes)
        or not isinstance(seeds, Iterable)
        or (isinstance(seeds, tuple) and seeds in graph)
    ):
        seeds = [seeds]
    positions = graph._check_labels(list(seeds))
    labels: list[Any] = graph.nodes.take(list(dict.fromkeys(positions.tolist()))).tolist()
    return labels


@dataclass(frozen=True)
class Chunk:
    """What one kernel call gives: ``new[run, step]`` of its runs and the arcs it visited."""

    new: NDArray[np.int32]
    visits: int


def _aligned(size: int) -> NDArray[np.uint64]:
    """Zeros that begin at a 128-byte boundary: a row of 8 words then never straddles two cache lines."""
    raw = np.zeros(size + 16, np.uint64)
    skip = (-raw.ctypes.data) % 128 // 8
    return raw[skip : skip + size]


class _Workspace:
    """The memory of one thread, used again for every chunk; kernels leave it as they found it."""

    def __init__(self, n: int, words: int, live_edge: bool) -> None:
        self.node_counts = np.zeros(n, np.int64)
        if live_edge:
            self.words = words
            self.state = _aligned(2 * n * words)
            self.active = _aligned(n * words)
            self.flags = np.zeros(n, np.uint8)
            self.queues = np.empty((3, n), np.int32)
        else:
            self.count = np.zeros(n, np.int32)
            self.mark = np.zeros(n, np.uint8)


class Engine:
    """Runs of one model from one seed set in the worlds of one key."""

    def __init__(self, graph: FollowerGraph, model: Model | str, seeds: Any, key: int) -> None:
        self.graph = graph
        self.model = model_of(model)
        self.seeds = seed_labels(graph, seeds)
        self.key = np.uint64(key)
        self._start = np.sort(graph._internal(self.seeds)).astype(np.int32)
        self.threshold = isinstance(self.model, Threshold)
        self.linear = isinstance(self.model, LT)
        self._p, self._lo, self._hi = _NO_PROBABILITY, _NO_BOUNDS, _NO_BOUNDS
        if isinstance(self.model, Threshold):
            need = self.model.need(graph._in_degree)
            need.flags.writeable = False
            self._need = need
            self._noise = np.uint64(round(float(self.model.noise) * 2**32))
        else:
            if graph.probabilities is None:
                raise InputError(
                    f"the graph has no propagation probabilities, which {self.model.name} needs: call "
                    "graph.with_probabilities('weighted_cascade'), or 'constant' with p=, first"
                )
            if self.linear:
                self._lo, self._hi = lt_bounds(graph)
            else:
                self._p = graph.probabilities.values

    def __reduce__(self) -> tuple[Any, ...]:  # pickled arrays come back writeable, for which kernels would compile anew
        return type(self), (self.graph, self.model, self.seeds, int(self.key))

    @property
    def deterministic(self) -> bool:
        """Is every run the same whatever the key?"""
        return self.threshold and self._noise == 0

    def run(
        self, first: int, last: int, *, threads: int | None = None, show: bool = True
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
        """Runs first ... last - 1 -> new[run, step], node activation counts by internal node, arcs visited.

        `first` must be a multiple of `BATCH`, so that chunks are the same whichever way a range is cut.
        """
        assert first % BATCH == 0
        count = n_threads(threads)
        chunks = [(start, min(start + BATCH, last)) for start in range(first, last, BATCH)]
        spaces: list[_Workspace] = []
        mine = threading.local()

        def space(words: int) -> _Workspace:
            found: _Workspace | None = getattr(mine, "space", None)
            if found is None:
                found = mine.space = _Workspace(self.graph.n_nodes, words, not self.threshold)
                spaces.append(found)
            return found

        width = _words(max((b - a for a, b in chunks), default=1))
        work: Callable[[tuple[int, int]], Chunk]
        if self.threshold:
            work = lambda chunk: self._threshold_chunk(*chunk, space(0))  # noqa: E731
        else:
            work = lambda chunk: self._lanes_chunk(*chunk, space(width))  # noqa: E731
        parts: dict[int, NDArray[np.int32]] = {}
        visits = 0
        with progress(total=last - first, description="cascades", unit="run", show=show) as bar:
            for (a, b), chunk in map_chunks(work, chunks, threads=min(count, max(len(chunks), 1))):
                parts[a] = chunk.new
                visits += chunk.visits
                bar.update(b - a)
        steps = max((part.shape[1] for part in parts.values()), default=0)
        new = np.zeros((last - first, steps), np.int32)
        for a, part in parts.items():
            new[a - first : a - first + len(part), : part.shape[1]] = part
        node_counts = np.zeros(self.graph.n_nodes, np.int64)
        for found in spaces:
            node_counts += found.node_counts
        return new, node_counts, visits

    def replay(self, run: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """One run alone -> internal nodes in order of step, their steps, positions of their parents (-1: seed)."""
        if self.threshold:
            return self._threshold_run(run, _Workspace(self.graph.n_nodes, 0, False))
        found = replay_run(
            self.graph._indptr,
            self.graph._indices,
            self._p,
            self._lo,
            self._hi,
            self.linear,
            self._start,
            self.key,
            run,
        )
        return found[0], found[1], found[2]

    def _lanes_chunk(self, first: int, last: int, space: _Workspace) -> Chunk:
        words = _words(last - first)
        counts, visits = run_batch(
            self.graph._indptr, self.graph._indices, self._p, self._lo, self._hi, self.linear, self._start, self.key,
            first // BATCH, 0, words, last - first, space.state, space.active, space.flags, space.queues,
            space.node_counts,
        )  # fmt: skip
        return Chunk(np.ascontiguousarray(counts[:, : last - first].T), int(visits))

    def _threshold_chunk(self, first: int, last: int, space: _Workspace) -> Chunk:
        steps = [np.bincount(self._threshold_run(run, space)[1]) for run in range(first, last)]
        new = np.zeros((last - first, max(len(s) for s in steps)), np.int32)
        for row, s in zip(new, steps, strict=True):
            row[: len(s)] = s
        return Chunk(new, 0)

    def _threshold_run(
        self, run: int, space: _Workspace
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        found = threshold_run(
            self.graph._indptr, self.graph._indices, self.graph._multiplicity, self._need, self._noise, self._start,
            self.key, run, space.count, space.mark, space.node_counts,
        )  # fmt: skip
        return found[0], found[1], found[2]


def _words(runs: int) -> int:
    """Words a row needs: a full row goes through vector instructions, so little is saved between 3 and 7."""
    needed = -(-runs // 64)
    return WORDS if needed > 2 else needed
