"""Message passing against enumerations, a naive twin, closed forms and simulation."""

from fractions import Fraction

import naive
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion as dif
from diffusion import theory
from diffusion.errors import DiffusionError, InputError, NotFoundError


def build(n, arcs, p):
    return dif.FollowerGraph.from_arrays(
        [u for u, _ in arcs], [v for _, v in arcs], weight=list(p), nodes=range(n), directed=True,
        edges_mean="influences",
    ).with_probabilities("column")  # fmt: skip


def steps_of(n, live, seeds):
    """Step at which each node becomes active in one live-edge world."""
    step = dict.fromkeys(seeds, 0)
    now = 0
    while True:
        new = {v for u, v in live if step.get(u) == now and v not in step}
        if not new:
            return step
        now += 1
        step |= dict.fromkeys(new, now)


def enumerated(n, arcs, p, seeds, last):
    """Exact probability that each node is active by each step."""
    found = np.zeros((last + 1, n))
    for chance, live in naive.ic_worlds(arcs, p):
        for v, step in steps_of(n, live, seeds).items():
            if step <= last:
                found[step:, v] += float(chance)
    return found


def twin(n, arcs, p, start, last):
    """Messages in a dictionary, products written out."""
    prob = dict(zip(arcs, p, strict=True))
    into = {v: [u for u, w in arcs if w == v] for v in range(n)}
    message = {(u, v): start[u] for u, v in arcs}
    rows = [list(start)]
    for _ in range(last):
        row = []
        for v in range(n):
            miss = 1.0
            for u in into[v]:
                miss *= 1 - prob[u, v] * message[u, v]
            row.append(1 - (1 - start[v]) * miss)
        rows.append(row)
        new = {}
        for u, v in arcs:
            miss = 1.0
            for w in into[u]:
                if w != v:
                    miss *= 1 - prob[w, u] * message[w, u]
            new[u, v] = 1 - (1 - start[u]) * miss
        message = new
    return np.array(rows)


@st.composite
def cases(draw, tree=False):
    n = draw(st.integers(2, 5))
    if tree:
        edges = [(draw(st.integers(0, v - 1)), v) for v in range(1, n)]
        kinds = draw(st.lists(st.sampled_from(["up", "down", "both"]), min_size=n - 1, max_size=n - 1))
        arcs = [
            arc
            for (u, v), kind in zip(edges, kinds, strict=True)
            for arc in {"up": [(v, u)], "down": [(u, v)], "both": [(u, v), (v, u)]}[kind]
        ]
    else:
        pairs = [(u, v) for u in range(n) for v in range(n) if u != v]
        arcs = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=9, unique=True))
    parts = draw(st.lists(st.integers(0, 8), min_size=len(arcs), max_size=len(arcs)))
    seeds = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=2, unique=True))
    return n, arcs, [Fraction(k, 8) for k in parts], seeds


@settings(max_examples=60)
@given(cases(tree=True))
def test_exact_on_trees_at_every_step(case):
    n, arcs, p, seeds = case
    found = theory.message_passing(build(n, arcs, map(float, p)), seeds, steps=6)
    assert found.exact
    assert found.by_step == pytest.approx(enumerated(n, arcs, p, seeds, 6), abs=1e-12)
    assert theory.message_passing(build(n, arcs, map(float, p)), seeds).spread == pytest.approx(found.spread, abs=1e-9)


@settings(max_examples=60)
@given(cases())
def test_an_upper_bound_elsewhere(case):
    n, arcs, p, seeds = case
    found = theory.message_passing(build(n, arcs, map(float, p)), seeds, steps=6)
    assert (found.by_step >= enumerated(n, arcs, p, seeds, 6) - 1e-12).all()
    assert (np.diff(found.by_step, axis=0) >= -1e-12).all()


@settings(max_examples=60)
@given(cases(), st.integers(0, 10**6))
def test_the_naive_twin(case, seed):
    n, arcs, p, _ = case
    start = np.random.default_rng(seed).integers(0, 5, n) / 4
    found = theory.message_passing(build(n, arcs, map(float, p)), dict(enumerate(start)), steps=8)
    assert found.by_step == pytest.approx(twin(n, arcs, list(map(float, p)), start, 8), abs=1e-12)


