"""Models of a study: a model crossed with a rule for its probabilities, and the blocks of a study file that declare them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._random import RNGLike
from .._toml import known, listed, one_of, probability, typed
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..models.registry import MODELS
from .schema import check_model_columns

__all__ = ["ModelSpec", "Rule", "parse_models", "parse_rules", "specs_of"]


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
        values = (f"{n}={v:.12g}" if isinstance(v, float) else f"{n}={v}" for n, v in self.parameters)
        return " ".join([self.rule.replace("_", " "), *values])

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands in a study file."""
        return {"rule": self.rule, **{k: list(v) if isinstance(v, tuple) else v for k, v in self.parameters}}


@dataclass(frozen=True)
class ModelSpec:
    """A model, the rule for its probabilities (None where it takes none), and the table that declares the model."""

    model: DiffusionModel
    rule: Rule | None = None
    table: Mapping[str, Any] = field(default_factory=dict, hash=False)
    given_name: str = ""

    @property
    def name(self) -> str:
        """Name in the study: what the file calls it, or the labels of model and rule."""
        return self.given_name or ", ".join(filter(None, (self.model.label, self.rule_label)))

    def has(self, factor: str) -> bool:
        """Whether a factor is a parameter of the model or of its rule."""
        return factor in self.model.study_parameters() or (self.rule is not None and factor in RULES[self.rule.rule])

    def changed(self, values: Mapping[str, Any], path: str) -> ModelSpec:
        """Return the model with other values of some factors; InputError names `path` where one is out of range."""
        of_rule = {k: v for k, v in values.items() if k not in self.model.study_parameters()}
        rule = self.rule
        if rule is not None and of_rule:
            (rule,) = parse_rules([rule.to_dict() | of_rule], path)
        table: Mapping[str, Any] = {
            **self.model.study_numbers(self.table),
            **{k: v for k, v in values.items() if k not in of_rule},
        }
        found = [(self.model, table)] if len(of_rule) == len(values) else self.model.from_study_table(table, path)
        if len(found) != 1:
            raise InputError(f"{path} = {values!r}: a level is one value, not a list")
        ((model, table),) = found
        return replace(self, model=model, table=table, rule=rule, given_name=self.name)

    @property
    def rule_label(self) -> str:
        """Label of the rule; empty without one."""
        return self.rule.label if self.rule else ""

    @property
    def rule_table(self) -> dict[str, Any] | None:
        """Table of the rule; None without one."""
        return self.rule.to_dict() if self.rule else None

    def to_dict(self) -> dict[str, Any]:
        """Return the block that stands in a study file."""
        kind = self.model.name.lower()
        block: dict[str, Any] = ({"name": self.given_name} if self.given_name else {}) | {"kind": kind}
        if self.table:
            block[kind] = dict(self.table)
        return block | ({"probability": self.rule.to_dict()} if self.rule else {})

    def columns(self) -> dict[str, Any]:
        """Return the columns of the results table that tell models apart."""
        of_model = self.model.study_columns(self.table)
        return {
            "model": self.model.label,
            "model_name": self.name,
            "rule": self.rule_label,
            "model_kind": self.model.name,
            "contagion": self.model.contagion,
            **of_model,
        }


RULES = {
    "constant": ("p",),
    "weighted_cascade": (),
    "trivalency": ("values",),
    "column": (),
    "lt": ("normalize",),
    "follower": ("column",),
    "creator": ("column",),
}


def parse_rules(entries: Any, path: str) -> list[Rule]:
    """Read rules: names, or tables with their parameters."""
    return [_rule(entry, f"{path}[{i}]") for i, entry in enumerate(listed(entries))]


