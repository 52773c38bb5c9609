"""Who could have brought whom to adopt: active followed users of every adopter."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from .._random import RNGLike
from .._threads import n_threads
from .._validation import number
from ..errors import NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_static
from .action_log import ActionLog, check_log
from .contacts import graph_log
from .forests import RULES, parent_rows

__all__ = ["observed_parents"]


def observed_parents(
    graph: FollowerGraph,
    log: ActionLog,
    *,
    rule: str = "all",
    window: float | None = None,
    unknown: str = "drop",
    rng: RNGLike = None,
) -> pd.DataFrame:
    """Return the followed users that adopted before each adopter: all of them, or one chosen by a rule.

    Parameters
    ----------
    graph : FollowerGraph
    log : ActionLog
    rule : {"all", "first", "last", "random"}
        All of them; or the one that adopted first, last, or one drawn fairly. Where several adopted at that time, the
        first in the order of ``graph.nodes``.
    window : float, optional
        Longest time between the two adoptions, in the unit of the log (seconds, where it has dates); default any.
    unknown : {"drop", "error"}
        Adoptions by users outside the graph are left out, or they are an error.
    rng : int, Generator or None
        For ``rule="random"``.

    Returns
    -------
    DataFrame
        One row a pair: `item`, `user`, `parent`, `delay`; by item in order of the user's adoption. Adoptions without
        such a user, the roots, have no row. ``attrs["roots"]`` counts them, ``attrs["dropped"]`` what was left out.

    Raises
    ------
    InputError
        Users outside the graph where they are refused, a log of which nothing is left, or a window that is no time.
    NotFoundError
        An unknown rule.

    See Also
    --------
    inference.ActionLog.cascades, simulation.cascade_statistics

    Notes
    -----
    Users who adopt at the same time are no parents of each other. That a followed user adopted before does not show
    that it was the cause.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays(list("aab"), list("bcc"), edges_mean="influences", directed=True)
    >>> log = ActionLog.from_arrays(["x"] * 3, list("abc"), [0, 1, 3])
    >>> observed_parents(g, log).to_numpy().tolist()
    [['x', 'b', 'a', 1.0], ['x', 'c', 'a', 3.0], ['x', 'c', 'b', 2.0]]
    >>> observed_parents(g, log, rule="last")["parent"].tolist()
    ['a', 'b']
    """
    check_static(graph)
    check_log(log)
    if rule != "all" and rule not in RULES:
        known = ("all", *RULES)
        raise NotFoundError(f"rule={rule!r} is unknown: give {', '.join(map(repr, known))}" + did_you_mean(rule, known))
    longest = math.inf if window is None else number(window, "window", above=0)
    log = log.on(graph, unknown=unknown)
    if rule == "all":
        found = graph_log(graph, log, window=longest, threads=n_threads(None))
        row_at = np.argsort(found.rows.place)
        counts = np.diff(found.contacts.indptr)
        user = np.repeat(row_at, counts)
        node = found.rows.node[user]
        source = found.into.sources[found.into.indptr[node] + found.contacts.slot]
        order = np.lexsort((graph.index.order[source], user))
        user, delay = user[order], found.contacts.delay[order]
        parents = graph.index.labels_of(source[order])
    else:
        parent = parent_rows(log, graph, rule, window=longest, rng=rng)
        user = np.flatnonzero(parent >= 0)
        delay = log.time[user] - log.time[parent[user]]
        parents = log.users.take(log.user[parent[user]])
    labels = log.items.take(log.item[user]), log.users.take(log.user[user])
    table = pd.DataFrame({"item": labels[0], "user": labels[1], "parent": parents, "delay": delay})
    table.attrs = {"roots": len(log) - np.unique(user).size, "dropped": dict(log.dropped)}
    return table
