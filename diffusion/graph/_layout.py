"""How the text of an edge file is laid out: delimiter, comments, header, columns, as seen in its first lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .._blocks import blocks
from ..errors import InputError, NotFoundError, ReadError, did_you_mean

__all__ = ["Layout", "resolve_columns", "rows_of", "short", "sniff"]

N_SAMPLE = 200
_BLANK = re.compile(rb"[ \t\r\n\v\f]*")
_WELL_QUOTED = re.compile(r'(?:"(?:[^"]|"")*"|[^"\t][^\t]*|)(?:\t(?:"(?:[^"]|"")*"|[^"\t][^\t]*|))*')
_WHOLE = re.compile(r"0|[1-9][0-9]{0,11}")  # longer ones are labels, no counts
# Words that no one uses as labels; a first line of others needs a column of numbers below it to pass for a header.
_HEADER_WORDS = {
    "source",
    "target",
    "src",
    "dst",
    "from_id",
    "to_id",
    "fromid",
    "toid",
    "fromnodeid",
    "tonodeid",
    "source_id",
    "target_id",
    "sourceid",
    "targetid",
    "id1",
    "id2",
    "id_1",
    "id_2",
    "node1",
    "node2",
    "node_1",
    "node_2",
    "user1",
    "user2",
    "user_1",
    "user_2",
    "user_id",
    "userid",
    "friend_id",
    "follower",
    "followee",
    "follower_id",
    "followee_id",
    "followerid",
    "followeeid",
}


@dataclass(frozen=True)
class Layout:
    """Where the data of a text file begin and how a line splits into fields."""

    path: Path
    delimiter: str
    blanks: bool  # any run of blanks or tabs separates
    quoted: bool  # CSV quotes
    width: int
    comments: str
    offset: int  # bytes before the first line of data
    header: str | None  # the header line with column names that is skipped
    names: tuple[str, ...] | None
    counts: str | None  # a first line such as "15233 58891", which may be a header
    counts_line: int
    picks: Mapping[str, int]
    comment_lines: int = 0  # lines at the top that were taken as comments

    @property
    def unread(self) -> tuple[int | str, ...]:
        """Columns that nobody asked for, by name where there is one."""
        left = sorted(set(range(self.width)) - set(self.picks.values()))
        return tuple(left if self.names is None else (self.names[i] for i in left))

    def split(self, line: str) -> list[str]:
        return _split(line, self.delimiter, self.blanks, self.quoted)


class _Line(NamedTuple):
    text: str
    number: int
    offset: int
    end: int


def sniff(
    path: Path,
    columns: Mapping[str, int | str | None],
    *,
    kind: str | None,
    header: bool | None,
    header_counts: bool | None,
    comments: str,
) -> Layout:
    """Read the first lines of a file and tell its layout; `columns` are the wished source, target, weight and time."""
    sample, comment, n_comments = _first_lines(path, comments)
    if not sample:
        raise ReadError(
            f"'{path}' holds no edges, only blank lines or comments (lines that begin with {' or '.join(comments)})"
            if comments
            else f"'{path}' holds no edges, only blank lines"
        )
    lines = [line.text for line in sample]
    try:
        delimiter, blanks, quoted = _delimiter(path, lines, kind)
        fields = [_split(line, delimiter, blanks, quoted) for line in lines]
    except csv.Error as error:
        at = max(sample, key=lambda line: len(line.text))
        raise ReadError(
            f"'{path}', line {at.number}: found {short(at.text)}, {len(at.text):,} characters, which cannot be split into "
            f"quoted fields ({error}): use shorter labels, or say format='text' if quotes belong to them"
        ) from None
    body = fields[1:] or fields
    widths = Counter(len(row) for row in fields)
    width = max(widths, key=lambda n: (widths[n], n == len(body[0])))  # a first line of counts may be shorter
    if width < 2:
        at = next(line for line, row in zip(sample, fields, strict=True) if len(row) < 2)
        raise ReadError(
            f"'{path}', line {at.number}: found one field, {short(at.text)}; an edge needs two, a source and a target, "
            "separated by blanks, a tab, a comma or a semicolon"
        )
    first = sample[0]
    by_name = any(isinstance(column, str) for column in columns.values())
    skipped, names, counts = 0, None, None
    unlikely = delimiter in ",;" or len(fields) == 1
    if not header and _may_be_counts(fields[0], forced=header_counts, unlikely=unlikely):
        counts, skipped = first.text, 1
    elif header_counts:
        raise ReadError(
            f"'{path}', line {first.number}: header_counts=True asks for a first line such as '15233 58891', "
            f"found {short(first.text)}: leave header_counts away"
        )
    elif header or (header is None and _is_header(path, fields, first, by_name, delimiter)):
        if len(fields[0]) != width:
            raise ReadError(
                f"'{path}', line {first.number}: the header names {len(fields[0])} columns and the lines after it have "
                f"{width} fields: give every column a name"
            )
        names, skipped = tuple(field.strip() for field in fields[0]), 1
    if names is None and comment is not None:  # as in "# FromNodeId ToNodeId"
        words = _split(comment.lstrip(comments), delimiter, blanks, quoted)
        if len(words) == width:
            names = tuple(word.strip() for word in words)
    if skipped and len(sample) == 1:
        raise ReadError(f"'{path}' holds no edges, only the header {short(first.text)}")
    if names is None and by_name:
        name = next(column for column in columns.values() if isinstance(column, str))
        raise NotFoundError(
            f"'{path}' has no header, so no column is called '{name}' (its first line is {short(first.text)}): give "
            f"the column as a number, 0 to {width - 1}"
        )
    return Layout(
        path=path,
        delimiter=delimiter,
        blanks=blanks,
        quoted=quoted,
        width=width,
        comments=comments,
        offset=first.end if skipped else first.offset,
        header=first.text if skipped and counts is None else None,
        names=names,
        counts=counts,
        counts_line=first.number,
        picks=resolve_columns(path, columns, names, width),
        comment_lines=n_comments,
    )


def resolve_columns(
    path: Path, columns: Mapping[str, int | str | None], names: tuple[str, ...] | None, width: int
) -> dict[str, int]:
    """Return the position of each wished column; by default those called source and target, else the first two."""
    listed = f"columns 0 to {width - 1}" if names is None else "columns " + ", ".join(repr(name) for name in names)
    named = names is not None and names.count("source") == 1 and names.count("target") == 1
    picks: dict[str, int] = {}
    for role, column in columns.items():
        if column is None:
            if role in ("source", "target"):
                default = ("source", "target").index(role)
                picks[role] = names.index(role) if named and names is not None else default
                if not named and names is not None and not names[default]:
                    raise InputError(
                        f"'{path}': column {default} has no name (a row index?): say which columns are source and "
                        f"target; it has the {listed}"
                    )
            continue
        if isinstance(column, str):
            known = names or ()
            if known.count(column) == 0:
                raise NotFoundError(
                    f"'{path}' has no column '{column}' for {role}: it has the {listed}.{did_you_mean(column, known)}"
                )
            if known.count(column) > 1:
                raise InputError(f"'{path}' has more than one column '{column}': give {role} as a position from 0")
            picks[role] = known.index(column)
        elif isinstance(column, bool) or not isinstance(column, int):
            raise InputError(
                f"{role}={column!r} is no column: give a name (text) or a position (a whole number from 0)"
            )
        elif not 0 <= column < width:
            positions = "" if names is None else f", at positions 0 to {width - 1}"
            raise InputError(f"{role}={column} is out of range: '{path}' has the {listed}{positions}")
        else:
            picks[role] = column
    if len(set(picks.values())) < len(picks):
        pairs = ", ".join(f"{role} is column {position}" for role, position in picks.items())
        raise InputError(
            f"'{path}': one column is asked for twice ({pairs}); name source, target and each other column"
        )
    return picks


def _first_lines(path: Path, comments: str) -> tuple[list[_Line], str | None, int]:
    """Return the first data lines, the last comment line before them, and the number of comment lines."""
    sample: list[_Line] = []
    comment, n_comments = None, 0
    marks = tuple(mark.encode() for mark in comments)
    with closing(blocks(path, size=1 << 18, show=False)) as stream:
        for block in stream:
            data = block.data
            if b"\x00" in data:
                at = block.line + data.count(b"\n", 0, data.index(b"\x00"))
                raise ReadError(
                    f"'{path}', line {at}: found a zero byte, so this is no UTF-8 text: save it as UTF-8, "
                    "or say which format it has (format='parquet' or 'feather')"
                )
            for number, start, end in _filled_lines(data, block.line):
                raw = data[start:end].removesuffix(b"\n")
                if not sample and marks and raw.lstrip().startswith(marks):
                    comment, n_comments = raw.strip().decode(errors="replace"), n_comments + 1
                    continue
                if b"\r" in raw.rstrip(b"\r"):
                    raise ReadError(
                        f"'{path}', line {number}: found a carriage return inside the line: save the file with "
                        "the usual line ends (LF or CRLF)"
                    )
                # Bytes that are no UTF-8 matter only in the columns asked for; there the parser reports them.
                line = raw.rstrip(b"\r").decode("utf-8", errors="surrogateescape")
                sample.append(_Line(line, number, block.offset + start, block.offset + end))
                if len(sample) == N_SAMPLE:
                    return sample, comment, n_comments
    return sample, comment, n_comments


def _filled_lines(data: bytes, number: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of each line that is not blank; millions of blank ones are passed over at once."""
    at = 0
    while (filled := _BLANK.match(data, at).end()) < len(data):  # type: ignore[union-attr]
        start = max(data.rfind(b"\n", at, filled) + 1, at)
        number += data.count(b"\n", at, start)
        at = data.find(b"\n", filled) + 1 or len(data)
        yield number, start, at
        number += 1


