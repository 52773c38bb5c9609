"""SIR and independent cascades on temporal graphs: the naive twin, closed forms, tsir's numbers, seeds and refusals."""

from __future__ import annotations

import itertools
import math
import pickle

import naive_temporal as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KEYS, internal_arcs, seed_sets
from test_waiting import twin as wait_twin

import diffusion as dif
from diffusion.errors import InputError
from diffusion.graph import TemporalGraph
from diffusion.models import Exponential, Fixed, Gamma, Geometric, TemporalIC, TemporalSIR, Weibull
from diffusion.simulation.runner import prepare

RUNS = 40
WAITS = st.sampled_from([Exponential(0.4), Exponential(3.0), Fixed(2.0), Fixed(1.0), Weibull(2.0, 0.7), Geometric(0.4)])
TIMES = st.integers(0, 9).map(float)


def waiting(wait):
    return lambda index, key: math.inf if wait.never else wait_twin(wait, key)


@st.composite
def contact_graphs(draw):
    node = st.integers(0, 5)
    row = st.tuples(node, node, TIMES).filter(lambda r: r[0] != r[1])
    rows = draw(st.lists(row, min_size=1, max_size=25))
    directed = draw(st.booleans())
    source, target, time = zip(*rows, strict=True)
    means = draw(st.sampled_from(["follows", "influences"])) if directed else None
    return TemporalGraph.from_contacts(source, target, time, directed=directed, edges_mean=means)


@st.composite
def follow_graphs(draw):
    node = st.integers(0, 5)
    row = st.tuples(node, node, TIMES, st.integers(1, 6) | st.just(math.inf)).filter(lambda r: r[0] != r[1])
    rows = draw(st.lists(row, min_size=1, max_size=25))
    source, target, start, length = zip(*rows, strict=True)
    end = [a + b for a, b in zip(start, length, strict=True)]
    return TemporalGraph.from_follows(source, target, start, end, directed=True, edges_mean="influences")


def clocks(last):
    start = st.none() | st.just("random") | st.integers(0, 5).map(float)
    end = st.none() | st.integers(5, 12).map(float)
    return st.fixed_dictionaries({"start": start, last: end, "width": st.none() | st.sampled_from([0.7, 1.0, 3.0])})


def with_p(graph, draw):
    p = draw.draw(st.sampled_from([0.0, 0.3, 0.6, 1.0]))
    if draw.draw(st.booleans()):
        return graph.with_probabilities("weighted_cascade")
    return graph.with_probabilities("constant", p=p)


def per_arc(indptr, *columns):
    parts = [[column[a:b].tolist() for a, b in itertools.pairwise(indptr)] for column in columns]
    return parts[0] if len(parts) == 1 else [list(zip(*both, strict=True)) for both in zip(*parts, strict=True)]


