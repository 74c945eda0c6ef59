"""The Sketch page in a real browser: what the finger does, the paper does, and the models follow."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_sketch import FakeSketch
from pages import Open, no_sideways, opening, serve
from PIL import Image

from playground.ui import build
from playground.ui.components.sketch_gallery import starts

pytestmark = pytest.mark.browser
DONE = "sketch.state.models.every((name) => sketch.slotOf(name).status === 'done')"
GHOST = "document.querySelector('[data-ghost]').toDataURL()"


@pytest.fixture(scope="module")
def fake() -> FakeSketch:
    return FakeSketch()


@pytest.fixture(scope="module")
def url(fake: FakeSketch) -> Iterator[str]:
    yield from serve(build(fake))


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Open]:
    """Opens the page, and waits until the models have answered about what is on the paper."""
    with opening(browser, "html[data-sketch=yes]") as opened:

        def come(query: str = "?models=quick&mode=complete", **options: Any) -> Any:
            page = opened(url, f"sketch{query}", **options)
            page.wait_for_function(DONE)
            return page

        yield come


def spot(page: Any, across: float, down: float) -> tuple[float, float]:
    """Where a share of the paper's width and height is on the screen."""
    box = page.locator("[data-ink]").bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def stroke(page: Any, *shares: tuple[float, float], lift: bool = True) -> None:
    page.mouse.move(*spot(page, *shares[0]))
    page.mouse.down()
    for share in shares[1:]:
        page.mouse.move(*spot(page, *share), steps=5)
    if lift:
        page.mouse.up()


def clear(page: Any) -> None:
    page.click("[data-act=clear]")
    page.wait_for_selector("[data-empty]:visible")


def inked(page: Any, across: float, down: float) -> bool:
    """Whether there is ink at a place of the paper."""
    there = """([x, y]) => { const c = document.querySelector("[data-ink]");
      return c.getContext("2d").getImageData(x * c.width, y * c.height, 1, 1).data[3] > 0; }"""
    return bool(page.evaluate(there, [across, down]))


def last(fake: FakeSketch, model: str) -> dict[str, Any]:
    return dict(next(r for r in reversed(fake.asked) if r.model == model).knobs)


