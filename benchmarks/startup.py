"""How long until somebody can start: a bare Gradio page beside this one, and the first sample after it.

    python benchmarks/startup.py [rounds]

Each round starts both in turn, each in a process of its own, and opens each in the same browser: from the start of the
process to the moment the page can be used; for ours also to the first sample after it. Medians and their ratio.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
BARE = """
import gradio as gr
with gr.Blocks(analytics_enabled=False) as page:
    box, button = gr.Slider(0, 1), gr.Button("Go", elem_id="go")
    button.click(lambda v: v, box, box)
page.launch(server_name="127.0.0.1", server_port={port}, quiet=True, run_history=False)
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answering(url: str) -> None:
    """Wait until the server answers."""
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)


@contextmanager
def opened(path: str) -> Iterator[tuple[subprocess.Popen[bytes], Page]]:
    """The app in a process of its own, and a browser's page at ``path`` of it."""
    port = free_port()
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), "--no-browser"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answering(f"http://127.0.0.1:{port}/")
        with sync_playwright() as playwright:
            chromium = (
                os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
            )
            page = playwright.chromium.launch(executable_path=chromium, args=FLAGS).new_page()
            page.goto(f"http://127.0.0.1:{port}/{path}")
            yield process, page
    finally:
        process.kill()  # it may have been stopped
        process.wait()


def measure(command: list[str], url: str, ready: str, page: Page) -> tuple[float, float, float]:
    """Seconds from the start of the process to its first answer, to the page in use, and on to the first sample."""
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONPATH": str(ROOT)}
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answering(url)
        answered = time.perf_counter() - begun
        page.goto(url)
        page.wait_for_selector(ready)
        usable, sample = time.perf_counter() - begun, 0.0
        if "pg-ready" in ready:
            pressed = time.perf_counter()
            page.keyboard.press("Enter")
            page.wait_for_selector(".pg-stage[data-status=done] .pg-tile")
            sample = time.perf_counter() - pressed
        page.goto("about:blank")
    finally:
        process.terminate()
        process.wait()
    return answered, usable, sample


def main(rounds: int) -> None:
    bare: list[tuple[float, float, float]] = []
    ours: list[tuple[float, float, float]] = []
    with sync_playwright() as playwright:
        chromium = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(120_000)
        for _ in range(rounds):
            port = free_port()
            command = [sys.executable, "-c", BARE.format(port=port)]
            bare.append(measure(command, f"http://127.0.0.1:{port}/", "#go", page))
            port = free_port()
            command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), "--no-browser"]
            ours.append(measure(command, f"http://127.0.0.1:{port}/", "html[data-pg-ready=yes]", page))
        browser.close()
    for place, what in enumerate(("server answers", "page usable")):
        a, b = (statistics.median(r[place] for r in runs) for runs in (bare, ours))
        print(f"{what:15s} bare Gradio {a:5.2f} s   playground {b:5.2f} s   ratio {b / a:.2f}")
    print(f"first sample    {statistics.median(r[2] for r in ours):.2f} s after the page is usable")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
