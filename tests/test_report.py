"""The report of a study, from a folder of made-up tables (no simulation runs here)."""

from __future__ import annotations

import base64
import csv
import functools
import io
import itertools
import json
import math
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffusion import plotting
from diffusion.errors import InputError, MissingDataError, OutputError, ReadError
from diffusion.plotting.style import luminance, spread_apart
from diffusion.study import _compare as compare
from diffusion.study import _depends as depends
from diffusion.study import _expectations as expected
from diffusion.study import _format as form
from diffusion.study import _growth_words as growth_words
from diffusion.study import _method as method
from diffusion.study import _read as reading
from diffusion.study import _sentences as words
from diffusion.study import _tables as listed
from diffusion.study import report
from diffusion.study._figures_communities import community_figures
from diffusion.study._figures_growth import growth_figures

N_NODES = 20_000
HOSTILE = "<script>alert(1)</script> & co"
STRATEGIES = ("random", "amateur", "tail", "waist", "head", "degree", "degree_discount", "pagerank", "k_core")
RULES = ("weighted cascade", "constant p=0.02")
# How far a strategy gets beyond random seeds, and what one of its seeds costs.
PULL = dict(zip(STRATEGIES, (1.0, 1.02, 1.6, 2.6, 3.4, 3.2, 3.9, 3.86, 2.4), strict=True))
PRICE = dict(zip(STRATEGIES, (600, 450, 3_000, 16_000, 120_000, 60_000, 55_000, 52_000, 30_000), strict=True))
SEPARATORS = ((10, "k=10", "k"), (100, "k=100", "k"), (100_000, "100,000 RMB", "money"))


