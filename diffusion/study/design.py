"""What a study varies: the file, its checks, and the cells it crosses to."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._random import RNGLike
from ..cascades.models import IC, LT, Model, Threshold
from ..errors import DiffusionError, InputError, MissingDataError, ReadError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..graph.generate import check_platform
from ..seeding.heuristics import HEURISTICS, TIER_STRATEGIES

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

STRATEGIES = (*HEURISTICS, *TIER_STRATEGIES, "opim")

EXAMPLE = """\
# A study of who to seed. Run it with: diffusion study study.toml
title = "Share & Spread: who to seed?"
seed = 7                        # one whole number; every random draw follows from it
out = "results/study"           # cells, tables and report.html go here; run again to finish or extend

[graph]                         # one of: platform, edges, dataset
# a generated follower graph; a list of mixings makes one graph for each
platform = { users = 20_000, communities = 8, mixing = 0.2, mean_followers = 12, tail = 2.3, reciprocity = 0.2 }
# edges = { file = "soc-Epinions1.txt.gz", edges_mean = "influences", directed = true, parallel = "collapse" }
# dataset = "platform-20k"

[[model]]                       # repeat the block for other combinations
kind = ["ic"]                   # "ic", "lt" or "threshold"; lists are crossed
probability = [                 # a list is crossed with the kinds
  { rule = "weighted_cascade" },
  { rule = "constant", p = 0.02 },
  { rule = "constant", p = 0.1 },
]

[[model]]
kind = "lt"                     # weights into a node must sum to at most 1
probability = { rule = "weighted_cascade" }

# [[model]]
# kind = "threshold"
# threshold = [{ fraction = 0.18 }, { count = 2, noise = 0.01 }]

[seeding]
strategy = ["random", "amateur", "tail", "waist", "head", "degree", "degree_discount", "pagerank", "k_core"]
# "opim" chooses with a certificate; with money it is slow where a message reaches a large part of the graph
budget = [{ k = 10 }, { k = 50 }, { money = 100_000 }]   # seeds, or RMB at creator prices

[precision]
rel_error = 0.04                # stop when the half width of the interval is this share of the mean ...
confidence = 0.95
max_runs = 1_024                # ... or here, and say so
"""


@dataclass(frozen=True)
class Rule:
    """A rule that sets propagation probabilities: the arguments of `FollowerGraph.with_probabilities`."""

    rule: str
    parameters: tuple[tuple[str, Any], ...] = ()

    def apply(self, graph: FollowerGraph, rng: RNGLike) -> FollowerGraph:
        """Return the graph with these probabilities."""
        given: dict[str, Any] = dict(self.parameters)
        return graph.with_probabilities(self.rule, rng=rng if self.rule == "trivalency" else None, **given)

    @property
    def label(self) -> str:
        """Text for tables."""
        given = [
            f"{name}={value:.12g}" if isinstance(value, float) else f"{name}={value}" for name, value in self.parameters
        ]
        return " ".join([self.rule.replace("_", " "), *given])

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands in a study file."""
        return {"rule": self.rule, **{k: list(v) if isinstance(v, tuple) else v for k, v in self.parameters}}


