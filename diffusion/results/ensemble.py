"""Many runs of one model from one seed set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._html import card, table
from .._upward import draw
from .._validation import level, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from .cascade import Cascade
from .estimates import Estimate, Source, SpreadEstimate, share_interval

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

__all__ = ["Ensemble", "Replaying"]


class Replaying(Source, Protocol):
    """Runs that can be computed again, one by one, with who activated whom."""

    @property
    def deterministic(self) -> bool:
        """Is every run the same?"""
        ...

    def replay(self, run: int) -> Any:
        """One run again."""
        ...


@dataclass(frozen=True, repr=False, eq=False)
class Ensemble:
    """Many runs of one model from one seed set.

    Attributes
    ----------
    graph, model, seeds
        What was simulated; `seeds` is a tuple of labels.
    new_by_state : ndarray of int32, shape (runs, steps, states)
        Nodes that entered each of the model's states (``model.states``), by run and step; column 0 holds the seeds.
    key : int
        The 64-bit key of the worlds: ``simulate(..., rng=...)`` with the same key's generator gives them again.
    provenance : dict
    node_counts : ndarray of int64, shape (n_nodes, columns)
        Runs in which each internal node entered the first state, and what else the model counts by node.
    details : dict of str to ndarray
        What else the model counts by run and step.
    totals : dict of str to int
        What the model counts over all runs.
    source : Runner
        Replays single runs.
    weight_by_run : ndarray of float64, shape (runs,), or None
        Weight of the active nodes of each run, with ``node_weights``.

    See Also
    --------
    simulate, results.Cascade, growth

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], edges_mean="influences", directed=True)
    >>> ens = dif.simulate(g.with_probabilities("constant", p=0.5), [0], runs=1000, rng=7)
    >>> ens.sizes.shape, int(ens.sizes.min()), int(ens.sizes.max())
    ((1000,), 1, 4)
    >>> ens.mean().low < 1.875 < ens.mean().high
    True
    """

    graph: FollowerGraph
    model: Any
    seeds: tuple[Any, ...]
    new_by_state: NDArray[np.int32]
    key: int
    provenance: dict[str, Any]
    node_counts: NDArray[np.int64]
    details: dict[str, NDArray[Any]]
    totals: dict[str, int]
    source: Replaying
    weight_by_run: NDArray[np.float64] | None = None

    @property
    def new_by_step(self) -> NDArray[np.int32]:
        """New activations of every run at every step, shape (runs, steps): those of the first state."""
        return self.new_by_state[..., 0]

    @property
    def states(self) -> tuple[str, ...]:
        """Names along the last axis of `new_by_state`."""
        names: tuple[str, ...] = self.model.states
        return names

    @property
    def runs(self) -> int:
        """Number of runs."""
        return int(self.new_by_state.shape[0])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Active nodes at the end of each run, seeds included; shape (runs,)."""
        return np.asarray(self.new_by_step.sum(axis=1, dtype=np.int64))

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight of the active nodes at the end of each run, seeds included; shape (runs,). Needs ``node_weights``."""
        if self.weight_by_run is None:
            raise InputError("these runs count nodes: give simulate(..., node_weights=...) to weigh them")
        return self.weight_by_run

    @property
    def unit(self) -> str:
        """What `mean` counts: "nodes", or "node weight"."""
        return self.source.unit

    @property
    def depths(self) -> NDArray[np.int64]:
        """Last step with an activation in each run; shape (runs,)."""
        steps = self.new_by_step.shape[1]
        return np.asarray((np.arange(steps) * (self.new_by_step > 0)).max(axis=1, initial=0))

    @property
    def activation_probability(self) -> pd.Series[float]:
        """Share of runs in which each node became active, by label."""
        return self.graph.index.series(self.node_counts[:, 0] / self.runs, "activation_probability")

    @property
    def alive_by_step(self) -> NDArray[np.float64]:
        """Share of runs with an activation at each step; one minus it is the share that has died out by then."""
        return np.asarray((self.new_by_step > 0).mean(axis=0))

    def mean(self, *, confidence: float = 0.95) -> SpreadEstimate:
        """Mean size with its interval, or the mean weight where the runs have ``node_weights``; `unit` says which.

        Parameters
        ----------
        confidence : float in (0, 1)
            Level of the interval; see the notes of `spread`.

        Returns
        -------
        SpreadEstimate
        """
        level(confidence)
        return SpreadEstimate.from_sizes(
            self.sizes if self.weight_by_run is None else self.weight_by_run,
            confidence=confidence,
            stopped_by="deterministic" if self.source.deterministic else "runs",
            key=self.key,
            provenance=self.provenance,
            limits=self.source.limits,
            unit=self.unit,
        )

    def outbreak_probability(self, share: float = 0.01, *, confidence: float = 0.95) -> Estimate:
        """Share of runs that reach at least `share` of all nodes, with its interval.

        The interval is that of Wilson (1927), or with fewer than 15 runs on one side the exact one (Clopper and
        Pearson 1934).

        Parameters
        ----------
        share : float in (0, 1]
            Share of all nodes that makes an outbreak.
        confidence : float in (0, 1)

        Returns
        -------
        Estimate

        References
        ----------
        - Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
          American Statistical Association 22, 209-212. doi:10.1080/01621459.1927.10502953
        - Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of
          the binomial. Biometrika 26(4), 404-413. doi:10.1093/biomet/26.4.404
        """
        if not 0 < share <= 1:
            raise InputError(f"share={share!r} is out of range: give a number above 0 and at most 1")
        hits = int((self.sizes >= share * self.graph.n_nodes).sum())
        return share_interval(hits, self.runs, confidence)

    def die_out_probability(self, share: float = 0.01, *, confidence: float = 0.95) -> Estimate:
        """Share of runs that end before they reach `share` of all nodes, with its interval as in `outbreak_probability`.

        Parameters
        ----------
        share : float in (0, 1]
            Share of all nodes that makes an outbreak.
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        grown = self.outbreak_probability(share, confidence=confidence)
        return Estimate(1 - grown.value, 1 - grown.high, 1 - grown.low, confidence, self.runs)

    def by_step(self, quantiles: tuple[float, float, float] = (0.025, 0.5, 0.975)) -> pd.DataFrame:
        """New activations by step over runs: mean, low, median, high (the three quantiles), cumulative, alive.

        Parameters
        ----------
        quantiles : tuple of three floats in [0, 1]
            Over runs, for `low`, `median` and `high`.

        Returns
        -------
        DataFrame
            One row a step: step, mean, low, median, high, cumulative (mean reach so far), alive (share of runs with an
            activation at this step).
        """
        low, median, high = (
            np.quantile(self.new_by_step, quantiles, axis=0) if self.new_by_step.size else np.zeros((3, 0))
        )
        mean = self.new_by_step.mean(axis=0)
        return pd.DataFrame(
            {
                "step": np.arange(mean.size),
                "mean": mean,
                "low": low,
                "median": median,
                "high": high,
                "cumulative": np.cumsum(mean),
                "alive": self.alive_by_step,
            }
        )

    def replay(self, run: int) -> Cascade:
        """Return run number `run` again, with who activated whom; it need not be one of those simulated.

        Parameters
        ----------
        run : int
            From 0; beyond `runs` it is a run that a longer ensemble would have.

        Returns
        -------
        Cascade
        """
        run = whole(run, "run", least=0, most=2**63 - 1)
        return self.cascade_of(self.graph, self.model, self.source.replay(run), {**self.provenance, "run": run})

    @classmethod
    def cascade_of(cls, graph: FollowerGraph, model: Any, trace: Any, provenance: dict[str, Any]) -> Cascade:
        """Return one traced run of a model as a cascade.

        Parameters
        ----------
        graph : FollowerGraph
        model : DiffusionModel
        trace : Trace
        provenance : dict

        Returns
        -------
        Cascade
        """
        labels = graph.index.labels_of(trace.nodes)
        return Cascade(labels, trace.steps, trace.parents, provenance, trace.details.get("time"), graph=graph)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a run: run, size, depth, largest step; with node weights also the weight of its nodes.

        `polars.from_pandas` takes this table, like the tables of all results.
        """
        largest = self.new_by_step.max(axis=1, initial=0)
        table = pd.DataFrame(
            {"run": np.arange(self.runs), "size": self.sizes, "depth": self.depths, "max_breadth": largest}
        )
        return table if self.weight_by_run is None else table.assign(weight=self.weight_by_run)

    def clock(self) -> dict[str, NDArray[np.float64]]:
        """Times of the steps by the name of the clock; empty where steps are generations."""
        return {}

    def to_xarray(self) -> xarray.Dataset:
        """Return the runs as an xarray data set, with named axes; needs xarray (``diffusion-graphs[xarray]``).

        Returns
        -------
        xarray.Dataset
            ``new`` (run, step, state), ``size`` and ``depth`` (run), ``activation_probability`` (node), ``weight`` (run)
            with node weights, and what else the model counts by run and step. Labels that are no numbers are text. Steps of
            models in time have their times beside them; attributes hold the model, the seeds, the key and the provenance
            as text, so that ``to_netcdf`` writes all of it.

        Raises
        ------
        MissingDataError
            If xarray is not installed.

        Examples
        --------
        >>> import diffusion as dif
        >>> g = dif.generate_platform(300, rng=7).with_probabilities("weighted_cascade")
        >>> ens = dif.simulate(g, [0], runs=100, rng=7)
        >>> data = ens.to_xarray()
        >>> data["new"].dims, bool((data["new"].sum(["step", "state"]) == data["size"]).all())
        (('run', 'step', 'state'), True)
        """
        from .labelled import dataset_of

        return dataset_of(self)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot new activations by step on a log axis: median and 95 % band over runs."""
        return draw("growth", self, ax)

    @property
    def _head(self) -> str:
        """How `repr` begins: what was run, and how often."""
        runs, seeds = (
            f"{count:,} {what}{'s' if count != 1 else ''}"
            for count, what in ((self.runs, "run"), (len(self.seeds), "seed"))
        )
        return f"{type(self).__name__}: {runs} of {self.model.label} from {seeds}"

    def __repr__(self) -> str:
        return f"{self._head}; mean size {self.mean()!r}"

    def _repr_html_(self) -> str:
        return card(repr(self), table(self.by_step()))
