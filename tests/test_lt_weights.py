"""Weights of the linear threshold model: the kernels against their twins, the optimum, and recovery of known weights."""

from __future__ import annotations

import math
from typing import Any

import naive_rates as naive
import numpy as np
import pytest
from scipy.optimize import minimize
from strategies import with_arc_values

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.inference import ActionLog, LTWeights, fit_probabilities, simulate_log
from diffusion.inference.contacts import graph_log
from diffusion.inference.lt_weights import find_picks
from diffusion.kernels import lt_learning

PLAIN: dict[str, Any] = {"background": "none", "shrinkage": None}


def random_case(rng: int, n: int = 6, items: int = 30, steps: int = 4, arcs: float = 0.5) -> tuple[Any, ActionLog]:
    """A small dense graph, and a log of random times with ties."""
    draw = np.random.default_rng(rng)
    u, v = np.nonzero((draw.random((n, n)) < arcs) & ~np.eye(n, dtype=bool))
    graph = dif.FollowerGraph.from_arrays(u, v, nodes=range(n), edges_mean="influences", directed=True)
    item, user = np.nonzero(draw.random((items, n)) < 0.5)
    return graph, ActionLog.from_arrays(item, user, draw.integers(0, steps, item.size))


def times_by_node(graph: dif.FollowerGraph, log: ActionLog) -> naive.Times:
    """Times by item and internal node."""
    node = log.positions(graph)[log.user].tolist()
    found: naive.Times = {item: {} for item in range(log.n_items)}
    for item, v, time in zip(log.item.tolist(), node, log.time.tolist(), strict=True):
        found[item][v] = time
    return found


def sources_of(data: Any, v: int) -> list[int]:
    into = data.into
    return into.sources[into.indptr[v] : into.indptr[v + 1]].tolist()


def twin(data: Any, method: LTWeights, prior: tuple[float, ...], v: int) -> tuple[list[float], Any, int]:
    times, sources = times_by_node(data.graph, data.log), sources_of(data, v)
    found, bare = naive.picks_of(v, sources, times, method.reach)
    items = len(times) if method.background == "user" else 0
    met = {u for near, _ in found for u in near}
    start = [0.5 / max(len(sources), 1) if prior[0] or u in met else 0.0 for u in sources]
    given = (sources, found, bare, sum(v in t for t in times.values()), items, prior)
    x = [*start, 0.1 if items else 0.0]
    return naive.accelerated(naive.lt_step, x, given, method.tol, method.max_iterations, naive.in_simplex)


# -- sets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1.0, 2.0, math.inf])
@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("rng", range(6))
def test_sets_are_those_of_the_definition(window, masks, rng):
    if masks:
        graph, log = random_case(rng)
    else:  # as many in-neighbours as bits, and more
        graph, log = random_case(rng, n=75, items=12, arcs=0.87)
        assert {lt_learning.BITS - 1, lt_learning.BITS, lt_learning.BITS + 1} <= set(np.diff(graph.csr.into.indptr))
    data = graph_log(graph, log, window=window, threads=1)
    picks, times = find_picks(data), times_by_node(graph, log)
    for v in range(graph.n_nodes):
        sources, ours = sources_of(data, v), {}
        expected, bare = naive.picks_of(v, sources, times, window)
        for s in range(picks.nodes[v], picks.nodes[v + 1]):
            first, middle, last = picks.indptr[s], picks.middle[s], picks.indptr[s + 1]
            key = tuple(frozenset(sources[k] for k in picks.slot[a:b]) for a, b in ((first, middle), (middle, last)))
            assert len(key[0]) + len(key[1]) == last - first
            assert not masks or key not in ours  # equal sets are counted once
            ours[key] = ours.get(key, 0) + int(picks.count[s])
        assert ours == dict(expected)
        assert picks.bare[v] == bare


def test_sets_do_not_depend_on_chunks(monkeypatch):
    from diffusion.inference import contacts

    graph, log = random_case(3, n=40)
    data = graph_log(graph, log, window=2.0, threads=2)
    whole = find_picks(data)
    monkeypatch.setattr(contacts.chunks_of, "__kwdefaults__", {"size": 50})
    assert len(contacts.chunks_of(data.activity)) > 2
    for a, b in zip(whole, find_picks(data), strict=True):
        assert np.array_equal(a, b)


