"""Calibrating the funnel and attention of SIPS: from counts of what an audience did, by creator or by user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._provenance import provenance
from .._validation import Floats, level
from ..errors import InputError, NotFoundError, did_you_mean
from ..models.sips.parts import FUNNEL_STEPS
from ..results.intervals import EVENTS
from .funnel_fit import FunnelFit
from .rates import RateFit, fit_rates

if TYPE_CHECKING:
    pass

__all__ = ["fit_attention", "fit_funnel"]

ACTIONS = {"sympathize": "likes", "identify": "collects", "participate": "comments", "share": "shares"}


def fit_funnel(
    table: pd.DataFrame,
    *,
    creator: str = "creator",
    impressions: str | None = None,
    followers: str | None = None,
    actions: Mapping[str, str] | None = None,
    confidence: float = 0.95,
) -> FunnelFit:
    """Fit rates of likes, collects, comments and shares per exposure, hierarchical by creator.

    Parameters
    ----------
    table : DataFrame
        One row a note. One row a creator, with sums, will do for the mean rates.
    creator : str
        Column with the creator.
    impressions : str, optional
        Column of how often the note was shown (or read: then rates are per attended exposure). Give this or
        `followers`.
    followers : str, optional
        Column of followers of the note's creator, where impressions are not known. For sums over notes: followers
        times notes.
    actions : mapping of str to str, optional
        Column of counts by step of the funnel; default ``{"sympathize": "likes", "identify": "collects", "participate":
        "comments", "share": "shares"}``. Steps may be left out.
    confidence : float in (0, 1)

    Returns
    -------
    FunnelFit

    Raises
    ------
    NotFoundError
        A column or step that does not exist.
    InputError
        Counts that are negative, missing, not whole or above impressions, rows without exposures, fewer than ten
        creators, an action that was never done, or neither or both of `impressions` and `followers`.

    See Also
    --------
    inference.fit_attention, inference.calibrate_feed, models.engagement_eta, models.Funnel

    Notes
    -----
    *Mean rate*: the mean over creators of their own rates, events over exposures, with the interval for skewed values
    (Hall 1992). The creator is the unit, so that no distribution of creators or notes is supposed. The mean of the
    model below was tried in its place and left: on tables drawn anew from public ones, where single creators are far out,
    its 95 % interval held the mean in 54 to 76 % of cases.

    *Creators' own rates, per impression*: creator j has the rate t_j ~ Beta(mu kappa, (1 - mu) kappa), and of its N_j
    impressions a Beta-binomial number of events. *Per follower* events may outnumber followers, for the feed shows notes
    to others: a binomial is impossible. Then t_j ~ Gamma or lognormal with mean mu, of equal prior weight, since rates per
    follower have heavy tails; events are negative binomial. Priors are flat in the logit (log) of mu and in the spread, the
    standard deviation of rates over their mean (Gelman 2006); everything is summed on a grid, without random numbers.

    *Notes of one creator differ* far more than chance allows. The second parameter of the Beta-binomial (negative
    binomial) is set so that the variance of a creator's total is that of rows with a squared coefficient of variation c^2
    about its rate. c^2 is common to creators and estimated by moments, as quasi-likelihood does (Wedderburn 1974). With
    one row a creator it is not identified: creators' own rates are then those of these very notes.

    *Identified*: the marginal rate of every action. With the nested stages of SIPS the rate of shares is attention *
    rho, whatever attention is; no count tells attention from rho. Per follower it is an upper figure for the follow
    channel, as events of the feed's audience are in it. Whether creators with more followers have lower rates is not
    modelled; `pooled` beside `rate` shows it.

    *Coverage* of 95 % intervals on simulated tables with lognormal notes (c of 1 and 2.5): mean rates 93 to 96 % with 30 and
    100 creators, but 92 % with 30 whose rates are lognormal and vary by 1.3 times their mean; creators' own 93 to 95 %. On
    tables drawn anew from public ones, where rates vary by 1.4 to 2.1 times their mean, mean rates: 89 to 96 % with 101
    creators, 83 to 92 % with 30. For `pooled` no interval is given: those that were tried held it in 69 to 88 %.

    References
    ----------
    - Gelman, A. (2006). Prior distributions for variance parameters in hierarchical models. Bayesian Analysis 1, 515-534.
      doi:10.1214/06-BA117A
    - Hall, P. (1992). On the removal of skewness by transformation. Journal of the Royal Statistical Society B 54, 221-228.
    - Wedderburn, R. W. M. (1974). Quasi-likelihood functions, generalized linear models, and the Gauss-Newton method.
      Biometrika 61, 439-447. doi:10.1093/biomet/61.3.439

    Examples
    --------
    >>> likes = [50, 70, 30, 45, 90, 60, 55, 20, 61, 33, 48, 72]
    >>> table = pd.DataFrame({"creator": list("abcdefghijkl"), "shown": 1000, "likes": likes})
    >>> table["shares"] = table["likes"] // 10
    >>> fit = fit_funnel(table, impressions="shown", actions={"sympathize": "likes", "share": "shares"})
    >>> fit.table["rate"].round(3).to_dict()
    {'sympathize': 0.053, 'share': 0.005}
    >>> round(fit.funnel(attention=0.4).rho * 0.4 / fit.rates["share"].rate, 6)
    1.0
    """
    confidence = level(confidence)
    chosen = dict(ACTIONS) if actions is None else _actions(actions)
    if (impressions is None) == (followers is None):
        raise InputError(
            f"impressions={impressions!r} and followers={followers!r}: give the column of one of them, which rates are per"
        )
    exposures = str(impressions if impressions is not None else followers)
    _columns(table, {"creator": creator, "impressions" if followers is None else "followers": exposures} | chosen)
    labels = _labels(table, creator, "creator")
    seen = _counts(table, exposures, creator, least=1)
    bounded = followers is None
    fits = {}
    for step, column in chosen.items():
        events = _counts(table, column, creator, most=seen if bounded else None, of=exposures)
        if not events.any():
            raise InputError(
                f"{column} is 0 in all {len(table):,} rows: its rate cannot be estimated; leave {step} out"
            )
        about = provenance("fit_funnel", column=column, exposures=exposures, rows=len(table))
        fits[step] = fit_rates(
            events, seen, labels, name=str(column), bounded=bounded, confidence=confidence, provenance=about
        )
    own = pd.DataFrame({step: fit.units["events"] / fit.units["exposures"] for step, fit in fits.items()})
    correlation = own.corr().fillna(0.0)
    for step in fits:
        correlation.loc[step, step] = 1.0
    return FunnelFit(
        {step: fits[step] for step in FUNNEL_STEPS if step in fits},
        "impression" if bounded else "follower",
        correlation,
        confidence,
        len(own),
        len(table),
        provenance("fit_funnel", exposures=exposures, actions={k: str(v) for k, v in chosen.items()}, rows=len(table)),
    )


def fit_attention(
    table: pd.DataFrame,
    *,
    user: str = "user",
    shown: str = "shown",
    attended: str = "attended",
    confidence: float = 0.95,
) -> RateFit:
    """Fit the probability that a user attends to a note that is shown, from a log of exposures.

    Parameters
    ----------
    table : DataFrame
        Any number of rows a user, such as one a session or a day.
    user : str
        Column with the user.
    shown, attended : str
        Columns of counts: notes shown, and those of them that the user attended to.
    confidence : float in (0, 1)

    Returns
    -------
    RateFit
        `rate` is the attention of a mean user: every user counts as much. `units` has each user's own, shrunk.

    Raises
    ------
    NotFoundError
        A column that does not exist.
    InputError
        Counts that are negative, missing, not whole or above what was shown, rows with nothing shown, fewer than ten
        users, or no attention at all.

    See Also
    --------
    inference.fit_funnel, SIPS

    Notes
    -----
    The model is that of `fit_funnel` per impression, with users in place of creators. `SIPS` takes one attention for
    all, ``SIPS(attention=fit.rate)``; in a mean over exposures (`pooled`) heavy users weigh most.

    Examples
    --------
    >>> attended = [8, 4, 5, 9, 11, 3, 7, 6, 10, 2]
    >>> log = pd.DataFrame({"user": list("abcdefghij"), "shown": 20, "attended": attended})
    >>> fit = fit_attention(log)
    >>> round(fit.rate, 3), fit.units["rate"].round(2).tolist()[:3]
    (0.325, [0.36, 0.26, 0.29])
    """
    confidence = level(confidence)
    _columns(table, {"user": user, "shown": shown, "attended": attended})
    labels = _labels(table, user, "user")
    seen = _counts(table, shown, user, least=1)
    events = _counts(table, attended, user, most=seen, of=shown)
    if not events.any():
        raise InputError(
            f"{attended} is 0 in all {len(table):,} rows: attention cannot be estimated from a log without any"
        )
    about = provenance("fit_attention", rows=len(table))
    return fit_rates(events, seen, labels, name=str(attended), bounded=True, confidence=confidence, provenance=about)


def _actions(actions: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(actions, Mapping) or not actions:
        raise InputError(f"actions={actions!r}: give the column of each step, such as {ACTIONS}")
    for step in actions:
        if step not in FUNNEL_STEPS:
            raise NotFoundError(
                f"actions: {step!r} is no step of the funnel: there are {', '.join(FUNNEL_STEPS)}."
                + did_you_mean(step, FUNNEL_STEPS)
            )
    return {step: actions[step] for step in FUNNEL_STEPS if step in actions}


def _columns(table: pd.DataFrame, columns: Mapping[str, str]) -> None:
    if not isinstance(table, pd.DataFrame):
        raise InputError(
            f"the table is a {type(table).__name__}: give a pandas DataFrame with one row a note or session"
        )
    for name, column in columns.items():
        if column not in table.columns:
            raise NotFoundError(
                f"{name}: {column!r} is no column of the table; it has {', '.join(map(repr, table.columns))}."
                + did_you_mean(column, table.columns)
            )


def _labels(table: pd.DataFrame, column: str, what: str) -> pd.Series[Any]:
    labels = table[column]
    missing = labels.isna().to_numpy()
    if missing.any():
        raise InputError(
            f"{column} is missing in {missing.sum():,} of {len(table):,} rows, first in row {table.index[int(missing.argmax())]!r}: "
            f"every row needs its {what}"
        )
    number_of = labels.nunique()
    if number_of < EVENTS:
        raise InputError(
            f"the table has {number_of} {what}{'s' * (number_of != 1)}: so few do not say how much {what}s differ; give at least "
            f"{EVENTS}, better 100"
        )
    return labels


def _counts(
    table: pd.DataFrame, column: str, unit: str, *, least: int = 0, most: Floats | None = None, of: str = ""
) -> Floats:
    """Whole numbers of a column, checked; errors name the first row that is wrong."""
    values = pd.to_numeric(table[column], errors="coerce").astype(np.float64).to_numpy()
    wrong: list[tuple[NDArray[np.bool_], str]] = [
        (~np.isfinite(values), "is missing or no number"),
        (values < 0, "is negative"),
        (values != np.floor(values), "is not a whole number"),
        (values < least, "is 0: a row without exposures says nothing of rates"),
    ]
    if most is not None:
        wrong.append((values > most, f"is above {of}: more was done than was shown"))
    for bad, what in wrong:
        if bad.any():
            at = int(bad.argmax())
            beside = f", {of} {most[at]:g}" if most is not None else ""
            raise InputError(
                f"{column} {what} in {bad.sum():,} of {len(values):,} rows, first in row {table.index[at]!r} ({unit} "
                f"{table[unit].iloc[at]!r}: {column} {table[column].iloc[at]!r}{beside}): give whole numbers from {least}"
                + (f" to {of}" if most is not None else "")
            )
    return np.asarray(values)
