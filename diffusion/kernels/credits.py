"""Credit for adoptions: it flows along the contacts of every item, which lead from earlier adoptions to later ones."""

from typing import NamedTuple

import numpy as np

from .._numba import njit


class Credits(NamedTuple):
    """Direct credit of every adoption to those before it, by item in order of time."""

    item: np.ndarray  # i8[items + 1]: adoptions of each item
    node: np.ndarray  # i4[adoptions]
    indptr: np.ndarray  # i8[adoptions + 1]: to whom each one gives credit
    parent: np.ndarray  # i8[]: adoption of the same item
    share: np.ndarray  # f8[]
    weight: np.ndarray  # f8[n]: 1 / adoptions of the node


# into InArcs, indptr i8[rows + 1]; tau f8[m in-arcs], inf for equal credit; influenced f8[n];
# row_of i8[n]; parent i8[contacts], share f8[contacts] are written
@njit
def fill_credits(first, last, log, into, contacts, tau, influenced, indptr, row_of, parent, share):
    """Write to whom every adoption gives direct credit: influenced[v] / contacts * exp(-delay / tau) to each contact."""
    for item in range(first, last):
        for row in range(log.indptr[item], log.indptr[item + 1]):
            row_of[log.node[row]] = row
        for row in range(log.indptr[item], log.indptr[item + 1]):
            v = log.node[row]
            begin, end = contacts.indptr[log.place[row]], contacts.indptr[log.place[row] + 1]
            at = indptr[row]
            for c in range(begin, end):
                k = into.indptr[v] + contacts.slot[c]
                parent[at] = row_of[into.sources[k]]
                share[at] = influenced[v] / (end - begin) * np.exp(-contacts.delay[c] / tau[k])
                at += 1


# contacts, in_indptr i8[n + 1], tau f8[m]; influenced i8[n], added to
@njit
def count_influenced(first, last, contacts, in_indptr, tau, influenced):
    """Count the adoptions of each node that follow a contact within its arc's mean delay."""
    for v in range(first, last):
        for row in range(contacts.rows[v], contacts.rows[v + 1]):
            for c in range(contacts.indptr[row], contacts.indptr[row + 1]):
                if contacts.delay[c] <= tau[in_indptr[v] + contacts.slot[c]]:
                    influenced[v] += 1
                    break


# items i8[]: those to look at; seed b1[n]; to_seeds f8[adoptions], gain f8[adoptions] are written
@njit
def pass_credits(items, credits, seed, to_seeds, gain):
    """Credit that the seeds have for every adoption, and what its user would add as a further seed through it.

    An adoption's credit is passed on along all its shares. What a user adds is the credit for all adoptions after its own
    along paths without seeds, each over the adoptions of its user, times the part of its own that no seed has.
    """
    for i in range(items.size):
        first, last = credits.item[items[i]], credits.item[items[i] + 1]
        for row in range(first, last):
            v = credits.node[row]
            total = 1.0 if seed[v] else 0.0
            if not seed[v]:
                for c in range(credits.indptr[row], credits.indptr[row + 1]):
                    total += credits.share[c] * to_seeds[credits.parent[c]]
            to_seeds[row] = total
            gain[row] = credits.weight[v]
        for row in range(last - 1, first - 1, -1):
            if seed[credits.node[row]]:
                gain[row] = 0.0
            for c in range(credits.indptr[row], credits.indptr[row + 1]):
                gain[credits.parent[c]] += credits.share[c] * gain[row]
        for row in range(first, last):
            gain[row] *= 1.0 - to_seeds[row]


# histories of rows: indptr i8[n + 1], row i8[adoptions] by node; total f8[n] is written at `users` i4[]
@njit
def sum_gains(users, indptr, row, gain, total):
    """Sum what each user would add over its adoptions."""
    for i in range(users.size):
        u = users[i]
        total[u] = 0.0
        for k in range(indptr[u], indptr[u + 1]):
            total[u] += gain[row[k]]
