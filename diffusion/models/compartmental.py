"""What models with waiting times and compartments share: parameters that are waiting times, and a grid of time steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from .._validation import number
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..kernels.clock import Clock
from ..kernels.waiting import GEOMETRIC, Wait
from .base import DiffusionModel
from .epidemic_results import EpidemicEnsemble, Grid
from .waiting import Exponential, WaitingTime

__all__ = ["MAX_STEPS", "Compartmental", "too_many_steps", "typical_time"]

MAX_STEPS = 20_000  # of a time grid: 512 runs with three states then take 120 MB


class Compartmental(DiffusionModel):
    """Base of models in continuous time whose nodes pass through compartments.

    Attributes
    ----------
    compartments : dict of str to tuple of int
        For each compartment and state, what an entry into the state adds to it. At first all nodes are in the first.
    crowded : str
        Compartment whose peak is of interest.
    waiting : tuple of str
        Parameters that are waiting times.
    """

    takes_probabilities = False
    result_type = EpidemicEnsemble
    compartments: ClassVar[dict[str, tuple[int, ...]]]
    crowded: ClassVar[str] = "infected"
    waiting: ClassVar[tuple[str, ...]] = ()
    width: float
    end: float | None

    @property
    def steps_are_times(self) -> bool:
        """See `DiffusionModel.steps_are_times`."""
        return True

    def _check(self) -> None:
        for name in self.waiting:
            object.__setattr__(self, name, WaitingTime.of(getattr(self, name), name))
        number(self.width, "width", above=0)
        if self.end is not None:
            number(self.end, "end", above=0)
            if self.end / self.width > MAX_STEPS:
                raise InputError(
                    f"end={self.end:g} is {self.end / self.width:,.0f} steps of width={self.width:g}: give a width from "
                    f"{self.end / MAX_STEPS:g}"
                )

    def time_of(self, name: str) -> WaitingTime:
        """Return the waiting time that a parameter is.

        Parameters
        ----------
        name : str

        Returns
        -------
        WaitingTime
        """
        return WaitingTime.of(getattr(self, name), name)

    @property
    def horizon(self) -> float:
        """End of all events; infinite where there is none."""
        return np.inf if self.end is None else float(self.end)

    def grid(self, graph: FollowerGraph) -> Grid:
        """Return the time grid of runs on a graph.

        Parameters
        ----------
        graph : FollowerGraph

        Returns
        -------
        Grid
        """
        return Grid(0.0, float(self.width), self.horizon)

    @property
    def clock(self) -> Clock:
        """Grid of time steps, as kernels take it."""
        return Clock(float(self.width), MAX_STEPS)

    def study_table(self) -> dict[str, Any]:
        """See `Declared.study_table`: exponential waiting times are their rates."""
        waits = {name: wait for name, wait in self.changed.items() if isinstance(wait, Exponential)}
        return super().study_table() | {name: wait.rate for name, wait in waits.items()}

    def study_columns(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """See `Declared.study_columns`: of waiting times the mean and the distribution."""
        columns = super().study_columns(table)
        for name in self.waiting:
            wait: WaitingTime = getattr(self, name)
            columns[f"{name}_mean"] = float(wait.expected)
            columns[f"{name}_times"] = str(wait)
        return columns


def typical_time(*waits: Wait) -> float:
    """Smallest of the medians of scales, of those that are times at all; 1 where none is."""
    found = []
    for kind, scales, _ in waits:
        times = scales[np.isfinite(scales) & (scales > 0)]
        if times.size:
            middle = float(np.median(times))
            found.append(1.0 / middle if kind == GEOMETRIC else middle)
    return min(found, default=1.0)


def too_many_steps(model: Compartmental) -> InputError:
    """The error of runs that outlast the grid."""
    plain = model.in_generations()
    sizes = "" if plain.steps_are_times else f"; {plain.name} gives sizes alone, without times"
    return InputError(
        f"a run of {model.name} lasts more than {MAX_STEPS:,} steps of width={model.width:g}: give a larger width= for the "
        f"time grid, or end={sizes}"
    )
