"""Out of the package and back: networkx with all data, xarray, polars."""

from __future__ import annotations

import io
import json
import sys

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion as dif
from diffusion import models
from diffusion.errors import InputError, MissingDataError
from diffusion.graph._convert import signature

ROWS = [("bob", "ann"), ("eve", "ann"), ("ann", "bob"), ("eve", "bob"), ("bob", "ann")]


def made(**options):
    source, target = zip(*ROWS, strict=True)
    options = {"edges_mean": "follows", "directed": True} | options
    return dif.FollowerGraph.from_arrays(source, target, nodes=["zoe"], **options)


def full() -> dif.FollowerGraph:
    graph = made(weight=[0.1, 0.2, 0.3, 0.4, 0.1], time=[5, 4, 3, 2, 1], parallel="keep").with_probabilities(
        "weighted_cascade"
    )
    return graph.with_node_data(
        tier=pd.Categorical(["head", "tail", "mid", None], ["tail", "mid", "head"], ordered=True),
        price=[1.5, 2.5, np.nan, 0.1],
        posts=np.array([1, 2, 3, 4], np.int32),
        maybe=pd.array([1, None, 3, 4], "Int64"),
        flag=[True, False, True, True],
        place=[(1.0, 2.0), None, "x", [1]],
    )


def alike(a: dif.FollowerGraph, b: dif.FollowerGraph) -> bool:
    pd.testing.assert_frame_equal(a.to_pandas(), b.to_pandas())
    pd.testing.assert_frame_equal(a.node_data, b.node_data)
    assert (a.edges_mean, a.directed, a.parallel) == (b.edges_mean, b.directed, b.parallel)
    p, q = a.probabilities, b.probabilities
    assert (p is None) == (q is None)
    if p is not None and q is not None:
        assert p.values.tobytes() == q.values.tobytes()
        assert (p.rule, p.parameters, p.label) == (q.rule, q.parameters, q.label)
    return a.fingerprint == b.fingerprint and signature(a) == signature(b)


def round_trip(graph: dif.FollowerGraph) -> dif.FollowerGraph:
    return dif.FollowerGraph.from_networkx(graph.to_networkx())


def test_everything_comes_back_from_networkx():
    assert alike(full(), round_trip(full()))
    assert round_trip(full()).node_data["tier"].cat.ordered


@pytest.mark.parametrize("rule", ["constant", "weighted_cascade", "trivalency", "lt", None])
@pytest.mark.parametrize(
    "options", [{}, {"parallel": "keep"}, {"edges_mean": "influences"}, {"directed": False, "edges_mean": None}]
)
def test_rules_and_readings_come_back(rule, options):
    graph = made(**options)
    if rule:
        graph = graph.with_probabilities(
            rule, **({"p": 0.1} if rule == "constant" else {"rng": 7} if rule == "trivalency" else {})
        )
    assert alike(graph, round_trip(graph))


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20),
    st.sampled_from(["collapse", "keep"]),
    st.booleans(),
)
def test_any_graph_comes_back(rows, parallel, weighted):
    source, target = [u for u, _ in rows], [v for _, v in rows]
    weight = [(u * 7 + v) / 49 for u, v in rows] if weighted else None
    graph = dif.FollowerGraph.from_arrays(
        source,
        target,
        nodes=range(7),
        weight=weight,
        edges_mean="follows",
        directed=True,
        parallel=parallel,
        combine="sum",
    ).with_probabilities("trivalency", rng=3)
    assert alike(graph, round_trip(graph))


def test_a_run_on_what_came_back_is_the_same():
    graph = dif.generate_platform(200, communities=3, rng=7).with_probabilities("trivalency", rng=1)
    again = round_trip(graph)
    assert alike(graph, again)
    a, b = (dif.simulate(g, [0, 1], runs=50, rng=7) for g in (graph, again))
    assert a.new_by_state.tobytes() == b.new_by_state.tobytes()


def test_a_graph_that_was_reversed_is_not_taken_for_the_other():
    other = full().to_networkx()
    with pytest.raises(InputError, match=r"edges_mean is not given, and this graph is not as to_networkx made it"):
        dif.FollowerGraph.from_networkx(other.reverse())
    again = dif.FollowerGraph.from_networkx(other.reverse(), edges_mean="follows")
    pd.testing.assert_frame_equal(again.to_pandas(), full().to_pandas())
    assert again.fingerprint == full().fingerprint


