"""Section on influence maximisation: time of the algorithm, and the spread of its seeds by one evaluator.

The environment variable SUBSIM holds the path of SUBSIM of Q. Guo (github.com/qtguo/subsim), where it was compiled.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import graphs
import measure
import peers

import diffusion as dif

DATA = measure.ROOT.parent / "shared" / "data"
K = 50
LEVELS = (0.01, 0.005)  # shares of the best known spread that seeds may miss
OURS: tuple[dict[str, float], ...] = (
    {"eps": 0.1}, {"eps": 0.05}, {"eps": 0.02}, {}, *({"quality": q} for q in (0.6, 0.65, 0.7, 0.75, 0.8)),
)  # fmt: skip
EPS = (0.1, 0.05, 0.02, 0.01, 0.005, 0.001)  # of the peers
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
    equal: list[dict[str, Any]] = []
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
            }  # fmt: skip
            _say(row)
            rows.append(row)
        if name in ("NetHEPT", "Epinions"):
            rows.append(_pynetim(weighted, name, quick))
        equal.append(equal_quality(weighted, name, quick))
    return {"rows": rows, "equal": equal}


def equal_quality(graph: dif.FollowerGraph, name: str, quick: bool) -> dict[str, Any]:
    """Least processor seconds by which each method reaches a level of the best known spread, and with which setting.

    Every method goes through its settings in turn with the others; a setting reaches a level when the median spread of
    its repeats does. The best known spread is the largest of all and of a long run of ours.
    """
    from diffusion.seeding import OPIM

    def ours(setting: dict[str, float], key: int, method: Callable[..., Any] = OPIM) -> tuple[float, list[Any]]:
        start = time.process_time()
        found = dif.select_seeds(graph, K, method=method(**setting), rng=key, threads=1)
        return time.process_time() - start, list(found.seeds)

    methods: dict[str, tuple[Any, tuple[Any, ...]]] = {"this package": (ours, OURS)}
    missing = {}
    for kind in (peers.Subsim, peers.PyNetIMSeeds):
        try:
            peer = kind(graph)
        except peers.MissingPeer as absent:
            missing[kind.name] = str(absent)
        else:
            methods[kind.name] = (peer.select, tuple({"eps": eps} for eps in EPS))

    runs = 256 if name == "M" or quick else 2048  # all in the same worlds

    def score(seeds: list[Any]) -> float:
        return float(dif.simulate(graph, seeds, runs=runs, rng=999, threads=1).sizes.mean())

    best = score(ours({"quality": 0.95, "max_rr_sets": 2**20 if quick else 2**24}, 0)[1])
    tried: dict[tuple[str, str], list[tuple[float, float]]] = {}
    over: set[str] = set()  # methods whose next setting would take too long
    for place in range(max(len(settings) for _, settings in methods.values())):
        for key in range(1, 4):
            for who, (select, settings) in methods.items():
                if place < len(settings) and who not in over:
                    took, seeds = select(settings[place], key)
                    tried.setdefault((who, _words(settings[place])), []).append((took, score(seeds)))
        over |= {who for (who, _), found in tried.items() if who != "this package" and found[-1][0] > measure.LONG / 3}
    best = max([best, *(spread for found in tried.values() for _, spread in found)])
    row: dict[str, Any] = {"graph": name, "best": best, "missing": missing, "levels": []}
    for level in LEVELS:
        reached: dict[str, Any] = {}
        for (who, setting), found in tried.items():
            took, spread = (statistics.median(column) for column in zip(*found, strict=True))
            if spread >= (1.0 - level) * best and took < reached.get(who, {"seconds": float("inf")})["seconds"]:
                reached[who] = {"seconds": took, "setting": setting, "spread": spread}
        row["levels"].append({"level": level, "reached": reached})
    row["most"] = {
        who: max(statistics.median(s for _, s in found) for (one, _), found in tried.items() if one == who)
        for who in methods
    }
    measure.say(f"{name}: best known {best:,.1f}; {row['levels']}; most {row['most']}")
    return row


def _words(setting: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in setting.items()) or "default"


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
