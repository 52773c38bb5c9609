"""Do fits foretell held-out adoptions better than a background without influence, whichever items are held out?

    python tests/benchmarks/splits.py FOLDER

FOLDER holds the MS-HGAT and TopoLSTM files. Every log is split four times by time and six times at random; the log losses
of EM and of the background alone stand side by side.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import diffusion as dif
from diffusion.inference import ActionLog, compare_fits, fit_probabilities, read_cascades


def logs(folder: Path) -> Iterator[tuple[str, dif.FollowerGraph, ActionLog]]:
    """Name, graph and log."""
    for name in ("android", "christianity"):
        edges, cascades = (folder / f"mshgat-{name}-{what}.txt.gz" for what in ("edges", "cascades"))
        yield name, dif.read_edges(edges, directed=True, edges_mean="follows"), read_cascades(cascades)
    parts = {part: read_cascades(folder / f"topolstm-twitter-{part}.txt.gz").to_pandas() for part in ("train", "test")}
    table = pd.concat([part.assign(item=name + part["item"].astype(str)) for name, part in parts.items()])
    graph = dif.read_edges(folder / "topolstm-twitter-graph.txt.gz", directed=True, edges_mean="follows")
    yield "twitter", graph, ActionLog.from_pandas(table)


def splits(log: ActionLog) -> Iterator[tuple[str, ActionLog, ActionLog]]:
    """Name, log to learn from, log to test on."""
    for share in (0.6, 0.7, 0.8, 0.9):
        yield f"first {share:.0%}", *log.split(share)
    for key in range(6):
        test = np.random.default_rng(key).choice(np.array(log.items), round(0.2 * log.n_items), replace=False)
        yield f"random {key}", log.select(log.items.difference(test)), log.select(test)


def main() -> None:
    """Print the table and how often EM is ahead."""
    rows = []
    for name, graph, log in logs(Path(sys.argv[1])):
        for split, train, test in splits(log):
            table = compare_fits({"EM": fit_probabilities(graph, train)}, test).table
            rows.append(
                (
                    name,
                    split,
                    *table.loc["EM", ["auc", "log_loss"]],
                    *table.loc["background alone", ["auc", "log_loss"]],
                )
            )
    columns = ["log", "split", "EM: AUC", "log loss", "background alone: AUC", "log loss without influence"]
    found = pd.DataFrame(rows, columns=columns)
    print(found.round(4).to_string(index=False))
    ahead = found["log loss"] < found["log loss without influence"]
    print(ahead.groupby([found["log"], found["split"].str.startswith("first")], sort=False).agg(["sum", "size"]))


if __name__ == "__main__":
    main()
