"""Edge files: every format, every error with its line, header rules, and counts of real files."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diffusion import _blocks
from diffusion.errors import InputError, MissingDataError, NotFoundError, ReadError
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.graph.read import EdgeRows, read_edge_rows, read_edges

PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(content: str | bytes, name: str = "edges.txt") -> Path:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return to_file


def pairs(rows: EdgeRows) -> list[tuple[Any, Any]]:
    ends = [end.to_pylist() if isinstance(end, pa.ChunkedArray) else end.tolist() for end in (rows.source, rows.target)]
    return list(zip(*ends, strict=True))


# -- text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "1 20\n3 4\n-7 9000000000000000000\n",
        "1 20\n3 4\n-7 9000000000000000000",
        "1\t20\r\n3\t4\r\n-7\t9000000000000000000\r\n",
        "# a b c\n#\n% x\n  # y\n\n1 20\n\n3 4\n-7 9000000000000000000\n\n",
        "  1    20  \n\t3 \t 4\n-7 9000000000000000000 \n   \n",
        "  1    20  \r\n\t3 \t 4\r\n   \r\n-7 9000000000000000000 \t\r\n",
        "\ufeff1 20\n3 4\n-7 9000000000000000000\n",
        "1,20\n3, 4\n-7,9000000000000000000\n",
        "1;20\n3;4\n-7;9000000000000000000\n",
    ],
)
def test_text_layouts_give_the_same_rows(write: Callable[..., Path], content: str) -> None:
    rows = read_edge_rows(write(content))
    assert pairs(rows) == [(1, 20), (3, 4), (-7, 9_000_000_000_000_000_000)]
    assert isinstance(rows.source, np.ndarray)
    assert rows.source.dtype == rows.target.dtype == np.int64
    assert rows.weight is rows.time is rows.skipped_header is None
    assert rows.rows == 3
    assert rows.path.name == "edges.txt"


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("renamed", [False, True])
def test_packed_files_give_the_same_rows(write: Callable[..., Path], ending: str, renamed: bool) -> None:
    content = "# c\n" + "".join(f"{i} {i * i}\n" for i in range(5000))
    plain = read_edge_rows(write(content))
    packed = read_edge_rows(write(PACKERS[ending](content.encode()), "edges.txt" + ("" if renamed else ending)))
    np.testing.assert_array_equal(plain.source, packed.source)
    np.testing.assert_array_equal(plain.target, packed.target)


def test_packed_parts_in_a_row_are_one_file_and_zeros_are_padding(write: Callable[..., Path]) -> None:
    parts = gzip.compress(b"1 2\n3") + gzip.compress(b" 4\n5 6\n") + b"\x00" * 512
    assert pairs(read_edge_rows(write(parts, "edges.txt.gz"))) == [(1, 2), (3, 4), (5, 6)]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_the_size_of_blocks_changes_nothing(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    content = "# comment\n\n" + "".join(f"{i}  {i + 1} {i / 4}\r\n" for i in range(300))
    file = write(content)
    whole = read_edge_rows(file, weight=2)
    cut = [block.data for block in _blocks.blocks(file, size=size)]
    assert b"".join(cut) == content.encode()
    original = _blocks.blocks
    monkeypatch.setattr("diffusion.graph._text.blocks", lambda path: original(path, size=size))
    again = read_edge_rows(file, weight=2)
    np.testing.assert_array_equal(whole.source, again.source)
    np.testing.assert_array_equal(whole.target, again.target)
    np.testing.assert_array_equal(whole.weight, np.arange(300) / 4)
    np.testing.assert_array_equal(again.weight, np.arange(300) / 4)


def test_lines_are_counted_across_blocks(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("# c\n" + "1 2\n" * 500 + "3\n" + "1 2\n" * 500)
    original = _blocks.blocks
    monkeypatch.setattr("diffusion.graph._text.blocks", lambda path: original(path, size=100))
    with pytest.raises(ReadError, match="line 502: found one field, '3'"):
        read_edge_rows(file)


def test_weight_and_time_are_read_when_asked_for(write: Callable[..., Path]) -> None:
    file = write("1 2 0.5 1341100972 MT\n3 4 1e-3 1341100973 RT\n")
    rows = read_edge_rows(file, weight=2, time=3)
    assert rows.weight is not None
    assert rows.time is not None
    assert rows.weight.dtype == np.float64
    assert rows.weight.tolist() == [0.5, 0.001]
    assert rows.time.dtype == np.int64
    assert rows.time.tolist() == [1341100972, 1341100973]
    assert pairs(read_edge_rows(file, source=1, target=0)) == [(2, 1), (4, 3)]


def test_times_with_decimals_are_floats_even_if_they_come_late(write: Callable[..., Path]) -> None:
    rows = read_edge_rows(write("1 2 5\n" * 3 + "1 2 5.25\n"), time=2)
    assert rows.time is not None
    assert rows.time.dtype == np.float64
    assert rows.time.tolist() == [5, 5, 5, 5.25]


def test_one_text_label_makes_all_labels_text(write: Callable[..., Path]) -> None:
    rows = read_edge_rows(write("1 2\n" * 400 + "3 x9\n"))
    assert isinstance(rows.source, pa.ChunkedArray)
    assert isinstance(rows.target, pa.ChunkedArray)
    assert rows.source.type == rows.target.type == pa.string()
    assert pairs(rows)[0] == ("1", "2")
    assert pairs(rows)[-1] == ("3", "x9")


@pytest.mark.parametrize("label", ["007", "0x1f", "00", "99999999999999999999", "NA", "nan", "null", "+1", "1.0"])
def test_labels_that_a_number_would_change_stay_text(write: Callable[..., Path], label: str) -> None:
    for content in (f"{label} 1\n2 3\n", f"2 3\n1 {label}\n", f"2 3\n{label} 1", f"2\t3\n1\t{label}"):
        assert any(label in pair for pair in pairs(read_edge_rows(write(content))))


def test_zeros_in_other_columns_leave_labels_numbers(write: Callable[..., Path]) -> None:
    rows = read_edge_rows(write("0 1 0.5 012\n10 0 0.25 013\n"), weight=2, time=3)
    assert pairs(rows) == [(0, 1), (10, 0)]


def test_labels_with_blanks_need_tabs(write: Callable[..., Path]) -> None:
    assert pairs(read_edge_rows(write("Ann Lee\tBob \n王 芳\t#x y\n"))) == [("Ann Lee", "Bob"), ("王 芳", "#x y")]
    assert pairs(read_edge_rows(write("1\t2 3\n4\t5 6\n"))) == [(1, 2), (4, 5)]  # numbers: any blank separates


def test_hashtags_are_labels_without_comments(write: Callable[..., Path]) -> None:
    file = write("#a u1\n#b u2\nu3 #c\n")
    assert pairs(read_edge_rows(file)) == [("u3", "#c")]
    assert pairs(read_edge_rows(file, comments="")) == [("#a", "u1"), ("#b", "u2"), ("u3", "#c")]
    with pytest.raises(ReadError, match=r"line 2: '#b u2' begins with '#' after the first edge.*comments=''"):
        read_edge_rows(write("a b\n#b u2\nc d\n"))


# -- headers of names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "wished", "expected", "header"),
    [
        ("source,target\na,b\n", {}, [("a", "b")], "source,target"),
        ("uid_a,uid_b\n1,2\n", {}, [(1, 2)], "uid_a,uid_b"),
        ("x,y,w\na,b,2.5\n", {}, [("a", "b")], "x,y,w"),
        ("w;target;source\n.5;b;a\n", {}, [("a", "b")], "w;target;source"),
        ("from\tto\nann lee\tb\n", {"source": "to", "target": "from"}, [("b", "ann lee")], "from\tto"),
        (",source,target\n0,a,b\n", {}, [("a", "b")], ",source,target"),
        ("a,b\nc,b\n", {}, [("a", "b"), ("c", "b")], None),
        ("1,2\n3,4\n", {}, [(1, 2), (3, 4)], None),
        ('"a,1","say ""hi"""\r\n"b","a,1"\r\n', {}, [("a,1", 'say "hi"'), ("b", "a,1")], None),
        ('"1","2"\n"3","4"\n', {}, [(1, 2), (3, 4)], None),
    ],
)
def test_csv(
    write: Callable[..., Path], content: str, wished: dict[str, Any], expected: list[Any], header: str | None
) -> None:
    rows = read_edge_rows(write(content, "edges.csv"), **wished)
    assert pairs(rows) == expected
    assert rows.skipped_header == header