def _split(line: str, delimiter: str, blanks: bool, quoted: bool) -> list[str]:
    if blanks:
        return re.findall(r"[^ \t]+", line)
    if quoted and '"' in line:
        return next(csv.reader([line], delimiter=delimiter), [])
    return line.split(delimiter)


def short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _delimiter(path: Path, lines: list[str], kind: str | None) -> tuple[str, bool, bool]:
    """Return the delimiter, whether any run of blanks separates, and whether fields may be quoted."""
    spaces = ("\t" if all("\t" in line for line in lines) else " ", True, False)
    if kind == "text":
        return spaces
    stem = path.name.lower()
    for suffix in (".gz", ".bz2", ".xz"):
        stem = stem.removesuffix(suffix)
    if kind == "csv" or stem.endswith((".csv", ".tsv")):
        found = [mark for mark in "\t;," if _width(lines, mark, quoted=True) > 1]
        if found:
            return found[0], False, True
        most = max(",;\t", key=lambda mark: sum(mark in line for line in lines))
        return most, False, True
    quotes = any(re.search(r'(?:^|\t)"', line) for line in lines)
    if quotes and all(map(_WELL_QUOTED.fullmatch, lines)) and _width(lines, "\t", quoted=True) > 1:
        return "\t", False, True
    n_tabs = _width(lines, "\t", quoted=False)
    if n_tabs > 1:
        fields = [field.strip() for line in lines for field in line.split("\t")]
        inner = any(" " in field for field in fields)
        if all(fields) and not (inner and all(_is_number(word) for field in fields for word in field.split())):
            return "\t", False, False
        return spaces
    for mark in ";,":
        if _width(lines, mark, quoted=True) > 1:
            n_words = {len(line.split()) for line in lines}
            beside = any(re.search(rf"\s{mark}|{mark}\s|{mark}$", line) for line in lines)
            if len(n_words) == 1 and min(n_words) > 1 and not beside:
                raise ReadError(
                    f"'{path}': the line {short(lines[0])} splits into equal fields at blanks and at '{mark}': "
                    "say format='text' (blanks) or format='csv'"
                )
            return mark, False, True
    if sum(len(line.split()) > 1 for line in lines) * 2 <= len(lines):
        for mark in "\t;,":
            if sum(mark in line for line in lines) * 2 > len(lines):  # some line is ragged: the parser says which
                return mark, False, True
    return spaces


