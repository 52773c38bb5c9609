"""RR sets: their distribution against enumerated worlds, determinism, coverage and estimates."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import naive
import numpy as np
import pytest
from scipy import stats

import diffusion as dif
from diffusion import FollowerGraph
from diffusion.graph.probabilities import lt_bounds
from diffusion.kernels.coins import GOLDEN, MASK
from diffusion.kernels.rr_sets import COUNT, KIND_BITS, MIXED, SKIP
from diffusion.models.cascade import IC, LT
from diffusion.seeding.certificate import binomial_bounds
from diffusion.seeding.rr_sets import sample_rr_sets
from diffusion.seeding.rr_store import RRStore, plan_of


def weighted(n: int, arcs: list[tuple[int, int, float]], rule: str = "column") -> FollowerGraph:
    u, v, w = zip(*arcs, strict=True)
    graph = FollowerGraph.from_arrays(u, v, weight=w, nodes=range(n), directed=True, edges_mean="influences")
    return graph.with_probabilities(rule)


def arcs_of(graph: FollowerGraph) -> tuple[list[tuple[int, int]], list[float]]:
    table = graph.to_pandas()
    return list(zip(table["source"], table["target"], strict=True)), table["probability"].tolist()


def worlds_of(graph: FollowerGraph, model: str) -> list[tuple[float, list[tuple[int, int]]]]:
    arcs, p = arcs_of(graph)
    made = naive.ic_worlds(arcs, p) if model == "ic" else naive.lt_worlds(graph.n_nodes, arcs, p)
    return [(float(mass), live) for mass, live in made]


SMALL = weighted(6, [(0, 1, 0.5), (1, 2, 0.25), (2, 0, 0.75), (3, 2, 0.5), (4, 2, 0.125), (4, 3, 1.0), (5, 4, 0.0),
                     (0, 4, 0.3)])  # fmt: skip
SMALL_LT = weighted(6, [(0, 1, 1.0), (1, 2, 0.25), (2, 0, 0.75), (3, 2, 0.5), (4, 2, 0.125), (4, 3, 0.4), (5, 4, 0.5),
                        (0, 4, 0.5)], "lt")  # fmt: skip
EVEN = weighted(5, [(0, 4, 0.4), (1, 4, 0.4), (2, 4, 0.4), (3, 4, 0.4), (4, 0, 0.3), (1, 0, 0.3), (2, 1, 0.9)])


@pytest.mark.parametrize(
    ("graph", "model"), [(SMALL, "ic"), (SMALL_LT, "lt"), (EVEN, "ic"), (SMALL.with_probabilities("constant", p=0.3), "ic"),
                         (SMALL.with_probabilities("weighted_cascade"), "lt")],
)  # fmt: skip
def test_whole_sets_follow_the_enumerated_distribution(graph: FollowerGraph, model: str) -> None:
    n = 60_000
    exact: Counter[frozenset[int]] = Counter()
    for mass, live in worlds_of(graph, model):
        for root in range(graph.n_nodes):
            exact[frozenset(naive.reached(graph.n_nodes, [(v, u) for u, v in live], [root]))] += mass / graph.n_nodes
    sets = sample_rr_sets(graph, n, model=model, rng=3)
    seen = Counter(frozenset(group) for _, group in sets.to_pandas().groupby("rr_set")["node"])
    possible = [s for s, mass in exact.items() if mass > 0]
    assert set(seen) <= set(possible)
    expected = np.array([exact[s] * n for s in possible])
    observed = np.array([seen[s] for s in possible])
    rare = expected < 5
    expected = np.append(expected[~rare], expected[rare].sum() or 1e-9)
    observed = np.append(observed[~rare], observed[rare].sum())
    keep = expected > 1e-6
    assert stats.chisquare(observed[keep], expected[keep] * observed.sum() / expected[keep].sum()).pvalue > 1e-4


@pytest.mark.parametrize(("graph", "model"), [(SMALL, "ic"), (SMALL_LT, "lt")])
def test_estimates_are_unbiased_for_every_seed_set(graph: FollowerGraph, model: str) -> None:
    worlds = worlds_of(graph, model)
    sets = sample_rr_sets(graph, 40_000, model=model, rng=5)
    for size in (1, 2):
        for seeds in itertools.combinations(range(graph.n_nodes), size):
            exact = naive.exact_spread(graph.n_nodes, worlds, seeds)
            found = sets.estimate(seeds, confidence=1 - 1e-5)
            assert found.low <= exact <= found.high


@pytest.mark.parametrize(
    ("p", "kind"), [(0.05, COUNT), (0.01, COUNT), (0.4, SKIP), (0.9, SKIP), (None, MIXED)], ids=str
)  # fmt: skip
def test_arcs_into_a_hub_fire_independently(p: float | None, kind: int) -> None:
    d, n = 60, 40_000
    chance = (
        np.full(d, p) if p else np.random.default_rng(1).permutation(np.r_[np.geomspace(0.7, 0.002, d - 3), 0, 1, 1])
    )
    graph = weighted(d + 1, [(u, d, float(chance[u])) for u in range(d)])
    at = graph.index.internal([d])[0]
    assert plan_of(IC().live_edges(graph)).nodes["place"][at] >> KIND_BITS == kind
    sets = sample_rr_sets(graph, n, node_weights={d: 1.0}, rng=2)
    table = sets.to_pandas()
    fired = np.zeros((n, d), bool)
    leaves = table[table["node"] != d]
    fired[leaves["rr_set"], leaves["node"]] = True
    assert (table.groupby("rr_set")["node"].first() == d).all()
    assert (sets.sizes == 1 + fired.sum(axis=1)).all()
    assert not fired[:, chance == 0].any()
    assert fired[:, chance == 1].all()
    open_ = (chance > 0) & (chance < 1)
    exact = np.float32(chance).astype(float)[open_]
    z = (fired[:, open_].mean(axis=0) - exact) / np.sqrt(exact * (1 - exact) / n)
    assert np.abs(z).max() < 4.5
    assert stats.chi2.sf((z**2).sum(), len(z)) > 1e-4
    count = fired[:, open_].sum(axis=1)  # mean and variance of a Poisson binomial: pairs are uncorrelated
    variance = (exact * (1 - exact)).sum()
    assert abs(count.mean() - exact.sum()) < 4.5 * np.sqrt(variance / n)
    assert abs(count.var() / variance - 1) < 0.05


# -- reverse walks against a naive twin --------------------------------------------------------------------------------


def naive_walk(graph: FollowerGraph, key: int, i: int, stop: set[int]) -> list[int]:
    """RR set i under the linear threshold model, in plain Python, by internal nodes; [] where it meets `stop`."""
    into = graph.csr.into
    _, high = lt_bounds(graph)
    values = np.broadcast_to(graph.probabilities.values, graph.n_edges)  # type: ignore[union-attr]
    state = naive.mix((naive.mix(key ^ 0x5E7) + i * GOLDEN) & MASK)
    v = int((naive.mix(state) >> 11) * 2.0**-53 * graph.n_nodes)
    members: list[int] = []
    while v not in members:
        if v in stop:
            return []
        members.append(v)
        arcs = range(int(into.indptr[v]), int(into.indptr[v + 1]))
        state = (state + GOLDEN) & MASK
        coin = naive.mix(state) >> 32
        ends = [int(high[into.arc[a]]) for a in arcs]
        weights = {float(values[into.arc[a]]) for a in arcs}
        if not ends or ends[-1] == 0:
            break
        if len(weights) == 1 and ends[-1] == 2**32 - 1:
            v = int(into.sources[arcs[coin * len(ends) >> 32]])
            continue
        later = [a for a, end in zip(arcs, ends, strict=True) if min(coin, 2**32 - 2) < end]
        if not later:
            break
        v = int(into.sources[later[0]])
    return members


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("stop", [(), (3, 70, 150)])
@pytest.mark.parametrize("kind", ["equal", "weighted", "ring"])
def test_walks_are_the_naive_ones(kind: str, stop: tuple[int, ...], threads: int) -> None:
    rng = np.random.default_rng(4)
    n = 1500 if kind == "ring" else 300
    if kind == "ring":  # walks of over a thousand members: rows of the buffer grow
        u, v, w = np.arange(n), (np.arange(n) + 1) % n, np.where(np.arange(n) == 7, 0.5, 1.0)
    else:
        u, v, w = rng.integers(0, n, 1500), rng.integers(0, n, 1500), rng.random(1500)
    graph = FollowerGraph.from_arrays(
        u, v, weight=w, nodes=range(n), directed=True, edges_mean="influences", combine="max"
    )
    graph = graph.with_probabilities("weighted_cascade") if kind == "equal" else graph.with_probabilities(
        "lt", normalize=kind == "weighted"
    )  # fmt: skip
    store = RRStore(LT().live_edges(graph), 99, stop=np.array(stop, np.int32))
    count = 60 if kind == "ring" else 5000
    for size in (1, 17, count):
        store.extend(size, threads=threads)
    for i in range(0, count, 4 if kind == "ring" else 7):
        found = store.nodes[store.offsets[i] : store.offsets[i + 1]].tolist()
        assert found == naive_walk(graph, 99, i, set(stop))
    assert store.n_empty == int((np.diff(store.offsets[: count + 1]) == 0).sum())


@pytest.mark.parametrize("model", [IC(), LT()])
def test_sets_over_a_limit_are_empty_ones(model: Any) -> None:
    rng = np.random.default_rng(1)
    graph = FollowerGraph.from_arrays(
        rng.integers(0, 300, 1500), rng.integers(0, 300, 1500), directed=True, edges_mean="influences"
    ).with_probabilities("weighted_cascade")
    stop = np.array([3, 70, 150], np.int32)
    whole, cut = RRStore(model.live_edges(graph), 9, stop=stop), RRStore(model.live_edges(graph), 9, stop=stop, limit=4)
    whole.extend(4000, threads=1)
    cut.extend(4000, threads=2)
    over = 0
    for i in range(4000):
        a = whole.nodes[whole.offsets[i] : whole.offsets[i + 1]].tolist()
        b = cut.nodes[cut.offsets[i] : cut.offsets[i + 1]].tolist()
        over += len(a) > 4
        assert b == ([] if len(a) > 4 else a)
    assert cut.n_empty == whole.n_empty + over
    assert over > 100


def test_a_limit_of_members_ends_the_sampling_at_the_same_set_for_any_threads() -> None:
    rng = np.random.default_rng(0)
    graph = FollowerGraph.from_arrays(
        rng.integers(0, 3000, 20_000), rng.integers(0, 3000, 20_000), directed=True, edges_mean="influences"
    ).with_probabilities("weighted_cascade")
    stores = [RRStore(IC().live_edges(graph), 9) for _ in range(2)]
    for store, threads in zip(stores, (1, 2), strict=True):
        assert not store.extend(50_000, threads=threads, most=10_000)
        assert store.extend(5, threads=threads, most=10_000)
    one, two = stores
    assert one.n == two.n
    assert 10_000 - 3000 < one.size == two.size <= 10_000
    assert one.counts.sum() == one.size


def test_probabilities_0_and_1_are_exact() -> None:
    path = FollowerGraph.from_arrays(range(70), range(1, 71), directed=True, edges_mean="influences")
    for model in ("ic", "lt"):
        always = sample_rr_sets(path.with_probabilities("constant", p=1.0), 500, model=model, rng=1)
        assert all(sorted(always[i]) == list(range(always[i][0] + 1)) for i in range(500))
        never = sample_rr_sets(path.with_probabilities("constant", p=0.0), 500, model=model, rng=1)
        assert (never.sizes == 1).all()


@pytest.mark.parametrize("model", ["ic", "lt"])
def test_set_i_depends_on_nothing_but_the_key(model: str) -> None:
    rng = np.random.default_rng(0)
    graph = FollowerGraph.from_arrays(
        rng.integers(0, 3000, 20_000), rng.integers(0, 3000, 20_000), directed=True, edges_mean="influences"
    ).with_probabilities("weighted_cascade")
    one = sample_rr_sets(graph, 9000, model=model, rng=7, threads=1)
    two = sample_rr_sets(graph, 9000, model=model, rng=7, threads=2)
    grown = sample_rr_sets(graph, 10, model=model, rng=7, threads=2).extend(1234).extend(9000, threads=2)
    short = grown.extend(500)
    for other in (two, grown):
        assert (one.offsets == other.offsets).all()
        assert (one.users == other.users).all()
    assert short.n == 500
    assert (short.members == one.members[: short.offsets[-1]]).all()
    assert len({int(sample_rr_sets(graph, 300, model=model, rng=r).offsets[-1]) for r in range(5)}) > 1


@pytest.mark.parametrize("model", [IC(), LT()])
def test_a_stop_set_empties_exactly_the_sets_that_meet_it(model: Any) -> None:
    rng = np.random.default_rng(1)
    graph = FollowerGraph.from_arrays(
        rng.integers(0, 300, 1500), rng.integers(0, 300, 1500), directed=True, edges_mean="influences"
    ).with_probabilities("weighted_cascade")
    stop = np.array([3, 70, 150], np.int32)
    whole, cut = RRStore(model.live_edges(graph), 9), RRStore(model.live_edges(graph), 9, stop=stop)
    whole.extend(4000, threads=1)
    cut.extend(4000, threads=2)
    met = 0
    for i in range(4000):
        a = whole.nodes[whole.offsets[i] : whole.offsets[i + 1]].tolist()
        b = cut.nodes[cut.offsets[i] : cut.offsets[i + 1]].tolist()
        hit = bool(set(a) & set(stop.tolist()))
        met += hit
        assert b == ([] if hit else a)
    assert cut.n_empty == met > 100
    cut.truncate(1000)
    assert cut.n_empty == sum(cut.offsets[i] == cut.offsets[i + 1] for i in range(1000))
    assert cut.counts.sum() == cut.offsets[1000]


def test_coverage_counts_sets_and_to_pandas_lists_them() -> None:
    sets = sample_rr_sets(SMALL, 3000, rng=1)
    groups = [set(sets[i]) for i in range(sets.n)]
    for seeds in ([0], [2, 3], [5, 0, 5], []):
        assert sets.coverage(seeds) == sum(bool(g & set(seeds)) for g in groups)
    table = sets.to_pandas()
    assert table.groupby("rr_set")["node"].agg(set).tolist() == groups
    assert sets.mean_size == pytest.approx(len(table) / 3000)
    assert sets.nbytes == 4 * len(table) + 8 * 3001
    assert "3,000 sets under IC" in repr(sets)


def test_weighted_roots_are_drawn_in_proportion() -> None:
    graph = SMALL.with_probabilities("constant", p=0.0)
    weight = {0: 1.0, 2: 5.0, 4: 2.0}
    sets = sample_rr_sets(graph, 20_000, node_weights=weight, rng=1)
    seen = Counter(sets.members)
    assert sets.total == 8
    assert set(seen) == set(weight)
    assert stats.chisquare([seen[v] for v in weight], [20_000 * w / 8 for w in weight.values()]).pvalue > 1e-4
    assert sets.estimate([2]).low < 5 < sets.estimate([2]).high
    by_name = graph.with_node_data(worth=weight | {1: 0, 3: 0, 5: 0})
    assert (sample_rr_sets(by_name, 20_000, node_weights="worth", rng=1).members == sets.members).all()
    even = sample_rr_sets(graph, 12_000, rng=1)
    assert stats.chisquare(list(Counter(even.members).values())).pvalue > 1e-4


def test_spread_of_simulation_and_rr_sets_agree() -> None:
    rng = np.random.default_rng(2)
    graph = FollowerGraph.from_arrays(
        rng.integers(0, 500, 4000), rng.integers(0, 500, 4000), directed=True, edges_mean="influences", parallel="keep"
    )
    for graph_p, model in [
        (graph.with_probabilities("trivalency", values=(0.3, 0.1, 0.05), rng=1), "ic"),
        (graph.with_probabilities("weighted_cascade"), "lt"),
        (graph.with_probabilities("constant", p=0.08), "ic"),
    ]:
        seeds = [1, 2, 3, 4, 5]
        by_sets = sample_rr_sets(graph_p, 60_000, model=model, rng=3).estimate(seeds, confidence=0.9999)
        by_runs = dif.spread(graph_p, seeds, model=model, runs=8192, confidence=0.9999, rng=4)
        assert by_sets.low < by_runs.high
        assert by_runs.low < by_sets.high


def test_binomial_bounds_are_exact_quantiles() -> None:
    for hits, n, alpha in [(0, 50, 0.01), (50, 50, 0.01), (7, 50, 1e-3), (500, 100_000, 1e-7)]:
        low, high = binomial_bounds(hits, n, alpha)
        if hits:
            assert stats.binom.sf(hits - 1, n, low) == pytest.approx(alpha, rel=1e-5)
        else:
            assert low == 0
        if hits < n:
            assert stats.binom.cdf(hits, n, high) == pytest.approx(alpha, rel=1e-5)
        else:
            assert high == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_rr_sets(SMALL, 0), "n=0"),
        (lambda: sample_rr_sets(SMALL, 5, model=dif.Threshold(count=2)), "no certificate is known for Threshold"),
        (lambda: sample_rr_sets(FollowerGraph.from_arrays([0], [1], directed=False), 5), "no propagation"),
        (lambda: sample_rr_sets(SMALL, 5, node_weights={0: -1.0}), "weights are finite numbers from 0"),
        (lambda: sample_rr_sets(SMALL, 5, node_weights=[0] * 6), "all 0"),
        (lambda: sample_rr_sets(SMALL, 5, node_weights=[1, 2]), "2 values for 6 nodes"),
        (lambda: sample_rr_sets(SMALL, 5, node_weights=["x"] * 6), "no number"),
        (lambda: sample_rr_sets(EVEN, 5, model="lt"), "sum to more than 1"),
        (lambda: sample_rr_sets(SMALL, 5, rng=1)[5], "0 to 4"),
        (lambda: sample_rr_sets(SMALL, 5, rng=1).estimate([0], confidence=2), "confidence"),
    ],
)
def test_bad_input_is_one_clear_error(call: Any, message: str) -> None:
    with pytest.raises(dif.errors.InputError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_rr_sets(SMALL, 5, node_weights={99: 1.0}), "99"),
        (lambda: sample_rr_sets(SMALL, 5, node_weights="worth"), "no node attribute"),
        (lambda: sample_rr_sets(SMALL, 5, rng=1).coverage([77]), "77"),
        (lambda: sample_rr_sets(SMALL, 5, model="sri"), "unknown"),
    ],
)
def test_unknown_names_are_not_found(call: Any, message: str) -> None:
    with pytest.raises(dif.errors.NotFoundError, match=message):
        call()