def test_a_part_keeps_its_numbers_and_has_to_say_the_direction():
    graph, part = full(), full().to_networkx().subgraph(["ann", "bob"])
    with pytest.raises(InputError, match="'influences' if they still point"):
        dif.FollowerGraph.from_networkx(part)
    again = dif.FollowerGraph.from_networkx(part, edges_mean="influences")
    pd.testing.assert_frame_equal(again.to_pandas(), graph.subgraph(["ann", "bob"]).to_pandas())
    assert again.node_data["tier"].tolist() == ["head", "tail"]


def test_edges_that_were_added_need_what_the_others_have():
    other = full().to_networkx()
    other.add_edge("zoe", "ann")
    with pytest.raises(InputError, match=r"the edge \('zoe', 'ann'\) has no attribute 'multiplicity'"):
        dif.FollowerGraph.from_networkx(other, edges_mean="influences")
    other.edges["zoe", "ann"].update(multiplicity=1, weight=0.5, time=9, probability=1.5)
    with pytest.raises(InputError, match=r"outside \[0, 1\]"):
        dif.FollowerGraph.from_networkx(other, edges_mean="influences")
    other.edges["zoe", "ann"]["probability"] = 0.25
    added = dif.FollowerGraph.from_networkx(other, edges_mean="influences")
    row = added.to_pandas().set_index(["source", "target"]).loc["zoe", "ann"]
    assert row.tolist() == [1, 0.5, 9, 0.25]
    other.add_node("new")
    assert dif.FollowerGraph.from_networkx(other, edges_mean="influences").node_data["posts"].isna()["new"]
    loop = full().to_networkx()
    loop.add_edge("ann", "ann", multiplicity=1, weight=1.0, time=1, probability=0.5)
    with pytest.raises(InputError, match="edges carry probabilities"):
        dif.FollowerGraph.from_networkx(loop, edges_mean="influences")


def test_a_single_probability_stays_single_only_while_all_are_equal():
    graph = made().with_probabilities("constant", p=0.1)
    other = graph.to_networkx()
    assert round_trip(graph).probabilities.values.size == 1
    other.edges["ann", "bob"]["probability"] = 0.5
    again = dif.FollowerGraph.from_networkx(other, edges_mean="influences")
    assert sorted(again.to_pandas()["probability"].unique().tolist()) == pytest.approx([0.1, 0.5])


def test_the_record_is_text_that_files_can_hold():
    other = made().with_probabilities("constant", p=0.1).to_networkx()
    file = io.BytesIO()
    nx.write_graphml(other, file)
    file.seek(0)
    read = nx.read_graphml(file)
    assert alike(made().with_probabilities("constant", p=0.1), dif.FollowerGraph.from_networkx(read))
    assert json.loads(other.graph["diffusion"])["edges_mean"] == "follows"


def test_graphs_of_others_are_read_as_before():
    other = nx.DiGraph()
    other.add_edge("a", "b", probability=0.5, weight=3.0)
    graph = dif.FollowerGraph.from_networkx(other, edges_mean="influences")
    assert graph.probabilities is None
    assert graph.edge_data == {}


# -- xarray ------------------------------------------------------------------------------------------------------------

