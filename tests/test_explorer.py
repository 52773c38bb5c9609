"""The explorer of a study: what the page embeds against the table, the best strategies, and the page in the distribution's Chromium."""

from __future__ import annotations

import json
import math
import re
import tomllib
from dataclasses import replace
from types import SimpleNamespace

import made_studies as made
import numpy as np
import pandas as pd
import pytest
from conftest import watched
from matplotlib import image
from scipy import stats

import diffusion as dif
from diffusion import _upward
from diffusion.report import page as page_module
from diffusion.report import write_report
from diffusion.report.explorer import explorer, ranking
from diffusion.report.format import interval, label, tie
from diffusion.report.read import read
from diffusion.study.design import parse_study

HOSTILE = "complex </script><img src=x onerror=boom()>"
STUDY = f"""
title = "A small study"
seed = 5
replicates = 3
[graph]
platform = {{ users = 400, communities = 4, mixing = 0.2 }}
[[model]]
name = "stated"
kind = "sips"
sips = {{ attention = 0.5, eta = 1.0 }}
[[model]]
name = "{HOSTILE}"
kind = "sips"
sips = {{ attention = 1.0, eta = 1.0, identify = {{ complex = 2 }} }}
[seeding]
strategy = ["random", "tail", "degree"]
budget = [{{ k = 8 }}]
place = ["anywhere"]
[base]
strategy = "degree"
budget = {{ k = 8 }}
[[sweep]]
factor = "feed"
levels = [0, 2, 6]
strategy = ["random", "tail", "degree"]
[[sweep]]
factor = "budget"
levels = [{{ k = 2 }}, {{ k = 8 }}, {{ k = 40 }}, {{ money = 20_000 }}]
model = "stated"
strategy = ["random", "degree"]
[[map]]
x = {{ factor = "attention", levels = [0.1, 0.2, 0.5, 1.0] }}
y = {{ factor = "mixing", levels = [0.05, 0.2, 0.6] }}
strategy = ["random", "degree"]
model = "stated"
[precision]
rel_error = 0.2
max_runs = 32
"""


def small_report(folder, path):
    return folder / "report.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A real study of 400 users, with its report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_upward, "REPORT", ("test_explorer", "small_report"))
        study = dif.Study.from_design(parse_study(tomllib.loads(STUDY)))
        found = study.run(tmp_path_factory.mktemp("explorer") / "study", threads=1).folder
    with pytest.MonkeyPatch.context() as patch:
        without_figures(patch, "growth", "seeding", "community", "channel")
        write_report(found)
    return found


def without_figures(patch, *names):
    """Leave out what takes long to draw."""
    for name in names:
        patch.setattr(page_module, f"{name}_figures", lambda tables: [])


@pytest.fixture(scope="module")
def tables(folder):
    return read(folder)


@pytest.fixture(scope="module")
def made_up():
    return made.make(details=False, sensitivity=False)


def names_of(spec):
    return [factor["name"] for factor in spec.factors]


# -- what is embedded --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["tables", "made_up"])
def test_every_condition_is_there_once_with_its_numbers(request, which):
    """By an own key: levels as the table has them, never as the page writes them."""
    tables = request.getfixturevalue(which)
    spec = explorer(tables)
    columns = {"mixing": "mixing_set", "model": "model_name"}
    columns["place of seeds"] = "place"
    columns = [columns.get(name, name) for name in names_of(spec)]
    own = {}
    for row in spec.rows:
        key = []
        for column, factor, level in zip(columns, spec.factors, row, strict=False):
            number = factor["numbers"][level] if column != "budget" else None
            key.append(factor["levels"][level] if number is None else number)
        own[(*key, spec.strategies[row[len(columns)]]["name"])] = row[len(columns) + 1 :]
    assert len(own) == len(spec.rows) == len(tables.designed)
    for row in tables.designed.to_dict("records"):
        key = ["none" if v == "" or v != v else v for v in (row[c] for c in columns)]
        values = own[(*key, label(row["strategy"]))]
        for measure, seen in zip(spec.measures, values, strict=True):
            scale = 100 if measure["key"] == "global_probability" else 1
            truth = [scale * row[measure["key"] + end] for end in ("", "_low", "_high")]
            if math.isnan(truth[0]):
                assert seen is None
            else:
                assert [np.nan if v is None else v for v in seen[:3]] == pytest.approx(truth, rel=1e-5, nan_ok=True)
                assert seen[3] == tie(interval(truth, " %" if measure["key"] == "global_probability" else ""))


