"""One's own distribution, the scores and the stories, in a real browser over the fake arena."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake import Fake
from fake_arena import FakeArena, functions
from pages import Open, no_sideways, serve
from test_browser import visit  # noqa: F401 - a fixture

from playground.ui import build

pytestmark = pytest.mark.browser
DRAWN = "lab.state.target.drawn !== undefined"


@pytest.fixture(scope="module")
def fake_url() -> Iterator[str]:
    yield from serve(build(Fake(), functions(FakeArena())))


def own(page: Any, way: str) -> None:
    page.click("#pg-lab_bar button:has-text('Distribution')")
    page.click(f"[data-way={way}]")


def stroke(page: Any) -> None:
    box = page.locator("[data-pad]").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 90, steps=6)
    page.mouse.up()


def settled(page: Any) -> None:
    """Until the address says what is on the page; ``wait_for_function`` would not wait for a promise."""
    for _ in range(100):
        if page.evaluate("async () => (await lab.link()).url === location.href"):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the address does not follow the page")


def test_draw_undo_and_a_link_with_the_drawing(visit: Open) -> None:  # noqa: F811
    page = visit("lab")
    own(page, "draw")
    stroke(page)
    page.wait_for_function(DRAWN)
    first = page.evaluate("lab.state.target.drawn.b64")
    stroke_again = page.locator("[data-pad]")
    stroke_again.focus()
    for key in (" ", "ArrowDown", "ArrowDown", "ArrowDown", " "):  # by keyboard
        page.keyboard.press(key)
    page.wait_for_function("b => lab.state.target.drawn.b64 !== b", arg=first)
    page.click("[data-act=undo]")
    page.wait_for_function("b => lab.state.target.drawn.b64 === b", arg=first)  # taking back is exact
    settled(page)
    again = visit(page.evaluate("location.href").split("/", 3)[3])
    assert again.evaluate("lab.state.target.drawn.b64") == first


def test_a_refusal_stands_where_the_picture_would_be_and_the_page_goes_on(visit: Open) -> None:  # noqa: F811
    page = visit("lab")
    own(page, "formula")
    for text in ("__import__('os')", "1/0"):
        before = page.evaluate("JSON.stringify(lab.state.target)")
        page.fill("[data-formula]", text)
        page.wait_for_selector("[data-own-answer] [data-refusal]")
        assert page.evaluate("JSON.stringify(lab.state.target)") == before
        page.click("[data-example=Ring]")
        page.wait_for_selector("[data-own-answer] canvas")
        assert page.evaluate("lab.state.target.formula") is not None


def test_scores_say_of_what_kind_a_number_is(visit: Open) -> None:  # noqa: F811
    page = visit("lab")
    page.evaluate("lab.start()")
    page.wait_for_selector("[data-row=vae].lab-final", timeout=30_000)
    assert page.inner_text("[data-row=vae] [data-column=kl]").startswith("≤")
    assert page.inner_text("[data-row=score] [data-column=kl]").startswith("≈")
    assert page.inner_text("[data-row=gan] [data-column=kl]") == "–"
    assert page.locator("[data-row=vae] [data-column=kl].lab-best").count() == 0
    assert page.inner_text("[data-row=truth] [data-column=sliced]") == "0.050"
    page.click("[data-sort=kl]")
    page.wait_for_selector("th[aria-sort=ascending]")
    rows = page.eval_on_selector_all(".lab-table tbody tr", "rows => rows.map(r => r.dataset.row)")
    assert set(rows[-3:]) == {"gan", "wgan", "autoencoder"}  # what has no number stands last
    for name in ("png", "csv", "gif", "npz", "script"):
        with page.expect_download() as got:
            page.click(f"[data-export={name}]")
        assert got.value.suggested_filename


def test_a_story_tells_its_acts(visit: Open) -> None:  # noqa: F811
    page = visit("lab")
    page.click("[data-name=collapse]")
    page.wait_for_function("lab.state.learners.join() === 'gan,wgan'", timeout=30_000)
    assert "Provoked, it ended with" in page.inner_text("[data-say]")
    assert page.evaluate("lab.state.rate") == 1
    page.click("[data-end-story]")
    assert page.is_hidden("[data-story]")


def test_phone(visit: Open) -> None:  # noqa: F811
    page = visit("lab", width=390, height=844)
    own(page, "draw")
    assert no_sideways(page)
