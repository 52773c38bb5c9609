"""Waiting times of models in continuous or discrete time: small frozen distributions, of arcs or of nodes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant
from .._validation import is_real, number, probability
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from ..kernels.waiting import EXPONENTIAL, FIXED, GAMMA, GEOMETRIC, LOGNORMAL, WEIBULL, Wait

__all__ = [
    "RATE_1",
    "Exponential",
    "Fixed",
    "Gamma",
    "Geometric",
    "LogNormal",
    "WaitingTime",
    "Weibull",
    "distribution",
]


@dataclass(frozen=True)
class WaitingTime(ABC):
    """A distribution of waiting times: how long an arc takes to transmit, or a node to recover.

    The first parameter may be the name of a column, and each arc or node then has a value of its own: of arcs a column
    of ``graph.edge_data`` (the weight of the rows is ``"weight"``), of nodes a node attribute.

    See Also
    --------
    models.Exponential, models.Gamma, models.Weibull, models.LogNormal, models.Fixed, models.Geometric
    """

    kind: ClassVar[int]

    @staticmethod
    def of(value: Any, name: str) -> WaitingTime:
        """Return a waiting time from one, from a rate, or from a table as a study file declares it.

        Parameters
        ----------
        value : WaitingTime, float, str or mapping
            A number is the rate of `Exponential`, and so is the name of a column; a mapping is
            ``{"kind": "gamma", "mean": 2.0, "shape": 3.0}``.
        name : str
            Of the parameter, for messages.

        Returns
        -------
        WaitingTime

        Raises
        ------
        InputError
            A rate below 0 or not finite, or parameters out of range.

        Examples
        --------
        >>> WaitingTime.of(0.5, "recovery")
        Exponential(rate=0.5)
        >>> WaitingTime.of({"kind": "gamma", "mean": 2.0, "shape": 3.0}, "recovery")
        Gamma(mean=2.0, shape=3.0)
        """
        if isinstance(value, WaitingTime):
            return value
        if isinstance(value, Mapping):
            table = dict(value)
            kind = str(table.pop("kind", ""))
            if kind not in KINDS:
                raise InputError(f"{name}: kind={kind!r} is no waiting time: choose {', '.join(KINDS)}")
            try:
                return KINDS[kind](**table)
            except (TypeError, InputError) as error:
                raise InputError(f"{name}: {error}") from None
        if not is_real(value) and not isinstance(value, str):
            raise InputError(
                f"{name}={value!r} is no waiting time: give a rate, the name of a column of rates, or one of "
                f"{', '.join(kind.__name__ for kind in KINDS.values())}"
            )
        try:
            return Exponential(value)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None

    def __post_init__(self) -> None:
        first, *others = fields(self)
        if self.column is None:
            self._check(self._first, first.name)
        for other in others:
            self._check_form(self.form, other.name)

    @property
    def _first(self) -> Any:
        """The parameter that may be a column."""
        return getattr(self, fields(self)[0].name)

    @property
    def column(self) -> str | None:
        """Name of the column that the first parameter names; None: one value for all."""
        return self._first if isinstance(self._first, str) else None

    def scales(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scale that kernels take of values of the first parameter."""
        return values

    @property
    def study_value(self) -> dict[str, Any]:
        """What declares it in the table of a model: what `of` takes."""
        name = next(name for name, kind in KINDS.items() if kind is type(self))
        return {"kind": name, **{f.name: getattr(self, f.name) for f in fields(self)}}

    @property
    def text(self) -> str:
        """How labels of models write it; of exponential times the rate, as it is given to `of`."""
        return str(self)

    @property
    def form(self) -> float:
        """Shape that kernels take: the second parameter, where there is one."""
        return getattr(self, fields(self)[1].name) if len(fields(self)) > 1 else 1.0

    @property
    def never(self) -> bool:
        """Is it a time that never comes, such as that of a rate of 0?"""
        return bool(np.isinf(self.expected))

    @property
    def expected(self) -> float:
        """Mean; NaN where a column gives each its own."""
        return math.nan if self.column is not None else self._mean(self._first)

    @abstractmethod
    def _mean(self, first: float) -> float:
        """Mean at a value of the first parameter."""

    def cdf(self, time: NDArray[np.float64] | float) -> Any:
        """Probability that the time is at most `time`, where one value holds for all.

        Parameters
        ----------
        time : float or ndarray

        Returns
        -------
        float or ndarray
        """
        scale = self.scales(np.asarray(self._first, np.float64))
        return distribution(Wait(self.kind, scale, float(self.form)), np.asarray(time, np.float64), scale)

    def on_arcs(self, graph: FollowerGraph, name: str) -> Wait:
        """Return what kernels read of the waiting times of arcs.

        Parameters
        ----------
        graph : FollowerGraph
        name : str
            Of the parameter, for messages.

        Returns
        -------
        Wait

        Raises
        ------
        NotFoundError
            The column is not there.
        InputError
            A value of the column out of range.
        """
        return self._wait(None if self.column is None else graph.edge_data, name, "arcs")

    def on_nodes(self, graph: FollowerGraph, name: str) -> Wait:
        """Return what kernels read of the waiting times of nodes, by internal node.

        Parameters
        ----------
        graph : FollowerGraph
        name : str

        Returns
        -------
        Wait
        """
        wait = self._wait(None if self.column is None else graph.attributes, name, "nodes")
        if wait.scale.size > 1 or (self.column is not None and graph.n_nodes == 1):
            wait = wait._replace(scale=constant(wait.scale[graph.index.order]))
        return wait

    def _wait(self, columns: Mapping[str, Any] | None, name: str, of: str) -> Wait:
        if columns is None:
            values = np.asarray([self._first], np.float64)
        else:
            column = self.column
            assert column is not None
            if column not in columns:
                raise NotFoundError(
                    f"{name}: the graph has no column {column!r} of {of}, but {', '.join(map(repr, columns)) or 'none'}."
                    + did_you_mean(column, columns)
                )
            values = np.asarray(columns[column], np.float64)
            worst = values[~np.isfinite(values)][:1].tolist() or [values.min(), values.max()] if values.size else []
            for value in worst:
                self._check(float(value), f"{name}: a value of the column {column!r}")
        return Wait(self.kind, constant(np.array(self.scales(values), np.float64)), float(self.form))

    def _check(self, value: Any, name: str) -> None:
        number(value, name, above=0)

    def _check_form(self, value: Any, name: str) -> None:
        number(value, name, above=0)


