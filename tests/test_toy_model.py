"""Models that the package does not know: defined here alone, they simulate, compare and are seeded with a certificate."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from strategies import random_graph

import diffusion as dif
from diffusion.models import DiffusionModel, LiveEdges, Program, Start, Trace
from diffusion.models.cascade import CascadeProgram
from diffusion.simulation import prepare


def squared(graph: dif.FollowerGraph) -> dif.FollowerGraph:
    rule = graph.probabilities
    return dataclasses.replace(graph, probabilities=dataclasses.replace(rule, values=rule.values**2))


@dataclass(frozen=True)
class Squared(DiffusionModel):
    """Independent cascade whose arcs fire with the square of their probability: the kernel of IC serves."""

    def compile(self, graph: dif.FollowerGraph) -> Program:
        return CascadeProgram(squared(graph), self, linear=False)

    def live_edges(self, graph: dif.FollowerGraph) -> LiveEdges:
        return LiveEdges(squared(graph))


@dataclass(frozen=True)
class Delayed(DiffusionModel):
    """Independent cascade whose arcs take 1 to `longest` steps: a program in plain Python, one run at a time."""

    longest: int = 3

    def compile(self, graph: dif.FollowerGraph) -> Program:
        return DelayedProgram(graph, self)

    def live_edges(self, graph: dif.FollowerGraph) -> LiveEdges:
        return LiveEdges(graph)


class DelayedProgram(Program):
    def replay(self, start: Start, run: int) -> Trace:
        csr = self.graph.csr
        draw = np.random.default_rng([int(start.key) % 2**63, run])
        live = draw.random(csr.indices.size) < self.graph.probabilities.values
        delay = draw.integers(1, self.model.longest + 1, csr.indices.size)
        arrival = {int(v): (0, -1) for v in start.seeds}
        waiting = sorted((0, v) for v in arrival)
        while waiting:
            now, u = waiting.pop(0)
            if arrival[u][0] < now:
                continue
            for j in range(csr.indptr[u], csr.indptr[u + 1]):
                v, at = int(csr.indices[j]), now + int(delay[j])
                if live[j] and at < arrival.get(v, (np.inf, -1))[0]:
                    arrival[v] = at, u
                    waiting.append((at, v))
            waiting.sort()
        nodes = sorted(arrival, key=lambda v: arrival[v][0])
        place = {v: i for i, v in enumerate(nodes)}
        steps = [arrival[v][0] for v in nodes]
        parents = [place.get(arrival[v][1], -1) for v in nodes]
        return Trace(np.array(nodes, np.int32), np.array(steps, np.int32), np.array(parents, np.int32))


@pytest.fixture(scope="module")
def graph() -> dif.FollowerGraph:
    return random_graph(120, 500, rng=3).with_probabilities("weighted_cascade")


def test_a_model_with_the_kernel_of_another_is_that_other_on_its_graph(graph):
    mine = dif.simulate(graph, [0, 5], model=Squared(), runs=600, rng=7)
    theirs = dif.simulate(squared(graph), [0, 5], model="ic", runs=600, rng=7)
    np.testing.assert_array_equal(mine.new_by_step, theirs.new_by_step)
    assert mine.replay(7).to_pandas().equals(theirs.replay(7).to_pandas())
    assert repr(mine).startswith("Ensemble: 600 runs of Squared from 2 seeds")
    assert dif.simulation.reproduction(graph, model=Squared(), rng=1).predicted == pytest.approx(
        dif.theory.reproduction_number(squared(graph)), rel=0.01
    )


def test_a_model_on_a_graph_of_its_own_keeps_its_name_and_pickles(graph):
    mine = dif.simulate(graph, [0, 5], model=Squared(), runs=100, rng=7)
    assert mine.provenance["graph"] == graph.fingerprint
    assert mine.mean().provenance["model"] == "Squared"
    again = pickle.loads(pickle.dumps(mine))
    assert [again.replay(run).size for run in range(100)] == mine.sizes.tolist()

    @dataclass(frozen=True)
    class Handed(DiffusionModel):
        """The same model, whose program is made by another one."""

        def compile(self, graph: dif.FollowerGraph) -> Program:
            return dif.IC().compile(squared(graph))

    handed = dif.simulate(graph, [0, 5], model=Handed(), runs=100, rng=7)
    np.testing.assert_array_equal(handed.new_by_step, mine.new_by_step)
    assert (handed.model, handed.provenance["model"]) == (Handed(), "Handed")


@pytest.mark.parametrize("method", ["degree_discount", "two_step_discount", "irie"])
def test_rankings_reckon_with_the_live_edges_of_a_model(graph, method):
    mine = dif.select_seeds(graph, 5, model=Squared(), method=method)
    theirs = dif.select_seeds(squared(graph), 5, model="ic", method=method)
    assert (mine.seeds, mine.scores.tolist()) == (theirs.seeds, theirs.scores.tolist())


def test_a_model_in_plain_python_has_all_that_others_have(graph):
    model = Delayed(longest=3)
    ensemble = dif.simulate(graph, [0, 5], model=model, runs=300, rng=7)
    assert ensemble.sizes.tolist() == [ensemble.replay(run).size for run in range(300)]
    assert ensemble.activation_probability.sum() == pytest.approx(ensemble.sizes.mean())
    shorter = dif.simulate(graph, [0, 5], model=model, runs=40, rng=7, threads=2).new_by_step
    np.testing.assert_array_equal(shorter, ensemble.new_by_step[:40, : shorter.shape[1]])
    cascade = dif.simulate_one(graph, [0, 5], model=model, rng=7)
    assert cascade.size == ensemble.sizes[0]
    assert dif.simulation.community_flow(ensemble, communities=np.arange(120) % 3, runs=20).reach.sum() > 0
    weighed = dif.simulate(graph, [0, 5], model=model, runs=40, node_weights=np.full(120, 2.0), rng=7)
    assert weighed.weights.tolist() == (2.0 * ensemble.sizes[:40]).tolist()
    assert model.label == "Delayed" or "longest" in Delayed(longest=5).label


def test_every_run_may_have_a_user_of_its_own(graph):
    users = (np.arange(90) * 7 % graph.n_nodes).astype(np.int32)
    runner = prepare(graph, Delayed(), [], 99)
    new = runner.run_each(users, threads=2).new[..., 0]
    for run, user in enumerate(users):
        alone = prepare(graph, Delayed(), graph.index.labels_of(users[run : run + 1]), 99).replay(run)
        assert alone.nodes[0] == user
        assert np.trim_zeros(new[run], "b").tolist() == np.trim_zeros(np.bincount(alone.steps), "b").tolist()


def test_live_edges_of_other_nodes_than_users_give_no_operator_on_users(graph):
    """The split graph of SIPS has nodes of its own: its R is not that of the model."""

    @dataclass(frozen=True)
    class Shared(DiffusionModel):
        sips = dif.SIPS(0.5, dif.models.Funnel(share=0.5))

        def compile(self, graph: dif.FollowerGraph) -> Program:
            return self.sips.compile(graph)

        def live_edges(self, graph: dif.FollowerGraph) -> LiveEdges | None:
            return self.sips.live_edges(graph)

    assert Shared().next_generation(graph) is None
    assert Shared().effective_probabilities(graph) is graph
    found = dif.simulation.reproduction(graph, model=Shared(), rng=1)
    assert (found.phase, found.cause) == ("not applicable", "no operator")
    assert "Shared gives no next-generation operator" in found.reason


def test_delays_change_the_time_and_not_the_size(graph):
    delayed = dif.spread(graph, [0, 5], model=Delayed(), runs=2000, rng=1)
    plain = dif.spread(graph, [0, 5], model="ic", runs=20_000, rng=2)
    assert abs(delayed.mean - plain.mean) < 4 * np.hypot(delayed.se, plain.se)
    late = dif.simulate(graph, [0, 5], model=Delayed(), runs=500, rng=1).depths.mean()
    assert late > 1.3 * dif.simulate(graph, [0, 5], model="ic", runs=500, rng=1).depths.mean()


@pytest.mark.parametrize("model", [Squared(), Delayed()], ids=lambda m: m.name)
def test_a_new_model_compares_and_is_seeded_with_a_certificate(graph, model):
    compared = dif.compare(graph, {"few": [0], "more": [0, 1, 2]}, model=model, runs=512, rng=7)
    assert compared.differences["verdict"].item() == "more larger"
    chosen = dif.select_seeds(graph, 4, model=model, rng=7)
    reach = dif.spread(graph, chosen.seeds, model=model, runs=1000, rng=8)
    assert chosen.lower <= reach.high
    assert reach.low <= chosen.upper
    table = dif.compare_strategies(graph, [4], strategies=["random", "degree", "opim"], model=model, runs=512, rng=7)
    assert table.table.set_index("strategy")["spread"].idxmax() in ("opim", "degree")
    assert model.submodular(graph)


def test_a_model_without_a_live_edge_view_has_no_certificate(graph):
    class Unknown(Delayed):
        def live_edges(self, graph: dif.FollowerGraph) -> None:
            return None

    with pytest.raises(dif.errors.InputError, match="no certificate is known for Unknown"):
        dif.select_seeds(graph, 4, model=Unknown(), rng=7)
    found = dif.select_seeds(graph, 2, model=Unknown(), method="degree", rng=7)
    assert len(found.seeds) == 2


def test_new_models_enter_a_study_and_its_report(tmp_path):
    models = [Squared(), Delayed(longest=2)]
    platform = {"users": 300, "communities": 3}
    study = dif.Study(
        platform, models=models, strategies=["random", "degree", "opim"], budgets=[4], max_runs=128, replicates=1
    )
    result = study.run(tmp_path / "s")
    table = result.to_pandas()
    assert set(table["model_kind"]) == {"Squared", "Delayed"}
    assert table.loc[table["model_kind"] == "Delayed", "longest"].tolist() == [2.0] * 3
    certified = table[table["strategy"] == "opim"]
    assert (certified["lower"] <= certified["reach_high"]).all()
    assert (certified["reach_low"] <= certified["upper"]).all()
    page = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert "Squared" in page
    assert "Delayed" in page
