"""Learning linear-threshold weights: what every node's items say of its in-arcs, and EM over them, accelerated."""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .learning import TINY

BITS = 64  # in-degree up to which sets of active in-neighbours are bit masks, so that equal ones are counted once


class Histories(NamedTuple):
    """Adoptions of every node, in the order of the items."""

    indptr: np.ndarray  # i8[n + 1]
    item: np.ndarray  # i8[rows]
    time: np.ndarray  # f8[rows]


class Picks(NamedTuple):
    """What items say of the one in-arc that a node picks: it is among some, not among others, or neither."""

    nodes: np.ndarray  # i8[n + 1]: sets of each node
    indptr: np.ndarray  # i8[sets + 1]: in-arcs of each set
    middle: np.ndarray  # i8[sets]: before it the in-arcs that may be picked, from it on those that are not
    slot: np.ndarray  # i4[]: in-arc, from the first one of the node on
    count: np.ndarray  # i8[sets]: items
    bare: np.ndarray  # i8[n]: adoptions without a contact


class LTPrior(NamedTuple):
    """Pseudo-items in which one in-arc alone was active, with and without an adoption; and those of the background."""

    hits: float
    misses: float
    background_hits: float
    background_misses: float


class LTFound(NamedTuple):
    """What a fit says of each in-arc and node."""

    hits: np.ndarray  # f8[m]: expected adoptions that each in-arc caused
    fit: np.ndarray  # f8[n]: log-likelihood
    penalty: np.ndarray  # f8[n]: of the pseudo-items
    caused: np.ndarray  # f8[n]: expected adoptions by the background
    steps: np.ndarray  # i8[n]: EM steps


# into InArcs; window f8, items i8
@njit
def gather_picks(first, last, into, histories, window, items):
    """Find the sets of the nodes of a range; `nodes` and `indptr` of what is returned start at 0.

    An adopter picked one of its contacts; active neighbours from before the window it did not pick, nor did who never
    adopted pick any that is active. Without a contact the pick is only not among those from before the window.
    """
    adopter = np.full(items, -1, np.int64)
    when = np.empty(items)
    met = np.full(items, -1, np.int64)
    touched = np.empty(items, np.int64)
    near = np.empty(items, np.uint64)  # bit masks, or how many
    far = np.empty(items, np.uint64)
    start = np.empty(items, np.int64)
    size = 2  # of the hash table, a power of two
    while size < 2 * items:
        size *= 2
    table = np.full(size, -1, np.int64)
    nodes = np.zeros(last - first + 1, np.int64)
    bare = np.zeros(last - first, np.int64)
    indptr, middle, count = np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    slot = np.empty(0, np.int32)
    sets, members = 0, np.int64(0)  # a plain 0 would be a type of its own where it is handed on
    for v in range(first, last):
        base, degree = into.indptr[v], into.indptr[v + 1] - into.indptr[v]
        for row in range(histories.indptr[v], histories.indptr[v + 1]):
            adopter[histories.item[row]] = v
            when[histories.item[row]] = histories.time[row]
        found, exposures = 0, 0
        for k in range(degree):
            u = into.sources[base + k]
            bit = np.uint64(1) << np.uint64(k) if degree <= BITS else np.uint64(1)
            for row in range(histories.indptr[u], histories.indptr[u + 1]):
                item = histories.item[row]
                side = side_of(adopter[item] == v, when[item] - histories.time[row], window)
                if side == 0:
                    continue
                exposures += 1
                if met[item] != v:
                    met[item] = v
                    near[item] = far[item] = np.uint64(0)
                    touched[found] = item
                    found += 1
                if side == 1:
                    near[item] += bit
                else:
                    far[item] += bit
        bare[v - first] = histories.indptr[v + 1] - histories.indptr[v]
        for i in range(found):
            bare[v - first] -= near[touched[i]] > 0
        if sets + found > count.size:
            more = np.zeros(sets + found, np.int64)
            indptr, middle = np.concatenate((indptr, more)), np.concatenate((middle, more))
            count = np.concatenate((count, more))
        if members + exposures > slot.size:
            slot = np.concatenate((slot, np.zeros(members + exposures, np.int32)))
        before = sets
        if degree <= BITS:
            mask = np.int64(2)
            while mask < 2 * found:
                mask *= 2
            mask -= 1
            for h in range(mask + 1):
                table[h] = -1
            for i in range(found):  # equal sets are counted once; the first of each stays in `touched`
                item = touched[i]
                h = np.int64(hashed(near[item], far[item]) & np.uint64(mask))
                while table[h] >= 0 and (near[touched[table[h]]] != near[item] or far[touched[table[h]]] != far[item]):
                    h = (h + 1) & mask
                if table[h] < 0:
                    table[h] = sets - before
                    touched[sets - before] = item
                    count[sets] = 0
                    sets += 1
                count[before + table[h]] += 1
            for s in range(before, sets):
                item = touched[s - before]
                members = add_bits(near[item], degree, slot, members)
                middle[s] = members
                members = add_bits(far[item], degree, slot, members)
                indptr[s + 1] = members
        else:
            for i in range(found):
                item = touched[i]
                start[item] = members
                middle[sets] = members + np.int64(near[item])
                members = middle[sets] + np.int64(far[item])
                far[item] = near[item]
                near[item] = np.uint64(0)  # from here on: where the next one goes
                count[sets] = 1
                sets += 1
                indptr[sets] = members
            for k in range(degree):
                u = into.sources[base + k]
                for row in range(histories.indptr[u], histories.indptr[u + 1]):
                    item = histories.item[row]
                    side = side_of(adopter[item] == v, when[item] - histories.time[row], window)
                    if side == 1:
                        slot[start[item] + np.int64(near[item])] = k
                        near[item] += np.uint64(1)
                    elif side == 2:
                        slot[start[item] + np.int64(far[item])] = k
                        far[item] += np.uint64(1)
        nodes[v - first + 1] = sets
    return nodes, indptr[: sets + 1].copy(), middle[:sets].copy(), slot[:members].copy(), count[:sets].copy(), bare


