"""One way to every strategy: objects and names, parameters where they belong, refusals, and strategies of one's own."""

from __future__ import annotations

from collections import Counter
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import numpy as np
import pytest
from naive_worlds import Worlds
from strategies import random_graph

import diffusion as dif
from diffusion.errors import DiffusionError, InputError, NotFoundError
from diffusion.models.base import DiffusionModel, LiveEdges
from diffusion.models.cascade import CascadeProgram
from diffusion.seeding import CELF, HIST, OPIM, DegreeDiscount, Random, SeedSelection, SelectionProblem, Strategy, Tier
from diffusion.seeding.registry import METHODS, STRATEGIES, strategy_of

GRAPH = random_graph(120, 700, rng=3).with_probabilities("weighted_cascade")
GRAPH = GRAPH.with_node_data(
    community=np.arange(120) % 4,
    price=np.arange(120) % 7 + 1.0,
    tier=np.array(["amateur", "tail", "waist", "head"] * 30),
)


@pytest.mark.parametrize("method", METHODS)
def test_a_name_is_the_object_with_its_defaults(method: str) -> None:
    strategy = strategy_of(method)
    assert strategy.name == strategy.label == method
    assert strategy.summary
    few = range(0, 120, 3) if "candidates" in strategy.supports else None
    by_name, by_object = (dif.select_seeds(GRAPH, 3, method=m, candidates=few, rng=1) for m in (method, strategy))
    assert by_name.seeds == by_object.seeds
    assert len(set(by_name.seeds)) == 3
    assert (by_name.certificate is not None) == strategy.certified == (by_name.upper == by_name.upper)
    with pytest.raises(FrozenInstanceError):
        strategy.name = "x"  # type: ignore[misc]