def _rule(entry: Any, path: str) -> Rule:
    if isinstance(entry, str):
        entry = {"rule": entry}
    if not isinstance(entry, Mapping):
        raise InputError(f'{path} = {entry!r}: give a table such as {{ rule = "weighted_cascade" }}')
    name = one_of(typed(entry, "rule", str, f"{path}."), RULES, f"{path}.rule")
    known(entry, ("rule", *RULES[name]), f"{path}.")
    parameters: dict[str, Any] = {}
    if name == "constant":
        parameters["p"] = probability(typed(entry, "p", float, f"{path}."), f"{path}.p")
    if name == "trivalency" and "values" in entry:
        levels = {f"values[{i}]": value for i, value in enumerate(listed(entry["values"]))}
        if not levels:
            raise InputError(f"{path}.values is empty: give probabilities such as [0.1, 0.01, 0.001]")
        parameters["values"] = tuple(probability(typed(levels, at, float, f"{path}."), f"{path}.{at}") for at in levels)
    if name == "lt" and "normalize" in entry:
        parameters["normalize"] = typed(entry, "normalize", bool, f"{path}.")
    if "column" in RULES[name]:
        parameters["column"] = typed(entry, "column", str, f"{path}.")
    return Rule(name, tuple(parameters.items()))


def specs_of(model: DiffusionModel, table: Mapping[str, Any], rules: Iterable[Rule], path: str) -> list[ModelSpec]:
    """Cross a model with the rules, where it takes probabilities."""
    check_model_columns(model.study_columns(table), model.label)
    if not model.takes_probabilities:
        return [ModelSpec(model, None, table)]
    specs = [ModelSpec(model, rule, table) for rule in rules]
    if not specs:
        kind = model.name.lower()
        raise InputError(f'{path}.probability is missing: {kind} needs one, such as {{ rule = "weighted_cascade" }}')
    for spec in specs:
        refusal = model.refuses_rule(spec.rule.rule if spec.rule else "")
        if refusal:
            raise InputError(f"{path}: {refusal}")
    return specs


def parse_models(block: Any, index: int) -> list[ModelSpec]:
    """Read a [[model]] block: kinds, their tables, and the rules they are crossed with."""
    path = f"model[{index}]"
    if not isinstance(block, Mapping):
        raise InputError(f"{path} = {block!r} is not a table: write [[model]] and its keys below")
    known(block, ("name", "kind", "probability", *MODELS), f"{path}.")
    rules = parse_rules(block.get("probability", []), f"{path}.probability")
    kinds = listed(block.get("kind", "ic"))
    if not kinds:
        raise InputError(f"{path}.kind is empty: choose {', '.join(MODELS)}")
    specs: list[ModelSpec] = []
    for kind in kinds:
        model: Any = MODELS[one_of(kind, MODELS, f"{path}.kind")]
        entries = block.get(kind, {})
        several = not isinstance(entries, Mapping) and isinstance(entries, list)
        for i, entry in enumerate(entries if several else [entries]):
            at = f"{path}.{kind}[{i}]" if several else f"{path}.{kind}"
            if not isinstance(entry, Mapping):
                raise InputError(f"{at} = {entry!r} is not a table: give the parameters of the model, name = value")
            try:
                declared = model.from_study_table(entry, at)
            except InputError as error:
                raise (error if kind in block else InputError(f"{path}.{kind} is missing: {error}")) from None
            specs += [spec for one, table in declared for spec in specs_of(one, table, rules, path)]
    for name in MODELS:
        if name in block and name not in kinds:
            raise InputError(f"{path}.{name} belongs to kind = '{name}', which this block does not name")
    if rules and not any(spec.model.takes_probabilities for spec in specs):
        raise InputError(f"{path}.probability belongs to models that take probabilities: {', '.join(kinds)} has none")
    if "name" in block:
        name = typed(block, "name", str, f"{path}.")
        if len(specs) > 1:
            raise InputError(
                f"{path}.name = {name!r} names {len(specs)} models, since lists are crossed: give each a block of its own"
            )
        specs = [replace(spec, given_name=name) for spec in specs]
    return specs
