"""The one lazy registry: what lower modules load from higher ones when they are asked to, figures and the report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "load"]

REPORT = "diffusion.report", "write_report"
PLOTTING = "diffusion.plotting"


def load(name: str) -> Any:
    """Return a function of a higher module: "report", or one of `plotting` by its name."""
    module, function = REPORT if name == "report" else (PLOTTING, name)
    return getattr(import_module(module), function)


def draw(figure: str, result: Any, ax: Axes | None = None, **options: Any) -> Axes:
    """Call ``diffusion.plotting.plot_<figure>(result, ax=ax)``."""
    axes: Axes = getattr(import_module(PLOTTING), f"plot_{figure}")(result, ax=ax, **options)
    return axes
