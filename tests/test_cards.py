"""What notebooks show: short tables with intervals as bars, in which labels are text; and short texts."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffusion as dif
from diffusion import _html, datasets, models, seeding
from diffusion.results import Estimate, SpreadEstimate

EVIL = "<script>alert('x')</script>&\"<b>"
LABELS = [f"{EVIL}{i}" for i in range(40)]
GRAPH = (
    dif.FollowerGraph.from_arrays(
        [LABELS[(i - 1) // 3] for i in range(1, 40)], LABELS[1:], edges_mean="influences", directed=True
    )
    .with_probabilities("constant", p=0.5)
    .with_node_data({EVIL: range(40), "community": [f"{EVIL}{i % 3}" for i in range(40)]})
)


class Reader(HTMLParser):
    """Tags and text of a page; every tag has to be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.add(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: Any) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(value: Any) -> Reader:
    reader = Reader()
    reader.feed(value if isinstance(value, str) else value._repr_html_())
    reader.close()
    assert reader.open == []
    assert reader.tags <= {"p", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "line", "circle"}
    return reader


SETS = {f"{EVIL}a": LABELS[:1], f"{EVIL}b": LABELS[1:3]}
RIVALS = models.CompetitiveIC(brands=(EVIL, "B"))
MADE = {
    "graph": lambda: GRAPH,
    "certified selection": lambda: dif.select_seeds(GRAPH, 2, rng=7),
    "evaluated ranking": lambda: dif.select_seeds(GRAPH, 2, method="degree", evaluate=True, rng=7),
    "estimate": lambda: dif.spread(GRAPH, LABELS[:1], runs=256, rng=7),
    "one number": lambda: Estimate(1.0, 0.5, 2.0, 0.95, 100),
    "comparison": lambda: dif.compare(GRAPH, SETS, runs=64, rng=7),
    "partition": lambda: dif.graph.Partition.from_labels(GRAPH),
    "data set": lambda: datasets.cards()["wiki-vote"],
    "ensemble": lambda: dif.simulate(GRAPH, LABELS[:1], runs=20, rng=7),
    "growth": lambda: dif.growth(dif.simulate(GRAPH, LABELS[:1], runs=20, rng=7)),
    "strategies": lambda: dif.compare_strategies(GRAPH, [1, 2], strategies=["degree", "random"], runs=64, rng=7),
    "waves": lambda: seeding.adaptive_seeds(GRAPH, 2, waves=2, method="degree", worlds=5, rng=7),
    "response": lambda: seeding.best_response(
        GRAPH, 1, brand=EVIL, rivals={"B": LABELS[:1]}, model=RIVALS, runs=64, rng=7
    ),
    "budget curve": lambda: seeding.budget_curve(GRAPH, [1, 2], prices=np.ones(len(GRAPH)), max_rr_sets=4_000, rng=7),
    "least budget": lambda: seeding.min_budget(GRAPH, 3, prices=np.ones(len(GRAPH)), max_rr_sets=4_000, rng=7),
    "other prices": lambda: seeding.price_sensitivity(GRAPH, 2, prices=np.ones(len(GRAPH)), max_rr_sets=4_000, rng=7),
    "substitutes": lambda: seeding.substitutes(GRAPH, LABELS[:2], LABELS[0], max_rr_sets=4_000, rng=7),
    "rivals": lambda: dif.simulate(GRAPH, {EVIL: LABELS[:1], "B": LABELS[1:2]}, model=RIVALS, runs=20, rng=7),
    "topics": lambda: dif.graph.TopicProbabilities.from_arrays(GRAPH, np.full((39, 1), 0.5), topics=[EVIL]),
    "epidemic": lambda: dif.simulate(GRAPH, LABELS[:1], model=models.SIR(0.5), runs=20, rng=7),
}


@cache
def made(name: str) -> Any:
    return MADE[name]()


@pytest.mark.parametrize("name", MADE)
def test_cards_are_whole_tables_in_which_labels_are_text(name):
    value = made(name)
    reader = read(value)
    assert "table" in reader.tags
    assert "script" not in reader.tags
    assert re.search(r"\bnan\b", reader.text) is None
    assert len(value._repr_html_()) < 12_000


@pytest.mark.parametrize(
    "name", ["graph", "certified selection", "comparison", "partition", "strategies", "substitutes"]
)
def test_labels_are_shown_whole(name):
    if name == "strategies":
        assert "degree" in read(made(name)).text
    else:
        assert EVIL in read(made(name)).text


@pytest.mark.parametrize("name", MADE)
def test_texts_have_one_to_three_lines(name):
    if name != "strategies":  # a table of strategies by budget
        assert 1 <= len(repr(made(name)).splitlines()) <= 3


