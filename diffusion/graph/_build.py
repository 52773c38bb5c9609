"""From two columns of labels to compressed sparse rows in a canonical order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import InputError, did_you_mean

__all__ = ["Arcs", "Parallel", "as_labels", "build_arcs", "canonical_order", "factorize"]

Parallel: TypeAlias = Literal["collapse", "keep"]
COMBINE = ("sum", "max", "min", "mean", "noisy_or")
MAX_NODES = 2**31 - 1


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


def as_labels(values: Any, what: str) -> NDArray[Any] | pa.ChunkedArray:
    """Return one column of labels as an integer, float or object array, or as Arrow text; refuse missing ones."""
    if isinstance(values, pa.Array):
        values = pa.chunked_array([values])
    if isinstance(values, pa.ChunkedArray):
        if values.null_count:
            first = next(i for i, v in enumerate(values) if not v.is_valid)
            raise InputError(f"{what} is missing in row {first}: drop such rows, or fill them in")
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            return values
        return as_labels(values.to_pandas(), what)
    if isinstance(values, pd.Series | pd.Index):
        column = values
    else:
        array = values if isinstance(values, np.ndarray) else _object_array(values, what)
        if array.ndim != 1:
            raise InputError(f"{what} has shape {array.shape}: give one label a row, as a one-dimensional array")
        column = pd.Series(array, copy=False)
    missing = np.asarray(column.isna())
    if missing.any():
        raise InputError(f"{what} is missing in row {int(missing.argmax())}: drop such rows, or fill them in")
    if isinstance(column.dtype, pd.StringDtype):
        if column.dtype.storage == "pyarrow":
            return pa.chunked_array(pa.array(column))
        return np.asarray(column.to_numpy(dtype=object))
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_large_string(column.dtype.pyarrow_dtype):
        return pa.chunked_array(pa.array(column))
    array = np.asarray(column.to_numpy())
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        return array.astype(object)
    if array.dtype.kind in "iu":
        return array.astype(np.int64, copy=False)
    if array.dtype.kind == "f":
        return array.astype(np.float64, copy=False) + 0.0  # -0.0 and 0.0 are one label
    return _numbers(array) if array.dtype.kind == "O" else array.astype(object)


def _object_array(values: Any, what: str) -> NDArray[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(f"{what}={values!r} is not a column of labels: give a list or an array, one label a row")
    items = list(values)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Objects that are all whole numbers, or all numbers, as int64 or float64 where that loses nothing."""
    kind = pd.api.types.infer_dtype(array, skipna=False)
    if kind == "integer":
        try:
            return array.astype(np.int64)
        except OverflowError:
            return array
    if kind in ("floating", "mixed-integer-float"):
        try:
            numbers = array.astype(np.float64) + 0.0
        except OverflowError:
            return array
        return numbers if all(a == b for a, b in zip(array.tolist(), numbers.tolist(), strict=True)) else array
    return array


def canonical_order(labels: NDArray[Any]) -> NDArray[np.intp]:
    """Order of distinct labels that does not depend on the order of the rows: by value, else by type and repr."""
    if labels.dtype.kind in "iuf":
        return np.argsort(labels, kind="stable")
    if all(isinstance(label, str) for label in labels):
        return np.argsort(labels.astype(object), kind="stable")
    keys: list[Any] = labels.tolist()
    if not all(isinstance(label, int | float) and not isinstance(label, bool) for label in keys):
        keys = [_type_and_text(label) for label in keys]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)


def _type_and_text(label: Any) -> tuple[str, str]:
    return type(label).__name__, repr(label)


