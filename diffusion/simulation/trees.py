"""Shape of cascades: size, depth, breadth and structural virality."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from ..kernels.trees import tree_passes, wiener
from ..results.cascade import Cascade

__all__ = ["cascade_statistics", "structural_virality", "tree_statistics"]


def _passes(cascade: Cascade) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Root, distance from it and size of the subtree of every node."""
    if not isinstance(cascade, Cascade):
        raise InputError(
            f"{type(cascade).__name__} is not a cascade: give one from Ensemble.replay, independent_cascade or "
            "Cascade.from_parents"
        )
    parent = np.array(cascade.parent, np.int32)  # a copy, so that the kernels see one type only
    if (parent >= np.arange(parent.size)).any():
        at = int((parent >= np.arange(parent.size)).argmax())
        raise InputError(f"node {at} of the cascade comes before its parent: build it with Cascade.from_parents")
    root, depth, subtree = tree_passes(parent)
    return root, depth, subtree


def _wiener(root: NDArray[np.int32], subtree: NDArray[np.int64]) -> tuple[int, float]:
    """Wiener index and mean distance over the pairs that lie in one tree."""
    total, pairs = wiener(root, subtree)
    return int(total), total / pairs if pairs else float("nan")


def structural_virality(cascade: Cascade) -> float:
    """Mean distance between the nodes of a cascade: small for one big broadcast, large for a long chain of shares.

    Parameters
    ----------
    cascade : Cascade

    Returns
    -------
    float
        Mean over all pairs of nodes; with several roots, over all pairs that lie in one tree. NaN without such a pair.

    See Also
    --------
    simulation.cascade_statistics, simulation.tree_statistics

    Notes
    -----
    Goel, Anderson, Hofman and Watts (2016), computed in one pass: each edge lies on s (n - s) of the shortest paths in
    its tree of n nodes, with s the nodes below it (Mohar and Pisanski 1988). It tends to grow with size, so compare
    cascades of matched size (Juul and Ugander 2021).

    References
    ----------
    - Goel, S., Anderson, A., Hofman, J. and Watts, D. J. (2016). The structural virality of online diffusion.
      Management Science 62(1), 180-196. doi:10.1287/mnsc.2015.2158
    - Mohar, B. and Pisanski, T. (1988). How to compute the Wiener index of a graph. Journal of Mathematical Chemistry
      2, 267-277.
    - Juul, J. L. and Ugander, J. (2021). Comparing information diffusion mechanisms by matching on cascade size. PNAS
      118(46). doi:10.1073/pnas.2100786118

    Examples
    --------
    >>> from diffusion.results import Cascade
    >>> structural_virality(Cascade.from_parents(range(10), [None] + [0] * 9))
    1.8
    """
    root, _, subtree = _passes(cascade)
    return _wiener(root, subtree)[1]


def cascade_statistics(cascades: Cascade | Iterable[Cascade]) -> pd.DataFrame:
    """Describe cascades, one row each.

    Parameters
    ----------
    cascades : Cascade or iterable of Cascade

    Returns
    -------
    DataFrame
        `size`; `n_roots`; `depth`, the largest distance to a root; `max_breadth`, the most nodes at one distance, and
        `max_breadth_at`, the first distance with so many; `structural_virality`; `wiener_index`, the sum of distances
        over unordered pairs in one tree. Distances count edges to the root, which for simulated cascades without noise
        are steps; an observed cascade may have other steps.

    See Also
    --------
    structural_virality, simulation.tree_statistics

    Examples
    --------
    >>> from diffusion.results import Cascade
    >>> cascade_statistics(Cascade.from_parents("abcd", [None, "a", "a", "b"]))[["size", "depth", "max_breadth"]]
       size  depth  max_breadth
    0     4      2            2
    """
    if isinstance(cascades, Cascade):
        cascades = [cascades]
    elif isinstance(cascades, str | bytes) or not isinstance(cascades, Iterable):
        raise InputError(f"{type(cascades).__name__} is no cascade and no list of cascades")
    rows: list[dict[str, Any]] = []
    for cascade in cascades:
        root, depth, subtree = _passes(cascade)
        breadth = np.bincount(depth) if depth.size else np.zeros(1, np.int64)
        index, virality = _wiener(root, subtree)
        rows.append(
            {
                "size": depth.size,
                "n_roots": int((cascade.parent < 0).sum()),
                "depth": breadth.size - 1,
                "max_breadth": int(breadth.max()),
                "max_breadth_at": int(breadth.argmax()),
                "structural_virality": virality,
                "wiener_index": index,
            }
        )
    columns = ["size", "n_roots", "depth", "max_breadth", "max_breadth_at", "structural_virality", "wiener_index"]
    return pd.DataFrame(rows, columns=columns)


def tree_statistics(cascade: Cascade) -> pd.DataFrame:
    """Describe the tree under each root of a cascade.

    Parameters
    ----------
    cascade : Cascade

    Returns
    -------
    DataFrame
        One row a root, in the order of the cascade: `root` (its label), `size`, `depth`, `max_breadth`,
        `structural_virality` (NaN for a root alone).

    See Also
    --------
    structural_virality, simulation.cascade_statistics

    Examples
    --------
    >>> from diffusion.results import Cascade
    >>> tree_statistics(Cascade.from_parents("abcd", [None, None, "a", "a"]))["size"].tolist()
    [3, 1]
    """
    root, depth, subtree = _passes(cascade)
    roots = np.flatnonzero(np.asarray(cascade.parent) < 0)
    tree = np.searchsorted(roots, root)
    size = subtree[roots]
    above = size[tree] - subtree  # 0 for a root, so it adds nothing to the Wiener index of its tree
    index = np.bincount(tree, weights=subtree.astype(np.float64) * above, minlength=roots.size)
    levels = int(depth.max(initial=0)) + 1
    level, breadth = np.unique(tree.astype(np.int64) * levels + depth, return_counts=True)
    height = np.zeros(roots.size, np.int64)
    widest = np.zeros(roots.size, np.int64)
    np.maximum.at(height, tree, depth)
    np.maximum.at(widest, level // levels, breadth)
    pairs = size * (size - 1) / 2
    return pd.DataFrame(
        {
            "root": cascade.nodes.take(roots),
            "size": size,
            "depth": height,
            "max_breadth": widest,
            "structural_virality": np.divide(index, pairs, out=np.full(roots.size, np.nan), where=pairs > 0),
        }
    )
