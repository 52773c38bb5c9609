"""Sobol indices of log reach and log R: evaluations of a base sample, and the indices with bootstrap intervals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from .._random import derive_key, generator
from .._version import __version__
from ..simulation.runner import prepare
from .cell import radius_of, world_key
from .graph_specs import GraphSpec, identity_of
from .graphs import Graphs, contents_of, prepare_graph
from .parts import Sensitivity
from .seeds import Seeds

__all__ = ["CHANCE", "Sample", "indices_of", "samples_of"]

CHANCE = "graph and draw"  # an input like the others: which graph, seeds and worlds were drawn
RUNS = 64  # simulated spreads of an evaluation
RESAMPLES = 999
MEASURES = {"log reach": "reach", "log R": "R"}


@dataclass(frozen=True)
class Sample:
    """One base sample: the points A and B, and A with one input at a time taken from B."""

    plan: Sensitivity
    number: int
    inputs: tuple[str, ...]
    A: NDArray[np.float64]
    B: NDArray[np.float64]
    identity: str

    @property
    def graph(self) -> GraphSpec:
        """Graph that it is computed on."""
        return self.plan.graph

    def on_graph(self, of: Callable[[GraphSpec], GraphSpec]) -> Sample:
        """Return the sample on another graph made from its own."""
        return replace(self, plan=replace(self.plan, graph=of(self.graph)))

    def blocks(self) -> list[tuple[str, dict[str, float]]]:
        """Return name and quantiles of every evaluation."""
        found = [("A", self.A), ("B", self.B)]
        for i, name in enumerate(self.inputs):
            mixed = self.A.copy()
            mixed[i] = self.B[i]
            found.append((name, mixed))
        return [(name, dict(zip(self.inputs, map(float, u), strict=True))) for name, u in found]

    def compute(self, graphs: Graphs, seed: int) -> pd.DataFrame:
        """Evaluate every block; blocks that share their graph share its build and its rankings."""
        plan = self.plan
        built: dict[tuple[str, int], Any] = {}
        rows = []
        for block, u in self.blocks():
            chance = int(u.pop(CHANCE) * 2**31)
            point, small_share = plan.point(u)
            name = (point.graph.key, chance)
            if name not in built:
                built[name] = prepare_graph(point.graph, chance, seed)
            ready = built[name]
            graph = ready.simulated(point.model)
            seeds = Seeds(seed)
            chosen = seeds.mixed(point, ready, small_share) if plan.splits else seeds.take(point, ready)
            key = world_key(seed, f"chance {chance}", point.model, plan.model.name)
            runs = prepare(graph, point.model.model, chosen.seeds, key).run(0, RUNS, threads=1)
            reach = float(runs.new[..., 0].sum(axis=1).mean())
            values = {r.input: r.at(u[r.input]) for r in plan.ranges}
            rows.append(
                {"sample": self.number, "block": block, "reach": reach, "R": radius_of(ready, point.model, plan.model)}
                | values
            )
        return pd.DataFrame(rows)


def samples_of(plan: Sensitivity | None, seed: int) -> list[Sample]:
    """Return the base samples of a plan: a scrambled Sobol sequence, half of whose columns are A and half B."""
    if plan is None:
        return []
    contents = contents_of(plan.graph)
    inputs = (*(r.input for r in plan.ranges), CHANCE)
    d = len(inputs)
    sequence = stats.qmc.Sobol(2 * d, rng=generator(derive_key(seed, "sensitivity"))).random(plan.samples)
    found = []
    for number, u in enumerate(sequence):
        parts = [plan.to_dict(), plan.graph.key, plan.model.to_dict(), contents, number, RUNS, seed, __version__]
        found.append(Sample(plan, number, inputs, u[:d], u[d:], f"sample-{identity_of(parts)}"))
    return found


def indices_of(
    samples: pd.DataFrame, plan: Sensitivity, inputs: Sequence[str], confidence: float, seed: int
) -> pd.DataFrame:
    """Return first-order and total Sobol indices (Saltelli et al. 2010) with percentile bootstrap intervals."""
    labels = {r.input: r.label for r in plan.ranges} | {CHANCE: "graphs, seeds and spreads drawn anew"}
    rows = []
    for measure, column in MEASURES.items():
        wide = samples.pivot(index="sample", columns="block", values=column)[["A", "B", *inputs]].to_numpy(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            wide = np.log(wide)
        wide = wide[np.isfinite(wide).all(axis=1)]
        n = 2 ** int(math.log2(len(wide))) if len(wide) else 0
        if n < 4:
            continue
        y: Any = {"f_A": wide[None, :n, 0], "f_B": wide[None, :n, 1], "f_AB": wide[:n, 2:].T[:, None, :]}
        found = stats.sobol_indices(func=y, n=n, rng=generator(derive_key(seed, "bootstrap")))
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            # An input that changes nothing at all, such as the budget for R, has an index of exactly 0 and no spread.
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            spread = found.bootstrap(confidence_level=confidence, n_resamples=RESAMPLES)
        for i, name in enumerate(inputs):
            row: dict[str, Any] = {"measure": measure, "input": name, "range": labels[name]}
            for order in ("first", "total"):
                value = float(np.ravel(getattr(found, f"{order}_order"))[i])
                interval = getattr(spread, f"{order}_order").confidence_interval
                ends = (float(np.ravel(end)[i]) for end in (interval.low, interval.high))
                row |= dict(zip((order, f"{order}_low", f"{order}_high"), (value, *ends), strict=True))
            rows.append(row | {"samples": n, "evaluations": n * (len(inputs) + 2)})
    return pd.DataFrame(rows)
