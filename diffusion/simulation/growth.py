"""Is reach exponential? R of graph and model, R of this campaign step by step, and a claim that can fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._html import card, interval_table
from .._provenance import provenance
from .._random import RNGLike, derive_key, generator, key_of
from .._upward import draw
from .._validation import Floats, number, whole
from ..errors import InputError
from ..graph.follower_graph import FollowerGraph
from ..models.base import DiffusionModel
from ..models.registry import model_of
from ..results.ensemble import Ensemble
from ..results.estimates import Estimate
from .growth_fit import fit_by_reach, inactive_share, leading, pooled_ratio, ratios_by_step
from .phase import MAX_DECELERATION, Phase, Reproduction, reproduction, steady_growth
from .reasons import Finding, Reason, interval_text
from .runner import prepare, seed_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Growth", "forecast", "growth", "growth_of_counts", "growth_on_graph"]

MIN_RUNS = 10  # below this nothing is said of the spread between runs
FORECAST_STEPS = 60
UNKNOWN = float("nan")


@dataclass(frozen=True, repr=False, eq=False)
class Growth:
    """What graph and model allow, and what this campaign did.

    Attributes
    ----------
    R : Estimate
        R of the graph and the model, measured from typical sharers before depletion (see `reproduction`): the same
        whatever the seeds. From counts alone: R of what was counted.
    R_predicted : float
        R of the graph and the model as theory has it; NaN from counts alone, and where R does not exist.
    rate : Estimate
        Growth rate per step, log R.
    doubling_time : Estimate
        Steps until new activations double, log 2 / rate. Infinite where the rate is not above 0, so `high` is infinite
        whenever ``rate.low <= 0``; NaN where growth is not steady.
    deceleration : Estimate
        0 for exponential growth, 1/d for growth in d dimensions; see `reproduction`.
    phase : {"exponential", "subcritical", "core", "undecided", "not applicable", "declining"}
        Of the graph and the model; see `reproduction`. From counts alone: ``"exponential"``, ``"declining"`` (of what
        was counted: nothing is said of the graph) or ``"undecided"``.
    why : Reason
        Why: the finding with its numbers.
    cause, reason : str
        The same as a word and in a sentence with the numbers.
    campaign : Estimate
        New(t + 1) over new(t) of these seeds, pooled over the early steps (`first` to `last`): as it was, with
        depletion.
    campaign_predicted : float
        The same from message passing on the graph, from the same seeds; NaN from counts alone.
    first, last : int
        First and last early step, -1 if there is none; the pooled ratios are those of t -> t + 1 with
        ``first <= t < last``.
    R_by_step : DataFrame
        One row a step t: `step`, `new` (mean new activations), `cumulative` (mean reach so far), `R` (new at t + 1 over
        new at t, pooled over runs), `low`, `high`, `predicted`, `inside` (an early step). Row 0 is about the chosen
        seeds.
    runs : int
    halves : tuple of two int
        `last` for the even and the odd runs: each half is pooled over the steps that the other half makes early.
    provenance : dict

    See Also
    --------
    growth, simulation.Reproduction, plotting.plot_growth

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(2000, rng=7).with_probabilities("constant", p=0.02)
    >>> result = dif.growth(dif.simulate(g, [0], runs=500, rng=7))
    >>> result.phase, result.R_predicted < 1
    ('subcritical', True)
    """

    R: Estimate
    R_predicted: float
    rate: Estimate
    doubling_time: Estimate
    deceleration: Estimate
    phase: Phase
    why: Reason
    campaign: Estimate
    campaign_predicted: float
    first: int
    last: int
    R_by_step: pd.DataFrame
    runs: int
    halves: tuple[int, int]
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
        """Return the result as one row: R, rate, doubling and campaign with low and high, phase, cause, reason, runs."""
        row: dict[str, Any] = {"R_predicted": self.R_predicted, "campaign_predicted": self.campaign_predicted}
        named = {"R": self.R, "rate": self.rate, "doubling": self.doubling_time, "campaign": self.campaign}
        for name, estimate in named.items():
            row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        row |= {name: getattr(self, name) for name in ("phase", "cause", "reason", "first", "last", "runs")}
        return pd.DataFrame([row])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot mean new activations by step on a log axis with the early steps."""
        return draw("growth", self, ax)

    def __repr__(self) -> str:
        seen = ""
        if self.last > 0 and not np.isnan(self.campaign.value):
            found = (self.campaign.value, self.campaign.low, self.campaign.high)
            seen = f"; R of these seeds is {interval_text(found)} over steps {self.first}-{self.last}"
        double = ""
        if self.phase == "exponential":
            found = (self.doubling_time.value, self.doubling_time.low, self.doubling_time.high)
            double = f", doubling every {interval_text(found)} steps"
        return f"Growth: {self.phase}{double}: {self.reason}{seen} ({self.runs:,} runs)"

    def _repr_html_(self) -> str:
        return card(repr(self), interval_table(self.R_by_step, value="R"))


