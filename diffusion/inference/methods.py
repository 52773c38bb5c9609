"""Ways to learn the probability of every arc from a log: what is asked of a method, and those that count."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .._validation import Floats, number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..kernels.learning import Found, Prior, Trials, add_credit, add_delays, em_nodes
from .action_log import ActionLog
from .contacts import GraphLog, graph_log
from .shrinkage import BetaPrior, GammaPrior, shrinkage_of

__all__ = [
    "Bernoulli",
    "Estimate",
    "FitMethod",
    "Iterated",
    "Jaccard",
    "PartialCredit",
    "log_likelihood",
    "mean_delays",
]


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a method says; arrays of arcs are in the order of in-arcs, those of nodes by internal node.

    Attributes
    ----------
    probability : ndarray of float64, shape (n_edges,)
    hits, trials : ndarray of float64, shape (n_edges,)
        Expected successes, and trials, of every arc.
    log_likelihood : float
        Of the adoptions under the independent cascade with these probabilities and the background; of the method's own
        model where it has another.
    explained : float
        Share of the adoptions after the first of each item that the arcs explain.
    hazard : ndarray of float64, shape (n_nodes,), or None
        Rate at which a node adopts an item by itself, over the whole time of the item.
    prior : BetaPrior or None
    hazard_prior : GammaPrior or None
    iterations : int
        Most of any node.
    unconverged : int
        Nodes that reached the limit of iterations.
    rates : ndarray of float64, shape (n_edges,), or None
        Transmission rates, of methods in continuous time.
    """

    probability: Floats
    hits: Floats
    trials: Floats
    log_likelihood: float
    explained: float
    hazard: Floats | None = None
    prior: BetaPrior | None = None
    hazard_prior: GammaPrior | None = None
    iterations: int = 0
    unconverged: int = 0
    rates: Floats | None = None


