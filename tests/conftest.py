"""What all tests share: the hypothesis profile, the root of the repository and the folder of real data.

A test that reads a real data file takes the fixture `data`. It is then marked `real_data`, is skipped where the file is
absent, and is counted at the end of every run.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
sys.path.append(str(ROOT / "docs"))  # pages are made by modules that import each other

settings.register_profile(
    "local", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """Path of a real data file by name; the test is skipped where the data are absent."""

    def path(name: str) -> Path:
        file = DATA / name
        if not file.is_file():
            pytest.skip(f"the real data file {name} is not beside the repository (shared/data)")
        return file

    return path


FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[SimpleNamespace]:
    """Start a browser; skipped with the reason where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        started = []

        def launch(*flags: str) -> Any:
            browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
            started.append(browser)
            return browser

        yield SimpleNamespace(launch=launch, shared=launch())
        for browser in started:
            browser.close()


def watched(context: Any, wrong: list[str]) -> Any:
    """Open an empty page, which notes errors of its console and requests to a network."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "data:", "blob:")) or wrong.append(request.url))
    return page


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Close what a test drew: pyplot keeps figures, and warns from the twenty-first on."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes the fixture `data`, itself or through another fixture."""
    for item in items:
        fixtures = getattr(item, "_fixtureinfo", None)
        if fixtures is not None and "data" in fixtures.name2fixturedefs:
            item.add_marker(pytest.mark.real_data)


def count_real_data(stats: dict[str, list[Any]]) -> tuple[int, int]:
    """Tests that need the real data: how many ran, and how many were skipped."""
    of = {
        outcome: {report.nodeid for report in stats.get(outcome, ()) if "real_data" in getattr(report, "keywords", ())}
        for outcome in ("passed", "failed", "error", "xfailed", "xpassed", "skipped")
    }
    skipped = of.pop("skipped")
    return len(set().union(*of.values()) - skipped), len(skipped)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests need the real data, and how many of these were skipped."""
    ran, skipped = count_real_data(terminalreporter.stats)
    if ran + skipped:
        terminalreporter.write_line(f"{ran + skipped} tests need the real data: {ran} ran, {skipped} skipped")
