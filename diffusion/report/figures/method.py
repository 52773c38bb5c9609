"""The figure on the graphs: how followers are distributed."""

from __future__ import annotations

import pandas as pd

from ... import plotting
from ..format import cut
from ..read import StudyTables
from .base import Figure, finish

__all__ = ["method_figures"]


def method_figures(tables: StudyTables) -> list[Figure]:
    """Return the figure of the degree tail, one line a graph."""
    graphs = [g for g in tables.graphs if g.get("follower_ccdf")]
    if not graphs:
        return []
    figure, axes = plotting.panel(height=280, left=62, right=104 if len(graphs) > 1 else 16, top=10)
    colours = plotting.strategy_colours(str(g["label"]) for g in graphs)
    labels, frames = [], []
    for graph in graphs:
        frame = pd.DataFrame(graph["follower_ccdf"], columns=["followers_at_least", "share_of_users"])
        frames.append(frame.assign(graph=graph["label"]))
        frame = frame[(frame > 0).all(axis=1)]
        if len(frame):
            axes.plot(*frame.to_numpy(dtype=float).T, color=colours[graph["label"]], marker="o", markersize=3.5)
            name = cut(tables.graph_name(graph["label"]), 15)
            labels.append((float(frame["share_of_users"].iloc[-1]), name, colours[graph["label"]]))
    plotting.log_axis(axes, "x")
    plotting.log_axis(axes, "y")
    axes.set_xlabel("followers")
    axes.set_ylabel("share of users with at least as many")
    if len(labels) > 1:
        plotting.end_labels(axes, labels, x=axes.get_xlim()[1])
    first = sorted((float(k), float(s)) for k, s in graphs[0]["follower_ccdf"])
    # The record has a grid of degrees, so both facts are bounds, true as they stand.
    facts = {
        "graph": graphs[0]["label"],
        "half": max((k for k, s in first if s >= 0.5), default=0.0),
        "hundredth": min((k for k, s in first if s <= 0.01), default=None),
    }
    return [Figure("tail", [finish(figure, "Share of users by number of followers", "ccdf")], pd.concat(frames), facts)]