def factorize(
    source: NDArray[Any] | pa.ChunkedArray, target: NDArray[Any] | pa.ChunkedArray, nodes: Any
) -> tuple[pd.Index[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Return the labels in canonical order and both columns as positions among them."""
    parts: list[Any] = [source, target]
    if nodes is not None:
        parts.append(nodes)
    m = len(source)
    if all(isinstance(part, pa.ChunkedArray) for part in parts):
        codes, labels = _factorize_text(parts)
    else:
        arrays = [np.asarray(p.to_pandas(), dtype=object) if isinstance(p, pa.ChunkedArray) else p for p in parts]
        arrays = [a for a in arrays if a.size]
        kinds = {a.dtype.kind for a in arrays}
        joined: NDArray[Any]
        if not arrays:
            joined = np.empty(0, np.int64)
        elif ("O" in kinds and kinds != {"O"}) or (kinds == {"i", "f"} and not _exact(arrays)):
            joined = np.concatenate([a.astype(object) for a in arrays])
        else:
            joined = np.concatenate(arrays)
        codes, labels = _factorize_array(joined)
    if len(labels) > MAX_NODES:
        raise InputError(f"{len(labels):,} nodes are more than {MAX_NODES:,}, which is as many as a graph can hold")
    return labels, codes[:m], codes[m : 2 * m]


def _exact(arrays: list[NDArray[Any]]) -> bool:
    """Whether whole numbers survive as floating-point numbers."""
    return all(abs(int(end)) <= 2**53 for a in arrays if a.dtype.kind == "i" for end in (a.min(), a.max()))


def _factorize_array(joined: NDArray[Any]) -> tuple[NDArray[np.int64], pd.Index[Any]]:
    if joined.dtype.kind == "i" and joined.size:
        low, high = int(joined.min()), int(joined.max())
        if high - low < 4 * joined.size + 1_000_000:  # a table is faster than hashing, and sorts by itself
            present = np.zeros(high - low + 1, np.bool_)
            present[joined - low] = True
            table = np.cumsum(present, dtype=np.int64) - 1
            return table[joined - low], pd.Index(np.flatnonzero(present) + low)
    try:
        codes, distinct = pd.factorize(joined)
    except TypeError as error:
        raise InputError(f"a node label cannot be hashed ({error}): use strings, numbers or tuples") from None
    values = np.array(distinct)
    if values.dtype == object and len(set(map(type, joined))) > 1:
        # Equal labels that look different (1, 1.0, True): the same one stands for all, whatever the order of the rows.
        for code, label in zip(codes.tolist(), joined, strict=True):
            if label is not values[code] and not isinstance(label, str):
                values[code] = min(values[code], label, key=_type_and_text)
    order = canonical_order(values)
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return rank[codes], pd.Index(values[order], tupleize_cols=False)


def _factorize_text(parts: list[pa.ChunkedArray]) -> tuple[NDArray[np.int64], pd.Index[Any]]:
    chunks = [chunk for part in parts for chunk in part.cast(pa.large_string()).chunks]
    encoded = pa.chunked_array(chunks, pa.large_string()).dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.large_string()).dictionary_encode()
    distinct = encoded.dictionary
    order = pa.compute.sort_indices(distinct).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    text = pd.Series(distinct.take(order), dtype=pd.StringDtype("pyarrow", na_value=np.nan))
    return rank[encoded.indices.to_numpy(zero_copy_only=False)], pd.Index(text)


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
    key = tail * n + head
    if not directed:
        key = np.concatenate([key, head * n + tail])
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
    starts = np.flatnonzero(first)
    n_parallel = key.size - starts.size
    multiplicity: NDArray[np.int32] | None = None
    if n_parallel:
        if parallel == "keep":
            multiplicity = np.diff(starts, append=key.size).astype(np.int32)
        key = key[starts]
        if payload_weight is not None:
            payload_weight = _combine(payload_weight, starts, combine, key, labels)
        if payload_time is not None:
            payload_time = np.minimum.reduceat(payload_time, starts)
    # Relabel by in-degree, ties by label: hot rows share cache lines, which doubles the speed of large graphs.
    indegree = np.bincount(key % n, minlength=n)
    order_of_nodes = np.argsort(-indegree, kind="stable")
    rank = np.empty(n, np.int64)
    rank[order_of_nodes] = np.arange(n)
    key = rank[key // n] * n + rank[key % n]
    if multiplicity is None and payload_weight is None and payload_time is None:
        key.sort()
    else:
        order = np.argsort(key)
        key = key[order]
        multiplicity = None if multiplicity is None else multiplicity[order]
        payload_weight = None if payload_weight is None else payload_weight[order]
        payload_time = None if payload_time is None else payload_time[order]
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(key // n, minlength=n), out=indptr[1:])
    return Arcs(
        labels=labels,
        order=order_of_nodes.astype(np.int32),
        indptr=indptr,
        indices=(key % n).astype(np.int32),
        multiplicity=multiplicity,
        weight=payload_weight,
        time=payload_time,
        rows=rows,
        dropped_self_loops=loops,
        dropped_parallel=n_parallel if parallel == "collapse" else 0,
    )


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
