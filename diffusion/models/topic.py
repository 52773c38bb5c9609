"""Topic-aware cascades: the probabilities of a mixture of topics, under the independent cascade or linear thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..graph.topics import Mixture, TopicProbabilities
from .base import DiffusionModel, LiveEdges
from .cascade import CascadeProgram
from .program import Program

__all__ = ["TopicIC", "TopicLT", "TopicModel"]


@dataclass(frozen=True)
class TopicModel(DiffusionModel):
    """What `TopicIC` and `TopicLT` share: the probabilities of the item replace those of the graph."""

    takes_probabilities = False
    linear: ClassVar[bool] = False

    topics: TopicProbabilities
    mixture: Mixture

    def __post_init__(self) -> None:
        if not isinstance(self.topics, TopicProbabilities):
            raise InputError(
                f"topics is a {type(self.topics).__name__}: give TopicProbabilities, such as "
                "graph.TopicProbabilities.from_interests(graph, interests)"
            )
        object.__setattr__(self, "mixture", self.topics.shares(self.mixture))

    @property
    def shares(self) -> dict[str, float]:
        """Topics of the item with their shares, without those that it is not about."""
        shares = self.topics.shares(self.mixture)
        return {name: share for name, share in zip(self.topics.names, shares, strict=True) if share}

    @property
    def label(self) -> str:
        """Name with the shares of the topics: ``"TopicIC sport=0.5 food=0.5"``."""
        return " ".join([self.name, *(f"{name}={share:g}" for name, share in self.shares.items())])

    def refuses_graph(self, graph: FollowerGraph) -> str:
        """See `DiffusionModel.refuses_graph`: arcs are those that the probabilities were made for."""
        return super().refuses_graph(graph) or self.topics.refuses(graph)

    def mixed(self, graph: FollowerGraph) -> FollowerGraph:
        """Return the graph with the probabilities of the item.

        Parameters
        ----------
        graph : FollowerGraph
            With the arcs that the probabilities were made for.

        Returns
        -------
        FollowerGraph

        Raises
        ------
        InputError
            Another graph.
        """
        return self.topics.mix(self.mixture, graph)

    def compile(self, graph: FollowerGraph) -> Program:
        """See `DiffusionModel.compile`."""
        return CascadeProgram(self.mixed(graph), self, self.linear)

    def live_edges(self, graph: FollowerGraph) -> LiveEdges:
        """Arcs are live as under the model without topics, with the probabilities of the item."""
        return LiveEdges(self.mixed(graph), linear=self.linear)

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph:
        """Return the graph with the probabilities of the item."""
        return self.mixed(graph)

    def study_table(self) -> dict[str, Any]:
        """Return what tells this model from others: the hash of the probabilities, and the shares of topics."""
        return {"topics": self.topics.fingerprint, "mixture": self.shares}

    def study_columns(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the table of results says about this model: the item, as text."""
        return {"item": " ".join(f"{name}={share:g}" for name, share in self.shares.items())}


@dataclass(frozen=True)
class TopicIC(TopicModel):
    """Topic-aware independent cascade: how likely an item passes an arc depends on what it is about.

    An item is a mixture gamma of topics, and a newly active node u activates a follower v with probability
    p(u, v) = sum over topics z of gamma(z) p(u, v, z) (Barbieri, Bonchi and Manco 2012). For a fixed item this is the
    independent cascade, run by the same kernel: RR sets, certificates and rankings are those of `IC`.

    Parameters
    ----------
    topics : TopicProbabilities
        Of the arcs of the graph that the model will run on. Its own propagation probabilities are not read.
    mixture : mapping of topic to float, or sequence of float
        Share of each topic, from 0 to 1 and 1 in sum; topics left out of a mapping have the share 0.

    See Also
    --------
    models.TopicLT, graph.TopicProbabilities, IC, select_seeds

    References
    ----------
    - Barbieri, N., Bonchi, F. and Manco, G. (2012). Topic-aware social influence propagation models. ICDM 2012, 81-90.
      doi:10.1109/ICDM.2012.122
    - Chen, W., Lin, T. and Yang, C. (2016). Real-time topic-aware influence maximization using preprocessing.
      Computational Social Networks 3, 8. doi:10.1186/s40649-016-0033-z

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(1000, communities=4, mixing=0.1, rng=7).with_probabilities("weighted_cascade")
    >>> interests = dif.graph.generate_interests(g, ["food", "travel", "sport", "books"], rng=7)
    >>> topics = dif.graph.TopicProbabilities.from_interests(g, interests)
    >>> sport, food = (TopicIC(topics, {name: 1}) for name in ("sport", "food"))
    >>> seeds = [dif.select_seeds(g, 10, model=model, rng=7) for model in (sport, food)]
    >>> dif.compare(g, {"sport": seeds[0], "food": seeds[1]}, model=sport, rng=7).difference("sport", "food").low > 0
    True
    """


@dataclass(frozen=True)
class TopicLT(TopicModel):
    """Topic-aware linear threshold: the weight of an account followed depends on what an item is about.

    The weight of the arc u -> v is sum over topics z of gamma(z) w(u, v, z) for an item with the mixture gamma (Barbieri,
    Bonchi and Manco 2012); these weights must sum to at most 1 at every node. The rest is `LT`, with the same kernel.

    Parameters
    ----------
    topics : TopicProbabilities
        Weights of the arcs of the graph that the model will run on.
    mixture : mapping of topic to float, or sequence of float
        Share of each topic, from 0 to 1 and 1 in sum; topics left out of a mapping have the share 0.

    See Also
    --------
    models.TopicIC, graph.TopicProbabilities, LT

    References
    ----------
    - Barbieri, N., Bonchi, F. and Manco, G. (2012). Topic-aware social influence propagation models. ICDM 2012, 81-90.
      doi:10.1109/ICDM.2012.122

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [2, 2], edges_mean="influences", directed=True)
    >>> weights = dif.graph.TopicProbabilities.from_arrays(g, [[0.2, 0.8], [0.6, 0.0]], topics=["sport", "food"])
    >>> model = TopicLT(weights, {"sport": 0.5, "food": 0.5})
    >>> estimate = dif.spread(g, [0], model=model, runs=20_000, rng=7)  # 1 + 0.5 * 0.2 + 0.5 * 0.8
    >>> estimate.low < 1.5 < estimate.high
    True
    """

    linear: ClassVar[bool] = True

    @property
    def contagion(self) -> str:
        """Neither simple nor complex: exposures add up against a threshold that is drawn."""
        return "linear"
