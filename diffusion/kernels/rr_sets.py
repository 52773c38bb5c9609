"""Reverse-reachable (RR) sets: who could have reached a random root, in one live-edge world drawn on the way.

Set ``i`` of a key is a function of (key, i): its random words are ``mix(state), mix(state + GOLDEN), ...`` with
``state = mix(mix(key ^ TAG_RR) + i * GOLDEN)``. It depends on no other set, thread or chunk.

Independent cascade (after SUBSIM: Guo et al., SIGMOD 2020): where all arcs into a node have one probability, first the
number of those that fire is drawn and then which ones, or, where many fire, geometric skips find them. Otherwise the
arcs stand in falling order of probability, and the skips of a segment go by its largest one, thinned by the ratio.
Linear threshold: each node keeps at most one in-arc, so a set is a reverse walk.
"""

from typing import NamedTuple

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .._numba import njit
from .coins import ALWAYS, GOLDEN, mix, threshold_of
from .lanes import FULL_U32

TAG_RR = np.uint64(0x5E7)
_G = np.uint64(GOLDEN)
_1, _11, _32, _63 = np.uint64(1), np.uint64(11), np.uint64(32), np.uint64(63)
UNIT = 1.0 / 2**53
TOP = 4294967296.0

# What is known of the arcs into one node, in half a cache line. They stand at start ... start + degree. Under the
# independent cascade none and one are the probabilities that no arc, and at most one, fires; odds is p / (1 - p). Where
# many fire, `one` is the scale of the skips instead.
PLAN = np.dtype(
    [("none", np.float64), ("one", np.float64), ("place", np.int64), ("degree", np.int32), ("odds", np.float32)]
)
KIND_BITS = 56  # place is start + (kind << 56)
START = np.int64(2**KIND_BITS - 1)
NEVER, ALL, COUNT, SKIP, MIXED = 0, 1, 2, 3, 4  # independent cascade
PICK, SEARCH = 1, 2  # linear threshold; NEVER as above
MANY = 6.0  # expected arcs that fire from which skips beat drawing their number
MOST = 64  # with at most MANY expected, more than that fire with a probability below 1e-40
WALKS = 16  # reverse walks that take turns; one bit of a mark each
WALK_BLOCK = 2048  # sets whose walks are kept apart before they are put in order
SEGMENT = 8  # the first arcs of a mixed node get a coin each; then segments 8-15, 16-31, ... are skipped through


class Plan(NamedTuple):
    """What sampling reads of a graph under a model."""

    nodes: np.ndarray  # PLAN[n]
    sources: np.ndarray  # i4[m], in falling order of p at mixed nodes
    limits: np.ndarray  # u4[m] or u4[1]: `below` of `sort_mixed`, or upper ends of the intervals of the in-arcs


class Roots(NamedTuple):
    """Roots of RR sets: uniform where `guide` has one entry, else by weight (see `draw_root`)."""

    cumulated: np.ndarray  # f8[n]
    guide: np.ndarray  # i4[n]


class Cut(NamedTuple):
    """Which sets are kept as empty ones: those that meet a stop node, or have more than `limit` members."""

    stopping: bool
    stop: np.ndarray  # u8[ceil(n / 64)], a set of bits
    limit: int


