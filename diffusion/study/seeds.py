"""What cells share: the seeds each method chooses, and the R that theory predicts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._random import derive_key, generator, key_of
from ..graph.communities import community_codes
from ..seeding.constraints import affordable
from ..seeding.problem import SelectionProblem
from ..seeding.registry import choose
from ..seeding.select import selection_key
from ..simulation.phase import Reproduction, reproduction
from .cell import Cell, Chosen
from .design import ModelSpec, StudyDesign
from .graphs import PreparedGraph
from .methods import METHODS

__all__ = ["Reproductions", "Seeds", "users_of"]

MOST_RUNS = 4096  # cascades of typical sharers for R of a graph and a model

FIRST_RANKED = 512  # seeds ranked at first for a money budget; more where money is left over

T = TypeVar("T")


class Once:
    """Values by name, each computed once, by whoever asks first; the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Any, threading.Lock] = {}
        self._done: dict[Any, Any] = {}

    def get(self, name: Any, compute: Callable[[], T]) -> T:
        """Return the value of a name."""
        with self.lock(name):
            if name not in self._done:
                self._done[name] = compute()
            value: T = self._done[name]
            return value

    def lock(self, name: Any) -> threading.Lock:
        """Return the lock of a name."""
        with self._lock:
            return self._locks.setdefault(name, threading.Lock())


@dataclass
class Ranking:
    """Users in the order of a method, as far as they are ranked yet."""

    users: tuple[Any, ...] = ()
    seconds: float = 0.0
    whole: bool = False


class Seeds:
    """Seeds of cells: rankings by graph, method and rule are computed once, as far as needed, and cut to every budget."""

    def __init__(self, design: StudyDesign) -> None:
        self._design = design
        self._once = Once()
        self._rankings: dict[Any, Ranking] = {}

    def take(self, cell: Cell, ready: PreparedGraph) -> Chosen:
        """Return the seeds of a cell; fewer than k only where the method ranks no more."""
        return self._selected(cell, ready) if METHODS[cell.strategy].ranking is None else self._ranked(cell, ready)

    def _selected(self, cell: Cell, ready: PreparedGraph) -> Chosen:
        """Seeds of a method that chooses for a model and a budget; one choice where models share their certified model."""
        method, spec = METHODS[cell.strategy], cell.model
        certified = spec.model.certified_model if method.certified else None
        model = certified if certified is not None else spec.model
        rule = spec.rule.label if spec.rule is not None else ""
        name = (id(ready), cell.strategy, model.label, rule, cell.budget, cell.place)
        drawn = key_of(generator(derive_key(self._design.seed, "seeds", cell.strategy, model.label, rule)))
        options: dict[str, Any] = {"threads": 1, "key": drawn if spec.rule is None else selection_key(drawn)}
        if cell.place == "one community":
            users = users_of(ready, cell.strategy, cell.place)
            options["candidates"] = ready.graph.nodes.take(np.flatnonzero(users)).tolist()
        if cell.budget.kind == "money":
            options["budget"] = cell.budget.value
        else:
            options["k"] = int(cell.budget.value)

        def compute() -> Chosen:
            problem = SelectionProblem.of(ready.simulated[spec], model=model, **options)
            seeds = choose(problem, method.for_budget(cell.budget.kind))
            bounds = (float("nan") if bound is None else bound for bound in (seeds.lower, seeds.upper))
            return Chosen(seeds.seeds, seeds.seconds, *bounds)

        chosen = self._once.get(name, compute)
        return chosen if model == spec.model else Chosen(chosen.seeds, chosen.seconds)

    def _ranked(self, cell: Cell, ready: PreparedGraph) -> Chosen:
        method = METHODS[cell.strategy]
        by_rule = cell.model if method.by_probability and ready.effective[cell.model] is not None else None
        name = (id(ready), cell.strategy, by_rule)
        wanted = max((int(b.value) for b in self._design.budgets if b.kind == "k"), default=0)
        if cell.budget.kind == "money":
            wanted = max(wanted, FIRST_RANKED)
        if cell.place != "anywhere":
            wanted = ready.graph.n_nodes  # a place passes over most of a ranking
        with self._once.lock(name):
            ranking = self._rankings.setdefault(name, Ranking())
            while True:
                if len(ranking.users) < wanted and not ranking.whole:
                    self._rank(ranking, cell, ready, by_rule, wanted)
                placed = _placed(ranking.users, cell.place, ready)
                if cell.budget.kind == "k":
                    return Chosen(placed[: int(cell.budget.value)], ranking.seconds)
                bought, more_can_be_paid = _spend(placed, cell, ready)
                if ranking.whole or not more_can_be_paid:
                    return Chosen(bought, ranking.seconds)
                wanted = 4 * len(ranking.users)

    def _rank(self, ranking: Ranking, cell: Cell, ready: PreparedGraph, by_rule: ModelSpec | None, wanted: int) -> None:
        graph = ready.reckoned(by_rule) if by_rule else ready.graph
        available = int(users_of(ready, cell.strategy, "anywhere").sum())
        size = min(wanted, available)
        key = key_of(generator(derive_key(self._design.seed, "seeds", cell.strategy)))
        strategy = METHODS[cell.strategy].with_probabilities(by_rule is not None)
        found = strategy.rank(SelectionProblem.of(graph, size, key=key, threads=1), size)
        ranking.users = found.seeds
        ranking.seconds += found.seconds
        ranking.whole = size == available or len(found) < size


