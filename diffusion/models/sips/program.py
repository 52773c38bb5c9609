"""SIPS prepared for one graph: lanes where users draw once and do not wait, one run at a time otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...graph.follower_graph import FollowerGraph
from ...kernels.arcs import Weighing
from ...kernels.sips import (
    COLUMNS,
    EXPOSED,
    STAGE,
    STEP,
    WIDTH,
    DelayRule,
    FeedRule,
    FunnelCoins,
    Users,
    answer_tables,
    sips_batch,
    sips_run,
)
from ...kernels.sips_feed import EXPOSURES, USERS
from ...kernels.sips_lanes import sips_lanes
from ...kernels.sips_sharers import Sharers
from ..program import Chunk, Program, Start, Trace, Workspace, aligned, arcs_of, stack_runs
from .feed_groups import feed_groups
from .parts import FUNNEL_STEPS, Feed

if TYPE_CHECKING:
    from .model import SIPS

__all__ = ["SIPSProgram"]

DELAYS = {"fixed": 1, "exponential": 2, "gamma": 3}
SHARED = COLUMNS - 1  # column of the tally


class _Workspace(Workspace):
    """Memory of one thread: rows for lanes, or lists for one run at a time."""

    def __init__(self, n: int, words: int, marks: tuple[int, int, int, int]) -> None:
        super().__init__(n, words, columns=5)
        if words:
            per_node, _, by_feed, _ = marks
            notes = np.zeros(n if by_feed > 0 else 0, np.int64)
            self.sharers = Sharers(aligned(n * per_node * words), *marks, notes)
        else:
            rows, position, reached = np.empty((n, WIDTH), np.int32), np.full(n, -1, np.int32), np.empty(n, np.int32)
            self.users = Users(rows, position, reached, np.empty(n, np.uint64), np.empty(n, np.float64))


class SIPSProgram(Program):
    """Follow channel, feed and funnel; nodes are counted by stage."""

    model: SIPS

    def __init__(self, graph: FollowerGraph, model: SIPS) -> None:
        super().__init__(graph, model)
        self.arcs = arcs_of(graph, model.attention_on(graph))
        probabilities = np.asarray(model.funnel.values)
        if model.theta:
            probabilities[1] = 1.0
        thresholds = np.floor(probabilities * 2.0**32 + 0.5).astype(np.uint64)
        self._funnel = FunnelCoins(thresholds, np.asarray([model.theta], np.int32), bool(model.redraw))
        feed, delay = model.feed or Feed(), model.delay
        scores = np.zeros(4)
        if model.feed is not None:
            scores = np.asarray([float(feed.weights.get(name, 0.0)) for name in FUNNEL_STEPS])
        rates = float(feed.impressions), float(feed.amplification), float(feed.own_community)
        answers = answer_tables(rates[1], scores)
        self._feed = FeedRule(*rates, scores, int(feed.cap or 0), answers, *feed_groups(graph, feed.own_community))
        self._delay = DelayRule(0, 0.0, 1.0, 1.0)
        if delay is not None:
            self._delay = DelayRule(DELAYS[delay.kind], float(delay.mean), float(delay.shape), float(delay.width))
        # 512 runs cannot share their visits where users draw at every exposure, or wait.
        self.lanes = not model.redraw and delay is None
        self._marks = self._rows_of_marks()

    def _rows_of_marks(self) -> tuple[int, int, int, int]:
        """Rows a node, bits of the counter, rows of first exposures by the feed and of who needs one more sharer."""
        if self.model.theta < 2:  # one sharer is enough: the coin of identification always falls
            return 0, 0, -1, -1
        bits = (self.model.theta - 2).bit_length()
        has_feed, answers = self.model.has_feed, self._feed.amplification > 0
        return 1 + bits + has_feed + answers, bits, 1 + bits if has_feed else -1, 2 + bits if answers else -1

    def workspace(self, words: int) -> Workspace:
        """See `Program.workspace`."""
        return _Workspace(self.graph.n_nodes, words, self._marks)

    def bytes_of_workspace(self, words: int) -> int:
        """See `Program.bytes_of_workspace`: marks of sharers, and what the feed shows; lists without lanes."""
        if not words:
            return super().bytes_of_workspace(words) * 3
        per_node, _, by_feed, _ = self._marks
        more = 8 * (words * per_node + (by_feed > 0))
        if self.model.has_feed:
            more += 4 * EXPOSURES // USERS + (32 * words if self._feed.amplification > 0 else 0)
        return super().bytes_of_workspace(words) + self.graph.n_nodes * more

    def run(self, start: Start, first: int, last: int, workspace: Workspace) -> Chunk:
        """See `Program.run`."""
        assert isinstance(workspace, _Workspace)
        words, runs = workspace.words, last - first
        weighing = start.weighing(64 * words or runs)
        if words:
            block, counts_by_node = start.block(first, last, words), workspace.node_counts
            rules = self.arcs, self._funnel, self._feed, start.for_kernel
            space = workspace.lanes, workspace.sharers, counts_by_node
            counts, visits, capped = sips_lanes(*rules, block, *space, weighing)
            steps = counts.shape[0]
            tally = counts.reshape(steps, 2, COLUMNS, -1)[..., :runs].transpose(3, 0, 1, 2)
        else:
            tally, visits, capped = self._one_by_one(start, first, last, workspace, weighing.sums)
        tally = np.ascontiguousarray(tally)
        new = np.ascontiguousarray(tally[..., [EXPOSED, SHARED]].sum(axis=2, dtype=np.int32))
        new[:, 0] = 1 if start.run_of.size else len(start.seeds)  # creators publish at step 0
        return Chunk(
            new,
            int(visits),
            weighing.sums[:runs] if start.weights.size else None,
            {"tally": tally},
            {"capped": int(capped)},
        )

    def _one_by_one(
        self, start: Start, first: int, last: int, workspace: _Workspace, weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.int32], int, int]:
        """Tally i4[run, step, channel, column], visits and capped notes of the kernel without lanes."""
        starts = [(first, last, start.seeds)]
        if start.run_of.size:
            starts = [(r, r + 1, start.seeds[start.run_of == r]) for r in range(first, last)]
        rules = self.arcs, self._funnel, self._feed, self._delay
        parts = []
        for a, b, seeds in starts:
            weighing = Weighing(start.weights, weight[a - first :])
            batch = seeds, start.key, a, b
            parts.append(sips_batch(*rules, *batch, workspace.users, workspace.node_counts, weighing))
        return stack_runs([part[0] for part in parts]), sum(part[1] for part in parts), sum(part[2] for part in parts)

    def replay(self, start: Start, run: int) -> Trace:
        """One run alone: who exposed whom, with channel, stage, the step of every stage and the hour of exposure."""
        space = _Workspace(self.graph.n_nodes, 0, self._marks)
        rules = self.arcs, self._funnel, self._feed, self._delay
        size, _, _, _ = sips_run(*rules, start.seeds, start.key, run, True, space.users)
        rows = space.users.rows[:size].T
        nodes, steps, parents, channel, stage = rows[: STAGE + 1].copy()
        stage_step = rows[[STEP, *range(STAGE + 1, STAGE + 5)]]
        details = {
            "channel": channel,
            "stage": stage,
            "stage_step": stage_step,
            "hours": space.users.times[:size].copy(),
        }
        return Trace(nodes, steps, parents, details)

    def adoption_steps(self, trace: Trace) -> NDArray[np.int32]:
        """See `Program.adoption_steps`: when each user shared."""
        steps: NDArray[np.int32] = trace.details["stage_step"][-1]
        return steps

    def possible(self, start: Start) -> NDArray[np.int32]:
        """See `Program.possible`: a feed may show a note to anybody."""
        if len(start.seeds) and self.model.has_feed:
            return np.arange(self.graph.n_nodes, dtype=np.int32)
        return self.reachable(start, self.arcs.p > 0)
