"""Reading a study file: typed values, with errors that name the key path."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputError, did_you_mean

__all__ = ["known", "listed", "probability", "table", "typed"]


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, Mapping):
        raise InputError(f"{name} = {found!r} is not a table: write [{name}] and its keys below")
    return found


def known(table: Mapping[str, Any], allowed: tuple[str, ...], path: str) -> None:
    for name in table:
        if name not in allowed:
            raise InputError(
                f"the key {path}{name} is unknown: there are {', '.join(path + a for a in allowed)}."
                + did_you_mean(name, allowed)
            )


def typed(table: Mapping[str, Any], name: str, kind: type, path: str, default: Any = None) -> Any:
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


def probability(value: float, path: str) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"{path} = {value} is not a probability: give a number from 0 to 1")
