"""Percolation and exact sizes against closed forms, brute-force roots, real random graphs and enumerations."""

import itertools
import math
from fractions import Fraction

import naive
import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

import diffusion as dif
from diffusion import theory
from diffusion.errors import InputError, NotFoundError
from diffusion.graph import spectral


def distributions():
    weights = st.lists(st.floats(0, 1), min_size=2, max_size=9).filter(lambda w: sum(w) > 0.1)
    return weights.map(lambda w: np.array(w) / sum(w))


def smallest_root(f):
    """Smallest fixed point of an increasing f on [0, 1] by plain iteration from 0."""
    u = 0.0
    for _ in range(200_000):
        new = f(u)
        if new - u < 1e-13:
            return new
        u = new
    return u


# -- degrees -----------------------------------------------------------------------------------------------------------


def test_distributions_of_degrees():
    p = theory.poisson_distribution(7.3)
    k = np.arange(p.size)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert k @ p == pytest.approx(7.3, abs=1e-10)
    assert theory.poisson_distribution(0).tolist()[0] == 1
    assert theory.degree_distribution([3, 3, 0, 1]).tolist() == [0.25, 0.25, 0, 0.5]
    star = dif.FollowerGraph.from_arrays([0, 0, 0], [1, 2, 3], directed=False)
    assert theory.degree_distribution(star).tolist() == [0, 0.75, 0, 0.25]


@given(distributions(), st.floats(0, 1))
def test_generating_functions_are_sums(p, x):
    k = np.arange(p.size)
    assert theory.g0(p, x) == pytest.approx(sum(p * x**k), abs=1e-12)
    mean = k @ p
    if mean > 1e-6:
        assert theory.g1(p, x) == pytest.approx(sum(k[1:] * p[1:] * x ** (k[1:] - 1)) / mean, abs=1e-9)


def test_generating_functions_of_poisson_degrees():
    for x in (0, 0.3, 1):
        assert theory.g0(2.5, x) == pytest.approx(math.exp(2.5 * (x - 1)), abs=1e-12)
        assert theory.g1(2.5, x) == pytest.approx(math.exp(2.5 * (x - 1)), abs=1e-12)


# -- thresholds and giant components -----------------------------------------------------------------------------------


def test_numbers_of_the_erdos_renyi_graph():
    assert theory.percolation(1.5).giant == pytest.approx(0.582812, abs=5e-7)
    assert theory.percolation(2.0).giant == pytest.approx(0.796812, abs=5e-7)
    assert theory.percolation(1.0).giant == theory.percolation(0.4).giant == 0
    assert theory.percolation(5.0, bond=0.3).giant == pytest.approx(theory.giant_component(1.5), rel=1e-9)
    assert theory.percolation(0.5).mean_small == pytest.approx(2)
    assert theory.percolation(1.0).mean_small == math.inf


@pytest.mark.parametrize("p", [0.2, 0.45, 0.55, 0.8, 1.0])
def test_random_cubic_graph(p):
    """Degree 3: u = 1 - p + p u^2, so u = 1/p - 1 above the threshold 1/2."""
    u = min(1, 1 / p - 1)
    found = theory.percolation([0, 0, 0, 1.0], bond=p)
    assert found.edge_dies == pytest.approx(1 - p + p * u**2, abs=1e-12)
    assert found.giant == pytest.approx(1 - (1 - p + p * u**2) ** 3, abs=1e-9)
    assert found.branching == pytest.approx(2 * p)
    if p < 0.5:
        assert found.mean_small == pytest.approx(1 + 3 * p / (1 - 2 * p))


@settings(max_examples=60)
@given(distributions(), st.floats(0, 1), st.integers(0, 10**6))
def test_callaway_by_plain_iteration(p, bond, seed):
    k = np.arange(p.size)
    mean = k @ p
    site = np.random.default_rng(seed).random(p.size)
    found = theory.percolation(p, bond=bond, site=site)
    if mean < 1e-3:
        return
    f1 = lambda x: (k[1:] * p[1:] * site[1:] * x ** (k[1:] - 1)).sum() / mean  # noqa: E731
    u = smallest_root(lambda x: 1 - bond * (f1(1.0) - f1(x)))
    assert found.edge_dies == pytest.approx(u, abs=1e-4)
    assert found.giant == pytest.approx((p * site * (1 - u**k)).sum(), abs=1e-3)
    assert 0 <= found.giant <= (p * site).sum() + 1e-12


