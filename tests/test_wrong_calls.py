"""What is given in place of something else: one InputError that says what was given and what to call."""

from __future__ import annotations

import decimal
import inspect
import math
import pickle
import random
import re
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from strategies import random_graph

import diffusion as dif
from diffusion import FollowerGraph
from diffusion._memory import bytes_text
from diffusion.errors import InputError

NX = nx.DiGraph([(0, 1), (1, 2)])
GRAPH = random_graph(30, 90, rng=1).with_probabilities("constant", p=0.1)
HUGE = 10**400
TABLE = pd.DataFrame({"source": [0, 1], "target": [1, 2]})


class OwnGraph(nx.DiGraph):
    """A class of the user's own."""


# -- a graph that is none of ours --------------------------------------------------------------------------------------


def takes_a_graph() -> list[Any]:
    found = []
    for space in (dif, dif.theory):
        for name in space.__all__:
            call = getattr(space, name)
            if inspect.isfunction(call) and next(iter(inspect.signature(call).parameters), "") == "graph":
                found.append(call)
    return found


def filled(call: Any, first: Any) -> Any:
    """Call a function with what it takes, in good order, but for the first argument."""
    good = {
        "seeds": [0], "seed_sets": {"a": [0]}, "n": 10, "k": 1, "fair": [0], "best": [1], "p": 0.1, "mixing": 0.2,
        "community": [0, 1, 2], "model": dif.SIPS(0.1), "budgets": [1], "make_model": dif.SIPS, "values": (0, 1),
    }  # fmt: skip
    needed = list(inspect.signature(call).parameters.values())[1:]
    named = {p.name: good[p.name] for p in needed if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    return call(first, **named, **({"count": 1} if call is dif.threshold_cascade else {}))


def test_the_public_functions_on_graphs_are_found():
    assert {"simulate", "spread", "compare", "communities", "select_seeds", "reproduction_number", "rewire_mixing"} <= {
        call.__name__ for call in takes_a_graph()
    }


@pytest.mark.parametrize("call", takes_a_graph(), ids=lambda call: call.__name__)
def test_a_graph_of_another_library_is_named_with_the_call_that_takes_it(call):
    with pytest.raises(
        InputError, match=r"a networkx DiGraph was given: .*FollowerGraph\.from_networkx\(graph, edges_mean="
    ):
        filled(call, NX)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (OwnGraph(), r"a networkx OwnGraph was given: .*from_networkx\("),
        (nx.Graph(), r"a networkx Graph was given"),
        (igraph.Graph(3), r"an igraph Graph was given: .*from_igraph\("),
        (TABLE, r"a pandas DataFrame was given: .*from_pandas\(table, source="),
        (pa.table({"source": [0]}), r"a pyarrow Table was given: .*from_pandas\("),
        (scipy.sparse.csr_array(np.eye(2)), r"a scipy csr_array was given: .*from_scipy\(matrix"),
        ("edges.csv", r"the path 'edges.csv' was given: read it with dif\.read_edges\(path.*FollowerGraph\.load\(path\)"),
        (Path("edges.csv"), r"the path 'edges.csv' was given"),
        (np.eye(2), r"a ndarray was given: build a graph with FollowerGraph\.from_arrays\("),
        ([(0, 1)], r"a list was given: build a graph"),
        (None, r"a NoneType was given: build a graph"),
        (FollowerGraph, r"the class FollowerGraph itself was given"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_else_is_no_graph(given, text):
    with pytest.raises(InputError, match="graph has to be a FollowerGraph, and " + text):
        dif.simulate(given, [0])
    with pytest.raises(InputError, match=r"FollowerGraph\(...\) is not how a graph is built, and " + text):
        FollowerGraph(given)


def test_the_constructor_with_names_and_what_copies_a_graph():
    with pytest.raises(InputError, match=r"from_pandas\("):
        FollowerGraph(TABLE, source="source", target="target", directed=True, edges_mean="follows")
    assert pickle.loads(pickle.dumps(GRAPH)).fingerprint == GRAPH.fingerprint


def test_labels_of_a_graph_are_not_taken_for_degrees():
    for call in (dif.theory.degree_distribution, dif.theory.molloy_reed, dif.theory.percolation_threshold):
        with pytest.raises(InputError, match="has to be numbers, and a networkx DiGraph was given"):
            call(NX)


@pytest.mark.parametrize("given", [NX, GRAPH, np.ones((3, 3), int)], ids=lambda value: type(value).__name__)
def test_growth_and_flow_take_an_ensemble(given):
    for call, name in ((dif.growth, "growth"), (dif.simulation.community_flow, "community_flow")):
        with pytest.raises(InputError, match=rf"a {type(given).__name__} was given: call {name}\(dif\.simulate\("):
            call(given)


# -- arguments of the wrong kind ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: dif.simulate(GRAPH, {"A": [1]}), r"seeds is a dict of several seed sets, .*dif\.compare\(graph, \{'A'"),
        (lambda: dif.spread(GRAPH, {"A": [1]}), r"seeds is a dict"),
        (lambda: dif.compare(GRAPH, {"a": {"x": [1]}}), r"seeds is a dict"),
        (lambda: dif.simulate(GRAPH, {"A": dif.select_seeds(GRAPH, 1, method="degree")}), r"seeds is a dict"),
        (lambda: dif.simulate(GRAPH, TABLE), r"seeds is a DataFrame of 2 dimensions: .*table\['node'\]"),
        (lambda: dif.simulate(GRAPH, np.eye(2)), r"seeds is a ndarray of 2 dimensions"),
        (lambda: GRAPH.with_probabilities(np.full(90, 0.1)), r"a ndarray was given.*weight=values\), then .*'column'"),
        (lambda: GRAPH.with_probabilities([0.1, 0.2]), r"a list was given"),
        (lambda: GRAPH.with_probabilities(pd.Series([0.1])), r"a Series was given"),
        (lambda: GRAPH.with_probabilities(0.1), r"a number was given.*with_probabilities\('constant', p=0.1\)"),
        (lambda: GRAPH.with_probabilities("trivalency", values=0.1), r"values=0.1 is not a list of probabilities"),
        (lambda: dif.models.Delay(0.5), r"kind=0.5 is not a kind of delay: .*Delay\('gamma', mean=0.5\)"),
        (lambda: dif.models.Delay(["gamma"]), r"kind=\['gamma'\] is not a kind of delay"),
        (lambda: dif.models.Funnel("experience"), r"Funnel\.from_note"),
        (lambda: dif.models.Feed(weights=[1, 1, 4, 4]), r"weights=\[1, 1, 4, 4\] is not a mapping"),
        (lambda: dif.models.Feed(weights=None), r"weights=None is not a mapping"),
        (lambda: dif.SIPS(0.2, identify=np.array([1, 2])), r"give 'simple' or Complex\(theta\)"),
    ],
)  # fmt: skip
def test_the_error_says_what_to_give(call, text):
    with pytest.raises(InputError, match=text):
        call()


