"""What a study varies: the file, its checks, and the cells it crosses to."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DiffusionError, InputError, MissingDataError, ReadError, did_you_mean
from ..graph.communities import METHODS as COMMUNITY_METHODS
from ..graph.follower_graph import FollowerGraph
from ..graph.generate import check_platform
from ..seeding.registry import STRATEGIES as KNOWN
from ..seeding.strategies.rankings import Ranking
from ._models import ModelSpec, Rule, parse_models
from ._toml import known, listed, table, typed

__all__ = [
    "EXAMPLE",
    "Budget",
    "GraphSpec",
    "ModelSpec",
    "Precision",
    "Rule",
    "StudyDesign",
    "parse_study",
    "read_study",
]

STRATEGIES = (*(name for name, one in KNOWN.items() if isinstance(one, Ranking)), "opim")
PLACES = ("anywhere", "one community", "spread")

EXAMPLE = """\
# A study of who to seed. Run it with: diffusion study study.toml
title = "Share & Spread: who to seed?"
seed = 7                        # one whole number; every random draw follows from it
out = "results/study"           # cells, tables and report.html go here; run again to finish or extend

[graph]                         # one of: platform, edges, dataset
# a generated follower graph; a list of mixings (share of arcs between communities) makes one graph for each
platform = { users = 20_000, communities = 8, mixing = [0.05, 0.2, 0.5], mean_followers = 12, tail = 2.3, reciprocity = 0.2 }
# edges = { file = "soc-Epinions1.txt.gz", edges_mean = "follows", directed = true, communities = "leiden", rewire_mixing = ["1x", "0.5x"] }
# dataset = "platform-20k"

[[model]]                       # repeat the block for other combinations; lists are crossed
kind = "sips"                   # Sympathize, Identify, Participate, Share & Spread
[model.sips]
attention = 0.3                 # probability that a follower attends to a note
note = "experience"             # kind of note: sets p_S from the survey
eta = 1.0                       # share of stated intentions acted upon: scales the survey's p_P and p_X; 1 is the ceiling
feed = [0.0, 3.0]               # mean users the feed shows a note to
own = 0.5                       # share of them in the creator's own community
identify = ["simple", { complex = 2 }]   # by chance, or once that many distinct sharers were seen

[[model]]
kind = "sips"
sips = { attention = 0.3, eta = 0.25, feed = 3.0, own = 0.5 }

# [[model]]
# kind = ["ic", "lt"]           # also "threshold"; weights of lt into a node must sum to at most 1
# probability = [{ rule = "weighted_cascade" }]
# [[model]]
# kind = "ic"
# probability = [{ rule = "constant", p = 0.02 }]
# [[model]]
# kind = "threshold"
# threshold = [{ fraction = 0.18 }, { count = 2, noise = 0.01 }]

[seeding]
strategy = ["random", "amateur", "tail", "waist", "head", "degree", "degree_discount", "pagerank", "k_core", "opim"]
budget = [{ money = 10_000 }, { money = 100_000 }]   # RMB at creator prices, or a number of seeds such as { k = 50 }
place = ["anywhere", "one community", "spread"]   # all seeds in the largest community, or in turn from each ...
placed = ["amateur", "degree"]                    # ... for these strategies; the others are placed anywhere

