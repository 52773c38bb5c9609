"""Greedy selection by simulation: every candidate is tried in the same worlds, for any model."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import progress
from .._provenance import provenance
from .._random import RNGLike, key_of
from .._threads import map_chunks, n_threads
from .._validation import whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.node_weights import reach_weights
from ..models.base import DiffusionModel
from ..models.program import Start
from ..simulation.runner import Runner, chunks, prepare, row_words, seed_labels
from ._search import check_k, is_number, permitted

__all__ = ["GreedySelection", "greedy"]

NO_GUARANTEE = "no guarantee: where users wait for several others the spread is not submodular (a second seed can add more than the first)"
IN_WORLDS = "at least 1 - 1/e = 63 % of the best set in these {runs:,} worlds (Kempe, Kleinberg and Tardos 2003)"


@dataclass(frozen=True, repr=False, eq=False)
class GreedySelection:
    """Seeds in the order of greedy selection in common worlds.

    Attributes
    ----------
    seeds : tuple of labels
    gains : ndarray of float64, shape (len(seeds),)
        Mean marginal spread of each seed in the worlds that chose it, which flatters it.
    runs : int
        Worlds each set was tried in (1 for a deterministic model).
    evaluations : int
        Seed sets that were simulated.
    guarantee : str
        What is proven of this selection, in words.
    stopped : {"done", "time", "interrupted"}
        Otherwise than by "done" there are fewer seeds than asked for.
    method : {"greedy", "celf"}
    seconds : float
    already : float
        Spread of the seeds already taken, in the same worlds.
    key : int
    provenance : dict
    """

    seeds: tuple[Any, ...]
    gains: NDArray[np.float64]
    runs: int
    evaluations: int
    guarantee: str
    stopped: str
    method: str
    seconds: float
    already: float
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.seeds)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a seed: rank (from 1), node, gain, cumulated spread."""
        return pd.DataFrame(
            {
                "rank": np.arange(1, len(self.seeds) + 1),
                "node": pd.Index(list(self.seeds), tupleize_cols=False),
                "gain": self.gains,
                "spread": self.already + np.cumsum(self.gains),
            }
        )

    def __repr__(self) -> str:
        head = ", ".join(map(repr, self.seeds[:5])) + (", ..." if len(self.seeds) > 5 else "")
        text = f"GreedySelection: {len(self.seeds):,} seeds by {self.method} in {self.runs:,} worlds: {head}"
        return f"{text}; {self.guarantee}"


def submodular(engine: Runner) -> bool:
    """Does every world reach from a seed set what it reaches from its members one by one?

    So it is where one active neighbour, or one sharer, is enough: what a sharer passes on, by whichever channel, is then
    fixed in a world, whoever the seeds are. A feed that answers to engagement, or a user who draws anew at every exposure,
    changes nothing of that.
    """
    return engine.model.submodular(engine.graph)


class _Evaluator:
    """Mean spread of seed sets (internal nodes) in the same worlds, with the memory of one thread."""

    def __init__(self, runner: Runner, runs: int, weights: NDArray[np.float64] | None) -> None:
        self._program, self._key = runner.program, runner.start.key
        self._runs = runs
        self._weights = weights
        words = row_words(self._program, runs)
        self._space = self._program.workspace(words)
        self._chunks = chunks(0, runs, words)

    def spread(self, seeds: NDArray[np.int32]) -> float:
        space, start = self._space, Start(np.sort(seeds).astype(np.int32), self._key)
        if self._weights is not None:
            space.node_counts[:] = 0
        total = 0
        for first, last in self._chunks:
            total += int(self._program.run(start, first, last, space).new[..., 0].sum(dtype=np.int64))
        if self._weights is not None:
            return float(space.node_counts[:, 0] @ self._weights) / self._runs
        return total / self._runs


