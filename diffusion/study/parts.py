"""Parts of a study around its base point: sweeps of one factor, maps of two, critical values, sensitivity, posteriors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .._toml import known, listed, one_of, typed
from ..errors import InputError
from .graph_specs import GraphSpec, identity_of
from .methods import METHODS
from .models import ModelSpec

__all__ = [
    "PLACES",
    "Axis",
    "Base",
    "Budget",
    "Critical",
    "Part",
    "Point",
    "Predictive",
    "Range",
    "Sensitivity",
    "parse_base",
    "parse_critical",
    "parse_part",
    "parse_predictive",
    "parse_sensitivity",
]

PLACES = ("anywhere", "one community", "spread")


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

    def to_dict(self) -> dict[str, float]:
        """Return the table that stands in a study file."""
        return {self.kind: int(self.value) if self.value == int(self.value) else self.value}


def parse_budget(entry: Any, path: str) -> Budget:
    """Read a budget: a number of seeds, ``{ k = 10 }`` or ``{ money = 100_000 }``."""
    if isinstance(entry, int | float) and not isinstance(entry, bool):
        entry = {"k": entry}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise InputError(f"{path} = {entry!r}: give {{ k = 10 }} or {{ money = 100_000 }}")
    known(entry, ("k", "money"), f"{path}.")
    kind = next(iter(entry))
    value = typed(entry, kind, int if kind == "k" else float, f"{path}.")
    if not 0 <= value < 1e15:
        raise InputError(f"{path}.{kind} = {value} is out of range: a budget is a number from 0 to below 1e15")
    return Budget(kind, float(value))


def canonical(value: Any) -> Any:
    """Numbers as floats, so that 2 and 2.0 are one parameter."""
    if isinstance(value, Mapping):
        return {key: canonical(v) for key, v in value.items()}
    return float(value) if isinstance(value, np.number) or _is_number(value) else value


@dataclass(frozen=True)
class Point:
    """A condition of the study, before it meets a replicate."""

    graph: GraphSpec
    model: ModelSpec
    strategy: str
    budget: Budget
    place: str

    @cached_property
    def identity(self) -> str:
        """Hash of the condition: everything but replicates, precision and key of the study."""
        parts: dict[str, Any] = {
            "graph": [self.graph.kind, canonical(self.graph.content)],
            "model": [self.model.name, self.model.model.name, canonical(self.model.model.parameters)],
            "rule": self.model.rule_table,
            "strategy": self.strategy,
            "budget": [self.budget.kind, self.budget.value],
            "place": self.place,
        }
        return identity_of(parts, 8)

    def has(self, factor: str) -> bool:
        """Whether the condition has a factor that could be varied."""
        return factor == "budget" or self.graph.has(factor) or self.model.has(factor)

    def changed(self, levels: Mapping[str, Any], path: str) -> Point:
        """Return the condition at other levels of some factors."""
        of_graph = {k: v for k, v in levels.items() if self.graph.has(k)}
        of_model = {k: v for k, v in levels.items() if k not in of_graph and k != "budget"}
        graph = self.graph.changed(of_graph, path) if of_graph else self.graph
        model = self.model.changed(of_model, path) if of_model else self.model
        budget = parse_budget(levels["budget"], path) if "budget" in levels else self.budget
        return replace(self, graph=graph, model=model, budget=budget)


@dataclass(frozen=True)
class Axis:
    """A factor and its levels."""

    factor: str
    levels: tuple[Any, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the keys that stand in a study file."""
        return {"factor": self.factor, "levels": [_plain(level) for level in self.levels]}

    def columns(self, index: int, end: str = "") -> dict[str, Any]:
        """Return factor, level and value for the table of points."""
        text, value = level_columns(self.levels[index])
        return {f"factor{end}": self.factor, f"level{end}": text, f"value{end}": value}

    def thinned(self, most: int) -> Axis:
        """Return the axis with at most so many levels, the ends among them."""
        n = len(self.levels)
        if n <= most:
            return self
        kept = [round(i * (n - 1) / (most - 1)) for i in range(most)]
        return replace(self, levels=tuple(self.levels[i] for i in kept))


