"""The Sketch page under a moving pen: pen to ink, lift to answer, and how soon a new stroke has stopped the old answer.

    python benchmarks/sketch.py [strokes] [query, such as "mode=complete&models=mnist-flow-matching&n=1"]

Serves the playground in this process, so that its work can be watched, and draws in a real browser on this machine.
"""

from __future__ import annotations

import logging
import os
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Generator
from typing import Any

from startup import FLAGS, ROOT, free_port

sys.path.insert(0, str(ROOT))

from playground.backends import Request
from playground.backends.local import Local
from playground.ui import build, launch_options
from playground.views import View

logging.disable(logging.WARNING)
# from the event to the end of the frame in which its ink was painted, and whether the ink was there in the event itself
WATCH = """() => {
  window.delays = []; window.there = [];
  const canvas = document.querySelector("[data-ink]");
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((v) => (v / box.width) * canvas.width);
    there.push(canvas.getContext("2d").getImageData(x, y, 1, 1).data[3] > 0);
    requestAnimationFrame(() => setTimeout(() => delays.push(performance.now() - event.timeStamp)));
  });
  window.lifted = 0; window.first = {}; window.done = {};
  canvas.addEventListener("pointerup", (event) => { lifted = event.timeStamp; first = {}; done = {}; });
  sketch.on("slot", (slot) => {
    if (!slot || !lifted || slot.begun < lifted) return;
    const since = performance.now() - lifted;
    if (slot.heard && !slot.stale) first[slot.name] ??= since;
    if (slot.status === "done") done[slot.name] ??= [since, 1000 * slot.seconds];
  });
}"""


class Watched(Local):
    """Knows how many runs go on."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.working = 0
        self._count = threading.Lock()

    def run(self, request: Request) -> Generator[View]:
        with self._count:
            self.working += 1
        try:
            yield from super().run(request)
        finally:
            with self._count:
                self.working -= 1


def stroke(page: Any, k: int, moves: int = 30) -> None:
    """Of so many moves, one a frame, somewhere in the upper half of the paper; the pen stays down."""
    box = page.locator("[data-ink]").bounding_box()
    x, y = box["x"] + box["width"] * (0.3 + 0.05 * (k % 5)), box["y"] + box["height"] * 0.2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(moves):
        page.mouse.move(x + 4 * i, y + (37 * i * (k + 1)) % 60)
        page.wait_for_timeout(16)


def said(what: str, values: list[float], unit: str = "ms") -> None:
    ordered = sorted(values)
    late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(
        f"{what}: median {statistics.median(ordered):.0f} {unit}, 95th percentile {late:.0f} ({len(ordered)})",
        flush=True,
    )


def draw(page: Any, backend: Watched, strokes: int) -> None:
    """Draw so many strokes, wait for all answers to each, and print the figures."""
    models = page.evaluate("sketch.state.models")
    first: dict[str, list[float]] = {name: [] for name in models}
    beside: dict[str, list[float]] = {name: [] for name in models}
    inks: list[float] = []
    for k in range(strokes):
        page.click("[data-act=clear]")
        stroke(page, k)
        inks += page.evaluate("delays.splice(0)")
        page.mouse.up()
        page.wait_for_function("sketch.state.models.every((n) => done[n])", timeout=120_000)
        for name in models:
            first[name].append(page.evaluate(f"first['{name}']"))
            total, own = page.evaluate(f"done['{name}']")
            beside[name].append(total - own)
    there = page.evaluate("there")
    print(f"ink under the pen in the event itself: {sum(there)} of {len(there)} moves")
    said("pen to ink, from the event to the end of its frame", inks)
    for name in models:
        said(f"{name}: lift to first picture", first[name])
        said(f"{name}: lift to whole answer, beside the model's own time", beside[name])


def stop(page: Any, backend: Watched, strokes: int) -> None:
    """Put the pen down again while all work, and print how soon nothing does."""
    took = []
    for k in range(strokes):
        stroke(page, k, 5)
        page.mouse.up()
        while backend.working == 0:
            page.wait_for_timeout(5)
        page.wait_for_timeout(150 + 40 * k)
        box = page.locator("[data-ink]").bounding_box()
        page.mouse.move(box["x"] + 50, box["y"] + 50)
        working = backend.working
        begun = time.perf_counter()
        page.mouse.down()
        while backend.working:
            time.sleep(0.002)
        if working:
            took.append(1000 * (time.perf_counter() - begun))
        page.mouse.up()
        page.wait_for_timeout(100)
    said("a new stroke: until no model works any more", took)


def main(strokes: int, query: str) -> None:
    from playwright.sync_api import sync_playwright

    backend = Watched()
    served = build(backend)
    port = free_port()
    served.queue(max_size=64)
    served.launch(server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True, **launch_options())
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=chromium(), args=FLAGS).new_page()
        page.goto(f"http://127.0.0.1:{port}/sketch?{query}")
        page.wait_for_selector("html[data-sketch=yes]", timeout=120_000)
        page.wait_for_function("sketch.state.models.every((n) => sketch.slotOf(n).status === 'done')", timeout=180_000)
        page.evaluate(WATCH)
        draw(page, backend, strokes)
        stop(page, backend, strokes)
    served.close(verbose=False)


def chromium() -> str | None:
    return os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, sys.argv[2] if len(sys.argv) > 2 else "mode=complete")
