"""Transmission rates: the kernels against their twins, the optimum, recovery of known rates, and the authors' cascades."""

from __future__ import annotations

import gzip
import heapq
import math
from typing import Any

import naive_rates as naive
import numpy as np
import pytest
from test_lt_weights import random_case, sources_of, times_by_node

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.inference import ActionLog, NetRate, co_occurrence_graph, fit_probabilities, read_cascades
from diffusion.kernels import rates

KINDS = ("exponential", "power_law", "rayleigh")
EXACT: dict[str, Any] = {"tol": 1e-10, "least": 0.0, "max_iterations": 100_000}


def ends_of(log: ActionLog, horizon: float | None) -> dict[int, float]:
    first = log.time[log.indptr[:-1]]
    return dict(enumerate(first + horizon if horizon else np.full(log.n_items, log.time.max())))


def problem(fit: Any, v: int) -> tuple[list[int], list[list[tuple[int, float]]], list[float]]:
    """Sources of a node, its adoptions as (in-arc, hazard), and exposures, from the definitions."""
    method, log = fit.method, fit.log
    times, sources = times_by_node(fit.graph, log), sources_of(fit.data, v)
    adoptions = []
    for at in times.values():
        if v in at:
            delays = [(k, at[v] - at[u]) for k, u in enumerate(sources) if u in at and at[u] < at[v]]
            adoptions.append([(k, naive.hazard(method.transmission, d, method.shortest)) for k, d in delays])
    ends = ends_of(log, method.horizon)
    exposure = [naive.exposure_of(u, v, times, ends, method.transmission, method.shortest) for u in sources]
    return sources, adoptions, exposure


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("horizon", [None, 2.0])
@pytest.mark.parametrize("most", [1, 9, 400])
def test_em_equals_its_twin(kind, horizon, most):
    for rng in range(3):
        graph, log = random_case(rng, steps=5)
        method = NetRate(kind, horizon=horizon, shortest=0.5, least=0.0, tol=1e-9, max_iterations=most)
        fit = fit_probabilities(graph, log, method=method)
        total, steps = 0.0, []
        for v in range(graph.n_nodes):
            _, adoptions, exposure = problem(fit, v)
            counts = [sum(k == c for a in adoptions for c, _ in a) for k in range(len(exposure))]
            start = [n / g / 2 * g if g > 0 else 0.0 for n, g in zip(counts, exposure, strict=True)]
            given = (adoptions, exposure)
            x, now, count = naive.accelerated(naive.rate_step, start, given, 1e-9, most, lambda x: True)
            base = slice(*fit.data.into.indptr[v : v + 2])
            near = {"rel": 1e-11, "abs": 1e-13} if most < 100 else {"rel": 1e-6, "abs": 1e-7}
            expected = [a / g if g > 0 else 0.0 for a, g in zip(x, exposure, strict=True)]
            assert fit.found.rates[base].tolist() == pytest.approx(expected, **near)
            assert fit.found.hits[base].tolist() == pytest.approx(now[0], **near)
            total += now[1]
            steps.append(count)
        assert fit.log_likelihood == pytest.approx(total, rel=1e-10)
        assert most > 100 or fit.iterations == max(steps)


@pytest.mark.parametrize("kind", KINDS)
def test_no_rate_can_rise_or_fall_at_the_optimum(kind):
    """The gradient is 0 for rates above 0, and not above 0 for the others: all there is to say of a concave function."""
    positive = 0
    for rng in range(4):
        graph, log = random_case(rng, items=60, steps=9)
        fit = fit_probabilities(graph, log, method=NetRate(kind, shortest=0.5, **EXACT))
        for v in range(graph.n_nodes):
            _, adoptions, exposure = problem(fit, v)
            rate = fit.found.rates[slice(*fit.data.into.indptr[v : v + 2])]
            pull = np.zeros(rate.size)
            for contacts in adoptions:
                total = sum(rate[k] * h for k, h in contacts)
                for k, h in contacts:
                    pull[k] += h / total
            slope = np.divide(pull, exposure, out=np.zeros(rate.size), where=np.array(exposure) > 0) - 1
            held = rate * exposure > 1e-3
            positive += held.sum()
            assert np.abs(slope[held]).max(initial=0) < 1e-4
            assert slope.max(initial=-1) < 1e-3
    assert positive > 30


