"""Section on where the time goes: what an arc visit costs against what this machine can do."""

from __future__ import annotations

from typing import Any

import graphs
import measure
import numba
import numpy as np
from numpy.typing import NDArray

import diffusion as dif
from diffusion.kernels.coins import (
    ALWAYS,
    LANES,
    TAG_IC,
    WORDS,
    coin_base,
    eight_bases,
    eight_coins,
    popcount,
    row_absorb,
    row_below,
    threshold_of,
    world_of,
)
from diffusion.kernels.lanes import FEW, list_few

ARC_BYTES = 8  # target (int32) and probability (float32): read one after the other
ROW_BYTES = 16 * WORDS  # seen and pending of a target: two cache lines, found at random


@numba.njit(nogil=True)
def count_visits(indptr, indices, p, seeds, key):
    """Arc visits of 512 runs of IC and what becomes of them.

    -> visits; by rows with at most FEW active lanes; lanes of those; visits with a live coin; live visits that add a lane.
    """
    n = indptr.size - 1
    state = np.zeros(2 * n * WORDS, np.uint64)
    active = np.empty(n * WORDS, np.uint64)
    live = np.zeros(WORDS, np.uint64)
    few = np.empty(FEW, np.int64)
    queued = np.zeros(n, np.uint8)
    frontier, following = np.empty(n, np.int32), np.empty(n, np.int32)
    world = world_of(key, TAG_IC, 0)
    step = 0 if p.size == 1 else 1
    found = np.zeros(5, np.int64)
    size = 0
    for s in seeds:
        for w in range(WORDS):
            state[s * 2 * WORDS + w] = state[s * 2 * WORDS + WORDS + w] = ~np.uint64(0)
        frontier[size] = s
        size += 1
    while size:
        for i in range(size):
            u = np.int64(frontier[i])
            queued[u] = 0
            for w in range(WORDS):
                active[i * WORDS + w] = state[u * 2 * WORDS + WORDS + w]
                state[u * 2 * WORDS + WORDS + w] = 0
        following_size = 0
        for i in range(size):
            u = frontier[i]
            lanes = list_few(active, i * WORDS, WORDS, few)
            degree = indptr[u + 1] - indptr[u]
            found[0] += degree
            if lanes <= FEW:
                found[1] += degree
                found[2] += degree * lanes
            for j in range(indptr[u], indptr[u + 1]):
                high = threshold_of(p[j * step])
                if high < ALWAYS:
                    if row_below(active, i * WORDS, live, 0, high, coin_base(world, j)) == 0:
                        continue
                else:
                    for w in range(WORDS):
                        live[w] = active[i * WORDS + w]
                found[3] += 1
                v = np.int64(indices[j])
                if row_absorb(live, 0, state, v * 2 * WORDS):
                    found[4] += 1
                    if not queued[v]:
                        queued[v] = 1
                        following[following_size] = v
                        following_size += 1
        frontier, following = following, frontier
        size = following_size
    return found


@numba.njit(nogil=True)
def _stream(values):
    total = np.int64(0)
    for x in values:
        total += x
    return total


@numba.njit(nogil=True)
def _rows(state, targets):
    """Read and write both cache lines of each target's row; the accesses do not wait for each other."""
    for v in targets:
        at = np.int64(v) * 2 * WORDS
        state[at] += np.uint64(1)
        state[at + WORDS] += np.uint64(1)


@numba.njit(nogil=True)
def _chase(following, steps):
    at = 0
    for _ in range(steps):
        at = following[at]
    return at


@numba.njit(nogil=True)
def _coins(p, count):
    """Coins of `count` arcs for 512 active lanes: no memory but the first cache."""
    row = np.full(WORDS, ~np.uint64(0))
    out = np.zeros(WORDS, np.uint64)
    world = world_of(np.uint64(1), TAG_IC, 0)
    some = np.uint64(0)
    step = 0 if p.size == 1 else 1
    for j in range(count):
        some |= row_below(row, 0, out, 0, threshold_of(p[j * step]), coin_base(world, j))
    return popcount(some)


@numba.njit(nogil=True)
def _coins_of_few(p, count):
    """One lane's coins of `count` arcs by their first four bits, eight at once as the kernel takes them."""
    coins = np.zeros((4, 8), np.uint64)
    step = 0 if p.size == 1 else 1
    world = world_of(np.uint64(1), TAG_IC, 0)
    total = np.uint64(0)
    for start in range(0, count, 8):
        for k in range(8):
            coins[0, k] = start + k
            coins[3, k] = threshold_of(p[(start + k) * step])
        eight_bases(world, coins[0], 0, coins[1])
        total += eight_coins(coins[1], 0, 3, 5, coins[2], coins[3])
    return total


