"""Learning the arcs into a node from its contacts; nodes share no parameter, so each is fitted by itself."""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .coins import mix
from .draws import beta, log_gamma, some_poisson
from .sampling import uniform
from .sips import poisson

TINY = 1e-300  # below every probability that matters, so that no logarithm is infinite


class Contacts(NamedTuple):
    """Active in-neighbours of every adopter, before it adopted."""

    rows: np.ndarray  # i8[n + 1]: adoptions of each node
    indptr: np.ndarray  # i8[adoptions + 1]: contacts of each adoption
    slot: np.ndarray  # i4[contacts]: in-arc, from the first one of the node on
    delay: np.ndarray  # f8[contacts]
    clock: np.ndarray  # f8[adoptions]: time in which a contact could cause it, as a share of an item's life; else 1


# in_indptr i8[n + 1]; credit f8[m] in in-arc order: added to; scale f8[m]
@njit
def add_credit(first, last, contacts, in_indptr, scale, credit):
    """Share each adoption out among its contacts by exp(-delay * scale)."""
    for v in range(first, last):
        base = in_indptr[v]
        for row in range(contacts.rows[v], contacts.rows[v + 1]):
            total = 0.0
            for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
                k = base + contacts.slot[c]
                total += np.exp(-contacts.delay[c] * scale[k])
            for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
                k = base + contacts.slot[c]
                if total > 0.0:
                    credit[k] += np.exp(-contacts.delay[c] * scale[k]) / total
                else:  # all so long ago that their weights vanish
                    credit[k] += 1.0 / (contacts.indptr[row + 1] - contacts.indptr[row])


# total f8[m], in in-arc order: added to
@njit
def add_delays(first, last, contacts, in_indptr, total):
    """Sum the delays of the contacts of each in-arc."""
    for v in range(first, last):
        for row in range(contacts.rows[v], contacts.rows[v + 1]):
            for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
                total[in_indptr[v] + contacts.slot[c]] += contacts.delay[c]


class Prior(NamedTuple):
    """Pseudo-counts: successes and failures of every arc, events and exposure of every node's background."""

    hits: float
    misses: float
    events: float
    exposure: float


class Trials(NamedTuple):
    """What can succeed: trials of every in-arc, and items in which the background may make a node adopt."""

    arcs: np.ndarray  # i8[m], in in-arc order
    background: int  # 0: adoptions that nobody seen caused are left out


class Found(NamedTuple):
    """What a fit of the arcs into each node says."""

    fit: np.ndarray  # f8[n]: log-likelihood
    exposure: np.ndarray  # f8[n]: items, or shares of them, in which it could act
    explained: np.ndarray  # f8[n]: expected adoptions that a contact caused
    steps: np.ndarray  # i8[n]: iterations


# in_indptr i8[n + 1]; p f8[m], hazard f8[n]: start values, overwritten; tol f8, most i8
@njit
def em_nodes(first, last, contacts, in_indptr, trials, prior, p, hazard, tol, most, found):
    """EM of Saito et al. (2008), with a background: an adoption is caused by any of its contacts, or by the background.

    The background of a node makes it adopt at a constant rate of the clock of `Contacts`.
    The iterations of a node end once no probability moves by more than `tol`. What is said of it is that of its last
    values.
    """
    widest = longest_row(in_indptr, first, last)
    hits = np.zeros(widest)
    fails = np.zeros(widest, np.int64)
    for v in range(first, last):
        base, degree = in_indptr[v], in_indptr[v + 1] - in_indptr[v]
        if trials.background == 0:
            hazard[v] = 0.0
        missed, exposure = count_fails(v, base, degree, contacts, trials, fails)
        moved = np.inf
        step = 0
        while moved > tol and step < most:
            events = expected_hits(v, base, degree, contacts, trials, p, hazard[v], hits)
            moved = 0.0
            for k in range(degree):
                count = trials.arcs[base + k] + prior.hits + prior.misses
                new = min((hits[k] + prior.hits) / count, 1.0) if count > 0 else 0.0
                moved = max(moved, abs(new - p[base + k]))
                p[base + k] = new
            if trials.background > 0:
                new = (events + prior.events) / (exposure + prior.exposure)
                moved = max(moved, abs(new - hazard[v]))
                hazard[v] = new
            step += 1
        fit, found.explained[v] = log_likelihood(v, base, contacts, trials, p, hazard[v])
        for k in range(degree):
            fit += fails[k] * np.log(max(1.0 - p[base + k], TINY)) if fails[k] > 0 else 0.0
        found.fit[v] = fit - missed * hazard[v]
        found.exposure[v], found.steps[v] = exposure, step


@njit
def longest_row(indptr, first, last):
    """Most entries of a row of a range."""
    longest = 0
    for row in range(first, last):
        longest = max(longest, indptr[row + 1] - indptr[row])
    return longest


@njit
def count_fails(v, base, degree, contacts, trials, fails):
    """Set the trials of each in-arc that are no contacts; return items missed, and how long the background could act."""
    missed = trials.background
    exposure = 0.0
    for k in range(degree):
        fails[k] = trials.arcs[base + k]
    for row in range(contacts.rows[v], contacts.rows[v + 1]):
        missed -= 1
        exposure += contacts.clock[row]
        for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
            fails[contacts.slot[c]] -= 1
    return missed, exposure + missed


@njit
def probability_of(row, base, contacts, p, hazard):
    """Probability of an adoption, and of one that a contact caused."""
    caused = 0.0  # built up from the small side, so that small probabilities keep their digits
    for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
        caused += p[base + contacts.slot[c]] * (1.0 - caused)
    return max(caused - np.expm1(-hazard * contacts.clock[row]) * (1.0 - caused), TINY), caused


