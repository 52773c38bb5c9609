"""Rules for propagation probabilities, with parallel arcs counted, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import graphs, random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError, NotFoundError
from diffusion.graph.probabilities import RULES, lt_bounds


def make(rows: Any, **options: Any) -> FollowerGraph:
    rows = list(rows)
    return FollowerGraph.from_arrays(
        [u for u, _ in rows], [v for _, v in rows], edges_mean="influences", directed=True, **options
    )


def by_arc(graph: FollowerGraph) -> dict[tuple[Any, Any], float]:
    table = graph.to_pandas()
    return dict(zip(zip(table["source"], table["target"], strict=True), table["probability"].tolist(), strict=True))


def f32(value: float) -> float:
    return float(np.float32(value))


ROWS = [("a", "z"), ("a", "z"), ("a", "z"), ("b", "z"), ("z", "a"), ("c", "c")]


# -- every rule, one arc at a time -------------------------------------------------------------------------------------


def test_constant():
    once = make(ROWS).with_probabilities("constant", p=0.1)
    assert once.probabilities.values.tolist() == [f32(0.1)]
    assert by_arc(once) == {("a", "z"): f32(0.1), ("b", "z"): f32(0.1), ("z", "a"): f32(0.1)}
    kept = make(ROWS, parallel="keep").with_probabilities("constant", p=0.1)
    assert by_arc(kept) == {("a", "z"): f32(1 - 0.9**3), ("b", "z"): f32(0.1), ("z", "a"): f32(0.1)}
    assert by_arc(make(ROWS, parallel="keep").with_probabilities("constant", p=1))["a", "z"] == 1
    assert by_arc(make(ROWS, parallel="keep").with_probabilities("constant", p=0))["a", "z"] == 0
    assert kept.probabilities.label == "constant p=0.1"


def test_weighted_cascade():
    once = make(ROWS).with_probabilities("weighted_cascade")
    assert by_arc(once) == {("a", "z"): 0.5, ("b", "z"): 0.5, ("z", "a"): 1.0}
    kept = make(ROWS, parallel="keep").with_probabilities("weighted_cascade")
    assert by_arc(kept) == {("a", "z"): 0.75, ("b", "z"): 0.25, ("z", "a"): 1.0}
    both = FollowerGraph.from_arrays(["a", "z"], ["z", "a"], directed=False, parallel="keep")
    assert by_arc(both.with_probabilities("weighted_cascade")) == {("a", "z"): 1.0, ("z", "a"): 1.0}


def test_weighted_cascade_of_follows_is_by_accounts_followed():
    follows = FollowerGraph.from_arrays(
        ["fan", "fan", "fan", "pal"], ["x", "y", "w", "x"], edges_mean="follows", directed=True
    ).with_probabilities("weighted_cascade")
    assert by_arc(follows) == {
        ("x", "fan"): f32(1 / 3),
        ("y", "fan"): f32(1 / 3),
        ("w", "fan"): f32(1 / 3),
        ("x", "pal"): 1.0,
    }


def test_trivalency():
    graph = random_graph(300, 6000, rng=1)
    found = graph.with_probabilities("trivalency", rng=5)
    values, counts = np.unique(found.probabilities.values, return_counts=True)
    assert values.tolist() == [f32(0.001), f32(0.01), f32(0.1)]
    third = graph.n_edges / 3
    assert np.abs(counts - third).max() < 4 * math.sqrt(third * 2 / 3)
    again = graph.with_probabilities("trivalency", rng=5)
    assert np.array_equal(found.probabilities.values, again.probabilities.values)
    assert found.fingerprint != graph.with_probabilities("trivalency", rng=6).fingerprint
    assert found.probabilities.parameters["key"] == again.probabilities.parameters["key"]
    two = graph.with_probabilities("trivalency", values=(0.0, 1.0), rng=5)
    assert set(two.probabilities.values.tolist()) == {0.0, 1.0}


def test_trivalency_on_a_multigraph_is_of_each_arc():
    rows = [(u, v) for u in range(9) for v in range(9) if u != v] * 2
    found = make(rows, parallel="keep").with_probabilities("trivalency", values=(0.1, 0.5), rng=3)
    assert set(found.probabilities.values.tolist()) == {f32(1 - 0.9**2), 0.75}


def test_column():
    weights = [0.5, 0.5, 0.5, 0.25, 1.0, 9.0]  # the last belongs to a self-loop, which is dropped
    graph = make(ROWS, weight=weights)
    assert by_arc(graph.with_probabilities("column")) == {("a", "z"): 0.5, ("b", "z"): 0.25, ("z", "a"): 1.0}
    joined = make(ROWS[:-1], weight=weights[:-1], combine="noisy_or").with_probabilities("column")
    assert by_arc(joined)["a", "z"] == 1 - 0.5**3


def test_lt():
    assert by_arc(make(ROWS).with_probabilities("lt")) == {("a", "z"): 0.5, ("b", "z"): 0.5, ("z", "a"): 1.0}
    kept = make(ROWS, parallel="keep").with_probabilities("lt")
    assert by_arc(kept) == {("a", "z"): 0.75, ("b", "z"): 0.25, ("z", "a"): 1.0}
    weights = [3.0, 3.0, 3.0, 1.0, 0.0, 5.0]
    normal = make(ROWS, weight=weights).with_probabilities("lt", normalize=True)
    assert by_arc(normal) == {("a", "z"): 0.75, ("b", "z"): 0.25, ("z", "a"): 0.0}
    assert normal.probabilities.label == "lt normalize=True"
    given = make(ROWS[2:5], weight=[0.25, 0.5, 0.0]).with_probabilities("lt")
    assert by_arc(given) == {("a", "z"): 0.25, ("b", "z"): 0.5, ("z", "a"): 0.0}


# -- what holds for any graph ------------------------------------------------------------------------------------------


@given(graphs(max_rows=40))
def test_shares_of_the_in_degree_sum_to_one(graph):
    for rule in ("weighted_cascade", "lt"):
        found = graph.with_probabilities(rule)
        sums = found.to_pandas().groupby("target")["probability"].sum()
        assert np.allclose(sums, 1, atol=1e-6)
        assert set(sums.index) == set(graph.in_degree[graph.in_degree > 0].index)


@given(graphs(max_rows=40), st.floats(0, 1))
def test_constant_on_parallel_arcs(graph, p):
    counts = np.broadcast_to(graph.csr.multiplicity, graph.n_edges)
    found = np.broadcast_to(graph.with_probabilities("constant", p=p).probabilities.values, graph.n_edges)
    assert np.allclose(found, 1 - (1 - p) ** counts, rtol=0, atol=2**-24)
    assert ((found >= 0) & (found <= 1)).all()


@given(graphs(max_rows=40))
def test_lt_intervals_are_disjoint_and_as_long_as_the_weights(graph):
    found = graph.with_probabilities("lt")
    low, high = (bound.astype(float) for bound in lt_bounds(found))
    high[high == 2**32 - 1] = 2**32
    low[low == 2**32 - 1] = 2**32
    values = np.broadcast_to(found.probabilities.values, found.n_edges)
    assert np.allclose((high - low) / 2**32, values, atol=2e-6)
    for v in range(found.n_nodes):
        rows = slice(found.csr.into.indptr[v], found.csr.into.indptr[v + 1])
        arcs = found.csr.into.arc[rows]
        assert low[arcs].tolist() == [0, *high[arcs][:-1]][: len(arcs)]
        if len(arcs):
            assert high[arcs][-1] == 2**32


def test_lt_intervals_stay_below_the_top_where_the_sum_is_below_one():
    found = make([(k, 9) for k in range(3)], weight=[0.5, 0.25, 0.249]).with_probabilities("lt")
    assert int(lt_bounds(found)[1].max()) < 2**32 * 0.9991
    tiny = make([(0, 1)], weight=[1 - 2e-6]).with_probabilities("lt")
    assert 2**32 * (1 - 3e-6) < int(lt_bounds(tiny)[1][0]) <= 2**32 - 2


def test_bounds_are_computed_once_for_the_probabilities_and_not_shared_with_others():
    graph = make([(0, 2), (1, 2)], weight=[0.25, 0.5])
    a, b = graph.with_probabilities("lt"), graph.with_probabilities("weighted_cascade")
    first = lt_bounds(a)
    assert lt_bounds(a.with_node_data(x=[1, 2, 3]))[0] is first[0]
    assert lt_bounds(b)[1].tolist() != first[1].tolist()
    assert not first[0].flags.writeable


@pytest.mark.parametrize("p", [0.0, 1e-12, 1.0, 1 - 1e-12])
def test_ends_of_the_range(p):
    ens = dif.simulate(make([(0, 1)]).with_probabilities("constant", p=p), [0], runs=5000, rng=1)
    assert ens.sizes.min() == ens.sizes.max() == (2 if p > 0.5 else 1)


@pytest.mark.parametrize("parallel", ["collapse", "keep"])
def test_of_followers_and_of_creators(parallel):
    of = {"a": 0.5, "b": 0.25, "c": 1.0, "z": 0.0}
    graph = make(ROWS, parallel=parallel).with_node_data(x=of)
    counts = {(u, v): ROWS.count((u, v)) if parallel == "keep" else 1 for u, v in ROWS}
    for rule, end in (("creator", 0), ("follower", 1)):
        ready = graph.with_probabilities(rule, column="x")
        want = {arc: 1 - (1 - of[arc[end]]) ** counts[arc] for arc in by_arc(ready)}
        assert by_arc(ready) == {arc: f32(p) for arc, p in want.items()}
        assert ready.probabilities.label == f"{rule} column=x"


def test_attention_of_followers_is_that_of_the_arcs():
    """SIPS without an attention of its own attends to the probabilities of the graph, arc by arc."""
    graph = random_graph(40, 160, rng=3).with_node_data(own=np.linspace(0, 1, 40))
    of_nodes = graph.with_probabilities("follower", column="own")
    table = graph.to_pandas()
    of_arcs = FollowerGraph.from_arrays(
        table["source"], table["target"], weight=graph.node_data["own"][table["target"]].to_numpy(), nodes=graph.nodes,
        edges_mean="influences", directed=True, parallel="collapse", combine="max",
    ).with_probabilities("column")  # fmt: skip
    funnel = dif.models.Funnel(share=0.5)
    a, b = (
        dif.simulate(g, graph.nodes[:3], model=dif.SIPS(funnel=funnel), runs=200, rng=5) for g in (of_nodes, of_arcs)
    )
    assert a.sizes.tolist() == b.sizes.tolist()
    assert a.sizes.mean() > 5


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_rules_by_name():
    assert RULES == ("constant", "weighted_cascade", "trivalency", "column", "lt", "follower", "creator")
    with pytest.raises(
        NotFoundError, match=r"'weighted_cascad' is unknown: choose constant, .*Did you mean 'weighted_cascade'"
    ):
        make(ROWS).with_probabilities("weighted_cascad")


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), float("inf"), "x", [0.1]])
def test_constant_refuses(p):
    with pytest.raises(InputError, match="is not a probability: give a number from 0 to 1"):
        make(ROWS).with_probabilities("constant", p=p)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rule": "constant"}, "the rule 'constant' needs p="),
        ({"rule": "weighted_cascade", "p": 0.1}, "p=0.1 belongs to the rule 'constant', not to 'weighted_cascade'"),
        ({"rule": "constant", "p": 0.1, "normalize": True}, "normalize belongs to the rule 'lt', not to 'constant'"),
        ({"rule": "trivalency", "values": ()}, "needs at least one value"),
        ({"rule": "trivalency", "values": (0.1, 2)}, "values=2 is not a probability"),
        ({"rule": "trivalency", "rng": -1}, "rng=-1 is negative"),
        ({"rule": "trivalency", "rng": 0.5}, "rng=0.5 is not a seed"),
        ({"rule": "follower"}, "the rule 'follower' needs column=, the name of a column of node data"),
        ({"rule": "lt", "column": "x"}, "column='x' belongs to the rules 'follower' and 'creator', not to 'lt'"),
        ({"rule": "column"}, "reads the weights of the edges, and this graph has none: name the column as weight="),
    ],
)
def test_rules_refuse(options, text):
    with pytest.raises(InputError, match=text):
        make(ROWS).with_probabilities(**options)


@pytest.mark.parametrize("bad", [-0.25, 1.5])
def test_column_refuses_what_is_no_probability(bad):
    with pytest.raises(InputError, match=rf"the arc 'b' -> 'z' has weight {bad:g}: .*from 0 to 1"):
        make([("a", "z"), ("b", "z")], weight=[0.5, bad]).with_probabilities("column")


def test_follower_refuses_what_is_no_probability():
    graph = make([("a", "z"), ("b", "z")])
    with pytest.raises(InputError, match="the node 'z' has x 2: with the rule 'follower' the column 'x' holds prob"):
        graph.with_node_data(x=[0.5, 1, 2]).with_probabilities("follower", column="x")
    with pytest.raises(InputError, match="the node 'a' has x 3"):  # of several the first by label, whatever the arcs
        graph.with_node_data(x=[3, 1, 2]).with_probabilities("follower", column="x")
    with pytest.raises(InputError, match="the node 'b' has x nan"):
        graph.with_node_data(x={"a": 0.5, "z": 1.0}).with_probabilities("creator", column="x")
    with pytest.raises(InputError, match="column holds something that is no number"):
        graph.with_node_data(x=["p", "q", "r"]).with_probabilities("follower", column="x")
    with pytest.raises(NotFoundError, match="column='x' is no node attribute of the graph; it has none"):
        graph.with_probabilities("creator", column="x")


def test_lt_refuses():
    with pytest.raises(InputError, match=r"the arc 'b' -> 'z' has the weight -1: .*not negative"):
        make([("a", "z"), ("b", "z")], weight=[0.5, -1]).with_probabilities("lt")
    rows = [("a", "z"), ("b", "z"), ("a", "y"), ("b", "y"), ("a", "x")]
    text = r"into 2 nodes sum to more than 1 \(most at 'y': 1.5\).*weighted_cascade.*normalize=True"
    over = make(rows, weight=[0.5, 0.75, 0.75, 0.75, 1.0])
    with pytest.raises(InputError, match=text):
        over.with_probabilities("lt")
    ready = over.with_probabilities("column")
    assert dif.simulate(ready, ["a"], model="ic", runs=5).runs == 5
    for call in (dif.simulate, dif.spread):
        with pytest.raises(InputError, match=text):
            call(ready, ["a"], model="lt")
    with pytest.raises(InputError, match="into 2 nodes sum to more than 1"):
        dif.simulate(make(rows).with_probabilities("constant", p=0.6), ["a"], model="lt")
    assert dif.simulate(make(rows).with_probabilities("constant", p=0.5), ["a"], model="lt", runs=5).runs == 5
    assert dif.simulate(over.with_probabilities("lt", normalize=True), ["a"], model="lt", runs=5).runs == 5


@pytest.mark.parametrize(("total", "allowed"), [(1 + 5e-7, True), (1 + 1e-5, False), (1.001, False)])
def test_lt_sums_may_pass_one_by_rounding_alone(total, allowed):
    graph = make([(k, 9) for k in range(4)], weight=[total / 4] * 4)
    if allowed:
        assert (dif.simulate(graph.with_probabilities("lt"), range(4), model="lt", runs=500, rng=1).sizes == 5).all()
        return
    with pytest.raises(InputError, match="into 1 nodes sum to more than 1"):
        graph.with_probabilities("lt")


@pytest.mark.parametrize(
    ("weights", "decimals"), [([0.33334] * 3, 5), ([0.16667] * 6, 5), ([0.1667] * 6, 4), ([0.00067] * 1500, 5)]
)
def test_lt_weights_that_a_file_rounded_are_divided_by_their_sum(weights, decimals):
    """Six times .16667 are 1.00002: a sixth, written with five decimals. Nodes whose sums are in order keep them."""
    n = len(weights)
    rows = [(k, 9999) for k in range(n)] + [(0, 8888)]
    graph = make(rows, weight=[*weights, round(0.25, decimals)])
    said = rf"into 1 nodes sum to a little more than 1 \(most at 9999: {sum(weights):.7g}\), as weights rounded to {decimals} "
    with pytest.warns(UserWarning, match=said) as warned:
        ready = graph.with_probabilities("lt")
    table = ready.to_pandas()
    assert table.groupby("target")["probability"].sum().to_dict() == pytest.approx({8888: 0.25, 9999: 1.0}, abs=1e-6)
    ens = dif.simulate(ready, range(n), model="lt", runs=300, rng=1)  # whose threshold is met for sure
    assert ens.activation_probability[9999] == 1.0
    assert len(warned) == 1
    column = graph.with_probabilities("column")
    with pytest.warns(UserWarning, match="rounded") as warned:  # the same by the rule "column"
        found = [dif.simulate(column, range(n), model="lt", runs=300, rng=1).new_by_step.tolist() for _ in range(2)]
    assert found == [ens.new_by_step.tolist()] * 2
    assert len(warned) == 1
    if n == 3:
        exact = dif.theory.exact_final_size(ready, [0], model="lt").mean
        with pytest.warns(UserWarning, match="rounded"):
            assert dif.theory.exact_final_size(column, [0], model="lt").mean == pytest.approx(exact)


@pytest.mark.parametrize(
    "weights",
    [[0.33335] * 3, [0.5, 0.50004], [0.6, 0.6], [0.5, 0.6], [0.25, 0.75, 0.01], [0.333341] * 3, [0.01] * 101],
)  # fmt: skip
def test_lt_weights_in_excess_of_rounding_are_refused(weights):
    graph = make([(k, 9999) for k in range(len(weights))], weight=weights)
    for rule in ("lt", "column"):
        with pytest.raises(InputError, match=r"into 1 nodes sum to more than 1 \(most at 9999: 1"):
            dif.simulate(graph.with_probabilities(rule), [0], model="lt", runs=2)
    flat = make([(k, 9999) for k in range(1005)]).with_probabilities("constant", p=0.001)
    with pytest.raises(InputError, match="sum to more than 1"):  # nobody rounded these
        dif.simulate(flat, [0], model="lt", runs=2)


def test_labels_in_errors_are_those_of_the_user():
    """No np.int64(99): of nodes, of both ends of an arc, of who lacks a community or has a wrong price."""
    graph = make([(5, 99), (6, 99)], weight=[0.9, 0.9])
    found = []
    for call in (
        lambda: graph.with_probabilities("lt"),
        lambda: make([(5, 99)], weight=[2.0]).with_probabilities("column"),
        lambda: make([(5, 99)], weight=[-2.0]).with_probabilities("lt"),
        lambda: dif.simulate(
            graph.with_node_data(community=["a", None, "b"]),
            [5],
            model=dif.SIPS(0.1, feed=dif.models.Feed(impressions=1, own_community=0.5)),
        ),
        lambda: dif.select_seeds(graph, budget=5, prices={5: -1.0, 6: 1.0, 99: 1.0}, method="degree"),
        lambda: dif.simulate(graph, [7, 8], model=dif.Threshold(count=1)),
    ):
        with pytest.raises((InputError, NotFoundError)) as caught:
            call()
        found.append(str(caught.value))
    assert not [text for text in found if "np." in text]
    assert all(any(label in text for label in ("99", "5", "6", "7")) for text in found)


def test_models_need_probabilities():
    for model in ("ic", "lt"):
        with pytest.raises(
            InputError, match=rf"no propagation probabilities, which {model.upper()} needs: call graph.with_"
        ):
            dif.simulate(make(ROWS), ["a"], model=model)
