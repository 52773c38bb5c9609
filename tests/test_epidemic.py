"""Epidemics and rumours: exact twins, Markov chains, closed forms, and what they have in common with other models."""

from __future__ import annotations

import itertools
import math
import pickle

import naive_epidemic as naive
import networkx as nx
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.stats
from strategies import internal_arcs, random_graph

import diffusion as dif
from diffusion.errors import InputError
from diffusion.models import (
    SEIR,
    SIR,
    SIRS,
    SIS,
    Exponential,
    Fixed,
    Gamma,
    Geometric,
    LogNormal,
    Rumour,
    Weibull,
)
from diffusion.models.transmissibility import transmissibility
from diffusion.simulation.runner import Runner, prepare

GRAPH = random_graph(40, 200, rng=3)
SEEDS = [0, 5, 17]
RUNS = 66
TRIANGLE = dif.FollowerGraph.from_networkx(nx.complete_graph(3))
PATH = dif.FollowerGraph.from_networkx(nx.path_graph(3))

OUTBREAKS = [
    SIR(0.3),
    SIR(0.3, width=0.3, end=1.5),
    SIR(0.5, 0.0),
    SIR(0.0, 2.0),
    SIR(0.5, 0.0, end=0.7, width=0.1),
    SIR(Geometric(0.2), Geometric(0.4)),
    SIR(Geometric(0.2), Geometric(0.4), end=3.0),
    SIR(Geometric(1.0), Fixed(2.0), end=2.0),
    SIR(Gamma(2.0, 3.0), LogNormal(1.5, 0.8), width=0.5),
    SIR(Gamma(2.0, 0.4), Gamma(1.5, 0.5), width=0.5),
    SIR(Weibull(2.0, 2.0), Weibull(2.0, 0.7), width=0.5),
    SIR(Fixed(1.0), 0.5),
    SIR(Fixed(0.0), 1.0),
    SIR(0.3, Fixed(0.0)),
    SIR(LogNormal(1.0, 0.0), Fixed(1.0)),
    SIR(1e-6, 1e-5, width=1e4),
    SEIR(0.5, 0.7),
    SEIR(0.5, 0.7, end=2.2, width=0.4),
    SEIR(Fixed(1.0), Fixed(2.0), Fixed(1.0)),
    SEIR(Geometric(0.3), Geometric(0.5), Geometric(0.3)),
    SEIR(Gamma(1.0, 2.0), Gamma(2.0, 5.0), Weibull(1.0, 2.0), width=0.25),
    SEIR(1.0, 0.0),
]
RELAPSES = [
    SIS(0.3, end=6.0),
    SIS(0.6, 1.5, end=5.0, width=0.4),
    SIS(0.3, 0.0, end=4.0),
    SIS(Geometric(0.2), Geometric(0.5), end=9.0),
    SIS(Fixed(0.5), Fixed(1.0), end=4.5, width=0.5),
    SIS(Gamma(2.0, 3.0), LogNormal(1.5, 0.8), end=7.0),
    SIRS(0.5, 1.0, 0.7, end=6.0),
    SIRS(0.5, 1.0, 0.0, end=6.0, width=0.3),
    SIRS(Geometric(0.3), Geometric(0.5), Geometric(0.4), end=9.0),
    SIRS(Weibull(1.0, 2.0), Gamma(1.0, 2.0), Fixed(1.5), end=8.0),
]
RUMOURS = [
    Rumour(1.0, width=0.2),
    Rumour(1.0, 0.4, kind="daley_kendall", width=0.2),
    Rumour(1.0, 3.0, end=0.6, width=0.1),
    Rumour(Geometric(0.4), Geometric(0.3)),
    Rumour(Geometric(0.4), Geometric(0.3), kind="daley_kendall"),
    Rumour(Fixed(1.0), Fixed(1.0), kind="daley_kendall"),
    Rumour(Fixed(0.0), Fixed(1.0)),
    Rumour(1.0, 0.0),
    Rumour(Gamma(1.0, 3.0), LogNormal(1.0, 0.5), kind="daley_kendall", end=3.0),
]


