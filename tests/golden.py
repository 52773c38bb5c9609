"""Calls whose numbers must never change unnoticed: `python tests/golden.py` writes their hashes to golden.json.

The hashes were made once and stand; names in this file follow the package, numbers do not.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import diffusion as dif
from diffusion._random import key_of
from diffusion.graph.creators import with_creator_tiers
from diffusion.seeding import OPIM, SelectionProblem, choose, strategy_of
from diffusion.seeding.fairness import maximin_seeds
from diffusion.seeding.rr_sets import sample_rr_sets
from diffusion.simulation.runner import prepare
from diffusion.study.study import Study

FILE = Path(__file__).with_suffix(".json")
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
Case = tuple[str, Callable[[], Any]]


def digest(value: Any) -> str:
    """Hash of numbers and labels, whatever holds them; decimals by nine digits."""
    return hashlib.blake2b(json.dumps(_plain(value)).encode(), digest_size=8).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return [[str(c), _plain(_column(value[c]))] for c in value]
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return f"{value:.9g}"
    return value if isinstance(value, int | str | type(None)) else str(value)


def _column(values: pd.Series) -> Any:
    """Numbers of a column; whole numbers of which some are missing are decimals, whichever pandas it is."""
    if isinstance(values.dtype, pd.Int64Dtype) and values.isna().any():
        return values.to_numpy(float, na_value=np.nan)
    return values.to_numpy()


@cache
def platform() -> dif.FollowerGraph:
    graph = with_creator_tiers(dif.generate_platform(2_000, mean_followers=12, rng=3))
    return graph.with_probabilities("weighted_cascade")


@cache
def nethept() -> dif.FollowerGraph:
    graph = dif.read_edges(DATA / "nethept.txt.gz", directed=False, parallel="collapse")
    return graph.with_probabilities("weighted_cascade")


def sips_models() -> dict[str, Any]:
    funnel = dif.models.Funnel(0.8, 0.7, 0.6, 0.5)
    feed = dif.models.Feed(impressions=2.0, amplification=0.05, own_community=0.4)
    return {
        "plain": dif.SIPS(0.3, funnel),
        "attention of the graph": dif.SIPS(None, funnel),
        "feed": dif.SIPS(0.2, funnel, feed),
        "feed without amplification": dif.SIPS(0.2, funnel, dif.models.Feed(impressions=2.0, own_community=0.5)),
        "feed with a cap": dif.SIPS(0.2, funnel, dif.models.Feed(impressions=3.0, amplification=0.4, cap=8)),
        "complex": dif.SIPS(0.6, funnel, feed, dif.models.Complex(2)),
        "redraw": dif.SIPS(0.2, funnel, feed, redraw=True),
        "delay": dif.SIPS(0.2, funnel, feed, delay=dif.models.Delay("gamma", mean=24.0, shape=2.0, bin=12.0)),
        "fixed delay": dif.SIPS(0.2, funnel, feed, delay=dif.models.Delay("fixed", mean=10.0)),
    }  # fmt: skip


def models() -> dict[str, Any]:
    plain = {
        "ic": dif.IC(),
        "lt": dif.LT(),
        "threshold": dif.Threshold(fraction=0.2),
        "threshold with noise": dif.Threshold(count=2, noise=0.02),
    }
    return plain | {f"sips {name}": model for name, model in sips_models().items()}


def _ends(found: Any) -> list[float]:
    return [found.mean, found.low, found.high, found.se, found.stopped_by]


def _simulated(graph: dif.FollowerGraph, model: Any, seeds: list[Any]) -> Iterator[Case]:
    @cache
    def ensemble() -> Any:
        return dif.simulate(graph, seeds, model=model, runs=1100, rng=11)

    yield "sizes", lambda: ensemble().sizes
    yield "steps", lambda: ensemble().new_by_step
    yield "activation", lambda: ensemble().activation_probability
    for run in (0, 70, 1099):
        yield f"replay {run}", lambda run=run: ensemble().replay(run).to_pandas()
    yield "few runs", lambda: dif.simulate(graph, seeds, model=model, runs=100, rng=12).new_by_step
    worth = np.arange(graph.n_nodes) % 7 / 3
    yield "node weights", lambda: dif.simulate(graph, seeds, model=model, runs=200, node_weights=worth, rng=13).weights
    yield "spread", lambda: _ends(dif.spread(graph, seeds, model=model, rel_error=0.05, max_runs=2048, rng=14))
    if not (isinstance(model, dif.Threshold)):
        users = (np.arange(700) * 37 % graph.n_nodes).astype(np.int32)
        yield "one user a run", lambda: prepare(graph, model, [], 15).run_each(users).new[..., 0]
    if hasattr(model, "funnel"):
        yield "tally", lambda: ensemble().tally
        yield "capped", lambda: ensemble().capped
        yield "funnel", lambda: ensemble().funnel("channel")
        yield "redundancy", lambda: ensemble().redundancy().value


def _seeded(graph: dif.FollowerGraph) -> Iterator[Case]:
    def selected(**given: Any) -> Any:
        found = dif.select_seeds(graph, **{"k": 10} | given, rng=21)
        bounds = [found.lower, found.upper] if found.lower is not None else []
        return [list(found.seeds), found.gains, bounds, found.stopped]

    yield "opim", selected
    for method in ("opim", "hist"):
        yield f"{method} eps", lambda method=method: selected(method=type(strategy_of(method))(eps=0.2))
    yield "quality", lambda: selected(method=OPIM(quality=0.6))
    yield "lt", lambda: selected(model="lt", method=OPIM(eps=0.1))
    yield "imm", lambda: selected(method=dif.seeding.IMM(eps=0.5))
    yield "node weights", lambda: selected(method=OPIM(eps=0.2), node_weights=np.arange(graph.n_nodes) % 5 / 2)
    for method in (
        "random", "degree", "single_discount", "degree_discount", "pagerank", "k_core", "voterank", "two_step_discount",
        "irie", "collective_influence",
    ):  # fmt: skip
        yield method, lambda method=method: list(_chosen(graph, method, 20, 22).seeds)
    yield "rr sets", lambda: [sample_rr_sets(graph, 3000, model=m, rng=23).members.to_numpy() for m in ("ic", "lt")]


def _chosen(graph: dif.FollowerGraph, method: Any, k: int, rng: int, **options: Any) -> Any:
    return choose(SelectionProblem.of(graph, k, key=key_of(rng), **options), method)


@cache
def families() -> dict[str, tuple[Any, Any, Any]]:
    """Graph, seeds and model of epidemics, cascades in time, rivals and topics."""
    graph, made = platform(), dif.models
    seeds = graph.nodes[[5, 50, 500, 1000]].tolist()
    rivals = {"A": seeds[:2], "B": seeds[2:]}
    table = graph.to_pandas()
    times = np.arange(len(table)) * 7919 % 1009
    contacts = dif.graph.TemporalGraph.from_contacts(
        table["source"], table["target"], times, directed=True, edges_mean="influences", nodes=graph.nodes
    )
    draws = np.random.default_rng(3).random((graph.n_edges, 2))
    topics = dif.graph.TopicProbabilities.from_arrays(graph, draws * 0.1)
    return {
        "outbreak size": (graph, seeds, made.OutbreakSize(0.1)),
        "outbreak size, gamma": (graph, seeds, made.OutbreakSize(0.1, made.Gamma(1.0, 2.0))),
        "sir": (graph, seeds, made.SIR(0.1, width=0.5, end=6.0)),
        "seir": (graph, seeds, made.SEIR(0.1, made.LogNormal(1.0, 0.5), made.Weibull(1.0, 2.0))),
        "sis": (graph, seeds, made.SIS(0.06, end=5.0)),
        "sirs": (graph, seeds, made.SIRS(0.06, 1.0, 0.5, end=5.0)),
        "rumour": (graph, seeds, made.Rumour(0.3)),
        "ctic": (graph, seeds, made.CTIC(1.0, deadline=4.0)),
        "icm": (graph, seeds, made.ICM(0.3, deadline=6.0)),
        "temporal sir": (contacts, seeds, made.TemporalSIR(0.3, 0.01)),
        "temporal ic": (contacts.with_probabilities("weighted_cascade"), seeds, made.TemporalIC(0.05)),
        "competitive ic": (graph, rivals, made.CompetitiveIC()),
        "competitive lt": (graph, rivals, made.CompetitiveLT()),
        "comic": (graph, rivals, made.ComIC(0.8, 0.3, 0.8, 0.9)),
        "icn": (graph, seeds, made.ICN(0.9)),
        "topic ic": (graph, seeds, made.TopicIC(topics, [0.3, 0.7])),
    }


def _family(graph: Any, seeds: Any, model: Any) -> Any:
    ensemble = dif.simulate(graph, seeds, model=model, runs=600, rng=30)
    return [ensemble.new_by_state, ensemble.node_counts, ensemble.replay(70).to_pandas()]


def _of_platform() -> Iterator[Case]:
    graph = platform()
    few = graph.nodes[:60].tolist()
    for method in ("celf", "greedy"):
        for name, model in (("ic", "ic"), ("threshold", dif.Threshold(count=2)), ("sips", sips_models()["feed"])):
            yield (
                f"{method} {name}",
                lambda method=method, model=model: list(
                    dif.select_seeds(
                        graph, 4, method=type(strategy_of(method))(runs=256), model=model, candidates=few, rng=24
                    ).seeds
                ),
            )
    yield "budget", lambda: _bought(graph)
    yield "degree for money", lambda: list(dif.select_seeds(graph, budget=20_000, method="degree", rng=25).seeds)
    yield "quotas", lambda: list(_chosen(graph, OPIM(eps=0.2), 8, 26, at_most=2).seeds)
    yield "maximin", lambda: list(maximin_seeds(graph, 6, rng=27).seeds)
    for name in ("plain", "feed without amplification"):
        model = sips_models()[name]
        options = {"model": model, "method": OPIM(eps=0.2), "rng": 28}
        yield f"sips {name}", lambda options=options: _certified(dif.select_seeds(graph, 8, **options))
        yield (
            f"sips {name} for money",
            lambda options=options: _certified(dif.select_seeds(graph, budget=20_000, **options)),
        )

    @cache
    def compared() -> Any:
        return dif.compare_strategies(graph, [2, 8], strategies=["random", "degree", "opim"], rng=29, runs=512)

    for name, (of, seeds, model) in families().items():
        yield name, lambda of=of, seeds=seeds, model=model: _family(of, seeds, model)
    for name in ("sir", "icn"):
        _, _, model = families()[name]
        yield f"RR sets of {name}", lambda model=model: sample_rr_sets(graph, 3000, model=model, rng=31).to_pandas()
    yield "compare strategies", lambda: compared().to_pandas()[["n_seeds", "spread", "low", "high", "lower", "upper"]]
    sets = {"a": few[:5], "b": few[5:10]}
    yield "compare", lambda: dif.compare(graph, sets, rng=30, runs=1024).differences[["difference", "low", "high"]]
    for name, model in models().items():
        yield (
            f"growth {name}",
            lambda model=model: _growth(dif.growth(dif.simulate(graph, few[:3], model=model, rng=31))),
        )
    for name in ("ic", "lt", "sips plain", "sips feed", "sips delay", "sips redraw"):
        yield (
            f"R {name}",
            lambda name=name: _reproduction(dif.simulation.reproduction(graph, model=models()[name], rng=32)),
        )
    order = np.arange(40, dtype=np.int32)[:, None] * 7
    ends = np.array([1, 5, 40])
    for name in ("ic", "lt"):
        yield f"prefixes {name}", lambda name=name: prepare(graph, name, [], 33).prefix_sizes(order, ends, 0, 600)
    yield "flow", lambda: dif.simulation.community_flow(dif.simulate(graph, few[:3], rng=34), runs=50).flux
    yield "study", _study


def _bought(graph: dif.FollowerGraph) -> pd.DataFrame:
    found = dif.select_seeds(graph, budget=20_000, method=OPIM(eps=0.2), rng=25)
    return found.to_pandas()[["rank", "node", "score", "gain"]]


def _certified(found: Any) -> Any:
    return [list(found.seeds), found.lower, found.upper, found.gains]


def _growth(found: Any) -> Any:
    return [
        found.phase,
        [found.R.value, found.R.low, found.R.high],
        found.rate.value,
        found.doubling_time.value,
        found.campaign.value,
    ]


def _reproduction(found: Any) -> Any:
    return [found.phase, found.predicted, [found.R.value, found.R.low, found.R.high], found.core_share]


def _study() -> Any:
    models = [dif.IC(), sips_models()["plain"], sips_models()["complex"], dif.Threshold(fraction=0.2)]
    study = Study(
        {"users": 1_000, "communities": 4}, mixing=[0.1, 0.4], models=models, strategies=["random", "degree", "amateur", "opim"],
        budgets=[{"money": 20_000}, 5], places=["anywhere", "spread"], placed=["degree"], max_runs=512, replicates=1, seed=5,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        table = study.run(folder).to_pandas()
    table = table.sort_values(["graph", "model", "strategy", "budget", "place"])
    names = [
        "n_seeds", "reach", "reach_low", "reach_high", "R_predicted", "R", "R_low", "R_high", "R_campaign", "runs", "depth",
        "virality", "sharers", "feed_share", "redundancy", "outbreak_probability", "cost", "entropy", "dominance", "upper",
    ]  # fmt: skip
    return table[names]


def cases(data: bool) -> Iterator[Case]:
    """Name and call of every case: those of the generated platform, or those of NetHEPT."""
    graph = nethept() if data else platform()
    seeds = graph.nodes[[5, 50, 500, 1000]].tolist()
    chosen = {k: v for k, v in models().items() if k in ("ic", "lt", "threshold with noise")} if data else models()
    if data:
        chosen["sips plain"] = sips_models()["plain"]
    for name, model in chosen.items():
        for what, call in _simulated(graph, model, seeds):
            yield f"{name}: {what}", call
    for what, call in _seeded(graph):
        yield f"seeds: {what}", call
    if not data:
        yield from _of_platform()


if __name__ == "__main__":
    found = {
        where: {name: digest(call()) for name, call in cases(where == "nethept")} for where in ("platform", "nethept")
    }
    FILE.write_text(json.dumps(found, indent=1) + "\n")
