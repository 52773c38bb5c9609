"""Creator tiers and prices from follower counts.

The thresholds and prices are third-party market figures for Xiaohongshu (priors, not facts); every one can be replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._validation import is_number
from ..errors import InputError, did_you_mean
from .follower_graph import check_graph

if TYPE_CHECKING:
    from .follower_graph import FollowerGraph

__all__ = ["PRICES", "THRESHOLDS", "TIERS", "TIER_SHARES", "with_creator_tiers"]

TIERS = ("amateur", "tail", "waist", "head")
# Fewest followers of a tier on the platform itself.
THRESHOLDS: Mapping[str, int] = {"tail": 10_000, "waist": 50_000, "head": 500_000}
# Largest share of users, by followers, that belongs to a tier or a higher one, for graphs smaller than the platform.
TIER_SHARES: Mapping[str, float] = {"tail": 0.10, "waist": 0.01, "head": 0.001}
# Price of one note in RMB at the lower and upper end of a tier.
PRICES: Mapping[str, tuple[float, float]] = {
    "amateur": (200.0, 800.0),
    "tail": (1_000.0, 5_000.0),
    "waist": (5_000.0, 30_000.0),
    "head": (30_000.0, 200_000.0),
}


def with_creator_tiers(
    graph: FollowerGraph,
    *,
    thresholds: Mapping[str, float] | None = None,
    shares: Mapping[str, float] | None = None,
    prices: Mapping[str, tuple[float, float]] | None = None,
) -> FollowerGraph:
    """Return the graph with the node attributes ``tier`` and ``price`` (RMB a note), from follower counts.

    Parameters
    ----------
    graph : FollowerGraph
    thresholds : mapping of tier to fewest followers, optional
        Absolute limits for ``tail``, ``waist`` and ``head``; `THRESHOLDS` holds those of the platform.
    shares : mapping of tier to share of users, optional
        Limits by quantile instead: the share of users in this tier or above. The default, `TIER_SHARES`, since most
        graphs are far smaller than the platform.
    prices : mapping of tier to (lowest, highest), optional
        In RMB; within a tier the price grows with the logarithm of followers, from the lowest follower count of the
        tier to the highest.

    Returns
    -------
    FollowerGraph

    Raises
    ------
    InputError
        Both `thresholds` and `shares`, an unknown tier, or a number out of range.

    See Also
    --------
    generate_platform, seeding.fit_prices

    Notes
    -----
    Users tied in followers fall into the same tier; where a tie crosses a limit they go to the lower tier.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.graph.generate_chung_lu(2000, 10, rng=7)
    >>> g = dif.graph.with_creator_tiers(g, shares={"tail": 0.2, "waist": 0.05, "head": 0.01})
    >>> g.node_data["tier"].value_counts()["head"].item() <= 20
    True
    """
    check_graph(graph)
    if thresholds is not None and shares is not None:
        raise InputError("give thresholds= or shares=, not both: they are two ways to say where a tier begins")
    prices = {**PRICES, **(prices or {})}
    for tier, pair in prices.items():
        if tier not in TIERS:
            raise InputError(
                f"the tier {tier!r} is unknown: prices are for {', '.join(TIERS)}." + did_you_mean(tier, TIERS)
            )
        if not (
            isinstance(pair, Sequence) and len(pair) == 2 and all(map(is_number, pair)) and 0 <= pair[0] <= pair[1]
        ):
            raise InputError(f"the prices of {tier} are {pair!r}: give two numbers from 0, the smaller first")
    for tier, limit in (thresholds or {}).items():
        if not is_number(limit):
            raise InputError(f"the threshold of {tier} is {limit!r}: give the fewest followers of this tier, a number")
    followers = graph.out_degree.to_numpy()
    limits = dict(thresholds) if thresholds is not None else _limits(followers, shares or TIER_SHARES)
    unknown = set(limits) - set(TIERS[1:])
    if unknown:
        name = min(map(str, unknown))
        raise InputError(
            f"the tier {name!r} is unknown: limits are for {', '.join(TIERS[1:])}." + did_you_mean(name, TIERS[1:])
        )
    level = np.zeros(graph.n_nodes, np.int64)
    for rank, tier in enumerate(TIERS[1:], start=1):
        if tier in limits:
            level[followers >= limits[tier]] = rank
    price = np.empty(graph.n_nodes)
    for rank, tier in enumerate(TIERS):
        price[level == rank] = _price(followers[level == rank], *prices[tier])
    tiers = pd.Categorical([TIERS[i] for i in level], categories=list(TIERS), ordered=True)
    return graph.with_node_data(tier=tiers, price=price)


def _limits(followers: NDArray[Any], shares: Mapping[str, float]) -> dict[str, float]:
    descending = np.sort(followers)[::-1]
    limits: dict[str, float] = {}
    for tier, share in shares.items():
        if not (is_number(share) and 0 < share < 1):
            raise InputError(f"the share of {tier} is {share!r}: give a number between 0 and 1")
        count = int(share * followers.size)
        # Strictly more followers than the first user beyond the share: ties at the limit stay below.
        limits[tier] = float(descending[count]) + 1 if count < followers.size else 0.0
    return limits


def _price(followers: NDArray[Any], low: float, high: float) -> NDArray[np.float64]:
    if followers.size == 0:
        return np.empty(0)
    size = np.log1p(followers)
    span = size.max() - size.min()
    place = (size - size.min()) / span if span > 0 else np.full(size.shape, 0.5)
    return np.round(low * (high / low) ** place if low > 0 else low + (high - low) * place, 2)
