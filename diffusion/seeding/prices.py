"""What a note costs: creators' prices fitted on their followers and engagement."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._provenance import provenance
from .._upward import draw
from .._validation import level
from ..errors import InputError, NotFoundError, did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PriceFit", "fit_prices"]


@dataclass(frozen=True, repr=False, eq=False)
class PriceFit:
    """A price law, price = exp(intercept) * followers^a * engagement^b, and how well the data support it.

    It is a function of followers, so that it can be given as ``prices=``: ``dif.select_seeds(g, budget=...,
    prices=fit)``.

    Attributes
    ----------
    coefficients : DataFrame
        One row a term (``intercept``, ``followers``, ``engagement``): value, se, low, high, p_value; natural
        logarithms, so that the others are elasticities.
    alone : tuple of float
        Intercept and elasticity of the law on followers alone, of the same rows.
    r_squared : float
        Share of the variance of log price that the law explains.
    residual_se : float
        Standard deviation of log price around the law, with the degrees of freedom taken off.
    n : int
        Rows that were used.
    dropped : dict of str to int
        Rows left out, by the first reason that holds for each.
    confidence : float
    followers_range, engagement_range : tuple of float
        Smallest and largest value that was used; outside the law is extrapolated, see `extrapolates`. Engagement: NaN
        where it is not used.
    provenance : dict
    data : tuple of two ndarray of float64, or None
        Followers and prices that were used.

    See Also
    --------
    seeding.fit_prices, plotting.plot_prices
    """

    coefficients: pd.DataFrame
    alone: tuple[float, float]
    r_squared: float
    residual_se: float
    n: int
    dropped: dict[str, int]
    confidence: float
    followers_range: tuple[float, float]
    engagement_range: tuple[float, float]
    provenance: dict[str, Any] = field(default_factory=dict)
    data: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None  # followers and prices that were used

    @property
    def uses_engagement(self) -> bool:
        """Does the law take engagement?"""
        return "engagement" in self.coefficients.index

    def predict(self, followers: Any, engagement: Any = None) -> NDArray[np.float64]:
        """Return the price of a typical creator (the median, not the mean) with so many followers and engagement.

        Parameters
        ----------
        followers : array-like of numbers from 0
            Fewer than 1 counts as 1, where the logarithm is 0; so it does for engagement.
        engagement : array-like of numbers from 0, optional
            In the units of the fit; without it the law on followers alone is used, that is, the engagement usual for
            so many followers.

        Returns
        -------
        ndarray of float64, of the shape of `followers`

        Raises
        ------
        InputError
            Negative or missing numbers, unequal shapes, or engagement for a law without it.

        Warns
        -----
        UserWarning
            Creators outside what the fit rests on: their prices are extrapolated. `extrapolates` says whose.
        """
        size = _logarithm(followers, "followers")
        self._warn(self.extrapolates(followers, engagement), engagement is not None)
        if engagement is None:
            start, slope = self.alone
            return np.asarray(np.exp(start + slope * size))
        activity = _logarithm(engagement, "engagement")
        value = self.coefficients["value"]
        return np.asarray(np.exp(value["intercept"] + value["followers"] * size + value["engagement"] * activity))

    def extrapolates(self, followers: Any, engagement: Any = None) -> NDArray[np.bool_]:
        """Say which creators lie outside the followers, or the engagement, that the fit rests on.

        Parameters
        ----------
        followers, engagement : array-like of numbers from 0
            As in `predict`.

        Returns
        -------
        ndarray of bool, of the shape of `followers`

        Raises
        ------
        InputError
            As in `predict`.

        Examples
        --------
        >>> table = pd.DataFrame({"fans": [100, 1000, 10_000, 50_000], "rmb": [12, 90, 1_100, 4_800]})
        >>> fit_prices(table, followers="fans", price="rmb").extrapolates([50, 1000, 2_000_000]).tolist()
        [True, False, True]
        """
        size = _logarithm(followers, "followers")
        outside = _outside(size, self.followers_range)
        if engagement is None:
            return outside
        if not self.uses_engagement:
            raise InputError("this fit does not use engagement: leave it out, or fit with engagement=")
        activity = _logarithm(engagement, "engagement")
        if activity.shape != size.shape:
            raise InputError(
                f"followers has shape {size.shape} and engagement {activity.shape}: give one value of each for a creator"
            )
        return outside | _outside(activity, self.engagement_range)

    def _warn(self, outside: NDArray[np.bool_], engaged: bool) -> None:
        if not outside.any():
            return
        low, high = self.followers_range
        rests = f"{low:,.6g} to {high:,.6g} followers"
        if engaged:
            rests += " and {:,.6g} to {:,.6g} engagement".format(*self.engagement_range)
        warnings.warn(
            f"{int(outside.sum()):,} of {outside.size:,} creators lie outside what the fit of prices rests on, {rests}: "
            "their prices are extrapolated; extrapolates() says whose",
            stacklevel=3,
        )

    def __call__(self, followers: Any) -> NDArray[np.float64]:
        """Return `predict` for followers alone: what ``prices=`` asks of a function."""
        return self.predict(followers)

    def to_pandas(self) -> pd.DataFrame:
        """Return the coefficients, one row a term."""
        return self.coefficients.rename_axis("term").reset_index()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the prices that were used against followers, with the law on followers alone, on logarithmic axes."""
        return draw("prices", self, ax)

    def __repr__(self) -> str:
        terms = "; ".join(
            f"{row.Index} {row.value:.3g} [{row.low:.3g}, {row.high:.3g}]" for row in self.coefficients.itertuples()
        )
        left = sum(self.dropped.values())
        low, high = self.followers_range
        text = f"PriceFit on {self.n:,} creators ({left:,} rows dropped), R^2 {self.r_squared:.3f}: {terms}"
        return f"{text}; fitted on {low:,.6g} to {high:,.6g} followers"


