"""Is reach exponential? R, growth rate and doubling time before depletion, with intervals and a claim that can fail."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._provenance import provenance
from .._random import RNGLike, derive_key, key_of
from ..errors import InputError
from ._growth_fit import (
    Floats,
    inactive_share,
    interval_ends,
    leading,
    ratios_by_step,
    resampled_sums,
    slowing,
    window_ratio,
)
from .models import IC, LT
from .results import Ensemble, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Growth", "growth", "growth_of_counts"]

Phase = Literal["exponential", "subcritical", "undecided"]
MIN_RUNS = 10  # below this, resampling runs gives intervals that are far too narrow
MAX_DECELERATION = 1 / 3
ROUNDING = 1e-9  # R within this of 1 is 1


@dataclass(frozen=True, repr=False, eq=False)
class Growth:
    """What the early steps of an ensemble say about growth.

    Attributes
    ----------
    R : Estimate
        New activations per activation and step in the fitted window, undepleted (see `growth`); NaN without a window.
    rate : Estimate
        Growth rate per step, log R: new activations go as exp(rate t).
    doubling_time : Estimate
        Steps until new activations double, log 2 / rate, in a window of steady growth. Infinite where the rate is not
        above 0, so `high` is infinite whenever ``rate.low <= 0``; NaN where no steady growth was fitted.
    deceleration : Estimate
        b in 1 / log R_t = a + b t: 0 for exponential growth, 1/d for new activations that go as the d-th power of time.
        NaN where R does not exceed 1 or there is no window before depletion.
    phase : {"exponential", "subcritical", "undecided"}
    reason : str
        Why, in one sentence with the numbers.
    first, last : int
        First and last step of the fitted window, -1 if there is none; the fitted ratios are those of t -> t + 1 with
        ``first <= t < last``.
    R_by_step : DataFrame
        One row a step t: `step`, `new` (mean new activations), `cumulative` (mean reach so far), `R` (new at t + 1 over
        new at t, pooled over runs), `low`, `high`, `inside` (this ratio was fitted). Row 0 is about the chosen seeds.
    runs : int
    provenance : dict

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(2000, rng=7).with_probabilities("constant", p=0.02)
    >>> found = dif.growth(dif.simulate(g, [0], runs=500, rng=7))
    >>> found.phase, found.R.high < 1
    ('subcritical', True)
    """

    R: Estimate
    rate: Estimate
    doubling_time: Estimate
    deceleration: Estimate
    phase: Phase
    reason: str
    first: int
    last: int
    R_by_step: pd.DataFrame
    runs: int
    provenance: dict[str, Any] = field(default_factory=dict)

    def to_pandas(self) -> pd.DataFrame:
        """Return the result as one row: R, rate and doubling with low and high, phase, reason, first, last, runs."""
        row: dict[str, Any] = {}
        for name, found in (("R", self.R), ("rate", self.rate), ("doubling", self.doubling_time)):
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        row |= {"phase": self.phase, "reason": self.reason, "first": self.first, "last": self.last, "runs": self.runs}
        return pd.DataFrame([row])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot mean new activations by step on a log axis with the fitted window."""
        from ..plotting import plot_growth

        return plot_growth(self, ax=ax)

    def __repr__(self) -> str:
        head = {
            "exponential": f"exponential growth over steps {self.first}-{self.last}, doubling every "
            f"{_text(self.doubling_time)} steps",
            "subcritical": "no exponential phase",
            "undecided": "no exponential phase shown",
        }[self.phase]
        return f"Growth: {head}: {self.reason} ({self.runs:,} runs)"

    def _repr_html_(self) -> str:
        from html import escape

        table: str = self.R_by_step.head(12).to_html(index=False, float_format=lambda x: f"{x:.4g}")
        return f"<p>{escape(repr(self))}</p>{table}"


