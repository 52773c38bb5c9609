"""How many seeds set off a global cascade: what takes the place of R where one active node alone convinces nobody."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._progress import one_bar
from .._provenance import provenance
from .._random import RNGLike, key_of
from .._upward import draw
from .._validation import level, number, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..results.estimates import Estimate, share_interval
from .runner import prepare, seed_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Ignition", "ignition"]

SLACK = 1e-9  # takes back the rounding of a decimal share times the number of users
MIN_RUNS = 10  # below this the order statistics of the runs give no interval at usual levels


@dataclass(frozen=True, repr=False, eq=False)
class Ignition:
    """Probability of a global cascade by number of seeds, and the number from which on it is more likely than not.

    Attributes
    ----------
    critical : Estimate
        Critical seed mass: fewest seeds with an ignition probability of at least 1/2. NaN where the largest number
        that was looked at has less; `high` is infinite where the upper end lies beyond it.
    share : float
        Share of all users that a cascade has to reach beyond the seeds.
    after : int
        Last step whose activations do not count.
    by_size : DataFrame
        One row for each number of seeds that was looked at: `seeds`, `probability`, `low`, `high`, `reach` (mean number
        of users reached beyond the seeds), `reach_ignited` (the same over runs that ignite; NaN if none does).
    n_nodes : int
    runs : int
    provenance : dict

    See Also
    --------
    simulation.ignition
    """

    critical: Estimate
    share: float
    after: int
    by_size: pd.DataFrame
    n_nodes: int
    runs: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def critical_share(self) -> float:
        """Critical seed mass over the number of users."""
        return self.critical.value / self.n_nodes if self.n_nodes else math.nan

    def to_pandas(self) -> pd.DataFrame:
        """Return one row for each number of seeds; see `by_size`."""
        return self.by_size.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the probability of a global cascade against the number of seeds."""
        return draw("ignition", self, ax)

    def __repr__(self) -> str:
        runs = "1 run, deterministic" if self.runs == 1 else f"{self.runs:,} runs"
        what = f"reach beyond the seeds of {self.share:.3g} of the users"
        if math.isnan(self.critical.value):
            if self.by_size.empty:
                return f"Ignition: no number of seeds leaves enough users for a {what}"
            last, top = self.by_size.iloc[-1], self.by_size["probability"].max()
            return (
                f"Ignition: no critical seed mass: the probability of a {what} stays below 1/2 up to "
                f"{int(last['seeds']):,} seeds (at most {top:.3g}; {runs})"
            )
        found = self.critical
        span = "" if found.low == found.value == found.high else f" [{found.low:,.0f}, {found.high:,.0f}]"
        return f"Ignition: from {found.value:,.0f}{span} seeds on, a {what} is likely ({runs})"


