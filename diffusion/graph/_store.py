"""One Arrow file a graph: every array is one list value, so a memory map gives it back without a copy."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .._files import whole_file
from .._version import __version__
from ..errors import InputError, MissingDataError, ReadError
from ._build import Arcs
from ._parts import Probabilities

if TYPE_CHECKING:
    from .follower_graph import FollowerGraph

__all__ = ["load", "save"]

FORMAT = "2"
KEY, DIGEST = b"diffusion.graph", b"diffusion.digest"


def _as_list(values: pa.Array) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)


def _labels_to_arrow(labels: pd.Index[Any]) -> pa.Array:
    if labels.dtype.kind in "iuf":
        return pa.array(labels.to_numpy())
    kinds = {type(label) for label in labels}
    if kinds <= {str}:
        return pa.array(labels.tolist(), pa.large_string())
    raise InputError(
        f"node labels of type {', '.join(sorted(kind.__name__ for kind in kinds))} cannot be saved: a file holds labels "
        "that are all whole numbers of 64 bits, all numbers or all text; relabel the nodes first"
    )


def _checksum(values: pa.Array) -> list[int]:
    """Length, exclusive or and sum of all 64-bit words of a column: found at the speed of memory, changed by any flipped bit."""
    if pa.types.is_large_string(values.type):
        _, offsets, text = values.buffers()
        ends = np.frombuffer(offsets, np.int64)[: len(values) + 1]
        parts = [ends, np.frombuffer(text, np.uint8)[: int(ends[-1])] if text is not None else np.empty(0, np.uint8)]
    elif pa.types.is_primitive(values.type) and values.null_count == 0 and not pa.types.is_boolean(values.type):
        parts = [values.to_numpy(zero_copy_only=True)]
    else:  # an attribute of the nodes
        parts = [pd.util.hash_array(np.asarray(values.to_pandas().astype(object)))]
    either, total = 0, 0
    for part in parts:
        raw = np.ascontiguousarray(part).view(np.uint8)
        whole = raw[: raw.size // 8 * 8].view(np.uint64)
        rest = int.from_bytes(raw[whole.size * 8 :].tobytes(), "little")
        either ^= int(np.bitwise_xor.reduce(whole)) ^ rest if whole.size else rest
        total += int(whole.sum(dtype=np.uint64)) + rest
    return [len(values), either, total % 2**64]


def save(graph: FollowerGraph, path: str | os.PathLike[str]) -> None:
    """See `FollowerGraph.save`."""
    arcs = graph._arcs
    columns: dict[str, pa.Array] = {"labels": _labels_to_arrow(arcs.labels)}
    for name in ("order", "indptr", "indices", "multiplicity", "weight", "time"):
        values = getattr(arcs, name)
        if values is not None:
            columns[name] = pa.array(values)
    if graph.probabilities is not None:
        columns["probability"] = pa.array(graph.probabilities.values)
    for name, values in graph.attributes.items():
        try:
            columns[f"node:{name}"] = pa.array(pd.Series(values), from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InputError(f"the node attribute {name!r} cannot be saved ({error}): give it one type") from None
    columns = {k: v.combine_chunks() if isinstance(v, pa.ChunkedArray) else v for k, v in columns.items()}
    columns = {k: v.chunk(0) if isinstance(v, pa.ChunkedArray) else v for k, v in columns.items()}
    header: dict[str, Any] = {
        "format": FORMAT,
        "diffusion": __version__,
        "edges_mean": graph.edges_mean,
        "directed": graph.directed,
        "parallel": graph.parallel,
        "rows": arcs.rows,
        "dropped_self_loops": arcs.dropped_self_loops,
        "dropped_parallel": arcs.dropped_parallel,
        "comment_lines": arcs.comment_lines,
        "checksums": {name: _checksum(values) for name, values in columns.items()},
    }
    if graph.probabilities is not None:
        header["rule"] = graph.probabilities.rule
        header["parameters"] = graph.probabilities.parameters
    batch = pa.record_batch([_as_list(values) for values in columns.values()], names=list(columns))
    text = json.dumps(header).encode()
    batch = batch.replace_schema_metadata(
        {KEY: text, DIGEST: hashlib.blake2b(text, digest_size=16).hexdigest().encode()}
    )
    with whole_file(path) as part, pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def load(path: str | os.PathLike[str], *, memory_map: bool) -> tuple[Any, ...]:
    """Return the fields of a saved graph; see `FollowerGraph.load`."""
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"there is no file '{file}': save a graph with graph.save('{file}') first")
    try:
        source = pa.memory_map(str(file)) if memory_map else pa.py_buffer(file.read_bytes())
        reader = pa.ipc.open_file(source)
        metadata = reader.schema.metadata or {}
        text = metadata.get(KEY)
        header = json.loads(text) if text is not None else None
        batch = reader.get_batch(0) if header is not None and header.get("format") == FORMAT else None
        if batch is not None:
            batch.validate(full=True)  # Arrow trusts offsets as they stand in the file
    except (pa.ArrowException, OSError, ValueError, AttributeError) as error:
        raise ReadError(
            f"'{file}' is not a whole saved graph ({error}): it was cut short or is another kind of file; save it again"
        ) from None
    if header is None:
        raise ReadError(f"'{file}' is an Arrow file but not a graph saved by this package; use read_edges for tables")
    if batch is None:
        raise ReadError(
            f"'{file}' has graph format {header.get('format')!r}, written by diffusion {header.get('diffusion')}; this "
            f"version reads format {FORMAT!r}: save it again from the edges"
        )
    again = "save the graph again from the edges"
    if metadata.get(DIGEST) != hashlib.blake2b(text or b"", digest_size=16).hexdigest().encode():
        raise ReadError(f"'{file}' is damaged: its header is not the one that was saved; {again}")
    if set(batch.schema.names) != set(header["checksums"]):
        raise ReadError(f"'{file}' is damaged: its columns are not those that were saved; {again}")
    columns = {name: batch.column(i).values for i, name in enumerate(batch.schema.names)}
    # Kernels do not look at bounds: one flipped bit in an index would have them write anywhere.
    damaged = [name for name, values in columns.items() if _checksum(values) != header["checksums"][name]]
    if damaged:
        raise ReadError(
            f"'{file}' is damaged: the values of {', '.join(damaged)} are not those that were saved; {again}"
        )
    arrays: dict[str, Any] = {
        name: columns[name].to_numpy(zero_copy_only=True) if name in columns else None
        for name in ("order", "indptr", "indices", "multiplicity", "weight", "time", "probability")
    }
    labels = columns["labels"]
    if pa.types.is_large_string(labels.type):
        index = pd.Index(pd.Series(labels, dtype=pd.StringDtype("pyarrow", na_value=np.nan)))
    else:
        index = pd.Index(labels.to_numpy())
    probability = arrays.pop("probability")
    arcs = Arcs(
        labels=index,
        rows=header["rows"],
        dropped_self_loops=header["dropped_self_loops"],
        dropped_parallel=header["dropped_parallel"],
        comment_lines=header.get("comment_lines", 0),
        **arrays,
    )
    parameters = {k: tuple(v) if isinstance(v, list) else v for k, v in header.get("parameters", {}).items()}
    return (
        arcs,
        header["edges_mean"],
        header["directed"],
        header["parallel"],
        None if probability is None else Probabilities(probability, header["rule"], parameters),
        {name[5:]: values.to_pandas().array for name, values in columns.items() if name.startswith("node:")},
    )
