"""R of a graph and a model, which no seed set changes: predicted, measured from typical sharers, and what it means."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from .._provenance import provenance
from .._random import RNGLike, derive_key, generator, key_of
from .._upward import draw
from .._validation import number, whole
from ..graph.follower_graph import FollowerGraph, check_graph
from ..models.base import DiffusionModel
from ..models.next_generation import NextGeneration
from ..models.program import BATCH, stack_runs
from ..models.registry import model_of
from ..results.estimates import Estimate
from .growth_fit import ReachFit, fit_by_reach
from .reasons import Finding, Reason
from .runner import prepare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Phase", "Reproduction", "reproduction"]

Phase = Literal["exponential", "subcritical", "core", "undecided", "not applicable", "declining"]

MAX_DECELERATION = 0.1  # new activations that go as the ninth power of time
STRICT_DECELERATION = 0.05  # where short circles hold R far below what is predicted, as in space
FAR_BELOW = 0.85  # of log R
MIN_GENERATIONS = 3  # ratios that a claim needs
OUTBREAK = 0.01  # share of users that growth has to reach if it is to be more than that of a core
CORE = 0.9  # share of R that a core carries
CORE_USERS = 0.05  # share of users that may be called a core
FIRST_RUNS, MAX_RUNS = 2 * BATCH, 32 * BATCH
MAX_VISITS = 5 * 10**8  # visits of arcs after which no more runs are asked for
BELOW = 1e-4  # R within this of 1 is 1
UNKNOWN = float("nan")


@dataclass(frozen=True, repr=False, eq=False)
class Reproduction:
    """R of a graph and a model, and whether Share & Spread can grow exponentially on it.

    Attributes
    ----------
    predicted : float
        Spectral radius of the next-generation operator; NaN where R does not exist.
    R : Estimate
        Measured from typical sharers, before depletion; NaN where there was too little to measure.
    deceleration : Estimate
        b in log R(c) = a c**-b - k D(c), with c the reach so far and D the fall that depletion explains: 0 for
        exponential growth, 1/d for growth in d dimensions.
    phase : {"exponential", "subcritical", "core", "undecided", "not applicable"}
        ``"core"``: growth holds among a few users only, and the spread dies out among the rest.
    why : Reason
        Why: the finding with its numbers.
    cause : str
        The same as a word: ``"steady"``, ``"below one"``, ``"core"``, ``"near one"``, ``"short"``, ``"slowing"``,
        ``"unclear"``, ``"transient"``, ``"no R"``, ``"no operator"``.
    reason : str
        The same in one sentence with the numbers.
    core_share : float
        Share of all users who carry 90 % of R (by their elasticity).
    final_share : float
        Share of all users that the largest cascades from one typical sharer reach.
    by_reach : DataFrame
        One row for each doubling of reach: `reach`, `R`, `sharers`, `offspring`, `fitted`.
    runs : int
    provenance : dict

    See Also
    --------
    simulation.reproduction, simulation.Growth
    """

    predicted: float
    R: Estimate
    deceleration: Estimate
    phase: Phase
    why: Reason
    core_share: float
    final_share: float
    by_reach: pd.DataFrame
    runs: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """Why, as a word."""
        return self.why.cause

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return str(self.why)

    def to_pandas(self) -> pd.DataFrame:
        """Return the result as one row."""
        row = {"R_predicted": self.predicted, "R": self.R.value, "R_low": self.R.low, "R_high": self.R.high}
        names = ("phase", "cause", "reason", "core_share", "final_share", "runs")
        return pd.DataFrame([row | {name: getattr(self, name) for name in names}])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot R of typical sharers against the reach so far, with the fit and the predicted R."""
        return draw("reproduction", self, ax)

    def __repr__(self) -> str:
        return f"Reproduction: {self.phase}: {self.reason} ({self.runs:,} runs)"