def _width(lines: list[str], mark: str, *, quoted: bool) -> int:
    """Return the number of fields if all lines have as many, else 0; the first line may be a header of counts."""
    widths = {len(_split(line, mark, False, quoted)) for line in lines}
    return widths.pop() if len(widths) == 1 else 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _may_be_counts(first: list[str], *, forced: bool | None, unlikely: bool) -> bool:
    if forced is False or (not forced and unlikely):
        return False
    if not all(_WHOLE.fullmatch(field.strip()) for field in first):
        return False
    return len(first) == 2 or (len(first) == 3 and (bool(forced) or first[0] == first[1]))


def _is_header(path: Path, fields: list[list[str]], first: _Line, by_name: bool, delimiter: str) -> bool:
    """Whether the first line names the columns: text over numbers, or well-known words, or names were asked for."""
    words = [field.strip() for field in fields[0]]
    named = [word for word in words if word]
    if len(named) < 2 or any(_is_number(word) for word in named):
        return False
    if by_name or sum(word.lower() in _HEADER_WORDS for word in named) >= 2:
        return True
    body = fields[1:]
    if body and any(all(len(row) > i and _is_number(row[i]) for row in body) for i in range(len(words))):
        return True
    again = {field.strip() for row in body for field in row}
    if delimiter in ",;" and not again.intersection(named):
        raise ReadError(
            f"'{path}', line {first.number}: cannot tell whether {short(first.text)} is a header or an edge: "
            "say header=True or header=False"
        )
    return False


def rows_of(layout: Layout, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the 0-based line and the fields of each line of `text`, the slow way, to find what is wrong."""
    if layout.quoted:
        reader = csv.reader((line + "\n" for line in text.split("\n")), delimiter=layout.delimiter)
        start = 0
        with suppress(csv.Error):  # a field without end: the lines before it have been looked at
            for row in reader:
                if any(field.strip() for field in row) or len(row) > 1:
                    yield start, row
                start = reader.line_num
        return
    for number, line in enumerate(text.split("\n")):
        if line.strip():
            yield number, layout.split(line.rstrip("\r"))
