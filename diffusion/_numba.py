"""The one `njit` the package uses: cached on disk where that is possible, nogil, no fastmath."""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
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


@functools.cache
def _kernels_stamp() -> tuple[str, str]:
    """Stamp of all kernels' sources.

    numba's own stamp of a cached kernel is the date and size of its file alone, so a kernel would live on in the cache
    after one that it calls, in another file, has changed: with old coins, and wrong numbers.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted((Path(__file__).parent / "kernels").glob("*.py")):
        digest.update(path.read_bytes())
    return "diffusion", digest.hexdigest()


def njit(function: F | None = None, **options: Any) -> Any:
    """Compile like `numba.njit(cache=True, nogil=True)`, without the cache where none can be written.

    numba raises while *decorating* when neither the source folder nor the user's cache folder is writable, which
    would make the import fail in a read-only container.
    """
    if function is None:
        return lambda f: njit(f, **options)
    try:
        compiled = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        log.info("no writable cache folder: %s is compiled anew in every process", function.__name__)
        return numba.njit(nogil=True, **options)(function)
    file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if file is not None and hasattr(file, "_source_stamp"):
        file._source_stamp = _kernels_stamp()
    return compiled
