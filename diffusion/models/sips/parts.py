"""Parts of the SIPS model: the funnel, the feed, complex identification, delays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np

from ..._random import RNGLike, generator, key_of
from ..._validation import number, probability, whole
from ...errors import InputError, NotFoundError, did_you_mean
from .priors import NOTES, draw_rates

__all__ = ["CES_WEIGHTS", "STAGES", "Complex", "Delay", "Feed", "Funnel"]

STAGES = ("exposed", "sympathized", "identified", "participated", "shared")
#: Engagement score of the platform by stage: like 1, collect 1, comment 4, share 4 [prior]. A new follower (8) is no stage.
CES_WEIGHTS: Mapping[str, float] = {"sympathize": 1.0, "identify": 1.0, "participate": 4.0, "share": 4.0}


MOST_SHOWN = 2**31 - 1  # as many users as a graph can hold
MOST_WEIGHT = 1e6  # of engagement scores and the feed's answer to them: exposures are drawn one by one
MOST_HOURS, LEAST_SHAPE, LEAST_BIN = 1e9, 0.01, 1e-3  # of delays: steps of results are counted in whole numbers


@dataclass(frozen=True)
class Funnel:
    """Probabilities of the four steps after an attended exposure.

    Parameters
    ----------
    sympathize, identify, participate, share : float in [0, 1], default 1
        p_S, p_I, p_P, p_X: of each step given the one before. The user's own latents decide, drawn once a campaign.

    See Also
    --------
    SIPS, models.NOTES, models.SURVEY

    Notes
    -----
    Nothing in the source's survey measures Identify: any value is an assumption, to be varied. Presets:
    `Funnel.from_note` for kinds of note, `Funnel.from_survey` for the survey with its uncertainty.

    Examples
    --------
    >>> round(Funnel(sympathize=0.5, share=0.2).rho, 3)
    0.1
    """

    sympathize: float = 1.0
    identify: float = 1.0
    participate: float = 1.0
    share: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.sympathize, str):
            raise InputError(
                f"sympathize={self.sympathize!r} is not a number: the funnel of a kind of note is Funnel.from_note(kind)"
            )
        for name in FUNNEL_STEPS:
            probability(getattr(self, name), name)

    @property
    def rho(self) -> float:
        """Probability that an attended exposure makes a new sharer, p_S p_I p_P p_X."""
        return float(np.prod(self.values))

    @property
    def values(self) -> tuple[float, float, float, float]:
        """The four probabilities in order."""
        return (float(self.sympathize), float(self.identify), float(self.participate), float(self.share))

    @classmethod
    def from_note(cls, kind: str, **others: float) -> Funnel:
        """Return the funnel of one of the five kinds of note, see `diffusion.models.NOTES`; `others` set further steps.

        Parameters
        ----------
        kind : {"experience", "recommendation", "cooperation", "official", "sponsored"}
        **others : float in [0, 1]
            Further steps, such as ``share=0.1``.

        Returns
        -------
        Funnel

        Raises
        ------
        NotFoundError
            An unknown kind.

        Examples
        --------
        >>> Funnel.from_note("experience", share=0.1).sympathize
        0.6408450704225352
        """
        if kind not in NOTES:
            raise NotFoundError(
                f"the note {kind!r} is unknown: there are {', '.join(NOTES)}." + did_you_mean(kind, NOTES)
            )
        return cls(**{"sympathize": NOTES[kind].sympathize, **others})

    @classmethod
    def from_survey(
        cls, *, note: str = "experience", identify: float = 1.0, eta: float = 0.1, rng: RNGLike = None
    ) -> Funnel:
        """Draw a funnel from the survey's Beta posteriors; see `SIPS.from_survey`.

        Parameters
        ----------
        note, identify, eta, rng
            As in `SIPS.from_survey`.

        Returns
        -------
        Funnel
        """
        return cls(identify=identify, **draw_rates(generator(key_of(rng)), note=note, eta=eta))


FUNNEL_STEPS = tuple(f.name for f in fields(Funnel))


@dataclass(frozen=True)
class Feed:
    """The platform's recommendation feed: a note is shown to a Poisson number of users.

    Parameters
    ----------
    impressions : float >= 0
        m0: mean attended exposures of a note through the feed, before engagement.
    amplification : float >= 0
        g: further mean exposures per unit of the note's engagement score (CES), summed over all of its audience, that
        of the feed included: the feed goes on feeding itself.
    own_community : float in [0, 1]
        h: probability that an exposure goes to a user of the creator's own community, otherwise to anyone. Needs the
        node attribute ``community`` where it is above 0.
    weights : mapping
        Engagement score of the stages ``sympathize``, ``identify``, ``participate``, ``share``; default `CES_WEIGHTS`.
    cap : int, optional
        Most exposures of one note through the feed. Without it a feed with g * c >= 1, which explodes on its own, is
        refused; with it the notes that met the cap are counted in the result.

    See Also
    --------
    SIPS, theory.feed_intensity

    Notes
    -----
    Mean exposures of a note with k followers are m = (m0 + g c a k) / (1 - g c), where a is attention and c the mean
    score of one exposure.

    Examples
    --------
    >>> feed = Feed(impressions=2.0, amplification=0.1)
    >>> funnel = Funnel(sympathize=0.5, share=0.2)
    >>> round(feed.score(funnel), 3), round(feed.exposures(funnel, attention=0.2, followers=50), 3)
    (3.4, 8.182)
    """

    impressions: float = 0.0
    amplification: float = 0.0
    own_community: float = 0.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict(CES_WEIGHTS))
    cap: int | None = None

    def __post_init__(self) -> None:
        number(self.impressions, "impressions", least=0, most=MOST_SHOWN)
        number(self.amplification, "amplification", least=0, most=MOST_WEIGHT)
        probability(self.own_community, "own_community")
        if not isinstance(self.weights, Mapping):
            raise InputError(
                f"weights={self.weights!r} is not a mapping: give the score of each stage, such as {{'participate': 4, 'share': 4}}"
            )
        for name, value in self.weights.items():
            if name not in FUNNEL_STEPS:
                raise NotFoundError(
                    f"the engagement weight {name!r} belongs to no stage: there are {', '.join(FUNNEL_STEPS)}."
                    + did_you_mean(name, FUNNEL_STEPS)
                )
            number(value, f"weights[{name!r}]", least=0, most=MOST_WEIGHT)
        if self.cap is not None:
            whole(self.cap, "cap", most=MOST_SHOWN, of="exposures")

    def __hash__(self) -> int:
        return hash(
            (self.impressions, self.amplification, self.own_community, tuple(sorted(self.weights.items())), self.cap)
        )

    def score(self, funnel: Funnel) -> float:
        """c: mean engagement score of one attended exposure, with simple identification.

        Parameters
        ----------
        funnel : Funnel

        Returns
        -------
        float
        """
        reach = np.cumprod(funnel.values)
        return float(
            sum(self.weights.get(name, 0.0) * chance for name, chance in zip(FUNNEL_STEPS, reach, strict=True))
        )

    def exposures(self, funnel: Funnel, attention: float, followers: float) -> float:
        """m: mean feed exposures of a note whose creator has so many followers; infinite where g * c >= 1.

        Parameters
        ----------
        funnel : Funnel
        attention : float in [0, 1]
        followers : float
            Followers of the creator.

        Returns
        -------
        float
        """
        branching = self.amplification * self.score(funnel)
        if branching >= 1:
            return float("inf") if self.cap is None else float(self.cap)
        return (self.impressions + branching * attention * followers) / (1 - branching)


@dataclass(frozen=True)
class Complex:
    """Identification as complex contagion: once enough distinct sharers were seen.

    Parameters
    ----------
    theta : int >= 1
        Distinct sharers, through either channel, including those of the same step.

    See Also
    --------
    SIPS, Threshold

    Examples
    --------
    >>> from diffusion import SIPS
    >>> SIPS(attention=0.2, identify=Complex(2)).label
    'SIPS a=0.2 theta=2'
    """

    theta: int

    def __post_init__(self) -> None:
        whole(self.theta, "theta", most=MOST_SHOWN, of="sharers")


@dataclass(frozen=True)
class Delay:
    """Waiting time from the exposure that convinces a user to that user's share, in hours.

    Parameters
    ----------
    kind : {"fixed", "exponential", "gamma"}
    mean : float > 0
        Mean waiting time tau.
    shape : float >= 0.01
        Shape s of the gamma distribution; 1 is exponential.
    bin : float, optional
        Width in hours of the time steps in which results are counted, at least a thousandth of the mean; default the
        mean.

    See Also
    --------
    SIPS, theory.rate_with_delays

    Notes
    -----
    With R the mean number of sharers that one sharer makes, numbers grow as exp(r t) with r = (s / tau) (R^(1/s) - 1)
    for gamma delays, and r = log(R) / tau for fixed ones (Wallinga and Lipsitch 2007).

    References
    ----------
    - Wallinga, J. and Lipsitch, M. (2007). How generation intervals shape the relationship between growth rates and
      reproductive numbers. Proceedings of the Royal Society B 274, 599-604. doi:10.1098/rspb.2006.3754

    Examples
    --------
    >>> round(Delay("gamma", mean=24.0, shape=2.0).rate(2.25), 4)  # per hour
    0.0417
    """

    kind: Literal["fixed", "exponential", "gamma"] = "gamma"
    mean: float = 24.0
    shape: float = 2.0
    bin: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str):
            raise InputError(
                f"kind={self.kind!r} is not a kind of delay: its name comes first, then the mean in hours, such as "
                f"Delay('gamma', mean={self.kind if isinstance(self.kind, float | int) else 24.0!r})"
            )
        if self.kind not in ("fixed", "exponential", "gamma"):
            raise NotFoundError(
                f"the delay {self.kind!r} is unknown: there are fixed, exponential and gamma."
                + did_you_mean(self.kind, ("fixed", "exponential", "gamma"))
            )
        number(self.mean, "mean", above=0, most=MOST_HOURS)
        number(self.shape, "shape", least=LEAST_SHAPE)
        if self.bin is not None:
            number(self.bin, "bin", above=0)
            if self.bin < LEAST_BIN * self.mean:
                raise InputError(
                    f"bin={self.bin!r} is too fine for a mean of {self.mean:g} hours: a table of so many steps would not fit "
                    f"into memory. Give hours from {LEAST_BIN * self.mean:g}"
                )

    @property
    def width(self) -> float:
        """Hours of one time step of the results."""
        return float(self.mean if self.bin is None else self.bin)

    def rate(self, R: float) -> float:
        """Growth rate per hour that follows from R.

        Parameters
        ----------
        R : float
            Mean sharers that one sharer makes.

        Returns
        -------
        float
            Minus infinity where R is not above 0.
        """
        if not R > 0:
            return -float("inf")
        if self.kind == "fixed":
            return float(np.log(R) / self.mean)
        shape = 1.0 if self.kind == "exponential" else self.shape
        return float(shape / self.mean * (R ** (1 / shape) - 1))
