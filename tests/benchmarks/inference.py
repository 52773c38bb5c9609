"""Section on learning from logs: weights of the linear threshold model against InfluenceDiffusion on the same traces."""

from __future__ import annotations

import os
import statistics
from typing import Any

import measure
import numpy as np
import peers

import diffusion as dif
from diffusion.inference import ActionLog, LTWeights, fit_probabilities, simulate_log

NODES, ARCS, ITEMS = 300, 1_800, 1_000
SEEDS = (5, 15)  # fewest and most of an item


def known() -> tuple[dif.FollowerGraph, ActionLog]:
    """A random graph with weights drawn evenly from the simplex of each node, and traces of the model."""
    draw = np.random.default_rng(0)
    pair = draw.permutation(NODES * NODES)
    source, target = np.divmod(pair[pair // NODES != pair % NODES][:ARCS], NODES)
    weight = np.zeros(ARCS)
    for v in range(NODES):
        into = np.flatnonzero(target == v)
        weight[into] = draw.dirichlet(np.ones(into.size + 1))[:-1]
    graph = dif.FollowerGraph.from_arrays(
        source, target, weight=weight, nodes=range(NODES), directed=True, edges_mean="influences"
    ).with_probabilities("lt")
    sizes = draw.integers(SEEDS[0], SEEDS[1] + 1, ITEMS)
    seeds = [draw.choice(NODES, size, replace=False).tolist() for size in sizes]
    return graph, simulate_log(graph, seeds=seeds, model="lt", rng=1)


def inference(quick: bool) -> dict[str, Any]:
    """Seconds and mean absolute error of the weights, ours and the peer's in turn."""
    cpus = os.sched_getaffinity(0)
    measure.pin()
    graph, log = known()
    truth = graph.to_pandas()["probability"].to_numpy()
    table = log.to_pandas()
    found: dict[str, Any] = {"nodes": NODES, "arcs": ARCS, "items": ITEMS, "adoptions": len(log), "rows": []}
    shrinking: tuple[str | None, ...] = (None, "empirical_bayes")
    methods = {f"shrinkage={s}": LTWeights(1.0, "none", s) for s in shrinking}
    fits = {
        name: fit_probabilities(graph, log, method=method, threads=1) for name, method in methods.items()
    }  # compiled
    times: dict[str, list[float]] = {name: [] for name in methods}
    build: list[float] = []
    others: dict[str, Any] = {}
    for kind in peers.InfluenceDiffusion.kinds:
        row: dict[str, Any] = {"who": peers.InfluenceDiffusion.name, "what": kind}
        try:
            others[kind] = peers.InfluenceDiffusion(graph, table, kind)
            times[kind] = []
        except peers.MissingPeer as missing:
            found["rows"].append(row | {"missing": str(missing)})
    for _ in range(1 if quick else 3):
        build.append(measure.clock(lambda: ActionLog.from_pandas(table))[0])
        for name, method in methods.items():
            for _ in range(5):  # short: as often as makes the median steady
                took = measure.clock(lambda m=method: fit_probabilities(graph, log, method=m, threads=1))[0]
                times[name].append(took)
        for kind, peer in others.items():
            times[kind].append(measure.clock(peer.fit)[0])
    for name, fit in fits.items():
        weights = fit.to_pandas()["probability"].to_numpy()
        found["rows"].append(_row("this package", name, times[name], weights, truth))
    for kind, peer in others.items():
        row = _row(peer.name, kind, times[kind], peer.weights, truth)
        found["rows"].append(row | {"version": measure.version(peer.package)})
    found["build"] = statistics.median(build)
    os.sched_setaffinity(0, cpus)
    scale(10_000)  # compiled
    found["scale"] = [scale(rows) for rows in ((100_000,) if quick else (1_000_000, 10_000_000))]
    return found


def scale(rows: int) -> dict[str, Any]:
    """Seconds and memory of EM for the independent cascade, of as many adoptions as arcs, on all threads."""
    draw = np.random.default_rng(0)
    nodes, items, half = rows // 10, rows // 100, rows // 2
    graph = dif.FollowerGraph.from_arrays(
        (nodes * draw.random(rows) ** 2).astype(np.int64),
        draw.integers(0, nodes, rows),
        nodes=range(nodes),
        directed=True,
        edges_mean="influences",
    )
    arcs = draw.integers(0, graph.n_edges, half)
    ends = graph.index.order[np.concatenate([graph.csr.sources[arcs], graph.csr.indices[arcs]])]
    item = np.tile((items * draw.random(half) ** 1.5).astype(np.int64), 2)
    begin = draw.random(half)
    time = np.concatenate([begin, begin + draw.exponential(0.01, half)])
    built, log = measure.clock(lambda: ActionLog.from_arrays(item, ends, time))
    fitted, fit = measure.clock(lambda: fit_probabilities(graph, log))
    measure.say(f"EM on {rows:,} adoptions: log {built:.1f} s, fit {fitted:.1f} s, {measure.peak_bytes() / 1e9:.2f} GB")
    return {
        "adoptions": len(log),
        "arcs": graph.n_edges,
        "contacts": fit.data.n_contacts,
        "build": built,
        "fit": fitted,
        "peak": measure.peak_bytes(),
    }


def _row(who: str, what: str, times: list[float], weights: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    error = float(np.abs(weights - truth).mean())
    measure.say(f"{who}, {what}: {statistics.median(times):.3f} s, mean absolute error {error:.4f}")
    return {"who": who, "what": what, "seconds": statistics.median(times), "error": error}
