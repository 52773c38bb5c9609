"""Columns of a log: labels become codes, and dates and numbers become times."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError

__all__ = ["coded", "plain", "repeated_rows", "row_text", "times"]

MOST_EXACT = 2**53  # whole numbers above it are not told apart as float64


def plain(values: Any) -> Any:
    """Values of a column without the index they came with."""
    if hasattr(values, "to_pandas"):  # of pyarrow and polars
        values = values.to_pandas()
    if isinstance(values, pd.Series | pd.Index):
        return values.array
    if isinstance(values, str | bytes | os.PathLike) or not isinstance(values, Iterable):
        raise InputError(f"{values!r} is no column: give a list or an array with one value for every adoption")
    return values if hasattr(values, "dtype") else list(values)


def row_text(columns: Mapping[str, pd.Series[Any]], at: int) -> str:
    """A row as errors show it."""
    return ", ".join(f"{name} {column.iloc[[at]].tolist()[0]!r}" for name, column in columns.items())


def coded(column: pd.Series[Any], name: str) -> tuple[NDArray[np.int64], pd.Index[Any]]:
    """Codes and labels in ascending order; labels that cannot be compared are sorted by their type and text."""
    try:
        codes, labels = pd.factorize(column.array)
    except TypeError as error:
        raise InputError(f"a label of {name} cannot be hashed ({error}): use text or numbers") from None
    index = pd.Index(labels, tupleize_cols=False)
    try:
        order = np.asarray(index.argsort())
    except TypeError:
        order = np.array(sorted(range(len(index)), key=lambda i: (type(index[i]).__name__, str(index[i]))))
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return rank[codes], index.take(order)


def times(columns: Mapping[str, pd.Series[Any]]) -> tuple[NDArray[np.float64], bool]:
    """Times as numbers, and whether they were dates."""
    column = columns["time"]
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    dates = pd.api.types.is_datetime64_any_dtype(column.dtype)
    if not dates and not pd.api.types.is_numeric_dtype(column.dtype):
        numbers = pd.to_numeric(column, errors="coerce")
        if numbers.notna().any():
            column = numbers
        else:
            column, dates = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601"), True
    if column.dtype.kind == "c":
        raise InputError("the times are complex numbers: give real numbers or dates")
    if pd.api.types.is_bool_dtype(column.dtype):
        raise InputError("the times are true or false: give numbers or dates")
    if dates:
        zone = getattr(column.dtype, "tz", None)
        naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else column
        bad = naive.isna().to_numpy()
        seconds = naive.to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9
    else:
        if (
            column.dtype.kind in "iu"
            and len(column)
            and max(abs(int(column.min())), abs(int(column.max()))) > MOST_EXACT
        ):
            raise InputError(
                f"the time {int(column.abs().max())} is above 2**53, from where on whole numbers are not told apart: give "
                "seconds, or dates"
            )
        seconds = column.to_numpy(dtype=np.float64, na_value=np.nan)
        bad = ~np.isfinite(seconds)
    if bad.any():
        at = int(bad.argmax())
        raise InputError(
            f"{int(bad.sum()):,} times are no numbers or dates (first: row {at}, {row_text(columns, at)}): give finite numbers, "
            "dates, or text such as '2024-05-01 13:00'"
        )
    return np.asarray(seconds, np.float64), dates


def repeated_rows(item: NDArray[Any], user: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows whose user and item came before, rows being in order of item and time."""
    order = np.lexsort((np.arange(item.size), user, item))
    same = (np.diff(item[order]) == 0) & (np.diff(user[order]) == 0)
    again = np.zeros(item.size, np.bool_)
    again[order[1:]] = same
    return again
