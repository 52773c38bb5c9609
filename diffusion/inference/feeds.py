"""Calibrating the feed of SIPS: how engagement grows with followers says how much a note is shown beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._validation import Floats, floats, is_number, level, number
from ..errors import EndlessFeedError, InputError
from ..graph.follower_graph import FollowerGraph
from ..models.sips.parts import MOST_SHOWN, Feed, Funnel

__all__ = ["Elasticity", "calibrate_feed", "follower_elasticity"]

STEEPEST = 1 - 1e-9  # g * c of a feed that does not explode, in floating point


@dataclass(frozen=True)
class Elasticity:
    """Slope of log interactions a note on log followers, over creators.

    Attributes
    ----------
    value, low, high : float
        Least-squares slope and its interval, which holds for errors of unequal size.
    se : float
        Standard error that the interval rests on (HC3).
    se_classical : float
        Standard error that supposes errors of equal size.
    intercept : float
    confidence : float
    n_creators : int

    See Also
    --------
    inference.calibrate_feed
    """

    value: float
    low: float
    high: float
    se: float
    se_classical: float
    intercept: float
    confidence: float
    n_creators: int

    def __float__(self) -> float:
        return self.value

    def to_pandas(self) -> pd.DataFrame:
        """Return the estimate as one row."""
        return pd.DataFrame([vars(self)])

    def __repr__(self) -> str:
        return (
            f"elasticity {self.value:.3g} [{self.low:.3g}, {self.high:.3g}] ({self.confidence:.0%}, {self.n_creators:,} "
            f"creators, se {self.se:.2g}, classical {self.se_classical:.2g})"
        )


def follower_elasticity(followers: ArrayLike, interactions: ArrayLike, *, confidence: float = 0.95) -> Elasticity:
    """Estimate by how many per cent interactions a note grow when followers grow by one per cent.

    Parameters
    ----------
    followers : array-like of numbers above 0
        One a creator.
    interactions : array-like of numbers above 0
        Mean interactions, or impressions, of a note of the same creators.
    confidence : float in (0, 1)

    Returns
    -------
    Elasticity

    Raises
    ------
    InputError
        Numbers that are not above 0 (their logarithm does not exist), unequal lengths, fewer than four creators, or
        creators who all have as many followers.

    See Also
    --------
    inference.calibrate_feed

    Notes
    -----
    Least squares in logarithms, with the standard error HC3 (MacKinnon and White 1985) and Student's t with n - 2
    degrees of freedom. It is a correlation across creators, not the effect of gaining followers.

    References
    ----------
    - MacKinnon, J. G. and White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators with
      improved finite sample properties. Journal of Econometrics 29, 305-325. doi:10.1016/0304-4076(85)90158-7

    Examples
    --------
    >>> follower_elasticity([100, 400, 900, 1600, 6400], [11, 19, 31, 42, 77])
    elasticity 0.479 [0.402, 0.555] (95%, 5 creators, se 0.024, classical 0.019)
    """
    from scipy.stats import t

    confidence = level(confidence)
    x, y = (_logs(values, name) for values, name in ((followers, "followers"), (interactions, "interactions")))
    n = len(x)
    if len(y) != n:
        raise InputError(f"followers has {n:,} values and interactions {len(y):,}: give one of each for a creator")
    if n < 4:
        raise InputError(f"{n} creators are too few for a slope with its error: give at least 4")
    _differ(x)
    away = x - x.mean()
    slope = float(away @ y / (away @ away))
    residual = y - y.mean() - slope * away
    leverage = 1 / n + away**2 / (away @ away)
    classical = float(np.sqrt(residual @ residual / (n - 2) / (away @ away)))
    with np.errstate(divide="ignore", invalid="ignore"):  # a creator whom the line has to meet has a leverage of 1
        pull = np.where(leverage < 1 - 1e-9, residual / (1 - leverage), 0.0)
    se = float(np.sqrt(((away * pull) ** 2).sum()) / (away @ away))
    half = float(t.ppf(0.5 + confidence / 2, n - 2)) * se
    return Elasticity(
        slope, slope - half, slope + half, se, classical, float(y.mean() - slope * x.mean()), confidence, n
    )


def _logs(values: ArrayLike, name: str) -> Floats:
    found = floats(values, name)
    if not (found > 0).all():
        bad = found <= 0
        raise InputError(
            f"{name} is 0 for {bad.sum():,} of {len(found):,} creators, first at position {int(bad.argmax())}: its logarithm "
            "does not exist; leave these creators out, and say so"
        )
    return np.log(found)


def _differ(logs: Floats) -> None:
    if not np.ptp(logs) > 1e-9:
        raise InputError(
            f"all {len(logs):,} creators have {np.exp(logs[0]):,.0f} followers: a slope on followers needs some that differ"
        )


def calibrate_feed(
    followers: FollowerGraph | ArrayLike,
    *,
    attention: float,
    funnel: Funnel,
    elasticity: float | Elasticity,
    exposures: float | None = None,
    engagement: float | None = None,
    weights: Mapping[str, float] | None = None,
    own_community: float = 0.0,
) -> Feed:
    """Return the feed at which exposures of a note grow with followers as they were seen to.

    Parameters
    ----------
    followers : FollowerGraph, or array-like of numbers above 0
        Followers of the creators that the elasticity is over: of a graph, all users who have any.
    attention : float in (0, 1]
        a, of a follower.
    funnel : Funnel
        Sets c, the mean engagement score of an exposure.
    elasticity : float in (0, 1), or Elasticity
        Slope of log exposures (or interactions) of a note on log followers, see `follower_elasticity`.
    exposures : float, optional
        Mean attended exposures of a note over these creators, followers and feed together: sets the amplification.
        Without it, and without `engagement`, the feed does not answer to engagement.
    engagement : float, optional
        In place of exposures: mean engagement score of a note, `weights` times counts.
    weights : mapping, optional
        Engagement scores of the stages, as in `Feed`; default `CES_WEIGHTS`.
    own_community : float in [0, 1]
        h of the feed; neither figure identifies it.

    Returns
    -------
    Feed

    Raises
    ------
    InputError
        Values out of range, followers that do not differ, an elasticity that needs a larger feed than can be, or a level
        that is below what followers and m0 give alone.
    EndlessFeedError
        A level that only a feed at the point of exploding gives.

    See Also
    --------
    inference.follower_elasticity, models.Feed

    Notes
    -----
    Attended exposures of a note with k followers are (a k + m0) / (1 - g c) in the mean. Amplification multiplies them
    all alike, so the slope of their logarithm on log k, over these creators, depends on m0 / a alone, and falls from 1 to 0
    as m0 grows: it identifies m0, at a stated attention. The mean level then identifies g c, and g by the c of the
    funnel.

    A slope of interactions is one of exposures only where creators' audiences react alike: creators who grew because
    their notes engage make it steeper. m0 is taken as the same for all creators.

    Examples
    --------
    >>> from diffusion.models import Funnel
    >>> followers, funnel = [100, 300, 1000, 3000], Funnel(sympathize=0.2, share=0.1)
    >>> feed = calibrate_feed(followers, attention=0.3, funnel=funnel, elasticity=0.46, exposures=800)
    >>> round(feed.impressions), round(feed.amplification * feed.score(funnel), 2)
    (199, 0.34)
    """
    attention = number(attention, "attention", above=0, most=1)
    if not hasattr(funnel, "rho"):
        raise InputError(
            f"funnel={funnel!r} is not a Funnel: give Funnel(...), or what FunnelFit.funnel(attention) returns"
        )
    slope = float(elasticity.value) if hasattr(elasticity, "value") else elasticity
    if not (is_number(slope) and 0 < slope < 1):
        raise InputError(
            f"elasticity={slope!r} is out of range: followers and a feed give slopes between 0 and 1, both excluded"
        )
    k = _followers(followers)
    shape = Feed(own_community=own_community) if weights is None else Feed(own_community=own_community, weights=weights)
    m0 = _impressions(attention * k, np.log(k), slope)
    alone = attention * float(k.mean()) + m0
    mean = _level(exposures, engagement, shape.score(funnel))
    if mean is None:
        return Feed(m0, 0.0, own_community, shape.weights)
    if mean < alone:
        given = (
            f"exposures={exposures:g}" if exposures is not None else f"engagement={engagement:g}, {mean:.4g} exposures,"
        )
        raise InputError(
            f"{given} a note is less than followers and m0 = {m0:.4g} give alone, {alone:.4g} "
            f"(mean of {attention:g} k + m0 over {len(k):,} creators): give a lower attention, or a higher level"
        )
    answered, score = 1 - alone / mean, shape.score(funnel)
    if answered > STEEPEST:
        raise EndlessFeedError(
            f"{mean:.4g} exposures a note against {alone:.4g} of followers and m0 alone need amplification * c = 1: such a feed "
            "explodes on its own; give a lower level"
        )
    return Feed(m0, answered / score if answered else 0.0, own_community, shape.weights)


def _followers(given: Any) -> Floats:
    if isinstance(given, FollowerGraph):
        degree = np.asarray(given.out_degree, np.float64)
        k: Floats = degree[degree > 0]
    else:
        k = np.exp(_logs(given, "followers"))
    if len(k) < 2:
        raise InputError(f"{len(k)} creators with followers are too few for a slope: give at least 2 who differ")
    _differ(np.log(k))
    return k


def _impressions(attended: Floats, logs: Floats, slope: float) -> float:
    """m0 at which log(attended + m0) has a slope on the logs of followers."""
    from scipy.optimize import brentq

    away = logs - logs.mean()

    def excess(log_m0: float) -> float:
        return float(away @ np.log(attended + np.exp(log_m0)) / (away @ away)) - slope

    low, high = np.log(attended.min()) - 40, np.log(MOST_SHOWN)
    if excess(high) > 0:
        raise InputError(
            f"elasticity={slope:g} needs more than {MOST_SHOWN:,} feed exposures of a note: give a higher elasticity"
        )
    return float(np.exp(brentq(excess, low, high, xtol=1e-12, rtol=1e-14)))


def _level(exposures: float | None, engagement: float | None, score: float) -> float | None:
    """Mean exposures of a note; None where no level is given."""
    if exposures is not None and engagement is not None:
        raise InputError(f"exposures={exposures!r} and engagement={engagement!r}: give one level")
    if exposures is not None:
        mean = number(exposures, "exposures", above=0)
    elif engagement is not None:
        mean = number(engagement, "engagement", above=0)
    else:
        return None
    if score == 0:
        raise InputError(
            "the engagement score of an exposure is 0 with this funnel and these weights, so no level says how the feed answers: "
            "leave exposures and engagement out, or give weights= of stages that are reached"
        )
    return mean if exposures is not None else mean / score