def test_the_likelihood_never_falls():
    graph, log = random_case(1, n=10, items=100, steps=20)
    values = [
        fit_probabilities(graph, log, method=NetRate(**(EXACT | {"max_iterations": most}))).log_likelihood
        for most in range(0, 60, 3)
    ]
    assert (np.diff(values) >= -1e-9).all()
    assert values[-1] > values[0] + 1


def test_one_arc_is_adoptions_over_exposure():
    graph = dif.FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True)
    log = ActionLog.from_arrays([1, 1, 2, 2, 3, 4, 4], [0, 1, 0, 1, 0, 1, 0], [0, 1, 5, 8, 2, 0, 3])
    fit = fit_probabilities(graph, log, method=NetRate(horizon=4.0))
    table = fit.to_pandas()
    assert table["rate"].tolist() == pytest.approx([2 / (1 + 3 + 4)])  # the fourth item was there before
    assert table["probability"].tolist() == pytest.approx([1 - math.exp(-0.25 * 4)])
    assert fit.log_likelihood == pytest.approx(2 * math.log(0.25) - 2)
    assert "1 arcs have a transmission rate above 0" in repr(fit)
    rayleigh = fit_probabilities(graph, log, method=NetRate("rayleigh", horizon=4.0))
    assert rayleigh.to_pandas()["rate"].tolist() == pytest.approx([2 / (0.5 + 4.5 + 8)])
    assert rayleigh.to_pandas()["probability"].tolist() == pytest.approx([1 - math.exp(-16 / 13)])
    power = fit_probabilities(graph, log, method=NetRate("power_law", horizon=4.0, shortest=2.0))
    assert power.to_pandas()["rate"].tolist() == pytest.approx([1 / (math.log(1.5) + math.log(2))])
    expected = 1 - 2 ** (-1 / (math.log(1.5) + math.log(2)))
    assert power.to_pandas()["probability"].tolist() == pytest.approx([expected])
    assert (fit.explained, power.explained) == pytest.approx(
        (2 / 3, 1 / 3)
    )  # a delay below the shortest causes nothing
    for begin in (0, 100):
        moved = ActionLog.from_arrays(log.items.take(log.item), log.users.take(log.user), log.time + begin)
        whole = fit_probabilities(graph, moved, method=NetRate())  # until 8 after the first
        assert whole.to_pandas()["rate"].tolist() == pytest.approx([2 / (1 + 3 + 6)])
        assert whole.to_pandas()["probability"].tolist() == pytest.approx([1 - math.exp(-0.2 * 8)])


def test_adoptions_after_the_horizon_are_left_out_and_counted():
    graph, log = random_case(2, n=8, steps=9)
    fit = fit_probabilities(graph, log, method=NetRate(horizon=3.0))
    late = (log.time > np.repeat(log.time[log.indptr[:-1]] + 3, np.diff(log.indptr))).sum()
    assert late > 10
    assert fit.log.dropped == {"adoptions after the end": late}
    assert len(fit.log) == len(log) - late
    assert f"{late} adoptions after the end left out" in repr(fit)
    assert log.until(100.0) is log
    assert log.until(0.0).dropped["items that begin after the end"] > 0
    with pytest.raises(InputError, match="adoptions come after the end of observation"):
        log.until(-1)


def test_small_rates_become_zero():
    graph, log = random_case(3, n=10, items=80, steps=20)
    every, few = (fit_probabilities(graph, log, method=NetRate(least=p)).found for p in (0.0, 0.5))
    assert 0 < (few.rates > 0).sum() < (every.rates > 0).sum()
    assert (few.probability[few.rates > 0] >= 0.5).all()
    assert np.array_equal(few.rates > 0, every.probability >= 0.5)
    assert np.array_equal(few.probability > 0, few.rates > 0)