def test_a_header_is_asked_for_where_nobody_can_tell(write: Callable[..., Path]) -> None:
    file = write("ann,bob\ncyd,dan\n", "edges.csv")
    with pytest.raises(ReadError, match=r"line 1: cannot tell.*'ann,bob'.*header=True or header=False"):
        read_edge_rows(file)
    assert pairs(read_edge_rows(file, header=True)) == [("cyd", "dan")]
    assert pairs(read_edge_rows(file, header=False)) == [("ann", "bob"), ("cyd", "dan")]


def test_names_may_stand_in_the_last_comment(write: Callable[..., Path]) -> None:
    file = write("# some graph\n# FromNodeId\tToNodeId\n1\t2\n")
    assert pairs(read_edge_rows(file, source="ToNodeId", target="FromNodeId")) == [(2, 1)]


def test_weight_by_name(write: Callable[..., Path]) -> None:
    rows = read_edge_rows(write("follower,followee,score\na,b,2\n", "edges.csv"), weight="score")
    assert rows.weight is not None
    assert rows.weight.tolist() == [2.0]


def test_a_row_index_is_not_taken_for_a_label(write: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="column 0 has no name"):
        read_edge_rows(write(",from_id,to_id\n0,a,b\n", "edges.csv"))


# -- headers of counts -------------------------------------------------------------------------------------------------

