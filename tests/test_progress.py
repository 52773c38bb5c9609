"""Progress: one bar a public call, not before two seconds, gone when done, and no bar inside a loop of the package."""

from __future__ import annotations

import doctest
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from strategies import random_graph

import diffusion as dif
from diffusion import _progress as moving
from diffusion import _upward
from diffusion.seeding import compare as comparing


class Bars:
    """Stands in for tqdm: what was made, what was drawn, what was closed."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += self.step
        return self.now

    step = 0.0


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> Bars:
    """Bars under a clock of our own; each look at it takes `step` seconds."""
    from tqdm import std

    found = Bars()

    class Bar(std.tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            self.drawn: list[tuple[str, Any, Any]] = []
            super().__init__(*args, **{**options, "disable": False})
            found.made.append(self)

        def refresh(self, *args: Any, **options: Any) -> None:
            self.drawn.append((self.desc, self.n, self.total))

    monkeypatch.setattr("tqdm.std.tqdm", Bar)
    monkeypatch.setattr(moving, "monotonic", found.monotonic)
    return found


def closed(bar: Any) -> bool:
    return bool(bar.disable and not bar.leave)


def test_nothing_before_two_seconds_then_one_bar_that_goes(bars: Bars):
    with moving.progress(total=100, description="arcs", unit="arc") as bar:
        for bars.now in (0.5, 1.9):
            bar.update(10)
            assert not bars.made
        for bars.now in (2.1, 2.11, 3.0):
            bar.update(10)
        assert len(bars.made) == 1
        assert bars.made[0].drawn[-2:] == [("arcs: ", 30, 100), ("arcs: ", 50, 100)]  # .01 s later is too soon to draw
        assert not closed(bars.made[0])
    assert closed(bars.made[0])
    with moving.progress(total=1, description="next") as bar:  # a call of its own begins to wait anew
        bars.now += 1.9
        bar.update()
    assert len(bars.made) == 1


def test_parts_and_loops_of_a_call_share_its_bar(bars: Bars):
    @moving.one_bar
    def call() -> None:
        """Do three parts, the second with loops inside."""
        for name in ("reading", "cells", "drawing"):
            with moving.progress(total=4, description=name) as part:
                for _ in range(4):
                    with moving.progress(total=1, description="inner") as inner:
                        bars.now += 1.0
                        inner.update()
                    part.update()

    call()
    call()
    assert len(bars.made) == 2
    assert [name for name, _, _ in bars.made[0].drawn if name].count("cells: ") > 2
    assert {name for bar in bars.made for name, _, _ in bar.drawn if name} == {"reading: ", "cells: ", "drawing: "}
    assert all(map(closed, bars.made))


def test_an_error_takes_the_bar_away(bars: Bars):
    @moving.one_bar
    def call() -> None:
        with moving.progress(total=1, description="part") as part:
            bars.now += 3
            part.update()
            raise ZeroDivisionError

    for n in (1, 2):
        with pytest.raises(ZeroDivisionError):
            call()
        assert len(bars.made) == n
        assert all(map(closed, bars.made))


def study(graph: Any, folder: Path) -> None:
    dif.Study({"users": 300, "communities": 3}, models=["ic"], strategies=["degree", "opim"], budgets=[2], rel_error=0.3).run(
        folder
    )  # fmt: skip


CALLS: dict[str, Callable[[Any, Path], Any]] = {
    "compare_strategies": lambda g, _: dif.compare_strategies(g, [1, 2], strategies=["degree", "opim"], runs=512, rng=1),
    "select_seeds": lambda g, _: dif.select_seeds(g, 2, evaluate=True, rng=1),
    "spread": lambda g, _: dif.spread(g, [0], rel_error=0.001, max_runs=3_000, rng=1),
    "compare": lambda g, _: dif.compare(g, {"a": [0], "b": [1]}, runs=1024, rng=1),
    "study": study,
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_public_calls_show_one_bar(name: str, bars: Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_upward, "REPORT", ("test_study", "no_report"))
    graph = random_graph(300, 1500, rng=1).with_probabilities("weighted_cascade")
    bars.step = 3.0  # every part takes long
    CALLS[name](graph, tmp_path / "s")
    assert len(bars.made) == 1
    assert closed(bars.made[0])


def test_a_notebook_gets_one_line_that_is_empty_in_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shown: list[list[str]] = []

    class Line:
        def __init__(self, text: str) -> None:
            self.texts = [text]
            shown.append(self.texts)

        def update(self, data: dict[str, str], raw: bool) -> None:
            self.texts.append(data["text/plain"])

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Line:
        assert list(data) == ["text/plain"]  # no widget, which the file of the notebook would keep
        return Line(data["text/plain"])

    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(config={"IPKernelApp": {}}))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    monkeypatch.setattr(moving, "DELAY", 0.0)
    monkeypatch.setattr(moving, "REDRAW", 0.0)
    with moving.progress(total=4, description="cells", unit="cell") as bar:
        for _ in range(3):
            bar.update()
    assert len(shown) == 1
    assert "cells:  75%" in shown[0][-2]
    assert shown[0][-1] == ""
    assert capsys.readouterr() == ("", "")


def test_nothing_is_printed_where_nobody_looks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(moving, "DELAY", 0.0)
    graph = random_graph(300, 1500, rng=1).with_probabilities("weighted_cascade")
    dif.select_seeds(graph, 2, evaluate=True, rng=1)
    assert capsys.readouterr() == ("", "")


def test_a_call_with_a_bar_keeps_its_signature_and_its_examples():
    assert list(inspect.signature(comparing.compare_strategies).parameters)[:2] == ["graph", "budgets"]
    found = {test.name: test.examples for test in doctest.DocTestFinder().find(comparing)}
    assert found["diffusion.seeding.compare.compare_strategies"]
