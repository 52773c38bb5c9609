"""SIPS prepared for one graph: lanes where users draw once and do not wait, one run at a time otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...graph.follower_graph import FollowerGraph
from ...kernels.sips import COLUMNS, EXPOSED, STAGE, STEP, WIDTH, sips_batch, sips_run
from ...kernels.sips_lanes import sips_lanes
from ..program import BATCH, Chunk, Program, Start, Trace, Workspace, stack_runs
from .feed_groups import feed_groups
from .parts import FUNNEL_STEPS

if TYPE_CHECKING:
    from .model import SIPS

__all__ = ["SIPSProgram"]

DELAYS = {"fixed": 1, "exponential": 2, "gamma": 3}
SHARED = COLUMNS - 1  # column of the tally


class _Workspace(Workspace):
    """Memory of one thread: rows for lanes, or lists for one run at a time."""

    def __init__(self, n: int, words: int) -> None:
        super().__init__(n, words, columns=5)
        if not words:
            self.rows = np.empty((n, WIDTH), np.int32)
            self.position = np.full(n, -1, np.int32)
            self.reached = np.empty(n, np.int32)
            self.best_rank = np.empty(n, np.uint64)
            self.times = np.empty(n, np.float64)

    @property
    def lists(self) -> tuple[NDArray[Any], ...]:
        """What the kernel without lanes writes into."""
        return self.rows, self.position, self.reached, self.best_rank, self.times


class SIPSProgram(Program):
    """Follow channel, feed and funnel; nodes are counted by stage."""

    model: SIPS

    def __init__(self, graph: FollowerGraph, model: SIPS) -> None:
        super().__init__(graph, model)
        self._attention = model.attention_on(graph)
        probabilities = np.asarray(model.funnel.values)
        if model.theta:
            probabilities[1] = 1.0
        self._p = np.floor(probabilities * 2.0**32 + 0.5).astype(np.uint64)
        self._need = np.asarray([model.theta], np.int32)
        feed = model.feed
        scores = [0.0 if feed is None else float(feed.weights.get(name, 0.0)) for name in FUNNEL_STEPS]
        m0, gain, own, cap = (
            (0.0, 0.0, 0.0, 0)
            if feed is None
            else (feed.impressions, feed.amplification, feed.own_community, feed.cap or 0)
        )
        groups = feed_groups(graph, own)
        self._feed = (float(m0), float(gain), float(own), np.asarray(scores), int(cap), *groups)
        delay = model.delay
        self._delay = (0, 0.0, 1.0, 1.0)
        if delay is not None:
            self._delay = (DELAYS[delay.kind], float(delay.mean), float(delay.shape), delay.width)
        # 512 runs cannot share their visits where users count sharers, draw again, or wait.
        self.lanes = model.theta == 0 and not model.redraw and delay is None

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes, words)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`: without lanes there are lists of every stage."""
        return super().bytes_of_workspace(words) * (1 if words else 3)

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        words, runs = workspace.words, last - first
        weight = np.zeros((64 * words or runs) if start.weights.size else 0)
        if words:
            counts, visits, capped = sips_lanes(
                *self._arcs,
                *self._feed,
                start.seeds,
                start.run_of,
                start.key,
                first // BATCH,
                first % BATCH // 64,
                words,
                runs,
                workspace.state,
                workspace.active,
                workspace.flags,
                workspace.queues,
                workspace.node_counts,
                start.weights,
                weight,
            )
            steps = counts.shape[0]
            tally = counts.reshape(steps, 2, COLUMNS, -1)[..., :runs].transpose(3, 0, 1, 2)
        else:
            tally, visits, capped = self._one_by_one(start, first, last, workspace, weight)
        tally = np.ascontiguousarray(tally)
        new = np.ascontiguousarray(tally[..., [EXPOSED, SHARED]].sum(axis=2, dtype=np.int32))
        new[:, 0] = 1 if start.run_of.size else len(start.seeds)  # creators publish at step 0
        return Chunk(
            new,
            int(visits),
            weight[:runs] if start.weights.size else None,
            {"tally": tally},
            {"capped": int(capped)},
        )

    @property
    def _arcs(self) -> tuple[NDArray[Any], ...]:
        return self.graph.csr.indptr, self.graph.csr.indices, self._attention, self._p

    def _one_by_one(
        self, start: Start, first: int, last: int, workspace: _Workspace, weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.int32], int, int]:
        """Tally i4[run, step, channel, column], visits and capped notes of the kernel without lanes."""
        starts = [(first, last, start.seeds)]
        if start.run_of.size:
            starts = [(r, r + 1, start.seeds[start.run_of == r]) for r in range(first, last)]
        parts = [
            sips_batch(
                *self._arcs,
                self._need,
                self.model.redraw,
                *self._feed,
                *self._delay,
                seeds,
                start.key,
                a,
                b,
                *workspace.lists,
                workspace.node_counts,
                start.weights,
                weight[a - first :],
            )
            for a, b, seeds in starts
        ]
        return stack_runs([part[0] for part in parts]), sum(part[1] for part in parts), sum(part[2] for part in parts)

    def replay(self, start: Start, run: int) -> Trace:
        """One run alone: who exposed whom, with channel, stage, the step of every stage and the hour of exposure."""
        space = _Workspace(self.graph.n_nodes, 0)
        size, _, _, _ = sips_run(
            *self._arcs,
            self._need,
            self.model.redraw,
            *self._feed,
            *self._delay,
            start.seeds,
            start.key,
            run,
            True,
            *space.lists,
        )
        rows = space.rows[:size].T
        nodes, steps, parents, channel, stage = rows[: STAGE + 1].copy()
        stage_step = rows[[STEP, *range(STAGE + 1, STAGE + 5)]]
        details = {"channel": channel, "stage": stage, "stage_step": stage_step, "hours": space.times[:size].copy()}
        return Trace(nodes, steps, parents, details)

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`: a feed may show a note to anybody."""
        if len(start.seeds) and self.model.has_feed:
            return np.arange(self.graph.n_nodes, dtype=np.int32)
        return self.reachable(start, self._attention > 0)
