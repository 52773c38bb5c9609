"""Section on epidemics, contacts, rivals and topics: against EoN, C programs where their paths are given, and plain IC.

The environment variables SIR_C and TSIR_C hold paths of compiled programs of P. Holme: github.com/pholme/sir, called with an
edge list and the rate and printing "size S  ms T" for one outbreak, and github.com/pholme/tsir, compiled with -DTIME. Times
are those of the processor, so that others may use it, too; only the second core is measured by the clock.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import networkx as nx
import numpy as np
import pandas as pd
import peers

import diffusion as dif
from diffusion import models
from diffusion.simulation import prepare

NODES, RATE = 10_000, 0.3
CONTACTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "gallery01.tsv.gz"
TEMPORAL = ((0.5, 1.0), (0.2, 5.0), (0.05, 10.0))  # transmission a contact, recoveries in the duration of the data
Work = Callable[[], Any]


def families(quick: bool) -> dict[str, Any]:
    """All tables of the section."""
    cpus = os.sched_getaffinity(0)
    measure.pin()
    count = measure.repeats(quick)
    found = {"sir": sir(count, quick), "temporal": temporal(count, quick), "arcs": arcs(count, quick)}
    os.sched_setaffinity(0, cpus)
    return found | {"second core": second_core(count, quick)}


def in_turn(works: dict[str, Work], count: int) -> dict[str, dict[str, float]]:
    """Processor seconds of each work and its ratio to the first, medians of so many turns; a float is taken as it is."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(count):
        for name, work in works.items():
            start = time.process_time()
            own = work()
            times[name].append(own if isinstance(own, float) else time.process_time() - start)
    first = next(iter(times.values()))
    ratio = {name: statistics.median(t / f for t, f in zip(these, first, strict=True)) for name, these in times.items()}
    return {name: {"seconds": statistics.median(these), "ratio": ratio[name]} for name, these in times.items()}


def _network() -> tuple[nx.Graph, dif.FollowerGraph]:
    network = nx.barabasi_albert_graph(NODES, 3, seed=1)
    return network, dif.FollowerGraph.from_networkx(network)


def sir(count: int, quick: bool) -> list[dict[str, Any]]:
    """One outbreak of SIR, from a random node and from the first: event times, size alone, EoN and C."""
    network, graph = _network()
    runs = 1024 if quick else 8192
    users = np.random.default_rng(1).integers(0, NODES, runs).astype(np.int32)
    rows = []
    for start in ("a random node", "one hub"):
        works: dict[str, Work] = {}
        for name, model in (("SIR", models.SIR(RATE)), ("OutbreakSize", models.OutbreakSize(RATE))):
            runner = prepare(graph, model, [0], 7)
            call = (
                (lambda runner=runner: runner.run_each(users, threads=1))
                if start == "a random node"
                else (lambda runner=runner: runner.run(0, runs, threads=1, show=False))
            )
            call()  # compiled
            works[name] = lambda call=call: _seconds(call, runs)
        if start == "a random node":
            works |= _eon(network, users[:20]) | _program(network)
        rows += [{"what": name, "start": start, **row} for name, row in in_turn(works, count).items()]
    return rows


def _seconds(call: Work, runs: int) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) / runs


def _eon(network: nx.Graph, users: np.ndarray) -> dict[str, Work]:
    try:
        eon = peers.module("EoN")
    except peers.MissingPeer:
        return {}

    def call() -> None:
        for user in users:
            eon.fast_SIR(network, RATE, 1.0, initial_infecteds=[int(user)])

    return {"EoN": lambda: _seconds(call, len(users))}


def _program(network: nx.Graph) -> dict[str, Work]:
    program = os.environ.get("SIR_C")
    if not program:
        return {}
    path = Path(tempfile.mkdtemp()) / "edges.txt"
    nx.write_edgelist(network, path, data=False)

    def call() -> float:
        printed = subprocess.run([program, str(path), str(RATE)], capture_output=True, text=True, check=True).stdout
        return float(printed.split()[3]) / 1e3

    return {"C": call}


