"""Walk and Perturb in a real browser: strips under the finger, links that bring all back, files taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import Open, no_sideways, opening, serve
from PIL import Image
from toyshelf import toy_shelf

from playground.backends.local import Local
from playground.ui import build

pytestmark = pytest.mark.browser
WALKED = "walks.jobs.walk.status === 'done' && document.querySelectorAll('[data-strip]').length >= 3"
TURNED = "['rows', 'directions', 'sum'].every((name) => walks.jobs[name].status === 'done')"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield from serve(build(Local("cpu")))


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Open]:
    with opening(browser, "html[data-latent=yes]") as opened:

        def come(query: str, until: str, **options: Any) -> Any:
            page = opened(url, f"latent{query}", **options)
            page.wait_for_function(until)
            return page

        yield come


def pixels(page: Any, where: str) -> str:
    return str(page.evaluate(f"document.querySelector('{where} canvas').toDataURL()"))


def pull(page: Any, where: str, share: float) -> None:
    """Press in the middle of a strip and move to a share of its width."""
    page.locator(where).scroll_into_view_if_needed()
    box = page.locator(where).bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    page.mouse.up()


def test_three_strips_follow_the_finger_and_the_link(visit: Open, tmp_path: Path) -> None:
    page = visit("", "latent.result.status === 'done'")
    page.click("[data-tab=walk]")
    page.wait_for_function(WALKED)
    page.wait_for_selector("[data-charts] [data-view=density] .pg-plot[data-drawn='3']")
    before = pixels(page, "[data-way=spherical] .lw-now")
    pull(page, "[data-strip=linear]", 0.9)
    page.wait_for_function("location.search.includes('at=')")
    assert pixels(page, "[data-way=spherical] .lw-now") != before
    page.keyboard.press("End")
    page.wait_for_function("latent.state.at === '1.000' && location.search.includes('at=1.000')")
    page.click("[data-swap]")
    page.wait_for_function(f"{WALKED} && walks.whose('first').startsWith('test-8')")
    page.select_option("[data-beside]", "toy-plain")
    page.wait_for_function(f"{WALKED} && document.querySelectorAll('[data-strip]').length === 6")
    with page.expect_download() as waited:
        page.click("[data-gif=true], .lw-walk [data-gif]")
    waited.value.save_as(tmp_path / "walk.gif")
    with Image.open(tmp_path / "walk.gif") as film:
        assert getattr(film, "n_frames", 1) > 20
    with page.expect_download() as waited:
        page.click(".lw-walk [data-png]")
    again = visit(
        "?" + page.url.split("?", 1)[1], f"{WALKED} && document.querySelectorAll('[data-strip]').length === 6"
    )
    assert pixels(again, "[data-way=linear] .lw-now") == pixels(page, "[data-way=linear] .lw-now")


def test_a_row_follows_the_finger_and_codes_are_added(visit: Open) -> None:
    page = visit("?tab=perturb", TURNED)
    before = pixels(page, "[data-large=rows]")
    pull(page, "[data-part=rows] .lw-row:nth-child(2) .lw-strip", 0.95)
    page.wait_for_function("document.querySelectorAll('[data-part=rows] .lw-row')[1].classList.contains('on')")
    assert pixels(page, "[data-large=rows]") != before
    assert "standard deviations" in page.inner_text("[data-large=rows]")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelectorAll('[data-part=rows] .lw-row')[2].classList.contains('on')")
    assert "R²" in page.inner_text("[data-strips=directions]")
    assert page.locator("[data-results] canvas").count() == 2
    page.select_option("[data-direction=away]", "3")
    page.wait_for_function(
        f"{TURNED} && document.querySelector('[data-strips=directions]').innerText.includes('8 − 3')"
    )
    assert "away=3" in page.evaluate("latent.link()")


def test_on_a_phone_a_drawing_is_an_end_and_travels_in_the_link(visit: Open) -> None:
    page = visit("?tab=walk", WALKED, width=390, height=844)
    assert no_sideways(page)
    page.select_option("[data-kind=first]", "yours")
    box = page.locator(".pg-dialog .lab-pad").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=6)
    page.mouse.up()
    page.click("[data-use]")
    page.wait_for_function(f"{WALKED} && latent.state.first_picture.length > 20")
    again = visit("?" + page.evaluate("latent.link()").split("?", 1)[1], WALKED)
    assert pixels(again, "[data-whose=first]") == pixels(page, "[data-whose=first]")


def test_a_model_without_an_encoder_walks_between_its_draws(visit: Open) -> None:
    page = visit("?tab=walk&model=toy-blob&first=test-3-1", WALKED)
    assert page.locator("[data-kind=first] option").all_inner_texts() == ["its own draw"]
    assert page.input_value("[data-kind=first]") == "sample"
