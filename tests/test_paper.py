"""The paper: sections and length as the Journal of Open Source Software asks, references in use, numbers as measured."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

PAPER = ROOT / "paper"
TEXT = " ".join((PAPER / "paper.md").read_text().split())
HEAD, _, BODY = (PAPER / "paper.md").read_text().removeprefix("---\n").partition("\n---\n")
ENTRIES = dict(re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", (PAPER / "paper.bib").read_text(), re.S | re.M))

#: Words of the paper, and the file that they are a number of, with how it stands there.
MEASURED = [
    ("11.8 to 25.2 times as fast as CyNetDiff", "benchmarks.md", "lowest 11.8"),
    ("11.8 to 25.2 times as fast as CyNetDiff", "benchmarks.md", "**25.2**"),
    ("(geometric mean 17.6)", "benchmarks.md", "Geometric mean of 6 cases **17.6**"),
    ("75.1 and 102 times", "benchmarks.md", "**75.1**"),
    ("75.1 and 102 times", "benchmarks.md", "**102**"),
    ("ratio is 14.7 to 20.6", "benchmarks.md", "**14.7**"),
    ("ratio is 14.7 to 20.6", "benchmarks.md", "**20.6**"),
    ("10.4 for the linear threshold model", "benchmarks.md", "**10.4**"),
    ("EoN 1,288 to 2,979", "benchmarks.md", "**1,288**"),
    ("EoN 1,288 to 2,979", "benchmarks.md", "**2,979**"),
    ("NDlib 2,317 to 5,824", "benchmarks.md", "**2,317**"),
    ("NDlib 2,317 to 5,824", "benchmarks.md", "**5,824**"),
    ("0.90 times as long as in a C program", "benchmarks.md", "SIR takes 0.90 of the C program"),
    ("214 times as fast", "benchmarks.md", "| 214 |"),
    ("up to 8.36 times an independent cascade", "benchmarks.md", "with a feed 8.36, target at most 2"),
    ("about 14 seconds once a machine", "benchmarks.md", "empty cache (once a machine) | 14."),
    ("lists 209 exact", "docs/validation.md", "209 numbers, 209 as expected"),
    ("ten of them are marked", "docs/validation.md", "10 of them are not independent"),
    ("0 of 156 cases", "docs/verdicts.md", "0 of 156"),
    ("0 of 72", "docs/verdicts.md", "0 of 72"),
    ("the power at $R = 1.3$ is 50 %", "docs/verdicts.md", "(50.0%) at R = 1.3"),
    ("3.4 % of 208 comparisons", "README.md", "3.4 % of 208 comparisons"),
    ("against 25 % with one graph", "README.md", "with one graph and the interval of its simulation 25 %"),
]


@pytest.mark.parametrize(("words", "file", "there"), MEASURED)
def test_numbers_are_those_that_were_measured(words, file, there):
    assert words in TEXT
    assert there in (ROOT / file).read_text(), f"{file} was measured anew: bring paper/paper.md up to date"


def test_sections_and_length():
    sections = re.findall(r"^# (.+)$", BODY, re.M)
    asked = ["Summary", "Statement of need", "State of the field", "Software design", "Research impact statement"]
    assert sections == [*asked, "Acknowledgements", "References"]
    assert 750 <= len(BODY.split()) <= 1750


def test_every_reference_is_cited_and_every_citation_has_a_reference():
    assert set(re.findall(r"@(\w+)", BODY)) == set(ENTRIES)
    for name, entry in ENTRIES.items():
        assert re.search(r"^  (doi = \{10\.\d{4,}/\S+\}|eprint = \{\d{4}\.\d{4,5}\})", entry, re.M), name
        assert re.search(r"^  year = \{(\d{4})\}", entry, re.M)[1] == name[-4:], name


def test_authors_are_those_of_the_citation_file():
    cited = re.findall(r'^  - name: "?([^"\n]+)"?$', (ROOT / "CITATION.cff").read_text(), re.M)
    assert re.findall(r"^  - name: (.+)$", HEAD, re.M) == cited


def test_notebooks_are_as_many_as_the_paper_says():
    assert "Fifteen notebooks" in TEXT
    assert len(list((ROOT / "notebooks").glob("*.ipynb"))) == 15