@given(distributions())
@example(np.array([1.0, 0.0, 0.0, 7.708507066172599e-264]))
def test_molloy_reed_and_the_threshold_agree(p):
    criterion = theory.molloy_reed(p)
    threshold = theory.percolation_threshold(p)
    if abs(criterion) > 1e-6:
        assert (criterion > 0) == (threshold < math.inf)
    if threshold < 0.98:
        assert theory.percolation(p, bond=min(threshold * 1.02, 1)).giant > 0
        assert theory.percolation(p, bond=threshold * 0.98).giant == 0


def graph_of_degrees(degrees, rng):
    """Component sizes of a configuration graph."""
    stubs = rng.permutation(np.repeat(np.arange(degrees.size), degrees))
    stubs = stubs[: stubs.size // 2 * 2].reshape(2, -1)
    return stubs, csr_array((np.ones(stubs.shape[1]), (stubs[0], stubs[1])), shape=(degrees.size,) * 2)


def test_giant_component_and_mean_cluster_of_a_real_configuration_graph():
    rng = np.random.default_rng(2)
    n = 200_000
    degrees = rng.choice([1, 2, 6], n, p=[0.6, 0.3, 0.1])
    for bond, site in ((0.9, 1.0), (0.9, 0.8), (0.3, 0.9)):
        ends, _ = graph_of_degrees(degrees, rng)
        kept = rng.random(n) < site
        ends = ends[:, (rng.random(ends.shape[1]) < bond) & kept[ends].all(axis=0)]
        matrix = csr_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(n, n))
        _, part = connected_components(matrix, directed=False)
        size = np.bincount(part)
        want = theory.percolation(theory.degree_distribution(degrees), bond=bond, site=site)
        if want.branching < 1:
            assert size.max() < 0.01 * n
            outside = np.ones(n, bool)
        else:
            # Near-Gaussian with a standard error of a few / sqrt(n): 4 x 0.002.
            assert size.max() / n == pytest.approx(want.giant, abs=0.008)
            outside = part != size.argmax()
        # 4 standard errors: the second moment of cluster sizes is noisy near the threshold.
        assert (kept[outside] * size[part[outside]]).mean() == pytest.approx(want.mean_small, rel=0.2)


def test_directed_against_strong_components():
    rng = np.random.default_rng(4)
    n = 100_000
    k = rng.choice([0, 1, 2, 12], n, p=[0.4, 0.3, 0.2, 0.1])
    j = np.where(k == 12, 4, 0) + rng.poisson(1.0, n)
    source, target = np.repeat(np.arange(n), k), rng.permutation(np.repeat(np.arange(n), j))
    m = min(source.size, target.size)
    source, target = rng.permutation(source)[:m], target[:m]
    j, k = np.bincount(target, minlength=n), np.bincount(source, minlength=n)
    bond = 0.5
    want = theory.directed_percolation(j, k, bond=bond)
    live = rng.random(m) < bond
    matrix = csr_array((np.ones(live.sum()), (source[live], target[live])), shape=(n, n))
    _, part = connected_components(matrix, connection="strong")
    giant = np.bincount(part).argmax()
    assert (part == giant).mean() == pytest.approx(want.strong, abs=0.01)

    def side(a):
        seen = part == giant
        while True:
            more = (a.T @ seen > 0) | seen
            if (more == seen).all():
                return seen.mean()
            seen = more

    assert side(matrix) == pytest.approx(want.reach, abs=0.01)
    assert side(matrix.T.tocsr()) == pytest.approx(want.takes_off, abs=0.01)
    assert want.branching == pytest.approx(bond * (j @ k) / k.sum())
    assert want.threshold == pytest.approx(k.sum() / (j @ k))


def test_directed_poisson_is_the_erdos_renyi_value():
    rng = np.random.default_rng(1)
    n = 400_000
    ends = rng.integers(0, n, (2, 2 * n))
    j, k = (np.bincount(e, minlength=n) for e in ends)
    found = theory.directed_percolation(j, k)
    assert found.takes_off == pytest.approx(0.796812, abs=0.005)
    assert found.reach == pytest.approx(0.796812, abs=0.005)
    assert found.strong == pytest.approx(0.796812**2, abs=0.008)
    sites = theory.directed_percolation(j, k, site=0.75)
    assert sites.takes_off == pytest.approx(0.75 * 0.582812, abs=0.005)


