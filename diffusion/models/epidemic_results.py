"""Results of epidemics and rumours: the course of the compartments over time, final size, peak and duration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

__all__ = ["EpidemicEnsemble"]


@dataclass(frozen=True, repr=False, eq=False)
class EpidemicEnsemble(Ensemble):
    """Many outbreaks of one model from one seed set.

    Sizes, `new_by_step` and everything that `Ensemble` has count nodes ever reached. Counts over time are those at the
    ends of the steps of the model's time grid, whose `width` sets how finely peaks and durations are seen.

    See Also
    --------
    models.SIR, models.SEIR, models.SIS, models.SIRS, models.Rumour

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

    @property
    def times(self) -> NDArray[np.float64]:
        """End of every step, in the unit of the waiting times; shape (steps,)."""
        return np.asarray(np.arange(self._steps) * float(self.model.width), np.float64)

    @property
    def _steps(self) -> int:
        least: int = max(self.new_by_state.shape[1], 1)
        end = self.model.end
        return least if end is None else max(least, math.ceil(float(end) / float(self.model.width) - 1e-9) + 1)

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
        """Time at which each run first has its peak; shape (runs,)."""
        return np.asarray(self.times[self.counts(self.model.crowded).argmax(axis=1)], np.float64)

    @property
    def durations(self) -> NDArray[np.float64]:
        """End of the step of the last event of each run; shape (runs,)."""
        happens = (self.new_by_state > 0).any(axis=2)
        return np.asarray((np.arange(happens.shape[1]) * happens).max(axis=1, initial=0) * float(self.model.width))

    def peak(self, *, confidence: float = 0.95) -> Estimate:
        """Mean over runs of the largest number of infected nodes (of rumours: spreaders) at once, with its interval.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        return self._estimate(self.peaks, (float(len(self.seeds)), float(self.graph.n_nodes)), confidence)

    def peak_time(self, *, confidence: float = 0.95) -> Estimate:
        """Mean over runs of the time of the peak, with its interval.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        return self._estimate(self.peak_times, (0.0, math.inf), confidence)

    def duration(self, *, confidence: float = 0.95) -> Estimate:
        """Mean over runs of the time of the last event, with its interval; with an `end` it is at most that.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        Estimate
        """
        return self._estimate(self.durations, (0.0, math.inf), confidence)

    def _estimate(self, values: NDArray[Any], limits: tuple[float, float], confidence: float) -> Estimate:
        level(confidence)
        found = mean_interval(values, confidence, limits, exact=self._exact)
        return Estimate(found.mean, found.low, found.high, confidence, self.runs)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the compartments over time: means, and the band that holds the middle 95 % of runs."""
        return draw("compartments", self, ax)