def forecast(graph: FollowerGraph, model: DiffusionModel | str, seeds: Any, *, steps: int) -> Floats:
    """Expected new activations by step from seeds, with depletion, before anything is simulated.

    Parameters
    ----------
    graph : FollowerGraph
        With propagation probabilities, where the model takes them.
    model : DiffusionModel or {"ic", "lt"}
        Not a threshold, nor SIPS with complex identification.
    seeds : iterable of node labels
    steps : int

    Returns
    -------
    ndarray of float, shape (steps + 1,)
        Entry 0 is the number of seeds.

    Raises
    ------
    InputError
        A model of which one sharer alone convinces nobody.

    See Also
    --------
    growth, theory.message_passing

    Notes
    -----
    Dynamic message passing (Karrer and Newman 2010; Lokhov, Mezard, Ohta and Zdeborova 2014): exact on trees, too high
    where circles are short. With a feed, exposures through it are taken for independent.

    References
    ----------
    - Karrer, B. and Newman, M. E. J. (2010). Message passing approach for general epidemic models. Physical Review E
      82, 016101.
    - Lokhov, A. Y., Mezard, M., Ohta, H. and Zdeborova, L. (2014). Inferring the origin of an epidemic with a dynamic
      message-passing algorithm. Physical Review E 90, 012801. doi:10.1103/PhysRevE.90.012801

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], directed=False).with_probabilities("constant", p=0.5)
    >>> forecast(g, "ic", [0], steps=3).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    operator = model_of(model).next_generation(graph)
    if operator is None:
        raise InputError(f"{model_of(model).label} has no forecast by message passing: simulate it")
    return operator.forecast(_starting(graph, seeds), whole(steps, "steps", least=0))


def _starting(graph: FollowerGraph, seeds: Any) -> Floats:
    start = np.zeros(graph.n_nodes)
    start[graph.index.internal(seed_labels(graph, seeds))] = 1.0
    return start


def growth(
    ensemble: Ensemble,
    *,
    depletion: float = 0.10,
    confidence: float = 0.95,
    rng: RNGLike = None,
    known: Reproduction | None = None,
) -> Growth:
    """Say whether graph and model grow exponentially, and how fast this campaign grew.

    Parameters
    ----------
    ensemble : Ensemble
        Runs from `simulate`.
    depletion : float in (0, 0.5]
        Share of the final mean reach (or of all nodes, see below) up to which steps count as early.
    confidence : float in (0, 1)
        Level of every interval.
    rng : int, Generator or None
        For the cascades of typical sharers; None takes a key that follows from the ensemble's own.
    known : Reproduction, optional
        What `reproduction` found for this graph and model, so that it is not measured again.

    Returns
    -------
    Growth

    Raises
    ------
    InputError
        A value out of range.

    See Also
    --------
    simulation.reproduction, simulation.forecast, simulate

    Notes
    -----
    Two things are told apart. *Of the graph and the model*: R, doubling time and phase, which no seed set changes; see
    `reproduction`. *Of this campaign*: R_t, the ratio of new activations at successive steps, as measured and as
    message passing predicts it from the same seeds. Seeds are chosen, so step 0 -> 1 says nothing about growth: early
    steps are those t >= 1 with mean reach at t + 1 at most `depletion` of the final mean reach, or, where there are
    fewer than two, at most `depletion` of all nodes. A campaign may shrink where the graph allows growth, when its
    seeds have used up their surroundings, and swell for a while where the graph does not.

    Steps of models in time are slices of any length. Of those, the campaign is run again in generations, without times;
    models that know no generations (re-infection, rumours, contacts) have no growth of a campaign here: look at the
    curves of their results over time.

    Intervals of ratios: see `growth_of_counts`.

    Examples
    --------
    >>> import numpy as np
    >>> import diffusion as dif
    >>> ends = np.random.default_rng(1).integers(0, 20_000, (2, 50_000))
    >>> g = dif.FollowerGraph.from_arrays(*ends, directed=False).with_probabilities("constant", p=0.4)
    >>> result = growth(dif.simulate(g, [0], runs=500, rng=7))
    >>> result.phase, round(result.R.value, 1), round(result.campaign_predicted, 1)
    ('exponential', 2.0, 1.9)
    """
    if not isinstance(ensemble, Ensemble):
        raise InputError(
            f"growth takes the runs of an ensemble, and a {type(ensemble).__name__} was given: call "
            "growth(dif.simulate(graph, seeds, ...))"
        )
    key = derive_key(ensemble.key, "growth") if rng is None else key_of(rng)
    graph, model = ensemble.graph, ensemble.model
    if known is None:
        known = reproduction(graph, model=model, depletion=depletion, confidence=confidence, rng=generator(key))
    counted = growth_of_counts(
        generations_of(ensemble.graph, model, ensemble.seeds, ensemble.key, ensemble.new_by_step),
        graph.n_nodes,
        depletion=depletion,
        confidence=confidence,
        deterministic=ensemble.source.deterministic,
        record=provenance("growth", key=key, ensemble=ensemble.provenance, depletion=depletion, confidence=confidence),
    )
    return growth_on_graph(counted, graph, model, ensemble.seeds, known)


def generations_of(
    graph: FollowerGraph, model: DiffusionModel, seeds: Sequence[Any], key: int, new: NDArray[Any]
) -> NDArray[Any]:
    """Return new activations by generation: those counted, or, where steps are times, those of the model without times.

    Slices of time can be of any length, and so can ratios of what happens in them.
    """
    if not model.steps_are_times:
        return new
    plain = model.in_generations()
    if plain.steps_are_times:
        return new[:, :1]  # no generations are known: nothing to measure
    return prepare(graph, plain, seeds, key).run(0, len(new), show=False).new[..., 0]


def growth_on_graph(
    counted: Growth, graph: FollowerGraph, model: DiffusionModel, seeds: Sequence[Any], known: Reproduction
) -> Growth:
    """Set what was counted beside what graph and model allow and what message passing forecasts from the seeds."""
    phase, why = known.phase, known.why
    if phase == "subcritical" and counted.phase == "exponential":
        phase, why = "undecided", Reason(Finding.CAMPAIGN_GROWS, outer=known.why, inner=counted.why)
    table = counted.R_by_step.copy()
    operator = model.in_generations().next_generation(graph)
    expected = UNKNOWN
    if operator is not None and len(table) and np.isfinite(known.predicted):
        steps = min(len(table), FORECAST_STEPS)
        new = operator.forecast(_starting(graph, seeds), steps)
        table["predicted"] = np.append(ratios_by_step(new), np.full(len(table) - steps, np.nan))
        ends = counted.halves
        if min(ends) > 0 and max(ends) <= steps:
            before, after = (sum(new[a : end + a - 1].sum() for end in ends) for a in (1, 2))
            expected = float(after / before) if before else UNKNOWN
    rate, doubling = _rates(known.R, why.cause, known.deceleration)
    return replace(
        counted,
        R=known.R,
        R_predicted=known.predicted,
        deceleration=known.deceleration,
        phase=phase,
        why=why,
        campaign_predicted=expected,
        rate=rate,
        doubling_time=doubling,
        R_by_step=table,
    )


def _rates(R: Estimate, cause: str, deceleration: Estimate) -> tuple[Estimate, Estimate]:
    """Growth rate, and doubling time where growth or decline is steady."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, value, high = (float(x) for x in np.log([R.low, R.value, R.high]))
    rate = replace(R, value=value, low=low, high=high)
    steady = cause in ("steady", "below one", "declining") and not deceleration.value >= MAX_DECELERATION

    def steps(r: float) -> float:
        return float(np.log(2) / r) if r > 0 else UNKNOWN if np.isnan(r) else float("inf")

    ends = (steps(value), steps(high), steps(low)) if steady else (UNKNOWN,) * 3
    return rate, replace(R, value=ends[0], low=ends[1], high=ends[2])