def check_runs(engine, offer, recovery, end):
    """Every run of a chunk and its replay equal the twin's."""
    graph, model, program = engine.graph, engine.model, engine.program
    start, length, width = (float(getattr(program.course, name)) for name in ("start", "length", "width"))
    found = engine.run(0, RUNS, threads=2)
    total = np.zeros(graph.n_nodes, int)
    states = len(model.states)
    for run in range(RUNS):
        seeds, key = engine.start.seeds.tolist(), int(engine.key)
        want = naive.spread(internal_arcs(graph), seeds, key, run, start, length, end, offer, recovery)
        counts = {(k, s): int(c) for (k, s), c in np.ndenumerate(found.new[run]) if c}
        assert counts == want.counts(width, end, states)
        trace = engine.replay(run)
        nodes = trace.nodes.tolist()
        assert nodes == list(want.time)
        assert dict(zip(nodes, trace.details["time"].tolist(), strict=True)) == pytest.approx(want.time, rel=1e-9)
        assert dict(zip(nodes, trace.steps.tolist(), strict=True)) == {v: want.step(v, width) for v in want.time}
        parents = {v: None if at < 0 else nodes[at] for v, at in zip(nodes, trace.parents.tolist(), strict=True)}
        assert parents == want.parent
        if states > 1:
            assert trace.details["recovery"].tolist() == pytest.approx([want.over[v] for v in nodes], rel=1e-9)
        assert (np.diff(trace.steps) >= 0).all()
        assert (trace.parents < np.arange(len(nodes))).all()
        total[nodes] += 1
    assert found.node_counts[:, 0].tolist() == total.tolist()
    again = engine.run(0, RUNS // 2, threads=1)
    assert np.array_equal(again.values, found.values[: RUNS // 2])


@given(contact_graphs(), st.data())
@settings(max_examples=60)
def test_twin_of_sir(graph, draw):
    wait = draw.draw(WAITS | st.just(Exponential(0.0)))
    beta = draw.draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    clock = draw.draw(clocks("end"))
    end = graph.span[1] if clock["end"] is None else clock["end"]
    if isinstance(clock["start"], float) and clock["start"] > end:
        clock["start"] = None
    if end < graph.span[0]:
        clock["end"], end = None, graph.span[1]
    engine = prepare(graph, TemporalSIR(beta, wait, **clock), draw.draw(seed_sets(graph)), draw.draw(KEYS))
    times = per_arc(graph.contacts.indptr, graph.contacts.times)
    check_runs(engine, naive.on_contacts(times, beta), waiting(wait), end)


@given(contact_graphs(), st.data())
@settings(max_examples=40)
def test_twin_of_cascades_on_contacts(graph, draw):
    wait, graph = draw.draw(WAITS), with_p(graph, draw)
    clock = draw.draw(clocks("deadline"))
    if clock["deadline"] is not None:
        clock["deadline"] += 10
    engine = prepare(graph, TemporalIC(wait, **clock), draw.draw(seed_sets(graph)), draw.draw(KEYS))
    times = per_arc(graph.contacts.indptr, graph.contacts.times)
    p = np.broadcast_to(graph.probabilities.values.astype(float), graph.n_edges).tolist()
    end = math.inf if clock["deadline"] is None else clock["deadline"]
    check_runs(engine, naive.first_contact(times, p, waiting(wait)), None, end)


@given(follow_graphs(), st.data())
@settings(max_examples=60)
def test_twin_of_cascades_on_follows(graph, draw):
    wait, graph = draw.draw(WAITS), with_p(graph, draw)
    clock = draw.draw(clocks("deadline"))
    if clock["deadline"] is not None:
        clock["deadline"] += 10
    engine = prepare(graph, TemporalIC(wait, **clock), draw.draw(seed_sets(graph)), draw.draw(KEYS))
    intervals = per_arc(graph.follows.indptr, graph.follows.start, graph.follows.end)
    p = np.broadcast_to(graph.probabilities.values.astype(float), graph.n_edges).tolist()
    end = math.inf if clock["deadline"] is None else clock["deadline"]
    check_runs(engine, naive.while_followed(intervals, p, waiting(wait)), None, end)


def test_ties_among_sources_are_broken_by_the_rank_of_the_arc():
    graph = TemporalGraph.from_contacts([0, 1, 2, 3], [4] * 4, [2.0] * 4, directed=True, edges_mean="influences")
    times = per_arc(graph.contacts.indptr, graph.contacts.times)
    engine = prepare(graph, TemporalSIR(0.9), [0, 1, 2, 3], 11)
    check_runs(engine, naive.on_contacts(times, 0.9), waiting(Exponential(0.0)), 2.0)
    assert len({engine.replay(run).parents[-1] for run in range(RUNS)} - {-1}) == 4


def made(n=60, rows=600, seed=3):
    draw = np.random.default_rng(seed)
    u, v = draw.integers(0, n, (2, rows))
    return TemporalGraph.from_contacts(u, v, draw.integers(0, 100, rows), directed=False, nodes=range(n))


@pytest.mark.parametrize(
    "model", [TemporalSIR(0.2, 0.05), TemporalSIR(0.2, 0.05, start="random"), TemporalIC(0.3)], ids=str
)
def test_threads_chunks_and_weights_change_nothing(model):
    graph = made().with_probabilities("constant", p=0.5)
    weights = np.arange(graph.n_nodes) + 0.5
    engine = prepare(graph, model, [1, 2, 3], 7, weights)
    one, two = engine.run(0, 1500, threads=1), engine.run(0, 1500, threads=2)
    late = engine.run(1024, 1500)
    assert np.array_equal(one.new, two.new)
    assert np.array_equal(one.node_counts, two.node_counts)
    assert one.visits == two.visits > 0
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.values[1024:], late.values)
    for run in (0, 1, 511, 512, 1300):
        trace = engine.replay(run)
        assert one.values[run] == pytest.approx(weights[trace.nodes].sum())
        assert np.bincount(trace.steps, minlength=one.new.shape[1]).tolist() == one.new[run, :, 0].tolist()


def test_runs_with_seeds_of_their_own():
    graph = made()
    engine = prepare(graph, TemporalSIR(0.3, 0.05, start="random"), [], 7)
    users = np.random.default_rng(1).integers(0, graph.n_nodes, 700).astype(np.int32)
    each = engine.run_each(users)
    for run in (0, 3, 511, 512, 699):
        alone = prepare(graph, engine.model, graph.index.labels_of(users[run : run + 1]), 7).replay(run)
        assert each.values[run] == len(alone.nodes)
    assert each.values.max() > 1


# -- closed forms ------------------------------------------------------------------------------------------------------


def share_infected(graph, seeds, node, model, runs=40_000):
    ens = dif.simulate(graph, seeds, model=model, runs=runs, rng=7)
    return ens.activation_probability[node]


def near(share, p, runs=40_000):
    return abs(share - p) <= 4 * math.sqrt(p * (1 - p) / runs) + 1e-12


@pytest.mark.parametrize("beta", [0.0, 0.03, 0.4, 1.0])
@pytest.mark.parametrize("k", [1, 2, 7])
def test_two_nodes_that_never_recover(beta, k):
    graph = TemporalGraph.from_contacts([0] * k, [1] * k, range(k), directed=False)
    assert near(share_infected(graph, [0], 1, TemporalSIR(beta)), 1 - (1 - beta) ** k)


@pytest.mark.parametrize(("beta", "rate"), [(0.3, 0.5), (0.9, 2.0), (0.1, 0.05)])
def test_two_nodes_with_exponential_recovery(beta, rate):
    times = [0.5, 1.0, 1.7, 4.0]
    graph = TemporalGraph.from_contacts([0] * 4, [1] * 4, times, directed=False)
    # The contact k + 1 is the first that transmits, and the source is still infectious.
    want = sum(beta * (1 - beta) ** k * math.exp(-rate * t) for k, t in enumerate(times))
    assert near(share_infected(graph, [0], 1, TemporalSIR(beta, rate, start=0.0)), want)
    # From the first contact on, which is certain to find the source infectious.
    want = sum(beta * (1 - beta) ** k * math.exp(-rate * (t - 0.5)) for k, t in enumerate(times))
    assert near(share_infected(graph, [0], 1, TemporalSIR(beta, rate)), want)
    # Gamma recovery of shape 2: two exponential stages.
    gamma = Gamma(2 / rate, 2.0)
    want = sum(beta * (1 - beta) ** k * (1 + rate * t) * math.exp(-rate * t) for k, t in enumerate(times))
    assert near(share_infected(graph, [0], 1, TemporalSIR(beta, gamma, start=0.0)), want)


def test_a_random_start_is_uniform():
    graph = TemporalGraph.from_contacts([0, 0, 2], [1, 1, 3], [0.0, 4.0, 10.0], directed=False)
    # Only who starts by 4 meets the contact at 4.
    assert near(share_infected(graph, [0], 1, TemporalSIR(0.5, start="random")), 0.4 * 0.5)
    assert near(share_infected(graph, [0], 1, TemporalSIR(1.0, 0.3, start="random")), 0.1 * (1 - math.exp(-1.2)) / 0.3)


def test_a_chain_carries_in_the_order_of_time_alone():
    right = TemporalGraph.from_contacts([0, 1, 2], [1, 2, 3], [1, 2, 3], directed=False)
    wrong = TemporalGraph.from_contacts([0, 1, 2], [1, 2, 3], [3, 2, 1], directed=False)
    same = TemporalGraph.from_contacts([0, 1, 2], [1, 2, 3], [1, 1, 1], directed=False)
    assert near(share_infected(right, [0], 3, TemporalSIR(0.5)), 0.125)
    for graph in (wrong, same):
        assert share_infected(graph, [0], 2, TemporalSIR(1.0)) == 0.0
        assert share_infected(graph, [0], 1, TemporalSIR(1.0)) == 1.0
    p = right.with_probabilities("constant", p=0.5)
    assert near(share_infected(p, [0], 2, TemporalIC(1e6)), 0.25)
    # An exponential delay of rate 1 must end within the unit of time between two contacts.
    assert near(share_infected(p, [0], 2, TemporalIC(1.0)), 0.25 * (1 - math.exp(-1)))


def test_contacts_at_the_start_and_at_the_end_count():
    graph = TemporalGraph.from_contacts([0, 0], [1, 2], [1.0, 5.0], directed=False)
    sizes = lambda **clock: dif.simulate(graph, [0], model=TemporalSIR(1.0, **clock), runs=2, rng=1).sizes.tolist()  # noqa: E731
    assert sizes() == sizes(start=1.0, end=5.0) == [3, 3]
    assert sizes(start=1.1) == sizes(end=4.9) == [2, 2]
    assert sizes(start=5.1, end=6.0) == [1, 1]
    fixed = TemporalSIR(1.0, Fixed(4.0))
    assert dif.simulate(graph, [0], model=fixed, runs=1).sizes.tolist() == [3]  # at the time of recovery
    assert dif.simulate(graph, [0], model=TemporalSIR(1.0, Fixed(3.9)), runs=1).sizes.tolist() == [2]


def test_a_follow_that_begins_after_the_post_carries_nothing():
    arcs = [0, 0, 1, 1], [1, 2, 3, 4]
    graph = TemporalGraph.from_follows(
        *arcs, [0.0, 2.0, 0.0, 8.0], [9.0, 9.0, 5.0, 9.0], directed=True, edges_mean="influences"
    ).with_probabilities("constant", p=1.0)
    reach = lambda **o: sorted(dif.simulate_one(graph, [0], model=TemporalIC(**o), rng=1).nodes.tolist())  # noqa: E731
    assert reach(delay=Fixed(4.0)) == [0, 1, 3]  # 1 posts at 4: 3 follows, 4 does not yet
    assert reach(delay=Fixed(5.0)) == [0, 1]  # at the very end it follows no more
    assert reach(delay=Fixed(8.0)) == [0, 1, 4]  # at the very start it follows
    assert reach(delay=Fixed(4.0), start=2.0) == [0, 1, 2]  # 1 posts at 6
    assert reach(delay=Fixed(2.0), start=2.0) == [0, 1, 2, 3]
    assert reach(delay=Fixed(4.0), deadline=8.0) == [0, 1, 3]
    assert reach(delay=Fixed(4.0), deadline=7.9) == [0, 1]
    # A gap between two follows.
    gap = TemporalGraph.from_follows([0, 0], [1, 1], [0, 6], [3, 9], directed=True, edges_mean="influences")
    gap = gap.with_probabilities("constant", p=0.5)
    for start, p in [(0, 0.5), (2.9, 0.5), (3, 0), (5.9, 0), (6, 0.5), (8.9, 0.5), (9, 0)]:
        assert near(share_infected(gap, [0], 1, TemporalIC(start=start)), p)


def test_one_coin_an_arc_however_many_contacts():
    graph = TemporalGraph.from_contacts([0] * 5, [1] * 5, range(5), directed=False).with_probabilities(
        "constant", p=0.3
    )
    assert near(share_infected(graph, [0], 1, TemporalIC()), 0.3)


def test_a_delay_has_its_distribution():
    graph = TemporalGraph.from_follows([0], [1], [0.0], directed=True, edges_mean="influences")
    graph = graph.with_probabilities("constant", p=1.0)
    for deadline in (0.2, 1.0, 3.0):
        model = TemporalIC(Weibull(1.5, 2.0), deadline=deadline)
        assert near(share_infected(graph, [0], 1, model), -math.expm1(-((deadline / 1.5) ** 2)))


def test_recoveries_are_counted_until_the_end():
    graph = TemporalGraph.from_contacts([0], [1], [0.0], directed=False, nodes=[2])
    ens = dif.simulate(graph, [0], model=TemporalSIR(1.0, 0.5, width=1.0, end=4.0), runs=20_000, rng=3)
    by_step = ens.new_by_state.mean(axis=0)
    assert by_step[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    want = [0, *(2 * (math.exp(-0.5 * k) - math.exp(-0.5 * (k + 1))) for k in range(4))]
    np.testing.assert_allclose(by_step[:, 1], want, atol=4 * math.sqrt(0.5 / 20_000))


def test_si_on_contacts_reaches_what_time_respecting_paths_reach():
    graph = made(30, 120, seed=5)
    table = graph.to_pandas().sort_values("time", kind="stable")
    for seed in range(10):
        reached = {seed: -1.0}
        for time, rows in table.groupby("time"):
            new = {v for u, v in zip(rows["source"], rows["target"], strict=True) if reached.get(u, time) < time}
            reached |= {v: time for v in new if v not in reached}
        cascade = dif.simulate_one(graph, [seed], model=TemporalSIR(1.0, start=-1.0))
        assert dict(zip(cascade.nodes.tolist(), cascade.time.tolist(), strict=True)) == reached


# -- the runner, seeds, refusals ---------------------------------------------------------------------------------------


def test_what_is_certain_is_computed_once():
    graph = made().with_probabilities("constant", p=1.0)
    sure = [TemporalSIR(1.0), TemporalSIR(0.0), TemporalSIR(1.0, Fixed(3.0)), TemporalIC(Fixed(1.0))]
    drawn = [TemporalSIR(0.5), TemporalSIR(1.0, 0.5), TemporalSIR(1.0, start="random"), TemporalIC(1.0)]
    assert [prepare(graph, model, [0], 1).deterministic for model in sure + drawn] == [True] * 4 + [False] * 4


def test_programs_go_through_pickle():
    graph = made().with_probabilities("constant", p=0.4)
    for model in (TemporalSIR(0.3, 0.05, end=80.0), TemporalIC(0.5, start="random")):
        engine = prepare(graph, model, [0, 1], 7)
        again = pickle.loads(pickle.dumps(engine))
        assert np.array_equal(again.run(0, 100).new, engine.run(0, 100).new)


@pytest.mark.parametrize("model", [TemporalSIR(0.3, 0.05), TemporalIC(0.5)], ids=str)
@pytest.mark.parametrize("method", ["degree", "celf"])
def test_seeds_by_rankings_and_by_simulation(model, method):
    graph = made().with_probabilities("constant", p=0.3)
    chosen = dif.select_seeds(graph, 3, model=model, method=method, rng=1)
    assert len(set(chosen.seeds)) == 3
    compared = dif.compare(graph, {"chosen": chosen, "last": graph.nodes[-3:]}, model=model, runs=512, rng=2)
    assert compared.means.loc["chosen", "mean"] > 3


def test_there_are_no_rr_sets():
    graph = made().with_probabilities("constant", p=0.3)
    with pytest.raises(InputError, match=r"no certificate is known for TemporalSIR transmission=0\.3, in which"):
        dif.select_seeds(graph, 3, model=TemporalSIR(0.3), method="opim")


def test_models_and_graphs_that_do_not_fit_are_refused():
    contacts = made().with_probabilities("constant", p=0.3)
    follows = TemporalGraph.from_follows([0], [1], [0.0], directed=True, edges_mean="influences")
    static = contacts.window().with_probabilities("constant", p=0.3)
    for model in ("ic", "lt", dif.Threshold(count=2)):
        with pytest.raises(InputError, match=r"knows no time.*graph\.window\(start, end\)"):
            dif.simulate(contacts, [0], model=model)
    for model in (TemporalSIR(0.3), TemporalIC()):
        for call in (lambda m: dif.simulate(static, [0], model=m), lambda m: m.compile(static)):
            with pytest.raises(InputError, match=r"when arcs are there.*TemporalGraph\.from_contacts"):
                call(model)
    with pytest.raises(InputError, match="this graph holds follows: take TemporalIC"):
        dif.simulate(follows, [0], model=TemporalSIR(0.3))
    with pytest.raises(InputError, match="no propagation probabilities, which TemporalIC needs"):
        dif.simulate(follows, [0], model=TemporalIC())
    with pytest.raises(InputError, match="starts at 500 and ends at 99"):
        dif.simulate(contacts, [0], model=TemporalSIR(0.3, start=500.0))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: TemporalSIR(1.2), "transmission=1.2 is not a probability"),
        (lambda: TemporalSIR(0.5, -1), "recovery: rate=-1"),
        (lambda: TemporalSIR(0.5, start="first"), "start='first' is unknown: give a time, 'random'"),
        (lambda: TemporalSIR(0.5, start=math.inf), "start=inf"),
        (lambda: TemporalSIR(0.5, width=0), "width=0 is out of range"),
        (lambda: TemporalSIR(0.5, start=3, end=2), "end=2 is before start=3"),
        (lambda: TemporalIC(start=3, deadline=2), "deadline=2 is before start=3"),
        (lambda: TemporalIC(Fixed(0)), r"delay=Fixed\(0\) leaves no order"),
        (lambda: TemporalIC(True), "delay=True is no waiting time"),
    ],
)
def test_bad_parameters_are_named(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_steps_without_number_are_refused():
    graph = TemporalGraph.from_contacts([0, 1], [1, 2], [0.0, 1e6], directed=False)
    with pytest.raises(InputError, match=r"1,000,002 steps of width=1: give a larger width=, such as 1e\+04"):
        dif.simulate(graph, [0], model=TemporalSIR(1.0, width=1.0), runs=3)
    assert dif.simulate(graph, [0], model=TemporalSIR(1.0), runs=1).new_by_step.shape[1] <= 102


def test_columns_of_arcs_give_delays_and_probabilities_of_their_own():
    last = [9.0, 5.0, 7.0, 8.0]  # the kernel looks at arcs by last time, another order than that of columns
    graph = TemporalGraph.from_follows(
        [0] * 4, [1, 2, 3, 4], [0.0] * 4, last, weight=[0.1, 0.2, 0.3, 0.4], directed=True, edges_mean="influences"
    ).with_probabilities("constant", p=1.0)
    for model in (TemporalIC(Fixed("weight")), TemporalIC(Fixed("weight"), start=6.0)):
        cascade = dif.simulate_one(graph, [0], model=model)
        start = 0.0 if model.start is None else model.start
        want = {v: start + 0.1 * v for v in range(1, 5) if last[v - 1] > start} | {0: start}
        assert dict(zip(cascade.nodes.tolist(), cascade.time.tolist(), strict=True)) == pytest.approx(want)
    own = graph.with_probabilities("column")
    for v in range(1, 5):
        assert near(share_infected(own, [0], v, TemporalIC()), 0.1 * v)


def test_columns_of_nodes_give_recoveries_of_their_own():
    graph = TemporalGraph.from_contacts([0, 2], [1, 3], [5.0, 5.0], directed=False)
    graph = graph.with_node_data(days={0: 6.0, 2: 4.0, 1: 1.0, 3: 1.0})
    model = TemporalSIR(1.0, Fixed("days"), start=0.0)
    assert sorted(dif.simulate_one(graph, [0, 2], model=model).nodes) == [0, 1, 2]


# -- real contacts -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gallery(data):
    table = pd.read_csv(data("gallery01.tsv.gz"), sep=r"\s+", header=None, names=["u", "v", "time"])
    return TemporalGraph.from_pandas(table, source="u", target="v", time="time", directed=False)


# Mean outbreak size (se) of 20 million outbreaks of tsir (github.com/pholme/tsir) from a random node at a random time, by
# transmission and by recoveries in the duration of the data.
TSIR = {(0.5, 1): (11.3213, 0.0044), (0.2, 5): (3.21264, 0.0017), (0.05, 10): (1.33450, 0.00037)}


@pytest.mark.parametrize(("beta", "nu"), TSIR)
def test_mean_outbreak_size_is_that_of_tsir(gallery, beta, nu):
    """tsir starts at whole times, and a seed meets the contacts after its time."""
    users = np.tile(np.arange(gallery.n_nodes, dtype=np.int32), 2)
    sizes = []
    for start in range(1404):
        model = TemporalSIR(beta, nu / 1404, start=float(np.nextafter(start, np.inf)), width=1e4)
        sizes.append(prepare(gallery, model, [], start + 1).run_each(users, threads=1).values)
    means = np.array([values.mean() for values in sizes])
    want, se = TSIR[beta, nu]
    ours = math.sqrt(sum(values.var() / values.size for values in sizes)) / len(means)
    assert abs(means.mean() - want) <= 4 * math.hypot(se, ours)


@pytest.mark.parametrize(
    "call",
    [
        dif.theory.reproduction_number,
        lambda g: dif.theory.message_passing(g, [0]),
        lambda g: dif.inference.simulate_log(g, items=2),
    ],
)
def test_what_knows_no_time_refuses_a_graph_whose_arcs_come_and_go(call):
    graph = dif.graph.TemporalGraph.from_contacts([0, 1], [1, 2], [1.0, 2.0], directed=True, edges_mean="influences")
    with pytest.raises(InputError, match=r"takes a static graph: give graph\.window\(start, end\)"):
        call(graph.with_probabilities("constant", p=0.1))


# -- curves, peak and duration -----------------------------------------------------------------------------------------


def from_traces(ens, model, start, width, end):
    """Infected nodes of every run at the ends of steps, from the times of its nodes alone."""
    steps = math.ceil((end - start) / width - 1e-9) + 1
    at = [min(start + k * width, end) for k in range(steps)]
    rows = []
    for run in range(ens.runs):
        trace = ens.source.replay(run)
        began = float(trace.details["time"][0]) - start  # 0, or where the run's clock begins
        spans = [
            (a - began, b - began)
            for a, b in zip(trace.details["time"].tolist(), trace.details["recovery"].tolist(), strict=True)
        ]
        last = end if model.start != "random" else model.end - began
        # What happens at the very start is in step 1; what would happen after the end does not.
        rows.append(
            [len(ens.seeds)] + [sum(a <= t + 1e-9 and (b > t + 1e-9 or b > last) for a, b in spans) for t in at[1:]]
        )
    return np.array(at), np.array(rows)


@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (TemporalSIR(0.3, 0.05), (0.0, 0.99, 99.0)),
        (TemporalSIR(0.3, 0.05, start=20.0, width=7.0, end=80.0), (20.0, 7.0, 80.0)),
        (TemporalSIR(0.3, Fixed(10.0), start=-5.0, width=2.0, end=120.0), (-5.0, 2.0, 120.0)),
        (TemporalSIR(0.3, 0.05, start="random", width=3.0, end=60.0), (0.0, 3.0, 60.0)),
    ],
    ids=str,
)
def test_curves_are_on_the_clock_of_the_graph(model, grid):
    graph = made()
    assert graph.span == (0.0, 99.0)
    ens = dif.simulate(graph, [1, 2], model=model, runs=60, rng=7)
    assert ens.grid[:3] == pytest.approx(grid)
    at, infected = from_traces(ens, model, *grid)
    assert ens.times.tolist() == pytest.approx(at.tolist())
    assert ens.counts("infected").tolist() == infected.tolist()
    assert (sum(ens.counts(name) for name in model.compartments) == graph.n_nodes).all()
    assert ens.peaks.tolist() == infected.max(axis=1).tolist()
    assert ens.peak_times.tolist() == pytest.approx(at[infected.argmax(axis=1)].tolist())
    assert ens.final_size().mean == ens.sizes.mean()
    assert ens.durations.max() <= grid[2] - grid[0] + 1e-9
    assert ens.durations.tolist() == pytest.approx(
        [at[int(np.flatnonzero(run.any(axis=1)).max())] - at[0] for run in ens.new_by_state]
    )
    assert set(ens.curves()["time"]) == set(ens.times)
    ends = ens.peak_time()
    assert grid[0] <= ends.low <= ends.value <= ends.high <= grid[2]
    assert ens.plot().get_xlabel().startswith(ens.grid.name)
    assert (ens.grid.name == "time") == (model.start != "random")


