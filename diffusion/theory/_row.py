"""Results that are one row of numbers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pandas as pd

__all__ = ["Row"]


class Row:
    """A frozen dataclass whose plain numbers make one row of a table."""

    provenance: dict[str, Any]

    def to_pandas(self) -> pd.DataFrame:
        """Return the plain numbers as one row."""
        return pd.DataFrame([self._numbers()])

    def _numbers(self) -> dict[str, Any]:
        given = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in given.items() if isinstance(value, bool | int | float | str)}

    def __repr__(self) -> str:
        shown = [f"{name} {v:.6g}" if isinstance(v, float) else f"{name} {v}" for name, v in self._numbers().items()]
        return f"{type(self).__name__}: {', '.join(shown)}"
