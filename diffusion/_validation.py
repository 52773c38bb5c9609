"""Checks of what is given to public functions: numbers, arrays, and what stands in the place of a graph."""

from __future__ import annotations

import math
import os
import sys
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError

__all__ = [
    "Floats",
    "floats",
    "how_to_build",
    "is_number",
    "is_whole",
    "level",
    "library_of",
    "number",
    "probability",
    "whole",
]

Floats = NDArray[np.float64]

_MEANING = "edges_mean='follows' or 'influences'"
_BY_LIBRARY = {
    "networkx": f"FollowerGraph.from_networkx(graph, {_MEANING})",
    "igraph": f"FollowerGraph.from_igraph(graph, {_MEANING})",
    "scipy": f"FollowerGraph.from_scipy(matrix, {_MEANING})",
} | dict.fromkeys(
    ("pandas", "polars", "pyarrow"),
    f"FollowerGraph.from_pandas(table, source=..., target=..., directed=True, {_MEANING})",
)
_BY_PATH = f"dif.read_edges(path, directed=True, {_MEANING}), or FollowerGraph.load(path) for a file that save() wrote"
_OTHERS = f"FollowerGraph.from_arrays(sources, targets, directed=True, {_MEANING}), or see its other from_... methods"


def is_real(value: Any) -> TypeGuard[float]:
    """Is it a real number by its type, and no bool?"""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def is_number(value: Any) -> TypeGuard[float]:
    """Is it a finite number, and no bool?"""
    if isinstance(value, np.floating):  # narrow ones cannot hold the bound
        value = float(value)
    return is_real(value) and bool(abs(value) <= sys.float_info.max)


def is_whole(value: Any) -> TypeGuard[int]:
    """Is it a whole number by its type, and no bool?"""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def number(
    value: Any,
    name: str,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float = math.inf,
    advice: str = "",
) -> float:
    """Return a finite number above or from a bound, and at most another; `advice` ends the message."""
    if is_number(value) and (above is None or value > above) and (least is None or value >= least) and value <= most:
        return float(value)
    span = "" if above is None and least is None else f" above {above:g}" if above is not None else f" from {least:g}"
    if most < math.inf:
        span += f" to {most:g}" if above is None else f" and at most {most:g}"
    wrong = "is out of range" if is_real(value) and value == value else "is not a number"
    raise InputError(f"{name}={value!r} {wrong}: give a {'' if most < math.inf else 'finite '}number{span}{advice}")


def probability(value: Any, name: str) -> float:
    """Return a number from 0 to 1."""
    if is_number(value) and 0 <= value <= 1:
        return float(value)
    raise InputError(f"{name}={value!r} is not a probability: give a number from 0 to 1")


def level(value: Any, name: str = "confidence") -> float:
    """Return a number between 0 and 1, both excluded."""
    if is_number(value) and 0 < value < 1:
        return float(value)
    example = ", such as 0.95" if name == "confidence" else ", both excluded"
    raise InputError(f"{name}={value!r} is out of range: give a number between 0 and 1{example}")


def whole(value: Any, name: str, *, least: int = 1, most: int | None = None, of: str = "") -> int:
    """Return a whole number in a range; `of` says what it counts."""
    if is_whole(value) and value >= least and (most is None or value <= most):
        return int(value)
    bound = f"from {least:,}" + ("" if most is None else f" to {most:,}")
    raise InputError(f"{name}={value!r} is out of range: give a whole number{of and f' of {of}'} {bound}")


def floats(
    values: ArrayLike, name: str, *, shape: tuple[int, ...] | None = None, least: float = 0.0, most: float = math.inf
) -> Floats:
    """Return finite numbers in a range as an array, of one dimension unless a shape is asked for."""
    if library_of(values) in ("networkx", "igraph"):  # numpy would take the labels of its nodes for numbers
        raise InputError(f"{name} has to be numbers, and {how_to_build(values)}")
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is not an array of numbers: give a list of numbers") from None
    if found.ndim != 1 if shape is None else found.shape != shape:
        wanted = "one dimension" if shape is None else f"shape {shape}"
        raise InputError(f"{name} has shape {found.shape}: give an array of {wanted}")
    wrong = ~(np.isfinite(found) & (found >= least) & (found <= most))
    if wrong.any():
        upper = f" to {most:g}" if most < math.inf else ""
        raise InputError(f"{name} holds {found[wrong][0]:g}, out of range: give finite numbers from {least:g}{upper}")
    return found


def library_of(given: Any) -> str:
    """Name the library that an object comes from, where it makes graphs or tables; else ``""``."""
    names = (
        kind.__module__.partition(".")[0] for kind in type(given).__mro__
    )  # a class of one's own may derive from one
    return next((name for name in names if name in _BY_LIBRARY), "")


def how_to_build(given: Any) -> str:
    """Say what was given, and which call makes a follower graph of it."""
    if isinstance(given, type):
        return f"the class {given.__name__} itself was given: build a graph with {_OTHERS}"
    if isinstance(given, str | os.PathLike):
        return f"the path {os.fspath(given)!r} was given: read it with {_BY_PATH}"
    library = library_of(given)
    if library:
        return f"{'an' if library == 'igraph' else 'a'} {library} {type(given).__name__} was given: turn it into one with {_BY_LIBRARY[library]}"
    return f"a {type(given).__name__} was given: build a graph with {_OTHERS}"
