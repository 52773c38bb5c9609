"""R of SIPS on a given graph: the spectral radius over follows and feed, before anything is simulated."""

from __future__ import annotations

from .._validation import number
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_static
from ..models.sips.model import SIPS

__all__ = ["sips_graph_radius"]


def sips_graph_radius(graph: FollowerGraph, model: SIPS, *, tol: float = 1e-6, max_iter: int = 5000) -> float:
    """R of SIPS on this very graph: mean sharers that a sharer makes, after the mix of sharers has settled.

    The next-generation operator acts on arcs (a sharer who has the note along u -> v) and on users (a sharer who has it
    from the feed). A sharer v makes a rho new ones of each follower but the one it has the note from, and m_v rho among
    those whom the feed shows the note, a share h of them in its own community.

    Parameters
    ----------
    graph : FollowerGraph
        With the node attribute ``community`` where the feed has ``own`` above 0, and with probabilities where the
        model's attention is None.
    model : SIPS
        With simple identification.
    tol : float
        Relative width of the bounds between which R lies (Collatz 1942, Wielandt 1950).
    max_iter : int
        Applications of the operator at most.

    Returns
    -------
    float
        R > 1 predicts growth while few users have been exposed. Infinite where the feed explodes on its own.

    Raises
    ------
    InputError
        Complex identification, whose growth has no R, or a graph without what the model needs.
    DiffusionError
        The bounds did not close.

    See Also
    --------
    theory.sips_reproduction_number, simulation.reproduction

    Notes
    -----
    With engagement the feed shows a note of v to m_v = (m0 + g c a k_v) / (1 - g c) users, k_v its followers. Latents
    drawn once make the follower who brought the note unavailable, as in Karrer, Newman and Zdeborova (2014); with
    `redraw` it could be reached but has shared already.

    References
    ----------
    - Collatz, L. (1942). Einschliessungssatz fuer die charakteristischen Zahlen von Matrizen. Mathematische Zeitschrift
      48, 221-226. doi:10.1007/BF01180013
    - Wielandt, H. (1950). Unzerlegbare, nicht negative Matrizen. Mathematische Zeitschrift 52, 642-648.
      doi:10.1007/BF02230720
    - Karrer, B., Newman, M. E. J. and Zdeborova, L. (2014). Percolation on sparse networks.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
    >>> round(sips_graph_radius(g, dif.SIPS(0.5, dif.models.Funnel(share=0.4), dif.models.Feed(impressions=1.5))), 6)  # a rho + m rho
    0.8
    """
    check_static(graph)
    found = model.next_generation(graph)
    if found is None:
        raise InputError("complex identification has no reproduction number: one sharer alone convinces nobody")
    return found.radius(tol=number(tol, "tol", above=0), max_iter=max_iter)