@pytest.mark.parametrize("rng", [
    object(), {"a": 1}, ["a"], [1.5], [1, -2], np.array([1.5]), 1j, np.float32(1), decimal.Decimal(1), random.Random(1),
    -1, 1.0, "7", True,
], ids=lambda rng: type(rng).__name__)  # fmt: skip
def test_seeds_of_random_numbers(rng):
    for call in (lambda: dif.simulate(GRAPH, [0], rng=rng), lambda: dif.generate_platform(50, communities=2, rng=rng)):
        with pytest.raises(InputError, match=r"rng=.*give a whole number"):
            call()


@pytest.mark.parametrize("rng", [[1, 2], np.random.RandomState(1), np.random.SeedSequence(3), np.random.PCG64(1), HUGE])
def test_seeds_that_numpy_takes_go_on_working(rng):
    assert dif.simulate(GRAPH, [0], rng=rng, runs=3).runs == 3


# -- numbers too large for any machine ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: dif.Threshold(count=2**63), "count=9223372036854775808 is out of range"),
        (lambda: dif.Threshold(count=HUGE), "count="),
        (lambda: dif.models.Complex(2**31), "theta=2147483648 is out of range: give a whole number of sharers"),
        (lambda: dif.SIPS(attention=HUGE), "attention="),
        (lambda: dif.models.Feed(impressions=HUGE), "impressions="),
        (lambda: dif.models.Feed(impressions=1e308, cap=5), r"impressions=1e\+308"),
        (lambda: dif.models.Feed(amplification=1e308, cap=5), r"amplification=1e\+308"),
        (lambda: dif.models.Feed(weights={"share": 1e308}, cap=5), r"weights\['share'\]=1e\+308"),
        (lambda: dif.models.Feed(impressions=1, cap=2**64), "cap=18446744073709551616 is out of range: give a whole number of exposures"),
        (lambda: dif.models.Delay(mean=1e308), r"mean=1e\+308"),
        (lambda: dif.models.Delay(shape=1e-300), "shape=1e-300"),
        (lambda: dif.models.Delay(mean=1.0, bin=1e-300), "bin=1e-300 is too fine for a mean of 1 hours.*from 0.001"),
        (lambda: dif.models.Delay(mean=10.0, bin=9e-3), "bin=0.009 is too fine for a mean of 10 hours.*from 0.01"),
        (lambda: GRAPH.with_probabilities("constant", p=HUGE), "is not a probability"),
        (lambda: dif.spread(GRAPH, [0], rel_error=HUGE), "rel_error="),
        (lambda: dif.simulate(GRAPH, [0], runs=10**12), r"8 TB of memory are the least .*give fewer runs"),
        (lambda: dif.simulate(GRAPH, [0], runs=HUGE), "give fewer runs"),
        (lambda: dif.select_seeds(GRAPH, budget=HUGE, prices=[1.0] * 30), "budget="),
        (lambda: dif.select_seeds(GRAPH, 1, method="opim", node_weights=[1e308] * 30), "node_weights of 0 is 1e.308, too large"),
        (lambda: dif.seeding.OPIM(max_rr_sets=HUGE), "max_rr_sets="),
        (lambda: dif.select_seeds(GRAPH, 1, method="opim", time_limit=HUGE), "time_limit="),
        (lambda: dif.theory.mean_total_size(HUGE), "R="),
        (lambda: dif.generate_platform(10**12), r"1,000,000,000,000 nodes .* about 700 TB of memory.*2,147,483,647 nodes at most"),
        (lambda: dif.generate_platform(HUGE), r"over 10\^18 nodes"),
        (lambda: dif.generate_platform(20_000_000, mean_followers=4e6), r"about 4 PB of memory"),
        (lambda: dif.graph.generate_chung_lu(10**12), r"TB of memory"),
        (lambda: dif.graph.generate_two_communities(10**12), r"PB of memory"),
        (lambda: dif.graph.generate_ring_lattice(10**12, 4), r"TB of memory"),
    ],
)  # fmt: skip
def test_numbers_out_of_all_proportion(call, text):
    with pytest.raises(InputError, match=text):
        call()