def twin(graph, model, seeds, key: int, run: int, columns=None) -> naive.Run:
    arcs = internal_arcs(graph)
    seeds = [int(v) for v in graph.index.internal(seeds)]
    laws = {name: getattr(model, name) for name in model.waiting}
    if isinstance(model, Rumour):
        return naive.rumour(arcs, laws, seeds, key, run, both=model.kind == "daley_kendall", end=model.horizon)
    if isinstance(model, SIS | SIRS):
        return naive.relapses(arcs, laws, seeds, key, run, end=model.horizon)
    if isinstance(model, SEIR):
        laws["latent"] = laws.pop("incubation")
    return naive.outbreak(graph.n_nodes, arcs, laws, seeds, key, run, end=model.horizon, columns=columns)


def assert_same(engine: Runner, found, runs: int, columns=None) -> None:
    graph, model = engine.graph, engine.model
    total = np.zeros(graph.n_nodes, int)
    for run in range(runs):
        want = twin(graph, model, engine.seeds, int(engine.key), run, columns)
        counts = np.array(want.counts(len(model.states), model.width)).reshape(-1, len(model.states))
        np.testing.assert_array_equal(found.new[run, : len(counts)], counts)
        assert not found.new[run, len(counts) :].any()
        total[list(want.time)] += 1
        trace = engine.replay(run)
        nodes = trace.nodes.tolist()
        assert set(nodes) == set(want.time)
        np.testing.assert_allclose(trace.details["time"], [want.time[v] for v in nodes], rtol=1e-9)
        assert trace.steps.tolist() == [naive.step_of(want.time[v], model.width) for v in nodes]
        parents = {v: None if at < 0 else nodes[at] for v, at in zip(nodes, trace.parents.tolist(), strict=True)}
        assert parents == want.parent
        assert (trace.parents < np.arange(len(nodes))).all()
        assert (np.diff(trace.details["time"]) >= 0).all()
    assert found.node_counts[:, 0].tolist() == total.tolist()


@pytest.mark.parametrize("model", [*OUTBREAKS, *RELAPSES, *RUMOURS], ids=lambda m: m.label)
def test_twin_on_every_run(model):
    engine = prepare(GRAPH, model, SEEDS, 4242)
    assert_same(engine, engine.run(0, RUNS, threads=2), RUNS)


@pytest.mark.parametrize(
    "model", [SIR(0.3), SEIR(0.5, 1.0), SIS(0.4, end=4.0), Rumour(1.0, kind="daley_kendall")], ids=str
)
def test_twin_with_mutual_and_without_arcs_and_without_seeds(model):
    for graph, seeds in [
        (TRIANGLE, [0]),
        (PATH, [1, 2]),
        (TRIANGLE, []),
        (dif.FollowerGraph.from_arrays([], [], nodes=[1, 2], directed=True, edges_mean="influences"), [1]),
        (dif.FollowerGraph.from_networkx(nx.barbell_graph(5, 2)), [3, 9]),
    ]:
        engine = prepare(graph, model, seeds, 9)
        assert_same(engine, engine.run(0, 40), 40)


def test_twin_with_a_value_for_each_arc_and_node():
    draw = np.random.default_rng(5)
    rates, days = draw.uniform(0, 1, GRAPH.n_edges), draw.uniform(0.2, 3, GRAPH.n_nodes)
    rates[:20] = 0
    table = GRAPH.to_pandas()
    graph = dif.FollowerGraph.from_arrays(
        table["source"], table["target"], weight=rates, nodes=GRAPH.nodes, directed=True, edges_mean="influences"
    ).with_node_data(days=days)
    model = SIR("weight", Fixed("days"), width=0.5)
    columns = {"transmission": graph.edge_data["weight"].tolist(), "recovery": days[graph.index.order].tolist()}
    engine = prepare(graph, model, SEEDS, 4242)
    assert_same(engine, engine.run(0, RUNS), RUNS, columns)


@pytest.mark.parametrize(
    "model",
    [SIR(0.3), SEIR(0.3, Gamma(1.0, 2.0)), SIS(0.3, end=5.0), SIRS(0.4, 1.0, 1.0, end=5.0), Rumour(1.0)],
    ids=str,
)
def test_runs_depend_on_the_key_and_their_number_alone(model):
    whole = prepare(GRAPH, model, SEEDS, 77).run(0, 1100, threads=2)
    one = prepare(GRAPH, model, SEEDS, 77).run(0, 1100, threads=1)
    np.testing.assert_array_equal(whole.new, one.new)
    np.testing.assert_array_equal(whole.node_counts, one.node_counts)
    late = prepare(GRAPH, model, SEEDS, 77).run(512, 1100)
    np.testing.assert_array_equal(late.new, whole.new[512:, : late.new.shape[1]])
    ens = dif.simulate(GRAPH, SEEDS, model=model, runs=30, rng=7)
    assert [ens.replay(run).size for run in range(30)] == ens.sizes.tolist()
    again = pickle.loads(pickle.dumps(ens))
    assert [again.replay(run).size for run in range(30)] == ens.sizes.tolist()
    weighed = dif.simulate(GRAPH, SEEDS, model=model, runs=30, rng=7, node_weights=np.arange(40.0))
    of_nodes = [sum(ens.replay(run).nodes) for run in range(30)]
    assert weighed.weights.tolist() == of_nodes


