"""Logs of known truth: cascades of a model, as if they had been observed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._progress import progress
from .._random import RNGLike, derive_key, generator, key_of
from .._validation import is_whole, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_static
from ..models.base import DiffusionModel
from ..models.program import Start
from ..models.registry import model_of
from ..simulation.runner import seed_labels
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
        Users adopt when they enter its last state: under SIPS, those who share.
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
    check_static(graph)
    starts = None if is_whole(seeds) else list(seeds)  # type: ignore[arg-type]
    count = 0 if starts is not None else whole(seeds, "seeds", most=graph.n_nodes, of="nodes")
    items = whole(items, "items") if starts is None else len(starts)
    key = key_of(rng)
    draw = generator(derive_key(key, "seeds"))
    program = model_of(model).compile(graph)
    found = []
    with progress(total=items, description="simulating cascades", unit="items") as bar:
        for i in range(items):
            if starts is None:
                start = graph.index.internal(graph.nodes.take(draw.choice(graph.n_nodes, count, replace=False)))
            else:
                start = graph.index.internal(seed_labels(graph, starts[i]))
            trace = program.replay(Start(np.unique(start), np.uint64(key_of(derive_key(key, "item", i)))), 0)
            step = program.adoption_steps(trace)
            found.append((trace.nodes[step >= 0], step[step >= 0]))
            bar.update()
    sizes = [nodes.size for nodes, _ in found]
    if not sum(sizes):
        raise InputError(f"none of the {items:,} items has a seed: give seeds")
    nodes, steps = (np.concatenate(part) for part in zip(*found, strict=True))
    log = ActionLog.from_arrays(
        np.repeat(np.arange(items), sizes), graph.index.labels_of(nodes), steps, repeated="error"
    )
    if 0 in sizes:
        log.dropped["empty cascades"] = sizes.count(0)
    return log