def growth(
    ensemble: Ensemble,
    *,
    depletion: float = 0.10,
    confidence: float = 0.95,
    bootstrap: int = 1000,
    rng: RNGLike = None,
) -> Growth:
    """Measure early growth and say whether it is exponential, subcritical or undecided.

    Parameters
    ----------
    ensemble : Ensemble
        Runs from `simulate`.
    depletion : float in (0, 0.5]
        Share of the final mean reach (or of all nodes, see below) up to which steps count as early.
    confidence : float in (0, 1)
        Level of every interval.
    bootstrap : int
        Resamples of the runs, at least 100.
    rng : int, Generator or None
        For resampling; None takes a key that follows from the ensemble's own, so equal ensembles give equal intervals.

    Returns
    -------
    Growth

    Raises
    ------
    InputError
        A value out of range.

    Notes
    -----
    *Which steps count.* Step 0 -> 1 never does: seeds were chosen, so their audience says nothing about growth.
    Window A is the steps t >= 1 for which mean reach at t + 1 is at most `depletion` of the final mean reach; it needs
    two ratios (three points). Where it is shorter, as with many seeds, and where R lies below 1 in it, window B takes
    the steps t >= 1 with mean reach at t + 1 at most `depletion` of all nodes. B can show decline, never growth.

    *R.* The ratio pooled over runs and window, sum new(t+1) / sum new(t) (Harris 1948), rests mostly on the last and
    most depleted steps and so falls short of R by several per cent however large the graph. In window A the ratios are
    therefore fitted, weighted with new(t), by R_t = R (1 - k u_t) with u_t the share of final reach used up and k
    in [-2, 2]; R is the value at u = 0. In window B it is the pooled ratio as it is.

    *Intervals.* Percentiles over resampled runs (above 2,048 runs, over that many groups of runs, whose sums say the
    same): they hold for the given graph and seeds. Fewer than 10 runs, or runs that are all equal although the model is
    random, give no interval and so no verdict; a deterministic model has no error. If nothing at all follows N
    activations, the upper end is the Poisson one, -log((1 - confidence) / 2) / N.

    *Exponential* means: the whole interval of R lies above 1, and growth does not slow down the way it does in space.
    New activations that go as t^d, as on a lattice, have R above 1 at every step too, but 1 / log R_t rises by 1/d
    each step. That slope, the deceleration, is fitted together with a free time offset (weighted with new(t)), and its
    interval must lie below 1/3: powers up to the third are excluded (Viboud, Simonsen and Chowell 2016 estimate the
    same departure from exponential growth). *Subcritical* means that the interval of R lies below 1 over window B, even
    after division by the share of nodes still inactive, as the average activation meets it in its own run, and that no
    later step activates twice as many as step 1. Everything else is undecided, and `reason` says why.

    Examples
    --------
    >>> import numpy as np
    >>> import diffusion as dif
    >>> ends = np.random.default_rng(1).integers(0, 20_000, (2, 50_000))
    >>> g = dif.FollowerGraph.from_arrays(*ends, directed=False).with_probabilities("constant", p=0.4)
    >>> found = growth(dif.simulate(g, [0], runs=500, rng=7))
    >>> found.phase, round(found.R.value)
    ('exponential', 2)
    """
    if not isinstance(ensemble, Ensemble):
        raise InputError(
            f"growth takes the runs of an ensemble, and a {type(ensemble).__name__} was given: call "
            "growth(dif.simulate(graph, seeds, ...))"
        )
    key = derive_key(ensemble.key, "growth") if rng is None else key_of(rng)
    rule = ensemble.graph.probabilities
    certain = isinstance(ensemble.model, IC | LT) and rule is not None and bool(np.isin(rule.values, (0, 1)).all())
    record = provenance(
        "growth", key=key, ensemble=ensemble.provenance, depletion=depletion, confidence=confidence, bootstrap=bootstrap
    )
    return growth_of_counts(
        ensemble.new_by_step,
        ensemble.graph.n_nodes,
        depletion=depletion,
        confidence=confidence,
        bootstrap=bootstrap,
        key=key,
        deterministic=certain or ensemble._engine.deterministic,
        record=record,
    )


