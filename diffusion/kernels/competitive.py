"""Rival brands that spread along the same live edges: 512 runs at a time, or one run with parents.

The arcs are live as under the independent cascade or the linear threshold model (`diffusion.kernels.cascade`), one coin
for all brands, and a node belongs to the first brand that reaches it. Beside its seen and pending rows a node has one
row a brand, the lanes in which it is of that brand; what arrives in a step is written there first, and where several
brands arrived in one lane, that lane is settled at the end of the step: by the order of the brands, or by the live arc
of smallest `parent_rank`, which is a fair draw among the attempts that succeed and the parent of the plain cascade too.
Only for nodes with such lanes are the arcs into the node looked at once more. Negative opinions (Chen et al. 2011) are
two brands, positive and negative, of which the first turns into the second with a coin of the node.
"""

from typing import NamedTuple

import numpy as np

from .._numba import njit
from .arcs import Arcs
from .cascade import fires, parent_rank
from .coins import (
    ALWAYS,
    LANES,
    TAG_IC,
    TAG_LT,
    TAG_PARENT,
    WORDS,
    coin_base,
    coin_below,
    mix,
    popcount,
    prefetch,
    trailing_zeros,
    world_of,
)
from .lanes import (
    PLANES,
    WAITING,
    Lanes,
    bounds,
    clear_node,
    copy_rows,
    count_lanes,
    first_lanes,
    live_lanes,
    new_scan,
    open_step,
    read_counters,
    scan_arcs,
    seed_lanes,
    weigh_lanes,
)

TAG_QUALITY = 0x1C4E  # coin of a node: does it stay positive?
NEVER_RANKED = ~np.uint64(0)
_1 = np.uint64(1)


class Rivalry(NamedTuple):
    """How brands differ, and who wins where several arrive at one step."""

    n_brands: int
    p: np.ndarray  # f4[n_brands, m] or f4[n_brands, 1]: probabilities of each brand; f4[0, 0]: those of the arcs
    priority: np.ndarray  # i8[n_brands]: brands, first the one that wins; empty: drawn among the attempts that succeed
    quality: np.uint64  # threshold of the coin by which brand 0 stays what it is, else it turns to 1; 2**32: always


class Rows(NamedTuple):
    """Further workspace of one thread; kernels leave `brand` zero and `place` at -1."""

    brand: np.ndarray  # u8[n * n_brands * words]
    part: np.ndarray  # u8[n * words], or of one entry where brands do not differ: frontier rows of one brand
    place: np.ndarray  # i4[n]: position in the frontier
    hit: np.ndarray  # u8[4 * WORDS]
    best: np.ndarray  # u8[LANES]: smallest rank of a live arc
    winner: np.ndarray  # i4[LANES]: its source
    runs: np.ndarray  # u8[LANES]: world of the parents of each run
    sources: np.ndarray  # i4[WAITING + FEW * BLOCK]: source of each activation that waits


@njit
def probability_of(arcs, rivalry, b):
    """Arcs as brand b finds them."""
    if rivalry.p.size == 0:
        return arcs
    return Arcs(arcs.indptr, arcs.indices, rivalry.p[b], arcs.lo, arcs.hi, arcs.linear)


@njit
def seed_brands(start, brand_of, block, scan, lanes, rows, n_brands):
    """Make the seeds active, each of its brand (without brands: of the first)  ->  size of the frontier."""
    words = block.words
    size = seed_lanes(start, block, scan, lanes)
    first_run = block.batch * LANES + block.first_word * 64
    for i in range(start.seeds.size):
        b = np.int64(brand_of[i]) if brand_of.size > 0 else np.int64(0)
        at = (np.int64(start.seeds[i]) * n_brands + b) * words
        if start.run_of.size > 0:
            lane = start.run_of[i] - first_run
            if 0 <= lane < block.n_lanes:
                rows.brand[at + (lane >> 6)] |= _1 << np.uint64(lane & 63)
            continue
        for w in range(words):
            rows.brand[at + w] |= first_lanes(block.n_lanes - 64 * w)
    return size


