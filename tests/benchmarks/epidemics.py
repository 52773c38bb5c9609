"""SIR outbreaks from random nodes: this package against EoN, and against a C program of your own where its path is given.

    python tests/benchmarks/epidemics.py [--c PATH]

The C program is called with an edge list and the transmission rate, and prints "size S  ms T" for one outbreak; the code of
P. Holme (github.com/pholme/sir) does so with few changes. Times are those of the processor, on one core.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure

sys.path.insert(1, str(measure.ROOT))  # the package, where it is not installed

import networkx as nx
import numpy as np
import peers

import diffusion as dif
from diffusion.models import SIR
from diffusion.simulation import prepare

NODES, TRANSMISSION, RECOVERY = 10_000, 0.3, 1.0


def processor(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the processor that `work` takes, and what it returns."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def epidemics(quick: bool, program: str | None = None) -> dict[str, Any]:
    """Milliseconds an outbreak and its mean size, ours and the peers' in turn."""
    measure.pin()
    network = nx.barabasi_albert_graph(NODES, 3, seed=1)
    graph = dif.FollowerGraph.from_networkx(network)
    runner = prepare(graph, SIR(TRANSMISSION, RECOVERY), [], 7)
    users = np.random.default_rng(1).integers(0, NODES, 1_000 if quick else 10_000).astype(np.int32)
    runner.run_each(users[:8], threads=1)  # compiled
    found: list[dict[str, Any]] = []
    times = []
    for _ in range(3):
        seconds, runs = processor(lambda: runner.run_each(users, threads=1))
        times.append(1e3 * seconds / users.size)
    found.append({"who": "this package", "ms": statistics.median(times), "size": float(runs.values.mean())})
    try:
        eon = peers.module("EoN")
        sizes: list[int] = []

        def outbreaks() -> None:
            for user in users[:10] if quick else users[:100]:
                *_, recovered = eon.fast_SIR(network, TRANSMISSION, RECOVERY, initial_infecteds=[int(user)])
                sizes.append(int(recovered[-1]))

        seconds, _ = processor(outbreaks)
        found.append({"who": "EoN", "ms": 1e3 * seconds / len(sizes), "size": float(np.mean(sizes))})
    except peers.MissingPeer as missing:
        found.append({"who": "EoN", "missing": str(missing)})
    if program is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "edges.txt"
            nx.write_edgelist(network, path, data=False)
            printed = subprocess.run(
                [program, str(path), str(TRANSMISSION)], capture_output=True, text=True, check=True
            ).stdout.split()
        found.append({"who": "C", "ms": float(printed[3]), "size": float(printed[1])})
    for row in found:
        measure.say(str(row))
    return {"nodes": NODES, "rows": found}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--c", help="path of the C program")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    epidemics(given.quick, given.c)
