"""The documentation: every public name on a page, docstrings complete, and the written pages true to the code."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

import diffusion as dif

pytest.importorskip("numpydoc", reason="numpydoc comes with the dev and docs extras")
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

DOCS = ROOT / "docs"
# Errors of numpydoc's validation that are errors here too: an unknown or empty section, sections out of order, parameters
# that the signature does not have, a type without its colon, no summary.
CHECKS = {"GL06", "GL07", "GL08", "PR02", "PR10", "RT02", "SS01"}
#: Modules whose docstrings name works without a list of references.
OTHERS = {"seeding", "select_seeds", "compare_strategies", "Study", "StudyResult", "plotting"}
COMMON = {"ax", "confidence", "rng", "threads", "self", "cls"}


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


api_pages = load("api_pages")
NAMES = api_pages.public_names()
ONCE = list({id(api_pages.value_of(name)): name for name in sorted(NAMES, key=len, reverse=True)}.values())
CLASSES = sorted(name for name in ONCE if api_pages.kind_of(name) == "class")
FUNCTIONS = sorted(name for name in ONCE if api_pages.kind_of(name) == "function")


def parsed(value: Any) -> Any:
    return NumpyDocString(inspect.getdoc(value) or "")


def is_error(name: str) -> bool:
    return issubclass(api_pages.value_of(name), BaseException)


def is_drawing(name: str) -> bool:
    return name.startswith("plotting")


def methods(name: str) -> Iterator[tuple[str, Any]]:
    """Public methods that a class defines itself, without what decorates them."""
    for method, value in vars(api_pages.value_of(name)).items():
        value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            yield method, value


def listed(folder: Any) -> list[str]:
    """Public names on the pages written into a folder: entries of autosummary and of values."""
    found = []
    for page in api_pages.PAGES:
        page = (folder / f"{page.file}.md").read_text()
        found += re.findall(r"^   (?!:)([\w.]+)$", page, re.M) + re.findall(r"py:data:: ([\w.]+)", page)
    return found


# -- pages of names ----------------------------------------------------------------------------------------------------


def test_every_public_name_is_on_one_page(tmp_path):
    api_pages.write(tmp_path)
    found = listed(tmp_path)
    assert len(found) == len(set(found))
    assert set(found) <= set(NAMES)
    by_object = {id(api_pages.value_of(name)) for name in found}
    assert [name for name in NAMES if id(api_pages.value_of(name)) not in by_object] == []
    index = (tmp_path / "index.md").read_text()
    assert all(f"]({page.file}.md)" in index for page in api_pages.PAGES)


def test_public_names_are_those_of_the_package_and_of_its_modules():
    assert set(NAMES) >= {"FollowerGraph", "SIPS", "simulate", "select_seeds", "theory.reed_frost", "datasets.load"}
    assert set(dif.__all__) - {name.split(".")[0] for name in NAMES} == {"__version__"}
    for module in ("graph", "models", "simulation", "results", "seeding", "theory", "datasets", "errors", "plotting"):
        assert {f"{module}.{name}" for name in getattr(dif, module).__all__} <= set(NAMES)


def test_a_name_without_a_group_goes_to_the_page_of_its_module(monkeypatch):
    bare = api_pages.Page("seeding", "Seeding", "", ("diffusion.seeding",), {"One": "seeding.SeedSelection"})
    others = tuple(page for page in api_pages.PAGES if page.file != "seeding")
    monkeypatch.setattr(api_pages, "PAGES", (*others, bare))
    assert api_pages.pages()["seeding"][0] == ("One", ["seeding.SeedSelection"])
    title, names = api_pages.pages()["seeding"][-1]
    assert title == "Further"
    assert {"select_seeds", "seeding.sample_rr_sets", "seeding.RRSets"} <= set(names)
    monkeypatch.setattr(api_pages, "PAGES", others)
    with pytest.raises(LookupError, match="has no page"):
        api_pages.pages()


def test_every_page_names_what_exists():
    """A name in a group that the package no longer has would be left out without a word."""
    grouped = [name for page in api_pages.PAGES for names in page.groups.values() for name in names.split()]
    assert len(grouped) == len(set(grouped))
    assert [name for name in grouped if name not in NAMES] == []
    assert [title for groups in api_pages.pages().values() for title, _ in groups if title == "Further"] == []


def test_every_value_without_a_docstring_is_explained():
    assert {name for name in NAMES if api_pages.kind_of(name) == "data"} <= set(api_pages.DATA)
    assert set(api_pages.DATA) <= set(NAMES)


# -- docstrings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSES + FUNCTIONS)
def test_docstring_passes_the_checks_of_numpydoc(name):
    value = api_pages.value_of(name)
    where = f"{value.__module__}.{value.__qualname__}"
    assert [text for code, text in validate(where)["errors"] if code in CHECKS] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_say_what_they_take_and_give(name):
    value = api_pages.value_of(name)
    doc, signature = parsed(value), inspect.signature(value)
    if is_drawing(name) and not name.rpartition(".")[2].startswith("plot_"):
        return  # a piece of a plot: one sentence
    named = {part.strip().lstrip("*") for item in doc["Parameters"] for part in item.name.split(",")}
    assert set(signature.parameters) - named == set()
    if signature.return_annotation not in (None, "None"):
        assert doc["Returns"] or doc["Yields"]


@pytest.mark.parametrize("name", CLASSES)
def test_classes_say_what_they_hold_and_what_methods_take(name):
    value = api_pages.value_of(name)
    doc = parsed(value)
    if dataclasses.is_dataclass(value):
        named = {
            part.strip() for key in ("Parameters", "Attributes") for item in doc[key] for part in item.name.split(",")
        }
        public = {field.name for field in dataclasses.fields(value) if not field.name.startswith("_")}
        assert public - named - fields_of_bases(value) == set()
    for method, function in methods(name):
        assert inspect.getdoc(function), f"{name}.{method} has no docstring"
        if inspect.isfunction(function):
            taken = set(inspect.signature(function).parameters) - COMMON
            elsewhere = (inspect.getdoc(function) or "").startswith("See `")  # where the method is first defined
            assert len(taken) < 2 or parsed(function)["Parameters"] or elsewhere, f"{name}.{method} takes {taken}"


def fields_of_bases(value: type) -> set[str]:
    bases = [base for base in value.__mro__[1:] if dataclasses.is_dataclass(base)]
    return {field.name for base in bases for field in dataclasses.fields(base)}


def callables() -> Iterator[tuple[Callable[..., Any], bool]]:
    """Every public function and method, and whether there is an example of it or of its class."""
    for name in FUNCTIONS:
        yield api_pages.value_of(name), bool(parsed(api_pages.value_of(name))["Examples"])
    for name in CLASSES:
        shown = bool(parsed(api_pages.value_of(name))["Examples"])
        for _, function in methods(name):
            if inspect.isfunction(function):
                yield function, shown or bool(parsed(function)["Examples"])


@pytest.mark.parametrize("name", [name for name in CLASSES + FUNCTIONS if not is_drawing(name)])
def test_everything_has_an_example(name):
    """Its own; or, of a class, that of what returns it. Errors are raised and plots looked at: they need none."""
    value = api_pages.value_of(name)
    examples = parsed(value)["Examples"]
    if examples:
        assert any(line.startswith(">>> ") for line in examples)
        return
    assert inspect.isclass(value)
    if is_error(name):
        return
    shown = [
        function
        for function, has_example in callables()
        if has_example and value.__name__ in str(inspect.signature(function).return_annotation)
    ]
    assert shown, f"{name} has no example, and nothing that returns it has one"


MONTHS = {"January", "February", "March", "April", "May", "June", "July"}
MONTHS |= {"August", "September", "October", "November", "December"}
#: Names, joined by commas, "and" or "et al.", before a year, which may stand in brackets.
NAME = r"(?:van |von |ben-)?[A-Z][\w-]+"
CITED = re.compile(rf"({NAME}(?:(?:,? and|,)\s+{NAME})*)(?:\s+et al\.)?(?:'s)?,?\s+\(?((?:18|19|20)\d\d)\b")


def documented() -> Iterator[tuple[str, Any]]:
    """Every public function, class and method that this package defines, with the name it goes by."""
    for name in CLASSES + FUNCTIONS:
        yield name, api_pages.value_of(name)
    for name in CLASSES:
        for method, value in methods(name):
            yield f"{name}.{method}", value


def cited(text: str) -> set[tuple[str, str]]:
    """First author and year of every work that a text names."""
    works = ((re.findall(r"[A-Z][\w-]+", names), year) for names, year in CITED.findall(" ".join(text.split())))
    return {(names[0], year) for names, year in works if not MONTHS & set(names)}


def test_works_are_found_in_a_text():
    text = "Kempe, Kleinberg and Tardos (2003); Cohen, Erez, ben-Avraham and Havlin (2000), Hall 1992, on 7 July 2012."
    assert cited(text) == {("Kempe", "2003"), ("Cohen", "2000"), ("Hall", "1992")}
    assert cited("as in Nematzadeh et al. (2014)") == {("Nematzadeh", "2014")}


def test_works_that_a_docstring_names_are_among_its_references():
    missing, found = [], 0
    for name, value in documented():
        if name.split(".")[0] in OTHERS:
            continue
        doc = inspect.getdoc(value) or ""
        text, _, references = doc.partition("References\n----------\n")
        entries = re.split(r"(?m)^- ", references.split("\n\n")[0])[1:]
        for author, year in sorted(cited(text)):
            found += 1
            if not any(entry.startswith(author) and f"({year})" in entry for entry in entries):
                missing.append(f"{name}: {author} {year}")
    assert missing == []
    assert found > 60


def test_references_are_written_alike():
    """Authors, year in brackets, title; then a DOI, an arXiv id, or neither."""
    for name, value in documented():
        _, _, references = (inspect.getdoc(value) or "").partition("References\n----------\n")
        if name.split(".")[0] in OTHERS:
            continue
        for entry in re.split(r"(?m)^- ", references.split("\n\n")[0])[1:]:
            line = " ".join(entry.split())
            assert re.match(r"[A-Z][^()]+\. \((18|19|20)\d\d\)\. \w", line), f"{name}: {line}"
            assert line.count("doi:") <= 1, line
            assert re.search(r" doi:10\.\d{4,}/\S+[^.\s]$| arXiv:\d{4}\.\d{4,5}$|\.$", line) or line[-1].isdigit(), line


def test_see_also_names_what_exists():
    found = 0
    for name, value in documented():
        for names, _ in parsed(value)["See Also"]:
            for other, _ in names:
                api_pages.value_of(other)  # from the root of the package
                assert other != name
                found += 1
    assert found > 600


@pytest.mark.parametrize("name", CLASSES + FUNCTIONS)
def test_everything_names_its_neighbours(name):
    assert parsed(api_pages.value_of(name))["See Also"]


# -- written pages -----------------------------------------------------------------------------------------------------

WRITTEN = (
    "index",
    "choose",
    "models",
    "cases",
    "experiment",
    "pitfalls",
    "notebooks",
    "speed",
    "cookbook",
    "equations",
)
WRITTEN += ("coming_from", "scope", "cluster", "logs")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.S | re.M)


def run_page(page: str) -> dict[str, Any]:
    """Run the Python code of a page from top to bottom; what it defines."""
    space: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), space)
    return space


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/models.md"])
def test_code_on_a_page_runs_as_written(page):
    assert len(run_page(page)) > 5


@pytest.mark.slow
def test_cases_give_the_numbers_that_stand_beside_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a study writes a folder
    space, text = run_page("docs/cases.md"), (DOCS / "cases.md").read_text()
    chosen, growth, without = space["chosen"], space["growth"], space["without"]
    tiers = space["platform"].node_data["tier"].set_axis(space["platform"].nodes)[list(chosen.seeds)]
    assert f"{len(chosen.seeds)} creators, {(tiers == 'amateur').sum()} of them amateurs" in text
    assert f"spread at least {chosen.lower:.1f}, optimum at most {chosen.upper:.1f}" in text
    assert f"spread {chosen.spread.mean:.2f} nodes [{chosen.spread.low:.2f}, {chosen.spread.high:.2f}]" in text
    assert f"{growth.R.value:.3g} [{growth.R.low:.3g}, {growth.R.high:.3g}]" in text
    assert f"{growth.doubling_time.value:.3f} [{growth.doubling_time.low:.3f}, " in text
    assert growth.phase == "exponential"
    R = without.R
    assert f"R is {without.predicted:.3g} predicted and {R.value:.3g} [{R.low:.3g}, {R.high:.3g}] measured" in text
    assert without.phase == "undecided"


def test_commands_on_pages_are_commands():
    from diffusion.__main__ import _parser

    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    commands = [
        line.split("#")[0].split(">")[0].strip(" $")
        for page in ("README.md", "docs/cases.md", "CONTRIBUTING.md")
        for block in blocks(page, "console")
        for line in block.splitlines()
    ]
    assert {"make study", "make test", "diffusion study --example"} <= set(commands)
    for command in commands:
        if command.startswith("make "):
            assert command.removeprefix("make ") in targets
        else:
            assert _parser().parse_args(shlex.split(command)[1:]).command == "study"
    for page in ("README.md", "CONTRIBUTING.md"):
        assert set(re.findall(r"`make ([\w-]+)`", (ROOT / page).read_text())) <= targets


def test_the_readme_is_short_and_names_files_that_exist():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 100
    for path in re.findall(r"`((?:docs|tests|notebooks)/(?!_build)[\w./]*|[\w.]+\.(?:md|toml|cff))`", text):
        assert (ROOT / path).exists(), path
    count = (DOCS / "validation.md").read_text().split(" numbers")[0].split()[-1]
    assert f"lists {count} exact" in text


def as_script(notebook: dict[str, Any]) -> str:
    """What jupytext writes of the cells of a notebook, in its percent format."""
    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cells.append("# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in source.split("\n")))
        else:
            cells.append("# %%\n" + re.sub(r"^%", "# %", source, flags=re.M))
    return "\n\n".join(cells)


@pytest.mark.parametrize("script", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_notebooks_are_in_step_with_their_scripts(script):
    text = script.read_text()
    notebook = json.loads(script.with_suffix(".ipynb").read_text())
    words = [re.sub(r"\n{2,}", "\n", part).strip() for part in (text[text.index("# %%") :], as_script(notebook))]
    assert words[0] == words[1]


def test_plain_words():
    """Modules, constructors and exporters: terms of the field, and no images for them."""
    banned = re.compile(r"\b(rooms|doors?|yardsticks?|too dear)\b", re.I)
    pages = [*DOCS.glob("*.md"), *DOCS.glob("*.py"), *ROOT.glob("*.md"), *(ROOT / "notebooks").glob("*.py")]
    sources = [path for folder in ("diffusion", "tests") for path in (ROOT / folder).rglob("*.py")]
    for path in pages + sources:
        if path.name != "test_docs.py" and path.parts[-2] not in ("seeding", "study"):
            assert not banned.search(path.read_text()), path


@pytest.mark.parametrize("page", WRITTEN)
def test_links_lead_to_pages(page, tmp_path):
    text = (DOCS / f"{page}.md").read_text()
    targets = re.findall(r"\]\(([^)#]+)", text)
    targets += [
        line.split("<")[1].rstrip(">") + ".md" for line in text.splitlines() if re.fullmatch(r"[\w ]+ <[\w/]+>", line)
    ]
    for target in targets:
        if target == "gallery.md":  # the build makes it
            continue
        made = target.startswith("api/") and target.removeprefix("api/").removesuffix(".md")
        assert made in {"index", *(page.file for page in api_pages.PAGES)} if made else (DOCS / target).is_file(), (
            target
        )


def test_names_on_written_pages_exist():
    parts = {method for name in CLASSES for method, _ in methods(name)} | {"with_probabilities"}
    last = {name.rpartition(".")[2] for name in NAMES} | parts
    found = 0
    for page in WRITTEN:
        for code in re.findall(r"`([^`\n]+)`", (DOCS / f"{page}.md").read_text()):
            if match := re.match(r"((?:dif\.|theory\.)?[A-Za-z_]\w*)\(|(theory\.\w+)$", code):
                name = (match[1] or match[2]).removeprefix("dif.")
                assert name in NAMES or name in last, f"{page}: {code}"
                found += 1
    assert found > 10


def test_methods_and_rules_on_the_decision_page_exist():
    from diffusion.graph.probabilities import RULES
    from diffusion.seeding.registry import METHODS

    page = (DOCS / "choose.md").read_text()
    weights, seeds = (page.split(f"## {n}.")[1] for n in (2, 5))
    rules = {row.split("`")[1].strip('"') for row in weights.split("## ")[0].splitlines() if row.startswith('| `"')}
    assert rules == set(RULES)
    methods = set(re.findall(r'`"(\w+)"`', seeds.split("## ")[0]))
    assert len(methods) > 6
    assert methods <= set(METHODS)


def test_spreads_among_the_pitfalls_are_those_of_the_validation_page():
    validation = load("validation")
    values = {name: spreads[0] for name, *_, spreads in validation.NETHEPT}
    section = (DOCS / "pitfalls.md").read_text().split("## Multigraphs")[1].split("## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| ")][
        1:
    ]
    for row, name in zip(rows, ("IC p = .01", "WC", "LT"), strict=True):
        given = [float(cell.replace(",", "")) for cell in row[1:]]
        assert given == [values[f"{name}, multigraph"], values[f"{name}, simple"]]


def numbers(section: str) -> list[list[float]]:
    """Rows of the first table of a section among the pitfalls, their numbers only."""
    text = (DOCS / "pitfalls.md").read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    cells = [
        [c.strip(" %").replace(",", "") for c in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line
    ]
    return [[float(c) for c in row if re.fullmatch(r"[\d.]+", c)] for row in cells[2:]]


def test_direction_among_the_pitfalls(data):
    given = [value for (value,) in numbers("Direction")]
    for edges_mean, rules in (("follows", (given[0], 1189)), ("influences", (given[1], 1393))):
        graph = dif.read_edges(data("wiki-Vote.txt.gz"), directed=True, edges_mean=edges_mean)
        weighted = graph.with_probabilities("weighted_cascade")
        for case, expected in zip((weighted, graph.with_probabilities("constant", p=0.05)), rules, strict=True):
            seeds = dif.select_seeds(case, 50, rng=7)
            assert dif.spread(case, seeds, runs=2048, rng=7).mean == pytest.approx(expected, rel=0.02)


def test_coverage_among_the_pitfalls(data):
    graph = dif.read_edges(data("nethept.txt.gz"), directed=False, parallel="collapse")
    graph = graph.with_probabilities("weighted_cascade")
    for n, by_sets, simulated, over in numbers("Biased coverage")[:2]:
        sets = dif.seeding.sample_rr_sets(graph, int(n), rng=1)
        members, number = sets.members.to_numpy(), np.repeat(np.arange(int(n)), np.diff(sets.offsets))
        open_, seeds = np.ones(int(n), bool), []
        for _ in range(50):  # ties go to the smallest label
            seeds.append(int(np.bincount(members[open_[number]]).argmax()))
            open_[number[members == seeds[-1]]] = False
        ours = (~open_).sum() * graph.n_nodes / n
        assert round(ours) == by_sets
        independent = dif.spread(graph, seeds, runs=20_000, rng=3).mean
        assert independent == pytest.approx(simulated, rel=0.005)
        assert ours / independent - 1 == pytest.approx(over / 100, rel=0.05)


@pytest.fixture(scope="module")
def internet() -> Any:
    return load("internet")


def test_the_plan_for_the_internet_is_what_was_measured(internet: Any):
    assert (DOCS / "internet.md").read_text(encoding="utf-8") == internet.page(internet.read())


def test_the_plan_takes_its_amounts_from_its_constants(internet: Any):
    found = internet.read()
    last = found["scale"]["rows"][-1]
    last |= {"arc_bytes": 10.0, "node_bytes": 100.0, "seconds": {**last["seconds"], "build": 60e-9 * last["arcs"]}}
    for row, log, ns in zip(found["scale"]["rows"], (6, 7, 8), (100.0, 200.0, 300.0), strict=True):
        row |= {"arcs": 10**log, "ns_visit": ns, "visits": 5 * 10**log}
    last["seconds"]["build"] = 60e-9 * 10**8
    text = internet.arithmetic("a graph", 10**8, 10**9, found)
    assert "| 10 bytes an arc, 100 a node | 20 GB |" in text
    assert "| 400 ± 0 ns a visit | 0.6 h ± 0% |" in text  # 1e9 arcs x 5 visits x 400 ns = 2,000 s
    assert "| 60 ns an arc | 1 min |" in text
    assert f"{512 * 3600 / 2000:,.0f} ± 0%" in text


def test_the_line_of_the_plan_has_the_interval_of_least_squares(internet: Any):
    arcs, values = [10**6, 10**7, 10**8, 10**9], [1.0, 2.5, 2.0, 4.0]
    at, half = internet.extrapolate(arcs, values, 10**10)
    x, y = np.array([6.0, 7, 8, 9]), np.array(values)
    design = np.column_stack([np.ones(4), x])
    beta = np.linalg.solve(design.T @ design, design.T @ y)
    variance = ((y - design @ beta) ** 2).sum() / 2
    new = np.array([1.0, 10])
    assert at == pytest.approx(new @ beta)
    assert half == pytest.approx(4.302653 * np.sqrt(variance * (1 + new @ np.linalg.inv(design.T @ design) @ new)))
