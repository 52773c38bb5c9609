"""Section on what stands around the kernels: cards, rankings, communities, theory and a study, on large graphs.

Run as a script this file is the child process that does all of it on one graph.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import measure

LIMIT = 90.0  # seconds that nothing should take
SEEDS = 50
RANKINGS = (
    "degree", "single_discount", "degree_discount", "two_step_discount", "irie", "pagerank", "k_core", "voterank",
    "collective_influence", "community_degree",
)  # fmt: skip
STUDY = """
title = "One condition"
seed = 7
replicates = 1
[graph]
platform = {{ users = {users}, communities = 8, mixing = 0.2, mean_followers = 12, tail = 2.3, reciprocity = 0.2 }}
[[model]]
name = "observed"
kind = "sips"
sips = {{ attention = 0.3, eta = 0.3 }}
[seeding]
strategy = ["amateur", "degree", "opim"]
budget = [{{ k = 50 }}]
[base]
strategy = "amateur"
budget = {{ k = 50 }}
"""


def around(quick: bool) -> dict[str, Any]:
    """Seconds and peak memory of every task, each graph in a process of its own."""
    rows = []
    for name in ("S",) if quick else ("M", "5M"):
        measure.say(f"around: graph {name}")
        found = subprocess.run(
            [sys.executable, __file__, name], cwd=measure.ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        rows.append(json.loads(found.stdout.splitlines()[-1]))
    return {"limit": LIMIT, "rows": rows}


def _child(name: str) -> dict[str, Any]:
    import graphs
    import numpy as np

    import diffusion as dif
    from diffusion.graph.rewire import rewire_mixing
    from diffusion.graph.spectral import reproduction_number
    from diffusion.study.design import read_study

    measure.pin()
    dif.warmup()
    graph = graphs.follower_graph(name).with_probabilities("weighted_cascade")
    small = graphs.follower_graph("XS").with_probabilities("weighted_cascade")
    engine: Any = "networkit" if find_spec("networkit") else "igraph"
    tasks: list[dict[str, Any]] = []

    def task(what: str, call: Callable[[dif.FollowerGraph], Any]) -> Any:
        """Time a call on the large graph, after one on a small graph that compiles and imports."""
        call(tiny)
        measure.reset_peak()
        cpu, (seconds, found) = time.process_time(), measure.clock(lambda: call(graph))
        cpu = time.process_time() - cpu
        tasks.append({"task": what, "seconds": seconds, "cpu": cpu, "peak": measure.peak_bytes()})
        measure.say(f"  {what}: {seconds:.1f} s, {cpu:.1f} s of CPU, peak {tasks[-1]['peak'] / 2**30:.2f} GiB")
        return found

    tiny, graph = (g.with_node_data(community=np.arange(g.n_nodes) % 50) for g in (small, graph))
    creators = {id(g): graphs.creators(g) for g in (tiny, graph)}
    cascades = {id(g): dif.simulate(g, creators[id(g)], runs=64, rng=1) for g in (tiny, graph)}
    task("card: repr, HTML, fingerprint", lambda g: (repr(g), g._repr_html_(), g.fingerprint))
    task("modularity and mixing of known communities", dif.graph.Partition.from_labels)
    for method in RANKINGS:
        task(f"ranking: {method}", lambda g, method=method: dif.select_seeds(g, SEEDS, method=method))
    task("R, spectral radius of the arcs", reproduction_number)
    task("message passing", lambda g: dif.theory.message_passing(g, creators[id(g)]))
    task("growth of 64 runs", lambda g: dif.growth(cascades[id(g)], rng=1))
    task("rewire, mixing of .98 to .9", lambda g: rewire_mixing(g, 0.9, shuffle=1, rng=1))
    part = task("communities, Leiden", lambda g: dif.communities(g, engine=engine, rng=1))
    tasks[-1]["task"] += f" by {part.engine}: modularity {part.modularity:.3f}"
    with tempfile.TemporaryDirectory() as folder:

        def study(g: dif.FollowerGraph) -> None:
            file = Path(folder) / f"{g.n_nodes}.toml"
            out = f'out = "{folder}/{g.n_nodes}"\n'
            file.write_text(out + STUDY.format(users=g.n_nodes), encoding="utf-8")
            dif.Study.from_design(read_study(file)).run(threads=1)

        if graph.n_nodes <= 1_000_000:
            task("a study of one condition and three strategies, with its report", study)
    return {"graph": name, "nodes": graph.n_nodes, "arcs": graph.n_edges, "tasks": tasks}


if __name__ == "__main__":
    print(json.dumps(_child(sys.argv[1])))