def _plain(level: Any) -> Any:
    return dict(level) if isinstance(level, Mapping) else level


def level_columns(level: Any) -> tuple[str, float]:
    """Return a level as text and as a number, NaN if it is none; of ``{ money = 1_000 }`` the number inside."""
    if isinstance(level, Mapping):
        ((kind, value),) = level.items()
        return f"{kind} {value:g}" if isinstance(value, int | float) else f"{kind} {value}", _number(value)
    return f"{level:g}" if _is_number(level) else str(level), _number(level)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float:
    return float(value) if _is_number(value) else math.nan


def _chosen(models: tuple[ModelSpec, ...], strategies: tuple[str, ...], budget: Budget, place: Any) -> dict[str, Any]:
    """Return the keys of a study file that say for what something is varied."""
    names = [model.name for model in models]
    return {"model": names, "strategy": list(strategies), "budget": budget.to_dict(), "place": place}


@dataclass(frozen=True)
class Base:
    """The point that the parts vary around: what they do not vary, and do not name, is taken from here."""

    graph: GraphSpec
    models: tuple[ModelSpec, ...]
    strategies: tuple[str, ...]
    budget: Budget
    place: str

    def points(
        self, models: tuple[ModelSpec, ...], strategies: tuple[str, ...], budget: Budget, places: tuple[str, ...]
    ) -> Iterator[Point]:
        """Yield the base conditions of a part."""
        for model, strategy, place in itertools.product(models, strategies, places):
            yield Point(self.graph, model, strategy, budget, place)

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands in a study file."""
        return _chosen(self.models, self.strategies, self.budget, self.place)


@dataclass(frozen=True)
class Part:
    """A sweep (one axis) or a map (two): every level for every base condition that it names."""

    kind: str
    axes: tuple[Axis, ...]
    models: tuple[ModelSpec, ...]
    strategies: tuple[str, ...]
    budget: Budget
    places: tuple[str, ...]
    replicates: int
    R: bool = False  # measure R of typical sharers, too

    def points(self, base: Base, path: str = "") -> Iterator[tuple[dict[str, Any], Point]]:
        """Yield the columns of the table of points, and the condition, of every point."""
        starts = list(base.points(self.models, self.strategies, self.budget, self.places))
        for at in itertools.product(*(range(len(axis.levels)) for axis in self.axes)):
            columns: dict[str, Any] = {}
            for axis, i, end in zip(self.axes, at, ("", "_y"), strict=False):
                columns |= axis.columns(i, end)
            levels = {axis.factor: axis.levels[i] for axis, i in zip(self.axes, at, strict=True)}
            for start in starts:
                yield columns, start.changed(levels, path)

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands in a study file."""
        axes = self.axes[0].to_dict() if self.kind == "sweep" else {}
        axes |= {name: axis.to_dict() for name, axis in zip("xy", self.axes, strict=True)} if self.kind == "map" else {}
        chosen = _chosen(self.models, self.strategies, self.budget, list(self.places))
        return axes | chosen | {"replicates": self.replicates} | ({"R": True} if self.R else {})

    def thinned(self, most: int, replicates: int) -> Part:
        """Return the part with fewer levels and replicates."""
        return replace(
            self, axes=tuple(axis.thinned(most) for axis in self.axes), replicates=min(self.replicates, replicates)
        )


# --- reading them ----------------------------------------------------------------------------------------------------

CHOICES = ("model", "strategy", "budget", "place")


def parse_base(
    declared: Mapping[str, Any],
    graph: GraphSpec,
    models: tuple[ModelSpec, ...],
    strategies: tuple[str, ...],
    budgets: tuple[Budget, ...],
    places: tuple[str, ...],
) -> Base:
    """Read [base]; what it leaves out is the whole crossed part, of budgets and places the first."""
    known(declared, CHOICES, "base.")
    place = one_of(declared.get("place", places[0]), PLACES, "base.place")
    budget = parse_budget(declared["budget"], "base.budget") if "budget" in declared else budgets[0]
    return Base(graph, _models(declared, models, "base."), _strategies(declared, strategies, "base."), budget, place)