@njit
def log_likelihood(v, base, contacts, trials, p, hazard):
    """Log-likelihood of the adoptions of a node, and how many of them contacts are expected to have caused."""
    fit = 0.0
    explained = 0.0
    for row in range(contacts.rows[v], contacts.rows[v + 1]):
        if trials.background > 0 or contacts.indptr[row + 1] > contacts.indptr[row]:
            adopts, caused = probability_of(row, base, contacts, p, hazard)
            fit += np.log(adopts)
            explained += caused / adopts
    return fit, explained


@njit
def expected_hits(v, base, degree, contacts, trials, p, hazard, hits):
    """Expected successes of each in-arc given the adoptions; return those of the background."""
    events = 0.0
    for k in range(degree):
        hits[k] = 0.0
    for row in range(contacts.rows[v], contacts.rows[v + 1]):
        first, last = contacts.indptr[row], contacts.indptr[row + 1]
        if first == last and trials.background == 0:
            continue
        adopts, _ = probability_of(row, base, contacts, p, hazard)
        events += hazard * contacts.clock[row] / adopts
        for c in range(first, last):
            hits[contacts.slot[c]] += p[base + contacts.slot[c]] / adopts
    return events


# seed u8; p f8[m], hazard f8[n]: start values, overwritten; draws, burn i8; moments f8[m, 2]: written
@njit
def gibbs_nodes(first, last, contacts, in_indptr, trials, prior, seed, p, hazard, draws, burn, moments):
    """Draw who succeeded and the probabilities in turn (data augmentation); mean and variance of every probability.

    Given the successes a probability is Beta: its mean and variance are averaged over draws (Rao-Blackwell). Every node
    has a stream of its own.
    """
    widest = longest_row(in_indptr, first, last)
    hits = np.zeros(widest, np.int64)
    fails = np.zeros(widest, np.int64)
    rest = np.zeros(longest_row(contacts.indptr, contacts.rows[first], contacts.rows[last]) + 1)
    for v in range(first, last):
        key, at = stream_of_node(seed, v), 0
        base, degree = in_indptr[v], in_indptr[v + 1] - in_indptr[v]
        if degree == 0:
            continue
        met = contacts.indptr[contacts.rows[v + 1]] > contacts.indptr[contacts.rows[v]]
        _, exposure = count_fails(v, base, degree, contacts, trials, fails)
        for draw in range((draws + burn) if met else 1):  # without a contact nothing is hidden
            events, at = draw_hits(v, base, degree, contacts, trials, p, hazard[v], key, at, hits, rest)
            for k in range(degree):
                yes = hits[k] + prior.hits
                no = trials.arcs[base + k] - hits[k] + prior.misses
                if draw >= burn or not met:
                    add_beta(yes, no, moments[base + k])
                if met:
                    p[base + k], at = beta(key, at, yes, no)
            if trials.background > 0:
                drawn, at = log_gamma(key, at, events + prior.events)
                hazard[v] = np.exp(drawn) / (exposure + prior.exposure)
        for k in range(degree):
            end_moments(moments[base + k], draws if met else 1)


# seed u8; p f8[m], hazard f8[n]; drawn f8[m]: written
@njit
def impute_nodes(first, last, contacts, in_indptr, trials, seed, p, hazard, drawn):
    """Draw who succeeded once, given the probabilities: expected successes would vary too little between arcs."""
    hits = np.zeros(longest_row(in_indptr, first, last), np.int64)
    rest = np.zeros(longest_row(contacts.indptr, contacts.rows[first], contacts.rows[last]) + 1)
    for v in range(first, last):
        base, degree = in_indptr[v], in_indptr[v + 1] - in_indptr[v]
        draw_hits(v, base, degree, contacts, trials, p, hazard[v], stream_of_node(seed, v), 0, hits, rest)
        for k in range(degree):
            drawn[base + k] = hits[k]


@njit
def add_beta(yes, no, moments):
    """Add mean, and mean square, of a Beta distribution."""
    mean = yes / (yes + no)
    moments[0] += mean
    moments[1] += mean * mean + mean * (1.0 - mean) / (yes + no + 1.0)


@njit
def end_moments(moments, draws):
    """Sums of means and mean squares become a mean and a variance."""
    moments[0] /= draws
    moments[1] = moments[1] / draws - moments[0] * moments[0]


@njit
def draw_hits(v, base, degree, contacts, trials, p, hazard, key, at, hits, rest):
    """Draw which contacts of each adoption succeeded, given that one did or the background.

    Return the events of the background, and the next position of the stream.
    """
    events = 0
    for k in range(degree):
        hits[k] = 0
    for row in range(contacts.rows[v], contacts.rows[v + 1]):
        first, last = contacts.indptr[row], contacts.indptr[row + 1]
        size = last - first
        alone = hazard * contacts.clock[row]
        rest[size] = -np.expm1(-alone)  # probability that any of the causes from here on succeeds
        for i in range(size - 1, -1, -1):
            q = p[base + contacts.slot[first + i]]
            rest[i] = rest[i + 1] + q * (1.0 - rest[i + 1])
        caused = False
        for i in range(size):
            k = contacts.slot[first + i]
            if uniform(key, at) < p[base + k] / (1.0 if caused else rest[i]):
                hits[k] += 1
                caused = True
            at += 1
        if trials.background > 0:
            more, at = poisson(key, at, alone) if caused else some_poisson(key, at, alone)
            events += more
    return events, at


@njit
def stream_of_node(seed, v):
    """Key of the stream of a node."""
    return mix(np.uint64(seed) ^ mix(np.uint64(v)))
