"""The Latent page in a real browser: the finger moves, the picture follows, also without the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from pages import Open, no_sideways, opening, serve
from PIL import Image
from toyshelf import toy_shelf

from playground.backends.local import Local
from playground.ui import build

pytestmark = pytest.mark.browser
FINE = "latent.result.status === 'done' && latent.result.lattice.side === 65"
SURE = "[data-picture][data-sure=true]"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield from serve(build(Local("cpu")))


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Open]:
    """Opens the page, and waits until its plane is there."""
    with opening(browser, "html[data-latent=yes]") as opened:

        def come(query: str = "", **options: Any) -> Any:
            page = opened(url, f"latent{query}", **options)
            page.wait_for_function(FINE)
            page.wait_for_selector(SURE)
            return page

        yield come


def seen(page: Any) -> str:
    return str(page.evaluate("document.querySelector('[data-picture]').toDataURL()"))


def spot(page: Any, across: float, down: float) -> tuple[float, float]:
    """Where a share of the pad's width and height is on the screen."""
    box = page.locator("[data-plane]").bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def drag(page: Any, *shares: tuple[float, float]) -> None:
    page.mouse.move(*spot(page, *shares[0]))
    page.mouse.down()
    for share in shares[1:]:
        page.mouse.move(*spot(page, *share), steps=6)


def test_the_picture_follows_the_finger_and_is_exact_when_it_rests(visit: Open) -> None:
    page = visit()
    before = seen(page)
    drag(page, (0.3, 0.3), (0.7, 0.6))
    blended = seen(page)
    assert blended != before
    page.wait_for_selector(SURE)
    assert "as the model draws it" in page.inner_text("[data-exact]")
    at = page.evaluate(
        """() => { const {lattice, exact} = latent.result; const [left, right, bottom, top] = lattice.extent;
        return [(exact.x - left) / (right - left), (top - exact.y) / (top - bottom)]; }"""
    )
    assert at == pytest.approx([0.7, 0.6], abs=0.01)
    page.mouse.up()
    assert page.is_visible("[data-save=gif]")
    assert no_sideways(page)


def test_without_the_server_it_goes_on(visit: Open) -> None:
    page = visit()
    nothing = {"status": 200, "content_type": "application/json", "body": "null"}
    page.route("**/gradio_api/**", lambda route: route.fulfill(**nothing))
    drag(page, (0.2, 0.2), (0.4, 0.5))
    one = seen(page)
    page.mouse.move(*spot(page, 0.8, 0.8), steps=6)
    assert seen(page) != one
    assert page.get_attribute("[data-picture]", "data-sure") == "false"
    page.unroute("**/gradio_api/**")


def test_a_link_comes_back_to_the_same_place(visit: Open) -> None:
    page = visit()
    drag(page, (0.3, 0.3), (0.7, 0.6))
    page.mouse.up()
    page.wait_for_selector(SURE)
    page.click("[data-show=pictures]")
    page.wait_for_function("location.search.includes('show=pictures')")
    again = visit("?" + page.url.split("?", 1)[1])
    assert seen(again) == seen(page)
    assert again.get_attribute("[data-show=pictures]", "aria-pressed") == "true"


def test_keys_and_three_pictures(visit: Open) -> None:
    page = visit()
    page.focus("[data-plane]")
    before = page.inner_text("[data-place]")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(f"document.querySelector('[data-place]').textContent !== '{before}'")
    page.click("[data-through='three pictures']")
    page.wait_for_function("latent.result.lattice.anchors.length === 6")
    page.wait_for_function(FINE)
    one = seen(page)
    page.click("[data-dice]")
    page.wait_for_function(f"{FINE} && latent.state.seed !== '17'")
    page.wait_for_selector(SURE)
    assert seen(page) != one


def test_a_trail_is_saved_as_a_film(visit: Open, tmp_path: Path) -> None:
    page = visit()
    drag(page, (0.2, 0.2), (0.5, 0.8), (0.9, 0.3))
    page.mouse.up()
    for format in ("gif", "mp4"):
        with page.expect_download() as waited:
            page.click(f"[data-save={format}]")
        waited.value.save_as(tmp_path / f"trail.{format}")
    with Image.open(tmp_path / "trail.gif") as gif:
        assert getattr(gif, "n_frames", 1) > 5
    with av.open(tmp_path / "trail.mp4") as mp4:
        assert mp4.streams.video[0].frames > 48
    page.click("[data-forget]")
    assert page.is_hidden("[data-save=gif]")


def test_what_is_drawn_is_coded(visit: Open) -> None:
    page = visit()
    pad = page.locator(".lab-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_function("latent.result.own !== null")
    assert "off by" in page.inner_text("[data-off]")
    assert page.locator(".lt-own-three canvas").count() == 3
    page.click("[data-act=clear]")
    page.wait_for_function("latent.result.own === null")


def test_on_a_phone_by_touch(visit: Open) -> None:
    page = visit(width=390, height=844, has_touch=True, is_mobile=True)
    assert no_sideways(page)
    page.locator("[data-plane]").scroll_into_view_if_needed()
    before = seen(page)
    page.touchscreen.tap(*spot(page, 0.25, 0.75))
    page.wait_for_function(f"document.querySelector('[data-picture]').toDataURL() !== '{before}'")
    page.wait_for_selector(SURE)
