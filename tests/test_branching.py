"""Branching theory against closed forms, dense eigenvalues and random trees."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffusion as dif
from diffusion import theory
from diffusion.errors import DiffusionError, InputError, NotFoundError
from diffusion.graph import spectral
from diffusion.theory.branching import (
    configuration_R,
    doubling_time,
    extinction_probability,
    giant_component,
    mean_total_size,
    rate_with_delays,
    reproduction_number,
)


def graph(arcs, *, directed=True, nodes=None, p=None, **options):
    source, target = zip(*arcs, strict=True) if arcs else ((), ())
    meaning = "influences" if directed else None
    weight = None if p is None or isinstance(p, float) else list(p)
    g = dif.FollowerGraph.from_arrays(
        source, target, directed=directed, edges_mean=meaning, nodes=nodes, weight=weight, **options
    )
    return g.with_probabilities("constant", p=p) if isinstance(p, float) else g.with_probabilities("column")


def ring(n, p):
    return graph([(i, (i + 1) % n) for i in range(n)], directed=False, p=p)


def dense(g):
    """Largest eigenvalue of the next-generation operator, written out arc by arc."""
    table = g.to_pandas()
    arcs = list(zip(table["source"], table["target"], table["probability"], strict=True))
    matrix = np.array([[q if b == c and d != a else 0.0 for a, b, _ in arcs] for c, d, q in arcs])
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def test_closed_forms():
    assert mean_total_size(0.0) == 1
    assert mean_total_size(0.9) == pytest.approx(10)
    assert mean_total_size(1) == mean_total_size(3.0) == math.inf
    assert [round(doubling_time(R), 3) for R in (1.2, 1.5, 2)] == [3.802, 1.71, 1]
    assert doubling_time(1) == doubling_time(0.0) == math.inf
    assert giant_component(1.5) == pytest.approx(0.582812, abs=5e-7)
    assert giant_component(2) == pytest.approx(0.796812, abs=5e-7)
    assert giant_component(1) == giant_component(0.3) == 0


@given(st.floats(1.0001, 30))
def test_extinction_solves_its_equation(R):
    q = extinction_probability(R)
    assert 0 < q < 1
    assert q == pytest.approx(math.exp(R * (q - 1)), rel=1e-9)
    g = extinction_probability(R, "geometric")
    assert g == pytest.approx(1 / (1 + R * (1 - g)), rel=1e-12)
    assert 1 - q == pytest.approx(giant_component(R), rel=1e-9)


def test_extinction_near_and_below_criticality():
    assert extinction_probability(1) == extinction_probability(0.2) == 1
    assert giant_component(1 + 1e-6) == pytest.approx(2e-6, rel=1e-4)


def test_extinction_in_simulated_branching():
    rng = np.random.default_rng(5)
    runs, new = 20_000, np.ones(20_000, int)
    for _ in range(40):
        new = np.minimum(rng.poisson(1.5 * new), 10_000)
    share = (new == 0).mean()
    q = extinction_probability(1.5)
    assert abs(share - q) < 4 * math.sqrt(q * (1 - q) / runs)


@given(st.floats(0.1, 5), st.floats(0.2, 50), st.floats(0.1, 20))
def test_rate_with_delays_solves_the_renewal_equation(R, shape, mean):
    r = rate_with_delays(R, shape, mean)
    assert R * (1 + r * mean / shape) ** -shape == pytest.approx(1, rel=1e-6)


def test_rate_with_delays_limits():
    assert rate_with_delays(2, 1, 4) == pytest.approx(0.25)
    assert rate_with_delays(1.0, 3, 2) == 0
    assert rate_with_delays(2, 1e7, 2) == pytest.approx(math.log(2) / 2, rel=1e-6)
    assert rate_with_delays(0, 2, 4) == -0.5


def test_configuration_r():
    star = graph([(0, i) for i in range(1, 5)], directed=False, p=0.5)
    assert configuration_R(star, 0.5) == pytest.approx(0.5 * (20 - 8) / 8)
    arrows = graph([(0, 1), (1, 2), (1, 3), (4, 1)], p=0.5)
    assert configuration_R(arrows, 0.3) == pytest.approx(0.3 * (2 * 2) / 4)
    assert configuration_R(graph([], nodes=[1, 2], p=0.5), 0.3) == 0
    kept = graph([(0, 1), (0, 1), (1, 2)], directed=False, p=0.5, parallel="keep")
    assert configuration_R(kept, 1.0) == pytest.approx((4 + 9 + 1 - 6) / 6)


@pytest.mark.parametrize("n", [5, 90, 400])
def test_ring_passes_on_to_one(n):
    assert reproduction_number(ring(n, 0.3)) == pytest.approx(0.3, rel=1e-6)


@pytest.mark.parametrize(("side", "p"), [(6, 0.25), (20, 0.25)])
def test_torus_is_a_regular_graph(side, p):
    ids = np.arange(side * side).reshape(side, side)
    arcs = [*zip(ids.ravel(), np.roll(ids, 1, 0).ravel(), strict=True)]
    arcs += [*zip(ids.ravel(), np.roll(ids, 1, 1).ravel(), strict=True)]
    assert reproduction_number(graph(arcs, directed=False, p=p)) == pytest.approx(3 * p, rel=1e-6)


def test_complete_graph():
    arcs = [(i, j) for i in range(30) for j in range(i)]
    assert reproduction_number(graph(arcs, directed=False, p=0.1)) == pytest.approx(0.1 * 28, rel=1e-6)


def test_nothing_comes_back_on_trees_and_acyclic_graphs():
    tree = [(i, (i - 1) // 2) for i in range(1, 300)]
    assert reproduction_number(graph(tree, directed=False, p=0.9)) == 0
    assert reproduction_number(graph(tree, directed=True, p=0.9)) == 0
    assert reproduction_number(graph([(i, j) for i in range(25) for j in range(i)], p=1.0)) == 0
    assert reproduction_number(graph([(0, 1)], directed=False, p=1.0)) == 0
    assert reproduction_number(graph([], nodes=[1, 2], p=0.5)) == 0
    assert reproduction_number(ring(10, 0.0)) == 0


def test_a_directed_circle_is_periodic():
    arcs = [(i, (i + 1) % 6) for i in range(6)]
    p = [0.5, 0.4, 0.3, 0.2, 0.9, 0.8]
    assert reproduction_number(graph(arcs, p=p)) == pytest.approx(math.prod(p) ** (1 / 6), rel=1e-6)


def test_without_mutual_arcs_it_is_the_radius_of_the_matrix():
    rng = np.random.default_rng(3)
    pairs = [(i, j) if rng.random() < 0.5 else (j, i) for i in range(40) for j in range(i) if rng.random() < 0.5]
    g = graph(pairs, p=rng.uniform(0.05, 0.9, len(pairs)))
    assert g.n_edges > spectral._DENSE
    radius = np.abs(np.linalg.eigvals(g.to_scipy().toarray())).max()
    assert reproduction_number(g) == pytest.approx(radius, rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9), st.integers(0, 10**6), st.floats(0.1, 0.9))
def test_against_dense_eigenvalues(n, seed, density):
    rng = np.random.default_rng(seed)
    arcs = [(i, j) for i in range(n) for j in range(n) if i != j and rng.random() < density] or [(0, 1)]
    g = graph(arcs, p=rng.uniform(0.05, 1, len(arcs)))
    # A nilpotent part spreads rounding over its eigenvalues, so a true 0 comes out of the dense solver as up to 1e-2.
    expected = dense(g)
    found = reproduction_number(g)
    assert found == pytest.approx(expected, rel=1e-4) or (found == 0 and expected < 0.05)


@pytest.mark.parametrize("rounds", [0, 8])
@pytest.mark.parametrize("seed", range(3))
def test_solvers_agree_with_dense_eigenvalues(seed, rounds, monkeypatch):
    monkeypatch.setattr(spectral, "_DENSE", 0)
    monkeypatch.setattr(spectral, "_ROUNDS", rounds)
    rng = np.random.default_rng(seed)
    arcs = [(i, j) for i in range(20) for j in range(20) if i != j and rng.random() < 0.2]
    g = graph(arcs, p=rng.uniform(0.05, 1, len(arcs)))
    assert reproduction_number(g) == pytest.approx(dense(g), rel=1e-4)


def test_the_larger_of_two_separate_parts(monkeypatch):
    monkeypatch.setattr(spectral, "_DENSE", 0)
    arcs = [(i, j) for i in range(12) for j in range(i)] + [(50 + i, 50 + (i + 1) % 30) for i in range(30)]
    g = graph([*arcs, (0, 50)], directed=False, p=0.2)
    assert reproduction_number(g) == pytest.approx(dense(g), rel=1e-4)


def test_is_the_r_that_cascades_have():
    ends = np.random.default_rng(1).integers(0, 20_000, (2, 50_000))
    g = dif.FollowerGraph.from_arrays(*ends, directed=False).with_probabilities("constant", p=0.3)
    R = reproduction_number(g)
    assert abs(R - configuration_R(g, 0.3)) < 0.02
    found = dif.simulate(g, g.nodes[:20].tolist(), runs=500, rng=3).new_by_step.sum(axis=0)
    assert found[3] / found[2] == pytest.approx(R, rel=0.1)


def test_epinions(data):
    g = dif.read_edges(data("soc-Epinions1.txt.gz"), edges_mean="influences", directed=True)
    # Going back along mutual arcs is left out, so R lies below the radius of the matrix, 1 for these weights.
    assert 0.85 < reproduction_number(g.with_probabilities("weighted_cascade")) < 0.95
    R = reproduction_number(g.with_probabilities("constant", p=0.01))
    assert abs(R - 5.266932889997 / 5) < 1e-5


def test_wrong_input():
    for call in (
        lambda: mean_total_size(-0.1),
        lambda: extinction_probability(math.nan),
        lambda: giant_component(-1),
        lambda: doubling_time("2"),
        lambda: rate_with_delays(2, 0, 1),
        lambda: rate_with_delays(2, 1, 0),
        lambda: configuration_R(ring(5, 0.1), 1.5),
        lambda: reproduction_number(ring(5, 0.1), tol=0),
        lambda: reproduction_number(ring(5, 0.1), max_iter=0),
    ):
        with pytest.raises(InputError, match=r"out of range|whole number|not a number"):
            call()
    with pytest.raises(NotFoundError, match="'poisson'"):
        extinction_probability(2, "poison")
    bare = dif.FollowerGraph.from_arrays([0], [1], directed=False)
    with pytest.raises(InputError, match="no propagation probabilities"):
        reproduction_number(bare)


def test_says_when_it_does_not_settle():
    rng = np.random.default_rng(1)
    uneven = graph([(i, (i + 1) % 3000) for i in range(3000)], p=rng.uniform(0.2, 0.9, 3000))
    with pytest.raises(DiffusionError, match="did not settle"):
        reproduction_number(uneven, tol=1e-12, max_iter=2)


# -- SIPS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "rho", "m", "R", "total"),
    [(0.2, 0.1, 3, 0.4991, 1.9136), (0.2, 0.2, 1, 0.6563, 2.488), (0.1, 0.1, 5, 0.5873, 2.405)],
)
def test_sips_check_rows(a, rho, m, R, total):
    """<k> = 8.00 and kappa = 12.90 are rounded themselves: the totals agree to about 2e-4 of their value."""
    assert theory.sips_reproduction_number(a, rho, 12.90, 8.00, m) == pytest.approx(R, abs=1e-4)
    assert theory.sips_mean_total(theory.sips_matrix(a, rho, 12.90, 8.00, m)) == pytest.approx(total, rel=3e-4)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 50), st.floats(0, 50), st.floats(0, 20))
def test_sips_r_is_the_radius_of_its_matrix(a, rho, kappa, k, m):
    R = theory.sips_reproduction_number(a, rho, kappa, k, m)
    matrix = theory.sips_matrix(a, rho, kappa, k, m)
    assert pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), abs=1e-5) == R
    assert theory.next_generation_radius(matrix) == pytest.approx(R, abs=1e-5)


def test_sips_limits():
    assert theory.sips_reproduction_number(0, 0.3, 12, 8, 2) == pytest.approx(0.6)  # feed only: m rho
    assert theory.sips_reproduction_number(0.2, 1, 12, 8, 0) == pytest.approx(0.2 * 12)  # no feed: IC with p = a
    assert theory.sips_mean_total(theory.sips_matrix(0, 0.3, 12, 8, 2)) == pytest.approx(1 / (1 - 0.6))
    assert theory.sips_mean_total(theory.sips_matrix(0, 0, 12, 8, 2)) == 1
    assert theory.sips_mean_total(theory.sips_matrix(0.5, 1, 12, 8, 2)) == math.inf
    assert theory.sips_mean_total([[2.0]], [0.0]) == 0
    series = sum(np.linalg.matrix_power(theory.sips_matrix(0.2, 0.1, 12.9, 8, 3), t)[:, 1].sum() for t in range(200))
    assert theory.sips_mean_total(theory.sips_matrix(0.2, 0.1, 12.9, 8, 3)) == pytest.approx(series)


def test_feed_intensity_is_its_fixed_point():
    m = theory.feed_intensity(2.0, 0.1, 3.0, 0.2, 8.0)
    assert m == pytest.approx(2.0 + 0.1 * 3.0 * (0.2 * 8.0 + m))
    assert theory.feed_intensity(2.0, 0.0, 3.0, 0.2, 8.0) == 2
    for gain in (1 / 3, 0.5):
        with pytest.raises(InputError, match="never ends"):
            theory.feed_intensity(2.0, gain, 3.0, 0.2, 8.0)


def planted(rng, n=300, m=4000):
    community = rng.integers(0, 3, n)
    ends = rng.integers(0, n, (2, m))
    keep = (community[ends[0]] == community[ends[1]]) | (rng.random(m) < 0.3)
    g = dif.FollowerGraph.from_arrays(*ends[:, keep], nodes=range(n), directed=True, edges_mean="influences")
    return g.with_node_data(community=community)


def test_community_arcs_are_counted():
    g = planted(np.random.default_rng(2))
    names, sizes, arcs, pairs = theory.community_arcs(g, "community")
    group = g.node_data["community"].to_dict()
    j = g.in_degree.to_dict()
    table = g.to_pandas()
    want_arcs, want_pairs = np.zeros((3, 3)), np.zeros((3, 3))
    for u, v in zip(table["source"], table["target"], strict=True):
        want_arcs[group[u], group[v]] += 1
        want_pairs[group[u], group[v]] += j[u]
    assert names == [0, 1, 2]
    assert sizes.tolist() == [sum(c == name for c in group.values()) for name in names]
    assert (arcs == want_arcs).all()
    assert (pairs == want_pairs).all()
    again = theory.community_arcs(g, g.node_data["community"].tolist())
    assert (again[2] == arcs).all()


def test_one_community_is_the_two_channel_matrix():
    g = planted(np.random.default_rng(3))
    _, sizes, arcs, pairs = theory.community_arcs(g, [0] * g.n_nodes)
    j, k = g.in_degree.to_numpy(float), g.out_degree.to_numpy(float)
    want = theory.sips_matrix(0.3, 0.1, j @ k / j.sum(), k.mean(), 2.0)
    found = theory.sips_block_matrix(sizes, arcs, pairs, attention=0.3, rho=0.1, m=2.0, own_community=0.7)
    assert found == pytest.approx(want)


def test_blocks_without_arcs_between_communities_and_a_local_feed():
    sizes, arcs, pairs = [10.0, 20.0], np.diag([50.0, 40.0]), np.diag([300.0, 90.0])
    k = theory.sips_block_matrix(sizes, arcs, pairs, attention=0.5, rho=[0.1, 0.2], m=[1, 2], own_community=1.0)
    alone = [
        theory.sips_matrix(0.5, rho, pairs[c, c] / arcs[c, c], arcs[c, c] / sizes[c], m)
        for c, (rho, m) in enumerate(((0.1, 1), (0.2, 2)))
    ]
    for c in (0, 1):
        assert k[np.ix_([c, 2 + c], [c, 2 + c])] == pytest.approx(alone[c])
        assert not k[np.ix_([c, 2 + c], [1 - c, 3 - c])].any()
    assert theory.next_generation_radius(k) == pytest.approx(max(map(theory.next_generation_radius, alone)))
    assert theory.sips_mean_total(k, [0, 0, 1, 0]) == pytest.approx(theory.sips_mean_total(alone[0]))


def test_block_matrix_by_following_exposures():
    """Mean sharers of each kind after one generation, counted on the graph itself."""
    rng = np.random.default_rng(5)
    g = planted(rng)
    _, sizes, arcs, pairs = theory.community_arcs(g, "community")
    a, rho, m, h = 0.3, np.array([0.1, 0.2, 0.4]), np.array([1.0, 0.0, 3.0]), 0.6
    k = theory.sips_block_matrix(sizes, arcs, pairs, attention=a, rho=rho, m=m, own_community=h)
    group = g.node_data["community"].to_numpy()
    follows = g.with_probabilities("constant", p=1.0).to_scipy().toarray()  # in the order of the labels
    to = np.stack([follows[:, group == e].sum(axis=1) for e in range(3)])  # followers in e of each user
    j = follows.sum(axis=0)
    for d in range(3):
        own = group == d
        assert k[:3, 3 + d] == pytest.approx(a * rho * to[:, own].mean(axis=1))
        assert k[:3, d] == pytest.approx(a * rho * (to[:, own] * j[own]).sum(axis=1) / j[own].sum())
        shown = (1 - h) * sizes / sizes.sum() + h * (np.arange(3) == d)
        assert k[3:, d] == pytest.approx(m[d] * shown * rho)
        assert k[3:, 3 + d] == pytest.approx(m[d] * shown * rho)


def written_out(g, model):
    """Operator of SIPS written out over who has the note along which arc, and who from the feed; who they are."""
    table, users = g.to_pandas(), g.nodes.tolist()
    follows = list(zip(table["source"], table["target"], strict=True))
    chance = dict.fromkeys(follows, model.attention)
    if model.attention is None:
        chance = dict(zip(follows, table["probability"], strict=True))
    community = g.node_data["community"].to_dict() if "community" in g.node_data else dict.fromkeys(users, 0)
    size = {u: list(community.values()).count(community[u]) for u in users}
    feed, rho = model.feed or dif.models.Feed(), model.funnel.rho
    back = feed.amplification * feed.score(model.funnel)
    attended = {u: sum(chance[arc] for arc in follows if arc[0] == u) for u in users}
    shown = {u: (feed.impressions + back * attended[u]) / (1 - back) for u in users}
    kinds = [*follows, *((None, u) for u in users)]  # from whom, and who
    matrix = np.zeros((len(kinds), len(kinds)))
    for column, (teller, x) in enumerate(kinds):
        for row, (source, v) in enumerate(kinds):
            if source is None:
                local = feed.own_community / size[x] if community[v] == community[x] else 0.0
                matrix[row, column] = shown[x] * rho * ((1 - feed.own_community) / len(users) + local)
            elif source == x and v != teller:  # back to whom the note came from it does not go
                matrix[row, column] = chance[source, v] * rho
    return matrix, [x for _, x in kinds]


def dense_sips(g, model):
    """R of SIPS from the operator written out."""
    return float(np.abs(np.linalg.eigvals(written_out(g, model)[0])).max())


FEEDS = [
    None, dif.models.Feed(impressions=1.5), dif.models.Feed(impressions=1.5, own_community=0.6), dif.models.Feed(impressions=0.5, own_community=1.0), dif.models.Feed(impressions=0.7, amplification=0.08, own_community=0.3),
    dif.models.Feed(amplification=0.1),
]  # fmt: skip


def two_communities():
    rng = np.random.default_rng(4)
    arcs = {(int(u), int(v)) for u, v in rng.integers(0, 8, (26, 2)) if u != v}
    arcs |= {(v, u) for u, v in list(arcs)[::2]} | {(8, 9), (9, 8), (9, 10), (10, 11), (2, 11), (11, 8)}
    arcs = sorted(arcs)
    return graph(arcs, p=rng.random(len(arcs))).with_node_data(community=[int(v >= 8) for v in range(12)])


@pytest.mark.parametrize("feed", FEEDS, ids=str)
@pytest.mark.parametrize("attention", [0.35, None])
def test_r_of_sips_is_that_of_the_operator_written_out(feed, attention):
    """On a graph of mutual follows and two communities of unequal size and density, so that no term may be left out."""
    g = two_communities()
    model = dif.SIPS(attention, dif.models.Funnel(0.9, 0.8, 0.9, 0.7), feed)
    R = theory.sips_graph_radius(g, model, tol=1e-9)
    assert pytest.approx(dense_sips(g, model), rel=1e-6) == R
    if feed is not None:
        alone = theory.sips_graph_radius(g, dif.SIPS(attention, model.funnel), tol=1e-9)
        assert 1.01 * alone < R


@pytest.mark.parametrize("feed", FEEDS, ids=str)
def test_every_way_to_ask_for_the_predicted_r_gives_that_of_the_operator(feed):
    """Feed, own community and the way back in all of them, and no factor on the way from the operator to the result."""
    g, model = two_communities(), dif.SIPS(0.35, dif.models.Funnel(0.9, 0.8, 0.9, 0.7), feed)
    known = dif.simulation.reproduction(g, model=model, max_runs=16, rng=1)
    grown = dif.growth(dif.simulate(g, [0], model=model, runs=20, rng=1), known=known)
    operator = model.next_generation(g)
    of_all = (model.reproduction_number(g), known.predicted, grown.R_predicted, operator.without(np.zeros(12, bool)))
    assert of_all == pytest.approx((dense_sips(g, model),) * 4, rel=1e-3)
    assert known.to_pandas()["R_predicted"].item() == grown.to_pandas()["R_predicted"].item() == known.predicted


@pytest.mark.parametrize("feed", FEEDS, ids=str)
def test_the_settled_mix_and_who_carries_r_are_the_eigenvectors_of_the_operator(feed):
    g, model = two_communities(), dif.SIPS(0.35, dif.models.Funnel(0.9, 0.8, 0.9, 0.7), feed)
    matrix, users = written_out(g, model)
    vectors = []
    for side in (matrix, matrix.T):
        values, found = np.linalg.eig(side)
        vectors.append(np.abs(found[:, np.abs(values).argmax()]))
    for got, of_kind in zip(model.next_generation(g).settled(), (vectors[0], vectors[0] * vectors[1]), strict=True):
        by_user = np.bincount(users, of_kind)
        assert g.index.series(got, "share").loc[range(12)].to_numpy() == pytest.approx(
            by_user / by_user.sum(), abs=1e-3
        )


def test_r_of_sips_without_the_way_back_and_within_a_community():
    """Closed forms: a ring of mutual follows passes a note on to one side; a local feed keeps its own."""
    n, a, rho = 9, 0.5, 0.4
    two_way = ring(n, 1.0).with_node_data(community=[0] * 3 + [1] * 6)
    assert theory.sips_graph_radius(two_way, dif.SIPS(a, dif.models.Funnel(share=rho))) == pytest.approx(a * rho)
    pairs = graph([(0, 1), (2, 3)], directed=False, p=1.0)
    R = theory.sips_graph_radius(pairs, dif.SIPS(a, dif.models.Funnel(share=rho), dif.models.Feed(impressions=2.0)))
    b, c = a * rho, 2.0 * rho  # followed: nobody new but through the feed; from the feed: one follower
    assert pytest.approx((c + math.sqrt(c * c + 4 * b * c)) / 2, rel=1e-5) == R
    # Only the community 0 has followers of its own; a feed that stays at home is felt there in full.
    clique = graph([(u, v) for u in range(4) for v in range(4) if u != v], nodes=range(40), p=1.0)
    clique = clique.with_node_data(community=[0] * 4 + [1] * 36)
    model = dif.SIPS(a, dif.models.Funnel(share=rho), dif.models.Feed(impressions=2.0, own_community=1.0))
    k = np.array([[2 * a * rho, 3 * a * rho], [2.0 * rho, 2.0 * rho]])
    assert theory.sips_graph_radius(clique, model) == pytest.approx(np.abs(np.linalg.eigvals(k)).max(), rel=1e-5)


def test_r_of_sips_at_the_ends():
    g = graph([(0, 1), (1, 0), (1, 2), (2, 0)], p=1.0)
    assert (
        theory.sips_graph_radius(g, dif.SIPS(0.5, dif.models.Funnel(share=0.0), dif.models.Feed(impressions=3.0))) == 0
    )
    for gain in (0.1, 0.11):  # c = 10: every exposure earns the note at least one more
        assert (
            theory.sips_graph_radius(g, dif.SIPS(0.5, feed=dif.models.Feed(impressions=1.0, amplification=gain, cap=5)))
            == math.inf
        )
    with pytest.raises(InputError, match="one sharer alone convinces nobody"):
        theory.sips_graph_radius(g, dif.SIPS(0.5, identify=dif.models.Complex(2)))
    with pytest.raises(InputError, match="no node attribute 'community'"):
        theory.sips_graph_radius(g, dif.SIPS(0.5, feed=dif.models.Feed(impressions=1.0, own_community=0.5)))


def test_sips_wrong_input():
    for call, message in (
        (lambda: theory.sips_matrix(1.2, 0.1, 1, 1, 1), "attention=1.2"),
        (lambda: theory.sips_matrix(0.2, 0.1, -1, 1, 1), "kappa=-1"),
        (lambda: theory.sips_mean_total(np.eye(3) * 0.5), "start="),
        (lambda: theory.sips_mean_total([[0.1]], [1, 2]), "shape"),
        (lambda: theory.sips_block_matrix([], [], [], attention=0.1, rho=0.1, m=1), "empty"),
        (lambda: theory.sips_block_matrix([1.0], [1.0], [1.0], attention=0.1, rho=0.1, m=1), "shape"),
        (lambda: theory.community_arcs(ring(5, 0.1), "group"), "no node attribute"),
        (lambda: theory.community_arcs(ring(5, 0.1), [1, 2]), "one for each"),
    ):
        with pytest.raises(InputError, match=message):
            call()
