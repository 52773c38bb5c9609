"""What a finished study folder holds: its tables, checked, and the names of its combinations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..errors import InputError, MissingDataError, ReadError
from ._format import number

__all__ = ["COLUMNS", "FACTORS", "PLACES", "Setting", "Tables", "largest", "read"]

FACTORS = ("graph", "model", "rule", "place", "budget", "strategy")
COLUMNS = {
    "results": (
        "cell", "graph", "model", "rule", "strategy", "budget", "budget_kind", "budget_value", "n_seeds", "n_nodes",
        "reach", "reach_low", "reach_high", "confidence", "runs", "rel_error", "stopped_by", "R_predicted", "R_runs", "R", "R_low",
        "R_high", "rate", "doubling", "doubling_low", "doubling_high", "phase", "phase_cause", "phase_reason", "R_campaign", "R_campaign_low",
        "R_campaign_high", "R_campaign_predicted", "fit_first", "fit_last",
        "outbreak_probability", "outbreak_low", "outbreak_high", "outbreak_share", "depth", "breadth", "virality",
        "virality_runs", "cost", "reach_per_cost", "entropy", "dominance", "seconds_select", "seconds_simulate",
    ),
    "new_by_step": ("cell", "step", "mean", "low", "median", "high", "alive", "fitted"),
    "paired": ("graph", "model", "rule", "budget", "strategy", "best", "difference", "low", "high", "runs"),
    "reach_by_community": ("cell", "community", "size", "reach", "share"),
    "seeds": ("cell", "rank", "node", "tier", "community", "followers", "price"),
    "funnel": ("cell", "channel", "stage", "users", "low", "high", "rate", "rate_low", "rate_high"),
    "paired_place": (
        "graph", "model", "rule", "budget", "strategy", "place_a", "place_b", "difference", "low", "high", "runs"
    ),
}  # fmt: skip
_OPTIONAL = ("reach_by_community", "seeds", "funnel", "paired_place")
#: Columns that a study without places, communities or SIPS need not have, and what stands in for them.
_FILLED: dict[str, dict[str, Any]] = {
    "results": {
        "place": "anywhere", "model_kind": "", "identify": "",
        **dict.fromkeys(
            (
                "mixing", "feed", "eta", "attention", "rho", "sharers", "sharers_low", "sharers_high", "feed_share",
                "feed_share_low", "feed_share_high", "redundancy", "entry_share", "lower", "upper", "ratio",
                "rate_low", "rate_high",
            ),
            np.nan,
        ),
    },
    "paired": {"place": "anywhere"},
    "reach_by_community": {"entry_step": np.nan, "entered": np.nan},
}  # fmt: skip
PLACES = {"one community": "in one community", "spread": "spread over communities", "anywhere": "anywhere"}


class Setting(NamedTuple):
    """What is held fixed while strategies and budgets are compared."""

    graph: str
    model: str
    rule: str
    place: str = "anywhere"

    @property
    def has_rule(self) -> bool:
        """Whether the model uses propagation probabilities at all (thresholds and SIPS do not)."""
        return self.rule not in ("", "no probabilities")


@dataclass(frozen=True)
class Tables:
    """What a finished study folder holds, as it was read."""

    results: pd.DataFrame
    new_by_step: pd.DataFrame
    by_community: pd.DataFrame
    seeds: pd.DataFrame
    paired: pd.DataFrame
    funnel: pd.DataFrame
    paired_place: pd.DataFrame
    graphs: list[dict[str, Any]]
    study: dict[str, Any]
    provenance: dict[str, Any]
    settings: list[Setting] = field(default_factory=list)
    strategies: list[str] = field(default_factory=list)

    @property
    def percent(self) -> str:
        """Confidence of the intervals in the table, such as ``95 %``."""
        levels = sorted(self.results["confidence"].unique())
        return " and ".join(f"{number(100 * level)} %" for level in levels)

    # -- names ---------------------------------------------------------------------------------------------------------

    @property
    def several_graphs(self) -> bool:
        """Whether the graph is a factor of the study."""
        return len({setting.graph for setting in self.settings}) > 1

    @property
    def several_places(self) -> bool:
        """Whether where the seeds are put is a factor of the study."""
        return len({setting.place for setting in self.settings}) > 1

    @cached_property
    def _short_graphs(self) -> dict[str, str]:
        """Labels without the part that all have in common: ``platform, mixing 0.2`` becomes ``mixing 0.2``."""
        labels = list(dict.fromkeys(setting.graph for setting in self.settings))
        stems = {label.split(", ", 1)[0] for label in labels}
        if len(labels) < 2 or len(stems) > 1:
            return {label: label for label in labels}
        return {label: label.split(", ", 1)[1] if ", " in label else "original" for label in labels}

    @cached_property
    def _sips(self) -> dict[str, dict[str, str]]:
        """Of every SIPS model the factors that vary in the study, each (for a head, for a sentence)."""
        r = self.results
        own = r[r["model_kind"] == "SIPS"].drop_duplicates("model")
        told: dict[str, dict[str, str]] = {}
        for row in own.to_dict("records"):
            words = {}
            if own["identify"].nunique() > 1:
                words["identify"] = str(row["identify"])
            if own["feed"].nunique() > 1:
                words["feed"] = f"feed {row['feed']:g}" if row["feed"] > 0 else "no feed"
            if own["eta"].nunique() > 1:
                words["eta"] = f"eta {row['eta']:g}"
            if own["attention"].nunique() > 1:
                words["attention"] = f"attention {row['attention']:g}"
            told[str(row["model"])] = words
        if len({tuple(words.values()) for words in told.values()}) < len(told):
            return {model: {} for model in told}  # they differ in something else: only the whole label tells
        return told

    def graph_name(self, graph: str) -> str:
        """Short name of a graph, such as ``mixing 0.2``."""
        return self._short_graphs.get(graph, graph)

    def model_name(self, model: str) -> str:
        """Short name of a model: for SIPS only what varies, such as ``simple · feed 3 · eta 0.25``."""
        words = self._sips.get(model)
        if not words:
            return model
        kinds = self.results["model_kind"].nunique()
        return " · ".join((["SIPS"] if kinds > 1 else []) + list(words.values()))

    def name(self, setting: Setting, *, without: Iterable[str] = ()) -> str:
        """Short name of a setting, for the head of a panel; `without` leaves factors out."""
        parts = []
        if self.several_graphs and "graph" not in without:
            parts.append(self.graph_name(setting.graph))
        if "model" not in without:
            parts.append(self.model_name(setting.model))
            if setting.has_rule:
                parts.append(setting.rule)
        if self.several_places and "place" not in without:
            parts.append(PLACES.get(setting.place, setting.place))
        return " · ".join(parts)

    def under(self, setting: Setting, *, graph: bool = True) -> str:
        """Words for a setting inside a sentence."""
        words = self._sips.get(setting.model)
        if words:
            text = "with " if self.results["model_kind"].nunique() == 1 else "under SIPS with "
            told = {"identify": "identification", "feed": "", "eta": "", "attention": ""}
            written = {
                name: value.replace("feed ", "a feed of ") for name, value in words.items() if value != "no feed"
            }
            parts = [f"{written.get(name, value)} {told[name]}".strip() for name, value in words.items()]
            text += " and ".join(parts) if len(parts) < 3 else ", ".join(parts[:-1]) + " and " + parts[-1]
        else:
            text = f"under {setting.model}" + (f" with {setting.rule}" if setting.has_rule else "")
        if graph and self.several_graphs:
            short = self.graph_name(setting.graph)
            if short == setting.graph:
                text += f" on {short}"
            else:
                text += (
                    f" at {short}"
                    if short.startswith("mixing")
                    else f" on the graph {short}"
                    if short != "original"
                    else " on the original graph"
                )
        if self.several_places:
            text += {"anywhere": ", seeds anywhere", "one community": ", all seeds in one community"}.get(
                setting.place, f", seeds {PLACES.get(setting.place, setting.place)}"
            )
        return text

    # -- rows ----------------------------------------------------------------------------------------------------------

    def of(self, setting: Setting) -> pd.DataFrame:
        """Rows of the results that belong to a setting."""
        found: pd.DataFrame = self.results.loc[self._rows.get(setting, [])]
        return found

    @cached_property
    def _rows(self) -> dict[Setting, Any]:
        groups = self.results.groupby(["graph", "model", "rule", "place"], sort=False).groups
        return {Setting(*key): index for key, index in groups.items()}  # type: ignore[misc]

    def main_budget(self, setting: Setting) -> str | None:
        """Label of the largest budget counted in seeds; without one, of the largest sum of money."""
        rows = self.of(setting)
        for kind in ("k", "money"):
            own = rows[rows["budget_kind"] == kind]
            if not own.empty:
                return str(largest(own, "budget_value")["budget"])
        return None

    @cached_property
    def copies(self) -> list[str]:
        """Rewired copies of a graph, where there are at least two: among them mixing differs and nothing else."""
        found = [str(g["label"]) for g in self.graphs if g.get("rewired_from")]
        return found if len(found) > 1 else []

    @cached_property
    def mixings(self) -> list[float]:
        """Different shares of arcs between communities among the graphs of the study."""
        return sorted({float(m) for m in self.results["mixing"].dropna()})


def largest(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return the row with the largest value in a column (the first of equals; NaN counts as least)."""
    values = rows[column].to_numpy(dtype=float)
    return rows.iloc[int(np.where(np.isnan(values), -np.inf, values).argmax())]


