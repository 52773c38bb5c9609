"""Action logs: what they hold, what they refuse, and the files they are read from."""

from __future__ import annotations

import gzip

import naive_logs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import diffusion as dif
from diffusion import inference
from diffusion.errors import InputError, MissingDataError, NotFoundError, ReadError
from diffusion.inference import ActionLog, read_actions, read_cascades
from diffusion.results import Cascade

TABLE = pd.DataFrame(
    {"item": ["b", "a", "a", "b", "a"], "user": [3, 1, 2, 1, 1], "time": [5.0, 2.0, 1.0, 4.0, 9.0]},
    index=[9, 9, 4, 1, 0],
)


def rows(log):
    return list(log.to_pandas().itertuples(index=False, name=None))


def test_rows_are_sorted_by_item_and_time_and_the_first_adoption_counts():
    log = ActionLog.from_pandas(TABLE)
    assert rows(log) == [("a", 2, 1.0), ("a", 1, 2.0), ("b", 1, 4.0), ("b", 3, 5.0)]
    assert log.dropped == {"repeated adoptions": 1}
    assert "1 repeated adoptions left out" in repr(log)
    assert log.activity.to_dict() == {1: 2, 2: 1, 3: 1}
    assert (log.n_items, log.n_users, len(log)) == (2, 3, 4)


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas, lambda t: t.to_dict("list")])
def test_other_tables_give_the_same_log(make):
    assert rows(ActionLog.from_table(make(TABLE.reset_index(drop=True)))) == rows(ActionLog.from_pandas(TABLE))


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"item": rng.integers(0, 9, 300), "user": rng.integers(0, 30, 300), "time": rng.integers(0, 5, 300)}
    )
    logs = [ActionLog.from_pandas(table.sample(frac=1, random_state=i)) for i in range(3)]
    assert rows(logs[0]) == rows(logs[1]) == rows(logs[2])
    assert len(logs[0]) == len(table.drop_duplicates(["item", "user"]))


def test_dates_are_seconds_and_come_back_as_dates():
    days = ["2024-05-01", "2024-05-02T12:00:00"]
    want = [1714521600.0, 1714651200.0]
    zoned = pd.to_datetime(pd.Series(days), format="ISO8601").dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai")
    for times in (days, pd.to_datetime(pd.Series(days), format="ISO8601"), zoned, np.array(days, "datetime64[s]")):
        log = ActionLog.from_arrays([1, 1], [1, 2], times)
        assert log.time.tolist() == want
        assert log.to_pandas()["time"].tolist() == [pd.Timestamp(day) for day in days]
    assert ActionLog.from_arrays([1], [1], ["17"]).time.tolist() == [17.0]


def test_a_split_is_by_the_first_adoption_and_keeps_whole_cascades():
    log = ActionLog.from_arrays([3, 3, 1, 1, 2], list("xyxzy"), [9, 0, 5, 6, 7])
    train, test = log.split(0.6)
    assert (train.items.tolist(), test.items.tolist()) == ([1, 3], [2])
    assert rows(train) + rows(test) == [(1, "x", 5), (1, "z", 6), (3, "y", 0), (3, "x", 9), (2, "y", 7)]
    assert test.users.tolist() == ["y"]
    assert [part.n_items for part in log.split(0.01)] == [1, 2]


def test_a_log_on_a_graph_is_that_of_its_nodes():
    graph = dif.FollowerGraph.from_arrays([1], [2], edges_mean="influences", directed=True)
    log = ActionLog.from_arrays(["a", "a", "b", "c"], [1, 7, 7, 2], [0, 1, 0, 0])
    kept = log.on(graph)
    assert rows(kept) == [("a", 1, 0), ("c", 2, 0)]
    assert kept.dropped == {"adoptions by users outside the graph": 2, "items without a user in the graph": 1}
    assert kept.on(graph) is kept
    text = dif.FollowerGraph.from_arrays(["1"], ["2"], edges_mean="influences", directed=True)
    with pytest.raises(InputError, match="users look like 1, nodes like '1'"):
        log.on(text)


