"""What a study varies: the file, its checks, and the points it consists of."""

from __future__ import annotations

import dataclasses
import itertools
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .._toml import known, listed, one_of, table, typed
from ..errors import DiffusionError, InputError, MissingDataError, ReadError
from .graph_specs import DEFAULTS, EXAMPLE, GraphSpec, parse_graphs
from .methods import METHODS
from .models import ModelSpec, Rule, parse_models
from .parts import (
    PLACES,
    Base,
    Budget,
    Critical,
    Part,
    Point,
    Predictive,
    Sensitivity,
    parse_base,
    parse_budget,
    parse_critical,
    parse_part,
    parse_predictive,
    parse_sensitivity,
)

__all__ = [
    "EXAMPLE",
    "Budget",
    "GraphSpec",
    "ModelSpec",
    "Precision",
    "Rule",
    "StudyDesign",
    "on_edges",
    "parse_study",
    "read_study",
]

PARTS = ("sweep", "map", "critical", "sensitivity", "predictive")
CROSSED = ("graph", "model", "seeding", "base", *PARTS)
QUICK = {"replicates": 3, "levels": 3, "map levels": 3, "samples": 4, "draws": 4}


@dataclass(frozen=True)
class Precision:
    """When a cell has enough runs."""

    rel_error: float = DEFAULTS["precision"]["rel_error"]
    confidence: float = DEFAULTS["precision"]["confidence"]
    max_runs: int = DEFAULTS["precision"]["max_runs"]


@dataclass(frozen=True)
class StudyDesign:
    """A checked study: everything that is crossed or varied, and nothing that was computed."""

    title: str
    seed: int
    out: str
    replicates: int
    graphs: tuple[GraphSpec, ...]
    models: tuple[ModelSpec, ...]
    strategies: tuple[str, ...]
    budgets: tuple[Budget, ...]
    places: tuple[str, ...]
    placed: tuple[str, ...] | None  # strategies that all places are crossed with; None: every one
    precision: Precision
    base: Base
    parts: tuple[Part, ...] = ()
    critical: Critical | None = None
    sensitivity: Sensitivity | None = None
    predictive: Predictive | None = None
    quick: bool = False

    @property
    def n_cells(self) -> int:
        """Number of different cells of the crossed part, the sweeps and the maps."""
        return len({(p.identity, r) for _, p, n, _ in self.points() for r in range(n if p.graph.replicated else 1)})

    def places_of(self, strategy: str) -> tuple[str, ...]:
        """Places that a strategy is crossed with."""
        if self.placed is None or strategy in self.placed:
            return self.places
        return ("anywhere",) if "anywhere" in self.places else self.places[:1]

    def crossed(self) -> Iterator[Point]:
        """Yield every combination of graph, model, strategy, budget and place."""
        for graph, strategy, budget, model in itertools.product(
            self.graphs, self.strategies, self.budgets, self.models
        ):
            for place in self.places_of(strategy):
                yield Point(graph, model, strategy, budget, place)

    def points(self) -> Iterator[tuple[dict[str, Any], Point, int, str]]:
        """Yield the columns of the table of points, the condition, its replicates, and how much is measured."""
        for point in self.crossed():
            yield {"part": "crossed", "number": 0}, point, self.replicates, "full"
        number = dict.fromkeys(("sweep", "map"), 0)
        for part in self.parts:
            for columns, point in part.points(self.base):
                yield (
                    {"part": part.kind, "number": number[part.kind], **columns},
                    point,
                    part.replicates,
                    "R" if part.R else "reach",
                )
            number[part.kind] += 1

    def made_quick(self) -> StudyDesign:
        """Return the study with fewer replicates, levels and samples."""
        return replace(
            self,
            quick=True,
            replicates=min(self.replicates, QUICK["replicates"]),
            parts=tuple(
                part.thinned(QUICK["levels" if part.kind == "sweep" else "map levels"], QUICK["replicates"])
                for part in self.parts
            ),
            sensitivity=self.sensitivity
            and replace(self.sensitivity, samples=min(self.sensitivity.samples, QUICK["samples"])),
            predictive=self.predictive and replace(self.predictive, draws=min(self.predictive.draws, QUICK["draws"])),
        )

    def to_toml(self) -> str:
        """Return the study file that declares this study."""
        import tomli_w

        document: dict[str, Any] = {
            "title": self.title,
            "seed": self.seed,
            "out": self.out,
            **({"replicates": self.replicates} if any(p.graph.replicated for _, p, *_ in self.points()) else {}),
            "graph": self._graph_table(),
            "model": [spec.to_dict() for spec in self.models],
            "seeding": {
                "strategy": list(self.strategies),
                "budget": [b.to_dict() for b in self.budgets],
                "place": list(self.places),
                **({} if self.placed is None else {"placed": list(self.placed)}),
            },
            "precision": dataclasses.asdict(self.precision),
            "base": self.base.to_dict(),
        }
        for kind in ("sweep", "map"):
            declared = [part.to_dict() for part in self.parts if part.kind == kind]
            document |= {kind: declared} if declared else {}
        for name in ("critical", "sensitivity", "predictive"):
            part = getattr(self, name)
            document |= {name: part.to_dict()} if part else {}
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


