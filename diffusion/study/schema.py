"""The tables of a study: every column once, with its type, its unit and its meaning.

The writer, the reader, the tests and the page of the documentation are made from what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ..errors import InputError, MissingDataError, ReadError

__all__ = ["TABLES", "Column", "Table", "check_model_columns", "conform", "markdown", "read_table"]

Kind = Literal["text", "count", "number", "flag"]
DTYPES: dict[Kind, Any] = {"text": "str", "count": "int64", "number": "float64", "flag": "bool"}


@dataclass(frozen=True)
class Column:
    """A column: its name, type, unit and meaning; `group` names the models that fill it, empty: all."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    group: str = ""
    role: Literal["", "parameter", "derived"] = ""  # of columns that models bring: what they follow from


@dataclass(frozen=True)
class Table:
    """A table: its columns, and what one row is."""

    name: str
    row: str
    columns: tuple[Column, ...]
    open: bool = False  # models may bring further columns

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", "", meaning)


def _parameter(name: str, kind: Kind, unit: str, meaning: str, group: str, *, derived: bool = False) -> Column:
    return Column(name, kind, unit, meaning, group, "derived" if derived else "parameter")


def _count(name: str, unit: str, meaning: str) -> Column:
    return Column(name, "count", unit, meaning)


def _number(name: str, unit: str, meaning: str, group: str = "") -> Column:
    return Column(name, "number", unit, meaning, group)


def _estimate(
    name: str, unit: str, meaning: str, group: str = "", ends: tuple[str, str] | None = None
) -> tuple[Column, ...]:
    """A value with the two ends of its confidence interval, by default NAME_low and NAME_high."""
    low, high = ends or (f"{name}_low", f"{name}_high")
    return (
        _number(name, unit, meaning, group),
        _number(low, unit, "lower end of its interval", group),
        _number(high, unit, "upper end of its interval", group),
    )


def _over_graphs(name: str, unit: str, meaning: str) -> tuple[Column, ...]:
    """An estimate over the replicated graphs of a condition, and both parts of its error."""
    return (
        *_estimate(name, unit, f"mean over graphs of: {meaning}"),
        _number(f"{name}_sd_between", unit, "standard deviation between graphs"),
        _number(f"{name}_se_within", unit, "mean standard error of one graph's value by simulation alone"),
    )


def _difference(of: str) -> tuple[Column, ...]:
    difference = _estimate("difference", "users", f"mean over shared worlds of {of}", ends=("low", "high"))
    return (*difference, _count("runs", "runs", "worlds that both have met"))


CELL = _text("cell", "identity of the cell: a hash of all that its numbers depend on")
FACTORS = (
    _text("graph", "label of the graph"),
    _text("model", "label of the model with its parameters"),
    _text("rule", "rule for the propagation probabilities; empty for models that take none"),
)
STRATEGY = _text("strategy", "method that chooses the seeds")
PLACE = _text(
    "place", "where the seeds are put: anywhere, one community (the largest), spread (communities take turns)"
)
BUDGET = _text("budget", "label of the budget: a number of seeds, or money")

REPLICATE = _count("replicate", "", "which of the independent graphs and draws of seeds, from 0")
STRUCTURE = (
    _number("users", "users", "users of the generated platform; NaN for other graphs, as the next five"),
    _number("communities", "", "its communities"),
    _number("mixing_set", "share", "mixing it was asked for, or that a copy was rewired to"),
    _number("mean_followers", "users", "its mean number of followers"),
    _number("tail", "", "its tail exponent of followers"),
    _number("reciprocity", "share", "of its arcs that are returned"),
)
NAMED = (*FACTORS, _text("model_name", "name of the model in the study, by default its label"))

CONTAGION = _text("contagion", "simple, complex (one sharer alone can convince nobody) or linear (exposures add up)")
IDENTITY = _text("condition", "identity of the condition: everything but the replicate")
AMOUNT = (
    _text("budget_kind", "k (a number of seeds) or money"),
    _number("budget_value", "seeds or RMB", "size of the budget"),
)
KIND = (_text("model_kind", "name of the model without its parameters"), CONTAGION)
CONFIDENCE = _number("confidence", "share", "level of every interval")
GRAPHS = _count("replicates", "graphs", "independent graphs")

