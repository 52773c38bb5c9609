"""Progress bars that stay silent for the first second and in files."""

from __future__ import annotations

from typing import Any

__all__ = ["progress"]


def progress(*, total: float | None, description: str, unit: str = "it", show: bool = True, **options: Any) -> Any:
    """Return a tqdm bar (a context manager) that appears after one second, and only on a terminal or in a notebook."""
    from tqdm.auto import tqdm

    return tqdm(
        total=total, desc=description, unit=unit, delay=1.0, leave=False, disable=None if show else True, **options
    )