def growth_of_counts(
    new_by_step: NDArray[np.integer[Any]],
    n_nodes: int,
    *,
    depletion: float = 0.10,
    confidence: float = 0.95,
    bootstrap: int = 1000,
    key: int,
    deterministic: bool = False,
    complete: bool = True,
    record: dict[str, Any] | None = None,
) -> Growth:
    """Measure early growth from counts alone; see `growth`.

    Parameters
    ----------
    new_by_step : ndarray of int, shape (runs, steps)
        New activations; column 0 holds the seeds.
    n_nodes : int
        Nodes that could become active.
    depletion, confidence, bootstrap
        As in `growth`.
    key : int
        64-bit key of the resampling.
    deterministic : bool
        Every run is the same by nature: there is no sampling error.
    complete : bool
        All runs ended within the table; False if they were cut off after its last column.
    record : dict, optional
        Provenance.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> new = np.ones((400, 20), int)
    >>> for t in range(19):
    ...     new[:, t + 1] = rng.poisson(1.5 * new[:, t])
    >>> growth_of_counts(new, 10**6, key=1, complete=False).phase
    'exponential'
    """
    new = np.asarray(new_by_step)
    _check(new, n_nodes, depletion, confidence, bootstrap)
    if complete:  # the step after the last one is a count too: nobody
        new = np.pad(new[:, : int(np.flatnonzero(new.any(axis=0)).max(initial=0)) + 1], ((0, 0), (0, 1)))
    runs = len(new)
    sums = new.sum(axis=0, dtype=np.int64).astype(np.float64)
    cumulative = np.cumsum(sums) / runs
    if deterministic:
        samples = sums[None, :]
    elif runs < MIN_RUNS or not (new != new[0]).any():
        samples = np.full((1, sums.size), np.nan)
    else:
        samples = np.concatenate(list(resampled_sums(new, bootstrap, key)))
    tail = (1 - confidence) / 2

    def estimate(values: Floats, replicates: Floats) -> Estimate:
        low, high = interval_ends(replicates, tail)
        if low == high and not deterministic:
            low = high = float("nan")
        return Estimate(float(values[0]), low, high, confidence, runs)

    def window(ratios: int, growing: bool) -> tuple[Estimate, Estimate]:
        fitted, resampled = sums[None, 1 : ratios + 2], samples[:, 1 : ratios + 2]
        used = (cumulative[1 : ratios + 1] + cumulative[2 : ratios + 2]) / (2 * cumulative[-1])
        R = estimate(window_ratio(fitted, used, growing), window_ratio(resampled, used, growing))
        if not fitted[0, 1:].any() and runs >= MIN_RUNS and not deterministic:
            R = Estimate(0.0, 0.0, float(-np.log(tail) / fitted[0, 0]), confidence, runs)
        if not growing or not R.low > 1 + ROUNDING:
            return R, Estimate(float("nan"), float("nan"), float("nan"), confidence, runs)
        weights = fitted[0, :-1] / fitted[0, :-1].sum()
        return R, estimate(slowing(fitted, weights), slowing(resampled, weights))

    steps = np.arange(sums.size - 1)
    early = (steps >= 1) & (sums[:-1] > 0)
    before_depletion = leading(early & (cumulative[1:] <= depletion * cumulative[-1]))
    R = deceleration = Estimate(float("nan"), float("nan"), float("nan"), confidence, runs)
    growing, ratios = before_depletion >= 2, before_depletion
    if growing:
        R, deceleration = window(ratios, True)
    if not growing or R.high < 1 - ROUNDING:  # decline is judged over all the steps there are, not over the first few
        growing, ratios = False, leading(early & (cumulative[1:] <= depletion * n_nodes))
        if ratios:
            R, deceleration = window(ratios, False)
    first, last = (1, ratios + 1) if ratios else (-1, -1)
    phase, reason = _verdict(
        R, deceleration, growing, before_depletion, last, sums / runs, cumulative / n_nodes,
        inactive_share(new, n_nodes, last), depletion,
    )  # fmt: skip
    with np.errstate(divide="ignore"):
        low, value, high = (float(x) for x in np.log([R.low, R.value, R.high]))
    rate = Estimate(value, low, high, confidence, runs)
    steady = (growing and not deceleration.value >= MAX_DECELERATION) or phase == "subcritical"
    table = pd.DataFrame({"step": steps, "new": sums[:-1] / runs, "cumulative": cumulative[:-1]})
    table["R"] = ratios_by_step(sums[None, :])[0]
    table["low"], table["high"] = (
        np.array([interval_ends(column, tail) for column in ratios_by_step(samples).T]).reshape(-1, 2).T
    )
    table["inside"] = (steps >= first) & (steps < last)
    return Growth(
        R, rate, _doubling(rate if steady else replace(rate, value=np.nan, low=np.nan, high=np.nan)), deceleration,
        phase, reason, first, last, table, runs, record or {},
    )  # fmt: skip


