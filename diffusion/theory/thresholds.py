"""Fixed thresholds on random graphs: Watts' window, and Gleeson and Cahalane's mean size.

A node adopts once the active share of its neighbours is at least its threshold (``strict=True``: above it). Both
readings are in use, and where threshold times degree is a whole number they differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._provenance import provenance
from .._upward import draw
from .._validation import Floats, number, probability
from ..errors import DiffusionError
from ._row import Row
from .percolation import distribution_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Adoption", "WattsWindow", "cascade_condition", "gleeson_cahalane", "watts_window"]

_SLACK = 1e-9  # takes back the rounding of decimal thresholds, as Threshold.need does
_STEPS = 200_000
_SETTLED = 1e-13


def _needed(theta: float, degree: NDArray[Any], strict: bool) -> NDArray[np.int64]:
    """Active neighbours that each degree needs; never fewer than one."""
    need = np.floor(theta * degree + _SLACK) + 1 if strict else np.ceil(theta * degree - _SLACK)
    return np.asarray(np.maximum(need, 1), np.int64)


# -- one active neighbour is enough ------------------------------------------------------------------------------------


def cascade_condition(degrees: ArrayLike | float, phi: float, *, strict: bool = False) -> float:
    """Mean number of vulnerable neighbours that a vulnerable node activates: above 1 a single seed can set off a cascade.

    Parameters
    ----------
    degrees : array-like p[k], or float
        Share of nodes with degree k = 0, 1, ...; a number is the mean of a Poisson distribution.
    phi : float in (0, 1]
        Threshold share of active neighbours.
    strict : bool
        The active share has to be above phi instead of at least phi.

    Returns
    -------
    float
        Sum of k (k - 1) p[k] over vulnerable degrees, divided by <k>: those where one active neighbour is enough,
        k <= 1 / phi. 0 where no node has an edge.

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    theory.watts_window, theory.gleeson_cahalane

    Notes
    -----
    Watts (2002). For Poisson degrees it is z P(Poisson(z) <= floor(1 / phi) - 2).

    References
    ----------
    - Watts, D. J. (2002). A simple model of global cascades on random networks. PNAS 99(9), 5766-5771.
      doi:10.1073/pnas.082090499

    Examples
    --------
    >>> cascade_condition(4.0, 0.18) > 1 > cascade_condition(6.0, 0.18)
    True
    """
    p, phi = distribution_of(degrees), number(phi, "phi", above=0, most=1)
    k = np.arange(p.size)
    mean = float(k @ p)
    return float((k * (k - 1) * p)[_needed(phi, k, strict) == 1].sum() / mean) if mean > 0 else 0.0


@dataclass(frozen=True, repr=False)
class WattsWindow:
    """Mean degrees at which a single seed can set off a global cascade on a large Erdos-Renyi graph.

    Attributes
    ----------
    phi : float
        Threshold.
    low, high : float
        Ends of the open interval of mean degrees; NaN where it is empty.
    provenance : dict

    See Also
    --------
    theory.watts_window, theory.cascade_condition
    """

    phi: float
    low: float
    high: float
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is no such mean degree."""
        return math.isnan(self.low)

    def __bool__(self) -> bool:
        return not self.empty

    def __contains__(self, z: float) -> bool:
        return self.low < z < self.high

    def to_pandas(self) -> pd.DataFrame:
        """Return columns phi, low, high: one row, or none where the window is empty."""
        rows = [] if self.empty else [(self.phi, self.low, self.high)]
        return pd.DataFrame(rows, columns=["phi", "low", "high"]).astype(np.float64)

    def __repr__(self) -> str:
        found = "empty" if self.empty else f"{self.low:.5g} < z < {self.high:.5g}"
        return f"WattsWindow: phi {self.phi:g}, {found}"


def watts_window(phi: float, *, strict: bool = False) -> WattsWindow:
    """Window of mean degrees in which Watts' rule has global cascades from a single seed, on Erdos-Renyi graphs.

    Parameters
    ----------
    phi : float in (0, 1]
        Threshold share of active neighbours.
    strict : bool
        The active share has to be above phi instead of at least phi.

    Returns
    -------
    WattsWindow
        Empty, and false, where no mean degree will do: for phi above 1/4 (with `strict`, from 1/4 on).

    Raises
    ------
    InputError
        phi out of range.

    See Also
    --------
    theory.cascade_condition, theory.gleeson_cahalane, Threshold

    Notes
    -----
    Watts (2002): where `cascade_condition` is above 1. The quantity has a single maximum over z. More seeds
    widen the window: see `gleeson_cahalane`.

    References
    ----------
    - Watts, D. J. (2002). A simple model of global cascades on random networks. PNAS 99(9), 5766-5771.
      doi:10.1073/pnas.082090499

    Examples
    --------
    >>> watts_window(0.18)
    WattsWindow: phi 0.18, 1.0207 < z < 5.7647
    >>> bool(watts_window(0.26))
    False
    """
    from scipy.optimize import brentq, minimize_scalar
    from scipy.stats import poisson

    phi = number(phi, "phi", above=0, most=1)
    vulnerable = math.ceil(1 / phi - _SLACK) - 1 if strict else math.floor(1 / phi + _SLACK)  # largest degree
    record = provenance("watts_window", phi=phi, strict=strict)

    def above_one(z: float) -> float:
        return float(z * poisson.cdf(vulnerable - 2, z) - 1)

    top = float(minimize_scalar(lambda z: -above_one(z), bounds=(0, 2 * vulnerable + 10), method="bounded").x)
    if vulnerable < 2 or above_one(top) <= 0:
        return WattsWindow(phi, math.nan, math.nan, record)
    last = 2.0 * vulnerable + 50
    return WattsWindow(phi, float(brentq(above_one, 0.5, top)), float(brentq(above_one, top, last)), record)


