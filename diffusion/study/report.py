"""The report of a finished study: one HTML file that opens offline, made only from the tables of its folder."""

from __future__ import annotations

import base64
import os
from importlib import resources
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined

from .._files import write_text
from .._version import __version__
from . import _method, _tables
from ._expectations import expectations_table
from ._figures import Exhibit
from ._figures_channels import channel_figures
from ._figures_communities import community_figures
from ._figures_growth import growth_figures
from ._figures_method import method_figures
from ._figures_seeding import seeding_figures
from ._format import count, tie
from ._growth_words import on_prediction, verdict_on_growth
from ._read import Tables, read
from ._sentences import answers
from ._summaries import funnel_table, growth_table, relative_table

__all__ = ["write_report"]


def write_report(folder: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a finished study as one HTML file that needs nothing beside it.

    Every sentence and figure is made from the tables of the folder; nothing is simulated here, so the same folder
    gives the same file. Figures are inline SVG, and the numbers behind each figure and table can be had as CSV
    from the page.

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
    >>> from diffusion.study.report import write_report
    >>> write_report("results/who-to-seed")  # doctest: +SKIP
    PosixPath('results/who-to-seed/report.html')
    """
    source = Path(folder)
    target = source / "report.html" if path is None else Path(path)
    write_text(target, _page(read(source)))
    return target


def _csv(frame: pd.DataFrame) -> str:
    """Return a table as a data: address that a link can download."""
    text = frame.to_csv(index=False, float_format="%.8g")
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def _page(tables: Tables) -> str:
    r = tables.results
    runs = int(r["runs"].sum())
    said = answers(tables)
    graphs = ", ".join(f"{g['label']} ({count(g['n_nodes'])} users)" for g in tables.graphs)
    sizes = {g["n_nodes"] for g in tables.graphs}
    if len(tables.graphs) > 1 and len(sizes) == 1:
        names = ", ".join(tables.graph_name(str(g["label"])) for g in tables.graphs)
        graphs = f"{count(len(tables.graphs))} graphs of {count(sizes.pop())} users each ({names})"
    figures: dict[str, list[Exhibit]] = {
        "growth": growth_figures(tables),
        "seeding": seeding_figures(tables),
        "communities": community_figures(tables),
        "channels": channel_figures(tables),
        "method": method_figures(tables),
    }
    communities, funnel = _tables.community_table(tables), funnel_table(tables)
    version = str(tables.provenance.get("diffusion") or __version__)
    template = resources.files(__package__).joinpath("report.html.jinja").read_text(encoding="utf-8")
    # Everything that is put into the page is escaped, but for the SVG that this package has drawn itself.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["csv"] = _csv
    environment.filters["tie"] = tie
    made = str(tables.provenance.get("made", ""))[:10].replace("-", "\N{NON-BREAKING HYPHEN}")
    return environment.from_string(template).render(
        title=str(tables.study.get("title") or "A study of diffusion"),
        summary=f"{graphs}; {count(len(r))} cells, {count(runs)} runs in all"
        + (f"; computed {made}" if made else "")
        + ".",
        answers=said,
        glossary=_method.glossary(tables, said),
        prediction=on_prediction(tables),
        verdict=verdict_on_growth(tables),
        phases=_tables.phase_table(tables),
        growth=growth_table(tables),
        figures=figures,
        best=_tables.best_table(tables),
        relative=relative_table(tables),
        paired=_tables.paired_table(tables),
        seeds=_tables.seeds_table(tables),
        communities=communities,
        has_communities=bool(figures["communities"]) or communities is not None,
        funnel=funnel,
        has_channels=bool(figures["channels"]) or funnel is not None,
        expectations=expectations_table(tables),
        graphs=_method.graph_facts(tables),
        tiers=_method.tiers_table(tables),
        rewired=_method.rewired_words(tables),
        models=_method.models_table(tables),
        parameters=_method.parameters_table(tables),
        own_model=_method.own_model_words(tables),
        strategies=_method.strategies_table(tables),
        precision=_method.precision_words(tables),
        stopping=_method.stopping_table(tables),
        skipped=_method.skipped_table(tables),
        provenance=_method.provenance_facts(tables),
        command=str(tables.study.get("command", "")),
        toml=str(tables.study.get("toml", "")),
        citation=f"diffusion ({version}), the diffusion developers, 2026",
        cells=_tables.cells_table(tables),
    )