def test_twin_on_200_nodes():
    rng = np.random.default_rng(3)
    arcs = list({(int(u), int(v)) for u, v in rng.integers(0, 200, (900, 2)) if u != v})
    arcs += [(v, u) for u, v in arcs[::3] if (v, u) not in set(arcs)]
    p = rng.choice([0.0, 0.125, 0.5, 1.0], len(arcs))
    start = (np.arange(200) < 5).astype(float)
    found = theory.message_passing(build(200, arcs, p), range(5), steps=12)
    assert found.by_step == pytest.approx(twin(200, arcs, p, start, 12), abs=1e-11)


def test_closed_forms():
    path = dif.FollowerGraph.from_networkx(nx.path_graph(50)).with_probabilities("constant", p=0.75)
    found = theory.message_passing(path, [0])
    assert found.spread == pytest.approx(theory.path_spread(50, 0.75), rel=1e-9)
    assert found.new_by_step[:50] == pytest.approx(0.75 ** np.arange(50))
    star = dif.FollowerGraph.from_networkx(nx.star_graph(4)).with_probabilities("constant", p=0.375)
    assert theory.message_passing(star, [1]).spread == pytest.approx(theory.star_spread(4, 0.375, "leaf"))
    sure = dif.FollowerGraph.from_networkx(nx.balanced_tree(3, 4)).with_probabilities("constant", p=1.0)
    assert theory.message_passing(sure, [0]).new_by_step.tolist() == [1, 3, 9, 27, 81, 0]


def test_labels_and_steps_of_a_simulated_tree():
    rng = np.random.default_rng(5)
    names = np.array([f"u{k}" for k in rng.permutation(60)])
    parents = [int(rng.integers(0, v)) for v in range(1, 60)]
    g = dif.FollowerGraph.from_arrays(
        names[parents], names[1:], weight=rng.integers(1, 9, 59) / 8, directed=False, combine="max"
    ).with_probabilities("column")
    seeds = [names[0], names[7]]
    found = theory.message_passing(g, seeds)
    runs = 20_000
    ens = dif.simulate(g, seeds, runs=runs, rng=3)
    want = found.activation_probability
    assert want.index.equals(ens.activation_probability.index)
    z = (ens.activation_probability - want) / np.sqrt(np.maximum(want * (1 - want), 1e-9) / runs)
    assert z.abs().max() < 4.5
    new = ens.new_by_step
    for step in range(min(new.shape[1], 6)):
        assert abs(new[:, step].mean() - found.new_by_step[step]) <= 4 * new[:, step].std() / runs**0.5 + 1e-9


def test_close_to_simulation_on_a_sparse_random_graph():
    ends = np.random.default_rng(1).integers(0, 5000, (2, 12_500))
    g = dif.FollowerGraph.from_arrays(*ends, directed=False).with_probabilities("constant", p=0.3)
    seeds = g.nodes[:100].tolist()
    found = theory.message_passing(g, seeds)
    assert not found.exact
    measured = dif.spread(g, seeds, runs=1000, rng=2)
    assert measured.mean - 4 * measured.se < found.spread < 1.01 * measured.mean


def test_result():
    g = build(3, [(0, 1), (1, 2)], [0.5, 0.5])
    found = theory.message_passing(g, [0])
    table = found.to_pandas()
    assert table.loc[(table["node"] == 2) & (table["step"] == 2), "probability"].item() == 0.25
    assert repr(found).startswith("MessagePassing: spread 1.75 (exact), 3 nodes")
    assert found.provenance["call"] == "message_passing"
    assert len(found.plot().lines) == 1
    assert theory.message_passing(g, []).spread == 0
    assert theory.message_passing(g, [0], steps=0).by_step.tolist() == [[1, 0, 0]]
    empty = dif.FollowerGraph.from_arrays([], [], nodes=[1, 2], directed=False).with_probabilities("constant", p=0.5)
    assert theory.message_passing(empty, [1]).spread == 1


def test_bad_input():
    g = build(3, [(0, 1), (1, 2)], [0.5, 0.5])
    bare = dif.FollowerGraph.from_arrays([0], [1], directed=False)
    for call, message in (
        (lambda: theory.message_passing(bare, [0]), "no propagation probabilities"),
        (lambda: theory.message_passing(g, [0], steps=-1), "steps=-1"),
        (lambda: theory.message_passing(g, [0], tol=0), "tol=0"),
        (lambda: theory.message_passing(g, {0: 1.5}), "out of range"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    with pytest.raises(NotFoundError, match="not in the graph"):
        theory.message_passing(g, [9])
    with pytest.raises(DiffusionError, match="max_steps"):
        theory.message_passing(g, [0], max_steps=1)
