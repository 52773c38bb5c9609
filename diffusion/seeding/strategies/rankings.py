"""Rankings: orders of users that need no simulation, walked down as far as a number, a budget or quotas allow."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..._random import generator
from ..._validation import probability
from ...errors import InputError
from ...graph.follower_graph import FollowerGraph
from ...kernels.arcs import OutArcs
from ...kernels.discount import discount_seeds, star_discount_seeds, two_step_seeds
from ...kernels.irie import irie_seeds
from ..constraints import Cardinality
from ..problem import SelectionProblem
from ..selection import SeedSelection
from .base import Strategy

__all__ = [
    "IRIE",
    "Degree",
    "DegreeDiscount",
    "Order",
    "Random",
    "Ranking",
    "SingleDiscount",
    "Tier",
    "TwoStepDiscount",
]
__all__ += ["TIERS", "by_followers", "top"]

Order = tuple[NDArray[Any], NDArray[np.float64]]  # internal users and their scores
TIERS = ("amateur", "tail", "waist", "head")
FLOOR = 1 / 320  # paths less likely than this are not followed (the threshold of PMIA, Chen, Wang and Wang 2010)
ROUNDS = 20
CLOSE = 1e-4  # largest change of a rank, relative to the largest rank, that ends the iteration


class Ranking(Strategy):
    """A strategy that orders users; the seeds for a smaller number are the first of those for a larger one."""

    supports = frozenset({"budget", "quotas", "candidates", "exclude", "existing"})
    reckons: ClassVar[bool] = False  # with the probability of every arc

    @abstractmethod
    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        """Return up to `size` of the allowed internal users, the best first, and their scores.

        Parameters
        ----------
        graph : FollowerGraph
        size : int
        allowed : ndarray of bool, shape (n_nodes,)
        key : int
            For random draws.
        """

    def pool(self, graph: FollowerGraph, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the allowed internal users the ranking may hold.

        Parameters
        ----------
        graph : FollowerGraph
        allowed : ndarray of bool, shape (n_nodes,)
        """
        return allowed

    def rank(self, problem: SelectionProblem, size: int | None = None) -> SeedSelection:
        """Return the order itself, as far as `size` (None: to its end), whatever the constraint of the problem.

        Parameters
        ----------
        problem : SelectionProblem
        size : int, optional

        Returns
        -------
        SeedSelection
            It ends before `size` where the ranking does.
        """
        graph, strategy = problem.graph, self
        if self.reckons:
            graph = problem.reckoned
            strategy = self._prepared(graph, problem)
        allowed = self.pool(problem.graph, problem.allowed)
        available = int(allowed.sum())
        size = available if size is None else min(size, available)
        nodes, scores = strategy.order(graph, size, allowed, problem.key)
        return problem.selection(nodes, self.name, scores, provenance=problem.record(self.label, k=len(nodes)))

    def _prepared(self, graph: FollowerGraph, problem: SelectionProblem) -> Ranking:
        if graph.probabilities is None:
            raise InputError(
                f"{self.name} reckons with propagation probabilities: give a graph with probabilities, see "
                "graph.with_probabilities"
            )
        return self

    def choose(self, problem: SelectionProblem) -> SeedSelection:
        k = problem.constraint.k
        available = int(self.pool(problem.graph, problem.allowed).sum())
        if k is not None and k > available and not problem.partial:
            raise InputError(f"k={k:,} is more than the {available:,} candidates there are to choose from")
        ranked = self.rank(problem, k if isinstance(problem.constraint, Cardinality) else None)
        cut = self.cut(problem, ranked)
        if k is not None and len(cut) < k and not problem.partial:
            how = "ranks" if isinstance(problem.constraint, Cardinality) else "ranks, within the quotas,"
            raise InputError(
                f"{self.name} {how} only {len(cut):,} nodes of this graph: ask for at most so many, not {k:,}"
            )
        unmet = problem.constraint.unmet(problem.graph.index.internal(list(cut.seeds)))
        if unmet and not problem.partial:
            raise InputError(
                f"{self.name} ranks too few nodes for at_least= of {', '.join(map(repr, unmet))}: lower it"
            )
        if not len(cut) and "budget" in problem.asked:
            raise InputError(f"budget={cut.budget:,.6g} buys nobody whom {self.name} ranks")
        return cut

    @staticmethod
    def cut(problem: SelectionProblem, ranked: SeedSelection) -> SeedSelection:
        """Return the seeds that the constraint of a problem lets be chosen going down a ranking."""
        order = problem.graph.index.internal(list(ranked.seeds))
        chosen = problem.constraint.walk(order)
        purchase = problem.constraint.purchase(problem.graph, order, chosen)
        seeds = tuple(ranked.seeds[at] for at in chosen)
        known = {name: values[chosen] for name, values in ranked.known.items()}
        return replace(ranked, seeds=seeds, scores=ranked.scores[chosen], purchase=purchase, known=known)


