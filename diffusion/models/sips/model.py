"""The SIPS model: Sympathize, Identify, Participate, Share & Spread; see the notes of `SIPS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._arrays import constant
from ..._random import RNGLike
from ..._validation import probability
from ...errors import EndlessFeedError, InputError
from ...graph.communities import community_codes
from ...graph.follower_graph import FollowerGraph
from ...results.ensemble import Ensemble
from ..base import DiffusionModel, LiveEdges
from ..declared import Standing
from ..next_generation import NextGeneration
from ..program import Program
from .live_edges import split_graph
from .parts import FUNNEL_STEPS, Complex, Delay, Feed, Funnel
from .program import SIPSProgram
from .results import SIPSEnsemble
from .study import KEYS, channels, columns, fixed, from_table, funnel, posteriors, standing, to_table

__all__ = ["SIPS"]


@dataclass(frozen=True)
class SIPS(DiffusionModel):
    """Sympathize, Identify, Participate, Share & Spread: a note's way through followers, feed and funnel, again and again.

    Parameters
    ----------
    attention : float in [0, 1] or None
        a: probability that a follower attends to a note of an account it follows, drawn once for every arc. None
        takes the graph's propagation probabilities, one for every arc.
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

    See Also
    --------
    models.Funnel, models.Feed, models.Complex, models.Delay, models.priors_table, theory.sips_reproduction_number

    Notes
    -----
    Each new sharer, and every seeded creator at step 0, publishes once. A follower v of x is exposed with probability
    a_xv; the feed exposes further users. At an attended exposure a user sympathizes if U^S < p_S, identifies, takes
    part if U^P < p_P, and shares if U^X < p_X. All of the user's latents U are drawn once a campaign: no second draw
    through the other channel. A user reached at one step through both channels counts for followers. Sizes of results
    are users exposed (reach), creators included.

    No published network model of SIPS was known to check it against; it is held by its limits. All p = 1 without
    feed: the independent cascade, coin by coin. a = 1 without feed: site percolation. a = 0: a Galton-Watson process
    with Poisson offspring m * rho. Complex with other p = 1, a = 1, without feed: a threshold model. Feed with
    ``own_community=1``: communities are not left. p_X = 0: a broadcast.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(2000, rng=7)
    >>> model = dif.SIPS(attention=0.2, funnel=dif.models.Funnel(share=0.1), feed=dif.models.Feed(impressions=2))
    >>> ens = dif.simulate(g, [0], model=model, runs=200, rng=7)
    >>> ens.funnel().index.get_level_values("stage").unique().tolist()
    ['exposed', 'sympathized', 'identified', 'participated', 'shared']
    """

    states: ClassVar[tuple[str, ...]] = ("exposed", "shared")
    result_type: ClassVar[type[Ensemble]] = SIPSEnsemble
    example: ClassVar[str] = "SIPS(attention=0.2, funnel=Funnel(...), feed=Feed(...))"

    attention: float | None = None
    funnel: Funnel = field(default_factory=Funnel)
    feed: Feed | None = None
    identify: Literal["simple"] | Complex = "simple"
    redraw: bool = False
    delay: Delay | None = None

    def __post_init__(self) -> None:
        if self.attention is not None:
            probability(self.attention, "attention")
        for name, kind, optional in (("funnel", Funnel, False), ("feed", Feed, True), ("delay", Delay, True)):
            value = getattr(self, name)
            if not (isinstance(value, kind) or (optional and value is None)):
                raise InputError(f"{name}={value!r} is not a {kind.__name__}: give {kind.__name__}(...)")
        if not (isinstance(self.identify, Complex) or (isinstance(self.identify, str) and self.identify == "simple")):
            raise InputError(f"identify={self.identify!r} is unknown: give 'simple' or Complex(theta)")
        if not isinstance(self.redraw, bool):
            raise InputError(f"redraw={self.redraw!r} is not True or False")
        if self.feed is not None and self.feed.cap is None:
            c = self.feed.score(self.funnel if self.identify == "simple" else self.identified_funnel)
            if self.feed.amplification * c >= 1:
                raise EndlessFeedError(
                    f"the feed explodes on its own: amplification * c = {self.feed.amplification * c:.3g} is not below 1 (c = {c:.3g} is the mean "
                    "engagement score of an exposure), so one note would be shown without end; lower amplification=, or give "
                    "Feed(cap=...) to stop a note after so many exposures"
                )

    @property
    def identified_funnel(self) -> Funnel:
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
            Kind of note, which sets p_S; see `diffusion.models.NOTES`.
        identify : float in [0, 1]
            p_I; the survey does not measure it.
        eta : float in [0, 1]
            Intention-to-behaviour factor on p_P and p_X: what people do of what they say. Show results at .05, .1,
            .25, 1.
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
            feed = [("m0", self.feed.impressions), ("g", self.feed.amplification), ("h", self.feed.own_community)]
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
            "funnel": dict(zip(FUNNEL_STEPS, self.funnel.values, strict=True)),
            "feed": None
            if feed is None
            else {
                "impressions": feed.impressions,
                "amplification": feed.amplification,
                "own_community": feed.own_community,
                "weights": dict(feed.weights),
                "cap": feed.cap,
            },
            "identify": self.identify if isinstance(self.identify, str) else {"complex": int(self.identify.theta)},
            "redraw": self.redraw,
            "delay": None
            if self.delay is None
            else {"kind": self.delay.kind, "mean": self.delay.mean, "shape": self.delay.shape, "bin": self.delay.width},
        }

    @property
    def theta(self) -> int:
        """Distinct sharers that identification needs; 0: simple."""
        return self.identify.theta if isinstance(self.identify, Complex) else 0

    @property
    def rho(self) -> float:
        """Probability that an exposure makes a sharer; complex identification by one sharer is certain."""
        return (self.identified_funnel if self.theta else self.funnel).rho

    @property
    def has_feed(self) -> bool:
        """Is any note shown by a feed?"""
        return self.feed is not None and (self.feed.impressions > 0 or self.feed.amplification > 0)

    # -- what the package asks of a model ----------------------------------------------------------------------------

    @property
    def spreads_alone(self) -> bool:
        """See `DiffusionModel.spreads_alone`: with complex identification one sharer alone convinces nobody."""
        return self.theta <= 1

    def submodular(self, graph: FollowerGraph) -> bool:
        """True where one sharer is enough.

        What a sharer passes on, by whichever channel, is then fixed in a world, whoever the seeds are. A feed that
        answers to engagement, or a user who draws anew at every exposure, changes nothing of that.
        """
        return self.spreads_alone

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return SIPSProgram(graph, self)

    def attention_on(self, graph: FollowerGraph) -> NDArray[np.float32]:
        """Return the probability that a follower attends to a note: one, or one for every arc."""
        if self.attention is not None:
            return constant(np.full(1, self.attention, np.float32))
        if graph.probabilities is None:
            raise InputError(
                "attention=None takes the graph's propagation probabilities, and it has none: call "
                "graph.with_probabilities(...) first, or give SIPS(attention=0.2)"
            )
        return graph.probabilities.values

    def live_edges(self, graph: FollowerGraph) -> LiveEdges | None:
        """See `DiffusionModel.live_edges`: the graph split into exposure and sharing, if the feed does not answer."""
        if self._not_live:
            return None
        return split_graph(graph, self.attention_on(graph), self.rho, self.feed)

    @property
    def _not_live(self) -> list[str]:
        feed = self.feed
        reasons = {
            "complex identification": self.theta > 1,
            "redraw=True": self.redraw,
            "a feed that answers to engagement (amplification=)": feed is not None and feed.amplification > 0,
            "a feed with cap=": feed is not None and feed.impressions > 0 and feed.cap is not None,
        }
        return [reason for reason, there in reasons.items() if there]

    @property
    def no_live_edges(self) -> str:
        """See `DiffusionModel.no_live_edges`."""
        return f"SIPS with {' and '.join(self._not_live)}" if self._not_live else ""

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """Return the graph with the probability that a sharer makes a follower share: attention times rho."""
        if self.attention is not None:
            return graph.with_probabilities("constant", p=float(self.attention) * self.funnel.rho)
        self.attention_on(graph)  # refuses a graph without probabilities
        assert graph.probabilities is not None
        rho = self.funnel.rho
        return replace(graph, probabilities=graph.probabilities.scaled(rho, times=rho))

    @property
    def steps_are_times(self) -> bool:
        """With a delay."""
        return self.delay is not None

    def in_generations(self) -> SIPS:
        """Return the model without delay; identification by one sharer is simple."""
        if self.theta == 1:
            return replace(self, identify="simple", funnel=self.identified_funnel, delay=None)
        return replace(self, delay=None)

    def next_generation(self, graph: FollowerGraph) -> NextGeneration | None:
        """See `DiffusionModel.next_generation`."""
        if not self.spreads_alone:
            return None
        if self.theta:
            return self.in_generations().next_generation(graph)
        along = NextGeneration.on_arcs(self.effective_probabilities(graph))
        attention = self.attention if self.attention is not None else self.attention_on(graph)
        exposes = np.broadcast_to(attention, graph.n_edges).astype(np.float64)
        along = replace(along, exposes=exposes, rho=self.funnel.rho)
        if self.feed is None or not self.has_feed:
            return along
        feed = self.feed
        answered = feed.amplification * feed.score(self.funnel)
        attended = np.bincount(along.source, exposes, graph.n_nodes)
        mean = np.full(graph.n_nodes, np.inf)
        if answered < 1:
            mean = (feed.impressions + answered * attended) / (1 - answered)
        group = along.group
        if feed.own_community > 0:
            codes, _ = community_codes(graph, None)
            group = codes.astype(np.intp)[graph.index.order]
        return replace(along, shown=np.asarray(mean, np.float64), own=float(feed.own_community), group=group)

    # -- what a study asks -------------------------------------------------------------------------------------------

    @property
    def takes_probabilities(self) -> bool:  # type: ignore[override]
        """Whether attention is that of every arc."""
        return self.attention is None

    @property
    def needs_communities(self) -> str:  # type: ignore[override]
        """The share of the feed that goes to the creator's own community, where there is one."""
        share = 0.0 if self.feed is None else self.feed.own_community
        return f"own_community = {share:g} of the feed" if share > 0 else ""

    @property
    def contagion(self) -> str:
        """See `DiffusionModel.contagion`: by the way to identify."""
        return "complex" if self.theta else "simple"

    @property
    def certified_model(self) -> SIPS | None:
        """The model without its feed, where identification is simple: what followers alone carry."""
        return None if self.theta or self.redraw else replace(self, feed=None)

    @classmethod
    def study_parameters(cls) -> tuple[str, ...]:
        """See `DiffusionModel.study_parameters`."""
        return KEYS

    def study_numbers(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """See `DiffusionModel.study_numbers`: eta = "engagement" is the number it was."""
        return fixed(table)

    def posteriors(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """See `DiffusionModel.posteriors`: of the survey's stage probabilities, before eta scales them."""
        return posteriors(table)

    @classmethod
    def from_study_table(cls, table: Mapping[str, Any], path: str) -> list[tuple[Any, dict[str, Any]]]:
        """Return every model that a table declares, each with the table of it alone.

        Parameters
        ----------
        table : mapping
            Attention, note or funnel, eta, feed and so on; lists of numbers and of ways to identify are crossed.
        path : str
            Where the table stands in the study file: errors name the key path.
        """
        return from_table(table, path, cls)

    def study_table(self) -> dict[str, Any]:
        """See `DiffusionModel.study_table`."""
        return to_table(self)

    def study_columns(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """See `DiffusionModel.study_columns`."""
        return columns(self, table)

    def study_measures(
        self, details: Mapping[str, NDArray[Any]], *, n_seeds: int, n_nodes: int, confidence: float
    ) -> dict[str, float]:
        """Return sharers, the feed's share of reach and redundancy.

        Parameters
        ----------
        details : mapping of str to ndarray
            What the model counted by run and step.
        n_seeds, n_nodes : int
        confidence : float
            Level of the intervals.
        """
        return channels(details["tally"], n_seeds, n_nodes, confidence)

    def study_stages(
        self, details: Mapping[str, NDArray[Any]], *, n_seeds: int, n_nodes: int, confidence: float
    ) -> pd.DataFrame:
        """See `DiffusionModel.study_stages`: by channel of first exposure, too."""
        return funnel(details["tally"], n_nodes - n_seeds, confidence)

    def parameter_standing(self, table: Mapping[str, Any]) -> list[Standing]:
        """See `DiffusionModel.parameter_standing`."""
        return standing(self, table)