def test_axes_are_what_the_study_varies_together(tables, made_up):
    spec = explorer(tables)
    name = names_of(spec)
    assert set(name) == {"model", "identify", "feed", "attention", "mixing", "budget"}
    assert [{name[i], name[j]} for i, j in spec.maps] == [{"attention", "mixing"}]
    assert [name[i] for i in spec.curves] == ["feed", "budget", "attention", "mixing"]  # those swept come first
    budget = spec.factors[name.index("budget")]
    assert budget["levels"] == ["k=2", "k=8", "k=40", "20,000 RMB"]
    assert budget["groups"] == ["k", "k", "k", "money"]  # never on one axis
    spec = explorer(made_up)
    name = names_of(spec)
    assert {"eta", "mixing"} in [{name[i], name[j]} for i, j in spec.maps]
    assert "place of seeds" in {name[i] for i in spec.curves}


def test_a_model_brings_its_own_parameters(made_up):
    spec = explorer(made_up)
    name = names_of(spec)
    models = spec.factors[name.index("model")]["levels"]
    for model, brought in zip(models, spec.models, strict=True):
        own = {name[f]: spec.factors[f]["levels"][level] for f, level in brought}
        truth = made.MODELS[model]
        assert own["feed"] == f"{truth['feed']:g}"
        assert own["identify"] == truth["identify"]
        assert own["eta"] == f"{truth['eta']:g}"
        assert own["attention"] == "0.25"


def test_a_model_brings_its_rule():
    spec = explorer(made.make(models=("IC", "stated"), details=False, sensitivity=False))
    rule = names_of(spec).index("propagation probabilities")
    assert [dict(brought)[rule] for brought in spec.models] == [
        spec.factors[rule]["levels"].index(name) for name in ("weighted cascade", "none", "none")
    ]


def test_graphs_without_parameters_are_named_by_what_differs():
    tables = made.make(models=("stated",), budgets=(10_000,), places=("anywhere",), details=False, sensitivity=False)
    blank = tables.conditions.assign(mixing_set=math.nan, communities=math.nan, users=math.nan)
    spec = explorer(replace(tables, conditions=blank))
    graph = spec.factors[names_of(spec).index("graph")]
    assert graph["list"]
    assert graph["levels"] == [label.partition(", ")[2] for label in dict.fromkeys(tables.designed["graph"])]


def test_nothing_in_the_data_can_end_the_script(tables):
    text = explorer(tables).json()
    assert not re.search("[<>&]", text)
    assert HOSTILE in json.loads(text)["factors"][0]["levels"]


def test_a_study_of_strategies_alone_has_nothing_to_explore():
    few = {"models": ("stated",), "budgets": (10_000,), "places": ("anywhere",), "details": False}
    assert explorer(made.make(sweeps=False, maps=False, sensitivity=False, **few)) is None


# -- the best strategy -------------------------------------------------------------------------------------------------


def test_the_best_is_decided_by_pairs_on_graphs(tables, made_up):
    """Against scipy's paired t test of the best with every other strategy."""
    decided = []
    for own in (tables, made_up):
        keys = ["graph", "model", "model_name", "rule", "place", "budget"]
        for _, rows in own.designed.groupby(keys):
            found = ranking(own, rows)
            if len(rows) == 1:
                assert found is None
                continue
            cells = own.results[own.results["condition"].isin(rows["condition"])]
            table = cells.pivot(index="replicate", columns="strategy", values="reach").dropna()
            order = table.mean().sort_values(ascending=False).index
            tests = [stats.ttest_rel(table[order[0]], table[other]) for other in order[1:]]
            assert (found.best, found.next) == tuple(order[:2])
            assert found.decided == all(test.pvalue < 0.05 for test in tests)
            ends = tests[0].confidence_interval(0.95)
            gap = (table[order[0]] - table[order[1]]).mean()
            assert found.difference == pytest.approx((gap, ends.low, ends.high))
            assert (found.against == "") == found.decided
            decided.append(found.decided)
    assert 3 < sum(decided) < len(decided) - 3


