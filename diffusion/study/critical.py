"""Where R crosses 1 along one factor of a model, everything else at the base point, on every replicate of its graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .._version import __version__
from ..models.base import DiffusionModel
from ..theory.critical import critical_value
from .cell import radius_of
from .estimates import mean_over_graphs
from .graph_specs import GraphSpec, identity_of
from .graphs import Graphs, contents_of
from .models import ModelSpec
from .parts import Base, Critical

__all__ = ["Search", "critical_of", "searches_of"]


@dataclass(frozen=True)
class Search:
    """The search on one replicate: every model and every factor."""

    plan: Critical
    graph: GraphSpec
    replicate: int
    identity: str

    @property
    def on(self) -> tuple[GraphSpec, int]:
        """Graph and replicate that it is computed on."""
        return self.graph, self.replicate

    def on_graph(self, of: Callable[[GraphSpec], GraphSpec]) -> Search:
        """Return the search on another graph made from its own."""
        return replace(self, graph=of(self.graph))

    def compute(self, graphs: Graphs, seed: int) -> pd.DataFrame:
        """Find the critical values."""
        ready = graphs.get(self.graph, self.replicate)
        rows = []
        for spec in self.plan.models:
            graph = ready.simulated(spec)
            for factor, most in self.plan.ends:
                start = _value(spec, factor)
                R = radius_of(ready, spec)
                if math.isnan(start) or math.isnan(R):
                    continue

                def at(value: float, spec: ModelSpec = spec, factor: str = factor) -> DiffusionModel:
                    return spec.changed({factor: value}, "critical").model

                found = critical_value(graph, at, (0.0, max(most, start)), tol=1e-3)
                names = {"graph": self.graph.label, "model": spec.model.label, "rule": spec.rule_label}
                ends = {"most": found.high, "R_at_most": found.R_high}
                row = {"factor": factor, "value": start, "R": R, "critical": found.value, **ends}
                rows.append({**names, "model_name": spec.name, "replicate": self.replicate, **row})
        return pd.DataFrame(rows)


def _value(spec: ModelSpec, factor: str) -> float:
    """Value of a factor at the base point; NaN where the model has none."""
    if not spec.has(factor):
        return math.nan
    (_, table), *_ = spec.model.from_study_table(spec.model.study_numbers(spec.table), "critical")
    value = table.get(factor, 0.0)
    return float(value) if isinstance(value, int | float) else math.nan


def searches_of(plan: Critical | None, base: Base, replicates: int, seed: int) -> Iterator[Search]:
    """Yield the searches of a plan."""
    if plan is None:
        return
    contents = contents_of(base.graph)
    for replicate in range(replicates if base.graph.replicated else 1):
        models = [[m.name, m.to_dict()] for m in plan.models]
        parts = [plan.to_dict(), models, base.graph.key, contents, replicate, seed, __version__]
        yield Search(plan, base.graph, replicate, f"critical-{identity_of(parts)}")


def critical_of(searches: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return one row for each model and factor: means and intervals over the graphs on which R crosses 1."""
    if not len(searches):
        return pd.DataFrame()
    rows: list[dict[str, Any]] = []
    names = ["graph", "model", "rule", "model_name", "factor"]
    for key, own in searches.groupby(names, sort=False):
        ends = mean_over_graphs(own["critical"].to_numpy(float), confidence)
        row = dict(zip(names, key, strict=True)) | dict(
            zip(("critical", "critical_low", "critical_high"), ends, strict=True)
        )
        means = {name: float(own[name].mean()) for name in ("value", "R", "most", "R_at_most")}
        counts = {"crossed": int(np.isfinite(own["critical"]).sum()), "replicates": len(own)}
        rows.append({**row, **means, **counts})
    return pd.DataFrame(rows)
