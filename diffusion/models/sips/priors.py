"""What the source's survey and the trade say about SIPS parameters. Priors, never facts: each can be replaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..._validation import probability
from ...errors import NotFoundError, did_you_mean

__all__ = ["NOTES", "SURVEY", "Note", "SurveyItem", "draw_rates", "priors_table"]

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


def priors_table() -> pd.DataFrame:
    """Return every preset with its value, 95 % interval, standing and source.

    Returns
    -------
    DataFrame
        Indexed by preset: parameter, share, low, high (95 %, Jeffreys), agreed, asked, standing, meaning, source.

    See Also
    --------
    models.Funnel.from_survey, models.Funnel.from_note

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
    columns = ["preset", "parameter", "share", "low", "high", "agreed", "asked", "standing", "meaning", "source"]
    return pd.DataFrame(rows, columns=columns).set_index("preset")


def draw_rates(draw: np.random.Generator, *, note: str, eta: float) -> dict[str, float]:
    """Draw p_S, p_P and p_X from their posteriors; `eta` scales the last two."""
    if note not in NOTES:
        raise NotFoundError(f"the note {note!r} is unknown: there are {', '.join(NOTES)}." + did_you_mean(note, NOTES))
    eta = probability(eta, "eta")  # the share of intentions that people act upon
    genuine = float(draw.beta(*SURVEY["prefers_genuine"].posterior))
    participate = float(draw.beta(*SURVEY["participates"].posterior))
    share = float(draw.beta(*SURVEY["has_posted"].posterior))
    sympathize = genuine if NOTES[note].sympathize == _GENUINE else 1 - genuine
    return {"sympathize": sympathize, "participate": eta * participate, "share": eta * share}
