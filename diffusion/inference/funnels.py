"""Calibrating the funnel and attention of SIPS: from counts of what an audience did, by creator or by user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._provenance import provenance
from .._random import RNGLike, generator, key_of
from .._upward import draw
from .._validation import Floats, level, number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..models.sips.parts import FUNNEL_STEPS, Funnel
from ..models.sips.priors import NOTES, SURVEY, draw_rates, engagement_eta
from ..results.intervals import EVENTS
from .rates import RateFit, fit_rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EtaFit", "FunnelFit", "fit_attention", "fit_funnel"]

ACTIONS = {"sympathize": "likes", "identify": "collects", "participate": "comments", "share": "shares"}
OF_STUDY = {"sympathize": "sympathize", "identify": "identify_rate", "participate": "participate", "share": "share"}


@dataclass(frozen=True, repr=False, eq=False)
class EtaFit:
    """Posterior of eta, the share of stated intentions that is acted upon.

    Attributes
    ----------
    eta, low, high : float
        At the mean rate of shares and the survey's shares; and the interval of the draws.
    confidence : float
    draws : ndarray of float64
    attention, identify : float
        What eta was solved at: only their product with eta^2 is seen.
    note : str
    above_one : float
        Share of the draws that were above 1 and are counted as 1: at this attention they need more sharers than the
        survey's intentions have.
    key : int

    See Also
    --------
    inference.FunnelFit.eta, models.engagement_eta

    Examples
    --------
    >>> likes = [50, 70, 30, 45, 90, 60, 55, 20, 61, 33, 48, 72]
    >>> table = pd.DataFrame({"creator": list("abcdefghijkl"), "shown": 1000, "shares": likes})
    >>> fit = fit_funnel(table, impressions="shown", actions={"share": "shares"})
    >>> found = fit.eta(0.4, survey="fixed", rng=7)
    >>> round(found.eta, 2), round(found.low, 2), round(found.high, 2)
    (0.63, 0.55, 0.7)
    """

    eta: float
    low: float
    high: float
    confidence: float
    draws: Floats = field(repr=False)
    attention: float
    identify: float
    note: str
    above_one: float
    key: int

    def to_pandas(self) -> pd.DataFrame:
        """Return the draws, one a row."""
        return pd.DataFrame({"eta": self.draws})

    def __float__(self) -> float:
        return self.eta

    def __repr__(self) -> str:
        return (
            f"eta {self.eta:.3g} [{self.low:.3g}, {self.high:.3g}] ({self.confidence:.0%}, {len(self.draws):,} draws) at "
            f"attention {self.attention:g}, identify {self.identify:g}, note {self.note!r}"
            + (f"; {self.above_one:.1%} of draws were above 1" if self.above_one else "")
        )


@dataclass(frozen=True, repr=False, eq=False)
class FunnelFit:
    """Rates of what an audience does, by stage of the funnel: mean over creators, and every creator's own.

    Attributes
    ----------
    rates : dict of str to RateFit
        By step: ``sympathize``, ``identify``, ``participate``, ``share``; those that were counted.
    per : {"impression", "follower"}
        What rates are per: an exposure of a note, or a follower of its creator and note.
    correlation : DataFrame
        Of creators' rates, between steps.
    confidence : float
        Level of the intervals.
    n_creators, n_rows : int
    provenance : dict

    See Also
    --------
    inference.fit_funnel, models.Funnel, models.engagement_eta

    Notes
    -----
    See `fit_funnel` for what is estimated and what is not.
    """

    rates: dict[str, RateFit]
    per: Literal["impression", "follower"]
    correlation: pd.DataFrame
    confidence: float
    n_creators: int
    n_rows: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """One row a step: action, rate with its interval, spread between creators with its interval, and more.

        `overdispersion` is c^2 between notes of one creator; `pooled` all events over all exposures; see `RateFit`.
        """
        columns = (
            *("rate", "low", "high", "spread", "spread_low", "spread_high"),
            *("overdispersion", "pooled"),
        )
        rows = {
            step: {"action": fit.name}
            | {name: getattr(fit, name) for name in columns}
            | {"events": int(fit.units["events"].sum())}
            for step, fit in self.rates.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("step")

    @property
    def creators(self) -> pd.DataFrame:
        """One row a step and creator: events, exposures, rows, and rate (posterior mean), low, high."""
        return pd.concat({step: fit.units for step, fit in self.rates.items()}, names=["step"])

    def to_pandas(self) -> pd.DataFrame:
        """Return the table of steps."""
        return self.table.reset_index()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the rate of every step with its interval, over the creators' own."""
        return draw("funnel_rates", self, ax)

    def draws(self, n: int = 4000, *, rng: RNGLike = None) -> pd.DataFrame:
        """Draw mean rates of all steps from their confidence distributions.

        Parameters
        ----------
        n : int
            Draws.
        rng : int, Generator or None

        Returns
        -------
        DataFrame
            One column a step.

        Notes
        -----
        Each step has its own distribution, drawn in equal shares of probability; a Gaussian copula joins them with the
        correlation of creators' rates, for the mean of rates is correlated as the rates are.
        """
        from scipy.special import ndtr

        n = whole(n, "n", least=2, of="draws")
        normal = generator(key_of(rng)).multivariate_normal(
            np.zeros(len(self.rates)), self.correlation.to_numpy(), size=n, method="eigh"
        )
        rank = ndtr(normal).argsort(axis=0).argsort(axis=0)
        return pd.DataFrame(
            {step: fit.quantile((rank[:, i] + 0.5) / n) for i, (step, fit) in enumerate(self.rates.items())}
        )

    def funnel(self, attention: float = 1.0) -> Funnel:
        """Return the funnel of an attended exposure that these rates imply.

        Parameters
        ----------
        attention : float in (0, 1]
            Probability that what rates are per (an impression, a follower of a note) attends. It is not identified:
            attention * rho is the rate of shares for any.

        Returns
        -------
        Funnel

        Raises
        ------
        InputError
            Shares were not counted, or more is done than is attended to.

        Notes
        -----
        Counts are marginal: who shares need not have commented. The stages of the funnel are nested: who shares has
        taken part. A stage is therefore reached at least as often as any action from it on, and that least is taken:
        its rate is the largest of the actions from it on. So ``rho = rate of shares / attention`` exactly, and the
        other steps are lower ends of what reaches them. A step whose action was not counted is 1.
        """
        rates = pd.DataFrame({step: [fit.rate] for step, fit in self.rates.items()})
        attention = self._attention(attention)
        return Funnel(**self._steps(rates, attention).iloc[0])

    def steps(self, attention: float = 1.0, *, n: int = 4000, rng: RNGLike = None) -> pd.DataFrame:
        """Return p_S, p_I, p_P, p_X and rho of `funnel` with their intervals.

        Parameters
        ----------
        attention : float in (0, 1]
        n : int
            Draws.
        rng : int, Generator or None

        Returns
        -------
        DataFrame
            One row a step, and ``rho``: value, low, high. Stages that draws reach with more than certainty are certain.
        """
        value = self.funnel(attention)
        drawn = self._steps(self.draws(n, rng=rng), attention)
        drawn["rho"] = drawn.prod(axis=1)
        ends = drawn.quantile([(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        values = dict(zip(FUNNEL_STEPS, value.values, strict=True)) | {"rho": value.rho}
        return pd.DataFrame(
            {"value": pd.Series(values), "low": ends.iloc[0], "high": ends.iloc[1]}, index=[*FUNNEL_STEPS, "rho"]
        ).rename_axis("step")

    def _attention(self, attention: float) -> float:
        attention = number(attention, "attention", above=0, most=1)
        if "share" not in self.rates:
            raise InputError(
                f"shares were not counted, only {', '.join(self.rates)}: the funnel ends in sharing; give fit_funnel "
                "actions={'share': column, ...}"
            )
        most = max(self.rates.values(), key=lambda fit: fit.rate)
        if most.rate > attention:
            raise InputError(
                f"attention={attention:g} is too low: {most.name} per {self.per} are {most.rate:.3g}, more than are attended to; "
                f"give attention from {most.rate:.3g} to 1{', or rates per impression' if self.per == 'follower' else ''}"
            )
        return attention

    def _steps(self, rates: pd.DataFrame, attention: float) -> pd.DataFrame:
        """Conditional probabilities of the four steps: the least nested stages that hold every action."""
        rates = rates.reindex(columns=list(FUNNEL_STEPS), fill_value=0.0)
        reached = np.maximum.accumulate(rates.to_numpy()[:, ::-1], axis=1)[:, ::-1] / attention
        reached = np.clip(np.concatenate([np.ones((len(reached), 1)), reached], axis=1), 1e-12, 1)
        return pd.DataFrame(reached[:, 1:] / reached[:, :-1], columns=list(FUNNEL_STEPS))

    def eta(
        self,
        attention: float = 0.3,
        *,
        note: str = "experience",
        identify: float = 1.0,
        survey: Literal["drawn", "fixed"] = "drawn",
        n: int = 4000,
        rng: RNGLike = None,
    ) -> EtaFit:
        """Return the posterior of eta, at which the survey's funnel gives the rate of shares; see `engagement_eta`.

        Parameters
        ----------
        attention : float in (0, 1]
        note : str
            Kind of note; see `diffusion.models.NOTES`.
        identify : float in (0, 1]
        survey : {"drawn", "fixed"}
            The survey's shares are drawn from their posteriors (142 answers), or stay at what was answered.
        n : int
            Draws.
        rng : int, Generator or None

        Returns
        -------
        EtaFit

        Raises
        ------
        InputError
            A parameter is out of range, or eta would be above 1: attention is then too low.

        Notes
        -----
        Only the product attention * identify * eta^2 is identified. Rates per follower make eta an upper figure, the more
        so as the feed shows notes of small creators to many who do not follow. Beside it stands what `pooled` gives:
        ``engagement_eta(attention, shares_per_follower=fit.rates["share"].pooled)``.

        A study that varies the survey's shares as well should take ``survey="fixed"``: otherwise their uncertainty counts
        twice.
        """
        key = key_of(rng)
        if "share" not in self.rates:
            raise InputError(
                f"shares were not counted, only {', '.join(self.rates)}: eta follows from the rate of shares"
            )
        if survey not in ("drawn", "fixed"):
            raise NotFoundError(
                f"survey={survey!r} is unknown: give 'drawn' or 'fixed'." + did_you_mean(survey, ("drawn", "fixed"))
            )
        n = whole(n, "n", least=2, of="draws")
        shares = self.rates["share"]
        best = engagement_eta(attention, note=note, identify=identify, shares_per_follower=shares.rate)
        random = generator(key)
        rate = shares.quantile((random.permutation(n) + 0.5) / n)
        drawn = best * np.sqrt(rate / shares.rate)
        if survey == "drawn":
            stated = pd.DataFrame([draw_rates(random, note=note, eta=1.0) for _ in range(n)]).prod(axis=1).to_numpy()
            asked = NOTES[note].sympathize * SURVEY["participates"].share * SURVEY["has_posted"].share
            drawn *= np.sqrt(asked / stated)
        above = float((drawn > 1).mean())
        drawn = np.minimum(drawn, 1.0)
        low, high = np.quantile(drawn, [(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        return EtaFit(
            best,
            float(low),
            float(high),
            self.confidence,
            drawn,
            float(attention),
            float(identify),
            note,
            above,
            key,
        )

    def study_table(
        self, attention: float, *, by: Literal["eta", "steps"] = "eta", note: str = "experience", identify: float = 1.0
    ) -> dict[str, Any]:
        """Return the table ``[model.sips]`` of a study file: a base point with its posterior.

        Parameters
        ----------
        attention : float in (0, 1]
        by : {"eta", "steps"}
            The survey's funnel, fixed at what was answered, scaled by eta and its posterior; or the four steps of
            `funnel`, each with its own.
        note, identify
            As in `eta`; not used by steps.

        Returns
        -------
        dict
            With a key ``posterior`` that gives quantiles by key of the table. In a study
            ``[sensitivity.ranges]`` then takes ``eta = "posterior"``, and ``[predictive]`` draws from it.

        Raises
        ------
        InputError
            As in `eta` and `funnel`.

        Notes
        -----
        Posteriors of the table are independent. By eta the rate of shares keeps its distribution; by steps
        correlations between steps are lost.

        Examples
        --------
        >>> likes = [50, 70, 30, 45, 90, 60, 55, 20, 61, 33, 48, 72]
        >>> table = pd.DataFrame({"creator": list("abcdefghijkl"), "shown": 1000, "shares": likes})
        >>> fit = fit_funnel(table, impressions="shown", actions={"share": "shares"})
        >>> declared = fit.study_table(0.4)
        >>> round(declared["eta"], 2), round(declared["posterior"]["eta"]["quantiles"][20], 2)
        (0.63, 0.63)
        """
        if by not in ("eta", "steps"):
            raise NotFoundError(f"by={by!r} is unknown: give 'eta' or 'steps'." + did_you_mean(by, ("eta", "steps")))
        if by == "eta":
            fit = self.eta(attention, note=note, identify=identify, survey="fixed", rng=0)
            return {
                "attention": float(attention),
                "sympathize": float(NOTES[note].sympathize),
                "identify_rate": float(identify),
                "participate": SURVEY["participates"].share,
                "share": SURVEY["has_posted"].share,
                "eta": fit.eta,
                "posterior": {"eta": _quantiles_of(fit.draws)},
            }
        funnel = self.funnel(attention)
        drawn = self._steps(self.draws(rng=0), attention)
        uncertain = {
            key: _quantiles_of(drawn[step].to_numpy()) for step, key in OF_STUDY.items() if drawn[step].var() > 0
        }
        values = dict(zip(OF_STUDY.values(), funnel.values, strict=True))
        return {"attention": float(attention), **values, "eta": 1.0, "posterior": uncertain}

    def __repr__(self) -> str:
        head = f"FunnelFit per {self.per}, {self.n_creators:,} creators, {self.n_rows:,} rows, {self.confidence:.0%} intervals"
        columns = ["action", "rate", "low", "high", "spread", "overdispersion", "pooled"]
        return f"{head}\n{self.table[columns].to_string(float_format=lambda x: f'{x:.3g}')}"


def _quantiles_of(drawn: Floats) -> dict[str, list[float]]:
    """The distribution of draws as a study table takes it; the ends of 95 % intervals are among the quantiles."""
    return {"quantiles": np.quantile(drawn, np.linspace(0, 1, 41)).tolist()}


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
