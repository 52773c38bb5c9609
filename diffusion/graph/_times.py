"""Times of arcs: columns of times, contacts and follows by arc, and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from .._validation import number
from ..errors import InputError, did_you_mean
from ._build import Arcs, build_arcs
from ._labels import as_labels, factorize
from ._parts import read_only

__all__ = ["Contacts", "Follows", "arcs_of_rows", "as_times", "merge_intervals", "moment", "row_ends"]

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "D": 86400.0}


@dataclass(frozen=True, eq=False)
class Contacts:
    """Times of the contacts along every arc.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_edges + 1,)
        Arc j (in the order of ``graph.csr.indices``) has the times ``times[indptr[j] : indptr[j + 1]]``.
    times : ndarray of float64, shape (n_contacts,)
        Rising within an arc.
    """

    indptr: NDArray[np.int64]
    times: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("indptr", "times"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), (self.indptr, self.times)


@dataclass(frozen=True, eq=False)
class Follows:
    """Intervals in which every arc is there: from `start` on and before `end`.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_edges + 1,)
        Arc j (in the order of ``graph.csr.indices``) has the intervals ``indptr[j] : indptr[j + 1]``.
    start, end : ndarray of float64, shape (n_intervals,)
        Rising within an arc, apart from each other; an end of infinity: the follow still holds.
    """

    indptr: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("indptr", "start", "end"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.indptr, self.start, self.end)


def as_times(values: Any, name: str, unit: str | None, *, open_ended: bool = False) -> NDArray[np.float64]:
    """Return a column of times as numbers, dates in `unit` since 1970; missing or infinite only where `open_ended`."""
    if unit is not None and unit not in SECONDS:
        raise InputError(f"unit={unit!r} is unknown: choose {', '.join(SECONDS)}." + did_you_mean(unit, SECONDS))
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_pandas()
    if isinstance(values, str | bytes) or np.ndim(values) != 1:
        raise InputError(f"{name} is no column of times: give a list or an array, one time a row")
    column = pd.Series(values, copy=False)
    if not len(column):
        return np.empty(0)
    column = column.infer_objects()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        if unit is None:
            raise InputError(f"{name} holds dates: give unit='s', 'm', 'h' or 'D' for numbers since 1970")
        missing = column.isna().to_numpy()
        column = column.dt.tz_convert(None) if column.dt.tz is not None else column
        seconds = column.astype("datetime64[ns]").to_numpy().astype(np.int64) / 1e9
        times = np.where(missing, np.nan, seconds / SECONDS[unit])
    else:
        if column.dtype.kind == "b":
            raise InputError(f"{name} holds truth values: give numbers or dates")
        try:
            times = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
        except (TypeError, ValueError) as error:
            raise InputError(f"{name} must be numbers or dates ({error}); pandas.to_datetime reads text") from None
    if open_ended:
        times = np.where(np.isnan(times), np.inf, times)
    bad = ~np.isfinite(times) & ~(open_ended & (times == np.inf))
    if bad.any():
        row = int(bad.argmax())
        raise InputError(f"{name} is {column.iloc[row]} in row {row}: give a finite time, or drop the row")
    return times + 0.0  # -0.0 and 0.0 are one time


def moment(value: Any, name: str) -> float:
    """Return one finite time."""
    return number(value, name, advice=", on the clock of the graph")


def merge_intervals(
    arc: NDArray[np.int64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Join the intervals of an arc that overlap or touch; rows are in the order of arc, then start."""
    # The latest end so far within the arc, as a rank among all ends: one running maximum serves all arcs.
    rank = np.searchsorted(np.unique(end), end)
    so_far = np.maximum.accumulate(arc * (rank.max() + 1) + rank)
    latest = np.unique(end)[so_far % (rank.max() + 1)]
    new = np.ones(arc.size, np.bool_)
    new[1:] = (arc[1:] != arc[:-1]) | (start[1:] > latest[:-1])
    last = np.flatnonzero(np.append(new[1:], True))
    return arc[new], start[new], latest[last]


def arcs_of_rows(
    source: Any,
    target: Any,
    rows: int,
    name: str,
    nodes: Any,
    edges_mean: str | None,
    directed: bool,
    weight: Any,
    combine: str | None,
) -> tuple[Arcs, NDArray[np.int64], NDArray[np.int64]]:
    """Build the arcs of rows -> arcs, and of every contact its arc and its row."""
    source, target = as_labels(source, "source"), as_labels(target, "target")
    nodes = None if nodes is None else as_labels(nodes, "nodes")
    if len(source) == rows and rows == 0:
        raise InputError("the graph has no rows: give at least one contact or follow")
    if len(source) != rows:
        raise InputError(f"source has {len(source):,} rows and {name} {rows:,}: give one of each for every row")
    arcs = build_arcs(
        source,
        target,
        weight=weight,
        time=None,
        nodes=nodes,
        edges_mean=edges_mean,
        directed=directed,
        parallel="collapse",
        combine=combine,
    )
    if arcs.indices.size == 0:
        raise InputError("every row is a self-loop, which carries nothing: give rows with two different ends")
    _, tail, head = factorize(source, target, nodes)
    rank = np.empty(len(arcs.labels), np.int64)
    rank[arcs.order] = np.arange(rank.size)
    tail, head = rank[np.asarray(tail)], rank[np.asarray(head)]
    if edges_mean == "follows":
        tail, head = head, tail
    row = np.flatnonzero(tail != head)
    tail, head = tail[row], head[row]
    if not directed:
        tail, head, row = np.concatenate([tail, head]), np.concatenate([head, tail]), np.concatenate([row, row])
    n = rank.size
    keys = np.repeat(np.arange(n), np.diff(arcs.indptr)) * n + arcs.indices
    return arcs, np.searchsorted(keys, tail * n + head), row


def row_ends(arc: NDArray[np.int64], m: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(arc, minlength=m))]).astype(np.int64)
