"""The public face of studies: declare in Python or read a file, run, look at the table and the report."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._random import RNGLike, key_of
from ..errors import InputError, MissingDataError
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..models.cascade import IC, LT
from ..models.registry import model_of
from ..models.sips.model import SIPS
from ..models.threshold import Threshold
from ._models import sips_table
from .design import GraphSpec, StudyDesign, parse_study, read_study

__all__ = ["Study", "StudyResult"]


class Study:
    """A study of who to seed: strategies x budgets x probability rules x models on one or more graphs.

    Parameters
    ----------
    graph : FollowerGraph, mapping or str, optional
        A graph; or the platform's parameters (``{"users": 20_000, "communities": 8}``); or the name of a data set.
        Default: the generated platform of 20,000 users.
    models : list of DiffusionModel or of {"ic", "lt"}
        Crossed with `probabilities` (threshold models stand alone).
    probabilities : list of rules
        Names (``"weighted_cascade"``) or mappings (``{"rule": "constant", "p": 0.02}``). A linear threshold model takes
        only those whose weights sum to at most 1 at every node.
    strategies : list of str
        Methods of `select_seeds`.
    budgets : list of int or mappings
        Numbers of seeds, or ``{"k": 10}``, ``{"money": 100_000}`` (RMB at creator prices).
    places : list of str, optional
        ``"anywhere"`` (default), ``"one community"`` (the largest), ``"spread"`` (communities take turns).
    placed : list of str, optional
        Strategies that all places are tried for; the others are placed anywhere. Default: every strategy.
    mixing : list of float, optional
        One platform for each; only with a generated platform.
    rel_error, confidence, max_runs
        When a cell has enough runs.
    title : str

    Examples
    --------
    >>> study = Study(graph={"users": 500, "communities": 4}, models=["ic"], strategies=["random", "degree"], budgets=[5])
    >>> study.design.n_cells
    2
    """

    def __init__(
        self,
        graph: FollowerGraph | Mapping[str, Any] | str | None = None,
        *,
        models: Sequence[DiffusionModel | str] | None = None,
        probabilities: Sequence[str | Mapping[str, Any]] | None = None,
        strategies: Sequence[str] | None = None,
        budgets: Sequence[int | Mapping[str, float]] | None = None,
        places: Sequence[str] | None = None,
        placed: Sequence[str] | None = None,
        mixing: Iterable[float] | None = None,
        rel_error: float = 0.04,
        confidence: float = 0.95,
        max_runs: int = 1_024,
        title: str | None = None,
        seed: int = 7,
    ) -> None:
        if not (graph is None or isinstance(graph, FollowerGraph | Mapping | str)):
            raise InputError(
                f"graph is a {type(graph).__name__}: give a FollowerGraph (see its from_... methods and dif.read_edges), the "
                "platform's parameters as a mapping, or the name of a data set"
            )
        if mixing is not None and isinstance(graph, FollowerGraph | str):
            raise InputError(
                "mixing= varies a generated platform: give the platform's parameters as graph=, not a graph"
            )
        document: dict[str, Any] = {
            "seed": _plain(seed),
            "precision": {"rel_error": rel_error, "confidence": confidence, "max_runs": max_runs},
            "seeding": {},
        }
        if title is not None:
            document["title"] = title
        if strategies is not None:
            document["seeding"]["strategy"] = _items(strategies)
        if budgets is not None:
            document["seeding"]["budget"] = _items(budgets)
        if places is not None:
            document["seeding"]["place"] = _items(places)
        if placed is not None:
            document["seeding"]["placed"] = _items(placed)
        if isinstance(graph, str):
            document["graph"] = {"dataset": graph}
        elif isinstance(graph, Mapping) or mixing is not None:
            platform = dict(graph) if isinstance(graph, Mapping) else {}
            document["graph"] = {"platform": platform | ({"mixing": _items(mixing)} if mixing is not None else {})}
        if models is not None or probabilities is not None:
            document["model"] = _model_blocks(models, probabilities)
        design = parse_study(document)
        if isinstance(graph, FollowerGraph):
            spec = GraphSpec("object", {"name": "graph", "fingerprint": graph.fingerprint}, graph)
            design = replace(design, graphs=(spec,))
        self.design: StudyDesign = design

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> Study:
        """Read a study file; ``diffusion study --example`` prints one."""
        return cls.from_design(read_study(Path(path)))

    @classmethod
    def from_design(cls, design: StudyDesign) -> Study:
        """Wrap a checked design."""
        study = cls.__new__(cls)
        study.design = design
        return study

    def to_toml(self) -> str:
        """Return the study file that declares this study."""
        return self.design.to_toml()

    def run(
        self,
        out: str | os.PathLike[str] | None = None,
        *,
        rng: RNGLike = None,
        threads: int | None = None,
        command: str | None = None,
        overwrite: bool = False,
    ) -> StudyResult:
        """Compute the cells that are missing in the folder `out`, and write tables and report there.

        Parameters
        ----------
        out : path, optional
            Default: the folder the design names. Running again with the same folder finishes an interrupted study.
        rng : int, Generator or None
            Key of the study; a whole number is taken as it is. Default: the design's seed.
        threads : int, optional
            Cells under way at once. No number depends on it.
        command : str, optional
            Command that reproduces the study, for the report.
        overwrite : bool
            Replace the tables and the report of another study in that folder. By default only the same study, a part of
            it or an extension of it is written there.

        Returns
        -------
        StudyResult

        Raises
        ------
        InputError
            The folder holds another study, or no combination can be run.
        """
        from .report import write_report
        from .run import run_study

        design = self.design
        if rng is not None:
            whole = isinstance(rng, int | np.integer) and not isinstance(rng, bool)
            design = replace(design, seed=parse_study({"seed": _plain(rng)}).seed if whole else key_of(rng))
        folder, record = run_study(
            design,
            design.out if out is None else os.fspath(out),
            threads=threads,
            command=command,
            overwrite=overwrite,
        )
        write_report(folder)
        return StudyResult(folder, record)

    def __repr__(self) -> str:
        d = self.design
        return (
            f"Study: {d.n_cells} cells = {len(d.graphs)} graphs x {len(d.models)} models x {len(d.strategies)} strategies x "
            f"{len(d.budgets)} budgets"
        )


@dataclass(frozen=True, repr=False)
class StudyResult:
    """A finished study: a folder of tables.

    Attributes
    ----------
    folder : Path
    provenance : dict
    """

    folder: Path
    provenance: dict[str, Any]

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> StudyResult:
        """Open the folder of a finished study."""
        path = Path(folder)
        if not (path / "results.parquet").is_file():
            raise MissingDataError(f"'{path}' holds no finished study: run one there first")
        return cls(path, json.loads((path / "provenance.json").read_text(encoding="utf-8")))

    def to_pandas(self, table: str = "results") -> pd.DataFrame:
        """Return a table: ``"results"`` (one row a cell), ``"new_by_step"``, ``"reach_by_community"``, ``"seeds"``, ``"paired"``."""
        from .run import TABLES

        if table not in TABLES:
            raise InputError(f"the table {table!r} is unknown: choose {', '.join(TABLES)}")
        return pd.read_parquet(self.folder / f"{table}.parquet")

    def report(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the report (default: report.html in the study's folder) and return its path."""
        from .report import write_report

        return write_report(self.folder, None if path is None else Path(path))

    def __repr__(self) -> str:
        cells = self.provenance.get("cells_computed", 0) + self.provenance.get("cells_reused", 0)
        return f"StudyResult: {cells} cells in '{self.folder}', report.html there"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _items(given: Any) -> list[Any]:
    """Entries of a list, array or other iterable; one value alone is a list of one."""
    if isinstance(given, str | Mapping | type) or not isinstance(given, Iterable):
        return [_plain(given)]
    return [_plain(value) for value in given]


def _model_blocks(
    models: Sequence[DiffusionModel | str] | None, probabilities: Sequence[str | Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    chosen = [model_of(model) for model in (_items(models) if models is not None else [IC()])]
    rules = _items(probabilities) if probabilities is not None else ["weighted_cascade"]
    blocks: list[dict[str, Any]] = []
    for model in chosen:
        if isinstance(model, Threshold):
            given = {name: value for name, value in model.parameters.items() if value is not None}
            blocks.append({"kind": "threshold", "threshold": given})
        elif isinstance(model, SIPS):
            blocks.append({"kind": "sips", "sips": sips_table(model)})
        else:
            kind = "lt" if isinstance(model, LT) else "ic"
            blocks.append({"kind": kind, "probability": rules})
    return blocks
