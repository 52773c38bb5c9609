"""What counts of engagement say of a funnel: rates of its steps, eta, and the tables of studies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from .._random import RNGLike, generator, key_of
from .._upward import draw
from .._validation import Floats, number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..models.sips.parts import FUNNEL_STEPS, Funnel
from ..models.sips.priors import NOTES, SURVEY, draw_rates, engagement_eta
from .rates import RateFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EtaFit", "FunnelFit"]

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
    >>> from diffusion.inference import fit_funnel
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

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the distribution of the draws, the interval and the value."""
        return draw("eta", self, ax)

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
        >>> from diffusion.inference import fit_funnel
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