@one_bar
def ignition(
    graph: FollowerGraph,
    ranking: Any,
    *,
    model: DiffusionModel | str,
    sizes: Iterable[int] | None = None,
    share: float = 0.1,
    after: int = 0,
    runs: int = 256,
    confidence: float = 0.95,
    rng: RNGLike = None,
    threads: int | None = None,
) -> Ignition:
    """Measure how likely a global cascade is from the first k of a ranking, and the k at which it becomes likely.

    Parameters
    ----------
    graph : FollowerGraph
    ranking : iterable of node labels, or SeedSelection
        Order in which seeds are added.
    model : DiffusionModel or {"ic", "lt"}
    sizes : iterable of int, optional
        Numbers of seeds to look at before the critical one is narrowed down, each from 1 to the length of the ranking.
        The largest bounds what can be found. Default: 1, 2, 4, ... until every run ignites, the ranking ends, or too
        few users are left.
    share : float in (0, 1)
        Share of all users that a run has to reach beyond the seeds for it to ignite.
    after : int >= 0
        Activations up to this step do not count. 0: seeds do not. 1: nor do those whom the seeds reach themselves,
        which is fit for SIPS, whose reach is everybody who was exposed.
    runs : int >= 10
        Worlds, the same for every number of seeds. A deterministic model is computed once.
    confidence : float in (0, 1)
        Level of every interval.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.

    Returns
    -------
    Ignition

    Raises
    ------
    InputError
        A value out of range, an empty ranking, or a graph without what the model needs.
    NotFoundError
        A node of the ranking that is not in the graph.

    See Also
    --------
    simulation.reproduction, theory.gleeson_cahalane, theory.watts_window, Threshold, models.Complex

    Notes
    -----
    With thresholds or complex identification one active node convinces nobody, so there is no R. Reach is bimodal
    instead: a few users beside the seeds, or a large part of all (a global cascade; Watts 2002). A run *ignites* where
    the users reached beyond the seeds are at least `share` of all users: seeds are paid for and prove nothing, and any
    share between the two modes gives the same answer, which `reach` and `reach_ignited` let one check.

    The *critical seed mass* is where the probability of ignition crosses 1/2. All numbers of seeds meet the same
    worlds, and where more seeds never reach less, a run that ignites from k seeds does so from every larger number
    until too few other users are left. So every run has a critical number of its own, of which the critical mass is the
    median: its interval is that of two order statistics, exact without an assumption on the distribution (it covers at
    least `confidence`; David and Nagaraja 2003, section 7.1). Order statistics are found by bisection, to the single
    seed. Intervals of probabilities are those of a share: exact (Clopper and Pearson) with few events, else Wilson's.

    References
    ----------
    - Watts, D. J. (2002). A simple model of global cascades on random networks. PNAS 99(9), 5766-5771.
      doi:10.1073/pnas.082090499
    - David, H. A. and Nagaraja, H. N. (2003). Order Statistics, third edition. Wiley.

    Examples
    --------
    >>> import itertools
    >>> import diffusion as dif
    >>> pairs = zip(*itertools.combinations(range(30), 2))
    >>> g = dif.FollowerGraph.from_arrays(*pairs, directed=False)
    >>> ignition(g, range(10), model=dif.Threshold(count=3))
    Ignition: from 3 seeds on, a reach beyond the seeds of 0.1 of the users is likely (1 run, deterministic)
    """
    share, after = number(share, "share", above=0, most=1 - 1e-9), whole(after, "after", least=0)
    runs, confidence, key = whole(runs, "runs", least=MIN_RUNS), level(confidence), key_of(rng)
    order = seed_labels(graph, ranking)
    if not order:
        raise InputError("the ranking is empty: give node labels in the order in which they become seeds")
    engine = prepare(graph, model, order, key)
    n, needed = graph.n_nodes, share * graph.n_nodes - SLACK
    most = min(len(order), math.floor(n - needed))  # more seeds leave too few users to ignite
    first = _doubling(most) if sizes is None else _checked(sizes, len(order))
    runs = 1 if engine.deterministic else runs
    rows: dict[
        int, tuple[int, float, float]
    ] = {}  # number of seeds -> runs that ignite, mean reach, mean where ignited

    def ignited(k: int) -> int:
        if k not in rows:
            new = replace(engine, nodes=engine.nodes[:k]).run(0, runs, threads=threads).new[:, after + 1 :, 0]
            reach = new.sum(axis=1, dtype=np.int64)
            lit = reach >= needed
            rows[k] = int(lit.sum()), float(reach.mean()), float(reach[lit].mean()) if lit.any() else math.nan
        return rows[k][0]

    for k in first:
        if ignited(k) == runs and sizes is None:
            break

    def from_which(hits: int) -> float:
        """Fewest seeds from which at least so many runs ignite; infinite where no size that was looked at has them."""
        high = min((k for k in rows if ignited(k) >= hits), default=0)
        if not high:
            return math.inf
        low = max((k for k in rows if k < high), default=0)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if ignited(middle) >= hits else (middle, high)
        return float(high)

    critical = Estimate(math.nan, math.nan, math.nan, confidence, runs)
    value = from_which(-(-runs // 2))
    if value < math.inf:
        low, high = (value, value) if runs == 1 else map(from_which, _ranks(runs, confidence))
        critical = Estimate(value, low, high, confidence, runs)
    table = []
    for k in sorted(rows):
        hits, reach, of_ignited = rows[k]
        p = share_interval(hits, runs, confidence) if runs > 1 else Estimate(hits, hits, hits, confidence, 1)
        table.append((k, float(p.value), float(p.low), float(p.high), reach, of_ignited))
    names = ["seeds", "probability", "low", "high", "reach", "reach_ignited"]
    facts = {"share": share, "after": after, "runs": runs, "confidence": confidence}
    record = provenance("ignition", key=key, model=engine.model.label, graph=graph.fingerprint, **facts)
    return Ignition(critical, share, after, pd.DataFrame(table, columns=names), n, runs, record)


def _doubling(most: int) -> list[int]:
    """1, 2, 4, ... and the most."""
    return [*(2**i for i in range(max(most - 1, 0).bit_length())), *[most] * (most > 0)]


def _checked(sizes: Iterable[int], most: int) -> list[int]:
    if isinstance(sizes, str | bytes) or not isinstance(sizes, Iterable):
        raise InputError(f"sizes={sizes!r} is not a list: give numbers of seeds, such as [1, 10, 100]")
    found = sorted({whole(size, "sizes", most=most, of="seeds") for size in sizes})
    if not found:
        raise InputError("sizes is empty: give numbers of seeds, such as [1, 10, 100]")
    return found


def _ranks(runs: int, confidence: float) -> tuple[int, int]:
    """Ranks of the two order statistics between which the median lies with at least this confidence."""
    from scipy.stats import binom

    rank = int(binom.ppf((1 - confidence) / 2, runs, 0.5))
    if rank < 1:
        raise InputError(f"runs={runs} are too few for an interval of a median at confidence={confidence:g}: give more")
    return rank, runs + 1 - rank
