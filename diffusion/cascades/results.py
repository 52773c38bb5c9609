"""What simulations give back: frozen results that show, plot and explain themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, NotFoundError
from ..graph.follower_graph import FollowerGraph
from ._intervals import Limits, mean_interval, share_bounds
from .models import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._engine import Engine

__all__ = ["Cascade", "Comparison", "Ensemble", "Estimate", "SpreadEstimate", "check_confidence", "share_interval"]


def check_confidence(confidence: object) -> None:
    """Refuse a level that is not between 0 and 1."""
    if isinstance(confidence, bool) or not isinstance(confidence, float | np.floating) or not 0 < confidence < 1:
        raise InputError(f"confidence={confidence!r} is out of range: give a number between 0 and 1, such as 0.95")


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value, low, high : float
        Point estimate and ends of the interval.
    confidence : float
        Level of the interval.
    runs : int
        Runs it rests on.

    Examples
    --------
    >>> Estimate(0.25, 0.2, 0.31, 0.95, 1000)
    0.25 [0.2, 0.31] (95%, 1,000 runs)
    """

    value: float
    low: float
    high: float
    confidence: float
    runs: int

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] ({self.confidence:.0%}, {self.runs:,} runs)"


def share_interval(hits: int, runs: int, confidence: float) -> Estimate:
    """Share with its interval: exact (Clopper and Pearson 1934) with fewer than 15 hits or misses, else Wilson's (1927)."""
    check_confidence(confidence)
    low, high = share_bounds(hits, runs, confidence)
    return Estimate(hits / runs, low, high, confidence, runs)


