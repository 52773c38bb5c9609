"""What cells share: the seeds each strategy chooses, and the R that theory predicts."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._random import derive_key, generator, key_of
from ..graph.communities import community_codes
from ..graph.follower_graph import FollowerGraph
from ..models.sips.model import SIPS
from ..seeding.constraints import affordable
from ..seeding.problem import SelectionProblem
from ..seeding.registry import STRATEGIES, choose
from ..seeding.select import selection_key
from ..seeding.strategies.opim import OPIM
from ..seeding.strategies.rankings import TIERS, DegreeDiscount, Ranking
from ..simulation.phase import Reproduction, reproduction
from ._cell import Cell, Chosen
from ._graphs import PreparedGraph
from .design import ModelSpec, StudyDesign

__all__ = ["Reproductions", "Seeds"]

MOST_RUNS = 4096  # cascades of typical sharers for R of a graph and a model

# At 0.1 codes of this kind stop 3 to 5 % below the best known spread; for money eps counts sampling error alone.
OPIM_EPS = {"k": 0.04, "money": 0.2}
MOST_RR_SETS = (
    4_000_000  # where reach is a sliver of a large graph, precision would take hours: the certificate is then wider
)
FIRST_RANKED = 512  # seeds ranked at first for a money budget; more where money is left over


class Seeds:
    """Rankings by graph, strategy and rule, each computed once, as far as needed, and cut to every budget."""

    def __init__(self, design: StudyDesign) -> None:
        self._design = design
        self._lock = threading.Lock()
        self._locks: dict[Any, threading.Lock] = {}
        self._done: dict[Any, tuple[tuple[Any, ...], float, bool]] = {}
        self._chosen: dict[Any, Chosen] = {}

    def take(self, cell: Cell, ready: PreparedGraph) -> Chosen:
        """Return the seeds of a cell; fewer than k only where the strategy ranks no more."""
        if cell.strategy == "opim":
            return self._certified(cell, ready)
        return Chosen(*self._ranked(cell, ready))

    def _certified(self, cell: Cell, ready: PreparedGraph) -> Chosen:
        model = cell.model.model
        rule = cell.model.rule.label if cell.model.rule is not None else ""
        label = model.label
        if isinstance(model, SIPS):  # chosen for what followers carry; a certificate holds where there is no feed
            plain = dataclasses.replace(model, feed=None)
            label = plain.label
        money = cell.budget.kind == "money"
        prices = ready.graph.node_data["price"].to_numpy(dtype=float)
        members = self._members(ready) if cell.place == "one community" else None
        reach = prices if members is None else prices[members]
        if cell.budget.value == 0 or (money and not np.nanmin(reach) <= cell.budget.value):
            return Chosen((), 0.0)
        name = (id(ready), "opim", label, rule, cell.budget, cell.place)
        with self._lock_of(name):
            if name not in self._chosen:
                key = derive_key(self._design.seed, "seeds", "opim", label, rule)
                given: dict[str, Any] = {"budget": cell.budget.value} if money else {"k": int(cell.budget.value)}
                if members is not None:
                    given["candidates"] = ready.graph.nodes.take(members).tolist()
                drawn = key_of(generator(key))
                if isinstance(model, SIPS):
                    problem = SelectionProblem.of(ready.graph, model=plain, key=drawn, threads=1, **given)
                else:
                    graph = ready.by_rule[cell.model]
                    problem = SelectionProblem.of(graph, model=model, key=selection_key(drawn), threads=1, **given)
                found = choose(problem, OPIM(eps=OPIM_EPS[cell.budget.kind], max_rr_sets=MOST_RR_SETS))
                self._chosen[name] = Chosen(found.seeds, found.seconds, found.lower, found.upper)
        chosen = self._chosen[name]
        if isinstance(model, SIPS) and model.feed is not None:
            return Chosen(chosen.seeds, chosen.seconds)
        return chosen

    def _lock_of(self, name: Any) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(name, threading.Lock())

    @staticmethod
    def _members(ready: PreparedGraph) -> NDArray[np.intp]:
        """Positions of the users of the largest community."""
        codes, names = community_codes(ready.graph)
        return np.flatnonzero(codes == np.bincount(codes, minlength=len(names)).argmax())

    def _ranked(self, cell: Cell, ready: PreparedGraph) -> tuple[tuple[Any, ...], float]:
        rule = (
            cell.model
            if cell.strategy in ("two_step_discount", "irie", "degree_discount") and _has_probabilities(cell.model)
            else None
        )
        name = (id(ready), cell.strategy, rule)
        wanted = max((int(b.value) for b in self._design.budgets if b.kind == "k"), default=0)
        if cell.budget.kind == "money":
            wanted = max(wanted, FIRST_RANKED)
        if cell.place != "anywhere":
            wanted = ready.graph.n_nodes  # a place passes over most of a ranking
        with self._lock_of(name):
            while True:
                ranking, seconds, whole = self._done.get(name, ((), 0.0, False))
                if len(ranking) < wanted and not whole:
                    ranking, more, whole = self._rank(cell, ready, rule, wanted)
                    self._done[name] = ranking, seconds + more, whole
                    continue
                placed = self._placed(ranking, cell.place, ready)
                if cell.budget.kind == "k":
                    return placed[: int(cell.budget.value)], seconds
                chosen, cheapest_left, left = self._spend(placed, cell, ready.graph)
                if whole or not cheapest_left <= left:
                    return chosen, seconds
                wanted = 4 * len(ranking)  # somebody further down can still be paid

    def _placed(self, ranking: tuple[Any, ...], place: str, ready: PreparedGraph) -> tuple[Any, ...]:
        """Keep a ranking to the largest community, or let the communities take turns, the largest first."""
        if place == "anywhere":
            return ranking
        codes, names = community_codes(ready.graph)
        at = ready.graph.index.positions(list(ranking))
        sizes = np.bincount(codes, minlength=len(names))
        mine = codes[at]
        if place == "one community":
            return tuple(ranking[i] for i in np.flatnonzero(mine == sizes.argmax()))
        order = np.argsort(mine, kind="stable")
        starts = np.searchsorted(mine[order], np.arange(len(names)))
        turn = np.empty(at.size, np.int64)
        turn[order] = np.arange(at.size) - starts[mine[order]]
        place_of = np.empty(len(names), np.int64)
        place_of[np.argsort(-sizes, kind="stable")] = np.arange(len(names))
        return tuple(ranking[i] for i in np.lexsort((place_of[mine], turn)))

    def _rank(
        self, cell: Cell, ready: PreparedGraph, rule: ModelSpec | None, wanted: int
    ) -> tuple[tuple[Any, ...], float, bool]:
        graph = ready.by_rule[rule] if rule else ready.graph
        available = graph.n_nodes
        if cell.strategy in TIERS:
            available = int((graph.node_data["tier"] == cell.strategy).sum())
        size = min(wanted, available)
        key = derive_key(self._design.seed, "seeds", cell.strategy)
        strategy = STRATEGIES[cell.strategy]
        if rule is None and isinstance(strategy, DegreeDiscount):
            strategy = DegreeDiscount(p=0.0)
        assert isinstance(strategy, Ranking)
        found = strategy.rank(SelectionProblem.of(graph, size, key=key_of(generator(key)), threads=1), size)
        return found.seeds, found.seconds, size == available or len(found) < size

    def _spend(
        self, ranking: tuple[Any, ...], cell: Cell, graph: FollowerGraph
    ) -> tuple[tuple[Any, ...], float, float]:
        """Return who is bought going down the ranking, the lowest price beyond it, and the money left."""
        prices = graph.node_data["price"].to_numpy(dtype=float)
        at = graph.index.positions(list(ranking))
        bought = affordable(prices[at], cell.budget.value)
        left = cell.budget.value - float(prices[at][bought].sum())
        beyond = np.ones(prices.size, np.bool_)
        beyond[at] = False
        if cell.strategy in TIERS:
            beyond &= (graph.node_data["tier"] == cell.strategy).to_numpy()
        priced = prices[beyond & ~np.isnan(prices)]
        return tuple(ranking[i] for i in bought), float(priced.min(initial=np.inf)), left


class Reproductions:
    """R of graph and model, predicted and measured, once for each graph and model."""

    def __init__(self, seed: int, confidence: float) -> None:
        self._seed, self._confidence = seed, confidence
        self._lock = threading.Lock()
        self._locks: dict[Any, threading.Lock] = {}
        self._done: dict[Any, Reproduction] = {}

    def of(self, graph: FollowerGraph, model: ModelSpec) -> Reproduction:
        name = (id(graph), model)
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._done:
                rule = model.rule.to_dict() if model.rule else None
                key = derive_key(self._seed, "reproduction", graph.fingerprint, model.model.label, repr(rule))
                self._done[name] = reproduction(
                    graph,
                    model=model.model,
                    confidence=self._confidence,
                    max_runs=MOST_RUNS,
                    rng=generator(key),
                    threads=1,
                )
            return self._done[name]


def _has_probabilities(model: ModelSpec) -> bool:
    return model.rule is not None or isinstance(model.model, SIPS)
