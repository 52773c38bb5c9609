"""Columns of tables, whichever library they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InputError, NotFoundError, did_you_mean

__all__ = ["table_columns"]


def table_columns(table: Any, names: Mapping[str, Any], *, what: str, instead: str) -> dict[str, Any]:
    """Take columns out of a pandas, polars or pyarrow table by name; a role without a name gives None.

    `what` is what the table is called in errors, `instead` what can be called without one.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        if hasattr(table, "to_arrow"):
            table = table.to_arrow()
        elif not hasattr(table, "column_names"):
            if isinstance(table, Mapping) or hasattr(table, "columns"):
                table = pd.DataFrame(table)
            else:
                raise InputError(
                    f"{what} is a {type(table).__name__}: give a pandas, polars or pyarrow table, or use {instead}"
                )
    columns = list(table.columns) if isinstance(table, pd.DataFrame) else list(table.column_names)
    found: dict[str, Any] = {}
    for role, name in names.items():
        if name is None:
            found[role] = None
        elif name not in columns:
            raise NotFoundError(
                f"the table has no column {name!r} for {role}=; it has {', '.join(map(repr, columns))}."
                + did_you_mean(name, columns)
            )
        elif columns.count(name) > 1:
            raise InputError(
                f"the table has {columns.count(name)} columns named {name!r}: rename them to use one for {role}="
            )
        else:
            found[role] = table[name]
    return found