# -- EM ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("background", ["none", "user"])
@pytest.mark.parametrize("shrinkage", [None, (0.7, 2.5)])
@pytest.mark.parametrize(("window", "most"), [(1.0, 1), (None, 12), (2.0, 1000)])
def test_em_equals_its_twin(background, shrinkage, window, most):
    method = LTWeights(window, background, shrinkage, max_iterations=most)
    for rng in range(4):
        graph, log = random_case(rng)
        fit = fit_probabilities(graph, log, method=method)
        total, steps = 0.0, []
        for v in range(graph.n_nodes):
            base = slice(*fit.data.into.indptr[v : v + 2])
            prior = (*(shrinkage or (0.0, 0.0)), 0.0, 0.0)
            x, now, count = twin(fit.data, method, prior, v)
            found = fit.found
            near = {"rel": 1e-12, "abs": 1e-13} if most < 100 else {"rel": 1e-6, "abs": 1e-6}
            assert found.probability[base].tolist() == pytest.approx(x[:-1], **near)
            assert found.hits[base].tolist() == pytest.approx(now[2], **near)
            if background == "user":
                assert -np.expm1(-found.hazard[v]) == pytest.approx(x[-1], **near)
            w = dict(zip(sources_of(fit.data, v), x[:-1], strict=True))
            total += naive.lt_fit(v, list(w), times_by_node(graph, log), method.reach, w, x[-1], background == "user")
            steps.append(count)
        assert fit.log_likelihood == pytest.approx(total, rel=1e-9)
        if most < 100:
            assert fit.iterations == max(steps)


@pytest.mark.parametrize("background", ["none", "user"])
@pytest.mark.parametrize("rng", range(5))
def test_the_optimum_is_that_of_a_general_solver(background, rng):
    graph, log = random_case(rng, n=5)
    fit = fit_probabilities(graph, log, method=LTWeights(1.0, background, None, tol=1e-10, max_iterations=100_000))
    times = times_by_node(graph, log)
    for v in range(graph.n_nodes):
        sources = sources_of(fit.data, v)
        user = background == "user"

        def cost(x, v=v, sources=sources, user=user):
            b = x[-1] if user else 0.0
            return -naive.lt_fit(v, sources, times, 1.0, dict(zip(sources, x, strict=False)), b, user)

        d = len(sources)
        inside = {"type": "ineq", "fun": lambda x, d=d: 1 - x[:d].sum()}
        start = np.append(np.full(d, 0.3 / max(d, 1)), 0.2)
        best = minimize(
            cost, start, bounds=[(0, 1)] * d + [(1e-9, 1 - 1e-9)], constraints=[inside], method="SLSQP", tol=1e-12
        )
        base = slice(*fit.data.into.indptr[v : v + 2])
        ours = np.append(fit.found.probability[base], -np.expm1(-fit.found.hazard[v]) if user else 0.0)
        assert cost(ours) <= best.fun + 1e-7
        assert ours[:-1].sum() <= 1 + 1e-12


@pytest.mark.parametrize("shrinkage", [None, (0.5, 4.0)])
def test_the_likelihood_never_falls(shrinkage):
    for rng in range(3):
        graph, log = random_case(rng, n=12, items=60)
        values = []
        for most in range(0, 60, 3):
            fit = fit_probabilities(
                graph, log, method=LTWeights(1.0, "user", shrinkage, tol=1e-12, max_iterations=most)
            )
            a, m = shrinkage or (0.0, 0.0)
            p = np.maximum(fit.found.probability, 1e-300)
            values.append(fit.log_likelihood + (a * np.log(p) + m * np.log1p(-p)).sum())
        assert (np.diff(values) >= -1e-9).all()
        assert values[-1] > values[0] + 1


