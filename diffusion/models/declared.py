"""What a study asks of a model: how it is declared in a table, what it needs, and what the results say about it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._toml import known, listed
from ..errors import DiffusionError, InputError

__all__ = ["Declared", "Standing"]


@dataclass(frozen=True)
class Standing:
    """A parameter of a model and where its value comes from.

    Attributes
    ----------
    name : str
    value : object
    standing : {"exact", "read", "prior", "assumed"}
    note : str
    """

    name: str
    value: Any
    standing: Literal["exact", "read", "prior", "assumed"] = "assumed"
    note: str = ""


class Declared:
    """Mixin of models, with answers that hold for any frozen dataclass of numbers and texts.

    A *study table* declares models: in a study file ``[model.NAME]``, with one key a parameter; lists are crossed. The
    methods that take `table` are given the table of the one model, which may hold more than the model does (SIPS: the
    share of stated intentions acted upon, of which its funnel is made).
    """

    takes_probabilities: bool = True  # crossed with the probability rules of the study
    needs_communities: str = ""  # what about the model needs them; empty: nothing

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    @property
    def changed(self) -> dict[str, Any]:
        """Parameters by name, without those at their defaults."""
        values = {f.name: (getattr(self, f.name), f.default) for f in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, (value, default) in values.items() if value != default}

    @classmethod
    def study_parameters(cls) -> tuple[str, ...]:
        """Return the keys that a study table of this model may have; a study can vary each."""
        return tuple(f.name for f in fields(cls))  # type: ignore[arg-type]

    def study_numbers(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return the table with words replaced by the numbers they stand for, before a study varies another key."""
        return dict(table)

    def posteriors(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return the distributions of keys of the table that data leave uncertain: objects with a method ``ppf``."""
        return {}

    @classmethod
    def from_study_table(cls, table: Mapping[str, Any], path: str) -> list[tuple[Any, dict[str, Any]]]:
        """Return every model that a table declares, each with the table of it alone.

        Parameters
        ----------
        table : mapping
            One key a parameter; lists are crossed.
        path : str
            Where the table stands in the study file: errors name the key path.
        """
        known(table, cls.study_parameters(), f"{path}.")
        found = []
        for values in itertools.product(*(listed(value) for value in table.values())):
            single = dict(zip(table, values, strict=True))
            try:
                found.append((cls(**single), single))
            except DiffusionError as error:
                raise InputError(f"{path}: {error}") from None
        return found

    def study_table(self) -> dict[str, Any]:
        """Return the table that declares this model; parameters at their defaults are left out."""
        return {name: _plain(value) for name, value in self.changed.items()}

    def study_columns(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the table of results says about this model: texts, and numbers (NaN where there is none)."""
        return {
            name: value if isinstance(value, str) else float("nan") if value is None else float(value)
            for name, value in self.parameters.items()
            if value is None or isinstance(value, str | int | float | np.integer | np.floating)
        }

    def study_measures(
        self, details: Mapping[str, NDArray[Any]], *, n_seeds: int, n_nodes: int, confidence: float
    ) -> dict[str, float]:
        """Return further columns of the table of results, measured in runs.

        Parameters
        ----------
        details : mapping of str to ndarray
            What the model counted by run and step.
        n_seeds, n_nodes : int
        confidence : float
            Level of the intervals.
        """
        return {}

    def study_stages(
        self, details: Mapping[str, NDArray[Any]], *, n_seeds: int, n_nodes: int, confidence: float
    ) -> pd.DataFrame:
        """Return users by stage (table ``funnel``), from what the model counted by run and step."""
        return pd.DataFrame()

    def parameter_standing(self, table: Mapping[str, Any]) -> list[Standing]:
        """Return every parameter that is set, with where its value comes from."""
        return [Standing(name, value) for name, value in self.study_table().items()]

    def refuses_rule(self, rule: str) -> str:
        """Return why the model cannot be combined with a rule for probabilities; empty: it can."""
        return ""


def _plain(value: Any) -> Any:
    value = getattr(value, "study_value", value)  # of parts of a model, such as waiting times
    return value.item() if isinstance(value, np.generic) else value
