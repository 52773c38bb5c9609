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
from ..graph.probabilities import lt_bounds
from ..graph.read import read_edges
from ..graph.rewire import rewire_mixing
from ..models.cascade import LT
from ..models.sips.model import SIPS
from ..seeding.strategies.rankings import TIERS
from .design import GraphSpec, ModelSpec, StudyDesign

__all__ = ["PreparedGraph", "graph_card", "prepare_graph"]


@dataclass
class PreparedGraph:
    """A graph of the study with everything its cells share."""

    spec: GraphSpec
    graph: FollowerGraph
    by_rule: dict[ModelSpec, FollowerGraph]
    tiers_note: str | None
    mixing: float  # share of arcs between communities; NaN without communities

    def fingerprint(self, model: ModelSpec) -> str:
        """Hash of all of the graph that a cell depends on: arcs, probabilities, communities, tiers and prices."""
        digest = hashlib.blake2b(self.by_rule[model].fingerprint.encode(), digest_size=16)
        for name in ("community", "tier", "price"):
            column = self.graph.attributes.get(name)
            digest.update(b"-" if column is None else repr(pd.Series(column).astype(object).tolist()).encode())
        return digest.hexdigest()


def prepare_graph(spec: GraphSpec, design: StudyDesign) -> PreparedGraph:
    """Build a graph, give it creator tiers where it has none, and apply every rule to it."""
    _check_weights(spec, design)
    graph = _load_graph(spec, design.seed)
    _check_communities(graph, design)
    note = None
    missing = [name for name in ("tier", "price") if name not in graph.attributes]
    if missing:  # what the graph brings stays as it is
        made = with_creator_tiers(graph).attributes
        graph = graph.with_node_data({name: made[name] for name in missing})
    if missing or spec.kind != "object":
        shares = ", ".join(f"{tier} the top {share:.1%}" for tier, share in TIER_SHARES.items())
        note = (
            f"Creator tiers are set by quantile of followers on this graph ({shares}, amateurs the rest), since it is smaller "
            "than the platform; prices follow the tier and are third-party market figures for Xiaohongshu, not measurements."
        )
    by_rule: dict[ModelSpec, FollowerGraph] = {}
    for model in design.models:
        if isinstance(model.model, SIPS):
            by_rule[model] = model.model.effective_probabilities(graph)  # what heuristics and R reckon with
            continue
        if model.rule is None:
            by_rule[model] = graph
            continue
        by_rule[model] = model.rule.apply(graph, generator(derive_key(design.seed, "rule", model.rule.label)))
        if isinstance(model.model, LT):
            lt_bounds(by_rule[model])  # refuses weights that sum to more than 1, before anything runs
    mixing = Partition.from_labels(graph).mixing if "community" in graph.attributes else float("nan")
    return PreparedGraph(spec, graph, by_rule, note, mixing)


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
    """Refuse, before anything runs, places and feeds that need communities where there are none."""
    if "community" in graph.attributes:
        return
    asks = [f"seeding.place {place!r}" for place in design.places if place != "anywhere"]
    asks += [
        f"own = {spec.model.feed.own_community:g} of the feed" for spec in design.models
        if isinstance(spec.model, SIPS) and spec.model.feed is not None and spec.model.feed.own_community > 0
    ]  # fmt: skip
    if asks:
        raise InputError(
            f'{asks[0]} needs communities, and the graph has none: add communities = "leiden" to graph.edges, or the node '
            "attribute 'community' to a graph given in Python"
        )


def graph_card(ready: PreparedGraph) -> dict[str, Any]:
    """Facts about a graph, for the report."""
    graph = ready.graph
    followers = np.sort(graph.csr.out_degree)[::-1]
    levels = np.unique(np.concatenate([[1], np.geomspace(1, max(int(followers[0]), 1), 40).round()])).astype(int)
    card: dict[str, Any] = {
        "label": ready.spec.label, "source": _source(ready.spec), "fingerprint": graph.fingerprint,
        "n_nodes": graph.n_nodes, "n_edges": graph.n_edges, "edges_mean": graph.edges_mean, "directed": graph.directed,
        "rows": graph.rows, "dropped_self_loops": graph.dropped_self_loops, "dropped_parallel": graph.dropped_parallel,
        "comment_lines": graph.comment_lines,
        "mean_followers": float(followers.mean()), "max_followers": int(followers[0]),
        "reciprocity": None if np.isnan(graph.reciprocity) else graph.reciprocity,
        "follower_ccdf": [[int(k), float((followers >= k).mean())] for k in levels],
        "n_communities": None, "modularity": None, "mixing": None, "communities_from": None,
        "rewired_from": Path(ready.spec.parameters["file"]).name if "rewire_mixing" in ready.spec.parameters else None,
        "tiers": _tiers(graph), "tiers_note": ready.tiers_note,
    }  # fmt: skip
    if "community" in graph.attributes:
        card.update(_community_card(graph))
        source = ready.spec.parameters.get("communities") if ready.spec.kind == "edges" else None
        if source is not None:
            card["communities_from"] = f"{source} (igraph)" if isinstance(source, str) else Path(source["file"]).name
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
    modularity, mixing = modularity_and_mixing(graph, codes[graph.index.order])
    return {
        "n_communities": len(names),
        "modularity": modularity,
        "mixing": mixing,
        "communities_from": "the node attribute community",
    }


def _tiers(graph: FollowerGraph) -> list[dict[str, Any]]:
    data = graph.node_data.assign(followers=graph.out_degree.to_numpy())
    found = []
    for tier in reversed(TIERS):
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
