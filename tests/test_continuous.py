"""Independent cascades in continuous time: the naive twin, the independent cascade as a limit, and closed forms."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import math
import pickle

import naive_continuous as twin
import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy import integrate
from strategies import KEYS, ic_graphs, internal_arcs, internal_values, random_graph, seed_sets

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.errors import InputError, NotFoundError
from diffusion.models import CTIC, ICM, Exponential, Fixed, Gamma, Geometric, LogNormal, Weibull
from diffusion.simulation import prepare


def arrows(*arcs: tuple[int, int], n: int = 0, weight: object = None) -> FollowerGraph:
    u, v = zip(*arcs, strict=True)
    n = n or max(u + v) + 1
    return FollowerGraph.from_arrays(u, v, weight=weight, nodes=range(n), edges_mean="influences", directed=True)


PATH = arrows((0, 1), (1, 2), (2, 3), (3, 4))


def laws_on(graph: FollowerGraph, delay: object) -> list[twin.Law]:
    """The delay of every arc, as the twin knows it."""
    make = {
        Exponential: lambda d, x: twin.exponential(x),
        Weibull: lambda d, x: twin.weibull(x, d.shape),
        Fixed: lambda d, x: twin.fixed(x),
        Geometric: lambda d, x: twin.geometric(x),
    }[type(delay)]
    first = getattr(delay, dataclasses.fields(delay)[0].name)
    values = graph.edge_data[first].tolist() if isinstance(first, str) else [first] * graph.n_edges
    return [make(delay, x) for x in values]


def assert_same_run(engine, row, run: int) -> twin.TimedRun:
    graph, model = engine.graph, engine.model
    p = [1.0] * graph.n_edges if graph.probabilities is None else internal_values(graph)
    seeds = [int(v) for v in engine.nodes]
    laws = laws_on(graph, model.delay)
    want = twin.continuous_run(internal_arcs(graph), p, laws, seeds, int(engine.key), run, model.deadline)
    trace = engine.replay(run)
    nodes, steps, parents = (values.tolist() for values in (trace.nodes, trace.steps, trace.parents))
    times = trace.details["time"].tolist()
    assert set(nodes) == set(want.time)
    assert len(set(nodes)) == len(nodes)
    assert times == pytest.approx([want.time[v] for v in nodes], rel=1e-9)
    assert times == sorted(times)
    assert {v: None if at < 0 else nodes[at] for v, at in zip(nodes, parents, strict=True)} == want.parent
    assert all(at < i for i, at in enumerate(parents))
    assert steps == [twin.step_of(want.time[v], model.width) for v in nodes]
    if row is not None:
        assert np.trim_zeros(row, "b").tolist() == np.bincount(steps).tolist() * bool(nodes)
    return want


DELAYS = st.sampled_from(
    [
        Exponential(1.0),
        Exponential(0.0),
        Weibull(2.0, 0.7),
        Fixed(1.0),
        Fixed(0.1),
        Fixed(0.0),
        Geometric(0.4),
        Geometric(1.0),
    ]
)
COLUMNS = st.sampled_from([Exponential("weight"), Fixed("weight"), Geometric("weight")])


@given(draw=st.data())
@settings(max_examples=80)
def test_twin_on_small_graphs(draw):
    graph = draw.draw(ic_graphs(n=9, max_rows=30))
    delay = draw.draw(DELAYS | COLUMNS if "weight" in graph.edge_data else DELAYS)
    if draw.draw(st.booleans()):
        graph = dataclasses.replace(graph, probabilities=None)
    deadline = draw.draw(st.sampled_from([None, 0.0, 0.3, 1.0, 2.0, 5.0]))
    model = CTIC(delay, deadline=deadline, width=draw.draw(st.sampled_from([1.0, 0.1, 2.5])))
    engine = prepare(graph, model, draw.draw(seed_sets(graph)), draw.draw(KEYS))
    try:
        found = engine.run(0, 40, threads=2)
    except InputError:  # a rate so small that a run has more steps than there may be
        reject()
    out, total, visits = np.diff(graph.csr.indptr), np.zeros(graph.n_nodes, int), 0
    for run in range(40):
        reached = list(assert_same_run(engine, found.new[run, :, 0], run).time)
        total[reached] += 1
        visits += out[reached].sum()
    assert found.node_counts[:, 0].tolist() == total.tolist()
    assert found.visits == visits


@pytest.mark.parametrize(
    "model",
    [CTIC(0.5, deadline=3.0, width=0.5), CTIC(), CTIC(Weibull(1.0, 3.0), deadline=2.5), ICM(0.3, deadline=6), ICM(0.6)],
    ids=lambda m: m.label,
)
def test_twin_on_200_nodes(model):
    graph = random_graph(200, 900, rng=3).with_probabilities("constant", p=0.3)
    engine = prepare(graph, model, graph.nodes[[2, 9, 30]], 4242)
    new = engine.run(0, 1030, threads=2).new[..., 0]
    for run in (0, 1, 511, 512, 1029):
        assert_same_run(engine, new[run], run)
    np.testing.assert_array_equal(engine.run(0, 1030, threads=1).new[..., 0], new)
    short = engine.run(0, 77).new[..., 0]
    np.testing.assert_array_equal(short, new[:77, : short.shape[1]])


@pytest.mark.parametrize("delay", [Fixed(0.0), Fixed("weight")], ids=str)
def test_ties_and_arcs_without_delay_have_the_parents_of_the_twin(delay):
    weight = np.random.default_rng(2).choice([0.0, 0.5, 1.0], 900)
    graph = random_graph(100, 900, rng=3, weight=weight, combine="max").with_probabilities("constant", p=0.3)
    engine = prepare(graph, CTIC(delay), graph.nodes[[2, 9, 30, 31]], 77)
    new = engine.run(0, 40).new[..., 0]
    for run in range(40):
        assert_same_run(engine, new[run], run)


# -- the independent cascade as a limit --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "delay", [Exponential(0.3), Gamma(2.0, 0.7), LogNormal(1.0, 1.5), Fixed(0.0), Geometric(0.2)], ids=str
)
def test_without_a_deadline_every_run_reaches_what_the_independent_cascade_reaches(delay):
    graph = random_graph(200, 900, rng=3).with_probabilities("weighted_cascade")
    plain = dif.simulate(graph, [0, 5, 9], runs=600, rng=3)
    timed = dif.simulate(graph, [0, 5, 9], model=CTIC(delay), runs=600, rng=3)
    assert timed.sizes.tolist() == plain.sizes.tolist()
    np.testing.assert_array_equal(timed.node_counts, plain.node_counts)
    assert timed.mean().mean == plain.mean().mean
    np.testing.assert_array_equal(
        dif.simulate(graph, [0, 5, 9], model=CTIC(delay).in_generations(), runs=600, rng=3).new_by_step,
        plain.new_by_step,
    )


@pytest.mark.parametrize("model", [CTIC(Fixed(1.0)), ICM(1.0), CTIC(Fixed(0.1), width=0.1)], ids=lambda m: m.label)
def test_with_one_fixed_delay_steps_and_parents_are_those_of_the_independent_cascade(model):
    graph = random_graph(200, 1500, rng=3).with_probabilities("constant", p=0.3)
    plain = dif.simulate(graph, [0, 5], runs=300, rng=3)
    timed = dif.simulate(graph, [0, 5], model=model, runs=300, rng=3)
    np.testing.assert_array_equal(timed.new_by_step, plain.new_by_step)
    for run in range(40):
        a, b = (ens.replay(run).to_pandas().set_index("node").sort_index() for ens in (plain, timed))
        assert a["step"].equals(b["step"])
        assert a["parent"].equals(b["parent"])
        np.testing.assert_allclose(b["time"], b["step"] * model.width)


def test_a_deadline_cuts_the_same_runs():
    graph = random_graph(200, 900, rng=3).with_probabilities("constant", p=0.4)
    whole = dif.simulate(graph, [0, 5], model=CTIC(0.7), runs=200, rng=3)
    for deadline in (0.0, 1.0, 2.0, 5.0):
        cut = dif.simulate(graph, [0, 5], model=CTIC(0.7, deadline=deadline), runs=200, rng=3)
        steps = int(deadline) + 1
        np.testing.assert_array_equal(cut.sizes, whole.new_by_step[:, :steps].sum(axis=1))
        assert cut.new_by_step.shape[1] <= steps


def test_a_graph_without_probabilities_has_every_arc():
    graph = random_graph(60, 200, rng=3)
    a = dif.simulate(graph, [0], model=CTIC(0.7), runs=50, rng=3)
    b = dif.simulate(graph.with_probabilities("constant", p=1.0), [0], model=CTIC(0.7), runs=50, rng=3)
    np.testing.assert_array_equal(a.new_by_step, b.new_by_step)
    found = a.mean()
    assert (found.low, found.high) == (found.mean, found.mean)  # every run reaches what can be reached


# -- closed forms ------------------------------------------------------------------------------------------------------


def poisson_path(n: int, rate_times_deadline: float) -> float:
    """Mean reach on a path of n nodes: node k + 1 is reached if a Poisson number is at least k."""
    terms = [math.exp(-rate_times_deadline) * rate_times_deadline**k / math.factorial(k) for k in range(n)]
    return 1 + sum(1 - sum(terms[:k]) for k in range(1, n))


def check(graph, seeds, model, exact, runs=40_000):
    found = dif.spread(graph, seeds, model=model, runs=runs, rng=11)
    assert abs(found.mean - exact) <= 4 * found.se + 1e-9
    return found


def test_path_of_five_counts_a_poisson_process():
    assert poisson_path(5, 1.0) == pytest.approx(1.99565, abs=1e-5)
    check(PATH, [0], CTIC(1.0, deadline=1.0), poisson_path(5, 1.0))
    check(PATH, [0], CTIC(0.5, deadline=6.0), poisson_path(5, 3.0))
    check(PATH, [0], CTIC(Gamma(2.0, 1.0), deadline=1.0), poisson_path(5, 0.5))  # shape 1 is exponential
    half = PATH.with_probabilities("constant", p=0.5)
    terms = [math.exp(-1) / math.factorial(k) for k in range(5)]
    check(half, [0], CTIC(1.0, deadline=1.0), 1 + sum(0.5**k * (1 - sum(terms[:k])) for k in range(1, 5)))


def test_star_and_meetings_are_the_distribution_function_of_the_delay():
    star = arrows(*((0, v) for v in range(1, 7))).with_probabilities("constant", p=0.7)
    for delay in (
        Exponential(0.4),
        Weibull(2.0, 0.6),
        Gamma(2.0, 3.0),
        LogNormal(1.5, 0.8),
        Geometric(0.3),
        Fixed(2.0),
    ):
        for deadline in (1.5, 2.0):
            exact = 1 + 6 * 0.7 * float(delay.cdf(deadline))
            found = check(star, [0], CTIC(delay, deadline=deadline), exact)
            effective = CTIC(delay, deadline=deadline).effective_probabilities(star).probabilities.values
            assert float(effective[0]) == pytest.approx(0.7 * float(delay.cdf(deadline)), rel=1e-6)
    assert found.unit == "nodes"
    check(star, [0], ICM(0.3, deadline=2), 1 + 6 * 0.7 * (1 - 0.7**2))


def diamond_spread(T: float, rates: tuple[float, float, float, float]) -> float:
    """0 -> 1 -> 3 and 0 -> 2 -> 3: node 3 is reached unless both paths take longer than T."""
    a, b, c, d = rates

    def slow(x: float, y: float) -> float:
        return integrate.quad(lambda t: x * math.exp(-x * t) * math.exp(-y * (T - t)), 0, T)[0] + math.exp(-x * T)

    return 1 + (1 - math.exp(-a * T)) + (1 - math.exp(-b * T)) + 1 - slow(a, c) * slow(b, d)


def test_diamond_takes_the_faster_path():
    rates = (1.0, 0.5, 2.0, 0.7)
    graph = arrows((0, 1), (0, 2), (1, 3), (2, 3), weight=rates)
    for T in (0.5, 2.0):
        check(graph, [0], CTIC(Exponential("weight"), deadline=T), diamond_spread(T, rates))


def test_meetings_on_a_diamond_by_enumeration():
    """Delays of 1 ... T or later, live or not, over all four arcs."""
    graph = arrows((0, 1), (0, 2), (1, 3), (2, 3)).with_probabilities("constant", p=0.6)
    m, T = 0.4, 3
    outcomes = [(0.6 * m * (1 - m) ** (t - 1), t) for t in range(1, T + 1)]
    outcomes.append((1 - sum(mass for mass, _ in outcomes), math.inf))
    exact = 0.0
    for (w1, a), (w2, b), (w3, c), (w4, d) in itertools.product(outcomes, repeat=4):
        exact += w1 * w2 * w3 * w4 * (1 + (a <= T) + (b <= T) + (min(a + c, b + d) <= T))
    check(graph, [0], ICM(m, deadline=T), exact)


def test_decimal_delays_that_add_up_to_the_deadline_are_in_time():
    path = arrows(*((i, i + 1) for i in range(40)))
    for k, delay in ((30, 0.1), (7, 0.7), (3, 0.3)):
        ens = dif.simulate(path, [0], model=CTIC(Fixed(delay), deadline=k * delay, width=delay), runs=1)
        assert ens.sizes.tolist() == [k + 1]
        assert ens.new_by_step[0].tolist() == [1] * (k + 1)


def netrate_network(path) -> FollowerGraph:
    with gzip.open(path, "rt") as file:
        nodes, arcs = file.read().split("\n\n")
    rows = np.array([[float(x) for x in row.split(",")] for row in arcs.split()])
    ends = rows[:, :2].astype(int).T
    labels = [int(row.split(",")[0]) for row in nodes.split()]
    return FollowerGraph.from_arrays(*ends, weight=rows[:, 2], nodes=labels, edges_mean="influences", directed=True)


@pytest.mark.parametrize(("deadline", "mean", "error"), [(1, 3.530, 0.013), (10, 115.9, 0.3)])
def test_network_with_planted_rates(data, deadline, mean, error):
    graph = netrate_network(data("netrate-network.txt.gz"))
    assert (graph.n_nodes, graph.n_edges) == (1024, 2042)
    model = CTIC(Exponential("weight"), deadline=deadline)
    found = dif.spread(graph, [0], model=model, runs=20_000, rng=1)
    assert abs(found.mean - mean) <= 4 * math.hypot(error, found.se)
    sets = dif.seeding.sample_rr_sets(graph, 100_000, model=model, rng=1).estimate([0], confidence=1 - 1e-5)
    assert sets.low <= found.mean <= sets.high


# -- what models answer ------------------------------------------------------------------------------------------------


def test_weights_runs_of_one_user_and_pickles():
    graph = random_graph(120, 500, rng=3).with_probabilities("constant", p=0.4)
    model = CTIC(0.7, deadline=2.0)
    weighed = dif.simulate(graph, [0, 5], model=model, runs=60, node_weights=np.arange(120.0), rng=7)
    value = pd_series(graph)
    assert weighed.weights.tolist() == [value[weighed.replay(i).nodes].sum() for i in range(60)]
    again = pickle.loads(pickle.dumps(weighed))
    assert [again.replay(i).size for i in range(60)] == weighed.sizes.tolist()
    users = (np.arange(90) * 7 % graph.n_nodes).astype(np.int32)
    runner = prepare(graph, model, [], 99)
    new = runner.run_each(users, threads=2).new[..., 0]
    for run, user in enumerate(users):
        alone = prepare(graph, model, graph.index.labels_of(users[run : run + 1]), 99).replay(run)
        assert alone.nodes[0] == user
        assert np.trim_zeros(new[run], "b").tolist() == np.trim_zeros(np.bincount(alone.steps), "b").tolist()


def pd_series(graph):
    import pandas as pd

    return pd.Series(np.arange(120.0), index=graph.nodes)


def test_reproduction_counts_generations_of_arcs_that_are_in_time():
    graph = random_graph(400, 3000, rng=3).with_probabilities("constant", p=0.2)
    plain = dif.theory.reproduction_number(graph)
    assert CTIC(0.7).reproduction_number(graph) == pytest.approx(plain, rel=1e-4)
    part = CTIC(1.0, deadline=1.0).reproduction_number(graph)
    assert part == pytest.approx(plain * (1 - math.exp(-1)), rel=1e-4)
    found = dif.simulation.reproduction(graph, model=CTIC(1.0, deadline=1.0, width=0.01), rng=1, max_runs=64)
    assert found.predicted == pytest.approx(part, rel=0.01)


def test_limits_of_the_spread_hold():
    graph = arrows((0, 1), (1, 2), (2, 3), weight=[1.0, 0.0, 1.0])
    model = CTIC(Exponential("weight"))
    found = dif.spread(graph, [0], model=model, runs=100, rng=1)
    assert (found.mean, found.low, found.high) == (2.0, 2.0, 2.0)  # a rate of 0 never comes
    short = prepare(graph, CTIC(Exponential("weight"), deadline=0.5), [0], 1)
    assert short.limits() == (1.0, 2.0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: CTIC(-1.0), "delay: rate=-1.0 is out of range"),
        (
            lambda: CTIC(deadline=-1),
            "deadline=-1 is out of range: give a finite number from 0, or None for no deadline",
        ),
        (lambda: CTIC(deadline=math.inf), "or None for no deadline"),
        (lambda: CTIC(width=0), "width=0 is out of range"),
        (lambda: ICM(1.5), "meeting=1.5 is not a probability"),
        (lambda: dif.models.model_of("icm"), r"ICM needs its parameters: ICM\(meeting=0.5\)"),
    ],
)
def test_bad_parameters_are_named(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_bad_columns_and_endless_runs_are_named():
    graph = arrows((0, 1), (1, 2), weight=[1e-9, 1e-9])
    with pytest.raises(NotFoundError, match=r"delay: the graph has no column 'rate' of arcs, but 'weight'"):
        dif.simulate(graph, [0], model=CTIC("rate"), runs=1)
    with pytest.raises(InputError, match="lasts more than 10,000 steps of width=1: give a larger width, or a deadline"):
        dif.simulate(graph, [0], model=CTIC("weight"), runs=1, rng=1)
    with pytest.raises(InputError, match="lasts more than 10,000 steps"):
        dif.simulate_one(graph, [0], model=CTIC("weight"), rng=1)
    assert dif.simulate(graph, [0], model=CTIC("weight", width=1e8), runs=9, rng=1).sizes.tolist() == [3] * 9


def test_models_by_name_and_their_labels():
    assert dif.models.model_of("ctic") == CTIC()
    assert CTIC().label == "CTIC"
    assert CTIC(2.0, deadline=3).label == "CTIC delay=2 deadline=3"
    assert ICM(0.25, deadline=3).label == "ICM meeting=0.25 deadline=3"


def test_models_in_time_enter_studies_and_study_files(tmp_path):
    models = [CTIC(0.5, deadline=2.0), CTIC(Weibull(1.0, 2.0)), ICM(0.3, deadline=4), "ctic"]
    study = dif.Study(
        {"users": 200, "communities": 2},
        models=models,
        strategies=["degree", "opim"],
        budgets=[3],
        max_runs=64,
        replicates=1,
    )
    table = study.run(tmp_path / "s").to_pandas()
    assert table["model_kind"].value_counts().to_dict() == {"CTIC": 6, "ICM": 2}
    certified = table[table["strategy"] == "opim"]
    assert (certified["lower"] <= certified["reach_high"]).all()
    assert (certified["reach_low"] <= certified["upper"]).all()
    for model in models[:3]:
        ((again, _),) = type(model).from_study_table(model.study_table(), "model[0]")
        assert again == model
    assert CTIC(0.5, deadline=2.0).study_table() == {"delay": {"kind": "exponential", "rate": 0.5}, "deadline": 2.0}
