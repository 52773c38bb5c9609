"""A lower bound of the spread of seeds by forward runs, where RR sets would hold a large part of the graph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..simulation.runner import Runner

__all__ = ["betting_low", "forward_bound"]

STAKES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95])
HALVINGS = 40


def betting_low(values: NDArray[Any], alpha: float) -> float:
    """Lower bound of the mean of independent values from 0, wrong with probability at most `alpha`.

    If the mean were m, a gambler who stakes a share c of his money on every value x, at fair odds x / m, would have 1 on
    average, so he has 1 / alpha or more with probability at most alpha (Markov). The bound is the m at which the average
    over some fixed stakes reaches that (betting: Waudby-Smith and Ramdas 2024). Values need no upper limit; where they
    hardly vary, the bound is within about log(1 / alpha) / n of their mean, as a share.
    """
    distinct, count = np.unique(np.asarray(values, np.float64), return_counts=True)
    low, high = 0.0, float(values.mean())
    if high <= 0:
        return 0.0
    for _ in range(HALVINGS):
        m = 0.5 * (low + high)
        money = np.log1p(STAKES[:, None] * (distinct / m - 1.0)) @ count
        top = float(money.max())
        if top + math.log(float(np.exp(money - top).mean())) >= -math.log(alpha):
            low = m
        else:
            high = m
    return low


def forward_bound(
    graph: FollowerGraph,
    model: DiffusionModel,
    seeds: NDArray[np.int32],
    key: int,
    runs: int,
    alpha: float,
    threads: int,
) -> tuple[float, float]:
    """Mean size of so many runs from seeds (internal nodes), and a lower bound of the spread."""
    sizes = Runner(model.compile(graph), seeds, key).run(0, runs, threads=threads, show=False).values
    return float(sizes.mean()), betting_low(sizes, alpha)
