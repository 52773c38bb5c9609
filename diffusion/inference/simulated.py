"""Logs of known truth: cascades of a model, as if they had been observed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._progress import progress
from .._random import RNGLike, derive_key, generator, key_of
from .._validation import is_whole, probability, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
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
    background: float = 0.0,
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
    background : float in [0, 1]
        Probability that a user adopts an item by itself: these users are seeds too, at step 0.
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
    items = len(seeds) if isinstance(seeds, Sequence) else whole(items, "items")
    if is_whole(seeds) and seeds > graph.n_nodes:
        raise InputError(f"seeds={seeds:,} is more than the {graph.n_nodes:,} nodes: give fewer")
    share = probability(background, "background")
    key = key_of(rng)
    draw = generator(derive_key(key, "seeds"))
    program = model_of(model).compile(graph)
    found = []
    with progress(total=items, description="simulating cascades", unit="items") as bar:
        for i in range(items):
            if isinstance(seeds, int | np.integer):
                start = graph.index.internal(graph.nodes.take(draw.choice(graph.n_nodes, seeds, replace=False)))
            else:
                start = graph.index.internal(seed_labels(graph, seeds[i]))
            if share:
                alone = graph.index.internal(graph.nodes.take(np.flatnonzero(draw.random(graph.n_nodes) < share)))
                start = np.concatenate([start, alone])
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
