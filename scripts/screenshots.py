"""Take the pictures of the README: ``python scripts/screenshots.py [names]`` writes docs/pictures/, all or those named.

With ``--url`` they are taken at a playground that is running, else at one of its own. Every picture is a link, so it
can be had again by anybody.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
sys.path.insert(0, str(ROOT))  # so that it runs from any folder, uninstalled
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
CHART = "[data-chart=time] [data-drawn]"
WIDE, PHONE = (1280, 800), (390, 844)


@dataclass(frozen=True)
class Shot:
    """One picture: its file's name, the state in the link, how the page looks, what to press, to wait for."""

    name: str
    query: str = ""
    size: tuple[int, int] = WIDE
    dark: bool = False
    click: str = ""
    wait: str = ""
    scroll: str = ""  # what is brought to the top
    race: float = 0.0  # a race in the Laboratory, photographed when so much of its budget is spent


def shots(shelf: dict[str, Any]) -> Iterator[Shot]:
    """Every picture, for the models that are there."""
    models = {m["name"]: m for m in shelf["models"]}

    def able(activity: str, *liked: str) -> str:
        can = [name for name, m in models.items() if m["fits"].get(activity, "") is None]
        return next((name for name in (*liked, shelf["default"]) if name in can), can[0])

    best = able("generate")
    yield Shot("empty")
    yield Shot("play-light", f"?model={best}&do=generate&seed=17")
    yield Shot("play-dark", f"?model={best}&do=generate&seed=17", dark=True)
    yield Shot("phone", f"?model={best}&do=generate&seed=17", PHONE)
    yield Shot("phone-dark", f"?model={best}&do=generate&seed=17", PHONE, dark=True)
    yield Shot("watch", f"?model={able('watch', 'mnist-diffusion')}&do=watch&seed=17", dark=True)
    first = able("compare", "mnist-vae")
    varied = ("mixture", "flow", "pixelcnn", "diffusion", "conditional-gan")
    beside = ",".join(name for name in (f"mnist-{kind}" for kind in varied) if name in models)
    yield Shot("compare", f"?model={first}&do=compare&seed=17&others={beside}")
    yield Shot("interpolate", f"?model={able('interpolate', 'mnist-vae')}&do=interpolate&seed=17")
    yield Shot("reconstruct", f"?model={able('reconstruct', 'mnist-vae')}&do=reconstruct&seed=17", dark=True)
    near = "[data-neighbours][data-loaded=yes]"
    yield Shot("closer", f"?model={best}&do=generate&seed=17", click=".pg-stage .pg-tile >> nth=5", wait=near)
    weighing = able("densities", "mnist-pixelcnn")
    yield Shot("densities", f"?model={weighing}&do=densities&seed=17", scroll=".pg-stage")
    yield Shot("scores", "scores", wait=CHART)
    yield Shot("scores-charts", "scores", wait=CHART, scroll=".sc-charts", dark=True)
    yield Shot("laboratory", "lab?target=ring", race=0.9)
    yield Shot("laboratory-dark", "lab?target=pinwheel&view=difference&selected=flow_matching", dark=True, race=0.6)
    yield Shot("laboratory-phone", "lab?target=moons", PHONE, race=0.5)
    cannot = next(((n, a) for n, m in models.items() for a, why in m["fits"].items() if why is not None), None)
    if cannot:
        yield Shot("refusal", f"?model={cannot[0]}&do={cannot[1]}")


@contextmanager
def serving() -> Iterator[str]:
    """A playground of our own."""
    from playground.backends import pick
    from playground.ui import build, launch_options

    page = build(pick())
    page.queue(max_size=16)
    _, url, _ = page.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        yield url
    finally:
        page.close(verbose=False)


def take(browser: Browser, url: str, shot: Shot) -> None:
    """Take one picture."""
    width, height = shot.size
    scheme: Any = "dark" if shot.dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(url + shot.query)
    page.wait_for_selector("html[data-pg-ready], html[data-scores]")
    if shot.race:
        page.wait_for_function("lab.facts && lab.facts.learners.length > 0")
        page.evaluate("lab.start()")
        page.wait_for_function(f"lab.race.progress > {shot.race}")
    elif "seed=" in shot.query:
        page.wait_for_selector(".pg-stage[data-status=done]")
    elif not shot.query:
        page.wait_for_selector("[data-sheet]")
    if shot.click:
        page.click(shot.click)
    if shot.wait:
        page.wait_for_selector(shot.wait)
    if shot.scroll:
        page.evaluate("(it) => document.querySelector(it).scrollIntoView()", shot.scroll)
    page.wait_for_timeout(400)
    path = FOLDER / f"{shot.name}.png"
    page.screenshot(path=path)
    context.close()
    Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)  # a third of the size, and looks the same
    print(f"{path.name}  {path.stat().st_size // 1000} KB")


def main(url: str | None, names: list[str]) -> None:
    """Take them, at a playground that is running or at one of our own."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if url is None:
        with serving() as own:
            main(own, names)
        return
    chromium = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("html[data-pg-ready=yes]")
        shelf = page.evaluate("window.playground.shelf()")
        page.close()
        for shot in shots(shelf):
            if not names or shot.name in names:
                take(browser, url, shot)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="pictures to take; all of them by default")
    parser.add_argument("--url", help="of a playground that is running")
    asked = parser.parse_args()
    main(asked.url, asked.names)
