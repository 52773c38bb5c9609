"""Certified seeds for whatever model has them, with the draws of a study."""

from __future__ import annotations

from typing import Any

from .._random import generator
from ..cascades.models import Model
from ..cascades.sips import SIPS
from ..graph.follower_graph import FollowerGraph
from .select import select_seeds
from .selection import SeedSelection
from .sips_seeds import select_sips_seeds

__all__ = ["study_seeds"]


def study_seeds(graph: FollowerGraph, *, model: Model, method: str, key: int, **options: Any) -> SeedSelection:
    """Return the seeds that a study takes from a method that does not rank: `options` are those of `select_seeds`."""
    if isinstance(model, SIPS) and method in ("opim", "hist"):
        return select_sips_seeds(graph, model=model, method=method, rng=generator(key), **options)
    return select_seeds(graph, method=method, model=model, rng=generator(key), **options)