@pytest.mark.parametrize("strategies", [2, 5])
def test_equal_strategies_are_seldom_told_apart(strategies):
    rng, n, told = np.random.default_rng(3), 800, 0
    names = [f"s{i}" for i in range(strategies)]
    rows = pd.DataFrame({"condition": names, "strategy": names})
    for _ in range(n):
        reach = rng.normal(100, 20, 6) + rng.normal(0, 5, (strategies, 6))
        fake = SimpleNamespace(by_replicate=lambda _, r=reach: dict(zip(names, r, strict=True)), confidence=0.95)
        told += ranking(fake, rows).decided
    assert told / n <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / n)
    if strategies == 2:  # and no less: the interval is not too wide
        assert told / n >= 0.05 - 4 * math.sqrt(0.05 * 0.95 / n)


def test_with_one_graph_shared_worlds_decide():
    one = made.make(replicates=1, sweeps=False, maps=False, sensitivity=False, details=False)
    keys = ["graph", "model", "budget", "place"]
    rows = next(own for _, own in one.crossed.groupby(keys) if len(own) > 2)
    found = ranking(one, rows)
    order = rows.sort_values("reach", ascending=False)
    assert (found.best, found.next) == tuple(order["strategy"].iloc[:2])
    gap = order["reach"].iloc[0] - order["reach"].iloc[1]
    half = 0.01 * order["reach"].iloc[0]
    assert found.difference == pytest.approx((gap, gap - half, gap + half))
    assert found.decided == (gap > half)
    without = ranking(replace(one, paired=one.paired.iloc[:0]), rows)
    assert not without.decided
    assert without.difference[0] == pytest.approx(gap)
    assert math.isnan(without.difference[1])


# -- in the browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def show(chromium, folder):
    """Open the report; at the end there was no error in its console, and no request to a network."""
    wrong = []

    def open_page(file=None, **settings):
        context = chromium.shared.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", **settings}
        )
        page = watched(context, wrong)
        page.goto((file or folder / "report.html").as_uri())
        return page

    yield open_page
    for context in chromium.shared.contexts:
        context.close()
    assert wrong == []


def put(page, factor, level):
    """Move one control to a level, as a reader would."""
    control = page.locator(f"[data-factor='{factor}']")
    if control.evaluate("(c) => c.tagName") == "SELECT":
        texts = control.locator("option").all_text_contents()
        control.select_option(index=next(i for i, text in enumerate(texts) if text.startswith(level)))
    elif output_of(page, factor) != level:
        control.focus()
        page.keyboard.press("Home")
        for _ in range(int(control.get_attribute("max"))):
            if output_of(page, factor) == level:
                break
            page.keyboard.press("ArrowRight")
        assert output_of(page, factor) == level


def output_of(page, factor):
    return page.locator(f"label:has([data-factor='{factor}']) output").text_content()


def listed(page):
    """Reach by strategy as the table under the pictures says."""
    rows = page.eval_on_selector_all(
        ".list tbody tr", "(rows) => rows.map((r) => [r.dataset.strategy, r.children[1].textContent])"
    )
    return dict(rows)


def reach_of(rows):
    ends = rows[["reach", "reach_low", "reach_high"]].itertuples(index=False)
    return {label(s): tie(interval(tuple(e))) for s, e in zip(rows["strategy"], ends, strict=True)}


def of(tables, model, feed=0.0, attention=None, mixing=0.2, budget="k=8"):
    attention = attention or (0.5 if model == "stated" else 1.0)
    c = tables.designed
    return c[
        (c["model_name"] == model)
        & (c["feed"] == feed)
        & (c["attention"] == attention)
        & (c["mixing_set"] == mixing)
        & (c["budget"] == budget)
    ]


def titles(page, selector):
    """Text of every title, by the two levels or the level and strategy that it belongs to."""
    found = page.eval_on_selector_all(
        selector,
        "(all) => all.map((g) => [g.dataset.x ?? g.dataset.level, g.dataset.y ?? g.dataset.strategy, g.querySelector('title').textContent])",
    )
    return {(a, b): text.rsplit(": ", 1)[1] for a, b, text in found}