@njit
def deliver(scan, n, only, n_brands, lanes, rows, queue, n_queue, touched, n_touched, words):
    """Let the n waiting activations arrive with the brand of their sources (`only`: with that one).

    A lane that another arc has reached in this step takes both brands; `settle` decides.
    """
    state, flags, brand, hit = lanes.state, lanes.flags, rows.brand, rows.hit
    targets, lane_of, live, sources = scan.targets, scan.lanes, scan.rows, rows.sources
    for k in range(n):
        at = np.int64(targets[k]) * n_brands * words
        for b in range(n_brands):
            prefetch(brand, at + b * words)
    for k in range(n):
        v, u = np.int64(targets[k]), np.int64(sources[k])
        at, to, of = v * 2 * words, v * n_brands * words, u * n_brands * words
        lane = np.int64(lane_of[k])
        if lane < 0:
            some = np.uint64(0)
            for w in range(words):
                seen, pending = state[at + w], state[at + words + w]
                new = live[k * words + w] & (~seen | pending)
                hit[w] = new
                some |= new
                state[at + w] = seen | new
                state[at + words + w] = pending | new
            if some == 0:
                continue
            if only >= 0:
                for w in range(words):
                    brand[to + only * words + w] |= hit[w]
            else:
                for b in range(n_brands):
                    for w in range(words):
                        brand[to + b * words + w] |= hit[w] & brand[of + b * words + w]
        else:
            word, bit = lane >> 6, _1 << np.uint64(lane & 63)
            if state[at + word] & bit and state[at + words + word] & bit == 0:
                continue
            state[at + word] |= bit
            state[at + words + word] |= bit
            if only >= 0:
                brand[to + only * words + word] |= bit
            else:
                for b in range(n_brands):
                    brand[to + b * words + word] |= bit & brand[of + b * words + word]
        if flags[v] & 1 == 0:
            if flags[v] == 0:
                touched[n_touched] = v
                n_touched += 1
            flags[v] = 3
            queue[n_queue] = v
            n_queue += 1
    return n_queue, n_touched


@njit
def settle_by_rank(v, arcs, into, rivalry, block, scan, lanes, rows):
    """Give node v, in its lanes hit[:words] where brands tie, the brand of the live arc of smallest rank."""
    words, first_word, n_brands = block.words, block.first_word, rivalry.n_brands
    active, brand, place, hit, best, winner = lanes.active, rows.brand, rows.place, rows.hit, rows.best, rows.winner
    both, own, live = 1 * WORDS, 2 * WORDS, 3 * WORDS
    for w in range(words):
        bits = hit[w]
        while bits != 0:
            best[w * 64 + np.int64(trailing_zeros(bits))] = NEVER_RANKED
            bits &= bits - _1
    for k in range(into.indptr[v], into.indptr[v + 1]):
        u = np.int64(into.sources[k])
        i = np.int64(place[u])
        if i < 0:
            continue
        some = np.uint64(0)
        for w in range(words):
            hit[both + w] = active[i * words + w] & hit[w]
            some |= hit[both + w]
        if some == 0:
            continue
        j = into.arc[k]
        base, mixed = coin_base(scan.world, j), mix(np.uint64(j))
        for b in range(n_brands if rivalry.p.size > 0 else 1):
            if rivalry.p.size > 0:
                for w in range(words):
                    hit[own + w] = hit[both + w] & brand[(u * n_brands + b) * words + w]
            else:
                for w in range(words):
                    hit[own + w] = hit[both + w]
            p = rivalry.p[b] if rivalry.p.size > 0 else arcs.p
            low, high = bounds(p, 0 if p.size == 1 else 1, arcs.lo, arcs.hi, False, j)
            if high == 0 or live_lanes(hit, own, hit, live, low, high, base, words, first_word) == 0:
                continue
            for w in range(words):
                bits = hit[live + w]
                while bits != 0:
                    lane = w * 64 + np.int64(trailing_zeros(bits))
                    bits &= bits - _1
                    rank = mix(rows.runs[lane] ^ mixed)
                    if rank < best[lane]:
                        best[lane] = rank
                        winner[lane] = u
    for w in range(words):
        bits = hit[w]
        while bits != 0:
            bit = bits & (~bits + _1)
            u = np.int64(winner[w * 64 + np.int64(trailing_zeros(bits))])
            bits &= bits - _1
            for b in range(n_brands):
                if brand[(u * n_brands + b) * words + w] & bit:
                    brand[(v * n_brands + b) * words + w] |= bit
                else:
                    brand[(v * n_brands + b) * words + w] &= ~bit


