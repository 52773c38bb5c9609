"""The figure on the graphs: how followers are distributed."""

from __future__ import annotations

import pandas as pd

from ._figures import Exhibit, Panel, plotting
from ._format import count, cut
from ._read import Tables

__all__ = ["method_figures"]


def method_figures(tables: Tables) -> list[Exhibit]:
    """Return the figure of the degree tail, one line a graph."""
    graphs = [g for g in tables.graphs if g.get("follower_ccdf")]
    if not graphs:
        return []
    with plotting.style():
        figure, axes = plotting.panel(height=280, left=62, right=104 if len(graphs) > 1 else 16, top=10)
        labels, data = [], []
        colours = plotting.strategy_colours(str(g["label"]) for g in graphs)
        for graph in graphs:
            name = str(graph["label"])
            points = [(float(k), float(s)) for k, s in graph["follower_ccdf"] if k > 0 and s > 0]
            data += [{"graph": name, "followers_at_least": k, "share_of_users": s} for k, s in graph["follower_ccdf"]]
            if not points:
                continue
            k, s = zip(*points, strict=True)
            axes.plot(k, s, color=colours[name], marker="o" if len(points) < 60 else None, markersize=3.5)
            labels.append((s[-1], cut(tables.graph_name(name), 15), colours[name]))
        plotting.log_axis(axes, "x")
        plotting.log_axis(axes, "y")
        axes.set_xlabel("followers")
        axes.set_ylabel("share of users with at least as many")
        if len(labels) > 1:
            plotting.end_labels(axes, labels, x=axes.get_xlim()[1])
        panel = Panel(plotting.figure_to_svg(figure, title="Share of users by number of followers", name="ccdf"))
    first = graphs[0]
    ccdf = sorted((float(k), float(s)) for k, s in first["follower_ccdf"])
    median = max((k for k, s in ccdf if s >= 0.5), default=0.0)
    one = min((k for k, s in ccdf if s <= 0.01), default=None)
    # The record has a grid of degrees, so both halves of the sentence are bounds, true as they stand.
    title = f"At least half of the users have {count(median)} follower{'' if median == 1 else 's'} or more"
    if one is not None:
        title += f", at most one in a hundred has {count(one)} or more"
    if len(graphs) > 1:
        title += f" ({first['label']})"
    caption = (
        "Share of users with at least so many followers; both axes are logarithmic, so a power law is a straight line."
    )
    return [Exhibit("tail", title, [panel], caption, pd.DataFrame(data))]