def greedy(
    graph: FollowerGraph,
    k: int,
    *,
    model: DiffusionModel | str = "ic",
    method: str = "celf",
    runs: int = 512,
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    taken: Iterable[Any] = (),
    node_weights: Any = None,
    time_limit: float | None = None,
    rng: RNGLike = None,
    threads: int | None = None,
) -> GreedySelection:
    """Choose k seeds one after the other, each the one that adds most to the mean spread in the same worlds.

    Parameters
    ----------
    graph : FollowerGraph
    k : int
        Number of seeds, from 1 to the number of candidates.
    model : DiffusionModel or {"ic", "lt"}
        Any, also ``Threshold(...)``.
    method : {"celf", "greedy"}
        ``"greedy"`` tries every candidate at every step. ``"celf"`` leaves out candidates whose last known gain is too
        small (Leskovec et al. 2007): the same seeds where gains only fall, which `guarantee` then says; a shortcut without
        proof for thresholds and complex identification that need more than one.
    runs : int
        Worlds; multiples of 512 use the kernel best.
    candidates, exclude, taken, node_weights, time_limit, rng, threads
        As in `opim`.

    Returns
    -------
    GreedySelection
        Ties go to the label that comes first. Ctrl-C or the time limit return the seeds chosen so far.

    Raises
    ------
    InputError
        A value out of range, k over the number of candidates, no probabilities, or weights that are all 0.
    NotFoundError
        An unknown label or model.

    Notes
    -----
    The first step simulates every candidate: on large graphs give `candidates`, or use `opim`.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> greedy(g, 2, model=dif.Threshold(count=1)).seeds
    (0, 4)
    """
    start = time.perf_counter()
    if method not in ("greedy", "celf"):
        raise InputError(f"method={method!r} is unknown here: choose 'greedy' or 'celf'")
    runs = whole(runs, "runs")
    if time_limit is not None and (not is_number(time_limit) or time_limit <= 0):
        raise InputError(f"time_limit={time_limit!r} is no time: give seconds above 0, or None")
    deadline = start + (float("inf") if time_limit is None else float(time_limit))
    allowed = permitted(graph, candidates, exclude, taken)
    k = check_k(k, allowed)
    weights = reach_weights(graph, node_weights)
    engine = prepare(graph, model, seed_labels(graph, taken), key_of(rng))
    worlds = 1 if engine.deterministic else runs
    search = _Search(engine, worlds, weights, allowed, n_threads(threads), deadline, lazy=method == "celf")
    stopped = "done"
    with progress(total=k, description=method, unit="seed") as bar:
        try:
            while len(search.seeds) < k:
                if not search.step():
                    stopped = "time"
                    break
                bar.update()
        except KeyboardInterrupt:
            if not search.seeds:
                raise
            stopped = "interrupted"
    guarantee = IN_WORLDS.format(runs=worlds) if submodular(engine) else NO_GUARANTEE
    rule = graph.probabilities
    record = provenance(
        "greedy",
        key=int(engine.key),
        model=engine.model.label,
        probabilities=None if rule is None else rule.label,
        graph=graph.fingerprint,
        method=method,
        k=k,
        runs=worlds,
        stopped=stopped,
    )
    return GreedySelection(
        tuple(graph.index.labels_of(np.array(search.seeds, np.int64)).tolist()), np.array(search.gains), worlds,
        search.evaluations, guarantee, stopped, method, time.perf_counter() - start, search.already, int(engine.key),
        record,
    )  # fmt: skip


class _Search:
    """The state of a greedy selection; a step that is broken off leaves it as it was."""

    def __init__(
        self,
        engine: Runner,
        runs: int,
        weights: NDArray[np.float64] | None,
        allowed: NDArray[np.bool_],
        threads: int,
        deadline: float,
        *,
        lazy: bool,
    ) -> None:
        self._order = engine.graph.index.order
        self._taken = engine.start.seeds
        self._threads = threads
        self._deadline = deadline
        self._lazy = lazy
        self._evaluators = [_Evaluator(engine, runs, weights) for _ in range(threads)]
        self._left = [int(v) for v in np.flatnonzero(allowed)[np.argsort(self._order[allowed])]]
        self._heap: list[tuple[float, int, int, int]] = []  # -gain, place of the label, node, seeds when it was known
        self.seeds: list[int] = []
        self.gains: list[float] = []
        self.evaluations = 0
        self.already = self._evaluators[0].spread(self._taken) if len(self._taken) else 0.0

    def step(self) -> bool:
        """Choose one seed; False if the time ended before."""
        if self._lazy and self.seeds:
            return self._lazy_step()
        found = self._try_all(self._left)
        if found is None:
            return False
        best = min(found)
        self._left.remove(best[2])
        if self._lazy:
            self._heap = [entry for entry in found if entry is not best]
            heapq.heapify(self._heap)
        self._take(best)
        return True

    def _lazy_step(self) -> bool:
        now = len(self.seeds)
        while self._heap[0][3] < now:
            if time.perf_counter() > self._deadline:
                return False
            _, place, v, _ = self._heap[0]
            entry = (-self._gain(self._evaluators[0], v), place, v, now)
            self.evaluations += 1
            heapq.heapreplace(self._heap, entry)
        self._take(heapq.heappop(self._heap))
        return True

    def _take(self, entry: tuple[float, int, int, int]) -> None:
        self.seeds.append(entry[2])
        self.gains.append(-entry[0])

    def _gain(self, evaluator: _Evaluator, v: int) -> float:
        chosen = np.concatenate([self._taken, np.array([*self.seeds, v], np.int32)])
        return evaluator.spread(chosen) - self.already - sum(self.gains)

    def _try_all(self, nodes: list[int]) -> list[tuple[float, int, int, int]] | None:
        free = list(self._evaluators)  # list.pop and append are atomic

        def work(span: tuple[int, int]) -> list[tuple[float, int, int, int]]:
            evaluator = free.pop()
            try:
                return [
                    (-self._gain(evaluator, v), int(self._order[v]), v, len(self.seeds))
                    for v in nodes[span[0] : span[1]]
                ]
            finally:
                free.append(evaluator)

        spans = [(a, min(a + 16, len(nodes))) for a in range(0, len(nodes), 16)]
        found: list[tuple[float, int, int, int]] = []
        for _, entries in map_chunks(work, spans, threads=min(self._threads, len(spans))):
            found += entries
            self.evaluations += len(entries)
            if time.perf_counter() > self._deadline and len(found) < len(nodes):
                return None
        return found
