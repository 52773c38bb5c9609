"""Write docs/internet.md: what Twitter-2010 and a platform of 300 million users would take, from measured constants.

Usage: python docs/internet.py

Every constant is read from tests/benchmarks/results.json, as `python tests/benchmarks/run.py` left it.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

HERE = Path(__file__).parent
RESULTS = HERE.parent / "tests" / "benchmarks" / "results.json"
BATCH = 512  # runs that one visit of an arc serves
HIGHEST = 2**31  # node ids, positions of reverse arcs and numbers of RR sets are int32
PLATFORMS = (
    ("Twitter-2010", 41_652_230, 1_468_365_182),
    ("300M users who follow 100", 300_000_000, 30_000_000_000),
)
EXECUTORS = "<!-- executors: measured efficiency -->"


def read() -> dict[str, Any]:
    """What the benchmarks measured, by section."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {name: section["found"] for name, section in found.items()}


def extrapolate(arcs: list[int], values: list[float], at: int) -> tuple[float, float]:
    """Value at a number of arcs, by a line over log10(arcs), and half the width of its 95 % prediction interval."""
    x, y = np.log10(arcs), np.asarray(values)
    fit = stats.linregress(x, y)
    rest = y - fit.intercept - fit.slope * x
    freedom = len(x) - 2
    error = math.sqrt(float(rest @ rest) / freedom)
    far = (math.log10(at) - x.mean()) ** 2 / float(((x - x.mean()) ** 2).sum())
    half = stats.t.ppf(0.975, freedom) * error * math.sqrt(1 + 1 / len(x) + far)
    return float(fit.intercept + fit.slope * math.log10(at)), float(half)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of markdown, numbers set to the right."""
    lines = [head, [":--"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def size(count: float) -> str:
    """A number of bytes in decimal units, three digits."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if count >= 10**power:
            return f"{count / 10**power:.3g} {unit}"
    return f"{count:.0f} bytes"


def measured(rows: list[dict[str, Any]]) -> str:
    """The scaled-down graphs."""
    lines = [
        [
            f"{r['nodes']:,} / {r['arcs']:,}", f"{r['arc_bytes']:.1f}", f"{r['node_bytes']:.1f}", f"{r['ns_visit']:.0f}",
            f"{r['visits'] / r['arcs']:.1f}", f"{1e9 * r['seconds']['build'] / r['arcs']:.0f}",
            f"{r['peaks']['build'] / r['arcs']:.0f}", f"{1e9 * r['seconds']['seed'] / r['arcs']:.0f}",
        ]
        for r in rows
    ]  # fmt: skip
    head = [
        "nodes / arcs", "bytes an arc", "bytes a node", "ns a visit", "visits an arc, 512 runs", "build: ns an arc",
        "build: peak bytes an arc", "50 seeds: ns an arc",
    ]  # fmt: skip
    return table(head, lines)


def arithmetic(name: str, nodes: int, arcs: int, found: dict[str, Any]) -> str:
    """What one platform takes, line by line, with the constant of each."""
    rows = found["scale"]["rows"]
    sizes, last = [r["arcs"] for r in rows], rows[-1]
    ns, ns_half = extrapolate(sizes, [r["ns_visit"] for r in rows], arcs)
    visits, visits_half = extrapolate(sizes, [r["visits"] / r["arcs"] for r in rows], arcs)
    graph = arcs * last["arc_bytes"] + nodes * last["node_bytes"]
    seconds = visits * arcs * ns * 1e-9
    share = math.hypot(ns_half / ns, visits_half / visits)
    state = {int(words): nodes * size_ for words, size_ in last["state_bytes"].items()}
    into = arcs * 12 + nodes * 8
    build = last["peaks"]["build"] / last["arcs"]
    per_arc = 1e9 * last["seconds"]["build"] / last["arcs"]
    drawn = [r for r in found["seeding"]["rows"] if r["graph"] == "M" and r["who"] == "this package"]
    many, few = max(drawn, key=lambda r: r["rr_sets"]), min(drawn, key=lambda r: r["rr_sets"])
    seed = 1e9 * last["seconds"]["seed"] / last["arcs"]
    lines = [
        ["graph file, mapped once by all processes of a host", f"{last['arc_bytes']:.0f} bytes an arc, {last['node_bytes']:.0f} a node", size(graph)],
        *([f"state of {64 * words} runs, each thread", f"{size_ / nodes:.0f} bytes a node", size(size_)] for words, size_ in state.items()),
        ["arcs grouped by target, for seeds and communities", "12 bytes an arc, 8 a node", size(into)],
        ["host of 16 threads, 512 runs each", "graph and 16 states", size(graph + 16 * state[8])],
        ["host of 16 threads, 64 runs each", "graph and 16 states", size(graph + 16 * state[1])],
        ["building the graph, peak", f"{build:.0f} bytes an arc", size(build * arcs)],
        ["building the graph, one thread", f"{per_arc:.0f} ns an arc", f"{per_arc * arcs * 1e-9 / 60:,.0f} min"],
        ["visits of 512 runs", f"{visits:.1f} ± {visits_half:.1f} an arc", f"{visits * arcs:.3g}"],
        ["512 runs, one thread", f"{ns:.0f} ± {ns_half:.0f} ns a visit", f"{seconds / 3600:.1f} h ± {share:.0%}"],
        ["runs an hour, one thread", "", f"{BATCH * 3600 / seconds:,.0f} ± {share:.0%}"],
        ["50 seeds, weighted cascade, one thread", f"{seed:.0f} ns an arc, mostly grouping by target", f"{seed * arcs * 1e-9 / 60:,.0f} min"],
        *([f"RR sets for 50 seeds, {r['rule']}", f"{r['rr_sets']:,} of {r['rr_size']:.1f} users: 4 bytes a member, 8 a set", size(r["rr_sets"] * (4 * r["rr_size"] + 8))] for r in (few, many)),
        ["sent back by 512 runs: sizes", "8 bytes a run", size(8 * BATCH)],
        ["sent back by a worker: counts of activations, once", "8 bytes a node", size(8 * nodes)],
        ["sent to a worker: seeds and key", "4 bytes a seed", size(4 * 50 + 8)],
        ["sent to a host, once: graph file, 10 Gbit/s", "1.25 GB a second", f"{graph / 1.25e9 / 60:.1f} min"],
    ]  # fmt: skip
    return f"### {name}: {nodes:,} nodes, {arcs:,} arcs\n\n" + table(["what", "measured constant", "amount"], lines)


