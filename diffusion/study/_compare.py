"""Comparisons of the table: strategies on the same worlds, and one factor at two levels with the rest held fixed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ._read import Setting, Tables

__all__ = [
    "Comparison",
    "Contrast",
    "between",
    "comparisons",
    "contagion",
    "contrasts",
    "groups_over",
    "middle_of",
    "open_places",
    "pairs",
    "place_contrasts",
    "runner_up",
    "seeds_alike",
    "tally",
    "telling",
    "telling_model",
    "winners",
]


@dataclass(frozen=True)
class Comparison:
    """The best strategy of a setting and budget against another, on the same worlds."""

    setting: Setting
    budget: str
    kind: str
    value: float
    best: str
    other: str
    difference: float  # reach of best minus reach of other
    low: float
    high: float
    runs: int
    reach_best: float
    reach_other: float
    n_best: int
    n_other: int

    @property
    def decided(self) -> bool:
        """Whether the interval keeps clear of zero."""
        return self.low > 0 or self.high < 0

    @property
    def tied(self) -> bool:
        """Whether both reach equally many in every run, as the same seeds do."""
        return self.difference == self.low == self.high == 0

    @property
    def relative(self) -> float:
        """Difference as a share of the reach of the other."""
        return self.difference / self.reach_other if self.reach_other > 0 else math.nan


def comparisons(tables: Tables) -> list[Comparison]:
    """Return every paired difference of the table that has an interval, turned so that the best comes first."""
    keys = ("graph", "model", "rule", "place", "budget", "strategy")
    cells = {tuple(r[k] for k in keys): r for r in tables.results.to_dict("records")}
    found = []
    for row in tables.paired.to_dict("records"):
        group = (row["graph"], row["model"], row["rule"], row["place"], row["budget"])
        best, other = cells.get((*group, row["best"])), cells.get((*group, row["strategy"]))
        if best is None or other is None or row["strategy"] == row["best"] or other["n_seeds"] < 1:
            continue
        if not all(math.isfinite(row[name]) for name in ("difference", "low", "high")):
            continue
        found.append(
            Comparison(
                setting=Setting(*group[:4]),
                budget=row["budget"],
                kind=best["budget_kind"],
                value=float(best["budget_value"]),
                best=row["best"],
                other=row["strategy"],
                difference=-float(row["difference"]),
                low=-float(row["high"]),
                high=-float(row["low"]),
                runs=int(row["runs"]),
                reach_best=float(best["reach"]),
                reach_other=float(other["reach"]),
                n_best=int(best["n_seeds"]),
                n_other=int(other["n_seeds"]),
            )
        )
    return found


def runner_up(members: list[Comparison]) -> Comparison:
    """Return the comparison with the strategy that comes second."""
    return max(members, key=lambda c: (c.reach_other, c.other))


def winners(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """Return how often each strategy has the highest mean reach of its combination, the most frequent first."""
    rows = rows[(rows["n_seeds"] > 0) & rows["reach"].notna()]
    if rows.empty:
        return []
    top = rows.loc[rows.groupby(["graph", "model", "rule", "place", "budget"], sort=False)["reach"].idxmax()]
    return Counter(top["strategy"].astype(str)).most_common()


def open_places(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the places in which most strategies were tried: elsewhere winning means less."""
    tried = rows.groupby("place")["strategy"].nunique()
    kept: pd.DataFrame = rows[rows["place"].isin(tried.index[tried == tried.max()])]
    return kept


