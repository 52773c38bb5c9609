"""What lower modules load from higher ones, and only when they are asked to: reports, by name in one place."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["UPWARD", "load"]

UPWARD = {"report": ("diffusion.report", "write_report")}


def load(name: str) -> Any:
    """Return a function of a higher module."""
    module, function = UPWARD[name]
    return getattr(import_module(module), function)
