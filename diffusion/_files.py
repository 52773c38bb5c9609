"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError

__all__ = ["ensure_folder", "whole_file", "write_text"]


def ensure_folder(path: str | os.PathLike[str]) -> Path:
    """Create a folder, with its parents, that can be written; the error says what stands in the way."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write to the folder '{folder}' ({error.strerror or error}): choose another one, or make it writable"
        ) from None
    return folder


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` when the block ends without an error."""
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError(
            f"cannot write '{target}' ({error.strerror or error}): choose another place, or make the folder writable"
        ) from None
    part = Path(name)
    try:
        yield part
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write '{target}' ({error.strerror or error}): nothing was changed") from None
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file whole, as UTF-8."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