# --- one factor, two levels ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contrast:
    """A measure at two levels of one factor with everything else held fixed: `to` minus `start`."""

    start: Any  # rows of the results
    to: Any
    before: float
    after: float
    difference: float
    low: float
    high: float
    runs: tuple[int, ...]

    @property
    def sign(self) -> int:
        """1 or -1 where the interval keeps clear of zero, else 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0

    @property
    def relative(self) -> float:
        """Difference as a share of the value it starts from."""
        return self.difference / self.before if self.before > 0 else math.nan


def between(start: Any, to: Any, measure: str = "reach") -> Contrast | None:
    """Compare two cells that share no worlds: their intervals are combined as those of independent estimates."""
    a, b = float(start[measure]), float(to[measure])
    ends = [float(row[f"{measure}_{end}"]) for row in (start, to) for end in ("low", "high")]
    if not all(map(math.isfinite, (a, b, *ends))):
        return None
    difference = b - a
    low = difference - math.hypot(b - ends[2], ends[1] - a)
    high = difference + math.hypot(ends[3] - b, a - ends[0])
    return Contrast(start, to, a, b, difference, low, high, tuple(sorted({int(start["runs"]), int(to["runs"])})))


_HELD = ("graph", "family", "rule", "identify", "feed", "eta", "attention", "rho", "place", "strategy", "budget")
_FREED = {
    "mixing": ("graph",),
    "feed": ("feed",),
    "eta": ("eta", "rho"),
    "identify": ("identify",),
    "budget": ("budget",),
}


_SEEDS_ALIKE = 1.05  # the same money may buy this many times as many seeds and still be compared as structure


def seeds_alike(numbers: Iterable[Any]) -> bool:
    """Whether cells have about as many seeds; if not, a difference of reach says more about the seeds than about a factor."""
    found = [int(n) for n in numbers]
    return max(found) <= _SEEDS_ALIKE * min(found)


def groups_over(tables: Tables, factor: str, rows: pd.DataFrame | None = None) -> list[list[dict[str, Any]]]:
    """Return the groups of cells that differ in `factor` alone, each in the order of its levels.

    Groups in which the same money buys other numbers of seeds differ in these too, and are left out.
    """
    r = tables.results if rows is None else rows
    r = r[(r["n_seeds"] > 0) & r["reach"].notna()]
    if factor == "mixing":
        copies = tables.copies
        r = r[r["graph"].isin(copies)] if copies else r
    family = r["model"].where(r["model_kind"] != "SIPS", "SIPS")
    r = r.assign(family=family, rho=r["rho"].round(9))
    if factor == "identify":
        r = r[r["identify"] != ""]
        level = (r["identify"] != "simple").astype(float)
    else:
        level = r["n_seeds" if factor == "budget" else factor].astype(float)
    held = [name for name in _HELD if name not in _FREED[factor]]
    # NaN is not equal to itself: as text it is.
    keys = r[held].astype(str).itertuples(index=False, name=None)
    groups: dict[tuple[Any, ...], list[tuple[float, dict[str, Any]]]] = {}
    records: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in r.to_dict("records")]
    for key, at, row in zip(keys, level, records, strict=True):
        if not math.isnan(at):
            groups.setdefault(key, []).append((at, row))
    found = []
    for members in groups.values():
        # Two cells at one level differ in something that has no column: nothing could be read from them.
        alike = factor == "budget" or seeds_alike(row["n_seeds"] for _, row in members)
        if len(members) > 1 and len({at for at, _ in members}) == len(members) and alike:
            found.append([row for _, row in sorted(members, key=lambda member: member[0])])
    return found


def contrasts(
    tables: Tables, factor: str, *, measure: str = "reach", rows: pd.DataFrame | None = None
) -> list[Contrast]:
    """Compare the highest level of `factor` with the lowest in every group of cells that differ in it alone."""
    found = []
    for group in groups_over(tables, factor, rows):
        contrast = between(group[0], group[-1], measure)
        if contrast is not None:
            found.append(contrast)
    return found


def place_contrasts(tables: Tables, first: str = "one community", second: str = "spread") -> list[Contrast]:
    """Reach with all seeds in `first` minus with seeds in `second`, on the same worlds."""
    keys = ["graph", "model", "rule", "budget", "strategy"]
    cells = {(*(r[k] for k in keys), r["place"]): r for r in tables.results.to_dict("records")}
    found = []
    for row in tables.paired_place.to_dict("records"):
        sign = 1 if (row["place_a"], row["place_b"]) == (first, second) else -1
        if (row["place_a"], row["place_b"]) not in ((first, second), (second, first)):
            continue
        group = tuple(row[k] for k in keys)
        to, start = cells.get((*group, first)), cells.get((*group, second))
        if to is None or start is None or min(to["n_seeds"], start["n_seeds"]) < 1:
            continue
        if not seeds_alike((to["n_seeds"], start["n_seeds"])):
            continue
        low, high = sorted((sign * float(row["low"]), sign * float(row["high"])))
        if all(map(math.isfinite, (low, high, row["difference"]))):
            found.append(
                Contrast(
                    start, to, float(start["reach"]), float(to["reach"]), sign * float(row["difference"]), low, high,
                    (int(row["runs"]),),
                )
            )  # fmt: skip
    return found


def contagion(row: Any) -> str:
    """Whether a cell spreads as simple contagion, as complex contagion, or in a way that is neither (LT)."""
    if row["identify"]:
        return "simple" if row["identify"] == "simple" else "complex"
    return {"IC": "simple", "Threshold": "complex"}.get(str(row["model_kind"]), "neither")


def pairs(tables: Tables, first: Callable[[Any], str | None], second: str) -> list[tuple[Any, Any, Contrast]]:
    """Compare strategy `second` with another at the same setting and budget; on the same worlds where that was recorded."""
    keys = ["graph", "model", "rule", "place", "budget"]
    paired = {(*(p[k] for k in keys), p["strategy"], p["best"]): p for p in tables.paired.to_dict("records")}
    r = tables.results[(tables.results["n_seeds"] > 0) & tables.results["reach"].notna()]
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in r.to_dict("records"):
        groups.setdefault(tuple(row[k] for k in keys), {})[str(row["strategy"])] = row
    found = []
    for key, rows in groups.items():
        other = first(rows)
        if other is None or second not in rows or other == second:
            continue
        a, b = rows[other], rows[second]
        c = between(a, b)
        direct, turned = paired.get((*key, second, other)), paired.get((*key, other, second))
        p = direct or turned
        if c is not None and p is not None and all(math.isfinite(p[k]) for k in ("difference", "low", "high")):
            ends = (p["low"], p["high"]) if direct else (-p["high"], -p["low"])
            difference = p["difference"] if direct else -p["difference"]
            c = Contrast(a, b, c.before, c.after, float(difference), float(ends[0]), float(ends[1]), (int(p["runs"]),))
        if c is not None:
            found.append((a, b, c))
    return found


def tally(found: Sequence[Contrast]) -> tuple[int, int, int]:
    """Return how many effects are clearly above zero, clearly below, and undecided."""
    up, down = sum(c.sign > 0 for c in found), sum(c.sign < 0 for c in found)
    return up, down, len(found) - up - down


def middle_of(found: Sequence[Contrast]) -> Contrast:
    """Return the case in the middle by relative size (the lower one of two)."""
    ordered = sorted(found, key=lambda c: c.relative if math.isfinite(c.relative) else c.difference)
    return ordered[(len(ordered) - 1) // 2]


# --- what to draw ----------------------------------------------------------------------------------------------------


def telling(tables: Tables, settings: list[Setting], most: int) -> list[Setting]:
    """Take the `most` settings in which strategies compare most differently, in the order of the study.

    Each is described by the reach of its strategies relative to the best; the first is the one in which they are
    furthest apart, and each further one is the furthest from those taken.
    """
    if len(settings) <= most:
        return settings
    vectors = []
    for setting in settings:
        own = tables.of(setting)
        own = own[own["budget"] == tables.main_budget(setting)]
        reach = own.set_index("strategy")["reach"].reindex(tables.strategies).to_numpy(dtype=float)
        top = np.nanmax(reach) if np.isfinite(reach).any() else 0.0
        vectors.append(np.nan_to_num(reach / top) if top > 0 else np.zeros(len(reach)))
    points = np.array(vectors)
    taken = [int(points.std(axis=1).argmax())]
    while len(taken) < most:
        gaps = np.min([np.abs(points - points[i]).sum(axis=1) for i in taken], axis=0)
        gaps[taken] = -1
        taken.append(int(gaps.argmax()))
    return [settings[i] for i in sorted(taken)]


def telling_model(tables: Tables, found: Sequence[Contrast]) -> tuple[float, float] | None:
    """Return the (feed, eta) at which reach changes most, summed over ways to identify; None without SIPS."""
    sums: dict[tuple[float, float], list[float]] = {}
    for c in found:
        if c.start["model_kind"] == "SIPS" and c.before > 0 and c.after > 0:
            sums.setdefault((float(c.start["feed"]), float(c.start["eta"])), []).append(
                abs(math.log(c.after / c.before))
            )
    if not sums:
        return None
    return max(sums, key=lambda key: (float(np.mean(sums[key])), key))