# -- any number of seeds -----------------------------------------------------------------------------------------------


class Response:
    """Probability that a node that is no seed adopts when each neighbour is active with probability x."""

    def __init__(self, p: Floats, theta: float, strict: bool) -> None:
        k = np.arange(p.size)
        need = _needed(theta, k, strict)
        mean = float(k @ p)
        can = need <= k
        self.node = _tail(p[can], k[can], need[can])
        ends = (k > 0) & (need <= k - 1)
        self.edge = _tail((k * p)[ends] / mean, k[ends] - 1, need[ends]) if mean > 0 else lambda x: 0.0


def _tail(weight: Floats, tries: NDArray[np.int64], need: NDArray[np.int64]) -> Callable[[float], float]:
    """Weighted probability that Binomial(tries, x) is at least `need`."""
    from scipy.special import betainc

    a, b = need.astype(np.float64), (tries - need + 1).astype(np.float64)
    return lambda x: float(weight @ betainc(a, b, x))


@dataclass(frozen=True, repr=False)
class Adoption(Row):
    """Share of a large random graph that a threshold cascade reaches.

    Attributes
    ----------
    share : float
        Active nodes in the end, seeds included.
    edge_active : float
        q, the probability that a node at the end of an edge is active, regardless of the node at the other end.
    seed_share : float
    by_step : ndarray of float
        Share active at step 0, 1, ... with all nodes updated at once.
    provenance : dict

    See Also
    --------
    theory.gleeson_cahalane, theory.WattsWindow
    """

    share: float
    edge_active: float
    seed_share: float
    by_step: Floats
    provenance: dict[str, Any] = field(default_factory=dict)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the share of active nodes by step."""
        return draw("adoption", self, ax)


def gleeson_cahalane(degrees: ArrayLike | float, phi: float, r0: float, *, strict: bool = False) -> Adoption:
    """Share of a large random graph that Watts' rule reaches from a random share of seeds.

    Parameters
    ----------
    degrees : array-like p[k], or float
        Share of nodes with degree k = 0, 1, ...; a number is the mean of a Poisson distribution.
    phi : float in (0, 1]
        Threshold share of active neighbours.
    r0 : float in [0, 1]
        Share of seeds, drawn at random.
    strict : bool
        The active share has to be above phi instead of at least phi.

    Returns
    -------
    Adoption

    Raises
    ------
    InputError
        A value out of range.
    DiffusionError
        The equations did not settle, which takes parameters within rounding of a jump.

    See Also
    --------
    theory.watts_window, theory.two_communities, Threshold

    Notes
    -----
    Gleeson and Cahalane (2007), as iterated from q = r0:
    q' = r0 + (1 - r0) sum_k (k / z) p[k] P(Binomial(k - 1, q) >= need(k)), then the share with k in place of k - 1 and
    p[k] in place of k p[k] / z. Each iteration is one synchronous step (Gleeson 2008). Exact as the graph grows with
    the share of seeds held fixed; with a single seed on a finite graph see `watts_window`.

    References
    ----------
    - Gleeson, J. P. and Cahalane, D. J. (2007). Seed size strongly affects cascades on random networks. Physical Review
      E 75, 056103. doi:10.1103/PhysRevE.75.056103
    - Gleeson, J. P. (2008). Cascades on correlated and modular random networks.

    Examples
    --------
    >>> round(gleeson_cahalane(4.0, 0.18, 0.01).share, 6), round(gleeson_cahalane(10.0, 0.18, 0.01).share, 5)
    (0.980388, 0.01968)
    """
    p, phi = distribution_of(degrees), number(phi, "phi", above=0, most=1)
    r0 = probability(r0, "r0")
    q, share = settle(Response(p, phi, strict), np.array([[1.0]]), np.array([r0]))
    record = provenance("gleeson_cahalane", phi=phi, r0=r0, strict=strict, mean_degree=float(np.arange(p.size) @ p))
    return Adoption(float(share[-1, 0]), float(q[0]), r0, share[:, 0], record)


def settle(response: Response, mixing: Floats, seeds: Floats) -> tuple[Floats, Floats]:
    """Iterate from the seeds -> q at the end, and shares active by step in each community."""
    q = seeds.copy()
    steps = [seeds.copy()]
    for _ in range(_STEPS):
        seen = mixing @ q
        steps.append(seeds + (1 - seeds) * [response.node(x) for x in seen])
        new = seeds + (1 - seeds) * [response.edge(x) for x in seen]
        moved = float(np.abs(new - q).max())
        q = new
        if moved < _SETTLED:
            return q, np.stack(steps)
    raise DiffusionError(
        f"the equations still moved by {moved:.1g} after {_STEPS:,} steps: these parameters lie within rounding of a "
        "jump. Change the share of seeds or the threshold a little"
    )
