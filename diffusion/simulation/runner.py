"""The one place that knows chunks, threads, memory and progress: a prepared model, driven over many runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._memory import available_bytes, bytes_text
from .._progress import progress
from .._threads import map_chunks, n_threads
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..kernels.coins import WORDS
from ..models.base import DiffusionModel
from ..models.program import BATCH, NO_WEIGHTS, ONE_BRAND, Chunk, Program, Start, Trace, Workspace, stack_runs
from ..models.registry import model_of

__all__ = ["Runner", "Runs", "chunks", "drive", "join_runs", "prepare", "row_words", "seed_labels", "seeds_of_brands"]

T = TypeVar("T")
MANY_RUNS = 10**6  # fewer are not looked at: what one batch takes says more
SETS = (list, tuple, set, frozenset, np.ndarray, pd.Series, pd.Index)


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
    positions = graph.index.positions(list(seeds))
    labels: list[Any] = graph.nodes.take(list(dict.fromkeys(positions.tolist()))).tolist()
    return labels


def seeds_of_brands(
    graph: FollowerGraph, model: DiffusionModel, seeds: Any
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Return the seeds of a model as internal nodes, and the brand of each; without rivals there are no brands."""
    if not model.brands:
        return graph.index.internal(seed_labels(graph, seeds)), ONE_BRAND
    example = "seeds={" + ", ".join(f"{name!r}: [...]" for name in model.brands) + "}"
    if not isinstance(seeds, Mapping):
        raise InputError(f"{model.name} has rivals, and seeds is a {type(seeds).__name__}: give {example}")
    unknown = [name for name in seeds if name not in model.brands]
    if unknown:
        raise NotFoundError(
            f"seeds names the brand {unknown[0]!r}, which {model.name} does not have: give {example}."
            + did_you_mean(unknown[0], model.brands)
        )
    parts = [graph.index.internal(seed_labels(graph, seeds.get(name, ()))) for name in model.brands]
    nodes = np.concatenate(parts).astype(np.int32)
    brand_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts]).astype(np.int8)
    values, counts = np.unique(nodes, return_counts=True)
    if (counts > 1).any():
        twice = values[counts > 1][0]
        names = [model.brands[brand] for brand in brand_of[nodes == twice]]
        raise InputError(
            f"the node {graph.index.labels_of(np.asarray([twice])).tolist()[0]!r} is a seed of {names[0]!r} and of "
            f"{names[1]!r}: give each seed to one brand"
        )
    return nodes, brand_of


@dataclass(frozen=True)
class Runs:
    """What many kernel calls give.

    Attributes
    ----------
    new : ndarray of int32, shape (runs, steps, states)
    node_counts : ndarray of int64, shape (n_nodes, columns)
        By internal node, over all runs.
    visits : int
        Arcs visited.
    weight : ndarray of float64, shape (runs,), or None
        Weight of the active nodes of each run, where nodes have weights.
    details : dict of str to ndarray
        What else the model counts by run and step.
    totals : dict of str to int
        What the model counts over all runs.

    See Also
    --------
    simulation.Runner, results.Ensemble
    """

    new: NDArray[np.int32]
    node_counts: NDArray[np.int64]
    visits: int
    weight: NDArray[np.float64] | None = None
    details: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def values(self) -> NDArray[Any]:
        """What a run counts: its active nodes, or their weights."""
        return self.new[..., 0].sum(axis=1, dtype=np.int64) if self.weight is None else self.weight


def join_runs(parts: list[Runs]) -> Runs:
    """Join blocks of runs in order."""
    return parts[0] if len(parts) == 1 else _joined(parts, np.sum([part.node_counts for part in parts], axis=0))


def _joined(parts: Sequence[Runs | Chunk], node_counts: NDArray[np.int64]) -> Runs:
    weights = [part.weight for part in parts if part.weight is not None]
    return Runs(
        stack_runs([part.new for part in parts]),
        node_counts,
        sum(part.visits for part in parts),
        np.concatenate(weights) if weights else None,
        {name: stack_runs([part.details[name] for part in parts]) for name in parts[0].details},
        {name: sum(part.totals[name] for part in parts) for name in parts[0].totals},
    )


