"""Files of logs: tables with one adoption a row, and the cascade formats of published data, one cascade a line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._blocks import blocks, checked_file
from ..errors import ReadError
from .action_log import ActionLog

__all__ = ["read_actions", "read_cascades"]

WHOLE = r"0|-?[1-9]\d{0,17}"  # text that reads as a number and as nothing else


def read_actions(
    path: str | os.PathLike[str],
    *,
    item: Any = "item",
    user: Any = "user",
    time: Any = "time",
    sep: str = ",",
    repeated: str = "first",
) -> ActionLog:
    r"""Read a table with one adoption a row: CSV, packed or not, or Parquet.

    Parameters
    ----------
    path : path-like
        Files called ``.parquet`` or ``.pq`` are Parquet, all others text with a header line.
    item, user, time : column names
    sep : str
        Separator of text; ``"\t"`` for tabs.
    repeated : {"first", "error"}
        As in `ActionLog.from_arrays`.

    Returns
    -------
    ActionLog

    Raises
    ------
    MissingDataError, ReadError
        No such file, or one that is no table.
    NotFoundError, InputError
        See `ActionLog.from_pandas`.

    See Also
    --------
    inference.read_cascades, inference.ActionLog.from_pandas

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = file.write_text("item,user,time\nfilm,ann,2024-05-01\nfilm,bob,2024-05-03\n")
    >>> read_actions(file)
    ActionLog: 2 adoptions of 1 item by 2 users; cascades from 2 to 2, median 2
    """
    file = checked_file(path, "adoption")
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            table = pd.read_parquet(file)
        else:
            table = pd.read_csv(file, sep=sep, engine="pyarrow", dtype={item: "string", user: "string"})
            for name in {item, user} & set(table.columns):  # numbers only where all are written plainly: 007 is a label
                if table[name].str.fullmatch(WHOLE).all():
                    table[name] = table[name].astype(np.int64)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise ReadError(f"'{file}' cannot be read as a table ({error}): check sep=, or read it with pandas") from None
    return ActionLog.from_pandas(table, item=item, user=user, time=time, repeated=repeated)


def read_cascades(path: str | os.PathLike[str], *, leading: bool | None = None, repeated: str = "first") -> ActionLog:
    r"""Read a file with one cascade a line: users and times in turn, with blanks or commas between them.

    Parameters
    ----------
    path : path-like
        Text, packed by gzip, bzip2 or xz or not.
    leading : bool, optional
        Whether each line begins with one more label (a root or a name), which is no adoption. By default it does if a
        line has an odd number of entries.
    repeated : {"first", "error"}
        As in `ActionLog.from_arrays`.

    Returns
    -------
    ActionLog
        The items are lines, from 0.

    Raises
    ------
    MissingDataError, ReadError
        No such file; a line with an entry too few, or a time that is no number, with its number.

    See Also
    --------
    inference.read_actions

    Notes
    -----
    Reads ``user,time user,time`` (MemeTracker as in FOREST, Weibo), ``root user time,user time`` (MS-HGAT),
    ``root user time user time`` (TopoLSTM), and ``user,time,user,time`` after a list of nodes and an empty line
    (NetRate). The list of nodes is passed over.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "cascades.txt"
    >>> _ = file.write_text("7,0.5 3,1.5\n3,2 8,9\n")
    >>> read_cascades(file).to_pandas()["user"].tolist()
    [7, 3, 3, 8]
    """
    file = checked_file(path, "adoption")
    lines = list(_lines(file))
    blank = next((i for i, (_, text) in enumerate(lines) if not text), None)
    if blank is not None and any(text for _, text in lines[blank:]):
        lines = lines[blank:]
    entries = [(number, re.split(r"[\s,]+", text)) for number, text in lines if text]
    if not entries:
        raise ReadError(f"'{file}' holds no cascades")
    odd = len(entries[0][1]) % 2 == 1 if leading is None else bool(leading)
    item: list[Any] = []
    for i, (number, words) in enumerate(entries):
        if len(words) % 2 != odd or len(words) < 2:
            raise ReadError(
                f"'{file}', line {number}: {len(words)} entries, where {'an odd' if odd else 'an even'} number is due "
                f"({'a label, then ' if odd else ''}users and times in turn): mend the line, or say leading="
            )
        item.append(np.full((len(words) - odd) // 2, i))
    users = [word for _, words in entries for word in words[odd::2]]
    times = [word for _, words in entries for word in words[odd + 1 :: 2]]
    try:
        when = np.array(times, np.float64)
    except ValueError:
        for number, words in entries:
            for word in words[odd + 1 :: 2]:
                if not _is_number(word):
                    raise ReadError(f"'{file}', line {number}: the time {word!r} is no number") from None
        raise
    whole = all(re.fullmatch(WHOLE, word) for word in users)
    labels = np.array(users, np.int64) if whole else np.array(users, object)
    return ActionLog.from_arrays(np.concatenate(item), labels, when, repeated=repeated)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    for block in blocks(file):
        try:
            text = block.data.decode()
        except UnicodeDecodeError as error:
            raise ReadError(f"'{file}' is no text in UTF-8 ({error}): get the file again") from None
        for number, line in enumerate(text.removesuffix("\n").split("\n"), block.line):
            yield number, line.strip(" \t\r\n,")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
