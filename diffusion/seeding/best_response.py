"""Seeds of one brand against the seeds of its rivals: to win users, or to keep the rivals from them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._html import card, table
from .._progress import one_bar
from .._random import RNGLike, derive_key, key_of
from .._threads import map_chunks, n_threads
from .._upward import draw
from .._validation import level, number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..models.program import Start
from ..models.registry import model_of
from ..results.estimates import Estimate
from ..results.intervals import mean_interval
from ..simulation.runner import Runner, prepare, seed_labels
from .problem import record
from .strategies.greedy import Evaluator, Search

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BestResponse", "best_response"]

OBJECTIVES = ("own", "block")
METHODS = ("celf", "greedy")


@dataclass(frozen=True, repr=False, eq=False)
class BestResponse:
    """Seeds of a brand that answer to the seeds of its rivals, and what they change.

    Attributes
    ----------
    seeds : tuple of labels
        In the order in which they were chosen.
    brand : str
    rivals : dict of str to tuple of labels
        Seeds of the others, which were given.
    objective : {"own", "block"}
        What was maximised: the reach of `brand`, or what its seeds take from the reach of the rivals.
    method : {"celf", "greedy"}
    gains : ndarray of float64, shape (len(seeds),)
        What each seed added to the objective, in the worlds that chose it, which flatters it.
    guarantee : str or None
        What is proven of the method for this model and objective; None: nothing is published.
    reach : DataFrame
        One row a brand, estimated in fresh worlds: mean reach `before` these seeds with ``before_low`` and
        ``before_high``, `after` them, and the paired `change`.
    worth : Estimate
        The objective in those fresh worlds.
    runs : int
        Worlds that chose.
    evaluations : int
        Seed sets simulated.
    stopped : {"done", "time", "interrupted"}
    seconds : float
    key : int
    provenance : dict

    See Also
    --------
    seeding.best_response, models.CompetitiveEnsemble
    """

    seeds: tuple[Any, ...]
    brand: str
    rivals: dict[str, tuple[Any, ...]]
    objective: str
    method: str
    gains: NDArray[np.float64]
    guarantee: str | None
    reach: pd.DataFrame
    worth: Estimate
    runs: int
    evaluations: int
    stopped: str
    seconds: float
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def by_brand(self) -> dict[str, tuple[Any, ...]]:
        """Seeds of all brands, as `simulate` takes them."""
        return {self.brand: self.seeds, **self.rivals}

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a seed: rank (from 1), node, gain and the cumulated gain."""
        nodes = pd.Index(list(self.seeds), tupleize_cols=False)
        gain = {"gain": self.gains, "total": np.cumsum(self.gains)}
        return pd.DataFrame({"rank": np.arange(1, len(self.seeds) + 1), "node": nodes, **gain})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the reach of each brand before and after these seeds; the title says what they change."""
        return draw("response", self, ax)

    def __repr__(self) -> str:
        head = ", ".join(map(repr, self.seeds[:5])) + (", ..." if len(self.seeds) > 5 else "")
        what = "reach" if self.objective == "own" else "reach taken from the rivals"
        return (
            f"BestResponse of {self.brand}: {len(self.seeds):,} seeds by {self.method}: {head}; {what} {self.worth!r}"
        )

    def _repr_html_(self) -> str:
        return card(repr(self), table(self.reach.rename_axis("brand").reset_index()))


class _Answer(Evaluator):
    """What seeds of one brand are worth, in the same worlds, where those of its rivals are fixed."""

    def __init__(self, runner: Runner, runs: int, brand: int, block: bool) -> None:
        super().__init__(runner, runs, None)
        self._rivals, self._brands = runner.start.seeds, runner.start.brand_of
        self._brand, self._block = brand, block
        self._others = [1 + b for b in range(len(runner.model.brands)) if b != brand]
        self._before = 0.0
        if block:
            self._before = -self.spread(np.zeros(0, np.int32))

    def spread(self, seeds: NDArray[np.int32]) -> float:
        """Mean reach of the brand, or what the rivals have lost."""
        total = self._counted(self._rivals, self._brands, seeds)
        return self._before - total / self._runs if self._block else total / self._runs

    def alone(self, node: int) -> float:
        """Mean reach of the brand from one seed without rivals."""
        counted, self._block = self._block, False
        try:
            nobody = self._rivals[:0], self._brands[:0]
            return self._counted(*nobody, np.asarray([node], np.int32)) / self._runs
        finally:
            self._block = counted

    def _counted(self, rivals: NDArray[np.int32], brands: NDArray[np.int8], seeds: NDArray[np.int32]) -> int:
        nodes = np.concatenate([rivals, seeds]).astype(np.int32)
        brand_of = np.concatenate([brands, np.full(len(seeds), self._brand, np.int8)])
        order = np.argsort(nodes, kind="stable")
        start = Start(nodes[order], self._key, brand_of=brand_of[order].astype(np.int8))
        total = 0
        for first, last in self._chunks:
            new = self._program.run(start, first, last, self._space).new
            counted = new[..., self._others] if self._block else new[..., 1 + self._brand]
            total += int(counted.sum(dtype=np.int64))
        return total


def _bounds(evaluators: list[_Answer], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Reach of every candidate without rivals in the same worlds, which is at least what it adds beside them."""
    free = list(evaluators)  # list.pop and append are atomic
    nodes = np.flatnonzero(allowed)

    def work(span: tuple[int, int]) -> list[float]:
        evaluator = free.pop()
        try:
            return [evaluator.alone(int(v)) for v in nodes[span[0] : span[1]]]
        finally:
            free.append(evaluator)

    found = np.zeros(len(allowed))
    spans = [(a, min(a + 16, len(nodes))) for a in range(0, len(nodes), 16)]
    for (a, b), values in map_chunks(work, spans, threads=min(len(evaluators), len(spans))):
        found[nodes[a:b]] = values
    return found


