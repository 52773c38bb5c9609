"""One door to every way of choosing seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .._progress import one_bar
from .._random import RNGLike, derive_key, generator, key_of
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..models.registry import model_of
from ..models.sips.model import SIPS
from ..simulation.runner import seed_labels
from ..simulation.simulate import spread as estimate_spread
from ._certificate import Certificate
from .greedy import GreedySelection, greedy
from .heuristics import HEURISTICS, TIER_STRATEGIES, rank_seeds
from .knapsack import opim_budget
from .opim import imm, opim
from .quotas import select_with_quotas
from .selection import SeedSelection
from .sips_seeds import select_sips_seeds

__all__ = ["METHODS", "select_seeds"]

CERTIFIED = ("opim", "hist", "imm")
GREEDY = ("celf", "greedy")
METHODS = (*CERTIFIED, *GREEDY, *HEURISTICS, *TIER_STRATEGIES)


@one_bar
def select_seeds(
    graph: FollowerGraph,
    k: int | None = None,
    *,
    budget: float | None = None,
    prices: Any = "price",
    method: str = "opim",
    model: DiffusionModel | str = "ic",
    at_most: int | Mapping[Any, int] | None = None,
    at_least: int | Mapping[Any, int] | None = None,
    eps: float | None = None,
    delta: float | None = None,
    quality: float | None = None,
    p: float | None = None,
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    taken: Iterable[Any] = (),
    node_weights: Any = None,
    time_limit: float | None = None,
    max_rr_sets: int | None = None,
    runs: int = 512,
    evaluate: bool = False,
    rng: RNGLike = None,
    threads: int | None = None,
) -> SeedSelection:
    """Choose seeds: k of them, or as many as a budget of money buys.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, but for heuristics that do not reckon with them.
    k : int, optional
        Number of seeds. Give `k` or `budget`.
    budget : float, optional
        Money to spend at `prices` (RMB for the creator tiers of this package).
    prices : str, mapping, Series, callable or array-like
        Price of each node: the name of a node attribute, values by label, or a function of the number of followers.
    method : str
        - ``"opim"`` (default): OPIM-C or, where RR sets are large, HIST, with a certificate; ``"hist"`` and ``"imm"`` by
          name. With a budget: knapsack greedy on RR sets, with a certificate. Degree, degree discount and PageRank are
          judged on the same sets, and the best is kept (``chosen_by``).
        - ``"celf"``, ``"greedy"``: on common worlds, for any model; no certificate, and no guarantee where users wait for
          more than one other (thresholds, complex identification).
        - heuristics: ``"random"``, ``"degree"`` (followers), ``"single_discount"``, ``"degree_discount"``, ``"pagerank"``
          (along follows), ``"k_core"``, ``"voterank"``, or a creator tier (``"amateur"``, ``"tail"``, ``"waist"``,
          ``"head"``: drawn uniformly inside it). With a budget they are taken in their order, passing over who is too dear.
          Also ``"two_step_discount"``, ``"irie"``, ``"collective_influence"`` and ``"community_degree"``; see `rank_seeds`.
    model : DiffusionModel or {"ic", "lt"}
        For SIPS ``"opim"`` and ``"hist"`` certify reach, unless the feed answers to engagement (``gain``) or has a cap,
        identification needs more than one sharer, or ``redraw``: those have no certificate, so choose by a heuristic or
        ``"celf"``, or for the model without it.
    at_most, at_least : int or mapping of community to int, optional
        Quotas of seeds in every community of the node attribute ``community`` (``"opim"`` with `k`; see `select_with_quotas`).
    eps : float, optional
        Stop when lower / upper >= 1 - 1/e - eps, for ``"opim"``, ``"hist"``, ``"imm"`` (of money: see `opim_budget`).
        Default: as for 0.1, and ``"opim"`` and ``"hist"`` go on until more RR sets would hardly choose better seeds.
    delta : float, optional
        Probability with which the certificate may fail; default 1 / n_nodes.
    quality : float, optional
        Instead of `eps`: keep sampling until lower / upper reaches it (``"opim"``, ``"hist"``).
    p : float in [0, 1], optional
        One propagation probability for ``"degree_discount"`` to reckon with, in the published formula; default: that of
        each arc.
    candidates, exclude : iterable of labels
        Choose among these only; never choose these.
    taken : iterable of labels
        Seeds there are already; the new ones are chosen by what they add (not for heuristics, which only leave them out).
    node_weights : optional
        Worth of reaching each node (a target audience); for the methods with RR sets and on common worlds.
    time_limit : float, optional
        Seconds after which the best set so far is returned, marked as stopped.
    max_rr_sets : int, optional
        RR sets after which the best set so far is returned, marked as stopped: a limit that does not depend on the machine.
        Default 2**25, in at most 2 GiB of memory.
    runs : int
        Worlds of ``"celf"`` and ``"greedy"``.
    evaluate : bool
        Also estimate the spread of the chosen seeds independently, by simulation to 1 % (attribute ``spread``), in the unit
        of the bounds: with `node_weights` the expected weight.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it, unless time ends the search.

    Returns
    -------
    SeedSelection

    Raises
    ------
    InputError
        k and budget both or neither; k over the number of candidates; a budget below the cheapest one; a value out of
        range; an argument that the method cannot use.
    NotFoundError
        An unknown method, label or attribute.

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
    """
    check_graph(graph)
    if not isinstance(method, str) or method not in METHODS:
        raise NotFoundError(
            f"the method {method!r} is unknown: choose {', '.join(METHODS)}." + did_you_mean(method, METHODS)
        )
    if (k is None) == (budget is None):
        raise InputError("give k= (a number of seeds) or budget= (money), one of the two")
    _refuse(method, "p", p, ("degree_discount",))
    _refuse(method, "eps", eps, CERTIFIED)
    _refuse(method, "delta", delta, ("opim", "hist"))
    _refuse(method, "quality", quality, ("opim", "hist"))
    _refuse(method, "node_weights", node_weights, ("opim", "hist", *GREEDY))
    _refuse(method, "time_limit", time_limit, ("opim", "hist", *GREEDY))
    if (at_most is not None or at_least is not None) and (method != "opim" or k is None or quality is not None):
        raise InputError(
            "at_most= and at_least= belong to method='opim' with k=, not to a budget, quality= or another method"
        )
    model = model_of(model)
    _refuse(method, "max_rr_sets", max_rr_sets, ("opim", "hist"))
    exclude, taken = list(exclude), seed_labels(graph, taken)
    key = key_of(rng)
    draw = generator(derive_key(key, "select"))
    pool: dict[str, Any] = {"candidates": candidates, "exclude": exclude, "taken": taken}
    if method in (*HEURISTICS, *TIER_STRATEGIES):
        reckoned = model.effective_probabilities(graph)
        found = _heuristic(reckoned, k, budget, prices, method, p, pool, draw)
    elif method in GREEDY:
        if k is None:
            raise InputError(f"the method {method!r} takes k=, not budget=: use 'opim' or a heuristic for money")
        chosen = greedy(
            graph, k, model=model, method=method, runs=runs, node_weights=node_weights, time_limit=time_limit, rng=draw,
            threads=threads, **pool,
        )  # fmt: skip
        found = _from_greedy(chosen)
    elif at_most is not None or at_least is not None:
        assert k is not None
        found = select_with_quotas(
            graph, k, at_most=at_most, at_least=at_least, model=model, eps=0.05 if eps is None else eps, delta=delta,
            node_weights=node_weights, time_limit=time_limit, max_rr_sets=max_rr_sets, rng=draw, threads=threads, **pool,
        )  # fmt: skip
    elif isinstance(model, SIPS):
        if method == "imm":
            raise InputError("the method 'imm' has no SIPS: use 'opim' or 'hist'")
        found = select_sips_seeds(
            graph, k, model=model, budget=budget, prices=prices, method=method, eps=eps, delta=delta, quality=quality,
            node_weights=node_weights, time_limit=time_limit, max_rr_sets=max_rr_sets, rng=draw, threads=threads, **pool,
        )  # fmt: skip
    else:
        common: dict[str, Any] = {**pool, "model": model, "node_weights": node_weights, "rng": draw, "threads": threads}
        common["time_limit"] = time_limit
        if method == "imm":
            if k is None:
                raise InputError("the method 'imm' takes k=, not budget=: use 'opim' for money")
            _refuse(method, "candidates", candidates, ("opim", "hist"))
            for name, value in (("exclude", exclude), ("taken", taken)):
                _refuse(method, name, list(value) or None, ("opim", "hist"))
            certified = imm(graph, k, model=model, eps=0.1 if eps is None else eps, rng=draw, threads=threads)
        else:
            common |= {"eps": eps, "delta": delta, "quality": quality, "max_rr_sets": max_rr_sets}
            if budget is not None:
                certified = opim_budget(graph, budget, prices, **common)
            else:
                assert k is not None
                certified = opim(graph, k, method="hist" if method == "hist" else "auto", **common)
        found = _from_certificate(certified)
    if evaluate:
        seeds = [*taken, *found.seeds]
        checked = estimate_spread(
            graph,
            seeds,
            model=model,
            node_weights=node_weights,
            rng=generator(derive_key(key, "evaluate")),
            threads=threads,
        )
        found = dataclasses.replace(found, spread=checked)
    return found


def _refuse(method: str, name: str, value: Any, users: tuple[str, ...]) -> None:
    if value is not None and method not in users:
        of = f"it belongs to {', '.join(users)}" if users else "leave it out"
        raise InputError(f"{name}= is not used by the method {method!r}: {of}")


def _heuristic(
    graph: FollowerGraph,
    k: int | None,
    budget: float | None,
    prices: Any,
    method: str,
    p: float | None,
    pool: dict[str, Any],
    draw: np.random.Generator,
) -> SeedSelection:
    from .budget import afford, price_values

    out = {*pool["exclude"], *pool["taken"]}
    graph.index.internal(list(out))
    among = pool["candidates"]
    if out:
        among = [node for node in (graph.nodes.tolist() if among is None else among) if node not in out]
    if k is None:
        assert budget is not None
        price = price_values(graph, prices)
        size = graph.n_nodes if among is None else len(set(among))
        if method in TIER_STRATEGIES and "tier" in graph.attributes:
            tier = set(graph.nodes[(graph.node_data["tier"] == method).to_numpy()])
            size = len(tier if among is None else tier & set(among))
        ranked = rank_seeds(graph, size, method=method, p=p, candidates=among, rng=draw)
        return afford(graph, ranked, price, budget)
    found = rank_seeds(graph, k, method=method, p=p, candidates=among, rng=draw)
    if len(found) < k:
        raise InputError(f"{method} ranks only {len(found):,} nodes of this graph: ask for at most so many, not {k:,}")
    return found


def _from_greedy(found: GreedySelection) -> SeedSelection:
    return SeedSelection(
        seeds=found.seeds, method=found.method, scores=found.gains, seconds=found.seconds, key=found.key,
        gains=found.gains, stopped=found.stopped, guarantee=found.guarantee, provenance=found.provenance,
    )  # fmt: skip


def _from_certificate(found: Certificate) -> SeedSelection:
    promised = (
        f"at least {found.guarantee:.3f} of the optimum" if found.guarantee == found.guarantee else "none beforehand"
    )
    return SeedSelection(
        seeds=found.seeds, method=found.method, scores=found.gains, seconds=found.seconds, key=found.key,
        gains=found.gains, stopped=found.stopped, guarantee=promised, lower=found.lower, upper=found.upper, eps=found.eps,
        delta=found.delta, chosen_by=found.chosen_by, compared=found.compared, n_rr_sets=found.n_rr_sets, mean_rr_size=found.mean_rr_size, cost=found.cost,
        budget=found.budget, next_unit=found.next_unit, next_buy=found.next_buy, provenance=found.provenance,
    )  # fmt: skip