def reproduction(
    graph: FollowerGraph,
    *,
    model: DiffusionModel | str = "ic",
    depletion: float = 0.10,
    confidence: float = 0.95,
    max_runs: int = MAX_RUNS,
    rng: RNGLike = None,
    threads: int | None = None,
) -> Reproduction:
    """Predict and measure R of a graph and a model, and say whether growth on it is exponential.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, where the model takes them.
    model : DiffusionModel or {"ic", "lt"}
    depletion : float in (0, 0.5]
        Share of what the largest cascades reach up to which a cascade counts as early.
    confidence : float in (0, 1)
        Level of every interval.
    max_runs : int
        Cascades simulated at most; 1,024 at first, more where they leave it open.
    rng : int, Generator or None
    threads : int, optional
        No result depends on it.

    Returns
    -------
    Reproduction

    Raises
    ------
    InputError
        A value out of range, or a graph without what the model needs.

    See Also
    --------
    growth, theory.reproduction_number, theory.sips_graph_radius

    Notes
    -----
    *Predicted* is the spectral radius of the next-generation operator: the mean number of new sharers that a sharer
    makes once the mix of sharers has settled (Diekmann, Heesterbeek and Metz 1990; non-backtracking where arcs are
    mutual, Karrer, Newman and Zdeborova 2014). Expected activations never exceed what the operator says, so R below 1
    means that the spread dies out: *subcritical*. R above 1 does not mean growth: circles are short in space, and the
    operator counts users again whom it has used up.

    *Measured* is what cascades do that start at one user each, drawn from the settled mix. R is new(t + 1) over new(t),
    pooled over runs and steps by the reach c so far, from the fourth activation on, until `depletion` of the final
    reach is used up, and fitted by log R(c) = log R - k D(c). D is the fall that message passing on the graph has for
    the same reach: it knows that hubs are used up first, and nothing of short circles.

    *Exponential* needs a predicted R above 1, an interval of the measured R above 1, at least three generations in the
    window, and a deceleration whose interval lies below 0.1 (below 0.05 where log R is under 85 % of what is predicted,
    since circles are short): R(c) does not fall with reach as it does in space, where log R(c) goes as c**(-1/d) in d
    dimensions. *Core*: the largest cascades end before 1 % of the users, those who carry 90 % of R are
    fewer than 5 %, and without them R lies below 1. Everything else is *undecided*, and `reason` says why. Thresholds
    and complex identification have no R: one sharer alone convinces nobody.

    How often each verdict is right, over graphs from lattices to heavy tails, stands on the page "Verdicts" of the
    documentation.

    References
    ----------
    - Diekmann, O., Heesterbeek, J. A. P. and Metz, J. A. J. (1990). On the definition and the computation of the basic
      reproduction ratio R0 in models for infectious diseases in heterogeneous populations. Journal of Mathematical
      Biology 28(4), 365-382. doi:10.1007/BF00178324
    - Karrer, B., Newman, M. E. J. and Zdeborova, L. (2014). Percolation on sparse networks.

    Examples
    --------
    >>> import numpy as np
    >>> import diffusion as dif
    >>> ends = np.random.default_rng(1).integers(0, 20_000, (2, 50_000))
    >>> g = dif.FollowerGraph.from_arrays(*ends, directed=False).with_probabilities("constant", p=0.4)
    >>> result = dif.simulation.reproduction(g, rng=7)
    >>> result.phase, round(result.predicted, 1), round(result.R.value, 1)
    ('exponential', 2.0, 2.0)
    """
    check_graph(graph)
    depletion = number(depletion, "depletion", above=0, most=0.5)
    confidence = number(confidence, "confidence", above=0, most=1 - 1e-9)
    max_runs = whole(max_runs, "max_runs", least=16)
    key = key_of(rng)
    chosen = model_of(model).in_generations()  # R is a matter of generations, not of hours
    record = provenance(
        "reproduction", key=key, model=chosen.label, graph=graph.fingerprint, depletion=depletion, confidence=confidence
    )
    operator = chosen.next_generation(graph)
    nothing = Estimate(UNKNOWN, UNKNOWN, UNKNOWN, confidence, 0)

    def without_runs(predicted: float, phase: Phase, why: Reason) -> Reproduction:
        return Reproduction(predicted, nothing, nothing, phase, why, UNKNOWN, UNKNOWN, _table(None), 0, record)

    if operator is None:
        finding = Finding.NO_OPERATOR if chosen.spreads_alone else Finding.SEVERAL_SHARERS
        return without_runs(UNKNOWN, "not applicable", Reason(finding, {"model": chosen.label}))
    predicted = operator.radius(tol=BELOW)
    if math.isinf(predicted):
        return without_runs(predicted, "undecided", Reason(Finding.ENDLESS_FEED))
    if not graph.n_nodes:
        return without_runs(0.0, "undecided", Reason(Finding.NO_USERS))
    sharers, weight = operator.settled()
    share = sharers if sharers.any() else np.full(graph.n_nodes, 1 / graph.n_nodes)
    order = np.sort(weight)[::-1].cumsum()
    core_share = float(np.searchsorted(order, CORE) + 1) / graph.n_nodes if weight.any() else UNKNOWN
    engine = prepare(graph, chosen, [], derive_key(key, "worlds"))
    draw = generator(derive_key(key, "typical"))
    counts = np.zeros((0, 1), np.int32)
    visits = 0
    depleted = None
    while True:
        runs = min(max(2 * len(counts), FIRST_RUNS), max_runs)
        users = draw.choice(graph.n_nodes, runs - len(counts), p=share).astype(np.int32)
        more = engine.run_each(users, first=len(counts), threads=threads)
        visits += more.visits
        counts = stack_runs([counts, more.new[..., 0]])
        padded = np.pad(counts, ((0, 0), (0, 1)))
        if predicted > 1 and depleted is None:
            depleted = operator.depletion(share, predicted, 2 * depletion * float(counts.sum(axis=1).max()))
        fit = fit_by_reach(padded, depletion, confidence, depleted=depleted)
        phase, why = _verdict(operator, predicted, core_share, weight, fit)
        if why.cause not in ("near one", "unclear") or runs >= max_runs or visits > MAX_VISITS:
            break
    steady = why.cause in ("steady", "unclear") or (why.cause == "near one" and not np.isnan(fit.R[0]))
    R = Estimate(*(fit.R if steady else fit.pooled), confidence, runs)
    deceleration = Estimate(*fit.deceleration, confidence, runs) if predicted > 1 else nothing
    return Reproduction(
        predicted,
        R,
        deceleration,
        phase,
        why,
        core_share,
        fit.final / graph.n_nodes,
        _table(fit),
        runs,
        record | {"runs": runs},
    )


