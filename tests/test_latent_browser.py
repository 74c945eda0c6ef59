"""The Latent page in a real browser: the finger moves, the picture follows, also without the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
import torch
from pages import Open, no_sideways, opening, serve
from PIL import Image
from toyshelf import put, toy_shelf

from playground.backends.local import Local
from playground.families.conditional_gan import ConditionalGAN
from playground.ui import build

pytestmark = pytest.mark.browser
FINE = "latent.result.status === 'done' && latent.result.lattice.side === 65"
SURE = "[data-picture][data-sure=true]"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        sizes = {"latent": 4, "width": 4, "hidden": 8}
        with torch.random.fork_rng():
            torch.manual_seed(0)
            put(ConditionalGAN(**sizes), "toy-gan", **sizes)
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


def stroke(page: Any, across: float = 0.5) -> None:
    """A line down the drawing pad; the pen stays down."""
    pad = page.locator(".lab-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + across * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + across * box["width"], box["y"] + 0.8 * box["height"], steps=8)


def test_what_is_drawn_is_coded(visit: Open) -> None:
    page = visit()
    stroke(page)
    page.wait_for_function("latent.result.own !== null")  # while it is drawn
    page.mouse.up()
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


def test_without_an_encoder_the_code_is_searched_for(visit: Open) -> None:
    page = visit("?model=toy-gan")
    assert page.evaluate("[latent.value('label'), latent.state.label]") == ["0", ""]  # a class, that nothing jumps
    assert page.is_disabled("[data-find]")
    stroke(page)
    page.mouse.up()
    page.click("[data-find]")
    page.wait_for_function("document.querySelectorAll('.lt-own-starts canvas').length === 8")
    assert "off by" in page.inner_text("[data-off]") and "normal draws of 14 numbers" in page.inner_text(
        ".lt-own-found"
    )
    assert page.evaluate("Number.isFinite(latent.result.own.x)")
    stroke(page, 0.3)
    page.mouse.up()
    page.evaluate(  # Cancel is pressed at the first word of progress: a toy's search ends too soon for a hand
        """() => { const words = document.querySelector('.lt-own-search span');
        const stop = () => words.textContent && document.querySelector('.lt-own-search [data-halt]').click();
        new MutationObserver(stop).observe(words, {childList: true}); }"""
    )
    page.click("[data-find]")
    page.wait_for_selector("[data-find]:visible")
    assert page.locator(".lt-own-starts canvas").count() == 0
    page.click("[data-act=clear]")
    page.wait_for_function("latent.result.own === null")


@pytest.fixture
def mapped(browser: Any, url: str) -> Iterator[Open]:
    """Opens the map, and waits until it is there."""
    with opening(browser, "html[data-latent=yes]") as opened:

        def come(query: str, **options: Any) -> Any:
            page = opened(url, f"latent?tab=map&map_n=50{query}", **options)
            page.wait_for_function("document.querySelector('[data-plot]').dataset.status === 'done'")
            return page

        yield come


def test_a_map_shows_and_decodes_pictures(mapped: Open) -> None:
    page = mapped("")
    assert page.locator("[data-table] tbody tr").count() == 3
    assert "50 test pictures" in page.inner_text("#pg-latent_map [data-note]")
    page.click("[data-way=PCA]")
    page.wait_for_function("location.search.includes('map_way=PCA')")
    page.wait_for_function("document.querySelector('#pg-latent_map [data-note]').textContent.includes('vary most')")
    page.wait_for_function("document.querySelectorAll('[data-plot] .textpoint').length >= 50")
    point = page.locator("[data-plot] .textpoint text").last.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.wait_for_selector("[data-tip]:visible")
    page.mouse.down()
    page.mouse.up()
    page.click("[data-there]")
    page.wait_for_function(FINE)
    assert page.evaluate("latent.state.tab") == "pad"


def test_a_map_by_keys_on_a_phone(mapped: Open) -> None:
    page = mapped("&map_way=PCA", width=390, height=844)
    assert no_sideways(page)
    page.wait_for_selector("[data-plot] .textpoint")
    page.focus("[data-plot]")
    for key in ("ArrowRight", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#pg-latent_map .lt-own-three canvas")
    assert "test picture" in page.inner_text("#pg-latent_map .lt-own-three")
