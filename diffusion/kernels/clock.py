"""Steps of a time grid, for kernels of models in time."""

from typing import NamedTuple

import numpy as np

from .._numba import njit

SLACK = 1e-9  # share of a step by which rounding may carry a time past the end of its step
LATE = 2**31 - 1  # step of all times that come after so many


class Clock(NamedTuple):
    """Steps of a time grid, and how many of them there may be."""

    width: float
    limit: int


@njit(inline="always")
def step_of(time, width):
    """Step of an event: 0 at time 0, k in ((k - 1) * width, k * width], and LATE where there are too many to count."""
    if time <= 0.0:
        return np.int64(0)
    x = time / width - SLACK
    if not x < LATE:
        return np.int64(LATE)
    step = np.int64(x)
    return max(step + np.int64(x > step), np.int64(1))


@njit
def steps_of(times, width):
    """Steps of events  ->  i4[]."""
    found = np.empty(times.size, np.int32)
    for i in range(times.size):
        found[i] = step_of(times[i], width)
    return found


@njit
def grown(new, steps):
    """The same counts with room for so many steps."""
    if steps <= new.shape[1]:
        return new
    more = np.zeros((new.shape[0], max(2 * new.shape[1], steps), new.shape[2]), np.int32)
    more[:, : new.shape[1]] = new
    return more
