"""Arrays that never change."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

__all__ = ["constant"]

Array = TypeVar("Array", bound=np.ndarray[tuple[int, ...], np.dtype[np.generic]])


def constant(array: Array) -> Array:
    """Make an array read-only, as those of a graph are, and return it: kernels then compile once for both."""
    array.flags.writeable = False
    return array
