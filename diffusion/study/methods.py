"""What a study has to know of a seeding method before it asks for seeds."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.base import DiffusionModel
from ..seeding.heuristics import BY_ARC, HEURISTICS, TIER_STRATEGIES
from ..seeding.select import METHODS as SELECTING

__all__ = ["METHODS", "Method"]

CERTIFIED = {
    "opim": "greedy on reverse-reachable sets with a certificate (OPIM-C, Tang et al. 2018; HIST, Guo et al. 2020)",
    "hist": "greedy on reverse-reachable sets that stop at chosen hubs, with a certificate (Guo et al. 2020)",
    "imm": "greedy on reverse-reachable sets (IMM, Tang, Shi and Xiao 2015)",
}
ON_WORLDS = {
    "celf": "lazy greedy on common simulated worlds (Leskovec et al. 2007)",
    "greedy": "greedy on common simulated worlds (Kempe, Kleinberg and Tardos 2003)",
}


@dataclass(frozen=True)
class Method:
    """A seeding method: how it chooses, and what it can be combined with."""

    name: str
    description: str

    @property
    def ranks(self) -> bool:
        """Whether it ranks users once for all budgets and models."""
        return self.name in HEURISTICS or self.name in TIER_STRATEGIES

    @property
    def tier(self) -> bool:
        """Whether it draws from the creators of one tier."""
        return self.name in TIER_STRATEGIES

    @property
    def certified(self) -> bool:
        """Whether it chooses on reverse-reachable sets."""
        return self.name in CERTIFIED

    @property
    def by_probability(self) -> bool:
        """Whether its ranking depends on the probabilities of arcs, where there are any."""
        return self.name in (*BY_ARC, "degree_discount")

    def unsuited(self, model: DiffusionModel, has_probabilities: bool, place: str, budget_kind: str) -> str | None:
        """Why it cannot choose seeds for a model, a place and a budget, if so."""
        name = self.name
        if self.certified and has_probabilities and model.certified_model is None:
            return f"{name} needs a model whose spread is submodular, and that of {model.label} is not"
        if (self.certified or name in BY_ARC) and not has_probabilities:
            return f"{name} needs a model with probabilities, and {model.label} has none"
        if not self.ranks and place == "spread":
            return f"{name} chooses for the whole graph or within one community, not in turn from each"
        if name == "imm" and place == "one community":
            return "imm chooses for the whole graph"
        if name in ("imm", *ON_WORLDS) and budget_kind == "money":
            return f"{name} takes a number of seeds, not money"
        if name == "voterank" and place != "anywhere":
            return "VoteRank ranks too few users to be placed by community"
        return None


def _description(name: str) -> str:
    if name in HEURISTICS:
        return HEURISTICS[name][1]
    return {**CERTIFIED, **ON_WORLDS}.get(name, "drawn uniformly from the creators of this tier")


METHODS = {name: Method(name, _description(name)) for name in SELECTING}
