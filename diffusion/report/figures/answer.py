"""The figure that answers first: what each factor does to reach, and how much of its variance it explains."""

from __future__ import annotations

import dataclasses

import pandas as pd

from ... import plotting
from ..analysis import dominant_factor, factor_effects, variance_shares
from ..format import cut, label, number, percent
from ..read import StudyTables
from .base import Figure, dot_panel

__all__ = ["answer_figure"]


def answer_figure(tables: StudyTables) -> Figure | None:
    """Return average effects on reach, and shares of variance."""
    effects, shares = factor_effects(tables), variance_shares(tables)
    dominant = dominant_factor(tables)
    if not effects or dominant is None:
        return None
    several = tables.varies("contagion")
    rows = []
    for effect in effects:
        levels = [number(v) if isinstance(v, float | int) else label(str(v)) for v in (effect.start, effect.to)]
        name = {"n_seeds": "seeds", "strategy": "", "place": ""}.get(effect.factor, effect.factor)
        text = f"{name} {cut(levels[0], 16)} → {cut(levels[1], 16)}".strip()
        rows.append(text + (f" ({effect.contagion})" if effect.contagion and several else ""))
    ratios = [effect.change.ratio for effect in effects]
    frame = pd.DataFrame(ratios, columns=["value", "low", "high"]).assign(row=rows, level="")
    bars = pd.DataFrame({"row": shares.index, "level": "", "value": 100 * shares.to_numpy()})
    bars = bars.assign(low=0.0, high=bars["value"], note=[percent(s, 2) for s in shares]).head(8)
    panels = [
        dot_panel(frame, name="e", head="Average effect", xlabel="reach times", log=True, line=1.0),
        dot_panel(bars, name="v", head="What matters most", xlabel="variance of log reach explained (%)", notes=True),
    ]
    data = pd.DataFrame([dataclasses.asdict(effect) | {"change": None} for effect in effects]).drop(columns="change")
    data = pd.concat(
        [data.astype({"start": str, "to": str}), frame[["value", "low", "high"]].add_prefix("times_")], axis=1
    )
    data["variance_share"] = data["factor"].map(shares)
    return Figure("effects", panels, data, {"dominant": dominant, "plain": plotting.GREY})
