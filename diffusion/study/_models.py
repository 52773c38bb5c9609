"""Models of a study: what is crossed, and the tables of a study file that declare it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._random import RNGLike
from ..errors import DiffusionError, InputError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..models.cascade import IC, LT
from ..models.sips.model import SIPS
from ..models.sips.parts import Complex, Feed, Funnel
from ..models.sips.priors import NOTES, SURVEY
from ..models.threshold import Threshold
from ._toml import known, listed, probability, typed

__all__ = ["KINDS", "ModelSpec", "Rule", "parse_models", "sips_table"]

KINDS = ("ic", "lt", "threshold", "sips")


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
    """A model and the rule for its probabilities (None for threshold models and SIPS); for SIPS the table it came from."""

    model: DiffusionModel
    rule: Rule | None
    declared: tuple[tuple[str, Any], ...] = ()

    @property
    def rule_label(self) -> str:
        """Label of the rule, or of its absence."""
        if isinstance(self.model, SIPS):
            return ""
        return self.rule.label if self.rule else "no probabilities"

    def to_dict(self) -> dict[str, Any]:
        """Return the block that stands in a study file."""
        if isinstance(self.model, SIPS):
            given = {
                k: dict(v) if k in ("identify", "funnel") and not isinstance(v, str) else v for k, v in self.declared
            }
            return {"kind": "sips", "sips": given}
        if isinstance(self.model, Threshold):
            values = {k: v for k, v in self.model.parameters.items() if v is not None and (k != "noise" or v)}
            return {"kind": "threshold", "threshold": values}
        assert self.rule is not None
        return {"kind": self.model.name.lower(), "probability": self.rule.to_dict()}

    def columns(self) -> dict[str, Any]:
        """Return the columns of the results table that tell models apart."""
        nothing = float("nan")
        found: dict[str, Any] = {
            "model_kind": self.model.name, "identify": "", "feed": nothing, "eta": nothing, "attention": nothing, "rho": nothing
        }  # fmt: skip
        if isinstance(self.model, SIPS):
            complex_ = self.model.identify
            found |= {
                "identify": complex_ if isinstance(complex_, str) else f"complex {complex_.theta}",
                "feed": 0.0 if self.model.feed is None else float(self.model.feed.impressions),
                "eta": float(dict(self.declared).get("eta", nothing)),
                "attention": nothing if self.model.attention is None else float(self.model.attention),
                "rho": self.model.funnel.rho,
            }
        return found

    def standing(self) -> list[dict[str, Any]]:
        """Return every parameter with its value and its standing: exact, read, prior or assumed."""
        if not isinstance(self.model, SIPS):
            given = {**self.model.parameters, **(self.rule.to_dict() if self.rule else {})}
            return [
                {"name": k, "value": v, "standing": "assumed", "note": ""} for k, v in given.items() if v is not None
            ]
        declared = dict(self.declared)
        funnel = self.model.funnel
        own = "funnel" in declared
        note = declared.get("note", "experience")
        rows = [
            ("a, attention of a follower", self.model.attention, "assumed", "not measured by the source's survey"),
            ("p_S", funnel.sympathize, "assumed" if own else NOTES[note].standing, "" if own else NOTES[note].reason),
            ("p_I", funnel.identify, "assumed", "nothing in the survey measures Identify"),
            ("p_P", funnel.participate, *_surveyed(own, declared, "participates")),
            ("p_X", funnel.share, *_surveyed(own, declared, "has_posted")),
        ]
        if self.model.feed is not None:
            feed = self.model.feed
            rows += [
                ("m0, feed exposures of a note", feed.impressions, "assumed", ""),
                ("h, feed within the community", feed.own_community, "assumed", ""),
                (
                    "g, feed per engagement score",
                    feed.amplification,
                    "assumed",
                    "scores like 1, collect 1, comment 4, share 4 [prior]",
                ),
            ]
        if isinstance(self.model.identify, Complex):
            rows.append(("theta, distinct sharers", self.model.identify.theta, "assumed", "replaces p_I"))
        return [dict(zip(("name", "value", "standing", "note"), row, strict=True)) for row in rows]


def _surveyed(own: bool, declared: Mapping[str, Any], item: str) -> tuple[str, str]:
    if own:
        return "assumed", ""
    asked = SURVEY[item]
    return (
        "prior",
        f"{asked.agreed} of {asked.asked} ({asked.question}), stated intention, times eta = {declared['eta']:g}",
    )


RULE_KEYS = {"constant": ("p",), "weighted_cascade": (), "trivalency": ("values",), "column": (), "lt": ("normalize",)}


def _rule(entry: Any, path: str) -> Rule:
    if isinstance(entry, str):
        entry = {"rule": entry}
    if not isinstance(entry, Mapping):
        raise InputError(f'{path} = {entry!r}: give a table such as {{ rule = "weighted_cascade" }}')
    name = typed(entry, "rule", str, path + ".")
    if name not in RULE_KEYS:
        raise InputError(
            f"{path}.rule = {name!r} is unknown: choose {', '.join(RULE_KEYS)}." + did_you_mean(name, RULE_KEYS)
        )
    known(entry, ("rule", *RULE_KEYS[name]), path + ".")
    given: dict[str, Any] = {}
    if name == "constant":
        given["p"] = typed(entry, "p", float, path + ".")
        probability(given["p"], f"{path}.p")
    if name == "trivalency" and "values" in entry:
        levels = {f"values[{i}]": value for i, value in enumerate(listed(entry["values"]))}
        if not levels:
            raise InputError(f"{path}.values is empty: give probabilities such as [0.1, 0.01, 0.001]")
        given["values"] = tuple(typed(levels, at, float, path + ".") for at in levels)
        for at, value in zip(levels, given["values"], strict=True):
            probability(value, f"{path}.{at}")
    if name == "lt" and "normalize" in entry:
        given["normalize"] = typed(entry, "normalize", bool, path + ".")
    return Rule(name, tuple(given.items()))


SIPS_KEYS = ("attention", "note", "funnel", "eta", "identify_rate", "feed", "own", "gain", "identify")
FUNNEL_KEYS = ("sympathize", "identify", "participate", "share")


def _numbers(given: Mapping[str, Any], name: str, path: str, default: float) -> list[float]:
    values = listed(given.get(name, default))
    if not values:
        raise InputError(f"{path}.{name} is empty: give at least one number")
    return [typed({name: value}, name, float, path + ".") for value in values]


def _sips(given: Any, path: str) -> list[ModelSpec]:
    """Cross the lists of a sips table."""
    if not isinstance(given, Mapping):
        raise InputError(
            f"{path} = {given!r} is not a table: give {{ attention = 0.2, feed = [0.0, 3.0], eta = 0.25 }}"
        )
    known(given, SIPS_KEYS, path + ".")
    note = typed(given, "note", str, path + ".", "experience")
    if note not in NOTES:
        raise InputError(f"{path}.note = {note!r} is unknown: choose {', '.join(NOTES)}." + did_you_mean(note, NOTES))
    own_funnel = given.get("funnel")
    if own_funnel is not None:
        if not isinstance(own_funnel, Mapping):
            raise InputError(
                f"{path}.funnel = {own_funnel!r}: give {{ sympathize = 0.6, identify = 1, participate = 0.2, share = 0.1 }}"
            )
        known(own_funnel, FUNNEL_KEYS, path + ".funnel.")
        extra = [name for name in ("note", "eta", "identify_rate") if name in given]
        if extra:
            raise InputError(f"{path}: funnel sets every step itself, so {extra[0]} has no place beside it")
    attentions = _numbers(given, "attention", path, 0.2)
    etas = [0.0] if own_funnel is not None else _numbers(given, "eta", path, 0.1)
    rates = _numbers(given, "identify_rate", path, 1.0)
    feeds = _numbers(given, "feed", path, 0.0)
    share_own = typed(given, "own", float, path + ".", 0.5)
    gain = typed(given, "gain", float, path + ".", 0.0)
    ways = [_identify(way, f"{path}.identify") for way in listed(given.get("identify", "simple"))]
    specs = []
    for attention, eta, rate, m0, way in itertools.product(attentions, etas, rates, feeds, ways):
        declared: dict[str, Any] = {"attention": attention, "feed": m0, "own": share_own, "gain": gain}
        declared["identify"] = way if isinstance(way, str) else (("complex", int(way.theta)),)
        try:
            if own_funnel is not None:
                steps = {k: typed(own_funnel, k, float, path + ".funnel.", 1.0) for k in FUNNEL_KEYS}
                declared["funnel"] = tuple(steps.items())
                funnel = Funnel(**steps)
            else:
                probability(eta, f"{path}.eta")
                declared |= {"eta": eta, "note": note, "identify_rate": rate}
                funnel = Funnel(
                    NOTES[note].sympathize, rate, eta * SURVEY["participates"].share, eta * SURVEY["has_posted"].share
                )
            feed = Feed(impressions=m0, amplification=gain, own_community=share_own) if m0 > 0 or gain > 0 else None
            model = SIPS(attention, funnel, feed, way)
        except DiffusionError as error:
            raise InputError(f"{path}: {error}") from None
        specs.append(ModelSpec(model, None, tuple(declared.items())))
    return specs


def sips_table(model: SIPS) -> dict[str, Any]:
    """Return the table of a study file that declares a SIPS model given in Python."""
    feed = model.feed if model.feed is not None else Feed()
    beyond = [
        text
        for text, there in (
            ("attention=None", model.attention is None),
            ("redraw=True", model.redraw),
            ("a delay", model.delay is not None),
            ("engagement weights of its own", dict(feed.weights) != dict(Feed().weights)),
            ("a cap of the feed", feed.cap is not None),
        )
        if there
    ]
    if beyond:
        raise InputError(f"a study has no place for SIPS with {beyond[0]}: use dif.simulate, or leave it out")
    way = model.identify
    return {
        "attention": model.attention,
        "funnel": dict(zip(FUNNEL_KEYS, model.funnel.values, strict=True)),
        "feed": feed.impressions,
        "gain": feed.amplification,
        "own": feed.own_community,
        "identify": way if isinstance(way, str) else {"complex": int(way.theta)},
    }


def _identify(way: Any, path: str) -> Any:
    if way == "simple":
        return way
    if not isinstance(way, Mapping) or set(way) != {"complex"}:
        raise InputError(f'{path} = {way!r} is unknown: give "simple" or {{ complex = 2 }}')
    try:
        return Complex(way["complex"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def parse_models(block: Any, index: int) -> list[ModelSpec]:
    path = f"model[{index}]"
    if not isinstance(block, Mapping):
        raise InputError(f"{path} = {block!r} is not a table: write [[model]] and its keys below")
    known(block, ("kind", "probability", "threshold", "sips"), path + ".")
    specs: list[ModelSpec] = []
    rules = [_rule(e, f"{path}.probability[{i}]") for i, e in enumerate(listed(block.get("probability", [])))]
    kinds = listed(block.get("kind", "ic"))
    if not kinds:
        raise InputError(f"{path}.kind is empty: choose {', '.join(KINDS)}")
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(
                f"{path}.kind = {kind!r} is unknown: choose {', '.join(KINDS)}." + did_you_mean(kind, KINDS)
            )
        if kind == "sips":
            specs += _sips(block.get("sips", {}), f"{path}.sips")
            continue
        if kind == "threshold":
            entries = listed(block.get("threshold", []))
            if not entries:
                raise InputError(f"{path}.threshold is missing: give {{ fraction = 0.18 }} or {{ count = 2 }}")
            for i, entry in enumerate(entries):
                if not isinstance(entry, Mapping):
                    raise InputError(
                        f"{path}.threshold[{i}] = {entry!r}: give {{ fraction = 0.18 }} or {{ count = 2 }}"
                    )
                known(entry, ("fraction", "count", "noise"), f"{path}.threshold[{i}].")
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
    if "sips" in block and "sips" not in kinds:
        raise InputError(f"{path}.sips belongs to kind = 'sips', which this block does not name")
    if rules and set(kinds) <= {"threshold", "sips"}:
        raise InputError(f"{path}.probability belongs to the kinds ic and lt; threshold and sips have none")
    return specs
