"""EM for the weights of the linear threshold model, with adoptions that nobody seen caused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._validation import Floats
from ..kernels.lt_learning import LTFound, LTPrior, Picks, gather_picks, lt_nodes
from .contacts import GraphLog
from .methods import Estimate, Iterated
from .shrinkage import BetaPrior, shrinkage_of

__all__ = ["LTWeights"]

START = 0.5  # sum of the weights into a node, and none of them: half and half
MOST_BACKGROUND = 1 - 1e-9  # so that its rate is finite
START_BACKGROUND = 0.1
PASSES = 2  # of fitting a prior to the adoptions caused, and these to the prior


@dataclass(frozen=True)
class LTWeights(Iterated):
    """Maximum likelihood of the weights of the linear threshold model, with adoptions that nobody seen caused.

    Parameters
    ----------
    window : float, optional
        A user can cause adoptions up to so long after its own; 1 for logs in steps of a simulation, whose likelihood this
        is exactly. Default any time.
    background : {"user", "none"}
        Every user adopts an item by itself with a probability of its own; or adoptions without an active neighbour are
        left out, and one with an active neighbour is always caused by such.
    shrinkage : {"empirical_bayes", None} or (hits, misses)
        Pseudo-items added to every arc, in which its source alone was active, with and without an adoption: those of a
        Beta prior that is fitted to all arcs, none, or given ones. The background has a fitted prior of its own, or none.
    tol : float
        A user's iterations end once no weight moves by more.
    max_iterations : int
        EM steps, and up to two more, after which the iterations of a user end all the same.

    See Also
    --------
    inference.fit_probabilities, inference.EM, LT

    Notes
    -----
    In every item a user picks at most one of its in-neighbours, u with probability w_u, and adopts when that one is
    active: the live-edge form of the model. An adoption says that the pick is among the neighbours that became active
    within the window before it, and in a log in steps that is the new ones, since the threshold lies between the sums of
    the weights before and after them. Who has not adopted by the end picked nobody that is active. So the likelihood of a
    user is a product of sums of weights, and of 1 - sums; it is concave, and weights sum to at most 1 by themselves. The
    graph found simulates with ``model="lt"``.

    The background adds a way to adopt at any time that is independent of the pick. Without it a log with many independent
    adoptions makes neighbours look influential. Simulated items start with seeds, who adopt before anybody else and never
    after: for such logs ``background="none"`` is right, and a background takes away from the weights about as much as the
    share of seeds.

    EM never lowers the likelihood, with the prior's pseudo-items as a penalty; its steps are squared as in Varadhan and
    Roland (2008) where that raises it further. The log-likelihood is that of this model, so that it cannot be compared with
    those of methods for the independent cascade unless their window is the same.

    References
    ----------
    - Kempe, D., Kleinberg, J. and Tardos, E. (2003). Maximizing the spread of influence through a social network. KDD
      2003, 137-146. doi:10.1145/956750.956769
    - Varadhan, R. and Roland, C. (2008). Simple and globally convergent methods for accelerating the convergence of any EM
      algorithm. Scandinavian Journal of Statistics 35, 335-353. doi:10.1111/j.1467-9469.2007.00585.x

    Examples
    --------
    >>> import diffusion as dif
    >>> from diffusion.inference import ActionLog, fit_probabilities
    >>> g = dif.FollowerGraph.from_arrays(["ann", "eve"], ["bob", "bob"], edges_mean="influences", directed=True)
    >>> log = ActionLog.from_arrays([1, 1, 2, 3, 3], ["ann", "bob", "ann", "eve", "bob"], [0, 1, 0, 0, 1])
    >>> fit = fit_probabilities(g, log, method=LTWeights(background="none", shrinkage=None))
    >>> fit.to_pandas()[["source", "probability"]].round(4).to_numpy().tolist()
    [['ann', 0.3333], ['eve', 0.6667]]
    """

    max_iterations: int = 3000
    name: ClassVar[str] = "lt"
    additive: ClassVar[bool] = True

    def estimate(self, data: GraphLog) -> Estimate:
        """See `FitMethod.estimate`."""
        picks = find_picks(data)
        prior = shrinkage_of(self.shrinkage)
        if prior != "empirical_bayes":
            return self._fit(data, picks, prior, None)[0]
        found, caused = self._fit(data, picks, None, None)
        items = np.full(data.graph.n_nodes, float(data.log.n_items))
        for _ in range(PASSES):
            own = BetaPrior.fitted(caused, items) if self.background == "user" else None
            found, caused = self._fit(data, picks, BetaPrior.fitted(found.hits, found.trials), own)
        return found

    def _fit(
        self, data: GraphLog, picks: Picks, prior: BetaPrior | None, own: BetaPrior | None
    ) -> tuple[Estimate, Floats]:
        """Fit with these priors; with the adoptions of each node that nobody seen caused."""
        n, m = data.graph.n_nodes, data.graph.n_edges
        items = self.background_items(data)
        found = LTFound(np.zeros(m), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64))
        degree = np.diff(data.into.indptr)
        w = np.repeat(START / np.maximum(degree, 1), degree)
        if prior is None:  # the likelihood never rises with the weight of an arc without a contact
            w[data.contact_counts == 0] = 0.0
        b = np.full(n, START_BACKGROUND)
        weights = LTPrior(*_counts(prior), *_counts(own))
        data.by_node(
            lambda first, last: lt_nodes(
                *(first, last, picks, data.into.indptr, data.activity, items),
                *(weights, w, b, self.tol, self.max_iterations, found),
            ),
            "EM",
        )
        estimate = Estimate(
            probability=w,
            hits=found.hits,
            trials=data.trials.astype(np.float64),
            log_likelihood=float(found.fit.sum()),
            explained=data.possible if not items else (len(data.log) - float(found.caused.sum())) / data.later,
            hazard=-np.log1p(-np.minimum(b, MOST_BACKGROUND)) if items else None,
            prior=prior,
            iterations=int(found.steps.max(initial=0)),
            unconverged=int((found.steps >= self.max_iterations).sum()),
        )
        return estimate, found.caused


def find_picks(data: GraphLog) -> Picks:
    """What every item says of the in-neighbour that each node picked."""
    parts = data.by_node(
        lambda first, last: gather_picks(first, last, data.into, data.histories, data.window, data.log.n_items),
        "active neighbours",
        exposed=True,
    )
    nodes, indptr, middle, slot, count, bare = zip(*parts, strict=True)
    before = np.concatenate([[0], np.cumsum([len(part) for part in slot])[:-1]])
    return Picks(
        _joined(nodes),
        _joined(indptr),
        np.concatenate([part + shift for part, shift in zip(middle, before, strict=True)]),
        np.concatenate(slot),
        np.concatenate(count),
        np.concatenate(bare),
    )


def _joined(parts: tuple[np.ndarray, ...]) -> np.ndarray:
    """One `indptr` of several in a row."""
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part) for part in parts]))])


def _counts(prior: BetaPrior | None) -> tuple[float, float]:
    return (0.0, 0.0) if prior is None else (prior.hits, prior.misses)
