"""How cascades move between communities: reach in each, concentration, who carried them across and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import progress
from .._provenance import provenance
from .._upward import draw
from .._validation import level, whole
from ..errors import InputError
from ..graph.communities import Communities, community_codes
from ..graph.follower_graph import FollowerGraph
from ..results.cascade import Cascade
from ..results.estimates import Estimate, share_interval
from ..results.intervals import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CommunityFlow", "community_flow"]

MAX_COMMUNITIES = 5_000  # the flux table has a cell for every pair


class Replayable(Protocol):
    """Anything that can show its runs again as cascades on its graph."""

    @property
    def graph(self) -> FollowerGraph: ...

    @property
    def runs(self) -> int: ...

    @property
    def provenance(self) -> dict[str, Any]: ...

    def replay(self, run: int) -> Cascade: ...


@dataclass(frozen=True, repr=False, eq=False)
class CommunityFlow:
    """Reach, concentration and crossings of cascades by community, with runs as the units of every interval.

    Attributes
    ----------
    reach : ndarray of int64, shape (runs, communities)
        Active nodes of each community at the end of each run, seeds included.
    names : Index
        Names of the communities, in the order of the columns of `reach`.
    sizes : ndarray of int64, shape (communities,)
        Nodes of each community.
    flux : DataFrame, communities x communities
        Mean number of activations a run that were carried from the community in the row to the one in the column; the
        diagonal holds those that stayed inside. Seeds were carried by nobody.
    entries : DataFrame
        One row for each run and community it entered: ``run``, ``community``, ``step`` of the first activation there,
        the ``node`` activated, the ``carrier`` that activated it and ``came_from``, the community of the carrier (both
        missing where the community was seeded). Of several nodes activated at that step the first in the cascade.
    dominance : Estimate
        Mean over runs of max_c n_c / n, the share of the largest community among active nodes.
    entropy : Estimate
        Mean over runs of -sum_c (n_c / n) log2(n_c / n), in bits.
    confidence : float
    provenance : dict

    See Also
    --------
    simulation.community_flow, communities, plotting.plot_community_map

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(500, communities=3, rng=7).with_probabilities("constant", p=0.2)
    >>> flow = dif.simulation.community_flow(dif.simulate(g, [0], runs=50, rng=7))
    >>> flow.reach.shape, flow.flux.shape
    ((50, 3), (3, 3))
    """

    reach: NDArray[np.int64]
    names: pd.Index[Any]
    sizes: NDArray[np.int64]
    flux: pd.DataFrame
    entries: pd.DataFrame
    dominance: Estimate
    entropy: Estimate
    confidence: float
    _deterministic: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """Number of runs that were looked at."""
        return int(self.reach.shape[0])

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a community.

        Columns: ``community``, ``size``; ``reach`` (mean active nodes) with ``reach_low`` and ``reach_high``;
        ``share`` of its nodes; ``entered`` (share of runs that entered it) with its interval; ``seeded`` (share of
        runs in which it held a seed); ``step`` (mean step of entry over the runs that entered) with its interval;
        ``carrier``, the node that carried cascades into it most often, and ``carrier_share``, in which share of the
        runs that were carried into it.
        """
        codes = self.names.get_indexer(pd.Index(self.entries["community"]))
        mine_of: dict[Any, pd.DataFrame] = dict(iter(self.entries.groupby(codes)))
        none = self.entries.iloc[:0]
        shares = {hits: self._share(hits) for hits in {0, *map(len, mine_of.values())}}
        rows: list[dict[str, Any]] = []
        for c, name in enumerate(self.names):
            mine = mine_of.get(c, none)
            reach = _mean(self.reach[:, c], self.confidence, self._deterministic, int(self.sizes[c]))
            step = _mean(mine["step"].to_numpy(), self.confidence, self._deterministic, int(self.sizes.sum()))
            entered = shares[len(mine)]
            carried = mine.loc[mine["carrier"].notna(), "carrier"]
            often = carried.value_counts(sort=False)  # in order of first occurrence, so that a tie has one answer
            rows.append(
                {
                    "community": name,
                    "size": int(self.sizes[c]),
                    "reach": reach.value,
                    "reach_low": reach.low,
                    "reach_high": reach.high,
                    "share": reach.value / self.sizes[c],
                    "entered": entered.value,
                    "entered_low": entered.low,
                    "entered_high": entered.high,
                    "seeded": (len(mine) - len(carried)) / self.runs,
                    "step": step.value,
                    "step_low": step.low,
                    "step_high": step.high,
                    "carrier": often.idxmax() if len(often) else None,
                    "carrier_share": often.max() / len(carried) if len(often) else float("nan"),
                }
            )
        table = pd.DataFrame(rows)
        carriers = pd.Series([row["carrier"] for row in rows], dtype=object)
        return table.assign(carrier=carriers.astype(self.entries["carrier"].dtype))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the communities as a map with arrows for what crosses over; see `plotting.plot_community_map`."""
        return draw("community_map", self, ax)

    def _share(self, hits: int) -> Estimate:
        if self._deterministic:
            return Estimate(hits / self.runs, hits / self.runs, hits / self.runs, self.confidence, self.runs)
        return share_interval(hits, self.runs, self.confidence)

    def __repr__(self) -> str:
        crossing = float(self.flux.to_numpy().sum() - np.trace(self.flux.to_numpy()))
        entered = (self.reach > 0).sum(axis=1).mean()
        return (
            f"CommunityFlow: {self.runs:,} runs over {len(self.names):,} communities, {entered:.3g} entered and "
            f"{crossing:.4g} crossings a run; dominance {self.dominance.value:.3g}, entropy {self.entropy.value:.3g} bits"
        )


def community_flow(
    ensemble: Replayable,
    *,
    communities: Communities = None,
    runs: int = 200,
    confidence: float = 0.95,
) -> CommunityFlow:
    """Measure how the cascades of an ensemble spread over communities.

    Parameters
    ----------
    ensemble : Ensemble
        Or anything with ``graph``, ``runs``, ``provenance`` and ``replay(run)``.
    communities : Partition, Series or dict by label, or array in node order, optional
        Default: the node attribute ``community``. At most 5,000 of them.
    runs : int
        Runs to replay: the first so many, or all where there are fewer.
    confidence : float in (0, 1)
        Level of the intervals.

    Returns
    -------
    CommunityFlow

    Raises
    ------
    InputError
        A node without a community, too many communities, or a run count below 1.

    See Also
    --------
    communities, simulate, rewire_mixing

    Notes
    -----
    Dominance and entropy are those of Weng, Menczer and Ahn (2013), over all active nodes, seeds included; a run
    without active nodes has neither. Intervals are normal over runs, of shares those of Wilson (1927); one run alone
    has none. A deterministic model is replayed once, and its intervals are points.

    References
    ----------
    - Weng, L., Menczer, F. and Ahn, Y.-Y. (2013). Virality prediction and community structure in social networks.
      Scientific Reports 3, 2522. doi:10.1038/srep02522
    - Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
      American Statistical Association 22, 209-212. doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0).with_node_data(community=["a", "a", "b", "b"])
    >>> flow = community_flow(dif.simulate(g, [0], runs=10, rng=7))
    >>> flow.flux.loc["a", "b"].item(), flow.to_pandas()["step"].tolist(), flow.entropy.value
    (1.0, [0.0, 2.0], 1.0)
    """
    if not all(hasattr(ensemble, name) for name in ("graph", "runs", "provenance", "replay")):
        raise InputError(
            f"community_flow takes the runs of an ensemble, and a {type(ensemble).__name__} was given: call "
            "community_flow(dif.simulate(graph, seeds, ...))"
        )
    level(confidence)
    runs = whole(runs, "runs")
    graph = ensemble.graph
    codes, names = community_codes(graph, communities)
    count = len(names)
    if count > MAX_COMMUNITIES:
        raise InputError(
            f"{count:,} communities are more than {MAX_COMMUNITIES:,}, which is as many as a flux table can hold: "
            "put small ones together, or find fewer with a smaller resolution="
        )
    runs = min(runs, ensemble.runs)
    deterministic = bool(getattr(getattr(ensemble, "source", None), "deterministic", False))
    reach = np.zeros((runs, count), np.int64)
    flux = np.zeros(count * count, np.int64)
    entries: list[NDArray[np.int64]] = []
    with progress(total=runs, description="replaying runs", unit="run") as bar:
        for run in range(1 if deterministic else runs):
            cascade = ensemble.replay(run)
            at = np.asarray(graph.index.positions(cascade.nodes), np.int64)
            own = codes[at]
            reach[run] = np.bincount(own, minlength=count)
            carried = np.flatnonzero(cascade.parent >= 0)
            np.add.at(flux, own[cascade.parent[carried]] * count + own[carried], 1)
            entries.append(_entries(run, cascade, at, own))
            bar.update()
    if deterministic:
        reach[:] = reach[0]
        flux *= runs
        entries = [
            np.concatenate([np.full((len(entries[0]), 1), run), entries[0][:, 1:]], axis=1) for run in range(runs)
        ]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = reach / reach.sum(axis=1, keepdims=True)
        bits = -np.where(share > 0, share * np.log2(share), 0.0).sum(axis=1)
    active = reach.any(axis=1)
    return CommunityFlow(
        reach=reach,
        names=names,
        sizes=np.bincount(codes, minlength=count),
        flux=pd.DataFrame(flux.reshape(count, count) / runs, index=names.rename("from"), columns=names.rename("to")),
        entries=_entry_table(np.concatenate(entries), graph, names),
        dominance=_mean(share[active].max(axis=1, initial=0.0), confidence, deterministic, 1.0),
        entropy=_mean(bits[active] + 0.0, confidence, deterministic, float(np.log2(max(count, 1)))),
        confidence=float(confidence),
        _deterministic=deterministic,
        provenance=provenance(
            "community_flow",
            runs=runs,
            confidence=float(confidence),
            n_communities=count,
            ensemble=dict(ensemble.provenance),
        ),
    )


def _entries(run: int, cascade: Cascade, at: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """First activation in each community: run, community, step, node, carrier and its community (-1 for a seed)."""
    order = np.argsort(cascade.step, kind="stable")  # cascades come in order of step, but need not
    entered, first = np.unique(own[order], return_index=True)
    first = order[first]
    parent = cascade.parent[first]
    seeded = parent < 0
    columns = (
        np.full(first.size, run),
        entered,
        cascade.step[first],
        at[first],
        np.where(seeded, -1, at[parent]),
        np.where(seeded, -1, own[parent]),
    )
    return np.column_stack(columns).astype(np.int64).reshape(-1, 6)


def _entry_table(found: NDArray[np.int64], graph: FollowerGraph, names: pd.Index[Any]) -> pd.DataFrame:
    run, community, step, node, carrier, came_from = found.T
    return pd.DataFrame(
        {
            "run": run,
            "community": names.take(community),
            "step": step,
            "node": graph.nodes.take(node),
            "carrier": _or_missing(graph.nodes, carrier),
            "came_from": _or_missing(names, came_from),
        }
    )


def _or_missing(index: pd.Index[Any], at: NDArray[np.int64]) -> Any:
    values = np.empty(at.size, dtype=object)
    values[:] = index.take(np.maximum(at, 0)).tolist() if at.size else []
    values[at < 0] = None
    return pd.array(values, dtype="Int64") if index.dtype.kind in "iu" else values


def _mean(values: NDArray[Any], confidence: float, exact: bool, most: float) -> Estimate:
    """Mean with its interval of values from 0 to `most`."""
    found = mean_interval(values, confidence, (0.0, most), exact=exact)
    return Estimate(found.mean, found.low, found.high, confidence, len(values))