@dataclass(frozen=True)
class ModelSpec:
    """A model and the rule for its probabilities (None for threshold models)."""

    model: Model
    rule: Rule | None

    @property
    def rule_label(self) -> str:
        """Label of the rule, or of its absence."""
        return self.rule.label if self.rule else "no probabilities"


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
    max_runs: int = 1_024


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
            return Path(self.parameters["file"]).name
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
    precision: Precision = field(default_factory=Precision)

    @property
    def n_cells(self) -> int:
        """Number of combinations."""
        return len(self.graphs) * len(self.models) * len(self.strategies) * len(self.budgets)

    def to_toml(self) -> str:
        """Return the study file that declares this study."""
        import tomli_w

        first = self.graphs[0]
        place = dict(first.parameters)
        if first.kind == "platform":
            mixing = [spec.parameters["mixing"] for spec in self.graphs]
            place["mixing"] = mixing if len(mixing) > 1 else mixing[0]
        if first.kind == "object":
            table: Any = {"python": f"a FollowerGraph, fingerprint {first.parameters['fingerprint']}"}
        else:
            table = {first.kind: place["name"] if first.kind == "dataset" else place}
        models: list[dict[str, Any]] = []
        for spec in self.models:
            if isinstance(spec.model, Threshold):
                given = {k: v for k, v in spec.model.parameters.items() if v is not None and (k != "noise" or v)}
                models.append({"kind": "threshold", "threshold": given})
            else:
                assert spec.rule is not None
                models.append({"kind": spec.model.name.lower(), "probability": spec.rule.to_dict()})
        document = {
            "title": self.title,
            "seed": self.seed,
            "out": self.out,
            "graph": table,
            "model": models,
            "seeding": {
                "strategy": list(self.strategies),
                "budget": [{b.kind: int(b.value) if b.value == int(b.value) else b.value} for b in self.budgets],
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
    _known(document, ("title", "seed", "out", "graph", "model", "seeding", "precision"), "")
    title = _typed(document, "title", str, "", "Share & Spread: who to seed?")
    seed = _typed(document, "seed", int, "", 7)
    if not 0 <= seed < 2**64:
        raise InputError(f"seed = {seed} is out of range: give a whole number from 0")
    out = _typed(document, "out", str, "", "results/study")
    seeding = _table(document, "seeding")
    _known(seeding, ("strategy", "budget"), "seeding.")
    example = tomllib.loads(EXAMPLE)
    strategies = tuple(_listed(seeding.get("strategy", example["seeding"]["strategy"])))
    for name in strategies:
        if name not in STRATEGIES:
            raise InputError(
                f"seeding.strategy: {name!r} is unknown: choose {', '.join(STRATEGIES)}."
                + did_you_mean(name, STRATEGIES)
            )
    budgets = tuple(
        _budget(entry, i) for i, entry in enumerate(_listed(seeding.get("budget", example["seeding"]["budget"])))
    )
    models = tuple(
        spec for i, block in enumerate(_listed(document.get("model", example["model"]))) for spec in _models(block, i)
    )
    graphs = _graphs(_table(document, "graph") or example["graph"], base)
    labels: dict[str, list[Any]] = {  # the tables tell combinations apart by these
        "seeding.strategy": list(strategies),
        "seeding.budget": [budget.label for budget in budgets],
        "model": [(spec.model.label, spec.rule_label) for spec in models],
        "graph.platform.mixing": [spec.label for spec in graphs],
    }
    for what, values in labels.items():
        if not values:
            raise InputError(f"{what} is empty: a study needs at least one")
        if len(set(values)) < len(values):
            raise InputError(f"{what} names the same thing twice: each combination is run once")
    return StudyDesign(title, seed, out, graphs, models, strategies, budgets, _precision(_table(document, "precision")))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, Mapping):
        raise InputError(f"{name} = {found!r} is not a table: write [{name}] and its keys below")
    return found


def _known(table: Mapping[str, Any], allowed: tuple[str, ...], path: str) -> None:
    for name in table:
        if name not in allowed:
            raise InputError(
                f"the key {path}{name} is unknown: there are {', '.join(path + a for a in allowed)}."
                + did_you_mean(name, allowed)
            )


def _typed(table: Mapping[str, Any], name: str, kind: type, path: str, default: Any = None) -> Any:
    if name not in table and default is not None:
        return default
    value = table.get(name)
    good = isinstance(value, int | float) if kind is float else isinstance(value, kind)
    if not good or (isinstance(value, bool) and kind is not bool):
        names = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
        given = f"{path}{name} is missing" if name not in table else f"{path}{name} = {value!r}"
        raise InputError(f"{given}: give {names[kind]}")
    if kind is not float:
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf


def _budget(entry: Any, index: int) -> Budget:
    path = f"seeding.budget[{index}]."
    if isinstance(entry, int | float) and not isinstance(entry, bool):
        entry = {"k": entry}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise InputError(f"seeding.budget[{index}] = {entry!r}: give {{ k = 10 }} or {{ money = 100_000 }}")
    _known(entry, ("k", "money"), path)
    kind = next(iter(entry))
    value = _typed(entry, kind, int if kind == "k" else float, path)
    if not 0 <= value < 1e15:
        raise InputError(f"{path}{kind} = {value} is out of range: a budget is a number from 0 to below 1e15")
    return Budget(kind, float(value))


def _precision(table: Mapping[str, Any]) -> Precision:
    _known(table, ("rel_error", "confidence", "max_runs"), "precision.")
    rel_error = _typed(table, "rel_error", float, "precision.", 0.04)
    confidence = _typed(table, "confidence", float, "precision.", 0.95)
    max_runs = _typed(table, "max_runs", int, "precision.", 1_024)
    if not rel_error > 0 or not math.isfinite(rel_error):
        raise InputError(f"precision.rel_error = {rel_error} is out of range: give a number above 0")
    if not 0 < confidence < 1:
        raise InputError(f"precision.confidence = {confidence} is out of range: give a number between 0 and 1")
    if max_runs < 2:
        raise InputError(f"precision.max_runs = {max_runs} is out of range: an interval needs at least 2 runs")
    return Precision(rel_error, confidence, max_runs)


RULE_KEYS = {"constant": ("p",), "weighted_cascade": (), "trivalency": ("values",), "column": (), "lt": ("normalize",)}


def _rule(entry: Any, path: str) -> Rule:
    if isinstance(entry, str):
        entry = {"rule": entry}
    if not isinstance(entry, Mapping):
        raise InputError(f'{path} = {entry!r}: give a table such as {{ rule = "weighted_cascade" }}')
    name = _typed(entry, "rule", str, path + ".")
    if name not in RULE_KEYS:
        raise InputError(
            f"{path}.rule = {name!r} is unknown: choose {', '.join(RULE_KEYS)}." + did_you_mean(name, RULE_KEYS)
        )
    _known(entry, ("rule", *RULE_KEYS[name]), path + ".")
    given: dict[str, Any] = {}
    if name == "constant":
        given["p"] = _typed(entry, "p", float, path + ".")
        _probability(given["p"], f"{path}.p")
    if name == "trivalency" and "values" in entry:
        levels = {f"values[{i}]": value for i, value in enumerate(_listed(entry["values"]))}
        if not levels:
            raise InputError(f"{path}.values is empty: give probabilities such as [0.1, 0.01, 0.001]")
        given["values"] = tuple(_typed(levels, at, float, path + ".") for at in levels)
        for at, value in zip(levels, given["values"], strict=True):
            _probability(value, f"{path}.{at}")
    if name == "lt" and "normalize" in entry:
        given["normalize"] = _typed(entry, "normalize", bool, path + ".")
    return Rule(name, tuple(given.items()))


def _probability(value: float, path: str) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"{path} = {value} is not a probability: give a number from 0 to 1")


