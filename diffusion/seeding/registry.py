"""The strategies that the package knows by name, and how a problem meets one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..errors import InputError, NotFoundError, did_you_mean
from .problem import SelectionProblem
from .selection import SeedSelection
from .strategies.base import Strategy
from .strategies.centrality import CollectiveInfluence, CommunityDegree, KCore, PageRank, VoteRank
from .strategies.greedy import CELF, Greedy
from .strategies.imm import IMM
from .strategies.opim import HIST, OPIM
from .strategies.rankings import IRIE, TIERS, Degree, DegreeDiscount, Random, SingleDiscount, Tier, TwoStepDiscount

__all__ = ["METHODS", "STRATEGIES", "choose", "misplaced", "strategy_of"]

_SEARCHES = (OPIM(), HIST(), IMM(), CELF(), Greedy(), Random(), Degree(), SingleDiscount(), DegreeDiscount())
_RANKINGS = (TwoStepDiscount(), IRIE(), CollectiveInfluence(), CommunityDegree(), PageRank(), KCore(), VoteRank())
_ALL: tuple[Strategy, ...] = (*_SEARCHES, *_RANKINGS, *(Tier(tier) for tier in TIERS))
STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in _ALL}
METHODS = tuple(STRATEGIES)


def strategy_of(method: Strategy | type[Strategy] | str, what: str = "method") -> Strategy:
    """Return a strategy object from an object, from a class whose parameters have defaults, or from a name.

    Parameters
    ----------
    method : Strategy, class or str
    what : str
        What messages call it.

    Returns
    -------
    Strategy

    Raises
    ------
    NotFoundError
        An unknown name.

    See Also
    --------
    seeding.Strategy, select_seeds

    Examples
    --------
    >>> strategy_of("celf")
    CELF(runs=512)
    """
    if isinstance(method, Strategy):
        return method
    if isinstance(method, type) and issubclass(method, Strategy):
        if not method.ready():
            raise InputError(f"{method.__name__} needs its parameters: give an object, such as Tier('amateur')")
        return method()
    if not isinstance(method, str) or method not in STRATEGIES:
        raise NotFoundError(
            f"the {what} {method!r} is unknown: choose {', '.join(METHODS)}, or give a strategy object, such as "
            "dif.seeding.OPIM(eps=0.05)." + did_you_mean(method, METHODS)
        )
    return STRATEGIES[method]


def choose(problem: SelectionProblem, method: Strategy | str) -> SeedSelection:
    """Choose seeds for a problem by a strategy.

    Parameters
    ----------
    problem : SelectionProblem
    method : Strategy or str

    Returns
    -------
    SeedSelection

    Raises
    ------
    InputError
        The strategy does not support what the problem asks for, or not its model.

    See Also
    --------
    select_seeds, seeding.Strategy, seeding.SelectionProblem

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> choose(SelectionProblem.of(g, 2, key=7), "degree").seeds
    (0, 4)
    """
    strategy = strategy_of(method)
    reason = refusal(problem, strategy)
    if reason is not None:
        raise InputError(reason)
    if strategy.certified:
        _ = problem.live_edges  # an error where the model has none
    return strategy.choose(problem)


def refusal(problem: SelectionProblem, strategy: Strategy) -> str | None:
    """Why a strategy does not serve a problem; None: it does."""
    lacking = problem.asked - strategy.supports
    if "budget" in lacking:
        return (
            f"the method {strategy.name!r} takes numbers of seeds (k=), not money (budget=): use 'opim' or a "
            "ranking for money"
        )
    for option in sorted(lacking):
        names = "at_most= and at_least= are" if option == "quotas" else f"{option}= is"
        users = ", ".join(name for name, one in STRATEGIES.items() if option in one.supports)
        return f"{names} not used by the method {strategy.name!r}: use it with {users}"
    if problem.constraint.k == 0 and (strategy.certified or strategy.simulates):
        return "k=0 is not a number of seeds: give a whole number from 1"
    return None


def misplaced(options: Mapping[str, Any], keywords: list[str], strategy: Strategy) -> InputError:
    """Return the error of keywords that a function does not have: they belong to a strategy, or to nobody."""
    name, value = next(iter(options.items()))
    owners = [kind for kind in dict.fromkeys(map(type, _ALL)) if name in {f.name for f in fields(kind) if f.init}]
    if type(strategy) in owners:
        owners = [type(strategy)]
    if owners:
        where = " or ".join(kind.__name__ for kind in owners)
        return InputError(f"{name}= belongs to {where}: method=dif.seeding.{owners[0].__name__}({name}={value!r})")
    parameters = {f.name for one in _ALL for f in fields(one) if f.init}
    near = did_you_mean(name, [*keywords, *sorted(parameters)])
    return InputError(f"{name}= is no keyword here: it takes {', '.join(f'{one}=' for one in keywords)}.{near}")
