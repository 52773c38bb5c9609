"""Waiting times: one number of a (key, index) for each of the distributions that models may declare.

A waiting time is a function of its own 64-bit key alone. Times of one uniform number rise with it, so that a bound on the
time is a bound on the number: `below` gives that bound, and arcs that come too late are told by a comparison alone.
"""

import math
from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import mix
from .draws import log_gamma, normal

FIXED, EXPONENTIAL, WEIBULL, GEOMETRIC, GAMMA, LOGNORMAL = 0, 1, 2, 3, 4, 5
NEVER = np.inf
_11 = np.uint64(11)
_UNIT = 1.0 / 2**53
_HALF = 0.5 / 2**53


class Wait(NamedTuple):
    """A distribution of waiting times, for all alike or for each arc or node on its own.

    FIXED: `scale` itself. EXPONENTIAL, WEIBULL, GAMMA: `scale` times a time of scale 1. LOGNORMAL: `scale` is the median.
    GEOMETRIC: `scale` is the probability of success at every step, and times are 1, 2, ... A scale of infinity (geometric:
    a probability of 0) is a time that never comes.
    """

    kind: int
    scale: np.ndarray  # f8[m] or f8[n], or of one entry
    shape: float


@njit(inline="always")
def open_unit(x):
    """64 random bits -> a number in (0, 1), both excluded."""
    return np.float64(x >> _11) * _UNIT + _HALF


@njit(inline="always")
def time_of(kind, scale, shape, u):
    """Time at the uniform number u of a kind of one number (up to GEOMETRIC); it rises with u."""
    if kind == FIXED:
        return scale
    if kind == EXPONENTIAL:
        return -math.log1p(-u) * scale
    if kind == WEIBULL:
        return (-math.log1p(-u)) ** (1.0 / shape) * scale
    if scale >= 1.0:
        return 1.0
    if scale <= 0.0:
        return NEVER
    return max(np.ceil(math.log1p(-u) / math.log1p(-scale)), 1.0)


@njit
def of_several(kind, scale, shape, key):
    """Time of a kind that takes several numbers."""
    if scale == NEVER:
        return NEVER
    if kind == GAMMA:
        return scale * math.exp(log_gamma(key, np.int64(0), shape)[0])
    return scale * math.exp(shape * normal(key, np.int64(0))[0])


@njit(inline="always")
def drawn(kind, scale, shape, key):
    """Waiting time of one scale under its own 64-bit key; numbers alone, which cost no counting of references."""
    if kind <= GEOMETRIC:
        return time_of(kind, scale, shape, open_unit(mix(key)))
    return of_several(kind, scale, shape, key)


@njit
def wait_at(wait, index, key):
    """Waiting time of an arc or node under its own 64-bit key."""
    kind, scales, shape = wait
    return drawn(kind, scales[index if scales.size > 1 else 0], shape, key)


@njit
def share_below(kind, scale, shape, bound):
    """Uniform number up to which a time of one number is at most `bound`; a little more than 1 for certain: compare
    with ``u < share_below``. Kinds of several numbers have none: 2, and the time itself must be compared.
    """
    if kind > GEOMETRIC or bound == NEVER:
        return 2.0
    if kind == FIXED:
        return 2.0 if scale <= bound else 0.0
    if kind == EXPONENTIAL:
        return -math.expm1(-bound / scale)
    if kind == WEIBULL:
        return -math.expm1(-((bound / scale) ** shape))
    if scale >= 1.0:
        return 2.0 if bound >= 1.0 else 0.0
    return -math.expm1(np.floor(bound) * math.log1p(-scale))


@njit
def below(wait, index, bound):
    """`share_below` of an arc or node."""
    kind, scales, shape = wait
    return share_below(kind, scales[index if scales.size > 1 else 0], shape, bound)