@njit
def turn(v, quality, world, block, lanes, rows):
    """Let the pending lanes in which node v is of brand 0 turn to brand 1 unless its coin is below `quality`."""
    words = block.words
    brand, pending, hit = rows.brand, (2 * v + 1) * words, rows.hit
    at, other = 2 * v * words, (2 * v + 1) * words
    for w in range(words):
        hit[w] = brand[at + w] & lanes.state[pending + w]
        hit[WORDS + w] = 0
    if quality > 0:
        live_lanes(hit, 0, hit, WORDS, np.uint64(0), quality, coin_base(world, v), words, block.first_word)
    for w in range(words):
        turned = hit[w] & ~hit[WORDS + w]
        brand[at + w] &= ~turned
        brand[other + w] |= turned


@njit
def settle(queue, size, arcs, into, rivalry, world, block, scan, lanes, rows):
    """Decide for each node reached in this step where several brands arrived, and whom the first brand disappoints."""
    words, n_brands, priority = block.words, rivalry.n_brands, rivalry.priority
    brand, hit = rows.brand, rows.hit
    for i in range(size):
        v = np.int64(queue[i])
        ties = np.uint64(0)
        for w in range(words):
            once, twice = np.uint64(0), np.uint64(0)
            for b in range(n_brands):
                row = brand[(v * n_brands + b) * words + w]
                twice |= once & row
                once |= row
            hit[w] = twice
            ties |= twice
        if ties != 0:
            if priority.size > 0:
                for w in range(words):
                    left = hit[w]
                    for b in priority:
                        row = brand[(v * n_brands + b) * words + w]
                        brand[(v * n_brands + b) * words + w] = row & ~(hit[w] & ~left)
                        left &= ~row
            else:
                settle_by_rank(v, arcs, into, rivalry, block, scan, lanes, rows)
        if rivalry.quality < ALWAYS:
            turn(v, rivalry.quality, world, block, lanes, rows)


@njit
def weigh_brand(touched, b, n_brands, brand, words, weighing):
    """Add to sums[lane] the weights of the nodes of one brand, in the order of nodes."""
    weights, sums = weighing.weights, weighing.sums
    if weights.size == 0:
        return
    for v in np.sort(touched):
        weight = weights[v]
        if weight == 0.0:
            continue
        for w in range(words):
            bits = brand[(np.int64(v) * n_brands + b) * words + w]
            while bits != 0:
                sums[w * 64 + np.int64(trailing_zeros(bits))] += weight
                bits &= bits - _1


# into: InArcs; brand_of i1[seeds] or empty; node_counts i8[n, n_brands], or with a first column for all brands together
# (then weights are those of all brands, else those of brand 0), is added to
#   ->  new activations i4[steps, n_brands, 64 * words], arc visits
@njit
def rivals_batch(arcs, into, rivalry, start, brand_of, block, lanes, rows, node_counts, weighing):
    """Rival cascades in all runs of a block."""
    words, n_brands, differ = block.words, rivalry.n_brands, rivalry.p.size > 0
    frontier, following, touched = lanes.queues[0], lanes.queues[1], lanes.queues[2]
    brand, part, place, sources = rows.brand, rows.part, rows.place, rows.sources
    one_brand = Lanes(lanes.state, part, lanes.flags, lanes.queues)
    scan = new_scan(arcs, block)
    world = world_of(block.key, TAG_QUALITY, block.batch)
    for lane in range(block.n_lanes):
        run = block.batch * LANES + block.first_word * 64 + lane
        rows.runs[lane] = world_of(block.key, TAG_PARENT, run)
    planes = np.zeros((n_brands, PLANES * WORDS), np.uint64)
    counts = np.zeros((16, n_brands, words * 64), np.int32)
    row = np.empty(WORDS, np.uint64)
    size = n_touched = seed_brands(start, brand_of, block, scan, lanes, rows, n_brands)
    if rivalry.quality < ALWAYS:
        for i in range(size):
            turn(np.int64(frontier[i]), rivalry.quality, world, block, lanes, rows)
    steps = 0
    visits = np.int64(0)
    while size > 0:
        open_step(frontier, size, lanes, words)
        for i in range(size):
            u = np.int64(frontier[i])
            place[u] = i
            for b in range(n_brands):
                for w in range(words):
                    row[w] = lanes.active[i * words + w] & brand[(u * n_brands + b) * words + w]
                count_lanes(row, 0, planes[b], words)
        n_following = np.int64(0)
        for only in range(0 if differ else -1, n_brands if differ else 0):
            if differ:
                for i in range(size):
                    at = (np.int64(frontier[i]) * n_brands + only) * words
                    for w in range(words):
                        part[i * words + w] = lanes.active[i * words + w] & brand[at + w]
            mine = one_brand if differ else lanes
            ways = probability_of(arcs, rivalry, max(only, 0))
            i, j, n = np.int64(0), np.int64(-1), np.int64(0)
            while i < size:
                some = np.uint64(0)
                for w in range(words):
                    some |= mine.active[i * words + w]
                begin, waiting = i, n
                if some == 0:  # nobody of this brand
                    i += 1
                else:
                    i, j, n, seen = scan_arcs(ways, block, scan, mine, frontier, i, i + 1, j, n)
                    visits += seen
                    for k in range(waiting, n):
                        sources[k] = frontier[begin]
                if n >= WAITING or i == size:
                    n_following, n_touched = deliver(
                        scan, n, only, n_brands, lanes, rows, following, n_following, touched, n_touched, words
                    )
                    n = np.int64(0)
        settle(following, n_following, arcs, into, rivalry, world, block, scan, lanes, rows)
        for i in range(size):
            place[frontier[i]] = -1
        if steps == counts.shape[0]:
            more = np.zeros((2 * steps, n_brands, words * 64), np.int32)
            for step in range(steps):
                copy_rows(counts[step], more[step])
            counts = more
        for b in range(n_brands):
            read_counters(planes[b], counts[steps, b], words)
        steps += 1
        frontier, following = following, frontier
        size = n_following
    first = node_counts.shape[1] - n_brands
    if first > 0:
        weigh_lanes(touched[:n_touched], lanes.state, words, weighing)
    else:
        weigh_brand(touched[:n_touched], 0, n_brands, brand, words, weighing)
    for i in range(n_touched):
        v = np.int64(touched[i])
        active = clear_node(v, lanes, words)
        if first > 0:
            node_counts[v, 0] += active
        for b in range(n_brands):
            for w in range(words):
                node_counts[v, first + b] += np.int64(popcount(brand[(v * n_brands + b) * words + w]))
                brand[(v * n_brands + b) * words + w] = 0
    return counts[:steps].copy(), visits


