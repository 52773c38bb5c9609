"""The report of a study, from folders of made-up tables (no simulation runs here)."""

from __future__ import annotations

import base64
import csv
import functools
import io
import itertools
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_studies import RULES, SEPARATORS, STRATEGIES, write_sips_study, write_study

from diffusion import plotting
from diffusion.errors import InputError, MissingDataError, OutputError, ReadError
from diffusion.plotting.style import luminance, spread_apart
from diffusion.report import analysis, blocks, hypotheses, write_report
from diffusion.report import format as form
from diffusion.report import page as page_module
from diffusion.report.figures.base import telling
from diffusion.report.figures.communities import community_figures
from diffusion.report.read import StudyTables, read

HOSTILE = "<script>alert(1)</script> & co"


class _Page(HTMLParser):
    """Enough of a reader to see whether the page is well formed and what it asks the network for."""

    VOID = frozenset(("meta", "br", "hr", "img", "input", "link"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.csv: dict[str, str] = {}
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        self.addresses += [given[k] for k in ("href", "src", "xlink:href", "srcset") if k in given]
        if "download" in given:
            self.csv[given["download"]] = base64.b64decode(given["href"].split(",", 1)[1]).decode()

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two settings and four strategies: fewer figures to draw, all kinds of them."""
    chosen = ("random", "head", "degree", "degree_discount")
    return write_study(tmp_path_factory.mktemp("small") / "s", strategies=chosen, models=("IC",), title=HOSTILE)


@pytest.fixture(scope="module")
def html(small):
    return write_report(small).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return _Page(html)


@pytest.fixture(scope="module")
def sips(tmp_path_factory):
    return write_sips_study(tmp_path_factory.mktemp("sips") / "study")


@pytest.fixture(scope="module")
def sips_page(sips):
    return _Page(write_report(sips).read_text(encoding="utf-8"))


@functools.cache
def tables_of(folder: Path) -> StudyTables:
    return read(folder)


# --- the page --------------------------------------------------------------------------------------------------------


def test_page_is_well_formed_and_needs_nothing_else(html, page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    inside = {"#" + i for i in page.ids}
    for address in page.addresses:
        assert address.startswith("data:text/csv") or address in inside, address
    assert "url(http" not in html
    assert "@import" not in html
    assert set(re.findall(r'https?://[^"\s<)]+', html)) <= {"http://www.w3.org/2000/svg"}
    assert "script" not in page.tags
    assert len(html) < 3_000_000


def test_sections_of_the_report_are_there_in_order(page):
    heads = ["Answer first", "Is it exponential?", "Whom to seed", "How it was done"]
    places = [page.text.rindex(head) for head in heads]
    assert places == sorted(places)


def test_same_folder_gives_the_same_file(tmp_path, small, html):
    again = write_report(small, tmp_path / "again.html")
    assert again == tmp_path / "again.html"
    assert again.read_text(encoding="utf-8") == html


def test_csv_of_every_figure_and_table_holds_the_numbers(small, page, html):
    assert len(page.csv) == html.count('class="csv"')
    shown = set(re.findall(r'id="(?:figure|table)-([\w-]+)"', html))
    assert shown <= {name.removesuffix(".csv") for name in page.csv}
    results = pd.read_parquet(small / "results.parquet")
    cells = pd.read_csv(io.StringIO(page.csv["cells.csv"]))
    assert len(cells) == len(results) == 24
    np.testing.assert_allclose(cells["reach"], results["reach"], rtol=1e-6)
    for text in page.csv.values():
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) > 1
        assert {len(row) for row in rows} == {len(rows[0])}


def test_no_missing_number_shows_through(page):
    for word in ("nan", "None", "inf", "NaT"):
        assert not re.search(rf"\b{word}\b", page.text), word


def test_text_from_outside_is_escaped(html):
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in html


# --- effects ---------------------------------------------------------------------------------------------------------


def by_factor(tables: StudyTables) -> dict[tuple[str, str], analysis.FactorEffect]:
    return {(e.factor, e.contagion): e for e in analysis.factor_effects(tables)}


def test_average_effects_are_those_the_study_was_made_with(sips):
    effects = by_factor(tables_of(sips))
    for key, ratio in {
        ("mixing", "simple"): 1.21, ("mixing", "complex"): 0.9, ("place", "simple"): 0.8, ("place", "complex"): 1.2,
        ("eta", ""): 2.0,
    }.items():  # fmt: skip
        assert effects[key].change.ratio.value == pytest.approx(ratio), key
        assert effects[key].change.low == pytest.approx(effects[key].change.high)
    assert (effects["mixing", "simple"].start, effects["mixing", "simple"].to) == (0.05, 0.5)
    assert effects["mixing", "simple"].conditions == 4 * 6 * 3
    feed = effects["feed", ""]
    assert (feed.start, feed.to, feed.conditions) == (0.0, 3.0, 198)
    assert 2.0 < feed.change.ratio.low < feed.change.ratio.value < feed.change.ratio.high < 3.0
    strategies = {e.to: e.change.ratio.value for e in analysis.strategy_effects(tables_of(sips))}
    assert strategies["amateur"] == max(strategies.values()) == pytest.approx(math.sqrt(2.0 * 2.0 / 1.5))


def test_interval_of_an_average_takes_conditions_as_the_unit():
    one = form.Interval(1.0, 0.5, 1.5)
    assert analysis.average([one], 0.95) == one
    assert analysis.average([], 0.95) is None
    two = analysis.average([form.Interval(v, v - 9, v + 9) for v in (1.0, 2.0, 3.0)], 0.95)
    assert two.value == 2.0
    assert two.high - two.value == pytest.approx(4.302652729911275 / math.sqrt(3))  # t with 2 degrees of freedom
    assert analysis.average([form.Interval(math.nan, 0, 1), one], 0.95) == one


def test_what_matters_most_is_what_varies_reach_most(sips):
    shares = analysis.variance_shares(tables_of(sips))
    assert list(shares.index[:2]) == ["feed", "eta"]
    assert analysis.dominant_factor(tables_of(sips)) == ("feed", shares["feed"])
    assert shares["mixing"] < 0.1
    assert shares.min() >= 0
    assert shares.sum() < 1


def test_a_factor_of_many_levels_explains_nothing_by_chance(sips):
    tables = read(sips)
    names = np.random.default_rng(1).integers(0, 60, len(tables.results)).astype(str)
    shares = analysis.variance_shares(replace(tables, results=tables.results.assign(budget=names)))
    assert shares["budget"] < 0.06  # eta squared would be about 59 / 395


def test_difference_between_independent_cells_adds_in_quadrature():
    a = {"reach": 10.0, "reach_low": 7.0, "reach_high": 13.0}
    b = {"reach": 20.0, "reach_low": 16.0, "reach_high": 24.0}
    assert analysis.between(a, b, ratio=False).change == (10.0, 5.0, 15.0)
    assert analysis.between(a, b).change.ratio == pytest.approx((2.0, 1.5, 2.5))
    assert analysis.between(a, {**b, "reach_low": math.nan}) is None


def test_strategies_are_compared_on_the_same_worlds(sips):
    tables = tables_of(sips)
    pairs = analysis.strategy_contrasts(tables, "waist", "amateur")
    turned = analysis.strategy_contrasts(tables, "amateur", "waist")
    assert len(pairs) == len(turned) == 72
    for pair, back in zip(pairs, turned, strict=True):
        a, b = pair.start["reach"], pair.to["reach"]
        assert pair.change.ratio == pytest.approx((b / a, (b - 3) / a, (b + 3) / a))  # the paired interval is +- 3
        assert back.change.ratio == pytest.approx((a / b, (a - 3) / b, (a + 3) / b))


def test_groups_differ_in_one_factor_alone(sips):
    tables = tables_of(sips)
    r = tables.results
    for factor, levels in (("mixing", 3), ("feed", 2), ("eta", 2), ("identify", 2)):
        groups = analysis.groups_over(tables, factor)
        cells = r if factor != "identify" else r[r["strategy"] != "opim"]
        assert len(groups) == len(cells) / levels
        assert all(len({row[factor] for row in g}) == levels == len(g) for g in groups)
        assert all(len({(row["strategy"], row["place"]) for row in g}) == 1 for g in groups)
    of_model = analysis.groups_over(tables, "feed", of_model=True)
    assert len(of_model) == 3 * 2 * 2  # R of graph and model counts once, whatever the seeds


def test_mixing_is_compared_among_rewired_copies_alone(sips):
    tables = read(sips)
    cards = [g | {"rewired_from": "platform" if g["mixing"] > 0.1 else None} for g in tables.graphs]
    pairs = analysis.contrasts(replace(tables, graphs=cards), "mixing")
    assert {(c.start["mixing"], c.to["mixing"]) for c in pairs} == {(0.2, 0.5)}
    assert {(c.start["mixing"], c.to["mixing"]) for c in analysis.contrasts(tables, "mixing")} == {(0.05, 0.5)}


def test_lines_whose_numbers_of_seeds_differ_are_not_drawn_as_structure(sips):
    """Ten, two and ten creators for the same money: not mixing but the seeds would be compared."""
    tables = read(sips)
    results = tables.results.copy()
    own = (results["strategy"] == "random") & (results["place"] == "anywhere")
    results.loc[own, "n_seeds"] = np.where(results["mixing"] == 0.2, 2, 10)[own]
    results.loc[results["strategy"] == "amateur", "n_seeds"] = 100
    results.loc[(results["strategy"] == "amateur") & (results["mixing"] == 0.2), "n_seeds"] = 104
    changed = replace(tables, results=results)
    before, after = (
        {(c.start["strategy"], c.start["place"]) for c in analysis.contrasts(t, "mixing")} for t in (tables, changed)
    )
    assert before - after == {("random", "anywhere")}
    with plotting.style():
        (drawn,) = [figure for figure in community_figures(changed) if figure.key == "mixing"]
    assert ["random" in panel.svg for panel in drawn.panels] == [False, False, True, True]  # anywhere, in one community
    assert drawn.facts["uneven"] == [("random", 2, 10)]


def test_telling_settings_are_the_ones_that_differ(sips):
    tables = tables_of(sips)
    taken = telling(tables, tables.seeded)
    assert len(taken) == 4
    # Random seeds gain most from the feed, so with and without it are told apart.
    assert {setting["feed"] > 0 for setting, _ in taken} == {True, False}
    assert all(len(own["model"].unique()) == 1 for _, own in taken)


# --- hypotheses ------------------------------------------------------------------------------------------------------


def verdicts(tables: StudyTables) -> dict[str, str]:
    return {found.hypothesis.key: found.verdict for found in hypotheses.findings(tables)}


def test_verdicts_follow_from_the_cases(sips):
    assert verdicts(tables_of(sips)) == {
        "1": "the other way", "2": "as expected", "3": "as expected", "4a": "as expected", "4b": "as expected",
        "5a": "as expected", "5b": "as expected", "5c": "as expected", "6a": "not asked", "6b": "not asked",
        "7a": "as expected", "7b": "as expected", "8": "as expected", "9": "as expected",
    }  # fmt: skip


def test_conjecture_that_comes_out_the_other_way_is_reported_so(sips):
    tables = read(sips)
    places = tables.paired_place.copy()
    places[["difference", "low", "high"]] = -places[["difference", "high", "low"]].to_numpy()
    results = tables.results.copy()
    results.loc[results["feed"] > 0, ["R", "R_low", "R_high"]] *= 0.25
    results.loc[results["eta"] == 1.0, ["R", "R_low", "R_high"]] *= 1.05
    found = verdicts(replace(tables, paired_place=places, results=results))
    assert found["4a"] == found["4b"] == found["7a"] == "the other way"
    assert found["9"] == "not as expected"


def test_effects_that_go_both_ways_are_undecided(sips):
    tables = read(sips)
    places = tables.paired_place.copy()
    turned = places["strategy"].isin(["amateur", "degree"])
    places.loc[turned, ["difference", "low", "high"]] = -places.loc[turned, ["difference", "high", "low"]].to_numpy()
    assert verdicts(replace(tables, paired_place=places))["4a"] == "undecided"


def test_returns_are_those_of_reach_against_seeds(tmp_path):
    study = write_study(tmp_path / "s", models=("IC",), rules=(RULES[0],), prices=False)
    found = {f.hypothesis.key: f for f in hypotheses.findings(tables_of(study))}["6a"]
    assert found.verdict == "as expected"  # reach goes about as seeds to the power of .72
    assert found.effect.value == pytest.approx(math.log(10) * (0.72 - 1), abs=0.1)


def test_expectations_of_a_study_without_sips_say_what_they_need(page):
    assert "needs complex contagion and three mixings" in page.text
    rows = list(csv.DictReader(io.StringIO(page.csv["expectations.csv"])))
    assert {r["verdict"] for r in rows if r["hypothesis"] == "7a"} == {"not asked"}
    for absent in ("figure-mixing", "figure-funnel", "figure-place", "channels", "table-parameters"):
        assert absent not in page.ids


# --- what the page says ----------------------------------------------------------------------------------------------


def test_sections_of_a_sips_study_are_there_in_order(sips_page):
    heads = ["Answer first", "Is it exponential?", "Whom to seed", "How community structure changes it"]
    heads += ["Through which channel, at which stage", "Expectations", "How it was done"]
    places = [sips_page.text.rindex(head) for head in heads]
    assert places == sorted(places)
    assert sips_page.open == []
    assert len(sips_page.ids) == len(set(sips_page.ids))
    figures = ("effects", "r", "new", "reach-money", "cost", "mixing", "community-shares", "entry", "place", "funnel")
    assert {f"figure-{key}" for key in (*figures, "feed-share", "tail")} <= set(sips_page.ids)
    assert {f"table-{key}" for key in ("expectations", "parameters", "growth", "best", "seeds")} <= set(sips_page.ids)
    assert not re.search(r"\b(nan|None|inf)\b", sips_page.text)


def test_answers_carry_their_intervals(sips_page):
    said = sips_page.text.replace("\N{NO-BREAK SPACE}", " ")
    for text in (
        "Growth is exponential, while few users are used up, where R lies clearly above 1",
        "simple · feed 3 · eta 1, where a typical sharer makes 3.800 [3.724, 3.876] new sharers",
        "Amateur creators reach 1.633 times [",
        "What matters most is the feed: alone it explains",
        "When 50 % of follower links lead to another community instead of 5 %, reach changes by +21 % [21, 21]",
        "under simple contagion and by −10 % [−10, −10] under complex contagion",
        "they are proven to reach at least 76 % of the best possible",
        "No published network model of it was found",
    ):
        assert text in said, text


def test_never_exponential_unless_the_phase_says_so(tmp_path):
    study = write_study(tmp_path / "s", growth=False, models=("LT",), strategies=("random", "head", "degree"))
    said = _Page(write_report(study).read_text(encoding="utf-8")).text
    assert "Growth is not shown to be exponential on any graph with any model of this study: R is highest with" in said
    assert "Growth is exponential" not in said


def test_nothing_measured_is_said_as_such(tmp_path):
    study = write_study(tmp_path / "s", strategies=("random", "degree"), models=("IC",))
    results = pd.read_parquet(study / "results.parquet")
    gone = [c for c in results if c.startswith(("R", "rate", "doubling")) and c != "R_runs"]
    results[gone] = math.nan
    results["phase"], results["phase_cause"] = "undecided", "short"
    results["fit_first"] = results["fit_last"] = -1
    results.to_parquet(study / "results.parquet")
    page = _Page(write_report(study).read_text(encoding="utf-8"))
    assert "R could not be measured for any graph and model" in page.text
    assert "figure-r" not in page.ids
    assert "growth lasts too few generations" in page.text


def test_difference_that_spans_zero_is_undecided_and_same_seeds_are_equal(tmp_path):
    study = write_study(tmp_path / "s", strategies=("random", "amateur"), prices=False, budgets=((10, "k=10", "k"),))
    for ends, verdict in (
        ([-1.0, -5.0, 3.0], "undecided"),
        ([0.0, 0.0, 0.0], "equal"),
        ([-4.0, -5.0, -3.0], "decided"),
    ):
        paired = pd.read_parquet(study / "paired.parquet")
        paired[["difference", "low", "high"]] = ends
        paired.to_parquet(study / "paired.parquet")
        assert {row["decided"] for row in blocks.best(read(study)).rows} == {verdict}


def test_growth_is_told_once_for_every_graph_and_model(sips):
    rows = blocks.growth(tables_of(sips)).rows
    assert len(rows) == 24
    assert {row["cause"] for row in rows} == {"short"}
    assert rows[0]["lowest"] <= rows[0]["highest"]


def test_parameters_carry_their_standing(sips_page):
    table = pd.read_csv(io.StringIO(sips_page.csv["parameters.csv"]))
    assert set(zip(table["parameter"], table["standing"], strict=True)) == {
        ("a, attention of a follower", "assumed"),
        ("p_P", "prior"),
    }


def test_short_names_hold_what_varies(sips):
    tables = tables_of(sips)
    row = tables.results[(tables.results["feed"] == 3) & (tables.results["identify"] != "simple")].iloc[0]
    assert tables.name(row) == "mixing 0.05 · complex 2 · feed 3 · eta 0.25 · seeds anywhere"
    assert tables.name(row, without=("graph", "place")) == "complex 2 · feed 3 · eta 0.25"


def test_rewired_copies_are_explained(sips, tmp_path):
    study = write_sips_study(tmp_path / "s", mixings=(0.05, 0.2))
    cards = json.loads((study / "graphs.json").read_text(encoding="utf-8"))
    cards[1] |= {"kind": "edges", "rewired_from": "net.txt"}
    (study / "graphs.json").write_text(json.dumps(cards), encoding="utf-8")
    page = _Page(write_report(study).read_text(encoding="utf-8"))
    assert "The arcs of net.txt were rewired until the share of arcs between communities was the one named" in page.text
    assert verdicts(tables_of(study))["2"] == "not asked"  # with two mixings nothing lies between them


def test_thresholds_skipped_cells_and_gaps(tmp_path):
    study = write_study(
        tmp_path / "s", strategies=("random", "degree"), models=("IC",), rules=("",), budgets=SEPARATORS[:1]
    )
    text = json.loads((study / "study.json").read_text(encoding="utf-8"))
    text["skipped"] = [{"graph": "platform", "strategy": "head", "budget": "k=100", "reason": "the tier head has 40"}]
    (study / "study.json").write_text(json.dumps(text), encoding="utf-8")
    cards = json.loads((study / "graphs.json").read_text(encoding="utf-8"))
    cards[0]["reciprocity"] = None
    (study / "graphs.json").write_text(json.dumps(cards), encoding="utf-8")
    page = _Page(write_report(study).read_text(encoding="utf-8"))
    assert "the tier head has 40" in page.csv["skipped.csv"]
    assert "the tier head has 40" in page.text
    assert not re.search(r"\b(nan|None)\b", page.text)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((1634.2, 1628.4, 1640.9), "1,634 [1,628, 1,641]"),
        ((18.31, 17.92, 18.70), "18.31 [17.92, 18.70]"),
        ((-3.2, -14.9, 8.6), "−3 [−15, 9]"),
        ((123_456.0, 122_900.0, 124_012.0), "123,500 [122,900, 124,000]"),
        ((0.0123, 0.0119, 0.0127), "0.01230 [0.01190, 0.01270]"),
        ((5.0, 0.02, 10.0), "5.00 [0.02, 10.00]"),
        ((0.0, 0.0, 0.0), "0 [0, 0]"),
        ((1.5, math.nan, math.nan), "1.5"),
        ((math.nan, 1.0, 2.0), "–"),
        ((2.0, 1.5, math.inf), "2 [1.5, ∞]"),
    ],
)
def test_interval_keeps_to_four_digits(given, text):
    assert form.interval(given) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345.6, "12,350"),
        (9999.7, "10,000"),
        (0.0512349, "0.05123"),
        (3.0, "3"),
        (-0.5, "−0.5"),
        (0.0, "0"),
        (math.inf, "∞"),
    ],
)
def test_number(value, text):
    assert form.number(value) == text


def test_tiny_intervals_are_not_written_out():
    assert form.interval((6.2e-6, 0.0, 1.9e-5)) == "under 0.0001"


# --- studies of other shapes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        {
            "prices": False,
            "communities": False,
            "models": ("LT",),
            "rules": (RULES[0],),
            "strategies": ("random", "degree", "k_core"),
            "budgets": ((5, "k=5", "k"), (50, "k=50", "k")),
        },
        {
            "models": ("IC",),
            "rules": (RULES[0],),
            "strategies": STRATEGIES[:4],
            "budgets": ((100_000, "100,000 RMB", "money"), (300_000, "300,000 RMB", "money")),
        },
        {
            "budgets": ((1, "k=1", "k"),),
            "strategies": ("degree",),
            "models": ("IC",),
            "rules": (RULES[0],),
            "prices": False,
        },
        {
            "graphs": ("mixing 0.1", "mixing 0.3"),
            "budgets": SEPARATORS[2:],
            "strategies": ("random", "amateur"),
            "models": ("IC",),
            "rules": (RULES[0],),
        },
    ],
    ids=["no prices", "money only", "one cell", "two graphs"],
)
def test_other_shapes_of_study(tmp_path, shape):
    study = write_study(tmp_path / "s", **shape)
    page = _Page(write_report(study).read_text(encoding="utf-8"))
    assert page.open == []
    assert not re.search(r"\b(nan|None)\b", page.text)
    assert ("RMB" in page.text) == (shape.get("prices", True) or "money" in str(shape))


# --- refusals --------------------------------------------------------------------------------------------------------


def test_absent_folder_and_table_are_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"no folder .*nowhere"):
        write_report(tmp_path / "nowhere")
    with pytest.raises(MissingDataError, match=r"results\.parquet"):
        write_report(tmp_path)


def test_missing_column_damaged_file_and_no_cells_are_refused(tmp_path):
    study = write_study(
        tmp_path / "s", strategies=("random",), budgets=SEPARATORS[:1], models=("IC",), rules=(RULES[0],)
    )
    results = pd.read_parquet(study / "results.parquet")
    results.drop(columns="R_low").to_parquet(study / "results.parquet")
    with pytest.raises(ReadError, match="lacks 'R_low'"):
        write_report(study)
    results.iloc[:0].to_parquet(study / "results.parquet")
    with pytest.raises(InputError, match="has no cells"):
        write_report(study)
    results.to_parquet(study / "results.parquet")
    (study / "study.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReadError, match=r"study\.json"):
        write_report(study)
    assert not (study / "report.html").exists()


def test_place_that_cannot_be_written(tmp_path, small, monkeypatch):
    monkeypatch.setattr(page_module, "render", lambda tables: "a page")
    with pytest.raises(OutputError, match="cannot write"):
        write_report(small, tmp_path / "absent" / "report.html")


# --- plotting --------------------------------------------------------------------------------------------------------


def test_every_strategy_keeps_its_own_colour_and_random_is_grey():
    colours = plotting.strategy_colours(["random", *"abcdefghijkl"])
    assert colours["random"] == plotting.GREY
    assert len(set(colours.values())) == 13
    assert plotting.strategy_colours(["a", "random", "b"])["b"] == colours["b"]


def test_text_colour_can_be_read_on_white():
    for colour in plotting.PALETTE:
        dark = plotting.text_colour(colour)
        channels = [int(dark[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        assert 1.05 / (luminance(*channels) + 0.05) >= 4.4
    with pytest.raises(InputError, match="rrggbb"):
        plotting.text_colour("red")


def test_labels_are_moved_apart_and_kept_in_order():
    moved = spread_apart([0.0, 1.0, 2.0, 50.0, 99.0, 100.0], 12.0, 0.0, 100.0)
    assert all(b - a >= 12 - 1e-9 for a, b in itertools.pairwise(moved))
    assert moved[0] >= 0
    assert moved[-1] <= 100
    assert spread_apart([10.0, 60.0], 12.0, 0.0, 100.0) == [10.0, 60.0]


def test_svg_has_its_own_ids_no_font_of_its_own_and_is_the_same_each_time():
    def draw() -> str:
        with plotting.style():
            figure, axes = plotting.panel()
            plotting.band(axes, [1, 2], [1, 1], [2, 3], [3, 4], colour="#0072B2", marker="o")
            axes.set_title("a < b")
            return plotting.figure_to_svg(figure, title='say "a"', name="x")

    svg = draw()
    assert svg == draw()
    assert svg.startswith("<svg")
    assert 'aria-label="say &quot;a&quot;"' in svg
    assert "DejaVu" not in svg
    assert "a &lt; b" in svg
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    assert used <= set(re.findall(r'id="(x-[^"]+)"', svg))
    assert _Page(svg).open == []


def test_band_of_unequal_lengths_is_refused():
    with plotting.style():
        _, axes = plotting.panel()
        with pytest.raises(InputError, match="lengths 2, 1, 2 and 2"):
            plotting.band(axes, [1, 2], [1], [1, 2], [1, 2], colour="#000000")


class _FakeEnsemble:
    """What `plot_growth` asks of an ensemble."""

    def by_step(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "step": [0, 1, 2, 3],
                "mean": [2, 5, 3, 0.2],
                "low": [2, 0, 0, 0],
                "median": [2, 5, 3, 0],
                "high": [2, 9, 8, 1],
            }
        )


def test_plot_growth_draws_the_median_and_ends_where_it_is_zero():
    with plotting.style():
        _, axes = plotting.panel()
    assert plotting.plot_growth(_FakeEnsemble(), ax=axes) is axes
    assert axes.get_yscale() == "log"
    drawn = axes.lines[0].get_ydata()
    assert list(drawn[:3]) == [2, 5, 3]
    assert math.isnan(drawn[3])
    with pytest.raises(InputError, match="int cannot be plotted as growth"):
        plotting.plot_growth(3)
