"""What a study varies: the file, its checks, and the cells it crosses to."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._toml import known, listed, one_of, table, typed
from ..errors import DiffusionError, InputError, MissingDataError, ReadError
from ..graph.communities import METHODS as COMMUNITY_METHODS
from ..graph.follower_graph import FollowerGraph
from ..graph.generate import check_platform
from .methods import METHODS
from .models import ModelSpec, Rule, parse_models

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

PLACES = ("anywhere", "one community", "spread")

#: The default study, and the one place of every default: a value that a file or a call leaves out is taken from here.
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
own_community = 0.5             # share of them in the creator's own community
identify = ["simple", { complex = 2 }]   # by chance, or once that many distinct sharers were seen

[[model]]
kind = "sips"
sips = { attention = 0.3, eta = 0.25, feed = 3.0, own_community = 0.5 }

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
DEFAULTS = tomllib.loads(EXAMPLE)


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

    rel_error: float = DEFAULTS["precision"]["rel_error"]
    confidence: float = DEFAULTS["precision"]["confidence"]
    max_runs: int = DEFAULTS["precision"]["max_runs"]


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
    places: tuple[str, ...]
    placed: tuple[str, ...] | None  # strategies that all places are crossed with; None: every one
    precision: Precision

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

        document = {
            "title": self.title,
            "seed": self.seed,
            "out": self.out,
            "graph": self._graph_table(),
            "model": [spec.to_dict() for spec in self.models],
            "seeding": {
                "strategy": list(self.strategies),
                "budget": [{b.kind: int(b.value) if b.value == int(b.value) else b.value} for b in self.budgets],
                "place": list(self.places),
                **({} if self.placed is None else {"placed": list(self.placed)}),
            },
            "precision": dataclasses.asdict(self.precision),
        }
        return tomli_w.dumps(document)

    def _graph_table(self) -> dict[str, Any]:
        first = self.graphs[0]
        parameters = dict(first.parameters)
        if first.kind == "object":
            return {"python": f"a FollowerGraph, fingerprint {parameters['fingerprint']}"}
        if first.kind == "dataset":
            return {"dataset": parameters["name"]}
        varied = "mixing" if first.kind == "platform" else "rewire_mixing"
        levels = [spec.parameters[varied] for spec in self.graphs if varied in spec.parameters]
        if levels:
            parameters[varied] = levels[0] if first.kind == "platform" and len(levels) == 1 else levels
        return {first.kind: parameters}


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


def parse_study(
    document: Mapping[str, Any], *, base: Path | None = None, models: Sequence[ModelSpec] | None = None
) -> StudyDesign:
    """Check the content of a study file and return its design; errors name the key path.

    Models given in Python take the place of those of the document.
    """
    known(document, ("title", "seed", "out", "graph", "model", "seeding", "precision"), "")
    title = typed(document, "title", str, "", DEFAULTS["title"])
    seed = typed(document, "seed", int, "", DEFAULTS["seed"])
    if not 0 <= seed < 2**64:
        raise InputError(f"seed = {seed} is out of range: give a whole number from 0")
    out = typed(document, "out", str, "", DEFAULTS["out"])
    seeding = table(document, "seeding") or DEFAULTS["seeding"]
    known(seeding, DEFAULTS["seeding"], "seeding.")
    strategies = tuple(
        one_of(name, METHODS, "seeding.strategy")
        for name in listed(seeding.get("strategy", DEFAULTS["seeding"]["strategy"]))
    )
    budgets = tuple(map(_budget, *_numbered(seeding.get("budget", DEFAULTS["seeding"]["budget"]))))
    places = tuple(one_of(place, PLACES, "seeding.place") for place in listed(seeding.get("place", "anywhere")))
    placed = None
    if "placed" in seeding:
        placed = tuple(one_of(name, strategies, "seeding.placed") for name in listed(seeding["placed"]))
    if models is None:
        blocks = map(parse_models, *_numbered(document.get("model", DEFAULTS["model"])))
        models = [spec for block in blocks for spec in block]
    graphs = _graphs(table(document, "graph") or DEFAULTS["graph"], base)
    varied = "graph.edges.rewire_mixing" if any(g.kind == "edges" for g in graphs) else "graph.platform.mixing"
    labels: dict[str, list[Any]] = {  # the tables tell combinations apart by these
        "seeding.strategy": list(strategies),
        "seeding.budget": [budget.label for budget in budgets],
        "seeding.place": list(places),
        "model": [(spec.model.label, spec.rule_label) for spec in models],
        varied: [spec.label for spec in graphs],
    }
    for what, values in labels.items():
        if not values:
            raise InputError(f"{what} is empty: a study needs at least one")
        if len(set(values)) < len(values):
            raise InputError(f"{what} names the same thing twice: each combination is run once")
    precision = _precision(table(document, "precision"))
    return StudyDesign(title, seed, out, graphs, tuple(models), strategies, budgets, places, placed, precision)


def _numbered(entries: Any) -> tuple[list[Any], range]:
    entries = listed(entries)
    return entries, range(len(entries))


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


def _precision(declared: Mapping[str, Any]) -> Precision:
    known(declared, DEFAULTS["precision"], "precision.")
    rel_error, confidence, max_runs = (
        typed(declared, name, kind, "precision.", DEFAULTS["precision"][name])
        for name, kind in (("rel_error", float), ("confidence", float), ("max_runs", int))
    )
    if not rel_error > 0 or not math.isfinite(rel_error):
        raise InputError(f"precision.rel_error = {rel_error} is out of range: give a number above 0")
    if not 0 < confidence < 1:
        raise InputError(f"precision.confidence = {confidence} is out of range: give a number between 0 and 1")
    if max_runs < 2:
        raise InputError(f"precision.max_runs = {max_runs} is out of range: an interval needs at least 2 runs")
    return Precision(rel_error, confidence, max_runs)


PLATFORM: dict[str, type] = {name: type(value) for name, value in DEFAULTS["graph"]["platform"].items()}
PLATFORM |= {"mixing": float, "mean_followers": float}
CHOICES = {
    "edges_mean": ("follows", "influences"),
    "parallel": ("collapse", "keep"),
    "combine": ("sum", "max", "min", "mean", "noisy_or"),
}
COLUMNS = ("source", "target", "weight", "time")
EDGES = ("file", "directed", *CHOICES, *COLUMNS, "header_counts", "communities", "rewire_mixing")


def _graphs(declared: Mapping[str, Any], base: Path | None) -> tuple[GraphSpec, ...]:
    known(declared, ("platform", "edges", "dataset"), "graph.")
    if len(declared) != 1:
        raise InputError("graph: give exactly one of platform, edges and dataset")
    kind = next(iter(declared))
    if kind == "dataset":
        return (GraphSpec("dataset", {"name": typed(declared, "dataset", str, "graph.")}),)
    return (_platforms if kind == "platform" else _edges)(table(declared, kind, "graph."), f"graph.{kind}.", base)


def _platforms(declared: Mapping[str, Any], path: str, base: Path | None) -> tuple[GraphSpec, ...]:
    known(declared, PLATFORM, path)
    defaults = DEFAULTS["graph"]["platform"] | {"mixing": 0.2}
    rest = {k: typed(declared, k, t, path, defaults[k]) for k, t in PLATFORM.items() if k != "mixing"}
    mixings = listed(declared.get("mixing", defaults["mixing"]))
    platforms = [{**rest, "mixing": typed({"mixing": m}, "mixing", float, path)} for m in mixings]
    for platform in platforms:
        try:
            check_platform(**platform)
        except InputError as error:
            raise InputError(f"graph.platform: {error}") from None
    return tuple(GraphSpec("platform", platform) for platform in platforms)


def _edges(declared: Mapping[str, Any], path: str, base: Path | None) -> tuple[GraphSpec, ...]:
    known(declared, EDGES, path)
    parameters: dict[str, Any] = {"file": _file(declared, path, base)}
    directed = parameters["directed"] = typed(declared, "directed", bool, path, True)
    for name, allowed in CHOICES.items():
        if name in declared:
            parameters[name] = one_of(typed(declared, name, str, path), allowed, path + name)
    for name in COLUMNS:
        if name in declared:
            parameters[name] = declared[name]
            if isinstance(declared[name], bool) or not isinstance(declared[name], int | str):
                raise InputError(
                    f"{path}{name} = {declared[name]!r}: give the name of a column, or its position from 0"
                )
    if directed and "edges_mean" not in parameters:
        raise InputError(
            f"{path}edges_mean is missing: say 'follows' when a row (u, v) means that u follows v, or "
            "'influences' when content flows from u to v; spreads can differ several times between the two"
        )
    if "header_counts" in declared:
        parameters["header_counts"] = typed(declared, "header_counts", bool, path)
    if "communities" in declared:
        parameters["communities"] = _community_source(declared["communities"], path + "communities", base)
    if "rewire_mixing" not in declared:
        return (GraphSpec("edges", parameters),)
    parameters.setdefault("communities", "leiden")
    levels = map(_level, *_numbered(declared["rewire_mixing"]))
    copies = [{**parameters, "rewire_mixing": level} for level in levels]
    return tuple(GraphSpec("edges", copy) for copy in (parameters, *copies))


def _level(level: Any, index: int) -> str | float:
    """A mixing of a rewired copy: a share, or a multiple of the graph's own such as ``0.5x``."""
    path = f"graph.edges.rewire_mixing[{index}]"
    if isinstance(level, str):
        if not re.fullmatch(r"\d+(\.\d*)?x", level):
            raise InputError(f'{path} = {level!r} is no multiple: give one such as "0.5x", or a share')
        return level
    share: float = typed({path: level}, path, float, "")
    if not 0 <= share <= 1:
        raise InputError(f"{path} = {level!r} is out of range: give a share from 0 to 1")
    return share


def _file(declared: Mapping[str, Any], path: str, base: Path | None) -> str:
    """A file, looked for beside the study file, too."""
    file = Path(typed(declared, "file", str, path))
    return str(base / file if base is not None and not file.is_absolute() and not file.exists() else file)


def _community_source(declared: Any, path: str, base: Path | None) -> Any:
    """A method, or a file: one row 'node community' each, or all members of a community in one row."""
    if isinstance(declared, Mapping):
        known(declared, ("file", "rows"), path + ".")
        file = _file(declared, path + ".", base)
        rows = typed(declared, "rows", str, path + ".", "nodes")
        if rows not in ("nodes", "communities"):
            raise InputError(
                f"{path}.rows = {rows!r} is unknown: choose nodes (node, community) or communities (all members)"
            )
        return {"file": file, "rows": rows}
    try:
        return one_of(declared, COMMUNITY_METHODS, path)
    except InputError as error:
        raise InputError(f"{error} Or give {{ file = ..., rows = 'nodes' }}") from None