def _table(fit: ReachFit | None) -> pd.DataFrame:
    names = ("reach", "R", "sharers", "offspring", "fitted")
    return pd.DataFrame(columns=list(names), dtype=float) if fit is None else pd.DataFrame(fit.bins)


def steady_growth(fit: ReachFit, predicted: float = UNKNOWN, **subject: str) -> Reason:
    """What a fit by reach says of exponential growth; the cause is "steady" where it holds."""
    far = predicted > 1 and np.log(fit.R[0]) < FAR_BELOW * np.log(predicted)
    most = STRICT_DECELERATION if far else MAX_DECELERATION
    numbers = {**subject, "R": fit.R, "limit": fit.limit, "generations": fit.generations, "needed": MIN_GENERATIONS}
    if np.isnan(fit.R[0]) or fit.generations < MIN_GENERATIONS:
        if fit.pooled[2] <= 1:
            return Reason(Finding.TOO_LOW, numbers | {"R": fit.pooled})
        return Reason(Finding.FEW_GENERATIONS, numbers)
    b = fit.deceleration
    if b[1] >= most:
        fitted = fit.bins["R"][fit.bins["fitted"]]
        return Reason(Finding.SLOWS_DOWN, numbers | {"start": fitted[0], "end": fitted[-1], "power": 1 / b[0] - 1})
    if fit.R[1] <= 1:
        return Reason(Finding.SPANS_ONE, numbers)
    return Reason(Finding.OPEN if b[2] >= most else Finding.STANDS_STILL, numbers)


def _verdict(
    operator: NextGeneration, predicted: float, core_share: float, weight: Any, fit: ReachFit
) -> tuple[Phase, Reason]:
    found = steady_growth(fit, predicted)
    numbers: dict[str, Any] = {"predicted": predicted}
    grows = found.cause in ("steady", "unclear", "slowing", "short") and fit.pooled[1] > 1
    if predicted < 1 - BELOW:
        if grows:
            return "undecided", Reason(Finding.SMALL_CASCADES_GROW, numbers, inner=found)
        return "subcritical", Reason(Finding.BELOW_ONE, numbers)
    if predicted <= 1 + BELOW:
        return "undecided", Reason(Finding.CRITICAL, numbers, inner=found)
    n = operator.n
    if fit.final < OUTBREAK * n and core_share < CORE_USERS:
        order = np.argsort(-weight, kind="stable")
        core = np.zeros(n, np.bool_)
        core[order[: max(round(core_share * n), 1)]] = True
        rest = operator.without(core)
        if rest < 1:
            numbers |= {"core_users": int(core.sum()), "core_share": core_share, "final": fit.final, "rest": rest}
            return "core", Reason(Finding.CORE, numbers)
    phase: Phase = "exponential" if found.cause == "steady" else "undecided"
    return phase, replace(found, numbers={**found.numbers, **numbers})
