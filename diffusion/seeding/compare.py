"""Strategies side by side: what each reaches at each budget, in the same worlds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._plots import draw
from .._progress import one_bar
from .._provenance import provenance
from .._random import RNGLike, derive_key, generator, key_of
from .._validation import whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..models.cascade import IC, LT
from ..models.registry import model_of
from ..results.estimates import Comparison
from ..simulation.simulate import check_precision
from ._worlds import Lots, evaluate
from .budget import affordable, price_values
from .heuristics import HEURISTICS, TIER_STRATEGIES, rank_seeds
from .select import METHODS, select_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StrategyComparison", "compare_strategies"]

_NAN = float("nan")
DRAWN = ("random", *TIER_STRATEGIES)
DRAWS = 16  # of those, over which they are averaged
RANKINGS = (*HEURISTICS, *TIER_STRATEGIES, "celf", "greedy")  # the seeds of a small budget are the first of a large one
COLUMNS = [
    "strategy", "budget", "n_seeds", "cost", "spread", "low", "high", "runs", "seconds", "lower", "upper", "ratio",
]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class StrategyComparison:
    """What seeding strategies reach at several budgets.

    Attributes
    ----------
    strategies : tuple of str
    budgets : tuple of int or float
    unit : {"seeds", "money"}
        What budgets are counted in.
    table : DataFrame
        One row a strategy and budget: strategy, budget, n_seeds, cost (NaN without prices), spread with its interval
        low to high, runs, seconds of choosing the seeds, and the certificate where there is one: lower, upper, ratio.
        Rankings are made once for all budgets; their rows show the seconds of that.
    seeds : dict of (strategy, budget) to tuple of labels
    comparisons : dict of budget to Comparison
        Sizes of all runs; run r is the same world for all strategies and budgets.
    confidence : float
        Level of the intervals.
    key : int
    provenance : dict
    baseline : str or None
        Strategy that `differences` are to; None: the best of each budget.
    """

    strategies: tuple[str, ...]
    budgets: tuple[float, ...]
    unit: str
    table: pd.DataFrame
    seeds: dict[tuple[str, float], tuple[Any, ...]]
    comparisons: dict[float, Comparison]
    confidence: float
    key: int
    provenance: dict[str, Any] = field(default_factory=dict)
    baseline: str | None = None

    @property
    def differences(self) -> pd.DataFrame:
        """Each strategy less the baseline, or else the best of its budget, in the same worlds, with the paired interval.

        Columns: budget, strategy, best (or baseline), difference, low, high, verdict ("best" or "baseline", "smaller",
        "larger", "undecided" where 0 is inside, "equal" where no world tells them apart). Without a baseline, which one is
        best was seen in the same worlds: of strategies that are hardly apart, the differences flatter it.
        """
        rows = []
        role = "best" if self.baseline is None else "baseline"
        for budget, found in self.comparisons.items():
            to = self.baseline or str(found.means.index[0])
            for name in found.names:
                gap = found.difference(name, to)
                verdict = "smaller" if gap.high < 0 else "larger" if gap.low > 0 else "undecided"
                if name == to:
                    verdict = role
                elif gap.value == gap.low == gap.high == 0:
                    verdict = "equal"
                rows.append((budget, name, to, gap.value, gap.low, gap.high, verdict))
        return pd.DataFrame(rows, columns=["budget", "strategy", role, "difference", "low", "high", "verdict"])

    def to_pandas(self) -> pd.DataFrame:
        """Return the table, a copy."""
        return self.table.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot spread against budget, one line a strategy, with the band of its interval."""
        return draw("strategies", self, ax)

    def __repr__(self) -> str:
        wide = self.table.pivot(index="strategy", columns="budget", values="spread").loc[list(self.strategies)]
        what = "seeds" if self.unit == "seeds" else "money"
        runs = max(found.runs for found in self.comparisons.values())
        head = (
            f"StrategyComparison: spread of {len(self.strategies)} strategies by budget ({what}), up to {runs:,} worlds"
        )
        return head + "\n" + wide.to_string(float_format="{:,.1f}".format)

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False, float_format=lambda x: f"{x:.5g}"))


