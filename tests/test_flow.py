"""Flow between communities: counted again from the cascades one by one, and against closed forms."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.graph.communities import Partition
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.results.cascade import Cascade
from diffusion.results.intervals import mean_interval
from diffusion.simulation.flow import community_flow


def path(n: int, p: float = 1.0) -> FollowerGraph:
    graph = FollowerGraph.from_arrays(range(n - 1), range(1, n), directed=True, edges_mean="influences")
    return graph.with_probabilities("constant", p=p)


@dataclass
class Recorded:
    """Cascades that were given, as an ensemble."""

    graph: FollowerGraph
    cascades: list[Cascade]
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        return len(self.cascades)

    def replay(self, run: int) -> Cascade:
        return self.cascades[run]


def test_everything_is_what_counting_one_by_one_gives():
    graph = dif.generate_platform(400, communities=4, mixing=0.2, rng=1).with_probabilities("constant", p=0.06)
    community = graph.node_data["community"]
    runs = 40
    ens = dif.simulate(graph, graph.nodes[:5], runs=runs, rng=2)
    flow = community_flow(ens, runs=runs)
    flux: Counter[tuple[int, int]] = Counter()
    dominance, entropy, reach = [], [], np.zeros((runs, 4), int)
    entries = []
    for run in range(runs):
        cascade = ens.replay(run)
        nodes, step, parent = cascade.nodes.tolist(), cascade.step.tolist(), cascade.parent.tolist()
        entered: set[int] = set()
        for i, node in enumerate(nodes):
            own = community[node]
            reach[run, own] += 1
            if parent[i] >= 0:
                flux[community[nodes[parent[i]]], own] += 1
            if own not in entered:
                entered.add(own)
                carrier = nodes[parent[i]] if parent[i] >= 0 else None
                came_from = None if carrier is None else community[carrier]
                entries.append((run, own, step[i], node, carrier, came_from))
        shares = [count / len(nodes) for count in reach[run] if count]
        dominance.append(max(shares))
        entropy.append(-sum(share * math.log2(share) for share in shares))
    assert flow.runs == runs
    assert flow.reach.tolist() == reach.tolist()
    assert flow.reach.sum(axis=1).tolist() == ens.sizes.tolist()
    for a in range(4):
        for b in range(4):
            assert flow.flux.loc[a, b] == pytest.approx(flux[a, b] / runs)
    assert flow.dominance.value == pytest.approx(np.mean(dominance))
    assert flow.entropy.value == pytest.approx(np.mean(entropy))
    wanted = mean_interval(np.array(entropy), 0.95, (0, 2))
    assert (flow.entropy.low, flow.entropy.high) == (pytest.approx(wanted.low), pytest.approx(wanted.high))
    want = {(e[0], e[1]): e[2:] for e in entries}
    found = {
        (e.run, e.community): (e.step, e.node, *(None if pd.isna(x) else x for x in (e.carrier, e.came_from)))
        for e in flow.entries.itertuples()
    }
    assert found == want
    table = flow.to_pandas().set_index("community")
    assert table["size"].equals(community.value_counts().sort_index().rename("size"))
    for c in range(4):
        mine = [e for e in entries if e[1] == c]
        carriers = Counter(e[4] for e in mine if e[4] is not None)
        row = table.loc[c]
        assert row["reach"] == pytest.approx(reach[:, c].mean())
        assert row["entered"] == len(mine) / runs == (reach[:, c] > 0).mean()
        assert row["step"] == pytest.approx(np.mean([e[2] for e in mine]))
        assert row["seeded"] == sum(e[4] is None for e in mine) / runs
        if carriers:
            assert carriers[row["carrier"]] == max(carriers.values())
            assert row["carrier_share"] == max(carriers.values()) / sum(carriers.values())


def test_a_path_has_a_closed_form():
    """Nodes 0-3 | 4-7, arcs with probability p: b is entered with p^4, always at step 4 and by node 3."""
    p, runs = 0.8, 4000
    graph = path(8, p).with_node_data(community=["a"] * 4 + ["b"] * 4)
    flow = community_flow(dif.simulate(graph, [0], runs=runs, rng=3), runs=runs)
    table = flow.to_pandas().set_index("community")
    want = p**4
    assert abs(table.loc["b", "entered"] - want) < 4 * math.sqrt(want * (1 - want) / runs)
    assert table.loc["b", "entered_low"] < want < table.loc["b", "entered_high"]
    assert table.loc["b", ["step", "carrier", "carrier_share", "seeded"]].tolist() == [4, 3, 1, 0]
    assert table["carrier"].dtype == "Int64"
    assert table.loc["a", ["step", "entered", "seeded"]].tolist() == [0, 1, 1]
    assert table["carrier"].isna().tolist() == [True, False]
    reach = sum(p**i for i in range(4))
    se = flow.reach[:, 0].std(ddof=1) / math.sqrt(runs)
    assert abs(table.loc["a", "reach"] - reach) < 4 * se
    assert flow.flux.loc["b", "a"] == 0
    assert flow.flux.loc["a", "b"] == pytest.approx(table.loc["b", "entered"])
    # A cascade of k nodes: entropy of min(k, 4) in a, the rest in b.
    chance = [p ** (k - 1) * (1 - p) for k in range(1, 8)] + [p**7]
    shares = [min(k, 4) / k for k in range(1, 9)]
    entropy = sum(
        c * -sum(s * math.log2(s) for s in (share, 1 - share) if s) for c, share in zip(chance, shares, strict=True)
    )
    dominance = sum(c * max(share, 1 - share) for c, share in zip(chance, shares, strict=True))
    for estimate, exact in ((flow.entropy, entropy), (flow.dominance, dominance)):
        assert abs(estimate.value - exact) < 4 * (estimate.high - estimate.low) / (2 * 1.96)


def test_a_deterministic_model_is_exact():
    graph = path(6).with_node_data(community=[0, 0, 0, 1, 1, 1])
    ens = dif.simulate(graph, [0], model=dif.Threshold(count=1), runs=50)
    flow = community_flow(ens, runs=30)
    assert flow.runs == 30
    assert flow.entropy.low == flow.entropy.value == flow.entropy.high == 1
    assert len(flow.entries) == 60
    assert flow.flux.to_numpy().tolist() == [[2, 1], [0, 2]]
    table = flow.to_pandas()
    assert table["entered_low"].tolist() == table["entered_high"].tolist() == [1, 1]
    assert table["step"].tolist() == [0, 3]


def test_anything_with_replay_will_do():
    graph = path(4)
    two = [
        Cascade.from_parents([0, 1, 2], [None, 0, 1]),
        Cascade.from_parents([3, 0, 1], [None, None, 0], step=[0, 2, 5]),
        Cascade.from_parents([], []),
    ]
    flow = community_flow(Recorded(graph, two), communities={0: "x", 1: "x", 2: "y", 3: "y"})
    assert flow.reach.tolist() == [[2, 1], [2, 1], [0, 0]]
    assert flow.dominance.value == pytest.approx(2 / 3)  # the run that is empty has none
    assert flow.dominance.runs == 2
    assert flow.entries["step"].tolist() == [0, 2, 2, 0]
    assert flow.entries["carrier"].tolist() == [pd.NA, 1, pd.NA, pd.NA]
    assert flow.entries["came_from"].isna().tolist() == [True, False, True, True]
    assert flow.entries["came_from"][1] == "x"
    assert flow.to_pandas()["entered"].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert "3 runs over 2 communities" in repr(flow)


def test_cascades_need_not_come_in_order_of_step():
    graph = path(3)
    odd = Cascade(pd.Index([2, 0, 1]), np.array([7, 0, 3], np.int32), np.array([1, -1, 1], np.int32))
    flow = community_flow(Recorded(graph, [odd]), communities=[0, 1, 1])
    assert flow.entries[["community", "step", "node"]].to_numpy().tolist() == [[0, 0, 0], [1, 3, 1]]


def test_communities_that_nobody_enters_and_single_ones():
    graph = path(5, 0.0)
    flow = community_flow(dif.simulate(graph, [0], runs=20, rng=1), communities=[0, 1, 2, 3, 4])
    table = flow.to_pandas()
    assert table["entered"].tolist() == [1, 0, 0, 0, 0]
    assert table["step"].isna().tolist() == [False, True, True, True, True]
    unseen = 1 - 0.025 ** (1 / 20)  # the largest chance of a single node that 20 runs may hide
    assert table["reach_low"].tolist() == pytest.approx([1 - unseen, 0, 0, 0, 0])
    assert table["reach_high"].tolist() == pytest.approx([1, *[unseen] * 4])
    one = community_flow(dif.simulate(graph, [0], runs=20, rng=1), communities=[0] * 5)
    assert (one.dominance.value, one.entropy.value) == (1, 0)
    nobody = community_flow(dif.simulate(graph, [], runs=20, rng=1), communities=[0] * 5)
    assert nobody.reach.sum() == 0
    assert np.isnan(nobody.dominance.value)
    assert nobody.entries.empty
    assert len(nobody.to_pandas()) == 1


def test_runs_are_the_first_and_never_more_than_there_are():
    graph = path(6, 0.5).with_node_data(community=[0, 0, 1, 1, 2, 2])
    ens = dif.simulate(graph, [0], runs=30, rng=1)
    few, all_of_them = community_flow(ens, runs=10), community_flow(ens, runs=500)
    assert (few.runs, all_of_them.runs) == (10, 30)
    assert all_of_them.reach[:10].tolist() == few.reach.tolist()
    assert few.provenance["ensemble"]["key"] == ens.provenance["key"]
    wide, narrow = (community_flow(ens, confidence=c).entropy for c in (0.99, 0.8))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_partitions_of_text_labels():
    graph = FollowerGraph.from_arrays(["u", "v"], ["v", "w"], directed=True, edges_mean="influences")
    graph = graph.with_probabilities("constant", p=1.0)
    part = Partition.from_labels(graph, ["p", "q", "q"])
    flow = community_flow(dif.simulate(graph, ["u"], runs=3, rng=1), communities=part)
    assert flow.names.tolist() == [0, 1]  # the partition's own numbers: 0 is the largest
    assert flow.to_pandas()["size"].tolist() == [2, 1]
    assert flow.to_pandas()["carrier"][0] == "u"
    assert flow.to_pandas()["carrier"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"runs": 0}, InputError, "runs=0"),
        ({"runs": True}, InputError, "runs=True"),
        ({"confidence": 95}, InputError, "confidence=95"),
        ({"communities": None}, InputError, "no node attribute 'community'"),
        ({"communities": {0: 1}}, InputError, "have no community"),
        ({"communities": {9: 1}}, NotFoundError, "node 9"),
    ],
)
def test_mistakes(options: dict[str, Any], error: type[Exception], message: str):
    ens = dif.simulate(path(3), [0], runs=5, rng=1)
    with pytest.raises(error, match=message):
        community_flow(ens, **{"communities": [0, 1, 1], **options})


def test_too_many_communities_are_refused():
    n = 5001
    ens = dif.simulate(path(n, 0.0), [0], runs=2, rng=1)
    with pytest.raises(InputError, match="5,001 communities are more than 5,000"):
        community_flow(ens, communities=np.arange(n))
