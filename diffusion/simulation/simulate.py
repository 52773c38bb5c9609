"""Simulating: one cascade, many, until precise enough, or several seed sets in the same worlds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .._progress import one_bar
from .._provenance import provenance
from .._random import RNGLike, key_of
from .._validation import level, number, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
from ..graph.node_weights import reach_weights
from ..models.base import DiffusionModel
from ..models.cascade import IC, LT
from ..models.program import BATCH
from ..models.threshold import Threshold
from ..results.cascade import Cascade
from ..results.ensemble import Ensemble
from ..results.estimates import Comparison, SpreadEstimate
from ..results.intervals import mean_interval
from .remote import run_on, runs_ahead
from .runner import Runner, Runs, join_runs, prepare
from .workers import Workers, workers_of

__all__ = [
    "compare",
    "independent_cascade",
    "linear_threshold",
    "simulate",
    "simulate_one",
    "spread",
    "threshold_cascade",
    "warmup",
]


def _record(call: str, engine: Runner, **facts: Any) -> dict[str, Any]:
    rule = engine.graph.probabilities
    return provenance(
        call,
        key=int(engine.key),
        model=engine.model.label,
        probabilities=None if rule is None else rule.label,
        graph=engine.graph.fingerprint,
        n_seeds=len(engine.seeds),
        unit=engine.unit,
        **facts,
    )


def simulate(
    graph: FollowerGraph,
    seeds: Any,
    *,
    model: DiffusionModel | str = "ic",
    runs: int = 1000,
    node_weights: Any = None,
    rng: RNGLike = None,
    threads: int | None = None,
    executor: Any = None,
) -> Ensemble:
    """Simulate many runs of a model from one seed set.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, for IC and LT.
    seeds : iterable of node labels
        Active at step 0. May be empty.
    model : DiffusionModel or {"ic", "lt"}
    runs : int
        Number of runs. Run i is the same for any `runs` > i. A deterministic model is computed once.
    node_weights : str, mapping, Series, callable or array-like, optional
        Weight of each node, such as its value in a target audience: a node attribute, values by label (0 for those
        left out), a function of the number of followers, or an array in the order of ``graph.nodes``. ``weights`` of
        the result and its ``mean()`` then count node weight; sizes and steps still count nodes.
    rng : int, Generator or None
        Gives the 64-bit key from which every coin follows. Equal keys give equal worlds, whatever the seeds.
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it.
    executor : concurrent.futures.Executor or Dask client, optional
        Runs on its workers instead, one thread each: any executor with ``submit`` (PEP 3148), or an object with
        ``get_executor``. No result depends on it. The graph goes to a file that the workers open: on several machines
        set ``DIFFUSION_SHARED`` to a folder that all of them see.

    Returns
    -------
    Ensemble

    Raises
    ------
    NotFoundError
        A seed that is not in the graph, or an unknown model.
    InputError
        No probabilities, linear-threshold weights that sum to more than 1, a run count below 1, or an executor that is
        none.
    WorkerError
        A worker that died, that cannot open the graph, or that has other versions.

    See Also
    --------
    simulate_one, spread, compare, growth, results.Ensemble

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], edges_mean="influences", directed=True)
    >>> ens = dif.simulate(g.with_probabilities("constant", p=1.0), [0], runs=10, rng=7)
    >>> ens.sizes.tolist(), ens.new_by_step[0].tolist()
    ([4, 4, 4, 4, 4, 4, 4, 4, 4, 4], [1, 1, 1, 1])
    """
    runner = prepare(graph, model, seeds, key_of(rng), reach_weights(graph, node_weights))
    runs, workers = whole(runs, "runs"), workers_of(executor)
    if workers is None or runner.deterministic:
        done = runner.run(0, 1 if runner.deterministic else runs, threads=threads)
    else:
        done = run_on(workers, runner, runs)
    new, node_counts, weight = done.new, done.node_counts, done.weight
    if len(new) < runs:
        new, node_counts = np.broadcast_to(new, (runs, *new.shape[1:])), node_counts * runs
        weight = None if weight is None else np.broadcast_to(weight, (runs,))
    record = _record("simulate", runner, runs=runs, arc_visits=done.visits)
    return runner.model.result_type(
        graph,
        runner.model,
        tuple(runner.seeds),
        new,
        runner.key,
        record,
        node_counts,
        done.details,
        done.totals,
        runner,
        weight,
    )


def simulate_one(
    graph: FollowerGraph, seeds: Any, *, model: DiffusionModel | str = "ic", rng: RNGLike = None
) -> Cascade:
    """Simulate one cascade: run 0 of ``simulate(graph, seeds, model=model, rng=rng)``, with parents.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, where the model takes them.
    seeds : iterable of node labels
        Active at step 0.
    model : DiffusionModel or {"ic", "lt"}
    rng : int, Generator or None

    Returns
    -------
    Cascade
        Of SIPS a SIPSCascade, with channel and stage of every user.

    Raises
    ------
    NotFoundError
        A seed that is not in the graph, or an unknown model.
    InputError
        No probabilities, or weights that sum to more than 1.

    See Also
    --------
    simulate, structural_virality, results.Cascade

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays(["bob"], ["ann"], edges_mean="follows", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0)
    >>> dif.simulate_one(g, ["ann"], rng=7).to_pandas()["node"].tolist()
    ['ann', 'bob']
    """
    runner = prepare(graph, model, seeds, key_of(rng))
    return runner.model.result_type.cascade_of(graph, runner.model, runner.replay(0), _record("cascade", runner, run=0))


def independent_cascade(graph: FollowerGraph, seeds: Any, *, rng: RNGLike = None) -> Cascade:
    """Simulate one independent cascade: run 0 of ``simulate(graph, seeds, model=IC(), rng=rng)``, with parents.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    seeds : iterable of node labels
        Active at step 0.
    rng : int, Generator or None

    Returns
    -------
    Cascade

    Raises
    ------
    NotFoundError
        A seed that is not in the graph.
    InputError
        No probabilities.

    See Also
    --------
    simulate_one, IC

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays(["bob"], ["ann"], edges_mean="follows", directed=True)
    >>> dif.independent_cascade(g.with_probabilities("constant", p=1.0), ["ann"], rng=7).to_pandas()["node"].tolist()
    ['ann', 'bob']
    """
    return simulate_one(graph, seeds, model=IC(), rng=rng)


def linear_threshold(graph: FollowerGraph, seeds: Any, *, rng: RNGLike = None) -> Cascade:
    """Simulate one linear-threshold cascade: run 0 of ``simulate(graph, seeds, model=LT(), rng=rng)``, with parents.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, which sum to at most 1 at every node.
    seeds : iterable of node labels
        Active at step 0.
    rng : int, Generator or None

    Returns
    -------
    Cascade

    Raises
    ------
    NotFoundError
        A seed that is not in the graph.
    InputError
        No probabilities, or weights that sum to more than 1.

    See Also
    --------
    simulate_one, LT

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays(["bob"], ["ann"], edges_mean="follows", directed=True)
    >>> dif.linear_threshold(g.with_probabilities("weighted_cascade"), ["ann"], rng=7).nodes.tolist()
    ['ann', 'bob']
    """
    return simulate_one(graph, seeds, model=LT(), rng=rng)


def threshold_cascade(
    graph: FollowerGraph,
    seeds: Any,
    *,
    fraction: float | str | None = None,
    count: int | str | None = None,
    noise: float = 0.0,
    rng: RNGLike = None,
) -> Cascade:
    """Simulate one fixed-threshold cascade with parents; see `Threshold` for the parameters.

    Parameters
    ----------
    graph : FollowerGraph
    seeds : iterable of node labels
        Active at step 0.
    fraction, count, noise
        As in `Threshold`.
    rng : int, Generator or None
        Plays a part only with noise, and where several arcs could be the parent.

    Returns
    -------
    Cascade

    Raises
    ------
    NotFoundError
        A seed that is not in the graph.
    InputError
        Both or neither of `fraction` and `count`, or a value out of range.

    See Also
    --------
    simulate_one, Threshold

    Examples
    --------
    >>> import diffusion as dif
    >>> ring = dif.graph.generate_ring_lattice(12, 4)
    >>> cascade = dif.threshold_cascade(ring, [0, 1], count=2)
    >>> cascade.size, cascade.depth
    (12, 5)
    """
    check_graph(graph)
    return simulate_one(graph, seeds, model=Threshold(fraction=fraction, count=count, noise=noise), rng=rng)


def rounds(limit: int) -> Iterator[tuple[int, int]]:
    """Ranges of runs after which precision is looked at: 512, 1024, 1536, 2048, 3072, 4096 ... whatever the threads."""
    done, batches = 0, 1
    while done < limit:
        end = min(batches * BATCH, limit)
        yield done, end
        done = end
        batches = batches + 1 if batches < 4 else batches * 3 // 2 if batches & (batches - 1) == 0 else batches * 4 // 3


def check_precision(rel_error: float, confidence: float) -> None:
    number(rel_error, "rel_error", above=0, most=1e6, advice=", such as 0.01")
    level(confidence)


@one_bar
def sample_until(
    engines: list[Runner],
    *,
    runs: int | None,
    rel_error: float,
    confidence: float,
    max_runs: int,
    threads: int | None,
    show: bool = True,
    first_look: int = BATCH,
    workers: Workers | None = None,
) -> tuple[list[Runs], str]:
    """Run engines in the same worlds until every mean is precise enough -> the runs of each, and what stopped them.

    With `first_look` below 512 precision is also looked at after so many runs; where it falls short, all begin anew.
    """
    if engines and all(engine.deterministic for engine in engines):
        return [engine.run(0, 1, threads=threads, show=show) for engine in engines], "deterministic"
    parts: list[list[Runs]] = [[] for _ in engines]
    stopped_by = "runs" if runs is not None else "max_runs"
    early = [(0, first_look)] if runs is None and first_look < min(BATCH, max_runs) else []

    def here(first: int, last: int) -> list[Runs]:
        return [engine.run(first, last, threads=threads, show=show) for engine in engines]

    with contextlib.ExitStack() as stack:
        take = here
        if workers is not None:
            limit = max_runs if runs is None else runs
            ahead = stack.enter_context(contextlib.closing(runs_ahead(workers, engines, limit, ahead=runs is None)))
            take = ahead.take
        for first, last in [(0, runs)] if runs is not None else [*early, *rounds(max_runs)]:
            if first == 0:
                parts = [[] for _ in engines]
            for mine, found in zip(parts, take(first, last), strict=True):
                mine.append(found)
            if runs is None:
                spreads = [np.concatenate([p.values for p in mine]) for mine in parts]
                means = [mean_interval(s, confidence, e.limits) for s, e in zip(spreads, engines, strict=True)]
                if all(each.half <= rel_error * each.mean for each in means):
                    stopped_by = "precision"
                    break
    return [join_runs(mine) for mine in parts], stopped_by


def spread(
    graph: FollowerGraph,
    seeds: Any,
    *,
    model: DiffusionModel | str = "ic",
    runs: int | None = None,
    rel_error: float = 0.01,
    confidence: float = 0.95,
    max_runs: int = 100_000,
    node_weights: Any = None,
    rng: RNGLike = None,
    threads: int | None = None,
    executor: Any = None,
) -> SpreadEstimate:
    """Estimate sigma(S), the expected number of active nodes or their weight, until a relative error is reached.

    Parameters
    ----------
    graph, seeds, model, node_weights, rng, threads, executor
        As in `simulate`; with `node_weights` the spread is the expected weight of the active nodes.
    runs : int, optional
        Exactly so many runs instead of a precision.
    rel_error : float
        Stop when the larger half width of the interval is at most this share of the mean.
    confidence : float in (0, 1)
        Level of the interval.
    max_runs : int
        Stop here in any case; ``stopped_by`` then says ``"max_runs"``.

    Returns
    -------
    SpreadEstimate

    See Also
    --------
    compare, simulate, results.SpreadEstimate

    Notes
    -----
    Precision is looked at after 512, 1024, 1536, 2048, 3072, 4096, ... runs, whatever the thread count.

    Once ten runs differ from the usual size, the interval is the t interval corrected for skewness (Hall 1992), which
    is the normal one where sizes are not skewed, and longer on the side of a long tail. With fewer, no moment can be
    trusted: what was not seen is bounded by its largest probability that sampling could hide (Clopper and Pearson 1934,
    put together by Stringer 1963) times the nodes that the seeds can reach at all. Such an interval is wide, for an
    outbreak of the whole graph in one run of 1,000 cannot be told from none in 512; more runs make it short. The
    coverage page of the documentation gives the share of intervals that hold the mean, 93 to 97 % of 95 % intervals,
    and more where events are rare. No interval can hold what is far rarer than the runs it rests on: an outbreak that
    comes in less than one of `runs` / 3 runs, beside other runs that already vary.

    References
    ----------
    - Hall, P. (1992). On the removal of skewness by transformation.
    - Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of the
      binomial. Biometrika 26(4), 404-413. doi:10.1093/biomet/26.4.404
    - Stringer, K. W. (1963). Practical aspects of statistical sampling in auditing. Proceedings of the Business and
      Economic Statistics Section, American Statistical Association, 405-411.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> s = dif.spread(g.with_probabilities("constant", p=0.5), [0], rng=7)
    >>> s.low < 1.75 < s.high, s.stopped_by
    (True, 'precision')
    """
    check_precision(rel_error, confidence)
    runs = None if runs is None else whole(runs, "runs")
    max_runs = whole(max_runs, "max_runs")
    engine = prepare(graph, model, seeds, key_of(rng), reach_weights(graph, node_weights))
    (found,), stopped_by = sample_until(
        [engine],
        runs=runs,
        rel_error=rel_error,
        confidence=confidence,
        max_runs=max_runs,
        threads=threads,
        workers=workers_of(executor),
    )
    record = _record("spread", engine, runs=len(found.new), rel_error=rel_error, confidence=confidence)
    return SpreadEstimate.from_sizes(
        found.values,
        confidence=confidence,
        stopped_by=stopped_by,
        key=int(engine.key),
        provenance=record,
        limits=engine.limits,
        unit=engine.unit,
    )


def compare(
    graph: FollowerGraph,
    seed_sets: Mapping[str, Any],
    *,
    model: DiffusionModel | str = "ic",
    runs: int | None = None,
    rel_error: float = 0.01,
    confidence: float = 0.95,
    max_runs: int = 100_000,
    node_weights: Any = None,
    rng: RNGLike = None,
    threads: int | None = None,
    executor: Any = None,
) -> Comparison:
    """Evaluate several seed sets in the same worlds, so that their differences are far sharper than their means.

    Parameters
    ----------
    seed_sets : mapping of name to seeds
    graph, model, runs, rel_error, confidence, max_runs, node_weights, rng, threads, executor
        As in `spread`; all sets get the same number of runs, until every mean is precise enough.

    Returns
    -------
    Comparison
        With ``means``, ``differences`` (paired intervals) and ``difference(a, b)``.

    See Also
    --------
    spread, compare_strategies, results.Comparison

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1], [1, 2, 3], edges_mean="influences", directed=True)
    >>> c = dif.compare(g.with_probabilities("constant", p=0.5), {"hub": [0], "leaf": [3]}, rng=7)
    >>> c.differences["verdict"].item()
    'hub larger'
    """
    check_graph(graph)
    check_precision(rel_error, confidence)
    if not isinstance(seed_sets, Mapping) or not seed_sets:
        raise InputError("compare takes a mapping of names to seeds, such as {'degree': A, 'random': B}")
    if len(set(map(str, seed_sets))) < len(seed_sets):
        raise InputError(f"two seed sets have the same name as text: {', '.join(map(repr, seed_sets))}; rename one")
    runs = None if runs is None else whole(runs, "runs")
    max_runs = whole(max_runs, "max_runs")
    key = key_of(rng)
    weights = reach_weights(graph, node_weights)
    engines = [prepare(graph, model, seeds, key, weights) for seeds in seed_sets.values()]
    found, stopped_by = sample_until(
        engines,
        runs=runs,
        rel_error=rel_error,
        confidence=confidence,
        max_runs=max_runs,
        threads=threads,
        workers=workers_of(executor),
    )
    sizes = np.stack([runs.values for runs in found])
    record = _record("compare", engines[0], runs=sizes.shape[1], names=list(map(str, seed_sets)))
    return Comparison(tuple(map(str, seed_sets)), sizes, confidence, stopped_by, key, record, tuple(engines))


def warmup() -> float:
    """Compile the simulation kernels, or load them from numba's cache, and return the seconds it took.

    The first call of a function does it anyway; this makes the wait happen where you choose, such as before timing.

    Returns
    -------
    float
        Seconds.

    See Also
    --------
    simulate, spread

    Examples
    --------
    >>> seconds = warmup()
    """
    start = time.perf_counter()
    graph = FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
    graph = graph.with_probabilities("weighted_cascade")
    for model in (IC(), LT(), Threshold(count=1, noise=0.5)):
        simulate(graph, [0], model=model, runs=1, rng=0).replay(0)
    _ = graph.reciprocity
    return time.perf_counter() - start
