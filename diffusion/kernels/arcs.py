"""Groups of kernel arguments: named tuples of arrays and scalars, so that a call fits a line.

Each field has one type always (see the package's docstring), or kernels would compile once more for another.
"""

from typing import NamedTuple

import numpy as np


class Arcs(NamedTuple):
    """Arcs out of every node, and the coins U for which each is live: ``lo <= U < hi`` if linear, else ``U < p``."""

    indptr: np.ndarray  # i8[n + 1]
    indices: np.ndarray  # i4[m], targets
    p: np.ndarray  # f4[m] or f4[1]; SIPS: attention
    lo: np.ndarray  # u4[m], or of one entry where not linear
    hi: np.ndarray  # u4[m], or of one entry where not linear
    linear: bool  # linear threshold: U belongs to the target, otherwise to the arc


class OutArcs(NamedTuple):
    """Arcs out of every node."""

    indptr: np.ndarray  # i8[n + 1]
    indices: np.ndarray  # i4[m], targets


class InArcs(NamedTuple):
    """The same arcs grouped by target."""

    indptr: np.ndarray  # i8[n + 1]
    sources: np.ndarray  # i4[m]
    arc: np.ndarray  # i8[m]: positions among the out-arcs


class Start(NamedTuple):
    """Seeds, and the only run of each; `run_of` is empty where every run has all seeds."""

    seeds: np.ndarray  # i4[]
    run_of: np.ndarray  # i8[]


class Block(NamedTuple):
    """Runs of one call: the first `n_lanes` lanes of `words` words from `first_word` on, in one batch of a key."""

    key: np.uint64
    batch: int
    first_word: int
    words: int
    n_lanes: int


class Weighing(NamedTuple):
    """Node weights and their sums over the active nodes of each run, which are added to; both empty: no weights."""

    weights: np.ndarray  # f8[n]
    sums: np.ndarray  # f8[64 * words]