def _aligned(words: int) -> NDArray[np.uint64]:
    raw = np.zeros(words + 16, np.uint64)
    skip = (-raw.ctypes.data) % 128 // 8
    return raw[skip : skip + words]


def _best(call: Any, count: float, repeats: int) -> float:
    """Nanoseconds a piece, the best of some tries after one that compiles."""
    call()
    return 1e9 * min(measure.clock(call)[0] for _ in range(repeats)) / count


def machine_limits(quick: bool) -> dict[str, Any]:
    """Bandwidth, cache lines at random, and latency."""
    tries = measure.repeats(quick)
    big = np.ones((1 << 24) if quick else (1 << 27), np.int64)
    found: dict[str, Any] = {"stream_gb": 8.0 / _best(lambda: _stream(big), big.size, tries)}
    draw = np.random.default_rng(1)
    lines = {}
    for n in (100_000, 1_000_000) if quick else (100_000, 1_000_000, 10_000_000):
        state = _aligned(2 * n * WORDS)
        targets = draw.integers(0, n, 2_000_000).astype(np.int32)
        lines[str(n)] = _best(lambda state=state, targets=targets: _rows(state, targets), targets.size, tries)
    found["row_ns"] = lines
    order = draw.permutation(big.size // 4)
    following = np.empty(order.size, np.int64)
    following[order] = np.roll(order, -1)
    found["latency_ns"] = _best(lambda: _chase(following, 1_000_000), 1_000_000, tries)
    return found


def roofline(quick: bool) -> dict[str, Any]:
    """Floors of the cost of an arc visit, and the cost measured."""
    measure.pin()
    limits = machine_limits(quick)
    measure.say(
        f"streaming {limits['stream_gb']:.1f} GB/s, latency {limits['latency_ns']:.0f} ns, a row at random "
        + ", ".join(f"{ns:.1f} ns of {int(n):,}" for n, ns in limits["row_ns"].items())
    )
    tries = measure.repeats(quick)
    rows = []
    for where in ("S",) if quick else ("S", "M"):
        graph = graphs.follower_graph(where)
        seeds = graphs.creators(graph)
        state = _aligned(2 * graph.n_nodes * WORDS)
        some = np.random.default_rng(1).choice(graph.csr.indices, 1_000_000)
        row_ns = _best(lambda state=state, some=some: _rows(state, some), some.size, tries)
        for rule, options in graphs.RULES.items():
            weighted = graph.with_probabilities(**options)
            p = weighted.probabilities.values  # type: ignore[union-attr]
            count = min(graph.n_edges, 1_000_000)
            coin_ns = _best(lambda p=p, count=count: _coins(p, count), count, tries)
            few_ns = _best(lambda p=p, count=count: _coins_of_few(p, count // 8 * 8), count, tries)
            visits, by_few, few_lanes, live, added = count_visits(
                graph.csr.indptr, graph.csr.indices, p, graph.index.internal(seeds), np.uint64(1)
            ).tolist()

            def run(
                runs: int, rng: int, g: dif.FollowerGraph = weighted, seeds: list[Any] = seeds
            ) -> dif.results.Ensemble:
                return dif.simulate(g, seeds, runs=runs, rng=rng, threads=1)

            run(1, 0)
            took, _ = measure.clock(lambda run=run: run(LANES, 0))
            # Enough runs that laying out the state is a small part; the best of some tries, as for the floors.
            runs = measure.runs_for(took / LANES, 0.3 if quick else 1.0, step=LANES, most=16 * LANES)
            times = []
            for i in range(tries):
                took, ens = measure.clock(lambda i=i, run=run, runs=runs: run(runs, i))
                times.append(1e9 * took / ens.provenance["arc_visits"])
            row = {
                "graph": where, "rule": rule, "visits": visits, "few": by_few / visits, "live": live / visits,
                "added": added / visits, "ns": min(times), "stream": ARC_BYTES / limits["stream_gb"],
                "coins": coin_ns * (1 - by_few / visits) + few_ns * few_lanes / visits,
                "rows": row_ns * live / visits, "coin_ns": coin_ns, "few_ns": few_ns, "row_ns": row_ns,
            }  # fmt: skip
            row["floor"] = row["stream"] + row["coins"] + row["rows"]
            measure.say(
                f"{where} {rule}: {row['ns']:.1f} ns a visit; stream {row['stream']:.1f}, coins {row['coins']:.1f}, "
                f"rows {row['rows']:.1f}"
            )
            rows.append(row)
    return {"limits": limits, "rows": rows}