@njit
def side_of(adopts, since, window):
    """Is an active neighbour a contact (1), one that was not picked (2), or later than the adoption (0)?"""
    if not adopts:
        return 2
    if since <= 0.0:
        return 0
    return 1 if since <= window else 2


@njit
def hashed(a, b):
    h = (a ^ (b * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(29))


@njit
def add_bits(mask, degree, slot, at):
    for k in range(degree):
        if (mask >> np.uint64(k)) & np.uint64(1):
            slot[at] = k
            at += 1
    return at


# in_indptr i8[n + 1], activity i8[n]; items i8: those in which the background may act, 0 without one;
# w f8[m], b f8[n]: start values, overwritten; tol f8, most i8
@njit
def lt_nodes(first, last, picks, in_indptr, activity, items, prior, w, b, tol, most, found):
    """EM for the weights into each node, in the squared steps of Varadhan and Roland (2008).

    A squared step is kept if the likelihood, with the prior's penalty, is no lower than before it: it never falls.
    """
    for v in range(first, last):
        base, degree = in_indptr[v], in_indptr[v + 1] - in_indptr[v]
        x = np.empty((4, degree + 1))  # weights and the background: before the steps, after one and two, extrapolated
        x[0, :degree] = w[base : base + degree]
        x[0, degree] = b[v] if items > 0 else 0.0
        note = np.zeros(3)
        seen = np.zeros(degree)
        step = 0
        lt_step(v, degree, picks, activity[v], items, prior, x[0], x[1], seen, note)
        while step < most and farthest(x[0], x[1]) > tol:
            middle = lt_step(v, degree, picks, activity[v], items, prior, x[1], x[2], seen, note)
            step += 2
            kept = False
            if step < most and squared(x[0], x[1], x[2], x[3]) and x[3, :degree].sum() <= 1.0 and x[3, degree] <= 1.0:
                value = lt_step(v, degree, picks, activity[v], items, prior, x[3], x[1], seen, note)
                step += 1
                kept = value >= middle
            x[0] = x[3] if kept else x[2]
            if not kept:
                lt_step(v, degree, picks, activity[v], items, prior, x[0], x[1], seen, note)
        w[base : base + degree] = x[0, :degree]
        b[v] = x[0, degree]
        found.hits[base : base + degree] = seen
        found.fit[v], found.penalty[v], found.caused[v], found.steps[v] = note[0], note[1], note[2], step


@njit
def pseudo(hits, misses, q):
    """Log-likelihood of pseudo-counts."""
    total = hits * np.log(max(q, TINY)) if hits > 0.0 else 0.0
    return total + (misses * np.log(max(1.0 - q, TINY)) if misses > 0.0 else 0.0)


@njit
def farthest(a, b):
    far = 0.0
    for k in range(a.size):
        far = max(far, abs(a[k] - b[k]))
    return far


@njit
def squared(x0, x1, x2, out):
    """Extrapolate two steps (scheme S3), at least a tenth of the second step's values; False where there is nothing to gain."""
    r2, v2 = 0.0, 0.0
    for k in range(x0.size):
        r = x1[k] - x0[k]
        v = x2[k] - x1[k] - r
        r2 += r * r
        v2 += v * v
    if not r2 > v2:
        return False
    a = np.sqrt(r2 / v2) if v2 > 0.0 else 1e3
    for k in range(x0.size):
        r = x1[k] - x0[k]
        out[k] = max(x0[k] + 2.0 * a * r + a * a * (x2[k] - x1[k] - r), 0.1 * x2[k])
    return True


@njit
def lt_step(v, degree, picks, adopted, items, prior, x, new, seen, note):
    """One EM step from x to new; return the penalised log-likelihood of x, which `note` splits up.

    Of an item with contacts C and in-neighbours E that were not picked: an adopter picked one of C, or none of both and
    the background made it adopt. All others did not pick any of E.
    """
    b = x[degree]
    gain = np.zeros(degree)  # what a weight is multiplied by, but for the part that all in-arcs have
    for k in range(degree):
        seen[k] = 0.0
    rest, told, caused, fit, penalty = 0.0, 0, 0.0, 0.0, 0.0
    for s in range(picks.nodes[v], picks.nodes[v + 1]):
        first, middle, last = picks.indptr[s], picks.middle[s], picks.indptr[s + 1]
        into, apart = 0.0, 0.0
        for c in range(first, middle):
            into += x[picks.slot[c]]
        for c in range(middle, last):
            apart += x[picks.slot[c]]
        count = picks.count[s]
        told += count
        if middle > first:
            p = max(into + b * max(1.0 - into - apart, 0.0), TINY)
            caused += count * b * max(1.0 - apart, 0.0) / p
            outside = count * b / p
            for c in range(first, middle):
                gain[picks.slot[c]] += count / p - outside
                seen[picks.slot[c]] += count / p
        else:
            p = max(1.0 - apart, TINY)
            outside = count / p
        for c in range(middle, last):
            gain[picks.slot[c]] -= outside
        rest += outside
        fit += count * np.log(p)
    for k in range(degree):
        outside = prior.misses / max(1.0 - x[k], TINY)
        gain[k] -= outside
        rest += outside
        penalty += pseudo(prior.hits, prior.misses, x[k])
    total = told + degree * (prior.hits + prior.misses)
    for k in range(degree):
        new[k] = max(x[k] * (gain[k] + rest) + prior.hits, 0.0) / total if total > 0.0 else 0.0
        seen[k] *= x[k]
    new[degree] = 0.0
    if items > 0:
        caused += picks.bare[v]
        fit += pseudo(float(picks.bare[v]), float(items - adopted), b)
        penalty += pseudo(prior.background_hits, prior.background_misses, b)
        trials = items + prior.background_hits + prior.background_misses
        new[degree] = (caused + prior.background_hits) / trials
    note[0], note[1], note[2] = fit, penalty, caused
    return fit + penalty
