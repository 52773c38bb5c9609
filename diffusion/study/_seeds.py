"""What cells share: the seeds each strategy chooses, and the R that theory predicts."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from .._random import derive_key, generator
from ..cascades.models import IC
from ..graph.follower_graph import FollowerGraph
from ..seeding.budget import affordable
from ..seeding.heuristics import TIER_STRATEGIES, rank_seeds
from ..seeding.select import select_seeds
from ..theory.branching import reproduction_number
from ._cell import Cell, Chosen
from ._graphs import PreparedGraph
from .design import ModelSpec, StudyDesign

__all__ = ["Predicted", "Seeds"]

# At 0.1 codes of this kind stop 3 to 5 % below the best known spread; knapsack greedy has no hit-and-stop, and its bound
# counts sampling error alone.
OPIM_EPS = {"k": 0.04, "money": 0.1}
FIRST_RANKED = 512  # seeds ranked at first for a money budget; more where money is left over


class Seeds:
    """Rankings by graph, strategy and rule, each computed once, as far as needed, and cut to every budget."""

    def __init__(self, design: StudyDesign) -> None:
        self._design = design
        self._lock = threading.Lock()
        self._done: dict[Any, tuple[tuple[Any, ...], float, bool]] = {}

    def take(self, cell: Cell, ready: PreparedGraph) -> Chosen:
        """Return the seeds of a cell; fewer than k only where the strategy ranks no more."""
        if cell.strategy == "opim":
            return self._certified(cell, ready)
        return Chosen(*self._ranked(cell, ready))

    def _certified(self, cell: Cell, ready: PreparedGraph) -> Chosen:
        assert cell.model.rule is not None  # the design leaves opim out for models without probabilities
        key = derive_key(self._design.seed, "seeds", "opim", cell.model.model.label, cell.model.rule.label)
        money = cell.budget.kind == "money"
        prices = ready.graph.node_data["price"].to_numpy(dtype=float)
        if cell.budget.value == 0 or (money and not np.nanmin(prices) <= cell.budget.value):
            return Chosen((), 0.0)
        given: dict[str, Any] = {"budget": cell.budget.value} if money else {"k": int(cell.budget.value)}
        found = select_seeds(
            ready.by_rule[cell.model],
            method="opim",
            eps=OPIM_EPS[cell.budget.kind],
            model=cell.model.model,
            rng=generator(key),
            threads=1,
            **given,
        )
        return Chosen(found.seeds, found.seconds, found.lower, found.upper)

    def _ranked(self, cell: Cell, ready: PreparedGraph) -> tuple[tuple[Any, ...], float]:
        rule = cell.model if cell.strategy == "degree_discount" and cell.model.rule is not None else None
        name = (id(ready), cell.strategy, rule)
        wanted = max((int(b.value) for b in self._design.budgets if b.kind == "k"), default=0)
        if cell.budget.kind == "money":
            wanted = max(wanted, FIRST_RANKED)
        with self._lock:
            while True:
                ranking, seconds, whole = self._done.get(name, ((), 0.0, False))
                if len(ranking) < wanted and not whole:
                    ranking, more, whole = self._rank(cell, ready, rule, wanted)
                    self._done[name] = ranking, seconds + more, whole
                    continue
                if cell.budget.kind == "k":
                    return ranking[: int(cell.budget.value)], seconds
                chosen, cheapest_left, left = self._spend(ranking, cell, ready.graph)
                if whole or not cheapest_left <= left:
                    return chosen, seconds
                wanted = 4 * len(ranking)  # somebody further down can still be paid

    def _rank(
        self, cell: Cell, ready: PreparedGraph, rule: ModelSpec | None, wanted: int
    ) -> tuple[tuple[Any, ...], float, bool]:
        graph = ready.by_rule[rule] if rule else ready.graph
        available = graph.n_nodes
        if cell.strategy in TIER_STRATEGIES:
            available = int((graph.node_data["tier"] == cell.strategy).sum())
        size = min(wanted, available)
        key = derive_key(self._design.seed, "seeds", cell.strategy)
        p = 0.0 if rule is None and cell.strategy == "degree_discount" else None
        found = rank_seeds(graph, size, method=cell.strategy, p=p, rng=generator(key))
        return found.seeds, found.seconds, size == available or len(found) < size

    def _spend(
        self, ranking: tuple[Any, ...], cell: Cell, graph: FollowerGraph
    ) -> tuple[tuple[Any, ...], float, float]:
        """Return who is bought going down the ranking, the lowest price beyond it, and the money left."""
        prices = graph.node_data["price"].to_numpy(dtype=float)
        at = graph._check_labels(list(ranking))
        bought = affordable(prices[at], cell.budget.value)
        left = cell.budget.value - float(prices[at][bought].sum())
        beyond = np.ones(prices.size, np.bool_)
        beyond[at] = False
        if cell.strategy in TIER_STRATEGIES:
            beyond &= (graph.node_data["tier"] == cell.strategy).to_numpy()
        priced = prices[beyond & ~np.isnan(prices)]
        return tuple(ranking[i] for i in bought), float(priced.min(initial=np.inf)), left


class Predicted:
    """R predicted from the graph alone, once for each graph and rule (independent cascades only)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[int, float] = {}

    def of(self, graph: FollowerGraph, model: ModelSpec) -> float:
        if not isinstance(model.model, IC):
            return float("nan")
        with self._lock:
            if id(graph) not in self._done:
                self._done[id(graph)] = reproduction_number(graph)
            return self._done[id(graph)]
