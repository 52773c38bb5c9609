"""Refusal of what is no follower graph."""

from __future__ import annotations

from typing import Any

from .._given import how_to_build
from ..errors import InputError

__all__ = ["check_graph"]


def check_graph(graph: Any) -> None:
    """Refuse what is no follower graph, and say what to call."""
    from .follower_graph import FollowerGraph

    if not isinstance(graph, FollowerGraph):
        raise InputError(f"graph has to be a FollowerGraph, and {how_to_build(graph)}")
