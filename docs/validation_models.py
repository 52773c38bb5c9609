"""Checks of section 9: epidemics, cascades in time, rivals, topics and waves. `validation.py` puts them on its page."""

from __future__ import annotations

import gzip
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

import diffusion as dif
from diffusion import FollowerGraph, models

__all__ = ["epidemics"]

EXACT = {"source": "closed form or enumeration", "standing": "exact"}


def epidemics(out: Any) -> None:
    """Numbers of section 9."""
    runs = 20_000 if out.quick else 200_000
    _complete(out, runs)
    _contacts(out, runs)
    _delays(out, runs)
    _rivals(out, runs)
    _topics(out, runs)


def _arcs(rows: list[tuple[int, int]], p: float | None = None, **more: Any) -> FollowerGraph:
    source, target = zip(*rows, strict=True)
    graph = FollowerGraph.from_arrays(source, target, directed=True, edges_mean="influences", **more)
    return graph if p is None else graph.with_probabilities("constant", p=p)


def _complete(out: Any, runs: int) -> None:
    ways = {"event times": models.SIR, "percolation in lanes": models.OutbreakSize}
    for n, beta, value in ((3, 1.0, 13 / 6), (4, 1.0, 2.97916667), (10, 0.2, 4.57100449)):
        graph = FollowerGraph.from_networkx(nx.complete_graph(n))
        for key, (way, model) in enumerate(ways.items()):
            found = dif.simulate(graph, [0], model=model(beta), runs=runs, rng=n + key).mean()
            test = (
                "test_epidemic.py::test_final_size_on_complete_graphs"
                if model is models.SIR
                else "test_outbreak_size.py::test_mean_final_size_of_complete_graphs"
            )
            out.sampled(
                f"SIR on K{n}, beta {beta:g}, gamma 1: mean final size, {way}", found, value, test=test, **EXACT
            )
        if not out.quick:
            sets = dif.seeding.sample_rr_sets(graph, runs, model=models.SIR(beta), rng=n)
            covered = np.repeat([float(n), 0.0], [sets.coverage([0]), runs - sets.coverage([0])])
            test = "test_epidemic_seeds.py::test_rr_sets_of_complete_graphs_share_the_period"
            out.sampled(f"the same by RR sets, K{n}", _estimate(covered, n, 0.0), value, test=test, **EXACT)


def _contacts(out: Any, runs: int) -> None:
    facts: dict[str, Any] = {
        "source": "iceland.lnk.gz", "standing": "computed",
        "test": "test_epidemic.py::test_final_size_on_the_network_of_iceland",
    }  # fmt: skip
    file = out.data / "iceland.lnk.gz"
    for beta, value in ((0.125, 1.787), (0.25, 3.641), (1.0, 22.644), (4.0, 52.524)):
        what = f"SIR on the contacts of Iceland, beta {beta:g}, gamma 1, random seed: mean final size"
        if not file.is_file():
            out.skipped(what, value, note="data absent", **facts)
            continue
        graph = dif.read_edges(file, directed=False)
        users = np.random.default_rng(7).integers(0, graph.n_nodes, runs).astype(np.int32)
        for way, model in {"event times": models.SIR(beta), "percolation": models.OutbreakSize(beta)}.items():
            sizes = dif.simulation.prepare(graph, model, [], 7).run_each(users).values
            out.sampled(f"{what}, {way}", _estimate(sizes, graph.n_nodes), value, se=0.042, **facts)
    facts = {
        "source": "tsir (Holme 2021), compiled and run on gallery01.tsv.gz", "standing": "computed",
        "test": "test_temporal.py::test_mean_outbreak_size_is_that_of_tsir",
    }  # fmt: skip
    file = out.data / "gallery01.tsv.gz"
    for beta, nu, value, se in ((0.5, 1.0, 11.3213, 0.0044), (0.2, 5.0, 3.2126, 0.0017), (0.05, 10.0, 1.3345, 0.0004)):
        what = f"contacts at an exhibition, p = {beta:g} a contact, recovery {nu:g} a day: mean outbreak from a random start"
        if not file.is_file():
            out.skipped(what, value, note="data absent", **facts)
            continue
        table = pd.read_csv(file, sep=r"\s+", header=None, names=["u", "v", "time"])
        graph = dif.graph.TemporalGraph.from_contacts(table["u"], table["v"], table["time"], directed=False)
        first, last = graph.span
        users = np.random.default_rng(7).integers(0, graph.n_nodes, runs).astype(np.int32)
        model = models.TemporalSIR(beta, nu / (last - first), start="random")
        sizes = dif.simulation.prepare(graph, model, [], 7).run_each(users).values
        out.sampled(what, _estimate(sizes, graph.n_nodes), value, se=se, **facts)