RING = "".join(f"{i} {(i + 1) % 20}\n" for i in range(20))  # 20 labels, 20 lines
COMPLETE = "".join(f"{i} {j}\n" for i in range(8) for j in range(i))  # 8 labels, 28 lines


@pytest.mark.parametrize(
    ("first", "body"),
    [
        ("8 28", COMPLETE),
        ("10 28", COMPLETE),  # two nodes without an edge
        ("8 14", COMPLETE),  # each edge counted once and listed twice
        ("8 8 28", COMPLETE),
        ("20 20", RING),
        ("8 28", COMPLETE.replace("\n", " 0.5\n")),
        ("8 8 28", COMPLETE.replace("\n", " 3\n")),
        ("3 3", "0 1\n1 2\n2 0\n"),
        ("26 104", "".join(f"{chr(97 + i % 26)} {chr(97 + (i + 1) % 26)}\n" for i in range(104))),
    ],
)
def test_counts_are_skipped(write: Callable[..., Path], first: str, body: str) -> None:
    file = write(f"# comment\n{first}\n{body}")
    rows = read_edge_rows(file)
    assert rows.rows == body.count("\n")
    assert rows.skipped_header == first
    assert read_edge_rows(file, header_counts=True).rows == rows.rows


@pytest.mark.parametrize(
    ("first", "body"),
    [
        ("0 1", COMPLETE),
        ("7 6", COMPLETE),
        ("0 28", COMPLETE),  # 28 lines follow, but node 0 exists: no count of nodes
        ("5 28", COMPLETE),
        ("1000 2000", COMPLETE),
        ("2 2", RING),
        ("0 3", "1 3\n2 3\n0 1\n"),
        ("1 2", ""),
        ("5 7 3", COMPLETE.replace("\n", " 3\n")),
        ("3 4", "1 2\n"),
    ],
)
def test_edges_are_not_taken_for_counts(write: Callable[..., Path], first: str, body: str) -> None:
    rows = read_edge_rows(write(f"{first}\n{body}"))
    assert rows.skipped_header is None
    assert rows.rows == body.count("\n") + 1
    assert pairs(rows)[0] == tuple(int(word) for word in first.split()[:2])


@pytest.mark.parametrize(
    ("first", "body"),
    [
        ("5 4", "0 1\n1 2\n2 3\n3 4\n"),  # a path of five nodes, or the edge from 5 to 4
        ("2 1", "0 1\n"),
        ("8 500", COMPLETE),  # two new labels, just above all others
    ],
)
def test_counts_that_may_be_an_edge_are_asked_for(write: Callable[..., Path], first: str, body: str) -> None:
    file = write(f"{first}\n{body}")
    with pytest.raises(ReadError, match=f"line 1: cannot tell whether '{first}'.*header_counts=True or"):
        read_edge_rows(file)
    assert read_edge_rows(file, header_counts=True).rows == body.count("\n")
    assert read_edge_rows(file, header_counts=False).rows == body.count("\n") + 1


def test_wrong_use_of_header_counts(write: Callable[..., Path]) -> None:
    with pytest.raises(ReadError, match=r"line 1: found 2 fields, '5 7'.*have 3.*header_counts=True"):
        read_edge_rows(write("5 7\n" + COMPLETE.replace("\n", " 0.5\n")))
    with pytest.raises(ReadError, match=r"line 2: header_counts=True asks for.*found 'a b'"):
        read_edge_rows(write("#\na b\nc d\n"), header_counts=True)
    with pytest.raises(ReadError, match="holds no edges, only the header '3 4'"):
        read_edge_rows(write("3 4\n"), header_counts=True)


# -- tables ------------------------------------------------------------------------------------------------------------


def write_table(table: pa.Table, file: Path) -> Path:
    if file.suffix == ".parquet":
        pq.write_table(table, file, row_group_size=2)
    else:
        pa.feather.write_feather(table, file, chunksize=2)
    return file


