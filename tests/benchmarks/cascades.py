"""Sections on simulation: against the peers, and on two threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphs
import measure
import numpy as np
import peers

import diffusion as dif

BATCH = 512


def _ours(
    graph: dif.FollowerGraph, seeds: list[Any], model: str, runs: int
) -> Callable[[int], tuple[float, np.ndarray]]:
    def once(i: int) -> tuple[float, np.ndarray]:
        seconds, found = measure.clock(
            lambda: dif.simulate(graph, seeds, model=model, runs=runs, rng=100 + i, threads=1)
        )
        return seconds / runs, found.sizes

    return once


def _against(
    graph: dif.FollowerGraph, where: str, rule: str, model: str, kind: type[Any], quick: bool, budget: float
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "peer_name": kind.name, "version": measure.version(kind.package), "model": model, "graph": where, "rule": rule,
        "nodes": graph.n_nodes, "arcs": graph.n_edges,
    }  # fmt: skip
    seeds = graphs.creators(graph)
    try:
        peer = kind(graph, seeds, model)
    except peers.MissingPeer as missing:
        measure.say(f"{kind.name}: {missing}")
        return row | {"missing": str(missing)}
    seconds, _ = measure.clock(lambda: peer.runs(1))
    seconds = min(seconds, measure.clock(lambda: peer.runs(1))[0])
    count = measure.runs_for(seconds, budget)
    dif.simulate(graph, seeds, model=model, runs=BATCH, rng=1, threads=1)  # computes what belongs to the graph, once
    seconds, found = measure.clock(lambda: dif.simulate(graph, seeds, model=model, runs=BATCH, rng=1, threads=1))
    runs = measure.runs_for(seconds / BATCH, budget, step=BATCH, most=1 << 13)

    def theirs() -> tuple[float, float, int]:
        took, mean = measure.clock(lambda: peer.runs(count))
        return took / count, mean, count

    row |= measure.alternate(_ours(graph, seeds, model, runs), theirs, measure.repeats(quick))
    visits = int(found.provenance["arc_visits"])
    row |= {"visits": visits, "visits_in_runs": BATCH, "ns_visit": 1e9 / row["ours"] * BATCH / visits}
    agree = "means agree" if row["means_agree"] else "MEANS DIFFER"
    measure.say(
        f"{model} {where} {rule}: {row['ours']:,.0f} runs/s, {kind.name} {row['peer']:,.1f}, ratio {row['ratio']:.1f} "
        f"({row['ratio_low']:.1f} to {row['ratio_high']:.1f}), {agree} ({row['mean_ours']:.1f}, {row['mean_peer']:.1f})"
    )
    return row


def _compared(model: str, rules: tuple[str, ...], quick: bool) -> dict[str, Any]:
    measure.pin()
    rows = []
    for where in ("S",) if quick else ("S", "M"):
        measure.say(f"graph {where}")
        graph = graphs.follower_graph(where)
        for rule in rules:
            weighted = graph.with_probabilities(**graphs.RULES[rule])
            rows.append(_against(weighted, where, rule, model, peers.CyNetDiff, quick, 0.2 if quick else 1.0))
    return {"rows": rows}


def ic(quick: bool) -> dict[str, Any]:
    """Forward independent cascade against CyNetDiff: six cases, one thread."""
    return _compared("ic", tuple(graphs.RULES), quick)


def lt(quick: bool) -> dict[str, Any]:
    """Forward linear threshold with weights 1 / in-degree against CyNetDiff, one thread."""
    return _compared("lt", ("wc",), quick)


def others(quick: bool) -> dict[str, Any]:
    """Every peer on a case small enough for the slowest."""
    measure.pin()
    where = "XS" if quick else "S"
    graph = graphs.follower_graph(where)
    rows = []
    for rule in ("wc",) if quick else ("wc", "p=.01"):
        weighted = graph.with_probabilities(**graphs.RULES[rule])
        rows += [_against(weighted, where, rule, "ic", kind, quick, 0.2 if quick else 1.0) for kind in peers.PEERS]
    weighted = graph.with_probabilities(**graphs.RULES["wc"])
    rows += [_against(weighted, where, "wc", "lt", kind, quick, 0.2 if quick else 1.0) for kind in peers.PEERS[:2]]
    return {"rows": rows}


# -- the second core ---------------------------------------------------------------------------------------------------


def _digest(found: Any) -> np.ndarray:
    if isinstance(found, dif.Ensemble):
        return np.asarray(found.new_by_step)
    return np.concatenate([np.asarray(found.offsets), np.asarray(found._members)])


def threads(quick: bool) -> dict[str, Any]:
    """Two threads against one, in turn; the results have to be equal bit for bit."""
    where = "S" if quick else "M"
    graph = graphs.follower_graph(where)
    seeds = graphs.creators(graph)
    weighted = graph.with_probabilities("weighted_cascade")
    rare = graph.with_probabilities("constant", p=0.01)
    noisy = dif.Threshold(fraction=0.18, noise=0.005)

    def forward(g: dif.FollowerGraph, model: Any) -> Callable[[int, int], Any]:
        return lambda runs, n: dif.simulate(g, seeds, model=model, runs=runs, rng=5, threads=n)

    cases: list[tuple[str, Callable[[int, int], Any], int, int]] = [
        ("IC, weighted cascade", forward(weighted, "ic"), 4 * BATCH, 1),
        ("IC, p = 0.01", forward(rare, "ic"), 4 * BATCH, 1),
        ("LT, weights 1 / in-degree", forward(weighted, "lt"), 4 * BATCH, 1),
        (noisy.label, forward(graph, noisy), 4 * BATCH, 4 * BATCH),
        ("RR sets, weighted cascade", lambda n, k: dif.sample_rr_sets(weighted, n, rng=5, threads=k), 100_000, 1),
        ("RR sets, LT", lambda n, k: dif.sample_rr_sets(weighted, n, model="lt", rng=5, threads=k), 100_000, 1),
    ]
    rows = []
    for name, call, least, most in cases:
        call(min(least, 4 * BATCH), 2)
        seconds, _ = measure.clock(lambda call=call, least=least: call(least, 1))
        scale = max(1, round((0.3 if quick else 1.5) / seconds))
        runs = least * (min(scale, 16) if most == 1 else 1)
        pairs, same = [], True
        for _ in range(measure.repeats(quick)):
            one, first = measure.clock(lambda call=call, runs=runs: call(runs, 1))
            two, second = measure.clock(lambda call=call, runs=runs: call(runs, 2))
            pairs.append(one / two)
            same = same and bool(np.array_equal(_digest(first), _digest(second)))
        row = {
            "case": name, "graph": where, "runs": runs, "one": runs / one, "two": runs / two, "same": same,
            "ratio": float(np.median(pairs)), "ratio_low": min(pairs), "ratio_high": max(pairs),
        }  # fmt: skip
        measure.say(f"{name}: second core x {row['ratio']:.2f}, {'equal' if same else 'RESULTS DIFFER'}")
        rows.append(row)
    return {"rows": rows}
