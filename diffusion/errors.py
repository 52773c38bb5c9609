"""Errors: each says what was given, what is allowed and what to do.

Every error is a `DiffusionError` and keeps the built-in ancestor that callers would expect
(`ValueError`, `KeyError`, `OSError`), so ``except ValueError`` goes on working.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DiffusionError",
    "EndlessFeedError",
    "InputError",
    "MissingDataError",
    "NotFoundError",
    "OutputError",
    "ReadError",
    "WorkerError",
    "did_you_mean",
]


class DiffusionError(Exception):
    """Base of every error this package raises on purpose.

    See Also
    --------
    errors.InputError, errors.NotFoundError, errors.ReadError, errors.WorkerError

    Examples
    --------
    >>> import diffusion as dif
    >>> try:
    ...     dif.Threshold(fraction=2.0)
    ... except dif.DiffusionError as error:
    ...     print(error)
    fraction=2.0 is out of range: give a number above 0 and at most 1
    """


class InputError(DiffusionError, ValueError):
    """A value that is out of range, of the wrong shape, or cannot be combined with another.

    See Also
    --------
    DiffusionError, errors.ReadError, errors.EndlessFeedError
    """


class EndlessFeedError(InputError):
    """A feed that answers engagement so strongly that one note would be shown without end: its R is infinite.

    See Also
    --------
    models.Feed, SIPS, errors.InputError
    """


class ReadError(InputError):
    """A file that cannot be understood; the message names the file and, where there is one, the line.

    See Also
    --------
    errors.InputError, read_edges
    """


class NotFoundError(DiffusionError, KeyError):
    """A name or node label that does not exist.

    See Also
    --------
    DiffusionError, errors.did_you_mean
    """

    def __str__(self) -> str:  # KeyError would show the repr of its argument
        return str(self.args[0]) if self.args else ""


class MissingDataError(DiffusionError, FileNotFoundError):
    """A data set or file that is not on this machine; the message says how to get it.

    See Also
    --------
    DiffusionError, datasets.load
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class OutputError(DiffusionError, OSError):
    """A folder or file that cannot be written.

    See Also
    --------
    DiffusionError, Study
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class WorkerError(DiffusionError, RuntimeError):
    """A worker of an executor that could not do its part; the message says which one, and what differs there.

    See Also
    --------
    DiffusionError, simulate, Study
    """


def did_you_mean(given: object, allowed: Iterable[object], *, limit: int = 3) -> str:
    """Return ``" Did you mean 'x'?"`` for the names nearest to `given`, or ``""``.

    Parameters
    ----------
    given : object
        What was asked for.
    allowed : iterable
        What there is.
    limit : int
        Most names in the answer.

    Returns
    -------
    str

    See Also
    --------
    errors.NotFoundError

    Examples
    --------
    >>> did_you_mean("degre", ["degree", "random"])
    " Did you mean 'degree'?"
    """
    by_text: dict[str, object] = {}
    for name in allowed:
        by_text.setdefault(str(name), name)
    near = difflib.get_close_matches(str(given), list(by_text), n=limit, cutoff=0.6)
    if not near:
        return ""
    return f" Did you mean {' or '.join(repr(by_text[name]) for name in near)}?"
