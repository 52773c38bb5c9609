"""Small parts of a follower graph: probabilities with their rule, and the arcs grouped by target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arrays import constant

__all__ = ["Probabilities", "read_only"]


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    return constant(array.view())


@dataclass(frozen=True)
class Probabilities:
    """Propagation probabilities of the arcs and the rule they came from.

    Attributes
    ----------
    values : ndarray of float32, shape (n_edges,) or (1,)
        One probability for every arc in internal order; a single value holds for all arcs.
    rule : str
        Name of the rule.
    parameters : dict
        What the rule was given.
    """

    values: NDArray[np.float32]
    rule: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", read_only(self.values))

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), (self.values, self.rule, self.parameters)

    def scaled(self, factor: Any, **parameters: Any) -> Probabilities:
        """Return the same with every probability times a factor, and further parameters of the rule.

        Parameters
        ----------
        factor : float or ndarray of float64, shape (n_edges,) or (1,)
        **parameters
            For the label.

        Returns
        -------
        Probabilities
        """
        values = np.asarray(self.values * factor, np.float32)
        return replace(self, values=values, parameters={**self.parameters, **parameters})

    @property
    def label(self) -> str:
        """Short text for tables: ``"constant p=0.02"``."""
        given = [
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self.parameters.items()
            if name != "key"
        ]
        return " ".join([self.rule.replace("_", " "), *given])
