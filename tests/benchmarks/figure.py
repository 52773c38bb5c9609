"""Runs per second by package, on a logarithmic axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

OURS = "this package"
RULES = {"wc": "weighted cascade", "p=.01": "p = 0.01", "p=.05": "p = 0.05"}


def _points(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Case -> package -> runs a second, the largest graph last."""
    found: dict[str, dict[str, float]] = {}
    for section in ("others", "ic", "lt"):
        for row in results.get(section, {}).get("found", {}).get("rows", []):
            if "missing" in row:
                continue
            rule = "" if row["model"] == "lt" else ", " + RULES[row["rule"]]
            case = found.setdefault(f"{row['model'].upper()} {row['graph']}{rule}", {})
            case[OURS] = row["ours"]
            case[row["peer_name"]] = row["peer"]
    return found


def draw(results: dict[str, Any], path: Path) -> bool:
    """Write the figure; False where there is nothing to draw."""
    points = _points(results)
    if not points:
        return False
    from matplotlib.lines import Line2D

    from diffusion import plotting

    cases = sorted(points, key=lambda name: (name.split(",")[0].split()[1] == "M", name.startswith("LT"), name))
    names = [OURS, "CyNetDiff", "PyNetIM", "EoN", "NDlib"]
    names = [name for name in names if any(name in points[case] for case in cases)]
    with plotting.style():
        figure, axes = plotting.panel(640, 60 + 26 * len(cases), left=170, right=24, top=34, bottom=42)
        for y, case in enumerate(cases):
            values = points[case]
            axes.plot(
                [min(values.values()), max(values.values())], [y, y], color=plotting.GREY, linewidth=0.8, zorder=1
            )
            for i, name in enumerate(names):
                if name in values:
                    axes.plot(values[name], y, plotting.MARKERS[i], color=plotting.PALETTE[i], markersize=7, zorder=2)
        plotting.log_axis(axes, "x")
        axes.set_yticks(range(len(cases)), cases)
        axes.set_ylim(len(cases) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("runs a second, one thread")
        handles = [
            Line2D(
                [], [], linestyle="", marker=plotting.MARKERS[i], color=plotting.PALETTE[i], markersize=7, label=name
            )
            for i, name in enumerate(names)
        ]
        axes.legend(
            handles=handles, ncols=len(handles), loc="lower left", bbox_to_anchor=(-0.02, 1.0), handletextpad=0.1,
            columnspacing=1.2, borderaxespad=0.2,
        )  # fmt: skip
        figure.savefig(path, metadata={"Date": None, "Creator": None} if path.suffix == ".svg" else None)
    return True
