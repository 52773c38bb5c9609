"""Section on influence maximisation: time of the algorithm, and the spread of its seeds by one evaluator."""

from __future__ import annotations

import statistics
from typing import Any

import graphs
import measure
import peers

import diffusion as dif

DATA = measure.ROOT.parent / "shared" / "data"
K = 50
#: SUBSIM (C++, one core) in seconds, measured once in another session on such a machine; it is not in the package index.
SUBSIM = {
    ("NetHEPT", 0.1): 0.027, ("NetHEPT", 0.02): 0.063, ("Epinions", 0.1): 0.017, ("Epinions", 0.02): 0.041,
    ("DBLP", 0.1): 0.41, ("DBLP", 0.02): 0.80, ("M", 0.1): 0.087,
}  # fmt: skip
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "NetHEPT": ("nethept.txt.gz", {"directed": False, "header_counts": True}),
    "Epinions": ("soc-Epinions1.txt.gz", {"directed": True, "edges_mean": "influences"}),
    "DBLP": ("com-dblp.ungraph.txt.gz", {"directed": False}),
}


def seeding(quick: bool) -> dict[str, Any]:
    """OPIM-C / HIST with k = 50; weighted cascade, linear threshold and constant p."""
    try:
        from diffusion.seeding import OPIM
    except ImportError as error:
        return {"rows": [], "missing": f"diffusion.seeding cannot be imported ({error})"}
    measure.pin()
    rows: list[dict[str, Any]] = []
    for name in ("NetHEPT",) if quick else (*FILES, "M"):
        if name in FILES:
            file, options = FILES[name]
            if not (DATA / file).is_file():
                rows.append({"graph": name, "missing": f"the file {file} is not beside the repository (shared/data)"})
                continue
            graph = dif.read_edges(DATA / file, **options)
        else:
            graph = graphs.follower_graph(name)
        weighted = graph.with_probabilities("weighted_cascade")
        constant = graph.with_probabilities("constant", p=0.01)
        cases = [(weighted, "ic", "wc", 0.1), (weighted, "ic", "wc", 0.02), (weighted, "lt", "1/in-degree", 0.1)]
        for on, model, rule, eps in [*cases, (constant, "ic", "p=.01", 0.1)]:
            how: dict[str, Any] = {"model": model, "method": OPIM(eps=eps), "threads": 1}
            dif.select_seeds(on, K, rng=0, **how)  # what belongs to the graph is made once
            measure.reset_peak()
            base = measure.resident_bytes()
            found = [dif.select_seeds(on, K, rng=1 + i, **how) for i in range(measure.repeats(quick))]
            peak = measure.peak_bytes() - base
            chosen = found[0]
            row = _row(on, name, model, rule, eps, "this package", chosen.seeds, quick)
            row |= {
                "seconds": statistics.median(c.seconds for c in found), "ratio": chosen.ratio, "method": chosen.method,
                "rr_sets": chosen.n_rr_sets, "rr_size": chosen.mean_rr_size, "peak": peak, "stopped": chosen.stopped,
                "subsim": SUBSIM.get((name, eps)) if rule == "wc" else None,
            }  # fmt: skip
            _say(row)
            rows.append(row)
        if name in ("NetHEPT", "Epinions"):
            rows.append(_pynetim(weighted, name, quick))
    return {"rows": rows}


def _row(
    graph: dif.FollowerGraph, name: str, model: str, rule: str, eps: float, who: str, seeds: Any, quick: bool
) -> dict[str, Any]:
    found = dif.spread(graph, seeds, model=model, rel_error=0.01 if quick else 0.002, max_runs=1_024, rng=999)
    return {
        "graph": name, "nodes": graph.n_nodes, "arcs": graph.n_edges, "model": model, "rule": rule, "eps": eps, "who": who,
        "spread": found.mean, "spread_se": found.se,
    }  # fmt: skip


def _pynetim(graph: dif.FollowerGraph, name: str, quick: bool) -> dict[str, Any]:
    """OPIM-C of PyNetIM. Its certificate is not comparable: it takes the greedy coverage for an upper bound."""
    row: dict[str, Any] = {"graph": name, "model": "ic", "rule": "wc", "eps": 0.1, "who": "PyNetIM"}
    try:
        peer = peers.PyNetIM(graph, graph.nodes[:1].tolist(), "ic")
        algorithm = peers.module("pynetim.algorithms").OPIMCAlgorithm(peer.graph, "IC", random_seed=1)
    except peers.MissingPeer as missing:
        return row | {"missing": str(missing)}
    times, seeds = [], set()
    for _ in range(measure.repeats(quick)):
        took, seeds = measure.clock(lambda: algorithm.run(K, 0.1))
        times.append(took)
    row = _row(graph, name, "ic", "wc", 0.1, "PyNetIM", graph.index.labels_of(sorted(seeds)), quick)
    row |= {"seconds": statistics.median(times), "method": "OPIM-C"}
    _say(row)
    return row


def _say(row: dict[str, Any]) -> None:
    measure.say(
        f"{row['graph']} {row['model']} {row['rule']} eps {row['eps']}: {row['who']} {row['seconds']:.3f} s, spread "
        f"{row['spread']:,.1f} +- {row['spread_se']:.1f}"
    )
