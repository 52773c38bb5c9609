"""Estimates with their intervals, and comparisons of seed sets in common worlds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
from numpy.typing import NDArray

from .._html import card, interval_table
from .._upward import draw
from .._validation import level
from ..errors import NotFoundError
from .intervals import Limits, mean_interval, share_bounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Comparison", "Estimate", "Source", "SpreadEstimate", "share_interval"]

SHOWN = 4  # seed sets that the text of a comparison names


class Source(Protocol):
    """What a result asks of the runs that it came from."""

    @property
    def seeds(self) -> Iterable[Any]:
        """Seeds that were active at step 0."""
        ...

    @property
    def unit(self) -> str:
        """What sizes count."""
        ...

    def limits(self) -> tuple[float, float]:
        """Least and most that one run can give."""
        ...


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

    See Also
    --------
    results.SpreadEstimate, results.Comparison

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

    def _repr_html_(self) -> str:
        row = {"value": [self.value], "low": [self.low], "high": [self.high]}
        return card(repr(self), interval_table(pd.DataFrame(row)))


def share_interval(hits: int, runs: int, confidence: float) -> Estimate:
    """Share with its interval: exact (Clopper and Pearson 1934) with fewer than 15 hits or misses, else Wilson's (1927)."""
    level(confidence)
    low, high = share_bounds(hits, runs, confidence)
    return Estimate(hits / runs, low, high, confidence, runs)


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

    See Also
    --------
    spread, results.Comparison

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

    def _repr_html_(self) -> str:
        row = self.to_pandas()[["mean", "low", "high", "runs", "stopped_by"]]
        return card(repr(self), interval_table(row, value="mean"))


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
    sources : tuple of Runner
        The runs behind each seed set.

    See Also
    --------
    compare, results.Estimate

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
    sources: tuple[Source, ...] = field(repr=False)

    @property
    def unit(self) -> str:
        """What sizes and differences count: "nodes", or "node weight"."""
        return self.sources[0].unit

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
                limits=source.limits,
                unit=self.unit,
            ).to_pandas()
            for row, source in zip(self.sizes, self.sources, strict=True)
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
        first, second = self.sources[i], self.sources[j]

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

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the mean of every seed set with its interval; the title is the paired difference of the two largest."""
        return draw("comparison", self, ax)

    def __repr__(self) -> str:
        means = self.means
        shown = [
            f"{name} {row['mean']:.5g}"
            + (f" [{row['low']:.5g}, {row['high']:.5g}]" if row["low"] < row["high"] else "")
            for name, row in means.head(SHOWN).iterrows()
        ]
        more = f", and {len(means) - SHOWN} more" if len(means) > SHOWN else ""
        text = f"Comparison in {self.runs:,} common world{'s' * (self.runs != 1)}, in {self.unit}: {', '.join(shown)}{more}"
        if len(means) > 1:
            first, second = means.index[:2].tolist()
            gap = self.difference(first, second)
            ends = f" [{gap.low:.5g}, {gap.high:.5g}]" if gap.low < gap.high else ""
            text += f"\n{first} less {second}: {gap.value:.5g}{ends} ({self.confidence:.0%}, in pairs)"
        return text

    def _repr_html_(self) -> str:
        means = self.means[["mean", "low", "high"]].rename_axis("seeds").reset_index()
        text = f"Comparison in {self.runs:,} common worlds, in {self.unit}; {self.confidence:.0%} intervals"
        tables = [interval_table(means, value="mean")]
        if len(self.names) > 1:
            tables.append(
                interval_table(self.differences, "Differences in the same worlds, a less b", value="difference")
            )
        return card(text, *tables)