def test_sliders_show_the_rows_of_the_table(tables, show):
    page = show()
    for model, at in (
        ("stated", {}),
        ("stated", {"feed": 6.0}),
        ("stated", {"budget": "k=40"}),
        ("stated", {"budget": "20,000 RMB"}),
        ("stated", {"attention": 0.2, "mixing": 0.6}),
        (HOSTILE, {}),
        (HOSTILE, {"feed": 6.0}),
    ):
        put(page, "mixing", "0.2")
        put(page, "budget", "k=8")
        put(page, "model", model)  # brings feed 0 and its own attention
        for factor, level in at.items():
            put(page, factor, level if isinstance(level, str) else f"{level:g}")
        rows = of(tables, model, **at)
        assert len(rows) >= 2
        assert listed(page) == reach_of(rows), at
        best = ranking(tables, rows)
        said = page.text_content(".said")
        assert said.startswith(
            f"Best strategy here: {label(best.best)}, by {tie(interval(best.difference, ' users'))} over {label(best.next)}."
            if best.decided
            else f"The best strategy is not decided here: {label(best.best)} reaches most"
        )


def test_map_and_curve_show_the_rows_of_the_table(tables, show):
    page = show()
    put(page, "model", "stated")
    page.select_option("[data-pick='Map over']", label="attention × mixing")
    for strategy in ("random", "degree"):
        page.select_option("[data-pick='with']", label=strategy)
        cells = {}
        for attention in (0.1, 0.2, 0.5, 1.0):
            for mixing in (0.05, 0.2, 0.6):
                rows = of(tables, "stated", attention=attention, mixing=mixing)
                cells[f"{attention:g}", f"{mixing:g}"] = reach_of(rows[rows["strategy"] == strategy])[strategy]
        assert titles(page, ".map .cell") == cells
    page.select_option("[data-pick='Curve over']", label="feed")
    for model in ("stated", HOSTILE):
        put(page, "model", model)
        expected = {
            (f"{feed:g}", s): text
            for feed in (0.0, 2.0, 6.0)
            for s, text in reach_of(of(tables, model, feed=feed)).items()
        }
        assert titles(page, ".curve .point") == expected
        assert len(expected) == 9
    # The heights are those of the values, on a logarithmic or a straight axis, and the bars are the intervals.
    seen = page.eval_on_selector_all(
        ".curve .point",
        """(all) => all.map((g) => [g.dataset.level, g.dataset.strategy, Number(g.querySelector('circle').getAttribute('cy')),
          ...g.querySelector('path').getAttribute('d').match(/V?[\\d.]+(?=V|$)/g).map((t) => Number(t.replace('V', '')))])""",
    )
    values, heights = [], []
    for level, strategy, *ys in seen:
        row = of(tables, HOSTILE, feed=float(level))
        row = row[row["strategy"] == strategy].iloc[0]
        values += [row["reach"], row["reach_low"], row["reach_high"]]
        heights += ys
    values = np.array(values)
    fits = [abs(np.corrcoef(f, heights)[0, 1]) for f in (values, np.log(np.clip(values, 1e-9, None)))]
    assert max(fits) > 1 - 1e-6
    assert np.corrcoef(values, heights)[0, 1] < 0


def test_what_the_study_does_not_hold_is_said(tables, show):
    page = show()
    put(page, "model", "stated")
    put(page, "mixing", "0.05")
    put(page, "budget", "k=40")
    assert of(tables, "stated", mixing=0.05, budget="k=40").empty
    assert page.text_content(".said").startswith("This combination is not in this study.")
    assert listed(page) == {}
    assert page.get_attribute("[data-factor='budget']", "aria-valuetext") == "k=40, not in this study"
    held = page.locator("label:has([data-factor='budget']) .dots i").evaluate_all("(d) => d.map((i) => i.className)")
    assert held == ["", "held", "", ""]  # at mixing 0.05 the map was run with k=8 alone
    assert page.locator(".map .cell").count() == 0
    page.click(".said button")
    assert listed(page) in (reach_of(of(tables, "stated", mixing=0.05)), reach_of(of(tables, "stated", budget="k=40")))
    # Amounts of money are no levels of numbers of seeds.
    put(page, "mixing", "0.2")
    put(page, "budget", "k=8")
    page.select_option("[data-pick='Curve over']", label="budget")
    assert {level for level, _ in titles(page, ".curve .point")} == {"k=2", "k=8", "k=40"}
    page.click(".map .cell[data-x='0.1'][data-y='0.6']")
    assert listed(page) == reach_of(of(tables, "stated", attention=0.1, mixing=0.6))
    assert page.locator(".map rect.here").count() == 1
    assert page.locator(".curve .point").count() == 0
    page.click(".curve button")
    assert page.locator(".curve .point").count() == 7  # three strategies with k=8, which was crossed


