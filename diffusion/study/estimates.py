"""Estimates over the graphs of a condition: means, intervals with graphs as the unit, phases, predictive intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ..results.estimates import share_interval
from ..simulation.phase import FAR_BELOW, MAX_DECELERATION, STRICT_DECELERATION
from .schema import TABLES

__all__ = ["conditions_of", "false_discoveries", "mean_over_graphs", "phases_of", "predictive_of"]

# Measures of a condition: where they are in the table of cells, and the limits they cannot leave.
MEASURES: dict[str, tuple[float, float]] = {
    "reach": (0, math.inf),
    "reach_share": (0, 1),
    "reach_per_cost": (0, math.inf),
    "outbreak_probability": (0, 1),
    "global_probability": (0, 1),
    "R_predicted": (0, math.inf),
    "R": (0, math.inf),
    "R_campaign": (0, math.inf),
    "feed_share": (0, 1),
    "entry_share": (0, 1),
    "ratio": (0, 1),
}
ENDS = {"outbreak_probability": "outbreak", "global_probability": "global"}


def mean_over_graphs(values: Sequence[float] | NDArray[np.float64], confidence: float) -> tuple[float, float, float]:
    """Mean and t interval of values of which each belongs to one independent graph; one value has no interval."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if len(known) < 2:
        return (float(known[0]) if len(known) else math.nan), math.nan, math.nan
    half = float(stats.t.ppf(0.5 + confidence / 2, len(known) - 1) * known.std(ddof=1) / math.sqrt(len(known)))
    mean = float(known.mean())
    return mean, mean - half, mean + half