def _models(declared: Mapping[str, Any], models: tuple[ModelSpec, ...], path: str) -> tuple[ModelSpec, ...]:
    if "model" not in declared:
        return models
    by_name = {model.name: model for model in models}
    return tuple(by_name[one_of(name, by_name, f"{path}model")] for name in listed(declared["model"]))


def _strategies(declared: Mapping[str, Any], strategies: tuple[str, ...], path: str) -> tuple[str, ...]:
    if "strategy" not in declared:
        return strategies
    return tuple(one_of(name, METHODS, f"{path}strategy") for name in listed(declared["strategy"]))


def _choices(
    declared: Mapping[str, Any], base: Base, all_models: tuple[ModelSpec, ...], path: str
) -> tuple[tuple[ModelSpec, ...], tuple[str, ...], Budget, tuple[str, ...]]:
    models = _models(declared, all_models, path) if "model" in declared else base.models
    strategies = _strategies(declared, base.strategies, path)
    budget = parse_budget(declared["budget"], f"{path}budget") if "budget" in declared else base.budget
    places = tuple(one_of(p, PLACES, f"{path}place") for p in listed(declared.get("place", base.place)))
    if not (models and strategies and places):
        raise InputError(f"{path[:-1]}: model, strategy and place need at least one entry each")
    return models, strategies, budget, places


def parse_part(kind: str, declared: Any, path: str, base: Base, models: tuple[ModelSpec, ...], replicates: int) -> Part:
    """Read a [[sweep]] or a [[map]] and try every level, so that nothing is refused after the study has begun."""
    if not isinstance(declared, Mapping):
        raise InputError(f"{path} = {declared!r} is not a table: write [[{kind}]] and its keys below")
    if kind == "map" and "z" in declared:
        raise InputError(f"{path}.z: a map has two factors, x and y; for a third, write another map or a sweep")
    own = ("factor", "levels") if kind == "sweep" else ("x", "y")
    known(declared, (*own, *CHOICES, "replicates", "R"), f"{path}.")
    chosen, strategies, budget, places = _choices(declared, base, models, f"{path}.")
    if kind == "sweep":
        axes = [_axis(declared, f"{path}.")]
    else:
        axes = []
        for name in own:
            if not isinstance(declared.get(name), Mapping):
                raise InputError(f"{path}.{name} is missing: give {{ factor = ..., levels = [...] }}")
            known(declared[name], ("factor", "levels"), f"{path}.{name}.")
            axes.append(_axis(declared[name], f"{path}.{name}."))
        if axes[0].factor == axes[1].factor:
            raise InputError(f"{path}: x and y are both {axes[0].factor!r}: a map crosses two factors")
    count = typed(declared, "replicates", int, f"{path}.", replicates)
    if count < 1:
        raise InputError(f"{path}.replicates = {count} is out of range: give a whole number from 1")
    starts = [Point(base.graph, model, strategies[0], budget, places[0]) for model in chosen]
    having = [start.model for start in starts if all(start.has(axis.factor) for axis in axes)]
    for axis in axes:
        if not any(start.has(axis.factor) for start in starts):
            there = ["budget", *base.graph.factors, *(f for m in chosen for f in m.model.study_parameters())]
            one_of(axis.factor, dict.fromkeys(there), f"{path}.factor" if kind == "sweep" else f"{path} factor")
    if not having:
        raise InputError(f"{path}: no model has both {axes[0].factor} and {axes[1].factor}: name other factors")
    if "model" in declared and len(having) < len(chosen):
        lacking = next(m.name for m in chosen if m not in having)
        raise InputError(f"{path}.model: {lacking!r} has no {' or '.join(a.factor for a in axes)}: leave it out")
    measured = typed(declared, "R", bool, f"{path}.") if "R" in declared else False
    part = Part(kind, tuple(axes), tuple(having), strategies, budget, places, count, measured)
    for _ in part.points(base, f"{path}.levels" if kind == "sweep" else path):
        pass
    return part