def picture(knob: str) -> np.ndarray:
    """A picture as the page sent it, (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(knob.partition(",")[2]))).convert("RGB"))


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def strokes(page: Any) -> int:
    return int(page.evaluate("sketch.book().strokes().length"))


def test_a_first_visit_shows_answers_without_a_click(visit: Open, fake: FakeSketch) -> None:
    page = visit("?mode=complete")
    assert page.locator(".sk-panel").count() == 3
    assert page.locator("[data-panel=quick] .pg-tile").count() == 9
    assert "refuses everything" in page.inner_text("[data-panel=refuses] [data-refusal]")
    assert "log p" in page.inner_text("[data-panel=steps]")
    assert "pen has no hand for it" in page.text_content("[data-others]")
    assert page.get_attribute("[data-mode=transport]", "aria-disabled") == "true"
    assert no_sideways(page)
    sent = {name: picture(last(fake, name)["canvas"]) for name in ("quick", "steps")}
    assert sent["quick"].shape == (28, 28, 3)
    assert (sent["quick"] == sent["steps"]).all()


def test_ink_is_there_while_the_pen_moves_and_all_are_asked_when_it_is_lifted(visit: Open, fake: FakeSketch) -> None:
    page = visit()
    clear(page)
    before = len(fake.asked)
    stroke(page, (0.25, 0.25), (0.75, 0.25), lift=False)
    assert inked(page, 0.5, 0.25)
    assert inked(page, 0.75, 0.25)
    assert not inked(page, 0.5, 0.6)
    assert len(fake.asked) == before
    page.mouse.up()
    page.wait_for_selector("[data-panel=quick][data-status=done]")
    sent = picture(last(fake, "quick")["canvas"])[:, :, 0]
    assert sent[7, 8:20].min() > 150
    assert sent[14:].max() == 0
    assert page.get_attribute("[data-hidden]", "style") == "left: 0%; top: 50%; width: 100%; height: 50%;"


def test_a_new_stroke_stops_the_old_answer(visit: Open, fake: FakeSketch) -> None:
    page = visit("?models=steps&mode=complete")
    stroke(page, (0.3, 0.3), (0.4, 0.4))
    page.wait_for_selector("[data-panel=steps][data-status=running] .pg-tile")
    eventually(lambda: fake.working == 1)
    asked = len(fake.asked)
    stroke(page, (0.5, 0.3), (0.6, 0.4), lift=False)
    page.wait_for_selector("[data-panel=steps][data-status=held]")
    eventually(lambda: fake.working == 0)
    assert len(fake.asked) == asked
    page.mouse.up()
    page.wait_for_selector("[data-panel=steps][data-status=running] .pg-tile")
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-panel=steps][data-status=stopped]")
    page.click("[data-dice]")
    page.wait_for_function(DONE)
    assert fake.asked[-1].seed == page.evaluate("sketch.state.seed") != 17


def test_taking_back_rubbing_out_and_keys(visit: Open) -> None:
    page = visit()
    clear(page)
    blank = page.evaluate(GHOST)
    stroke(page, (0.2, 0.2), (0.8, 0.2))
    one = page.evaluate(GHOST)
    page.keyboard.press("e")
    stroke(page, (0.5, 0.1), (0.5, 0.3))
    assert not inked(page, 0.5, 0.2)
    page.keyboard.press("Control+z")
    assert page.evaluate(GHOST) == one
    page.keyboard.press("Control+z")
    assert page.evaluate(GHOST) == blank
    page.keyboard.press("Control+Shift+Z")
    assert page.evaluate(GHOST) == one
    page.keyboard.press("p")
    page.focus("[data-ink]")
    for key in ("Space", "Shift+ArrowDown", "Shift+ArrowRight", "Space"):
        page.keyboard.press(key)
    assert inked(page, 0.5, 0.6)
    assert inked(page, 0.62, 0.625)


def test_a_brushed_mask_is_sent_and_own_knobs_too(visit: Open, fake: FakeSketch) -> None:
    page = visit()
    page.click("[data-tool=hide]")
    stroke(page, (0.1, 0.5), (0.9, 0.5))
    page.click(".sk-own summary")
    page.fill("[data-knob=wildness] .pg-number-box", "1.5")
    page.keyboard.press("Tab")
    eventually(lambda: last(fake, "quick").get("wildness") == 1.5)
    sent = last(fake, "quick")
    assert sent["hide"] == "brushed"
    hidden = picture(sent["hidden"])[:, :, 0]
    assert hidden[14, 6:22].min() == 255
    assert hidden[:8].max() == 0
    page.click("[data-tool=show]")
    stroke(page, (0.5, 0.4), (0.5, 0.6))
    eventually(lambda: picture(last(fake, "quick")["hidden"])[14, 14, 0] == 0)


def test_a_link_holds_the_strokes_and_two_tabs_keep_apart(visit: Open, fake: FakeSketch) -> None:
    page, other = visit(), visit()
    stroke(page, (0.3, 0.6), (0.5, 0.9), (0.7, 0.6))
    stroke(page, (0.1, 0.1), (0.1, 0.1))
    page.click("[data-dice]")
    page.wait_for_function(DONE)
    link = page.evaluate("sketch.link().then((made) => made.url)")
    page.wait_for_function(f"location.href === {link!r}")
    assert strokes(other) == 1
    assert other.evaluate("sketch.state.seed") == 17
    again = visit("?" + link.split("?", 1)[1])
    same = "JSON.stringify([sketch.book().strokes(), sketch.state.seed, sketch.state.models])"
    assert again.evaluate(same) == page.evaluate(same)
    assert again.evaluate(GHOST) == page.evaluate(GHOST)
    broken = visit("?mode=complete&models=quick#dAAAA")
    assert "cut off" in broken.inner_text("#pg-toast")


def test_pictures_small_large_and_ten_thousand_strokes(visit: Open, tmp_path: Path) -> None:
    page = visit()
    clear(page)
    Image.new("L", (1, 1)).save(tmp_path / "one.png")
    page.set_input_files("[data-file]", tmp_path / "one.png")
    page.wait_for_function("(document.getElementById('pg-toast') || {}).textContent?.includes('Nothing stands out')")
    assert page.is_visible("[data-empty]")
    photo = Image.new("1", (8000, 6250), 1)  # 50 megapixels
    photo.paste(0, (3600, 1000, 4400, 5200))
    photo.save(tmp_path / "photo.png")
    page.set_input_files("[data-file]", tmp_path / "photo.png")
    page.wait_for_selector("[data-panel=quick][data-status=done]")
    assert inked(page, 0.5, 0.5)
    assert not inked(page, 0.2, 0.5)
    page.evaluate(
        """() => { for (let i = 0; i < 10_000; i++) sketch.book().add({tool: "pen", width: 4, colour: 0,
        at: [(i * 37) % 4096, (i * 91) % 4096, 0, (i * 53) % 4096, (i * 17) % 4096, 0]}); sketch.changed(); }"""
    )
    page.click("[data-share]")
    page.wait_for_function("document.getElementById('pg-toast').textContent.includes('too long for a link')")
    page.click("[data-act=undo]")
    page.wait_for_function(DONE)
    assert strokes(page) == 10_003  # of 10,004: the gallery's, a clearing and two pictures before them


def test_saved_as_svg_and_dropped_it_is_the_same_drawing(visit: Open, tmp_path: Path) -> None:
    page = visit()
    stroke(page, (0.3, 0.6), (0.7, 0.6))
    before = page.evaluate(GHOST)
    for name, button in {"a.svg": "[data-save=svg]", "a.png": "[data-save=png]", "b.png": "[data-save-panel]"}.items():
        with page.expect_download() as waited:
            page.click(button)
        waited.value.save_as(tmp_path / name)
    with Image.open(tmp_path / "a.png") as paper, Image.open(tmp_path / "b.png") as answers:
        assert paper.size == (1024, 1024)
        assert answers.width > 300
    clear(page)
    page.set_input_files("[data-file]", tmp_path / "a.svg")
    page.wait_for_function("!sketch.blank()")
    assert page.evaluate(GHOST) == before


def test_on_a_phone_by_touch_and_a_pen_that_presses(visit: Open) -> None:
    page = visit(width=390, height=844, has_touch=True, is_mobile=True)
    assert no_sideways(page)
    page.locator("[data-ink]").scroll_into_view_if_needed()
    devtools = page.context.new_cdp_session(page)
    before = strokes(page)
    for kind, share in (("touchStart", (0.2, 0.7)), ("touchMove", (0.5, 0.7)), ("touchMove", (0.8, 0.7))):
        x, y = spot(page, *share)
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    page.wait_for_function("document.querySelector('[data-cursor]').hidden")
    assert inked(page, 0.5, 0.7)
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function(f"sketch.book().strokes().length === {before + 1}")
    common = {"button": "left", "pointerType": "pen", "clickCount": 1}
    for kind, share, force in (("Pressed", (0.2, 0.9), 0.1), ("Moved", (0.5, 0.9), 0.5), ("Moved", (0.8, 0.9), 1.0)):
        x, y = spot(page, *share)
        asked = {**common, "type": f"mouse{kind}", "x": x, "y": y, "force": force, "buttons": 1}
        devtools.send("Input.dispatchMouseEvent", asked)
    devtools.send("Input.dispatchMouseEvent", {**common, "type": "mouseReleased", "x": x, "y": y})
    page.wait_for_function(f"sketch.book().strokes().length === {before + 2}")
    pressed = page.evaluate("sketch.book().strokes().at(-1).at.filter((_, i) => i % 3 === 2)")
    assert pressed[0] < pressed[-1] == 15


def test_colour_and_two_drawings(visit: Open, fake: FakeSketch) -> None:
    page = visit("?mode=complete&data=stripes")
    assert picture(last(fake, "colour")["canvas"]).shape == (32, 32, 3)
    page.click("[data-colour='1']")
    stroke(page, (0.2, 0.8), (0.8, 0.8))
    eventually(lambda: picture(last(fake, "colour")["canvas"])[25, 16, 2] < 90)
    red = picture(last(fake, "colour")["canvas"])[25, 16]
    assert red[0] > 200 > 100 > red[1]
    page.click("[data-mode=morph]")
    page.wait_for_selector("[data-panel=pen][data-status=done]")
    page.click("[data-turn='1']")
    stroke(page, (0.2, 0.2), (0.3, 0.3))
    stroke(page, (0.2, 0.4), (0.3, 0.5))
    page.wait_for_function("document.querySelector('[data-panel=pen]').textContent.includes('and 2 strokes')")


def test_every_drawing_of_the_gallery_is_on_the_paper() -> None:
    for start in starts():
        points = np.concatenate([np.array(line) for line in start["strokes"]])
        assert points.shape[1] == 2
        assert points.min() >= 0
        assert points.max() <= 1
    assert len({start["name"] for start in starts()}) == len(starts())
