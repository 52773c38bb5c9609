"""The player of a cascade: what is in the page against the cascade, and the page itself in the distribution's Chromium."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import watched

import diffusion as dif
from diffusion.errors import DiffusionError, InputError, NotFoundError, OutputError
from diffusion.plotting import node_places as places_module
from diffusion.plotting import player as player_module
from diffusion.plotting.node_places import node_places
from diffusion.results import Cascade

RUN = 42
TYPES = {"u1": "<u1", "u2": "<u2", "u4": "<u4", "f4": "<f4"}


@pytest.fixture(scope="module")
def platform():
    return dif.generate_platform(600, communities=5, rng=7).with_probabilities("weighted_cascade")


@pytest.fixture(scope="module")
def runs(platform):
    return dif.simulate(platform, most_followed(platform, 4), runs=64, rng=7)


def most_followed(graph, k):
    return graph.out_degree.sort_values(kind="stable").index[-k:].tolist()


def sips(graph):
    model = dif.SIPS(
        0.4,
        dif.models.Funnel(sympathize=0.7, identify=0.6, participate=0.6, share=0.4),
        dif.models.Feed(impressions=2),
        delay=dif.models.Delay("gamma", mean=6.0, shape=2.0),
    )
    return dif.simulate(graph, most_followed(graph, 4), model=model, runs=64, rng=7)


def rivals(graph):
    a, b, c, d = most_followed(graph, 4)
    return dif.simulate(
        graph, {"A": [a, c], "B <b>": [b, d]}, model=dif.models.CompetitiveIC(brands=("A", "B <b>")), runs=64, rng=7
    )


def page_of(cascade, folder, **options):
    return cascade.to_html(folder / "replay.html", **options).read_text(encoding="utf-8")


def spec_of(page):
    return json.loads(re.search(r'<script type="application/json" id="cascade">(.*?)</script>', page, re.S)[1])


def decode(spec):
    """Naive twin of `unpack` and `prepare` in player.js, value by value."""
    data, at, arrays = gzip.decompress(base64.b64decode(spec["data"])), 0, {}
    for name, kind, size in spec["parts"]:
        width = int(kind[1])
        values = [bytes(data[at + plane * size + i] for plane in range(width)) for i in range(size)]
        arrays[name] = np.frombuffer(b"".join(values), TYPES[kind])
        at += size * width
    assert at == len(data)
    place, disc = [], []
    for d, size in enumerate(arrays["discs"].tolist()):
        x = 0
        for _ in range(size):
            x = (x + int(arrays["x"][len(place)])) % 65536
            place.append((x, int(arrays["y"][len(place)])))
            disc.append(d)
    arrays["place"], arrays["disc"] = np.array(place), np.array(disc)
    arrays["labels"] = json.loads(arrays["labels"].tobytes().decode())
    return arrays


def table_of(spec):
    """Who was reached, at which step and by whom, from the page alone."""
    arrays = decode(spec)
    rows = np.flatnonzero(arrays["reached_at"])
    label = arrays["labels"]
    return {
        label[row]: (int(arrays["reached_at"][row]) - 1, None if up == 0 else label[int(up) - 1])
        for row, up in zip(rows.tolist(), arrays["parent"].tolist(), strict=True)
    }


def expected_table(cascade):
    table = cascade.to_pandas()
    up = [None if pd.isna(parent) else str(parent) for parent in table["parent"]]
    return {str(node): (int(step), parent) for node, step, parent in zip(table["node"], table["step"], up, strict=True)}


# -- what is in the page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [lambda g, e: e, lambda g, e: sips(g), lambda g, e: rivals(g)], ids=["ic", "sips", "rivals"]
)
def test_the_page_holds_the_cascade(platform, runs, make, tmp_path):
    ensemble = make(platform, runs)
    cascade = ensemble.replay(RUN)
    assert cascade.graph is platform
    spec = spec_of(page_of(cascade, tmp_path))
    assert table_of(spec) == expected_table(cascade)
    assert (spec["users"], spec["reached"], spec["steps"]) == (600, cascade.size, cascade.depth + 1)
    arrays = decode(spec)
    by_step = np.bincount(arrays["reached_at"], minlength=spec["steps"] + 1)[1:]
    new = ensemble.new_by_step[RUN]
    assert by_step.tolist() == new[: spec["steps"]].tolist()
    assert new[spec["steps"] :].sum() == 0


def test_the_page_holds_all_arcs(platform, runs, tmp_path):
    spec = spec_of(page_of(runs.replay(RUN), tmp_path))
    arrays = decode(spec)
    label = np.array(arrays["labels"])
    ends = label[np.cumsum(arrays["source"])], label[arrays["target"]]
    table = platform.to_pandas()
    assert sorted(zip(*ends, strict=True)) == sorted(
        zip(table["source"].astype(str), table["target"].astype(str), strict=True)
    )
    assert f"All {platform.n_edges:,} arcs are drawn" in " ".join(spec["notes"])


def test_stages_channels_and_brands_are_in_the_page(platform, tmp_path):
    cascade = sips(platform).replay(RUN)
    spec = spec_of(page_of(cascade, tmp_path))
    arrays = decode(spec)
    labels = [arrays["labels"][row] for row in np.flatnonzero(arrays["reached_at"])]
    table = cascade.to_pandas().set_index("node")
    assert list(spec["kinds"]) == ["stage", "channel"]
    for k, stage in enumerate(spec["kinds"]["stage"][1:], start=1):
        taken = arrays[f"stage {k}"].astype(int) - 1
        expected = table[f"step_{stage}"].fillna(-1).astype(int)
        assert dict(zip(labels, taken.tolist(), strict=True)) == {str(n): s for n, s in expected.items()}
        assert (taken >= 0).any()
    for c, channel in enumerate(spec["kinds"]["channel"]):
        mine = {label for label, at in zip(labels, arrays[f"channel {c}"], strict=True) if at}
        assert mine == set(table.index[table["channel"] == channel].astype(str))
    hours = dict(zip(labels, arrays["time"].tolist(), strict=True))
    assert hours == pytest.approx({str(n): h for n, h in table["hours"].items()}, rel=1e-6, abs=1e-6)
    assert spec["clock"] == "hours"
    rival = rivals(platform).replay(RUN)
    found = decode(spec_of(page_of(rival, tmp_path)))
    counts = [int((found[f"brand {b}"] > 0).sum()) for b in range(2)]
    assert counts == list(rival.sizes_by_brand.values())


def test_places_in_the_page_are_those_given(platform, runs, tmp_path):
    given = np.random.default_rng(3).normal(size=(600, 2)) * (3.0, 1.0)
    spec = spec_of(page_of(runs.replay(RUN), tmp_path, layout=given))
    arrays = decode(spec)
    where = dict(zip(arrays["labels"], arrays["place"].tolist(), strict=True))
    scale = np.ptp(given[:, 0]) / 65535
    for at, label in enumerate(platform.nodes):
        assert np.allclose(np.array(where[str(label)]) * scale + given.min(axis=0), given[at], atol=scale)
    assert spec["aspect"] == pytest.approx(np.ptp(given[:, 1]) / np.ptp(given[:, 0]))
    discs = dict(zip(arrays["labels"], arrays["disc"].tolist(), strict=True))
    community = platform.node_data["community"]
    for label, d in discs.items():
        assert spec["discs"][d] == str(community[int(label)])


def test_the_page_asks_nothing_of_a_network_and_is_the_same_each_time(runs, tmp_path):
    cascade = runs.replay(RUN)
    page = page_of(cascade, tmp_path)
    assert page == page_of(cascade, tmp_path)
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?!data:)[^\"'>\s]", page.split("<script")[0])
    assert "//" not in re.sub(
        r"http://www\.w3\.org/2000/svg|^\s*//.*$|; //.*$|\{ //.*$|, //.*$", "", page, flags=re.M
    ).replace(spec_of(page)["data"], "")
    assert "default-src 'none'" in page


def test_markup_in_labels_and_titles_is_text(tmp_path):
    evil = "</script><script>document.title='x'</script>"
    graph = dif.FollowerGraph.from_arrays([evil, "b"], ["b", "<i>c"], edges_mean="influences", directed=True)
    graph = graph.with_probabilities("constant", p=1.0).with_node_data(community=[evil, evil, "<u>"])
    page = page_of(dif.simulate_one(graph, [evil], rng=1), tmp_path, title=f"& {evil}")
    assert evil not in page
    assert not set("<>&") & set(re.search(r'id="cascade">(.*)</script>\n<script type="module">', page)[1])
    spec = spec_of(page)
    assert spec["title"] == f"& {evil}"
    assert spec["discs"] == [evil, "<u>"]
    assert sorted(decode(spec)["labels"]) == sorted([evil, "<i>c", "b"])


def test_titles_say_what_was_reached(platform, runs, tmp_path):
    one = runs.replay(RUN)
    title = spec_of(page_of(one, tmp_path))["title"]
    assert title == f"4 seeds reached {one.size:,} users in {one.depth} steps"
    campaign = sips(platform).replay(RUN)
    title = spec_of(page_of(campaign, tmp_path))["title"]
    assert (
        title
        == f"4 seeds reached {campaign.size:,} users in {np.ceil(campaign.hours.max()):.0f} hours; {campaign.n_sharers:,} shared"
    )
    rival = rivals(platform).replay(RUN)
    a, b = rival.sizes_by_brand.values()
    spec = spec_of(page_of(rival, tmp_path))
    assert spec["title"] == f"A reached {a:,} users and B <b> {b:,} in {rival.depth} steps"
    assert spec["summary"].startswith(f"Run {RUN} of {rival.provenance['model']}: {rival.size:,} of 600 users (")
    assert spec_of(page_of(one, tmp_path, title="Mine"))["title"] == "Mine"


def test_a_cascade_without_a_graph_is_a_tree(tmp_path):
    cascade = Cascade.from_parents("abcd", [None, "a", "a", "b"])
    spec = spec_of(page_of(cascade, tmp_path))
    assert table_of(spec) == {"a": (0, None), "b": (1, "a"), "c": (1, "a"), "d": (2, "b")}
    assert "rings" not in spec["notes"][0]
    assert spec["notes"] == ["Each ring is one share further from the seeds."]
    assert spec["discs"] == []
    with pytest.raises(InputError, match="no graph to lay out"):
        cascade.to_html(tmp_path / "x.html", layout="packed")


def test_what_is_left_out_is_said(runs, tmp_path, monkeypatch):
    cascade = runs.replay(RUN)
    monkeypatch.setattr(player_module, "MOST_ARCS", 100)
    monkeypatch.setattr(player_module, "MOST_LABELS", 599)
    monkeypatch.setattr(player_module, "FIRST_LABELS", 20)
    monkeypatch.setattr(player_module, "MOST_STILL", 50)
    page = page_of(cascade, tmp_path)
    spec = spec_of(page)
    arrays = decode(spec)
    assert "source" not in arrays
    notes = " ".join(spec["notes"])
    assert (
        f"Of {cascade.graph.n_edges:,} arcs only those are drawn along which a user was reached: {cascade.size - 4:,}."
        in notes
    )
    assert "the first 20 users reached, not for the other 580" in notes
    rows = np.cumsum(arrays["named"])
    assert sorted(arrays["labels"]) == sorted(map(str, cascade.nodes[:20]))
    assert (arrays["reached_at"][rows] > 0).all()
    assert "50 of 600 users are drawn" in page
    still = page[page.index("<svg") : page.index("</svg>")]
    drawn = re.findall(r'<path d="([^"]*)" style="stroke:var', still)
    assert sum(path.count("M") for path in drawn) == 50


# -- layouts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["force", "packed"])
def test_communities_are_discs_that_do_not_overlap(platform, layout):
    found = node_places(platform, layout=layout)
    assert np.bincount(found.disc).tolist() == sorted(
        platform.node_data["community"].value_counts().tolist(), reverse=True
    )
    centres = np.array([found.place[found.disc == d].mean(axis=0) for d in range(5)])
    reach = [np.hypot(*(found.place[found.disc == d] - centres[d]).T).max() for d in range(5)]
    for i in range(5):
        assert reach[i] == pytest.approx(np.sqrt((found.disc == i).mean()), rel=0.12)
        for j in range(i):
            assert np.hypot(*(centres[i] - centres[j])) > reach[i] + reach[j]


def test_packed_places_have_the_largest_degree_at_the_centre(platform):
    found = node_places(platform, layout="packed")
    degree = (platform.out_degree + platform.in_degree).to_numpy()
    for d in range(5):
        mine = np.flatnonzero(found.disc == d)
        centre = found.place[mine[np.argmax(degree[mine])]]
        order = np.argsort(np.hypot(*(found.place[mine] - centre).T), kind="stable")
        head, tail = degree[mine][order[: mine.size // 4]], degree[mine][order[-mine.size // 4 :]]
        assert head.min() >= tail.max()


def test_force_places_fill_the_disc_and_keep_friends_near():
    rng = np.random.default_rng(5)
    ring = np.arange(200)
    found = places_module._force(rng.normal(size=(200, 2)), np.column_stack([ring, (ring + 1) % 200]))
    assert np.hypot(*found.T).max() < 1
    gaps = np.hypot(*(found[:, None] - found[None]).transpose(2, 0, 1))
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min() > 0.6 / np.sqrt(200 / np.pi) / np.sqrt(np.pi)
    friends = gaps[ring, (ring + 1) % 200].mean()
    assert friends < 0.5 * gaps[np.isfinite(gaps)].mean()


def test_rings_hold_every_node_once_at_every_size():
    for n in range(1, 70):
        at = np.random.default_rng(n).normal(size=(n, 2))
        found = places_module._evened(at)
        radius = np.hypot(*found.T)
        order = np.argsort(np.hypot(*at.T), kind="stable")
        assert (np.diff(radius[order]) > -1e-9).all()
        assert radius.max(initial=0) < 1
        counts = np.unique(radius.round(9), return_counts=True)[1].tolist()
        full = [1] + [6 * k for k in range(1, 9)]
        assert counts[:-1] == full[: len(counts) - 1]
        assert counts[-1] <= full[len(counts) - 1]


def test_equal_graphs_are_laid_out_once(monkeypatch):
    made = []
    real = places_module._discs
    monkeypatch.setattr(places_module, "_kept", {})
    monkeypatch.setattr(places_module, "_discs", lambda *args: made.append(1) or real(*args))
    first, second = (dif.generate_platform(60, communities=2, rng=3) for _ in range(2))
    a, b = node_places(first), node_places(second)
    assert a.place is b.place
    node_places(first, layout="packed")
    node_places(first, communities=[0] * 60)
    node_places(dif.generate_platform(60, communities=2, rng=4))
    assert len(made) == 4
    for rng in range(5, 5 + places_module.KEPT):
        node_places(dif.generate_platform(60, communities=2, rng=rng))
    assert len(places_module._kept) == places_module.KEPT


def test_large_graphs_get_the_packed_layout_and_small_communities_share_a_disc(monkeypatch, tmp_path):
    monkeypatch.setattr(places_module, "_kept", {})
    pairs = 2 * np.arange(100)
    graph = dif.FollowerGraph.from_arrays(pairs, pairs + 1, edges_mean="influences", directed=True)
    found = node_places(graph)
    assert (found.kind, found.pooled, len(found.names), found.disc.max()) == ("force", 40, 61, 60)
    assert np.bincount(found.disc).tolist() == [2] * 60 + [80]
    one = dif.simulate_one(graph.with_probabilities("constant", p=1.0), [0], rng=1)
    assert spec_of(page_of(one, tmp_path))["discs"][-1] == "40 smaller communities"
    monkeypatch.setattr(places_module, "MOST_FORCE", (199, 10**6))
    large = node_places(graph)
    assert (large.kind, large.names, large.disc.max()) == ("packed", [], 0)
    monkeypatch.setattr(places_module, "MOST_FORCE", (10**6, 99))
    assert node_places(graph).kind == "packed"


def test_wrong_calls(platform, runs, tmp_path, monkeypatch):
    cascade = runs.replay(RUN)
    for layout, words in (
        ("round", "'force', 'packed'"),
        (np.zeros((5, 2)), "600 nodes"),
        (np.full((600, 2), np.nan), "finite"),
    ):
        with pytest.raises(InputError, match=words):
            cascade.to_html(tmp_path / "x.html", layout=layout)
    with pytest.raises(InputError, match="values for 600 nodes"):
        cascade.to_html(tmp_path / "x.html", communities=[1, 2])
    with pytest.raises(NotFoundError):
        cascade.to_html(tmp_path / "x.html", communities={-5: 1})
    with pytest.raises(InputError, match="empty"):
        Cascade.from_parents([], []).to_html(tmp_path / "x.html")
    with pytest.raises(InputError, match="not a cascade"):
        dif.plotting.player_page(runs, tmp_path / "x.html")
    with pytest.raises(OutputError):
        cascade.to_html(tmp_path / "no folder" / "x.html")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(DiffusionError, match=r"diffusion-graphs\[view\]"):
        cascade.view()


def test_the_widget_has_what_the_page_has(runs, tmp_path):
    pytest.importorskip("anywidget", reason="the extra view is not installed")
    cascade = runs.replay(RUN)
    widget = cascade.view(title="Mine")
    assert json.loads(widget.spec) == spec_of(page_of(cascade, tmp_path, title="Mine"))
    assert "<h1>Mine</h1>" in widget.still


# -- in the browser --------------------------------------------------------------------------------------------------------


@pytest.fixture
def show(chromium, tmp_path):
    """Open a page; at the end there was no error in its console, and no request to a network."""
    wrong = []

    def open_page(cascade, *, fragment="", browser=None, ready="canvas[role]", options=None, **settings):
        file = cascade.to_html(tmp_path / "replay.html", **(options or {}))
        context = (browser or chromium.shared).new_context(
            **{"viewport": {"width": 900, "height": 700}, "color_scheme": "light", "accept_downloads": True, **settings}
        )
        page = watched(context, wrong)
        page.goto(file.as_uri() + fragment)
        page.wait_for_selector(ready)
        settle(page)
        return page

    yield open_page
    for context in chromium.shared.contexts:
        context.close()
    assert wrong == []


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def go(page, at):
    page.evaluate("(at) => document.querySelector('.cascade-player').player.go(at)", at)
    settle(page)


def state_of(page):
    return {
        key: int(value)
        for key, value in page.evaluate("() => ({...document.querySelector('.cascade-player').dataset})").items()
    }


def legend_of(page):
    rows = page.evaluate(
        "() => [...document.querySelectorAll('.cp-legend button:not(.cp-all)')].map((b) => [b.children[1].textContent, b.children[2].textContent])"
    )
    return {name: int(count.replace(",", "")) for name, count in rows}


def test_counts_in_the_browser_are_those_of_the_run(runs, show):
    page = show(runs.replay(RUN))
    by_step = dif.results.Ensemble.by_step(runs)  # means of all runs: only its length is used
    new = runs.new_by_step[RUN]
    steps = runs.replay(RUN).depth + 1
    assert steps <= len(by_step)
    for step in range(steps):
        go(page, step)
        assert state_of(page) == {"at": step, "new": int(new[step]), "reached": int(new[: step + 1].sum())}
    rows = page.evaluate(
        "() => [...document.querySelectorAll('table tbody tr')].map((r) => [...r.children].map((c) => Number(c.textContent.replaceAll(',', ''))))"
    )
    assert rows == [[s, int(new[s]), int(new[: s + 1].sum())] for s in range(steps)]


def test_one_run_equals_by_step(platform, show):
    one = dif.simulate(platform, most_followed(platform, 4), runs=1, rng=3)
    table = one.by_step()
    page = show(one.replay(0))
    for step, mean, total in zip(table["step"], table["mean"], table["cumulative"], strict=True):
        if step < one.depths[0] + 1:
            go(page, int(step))
            assert state_of(page) == {"at": step, "new": mean, "reached": total}


def test_stages_change_with_the_step(platform, show):
    cascade = sips(platform).replay(RUN)
    page = show(cascade)
    for step in range(cascade.depth + 1):
        go(page, step)
        stage = ((cascade.stage_step >= 0) & (cascade.stage_step <= step)).sum(axis=0)[cascade.step <= step]
        expected = dict(
            zip(
                ("exposed", "sympathized", "identified", "participated", "shared"),
                np.bincount(stage, minlength=6)[1:].tolist(),
                strict=True,
            )
        )
        assert legend_of(page) == {**expected, "not reached": 600 - int((cascade.step <= step).sum())}
    page.select_option("text=Clock", "hours")
    for hour in (0.0, 3.3, 11.0, float(cascade.hours.max())):
        go(page, hour)
        assert state_of(page)["reached"] == int((cascade.hours.astype(np.float32) <= np.float32(hour)).sum())
    page.select_option("text=Colour by", "channel")
    settle(page)
    assert list(legend_of(page).values())[:3] == np.bincount(cascade.channel, minlength=3).tolist()


def test_keys_move_and_play(runs, show):
    page = show(runs.replay(RUN))
    end = runs.replay(RUN).depth
    for key, at in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", end),
        ("ArrowRight", end),
        ("Home", 0),
        ("ArrowLeft", 0),
    ):
        page.keyboard.press(key)
        settle(page)
        assert state_of(page)["at"] == at
    page.keyboard.press(" ")
    page.wait_for_function("() => Number(document.querySelector('.cascade-player').dataset.at) >= 1")
    page.keyboard.press(" ")
    assert page.text_content(".cp-play") == "Play"
    page.focus(".cp-play")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.cp-play').textContent === 'Pause'")


def test_reduced_motion_goes_by_whole_steps(runs, show):
    page = show(runs.replay(RUN), reduced_motion="reduce")
    page.select_option("text=Speed", "8×")
    page.evaluate(
        "() => { window.seen = []; const p = document.querySelector('.cascade-player').player; p.play(true); const look = () => { seen.push(p.at); if (p.at < 3) requestAnimationFrame(look); }; look(); }"
    )
    page.wait_for_function("() => window.seen[window.seen.length - 1] >= 3")
    assert all(at == int(at) for at in page.evaluate("() => window.seen"))


def test_the_legend_filters_and_colours_by_community(platform, runs, show):
    cascade = runs.replay(RUN)
    page = show(cascade, fragment=f"#step={cascade.depth}")
    page.select_option("text=Colour by", "community")
    settle(page)
    community = platform.node_data["community"].loc[cascade.nodes].value_counts()
    found = legend_of(page)
    assert found.pop("not reached") == 600 - cascade.size
    assert found == {f"community {c}": int(community.get(c, 0)) for c in range(5)}
    page.click("text=community 2")
    settle(page)
    assert f"{community[2]:,} of them hidden" in page.text_content(".cp-status")
    assert page.get_attribute(".cp-legend button:nth-of-type(3)", "aria-pressed") == "false"
    page.click("text=Show all")
    settle(page)
    assert "hidden" not in page.text_content(".cp-status")


def test_a_user_is_found_with_the_path_to_the_seed(show):
    parents = [None, "<b>root</b>", "two", "<i>3</i>"]
    cascade = Cascade.from_parents(["<b>root</b>", "two", "<i>3</i>", "four & co"], parents)
    page = show(cascade, fragment="#step=3")
    page.fill("input[type=search]", "four & co")
    page.keyboard.press("Enter")
    settle(page)
    text = page.text_content(".cp-tip")
    assert "path from the seed: <b>root</b> → two → <i>3</i> → four & co" in text
    assert "reached at step 3 through <i>3</i>" in text
    assert page.evaluate("() => document.querySelectorAll('main b, main i').length") == 0
    assert len(page.get_attribute(".cp-path", "points").split()) == 4
    page.fill("input[type=search]", "<i>3</i>")
    page.keyboard.press("Enter")
    settle(page)
    assert page.text_content(".cp-tip").startswith("<i>3</i>")
    assert page.evaluate("() => document.querySelectorAll('main b, main i').length") == 0
    page.fill("input[type=search]", "nobody")
    page.keyboard.press("Enter")
    assert "“nobody”" in page.text_content(".cp-status")


def grid_case():
    """A path of 40 users on a grid, reached one by one, and 24 others who are not."""
    at = np.arange(40)
    graph = dif.FollowerGraph.from_arrays(at[:-1], at[1:], edges_mean="influences", directed=True, nodes=range(64))
    place = np.array([(i % 8, -(i // 8)) for i in range(64)], float)
    return dif.simulate_one(graph.with_probabilities("constant", p=1.0), [0], rng=1), place


def pixels(page, selector=".cp-stage"):
    from matplotlib import image

    return image.imread(io.BytesIO(page.locator(selector).screenshot()), format="png")[..., :3] * 255


def colour_of(page, name):
    text = page.evaluate(
        "(name) => getComputedStyle(document.querySelector('.cascade-player')).getPropertyValue(name)", name
    )
    return np.array([int(text.strip()[k : k + 2], 16) for k in (1, 3, 5)])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_has_every_user_in_place_and_colour(show, scheme):
    cascade, place = grid_case()
    page = show(
        cascade, options={"layout": place, "communities": [0] * 64}, color_scheme=scheme, reduced_motion="reduce"
    )
    for step in (0, 17, 39):
        go(page, step)
        seen = pixels(page)
        height, width = seen.shape[:2]
        fit = min(width - 2 - 32, height - 2 - 32)  # the border, and 16 pixels on each side
        x, y = width / 2 + (place[:, 0] / 7 - 0.5) * fit, height / 2 - (place[:, 1] / 7 + 0.5) * fit
        bins = np.concatenate([[0], 1 + np.floor(9 * (np.arange(39) + 0.5) / 39)]).astype(int)
        for user in range(64):
            reached = user <= step and user < 40
            name = f"--s{bins[user]}" if reached else "--cp-unreached"
            down, across = round(y[user]), round(x[user])
            patch = seen[down - 1 : down + 2, across - 1 : across + 2]
            assert np.abs(patch - colour_of(page, name)).mean() < 12, (step, user)
        page.fill("input[type=search]", "39")
        page.keyboard.press("Enter")
        settle(page)
        ring = [float(page.get_attribute(".cp-here", name)) for name in ("cx", "cy")]
        assert ring == pytest.approx([x[39] - 1, y[39] - 1], abs=1.5)
        page.keyboard.press("Escape")
        blank = seen[5:15, 5:15].reshape(-1, 3)
        assert np.abs(blank - colour_of(page, "--cp-paper")).max() < 3


def test_the_saved_picture(show, tmp_path):
    from matplotlib import image

    cascade, place = grid_case()
    page = show(cascade, options={"layout": place, "communities": [0] * 64}, fragment="#step=17")
    with page.expect_download() as download:
        page.click("text=Save picture")
    assert download.value.suggested_filename == "cascade-step-17.png"
    download.value.save_as(tmp_path / "saved.png")
    saved = image.imread(tmp_path / "saved.png")[..., :3] * 255
    box = page.locator(".cp-stage").bounding_box()
    assert saved.shape[1] == pytest.approx(2 * (box["width"] - 2) + 96, abs=4)
    for name in ("--s0", "--s4", "--cp-unreached", "--cp-paper"):
        close = np.abs(saved - colour_of(page, name)).max(axis=2) < 4
        assert close.sum() > 50, name


def test_without_webgl_the_page_is_a_picture(runs, chromium, show):
    cascade = runs.replay(RUN)
    page = show(cascade, browser=chromium.launch("--disable-3d-apis"), ready=".cp-still svg")
    assert page.query_selector("canvas") is None
    assert "This is a picture of the end" in page.text_content("main")
    rows = page.evaluate(
        "() => [...document.querySelectorAll('tbody tr')].map((r) => Number(r.children[1].textContent))"
    )
    assert rows == runs.new_by_step[RUN][: cascade.depth + 1].tolist()
    assert page.locator(".cp-still svg").bounding_box()["height"] > 100


def test_arcs_do_not_outshine_who_is_reached(runs, show):
    """Where hundreds of pale arcs cross, they cover at most 35 % of what is behind them."""
    page = show(runs.replay(RUN), viewport={"width": 420, "height": 800}, color_scheme="dark")
    cover = page.evaluate(
        """() => {
          const pale = document.querySelector(".cp-stage canvas:not([role])");
          const seen = pale.getContext("2d").getImageData(0, 0, pale.width, pale.height).data.filter((_, i) => i % 4 === 3);
          return [Math.max(...seen), seen.filter((a) => a > 0).length / seen.length];
        }"""
    )
    assert 0.25 * 255 < cover[0] <= 0.35 * 255 + 1
    assert cover[1] > 0.2


def test_nothing_is_wider_than_a_narrow_page(platform, runs, show):
    for cascade in (runs.replay(RUN), sips(platform).replay(RUN)):
        page = show(cascade, viewport={"width": 420, "height": 800})
        assert page.evaluate("() => document.documentElement.scrollWidth") == 420


def test_the_widget_plays_in_a_page(runs, show):
    pytest.importorskip("anywidget", reason="the extra view is not installed")
    cascade = runs.replay(RUN)
    widget = cascade.view()
    page = show(cascade)
    page.goto("about:blank")
    page.evaluate(
        """async ([module, traits]) => {
          const { default: widget } = await import(URL.createObjectURL(new Blob([module], { type: "text/javascript" })));
          const el = document.createElement("div");
          document.body.append(el);
          window.stop = await widget.render({ model: { get: (name) => traits[name] }, el });
        }""",
        [player_module._static("player.js"), {"spec": widget.spec, "still": widget.still}],
    )
    go(page, 2)
    assert state_of(page)["reached"] == int(runs.new_by_step[RUN][:3].sum())
    page.evaluate("() => window.stop()")
