"""The laboratory as a visitor has it, engine and all: draw, press, wait, read the numbers off the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake import Fake
from pages import serve
from test_lab_targets import DRAWN, own, stroke

from playground.lab.arena import Arena
from playground.ui import build, laboratory

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG = 90_000  # ms: the workers import torch, perhaps beside other tests
FEW = "lab?learners=mixture,autoregressive,gan&budget=60steps"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    arena = Arena()
    yield from serve(build(Fake(), laboratory.functions(arena)))
    arena.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, wrong = context.new_page(), []
    page.set_default_timeout(LONG)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url + FEW)
    page.wait_for_function("window.lab && lab.facts && lab.facts.learners.length > 0")
    yield page
    context.close()
    assert wrong == []


def number(page: Any, learner: str, column: str) -> str:
    """A cell of the table, as it stands on the page."""
    names = page.locator("[data-lab-scores] tbody tr, .lab-scores tbody tr").all_inner_texts()
    row = next(i for i, text in enumerate(names) if text.startswith(learner))
    rows = page.locator("[data-lab-scores] tbody tr, .lab-scores tbody tr")
    return str(rows.nth(row).locator(f"[data-column={column}]").inner_text())


def test_draw_press_wait_and_read(page: Any) -> None:
    own(page, "draw")
    stroke(page)
    page.wait_for_function(DRAWN)
    page.keyboard.press("Escape")
    page.evaluate("lab.start()")
    page.wait_for_function("lab.race.status === 'done'")
    page.wait_for_function("['mixture', 'autoregressive'].every((n) => lab.panels[n].numbers.final)")
    page.wait_for_timeout(500)
    for learner in ("Gaussian mixture", "Autoregressive"):
        value = float(number(page, learner, "kl").split("±")[0])
        assert 0 < value < 2  # sixty steps on a drawn line
    assert number(page, "GAN", "kl") == "–"  # it has no density
