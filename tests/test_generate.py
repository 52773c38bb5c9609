"""The generated platform has the arcs, mixing, tail and mutual follows it was asked for; tiers and prices follow."""

from __future__ import annotations

import itertools
from typing import Any

import naive_graphs as naive
import numpy as np
import pytest

import diffusion as dif
from diffusion.errors import InputError
from diffusion.graph.creators import PRICES, THRESHOLDS, TIERS
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.graph.generate import (
    LFR_RATIO,
    TARGETS_PER_SOURCE,
    ArcDraws,
    empty_arc_set,
    generate_chung_lu,
    generate_platform,
    graph_of_arcs,
)
from diffusion.graph.lattices import generate_ring_lattice, generate_two_communities, generate_watts_strogatz
from diffusion.kernels import sampling


def mixing_of(graph: FollowerGraph) -> float:
    community = graph.node_data["community"]
    table = graph.to_pandas()
    return float((community[table["source"]].to_numpy() != community[table["target"]].to_numpy()).mean())


@pytest.mark.parametrize("users", [200, 3000])
@pytest.mark.parametrize("mean", [1, 7.5, 12])
def test_the_number_of_arcs_is_exact(users: int, mean: float):
    graph = dif.generate_platform(users, communities=4, mean_followers=mean, rng=1)
    assert graph.n_nodes == users
    assert graph.n_edges == round(users * mean)
    assert graph.dropped_parallel == graph.dropped_self_loops == 0
    assert graph.directed
    assert graph.nodes.tolist() == list(range(users))
    table = graph.to_pandas()
    assert not table.duplicated(["source", "target"]).any()
    assert (table["source"] != table["target"]).all()