def temporal(count: int, quick: bool) -> list[dict[str, Any]]:
    """One outbreak on the contacts of an exhibition, from a random node at a random time, ours and tsir in turn."""
    if not CONTACTS.is_file():
        return []
    table = pd.read_csv(CONTACTS, sep=r"\s+", header=None, names=["source", "target", "time"])
    graph = dif.graph.TemporalGraph.from_pandas(table, time="time", directed=False)
    plain = Path(tempfile.mkdtemp()) / "contacts.tsv"
    table.to_csv(plain, sep="\t", header=False, index=False)
    runs, program, rows = 512 * (20 if quick else 200), os.environ.get("TSIR_C"), []
    users = np.random.default_rng(1).integers(0, graph.n_nodes, runs).astype(np.int32)
    for beta, nu in TEMPORAL:
        model = models.TemporalSIR(beta, nu / graph.span[1], start="random", width=graph.span[1] / 10)
        runner = prepare(graph, model, [], 7)
        runner.run_each(users[:512], threads=1)  # compiled
        works: dict[str, Work] = {
            "TemporalSIR": lambda runner=runner: _seconds(lambda: runner.run_each(users, threads=1), runs)
        }
        if program:
            works["tsir"] = lambda beta=beta, nu=nu: _tsir(program, plain, beta, nu)
        rows += [{"what": name, "beta": beta, "nu": nu, **row} for name, row in in_turn(works, count).items()]
    return rows


def _tsir(program: str, file: Path, beta: float, nu: float) -> float:
    call = [program, str(file), str(beta), str(nu), "1000"]
    text = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    seconds = re.search(r"\(s\): (\S+)", text)
    assert seconds is not None
    return float(seconds[1])


def arcs(count: int, quick: bool) -> list[dict[str, Any]]:
    """Nanoseconds an arc visit of rivals, negative opinions and topics, beside the independent cascade."""
    n = 20_000 if quick else 100_000
    graph = dif.graph.generate_chung_lu(n, mean_followers=10, rng=1)
    best = list(dif.select_seeds(graph, 50, method="degree").seeds)
    topics = dif.graph.TopicProbabilities.from_arrays(graph, np.full((graph.n_edges, 2), 0.05, np.float32))
    rivals = {"A": best[::2], "B": best[1::2]}
    cases: tuple[tuple[str, Any, Any], ...] = (
        ("IC", models.IC(), best), ("CompetitiveIC", models.CompetitiveIC(), rivals), ("ICN", models.ICN(0.9), best),
        ("TopicIC", models.TopicIC(topics, [0.5, 0.5]), best),
    )  # fmt: skip
    rows = []
    for rule, options in (("constant", {"p": 0.05}), ("weighted_cascade", {})):
        ready = graph.with_probabilities(rule, **options)
        works = {}
        for name, model, seeds in cases:
            if name == "TopicIC" and rule != "constant":
                continue
            runner = prepare(ready, model, seeds, 7)
            runner.run(0, 512, threads=1, show=False)
            works[name] = lambda runner=runner: _a_visit(runner)
        rows += [{"what": name, "rule": rule, **row} for name, row in in_turn(works, count).items()]
    return rows


def _a_visit(runner: Any) -> float:
    start = time.process_time()
    visits = runner.run(0, 512, threads=1, show=False).visits
    return (time.process_time() - start) / visits


def second_core(count: int, quick: bool) -> list[dict[str, Any]]:
    """Wall time with one thread over that with two, medians of ratios."""
    _, graph = _network()
    runs, rows = (1024 if quick else 8192), []
    for model in (models.SIR(RATE), models.OutbreakSize(RATE), models.CTIC(1.0, deadline=2.0)):
        runner, ratios = prepare(graph.with_probabilities("constant", p=0.3), model, [0], 7), []
        for threads in (1, 2):
            runner.run(0, 512, threads=threads, show=False)
        for _ in range(count):
            one, two = (_wall(runner, runs, threads) for threads in (1, 2))
            ratios.append(one / two)
        rows.append({"what": model.name, "ratio": statistics.median(ratios)})
    return rows


def _wall(runner: Any, runs: int, threads: int) -> float:
    start = time.perf_counter()
    runner.run(0, runs, threads=threads, show=False)
    return time.perf_counter() - start
