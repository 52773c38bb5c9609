"""From a graph, a model, seeds and a key to kernel calls, in chunks of runs that do not depend on each other."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._memory import available_bytes, bytes_text
from .._progress import progress
from .._threads import map_chunks, n_threads
from ..errors import InputError
from ..graph._given import check_graph
from ..graph._probabilities import lt_bounds
from ..graph.follower_graph import FollowerGraph
from ..kernels.arcs import Arcs, Block, Start, Weighing
from ..kernels.cascade import replay_run, run_batch
from ..kernels.coins import LANES, WORDS
from ..kernels.lanes import Lanes
from ..kernels.threshold import Adoption, CountedArcs, Tallies, threshold_batch, threshold_run
from .models import LT, Model, Threshold, model_of

__all__ = [
    "BATCH",
    "Chunk",
    "Engine",
    "Runs",
    "Workspace",
    "aligned",
    "check_runs",
    "join_runs",
    "seed_labels",
    "stack_runs",
]

BATCH = LANES
MANY_RUNS = 10**6  # fewer are not looked at: what one batch takes says more
SETS = (list, tuple, set, frozenset, np.ndarray, pd.Series, pd.Index)
_NO_BOUNDS = np.zeros(1, np.uint32)
_NO_BOUNDS.flags.writeable = False
_EVERY_RUN = np.zeros(0, np.int64)
_EVERY_RUN.flags.writeable = False
NO_WEIGHTS = np.zeros(0)
NO_WEIGHTS.flags.writeable = False
_ALWAYS = np.uint32(0xFFFFFFFF)  # the interval bound that stands for certainty
_NO_PROBABILITY = np.zeros(1, np.float32)
_NO_PROBABILITY.flags.writeable = False


def check_runs(runs: object, what: str = "runs") -> int:
    """Return a run count, a whole number from 1."""
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or runs < 1:
        raise InputError(f"{what}={runs!r} is not a run count: give a whole number from 1")
    return int(runs)


def seed_labels(graph: FollowerGraph, seeds: Any) -> list[Any]:
    """Return the distinct seeds as a list of labels, in the order given; one label alone stands for itself."""
    check_graph(graph)
    if isinstance(seeds, Mapping) and any(isinstance(v, SETS) or hasattr(v, "seeds") for v in seeds.values()):
        raise InputError(
            f"seeds is a {type(seeds).__name__} of several seed sets, and one is a list of node labels. To compare them: "
            "dif.compare(graph, {'A': [...], 'B': [...]})"
        )
    if getattr(seeds, "ndim", 1) > 1:
        raise InputError(
            f"seeds is a {type(seeds).__name__} of {seeds.ndim} dimensions: give node labels, such as table['node']"
        )
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
    """What one kernel call gives: ``new[run, step]`` of its runs and the arcs it visited; SIPS adds its tally.

    `worth` holds the weights of the active nodes by run, where the engine has weights.
    """

    new: NDArray[np.int32]
    visits: int
    tally: NDArray[np.int32] | None = None
    capped: int = 0
    worth: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Runs:
    """What many kernel calls give: ``new[run, step]``, counts by internal node, arcs visited.

    SIPS adds ``tally[run, step, channel, column]``, counts by internal node and stage, and the notes that met a cap;
    node weights add their sum over the active nodes, by run.
    """

    new: NDArray[np.int32]
    node_counts: NDArray[np.int64]
    visits: int
    tally: NDArray[np.int32] | None = None
    stage_counts: NDArray[np.int64] | None = None
    capped: int = 0
    worth: NDArray[np.float64] | None = None

    @property
    def values(self) -> NDArray[Any]:
        """What a run counts: its active nodes, or their weights."""
        return self.new.sum(axis=1, dtype=np.int64) if self.worth is None else self.worth


def stack_runs(parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Join blocks of runs, which may have different numbers of steps."""
    steps = max((part.shape[1] for part in parts), default=0)
    runs = sum(len(part) for part in parts)
    whole = np.zeros((runs, steps, *(parts[0].shape[2:] if parts else ())), np.int32)
    at = 0
    for part in parts:
        whole[at : at + len(part), : part.shape[1]] = part
        at += len(part)
    return whole


