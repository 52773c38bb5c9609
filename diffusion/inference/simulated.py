"""Logs of known truth: cascades of a model, as if they had been observed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._progress import progress
from .._random import RNGLike, derive_key, generator, key_of
from .._validation import is_whole, whole
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..simulation.simulate import simulate_one
from .action_log import ActionLog

__all__ = ["simulate_log"]


def simulate_log(
    graph: FollowerGraph,
    *,
    items: int = 1000,
    seeds: int | Sequence[Any] = 1,
    model: DiffusionModel | str = "ic",
    rng: RNGLike = None,
) -> ActionLog:
    """Simulate a log of known truth: one cascade an item, with steps as times.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, for models that need them.
    items : int
        Number of cascades.
    seeds : int, or sequence of lists of labels
        How many users, drawn evenly, start each item; or the seeds of every item.
    model : DiffusionModel or {"ic", "lt"}
    rng : int, Generator or None

    Returns
    -------
    ActionLog
        Items 0, 1, ...; those whose cascade is empty are left out and counted in `dropped`.

    Raises
    ------
    InputError
        More seeds than nodes, or seeds for another number of items.

    See Also
    --------
    inference.fit_probabilities, inference.ActionLog.from_cascades, simulate_one

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> log = simulate_log(g.with_probabilities("constant", p=1.0), items=2, seeds=[[0], [1]], rng=1)
    >>> log.sizes.tolist()
    [3, 2]
    """
    check_graph(graph)
    starts = None if is_whole(seeds) else list(seeds)  # type: ignore[arg-type]
    count = 0 if starts is not None else whole(seeds, "seeds", most=graph.n_nodes, of="nodes")
    items = whole(items, "items") if starts is None else len(starts)
    key = key_of(rng)
    draw = generator(derive_key(key, "seeds"))
    cascades = {}
    empty = 0
    with progress(total=items, description="simulating cascades", unit="items") as bar:
        for i in range(items):
            if starts is None:
                start = graph.nodes.take(draw.choice(graph.n_nodes, count, replace=False)).tolist()
            else:
                start = list(starts[i])
            cascade = simulate_one(graph, start, model=model, rng=derive_key(key, "item", i))
            if cascade.size:
                cascades[i] = cascade
            else:
                empty += 1
            bar.update()
    log = ActionLog.from_cascades(cascades)
    if empty:
        log.dropped["empty cascades"] = empty
    return log
