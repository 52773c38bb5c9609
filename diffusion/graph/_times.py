"""Columns of times, and intervals of time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from .._validation import number
from ..errors import InputError, did_you_mean

__all__ = ["as_times", "merge_intervals", "moment"]

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "D": 86400.0}


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