def fit_prices(
    table: pd.DataFrame, *, followers: str, price: str, engagement: str | None = None, confidence: float = 0.95
) -> PriceFit:
    """Fit log price on log followers, and log engagement, by ordinary least squares.

    Parameters
    ----------
    table : DataFrame
        One row a creator.
    followers, price : str
        Columns. Text that is no number counts as missing.
    engagement : str, optional
        Column of likes, collects, comments or any such total.
    confidence : float in (0, 1)
        Level of the intervals.

    Returns
    -------
    PriceFit

    Raises
    ------
    NotFoundError
        A column that does not exist.
    InputError
        Too few rows with positive numbers for the terms (two more rows than terms are needed), or columns of which one
        follows from the others.

    See Also
    --------
    seeding.PriceFit, select_seeds, plotting.plot_prices

    Notes
    -----
    The standard errors are the classical ones, with Student's t for the intervals; they suppose errors of equal size in
    log price. Prices on a list are often round numbers with a floor, which flattens the law. Rows with a missing value
    or one that is not above 0 are dropped and counted by reason.

    Examples
    --------
    >>> table = pd.DataFrame({"fans": [100, 1000, 10_000, 50_000], "rmb": [12, 90, 1_100, 4_800]})
    >>> fit = fit_prices(table, followers="fans", price="rmb")
    >>> fit.coefficients["value"].round(2).to_dict()
    {'intercept': -2.1, 'followers': 0.98}
    >>> fit([1000]).round().tolist()
    [106.0]
    """
    level(confidence)
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"the table is a {type(table).__name__}: give a pandas DataFrame with one row a creator")
    columns = {"followers": followers} | ({} if engagement is None else {"engagement": engagement}) | {"price": price}
    for name, column in columns.items():
        if column not in table.columns:
            raise NotFoundError(
                f"{name}={column!r} is no column of the table; it has {', '.join(map(repr, table.columns))}."
                + did_you_mean(column, table.columns)
            )
    values, dropped = _usable(table, columns)
    n, terms = len(values), len(columns)
    if n < terms + 2:
        why = "; ".join(f"{reason}: {count:,}" for reason, count in dropped.items()) or "nothing was dropped"
        raise InputError(
            f"{n:,} creators are too few for {terms} coefficients: {terms + 2} are needed, with numbers above 0 ({why})"
        )
    logs = values.transform(np.log)
    names = ["intercept", *[name for name in columns if name != "price"]]
    design = np.column_stack([np.ones(n), *[logs[name].to_numpy() for name in names[1:]]])
    target = logs["price"].to_numpy()
    solved, covariance, rss = _least_squares(design, target)
    alone, _, _ = _least_squares(design[:, :2], target)
    coefficients = _intervals(names, solved, covariance, n - terms, confidence)
    spread = float(((target - target.mean()) ** 2).sum())
    nothing = (float("nan"), float("nan"))
    return PriceFit(
        coefficients,
        (float(alone[0]), float(alone[1])),
        1.0 - rss / spread if spread > 0 else float("nan"),
        float(np.sqrt(rss / (n - terms))),
        n,
        dropped,
        confidence,
        _range(values["followers"]),
        _range(values["engagement"]) if engagement is not None else nothing,
        provenance("fit_prices", n=n, dropped=dropped, columns={name: str(column) for name, column in columns.items()}),
        (values["followers"].to_numpy(), values["price"].to_numpy()),
    )


