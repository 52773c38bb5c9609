"""Waiting times: each distribution against scipy, against a twin in plain Python, and from columns."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from naive import MASK, mix

import diffusion as dif
from diffusion._numba import njit
from diffusion.errors import InputError, NotFoundError
from diffusion.kernels.coins import mix as mixed
from diffusion.kernels.waiting import below, wait_at
from diffusion.models import Exponential, Fixed, Gamma, Geometric, LogNormal, WaitingTime, Weibull

GRAPH = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True, weight=[0.25, 0.5])
TIMES = [
    Exponential(0.5),
    Gamma(2.0, 0.5),
    Gamma(2.0, 5.0),
    Weibull(2.0, 0.7),
    Weibull(2.0, 3.0),
    LogNormal(2.0, 0.8),
    Fixed(2.0),
    Geometric(0.3),
    Geometric(1.0),
]


@njit
def many(wait, index, n):
    out = np.empty(n)
    for i in range(n):
        out[i] = wait_at(wait, index, mixed(np.uint64(i + 1)))
    return out


def unit(key: int) -> float:
    return (mix(key) >> 11) / 2**53 + 0.5 / 2**53


def twin(wait: WaitingTime, key: int) -> float:
    """Inverse of the distribution function at one uniform number, by the standard library."""
    u = unit(key)
    if isinstance(wait, Exponential):
        return -math.log(1 - u) / wait.rate
    if isinstance(wait, Weibull):
        return wait.scale * (-math.log(1 - u)) ** (1 / wait.shape)
    if isinstance(wait, Fixed):
        return wait.time
    steps = 1
    while u >= 1 - (1 - wait.p) ** steps:
        steps += 1
    return steps


@pytest.mark.parametrize("wait", TIMES, ids=str)
def test_times_have_their_distribution(wait):
    found = many(wait.on_arcs(GRAPH, "delay"), 0, 40_000)
    se = found.std() / math.sqrt(found.size)
    assert abs(found.mean() - wait.expected) <= 4 * se + 1e-12
    for q in (0.05, 0.3, 0.5, 0.8, 0.99):
        at = np.quantile(found, q)
        share = float(wait.cdf(at))
        assert abs((found <= at).mean() - share) <= 4 * math.sqrt(share * (1 - share) / found.size) + 1e-12


@pytest.mark.parametrize(
    ("wait", "law"),
    [
        (Exponential(0.5), scipy.stats.expon(scale=2)),
        (Gamma(2.0, 5.0), scipy.stats.gamma(5, scale=0.4)),
        (Weibull(2.0, 0.7), scipy.stats.weibull_min(0.7, scale=2)),
        (LogNormal(2.0, 0.8), scipy.stats.lognorm(0.8, scale=2)),
        (Geometric(0.3), scipy.stats.geom(0.3)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_distribution_functions_and_means_are_those_of_scipy(wait, law):
    at = np.array([0.1, 1.0, 2.5, 7.0])
    np.testing.assert_allclose(wait.cdf(at), law.cdf(at), rtol=1e-12)
    assert wait.expected == pytest.approx(law.mean())


@pytest.mark.parametrize("wait", [Exponential(0.5), Weibull(2.0, 0.7), Fixed(2.0), Geometric(0.3)], ids=str)
def test_times_of_one_number_equal_their_twin_and_their_bound(wait):
    of = wait.on_arcs(GRAPH, "delay")
    keys = [mix(i + 1) for i in range(2000)]
    found = many(of, 0, 2000)
    np.testing.assert_allclose(found, [twin(wait, key) for key in keys], rtol=1e-9)
    for bound in (0.5, 1.0, 2.0, 3.7, np.inf):
        u = np.array([unit(key) for key in keys])
        np.testing.assert_array_equal(u < below(of, 0, bound), found <= bound)
    assert below(Gamma(1.0, 2.0).on_arcs(GRAPH, "delay"), 0, 0.1) == 2.0


@pytest.mark.parametrize("wait", [Exponential(0), Geometric(0.0)])
def test_a_rate_of_zero_never_comes(wait):
    assert wait.never
    assert np.isinf(many(wait.on_arcs(GRAPH, "delay"), 0, 100)).all()


def test_columns_give_each_arc_and_node_its_own():
    wait = Exponential("weight").on_arcs(GRAPH, "delay")
    assert wait.scale.tolist() == [1 / w for w in GRAPH.edge_data["weight"]]
    assert math.isnan(Exponential("weight").expected)
    assert not Exponential("weight").never
    days = dict(zip([2, 0, 1], [3.0, 1.0, 2.0], strict=True))
    graph = GRAPH.with_node_data(days=days)
    scale = Fixed("days").on_nodes(graph, "recovery").scale
    assert scale[graph.index.internal([0, 1, 2])].tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(NotFoundError, match=r"no column 'day' of nodes, but 'days'\. Did you mean 'days'"):
        Fixed("day").on_nodes(graph, "recovery")
    bad = dif.FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True, weight=[-1.0])
    with pytest.raises(InputError, match="a value of the column 'weight'=-1"):
        Exponential("weight").on_arcs(bad, "delay")
    with pytest.raises(InputError, match="nan"):
        Fixed("days").on_nodes(GRAPH.with_node_data(days={0: 1.0}), "recovery")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Exponential(-1), "rate=-1 is out of range"),
        (lambda: Exponential(math.inf), "rate=inf is out of range: give a finite number"),
        (lambda: Exponential(math.nan), "rate=nan is not a number"),
        (lambda: Gamma(0.0, 1.0), "mean=0.0 is out of range"),
        (lambda: Gamma(1.0, 0.0), "shape=0.0 is out of range"),
        (lambda: LogNormal(1.0, -1.0), "sigma=-1.0 is out of range"),
        (lambda: Geometric(1.5), "p=1.5 is not a probability"),
        (lambda: Fixed(-2.0), "time=-2.0 is out of range"),
        (lambda: WaitingTime.of(-1, "recovery"), "recovery: rate=-1"),
        (lambda: WaitingTime.of(True, "recovery"), "recovery=True is no waiting time"),
        (lambda: WaitingTime.of({"kind": "gama"}, "recovery"), "kind='gama' is no waiting time"),
        (lambda: WaitingTime.of({"kind": "gamma", "men": 1}, "recovery"), "recovery: .*men"),
    ],
)
def test_bad_waiting_times_are_named(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_keys_are_64_bit():
    assert many(Exponential(1.0).on_arcs(GRAPH, "delay"), 0, 3).tolist() == [
        pytest.approx(-math.log1p(-unit(mix(i) & MASK))) for i in range(1, 4)
    ]


@pytest.mark.parametrize("wait", [*TIMES, Exponential("weight")], ids=str)
def test_waiting_times_are_declared_by_what_makes_them(wait):
    assert WaitingTime.of(wait.study_value, "recovery") == wait


@pytest.mark.parametrize(
    ("model", "label"),
    [
        (dif.models.SIR(0.1), "SIR transmission=0.1"),
        (dif.models.OutbreakSize(0.1, 2), "OutbreakSize transmission=0.1 recovery=2"),
        (dif.models.CTIC(0.1), "CTIC delay=0.1"),
        (dif.models.TemporalSIR(0.5, 0.1), "TemporalSIR transmission=0.5 recovery=0.1"),
        (dif.models.TemporalIC(3), "TemporalIC delay=3"),
        (dif.models.OutbreakSize("rate"), "OutbreakSize transmission=rate"),
        (dif.models.SIR("rate"), "SIR transmission=rate"),
        (dif.models.CTIC(dif.models.Gamma(2.0, 3.0)), "CTIC delay=Gamma(mean=2.0, shape=3.0)"),
    ],
)
def test_labels_write_rates_one_way(model, label):
    assert model.label == label
