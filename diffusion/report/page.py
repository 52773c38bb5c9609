"""The report of a finished study: one HTML file that opens offline, made only from the tables of its folder."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import plotting
from .._files import write_text
from .._version import __version__
from . import blocks, format
from .analysis import baseline_of, dominant_factor, factor_effects, of_graph_and_model, strategy_effects
from .figures.answer import answer_figure
from .figures.base import Figure
from .figures.channels import channel_figures
from .figures.communities import community_figures
from .figures.growth import growth_figures
from .figures.method import method_figures
from .figures.seeding import seeding_figures
from .hypotheses import findings
from .read import StudyTables, largest, read

__all__ = ["write_report"]


def write_report(folder: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a finished study as one HTML file that needs nothing beside it.

    Every number and figure is made from the tables of the folder; nothing is simulated here, so the same folder gives
    the same file. Figures are inline SVG, and the numbers behind each figure and table can be had as CSV from the page.

    Parameters
    ----------
    folder : str or path
        Folder that a study has filled.
    path : str or path, optional
        Where to write; ``report.html`` in the folder unless said.

    Returns
    -------
    pathlib.Path
        The file written. It is written whole or not at all.

    Raises
    ------
    MissingDataError
        If the folder or one of its tables is not there.
    ReadError
        If a table cannot be read or lacks a column.
    InputError
        If the study has no finished cell.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> from diffusion.report import write_report
    >>> write_report("results/who-to-seed")  # doctest: +SKIP
    PosixPath('results/who-to-seed/report.html')
    """
    source = Path(folder)
    target = source / "report.html" if path is None else Path(path)
    write_text(target, render(read(source)))
    return target


def render(tables: StudyTables) -> str:
    """Return the page of a study."""
    with plotting.style():
        drawn = [
            answer_figure(tables),
            *growth_figures(tables),
            *seeding_figures(tables),
            *community_figures(tables),
            *channel_figures(tables),
            *method_figures(tables),
        ]
    figures: dict[str, Figure] = {figure.key: figure for figure in drawn if figure is not None}
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            figures=figures,
            tables=tables,
            answer=_answer(tables),
            growth=blocks.growth(tables),
            best=blocks.best(tables),
            seeds=blocks.seeds(tables),
            expectations=blocks.expectations(tables, findings(tables)),
            parameters=blocks.parameters(tables),
            skipped=blocks.skipped(tables),
            tiers=blocks.tiers(tables),
            cells=blocks.cells(tables),
            graphs=pd.DataFrame(tables.graphs).drop(columns=["follower_ccdf", "tiers"], errors="ignore"),
            confidence=sorted(tables.results["confidence"].unique()),
            runs=int(tables.results["runs"].sum()),
            version=str(tables.provenance.get("diffusion") or __version__),
        )
    )


def _answer(tables: StudyTables) -> dict[str, Any]:
    """Numbers of the answers: growth, strategies, factors, certificate."""
    models = of_graph_and_model(tables.results)
    growing = models[models["phase"] == "exponential"]
    measured = growing if len(growing) else models[models["R_low"].notna()]
    certified = tables.seeded[tables.seeded["ratio"].notna() & (tables.seeded["place"] == "anywhere")]
    strategies = strategy_effects(tables)
    return {
        "phases": models["phase"].value_counts().to_dict(),
        "causes": models.loc[models["phase"] == "undecided", "phase_cause"].value_counts().to_dict(),
        "models": len(models),
        "fastest": largest(measured, "R_low") if len(measured) else None,
        "strategies": strategies,
        "baseline": baseline_of(tables) if len(tables.seeded) else None,
        "effects": [effect for effect in factor_effects(tables) if effect.factor != "strategy"],
        "dominant": dominant_factor(tables),
        "certified": largest(certified, "ratio") if len(certified) else None,
    }


def _csv(frame: pd.DataFrame) -> str:
    """Return a table as a data: address that a link can download."""
    text = frame.to_csv(index=False, float_format="%.8g")
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def _environment() -> Environment:
    # Everything that is put into the page is escaped, but for the SVG that this package has drawn itself.
    environment = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(format, name) for name in format.__all__ if name[0].islower()}
    environment.filters |= {"csv": _csv, "missing": blocks.missing}
    environment.globals["triple"] = lambda row, name: format.Interval(
        row[name], row[f"{name}_low"], row[f"{name}_high"]
    )
    return environment
