"""How often intervals hold the true value, over laws of sizes from the usual to the rare and the heavy-tailed.

Run ``python docs/coverage_table.py`` to write docs/coverage.md; ``--quick`` takes a tenth of the trials. A section is a function
that gives rows; a case is a law of sizes with its exact mean; an estimator gives the ends of an interval for the sizes of
some runs. Tests call `rows` with few trials. (A module called coverage would hide the package of that name.)
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

import diffusion as dif
from diffusion import theory
from diffusion.results.estimates import share_interval
from diffusion.results.intervals import MeanInterval, mean_interval
from diffusion.simulation.simulate import rounds

CONFIDENCE = 0.95
KEY = 20_240
REL_ERROR = 0.05
MOST_RUNS = 10_000  # of sequential trials

Draw = Callable[[np.random.Generator, int], Any]


@dataclass(frozen=True)
class Case:
    """A law of sizes: `draw(rng, runs)`, its exact mean, and the least and most that one run can give."""

    name: str
    mean: float
    limits: tuple[float, float]
    draw: Draw
    rare: bool = False  # so rare that discrete, conservative intervals are all there is


@dataclass(frozen=True)
class Row:
    """Coverage of the normal (or Wilson) interval and of ours, and the width of ours over that of the other."""

    section: str
    case: str
    runs: str
    trials: int  # 0: exact
    usual: float
    ours: float
    width: float
    rare: bool


# -- laws of sizes -----------------------------------------------------------------------------------------------------


def _tree_sizes(mean: float, k: float | None = None) -> tuple[Draw, float]:
    """Sizes of Galton-Watson trees (Otter and Dwass), Poisson offspring or negative binomial with dispersion k."""
    n = np.arange(1.0, 200_001)
    if k is None:
        log = -mean * n + (n - 1) * np.log(mean * n) - special.gammaln(n + 1)
    else:
        share = k / (k + mean)
        log = special.gammaln(n - 1 + n * k) - special.gammaln(n * k) - special.gammaln(n)
        log += n * k * np.log(share) + (n - 1) * np.log1p(-share) - np.log(n)
    chance = np.exp(log)
    upto = np.cumsum(chance / chance.sum())
    upto[-1] = 1.0
    return lambda rng, runs: n[np.searchsorted(upto, rng.random(runs), side="right")], float(n @ chance / chance.sum())


def _bimodal(share: float) -> Draw:
    def draw(rng: np.random.Generator, runs: int) -> Any:
        small, large = rng.geometric(0.4, runs), rng.normal(4000, 100, runs).round()
        return np.where(rng.random(runs) < share, large, small)

    return draw


def cases() -> list[Case]:
    """Laws of sizes drawn by numpy; seeds are 1 node."""
    found = [
        Case("one generation, Poisson, R = .8", 1.8, (1, 1001), lambda g, n: 1 + g.poisson(0.8, n)),
        Case("one generation, geometric, R = .8", 1.8, (1, 1001), lambda g, n: g.geometric(1 / 1.8, n)),
        Case(
            "one generation, negative binomial, k = .1, R = .8", 1.8, (1, 1001),
            lambda g, n: 1 + g.negative_binomial(0.1, 0.1 / 0.9, n),
        ),
    ]  # fmt: skip
    for name, mean, k in (
        ("tree, Poisson, R = .8", 0.8, None), ("tree, Poisson, R = .95", 0.95, None),
        ("tree, negative binomial, k = .1, R = .8", 0.8, 0.1),
    ):  # fmt: skip
        draw, expected = _tree_sizes(mean, k)
        found.append(Case(name, expected, (1, 200_000), draw))
    for share in (0.05, 0.3, 0.9):
        expected = 4000 * share + 2.5 * (1 - share)
        found.append(Case(f"outbreak of 4,000 in {share:.0%} of runs", expected, (1, 10_000), _bimodal(share)))
    for p in (0.001, 0.005, 0.02):
        found.append(
            Case(
                f"rare: 1,000 nodes, p = {p:g}", 1 + 1000 * p, (1, 1001),
                lambda g, n, p=p: 1 + 1000 * (g.random(n) < p), rare=True,
            )
        )  # fmt: skip
        found.append(
            Case(
                f"rare: from a leaf of a star of 1,001, p = {p:g}", 1 + p * (1 + 999 * p), (1, 1001),
                lambda g, n, p=p: 1 + (g.random(n) < p) * (1 + g.binomial(999, p, n)), rare=True,
            )
        )  # fmt: skip
    found.append(
        Case("difference: geometric less Poisson, paired", 0.0, (-1000, 1000), lambda g, n: g.geometric(1 / 1.8, n) - 1
             - g.poisson(0.8, n))
    )  # fmt: skip
    found.append(
        Case("difference: 1,000 nodes at p = .02 less p = .01", 10.0, (-1000, 1000), lambda g, n: 1000 * (
            (g.random(n) < 0.02) * 1 - (g.random(n) < 0.01)), rare=True)
    )  # fmt: skip
    return found


def simulated() -> list[Case]:
    """Sizes that `simulate` gives on small graphs whose spread is known exactly."""
    star = dif.FollowerGraph.from_arrays([0] * 1000, list(range(1, 1001)), directed=False)
    clique = dif.FollowerGraph.from_arrays(*np.array([(u, v) for v in range(20) for u in range(v)]).T, directed=False)
    found = []
    for name, graph, seed, mean, rare in (
        ("simulate: clique of 20, p = .1", clique.with_probabilities("constant", p=0.1), 0,
         theory.reed_frost(20, 0.1).mean, False),
        ("simulate: leaf of a star of 1,001, p = .005", star.with_probabilities("constant", p=0.005), 1,
         theory.star_spread(1000, 0.005, "leaf"), True),
    ):  # fmt: skip

        def draw(rng: np.random.Generator, runs: int, graph: Any = graph, seed: int = seed) -> Any:
            return dif.simulate(graph, [seed], runs=runs, rng=rng, threads=1).sizes

        found.append(Case(name, mean, (1, graph.n_nodes), draw, rare))
    return found


# -- estimators --------------------------------------------------------------------------------------------------------


def normal(sizes: Any, limits: tuple[float, float]) -> MeanInterval:
    """The normal interval."""
    mean, se = float(sizes.mean()), float(sizes.std(ddof=1)) / math.sqrt(len(sizes))
    half = float(special.ndtri(0.5 + CONFIDENCE / 2)) * se
    return MeanInterval(mean, se, mean - half, mean + half)


def ours(sizes: Any, limits: tuple[float, float]) -> MeanInterval:
    """The interval of `spread`, `compare` and ``simulate(...).mean()``."""
    return mean_interval(sizes, CONFIDENCE, limits)


def _holds(found: MeanInterval, case: Case) -> bool:
    return found.low - 1e-9 <= case.mean <= found.high + 1e-9


# -- sections ----------------------------------------------------------------------------------------------------------


def fixed(case: Case, runs: int, trials: int, rng: np.random.Generator) -> Row:
    """Coverage at a fixed number of runs; both estimators meet the same sizes."""
    hits, width = np.zeros(2), np.zeros(2)
    for sizes in np.asarray(case.draw(rng, trials * runs)).reshape(trials, runs):
        for at, estimator in enumerate((normal, ours)):
            found = estimator(sizes, case.limits)
            hits[at] += _holds(found, case)
            width[at] += found.high - found.low
    share = hits / trials
    return Row("Mean", case.name, str(runs), trials, share[0], share[1], width[1] / width[0], case.rare)


def sequential(case: Case, trials: int, rng: np.random.Generator) -> Row:
    """Coverage where each estimator stops, as `spread` does, once its half width is within REL_ERROR of the mean."""
    hits = np.zeros(2)
    for _ in range(trials):
        whole = np.asarray(case.draw(rng, 2048))
        for at, estimator in enumerate((normal, ours)):
            for _, end in rounds(MOST_RUNS):
                if end > len(whole):
                    whole = np.concatenate([whole, case.draw(rng, MOST_RUNS - len(whole))])
                found = estimator(whole[:end], case.limits)
                if found.half <= REL_ERROR * abs(found.mean):
                    break
            hits[at] += _holds(found, case)
    share = hits / trials
    return Row("Mean", case.name, f"to {REL_ERROR:.0%}", trials, share[0], share[1], math.nan, case.rare)


def means(trials: int, named: str = "") -> Iterator[Row]:
    """Intervals of means and of paired differences."""
    for at, case in enumerate([*cases(), *simulated()]):
        if named not in case.name:
            continue
        rng = np.random.default_rng([KEY, at])
        for runs in (128, 512):
            yield fixed(case, runs, trials, rng)
        if "simulate" not in case.name and "difference" not in case.name:
            yield sequential(case, max(trials // 8, 1), rng)


def shares(trials: int, named: str = "") -> Iterator[Row]:
    """Intervals of outbreak probabilities, summed over all outcomes."""
    runs = 512
    hits = np.arange(runs + 1)
    mine = [share_interval(int(k), runs, CONFIDENCE) for k in hits]
    wilson = [stats.binomtest(int(k), runs).proportion_ci(CONFIDENCE, method="wilson") for k in hits]
    for events in (0.176, 1.0, 3.0, 8.0, 16.0, 51.2, 256.0):
        p = events / runs
        name = f"outbreak probability {p:.3g}"
        if named not in name:
            continue
        chance = stats.binom.pmf(hits, runs, p)
        inside = [float(chance[[e.low <= p <= e.high for e in found]].sum()) for found in (wilson, mine)]
        width = [float(chance @ [e.high - e.low for e in found]) for found in (wilson, mine)]
        yield Row("Outbreak probability", name, str(runs), 0, *inside, width[1] / width[0], events < 10)


SECTIONS: tuple[tuple[str, str, Callable[..., Iterator[Row]]], ...] = (
    ("Mean", "normal", means),
    ("Outbreak probability", "Wilson", shares),
)


def rows(trials: int = 2000, *, named: str = "") -> list[Row]:
    """All rows, or those whose case holds `named`."""
    return [row for _, _, fill in SECTIONS for row in fill(trials, named)]


# -- the page ----------------------------------------------------------------------------------------------------------


def _percent(share: float, trials: int) -> str:
    if not trials:
        return f"{share:.1%}"
    low, high = stats.binomtest(round(share * trials), trials).proportion_ci(0.95, method="wilson")
    return f"{share:.1%} ({low:.1%} to {high:.1%})"


def markdown(found: Sequence[Row], *, seconds: float | None = None) -> str:
    """Write the rows as a page with one table a section."""
    took = "" if seconds is None else f" in {seconds:.0f} s"
    lines = [
        "# Coverage of intervals", "",
        f"How often a {CONFIDENCE:.0%} interval holds the exact value. Written by `python docs/coverage_table.py`{took}, diffusion "
        f"{dif.__version__}. In brackets the 95 % interval of the share of trials; without, the share is exact.", "",
        f"**runs**: a fixed number, or as many as {REL_ERROR:.0%} of precision asks for, looked at and stopped as `spread` does, "
        f"each interval by its own width, at most {MOST_RUNS:,}. **width**: mean width over that of the usual interval on the same "
        "runs. Rare events leave few outcomes, among which no interval covers 95 % exactly: ours then covers more, and is wide "
        "because an outbreak of all nodes in reach could have stayed unseen.",
    ]  # fmt: skip
    for section, usual, _ in SECTIONS:
        mine = [row for row in found if row.section == section]
        if not mine:
            continue
        lines += ["", f"## {section}", "", f"| sizes | runs | trials | {usual} | ours | width |"]
        lines += ["|:---|---:|---:|---:|---:|---:|"]
        lines += [
            f"| {row.case} | {row.runs} | {f'{row.trials:,}' if row.trials else 'all'} | {_percent(row.usual, row.trials)} | "
            f"{_percent(row.ours, row.trials)} | {'' if math.isnan(row.width) else f'{row.width:.2f}'} |"
            for row in mine
        ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description="Count how often intervals hold the exact value.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the trials")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("coverage.md"), help="the page to write")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    found = rows(200 if options.quick else 2000)
    options.out.write_text(markdown(found, seconds=time.perf_counter() - start), encoding="utf-8")
    print(f"{options.out}: {len(found)} rows")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
