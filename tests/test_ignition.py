"""Critical seed mass against exact numbers, theory, and plain loops over every number of seeds."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from strategies import internal_arcs
from test_threshold import twin

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.simulation import ignition


def complete(n):
    return dif.FollowerGraph.from_arrays(*zip(*itertools.combinations(range(n), 2), strict=True), directed=False)


def poisson_graph(n, z, seed):
    ends = np.random.default_rng(seed).integers(0, n, (2, n * z // 2))
    return dif.FollowerGraph.from_arrays(*ends, directed=False, nodes=range(n))


def test_the_name_is_the_function_whatever_was_imported_first():
    assert callable(dif.simulation.ignition)
    assert dif.simulation.Ignition.__name__ == "Ignition"
    assert callable(dif.simulation.ignition)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_on_a_complete_graph_it_is_the_threshold(count):
    found = ignition(complete(40), range(20), model=dif.Threshold(count=count))
    assert (found.critical.value, found.critical.low, found.critical.high) == (count, count, count)
    assert found.critical_share == count / 40
    assert found.runs == 1
    table = found.to_pandas().set_index("seeds")
    assert (table["probability"] == (table.index >= count)).all()
    assert table.loc[count, "reach"] == table.loc[count, "reach_ignited"] == 40 - count
    assert f"from {count} seeds on" in repr(found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_the_critical_number_of_a_deterministic_model_by_enumeration(seed, share):
    n = 60
    graph = poisson_graph(n, 5, seed)
    order = np.random.default_rng(seed).permutation(n).tolist()
    inside = graph.index.internal(order).tolist()
    followers = [[] for _ in range(n)]
    following = np.zeros(n, int)
    for u, v in internal_arcs(graph):
        followers[u].append(v)
        following[v] += 1
    lit = []
    for k in range(1, n + 1):
        active, grown = set(inside[:k]), True
        while grown:
            met = np.bincount([v for u in active for v in followers[u]], minlength=n)
            more = {v for v in range(n) if v not in active and met[v] and met[v] >= 0.3 * following[v] - 1e-9}
            active |= more
            grown = bool(more)
        lit.append(len(active) - k >= share * n)
    found = ignition(graph, order, model=dif.Threshold(fraction=0.3), share=share)
    table = found.by_size
    assert table["probability"].tolist() == [lit[k - 1] for k in table["seeds"]]
    assert found.critical.value == lit.index(True) + 1


def test_runs_are_those_of_every_prefix_alone():
    """Noisy thresholds: the naive twin from each prefix, run by run, their critical numbers, and their order statistics."""
    n, runs, k_most = 80, 40, 25
    graph = poisson_graph(n, 6, 3)
    model = dif.Threshold(fraction=0.5, noise=0.08)
    order = np.random.default_rng(1).permutation(n)[:k_most].tolist()
    found = ignition(graph, order, model=model, share=0.2, runs=runs, rng=9, confidence=0.9)
    key = int(found.provenance["key"], 16)
    beyond = np.array([
        [len(twin(graph, model, order[:k], key, run).step) - k for run in range(runs)] for k in range(1, k_most + 1)
    ])  # fmt: skip
    lit = beyond >= 0.2 * n
    for row in found.by_size.itertuples():
        of = lit[row.seeds - 1]
        assert row.probability == of.mean()
        assert row.low < row.probability < row.high or of.all() or not of.any()
        assert row.reach == pytest.approx(beyond[row.seeds - 1].mean())
        if of.any():
            assert row.reach_ignited == pytest.approx(beyond[row.seeds - 1][of].mean())
    first = np.sort(np.where(lit.any(axis=0), lit.argmax(axis=0) + 1, np.inf))
    rank = next(r for r in range(runs) if binom.cdf(r, runs, 0.5) >= 0.05)
    assert rank > 5
    values = first[runs // 2 - 1], first[rank - 1], first[runs - rank]
    assert (found.critical.value, found.critical.low, found.critical.high) == values
    assert values[1] < values[2]


def lottery(p, tickets=60, leaves=100):
    """Each seed lights a hub with probability p, and the hub everybody: a run ignites from k with 1 - (1 - p)^k."""
    hub = tickets
    arcs = [(i, hub) for i in range(tickets)] + [(hub, hub + 1 + j) for j in range(leaves)]
    weight = [p] * tickets + [1.0] * leaves
    graph = dif.FollowerGraph.from_arrays(
        *zip(*arcs, strict=True), weight=weight, directed=True, edges_mean="influences"
    )
    return graph.with_probabilities("column")


def test_a_lottery_has_a_geometric_critical_number():
    p, runs, covered, width = 0.05, 101, [], []
    exact = math.ceil(math.log(0.5) / math.log(1 - p))  # 14
    graph = lottery(p)
    for rng in range(60):
        found = ignition(graph, range(60), model="ic", runs=runs, rng=rng)
        covered.append(found.critical.low <= exact <= found.critical.high)
        width.append(found.critical.high - found.critical.low)
    assert np.mean(covered) > 0.88  # at least 95 %, less 2.5 standard errors
    assert 3 < np.mean(width) < 12  # and not by being wide
    many = ignition(graph, range(60), model="ic", runs=20_000, rng=1)
    assert abs(many.critical.value - exact) <= 1
    table = many.by_size
    want = 1 - (1 - p) ** table["seeds"]
    assert (np.abs(table["probability"] - want) < 4 * np.sqrt(want * (1 - want) / 20_000) + 1e-9).all()


def test_watts_thresholds_on_poisson_graphs_as_gleeson_and_cahalane_have_them():
    n = 20_000
    graph = poisson_graph(n, 6, 1)
    order = np.random.default_rng(103).permutation(n)[: n // 100]
    found = ignition(graph, order, model=dif.Threshold(fraction=0.18), sizes=[n // 10_000, n // 100])
    table = found.by_size.set_index("seeds")
    for k in (n // 10_000, n // 100):
        theory = dif.theory.gleeson_cahalane(6.0, 0.18, k / n).share
        assert table.loc[k, "probability"] == (theory > 0.1 + k / n)
        assert (table.loc[k, "reach"] + k) / n == pytest.approx(theory, abs=0.005)
    assert 1e-4 < found.critical_share < 1e-2


def test_seeds_and_their_own_audience_do_not_count():
    """A hub shows a note to everybody and nobody shares it: a broadcast is no cascade."""
    star = dif.FollowerGraph.from_arrays(np.zeros(50, int), np.arange(1, 51), directed=True, edges_mean="influences")
    model = dif.SIPS(1.0, identify=dif.models.Complex(2))
    assert ignition(star, [0, 1], model=model, runs=20).critical.value == 1
    assert math.isnan(ignition(star, [0, 1], model=model, runs=20, after=1).critical.value)
    everybody = ignition(complete(20), range(20), model=dif.Threshold(count=20), sizes=[18, 20])
    assert everybody.by_size["reach"].tolist() == [0, 0]


def test_where_it_never_ignites_it_says_so():
    ring = dif.FollowerGraph.from_arrays(np.arange(50), (np.arange(50) + 1) % 50, directed=False)
    found = ignition(ring, range(0, 20, 4), model=dif.Threshold(count=2))
    assert math.isnan(found.critical.value)
    assert math.isnan(found.critical_share)
    assert "no critical seed mass" in repr(found)
    assert "stays below 1/2 up to 5 seeds (at most 0; 1 run, deterministic)" in repr(found)
    rare = ignition(lottery(0.05), range(5), model="ic", runs=200, rng=1)
    assert math.isnan(rare.critical.value)
    assert 0.1 < rare.by_size["probability"].max() < 0.4
    barely = ignition(lottery(0.05), range(16), model="ic", runs=100, rng=1)
    assert barely.critical.value <= 16
    assert barely.critical.high == math.inf
    none_left = ignition(complete(3), [0, 1, 2], model=dif.Threshold(count=1), share=0.9)
    assert none_left.by_size.empty
    assert "leaves enough users" in repr(none_left)


def test_no_number_depends_on_threads_or_on_the_sizes_looked_at_first():
    graph = lottery(0.1)
    one = ignition(graph, range(60), model="ic", runs=600, rng=4, threads=1)
    two = ignition(graph, pd.Series(range(60)), model="ic", runs=600, rng=4, threads=2, sizes=[3, 50])
    assert one.critical == two.critical
    both = one.by_size.merge(two.by_size, on="seeds", suffixes=("", "_two"))
    assert len(both) > 1
    assert both["probability"].equals(both["probability_two"])
    assert one.critical != ignition(graph, range(60), model="ic", runs=600, rng=5).critical
    selection = dif.select_seeds(graph, 20, method="degree")
    assert ignition(graph, selection, model="ic", runs=20, rng=1).critical.value >= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0}, "share=0 is out of range"), ({"share": 1}, "share=1"), ({"after": -1}, "after=-1"),
        ({"runs": 5}, "runs=5"), ({"confidence": 95}, "confidence=95"), ({"sizes": []}, "sizes is empty"),
        ({"sizes": [0]}, "sizes=0"), ({"sizes": [9]}, "sizes=9"), ({"sizes": 3}, "sizes=3 is not a list"),
        ({"ranking": []}, "the ranking is empty"), ({"confidence": 0.9999, "runs": 10}, "too few for an interval"),
    ],
)  # fmt: skip
def test_wrong_input(options, message):
    options = {"ranking": [0, 1, 2], "model": "ic"} | options
    with pytest.raises(InputError, match=message):
        ignition(lottery(0.5), options.pop("ranking"), **options)


def test_a_stranger_in_the_ranking():
    with pytest.raises(NotFoundError):
        ignition(lottery(0.5), [0, "nobody"], model="ic")
