"""`select_seeds`: every way of choosing seeds."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from .._progress import one_bar
from .._random import RNGLike, derive_key, generator, key_of
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..simulation.runner import seed_labels
from ..simulation.simulate import spread as estimate_spread
from .problem import SelectionProblem
from .registry import choose, misplaced, strategy_of
from .selection import SeedSelection
from .strategies.base import Strategy

__all__ = ["select_seeds", "selection_key"]


def selection_key(key: int) -> int:
    """Key of the selection of `select_seeds`, from the key of its random number generator."""
    return key_of(generator(derive_key(key, "select")))


@one_bar
def select_seeds(
    graph: FollowerGraph,
    k: int | None = None,
    *,
    budget: float | None = None,
    prices: Any = "price",
    method: Strategy | str = "opim",
    model: DiffusionModel | str = "ic",
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    existing: Iterable[Any] = (),
    node_weights: Any = None,
    at_most: int | Mapping[Any, int] | None = None,
    at_least: int | Mapping[Any, int] | None = None,
    communities: Any = None,
    time_limit: float | None = None,
    evaluate: bool = False,
    rng: RNGLike = None,
    threads: int | None = None,
    executor: Any = None,
    **misplaced_options: Any,
) -> SeedSelection:
    """Choose seeds: k of them, or as many as a budget of money buys.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, but for rankings that do not reckon with them.
    k : int, optional
        Number of seeds. Give `k` or `budget`.
    budget : float, optional
        Money to spend at `prices` (RMB for the creator tiers of this package).
    prices : str, mapping, Series, callable or array-like
        Price of each node, from 0: the name of a node attribute, values by label, values in the order of
        ``graph.nodes``, or a function of the number of followers. NaN, or a label left out: not for sale.
    method : Strategy or str
        A strategy, or the name of one with its defaults:

        - ``"opim"``, `OPIM` (default): greedy on RR sets with a certificate, for models with live edges; ``"hist"``,
          `HIST`, and ``"imm"``, `IMM`.
        - ``"celf"``, `CELF`, and ``"greedy"``, `Greedy`: in common worlds, for any model; no certificate, and no
          guarantee where users wait for more than one other (thresholds, complex identification).
        - rankings, which are gone down, passing over whom money or quotas do not permit: ``"random"``, ``"degree"``
          (followers), ``"single_discount"``, ``"degree_discount"``, ``"two_step_discount"``, ``"irie"``,
          ``"pagerank"``, ``"k_core"``, ``"voterank"``, ``"collective_influence"``, ``"community_degree"``, or a
          creator tier (``"amateur"``, ``"tail"``, ``"waist"``, ``"head"``: drawn uniformly inside it); see `Random`,
          `Degree`, ..., `Tier`.
    model : DiffusionModel or {"ic", "lt"}
        `OPIM`, `HIST` and `IMM` need one with live edges, which SIPS has unless the feed answers to engagement
        (``amplification``) or has a cap, identification needs more than one sharer, or ``redraw``.
    candidates, exclude : iterable of labels
        Choose among these only, so that the optimum is the best set of candidates; never choose these, who still pass
        content on and count as reached.
    existing : iterable of labels
        Seeds there are already: the new ones are chosen by what they add, and spread, lower and upper include them
        (rankings only leave them out). They cost nothing and count toward no quota.
    node_weights : optional
        Weight of reaching each node (a target audience): a node attribute, values by label (0 for those left out), a
        function of the number of followers, or an array in the order of ``graph.nodes``. For methods with RR sets and
        in common worlds.
    at_most, at_least : int from 0, or mapping of community to int, optional
        Quotas of seeds in every community, or in those named (the others are free), for ``"opim"`` and rankings, with
        `k` or `budget`. Bounds are then those of the seed sets that the quotas permit.
    communities : optional
        The community of each node for quotas: None for the node attribute ``community``, the name of another, a Series
        or mapping by label, values in the order of ``graph.nodes``, or a partition. Nodes without one count toward no
        quota.
    time_limit : float, optional
        Seconds after which the best set so far is returned, marked as stopped.
    evaluate : bool
        Also estimate the spread of the chosen seeds independently, by simulation to 1 % (attribute ``spread``), in the
        unit of the bounds: with `node_weights` the expected weight.
    rng : int, Generator or None
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it, unless time ends the search.
    executor : concurrent.futures.Executor or Dask client, optional
        For methods with RR sets: sample them on its workers, as `simulate` does runs.
    **misplaced_options
        None: parameters of a method belong to its object, as in ``method=dif.seeding.OPIM(eps=0.05)``.

    Returns
    -------
    SeedSelection

    Raises
    ------
    InputError
        k and budget both or neither; k over the number of candidates; a budget below the cheapest one; quotas that
        cannot be met together; a value out of range; an argument that the method cannot use; a model without live
        edges.
    NotFoundError
        An unknown method, label, community or attribute.

    See Also
    --------
    seeding.OPIM, seeding.CELF, compare_strategies, seeding.maximin_seeds

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> found = dif.select_seeds(g, 2, rng=7)
    >>> sorted(found.seeds), found.lower <= 4 <= found.upper
    ([0, 4], True)
    >>> dif.select_seeds(g, 2, method="degree").seeds
    (0, 4)
    >>> g = g.with_node_data(community=list("aaaabb"))
    >>> sorted(dif.select_seeds(g, 2, at_most=1, rng=7).seeds)
    [0, 4]
    """
    check_graph(graph)
    strategy = strategy_of(method)
    if misplaced_options:
        keywords = list(inspect.signature(select_seeds).parameters)[1:-1]
        raise misplaced(misplaced_options, keywords, strategy)
    key = key_of(rng)
    existing = seed_labels(graph, existing)
    problem = SelectionProblem.of(
        graph,
        k,
        budget=budget,
        prices=prices,
        model=model,
        candidates=candidates,
        exclude=exclude,
        existing=existing,
        node_weights=node_weights,
        at_most=at_most,
        at_least=at_least,
        communities=communities,
        time_limit=time_limit,
        key=selection_key(key),
        threads=threads,
        executor=None if evaluate and "executor" not in strategy.supports else executor,
    )
    chosen = choose(problem, strategy)
    if not evaluate:
        return chosen
    checked = estimate_spread(
        graph,
        [*existing, *chosen.seeds],
        model=problem.model,
        node_weights=node_weights,
        rng=generator(derive_key(key, "evaluate")),
        threads=threads,
        executor=executor,
    )
    return dataclasses.replace(chosen, spread=checked)