def join_runs(parts: list[Runs]) -> Runs:
    """Join blocks of runs in order."""
    if len(parts) == 1:
        return parts[0]
    tallies = [part.tally for part in parts if part.tally is not None]
    stages = [part.stage_counts for part in parts if part.stage_counts is not None]
    return Runs(
        stack_runs([part.new for part in parts]),
        np.sum([part.node_counts for part in parts], axis=0),
        sum(part.visits for part in parts),
        stack_runs(tallies) if tallies else None,
        np.sum(stages, axis=0) if stages else None,
        sum(part.capped for part in parts),
        join_worth(parts),
    )


def join_worth(parts: Sequence[Runs | Chunk]) -> NDArray[np.float64] | None:
    """Join the weights of blocks of runs in order; None where there are none."""
    found = [part.worth for part in parts if part.worth is not None]
    return np.concatenate(found) if found else None


def aligned(size: int) -> NDArray[np.uint64]:
    """Zeros that begin at a 128-byte boundary: a row of 8 words then never straddles two cache lines."""
    raw = np.zeros(size + 16, np.uint64)
    skip = (-raw.ctypes.data) % 128 // 8
    return raw[skip : skip + size]


def _state_bytes(n: int, words: int) -> int:
    """Bytes of one thread's workspace: 24 a word and node for the lanes, 21 a node beside them (33 without lanes)."""
    return n * (24 * words + 21 if words else 33)


class Workspace:
    """The memory of one thread, used again for every chunk; kernels leave it as they found it."""

    stage_counts: NDArray[np.int64] | None = None  # by node and stage, where a model has stages

    def __init__(self, n: int, words: int) -> None:
        self.node_counts = np.zeros(n, np.int64)
        self.words = words
        if words:
            flags, queues = np.zeros(n, np.uint8), np.empty((3, n), np.int32)
            self.lanes = Lanes(aligned(2 * n * words), aligned(n * words), flags, queues)
        else:
            self.tallies = Tallies(np.empty((5, n), np.int32), np.zeros(n, np.int32), np.zeros(n, np.uint8))


def _engine(
    kind: type[Engine], graph: FollowerGraph, model: Model, seeds: Any, key: int, weights: NDArray[np.float64]
) -> Engine:
    """Make an engine again from what was pickled."""
    weights.flags.writeable = False
    return kind(graph, model, seeds, key, weights)