@dataclass(frozen=True, repr=False, eq=False)
class Cascade:
    """One realised diffusion: who became active, at which step, and through whom.

    Attributes
    ----------
    nodes : Index, shape (size,)
        Labels in order of step.
    step : ndarray of int32, shape (size,)
        Step of activation; seeds are at 0.
    parent : ndarray of int32, shape (size,)
        Position in `nodes` of the node that activated this one, -1 for a seed. Where several arcs fired at the same
        step, one of them is drawn fairly.
    provenance : dict

    Examples
    --------
    >>> cascade = Cascade.from_parents(["ann", "bob", "eve"], [None, "ann", "bob"])
    >>> cascade
    Cascade: 3 nodes from 1 roots, depth 2, largest step 1
    >>> cascade.to_pandas()["step"].tolist()
    [0, 1, 2]
    """

    nodes: pd.Index[Any]
    step: NDArray[np.int32]
    parent: NDArray[np.int32]
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_parents(cls, nodes: Any, parents: Any, *, step: Any = None) -> Cascade:
        """Make a cascade from an observed tree or forest: each node with the label of its parent, None for a root.

        Parameters
        ----------
        nodes : sequence of labels, shape (size,)
            In any order, each once.
        parents : sequence of labels or None, shape (size,)
            The node that each one came from; None or NaN for a root.
        step : sequence of int, optional
            Steps; without them the distance to the root is used.

        Returns
        -------
        Cascade

        Raises
        ------
        InputError
            A repeated node, a parent that is no node of the cascade, or parents that go round in a circle.

        Examples
        --------
        >>> Cascade.from_parents(["a", "b", "c"], [None, "a", "a"]).max_breadth
        2
        """
        labels = pd.Index(list(nodes), tupleize_cols=False)
        above = [None if parent is None or parent is pd.NA or parent != parent else parent for parent in parents]
        if len(above) != len(labels):
            raise InputError(f"nodes has {len(labels):,} entries and parents {len(above):,}: give one for each")
        if not labels.is_unique:
            raise InputError(f"the node {labels[labels.duplicated()][0]!r} appears twice: a node activates once")
        position = {label: i for i, label in enumerate(labels.tolist())}
        up = np.full(len(labels), -1, np.int64)
        for i, parent in enumerate(above):
            if parent is not None:
                if parent not in position:
                    raise InputError(f"the parent {parent!r} of {labels[i]!r} is not a node of the cascade")
                up[i] = position[parent]
        depth = np.where(up < 0, 0, -1)
        while (depth < 0).any():
            ready = (depth < 0) & (up >= 0) & (depth[up] >= 0)
            if not ready.any():
                raise InputError(f"the parents of {labels[int((depth < 0).argmax())]!r} go round in a circle")
            depth[ready] = depth[up[ready]] + 1
        order = np.argsort(depth, kind="stable")
        place = np.empty(len(labels), np.int64)
        place[order] = np.arange(len(labels))
        sorted_up = up[order]
        parent = np.where(sorted_up < 0, -1, place[sorted_up]).astype(np.int32)
        given = depth if step is None else np.asarray(list(step))
        if len(given) != len(labels):
            raise InputError(f"step has {len(given):,} entries for {len(labels):,} nodes: give one for each")
        return cls(labels.take(order), given[order].astype(np.int32), parent)

    @property
    def size(self) -> int:
        """Number of active nodes, seeds included."""
        return len(self.nodes)

    @property
    def depth(self) -> int:
        """Largest step (of a tree: its height)."""
        return int(self.step.max()) if self.size else 0

    @property
    def breadth_by_step(self) -> NDArray[np.int64]:
        """New activations at each step."""
        return np.bincount(self.step) if self.size else np.zeros(0, np.int64)

    @property
    def max_breadth(self) -> int:
        """Largest number of new activations in one step."""
        return int(self.breadth_by_step.max()) if self.size else 0

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an activation: node, step, parent (missing for seeds)."""
        labels = self.nodes.to_numpy(dtype=object)
        parent = labels[self.parent]
        parent[self.parent < 0] = None
        if self.size and self.nodes.dtype.kind in "iu":
            parents: Any = pd.array(parent, dtype="Int64")
        else:
            parents = parent
        return pd.DataFrame({"node": self.nodes, "step": self.step, "parent": parents})

    def __repr__(self) -> str:
        roots = int((self.parent < 0).sum())
        return (
            f"Cascade: {self.size:,} nodes from {roots:,} roots, depth {self.depth}, largest step {self.max_breadth:,}"
        )


@dataclass(frozen=True, repr=False, eq=False)
class Ensemble:
    """Many runs of one model from one seed set.

    Attributes
    ----------
    graph, model, seeds
        What was simulated; `seeds` is a tuple of labels.
    new_by_step : ndarray of int32, shape (runs, steps)
        New activations of every run at every step; column 0 holds the seeds.
    key : int
        The 64-bit key of the worlds: ``simulate(..., rng=...)`` with the same key's generator meets them again.
    provenance : dict

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
    model: Model
    seeds: tuple[Any, ...]
    new_by_step: NDArray[np.int32]
    key: int
    provenance: dict[str, Any]
    _node_counts: NDArray[np.int64]
    _engine: Engine
    _worth: NDArray[np.float64] | None

    @property
    def runs(self) -> int:
        """Number of runs."""
        return int(self.new_by_step.shape[0])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Active nodes at the end of each run, seeds included; shape (runs,)."""
        return np.asarray(self.new_by_step.sum(axis=1, dtype=np.int64))

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight of the active nodes at the end of each run, seeds included; shape (runs,). Needs ``node_weights``."""
        if self._worth is None:
            raise InputError("these runs count nodes: give simulate(..., node_weights=...) to weigh them")
        return self._worth

    @property
    def unit(self) -> str:
        """What `mean` counts: "nodes", or "node weight"."""
        return self._engine.unit

    @property
    def depths(self) -> NDArray[np.int64]:
        """Last step with an activation in each run; shape (runs,)."""
        steps = self.new_by_step.shape[1]
        return np.asarray((np.arange(steps) * (self.new_by_step > 0)).max(axis=1, initial=0))

    @property
    def activation_probability(self) -> pd.Series[float]:
        """Share of runs in which each node became active, by label."""
        return self.graph._series(self._node_counts / self.runs, "activation_probability")

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
        check_confidence(confidence)
        return SpreadEstimate.from_sizes(
            self.sizes if self._worth is None else self._worth, confidence=confidence,
            stopped_by="deterministic" if self._engine.deterministic else "runs", key=self.key,
            provenance=self.provenance, limits=self._engine.limits, unit=self.unit,
        )  # fmt: skip

    def outbreak_probability(self, share: float = 0.01, *, confidence: float = 0.95) -> Estimate:
        """Share of runs that reach at least `share` of all nodes, with its interval.

        The interval is Wilson's (1927), or with fewer than 15 runs on one side the exact one (Clopper and Pearson 1934).

        Parameters
        ----------
        share : float in (0, 1]
            Share of all nodes that makes an outbreak.
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
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
                "step": np.arange(mean.size), "mean": mean, "low": low, "median": median, "high": high,
                "cumulative": np.cumsum(mean), "alive": self.alive_by_step,
            }
        )  # fmt: skip

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
        if isinstance(run, bool) or not isinstance(run, int | np.integer) or not 0 <= run < 2**63:
            raise InputError(f"run={run!r} is not a run number: give a whole number from 0 (below 2**63)")
        nodes, step, parent = self._engine.replay(int(run))
        return Cascade(self.graph._labels_of(nodes), step, parent, {**self.provenance, "run": int(run)})

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a run: run, size, depth, largest step; with node weights also the weight of its nodes."""
        largest = self.new_by_step.max(axis=1, initial=0)
        table = pd.DataFrame(
            {"run": np.arange(self.runs), "size": self.sizes, "depth": self.depths, "max_breadth": largest}
        )
        return table if self._worth is None else table.assign(weight=self._worth)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot new activations by step on a log axis: median and 95 % band over runs."""
        from ..plotting import plot_growth

        return plot_growth(self, ax=ax)

    def __repr__(self) -> str:
        return f"Ensemble: {self.runs:,} runs of {self.model.label} from {len(self.seeds):,} seeds; mean size {self.mean()!r}"

    def _repr_html_(self) -> str:
        from html import escape

        table: str = self.by_step().head(12).to_html(index=False, float_format=lambda x: f"{x:.4g}")
        return f"<p>{escape(repr(self))}</p>{table}"


@dataclass(frozen=True, repr=False)
class SpreadEstimate:
    """Mean number of active nodes, sigma(S), or their mean weight, with its interval and why sampling stopped.

    Attributes
    ----------
    mean, se, low, high : float
        Mean over runs, its standard error, and the interval at `confidence`, which need not lie evenly about the mean;
        see the notes of `spread`.
    runs : int
    confidence : float
    rel_error : float
        The larger half width of the interval over the mean, as reached.
    stopped_by : {"precision", "max_runs", "runs", "deterministic"}
        ``"max_runs"``: the limit came before the precision that was asked for.
    key : int
    provenance : dict
    unit : {"nodes", "node weight"}
        What is counted.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [1, 2], edges_mean="influences", directed=True)
    >>> dif.spread(g.with_probabilities("constant", p=1.0), [0])
    3 nodes [3, 3] (95%, 512 runs)
    """

    mean: float
    se: float
    low: float
    high: float
    runs: int
    confidence: float
    rel_error: float
    stopped_by: str
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)
    unit: str = "nodes"

    @classmethod
    def from_sizes(
        cls,
        sizes: NDArray[Any],
        *,
        confidence: float,
        stopped_by: str,
        key: int,
        provenance: dict[str, Any],
        limits: Limits = (0.0, float("inf")),
        unit: str = "nodes",
    ) -> SpreadEstimate:
        """Summarise the sizes of runs; a deterministic result has no error, a single random run an unknown one.

        Parameters
        ----------
        sizes : ndarray, shape (runs,)
            Active nodes at the end of each run, or their weights.
        confidence : float in (0, 1)
        stopped_by, key, provenance, unit
            As in the attributes.
        limits : (float, float), or a function that gives them
            Least and most that one run can give; where few runs differ, the interval rests on them.

        Returns
        -------
        SpreadEstimate
        """
        found = mean_interval(sizes, confidence, limits, exact=stopped_by == "deterministic")
        rel = found.half / found.mean if found.mean else 0.0 if found.half == 0 else float("inf")
        return cls(*found, len(sizes), confidence, rel, stopped_by, key, provenance, unit)

    def __float__(self) -> float:
        return self.mean

    def to_pandas(self) -> pd.DataFrame:
        """Return the estimate as one row."""
        names = ("mean", "se", "low", "high", "runs", "confidence", "rel_error", "stopped_by", "unit")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __repr__(self) -> str:
        if self.stopped_by == "deterministic":
            return f"{self.mean:.6g} {self.unit} (deterministic)"
        text = (
            f"{self.mean:.6g} {self.unit} [{self.low:.6g}, {self.high:.6g}] ({self.confidence:.0%}, {self.runs:,} runs)"
        )
        return text + (", stopped by the run limit" if self.stopped_by == "max_runs" else "")


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """Several seed sets in the same worlds.

    Attributes
    ----------
    names : tuple of str
    sizes : ndarray, shape (len(names), runs)
        Size of every run, or the weight of its active nodes; column r is the same world for all rows.
    confidence : float
    stopped_by : str
    key : int
    provenance : dict

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1], [1, 2, 3], edges_mean="influences", directed=True)
    >>> c = dif.compare(g.with_probabilities("constant", p=0.5), {"hub": [0], "leaf": [3]}, rng=7)
    >>> c.means.index.tolist(), c.difference("hub", "leaf").low > 0
    (['hub', 'leaf'], True)
    """

    names: tuple[str, ...]
    sizes: NDArray[Any]
    confidence: float
    stopped_by: str
    key: int
    provenance: dict[str, Any]
    _engines: tuple[Engine, ...]

    @property
    def unit(self) -> str:
        """What sizes and differences count: "nodes", or "node weight"."""
        return self._engines[0].unit

    @property
    def runs(self) -> int:
        """Number of worlds."""
        return int(self.sizes.shape[1])

    @property
    def means(self) -> pd.DataFrame:
        """Mean size of each seed set with its interval, largest first."""
        rows = [
            SpreadEstimate.from_sizes(
                row,
                confidence=self.confidence,
                stopped_by=self.stopped_by,
                key=self.key,
                provenance={},
                limits=engine.limits,
                unit=self.unit,
            ).to_pandas()
            for row, engine in zip(self.sizes, self._engines, strict=True)
        ]
        return pd.concat(rows, keys=self.names, names=["name", None]).droplevel(1).sort_values("mean", ascending=False)

    def difference(self, a: str, b: str) -> Estimate:
        """Mean of size(a) - size(b) over the common worlds, with its paired interval.

        Parameters
        ----------
        a, b : str
            Names of two seed sets.

        Returns
        -------
        Estimate

        Raises
        ------
        NotFoundError
            A name that was not compared.
        """
        for name in (a, b):
            if name not in self.names:
                raise NotFoundError(f"{name!r} was not compared; there are {', '.join(map(repr, self.names))}")
        i, j = self.names.index(a), self.names.index(b)
        first, second = self._engines[i], self._engines[j]

        def limits() -> tuple[float, float]:
            return first.limits()[0] - second.limits()[1], first.limits()[1] - second.limits()[0]

        exact = self.stopped_by == "deterministic" or set(first.seeds) == set(second.seeds)
        found = mean_interval(self.sizes[i] - self.sizes[j], self.confidence, limits, exact=exact)
        return Estimate(found.mean, found.low, found.high, self.confidence, self.runs)

    @property
    def differences(self) -> pd.DataFrame:
        """Paired differences of all pairs: a, b, difference, low, high, verdict (undecided when 0 is inside)."""
        rows = []
        for i, a in enumerate(self.names):
            for b in self.names[i + 1 :]:
                found = self.difference(a, b)
                verdict = f"{a} larger" if found.low > 0 else f"{b} larger" if found.high < 0 else "undecided"
                if found.value == found.low == found.high == 0:
                    verdict = "equal"
                rows.append((a, b, found.value, found.low, found.high, verdict))
        return pd.DataFrame(rows, columns=["a", "b", "difference", "low", "high", "verdict"])

    def to_pandas(self) -> pd.DataFrame:
        """Return the paired differences."""
        return self.differences

    def __repr__(self) -> str:
        title = f"Comparison of {', '.join(self.names)} in {self.runs:,} common worlds, in {self.unit}"
        return f"{title}\n{self.means.drop(columns='unit').to_string()}"

    def _repr_html_(self) -> str:
        short = lambda x: f"{x:.5g}"  # noqa: E731
        return str(self.means.to_html(float_format=short)) + str(
            self.differences.to_html(index=False, float_format=short)
        )
