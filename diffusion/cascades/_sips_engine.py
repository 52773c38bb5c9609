"""From a graph, a SIPS model, seeds and a key to kernel calls."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..kernels.arcs import Weighing
from ..kernels.sips import (
    COLUMNS,
    EXPOSED,
    STAGE,
    STEP,
    WIDTH,
    DelayRule,
    FeedRule,
    FunnelCoins,
    Users,
    sips_batch,
    sips_run,
)
from ..kernels.sips_lanes import sips_lanes
from ._engine import NO_WEIGHTS, Chunk, Engine, Workspace, seed_labels, stack_runs
from .models import Model, model_of
from .sips import SIPS, Complex

__all__ = ["SIPSEngine", "Story", "engine_of", "feed_groups", "follow_probabilities"]

KINDS = {"fixed": 1, "exponential": 2, "gamma": 3}
Story = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]


def engine_of(
    graph: FollowerGraph, model: Model | str, seeds: Any, key: int, weights: NDArray[np.float64] | None = None
) -> Engine:
    """Return the engine that belongs to a model; `weights` by internal node."""
    found = model_of(model)
    if isinstance(found, SIPS):
        return SIPSEngine(graph, found, seeds, key, weights)
    return Engine(graph, found, seeds, key, weights)


class _Space(Workspace):
    """Memory of one thread: rows for lanes, or lists for one run at a time."""

    def __init__(self, n: int, words: int) -> None:
        if words:
            super().__init__(n, words)
        else:
            self.words = 0
            rows, position, reached = np.empty((n, WIDTH), np.int32), np.full(n, -1, np.int32), np.empty(n, np.int32)
            self.users = Users(rows, position, reached, np.empty(n, np.uint64), np.empty(n, np.float64))
        self.stage_counts = np.zeros((n, 5), np.int64)
        self.node_counts = self.stage_counts[:, 0]


class SIPSEngine(Engine):
    """Runs of one SIPS model from one seed set in the worlds of one key."""

    def __init__(
        self, graph: FollowerGraph, model: SIPS, seeds: Any, key: int, weights: NDArray[np.float64] | None = None
    ) -> None:
        self.graph = graph
        self.weights = NO_WEIGHTS if weights is None else weights
        self.model: SIPS = model
        self.seeds = seed_labels(graph, seeds)
        self.key = np.uint64(key)
        self.threshold = self.linear = False
        self._start = np.sort(graph._internal(self.seeds)).astype(np.int32)
        if model.attention is not None:
            self._p = np.full(1, model.attention, np.float32)
            self._p.flags.writeable = False  # as those of a graph: kernels compile once
        elif graph.probabilities is not None:
            self._p = graph.probabilities.values
        else:
            raise InputError(
                "attention=None takes the graph's propagation probabilities, and it has none: call "
                "graph.with_probabilities(...) first, or give SIPS(attention=0.2)"
            )
        chances = np.asarray(model.funnel.values)
        if isinstance(model.identify, Complex):
            chances[1] = 1.0
        thresholds = np.floor(chances * 2.0**32 + 0.5).astype(np.uint64)
        self._funnel = FunnelCoins(thresholds, model.need(), bool(model.redraw))
        feed = model.feed
        groups = feed_groups(graph, feed.own if feed is not None else 0.0)
        names = ("sympathize", "identify", "participate", "share")
        weights = np.zeros(4) if feed is None else np.asarray([float(feed.weights.get(name, 0.0)) for name in names])
        m0, gain, own, cap = (0.0, 0.0, 0.0, 0) if feed is None else (feed.m0, feed.gain, feed.own, feed.cap or 0)
        self._feed = FeedRule(float(m0), float(gain), float(own), weights, int(cap), *groups)
        delay = model.delay
        self._delay = DelayRule(0, 0.0, 1.0, 1.0)
        if delay is not None:
            self._delay = DelayRule(KINDS[delay.kind], float(delay.mean), float(delay.shape), float(delay.width))

    @property
    def deterministic(self) -> bool:
        """Never: at least the feed and the latents are drawn."""
        return False

    @property
    def lanes(self) -> bool:
        """Can 512 runs share their visits? Not where users count sharers, draw again, or wait."""
        return self.model.identify == "simple" and not self.model.redraw and self.model.delay is None

    def chunk(self, first: int, last: int, space: Workspace) -> Chunk:
        """Compute runs first ... last - 1 of one chunk in the memory of one thread."""
        worth = self._sums(last - first, space)
        if space.words:
            block = self.block(first, last, space.words)
            weighing = Weighing(self.weights, worth)
            counts, visits, capped = sips_lanes(
                self.arcs, self._funnel, self._feed, self.start, block, space.lanes, space.stage_counts, weighing
            )
            steps = counts.shape[0]
            tally = counts.reshape(steps, 2, COLUMNS, -1)[..., : last - first].transpose(3, 0, 1, 2)
        else:
            assert isinstance(space, _Space)
            tally, visits, capped = self._one_by_one(first, last, space, worth)
        tally = np.ascontiguousarray(tally)
        new = tally[:, :, :, EXPOSED].sum(axis=2, dtype=np.int32)
        new[:, 0] = 1 if self._run_of.size else len(self._start)
        return Chunk(new, int(visits), tally, int(capped), self._worth(worth, last - first))

    def _extremes(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Internal nodes that every run exposes, the creators at least, and those that some run may."""
        feed = self.model.feed
        if len(self._start) and feed is not None and (feed.m0 > 0 or feed.gain > 0):
            return self._start, np.arange(self.graph.n_nodes, dtype=np.int32)
        return self._start, self._along(self._p > 0)

    def _one_by_one(
        self, first: int, last: int, space: _Space, worth: NDArray[np.float64]
    ) -> tuple[NDArray[np.int32], int, int]:
        """Tally i4[run, step, channel, column], visits and capped notes of the kernel without lanes."""
        starts = [(first, last, self._start)]
        if self._run_of.size:
            starts = [(r, r + 1, self._start[self._run_of == r]) for r in range(first, last)]
        rules = self.arcs, self._funnel, self._feed, self._delay
        parts = []
        for a, b, start in starts:
            weighing = Weighing(self.weights, worth[a - first :])
            parts.append(sips_batch(*rules, start, self.key, a, b, space.users, space.stage_counts, weighing))
        return stack_runs([part[0] for part in parts]), sum(part[1] for part in parts), sum(part[2] for part in parts)

    def replay(self, run: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """One run alone -> internal nodes in order of exposure, their steps, positions of their exposing parents."""
        lists, _, _ = self.story(run)
        return lists[0], lists[1], lists[2]

    def story(self, run: int) -> Story:
        """One run alone -> lists i4[5, size] node, step, parent, channel, stage; step of every stage; hours of exposure."""
        space = _Space(self.graph.n_nodes, 0)
        rules = self.arcs, self._funnel, self._feed, self._delay
        size, _, _, _ = sips_run(*rules, self._start, self.key, run, True, space.users)
        rows = space.users.rows[:size].T
        steps = rows[[STEP, *range(STAGE + 1, STAGE + 5)]]
        return rows[: STAGE + 1].copy(), steps, space.users.times[:size].copy()

    def _space(self, words: int) -> Workspace:
        return _Space(self.graph.n_nodes, words)

    def _words(self, runs: int) -> int:
        return super()._words(runs) if self.lanes else 0

    def _room(self, words: int) -> int:
        return super()._room(words) if words else max(super()._room(0) // 3, 1)


def follow_probabilities(graph: FollowerGraph, model: SIPS) -> FollowerGraph:
    """Return the graph with the probability that a sharer makes a follower share: attention times rho, for heuristics."""
    if model.attention is not None:
        return graph.with_probabilities("constant", p=float(model.attention) * model.funnel.rho)
    if graph.probabilities is None:
        raise InputError("attention=None takes the graph's propagation probabilities, and it has none")
    scaled = np.asarray(graph.probabilities.values * model.funnel.rho, np.float32)
    scaled.flags.writeable = False
    rule = dataclasses.replace(
        graph.probabilities, values=scaled, parameters={**graph.probabilities.parameters, "times": model.funnel.rho}
    )
    return dataclasses.replace(graph, probabilities=rule)


def feed_groups(graph: FollowerGraph, own: float) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Community of every internal node, and members by community; one entry each where the feed does not ask."""
    if own == 0:
        return np.zeros(1, np.int32), np.zeros(2, np.int64), np.zeros(1, np.int32)
    if "community" not in graph._node_data:
        raise InputError(
            f"own={own:g} shows notes to the creator's own community, and the graph has no node attribute 'community': add "
            "it with graph.with_node_data(community=dif.communities(graph).labels), or set own=0"
        )
    codes, names = pd.factorize(graph.node_data["community"].to_numpy(), use_na_sentinel=True)
    if (codes < 0).any():
        lost = graph.nodes[[int((codes < 0).argmax())]].tolist()[0]
        raise InputError(f"the node {lost!r} has no community: give every node one, or set own=0")
    of = codes[graph._arcs.order].astype(np.int32)
    members = np.argsort(of, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(names)))]).astype(np.int64)
    return of, starts, members