@dataclass(frozen=True)
class _Chosen:
    seeds: tuple[Any, ...]
    seconds: float
    lower: float = _NAN
    upper: float = _NAN


@one_bar
def compare_strategies(
    graph: FollowerGraph,
    budgets: Iterable[float],
    *,
    strategies: Iterable[str] | None = None,
    model: DiffusionModel | str = "ic",
    prices: Any = None,
    eps: float | None = None,
    runs: int | None = None,
    baseline: str | None = None,
    rel_error: float = 0.02,
    confidence: float = 0.95,
    max_runs: int = 100_000,
    rng: RNGLike = None,
    threads: int | None = None,
) -> StrategyComparison:
    """Choose seeds by several strategies at several budgets and evaluate all of them in the same worlds.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, for IC and LT.
    budgets : iterable of int, or of float with `prices`
        Numbers of seeds, from 1; with `prices` sums of money.
    strategies : iterable of str, optional
        Methods of `select_seeds`: rankings ("random", "degree", ...), creator tiers, "celf", "greedy", "opim", "hist",
        "imm". Default: "random", "degree", "two_step_discount", "opim" for IC and LT; "random", "degree", and for
        numbers of seeds "celf", for other models. A ranking that ends before k gives fewer seeds (`n_seeds`). With money, rankings are gone down
        buying who is affordable, and "celf", "greedy" and "imm" do not serve.
    model : DiffusionModel or {"ic", "lt"}
    prices : str, mapping, Series, callable or array-like, optional
        Price of each node, see `select_seeds`; NaN for who is not for sale. With it budgets are money.
    eps : float, optional
        For "opim", "hist" and "imm", as in `select_seeds`.
    runs : int, optional
        Exactly so many worlds instead of a precision.
    baseline : str, optional
        The strategy that others are compared with; default the best of each budget.
    rel_error : float
        Stop when each paired difference to the baseline is known to this share of what the baseline reaches, or to a quarter
        of itself (half width of its interval). Means may be known less well: see their intervals.
    confidence : float in (0, 1)
        Level of all intervals.
    max_runs : int
        Stop here in any case.
    rng : int, Generator or None
    threads : int, optional
        Default: all CPUs this process may use. No number but the seconds depends on it.

    Returns
    -------
    StrategyComparison

    Raises
    ------
    InputError
        No budget or strategy, a repeated one, a baseline that is no strategy, numbers of seeds mixed with sums of money, money without prices, a budget
        with which nobody can be bought, or what `select_seeds` and `compare` refuse.
    NotFoundError
        An unknown strategy or attribute.

    Notes
    -----
    Every strategy of numbers of seeds is chosen once, for the largest: smaller numbers take the first of its seeds, so that
    no curve falls. A certificate holds for the number it was made for, the largest. Under IC and LT the prefixes of an order
    share one cascade.

    "random" and the creator tiers are drawn anew for every world, so that their intervals hold for such seeds in general;
    with money, and for models other than IC and LT, they are means over 16 draws, and the intervals are of those. `seeds`
    and `cost` are those of the first draw.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> found = compare_strategies(g, [1, 2], strategies=["degree", "opim"], runs=512, rng=7)
    >>> found.table["n_seeds"].tolist(), found.differences["verdict"].tolist()
    ([1, 1, 2, 2], ['best', 'equal', 'best', 'equal'])
    """
    check_graph(graph)
    chosen_model = model_of(model)
    check_precision(rel_error, confidence)
    runs = None if runs is None else whole(runs, "runs")
    max_runs = whole(max_runs, "max_runs")
    amounts, unit = _budgets(budgets, prices)
    names = _strategies(strategies, chosen_model, unit)
    if baseline is not None and baseline not in names:
        raise InputError(f"baseline={baseline!r} is none of the strategies compared: {', '.join(names)}")
    price = None if prices is None else price_values(graph, prices)
    if price is not None:
        cheapest = float(np.nanmin(price)) if (price == price).any() else _NAN
        if not min(amounts) >= cheapest:
            raise InputError(f"the budget {min(amounts):,.6g} buys nobody: the cheapest creator costs {cheapest:,.6g}")
    key = key_of(rng)
    by_world = price is None and isinstance(chosen_model, IC | LT)
    chosen: dict[tuple[str, float], tuple[_Chosen, ...]] = {}
    for name in names:
        drawn = [derive_key(key, "seeds", name), *(derive_key(key, "seeds", name, i) for i in range(1, DRAWS))]
        draws = [
            _ranked(graph, name, amounts, price, chosen_model, draw, threads)
            if name in RANKINGS
            else _certified(graph, name, amounts, price, chosen_model, eps, draw, threads)
            for draw in (drawn if name in DRAWN and not by_world else drawn[:1])
        ]
        chosen |= {(name, budget): tuple(one[budget] for one in draws) for budget in amounts}
    lots = {
        name: Lots(graph, name, amounts, derive_key(key, "lots", name)) for name in names if by_world and name in DRAWN
    }
    for name, own in lots.items():
        first = own.labels(0)
        chosen |= {
            (name, budget): (_Chosen(first[: int(budget)], chosen[name, budget][0].seconds),) for budget in amounts
        }
    sets = {at: [draw.seeds for draw in draws] for at, draws in chosen.items()}
    comparisons = evaluate(
        graph, chosen_model, names, amounts, sets, lots, baseline, derive_key(key, "worlds"), runs=runs,
        rel_error=rel_error, confidence=confidence, max_runs=max_runs, threads=threads,
    )  # fmt: skip
    rows = []
    for budget, compared in comparisons.items():
        means = compared.means
        for name in names:
            one = chosen[name, budget][0]
            cost = _NAN if price is None else float(price[graph.index.positions(list(one.seeds))].sum())
            rows.append(
                (
                    name, budget, len(one.seeds), cost, *(float(means[of][name]) for of in ("mean", "low", "high")),
                    compared.runs, one.seconds, one.lower, one.upper, one.lower / one.upper if one.upper > 0 else _NAN,
                )
            )  # fmt: skip
    rule = graph.probabilities
    record = provenance(
        "compare_strategies",
        key=key,
        model=chosen_model.label,
        probabilities=None if rule is None else rule.label,
        graph=graph.fingerprint,
        strategies=list(names),
        budgets=list(amounts),
        unit=unit,
        baseline=baseline,
        draws={name: "each world" if name in lots else DRAWS for name in names if name in DRAWN},
    )
    return StrategyComparison(
        names, amounts, unit, pd.DataFrame(rows, columns=COLUMNS), {at: draws[0].seeds for at, draws in chosen.items()},
        comparisons, confidence, key, record, baseline,
    )  # fmt: skip