def conditions_of(results: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each condition: the estimate over its graphs and both parts of its error.

    With one graph the interval is that of the simulation on this graph.
    """
    if not len(results):
        return pd.DataFrame()
    r = results.copy()
    r["reach_share"], r["reach_share_low"], r["reach_share_high"] = (
        r[name] / r["n_nodes"] for name in ("reach", "reach_low", "reach_high")
    )
    r["reach_per_cost_low"], r["reach_per_cost_high"] = (
        r[name] / r["cost"].where(r["cost"] > 0) for name in ("reach_low", "reach_high")
    )
    groups = r.groupby("condition", sort=False)
    names = [c.name for c in TABLES["conditions"].columns]
    own = [c for c in r if c not in {c.name for c in TABLES["results"].columns} and not str(c).startswith("reach_")]
    labels = [c for c in (*names, *own) if c in r and not _measured(str(c))]
    table = groups[[c for c in labels if c != "condition"]].first()
    table["replicates"] = groups.size()
    for name in ("mixing", "n_nodes", "n_seeds", "cost"):
        table[name] = groups[name].mean()
    level = float(r["confidence"].min())
    z = float(stats.norm.ppf(0.5 + level / 2))
    columns: dict[str, Any] = {}
    for name, (least, most) in MEASURES.items():
        values = groups[name]
        mean, sd, count = values.mean(), values.std(ddof=1), values.count()
        half = stats.t.ppf(0.5 + level / 2, (count - 1).clip(lower=1)) * sd / np.sqrt(count)
        low, high = (mean - half).clip(least, most), (mean + half).clip(least, most)
        if name in ENDS:  # runs that all end alike on every graph still leave a doubt, which the t interval has not
            hits = (r[name] * r["runs"]).groupby(r["condition"], sort=False).sum().round()
            pooled = [share_interval(int(k), int(n), level) for k, n in zip(hits, groups["runs"].sum(), strict=True)]
            low = low.clip(upper=np.array([p.low for p in pooled]))
            high = high.clip(lower=np.array([p.high for p in pooled]))
        ends = [f"{ENDS.get(name, name)}_{end}" for end in ("low", "high")]
        within = pd.Series(0.0, index=table.index)
        if ends[0] in r:
            within = ((r[ends[1]] - r[ends[0]]) / (2 * z)).groupby(r["condition"], sort=False).mean()
            single = count == 1
            low = low.where(~single, groups[ends[0]].mean())
            high = high.where(~single, groups[ends[1]].mean())
        found = (mean, low, high, sd, within.where(mean.notna()))
        suffixes = ("", "_low", "_high", "_sd_between", "_se_within")
        columns |= {f"{name}{suffix}": values for suffix, values in zip(suffixes, found, strict=True)}
    return table.assign(**columns).reset_index()


def _measured(column: str) -> bool:
    return any(column == m or column.startswith(f"{m}_") for m in MEASURES)


def false_discoveries(p_values: Iterable[float]) -> NDArray[np.float64]:
    """Return p-values adjusted after Benjamini and Hochberg (1995); NaN stays NaN and does not count."""
    p = np.asarray(list(p_values), np.float64)
    known = np.isfinite(p)
    adjusted = np.full(len(p), math.nan)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known])
    return adjusted


def phases_of(results: pd.DataFrame) -> pd.DataFrame:
    """Return how Share & Spread grows on every graph and model, over the replicated graphs.

    *Exponential* needs three things: most graphs have that verdict by themselves; over graphs, log R lies above 0 and
    the deceleration below its limit (the larger of two one-sided p-values, an intersection-union test); and this holds
    after correction for the number of rows (Benjamini and Hochberg 1995, at 5 % false discoveries for 95 % intervals).
    """
    r = results[results["detail"].isin(["phase", "full"])].drop_duplicates(["graph", "model_name", "replicate"])
    rows = [_phase(group) for _, group in r.groupby(["graph", "model_name"], sort=False)]
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame(rows)
    table["p_adjusted"] = false_discoveries(table["p_value"])
    level = 1 - float(r["confidence"].min())
    records: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    table["phase"] = [_verdict(row, level) for row in records]
    return table.drop(columns=["verdicts"])


def _phase(group: pd.DataFrame) -> dict[str, Any]:
    level = float(group["confidence"].min())
    first = group.iloc[0]
    row: dict[str, Any] = {k: first[k] for k in ("graph", "model", "rule", "model_name", "contagion")}
    row["replicates"] = len(group)
    for name in ("R_predicted", "R", "deceleration"):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), _estimate(group, name, level), strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = [math.log(x) if x > 0 else math.nan for x in (row["R"], row["R_low"], row["R_high"])]
        steps = [math.log(2) / x if x > 0 else math.nan for x in rates]
    row |= {"doubling": steps[0], "doubling_low": steps[2], "doubling_high": steps[1]}
    row["verdicts"] = group["phase"].value_counts().to_dict()
    row["phase_cause"] = str(group["phase_cause"].mode().iloc[0])
    far = row["R_predicted"] > 1 and rates[0] < FAR_BELOW * math.log(row["R_predicted"])
    limit = STRICT_DECELERATION if far else MAX_DECELERATION
    grows = _p_value(group, "R", level, logarithm=True)
    steady = _p_value(group, "deceleration", level, above=-limit, sign=-1)
    row["p_value"] = max(grows, steady) if group["R_predicted"].notna().any() else math.nan
    return row


def _estimate(group: pd.DataFrame, name: str, level: float) -> tuple[float, float, float]:
    if len(group) > 1:
        return mean_over_graphs(group[name].to_numpy(float), level)
    ends = (f"{name}_low", f"{name}_high") if f"{name}_low" in group else (name, name)
    value, low, high = (float(group[c].iloc[0]) for c in (name, *ends))
    return value, low, high


def _p_value(
    group: pd.DataFrame, name: str, level: float, *, logarithm: bool = False, above: float = 0.0, sign: int = 1
) -> float:
    """One-sided p-value that sign * name (or its logarithm) lies above a limit; 1 where it is not known."""
    take = np.log if logarithm else np.asarray
    with np.errstate(divide="ignore", invalid="ignore"):
        values = sign * take(group[name].to_numpy(float))
        values = values[np.isfinite(values)]
        if len(values) > 1 and values.std() > 0:
            return float(stats.ttest_1samp(values, above, alternative="greater").pvalue)
        if not len(values) or len(group) > 1:
            return 1.0
        low, high = (float(take(group[f"{name}_{end}"].to_numpy(float))[0]) for end in ("low", "high"))
    error = (high - low) / (2 * stats.norm.ppf(0.5 + level / 2))
    return float(stats.norm.sf((values[0] - above) / error)) if error > 0 else 1.0


def _verdict(row: Mapping[str, Any], level: float) -> str:
    verdicts: Mapping[str, int] = row["verdicts"]
    most = max(verdicts, key=lambda name: verdicts[name]) if verdicts else "undecided"
    majority = verdicts.get(most, 0) > row["replicates"] / 2
    if most == "exponential" and not (majority and row["p_adjusted"] <= level):
        return "undecided"
    if most == "subcritical" and not max(row["R_predicted"], np.nan_to_num(row["R_predicted_high"])) < 1:
        return "undecided"
    return most if majority else "undecided"


def predictive_of(points: pd.DataFrame, results: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Return reach with the survey's uncertainty carried through: quantiles over draws beside the interval of the mean."""
    drawn = points[points["part"] == "predictive"]
    if not len(drawn):
        return pd.DataFrame()
    cells = results.set_index("cell")
    at = conditions.set_index("condition")
    rows = []
    for base, group in drawn.groupby("level_y", sort=False):  # the condition at the base point
        found = cells.loc[cells.index.intersection(pd.Index(group["cell"]))]
        if base not in at.index or not len(found):
            continue
        here = at.loc[base]
        reach, R = found["reach"].to_numpy(float), found["R_predicted"].to_numpy(float)
        low, high = np.quantile(reach, (0.025, 0.975))
        R_low, R_high = np.quantile(R, (0.025, 0.975)) if np.isfinite(R).all() else (math.nan, math.nan)
        names = ("graph", "model", "rule", "model_name", "strategy", "budget", "reach", "reach_low", "reach_high")
        rows.append(
            {"condition": base, **{n: here[n] for n in names}, "draws": len(found), "predictive_low": low}
            | {"predictive_high": high, "R": R.mean(), "R_low": R_low, "R_high": R_high}
        )
    return pd.DataFrame(rows)
