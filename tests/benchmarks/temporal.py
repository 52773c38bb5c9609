"""SIR on contacts against tsir (Holme 2021), in turn on one core: seconds and mean size of an outbreak.

    python tests/benchmarks/temporal.py gallery01.tsv.gz [--quick]

The environment variable TSIR holds the path of tsir, compiled from github.com/pholme/tsir with -DTIME; without it only
this package is measured. The file has rows "u v time" in the order of time, nodes and times whole numbers from 0.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pandas as pd

sys.path.insert(1, str(measure.ROOT))  # the package, where it is not installed

import diffusion as dif
from diffusion.models import TemporalSIR
from diffusion.simulation.runner import prepare

RATES = ((0.5, 1.0), (0.2, 5.0), (0.05, 10.0))  # transmission a contact, recoveries in the duration of the data
OUTBREAKS = 512 * 200  # tsir makes 100,000
STEPS = 10  # of the course of an outbreak that we keep and tsir does not


def ours(graph: dif.graph.TemporalGraph, beta: float, nu: float) -> tuple[float, float]:
    """Seconds and mean size of an outbreak from a random node at a random time."""
    duration = graph.span[1]
    model = TemporalSIR(beta, nu / duration, start="random", width=duration / STEPS)
    runner = prepare(graph, model, [], 7)
    users = np.random.default_rng(1).integers(0, graph.n_nodes, OUTBREAKS).astype(np.int32)
    runner.run_each(users[:512], threads=1)  # compiled
    start = time.process_time()  # as tsir does: others may use this core, too
    found = runner.run_each(users, threads=1)
    took = time.process_time() - start
    return took / OUTBREAKS, float(found.values.mean())


def theirs(program: str, file: str, beta: float, nu: float, seed: int) -> tuple[float, float]:
    """The same of tsir, which times itself."""
    call = [program, file, str(beta), str(nu), str(seed)]
    text = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    size, seconds = re.search(r"size: (\S+)", text), re.search(r"\(s\): (\S+)", text)
    assert size is not None
    assert seconds is not None
    return float(seconds[1]), float(size[1])


def temporal(path: Path, quick: bool) -> dict[str, Any]:
    """Medians of the repeats, in turn."""
    program = os.environ.get("TSIR")
    measure.pin()
    table = pd.read_csv(path, sep=r"\s+", header=None, names=["source", "target", "time"])
    graph = dif.graph.TemporalGraph.from_pandas(table, time="time", directed=False)
    found: dict[str, Any] = {"nodes": graph.n_nodes, "contacts": len(table), "rows": []}
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "contacts.tsv"
        plain.write_bytes(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        for beta, nu in RATES:
            pairs = []
            for repeat in range(1 if quick else 5):
                pair = [ours(graph, beta, nu)]
                if program:
                    pair.append(theirs(program, str(plain), beta, nu, 1_000 + repeat))
                pairs.append(pair)
            for who, runs in zip(("this package", "tsir"), zip(*pairs, strict=True), strict=False):
                seconds, sizes = zip(*runs, strict=True)
                row = {"who": who, "beta": beta, "nu": nu, "seconds": statistics.median(seconds)}
                found["rows"].append(row | {"size": statistics.mean(sizes)})
                measure.say(
                    f"{who}, beta {beta:g}, nu {nu:g}: {row['seconds'] * 1e6:.2f} us, mean {statistics.mean(sizes):.3f}"
                )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="file of contacts")
    parser.add_argument("--quick", action="store_true", help="one repeat")
    given = parser.parse_args()
    temporal(given.path, given.quick)
