"""Sections on getting started: reading edges, loading a saved graph, importing and compiling.

Run as a script this file is the child process that does one of these things and prints what it measured.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import measure

HEAVY = ("numba", "llvmlite", "pandas", "scipy", "matplotlib", "igraph", "networkx", "pyarrow")


def child(*arguments: object, code: str | None = None, **environment: str) -> dict[str, Any]:
    """What a fresh interpreter prints as JSON on its last line."""
    what = ["-c", code] if code is not None else [__file__]
    found = subprocess.run(
        [sys.executable, *what, *map(str, arguments)], cwd=measure.ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode:
        raise RuntimeError(f"the child process {arguments} failed:\n{found.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return answer


# -- data in -----------------------------------------------------------------------------------------------------------


def data(quick: bool) -> dict[str, Any]:
    """Text to graph, pandas to graph, and loading a saved graph."""
    rows = 1_000_000 if quick else 15_000_000
    with tempfile.TemporaryDirectory() as folder:
        text, saved = Path(folder) / "edges.tsv", Path(folder) / "graph.dif"
        measure.say(f"writing {rows:,} arcs as text")
        made = child("write", rows, text)
        found = {"rows": rows, "text_bytes": made["bytes"], "read": child("read", text, saved)}
        measure.say(f"read: {found['read']['seconds']:.1f} s, peak {found['read']['peak_ratio']:.2f} x the graph")
        found["load"] = [child("load", saved) for _ in range(measure.repeats(quick))]
        measure.say(f"load: {found['load'][0]['open']:.3f} s and {found['load'][0]['touch']:.3f} s to touch all")
        for dtype in ("str",) if quick else ("str", "object"):
            found[f"pandas_{dtype}"] = child("pandas", rows, dtype)
            measure.say(f"from_pandas, {dtype}: {found[f'pandas_{dtype}']['seconds']:.1f} s")
    return found


def _rows(rows: int) -> tuple[Any, Any]:
    """Distinct arcs of a graph like M in random order."""
    import graphs
    import numpy as np

    n = max(rows // 15, 1000)
    source, target = graphs.chung_lu(n, int(rows * 1.15))
    order = np.random.default_rng(2).permutation(source.size)[:rows]
    return source[order], target[order]


def _write(rows: str, path: str) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.csv as pc

    source, target = _rows(int(rows))
    options = pc.WriteOptions(include_header=False, delimiter="\t")
    pc.write_csv(pa.table({"u": source, "v": target}), path, options)
    return {"bytes": Path(path).stat().st_size}


def _tiny() -> None:
    """Do everything once on a graph of three nodes, so that imports and compiled code are not counted."""
    import pandas as pd

    import diffusion as dif

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edges.tsv"
        path.write_text("1\t2\n2\t3\n", encoding="ascii")
        dif.read_edges(path, edges_mean="influences", directed=True)
    frame = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"]})
    dif.FollowerGraph.from_pandas(frame, edges_mean="influences", directed=True)


def _peak(call: Any) -> tuple[Any, dict[str, Any]]:
    import graphs

    measure.reset_peak()
    base = measure.resident_bytes() if measure.reset_peak() else measure.peak_bytes()
    seconds, graph = measure.clock(call)
    above = measure.peak_bytes() - base
    parts = graphs.graph_bytes(graph)
    final = sum(parts.values())
    found = {
        "seconds": seconds, "nodes": graph.n_nodes, "arcs": graph.n_edges, "base": base, "peak": above, "parts": parts,
        "final": final, "peak_ratio": above / final,
    }  # fmt: skip
    return graph, found


def _read(text: str, saved: str) -> dict[str, Any]:
    import graphs

    import diffusion as dif

    _tiny()
    graph, found = _peak(lambda: dif.read_edges(text, edges_mean="influences", directed=True))
    found["probabilities_seconds"], graph = measure.clock(lambda: graph.with_probabilities("weighted_cascade"))
    found["into_seconds"], _ = measure.clock(lambda: graph.csr.into)
    found["all_parts"] = graphs.graph_bytes(graph, into=True)
    found["save_seconds"], _ = measure.clock(lambda: graph.save(saved))
    found["saved_bytes"] = Path(saved).stat().st_size
    return found


def _load(saved: str) -> dict[str, Any]:
    import diffusion as dif

    _tiny()
    seconds, graph = measure.clock(lambda: dif.FollowerGraph.load(saved))
    touch, _ = measure.clock(
        lambda: (int(graph.csr.indices.sum(dtype="int64")), float(graph.probabilities.values.sum(dtype="float64")))
    )
    return {"open": seconds, "touch": touch}


def _pandas(rows: str, dtype: str) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    import diffusion as dif

    _tiny()
    source, target = _rows(int(rows))
    names = pd.array([f"user_{i:07d}" for i in range(int(max(source.max(), target.max())) + 1)], dtype="str")
    if dtype == "object":
        frame = pd.DataFrame({k: np.asarray(names, object)[v] for k, v in (("source", source), ("target", target))})
    else:
        frame = pd.DataFrame({"source": names.take(source), "target": names.take(target)})
    del source, target
    _, found = _peak(lambda: dif.FollowerGraph.from_pandas(frame, edges_mean="influences", directed=True))
    return found | {"dtype": str(frame["source"].dtype)}


# -- start-up ----------------------------------------------------------------------------------------------------------

IMPORT = f"""
import json, sys, time
before = len(sys.modules)
start = time.perf_counter()
import diffusion
seconds = time.perf_counter() - start
print(json.dumps({{"seconds": seconds, "modules": len(sys.modules) - before,
                  "heavy": [name for name in {HEAVY!r} if name in sys.modules]}}))
"""
FIRST = """
import json, time
start = time.perf_counter()
import diffusion as dif
g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], edges_mean="influences", directed=True)
g = g.with_probabilities("constant", p=0.5)
ready = time.perf_counter()
dif.simulate(g, [0], runs=1000, rng=7)
end = time.perf_counter()
print(json.dumps({"graph": ready - start, "call": end - ready, "all": end - start}))
"""
WARM = """
import json
import diffusion as dif
print(json.dumps({"seconds": dif.warmup()}))
"""


def start(quick: bool) -> dict[str, Any]:
    """Import, first call with a filled cache, and compiling all simulation kernels with an empty one."""
    child(code=FIRST)
    imports = [child(code=IMPORT) for _ in range(measure.repeats(quick))]
    calls = [child(code=FIRST) for _ in range(measure.repeats(quick))]
    with tempfile.TemporaryDirectory() as folder:
        measure.say("compiling with an empty cache")
        cold = child(code=WARM, NUMBA_CACHE_DIR=folder)["seconds"]
        warm = child(code=WARM, NUMBA_CACHE_DIR=folder)["seconds"]
    found = {name: statistics.median(c[name] for c in calls) for name in ("graph", "call", "all")}
    found |= {"import": statistics.median(i["seconds"] for i in imports), "cold": cold, "warm": warm}
    measure.say(f"import {found['import']:.3f} s, first call {found['call']:.2f} s, compiling {cold:.0f} s")
    return found | {"modules": imports[0]["modules"], "heavy": imports[0]["heavy"]}


if __name__ == "__main__":
    work = {"write": _write, "read": _read, "load": _load, "pandas": _pandas}[sys.argv[1]]
    print(json.dumps(work(*sys.argv[2:])))