def _check(new: NDArray[Any], n_nodes: int, depletion: float, confidence: float, bootstrap: int) -> None:
    if new.ndim != 2 or new.dtype.kind not in "iu" or not len(new) or (new.size and new.min() < 0):
        raise InputError(
            f"new_by_step has shape {new.shape} and type {new.dtype}: give counts, whole numbers from 0, with one row "
            "a run and one column a step"
        )
    if isinstance(n_nodes, bool) or not isinstance(n_nodes, int | np.integer) or n_nodes < 1:
        raise InputError(f"n_nodes={n_nodes!r} is not a number of nodes: give a whole number from 1")
    if isinstance(depletion, bool) or not isinstance(depletion, float | np.floating) or not 0 < depletion <= 0.5:
        raise InputError(f"depletion={depletion!r} is out of range: give a number above 0 and at most 0.5, such as 0.1")
    if isinstance(confidence, bool) or not isinstance(confidence, float | np.floating) or not 0 < confidence < 1:
        raise InputError(f"confidence={confidence!r} is out of range: give a number between 0 and 1, such as 0.95")
    if isinstance(bootstrap, bool) or not isinstance(bootstrap, int | np.integer) or bootstrap < 100:
        raise InputError(f"bootstrap={bootstrap!r} is too few resamples: give a whole number from 100")


def _doubling(rate: Estimate) -> Estimate:
    def steps(r: float) -> float:
        return float(np.log(2) / r) if r > 0 else float("nan") if np.isnan(r) else float("inf")

    return replace(rate, value=steps(rate.value), low=steps(rate.high), high=steps(rate.low))


def _text(found: Estimate) -> str:
    return f"{found.value:.4g} [{found.low:.4g}, {found.high:.4g}]"


def _verdict(
    R: Estimate,
    deceleration: Estimate,
    growing: bool,
    before_depletion: int,
    last: int,
    mean: Floats,
    share: Floats,
    inactive: float,
    depletion: float,
) -> tuple[Phase, str]:
    """Phase and reason; `mean` new activations and `share` of nodes active by step, `inactive` as they meet it."""
    if last < 0:
        if mean.size < 2 or not mean[1]:
            return "undecided", "the seeds activated nobody, so there is no growth to measure"
        soon = share[min(2, share.size - 1)]
        if soon > depletion:
            return "undecided", (
                f"by step 2 {soon:.1%} of all nodes were active, more than the {depletion:.0%} up to which growth can "
                "be told from depletion"
            )
        return "undecided", "there is no step after the first to compare it with"
    over = f"R = {_text(R)} over steps 1-{last}"
    if np.isnan(R.low):
        return "undecided", f"R = {R.value:.4g} over steps 1-{last} has no interval: too few runs, or all of them equal"
    if R.high < inactive - ROUNDING:
        times = mean[1:].max() / mean[1]
        if times >= 2:
            return "undecided", f"{over} lies below 1, yet a later step activates {times:.3g} times as many as step 1"
        return "subcritical", f"{over} lies below 1"
    if R.high < 1 - ROUNDING:
        active = f"the {1 - inactive:.1%} of nodes already active"
        return "undecided", f"{over} lies below 1, but by no more than {active} explain"
    if R.low <= 1 + ROUNDING:
        return "undecided", f"{over} does not keep clear of 1"
    if not growing:
        generations = "only 1 generation" if before_depletion else "no generation"
        return "undecided", (
            f"{generations} before {depletion:.0%} of the final reach was used up: too few to call the growth "
            f"exponential ({over})"
        )
    if deceleration.value >= MAX_DECELERATION:
        return "undecided", (
            f"growth is slowing: {over}, but it falls as for new activations that go as "
            f"t^{1 / deceleration.value:.2g}, not exponentially"
        )
    if not deceleration.high < MAX_DECELERATION:
        return "undecided", (
            f"{over} lies above 1, but {last - 1} ratios from {R.runs:,} runs cannot tell exponential growth from "
            "new activations that go as t^3 or slower"
        )
    return "exponential", f"{over} lies above 1 and holds until {depletion:.0%} of the final reach is used up"