def _estimate(sizes: Any, n: int, least: float = 1.0) -> Any:
    return dif.results.SpreadEstimate.from_sizes(
        sizes, confidence=0.95, stopped_by="runs", key=7, provenance={}, limits=lambda: (least, float(n))
    )


def _delays(out: Any, runs: int) -> None:
    path = _arcs([(0, 1), (1, 2), (2, 3), (3, 4)])
    model = models.CTIC(1.0, deadline=1.0)
    found = dif.simulate(path, [0], model=model, runs=runs, rng=1).mean()
    test = "test_continuous.py::test_path_of_five_counts_a_poisson_process"
    out.sampled("continuous-time IC, path of 5, rate 1, by T = 1", found, 1.99565, test=test, **EXACT)
    facts: dict[str, Any] = {
        "source": "netrate-network.txt.gz", "standing": "computed",
        "test": "test_continuous.py::test_network_with_planted_rates",
    }  # fmt: skip
    file = out.data / "netrate-network.txt.gz"
    for deadline, value, se in ((1.0, 3.530, 0.0065), (10.0, 115.9, 0.15)):
        what = f"continuous-time IC on the planted network of NetRate, source 0, by T = {deadline:g}"
        if not file.is_file():
            out.skipped(what, value, note="data absent", **facts)
            continue
        with gzip.open(file, "rt") as text:
            rows = [line.split(",") for line in text.read().split("\n\n")[1].split()]
        rates = {"weight": [float(rate) for _, _, rate in rows]}
        graph = _arcs([(int(u), int(v)) for u, v, _ in rows], **rates)
        model = models.CTIC(models.Exponential("weight"), deadline=deadline)
        found = dif.simulate(graph, [0], model=model, runs=runs // 5, rng=2).mean()
        out.sampled(what, found, value, se=se, **facts)


def _rivals(out: Any, runs: int) -> None:
    duel, seeds = _arcs([(0, 2), (1, 2)], 0.5), {"A": [0], "B": [1]}
    for tie, value in (("random", 0.375), ("first", 0.5)):
        ens = dif.simulate(duel, seeds, model=models.CompetitiveIC(tie=tie), runs=runs, rng=3)
        won = _estimate(ens.sizes_by_brand[:, 0] - 1, 3, 0.0)
        what = f"two rivals at p = .5 into one node: P(A), tie {tie}"
        out.sampled(what, won, value, test="test_competitive.py::test_two_rivals_and_one_node", **EXACT)
    path = _arcs([(0, 1), (1, 2), (2, 3)], 0.3)
    found = dif.simulate(path, [0], model=models.ICN(0.9), runs=runs, rng=4).mean()
    test = "test_competitive.py::test_negative_opinions_on_a_path_and_by_enumeration"
    out.sampled("IC-N, path of 4, p = .3, q = .9: positive nodes", found, 1.22632, test=test, extra=5e-6, **EXACT)


def _topics(out: Any, runs: int) -> None:
    pair = _arcs([(0, 1)])
    topics = dif.graph.TopicProbabilities.from_arrays(pair, [[0.2, 0.6]], topics=("sport", "music"))
    model = models.TopicIC(topics, {"sport": 0.25, "music": 0.75})
    found = dif.simulate(pair, [0], model=model, runs=runs, rng=5).mean()
    test = "test_topic.py::test_exact_value_of_two_topics_by_hand"
    out.sampled("topic-aware IC, one arc with p = .2 and .6, mixture .25 and .75", found, 1.5, test=test, **EXACT)
