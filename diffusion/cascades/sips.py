"""The SIPS model: Sympathize, Identify, Participate, Share & Spread. Parameters only; see the notes of `SIPS`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._random import RNGLike, generator, key_of
from ..errors import InputError, NotFoundError, did_you_mean
from .declared import Declared, Standing

if TYPE_CHECKING:
    import pandas as pd

    from ..graph.follower_graph import FollowerGraph
    from ._engine import Runs

__all__ = ["CES_WEIGHTS", "SIPS", "STAGES", "Complex", "Delay", "Feed", "Funnel"]

STAGES = ("exposed", "sympathized", "identified", "participated", "shared")
#: Engagement score of the platform by stage: like 1, collect 1, comment 4, share 4 [prior]. A new follower (8) is no stage.
CES_WEIGHTS: Mapping[str, float] = {"sympathize": 1.0, "identify": 1.0, "participate": 4.0, "share": 4.0}


MOST_SHOWN = 2**31 - 1  # as many users as a graph can hold
MOST_WEIGHT = 1e6  # of engagement scores and the feed's answer to them: exposures are drawn one by one
MOST_HOURS, LEAST_SHAPE, LEAST_BIN = 1e9, 0.01, 1e-3  # of delays: steps of results are counted in whole numbers


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(1 <= value <= most)


def _number(value: Any, what: str, low: float, high: float | None = None, *, above: bool = False) -> float:
    good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if good:
        most = sys.float_info.max if high is None else high
        good = (value > low if above else value >= low) and value <= most
    if not good:
        span = f"{'above' if above else 'from'} {low:g}" + (f" to {high:g}" if high is not None else "")
        kind = "a probability" if (low, high) == (0, 1) else "a number"
        raise InputError(f"{what}={value!r} is not {kind} {span}: give a number {span}")
    return float(value)


@dataclass(frozen=True)
class Funnel:
    """Probabilities of the four steps after an attended exposure.

    Parameters
    ----------
    sympathize, identify, participate, share : float in [0, 1], default 1
        p_S, p_I, p_P, p_X: of each step given the one before. The user's own latents decide, drawn once a campaign.

    Notes
    -----
    Nothing in the source's survey measures Identify: any value is an assumption, to be varied. Presets: `Funnel.from_note`
    for kinds of note, `Funnel.from_survey` for the survey with its uncertainty.

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
        for name in _FUNNEL:
            _number(getattr(self, name), name, 0, 1)

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
        """Return the funnel of one of the five kinds of note, see `diffusion.NOTES`; `others` set further steps.

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
        from .priors import NOTES

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
        from .priors import draw_funnel

        return draw_funnel(generator(key_of(rng)), note=note, identify=identify, eta=eta)


_FUNNEL = tuple(f.name for f in fields(Funnel))


@dataclass(frozen=True)
class Feed:
    """The platform's recommendation feed: a note is shown to a Poisson number of users.

    Parameters
    ----------
    m0 : float >= 0
        Mean attended exposures of a note through the feed, before engagement.
    gain : float >= 0
        g: further mean exposures per unit of the note's engagement score (CES), summed over all of its audience, that of
        the feed included: the feed goes on feeding itself.
    own : float in [0, 1]
        h: probability that an exposure goes to a user of the creator's own community, otherwise to anyone. Needs the
        node attribute ``community`` where it is above 0.
    weights : mapping
        Engagement score of the stages ``sympathize``, ``identify``, ``participate``, ``share``; default `CES_WEIGHTS`.
    cap : int, optional
        Most exposures of one note through the feed. Without it a feed with g * c >= 1, which explodes on its own, is
        refused; with it the notes that met the cap are counted in the result.

    Notes
    -----
    Mean exposures of a note with k followers are m = (m0 + g c a k) / (1 - g c), where a is attention and c the mean
    score of one exposure.

    Examples
    --------
    >>> feed = Feed(m0=2.0, gain=0.1)
    >>> funnel = Funnel(sympathize=0.5, share=0.2)
    >>> round(feed.score(funnel), 3), round(feed.exposures(funnel, attention=0.2, followers=50), 3)
    (3.4, 8.182)
    """

    m0: float = 0.0
    gain: float = 0.0
    own: float = 0.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict(CES_WEIGHTS))
    cap: int | None = None

    def __post_init__(self) -> None:
        _number(self.m0, "m0", 0, MOST_SHOWN)
        _number(self.gain, "gain", 0, MOST_WEIGHT)
        _number(self.own, "own", 0, 1)
        if not isinstance(self.weights, Mapping):
            raise InputError(
                f"weights={self.weights!r} is not a mapping: give the score of each stage, such as {{'participate': 4, 'share': 4}}"
            )
        for name, value in self.weights.items():
            if name not in _FUNNEL:
                raise NotFoundError(
                    f"the engagement weight {name!r} belongs to no stage: there are {', '.join(_FUNNEL)}."
                    + did_you_mean(name, _FUNNEL)
                )
            _number(value, f"weights[{name!r}]", 0, MOST_WEIGHT)
        if self.cap is not None and not _is_whole(self.cap, MOST_SHOWN):
            raise InputError(
                f"cap={self.cap!r} is not a count: give a whole number of exposures from 1 to {MOST_SHOWN:,}, or None"
            )

    def __hash__(self) -> int:
        return hash((self.m0, self.gain, self.own, tuple(sorted(self.weights.items())), self.cap))

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
        return float(sum(self.weights.get(name, 0.0) * chance for name, chance in zip(_FUNNEL, reach, strict=True)))

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
        branching = self.gain * self.score(funnel)
        if branching >= 1:
            return float("inf") if self.cap is None else float(self.cap)
        return (self.m0 + branching * attention * followers) / (1 - branching)


@dataclass(frozen=True)
class Complex:
    """Identification as complex contagion: once enough distinct sharers were seen.

    Parameters
    ----------
    theta : int >= 1
        Distinct sharers, through either channel, including those of the same step.

    Examples
    --------
    >>> SIPS(attention=0.2, identify=Complex(2)).label
    'SIPS a=0.2 theta=2'
    """

    theta: int

    def __post_init__(self) -> None:
        if not _is_whole(self.theta, MOST_SHOWN):
            raise InputError(
                f"theta={self.theta!r} is not a number of sharers: give a whole number from 1 to {MOST_SHOWN:,}"
            )


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
        Width in hours of the time steps in which results are counted, at least a thousandth of the mean; default the mean.

    Notes
    -----
    With R the mean number of sharers that one sharer makes, numbers grow as exp(r t) with r = (s / tau) (R^(1/s) - 1)
    for gamma delays, and r = log(R) / tau for fixed ones (Wallinga and Lipsitch 2007).

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
        _number(self.mean, "mean", 0, MOST_HOURS, above=True)
        _number(self.shape, "shape", LEAST_SHAPE)
        if self.bin is not None:
            _number(self.bin, "bin", 0, above=True)
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


@dataclass(frozen=True)
class SIPS(Declared):
    """Sympathize, Identify, Participate, Share & Spread: a note's way through followers, feed and funnel, again and again.

    Parameters
    ----------
    attention : float in [0, 1] or None
        a: probability that a follower attends to a note of an account it follows, drawn once for every arc. None takes the
        graph's propagation probabilities, one for every arc.
    funnel : Funnel
        p_S, p_I, p_P, p_X.
    feed : Feed, optional
        Without it notes reach followers only.
    identify : "simple" or Complex
        Simple: by the coin p_I. Complex: by the number of distinct sharers seen; p_I is then not used.
    redraw : bool
        Every exposure draws the funnel anew instead of one draw a user: another model, with a higher R at saturation.
    delay : Delay, optional
        Hours between exposure and share; without it a generation is one step.

    Notes
    -----
    Each new sharer, and every seeded creator at step 0, publishes once. A follower v of x is exposed with probability
    a_xv; the feed exposes further users. At an attended exposure a user sympathizes if U^S < p_S, identifies, takes part if
    U^P < p_P, and shares if U^X < p_X. All of the user's latents U are drawn once a campaign: no second chance through the
    other channel. A user reached at one step through both channels counts for followers. Sizes of results are users
    exposed (reach), creators included.

    No published network model of SIPS was found: this one is tied down by its limits. All p = 1 without feed: the
    independent cascade, coin by coin. a = 1 without feed: site percolation. a = 0: a Galton-Watson process with Poisson
    offspring m * rho. Complex with other p = 1, a = 1, without feed: a threshold model. Feed with ``own=1``: communities are
    not left. p_X = 0: a broadcast.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(2000, rng=7)
    >>> model = dif.SIPS(attention=0.2, funnel=dif.Funnel(share=0.1), feed=dif.Feed(m0=2))
    >>> ens = dif.simulate(g, [0], model=model, runs=200, rng=7)
    >>> ens.funnel().index.get_level_values("stage").unique().tolist()
    ['exposed', 'sympathized', 'identified', 'participated', 'shared']
    """

    attention: float | None = None
    funnel: Funnel = field(default_factory=Funnel)
    feed: Feed | None = None
    identify: Literal["simple"] | Complex = "simple"
    redraw: bool = False
    delay: Delay | None = None

    def __post_init__(self) -> None:
        if self.attention is not None:
            _number(self.attention, "attention", 0, 1)
        for name, kind, optional in (("funnel", Funnel, False), ("feed", Feed, True), ("delay", Delay, True)):
            value = getattr(self, name)
            if not (isinstance(value, kind) or (optional and value is None)):
                raise InputError(f"{name}={value!r} is not a {kind.__name__}: give {kind.__name__}(...)")
        if not (isinstance(self.identify, Complex) or (isinstance(self.identify, str) and self.identify == "simple")):
            raise InputError(f"identify={self.identify!r} is unknown: give 'simple' or Complex(theta)")
        if not isinstance(self.redraw, bool):
            raise InputError(f"redraw={self.redraw!r} is not True or False")
        if self.feed is not None and self.feed.cap is None:
            c = self.feed.score(self.funnel if self.identify == "simple" else self._identified)
            if self.feed.gain * c >= 1:
                raise InputError(
                    f"the feed explodes on its own: gain * c = {self.feed.gain * c:.3g} is not below 1 (c = {c:.3g} is the mean "
                    "engagement score of an exposure), so one note would be shown without end; lower gain=, or give "
                    "Feed(cap=...) to stop a note after so many exposures"
                )

    @property
    def _identified(self) -> Funnel:
        """The funnel of a user who has seen enough sharers."""
        return Funnel(self.funnel.sympathize, 1.0, self.funnel.participate, self.funnel.share)

    @classmethod
    def from_survey(
        cls,
        *,
        attention: float | None = 0.2,
        note: str = "experience",
        identify: float = 1.0,
        eta: float = 0.1,
        rng: RNGLike = None,
        **others: Any,
    ) -> SIPS:
        """Draw the parameters of one campaign from the source's survey, for the propagation of its uncertainty.

        Parameters
        ----------
        attention : float or None
            As in `SIPS`; the survey does not measure it.
        note : str
            Kind of note, which sets p_S; see `diffusion.NOTES`.
        identify : float in [0, 1]
            p_I; the survey does not measure it.
        eta : float in [0, 1]
            Intention-to-behaviour factor on p_P and p_X: what people do of what they say. Show results at .05, .1, .25, 1.
        rng : int, Generator or None
        **others
            Further parameters of `SIPS`.

        Notes
        -----
        p_P ~ Beta(112.5, 30.5) * eta and p_X ~ Beta(93.5, 49.5) * eta: Jeffreys posteriors of 112 and 93 of 142
        answers. Stated intentions of existing users: ceilings, never facts.

        Examples
        --------
        >>> draws = [SIPS.from_survey(eta=0.1, rng=i).funnel.share for i in range(100)]
        >>> 0.05 < min(draws) and max(draws) < 0.08
        True
        """
        funnel = Funnel.from_survey(note=note, identify=identify, eta=eta, rng=rng)
        return cls(attention=attention, funnel=funnel, **others)

    @property
    def name(self) -> str:
        """Short name."""
        return "SIPS"

    @property
    def label(self) -> str:
        """Name with the parameters that matter, for tables."""
        parts = ["SIPS", "a=graph" if self.attention is None else f"a={self.attention:g}"]
        names = ("p_S", "p_I", "p_P", "p_X")
        simple = self.identify == "simple"
        parts += [
            f"{n}={v:.3g}" for n, v in zip(names, self.funnel.values, strict=True) if v != 1 and (simple or n != "p_I")
        ]
        if isinstance(self.identify, Complex):
            parts.append(f"theta={self.identify.theta}")
        if self.feed is not None:
            feed = [("m0", self.feed.m0), ("g", self.feed.gain), ("h", self.feed.own)]
            parts += [f"{n}={v:g}" for n, v in feed if v]
        if self.redraw:
            parts.append("redraw")
        if self.delay is not None:
            parts.append(f"{self.delay.kind} delay {self.delay.mean:g} h")
        return " ".join(parts)

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name, nested."""
        feed = self.feed
        return {
            "attention": self.attention,
            "funnel": dict(zip(_FUNNEL, self.funnel.values, strict=True)),
            "feed": None
            if feed is None
            else {"m0": feed.m0, "gain": feed.gain, "own": feed.own, "weights": dict(feed.weights), "cap": feed.cap},
            "identify": self.identify if isinstance(self.identify, str) else {"complex": int(self.identify.theta)},
            "redraw": self.redraw,
            "delay": None
            if self.delay is None
            else {"kind": self.delay.kind, "mean": self.delay.mean, "shape": self.delay.shape, "bin": self.delay.width},
        }

    def need(self) -> NDArray[np.int32]:
        """Return distinct sharers that identification needs, as one entry; 0: simple."""
        return np.asarray([self.identify.theta if isinstance(self.identify, Complex) else 0], np.int32)

    # -- what a study asks ----------------------------------------------------------------------------------------

    @property
    def takes_probabilities(self) -> bool:
        """Whether attention is that of every arc."""
        return self.attention is None

    @property
    def needs_several_sharers(self) -> bool:
        """Whether identification asks for more than one sharer."""
        return isinstance(self.identify, Complex) and self.identify.theta > 1

    @property
    def needs_communities(self) -> str:
        """The share of the feed that goes to the creator's own community, where there is one."""
        return f"own = {self.feed.own:g} of the feed" if self.feed is not None and self.feed.own > 0 else ""

    @property
    def contagion(self) -> str:
        """By the way to identify."""
        return "simple" if self.identify == "simple" else "complex"

    @property
    def certified_model(self) -> SIPS | None:
        """The model without its feed, where identification is simple: what followers alone carry."""
        return None if self.identify != "simple" or self.redraw else replace(self, feed=None)

    @classmethod
    def from_study_table(cls, table: Mapping[str, Any], path: str) -> list[tuple[SIPS, dict[str, Any]]]:
        """Return every model that a table declares, each with the table of it alone.

        Parameters
        ----------
        table : mapping
            Attention, note or funnel, eta, feed and so on; lists of numbers and of ways to identify are crossed.
        path : str
            Where the table stands in the study file: errors name the key path.
        """
        from .sips_study import from_table

        return from_table(table, path)

    def study_table(self) -> dict[str, Any]:
        """Return the table that declares this model."""
        from .sips_study import to_table

        return to_table(self)

    def study_columns(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the table of results says about this model."""
        from .sips_study import columns

        return columns(self, table)

    def study_measures(
        self, runs: Runs, *, n_seeds: int, n_nodes: int, confidence: float
    ) -> tuple[dict[str, float], pd.DataFrame]:
        """Return sharers, the feed's share of reach and redundancy, and users by stage and channel.

        Parameters
        ----------
        runs : Runs
            What the engine has counted.
        n_seeds, n_nodes : int
        confidence : float
            Level of the intervals.
        """
        from .sips_study import channels, funnel

        return channels(runs, n_seeds, n_nodes, confidence), funnel(runs, n_nodes - n_seeds, confidence)

    def parameter_standing(self, table: Mapping[str, Any]) -> list[Standing]:
        """Return every parameter with where its value comes from."""
        from .sips_study import standing

        return standing(self, table)

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """Return the graph with the probability that a sharer makes a follower share: attention times rho."""
        from ._sips_engine import follow_probabilities

        return follow_probabilities(graph, self)