def test_squared_steps_take_far_fewer():
    graph, log = random_case(1, n=12, items=400, steps=30)
    data = graph_log(graph, log, window=math.inf, threads=1)
    method = LTWeights(None, "none", None, tol=1e-9, max_iterations=100_000)
    fast = fit_probabilities(graph, log, method=method)
    slow = 0
    for v in range(graph.n_nodes):
        _, _, steps = naive.accelerated(naive.lt_step, *naive_start(data, v), 1e-9, 100_000, lambda x: False)
        slow = max(slow, steps)
    assert fast.iterations < slow / 2


def naive_start(data: Any, v: int) -> tuple[list[float], Any]:
    times, sources = times_by_node(data.graph, data.log), sources_of(data, v)
    found, bare = naive.picks_of(v, sources, times, math.inf)
    met = {u for near, _ in found for u in near}
    x = [0.5 / max(len(sources), 1) if u in met else 0.0 for u in sources]
    return [*x, 0.0], (sources, found, bare, 0, 0, (0.0, 0.0, 0.0, 0.0))


def test_one_parent_and_a_background_are_shares_with_it_active_and_without():
    graph = dif.FollowerGraph.from_arrays([0], [1], nodes=range(3), edges_mean="influences", directed=True)
    with_it = [(i, 0, 0) for i in range(10)] + [(i, 1, 1) for i in range(3)]
    without = [(20 + i, 2, 0) for i in range(10)] + [(20, 1, 0)]
    log = ActionLog.from_arrays(*zip(*with_it, *without, strict=True))
    fit = fit_probabilities(graph, log, method=LTWeights(shrinkage=None, tol=1e-9))
    w, b = fit.to_pandas()["probability"][0], fit.background[1]
    assert b == pytest.approx(0.1, abs=1e-6)
    assert 1 - (1 - w) * (1 - b) == pytest.approx(0.3, abs=1e-6)


def test_one_parent_is_successes_over_trials():
    graph = dif.FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True)
    item, user, time = zip(*[(i, 0, 0) for i in range(10)], *[(i, 1, 1) for i in range(3)], (20, 1, 0), strict=True)
    log = ActionLog.from_arrays(item, user, time)
    fit = fit_probabilities(graph, log, method=LTWeights(**PLAIN))
    assert fit.to_pandas()[["probability", "trials", "successes"]].to_numpy().tolist() == [[0.3, 10.0, 3.0]]
    shrunk = fit_probabilities(graph, log, method=LTWeights(background="none", shrinkage=(1.0, 9.0)))
    assert shrunk.to_pandas()["probability"].tolist() == [0.2]  # (3 + 1) / (10 + 10)


# -- what it gives -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known() -> tuple[dif.FollowerGraph, ActionLog]:
    draw = np.random.default_rng(5)
    graph = dif.generate_platform(150, rng=5)
    target = graph.to_pandas()["target"].to_numpy()
    w = draw.exponential(size=graph.n_edges)
    total = np.bincount(np.searchsorted(graph.nodes, target), weights=w, minlength=graph.n_nodes)
    graph = with_arc_values(graph, 0.8 * w / total[np.searchsorted(graph.nodes, target)], "lt")
    return graph, simulate_log(graph, items=1500, seeds=15, model="lt", rng=7)


def test_known_weights_come_back_without_bias(known):
    graph, log = known
    fit = fit_probabilities(graph, log, method=LTWeights(1.0, **PLAIN))
    table, truth = fit.to_pandas(), graph.to_pandas()["probability"].to_numpy()
    assert (table["source"] == graph.to_pandas()["source"]).all()
    enough = (table["trials"] > 300).to_numpy()
    error = (table["probability"].to_numpy() - truth)[enough]
    assert enough.sum() > 100
    assert abs(error.mean()) < 4 * error.std() / math.sqrt(error.size)
    assert np.abs(error).mean() < 0.03
    assert np.corrcoef(table["probability"][enough], truth[enough])[0, 1] > 0.9


def test_shrinking_lowers_the_error(known):
    graph, log = known
    few = log.select(log.items[:150])
    truth = graph.to_pandas()["probability"].to_numpy()
    error = [
        (
            (fit_probabilities(graph, few, method=LTWeights(1.0, "none", s)).to_pandas()["probability"] - truth) ** 2
        ).mean()
        for s in (None, "empirical_bayes")
    ]
    assert error[1] < 0.8 * error[0]


