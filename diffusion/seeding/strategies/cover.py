"""Searches on RR sets under a constraint: what they are asked for, how greedy covers the sets, and what comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..._progress import progress
from ..._validation import level, number
from ...errors import InputError
from ..rr_store import RRStore
from ..search import (
    REACHED,
    Choice,
    Judged,
    Prepared,
    Schedule,
    StopRule,
    cut_short,
    join,
    search,
    selection_of,
    stop_rule,
)
from ..selection import Purchase, SeedSelection
from ..task import NOBODY, Task
from .base import Strategy
from .judged import keep_best, rankings_of

__all__ = ["CONVERGED", "EPS", "PILOT", "Asked", "Cover", "certify"]

EPS = 0.1  # of the guarantee, or of the sampling error, where nothing else is asked
# What the seeds of either half may lose to those of the other on its sets, with a standard error: about four times what
# those chosen on both halves lose.
CONVERGED = 0.02
PILOT = 256  # sets by which that is decided


@dataclass(frozen=True)
class Asked(Strategy):
    """What searches on RR sets are asked for; see `OPIM` for the parameters."""

    eps: float | None = None
    delta: float | None = None
    quality: float | None = None
    max_rr_sets: float | None = None
    hist: bool | None = None
    certified = True

    def __post_init__(self) -> None:
        if self.eps is not None and self.quality is not None:
            raise InputError(
                f"eps={self.eps!r} and quality={self.quality!r} are two ways to say when to stop: give one of them"
            )
        for name in ("eps", "delta", "quality"):
            if getattr(self, name) is not None:
                level(getattr(self, name), name)
        if self.max_rr_sets is not None:
            number(self.max_rr_sets, "max_rr_sets", least=2, advice=", or None")

    @property
    def limit(self) -> float | None:
        """`eps` by default too; None where a quality is asked for."""
        if self.quality is not None:
            return None
        return EPS if self.eps is None else float(self.eps)

    @property
    def converging(self) -> bool:
        """Does a search go on until more sets would hardly choose better seeds?"""
        return self.eps is None and self.quality is None

    def rule(self, cover: type[Cover]) -> StopRule:
        """When a search with this cover ends."""
        if cover.guaranteed and self.eps is not None and self.eps >= REACHED:
            raise InputError(f"eps={self.eps!r} leaves no guarantee: give a number below 1 - 1/e = {REACHED:.4f}")
        converge = cover.converge if self.converging else 0.0
        return stop_rule(self.limit or EPS, self.quality, guarantee=cover.guaranteed, converge=converge)


class Cover(ABC):
    """How greedy covers RR sets under a constraint."""

    method: str
    purpose: ClassVar[str] = "rr"  # constraints of one purpose share their RR sets
    guaranteed: ClassVar[bool] = False  # greedy reaches 1 - 1/e of the best coverage
    converge: ClassVar[float] = CONVERGED
    guarantee: str | None = None  # in words, where it is another

    def __init__(self, task: Task, strategy: Asked) -> None:
        self.task = task
        self.strategy = strategy
        self.schedule = self.first_schedule()

    @abstractmethod
    def first_schedule(self) -> Schedule:
        """Return the sizes at which collections are looked at, while no seeds are fixed."""

    @abstractmethod
    def choose(self, sets: RRStore, fixed: NDArray[np.int32]) -> Choice:
        """Choose seeds on RR sets after those that are fixed."""

    def prepare(self, whole: RRStore, bar: Any) -> Prepared:
        """Fix first seeds, if that helps, and return what the search runs on."""
        return Prepared(whole, self.task.store("judge"), self.schedule)

    def purchase(self, selection: RRStore, seeds: NDArray[np.int32]) -> Purchase:
        """Return what was paid."""
        return Purchase()


def certify(task: Task, cover: Cover) -> SeedSelection:
    """Prepare, search, judge rankings beside the seeds; Ctrl-C ends it with what there is."""
    rule = cover.strategy.rule(type(cover))
    whole = task.store("choose")
    ready, cheap = Prepared(whole, None, cover.schedule), False
    validation: RRStore | None = None
    rankings = cache(lambda: rankings_of(task))
    with progress(total=None, description="RR sets", unit="set") as bar:
        try:
            ready = cover.prepare(whole, bar)
            fixed, validation = ready.fixed, ready.validation
            choose = partial(cover.choose, fixed=fixed)
            state, stopped, used = search(task, ready, choose, rule, bar, lambda: rankings().values())
            gains = ready.gains
            if rule.converge and validation is not None and stopped in ("converged", "guarantee", "max_rr_sets"):
                try:
                    joined = join(task, ready, state, choose, bar)
                    if joined is not None:
                        state, validation, used = joined[0], joined[1], used + joined[2]
                except KeyboardInterrupt:
                    stopped = "interrupted"
            if validation is None:
                gains = np.concatenate([gains, state.choice.gains * (task.total / state.n)])
            else:
                cheap = validation.stops_at(task.existing)
        except KeyboardInterrupt:
            ready, validation = Prepared(whole, None, cover.schedule, facts={"sentinels": 0}), None
            state, gains, used = cut_short(task, whole, lambda sets: cover.choose(sets, NOBODY), cover.schedule, bar)
            stopped, cheap = "cut short", False
    chosen_by, compared = "greedy", {}
    try:
        if cheap or stopped not in ("time", "interrupted", "cut short"):
            kept = keep_best(task, state, validation, whole, rankings(), rule.converge > 0)
            chosen_by, compared = kept.name, kept.spreads
            if kept.state is not state:
                state, gains = kept.state, np.zeros(0) if kept.gains is None else kept.gains
    except KeyboardInterrupt:
        stopped = "interrupted"
    stopped = "interrupted" if stopped == "cut short" else stopped
    facts = {
        "k": task.problem.constraint.k,
        "eps": cover.strategy.limit,
        "quality": cover.strategy.quality,
        **ready.facts,
    }
    judged = Judged(chosen_by, compared, gains, task.total * whole.n_empty / max(whole.n, 1) if len(gains) else None)
    purchase = cover.purchase(ready.selection, state.choice.seeds)
    words: dict[str, Any] = {"method": cover.method, "guarantee": cover.guarantee, "purchase": purchase}
    return selection_of(task, state, stopped, rule, used, ready.selection, judged, facts, **words)
