"""The generated platform has the arcs, mixing, tail and mutual follows it was asked for; tiers and prices follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffusion as dif
from diffusion.errors import InputError
from diffusion.graph.creators import PRICES, THRESHOLDS, TIERS
from diffusion.graph.follower_graph import FollowerGraph


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
def test_many_small_communities_hold_two_users_at_least(communities: int):
    size = (
        dif.generate_platform(100, communities=communities, mean_followers=1, rng=1)
        .node_data["community"]
        .value_counts()
    )
    assert size.size == communities
    assert size.min() >= 2
    assert size.sum() == 100


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
        ({"rng": -1}, "rng=-1"),
    ],
)
def test_mistakes(options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        dif.generate_platform(**{"users": 100, "rng": 1, **options})


# -- tiers and prices --------------------------------------------------------------------------------------------------


def star(*followers: int) -> FollowerGraph:
    """One creator for each count; creators are "c0", "c1", ..., their followers are whole numbers."""
    source = [f"c{i}" for i, count in enumerate(followers) for _ in range(count)]
    target = [j for count in followers for j in range(count)]
    return FollowerGraph.from_arrays(source, target, directed=True, edges_mean="influences")


def test_thresholds_are_the_fewest_followers():
    graph = dif.with_creator_tiers(star(1, 4, 5, 9, 10, 99, 100), thresholds={"tail": 5, "waist": 10, "head": 100})
    tier = graph.node_data["tier"]
    want = ["amateur", "amateur", "tail", "tail", "waist", "waist", "head"]
    assert [tier[f"c{i}"] for i in range(7)] == want
    assert (tier[list(range(100))] == "amateur").all()
    assert tier.cat.categories.tolist() == list(TIERS)
    plain = dif.with_creator_tiers(star(10, 20), thresholds=THRESHOLDS)
    assert set(plain.node_data["tier"]) == {"amateur"}


def test_shares_are_upper_limits_and_ties_stay_below():
    graph = dif.with_creator_tiers(star(8, 8, 8, 3, 2), shares={"head": 2 / 13, "tail": 5 / 13})  # 5 creators, 8 users
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
    given = dif.with_creator_tiers(graph, prices={"head": (1.0, 2.0), "amateur": (0.0, 10.0)}).node_data
    assert given.loc[given["tier"] == "head", "price"].between(1, 2).all()
    assert given.loc[given["tier"] == "amateur", "price"].min() == 0
    assert given.loc[given["tier"] == "tail", "price"].equals(data.loc[data["tier"] == "tail", "price"])
    assert graph.node_data["price"].equals(data["price"])  # the graph itself does not change


def test_one_creator_alone_costs_the_middle():
    graph = dif.with_creator_tiers(star(50, 1), thresholds={"head": 40}, prices={"head": (100.0, 10_000.0)})
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
        dif.with_creator_tiers(star(3, 2), **options)
