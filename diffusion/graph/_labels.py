"""Columns of labels: what they may hold, their canonical order, and their positions in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import InputError

__all__ = ["as_labels", "canonical_order", "factorize"]

MAX_NODES = 2**31 - 1


def as_labels(values: Any, what: str) -> NDArray[Any] | pa.ChunkedArray:
    """Return one column of labels as an integer, float or object array, or as Arrow text; refuse missing ones."""
    if isinstance(values, pa.Array):
        values = pa.chunked_array([values])
    arrow = isinstance(values, pd.Series) and isinstance(values.dtype, pd.ArrowDtype)
    if arrow and pa.types.is_dictionary(values.dtype.pyarrow_dtype):
        values = pa.chunked_array(pa.array(values))
    if isinstance(values, pa.ChunkedArray) and pa.types.is_dictionary(values.type):
        # A label may be missing in the dictionary as well as in the column: decoded, both show.
        values = pa.chunked_array([chunk.dictionary_decode() for chunk in values.chunks], values.type.value_type)
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
) -> tuple[pd.Index[Any], NDArray[Any], NDArray[Any]]:
    """Return the labels in canonical order and both columns as positions among them."""
    parts: list[Any] = [source, target]
    if nodes is not None:
        parts.append(nodes)
    m = len(source)
    found = _by_table(parts)
    if found is not None:
        return found
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


def _by_table(parts: list[Any]) -> tuple[pd.Index[Any], NDArray[np.int32], NDArray[np.int32]] | None:
    """Whole numbers that lie close together: a table is faster than hashing, and sorts by itself."""
    filled = [part for part in parts if len(part)]
    if not filled or not all(isinstance(part, np.ndarray) and part.dtype.kind == "i" for part in filled):
        return None
    low, high = min(int(a.min()) for a in filled), max(int(a.max()) for a in filled)
    span = high - low + 1
    if span > min(4 * sum(a.size for a in filled) + 1_000_000, MAX_NODES):
        return None
    present = np.zeros(span, np.bool_)
    for part in filled:
        present[part - low if low else part] = True
    table = np.cumsum(present, dtype=np.int32) - np.int32(1)
    codes = [table[part - low if low else part] if len(part) else np.empty(0, np.int32) for part in parts[:2]]
    return pd.Index(np.flatnonzero(present) + low), codes[0], codes[1]


def _exact(arrays: list[NDArray[Any]]) -> bool:
    """Whether whole numbers survive as floating-point numbers."""
    return all(abs(int(end)) <= 2**53 for a in arrays if a.dtype.kind == "i" for end in (a.min(), a.max()))


def _factorize_array(joined: NDArray[Any]) -> tuple[NDArray[np.int64], pd.Index[Any]]:
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
