"""How well learned probabilities foretell held-out adoptions, beside trivial baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import one_bar
from .._provenance import provenance
from .._threads import n_threads
from .._upward import draw
from .._validation import Floats, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from .action_log import ActionLog, check_log
from .contacts import exposed_pairs
from .fit import FittedProbabilities
from .shrinkage import GammaPrior

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FitComparison", "compare_fits"]

LEAST = 1e-6  # probability that log loss reckons with at least, and one minus it at most
BASELINES = ("1 / in-degree", "follower's activity", "background alone")


@dataclass(frozen=True, eq=False)
class FitComparison:
    """Scores of fits on held-out adoptions.

    Attributes
    ----------
    table : DataFrame
        One row a fit, baselines last: `auc`, the probability that a user who adopted had the higher probability than
        one who did not; `log_loss` and `brier`, of predicted probabilities, lower is better; `predicted` and
        `observed`, the mean probability and the share of adoptions.
    calibration : DataFrame
        By fit and bin of predicted probability: `predicted`, `observed`, its interval `low` to `high`, `pairs`.
    pairs : int
        Exposed pairs of user and item: users with an active neighbour before they adopted, or who did not adopt.
    adoptions : int
        Pairs that adopted.
    provenance : dict

    See Also
    --------
    inference.compare_fits
    """

    table: pd.DataFrame
    calibration: pd.DataFrame
    pairs: int
    adoptions: int
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def best(self) -> pd.Series[str]:
        """Name of the best row by score."""
        lowest = {name: self.table[name].idxmin() for name in ("log_loss", "brier")}
        return pd.Series({"auc": self.table["auc"].idxmax(), **lowest})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the calibration curves; see `diffusion.plotting.plot_calibration`."""
        return draw("calibration", self, ax)

    def __repr__(self) -> str:
        text = f"FitComparison on {self.pairs:,} exposed pairs of user and item, {self.adoptions:,} of which adopted"
        return f"{text}\n{self.table.round(4).to_string()}"


