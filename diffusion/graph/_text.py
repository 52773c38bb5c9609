"""Edge files of text, parsed by pyarrow block by block; a Python pass over lines happens only to explain an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._blocks import Block, blocks, has_padded_number, is_untidy, squeeze
from .._progress import one_bar
from ..errors import ReadError
from ._layout import Layout, rows_of, short, sniff

__all__ = ["Columns", "read_text"]


@dataclass(eq=False)
class Columns:
    """The columns of a file in pieces, one list a role: NumPy arrays of numbers or pyarrow arrays of text.

    `header` is a first line that was skipped, `comment_lines` how many lines at the top were taken as comments, and
    `unread` are the columns that nobody asked for.
    """

    chunks: dict[str, list[Any]] = field(default_factory=dict)
    header: str | None = None
    comment_lines: int = 0
    unread: tuple[int | str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(len(chunk) for chunk in self.chunks["source"])


@dataclass(frozen=True)
class _Types:
    """The types to try: whole numbers first, then labels as text and times with decimals."""

    text_labels: bool = False
    decimal_times: bool = False

    def wider(self) -> Iterator[_Types]:
        for text_labels in (self.text_labels, True):
            for decimal_times in (self.decimal_times, True):
                if (text_labels, decimal_times) != (self.text_labels, self.decimal_times):
                    yield _Types(text_labels, decimal_times)


class _Widen(Exception):
    """A signal, not an error: these wider types are needed."""

    def __init__(self, types: _Types) -> None:
        self.types = types


@one_bar
def read_text(
    path: Path,
    columns: Mapping[str, int | str | None],
    *,
    kind: str | None,
    header: bool | None,
    header_counts: bool | None,
    comments: str,
) -> Columns:
    """Return the columns of a text file; see `diffusion.graph.read_edge_rows` for the rules."""
    layout = sniff(path, columns, kind=kind, header=header, header_counts=header_counts, comments=comments)
    types = _Types()
    while True:
        try:
            return _read(layout, types, header_counts)
        except _Widen as widen:  # some label is text: read again from the start, as no label may change its type
            types = widen.types


def _read(layout: Layout, types: _Types, header_counts: bool | None) -> Columns:
    columns = Columns({role: [] for role in layout.picks}, layout.header, layout.comment_lines, layout.unread)
    with closing(blocks(layout.path)) as stream:
        for block in stream:
            cut = max(0, layout.offset - block.offset)
            if cut >= len(block.data):
                continue
            if cut:
                block = Block(block.data[cut:], block.line + block.data[:cut].count(b"\n"), layout.offset)
            if block.data.isspace():
                continue
            for role, chunks in _parsed(block, layout, types).items():
                columns.chunks[role].extend(chunks)
    if columns.rows == 0:
        raise ReadError(f"'{layout.path}' holds no edges")
    if layout.counts is not None:
        if header_counts or _are_counts(layout, layout.counts, columns):
            columns.header = layout.counts
        else:
            line = Block(layout.counts.encode() + b"\n", layout.counts_line, 0)
            for role, chunks in _parsed(line, layout, types).items():
                columns.chunks[role][:0] = chunks
    return columns


def _parsed(block: Block, layout: Layout, types: _Types) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    _refuse_late_comment(block, layout)
    data, mark = block.data, ord(layout.delimiter)
    if layout.blanks and is_untidy(data, mark):
        data = squeeze(data, mark)
    try:
        table = _table(data, layout, types)
    except pa.ArrowInvalid as error:
        for wider in types.wider():
            try:
                _table(data, layout, wider)
            except pa.ArrowInvalid:
                continue
            raise _Widen(wider) from None
        raise _explained(data, block.line, layout, str(error)) from None
    if not types.text_labels and has_padded_number(data, mark):
        as_text = _table(data, layout, _Types(True, types.decimal_times))
        for role in ("source", "target"):
            if pc.any(pc.match_substring_regex(as_text[role], r"^\s*-?0[0-9xX]")).as_py():
                raise _Widen(_Types(True, types.decimal_times))
    found: dict[str, list[Any]] = {}
    for role in layout.picks:
        column = table[role]
        bad = column.null_count > 0
        if pa.types.is_string(column.type):
            if not layout.blanks:
                column = pc.utf8_trim(column, characters=" \t")
            bad = bad or pc.any(pc.equal(column, "")).as_py()
            bad = bad or (layout.quoted and pc.any(pc.match_substring_regex(column, r"[\r\n]")).as_py())
        elif pa.types.is_floating(column.type):
            bad = bad or not pc.all(pc.is_finite(column)).as_py()
        if bad:
            raise _explained(data, block.line, layout, f"a {role} is missing or not usable")
        # Numbers move out of pyarrow's memory pool at once: it would keep it for long after.
        found[role] = column.chunks if pa.types.is_string(column.type) else [_moved(column)]
    return found


def _moved(column: Any) -> Any:
    out = np.empty(len(column), dtype=column.type.to_pandas_dtype())
    start = 0
    for chunk in column.chunks:
        out[start : start + len(chunk)] = chunk.to_numpy()
        start += len(chunk)
    return out


def _table(data: bytes, layout: Layout, types: _Types) -> Any:
    import pyarrow as pa
    import pyarrow.csv as pc

    label = pa.string() if types.text_labels else pa.int64()
    of_role = {
        "source": label,
        "target": label,
        "weight": pa.float64(),
        "time": pa.float64() if types.decimal_times else pa.int64(),
    }
    names = {position: role for role, position in layout.picks.items()}
    return pc.read_csv(
        pa.BufferReader(pa.py_buffer(data)),
        pc.ReadOptions(
            column_names=[names.get(position, f"unused {position}") for position in range(layout.width)],
            block_size=1 << 21,
        ),
        pc.ParseOptions(delimiter=layout.delimiter, quote_char='"' if layout.quoted else False),
        pc.ConvertOptions(
            column_types={role: of_role[role] for role in layout.picks},
            include_columns=list(layout.picks),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _refuse_late_comment(block: Block, layout: Layout) -> None:
    """A line that begins like a comment amid the data is either a label or a comment; neither guess is safe."""
    for mark in layout.comments:
        byte = mark.encode()
        if byte not in block.data:
            continue
        at = 0 if block.data.startswith(byte) else block.data.find(b"\n" + byte) + 1
        if at or block.data.startswith(byte):
            line = block.line + block.data[:at].count(b"\n")
            text = block.data[at : at + 80].split(b"\n")[0].decode(errors="replace")
            raise ReadError(
                f"'{layout.path}', line {line}: {short(text)} begins with '{mark}' after the first edge; comments "
                f"stand at the top. Remove it if it is a comment, or say comments='' if '{mark}' begins a label"
            )


def _explained(data: bytes, first: int, layout: Layout, reason: str) -> ReadError:
    """Find the first line that is wrong and say why."""
    text = data.decode("utf-8", errors="surrogateescape")
    for at, fields in rows_of(layout, text):
        where = f"'{layout.path}', line {first + at}"
        if len(fields) == 1:
            return ReadError(f"{where}: found one field, {short(fields[0])}; an edge needs a source and a target")
        if len(fields) != layout.width:
            hint = ""
            if layout.counts is not None and first + at == layout.counts_line:
                hint = "; if it is a header of counts, say header_counts=True"
            return ReadError(
                f"{where}: found {len(fields)} fields, {short(' '.join(fields))}, where most lines have "
                f"{layout.width}; each line needs the same{hint}"
            )
        for role, position in layout.picks.items():
            value = fields[position].strip(" \t")
            wrong = _wrong_label(value) if role in ("source", "target") else _wrong_number(value)
            if wrong:
                return ReadError(f"{where}: the {role} (column {position}) {wrong}")
    n_lines = text.count("\n")
    return ReadError(f"'{layout.path}', lines {first} to {first + n_lines}: cannot be read ({reason})")


def _wrong_label(value: str) -> str:
    if not value:
        return "is empty: every edge needs a source and a target"
    if not value.isascii() and any("\ud800" <= mark <= "\udfff" for mark in value):
        return f"is not UTF-8 text ({value!a}): save the file as UTF-8"
    if "\n" in value or "\r" in value:
        return f"holds a line break ({short(value)}): labels are one line"
    return ""


def _wrong_number(value: str) -> str:
    if not value:
        return "is empty: a number is due; drop the line or fill it in"
    try:
        number = float(value.replace("_", "x"))  # Python alone would take 1_000
    except ValueError:
        return f"is {value!a}: a number is due"
    return "" if np.isfinite(number) else f"is {value}: a finite number is due; drop the line or fill it in"


def _are_counts(layout: Layout, counts: str, columns: Columns) -> bool:
    """Whether the first line, like ``15233 58891``, is a header of counts and not an edge.

    With n and m its first and last number, R the lines after it and their labels known: it is a header if no label
    is above n, as few labels as n or fewer appear, m is above every label, and m is R, R / 2 or within 1 % of R; or
    if n and m are exactly the labels and lines counted. Where both readings are sensible, an error asks.
    """
    fields = layout.split(counts)
    n, m, rows = int(fields[0]), int(fields[-1]), columns.rows
    near = m == rows or 2 * m == rows or abs(m - rows) <= rows // 100
    chunks = columns.chunks["source"] + columns.chunks["target"]
    chunks = [chunk for chunk in chunks if len(chunk)]
    numeric = isinstance(chunks[0], np.ndarray)
    low = min(int(chunk.min()) for chunk in chunks) if numeric else 0
    high = max(int(chunk.max()) for chunk in chunks) if numeric else -1
    novel = m > high
    if len(fields) != layout.width:
        return near and n >= _distinct(chunks, low, high)  # if not, the line is reported as ragged
    suspicious = rows >= 5 and novel and n > high
    if not near and not suspicious:
        return False
    n_labels = _distinct(chunks, low, high)
    compact = low >= 0 and high <= n and n_labels <= n
    perfect = m == rows and n == n_labels
    if (compact and novel and near and (perfect or rows >= 10)) or (perfect and rows >= 100):
        return True
    if perfect or (compact and (m == rows or (suspicious and n <= 2 * n_labels))):
        raise ReadError(
            f"'{layout.path}', line {layout.counts_line}: cannot tell whether {short(counts)} is an edge or a "
            f"header with the numbers of nodes and edges ({n_labels} labels and {rows} lines follow): "
            "say header_counts=True or header_counts=False"
        )
    return False


def _distinct(chunks: list[Any], low: int, high: int) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(chunks[0], np.ndarray):
        return len(pc.unique(pa.chunked_array(chunks)))
    if low < 0 or high >= 100_000_000:
        return int(np.unique(np.concatenate(chunks)).size)
    seen = np.zeros(high + 1, dtype=np.bool_)
    for chunk in chunks:
        seen[chunk] = True
    return int(np.count_nonzero(seen))