RESULTS = (
    CELL,
    IDENTITY,
    *NAMED,
    REPLICATE,
    _text(
        "detail",
        "what was measured: reach; R of typical sharers too; phase, with how it grows; full, with shapes and communities",
    ),
    STRATEGY,
    PLACE,
    BUDGET,
    *AMOUNT,
    *KIND,
    _parameter(
        "identify",
        "text",
        "",
        "way to identify with a note: simple, or complex and the number of sharers needed",
        "SIPS",
    ),
    _parameter("feed", "number", "users", "mean users to whom the feed shows a note, before engagement", "SIPS"),
    _parameter(
        "eta", "number", "share", "share of stated intentions acted upon, where the funnel is the survey's", "SIPS"
    ),
    _parameter("attention", "number", "probability", "that a follower attends to a note", "SIPS"),
    _parameter("rho", "number", "probability", "that an attended exposure makes a new sharer", "SIPS", derived=True),
    _parameter(
        "shares_per_follower",
        "number",
        "probability",
        "attention times rho: that a follower of a sharer shares because of it",
        "SIPS",
        derived=True,
    ),
    _parameter("fraction", "number", "share", "of followed accounts that must be active", "Threshold"),
    _parameter("count", "number", "users", "followed accounts that must be active", "Threshold"),
    _parameter(
        "noise",
        "number",
        "probability",
        "of activation below the threshold, by every newly active followed account",
        "Threshold",
    ),
    *STRUCTURE,
    _number("mixing", "share", "of arcs that lead to another community"),
    _count("n_nodes", "users", "users of the graph"),
    _count("n_seeds", "users", "seeds"),
    _number("cost", "RMB", "price of the seeds"),
    *_estimate("reach", "users", "mean number of users active at the end, seeds included"),
    _number("reach_per_cost", "users per RMB", "reach over cost"),
    CONFIDENCE,
    _count("runs", "runs", "simulated spreads"),
    _number("rel_error", "share", "half width of the interval of reach over reach"),
    _text("stopped_by", "precision, max_runs, or deterministic"),
    _text(
        "phase", "of growth on this graph with this model: exponential, subcritical, core, undecided, not applicable"
    ),
    _text("phase_cause", "why, as a word"),
    _text("phase_reason", "why, as a sentence"),
    _number("R_predicted", "sharers", "new sharers that a typical sharer makes, by the next-generation operator"),
    *_estimate("R", "sharers", "the same as measured from typical sharers before depletion"),
    _count("R_runs", "runs", "cascades in which R was measured"),
    *_estimate("deceleration", "", "0 for exponential growth, 1/d for growth in d dimensions"),
    _number("core_share", "share", "of all users who carry 90 % of R"),
    *_estimate("rate", "per step", "growth rate, log R"),
    *_estimate("doubling", "steps", "in which new activations double"),
    *_estimate("R_campaign", "", "ratio of new activations at successive early steps of this campaign"),
    _number("R_campaign_predicted", "", "the same as forecast by message passing from these seeds, with depletion"),
    _count("fit_first", "step", "first early step; -1 if there is none"),
    _count("fit_last", "step", "last early step; -1 if there is none"),
    *_estimate(
        "outbreak_probability",
        "probability",
        "of a run that reaches the outbreak share",
        ends=("outbreak_low", "outbreak_high"),
    ),
    _number("outbreak_share", "share", "of all users from which on a run is an outbreak"),
    *_estimate(
        "global_probability",
        "probability",
        "of a global cascade: a run that reaches the global share of all users, more than one community holds",
        ends=("global_low", "global_high"),
    ),
    _number("global_share", "share", "of all users from which on a run is a global cascade"),
    _number("depth", "steps", "from the seeds to the last activation, mean over replayed runs"),
    _number("breadth", "users", "most activations in one step, mean over replayed runs"),
    _number("virality", "steps", "mean distance between two users of a cascade tree, mean over replayed runs"),
    _count("virality_runs", "runs", "replayed runs that have a structural virality"),
    *_estimate("sharers", "users", "mean number of users who share, seeds included", "SIPS"),
    *_estimate("feed_share", "share", "of reach that was first met in the feed", "SIPS"),
    _number("redundancy", "share", "of attended exposures that met users exposed before", "SIPS"),
    _number("entry_share", "share", "of communities entered, mean over replayed runs"),
    _number("entropy", "bits", "of the shares of reach by community"),
    _number("dominance", "share", "of reach in the community that has most of it"),
    _number("lower", "users", "certified lower bound of the reach of these seeds"),
    _number("upper", "users", "certified upper bound of the reach of any seeds of this budget"),
    _number("ratio", "share", "lower over upper: certified share of the optimum"),
    _text("key", "key of the worlds, shared by all cells of one graph and model"),
    _number(
        "seconds_select", "s", "choosing the seeds; a shared ranking counts once, in the cell that asked for it first"
    ),
    _number("seconds_simulate", "s", "simulating"),
)

