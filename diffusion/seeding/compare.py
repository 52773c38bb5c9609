"""Strategies side by side: what each reaches at each budget, in the same worlds."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._html import card, interval_table
from .._progress import one_bar
from .._random import RNGLike, derive_key, generator, key_of
from .._upward import draw
from .._validation import whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph, check_graph
from ..graph.node_weights import reach_weights
from ..models.base import DiffusionModel
from ..models.registry import model_of
from ..results.estimates import Comparison
from ..simulation.runner import prepare
from ..simulation.simulate import check_precision
from ..simulation.workers import workers_of
from .constraints import read_prices
from .problem import SelectionProblem, record, refuse_rivals
from .registry import METHODS, choose, misplaced, strategy_of
from .select import selection_key
from .selection import SeedSelection
from .strategies.base import Strategy
from .strategies.rankings import Ranking
from .worlds import Lots, Precision, evaluate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StrategyComparison", "compare_strategies"]

_NAN = float("nan")
DRAWS = 16  # of seeds that are drawn at random, over which they are averaged
COLUMNS = ["strategy", "budget", "n_seeds", "cost", "spread", "low", "high", "runs", "seconds"]
COLUMNS += ["lower", "upper", "ratio"]


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

    See Also
    --------
    compare_strategies, results.Comparison, plotting.plot_strategies
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
        """Each strategy less the baseline, or the best of its budget, in the same worlds, with the paired interval.

        Columns: budget, strategy, best (or baseline), difference, low, high, verdict ("best" or "baseline", "smaller",
        "larger", "undecided" where 0 is inside, "equal" where no world tells them apart). Without a baseline, which
        one is best was seen in the same worlds: of strategies that are hardly apart, the differences flatter it.
        """
        rows = []
        role = "best" if self.baseline is None else "baseline"
        for budget, compared in self.comparisons.items():
            to = self.baseline or str(compared.means.index[0])
            for name in compared.names:
                gap = compared.difference(name, to)
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
        runs = max(compared.runs for compared in self.comparisons.values())
        head = (
            f"StrategyComparison: spread of {len(self.strategies)} strategies by budget ({what}), up to {runs:,} worlds"
        )
        return head + "\n" + wide.to_string(float_format="{:,.1f}".format)

    def _repr_html_(self) -> str:
        head, *_ = repr(self).split("\n")
        columns = ["budget", "strategy", "spread", "low", "high", "runs"]
        tables = [interval_table(self.table[columns].sort_values("budget", kind="stable"), value="spread")]
        if len(self.strategies) > 1:
            tables.append(interval_table(self.differences, "Differences in the same worlds", value="difference"))
        return card(head, *tables)


@one_bar
def compare_strategies(
    graph: FollowerGraph,
    budgets: Iterable[float],
    *,
    strategies: Iterable[Strategy | str] | Mapping[str, Strategy | str] | None = None,
    model: DiffusionModel | str = "ic",
    prices: Any = None,
    node_weights: Any = None,
    runs: int | None = None,
    baseline: str | None = None,
    rel_error: float = 0.02,
    confidence: float = 0.95,
    max_runs: int = 100_000,
    rng: RNGLike = None,
    threads: int | None = None,
    executor: Any = None,
    **misplaced_options: Any,
) -> StrategyComparison:
    """Choose seeds by several strategies at several budgets and evaluate all of them in the same worlds.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, for IC and LT.
    budgets : iterable of int, or of float with `prices`
        Numbers of seeds, from 1; with `prices` sums of money.
    strategies : iterable of Strategy or str, or mapping of name to Strategy or str, optional
        Any that `select_seeds` takes as ``method=``; without a mapping they are called by their labels. Default:
        "random", "degree", "two_step_discount", "opim" for models with live edges; "random", "degree", and for numbers
        of seeds "celf", for others. A ranking that ends before k gives fewer seeds (`n_seeds`). With money, rankings
        are gone down buying who is affordable, and "celf", "greedy" and "imm" do not serve.
    model : DiffusionModel or {"ic", "lt"}
    prices : str, mapping, Series, callable or array-like, optional
        Price of each node, see `select_seeds`; NaN for who is not for sale. With it budgets are money.
    node_weights : optional
        Weight of reaching each node, as in `select_seeds`: spreads count it, and the strategies that can choose for it.
    runs : int, optional
        Exactly so many worlds instead of a precision.
    baseline : str, optional
        The strategy that others are compared with; default the best of each budget.
    rel_error : float
        Stop when each paired difference to the baseline is known to this share of what the baseline reaches, or to a
        quarter of itself (half width of its interval). Means may be known less well: see their intervals.
    confidence : float in (0, 1)
        Level of all intervals.
    max_runs : int
        Stop here in any case.
    rng : int, Generator or None
    threads : int, optional
        Default: all CPUs this process may use. No number but the seconds depends on it.
    executor : concurrent.futures.Executor or Dask client, optional
        Run worlds, and sample RR sets, on its workers, as `simulate` does.
    **misplaced_options
        None: parameters of a strategy belong to its object.

    Returns
    -------
    StrategyComparison

    Raises
    ------
    InputError
        No budget or strategy, a repeated one, a baseline that is no strategy, numbers of seeds mixed with sums of
        money, money without prices, a budget with which nobody can be bought, or what `select_seeds` and `compare`
        refuse.
    NotFoundError
        An unknown strategy or attribute.

    See Also
    --------
    compare, select_seeds, seeding.StrategyComparison

    Notes
    -----
    Every strategy of numbers of seeds is chosen once, for the largest: smaller numbers take the first of its seeds, so
    that no curve falls. A certificate holds for the number it was made for, the largest. Where the model allows it (IC
    and LT) the prefixes of an order share one cascade.

    "random" and the creator tiers are drawn anew for every world, so that their intervals hold for such seeds in
    general; with money, node weights, or models whose prefixes share no cascade, they are means over 16 draws, and the
    intervals are of those. `seeds` and `cost` are those of the first draw.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 0, 4], [1, 2, 3, 5], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> compared = compare_strategies(g, [1, 2], strategies=["degree", "opim"], runs=512, rng=7)
    >>> compared.table["n_seeds"].tolist(), compared.differences["verdict"].tolist()
    ([1, 1, 2, 2], ['best', 'equal', 'best', 'equal'])
    """
    check_graph(graph)
    if misplaced_options:
        keywords = list(inspect.signature(compare_strategies).parameters)[1:-1]
        raise misplaced(misplaced_options, keywords, strategy_of("opim"))
    chosen_model = model_of(model)
    refuse_rivals(chosen_model)
    check_precision(rel_error, confidence)
    runs = None if runs is None else whole(runs, "runs")
    max_runs = whole(max_runs, "max_runs")
    amounts, unit = _budgets(budgets, prices)
    by_name = _strategies(strategies, graph, chosen_model, unit)
    names = tuple(by_name)
    if baseline is not None and baseline not in names:
        raise InputError(f"baseline={baseline!r} is none of the strategies compared: {', '.join(names)}")
    price = None if prices is None else read_prices(graph, prices)
    if price is not None:
        cheapest = float(np.nanmin(price, initial=np.inf))
        if not min(amounts) >= cheapest:
            raise InputError(f"the budget {min(amounts):,.6g} buys nobody: the cheapest creator costs {cheapest:,.6g}")
    key = key_of(rng)
    weights = reach_weights(graph, node_weights)
    runner = prepare(graph, chosen_model, [], derive_key(key, "worlds"), weights)
    by_world = price is None and weights is None and runner.program.shares_prefixes
    workers = workers_of(executor)
    common = {"model": chosen_model, "prices": prices, "node_weights": node_weights, "threads": threads}
    common["executor"] = workers
    chosen: dict[tuple[str, float], list[SeedSelection]] = {}
    lots: dict[str, Lots] = {}
    for name, strategy in by_name.items():
        mine = _Chooser(graph, strategy, amounts, common)
        keys = [derive_key(key, "seeds", name), *(derive_key(key, "seeds", name, i) for i in range(1, DRAWS))]
        anew = by_world and strategy.drawn and isinstance(strategy, Ranking)
        draws = [mine(one) for one in (keys if strategy.drawn and not anew else keys[:1])]
        if anew and isinstance(strategy, Ranking):
            lots[name] = Lots(graph, strategy, amounts, derive_key(key, "lots", name))
            first = lots[name].labels(0)
            draws = [{amount: replace(one, seeds=first[: int(amount)]) for amount, one in draws[0].items()}]
        chosen |= {(name, amount): [one[amount] for one in draws] for amount in amounts}
    sets = {where: [one.seeds for one in draws] for where, draws in chosen.items()}
    precision = Precision(runs, rel_error, confidence, max_runs, None if baseline is None else names.index(baseline))
    comparisons = evaluate(runner, names, amounts, sets, lots, precision, threads=threads, workers=workers)
    rows = []
    for amount, compared in comparisons.items():
        means = compared.means
        for name in names:
            one = chosen[name, amount][0]
            cost = _NAN if price is None else float(price[graph.index.internal(list(one.seeds))].sum())
            spread = [float(means[of][name]) for of in ("mean", "low", "high")]
            bounds = [one.lower, one.upper, one.ratio]
            rows.append((name, amount, len(one.seeds), cost, *spread, compared.runs, one.seconds, *bounds))
    table = pd.DataFrame(rows, columns=COLUMNS)
    facts = {"strategies": list(names), "budgets": list(amounts), "unit": unit, "baseline": baseline}
    facts["draws"] = {name: "each world" if name in lots else DRAWS for name, one in by_name.items() if one.drawn}
    origin = record("compare_strategies", graph, chosen_model, key, **facts)
    seeds = {where: draws[0].seeds for where, draws in chosen.items()}
    return StrategyComparison(names, amounts, unit, table, seeds, comparisons, confidence, key, origin, baseline)


class _Chooser:
    """Seeds of one strategy by budget, from the key of a draw: those that `select_seeds` gives with that key."""

    def __init__(
        self, graph: FollowerGraph, strategy: Strategy, amounts: tuple[float, ...], common: dict[str, Any]
    ) -> None:
        self.graph, self.strategy, self.amounts, self.common = graph, strategy, amounts, common
        if isinstance(strategy, Ranking):  # rankings count nobody
            self.common = self.common | {"node_weights": None}
        if "executor" not in strategy.supports:
            self.common = self.common | {"executor": None}

    def _problem(self, key: int, **size: Any) -> SelectionProblem:
        key = selection_key(key_of(generator(key)))
        return SelectionProblem.of(self.graph, key=key, partial=True, **size, **self.common)

    def __call__(self, key: int) -> dict[float, SeedSelection]:
        most = max(self.amounts)
        if self.common["prices"] is None:
            one = choose(self._problem(key, k=int(most)), self.strategy)
            return {amount: self._first(one, int(amount), whole=amount == most) for amount in self.amounts}
        problems = {amount: self._problem(derive_key(key, amount), budget=amount) for amount in self.amounts}
        if isinstance(self.strategy, Ranking):
            ranked = self.strategy.rank(self._problem(key, budget=most))
            return {amount: self.strategy.cut(problem, ranked) for amount, problem in problems.items()}
        return {amount: choose(problem, self.strategy) for amount, problem in problems.items()}

    @staticmethod
    def _first(one: SeedSelection, k: int, *, whole: bool) -> SeedSelection:
        """Return the first k seeds; a certificate holds for all of them alone."""
        return one if whole else replace(one, seeds=one.seeds[:k], certificate=None)


def _budgets(asked: Iterable[float], prices: Any) -> tuple[tuple[float, ...], str]:
    if isinstance(asked, str | bytes) or not isinstance(asked, Iterable):
        asked = [asked]  # type: ignore[list-item]
    amounts: list[Any] = list(asked)
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


def _strategies(
    asked: Iterable[Strategy | str] | Mapping[str, Strategy | str] | None,
    graph: FollowerGraph,
    model: DiffusionModel,
    unit: str,
) -> dict[str, Strategy]:
    if asked is None:
        if model.live_edges(graph) is not None:
            asked = ("random", "degree", "two_step_discount", "opim")
        else:
            asked = ("random", "degree", "celf") if unit == "seeds" else ("random", "degree")
    if isinstance(asked, Mapping):
        named = [(str(name), strategy_of(one, "strategy")) for name, one in asked.items()]
    else:
        listed = [asked] if isinstance(asked, str | Strategy) else list(asked)
        named = [(one.label, one) for one in (strategy_of(one, "strategy") for one in listed)]
    if not named:
        raise InputError(f"strategies is empty: choose among {', '.join(METHODS)}")
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        raise InputError(f"strategies names one strategy twice: {', '.join(names)}")
    return dict(named)