def page(found: dict[str, Any]) -> str:
    """The whole page."""
    rows = found["scale"]["rows"]
    parts = [
        "# The plan for the internet",
        "What the package would take on a graph that no machine here holds. Amounts are constants measured on smaller graphs "
        "times sizes, and every constant stands beside its amount. `docs/internet.py` makes this page from "
        "`tests/benchmarks/results.json`.",
        "## Measured on graphs of the same tail",
        measured(rows),
        "Directed Chung-Lu graphs, expected followers with a tail of exponent 2.1, weighted cascade from the 50 creators with "
        "most followers, one thread. Bytes do not depend on the size. The cost of a visit and the number of visits rise with "
        "the logarithm of the arcs: caches hold a smaller share of the rows, and more steps reach more of the graph. Both are "
        f"extrapolated by a line over log10(arcs) through the {len(rows)} graphs, with its 95 % prediction interval (Student's "
        f"t, {len(rows) - 2} degree of freedom). The interval holds only if the line goes on: the largest graph measured has "
        f"{rows[-1]['arcs']:,} arcs, and real graphs have other tails and communities. Times of building and seeding are those of "
        "the largest graph, not extrapolated; the bytes of a set and the number of RR sets are those of the graph M (14.5M "
        "arcs). Peaks are of the whole process, Python included, and seeding on the smallest graph is mostly the loading of compiled "
        "kernels. The number of sets that a certificate takes grows with log n and with n over the spread: where seeds reach a "
        "fixed share of the users it stays nearly the same.",
        "## Arithmetic",
        *(arithmetic(*platform, found) for platform in PLATFORMS),
        "## What ends first",
        f"- **Node ids** are int32: {HIGHEST - 1:,} nodes at most, seven times the second platform. A larger list of labels is "
        "refused when the graph is built.",
        f"- **Positions of arcs** are int64, but those of reverse arcs are int32: rewiring and the spectral radius, which read "
        f"them, end at {HIGHEST - 1:,} arcs with an error. Twitter-2010 stays below, the second platform does not.",
        f"- **RR sets** are numbered by int32: {HIGHEST - 2:,} at most.",
        "- **Building** takes several times the memory of the graph, and is the first that no single host does for the second "
        "platform. Shard it first: sort the edge list by target range on disk, build the rows range by range, and write one "
        "file that hosts map.",
        "- **State, not the graph,** fills a host with many threads. Runs of 64 instead of 512 a thread take a fifth of the "
        "memory, and more visits.",
        "- The graph itself is sharded last: as long as a host holds it, a run never waits for the network.",
        "## Tasks of a cluster",
        "- A worker opens the memory-mapped graph file once (`FollowerGraph.load`); processes of one host share its pages.",
        f"- Runs are cut into ranges of {BATCH}. Run i depends on the key and on i alone, so that a lost range is done again "
        "anywhere, with the same numbers.",
        "- RR sets are cut by index range in the same way. A worker keeps its sets, and answers which of them a candidate "
        "covers: counts travel, 8 bytes for each user with a gain, not members.",
        "- Results are reduced before they travel: sizes of the runs (8 bytes each), new activations by step, and, once a "
        "worker, counts of activations (8 bytes a node).",
        "## Measured efficiency of executors",
        EXECUTORS,
        "See the table `executor` in [Speed](speed.md), once it has been measured."
        if "executor" not in found
        else "See the table `executor` in [Speed](speed.md).",
    ]
    return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


if __name__ == "__main__":
    (HERE / "internet.md").write_text(page(read()), encoding="utf-8")
