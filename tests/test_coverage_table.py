"""The page of coverage: a sample of its rows is as claimed, and the page in the repository holds all of them."""

import importlib.util
import sys

import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("coverage_table", ROOT / "docs" / "coverage_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize(
    "named", ["Poisson, R = .8", "k = .1, R = .8", "5% of runs", "leaf of a star of 1,001, p = 0.005", "difference"]
)
def test_intervals_cover_as_often_as_the_page_claims(table, named):
    found = [row for row in table.means(400, named) if row.runs != "to 5%"]
    assert len(found) >= 2
    for row in found:
        # The claim is 93 to 97 %, more where events are rare; 400 trials of 94 % give less than 90.5 % once in 500.
        assert 0.905 <= row.ours <= (1.0 if row.rare or "outbreak of" in row.case else 0.985), row


def test_sequential_trials_stop_as_spread_does(table):
    (case,) = [case for case in table.cases() if case.name == "rare: from a leaf of a star of 1,001, p = 0.005"]
    row = table.sequential(case, 100, table.np.random.default_rng(1))
    assert row.usual < row.ours
    assert row.ours >= 0.9


def test_shares_are_covered(table):
    found = list(table.shares(1))
    assert all(row.ours >= 0.94 for row in found)
    assert min(row.usual for row in found) < 0.85


def test_the_page_in_the_repository_is_of_these_rows(table):
    written = (ROOT / "docs" / "coverage.md").read_text()
    names = [*(case.name for case in (*table.cases(), *table.simulated())), *(row.case for row in table.shares(1))]
    for name in names:
        lines = [line for line in written.splitlines() if line.startswith(f"| {name} | ")]
        assert lines, f"{name}: run docs/coverage_table.py"
        for line in lines:
            covered = float(line.split(" | ")[4].split("%")[0])
            assert covered >= 90, line
