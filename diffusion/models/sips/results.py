"""Results of SIPS: the funnel, the channels, who gets the credit, what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._upward import draw
from ..._validation import level
from ...errors import InputError, NotFoundError, did_you_mean
from ...kernels.sips import ATTENDED, EXPOSED, FEED, FOLLOW
from ...kernels.trees import tree_passes
from ...results.cascade import Cascade
from ...results.ensemble import Ensemble
from ...results.estimates import Estimate
from ...results.intervals import mean_interval
from .parts import STAGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...graph.follower_graph import FollowerGraph
    from ..program import Trace
    from .model import SIPS

__all__ = ["CHANNELS", "SIPSCascade", "SIPSEnsemble", "funnel_tables", "ratio_interval"]

CHANNELS = ("follow", "feed", "seed")


@dataclass(frozen=True, repr=False, eq=False)
class SIPSCascade(Cascade):
    """One realised campaign: who was exposed when, through whom and which channel, and how far each user went.

    Attributes
    ----------
    nodes, step, parent, provenance, graph
        As in `Cascade`: all exposed users, the step of their first exposure, the sharer who exposed them.
    channel : ndarray of int8, shape (size,)
        Channel of the first exposure: 0 follow, 1 feed, 2 seeded creator.
    stage : ndarray of int8, shape (size,)
        0 exposed, 1 sympathized, 2 identified, 3 participated, 4 shared.
    stage_step : ndarray of int32, shape (5, size)
        Step at which each stage was reached, -1 for never.
    hours : ndarray of float64, shape (size,)
        Time of first exposure in hours, where the model has a delay; otherwise NaN.

    See Also
    --------
    models.SIPSEnsemble, results.Cascade, SIPS

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(2000, rng=7)
    >>> ens = dif.simulate(g, [0], model=dif.SIPS(0.2, dif.models.Funnel(share=0.1), dif.models.Feed(impressions=2)), runs=10, rng=7)
    >>> cascade = ens.replay(3)
    >>> bool(cascade.size == ens.sizes[3]), bool(cascade.n_sharers == ens.sharers[3])
    (True, True)
    """

    channel: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    stage: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    stage_step: NDArray[np.int32] = field(default_factory=lambda: np.zeros((5, 0), np.int32))
    hours: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def n_sharers(self) -> int:
        """Users who shared, seeded creators included."""
        return int((self.stage == 4).sum())

    @property
    def categories(self) -> dict[str, dict[str, NDArray[np.int32]]]:
        """Step of every stage, and of the first exposure by its channel; see `Cascade.categories`."""
        by_channel = {name: np.where(self.channel == c, self.step, -1) for c, name in enumerate(CHANNELS)}
        return {"stage": dict(zip(STAGES, self.stage_step, strict=True)), "channel": by_channel}

    @property
    def clock(self) -> tuple[str, NDArray[np.float64]] | None:
        """Hours of the first exposures, where the model has a delay."""
        return ("hours", self.hours) if np.isfinite(self.hours).any() else None

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an exposed user: node, step, parent, channel, stage, hours and the step of every stage."""
        table = super().to_pandas()
        table["channel"] = pd.Categorical([CHANNELS[c] for c in self.channel], categories=list(CHANNELS))
        table["stage"] = pd.Categorical([STAGES[s] for s in self.stage], categories=list(STAGES), ordered=True)
        table["hours"] = self.hours
        for k, name in enumerate(STAGES[1:], start=1):
            table[f"step_{name}"] = pd.array(np.where(self.stage_step[k] < 0, -1, self.stage_step[k]), dtype="Int32")
            table.loc[self.stage_step[k] < 0, f"step_{name}"] = pd.NA
        return table

    def __repr__(self) -> str:
        feed = float((self.channel == FEED).mean()) if self.size else 0.0
        return f"SIPSCascade: {self.size:,} users reached ({feed:.0%} by the feed), {self.n_sharers:,} sharers, depth {self.depth}"