def test_what_would_fit_follows_from_the_memory_there_is(monkeypatch):
    monkeypatch.setenv("DIFFUSION_MEMORY", str(10**6))
    with pytest.raises(InputError, match=r"about 1\.4 MB of memory, and 1 MB may be used"):
        dif.generate_platform(2000)
    assert dif.generate_platform(1000).n_nodes == 1000


def test_bytes_for_people():
    found = [bytes_text(n) for n in (12, 1500, 2 * 10**6, 7 * 10**12, 10**21, HUGE)]
    assert found == ["12 bytes", "1.5 kB", "2 MB", "7 TB", "1,000 EB and more", "1,000 EB and more"]


def test_limits_themselves_are_allowed():
    graph = random_graph(5, 9, rng=1)
    model = dif.SIPS(
        0.5,
        feed=dif.models.Feed(impressions=1.0, amplification=1e6, cap=np.int64(4)),
        identify=dif.models.Complex(2**31 - 1),
    )
    assert dif.simulate(graph, [0], model=model, runs=5, rng=1).sharers.tolist() == [1] * 5
    assert dif.simulate(graph, [0], model=dif.Threshold(count=2**63 - 1), runs=1).sizes.tolist() == [1]
    assert dif.models.Delay("gamma", mean=10.0, shape=0.01, bin=0.01).width == 0.01


# -- functions of the user's own ---------------------------------------------------------------------------------------


def test_a_price_function_that_raises_names_the_node():
    graph = FollowerGraph.from_arrays(
        ["a", "a", "b"], ["b", "c", "c"], edges_mean="influences", directed=True
    ).with_probabilities("constant", p=0.1)

    def price(followers):
        if (followers == 0).any():
            raise ZeroDivisionError("no followers")
        return 10.0 * followers

    text = "the function given as prices fails at the node 'c' with 0 followers: ZeroDivisionError: no followers"
    for method in ("opim", "degree"):
        with pytest.raises(InputError, match=re.escape(text)) as caught:
            dif.select_seeds(graph, budget=10, prices=price, method=method)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(InputError, match=r"fails at the node 'a' with 2 followers"):  # and at 'b', but not at 'c'
        dif.select_seeds(
            graph, budget=10, prices=lambda f: np.zeros(f.size) if f.max() == 0 else [][0], method="degree"
        )
    with pytest.raises(InputError, match=r"raises TypeError: .*It takes an array, the followers of all nodes"):
        dif.select_seeds(graph, budget=10, prices=lambda f: math.sqrt(f), method="degree")
    with pytest.raises(InputError, match=r"raises TypeError: .*It takes an array, the followers of all nodes"):
        dif.select_seeds(graph, budget=10, prices=lambda f: math.sqrt(f.item() if f.size == 1 else f), method="degree")
