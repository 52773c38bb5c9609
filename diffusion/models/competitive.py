"""Rival brands under independent cascades and linear thresholds, and negative opinions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from .._validation import number, probability
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from .base import DiffusionModel, LiveEdges, need_probabilities
from .competitive_program import RivalsProgram, negative_live_edges
from .competitive_results import CompetitiveEnsemble
from .next_generation import NextGeneration
from .program import Program

__all__ = ["ICN", "CompetitiveIC", "CompetitiveLT", "Rivals", "brand_names"]

MOST_BRANDS = 8


class Rivals(DiffusionModel):
    """What models with rival brands have in common: states, and why a study cannot hold them."""

    result_type: ClassVar[type[CompetitiveEnsemble]] = CompetitiveEnsemble

    @property
    def states(self) -> tuple[str, ...]:  # type: ignore[override]
        """``"active"``, a node of any brand, which is what sizes count, then the brands."""
        return ("active", *self.brands)

    def refuses_rule(self, rule: str) -> str:
        """See `DiffusionModel.refuses_rule`: a study gives one list of seeds, and rivals have one each."""
        return (
            f"{self.name} has rivals, and a study chooses one list of seeds: use simulate with seeds by brand, or "
            "seeding.best_response"
        )


def brand_names(brands: Any, name: str, most: int = MOST_BRANDS) -> tuple[str, ...]:
    """Return the names of brands, checked for the model of that name."""
    if isinstance(brands, str) or not isinstance(brands, Iterable):
        raise InputError(f"brands={brands!r} is not a list of names: give {name}(brands=('A', 'B'))")
    found = tuple(brands)
    if not all(isinstance(each, str) and each for each in found):
        raise InputError(f"brands={found!r} are not all names: give texts, such as ('A', 'B')")
    if not 2 <= len(found) <= most:
        wanted = "exactly 2" if most == 2 else f"2 to {most}"
        raise InputError(
            f"brands={found!r} has {len(found)} names, and {name} takes {wanted}: without a rival use IC or LT"
        )
    if len(set(found)) < len(found):
        twice = next(each for each in found if found.count(each) > 1)
        raise InputError(f"brands={found!r} names {twice!r} twice: give each brand a name of its own")
    if "active" in found:
        raise InputError("brands names 'active', which stands for all brands together: give another name")
    return found


@dataclass(frozen=True)
class CompetitiveIC(Rivals):
    """Competitive independent cascade: nodes take the first brand that reaches them, and keep it.

    A node that has just become active tries once to win each follower for its brand, with the arc's probability; a
    follower that has a brand is lost for all others.

    Parameters
    ----------
    brands : sequence of 2 to 8 str
        Names of the rivals; seeds are then ``{"A": [...], "B": [...]}``.
    tie : "random", "first" or sequence of str
        Who wins a node that several brands reach at one step. ``"random"``: one of the attempts that succeed, each as
        likely, so that with two arcs from A and one from B the node goes to A in 2 of 3 cases (the wave propagation of
        Carnes et al. 2007, proportional tie-breaking in Chen, Lakshmanan and Castillo 2013). ``"first"``: the brand
        that stands first in `brands`. A sequence of all brands: the one that stands first there.
    strength : mapping of brand to float from 0, or sequence in the order of `brands`, optional
        Factor of the arcs' probabilities for each brand (the product is at most 1; default 1).

    See Also
    --------
    models.CompetitiveLT, models.ComIC, seeding.best_response, models.CompetitiveEnsemble

    Notes
    -----
    One coin an arc and run serves all brands. With equal strengths the nodes of all brands together are therefore those
    that IC reaches from all seeds in the same worlds, and with ``tie="random"`` the brand of a node is that of the seed
    at the root of its tree in the replayed IC cascade. Without rivals, the model is IC.

    References
    ----------
    - Bharathi, S., Kempe, D. and Salek, M. (2007). Competitive influence maximization in social networks. WINE 2007,
      306-311. doi:10.1007/978-3-540-77105-0_31
    - Carnes, T., Nagarajan, C., Wild, S. M. and van Zuylen, A. (2007). Maximizing influence in a competitive social
      network: a follower's perspective. ICEC 2007, 351-360. doi:10.1145/1282100.1282167
    - Chen, W., Lakshmanan, L. V. S. and Castillo, C. (2013). Information and Influence Propagation in Social Networks.
      Morgan and Claypool, chapter 5. doi:10.2200/S00527ED1V01Y201308DTM037

    Examples
    --------
    Two rivals, each with an arc of probability .5 into one node:

    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> seeds = {"A": [0], "B": [1]}
    >>> fair = dif.simulate(g, seeds, model=dif.models.CompetitiveIC(), runs=20_000, rng=7)
    >>> first = dif.simulate(g, seeds, model=dif.models.CompetitiveIC(tie="first"), runs=20_000, rng=7)
    >>> fair.share_of_voice().loc["A", "mean"].round(2), first.share_of_voice().loc["A", "mean"].round(2)
    (np.float64(1.38), np.float64(1.5))
    """

    brands: tuple[str, ...] = ("A", "B")
    tie: str | tuple[str, ...] = "random"
    strength: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        names = brand_names(self.brands, "CompetitiveIC")
        object.__setattr__(self, "brands", names)
        tie = self.tie
        if not isinstance(tie, str):
            tie = tuple(tie) if isinstance(tie, Iterable) else (tie,)
            if sorted(map(str, tie)) != sorted(names):
                raise InputError(f"tie={tie!r} is no order of the brands: name each of {names!r} once")
            object.__setattr__(self, "tie", tie)
        elif tie not in ("random", "first"):
            raise InputError(f"tie={tie!r} is unknown: give 'random', 'first', or all brands in order, as in {names!r}")
        if self.strength is not None:
            object.__setattr__(self, "strength", _strengths(self.strength, names))

    @property
    def priority(self) -> tuple[int, ...]:
        """Places of the brands in the order in which they win ties; empty: a draw decides."""
        if self.tie == "random":
            return ()
        order = self.brands if self.tie == "first" else self.tie
        return tuple(self.brands.index(name) for name in order)

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        p = need_probabilities(graph, self.name)
        strength = self.strength
        if strength is not None and len(set(strength)) == 1 and strength[0] == 1:
            strength = None
        by_brand = None if strength is None else np.minimum(np.outer(strength, p.astype(np.float64)), 1)
        return RivalsProgram(graph, self, len(self.brands), p_by_brand=by_brand, priority=self.priority)

    @property
    def rivals_only_take(self) -> bool:
        """See `DiffusionModel.rivals_only_take`: with equal strengths all brands together reach what they would as one."""
        return self.strength is None or len(set(self.strength)) == 1

    def follower_guarantee(self, brand: str, objective: str) -> str | None:
        """See `DiffusionModel.follower_guarantee`: with equal strengths and a published rule for ties."""
        if not self.rivals_only_take:
            return None
        if objective == "own" and self.tie == "random" and len(self.brands) == 2:
            return "at least 1 - 1/e = 63 % of the best set in these worlds (Carnes et al. 2007, wave propagation)"
        if objective == "block" and self.priority and self.brands[self.priority[0]] == brand and len(self.brands) == 2:
            return (
                "at least 1 - 1/e = 63 % of the best set in these worlds (Budak, Agrawal and El Abbadi 2011, "
                "campaign-oblivious independent cascade)"
            )
        return None


def _strengths(given: Any, names: tuple[str, ...]) -> tuple[float, ...]:
    """Strength of each brand, from a mapping or a sequence."""
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise NotFoundError(
                f"strength names the brand {unknown[0]!r}: there are {', '.join(map(repr, names))}."
                + did_you_mean(unknown[0], names)
            )
        given = [given.get(name, 1.0) for name in names]
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise InputError(
            f"strength={given!r} is no strength for each brand: give {{'{names[0]}': 1.0, '{names[1]}': 0.8}}"
        )
    found = tuple(number(value, "strength", least=0) for value in given)
    if len(found) != len(names):
        raise InputError(f"strength has {len(found)} values for {len(names)} brands: give one for each")
    return found


@dataclass(frozen=True)
class CompetitiveLT(Rivals):
    """Competitive linear threshold: weights of all brands add up, and the newest decide the brand.

    A node becomes active as under LT, when the weights of its active in-neighbours, whatever their brands, reach its
    uniform threshold. It then takes the brand of one of those in-neighbours that became active at the step before, each
    with probability in proportion to its weight (the K-LT model of Lu, Bonchi, Goyal and Lakshmanan 2013).

    Parameters
    ----------
    brands : sequence of 2 to 8 str
        Names of the rivals; seeds are then ``{"A": [...], "B": [...]}``.

    See Also
    --------
    LT, models.CompetitiveIC, seeding.best_response, models.CompetitiveEnsemble

    Notes
    -----
    Simulated as live-edge worlds in which each node keeps at most one in-arc: given the step of its activation, the arc
    that a node has kept is one of those from nodes just activated, with probability in proportion to the weights, so
    that its source has the brand. There are no ties, and the nodes of all brands together are those of LT. Brands by
    the weights of *all* active in-neighbours (Borodin, Filmus and Oren 2010) are another model.

    References
    ----------
    - Lu, W., Bonchi, F., Goyal, A. and Lakshmanan, L. V. S. (2013). The bang for the buck: fair competitive viral
      marketing from the host perspective. KDD 2013, 928-936. doi:10.1145/2487575.2487649
    - Borodin, A., Filmus, Y. and Oren, J. (2010). Threshold models for competitive influence in social networks. WINE
      2010, 539-550. doi:10.1007/978-3-642-17572-5_48

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("weighted_cascade")
    >>> ens = dif.simulate(g, {"A": [0], "B": [1]}, model=dif.models.CompetitiveLT(), runs=1000, rng=7)
    >>> ens.sizes_by_brand.sum(axis=1).tolist() == ens.sizes.tolist() == [3] * 1000
    True
    """

    brands: tuple[str, ...] = ("A", "B")

    def __post_init__(self) -> None:
        object.__setattr__(self, "brands", brand_names(self.brands, "CompetitiveLT"))

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return RivalsProgram(graph, self, len(self.brands), linear=True)

    @property
    def contagion(self) -> str:
        """As of LT: exposures add up against a threshold that is drawn."""
        return "linear"

    @property
    def rivals_only_take(self) -> bool:
        """See `DiffusionModel.rivals_only_take`: every node keeps one in-arc, whoever has seeds."""
        return True

    def follower_guarantee(self, brand: str, objective: str) -> str | None:
        """See `DiffusionModel.follower_guarantee`: for the brand's own spread."""
        if objective == "own":
            return "at least 1 - 1/e = 63 % of the best set in these worlds (Lu et al. 2013, K-LT)"
        return None


