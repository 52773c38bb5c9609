"""Folders of finished studies with made-up tables, in which every effect is known (no simulation runs here)."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

from diffusion.study.schema import TABLES, conform

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
                        "place": "anywhere", "model_kind": model, "contagion": "simple" if model == "IC" else "linear",
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
                        "place": "anywhere",
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
    for name in TABLES:
        conform(name, pd.DataFrame(tables.get(name, []))).to_parquet(folder / f"{name}.parquet")
    ks = np.unique(np.round(np.logspace(0, 3.6, 34)))
    cards = [
        {
            "label": g, "kind": "platform", "source": g, "n_nodes": N_NODES, "comment_lines": 0, "rewired_from": None,
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
            "tier_shares": {"tail": 0.06, "waist": 0.01, "head": 0.001} if prices else None,
        }
        for g in graphs
    ]  # fmt: skip
    study = {
        "title": title, "seed": 7, "command": "diffusion study study.toml --out results/who-to-seed",
        "toml": 'title = "Who to seed?"\nseed = 7\n\n[graph]\nplatform = { users = 20_000 }\n',
        "precision": {"rel_error": 0.02, "confidence": 0.95, "max_runs": 20_000}, "n_cells": len(cells),
        "models": [
            {
                "model": m, "kind": m, "rule": r, "parameters": [], "rule_parameters": {} if r == RULES[0] else {"p": 0.02},
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
            {"model": label, "kind": "SIPS", "rule": "", "parameters": parameters, "description": "a note's way."}
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
                    "contagion": "complex" if complex_ else "simple",
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
                    "ratio": 0.76 if s == "opim" and not feed else math.nan,
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
        "seeds": pd.concat(seeds), "funnel": pd.DataFrame(funnel, columns=list(TABLES["funnel"].names)),
        "paired_place": pd.DataFrame(places, columns=list(TABLES["paired_place"].names)),
        "paired": pd.DataFrame(paired, columns=list(TABLES["paired"].names)),
    }  # fmt: skip
    for name, frame in frames.items():
        conform(name, frame).to_parquet(folder / f"{name}.parquet")
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