def _budgets(given: Iterable[float], prices: Any) -> tuple[tuple[float, ...], str]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        given = [given]  # type: ignore[list-item]
    amounts: list[Any] = list(given)
    if not amounts:
        raise InputError("budgets is empty: give numbers of seeds, such as [10, 50], or sums of money with prices=")
    for amount in amounts:
        if isinstance(amount, bool) or not isinstance(amount, int | float | np.number) or not 0 <= amount < np.inf:
            raise InputError(f"the budget {amount!r} is no number of seeds and no sum of money: give a number from 0")
    whole = [isinstance(amount, int | np.integer) for amount in amounts]
    if prices is None and not all(whole):
        if any(whole):
            raise InputError(
                f"budgets mixes numbers of seeds (such as {amounts[whole.index(True)]}) with sums of money (such as "
                f"{amounts[whole.index(False)]}): give one kind in a call; with prices= all of them are money"
            )
        raise InputError(f"the budget {amounts[0]} is money: give prices= too, or whole numbers of seeds")
    if prices is None and min(amounts) < 1:
        raise InputError(f"the budget {min(amounts)} is not a number of seeds: give whole numbers from 1")
    if len(set(amounts)) < len(amounts):
        raise InputError(f"budgets names one budget twice: {', '.join(map(str, amounts))}")
    if prices is None:
        return tuple(int(amount) for amount in amounts), "seeds"
    return tuple(float(amount) for amount in amounts), "money"