def _models(block: Any, index: int) -> list[ModelSpec]:
    path = f"model[{index}]"
    if not isinstance(block, Mapping):
        raise InputError(f"{path} = {block!r} is not a table: write [[model]] and its keys below")
    _known(block, ("kind", "probability", "threshold"), path + ".")
    specs: list[ModelSpec] = []
    rules = [_rule(e, f"{path}.probability[{i}]") for i, e in enumerate(_listed(block.get("probability", [])))]
    kinds = _listed(block.get("kind", "ic"))
    if not kinds:
        raise InputError(f"{path}.kind is empty: choose ic, lt, threshold")
    for kind in kinds:
        if kind not in ("ic", "lt", "threshold"):
            raise InputError(
                f"{path}.kind = {kind!r} is unknown: choose ic, lt, threshold."
                + did_you_mean(kind, ("ic", "lt", "threshold"))
            )
        if kind == "threshold":
            entries = _listed(block.get("threshold", []))
            if not entries:
                raise InputError(f"{path}.threshold is missing: give {{ fraction = 0.18 }} or {{ count = 2 }}")
            for i, entry in enumerate(entries):
                if not isinstance(entry, Mapping):
                    raise InputError(
                        f"{path}.threshold[{i}] = {entry!r}: give {{ fraction = 0.18 }} or {{ count = 2 }}"
                    )
                _known(entry, ("fraction", "count", "noise"), f"{path}.threshold[{i}].")
                try:
                    specs.append(ModelSpec(Threshold(**entry), None))
                except InputError as error:
                    raise InputError(f"{path}.threshold[{i}]: {error}") from None
            continue
        if not rules:
            raise InputError(
                f'{path}.probability is missing: {kind} needs one, such as {{ rule = "weighted_cascade" }}'
            )
        for rule in rules:
            if kind == "lt" and rule.rule in ("constant", "trivalency"):
                raise InputError(
                    f"{path}: the kind 'lt' cannot be combined with the rule {rule.rule!r}, whose weights sum to more than 1 at "
                    "most nodes; put lt into its own [[model]] block with weighted_cascade, lt or column"
                )
            specs.append(ModelSpec(IC() if kind == "ic" else LT(), rule))
    if "threshold" in block and "threshold" not in kinds:
        raise InputError(f"{path}.threshold belongs to kind = 'threshold', which this block does not name")
    if rules and set(kinds) == {"threshold"}:
        raise InputError(f"{path}.probability belongs to the kinds ic and lt; a threshold model has no probabilities")
    return specs


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
EDGES = {"file": str, "edges_mean": str, "directed": bool, "parallel": str, "weight": object, "combine": str}


