"""Edge files: SNAP text, CSV, Parquet and Feather, packed or not, become columns of labels or a `FollowerGraph`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._blocks import checked_file, magic
from ..errors import InputError, ReadError, did_you_mean
from ._text import Columns, read_text

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from ._build import Parallel
    from .follower_graph import FollowerGraph

logger = logging.getLogger(__name__)

__all__ = ["EdgeRows", "read_edge_rows", "read_edges"]

FORMATS = ("text", "csv", "parquet", "feather")
_ENDINGS = {".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather", ".ipc": "feather"}
_OTHERS = {
    ".json": "JSON",
    ".jsonl": "JSON",
    ".gml": "GML",
    ".graphml": "GraphML",
    ".gexf": "GEXF",
    ".xlsx": "Excel",
    ".npz": "NumPy",
    ".npy": "NumPy",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".mat": "MATLAB",
}


@dataclass(frozen=True, eq=False)
class EdgeRows:
    """The columns of an edge file, one entry a row, in the order of the file.

    Attributes
    ----------
    source, target : ndarray of int64 or pyarrow.ChunkedArray of string, shape (rows,)
        Labels of the two ends: whole numbers if all labels of both columns are, else text.
    weight : ndarray of float64, shape (rows,), or None
        The weights, if asked for.
    time : ndarray of int64 or float64, shape (rows,), or None
        The times in the unit of the file, if asked for.
    rows : int
        Number of edges read.
    path : Path
        The file.
    skipped_header : str or None
        The first line that was no edge: column names, or counts such as ``"15233 58891"``.
    comment_lines : int
        Lines before the first edge that were taken as comments.
    unread : tuple of int or str
        Columns that nobody asked for: their names, or their positions from 0 where there are no names.

    See Also
    --------
    graph.read_edge_rows, read_edges, FollowerGraph
    """

    source: NDArray[np.int64] | pa.ChunkedArray
    target: NDArray[np.int64] | pa.ChunkedArray
    weight: NDArray[np.float64] | None
    time: NDArray[Any] | None
    rows: int
    path: Path
    skipped_header: str | None = None
    comment_lines: int = 0
    unread: tuple[int | str, ...] = ()


def read_edges(
    path: str | os.PathLike[str],
    *,
    edges_mean: str | None = None,
    directed: bool,
    source: int | str | None = None,
    target: int | str | None = None,
    weight: int | str | None = None,
    time: int | str | None = None,
    parallel: Parallel = "collapse",
    combine: str | None = None,
    format: str | None = None,
    nodes: Iterable[Any] | None = None,
    header: bool | None = None,
    header_counts: bool | None = None,
    comments: str = "#%",
) -> FollowerGraph:
    r"""Read an edge file as a follower graph.

    Parameters
    ----------
    path : path-like
        A file of text (as SNAP serves it), CSV, Parquet or Feather; text and CSV may be packed by gzip, bzip2 or xz.
    edges_mean : {"follows", "influences"}, optional
        Whether a row (u, v) says that u follows v or that content flows from u to v; needed if `directed`.
    directed : bool
        False makes every row two arcs, one each way.
    source, target, weight, time : int or str, optional
        Columns by name or position from 0, see `read_edge_rows`.
    parallel : {"collapse", "keep"}
        Repeated arcs become one arc, or one arc with their number as its multiplicity.
    combine : {"sum", "max", "min", "mean", "noisy_or"}, optional
        How the weights of repeated arcs become one.
    format, header, header_counts, comments
        See `read_edge_rows`.
    nodes : iterable of labels, optional
        Further nodes; those without an edge are isolated.

    Returns
    -------
    FollowerGraph

    Raises
    ------
    MissingDataError, ReadError, NotFoundError, InputError
        See `read_edge_rows` and `FollowerGraph.from_arrays`.

    See Also
    --------
    graph.read_edge_rows, FollowerGraph.from_pandas, datasets.load

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from diffusion.graph.read import read_edges
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "follows.csv"
    >>> _ = file.write_text("follower,followee\nbob,ann\neve,ann\n")
    >>> g = read_edges(file, edges_mean="follows", directed=True)
    >>> g.n_nodes, g.n_edges
    (3, 2)
    """
    from .follower_graph import FollowerGraph

    rows = read_edge_rows(
        path,
        source=source,
        target=target,
        weight=weight,
        time=time,
        format=format,
        header=header,
        header_counts=header_counts,
        comments=comments,
    )
    graph = FollowerGraph.from_arrays(
        rows.source,
        rows.target,
        weight=rows.weight,
        time=rows.time,
        edges_mean=edges_mean,
        directed=directed,
        parallel=parallel,
        combine=combine,
        nodes=nodes,
    )
    if rows.comment_lines:
        logger.info("'%s': %s lines before the first edge were taken as comments", rows.path, f"{rows.comment_lines:,}")
    if rows.unread:
        logger.info(
            "'%s': not read: %s; source, target, weight and time name the columns that are",
            rows.path,
            ", ".join(f"column {name!r}" for name in rows.unread),
        )
    return replace(graph, _arcs=replace(graph._arcs, comment_lines=rows.comment_lines), _shared={})


def read_edge_rows(
    path: str | os.PathLike[str],
    *,
    source: int | str | None = None,
    target: int | str | None = None,
    weight: int | str | None = None,
    time: int | str | None = None,
    format: str | None = None,
    header: bool | None = None,
    header_counts: bool | None = None,
    comments: str = "#%",
) -> EdgeRows:
    r"""Read the columns of an edge file as they stand.

    Parameters
    ----------
    path : path-like
        A file of text (as SNAP serves it), CSV, Parquet or Feather; text and CSV may be packed by gzip, bzip2 or xz,
        whatever the file is called.
    source, target : int or str, optional
        Columns of the two ends, by name or position from 0. By default the columns called ``source`` and ``target``,
        else the first two.
    weight, time : int or str, optional
        Columns of numbers; read only if asked for.
    format : {"text", "csv", "parquet", "feather"}, optional
        By default what the file shows. ``"text"`` splits at any run of blanks and tabs; ``"csv"`` at a tab, semicolon
        or comma, with quotes.
    header : bool, optional
        Whether the first line of text or CSV names the columns; by default see Notes.
    header_counts : bool, optional
        Whether the first line holds counts (``15233 58891``) and is no edge; by default see Notes.
    comments : str, optional
        Marks that begin a comment line at the top of the file; ``""`` for none. How many lines were taken as comments
        stands in `EdgeRows.comment_lines` and `FollowerGraph.comment_lines`.

    Returns
    -------
    EdgeRows

    Raises
    ------
    MissingDataError
        No such file.
    ReadError
        A folder, an empty, damaged or truncated file; a line that is no edge, with its number; a missing label; text
        or NaN where a number is due; a first line that may be a header or an edge.
    NotFoundError
        No column of that name.
    InputError
        A position out of range, one column asked for twice, an unknown format.

    See Also
    --------
    read_edges

    Notes
    -----
    *Labels* are int64 if every label of both columns is a whole number below 2**63 written plainly; one label such as
    ``007`` or ``x1`` makes all of them text. Blanks around a label are not part of it.

    *Separators* without `format`: files called ``.csv`` or ``.tsv`` are CSV. In others a tab separates (labels may
    hold blanks) if the first lines have equally many tabs, else a semicolon or comma likewise, else any run of blanks.
    Quotes are those of CSV, a doubled one standing for one, wherever a semicolon or comma separates, and with tabs if
    every field of the first lines that begins with a quote is quoted so; between blanks they are part of a label.

    *A header of names* is a first line of text without numbers if columns are asked for by name, if two of its words
    are usual column names (``source``, ``follower``, ``user_id``), or if a column below it holds numbers alone. Names
    in the last comment line serve too (``# FromNodeId ToNodeId``).

    *A header of counts*, "n m" or "n n m" in whole numbers, is told in text files by what follows, R lines with
    labels: it is one if no label is above n, no more than n labels appear, m is above every label, and m is R, R/2 or
    within 1 % of R (in files below ten lines: only if n and m are exact); or if n and m are exactly the labels and
    lines counted. Where it could be both, an error asks for `header_counts`. `EdgeRows.skipped_header` shows a line
    that was left out.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from diffusion.graph.read import read_edge_rows
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "toy.txt"
    >>> _ = file.write_text("# FromNodeId ToNodeId\n0\t4\n0\t70\n")
    >>> rows = read_edge_rows(file)
    >>> rows.source, rows.target, rows.rows
    (array([0, 0]), array([ 4, 70]), 2)
    """
    if format is not None and format not in FORMATS:
        raise InputError(
            f"format={format!r} is not known: use one of {', '.join(FORMATS)}{did_you_mean(format, FORMATS)}"
        )
    if not isinstance(comments, str):
        raise InputError(f"comments={comments!r} is no text: give the marks that begin a comment, such as '#%', or ''")
    file = checked_file(path)
    wished = {"source": source, "target": target, "weight": weight, "time": time}
    kind = format or magic(file) or _by_name(file)
    if kind in ("parquet", "feather"):
        from ._tables import read_table

        columns = read_table(file, wished, kind)
    else:
        columns = read_text(file, wished, kind=kind, header=header, header_counts=header_counts, comments=comments)
    return _joined(file, columns)


def _by_name(file: Path) -> str | None:
    endings = [ending.lower() for ending in file.suffixes[-2:]]
    if endings and endings[-1] in (".gz", ".bz2", ".xz"):
        endings.pop()
    ending = endings[-1] if endings else ""
    if ending in _OTHERS:
        raise ReadError(
            f"'{file}' looks like {_OTHERS[ending]}, which is not read here: use one of {', '.join(FORMATS)}; "
            "if it is one of these, say format="
        )
    return _ENDINGS.get(ending)


def _joined(file: Path, columns: Columns) -> EdgeRows:
    rows = columns.rows
    joined = {role: _one_array(columns.chunks.pop(role), rows) for role in list(columns.chunks)}
    return EdgeRows(
        source=joined["source"],
        target=joined["target"],
        weight=joined.get("weight"),
        time=joined.get("time"),
        rows=rows,
        path=file,
        skipped_header=columns.header,
        comment_lines=columns.comment_lines,
        unread=columns.unread,
    )


def _one_array(chunks: list[Any], rows: int) -> Any:
    """Join the pieces of a column, and let go of each piece once it is copied."""
    import pyarrow as pa

    if not isinstance(chunks[0], np.ndarray):
        return pa.chunked_array(chunks)
    out = np.empty(rows, dtype=chunks[0].dtype)
    end = rows
    while chunks:
        chunk = chunks.pop()
        out[end - len(chunk) : end] = chunk
        end -= len(chunk)
    return out
