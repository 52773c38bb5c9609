"""The graphs that are measured: directed Chung-Lu graphs with heavy-tailed followers and followed accounts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import diffusion as dif

#: Name -> nodes, draws. Draws that repeat an arc are dropped, so the arcs are a few per cent fewer.
SIZES = {
    "XS": (10_000, 100_000),
    "S": (100_000, 1_000_000),
    "10M": (1_000_000, 10_270_000),
    "M": (1_000_000, 15_000_000),
    "5M": (5_000_000, 60_000_000),
    "L": (10_000_000, 101_800_000),
}
RULES: dict[str, dict[str, Any]] = {
    "wc": {"rule": "weighted_cascade"},
    "p=.01": {"rule": "constant", "p": 0.01},
    "p=.05": {"rule": "constant", "p": 0.05},
}
BLOCK = 1 << 22


def chung_lu(n: int, draws: int, seed: int = 1) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Sources and targets of the distinct arcs, sorted; the two expected degrees of a node do not depend on each other.

    Expected followers are a power law of exponent 2.1 cut at mean * n**0.6, expected followed accounts one of exponent
    2.3 cut at mean * n**0.5. Memory: 8 bytes a draw and 8 an arc.
    """
    draw = np.random.default_rng(seed)
    tables = []
    for tail, cut in ((1.3, 0.5), (1.1, 0.6)):
        weight = (1.0 - draw.random(n)) ** (-1.0 / tail)
        np.minimum(weight, weight.mean() * n**cut, out=weight)
        weight.cumsum(out=weight)
        tables.append(weight / weight[-1])
    into, out = tables
    keys = np.empty(draws, np.int64)
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        ends = []
        for table in (out, into):
            uniform = draw.random(size)
            uniform.sort()  # looking up sorted numbers walks through the table instead of jumping about in it
            ends.append(np.minimum(np.searchsorted(table, uniform, side="right"), n - 1))
        draw.shuffle(ends[1])
        keys[start : start + size] = ends[0] * n + ends[1]
    keys.sort()
    keep = keys % (n + 1) != 0  # u * n + v is a multiple of n + 1 exactly where u == v
    keep[1:] &= keys[1:] != keys[:-1]
    keys = keys[keep]
    source, target = np.empty(keys.size, np.int32), np.empty(keys.size, np.int32)
    for start in range(0, keys.size, BLOCK):
        part = slice(start, start + BLOCK)
        source[part], target[part] = np.divmod(keys[part], n)
    return source, target


def follower_graph(name: str) -> dif.FollowerGraph:
    """Graph of `SIZES` with labels 0, 1, ..."""
    n, draws = SIZES[name]
    source, target = chung_lu(n, draws)
    return dif.FollowerGraph.from_arrays(source, target, nodes=np.arange(n), directed=True, edges_mean="influences")


def creators(graph: dif.FollowerGraph, count: int = 50) -> list[Any]:
    """Labels of the nodes with most followers."""
    degree = graph.out_degree
    labels: list[Any] = degree.index[np.argsort(-degree.to_numpy(), kind="stable")[:count]].tolist()
    return labels


def graph_bytes(graph: dif.FollowerGraph, *, into: bool = False) -> dict[str, int]:
    """Bytes of the arrays a graph holds, by name; `into`: with the arcs grouped by target."""
    arcs = graph._arcs
    numeric = graph.nodes.dtype.kind in "iuf"
    found = {"labels": int(graph.nodes.to_numpy().nbytes if numeric else graph.nodes.memory_usage())}
    for name in ("order", "indptr", "indices", "multiplicity", "weight", "time"):
        array = getattr(arcs, name)
        if array is not None:
            found[name] = int(array.nbytes)
    if graph.probabilities is not None:
        found["probabilities"] = int(graph.probabilities.values.nbytes)
    if into:
        for name in ("indptr", "sources", "arc"):
            found[f"in-arcs {name}"] = int(getattr(graph.csr.into, name).nbytes)
    return found
