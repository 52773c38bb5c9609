"""The recipes of the cookbook print what stands below them, and other packages agree with this one."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from test_docs import load

cookbook = load("cookbook")
TEXT = (ROOT / "docs" / "cookbook.md").read_text()
PEERS = (ROOT / "docs" / "coming_from.md").read_text()
MODULES = {"NDlib": "ndlib", "CyNetDiff": "cynetdiff", "EoN": "EoN", "PyNetIM": "pynetim"}


def spaces(text: str) -> dict[str, list[tuple[str, str]]]:
    """Code and shown output of the recipes of a page, by title."""
    found: dict[str, list[tuple[str, str]]] = {}
    for title, code, shown in cookbook.recipes(text):
        found.setdefault(title, []).append((code, shown))
    return found


RECIPES = spaces(TEXT)


def started(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "recipe"}
    cookbook.run(next(cookbook.recipes(text))[1], space)
    return space


@pytest.fixture(scope="module")
def start() -> dict[str, Any]:
    return started(TEXT)


def test_the_cookbook_is_long_enough():
    assert len(RECIPES) - 1 >= 20
    assert all(shown for title, blocks in RECIPES.items() if title for _, shown in blocks)


def test_a_recipe_shows_what_it_prints_and_its_last_value():
    text = "# Page\n\n```python\na = 1\n```\n\n## Two\n\n```python\nprint(a)\na + 1\n```\n\n```text\nold\n```\n\n## Three\n"
    assert list(cookbook.recipes(text)) == [("", "a = 1\n", ""), ("Two", "print(a)\na + 1\n", "old\n")]
    assert list(cookbook.outputs(text)) == [("Two", "old\n", "1\n2\n")]


def test_outputs_are_written_below_their_recipes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\na = 1\n```\n\n## Two\n\n```python\na + 1\n```\n\nWords.\n")
    cookbook.write(page)
    cookbook.write(page)
    assert page.read_text() == (
        "```python\na = 1\n```\n\n## Two\n\n```python\na + 1\n```\n\n```text\n2\n```\n\nWords.\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("title", [title for title in RECIPES if title])
def test_a_recipe_prints_what_stands_below_it(title, start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for code, shown in RECIPES[title]:
        assert cookbook.run(code, dict(start)) == shown


@pytest.mark.slow
@pytest.mark.parametrize("title", MODULES)
def test_a_peer_agrees_within_four_standard_errors(title):
    pytest.importorskip(MODULES[title], reason="peers come with the bench extra")
    space = started(PEERS)
    code, _ = spaces(PEERS)[title][0]
    cookbook.run(code, space)
    peer = np.asarray(space["sizes"], dtype=float)
    cookbook.run(spaces(PEERS)["This package"][0][0], space)
    ours = np.asarray(space["sizes"], dtype=float)
    error = np.sqrt(peer.var(ddof=1) / peer.size + ours.var(ddof=1) / ours.size)
    assert abs(peer.mean() - ours.mean()) < 4 * error


@pytest.mark.slow
def test_ndlib_drops_probabilities_where_one_is_missing():
    pytest.importorskip("ndlib", reason="peers come with the bench extra")
    space = started(PEERS)
    cookbook.run(spaces(PEERS)["NDlib"][1][0], space)
    ours = space["dif"].spread(space["g"], space["seeds"], runs=2_000, rng=8)
    assert np.mean(space["wrong"]) < 0.5 * ours.low


@pytest.mark.parametrize("title", ["This package", *MODULES])
def test_means_beside_each_other_on_the_page_agree(title):
    """What the page shows, whether or not the peers are installed."""
    shown = {name: blocks[0][1] for name, blocks in spaces(PEERS).items() if name}
    value, error = map(float, re.match(r"([\d.]+) ± ([\d.]+)", shown[title]).groups())
    ours, own_error = map(float, re.match(r"([\d.]+) ± ([\d.]+)", shown["This package"]).groups())
    assert abs(value - ours) < 4 * (error + own_error) / 2**0.5 + 0.1
