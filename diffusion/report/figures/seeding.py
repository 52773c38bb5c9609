"""The figures on whom to seed: reach by strategy and budget, and what one user reached costs."""

from __future__ import annotations

from typing import Any

from ..analysis import baseline_of, strategy_effects
from ..read import StudyTables, largest
from .base import FACTORS, Figure, Look, budgets_of, dot_panel, line_panel, marks_of, telling

__all__ = ["seeding_figures"]

REACH = [*FACTORS, "budget_value", "n_seeds", "n_nodes", "cost", "reach", "reach_low", "reach_high", "runs"]


def seeding_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures on strategies."""
    look = Look(tables)
    drawn = [_reach(tables, look, kind) for kind in ("k", "money")] + [_cost(tables, look)]
    return [figure for figure in drawn if figure is not None]


def _reach(tables: StudyTables, look: Look, kind: str) -> Figure | None:
    """Reach by strategy: against the number of seeds, or one mark a budget."""
    rows = tables.seeded[tables.seeded["budget_kind"] == kind]
    if rows.empty:
        return None
    open_rows = rows[rows["place"] == "anywhere"] if (rows["place"] == "anywhere").any() else rows
    budgets = budgets_of(rows)
    lines = kind == "k" and len(budgets) > 2
    panels = []
    for i, (setting, own) in enumerate(telling(tables, open_rows)):
        head, name = tables.name(setting) or setting["model"], f"{kind}{i}"
        if lines:
            frame = own.assign(x=own["budget_value"])
            panels.append(line_panel(frame, look, name=name, head=head, xlabel="seeds", log=True))
            continue
        order = own.groupby("strategy")["reach"].max().sort_values(ascending=False).index
        own = own.assign(row=own["strategy"], level=own["budget"], value=own["reach"], low=own["reach_low"])
        own = (
            own.assign(high=own["reach_high"])
            .set_index("strategy")
            .loc[order]
            .sort_values("budget_value", kind="stable")
        )
        own = own.loc[order].reset_index()
        panels.append(dot_panel(own, name=name, head=head, xlabel="reach (users)", colours=look.colour, log=True))
    n_settings = len(open_rows[["graph", "model", "rule", "place"]].drop_duplicates())
    facts = {
        "budgets": budgets,
        "baseline": baseline_of(tables),
        "best": next(iter(strategy_effects(tables, kind)), None),
        "drawn": (len(panels), n_settings),
        "lines": lines,
        "short": sorted(set(rows.loc[rows["n_seeds"] < rows["budget_value"], "strategy"])) if kind == "k" else [],
    }
    return Figure(f"reach-{kind}", panels, rows[REACH], facts, [] if lines else marks_of(budgets))


def _cost(tables: StudyTables, look: Look) -> Figure | None:
    """Cost of one user reached: median and range over settings."""
    rows = tables.seeded[(tables.seeded["cost"] > 0) & (tables.seeded["reach"] > 0)]
    if rows.empty:
        return None
    rows = rows.assign(cost_per_user=rows["cost"] / rows["reach"])
    free = rows[rows["place"] == "anywhere"] if (rows["place"] == "anywhere").any() else rows
    spread = free.groupby(["strategy", "budget_value", "budget"])["cost_per_user"].agg(["min", "median", "max"])
    spread = spread.reset_index().rename(columns={"strategy": "row", "min": "low", "median": "value", "max": "high"})
    order = spread.groupby("row")["value"].min().sort_values().index
    frame = spread.set_index("row").loc[order].reset_index().assign(level=lambda f: f["budget"])
    frame["row"] = frame["row"].astype(str)
    levels = budgets_of(free)
    frame["level"] = frame["level"].astype("category").cat.set_categories(levels).astype(str)
    panel = dot_panel(
        frame, name="c", head="By strategy", xlabel="cost of one user reached (RMB)", colours=look.colour, log=True
    )
    ends = largest(frame.assign(cheap=-frame["value"]), "cheap"), largest(frame, "value")
    facts: dict[str, Any] = {"ends": [(row["row"], row["level"], float(row["value"])) for row in ends]}
    facts["settings"] = len(free[["graph", "model", "rule", "place"]].drop_duplicates())
    return Figure(
        "cost", [panel], rows[[*REACH, "cost_per_user"]], facts, marks_of(list(dict.fromkeys(frame["level"])))
    )
