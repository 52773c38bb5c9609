"""Loops over independent kernel chunks on Python threads.

The kernels release the GIL, so plain threads are enough. No numba threading layer is started: nothing has to be
restored, a forked child works, and calls from several threads at once work.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from .errors import InputError

__all__ = ["map_chunks", "n_threads"]

T = TypeVar("T")
R = TypeVar("R")


def n_threads(threads: int | None = None) -> int:
    """Return how many threads to use: `threads`, else ``DIFFUSION_THREADS``, else the CPUs this process may use."""
    given: object = threads
    if threads is None:
        given = os.environ.get("DIFFUSION_THREADS")
        if given is None:
            return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    try:
        count = int(str(given))
    except (TypeError, ValueError):
        count = 0
    if count < 1 or isinstance(given, bool | float):
        where = "threads" if threads is not None else "DIFFUSION_THREADS"
        raise InputError(f"{where}={given!r} is not a thread count: give a whole number from 1")
    return count


def map_chunks(work: Callable[[T], R], chunks: Iterable[T], *, threads: int) -> Iterator[tuple[T, R]]:
    """Yield ``(chunk, work(chunk))`` as chunks finish, in any order; at most `threads` are under way.

    When the consumer stops early, or an error or Ctrl-C ends the loop, no further chunk is started.
    """
    todo = iter(chunks)
    if threads == 1:
        for chunk in todo:
            yield chunk, work(chunk)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="diffusion") as pool:
        running: dict[Future[R], T] = {}
        try:
            for chunk in todo:
                running[pool.submit(work, chunk)] = chunk
                if len(running) < threads:
                    continue
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()
