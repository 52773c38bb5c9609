"""What to call where something else is given in place of a follower graph."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["how_to_build", "library_of"]

_MEANING = "edges_mean='follows' or 'influences'"
_BY_LIBRARY = {
    "networkx": f"FollowerGraph.from_networkx(graph, {_MEANING})",
    "igraph": f"FollowerGraph.from_igraph(graph, {_MEANING})",
    "scipy": f"FollowerGraph.from_scipy(matrix, {_MEANING})",
} | dict.fromkeys(
    ("pandas", "polars", "pyarrow"),
    f"FollowerGraph.from_pandas(table, source=..., target=..., directed=True, {_MEANING})",
)
_BY_PATH = f"dif.read_edges(path, directed=True, {_MEANING}), or FollowerGraph.load(path) for a file that save() wrote"
_OTHERS = f"FollowerGraph.from_arrays(sources, targets, directed=True, {_MEANING}), or see its other from_... methods"


def library_of(given: Any) -> str:
    """Name the library that an object comes from, where it makes graphs or tables; else ``""``."""
    names = (
        kind.__module__.partition(".")[0] for kind in type(given).__mro__
    )  # a class of one's own may derive from one
    return next((name for name in names if name in _BY_LIBRARY), "")


def how_to_build(given: Any) -> str:
    """Say what was given, and which call makes a follower graph of it."""
    if isinstance(given, type):
        return f"the class {given.__name__} itself was given: build a graph with {_OTHERS}"
    if isinstance(given, str | os.PathLike):
        return f"the path {os.fspath(given)!r} was given: read it with {_BY_PATH}"
    library = library_of(given)
    if library:
        return f"{'an' if library == 'igraph' else 'a'} {library} {type(given).__name__} was given: turn it into one with {_BY_LIBRARY[library]}"
    return f"a {type(given).__name__} was given: build a graph with {_OTHERS}"