def test_graphs_without_edges_and_trees_without_giants():
    assert theory.percolation([1.0]).giant == 0
    assert theory.percolation([1.0]).mean_small == 1
    assert theory.percolation([0, 1.0]).mean_small == 2
    assert theory.percolation([0, 0, 0, 1.0]).edge_dies == 0
    empty = theory.directed_percolation([0, 0], [0, 0])
    assert (empty.reach, empty.takes_off, empty.branching, empty.threshold) == (0, 0, 0, math.inf)
    assert theory.percolation([0, 0, 0, 1.0], bond=0).giant == 0


def test_rows_and_text():
    found = theory.percolation(4.0, bond=0.375)
    assert found.to_pandas().loc[0, "giant"] == found.giant
    assert "giant 0.582812" in repr(found)
    assert found.provenance["bond"] == 0.375
    assert theory.directed_percolation([1, 1], [2, 0]).to_pandas().shape == (1, 7)


# -- exact sizes -------------------------------------------------------------------------------------------------------

REED_FROST = [
    (4, 0.5, 3.25), (5, 0.2, 2.2701372416), (10, 0.1, 3.0269285933), (10, 0.2, 6.7844583453), (20, 0.1, 12.6944195575),
    (50, 0.03, 17.2888916225),
]  # fmt: skip


@pytest.mark.parametrize(("n", "p", "value"), REED_FROST)
def test_reed_frost_numbers(n, p, value):
    found = theory.reed_frost(n, p)
    assert found.mean == pytest.approx(value, abs=6e-11)
    assert found.mean == pytest.approx(naive.reed_frost(n, p), rel=1e-12)
    assert found.probability.sum() == pytest.approx(1, abs=1e-12)
    assert found.probability[0] == 0


def complete(n):
    return [(u, v) for u in range(n) for v in range(n) if u != v]


@pytest.mark.parametrize("seeds", [0, 1, 2, 3, 4])
def test_reed_frost_is_the_enumeration(seeds):
    p = Fraction(1, 4)
    worlds = naive.ic_worlds(complete(4), [p] * 12)
    want = naive.exact_distribution(4, worlds, list(range(seeds)))
    found = theory.reed_frost(4, 0.25, seeds).probability
    assert found == pytest.approx([float(want.get(size, 0)) for size in range(5)], abs=1e-14)


def test_reed_frost_at_the_ends_and_large():
    assert theory.reed_frost(7, 0.0).mean == 1
    assert theory.reed_frost(7, 1.0).mean == 7
    assert theory.reed_frost(1, 0.3).mean == 1
    large = theory.reed_frost(400, 1.5 / 400)
    took_off = large.probability[100:].sum()
    assert took_off == pytest.approx(0.58, abs=0.03)  # the giant component of mean degree 1.5
    assert (large.sizes[100:] @ large.probability[100:]) / took_off / 400 == pytest.approx(0.58, abs=0.03)


def test_closed_forms_of_the_table():
    assert theory.path_spread(4, 0.3) == pytest.approx(1.417, abs=1e-12)
    assert theory.path_spread(4, 1.0) == 4
    assert theory.star_spread(4, 0.3) == pytest.approx(2.2)
    assert theory.star_spread(4, 0.3, seed="leaf") == pytest.approx(1.57)
    assert theory.cycle_spread(5, 0.3) == pytest.approx(1.84048, abs=1e-12)
    assert theory.cycle_spread(3, 0.5) == pytest.approx(2.25)  # K3: 1 + 2p + 2p^2 - 2p^3
    assert theory.tree_spread([None, 0, 1, 2], 0.3) == pytest.approx(1.417)
    assert theory.tree_spread([None, 0, 0, 1], [0, 0.5, 0.25, 0.1]) == pytest.approx(1.8)