CONDITION = (
    IDENTITY,
    *NAMED,
    STRATEGY,
    PLACE,
    BUDGET,
    *AMOUNT,
    *KIND,
    *(column for column in RESULTS if column.role),
    *STRUCTURE,
    _number("mixing", "share", "of arcs that lead to another community, mean over graphs"),
    _count(
        "replicates",
        "graphs",
        "independent graphs; with one no interval over graphs is claimed: it is the simulation's",
    ),
    CONFIDENCE,
    _number("n_nodes", "users", "users of a graph"),
    _number("n_seeds", "users", "seeds, mean over graphs"),
    _number("cost", "RMB", "price of the seeds, mean over graphs"),
    *_over_graphs("reach", "users", "users active at the end, seeds included"),
    *_over_graphs("reach_share", "share", "reach over users of the graph"),
    *_over_graphs("reach_per_cost", "users per RMB", "reach over cost"),
    *_over_graphs("outbreak_probability", "probability", "that a run reaches the outbreak share of users"),
    *_over_graphs("global_probability", "probability", "that a run reaches the global share of users"),
    *_over_graphs("R_predicted", "sharers", "R by the next-generation operator"),
    *_over_graphs("R", "sharers", "R measured from typical sharers before depletion"),
    *_over_graphs("R_campaign", "", "early growth ratio of this campaign"),
    *_over_graphs("feed_share", "share", "reach that was first met in the feed"),
    *_over_graphs("entry_share", "share", "communities entered"),
    *_over_graphs("ratio", "share", "certified share of the optimum"),
)

