"""Action logs: who adopted what, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._columns import table_columns
from .._upward import draw
from .._validation import level
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_static
from ..results.cascade import Cascade
from .log_columns import coded, plain, repeated_rows, row_text, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .._random import RNGLike

__all__ = ["ActionLog", "check_log"]


@dataclass(frozen=True, repr=False, eq=False)
class ActionLog:
    """A log of adoptions: which user adopted which item, and when.

    Build one with `from_pandas` (pandas, polars, pyarrow), `from_arrays`, `from_cascades`, `read_actions` or
    `read_cascades`. It never changes.

    Attributes
    ----------
    items, users : Index
        Labels of the items and of the users that adopt any.
    indptr : ndarray of int64, shape (n_items + 1,)
        Adoptions of item i: ``indptr[i]`` to ``indptr[i + 1]``, in order of time.
    user : ndarray of int32, shape (n_adoptions,)
        Position in `users`.
    time : ndarray of float64, shape (n_adoptions,)
        In the unit of the log; dates count seconds from 1970 on, and durations seconds.
    dropped : dict of str to int
        Rows that were left out, by reason.
    dates : bool
        Whether times were given as dates.

    See Also
    --------
    inference.read_actions, inference.read_cascades, inference.fit_probabilities

    Examples
    --------
    >>> log = ActionLog.from_arrays(["film"] * 3 + ["book"] * 2, ["ann", "bob", "eve", "eve", "ann"], [0, 3, 5, 0, 9])
    >>> log
    ActionLog: 5 adoptions of 2 items by 3 users; cascades from 2 to 3, median 2.5
    >>> log.sizes.to_dict()
    {'book': 2, 'film': 3}
    """

    items: pd.Index[Any]
    users: pd.Index[Any]
    indptr: NDArray[np.int64]
    user: NDArray[np.int32]
    time: NDArray[np.float64]
    dropped: dict[str, int] = field(default_factory=dict)
    dates: bool = False

    # -- constructors ----------------------------------------------------------------------------------------------

    @classmethod
    def from_arrays(cls, item: Any, user: Any, time: Any, *, repeated: str = "first") -> ActionLog:
        """Build a log from three columns, one adoption a row, in any order.

        Parameters
        ----------
        item, user : array-like, shape (n_rows,)
            Labels: numbers or text.
        time : array-like, shape (n_rows,)
            Numbers, dates, or text that reads as dates in ISO 8601.
        repeated : {"first", "error"}
            Where a user adopts an item again: the first adoption counts and the others are counted in `dropped`, or
            that is an error.

        Returns
        -------
        ActionLog

        Raises
        ------
        InputError
            Columns of unequal length, no row, a missing label, a time that is no number or date, or repeated adoptions
            where they are refused.
        """
        if repeated not in ("first", "error"):
            raise NotFoundError(
                f"repeated={repeated!r} is unknown: give 'first' or 'error'"
                + did_you_mean(repeated, ("first", "error"))
            )
        columns = {"item": pd.Series(plain(item)), "user": pd.Series(plain(user)), "time": pd.Series(plain(time))}
        sizes = {name: len(column) for name, column in columns.items()}
        if len(set(sizes.values())) > 1:
            shown = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
            raise InputError(f"the columns have unequal lengths ({shown}): give one value of each for every adoption")
        if not len(columns["item"]):
            raise InputError("the log is empty: give at least one adoption (item, user, time)")
        for name in ("item", "user"):
            missing = columns[name].isna().to_numpy()
            if missing.any():
                at = int(missing.argmax())
                raise InputError(
                    f"{int(missing.sum()):,} rows have no {name} (first: row {at}, {row_text(columns, at)}): drop them or "
                    "fill them in"
                )
        when, dates = times(columns)
        item_code, items = coded(columns["item"], "item")
        user_code, users = coded(columns["user"], "user")
        order = np.lexsort((user_code, when, item_code))
        item_code, user_code, when = item_code[order], user_code[order], when[order]
        again = repeated_rows(item_code, user_code)
        if again.any() and repeated == "error":
            at = int(order[int(again.argmax())])
            raise InputError(
                f"{int(again.sum()):,} rows adopt an item that the user had adopted already (an example: row {at}, "
                f"{row_text(columns, at)}): drop them, or say repeated='first' to keep the first adoption"
            )
        keep = ~again
        counts = np.bincount(item_code[keep], minlength=len(items))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        dropped = {"repeated adoptions": int(again.sum())} if again.any() else {}
        return cls(items, users, indptr, user_code[keep].astype(np.int32), when[keep], dropped, dates)

    @classmethod
    def from_pandas(
        cls, table: Any, *, item: Any = "item", user: Any = "user", time: Any = "time", repeated: str = "first"
    ) -> ActionLog:
        """Build a log from a table with one adoption a row: pandas, polars, pyarrow, or a mapping of columns.

        Parameters
        ----------
        table : DataFrame or table
        item, user, time : column names
        repeated : {"first", "error"}
            As in `from_arrays`.

        Returns
        -------
        ActionLog

        Raises
        ------
        NotFoundError
            No such column.
        InputError
            See `from_arrays`.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"item": ["a", "a"], "user": [1, 2], "time": ["2024-05-01", "2024-05-02"]})
        >>> ActionLog.from_pandas(table).time.tolist()
        [1714521600.0, 1714608000.0]
        """
        columns = table_columns(
            table,
            {"item": item, "user": user, "time": time},
            what="table",
            instead="ActionLog.from_arrays(item, user, time)",
        )
        return cls.from_arrays(*columns.values(), repeated=repeated)

    from_table = from_pandas

    @classmethod
    def from_cascades(cls, cascades: Iterable[Cascade] | Mapping[Any, Cascade]) -> ActionLog:
        """Build a log from simulated cascades: one item each, with steps as times.

        Parameters
        ----------
        cascades : iterable of Cascade, or mapping of item to Cascade

        Returns
        -------
        ActionLog

        Examples
        --------
        >>> from diffusion.results import Cascade
        >>> ActionLog.from_cascades([Cascade.from_parents("ab", [None, "a"])]).to_pandas()["time"].tolist()
        [0.0, 1.0]
        """
        pairs = list(cascades.items()) if isinstance(cascades, Mapping) else list(enumerate(cascades))
        wrong = next((c for _, c in pairs if not isinstance(c, Cascade)), None)
        if wrong is not None:
            raise InputError(f"a {type(wrong).__name__} is no cascade: give those of simulate_one or Ensemble.replay")
        sizes = [c.size for _, c in pairs]
        if not sum(sizes):
            raise InputError("no cascade with a node was given: give at least one")
        item = np.repeat(np.arange(len(pairs)), sizes)
        labels = pd.Index([name for name, _ in pairs], tupleize_cols=False)
        user = np.concatenate([np.asarray(c.nodes) for _, c in pairs])
        return cls.from_arrays(labels.take(item), user, np.concatenate([c.step for _, c in pairs]), repeated="error")

    # -- what it is ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self.user.size

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.items)

    @property
    def n_users(self) -> int:
        """Number of users that adopt anything."""
        return len(self.users)

    @property
    def sizes(self) -> pd.Series[Any]:
        """Adoptions of each item."""
        return pd.Series(np.diff(self.indptr), index=self.items, name="size")

    @property
    def activity(self) -> pd.Series[Any]:
        """Items that each user adopted."""
        return pd.Series(
            np.bincount(self.user, minlength=self.n_users).astype(np.int64), index=self.users, name="activity"
        )

    @property
    def item(self) -> NDArray[np.int64]:
        """Position in `items` of every adoption."""
        return np.repeat(np.arange(self.n_items), np.diff(self.indptr))

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an adoption: item, user, time, by item in order of time."""
        when = pd.to_datetime(self.time, unit="s") if self.dates else self.time
        return pd.DataFrame({"item": self.items.take(self.item), "user": self.users.take(self.user), "time": when})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot which share of the items has at least so many adopters."""
        return draw("log", self, ax)

    def __repr__(self) -> str:
        sizes = self.sizes
        text = (
            f"ActionLog: {len(self):,} adoptions of {self.n_items:,} item{'s' * (self.n_items != 1)} by "
            f"{self.n_users:,} user{'s' * (self.n_users != 1)}; cascades from {sizes.min():,} to {sizes.max():,}, "
            f"median {sizes.median():g}"
        )
        left_out = "; ".join(f"{count:,} {reason} left out" for reason, count in self.dropped.items())
        return text + (f"; {left_out}" if left_out else "")

    # -- parts -----------------------------------------------------------------------------------------------------

    def select(self, items: Any) -> ActionLog:
        """Return the log of some items.

        Parameters
        ----------
        items : array-like of labels

        Returns
        -------
        ActionLog
            Its items in the order of this log.
        """
        if isinstance(items, str | bytes) or not isinstance(items, Iterable):
            raise InputError(f"items={items!r} is no list of labels: give such as [{items!r}]")
        labels = pd.Index(list(items), tupleize_cols=False)
        if not len(labels):
            raise InputError("no item was given: give at least one")
        at = np.asarray(self.items.get_indexer(labels))
        if (at < 0).any():
            raise NotFoundError(f"the item {labels[int((at < 0).argmax())]!r} is not in the log of {self.n_items:,}")
        return self._of(np.sort(at))

    def _of(self, at: NDArray[Any]) -> ActionLog:
        return self._kept(np.isin(self.item, at), at, self.dropped)

    def _kept(self, keep: NDArray[np.bool_], items: NDArray[Any], dropped: dict[str, int]) -> ActionLog:
        """The log of some adoptions, all of these items and at least one of each."""
        sizes = np.bincount(self.item[keep], minlength=self.n_items)[items]
        users, user = np.unique(self.user[keep], return_inverse=True)
        return replace(
            self,
            items=self.items.take(items),
            users=self.users.take(users),
            indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            user=user.astype(np.int32),
            time=self.time[keep],
            dropped=dropped,
        )

    def until(self, ends: Any) -> ActionLog:
        """Return the log without the adoptions that come after an end of observation.

        Parameters
        ----------
        ends : float, date or array-like, shape (n_items,)
            Of all items, or of each.

        Returns
        -------
        ActionLog
            Adoptions left out are counted in `dropped`; items that lose all of them go, too.

        Raises
        ------
        InputError
            Nothing is left.

        Examples
        --------
        >>> log = ActionLog.from_arrays(["a", "a", "b"], ["ann", "bob", "bob"], [0, 5, 7])
        >>> log.until([4, 9])
        ActionLog: 2 adoptions of 2 items by 2 users; cascades from 1 to 1, median 1; 1 adoptions after the end left out
        """
        try:
            if self.dates and not np.issubdtype(np.asarray(ends).dtype, np.number):
                ends = (pd.to_datetime(np.atleast_1d(ends)) - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
            last = np.broadcast_to(np.asarray(ends, np.float64), self.n_items)
        except (TypeError, ValueError):
            last = np.full(self.n_items, np.nan)
        if np.isnan(last).any():
            kind = "a number" if not self.dates else "a date"
            raise InputError(
                f"ends={ends!r} is no end of observation: give {kind}, or one for each of {self.n_items:,} items"
            )
        keep = self.time <= last[self.item]
        if keep.all():
            return self
        if not keep.any():
            raise InputError(f"all {keep.size:,} adoptions come after the end of observation: give a later one")
        left = np.flatnonzero(np.bincount(self.item[keep], minlength=self.n_items))
        dropped = self.dropped | {"adoptions after the end": int((~keep).sum())}
        if left.size < self.n_items:
            dropped["items that begin after the end"] = self.n_items - left.size
        return self._kept(keep, left, dropped)

    def split(self, share: float = 0.8) -> tuple[ActionLog, ActionLog]:
        """Split the items by the time of their first adoption: the earliest `share`, and the rest.

        Parameters
        ----------
        share : float in (0, 1)
            Of the items; at least one item goes to each side.

        Returns
        -------
        train, test : ActionLog
            Whole cascades: no adoption of a later item is known to the first log, but cascades may overlap in time.

        Raises
        ------
        InputError
            A log of one item.

        Examples
        --------
        >>> log = ActionLog.from_arrays(["new", "old"], ["ann", "ann"], [9, 1])
        >>> [part.items.tolist() for part in log.split(0.5)]
        [['old'], ['new']]
        """
        share = level(share, "share")
        if self.n_items < 2:
            raise InputError("the log holds one item: a split needs at least two, one for each side")
        first = self.time[self.indptr[:-1]]
        order = np.argsort(first, kind="stable")
        cut = min(max(round(share * self.n_items), 1), self.n_items - 1)
        return self._of(np.sort(order[:cut])), self._of(np.sort(order[cut:]))

    def on(self, graph: FollowerGraph, *, unknown: str = "drop") -> ActionLog:
        """Return the log of the users that are nodes of a graph.

        Parameters
        ----------
        graph : FollowerGraph
        unknown : {"drop", "error"}
            Adoptions by others are left out and counted in `dropped`, or they are an error.

        Returns
        -------
        ActionLog
            Items that lose all their adoptions go, too.

        Raises
        ------
        InputError
            Unknown users where they are refused, or a log of which nothing is left.
        """
        check_static(graph)
        if unknown not in ("drop", "error"):
            raise NotFoundError(f"unknown={unknown!r} is not known: give 'drop' or 'error'")
        there = self.positions(graph) >= 0
        keep = there[self.user]
        if keep.all():
            return self
        at = int((~keep).argmax())
        label = self.users.take([int(self.user[at])]).tolist()[0]
        example = f"user {label!r} adopts {self.items.take([int(self.item[at])]).tolist()[0]!r}"
        lost = (
            f"{int((~keep).sum()):,} of {keep.size:,} adoptions, by {int((~there).sum()):,} users, are not in the graph"
        )
        if unknown == "error":
            raise InputError(
                f"{lost} (first: {example}): say unknown='drop' to leave them out, or add nodes= to the graph"
            )
        if not keep.any():
            kinds = f"users look like {label!r}, nodes like {graph.nodes[:1].tolist()[0]!r}"
            raise InputError(f"no adoption of the log is by a node of the graph ({kinds}): check the labels")
        sizes = np.bincount(self.item[keep], minlength=self.n_items)
        left = np.flatnonzero(sizes)
        dropped = self.dropped | {"adoptions by users outside the graph": int((~keep).sum())}
        if left.size < self.n_items:
            dropped["items without a user in the graph"] = self.n_items - left.size
        return self._kept(keep, left, dropped)

    def positions(self, graph: FollowerGraph) -> NDArray[np.int32]:
        """Return the internal node of every user, -1 for users that are no nodes."""
        _, at = graph.index.find(self.users)
        return np.where(at >= 0, graph.index.rank[at], -1).astype(np.int32)

    def cascades(
        self, graph: FollowerGraph, *, parents: str = "first", unknown: str = "drop", rng: RNGLike = None
    ) -> dict[Any, Cascade]:
        """Return the observed cascades as forests on a graph, by item.

        Parameters
        ----------
        graph : FollowerGraph
        parents : {"first", "last", "random"}
            Which of the followed users that adopted before stands for the parent: the first, the last, or one drawn
            fairly. Where several adopted at that time, the first in the order of the graph's nodes.
        unknown : {"drop", "error"}
            As in `on`.
        rng : int, Generator or None
            For ``parents="random"``.

        Returns
        -------
        dict of item to Cascade
            With depths as steps. A user none of whose followed users adopted before is a root.

        See Also
        --------
        inference.observed_parents, simulation.cascade_statistics, structural_virality

        Examples
        --------
        >>> import diffusion as dif
        >>> g = dif.FollowerGraph.from_arrays(list("aab"), list("bcc"), edges_mean="influences", directed=True)
        >>> log = ActionLog.from_arrays(["x"] * 3, list("abc"), [0, 1, 2])
        >>> [log.cascades(g, parents=rule)["x"].depth for rule in ("first", "last")]
        [1, 2]
        """
        from .forests import forests

        return forests(self, graph, parents=parents, unknown=unknown, rng=rng)


def check_log(log: Any) -> None:
    """Refuse what is no action log, and say what to call."""
    if isinstance(log, ActionLog):
        return
    raise InputError(
        f"log has to be an ActionLog, and a {type(log).__name__} was given: build one with ActionLog.from_pandas(table), "
        "ActionLog.from_arrays(item, user, time), read_actions(path) or read_cascades(path)"
    )