def test_a_background_comes_back():
    graph = dif.FollowerGraph.from_arrays([0, 1], [2, 2], nodes=range(4), edges_mean="influences", directed=True)
    draw, items = np.random.default_rng(2), 20_000
    active = draw.random((items, 2)) < 0.4
    pick = draw.choice(3, items, p=[0.3, 0.2, 0.5])  # 2: none
    adopts = ((pick < 2) & active[np.arange(items), np.minimum(pick, 1)]) | (draw.random(items) < 0.1)
    item, user = np.nonzero(np.column_stack([active, adopts, np.ones(items)]))  # someone adopts every item
    fit = fit_probabilities(graph, ActionLog.from_arrays(item, user, 1 * (user == 2)), method=LTWeights(shrinkage=None))
    error = 4 * math.sqrt(0.25 / (0.4 * items))
    assert fit.to_pandas()["probability"].tolist() == pytest.approx([0.3, 0.2], abs=error)
    assert fit.background[2] == pytest.approx(0.1, abs=error)
    assert 0.1 < fit.explained < fit.possible < 0.5


@pytest.mark.parametrize("shrinkage", [None, "empirical_bayes", (3.0, 0.5)])
def test_the_graph_found_simulates_as_a_linear_threshold_model(known, shrinkage):
    graph, log = known
    fit = fit_probabilities(graph, log, method=LTWeights(1.0, "none", shrinkage))
    values = fit.graph.probabilities.values.astype(float)
    assert np.bincount(graph.csr.indices, weights=values).max() <= 1 + 1e-6
    assert dif.spread(fit.graph, [graph.nodes[0]], model="lt", runs=200, rng=1).mean >= 1


def test_rows_of_the_table_are_those_of_the_graph(known):
    """Arcs are held by internal node, and tables go by label."""
    graph, log = known
    for method in ("bernoulli", "lt", "em"):
        fit = fit_probabilities(graph, log, method=method)
        expected = fit.graph.to_pandas()
        table = fit.to_pandas()
        assert table["probability"].to_numpy() == pytest.approx(expected["probability"].to_numpy(), abs=1e-7)
        assert (table[["source", "target"]] == expected[["source", "target"]]).all(axis=None)
    bounds = fit.intervals(0.99, rng=1)
    assert ((bounds["low"] <= bounds["probability"]) & (bounds["probability"] <= bounds["high"])).mean() > 0.95


def test_threads_change_nothing(known):
    graph, log = known
    one, two = (fit_probabilities(graph, log, method="lt", threads=t) for t in (1, 2))
    assert np.array_equal(one.found.probability, two.found.probability)


def test_what_is_refused():
    with pytest.raises(NotFoundError, match="background='users' is unknown: give 'user' or 'none'"):
        LTWeights(background="users")
    with pytest.raises(InputError, match="shrinkage="):
        LTWeights(shrinkage=3)
    with pytest.raises(InputError, match="window"):
        LTWeights(window=0)
    graph, log = random_case(0)
    with pytest.raises(InputError, match="lt claims no intervals"):
        fit_probabilities(graph, log, method="lt").intervals()


def test_one_signature_a_kernel():
    for kernel in vars(lt_learning).values():
        if hasattr(kernel, "signatures") and kernel.__module__ == lt_learning.__name__:
            assert len(kernel.signatures) <= 1, kernel.__name__


def test_it_takes_a_real_log(data):
    graph = dif.read_edges(data("mshgat-christianity-edges.txt.gz"), edges_mean="follows", directed=True)
    log = dif.inference.read_cascades(data("mshgat-christianity-cascades.txt.gz"), leading=True)
    fit = fit_probabilities(graph, log, method="lt")
    assert fit.unconverged == 0
    assert 0.4 < fit.explained < fit.possible
    assert dif.spread(fit.graph, [graph.nodes[0]], model="lt", runs=100, rng=1).mean > 1
