"""Greedy selection by simulation: every candidate is tried in the same worlds, for any model."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..._progress import progress
from ..._threads import map_chunks
from ..._validation import whole
from ...models.program import Start
from ...simulation.runner import Runner, chunks, row_words
from ..problem import SelectionProblem
from ..selection import SeedSelection
from .base import Strategy

__all__ = ["CELF", "Greedy"]

IN_WORLDS = "at least 1 - 1/e = 63 % of the best set in these {runs:,} worlds (Kempe, Kleinberg and Tardos 2003)"


@dataclass(frozen=True)
class Greedy(Strategy):
    """Greedy by simulation in common worlds (Kempe, Kleinberg and Tardos 2003).

    Seeds are chosen one after the other, each the one that adds most to the mean spread.

    Parameters
    ----------
    runs : int
        Worlds; multiples of 512 use the kernels best. A deterministic model has one.

    See Also
    --------
    seeding.CELF, seeding.OPIM, select_seeds

    Notes
    -----
    For any model. Ties go to the label that comes first. The first step simulates every candidate: on large graphs give
    `candidates`, or use `OPIM`. Ctrl-C or the time limit return the seeds chosen so far (`stopped` says so). Gains are
    mean marginal spreads in the worlds that chose the seeds, which flatters them.

    References
    ----------
    Kempe, Kleinberg and Tardos (2003), "Maximizing the spread of influence through a social network", KDD, section 2.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> dif.select_seeds(g, 1, method=Greedy(runs=64), rng=7).seeds
    (0,)
    """

    runs: int = 512
    name = "greedy"
    supports = frozenset({"candidates", "exclude", "existing", "node_weights", "time_limit"})
    simulates = True
    _lazy: ClassVar[bool] = False

    def __post_init__(self) -> None:
        whole(self.runs, "runs")

    def choose(self, problem: SelectionProblem) -> SeedSelection:
        k = problem.constraint.k
        assert k is not None
        runner = Runner.of(problem.graph, problem.model, problem.existing, problem.key)
        runs = 1 if runner.deterministic else self.runs
        evaluators = [Evaluator(runner, runs, problem.weights) for _ in range(problem.threads)]
        existing, deadline = runner.start.seeds, problem.deadline
        order = problem.graph.index.order
        search = Search(evaluators, order, problem.allowed, existing, deadline=deadline, lazy=self._lazy)
        stopped = search.run(k, self.name)
        covers = problem.model.submodular(problem.graph)
        guarantee = IN_WORLDS.format(runs=runs) if covers else f"no guarantee: {problem.model.not_submodular}"
        gains = np.array(search.gains)
        facts = {"k": k, "runs": runs, "evaluations": search.evaluations, "stopped": stopped}
        proven = {"gains": gains, "guarantee": guarantee, "existing_spread": search.already}
        origin, users = problem.record(self.name, **facts), np.array(search.seeds, np.int64)
        return problem.selection(users, self.name, gains, **proven, stopped=stopped, provenance=origin)


@dataclass(frozen=True)
class CELF(Greedy):
    """Greedy by simulation that leaves out candidates whose last known gain is too small (Leskovec et al. 2007).

    The same seeds as those of `Greedy` where gains only fall, which `guarantee` then says; a shortcut without proof for
    thresholds and complex identification that need more than one neighbour.

    Parameters
    ----------
    runs : int
        Worlds, as for `Greedy`.

    See Also
    --------
    seeding.Greedy, seeding.OPIM, select_seeds

    References
    ----------
    Leskovec et al. (2007), "Cost-effective outbreak detection in networks", KDD.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> dif.select_seeds(g, 1, method=CELF(runs=64), rng=7).seeds
    (0,)
    """

    name = "celf"
    _lazy = True


class Evaluator:
    """Mean spread of seed sets (internal nodes) in the same worlds, with the memory of one thread."""

    def __init__(self, runner: Runner, runs: int, weights: NDArray[np.float64] | None) -> None:
        self._program, self._key = runner.program, runner.start.key
        self._runs = runs
        self._weights = weights
        words = row_words(self._program, runs)
        self._space = self._program.workspace(words)
        self._chunks = chunks(0, runs, words)

    def spread(self, seeds: NDArray[np.int32]) -> float:
        """Mean spread of a seed set."""
        space, start = self._space, Start(np.sort(seeds).astype(np.int32), self._key)
        if self._weights is not None:
            space.node_counts[:] = 0
        total = 0
        for first, last in self._chunks:
            total += int(self._program.run(start, first, last, space).new[..., 0].sum(dtype=np.int64))
        if self._weights is not None:
            return float(space.node_counts[:, 0] @ self._weights) / self._runs
        return total / self._runs


class Search:
    """The state of a greedy selection; a step that is broken off leaves it as it was.

    Parameters
    ----------
    evaluators : list of Evaluator
        One a thread: what a seed set (internal nodes) is worth.
    order : ndarray of int32, shape (n_nodes,)
        Place of the label of each node: ties go to the first.
    allowed : ndarray of bool, shape (n_nodes,)
    existing : ndarray of int32
        Seeds there are already.
    deadline : float
        Of `time.perf_counter`.
    lazy : bool
        Leave out candidates whose last known gain is too small.
    bounds : ndarray of float64, shape (n_nodes,), optional
        At least what each node adds: a lazy search then need not try all of them for the first seed.
    """

    def __init__(
        self,
        evaluators: Sequence[Evaluator],
        order: NDArray[np.int32],
        allowed: NDArray[np.bool_],
        existing: NDArray[np.int32],
        *,
        deadline: float,
        lazy: bool,
        bounds: NDArray[np.float64] | None = None,
    ) -> None:
        self._order = order
        self._existing = existing
        self._deadline = deadline
        self._lazy = lazy
        self._evaluators = evaluators
        self._left = [int(v) for v in np.flatnonzero(allowed)[np.argsort(self._order[allowed])]]
        self._heap: list[tuple[float, int, int, int]] = []  # -gain, place of the label, node, seeds when it was known
        if bounds is not None and lazy:
            self._heap = [(-float(bounds[v]), int(order[v]), v, -1) for v in self._left]
            heapq.heapify(self._heap)
        self.seeds: list[int] = []
        self.gains: list[float] = []
        self.evaluations = 0
        self.already = self._evaluators[0].spread(self._existing) if len(self._existing) else 0.0

    def run(self, k: int, description: str) -> str:
        """Choose seeds until there are k, with progress  ->  "done", or "time" or "interrupted" with fewer."""
        with progress(total=k, description=description, unit="seed") as bar:
            try:
                while len(self.seeds) < k:
                    if not self.step():
                        return "time"
                    bar.update()
            except KeyboardInterrupt:
                if not self.seeds:
                    raise
                return "interrupted"
        return "done"

    def step(self) -> bool:
        """Choose one seed; False if the time ended before."""
        if self._lazy and self._heap:
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

    def _gain(self, evaluator: Evaluator, v: int) -> float:
        chosen = np.concatenate([self._existing, np.array([*self.seeds, v], np.int32)])
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
        for _, entries in map_chunks(work, spans, threads=min(len(self._evaluators), len(spans))):
            found += entries
            self.evaluations += len(entries)
            if time.perf_counter() > self._deadline and len(found) < len(nodes):
                return None
        return found