def test_markup_in_names_is_text(show):
    page = show()
    put(page, "model", "complex")
    assert page.locator("[data-factor='model'] option").nth(1).text_content().startswith(HOSTILE)
    assert page.locator(".explorer img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_has_the_shades_of_its_values(tables, show, tmp_path, scheme):
    """Deeper where more is reached: the picture against the table, by pixels."""
    page = show(color_scheme=scheme, reduced_motion="reduce")
    put(page, "model", "stated")
    page.select_option("[data-pick='with']", label="degree")
    reach, shade = [], []
    page.locator(".map svg").screenshot(path=tmp_path / "map.png")
    picture = image.imread(tmp_path / "map.png")[..., :3] * 255
    frame = page.locator(".map svg").bounding_box()
    rgb = {"light": (0, 114, 179), "dark": (0, 114, 179)}[scheme]
    paper = {"light": (255, 255, 255), "dark": (22, 24, 27)}[scheme]
    for cell in page.locator(".map .cell").all():
        box = cell.locator("rect").bounding_box()
        x, y = round(box["x"] - frame["x"] + 5), round(box["y"] - frame["y"] + 5)
        opacity = float(cell.locator("rect").get_attribute("fill-opacity"))
        expected = [opacity * a + (1 - opacity) * b for a, b in zip(rgb, paper, strict=True)]
        assert np.abs(picture[y, x] - expected).max() < 4
        at = {"attention": float(cell.get_attribute("data-x")), "mixing": float(cell.get_attribute("data-y"))}
        rows = of(tables, "stated", **at)
        reach.append(float(rows.loc[rows["strategy"] == "degree", "reach"].iloc[0]))
        shade.append(opacity)
    assert np.corrcoef(np.log(reach), shade)[0, 1] > 1 - 1e-4
    assert (min(shade), max(shade)) == pytest.approx((0.05, 0.67), abs=1e-3)


def test_nothing_is_wider_than_a_narrow_page(show):
    page = show(viewport={"width": 420, "height": 900}, reduced_motion="reduce")
    for model in ("stated", "complex"):
        put(page, "model", model)
        assert page.evaluate("() => document.documentElement.scrollWidth") == 420
    for name in ("map", "curve"):
        box = page.locator(f".{name} svg").bounding_box() if page.locator(f".{name} svg").count() else None
        assert box is None or box["width"] <= 388


def test_without_scripts_the_page_is_complete(show):
    page = show(java_script_enabled=False)
    assert not page.locator(".explorer").is_visible()
    assert not page.locator("nav a[href='#explore']").is_visible()
    assert page.locator("#figure-phase-map svg").first.is_visible()


def test_print_keeps_the_pictures_and_drops_the_controls(show):
    page = show()
    page.emulate_media(media="print")
    assert page.locator(".map svg").is_visible()
    assert not page.locator(".slide").first.is_visible()
    assert page.locator(".control output").first.is_visible()


def test_a_made_up_study_of_many_factors_begins_on_a_full_map(show, made_up, tmp_path, monkeypatch):
    without_figures(monkeypatch, "answer", "growth", "seeding", "community", "channel")
    page = show(write_report(made.write(made_up, tmp_path / "made")))
    assert (
        page.locator(".map .cell:not(.none)").count() == 7 * 7 + 1
    )  # and the level of the sweep of eta that the map lacks
    assert len(listed(page)) == 8
    assert page.locator(".map .one").count() >= 3  # where R by theory passes 1
    put(page, "model", "complex")
    assert page.locator(".map .cell").count() == 0  # two sweeps that cross are no map
    page.select_option("[data-pick='Map over']", label="attention × mixing")
    assert page.locator(".map .cell:not(.none)").count() == 35
    assert page.input_value("[data-factor='model']") == str(list(made.DEFAULT).index("complex"))
