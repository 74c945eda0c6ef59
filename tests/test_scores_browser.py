"""The Scores page in a real browser, over a fake backend: the table, the charts, two models, measuring now."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake import Fake, model
from pages import Open, no_sideways, opening, serve
from PIL import Image

from playground.backends import Request
from playground.knobs import Choice, Others, Slider, Spec
from playground.ui import build
from playground.views import Curve, Progress, Table, View

pytestmark = pytest.mark.browser
MEASURES = ("Fréchet distance", "kernel distance", "likelihood")
SPECS = {
    "measure": (Spec("what", Choice(*MEASURES), MEASURES[0]), Spec("n", Slider(40, 5000), 512)),
    "versus": (Spec("n", Slider(20, 1000), 100), Spec("others", Others(most=1, options=("alpha-large",)), ())),
}
NUMBERS = {  # frechet, seconds, bits per dimension
    "alpha": (11.6, 0.05, 1.12),
    "alpha-large": (0.94, 0.9, 2.1),
    "beta": (5.8, 0.003, None),
    "gamma": (2.0, 0.1, 3.0),
}


def metric(value: float, kind: str = "estimate", protocol: str = "in 8 bits; uniform dequantisation") -> dict[str, Any]:
    return {"value": value, "stderr": value / 50, "n": 2000, "kind": kind, "split": "test", "protocol": protocol}


class Measured(Fake):
    """Models with cards worth a table, and two activities that stream curves.

    Attributes:
        asked: the requests that ran, in order.
        hold: a measurement waits for it at its middle.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Request] = []
        self.hold = threading.Event()

    def describe(self) -> dict[str, Any]:
        told = super().describe()
        told["models"] = [self._told(name) for name in NUMBERS]
        return told

    def _told(self, name: str) -> dict[str, Any]:
        frechet, seconds, bits = NUMBERS[name]
        found = {"frechet": metric(frechet), "frechet_floor": metric(0.37), "seconds_per_16": metric(seconds)}
        if bits:
            found["bits_per_dim"] = metric(bits, "lower bound" if name == "alpha-large" else "exact")
        if name == "alpha":
            found |= {"precision": metric(0.7), "recall": metric(0.6), "frechet_steps_8": metric(3.0)}
        fits = {"measure": None, "versus": None if bits else "it only learnt to draw"}
        knobs = {a: [s.to_json() for s in specs] for a, specs in SPECS.items() if fits[a] is None}
        return {**model(name), "metrics": found, "fits": fits, "knobs": knobs, "expected_seconds": seconds}

    def run(self, request: Request) -> Generator[View]:
        self.asked.append(request)
        self.working += 1
        try:
            yield from self._views(request)
        finally:
            self.working -= 1

    def _views(self, request: Request) -> Generator[View]:
        n = int(request.knobs["n"])
        for i in range(1, 5):
            x = np.geomspace(n / 8, n, i)[None].repeat(2, 0)
            y = 1 + 8 / np.sqrt(x)
            yield Curve(
                series=("it", "training pictures"), x=x, y=y, error=y / 9, axes=("pictures", "distance"), log="xy"
            )
            yield Progress(done=i, total=4, text=f"drawing, {i} of 4")
            if i == 2:
                self.hold.wait(10)
        yield Table(key="figures", columns=("at", "value"), rows=((f"n = {n}", 1.25),))


@pytest.fixture(scope="module")
def fake() -> Measured:
    made = Measured()
    made.hold.set()
    return made


@pytest.fixture(scope="module")
def url(fake: Measured) -> Iterator[str]:
    yield from serve(build(fake))


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Open]:
    """Opens the page at a query."""
    with opening(browser, "html[data-scores=yes]") as opened:
        yield lambda query="", **options: opened(url, f"scores{query}", **options)


def names(page: Any) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('tr[data-row]')].map((row) => row.dataset.row)")


def picture(download: Any) -> Image.Image:
    return Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))


def headings(page: Any) -> list[str]:
    return page.locator(".sc-group").all_inner_texts()


def charted(page: Any, into: str = "[data-chart=time]") -> None:
    """Waits for a chart: its library is large."""
    page.wait_for_selector(f"{into} [data-drawn]")


