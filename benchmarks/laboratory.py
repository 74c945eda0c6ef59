"""The laboratory as a visitor meets it: first picture, pictures a second, a click's answer, quality in half a minute.

    python benchmarks/laboratory.py [seconds] [target]

Starts the app and a real browser on this machine, presses play with every learner at once, and reads the page.
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page
from startup import opened

COUNT = """() => {
  window.seen = {}; window.pressed = performance.now();
  lab.on("frame", (name) => {
    (window.seen[name] = window.seen[name] || []).push(performance.now() - window.pressed);
  });
}"""
# how long until the page has done what a click asks, and drawn it
CLICK = """(i) => new Promise((done) => {
  const begun = performance.now();
  document.querySelectorAll("[data-view-as]")[i % 3].click();
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
})"""
PROBE = """async () => {
  const begun = performance.now();
  const answered = await lab.ask("lab_probe", {race: lab.race.id, question: {what: "log_prob", points: [[1, 1]]}});
  return [performance.now() - begun, Boolean(answered && answered.ok)];
}"""


def race(page: Page, seconds: float) -> dict[str, Any]:
    """Press play and watch for ``seconds``."""
    page.evaluate(COUNT)
    page.keyboard.press("Space")
    begun = time.monotonic()
    clicks, probes = [], []
    while time.monotonic() - begun < seconds:
        page.wait_for_timeout(1000)
        clicks.append(page.evaluate(CLICK, len(clicks)))
        probes.append(page.evaluate(PROBE))
    seen = page.evaluate("() => window.seen")
    panels = page.evaluate(
        "() => Object.fromEntries(Object.entries(lab.panels).map(([n, p]) =>"
        " [n, [p.latest && p.latest.seconds, p.latest && p.latest.step, p.numbers]]))"
    )
    return {"seen": seen, "clicks": clicks, "probes": probes, "panels": panels}


def main(seconds: float, target: str) -> None:
    with opened(f"lab?target={target}") as (_, page):
        page.wait_for_function("() => window.lab && lab.facts && lab.facts.learners.length > 0", timeout=60_000)
        page.wait_for_timeout(8000)  # a visitor reads the page; the server comes to rest
        told = race(page, seconds)
    seen = {name: [ms / 1000 for ms in told["seen"][name]] for name in told["panels"]}
    rates = [(len(times) - 1) / (times[-1] - times[0]) for times in seen.values() if len(times) > 1]
    print(f"{len(seen)} panels; all have their first picture after {max(t[0] for t in seen.values()):.2f} s")
    print(f"pictures a second and panel: least {min(rates):.1f}, median {statistics.median(rates):.1f}")
    print(f"a click is drawn after {statistics.median(told['clicks']):.0f} ms, at most {max(told['clicks']):.0f} ms")
    asked = [ms for ms, good in told["probes"] if good]
    print(f"a point under every model after {statistics.median(asked):.0f} ms, at most {max(asked):.0f} ms")
    for name, (own, step, numbers) in told["panels"].items():
        kl, times = (numbers or {}).get("kl"), seen[name]
        gap = max((b - a for a, b in pairwise(times)), default=0.0)
        print(
            f"{name:15s} {len(times):4d} pictures until {times[-1]:5.1f} s, the longest gap {gap:.2f} s;"
            f" {own or 0:6.2f} s {step or 0:7d} steps  KL {'-' if kl is None else f'{kl:.3f}'}  {numbers}"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30, sys.argv[2] if len(sys.argv) > 2 else "ring")
