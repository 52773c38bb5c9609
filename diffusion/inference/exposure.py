"""Exposure response: how the probability to adopt depends on the number of active neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import one_bar
from .._provenance import provenance
from .._upward import draw
from .._validation import level as confidence_level
from .._validation import number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_static
from ..kernels.action_logs import Log
from ..kernels.arcs import OutArcs
from ..kernels.exposure import Marks, Spells, find_spells
from ..results.estimates import Estimate
from .action_log import ActionLog, check_log
from .forests import node_rows
from .hazard_ratio import UserSpells, by_item, clustered_share, hazard_ratios

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ExposureResponse", "exposure_response"]

KINDS = ("ordinal", "snapshot")
MOST = 2**31 - 1
SLOW = 0.05  # users overtaken by a second neighbour from which on delays may look like complex contagion

Ints = NDArray[np.int64]


@dataclass(frozen=True, repr=False, eq=False)
class ExposureResponse:
    """Probability to adopt by number of active neighbours, and whether further neighbours convince more or less.

    Attributes
    ----------
    kind : {"ordinal", "snapshot"}
    table : DataFrame
        By number `k` of active neighbours: `exposed` pairs of item and user, `adopted` among them, `probability` with
        its interval `low` to `high`, and `independent`: what independent contagion from ``p(1)`` would give.
    ratio : Estimate
        Hazard of neighbour number `level` over that of the first, for users and items as they differ. NaN for snapshots.
    pooled_ratio : Estimate
        The same over all together, which selection biases.
    overtaken : float
        Probability that a second neighbour becomes active sooner than a user takes to adopt after the first.
    level : int
    tolerance : float
    beyond : int
        Spells with more active neighbours than the table has rows.
    snapshots : tuple of float, or None
        Times of the two snapshots.
    log : ActionLog
        The adoptions that were used; `dropped` counts the others.
    provenance : dict

    See Also
    --------
    inference.exposure_response
    """

    kind: str
    table: pd.DataFrame
    ratio: Estimate
    pooled_ratio: Estimate
    overtaken: float
    level: int
    tolerance: float
    beyond: int
    snapshots: tuple[float, float] | None
    log: ActionLog = field(repr=False)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """``"complex"``, ``"saturating"``, ``"simple"`` or ``"undecided"``: see the notes of `exposure_response`."""
        low, high = self.ratio.low, self.ratio.high
        if high < 1:
            return "saturating"
        if self.overtaken > SLOW:
            return "undecided"
        if low > 1:
            return "complex"
        return "simple" if 1 / self.tolerance <= low and high <= self.tolerance else "undecided"

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a number of active neighbours; see `table`."""
        return self.table.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the probabilities beside independent contagion; see `diffusion.plotting.plot_exposure_response`."""
        return draw("exposure_response", self, ax)

    def __repr__(self) -> str:
        exposed, adopted = (int(self.table[name].sum()) for name in ("exposed", "adopted"))
        lines = [
            f"ExposureResponse: {self.kind}, {self.log.n_items:,} items; {adopted:,} adoptions in {exposed:,} exposures",
            self.table.round(4).to_string(),
        ]
        if self.kind == "ordinal":
            lines.append(
                f"{self.verdict}: hazard of neighbour {self.level} over that of the first, within users and items: "
                f"{_short(self.ratio)}; over all together: {_short(self.pooled_ratio)}"
            )
            if self.overtaken > SLOW:
                lines.append(
                    f"a second neighbour becomes active sooner than a user adopts in {self.overtaken:.0%} of cases: delays, and "
                    "adoptions that nobody caused, make hazards look as if they rose, so neither simple nor complex is said"
                )
        else:
            lines.append("two snapshots do not tell the hazard of a further neighbour, so there is no verdict")
        if self.beyond:
            lines.append(f"{self.beyond:,} exposures to more than {len(self.table):,} active neighbours are not shown")
        lines += [f"{count:,} {reason} left out" for reason, count in self.log.dropped.items()]
        return "\n".join(lines)


def _short(found: Estimate) -> str:
    return f"{found.value:.3g} [{found.low:.3g}, {found.high:.3g}]"


@one_bar
def exposure_response(
    graph: FollowerGraph,
    log: ActionLog,
    *,
    kind: str = "ordinal",
    most: int = 10,
    level: int = 2,
    tolerance: float = 1.25,
    snapshots: tuple[Any, Any] | None = None,
    confidence: float = 0.95,
    unknown: str = "drop",
) -> ExposureResponse:
    """Measure the probability to adopt against the number of active neighbours, and what a further one adds.

    Parameters
    ----------
    graph : FollowerGraph
        Active neighbours of a user are the followed users that have adopted.
    log : ActionLog
    kind : {"ordinal", "snapshot"}
        Ordinal time: of the users who ever had k active neighbours, the share that adopted before it had one more.
        Snapshot: of those who had k at a first time, the share that adopted by a second time.
    most : int >= 2
        Largest number of active neighbours in the table.
    level : int, from 2 to `most`
        The neighbour whose hazard is compared with that of the first; the threshold, where one is suspected.
    tolerance : float > 1
        Contagion is called simple where the interval of the ratio lies between 1 / tolerance and tolerance.
    snapshots : (time, time), optional
        For ``kind="snapshot"``, in the unit of the log or as dates. Default: the median time of adoption, and the last.
    confidence : float in (0, 1)
        Level of every interval.
    unknown : {"drop", "error"}
        Adoptions by users outside the graph are left out and counted, or they are an error.

    Returns
    -------
    ExposureResponse

    Raises
    ------
    InputError
        A value out of range, snapshots in the wrong order, fewer than two items in which somebody is exposed, or users
        outside the graph where they are refused.
    NotFoundError
        An unknown kind.

    See Also
    --------
    inference.fit_probabilities, inference.predictive_check, inference.observed_parents

    Notes
    -----
    *Definitions* are those of Cosley, Huttenlocher, Kleinberg, Lan and Suri (2010). A user counts at every number k that
    it had for some time. Neighbours who adopt at one time make k jump: the user never had the numbers between, and
    counts at none of them. A user who adopts at the same time as a neighbour was not exposed to that one.

    *Independent contagion*: every neighbour that becomes active convinces with the same probability ``p(1)``, on its
    own. In ordinal time the hazard of a further neighbour is then constant: a user that came to k by a jump of j adopts
    with probability 1 - (1 - p(1))^j, and `independent` is the mean of this over the users at k. For snapshots it is
    1 - (1 - p(1))^k, as if all k had become active between the two. They had not, so a snapshot curve differs from it
    under independent contagion as well: its first snapshot has lost those whom the earlier neighbours convinced at once.
    A snapshot curve alone does not tell complex contagion.

    *The ratio* compares the hazard of neighbour `level` with that of the first. It counts only users who had one
    fewer before, so that a jump plays no part. Users differ: the keen adopt at k = 1, the others are left over for
    k = 2, and the curve falls although every user has a constant hazard. Items differ: more neighbours are active in those
    with appeal, and the curve rises. So `ratio` comes from a Poisson regression, which estimates a ratio of probabilities
    (Zou 2004), with an effect of each user, and one of each period of an item: its times, or ten groups of them. With
    an effect of the whole item, chance adoptions that lead to further exposures would look like appeal. Effects of users who
    meet few items bias the ratio upwards; the split-panel jackknife over items takes this back (Dhaene and Jochmans 2015).
    `pooled_ratio` has no effects. Users who become keener with time, adoptions without a cause in the graph, and homophily
    still bias both.

    *The verdict* is "complex" where the interval of `ratio` lies above 1, "saturating" where it lies below, "simple"
    where it lies within the tolerance, otherwise "undecided". At 95 % a constant hazard is called complex in about 2.5 %
    of logs, and saturating in as many.

    *Delays*: an adoption counts at the number that the user had by then. Where users take longer to adopt than
    neighbours take to become active, adoptions that the first caused count at k = 2 and beyond, and hazards look as if
    they rose. `overtaken` measures how often that can be. Above 5 % no log is called simple or complex, whatever the ratio.

    *Intervals* take items as independent and users as given. Those of a probability are exact ones (Clopper and Pearson)
    for the effective number of exposures, which is smaller the more adoptions lie in the same items (Korn and Graubard
    1998). Those of a ratio are robust to dependence within items; with fewer than five adoptions at either level they
    rest on the intervals of the two probabilities, and are wider. A probability of 0 or 1 shows no dependence within
    items: its interval takes the items for as many trials, and in a ratio the dependence seen at the other level.

    References
    ----------
    - Cosley, D., Huttenlocher, D., Kleinberg, J., Lan, X. and Suri, S. (2010). Sequential influence models in social
      networks. Proceedings of the Fourth International AAAI Conference on Weblogs and Social Media (ICWSM).
    - Zou, G. (2004). A modified Poisson regression approach to prospective studies with binary data. American Journal of
      Epidemiology 159(7), 702-706. doi:10.1093/aje/kwh090
    - Dhaene, G. and Jochmans, K. (2015). Split-panel jackknife estimation of fixed-effect models. Review of Economic
      Studies 82(3), 991-1030.
    - Korn, E. L. and Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
      counts estimated from survey data. Survey Methodology 24(2), 193-201.

    Examples
    --------
    >>> import diffusion as dif
    >>> from diffusion import inference
    >>> g = dif.generate_platform(300, rng=1).with_probabilities("constant", p=0.1)
    >>> log = inference.simulate_log(g, items=300, seeds=3, rng=1)
    >>> found = exposure_response(g, log, most=4)
    >>> found.table.index.tolist(), found.verdict
    ([1, 2, 3, 4], 'simple')
    """
    check_static(graph)
    check_log(log)
    if kind not in KINDS:
        raise NotFoundError(f"kind={kind!r} is unknown: give 'ordinal' or 'snapshot'" + did_you_mean(kind, KINDS))
    most, confidence = whole(most, "most", least=2, most=MOST), confidence_level(confidence)
    level, tolerance = whole(level, "level", least=2, most=most), number(tolerance, "tolerance", above=1)
    if kind == "ordinal" and snapshots is not None:
        raise InputError("snapshots= is for kind='snapshot': ordinal time uses every adoption")
    log = log.on(graph, unknown=unknown)
    node = log.positions(graph)[log.user]
    times = _snapshot_times(log, snapshots) if kind == "snapshot" else None
    if times is None:
        found, beyond = _spells(graph, node_rows(log.indptr, node, log.time), most)
    else:
        found, beyond = _at_snapshot(graph, log, node, times, most)
    if np.unique(found.item).size < 2:
        raise InputError(
            f"users are exposed in {np.unique(found.item).size} of the {log.n_items:,} items, and intervals need two items: "
            "check edges_mean and the labels, or give more items"
        )
    table = _table(found, most, confidence, kind)
    unknown_ratio = Estimate(math.nan, math.nan, math.nan, confidence, log.n_items)
    ratios = (unknown_ratio, unknown_ratio) if times else hazard_ratios(found, level, confidence)
    overtaken = math.nan if times else _overtaken(found, node, log, graph.n_nodes)
    facts: dict[str, Any] = {"kind": kind, "graph": graph.fingerprint, "adoptions": len(log)}
    record = provenance("exposure_response", **facts)
    return ExposureResponse(kind, table, *ratios, overtaken, level, tolerance, beyond, times, log, record)


def _spells(graph: FollowerGraph, rows: Log, most: int) -> tuple[UserSpells, int]:
    csr, n, counts = graph.csr, graph.n_nodes, np.zeros(rows.indptr.size - 1, np.int64)
    out = OutArcs(csr.indptr, csr.indices)
    for write in (False, True):
        size = int(counts.sum()) if write else 0
        held = Spells(*(np.empty(size, np.int32) for _ in range(3)), np.empty(size), np.empty(size, np.bool_))
        marks = Marks(*(np.full(n, -1, np.int64) for _ in range(7)))
        beyond = find_spells(rows, out, most, write, marks, counts, held)
    return UserSpells(np.repeat(np.arange(counts.size), counts), *held), int(beyond)


def _snapshot_times(log: ActionLog, given: tuple[Any, Any] | None) -> tuple[float, float]:
    if given is None:
        first, second = float(np.median(log.time)), float(log.time.max())
    else:
        if isinstance(given, str) or not hasattr(given, "__len__") or len(given) != 2:
            raise InputError(f"snapshots={given!r} are no two times: give (first, second)")
        first, second = (_time(value, log.dates) for value in given)
    if not first < second:
        raise InputError(
            f"the first snapshot, {first:g}, is not before the second, {second:g}: the log has times from "
            f"{log.time.min():g} to {log.time.max():g}; give snapshots=(first, second)"
        )
    return first, second


def _time(value: Any, dates: bool) -> float:
    if not dates or isinstance(value, int | float):
        return number(value, "snapshots")
    try:
        when = pd.Timestamp(value)
    except ValueError:
        raise InputError(
            f"snapshots={value!r} is no date: give text such as '2024-05-01', or a number of seconds"
        ) from None
    return float((when.tz_convert(None) if when.tzinfo else when).timestamp())


def _at_snapshot(
    graph: FollowerGraph, log: ActionLog, node: NDArray[np.int32], times: tuple[float, float], most: int
) -> tuple[UserSpells, int]:
    """Who had not adopted by the first snapshot: how many neighbours were active, and whether it did by the second."""
    early = log.time <= times[0]
    sizes = np.bincount(log.item[early], minlength=log.n_items)
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    found, _ = _spells(graph, node_rows(indptr, node[early], log.time[early]), MOST)
    pair = found.item * graph.n_nodes + found.node
    latest = np.zeros(pair.size, np.bool_)
    latest[pair.size - 1 - np.unique(pair[::-1], return_index=True)[1]] = True
    found, pair = found.where(latest & ~found.adopted), pair[latest & ~found.adopted]
    late = ~early & (log.time <= times[1])
    adopted = np.isin(pair, log.item[late] * graph.n_nodes + node[late])
    shown = found.level <= most
    kept = replace(found, jump=found.level, adopted=adopted).where(shown)
    return kept, int((~shown).sum())


def _table(found: UserSpells, most: int, confidence: float, kind: str) -> pd.DataFrame:
    rows = []
    p1 = math.nan
    for k in range(1, most + 1):
        at = found.level == k
        hits, counts = by_item(found.where(at))
        p, low, high = clustered_share(hits, counts, confidence)
        p1 = p if k == 1 else p1
        jumps = found.jump[at] if kind == "ordinal" else np.full(int(at.sum()), k)
        independent = float((1 - (1 - p1) ** jumps).mean()) if jumps.size else math.nan
        rows.append((int(counts.sum()), int(hits.sum()), p, low, high, independent))
    names = ["exposed", "adopted", "probability", "low", "high", "independent"]
    return pd.DataFrame(rows, columns=names, index=pd.RangeIndex(1, most + 1, name="k"))


def _overtaken(found: UserSpells, node: NDArray[np.int32], log: ActionLog, n_nodes: int) -> float:
    """Probability that a second neighbour becomes active sooner than a user adopts after the first."""
    pair = found.item * n_nodes + found.node
    order = np.argsort(pair, kind="stable")
    pair, level, begin = pair[order], found.level[order], found.begin[order]
    second = np.flatnonzero((pair[1:] == pair[:-1]) & (level[:-1] == 1))
    gaps = np.sort(begin[second + 1] - begin[second])
    at = (level == 1) & found.adopted[order]
    adoption = log.item * n_nodes + node
    place = np.argsort(adoption)
    when = log.time[place[np.searchsorted(adoption[place], pair[at])]]
    if not gaps.size or not at.any():
        return math.nan
    return float(np.searchsorted(gaps, when - begin[at], side="left").mean() / gaps.size)
