"""Propagation probabilities that depend on what an item is about: one for every arc and topic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._columns import table_columns
from .._html import card, table
from .._provenance import provenance
from .._validation import is_number, number, probability
from ..errors import InputError, NotFoundError, did_you_mean
from ._convert import arc_order
from ._parts import Probabilities, read_only
from .follower_graph import FollowerGraph, check_graph
from .interests import read_interests, topic_names
from .probabilities import _arc_text

__all__ = ["Mixture", "TopicProbabilities"]

#: Share of every topic in an item: by name of the topic, or in the order of the topics.
Mixture = Mapping[str, float] | Sequence[float]
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, repr=False, eq=False)
class TopicProbabilities:
    """For every arc of a graph, the probability that content about one topic passes it.

    Build them with `from_interests`, `from_pandas` or `from_arrays`. An item is a mixture of topics; it passes the arc
    u -> v with p(u, v) = sum over topics z of mixture(z) p(u, v, z) (Barbieri, Bonchi and Manco 2012).

    Attributes
    ----------
    graph : FollowerGraph
        Whose arcs these are.
    names : tuple of str
        Topics.
    values : ndarray of float32, shape (n_edges, n_topics)
        In the order of ``graph.csr.indices``, from 0 to 1; 4 bytes an arc and topic.
    rule : str
        Where they come from.
    provenance : dict

    See Also
    --------
    models.TopicIC, models.TopicLT, graph.generate_interests

    References
    ----------
    - Barbieri, N., Bonchi, F. and Manco, G. (2012). Topic-aware social influence propagation models. ICDM 2012, 81-90.
      doi:10.1109/ICDM.2012.122

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0], [1, 2], edges_mean="influences", directed=True)
    >>> interests = {"sport": [0, 1, 0], "food": [1, 0, 1]}  # user 1 likes sport, user 2 food
    >>> topics = TopicProbabilities.from_interests(g, interests, base=0.5)
    >>> topics.mix({"sport": 1}).to_pandas()["probability"].tolist()
    [0.5, 0.0]
    >>> topics.mix({"sport": 0.5, "food": 0.5}).to_pandas()["probability"].tolist()
    [0.25, 0.25]
    """

    graph: FollowerGraph
    names: tuple[str, ...]
    values: NDArray[np.float32]
    rule: str = "arrays"

    def __post_init__(self) -> None:
        # Columns lie together: a mixture reads only the topics that are in it.
        object.__setattr__(self, "values", read_only(np.asfortranarray(self.values, np.float32)))

    @classmethod
    def from_arrays(
        cls, graph: FollowerGraph, values: Any, *, topics: Sequence[str] | None = None, rule: str = "arrays"
    ) -> TopicProbabilities:
        """Take probabilities in the order of the rows of ``graph.to_pandas()``: by source, then target.

        Parameters
        ----------
        graph : FollowerGraph
        values : array-like of float in [0, 1], shape (n_edges, n_topics)
            In the order of ``graph.to_pandas()``, which need not be that of the rows the graph was built from; `from_pandas`
            takes a table that names both ends.
        topics : sequence of str, optional
            Names of the topics; default ``"topic 0"``, ...
        rule : str
            Where they come from, for tables.

        Returns
        -------
        TopicProbabilities

        Raises
        ------
        InputError
            Another shape, a number outside [0, 1], or repeated names.
        """
        check_graph(graph)
        try:
            array = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            raise InputError("values are no numbers: give an array of probabilities, one row an arc") from None
        if array.ndim != 2 or array.shape[0] != graph.n_edges or not array.shape[1]:
            raise InputError(
                f"values has shape {array.shape}: give one row for each of the {graph.n_edges:,} arcs, in the order of "
                "graph.to_pandas(), and one column a topic"
            )
        names = topic_names(array.shape[1] if topics is None else topics)
        if len(names) != array.shape[1]:
            raise InputError(f"topics has {len(names):,} names for {array.shape[1]:,} columns: give one for each")
        in_arcs = np.empty_like(array)
        in_arcs[arc_order(graph)] = array
        return cls._checked(graph, in_arcs, names, rule)

    @classmethod
    def _checked(
        cls, graph: FollowerGraph, array: NDArray[np.float64], names: tuple[str, ...], rule: str
    ) -> TopicProbabilities:
        """Values in the order of the arcs, each a probability."""
        bad = ~((array >= 0) & (array <= 1))
        if bad.any():
            arc, z = (int(at) for at in np.argwhere(bad)[0])
            raise InputError(
                f"{_arc_text(graph, arc)} has {array[arc, z]:g} for the topic {names[z]!r}: give probabilities from 0 to 1"
            )
        return cls(graph, names, array.astype(np.float32), rule)

    @classmethod
    def from_interests(
        cls, graph: FollowerGraph, interests: Any, *, base: float | None = None, scale: float = 1.0
    ) -> TopicProbabilities:
        """Multiply the probability of every arc by the interest of its follower in each topic.

        p(u, v, z) = scale * p(u, v) * interest of v in z, where the interests of a user sum to 1. This is a rule of this
        package and not a measurement: users react to a topic by their interest in it, whoever it comes from.

        Parameters
        ----------
        graph : FollowerGraph
        interests : DataFrame, mapping of topic to values, or array-like, shape (n_nodes, n_topics)
            A DataFrame has one row a user, by label (users beyond the graph are left out), and one column a topic. Other
            values stand in the order of ``graph.nodes``. Numbers from 0; every row is divided by its sum.
        base : float in [0, 1], optional
            p(u, v) of every arc; default the probabilities of the graph.
        scale : float > 0
            With 1 an arc keeps its base probability for a user whose only interest is the item's only topic. With the
            number of topics it keeps it for an item of all topics in equal shares. No product may exceed 1.

        Returns
        -------
        TopicProbabilities

        Raises
        ------
        InputError
            A user without interests, negative ones, no base probabilities, or a probability above 1.

        Notes
        -----
        For an item with the mixture gamma an arc has scale * p(u, v) * sum over z of gamma(z) * interest of v in z.
        Weights of the linear threshold model that sum to at most 1 at every node still do with ``scale=1``.
        """
        check_graph(graph)
        number(scale, "scale", above=0)
        names, table = read_interests(graph, interests)
        if base is None:
            if graph.probabilities is None:
                raise InputError(
                    "the graph has no propagation probabilities to multiply with interests: give base=, or a graph with "
                    "with_probabilities(...)"
                )
            p = graph.probabilities.values.astype(np.float64)
            rule = graph.probabilities.label
        else:
            p, rule = np.array([probability(base, "base")]), f"base={base:g}"
        by_node = table[graph.index.order]
        values = np.empty((graph.n_edges, len(names)), np.float32, order="F")
        for z in range(len(names)):
            column = scale * p * by_node[graph.csr.indices, z]
            if column.size and column.max() > 1 + 1e-9:
                arc = int(column.argmax())
                raise InputError(
                    f"scale={scale:g} gives {_arc_text(graph, arc)} the probability {column[arc]:.4g} for the topic "
                    f"{names[z]!r}: probabilities are at most 1, so give a smaller scale"
                )
            values[:, z] = np.minimum(column, 1.0)
        text = f"interests, {rule}" + ("" if scale == 1 else f", scale={scale:g}")
        return cls(graph, names, values, text)

    @classmethod
    def from_pandas(
        cls,
        graph: FollowerGraph,
        table: Any,
        *,
        source: Any = "source",
        target: Any = "target",
        topics: Sequence[str] | None = None,
        missing: float | None = None,
    ) -> TopicProbabilities:
        """Take probabilities from a table with one row an arc and one column a topic.

        Parameters
        ----------
        graph : FollowerGraph
        table : DataFrame or table
            pandas, polars, pyarrow, or anything with named columns.
        source, target : column names
            Ends of every arc in the direction of influence, as ``graph.to_pandas()`` gives them.
        topics : sequence of str, optional
            Columns to take; default all others whose names are texts.
        missing : float in [0, 1], optional
            Probability, for all topics, of arcs that the table does not name; default: all must be named.

        Returns
        -------
        TopicProbabilities

        Raises
        ------
        InputError
            An arc that is named twice or not at all, or a number outside [0, 1].
        NotFoundError
            A row that is no arc of the graph, or an unknown label or column.
        """
        check_graph(graph)
        if topics is None:
            every = getattr(table, "column_names", None) or getattr(table, "columns", None)
            every = list(table if every is None else every)
            topics = [name for name in every if name not in (source, target, "probability", "weight", "time")]
        names = topic_names(list(topics))
        roles = {"source": source, "target": target} | {f"topic {name}": name for name in names}
        columns = table_columns(table, roles, what="table", instead="TopicProbabilities.from_arrays(graph, values)")
        u, v = (graph.index.internal(_listed(columns[role])).astype(np.int64) for role in ("source", "target"))
        keys = graph.csr.sources * graph.n_nodes + graph.csr.indices
        asked = u * graph.n_nodes + v
        at = np.searchsorted(keys, asked)
        known = at < keys.size
        known[known] = keys[at[known]] == asked[known]
        if not known.all():
            row = int((~known).argmax())
            a, b = graph.index.labels_of(np.array([u[row], v[row]])).tolist()
            back = np.isin(v * graph.n_nodes + u, keys).mean()
            turned = "; most rows are arcs the other way round: exchange source= and target=" if back > 0.5 else ""
            raise NotFoundError(f"row {row} of the table, {a!r} -> {b!r}, is no arc of the graph{turned}")
        times = np.bincount(at, minlength=graph.n_edges)
        if (times > 1).any():
            raise InputError(
                f"{_arc_text(graph, int(times.argmax()))} has {times.max()} rows in the table: give it one"
            )
        if (times == 0).any() and missing is None:
            raise InputError(
                f"{_arc_text(graph, int(times.argmin()))} and {int((times == 0).sum()) - 1:,} others are not in the table: "
                "give missing=, the probability of such arcs"
            )
        values = np.full((graph.n_edges, len(names)), 0.0 if missing is None else probability(missing, "missing"))
        for z, name in enumerate(names):
            values[at, z] = _numbers(columns[f"topic {name}"], name)
        return cls._checked(graph, values, names, "columns")

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def n_topics(self) -> int:
        """Number of topics."""
        return len(self.names)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the graph's arcs and all probabilities."""
        digest = hashlib.blake2b(_bare(self.graph).fingerprint.encode(), digest_size=16)
        digest.update("\x1f".join(self.names).encode())
        digest.update(self.values.T.data)
        return digest.hexdigest()

    @property
    def provenance(self) -> dict[str, Any]:
        """What they are and where they come from."""
        facts: dict[str, Any] = {"rule": self.rule, "topics": list(self.names), "graph": _bare(self.graph).fingerprint}
        return provenance("TopicProbabilities", probabilities=self.fingerprint, **facts)

    def __eq__(self, other: object) -> bool:
        same = type(other) is TopicProbabilities and (self is other or self.fingerprint == other.fingerprint)
        return same if type(other) is TopicProbabilities else NotImplemented

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[Any, ...]:  # pickled arrays come back writeable
        return type(self), (self.graph, self.names, self.values, self.rule)

    def shares(self, mixture: Mixture) -> tuple[float, ...]:
        """Check a mixture of topics.

        Parameters
        ----------
        mixture : mapping of topic to float, or sequence of float
            Shares from 0 to 1 that sum to 1; topics left out of a mapping have the share 0.

        Returns
        -------
        tuple of float
            Share of every topic.

        Raises
        ------
        InputError
            A share outside [0, 1], a wrong number of shares, or shares that do not sum to 1.
        NotFoundError
            A topic that there is not.
        """
        example = f"mixture={{{self.names[0]!r}: 1.0}}"
        if isinstance(mixture, Mapping):
            for name in mixture:
                if name not in self.names:
                    raise NotFoundError(
                        f"the topic {name!r} is unknown: choose {', '.join(map(repr, self.names))}."
                        + did_you_mean(name, self.names)
                    )
            found = [mixture.get(name, 0.0) for name in self.names]
        elif isinstance(mixture, str) or not isinstance(mixture, Iterable):
            raise InputError(f"mixture={mixture!r} is no mixture of topics: give shares, such as {example}")
        else:
            found = list(mixture)
            if len(found) != self.n_topics:
                raise InputError(
                    f"mixture has {len(found):,} shares for {self.n_topics:,} topics: give one for each, or by name, such "
                    f"as {example}"
                )
        for name, share in zip(self.names, found, strict=True):
            if not (is_number(share) and 0 <= share <= 1):
                raise InputError(f"the share of {name!r} in the mixture is {share!r}: give numbers from 0 to 1")
        total = float(sum(found))
        if abs(total - 1) > SUM_TOLERANCE:
            raise InputError(f"the shares of the mixture sum to {total:.7g}: give shares that sum to 1")
        return tuple(map(float, found))

    def mix(self, mixture: Mixture, graph: FollowerGraph | None = None) -> FollowerGraph:
        """Return the graph with the probabilities of an item, p(u, v) = sum over z of mixture(z) p(u, v, z).

        Parameters
        ----------
        mixture : mapping of topic to float, or sequence of float
            See `shares`.
        graph : FollowerGraph, optional
            A graph on the same arcs, whose node attributes the result has; default the one they were made for.

        Returns
        -------
        FollowerGraph
            With the rule "topics"; the arrays of a mixture are computed once.

        Raises
        ------
        InputError
            A bad mixture, or a graph with other arcs.
        NotFoundError
            A topic that there is not.
        """
        graph = self.graph if graph is None else graph
        refusal = self.refuses(graph)
        if refusal:
            raise InputError(refusal)
        shares = self.shares(mixture)
        mixed = graph.cached(("topics", self.fingerprint, shares), lambda: self._mixed(shares))
        return replace(graph, probabilities=mixed)

    def _mixed(self, shares: tuple[float, ...]) -> Probabilities:
        total = np.zeros(len(self.values))
        for share, column in zip(shares, self.values.T, strict=True):
            if share:
                total += share * column.astype(np.float64)
        named = {name: share for name, share in zip(self.names, shares, strict=True) if share}
        return Probabilities(np.minimum(total, 1.0).astype(np.float32), "topics", named)

    def refuses(self, graph: FollowerGraph) -> str:
        """Return why a graph cannot take these probabilities; empty: its arcs are those they were made for.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        str
        """
        check_graph(graph)
        if graph.csr is self.graph.csr or _bare(graph).fingerprint == _bare(self.graph).fingerprint:
            return ""
        return (
            f"the probabilities by topic were made for a graph of {self.graph.n_nodes:,} nodes and {self.graph.n_edges:,} "
            f"arcs, and this one has {graph.n_nodes:,} and {graph.n_edges:,}, or the same number of others: make them for "
            "this graph"
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an arc, in the order of ``graph.to_pandas()``: source, target and one column a topic."""
        index, csr, by = self.graph.index, self.graph.csr, arc_order(self.graph)
        ends = {"source": index.labels_of(csr.sources[by]), "target": index.labels_of(csr.indices[by])}
        return pd.DataFrame(ends | {name: self.values[by, z] for z, name in enumerate(self.names)})

    def by_topic(self) -> pd.DataFrame:
        """Return one row a topic: mean probability of its arcs, the largest one, and arcs that it can pass."""
        return pd.DataFrame(
            {
                "topic": list(self.names),
                "mean": self.values.mean(axis=0, dtype=np.float64) if len(self.values) else np.nan,
                "max": self.values.max(axis=0) if len(self.values) else np.nan,
                "arcs": (self.values > 0).sum(axis=0),
            }
        )

    def __repr__(self) -> str:
        names = ", ".join(self.names[:5]) + (", ..." if self.n_topics > 5 else "")
        plural = "" if self.n_topics == 1 else "s"
        return f"TopicProbabilities: {len(self.values):,} arcs, {self.n_topics} topic{plural} ({names}); {self.rule}"

    def _repr_html_(self) -> str:
        return card(repr(self), table(self.by_topic()))


def _bare(graph: FollowerGraph) -> FollowerGraph:
    return replace(graph, probabilities=None)


def _listed(column: Any) -> Any:
    return column if isinstance(column, pd.Series) else pd.Series(column.to_pylist())


def _numbers(column: Any, name: str) -> NDArray[np.float64]:
    try:
        return np.asarray(_listed(column), np.float64)
    except (TypeError, ValueError):
        raise InputError(f"the column {name!r} holds something that is no number: give probabilities") from None