@pytest.mark.parametrize("name", ["e.parquet", "e.feather", "PARQUET", "FEATHER"])
def test_tables(tmp_path: Path, name: str) -> None:
    table = pa.table(
        {
            "w": [1, 2, 3],
            "target": pa.array([2, 3, 4], pa.int32()),
            "t": [0.5, 1.5, 2.5],
            "source": pa.array([7, 8, 9], pa.uint64()),
            "name": pa.array(["x", "y", "x"]).dictionary_encode(),
        }
    )
    file = tmp_path / ("e.parquet" if name == "PARQUET" else "e.feather" if name == "FEATHER" else name)
    write_table(table, file)
    if name.isupper():  # the first bytes tell the format
        file = file.rename(tmp_path / "edges.bin")
    rows = read_edge_rows(file, weight="w", time="t")
    assert pairs(rows) == [(7, 2), (8, 3), (9, 4)]
    assert isinstance(rows.source, np.ndarray)
    assert rows.source.dtype == np.int64
    assert rows.weight is not None
    assert rows.time is not None
    assert rows.weight.tolist() == [1.0, 2.0, 3.0]
    assert rows.time.tolist() == [0.5, 1.5, 2.5]
    rows = read_edge_rows(file, source="name", target=1, time="w")
    assert pairs(rows) == [("x", "2"), ("y", "3"), ("x", "4")]
    assert rows.time is not None
    assert rows.time.dtype == np.int64


@pytest.mark.parametrize("name", ["e.parquet", "e.feather"])
@pytest.mark.parametrize(
    ("table", "wished", "error", "message"),
    [
        ({"a": [1, 2, None], "b": [1, 2, 3]}, {}, ReadError, r"row 2 \(from 0\): the source in column 'a' is missing"),
        ({"a": ["x", "y", " "], "b": [1, 2, 3]}, {}, ReadError, r"row 2 \(from 0\): the source in column 'a' is"),
        ({"a": [1, 2], "b": [1, 2], "w": [0.1, float("nan")]}, {"weight": "w"}, ReadError, r"row 1 .*weight.* nan"),
        ({"a": [1, 2], "b": [1, 2], "w": [0.1, float("inf")]}, {"weight": 2}, ReadError, r"row 1 .*weight.* inf"),
        ({"a": [1], "b": [1], "w": ["x"]}, {"weight": "w"}, ReadError, "weight column 'w' holds string"),
        ({"a": [1.0], "b": [1]}, {}, ReadError, "source column 'a' holds double"),
        ({"a": [1], "b": [1]}, {"weight": "wait"}, NotFoundError, "no column 'wait' for weight.*'a', 'b'"),
        ({"a": [1], "b": [1]}, {"weight": 2}, InputError, "weight=2 is out of range"),
        ({"a": [1]}, {}, ReadError, "has 1 column"),
        ({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}, {}, ReadError, "holds no edges"),
    ],
)
def test_table_errors(
    tmp_path: Path, name: str, table: dict[str, Any], wished: dict[str, Any], error: type[Exception], message: str
) -> None:
    file = write_table(pa.table(table), tmp_path / name)
    with pytest.raises(error, match=message):
        read_edge_rows(file, **wished)


@pytest.mark.parametrize("name", ["e.parquet", "e.feather"])
def test_a_cut_table_is_an_error(tmp_path: Path, name: str) -> None:
    file = write_table(pa.table({"a": [1, 2], "b": [3, 4]}), tmp_path / name)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ReadError, match=rf"{name}' cannot be read as"):
        read_edge_rows(file)


def test_large_unsigned_labels_become_text(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([2**64 - 1], pa.uint64()), "b": [5]})
    assert pairs(read_edge_rows(write_table(table, tmp_path / "e.parquet"))) == [("18446744073709551615", "5")]


# -- errors ------------------------------------------------------------------------------------------------------------