@intrinsic
def prefetch(typing, array, at):
    """Bring the cache line of array[at] closer; it changes nothing else."""

    def codegen(context, b, s, args):
        view = context.make_array(s.args[0])(context, b, args[0])
        pointer = b.bitcast(b.gep(view.data, [args[1]]), ir.IntType(8).as_pointer())
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, i32, i32, i32])
        function = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0i8")
        b.call(function, [pointer, ir.Constant(i32, 0), ir.Constant(i32, 3), ir.Constant(i32, 1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), codegen


# in-arcs indptr i8[n + 1], arc i8[m] (positions in p); p f4[m] or f4[1]; plan PLAN[n] is filled  ->  arcs into mixed
# nodes
@njit
def plan_ic(indptr, arc, p, plan):
    mixed = 0
    step = 0 if p.size == 1 else 1
    for v in range(plan.size):
        start, end = indptr[v], indptr[v + 1]
        d = end - start
        kind = NEVER
        plan[v].degree = d
        plan[v].none, plan[v].one, plan[v].odds = 1.0, 1.0, 0.0
        if d > 0:
            first = np.float64(p[arc[start] * step])
            same = True
            if step == 1:
                for k in range(start + 1, end):
                    if p[arc[k]] != first:
                        same = False
                        break
            threshold = threshold_of(first)
            if not same:
                kind = MIXED
                mixed += d
            elif threshold == ALWAYS:
                kind = ALL
                plan[v].none = 0.0
            elif threshold != 0:
                log_miss = np.log1p(-first)
                plan[v].none = np.exp(d * log_miss)
                if d * first > MANY:
                    kind = SKIP
                    plan[v].one = 1.0 / log_miss
                else:
                    kind = COUNT
                    plan[v].odds = first / (1.0 - first)
                    plan[v].one = plan[v].none + d * first * np.exp((d - 1) * log_miss)
        plan[v].place = start + (np.int64(kind) << KIND_BITS)
    return mixed


# as plan_ic, sources i4[m]; plan as it left it  ->  sources i4[m], below u4[m] in falling order of p at mixed nodes:
# an arc fires when a coin of 32 bits is at most `below`; arcs that never fire are cut off
@njit
def sort_mixed(indptr, sources, arc, p, plan):
    ordered = sources.copy()
    below = np.zeros(sources.size, np.uint32)
    for v in range(plan.size):
        if plan[v].place >> KIND_BITS != MIXED:
            continue
        start, d = indptr[v], np.int64(plan[v].degree)
        row = np.empty(d, np.float32)
        for k in range(d):
            row[k] = -p[arc[start + k]]
        if d <= 32:
            rank = np.arange(d)
            for k in range(1, d):
                r = rank[k]
                j = k
                while j > 0 and row[rank[j - 1]] > row[r]:
                    rank[j] = rank[j - 1]
                    j -= 1
                rank[j] = r
        else:
            rank = np.argsort(row, kind="mergesort")
        count = 0
        for k in range(d):
            threshold = threshold_of(-row[rank[k]])
            if threshold == 0:
                break
            ordered[start + k] = sources[start + rank[k]]
            below[start + k] = np.uint32(threshold - _1)
            count += 1
        plan[v].degree = count
    return ordered, below


# in-arcs indptr i8[n + 1], arc i8[m]; p f4[m] or f4[1]; hi u4[m] by arc; plan PLAN[n] is filled  ->  nodes that search
@njit
def plan_lt(indptr, arc, p, hi, plan):
    searching = 0
    step = 0 if p.size == 1 else 1
    for v in range(plan.size):
        start, end = indptr[v], indptr[v + 1]
        kind = NEVER
        plan[v].degree = end - start
        plan[v].none, plan[v].one, plan[v].odds = 0.0, 0.0, 0.0
        if end > start and hi[arc[end - 1]] > 0:
            same = True
            for k in range(start + 1, end):
                if p[arc[k] * step] != p[arc[start] * step]:
                    same = False
                    break
            if same and np.uint64(hi[arc[end - 1]]) == FULL_U32:
                kind = PICK
            else:
                kind = SEARCH
                searching += 1
        plan[v].place = start + (np.int64(kind) << KIND_BITS)
    return searching


@njit(inline="always")
def unit_of(x):
    """64 random bits -> a number in [0, 1)."""
    return np.float64(x >> _11) * UNIT


@njit
def draw_root(x, n, cumulated, guide):
    """64 random bits -> a node: uniform, or by the cumulated weights f8[n], where guide i4[n] says where to begin."""
    u = unit_of(x)
    if guide.size == 1:
        return np.int64(u * n)
    v = np.int64(guide[np.int64(u * n)])
    while cumulated[v] <= u:
        v += 1
    return v


@njit(inline="always")
def clear(nodes, head, size, marks):
    for r in range(head, size):
        marks[np.uint64(nodes[r]) >> np.uint64(6)] = 0


# sets first ... last - 1 of key u8; marks u8[ceil(n / 64)], a set of bits, all 0 and left so; nodes i4[] is filled from
# `size`, the end of set i goes to ends[row + i - first]  ->  sets done, size, empty sets. Fewer sets are done when
# `nodes` is full.
@njit
def sample_ic(graph_plan, roots, cut, key, first, last, marks, nodes, size, ends, row):
    """Sample RR sets of the independent cascade."""
    plan, sources, below = graph_plan
    cumulated, guide = roots
    stopping, stop, limit = cut
    base = mix(key ^ TAG_RR)
    full = nodes.size
    empty = 0
    picked = np.empty(MOST, np.int64)
    upcoming = draw_root(mix(mix(base + np.uint64(first) * _G)), plan.size, cumulated, guide)
    for i in range(first, last):
        state = mix(base + np.uint64(i) * _G)
        root = upcoming
        upcoming = draw_root(mix(mix(base + np.uint64(i + 1) * _G)), plan.size, cumulated, guide)
        prefetch(plan, upcoming)
        if size >= full:
            return i - first, size, empty
        bit = _1 << (np.uint64(root) & _63)
        if stopping and stop[root >> 6] & bit:
            empty += 1
            ends[row + i - first] = size
            continue
        head = size
        nodes[size] = root
        size += 1
        marks[root >> 6] |= bit
        at = head
        hit = False
        while at < size and not hit:
            v = nodes[at]
            at += 1
            place = plan[v].place
            kind = place >> KIND_BITS
            if kind == NEVER:
                continue
            d = np.int64(plan[v].degree)
            if size + d > full:
                clear(nodes, head, size, marks)
                return i - first, head, empty
            state += _G
            x = mix(state)
            if kind <= SKIP and unit_of(x) < plan[v].none:
                continue
            start = place & START
            j = np.int64(-1)
            count = np.int64(0)
            scale = plan[v].one
            segment = np.int64(0)
            rate = np.uint64(0)
            if kind == COUNT:  # how many arcs fire, by inversion
                count = 1
                u = unit_of(x)
                if u >= scale:
                    odds = np.float64(plan[v].odds)
                    mass = scale - plan[v].none
                    reached = scale
                    while u >= reached and count < d:
                        mass *= odds * (d - count) / (count + 1)
                        reached += mass
                        count += 1
                        if mass <= 0.0:
                            break
            count = min(count, MOST)
            drawn = np.int64(0)
            # Every turn finds the next arc that fires, whatever the kind of node, so that the visit stands here once.
            while True:
                if kind == COUNT:
                    if drawn == count:
                        break
                    # Floyd's distinct positions: a repeated one becomes the last that this turn allows.
                    last_one = d - count + drawn
                    state += _G
                    j = np.int64(unit_of(mix(state)) * (last_one + 1))
                    for q in range(drawn):
                        if picked[q] == j:
                            j = last_one
                            break
                    picked[drawn] = j
                    drawn += 1
                elif kind == SKIP:
                    jump = np.log((np.float64(x >> _11) + 1.0) * UNIT) * scale
                    if jump >= d - 1 - j:
                        break
                    j += 1 + np.int64(jump)
                    state += _G
                    x = mix(state)
                elif kind == ALL:
                    j += 1
                    if j >= d:
                        break
                elif j + 1 < SEGMENT:
                    j += 1
                    if j >= d:
                        break
                    coin = x >> _32
                    state += _G
                    x = mix(state)
                    if coin > np.uint64(below[start + j]):
                        continue
                else:
                    if j + 1 >= segment:  # a new segment, by its largest probability
                        if j + 1 >= d:
                            break
                        segment = min(2 * (j + 1), d)
                        rate = np.uint64(below[start + j + 1]) + _1
                        scale = 0.0 if rate == ALWAYS else 1.0 / np.log1p(-np.float64(rate) / TOP)
                    jump = np.log((np.float64(x >> _11) + 1.0) * UNIT) * scale
                    state += _G
                    x = mix(state)
                    if jump >= segment - 1 - j:
                        j = segment - 1
                        continue
                    j += 1 + np.int64(jump)
                    fires = unit_of(x) * np.float64(rate) < np.float64(below[start + j]) + 1.0
                    state += _G
                    x = mix(state)
                    if not fires:
                        continue
                u = sources[start + j]
                word = np.uint64(u) >> np.uint64(6)
                bit = _1 << (np.uint64(u) & _63)
                if marks[word] & bit:
                    continue
                if stopping and stop[word] & bit:
                    hit = True
                    break
                marks[word] |= bit
                prefetch(plan, np.int64(u))
                nodes[size] = u
                size += 1
                if size - head > limit:
                    hit = True
                    break
        clear(nodes, head, size, marks)
        if hit:
            size = head
            empty += 1
        ends[row + i - first] = size
    return last - first, size, empty


# as sample_ic, but marks u2[n], one bit a walk
@njit
def sample_lt(graph_plan, roots, cut, key, first, last, marks, nodes, size, ends, row):
    """Sample RR sets of the linear threshold model.

    A walk waits for memory at every step, so WALKS of them take turns, each step asked for before it is needed. Each
    lane keeps its sets one after the other in its own row of `buffer`; they are copied in the order of sets.
    """
    plan, sources, bound = graph_plan
    cumulated, guide = roots
    stopping, stop, limit = cut
    base = mix(key ^ TAG_RR)
    full = nodes.size
    empty = 0
    width = np.int64(1024)
    buffer = np.empty((WALKS, width), np.int32)
    where = np.empty(WALK_BLOCK, np.int64)  # lane, where the set begins in its row, members (0: an empty set)
    begins = np.empty(WALK_BLOCK, np.int64)
    members = np.empty(WALK_BLOCK, np.int64)
    lanes = np.empty(WALKS, np.int64)
    top = np.empty(WALKS, np.int64)
    current = np.empty(WALKS, np.int64)
    node = np.empty(WALKS, np.int64)
    arc = np.empty(WALKS, np.int64)  # the next node is sources[arc]; -1: it is known
    states = np.empty(WALKS, np.uint64)
    for block in range(first, last, WALK_BLOCK):
        end = min(block + WALK_BLOCK, last)
        upcoming = block
        running = np.int64(0)
        for lane in range(min(WALKS, end - block)):
            top[lane] = 0
            lanes[lane] = lane
            running += 1
            states[lane] = mix(base + np.uint64(upcoming) * _G)
            node[lane] = draw_root(mix(states[lane]), plan.size, cumulated, guide)
            arc[lane] = -1
            current[lane] = upcoming - block
            begins[upcoming - block] = 0
            upcoming += 1
        while running > 0:
            for turn in range(running):
                lane = lanes[turn]
                if arc[lane] >= 0:
                    node[lane] = sources[arc[lane]]
                prefetch(plan, node[lane])
                prefetch(marks, node[lane])
            turn = np.int64(0)
            while turn < running:
                lane = lanes[turn]
                v = node[lane]
                bit = np.uint16(1 << lane)
                here = current[lane]
                over = (marks[v] & bit) != 0
                hit = False
                if not over and stopping and stop[v >> 6] & (_1 << (np.uint64(v) & _63)):
                    hit = True
                    over = True
                if not over:
                    marks[v] |= bit
                    at = top[lane]
                    if at == width:
                        wider = np.empty((WALKS, 2 * width), np.int32)
                        wider[:, :width] = buffer
                        buffer = wider
                        width *= 2
                    buffer[lane, at] = v
                    top[lane] = at + 1
                    place = plan[v].place
                    kind = place >> KIND_BITS
                    if top[lane] - begins[here] > limit:
                        hit = True
                        over = True
                    elif kind == NEVER:
                        over = True
                    else:
                        state = states[lane] + _G
                        states[lane] = state
                        coin = mix(state) >> _32
                        start = place & START
                        d = np.int64(plan[v].degree)
                        if kind == PICK:
                            arc[lane] = start + np.int64((coin * np.uint64(d)) >> _32)
                            prefetch(sources, arc[lane])
                        else:
                            coin = min(coin, FULL_U32 - _1)  # the top value of a bound stands for 2**32
                            if coin >= np.uint64(bound[start + d - 1]):
                                over = True
                            else:
                                low, high = np.int64(0), d - 1
                                while low < high:
                                    middle = (low + high) >> 1
                                    if coin < np.uint64(bound[start + middle]):
                                        high = middle
                                    else:
                                        low = middle + 1
                                arc[lane] = start + low
                                prefetch(sources, arc[lane])
                if not over:
                    turn += 1
                    continue
                for e in range(begins[here], top[lane]):
                    marks[buffer[lane, e]] &= ~bit
                if hit:
                    top[lane] = begins[here]
                where[here] = lane
                members[here] = top[lane] - begins[here]
                if upcoming < end:
                    states[lane] = mix(base + np.uint64(upcoming) * _G)
                    node[lane] = draw_root(mix(states[lane]), plan.size, cumulated, guide)
                    arc[lane] = -1
                    current[lane] = upcoming - block
                    begins[upcoming - block] = top[lane]
                    upcoming += 1
                    turn += 1
                else:
                    running -= 1
                    lanes[turn] = lanes[running]
        for here in range(end - block):
            count = members[here]
            if size + max(count, 1) > full:
                return block + here - first, size, empty
            row_of, begin = where[here], begins[here]
            for e in range(count):
                nodes[size + e] = buffer[row_of, begin + e]
            size += count
            empty += count == 0
            ends[row + block + here - first] = size
    return last - first, size, empty