def test_cascades_become_a_log():
    graph = dif.generate_platform(300, rng=1).with_probabilities("constant", p=0.2)
    cascades = {name: dif.simulate_one(graph, [graph.nodes[i]], rng=i) for i, name in enumerate("ab")}
    log = ActionLog.from_cascades(cascades)
    assert log.sizes.to_dict() == {name: cascade.size for name, cascade in cascades.items()}
    when = naive_logs.by_item(log)["a"]
    assert when == dict(zip(cascades["a"].nodes, cascades["a"].step, strict=True))


def test_a_simulated_log_is_made_of_single_cascades():
    graph = dif.generate_platform(300, rng=1).with_probabilities("constant", p=0.1)
    a, b = (inference.simulate_log(graph, items=items, seeds=2, rng=5) for items in (6, 9))
    assert rows(a) == rows(b.select(range(6)))  # item i does not depend on how many there are
    mean = np.mean(
        [size for key in range(3) for size in inference.simulate_log(graph, seeds=[[0]] * 300, rng=key).sizes]
    )
    exact = dif.spread(graph, [0], rel_error=0.01, rng=9)
    assert mean == pytest.approx(exact.mean, abs=4 * exact.se * np.sqrt(exact.runs / 900) + 4 * exact.se)
    starts = inference.simulate_log(graph, seeds=[[], [5, 6]], rng=1)
    assert starts.items.tolist() == [1]
    assert starts.dropped == {"empty cascades": 1}


FORMATS = {
    "7,0.5 3,1.5\n3,2 8,9\n": [(0, 7, 0.5), (0, 3, 1.5), (1, 3, 2.0), (1, 8, 9.0)],
    "9 7 5,3 6,\n9 3 2,8 9,": [(0, 7, 5.0), (0, 3, 6.0), (1, 3, 2.0), (1, 8, 9.0)],
    "9 7 5 3 6\n9 3 2 8 9\n": [(0, 7, 5.0), (0, 3, 6.0), (1, 3, 2.0), (1, 8, 9.0)],
    "3,3\n7,7\n\n7,0.0,3,1.5\n3,0.0\n": [(0, 7, 0.0), (0, 3, 1.5), (1, 3, 0.0)],
    "ann,1 bob,2\n": [(0, "ann", 1.0), (0, "bob", 2.0)],
}


