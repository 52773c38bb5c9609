"""Numbers stay what they were: hashes of sizes, steps, replays, seeds and intervals over models and methods."""

from __future__ import annotations

import json

import golden
import pytest

EXPECTED = json.loads(golden.FILE.read_text())


@pytest.mark.parametrize(("name", "call"), [pytest.param(*case, id=case[0]) for case in golden.cases(False)])
def test_numbers_of_the_generated_platform(name, call):
    assert golden.digest(call()) == EXPECTED["platform"][name]


@pytest.mark.parametrize("name", EXPECTED["nethept"])
def test_numbers_of_nethept(name, data):
    data("nethept.txt.gz")
    assert golden.digest(dict(golden.cases(True))[name]()) == EXPECTED["nethept"][name]


def test_every_case_has_a_number():
    assert {name for name, _ in golden.cases(False)} == set(EXPECTED["platform"])
