"""One progress bar for each public call: it appears after two seconds, only where somebody looks, and goes when all is done."""

from __future__ import annotations

import functools
import sys
import threading
import types
from collections.abc import Callable
from time import monotonic
from typing import Any, ParamSpec, TypeVar

__all__ = ["one_bar", "progress"]

DELAY = 2.0  # seconds before a bar appears: most calls are done by then
REDRAW = 0.1  # seconds between two looks of a bar that is there
_lock = threading.RLock()
_call: _Call | None = None

P = ParamSpec("P")
R = TypeVar("R")


class _Call:
    """What one public call shows: the bar of the part under way, as parts inside it and loops over it come and go."""

    def __init__(self) -> None:
        self.start = self.drawn = monotonic()
        self.speaker: _Progress | None = None
        self._heard: _Progress | None = None
        self._bar: Any = None

    def look(self) -> None:
        now = monotonic()
        if now - self.start < DELAY or now - self.drawn < REDRAW or self.speaker is None:
            return
        with _lock:
            said = self.speaker
            if said is None:
                return
            self.drawn = now
            if self._bar is None:
                self._bar = _new_bar(said)
            elif said is not self._heard:
                self._bar.reset(total=said.total)
                self._bar.unit, self._bar.unit_scale = said.unit, said.unit_scale
            if not self._bar.disable:
                if said is not self._heard:
                    self._bar.set_description_str(f"{said.description}: ", refresh=False)
                    self._bar.start_t = self._bar._time() - (now - said.start)
                self._bar.total, self._bar.n = said.total, said.n
                self._bar.refresh()
            self._heard = said

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _new_bar(said: _Progress) -> Any:
    from tqdm.std import tqdm

    given: dict[str, Any] = {"total": said.total, "unit": said.unit, "unit_scale": said.unit_scale, "leave": False}
    # Nothing but a kernel brings the display of a notebook; elsewhere a bar is drawn on terminals only.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or "IPKernelApp" not in getattr(shell, "config", {}):
        return tqdm(disable=None, **given)
    from importlib import import_module

    show_line: Any = import_module("IPython.display").display

    class NotebookBar(tqdm):  # type: ignore[type-arg]
        """A line of text that is overwritten, and empty in the end: widgets would stay in the file of the notebook."""

        line: Any = None

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            text = {"text/plain": str(self) if msg is None else msg}
            if self.line is None:
                self.line = show_line(text, raw=True, display_id=True)
            else:
                self.line.update(text, raw=True)

        def close(self) -> None:
            if not self.disable:
                super().close()
                self.display("")

    return NotebookBar(gui=True, ncols=100, **given)


class _Progress:
    """One part of a call that can say how far it is; used in a ``with``."""

    def __init__(self, total: float | None, description: str, unit: str, show: bool, unit_scale: bool) -> None:
        self.total, self.description, self.unit, self.unit_scale = total, description, unit, unit_scale
        self.n: float = 0
        self.start = monotonic()
        self._show = show
        self._mine: _Call | None = None  # the call that begins and ends with this part
        self._of: _Call | None = None

    def __enter__(self) -> _Progress:
        if self._show:
            self._mine = _begin()
            with _lock:
                self._of = _call
                if _call is not None and _call.speaker is None:
                    _call.speaker = self
        return self

    def update(self, n: float = 1) -> None:
        """Say that `n` more are done."""
        self.n += n
        if self._of is not None:
            self._of.look()

    def __exit__(self, *error: object) -> None:
        with _lock:
            if self._of is not None and self._of.speaker is self:
                self._of.speaker = None
        _end(self._mine)


def _begin() -> _Call | None:
    """Begin a call, unless this is a part of one."""
    global _call
    with _lock:
        if _call is not None:
            return None
        _call = _Call()
        return _call


def _end(call: _Call | None) -> None:
    global _call
    if call is not None:
        with _lock:
            _call = None
        call.close()


def progress(
    *, total: float | None, description: str, unit: str = "it", show: bool = True, unit_scale: bool = False
) -> _Progress:
    """Return the progress of one part of a call, to be used in a ``with``; inside another part it shows nothing of its own."""
    return _Progress(total, description, unit, show, unit_scale)


def one_bar(function: Callable[P, R]) -> Callable[P, R]:
    """Let all parts of a call, one after the other, share one bar."""
    begin, end = _begin, _end

    def held(*args: P.args, **options: P.kwargs) -> R:
        call = begin()
        try:
            return function(*args, **options)
        finally:
            end(call)

    # With the globals of its module the function counts as defined there, so that its examples are run.
    own = types.FunctionType(held.__code__, function.__globals__, function.__name__, None, held.__closure__)
    return functools.wraps(function)(own)