def test_classes_serve_where_their_parameters_have_defaults() -> None:
    assert strategy_of(CELF) == CELF(runs=512)
    with pytest.raises(InputError, match="Tier needs its parameters"):
        strategy_of(Tier)
    assert OPIM(eps=0.05).label == "opim eps=0.05"
    assert HIST(delta=0.01).label == "hist delta=0.01"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dif.select_seeds(GRAPH, 3, quality=0.6), r"quality= belongs to OPIM: method=dif.seeding.OPIM\(quality=0.6\)"),
        (lambda: dif.select_seeds(GRAPH, 3, method=OPIM(eps=0.1), quality=0.6), r"quality= belongs to OPIM: "),
        (lambda: dif.select_seeds(GRAPH, 3, method="celf", runs=64), r"runs= belongs to CELF: method=dif.seeding.CELF\(runs=64\)"),
        (lambda: dif.select_seeds(GRAPH, 3, method="celf", eps=0.1), r"eps= belongs to OPIM or HIST or IMM"),
        (lambda: dif.select_seeds(GRAPH, 3, p=0.1), r"p= belongs to DegreeDiscount"),
        (lambda: dif.select_seeds(GRAPH, 3, exising=[1]), r"exising= is no keyword here: it takes k=, budget=.* Did you mean 'existing'"),
        (lambda: dif.select_seeds(GRAPH, 3, qualty=0.6), r"qualty= is no keyword here.* Did you mean 'quality'"),
        (lambda: dif.compare_strategies(GRAPH, [3], eps=0.1), r"eps= belongs to OPIM"),
        (lambda: dif.compare_strategies(GRAPH, [3], strategy=["degree"]), r"strategy= is no keyword.* Did you mean 'strategies'"),
        (lambda: OPIM(qualty=0.6), r"qualty= is no parameter of OPIM: it takes eps=, .* Did you mean 'quality'"),
        (lambda: CELF(eps=0.1), r"eps= is no parameter of CELF: it takes runs="),
        (lambda: Random(p=0.1), r"p= is no parameter of Random: it takes none"),
        (lambda: HIST(hist=False), r"hist= is no parameter of HIST"),
        (lambda: dif.select_seeds(GRAPH, budget=5, method="celf"), r"'celf' takes numbers of seeds \(k=\), not money"),
        (lambda: dif.select_seeds(GRAPH, 3, method="degree", time_limit=1), r"time_limit= is not used by the method 'degree': use it with opim, hist, celf, greedy"),
        (lambda: dif.select_seeds(GRAPH, 3, method="degree", node_weights=np.ones(120)), "node_weights= is not used by the method 'degree'"),
        (lambda: dif.select_seeds(GRAPH, 3, method="imm", exclude=[1]), "exclude= is not used by the method 'imm'"),
        (lambda: dif.select_seeds(GRAPH, 3, method="hist", at_most=1), "at_most= and at_least= are not used by the method 'hist': use it with opim, random"),
        (lambda: dif.select_seeds(GRAPH, 3, method="celf", at_most=1), "at_most= and at_least= are not used by the method 'celf'"),
        (lambda: dif.select_seeds(GRAPH, 3, communities="community"), "says whose quotas"),
        (lambda: dif.select_seeds(GRAPH), "give k= .* or budget="),
        (lambda: dif.select_seeds(GRAPH, 3, budget=5), "one of the two"),
        (lambda: dif.select_seeds(GRAPH, 0, method="celf"), "k=0 is not a number of seeds"),
        (lambda: dif.select_seeds(GRAPH, 3, model=dif.Threshold(count=2)), "no certificate is known for Threshold"),
        (lambda: dif.select_seeds(GRAPH, 31, method="head"), "k=31 is more than the 30 candidates"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_one_error(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_unknown_methods_are_not_found() -> None:
    for method in ("opimm", ["opim"], 3):
        with pytest.raises(NotFoundError, match="is unknown: choose opim, hist"):
            dif.select_seeds(GRAPH, 3, method=method)  # type: ignore[arg-type]


def test_rankings_keep_quotas_and_stay_in_order() -> None:
    community = GRAPH.node_data["community"]
    order = dif.select_seeds(GRAPH, 120, method="degree").seeds
    most = dif.select_seeds(GRAPH, 8, method="degree", at_most=2)
    assert Counter(community[list(most.seeds)]) == dict.fromkeys(range(4), 2)
    held: Counter[int] = Counter()
    expected = []
    for user in order:
        if held[community[user]] < 2:
            held[community[user]] += 1
            expected.append(user)
    assert list(most.seeds) == expected
    least = dif.select_seeds(GRAPH, 5, method="random", at_least={3: 4}, rng=2)
    assert Counter(community[list(least.seeds)])[3] >= 4
    own = dif.select_seeds(GRAPH, 4, method="head", at_most=2, communities=np.arange(120) % 3, rng=1)
    assert max(Counter(np.array(GRAPH.index.positions(list(own.seeds))) % 3).values()) <= 2
    with pytest.raises(InputError, match="within the quotas, only 2"):
        dif.select_seeds(GRAPH, 5, method="head", at_most=2)  # heads are all of one community


def test_rankings_are_judged_beside_the_seeds_under_quotas() -> None:
    found = dif.select_seeds(GRAPH, 8, at_most=2, rng=1)
    assert set(found.compared) == {"greedy", "degree", "pagerank"}
    assert found.stopped == "converged"
    assert found.compared[found.chosen_by] == max(found.compared.values())
    check = dif.spread(GRAPH, found, runs=8192, rng=2)
    assert found.lower <= check.high
    assert check.low <= found.upper


def test_who_has_no_price_is_not_for_sale_whatever_the_method() -> None:
    price = np.arange(120) % 7 + 1.0
    price[::2] = [np.nan, np.inf] * 30
    for method in ("opim", "hist", "degree", "random"):
        found = dif.select_seeds(GRAPH, budget=20, prices=price, method=method, rng=1)
        assert np.isfinite(price[GRAPH.index.positions(list(found.seeds))]).all()
        assert found.cost == found.prices.sum() <= 20
        assert found.to_pandas()["price"].tolist() == found.prices.tolist()


def test_an_audience_is_what_comparisons_count() -> None:
    audience = {user: 1.0 for user in GRAPH.nodes[:20].tolist()}
    compared = dif.compare_strategies(
        GRAPH, [1, 4], strategies=["degree", "random", "opim"], node_weights=audience, runs=1024, rng=1
    )
    table = compared.table.set_index(["strategy", "budget"])
    assert table["spread"].max() <= 20
    assert table.loc[("opim", 4), "spread"] >= table.loc[("degree", 4), "spread"]
    assert table.loc[("opim", 4), "lower"] <= table.loc[("opim", 4), "high"]
    assert compared.provenance["draws"] == {"random": 16}
    seeds = compared.seeds["degree", 4]
    alone = dif.simulate(GRAPH, seeds, node_weights=audience, runs=1024, rng=9).weights
    assert table.loc[("degree", 4), "spread"] == pytest.approx(alone.mean(), abs=5 * alone.std() / 30)


def test_strategies_with_parameters_are_compared_under_names_of_their_own() -> None:
    fine, coarse = OPIM(max_rr_sets=50_000), OPIM(eps=0.3)
    compared = dif.compare_strategies(GRAPH, [3], strategies={"fine": fine, "coarse": coarse, "p": DegreeDiscount(p=0.01)}, runs=64, rng=1)  # fmt: skip
    assert compared.strategies == ("fine", "coarse", "p")
    labels = dif.compare_strategies(GRAPH, [3], strategies=[coarse, "degree"], runs=64, rng=1).strategies
    assert labels == ("opim eps=0.3", "degree")


@dataclass(frozen=True)
class Last(Strategy):
    """A strategy of one's own: the users of the fewest followers."""

    name = "last"
    supports = frozenset({"exclude"})

    def choose(self, problem: SelectionProblem) -> SeedSelection:
        users = np.flatnonzero(problem.allowed)
        users = users[np.argsort(problem.graph.csr.out_degree[users], kind="stable")][: problem.constraint.k]
        return SeedSelection(problem.labels(users), self.name, np.zeros(len(users)), 0.0, problem.key)


def test_a_strategy_of_ones_own_enters_everywhere() -> None:
    found = dif.select_seeds(GRAPH, 2, method=Last(), evaluate=True, rng=1)
    assert len(found) == 2
    assert found.spread is not None
    again = dif.select_seeds(GRAPH, 2, method=Last, exclude=found.seeds)
    assert not set(again.seeds) & set(found.seeds)
    compared = dif.compare_strategies(GRAPH, [2], strategies=["degree", Last()], runs=512, rng=1)
    assert compared.differences.set_index("strategy")["verdict"].to_dict() == {"degree": "best", "last": "smaller"}
    with pytest.raises(InputError, match="candidates= is not used by the method 'last'"):
        dif.select_seeds(GRAPH, 2, method=Last(), candidates=[1, 2])


@dataclass(frozen=True)
class Halved(DiffusionModel):
    """A model of one's own: an independent cascade whose arcs fire with half their probability."""

    def thinned(self, graph: dif.FollowerGraph) -> dif.FollowerGraph:
        values = np.broadcast_to(graph.probabilities.values, graph.n_edges) / 2  # type: ignore[union-attr]
        table = graph.to_pandas().assign(half=np.nan)
        internal = {arc: p for arc, p in zip(arcs(graph), values, strict=True)}
        half = [internal[arc] for arc in zip(table["source"], table["target"], strict=True)]
        return dif.FollowerGraph.from_arrays(
            table["source"], table["target"], weight=half, nodes=graph.nodes, directed=True, edges_mean="influences"
        ).with_probabilities("column")  # fmt: skip

    def compile(self, graph: dif.FollowerGraph) -> Any:
        return CascadeProgram(self.thinned(graph), self, linear=False)

    def live_edges(self, graph: dif.FollowerGraph) -> LiveEdges:
        return LiveEdges(self.thinned(graph))


def arcs(graph: dif.FollowerGraph) -> list[tuple[Any, Any]]:
    source = graph.index.labels_of(graph.csr.sources)
    return list(zip(source, graph.index.labels_of(graph.csr.indices), strict=True))


def test_a_model_of_ones_own_is_seeded_with_a_certificate_under_every_constraint() -> None:
    graph = random_graph(8, 12, rng=4).with_probabilities("constant", p=0.8)
    graph = graph.with_node_data(community=np.arange(8) % 2, price=np.arange(8) + 1.0)
    model = Halved()
    worlds = Worlds(model.thinned(graph), "ic")
    for options in ({"k": 2}, {"budget": 6.0}, {"k": 2, "at_most": 1}, {"k": 1, "existing": [3]}):
        found = dif.select_seeds(graph, model=model, method=OPIM(delta=1e-4), rng=1, **options)
        exact = worlds.activation([*options.get("existing", []), *found.seeds]).sum()
        assert found.lower <= exact + 1e-6
        assert exact <= found.upper + 1e-6
        assert found.certificate.spread == pytest.approx(exact, rel=0.05)
    best = max(worlds.activation([u, v]).sum() for u in range(8) for v in range(u))
    assert best <= dif.select_seeds(graph, 2, model=model, method=OPIM(delta=1e-4), rng=2).upper + 1e-6


def test_every_error_is_one_of_the_package() -> None:
    assert issubclass(InputError, DiffusionError)
    assert set(STRATEGIES) == set(METHODS)
