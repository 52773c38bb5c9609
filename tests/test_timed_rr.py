"""RR sets in time: the naive twin, spreads by enumeration and quadrature, certificates and seeds for a deadline."""

from __future__ import annotations

import dataclasses
import itertools
import math
import pickle
from collections import Counter

import naive
import naive_continuous as twin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from strategies import KEYS, ic_graphs, internal_arcs, internal_values, random_graph
from test_continuous import DELAYS, PATH, arrows, diamond_spread, laws_on, netrate_network, poisson_path

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.models import (
    CTIC,
    ICM,
    Exponential,
    Fixed,
    Gamma,
    Geometric,
    LiveEdges,
    LogNormal,
    Weibull,
    timed_sampler,
)
from diffusion.models.timed import TimedSampler
from diffusion.seeding.rr_store import RRStore


def store_of(graph: FollowerGraph, key: int = 5, **options) -> RRStore:
    """RR sets of a sampler that is made of the options `delay`, `period`, `latency` and `deadline`."""
    times = {name: options.pop(name) for name in ("delay", "period", "latency", "deadline") if name in options}
    return RRStore(LiveEdges(graph, sampler=timed_sampler(graph, **times)), key, **options)


def sets_of(store: RRStore) -> list[list[int]]:
    ends = store.offsets[: store.n + 1].tolist()
    return [store.nodes[a:b].tolist() for a, b in itertools.pairwise(ends)]


def share(store: RRStore, seeds) -> float:
    """Estimate of the spread of internal nodes."""
    seeds = set(np.atleast_1d(seeds).tolist())
    return store.total * sum(not seeds.isdisjoint(members) for members in sets_of(store)) / store.n


def nodes_laws(graph: FollowerGraph, wait: object) -> list[twin.Law]:
    kind = twin.exponential if isinstance(wait, Exponential) else twin.fixed
    first = getattr(wait, dataclasses.fields(wait)[0].name)
    values = [first] * graph.n_nodes if not isinstance(first, str) else None
    if values is None:
        column = np.asarray(graph.attributes[first], float)[graph.index.order]
        values = column.tolist()
    return [kind(x) for x in values]


def naive_sets(graph: FollowerGraph, key: int, n: int, *, delay, period=None, latency=None, deadline=None, stop=()):
    p = [1.0] * graph.n_edges if graph.probabilities is None else internal_values(graph)
    timing = twin.NaiveTiming(p, laws_on(graph, delay), deadline=deadline)
    if latency is not None:
        timing.latency = nodes_laws(graph, latency)
    if isinstance(period, Fixed):
        timing.fixed_period = [law.at(0.5) for law in nodes_laws(graph, period)]
    elif period is not None:
        timing.period = nodes_laws(graph, period)
    roots = [twin.root_of(key, i, graph.n_nodes) for i in range(n)]
    found = twin.rr_sets(graph.n_nodes, internal_arcs(graph), timing, key, roots)
    return [set() if members.keys() & set(stop) else set(members) for members in found]


PERIODS = st.sampled_from([None, Exponential(0.5), Fixed(1.0), Exponential("rate"), Fixed("rate")])
LATENCIES = st.sampled_from([None, Exponential(2.0), Fixed(0.25), Exponential("rate")])


@given(draw=st.data())
@settings(max_examples=100)
def test_twin_on_small_graphs(draw):
    graph = draw.draw(ic_graphs(n=9, max_rows=40))
    graph = graph.with_node_data(rate=np.linspace(0.0, 2.0, graph.n_nodes))
    delay = draw.draw(DELAYS | st.just(Exponential("weight")) if "weight" in graph.edge_data else DELAYS)
    times = {"delay": delay, "period": draw.draw(PERIODS), "latency": draw.draw(LATENCIES)}
    times["deadline"] = draw.draw(st.sampled_from([None, 0.0, 0.4, 1.0, 3.0]))
    stop = draw.draw(st.lists(st.integers(0, graph.n_nodes - 1), max_size=2))
    key = draw.draw(KEYS)
    store = store_of(graph, key, stop=np.array(stop, np.int32), **times)
    if store.live.sampler.plain:
        return  # the sets of the independent cascade, which have tests of their own
    store.extend(60, threads=1)
    found = sets_of(store)
    assert all(len(set(members)) == len(members) for members in found)
    assert [set(members) for members in found] == naive_sets(graph, key, 60, **times, stop=stop)


