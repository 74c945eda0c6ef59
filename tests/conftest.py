"""What every test gets: no telemetry, no network beyond this machine, and marks that skip what this machine lacks.

data      needs the real data sets: the folder named by PLAYGROUND_DATA
weights   needs trained models in pretrained/
browser   needs Chromium; PLAYGROUND_CHROMIUM names one in an unusual place
slow      takes more than ten seconds
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before anything imports gradio or huggingface_hub, which read these once.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")  # else a pandas frame is built per queued event
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import pytest

pytest.register_assert_rewrite("pages")  # what it asserts is said as plainly as what a test does

ROOT = Path(__file__).parent.parent
QUIET = ("background-networking", "component-update", "sync")
FLAGS = ["--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-quic", *(f"--disable-{name}" for name in QUIET)]
LOOPBACK = ("127.", "localhost", "::1", "0.0.0.0")


def find_chromium() -> str | None:
    """The Chromium to test in: ``PLAYGROUND_CHROMIUM``, else one on the path, else None."""
    usual = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    names = (os.environ.get("PLAYGROUND_CHROMIUM"), *usual)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def lacking() -> dict[str, str]:
    """Each marker whose tests cannot run on this machine, and what it would take."""
    data = os.environ.get("PLAYGROUND_DATA")
    found = {
        "data": (bool(data and Path(data).is_dir()), "real data: set PLAYGROUND_DATA to their folder"),
        "weights": (any((ROOT / "pretrained").glob("*/model.safetensors")), "trained models in pretrained/"),
        "browser": (find_chromium(), "Chromium: install it (Debian: apt install chromium) or set PLAYGROUND_CHROMIUM"),
    }
    return {mark: f"needs {what}" for mark, (there, what) in found.items() if not there}


def pytest_report_header() -> list[str]:
    """Say first what will be skipped."""
    return [f"{mark} tests are skipped: {reason}" for mark, reason in lacking().items()]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run."""
    missing = lacking()
    for item in items:
        for mark, reason in missing.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium to test in."""
    path = find_chromium()
    if path is None:
        pytest.skip(lacking()["browser"])
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """One Chromium for all browser tests: Playwright bears only one at a time."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Any:
    """A connection to anywhere but this machine fails the test that makes it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test reached for the network: {address!r}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