def on_edges(edges: Mapping[str, Any], document: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a document on an edge list in place of its graph: a study file's, or by default that of the default study.

    The default study measures the graph itself and varies on it what can be varied on a real graph: sweeps and maps over
    mixing take the levels of the rewired copies, those over other parameters of the platform are left out, and so are
    such inputs of the sensitivity analysis.
    """
    if document is not None:
        return {**document, "graph": {"edges": dict(edges)}}
    platform, levels = DEFAULTS["graph"]["platform"], list(edges.get("rewire_mixing", []))
    found = dict(DEFAULTS) | {"graph": {"edges": {k: v for k, v in edges.items() if k != "rewire_mixing"}}}
    if not levels:
        del found["replicates"]  # one graph, of which there are no others

    def axis(declared: Mapping[str, Any]) -> dict[str, Any] | None:
        factor = declared["factor"]
        if factor == "mixing" and levels:
            return {**declared, "levels": levels}
        return None if factor in platform else dict(declared)

    found["sweep"] = [s for s in map(axis, found["sweep"]) if s]
    maps = [{**m, "x": axis(m["x"]), "y": axis(m["y"])} for m in found["map"]]
    found["map"] = [m for m in maps if m["x"] and m["y"]]
    ranges = {k: v for k, v in found["sensitivity"]["ranges"].items() if k not in platform}
    found["sensitivity"] = {"samples": 32, "model": found["sensitivity"]["model"], "ranges": ranges}
    return found


def parse_study(
    document: Mapping[str, Any],
    *,
    base: Path | None = None,
    models: Sequence[ModelSpec] | None = None,
    graph: GraphSpec | None = None,
) -> StudyDesign:
    """Check the content of a study file and return its design; errors name the key path.

    Models and a graph given in Python take the place of those of the document. A document that says nothing of graph,
    models, seeding and parts is the default study, with all of its parts.
    """
    known(document, ("title", "seed", "out", "replicates", *CROSSED, "precision"), "")
    title = typed(document, "title", str, "", DEFAULTS["title"])
    seed = typed(document, "seed", int, "", DEFAULTS["seed"])
    if not 0 <= seed < 2**64:
        raise InputError(f"seed = {seed} is out of range: give a whole number from 0")
    out = typed(document, "out", str, "", DEFAULTS["out"])
    if models is None and graph is None and all(document.get(name, {}) == {} for name in CROSSED):
        document = {**DEFAULTS, **{k: v for k, v in document.items() if k not in CROSSED}}
    seeding = table(document, "seeding") or DEFAULTS["seeding"]
    known(seeding, ("strategy", "budget", "place", "placed"), "seeding.")
    strategies = tuple(
        one_of(name, METHODS, "seeding.strategy")
        for name in listed(seeding.get("strategy", DEFAULTS["seeding"]["strategy"]))
    )
    declared_budgets = listed(seeding.get("budget", DEFAULTS["seeding"]["budget"]))
    budgets = tuple(parse_budget(entry, f"seeding.budget[{i}]") for i, entry in enumerate(declared_budgets))
    places = tuple(one_of(place, PLACES, "seeding.place") for place in listed(seeding.get("place", "anywhere")))
    placed = None
    if "placed" in seeding:
        placed = tuple(one_of(name, strategies, "seeding.placed") for name in listed(seeding["placed"]))
    if models is None:
        blocks = [parse_models(block, i) for i, block in enumerate(listed(document.get("model", DEFAULTS["model"])))]
        models = [spec for block in blocks for spec in block]
    graphs = (graph,) if graph else parse_graphs(table(document, "graph") or DEFAULTS["graph"], base)
    varied = "graph.edges.rewire_mixing" if any(g.kind == "edges" for g in graphs) else "graph.platform.mixing"
    labels: dict[str, list[Any]] = {  # the tables tell combinations apart by these
        "seeding.strategy": list(strategies),
        "seeding.budget": [budget.label for budget in budgets],
        "seeding.place": list(places),
        "model": [spec.name for spec in models],
        varied: [spec.label for spec in graphs],
    }
    for what, values in labels.items():
        if not values:
            raise InputError(f"{what} is empty: a study needs at least one")
        if len(set(values)) < len(values):
            raise InputError(f"{what} names the same thing twice: each combination is run once")
    replicates: int = typed(document, "replicates", int, "", DEFAULTS["replicates"])
    if not 1 <= replicates <= 10_000:
        raise InputError(f"replicates = {replicates} is out of range: give a whole number from 1 to 10,000")
    precision = _precision(table(document, "precision"))
    models = tuple(models)
    start = parse_base(table(document, "base"), graphs[0], models, strategies, budgets, places)
    parts = [
        parse_part(kind, entry, f"{kind}[{i}]", start, models, replicates)
        for kind in ("sweep", "map")
        for i, entry in enumerate(listed(document.get(kind, [])))
    ]
    several = any(g.replicated for g in graphs) or any(
        p.graph.replicated for part in parts for _, p in part.points(start)
    )
    if "replicates" in document and replicates > 1 and not several:
        raise InputError(
            f"replicates = {replicates}: '{graphs[0].label}' is one graph, and independent ones cannot be drawn of it: leave "
            "replicates out, or add rewire_mixing (--rewire) for copies with the same degrees"
        )
    return StudyDesign(
        title,
        seed,
        out,
        replicates,
        graphs,
        models,
        strategies,
        budgets,
        places,
        placed,
        precision,
        start,
        tuple(parts),
        parse_critical(table(document, "critical"), start, models),
        parse_sensitivity(table(document, "sensitivity"), start, models),
        parse_predictive(table(document, "predictive"), start, models),
    )


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