@pytest.mark.parametrize("mixing", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_mixing_is_what_was_asked(mixing: float):
    graph = dif.generate_platform(3000, communities=5, mixing=mixing, rng=2)
    assert mixing_of(graph) == pytest.approx(mixing, abs=2e-4)  # rounding of the four planned counts
    assert graph.node_data["community"].nunique() == 5


@pytest.mark.parametrize("reciprocity", [0.0, 0.2, 0.6])
def test_reciprocity_is_what_was_asked_up_to_chance_reverses(reciprocity: float):
    graph = dif.generate_platform(8000, communities=4, reciprocity=reciprocity, rng=3)
    assert reciprocity - 1e-9 <= graph.reciprocity <= reciprocity + 0.02


def test_a_smaller_exponent_has_a_heavier_tail():
    top = {}
    for tail in (2.1, 2.5, 3.5):
        followers = np.sort(dif.generate_platform(8000, tail=tail, reciprocity=0.0, rng=4).out_degree.to_numpy())[::-1]
        assert followers.sum() == 96_000
        top[tail] = followers[:80].sum() / followers.sum()
    assert top[2.1] > 1.5 * top[2.5] > 1.5**2 * top[3.5]


def test_the_tail_exponent_is_found_again():
    """Hill's estimate over the largest followings, before the cut at 5 % of the users."""
    followers = np.sort(dif.generate_platform(20_000, tail=2.5, reciprocity=0.0, rng=5).out_degree.to_numpy())[::-1]
    high = followers[followers < 600].astype(float)[:600]
    estimate = 1 + 1 / np.log(high / high[-1]).mean()
    assert 2.2 < estimate < 2.8


def test_sizes_of_communities_fall_off_and_fill_the_platform():
    size = dif.generate_platform(4000, communities=6, rng=1).node_data["community"].value_counts()
    assert size.sum() == 4000
    assert size.index.tolist() == list(range(6))
    assert size[0] / size[3] == pytest.approx(2, rel=0.02)  # rank to the power -1/2


@pytest.mark.parametrize("communities", [34, 40, 47, 50])
@pytest.mark.parametrize("kind", ["zipf", "equal", "lfr"])
def test_many_small_communities_hold_two_users_at_least(communities: int, kind: str):
    size = (
        generate_platform(100, communities=communities, mean_followers=1, community_sizes=kind, rng=1)
        .node_data["community"]
        .value_counts()
    )
    assert size.size == communities
    assert size.min() >= 2
    assert size.sum() == 100


def test_equal_communities_differ_by_one_user_at_most():
    size = generate_platform(1003, communities=7, community_sizes="equal", rng=1).node_data["community"].value_counts()
    assert size.sort_index().tolist() == [144, 144] + [143] * 5


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
def test_lfr_sizes_are_a_bounded_power_law(exponent: float):
    users, communities = 200_000, 1000
    graph = generate_platform(
        users, communities=communities, community_sizes="lfr", size_exponent=exponent, mean_followers=0.01, rng=1
    )
    size = graph.node_data["community"].value_counts().sort_index().to_numpy()
    assert (np.diff(size) <= 0).all()
    assert size[0] <= LFR_RATIO * size[-1] * 1.1 + 2
    x = size[1:] / size[-1]  # the smallest of so many is close to the lower bound; the largest takes what is left over

    def below(x: Any) -> Any:
        if exponent == 1:
            return np.log(x) / np.log(LFR_RATIO)
        return (1 - x ** (1 - exponent)) / (1 - LFR_RATIO ** (1 - exponent))

    distance = np.abs(below(x) - (np.arange(x.size)[::-1] + 0.5) / x.size).max()
    assert distance < 1.95 / np.sqrt(x.size) + 0.02  # Kolmogorov-Smirnov at 0.1 %, and sizes are whole numbers


@pytest.mark.parametrize("kind", ["equal", "lfr"])
@pytest.mark.parametrize("mixing", [0.1, 0.4])
def test_mixing_reciprocity_and_tail_hold_for_all_sizes(kind: str, mixing: float):
    graph = generate_platform(
        20_000, communities=20, mixing=mixing, tail=2.5, reciprocity=0.3, community_sizes=kind, rng=5
    )
    assert mixing_of(graph) == pytest.approx(mixing, abs=2e-4)
    assert 0.3 - 1e-9 <= graph.reciprocity <= 0.31
    followers = graph.out_degree.to_numpy()
    # Between the mean and what a community can hold, the share with at least k followers goes as k^(1 - tail).
    slope = np.log((followers >= 30).sum() / (followers >= 150).sum()) / np.log(150 / 30)
    assert 2.3 < 1 + slope < 2.7


def test_shares_of_creator_tiers_pass_through():
    plain, given = (generate_platform(2000, tiers=t, rng=1) for t in (None, {"tail": 0.5, "head": 0.01}))
    assert plain.fingerprint == given.fingerprint
    share = given.node_data["tier"].value_counts(normalize=True)
    assert 0.4 < 1 - share["amateur"] <= 0.5
    assert 0.005 < share["head"] <= 0.01
    assert share["waist"] == 0


def test_equal_keys_give_equal_platforms():
    one, two, other = (dif.generate_platform(500, rng=key) for key in (7, 7, 8))
    assert one.fingerprint == two.fingerprint != other.fingerprint
    assert one.node_data.equals(two.node_data)
    assert one.fingerprint == dif.generate_platform(500, rng=np.random.default_rng(7)).fingerprint


def test_labels_say_nothing_about_followers():
    graph = dif.generate_platform(4000, rng=6)
    followers = graph.out_degree.to_numpy()
    assert abs(np.corrcoef(np.arange(4000), np.log1p(followers))[0, 1]) < 4 / np.sqrt(4000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"users": 1}, "users=1"),
        ({"users": 2.5}, "users=2.5"),
        ({"users": True}, "users=True"),
        ({"communities": 0}, "communities=0"),
        ({"communities": 60}, "communities=60 leaves fewer than two"),
        ({"mixing": -0.1}, "mixing=-0.1"),
        ({"mixing": float("nan")}, "mixing=nan"),
        ({"mixing": "a"}, "mixing='a' is not a number"),
        ({"communities": 1}, "needs at least two communities"),
        ({"tail": 2}, "tail=2"),
        ({"reciprocity": 1}, "reciprocity=1"),
        ({"mean_followers": 0}, "mean_followers=0"),
        ({"mean_followers": 30}, "mean_followers=30"),
        ({"mean_followers": None}, "mean_followers=None"),
        ({"communities": 40, "mixing": 0.0, "mean_followers": 10}, "inside communities found no place"),
        ({"communities": 40, "mixing": 0.01, "mean_followers": 24}, "found no place"),
        ({"community_sizes": "equl"}, "'equl' is unknown.*'equal'"),
        ({"size_exponent": 0.5}, "size_exponent=0.5"),
        ({"size_exponent": None}, "size_exponent=None is not a number"),
        ({"tiers": {"hed": 0.1}}, "'hed' is unknown.*'head'"),
        ({"tiers": {"head": 2}}, "share of head is 2"),
        ({"tiers": [0.1]}, "not a mapping"),
        ({"rng": -1}, "rng=-1"),
    ],
)
def test_mistakes(options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        dif.generate_platform(**{"users": 100, "rng": 1, **options})


# -- other graphs ------------------------------------------------------------------------------------------------------


def is_canonical(graph: FollowerGraph) -> bool:
    """Whether the graph is the one that `from_arrays` makes of its rows."""
    arcs = graph.to_pandas()
    again = FollowerGraph.from_arrays(
        arcs["source"], arcs["target"], nodes=graph.nodes, directed=True, edges_mean="influences"
    )
    return again.fingerprint == graph.fingerprint and again.n_edges == graph.n_edges == len(arcs)


@pytest.mark.parametrize(
    "graph",
    [
        generate_platform(700, rng=1),
        generate_chung_lu(700, 4, rng=1),
        generate_watts_strogatz(300, 6, 0.3, rng=1),
        generate_two_communities(300, 8, 0.3, rng=1),
        generate_platform(50, communities=1, mixing=0.0, mean_followers=0.02, reciprocity=0.0, rng=1),
    ],
    ids=["platform", "chung-lu", "small world", "two communities", "one arc"],
)
def test_graphs_are_those_that_from_arrays_would_make(graph: FollowerGraph):
    assert is_canonical(graph)
    assert graph.dropped_self_loops == graph.dropped_parallel == 0
    assert graph.rows == (graph.n_edges if graph.directed else graph.n_edges // 2)
    if not graph.directed:
        assert graph.reciprocity == 1
        assert graph.edges_mean is None


def test_chung_lu_has_the_arcs_and_both_tails():
    n = 30_000
    graph = generate_chung_lu(n, 10, tail_out=2.2, tail_in=3.0, rng=2)
    assert (graph.n_nodes, graph.n_edges) == (n, 10 * n)
    found = []
    for degree in (graph.out_degree, graph.in_degree):
        top = np.sort(degree.to_numpy())[::-1].astype(float)[20:900]  # below the cut
        found.append(1 + 1 / np.log(top / top[-1]).mean())
    assert 2.0 < found[0] < 2.45
    assert 2.6 < found[1] < 3.5
    assert abs(np.corrcoef(np.log1p(graph.out_degree), np.log1p(graph.in_degree))[0, 1]) < 4 / np.sqrt(n)
    one, two, other = (generate_chung_lu(500, rng=key).fingerprint for key in (1, 1, 2))
    assert one == two != other


def test_chung_lu_draws_arcs_in_proportion_to_both_weights():
    """Over many sparse graphs a node gets followers as its weight among all, within 4 standard errors."""
    n, graphs = 6, 4000
    weight, activity = np.array([1.0, 2, 3, 4, 5, 9]), np.array([3.0, 1, 1, 1, 1, 1])
    count = np.zeros((n, n))
    for key in range(graphs):
        arcs = ArcDraws(n, 1, key, np.zeros(n, int))
        arcs.draw(1, weight, activity, inside=True, mutual=False)
        count[arcs.source[0], arcs.target[0]] += 1
    want = np.outer(weight / weight.sum(), activity)
    np.fill_diagonal(want, 0)
    want *= (weight / weight.sum() / want.sum(axis=1))[
        :, None
    ]  # followers go by weight alone, whatever was drawn again
    assert (np.abs(count / graphs - want) <= 4 * np.sqrt(want * (1 - want) / graphs)).all()


def test_ring_lattice_joins_the_nearest():
    graph = generate_ring_lattice(11, 4)
    assert not graph.directed
    want = {(i, (i + d) % 11) for i in range(11) for d in (-2, -1, 1, 2)}
    assert set(zip(*graph.to_pandas()[["source", "target"]].to_numpy().T.tolist(), strict=True)) == want
    assert generate_ring_lattice(5, 4).n_edges == 20  # complete
    ring = generate_ring_lattice(50, 4).with_probabilities("constant", p=1.0)
    # Two adjacent seeds and a threshold of two fill a ring with k = 4 in ceil((n - 2) / 2) steps (Centola and Macy 2007).
    assert dif.threshold_cascade(ring, [0, 1], count=2).depth == 24


def test_small_worlds_rewire_the_share_that_was_asked():
    n, k = 2000, 10
    ring = set(zip(*generate_ring_lattice(n, k).to_pandas()[["source", "target"]].to_numpy().T.tolist(), strict=True))
    for rewire in (0.0, 0.1, 1.0):
        graph = generate_watts_strogatz(n, k, rewire, rng=3)
        assert graph.n_edges == n * k
        arcs = zip(*graph.to_pandas()[["source", "target"]].to_numpy().T.tolist(), strict=True)
        kept = sum(arc in ring for arc in arcs) / (n * k)
        share = 1 - rewire + rewire * k / n  # a new end may be near by chance
        assert abs(kept - share) <= 4 * np.sqrt(share * (1 - share) / (n * k / 2)) + 2e-3
    assert graph.out_degree.min() >= k // 2  # every node keeps its own ends


def test_full_rings_keep_their_edges():
    assert generate_watts_strogatz(5, 4, 1.0, rng=1).fingerprint == generate_ring_lattice(5, 4).fingerprint


@pytest.mark.parametrize("mixing", [0.0, 0.21, 0.5, 1.0])
def test_two_communities_have_the_mixing_and_poisson_degrees(mixing: float):
    n, z = 6000, 12
    graph = generate_two_communities(n, z, mixing, rng=4)
    assert graph.n_edges == n * z
    assert mixing_of(graph) == pytest.approx(mixing, abs=1e-4)
    assert graph.node_data["community"].tolist() == [0] * (n // 2) + [1] * (n // 2)
    degree = graph.out_degree.to_numpy()
    assert degree.mean() == z
    # The variance of n Poisson numbers has the variance (2 z^2 + z) / n.
    assert abs(degree.var() - z) < 4 * np.sqrt((2 * z * z + z) / n)


def test_two_communities_at_their_fullest():
    graph = generate_two_communities(20, 9, 0.5, rng=1)
    assert graph.n_edges == 180
    with pytest.raises(InputError, match="which have 100 pairs"):
        generate_two_communities(20, 11, 1.0, rng=1)
    with pytest.raises(InputError, match="inside the communities, which have 90 pairs"):
        generate_two_communities(20, 9, 0.0, rng=1)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (generate_chung_lu, {"n": 1}, "n=1"),
        (generate_chung_lu, {"n": 100, "mean_followers": 30}, "mean_followers=30.*at most 24.75"),
        (generate_chung_lu, {"n": 100, "tail_out": 2}, "tail_out=2.*above 2"),
        (generate_chung_lu, {"n": 100, "tail_in": "a"}, "tail_in='a' is not a number"),
        (generate_ring_lattice, {"n": 10, "k": 3}, "k=3.*even"),
        (generate_ring_lattice, {"n": 10, "k": 10}, "k=10"),
        (generate_ring_lattice, {"n": 2}, "n=2"),
        (generate_watts_strogatz, {"n": 10, "rewire": 1.1}, "rewire=1.1"),
        (generate_watts_strogatz, {"n": 10, "rewire": float("nan")}, "rewire=nan"),
        (generate_two_communities, {"n": 7}, "n=7 is odd"),
        (generate_two_communities, {"n": 100, "mixing": -1}, "mixing=-1"),
        (generate_two_communities, {"n": 100, "mean_degree": 0}, "mean_degree=0"),
    ],
)
def test_mistakes_in_other_graphs(make: Any, options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        make(**options)


# -- the kernels against the twin --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_drawn_arcs_equal_the_twin(seed: int):
    draw = np.random.default_rng(seed)
    n, c = 30, 3
    community = draw.integers(0, c, n)
    community[:c] = range(c)
    fame, activity = draw.pareto(1.2, (2, n)) + 1
    arcs, want, used = ArcDraws(n, 200, seed, community), [], 0
    for weight, inside, mutual in (
        (activity, True, True),
        (activity, False, True),
        (fame, True, False),
        (fame, False, False),
    ):
        arcs.draw(25, weight, activity, inside=inside, mutual=mutual)
        patience = 1 if mutual else TARGETS_PER_SOURCE
        used = naive.place_arcs(
            seed, used, 25, patience, weight.tolist(), activity.tolist(), community.tolist(), inside, mutual, want
        )
        assert arcs.used == used
        assert list(zip(arcs.source[: arcs.filled].tolist(), arcs.target[: arcs.filled].tolist(), strict=True)) == want
    assert sorted(arcs.table[arcs.table >= 0].tolist()) == sorted(u * n + v for u, v in want)


@pytest.mark.parametrize("rewire", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("k", [2, 6, 12])
def test_small_worlds_equal_the_twin(rewire: float, k: int):
    n = 14
    source, target = np.empty((2, n * k // 2), np.int32)
    sampling.small_world(np.uint64(99), n, k // 2, rewire, empty_arc_set(source.size), source, target)
    found = list(zip(source.tolist(), target.tolist(), strict=True))
    assert found == naive.small_world(99, n, k // 2, rewire)


def test_alias_tables_give_back_the_weights():
    draw = np.random.default_rng(1)
    weight = draw.pareto(0.8, 400) + 0.01
    indptr = np.array([0, 1, 150, 150, 400])
    keep, other = sampling.alias_tables(weight, indptr)
    for start, end in itertools.pairwise(indptr.tolist()):
        if start == end:
            continue
        twin = naive.Alias(weight[start:end].tolist())
        assert keep[start:end].tolist() == twin.keep
        assert (other[start:end] - start).tolist() == twin.other
        mass = keep[start:end] + np.bincount(
            other[start:end] - start, weights=1 - keep[start:end], minlength=end - start
        )
        assert mass / (end - start) == pytest.approx(weight[start:end] / weight[start:end].sum(), abs=1e-12)


def test_the_arc_set_is_a_set():
    """Arcs that collide, put in and taken out in random order."""
    draw = np.random.default_rng(2)
    table, want = np.full(64, -1), set()
    for arc in draw.integers(0, 60, 3000):
        at = sampling.find(table, arc)
        assert (table[at] == arc) == (arc in want)
        if arc in want:
            sampling.discard(table, at)
            want.remove(arc)
        elif len(want) < 50:
            table[at] = arc
            want.add(arc)
        assert sorted(table[table >= 0].tolist()) == sorted(want)


def test_rows_come_sorted():
    graph = graph_of_arcs(4, np.array([3, 0, 0, 2], np.int32), np.array([0, 2, 1, 1], np.int32), directed=True)
    arcs = graph.to_pandas()
    assert arcs.to_numpy().tolist() == [[0, 1], [0, 2], [2, 1], [3, 0]]
    assert is_canonical(graph)


# -- tiers and prices --------------------------------------------------------------------------------------------------


def star(*followers: int) -> FollowerGraph:
    """One creator for each count; creators are "c0", "c1", ..., their followers are whole numbers."""
    source = [f"c{i}" for i, count in enumerate(followers) for _ in range(count)]
    target = [j for count in followers for j in range(count)]
    return FollowerGraph.from_arrays(source, target, directed=True, edges_mean="influences")


def test_thresholds_are_the_fewest_followers():
    graph = dif.graph.with_creator_tiers(
        star(1, 4, 5, 9, 10, 99, 100), thresholds={"tail": 5, "waist": 10, "head": 100}
    )
    tier = graph.node_data["tier"]
    want = ["amateur", "amateur", "tail", "tail", "waist", "waist", "head"]
    assert [tier[f"c{i}"] for i in range(7)] == want
    assert (tier[list(range(100))] == "amateur").all()
    assert tier.cat.categories.tolist() == list(TIERS)
    plain = dif.graph.with_creator_tiers(star(10, 20), thresholds=THRESHOLDS)
    assert set(plain.node_data["tier"]) == {"amateur"}


def test_shares_are_upper_limits_and_ties_stay_below():
    graph = dif.graph.with_creator_tiers(
        star(8, 8, 8, 3, 2), shares={"head": 2 / 13, "tail": 5 / 13}
    )  # 5 creators, 8 users
    tier = graph.node_data["tier"]
    assert "head" not in set(tier)  # three are tied for two places
    assert [tier[f"c{i}"] for i in range(5)] == ["tail"] * 5
    graph = dif.generate_platform(5000, rng=1)
    share = graph.node_data["tier"].value_counts(normalize=True)
    above = {"head": share["head"], "waist": share["head"] + share["waist"], "tail": 1 - share["amateur"]}
    for name, limit in (("head", 0.001), ("waist", 0.01), ("tail", 0.10)):
        assert 0.5 * limit <= above[name] <= limit, name


def test_prices_rise_with_followers_inside_the_range_of_a_tier():
    graph = dif.generate_platform(5000, rng=2)
    data = graph.node_data.assign(followers=graph.out_degree.to_numpy())
    for tier, (low, high) in PRICES.items():
        own = data[data["tier"] == tier].sort_values("followers")
        assert own["price"].min() == low
        assert own["price"].max() == high
        assert own["price"].is_monotonic_increasing
    given = dif.graph.with_creator_tiers(graph, prices={"head": (1.0, 2.0), "amateur": (0.0, 10.0)}).node_data
    assert given.loc[given["tier"] == "head", "price"].between(1, 2).all()
    assert given.loc[given["tier"] == "amateur", "price"].min() == 0
    assert given.loc[given["tier"] == "tail", "price"].equals(data.loc[data["tier"] == "tail", "price"])
    assert graph.node_data["price"].equals(data["price"])  # the graph itself does not change


def test_one_creator_alone_costs_the_middle():
    graph = dif.graph.with_creator_tiers(star(50, 1), thresholds={"head": 40}, prices={"head": (100.0, 10_000.0)})
    assert graph.node_data["price"]["c0"] == pytest.approx(1000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": {"tail": 1}, "shares": {"tail": 0.1}}, "not both"),
        ({"thresholds": {"hed": 1}}, "'hed' is unknown.*'head'"),
        ({"thresholds": {"head": float("nan")}}, "threshold of head is nan"),
        ({"shares": {"hed": 0.1}}, "'hed' is unknown.*'head'"),
        ({"shares": {"head": 0}}, "share of head is 0"),
        ({"shares": {"head": "a"}}, "share of head is 'a'"),
        ({"prices": {"hed": (1, 2)}}, "'hed' is unknown.*'head'"),
        ({"prices": {"head": (2, 1)}}, "prices of head"),
        ({"prices": {"head": (-1, 1)}}, "prices of head"),
        ({"prices": {"head": (1, float("nan"))}}, "prices of head"),
        ({"prices": {"head": 3}}, "prices of head"),
    ],
)
def test_tier_mistakes(options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        dif.graph.with_creator_tiers(star(3, 2), **options)
