"""Passes over cascade trees: parent pointers, each parent before its children."""

import numpy as np

from .._numba import njit


# parent i4[size], -1 for a root, parent[i] < i  ->  root i4[size], depth i4[size], subtree i8[size]
@njit
def tree_passes(parent):
    """Root, distance from it and number of descendants (itself included) of every node of a forest."""
    size = parent.size
    root = np.empty(size, np.int32)
    depth = np.empty(size, np.int32)
    subtree = np.ones(size, np.int64)
    for i in range(size):
        if parent[i] < 0:
            root[i] = i
            depth[i] = 0
        else:
            root[i] = root[parent[i]]
            depth[i] = depth[parent[i]] + 1
    for i in range(size - 1, -1, -1):
        if parent[i] >= 0:
            subtree[parent[i]] += subtree[i]
    return root, depth, subtree


# root i4[size], subtree i8[size]  ->  f8: sum of distances over unordered pairs in one tree; f8: number of such pairs
@njit
def wiener(root, subtree):
    """Each edge above i lies on s_i (n - s_i) shortest paths, with n the size of the tree (Mohar and Pisanski 1988)."""
    total = 0.0
    pairs = 0.0
    for i in range(root.size):
        n = subtree[root[i]]
        if root[i] == i:
            pairs += n * (n - 1) / 2.0
        else:
            total += np.float64(subtree[i]) * np.float64(n - subtree[i])
    return total, pairs
