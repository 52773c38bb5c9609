"""Temporal follower graphs: how they are built, what they say of themselves, and their static views."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError, NotFoundError
from diffusion.graph import TemporalGraph

NODE = st.sampled_from(["ann", "bob", "eve", "joe", "kim"])
TIME = st.integers(-3, 6).map(float)
CONTACTS = st.lists(st.tuples(NODE, NODE, TIME), min_size=1, max_size=25).filter(
    lambda rows: any(u != v for u, v, _ in rows)
)
FOLLOWS = st.lists(st.tuples(NODE, NODE, TIME, st.integers(1, 5) | st.just(math.inf)), min_size=1, max_size=25).filter(
    lambda rows: any(row[0] != row[1] for row in rows)
)
SENSES = [(True, "follows"), (True, "influences"), (False, None)]


def contacts_of(rows, directed, means):
    """Triples in the direction of influence, each once."""
    found = set()
    for u, v, time in rows:
        if u != v:
            found |= {(v, u, time)} if means == "follows" else {(u, v, time)}
            found |= set() if directed else {(v, u, time)}
    return found


def holds(rows, directed, means, source, target, time):
    """Does target follow source at that time?"""
    for u, v, start, length in rows:
        ends = [(v, u)] if means == "follows" else [(u, v)] if directed else [(u, v), (v, u)]
        if u != v and (source, target) in ends and start <= time < start + length:
            return True
    return False


def as_set(frame):
    return {tuple(row) for row in frame.itertuples(index=False)}


@given(CONTACTS, st.sampled_from(SENSES), st.data())
@settings(max_examples=80)
def test_contacts_are_those_of_the_rows(rows, sense, draw):
    directed, means = sense
    u, v, time = zip(*rows, strict=True)
    graph = TemporalGraph.from_contacts(u, v, time, directed=directed, edges_mean=means)
    want = contacts_of(rows, directed, means)
    table = graph.to_pandas()
    assert as_set(table) == want
    assert len(table) == len(want) == graph.n_contacts
    assert table.equals(table.sort_values(["source", "target", "time"], ignore_index=True))
    assert graph.span == (min(t for *_, t in want), max(t for *_, t in want))
    static = FollowerGraph.from_arrays(u, v, directed=directed, edges_mean=means)
    assert np.array_equal(static.csr.indices, graph.csr.indices)
    assert graph.nodes.equals(static.nodes)
    assert graph.dropped_self_loops == sum(a == b for a, b in zip(u, v, strict=True))
    for j, (a, b) in enumerate(zip(graph.csr.sources, graph.csr.indices, strict=True)):
        ends = graph.index.labels_of(np.array([a, b])).tolist()
        of = graph.contacts.times[graph.contacts.indptr[j] : graph.contacts.indptr[j + 1]]
        assert of.tolist() == sorted(t for s, d, t in want if [s, d] == ends)
    # A window is a filter of the table.
    low, high = sorted((draw.draw(TIME), draw.draw(TIME) + 0.5))
    view = graph.window(low, high)
    here = table[(table["time"] >= low) & (table["time"] < high)]
    assert view.to_pandas().equals(
        here.groupby(["source", "target"], as_index=False).agg(weight=("time", "size")).astype({"weight": float})
    ) or (here.empty and view.n_edges == 0)
    assert view.nodes.equals(graph.nodes)
    assert type(view) is FollowerGraph
    assert not view.is_temporal
    assert (view.directed, view.edges_mean) == (graph.directed, graph.edges_mean)
    assert as_set(graph.at(low).to_pandas()) == {(s, d) for s, d, t in want if t == low}
    assert graph.window().to_pandas()["weight"].sum() == len(want)


@given(FOLLOWS, st.sampled_from(SENSES), st.data())
@settings(max_examples=80)
def test_follows_are_those_of_the_rows(rows, sense, draw):
    directed, means = sense
    u, v, start, length = zip(*rows, strict=True)
    end = [a + b for a, b in zip(start, length, strict=True)]
    graph = TemporalGraph.from_follows(u, v, start, end, directed=directed, edges_mean=means)
    table = graph.to_pandas()
    # Apart from each other, so that intervals that touch became one.
    same = (table["source"] == table["source"].shift()) & (table["target"] == table["target"].shift())
    assert (table["start"][same] > table["end"].shift()[same]).all()
    pairs = [(a, b) for a in graph.nodes for b in graph.nodes if a != b]
    for time in np.arange(-3.5, 12.5, 0.5):
        want = {(a, b) for a, b in pairs if holds(rows, directed, means, a, b, time)}
        assert as_set(graph.at(time).to_pandas()) == want
        assert {(a, b) for a, b, s, e in as_set(table) if s <= time < e} == want
    low, high = sorted((draw.draw(TIME), draw.draw(TIME) + 0.5))
    clipped = table.assign(weight=np.minimum(table["end"], high) - np.maximum(table["start"], low))
    clipped = clipped[(clipped["weight"] > 0)].groupby(["source", "target"], as_index=False)["weight"].sum()
    found = graph.window(low, high).to_pandas()
    assert as_set(found) == as_set(clipped)


def test_open_follows_count_up_to_the_last_time():
    graph = TemporalGraph.from_follows(
        [0, 0, 0], [1, 2, 3], [0, 2, 7], [5, None, None], directed=True, edges_mean="influences"
    )
    assert graph.follows.end.tolist().count(math.inf) == 2
    assert graph.span == (0.0, 7.0)
    weights = graph.window().to_pandas().set_index("target")["weight"].to_dict()
    assert weights == {1: 5.0, 2: 5.0, 3: 0.0}
    assert graph.window(4, 100).to_pandas().set_index("target")["weight"].to_dict() == {1: 1.0, 2: 96.0, 3: 93.0}
    assert TemporalGraph.from_follows([0], [1], [3.0], directed=False).at(1e9).n_edges == 2


def test_the_order_of_rows_changes_nothing():
    draw = np.random.default_rng(1)
    u, v = draw.integers(0, 30, (2, 400))
    time, order = draw.integers(0, 50, 400), draw.permutation(400)
    a = TemporalGraph.from_contacts(u, v, time, directed=False)
    b = TemporalGraph.from_contacts(u[order], v[order], time[order], directed=False)
    assert a.fingerprint == b.fingerprint
    assert np.array_equal(a.contacts.times, b.contacts.times)
    twice = TemporalGraph.from_contacts(np.tile(u, 2), np.tile(v, 2), np.tile(time, 2), directed=False)
    assert twice.fingerprint == a.fingerprint
    assert twice.dropped_parallel == a.dropped_parallel + 2 * int((u != v).sum())
    c = TemporalGraph.from_follows(u, v, time, time + 3, directed=False)
    d = TemporalGraph.from_follows(u[order], v[order], time[order], time[order] + 3, directed=False)
    assert c.fingerprint == d.fingerprint != a.fingerprint


def test_fingerprints_hold_times_arcs_and_probabilities():
    make = lambda time, **o: TemporalGraph.from_contacts([0, 1], [1, 2], time, directed=False, **o)  # noqa: E731
    graph = make([1.0, 2.0])
    assert graph.fingerprint == make([1.0, 2.0]).fingerprint
    others = [
        make([1.0, 2.5]),
        make([2.0, 1.0]),
        make([1.0, 2.0], nodes=[3]),
        graph.with_probabilities("constant", p=0.5),
    ]
    static = FollowerGraph.from_arrays([0, 1], [1, 2], directed=False)
    assert len({graph.fingerprint, static.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_what_a_follower_graph_can_do():
    graph = TemporalGraph.from_contacts(
        ["b", "a", "a"], ["c", "b", "b"], [4, 1, 2], directed=True, edges_mean="influences"
    )
    rich = graph.with_probabilities("constant", p=0.5).with_node_data(price={"a": 3.0, "b": 2.0, "c": 1.0})
    assert type(rich) is TemporalGraph
    assert rich.is_temporal
    assert rich.contacts is graph.contacts
    assert rich.to_pandas()["probability"].tolist() == [0.5] * 3
    assert rich.window(0, 3).node_data["price"].tolist() == [3.0, 2.0, 1.0]
    assert rich.window(0, 3).probabilities is None
    assert rich.out_degree.to_dict() == {"a": 1, "b": 1, "c": 0}
    assert rich.with_probabilities("weighted_cascade").probabilities.values.tolist() == [1.0, 1.0]
    for again in (pickle.loads(pickle.dumps(rich)), copy.deepcopy(rich)):
        assert again.fingerprint == rich.fingerprint
        assert again.to_pandas().equals(rich.to_pandas())
        assert not again.contacts.times.flags.writeable
    assert not graph.contacts.times.flags.writeable
    assert repr(rich).startswith("TemporalGraph: 3 nodes, 2 arcs; ")
    assert "; contacts 3 from 1 to 4;" in repr(rich)
    assert "<caption>TemporalGraph</caption>" in rich._repr_html_()
    assert "FollowerGraph: 2 nodes, 2 arcs" in repr(FollowerGraph.from_arrays([0], [1], directed=False))
    follows = TemporalGraph.from_follows([0], [1], [1.0], directed=True, edges_mean="influences")
    assert repr(follows).endswith("follows 1 from 1 to 1")
    assert pickle.loads(pickle.dumps(follows)).follows.end.tolist() == [math.inf]


def test_weights_are_of_arcs():
    rows = [0, 1, 0], [1, 2, 1], [1.0, 2.0, 5.0]
    graph = TemporalGraph.from_contacts(*rows, weight=[0.5, 0.25, 0.5], directed=True, edges_mean="influences")
    table = graph.to_pandas()
    assert table["weight"].tolist() == [0.5, 0.5, 0.25]
    options = {"time": "time", "weight": "weight", "directed": True, "edges_mean": "influences"}
    assert TemporalGraph.from_pandas(table, **options).to_pandas().equals(table)
    with pytest.raises(InputError, match="repeated edges carry different weights"):
        TemporalGraph.from_contacts(*rows, weight=[0.5, 0.25, 0.4], directed=False)
    most = TemporalGraph.from_contacts(*rows, weight=[0.5, 0.25, 0.4], combine="max", directed=False)
    assert sorted(set(most.edge_data["weight"].tolist())) == [0.25, 0.5]


@pytest.mark.parametrize("kind", ["contacts", "follows"])
def test_tables_make_the_same_graph_again(kind, tmp_path):
    draw = np.random.default_rng(1)
    u, v = draw.integers(0, 30, (2, 200))
    if kind == "contacts":
        graph, columns = TemporalGraph.from_contacts(u, v, draw.random(200), directed=False), {"time": "time"}
    else:
        start = draw.random(200)
        end = np.where(draw.random(200) < 0.5, np.nan, start + draw.random(200))
        graph = TemporalGraph.from_follows(u, v, start, end, directed=True, edges_mean="follows")
        columns = {"start": "start", "end": "end"}
    table = graph.to_pandas()
    for source in (table, pl.from_pandas(table), pa.Table.from_pandas(table)):
        again = TemporalGraph.from_table(source, **columns, directed=True, edges_mean="influences", nodes=graph.nodes)
        assert again.fingerprint == graph.fingerprint
    with pytest.raises(InputError, match=r"to_parquet\('.*g\.graph'\).*from_pandas\(table, (time|start)="):
        graph.save(tmp_path / "g.graph")
    assert not (tmp_path / "g.graph").exists()


def test_dates_become_numbers_of_a_unit():
    dates = pd.to_datetime(["1970-01-02 00:00", "1970-01-01 12:00"])
    make = lambda time, unit, **o: TemporalGraph.from_contacts([0, 1], [1, 2], time, directed=False, unit=unit, **o)  # noqa: E731
    assert make(dates, "h").span == (12.0, 24.0)
    assert make(dates, "D").span == (0.5, 1.0)
    assert make(list(dates), "m").span == (720.0, 1440.0)
    assert make(pd.Series(dates).dt.tz_localize("Europe/Zurich"), "s").span == (39_600.0, 82_800.0)
    assert make(dates.to_numpy(), "s").span == (43_200.0, 86_400.0)
    ends = [dates[0] + pd.Timedelta("1D"), pd.NaT]
    open_ended = TemporalGraph.from_follows([0, 1], [1, 2], dates, ends, directed=False, unit="h")
    assert sorted(set(open_ended.follows.end.tolist())) == [48.0, math.inf]
    with pytest.raises(InputError, match="time holds dates: give unit='s', 'm', 'h' or 'D'"):
        make(dates, None)
    with pytest.raises(InputError, match="unit='hours' is unknown: choose s, m, h, D"):
        make(dates, "hours")


contacts = lambda *given, **o: TemporalGraph.from_contacts(*given, **({"directed": False} | o))  # noqa: E731
follows = lambda *given, **o: TemporalGraph.from_follows(*given, **({"directed": False} | o))  # noqa: E731
TABLE = pd.DataFrame({"source": [0], "target": [1], "time": [1.0]})


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: contacts([0, 1], [1, 2], [1.0]), "source has 2 rows and time 1"),
        (lambda: contacts([0, 1], [1], [1.0, 2.0]), "source has 2 rows and target 1"),
        (lambda: contacts([], [], []), "the graph has no rows"),
        (lambda: contacts([0], [0], [1.0]), "every row is a self-loop"),
        (lambda: contacts([0, 1], [1, 2], [1.0, math.nan]), "time is nan in row 1"),
        (lambda: contacts([0, 1], [1, 2], [math.inf, 1.0]), "time is inf in row 0"),
        (lambda: contacts([0], [1], [None]), "time is None in row 0"),
        (lambda: contacts([0, 1], [1, 2], pd.to_datetime(["2020-01-01", None]), unit="s"), "time is NaT in row 1"),
        (lambda: contacts([0], [1], ["noon"]), "time must be numbers or dates"),
        (lambda: contacts([0], [1], 3.0), "time is no column of times"),
        (lambda: contacts([0], [1], [True]), "time holds truth values"),
        (lambda: contacts([0], [1], [1.0], directed=True), "edges_mean is not given"),
        (lambda: contacts([0], [1], [1.0], directed="no"), "directed='no' is neither True nor False"),
        (lambda: contacts([0, None], [1, 2], [1.0, 2.0]), "source is missing in row 1"),
        (lambda: follows([0, 1], [1, 2], [1.0, 5.0], [2.0, 4.0]), "end 4 is before start 5 in row 1"),
        (lambda: follows([0, 1], [1, 2], [1.0, 5.0], [2.0, 5.0]), "end 5 is its start too in row 1: .*drop the row"),
        (lambda: follows([0], [1], [1.0], [2.0, 4.0]), "start has 1 values and end 2"),
        (lambda: follows([0], [1], [-math.inf]), "start is -inf in row 0"),
        (lambda: follows([0], [1], [1.0], [-math.inf]), "end is -inf in row 0"),
        (lambda: TemporalGraph.from_pandas(TABLE, directed=False), "give time= .*or start= and end="),
        (lambda: TemporalGraph.from_pandas(TABLE, time="time", end="time", directed=False), "end= belongs to start="),
        (lambda: TemporalGraph.from_arrays([0], [1], directed=False), "a TemporalGraph needs times"),
        (lambda: TemporalGraph.from_scipy(pytest.importorskip("scipy.sparse").eye_array(2), edges_mean="follows"), "needs times"),
        (lambda: contacts([0], [1], [1.0]).window(2, 2), r"window\(2, 2\) is empty"),
        (lambda: contacts([0], [1], [1.0]).window("a", 2), "start='a' is not a number"),
        (lambda: contacts([0], [1], [1.0]).at(math.nan), "time=nan is not a number"),
        (lambda: dif.rewire_mixing(contacts([0, 2], [1, 3], [1.0, 2.0]), mixing=0.5, communities=[0, 0, 1, 1]), "arcs .* come and go"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_a_missing_column_is_named():
    with pytest.raises(NotFoundError, match=r"no column 'when' for time="):
        TemporalGraph.from_pandas(TABLE, time="when", directed=False)