def test_every_model_in_groups_that_may_be_compared(visit: Open) -> None:
    page = visit()
    assert sorted(names(page)) == sorted(NUMBERS)
    assert headings(page) == ["Dots · 8-bit grey levels", "Stripes · 8-bit grey levels"]
    row = page.locator("[data-row=alpha-large]")
    assert "≤ 2.10 ± 0.04" in row.inner_text() and "floor 0.37" in row.inner_text()
    assert page.locator("[data-row=alpha-large] [data-column=frechet].sc-best").count() == 1
    assert page.locator("[data-row=alpha-large] [data-column=nll].sc-best").count() == 0  # a bound is never the best
    assert page.inner_text("[data-row=beta] [data-column=nll]") == "–"
    assert page.get_attribute(".pg-pages a[aria-current]", "data-to") == "scores"


def test_how_it_was_measured_by_pointing_and_by_keyboard(visit: Open) -> None:
    page = visit()
    page.hover("[data-row=alpha] [data-cell=nll]")
    assert "uniform dequantisation" in page.inner_text(".sc-tip") and "n = 2,000" in page.inner_text(".sc-tip")
    page.focus("[data-row=alpha] [data-cell=frechet]")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.model") != "alpha"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.cell") == "precision"
    assert "Not measured" in page.inner_text(".sc-tip")
    page.keyboard.press("Escape")
    assert page.is_hidden(".sc-tip")


def test_sorting_by_click_and_by_keyboard_is_in_the_address(visit: Open) -> None:
    page = visit("?data=dots")
    page.click("[data-sort=frechet]")
    assert names(page) == ["alpha-large", "beta", "alpha"]
    assert page.get_attribute("th[data-column=frechet]", "aria-sort") == "ascending"
    page.keyboard.press("Enter")  # the heading keeps the focus
    assert names(page) == ["alpha", "beta", "alpha-large"] and "sort=-frechet" in page.url
    again = visit("?" + page.url.split("?")[1])
    assert names(again) == names(page)
    page.keyboard.press("Enter")
    assert "sort" not in page.url


def test_seconds_sort_all_together_and_distances_within_their_group(visit: Open) -> None:
    page = visit()
    page.click("[data-sort=seconds_per_16]")
    assert names(page) == ["beta", "alpha", "gamma", "alpha-large"] and headings(page) == []
    page.click("[data-sort=frechet]")
    assert names(page) == ["alpha-large", "beta", "alpha", "gamma"] and len(headings(page)) == 2


def test_filters_and_columns(visit: Open) -> None:
    page = visit()
    page.click("[data-choose=stripes]")
    assert names(page) == ["gamma"] and "data=stripes" in page.url
    page.click("[data-choose=all]")
    page.select_option("[data-family]", "Family alpha")
    assert names(page) == ["alpha", "alpha-large"]
    page.click("[data-group=cost]")
    assert page.locator("th[data-column=training]").count() == 1 and page.locator("th[data-column=nll]").count() == 0
    strange = visit("?data=nowhere&family=none&sort=%3Cb%3E&columns=x&a=nobody&quality=beauty")
    assert len(names(strange)) == 4


def test_the_table_is_taken_home(visit: Open) -> None:
    page = visit("?data=dots&sort=frechet")
    with page.expect_download() as download:
        page.click("[data-export=csv]")
    lines = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert [line["model"] for line in lines] == ["alpha-large", "beta", "alpha"]
    assert float(lines[0]["frechet"]) == 0.94 and lines[0]["bits_per_dim_kind"] == "lower bound"
    with page.expect_download() as download:
        page.click("[data-export=png]")
    assert picture(download).format == "PNG"


def test_charts(visit: Open) -> None:
    page = visit()
    charted(page)
    texts = page.evaluate("document.querySelector('[data-chart=time] [data-plot]').data.flatMap((t) => t.text || [])")
    assert set(texts) - {""} <= {"alpha", "alpha-large", "beta"} and texts
    assert page.is_visible("[data-chart=guidance] [data-empty] code")
    charted(page, into="[data-chart=steps]")
    with page.expect_download() as download:
        page.click("[data-chart=time] [data-save]")
    assert picture(download).width >= 1000
    before = page.evaluate("document.querySelector('[data-chart=time] [data-plot]').layout.font.color")
    page.click("[data-theme-toggle]")
    page.wait_for_function(f"document.querySelector('[data-chart=time] [data-plot]').layout.font.color !== '{before}'")
    page.click("[data-quality=coverage]")
    page.wait_for_selector("[data-chart=time] [data-empty]:visible")
    assert "quality=coverage" in page.url


