"""From two columns of labels to compressed sparse rows in a canonical order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import InputError, did_you_mean
from ._labels import as_labels, factorize

__all__ = ["Arcs", "Parallel", "build_arcs"]

Parallel: TypeAlias = Literal["collapse", "keep"]
COMBINE = ("sum", "max", "min", "mean", "noisy_or")


@dataclass(frozen=True)
class Arcs:
    """Rows of a follower graph, sorted and relabelled by in-degree; `order[i]` is the label position of node i."""

    labels: pd.Index[Any]
    order: NDArray[np.int32]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    multiplicity: NDArray[np.int32] | None
    weight: NDArray[np.float64] | None
    time: NDArray[Any] | None
    rows: int
    dropped_self_loops: int
    dropped_parallel: int
    comment_lines: int = 0


def build_arcs(
    source: Any,
    target: Any,
    *,
    weight: Any,
    time: Any,
    nodes: Iterable[Any] | None,
    edges_mean: str | None,
    directed: bool,
    parallel: str,
    combine: str | None,
) -> Arcs:
    """Check the columns and build the arcs; see `FollowerGraph.from_arrays` for the meaning of the arguments."""
    _check_choices(edges_mean, directed, parallel, combine)
    try:
        source, target = as_labels(source, "source"), as_labels(target, "target")
        nodes = None if nodes is None else as_labels(nodes, "nodes")
    except UnicodeEncodeError as error:
        raise _not_text(error) from None
    rows = len(source)
    if len(target) != rows:
        raise InputError(f"source has {rows:,} rows and target {len(target):,}: give one of each for every row")
    payload_weight = _payload(weight, "weight", rows)
    payload_time = _payload(time, "time", rows)
    try:
        labels, tail, head = factorize(source, target, nodes)
    except UnicodeEncodeError as error:
        raise _not_text(error) from None
    n = len(labels)
    if n == 0:
        raise InputError("the graph is empty: give at least one edge, or the node labels as nodes=")
    if edges_mean == "follows":  # content flows from the followed account to the follower
        tail, head = head, tail
    keep = tail != head
    loops = rows - int(np.count_nonzero(keep))
    if loops:
        tail, head = tail[keep], head[keep]
        payload_weight = None if payload_weight is None else payload_weight[keep]
        payload_time = None if payload_time is None else payload_time[keep]
    key = _pair_keys(tail, head, n)
    if not directed:
        key = np.concatenate([key, _pair_keys(head, tail, n)])
        payload_weight = None if payload_weight is None else np.concatenate([payload_weight, payload_weight])
        payload_time = None if payload_time is None else np.concatenate([payload_time, payload_time])
    del tail, head
    if payload_weight is None and payload_time is None:
        key.sort()
    else:
        order = np.argsort(key, kind="stable") if payload_weight is None else np.lexsort((payload_weight, key))
        key = key[order]
        payload_weight = None if payload_weight is None else payload_weight[order]
        payload_time = None if payload_time is None else payload_time[order]
    first = np.empty(key.size, np.bool_)
    first[:1] = True
    np.not_equal(key[1:], key[:-1], out=first[1:])
    n_parallel = key.size - int(np.count_nonzero(first))
    multiplicity: NDArray[np.int32] | None = None
    if n_parallel:
        starts = np.flatnonzero(first)
        if parallel == "keep":
            multiplicity = np.diff(starts, append=key.size).astype(np.int32)
        key = key[starts]
        if payload_weight is not None:
            payload_weight = _combine(payload_weight, starts, combine, key, labels)
        if payload_time is not None:
            payload_time = np.minimum.reduceat(payload_time, starts)
    del first
    # Relabel by in-degree, ties by label: hot rows share cache lines, which doubles the speed of large graphs.
    indegree = np.zeros(n, np.int64)
    for part in _blocks(key):
        indegree += np.bincount(part % n, minlength=n)
    order_of_nodes = np.argsort(-indegree, kind="stable")
    rank = np.empty(n, np.int64)
    rank[order_of_nodes] = np.arange(n)
    for part in _blocks(key):
        part[:] = rank[part // n] * n + rank[part % n]
    if multiplicity is None and payload_weight is None and payload_time is None:
        key.sort()
    else:
        order = np.argsort(key)
        key = key[order]
        multiplicity = None if multiplicity is None else multiplicity[order]
        payload_weight = None if payload_weight is None else payload_weight[order]
        payload_time = None if payload_time is None else payload_time[order]
    indptr = np.searchsorted(key, np.arange(n + 1, dtype=np.int64) * n)
    indices = np.empty(key.size, np.int32)
    for part, out in zip(_blocks(key), _blocks(indices), strict=True):
        np.remainder(part, n, out=out, casting="unsafe")
    return Arcs(
        labels=labels,
        order=order_of_nodes.astype(np.int32),
        indptr=indptr,
        indices=indices,
        multiplicity=multiplicity,
        weight=payload_weight,
        time=payload_time,
        rows=rows,
        dropped_self_loops=loops,
        dropped_parallel=n_parallel if parallel == "collapse" else 0,
    )


def _pair_keys(tail: NDArray[Any], head: NDArray[Any], n: int) -> NDArray[np.int64]:
    """One number for each arc, in the order of (tail, head)."""
    key = tail.astype(np.int64)
    key *= n
    key += head
    return key


def _blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Pieces of an array, so that what is computed on the way stays small."""
    size = 1 << 22
    for start in range(0, array.size, size):
        yield array[start : start + size]


