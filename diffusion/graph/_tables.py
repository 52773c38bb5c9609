"""Edge files that are tables already: Parquet and Feather (Arrow)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._progress import progress
from ..errors import InputError, ReadError
from ._layout import resolve_columns
from ._text import Columns

__all__ = ["read_table"]


def read_table(path: Path, columns: Mapping[str, int | str | None], kind: str) -> Columns:
    """Return the columns of a Parquet or Feather file; see `diffusion.graph.read_edge_rows` for the rules."""
    import pyarrow as pa

    try:
        names = _names(path, kind)
        picks = resolve_columns(path, columns, names, len(names))
        found: dict[str, list[Any]] = {role: [] for role in picks}
        first = 0
        for piece in _pieces(path, kind, sorted({names[position] for position in picks.values()})):
            for role, position in picks.items():
                found[role].append(_checked(piece.column(names[position]), role, names[position], path, first))
            first += piece.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ReadError(f"'{path}' cannot be read as {kind} ({error}): get the file again, or check format=") from None
    if first == 0:
        raise ReadError(f"'{path}' holds no edges: the table has columns but no rows")
    whole = all(pa.types.is_integer(part.type) and _fits(part) for part in found["source"] + found["target"])
    types = {
        "source": pa.int64() if whole else pa.string(),
        "target": pa.int64() if whole else pa.string(),
        "weight": pa.float64(),
        "time": pa.int64() if all(pa.types.is_integer(part.type) for part in found.get("time", [])) else pa.float64(),
    }
    chunks: dict[str, list[Any]] = {}
    for role, parts in found.items():
        cast = [part.cast(types[role]) for part in parts]
        text = pa.types.is_string(types[role])
        chunks[role] = [chunk for part in cast for chunk in part.chunks] if text else [part.to_numpy() for part in cast]
    return Columns(chunks, unread=tuple(name for i, name in enumerate(names) if i not in picks.values()))


def _names(path: Path, kind: str) -> tuple[str, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if kind == "parquet":
        names = tuple(pq.read_schema(path).names)
    else:
        with pa.memory_map(str(path)) as source:
            names = tuple(pa.ipc.open_file(source).schema.names)
    if len(names) < 2:
        raise ReadError(f"'{path}' has {len(names)} column: an edge file needs two, source and target")
    if len(set(names)) < len(names):
        raise InputError(f"'{path}' has several columns of one name ({', '.join(names)}): rename them")
    return names


def _pieces(path: Path, kind: str, names: list[str]) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with progress(total=path.stat().st_size, description=f"reading {path.name}", unit="B", unit_scale=True) as bar:
        if kind == "parquet":
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    yield _sound(file.read_row_group(group, columns=names))
                    bar.update(bar.total / file.num_row_groups)
            return
        with pa.OSFile(str(path)) as source:
            reader = pa.ipc.open_file(source, options=None)
            for batch in range(reader.num_record_batches):
                yield _sound(pa.Table.from_batches([reader.get_batch(batch)]).select(names))
                bar.update(bar.total / reader.num_record_batches)


def _sound(table: Any) -> Any:
    """Check every offset and index of what was read: those of a damaged file may point outside it, which ends Python."""
    table.validate(full=True)
    return table


def _checked(column: Any, role: str, name: str, path: Path, first: int) -> Any:
    """Return a column as whole numbers, numbers or text, or say which row or type is wrong; rows count from 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type)
    of = column.type
    text = pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of)
    number = pa.types.is_integer(of) or (pa.types.is_floating(of) and role in ("weight", "time"))
    label = role in ("source", "target")
    if not (number or (text and label)) and not pa.types.is_null(of):
        due = "whole numbers or text" if label else "numbers (for dates: seconds, say)"
        raise ReadError(f"'{path}': the {role} column '{name}' holds {of}, where {due} are due: convert it first")
    missing = column.is_null(nan_is_null=True)
    if text:
        column = pc.utf8_trim(column.cast(pa.string()), characters=" \t")
        missing = pc.or_(missing, pc.fill_null(pc.equal(column, ""), True))
    elif pa.types.is_floating(of):
        missing = pc.or_(missing, pc.invert(pc.fill_null(pc.is_finite(column), False)))
    rows = np.flatnonzero(missing.to_numpy())
    if rows.size:
        value = column[int(rows[0])].as_py()
        raise ReadError(
            f"'{path}', row {first + int(rows[0])} (from 0): the {role} in column '{name}' is "
            f"{'missing' if value in (None, '') else value}: drop the row or fill it in"
        )
    return column


def _fits(column: Any) -> bool:
    """Whether whole numbers fit into 64 bits with a sign."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return not (pa.types.is_uint64(column.type) and len(column) and pc.max(column).as_py() > np.iinfo(np.int64).max)
