"""Section on executors: efficiency of two workers, against one thread of this process and against one worker."""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import graphs
import measure

import diffusion as dif
from diffusion.seeding import OPIM


@contextlib.contextmanager
def pool(count: int) -> Iterator[Any]:
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as executor:
        list(executor.map(warm, range(4 * count)))
        yield executor


@contextlib.contextmanager
def dask(count: int) -> Iterator[Any]:
    import distributed

    kinds: dict[str, Any] = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(**kinds, host="127.0.0.1", silence_logs=50) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(dif.warmup)
        yield client


def warm(_: int) -> float:
    return dif.warmup()


def executor(quick: bool) -> dict[str, Any]:
    """Runs, RR sets and cells on one thread, one worker and two."""
    name = "S"
    graph = graphs.follower_graph(name).with_probabilities("weighted_cascade")
    seeds = graphs.creators(graph, 50)
    runs, sets = (2048, 2**16) if quick else (2**15, 2**23)

    users = 2_000 if quick else 20_000

    def study(**how: Any) -> str:
        platform = {"users": users, "communities": 8}
        given = {"strategies": ["random", "degree"], "budgets": [10, 50], "mixing": [0.1, 0.4]}
        with tempfile.TemporaryDirectory() as folder:
            found = dif.Study(platform, **given, replicates=2 if quick else 4).run(Path(folder), rng=1, **how)
            return str(found.to_pandas()["reach"].tolist())

    works: dict[str, Callable[..., Any]] = {
        f"{runs:,} runs of IC on {name}": lambda **how: dif.spread(graph, seeds, runs=runs, rng=1, **how).mean,
        f"{sets:,} RR sets on {name}": lambda **how: (
            dif.select_seeds(graph, 50, method=OPIM(quality=0.999, max_rr_sets=sets), rng=1, **how).lower
        ),
        f"a study of {users:,} users": study,
    }
    rows = []
    for work, call in works.items():
        row: dict[str, Any] = {"work": work}
        call(threads=1)
        row["thread"], expected = measure.clock(lambda call=call: call(threads=1))
        for kind, made in (("processes", pool), ("dask", dask)):
            for count in (1, 2):
                try:
                    with made(count) as workers:
                        call(executor=workers)  # opens the graph
                        repeats = 1 if row["thread"] > 10 else 2
                        found = [measure.clock(lambda call=call, to=workers: call(executor=to)) for _ in range(repeats)]
                except ImportError as missing:
                    row[f"{kind}_missing"] = str(missing)
                    break
                row[f"{kind}_{count}"] = statistics.median(seconds for seconds, _ in found)
                row[f"{kind}_same"] = row.get(f"{kind}_same", True) and all(value == expected for _, value in found)
        measure.say(str(row))
        rows.append(row)
    return {"rows": rows}