PLATFORM = dif.generate_platform(120, communities=3, rng=7).with_probabilities("weighted_cascade")
SEVERAL = {
    "ic": ("ic", [0, 1]),
    "sips": (dif.SIPS(0.3, models.Funnel(0.8, 0.9, 0.8, 0.5), models.Feed(impressions=2.0)), [0, 1]),
    "hours": (dif.SIPS(0.3, models.Funnel(0.8, 0.9, 0.8, 0.5), delay=models.Delay()), [0, 1]),
    "epidemic": (models.SIR(0.5), [0, 1]),
    "rivals": (models.CompetitiveIC(), {"A": [0], "B": [1]}),
    "nobody": ("ic", []),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_xarray_has_the_runs(name):
    xarray = pytest.importorskip("xarray", reason="xarray comes with the extra xarray")
    model, seeds = SEVERAL[name]
    ens = dif.simulate(PLATFORM, seeds, model=model, runs=20, rng=7)
    data = ens.to_xarray()
    assert isinstance(data, xarray.Dataset)
    assert data["new"].dims == ("run", "step", "state")
    np.testing.assert_array_equal(data["new"].to_numpy(), ens.new_by_state)
    np.testing.assert_array_equal(data["size"].to_numpy(), ens.sizes)
    np.testing.assert_array_equal(data["depth"].to_numpy(), ens.depths)
    assert data["state"].to_numpy().tolist() == list(ens.states)
    pd.testing.assert_series_equal(
        data["activation_probability"].to_series(),
        ens.activation_probability,
        check_index_type=False,
        check_names=False,
    )
    for detail, values in ens.details.items():
        if values.shape[:2] == ens.new_by_state.shape[:2]:
            np.testing.assert_array_equal(data[detail].to_numpy(), values)
    assert int(data.attrs["key"]) == ens.key
    assert json.loads(data.attrs["provenance"])
    assert all(isinstance(value, str) for value in data.attrs.values())


def test_xarray_has_the_clock_of_models_in_time():
    pytest.importorskip("xarray", reason="xarray comes with the extra xarray")
    runs = {
        name: dif.simulate(PLATFORM, seeds, model=model, runs=20, rng=7) for name, (model, seeds) in SEVERAL.items()
    }
    assert runs["hours"].to_xarray()["hours"].to_numpy().tolist() == runs["hours"].hours.tolist()
    assert runs["epidemic"].to_xarray()["time"].to_numpy().tolist() == runs["epidemic"].times.tolist()
    assert (
        set(runs["ic"].to_xarray().coords) == set(runs["sips"].to_xarray().coords) == {"run", "step", "state", "node"}
    )


def test_xarray_has_weights_and_labels_as_text():
    pytest.importorskip("xarray", reason="xarray comes with the extra xarray")
    graph = full().with_probabilities("constant", p=0.5)
    ens = dif.simulate(graph, ["ann"], runs=20, node_weights=[1.0, 2.0, 3.0, 4.0], rng=7)
    data = ens.to_xarray()
    assert data["weight"].to_numpy().tolist() == ens.weights.tolist()
    assert data["node"].to_numpy().tolist() == ["ann", "bob", "eve", "zoe"]
    assert data["node"].dtype.kind == "U"
    assert json.loads(data.attrs["seeds"]) == ["ann"]


def test_without_xarray_one_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingDataError, match=r"pip install 'diffusion-graphs\[xarray\]'"):
        dif.simulate(PLATFORM, [0], runs=2, rng=7).to_xarray()


# -- polars ------------------------------------------------------------------------------------------------------------


def test_polars_in_and_out():
    polars = pytest.importorskip("polars", reason="polars comes with the dev extra")
    table = polars.DataFrame(
        {"follower": [u for u, _ in ROWS], "followee": [v for _, v in ROWS], "w": [0.1, 0.2, 0.3, 0.4, 0.1]}
    )
    columns = {"source": "follower", "target": "followee", "weight": "w", "edges_mean": "follows", "directed": True}
    graph = dif.FollowerGraph.from_table(table, **columns)
    assert (
        graph.fingerprint
        == dif.FollowerGraph.from_arrays(
            table["follower"].to_list(), table["followee"].to_list(), edges_mean="follows", directed=True
        ).fingerprint
    )
    assert graph.edge_data["weight"].tolist() != []
    graph = graph.with_probabilities("column")
    ens = dif.simulate(graph, ["ann"], runs=20, rng=7)
    results = (graph, ens, ens.replay(0), ens.mean(), dif.select_seeds(graph, 1, rng=7), dif.communities(graph, rng=7))
    compared = dif.compare(graph, {"a": ["ann"], "b": ["bob"]}, runs=64, rng=7)
    for result in (*results, compared, dif.compare_strategies(graph, [1], strategies=["degree"], runs=64, rng=7)):
        wanted = result.to_pandas()
        found = polars.from_pandas(wanted)
        assert found.columns == list(wanted.columns)
        assert found.height == len(wanted)
        assert found[found.columns[0]].to_list() == wanted.iloc[:, 0].tolist()


def test_weights_and_times_that_were_turned_round_are_seen():
    """Arcs both ways between two nodes look the same reversed, but not what they carry."""
    for columns in ({"weight": [0.25, 0.5]}, {"time": [1, 2]}):
        graph = dif.FollowerGraph.from_arrays(["a", "b"], ["b", "a"], edges_mean="follows", directed=True, **columns)
        assert alike(graph, round_trip(graph))
        with pytest.raises(InputError, match="this graph is not as to_networkx made it"):
            dif.FollowerGraph.from_networkx(graph.to_networkx().reverse())