def _not_text(error: UnicodeEncodeError) -> InputError:
    return InputError(f"the node label {error.object!r} is not valid Unicode text ({error.reason}): repair or drop it")


def _check_choices(edges_mean: str | None, directed: object, parallel: str, combine: str | None) -> None:
    if not isinstance(directed, bool | np.bool_):
        raise InputError(f"directed={directed!r} is neither True nor False: say whether a row is a one-way edge")
    if edges_mean not in ("follows", "influences") and (directed or edges_mean is not None):
        given = "is not given" if edges_mean is None else f"is {edges_mean!r}"
        raise InputError(
            f"edges_mean {given}: say 'follows' when a row (u, v) means that u follows v, so that content flows from v "
            "to u, or 'influences' when content flows from u to v. Spreads can differ several times between the two."
        )
    if parallel not in ("collapse", "keep"):
        raise InputError(
            f"parallel={parallel!r} is unknown: 'collapse' makes repeated edges one, 'keep' counts them."
            + did_you_mean(parallel, ("collapse", "keep"))
        )
    if combine is not None and combine not in COMBINE:
        raise InputError(
            f"combine={combine!r} is unknown: choose {', '.join(COMBINE)}." + did_you_mean(combine, COMBINE)
        )


def _payload(values: Any, what: str, rows: int) -> NDArray[Any] | None:
    if values is None:
        return None
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_pandas()
    column = pd.Series(values, copy=False)
    if len(column) != rows:
        raise InputError(f"{what} has {len(column):,} values for {rows:,} edges: give one for every edge")
    if what == "time" and pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = column.dt.tz_localize(None) if column.dt.tz is not None else column
        array: NDArray[Any] = column.astype("datetime64[s]").to_numpy().astype(np.int64)
        bad = np.asarray(column.isna())
    else:
        try:
            array = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        except (TypeError, ValueError) as error:
            raise InputError(f"{what} must be numbers ({error})") from None
        bad = ~np.isfinite(array)
        if what == "time" and column.dtype.kind in "iu" and not bad.any():
            array = np.asarray(column.to_numpy(dtype=np.int64))
    if bad.any():
        row = int(bad.argmax())
        raise InputError(f"{what} is {column.iloc[row]} in row {row}: every edge needs a finite number")
    return array


def _combine(
    weight: NDArray[np.float64],
    starts: NDArray[np.intp],
    how: str | None,
    key: NDArray[np.int64],
    labels: pd.Index[Any],
) -> NDArray[np.float64]:
    low, high = np.minimum.reduceat(weight, starts), np.maximum.reduceat(weight, starts)
    if how is None:
        differ = low != high
        if differ.any():
            at = int(differ.argmax())
            u, v = labels[key[at] // len(labels)], labels[key[at] % len(labels)]
            raise InputError(
                f"{int(differ.sum()):,} repeated edges carry different weights (first: {u!r} -> {v!r}, {low[at]:g} and "
                f"{high[at]:g}): say how with combine='sum', 'max', 'min', 'mean' or 'noisy_or' (1 - prod(1 - w))"
            )
        return np.asarray(low)
    if how == "max":
        return np.asarray(high)
    if how == "min":
        return np.asarray(low)
    if how == "noisy_or":
        if weight.min() < 0 or weight.max() > 1:
            raise InputError("combine='noisy_or' takes weights that are probabilities, from 0 to 1")
        return np.asarray(1.0 - np.multiply.reduceat(1.0 - weight, starts))
    total = np.add.reduceat(weight, starts)
    return np.asarray(total if how == "sum" else total / np.diff(starts, append=weight.size))
