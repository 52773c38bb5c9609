"""Learning transmission rates in continuous time: exposures of every arc, and EM for the rates into a node, accelerated."""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .learning import TINY
from .lt_learning import farthest, squared

EXPONENTIAL, POWER_LAW, RAYLEIGH = range(3)


class Law(NamedTuple):
    """How long a transmission takes: a hazard of rate * hazard(delay)."""

    kind: int
    shortest: float  # delay below which a power law transmits nothing


class RatesFound(NamedTuple):
    """What a fit of the rates into each node says."""

    hits: np.ndarray  # f8[m]: expected adoptions that each in-arc caused
    fit: np.ndarray  # f8[n]: log-likelihood
    caused: np.ndarray  # i8[n]: adoptions with a contact that may have caused them
    steps: np.ndarray  # i8[n]: EM steps


@njit
def hazard(law, delay):
    if law.kind == EXPONENTIAL:
        return 1.0
    if law.kind == RAYLEIGH:
        return delay
    return 1.0 / delay if delay > law.shortest else 0.0


@njit
def cumulative(law, delay):
    if law.kind == EXPONENTIAL:
        return delay
    if law.kind == RAYLEIGH:
        return 0.5 * delay * delay
    return np.log(delay / law.shortest) if delay > law.shortest else 0.0


# ends f8[items]; exposure f8[m in-arcs], added to
@njit
def add_exposures(first, last, into, histories, law, ends, exposure):
    """Sum the cumulative hazards at rate 1 of each in-arc, until its target adopts or the item is no longer observed."""
    adopter = np.full(ends.size, -1, np.int64)
    when = np.empty(ends.size)
    for v in range(first, last):
        for row in range(histories.indptr[v], histories.indptr[v + 1]):
            adopter[histories.item[row]] = v
            when[histories.item[row]] = histories.time[row]
        for k in range(into.indptr[v], into.indptr[v + 1]):
            u = into.sources[k]
            for row in range(histories.indptr[u], histories.indptr[u + 1]):
                item = histories.item[row]
                until = when[item] if adopter[item] == v else ends[item]
                if until > histories.time[row]:
                    exposure[k] += cumulative(law, until - histories.time[row])


# exposure f8[m]; rate f8[m]: start values, overwritten; tol f8, relative; most i8
@njit
def rate_nodes(first, last, contacts, in_indptr, law, exposure, rate, tol, most, found):
    """EM for the rates into each node, in squared steps that are kept if the likelihood is no lower than before them.

    A rate is what its in-arc caused over its exposure, so tol is a share of an adoption.
    """
    for v in range(first, last):
        base, degree = in_indptr[v], in_indptr[v + 1] - in_indptr[v]
        begin, end = contacts.indptr[contacts.rows[v]], contacts.indptr[contacts.rows[v + 1]]
        h = np.empty(end - begin)
        for c in range(begin, end):
            h[c - begin] = hazard(law, contacts.delay[c])
        x = np.empty((4, degree))  # expected adoptions caused, before steps, after one and two, extrapolated
        scale = exposure[base : base + degree]
        x[0] = rate[base : base + degree] * scale
        counted = np.zeros(1, np.int64)
        step = 0
        value = rate_step(v, contacts, h, scale, x[0], x[1], counted)
        while step < most and farthest(x[0], x[1]) > tol:
            middle = rate_step(v, contacts, h, scale, x[1], x[2], counted)
            step += 2
            kept = False
            if step < most and squared(x[0], x[1], x[2], x[3]):
                value = rate_step(v, contacts, h, scale, x[3], x[1], counted)
                step += 1
                kept = value >= middle
            x[0] = x[3] if kept else x[2]
            if not kept:
                value = rate_step(v, contacts, h, scale, x[0], x[1], counted)
        for k in range(degree):
            rate[base + k] = x[0, k] / scale[k] if scale[k] > 0.0 else 0.0
            found.hits[base + k] = x[1, k]
        found.fit[v], found.caused[v], found.steps[v] = value, counted[0], step


@njit
def rate_step(v, contacts, h, scale, x, new, counted):
    """One EM step from x to new, both rate times exposure; return the log-likelihood of x."""
    fit = 0.0
    counted[0] = 0
    begin = contacts.indptr[contacts.rows[v]]
    for k in range(x.size):
        new[k] = 0.0
        fit -= x[k]
    for row in range(contacts.rows[v], contacts.rows[v + 1]):
        total = 0.0
        for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
            k = contacts.slot[c]
            if scale[k] > 0.0:
                total += x[k] / scale[k] * h[c - begin]
        if total > 0.0:
            counted[0] += 1
            fit += np.log(max(total, TINY))
            for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
                k = contacts.slot[c]
                if scale[k] > 0.0:
                    new[k] += x[k] / scale[k] * h[c - begin] / total
    return fit