@pytest.mark.parametrize(
    "graph", [nx.path_graph(4), nx.star_graph(4), nx.cycle_graph(5)], ids=["path", "star", "cycle"]
)
def test_closed_forms_are_the_enumeration(graph):
    g = dif.FollowerGraph.from_networkx(graph).with_probabilities("constant", p=0.375)
    for seed in (0, 1):
        found = theory.exact_final_size(g, [seed]).mean
        want = {
            4: [theory.path_spread(4, 0.375), None],
            5: [
                theory.star_spread(4, 0.375) if graph.degree(0) == 4 else theory.cycle_spread(5, 0.375),
                theory.star_spread(4, 0.375, "leaf") if graph.degree(0) == 4 else theory.cycle_spread(5, 0.375),
            ],
        }[len(graph)][seed]
        if want is not None:
            assert found == pytest.approx(want, rel=1e-12)


@st.composite
def small(draw):
    n = draw(st.integers(2, 5))
    pairs = [(u, v) for u in range(n) for v in range(n) if u != v]
    arcs = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=8, unique=True))
    parts = draw(st.lists(st.integers(0, 8), min_size=len(arcs), max_size=len(arcs)))
    seeds = draw(st.lists(st.integers(0, n - 1), max_size=2, unique=True))
    return n, arcs, parts, seeds


@settings(max_examples=60)
@given(small())
def test_exact_final_size_is_the_naive_enumeration(case):
    n, arcs, parts, seeds = case
    g = dif.FollowerGraph.from_arrays(
        *zip(*arcs, strict=True), weight=[k / 8 for k in parts], nodes=range(n), directed=True, edges_mean="influences"
    ).with_probabilities("column")
    want = naive.exact_distribution(n, naive.ic_worlds(arcs, [Fraction(k, 8) for k in parts]), seeds)
    found = theory.exact_final_size(g, seeds)
    assert found.probability == pytest.approx([float(want.get(size, 0)) for size in range(n + 1)], abs=1e-14)
    weights = [Fraction(k, 64) for k in parts]
    lt = dif.FollowerGraph.from_arrays(
        *zip(*arcs, strict=True), weight=[k / 64 for k in parts], nodes=range(n), directed=True, edges_mean="influences"
    ).with_probabilities("lt")
    want = naive.exact_distribution(n, naive.lt_worlds(n, arcs, weights), seeds)
    found = theory.exact_final_size(lt, seeds, model="lt")
    assert found.probability == pytest.approx([float(want.get(size, 0)) for size in range(n + 1)], abs=1e-14)
    assert found.mean == pytest.approx(float(sum(size * q for size, q in want.items())), abs=1e-12)


# -- spectral radii ----------------------------------------------------------------------------------------------------


def hashimoto(graph):
    """Radius of the non-backtracking matrix written out arc by arc."""
    arcs = [arc for u, v in graph.edges for arc in ((u, v), (v, u))]
    matrix = np.array([[float(b == c and d != a) for c, d in arcs] for a, b in arcs])
    return float(np.abs(np.linalg.eigvals(matrix)).max())


@pytest.mark.parametrize("seed", range(6))
def test_non_backtracking_radius_is_that_of_all_arcs(seed, monkeypatch):
    graph = nx.gnm_random_graph(40, 70, seed=seed)
    g = dif.FollowerGraph.from_networkx(graph)
    assert theory.non_backtracking_radius(g) == pytest.approx(hashimoto(graph), rel=1e-6)
    monkeypatch.setattr(spectral, "_DENSE", 0)
    assert theory.non_backtracking_radius(g) == pytest.approx(hashimoto(graph), rel=1e-6)
    p = 0.25
    assert theory.reproduction_number(g.with_probabilities("constant", p=p)) == pytest.approx(
        p * theory.non_backtracking_radius(g), rel=1e-5
    )


def test_non_backtracking_radius_of_known_graphs():
    radius = lambda graph: theory.non_backtracking_radius(dif.FollowerGraph.from_networkx(graph))  # noqa: E731
    assert radius(nx.balanced_tree(2, 5)) == 0
    assert radius(nx.cycle_graph(7)) == 1
    assert radius(nx.complete_graph(9)) == pytest.approx(7)
    assert radius(nx.random_regular_graph(4, 300, seed=1)) == pytest.approx(3, rel=1e-6)
    assert radius(nx.complete_bipartite_graph(3, 5)) == pytest.approx(math.sqrt(2 * 4))
    assert radius(nx.disjoint_union(nx.cycle_graph(5), nx.star_graph(4))) == 1


