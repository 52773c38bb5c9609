"""The player of a cascade: one HTML file, or a Jupyter widget, drawn in the browser by ``static/player.js``.

Numbers go into the page as arrays of the smallest type, their bytes in planes, gzipped and in base64. Users stand in the
order of disc and x, so that differences are small. Words are in ``templates``.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import os
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from .._files import write_text
from ..errors import DiffusionError, InputError
from ..results.cascade import Cascade
from .layout import check_kind
from .node_places import NodePlaces, node_places, places_of_cascade

__all__ = ["player_page", "player_widget"]

MOST_ARCS = 200_000  # above, only those of the cascade tree are drawn
MOST_LABELS = 200_000  # above, only the users reached first are named
FIRST_LABELS = 100_000
MOST_STILL = 3_000  # users in the picture for browsers without WebGL2
MOST_ROWS = 500  # rows of its table

_GRID = 65_535  # places are whole numbers up to this
_STILL = 1_000  # size of the picture

Ints = NDArray[np.int64]


def player_page(
    cascade: Cascade,
    path: str | os.PathLike[str],
    *,
    communities: Any = None,
    layout: Any = None,
    title: str | None = None,
) -> Path:
    """Write the player to one HTML file; see `Cascade.to_html`.

    Parameters
    ----------
    cascade : Cascade
    path : path
    communities, layout, title
        As in `Cascade.to_html`.

    Returns
    -------
    Path

    See Also
    --------
    results.Cascade

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     player_page(Cascade.from_parents("ab", [None, "a"]), pathlib.Path(folder) / "replay.html").name
    'replay.html'
    """
    spec = _spec(cascade, communities, layout, title)
    page = _environment().get_template("player.html.jinja")
    write_text(path, page.render(**spec, spec=_json(spec), script=_static("player.js"), style=_static("player.css")))
    return Path(path)


def player_widget(cascade: Cascade, *, communities: Any = None, layout: Any = None, title: str | None = None) -> Any:
    """Return the player as a Jupyter widget; see `Cascade.view`.

    Parameters
    ----------
    cascade : Cascade
    communities, layout, title
        As in `Cascade.to_html`.

    Returns
    -------
    anywidget.AnyWidget

    See Also
    --------
    results.Cascade
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise DiffusionError(
            "view() needs the package anywidget: pip install 'diffusion-graphs[view]', or write a page with to_html(path)"
        ) from None
    spec = _spec(cascade, communities, layout, title)
    still = _environment().get_template("still.html.jinja").render(**spec)
    kind = type(
        "CascadePlayer",
        (anywidget.AnyWidget,),
        {
            "_esm": _static("player.js"),
            "_css": _static("player.css"),
            "spec": traitlets.Unicode().tag(sync=True),
            "still": traitlets.Unicode().tag(sync=True),
        },
    )
    return kind(spec=_json(spec), still=still)


@dataclass
class _Packed:
    """Arrays for the page: each by name, type and length, its bytes in planes."""

    parts: list[tuple[str, str, int]] = field(default_factory=list)
    planes: list[bytes] = field(default_factory=list)

    def add(self, name: str, values: NDArray[Any]) -> None:
        """Add an array, whole numbers from 0 as the smallest type that holds them."""
        if values.dtype.kind in "iu":
            top = int(values.max(initial=0))
            values = values.astype("<u1" if top < 1 << 8 else "<u2" if top < 1 << 16 else "<u4")
        flat = np.ascontiguousarray(values)
        self.parts.append((name, flat.dtype.str[1:], flat.size))
        self.planes.append(flat.view(np.uint8).reshape(flat.size, flat.itemsize).T.tobytes())

    def add_ascending(self, name: str, values: NDArray[Any]) -> None:
        """Add whole numbers that never fall, as differences."""
        self.add(name, np.diff(values, prepend=0))

    def text(self) -> str:
        """Base64 of the gzipped bytes; the same arrays give the same text."""
        return base64.b64encode(gzip.compress(b"".join(self.planes), 6, mtime=0)).decode()


