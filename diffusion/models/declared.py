"""What a study asks of a model: how it is declared in a table, what it needs, and what the results say about it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from .._toml import known, listed
from ..errors import DiffusionError, InputError

if TYPE_CHECKING:
    from ..graph.follower_graph import FollowerGraph
    from ..simulation.runner import Runs

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

    takes_probabilities: Any = True  # crossed with the probability rules of the study
    needs_several_sharers: Any = False  # one sharer alone can convince nobody
    needs_communities: Any = ""  # what about the model needs them; empty: nothing

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
        known(table, [f.name for f in fields(cls)], f"{path}.")  # type: ignore[arg-type]
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
        values = {f.name: (getattr(self, f.name), f.default) for f in fields(self)}  # type: ignore[arg-type]
        return {name: _plain(value) for name, (value, default) in values.items() if value != default}

    def study_columns(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the table of results says about this model: texts, and numbers (NaN where there is none)."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {
            name: value if isinstance(value, str) else float("nan") if value is None else float(value)
            for name, value in values.items()
            if value is None or isinstance(value, str | int | float | np.integer | np.floating)
        }

    def study_measures(
        self, runs: Runs, *, n_seeds: int, n_nodes: int, confidence: float
    ) -> tuple[dict[str, float], pd.DataFrame]:
        """Return further columns of the table of results, measured in runs, and users by stage (table ``funnel``).

        Parameters
        ----------
        runs : Runs
            What the engine has counted.
        n_seeds, n_nodes : int
        confidence : float
            Level of the intervals.
        """
        return {}, pd.DataFrame()

    def parameter_standing(self, table: Mapping[str, Any]) -> list[Standing]:
        """Return every parameter that is set, with where its value comes from."""
        return [Standing(name, value) for name, value in self.study_table().items()]

    def refuses_rule(self, rule: str) -> str:
        """Return why the model cannot be combined with a rule for probabilities; empty: it can."""
        return ""

    def effective_probabilities(self, graph: FollowerGraph) -> FollowerGraph | None:
        """Return the graph with the probability that a sharer makes a follower share; None where there is none."""
        return graph if graph.probabilities is not None else None

    @property
    def certified_model(self) -> Any:
        """The model for which seeds with a certificate are chosen in place of this one; None: no such seeds exist.

        Their certificate holds for this model only where it is this model.
        """
        return None

    @property
    def contagion(self) -> str:
        """``"simple"``, ``"complex"`` (one sharer alone can convince nobody) or ``"linear"``."""
        return "complex" if self.needs_several_sharers else "simple"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