@pytest.mark.parametrize("name", ["certified selection", "evaluated ranking", "estimate", "one number", "comparison"])
def test_intervals_are_bars(name):
    assert {"svg", "line", "circle"} <= read(made(name)).tags


def test_a_comparison_says_its_paired_difference():
    found = made("comparison")
    gap, other = found.difference(*found.means.index), found.difference(*found.names)
    assert f"{other.value:.5g} [{other.low:.5g}, {other.high:.5g}]" in read(found).text
    first, second = found.means.index
    assert repr(found).splitlines()[1].startswith(f"{first} less {second}: {gap.value:.5g} [{gap.low:.5g}, ")
    alone = dif.compare(GRAPH, {"one": LABELS[:1]}, runs=64, rng=7)
    assert len(repr(alone).splitlines()) == 1
    assert read(alone).text.count("one") == 1
    one = dif.compare(GRAPH, {"a": LABELS[:1], "b": LABELS[:2]}, runs=1, rng=7)
    assert "nan" not in repr(one) + read(one).text
    many = dif.compare(GRAPH, {f"set {i}": LABELS[i : i + 1] for i in range(6)}, runs=64, rng=7)
    assert ", and 2 more\n" in repr(many)


def bar(html: str) -> tuple[list[float], float]:
    """Ends of the thick line (none: empty) and the place of the dot."""
    ends = re.search(r"x1='([\d.]+)' x2='([\d.]+)' [^>]*stroke-width", html)
    dot = re.search(r"cx='([\d.]+)'", html)
    assert dot is not None
    return ([float(ends[1]), float(ends[2])] if ends else []), float(dot[1])


def test_bars_have_one_scale_that_holds_zero():
    frame = pd.DataFrame({"value": [5.0, -5.0, 0.0], "low": [0.0, -10.0, 0.0], "high": [10.0, 0.0, 0.0]})
    html = _html.interval_table(frame)
    bars = [bar(part) for part in html.split("<svg")[1:]]
    assert bars == [([60.0, 116.0], 88.0), ([4.0, 60.0], 32.0), ([], 60.0)]
    assert html.count("x1='60.0' x2='60.0'") == 3  # zero
    assert "5 [0, 10]" in read(html).text
    assert "aria-label='5, from 0 to 10'" in html
    positive = _html.interval_table(pd.DataFrame({"value": [5.0], "low": [4.0], "high": [10.0]}))
    assert bar(positive) == ([48.8, 116.0], 60.0)


def test_what_is_not_known_or_endless_has_no_bar_there():
    inf, nan = float("inf"), float("nan")
    frame = pd.DataFrame({"value": [1.0, nan, 2.0], "low": [0.5, nan, nan], "high": [inf, nan, nan]})
    html = _html.interval_table(frame)
    assert html.count("<svg") == 2
    reader = read(html)
    assert "not known" in reader.text
    assert "1 [0.5, inf]" in reader.text
    first, second = (bar(part) for part in html.split("<svg")[1:])
    assert first == ([32.0, 116.0], 60.0)
    assert second == ([], 116.0)
    zero = _html.interval_table(pd.DataFrame({"value": [0.0], "low": [0.0], "high": [0.0]}))
    assert bar(zero) == ([], 4.0)


def test_long_tables_are_cut_and_say_so():
    frame = pd.DataFrame({"a": range(30), "b": 1234567.0})
    html = _html.table(frame, "<i>")
    text = read(html)
    assert "and 18 more" in text.text
    assert "<i>" in text.text
    assert re.findall(r"<td style='text-align:left'>(\d+)</td>", html) == [str(i) for i in range(12)]
    assert html.count("1,234,567") == 12
    assert "more" not in read(_html.table(frame.head(12))).text


def test_a_data_set_says_what_it_is():
    card = datasets.cards()["wiki-vote"]
    assert repr(card).startswith("Card 'wiki-vote': ")
    assert "7,115 nodes" in repr(card)
    reader = read(card)
    assert card.licence in reader.text
    assert "edges_mean='follows'" in reader.text
    assert read(datasets.cards()["platform-20k"]).text.count("read with") == 0


def test_results_without_certainty_have_cards():
    assert (
        "deterministic"
        in read(dif.spread(GRAPH.with_probabilities("constant", p=1.0), LABELS[:1], model=dif.Threshold(count=1))).text
    )
    single = SpreadEstimate.from_sizes(np.array([3]), confidence=0.95, stopped_by="runs", key=1, provenance={})
    assert "nan" not in read(single).text.replace(repr(single), "")
    assert "no arcs" in repr(
        dif.graph.Partition.from_labels(
            dif.FollowerGraph.from_arrays([], [], nodes=[1], edges_mean="follows", directed=True), [0]
        )
    )
