"""Transmission rates in continuous time, and the graph of who adopted before whom for logs without a graph."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._validation import number, probability, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..kernels.rates import EXPONENTIAL, POWER_LAW, RAYLEIGH, Law, RatesFound, add_exposures, rate_nodes
from .action_log import ActionLog, check_log
from .contacts import GraphLog
from .methods import Estimate, FitMethod

__all__ = ["NetRate", "co_occurrence_graph"]

TRANSMISSIONS = {"exponential": EXPONENTIAL, "power_law": POWER_LAW, "rayleigh": RAYLEIGH}
MOST_PAIRS = 1 << 22  # that are put together before equal ones are dropped


@dataclass(frozen=True)
class NetRate(FitMethod):
    """Maximum likelihood of transmission rates in continuous time (NetRate).

    Parameters
    ----------
    transmission : {"exponential", "power_law", "rayleigh"}
        Hazard of a transmission at a delay d: the rate, rate / d for d above `shortest`, or rate * d.
    horizon : float, optional
        An item is observed so long after its first adoption; later adoptions are left out and counted. Default: until the
        last time in the log.
    shortest : float
        Shortest delay of a power law, in the unit of the log.
    least : float
        Arcs that transmit within the horizon with a lower probability have the rate 0.
    tol : float
        A user's iterations end once the expected number of its adoptions that an arc caused moves by no more.
    max_iterations : int
        EM steps, and up to two more, after which the iterations of a user end all the same.

    See Also
    --------
    inference.fit_probabilities, inference.co_occurrence_graph, inference.EM, models.CTIC

    Notes
    -----
    An adopter transmits to every follower at a random time of its own, and the follower adopts at the first of these. An
    adoption at t has the hazard sum of rate * hazard(delay) over those who adopted before it, and every arc the survival
    exp(-rate * G) with its exposure G: the cumulative hazard at rate 1, summed over items, until the follower adopts or
    the item is no longer observed. The likelihood is concave in the rates of a user, and many rates at its maximum are 0.
    EM sets a rate to the expected number of adoptions that the arc caused, over G, and never lowers the likelihood; its
    steps are squared as in Varadhan and Roland (2008) where that raises it further.

    The probability of an arc in the graph found is that of a transmission within the horizon, or within the whole time of
    the log. ``fit.rate_graph()`` has the rates as weights instead, for cascades in continuous time:
    ``spread(fit.rate_graph(), seeds, model=models.CTIC("weight", deadline=10))``.

    There is no background: every adoption after one by a followed user was caused by such. Rates have the unit of 1 / time
    (exponential), of none (power law) or 1 / time squared (Rayleigh).

    References
    ----------
    - Gomez-Rodriguez, M., Balduzzi, D. and Schölkopf, B. (2011). Uncovering the temporal dynamics of diffusion networks.
      ICML 2011. arXiv:1105.0697
    - Varadhan, R. and Roland, C. (2008). Simple and globally convergent methods for accelerating the convergence of any EM
      algorithm. Scandinavian Journal of Statistics 35, 335-353. doi:10.1111/j.1467-9469.2007.00585.x

    Examples
    --------
    >>> from diffusion.inference import ActionLog, co_occurrence_graph, fit_probabilities
    >>> log = ActionLog.from_arrays([1, 1, 2, 3, 3], ["ann", "bob", "ann", "ann", "bob"], [0, 1, 0, 0, 3])
    >>> fit = fit_probabilities(co_occurrence_graph(log), log, method=NetRate(horizon=4))
    >>> fit.to_pandas()[["source", "target", "rate"]].to_numpy().tolist()  # two adoptions in 1 + 4 + 3
    [['ann', 'bob', 0.25]]
    """

    transmission: str = "exponential"
    horizon: float | None = None
    shortest: float = 1.0
    least: float = 1e-3
    tol: float = 1e-6
    max_iterations: int = 20_000
    name: ClassVar[str] = "netrate"
    window = None  # any earlier adopter may have transmitted

    def __post_init__(self) -> None:
        if self.transmission not in TRANSMISSIONS:
            raise NotFoundError(
                f"transmission={self.transmission!r} is unknown: give {', '.join(map(repr, TRANSMISSIONS))}"
                + did_you_mean(str(self.transmission), TRANSMISSIONS)
            )
        for name in ("shortest", "tol"):
            number(getattr(self, name), name, above=0)
        if self.horizon is not None:
            number(self.horizon, "horizon", above=0)
        probability(self.least, "least")
        whole(self.max_iterations, "max_iterations", least=0)

    @property
    def exponential_delays(self) -> bool:
        """See `FitMethod.exponential_delays`."""
        return self.transmission == "exponential"

    @property
    def law(self) -> Law:
        """Law of the delays, as kernels know it."""
        return Law(TRANSMISSIONS[self.transmission], float(self.shortest))

    def observed(self, log: ActionLog) -> ActionLog:
        """See `FitMethod.observed`: what comes after the horizon is not."""
        if self.horizon is None:
            return log
        return log.until(log.time[log.indptr[:-1]] + self.horizon)

    def estimate(self, data: GraphLog) -> Estimate:
        """See `FitMethod.estimate`."""
        log, n, m = data.log, data.graph.n_nodes, data.graph.n_edges
        first, end = log.time[log.indptr[:-1]], float(log.time.max())
        ends = np.full(log.n_items, end) if self.horizon is None else first + self.horizon
        within = end - float(first.min()) if self.horizon is None else self.horizon
        exposure = np.zeros(m)
        data.by_node(
            lambda a, b: add_exposures(a, b, data.into, data.histories, self.law, ends, exposure),
            "exposures",
            exposed=True,
        )
        if not np.isfinite(exposure).all():
            raise InputError(
                f"the exposures of {int((~np.isfinite(exposure)).sum()):,} arcs overflow: use a larger unit of time"
            )
        counts = data.contact_counts
        rate = np.divide(counts, exposure, out=np.zeros(m), where=exposure > 0) / 2
        found = RatesFound(np.zeros(m), np.zeros(n), *(np.zeros(n, np.int64) for _ in range(2)))
        data.by_node(
            lambda a, b: rate_nodes(
                *(a, b, data.contacts, data.into.indptr, self.law, exposure),
                *(rate, self.tol, self.max_iterations, found),
            ),
            "EM",
        )
        p = -np.expm1(-rate * self._cumulative(within))
        kept = p >= self.least
        return Estimate(
            probability=np.where(kept, p, 0.0),
            hits=found.hits,
            trials=data.trials.astype(np.float64),
            log_likelihood=float(found.fit.sum()),
            explained=int(found.caused.sum()) / data.later if data.later else math.nan,
            iterations=int(found.steps.max(initial=0)),
            unconverged=int((found.steps >= self.max_iterations).sum()),
            rates=np.where(kept, rate, 0.0),
        )

    def _cumulative(self, delay: float) -> float:
        """Cumulative hazard at rate 1."""
        if self.transmission == "power_law":
            return math.log(max(delay / self.shortest, 1.0))
        return delay if self.transmission == "exponential" else delay**2 / 2


def co_occurrence_graph(log: ActionLog, *, window: float | None = None) -> FollowerGraph:
    """Return the graph of all ordered pairs of users of whom one adopted some item before the other.

    Parameters
    ----------
    log : ActionLog
    window : float, optional
        Longest time between the two adoptions; default any.

    Returns
    -------
    FollowerGraph
        An arc u -> v wherever u adopted an item before v did: what can have passed from one to the other, for logs without
        a graph. Its nodes are all users of the log.

    Raises
    ------
    InputError
        A log in which nobody adopts after another.

    See Also
    --------
    inference.NetRate, inference.fit_probabilities

    Notes
    -----
    An item of s adoptions has up to s (s - 1) / 2 pairs.

    Examples
    --------
    >>> log = ActionLog.from_arrays([1, 1, 1], ["ann", "bob", "eve"], [0, 1, 1])
    >>> co_occurrence_graph(log).to_pandas()[["source", "target"]].to_numpy().tolist()
    [['ann', 'bob'], ['ann', 'eve']]
    """
    check_log(log)
    reach = math.inf if window is None else number(window, "window", above=0)
    n = log.n_users
    pairs, waiting, size = np.empty(0, np.int64), [], 0
    for first, last in zip(log.indptr.tolist(), log.indptr[1:].tolist(), strict=False):
        user, time = log.user[first:last].astype(np.int64), log.time[first:last]
        since = np.searchsorted(time, time - reach, side="left") if reach < math.inf else np.zeros(time.size, np.int64)
        until = np.searchsorted(time, time, side="left")
        counts = np.maximum(until - since, 0)
        start = np.repeat(since - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        source = user[start + np.arange(start.size)]
        waiting.append(source * n + np.repeat(user, counts))
        size += source.size
        if size > MOST_PAIRS:
            pairs, waiting, size = np.unique(np.concatenate([pairs, *waiting])), [], 0
    pairs = np.unique(np.concatenate([pairs, *waiting]))
    if not pairs.size:
        raise InputError(
            f"nobody in the log of {log.n_items:,} items adopts after another"
            + ("" if window is None else f" within window={window:g}")
            + ": there is no pair to make an arc of"
        )
    users = log.users
    return FollowerGraph.from_arrays(
        users.take(pairs // n), users.take(pairs % n), nodes=users, directed=True, edges_mean="influences"
    )
