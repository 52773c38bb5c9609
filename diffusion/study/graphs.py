"""Graphs of a study: built, given tiers and probabilities, and described for the report."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._random import derive_key, generator
from ..errors import InputError, NotFoundError
from ..graph.communities import Partition, communities, modularity_and_mixing, read_communities
from ..graph.creators import TIER_SHARES, with_creator_tiers
from ..graph.follower_graph import FollowerGraph
from ..graph.generate import generate_platform
from ..graph.read import read_edges
from ..graph.rewire import rewire_mixing
from ..seeding.strategies.rankings import TIERS
from .design import GraphSpec, ModelSpec, StudyDesign

__all__ = ["PreparedGraph", "graph_card", "prepare_graph"]


@dataclass
class PreparedGraph:
    """A graph of the study with everything its cells share.

    By model: the graph that is simulated, with the probabilities of the model's rule, and the graph with the effective
    probability that a sharer makes a follower share, or None.
    """

    spec: GraphSpec
    graph: FollowerGraph
    simulated: dict[ModelSpec, FollowerGraph]
    effective: dict[ModelSpec, FollowerGraph | None]
    tiers_made: bool
    mixing: float  # share of arcs between communities; NaN without communities

    def reckoned(self, model: ModelSpec) -> FollowerGraph:
        """Return the graph with effective probabilities, or as it is simulated where there are none."""
        effective = self.effective[model]
        return self.simulated[model] if effective is None else effective

    def fingerprint(self, model: ModelSpec) -> str:
        """Hash of all of the graph that a cell depends on: arcs, probabilities, communities, tiers and prices."""
        digest = hashlib.blake2b(self.reckoned(model).fingerprint.encode(), digest_size=16)
        data = self.graph.node_data
        for name in ("community", "tier", "price"):
            digest.update(repr(data[name].astype(object).tolist()).encode() if name in data else b"-")
        return digest.hexdigest()


def prepare_graph(spec: GraphSpec, design: StudyDesign) -> PreparedGraph:
    """Build a graph, give it creator tiers where it has none, and apply every rule to it."""
    _check_weights(spec, design)
    graph = _load_graph(spec, design.seed)
    _check_communities(graph, design)
    missing = [name for name in ("tier", "price") if name not in graph.node_data]
    if missing:  # what the graph brings stays as it is
        made = with_creator_tiers(graph).node_data
        graph = graph.with_node_data({name: made[name].to_numpy() for name in missing})
    simulated: dict[ModelSpec, FollowerGraph] = {}
    effective: dict[ModelSpec, FollowerGraph | None] = {}
    for model in design.models:
        with_rule = graph
        if model.rule is not None:
            with_rule = model.rule.apply(graph, generator(derive_key(design.seed, "rule", model.rule.label)))
        model.model.compile(with_rule)  # a graph that the model refuses is refused before anything runs
        reckoned = model.model.effective_probabilities(with_rule)
        simulated[model] = with_rule
        effective[model] = None if model.rule is None and reckoned is with_rule else reckoned
    mixing = Partition.from_labels(graph).mixing if "community" in graph.node_data else float("nan")
    return PreparedGraph(spec, graph, simulated, effective, bool(missing) or spec.kind != "object", mixing)


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
    return _read_graph(spec, seed)


def _content(file: str) -> str:
    """Hash of what a file holds now; empty where it cannot be read, which is for its reader to say."""
    try:
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


@functools.lru_cache(maxsize=2)  # rewired copies begin with the same graph and communities
def _read_edges_with_communities(text: str, contents: tuple[str, ...], seed: int) -> FollowerGraph:
    """Read a graph; `contents`, the hashes of its files, tell a file that was written anew from the one that was read."""
    given: dict[str, Any] = json.loads(text)
    source = given.pop("communities", None)
    graph = read_edges(given.pop("file"), **given)
    if isinstance(source, str):
        found = communities(graph, method=source, rng=generator(derive_key(seed, "communities")))  # type: ignore[arg-type]
        return graph.with_node_data(community=found.labels)
    if source is not None:
        return graph.with_node_data(community=read_communities(source["file"], graph, rows=source["rows"]))
    return graph


def _read_graph(spec: GraphSpec, seed: int) -> FollowerGraph:
    given = dict(spec.parameters)
    mixing = given.pop("rewire_mixing", None)
    source = given.get("communities")
    files = [given["file"], source["file"]] if isinstance(source, dict) else [given["file"]]
    graph = _read_edges_with_communities(json.dumps(given, sort_keys=True), tuple(map(_content, files)), seed)
    if mixing is None:
        return graph
    own = Partition.from_labels(graph).mixing
    level = own * float(mixing[:-1]) if isinstance(mixing, str) else float(mixing)
    # Tiers and prices follow from degrees, which rewiring keeps.
    return rewire_mixing(graph, level, rng=generator(derive_key(seed, "rewire", str(mixing))))


def _check_weights(spec: GraphSpec, design: StudyDesign) -> None:
    """Refuse a rewired copy for models that read the weights of its arcs, and say why it has none."""
    if "rewire_mixing" not in spec.parameters or "weight" not in spec.parameters:
        return
    reading = [m.rule.rule for m in design.models if m.rule is not None and m.rule.rule in ("column", "lt")]
    if reading:
        raise InputError(
            f"the weights of the file belong to its arcs, and rewiring draws other arcs, which have no weight that the rule "
            f"{reading[0]!r} could read: for copies use a rule such as weighted_cascade, or leave rewire_mixing away "
            "(--rewire none)"
        )


def _check_communities(graph: FollowerGraph, design: StudyDesign) -> None:
    """Refuse, before anything runs, places and models that need communities where there are none."""
    if "community" in graph.node_data:
        return
    asks = [f"seeding.place {place!r}" for place in design.places if place != "anywhere"]
    asks += [spec.model.needs_communities for spec in design.models if spec.model.needs_communities]
    if asks:
        raise InputError(
            f'{asks[0]} needs communities, and the graph has none: add communities = "leiden" to graph.edges, or the node '
            "attribute 'community' to a graph given in Python"
        )


def graph_card(ready: PreparedGraph) -> dict[str, Any]:
    """Facts about a graph, for the report: numbers, and names of where they come from."""
    graph, parameters = ready.graph, ready.spec.parameters
    followers = np.sort(graph.out_degree.to_numpy())[::-1]
    levels = np.unique(np.concatenate([[1], np.geomspace(1, max(int(followers[0]), 1), 40).round()])).astype(int)
    facts = ("n_nodes", "n_edges", "edges_mean", "directed", "rows", "dropped_self_loops", "dropped_parallel")
    return {
        "label": ready.spec.label,
        "kind": ready.spec.kind,
        "source": parameters.get("name", ready.spec.label),
        "rewired_from": Path(parameters["file"]).name if "rewire_mixing" in parameters else None,
        "fingerprint": graph.fingerprint,
        **{name: getattr(graph, name) for name in (*facts, "comment_lines")},
        "mean_followers": float(followers.mean()),
        "max_followers": int(followers[0]),
        "reciprocity": None if np.isnan(graph.reciprocity) else graph.reciprocity,
        "follower_ccdf": [[int(k), float((followers >= k).mean())] for k in levels],
        **_community_card(ready),
        "tiers": _tiers(graph),
        "tier_shares": dict(TIER_SHARES) if ready.tiers_made else None,
    }


def _community_card(ready: PreparedGraph) -> dict[str, Any]:
    """Facts about the communities a graph brings; nodes without one count as a community of their own."""
    if "community" not in ready.graph.node_data:
        return dict.fromkeys(("n_communities", "modularity", "mixing", "communities_from"))
    labels = ready.graph.node_data["community"].to_numpy()
    codes, names = pd.factorize(labels, use_na_sentinel=False)
    modularity, mixing = modularity_and_mixing(ready.graph, codes[ready.graph.index.order])
    source = ready.spec.parameters.get("communities") if ready.spec.kind == "edges" else None
    return {
        "n_communities": len(names),
        "modularity": modularity,
        "mixing": mixing,
        "communities_from": Path(source["file"]).name if isinstance(source, dict) else source,
    }


def _tiers(graph: FollowerGraph) -> list[dict[str, Any]]:
    data = graph.node_data.assign(followers=graph.out_degree.to_numpy())
    groups = data.groupby("tier")
    return [
        {
            "tier": tier,
            "users": len(own),
            "followers_min": int(own["followers"].min()),
            "followers_max": int(own["followers"].max()),
            "median_price": float(own["price"].median()),
        }
        for tier in TIERS
        if tier in groups.groups and len(own := groups.get_group(tier))
    ]