def _strategies(given: Iterable[str] | None, model: DiffusionModel, unit: str) -> tuple[str, ...]:
    if given is None:
        if isinstance(model, IC | LT):
            given = ("random", "degree", "two_step_discount", "opim")
        else:
            given = ("random", "degree", "celf") if unit == "seeds" else ("random", "degree")
    names = (given,) if isinstance(given, str) else tuple(given)
    if not names:
        raise InputError(f"strategies is empty: choose among {', '.join(METHODS)}")
    for name in names:
        if not isinstance(name, str) or name not in METHODS:
            raise NotFoundError(
                f"the strategy {name!r} is unknown: choose {', '.join(METHODS)}." + did_you_mean(name, METHODS)
            )
        if unit == "money" and name in ("celf", "greedy", "imm"):
            raise InputError(f"the strategy {name!r} takes numbers of seeds, not money: use 'opim' or a ranking")
    if len(set(names)) < len(names):
        raise InputError(f"strategies names one strategy twice: {', '.join(names)}")
    return names


def _ranked(
    graph: FollowerGraph, name: str, amounts: tuple[float, ...], price: NDArray[np.float64] | None, model: DiffusionModel,
    key: int, threads: int | None,
) -> dict[float, _Chosen]:  # fmt: skip
    """Rank once, as far as the largest budget may need, and cut for each budget."""
    if name in ("celf", "greedy"):
        found = select_seeds(graph, int(max(amounts)), method=name, model=model, rng=generator(key), threads=threads)
    else:
        size = graph.n_nodes
        if name in TIER_STRATEGIES and "tier" in graph.attributes:
            size = int((graph.node_data["tier"] == name).sum())
        if price is None:
            if max(amounts) > graph.n_nodes:
                raise InputError(f"the budget {max(amounts):,} is more than the {graph.n_nodes:,} nodes of the graph")
            size = min(size, int(max(amounts)))
        found = rank_seeds(graph, size, method=name, p=_mean_probability(graph, name), rng=generator(key))
    if price is None:
        return {amount: _Chosen(found.seeds[: int(amount)], found.seconds) for amount in amounts}
    paid = price[graph.index.positions(list(found.seeds))]
    return {
        amount: _Chosen(tuple(found.seeds[at] for at in affordable(paid, amount)), found.seconds) for amount in amounts
    }


def _mean_probability(graph: FollowerGraph, name: str) -> float | None:
    """Without probabilities degree discount is single discount: nothing is passed on."""
    return 0.0 if name == "degree_discount" and graph.probabilities is None else None


def _certified(
    graph: FollowerGraph, name: str, amounts: tuple[float, ...], price: NDArray[np.float64] | None, model: DiffusionModel,
    eps: float | None, key: int, threads: int | None,
) -> dict[float, _Chosen]:  # fmt: skip
    found = {}
    if price is None:
        one = select_seeds(
            graph, int(max(amounts)), method=name, model=model, eps=eps, rng=generator(key), threads=threads
        )
        for amount in amounts:
            bounds = (one.lower, one.upper) if amount == max(amounts) else (_NAN, _NAN)
            found[amount] = _Chosen(one.seeds[: int(amount)], one.seconds, *bounds)
        return found
    sellable = None if (price == price).all() else graph.nodes[price == price].tolist()
    for amount in amounts:
        one = select_seeds(
            graph, budget=amount, prices=price, candidates=sellable, method=name, model=model, eps=eps,
            rng=generator(derive_key(key, amount)), threads=threads,
        )  # fmt: skip
        found[amount] = _Chosen(one.seeds, one.seconds, one.lower, one.upper)
    return found