def _usable(table: pd.DataFrame, columns: dict[str, str]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows in which every number is above 0 and finite, and the others by reason."""
    values = pd.DataFrame({name: pd.to_numeric(table[column], errors="coerce") for name, column in columns.items()})
    values = values.astype(np.float64)
    left = np.ones(len(values), np.bool_)
    dropped: dict[str, int] = {}
    for name in columns:
        given = values[name].to_numpy()
        reasons = {
            f"{name} missing or no number": ~np.isfinite(given),
            f"{name} not above 0": np.isfinite(given) & ~(given > 0),
        }
        for reason, bad in reasons.items():
            if (left & bad).any():
                dropped[reason] = int((left & bad).sum())
            left &= ~bad
    return values[left], dropped


def _least_squares(
    design: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Coefficients, their covariance, and the residual sum of squares."""
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError(
            "the columns do not tell the coefficients apart: one is constant, or follows from the other; leave it out"
        )
    q, r = np.linalg.qr(design)
    solved = np.linalg.solve(r, q.T @ target)
    rss = float(((target - design @ solved) ** 2).sum())
    inverse = np.linalg.inv(r)
    return solved, inverse @ inverse.T * (rss / (len(target) - design.shape[1])), rss


def _intervals(
    names: list[str], solved: NDArray[np.float64], covariance: NDArray[np.float64], freedom: int, confidence: float
) -> pd.DataFrame:
    from scipy.stats import t

    se = np.sqrt(np.diag(covariance))
    half = float(t.ppf(0.5 + confidence / 2, freedom)) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2.0 * t.sf(np.abs(solved) / se, freedom)
    return pd.DataFrame(
        {"value": solved, "se": se, "low": solved - half, "high": solved + half, "p_value": p_value}, index=names
    )


def _range(values: pd.Series[float]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _outside(logs: NDArray[np.float64], used: tuple[float, float]) -> NDArray[np.bool_]:
    """Which logarithms lie outside the range of the values used, but for rounding."""
    low, high = (float(np.log(max(end, 1.0))) for end in used)
    return (logs < low - 1e-9) | (logs > high + 1e-9)


def _logarithm(given: Any, what: str) -> NDArray[np.float64]:
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{what} holds something that is no number: give numbers from 0") from None
    if not (values >= 0).all() or not np.isfinite(values).all():
        raise InputError(f"{what} holds a negative or missing number: give finite numbers from 0")
    return np.asarray(np.log(np.maximum(values, 1.0)))
