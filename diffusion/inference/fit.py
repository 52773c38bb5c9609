"""Fitting the probabilities of a graph's arcs to a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._progress import one_bar
from .._provenance import provenance
from .._random import RNGLike, key_of
from .._threads import n_threads
from .._upward import draw
from .._validation import Floats, level
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, Probabilities, check_static
from .action_log import ActionLog, check_log
from .contacts import GraphLog, exposed_pairs, graph_log
from .em import EM
from .lt_weights import LTWeights
from .methods import Bernoulli, Estimate, FitMethod, Jaccard, PartialCredit
from .netrate import NetRate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["METHODS", "FittedProbabilities", "fit_probabilities"]

_KINDS: tuple[type[FitMethod], ...] = (Bernoulli, Jaccard, PartialCredit, EM, LTWeights, NetRate)
METHODS: Mapping[str, type[FitMethod]] = {kind.name: kind for kind in _KINDS}


@dataclass(frozen=True, repr=False, eq=False)
class FittedProbabilities:
    """Probabilities learned from a log.

    Attributes
    ----------
    graph : FollowerGraph
        The graph with the probabilities learned.
    method : FitMethod
    log : ActionLog
        The adoptions that were used: those by nodes of the graph; `dropped` counts the others.
    log_likelihood : float
        Of the adoptions under the model fitted.
    explained : float
        Share of the adoptions after the first of each item that followed users explain. Without a background it is
        `possible`.
    possible : float
        Share of these adoptions with an active neighbour: what any model on this graph can explain at most.
    reversed_possible : float
        The same with every arc turned round: where it is larger, `edges_mean` may be the wrong way round.
    background : Series or None
        By node: probability of adopting an item although nobody seen caused it.
    prior : BetaPrior or None
        That rare pairs were drawn towards.
    iterations, unconverged : int
        Most iterations of any user; users that reached the limit.
    data : GraphLog
        The log on the graph, by internal node.
    found : Estimate
        What the method found, in the order of in-arcs.
    provenance : dict

    See Also
    --------
    inference.fit_probabilities, inference.compare_fits
    """

    graph: FollowerGraph
    method: FitMethod
    log: ActionLog
    log_likelihood: float
    explained: float
    possible: float
    reversed_possible: float
    background: pd.Series[float] | None
    data: GraphLog = field(repr=False)
    found: Estimate = field(repr=False)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def prior(self) -> Any:
        """Prior that rare pairs were drawn towards."""
        return self.found.prior

    @property
    def iterations(self) -> int:
        """Most iterations of any user."""
        return self.found.iterations

    @property
    def unconverged(self) -> int:
        """Users that reached the limit of iterations."""
        return self.found.unconverged

    @property
    def untried(self) -> int:
        """Arcs that no item of the log has tried."""
        return int((self.found.trials == 0).sum())

    def check_unseen(self, log: ActionLog, name: str) -> None:
        """Refuse a log with items that this fit was trained on.

        Parameters
        ----------
        log : ActionLog
        name : str
            What to call the fit.
        """
        seen = self.log.items.intersection(log.items)
        if len(seen):
            raise InputError(
                f"the fit {name!r} was trained on {len(seen):,} of the {log.n_items:,} items (such as "
                f"{seen.tolist()[0]!r}): split the log with log.split() and fit the first part"
            )

    def background_once_exposed(self) -> Floats | None:
        """Return the probability that a user adopts by itself after it met an active followed user; None without a background.

        Returns
        -------
        ndarray of float64, shape (n_nodes,), or None
            By internal node: of the life of an item, exposed users of this log had a mean share before them.
        """
        if self.found.hazard is None:
            return None
        pairs = exposed_pairs(self.graph, self.log, None, threads=self.data.threads)
        return np.asarray(-np.expm1(-self.found.hazard * pairs.clock.mean()), np.float64)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an arc: source, target, probability, trials, the expected successes among them; the rate, if any."""
        table = self.graph.to_pandas()[["source", "target"]]
        columns = {"probability": self.found.probability, "trials": self.found.trials, "successes": self.found.hits}
        if self.found.rates is not None:
            columns["rate"] = self.found.rates
        return table.assign(**{name: self.data.on_table(values) for name, values in columns.items()})

    def rate_graph(self) -> FollowerGraph:
        """Return the graph with the transmission rates as the weights of its arcs, for models in continuous time.

        Returns
        -------
        FollowerGraph
            Without probabilities, so that every arc transmits after a time of its rate: for
            ``models.CTIC("weight", deadline=...)``. Parallel arcs have one rate together.

        Raises
        ------
        InputError
            A method that finds no rates of exponential delays.

        See Also
        --------
        inference.NetRate, models.CTIC

        Examples
        --------
        >>> import diffusion as dif
        >>> from diffusion.inference import ActionLog, NetRate, co_occurrence_graph
        >>> log = ActionLog.from_arrays([1, 1, 2, 3, 3], ["ann", "bob", "ann", "ann", "bob"], [0, 1, 0, 0, 3])
        >>> fit = fit_probabilities(co_occurrence_graph(log), log, method=NetRate(horizon=4))
        >>> model = dif.models.CTIC("weight", deadline=4)  # one transmission at the rate 1 / 4
        >>> round(dif.spread(fit.rate_graph(), ["ann"], model=model, rng=7).mean, 1)
        1.6
        """
        if self.found.rates is None or not self.method.exponential_delays:
            raise InputError(
                f"{self.method.label} finds no rates of exponential delays: fit with NetRate(transmission='exponential')"
            )
        table, graph = self.to_pandas(), self.graph
        made = FollowerGraph.from_arrays(
            *(table["source"], table["target"]),
            weight=table["rate"],
            nodes=graph.nodes,
            directed=True,
            edges_mean="influences",
        )
        return made.with_node_data(graph.node_data)

    @one_bar
    def intervals(self, confidence: float = 0.95, *, rng: RNGLike = None) -> pd.DataFrame:
        """Return `to_pandas` with the ends `low` and `high` of an interval of every probability.

        Parameters
        ----------
        confidence : float in (0, 1)
        rng : int, Generator or None
            For methods that draw from a posterior.

        Returns
        -------
        DataFrame

        Raises
        ------
        InputError
            A method that claims no intervals.

        Notes
        -----
        With a fitted prior these are empirical-Bayes intervals: over the arcs of a graph they hold the true value as
        often as they say, if the probabilities look like a Beta distribution; of arcs chosen for their size they may not,
        and a probability of exactly 0 they never hold. With ``shrinkage=None`` the prior is Beta(1/2, 1/2): where trials
        are few the maximum-likelihood estimate can lie outside the interval.
        """
        confidence = level(confidence)
        low, high = self.method.intervals(self.data, self.found, confidence=confidence, key=key_of(rng))
        return self.to_pandas().assign(low=self.data.on_table(low), high=self.data.on_table(high))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot which share of the arcs has at least such a probability."""
        return draw("learned", self, ax)

    def __repr__(self) -> str:
        lines = [
            f"FittedProbabilities: {self.method.label} on {self.graph.n_edges:,} arcs from {len(self.log):,} adoptions of "
            f"{self.log.n_items:,} items",
            f"  {self.explained:.1%} of the adoptions explained by followed users; {self.possible:.1%} have an active one "
            f"before them ({self.reversed_possible:.1%} with arcs turned round)",
            f"  log-likelihood {self.log_likelihood:,.1f}; mean probability {self.found.probability.mean():.4g}; "
            f"{self.untried:,} arcs never tried",
        ]
        if self.prior is not None:
            lines.append(
                f"  shrunk towards Beta({self.prior.hits:.3g}, {self.prior.misses:.3g}), mean {self.prior.mean:.3g}, which "
                f"weighs as {self.prior.strength:.3g} trials"
            )
        if self.background is not None:
            lines.append(
                f"  background: users adopt {self.background.mean():.3g} of the items by themselves, on average"
            )
        if self.found.rates is not None:
            lines.append(f"  {int((self.found.rates > 0).sum()):,} arcs have a transmission rate above 0")
        if self.unconverged:
            lines.append(f"  {self.unconverged:,} users have not converged after {self.iterations:,} iterations")
        lines += [f"  {count:,} {reason} left out" for reason, count in self.log.dropped.items()]
        return "\n".join(lines)


def method_of(method: FitMethod | str) -> FitMethod:
    """Return a method by name, or as given."""
    if isinstance(method, FitMethod):
        return method
    if isinstance(method, str) and method in METHODS:
        return METHODS[method]()
    if isinstance(method, type) and issubclass(method, FitMethod):
        raise InputError(f"method={method.__name__} is the class itself: give {method.__name__}()")
    raise NotFoundError(
        f"method={method!r} is unknown: give {', '.join(METHODS)}, or an object such as EM(background='none')."
        + did_you_mean(str(method), METHODS)
    )


@one_bar
def fit_probabilities(
    graph: FollowerGraph,
    log: ActionLog,
    *,
    method: FitMethod | str = "em",
    unknown: str = "drop",
    threads: int | None = None,
) -> FittedProbabilities:
    """Learn the propagation probability of every arc from a log of adoptions.

    Parameters
    ----------
    graph : FollowerGraph
        Its own probabilities play no part.
    log : ActionLog
    method : FitMethod or {"em", "bernoulli", "jaccard", "partial_credit", "lt", "netrate"}
        Names stand for the methods at their defaults; `EM` says more.
    unknown : {"drop", "error"}
        Adoptions by users outside the graph are left out and counted, or they are an error.
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it.

    Returns
    -------
    FittedProbabilities
        With ``graph``, the graph with the probabilities learned.

    Raises
    ------
    InputError
        Users outside the graph where they are refused, or a log in which nobody adopts after one that is followed.
    NotFoundError
        An unknown method.

    See Also
    --------
    inference.compare_fits, inference.EM, inference.Bernoulli, inference.PartialCredit

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays(["ann"], ["bob"], edges_mean="influences", directed=True)
    >>> log = ActionLog.from_arrays([1, 1, 2, 3], ["ann", "bob", "ann", "ann"], [0, 1, 0, 0])
    >>> fit = fit_probabilities(g, log, method=EM(shrinkage=None, background="none"))
    >>> fit.to_pandas()[["probability", "trials"]].round(4).to_numpy().tolist()
    [[0.3333, 3.0]]
    """
    check_static(graph)
    check_log(log)
    way = method_of(method)
    log = way.observed(log.on(graph, unknown=unknown))
    count = n_threads(threads)
    data = graph_log(graph, log, window=way.reach, threads=count)
    if not data.n_contacts:
        raise InputError(
            f"none of the {len(log):,} adoptions comes after one by a user that is followed, so the log says nothing of any arc"
            + (f" ({data.reversed_possible:.1%} would with arcs turned round)" if data.later else "")
            + ": check edges_mean, the labels"
            + ("" if way.window is None else f", and window={way.window:g}")
        )
    found = way.estimate(data)
    values = data.on_out_arcs(found.probability).astype(np.float32)
    background = None
    if found.hazard is not None:
        background = graph.index.series(-np.expm1(-found.hazard), "background")
    parameters = {"method": way.label}
    return FittedProbabilities(
        graph=replace(graph, probabilities=Probabilities(values, "learned", parameters)),
        method=way,
        log=log,
        log_likelihood=found.log_likelihood,
        explained=found.explained,
        possible=data.possible,
        reversed_possible=data.reversed_possible,
        background=background,
        data=data,
        found=found,
        provenance=provenance("fit_probabilities", method=way.label, graph=graph.fingerprint, adoptions=len(log)),
    )