@pytest.mark.parametrize("text", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_cascade_files(tmp_path, text, packed):
    file = tmp_path / "cascades.txt"
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert rows(read_cascades(file)) == FORMATS[text]


COUNTS = {
    "mshgat-android-cascades.txt.gz": (679, 28_343),
    "mshgat-christianity-cascades.txt.gz": (589, 14_738),
    "topolstm-twitter-train.txt.gz": (456, 7_236),
    "memetracker-test.txt.gz": (1_266, 21_293),
    "netrate-cascades.txt.gz": (1_001, 32_476),
    "mcid-weibo-cascades.txt.gz": (2_267, 99_135),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_cascade_files_have_the_published_counts(data, name):
    log = read_cascades(data(name))
    assert (log.n_items, len(log) + log.dropped.get("repeated adoptions", 0)) == COUNTS[name]


def test_tables_are_read_from_csv_and_parquet(tmp_path):
    table = TABLE.reset_index(drop=True)
    table.to_csv(tmp_path / "log.tsv", index=False, sep="\t")
    table.to_parquet(tmp_path / "log.parquet")
    table.to_csv(tmp_path / "log.csv.gz", index=False)
    for log in (
        read_actions(tmp_path / "log.tsv", sep="\t"),
        read_actions(tmp_path / "log.parquet"),
        read_actions(tmp_path / "log.csv.gz"),
    ):
        assert rows(log) == rows(ActionLog.from_pandas(TABLE))


def make(item=(1, 1), user=(1, 2), time=(0, 1), **options):
    return ActionLog.from_arrays(list(item), list(user), list(time), **options)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: make(item=(1,)), InputError, "item 1, user 2, time 2"),
        (lambda: make((), (), ()), InputError, "empty"),
        (lambda: make(user=(1, None)), InputError, "1 rows have no user .first: row 1, item 1"),
        (
            lambda: make(time=(0, "soon")),
            InputError,
            r"1 times are no numbers or dates \(first: row 1, item 1, user 2, time 'soon'",
        ),
        (lambda: make(time=(0, float("nan"))), InputError, "row 1"),
        (lambda: make(time=(0, float("inf"))), InputError, "row 1"),
        (lambda: make(time=(True, False)), InputError, "true or false"),
        (lambda: make(time=(1, 2**60)), InputError, r"2\*\*53"),
        (
            lambda: make(user=(1, 1), repeated="error"),
            InputError,
            "1 rows adopt an item .* row 1, item 1, user 1, time 1",
        ),
        (lambda: make(repeated="last"), NotFoundError, "'first' or 'error'"),
        (lambda: ActionLog.from_arrays("ab", [1, 2], [0, 1]), InputError, "no column"),
        (
            lambda: ActionLog.from_pandas(TABLE, item="items"),
            NotFoundError,
            "no column 'items' for item=.*Did you mean",
        ),
        (lambda: ActionLog.from_pandas(7), InputError, "from_arrays"),
        (lambda: ActionLog.from_cascades([7]), InputError, "int is no cascade"),
        (lambda: ActionLog.from_cascades([]), InputError, "no cascade"),
        (lambda: ActionLog.from_pandas(TABLE).select(["z"]), NotFoundError, "'z' is not in the log"),
        (lambda: ActionLog.from_pandas(TABLE).split(1), InputError, "share=1"),
        (lambda: make().split(), InputError, "one item"),
        (lambda: read_cascades("/nowhere"), MissingDataError, "no file"),
        (lambda: read_actions("/"), ReadError, "folder"),
    ],
)
def test_wrong_logs_are_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize(
    ("text", "match"),
    [("1,2 3,4\n5,6 7\n", "line 2: 3 entries"), ("1,2 3,soon\n", "line 1: the time 'soon'"), ("\n", "no cascades")],
)
def test_wrong_files_are_named_with_the_line(tmp_path, text, match):
    file = tmp_path / "log.txt"
    file.write_text(text)
    with pytest.raises(ReadError, match=match):
        read_cascades(file)


def test_a_cascade_of_one_node_is_an_item():
    log = ActionLog.from_cascades([Cascade.from_parents(["a"], [None])])
    assert log.sizes.tolist() == [1]


def test_labels_of_a_file_stay_as_they_are_written(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("item,user,time\n01,007,1\n1,7,2\n01,12,3\n")
    assert rows(read_actions(file)) == [("01", "007", 1.0), ("01", "12", 3.0), ("1", "7", 2.0)]
    file.write_text("item,user,time\n1,7,1\n")
    assert rows(read_actions(file)) == [(1, 7, 1.0)]


def test_durations_are_seconds_and_dated_logs_end_at_a_date():
    for unit in ("s", "ns"):
        time = pd.Series(pd.to_timedelta([1, 2], unit="D")).astype(f"timedelta64[{unit}]")
        assert ActionLog.from_arrays([1, 1], [1, 2], time).time.tolist() == [86_400.0, 172_800.0]
    log = ActionLog.from_arrays([1, 1], [1, 2], ["2024-05-01", "2024-05-03"])
    assert len(log.until("2024-05-02")) == 1
    for ends in ("soon", [1, 2, 3], {}, float("nan")):
        with pytest.raises(InputError, match="no end of observation"):
            log.until(ends)
    with pytest.raises(InputError, match="complex"):
        ActionLog.from_arrays([1], [1], np.array([1j]))
    with pytest.raises(InputError, match="no item was given"):
        log.select([])
