"""Comparative independent cascade (Com-IC; Lu, Chen and Lakshmanan 2015): two items that help or hinder each other.

An arc is live for both items, with the coin of the independent cascade. A node that is told of an item decides once, by
a number of its own for each item: the item is adopted where that number is below the probability that holds at the time
(another one once the other item is adopted). A node that did not adopt an item while it had no other is suspended, and
decides again, with the same number, when it adopts the other item. Those who tell a node at one step do so in the order
of `parent_rank`, each of the items it has just adopted, in the order of its adoptions.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .cascade import fires, parent_rank, weigh
from .clock import grown
from .coins import LANES, TAG_IC, coin_base, coin_below, world_of

TAG_ITEM = 0xC041  # numbers of the nodes for the first item; one more: for the second
IDLE, SUSPENDED, ADOPTED, REJECTED = 0, 1, 2, 3
NOBODY = -1


class Items(NamedTuple):
    """Thresholds of adoption."""

    alone: np.ndarray  # u8[2]: without the other item
    after: np.ndarray  # u8[2]: with it


class Told(NamedTuple):
    """Workspace of one thread; kernels leave `mark` zero and `head` at -1."""

    mark: np.ndarray  # u1[n, 2]: state of a node for each item
    position: np.ndarray  # i4[n]: where an active node stands in `nodes`
    nodes: np.ndarray  # i4[n]: active nodes, in the order of their first adoption
    step: np.ndarray  # i4[n, 2]: by position, step of the adoption of each item, -1 for never
    first: np.ndarray  # i1[n]: by position, item that was adopted first
    parent: np.ndarray  # i4[n]: by position, position of who told of it, -1 for a seed
    fresh: np.ndarray  # i4[2, n]: positions of those who adopted at the last step, and at this one
    head: np.ndarray  # i4[n]: first of those who tell a node, by rank
    reached: np.ndarray  # i4[n]: nodes told at this step
    touched: np.ndarray  # i4[n]: nodes whose marks have changed


@njit
def adopt(v, item, now, by, told, size, fresh, n_fresh):
    """Let node v adopt an item  ->  active nodes, fresh nodes."""
    told.mark[v, item] = ADOPTED
    if told.mark[v, 1 - item] != ADOPTED:
        told.position[v] = size
        told.nodes[size] = v
        told.step[size, item] = now
        told.step[size, 1 - item] = -1
        told.first[size] = item
        told.parent[size] = by
        fresh[n_fresh] = size
        return size + 1, n_fresh + 1
    at = told.position[v]
    told.step[at, item] = now
    if told.step[at, 1 - item] != now:  # else it is fresh already
        fresh[n_fresh] = at
        n_fresh += 1
    return size, n_fresh


@njit
def inform(v, item, now, by, items, worlds, word, lane, told, size, n_touched, fresh, n_fresh):
    """Tell node v of an item  ->  active nodes, touched nodes, fresh nodes."""
    mark = told.mark
    if mark[v, item] != IDLE:
        return size, n_touched, n_fresh
    other = 1 - item
    if mark[v, other] == IDLE:
        told.touched[n_touched] = v
        n_touched += 1
    has_other = mark[v, other] == ADOPTED
    threshold = items.after[item] if has_other else items.alone[item]
    if not coin_below(coin_base(worlds[item], v), word, lane, threshold):
        mark[v, item] = REJECTED if has_other else SUSPENDED
        return size, n_touched, n_fresh
    size, n_fresh = adopt(v, item, now, by, told, size, fresh, n_fresh)
    if mark[v, other] == SUSPENDED:
        if coin_below(coin_base(worlds[other], v), word, lane, items.after[other]):
            size, n_fresh = adopt(v, other, now, by, told, size, fresh, n_fresh)
        else:
            mark[v, other] = REJECTED
    return size, n_touched, n_fresh


# events: linked lists of who tells whom, growing -> rank u8[], position of who tells i4[], next i4[]
@njit
def comic_run(arcs, items, seeds, item_of, key, run, told):
    """One run  ->  active nodes (the first of `nodes`), arc visits."""
    indptr, indices, p, lo, hi = arcs.indptr, arcs.indices, arcs.p, arcs.lo, arcs.hi
    batch, lane_of_batch = run // LANES, run % LANES
    word, lane = lane_of_batch // 64, lane_of_batch % 64
    world = world_of(key, TAG_IC, batch)
    worlds = (world_of(key, TAG_ITEM, batch), world_of(key, TAG_ITEM + 1, batch))
    mark, nodes, step, head, reached = told.mark, told.nodes, told.step, told.head, told.reached
    ranks, teller, following = np.empty(256, np.uint64), np.empty(256, np.int32), np.empty(256, np.int32)
    size, n_touched, n_fresh, visits = 0, 0, 0, np.int64(0)
    for k in range(seeds.size):
        s, item = seeds[k], np.int64(item_of[k]) if item_of.size > 0 else np.int64(0)
        told.touched[n_touched] = s
        n_touched += 1
        size, n_fresh = adopt(s, item, 0, NOBODY, told, size, told.fresh[0], n_fresh)
    now = 0
    while n_fresh > 0:
        last, fresh = told.fresh[now % 2], told.fresh[(now + 1) % 2]
        now += 1
        n_events, n_reached = 0, 0
        for f in range(n_fresh):
            i = last[f]
            u = nodes[i]
            tells = (step[i, 0] == now - 1, step[i, 1] == now - 1)
            visits += indptr[u + 1] - indptr[u]
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                if not ((tells[0] and mark[v, 0] == IDLE) or (tells[1] and mark[v, 1] == IDLE)):
                    continue
                if not fires(p, lo, hi, False, world, j, v, word, lane):
                    continue
                if n_events == ranks.size:
                    ranks = np.concatenate((ranks, ranks))
                    teller = np.concatenate((teller, teller))
                    following = np.concatenate((following, following))
                rank = parent_rank(key, run, j)
                ranks[n_events], teller[n_events] = rank, i
                at, before = head[v], -1
                if at < 0:
                    reached[n_reached] = v
                    n_reached += 1
                while at >= 0 and ranks[at] < rank:
                    before, at = at, following[at]
                following[n_events] = at
                if before < 0:
                    head[v] = n_events
                else:
                    following[before] = n_events
                n_events += 1
        n_fresh = 0
        for r in range(n_reached):
            v = np.int64(reached[r])
            at = head[v]
            head[v] = -1
            while at >= 0:
                i = teller[at]
                at = following[at]
                for turn in range(2):
                    # The item adopted first is told first.
                    item = np.int64(told.first[i]) if turn == 0 else 1 - np.int64(told.first[i])
                    if step[i, item] == now - 1:
                        size, n_touched, n_fresh = inform(
                            v, item, now, i, items, worlds, word, lane, told, size, n_touched, fresh, n_fresh
                        )
    for k in range(n_touched):
        mark[told.touched[k], 0] = mark[told.touched[k], 1] = IDLE
    return size, visits


# run_of: the only run of each seed, or empty; node_counts i8[n, 3] is added to (any item, each item)
#   ->  new adoptions i4[last - first, steps, 3], arc visits
@njit
def comic_batch(arcs, items, start, item_of, key, first, last, told, node_counts, weighing):
    """Runs first ... last - 1."""
    new = np.zeros((last - first, 16, 3), np.int32)
    steps, visits = 0, np.int64(0)
    for run in range(first, last):
        seeds = start.seeds
        if start.run_of.size > 0:
            seeds = start.seeds[start.run_of == run]
        size, seen = comic_run(arcs, items, seeds, item_of, key, run, told)
        visits += seen
        if weighing.weights.size > 0:
            weighing.sums[run - first] += weigh(told.nodes[:size], weighing.weights)
        for i in range(size):
            v = told.nodes[i]
            node_counts[v, 0] += 1
            for item in range(2):
                at = told.step[i, item]
                if at < 0:
                    continue
                if at >= new.shape[1]:
                    new = grown(new, at + 1)
                steps = max(steps, at + 1)
                node_counts[v, 1 + item] += 1
                new[run - first, at, 1 + item] += 1
                if told.first[i] == item:
                    new[run - first, at, 0] += 1
    return new[:, :steps].copy(), visits
