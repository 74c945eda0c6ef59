"""The page in a real browser: by itself over a fake backend, and with every trained model on the shelf."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake import Fake
from pages import Open, no_sideways, opening, serve
from PIL import Image

from playground.ui import build

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parent.parent
SHEETS = (ROOT / "pretrained").glob("*/samples.png")
SHELF = sorted(p.parent.name for p in SHEETS if "-outline-" not in p.parent.name)  # those are drawn for on Sketch
DONE = ".pg-stage[data-status=done]"


@pytest.fixture(scope="module")
def fake() -> Fake:
    return Fake()


@pytest.fixture(scope="module")
def fake_url(fake: Fake) -> Iterator[str]:
    yield from serve(build(fake))


@pytest.fixture(scope="module")
def real_url() -> Iterator[str]:
    from playground.backends.local import Local

    yield from serve(build(Local("cpu")))


@pytest.fixture
def visit(browser: Any, fake_url: str) -> Iterator[Open]:
    """Opens the page at a query."""
    with opening(browser, "html[data-pg-ready]") as opened:
        yield lambda query="", url=fake_url, **options: opened(url, query, **options)


def run(page: Any) -> None:
    before = page.get_attribute(".pg-stage", "data-run")
    page.click("[data-go]")
    page.wait_for_function(f"document.querySelector('.pg-stage').dataset.run !== '{before}'")
    page.wait_for_selector(DONE)


def seen(page: Any) -> str:
    """A digest of every picture on the stage, as it is on its canvas."""
    data = page.evaluate("[...document.querySelectorAll('.pg-stage .pg-tile canvas')].map(c => c.toDataURL())")
    assert data
    return hashlib.sha256("".join(data).encode()).hexdigest()


def test_a_newcomer_sees_what_to_do_and_one_press_draws(visit: Open) -> None:
    page = visit()
    assert page.is_visible("[data-sheet=alpha]")
    assert "Press Generate" in page.inner_text(".pg-empty")
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    assert page.locator(".pg-stage .pg-tile").count() == 16
    assert "a fake" in page.inner_text("[data-cost]")
    assert "seed=17" in page.url  # the first press draws the seed that looks good


def test_a_page_that_nobody_touches_rests(visit: Open) -> None:
    page = visit()
    page.add_init_script(
        "window.frames_asked = 0; const soon = window.requestAnimationFrame;"
        "window.requestAnimationFrame = (draw) => { window.frames_asked++; return soon(draw); };"
    )
    page.reload()
    page.wait_for_selector("html[data-pg-ready]")
    asked = []
    for _ in range(25):  # Gradio's loader swings out first
        page.evaluate("window.frames_asked = 0")
        page.wait_for_timeout(1000)
        asked.append(page.evaluate("window.frames_asked"))
        if asked[-1] < 10:
            return
    pytest.fail(f"frames asked for in each second: {asked}")  # its abandoned clock alone would ask for 60


def test_a_link_gives_the_identical_picture(visit: Open) -> None:
    page = visit()
    page.fill("[data-knob=n] input[type=number]", "9")
    page.keyboard.press("Tab")
    page.click("[data-knob=label] [data-option='1']")
    page.click("[data-knob=noise] [role=switch]")
    page.click("[data-dice]")
    run(page)
    assert page.locator(".pg-stage .pg-tile").count() == 9
    assert re.search(r"n=9&label=1&noise=true$", page.url)
    assert "temperature" not in page.url  # what stands at its default is not in the link
    again = visit(page.url.split("/", 3)[3])
    again.wait_for_selector(DONE)
    assert seen(again) == seen(page)
    assert again.url == page.url


def test_a_strange_link_is_taken_as_far_as_it_makes_sense(visit: Open) -> None:
    page = visit("?model=nobody&do=nothing&seed=-4&n=1000&label=%3Cb%3E&data=dots")
    assert page.input_value("[data-seed]") == "17"
    assert page.input_value("[data-knob=n] input[type=number]") == "16"


def test_the_model_of_a_link_is_in_sight_on_a_long_shelf(visit: Open) -> None:
    page = visit("?model=beta", height=260)
    page.wait_for_function(
        """() => {
          const box = document.querySelector("[data-model=beta]").getBoundingClientRect();
          const shelf = document.getElementById("pg-picker").getBoundingClientRect();
          return box.top >= shelf.top && box.top < innerHeight;
        }"""
    )
    assert page.evaluate("window.scrollY") == 0


def test_seeds(visit: Open) -> None:
    page = visit()
    run(page)
    first = seen(page)
    run(page)
    assert seen(page) != first and "seed=17" not in page.url
    page.fill("[data-seed]", "17")
    page.keyboard.press("Tab")
    page.click("[data-lock]")
    run(page)
    assert seen(page) == first
    run(page)
    assert seen(page) == first and "lock=1" in page.url
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("r")
    assert page.input_value("[data-seed]") != "17"


def test_what_a_model_cannot_do_is_grey_and_says_why(visit: Open) -> None:
    page = visit("?model=beta")
    assert page.get_attribute("[data-activity=watch]", "data-fits") == "false"
    page.hover("[data-activity=watch]")
    assert "it draws in one pass" in page.inner_text(".pg-activity-help")
    page.click("[data-activity=reconstruct]")
    assert "it has no encoder" in page.inner_text(".pg-stage [data-refusal]")
    assert page.is_disabled("[data-go]")
    assert "it has no encoder" in page.inner_text("[data-model=beta] [data-reason]")
    assert page.get_attribute("[data-model=alpha]", "data-fits") == "true"
    page.click("[data-refusal] button")
    assert page.get_attribute("[data-activity=generate]", "aria-pressed") == "true"
    assert "cannot be read" in page.inner_text("[data-broken=delta]")


def test_a_refusal_stands_where_the_picture_would_be(visit: Open) -> None:
    page = visit("?model=alpha&do=generate&seed=666")
    page.wait_for_selector(DONE)
    assert "choose another" in page.inner_text("[data-view=main] [data-refusal]")
    page = visit("?model=alpha&do=fail&seed=1")
    page.wait_for_selector(".pg-stage[data-status=failed]")
    assert "Press Generate to try again" in page.inner_text("[data-refusal]")


def test_a_long_run_shows_how_far_it_is_and_can_be_cancelled(visit: Open, fake: Fake) -> None:
    page = visit("?model=alpha&do=wait&seed=1")
    page.wait_for_selector("[data-cancel]:visible")
    page.wait_for_function("document.querySelector('.pg-progress').innerText.includes('left')")
    assert page.locator(".pg-stage .pg-tile").count() == 4  # what is there already is shown
    assert fake.working == 1
    page.click("[data-cancel]")
    page.wait_for_selector(".pg-stage[data-status=stopped]")
    assert not page.is_visible(".pg-progress")
    assert settled(fake)
    page.click("[data-go]")
    page.wait_for_selector("[data-cancel]:visible")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    assert settled(fake)
    page.click("[data-activity=generate]")
    run(page)
    assert page.locator(".pg-stage .pg-tile").count() == 16


def settled(fake: Fake) -> bool:
    """Whether all work has stopped within some seconds."""
    end = time.monotonic() + 8
    while fake.working and time.monotonic() < end:
        time.sleep(0.05)
    return fake.working == 0


def test_a_closed_tab_stops_its_work_and_two_tabs_do_not_meet(visit: Open, fake: Fake) -> None:
    one = visit("?model=alpha&do=wait&seed=1")
    one.wait_for_selector("[data-cancel]:visible")
    two = visit("?model=alpha&do=generate&seed=5")
    two.wait_for_selector(DONE)
    assert one.locator(".pg-stage .pg-tile").count() == 4
    assert two.locator(".pg-stage .pg-tile").count() == 16
    one.close()
    assert settled(fake)


def test_a_sample_large_with_its_neighbours(visit: Open) -> None:
    page = visit("?model=alpha&do=generate&seed=3")
    page.wait_for_selector(DONE)
    page.focus(".pg-stage .pg-tile >> nth=2")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-neighbours][data-loaded=yes]")
    assert page.locator("[data-neighbours] .pg-tile").count() == 8
    assert "3 of 16" in page.inner_text(".pg-look-bar")
    page.keyboard.press("ArrowRight")
    assert "4 of 16" in page.inner_text(".pg-look-bar")
    with page.expect_download() as taken:
        page.click("[data-save]")
    assert Image.open(io.BytesIO(Path(taken.value.path()).read_bytes())).size == (8, 8)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")  # it leaves after its closing event


def test_downloads(visit: Open) -> None:
    page = visit("?model=alpha&do=watch&seed=3")
    page.wait_for_selector(DONE)
    for kind in ("png", "gif", "npz"):
        with page.expect_download() as taken:
            page.click(f"[data-download={kind}]")
        assert taken.value.suggested_filename.endswith(f".{kind}")
        data = Path(taken.value.path()).read_bytes()
        if kind == "npz":
            assert np.load(io.BytesIO(data)).files
        else:
            assert Image.open(io.BytesIO(data)).format == kind.upper()
    page.click("[data-activity=generate]")
    run(page)
    assert page.get_attribute("[data-download=gif]", "aria-disabled") == "true"
    page.click("[data-download=gif]", force=True)  # grey, and yet it answers
    assert "nothing moves" in page.inner_text("#pg-toast")


def test_a_film_plays_and_steps(visit: Open) -> None:
    page = visit("?model=alpha&do=watch&seed=3")
    page.wait_for_selector(DONE)
    assert page.inner_text(".pg-step") == "t = 11"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text(".pg-step") == "t = 10"
    page.keyboard.press("ArrowRight")
    last = seen(page)
    page.click("[data-play]")  # from the beginning, since it stands at the end
    page.wait_for_function("document.querySelector('.pg-step').textContent === 't = 3'")
    page.click("[data-play]")
    assert seen(page) != last


def test_a_picture_goes_in_small(visit: Open) -> None:
    page = visit("?model=alpha&do=reconstruct")
    file = io.BytesIO()
    Image.new("RGB", (3000, 1500), "navy").save(file, "PNG")
    upload = {"name": "photo.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.set_input_files("input[type=file]", upload)
    page.wait_for_selector(".pg-drop img:visible")
    run(page)
    assert "yours is 1024 x 512" in page.inner_text(".pg-view-caption")
    page.click(".pg-picture [aria-label='Remove the picture']")
    run(page)
    assert not page.is_visible(".pg-view-caption")
    page.set_input_files("input[type=file]", {**upload, "buffer": b"no picture"})
    page.wait_for_selector("#pg-toast.on")
    assert "not a picture" in page.inner_text("#pg-toast")


def test_compare_and_its_table(visit: Open) -> None:
    page = visit("?model=alpha&do=compare&seed=4&others=beta")
    page.wait_for_selector(DONE)
    assert page.locator(".pg-stage .pg-tile").count() == 8
    assert page.locator("[data-view=figures] tbody tr").count() == 2
    page.check("[data-knob=others] input[value=alpha-large]")
    run(page)
    assert "others=alpha-large%2Cbeta" in page.url
    assert page.locator("[data-view=figures] tbody tr").count() == 3


def test_another_data_set(visit: Open) -> None:
    page = visit()
    page.click("[data-dataset=stripes]")
    assert page.get_attribute("[data-model=gamma]", "aria-pressed") == "true"
    run(page)
    assert page.locator(".pg-stage canvas.pg-grey").count() == 0  # colours are never shown as ink on paper


def test_about_answers_and_shows_the_code_that_runs(visit: Open) -> None:
    page = visit()
    about = page.inner_text(".pg-about")
    for word in ("The idea", "How a sample is drawn", "latent", "1.25 ± 0.01", "somebody 2020", "Apache-2.0"):
        assert word in about
    page.click("[data-source]")
    page.wait_for_selector(".pg-source")
    assert page.inner_text(".pg-source").strip() == (ROOT / "playground/families/vae.py").read_text().strip()
    answered = page.evaluate("window.playground.ask('source', {path: '../../../app.py'})")
    assert answered == {"ok": False, "error": "That is not a family's file."}


def test_the_link_can_be_copied(visit: Open) -> None:
    page = visit("?model=alpha&do=generate&seed=8", permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_selector(DONE)
    page.click("[data-share]")
    page.wait_for_selector("#pg-toast.on")
    assert page.inner_text("#pg-toast") == "Link copied"
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_phone(visit: Open) -> None:
    page = visit("?model=alpha&do=compare&seed=4&others=beta", width=390, height=844, has_touch=True, is_mobile=True)
    page.wait_for_selector(DONE)
    assert no_sideways(page)
    page.tap(".pg-current")
    page.tap("[data-model=alpha-large]")
    assert page.inner_text(".pg-current strong") == "Family alpha"
    assert not page.is_visible("[data-model=alpha]")
    assert no_sideways(page)
    small = page.evaluate(
        """[...document.querySelectorAll('button, select, input[type=number]')]
        .filter(e => e.closest('#pg-desk, #pg-masthead'))
        .filter(e => e.offsetParent && !e.matches('.pg-tile')).map(e => [e.className, e.getBoundingClientRect()])
        .filter(([, r]) => r.width < 40 || r.height < 40).map(([name, r]) => `${name} ${r.width}x${r.height}`)"""
    )
    assert small == []
    run(page)
    assert no_sideways(page)


def test_day_and_night(visit: Open) -> None:
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert luminance(light.evaluate(ground)) > 200 and luminance(dark.evaluate(ground)) < 40
    light.click("[data-theme-toggle]")
    assert light.evaluate(ground) == dark.evaluate(ground)
    light.reload()
    light.wait_for_selector("html[data-pg-ready]")
    assert light.evaluate(ground) == dark.evaluate(ground)  # the choice is remembered


def luminance(colour: str) -> float:
    return float(np.mean([float(v) for v in re.findall(r"[\d.]+", colour)[:3]]))


def test_everything_can_be_done_by_keyboard(visit: Open) -> None:
    page = visit()
    wanted = {"data-model", "data-activity", "data-seed", "data-go", "data-option", "data-source"}
    for _ in range(80):
        page.keyboard.press("Tab")
        names = page.evaluate("[...(document.activeElement?.attributes ?? [])].map(a => a.name)")
        wanted -= set(names)
        if not wanted:
            break
    assert not wanted


def test_a_server_that_is_gone_is_said(browser: Any) -> None:
    serving = serve(build(Fake()))
    url = next(serving)
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("html[data-pg-ready]")
    for _ in serving:
        pass
    answered = page.evaluate("window.playground.ask('sheet', {model: 'alpha'})")
    assert not answered["ok"] and "server" in answered["error"]
    context.close()


@pytest.mark.weights
@pytest.mark.parametrize("name", SHELF)
def test_every_model_on_the_shelf(visit: Open, real_url: str, name: str) -> None:
    """Sampled with a small n at a low number of steps, if it has one; the link gives the same picture."""
    page = visit(f"?model={name}", url=real_url)
    page.set_default_timeout(60_000)
    steps = page.locator("[data-knob*=steps] input[type=number]")
    for knob, value in ((steps, "4"), (page.locator("[data-knob=n] input[type=number]"), "4")):
        if knob.count():
            knob.fill(value)
            knob.press("Tab")
    run(page)
    tiles = page.locator(".pg-stage .pg-tile")
    assert tiles.count() == 4
    pictures = [np.asarray(Image.open(io.BytesIO(decoded(c)))) for c in canvases(page)]
    assert all(p.std() > 1 for p in pictures), "an empty picture"
    again = visit(page.url.split("/", 3)[3], url=real_url)
    again.wait_for_selector(DONE)
    assert seen(again) == seen(page)


def canvases(page: Any) -> list[str]:
    return json.loads(
        page.evaluate(
            "JSON.stringify([...document.querySelectorAll('.pg-stage .pg-tile canvas')].map(c => c.toDataURL()))"
        )
    )


def decoded(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])
