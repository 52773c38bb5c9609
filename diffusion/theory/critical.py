"""Where along one factor R crosses 1, on a given graph and before anything is simulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .._validation import Floats, number
from ..errors import EndlessFeedError, InputError
from ..graph.follower_graph import FollowerGraph, check_static
from ..models.base import DiffusionModel
from ..models.registry import model_of

__all__ = ["CriticalValue", "critical_value"]

FAR = 5.0  # |log R| beyond which only the sign counts: R = 0 and an endless feed have no logarithm
SHARPER = 0.1  # of the tolerance of the value, for R: R may change more slowly than the factor


@dataclass(frozen=True)
class CriticalValue:
    """Where along one factor R crosses 1.

    Attributes
    ----------
    value : float
        Value of the factor at which R is 1; NaN where it does not cross 1 on the range.
    low, high : float
        The range.
    R_low, R_high : float
        R at its ends; infinite where the feed is endless.
    evaluations : int
        How often R was computed.

    See Also
    --------
    theory.critical_value
    """

    value: float
    low: float
    high: float
    R_low: float
    R_high: float
    evaluations: int

    @property
    def reachable(self) -> bool:
        """Whether R crosses 1 on the range; where it does not, `R_low` and `R_high` lie on one side of 1."""
        return not math.isnan(self.value)


def critical_value(
    graph: FollowerGraph,
    make_model: Callable[[float], DiffusionModel],
    values: Sequence[float],
    *,
    tol: float = 1e-3,
) -> CriticalValue:
    """Find the value of one factor of a model at which R on a graph, the predicted one, is 1.

    Parameters
    ----------
    graph : FollowerGraph
        With what the models need: probabilities, communities.
    make_model : callable
        From a value of the factor to the model with it. R has to rise, or fall, throughout.
    values : (low, high)
        Range of the factor.
    tol : float
        Accuracy of the value: relative where the range lies above 0, otherwise as a share of the range.

    Returns
    -------
    CriticalValue

    Raises
    ------
    InputError
        The range is no range, a model on it is refused (an endless feed is not: its R is infinite), or the model has no R
        because one sharer alone convinces nobody.
    DiffusionError
        R did not settle.

    See Also
    --------
    simulation.reproduction, theory.reproduction_number, theory.sips_graph_radius

    Notes
    -----
    Brent's method on log R against the logarithm of the factor, where R is often close to a power. Every R starts from
    the settled state of the one before, so that all but the first take a few rounds.

    References
    ----------
    - Brent, R. P. (1973). Algorithms for Minimization without Derivatives. Prentice-Hall.

    Examples
    --------
    >>> import diffusion as dif
    >>> ring = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 0], edges_mean="influences", directed=True)
    >>> def noted(impressions):  # a rho + m rho = .2 + .4 m
    ...     return dif.SIPS(0.5, dif.models.Funnel(share=0.4), dif.models.Feed(impressions=impressions))
    >>> found = critical_value(ring, noted, (0, 10))
    >>> round(found.value, 2), found.reachable, critical_value(ring, noted, (0, 1)).reachable
    (2.0, True, False)
    """
    from scipy.optimize import brentq

    check_static(graph)
    tol = number(tol, "tol", above=0, most=0.5)
    low, high = _range(values)
    logarithmic = low > 0
    state: Floats | None = None
    found: dict[float, float] = {}  # R by place

    def value_at(place: float) -> float:
        return min(max(math.exp(place), low), high) if logarithmic else place

    def log_R(place: float) -> float:
        nonlocal state
        if place not in found:
            found[place], state = _R(graph, make_model, value_at(place), tol * SHARPER, state)
        R = found[place]
        return min(max(math.log(R), -FAR), FAR) if R > 0 else -FAR

    first, last = (math.log(low), math.log(high)) if logarithmic else (low, high)
    at_ends = log_R(first), log_R(last)
    value = math.nan
    if min(at_ends) <= 0 <= max(at_ends):
        width = tol if logarithmic else tol * (high - low)
        value = value_at(float(brentq(log_R, first, last, xtol=width / 2)))
    return CriticalValue(value, low, high, found[first], found[last], len(found))


def _range(values: Sequence[float]) -> tuple[float, float]:
    try:
        given = list(values)
    except TypeError:
        given = []
    if len(given) != 2:
        raise InputError(f"values={values!r} is not a range: give two numbers, (low, high)")
    low, high = (number(value, f"values[{i}]") for i, value in enumerate(given))
    if not low < high:
        raise InputError(f"values={values!r} is not a range: give the lower number first, (low, high)")
    return low, high


def _R(
    graph: FollowerGraph, make_model: Callable[[float], DiffusionModel], value: float, tol: float, state: Floats | None
) -> tuple[float, Floats | None]:
    """R at a value of the factor, and the state to start the next one from."""
    try:
        model = model_of(make_model(value)).in_generations()
    except EndlessFeedError:
        return math.inf, state
    operator = model.next_generation(graph)
    if operator is None:
        raise InputError(f"{model.label} has no R, which could cross 1: one sharer alone convinces nobody")
    R, after = operator.leading(tol=tol, start=state)
    return R, state if after is None else after