def distribution(wait: Wait, time: NDArray[np.float64], scale: Any, *, left: bool = False) -> NDArray[np.float64]:
    """P(time of that scale <= `time`) under the kind and shape of a wait; with `left` <.

    Parameters
    ----------
    wait : Wait
        Its own scales are not read.
    time : ndarray of float64
    scale : float or ndarray of float64
        Broadcast against `time`.
    left : bool

    Returns
    -------
    ndarray of float64
    """
    from scipy import special

    kind, _, shape = wait
    if kind == FIXED:
        return np.asarray(time > scale if left else time >= scale, np.float64)
    if kind == EXPONENTIAL:
        return np.asarray(-np.expm1(-time / scale))
    if kind == WEIBULL:
        return np.asarray(-np.expm1(-((time / scale) ** shape)))
    if kind == GEOMETRIC:
        steps = np.ceil(time) - 1.0 if left else np.floor(time)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(steps <= 0, 0.0, -np.expm1(np.maximum(steps, 1.0) * np.log1p(-np.asarray(scale))))
    if kind == GAMMA:
        return np.asarray(special.gammainc(shape, time / scale))
    if shape == 0.0:
        return np.asarray(time > scale if left else time >= scale, np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(special.ndtr((np.log(time) - np.log(scale)) / shape))


def _inverse(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return 1.0 / np.asarray(values, np.float64)


@dataclass(frozen=True)
class Exponential(WaitingTime):
    """Exponential waiting time.

    Parameters
    ----------
    rate : float from 0, or str
        Events per unit of time; the mean is 1 / rate, and 0 means never. A name is that of a column of rates.

    See Also
    --------
    models.Gamma, models.Fixed

    Examples
    --------
    >>> Exponential(0.5).expected
    2.0
    """

    kind: ClassVar[int] = EXPONENTIAL

    rate: float | str

    def _check(self, value: Any, name: str) -> None:
        number(value, name, least=0)

    @property
    def text(self) -> str:
        """See `WaitingTime.text`."""
        return self.rate if isinstance(self.rate, str) else f"{self.rate:g}"

    def scales(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `WaitingTime.scales`."""
        return _inverse(values)

    def _mean(self, first: float) -> float:
        return math.inf if first == 0 else 1.0 / first


@dataclass(frozen=True)
class Gamma(WaitingTime):
    """Gamma waiting time; with a whole number as shape it is the sum of so many exponential stages (Erlang).

    Parameters
    ----------
    mean : float above 0, or str
    shape : float above 0
        1: exponential; larger: closer to a fixed time.

    See Also
    --------
    models.Exponential, models.LogNormal

    Examples
    --------
    >>> round(float(Gamma(mean=2.0, shape=1.0).cdf(2.0)), 6)
    0.632121
    """

    kind: ClassVar[int] = GAMMA

    mean: float | str
    shape: float

    def _mean(self, first: float) -> float:
        return float(first)

    def scales(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `WaitingTime.scales`."""
        return np.asarray(values, np.float64) / self.shape


@dataclass(frozen=True)
class Weibull(WaitingTime):
    """Weibull waiting time.

    Parameters
    ----------
    scale : float above 0, or str
        Time by which 63 % have happened.
    shape : float above 0
        1: exponential; above 1 the hazard rises with time.

    See Also
    --------
    models.Exponential, models.Gamma

    Examples
    --------
    >>> round(Weibull(scale=1.0, shape=2.0).expected, 6)
    0.886227
    """

    kind: ClassVar[int] = WEIBULL

    scale: float | str
    shape: float

    def _mean(self, first: float) -> float:
        return first * math.gamma(1.0 + 1.0 / self.shape)


@dataclass(frozen=True)
class LogNormal(WaitingTime):
    """Log-normal waiting time.

    Parameters
    ----------
    median : float above 0, or str
    sigma : float from 0
        Standard deviation of the logarithm.

    See Also
    --------
    models.Gamma, models.Weibull

    Examples
    --------
    >>> round(LogNormal(median=1.0, sigma=1.0).expected, 6)
    1.648721
    """

    kind: ClassVar[int] = LOGNORMAL

    median: float | str
    sigma: float

    def _check_form(self, value: Any, name: str) -> None:
        number(value, name, least=0)

    def _mean(self, first: float) -> float:
        return first * math.exp(self.sigma**2 / 2.0)


@dataclass(frozen=True)
class Fixed(WaitingTime):
    """The same time always.

    Parameters
    ----------
    time : float from 0, or str

    See Also
    --------
    models.Exponential, models.Geometric

    Examples
    --------
    >>> Fixed(3.0).expected
    3.0
    """

    kind: ClassVar[int] = FIXED

    time: float | str

    def _check(self, value: Any, name: str) -> None:
        number(value, name, least=0)

    def _mean(self, first: float) -> float:
        return float(first)


@dataclass(frozen=True)
class Geometric(WaitingTime):
    """Whole steps until the first success: the waiting time of models in discrete time.

    Parameters
    ----------
    p : float from 0 to 1, or str
        Probability of success at each step 1, 2, ...; 0 means never.

    See Also
    --------
    models.Exponential, models.Fixed

    Examples
    --------
    >>> Geometric(0.25).expected
    4.0
    """

    kind: ClassVar[int] = GEOMETRIC

    p: float | str

    def _check(self, value: Any, name: str) -> None:
        probability(value, name)

    def _mean(self, first: float) -> float:
        return math.inf if first == 0 else 1.0 / first


RATE_1 = Exponential(1.0)
KINDS: dict[str, type[WaitingTime]] = {
    "exponential": Exponential,
    "gamma": Gamma,
    "weibull": Weibull,
    "lognormal": LogNormal,
    "fixed": Fixed,
    "geometric": Geometric,
}
