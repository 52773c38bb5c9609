"""What all tests share: the hypothesis profile, the root of the repository and the folder of real data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"

settings.register_profile(
    "local", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture
def data() -> Callable[[str], Path]:
    """Path of a real data file by name; the test is skipped where the data are absent."""

    def path(name: str) -> Path:
        found = DATA / name
        if not found.is_file():
            pytest.skip(f"the real data file {name} is not beside the repository (shared/data)")
        return found

    return path