def test_random_starts_have_the_same_clock_whenever_a_graph_begins():
    table = made().to_pandas()
    late = TemporalGraph.from_contacts(table["source"], table["target"], table["time"] + 1024, directed=False)
    assert late.span == (1024.0, 1123.0)
    ens = dif.simulate(late, [1], model=TemporalSIR(0.3, 0.05, start="random", end=1084.0), runs=60, rng=7)
    assert ens.grid[:3] == pytest.approx((0.0, 0.99, 60.0))
    assert ens.times[[0, -1]].tolist() == [0.0, 60.0]
    assert ens.durations.max() <= 60


def test_a_width_without_number_leaves_counts_at_the_last_event():
    graph = made()
    ens = dif.simulate(graph, [0], model=TemporalSIR(0.0, Fixed(1.0), width=1e-3), runs=2, rng=7)
    assert ens.counts("infected").shape == (2, 1001)  # and not the 99,000 steps up to the last time


def test_a_random_start_is_drawn_from_the_times_that_count():
    graph = TemporalGraph.from_contacts([0, 0], [1, 2], [0.0, 100.0], directed=False)
    graph = graph.with_probabilities("constant", p=1.0)
    cases = [
        (TemporalSIR(1.0, start="random", end=10.0), 10.0),
        (TemporalIC(start="random", deadline=10.0), 10.0),
        (TemporalSIR(1.0, start="random"), 100.0),
        (TemporalSIR(1.0, start="random", end=400.0), 100.0),
        (TemporalIC(start="random"), 100.0),
    ]
    for model, last in cases:
        ens = dif.simulate(graph, [0], model=model, runs=1, rng=7)
        starts = np.array([ens.source.replay(run).details["time"][0] for run in range(2000)])
        assert 0 <= starts.min() < 0.01 * last
        assert 0.99 * last < starts.max() <= last
        assert abs(starts.mean() - last / 2) <= 4 * last / math.sqrt(12 * 2000)
    with pytest.raises(InputError, match="starts at 0 and ends at -1"):
        dif.simulate(graph, [0], model=TemporalSIR(1.0, start="random", end=-1.0))