def top(graph: FollowerGraph, score: NDArray[Any], size: int, allowed: NDArray[np.bool_]) -> Order:
    """Largest scores first; ties go to the label that comes first."""
    nodes = np.flatnonzero(allowed)
    order = np.lexsort((graph.index.order[nodes], -score[nodes].astype(np.float64)))[:size]
    chosen = nodes[order]
    return chosen, score[chosen].astype(np.float64)


@dataclass(frozen=True)
class Random(Ranking):
    """Drawn uniformly.

    See Also
    --------
    seeding.Tier, seeding.Degree, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=Random(), rng=7).seeds
    (4, 5)
    """

    name = "random"
    drawn = True

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        positions = np.sort(graph.index.order[allowed])
        chosen = graph.index.rank[generator(key).permutation(positions)[:size]]
        return chosen, np.full(len(chosen), np.nan)


@dataclass(frozen=True)
class Tier(Random):
    """Drawn uniformly from the creators of one tier, the node attribute ``tier``.

    Parameters
    ----------
    tier : str
        "amateur", "tail", "waist" or "head" of the platform's tiers, or any other value of the attribute.

    See Also
    --------
    seeding.Random, graph.with_creator_tiers, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g.with_node_data(tier=["head"] * 6), 2, method=Tier("head"), rng=7).seeds
    (4, 5)
    """

    tier: str

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the tier."""
        return self.tier

    @property
    def label(self) -> str:
        """Name of the tier."""
        return self.tier

    def pool(self, graph: FollowerGraph, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if "tier" not in graph.attributes:
            raise InputError(
                f"the method {self.tier!r} needs creator tiers, the node attribute 'tier': see "
                "dif.graph.with_creator_tiers(graph)"
            )
        members: NDArray[np.bool_] = graph.node_data["tier"].to_numpy() == self.tier
        return allowed & members[graph.index.order]


@dataclass(frozen=True)
class Degree(Ranking):
    """Most followers.

    See Also
    --------
    seeding.SingleDiscount, seeding.DegreeDiscount, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=Degree()).seeds
    (0, 4)
    """

    name = "degree"

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        return top(graph, graph.csr.out_degree, size, allowed)


def _discount(graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], p: float) -> Order:
    csr, place = graph.csr, graph.index.order
    out = OutArcs(csr.indptr, csr.indices)
    nodes, scores = discount_seeds(out, csr.into, csr.multiplicity, csr.out_degree, place, allowed, p, size)
    return nodes, scores


def _by_arc(kernel: Any, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_]) -> Order:
    assert graph.probabilities is not None  # `rank` has looked
    out = OutArcs(graph.csr.indptr, graph.csr.indices)
    nodes, scores = kernel(out, graph.csr.into, graph.probabilities.values, graph.index.order, allowed, size)
    return nodes, scores


@dataclass(frozen=True)
class SingleDiscount(Ranking):
    """Most followers who are no seeds yet (Chen, Wang and Yang 2009).

    See Also
    --------
    seeding.Degree, seeding.DegreeDiscount, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=SingleDiscount()).seeds
    (0, 4)
    """

    name = "single_discount"

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        return _discount(graph, size, allowed, -1.0)


@dataclass(frozen=True)
class DegreeDiscount(Ranking):
    """Followers, discounted by what the seeds reach (Chen, Wang and Yang 2009, algorithm 4; each arc's own p).

    Parameters
    ----------
    p : float in [0, 1], optional
        One probability to reckon with, in the published formula; default: that of each arc. Models that take no
        probabilities of the graph are reckoned with 0, unless the graph or the model has some.

    See Also
    --------
    seeding.SingleDiscount, seeding.TwoStepDiscount, select_seeds

    Notes
    -----
    Chen, Wang and Yang (2009, section 4.1) look at the star of a node v: v is worth (1 - p)^t (1 + (d - t) p), as no
    seed among its t neighbours activates it with probability (1 - p)^t, and it then activates each of its d - t others
    with p. To first order in p this is 1 + p (d - 2t - (d - t) t p), their algorithm 4, which serves when `p` is set.
    Without `p` the star is kept whole, with the probability of every arc: prod over seeds s of (1 - p_sv) * (1 + sum
    over followers w that are no seeds of p_vw). Parallel arcs count by the probability of the arc that they form.
    Time: the arcs of the seeds, each with the logarithm of the nodes.

    The star alone is short-sighted where probabilities differ: on NetHEPT with weighted-cascade probabilities 50 seeds
    reach 949 nodes on the multigraph and 845 on the simple graph, against 973 and 902 by the published formula with
    p = 0.01, and 1027 and 949 by `TwoStepDiscount`.

    References
    ----------
    Chen, Wang and Yang (2009), "Efficient influence maximization in social networks", KDD, algorithm 4.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g, 2, method=DegreeDiscount(p=0.1)).seeds
    (0, 4)
    """

    p: float | None = None
    name = "degree_discount"
    reckons = True

    def __post_init__(self) -> None:
        if self.p is not None:
            probability(self.p, "p")

    def _prepared(self, graph: FollowerGraph, problem: SelectionProblem) -> Ranking:
        if self.p is None and graph.probabilities is None:
            if not problem.model.takes_probabilities:
                return replace(self, p=0.0)
            raise InputError(
                "degree_discount reckons with propagation probabilities: give p=, as in DegreeDiscount(p=0.01), or a "
                "graph with probabilities, see graph.with_probabilities"
            )
        return self

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        if self.p is not None:
            return _discount(graph, size, allowed, float(self.p))
        return _by_arc(star_discount_seeds, graph, size, allowed)


@dataclass(frozen=True)
class TwoStepDiscount(Ranking):
    """Expected reach within two steps, discounted by what the seeds reach.

    The reasoning of `DegreeDiscount` one step further, with followers discounted too: with f(v) the probability that no
    seed activates v directly, v is worth f(v) (1 + sum_w p_vw f(w) (1 + sum_x p_wx f(x))).

    See Also
    --------
    seeding.DegreeDiscount, seeding.IRIE, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g.with_probabilities("constant", p=0.5), 2, method=TwoStepDiscount()).seeds
    (4, 0)
    """

    name = "two_step_discount"
    reckons = True

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        return _by_arc(two_step_seeds, graph, size, allowed)


@dataclass(frozen=True)
class IRIE(Ranking):
    """Influence ranking and influence estimation (Jung, Heo and Chen 2012).

    Parameters
    ----------
    alpha : float in [0, 1]
        Damping: with 1 every walk counts, with 0 the node alone. 0.7 served the authors well on all their graphs.
    floor : float in (0, 1]
        Least probability of a path along which a seed is taken to reach a node.

    See Also
    --------
    seeding.PageRank, seeding.TwoStepDiscount, select_seeds

    Notes
    -----
    The rank r(u) = (1 - AP(u)) (1 + alpha sum_v p_uv r(v)) estimates what u adds to the seeds, where AP(u) is the
    probability that the seeds activate u. AP combines, as if they were independent, the likeliest path from every seed
    that passes no seed chosen before, by Dijkstra's algorithm cut at `floor`. The iteration takes up the ranks of the
    seed before. Time: at most 20 passes over the arcs for each seed.

    References
    ----------
    Jung, Heo and Chen (2012), "IRIE: Scalable and robust influence maximization in social networks", ICDM.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4, 4], [1, 2, 3, 5, 0], edges_mean="influences", directed=True)
    >>> dif.select_seeds(g.with_probabilities("constant", p=0.5), 2, method=IRIE(alpha=0.5)).seeds
    (0, 4)
    """

    alpha: float = 0.7
    floor: float = FLOOR
    name = "irie"
    reckons = True

    def __post_init__(self) -> None:
        probability(self.alpha, "alpha")
        probability(self.floor, "floor")
        if self.floor == 0:
            raise InputError("floor=0 would follow every path: give a number above 0 and at most 1")

    def order(self, graph: FollowerGraph, size: int, allowed: NDArray[np.bool_], key: int) -> Order:
        assert graph.probabilities is not None  # `rank` has looked
        p, bounds = graph.probabilities.values, (float(self.alpha), float(self.floor), ROUNDS, CLOSE)
        nodes, scores = irie_seeds(graph.csr.indptr, graph.csr.indices, p, graph.index.order, allowed, size, *bounds)
        return nodes, scores


def by_followers(graph: FollowerGraph) -> NDArray[np.int32]:
    """Internal nodes, most followers first, ties in the order of labels: who goes first where gains are equal."""
    return np.lexsort((graph.index.order, -graph.csr.out_degree)).astype(np.int32)
