"""What a finished study folder holds: its tables, checked, and short names of its combinations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import InputError, MissingDataError, ReadError
from ..study.schema import TABLES, read_table
from .format import cut, number

__all__ = ["SETTING", "StudyTables", "keyed", "largest", "read", "records"]

SETTING = ("graph", "model", "rule", "place")  # what is held fixed while strategies and budgets are compared


@dataclass(frozen=True, eq=False)
class StudyTables:
    """The tables of a finished study, as they were read."""

    results: pd.DataFrame
    new_by_step: pd.DataFrame
    reach_by_community: pd.DataFrame
    seeds: pd.DataFrame
    funnel: pd.DataFrame
    paired: pd.DataFrame
    paired_place: pd.DataFrame
    graphs: list[dict[str, Any]]
    study: dict[str, Any]
    provenance: dict[str, Any]

    @cached_property
    def seeded(self) -> pd.DataFrame:
        """Cells with seeds."""
        rows: pd.DataFrame = self.results[(self.results["n_seeds"] > 0) & self.results["reach"].notna()]
        return rows

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """Cells with seeds, as mappings."""
        return records(self.seeded)

    @cached_property
    def model_factors(self) -> list[str]:
        """Columns of models that vary in the study, those that follow from others left out."""
        declared = {column.name: column for column in TABLES["results"].columns}
        own = [c for c in map(str, self.results) if c not in declared or declared[c].role == "parameter"]
        return [c for c in own if self.results.loc[self.results[c].notna(), c].nunique() > 1]

    @cached_property
    def strategies(self) -> list[str]:
        """Strategies in the order of the study."""
        named = [str(s["strategy"]) for s in self.study.get("strategies", [])]
        present = list(dict.fromkeys(self.results["strategy"]))
        return [s for s in named if s in present] + [s for s in present if s not in named]

    @cached_property
    def copies(self) -> list[str]:
        """Rewired copies of a graph, where there are at least two: among them mixing differs and nothing else."""
        found = [str(g["label"]) for g in self.graphs if g.get("rewired_from")]
        return found if len(found) > 1 else []

    def varies(self, column: str) -> bool:
        """Whether a column has more than one value."""
        return column in self._varying

    @cached_property
    def _varying(self) -> set[str]:
        return {str(column) for column, n in self.results.nunique().items() if n > 1}

    @cached_property
    def settings(self) -> list[dict[str, str]]:
        """Combinations of graph, model, rule and place."""
        return records(self.seeded[list(SETTING)].drop_duplicates())

    def of(self, setting: Any) -> pd.DataFrame:
        """Cells of a setting."""
        rows = self.seeded
        for name in SETTING:
            rows = rows[rows[name] == setting[name]]
        return rows

    def graph_name(self, graph: str) -> str:
        """Label without the part that all graphs have in common: ``platform, mixing 0.2`` becomes ``mixing 0.2``."""
        labels = list(dict.fromkeys(self.results["graph"]))
        if len(labels) < 2 or len({label.split(", ", 1)[0] for label in labels}) > 1:
            return cut(graph, 40)
        return cut(graph.split(", ", 1)[1], 40) if ", " in graph else "original"

    @cached_property
    def _model_names(self) -> dict[str, str]:
        """By label the short name of a model: what varies among models of its kind, or else its label."""
        names = {}
        for kind, own in self.results.groupby("model_kind", sort=False):
            factors = [f for f in self.model_factors if own[f].nunique() > 1]
            told = factors and len(own[factors].drop_duplicates()) == own["model"].nunique()
            for row in records(own.drop_duplicates("model")):
                parts = [row[f] if isinstance(row[f], str) else f"{f} {number(row[f])}" for f in factors]
                head = [str(kind)] if self.varies("model_kind") else []
                names[str(row["model"])] = " · ".join([*head, *parts]) if told else str(row["model"])
        return names

    def model_name(self, row: Any) -> str:
        """Short name of the model of a cell."""
        return self._model_names[str(row["model"])]

    def name(self, row: Any, without: Iterable[str] = ()) -> str:
        """Short name of the setting of a cell; `without` leaves factors out."""
        shown = {
            "graph": self.graph_name(row["graph"]) if self.varies("graph") else "",
            "model": self.model_name(row),
            "rule": row["rule"] if row["rule"] and self.varies("rule") else "",
            "place": f"seeds {row['place']}" if self.varies("place") else "",
        }
        return " · ".join(text for factor, text in shown.items() if text and factor not in set(without))


def largest(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return the row with the largest value in a column (the first of equals; NaN counts as least)."""
    return rows.iloc[int(rows[column].astype(float).fillna(float("-inf")).to_numpy().argmax())]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as mappings."""
    rows: list[Any] = frame.to_dict("records")
    return rows


def keyed(rows: pd.DataFrame, columns: Iterable[str]) -> pd.Series[Any]:
    """Return one text a row that is equal where all columns are; NaN equals itself."""
    values = zip(*(rows[column] for column in columns), strict=True)
    return pd.Series(["|".join(map(str, value)) for value in values], index=rows.index, dtype=object)


def read(folder: Path) -> StudyTables:
    """Read and check the tables of a finished study."""
    if not folder.is_dir():
        raise MissingDataError(f"there is no folder '{folder}': run the study first, or name the folder it was run in")
    frames: dict[str, Any] = {name: read_table(folder, name) for name in TABLES}
    if frames["results"].empty:
        raise InputError(f"'{folder / 'results.parquet'}' has no cells: run the study before its report")
    kinds: dict[str, type[Any]] = {"graphs": list, "study": dict, "provenance": dict}
    return StudyTables(**frames, **{name: _read_json(folder / f"{name}.json", kind) for name, kind in kinds.items()})


def _read_json(path: Path, kind: type[Any]) -> Any:
    if not path.is_file():
        raise MissingDataError(
            f"there is no '{path}': the study has not finished; run it again, it goes on where it was"
        )
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(f"'{path}' cannot be read as JSON ({error}): run the study again") from None
    if not isinstance(value, kind):
        raise ReadError(f"'{path}' holds a {type(value).__name__}, not a {kind.__name__}: run the study again")
    return value
