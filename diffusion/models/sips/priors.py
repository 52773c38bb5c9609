"""What a survey, the trade and counts of notes say about SIPS parameters. Priors, never facts: each can be replaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..._validation import number, probability
from ...errors import InputError, NotFoundError, did_you_mean

__all__ = [
    "ENGAGEMENT",
    "ENGAGEMENT_SOURCE",
    "NOTES",
    "SURVEY",
    "Engagement",
    "Note",
    "SurveyItem",
    "draw_rates",
    "engagement_eta",
    "priors_table",
]

SOURCE = "Xiaohongshu interactive marketing strategy (SIPS, perspective of a UGC community), questionnaire"


@dataclass(frozen=True)
class SurveyItem:
    """A question of the survey: how many of those asked agreed.

    Attributes
    ----------
    question : str
    agreed, asked : int
        Counts decoded from the percentages in the source.
    parameter : str
        Parameter of `SIPS` it speaks to, or "".
    """

    question: str
    agreed: int
    asked: int
    parameter: str = ""

    @property
    def share(self) -> float:
        """Share that agreed."""
        return self.agreed / self.asked

    @property
    def posterior(self) -> tuple[float, float]:
        """Parameters of the Beta posterior under Jeffreys' prior, Beta(1/2, 1/2)."""
        return self.agreed + 0.5, self.asked - self.agreed + 0.5


SURVEY: dict[str, SurveyItem] = {
    "prefers_genuine": SurveyItem("prefers notes of genuine experience", 91, 142, "p_S"),
    "participates": SurveyItem("is keen to take part in interaction", 112, 142, "p_P"),
    "has_posted": SurveyItem("has posted remarks", 93, 142, "p_X"),
    "several_times_a_day": SurveyItem("uses the platform several times a day", 104, 142),
    "primary_network": SurveyItem("uses it as the primary social network", 108, 142),
    "uses": SurveyItem("uses the platform", 142, 150),
}


@dataclass(frozen=True)
class Note:
    """A kind of note.

    Attributes
    ----------
    sympathize : float
        p_S.
    standing : {"prior", "assumed"}
    reason : str
    """

    sympathize: float
    standing: str
    reason: str


_GENUINE = SURVEY["prefers_genuine"].share
NOTES: dict[str, Note] = {
    "experience": Note(_GENUINE, "prior", "91 of 142 prefer notes of genuine experience"),
    "recommendation": Note(
        _GENUINE,
        "assumed",
        "a planting recommendation that reads as experience: taken as high as experience, an upper end",
    ),
    "cooperation": Note(
        1 - _GENUINE,
        "assumed",
        "recognised as paid: the 51 of 142 who do not prefer genuine experience; experience is 1.78 times this",
    ),
    "official": Note(1 - _GENUINE, "assumed", "a brand speaking for itself: as business cooperation"),
    "sponsored": Note(1 - _GENUINE, "assumed", "marked as an advertisement: as business cooperation, an upper end"),
}


ENGAGEMENT_SOURCE = (
    "15,316 notes of 101 small creators on Xiaohongshu, Dallas area, March 2025 (MF_KOC project, third-party)"
)


@dataclass(frozen=True)
class Engagement:
    """How often a follower's worth of audience does something with a note: counts of notes of small creators.

    Attributes
    ----------
    what : str
    count : int
        Summed over the notes.
    followers : int
        Followers of the creator, summed over the notes.
    median : float
        Median over notes of count / followers.
    low, middle, high : float
        Quartiles over creators of the mean count of a creator's notes / followers.
    notes, creators : int
        How many were counted.
    """

    what: str
    count: int
    median: float
    low: float
    middle: float
    high: float
    followers: int = 25_214_617
    notes: int = 15_316
    creators: int = 101

    @property
    def pooled(self) -> float:
        """Count per follower and note, all notes together: few notes that many saw weigh most."""
        return self.count / self.followers


ENGAGEMENT: dict[str, Engagement] = {
    "likes": Engagement("likes of a note", 1_051_477, 0.01017, 0.02690, 0.06033, 0.1021),
    "collects": Engagement("collects of a note", 384_819, 0.002520, 0.01389, 0.02827, 0.05547),
    "comments": Engagement("comments on a note", 201_728, 0.002233, 0.006775, 0.01622, 0.03143),
    "shares": Engagement("shares of a note", 225_660, 0.001207, 0.008033, 0.01833, 0.03278),
}


