"""What a study file may say: every mistake is one error that names its key, and a design survives the round trip."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

import diffusion as dif
from diffusion.errors import DiffusionError, InputError, MissingDataError, ReadError
from diffusion.graph.follower_graph import FollowerGraph
from diffusion.study.design import EXAMPLE, Budget, Rule, on_edges, parse_study, read_study

EDGES = {"file": "x.txt", "edges_mean": "follows"}
WC = {"rule": "weighted_cascade"}


def edges(**more: object) -> dict[str, object]:
    return {"graph": {"edges": {**EDGES, **more}}}


def platform(**given: object) -> dict[str, object]:
    return {"graph": {"platform": given}}


def model(**given: object) -> dict[str, object]:
    return {"model": [given]}


def rule(**given: object) -> dict[str, object]:
    return model(kind="ic", probability=given)


# -- mistakes ----------------------------------------------------------------------------------------------------------

MISTAKES = [
    (model(kind="sips", sips={"fed": 1}), ["the key model[0].sips.fed is unknown", "feed"]),
    (model(kind="sips", sips={"eta": 2}), ["model[0].sips.eta = 2.0 is not a probability"]),
    (model(kind="sips", sips={"attention": [0.1, -1]}), ["model[0].sips: attention=-1.0 is not a probability"]),
    (model(kind="sips", sips={"note": "experiense"}), ["model[0].sips.note", "Did you mean 'experience'"]),
    (model(kind="sips", sips={"identify": "complicated"}), ["model[0].sips.identify = 'complicated'", "complex = 2"]),
    (model(kind="sips", sips={"identify": {"complex": 0}}), ["model[0].sips.identify: theta=0"]),
    (model(kind="sips", sips={"feed": []}), ["model[0].sips.feed is empty"]),
    (model(kind="sips", sips={"amplification": 3.0}), ["model[0].sips: the feed explodes on its own"]),
    (model(kind="sips", sips={"funnel": {"share": 0.1}, "eta": 0.1}), ["eta has no place beside it"]),
    (model(kind="sips", sips={"delay": {"meen": 3}}), ["model[0].sips.delay.meen is unknown", "'mean'"]),
    (model(kind="sips", sips={"delay": 3}), ["model[0].sips: delay = 3 is not a table"]),
    (model(kind="sips", sips={"cap": 0, "feed": 1.0}), ["model[0].sips: cap=0"]),
    (model(kind="sips", sips={"redraw": 1}), ["model[0].sips: redraw=1"]),
    (model(kind="sips", sips={"attention": "graph"}), ["model[0].probability is missing: sips needs one"]),
    (model(kind="sips", sips={"attention": "all"}), ["model[0].sips.attention = 'all'", "number"]),
    (model(kind="sips", sips=0.2), ["model[0].sips = 0.2 is not a table"]),
    (model(kind="ic", probability="column", sips={}), ["model[0].sips belongs to kind = 'sips'"]),
    ({"seeding": {"place": "everywhere"}}, ["seeding.place = 'everywhere' is unknown", "anywhere"]),
    ({"seeding": {"strategy": ["degree"], "placed": ["random"]}}, ["seeding.placed = 'random' is unknown"]),
    ({"seeding": {"place": []}}, ["seeding.place is empty"]),
    (edges(communities="leidn"), ["graph.edges.communities = 'leidn'", "Did you mean 'leiden'"]),
    (edges(communities={"file": "x", "rows": "lines"}), ["graph.edges.communities.rows = 'lines'"]),
    (edges(rewire_mixing="own"), ["graph.edges.rewire_mixing[0] = 'own' is no multiple"]),
    (edges(rewire_mixing=[1.5]), ["graph.edges.rewire_mixing[0] = 1.5 is out of range"]),
    (edges(rewire_mixing=[0.2, 0.2]), ["graph.edges.rewire_mixing names the same thing twice"]),
    # unknown keys: the path, and the nearest known one
    ({"seeds": 3}, ["the key seeds is unknown", "Did you mean 'seed'"]),
    ({"seeding": {"strategies": ["degree"]}}, ["seeding.strategies is unknown", "'strategy'"]),
    ({"precision": {"rel_eror": 0.1}}, ["precision.rel_eror is unknown", "'rel_error'"]),
    ({"graph": {"plattform": {}}}, ["graph.plattform is unknown", "'platform'"]),
    (platform(user=10), ["graph.platform.user is unknown", "'users'"]),
    (edges(directd=True), ["graph.edges.directd is unknown", "'directed'"]),
    (model(kinds="ic"), ["model[0].kinds is unknown", "'kind'"]),
    (rule(rule="constant", p=0.1, q=1), ["model[0].probability[0].q is unknown"]),
    (rule(rule="weighted_cascade", p=0.1), ["model[0].probability[0].p is unknown"]),
    (model(kind="threshold", threshold={"fractoin": 0.1}), ["model[0].threshold.fractoin is unknown", "'fraction'"]),
    (model(kind="threshold", threshold=[{"fractoin": 0.1}]), ["model[0].threshold[0].fractoin", "'fraction'"]),
    ({"seeding": {"budget": [{"k": 1}, {"mony": 1}]}}, ["seeding.budget[1].mony is unknown", "'money'"]),
    # unknown names
    ({"seeding": {"strategy": ["degree", "degre"]}}, ["seeding.strategy = 'degre' is unknown", "'degree'"]),
    ({"seeding": {"strategy": [["degree"]]}}, ["seeding.strategy", "is unknown"]),
    (model(kind="threshhold"), ["model[0].kind = 'threshhold' is unknown", "'threshold'"]),
    (model(kind={"a": 1}), ["model[0].kind", "is unknown"]),
    (rule(rule="wieghted_cascade"), ["model[0].probability[0].rule = 'wieghted_cascade'", "'weighted_cascade'"]),
    (edges(parallel="keeep"), ["graph.edges.parallel = 'keeep'", "'keep'"]),
    (edges(combine="summ"), ["graph.edges.combine = 'summ'", "'sum'"]),
    (edges(edges_mean="folows"), ["graph.edges.edges_mean = 'folows'", "'follows'"]),
    (edges(edges_mean="folows", directed=False), ["graph.edges.edges_mean = 'folows'"]),
    # wrong types
    ({"title": 3}, ["title = 3", "text in quotes"]),
    ({"seed": 7.5}, ["seed = 7.5", "a whole number"]),
    ({"seed": True}, ["seed = True", "a whole number"]),
    ({"out": ["a"]}, ["out = ['a']", "text"]),
    ({"graph": "edges.txt"}, ["graph = 'edges.txt' is not a table"]),
    ({"graph": {"platform": 20_000}}, ["platform = 20000 is not a table"]),
    ({"seeding": ["degree"]}, ["seeding = ['degree'] is not a table"]),
    ({"precision": 0.1}, ["precision = 0.1 is not a table"]),
    ({"model": ["ic"]}, ["model[0] = 'ic' is not a table"]),
    (platform(users="many"), ["graph.platform.users = 'many'", "a whole number"]),
    (platform(users=1e3), ["graph.platform.users = 1000.0", "a whole number"]),
    (platform(mixing=[0.1, "a"]), ["graph.platform.mixing = 'a'", "a number"]),
    (edges(file=3), ["graph.edges.file = 3", "text"]),
    (edges(directed="yes"), ["graph.edges.directed = 'yes'", "true or false"]),
    (edges(weight=True), ["graph.edges.weight = True", "name of a column"]),
    (edges(weight=1.5), ["graph.edges.weight = 1.5"]),
    ({"graph": {"dataset": 3}}, ["graph.dataset = 3", "text"]),
    (model(kind="ic", probability=[0.1]), ["model[0].probability[0] = 0.1", "a table"]),
    (rule(p=0.1), ["model[0].probability[0].rule is missing"]),
    (rule(rule="constant"), ["model[0].probability[0].p is missing"]),
    (rule(rule="constant", p="a"), ["model[0].probability[0].p = 'a'", "a number"]),
    (rule(rule="trivalency", values=[0.1, "a"]), ["model[0].probability[0].values[1] = 'a'", "a number"]),
    (rule(rule="trivalency", values=[]), ["model[0].probability[0].values is empty"]),
    (model(kind="lt", probability={"rule": "lt", "normalize": 1}), ["probability[0].normalize = 1", "true or false"]),
    (model(kind="threshold", threshold=[0.2]), ["model[0].threshold[0] = 0.2"]),
    (model(kind="threshold", threshold={"fraction": True}), ["model[0].threshold:", "fraction=True"]),
    ({"seeding": {"budget": ["ten"]}}, ["seeding.budget[0] = 'ten'", "{ k = 10 }"]),
    ({"seeding": {"budget": [{"k": 2.5}]}}, ["seeding.budget[0].k = 2.5", "a whole number"]),
    ({"precision": {"max_runs": 1e3}}, ["precision.max_runs = 1000.0", "a whole number"]),
    # replicates, sweeps, maps, critical values, sensitivity, posteriors
    ({"replicates": 0}, ["replicates = 0 is out of range"]),
    ({"replicates": 2.5}, ["replicates = 2.5", "a whole number"]),
    ({"graph": {"dataset": "higgs-retweet"}, "replicates": 4}, ["replicates = 4", "one graph", "rewire_mixing"]),
    ({**edges(), "replicates": 4}, ["replicates = 4", "one graph", "rewire_mixing"]),
    ({"sweep": {"factor": "mixng", "levels": [0.1]}}, ["sweep[0].factor = 'mixng'", "'mixing'"]),
    ({"sweep": {"factor": "mixing"}}, ["sweep[0].levels is missing"]),
    ({"sweep": {"factor": "mixing", "levels": [0.1, 0.1]}}, ["sweep[0].levels names the same level twice"]),
    ({"sweep": {"factor": "mixing", "levels": [0.1, 1.2]}}, ["sweep[0].levels: mixing=1.2 is out of range"]),
    ({"sweep": {"factor": "users", "levels": [10.5]}}, ["sweep[0].levels: users = 10.5", "a whole number"]),
    ({"sweep": {"factor": "eta", "levels": [0.1, 2]}}, ["sweep[0].levels.eta = 2.0 is not a probability"]),
    ({"sweep": {"factor": "identify", "levels": [{"complex": 0}]}}, ["sweep[0].levels.identify: theta=0"]),
    ({"sweep": {"factor": "budget", "levels": [{"mony": 1}]}}, ["sweep[0].levels.mony is unknown", "'money'"]),
    ({"sweep": {"factor": "feed", "levels": [1], "model": "ic"}}, ["sweep[0].model = 'ic' is unknown"]),
    ({"sweep": {"factor": "feed", "levels": [1], "replicates": 0}}, ["sweep[0].replicates = 0 is out of range"]),
    ({"sweep": [{"factor": "feed", "levels": [1]}, 3]}, ["sweep[1] = 3 is not a table"]),
    (
        {**rule(rule="constant", p=0.1), "sweep": {"factor": "feed", "levels": [1]}},
        ["sweep[0].factor = 'feed' is unknown: choose budget, users"],
    ),
    ({"map": {"x": {"factor": "eta", "levels": [0.1]}}}, ["map[0].y is missing"]),
    (
        {"map": {axis: {"factor": "eta", "levels": [0.1]} for axis in "xyz"}},
        ["map[0].z: a map has two factors"],
    ),
    ({"map": {axis: {"factor": "eta", "levels": [0.1]} for axis in "xy"}}, ["map[0]: x and y are both 'eta'"]),
    ({"base": {"place": "nowhere"}}, ["base.place = 'nowhere' is unknown"]),
    ({"base": {"model": "ic"}}, ["base.model = 'ic' is unknown"]),
    ({"critical": {"eta": 0}}, ["critical.eta = 0.0 is out of range"]),
    ({"critical": {"etta": 1}}, ["critical = 'etta' is unknown", "'eta'"]),
    ({"sensitivity": {"samples": 8}}, ["sensitivity.ranges is missing"]),
    ({"sensitivity": {"samples": 12, "ranges": {"eta": [0, 1]}}}, ["sensitivity.samples = 12", "a power of two"]),
    ({"sensitivity": {"ranges": {"eta": [1, 0.5]}}}, ["sensitivity.ranges.eta = [1, 0.5]", "low below high"]),
    ({"sensitivity": {"ranges": {"eta": [0.5, 3]}}}, ["sensitivity.ranges", "is not a probability"]),
    ({"sensitivity": {"ranges": {"etta": [0, 1]}}}, ["sensitivity.ranges = 'etta' is unknown", "'eta'"]),
    ({"sensitivity": {"ranges": {"feed": "survey"}}}, ["sensitivity.ranges.feed", "the survey says nothing"]),
    ({**edges(), "sensitivity": {"users": 9, "ranges": {"eta": [0, 1]}}}, ["sensitivity.users", "generated platform"]),
    ({"predictive": {"draws": 1}}, ["predictive.draws = 1 is out of range"]),
    ({**rule(rule="constant", p=0.1), "predictive": {"draws": 8}}, ["predictive", "leaves uncertain"]),
    # out of range
    ({"seed": -1}, ["seed = -1 is out of range"]),
    ({"seed": 2**64}, ["is out of range"]),
    ({"seeding": {"budget": [{"k": -1}]}}, ["seeding.budget[0].k = -1 is out of range"]),
    ({"seeding": {"budget": [{"k": 1}, {"money": -5}]}}, ["seeding.budget[1].money = -5.0 is out of range"]),
    ({"seeding": {"budget": [{"money": float("nan")}]}}, ["money = nan is out of range"]),
    ({"seeding": {"budget": [{"k": 10**400}]}}, ["is out of range"]),
    ({"seeding": {"budget": [{"money": 10**400}]}}, ["is out of range"]),
    ({"precision": {"rel_error": 0}}, ["precision.rel_error = 0.0 is out of range"]),
    ({"precision": {"rel_error": float("nan")}}, ["precision.rel_error = nan is out of range"]),
    ({"precision": {"confidence": 1}}, ["precision.confidence = 1.0 is out of range"]),
    ({"precision": {"max_runs": 1}}, ["precision.max_runs = 1 is out of range"]),
    (rule(rule="constant", p=1.5), ["model[0].probability[0].p = 1.5 is not a probability"]),
    (rule(rule="constant", p=float("nan")), ["p = nan is not a probability"]),
    (rule(rule="trivalency", values=[0.1, 2]), ["model[0].probability[0].values[1] = 2.0 is not a probability"]),
    (model(kind="threshold", threshold={"fraction": 1.5}), ["model[0].threshold:", "fraction=1.5"]),
    (model(kind="threshold", threshold={"count": 0}), ["model[0].threshold:", "count=0"]),
    (model(kind="threshold", threshold={"count": 2, "noise": 2}), ["model[0].threshold:", "noise=2"]),
    (platform(mixing=[0.1, 1.5]), ["graph.platform", "mixing=1.5 is out of range"]),
    (platform(users=0), ["graph.platform", "users=0 is out of range"]),
    (platform(tail=2.0), ["graph.platform", "tail=2.0 is out of range"]),
    (platform(communities=1, mixing=0.2), ["graph.platform", "mixing=0.2 needs at least two communities"]),
    # impossible or empty combinations
    ({"graph": {"dataset": "x", "edges": EDGES}}, ["exactly one of platform, edges and dataset"]),
    ({"graph": {"edges": {"file": "x.txt"}}}, ["graph.edges.edges_mean is missing", "'follows'", "'influences'"]),
    ({"graph": {"edges": {"edges_mean": "follows"}}}, ["graph.edges.file is missing"]),
    (model(kind="lt", probability={"rule": "constant", "p": 0.1}), ["model[0]", "'lt' cannot be combined"]),
    (model(kind=["ic", "lt"], probability={"rule": "trivalency"}), ["model[0]", "'lt' cannot be combined"]),
    (model(kind="ic"), ["model[0].probability is missing"]),
    (model(kind="threshold"), ["model[0].threshold is missing"]),
    (model(kind="threshold", threshold={"fraction": 0.1, "count": 2}), ["model[0].threshold:", "either"]),
    (model(kind="ic", probability=WC, threshold={"count": 2}), ["model[0].threshold belongs to"]),
    (model(kind="threshold", probability=WC, threshold={"count": 2}), ["model[0].probability belongs to"]),
    (model(kind=[], probability=WC), ["model[0].kind is empty"]),
    ({"model": []}, ["model is empty"]),
    ({"seeding": {"strategy": []}}, ["seeding.strategy is empty"]),
    ({"seeding": {"budget": []}}, ["seeding.budget is empty"]),
    (platform(mixing=[]), ["graph.platform.mixing is empty"]),
    (platform(mixing=[0.1, 0.1]), ["graph.platform.mixing names the same thing twice"]),
    ({"seeding": {"strategy": ["degree", "degree"]}}, ["seeding.strategy names the same thing twice"]),
    ({"seeding": {"budget": [{"k": 5}, 5]}}, ["seeding.budget names the same thing twice"]),
    ({"model": [{"kind": "ic", "probability": WC}] * 2}, ["model names the same thing twice"]),
    ({"seeding": {"budget": [{"k": 5, "money": 5}]}}, ["seeding.budget[0]"]),
]


@pytest.mark.parametrize(("document", "parts"), MISTAKES, ids=[str(i) for i in range(len(MISTAKES))])
def test_a_mistake_is_one_error_with_its_key(document: dict[str, object], parts: list[str], tmp_path: Path):
    with pytest.raises(InputError) as error:
        parse_study(document)
    for part in parts:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_study_file_with_a_mistake_is_named(tmp_path: Path):
    file = tmp_path / "s.toml"
    file.write_text("sed = 3\n")
    with pytest.raises(InputError, match=r"s\.toml.*key sed.*'seed'"):
        read_study(file)
    file.write_text("title = \n")
    with pytest.raises(ReadError, match=r"s\.toml.*not a TOML file.*line 1"):
        read_study(file)
    file.write_bytes(b"title = '\xff'\n")
    with pytest.raises(ReadError, match=r"s\.toml.*not a TOML file"):
        read_study(file)
    for absent in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(MissingDataError, match="--example"):
            read_study(absent)


# -- what is right -----------------------------------------------------------------------------------------------------


def test_the_example_is_the_default_and_round_trips(tmp_path: Path):
    design = parse_study(tomllib.loads(EXAMPLE))
    defaults = parse_study({})
    assert defaults == design
    assert dif.Study().design == design
    assert dif.Study({"users": 500}, mixing=0.1).design.precision == design.precision
    assert [spec.name for spec in design.models] == ["observed", "stated", "stated, with feed", "complex"]
    assert {spec.model.name for spec in design.models} == {"SIPS"}
    assert design.places == ("anywhere", "one community", "spread")
    assert len(list(design.crossed())) == 4 * (6 + 1 * 3)
    assert design.replicates >= 8
    assert max(len(part.axes[0].levels) for part in design.parts if part.axes[0].factor == "mixing") >= 7
    assert max(len(part.axes[0].levels) for part in design.parts if part.axes[0].factor == "budget") >= 6
    assert parse_study(tomllib.loads(design.to_toml())) == design
    file = tmp_path / "study.toml"
    file.write_text(EXAMPLE)
    assert read_study(file) == design


def test_eta_takes_its_share_of_taking_part_and_of_sharing():
    """What people say they would do, times eta: in both of the steps that a survey asked about, and in no other."""
    for eta in (0.25, 1.0):
        (spec,) = parse_study({"model": {"kind": "sips", "sips": {"eta": eta, "identify_rate": 0.7}}}).models
        assert spec.model.funnel.values == pytest.approx((91 / 142, 0.7, eta * 112 / 142, eta * 93 / 142))
        assert spec.columns()["rho"] == pytest.approx(91 / 142 * 0.7 * eta**2 * 112 * 93 / 142**2)


@pytest.mark.parametrize(
    "document",
    [
        platform(users=500, mixing=[0.1, 0.3], communities=3),
        edges(parallel="keep", weight=2, combine="sum"),
        edges(directed=False, weight="w"),
        edges(communities="leiden", rewire_mixing=["1x", "0.5x", 0.1]),
        edges(communities={"file": "c.txt", "rows": "communities"}, header_counts=True),
        {"graph": {"dataset": "higgs-retweet"}},
        {"model": {"kind": "sips"}},
        {
            "model": {
                "kind": ["sips", "ic"],
                "sips": {"feed": [0, 2.5], "eta": [0.1, 1]},
                "probability": "weighted_cascade",
            }
        },
        {
            "model": {
                "kind": "sips",
                "sips": {"funnel": {"share": 0.2}, "identify": {"complex": 3}, "amplification": 0.05},
            }
        },
        {"model": {"kind": "sips", "sips": {"attention": ["graph", 0.2]}, "probability": "weighted_cascade"}},
        {"model": {"kind": "sips", "sips": {"redraw": True, "delay": {"kind": "gamma", "mean": 12.0, "shape": 2.0}}}},
        {"model": {"kind": "sips", "sips": {"feed": 2.0, "cap": 9, "weights": {"share": 3.0}}}},
        {"model": {"kind": "threshold", "threshold": {"count": [2, 3], "noise": [0.0, 0.1]}}},
        {"seeding": {"place": ["spread", "one community"], "strategy": ["degree", "random"], "placed": ["degree"]}},
        {"seeding": {"budget": [{"k": 0}, 3, {"money": 99.5}, {"money": 1e6}], "strategy": "head"}},
        {"model": {"kind": "threshold", "threshold": [{"fraction": 0.18}, {"count": 2, "noise": 0.01}]}},
        {"model": {"kind": ["ic"], "probability": ["weighted_cascade", {"rule": "trivalency", "values": [0.1, 0.2]}]}},
        {"model": {"kind": ["ic", "lt"], "probability": ["column", {"rule": "lt", "normalize": True}]}},
        {"seed": 2**64 - 1, "title": 'a "quoted" Ünïcode \\ title', "precision": {"rel_error": 0.5, "max_runs": 2}},
    ],
)
def test_designs_round_trip(document: dict[str, object]):
    design = parse_study(document)
    assert parse_study(tomllib.loads(design.to_toml())) == design


@pytest.mark.parametrize("levels", [[], ["0.5x", "1x"]])
def test_the_default_study_on_an_edge_list_round_trips(levels: list[str]):
    whole = {**edges(communities="leiden")["graph"]["edges"], **({"rewire_mixing": levels} if levels else {})}
    design = parse_study(on_edges(whole))
    assert parse_study(tomllib.loads(design.to_toml())) == design
    assert {part.axes[0].factor for part in design.parts} >= ({"mixing", "budget"} if levels else {"budget", "feed"})


def test_lists_are_crossed():
    design = parse_study(
        {
            **platform(mixing=[0.1, 0.2]),
            "model": [
                {"kind": ["ic", "lt"], "probability": ["weighted_cascade", "column"]},
                {"kind": "threshold", "threshold": {"count": 2}},
            ],
            "seeding": {"strategy": ["degree", "random"], "budget": [1, 2, 3]},
        }
    )
    assert [(spec.model.name, spec.rule_label) for spec in design.models] == [
        ("IC", "weighted cascade"),
        ("IC", "column"),
        ("LT", "weighted cascade"),
        ("LT", "column"),
        ("Threshold", ""),
    ]
    assert design.n_cells == 2 * 5 * 2 * 3 * design.replicates
    assert [spec.label for spec in design.graphs] == ["platform, mixing 0.1", "platform, mixing 0.2"]


def test_labels_tell_values_apart():
    assert [Budget("money", m).label for m in (100_000, 10.25, 10.5)] == ["100,000 RMB", "10.25 RMB", "10.50 RMB"]
    assert Budget("k", 10.0).label == "k=10"
    near = [Rule("constant", (("p", p),)).label for p in (0.02, 0.1234567, 0.1234568)]
    assert near == ["constant p=0.02", "constant p=0.1234567", "constant p=0.1234568"]


def test_a_relative_edge_file_is_found_beside_the_study_file(tmp_path: Path):
    (tmp_path / "edges.txt").write_text("0 1\n")
    file = tmp_path / "study.toml"
    file.write_text('[graph]\nedges = { file = "edges.txt", edges_mean = "follows" }\n')
    assert Path(read_study(file).graphs[0].parameters["file"]) == tmp_path / "edges.txt"


# -- the same in Python ------------------------------------------------------------------------------------------------


def test_python_and_toml_say_the_same(tmp_path: Path):
    file = tmp_path / "s.toml"
    file.write_text(
        """
