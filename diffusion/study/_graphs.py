"""Graphs of a study: built, given tiers and probabilities, and described for the report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._random import derive_key, generator
from ..cascades.models import LT
from ..errors import NotFoundError
from ..graph._probabilities import lt_bounds
from ..graph.communities import modularity_and_mixing
from ..graph.creators import TIER_SHARES, with_creator_tiers
from ..graph.follower_graph import FollowerGraph
from ..graph.generate import generate_platform
from ..graph.read import read_edges
from ..seeding.heuristics import TIER_STRATEGIES
from .design import GraphSpec, ModelSpec, StudyDesign

__all__ = ["PreparedGraph", "graph_card", "prepare_graph"]


@dataclass
class PreparedGraph:
    """A graph of the study with everything its cells share."""

    spec: GraphSpec
    graph: FollowerGraph
    by_rule: dict[ModelSpec, FollowerGraph]
    tiers_note: str | None

    def fingerprint(self, model: ModelSpec) -> str:
        """Hash of all of the graph that a cell depends on: arcs, probabilities, communities, tiers and prices."""
        digest = hashlib.blake2b(self.by_rule[model].fingerprint.encode(), digest_size=16)
        for name in ("community", "tier", "price"):
            column = self.graph._node_data.get(name)
            digest.update(b"-" if column is None else repr(pd.Series(column).astype(object).tolist()).encode())
        return digest.hexdigest()


def prepare_graph(spec: GraphSpec, design: StudyDesign) -> PreparedGraph:
    """Build a graph, give it creator tiers where it has none, and apply every rule to it."""
    graph = _load_graph(spec, design.seed)
    note = None
    missing = [name for name in ("tier", "price") if name not in graph._node_data]
    if missing:  # what the graph brings stays as it is
        made = with_creator_tiers(graph)._node_data
        graph = graph.with_node_data({name: made[name] for name in missing})
    if missing or spec.kind != "object":
        shares = ", ".join(f"{tier} the top {share:.1%}" for tier, share in TIER_SHARES.items())
        note = (
            f"Creator tiers are set by quantile of followers on this graph ({shares}, amateurs the rest), since it is smaller "
            "than the platform; prices follow the tier and are third-party market figures for Xiaohongshu, not measurements."
        )
    by_rule: dict[ModelSpec, FollowerGraph] = {}
    for model in design.models:
        if model.rule is None:
            by_rule[model] = graph
            continue
        by_rule[model] = model.rule.apply(graph, generator(derive_key(design.seed, "rule", model.rule.label)))
        if isinstance(model.model, LT):
            lt_bounds(by_rule[model])  # refuses weights that sum to more than 1, before anything runs
    return PreparedGraph(spec, graph, by_rule, note)


def _load_graph(spec: GraphSpec, seed: int) -> FollowerGraph:
    if spec.given is not None:
        return spec.given
    if spec.kind == "platform":
        return generate_platform(**spec.parameters, rng=generator(derive_key(seed, "platform")))
    if spec.kind == "dataset":
        from ..datasets import load

        try:
            return load(spec.parameters["name"])
        except NotFoundError as error:
            raise NotFoundError(f"graph.dataset: {error}") from None
    given = dict(spec.parameters)
    return read_edges(given.pop("file"), **given)


def graph_card(ready: PreparedGraph) -> dict[str, Any]:
    """Facts about a graph, for the report."""
    graph = ready.graph
    followers = np.sort(graph._out_degree)[::-1]
    levels = np.unique(np.concatenate([[1], np.geomspace(1, max(int(followers[0]), 1), 40).round()])).astype(int)
    card: dict[str, Any] = {
        "label": ready.spec.label, "source": _source(ready.spec), "fingerprint": graph.fingerprint,
        "n_nodes": graph.n_nodes, "n_edges": graph.n_edges, "edges_mean": graph.edges_mean, "directed": graph.directed,
        "rows": graph.rows, "dropped_self_loops": graph.dropped_self_loops, "dropped_parallel": graph.dropped_parallel,
        "mean_followers": float(followers.mean()), "max_followers": int(followers[0]),
        "reciprocity": None if np.isnan(graph.reciprocity) else graph.reciprocity,
        "follower_ccdf": [[int(k), float((followers >= k).mean())] for k in levels],
        "n_communities": None, "modularity": None, "mixing": None, "communities_from": None,
        "tiers": _tiers(graph), "tiers_note": ready.tiers_note,
    }  # fmt: skip
    if "community" in graph._node_data:
        card.update(_community_card(graph))
    return card


def _source(spec: GraphSpec) -> str:
    if spec.kind == "platform":
        return "generated follower graph (degree-corrected planted partition)"
    if spec.kind == "object":
        return "a FollowerGraph given in Python"
    return f"data set {spec.parameters['name']}" if spec.kind == "dataset" else f"edge file {spec.label}"


def _community_card(graph: FollowerGraph) -> dict[str, Any]:
    """Facts about the communities a graph brings; nodes without one count as a community of their own."""
    codes, names = pd.factorize(graph.node_data["community"].to_numpy(), use_na_sentinel=False)
    modularity, mixing = modularity_and_mixing(graph, codes[graph._arcs.order])
    return {
        "n_communities": len(names),
        "modularity": modularity,
        "mixing": mixing,
        "communities_from": "the node attribute community",
    }


def _tiers(graph: FollowerGraph) -> list[dict[str, Any]]:
    data = graph.node_data.assign(followers=graph.out_degree.to_numpy())
    found = []
    for tier in reversed(TIER_STRATEGIES):
        members = data[data["tier"] == tier]
        if len(members):
            found.append(
                {
                    "tier": tier,
                    "users": len(members),
                    "followers_min": int(members["followers"].min()),
                    "followers_max": int(members["followers"].max()),
                    "median_price": float(members["price"].median()),
                }
            )
    return found[::-1]
