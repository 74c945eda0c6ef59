"""The Latent page's pad: from a pointer's move to the new picture's pixels, with the server and with it stopped.

    python benchmarks/pad.py [moves]

Starts the app and a real browser on this machine, and drags over the pad; also how soon after rest the exact picture is
there, and how far the blended one was from it.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from playwright.sync_api import Page
from startup import opened

# from the event to the end of the frame in which its picture was painted
WATCH = """() => {
  window.delays = [];
  document.querySelector("[data-plane]").addEventListener("pointermove", (event) => {
    requestAnimationFrame(() => delays.push(performance.now() - event.timeStamp));
  });
}"""
BLENDED = """() => {
  const canvas = document.querySelector("[data-picture]");
  window.last = [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
  window.rested = performance.now();
}"""
OFF = """() => new Promise((done) => {
  const canvas = document.querySelector("[data-picture]");
  const look = () => {
    if (canvas.dataset.sure !== "true") { requestAnimationFrame(look); return; }
    const now = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let sum = 0;
    for (let i = 0; i < now.length; i++) if (i % 4 < 3) sum += Math.abs(now[i] - last[i]);
    done([performance.now() - rested, (sum / now.length) * (4 / 3)]);
  };
  look();
})"""


def drag(page: Page, moves: int) -> list[float]:
    """Milliseconds of each of so many moves, one a frame, along a curve over the pad."""
    box: Any = page.locator("[data-plane]").bounding_box()
    page.evaluate("() => { delays.length = 0; }")
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    for k in range(moves):
        share = k / moves
        page.mouse.move(
            box["x"] + box["width"] * (0.05 + 0.9 * share), box["y"] + box["height"] * (0.5 + 0.4 * (-1) ** k * share)
        )
        page.wait_for_timeout(16)
    page.mouse.up()
    return sorted(page.evaluate("() => delays"))


def main(moves: int) -> None:
    with opened("latent") as (process, page):
        page.wait_for_selector("[data-picture][data-sure=true]", timeout=60_000)
        page.wait_for_timeout(2000)
        page.evaluate(WATCH)
        side = page.evaluate("latent.result.lattice.side")
        print(f"the plane: {page.evaluate('latent.state.model')}, {side} pictures a side")
        for name in ("with the server", "with the server stopped"):
            if name.endswith("stopped"):
                process.send_signal(signal.SIGSTOP)
            took = drag(page, moves)
            median, late = took[len(took) // 2], took[int(0.95 * len(took))]
            print(f"{name}: {len(took)} moves, median {median:.1f} ms, 95th percentile {late:.1f} ms")
        process.send_signal(signal.SIGCONT)
        page.wait_for_timeout(1000)
        box: Any = page.locator("[data-plane]").bounding_box()
        exact = []
        for k in range(20):
            page.mouse.move(box["x"] + 40 + 20 * k, box["y"] + 60 + 17 * k)
            page.mouse.down()
            page.wait_for_timeout(40)
            page.evaluate(BLENDED)
            exact.append(page.evaluate(OFF))
            page.mouse.up()
        rest, off = (sorted(values) for values in zip(*exact, strict=True))
        print(f"exact after rest: median {rest[10]:.0f} ms, at most {rest[-1]:.0f} ms")
        print(f"blended against exact, mean absolute of 255: median {off[10]:.2f}, at most {off[-1]:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