class FitMethod(ABC):
    """A way to learn the probabilities of arcs; its parameters are the fields of a frozen dataclass.

    Attributes
    ----------
    name : str
        What ``method=`` calls it.
    window : float or None
        Longest time after its own adoption at which a user can cause another's; None: any.
    additive : bool
        Whether active neighbours together make a user adopt with the sum of their probabilities (weights of the linear
        threshold model), and not with 1 - prod (1 - p).

    See Also
    --------
    inference.fit_probabilities, inference.EM, inference.METHODS

    Examples
    --------
    >>> from diffusion.inference import EM
    >>> isinstance(EM(), FitMethod), EM().reach
    (True, inf)
    """

    name: ClassVar[str]
    window: float | None
    additive: ClassVar[bool] = False

    @property
    def reach(self) -> float:
        """How long after its own adoption a user can cause another's, in the unit of the log."""
        return math.inf if self.window is None else float(self.window)

    @property
    def exponential_delays(self) -> bool:
        """Are the method's rates those of exponential delays?"""
        return False

    @property
    def label(self) -> str:
        """Name with the parameters that are not at their defaults."""
        changed = [(f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != f.default]  # type: ignore[arg-type]
        return " ".join([self.name, *(f"{name}={value}" for name, value in changed)])

    def observed(self, log: ActionLog) -> ActionLog:
        """Return the part of a log that the method speaks of: all of it, unless it says otherwise."""
        return log

    @abstractmethod
    def estimate(self, data: GraphLog) -> Estimate:
        """Return what the log says about every arc.

        Parameters
        ----------
        data : GraphLog
            The log on the graph, with the contacts of every adoption.
        """

    def intervals(self, data: GraphLog, found: Estimate, *, confidence: float, key: int) -> tuple[Floats, Floats]:
        """Return the ends of the interval of every arc's probability.

        Parameters
        ----------
        data : GraphLog
        found : Estimate
            Of the same log.
        confidence : float
        key : int
            64 bits from which every draw follows.
        """
        raise InputError(f"{self.name} claims no intervals: method='em' does")

    def check_window(self) -> None:
        """Refuse a window that is no time above 0."""
        if self.window is not None:
            number(self.window, "window", above=0)


BACKGROUNDS = ("user", "none")


@dataclass(frozen=True)
class Iterated(FitMethod):
    """Parameters of methods that iterate, with a background: see `EM`."""

    window: float | None = None
    background: str = "user"
    shrinkage: str | tuple[float, float] | None = "empirical_bayes"
    tol: float = 1e-6
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        self.check_window()
        shrinkage_of(self.shrinkage)
        number(self.tol, "tol", above=0)
        whole(self.max_iterations, "max_iterations", least=0)
        if self.background not in BACKGROUNDS:
            raise NotFoundError(
                f"background={self.background!r} is unknown: give 'user' or 'none'"
                + did_you_mean(self.background, BACKGROUNDS)
            )

    def background_items(self, data: GraphLog) -> int:
        """Items in which the background may make a node adopt; 0 without one."""
        return data.log.n_items if self.background == "user" else 0


def log_likelihood(data: GraphLog, probability: Floats) -> float:
    """Log-likelihood of the adoptions with a contact under the independent cascade with these probabilities."""
    n = data.graph.n_nodes
    found = Found(*(np.zeros(n) for _ in range(3)), np.zeros(n, np.int64))
    p, b = probability.copy(), np.zeros(n)
    trials, prior = Trials(data.trials, 0), Prior(0.0, 0.0, 0.0, 0.0)
    data.by_node(
        lambda first, last: em_nodes(first, last, data.contacts, data.into.indptr, trials, prior, p, b, 0.0, 0, found),
        "log-likelihood",
    )
    return float(found.fit.sum())


def _credit(data: GraphLog, scale: Floats) -> Floats:
    credit = np.zeros(data.graph.n_edges)
    data.by_node(
        lambda first, last: add_credit(first, last, data.contacts, data.into.indptr, scale, credit), "sharing out"
    )
    return credit


def mean_delays(data: GraphLog, counted: NDArray[np.int64]) -> Floats:
    """Mean delay of the contacts of each in-arc; infinite without any."""
    total = np.zeros(data.graph.n_edges)
    data.by_node(
        lambda first, last: add_delays(first, last, data.contacts, data.into.indptr, total), "averaging delays"
    )
    mean: Floats = np.divide(total, counted, out=np.full(total.size, np.inf), where=counted > 0)
    return mean


@dataclass(frozen=True)
class _Counting(FitMethod):
    """Successes over trials of every arc by itself."""

    window: float | None = None
    shrinkage: str | tuple[float, float] | None = "empirical_bayes"

    def __post_init__(self) -> None:
        self.check_window()
        shrinkage_of(self.shrinkage)

    @abstractmethod
    def _counts(self, data: GraphLog) -> tuple[Floats, Floats]:
        """Successes and trials of every in-arc."""

    def estimate(self, data: GraphLog) -> Estimate:
        hits, trials = self._counts(data)
        prior = shrinkage_of(self.shrinkage)
        if prior == "empirical_bayes":
            prior = BetaPrior.fitted(hits, trials)
        assert not isinstance(prior, str)
        p = _rate(hits, trials, prior)
        return Estimate(p, hits, trials, log_likelihood(data, p), data.possible, prior=prior)


def _check_trials(given: str) -> None:
    if given not in ("possible", "all"):
        raise NotFoundError(
            f"trials={given!r} is unknown: give 'possible' or 'all'" + did_you_mean(given, ("possible", "all"))
        )


def _trials(data: GraphLog, which: str) -> Floats:
    """Trials of every in-arc: the possible ones, or all items of its source."""
    return (data.trials if which == "possible" else data.activity[data.into.sources]).astype(np.float64)


def _rate(hits: Floats, trials: Floats, prior: BetaPrior | None) -> Floats:
    a, b = (prior.hits, prior.misses) if prior is not None else (0.0, 0.0)
    count = trials + a + b
    return np.divide(hits + a, count, out=np.zeros(hits.size), where=count > 0)


@dataclass(frozen=True)
class Bernoulli(_Counting):
    """Successes over trials: how often v adopted after u, of the items u adopted before v could have.

    Parameters
    ----------
    window : float, optional
        Longest time between the two adoptions, in the unit of the log; default any.
    shrinkage : {"empirical_bayes", None} or (hits, misses)
        Pseudo-counts added to every arc: those of a Beta prior that is fitted to all arcs, none, or given ones.
    trials : {"possible", "all"}
        Items that u adopted and v had not adopted before, or all items of u, as Goyal et al. (2010) have it.

    See Also
    --------
    inference.fit_probabilities, inference.Jaccard, inference.PartialCredit, inference.EM

    Notes
    -----
    Every active neighbour takes the whole success, so probabilities of users who are followed together add up to too
    much; `EM` shares it out. With one neighbour alone the two are the same.

    References
    ----------
    - Goyal, A., Bonchi, F. and Lakshmanan, L. V. S. (2010). Learning influence probabilities in social networks. WSDM
      2010. doi:10.1145/1718487.1718518

    Examples
    --------
    >>> Bernoulli(window=7.0).label
    'bernoulli window=7.0'
    """

    trials: str = "possible"
    name: ClassVar[str] = "bernoulli"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_trials(self.trials)

    def _counts(self, data: GraphLog) -> tuple[Floats, Floats]:
        return data.contact_counts.astype(np.float64), _trials(data, self.trials)


@dataclass(frozen=True)
class Jaccard(_Counting):
    """Items that v adopted after u, over the items that either adopted.

    Parameters
    ----------
    window, shrinkage
        As in `Bernoulli`.

    See Also
    --------
    inference.fit_probabilities, inference.Bernoulli

    References
    ----------
    - Goyal, A., Bonchi, F. and Lakshmanan, L. V. S. (2010). Learning influence probabilities in social networks. WSDM
      2010. doi:10.1145/1718487.1718518

    Examples
    --------
    >>> Jaccard().label
    'jaccard'
    """

    name: ClassVar[str] = "jaccard"

    def _counts(self, data: GraphLog) -> tuple[Floats, Floats]:
        target = np.repeat(np.arange(data.graph.n_nodes), np.diff(data.into.indptr))
        # Trials leave out the items of u that v had adopted before: |A_u or A_v| = trials + A_v - those after u.
        after = data.contact_counts
        if math.isfinite(self.reach):  # adoptions of both beyond the window are counted in the trials of u already
            after = graph_log(data.graph, data.log, window=math.inf, threads=data.threads).contact_counts
        return data.contact_counts.astype(np.float64), (data.trials + data.activity[target] - after).astype(np.float64)


@dataclass(frozen=True)
class PartialCredit(_Counting):
    """Each adoption is shared out among the active neighbours, evenly or by how long ago they adopted.

    Parameters
    ----------
    window, shrinkage
        As in `Bernoulli`.
    decay : bool
        Weigh by exp(-delay / mean delay of the arc) instead of evenly.
    trials : {"possible", "all"}
        As in `Bernoulli`.

    See Also
    --------
    inference.fit_probabilities, inference.Bernoulli, inference.EM

    References
    ----------
    - Goyal, A., Bonchi, F. and Lakshmanan, L. V. S. (2010). Learning influence probabilities in social networks. WSDM
      2010. doi:10.1145/1718487.1718518

    Examples
    --------
    >>> PartialCredit(decay=True).label
    'partial_credit decay=True'
    """

    decay: bool = False
    trials: str = "possible"
    name: ClassVar[str] = "partial_credit"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_trials(self.trials)

    def _counts(self, data: GraphLog) -> tuple[Floats, Floats]:
        scale = 1.0 / mean_delays(data, data.contact_counts) if self.decay else np.zeros(data.graph.n_edges)
        return _credit(data, scale), _trials(data, self.trials)
