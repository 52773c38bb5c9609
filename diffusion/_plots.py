"""The one lazy registry of figures: results draw themselves through it, and plotting is loaded when they do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]


def draw(figure: str, result: Any, ax: Axes | None = None, **options: Any) -> Axes:
    """Call ``diffusion.plotting.plot_<figure>(result, ax=ax)``."""
    axes: Axes = getattr(import_module("diffusion.plotting"), f"plot_{figure}")(result, ax=ax, **options)
    return axes
