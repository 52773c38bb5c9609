"""Reading declared tables (TOML or mappings): typed values, with errors that name the key path."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import InputError, did_you_mean

__all__ = ["known", "listed", "one_of", "probability", "table", "typed"]


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and one value as a list of one."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def table(document: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    """Return a table inside a table; an empty one where it is missing."""
    value = document.get(name, {})
    if not isinstance(value, Mapping):
        raise InputError(f"{path}{name} = {value!r} is not a table: write [{path}{name}] and its keys below")
    return value


def known(table: Mapping[str, Any], allowed: Iterable[str], path: str) -> None:
    """Refuse keys that a table does not have."""
    allowed = tuple(allowed)
    for name in table:
        if name not in allowed:
            there = f"there are {', '.join(path + a for a in allowed)}" if allowed else "there are none here"
            raise InputError(f"the key {path}{name} is unknown: {there}.{did_you_mean(name, allowed)}")


def one_of(value: Any, allowed: Iterable[str], path: str) -> str:
    """Return a name that has to be one of several."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise InputError(f"{path} = {value!r} is unknown: choose {', '.join(allowed)}." + did_you_mean(value, allowed))
    return str(value)


def typed(table: Mapping[str, Any], name: str, kind: type, path: str, default: Any = None) -> Any:
    """Return a value of a given type: str, int, float or bool."""
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


def probability(value: float, path: str) -> float:
    """Return a number from 0 to 1."""
    if not 0 <= value <= 1:
        raise InputError(f"{path} = {value} is not a probability: give a number from 0 to 1")
    return value