title = "T"
seed = 3
[graph]
platform = { users = 500, communities = 4, mixing = [0.1, 0.2] }
[[model]]
kind = "ic"
probability = ["weighted_cascade", { rule = "constant", p = 0.1 }]
[[model]]
kind = "threshold"
threshold = { fraction = 0.2 }
[seeding]
strategy = ["degree", "head"]
budget = [{ k = 5 }, { money = 1000 }]
[precision]
rel_error = 0.1
confidence = 0.9
max_runs = 600
"""
    )
    study = dif.Study(
        graph={"users": 500, "communities": 4},
        mixing=[0.1, 0.2],
        models=["ic", dif.Threshold(fraction=0.2)],
        probabilities=["weighted_cascade", {"rule": "constant", "p": 0.1}],
        strategies=["degree", "head"],
        budgets=[5, {"money": 1000}],
        rel_error=0.1,
        confidence=0.9,
        max_runs=600,
        title="T",
        seed=3,
    )
    assert study.design == dif.Study.from_toml(file).design
    again = tmp_path / "again.toml"
    again.write_text(study.to_toml())
    assert dif.Study.from_toml(again).design == study.design
    assert "2 graphs x 3 models x 2 strategies x 2 budgets" in repr(study)


def test_python_takes_single_values_arrays_and_numpy_numbers():
    one = dif.Study(
        {"users": 500}, mixing=0.1, models=dif.IC, probabilities="weighted_cascade", strategies="degree", budgets=5
    )
    many = dif.Study(
        {"users": 500},
        mixing=np.array([0.1]),
        models=[dif.IC()],
        probabilities=["weighted_cascade"],
        strategies=("degree",),
        budgets=np.array([5]),
        seed=np.int64(7),  # type: ignore[arg-type]
    )
    assert one.design == many.design
    assert one.design.n_cells == one.design.replicates


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"graph": Path("edges.txt")}, "graph is a PosixPath"),
        ({"graph": [(0, 1)]}, "graph is a list"),
        ({"graph": "platform-20k", "mixing": [0.1]}, "mixing= varies a generated platform"),
        (
            {"graph": FollowerGraph.from_arrays([0], [1], directed=False), "mixing": [0.1]},
            "mixing= varies a generated platform",
        ),
        ({"graph": {"usres": 500}}, r"graph\.platform\.usres is unknown.*'users'"),
        ({"models": ["icc"]}, "'icc' is unknown.*'ic'"),
        ({"models": ["threshold"]}, "needs its parameters"),
        ({"models": ["lt"], "probabilities": [{"rule": "constant", "p": 0.1}]}, "'lt' cannot be combined"),
        ({"strategies": ["degre"]}, "'degre' is unknown.*'degree'"),
        ({"budgets": [-1]}, r"seeding\.budget\[0\]\.k = -1"),
        ({"rel_error": -0.1}, "rel_error"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_python_mistakes(arguments: dict[str, object], message: str):
    with pytest.raises(DiffusionError, match=message):
        dif.Study(**arguments)  # type: ignore[arg-type]