def test_next_generation_radius():
    rng = np.random.default_rng(3)
    dense = rng.random((30, 30))
    assert theory.next_generation_radius(dense) == pytest.approx(np.abs(np.linalg.eigvals(dense)).max())
    sparse = csr_array(np.where(rng.random((400, 400)) < 0.02, rng.random((400, 400)), 0))
    assert theory.next_generation_radius(sparse) == pytest.approx(np.abs(np.linalg.eigvals(sparse.toarray())).max())
    assert theory.next_generation_radius(np.triu(np.ones((50, 50)), 1)) == 0  # nilpotent, without rounding
    blocks = np.zeros((6, 6))
    blocks[:2, :2], blocks[4, 4], blocks[0, 5] = [[0, 2], [2, 0]], 3, 7
    assert theory.next_generation_radius(blocks) == pytest.approx(3)


# -- bad input ---------------------------------------------------------------------------------------------------------

ONE_WAY = dif.FollowerGraph.from_arrays([0, 1], [1, 2], directed=True, edges_mean="influences")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.percolation([0.5, 0.6]), "sums to 1.1"),
        (lambda: theory.percolation([]), "sums to 0"),
        (lambda: theory.percolation([1.5, -0.5]), "out of range"),
        (lambda: theory.percolation(2.0, bond=1.1), "bond=1.1"),
        (lambda: theory.percolation([0.5, 0.5], site=[1.0]), "shape"),
        (lambda: theory.percolation(-1.0), "mean degree"),
        (lambda: theory.percolation(float("nan")), "mean degree"),
        (lambda: theory.g0("ab", 0.5), "array of numbers"),
        (lambda: theory.degree_distribution([]), "degree sequence"),
        (lambda: theory.degree_distribution([0.5]), "degree sequence"),
        (lambda: theory.degree_distribution(ONE_WAY), "directed"),
        (lambda: theory.directed_percolation([1, 2], [1, 1]), "same nodes"),
        (lambda: theory.reed_frost(1001, 0.5), "from 1 to 1,000"),
        (lambda: theory.reed_frost(4, 0.5, seeds=5), "seeds=5"),
        (lambda: theory.path_spread(0, 0.5), "n=0"),
        (lambda: theory.star_spread(4, 2), "p=2"),
        (lambda: theory.cycle_spread(2, 0.5), "from 3"),
        (lambda: theory.tree_spread([None, 1], 0.5), "no tree"),
        (lambda: theory.tree_spread([None, 0], [0.5]), "shape"),
        (lambda: theory.exact_final_size(ONE_WAY, [0]), "no propagation probabilities"),
        (lambda: theory.non_backtracking_radius(ONE_WAY), "2 of 2 arcs have no reverse"),
        (lambda: theory.next_generation_radius([[1, 2]]), "square"),
        (lambda: theory.next_generation_radius([[-1.0]]), "negative"),
        (lambda: theory.next_generation_radius([["a"]]), "array of numbers"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_too_many_worlds_and_unknown_names():
    ring = dif.FollowerGraph.from_networkx(nx.cycle_graph(11)).with_probabilities("constant", p=0.5)
    with pytest.raises(InputError, match="20 arcs"):
        theory.exact_final_size(ring, [0])
    heavy = dif.FollowerGraph.from_networkx(nx.cycle_graph(4)).with_probabilities("constant", p=0.75)
    with pytest.raises(InputError, match=r"sum to 1\.5"):
        theory.exact_final_size(heavy, [0], model="lt")
    with pytest.raises(NotFoundError, match="'lt'"):
        theory.exact_final_size(heavy, [0], model="ltt")
    with pytest.raises(NotFoundError, match="'centre'"):
        theory.star_spread(4, 0.5, seed="center")
    with pytest.raises(NotFoundError, match="not in the graph"):
        theory.exact_final_size(heavy, [99])


def test_every_name_is_a_function_or_a_result_and_documented():
    for name in theory.__all__:
        found = getattr(theory, name)
        assert callable(found), name
        assert found.__doc__, name
    assert list(theory.__all__) == sorted(theory.__all__)
    assert len(set(itertools.chain(theory.__all__))) == len(theory.__all__)