@pytest.mark.parametrize("model", [SIR(0.5), SIS(0.3, end=5.0), Rumour(1.0)], ids=str)
def test_every_run_may_have_a_seed_of_its_own(model):
    users = (np.arange(600) * 7 % GRAPH.n_nodes).astype(np.int32)
    found = prepare(GRAPH, model, [], 99).run_each(users, threads=2)
    for run in (0, 1, 39, 511, 512, 599):
        alone = prepare(GRAPH, model, GRAPH.index.labels_of(users[run : run + 1]), 99)
        trace = alone.replay(run)
        assert trace.nodes[0] == users[run]
        assert found.values[run] == trace.nodes.size
        rows = alone.run(512 * (run // 512), run + 1).new[-1]
        np.testing.assert_array_equal(
            np.trim_zeros(found.new[run].sum(axis=1), "b"), np.trim_zeros(rows.sum(axis=1), "b")
        )


# -- exact values ------------------------------------------------------------------------------------------------------


def near(estimate, want: float) -> bool:
    return abs(estimate.mean - want) < 4 * estimate.se


@pytest.mark.parametrize(("n", "rate", "want"), [(3, 1.0, 13 / 6), (4, 1.0, 2.97916667), (10, 0.2, 4.57100449)])
def test_final_size_on_complete_graphs(n, rate, want):
    graph = dif.FollowerGraph.from_networkx(nx.complete_graph(n))
    assert near(dif.spread(graph, [0], model=SIR(rate), runs=100_000, rng=1), want)
    assert near(dif.spread(graph, [0], model=SEIR(2 * rate, 0.3, 2.0), runs=100_000, rng=2), want)


@pytest.mark.parametrize(
    ("rate", "want", "se"), [(0.125, 1.787, 0.01), (0.25, 3.641, 0.02), (1, 22.644, 0.042), (4, 52.524, 0.042)]
)
def test_final_size_on_the_network_of_iceland(data, rate, want, se):
    graph = dif.read_edges(data("iceland.lnk.gz"), directed=False)
    users = np.random.default_rng(3).integers(0, graph.n_nodes, 200_000).astype(np.int32)
    sizes = prepare(graph, SIR(rate), [], 5).run_each(users).values
    assert abs(sizes.mean() - want) < 4 * math.hypot(sizes.std() / math.sqrt(sizes.size), se)


def chain(graph, kinds: dict[str, tuple[str, ...]], seed_state: str, rates) -> tuple[list, np.ndarray]:
    """All states of the nodes and the generator of the Markov process; `rates(state, v)` gives (new state, rate) pairs."""
    states = list(itertools.product(kinds["all"], repeat=graph.n_nodes))
    place = {state: i for i, state in enumerate(states)}
    q = np.zeros((len(states), len(states)))
    for state in states:
        for v in range(graph.n_nodes):
            for other, rate in rates(state, v):
                to = (*state[:v], other, *state[v + 1 :])
                q[place[state], place[to]] += rate
    return states, q - np.diag(q.sum(axis=1))


BETA, ALPHA, GAMMA_RATE, OMEGA = 0.8, 0.6, 0.5, 0.7
MARKOV = {
    "SIR": (SIR(BETA, GAMMA_RATE, width=0.5, end=4.0), "SIR", {"I": ("R", GAMMA_RATE)}, "I"),
    "SEIR": (SEIR(BETA, ALPHA, GAMMA_RATE, width=0.5, end=4.0), "SEIR", {"E": ("I", ALPHA), "I": ("R", GAMMA_RATE)}, "E"),
    "SIS": (SIS(BETA, GAMMA_RATE, width=0.5, end=4.0), "SI", {"I": ("S", GAMMA_RATE)}, "I"),
    "SIRS": (
        SIRS(BETA, GAMMA_RATE, OMEGA, width=0.5, end=4.0), "SIR", {"I": ("R", GAMMA_RATE), "R": ("S", OMEGA)}, "I",
    ),
}  # fmt: skip
NAMES = {"S": "susceptible", "E": "exposed", "I": "infected", "R": "recovered"}


@pytest.mark.parametrize("graph", [TRIANGLE, PATH], ids=["triangle", "path"])
@pytest.mark.parametrize("name", MARKOV)
def test_curves_are_those_of_the_markov_chain(name, graph):
    model, letters, moves, entered = MARKOV[name]
    into = {v: [u for u, w in internal_arcs(graph) if w == v] for v in range(3)}

    def rates(state, v):
        if state[v] == "S":
            return [(entered, BETA * sum(state[u] == "I" for u in into[v]))]
        return [moves[state[v]]] if state[v] in moves else []

    states, q = chain(graph, {"all": tuple(letters)}, entered, rates)
    seed = int(graph.index.internal([0])[0])
    begin = np.array(
        [all((s == entered) if v == seed else s == "S" for v, s in enumerate(state)) for state in states], float
    )
    runs = 40_000
    ens = dif.simulate(graph, [0], model=model, runs=runs, rng=11)
    step = scipy.linalg.expm(q * 0.5)
    for k in range(9):
        for letter in letters:
            of = np.array([sum(s == letter for s in state) for state in states])
            mean = begin @ of
            se = math.sqrt(max(begin @ of**2 - mean**2, 0) / runs)
            assert abs(ens.counts(NAMES[letter])[:, k].mean() - mean) <= 4 * se + 1e-9, (k, letter)
        begin = begin @ step


@pytest.mark.parametrize("name", ["SIR", "SIS", "SIRS"])
def test_geometric_times_are_the_model_in_discrete_time(name):
    """All nodes look at the states before the step: infection with 1 - (1 - p)^infected, and independent recoveries."""
    p, r, w = 0.3, 0.4, 0.25
    model = {
        "SIR": SIR(Geometric(p), Geometric(r), end=8.0),
        "SIS": SIS(Geometric(p), Geometric(r), end=8.0),
        "SIRS": SIRS(Geometric(p), Geometric(r), Geometric(w), end=8.0),
    }[name]
    letters = "SI" if name == "SIS" else "SIR"
    moves = {"I": ("S" if name == "SIS" else "R", r)} | ({"R": ("S", w)} if name == "SIRS" else {})
    into = {v: [u for u, x in internal_arcs(TRIANGLE) if x == v] for v in range(3)}
    states = list(itertools.product(letters, repeat=3))
    step = np.ones((len(states), len(states)))
    for a, state in enumerate(states):
        for b, after in enumerate(states):
            for v in range(3):
                if state[v] == "S":
                    to, chance = "I", 1 - (1 - p) ** sum(state[u] == "I" for u in into[v])
                else:
                    to, chance = moves.get(state[v], (state[v], 1.0))
                step[a, b] *= chance * (after[v] == to) + (1 - chance) * (after[v] == state[v])
    seed = int(TRIANGLE.index.internal([0])[0])
    begin = np.array([all(s == ("I" if v == seed else "S") for v, s in enumerate(state)) for state in states], float)
    runs = 40_000
    ens = dif.simulate(TRIANGLE, [0], model=model, runs=runs, rng=11)
    for k in range(9):
        for letter in letters:
            of = np.array([sum(s == letter for s in state) for state in states])
            mean = begin @ of
            se = math.sqrt(max(begin @ of**2 - mean**2, 0) / runs)
            assert abs(ens.counts(NAMES[letter])[:, k].mean() - mean) <= 4 * se + 1e-9, (k, letter)
        begin = begin @ step


LAWS = {
    Gamma(2.0, 3.0): scipy.stats.gamma(3, scale=2 / 3),
    Weibull(1.5, 2.0): scipy.stats.weibull_min(2, scale=1.5),
    LogNormal(1.0, 0.7): scipy.stats.lognorm(0.7),
    Exponential(0.8): scipy.stats.expon(scale=1 / 0.8),
}


def moment(transmission, recovery, power: int) -> float:
    """Mean of P(D <= R | R)**power."""
    law = LAWS[recovery]
    return scipy.integrate.quad(lambda q: LAWS[transmission].cdf(law.ppf(q)) ** power, 0, 1, limit=200)[0]


@pytest.mark.parametrize("transmission", LAWS, ids=str)
@pytest.mark.parametrize("recovery", LAWS, ids=str)
def test_final_sizes_of_any_waiting_times(transmission, recovery):
    t, both = moment(transmission, recovery, 1), moment(transmission, recovery, 2)
    model = SIR(transmission, recovery)
    assert near(dif.spread(PATH, [0], model=model, runs=20_000, rng=3), 1 + t + t**2)
    # Arcs out of one node share its period: both leaves of a star are reached with E[F(R)^2], not with t^2.
    sizes = dif.simulate(PATH, [1], model=model, runs=20_000, rng=4).sizes
    assert abs((sizes == 3).mean() - both) < 4 * math.sqrt(both * (1 - both) / 20_000)
    # The triangle: one of two is reached directly with 2 (t - both), and then infects the other with t.
    assert near(dif.spread(TRIANGLE, [0], model=model, runs=20_000, rng=5), 1 + 2 * both + 2 * (t - both) * (1 + t))
    assert transmissibility(PATH, transmission, recovery)[0] == pytest.approx(t, abs=2e-5)


def test_sir_without_recovery_is_first_passage():
    """On a path with rate 1 the number reached by T is Poisson, cut at the end: 1 + E[min(Poisson(T), n - 1)]."""
    graph = dif.FollowerGraph.from_networkx(nx.path_graph(5, create_using=nx.DiGraph), edges_mean="influences")
    estimate = dif.spread(graph, [0], model=SIR(1.0, 0.0, end=1.0), runs=100_000, rng=3)
    assert near(estimate, 1.99565)


# -- rumours -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["maki_thompson", "daley_kendall"])
def test_rumours_are_their_markov_chain(kind):
    graph = dif.FollowerGraph.from_arrays(
        [0, 0, 1, 2, 3, 1], [1, 2, 0, 3, 1, 3], directed=True, edges_mean="influences"
    )
    a, b = 1.0, 0.6
    arcs = set(internal_arcs(graph))
    states = list(itertools.product("XYZ", repeat=4))
    place = {state: i for i, state in enumerate(states)}
    q = np.zeros((len(states), len(states)))

    def add(state, changes: dict[int, str], rate: float) -> None:
        q[place[state], place[tuple(changes.get(v, s) for v, s in enumerate(state))]] += rate

    for state in states:
        for u, v in arcs:
            if state[u] != "Y":
                continue
            if state[v] == "X":
                add(state, {v: "Y"}, a)
            elif state[v] == "Z" or kind == "maki_thompson":
                add(state, {u: "Z"}, b)
            elif (v, u) not in arcs or u < v:
                add(state, {u: "Z", v: "Z"}, b)
    q -= np.diag(q.sum(axis=1))
    seed = int(graph.index.internal([0])[0])
    begin = np.array([all(s == ("Y" if v == seed else "X") for v, s in enumerate(state)) for state in states], float)
    runs = 40_000
    ens = dif.simulate(graph, [0], model=Rumour(a, b, kind=kind, width=0.5, end=4.0), runs=runs, rng=11)
    step = scipy.linalg.expm(q * 0.5)
    for k in range(9):
        for letter, name in zip("XYZ", ("ignorant", "spreader", "stifler"), strict=True):
            of = np.array([sum(s == letter for s in state) for state in states])
            mean = begin @ of
            se = math.sqrt(max(begin @ of**2 - mean**2, 0) / runs)
            assert abs(ens.counts(name)[:, k].mean() - mean) <= 4 * se + 1e-9, (k, letter)
        begin = begin @ step


@pytest.mark.parametrize("kind", ["maki_thompson", "daley_kendall"])
def test_a_fifth_never_hears_of_a_rumour(kind):
    n = 400
    graph = dif.FollowerGraph.from_networkx(nx.complete_graph(n))
    seeds = list(range(8))  # enough that it never dies out at once; they are no ignorants at the beginning
    ens = dif.simulate(graph, seeds, model=Rumour(1.0, kind=kind, width=0.01), runs=150, rng=1)
    left = 1 - ens.sizes / n
    share = 1 - 8 / n
    want = scipy.optimize.brentq(lambda x: 2 * (1 - x) + math.log(x / share) - (1 - share) * 0, 1e-6, 0.5)
    assert abs(left.mean() - want) < 4 * left.std() / math.sqrt(left.size) + 1 / n


# -- live edges --------------------------------------------------------------------------------------------------------


def test_mean_transmissibility_in_closed_form():
    t = lambda *pair: float(transmissibility(PATH, *pair)[0])  # noqa: E731
    assert t(Exponential(0.3), Exponential(1.0)) == pytest.approx(0.3 / 1.3)
    assert t(Exponential(0.3), Fixed(2.0)) == pytest.approx(1 - math.exp(-0.6))
    assert t(Fixed(2.0), Exponential(0.3)) == pytest.approx(math.exp(-0.6))
    assert t(Fixed(2.0), Fixed(2.0)) == 1.0
    assert t(Fixed(2.0), Fixed(1.9)) == 0.0
    assert t(Geometric(0.2), Geometric(0.4)) == pytest.approx(
        sum(0.2 * 0.8 ** (k - 1) * 0.6 ** (k - 1) for k in range(1, 200))
    )
    assert t(Fixed(2.0), Geometric(0.4)) == pytest.approx(0.6)
    assert t(Geometric(0.3), Exponential(1.0)) == pytest.approx(
        sum(0.3 * 0.7 ** (k - 1) * math.exp(-k) for k in range(1, 100)), abs=1e-4
    )
    assert t(Exponential(0.7), Geometric(0.4)) == pytest.approx(
        sum(0.4 * 0.6 ** (k - 1) * (1 - math.exp(-0.7 * k)) for k in range(1, 200)), abs=1e-4
    )
    assert t(Exponential(0.0), Exponential(1.0)) == 0.0
    assert t(Exponential(0.5), Exponential(0.0)) == 1.0
    assert t(Exponential(0.0), Exponential(0.0)) == 0.0


def test_mean_transmissibility_of_columns():
    draw = np.random.default_rng(1)
    n = 3000
    graph = dif.FollowerGraph.from_arrays(
        np.zeros(n, int), np.arange(1, n + 1), weight=draw.uniform(0.1, 5, n), directed=True, edges_mean="influences"
    ).with_node_data(days=draw.uniform(0.5, 4, n + 1))
    weight = graph.edge_data["weight"]
    days = graph.attributes["days"][graph.nodes.get_loc(0)]
    found = transmissibility(graph, Exponential("weight"), Fixed("days"))
    np.testing.assert_allclose(found, 1 - np.exp(-np.asarray(weight) * days), rtol=1e-9)
    found = transmissibility(graph, Weibull("weight", 2.0), Gamma(2.0, 3.0))  # more than are computed one by one
    at = draw.integers(0, n, 20)
    law = scipy.stats.gamma(3, scale=2 / 3)
    for j in at:
        scale = float(np.asarray(weight)[j])
        want = scipy.integrate.quad(lambda q, s=scale: -math.expm1(-((law.ppf(q) / s) ** 2)), 0, 1)[0]
        assert found[j] == pytest.approx(want, abs=2e-4)


def test_arcs_out_of_nodes_with_fixed_periods_are_live_independently():
    graph = random_graph(60, 240, rng=2)
    model = SIR(0.3, Fixed(1.5))
    live = model.live_edges(graph)
    assert live.sampler is None
    assert live.graph.probabilities.values.tolist() == [np.float32(-math.expm1(-0.45))]
    a = dif.spread(graph, [0, 1], model=model, runs=20_000, rng=1)
    b = dif.spread(live.graph, [0, 1], model="ic", runs=20_000, rng=2)
    assert abs(a.mean - b.mean) < 4 * math.hypot(a.se, b.se)
    chosen = dif.select_seeds(graph, 3, model=model, rng=7)
    reach = dif.spread(graph, chosen.seeds, model=model, runs=4000, rng=8)
    assert chosen.lower <= reach.high
    assert model.submodular(graph)


def test_reproduction_number_is_that_of_percolation():
    graph = dif.FollowerGraph.from_networkx(nx.random_regular_graph(4, 200, seed=1))
    assert SIR(0.3).reproduction_number(graph) == pytest.approx(3 * 0.3 / 1.3, rel=1e-3)  # mean excess degree 3
    assert SIR(0.3).reproduction_number(graph) == pytest.approx(SEIR(0.3, 2.0).reproduction_number(graph))
    assert SIS(0.3, end=3.0).reproduction_number(graph) is None
    assert SIS(0.3, end=3.0).live_edges(graph) is None
    with pytest.raises(InputError, match="no certificate is known for SIS, whose nodes are infected again"):
        dif.select_seeds(graph, 2, model=SIS(0.3, end=3.0))
    with pytest.raises(InputError, match="no certificate is known for Rumour"):
        dif.select_seeds(graph, 2, model=Rumour(1.0))