def _axis(declared: Mapping[str, Any], path: str) -> Axis:
    factor = typed(declared, "factor", str, path)
    levels = tuple(listed(declared.get("levels", [])))
    if not levels:
        raise InputError(f"{path}levels is missing: give the levels of {factor}, such as [0.05, 0.2, 0.5]")
    texts = [level_columns(level)[0] for level in levels]
    if len(set(texts)) < len(texts):
        raise InputError(f"{path}levels names the same level twice: each is run once")
    return Axis(factor, levels)


# --- critical values, sensitivity, posteriors ------------------------------------------------------------------------


@dataclass(frozen=True)
class Critical:
    """Where R crosses 1 along each factor, everything else at the base point."""

    ends: tuple[tuple[str, float], ...]
    models: tuple[ModelSpec, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands in a study file."""
        return {"model": [m.name for m in self.models], **dict(self.ends)}


def parse_critical(declared: Mapping[str, Any], base: Base, models: tuple[ModelSpec, ...]) -> Critical | None:
    """Read [critical]: the largest value to try for every factor."""
    chosen = _models(declared, models, "critical.") if "model" in declared else base.models
    ends = []
    for factor in declared:
        if factor == "model":
            continue
        most = typed(declared, factor, float, "critical.")
        if not most > 0 or math.isinf(most):
            raise InputError(f"critical.{factor} = {most} is out of range: give the largest value to try, above 0")
        if not any(model.has(factor) for model in chosen):
            one_of(factor, dict.fromkeys(f for m in chosen for f in m.model.study_parameters()), "critical")
        ends.append((factor, most))
    return Critical(tuple(ends), chosen) if ends else None


@dataclass(frozen=True)
class Predictive:
    """Reach and R with stage probabilities drawn from their posteriors: so many draws at the base point."""

    draws: int
    models: tuple[ModelSpec, ...]
    strategies: tuple[str, ...]
    budget: Budget
    place: str

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands in a study file."""
        return {"draws": self.draws} | _chosen(self.models, self.strategies, self.budget, self.place)


def parse_predictive(declared: Mapping[str, Any], base: Base, models: tuple[ModelSpec, ...]) -> Predictive | None:
    """Read [predictive]."""
    if not declared:
        return None
    known(declared, ("draws", *CHOICES), "predictive.")
    draws = typed(declared, "draws", int, "predictive.", 32)
    if draws < 2:
        raise InputError(f"predictive.draws = {draws} is out of range: give a whole number from 2")
    chosen, strategies, budget, places = _choices(declared, base, models, "predictive.")
    having = tuple(m for m in chosen if m.model.posteriors(m.table))
    if not having:
        raise InputError(
            f"predictive: {', '.join(m.name for m in chosen)} has no parameter that a survey or data leaves uncertain: leave "
            "[predictive] out, or declare a SIPS model by eta, or with a posterior"
        )
    if len(places) > 1:
        raise InputError(f"predictive.place = {list(places)!r}: give one place")
    return Predictive(draws, having, strategies, budget, places[0])


@dataclass(frozen=True)
class Range:
    """What an input of the sensitivity analysis is drawn from: a range, named values, or a posterior."""

    input: str
    declared: Any
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    posterior: Any = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """Text for tables."""
        if self.values:
            return ", ".join(level_columns(value)[0] for value in self.values)
        if self.posterior is not None:
            return f"posterior of the {'survey' if self.declared == 'survey' else 'data'}"
        return f"{self.low:g} to {self.high:g}{', log scale' if self.log else ''}"

    def at(self, u: float) -> Any:
        """Return the value at a quantile u in [0, 1)."""
        if self.values:
            return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
        if self.posterior is not None:
            return float(self.posterior.ppf(u))
        if self.log:
            return float(self.low * (self.high / self.low) ** u)
        return float(self.low + u * (self.high - self.low))


SEEDING_INPUTS = ("budget", "place", "small_share")


@dataclass(frozen=True)
class Sensitivity:
    """Sobol indices of log reach and log R over ranges of all inputs at once."""

    samples: int
    model: ModelSpec
    graph: GraphSpec
    ranges: tuple[Range, ...]
    budget: Budget
    place: str

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands in a study file."""
        return {
            "samples": self.samples,
            "model": self.model.name,
            **({"users": self.graph.parameters["users"]} if self.graph.has("users") else {}),
            "ranges": {r.input: r.declared for r in self.ranges},
        }

    @property
    def splits(self) -> bool:
        """Whether the money is split between amateurs and the most followed."""
        return self.budget.kind == "money"

    def point(self, u: Mapping[str, float]) -> tuple[Point, float]:
        """Return the condition at the quantiles of all inputs, and the share of the budget for amateurs."""
        values = {r.input: r.at(u[r.input]) for r in self.ranges}
        small = values.pop("small_share", 0.5)
        place = str(values.pop("place", self.place))
        budget = replace(self.budget, value=round(values.pop("budget"), 2)) if "budget" in values else self.budget
        start = Point(self.graph, self.model, "degree", budget, place)
        return start.changed(values, "sensitivity.ranges"), float(small)


def parse_sensitivity(declared: Mapping[str, Any], base: Base, models: tuple[ModelSpec, ...]) -> Sensitivity | None:
    """Read [sensitivity] and its ranges; the ends of every range are tried."""
    if not declared:
        return None
    known(declared, ("samples", "model", "users", "ranges"), "sensitivity.")
    samples = typed(declared, "samples", int, "sensitivity.", 32)
    if samples < 4 or samples & (samples - 1):
        raise InputError(
            f"sensitivity.samples = {samples} is out of range: give a power of two from 4, as Sobol sequences need it"
        )
    ranges = declared.get("ranges")
    if not isinstance(ranges, Mapping) or not ranges:
        raise InputError("sensitivity.ranges is missing: give each input its range, such as attention = [0.1, 0.6]")
    chosen = _models(declared, models, "sensitivity.") if "model" in declared else base.models[:1]
    if len(chosen) != 1:
        raise InputError(f"sensitivity.model names {len(chosen)} models: give one")
    (model,) = chosen
    graph = base.graph
    if "users" in declared:
        if not graph.has("users"):
            raise InputError(
                "sensitivity.users belongs to a generated platform: leave it out for a graph that is given"
            )
        graph = graph.changed({"users": typed(declared, "users", int, "sensitivity.")}, "sensitivity.users")
    allowed = [*SEEDING_INPUTS, *graph.factors, *model.model.study_parameters()]
    if base.budget.kind != "money":
        allowed.remove("small_share")
    # In order of names: the Sobol sequence must not depend on how a file was written.
    found = tuple(_range(name, ranges[name], allowed, model) for name in sorted(ranges))
    start = Sensitivity(samples, model, graph, found, base.budget, base.place)
    middle = dict.fromkeys((r.input for r in found), 0.5)
    for tried in [
        middle,
        dict.fromkeys(middle, 1 - 1e-6),
        *({**middle, r.input: u} for r in found for u in (0.0, 1.0)),
    ]:
        start.point(tried)
    return start


def _range(name: str, declared: Any, allowed: list[str], model: ModelSpec) -> Range:
    path = f"sensitivity.ranges.{name}"
    one_of(name, allowed, "sensitivity.ranges")
    if declared in ("survey", "posterior"):
        posterior = model.model.posteriors(model.table).get(name)
        if posterior is None:
            source = "the survey says" if declared == "survey" else "neither data nor the survey say"
            raise InputError(f"{path} = {declared!r}: {source} nothing about {name} of {model.name}: give [low, high]")
        return Range(name, declared, posterior=posterior)
    log = False
    ends = declared
    if isinstance(declared, Mapping):
        known(declared, ("low", "high", "log"), f"{path}.")
        log = typed(declared, "log", bool, f"{path}.", False) if "log" in declared else False
        ends = [typed(declared, end, float, f"{path}.") for end in ("low", "high")]
    entries = listed(ends)
    if name == "place":
        return Range(name, declared, values=tuple(one_of(place, PLACES, path) for place in entries))
    if entries and not all(map(_is_number, entries)):
        return Range(name, declared, values=tuple(entries))
    if len(entries) != 2 or not entries[0] < entries[1] or (log and not entries[0] > 0):
        raise InputError(f"{path} = {declared!r}: give [low, high] with low below high, or {{ low, high, log = true }}")
    return Range(name, declared, low=float(entries[0]), high=float(entries[1]), log=log)