@one_bar
def best_response(
    graph: FollowerGraph,
    k: int,
    *,
    brand: str,
    rivals: Mapping[str, Any],
    model: DiffusionModel | str = "competitiveic",
    objective: str = "own",
    method: str = "celf",
    runs: int = 512,
    candidates: Iterable[Any] | None = None,
    exclude: Iterable[Any] = (),
    evaluate_runs: int = 4096,
    confidence: float = 0.95,
    time_limit: float | None = None,
    rng: RNGLike = None,
    threads: int | None = None,
) -> BestResponse:
    """Choose k seeds of a brand against the known seeds of its rivals, by greedy search in common worlds.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities.
    k : int
        Number of seeds, from 1.
    brand : str
        Whose seeds they are.
    rivals : mapping of brand to seeds
        Seeds of the others; brands left out have none. They cannot be chosen.
    model : DiffusionModel or {"competitiveic", "competitivelt", "comic"}
        With brands.
    objective : {"own", "block"}
        Maximise the reach of `brand` (the follower's problem of Bharathi et al. and Carnes et al. 2007), or what its
        seeds take from the reach of the rivals (influence blocking, Budak et al. 2011, He et al. 2012).
    method : {"celf", "greedy"}
        Greedy tries every candidate at every step; CELF leaves out those whose last known gain is too small, and, where
        rivals can only take from each other, those who reach too few without any. Both choose the same where gains only
        fall.
    runs : int
        Worlds that choose; multiples of 512 use the kernels best.
    candidates, exclude : iterable of labels
        Choose among these only; never choose these.
    evaluate_runs : int, from 2
        Fresh worlds in which the chosen seeds are judged.
    confidence : float in (0, 1)
        Level of the intervals.
    time_limit : float, optional
        Seconds after which the seeds chosen so far are returned.
    rng : int, Generator or None
    threads : int, optional
        Default: all CPUs this process may use. No result depends on it, unless time ends the search.

    Returns
    -------
    BestResponse

    Raises
    ------
    InputError
        A model without rivals, seeds given for `brand` itself, or a value out of range.
    NotFoundError
        An unknown brand, label, objective or method.

    See Also
    --------
    seeding.BestResponse, models.CompetitiveIC, models.CompetitiveLT, models.ComIC, select_seeds

    Notes
    -----
    A guarantee of 1 - 1/e holds only where monotone and submodular values are published, and `guarantee` names the
    source: own reach under competitive IC with ``tie="random"`` and equal strengths (Carnes et al. 2007), and under
    competitive LT (Lu et al. 2013); blocking under competitive IC with equal strengths where `brand` wins ties (Budak et
    al. 2011). Everywhere else it is None, and greedy is a heuristic. Every candidate is simulated, alone or (with greedy, unequal
    strengths, or Com-IC) beside the rivals: on large graphs give `candidates`.

    References
    ----------
    - Bharathi, S., Kempe, D. and Salek, M. (2007). Competitive influence maximization in social networks. WINE 2007,
      306-311. doi:10.1007/978-3-540-77105-0_31
    - Carnes, T., Nagarajan, C., Wild, S. M. and van Zuylen, A. (2007). Maximizing influence in a competitive social
      network: a follower's perspective. ICEC 2007, 351-360. doi:10.1145/1282100.1282167
    - Budak, C., Agrawal, D. and El Abbadi, A. (2011). Limiting the spread of misinformation in social networks. WWW
      2011, 665-674. doi:10.1145/1963405.1963499
    - He, X., Song, G., Chen, W. and Jiang, Q. (2012). Influence blocking maximization in social networks under the
      competitive linear threshold model. SDM 2012, 463-474. doi:10.1137/1.9781611972825.40
    - Lu, W., Bonchi, F., Goyal, A. and Lakshmanan, L. V. S. (2013). The bang for the buck: fair competitive viral
      marketing from the host perspective. KDD 2013, 928-936. doi:10.1145/2487575.2487649

    Examples
    --------
    A rival at the left end of a path, whose users can be cut off or won:

    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2, 3], [1, 2, 3, 4], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0)
    >>> answer = dif.seeding.best_response(g, 1, brand="A", rivals={"B": [0]}, runs=64, rng=7)
    >>> answer.seeds, answer.reach.loc["B", "before"], answer.reach.loc["B", "after"]
    ((1,), np.float64(5.0), np.float64(1.0))
    """
    begin = time.perf_counter()
    check_graph(graph)
    model = model_of(model)
    _check(model, brand, rivals, objective, method)
    k, runs = whole(k, "k"), whole(runs, "runs")
    evaluate_runs = whole(evaluate_runs, "evaluate_runs", least=2)
    level(confidence)
    deadline = begin + (np.inf if time_limit is None else number(time_limit, "time_limit", above=0))
    key = key_of(rng)
    runner = prepare(graph, model, dict(rivals), derive_key(key, "choose"))
    allowed = np.ones(graph.n_nodes, np.bool_)
    if candidates is not None:
        allowed[:] = False
        allowed[graph.index.internal(seed_labels(graph, candidates))] = True
    allowed[graph.index.internal(seed_labels(graph, exclude))] = False
    allowed[runner.nodes] = False
    if k > allowed.sum():
        raise InputError(f"k={k:,} is more than the {int(allowed.sum()):,} candidates there are to choose from")
    place, block = model.brands.index(brand), objective == "block"
    evaluators = [_Answer(runner, runs, place, block) for _ in range(n_threads(threads))]
    lazy = method == "celf"
    bounds = _bounds(evaluators, allowed) if lazy and model.rivals_only_take else None
    nobody = np.zeros(0, np.int32)
    search = Search(evaluators, graph.index.order, allowed, nobody, deadline=deadline, lazy=lazy, bounds=bounds)
    stopped = search.run(k, "best response")
    chosen = np.asarray(search.seeds, np.int32)
    fresh = derive_key(key, "evaluate")
    reach, worth = _judge(runner, chosen, place, block, fresh, evaluate_runs, confidence, threads)
    guarantee = model.follower_guarantee(brand, objective)
    facts = {"brand": brand, "objective": objective, "method": method, "k": k, "runs": runs, "stopped": stopped}
    return BestResponse(
        tuple(graph.index.labels_of(chosen).tolist()),
        brand,
        {name: tuple(seed_labels(graph, rivals[name])) for name in rivals},
        objective,
        method,
        np.asarray(search.gains, np.float64),
        guarantee,
        reach,
        worth,
        runs,
        search.evaluations,
        stopped,
        time.perf_counter() - begin,
        key,
        record("best_response", graph, model, key, **facts, evaluate_runs=evaluate_runs),
    )


