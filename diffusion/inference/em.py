"""EM for the independent cascade, with adoptions that nobody seen caused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._validation import Floats
from ..kernels.learning import Found, Prior, Trials, em_nodes, gibbs_nodes, impute_nodes
from .contacts import GraphLog
from .methods import Estimate, Iterated
from .shrinkage import BetaPrior, GammaPrior, shrinkage_of

__all__ = ["EM"]

START = 0.1  # of every probability
PASSES = 2  # of fitting a prior to the successes, and the successes to the prior
ENOUGH = 100_000  # successes drawn for a prior: of all arcs so often that the draws hardly matter ...
DRAWN = 32  # ... but not more often
DRAWS, BURN = 400, 100  # of the sampler behind intervals


@dataclass(frozen=True)
class EM(Iterated):
    """Maximum likelihood of the independent cascade, with adoptions that nobody seen caused.

    Parameters
    ----------
    window : float, optional
        A user can cause adoptions up to so long after its own; 1 for logs in steps of a simulation. Default any time.
    background : {"user", "none"}
        Every user also adopts by itself, at a rate of its own; or adoptions without an active neighbour are left out,
        and one with an active neighbour is always caused by such. Simulated logs with seeds at step 0 have none.
    shrinkage : {"empirical_bayes", None} or (hits, misses)
        Pseudo-counts added to every arc: those of a Beta prior that is fitted to all arcs, none, or given ones. The
        background has a fitted prior of its own, or none.
    tol : float
        A user's iterations end once no probability moves by more.
    max_iterations : int

    See Also
    --------
    inference.fit_probabilities, inference.Bernoulli

    Notes
    -----
    An item tries every arc u -> v once, if u adopts it and v has not done so before or at the same time. v adopts with
    probability 1 - exp(-h_v c) prod (1 - p_uv). The likelihood is a product over users, so each is fitted by itself. EM
    never lowers it, with the prior's pseudo-counts as a penalty.

    The background is a leaky noisy-or: h_v is the rate at which v adopts an item by itself, over the whole life of the
    item. Its clock runs as adoptions do: c is the share of all adoptions of the log whose age, counted from the first
    adoption of their item, falls into the time in which the neighbours could cause v's adoption; 1 where it had none.
    Without a background a log with many independent adoptions makes neighbours look influential. Adoptions have to be
    caused by what the graph shows, or at random: a common cause of neighbours (homophily, a campaign) still looks like
    influence. Users who adopted late had little time to influence anybody, so trials near the end of a log look like
    failures.

    The fitted prior of the arcs rests on successes drawn given the probabilities, with a fixed key, since expected ones
    would vary too little; they are drawn so often that names and order of users hardly matter.

    Intervals are posterior ones: who succeeded is drawn given the probabilities and the probabilities given who
    succeeded, in turn (data augmentation); a Beta distribution with the mean and variance found gives the ends.

    References
    ----------
    - Saito, K., Nakano, R. and Kimura, M. (2008). Prediction of information diffusion probabilities for independent
      cascade model. KES 2008, LNCS 5179, 67-75. doi:10.1007/978-3-540-85567-5_9
    - Tanner, M. A. and Wong, W. H. (1987). The calculation of posterior distributions by data augmentation. Journal of
      the American Statistical Association 82, 528-540. doi:10.1080/01621459.1987.10478458

    Examples
    --------
    >>> EM(background="none", window=1.0).label
    'em window=1.0 background=none'
    """

    name: ClassVar[str] = "em"

    def estimate(self, data: GraphLog) -> Estimate:
        """See `FitMethod.estimate`."""
        prior = shrinkage_of(self.shrinkage)
        if prior != "empirical_bayes":
            return self._fit(data, prior, None)[0]
        found, exposure = self._fit(data, None, None)
        copies = min(max(ENOUGH // max(data.graph.n_edges, 1), 1), DRAWN)
        for step in range(PASSES):
            drawn = [self._drawn_hits(data, found, DRAWN * step + i) for i in range(copies)]
            prior = BetaPrior.fitted(np.concatenate(drawn), np.tile(found.trials, copies), copies=copies)
            own = None if found.hazard is None else GammaPrior.fitted(found.hazard * exposure, exposure)
            found, exposure = self._fit(data, prior, own, start=found)
        return found

    def _drawn_hits(self, data: GraphLog, found: Estimate, key: int) -> Floats:
        """Successes drawn given the probabilities found; the key is fixed, so that a fit has no rng."""
        drawn = np.zeros(found.probability.size)
        hazard = np.zeros(data.graph.n_nodes) if found.hazard is None else found.hazard
        trials = self._trials(data)
        data.by_node(
            lambda first, last: impute_nodes(
                *(first, last, data.contacts, data.into.indptr, trials),
                *(np.uint64(key), found.probability, hazard, drawn),
            ),
            "prior",
        )
        return drawn

    def _fit(
        self, data: GraphLog, prior: BetaPrior | None, own: GammaPrior | None, start: Estimate | None = None
    ) -> tuple[Estimate, Floats]:
        """Fit with these priors; with the exposure of each node's background."""
        n, m = data.graph.n_nodes, data.graph.n_edges
        found = Found(*(np.zeros(n) for _ in range(3)), np.zeros(n, np.int64))
        p = np.full(m, START) if start is None else start.probability.copy()
        hazard = np.full(n, START) if start is None or start.hazard is None else start.hazard.copy()
        trials, weights = self._trials(data), _prior(prior, own)
        data.by_node(
            lambda first, last: em_nodes(
                *(first, last, data.contacts, data.into.indptr, trials, weights),
                *(p, hazard, self.tol, self.max_iterations, found),
            ),
            "EM",
        )
        strength, pseudo = (0.0, 0.0) if prior is None else (prior.strength, prior.hits)
        estimate = Estimate(
            probability=p,
            hits=np.clip(p * (data.trials + strength) - pseudo, 0.0, data.trials),
            trials=data.trials.astype(np.float64),
            log_likelihood=float(found.fit.sum()),
            explained=float(found.explained.sum()) / max(data.later, 1),
            hazard=hazard if trials.background else None,
            prior=prior,
            hazard_prior=own,
            iterations=int(found.steps.max(initial=0)),
            unconverged=int((found.steps >= self.max_iterations).sum()),
        )
        return estimate, found.exposure

    def _trials(self, data: GraphLog) -> Trials:
        return Trials(data.trials, self.background_items(data))

    def intervals(self, data: GraphLog, found: Estimate, *, confidence: float, key: int) -> tuple[Floats, Floats]:
        """See `FitMethod.intervals`: posterior ones."""
        from scipy.special import betaincinv

        p = found.probability.copy()
        hazard = np.zeros(data.graph.n_nodes) if found.hazard is None else found.hazard.copy()
        moments = np.zeros((p.size, 2))
        weights = _prior(found.prior or BetaPrior(0.5, 0.5), found.hazard_prior or GammaPrior(0.5, 0.0))
        trials = self._trials(data)
        data.by_node(
            lambda first, last: gibbs_nodes(
                *(first, last, data.contacts, data.into.indptr, trials, weights),
                *(np.uint64(key), p, hazard, DRAWS, BURN, moments),
            ),
            "intervals",
        )
        mean, variance = moments.T
        strength = mean * (1 - mean) / np.maximum(variance, 1e-300) - 1
        tail = (1 - confidence) / 2
        low, high = (betaincinv(mean * strength, (1 - mean) * strength, q) for q in (tail, 1 - tail))
        return np.asarray(low, np.float64), np.asarray(high, np.float64)


def _prior(prior: BetaPrior | None, own: GammaPrior | None) -> Prior:
    arcs = (0.0, 0.0) if prior is None else (prior.hits, prior.misses)
    return Prior(*arcs, *((0.0, 0.0) if own is None else (own.events, own.exposure)))
