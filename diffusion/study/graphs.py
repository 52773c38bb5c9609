"""Graphs of a study: built, given tiers and probabilities, and described for the report."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

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
from .design import StudyDesign
from .graph_specs import GraphSpec
from .models import ModelSpec

__all__ = [
    "Graphs",
    "Once",
    "PreparedGraph",
    "check_graph_and_models",
    "check_weights",
    "contents_of",
    "graph_card",
    "prepare_graph",
    "replicate_key",
]

T = TypeVar("T")


class Once:
    """Values by name, each computed once, by whoever asks first; the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Any, threading.Lock] = {}
        self._done: dict[Any, Any] = {}

    def get(self, name: Any, compute: Callable[[], T]) -> T:
        """Return the value of a name."""
        with self.lock(name):
            if name not in self._done:
                self._done[name] = compute()
            value: T = self._done[name]
            return value

    def lock(self, name: Any) -> threading.Lock:
        """Return the lock of a name."""
        with self._lock:
            return self._locks.setdefault(name, threading.Lock())

    def set(self, name: Any, value: Any) -> None:
        """Set a value that is there already."""
        self._done[name] = value

    def drop(self, name: Any) -> None:
        """Forget a value."""
        with self._lock:
            self._done.pop(name, None)
            self._locks.pop(name, None)


class PreparedGraph:
    """A graph of the study, a replicate of its kind, with everything its cells share.

    Attributes
    ----------
    spec : GraphSpec
    replicate : int
    graph : FollowerGraph
        With creator tiers and prices.
    tiers_made : bool
        Whether these are the study's.
    mixing : float
        Share of arcs between communities; NaN without communities.
    once : Once
        What is computed of it once: rankings, selections, R.
    """

    def __init__(self, spec: GraphSpec, replicate: int, graph: FollowerGraph, seed: int) -> None:
        missing = [name for name in ("tier", "price") if name not in graph.node_data]
        if missing:  # what the graph brings stays as it is
            made = with_creator_tiers(graph).node_data
            graph = graph.with_node_data({name: made[name].to_numpy() for name in missing})
        self.spec, self.replicate, self.graph = spec, replicate, graph
        self.tiers_made = bool(missing) or spec.kind != "object"
        self.mixing = Partition.from_labels(graph).mixing if "community" in graph.node_data else float("nan")
        self.once = Once()
        self._seed = seed

    def simulated(self, model: ModelSpec) -> FollowerGraph:
        """Return the graph with the probabilities of the model's rule."""
        rule = model.rule
        if rule is None:
            return self.graph
        key = derive_key(self._seed, "rule", rule.label, *replicate_key(self.replicate))
        return self.once.get(("rule", rule), lambda: rule.apply(self.graph, generator(key)))

    def effective(self, model: ModelSpec) -> FollowerGraph | None:
        """Return the graph with the probability that a sharer makes a follower share; None where there is none."""

        def reckon() -> FollowerGraph | None:
            with_rule = self.simulated(model)
            reckoned = model.model.effective_probabilities(with_rule)
            return None if model.rule is None and reckoned is with_rule else reckoned

        return self.once.get(("effective", model.rule, model.model), reckon)

    def reckoned(self, model: ModelSpec) -> FollowerGraph:
        """Return the graph with effective probabilities, or as it is simulated where there are none."""
        effective = self.effective(model)
        return self.simulated(model) if effective is None else effective


def replicate_key(replicate: int) -> tuple[str, ...]:
    """What keys of a replicate are derived from; nothing for the first."""
    return (str(replicate),) if replicate else ()


class Graphs:
    """The graphs of a study: each is built when a cell first asks for it, and let go after the last."""

    def __init__(self, seed: int, first: Iterable[PreparedGraph] = ()) -> None:
        self._seed = seed
        self._once = Once()
        self._lock = threading.Lock()
        self._users: dict[Any, int] = {}
        for ready in first:
            self._once.set((ready.spec.key, ready.replicate), ready)

    def expect(self, spec: GraphSpec, replicate: int) -> None:
        """Say that one more unit of work will ask for a graph."""
        self._users[spec.key, replicate] = self._users.get((spec.key, replicate), 0) + 1

    def get(self, spec: GraphSpec, replicate: int) -> PreparedGraph:
        """Return a graph."""
        return self._once.get((spec.key, replicate), lambda: prepare_graph(spec, replicate, self._seed))

    def leave(self, spec: GraphSpec, replicate: int) -> None:
        """Say that a unit of work is done with its graph."""
        name = (spec.key, replicate)
        with self._lock:
            self._users[name] -= 1
            last = self._users[name] <= 0
        if last:
            self._once.drop(name)


def prepare_graph(spec: GraphSpec, replicate: int, seed: int) -> PreparedGraph:
    """Build a replicate of a graph and give it creator tiers where it has none."""
    return PreparedGraph(spec, replicate, _load_graph(spec, replicate, seed), seed)


def check_graph_and_models(ready: PreparedGraph, models: Iterable[ModelSpec], design: StudyDesign) -> None:
    """Refuse, before anything runs, what cannot be run on a graph."""
    models = list(models)
    _check_communities(ready.graph, models, design)
    for model in models:
        model.model.compile(ready.simulated(model))


def contents_of(spec: GraphSpec) -> tuple[str, ...]:
    """Hashes of the files that a graph is read from."""
    if spec.kind != "edges":
        return ()
    source = spec.parameters.get("communities")
    files = [spec.parameters["file"], source["file"]] if isinstance(source, Mapping) else [spec.parameters["file"]]
    return tuple(map(_content, files))


def _load_graph(spec: GraphSpec, replicate: int, seed: int) -> FollowerGraph:
    if spec.given is not None:
        return spec.given
    if spec.kind == "platform":
        return generate_platform(
            **spec.parameters, rng=generator(derive_key(seed, "platform", *replicate_key(replicate)))
        )
    if spec.kind == "dataset":
        from ..datasets import load

        try:
            return load(spec.parameters["name"])
        except NotFoundError as error:
            raise NotFoundError(f"graph.dataset: {error}") from None
    return _read_graph(spec, replicate, seed)


def _content(file: str) -> str:
    """Hash of what a file holds now; empty where it cannot be read, which is for its reader to say."""
    try:
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


READING = threading.Lock()  # a file is read once, whoever asks first


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


def _read_graph(spec: GraphSpec, replicate: int, seed: int) -> FollowerGraph:
    given = dict(spec.parameters)
    mixing = given.pop("rewire_mixing", None)
    with READING:
        graph = _read_edges_with_communities(json.dumps(given, sort_keys=True), contents_of(spec), seed)
    if mixing is None:
        return graph
    own = Partition.from_labels(graph).mixing
    level = own * float(mixing[:-1]) if isinstance(mixing, str) else float(mixing)
    # Tiers and prices follow from degrees, which rewiring keeps.
    key = derive_key(seed, "rewire", str(mixing), *replicate_key(replicate))
    return rewire_mixing(graph, level, rng=generator(key))


def check_weights(spec: GraphSpec, design: StudyDesign) -> None:
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


def _check_communities(graph: FollowerGraph, models: Iterable[ModelSpec], design: StudyDesign) -> None:
    """Refuse, before anything runs, places and models that need communities where there are none."""
    if "community" in graph.node_data:
        return
    asks = [f"seeding.place {place!r}" for place in design.places if place != "anywhere"]
    asks += [spec.model.needs_communities for spec in models if spec.model.needs_communities]
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