SWEPT = (
    _text("factor", "what is varied: a parameter of the platform or of the model, or budget"),
    _text("level", "its level"),
    _number("value", "", "the level as a number; NaN if it is none"),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("results", "a cell: one graph, model, rule, strategy, place and budget", RESULTS, open=True),
        Table(
            "conditions",
            "a condition: the estimate over its graphs, which are the unit of every interval",
            CONDITION,
            open=True,
        ),
        Table(
            "points",
            "a cell as a point of a part of the design; a cell may belong to several parts",
            (
                _text(
                    "part",
                    "crossed, sweep, map, base, or predictive: a draw of the survey's posteriors (level_y: its base)",
                ),
                _count("number", "", "which sweep or map, from 0"),
                *SWEPT,
                _text("factor_y", "the second factor of a map"),
                _text("level_y", "its level"),
                _number("value_y", "", "the level as a number; NaN if it is none"),
                CELL,
                IDENTITY,
            ),
        ),
        Table(
            "phases",
            "a graph, model and rule: how Share & Spread grows, over the replicated graphs",
            (
                *NAMED,
                CONTAGION,
                GRAPHS,
                *_estimate("R_predicted", "sharers", "R by the next-generation operator, mean over graphs"),
                *_estimate("R", "sharers", "R measured before depletion, mean over graphs"),
                *_estimate("doubling", "steps", "in which new activations double, from the mean growth rate"),
                *_estimate("deceleration", "", "0 for exponential growth, 1/d for growth in d dimensions"),
                _number("p_value", "probability", "of a rate and a deceleration as good, were growth not exponential"),
                _number("p_adjusted", "probability", "the same, corrected over all rows (Benjamini and Hochberg)"),
                _text("phase", "exponential (5 % false discoveries), subcritical, core, undecided, not applicable"),
                _text("phase_cause", "why, as a word; of most graphs"),
            ),
        ),
        Table(
            "critical",
            "a graph, model and factor: where R crosses 1, everything else at the base point",
            (
                *NAMED,
                *SWEPT[:1],
                _number("value", "", "the factor at the base point"),
                _number("R", "sharers", "R at the base point, mean over graphs"),
                *_estimate("critical", "", "value of the factor at which R is 1, mean over graphs that have one"),
                _number("most", "", "largest value that was tried"),
                _number("R_at_most", "sharers", "R there, mean over graphs"),
                _count("crossed", "graphs", "graphs on which R crosses 1 in the range"),
                GRAPHS,
            ),
        ),
        Table(
            "sensitivity",
            "a measure and an input: its share of the variance over the ranges declared",
            (
                _text("measure", "log reach, or log R"),
                _text("input", "what is varied"),
                _text("range", "its range or distribution, as declared"),
                *_estimate("first", "share", "Sobol index of first order: of this input alone"),
                *_estimate("total", "share", "Sobol index of total order: with all its interactions"),
                _count("samples", "", "base samples; each input adds as many evaluations"),
                _count("evaluations", "", "evaluations in all"),
            ),
        ),
        Table(
            "samples",
            "an evaluation of the sensitivity analysis: inputs beside reach and R",
            (
                _count("sample", "", "which base sample, from 0"),
                _text("block", "A, B, or the input that is taken from B"),
                _number("reach", "users", "mean reach"),
                _number("R", "sharers", "R by the next-generation operator"),
            ),
            open=True,
        ),
        Table(
            "predictive",
            "a condition: its reach with the uncertainty of the survey's answers, or of data, carried through",
            (
                _text("condition", "identity of the condition of the base point"),
                *NAMED,
                STRATEGY,
                BUDGET,
                _count(
                    "draws",
                    "",
                    "draws of the stage probabilities from their posteriors, each on the next graph in turn",
                ),
                *_estimate(
                    "reach", "users", "mean reach, and its interval with the stage probabilities at their means"
                ),
                _number("predictive_low", "users", "2.5 % quantile over draws"),
                _number("predictive_high", "users", "97.5 % quantile over draws"),
                *_estimate("R", "sharers", "mean R, and the quantiles over draws"),
            ),
        ),
        Table(
            "new_by_step",
            "a step of a cell",
            (
                CELL,
                _count("step", "step", "0 holds the seeds"),
                _number("mean", "users", "mean new activations"),
                _number("low", "users", "2.5 % quantile over runs"),
                _number("median", "users", "median over runs"),
                _number("high", "users", "97.5 % quantile over runs"),
                _number("alive", "share", "of runs with a new activation"),
                *_estimate("R", "", "new activations at the next step over those at this one, pooled over runs"),
                _number("R_predicted", "", "the same by message passing from these seeds, with depletion"),
                Column("fitted", "flag", "", "whether the step is an early one"),
            ),
        ),
        Table(
            "reach_by_community",
            "a community of a cell; beyond 64 the smaller ones are added up",
            (
                CELL,
                _text("community", "label of the community"),
                _count("size", "users", "users of the community"),
                _number("reach", "users", "mean number of them active at the end"),
                _number("share", "share", "of the whole reach"),
                _number("entry_step", "step", "mean first step there, over replayed runs that entered it"),
                _number("entered", "share", "of replayed runs that entered it"),
            ),
        ),
        Table(
            "seeds",
            "a seed of a cell",
            (
                CELL,
                _count("rank", "", "place in the order chosen, from 1"),
                _text("node", "label of the user"),
                _text("tier", "creator tier"),
                _text("community", "label of the community"),
                _count("followers", "users", "followers"),
                _number("price", "RMB", "price"),
            ),
        ),
        Table(
            "funnel",
            "a stage of a cell and channel of first exposure, for models with stages; seeds are left out",
            (
                CELL,
                _text("channel", "follow, feed, or all"),
                _text("stage", "exposed, sympathized, identified, participated, shared"),
                *_estimate("users", "users", "mean users at the stage", ends=("low", "high")),
                *_estimate("rate", "share", "of those at the stage before"),
            ),
        ),
        Table(
            "paired",
            "a strategy against the best one of its setting and budget, on the same worlds; of conditions with one graph",
            (
                *FACTORS,
                BUDGET,
                PLACE,
                STRATEGY,
                _text("best", "strategy with the highest mean reach"),
                *_difference("reach minus reach of the best"),
            ),
        ),
        Table(
            "paired_place",
            "two places of the seeds of one strategy, on the same worlds; of conditions with one graph",
            (
                *FACTORS,
                BUDGET,
                STRATEGY,
                _text("place_a", "one place"),
                _text("place_b", "the other place"),
                *_difference("reach at place_a minus reach at place_b"),
            ),
        ),
    )
}