def growth_of_counts(
    new_by_step: NDArray[np.integer[Any]],
    n_nodes: int,
    *,
    depletion: float = 0.10,
    confidence: float = 0.95,
    deterministic: bool = False,
    complete: bool = True,
    record: dict[str, Any] | None = None,
) -> Growth:
    """Measure growth from counts alone, without the graph; see `growth`.

    Parameters
    ----------
    new_by_step : ndarray of int, shape (runs, steps)
        New activations; column 0 holds the seeds.
    n_nodes : int
        Nodes that could become active.
    depletion, confidence
        As in `growth`.
    deterministic : bool
        Every run is the same by nature: there is no sampling error.
    complete : bool
        All runs ended within the table; False if they were cut off after its last column.
    record : dict, optional
        Provenance.

    Notes
    -----
    *Intervals* of a ratio rest on pairs (new(t), new(t + 1)) of all runs: their errors are martingale differences, so
    the interval holds for heavy-tailed sizes, where resampling of runs does not. It is corrected for skewness (Hall
    1992), and where that matters widened to the likelihood-ratio interval of negative-binomial offspring of any
    dispersion (Lloyd-Smith, Schreiber, Kopp and Getz 2005). Fewer than 10 runs, or runs that are all equal although
    the model is random, give no interval and so no verdict.

    *Exponential* is judged as in `reproduction`, on these runs. *Declining*: the interval of the ratio lies below 1
    over the steps with mean reach up to `depletion` of all nodes, even after division by the share of nodes still
    inactive, and no later step activates twice as many as step 1. It is said of these counts, not of the graph: seeds
    may use up their surroundings where others would grow.

    References
    ----------
    - Hall, P. (1992). On the removal of skewness by transformation.
    - Lloyd-Smith, J. O., Schreiber, S. J., Kopp, P. E. and Getz, W. M. (2005). Superspreading and the effect of
      individual variation on disease emergence. Nature 438, 355-359. doi:10.1038/nature04153

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> new = np.ones((400, 20), int)
    >>> for t in range(19):
    ...     new[:, t + 1] = rng.poisson(1.5 * new[:, t])
    >>> growth_of_counts(new, 10**6, complete=False).phase
    'exponential'
    """
    new = np.asarray(new_by_step)
    _check(new, n_nodes)
    depletion = number(depletion, "depletion", above=0, most=0.5)
    confidence = number(confidence, "confidence", above=0, most=1 - 1e-9)
    if complete:  # the step after the last one is a count too: nobody
        new = np.pad(new[:, : int(np.flatnonzero(new.any(axis=0)).max(initial=0)) + 1], ((0, 0), (0, 1)))
    runs = len(new)
    unknown = not deterministic and (runs < MIN_RUNS or not (new != new[0]).any())

    def estimate(found: tuple[float, float, float]) -> Estimate:
        value, low, high = found
        if deterministic:
            low = high = value
        return Estimate(value, *((UNKNOWN, UNKNOWN) if unknown else (low, high)), confidence, runs)

    sums = new.sum(axis=0, dtype=np.int64).astype(np.float64)
    cumulative = np.cumsum(sums) / runs
    steps = np.arange(sums.size - 1)
    early = (steps >= 1) & (sums[:-1] > 0)

    def window(means: Floats) -> int:
        """Ratios before depletion, by mean reach."""
        if means.size < 2:
            return 0
        found = leading(early & (means[1:] <= depletion * means[-1]))
        return found if found >= 2 else leading(early & (means[1:] <= depletion * n_nodes))

    ratios = window(cumulative)
    first, last = (1, ratios + 1) if ratios else (-1, -1)
    # Each half of the runs is measured in the window that the other half sets: a window that ends where these very runs
    # happened to grow would bias their ratio.
    halves = (last, last)
    if runs >= 2 * MIN_RUNS and not unknown and not deterministic and ratios:
        ends = [window(np.cumsum(new[half::2].mean(axis=0))) + 1 for half in (1, 0)]
        halves = (ends[0], ends[1]) if min(ends) > 1 else (last, last)

    def pooled(a: int, b: tuple[int, int]) -> Estimate:
        parts = []
        for half, end in enumerate(b):
            x, y = new[half::2, a:end], new[half::2, a + 1 : end + 1]
            run = np.broadcast_to(np.arange(half, runs, 2)[:, None], x.shape)
            parts.append((x[x > 0], y[x > 0], run[x > 0]))
        x, y, run = (np.concatenate(part) for part in zip(*parts, strict=True))
        return estimate(pooled_ratio(x, y, run, confidence))

    campaign = pooled(first, halves) if ratios else Estimate(UNKNOWN, UNKNOWN, UNKNOWN, confidence, runs)
    table = pd.DataFrame({"step": steps, "new": sums[:-1] / runs, "cumulative": cumulative[:-1]})
    by_step = [pooled(t, (t + 1, t + 1)) for t in steps]
    table["R"] = ratios_by_step(sums)
    table["low"], table["high"] = [e.low for e in by_step], [e.high for e in by_step]
    table["predicted"] = np.nan
    table["inside"] = (steps >= first) & (steps < last)
    R, deceleration = campaign, Estimate(UNKNOWN, UNKNOWN, UNKNOWN, confidence, runs)
    phase: Phase = "undecided"
    wide = leading(early & (cumulative[1:] <= depletion * n_nodes)) if sums.size > 1 else 0
    why = Reason(Finding.NO_ACTIVATION)
    if sums.size > 1 and sums[1]:
        fit = fit_by_reach(new, depletion, confidence, final=None if complete else float(n_nodes))
        why = Reason(Finding.NO_INTERVAL) if unknown else steady_growth(fit, subject="R")
        if why.cause == "steady":
            phase = "exponential"
        if not np.isnan(fit.R[0]):
            R = estimate(fit.R if why.cause in ("steady", "unclear") else fit.pooled)
            deceleration = estimate(fit.deceleration)
        if wide and not unknown and phase != "exponential":
            R_wide = pooled(1, (wide + 1, wide + 1))
            inactive, times = inactive_share(new, n_nodes, wide + 1), sums[1:].max() / sums[1]
            if R_wide.high < inactive and times < 2:
                phase, why, R = (
                    "declining",
                    Reason(Finding.DECLINES, {"R": (R_wide.value, R_wide.low, R_wide.high)}),
                    R_wide,
                )
            elif R_wide.high < 1 and times < 2:
                numbers = {"R": (R_wide.value, R_wide.low, R_wide.high), "active": 1 - inactive}
                R, why = R_wide, Reason(Finding.DEPLETED, numbers)
    rate, doubling = _rates(R, why.cause, deceleration)
    return Growth(
        R,
        UNKNOWN,
        deceleration=deceleration,
        phase=phase,
        why=why,
        campaign=campaign,
        campaign_predicted=UNKNOWN,
        halves=halves,
        first=first,
        last=last,
        R_by_step=table,
        runs=runs,
        provenance=record or {},
        rate=rate,
        doubling_time=doubling,
    )


def _check(new: NDArray[Any], n_nodes: int) -> None:
    if new.ndim != 2 or new.dtype.kind not in "iu" or not len(new) or (new.size and new.min() < 0):
        raise InputError(
            f"new_by_step has shape {new.shape} and type {new.dtype}: give counts, whole numbers from 0, with one row "
            "a run and one column a step"
        )
    whole(n_nodes, "n_nodes")