@pytest.mark.parametrize(
    "times",
    [
        {"delay": Exponential(1.0), "deadline": 1.5},
        {"delay": Geometric(0.3), "deadline": 3.0},
        {"delay": Exponential(0.4), "period": Exponential(0.5)},
        {"delay": Exponential(0.4), "period": Exponential(0.5), "latency": Exponential(1.0), "deadline": 4.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("rule", ["weighted_cascade", "constant", "column"])
def test_twin_on_200_nodes_with_hubs(times, rule):
    """In-degrees up to 90 go through skips and segments; arcs that never fire are left out of those of a column."""
    draw = np.random.default_rng(2)
    weight = draw.random(3000) ** 3 * (draw.random(3000) < 0.6)
    graph = random_graph(200, 3000, rng=3, weight=weight, combine="max")
    graph = graph.with_probabilities(rule, **({"p": 0.2} if rule == "constant" else {}))
    store = store_of(graph, 99, **times)
    store.extend(400, threads=1)
    assert [set(members) for members in sets_of(store)] == naive_sets(graph, 99, 400, **times)
    assert store.size > 500


# -- how sets are drawn and kept ---------------------------------------------------------------------------------------

TIMES = [
    {"delay": Exponential(1.0), "deadline": 2.0},
    {"delay": Exponential(0.6), "period": Exponential(0.5)},
    {"delay": Gamma(1.0, 2.0), "period": Exponential(0.5), "latency": Fixed(0.5), "deadline": 3.0},
    {"delay": Exponential(0.6), "period": Fixed(1.0)},
]


@pytest.mark.parametrize("times", TIMES, ids=str)
def test_sets_do_not_depend_on_threads_chunks_or_room(times):
    graph = random_graph(120, 900, rng=3).with_probabilities("constant", p=0.4)
    one = store_of(graph, **times)
    one.extend(3000, threads=1)
    want = sets_of(one)
    for cuts in ([3000], [7, 8, 1000, 3000]):
        store = store_of(graph, **times)
        for n in cuts:
            store.extend(n, threads=2)
        assert sets_of(store) == want
    sampler = one.live.sampler
    marks, ends = sampler.marks(), np.empty(3000, np.int64)
    nodes = np.empty(2 * graph.n_nodes, np.int32)  # full after few sets
    at, found = 0, []
    while at < 3000:
        done, size, empty = sampler.sample(one._roots, one._cut, one.key, at, 3000, marks, nodes, 0, ends, at)
        assert done > 0
        assert empty == 0
        bounds = [0, *ends[at : at + done].tolist()]
        assert bounds[-1] == size
        found += [nodes[a:b].tolist() for a, b in itertools.pairwise(bounds)]
        at += done
    assert found == want
    again = pickle.loads(pickle.dumps(sampler))
    assert isinstance(again, TimedSampler)
    done = again.sample(one._roots, one._cut, one.key, 0, 50, again.marks(), nodes, 0, ends, 0)[0]
    assert ends[:done].tolist() == one.offsets[1 : done + 1].tolist()


@pytest.mark.parametrize("times", TIMES[:3], ids=str)
def test_nothing_is_written_past_the_room_and_the_workspace_is_left_clean(times):
    everyone = arrows(*itertools.permutations(range(6), 2))
    one = store_of(everyone, **times)
    one.extend(40, threads=1)
    sampler = one.live.sampler
    marks, ends = sampler.marks(), np.empty(40, np.int64)
    for room in range(1, 60):
        space = np.full(80, -7, np.int32)
        done, size, _ = sampler.sample(one._roots, one._cut, one.key, 0, 40, marks, space[:room], 0, ends, 0)
        assert (space[room:] == -7).all()
        assert ends[:done].tolist() == one.offsets[1 : done + 1].tolist()
        assert space[:size].tolist() == one.nodes[:size].tolist()
        assert np.isinf(marks.time).all()
        assert (marks.heap.place == -1).all()


@pytest.mark.parametrize("times", TIMES, ids=str)
def test_sets_that_meet_a_stop_node_or_grow_too_large_are_empty(times):
    graph = random_graph(120, 900, rng=3).with_probabilities("constant", p=0.4)
    whole = store_of(graph, **times)
    whole.extend(2000, threads=1)
    stop = {3, 40}
    stopped = store_of(graph, stop=np.array(sorted(stop)), **times)
    limited = store_of(graph, limit=3, **times)
    for store in (stopped, limited):
        store.extend(2000, threads=1)
    assert sets_of(stopped) == [[] if stop & set(members) else members for members in sets_of(whole)]
    assert sets_of(limited) == [[] if len(members) > 3 else members for members in sets_of(whole)]
    assert stopped.n_empty == sets_of(stopped).count([])
    assert 0 < limited.n_empty == sets_of(limited).count([]) < 2000


def test_roots_are_drawn_by_weight_and_are_those_of_the_independent_cascade():
    graph = random_graph(120, 900, rng=3).with_probabilities("constant", p=0.1)
    weights = np.random.default_rng(1).random(120) * (np.arange(120) % 3 > 0)
    for given_weights in (None, weights):
        timed = store_of(graph, weights=given_weights, **TIMES[0])
        plain = RRStore(dif.IC().live_edges(graph), 5, weights=given_weights)
        for store in (timed, plain):
            store.extend(4000, threads=1)
        roots = [members[0] for members in sets_of(timed)]
        assert roots == [members[0] for members in sets_of(plain)]
    exact, seen = weights / weights.sum(), Counter(roots)
    assert all(abs(seen[v] / 4000 - exact[v]) <= 4.5 * math.sqrt(exact[v] / 4000) for v in range(120))
    cumulated = np.cumsum(exact).tolist()
    assert roots[:200] == [twin.root_of(5, i, 120, cumulated) for i in range(200)]


def test_without_deadline_and_period_sets_are_those_of_the_independent_cascade():
    graph = random_graph(120, 900, rng=3).with_probabilities("weighted_cascade")
    timed, plain = store_of(graph, delay=Gamma(1.0, 2.0)), RRStore(dif.IC().live_edges(graph), 5)
    for store in (timed, plain):
        store.extend(2000, threads=1)
    assert sets_of(timed) == sets_of(plain)
    assert CTIC().live_edges(graph).sampler is None
    assert CTIC().live_edges(graph).graph is graph
    part = arrows((0, 1), (1, 2), weight=[0.0, 1.0])
    live = CTIC(Exponential("weight")).live_edges(part).graph.to_pandas()
    assert live.set_index("source")["probability"].to_dict() == {0: 0.0, 1: 1.0}


# -- exact spreads -----------------------------------------------------------------------------------------------------

N = 60_000


def check(graph, seeds, exact, **times):
    store = store_of(graph, 17, **times)
    store.extend(N, threads=2)
    found = share(store, graph.index.internal(seeds))
    p = exact / graph.n_nodes
    assert abs(found - exact) <= 4 * graph.n_nodes * math.sqrt(p * (1 - p) / N) + 1e-9


def test_path_and_diamond_by_a_deadline():
    check(PATH, [0], poisson_path(5, 1.0), delay=Exponential(1.0), deadline=1.0)
    check(PATH, [2], poisson_path(3, 2.0), delay=Exponential(1.0), deadline=2.0)
    one, two = 1 - math.exp(-1), 1 - 2 * math.exp(-1)  # at least one and two events
    check(PATH, [0, 3], 2 + 2 * one + two, delay=Exponential(1.0), deadline=1.0)
    rates = (1.0, 0.5, 2.0, 0.7)
    graph = arrows((0, 1), (0, 2), (1, 3), (2, 3), weight=rates)
    for T in (0.5, 2.0):
        check(graph, [0], diamond_spread(T, rates), delay=Exponential("weight"), deadline=T)


def test_delays_of_several_numbers_and_latencies():
    two = arrows((0, 1))
    check(two, [0], 1 + float(Gamma(2.0, 3.0).cdf(1.5)), delay=Gamma(2.0, 3.0), deadline=1.5)
    check(two, [0], 1 + float(LogNormal(2.0, 0.7).cdf(1.5)), delay=LogNormal(2.0, 0.7), deadline=1.5)
    # E + D with equal rates is a gamma time of shape 2
    both = 1 - math.exp(-1.5) * (1 + 1.5)
    check(two, [0], 1 + both, delay=Exponential(1.0), latency=Exponential(1.0), deadline=1.5)
    check(two, [0], 1 + 1 - math.exp(-1.0), delay=Exponential(1.0), latency=Fixed(0.5), deadline=1.5)


def test_a_source_that_never_ends_its_latency_reaches_nobody():
    path = arrows((0, 1), (1, 2)).with_node_data(rate={0: 1.0, 1: 0.0, 2: 1.0})
    for period in (None, Exponential(1e-9)):
        check(path, [0], 2.0, delay=Exponential(1.0), latency=Exponential("rate"), period=period)
        check(path, [1], 1.0, delay=Exponential(1.0), latency=Exponential("rate"), period=period)


def test_arcs_of_one_source_share_its_period():
    """Two followers of one source: both are reached with probability 1 / 3 at equal rates, not 1 / 4."""
    star = arrows((0, 1), (0, 2))
    times = {"delay": Exponential(1.0), "period": Exponential(1.0)}
    check(star, [0], 1 + 2 * 0.5, **times)
    # Source 3 -> 0 -> {1, 2} -> 4: node 4 is reached if 0 reaches 1 or 2 and that one goes on.
    graph = arrows((0, 1), (0, 2), (1, 3), (2, 3)).with_probabilities("constant", p=1.0)

    def fails(r: float) -> float:  # both ways fail, given the period of 0
        one = (1 - math.exp(-r)) * 0.5
        return math.exp(-r) * (1 - one) ** 2

    missed = integrate.quad(fails, 0, np.inf)[0]
    check(graph, [0], 1 + 1.0 + 1 - missed, **times)
    assert abs(missed - (1 - 0.25) ** 2) > 0.01  # what independent arcs would give


def test_arcs_of_one_source_share_its_latency():
    graph = arrows((0, 1), (0, 2), (1, 3), (2, 3))
    T = 1.0
    # Delays of 0.5: node 3 is reached through 1 or 2 if E_0 + .5 + E_1 + .5 or E_0 + .5 + E_2 + .5 is at most 2.
    late = integrate.quad(lambda e: math.exp(-e) * math.exp(-2 * (T - e)), 0, T)[0] + math.exp(-T)
    exact = 1 + 2 * (1 - math.exp(-1.5)) + 1 - late
    check(graph, [0], exact, delay=Fixed(0.5), latency=Exponential(1.0), deadline=2.0)


def test_triangle_with_periods_is_the_epidemic_of_known_size():
    """Final size on three nodes that all meet: mean 13 / 6 at equal rates of transmission and recovery."""
    graph = arrows((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1))
    check(graph, [0], 13 / 6, delay=Exponential(1.0), period=Exponential(1.0))
    fixed = 1 - math.exp(-1.0)  # a fixed period: arcs are independent
    worlds = naive.ic_worlds(internal_arcs(graph), [fixed] * 6)
    exact = float(naive.exact_spread(3, worlds, [0]))
    check(graph, [0], exact, delay=Exponential(1.0), period=Fixed(1.0))
    check(graph, [0], exact, delay=Exponential(1.0), period=Fixed(1.0), deadline=1000.0)
    check(graph, [0], exact, delay=Gamma(1.0, 1.0), period=Fixed(1.0))


@pytest.mark.parametrize(
    "model",
    [
        CTIC(1.0, deadline=1.5),
        CTIC(Weibull(1.0, 2.0), deadline=2.0),
        CTIC(Gamma(1.0, 3.0), deadline=2.0),
        ICM(0.4, deadline=4),
    ],
    ids=lambda m: m.label,
)
def test_estimates_agree_with_simulations(model):
    weight = np.random.default_rng(2).random(900)
    graph = random_graph(150, 900, rng=3, weight=weight, combine="max").with_probabilities("column")
    sets = dif.seeding.sample_rr_sets(graph, 40_000, model=model, rng=3)
    for seeds in ([0], [5, 9], [1, 2, 3]):
        found = dif.spread(graph, seeds, model=model, runs=20_000, rng=4)
        estimate = sets.estimate(seeds)
        p = found.mean / 150
        assert abs(estimate.value - found.mean) <= 4 * math.hypot(found.se, 150 * math.sqrt(p * (1 - p) / 40_000))


# -- seeds -------------------------------------------------------------------------------------------------------------


def test_certificates_hold_over_many_keys():
    """Exact spreads on a path: seeds 0 ... 7 in a row, whose best pair is known by trying all pairs."""
    path = arrows(*((i, i + 1) for i in range(7)))
    T, model = 1.0, CTIC(1.0, deadline=1.0)

    def exact(a: int, b: int) -> float:
        a, b = min(a, b), max(a, b)
        return poisson_path(b - a, T) + poisson_path(8 - b, T)

    best = max(exact(a, b) for a in range(8) for b in range(a))
    missed = 0
    for key in range(100):
        chosen = dif.select_seeds(path, 2, model=model, method=dif.seeding.OPIM(delta=0.2), rng=key)
        missed += not chosen.lower <= exact(*chosen.seeds) or not best <= chosen.upper
    assert missed <= 20  # at most delta; bounds are rarely as bad


def test_existing_seeds_and_weights_count():
    graph = random_graph(100, 500, rng=3).with_probabilities("constant", p=0.5)
    model = CTIC(1.0, deadline=1.5)
    first = dif.select_seeds(graph, 1, model=model, rng=1).seeds
    more = dif.select_seeds(graph, 2, existing=first, model=model, rng=1)
    assert not set(more.seeds) & set(first)
    weights = dict.fromkeys(graph.nodes[-20:].tolist(), 1.0)
    weighed = dif.select_seeds(graph, 2, node_weights=weights, model=model, rng=1)
    reach = dif.spread(graph, weighed.seeds, model=model, node_weights=weights, runs=4000, rng=2)
    assert weighed.lower <= reach.high
    assert reach.low <= weighed.upper
    assert weighed.upper <= 20


def test_seeds_for_a_deadline_beat_seeds_without_one_by_it():
    """A hub whose followers are slow, against one with fewer that are quick."""
    slow = [(0, v) for v in range(2, 42)]
    quick = [(1, v) for v in range(42, 62)]
    rates = [0.01] * 40 + [10.0] * 20
    graph = arrows(*slow, *quick, weight=rates)
    delay = Exponential("weight")
    soon, ever = CTIC(delay, deadline=1.0), CTIC(delay, width=1e4)
    for_soon = dif.select_seeds(graph, 1, model=soon, rng=1)
    for_ever = dif.select_seeds(graph, 1, model=ever, rng=1)
    assert (list(for_soon.seeds), list(for_ever.seeds)) == ([1], [0])
    compared = dif.compare(graph, {"soon": for_soon, "ever": for_ever}, model=soon, runs=512, rng=7)
    assert compared.differences["verdict"].item() == "soon larger"
    exact = 1 + 20 * (1 - math.exp(-10.0))
    assert for_soon.lower <= exact <= for_soon.upper
    for method in ("irie", "two_step_discount"):
        assert list(dif.select_seeds(graph, 1, model=soon, method=method, rng=1).seeds) == [1]


def test_every_method_takes_a_model_with_a_deadline():
    graph = random_graph(80, 400, rng=3).with_probabilities("weighted_cascade")
    model = CTIC(1.0, deadline=1.0)
    reach = {}
    for method in ("opim", "hist", "imm", "celf", "degree", "degree_discount"):
        seeds = dif.select_seeds(graph, 3, model=model, method=method, rng=1).seeds
        reach[method] = dif.spread(graph, seeds, model=model, runs=4000, rng=2).mean
    assert min(reach[m] for m in ("opim", "hist", "imm", "celf")) >= 0.97 * max(reach.values())


def test_planted_network_is_seeded_by_the_deadline(data):
    graph = netrate_network(data("netrate-network.txt.gz"))
    model = CTIC(Exponential("weight"), deadline=10.0)
    chosen = dif.select_seeds(graph, 10, model=model, rng=1)
    found = dif.spread(graph, chosen.seeds, model=model, runs=4000, rng=2)
    assert chosen.lower <= found.high
    assert found.low <= chosen.upper