def check_model_columns(names: Iterable[str], model: str) -> None:
    """Refuse columns of a model that would replace columns every cell has."""
    own = {column.name for column in RESULTS if not column.role}
    for name in names:
        if name in own:
            raise InputError(
                f"the model {model} brings a column {name!r} to the table of results, which has one of that name: rename the "
                "parameter, or override study_columns"
            )


def conform(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the columns of a table in their order and types; missing texts are empty, numbers NaN."""
    table = TABLES[name]
    columns = {}
    for column in table.columns:
        values = frame[column.name] if column.name in frame else pd.Series(index=frame.index, dtype=object)
        if column.kind == "text":
            columns[column.name] = values.astype(object).where(values.notna(), "").astype("str")
        else:
            columns[column.name] = values.astype(DTYPES[column.kind])
    extra = [c for c in frame if c not in columns] if table.open else []
    return pd.DataFrame(columns | {c: frame[c] for c in extra}, index=frame.index).reset_index(drop=True)


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of a finished study and check it against its columns."""
    path, table = folder / f"{name}.parquet", TABLES[name]
    if not path.is_file():
        raise MissingDataError(
            f"there is no '{path}': the study has not finished; run it again, it goes on where it was"
        )
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ReadError(f"'{path}' cannot be read as a Parquet table ({error}): run the study again") from None
    missing = [column for column in table.names if column not in frame]
    if missing:
        raise ReadError(
            f"'{path}' lacks {', '.join(map(repr, missing))}: it needs {', '.join(table.names)}; "
            "run the study again with this version"
        )
    try:
        return conform(name, frame)
    except (TypeError, ValueError) as error:
        raise ReadError(f"'{path}' holds values of another type ({error}): run the study again") from None


def markdown() -> str:
    """Return the page of the documentation that explains every column."""
    words = {"text": "text", "count": "whole number", "number": "number", "flag": "true or false"}
    lines = [
        "# Tables of a study",
        "",
        "A study writes Parquet files into its folder; `StudyResult.to_pandas(name)` reads them. A missing number is NaN, a "
        "missing text empty. A model may bring further columns to `results`, one for each parameter.",
        "",
    ]
    for table in TABLES.values():
        lines += [f"## {table.name}", "", f"One row is {table.row}.", "", "| column | type | unit | meaning |"]
        lines.append("|:---|:---|:---|:---|")
        for c in table.columns:
            of = f" ({c.group})" if c.group else ""
            lines.append(f"| `{c.name}` | {words[c.kind]} | {c.unit} | {c.meaning}{of} |")
        lines.append("")
    return "\n".join(lines)
