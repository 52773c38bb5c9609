"""Error rates and coverage of the study: A/A contrasts, and intervals over replicates against a reference of many graphs.

    python tests/benchmarks/replicates.py [--graphs 400] [--users 20000] [--replicates 8] [--out FOLDER]

A/A: a condition against itself with other graphs, seeds and worlds, decided as the report decides; a share of 5 % of
such null effects may be called decided. The same contrasts with the interval of the simulation on one graph each show
what a study without replicates would say. Coverage: how often an interval over replicates holds the mean of the
reference, the graphs that the interval was not made from.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import diffusion as dif
from diffusion.report.analysis import Contrast, mean_effect
from diffusion.study.design import parse_study
from diffusion.study.estimates import mean_over_graphs
from diffusion.study.run import run_study

LEVEL = 0.95
STRATEGIES = ["random", "amateur", "head", "degree"]
SIMPLE = {"attention": 0.3, "eta": 1.0}
COMPLEX = {"attention": 1.0, "eta": 1.0, "identify": {"complex": 2}}


def results(graphs: int, users: int, out: Path) -> pd.DataFrame:
    """Simulate both kinds of contagion with four strategies on so many independent graphs."""
    document = {
        "replicates": 1,
        "graph": {"platform": {"users": users}},
        "model": [
            {"name": name, "kind": "sips", "sips": own} for name, own in (("simple", SIMPLE), ("complex", COMPLEX))
        ],
        "seeding": {"strategy": STRATEGIES, "budget": {"money": 100_000 * max(users / 20_000, 0.5)}},
        "sweep": {"factor": "mixing", "levels": [0.2], "replicates": graphs, "R": True},
    }
    folder, _ = run_study(parse_study(document), out)
    return dif.StudyResult.load(folder).to_pandas()


def decided(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the report would call the mean log ratio of two conditions, graph by graph, different from 0."""
    effect = mean_effect([Contrast(np.log(b) - np.log(a), math.nan)], LEVEL)
    assert effect is not None
    return not effect.change.low <= 0 <= effect.change.high


def decided_alone(a: pd.Series, b: pd.Series) -> bool:
    """The same with one graph a condition and the interval of the simulation on it."""
    ends = [(row["reach_high"] - row["reach_low"]) / 2 / row["reach"] for row in (a, b)]
    return abs(math.log(b["reach"] / a["reach"])) > math.hypot(*ends)


def main() -> None:
    """Print error rates and coverage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=400)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--replicates", type=int, default=8)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    G = options.replicates
    with tempfile.TemporaryDirectory() as folder:
        table = results(options.graphs, options.users, options.out or Path(folder))
    table = table[table["detail"] == "R"]
    groups = {
        name: own.sort_values("replicate").reset_index(drop=True)
        for name, own in table.groupby(["model_name", "strategy"])
        if len(own) >= 4 * G
    }
    calls: list[bool] = []
    alone: list[bool] = []
    for own in groups.values():
        reach = own["reach"].to_numpy()
        for first in range(0, len(own) - 2 * G + 1, 2 * G):
            calls.append(decided(reach[first : first + G], reach[first + G : first + 2 * G]))
            alone.append(decided_alone(own.iloc[first], own.iloc[first + 1]))
    se = math.sqrt(0.05 * 0.95 / len(calls))
    print(f"A/A: {np.mean(calls):.1%} of {len(calls)} null contrasts decided with {G} graphs (se {se:.1%});")
    print(f"     {np.mean(alone):.1%} with one graph and the interval of its simulation")
    rows = []
    for (model, strategy), own in groups.items():
        half = len(own) // 2
        for measure in ("reach", "R", "R_predicted", "global_probability"):
            values = own[measure].to_numpy(float)
            if not np.isfinite(values).all() or values.std() == 0 or (measure.startswith("R") and strategy != "random"):
                continue
            reference, error = values[:half].mean(), values[:half].std(ddof=1) / math.sqrt(half)
            rest = values[half:]
            sets = [mean_over_graphs(rest[i : i + G], LEVEL) for i in range(0, len(rest) - G + 1, G)]
            held = [low <= reference <= high for _, low, high in sets]
            # The same on sets drawn from all graphs, whose mean is known: many sets, no error of the reference.
            draw = np.random.default_rng(7).integers(0, len(values), (4_000, G))
            means = np.array([mean_over_graphs(values[row], LEVEL) for row in draw])
            drawn = (means[:, 1] <= values.mean()) & (values.mean() <= means[:, 2])
            rows.append(
                {
                    "model": model,
                    "strategy": strategy,
                    "measure": measure,
                    "mean": values.mean(),
                    "sd": values.std(ddof=1),
                }
                | {"reference se": error, "sets": len(sets), "held": np.mean(held), "held, drawn sets": drawn.mean()}
            )
    found = pd.DataFrame(rows)
    print(found.round(4).to_string(index=False))
    for kind, own in found.groupby(["model", "measure"]):
        mean = np.average(own["held"], weights=own["sets"])
        print(
            f"{' '.join(kind)}: {mean:.1%} of {own['sets'].sum()} intervals, {own['held, drawn sets'].mean():.1%} of drawn ones"
        )


if __name__ == "__main__":
    main()