def test_missing_files_and_folders(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("1 2\n", "soc-Epinions1.txt")
    with pytest.raises(MissingDataError, match=r"no file 'soc-Epinion1.txt'.*Did you mean 'soc-Epinions1.txt'"):
        read_edge_rows(tmp_path / "soc-Epinion1.txt")
    with pytest.raises(MissingDataError, match=r"folder .* does not exist"):
        read_edge_rows(tmp_path / "no" / "e.txt")
    with pytest.raises(ReadError, match="is a folder"):
        read_edge_rows(tmp_path)


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("rows", [10, 200_000])
def test_truncated_files(write: Callable[..., Path], ending: str, rows: int) -> None:
    content = "\n".join(f"{i * 7919 % 100_003} {i}" for i in range(rows)).encode()
    file = write(PACKERS[ending](content)[:-9], "edges.txt" + ending)
    with pytest.raises(ReadError, match=rf"edges.txt{ending}' is (truncated|damaged)"):
        read_edge_rows(file)


def test_a_truncated_gzip_is_named_so_and_a_damaged_one_too(write: Callable[..., Path]) -> None:
    packed = gzip.compress(b"".join(b"%d %d\n" % (i, i * i) for i in range(9000)))
    for end in (len(packed) - 1, len(packed) // 2, 12):
        with pytest.raises(ReadError, match=r"e.gz' is truncated: the gzip data ends"):
            read_edge_rows(write(packed[:end], "e.gz"))
    broken = packed[:-6] + b"\x00\x01" + packed[-4:]  # the checksum
    with pytest.raises(ReadError, match=r"e.gz' is damaged"):
        read_edge_rows(write(broken, "e.gz"))
    with pytest.raises(ReadError, match=r"e.gz' is damaged"):
        read_edge_rows(write(packed + b"rubbish", "e.gz"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"is empty \(0 bytes\)"),
        ("\n \n\r\n", "holds no edges, only blank lines or comments"),
        ("# a\n% b\n", "holds no edges, only blank lines or comments"),
        ("1 2\n3 4\n5\n", "line 3: found one field, '5'; an edge needs"),
        ("# c\n\n1 2\n5\n3 4\n", "line 4: found one field, '5'"),
        ("# c\n5\n6\n", "line 2: found one field, '5'"),
        ("1 2\n3 4 5\n6 7\n", "line 2: found 3 fields, '3 4 5', where most lines have 2"),
        ("1,2\n3,\n", "line 2: the target .column 1. is empty"),
        ("1,2\n, 3\n", "line 2: the source .column 0. is empty"),
        ("a,b\n ,b\n", "line 2: the source .column 0. is empty"),
        ('a,b\n"",b\n', "line 2: the source .column 0. is empty"),
        ("1\t2\n" * 300 + "3\t\n", "line 301: the target .column 1. is empty"),
        ('a,b\nb,a\n"x\ny",b\n', r"line 3: the source .column 0. holds a line break"),
        ('a,b\nb,a\n"x,a\nc,d\n', r"line 3: found one field"),
        ("1,2\n3,4,5\n6,7\n", "line 2: found 3 fields, '3 4 5', where most lines have 2"),
        (b"a b\n\xff c\n", r"line 2: the source .column 0. is not UTF-8 text"),
        ("a b\n".encode("utf-16"), "line 1: found a zero byte"),
        ("1 2\r3 4\r", "line 1: found a carriage return inside"),
        ("ann bob,x\ncyd dan,y\n", "the line 'ann bob,x' splits into equal fields at blanks and at ','"),
    ],
)
def test_lines_that_are_no_edges(write: Callable[..., Path], content: str | bytes, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read_edge_rows(write(content))


def test_a_header_alone_is_no_edge(write: Callable[..., Path]) -> None:
    with pytest.raises(ReadError, match="holds no edges, only the header 'source,target'"):
        read_edge_rows(write("source,target\n", "e.csv"))
    with pytest.raises(ReadError, match=r"line 1: the header names 2 columns and the lines after it have 3"):
        read_edge_rows(write("source,target\n1,2,3\n", "e.csv"))


def test_bytes_that_are_no_utf8_do_not_matter_elsewhere(write: Callable[..., Path]) -> None:
    assert pairs(read_edge_rows(write(b"# caf\xe9\n1 2 caf\xe9\n"))) == [(1, 2)]


@pytest.mark.parametrize("role", ["weight", "time"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("heavy", "is 'heavy': a number is due"),
        ("nan", "is nan: a finite number"),
        ("NaN", "is NaN: a finite number"),
        ("-inf", "is -inf: a finite number"),
        ("", "is empty: a number is due"),
        ("1_000", "is '1_000': a number is due"),
        ("0,5", "is '0,5': a number is due"),
    ],
)
def test_numbers_that_are_none(write: Callable[..., Path], role: str, value: str, message: str) -> None:
    file = write("# c\n" + "1;2;0.5\n" * 250 + f"3;4;{value}\n" + "5;6;7\n", "edges.csv")
    with pytest.raises(ReadError, match=rf"edges.csv', line 252: the {role} \(column 2\) {message}"):
        read_edge_rows(file, **{role: 2})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wished", "error", "message"),
    [
        ({"weight": "wieght"}, NotFoundError, "no column 'wieght' for weight: .*'u', 'v', 'weight'.*mean 'weight'"),
        (
            {"weight": 3},
            InputError,
            r"weight=3 is out of range: .*has the columns .u., .v., .weight., at positions 0 to 2",
        ),
        ({"time": -1}, InputError, "time=-1 is out of range"),
        ({"time": 1.5}, InputError, r"time=1.5 is no column"),
        ({"weight": True}, InputError, "weight=True is no column"),
        ({"source": 1}, InputError, "asked for twice .*source is column 1, target is column 1"),
        ({"format": "parket"}, InputError, "format='parket' is not known: use one of text, csv.*mean 'parquet'"),
        ({"comments": None}, InputError, "comments=None is no text"),
        ({"format": "feather"}, ReadError, "cannot be read as feather"),
    ],
)
def test_wrong_columns_and_formats(
    write: Callable[..., Path], wished: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_edge_rows(write("u,v,weight\n1,2,3\n", "e.csv"), **wished)


def test_names_need_a_header(write: Callable[..., Path]) -> None:
    with pytest.raises(NotFoundError, match=r"has no header, so no column is called 'w' .*'1 2 3'"):
        read_edge_rows(write("1 2 3\n4 5 6\n"), weight="w")
    with pytest.raises(InputError, match="more than one column 'w'"):
        read_edge_rows(write("a,b,w,w\n1,2,3,4\n", "e.csv"), weight="w")


def test_other_formats_are_named(write: Callable[..., Path]) -> None:
    with pytest.raises(ReadError, match="looks like JSON"):
        read_edge_rows(write('{"edges": []}', "e.json.gz"))
    with pytest.raises(ReadError, match="is a zip file: unpack it first"):
        read_edge_rows(write(b"PK\x03\x04....", "e.zip"))


# -- round trips -------------------------------------------------------------------------------------------------------

whole = st.one_of(st.integers(0, 50), st.integers(-(2**63), 2**63 - 1))
# Labels without blanks, line ends and delimiters, that do not begin like a comment; '#' inside is fine.
word = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",;\"'"), min_size=1, max_size=6).filter(
    lambda text: text[0] not in "#%"
)
# Anything on one line that does not begin or end with a blank.
phrase = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=8).filter(
    lambda text: text.strip(" \t") == text and text.strip()
)
relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_read(rows: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Text labels that are all plain whole numbers come back as numbers."""
    try:
        numbers = [(int(u), int(v)) for u, v in rows]
    except ValueError:
        return rows
    plain = all((str(u), str(v)) == (str(a), str(b)) for (u, v), (a, b) in zip(numbers, rows, strict=True))
    fits = all(-(2**63) <= n < 2**63 for pair in numbers for n in pair)
    return numbers if plain and fits else rows


@relaxed
@given(
    rows=st.one_of(
        st.lists(st.tuples(whole, whole), min_size=1, max_size=30),
        st.lists(st.tuples(word, word), min_size=1, max_size=30),
    ),
    gap=st.sampled_from([" ", "\t", "   ", " \t "]),
    end=st.sampled_from(["\n", "\r\n", "  \n"]),
    packed=st.booleans(),
)
def test_text_round_trip(tmp_path: Path, rows: list[tuple[Any, Any]], gap: str, end: str, packed: bool) -> None:
    content = "".join(f"{u}{gap}{v}{end}" for u, v in rows).encode()
    file = tmp_path / "edges.txt"
    file.write_bytes(gzip.compress(content) if packed else content)
    assert pairs(read_edge_rows(file, format="text", header=False, header_counts=False)) == as_read(rows)


@relaxed
@given(rows=st.lists(st.tuples(phrase, phrase), min_size=1, max_size=20), mark=st.sampled_from(",;\t"))
def test_csv_round_trip(tmp_path: Path, rows: list[tuple[str, str]], mark: str) -> None:
    quoted = [[text.replace('"', '""') for text in pair] for pair in rows]
    content = f"source{mark}target\n" + "".join(f'"{u}"{mark}"{v}"\n' for u, v in quoted)
    file = tmp_path / "edges.csv"
    file.write_bytes(content.encode())
    assert pairs(read_edge_rows(file)) == as_read(rows)


@relaxed
@given(rows=st.lists(st.tuples(whole, whole, st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_weights_round_trip(tmp_path: Path, rows: list[tuple[int, int, float]]) -> None:
    file = tmp_path / "edges.txt"
    file.write_text("".join(f"{u} {v} {w!r}\n" for u, v, w in rows))
    read = read_edge_rows(file, weight=2)
    assert read.weight is not None
    assert pairs(read) == [(u, v) for u, v, _ in rows]
    assert read.weight.tolist() == [w for _, _, w in rows]


@relaxed
@given(rows=st.lists(st.tuples(phrase, phrase), min_size=1, max_size=20), all_quoted=st.booleans())
def test_quotes_between_tabs_are_those_of_csv(tmp_path: Path, rows: list[tuple[str, str]], all_quoted: bool) -> None:
    file = tmp_path / "edges.txt"
    with file.open("w", newline="") as out:
        how = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
        writer = csv.writer(out, delimiter="\t", quoting=how, lineterminator="\n")
        writer.writerows([('first "of" two', "second"), *rows])
    assert pairs(read_edge_rows(file, header=False, comments=""))[1:] == rows


def test_a_quote_inside_a_label_stays_a_quote(write: Callable[..., Path]) -> None:
    rows = read_edge_rows(write('"Weird Al" Yankovic\tann b\n7" single\teve c\n'), header=False)
    assert pairs(rows) == [('"Weird Al" Yankovic', "ann b"), ('7" single', "eve c")]


# -- what a hostile or damaged file may hold ------------------------------------------------------------------------------

FLIPS = """
import sys
from diffusion.errors import DiffusionError
from diffusion.graph.read import read_edge_rows
whole, file = open(sys.argv[1], "rb").read(), sys.argv[2]
for at in range(len(whole)):
    with open(file, "wb") as out:
        out.write(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    try:
        rows = read_edge_rows(file, format="feather")
        [getattr(end, "to_pylist", getattr(end, "tolist", None))() for end in (rows.source, rows.target)]
    except DiffusionError:
        pass
print(len(whole))
"""


def test_no_flipped_byte_of_a_feather_file_ends_python(tmp_path: Path) -> None:
    table = pa.table({"source": ["ann", "bob", "eve"], "target": ["bob", "eve", "ann"]})
    pa.feather.write_feather(table, tmp_path / "whole.feather", compression="uncompressed")
    done = subprocess.run(
        [sys.executable, "-c", FLIPS, "whole.feather", "flipped.feather"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 500


def test_a_label_that_is_missing_in_a_dictionary_is_missing(tmp_path: Path) -> None:
    target = ["b", "c", "d"]
    for codes, labels in (([0, None, 1], ["x", "y"]), ([0, 1, 2], ["x", None, "y"])):
        column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(labels))
        pa.feather.write_feather(pa.table({"source": column, "target": target}), tmp_path / "d.feather")
        with pytest.raises(ReadError, match=r"row 1 \(from 0\): the source in column 'source' is missing"):
            read_edge_rows(tmp_path / "d.feather")
        series = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([column])))
        for given_as in (column, pa.chunked_array([column]), series):
            with pytest.raises(InputError, match="source is missing in row 1"):
                FollowerGraph.from_arrays(given_as, target, edges_mean="follows", directed=True)


def test_a_label_of_any_length_is_read_or_refused(write: Callable[..., Path]) -> None:
    long = "x" * 200_000
    assert pairs(read_edge_rows(write(f"a b\n{long} c\n"))) == [("a", "b"), (long, "c")]
    assert pairs(read_edge_rows(write(f"a,b\n{long},c\n", "e.csv"), header=False)) == [("a", "b"), (long, "c")]
    with pytest.raises(ReadError, match=r"line 2: found '\"xxx.* 200,004 characters, which cannot be split .* shorter"):
        read_edge_rows(write(f'a,b\n"{long}",c\n', "e.csv"), header=False)


@pytest.mark.parametrize("name", ["e.txt.gz", "e.txt.bz2", "e.txt.xz"])
def test_blank_lines_by_the_million_are_passed_over_in_blocks(
    write: Callable[..., Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, blank = 1 << 19, 1 << 22
    monkeypatch.setattr(_blocks, "BLOCK", size)
    content = b"\n" * blank + b"1 2\n3 4\n" + b"\n" * blank + b"5 6 7\n"
    file = write(PACKERS[name[5:]](content), name)
    assert max(len(block.data) for block in _blocks.blocks(file, size=size)) <= 2 * size
    with pytest.raises(ReadError, match=f"line {2 * blank + 3}: found 3 fields"):
        read_edge_rows(file)


def test_lines_after_blank_ones_keep_their_numbers(write: Callable[..., Path]) -> None:
    for blank in ("\n" * 5000, " \t\r\n" * 5000):
        with pytest.raises(ReadError, match="line 5003: found one field, 'x'"):
            read_edge_rows(write(blank + "1 2\n\nx\n"))


@pytest.mark.parametrize("packing", PACKERS)
def test_unpacking_in_pieces_loses_nothing(
    write: Callable[..., Path], packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "".join(f"{i} {i * i % 977}\n" for i in range(20_000)).encode()
    halves = PACKERS[packing](content[:70_000]) + PACKERS[packing](content[70_000:])
    for size in (1, 100, 65_536) if packing == ".gz" else (100, 65_536):
        monkeypatch.setattr(_blocks, "BLOCK", size)
        assert b"".join(block.data for block in _blocks.blocks(write(halves, "e.txt"), size=1 << 16)) == content


def test_a_line_without_end_is_refused(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "LONGEST", 1000)
    with pytest.raises(ReadError, match="line 2: the line is longer than 1,000 bytes"):
        list(_blocks.blocks(write("1 2\n" + "7" * 5000), size=100, show=False))


# -- real files --------------------------------------------------------------------------------------------------------

REAL: dict[str, tuple[int, str | None, dict[str, int]]] = {
    "higgs-activity_time.txt.gz": (563_069, None, {"time": 2}),
    "higgs-retweet_network.edgelist.gz": (328_132, None, {"weight": 2}),
    "higgs-reply_network.edgelist.gz": (32_523, None, {"weight": 2}),
    "higgs-mention_network.edgelist.gz": (150_818, None, {"weight": 2}),
    "nethept.txt.gz": (58_891, "15233 58891", {}),
    "nethept-lt-62796.txt.gz": (62_796, None, {"weight": 2}),
    "nethept-directed-32235.txt.gz": (32_235, "15233 32235", {"weight": 2}),
    "network-62.txt.gz": (159, "62 159", {"weight": 2}),
    "netphy.txt.gz": (231_507, "37154 231584", {}),
    "soc-Epinions1.txt.gz": (508_837, None, {}),
    "soc-Slashdot0902.txt.gz": (948_464, None, {}),
    "wiki-Vote.txt.gz": (103_689, None, {}),
    "ca-GrQc.txt.gz": (14_496, "5242 14496", {}),
    "email-Eu-core.txt.gz": (25_571, None, {}),
    "facebook_combined.txt.gz": (88_234, None, {}),
    "com-dblp.ungraph.txt.gz": (1_049_866, None, {}),
    "mshgat-android-edges.txt.gz": (48_573, None, {}),
    "mshgat-christianity-edges.txt.gz": (35_624, None, {}),
    "topolstm-twitter-graph.txt.gz": (12_045, None, {}),
    "sinanet-edge.txt.gz": (30_282, None, {}),
    "himdata-weibo-same_city.txt.gz": (34_439, None, {"weight": 2}),
    "asu-douban.txt.gz": (327_162, "154908 154908 327162", {}),
}


@pytest.mark.parametrize("name", REAL)
def test_published_counts(name: str, data: Callable[[str], Path]) -> None:
    file = data(name)
    rows, header, wished = REAL[name]
    read = read_edge_rows(file, **wished)  # type: ignore[arg-type]
    assert read.rows == rows == len(read.source) == len(read.target)
    assert read.skipped_header == header
    assert isinstance(read.source, np.ndarray)


def test_plain_and_packed_real_file_agree(tmp_path: Path, data: Callable[[str], Path]) -> None:
    file = data("wiki-Vote.txt.gz")
    plain = tmp_path / "wiki-Vote.txt"
    plain.write_bytes(gzip.decompress(file.read_bytes()))
    packed, unpacked = read_edge_rows(file), read_edge_rows(plain)
    np.testing.assert_array_equal(packed.source, unpacked.source)
    np.testing.assert_array_equal(packed.target, unpacked.target)
    assert np.unique(np.concatenate([packed.source, packed.target])).size == 7_115


# -- graphs ------------------------------------------------------------------------------------------------------------


def test_read_edges_follows_and_influences(write: Callable[..., Path]) -> None:
    file = write("follower,followee\nbob,ann\neve,ann\nbob,ann\n", "e.csv")
    follows = read_edges(file, edges_mean="follows", directed=True, nodes=["zoe"])
    assert (follows.n_nodes, follows.n_edges, follows.rows) == (4, 2, 3)
    assert follows.out_degree["ann"] == 2
    influences = read_edges(file, edges_mean="influences", directed=True)
    assert influences.in_degree["ann"] == 2


def test_read_edges_keeps_weight_and_time(write: Callable[..., Path]) -> None:
    g = read_edges(write("1 20 .25 7\n20 1 .5 8\n"), edges_mean="influences", directed=True, weight=2, time=3)
    frame = g.to_pandas()
    assert sorted(frame["weight"]) == [0.25, 0.5]
    assert sorted(frame["time"]) == [7, 8]


def test_lines_taken_as_comments_are_counted_and_said(
    write: Callable[..., Path], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    file = write("# made by hand\n%a b\n\n#c d\na b\nb c\n")
    rows = read_edge_rows(file)
    assert (rows.comment_lines, rows.rows, rows.unread) == (3, 2, ())
    with caplog.at_level("INFO", logger="diffusion"):
        g = read_edges(file, edges_mean="follows", directed=True)
    assert "3 lines before the first edge were taken as comments" in caplog.text
    assert g.comment_lines == 3
    assert "3 lines of the file before its first edge" in repr(g)
    g.save(tmp_path / "g.dif")
    assert FollowerGraph.load(tmp_path / "g.dif").comment_lines == 3
    whole = write("%a b\na b\n")
    assert pairs(read_edge_rows(whole, comments="")) == [("%a", "b"), ("a", "b")]


def test_columns_that_are_not_read_are_named(
    write: Callable[..., Path], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    file = write("source,target,w,day\na,b,.5,1\nb,c,.5,2\n", "e.csv")
    assert read_edge_rows(file).unread == ("w", "day")
    assert read_edge_rows(file, weight="w").unread == ("day",)
    assert read_edge_rows(write("1 2 3 4\n5 6 7 8\n"), time=3).unread == (2,)
    pq.write_table(pa.table({"source": [1], "target": [2], "w": [0.5]}), tmp_path / "e.parquet")
    assert read_edge_rows(tmp_path / "e.parquet").unread == ("w",)
    with caplog.at_level("INFO", logger="diffusion"):
        read_edges(file, edges_mean="follows", directed=True, weight="w")
    assert "not read: column 'day'" in caplog.text


def test_read_edges_of_nethept(data: Callable[[str], Path]) -> None:
    g = read_edges(data("nethept.txt.gz"), directed=False)
    assert (g.n_nodes, g.n_edges, g.rows) == (15_233, 2 * 31_376, 58_891)
