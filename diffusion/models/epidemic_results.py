"""Results of epidemics and rumours: the course of the compartments over time, final size, peak and duration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._upward import draw
from .._validation import level
from ..errors import NotFoundError, did_you_mean
from ..results.ensemble import Ensemble
from ..results.estimates import Estimate, SpreadEstimate
from ..results.intervals import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EpidemicEnsemble", "Grid"]

MOST_STEPS = 20_000  # to which counts over time go on to the end of a grid
ROWS = 12  # of the table that stands for all times in HTML


class Grid(NamedTuple):
    """Time grid of runs: step 0 is at `start`, step k ends at start + k width, or at `end` where that comes before."""

    start: float
    width: float
    end: float  # infinite: runs end by themselves
    name: str = "time"


@dataclass(frozen=True, repr=False, eq=False)
class EpidemicEnsemble(Ensemble):
    """Many outbreaks of one model from one seed set.

    Sizes, `new_by_step` and everything that `Ensemble` has count nodes ever reached. Counts over time are those at the
    ends of the steps of the model's time grid, whose `width` sets how finely peaks and durations are seen. A model whose
    grid depends on the graph says so by a method ``grid(graph)``.

    See Also
    --------
    models.SIR, models.SEIR, models.SIS, models.SIRS, models.Rumour, models.TemporalSIR

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(300, rng=7)
    >>> ens = dif.simulate(g, [0], model=dif.models.SIR(transmission=0.5, width=0.25), runs=200, rng=7)
    >>> sorted(ens.curves()["compartment"].unique())
    ['infected', 'recovered', 'susceptible']
    >>> ens.peak().low <= ens.peak().value <= ens.final_size().mean
    True
    """

    @cached_property
    def grid(self) -> Grid:
        """Start, width and end of the time grid."""
        found: Grid = self.model.grid(self.graph)
        return found

    @property
    def times(self) -> NDArray[np.float64]:
        """End of every step, in the unit of the waiting times; shape (steps,).

        They begin at 0, or on a temporal graph at the start on its clock.
        """
        start, width, end, _ = self.grid
        return np.asarray(np.minimum(start + np.arange(self._steps) * width, max(end, start)), np.float64)

    @cached_property
    def _steps(self) -> int:
        least: int = max(self.new_by_state.shape[1], 1)
        start, width, end, _ = self.grid
        steps = (end - start) / width
        return max(least, math.ceil(steps - 1e-9) + 1) if steps <= MOST_STEPS else least

    @property
    def settled(self) -> float:
        """Time by which 99 % of runs have had their last event: figures end there."""
        return float(self.times[self._settled])

    @property
    def _settled(self) -> int:
        step = int(np.quantile(self._last_steps, 0.99, method="higher"))
        return min(max(step, 1), self._steps - 1)

    @cached_property
    def _last_steps(self) -> NDArray[np.int64]:
        """Step of the last event of each run."""
        happens = (self.new_by_state > 0).any(axis=2)
        return np.asarray((np.arange(happens.shape[1]) * happens).max(axis=1, initial=0), np.int64)

    def counts(self, compartment: str) -> NDArray[np.int64]:
        """Nodes in a compartment at the end of every step, shape (runs, steps).

        Parameters
        ----------
        compartment : str
            One of ``model.compartments``.

        Returns
        -------
        ndarray of int64
        """
        compartments = self.model.compartments
        if compartment not in compartments:
            raise NotFoundError(
                f"{self.model.name} has no compartment {compartment!r}: there are {', '.join(map(repr, compartments))}."
                + did_you_mean(compartment, compartments)
            )
        change = np.zeros((self.runs, self._steps), np.int64)
        change[:, : self.new_by_state.shape[1]] = self.new_by_state @ np.asarray(compartments[compartment], np.int64)
        if compartment == next(iter(compartments)):
            change[:, 0] += self.graph.n_nodes
        return np.cumsum(change, axis=1)

    def curves(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Nodes in every compartment over time.

        Parameters
        ----------
        confidence : float in (0, 1)
            Level of the intervals of the means, each by itself.

        Returns
        -------
        DataFrame
            One row a compartment and step: compartment, time, mean, low, high (interval of the mean), lower, upper (the
            middle 95 % of runs).
        """
        level(confidence)
        parts = []
        limits = (0.0, float(self.graph.n_nodes))
        for name in self.model.compartments:
            counts = self.counts(name)
            found = [mean_interval(column, confidence, limits, exact=self._exact) for column in counts.T]
            lower, upper = np.quantile(counts, [0.025, 0.975], axis=0)
            parts.append(
                pd.DataFrame(
                    {
                        "compartment": name,
                        "time": self.times,
                        "mean": [each.mean for each in found],
                        "low": [each.low for each in found],
                        "high": [each.high for each in found],
                        "lower": lower,
                        "upper": upper,
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    @property
    def _exact(self) -> bool:
        return bool(self.source.deterministic)

    def final_size(self, *, confidence: float = 0.95) -> SpreadEstimate:
        """Mean number of nodes ever reached, with its interval: `mean` under the name of the field.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        SpreadEstimate
        """
        return self.mean(confidence=confidence)

    @property
    def peaks(self) -> NDArray[np.int64]:
        """Largest number of infected nodes (of rumours: spreaders) at the end of a step, of every run; shape (runs,)."""
        return np.asarray(self.counts(self.model.crowded).max(axis=1))

    @property
    def peak_times(self) -> NDArray[np.float64]:
        """Time at which each run first has its peak, on the clock of `times`; shape (runs,)."""
        return np.asarray(self.times[self.counts(self.model.crowded).argmax(axis=1)], np.float64)

    @property
    def durations(self) -> NDArray[np.float64]:
        """Time from the start to the end of the step of the last event of each run; shape (runs,)."""
        start, width, end, _ = self.grid
        return np.asarray(np.minimum(self._last_steps * width, max(end - start, 0.0)), np.float64)

    def peak(self, *, confidence: float = 0.95) -> Estimate:
        """Mean over runs of the largest number of infected nodes (of rumours: spreaders) at once, with its interval.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        counts = self.counts(self.model.crowded)
        least = float(counts[:, 0].min(initial=self.graph.n_nodes))  # the same in every run
        return self._estimate(counts.max(axis=1), (least, float(self.graph.n_nodes)), confidence)

    def peak_time(self, *, confidence: float = 0.95) -> Estimate:
        """Mean over runs of the time of the peak, with its interval.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        return self._estimate(self.peak_times, (self.grid.start, self.grid.end), confidence)

    def duration(self, *, confidence: float = 0.95) -> Estimate:
        """Mean over runs of the time from the start to the last event, with its interval; an `end` bounds it.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        return self._estimate(self.durations, (0.0, self.grid.end - self.grid.start), confidence)

    def _estimate(self, values: NDArray[Any], limits: tuple[float, float], confidence: float) -> Estimate:
        level(confidence)
        found = mean_interval(values, confidence, limits, exact=self._exact)
        return Estimate(found.mean, found.low, found.high, confidence, self.runs)

    def clock(self) -> dict[str, NDArray[np.float64]]:
        """Time at the end of every step."""
        return {self.grid.name.replace(" ", "_"): self.times}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the compartments over time: means, and the band that holds the middle 95 % of runs."""
        return draw("compartments", self, ax)

    def __repr__(self) -> str:
        peak, duration = (
            f"{e.value:.4g}" + (f" [{e.low:.4g}, {e.high:.4g}]" if math.isfinite(e.low) else "")
            for e in (self.peak(), self.duration())
        )
        return f"{self._head}; final size {self.mean()!r}; peak {peak}, duration {duration}"

    def _repr_html_(self) -> str:
        from html import escape

        size, peak, at, duration = self.final_size(), self.peak(), self.peak_time(), self.duration()
        rows = [(e.value, e.low, e.high) for e in (peak, at, duration)]
        names = [f"peak of {self.model.crowded}", f"{self.grid.name} of the peak", "duration"]
        measures = pd.DataFrame(
            [(size.mean, size.low, size.high), *rows], ["final size", *names], ["mean", "low", "high"]
        )
        steps = np.unique(np.linspace(0, self._settled, ROWS).round().astype(np.int64))
        means = {name: self.counts(name)[:, steps].mean(axis=0) for name in self.model.compartments}
        course = pd.DataFrame({self.grid.name: self.times[steps], **means})
        tables: str = measures.to_html(float_format=lambda x: f"{x:.4g}")
        tables += course.to_html(index=False, float_format=lambda x: f"{x:.5g}")
        return f"<p>{escape(self._head)}</p>{tables}"