# -- known rates -------------------------------------------------------------------------------------------------------


def delay_of(kind: str, rate: float, draw: np.random.Generator) -> float:
    if kind == "exponential":
        return draw.exponential(1 / rate)
    if kind == "rayleigh":
        return math.sqrt(2 * draw.exponential() / rate)
    return 0.3 * math.exp(draw.exponential() / rate)  # a power law from 0.3 on


def cascades(kind: str, rate: dict[tuple[int, int], float], n: int, items: int, horizon: float, rng: int) -> ActionLog:
    """Cascades in continuous time: every adopter transmits to each follower after a delay of its own."""
    draw = np.random.default_rng(rng)
    out: dict[int, list[tuple[int, float]]] = {}
    for (u, v), a in rate.items():
        out.setdefault(u, []).append((v, a))
    rows = []
    for item in range(items):
        begin = draw.uniform(0, 50)
        queue, done = [(begin, int(draw.integers(n)))], set()
        while queue:
            time, u = heapq.heappop(queue)
            if u in done or time > begin + horizon:
                continue
            done.add(u)
            rows.append((item, u, time))
            for v, a in out.get(u, []):
                heapq.heappush(queue, (time + delay_of(kind, a, draw), v))
    return ActionLog.from_arrays(*zip(*rows, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_known_rates_come_back_without_bias(kind):
    draw = np.random.default_rng(4)
    n, horizon = 12, 3.0
    rate = {(u, (u + d) % n): draw.uniform(0.1, 0.8) for u in range(n) for d in (1, 3, 4)}
    found = []
    u, v = np.array(list(rate)).T
    graph = dif.FollowerGraph.from_arrays(u, v, nodes=range(n), edges_mean="influences", directed=True)
    method = NetRate(kind, horizon=horizon, shortest=0.3, least=0.0)
    for rng in range(12):
        log = cascades(kind, rate, n, 400, horizon, rng)
        table = fit_probabilities(graph, log, method=method).to_pandas()
        found.append(table["rate"].to_numpy())
    truth = np.array([rate[pair] for pair in zip(table["source"], table["target"], strict=True)])
    error = np.array(found) - truth
    mean, se = error.mean(axis=0), error.std(axis=0, ddof=1) / math.sqrt(len(found))
    assert abs(mean.mean()) < 4 * error.mean(axis=1).std(ddof=1) / math.sqrt(len(found)) + 0.01 * truth.mean()
    assert (np.abs(mean) < 5 * se).all()
    assert np.corrcoef(truth, np.mean(found, axis=0))[0, 1] > 0.97


def test_arcs_that_transmit_nothing_are_told_from_those_that_do():
    n, horizon = 12, 3.0
    rate = {(u, (u + d) % n): 0.5 for u in range(n) for d in (1, 5)}
    log = cascades("exponential", rate, n, 1500, horizon, 1)
    fit = fit_probabilities(co_occurrence_graph(log), log, method=NetRate(horizon=horizon))
    assert fit.graph.n_edges == n * (n - 1)
    table = fit.to_pandas()
    real = np.array([pair in rate for pair in zip(table["source"], table["target"], strict=True)])
    assert table["rate"][real].min() > 0.35
    assert table["rate"][~real].mean() < 0.02


def test_the_cascades_of_the_authors(data):
    """F1 of the edges found at the optimum, .507; precision is found and true over found."""
    with gzip.open(data("netrate-network.txt.gz"), "rt") as file:
        lines = file.read().split("\n\n")[1].split()
    true = {tuple(int(x) for x in line.split(",")[:2]) for line in lines}
    log = read_cascades(data("netrate-cascades.txt.gz"))
    graph = co_occurrence_graph(log)
    assert (len(true), log.n_items, len(log), graph.n_edges) == (2042, 1001, 32_476, 277_064)
    table = fit_probabilities(graph, log, method=NetRate(horizon=10)).to_pandas()
    found = set(table.loc[table["rate"] > 1e-4, ["source", "target"]].itertuples(index=False, name=None))
    precision, recall = len(found & true) / len(found), len(found & true) / len(true)
    assert 2 * precision * recall / (precision + recall) == pytest.approx(0.507, abs=0.001)


# -- the graph of who came before whom -----------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [None, 1.0, 2.5])
def test_pairs_are_those_of_the_definition(window, monkeypatch):
    for most in (1 << 22, 10):
        monkeypatch.setattr("diffusion.inference.netrate.MOST_PAIRS", most)
        _, log = random_case(5, n=9, items=6, steps=4)
        table = log.to_pandas()
        pairs = set()
        for _, rows in table.groupby("item"):
            at = dict(zip(rows["user"], rows["time"], strict=True))
            pairs |= {(u, v) for u in at for v in at if 0 < at[v] - at[u] <= (window or math.inf)}
        graph = co_occurrence_graph(log, window=window)
        assert {(u, v) for u, v in graph.to_pandas()[["source", "target"]].itertuples(index=False)} == pairs
        assert graph.nodes.tolist() == log.users.tolist()


def test_what_is_refused():
    with pytest.raises(
        NotFoundError, match="transmission='gamma' is unknown: give 'exponential', 'power_law', 'rayleigh'"
    ):
        NetRate("gamma")
    for wrong in ({"horizon": 0}, {"shortest": 0}, {"tol": 0}, {"least": 2}, {"max_iterations": -1}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            NetRate(**wrong)
    log = ActionLog.from_arrays([1, 2], ["ann", "bob"], [0, 1])
    with pytest.raises(InputError, match="nobody in the log of 2 items adopts after another"):
        co_occurrence_graph(log)
    with pytest.raises(InputError, match="log has to be an ActionLog"):
        co_occurrence_graph([1])
    with pytest.raises(InputError, match="netrate claims no intervals"):
        fit_probabilities(*random_case(0), method="netrate").intervals()
    graph, log = random_case(0)
    huge = ActionLog.from_arrays(log.item, log.users.take(log.user), log.time * 1e160)
    with pytest.raises(InputError, match="overflow: use a larger unit of time"):
        fit_probabilities(graph, huge, method=NetRate("rayleigh"))


def test_one_signature_a_kernel():
    for kernel in vars(rates).values():
        if hasattr(kernel, "signatures"):
            assert len(kernel.signatures) <= 1, kernel.__name__


# -- on to cascades in continuous time ---------------------------------------------------------------------------------


def test_a_fit_feeds_cascades_in_continuous_time():
    """The spread under the fitted rates is that under the true ones, by the end of the horizon."""
    rate = {(0, 1): 0.5, (1, 2): 0.3, (0, 3): 0.1, (3, 2): 0.8}
    log = cascades("exponential", rate, n=4, items=3000, horizon=4.0, rng=3)
    graph = dif.FollowerGraph.from_arrays(
        *zip(*rate, strict=True), nodes=range(4), edges_mean="influences", directed=True
    )
    graph = graph.with_node_data(age=[1, 2, 3, 4])
    fit = fit_probabilities(graph, log, method=NetRate(horizon=4.0))
    fitted = fit.rate_graph()
    assert fitted.probabilities is None
    assert fitted.node_data["age"].tolist() == [1, 2, 3, 4]
    weights = fitted.to_pandas().set_index(["source", "target"])["weight"]
    assert weights.to_dict() == fit.to_pandas().set_index(["source", "target"])["rate"].to_dict()
    true = dif.FollowerGraph.from_arrays(
        *zip(*rate, strict=True), weight=list(rate.values()), nodes=range(4), edges_mean="influences", directed=True
    )
    model = dif.models.CTIC("weight", deadline=4.0)
    a, b = (dif.spread(g, [0], model=model, runs=20_000, rng=1) for g in (fitted, true))
    assert abs(a.mean - b.mean) < 0.1
    assert set(dif.select_seeds(fitted, 1, model=model, rng=1).seeds) == {0}
    for method in (NetRate(transmission="rayleigh"), "bernoulli"):
        with pytest.raises(InputError, match="finds no rates of exponential delays"):
            fit_probabilities(graph, log, method=method).rate_graph()