@one_bar
def compare_fits(
    fits: Mapping[str, FittedProbabilities | FollowerGraph],
    test: ActionLog,
    *,
    bins: int = 10,
    threads: int | None = None,
) -> FitComparison:
    """Score fits on held-out adoptions, always beside three trivial baselines.

    Parameters
    ----------
    fits : mapping of name to FittedProbabilities or FollowerGraph
        On one graph. A graph stands for assumed probabilities. At least one fit is needed: the baselines take its log.
    test : ActionLog
        Items the fits have not seen, such as the second log of `ActionLog.split`.
    bins : int
        Of the calibration curve, with equally many pairs each.
    threads : int, optional

    Returns
    -------
    FitComparison

    Raises
    ------
    InputError
        Fits on different graphs, items that a fit was trained on, or a log without any exposed pair or with no adoption
        among them.

    See Also
    --------
    inference.fit_probabilities, inference.ActionLog.split, inference.predictive_check

    Notes
    -----
    A pair of item and user counts if a followed user was active, before the adoption or by the end of the log. Its
    probability is 1 - exp(-h c) prod (1 - p) over these, with the sum of weights for the linear threshold model; c, the
    time that the background has, begins with the first of them (see `EM`). Users who adopt are met by fewer active
    neighbours than those who never do, since their exposure ends: probabilities of all are comparable, numbers of
    neighbours are not.

    The baselines: 1 / in-degree on every arc; the share of training items that the user adopted, whoever was active; and
    the background alone, which is that activity as a rate, shrunk, over the time after the exposure: a model without any
    influence, with the clock of `EM`. A fit that is no better than the last shows when and by whom items are adopted, and
    not who influences whom. That it is better does not prove influence either: neighbours have tastes in common.

    Log loss takes probabilities below 1e-6 as 1e-6, and likewise near 1.

    Examples
    --------
    >>> import diffusion as dif
    >>> from diffusion import inference
    >>> g = dif.generate_platform(300, rng=1).with_probabilities("constant", p=0.1)
    >>> logs = inference.simulate_log(g, items=60, seeds=3, rng=1)
    >>> train, test = logs.split(0.8)
    >>> fits = {"em": inference.fit_probabilities(g, train, method=inference.EM(window=1.0)), "true": g}
    >>> inference.compare_fits(fits, test).table.index.tolist()
    ['em', 'true', '1 / in-degree', "follower's activity", 'background alone']
    """
    check_log(test)
    bins = whole(bins, "bins")
    if not isinstance(fits, Mapping) or not fits:
        raise InputError("fits is no mapping of names to fits: give one such as {'em': fit_probabilities(graph, log)}")
    learned = {name: fit for name, fit in fits.items() if isinstance(fit, FittedProbabilities)}
    if not learned:
        raise InputError("none of the fits was learned: give at least one result of fit_probabilities")
    first = next(iter(learned.values()))
    graph = first.graph
    for name, fit in fits.items():
        on = fit.graph if isinstance(fit, FittedProbabilities) else fit
        if not isinstance(on, FollowerGraph):
            raise InputError(
                f"the fit {name!r} is a {type(fit).__name__}: give a result of fit_probabilities, or a graph"
            )
        if on.csr is not graph.csr:
            raise InputError(f"the fit {name!r} is on another graph: fit all on the same one")
        if on.probabilities is None:
            raise InputError(f"the graph {name!r} has no probabilities: call with_probabilities(...) first")
        if isinstance(fit, FittedProbabilities):
            fit.check_unseen(test, name)
    count = n_threads(threads)
    test = test.on(graph)
    predictions: dict[str, Floats] = {}
    for name, fit in fits.items():
        on = fit.graph if isinstance(fit, FittedProbabilities) else fit
        assert on.probabilities is not None
        additive = isinstance(fit, FittedProbabilities) and fit.method.additive
        pairs = exposed_pairs(graph, test, on.probabilities.values.astype(np.float64), threads=count, additive=additive)
        predictions[name] = -np.expm1(pairs.log_miss)
        if isinstance(fit, FittedProbabilities) and fit.found.hazard is not None:
            predictions[name] = -np.expm1(pairs.log_miss - fit.found.hazard[pairs.node] * pairs.clock)
    if not pairs.adopted.any() or pairs.adopted.all():
        raise InputError(
            f"{int(pairs.adopted.sum()):,} of the {pairs.node.size:,} exposed pairs in the test log adopted: scores need both "
            "kinds, so give more items"
        )
    assumed = graph.with_probabilities("weighted_cascade").probabilities
    assert assumed is not None
    by_degree = exposed_pairs(graph, test, assumed.values.astype(np.float64), threads=count)
    activity = first.data.activity / first.log.n_items
    items = np.full(graph.n_nodes, float(first.log.n_items))
    usual = GammaPrior.fitted(first.data.activity.astype(np.float64), items)
    assert usual is not None  # a fit has adoptions
    hazard = (first.data.activity + usual.events) / (items + usual.exposure)
    alone = -np.expm1(-hazard[pairs.node] * pairs.clock)
    for name, values in zip(BASELINES, (-np.expm1(by_degree.log_miss), activity[pairs.node], alone), strict=True):
        predictions[name] = np.asarray(values, np.float64)
    table = pd.DataFrame({name: _scores(p, pairs.adopted) for name, p in predictions.items()}).T
    curves = {name: _calibration(p, pairs.adopted, bins) for name, p in predictions.items()}
    calibration = pd.concat(curves, names=["fit", "bin"])
    record = provenance("compare_fits", graph=graph.fingerprint, items=test.n_items, adoptions=len(test))
    return FitComparison(table, calibration, pairs.node.size, int(pairs.adopted.sum()), record)


def _scores(p: Floats, adopted: NDArray[np.bool_]) -> dict[str, float]:
    from scipy.stats import rankdata

    hits = int(adopted.sum())
    ranks = rankdata(p)
    auc = (float(ranks[adopted].sum()) - hits * (hits + 1) / 2) / (hits * (adopted.size - hits))
    safe = np.clip(p, LEAST, 1 - LEAST)
    log_loss = -float(np.where(adopted, np.log(safe), np.log1p(-safe)).mean())
    return {
        "auc": auc,
        "log_loss": log_loss,
        "brier": float(((p - adopted) ** 2).mean()),
        "predicted": float(p.mean()),
        "observed": float(adopted.mean()),
    }


def _calibration(p: Floats, adopted: NDArray[np.bool_], bins: int) -> pd.DataFrame:
    from ..results.intervals import share_bounds

    rank = np.argsort(np.argsort(p, kind="stable"), kind="stable")
    bin_of = rank * bins // p.size
    rows = []
    for i in np.unique(bin_of):
        inside = bin_of == i
        hits, size = int(adopted[inside].sum()), int(inside.sum())
        rows.append((float(p[inside].mean()), hits / size, *share_bounds(hits, size, 0.95), size))
    return pd.DataFrame(rows, columns=["predicted", "observed", "low", "high", "pairs"])
