"""Rewiring reaches the mixing that was asked for and keeps every degree; the kernels are those of the naive twin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from naive_graphs import Rewiring

import diffusion as dif
from diffusion.errors import InputError
from diffusion.graph.communities import Partition
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.graph.generate import empty_arc_set
from diffusion.graph.lattices import generate_two_communities
from diffusion.graph.rewire import _Slots, rewire_mixing
from diffusion.kernels.rewire import fill_table, shuffle, steer


def mixing_of(graph: FollowerGraph, community: Any = None) -> float:
    return Partition.from_labels(graph, community).mixing


def mutual_followers(graph: FollowerGraph) -> pd.Series[int]:
    arcs = graph.to_pandas()[["source", "target"]]
    both = arcs.merge(arcs, left_on=["source", "target"], right_on=["target", "source"])
    return both["source_x"].value_counts().reindex(graph.nodes, fill_value=0)


def same_degrees(one: FollowerGraph, two: FollowerGraph) -> bool:
    return one.out_degree.equals(two.out_degree) and one.in_degree.equals(two.in_degree)


def well_formed(graph: FollowerGraph) -> bool:
    """No loop, no parallel arc, and the graph that `from_arrays` makes of its own rows."""
    arcs = graph.to_pandas()
    again = FollowerGraph.from_arrays(
        arcs["source"], arcs["target"], nodes=graph.nodes, directed=True, edges_mean="influences"
    )
    return again.fingerprint == graph.fingerprint and again.n_edges == len(arcs) == graph.n_edges


@pytest.fixture(scope="module")
def platform() -> FollowerGraph:
    return dif.generate_platform(1500, communities=5, mixing=0.3, mean_followers=8, reciprocity=0.3, rng=1)


@pytest.mark.parametrize("keep_mutual", [True, False])
@pytest.mark.parametrize("mixing", [0.05, 0.2, 0.3, 0.5, 0.9])
def test_mixing_is_reached_and_every_degree_kept(platform: FollowerGraph, mixing: float, keep_mutual: bool):
    graph = rewire_mixing(platform, mixing, keep_mutual=keep_mutual, rng=2)
    assert abs(mixing_of(graph) - mixing) * graph.n_edges <= 2.5
    assert same_degrees(graph, platform)
    assert well_formed(graph)
    assert graph.node_data.equals(platform.node_data)
    if keep_mutual:
        assert mutual_followers(graph).equals(mutual_followers(platform))
    else:
        assert graph.reciprocity < 0.1 < platform.reciprocity


@pytest.mark.parametrize("mixing", [0.02, 0.2, 0.5, 0.95])
def test_undirected_graphs_stay_symmetric(mixing: float):
    before = generate_two_communities(600, 8, 0.2, rng=3)
    graph = rewire_mixing(before, mixing, rng=4)
    assert not graph.directed
    assert graph.reciprocity == 1
    assert abs(mixing_of(graph) - mixing) * graph.n_edges <= 2.5
    assert same_degrees(graph, before)
    assert well_formed(graph)
    assert graph.rows == before.rows


def test_two_communities_without_mutual_arcs_can_be_parted():
    """Every node follows two in its own and two in the other community: stubs allow a mixing of 0 and of 1."""
    n = 40
    source = [i for i in range(n) for _ in range(4)]
    target = [(i + d) % n for i in range(n) for d in (2, 4, 1, 3)]
    graph = FollowerGraph.from_arrays(source, target, directed=True, edges_mean="influences")
    parity = np.arange(n) % 2
    for mixing in (0.0, 1.0):
        made = rewire_mixing(graph, mixing, communities=parity, shuffle=0, rng=5)
        assert abs(mixing_of(made, parity) - mixing) * 160 <= 2
        assert same_degrees(made, graph)


def test_nothing_changes_without_need():
    graph = generate_two_communities(200, 6, 0.25, rng=1)
    assert rewire_mixing(graph, 0.25, shuffle=0, rng=1).fingerprint == graph.fingerprint
    assert rewire_mixing(graph, 0.25, rng=1).fingerprint != graph.fingerprint


def test_the_key_decides(platform: FollowerGraph):
    one, two, other = (rewire_mixing(platform, 0.4, shuffle=1, rng=key) for key in (1, 1, 2))
    assert one.fingerprint == two.fingerprint != other.fingerprint


def test_what_belonged_to_arcs_is_dropped_and_the_graph_given_does_not_change(platform: FollowerGraph):
    arcs = platform.to_pandas()
    graph = FollowerGraph.from_pandas(
        arcs.assign(weight=0.5, time=1), weight="weight", time="time", directed=True, edges_mean="influences"
    ).with_probabilities("weighted_cascade")
    graph = graph.with_node_data(community=platform.node_data["community"].loc[graph.nodes])
    before = graph.fingerprint
    made = rewire_mixing(graph, 0.4, rng=1)
    assert graph.fingerprint == before
    assert made.probabilities is None
    assert made.to_pandas().columns.tolist() == ["source", "target"]
    assert made.reciprocity == graph.reciprocity


def test_shuffling_is_a_fair_draw_of_small_graphs():
    """All six ways to join 0, 1, 2 one to one with 3, 4, 5 come up equally often, whatever the start."""
    graph = FollowerGraph.from_arrays([0, 1, 2], [3, 4, 5], directed=True, edges_mean="influences")
    seen: dict[tuple[int, ...], int] = {}
    runs = 600
    for key in range(runs):
        made = rewire_mixing(graph, 1.0, communities=[0, 0, 0, 1, 1, 1], shuffle=20, rng=key)
        pattern = tuple(made.to_pandas().sort_values("source")["target"])
        seen[pattern] = seen.get(pattern, 0) + 1
    assert len(seen) == 6
    share = 1 / 6
    for count in seen.values():
        assert abs(count - runs * share) < 4 * np.sqrt(runs * share * (1 - share))


# -- the kernels against the twin --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["directed", "keep", "undirected"])
def test_kernels_equal_the_twin(seed: int, kind: str):
    draw = np.random.default_rng(seed)
    n, c = 24, 3
    pairs = draw.integers(0, n, (70, 2))
    graph = FollowerGraph.from_arrays(
        pairs[:, 0], pairs[:, 1], nodes=range(n), directed=kind != "undirected",
        edges_mean="influences" if kind != "undirected" else None,
    )  # fmt: skip
    community = draw.integers(0, c, n).astype(np.int32)
    community[:c] = range(c)
    keep = kind != "directed"
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(graph.csr.indptr))
    target = graph.csr.indices.copy()
    m = source.size
    mate = graph.csr.back.copy() if keep else np.full(m, -1, np.int32)
    table = empty_arc_set(m)
    fill_table(source, target, n, table)
    slots = _Slots(source, target, mate, community, c, table, keep)
    twin = Rewiring(
        list(zip(source.tolist(), target.tolist(), strict=True)),
        community.tolist(),
        slots.arrays[6].tolist(),
        keep,
        keep,
    )
    assert twin.mate == mate.tolist()
    assert twin.start == slots.arrays[4][:-1].tolist()
    assert twin.across == slots.arrays[5].tolist()
    key, now, used = 1234 + seed, slots.crossing, 0
    for goal in (0, m, m // 2):
        now_naive, used_naive = twin.steer(key, used, 400, goal, 2, now)
        now, used, _ = steer(np.uint64(key), used, 400, goal, 2, now, 0, slots.arrays, keep)
        assert (now, used) == (now_naive, used_naive)
        assert now == sum(map(twin.is_across, range(m)))
        swaps_naive = twin.shuffle(key, used, 200)
        used, swaps = shuffle(np.uint64(key), used, 200, slots.arrays, keep)
        assert (used, swaps) == swaps_naive
        assert source.tolist() == twin.source
        assert mate.tolist() == twin.mate
        assert slots.arrays[5].tolist() == twin.across
        assert slots.arrays[6].tolist() == twin.order
        assert slots.arrays[7][slots.arrays[6]].tolist() == list(range(m))
        assert sorted(table[table >= 0].tolist()) == sorted(u * n + v for u, v in twin.arcs())


# -- mistakes ----------------------------------------------------------------------------------------------------------


def test_a_mixing_out_of_reach_names_the_bound():
    source = [0] * 5 + [1]  # community a sends 5 arcs and takes 1: four at least must leave it
    target = [2, 3, 4, 5, 6, 0]
    graph = FollowerGraph.from_arrays(source, target, directed=True, edges_mean="influences")
    community = ["a", "a", "b", "b", "b", "b", "b"]
    with pytest.raises(InputError, match=r"mixing=0.0 cannot be reached.*at least 0.833333"):
        rewire_mixing(graph, 0.0, communities=community, rng=1)
    with pytest.raises(InputError, match=r"at most 0 of the arcs"):
        rewire_mixing(graph, 0.9, communities=[0] * 7, rng=1)


def test_a_mixing_that_loops_rule_out_names_the_nearest_value():
    """Three pairs of nodes that all know each other: no swap is free of loops and repeats."""
    n = 6
    source = [i for i in range(n) for j in range(n) if i != j]
    target = [j for i in range(n) for j in range(n) if i != j]
    graph = FollowerGraph.from_arrays(source, target, directed=True, edges_mean="influences")
    with pytest.raises(InputError, match=r"mixing=0.3 cannot be reached.*beyond 0.8"):
        rewire_mixing(graph, 0.3, communities=[0, 0, 1, 1, 2, 2], rng=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mixing": 1.5}, "mixing=1.5"),
        ({"mixing": float("nan")}, "mixing=nan"),
        ({"mixing": "a"}, "mixing='a' is not a probability"),
        ({"shuffle": -1}, "shuffle=-1"),
        ({"keep_mutual": 2}, "keep_mutual=2"),
        ({"communities": None}, "no node attribute 'community'"),
        ({"communities": {0: "a"}}, "have no community"),
        ({"communities": [0, 1]}, "2 values for 3 nodes"),
        ({"rng": -1}, "rng=-1"),
    ],
)
def test_mistakes(options: dict[str, Any], message: str):
    graph = FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], directed=True, edges_mean="influences")
    given: dict[str, Any] = {"mixing": 0.5, "communities": [0, 1, 1], "rng": 1, **options}
    with pytest.raises(InputError, match=message):
        rewire_mixing(graph, **given)


def test_counted_parallel_arcs_and_empty_graphs_are_refused():
    twice = FollowerGraph.from_arrays([0, 0], [1, 1], directed=True, edges_mean="influences", parallel="keep")
    with pytest.raises(InputError, match="parallel='collapse'"):
        rewire_mixing(twice, 0.5, communities=[0, 1])
    empty = FollowerGraph.from_arrays([], [], nodes=[1, 2], directed=True, edges_mean="influences")
    with pytest.raises(InputError, match="no arcs"):
        rewire_mixing(empty, 0.5, communities=[0, 1])


def test_a_real_graph_keeps_its_degrees(data: Callable[[str], Path]):
    graph = dif.read_edges(data("email-Eu-core.txt.gz"), directed=True, edges_mean="influences")
    labels = pd.read_csv(data("email-Eu-core-department-labels.txt.gz"), sep=" ", header=None, index_col=0)[1]
    graph = graph.with_node_data(community=labels.loc[graph.nodes])
    now = mixing_of(graph)
    for mixing in (now - 0.05, now, now + 0.05):
        made = rewire_mixing(graph, mixing, rng=1)
        assert abs(mixing_of(made) - mixing) * graph.n_edges <= 2.5
        assert same_degrees(made, graph)
        assert made.reciprocity == graph.reciprocity
