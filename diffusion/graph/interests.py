"""Interests of users in topics: drawn around the topics of their communities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._random import RNGLike, generator, key_of
from .._validation import number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from .follower_graph import FollowerGraph, check_graph

__all__ = ["generate_interests", "read_interests", "topic_names"]


def generate_interests(
    graph: FollowerGraph,
    topics: int | list[str] | tuple[str, ...] = 10,
    *,
    concentration: float = 2.0,
    focus: float = 0.8,
    by: str | None = "community",
    rng: RNGLike = None,
) -> pd.DataFrame:
    """Draw an interest vector for every user, from a Dirichlet distribution around the topic of their community.

    Parameters
    ----------
    graph : FollowerGraph
    topics : int or sequence of str
        Number of topics from 1, called ``"topic 0"``, ...; or their names.
    concentration : float > 0
        Sum of the parameters of the Dirichlet distribution: small values give users with one interest, large ones users
        who are all alike.
    focus : float in [0, 1]
        Share of the expected interest that goes to the topic of the community before the rest is spread evenly over all
        topics; 0: communities do not matter.
    by : str or None
        Node attribute that names the community of every user. The communities, sorted, take the topics in turn. None:
        all users are alike, as with ``focus=0``.
    rng : int, Generator or None

    Returns
    -------
    DataFrame
        One row a user, indexed by label in the order of ``graph.nodes``; one column a topic. Rows sum to 1.

    Raises
    ------
    InputError
        A value out of range, or a user without a community.
    NotFoundError
        No such node attribute.

    See Also
    --------
    graph.TopicProbabilities, generate_platform

    Notes
    -----
    A generator of this package, for examples and tests: it rests on no data. The expected interest of a user in topic z
    is focus [z is the topic of the community] + (1 - focus) / (number of topics).

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(1000, communities=4, rng=7)
    >>> interests = dif.graph.generate_interests(g, ["food", "travel", "sport", "books"], rng=7)
    >>> interests.shape, interests.groupby(g.node_data["community"].to_numpy()).mean().idxmax(axis=1).tolist()
    ((1000, 4), ['food', 'travel', 'sport', 'books'])
    """
    check_graph(graph)
    names = topic_names(topics)
    number(concentration, "concentration", above=0)
    number(focus, "focus", least=0, most=1)
    code = np.zeros(graph.n_nodes, np.int64)
    if by is None:
        focus = 0.0
    else:
        if by not in graph.attributes:
            known = list(graph.attributes)
            listed = ", ".join(map(repr, known)) or "none"
            raise NotFoundError(
                f"by={by!r} is no node attribute of the graph; it has {listed}: name one, or give by=None."
                + did_you_mean(by, known)
            )
        code, _ = pd.factorize(pd.Series(graph.attributes[by]), sort=True)
        if (code < 0).any():
            label = graph.nodes[[int((code < 0).argmax())]].tolist()[0]
            raise InputError(f"the node {label!r} has no {by}: give every node one, or by=None")
    draw = generator(key_of(rng))
    drawn = np.empty((graph.n_nodes, len(names)))
    for group in range(int(code.max()) + 1):
        alpha = np.full(len(names), (1.0 - focus) / len(names))
        alpha[group % len(names)] += focus
        members = np.flatnonzero(code == group)
        alpha = concentration * alpha
        some = alpha > 0  # a parameter of 0 means no interest at all
        part = np.zeros((members.size, len(names)))
        part[:, some] = draw.dirichlet(alpha[some], members.size)
        drawn[members] = part
    return pd.DataFrame(drawn, index=graph.nodes, columns=list(names))


def topic_names(topics: object) -> tuple[str, ...]:
    """Return names of topics, from a number of them or from a list of distinct texts."""
    if isinstance(topics, int | np.integer) and not isinstance(topics, bool):
        return tuple(f"topic {z}" for z in range(whole(topics, "topics")))
    if not isinstance(topics, list | tuple | pd.Index) or not len(topics):
        raise InputError(f"topics={topics!r} are no topics: give their number, or a list of their names")
    names = tuple(topics)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise InputError(f"topics={list(names)!r} are no names: give a list of distinct texts")
    return names


def read_interests(graph: FollowerGraph, given: Any) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Names of the topics, and rows that sum to 1 in the order of the nodes."""
    n = graph.n_nodes
    names: Any = None
    if isinstance(given, pd.DataFrame):
        if not given.index.is_unique:
            twice = given.index[given.index.duplicated()].tolist()[0]
            raise InputError(f"interests has more than one row for the node {twice!r}: give one for each node")
        at = given.index.get_indexer(graph.nodes)
        if (at < 0).any():
            label = graph.nodes[[int((at < 0).argmax())]].tolist()[0]
            raise InputError(
                f"interests has no row for {int((at < 0).sum()):,} of {n:,} nodes, such as {label!r}: its index holds the "
                "labels of the nodes"
            )
        names, given = [str(name) for name in given.columns], given.iloc[at].to_numpy()
    elif isinstance(given, Mapping):
        names, columns = list(given), [np.asarray(column) for column in given.values()]
        wrong = [(name, column.shape) for name, column in zip(names, columns, strict=True) if column.shape != (n,)]
        if wrong:
            raise InputError(
                f"interests[{wrong[0][0]!r}] has shape {wrong[0][1]} for {n:,} nodes: give one value for each"
            )
        given = np.column_stack(columns) if columns else np.empty((n, 0))
    try:
        table = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise InputError("interests hold something that is no number: give numbers from 0") from None
    if table.ndim != 2 or table.shape[0] != n or not table.shape[1]:
        raise InputError(
            f"interests has shape {table.shape} for {n:,} nodes: give one row a node and one column a topic"
        )
    total = table.sum(axis=1)
    bad = ~(np.isfinite(table) & (table >= 0)).all(axis=1) | ~(total > 0) | ~np.isfinite(total)
    if bad.any():
        label = graph.nodes[[int(bad.argmax())]].tolist()[0]
        raise InputError(f"the interests of the node {label!r} are no finite numbers from 0 with a positive sum")
    return topic_names(table.shape[1] if names is None else names), table / total[:, None]