@dataclass(frozen=True)
class ICN(DiffusionModel):
    """Independent cascade with negative opinions: what disappoints some is warned of by them.

    The model IC-N of Chen et al. (2011). Nodes become active as under IC. A node that a positive one has activated is
    positive with probability `quality` and turns negative otherwise, and so does every seed; one that a negative node
    has activated is negative. Where several in-neighbours succeed at one step, they act in a random order, so that each
    is the first with the same probability.

    Parameters
    ----------
    quality : float in [0, 1]
        Probability that a node with a positive example before it likes the product.

    See Also
    --------
    IC, models.CompetitiveIC, select_seeds

    Notes
    -----
    Sizes, steps and the spread count positive nodes; `CompetitiveEnsemble.share_of_voice` compares them with negative
    ones. In a world of live edges a node at distance d from the seeds is positive with probability quality**(d + 1),
    which makes the positive spread monotone and submodular (Chen et al. 2011). RR sets are cut at a random depth of the
    same distribution, so that their coverage is the positive spread exactly and `select_seeds` certifies.

    References
    ----------
    - Chen, W., Collins, A., Cummings, R., Ke, T., Liu, Z., Rincon, D., Sun, X., Wang, Y., Wei, W. and Yuan, Y. (2011).
      Influence maximization in social networks when negative opinions may emerge and propagate. SDM 2011, 379-390.
      doi:10.1137/1.9781611972818.33

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.3)
    >>> estimate = dif.spread(g, [0], model=dif.models.ICN(0.9), runs=20_000, rng=7)
    >>> estimate.low < 1.22632 < estimate.high
    True
    """

    states: ClassVar[tuple[str, ...]] = ("positive", "negative")
    result_type: ClassVar[type[CompetitiveEnsemble]] = CompetitiveEnsemble
    example: ClassVar[str] = "ICN(quality=0.9)"

    quality: float

    def __post_init__(self) -> None:
        probability(self.quality, "quality")

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return RivalsProgram(graph, self, 2, quality=float(self.quality))

    def live_edges(self, graph: FollowerGraph) -> LiveEdges:
        """Arcs are live independently; RR sets end at a random depth."""
        need_probabilities(graph, self.name)
        return negative_live_edges(graph, float(self.quality))

    def submodular(self, graph: FollowerGraph) -> bool:
        """False: single worlds need not be; the mean over the draws of opinions is, see the notes of the class."""
        return False

    @property
    def not_submodular(self) -> str:
        """Why a world need not be."""
        return "the positive spread is submodular in the mean, but in single worlds a second seed can take positive nodes away"

    def next_generation(self, graph: FollowerGraph) -> NextGeneration | None:
        """Positive activations by one positive node."""
        need_probabilities(graph, self.name)
        assert graph.probabilities is not None
        return NextGeneration.on_arcs(replace(graph, probabilities=graph.probabilities.scaled(float(self.quality))))

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """See `DiffusionModel.effective_probabilities`: those of the graph."""
        return graph