def prepare(
    graph: FollowerGraph,
    model: DiffusionModel | str,
    seeds: Any,
    key: int,
    weights: NDArray[np.float64] | None = None,
) -> Runner:
    """Prepare a model on a graph from seeds (labels) in the worlds of a key.

    Parameters
    ----------
    graph : FollowerGraph
    model : DiffusionModel or str
    seeds : iterable of node labels
    key : int
        64 bits from which every draw follows.
    weights : ndarray of float64, shape (n_nodes,), optional
        By internal node: what the activation of each counts; default 1.

    Returns
    -------
    Runner

    See Also
    --------
    simulation.Runner, simulate

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> runner = prepare(g.with_probabilities("constant", p=1.0), "ic", [0], key=7)
    >>> runner.run(0, 512).values.tolist() == [3] * 512
    True
    """
    check_graph(graph)
    model = model_of(model)
    nodes, brand_of = seeds_of_brands(graph, model, seeds)
    return Runner.of(graph, model, nodes, key, weights, brand_of)


@dataclass(frozen=True, eq=False)
class Runner:
    """Runs of one prepared model from one seed set in the worlds of one key.

    Attributes
    ----------
    graph : FollowerGraph
    model : DiffusionModel
    program : Program
        What the model compiled to, which may be the program of another model on another graph of the same nodes.
    nodes : ndarray of int32
        Seeds as internal nodes.
    key : int
    weights : ndarray of float64 or None
        By internal node.
    brand_of : ndarray of int8
        Brand of each seed, of models with rivals; else empty.

    See Also
    --------
    simulation.prepare, simulation.Runs, simulate
    """

    graph: FollowerGraph
    model: DiffusionModel
    program: Program
    nodes: NDArray[np.int32]
    key: int
    weights: NDArray[np.float64] | None = None
    brand_of: NDArray[np.int8] = field(default_factory=lambda: ONE_BRAND)

    @classmethod
    def of(
        cls,
        graph: FollowerGraph,
        model: DiffusionModel,
        nodes: NDArray[np.int32],
        key: int,
        weights: NDArray[np.float64] | None = None,
        brand_of: NDArray[np.int8] = ONE_BRAND,
    ) -> Runner:
        """Compile a model on a graph for runs from internal nodes; see the attributes.

        Parameters
        ----------
        graph : FollowerGraph
        model : DiffusionModel
        nodes : ndarray of int32
        key : int
        weights : ndarray of float64, optional
        brand_of : ndarray of int8, optional

        Returns
        -------
        Runner
        """
        model.check_graph(graph)
        return cls(graph, model, model.compile(graph), nodes, key, weights, brand_of)

    @cached_property
    def seeds(self) -> list[Any]:
        """Labels of the seeds, in the order given."""
        return list(self.graph.index.labels_of(self.nodes).tolist())

    @cached_property
    def start(self) -> Start:
        """Seeds in ascending order, with the key of the worlds."""
        weights = NO_WEIGHTS if self.weights is None else self.weights
        order = np.argsort(self.nodes, kind="stable")
        brand_of = self.brand_of[order] if self.brand_of.size else self.brand_of
        return Start(self.nodes[order].astype(np.int32), np.uint64(self.key), weights, brand_of=brand_of)

    @property
    def deterministic(self) -> bool:
        """Is every run the same, whatever the key?"""
        return self.program.deterministic

    @property
    def unit(self) -> str:
        """What spreads count."""
        return "nodes" if self.weights is None else "node weight"

    def limits(self) -> tuple[float, float]:
        """Least and most that one run can give: nodes that are certain to become active, and nodes that can at all."""
        return self._limits

    @cached_property
    def _limits(self) -> tuple[float, float]:
        of = np.ones(self.graph.n_nodes) if self.weights is None else self.weights
        certain, possible = self.program.certain(self.start), self.program.possible(self.start)
        return float(of[np.sort(certain)].sum()), float(of[np.sort(possible)].sum())

    def replay(self, run: int) -> Trace:
        """Compute one run alone, with who activated whom."""
        return self.program.replay(self.start, run)

    def run(self, first: int, last: int, *, threads: int | None = None, show: bool = True) -> Runs:
        """Compute runs first ... last - 1.

        `first` must be a multiple of `BATCH`, so that chunks are the same whichever way a range is cut.

        Parameters
        ----------
        first, last : int
        threads : int, optional
        show : bool
            Show progress.

        Returns
        -------
        Runs

        Examples
        --------
        >>> import diffusion as dif
        >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
        >>> runs = prepare(g.with_probabilities("constant", p=1.0), "ic", [0], key=7).run(0, 512)
        >>> runs.new.shape
        (512, 3, 1)
        """
        return self._run(self.start, first, last, threads, show)

    def run_each(self, users: NDArray[np.int32], *, first: int = 0, threads: int | None = None) -> Runs:
        """Compute runs first, first + 1, ..., each started from one (internal) user alone.

        Parameters
        ----------
        users : ndarray of int32, shape (runs,)
        first : int
            Number of the first run.
        threads : int, optional

        Returns
        -------
        Runs
        """
        last = first + len(users)
        start = Start(np.array(users, np.int32), self.start.key, self.start.weights, np.arange(first, last))
        return self._run(start, first, last, threads, show=False)

    def _run(self, start: Start, first: int, last: int, threads: int | None, show: bool) -> Runs:
        least, room = 8 * (last - first), available_bytes()  # two steps of every run
        if last - first > MANY_RUNS and least > room:
            raise InputError(
                f"{bytes_text(least)} of memory are the least that so many runs take, and {bytes_text(room)} may be used: "
                "give fewer runs"
            )
        spaces: list[Workspace] = []

        def work(a: int, b: int, space: Workspace) -> Chunk:
            return self.program.run(start, a, b, space)

        with progress(total=last - first, description="cascades", unit="run", show=show) as bar:
            parts = drive(self.program, first, last, work, threads=threads, spaces=spaces, bar=bar)
        return _joined(parts, np.sum([space.node_counts for space in spaces], axis=0))

    def prefix_sizes(
        self, order: NDArray[np.int32], ends: NDArray[np.int64], first: int, last: int, *, threads: int | None = None
    ) -> NDArray[np.int64]:
        """Active nodes in runs first ... last - 1 from prefixes of an order of internal nodes.

        The same numbers as those of a runner of each prefix; for programs that share prefixes.

        Parameters
        ----------
        order : ndarray of int32, shape (k, 1), or (k, runs) where every run has its own
            -1 for none.
        ends : ndarray of int64
            Lengths of the prefixes, rising.
        first, last : int
            `first` is a multiple of `BATCH`.
        threads : int, optional

        Returns
        -------
        ndarray of int64, shape (len(ends), last - first)
        """

        def work(a: int, b: int, space: Workspace) -> NDArray[np.int32]:
            mine = order if order.shape[1] == 1 else np.ascontiguousarray(order[:, a - first : b - first])
            return self.program.prefixes(self.start, mine, ends, a, b, space)

        parts = drive(self.program, first, last, work, threads=threads)
        return np.cumsum(np.concatenate(parts, axis=1), axis=0, dtype=np.int64)