# --- reading ---------------------------------------------------------------------------------------------------------


def read(folder: Path) -> Tables:
    """Read and check the tables of a finished study."""
    if not folder.is_dir():
        raise MissingDataError(f"there is no folder '{folder}': run the study first, or name the folder it was run in")
    frames = {name: _read_table(folder / f"{name}.parquet", name) for name in COLUMNS}
    results = frames["results"]
    if results.empty:
        raise InputError(f"'{folder / 'results.parquet'}' has no cells: run the study before its report")
    study, graphs = _read_json(folder / "study.json", dict), _read_json(folder / "graphs.json", list)
    for name in (
        "graph", "model", "rule", "place", "strategy", "budget", "budget_kind", "stopped_by", "phase", "phase_cause", "cell",
        "model_kind", "identify",
    ):  # fmt: skip
        results[name] = results[name].astype(str)
    if results["mixing"].isna().all():
        of_graph = {g["label"]: g.get("mixing") for g in graphs}
        results["mixing"] = pd.to_numeric(results["graph"].map(of_graph))
    unnamed = results["model_kind"] == ""
    results.loc[unnamed, "model_kind"] = results.loc[unnamed, "model"].str.split(r"[ ,(]", n=1, regex=True).str[0]
    named = [str(s["strategy"]) for s in study.get("strategies", [])]
    present = list(dict.fromkeys(results["strategy"]))
    return Tables(
        results=results,
        new_by_step=frames["new_by_step"],
        by_community=frames["reach_by_community"],
        seeds=frames["seeds"],
        paired=frames["paired"],
        funnel=frames["funnel"],
        paired_place=frames["paired_place"],
        graphs=graphs,
        study=study,
        provenance=_read_json(folder / "provenance.json", dict),
        settings=[
            Setting(row["graph"], row["model"], row["rule"], row["place"])
            for row in results[["graph", "model", "rule", "place"]].drop_duplicates().to_dict("records")
        ],
        strategies=[s for s in dict.fromkeys(named) if s in present] + [s for s in present if s not in named],
    )


def _read_table(path: Path, name: str) -> pd.DataFrame:
    if not path.is_file():
        if name in _OPTIONAL:
            return pd.DataFrame(columns=[*COLUMNS[name], *_FILLED.get(name, {})])
        raise MissingDataError(
            f"there is no '{path}': the study has not finished; run it again, it goes on where it was"
        )
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ReadError(f"'{path}' cannot be read as a Parquet table ({error}): run the study again") from None
    missing = [column for column in COLUMNS[name] if column not in frame.columns]
    if missing and not (frame.empty and name in _OPTIONAL):
        raise ReadError(
            f"'{path}' lacks {', '.join(map(repr, missing))}: it needs {', '.join(COLUMNS[name])}; "
            "run the study again with this version"
        )
    absent = {column: value for column, value in _FILLED.get(name, {}).items() if column not in frame.columns}
    return frame.assign(**absent).reset_index(drop=True)


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