def test_two_models(visit: Open, fake: Measured) -> None:
    page = visit("?a=alpha&b=alpha-large")
    page.wait_for_selector("[data-side=a] [data-sheet=alpha]:visible")
    page.wait_for_selector("[data-side=b] [data-sheet=alpha-large]:visible")
    assert page.locator("[data-figure=frechet] .sc-win").inner_text() == "0.940 ± 0.019"
    assert page.locator("[data-figure=bits_per_dim] .sc-win").count() == 0
    page.fill("[data-n]", "40")
    page.keyboard.press("Tab")
    page.click("[data-versus]")
    page.wait_for_selector(".sc-pair [data-result][data-status=done]")
    assert fake.asked[-1] == Request("alpha", "versus", {"n": 40, "others": ["alpha-large"]}, 17)
    page.wait_for_selector(".sc-pair [data-view=main] [data-drawn]")
    page.select_option("[data-choose-model=b]", "beta")
    assert "it only learnt to draw" in page.inner_text(".sc-pair [data-why]") and "b=beta" in page.url
    page.select_option("[data-choose-model=b]", "gamma")
    assert "trained on Stripes" in page.inner_text(".sc-pair [data-why]")
    page.select_option("[data-choose-model=a]", "beta")
    page.select_option("[data-choose-model=b]", "beta")
    assert page.is_disabled("[data-versus]")


def test_measure_now_streams_and_can_be_stopped(visit: Open, fake: Measured) -> None:
    page = visit("?now=beta&size=200")
    assert "card says 5.80 ± 0.12" in page.inner_text(".sc-now [data-why]")
    page.click("[data-what='kernel distance']")
    page.click("[data-measure]")
    page.wait_for_selector(".sc-now [data-result][data-status=done]")
    assert fake.asked[-1].knobs == {"n": 200, "what": "kernel distance"} and fake.asked[-1].model == "beta"
    assert "n = 200" in page.inner_text(".sc-now [data-view=figures]")
    charted(page, into=".sc-now [data-view=main]")
    page.wait_for_function("document.querySelector('.sc-now .pg-plot').data[0].x.length === 4")
    fake.hold.clear()
    try:
        page.click("[data-measure]")
        page.wait_for_selector(".sc-now [data-cancel]:visible")
        page.wait_for_function("document.querySelector('.sc-now .sc-progress').innerText.includes('2 of 4')")
        page.keyboard.press("Escape")
        page.wait_for_selector(".sc-now [data-result][data-status=stopped]")
    finally:
        fake.hold.set()
    end = time.monotonic() + 15
    while fake.working and time.monotonic() < end:
        time.sleep(0.05)
    assert fake.working == 0


def test_a_slow_model_is_measured_on_fewer(visit: Open) -> None:
    page = visit("?now=alpha-large&size=5000")
    assert int(page.get_attribute("[data-size]", "max")) < 5000
    assert int(page.input_value("[data-size]")) < 5000 and "no more than 120 seconds" in page.inner_text(
        ".sc-now [data-why]"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 768])
def test_narrow(visit: Open, width: int, scheme: str) -> None:
    page = visit(width=width, height=844, color_scheme=scheme)
    charted(page)
    assert no_sideways(page)
    touched = "#pg-scores button, #pg-masthead a, #pg-scores select"
    high = "(b) => b.offsetWidth && b.getBoundingClientRect().height < 38"
    small = page.evaluate(f"[...document.querySelectorAll('{touched}')].filter({high}).map((b) => b.outerHTML)")
    assert small == []
    inside = """([selector, width]) => {  // drawn, perhaps anew at this moment, and within the page
        const box = document.querySelector(selector)?.getBoundingClientRect();
        return box && box.width > 0 && box.left >= 0 && box.right <= width;
    }"""
    page.wait_for_function(inside, arg=["[data-chart=time] .main-svg", width])
    cell = page.locator("[data-row=alpha] [data-cell=frechet]")
    cell.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # scrolling closes what was said of a cell
    cell.click()
    page.wait_for_function(inside, arg=[".sc-tip", width])


def test_pages_lead_to_each_other(visit: Open) -> None:
    page = visit()
    page.click("[data-to=play]")
    page.wait_for_selector("html[data-pg-ready]")
    page.click("[data-to=scores]")
    page.wait_for_selector("html[data-scores=yes]")
    page.click("[data-row=alpha] th a")
    page.wait_for_selector("html[data-pg-ready]")
    assert "model=alpha" in page.url
