"""Reference graphs on which closed forms and published results are known: rings, small worlds, two communities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._random import RNGLike, derive_key, key_of
from .._validation import number, probability, whole
from ..errors import InputError
from .follower_graph import FollowerGraph
from .generate import ArcDraws, check_memory, empty_arc_set, graph_of_arcs

__all__ = ["generate_ring_lattice", "generate_two_communities", "generate_watts_strogatz"]


def generate_ring_lattice(n: int, k: int = 4) -> FollowerGraph:
    """Generate an undirected ring on which every node is joined to the k nearest ones.

    Parameters
    ----------
    n : int
        Number of nodes, labelled 0, 1, ... around the ring.
    k : int
        Neighbours of every node: even, from 2 to n - 1.

    Returns
    -------
    FollowerGraph
        Undirected: one arc each way for every edge.

    Raises
    ------
    InputError
        A parameter out of range.

    See Also
    --------
    graph.generate_watts_strogatz, graph.generate_two_communities

    Examples
    --------
    >>> g = generate_ring_lattice(10, 4)
    >>> g.n_edges, set(g.out_degree)
    (40, {4})
    """
    return generate_watts_strogatz(n, k, 0.0)


def generate_watts_strogatz(n: int, k: int = 4, rewire: float = 0.1, *, rng: RNGLike = None) -> FollowerGraph:
    """Generate the undirected small world of Watts and Strogatz (1998).

    Parameters
    ----------
    n : int
        Number of nodes, labelled 0, 1, ... around the ring.
    k : int
        Mean degree: even, from 2 to n - 1.
    rewire : float in [0, 1]
        Probability that an edge of the ring lattice keeps only its first end and draws another second one, uniformly
        from the nodes the first end is not yet joined to.
    rng : int, Generator or None

    Returns
    -------
    FollowerGraph
        Undirected, with n k / 2 edges (n k arcs).

    Raises
    ------
    InputError
        A parameter out of range.

    See Also
    --------
    graph.generate_ring_lattice, graph.generate_chung_lu

    References
    ----------
    - Watts, D. J. and Strogatz, S. H. (1998). Collective dynamics of 'small-world' networks. Nature 393, 440-442.
      doi:10.1038/30918

    Examples
    --------
    >>> generate_watts_strogatz(100, 6, 0.2, rng=7).n_edges
    600
    """
    from ..kernels.sampling import small_world

    whole(n, "n", least=3)
    whole(k, "k", least=2)
    if k % 2 or k > n - 1:
        raise InputError(f"k={k} is out of range: give an even number of neighbours from 2 to n - 1 = {n - 1}")
    probability(rewire, "rewire")
    check_memory(n, k)
    source, target = np.empty((2, n * k // 2), np.int32)
    table = empty_arc_set(source.size)
    small_world(np.uint64(key_of(rng)), n, k // 2, float(rewire), table, source, target)
    return _undirected(n, source, target)


def generate_two_communities(
    n: int, mean_degree: float = 20.0, mixing: float = 0.2, *, rng: RNGLike = None
) -> FollowerGraph:
    """Generate two equal communities of random undirected edges, as in Nematzadeh et al. (2014).

    Parameters
    ----------
    n : int
        Number of nodes, even, labelled 0, 1, ...; the first half is community 0, the second half community 1.
    mean_degree : float
        Mean number of neighbours; at most half of the most that `mixing` allows.
    mixing : float in [0, 1]
        Share of edges between the communities (mu), exact up to rounding.
    rng : int, Generator or None

    Returns
    -------
    FollowerGraph
        Undirected, with the node attribute ``community``.

    Raises
    ------
    InputError
        A parameter out of range.

    See Also
    --------
    theory.two_communities, generate_platform, rewire_mixing

    Notes
    -----
    round(n mean_degree / 2) distinct edges: a share 1 - mixing of them uniform over the pairs inside, the rest over the
    pairs between. Degrees are Poisson for large n (Nematzadeh, Ferrara, Flammini and Ahn 2014).

    References
    ----------
    - Nematzadeh, A., Ferrara, E., Flammini, A. and Ahn, Y.-Y. (2014). Optimal network modularity for information
      diffusion. Physical Review Letters 113, 088701. doi:10.1103/PhysRevLett.113.088701

    Examples
    --------
    >>> g = generate_two_communities(1000, 10, 0.3, rng=7)
    >>> g.n_edges, g.node_data["community"].value_counts().tolist()
    (10000, [500, 500])
    """
    whole(n, "n", least=4)
    if n % 2:
        raise InputError(f"n={n} is odd: two equal communities need an even number of nodes")
    number(mean_degree, "mean_degree", above=0)
    probability(mixing, "mixing")
    check_memory(n, mean_degree)
    half = n // 2
    community = np.repeat([0, 1], half)
    edges = round(n * mean_degree / 2)
    between = round(edges * mixing)
    for count, pairs, where in ((edges - between, half * (half - 1), "inside"), (between, half * half, "between")):
        if count > pairs / 2:
            raise InputError(
                f"mean_degree={mean_degree!r} with mixing={mixing!r} asks for {count:,} edges {where} the communities, "
                f"which have {pairs:,} pairs of nodes: ask for at most half of them, with a smaller mean_degree"
            )
    arcs = ArcDraws(n, 2 * edges, derive_key(key_of(rng), "arcs"), community)
    flat: NDArray[np.float64] = np.ones(n)
    arcs.draw(edges - between, flat, flat, inside=True, mutual=True)
    arcs.draw(between, flat, flat, inside=False, mutual=True)
    return arcs.graph(directed=False).with_node_data(community=community)


def _undirected(n: int, source: NDArray[np.int32], target: NDArray[np.int32]) -> FollowerGraph:
    return graph_of_arcs(n, np.concatenate([source, target]), np.concatenate([target, source]), directed=False)
