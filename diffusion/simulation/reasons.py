"""Why growth has the phase it has: a finding with its numbers, and the one place that puts it into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Finding", "Reason", "interval_text"]


class Finding(Enum):
    """What was found of growth: a name, its cause as a word, and its sentence."""

    STANDS_STILL = "steady", "{subject} is {R} and stands still until {limit:,.0f} users are reached"
    BELOW_ONE = "below one", "R of the graph is {predicted:.3g}, below 1: the spread dies out"
    CORE = (
        "core",
        "R of the graph is {predicted:.3g}, but {core_users:,} users ({core_share:.2%}) carry 90 % of it: the largest "
        "cascades end at {final:,.0f} users, and among the others R is {rest:.2g}",
    )
    CRITICAL = "near one", "R of the graph is {predicted:.3g}: {inner}"
    TOO_LOW = "near one", "{subject} is {R}"
    SPANS_ONE = "near one", "{subject}, {R}, does not keep clear of 1"
    DEPLETED = (
        "near one",
        "R of these counts is {R}, below 1, but by no more than the {active:.1%} of nodes already active explain",
    )
    FEW_GENERATIONS = (
        "short",
        "growth lasts {generations:.1f} generations until {limit:,.0f} users are reached (a tenth of what the largest "
        "cascades reach): a claim needs {needed}",
    )
    NO_ACTIVATION = "short", "the seeds activated nobody, so there is no growth to measure"
    NO_USERS = "short", "the graph has no users"
    SLOWS_DOWN = (
        "slowing",
        "R falls from {start:.3g} to {end:.3g} until {limit:,.0f} users are reached, as for new activations that go as "
        "t^{power:.2g}",
    )
    OPEN = (
        "unclear",
        "{subject} is {R}, but whether it stands still or falls as for new activations that go as a power of time is not "
        "told apart until {limit:,.0f} users are reached",
    )
    NO_INTERVAL = "unclear", "R has no interval: too few runs, or all of them equal"
    ENDLESS_FEED = "unclear", "the feed shows a note without end but for its cap, so that R has no prediction"
    SMALL_CASCADES_GROW = (
        "transient",
        "R of the graph is {predicted:.3g}, yet cascades grow while they are small: {inner}",
    )
    CAMPAIGN_GROWS = "transient", "{outer}, yet this campaign grows while it is small: {inner}"
    SEVERAL_SHARERS = (
        "no R",
        "{model} has no R, since one sharer alone convinces nobody: ask for the size of outbreaks instead",
    )
    NO_OPERATOR = (
        "no operator",
        "{model} gives no next-generation operator, so that R has no prediction: ask for the size of outbreaks instead",
    )
    DECLINES = "declining", "R of these counts is {R}, below 1"

    def __init__(self, cause: str, text: str) -> None:
        self.cause, self.text = cause, text


@dataclass(frozen=True)
class Reason:
    """A finding with its numbers; `str` gives the sentence.

    Attributes
    ----------
    finding : Finding
    numbers : mapping
        By the names in the finding's text. `R` is (value, low, high); `predicted`, where it is set, is R of the graph.
    inner, outer : Reason, optional
        The findings that this one qualifies.
    """

    finding: Finding
    numbers: Mapping[str, Any] = field(default_factory=dict)
    inner: Reason | None = None
    outer: Reason | None = None

    @property
    def cause(self) -> str:
        """The cause as a word."""
        return self.finding.cause

    def __str__(self) -> str:
        shown = {"subject": "R measured from typical sharers", **self.numbers, "inner": self.inner, "outer": self.outer}
        if "R" in shown:
            shown["R"] = interval_text(shown["R"])
        text = self.finding.text.format(**shown)
        if "predicted" not in self.numbers or "{predicted" in self.finding.text:
            return text
        return f"R of the graph is {self.numbers['predicted']:.3g}; {text}"


def interval_text(found: tuple[float, float, float]) -> str:
    """Value and ends to three digits."""
    return f"{found[0]:.3g} [{found[1]:.3g}, {found[2]:.3g}]"
