"""IMM: the classic of RR sets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..._progress import progress
from ..._validation import level, number
from ...errors import InputError
from ..problem import SelectionProblem
from ..rr_store import RRStore
from ..search import REACHED, Judged, judge, log_choose, selection_of, stop_rule
from ..selection import SeedSelection
from ..task import Task
from .base import Strategy
from .number import cover_of_number

__all__ = ["IMM", "imm_lambda_star"]


def imm_lambda_star(n: int, k: int, *, eps: float, ell: float) -> float:
    """Return lambda* of IMM (Tang, Shi and Xiao, SIGMOD 2015, equation 6): sets needed = lambda* / optimum.

    Examples
    --------
    >>> round(imm_lambda_star(15_233, 50, eps=0.1, ell=1))
    864462053
    """
    log = ell * (math.log(n) + math.log(2.0)) + math.log(2.0)  # of ell (1 + ln 2 / ln n), as the proof asks for
    root = REACHED * math.sqrt(log) + math.sqrt(REACHED * (log_choose(n, k) + log))
    return 2.0 * n * root**2 / eps**2


@dataclass(frozen=True)
class IMM(Strategy):
    """Greedy on reverse-reachable sets with a certificate (IMM, Tang, Shi and Xiao 2015).

    For comparison with papers: `OPIM` needs far fewer RR sets.

    Parameters
    ----------
    eps : float in (0, 1 - 1/e)
        The seeds reach 1 - 1/e - eps of the optimum ...
    ell : float above 0
        ... with probability at least 1 - n^-ell.

    See Also
    --------
    seeding.OPIM, seeding.HIST, select_seeds

    Notes
    -----
    The certificate's ``guarantee`` is what IMM proves; NaN where that needs more than 2**25 RR sets, or 2 GiB of them.
    `lower` and `upper` come from its sets and as many fresh ones, at ``delta = n**-ell``. The second phase samples
    anew: with the sets of the first, as published, the proof has a gap (Chen 2018).

    References
    ----------
    Tang, Shi and Xiao (2015), "Influence maximization in near-linear time: a martingale approach", SIGMOD.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> dif.select_seeds(g, 1, method=IMM(eps=0.3), rng=7).seeds
    (0,)
    """

    eps: float = 0.1
    ell: float = 1.0
    name = "imm"
    supports = frozenset({"executor"})
    certified = True

    def __post_init__(self) -> None:
        if level(self.eps, "eps") >= REACHED:
            raise InputError(f"eps={self.eps!r} leaves no guarantee: give a number below 1 - 1/e = {REACHED:.4f}")
        number(self.ell, "ell", above=0, advice="; the failure probability is n^-ell")

    def choose(self, problem: SelectionProblem) -> SeedSelection:
        k, eps, ell = problem.constraint.k, self.eps, self.ell
        assert k is not None
        n = max(problem.graph.n_nodes, 2)
        task = Task.of(problem, delta=n ** -float(ell))
        star = imm_lambda_star(n, k, eps=eps, ell=ell)
        ell = ell * (1.0 + math.log(2.0) / math.log(n))
        wide = math.sqrt(2.0) * eps
        log = log_choose(n, k) + ell * math.log(n) + math.log(max(math.log2(n), 1.0))
        wanted = (2.0 + 2.0 * wide / 3.0) * log * n / wide**2
        least = float(k)

        def cover(sets: RRStore) -> Any:
            return cover_of_number(task, sets, k, problem.existing[:0])

        with progress(total=None, description="RR sets", unit="set") as bar:
            first = task.store("imm", 1)
            stopped = "guarantee"
            for i in range(1, max(int(math.log2(n)), 2)):
                guess = n / 2.0**i
                stopped = stopped if _grow(task, first, wanted / guess, bar) else "max_rr_sets"
                reached = n * cover(first).covered / first.n
                if reached >= (1.0 + wide) * guess:
                    least = max(reached / (1.0 + wide), least)
                    break
                if stopped != "guarantee":
                    break
            selection, validation = task.store("imm", 2), task.store("imm", 3)
            for sets in (selection, validation):
                if not _grow(task, sets, star / least, bar):
                    stopped = "max_rr_sets"
            state = judge(task, cover(selection), selection, validation, task.delta / 2.0)
        used, facts = first.n + selection.n + validation.n, {"k": k, "eps": eps, "ell": self.ell}
        rule = stop_rule(eps, None, guarantee=True)
        return selection_of(task, state, stopped, rule, used, selection, Judged(), facts, method="IMM")


def _grow(task: Task, sets: RRStore, wanted: float, bar: Any) -> bool:
    """Sample so many sets, or as many as fit; False: fewer."""
    n = math.ceil(min(wanted, task.max_rr_sets))
    return sets.extend(n, threads=task.problem.threads, most=task.max_bytes / 24.0, bar=bar) and n >= wanted
