"""All prefixes of one seed order in the same worlds, at the cost of one cascade from all of them.

Under the independent cascade and linear thresholds a world is a graph of live arcs: what is active after more seeds
holds what was active before. So seeds come one after the other, the cascade goes on where it stopped, and what is new
is counted.
"""

import numpy as np

from .._numba import njit
from .cascade import next_step
from .coins import WORDS
from .lanes import PLANES, apply_activations, clear_node, new_scan, read_counters, wait_in_all


# order i4[k, 1] of seeds, or i4[k, n_lanes] where each run has its own (-1: none), ends i8[] of prefixes, rising
#   ->  active nodes that each prefix adds to the one before it, i4[ends, 64 * words]
@njit
def prefix_batch(arcs, order, ends, block, lanes):
    """Independent cascade or linear threshold from every prefix of a seed order, in all runs of a block."""
    words = block.words
    frontier, following, touched = lanes.queues[0], lanes.queues[1], lanes.queues[2]
    scan = new_scan(arcs, block)
    planes = np.zeros(PLANES * WORDS, np.uint64)
    counts = np.zeros((ends.size, words * 64), np.int32)
    n_touched = np.int64(0)
    begin = np.int64(0)
    for r in range(ends.size):
        size = np.int64(0)
        for k in range(begin, ends[r]):
            for column in range(order.shape[1]):  # a seed is new in the lanes that have not reached it
                if order[k, column] < 0:
                    continue
                wait_in_all(scan, order[k, column], block)
                if order.shape[1] > 1:
                    scan.lanes[0] = column
                size, n_touched = apply_activations(scan, 1, lanes, frontier, size, touched, n_touched, words)
        begin = ends[r]
        while size > 0:
            size, n_touched, _ = next_step(
                arcs, block, scan, lanes, planes, frontier, size, following, touched, n_touched
            )
            frontier, following = following, frontier
        read_counters(planes, counts[r], words)
    for i in range(n_touched):
        clear_node(np.int64(touched[i]), lanes, words)
    return counts