def engagement_eta(
    attention: float = 0.3,
    *,
    note: str = "experience",
    identify: float = 1.0,
    shares_per_follower: float = ENGAGEMENT["shares"].pooled,
) -> float:
    """Return the eta at which followers of a note share it as often as notes on the platform are shared.

    A follower of a creator shares its note with probability attention * p_S * p_I * eta p_P * eta p_X, with the survey's
    p_P and p_X. Solved for eta.

    Parameters
    ----------
    attention : float in (0, 1]
        Probability that a follower attends to a note.
    note : str
        Kind of note, which sets p_S; see `diffusion.models.NOTES`.
    identify : float in (0, 1]
        p_I.
    shares_per_follower : float >= 0
        Shares of a note per follower of its creator; default the pooled figure of `diffusion.models.ENGAGEMENT`. Its
        median note and quartiles over creators are a range.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    NotFoundError
        An unknown kind of note.
    InputError
        A parameter is out of range, or so many shares need more sharers than the survey's intentions have.

    See Also
    --------
    models.priors_table, models.Funnel.from_survey, SIPS.from_survey

    Notes
    -----
    An upper figure for the follow channel. Counts are of followers and feed alike; shares leave the platform, so few of
    them reach the sharer's own followers; the creators are small, and small creators have more engagement per follower.
    Only the product attention * rho is seen: another attention goes with another eta, and R along follows stays.

    Examples
    --------
    >>> shares = ENGAGEMENT["shares"]
    >>> [round(engagement_eta(0.3, shares_per_follower=rate), 2) for rate in (shares.pooled, shares.median)]
    [0.3, 0.11]
    >>> [round(engagement_eta(0.3, shares_per_follower=rate), 2) for rate in (shares.low, shares.high)]
    [0.28, 0.57]
    """
    _known_note(note)
    attention = number(attention, "attention", above=0, most=1)
    identify = number(identify, "identify", above=0, most=1)
    rate = number(shares_per_follower, "shares_per_follower", least=0)
    asked = SURVEY["participates"].share * SURVEY["has_posted"].share
    most = attention * NOTES[note].sympathize * identify * asked
    if rate > most:
        raise InputError(
            f"shares_per_follower={rate:g} is more than eta = 1 gives, {most:.3g} at attention={attention:g} and "
            f"identify={identify:g} for the note {note!r}: give a higher attention or a lower shares_per_follower"
        )
    return float(np.sqrt(rate / most))


def _known_note(note: str) -> None:
    if note not in NOTES:
        raise NotFoundError(f"the note {note!r} is unknown: there are {', '.join(NOTES)}." + did_you_mean(note, NOTES))


def priors_table() -> pd.DataFrame:
    """Return every preset with its value, range, standing and source.

    Returns
    -------
    DataFrame
        Indexed by preset: parameter, share, low, high, agreed, asked, standing, meaning, source. Low and high are the
        95 % interval (Jeffreys) of answers, and the quartiles over creators of engagement, whose share is its count
        (agreed) per follower and note (asked).

    See Also
    --------
    models.Funnel.from_survey, models.Funnel.from_note, models.engagement_eta

    Examples
    --------
    >>> table = priors_table()
    >>> table.loc["participates", ["agreed", "asked", "share"]].round(4).tolist()
    [112.0, 142.0, 0.7887]
    """
    from scipy.stats import beta

    rows = []
    for name, item in SURVEY.items():
        low, high = (float(beta.ppf(q, *item.posterior)) for q in (0.025, 0.975))
        rows.append(
            (name, item.parameter, item.share, low, high, item.agreed, item.asked, "prior", item.question, SOURCE)
        )
    for name, note in NOTES.items():
        agreed = round(note.sympathize * 142)
        low, high = (float(beta.ppf(q, agreed + 0.5, 142 - agreed + 0.5)) for q in (0.025, 0.975))
        rows.append(
            (f"note: {name}", "p_S", note.sympathize, low, high, agreed, 142, note.standing, note.reason, SOURCE)
        )
    for name, seen in ENGAGEMENT.items():
        parameter = "a rho, upper" if name == "shares" else ""
        meaning = f"{seen.what} per follower; median note {seen.median:g}, median creator {seen.middle:g}"
        counts = (seen.pooled, seen.low, seen.high, seen.count, seen.followers)
        rows.append((f"engagement: {name}", parameter, *counts, "prior", meaning, ENGAGEMENT_SOURCE))
    columns = ["preset", "parameter", "share", "low", "high", "agreed", "asked", "standing", "meaning", "source"]
    return pd.DataFrame(rows, columns=columns).set_index("preset")


def draw_rates(draw: np.random.Generator, *, note: str, eta: float) -> dict[str, float]:
    """Draw p_S, p_P and p_X from their posteriors; `eta` scales the last two."""
    _known_note(note)
    eta = probability(eta, "eta")  # the share of intentions that people act upon
    genuine = float(draw.beta(*SURVEY["prefers_genuine"].posterior))
    participate = float(draw.beta(*SURVEY["participates"].posterior))
    share = float(draw.beta(*SURVEY["has_posted"].posterior))
    sympathize = genuine if NOTES[note].sympathize == _GENUINE else 1 - genuine
    return {"sympathize": sympathize, "participate": eta * participate, "share": eta * share}