def _graphs(table: Mapping[str, Any], base: Path | None) -> tuple[GraphSpec, ...]:
    _known(table, ("platform", "edges", "dataset"), "graph.")
    if len(table) != 1:
        raise InputError("graph: give exactly one of platform, edges and dataset")
    kind = next(iter(table))
    if kind == "dataset":
        return (GraphSpec("dataset", {"name": _typed(table, "dataset", str, "graph.")}),)
    given = _table(table, kind)
    path = f"graph.{kind}."
    if kind == "platform":
        _known(given, tuple(PLATFORM), path)
        defaults = tomllib.loads(EXAMPLE)["graph"]["platform"]
        mixings = _listed(given.get("mixing", defaults["mixing"]))
        rest = {k: _typed(given, k, t, path, defaults[k]) for k, t in PLATFORM.items() if k != "mixing"}
        found = [{**rest, "mixing": _typed({"mixing": m}, "mixing", float, path)} for m in mixings]
        for platform in found:
            try:
                check_platform(**platform)
            except InputError as error:
                raise InputError(f"graph.platform: {error}") from None
        return tuple(GraphSpec("platform", platform) for platform in found)
    _known(given, tuple(EDGES), path)
    file = Path(_typed(given, "file", str, path))
    if base is not None and not file.is_absolute() and not file.exists():
        file = base / file
    directed = _typed(given, "directed", bool, path, True) if "directed" in given else True
    parameters: dict[str, Any] = {"file": str(file), "directed": directed}
    for name, allowed in CHOICES.items():
        if name in given:
            value = parameters[name] = _typed(given, name, str, path)
            if value not in allowed:
                raise InputError(
                    f"{path}{name} = {value!r} is unknown: choose {', '.join(allowed)}." + did_you_mean(value, allowed)
                )
    if "weight" in given:
        parameters["weight"] = given["weight"]
        if isinstance(given["weight"], bool) or not isinstance(given["weight"], int | str):
            raise InputError(f"{path}weight = {given['weight']!r}: give the name of a column, or its position from 0")
    if directed and "edges_mean" not in parameters:
        raise InputError(
            f"{path}edges_mean is missing: say 'follows' when a row (u, v) means that u follows v, or "
            "'influences' when content flows from u to v; spreads can differ several times between the two"
        )
    return (GraphSpec("edges", parameters),)
