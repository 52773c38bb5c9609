"""All live-edge worlds of a small graph at once: exact expected reach of any seeds, as a whole and by group."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffusion import FollowerGraph


class Worlds:
    """For up to some 14 arcs (IC) and 14 nodes; `nodes` are those of the graph, in its order."""

    def __init__(self, graph: FollowerGraph, model: str = "ic") -> None:
        table = graph.to_pandas()
        at = {label: i for i, label in enumerate(graph.nodes.tolist())}
        u = [at[x] for x in table["source"]]
        v = np.array([at[x] for x in table["target"]], int)
        p = table["probability"].to_numpy(np.float64)
        n = graph.n_nodes
        if model == "ic":
            live = np.array(list(itertools.product([False, True], repeat=len(p))), bool).reshape(2 ** len(p), len(p))
            self.mass = np.prod(np.where(live, p, 1 - p), axis=1)
        else:
            kept = np.array(list(itertools.product(*[[-1, *np.flatnonzero(v == t).tolist()] for t in range(n)])))
            live = np.zeros((len(kept), len(p)), bool)
            self.mass = np.ones(len(kept))
            for t in range(n):
                chosen = kept[:, t]
                live[np.flatnonzero(chosen >= 0), chosen[chosen >= 0]] = True
                self.mass *= np.where(chosen >= 0, p[chosen] if len(p) else 0, 1 - p[v == t].sum())
        self.reach = np.tile(1 << np.arange(n), (len(live), 1))
        for _ in range(n):
            for j in range(len(p)):
                self.reach[:, u[j]] |= np.where(live[:, j], self.reach[:, v[j]], 0)
        self._at, self._n = at, n

    def activation(self, seeds: Iterable[Any]) -> NDArray[np.float64]:
        """Probability that each node becomes active."""
        together = np.zeros(len(self.mass), np.int64)
        for label in seeds:
            together |= self.reach[:, self._at[label]]
        found: NDArray[np.float64] = self.mass @ (together[:, None] >> np.arange(self._n) & 1)
        return found
