"""Where the graphs of a study come from: a generated platform, an edge list with rewired copies, a data set."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from .._toml import known, listed, one_of, table, typed
from ..errors import InputError
from ..graph.communities import METHODS as COMMUNITY_METHODS
from ..graph.follower_graph import FollowerGraph
from ..graph.generate import check_platform

__all__ = ["DEFAULTS", "EXAMPLE", "GraphSpec", "identity_of", "parse_graphs"]

#: The default study, and the one place of every default: a value that a file or a call leaves out is taken from here.
EXAMPLE = files("diffusion.study").joinpath("example.toml").read_text(encoding="utf-8")
DEFAULTS = tomllib.loads(EXAMPLE)


def identity_of(parts: Any, size: int = 12) -> str:
    """Hash of what a result depends on: numbers, texts, lists and mappings."""
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


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
            usual = DEFAULTS["graph"]["platform"]
            others = {k: v for k, v in self.parameters.items() if k != "mixing" and v != usual[k]}
            texts = [
                f"{v:,} {k}" if k in ("users", "communities") else f"{k.replace('_', ' ')} {v:g}"
                for k, v in others.items()
            ]
            return ", ".join([f"platform, mixing {self.parameters['mixing']:g}", *texts])
        if self.kind == "edges":
            name = Path(self.parameters["file"]).name
            mixing = self.parameters.get("rewire_mixing")
            if isinstance(mixing, str):
                return f"{name}, rewired to {mixing} its mixing"
            return name if mixing is None else f"{name}, rewired to mixing {mixing:g}"
        return str(self.parameters.get("name", "graph"))

    @cached_property
    def key(self) -> str:
        """Text that tells graphs apart."""
        return json.dumps([self.kind, dict(self.parameters)], sort_keys=True, default=repr)

    @property
    def content(self) -> dict[str, Any]:
        """Parameters without the names of files, whose content counts instead."""
        found = {k: v for k, v in self.parameters.items() if k not in ("file", "name")}
        if isinstance(found.get("communities"), Mapping):
            found["communities"] = {k: v for k, v in found["communities"].items() if k != "file"}
        return found if self.kind != "dataset" else dict(self.parameters)

    @property
    def absolute(self) -> GraphSpec:
        """The same graph, with files named from the root."""
        found = dict(self.parameters)
        if self.kind == "edges":
            found["file"] = str(Path(found["file"]).absolute())
            if isinstance(found.get("communities"), Mapping):
                at = found["communities"]
                found["communities"] = {**at, "file": str(Path(at["file"]).absolute())}
        return replace(self, parameters=found)

    @property
    def replicated(self) -> bool:
        """Whether independent graphs of the kind can be drawn: of a graph that is given there is one."""
        return self.kind == "platform" or "rewire_mixing" in self.parameters

    @property
    def factors(self) -> tuple[str, ...]:
        """Parameters that a study can vary."""
        return tuple(PLATFORM) if self.kind == "platform" else ("mixing",) if self.kind == "edges" else ()

    def has(self, factor: str) -> bool:
        """Whether a factor is a parameter of the graph."""
        return factor in self.factors

    def changed(self, levels: Mapping[str, Any], path: str) -> GraphSpec:
        """Return the graph at other levels of some factors; InputError names `path` where one is out of range."""
        if self.kind == "edges":
            level = _level(levels["mixing"], path)
            return replace(self, parameters={"communities": "leiden", **self.parameters, "rewire_mixing": level})
        platform = {**self.parameters, **{k: typed(levels, k, PLATFORM[k], f"{path}: ") for k in levels}}
        _check(platform, path)
        return replace(self, parameters=platform)

    @property
    def structure(self) -> dict[str, float]:
        """Columns of the tables that describe a generated platform, or the mixing of a rewired copy."""
        p = self.parameters
        columns = {name: float(p[name]) for name in PLATFORM if name != "mixing"} if self.kind == "platform" else {}
        level = p.get("mixing", p.get("rewire_mixing"))
        return columns | ({} if level is None or isinstance(level, str) else {"mixing_set": float(level)})


def _check(platform: Mapping[str, Any], path: str) -> None:
    try:
        check_platform(**platform)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


PLATFORM: dict[str, type] = {name: type(value) for name, value in DEFAULTS["graph"]["platform"].items()}
PLATFORM |= {"mixing": float, "mean_followers": float}
CHOICES = {
    "edges_mean": ("follows", "influences"),
    "parallel": ("collapse", "keep"),
    "combine": ("sum", "max", "min", "mean", "noisy_or"),
}
COLUMNS = ("source", "target", "weight", "time")
EDGES = ("file", "directed", *CHOICES, *COLUMNS, "header_counts", "communities", "rewire_mixing")


def parse_graphs(declared: Mapping[str, Any], base: Path | None) -> tuple[GraphSpec, ...]:
    """Read [graph]; `base` is the folder of the study file."""
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
        _check(platform, "graph.platform")
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
    levels = [_level(x, f"graph.edges.rewire_mixing[{i}]") for i, x in enumerate(listed(declared["rewire_mixing"]))]
    copies = [{**parameters, "rewire_mixing": level} for level in levels]
    return tuple(GraphSpec("edges", copy) for copy in (parameters, *copies))


def _level(level: Any, path: str) -> str | float:
    """A mixing of a rewired copy: a share, or a multiple of the graph's own such as ``0.5x``."""
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
