"""Final sizes as percolation: exact values, the naive twin in every run, and all ways through the kernel."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from naive_percolation import percolation_run, threshold
from strategies import random_graph

import diffusion as dif
from diffusion.errors import InputError
from diffusion.kernels.periods import bits_of_period, threshold_of_lane
from diffusion.models import Exponential, Fixed, Gamma, Geometric, LogNormal, OutbreakSize, Weibull

PAIRS = [
    (Exponential(0.4), Exponential(1.0)),
    (Exponential(4.0), Exponential(1.0)),
    (Exponential(0.3), Fixed(1.0)),
    (Exponential(0.5), Exponential(0)),
    (Exponential(0), Exponential(1.0)),
    (Weibull(2.0, 1.5), Weibull(1.0, 0.7)),
    (Fixed(1.0), Exponential(1.0)),
    (Geometric(0.2), Geometric(0.4)),
    (Geometric(1.0), Geometric(0.5)),
    (Fixed(1.0), Fixed(1.0)),
    (Exponential(0.2), Geometric(0.5)),
]


def complete(n: int) -> dif.FollowerGraph:
    return dif.FollowerGraph.from_networkx(nx.complete_graph(n))


@pytest.fixture(scope="module")
def graph() -> dif.FollowerGraph:
    return random_graph(70, 260, rng=5)


def arcs_of(graph: dif.FollowerGraph) -> list[tuple[int, int]]:
    return list(zip(graph.csr.sources.tolist(), graph.csr.indices.tolist(), strict=True))


@pytest.mark.parametrize(("transmission", "recovery"), PAIRS, ids=str)
@pytest.mark.parametrize("runs", [70, 1100], ids=lambda r: f"{r} runs")
def test_every_run_is_that_of_the_twin(graph, transmission, recovery, runs):
    model = OutbreakSize(transmission, recovery, generations=True)
    seeds = [3, 11]
    ens = dif.simulate(graph, seeds, model=model, runs=runs, rng=9)
    periods = model.compile(graph)._periods
    table = periods.alias.tolist(), periods.edges.tolist()
    assert len(table[0]) == 4096
    start = graph.index.internal(seeds).tolist()
    arcs = arcs_of(graph)
    for run in range(runs) if runs < 100 else [*range(0, runs, 17), runs - 1]:
        twin = percolation_run(graph.n_nodes, arcs, transmission, recovery, table, start, ens.key, run)
        assert np.trim_zeros(ens.new_by_step[run], "b").tolist() == twin.levels
        cascade = ens.replay(run)
        internal = graph.index.internal(cascade.nodes).tolist()
        assert dict(zip(internal, cascade.step.tolist(), strict=True)) == twin.step
        parents = [internal[p] if p >= 0 else None for p in cascade.parent.tolist()]
        assert dict(zip(internal, parents, strict=True)) == twin.parent


def test_thresholds_know_the_longest_transmission_that_counts(graph):
    """The last bin of a shortened period holds its whole tail, at one probability."""
    transmission, recovery, most = Exponential(0.4), Exponential(1.0), 0.9
    model = OutbreakSize(transmission, recovery, within=most)
    periods = model.compile(graph)._periods
    table = periods.alias.tolist(), periods.edges.tolist()
    rng = np.random.default_rng(3)
    tops = set()
    for lane, base in enumerate(rng.integers(0, 2**63, 500, dtype=np.uint64)):
        bits = int(bits_of_period(base, np.int64(lane)))
        found = int(threshold_of_lane(periods, base, np.int64(lane)))
        assert found == threshold(transmission, recovery, *table, bits, most)
        tops.add(found)
    assert max(tops) == round(-math.expm1(-0.4 * most) * 2**32)


@pytest.mark.parametrize("runs", [60, 128, 700])
def test_sizes_do_not_depend_on_the_order_of_visits_nor_on_threads(graph, runs):
    steps = dif.simulate(graph, [3], model=OutbreakSize(0.6, generations=True), runs=runs, rng=9, threads=1)
    sizes = dif.simulate(graph, [3], model=OutbreakSize(0.6), runs=runs, rng=9, threads=2)
    assert steps.sizes.tolist() == sizes.sizes.tolist()
    assert steps.node_counts.tolist() == sizes.node_counts.tolist()
    assert sizes.new_by_step.shape[1] == 2
    assert (sizes.new_by_step[:, 0] == 1).all()
    longer = dif.simulate(graph, [3], model=OutbreakSize(0.6), runs=runs + 600, rng=9)
    assert longer.sizes[:runs].tolist() == sizes.sizes.tolist()
    weights = np.arange(graph.n_nodes, dtype=float)
    weighed = [
        dif.simulate(graph, [3], model=m, runs=runs, rng=9, node_weights=weights).weights
        for m in (OutbreakSize(0.6), OutbreakSize(0.6, generations=True))
    ]
    np.testing.assert_array_equal(*weighed)


def test_every_run_may_have_a_seed_of_its_own(graph):
    runner = dif.simulation.prepare(graph, OutbreakSize(0.6), [], 5)
    users = (np.arange(600) * 7 % graph.n_nodes).astype(np.int32)
    sizes = runner.run_each(users).values
    for run in range(0, 600, 41):
        alone = dif.simulation.prepare(graph, OutbreakSize(0.6), graph.index.labels_of(users[run : run + 1]), 5)
        assert alone.replay(run).nodes.size == sizes[run]


@pytest.mark.parametrize(("n", "beta", "mean"), [(3, 1.0, 13 / 6), (4, 1.0, 2.97916667), (10, 0.2, 4.57100449)])
def test_mean_final_size_of_complete_graphs(n, beta, mean):
    found = dif.spread(complete(n), [0], model=OutbreakSize(beta), runs=60_000, rng=3)
    assert abs(found.mean - mean) < 4 * found.se


@pytest.mark.parametrize(
    ("beta", "mean", "se"), [(0.125, 1.787, 0.01), (0.25, 3.641, 0.02), (1, 22.644, 0.042), (4, 52.524, 0.042)]
)
def test_outbreaks_on_the_contacts_of_iceland(data, beta, mean, se):
    graph = dif.read_edges(data("iceland.lnk.gz"), directed=False)
    users = np.random.default_rng(1).integers(0, graph.n_nodes, 60_000).astype(np.int32)
    sizes = dif.simulation.prepare(graph, OutbreakSize(beta), [], 5).run_each(users).values
    assert abs(sizes.mean() - mean) < 4 * math.hypot(sizes.std() / math.sqrt(sizes.size), se)


@pytest.mark.parametrize(
    ("transmission", "recovery", "chance"),
    [
        (Exponential(0.4), Exponential(1.0), 0.4 / 1.4),
        (Exponential(0.3), Fixed(1.0), 1 - math.exp(-0.3)),
        (Geometric(0.2), Geometric(0.4), 0.2 / (1 - 0.8 * 0.6)),
        (Fixed(1.0), Weibull(1.0, 0.7), math.exp(-1)),
        (Exponential(1.0), Gamma(2.0, 3.0), 1 - (1 + 2 / 3) ** -3),
        (LogNormal(1.0, 1.0), Fixed(1.0), 0.5),
    ],
    ids=str,
)
def test_an_arc_transmits_as_often_as_it_should_and_arcs_of_one_node_together(transmission, recovery, chance):
    star = dif.FollowerGraph.from_arrays([0, 0], [1, 2], directed=True, edges_mean="influences")
    model = OutbreakSize(transmission, recovery)
    runs = 40_000
    sizes = dif.simulate(star, [0], model=model, runs=runs, rng=4).sizes - 1
    assert abs(sizes.mean() / 2 - chance) < 4 * math.sqrt(chance * (1 - chance) / (2 * runs) * 2)
    if isinstance(transmission, Exponential) and isinstance(recovery, Exponential):
        b, g = transmission.rate, recovery.rate
        none = g / (
            2 * b + g
        )  # recovery comes before either transmission: independent arcs would give (g / (b + g))**2
        assert abs((sizes == 0).mean() - none) < 4 * math.sqrt(none * (1 - none) / runs)


def test_columns_run_one_by_one_and_agree_with_one_value_for_all(graph):
    same = graph.with_node_data(days=np.ones(graph.n_nodes))
    users = dif.simulate(same, [3], model=OutbreakSize(0.6, Exponential("days")), runs=6000, rng=1).mean()
    alike = dif.simulate(graph, [3], model=OutbreakSize(0.6), runs=6000, rng=2).mean()
    assert abs(users.mean - alike.mean) < 4 * math.hypot(users.se, alike.se)
    some = dif.simulate(same, [3], model=OutbreakSize(0.6, Exponential("days"), generations=True), runs=300, rng=1)
    sizes = dif.simulate(same, [3], model=OutbreakSize(0.6, Exponential("days")), runs=300, rng=1, threads=2)
    assert some.sizes.tolist() == sizes.sizes.tolist() == [some.replay(run).size for run in range(300)]


def test_limits_and_bad_input(graph):
    assert OutbreakSize(0).compile(graph).possible(
        dif.models.Start(np.array([2], np.int32), np.uint64(1))
    ).tolist() == [2]
    assert (
        dif.spread(graph, [3], model=OutbreakSize(1e9), runs=64, rng=1).mean
        == dif.spread(graph.with_probabilities("constant", p=1.0), [3], runs=64, rng=1).mean
    )
    with pytest.raises(InputError, match="transmission: rate=-1"):
        OutbreakSize(-1)
    with pytest.raises(InputError, match="recovery: rate=inf"):
        OutbreakSize(1, math.inf)
    with pytest.raises(InputError, match="OutbreakSize needs its parameters"):
        dif.simulate(graph, [3], model=OutbreakSize)