def _check(model: DiffusionModel, brand: str, rivals: Any, objective: str, method: str) -> None:
    """Refuse what is no problem of a follower."""
    if not model.brands:
        raise InputError(f"{model.label} has no rivals: give models.CompetitiveIC(...), or select_seeds without them")
    if brand not in model.brands:
        known = ", ".join(map(repr, model.brands))
        raise NotFoundError(
            f"brand={brand!r} is unknown: {model.name} has {known}." + did_you_mean(brand, model.brands)
        )
    if not isinstance(rivals, Mapping):
        other = next(name for name in model.brands if name != brand)
        raise InputError(f"rivals is a {type(rivals).__name__}: give the seeds of the others, {{{other!r}: [...]}}")
    if brand in rivals:
        raise InputError(f"rivals names {brand!r} itself, whose seeds are to be chosen: leave it out")
    for given, name, allowed in ((objective, "objective", OBJECTIVES), (method, "method", METHODS)):
        if given not in allowed:
            choices = " or ".join(map(repr, allowed))
            raise NotFoundError(f"{name}={given!r} is unknown: give {choices}." + did_you_mean(given, allowed))


def _judge(
    runner: Runner,
    chosen: NDArray[np.int32],
    place: int,
    block: bool,
    key: int,
    runs: int,
    confidence: float,
    threads: int | None,
) -> tuple[pd.DataFrame, Estimate]:
    """Reach of every brand before and after the chosen seeds, and the objective, in fresh worlds."""
    before = replace(runner, key=key)
    brand_of = np.concatenate([runner.brand_of, np.full(len(chosen), place, np.int8)]).astype(np.int8)
    after = replace(before, nodes=np.concatenate([runner.nodes, chosen]).astype(np.int32), brand_of=brand_of)
    sizes = [each.run(0, runs, threads=threads).new[..., 1:].sum(axis=1, dtype=np.int64) for each in (before, after)]
    most = max(float(len(after.program.possible(after.start))), 0.0)
    rows = []
    for b in range(len(runner.model.brands)):
        first, second = (
            mean_interval(counted[:, b], confidence, (0.0, most), exact=not (each.brand_of == b).any())
            for counted, each in zip(sizes, (before, after), strict=True)
        )
        change = _paired(sizes[1][:, b] - sizes[0][:, b], confidence, most)
        rows.append(
            [value for each in (first, second) for value in (each.mean, each.low, each.high)]
            + [change.value, change.low, change.high]
        )
    columns = [f"{name}{end}" for name in ("before", "after", "change") for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=columns, index=pd.Index(runner.model.brands, name="brand"))
    if not block:
        own = mean_interval(sizes[1][:, place], confidence, (float(len(chosen)), most))
        return table, Estimate(own.mean, own.low, own.high, confidence, runs)
    others = [b for b in range(len(runner.model.brands)) if b != place]
    lost = (sizes[0][:, others] - sizes[1][:, others]).sum(axis=1)
    return table, _paired(lost, confidence, most)


def _paired(values: NDArray[np.int64], confidence: float, most: float) -> Estimate:
    found = mean_interval(values, confidence, (-most, most))
    return Estimate(found.mean, found.low, found.high, confidence, len(values))