@dataclass(frozen=True, repr=False, eq=False)
class SIPSEnsemble(Ensemble):
    """Many campaigns of one SIPS model from one set of creators.

    Sizes, `new_by_step` and everything that `Ensemble` has count users exposed (reach), creators included.

    Attributes
    ----------
    tally : ndarray of int32, shape (runs, steps, 2, 6)
        By run, step and channel of first exposure (0 follow, 1 feed): attended exposures (repeats included), users
        exposed, sympathized, identified, participated, shared. Creators are not in it.
    capped : int
        Notes whose feed exposures reached the cap: where it is above 0 the feed exploded.

    See Also
    --------
    models.SIPSCascade, results.Ensemble, SIPS, simulate

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(2000, rng=7)
    >>> ens = dif.simulate(g, [0], model=dif.SIPS(0.2, dif.models.Funnel(share=0.1), dif.models.Feed(impressions=2)), runs=200, rng=7)
    >>> ens.channel_shares().index.tolist(), ens.sharers.shape
    (['follow', 'feed', 'seed'], (200,))
    """

    @property
    def tally(self) -> NDArray[np.int32]:
        """By run, step, channel (0 follow, 1 feed): exposures, users exposed, ..., shared; see the attributes."""
        return self.details["tally"]

    @property
    def capped(self) -> int:
        """Notes whose feed exposures reached the cap."""
        return self.totals["capped"]

    @property
    def sharers_by_step(self) -> NDArray[np.int64]:
        """New sharers of every run at every step, creators at step 0; shape (runs, steps)."""
        return self.new_by_state[..., 1].astype(np.int64)

    @property
    def sharers(self) -> NDArray[np.int64]:
        """Sharers of every run, creators included; shape (runs,)."""
        return np.asarray(self.sharers_by_step.sum(axis=1))

    @property
    def hours(self) -> NDArray[np.float64]:
        """End of every time step in hours; NaN where the model has no delay."""
        steps = np.arange(self.new_by_step.shape[1])
        delay = self._sips.delay
        return np.asarray(steps * (np.nan if delay is None else delay.width), np.float64)

    @property
    def _sips(self) -> SIPS:
        model: SIPS = self.model
        return model

    @classmethod
    def cascade_of(cls, graph: FollowerGraph, model: SIPS, trace: Trace, provenance: dict[str, Any]) -> SIPSCascade:
        """Return one traced run of a model as a cascade with stages, channels and who exposed whom.

        Parameters
        ----------
        graph : FollowerGraph
        model : SIPS
        trace : Trace
        provenance : dict

        Returns
        -------
        SIPSCascade
        """
        more = trace.details
        hours = more["hours"] if model.delay is not None else np.full(trace.nodes.shape, np.nan)
        labels = graph.index.labels_of(trace.nodes)
        channel, stage = more["channel"].astype(np.int8), more["stage"].astype(np.int8)
        return SIPSCascade(
            labels, trace.steps, trace.parents, provenance, None, channel, stage, more["stage_step"], hours, graph=graph
        )

    # -- the funnel --------------------------------------------------------------------------------------------------

    def funnel(self, by: str | None = None, *, confidence: float = 0.95, sample: int = 200) -> pd.DataFrame:
        """Return how many users reached each stage, and the rate at which they went on from the stage before.

        Parameters
        ----------
        by : str, optional
            ``"channel"`` (of the first exposure), or a node attribute such as ``"community"`` or ``"tier"``.
        confidence : float in (0, 1)
        sample : int
            Runs that are replayed for a node attribute; without one, and by channel, all runs are used.

        Returns
        -------
        DataFrame
            Indexed by stage, or by group and stage: `users` (mean a run, creators left out) with `low` and `high`,
            `rate` from the stage before (ratio of sums over runs) with `rate_low` and `rate_high`, `runs`.
        """
        level(confidence)
        most = self.graph.n_nodes - len(self.seeds)
        if by is None:
            return funnel_tables({None: self.tally[..., EXPOSED:].sum(axis=(1, 2))}, confidence, most)[0]
        if by == "channel":
            counts = self.tally[..., EXPOSED:].sum(axis=1)
            return _joined({CHANNELS[c]: counts[:, c] for c in (FOLLOW, FEED)}, by, confidence, most)
        codes, names = self._groups(by)
        runs = min(sample, self.runs)
        counts = np.zeros((runs, len(names), 5), np.int64)
        for run in range(runs):
            trace, first = self.source.replay(run), len(self.seeds)  # creators come first
            users, stages = trace.nodes[first:], trace.details["stage"][first:]
            for stage in range(5):
                mine = users[stages >= stage]
                counts[run, :, stage] = np.bincount(codes[mine], minlength=len(names))
        return _joined({name: counts[:, g] for g, name in enumerate(names)}, by, confidence, most)

    def channel_shares(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the share of reach by channel of first exposure: follow, feed, seed; with intervals over runs.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        DataFrame
            Indexed by channel: share, low, high.
        """
        exposed = self.tally[..., EXPOSED].sum(axis=1)
        seeds = np.full(self.runs, len(self.seeds))
        total = exposed.sum(axis=1) + seeds
        rows = [ratio_interval(part, total, confidence) for part in (exposed[:, FOLLOW], exposed[:, FEED], seeds)]
        return pd.DataFrame(rows, columns=["share", "low", "high"], index=pd.Index(CHANNELS, name="channel"))

    def redundancy(self, *, confidence: float = 0.95) -> Estimate:
        """Share of attended exposures of users who had been exposed before.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        attended = self.tally[..., ATTENDED].sum(axis=(1, 2))
        first = self.tally[..., EXPOSED].sum(axis=(1, 2))
        value, low, high = ratio_interval(attended - first, attended, confidence)
        return Estimate(value, low, high, confidence, self.runs)

    def credit(self, by: str = "tier", *, confidence: float = 0.95, sample: int = 200) -> pd.DataFrame:
        """Return the share of reach that goes back to creators of each group, by the root of every user's exposure.

        Parameters
        ----------
        by : str
            A node attribute of the creators, such as ``"tier"`` or ``"community"``.
        confidence : float in (0, 1)
        sample : int
            Runs that are replayed.

        Returns
        -------
        DataFrame
            Indexed by group, largest first: share with low and high, users (mean a run), runs.
        """
        level(confidence)
        codes, names = self._groups(by)
        runs = min(sample, self.runs)
        counts = np.zeros((runs, len(names)), np.int64)
        for run in range(runs):
            trace = self.source.replay(run)
            root, _, _ = tree_passes(trace.parents)
            counts[run] = np.bincount(codes[trace.nodes[root]], minlength=len(names))
        total = counts.sum(axis=1)
        rows = [
            (*ratio_interval(counts[:, g], total, confidence), counts[:, g].mean(), runs) for g in range(len(names))
        ]
        table = pd.DataFrame(rows, columns=["share", "low", "high", "users", "runs"], index=pd.Index(names, name=by))
        return table[table["users"] > 0].sort_values("users", ascending=False)

    def costs(self, prices: Any = None, *, confidence: float = 0.95) -> pd.Series[float]:
        """Return what the creators cost, and cost per user reached, per participation and per share, with intervals.

        Parameters
        ----------
        prices : mapping of label to price, Series, or None
            None takes the node attribute ``price``.

        Returns
        -------
        Series
            ``cost``; then for reach, participation and share ``cost_per_reach`` with ``_low`` and ``_high``, and
        ``reach_per_cost``.
        """
        if prices is None:
            if "price" not in self.graph.attributes:
                raise InputError(
                    "the graph has no node attribute 'price': give prices=, or dif.graph.with_creator_tiers(graph) first"
                )
            prices = self.graph.node_data["price"]
        lost = [seed for seed in self.seeds if seed not in prices or not prices[seed] >= 0]
        if lost:
            raise InputError(f"the creator {lost[0]!r} has no price: give a number from 0 for every seed")
        cost = float(sum(prices[seed] for seed in self.seeds))
        stages = self.tally[..., EXPOSED:].sum(axis=(1, 2))
        found: dict[str, float] = {"cost": cost}
        for name, counts in (("reach", self.sizes), ("participation", stages[:, 3]), ("share", stages[:, 4])):
            mean, _, low, high = mean_interval(counts, confidence, (0.0, self.graph.n_nodes))
            found[f"cost_per_{name}"] = cost / mean if mean > 0 else np.inf
            found[f"cost_per_{name}_low"] = cost / high if high > 0 else np.inf
            found[f"cost_per_{name}_high"] = cost / low if low > 0 else np.inf
            found[f"{name}_per_cost"] = mean / cost if cost > 0 else np.inf
        return pd.Series(found, name="costs")

    # -- tables and pictures -------------------------------------------------------------------------------------------

    def by_step(self, quantiles: tuple[float, float, float] = (0.025, 0.5, 0.975)) -> pd.DataFrame:
        """Reach by step as in `Ensemble.by_step`, with mean new sharers, the part of the feed, and hours.

        Parameters
        ----------
        quantiles : tuple of three floats in [0, 1]
            Over runs, for `low`, `median` and `high`.

        Returns
        -------
        DataFrame
        """
        table = super().by_step(quantiles)
        table["sharers"] = self.sharers_by_step.mean(axis=0)
        table["by_feed"] = self.tally[:, :, FEED, EXPOSED].mean(axis=0)
        table["hours"] = self.hours
        return table

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a run: size, depth, largest step, exposures, users by stage, users reached by the feed."""
        table = super().to_pandas()
        table["exposures"] = self.tally[..., ATTENDED].sum(axis=(1, 2))
        for k, name in enumerate(STAGES[1:], start=1):
            table[name] = self.tally[..., EXPOSED + k].sum(axis=(1, 2))
        table["by_feed"] = self.tally[:, :, FEED, EXPOSED].sum(axis=1)
        return table

    def clock(self) -> dict[str, NDArray[np.float64]]:
        """Hours at the end of every step, where the model has a delay."""
        return {} if self._sips.delay is None else {"hours": self.hours}

    def plot_funnel(self, ax: Axes | None = None, *, by: str | None = None) -> Axes:
        """Plot users by stage with intervals; `by` as in `funnel`."""
        return draw("funnel", self, ax, by=by)

    def _groups(self, by: str) -> tuple[NDArray[np.int64], list[Any]]:
        """Group of every internal node by an attribute, and the names of the groups."""
        data = self.graph.attributes
        if by not in data:
            raise NotFoundError(
                f"the graph has no node attribute {by!r}: there are {', '.join(map(repr, data)) or 'none'}; 'channel' works "
                "without." + did_you_mean(by, data)
            )
        column = self.graph.node_data[by]
        codes, names = pd.factorize(column.astype(object).where(column.notna(), "none"), sort=False)
        if hasattr(column, "cat") and column.cat.ordered:
            order = [str(c) for c in column.cat.categories]
            place = np.argsort([order.index(str(n)) if str(n) in order else -1 for n in names], kind="stable")
        else:
            place = np.argsort([str(n) for n in names], kind="stable") if names.dtype == object else np.argsort(names)
        rank = np.empty(len(names), np.int64)
        rank[place] = np.arange(len(names))
        return rank[codes][self.graph.index.order], [names[i] for i in place]

    def __repr__(self) -> str:
        text = f"SIPSEnsemble: {self.runs:,} runs of {self.model.label} from {len(self.seeds):,} creators; mean reach {self.mean()!r}"
        return text + (f"; the feed met its cap for {self.capped:,} notes" if self.capped else "")


def ratio_interval(part: NDArray[Any], whole: NDArray[Any], confidence: float) -> tuple[float, float, float]:
    """Ratio of sums over runs with its linearised interval (Cochran 1977, eq. 6.13); NaN where the whole is 0."""
    total = float(whole.sum())
    if total == 0:
        return float("nan"), float("nan"), float("nan")
    value = float(part.sum()) / total
    largest = float(whole.max()) * len(whole) / total  # the most that a run weighs in the ratio
    limits = (-value * largest, (1 - value) * largest)
    error = mean_interval((part - value * whole) / (total / len(whole)), confidence, limits)
    return value, max(value + error.low, 0.0), min(value + error.high, 1.0)


def funnel_tables(groups: dict[Any, NDArray[Any]], confidence: float, most: float) -> list[pd.DataFrame]:
    """Return for each group of ``counts[run, stage]`` mean users by stage and the rate from the stage before, with intervals.

    `most` is the largest count that a run can have.
    """
    tables = []
    for counts in groups.values():
        rows = []
        for stage in range(5):
            users = mean_interval(counts[:, stage], confidence, (0.0, most))
            rate = (np.nan, np.nan, np.nan)
            if stage:
                rate = ratio_interval(counts[:, stage], counts[:, stage - 1], confidence)
            rows.append((users.mean, users.low, users.high, *rate, len(counts)))
        columns = ["users", "low", "high", "rate", "rate_low", "rate_high", "runs"]
        tables.append(pd.DataFrame(rows, columns=columns, index=pd.Index(STAGES, name="stage")))
    return tables


def _joined(groups: dict[Any, NDArray[Any]], by: str, confidence: float, most: float) -> pd.DataFrame:
    return pd.concat(funnel_tables(groups, confidence, most), keys=list(groups), names=[by])
