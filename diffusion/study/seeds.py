"""What cells share: the seeds that each method chooses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._random import derive_key, generator, key_of
from ..graph.communities import community_codes
from ..seeding.constraints import affordable
from ..seeding.problem import SelectionProblem
from ..seeding.registry import choose
from ..seeding.select import selection_key
from .cell import Chosen
from .graphs import PreparedGraph, replicate_key
from .methods import METHODS
from .parts import Point

__all__ = ["Seeds", "users_of"]

FIRST_RANKED = 512  # users ranked at first; more where a budget asks for more, or money is left over


@dataclass
class Ranking:
    """Users in the order of a method, as far as they are ranked yet; its time is told once."""

    users: tuple[Any, ...] = ()
    seconds: float = 0.0
    whole: bool = False

    def told(self) -> float:
        """Return the seconds that nobody was told yet."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


class Seeds:
    """Seeds of cells: rankings by graph, method and rule are computed once, as far as needed, and cut to every budget."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def take(self, point: Point, ready: PreparedGraph) -> Chosen:
        """Return the seeds of a cell; fewer than k only where the method ranks no more."""
        if METHODS[point.strategy].ranking is None:
            return self._selected(point, ready)
        return self._ranked(point, ready)

    def mixed(self, point: Point, ready: PreparedGraph, small_share: float) -> Chosen:
        """Spend a share of the money on amateurs drawn at random and the rest on the most followed."""
        small = replace(point.budget, value=point.budget.value * small_share)
        big = replace(point.budget, value=point.budget.value - small.value)
        seeds: dict[Any, None] = {}
        for strategy, budget in (("degree", big), ("amateur", small)):
            seeds |= dict.fromkeys(self._ranked(replace(point, strategy=strategy, budget=budget), ready).seeds)
        return Chosen(tuple(seeds), 0.0)

    def _key(self, ready: PreparedGraph, *names: str) -> int:
        return key_of(generator(derive_key(self._seed, "seeds", *names, *replicate_key(ready.replicate))))

    def _selected(self, point: Point, ready: PreparedGraph) -> Chosen:
        """Seeds of a method that chooses for a model and a budget; one choice where models share their certified model."""
        method, spec = METHODS[point.strategy], point.model
        certified = spec.model.certified_model if method.certified else None
        model = certified if certified is not None else spec.model
        rule = spec.rule.label if spec.rule is not None else ""
        name = ("selected", point.strategy, model.label, rule, point.budget, point.place)
        drawn = self._key(ready, point.strategy, model.label, rule)
        options: dict[str, Any] = {"threads": 1, "key": drawn if spec.rule is None else selection_key(drawn)}
        if point.place == "one community":
            users = users_of(ready, point.strategy, point.place)
            options["candidates"] = ready.graph.nodes.take(np.flatnonzero(users)).tolist()
        if point.budget.kind == "money":
            options["budget"] = point.budget.value
        else:
            options["k"] = int(point.budget.value)

        def compute() -> Chosen:
            problem = SelectionProblem.of(ready.simulated(spec), model=model, **options)
            seeds = choose(problem, method.for_budget(point.budget.kind))
            bounds = (float("nan") if bound is None else bound for bound in (seeds.lower, seeds.upper))
            return Chosen(seeds.seeds, seeds.seconds, *bounds)

        chosen = ready.once.get(name, compute)
        return chosen if model == spec.model else Chosen(chosen.seeds, chosen.seconds)

    def _ranked(self, point: Point, ready: PreparedGraph) -> Chosen:
        method = METHODS[point.strategy]
        by_model = method.by_probability and ready.effective(point.model) is not None
        key = ("ranking", point.strategy, (point.model.rule, point.model.model) if by_model else None)
        ranking: Ranking = ready.once.get(key, Ranking)
        wanted = FIRST_RANKED if point.budget.kind == "money" else int(point.budget.value)
        if point.place != "anywhere":
            wanted = ready.graph.n_nodes  # a place passes over most of a ranking
        with ready.once.lock((key, "grow")):
            while True:
                if len(ranking.users) < wanted and not ranking.whole:
                    self._rank(ranking, point, ready, wanted, by_model)
                placed = _placed(ranking.users, point.place, ready)
                if point.budget.kind == "k":
                    return Chosen(placed[: int(point.budget.value)], ranking.told())
                bought, more_can_be_paid = _spend(placed, point, ready)
                if ranking.whole or not more_can_be_paid:
                    return Chosen(bought, ranking.told())
                wanted = 4 * len(ranking.users)

    def _rank(self, ranking: Ranking, point: Point, ready: PreparedGraph, wanted: int, by_model: bool) -> None:
        graph = ready.reckoned(point.model) if by_model else ready.graph
        available = int(users_of(ready, point.strategy, "anywhere").sum())
        size = min(wanted, available)
        strategy = METHODS[point.strategy].with_probabilities(by_model)
        problem = SelectionProblem.of(graph, size, key=self._key(ready, point.strategy), threads=1)
        found = strategy.rank(problem, size)
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


def _spend(ranking: tuple[Any, ...], point: Point, ready: PreparedGraph) -> tuple[tuple[Any, ...], bool]:
    """Return who is bought going down the ranking, and whether somebody beyond it could be paid with what is left."""
    prices = ready.graph.node_data["price"].to_numpy(dtype=float)
    at = ready.graph.nodes.get_indexer(pd.Index(ranking, tupleize_cols=False))
    bought = affordable(prices[at], point.budget.value)
    left = point.budget.value - float(prices[at][bought].sum())
    beyond = users_of(ready, point.strategy, "anywhere").copy()
    beyond[at] = False
    cheapest = float(prices[beyond & ~np.isnan(prices)].min(initial=np.inf))
    return tuple(ranking[i] for i in bought), cheapest <= left