def _spec(cascade: Cascade, communities: Any, layout: Any, title: str | None) -> dict[str, Any]:
    """All that the page is made from."""
    check_kind(cascade, Cascade, "a cascade", "give ensemble.replay(run) or Cascade.from_parents(nodes, parents)")
    if not cascade.size:
        raise InputError("the cascade is empty: there is nothing to play")
    graph = cascade.graph
    if graph is None:
        if communities is not None or layout is not None:
            raise InputError("the cascade has no graph to lay out: leave out communities= and layout=")
        places, nodes, users = places_of_cascade(cascade), cascade.nodes, np.arange(cascade.size)
    else:
        places, nodes = node_places(graph, communities, layout), graph.nodes
        users = np.asarray(graph.index.positions(cascade.nodes), np.int64)
    n = len(nodes)
    x, y, aspect = _whole_places(places.place)
    shown = np.lexsort((np.arange(n), x, places.disc))  # position in the labels of each row of the page
    row = np.empty(n, np.int64)
    row[shown] = np.arange(n)
    reached_at = np.zeros(n, np.int64)
    reached_at[row[users]] = np.asarray(cascade.step, np.int64) + 1
    by_row = np.argsort(row[users])  # positions in the cascade, in the order of the page
    parent = np.asarray(cascade.parent, np.int64)[by_row]

    packed = _Packed()
    disc = places.disc[shown]
    packed.add("discs", np.bincount(disc, minlength=max(len(places.names), 1)))
    first = np.diff(disc, prepend=-1) > 0
    packed.add("x", np.where(first, x[shown], np.diff(x[shown], prepend=0)))
    packed.add("y", y[shown])
    packed.add("reached_at", reached_at)
    packed.add("parent", np.where(parent < 0, 0, row[users[parent]] + 1))
    kinds = cascade.categories
    for kind, values in kinds.items():
        for at, steps in enumerate(values.values()):
            packed.add(f"{kind} {at}", np.asarray(steps, np.int64)[by_row] + 1)
    if cascade.clock is not None:
        packed.add("time", cascade.clock[1][by_row].astype("<f4"))
    n_arcs = cascade.size - int((parent < 0).sum()) if graph is None else graph.n_edges
    if graph is not None and n_arcs <= MOST_ARCS:
        order = graph.index.order
        ends = np.repeat(row[order], np.diff(graph.csr.indptr)), row[order[graph.csr.indices]]
        by_source = np.lexsort(ends[::-1])
        packed.add_ascending("source", ends[0][by_source])
        packed.add("target", ends[1][by_source])
    named = _add_labels(packed, nodes, shown, row[users])

    facts = _facts(cascade, places, kinds, n, n_arcs, named)
    words: Any = _environment().get_template("player.words.jinja").module
    return {
        "title": words.title(facts).strip() if title is None else str(title),
        "summary": words.summary(facts).strip(),
        "notes": [line.strip() for line in words.notes(facts).splitlines() if line.strip()],
        "still_note": words.still_note(facts).strip(),
        "users": n,
        "reached": cascade.size,
        "steps": cascade.depth + 1,
        "by_step": cascade.breadth_by_step[:MOST_ROWS].tolist(),
        "clock": None if cascade.clock is None else cascade.clock[0],
        "aspect": aspect,
        "spacing": _spacing(x, y),
        "discs": [words.pooled(places.pooled).strip() if name is None else str(name) for name in places.names],
        "kinds": {kind: [str(value) for value in values] for kind, values in kinds.items()},
        "parts": packed.parts,
        "data": packed.text(),
        "still": _still(x[shown], y[shown], aspect, reached_at, row[users], parent, by_row),
    }


def _facts(
    cascade: Cascade, places: NodePlaces, kinds: dict[str, Any], users: int, arcs: int, named: int
) -> dict[str, Any]:
    """What the words are made from."""
    clock = cascade.clock
    hours = int(np.ceil(clock[1].max())) if clock is not None and clock[0] == "hours" else None
    return {
        "seeds": int((np.asarray(cascade.parent) < 0).sum()),
        "size": cascade.size,
        "depth": cascade.depth,
        "hours": hours,
        "users": users,
        "graph": cascade.graph is not None,
        "arcs": arcs,
        "all_arcs": arcs <= MOST_ARCS,
        "tree_arcs": int((np.asarray(cascade.parent) >= 0).sum()),
        "run": cascade.provenance.get("run"),
        "model": cascade.provenance.get("model"),
        "counts": {k: {v: int((np.asarray(s) >= 0).sum()) for v, s in values.items()} for k, values in kinds.items()},
        "layout": places.kind,
        "named": named,
        "discs": len(places.names),
        "still": min(users, MOST_STILL),
    }