def write_study(
    folder: Path,
    *,
    budgets=SEPARATORS,
    strategies=STRATEGIES,
    models=("IC", "LT"),
    rules=RULES,
    graphs=("platform",),
    prices=True,
    communities=True,
    growth=True,
    title="Who to seed?",
) -> Path:
    """Write the tables of a finished study with the shape of a real one: diminishing returns, noise, gaps."""
    rng = np.random.default_rng(11)
    folder.mkdir(parents=True, exist_ok=True)
    cells, steps, by_community, seeds, paired = [], [], [], [], []
    for number, (graph, model, rule) in enumerate(itertools.product(graphs, models, rules)):
        strong = rule == "weighted cascade"
        R = (1.62 if model == "IC" else 1.31) if strong else (1.04 if model == "IC" else 0.71)
        R = R if growth else min(R, 0.8)
        for value, budget, kind in budgets:
            group = []
            for s in strategies:
                n_seeds = int(value if kind == "k" else value // PRICE[s])
                if kind == "k" and s == "head":
                    n_seeds = min(n_seeds, 40)  # the tier is small
                scale = {"IC": 31, "LT": 44}[model] if strong else {"IC": 3.1, "LT": 1.9}[model]
                reach = float(n_seeds + scale * n_seeds**0.72 * PULL[s] ** (1.0 if strong else 0.6))
                reach = 0.0 if n_seeds == 0 else reach * float(1 + 0.002 * rng.normal())
                runs = 20_000 if not strong and value == 10 else int(rng.integers(3, 9)) * 400
                half = 1.96 * reach * 0.5 / math.sqrt(runs)
                gap = n_seeds == 0 or (model == "LT" and not strong and value == 10)
                measured = R * float(1 + 0.02 * rng.normal())
                r_half = 0.03 if strong else 0.06
                low, high = measured - r_half, measured + r_half
                phase = "undecided" if gap or low <= 1 <= high else "exponential" if low > 1 else "subcritical"
                reason = (
                    "fewer than 3 steps with at least 50 new activations"
                    if gap
                    else f"the interval of R, [{low:.2f}, {high:.2f}], lies {'above' if low > 1 else 'below'} 1"
                    if phase != "undecided"
                    else f"the interval of R, [{low:.2f}, {high:.2f}], spans 1"
                )
                cell = f"{len(cells):016x}"
                rate = math.log(measured)
                grows = measured > 1
                cells.append(
                    {
                        "cell": cell, "graph": graph, "model": model, "rule": rule, "strategy": s, "budget": budget,
                        "budget_kind": kind, "budget_value": float(value), "n_seeds": n_seeds, "n_nodes": N_NODES,
                        "reach": reach, "reach_low": reach - half, "reach_high": reach + half, "confidence": 0.95,
                        "runs": runs, "rel_error": half / reach if reach else math.nan,
                        "stopped_by": "max_runs" if runs == 20_000 else "precision",
                        "R_predicted": R * 1.03 if strong or growth else math.nan, "R_runs": 4096,
                        "R": math.nan if gap else measured, "R_low": math.nan if gap else low,
                        "R_high": math.nan if gap else high, "rate": math.nan if gap else rate,
                        "rate_low": math.nan if gap else math.log(low),
                        "rate_high": math.nan if gap else math.log(high),
                        "doubling": math.log(2) / rate if grows and not gap else math.nan,
                        "doubling_low": math.log(2) / math.log(high) if grows and not gap else math.nan,
                        "doubling_high": math.inf if gap or low <= 1 else math.log(2) / math.log(low),
                        "phase": phase, "phase_reason": reason, "phase_cause": "steady" if phase == "exponential" else "near one",
                        "R_campaign": math.nan if gap else measured, "R_campaign_low": math.nan if gap else low,
                        "R_campaign_high": math.nan if gap else high,
                        "R_campaign_predicted": R * 1.03 if strong or growth else math.nan,
                        "fit_first": -1 if gap else 1, "fit_last": -1 if gap else (5 if strong else 3),
                        "outbreak_probability": 0.31 if strong else 0.002, "outbreak_low": 0.29 if strong else 0.001,
                        "outbreak_high": 0.33 if strong else 0.004, "outbreak_share": 0.1,
                        "depth": 11.3 if n_seeds else math.nan, "breadth": reach / 6 if n_seeds else math.nan,
                        "virality": 6.41 if strong and n_seeds else math.nan, "virality_runs": 200,
                        "cost": float(n_seeds * PRICE[s]) if prices and n_seeds else math.nan,
                        "reach_per_cost": reach / (n_seeds * PRICE[s]) if prices and n_seeds else math.nan,
                        "entropy": 2.9 - 0.2 * PULL[s] if communities else math.nan,
                        "dominance": 0.13 + 0.06 * PULL[s] if communities else math.nan,
                        "seconds_select": 0.2, "seconds_simulate": 1.4,
                    }
                )  # fmt: skip
                group.append(cells[-1])
                curve = _curve(n_seeds, reach, R)
                for step, mean in enumerate(curve):
                    spread = 0.25 * mean + math.sqrt(mean)
                    steps.append(
                        {
                            "cell": cell, "step": step, "mean": mean, "low": max(0.0, math.floor(mean - 1.9 * spread)),
                            "median": float(math.floor(0.96 * mean)), "high": math.ceil(mean + 1.96 * spread),
                            "alive": min(1.0, mean), "fitted": not gap and 1 <= step <= (5 if strong else 3),
                        }
                    )  # fmt: skip
                if communities and n_seeds:
                    part = rng.dirichlet(np.full(8, 40 / PULL[s]))
                    for c in range(8):
                        size = 4_000 - 400 * c
                        by_community.append(
                            {
                                "cell": cell,
                                "community": c,
                                "size": size,
                                "reach": min(reach * part[c], size),
                                "share": part[c],
                            }
                        )
                for rank in range(1, n_seeds + 1 if n_seeds < 120 else 121):
                    tier = s if s in ("amateur", "tail", "waist", "head") else "head" if PULL[s] > 3 else "amateur"
                    seeds.append(
                        {
                            "cell": cell, "rank": rank, "node": f"user{(rank * 37 + len(s)) % N_NODES}", "tier": tier,
                            "community": str(rank % 8) if communities else None,
                            "followers": int(PRICE[s] / 40 * (1 + rng.random())), "price": float(PRICE[s]),
                        }
                    )  # fmt: skip
            best = max(group, key=lambda c: c["reach"])
            for c in group:
                difference = c["reach"] - best["reach"]
                half = 0.0 if c is best else 0.004 * best["reach"] + 0.02 * abs(difference)
                paired.append(
                    {
                        "graph": graph, "model": model, "rule": rule, "budget": budget, "strategy": c["strategy"],
                        "best": best["strategy"], "difference": difference, "low": difference - half,
                        "high": difference + half, "runs": 2_000 + number,
                    }
                )  # fmt: skip
    tables = {
        "results": cells,
        "new_by_step": steps,
        "reach_by_community": by_community,
        "seeds": seeds,
        "paired": paired,
    }
    for name, rows in tables.items():
        pd.DataFrame(rows, columns=list(reading.COLUMNS[name]) if not rows else None).to_parquet(
            folder / f"{name}.parquet"
        )
    ks = np.unique(np.round(np.logspace(0, 3.6, 34)))
    cards = [
        {
            "label": g, "source": "platform with 20,000 users, 8 communities, mixing 0.2", "n_nodes": N_NODES,
            "n_edges": 317_080, "edges_mean": "influences", "directed": True, "rows": 317_412, "dropped_self_loops": 32,
            "dropped_parallel": 300, "mean_followers": 15.854, "max_followers": 4_213, "reciprocity": 0.2043,
            "follower_ccdf": [[0, 1.0]] + [[float(k), float(min(0.96, 1.9 * k**-1.25 + 5e-5))] for k in ks],
            "n_communities": 8 if communities else None, "modularity": 0.6123 if communities else None,
            "mixing": 0.2 if communities else None, "communities_from": "the generator" if communities else None,
            "tiers": [
                {"tier": t, "users": u, "followers_min": a, "followers_max": b, "median_price": p if prices else None}
                for t, u, a, b, p in (
                    ("amateur", 18_600, 0, 60, 450.0), ("tail", 1_100, 61, 300, 3000.0),
                    ("waist", 260, 301, 1500, 16000.0), ("head", 40, 1501, 4213, 120000.0),
                )
            ] if prices else None,
            "tiers_note": "thresholds scaled by size; prices are third-party figures" if prices else None,
        }
        for g in graphs
    ]  # fmt: skip
    study = {
        "title": title, "seed": 7, "command": "diffusion study study.toml --out results/who-to-seed",
        "toml": 'title = "Who to seed?"\nseed = 7\n\n[graph]\nplatform = { users = 20_000 }\n',
        "precision": {"rel_error": 0.02, "confidence": 0.95, "max_runs": 20_000}, "n_cells": len(cells),
        "models": [
            {
                "model": m, "rule": r, "standing": "exact", "parameters": {} if r == RULES[0] else {"p": 0.02},
                "description": {
                    "IC": "independent cascade: each newly active user has one chance to activate each follower.",
                    "LT": "linear threshold: a user becomes active when the weights of followees pass a threshold.",
                }[m],
            }
            for m, r in itertools.product(models, rules)
        ],
        "strategies": [{"strategy": s, "description": f"how {s} picks its seeds"} for s in strategies],
    }  # fmt: skip
    provenance = {
        "call": "Study.run", "diffusion": "0.1.0", "python": "3.11.4", "libraries": {"numpy": "2.1.0", "numba": "0.60"},
        "machine": "Linux x86_64, 2 CPUs", "made": "2026-01-02T03:04:05+00:00", "key": "0x0000000000000007",
        "cells_computed": len(cells), "cells_reused": 0, "seconds": 181.2,
    }  # fmt: skip
    for name, value in (("graphs", cards), ("study", study), ("provenance", provenance)):
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


SIPS_STRATEGIES = ("random", "amateur", "waist", "degree", "degree_discount", "opim")
STAGES = ("exposed", "sympathized", "identified", "participated", "shared")


def write_sips_study(folder: Path, *, mixings=(0.05, 0.2, 0.5)) -> Path:
    """Write a study of SIPS in which every effect has a known sign.

    Amateurs reach most, though waist creators have more followers for their price; mixing helps simple contagion by 10 % each level and is best in the
    middle for complex; seeds in one community lose 20 % under simple contagion and win 20 % under complex; the feed doubles
    reach, R and, for random seeds, adds another half; R goes as rho.
    """
    money = (SEPARATORS[2],)
    write_study(folder, budgets=money, strategies=SIPS_STRATEGIES[:-1], models=("IC",), rules=(RULES[0],))
    read = {
        n: {cell: rows for cell, rows in pd.read_parquet(folder / f"{n}.parquet").groupby("cell")}
        for n in ("new_by_step", "reach_by_community", "seeds")
    }
    template = {row["strategy"]: row for row in pd.read_parquet(folder / "results.parquet").to_dict("records")}
    template["opim"] = {**template["amateur"], "strategy": "opim"}
    empty = pd.DataFrame()
    pull = {"random": 1.0, "amateur": 2.0, "waist": 1.2, "degree": 1.5, "degree_discount": 1.6, "opim": 1.9}
    levels = {m: i for i, m in enumerate(sorted(mixings))}
    cells, steps, communities, seeds, funnel, paired, places, models = [], [], [], [], [], [], [], []
    for eta, feed, way in itertools.product((0.25, 1.0), (0.0, 3.0), ("simple", "complex 2")):
        complex_ = way != "simple"
        label = f"SIPS a=0.2 eta {eta:g}{' theta=2' if complex_ else ''}{f' m0={feed:g}' if feed else ''}"
        rows = [
            ("a, attention of a follower", 0.2, "assumed", ""),
            ("p_P", eta * 0.7887, "prior", f"112 of 142, eta {eta:g}"),
        ]
        parameters = [dict(zip(("name", "value", "standing", "note"), row, strict=True)) for row in rows]
        models.append(
            {"model": label, "rule": "", "standing": "", "parameters": parameters, "description": "a note's way."}
        )
        for mixing in mixings:
            graph = f"platform, mixing {mixing:g}"
            reach = {}
            for place, s in itertools.product(("anywhere", "one community", "spread"), SIPS_STRATEGIES):
                if s == "opim" and complex_:
                    continue
                level = levels[mixing]
                value = 400 * pull[s] * eta**0.5 * (2 if feed else 1) * (1.5 if feed and s == "random" else 1)
                value *= (1, 1.5, 0.9)[level] if complex_ else 1.1**level
                value *= (1.2 if complex_ else 0.8) if place == "one community" else 1.0
                cell, old = f"{len(cells):016x}", template[s]
                R = math.nan if complex_ and eta < 1 else 1.9 * eta**2 * (2 if feed else 1) * (0.05 if complex_ else 1)
                row = {
                    **old, "cell": cell, "graph": graph, "model": label, "rule": "", "model_kind": "SIPS", "place": place,
                    "mixing": mixing, "identify": way, "feed": feed, "eta": eta, "attention": 0.2, "rho": 0.33 * eta**2,
                    "reach": value, "reach_low": 0.995 * value, "reach_high": 1.005 * value, "runs": 512, "rel_error": 0.005,
                    "R": R, "R_low": 0.98 * R, "R_high": 1.02 * R, "R_predicted": math.nan if complex_ else R, "R_runs": 4096,
                    "phase": "exponential" if R > 1 else "undecided" if math.isnan(R) else "subcritical",
                    "phase_cause": "short", "R_campaign": R, "R_campaign_low": 0.98 * R, "R_campaign_high": 1.02 * R,
                    "R_campaign_predicted": math.nan if complex_ else R,
                    "phase_reason": "too few" if math.isnan(R) else f"R = {R:.4g} over steps 1-{5 if eta < 1 else 4}.",
                    "feed_share": 0.4 if feed else 0.0, "feed_share_low": 0.39 if feed else 0.0,
                    "feed_share_high": 0.41 if feed else 0.0, "redundancy": 0.1, "entry_share": 1.0,
                    "lower": 0.8 * value if s == "opim" and not feed else math.nan,
                    "upper": value / 0.95 if s == "opim" and not feed else math.nan,
                    "n_seeds": max(int(old["n_seeds"]), 1),
                }  # fmt: skip
                cells.append(row)
                reach[place, s] = value
                for name, into in (("new_by_step", steps), ("reach_by_community", communities), ("seeds", seeds)):
                    into.append(read[name].get(old["cell"], empty).assign(cell=cell))
                if s == "waist":
                    seeds[-1] = seeds[-1].assign(followers=3 * seeds[-1]["followers"])
                communities[-1] = communities[-1].assign(
                    entry_step=[0.0, 1, 1, 1.5, 2, 2.5, 3, math.nan], entered=[1.0] * 6 + [0.3, 0.0]
                )
                for channel, part in (("all", 1.0), ("follow", 0.6), ("feed", 0.4)):
                    users = value * (part if feed else float(channel != "feed"))
                    for i, stage in enumerate(STAGES):
                        rate = math.nan if i == 0 or not users else 0.5
                        funnel.append(
                            (
                                cell,
                                channel,
                                stage,
                                users / 2**i,
                                0.99 * users / 2**i,
                                1.01 * users / 2**i,
                                rate,
                                rate,
                                rate,
                            )
                        )
            for place in ("anywhere", "one community", "spread"):
                mine = {s: v for (where, s), v in reach.items() if where == place}
                best = max(mine, key=mine.__getitem__)
                paired += [
                    (graph, label, "", "100,000 RMB", place, s, best, v - mine[best], v - mine[best] - 3, v - mine[best] + 3, 512)
                    for s, v in mine.items() if s != best
                ]  # fmt: skip
            for s in SIPS_STRATEGIES:
                if ("spread", s) in reach:
                    gap = reach["one community", s] - reach["spread", s]
                    places.append(
                        (graph, label, "", "100,000 RMB", s, "one community", "spread", gap, gap - 3, gap + 3, 512)
                    )
    frames = {
        "results": pd.DataFrame(cells), "new_by_step": pd.concat(steps), "reach_by_community": pd.concat(communities),
        "seeds": pd.concat(seeds), "funnel": pd.DataFrame(funnel, columns=list(reading.COLUMNS["funnel"])),
        "paired_place": pd.DataFrame(places, columns=list(reading.COLUMNS["paired_place"])),
        "paired": pd.DataFrame(
            paired, columns=[*reading.COLUMNS["paired"][:4], "place", *reading.COLUMNS["paired"][4:]]
        ),
    }  # fmt: skip
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    card = json.loads((folder / "graphs.json").read_text(encoding="utf-8"))[0]
    cards = [
        card
        | {
            "label": f"platform, mixing {m:g}",
            "mixing": m,
            "rewired_from": None,
        }
        for m in mixings
    ]
    study = json.loads((folder / "study.json").read_text(encoding="utf-8")) | {"models": models, "n_cells": len(cells)}
    study["strategies"] = [{"strategy": s, "description": f"how {s} picks its seeds"} for s in SIPS_STRATEGIES]
    for name, value in (("graphs", cards), ("study", study)):
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def _curve(n_seeds: int, reach: float, R: float) -> list[float]:
    """New activations by step that begin with the seeds, grow by R, and add up to the reach."""
    if not n_seeds:
        return [0.0]
    t = np.arange(1, 26)
    shape = R**t / (1 + (R**t / (R**8 if R > 1.1 else 3.0)) ** 2.4)
    return [float(n_seeds), *((reach - n_seeds) * shape / shape.sum()).tolist()]


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
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study") / "who-to-seed")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two settings and four strategies: fewer figures to draw, all kinds of them."""
    chosen = ("random", "head", "degree", "degree_discount")
    return write_study(tmp_path_factory.mktemp("small") / "s", strategies=chosen, models=("IC",), title=HOSTILE)


@pytest.fixture(scope="module")
def html(small):
    return report.write_report(small).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return _Page(html)


@pytest.fixture(scope="module")
def sips(tmp_path_factory):
    return write_sips_study(tmp_path_factory.mktemp("sips") / "study")


@pytest.fixture(scope="module")
def sips_page(sips):
    return _Page(report.write_report(sips).read_text(encoding="utf-8"))


@functools.cache
def tables_of(folder: Path) -> reading.Tables:
    return reading.read(folder)


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
    again = report.write_report(small, tmp_path / "again.html")
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


# --- the sentences ---------------------------------------------------------------------------------------------------


def test_three_to_six_answers_each_with_interval_and_runs(folder):
    said = words.answers(tables_of(folder))
    assert 3 <= len(said) <= 6
    for sentence in said:
        assert re.search(r"\[[−\d.,]+, [−\d.,∞]+\]", sentence), sentence
        assert re.search(r"[\d,]+ runs\)", sentence), sentence
        assert sentence[0].isupper() or sentence[0].isdigit()
        assert sentence.endswith(".")


def test_gain_over_random_is_the_paired_difference(folder):
    tables = tables_of(folder)
    p = tables.paired
    row = p[(p.model == "IC") & (p.rule == RULES[0]) & (p.budget == "k=100") & (p.strategy == "random")].iloc[0]
    found = next(
        c for c in compare.comparisons(tables)
        if c.setting == ("platform", "IC", RULES[0], "anywhere") and c.budget == "k=100" and c.other == "random"
    )  # fmt: skip
    assert (found.difference, found.low, found.high) == (-row["difference"], -row["high"], -row["low"])
    assert found.runs == row["runs"]
    assert found.decided
    assert form.interval(found.difference, found.low, found.high, " more users") in words.answers(tables)[0] or (
        "LT" in words.answers(tables)[0]
    )


def test_difference_that_spans_zero_is_undecided(folder, tmp_path):
    study = write_study(tmp_path / "s", strategies=("random", "amateur"), prices=False, budgets=((10, "k=10", "k"),))
    paired = pd.read_parquet(study / "paired.parquet")
    other = paired["strategy"] != paired["best"]
    paired.loc[other, ["difference", "low", "high"]] = [-1.0, -5.0, 3.0]
    paired.to_parquet(study / "paired.parquet")
    tables = tables_of(study)
    said = words.answers(tables)
    assert "undecided" in said[0]
    assert " more users" not in " ".join(said)
    assert "is decided in 0 of 4 combinations" in listed.best_table(tables).title


def test_same_seeds_are_a_tie(tmp_path):
    study = write_study(
        tmp_path / "s", strategies=("random", "degree"), models=("IC",), rules=(RULES[0],), prices=False
    )
    paired = pd.read_parquet(study / "paired.parquet")
    paired[["difference", "low", "high"]] = 0.0
    paired.to_parquet(study / "paired.parquet")
    said = " ".join(words.answers(tables_of(study)))
    assert "reach equally many users in every run (2,000 runs)" in said
    assert "equal in every run" in str(listed.best_table(tables_of(study)).rows)


def test_money_names_how_many_are_paid_and_what_cannot_be_bought(folder):
    said = " ".join(words.answers(tables_of(folder)))
    assert "For 100,000 RMB" in said
    assert re.search(r"\d+ \w+ creators? reach", said)
    assert "100,000 RMB buys no head creator" in said


def test_never_exponential_unless_the_phase_says_so(tmp_path):
    study = write_study(tmp_path / "s", growth=False, models=("LT",), strategies=("random", "head", "degree"))
    tables = tables_of(study)
    assert growth_words.phase_counts(tables)["exponential"] == 0
    verdict = growth_words.verdict_on_growth(tables)
    assert verdict.startswith("Growth is not shown to be exponential in any of the 2 combinations")
    assert str(growth_words.phase_counts(tables)["subcritical"]) in verdict
    assert "growth is exponential for a while" not in " ".join(words.answers(tables)).lower()


def test_nothing_measured_is_said_as_such(tmp_path):
    study = write_study(tmp_path / "s", strategies=("random", "degree"), models=("IC",))
    results = pd.read_parquet(study / "results.parquet")
    gone = [
        "R_campaign",
        "R_campaign_low",
        "R_campaign_high",
        "R_campaign_predicted",
        "R",
        "R_low",
        "R_high",
        "rate",
        "rate_low",
        "rate_high",
        "doubling",
        "doubling_low",
        "doubling_high",
    ]
    results[[*gone, "R_predicted"]] = math.nan
    results["phase"], results["phase_reason"] = "undecided", "too few activations"
    results["fit_first"] = results["fit_last"] = -1
    results.to_parquet(study / "results.parquet")
    tables = tables_of(study)
    assert "in any of the 2 combinations of graph and model (2 undecided)" in growth_words.verdict_on_growth(tables)
    assert growth_words.phase_reasons(tables) == [("undecided", "too few activations", 2)]
    assert "r" not in [exhibit.key for exhibit in growth_figures(tables)]


def test_reasons_count_every_graph_and_model_once(folder):
    tables = tables_of(folder)
    rows = growth_words.phase_reasons(tables)
    assert sum(n for _, _, n in rows) == 4 == len(growth_words.of_graph_and_model(tables.results))


def test_returns_are_in_proportion_only_if_the_interval_says_so(folder):
    said = next(s for s in words.answers(tables_of(folder)) if s.startswith("Ten times the seeds"))
    assert "less than in proportion" in said


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
    assert form.interval(*given) == text


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
    page = _Page(report.write_report(study).read_text(encoding="utf-8"))
    assert page.open == []
    assert len(words.answers(tables_of(study))) >= 3
    assert not re.search(r"\b(nan|None)\b", page.text)
    assert ("RMB" in page.text) == (shape.get("prices", True) or "money" in str(shape))


def test_optional_tables_may_be_absent(tmp_path):
    study = write_study(
        tmp_path / "s", strategies=("random", "degree"), budgets=SEPARATORS[:1], models=("IC",), rules=(RULES[0],)
    )
    (study / "seeds.parquet").unlink()
    (study / "reach_by_community.parquet").unlink()
    html = report.write_report(study).read_text(encoding="utf-8")
    assert "table-communities" not in html
    assert "table-seeds" not in html


def test_threshold_model_without_probabilities_skipped_cells_and_gaps(tmp_path):
    study = write_study(
        tmp_path / "s",
        strategies=("random", "degree"),
        models=("IC",),
        rules=("no probabilities",),
        budgets=SEPARATORS[:1],
    )
    results = pd.read_parquet(study / "results.parquet")
    results["model"] = "Threshold, half of followees"
    results["phase"], results["R_low"], results["R_high"], results["R"] = "undecided", 1.2, 1.4, 1.3
    results["phase_reason"] = "growth slows down as it does in space."
    results.to_parquet(study / "results.parquet")
    pd.read_parquet(study / "paired.parquet").assign(model="Threshold, half of followees").query(
        "strategy != best"
    ).to_parquet(study / "paired.parquet")
    text = json.loads((study / "study.json").read_text(encoding="utf-8"))
    text["skipped"] = [{"graph": "platform", "strategy": "head", "budget": "k=100", "reason": "the tier head has 40"}]
    (study / "study.json").write_text(json.dumps(text), encoding="utf-8")
    cards = json.loads((study / "graphs.json").read_text(encoding="utf-8"))
    cards[0]["reciprocity"] = None
    (study / "graphs.json").write_text(json.dumps(cards), encoding="utf-8")
    page = _Page(report.write_report(study).read_text(encoding="utf-8"))
    assert "no probabilities ," not in page.text
    assert "under Threshold, half of followees," in page.text
    assert "growth slows down as it does in space" in page.text
    assert "the tier head has 40" in page.csv["skipped.csv"]
    assert "Reciprocity" not in page.text


# --- SIPS, mixing, places --------------------------------------------------------------------------------------------


def test_sections_of_a_sips_study_are_there_in_order(sips_page):
    heads = ["Answer first", "Is it exponential?", "Whom to seed", "How community structure changes it"]
    heads += ["Through which channel, at which stage", "Expectations", "How it was done"]
    places = [sips_page.text.rindex(head) for head in heads]
    assert places == sorted(places)
    assert sips_page.open == []
    assert len(sips_page.ids) == len(set(sips_page.ids))
    assert {
        f"figure-{k}" for k in ("r", "new", "mixing", "community-shares", "entry", "place", "funnel", "feed-share")
    } <= set(sips_page.ids)
    assert {"table-expectations", "table-parameters", "table-growth", "table-relative", "table-funnel"} <= set(
        sips_page.ids
    )
    assert not re.search(r"\b(nan|None|inf)\b", sips_page.text)


def test_answers_of_a_sips_study_say_all_that_varies(sips):
    said = words.answers(tables_of(sips))
    assert len(said) == 6
    for sentence in said:
        assert re.search(r"\[[−\d.,]+, [−\d.,∞]+\]", sentence), sentence
        assert re.search(r"[\d,]+ runs\)", sentence), sentence
    assert "many small creators reach more users than few big ones in 72 of 72 settings" in said[0]
    assert "typically 222 amateur creators reach 66.67 % [66.04, 67.29] more than 6 waist creators" in said[0]
    assert "first most often: amateur creators (in all 72 settings where tried)" in said[0]
    assert said[1].startswith(
        "Growth is exponential, while few users are used up, in 6 of 24 combinations of graph and model"
    )
    assert "most clearly with simple identification, a feed of 3 and eta 1" in said[1]
    assert "in 12 R lies below 1 and the spread dies out and 6 are undecided" in said[1]
    assert said[2].startswith(
        "When communities mix more (50 % instead of 5 % of follower links lead to another community)"
    )
    assert (
        "under simple identification reach rises in 72 of 72 comparisons and falls in none; typically +21.0" in said[2]
    )
    assert (
        "Under complex identification reach falls in 60 of 60 comparisons and rises in none; typically −10.0" in said[2]
    )
    assert "reach rises in 198 of 198 comparisons and falls in none; typically +100" in said[3]
    assert said[4].startswith("When users identify with a note only after notes of 2 different sharers")
    assert "certified to reach at least 76 % of the best possible" in said[5]
    assert "no other choice at the same price can reach more than" in said[5]


def test_what_an_effect_depends_on_is_the_factor_that_tells_its_cases_apart(sips):
    tables = tables_of(sips)
    rows = tables.results.drop_duplicates("model").to_dict("records")
    by_feed = depends.telling_split(tables, [(row, 1 if row["feed"] else -1) for row in rows])
    assert (by_feed.name, by_feed.levels) == ("the feed", [("a feed of 3", [1] * 4), ("no feed", [-1] * 4)])
    assert depends.telling_split(tables, [(row, 1) for row in rows]) is None
    both = [(row, 1 if bool(row["feed"]) == (row["eta"] == 1) else -1) for row in rows]
    assert depends.telling_split(tables, both) is None
    cases = [expected.Case("", 0.0, 0.0, 0.0, 1 if row["feed"] else -1, 0.0, row) for row in rows]
    found = expected.depends_on(tables, expected.Expectation("1", "", "", "", "", cases, ""), 0.95)
    assert found == "on the feed: as expected with a feed of 3; the other way with no feed"


def test_winning_counts_where_most_strategies_were_tried(sips):
    r = tables_of(sips).results
    assert len(compare.open_places(r)) == len(r)
    few = r[(r["place"] == "anywhere") | r["strategy"].isin(["amateur", "degree"])]
    assert set(compare.open_places(few)["place"]) == {"anywhere"}


def test_verdicts_follow_from_the_cases(sips):
    tables = tables_of(sips)
    verdicts = {e.number: expected.verdict_of(e, 0.95) for e in expected.expectations(tables)}
    assert verdicts == {
        "1": "the other way", "2": "as expected", "3": "as expected", "4a": "as expected", "4b": "as expected",
        "5a": "as expected", "5b": "as expected", "5c": "as expected", "6": "not asked", "7a": "as expected",
        "7b": "as expected", "8": "as expected", "9": "as expected",
    }  # fmt: skip


def test_conjecture_that_comes_out_the_other_way_is_reported_so(sips):
    tables = tables_of(sips)
    places = tables.paired_place.copy()
    places[["difference", "low", "high"]] = -places[["difference", "high", "low"]].to_numpy()
    R = tables.results["R"]
    tables = replace(tables, paired_place=places, results=tables.results.assign(R_low=0.3 * R, R_high=3 * R))
    by_number = {e.number: e for e in expected.expectations(tables)}
    assert expected.verdict_of(by_number["4a"], 0.95) == expected.verdict_of(by_number["4b"], 0.95) == "the other way"
    assert expected.verdict_of(by_number["7a"], 0.95) == "undecided"
    assert {c.sign for c in by_number["4a"].cases} == {-1}


@pytest.mark.parametrize(
    ("ahead", "against", "open_", "verdict"),
    [
        (1, 0, 0, "as expected"), (0, 1, 0, "the other way"), (0, 0, 3, "undecided"), (1, 0, 99, "undecided"),
        (9, 1, 0, "as expected"), (8, 2, 0, "depends"), (1, 9, 5, "the other way"), (0, 0, 0, "not asked"),
    ],
)  # fmt: skip
def test_verdict_weighs_clear_cases(ahead, against, open_, verdict):
    cases = [expected.Case("", 0.0, 0.0, 0.0, sign, 0.0) for sign in [1] * ahead + [-1] * against + [0] * open_]
    assert expected.verdict_of(expected.Expectation("1", "", "", "", "", cases, ""), 0.95) == verdict


def test_difference_between_independent_cells_adds_in_quadrature():
    a = {"reach": 10.0, "reach_low": 7.0, "reach_high": 13.0, "runs": 5}
    b = {"reach": 20.0, "reach_low": 16.0, "reach_high": 24.0, "runs": 9}
    found = compare.between(a, b)
    assert (found.difference, found.low, found.high) == (10.0, 5.0, 15.0)
    assert (found.sign, found.runs) == (1, (5, 9))
    assert compare.between(a, {**b, "reach_low": math.nan}) is None


def test_groups_differ_in_one_factor_alone(sips):
    tables = tables_of(sips)
    r = tables.results
    for factor, levels in (("mixing", 3), ("feed", 2), ("eta", 2), ("identify", 2)):
        groups = compare.groups_over(tables, factor)
        cells = r if factor != "identify" else r[r["strategy"] != "opim"]
        assert len(groups) == len(cells) / levels
        assert all(len({row[factor] for row in g}) == levels == len(g) for g in groups)
        assert all(len({(row["strategy"], row["place"]) for row in g}) == 1 for g in groups)


def test_telling_settings_are_the_ones_that_differ(sips):
    tables = tables_of(sips)
    taken = compare.telling(tables, tables.settings, 4)
    assert len(taken) == 4
    assert taken == sorted(taken, key=tables.settings.index)
    # Random seeds gain most from the feed, so with and without it are told apart.
    assert len({("m0" in s.model) for s in taken}) == 2
    assert compare.telling(tables, tables.settings[:3], 4) == tables.settings[:3]


def test_short_names_hold_what_varies(sips):
    tables = tables_of(sips)
    setting = reading.Setting("platform, mixing 0.2", "SIPS a=0.2 eta 0.25 theta=2 m0=3", "", "one community")
    assert tables.name(setting) == "mixing 0.2 · complex 2 · feed 3 · eta 0.25 · in one community"
    assert tables.under(setting) == (
        "with complex 2 identification, a feed of 3 and eta 0.25 at mixing 0.2, all seeds in one community"
    )
    one = tables.of(setting)
    assert len(one) == len(SIPS_STRATEGIES) - 1
    assert set(one["model"]) == {setting.model}


def test_parameters_carry_their_standing_and_sips_its_own(sips_page):
    table = pd.read_csv(io.StringIO(sips_page.csv["parameters.csv"]))
    assert dict(zip(table["parameter"], table["standing"], strict=True)) == {
        "a, attention of a follower": "assumed",
        "p_P": "prior",
    }
    assert table.loc[table["parameter"] == "p_P", "values"].item() == "0.1972, 0.7887"
    assert "No published network model of it was found" in sips_page.text


def test_rewired_copies_are_explained(sips, sips_page):
    tables = tables_of(sips)
    cards = [g | {"rewired_from": "platform" if g["mixing"] > 0.1 else None} for g in tables.graphs[:2]]
    tables = replace(tables, graphs=cards, results=tables.results[tables.results["mixing"] < 0.4])
    assert "1 of the 2 graphs is a copy of platform" in method.rewired_words(tables)
    assert "is a copy of" not in sips_page.text
    # With two mixings nothing lies between them.
    table = expected.expectations_table(tables)
    assert {row[-1] for row in table.rows if row[0] == "2"} == {"not asked"}


def test_mixing_is_compared_among_rewired_copies_alone(sips):
    tables = tables_of(sips)
    cards = [g | {"rewired_from": "platform" if g["mixing"] > 0.1 else None} for g in tables.graphs]
    found = compare.contrasts(replace(tables, graphs=cards), "mixing")
    assert {(c.start["mixing"], c.to["mixing"]) for c in found} == {(0.2, 0.5)}
    assert {(c.start["mixing"], c.to["mixing"]) for c in compare.contrasts(tables, "mixing")} == {(0.05, 0.5)}


def test_lines_whose_numbers_of_seeds_differ_are_not_drawn_as_structure(sips, tmp_path):
    """Ten, two and ten creators for the same money: not mixing but the seeds would be compared."""
    copy = tmp_path / "study"
    shutil.copytree(sips, copy, ignore=shutil.ignore_patterns("report.html"))
    results = pd.read_parquet(copy / "results.parquet")
    own = (results["strategy"] == "random") & (results["place"] == "anywhere")
    results.loc[own, "n_seeds"] = np.where(results["mixing"] == 0.2, 2, 10)[own]
    nearly = (results["strategy"] == "amateur") & (results["mixing"] == 0.2)
    results.loc[results["strategy"] == "amateur", "n_seeds"] = 100
    results.loc[nearly, "n_seeds"] = 104
    results.to_parquet(copy / "results.parquet")
    before, after = (compare.contrasts(reading.read(folder), "mixing") for folder in (sips, copy))
    gone = {(c.start["strategy"], c.start["place"]) for c in before} - {
        (c.start["strategy"], c.start["place"]) for c in after
    }
    assert gone == {("random", "anywhere")}
    (drawn,) = [exhibit for exhibit in community_figures(reading.read(copy)) if exhibit.key == "mixing"]
    assert ["random" in panel.svg for panel in drawn.panels] == [False, False, True, True]  # anywhere, in one community
    page = _Page(report.write_report(copy).read_text(encoding="utf-8"))
    said = "Not drawn, since the same budget buys different numbers of seeds at different mixings: random (2 to 10)."
    assert said in page.text.replace("\N{NO-BREAK SPACE}", " ")


def test_expectations_of_a_study_without_sips_say_what_they_need(page):
    assert "needs complex contagion and three mixings" in page.text
    rows = list(csv.DictReader(io.StringIO(page.csv["expectations.csv"])))
    assert {r["verdict"] for r in rows if r["question"] == "7a"} == {"not asked"}
    assert {r["verdict"] for r in rows if r["question"] == "5b"} & {"as expected", "depends", "undecided"}
    for absent in ("figure-mixing", "figure-funnel", "figure-place", "channels", "table-parameters"):
        assert absent not in page.ids


def test_tiny_intervals_are_not_written_out():
    assert form.interval(6.2e-6, 0.0, 1.9e-5) == "under 0.0001"


# --- refusals --------------------------------------------------------------------------------------------------------


def test_absent_folder_and_table_are_named(tmp_path, folder):
    with pytest.raises(MissingDataError, match=r"no folder .*nowhere"):
        report.write_report(tmp_path / "nowhere")
    with pytest.raises(MissingDataError, match=r"results\.parquet"):
        report.write_report(tmp_path)


def test_missing_column_damaged_file_and_no_cells_are_refused(tmp_path):
    study = write_study(
        tmp_path / "s", strategies=("random",), budgets=SEPARATORS[:1], models=("IC",), rules=(RULES[0],)
    )
    results = pd.read_parquet(study / "results.parquet")
    results.drop(columns="R_low").to_parquet(study / "results.parquet")
    with pytest.raises(ReadError, match="lacks 'R_low'"):
        report.write_report(study)
    results.iloc[:0].to_parquet(study / "results.parquet")
    with pytest.raises(InputError, match="has no cells"):
        report.write_report(study)
    results.to_parquet(study / "results.parquet")
    (study / "study.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReadError, match=r"study\.json"):
        report.write_report(study)
    assert not (study / "report.html").exists()


def test_place_that_cannot_be_written(tmp_path, small, monkeypatch):
    monkeypatch.setattr(report, "_page", lambda tables: "a page")
    with pytest.raises(OutputError, match="cannot write"):
        report.write_report(small, tmp_path / "absent" / "report.html")


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
