"""Section on scale: the same 512 runs on graphs from one million to a hundred million arcs, each in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import measure

RUNS = 512
TWITTER = {"name": "Twitter-2010", "nodes": 41_652_230, "arcs": 1_468_365_182}


def scale(quick: bool) -> dict[str, Any]:
    """Rows of all graphs, and what follows for Twitter-2010."""
    rows = []
    names = os.environ.get("BENCH_SCALE", "XS S" if quick else "S 10M L").split()
    for name in names:
        measure.say(f"scale: graph {name}")
        found = subprocess.run(
            [sys.executable, __file__, name], cwd=measure.ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        rows.append(json.loads(found.stdout.splitlines()[-1]))
        row = rows[-1]
        measure.say(
            f"{row['arcs']:,} arcs: {RUNS} runs in {row['simulate_seconds']:.2f} s, {row['ns_visit']:.1f} ns a visit, "
            f"peak {max(row['peaks'].values()) / 2**30:.2f} GiB"
        )
    return {"rows": rows, "twitter": twitter(rows[-1])}


def twitter(row: dict[str, Any]) -> dict[str, Any]:
    """Bytes that Twitter-2010 needs, from bytes a node and an arc as counted on a graph."""
    nodes, arcs = TWITTER["nodes"], TWITTER["arcs"]
    per_node, per_arc = row["node_bytes"], row["arc_bytes"]
    found: dict[str, Any] = dict(TWITTER) | {"per_node": per_node, "per_arc": per_arc}
    found["graph"] = nodes * per_node + arcs * per_arc
    found["state"] = {str(words): nodes * bytes_ for words, bytes_ in row["state_bytes"].items()}
    found["build"] = row["peaks"]["build"] / row["arcs"] * arcs
    return found


def _child(name: str) -> dict[str, Any]:
    import graphs
    import numpy as np

    import diffusion as dif
    from diffusion.simulation.runner import _state_bytes

    measure.pin()
    dif.warmup()
    peaks, seconds = {}, {}

    def phase(what: str, call: Any) -> Any:
        measure.reset_peak()
        seconds[what], found = measure.clock(call)
        peaks[what] = measure.peak_bytes()
        measure.say(f"  {what}: {seconds[what]:.1f} s, peak {peaks[what] / 2**30:.2f} GiB")
        return found

    n, draws = graphs.SIZES[name]
    ends = [phase("generate", lambda: graphs.chung_lu(n, draws))]

    def build() -> dif.FollowerGraph:
        made = dif.FollowerGraph.from_arrays(*ends.pop(), nodes=np.arange(n), directed=True, edges_mean="influences")
        return made.with_probabilities("weighted_cascade")

    graph = phase("build", build)
    creators = graphs.creators(graph)

    def runs(rng: int) -> dif.results.Ensemble:
        return dif.simulate(graph, creators, runs=RUNS, rng=rng, threads=1)

    found = phase("simulate", lambda: runs(1))
    times = [(seconds["simulate"] / found.provenance["arc_visits"], seconds["simulate"])]
    while len(times) < 5 and sum(took for _, took in times) < 10:  # the large graph takes minutes: once is enough
        took, again = measure.clock(lambda: runs(1 + len(times)))
        times.append((took / again.provenance["arc_visits"], took))
    ns, took = sorted(times)[len(times) // 2]
    parts = graphs.graph_bytes(graph)
    by_arc = ("indices", "probabilities", "multiplicity", "weight", "time")
    arc_bytes = sum(v for k, v in parts.items() if k in by_arc) / graph.n_edges
    # Beside the arrays named in `parts`: in-degree, rank, and the counts of activations of a simulation.
    node_bytes = sum(v for k, v in parts.items() if k not in by_arc) / graph.n_nodes + 8 + 4 + 8
    row: dict[str, Any] = {
        "graph": name, "nodes": graph.n_nodes, "arcs": graph.n_edges, "mean": float(found.sizes.mean()),
        "visits": int(found.provenance["arc_visits"]), "simulate_seconds": took, "ns_visit": 1e9 * ns,
        "arc_bytes": arc_bytes, "node_bytes": node_bytes,
        "state_bytes": {words: _state_bytes(graph.n_nodes, words) / graph.n_nodes for words in (8, 4, 2, 1)},
    }  # fmt: skip
    try:
        from diffusion.seeding import OPIM
    except ImportError:
        pass
    else:
        chosen = phase("seed", lambda: dif.select_seeds(graph, 50, method=OPIM(eps=0.1), rng=1, threads=1))
        row |= {"seed_spread": chosen.spread, "seed_ratio": chosen.ratio}
    return row | {"seconds": seconds, "peaks": peaks}


if __name__ == "__main__":
    print(json.dumps(_child(sys.argv[1])))
