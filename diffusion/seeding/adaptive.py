"""Seeds in waves: what the cascade of the first was seen to reach decides who comes next."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._arrays import constant
from .._html import card, table
from .._progress import one_bar, progress
from .._random import RNGLike, derive_key, key_of
from .._threads import map_chunks, n_threads
from .._upward import draw
from .._validation import level, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..graph.residual import residual_graph
from ..models.base import DiffusionModel, LiveEdges
from ..models.cascade import IC, LT
from ..models.registry import model_of
from ..results.estimates import Estimate
from ..results.intervals import mean_interval
from ..simulation.runner import Runner
from .constraints import Cardinality
from .problem import SelectionProblem, need_live_edges, record
from .registry import choose, strategy_of
from .select import selection_key
from .strategies.base import Strategy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AdaptiveSeeding", "adaptive_seeds"]

FEEDBACK = ("full", "myopic")


@dataclass(frozen=True, repr=False, eq=False)
class AdaptiveSeeding:
    """Seeds chosen in waves in many worlds, beside the same number chosen at once, in the same worlds.

    Attributes
    ----------
    seeds : tuple of tuple of tuple of labels
        ``seeds[i][j]``: seeds of wave j in world i.
    nonadaptive : tuple of labels
        Seeds chosen at once. The first wave has the first of them, in every world.
    adaptive_sizes : ndarray of int64, shape (worlds, waves)
        Active users in each world once the seeds of the first wave, of the first two, ... have spread to the end.
    nonadaptive_sizes : ndarray of int64, shape (worlds, waves)
        The same for as many of the seeds chosen at once.
    wave_sizes : tuple of int
        Seeds of every wave.
    method : str
    feedback : {"full", "myopic"}
    confidence : float
        Level of the intervals, which speak of the worlds; the choices are those of one key.
    n_nodes : int
        Users of the graph.
    key : int
    seconds : float
    provenance : dict

    See Also
    --------
    seeding.adaptive_seeds, seeding.SeedSelection

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(500, communities=2, rng=7).with_probabilities("constant", p=0.1)
    >>> found = dif.seeding.adaptive_seeds(g, 6, waves=3, worlds=32, rng=7)
    >>> found.wave_sizes, found.adaptive_sizes.shape, len(found.seeds[0][2])
    ((2, 2, 2), (32, 3), 2)
    """

    seeds: tuple[tuple[tuple[Any, ...], ...], ...]
    nonadaptive: tuple[Any, ...]
    adaptive_sizes: NDArray[np.int64]
    nonadaptive_sizes: NDArray[np.int64]
    wave_sizes: tuple[int, ...]
    method: str
    feedback: str
    confidence: float
    n_nodes: int
    key: int
    seconds: float
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def waves(self) -> int:
        """Number of waves."""
        return len(self.wave_sizes)

    @property
    def worlds(self) -> int:
        """Number of worlds."""
        return len(self.adaptive_sizes)

    @property
    def adaptive(self) -> NDArray[np.int64]:
        """Active users at the end of every world, of seeds in waves; shape (worlds,)."""
        return self.adaptive_sizes[:, -1]

    @property
    def at_once(self) -> NDArray[np.int64]:
        """Active users at the end of every world, of seeds chosen at once; shape (worlds,)."""
        return self.nonadaptive_sizes[:, -1]

    @cached_property
    def difference(self) -> Estimate:
        """Mean of what waves reach more than seeds chosen at once, in the same worlds, with its paired interval."""
        span = float(self.n_nodes)
        found = mean_interval(self.adaptive - self.at_once, self.confidence, (-span, span), exact=self.waves == 1)
        return Estimate(found.mean, found.low, found.high, self.confidence, self.worlds)

    @cached_property
    def gap(self) -> Estimate:
        """Mean reach of seeds in waves over that of seeds chosen at once, with its interval.

        It is that of the method that chose, and not the adaptivity gap of theory, which is the ratio of the two optima.
        The interval is that of the linearised ratio (delta method) over the worlds, which are the same above and below.
        """
        base = float(self.at_once.mean())
        ratio = float(self.adaptive.mean()) / base
        most = (1.0 + ratio) * self.n_nodes / base
        values = ratio + (self.adaptive - ratio * self.at_once) / base
        found = mean_interval(values, self.confidence, (ratio - most, ratio + most), exact=self.waves == 1)
        return Estimate(ratio, max(found.low, 0.0), found.high, self.confidence, self.worlds)

    def by_wave(self) -> pd.DataFrame:
        """Return one row a wave: seeds so far, and mean reach with its interval, in waves and of as many chosen at once."""
        rows = []
        for wave, k in enumerate(np.cumsum(self.wave_sizes).tolist()):
            row: dict[str, Any] = {"wave": wave + 1, "n_seeds": k}
            for name, sizes in (("adaptive", self.adaptive_sizes), ("nonadaptive", self.nonadaptive_sizes)):
                found = mean_interval(sizes[:, wave], self.confidence, (float(k), float(self.n_nodes)))
                row |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
            rows.append(row)
        return pd.DataFrame(rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a world and wave: world, wave, seeds (a tuple of labels), and who is active, both ways."""
        worlds, waves = self.adaptive_sizes.shape
        return pd.DataFrame(
            {
                "world": np.repeat(np.arange(worlds), waves),
                "wave": np.tile(np.arange(1, waves + 1), worlds),
                "seeds": pd.Series([wave for world in self.seeds for wave in world], dtype=object),
                "adaptive": self.adaptive_sizes.ravel(),
                "nonadaptive": self.nonadaptive_sizes.ravel(),
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot mean reach against the number of seeds, in waves and at once."""
        return draw("adaptive", self, ax)

    def __repr__(self) -> str:
        gap, more = self.gap, self.difference
        return (
            f"AdaptiveSeeding: {sum(self.wave_sizes):,} seeds in {self.waves:,} waves by {self.method} "
            f"({self.feedback} feedback) reach {self.adaptive.mean():.5g}, at once {self.at_once.mean():.5g}; difference "
            f"{more.value:.4g} [{more.low:.4g}, {more.high:.4g}], ratio {gap.value:.4g} [{gap.low:.4g}, {gap.high:.4g}] "
            f"({self.confidence:.0%}, {self.worlds:,} worlds)"
        )

    def _repr_html_(self) -> str:
        return card(repr(self).partition(": ")[2], table(self.by_wave()))


@one_bar
def adaptive_seeds(
    graph: FollowerGraph,
    k: int,
    *,
    waves: int,
    model: DiffusionModel | str = "ic",
    feedback: Literal["full", "myopic"] = "full",
    method: Strategy | str = "opim",
    worlds: int = 200,
    confidence: float = 0.95,
    rng: RNGLike = None,
    threads: int | None = None,
) -> AdaptiveSeeding:
    """Choose seeds in waves, each after a look at what those before have reached, and measure what that is worth.

    Parameters
    ----------
    graph : FollowerGraph
    k : int
        Seeds of all waves together.
    waves : int
        From 1 to k; waves differ by at most one seed, larger ones first. 1: all seeds at once.
    model : DiffusionModel or {"ic", "lt"}
        `IC`, `LT`, `models.TopicIC`, `models.TopicLT`, or another whose live edges join users and are independent, or at
        most one into a user.
    feedback : {"full", "myopic"}
        What is seen between waves: ``"full"`` adoption feedback, everybody whom the seeds so far have activated once
        their cascade has ended; or ``"myopic"`` feedback, only whom they have activated themselves.
    method : Strategy or str
        As in `select_seeds`. It is applied to what is left of the graph before every wave but the first, whose seeds are
        the first of those chosen at once.
    worlds : int
        From 2. Every world and wave has a selection of its own, unless the same was seen before in another world.
    confidence : float in (0, 1)
        Level of the intervals.
    rng : int, Generator or None
        World i depends on the key and i alone, and a choice on what was seen alone.
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it.

    Returns
    -------
    AdaptiveSeeding

    Raises
    ------
    InputError
        k above the number of users, waves out of range, or a model without such live edges.
    NotFoundError
        An unknown model, method or feedback.

    See Also
    --------
    select_seeds, compare_strategies, seeding.AdaptiveSeeding

    Notes
    -----
    Under full-adoption feedback all arcs out of active users are known: those into others did not fire. The cascade of
    further seeds is that of the same model on the graph among users who are not active; under linear thresholds the
    weights of their other accounts rise to w / (1 - weights of the active ones), for the threshold is known to be higher.
    Users who are active are no candidates. So batches of greedy choices on what is left are the policy of Golovin and
    Krause (2011) for waves of one seed, and that of Huang et al. (2020) for batches.

    Under myopic feedback arcs out of seeds alone are known. Users whom a seed activated count as active seeds without
    cost, and what they go on to reach is expected and not seen.

    The ratio of `AdaptiveSeeding.gap` is that of one method on one graph. What is proven is about the optimal adaptive
    policy over the optimal set, under the independent cascade with one seed at a time: with myopic feedback the gap of some
    graphs is e / (e - 1), about 1.58, and no graph has more than 4 (Peng and Chen 2019), nor more than 2e / (e - 1), about
    3.16 (D'Angelo, Poddar and Vinci 2021). With full-adoption feedback no constant bound is known for all graphs; it is at
    most the cube root of the number of nodes, plus 1 (D'Angelo, Poddar and Vinci 2020). Neither says that waves pay on a
    given graph: that is measured. They can lose in a single world, and by chance of the method in the mean.

    Memory and time: what is left of the graph is built anew for each selection, about 30 bytes an arc and thread.

    References
    ----------
    - Golovin, D. and Krause, A. (2011). Adaptive submodularity: Theory and applications in active learning and stochastic
      optimization. Journal of Artificial Intelligence Research 42, 427-486. arXiv:1003.3967
    - Peng, B. and Chen, W. (2019). Adaptive influence maximization with myopic feedback. NeurIPS 2019, 5574-5583.
      arXiv:1905.11663
    - Huang, K., Tang, J., Han, K., Xiao, X., Chen, W., Sun, A., Tang, X. and Lim, A. (2020). Efficient approximation
      algorithms for adaptive influence maximization. The VLDB Journal. doi:10.1007/s00778-020-00615-8
    - D'Angelo, G., Poddar, D. and Vinci, C. (2020). Better bounds on the adaptivity gap of influence maximization under
      full-adoption feedback. arXiv:2006.15374
    - D'Angelo, G., Poddar, D. and Vinci, C. (2021). Improved approximation factor for adaptive influence maximization via
      simple greedy strategies. arXiv:2007.09065

    Examples
    --------
    The hub "a" activates the hub "b", of nine users with its own, with probability 1/2. Chosen at once, "c" with seven is the
    second seed; chosen after a look, it is "b" where the arc failed, which is worth 2 users in half of the worlds:

    >>> import diffusion as dif
    >>> arcs = [("a", f"a{i}") for i in range(9)] + [("b", f"b{i}") for i in range(8)] + [("c", f"c{i}") for i in range(6)]
    >>> source, target = zip(*arcs, ("a", "b"))
    >>> p = [1.0] * len(arcs) + [0.5]
    >>> g = dif.FollowerGraph.from_arrays(source, target, weight=p, edges_mean="influences", directed=True)
    >>> found = adaptive_seeds(g.with_probabilities("column"), 2, waves=2, worlds=1000, rng=7)
    >>> found.nonadaptive, sorted({world[1] for world in found.seeds})
    (('a', 'c'), [('b',), ('c',)])
    >>> found.difference.low < 1 < found.difference.high, found.gap.low < 22.5 / 21.5 < found.gap.high
    (True, True)
    """
    start = time.perf_counter()
    check_graph(graph)
    k = whole(k, "k", most=graph.n_nodes, of="seeds")
    waves = whole(waves, "waves", most=k)
    worlds = whole(worlds, "worlds", least=2)
    level(confidence)
    if feedback not in FEEDBACK:
        raise NotFoundError(
            f"feedback={feedback!r} is unknown: choose 'full' (the whole cascade is seen) or 'myopic' (whom the seeds "
            "activated themselves)." + did_you_mean(feedback, FEEDBACK)
        )
    model, strategy, key = model_of(model), strategy_of(method), key_of(rng)
    live = _live_edges_of_users(graph, model)
    first = choose(SelectionProblem.of(graph, k, model=model, key=selection_key(key), threads=threads), strategy)
    fixed = graph.index.internal(list(first.seeds)).astype(np.int32)
    if len(fixed) < k:
        raise InputError(f"the method {strategy.label!r} found {len(fixed):,} of k={k:,} seeds: give a smaller k")
    sizes = [len(part) for part in np.array_split(np.arange(k), waves)]
    worlds_key = derive_key(key, "worlds")
    runner = Runner.of(graph, model, fixed, worlds_key)
    policy = _Policy(live, strategy, myopic=feedback == "myopic", sizes=sizes, key=derive_key(key, "waves"))
    seeds: list[Any] = [None] * worlds
    reached = np.empty((worlds, waves), np.int64)
    with progress(total=worlds, description="worlds", unit="world") as bar:
        work = map_chunks(lambda i: _one_world(runner, policy, i), range(worlds), threads=n_threads(threads))
        for i, (chosen, counts) in work:
            seeds[i], reached[i] = chosen, counts
            bar.update(1)
    at_once = np.empty((worlds, waves), np.int64)
    for wave, end in enumerate(np.cumsum(sizes).tolist()):
        prefix = replace(runner, nodes=fixed[:end])
        at_once[:, wave] = prefix.run(0, worlds, threads=threads, show=False).values
    labels = tuple(tuple(tuple(graph.index.labels_of(wave).tolist()) for wave in world) for world in seeds)
    facts = {"method": strategy.label, "waves": sizes, "feedback": feedback, "worlds": worlds}
    origin = record("adaptive_seeds", graph, model, key, **facts, selections=policy.selections)
    how = (strategy.label, feedback, confidence, graph.n_nodes, key, time.perf_counter() - start, origin)
    return AdaptiveSeeding(labels, first.seeds, reached, at_once, tuple(sizes), *how)


def _live_edges_of_users(graph: FollowerGraph, model: DiffusionModel) -> LiveEdges:
    model.check_graph(graph)
    live = need_live_edges(model, model.live_edges(graph))
    if live.seed_of is not None or live.counted is not None or live.rated or live.sampler is not None:
        raise InputError(
            f"adaptive_seeds does not know what a cascade of {model.label} that was seen leaves open: give a model whose "
            "live arcs join users and are independent, or at most one into a user, such as IC(), LT() or TopicIC(...)"
        )
    return live


def _one_world(runner: Runner, policy: _Policy, run: int) -> tuple[list[NDArray[np.int32]], list[int]]:
    """Seeds of every wave in a world, and users active after each."""
    now = runner.nodes[: policy.sizes[0]]
    trace = replace(runner, nodes=now).replay(run)
    waves, counts = [now], [len(trace.nodes)]
    for wave in range(1, len(policy.sizes)):
        waves.append(policy.next_wave(wave, now, trace.nodes, trace.steps))
        now = np.concatenate([now, waves[-1]])
        trace = replace(runner, nodes=now).replay(run)
        counts.append(len(trace.nodes))
    return waves, counts


class _Policy:
    """Who is chosen after what was seen; a function of that alone, remembered."""

    def __init__(self, live: LiveEdges, strategy: Strategy, *, myopic: bool, sizes: list[int], key: int) -> None:
        self.sizes = sizes
        self._live, self._strategy, self._myopic, self._key = live, strategy, myopic, key
        self._model: DiffusionModel = LT() if live.linear else IC()
        self._known: dict[tuple[int, bytes], NDArray[np.int32]] = {}

    @property
    def selections(self) -> int:
        """Different sights after which seeds were chosen."""
        return len(self._known)

    def next_wave(
        self, wave: int, seeds: NDArray[np.int32], nodes: NDArray[np.int32], steps: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Return the seeds of a wave from the seeds so far and the nodes that they activate."""
        graph = self._live.graph
        active = np.zeros(graph.n_nodes, np.bool_)
        active[nodes[steps <= 1] if self._myopic else nodes] = True
        silent = active
        if self._myopic:
            silent = np.zeros(graph.n_nodes, np.bool_)
            silent[seeds] = True
        seen = hashlib.blake2b(np.packbits(active).tobytes() + np.packbits(silent).tobytes(), digest_size=16).digest()
        if (wave, seen) not in self._known:
            self._known[wave, seen] = self._choose(wave, silent, active, derive_key(self._key, wave, seen.hex()))
        return self._known[wave, seen]

    def _choose(self, wave: int, silent: NDArray[np.bool_], active: NDArray[np.bool_], key: int) -> NDArray[np.int32]:
        size = min(self.sizes[wave], int((~active).sum()))
        if size == 0:
            return np.zeros(0, np.int32)
        left = residual_graph(self._live.graph, silent, active, linear=self._live.linear)
        waiting = np.flatnonzero(active & ~silent).astype(np.int32)
        asked = frozenset({"existing"} if len(waiting) else ())
        weights = constant((~active).astype(np.float64))  # of roots of RR sets: what is active needs no more reach
        users = (Cardinality(size), ~active, waiting, weights)
        problem = SelectionProblem(left, self._model, *users, key, 1, time.perf_counter(), math.inf, asked)
        found = choose(problem, self._strategy)
        return left.index.internal(list(found.seeds)).astype(np.int32)
