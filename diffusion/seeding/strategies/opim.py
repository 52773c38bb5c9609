"""OPIM-C and HIST: seeds with a certificate, on RR sets, for a number of seeds, for money, and under quotas."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..constraints import Budget, BudgetQuotas, Cardinality, Constraint, Quotas
from ..problem import SelectionProblem
from ..selection import SeedSelection
from ..task import Task
from .cover import Asked, Cover, certify
from .judged import JUDGED
from .knapsack import KnapsackCover
from .matroid import MatroidCover
from .number import NumberCover
from .quota_knapsack import QuotaKnapsackCover

__all__ = ["HIST", "OPIM"]

COVERS: dict[type[Constraint], type[Cover]] = {
    Cardinality: NumberCover,
    Budget: KnapsackCover,
    Quotas: MatroidCover,
    BudgetQuotas: QuotaKnapsackCover,
}


@dataclass(frozen=True)
class OPIM(Asked):
    """Greedy on reverse-reachable sets with a certificate (OPIM-C, Tang et al. 2018; HIST, Guo et al. 2020).

    Half of the sets choose seeds of largest spread, and the other half judges them. For models with live edges.
    Serves a number of seeds, a budget of money, and quotas with either.

    Parameters
    ----------
    eps : float in (0, 1), optional
        Of k seeds: stop when lower / upper >= 1 - 1/e - eps. Of money and quotas: stop when sampling error costs at
        most this share, when lower / upper >= (1 - eps) times the ratio of the greedy coverage to its upper bound.
        Default: sample until that holds for 0.1 *and* more RR sets would hardly choose better seeds (see Notes).
    delta : float in (0, 1), optional
        Probability with which the certificate may fail; default 1 over the nodes of the live-edge graph.
    quality : float in (0, 1), optional
        Instead of `eps`: sample until lower / upper reaches it. The ratio never exceeds what greedy reaches of its own
        upper bound (0.75 to 0.95 on real graphs): once it is 2 % from that, the search ends, stopped by "bound".
    max_rr_sets : int, optional
        Most RR sets to sample: a limit that does not depend on the machine. Default 2**25, in at most 2 GiB of memory.
    hist : bool, optional
        Fix sentinels first, as HIST does; default: where the mean of the first 256 RR sets is over 128 members.

    See Also
    --------
    seeding.HIST, seeding.IMM, seeding.CELF, select_seeds

    Notes
    -----
    One half of the RR sets chooses greedily and bounds the optimum from above, at every prefix of the greedy order by
    the k largest marginal gains (Tang et al. 2018, section 5.2); the other half bounds the chosen set from below. Both
    bounds use exact binomial tails (Clopper and Pearson 1934), which are tighter than the Chernoff forms of the paper
    and hold at the same delta, shared out over all sizes that could be looked at.

    The guarantee permits seeds that reach 3 to 10 % less than the best known, and searches that stop at it return such
    seeds. By default the search goes on until the seeds chosen on either half, judged on the other, lose at most 2 %,
    with a standard error, to those chosen there, less what a ranking leads; or until seeds chosen on half as many sets
    are as good within 0.5 %, with two standard errors. Then seeds are chosen on both halves together and judged on
    fresh sets, or by forward runs where these take less. They are within about a quarter of the loss of what more sets
    would choose (measured: 0.3 % in the mean and at most 0.8 % below the best known, in 20 selections of 10 and 50
    seeds on three graphs of 5,000 to 15,000 nodes). Each failure probability is shared out between the halves and the choice on both.

    Degree, single discount, degree discount and PageRank (for money and quotas degree and PageRank) are judged on the
    same sets, and the best is kept (estimated anew on fresh sets, where it is a ranking): `chosen_by` says which. The
    upper bound holds for any seed set; the failure probability of the lower bound is shared out over all of them, and
    their estimates are in `compared`.

    HIST first picks some sentinel seeds on few whole RR sets; the sampling of others ends as soon as it meets one. Its
    bounds rest on sets sampled after the sentinels were fixed, so that they hold whatever the sentinels are. For money
    and quotas see `diffusion.seeding.strategies.knapsack`, `diffusion.seeding.strategies.matroid` and, for both,
    `diffusion.seeding.strategies.quota_knapsack`.

    Ctrl-C and time return the best set so far, with its bounds; while nothing has been sampled Ctrl-C is Ctrl-C.

    References
    ----------
    Tang, Tang, Xiao and Yuan (2018), "Online processing algorithms for influence maximization", SIGMOD.
    Guo, Wang, Wei and Chen (2020), "Influence maximization revisited: efficient reverse reachable set generation with
    bound tightened", SIGMOD.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> found = dif.select_seeds(g, 2, method=OPIM(quality=0.5), rng=7)
    >>> sorted(found.seeds), found.lower <= 4 <= found.upper
    ([0, 4], True)
    """

    name = "opim"
    supports = frozenset(
        {"budget", "quotas", "candidates", "exclude", "existing", "node_weights", "time_limit", "executor"}
    )

    def choose(self, problem: SelectionProblem) -> SeedSelection:
        cover = COVERS[type(problem.constraint)]
        task = Task.of(problem, delta=self.delta, max_rr_sets=self.max_rr_sets, judged=JUDGED, purpose=cover.purpose)
        return certify(task, cover(task, self))


@dataclass(frozen=True)
class HIST(OPIM):
    """OPIM with sentinels first, which pays where RR sets are large (Guo et al. 2020).

    Parameters
    ----------
    eps, delta, quality, max_rr_sets
        As for `OPIM`.

    Attributes
    ----------
    hist : bool
        True.

    See Also
    --------
    seeding.OPIM, seeding.IMM, select_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> dif.select_seeds(g, 1, method=HIST(eps=0.2), rng=7).seeds
    (0,)
    """

    hist: bool | None = field(default=True, init=False)
    name = "hist"
    supports = OPIM.supports - {"quotas"}