[precision]
rel_error = 0.04                # stop when the half width of the interval is this share of the mean ...
confidence = 0.95
max_runs = 512                  # ... or here, and say so
"""


@dataclass(frozen=True)
class Budget:
    """How much may be seeded: a number of seeds, or money at creator prices (RMB)."""

    kind: str
    value: float

    @property
    def label(self) -> str:
        """Text for tables."""
        if self.kind == "k":
            return f"k={int(self.value)}"
        return f"{self.value:,.0f} RMB" if self.value == int(self.value) else f"{self.value:,.2f} RMB"


@dataclass(frozen=True)
class Precision:
    """When a cell has enough runs."""

    rel_error: float = 0.04
    confidence: float = 0.95
    max_runs: int = 512


@dataclass(frozen=True)
class GraphSpec:
    """Where a graph comes from: ``platform``, ``edges``, ``dataset``, or ``object`` (given in Python)."""

    kind: str
    parameters: Mapping[str, Any]
    given: FollowerGraph | None = None

    @property
    def label(self) -> str:
        """Text for tables."""
        if self.kind == "platform":
            return f"platform, mixing {self.parameters['mixing']:g}"
        if self.kind == "edges":
            name = Path(self.parameters["file"]).name
            mixing = self.parameters.get("rewire_mixing")
            if isinstance(mixing, str):
                return f"{name}, rewired to {mixing} its mixing"
            return name if mixing is None else f"{name}, rewired to mixing {mixing:g}"
        return str(self.parameters.get("name", "graph"))


@dataclass(frozen=True)
class StudyDesign:
    """A checked study: everything that is crossed, and nothing that was computed."""

    title: str
    seed: int
    out: str
    graphs: tuple[GraphSpec, ...]
    models: tuple[ModelSpec, ...]
    strategies: tuple[str, ...]
    budgets: tuple[Budget, ...]
    places: tuple[str, ...] = ("anywhere",)
    placed: tuple[str, ...] | None = None  # strategies that all places are crossed with; None: every one
    precision: Precision = field(default_factory=Precision)

    @property
    def n_cells(self) -> int:
        """Number of combinations."""
        at_places = sum(len(self.places_of(strategy)) for strategy in self.strategies)
        return len(self.graphs) * len(self.models) * len(self.budgets) * at_places

    def places_of(self, strategy: str) -> tuple[str, ...]:
        """Places that a strategy is crossed with."""
        if self.placed is None or strategy in self.placed:
            return self.places
        return ("anywhere",) if "anywhere" in self.places else self.places[:1]

    def to_toml(self) -> str:
        """Return the study file that declares this study."""
        import tomli_w

        first = self.graphs[0]
        place = dict(first.parameters)
        if first.kind == "platform":
            mixing = [spec.parameters["mixing"] for spec in self.graphs]
            place["mixing"] = mixing if len(mixing) > 1 else mixing[0]
        if first.kind == "edges":
            rewired = [spec.parameters["rewire_mixing"] for spec in self.graphs if "rewire_mixing" in spec.parameters]
            if rewired:
                place["rewire_mixing"] = rewired
        if first.kind == "object":
            table: Any = {"python": f"a FollowerGraph, fingerprint {first.parameters['fingerprint']}"}
        else:
            table = {first.kind: place["name"] if first.kind == "dataset" else place}
        models = [spec.to_dict() for spec in self.models]
        document = {
            "title": self.title,
            "seed": self.seed,
            "out": self.out,
            "graph": table,
            "model": models,
            "seeding": {
                "strategy": list(self.strategies),
                "budget": [{b.kind: int(b.value) if b.value == int(b.value) else b.value} for b in self.budgets],
                "place": list(self.places),
                **({} if self.placed is None else {"placed": list(self.placed)}),
            },
            "precision": {
                "rel_error": self.precision.rel_error,
                "confidence": self.precision.confidence,
                "max_runs": self.precision.max_runs,
            },
        }
        return tomli_w.dumps(document)


def read_study(path: str | Path) -> StudyDesign:
    """Read and check a study file."""
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"there is no study file '{file}': 'diffusion study --example' prints one to start from")
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReadError(f"'{file}' is not a TOML file: {error}") from None
    except OSError as error:
        raise ReadError(f"'{file}' cannot be read ({error.strerror or error}): make it readable") from None
    try:
        return parse_study(document, base=file.parent)
    except DiffusionError as error:
        raise InputError(f"'{file}': {error}") from None


def parse_study(document: Mapping[str, Any], *, base: Path | None = None) -> StudyDesign:
    """Check the content of a study file and return its design; errors name the key path."""
    known(document, ("title", "seed", "out", "graph", "model", "seeding", "precision"), "")
    title = typed(document, "title", str, "", "Share & Spread: who to seed?")
    seed = typed(document, "seed", int, "", 7)
    if not 0 <= seed < 2**64:
        raise InputError(f"seed = {seed} is out of range: give a whole number from 0")
    out = typed(document, "out", str, "", "results/study")
    seeding = table(document, "seeding")
    known(seeding, ("strategy", "budget", "place", "placed"), "seeding.")
    example = tomllib.loads(EXAMPLE)
    strategies = tuple(listed(seeding.get("strategy", example["seeding"]["strategy"])))
    for name in strategies:
        if name not in STRATEGIES:
            raise InputError(
                f"seeding.strategy: {name!r} is unknown: choose {', '.join(STRATEGIES)}."
                + did_you_mean(name, STRATEGIES)
            )
    budgets = tuple(
        _budget(entry, i) for i, entry in enumerate(listed(seeding.get("budget", example["seeding"]["budget"])))
    )
    given_place = seeding.get("place", example["seeding"]["place"] if not document.get("seeding") else "anywhere")
    places = tuple(listed(given_place))
    for place in places:
        if place not in PLACES:
            raise InputError(
                f"seeding.place: {place!r} is unknown: choose {', '.join(PLACES)}." + did_you_mean(place, PLACES)
            )
    placed = _placed(seeding if document.get("seeding") else example["seeding"], strategies)
    models = tuple(
        spec
        for i, block in enumerate(listed(document.get("model", example["model"])))
        for spec in parse_models(block, i)
    )
    graphs = _graphs(table(document, "graph") or example["graph"], base)
    labels: dict[str, list[Any]] = {  # the tables tell combinations apart by these
        "seeding.strategy": list(strategies),
        "seeding.budget": [budget.label for budget in budgets],
        "seeding.place": list(places),
        "model": [(spec.model.label, spec.rule_label) for spec in models],
        "graph.edges.rewire_mixing" if any(spec.kind == "edges" for spec in graphs) else "graph.platform.mixing": [
            spec.label for spec in graphs
        ],
    }
    for what, values in labels.items():
        if not values:
            raise InputError(f"{what} is empty: a study needs at least one")
        if len(set(values)) < len(values):
            raise InputError(f"{what} names the same thing twice: each combination is run once")
    precision = _precision(table(document, "precision"))
    return StudyDesign(title, seed, out, graphs, models, strategies, budgets, places, placed, precision)


def _placed(seeding: Mapping[str, Any], strategies: tuple[str, ...]) -> tuple[str, ...] | None:
    if "placed" not in seeding:
        return None
    placed = tuple(listed(seeding["placed"]))
    for name in placed:
        if name not in strategies:
            raise InputError(
                f"seeding.placed: {name!r} is not among the strategies of this study: {', '.join(strategies)}."
                + did_you_mean(name, strategies)
            )
    return placed


def _budget(entry: Any, index: int) -> Budget:
    path = f"seeding.budget[{index}]."
    if isinstance(entry, int | float) and not isinstance(entry, bool):
        entry = {"k": entry}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise InputError(f"seeding.budget[{index}] = {entry!r}: give {{ k = 10 }} or {{ money = 100_000 }}")
    known(entry, ("k", "money"), path)
    kind = next(iter(entry))
    value = typed(entry, kind, int if kind == "k" else float, path)
    if not 0 <= value < 1e15:
        raise InputError(f"{path}{kind} = {value} is out of range: a budget is a number from 0 to below 1e15")
    return Budget(kind, float(value))


def _precision(given: Mapping[str, Any]) -> Precision:
    known(given, ("rel_error", "confidence", "max_runs"), "precision.")
    rel_error = typed(given, "rel_error", float, "precision.", 0.04)
    confidence = typed(given, "confidence", float, "precision.", 0.95)
    max_runs = typed(given, "max_runs", int, "precision.", 512)
    if not rel_error > 0 or not math.isfinite(rel_error):
        raise InputError(f"precision.rel_error = {rel_error} is out of range: give a number above 0")
    if not 0 < confidence < 1:
        raise InputError(f"precision.confidence = {confidence} is out of range: give a number between 0 and 1")
    if max_runs < 2:
        raise InputError(f"precision.max_runs = {max_runs} is out of range: an interval needs at least 2 runs")
    return Precision(rel_error, confidence, max_runs)


PLATFORM = {
    "users": int,
    "communities": int,
    "mixing": float,
    "mean_followers": float,
    "tail": float,
    "reciprocity": float,
}
CHOICES = {
    "edges_mean": ("follows", "influences"),
    "parallel": ("collapse", "keep"),
    "combine": ("sum", "max", "min", "mean", "noisy_or"),
}
EDGES = (
    "file",
    "edges_mean",
    "directed",
    "parallel",
    "source",
    "target",
    "weight",
    "time",
    "combine",
    "header_counts",
    "communities",
    "rewire_mixing",
)


def _graphs(declared: Mapping[str, Any], base: Path | None) -> tuple[GraphSpec, ...]:
    known(declared, ("platform", "edges", "dataset"), "graph.")
    if len(declared) != 1:
        raise InputError("graph: give exactly one of platform, edges and dataset")
    kind = next(iter(declared))
    if kind == "dataset":
        return (GraphSpec("dataset", {"name": typed(declared, "dataset", str, "graph.")}),)
    given = table(declared, kind)
    path = f"graph.{kind}."
    if kind == "platform":
        known(given, tuple(PLATFORM), path)
        defaults = tomllib.loads(EXAMPLE)["graph"]["platform"]
        mixings = listed(given.get("mixing", 0.2))
        rest = {k: typed(given, k, t, path, defaults[k]) for k, t in PLATFORM.items() if k != "mixing"}
        found = [{**rest, "mixing": typed({"mixing": m}, "mixing", float, path)} for m in mixings]
        for platform in found:
            try:
                check_platform(**platform)
            except InputError as error:
                raise InputError(f"graph.platform: {error}") from None
        return tuple(GraphSpec("platform", platform) for platform in found)
    known(given, EDGES, path)
    file = Path(typed(given, "file", str, path))
    if base is not None and not file.is_absolute() and not file.exists():
        file = base / file
    directed = typed(given, "directed", bool, path, True) if "directed" in given else True
    parameters: dict[str, Any] = {"file": str(file), "directed": directed}
    for name, allowed in CHOICES.items():
        if name in given:
            value = parameters[name] = typed(given, name, str, path)
            if value not in allowed:
                raise InputError(
                    f"{path}{name} = {value!r} is unknown: choose {', '.join(allowed)}." + did_you_mean(value, allowed)
                )
    for name in ("source", "target", "weight", "time"):
        if name in given:
            parameters[name] = given[name]
            if isinstance(given[name], bool) or not isinstance(given[name], int | str):
                raise InputError(f"{path}{name} = {given[name]!r}: give the name of a column, or its position from 0")
    if directed and "edges_mean" not in parameters:
        raise InputError(
            f"{path}edges_mean is missing: say 'follows' when a row (u, v) means that u follows v, or "
            "'influences' when content flows from u to v; spreads can differ several times between the two"
        )
    if "header_counts" in given:
        parameters["header_counts"] = typed(given, "header_counts", bool, path)
    if "communities" in given:
        parameters["communities"] = _community_source(given["communities"], path + "communities", base)
    if "rewire_mixing" not in given:
        return (GraphSpec("edges", parameters),)
    parameters.setdefault("communities", "leiden")
    levels = listed(given["rewire_mixing"])
    for i, level in enumerate(levels):
        if isinstance(level, str):
            if not re.fullmatch(r"\d+(\.\d*)?x", level):
                raise InputError(
                    f'{path}rewire_mixing[{i}] = {level!r} is no multiple: give one such as "0.5x", or a share'
                )
        elif not 0 <= typed({"x": level}, "x", float, f"{path}rewire_mixing[{i}].") <= 1:
            raise InputError(f"{path}rewire_mixing[{i}] = {level!r} is out of range: give a share from 0 to 1")
    copies = [{**parameters, "rewire_mixing": level if isinstance(level, str) else float(level)} for level in levels]
    return tuple(GraphSpec("edges", copy) for copy in (parameters, *copies))


def _community_source(given: Any, path: str, base: Path | None) -> Any:
    """A method, or a file: one row 'node community' each, or all members of a community in one row."""
    if isinstance(given, Mapping):
        known(given, ("file", "rows"), path + ".")
        file = Path(typed(given, "file", str, path + "."))
        if base is not None and not file.is_absolute() and not file.exists():
            file = base / file
        rows = typed(given, "rows", str, path + ".", "nodes")
        if rows not in ("nodes", "communities"):
            raise InputError(
                f"{path}.rows = {rows!r} is unknown: choose nodes (node, community) or communities (all members)"
            )
        return {"file": str(file), "rows": rows}
    if given not in COMMUNITY_METHODS:
        raise InputError(
            f"{path} = {given!r} is unknown: choose {', '.join(COMMUNITY_METHODS)}, or {{ file = ..., rows = 'nodes' }}."
            + did_you_mean(given, COMMUNITY_METHODS)
        )
    return given