def _whole_places(place: NDArray[np.float64]) -> tuple[Ints, Ints, float]:
    """Places as whole numbers from 0, the wider side up to 65,535; and height over width."""
    low, high = place.min(axis=0), place.max(axis=0)
    if high[1] - low[1] > high[0] - low[0]:  # pages are wider than high
        place, low, high = place[:, ::-1], low[::-1], high[::-1]
    width, height = (max(float(side), 1e-12) for side in high - low)
    whole = np.rint((place - low) / width * _GRID).astype(np.int64)
    return whole[:, 0], whole[:, 1], min(height / width, 1.0)


def _spacing(x: Ints, y: Ints) -> float:
    """Median distance of a user to the nearest other, over the width: what a dot may take."""
    from scipy.spatial import cKDTree

    if len(x) < 2:
        return 1.0
    points = np.column_stack([x, y])
    near = np.asarray(cKDTree(points).query(points[:: max(1, len(x) // 2_000)], k=2)[0])
    return float(np.median(near[:, 1])) / _GRID


def _add_labels(packed: _Packed, nodes: pd.Index[Any], shown: Ints, reached: Ints) -> int:
    """Add labels of all users, or of those reached first; `reached` has rows of the page in the order of step."""
    rows = np.arange(len(nodes)) if len(nodes) <= MOST_LABELS else np.sort(reached[:FIRST_LABELS])
    text = json.dumps([str(label) for label in nodes.take(shown[rows]).tolist()], ensure_ascii=False)
    packed.add("labels", np.frombuffer(text.encode(), np.uint8))
    if len(rows) < len(nodes):
        packed.add_ascending("named", rows)
    return len(rows)


def _still(
    x: Ints, y: Ints, aspect: float, reached_at: Ints, users: Ints, parent: Ints, by_row: Ints
) -> dict[str, Any]:
    """The end of the cascade as paths of an SVG: users by colour of their step, and arcs of the tree among them.

    Of many users, all those that fit: the reached ones first, by step, then others evenly over the rows.
    """
    kept = users[:MOST_STILL]
    others = np.flatnonzero(reached_at == 0)
    room = min(MOST_STILL - kept.size, others.size)
    others = others[np.linspace(0, others.size - 1, room).astype(np.int64)] if room else others[:0]
    across, down = (np.rint(values * (_STILL / _GRID)).astype(np.int64) for values in (x, _GRID * aspect - y))
    at = [f"{a} {b}" for a, b in zip(across.tolist(), down.tolist(), strict=True)]
    drawn = np.zeros(len(x), bool)
    drawn[kept] = True
    child = users[by_row]
    steps = reached_at[kept] - 1
    spans = _spans(np.bincount(steps))
    lines = [
        f"M{at[users[up]]}L{at[node]}"
        for node, up in zip(child.tolist(), parent.tolist(), strict=True)
        if up >= 0 and drawn[node] and drawn[users[up]]
    ]
    roots = child[parent < 0]
    return {
        "height": int(np.ceil(_STILL * aspect)),
        "arcs": "".join(lines),
        "others": "".join(f"M{at[node]}h0" for node in others.tolist()),
        "steps": [
            (
                round(9 * k / max(len(spans) - 1, 1)),
                str(first) if first == last else f"{first}–{last}",
                "".join(f"M{at[node]}h0" for node in kept[(steps >= first) & (steps <= last)].tolist()),
            )
            for k, (first, last) in enumerate(spans)
        ],
        "seeds": "".join(f"M{at[node]}h0" for node in roots[drawn[roots]].tolist()),
    }


def _spans(new: Ints) -> list[tuple[int, int]]:
    """First and last step of each colour: the seeds' step alone, the others so that users are about evenly shared."""
    later = new[1:]
    spans = [(0, 0)]
    middle = np.cumsum(later) - later / 2
    colour = np.arange(later.size) if later.size < 10 else np.floor(9 * middle / max(later.sum(), 1)).astype(np.int64)
    for c in np.unique(colour):
        mine = np.flatnonzero(colour == c) + 1
        spans.append((int(mine[0]), int(mine[-1])))
    return spans


def _json(spec: dict[str, Any]) -> str:
    """JSON for a script element: no character of it can end the element."""
    kept = {key: value for key, value in spec.items() if key not in ("still", "by_step", "still_note")}
    text = json.dumps(kept, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _static(name: str) -> str:
    return (files("diffusion.plotting") / "static" / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    """Templates: what goes into a page is escaped, words are plain text."""
    return Environment(
        loader=PackageLoader("diffusion.plotting", "templates"),
        autoescape=lambda name: name is not None and ".html." in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