def users_of(ready: PreparedGraph, strategy: str, place: str) -> NDArray[np.bool_]:
    """Users, in the order of the graph's nodes, among whom a method can choose at a place."""
    users = np.ones(ready.graph.n_nodes, np.bool_)
    if METHODS[strategy].tier:
        users = (ready.graph.node_data["tier"] == strategy).to_numpy()
    if place == "one community":
        codes, _ = community_codes(ready.graph)
        users = users & (codes == np.bincount(codes).argmax())
    return users


def _placed(ranking: tuple[Any, ...], place: str, ready: PreparedGraph) -> tuple[Any, ...]:
    """Keep a ranking to the largest community, or let the communities take turns, the largest first."""
    if place == "anywhere":
        return ranking
    codes, names = community_codes(ready.graph)
    sizes = np.bincount(codes, minlength=len(names))
    community = codes[ready.graph.nodes.get_indexer(pd.Index(ranking, tupleize_cols=False))]
    if place == "one community":
        return tuple(ranking[i] for i in np.flatnonzero(community == sizes.argmax()))
    order = np.argsort(community, kind="stable")
    starts = np.searchsorted(community[order], np.arange(len(names)))
    turn = np.empty(len(ranking), np.int64)
    turn[order] = np.arange(len(ranking)) - starts[community[order]]
    by_size = np.empty(len(names), np.int64)
    by_size[np.argsort(-sizes, kind="stable")] = np.arange(len(names))
    return tuple(ranking[i] for i in np.lexsort((by_size[community], turn)))


def _spend(ranking: tuple[Any, ...], cell: Cell, ready: PreparedGraph) -> tuple[tuple[Any, ...], bool]:
    """Return who is bought going down the ranking, and whether somebody beyond it could be paid with what is left."""
    prices = ready.graph.node_data["price"].to_numpy(dtype=float)
    at = ready.graph.nodes.get_indexer(pd.Index(ranking, tupleize_cols=False))
    bought = affordable(prices[at], cell.budget.value)
    left = cell.budget.value - float(prices[at][bought].sum())
    beyond = users_of(ready, cell.strategy, "anywhere").copy()
    beyond[at] = False
    cheapest = float(prices[beyond & ~np.isnan(prices)].min(initial=np.inf))
    return tuple(ranking[i] for i in bought), cheapest <= left


class Reproductions:
    """R of graph and model, predicted and measured, once for each graph and model."""

    def __init__(self, seed: int, confidence: float) -> None:
        self._seed, self._confidence = seed, confidence
        self._once = Once()

    def of(self, ready: PreparedGraph, spec: ModelSpec) -> Reproduction:
        """Return R of a graph and a model."""

        def measure() -> Reproduction:
            reckoned = ready.reckoned(spec).fingerprint
            key = derive_key(self._seed, "reproduction", reckoned, spec.model.label, repr(spec.rule_table))
            return reproduction(
                ready.simulated[spec],
                model=spec.model,
                confidence=self._confidence,
                max_runs=MOST_RUNS,
                rng=generator(key),
                threads=1,
            )

        return self._once.get((id(ready), spec), measure)
