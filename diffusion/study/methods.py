"""What a study asks of a seeding method of the registry before it asks for seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..models.base import DiffusionModel
from ..seeding.registry import STRATEGIES
from ..seeding.strategies.base import Strategy
from ..seeding.strategies.opim import OPIM
from ..seeding.strategies.rankings import DegreeDiscount, Ranking, Tier

__all__ = ["METHODS", "Method"]

# At 0.1 codes of this kind stop 3 to 5 % below the best known spread; for money eps counts sampling error alone.
EPS = {"k": 0.04, "money": 0.2}
# Where reach is a sliver of a large graph, precision would take hours: the certificate is then wider.
MOST_RR_SETS = 4_000_000


@dataclass(frozen=True)
class Method:
    """A strategy of the registry, and what it can be combined with in a study."""

    strategy: Strategy

    @property
    def description(self) -> str:
        """What it does, in a line."""
        return self.strategy.summary

    @property
    def ranking(self) -> Ranking | None:
        """The strategy, where it orders users once for all budgets and models."""
        return self.strategy if isinstance(self.strategy, Ranking) else None

    @property
    def tier(self) -> bool:
        """Whether it draws from the creators of one tier."""
        return isinstance(self.strategy, Tier)

    @property
    def certified(self) -> bool:
        """Whether it chooses on reverse-reachable sets."""
        return self.strategy.certified

    @property
    def by_probability(self) -> bool:
        """Whether its ranking depends on the probabilities of arcs, where there are any."""
        return self.ranking is not None and self.ranking.reckons

    def with_probabilities(self, there: bool) -> Ranking:
        """Return the ranking for a graph with probabilities, or without: degree discount then discounts by one follower."""
        assert self.ranking is not None
        return DegreeDiscount(p=0.0) if isinstance(self.ranking, DegreeDiscount) and not there else self.ranking

    def for_budget(self, kind: str) -> Strategy:
        """Return the strategy with the parameters that a study gives it."""
        if isinstance(self.strategy, OPIM):
            return replace(self.strategy, eps=EPS[kind], max_rr_sets=MOST_RR_SETS)
        return self.strategy

    def unsuited(self, model: DiffusionModel, has_probabilities: bool, place: str, budget_kind: str) -> str | None:
        """Why it cannot choose seeds for a model, a place and a budget, if so."""
        name, supports = self.strategy.name, self.strategy.supports
        if self.certified and has_probabilities and model.certified_model is None:
            return f"{name} needs a model with a live-edge view, and {model.label} has none"
        discount = isinstance(self.strategy, DegreeDiscount)
        if (self.certified or (self.by_probability and not discount)) and not has_probabilities:
            return f"{name} needs a model with probabilities, and {model.label} has none"
        if self.ranking is None and place == "spread":
            return f"{name} chooses for the whole graph or within one community, not in turn from each"
        if place == "one community" and "candidates" not in supports:
            return f"{name} chooses for the whole graph"
        if budget_kind == "money" and "budget" not in supports:
            return f"{name} takes a number of seeds, not money"
        if name == "voterank" and place != "anywhere":
            return "VoteRank ranks too few users to be placed by community"
        return None


METHODS = {name: Method(strategy) for name, strategy in STRATEGIES.items()}
