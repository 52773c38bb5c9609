"""Predictive check: do cascades simulated from the roots of observed ones look like them?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import one_bar, progress
from .._provenance import provenance
from .._random import RNGLike, derive_key, key_of
from .._threads import map_chunks, n_threads
from .._upward import draw
from .._validation import Floats, level, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..kernels.arcs import OutArcs
from ..kernels.forests import grow_generations
from ..kernels.leaky import leaky_run
from ..kernels.trees import tree_passes
from ..models.base import DiffusionModel
from ..models.cascade import IC, LT, CascadeProgram
from ..models.program import Program, Start, Trace
from ..models.registry import model_of
from .action_log import ActionLog, check_log
from .fit import FittedProbabilities
from .forests import node_rows, parent_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PredictiveCheck", "predictive_check"]

STATISTICS = ("new adopters", "size distribution", "depth", "virality at matched size", "R")
LEAST_TREE = 4  # all trees of fewer nodes have one structural virality
MATCHES = 20  # simulated trees of a size that an observed one needs to be matched
EXACT = 32  # sizes up to which trees are matched exactly; beyond, eight bins a doubling

Ints = NDArray[np.int64]


@dataclass(frozen=True, repr=False, eq=False)
class PredictiveCheck:
    """Observed cascades beside those that models predict from their roots.

    Attributes
    ----------
    table : DataFrame
        By `model` and `statistic`: `observed`; `predicted`, the median over simulated logs, and the interval `low` to
        `high` that holds a share `confidence` of them; `p`; `adjusted`, the same for all statistics of a model
        together; `verdict`: "reproduced", or what the model is: "too small" or "too large". "no data" where nothing can
        be compared. The statistics are explained in the notes of `predictive_check`.
    observed_sizes : ndarray of int64, shape (n_items,)
        Adopters beyond the roots of each observed cascade.
    sizes : dict of str to ndarray of int64, shape (runs, n_items)
        The same of the simulated logs, by model.
    roots : {"all", "first"}
    runs : int
        Simulated logs of each model.
    confidence : float
    log : ActionLog
        The adoptions that were used; `dropped` counts the others.
    provenance : dict

    See Also
    --------
    inference.predictive_check
    """

    table: pd.DataFrame
    observed_sizes: Ints
    sizes: dict[str, Ints] = field(repr=False)
    roots: str
    runs: int
    confidence: float
    log: ActionLog = field(repr=False)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def reproduced(self) -> pd.Series[bool]:
        """Whether each model reproduces every statistic that can be compared."""
        fine = self.table["verdict"].isin(["reproduced", "no data"])
        found: pd.Series[bool] = fine.groupby(level="model", sort=False).all()
        return found

    @property
    def verdict(self) -> str:
        """One sentence: which models reproduce the cascades, and where the others fail."""
        parts = [self._sentence(name) for name in self.sizes]
        return f"{self.log.n_items:,} observed cascades: " + "; ".join(parts)

    def _sentence(self, name: str) -> str:
        rows = self.table.loc[name]
        wrong = rows[rows["verdict"].str.startswith("too")]
        if wrong.empty:
            told = rows["adjusted"].notna().sum()
            return f"{name} cannot be told from them by {told} statistics (smallest adjusted p {rows['adjusted'].min():.2g})"
        first = wrong.loc["new adopters"] if "new adopters" in wrong.index else wrong.iloc[0]
        what = "new adopters a cascade" if first.name == "new adopters" else str(first.name)
        same = [f"{n} {v}" for n, v in wrong["verdict"].items() if n != first.name]
        text = f"{name} does not reproduce them, {first['verdict']}: {first['predicted']:.3g} {what} where "
        text += (
            f"{first['observed']:.3g} are observed"
            if first.name == "new adopters"
            else f"it is {first['observed']:.3g}"
        )
        return text + (f" (also {', '.join(same)})" if same else "")

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a model and statistic; see `table`."""
        return self.table.reset_index()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw observed sizes in the bands that models predict; see `diffusion.plotting.plot_predictive_check`."""
        return draw("predictive_check", self, ax)

    def __repr__(self) -> str:
        lines = [
            f"PredictiveCheck of {self.log.n_items:,} cascades, {self.runs:,} simulated logs a model, roots: {self.roots}",
            self.table.to_string(float_format=lambda x: f"{x:.4g}"),
            self.verdict,
        ]
        return "\n".join([*lines, *(f"{count:,} {reason} left out" for reason, count in self.log.dropped.items())])


class _FittedProgram(CascadeProgram):
    """Independent cascade with a background: who meets an active followed user may also adopt by itself."""

    def __init__(self, graph: FollowerGraph, background: Floats) -> None:
        super().__init__(graph, IC())
        self._background = background

    def replay(self, start: Start, run: int) -> Trace:
        """See `Program.replay`."""
        return Trace(*leaky_run(self.arcs, self._background, start.seeds, start.key, run))


@dataclass(frozen=True, eq=False)
class _Measured:
    """What is compared of one log, observed or simulated."""

    sizes: Ints  # by item, beyond the roots
    depth: Ints
    first: Ints  # users of the first generation
    roots: Ints
    tree_size: Ints  # of the trees with a virality of their own
    virality: Floats

    @cached_property
    def bins(self) -> Ints:
        """Bin of each tree by size: exact up to 32, then eight a doubling."""
        return np.where(self.tree_size <= EXACT, self.tree_size, (8 * np.log2(self.tree_size)).astype(np.int64))


@one_bar
def predictive_check(
    log: ActionLog,
    models: Mapping[str, FittedProbabilities | FollowerGraph | tuple[FollowerGraph, DiffusionModel | str]],
    *,
    roots: str = "all",
    runs: int = 400,
    confidence: float = 0.95,
    unknown: str = "drop",
    rng: RNGLike = None,
    threads: int | None = None,
) -> PredictiveCheck:
    """Simulate held-out cascades from their roots, and compare sizes, depth, shape and growth with what was observed.

    Parameters
    ----------
    log : ActionLog
        Cascades that no model was fitted to, such as the second log of `ActionLog.split`.
    models : mapping of name to FittedProbabilities, FollowerGraph or (FollowerGraph, model)
        On one graph. A graph stands for the independent cascade with its probabilities, and so does a fit, with its
        background if it has one; see the notes. A fit of `LTWeights` stands for the linear threshold model, without its
        background.
    roots : {"all", "first"}
        Who is active from the beginning: every adopter without an active followed user before it, or only those who
        adopted first of all.
    runs : int
        Simulated logs of each model, each with one cascade for every observed one.
    confidence : float in (0, 1)
        Level of the intervals; its complement bounds the probability that the true model fails in any statistic.
    unknown : {"drop", "error"}
        Adoptions by users outside the graph are left out and counted, or they are an error.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.

    Returns
    -------
    PredictiveCheck

    Raises
    ------
    InputError
        No model, models on different graphs, a log that a fit was trained on, or too few runs for a verdict.
    NotFoundError
        An unknown model or choice of roots.

    See Also
    --------
    inference.fit_probabilities, inference.compare_fits, inference.exposure_response, simulation.cascade_statistics

    Notes
    -----
    *Roots*: by default a cascade starts from all adopters that nobody they follow can have caused. All of them are active
    at step 0 of the simulation, also those who adopted late. What is checked is the spread beyond them.

    *Adopters* are the users in the model's last state: under SIPS those who share.

    *Forests*: simulated steps and observed times cannot be compared, so neither is used. Both kinds of cascade are made
    forests in one way: a user's generation is its distance from the roots along arcs among the adopters, and its parent
    is one of its followed adopters of the generation before, drawn fairly. So depth says how far from the roots a cascade
    reaches, and not how many steps it took. An adopter out of reach (through a feed, or noise) is a root of its own tree.

    *Statistics*, of a log: `new adopters`, the mean number beyond the roots; `size distribution`, the largest distance
    between the cumulative shares of these numbers (bins 0, 1, 2-3, 4-7, ...) and those of all simulated logs, as in a test
    of Kolmogorov and Smirnov; `depth`, the mean over cascades of the largest generation; `virality at matched size`, the
    mean structural virality of trees, with what the model gives trees of the same size as its prediction (Juul and Ugander
    2021: trees of different size cannot be compared), over trees of four users and more for which at least 20 simulated
    ones exist; `R`, users of the first generation a root.

    *p* is two-sided: the share of simulated logs at least as extreme, of as many cascades as were observed, from the same
    roots. For `size distribution` it is the share with a distance at least as large, and the verdict tells where the model
    lies at that distance. `adjusted` is Holm's (1979) adjustment for the statistics of one model, and the verdict follows
    from it: so the true model fails anywhere in at most a share 1 - confidence of checks. Several models are several
    questions, and are not adjusted for.

    *Backgrounds*: under a fit with a background, a user v who meets an active followed user adopts with probability
    1 - exp(-h_v c) prod (1 - p_uv) over those it meets; c is the mean share of an item's life that exposed users of the
    training log had before them. Who adopts by itself before is a root. Give ``fit.graph`` to leave the background out.

    *Limits*: a model that is not told from the cascades need not be true, for few cascades tell little. Probabilities are
    taken as known, without their error. Observed cascades have to be complete: where the log ends soon after they begin,
    they are small, and models look too large.

    References
    ----------
    - Gelman, A., Meng, X.-L. and Stern, H. (1996). Posterior predictive assessment of model fitness via realized
      discrepancies. Statistica Sinica 6(4), 733-760.
    - Juul, J. L. and Ugander, J. (2021). Comparing information diffusion mechanisms by matching on cascade size. PNAS
      118(46). doi:10.1073/pnas.2100786118
    - Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6(2),
      65-70.

    Examples
    --------
    >>> import diffusion as dif
    >>> from diffusion import inference
    >>> g = dif.generate_platform(300, rng=1).with_probabilities("constant", p=0.1)
    >>> log = inference.simulate_log(g, items=60, seeds=2, rng=1)
    >>> models = {"true": g, "half": g.with_probabilities("constant", p=0.05)}
    >>> predictive_check(log, models, rng=1).reproduced.to_dict()
    {'true': True, 'half': False}
    """
    check_log(log)
    if roots not in ("all", "first"):
        raise NotFoundError(
            f"roots={roots!r} is unknown: give 'all' or 'first'" + did_you_mean(str(roots), ("all", "first"))
        )
    confidence = level(confidence)
    least = math.ceil(2 * len(STATISTICS) / (1 - confidence) - 1e-9)  # below it no p-value reaches a verdict
    runs = whole(runs, "runs", least=least)
    key = key_of(rng)
    programs = _programs(models, log)
    graph = next(iter(programs.values())).graph
    log = log.on(graph, unknown=unknown)
    rows = node_rows(log.indptr, log.positions(graph)[log.user], log.time)
    if roots == "all":
        root = parent_rows(log, graph, "first", rng=0) < 0
    else:
        root = log.time == log.time[log.indptr[:-1]][log.item]
    out = OutArcs(graph.csr.indptr, graph.csr.indices)
    observed = _measured(out, rows.indptr, rows.node, root, derive_key(key, "observed"))
    starts = [
        Start(np.unique(rows.node[a:b][root[a:b]]), np.uint64(key))
        for a, b in zip(log.indptr[:-1].tolist(), log.indptr[1:].tolist(), strict=True)
    ]
    tables, sizes = {}, {}
    for name, program in programs.items():
        drawn = _drawn(program, out, starts, runs, key, n_threads(threads), name)
        sizes[name] = np.array([one.sizes for one in drawn])
        tables[name] = _compared(observed, drawn, sizes[name], confidence)
    facts: dict[str, Any] = {"graph": graph.fingerprint, "roots": roots, "runs": runs, "adoptions": len(log)}
    record = provenance("predictive_check", key=key, models={n: p.model.label for n, p in programs.items()}, **facts)
    table = pd.concat(tables, names=["model", "statistic"])
    return PredictiveCheck(table, observed.sizes, sizes, roots, runs, confidence, log, record)


def _programs(models: Any, log: ActionLog) -> dict[str, Program]:
    """Compile every model, and refuse what cannot be compared."""
    if not isinstance(models, Mapping) or not models:
        raise InputError("models is no mapping of names to models: give one such as {'IC': (graph, 'ic')}")
    found: dict[str, Program] = {}
    first: FollowerGraph | None = None
    for name, given in models.items():
        if isinstance(given, FittedProbabilities):
            given.check_unseen(log, name)
        pair = given.graph if isinstance(given, FittedProbabilities) else given
        fitted_lt = isinstance(given, FittedProbabilities) and given.method.additive
        pair = (pair, LT() if fitted_lt else IC()) if isinstance(pair, FollowerGraph) else pair
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], FollowerGraph):
            raise InputError(
                f"the model {name!r} is a {type(given).__name__}: give a result of fit_probabilities, a graph with "
                "probabilities, or (graph, model)"
            )
        graph, model = pair[0], model_of(pair[1])
        first = first or graph
        if graph.csr is not first.csr:
            raise InputError(f"the model {name!r} is on another graph: check all on the same one")
        alone = given.background_once_exposed() if isinstance(given, FittedProbabilities) and not fitted_lt else None
        found[str(name)] = model.compile(graph) if alone is None else _FittedProgram(graph, alone)
    return found


def _drawn(
    program: Program, out: OutArcs, starts: list[Start], runs: int, key: int, threads: int, name: str
) -> list[_Measured]:
    """Simulated logs; those of a deterministic model are all one."""

    def one(run: int) -> _Measured:
        nodes, sizes = [], []
        for i, start in enumerate(starts):
            trace = program.replay(start, run * len(starts) + i)
            step = program.adoption_steps(trace)
            order = np.argsort(step, kind="stable")
            nodes.append(trace.nodes[order[step[order] >= 0]])
            sizes.append(nodes[-1].size)
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        within = np.arange(indptr[-1]) - np.repeat(indptr[:-1], sizes)
        root = within < np.repeat([start.seeds.size for start in starts], sizes)  # seeds come first in a trace
        return _measured(out, indptr, np.concatenate(nodes), root, derive_key(key, "forests", run))

    draws = 1 if program.deterministic else runs
    found: dict[int, _Measured] = {}
    with progress(total=draws, description=f"simulating {name}", unit="logs") as bar:
        for run, measured in map_chunks(one, range(draws), threads=threads):
            found[run] = measured
            bar.update()
    return [found[run % draws] for run in range(runs)]


def _measured(out: OutArcs, indptr: Ints, node: NDArray[np.int32], root: NDArray[np.bool_], key: int) -> _Measured:
    rows = node_rows(indptr, node, np.empty(0))
    order, parent = np.empty(node.size, np.int64), np.empty(node.size, np.int32)
    row_of = np.full(out.indptr.size - 1, -1, np.int64)
    grow_generations(rows, out, root, np.uint64(key), row_of, order, parent)
    tree, depth, below = tree_passes(parent)
    begin = indptr[:-1]
    roots = np.add.reduceat(root.astype(np.int64), begin)
    distance = np.bincount(tree, weights=below * (below[tree] - below), minlength=node.size)  # Wiener index by root
    top = np.flatnonzero((parent < 0) & (below >= LEAST_TREE))
    size = below[top]
    return _Measured(
        sizes=np.diff(indptr) - roots,
        depth=np.maximum.reduceat(depth, begin).astype(np.int64),
        first=np.add.reduceat((depth == 1).astype(np.int64), begin),
        roots=roots,
        tree_size=size,
        virality=distance[top] / (size * (size - 1) / 2),
    )


def _compared(observed: _Measured, drawn: list[_Measured], sizes: Ints, confidence: float) -> pd.DataFrame:
    """One row a statistic of one model."""
    simple = {
        "new adopters": [one.sizes.mean() for one in (observed, *drawn)],
        "depth": [one.depth.mean() for one in (observed, *drawn)],
        "R": [one.first.sum() / one.roots.sum() for one in (observed, *drawn)],
    }
    found = {name: (float(values[0]), np.array(values[1:])) for name, values in simple.items()}
    found["virality at matched size"] = _matched(observed, drawn)
    distance, sign, distances = _distances(observed.sizes, sizes)
    found["size distribution"] = distance, distances
    tail, rows = (1 - confidence) / 2, []
    for name in STATISTICS:
        value, predicted = found[name]
        predicted = predicted[np.isfinite(predicted)]
        if not math.isfinite(value) or not predicted.size:
            rows.append((value, math.nan, math.nan, math.nan, math.nan, ""))
            continue
        larger, smaller = ((side.sum() + 1) / (predicted.size + 1) for side in (predicted >= value, predicted <= value))
        if name == "size distribution":
            p, ends, small = larger, (0.0, confidence), sign > 0
        else:
            p, ends, small = min(1.0, 2 * min(larger, smaller)), (tail, 1 - tail), larger < smaller
        low, middle, high = np.quantile(predicted, [ends[0], 0.5, ends[1]])
        rows.append((value, middle, low, high, p, "too small" if small else "too large"))
    names = ["observed", "predicted", "low", "high", "p", "verdict"]
    table = pd.DataFrame(rows, columns=names, index=pd.Index(STATISTICS, name="statistic"))
    table.insert(5, "adjusted", _holm(table["p"].to_numpy()))
    fine = ~(table["adjusted"] <= 1 - confidence)
    table.loc[fine, "verdict"] = "reproduced"
    table.loc[table["p"].isna(), "verdict"] = "no data"
    return table


def _distances(observed: Ints, sizes: Ints) -> tuple[float, float, Floats]:
    """Distance of the observed sizes to all simulated ones, its sign (above 0: these are smaller), and those of each log."""
    most = int(max(observed.max(), sizes.max())).bit_length() + 1
    counts = np.zeros((len(sizes) + 1, most))
    for row, values in zip(counts, [observed, *sizes], strict=True):
        row += np.bincount(np.frexp(values)[1], minlength=most)  # 0, 1, 2-3, 4-7, ...
    shares = np.cumsum(counts, axis=1) / observed.size
    gap = shares[1:].mean(axis=0) - shares
    distance = np.abs(gap).max(axis=1)
    return float(distance[0]), float(gap[0, np.abs(gap[0]).argmax()]), distance[1:]


def _matched(observed: _Measured, drawn: list[_Measured]) -> tuple[float, Floats]:
    """Mean virality of the observed trees, and what it would be in each simulated log at the sizes of the observed."""
    everything = [observed, *drawn]
    most = max(int(one.bins.max(initial=0)) for one in everything) + 1
    count = np.array([np.bincount(one.bins, minlength=most) for one in everything])
    total = np.array([np.bincount(one.bins, weights=one.virality, minlength=most) for one in everything])
    # What is expected of a log comes from the others; the observed is none of them.
    others, of_others = count[1:].sum(axis=0) - count, total[1:].sum(axis=0) - total
    others[0], of_others[0] = count[1:].sum(axis=0), total[1:].sum(axis=0)
    known = others >= MATCHES
    expected = np.divide(of_others, others, out=np.zeros(total.shape), where=known)
    trees = np.where(known, count, 0).sum(axis=1)
    excess = np.where(known, total - count * expected, 0.0).sum(axis=1)
    excess = np.divide(excess, trees, out=np.full(trees.size, math.nan), where=trees > 0)
    if not trees[0]:
        return math.nan, excess[1:]
    base = float((count[0] * expected[0])[known[0]].sum() / trees[0])
    return base + float(excess[0]), base + excess[1:]


def _holm(p: Floats) -> Floats:
    """Holm's adjustment of the p-values that there are."""
    adjusted = np.full(p.size, math.nan)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]
    steps = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