def drive(
    program: Program,
    first: int,
    last: int,
    work: Callable[[int, int, Workspace], T],
    *,
    threads: int | None = None,
    spaces: list[Workspace] | None = None,
    bar: Any = None,
) -> list[T]:
    """Call `work` for every chunk of runs first ... last - 1, in the workspace of its thread  ->  results in order of runs.

    Workspaces are appended to `spaces`; a chunk never crosses a multiple of `BATCH`, and `first` is one.
    """
    assert first % BATCH == 0
    words = row_words(program, last - first)
    pieces = chunks(first, last, words)
    count = max(min(n_threads(threads), len(pieces), _room(program, words)), 1)
    mine = threading.local()

    def one(piece: tuple[int, int]) -> T:
        space: Workspace | None = getattr(mine, "space", None)
        if space is None:
            space = mine.space = program.workspace(words)
            if spaces is not None:
                spaces.append(space)
        return work(*piece, space)

    parts: dict[int, T] = {}
    for (a, b), part in map_chunks(one, pieces, threads=count):
        parts[a] = part
        if bar is not None:
            bar.update(b - a)
    return [parts[a] for a in sorted(parts)]


def chunks(first: int, last: int, words: int) -> list[tuple[int, int]]:
    """Cut runs first ... last - 1 into kernel calls; `first` is a multiple of `BATCH`, and no call crosses one."""
    size = 64 * words if words else BATCH
    return [(start, min(start + size, last)) for start in range(first, last, size)]


def row_words(program: Program, runs: int) -> int:
    """Words of a row, 0 where the model has no lanes: full rows go through vector instructions.

    Between 3 and 7 words little would be saved. Rows shrink by halves until one fits into memory.
    """
    if not program.lanes:
        return 0
    needed = -(-min(runs, BATCH) // 64)
    words: int = WORDS if needed > 2 else max(needed, 1)
    while words > 1 and not _room(program, words):
        words //= 2
    if not _room(program, words):
        raise InputError(
            f"64 runs at once on {program.graph.n_nodes:,} nodes need {program.bytes_of_workspace(1):,} bytes of memory, "
            f"and {available_bytes():,} may be used: free some memory, use a smaller graph or a larger machine"
        )
    return words


def _room(program: Program, words: int) -> int:
    """How many threads' rows of so many words fit into memory."""
    return int(available_bytes() // program.bytes_of_workspace(words))
