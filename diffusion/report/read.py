"""What a finished study folder holds: its tables, checked, and short names of its combinations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, MissingDataError, ReadError
from ..study.schema import TABLES, read_table
from .format import cut

__all__ = ["LINE", "StudyTables", "at_home", "keyed", "read", "records"]

LINE = ("model_name", "rule", "place", "strategy")  # what a curve over the levels of a factor holds fixed


@dataclass(frozen=True, eq=False)
class StudyTables:
    """The tables of a finished study, as they were read."""

    results: pd.DataFrame
    conditions: pd.DataFrame
    points: pd.DataFrame
    phases: pd.DataFrame
    critical: pd.DataFrame
    sensitivity: pd.DataFrame
    samples: pd.DataFrame
    predictive: pd.DataFrame
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
    def designed(self) -> pd.DataFrame:
        """Conditions of the crossed part, of sweeps and of maps."""
        own = self.points.loc[self.points["part"].isin(("crossed", "sweep", "map")), "condition"]
        rows: pd.DataFrame = self.conditions[self.conditions["condition"].isin(set(own))]
        return rows

    @cached_property
    def crossed(self) -> pd.DataFrame:
        """Conditions of the crossed part of the design."""
        own = set(self.points.loc[self.points["part"] == "crossed", "condition"])
        return self.ordered(self.conditions[self.conditions["condition"].isin(own) & self.conditions["reach"].notna()])

    def ordered(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Put rows into the order of the models of the study, otherwise as they are."""
        order = {str(m.get("name")): i for i, m in enumerate(self.study.get("models", []))}
        kept: pd.DataFrame = rows.iloc[
            np.argsort([order.get(name, len(order)) for name in rows["model_name"]], kind="stable")
        ]
        return kept

    @cached_property
    def home(self) -> pd.DataFrame:
        """Conditions of the crossed part with seeds anywhere."""
        return at_home(self.crossed)

    def home_cells(self, with_rows_in: pd.DataFrame) -> pd.DataFrame:
        """Cells of these conditions of which another table has rows, of the first replicate."""
        r = self.results[self.results["condition"].isin(set(self.home["condition"]))]
        r = r[r["cell"].isin(set(with_rows_in["cell"]))]
        first: pd.DataFrame = r[r["replicate"] == r["replicate"].min()]
        return first

    @cached_property
    def sweeps(self) -> dict[str, pd.DataFrame]:
        """By factor the conditions of its sweep, with its level, value and position x on the axis.

        Levels that are not all numbers stand in the order of the study. Several mixings or budgets that are crossed are
        a sweep of their own where none is declared.
        """
        found = {}
        for factor, own in self.points[self.points["part"] == "sweep"].groupby("factor", sort=False):
            levels = own[["level", "value", "condition"]].drop_duplicates("condition")
            found[str(factor)] = levels.merge(self.conditions, on="condition")
        if "budget" in found:  # money and numbers of seeds are no levels of one factor
            own = found["budget"]
            found["budget"] = own[own["budget_kind"] == own["budget_kind"].mode()[0]]
        r = self.crossed
        copies = [g["label"] for g in self.graphs if g.get("rewired_from")]
        for factor, column in (("mixing", "mixing"), ("budget", "budget_value")):
            own = r[r["graph"].isin(copies)] if factor == "mixing" and len(copies) > 1 else r
            own = own[own["budget_kind"] == own["budget_kind"].iloc[0]] if len(own) else own
            if factor not in found and own[column].nunique() > 1 and (factor == "budget" or len(set(own["graph"])) > 1):
                found[factor] = own.assign(level=own["budget"] if factor == "budget" else "", value=own[column])
        for factor, own in found.items():
            order = own["value"] if own["value"].notna().all() else pd.factorize(own["level"])[0]
            found[factor] = own.assign(x=order)[own["reach"].notna()].sort_values("x", kind="stable")
        return {factor: own for factor, own in found.items() if own["x"].nunique() > 1}

    @cached_property
    def maps(self) -> list[pd.DataFrame]:
        """The conditions of every map, with the levels and values of both factors."""
        own = self.points[self.points["part"] == "map"].drop_duplicates(["number", "condition"])
        own = own.drop(columns=["part", "cell"]).merge(self.conditions, on="condition")
        return [rows for _, rows in own.groupby("number")]

    @cached_property
    def model_factors(self) -> list[str]:
        """Parameters of models that vary over conditions, those that follow from others left out."""
        declared = {column.name: column for column in TABLES["conditions"].columns}
        r = self.designed
        own = [c for c in map(str, r) if c not in declared or declared[c].role == "parameter"]
        return [c for c in own if r[c].replace("", np.nan).dropna().nunique() > 1]

    @cached_property
    def models(self) -> pd.DataFrame:
        """Rows of `phases` for graphs and models of the crossed part."""
        keys = ["graph", "model_name", "rule"]
        return self.ordered(self.phases.merge(self.crossed[keys].drop_duplicates(), on=keys))

    @cached_property
    def strategies(self) -> list[str]:
        """Strategies in the order of the study."""
        present = list(dict.fromkeys(self.designed["strategy"]))
        named = [str(s["strategy"]) for s in self.study.get("strategies", [])]
        return [s for s in named if s in present] + [s for s in present if s not in named]

    @cached_property
    def confidence(self) -> float:
        """Level of the intervals of a study."""
        return float(self.conditions["confidence"].min())

    def by_replicate(self, measure: str) -> dict[str, NDArray[np.float64]]:
        """Values of a measure by condition, in the order of the replicates; NaN where there is none."""
        if measure not in self._by_replicate:
            rows = self.results.drop_duplicates(["condition", "replicate"])
            table = rows.pivot(index="condition", columns="replicate", values=measure).astype(float)
            self._by_replicate[measure] = dict(zip(table.index, table.to_numpy(), strict=True))
        found: dict[str, NDArray[np.float64]] = self._by_replicate[measure]
        return found

    def errors(self, measure: str) -> dict[str, float]:
        """Standard error of a measure on one graph by simulation alone, by condition."""
        key = f"{measure}_se_within"
        if key not in self._by_replicate:
            self._by_replicate[key] = dict(zip(self.conditions["condition"], self.conditions[key], strict=True))
        found: dict[str, float] = self._by_replicate[key]
        return found

    @cached_property
    def _by_replicate(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _varying(self) -> set[str]:
        rows = self.crossed if len(self.crossed) else self.designed
        return {column for column in ("graph", "rule", "model_name", "place") if rows[column].nunique() > 1}

    def graph_name(self, graph: str) -> str:
        """Label without the part that all graphs have in common: ``platform, mixing 0.2`` becomes ``mixing 0.2``."""
        labels = list(dict.fromkeys(self.designed["graph"]))
        if len(labels) < 2 or len({label.split(", ", 1)[0] for label in labels}) > 1:
            return cut(graph, 40)
        return cut(graph.split(", ", 1)[1], 40) if ", " in graph else "original"

    def name(self, row: Any, without: Iterable[str] = ()) -> str:
        """Short name of the setting of a condition: its model, and what else varies in the crossed part."""
        shown = {
            "model": str(row["model_name"]),
            "rule": str(row["rule"]) if "rule" in self._varying else "",
            "graph": self.graph_name(row["graph"]) if "graph" in self._varying else "",
            "place": str(row.get("place", "")) if "place" in self._varying else "",
        }
        return " · ".join(text for key, text in shown.items() if text and key not in set(without))


def at_home(rows: pd.DataFrame) -> pd.DataFrame:
    """Conditions with seeds anywhere, or at the first place there is."""
    place = "anywhere" if rows.empty or (rows["place"] == "anywhere").any() else rows["place"].iloc[0]
    home: pd.DataFrame = rows[rows["place"] == place]
    return home


def keyed(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series[Any]:
    """Return one text a row that is equal where all columns are; NaN equals itself."""
    values = zip(*(rows[column] for column in columns), strict=True)
    return pd.Series(["|".join(map(str, value)) for value in values], index=rows.index, dtype=object)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as mappings."""
    rows: list[Any] = frame.to_dict("records")
    return rows


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
