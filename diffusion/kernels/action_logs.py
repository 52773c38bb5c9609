"""Passes over action logs: who had which active neighbours when they adopted, or did not adopt."""

from typing import NamedTuple

import numpy as np

from .._numba import njit


class Log(NamedTuple):
    """Adoptions by item, in order of time."""

    indptr: np.ndarray  # i8[items + 1]
    node: np.ndarray  # i4[rows], -1 for a user outside the graph
    time: np.ndarray  # f8[rows]
    place: np.ndarray  # i8[rows]: where the row stands among the rows sorted by node, then by item
    ages: np.ndarray  # f8[rows]: times since the first adoption of the item, of all items together, ascending


class Stamps(NamedTuple):
    """Who adopted the item under way, and when; one set a thread."""

    item: np.ndarray  # i4[n]: the last item that the node adopted, -1 for none
    time: np.ndarray  # f8[n]


# blocked i4[m in-arcs], counts i8[rows] by place: both added to; window f8
@njit
def count_contacts(first, last, log, into, window, stamps, blocked, counts):
    """Count contacts: in-neighbours u of an adopter v with 0 < t_v - t_u <= window.

    `blocked` counts the items of each in-arc in which u adopted and v already had, or at the same time: no trial.
    """
    for item in range(first, last):
        _stamp(item, log, stamps)
        for row in range(log.indptr[item], log.indptr[item + 1]):
            v = log.node[row]
            if v < 0:
                continue
            found = 0
            for k in range(into.indptr[v], into.indptr[v + 1]):
                u = into.sources[k]
                if stamps.item[u] == item:
                    delay = log.time[row] - stamps.time[u]
                    if delay <= 0.0:
                        blocked[k] += 1
                    elif delay <= window:
                        found += 1
            counts[log.place[row]] = found


@njit
def _stamp(item, log, stamps):
    for row in range(log.indptr[item], log.indptr[item + 1]):
        u = log.node[row]
        if u >= 0:
            stamps.item[u] = item
            stamps.time[u] = log.time[row]


# indptr i8[rows + 1] by place; slot i4[contacts], delay f8[contacts] and clock f8[rows] by place are written
@njit
def fill_contacts(first, last, log, into, window, stamps, indptr, slot, delay, clock):
    """Write the contacts of each adopter: the in-arc, from the first of the node on, and how long before it u adopted.

    `clock` is the share of all ages that fall into the time in which its contacts could cause the adoption.
    """
    for item in range(first, last):
        _stamp(item, log, stamps)
        begin, end = log.indptr[item], log.indptr[item + 1]
        for row in range(begin, end):
            v = log.node[row]
            if v < 0:
                continue
            start = at = indptr[log.place[row]]
            earliest, latest = np.inf, -np.inf
            for k in range(into.indptr[v], into.indptr[v + 1]):
                u = into.sources[k]
                if stamps.item[u] == item:
                    since = log.time[row] - stamps.time[u]
                    if 0.0 < since <= window:
                        slot[at] = k - into.indptr[v]
                        delay[at] = since
                        at += 1
                        earliest = min(earliest, stamps.time[u])
                        latest = max(latest, stamps.time[u])
            share = 1.0
            if at > start:
                share = clock_between(log.ages, earliest - log.time[begin], latest + window - log.time[begin])
            clock[log.place[row]] = share


@njit
def clock_between(ages, low, high):
    """Share of ascending ages above `low` and up to `high`."""
    return (np.searchsorted(ages, high, side="right") - np.searchsorted(ages, low, side="right")) / ages.size


class Met(NamedTuple):
    """Who has met an active in-neighbour in the item under way; one set a thread."""

    item: np.ndarray  # i4[n]: the last item in which the node met one, -1 for none
    active: np.ndarray  # i4[n]: how many it met, within any time
    log_miss: np.ndarray  # f8[n]: sum of log(1 - p) over them
    since: np.ndarray  # f8[n]: when the first of them adopted
    touched: np.ndarray  # i4[n]: the nodes that met one, in order of the first


# counts i8[items], written
@njit
def count_exposed(first, last, log, out, stamps, met, counts):
    """Count the nodes that met an active in-neighbour before they adopted, or without adopting, by item."""
    nothing = np.zeros(1, np.float64)
    for item in range(first, last):
        counts[item] = _expose(item, log, out, nothing, stamps, met)


# log_miss f8[m out-arcs] or f8[1], indptr i8[items + 1]; node i4, active i4, adopted b1, miss f8, clock f8 are written
@njit
def fill_exposed(first, last, log, out, log_miss, stamps, met, indptr, node, active, adopted, miss, clock):
    """Write every exposed pair of node and item: how many active in-neighbours it met, whether it adopted, sum log(1 - p).

    `clock` is the share of all ages above that of the first of these.
    """
    for item in range(first, last):
        at = indptr[item]
        for i in range(_expose(item, log, out, log_miss, stamps, met)):
            v = met.touched[i]
            node[at] = v
            active[at] = met.active[v]
            adopted[at] = stamps.item[v] == item
            miss[at] = met.log_miss[v]
            clock[at] = clock_between(log.ages, met.since[v] - log.time[log.indptr[item]], np.inf)
            at += 1


@njit
def _expose(item, log, out, log_miss, stamps, met):
    _stamp(item, log, stamps)
    found = 0
    for row in range(log.indptr[item], log.indptr[item + 1]):
        u = log.node[row]
        if u < 0:
            continue
        for j in range(out.indptr[u], out.indptr[u + 1]):
            v = out.indices[j]
            if stamps.item[v] == item and stamps.time[v] <= log.time[row]:
                continue
            if met.item[v] != item:
                met.item[v] = item
                met.active[v] = 0
                met.log_miss[v] = 0.0
                met.since[v] = log.time[row]
                met.touched[found] = v
                found += 1
            met.active[v] += 1
            met.log_miss[v] += log_miss[j if log_miss.size > 1 else 0]
    return found