# seeds i4[], brand_of i1[] or empty, key u8, run i8
#   ->  nodes i4[size] in order of step, step i4[size], parent i4[size] (position, -1 seed), brand i1[size]
@njit
def replay_rivals(arcs, rivalry, seeds, brand_of, key, run):
    """One run with the parents of its nodes, which are of their brand unless the node has turned."""
    indptr, indices, lo, hi, linear = arcs.indptr, arcs.indices, arcs.lo, arcs.hi, arcs.linear
    n = indptr.size - 1
    batch, lane_of_batch = run // LANES, run % LANES
    word, lane = lane_of_batch // 64, lane_of_batch % 64
    world = world_of(key, TAG_LT if linear else TAG_IC, batch)
    nodes_world = world_of(key, TAG_QUALITY, batch)
    place_of = np.zeros(rivalry.n_brands, np.int64)  # brands of equal place: the smallest rank decides
    for k in range(rivalry.priority.size):
        place_of[rivalry.priority[k]] = k
    position = np.full(n, -1, np.int32)
    nodes, step, parent = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    brand, rank = np.empty(n, np.int8), np.empty(n, np.uint64)
    size = 0
    for k in range(seeds.size):
        s = seeds[k]
        position[s] = size
        nodes[size], step[size], parent[size] = s, 0, -1
        brand[size] = brand_of[k] if brand_of.size > 0 else 0
        size += 1
    begin, start, now = 0, 0, 0  # nodes from `begin` on may still turn
    while True:
        for at in range(begin, size):
            if brand[at] == 0 and not coin_below(coin_base(nodes_world, nodes[at]), word, lane, rivalry.quality):
                brand[at] = 1
        if start == size:
            break
        end = begin = size
        now += 1
        for i in range(start, end):
            u = nodes[i]
            p = rivalry.p[brand[i]] if rivalry.p.size > 0 else arcs.p
            for j in range(indptr[u], indptr[u + 1]):
                v = np.int64(indices[j])
                at = position[v]
                if at >= 0 and step[at] < now:
                    continue
                if not fires(p, lo, hi, linear, world, j, v, word, lane):
                    continue
                order = parent_rank(key, run, j)
                if at < 0:
                    at = position[v] = size
                    nodes[size], step[size] = v, now
                    size += 1
                else:
                    mine, theirs = place_of[brand[i]], place_of[brand[at]]
                    if mine > theirs or (mine == theirs and order >= rank[at]):
                        continue
                parent[at], rank[at], brand[at] = i, order, brand[i]
        start = end
    return nodes[:size].copy(), step[:size].copy(), parent[:size].copy(), brand[:size].copy()
