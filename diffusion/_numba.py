"""The one `njit` the package uses: cached on disk where that is possible, nogil, no fastmath."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core import event

__all__ = ["njit"]

log = logging.getLogger("diffusion")
F = TypeVar("F", bound=Callable[..., Any])


class _FirstCompilation(event.Listener):
    """Says once, in the log, why the first call takes seconds."""

    said = False

    def on_start(self, event: Any) -> None:
        if not self.said:
            self.said = True
            log.info("compiling kernels, which takes some seconds once; the next process finds them in numba's cache")

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _FirstCompilation())  # type: ignore[no-untyped-call]


def njit(function: F | None = None, **options: Any) -> Any:
    """Compile like `numba.njit(cache=True, nogil=True)`, without the cache where none can be written.

    numba raises while *decorating* when neither the source folder nor the user's cache folder is writable, which
    would make the import fail in a read-only container.
    """
    if function is None:
        return lambda f: njit(f, **options)
    try:
        return numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        log.info("no writable cache folder: %s is compiled anew in every process", function.__name__)
        return numba.njit(nogil=True, **options)(function)
