"""The public face of studies: declare in Python or read a file, run, look at the table and the report."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._random import RNGLike, key_of
from .._upward import load
from ..errors import InputError, MissingDataError
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..models.registry import model_of
from .design import GraphSpec, ModelSpec, StudyDesign, parse_study, read_study
from .models import parse_rules, specs_of
from .run import run_study
from .schema import TABLES, read_table

__all__ = ["Study", "StudyResult"]


class Study:
    """A study of who to seed: strategies x budgets x probability rules x models on one or more graphs.

    Parameters
    ----------
    graph : FollowerGraph, mapping or str, optional
        A graph; or the platform's parameters (``{"users": 20_000, "communities": 8}``); or the name of a data set.
        Default: the generated platform of 20,000 users.
    models : list of DiffusionModel or of {"ic", "lt"}
        Any model of the package, or one of your own. Those that take propagation probabilities are crossed with
        `probabilities`.
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
    replicates : int, optional
        Independent graphs, and draws of seeds, of every condition of structure. Of a graph that is given there is one.
    sweeps, maps : list of mappings, optional
        ``{"factor": "mixing", "levels": [0.05, 0.2, 0.5]}``; ``{"x": {"factor": ..., "levels": ...}, "y": {...}}``. Each
        may name its own ``model``, ``strategy``, ``budget``, ``place`` and ``replicates``.
    critical, sensitivity, predictive : mapping, optional
        As the tables of a study file: ``{"eta": 1.0}``; ``{"samples": 32, "ranges": {"eta": [0.1, 1.0]}}``;
        ``{"draws": 32}``.
    base : mapping, optional
        What parts do not vary and do not name: ``model`` (by name), ``strategy``, ``budget``, ``place``.
    rel_error, confidence, max_runs : optional
        When a cell has enough runs. Default, as of everything that is left out: what ``diffusion study --example``
        says.
    title : str, optional
    seed : int, optional

    See Also
    --------
    StudyResult, compare_strategies, growth

    Examples
    --------
    >>> platform = {"users": 500, "communities": 4}
    >>> study = Study(platform, models=["ic"], strategies=["random", "degree"], budgets=[5], replicates=3)
    >>> study.design.n_cells
    6
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
        replicates: int | None = None,
        sweeps: Sequence[Mapping[str, Any]] | None = None,
        maps: Sequence[Mapping[str, Any]] | None = None,
        critical: Mapping[str, Any] | None = None,
        sensitivity: Mapping[str, Any] | None = None,
        predictive: Mapping[str, Any] | None = None,
        base: Mapping[str, Any] | None = None,
        rel_error: float | None = None,
        confidence: float | None = None,
        max_runs: int | None = None,
        title: str | None = None,
        seed: int | None = None,
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
            **_left_in(
                title=title, seed=_plain(seed), replicates=_plain(replicates), sweep=_items(sweeps), map=_items(maps)
            ),
            **_left_in(critical=critical, sensitivity=sensitivity, predictive=predictive, base=base),
            "precision": _left_in(rel_error=rel_error, confidence=confidence, max_runs=max_runs),
            "seeding": _left_in(
                strategy=_items(strategies), budget=_items(budgets), place=_items(places), placed=_items(placed)
            ),
        }
        if isinstance(graph, str):
            document["graph"] = {"dataset": graph}
        elif isinstance(graph, Mapping) or mixing is not None:
            document["graph"] = {"platform": {**(graph or {}), **_left_in(mixing=_items(mixing))}}  # type: ignore[dict-item]
        specs = None if models is None and probabilities is None else _specs(models, probabilities)
        given = None
        if isinstance(graph, FollowerGraph):
            attributes = hashlib.blake2b(repr(graph.node_data.astype(object).to_dict("list")).encode(), digest_size=16)
            for values in graph.edge_data.values():
                attributes.update(values.tobytes())
            names = {"fingerprint": graph.fingerprint, "attributes": attributes.hexdigest()}
            parameters = {"name": "graph", **names}
            given = GraphSpec("object", parameters, graph)
        self.design: StudyDesign = parse_study(document, models=specs, graph=given)

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
        executor: Any = None,
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
        executor : concurrent.futures.Executor or Dask client, optional
            Compute the cells on its workers, as `simulate` does runs. This process writes their files. No number
            depends on it.
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
        WorkerError
            A worker of the executor died or differs from this process. Finished cells are kept: run again to go on.
        """
        design = self.design
        if rng is not None:
            whole = isinstance(rng, int | np.integer) and not isinstance(rng, bool)
            design = replace(design, seed=parse_study({"seed": _plain(rng)}).seed if whole else key_of(rng))
        folder, record = run_study(
            design,
            design.out if out is None else os.fspath(out),
            threads=threads,
            executor=executor,
            command=command,
            overwrite=overwrite,
        )
        result = StudyResult(folder, record)
        result.report()
        return result

    def __repr__(self) -> str:
        d = self.design
        parts = [f"{len(d.parts)} sweeps and maps"] if d.parts else []
        parts += ["a sensitivity analysis"] if d.sensitivity else []
        return (
            f"Study: {d.n_cells:,} cells: {len(d.graphs)} graphs x {len(d.models)} models x {len(d.strategies)} strategies x "
            f"{len(d.budgets)} budgets{''.join(f', {part}' for part in parts)}, {d.replicates} replicates"
        )


@dataclass(frozen=True, repr=False)
class StudyResult:
    """A finished study: a folder of tables.

    Attributes
    ----------
    folder : Path
    provenance : dict

    See Also
    --------
    Study, seeding.StrategyComparison
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
        """Return a table: ``"results"`` (one row a cell), ``"conditions"`` (one row a condition, over its graphs), ``"points"`` ...

        The page "Tables of a study" explains every table and column.
        """
        if table not in TABLES:
            raise InputError(f"the table {table!r} is unknown: choose {', '.join(TABLES)}")
        return read_table(self.folder, table)

    def report(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the report (default: report.html in the study's folder) and return its path."""
        written: Path = load("report")(self.folder, path)
        return written

    def __repr__(self) -> str:
        cells = self.provenance.get("cells_computed", 0) + self.provenance.get("cells_reused", 0)
        return f"StudyResult: {cells} cells in '{self.folder}', report.html there"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _left_in(**values: Any) -> dict[str, Any]:
    """Keep what was given: the rest is left to the defaults."""
    return {name: value for name, value in values.items() if value is not None}


def _items(values: Any) -> list[Any] | None:
    """Entries of a list, array or other iterable; one value alone is a list of one; None stays None."""
    if values is None:
        return None
    if isinstance(values, str | Mapping | type) or not isinstance(values, Iterable):
        return [_plain(values)]
    return [_plain(value) for value in values]


def _specs(
    models: Sequence[DiffusionModel | str] | None, probabilities: Sequence[str | Mapping[str, Any]] | None
) -> list[ModelSpec]:
    rules = parse_rules(_items(probabilities) or ["weighted_cascade"], "probabilities")
    specs: list[ModelSpec] = []
    for i, entry in enumerate(_items(models) or ["ic"]):
        model = model_of(entry)
        specs += specs_of(model, model.study_table(), rules, f"model[{i}]")
    return specs
