"""Follower graphs whose arcs come and go: contacts at points of time, or follows that begin and end."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._columns import table_columns
from ..errors import InputError
from ._times import Contacts, Follows, arcs_of_rows, as_times, merge_intervals, moment, row_ends
from .follower_graph import FollowerGraph

__all__ = ["TemporalGraph"]


@dataclass(frozen=True, repr=False, eq=False)
class TemporalGraph(FollowerGraph):
    """A follower graph whose arcs come and go: contacts at points of time, or follows with a start and an end.

    Build one with `from_contacts`, `from_follows` or `from_pandas`. It is a `FollowerGraph` on all arcs that were ever
    there, so labels, degrees, attributes and probabilities are those of the graph of all times; `window` and `at` give
    the static graph of some of them. Models that know no time refuse it.

    Attributes
    ----------
    contacts : Contacts or None
        Of a graph of contacts, by arc: ``indptr`` and ``times``.
    follows : Follows or None
        Of a graph of follows, by arc: ``indptr``, ``start`` and ``end``.

    See Also
    --------
    FollowerGraph, models.TemporalSIR, models.TemporalIC

    References
    ----------
    - Holme, P. and Saramäki, J. (2012). Temporal networks. Physics Reports 519(3), 97-125.
      doi:10.1016/j.physrep.2012.03.001

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.graph.TemporalGraph.from_contacts([0, 1, 0], [1, 2, 1], [1.0, 2.0, 5.0], directed=False)
    >>> g.n_edges, g.n_contacts, g.span
    (4, 6, (1.0, 5.0))
    >>> g.window(2, 6).to_pandas().loc[0, ["source", "target", "weight"]].tolist()
    [0.0, 1.0, 1.0]
    """

    contacts: Contacts | None = None
    follows: Follows | None = None

    @classmethod
    def from_contacts(
        cls,
        source: Any,
        target: Any,
        time: Any,
        *,
        directed: bool,
        edges_mean: str | None = None,
        nodes: Iterable[Any] | None = None,
        unit: str | None = None,
        weight: Any = None,
        combine: str | None = None,
    ) -> TemporalGraph:
        """Build a graph from a sequence of contacts.

        Parameters
        ----------
        source, target : array-like, shape (n_rows,)
            Labels of the two ends of every contact.
        time : array-like of float or dates, shape (n_rows,)
            When it was, in any order. The same contact twice counts once.
        directed : bool
            False makes every row a contact both ways.
        edges_mean : {"follows", "influences"}
            As in `FollowerGraph.from_arrays`; needed for directed rows.
        nodes : iterable of labels, optional
            Further nodes.
        unit : {"s", "m", "h", "D"}, optional
            For dates: they become numbers of seconds, minutes, hours or days since 1970.
        weight : array-like of float, shape (n_rows,), optional
            A number for every row, for ``with_probabilities("column")`` and for delays; an arc has one.
        combine : {"sum", "max", "min", "mean", "noisy_or"}, optional
            How the weights of the rows of an arc become one; needed only where they differ.

        Returns
        -------
        TemporalGraph

        Raises
        ------
        InputError
            No rows, columns of unequal length, a time that is missing or not finite, dates without a unit.

        Examples
        --------
        >>> g = TemporalGraph.from_contacts(["a", "b"], ["b", "c"], [3, 1], directed=False)
        >>> g.to_pandas()["time"].tolist()
        [3.0, 3.0, 1.0, 1.0]
        """
        times = as_times(time, "time", unit)
        arcs, arc, row = arcs_of_rows(source, target, len(times), "time", nodes, edges_mean, directed, weight, combine)
        by = np.lexsort((times[row], arc))
        arc, times = arc[by], times[row][by]
        new = np.ones(arc.size, np.bool_)
        new[1:] = (arc[1:] != arc[:-1]) | (times[1:] != times[:-1])
        indptr = row_ends(arc[new], arcs.indices.size)
        arcs = replace(arcs, dropped_parallel=int(arc.size - new.sum()))
        meaning = edges_mean if directed else None
        return cls(arcs, meaning, bool(directed), "collapse", contacts=Contacts(indptr, times[new]))

    @classmethod
    def from_follows(
        cls,
        source: Any,
        target: Any,
        start: Any,
        end: Any = None,
        *,
        directed: bool,
        edges_mean: str | None = None,
        nodes: Iterable[Any] | None = None,
        unit: str | None = None,
        weight: Any = None,
        combine: str | None = None,
    ) -> TemporalGraph:
        """Build a graph from follows that begin and end.

        Parameters
        ----------
        source, target : array-like, shape (n_rows,)
            Labels of the two ends of every follow. A pair may have several rows; intervals that overlap or touch
            become one.
        start : array-like of float or dates, shape (n_rows,)
            The follow holds from then on.
        end : array-like of float or dates, shape (n_rows,), optional
            Until then: at its end it holds no more. Missing or infinite: it still holds; without `end` all do.
        directed, edges_mean, nodes, unit, weight, combine
            As in `from_contacts`.

        Returns
        -------
        TemporalGraph

        Raises
        ------
        InputError
            As in `from_contacts`, and an end that is not after its start.

        Examples
        --------
        >>> g = TemporalGraph.from_follows(["bob"], ["ann"], [2.0], [7.0], directed=True, edges_mean="follows")
        >>> g.at(2.0).n_edges, g.at(7.0).n_edges
        (1, 0)
        """
        starts = as_times(start, "start", unit)
        ends = np.full(len(starts), np.inf) if end is None else as_times(end, "end", unit, open_ended=True)
        if len(ends) != len(starts):
            raise InputError(f"start has {len(starts):,} values and end {len(ends):,}: give one for every row")
        if (ends <= starts).any():
            at = int((ends <= starts).argmax())
            how = f"before start {starts[at]:g}" if ends[at] < starts[at] else "its start too"
            raise InputError(f"end {ends[at]:g} is {how} in row {at}: a follow ends after it began; drop the row")
        arcs, arc, row = arcs_of_rows(
            source, target, len(starts), "start", nodes, edges_mean, directed, weight, combine
        )
        by = np.lexsort((starts[row], arc))
        arc, lows, highs = merge_intervals(arc[by], starts[row][by], ends[row][by])
        arcs = replace(arcs, dropped_parallel=0)
        times = Follows(row_ends(arc, arcs.indices.size), lows, highs)
        return cls(arcs, edges_mean if directed else None, bool(directed), "collapse", follows=times)

    @classmethod
    def from_pandas(  # type: ignore[override]
        cls,
        edges: Any,
        *,
        source: Any = "source",
        target: Any = "target",
        time: Any = None,
        start: Any = None,
        end: Any = None,
        directed: bool,
        edges_mean: str | None = None,
        nodes: Iterable[Any] | None = None,
        unit: str | None = None,
        weight: Any = None,
        combine: str | None = None,
    ) -> TemporalGraph:
        """Build a graph from a table with one contact or one follow a row: pandas, polars, pyarrow.

        Parameters
        ----------
        edges : DataFrame or table
            Anything with named columns.
        source, target : column names
        time : column name
            Of contacts; see `from_contacts`.
        start, end : column names
            Of follows; see `from_follows`.
        weight : column name, optional
        directed, edges_mean, nodes, unit, combine
            As in `from_contacts`.

        Returns
        -------
        TemporalGraph

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"source": [0, 1], "target": [1, 2], "time": [1.0, 2.0]})
        >>> TemporalGraph.from_pandas(table, time="time", directed=True, edges_mean="influences").n_contacts
        2
        """
        if (time is None) == (start is None):
            raise InputError("give time= (the column with the time of every contact), or start= and end= of follows")
        if time is not None and end is not None:
            raise InputError("end= belongs to start=, and contacts have a time= alone: give one of the two")
        names = {"source": source, "target": target, "time": time, "start": start, "end": end, "weight": weight}
        columns = table_columns(edges, names, what="edges", instead="TemporalGraph.from_contacts(source, target, time)")
        given: dict[str, Any] = {
            "directed": directed,
            "edges_mean": edges_mean,
            "nodes": nodes,
            "unit": unit,
            "combine": combine,
        }
        given["weight"], ends = columns["weight"], (columns["source"], columns["target"])
        if time is not None:
            return cls.from_contacts(*ends, columns["time"], **given)
        return cls.from_follows(*ends, columns["start"], columns["end"], **given)

    from_table = from_pandas  # type: ignore[assignment]

    @classmethod
    def from_arrays(cls, *given: Any, **named: Any) -> NoReturn:
        """Refuse edges without times, whichever library they come from.

        Parameters
        ----------
        *given, **named
            Not read.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "a TemporalGraph needs times: TemporalGraph.from_contacts(source, target, time, ...) or from_follows(source, "
            "target, start, end, ...); without them build a FollowerGraph"
        )

    def save(self, path: str | os.PathLike[str]) -> NoReturn:
        """Refuse: files of graphs hold no times; save `to_pandas` instead.

        Parameters
        ----------
        path : path
        """
        column = "time='time'" if self.follows is None else "start='start', end='end'"
        raise InputError(
            f"a TemporalGraph is saved as its table: graph.to_pandas().to_parquet({os.fspath(path)!r}), which "
            f"TemporalGraph.from_pandas(table, {column}, directed=True, edges_mean='influences') reads again"
        )

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def is_temporal(self) -> bool:
        """Do arcs come and go? Here True."""
        return True

    @property
    def n_contacts(self) -> int:
        """Number of contacts, or of intervals of follows; an undirected row counts two."""
        return int(self._indptr[-1])

    @property
    def span(self) -> tuple[float, float]:
        """First and last finite time of a contact, or of the start or end of a follow."""
        return self.cached("span", self._span)

    @property
    def fingerprint(self) -> str:
        """Hash of labels, arcs, times and probabilities."""
        times = self.cached("digest of times", self._digest_of_times)
        return hashlib.blake2b(times + super().fingerprint.encode(), digest_size=16).hexdigest()

    @property
    def _indptr(self) -> NDArray[np.int64]:
        of: Contacts | Follows | None = self.contacts if self.follows is None else self.follows
        assert of is not None
        return of.indptr

    @property
    def _columns(self) -> dict[str, NDArray[np.float64]]:
        """Times by name, one entry a contact or interval."""
        if self.follows is not None:
            return {"start": self.follows.start, "end": self.follows.end}
        assert self.contacts is not None
        return {"time": self.contacts.times}

    def _span(self) -> tuple[float, float]:
        columns = self._columns.values()
        low = min(float(values.min()) for values in columns)
        return low, max(float(values[np.isfinite(values)].max(initial=low)) for values in columns)

    def _digest_of_times(self) -> bytes:
        digest = hashlib.blake2b("".join(self._columns).encode(), digest_size=32)
        for array in (self._indptr, *self._columns.values()):
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()

    def _facts(self) -> dict[str, str]:
        low, high = self.span
        return {"contacts" if self.follows is None else "follows": f"{self.n_contacts:,} from {low:g} to {high:g}"}

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a contact or interval, in the direction of influence: source, target, its time or start and end.

        Rows are in the order of source, target, time; with the weight and probability of the arc where it has them.
        """
        arc = np.repeat(np.arange(self.n_edges), np.diff(self._indptr))
        source, target = self.index.order[self.csr.sources[arc]], self.index.order[self.csr.indices[arc]]
        by = np.lexsort((target, source))  # stable: times stay in order
        columns: dict[str, Any] = {name: values[by] for name, values in self._columns.items()}
        columns |= {name: values[arc[by]] for name, values in self.edge_data.items()}
        if self.probabilities is not None:
            columns["probability"] = np.broadcast_to(self.probabilities.values, self.n_edges)[arc[by]]
        ends = {"source": self.nodes.take(source[by]), "target": self.nodes.take(target[by])}
        return pd.DataFrame({**ends, **columns})

    # -- static views ----------------------------------------------------------------------------------------------

    def window(self, start: float | None = None, end: float | None = None) -> FollowerGraph:
        """Return the static graph of the arcs that are there in [start, end), on the same nodes.

        Parameters
        ----------
        start, end : float, optional
            Without `start` from the first time on, without `end` through the last.

        Returns
        -------
        FollowerGraph
            With node attributes and without probabilities. The weight of an arc is the number of its contacts, or the
            time for which it was followed, counted up to the last time of the graph where nothing else ends it.

        Examples
        --------
        >>> g = TemporalGraph.from_follows([0, 0], [1, 2], [0.0, 4.0], [5.0, 9.0], directed=True, edges_mean="influences")
        >>> g.window(3, 4.5).to_pandas()["weight"].tolist()
        [1.5, 0.5]
        """
        low = -np.inf if start is None else moment(start, "start")
        high = np.inf if end is None else moment(end, "end")
        if low >= high:
            raise InputError(f"window({low:g}, {high:g}) is empty: end= has to come after start=")
        arc = np.repeat(np.arange(self.n_edges), np.diff(self._indptr))
        if self.follows is None:
            times = self._columns["time"]
            arc = arc[(times >= low) & (times < high)]
            weight = np.asarray(np.bincount(arc, minlength=self.n_edges), np.float64)
        else:
            here = (self.follows.start < high) & (self.follows.end > low)
            first, last = np.maximum(self.follows.start, low)[here], np.minimum(self.follows.end, high)[here]
            last = np.where(np.isfinite(last), last, np.maximum(self.span[1], first))
            arc = arc[here]
            weight = np.asarray(np.bincount(arc, weights=last - first, minlength=self.n_edges), np.float64)
        return self._static(np.unique(arc), weight)

    def at(self, time: float) -> FollowerGraph:
        """Return the static graph of one point of time: contacts at that very time, or follows that hold then.

        Parameters
        ----------
        time : float

        Returns
        -------
        FollowerGraph
            On the same nodes, with their attributes, without weights or probabilities.

        Examples
        --------
        >>> g = TemporalGraph.from_contacts([0, 1], [1, 2], [1.0, 2.0], directed=True, edges_mean="influences")
        >>> g.at(2.0).to_pandas().to_numpy().tolist()
        [[1, 2]]
        """
        now = moment(time, "time")
        if self.follows is None:
            here = self._columns["time"] == now
        else:
            here = (self.follows.start <= now) & (now < self.follows.end)
        arc = np.repeat(np.arange(self.n_edges), np.diff(self._indptr))[here]
        return self._static(np.unique(arc), None)

    def _static(self, arcs: NDArray[np.int64], weight: NDArray[np.float64] | None) -> FollowerGraph:
        graph = FollowerGraph.from_arrays(
            self.index.labels_of(self.csr.sources[arcs]),
            self.index.labels_of(self.csr.indices[arcs]),
            weight=None if weight is None else weight[arcs],
            nodes=self.nodes,
            directed=True,
            edges_mean="influences",
        )
        return replace(graph, directed=self.directed, edges_mean=self.edges_mean, attributes=dict(self.attributes))