class Engine:
    """Runs of one model from one seed set in the worlds of one key."""

    _run_of = _EVERY_RUN  # the only run of each seed, where every run has its own
    weights: NDArray[np.float64] = NO_WEIGHTS  # by internal node; empty: every node counts 1
    _lo = _hi = _NO_BOUNDS  # intervals of arcs, where the model is linear

    def __init__(
        self, graph: FollowerGraph, model: Model | str, seeds: Any, key: int, weights: NDArray[np.float64] | None = None
    ) -> None:
        self.graph = graph
        self.weights = NO_WEIGHTS if weights is None else weights
        self.model = model_of(model)
        self.seeds = seed_labels(graph, seeds)
        self.key = np.uint64(key)
        self._start = np.sort(graph._internal(self.seeds)).astype(np.int32)
        self.threshold = isinstance(self.model, Threshold)
        self.linear = isinstance(self.model, LT)
        self._p = _NO_PROBABILITY
        if isinstance(self.model, Threshold):
            need = self.model.need(graph._in_degree)
            need.flags.writeable = False
            self._adoption = Adoption(need, np.uint64(round(float(self.model.noise) * 2**32)))
            self._counted = CountedArcs(graph._indptr, graph._indices, graph._multiplicity)
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
        return _engine, (type(self), self.graph, self.model, self.seeds, int(self.key), self.weights)

    def run_each(self, users: NDArray[np.int32], *, first: int = 0, threads: int | None = None) -> Runs:
        """Runs first, first + 1, ..., each started from one (internal) user alone; `first` is a multiple of `BATCH`."""
        self._start = np.array(users, np.int32)
        self._run_of = np.arange(first, first + len(users))
        self._run_of.flags.writeable = False  # as `_EVERY_RUN`: kernels compile once
        return self.run(first, first + len(users), threads=threads, show=False)

    @property
    def arcs(self) -> Arcs:
        """Arcs and their probabilities or intervals, for kernels."""
        return Arcs(self.graph._indptr, self.graph._indices, self._p, self._lo, self._hi, self.linear)

    @property
    def start(self) -> Start:
        """Seeds, for kernels."""
        return Start(self._start, self._run_of)

    def block(self, first: int, last: int, words: int) -> Block:
        """Runs first ... last - 1 of one kernel call."""
        return Block(self.key, first // BATCH, first % BATCH // 64, words, last - first)

    @property
    def deterministic(self) -> bool:
        """Is every run the same whatever the key?"""
        return self.threshold and self._adoption.noise == 0

    def run(self, first: int, last: int, *, threads: int | None = None, show: bool = True) -> Runs:
        """Compute runs first ... last - 1.

        `first` must be a multiple of `BATCH`, so that chunks are the same whichever way a range is cut.
        """
        assert first % BATCH == 0
        least, room = 8 * (last - first), available_bytes()  # two steps of every run
        if last - first > MANY_RUNS and least > room:
            raise InputError(
                f"{bytes_text(least)} of memory are the least that so many runs take, and {bytes_text(room)} may be used: "
                "give fewer runs"
            )
        words = self._words(last - first)
        chunks = self.chunks(first, last, words)
        count = max(min(n_threads(threads), len(chunks), self._room(words)), 1)
        spaces: list[Workspace] = []
        mine = threading.local()

        def work(chunk: tuple[int, int]) -> Chunk:
            space: Workspace | None = getattr(mine, "space", None)
            if space is None:
                space = mine.space = self._space(words)
                spaces.append(space)
            return self.chunk(*chunk, space)

        parts: dict[int, Chunk] = {}
        with progress(total=last - first, description="cascades", unit="run", show=show) as bar:
            for (a, b), chunk in map_chunks(work, chunks, threads=count):
                parts[a] = chunk
                bar.update(b - a)
        done = [parts[a] for a in sorted(parts)]
        tallies = [part.tally for part in done if part.tally is not None]
        node_counts = np.zeros(self.graph.n_nodes, np.int64)
        stages: NDArray[np.int64] | None = None
        for found in spaces:
            node_counts += found.node_counts
            if found.stage_counts is not None:
                stages = found.stage_counts if stages is None else stages + found.stage_counts
        return Runs(
            stack_runs([part.new for part in done]), node_counts, sum(part.visits for part in done),
            stack_runs(tallies) if tallies else None, stages, sum(part.capped for part in done), join_worth(done),
        )  # fmt: skip

    def replay(self, run: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """One run alone -> internal nodes in order of step, their steps, positions of their parents (-1: seed)."""
        if self.threshold:
            return self._threshold_run(run, Workspace(self.graph.n_nodes, 0))
        found = replay_run(self.arcs, self._start, self.key, run)
        return found[0], found[1], found[2]

    def workspace(self, runs: int) -> Workspace:
        """Return the memory one thread needs for calls of `chunk` with up to so many runs in all."""
        return self._space(self._words(runs))

    def _space(self, words: int) -> Workspace:
        return Workspace(self.graph.n_nodes, words)

    @staticmethod
    def chunks(first: int, last: int, words: int) -> list[tuple[int, int]]:
        """Cut runs first ... last - 1 into kernel calls; `first` is a multiple of `BATCH`, and no call crosses one."""
        size = 64 * words if words else BATCH
        return [(start, min(start + size, last)) for start in range(first, last, size)]

    def chunk(self, first: int, last: int, space: Workspace) -> Chunk:
        """Compute runs first ... last - 1 of one chunk in the memory of one thread."""
        worth = self._sums(last - first, space)
        weighing = Weighing(self.weights, worth)
        if self.threshold:
            rules = self._counted, self._adoption, self._start, self.key
            new, visits = threshold_batch(*rules, first, last, space.tallies, space.node_counts, weighing)
            return Chunk(new, int(visits), worth=self._worth(worth, last - first))
        counts, visits = run_batch(
            self.arcs, self.start, self.block(first, last, space.words), space.lanes, space.node_counts, weighing
        )
        new = np.ascontiguousarray(counts[:, : last - first].T)
        return Chunk(new, int(visits), worth=self._worth(worth, last - first))

    def _sums(self, runs: int, space: Workspace) -> NDArray[np.float64]:
        """Zeros for the weights of so many runs; empty without weights."""
        return np.zeros((64 * space.words or runs) if self.weights.size else 0)

    def _worth(self, sums: NDArray[np.float64], runs: int) -> NDArray[np.float64] | None:
        return sums[:runs] if self.weights.size else None

    # -- what no run can leave -----------------------------------------------------------------------------------------

    @property
    def unit(self) -> str:
        """What spreads count."""
        return "node weight" if self.weights.size else "nodes"

    def limits(self) -> tuple[float, float]:
        """Least and most that one run can give: nodes that are certain to become active, and nodes that can at all."""
        found: tuple[float, float] | None = getattr(self, "_limits", None)
        if found is None:
            certain, possible = self._extremes()
            of = self.weights if self.weights.size else np.ones(self.graph.n_nodes)
            found = self._limits = float(of[np.sort(certain)].sum()), float(of[np.sort(possible)].sum())
        return found

    def _extremes(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Internal nodes that every run activates (some of them, at least), and those that some run may."""
        if self.threshold:
            return self._start, self._along(np.ones(1, np.bool_))
        if self.linear:
            return self._along((self._lo == 0) & (self._hi == _ALWAYS)), self._along(self._lo < self._hi)
        return self._along(self._p >= 1), self._along(self._p > 0)

    def _along(self, arcs: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Internal nodes that can be reached from the seeds along these arcs (one entry: all or none)."""
        sure = arcs.astype(np.float32)
        sure.flags.writeable = False
        along = Arcs(self.graph._indptr, self.graph._indices, sure, _NO_BOUNDS, _NO_BOUNDS, False)
        found = replay_run(along, self._start, self.key, 0)
        reached: NDArray[np.int32] = found[0]
        return reached

    def _words(self, runs: int) -> int:
        """Words of a row, 0 where the model has no lanes: full rows go through vector instructions.

        Between 3 and 7 words little would be saved. Rows shrink by halves until one fits into memory.
        """
        if self.threshold:
            return 0
        needed = -(-min(runs, BATCH) // 64)
        words: int = WORDS if needed > 2 else max(needed, 1)
        while words > 1 and not self._room(words):
            words //= 2
        if not self._room(words):
            raise InputError(
                f"64 runs at once on {self.graph.n_nodes:,} nodes need {_state_bytes(self.graph.n_nodes, 1):,} bytes of memory, "
                f"and {available_bytes():,} may be used: free some memory, use a smaller graph or a larger machine"
            )
        return words

    def _room(self, words: int) -> int:
        """How many threads' rows of so many words fit into memory."""
        return int(available_bytes() // _state_bytes(self.graph.n_nodes, words))

    def _threshold_run(
        self, run: int, space: Workspace
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        rules = self._counted, self._adoption, self._start, self.key
        found = threshold_run(*rules, run, space.tallies, space.node_counts)
        return found[0], found[1], found[2]
