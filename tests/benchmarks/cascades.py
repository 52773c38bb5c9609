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


def _timed(
    graph: dif.FollowerGraph, seeds: list[Any], model: str, runs: int, rng: int
) -> tuple[float, dif.results.Ensemble]:
    """Seconds a run on one thread, and the runs."""
    seconds, found = measure.clock(lambda: dif.simulate(graph, seeds, model=model, runs=runs, rng=rng, threads=1))
    return seconds / runs, found


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
    _timed(graph, seeds, model, 1, 1)  # compiles, and computes once what belongs to the graph
    first = _timed(graph, seeds, model, BATCH, 99)
    visits = int(first[1].provenance["arc_visits"])
    runs = measure.runs_for(first[0], budget, step=BATCH, most=1 << 13)

    def ours(i: int) -> tuple[float, np.ndarray]:
        if i == 0 and runs == BATCH:  # the call that found out how long it takes was as long as the others
            return first[0], first[1].sizes
        seconds, found = _timed(graph, seeds, model, runs, 100 + i)
        return seconds, found.sizes

    def theirs() -> tuple[float, float, int]:
        took, mean = measure.clock(lambda: peer.runs(count))
        return took / count, mean, count

    row |= measure.alternate(ours, theirs, measure.repeats(quick))
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


def sips(quick: bool) -> dict[str, Any]:
    """SIPS against plain IC on the same graph, in turn: seconds for each attended exposure."""
    measure.pin()
    where = "XS" if quick else "S"
    graph = graphs.follower_graph(where)
    seeds = graphs.creators(graph)
    funnel = dif.models.Funnel(0.8, 0.9, 0.8, 0.58)  # a third of those exposed share
    rows = []
    for p in (0.01, 0.05, 0.2):
        weighted = graph.with_probabilities("constant", p=p)
        plain = dif.simulate(weighted, seeds, model=dif.SIPS(), runs=BATCH, rng=1, threads=1)
        exposures = float(plain.tally[..., 0].sum())  # those of the independent cascade: the same coins
        wide = min(3 * p, 1.0)
        models = {
            "no funnel": dif.SIPS(p),
            "funnel": dif.SIPS(wide, funnel),
            "funnel, feed of 2": dif.SIPS(wide, funnel, dif.models.Feed(impressions=2.0)),
            "funnel, feed of 1, gain 0.1": dif.SIPS(wide, funnel, dif.models.Feed(impressions=1.0, amplification=0.1)),
            "complex, theta 2": dif.SIPS(min(6 * p, 1.0), identify=dif.models.Complex(2)),
        }
        for name, model in models.items():
            found = dif.simulate(graph, seeds, model=model, runs=BATCH, rng=1, threads=1)
            mine = float(found.tally[..., 0].sum())
            pairs = []
            for i in range(3 if quick else 5):
                ours = measure.clock(
                    lambda i=i, model=model: dif.simulate(graph, seeds, model=model, runs=BATCH, rng=i, threads=1)
                )[0]
                theirs = measure.clock(lambda i=i, on=weighted: dif.simulate(on, seeds, runs=BATCH, rng=i, threads=1))[
                    0
                ]
                pairs.append(((ours / mine) / (theirs / exposures), 1e9 * ours / mine, 1e9 * theirs / exposures))
                if ours > 10:
                    break
            ratio, ns, ic_ns = np.median(pairs, axis=0).tolist()
            rows.append({
                "case": f"{where}, IC p={p:g}", "model": name, "reach": float(found.sizes.mean()), "exposures": mine / BATCH,
                "ns": ns, "ic_ns": ic_ns, "ratio": ratio, "lanes": found.source.program.lanes,
            })  # fmt: skip
            measure.say(f"SIPS {name} p={p:g}: {ns:.1f} ns an exposure, IC {ic_ns:.1f}, ratio {ratio:.2f}")
    return {"rows": rows}


# -- the second core ---------------------------------------------------------------------------------------------------


def _digest(found: Any) -> np.ndarray:
    if isinstance(found, dif.results.Ensemble):
        return np.asarray(found.new_by_step)
    return np.concatenate([np.asarray(found.offsets), np.asarray(found.members)])


def threads(quick: bool) -> dict[str, Any]:
    """Two threads against one, in turn; the results have to be equal bit for bit."""
    names = ("XS", "XS") if quick else ("S", "M")  # rows in the cache, and rows in memory
    small, large, tiny = (graphs.follower_graph(name) for name in (*names, "XS"))
    weighted = small.with_probabilities("weighted_cascade")
    noisy = dif.Threshold(fraction=0.18, noise=0.005)

    def forward(graph: dif.FollowerGraph, model: Any) -> Callable[[int, int], Any]:
        seeds = graphs.creators(graph)
        return lambda runs, n: dif.simulate(graph, seeds, model=model, runs=runs, rng=5, threads=n)

    def reverse(model: str) -> Callable[[int, int], Any]:
        return lambda runs, n: dif.seeding.sample_rr_sets(weighted, runs, model=model, rng=5, threads=n)

    cases = [
        (f"IC {names[0]}, weighted cascade", forward(weighted, "ic"), 4 * BATCH),
        (f"IC {names[1]}, p = 0.01", forward(large.with_probabilities("constant", p=0.01), "ic"), 4 * BATCH),
        (f"LT {names[0]}, weights 1 / in-degree", forward(weighted, "lt"), 4 * BATCH),
        (f"{noisy.label} XS", forward(tiny, noisy), (2 if quick else 4) * BATCH),
        (f"RR sets {names[0]}, weighted cascade", reverse("ic"), 200_000),
        (f"RR sets {names[0]}, LT", reverse("lt"), 200_000),
    ]
    rows = []
    for name, call, least in cases:
        call(1, 1)
        seconds, _ = measure.clock(lambda call=call, least=least: call(least, 2))
        runs = least * min(max(round((0.2 if quick else 0.8) / seconds), 1), 8)
        pairs, same = [], True
        for _ in range(measure.repeats(quick)):
            one, first = measure.clock(lambda call=call, runs=runs: call(runs, 1))
            two, second = measure.clock(lambda call=call, runs=runs: call(runs, 2))
            pairs.append((one / two, one, two))
            same = same and bool(np.array_equal(_digest(first), _digest(second)))
        ratio, one, two = np.median(pairs, axis=0).tolist()
        row = {
            "case": name, "runs": runs, "one": runs / one, "two": runs / two, "same": same, "ratio": ratio,
            "ratio_low": min(pairs)[0], "ratio_high": max(pairs)[0],
        }  # fmt: skip
        measure.say(f"{name}: second core x {ratio:.2f}, {'equal' if same else 'RESULTS DIFFER'}")
        rows.append(row)
    return {"rows": rows}
