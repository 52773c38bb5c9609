"""What fairness costs: fair and unconstrained seeds side by side, in the same worlds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import one_bar, progress
from .._random import RNGLike, key_of
from .._threads import map_chunks, n_threads
from .._upward import draw
from .._validation import level, whole
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..models.program import BATCH
from ..results.estimates import Estimate
from ..simulation.runner import Runner, prepare
from .groups import Groups, groups_of
from .problem import record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FairnessPrice", "price_of_fairness"]

BATCHES = 20  # batches of runs from whose means the intervals come, unless runs says otherwise


@dataclass(frozen=True, repr=False, eq=False)
class FairnessPrice:
    """Fair and unconstrained seeds side by side, in the same worlds.

    Attributes
    ----------
    shares : DataFrame
        By community: size; fair, fair_low, fair_high and best, best_low, best_high, the expected shares of its nodes
        that become active; difference (fair - best), low, high, paired.
    minimum_fair, minimum_best : Estimate
        The smallest share, with the interval of the community that has it.
    spread_fair, spread_best : Estimate
        Expected active nodes of the whole graph.
    given_up : Estimate
        Spread of the best seeds less that of the fair ones, with its paired interval.
    confidence : float
    runs : int
    key : int
    provenance : dict

    See Also
    --------
    seeding.price_of_fairness, plotting.plot_fairness_price
    """

    shares: pd.DataFrame
    minimum_fair: Estimate
    minimum_best: Estimate
    spread_fair: Estimate
    spread_best: Estimate
    given_up: Estimate
    confidence: float
    runs: int
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def price(self) -> float:
        """Share of the spread that fairness gives up."""
        return self.given_up.value / self.spread_best.value if self.spread_best.value else float("nan")

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a community, with the columns of `shares`."""
        return self.shares.reset_index()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the share reached of each community, fair (filled) and best (open), with intervals."""
        return draw("fairness_price", self, ax)

    def __repr__(self) -> str:
        return (
            f"FairnessPrice over {len(self.shares):,} communities: smallest share {self.minimum_fair!r} fair, "
            f"{self.minimum_best!r} best; spread given up {self.given_up!r}, {self.price:.2%} of {self.spread_best.value:.5g}"
        )


@one_bar
def price_of_fairness(
    graph: FollowerGraph,
    fair: Any,
    best: Any,
    *,
    communities: Any = None,
    model: DiffusionModel | str = "ic",
    runs: int | None = None,
    confidence: float = 0.95,
    rng: RNGLike = None,
    threads: int | None = None,
) -> FairnessPrice:
    """Compare fair seeds with those of largest spread: reach per community, smallest share, and the spread given up.

    Parameters
    ----------
    graph : FollowerGraph
    fair, best : SeedSelection, MaximinSelection or iterable of labels
    communities : optional
        As in `maximin_seeds`.
    model : DiffusionModel or {"ic", "lt"}
        Any model, threshold models included.
    runs : int, optional
        Rounded up to whole batches of 512, of which there are at least 4; default 20 batches.
    confidence : float in (0, 1)
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.

    Returns
    -------
    FairnessPrice

    See Also
    --------
    seeding.maximin_seeds, seeding.FairnessPrice, select_seeds

    Notes
    -----
    Both seed sets meet the same worlds. Intervals are Student's on the means of batches of 512 runs, each community for
    itself; those of differences are paired. A deterministic model is computed once, and its intervals have no width.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0).with_node_data(community=list("aaaabb"))
    >>> price = price_of_fairness(g, [4], [0], rng=7)
    >>> price.given_up.value, price.minimum_best.value
    (2.0, 0.0)
    """
    check_graph(graph)
    level(confidence)
    groups = groups_of(graph, communities)
    key = key_of(rng)
    engines = [prepare(graph, model, seeds, key) for seeds in (fair, best)]
    if engines[0].deterministic:
        batches = 1
    else:
        batches = BATCHES if runs is None else max(-(-whole(runs, "runs") // BATCH), 4)
    reached = [_reached(engine, groups, batches, n_threads(threads)) for engine in engines]
    sizes = groups.sizes()
    shares = [counts[:, :-2] / sizes for counts in reached]
    spreads = [counts[:, -1] for counts in reached]
    facts = {"communities": len(groups), "n_seeds": [len(engine.seeds) for engine in engines]}
    origin = record("price_of_fairness", graph, engines[0].model, key, runs=batches * BATCH, **facts)
    table = pd.DataFrame({"size": sizes}, index=pd.Index(groups.names, name="community", tupleize_cols=False))
    columns = {"fair": shares[0], "best": shares[1], "difference": shares[0] - shares[1]}
    for name, values in columns.items():
        mean, half = _student(values, confidence)
        prefix = "" if name == "difference" else f"{name}_"
        table = table.assign(**{name: mean, f"{prefix}low": mean - half, f"{prefix}high": mean + half})
    total = 1 if engines[0].deterministic else batches * BATCH
    minima = []
    for name in ("fair", "best"):
        at = int(table[name].to_numpy().argmin())
        ends = [float(table[column].iloc[at]) for column in (name, f"{name}_low", f"{name}_high")]
        minima.append(Estimate(ends[0], ends[1], ends[2], confidence, total))
    estimates = []
    for sample in (*spreads, spreads[1] - spreads[0]):
        mean, half = _student(sample[:, None], confidence)
        middle, width = float(mean[0]), float(half[0])
        estimates.append(Estimate(middle, middle - width, middle + width, confidence, total))
    return FairnessPrice(
        table, minima[0], minima[1], estimates[0], estimates[1], estimates[2], confidence, total, key, origin
    )


def _reached(engine: Runner, groups: Groups, batches: int, threads: int) -> NDArray[np.float64]:
    """Mean active nodes of a run: by batch, of each community, of no community, and of all."""
    runs = 1 if engine.deterministic else BATCH
    means = np.zeros((batches, len(groups) + 2))

    def work(batch: int) -> NDArray[np.float64]:
        first = batch * BATCH
        active = engine.run(first, first + runs, threads=1, show=False).node_counts[:, 0]
        by_group = np.bincount(groups.code + 1, weights=active, minlength=len(groups) + 1) / runs
        return np.concatenate([by_group[1:], by_group[:1], [by_group.sum()]])

    with progress(total=batches * runs, description="cascades", unit="run") as bar:
        for batch, row in map_chunks(work, range(batches), threads=min(threads, batches)):
            means[batch] = row
            bar.update(runs)
    return means


def _student(values: NDArray[np.float64], confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each column and half width of its interval."""
    from scipy.stats import t

    mean = values.mean(axis=0)
    if len(values) == 1:
        return mean, np.zeros_like(mean)
    se = values.std(axis=0, ddof=1) / math.sqrt(len(values))
    return mean, float(t.ppf(0.5 + confidence / 2, len(values) - 1)) * se
