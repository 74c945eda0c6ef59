"""The laboratory's page in a real browser, over an arena that only pretends to learn."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fake import Fake
from fake_arena import FakeArena, functions
from pages import Open, no_sideways, opening, serve
from PIL import Image

from playground.ui import build

pytestmark = pytest.mark.browser
RUNNING, PAUSED, FINISHED = (f".lab-bar[data-status={status}]" for status in ("running", "paused", "done"))
FEW = "?learners=mixture,vae,gan"


@pytest.fixture(scope="module")
def arena() -> FakeArena:
    return FakeArena()


@pytest.fixture(scope="module")
def url(arena: FakeArena) -> Iterator[str]:
    yield from serve(build(Fake(), functions(arena)))


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Open]:
    """Opens the laboratory at a query."""
    with opening(browser, "html[data-pg-ready=yes]") as opened:
        yield lambda query="", path="lab", **options: opened(url, path + query, **options)


def step(page: Any, name: str) -> int:
    """The training step that a panel shows."""
    return int(page.get_attribute(f"[data-panel={name}]", "data-step") or 0)


def picture(page: Any, name: str) -> str:
    return str(page.evaluate(f"document.querySelector('[data-panel={name}] canvas').toDataURL()"))


def alike(one: Any, other: Any) -> bool:
    """Whether both pages show the same truth, but for rounding."""
    urls = [picture(page, "truth").partition(",")[2] for page in (one, other)]
    a, b = (np.asarray(Image.open(io.BytesIO(base64.b64decode(url))).convert("RGB"), float) for url in urls)
    return a.shape == b.shape and bool(np.abs(a - b).max() <= 2)


def moved(page: Any, name: str, beyond: int) -> None:
    page.wait_for_function(f"Number(document.querySelector('[data-panel={name}]').dataset.step) > {beyond}")


def address(page: Any, part: str) -> None:
    """Wait until the address holds ``part``."""
    page.wait_for_function(f"decodeURIComponent(location.href).includes({part!r})")


def test_before_the_first_press_the_truth_is_there_and_a_hint(visit: Open, arena: FakeArena) -> None:
    page = visit()
    assert page.locator("[data-panel]").count() == 14
    assert "Press play" in page.inner_text("[data-said]") and "13 models" in page.inner_text("[data-said]")
    assert "nats" in page.inner_text("[data-panel=truth]")
    assert picture(page, "truth") != picture(page, "mixture")
    assert "Gaussian mixture" in page.inner_text("[data-panel=mixture]")
    inside = "Math.max(...[...document.querySelectorAll('[data-panel]')].map(n => n.getBoundingClientRect().bottom))"
    assert page.evaluate(inside) <= 800  # all at once in sight
    assert not page.is_visible(".nav-holder")  # Gradio's own links


def test_play_moves_every_panel_and_space_pauses(visit: Open) -> None:
    page = visit()
    page.keyboard.press("Space")
    page.wait_for_selector(RUNNING)
    for name in ("mixture", "gan", "autoencoder"):
        moved(page, name, 0)
    before, at = picture(page, "spline"), step(page, "spline")
    moved(page, "spline", at)
    page.wait_for_function(f"document.querySelector('[data-panel=spline] canvas').toDataURL() !== {before!r}")
    page.keyboard.press("Space")
    page.wait_for_selector(PAUSED)
    page.wait_for_timeout(500)  # what was on its way
    at = step(page, "spline")
    page.wait_for_timeout(600)
    assert step(page, "spline") == at
    page.keyboard.press(".")
    moved(page, "spline", at)
    page.keyboard.press("Enter")
    page.wait_for_selector(RUNNING)


def test_numbers_stand_under_the_panels(visit: Open) -> None:
    page = visit(FEW)
    page.click("[data-play]")
    page.wait_for_selector(FINISHED)
    assert re.search(r"KL 0\.0\d\d", page.inner_text("[data-panel=mixture]"))
    assert "≤" in page.inner_text("[data-panel=vae]")  # a bound is no value
    gan = page.inner_text("[data-panel=gan]")
    assert "KL" not in gan and "no density" in gan and re.search(r"\d/8", gan)
    assert "3.0 of 3 s" in page.inner_text("[data-clock]")


def test_looking_back_and_going_on_from_there(visit: Open, arena: FakeArena) -> None:
    page = visit(FEW)
    page.click("[data-play]")
    page.wait_for_selector(FINISHED)
    end, last = picture(page, "mixture"), step(page, "mixture")
    assert not page.is_visible("[data-onward]")
    page.evaluate("document.querySelector('[data-time]').focus()")
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    assert 0 < step(page, "mixture") < 0.5 * last
    assert picture(page, "mixture") != end
    back = step(page, "mixture")
    page.click("[data-play]")  # what is kept as a film
    moved(page, "mixture", back)
    page.wait_for_function(f"Number(document.querySelector('[data-panel=mixture]').dataset.step) === {last}")
    page.fill("[data-time]", "10")
    page.click("[data-onward]")
    page.wait_for_selector(RUNNING)
    assert ("tell", {"do": "rewind", "to": 10}) in arena.asked
    page.wait_for_selector(FINISHED)
    page.click("[data-play]")  # as much again
    page.wait_for_selector(RUNNING)
    page.wait_for_function("document.querySelector('[data-clock]').textContent.includes('of 6 s')")


def test_a_link_restores_everything(visit: Open, arena: FakeArena) -> None:
    page = visit()
    page.click("[data-choose-target]")
    page.click("[data-target=moons]")
    assert not page.is_visible("[data-target=moons]")  # chosen: out of the way
    page.click("[data-choose-learners]")
    page.click("[data-who-set=none]")
    assert "Choose at least one" in page.inner_text("[data-said]")
    page.click("[data-learner=spline]")
    page.click("[data-learner=gan]")
    page.select_option("[data-pick=budget]", label="200 steps each")
    page.select_option("[data-pick=data]", label="2 000 points")
    page.select_option("[data-pick=rate]", label="× 3")
    page.select_option("[data-pick=width]", label="32 units")
    page.fill("[data-seed]", "5")
    page.keyboard.press("Tab")
    page.click("[data-view-as=samples]")
    page.click("[data-panel=gan] .lab-plane")
    for part in ("target=moons", "learners=gan,spline", "budget=200steps", "seed=5", "view=samples", "selected=gan"):
        address(page, part)
    again = visit(page.url.split("/lab", 1)[1])
    assert again.url == page.url
    state = "JSON.stringify(window.lab.state)"
    assert again.evaluate(state) == page.evaluate(state)
    assert again.evaluate("[...document.querySelectorAll('[data-panel]')].map(n => n.dataset.panel)") == [
        "truth",
        "gan",
        "spline",
    ]
    again.click("[data-play]")
    again.wait_for_selector(FINISHED)
    spec = [what for name, what in arena.asked if name == "start"][-1]
    assert spec["learners"] == {"gan": {"width": 32}, "spline": {"width": 32}}
    assert (spec["data"], spec["seed"], spec["rate"]) == (2000, 5, 3)
    assert spec["budget"] == {"kind": "steps", "amount": 200}


def test_ones_own_target_travels_in_the_link(visit: Open) -> None:
    page = visit(FEW, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("window.lab.set({target: {formula: 'exp(-(x**2+y**2-4)**2)'}})")
    address(page, "#own=")
    page.click("[data-share]")
    page.wait_for_selector("#pg-toast.on")
    assert page.inner_text("#pg-toast") == "Link copied"
    again = visit(page.evaluate("navigator.clipboard.readText()").split("/lab", 1)[1])
    assert again.evaluate("window.lab.state.target.formula")
    assert alike(again, page)


def test_a_strange_link_is_taken_as_far_as_it_makes_sense(visit: Open) -> None:
    page = visit("?target=nobody&learners=gan,%3Cb%3E&budget=-3s&data=7&rate=x&view=all&settings=%5B1%5D#own=xyz")
    state = page.evaluate("window.lab.state")
    assert state["target"] == {"name": "ring"} and state["learners"] == ["gan"] and state["settings"] == {}
    assert state["budget"] == {"kind": "seconds", "amount": 3}
    assert (state["data"], state["rate"], state["view"]) == (10000, 1, "density")


def test_controls_reach_the_race_that_is_on(visit: Open, arena: FakeArena) -> None:
    page = visit(FEW)
    page.click("[data-play]")
    page.wait_for_selector(RUNNING)
    page.select_option("[data-pick=rate]", label="× 10")
    page.select_option("[data-pick=width]", label="128 units")
    page.wait_for_timeout(300)
    told = [what for name, what in arena.asked if name == "tell" and what["do"] == "set"]
    assert {"do": "set", "learner": None, "settings": {"rate": 10}} in told
    assert {"do": "set", "learner": "gan", "settings": {"width": 128}} in told
    assert not any(what["learner"] == "mixture" for what in told)  # it has no width
    page.click("[data-dice]")  # another seed is another race
    page.wait_for_selector(".lab-bar[data-status=idle]")
    assert step(page, "gan") == 0


def test_views_change_the_pictures(visit: Open) -> None:
    page = visit(FEW)
    page.click("[data-play]")
    page.wait_for_selector(FINISHED)
    page.wait_for_timeout(300)
    seen = {view: show(page, view) for view in ("density", "difference", "samples")}
    assert len(set(seen.values())) == 3
    assert page.locator("[data-view-as][aria-pressed=true]").inner_text() == "Samples"


def show(page: Any, view: str) -> str:
    page.click(f"[data-view-as={view}]")
    page.wait_for_timeout(150)
    return picture(page, "vae")


def test_a_panel_is_chosen_and_put_back(visit: Open) -> None:
    page = visit(FEW)
    assert not page.is_visible("#pg-lab_inspector")
    page.click("[data-panel=vae] .lab-plane")
    page.wait_for_selector("#pg-lab_inspector:visible")
    assert page.evaluate("window.lab.state.selected") == "vae"
    page.keyboard.press("Escape")
    page.wait_for_selector("#pg-lab_inspector", state="hidden")
    page.focus("[data-panel=gan] .lab-plane")
    page.keyboard.press("Space")  # leaves the space bar to the race
    page.wait_for_selector(RUNNING)
    page.keyboard.press("Enter")
    page.wait_for_selector("#pg-lab_inspector:visible")
    page.click("[data-panel=gan] [data-unchoose]")
    page.wait_for_selector("#pg-lab_inspector", state="hidden")


def test_a_click_is_answered_at_once_while_all_race(visit: Open) -> None:
    page = visit()
    page.click("[data-play]")
    moved(page, "ddpm", 0)
    slowest = page.evaluate(
        """async () => {
        const took = [];
        for (let i = 0; i < 12; i++) {
          const begun = performance.now();
          document.querySelector(`[data-view-as=${["difference", "density"][i % 2]}]`).click();
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          took.push(performance.now() - begun);
          await new Promise((done) => setTimeout(done, 90));
        }
        return took.sort((a, b) => a - b)[9];
      }"""
    )
    assert slowest < 150


def test_a_race_that_is_lost_is_said(visit: Open, arena: FakeArena) -> None:
    page = visit(FEW)
    page.click("[data-play]")
    page.wait_for_selector(RUNNING)
    arena.races.clear()
    page.wait_for_selector(".lab-bar[data-status=lost]")
    assert "Press play" in page.inner_text("[data-said]")
    page.click("[data-play]")
    page.wait_for_selector(RUNNING)


def test_two_visitors_do_not_meet(visit: Open) -> None:
    one, two = visit(FEW), visit("?learners=ppca")
    one.click("[data-play]")
    moved(one, "gan", 0)
    assert two.get_attribute(".lab-bar", "data-status") == "idle" and step(two, "ppca") == 0


def test_the_pages_lead_to_each_other_and_leave_each_other_alone(visit: Open) -> None:
    page = visit("?model=alpha&do=generate&seed=3", path="")
    assert "model=alpha" in page.url
    page.click("[data-to=lab]")
    page.wait_for_selector("[data-panel=truth]")
    assert page.get_attribute("[data-to=lab]", "aria-current") == "page"
    page.wait_for_timeout(300)
    assert "model=" not in page.url and page.url.rstrip("/?").endswith("/lab")
    page.click("[data-to=play]")
    page.wait_for_selector(".pg-stage")
    assert not page.is_visible("[data-panel]")


def test_phone(visit: Open) -> None:
    page = visit(width=390, height=844, has_touch=True, is_mobile=True)
    assert no_sideways(page)
    tops = page.evaluate("[...document.querySelectorAll('[data-panel]')].map(n => n.getBoundingClientRect().top)")
    assert tops[0] == tops[1] < tops[2] == tops[3]  # two in a row
    page.tap("[data-play]")
    page.wait_for_selector(RUNNING)
    moved(page, "gan", 0)
    page.tap(".lab-more")
    page.tap("[data-choose-learners]")
    assert no_sideways(page)
    small = page.evaluate(
        """[...document.querySelectorAll(':is(.lab-bar, .lab-panels, .pg-masthead) :is(a, button), .lab-field')]
        .filter(e => e.offsetParent).map(e => [e.className, e.getBoundingClientRect()])
        .filter(([, r]) => r.width < 40 || r.height < 40).map(([name, r]) => `${name} ${r.width}x${r.height}`)"""
    )
    assert small == []
    page.tap("[data-panel=mixture] .lab-plane")
    page.wait_for_selector("#pg-lab_inspector:visible")
    assert no_sideways(page)


def test_day_and_night(visit: Open) -> None:
    light, dark = visit(FEW, color_scheme="light"), visit(FEW, color_scheme="dark")
    assert not alike(light, dark)
    light.click("[data-theme-toggle]")
    light.wait_for_timeout(200)
    assert alike(light, dark)


def test_every_control_is_reached_by_keyboard(visit: Open) -> None:
    page = visit(FEW)
    wanted = {"data-choose-target", "data-choose-learners", "data-pick", "data-seed", "data-share", "data-play"}
    wanted |= {"data-step", "data-view-as", "data-lab-plane"}
    for _ in range(80):
        page.keyboard.press("Tab")
        wanted -= set(page.evaluate("[...(document.activeElement?.attributes ?? [])].map(a => a.name)"))
        if not wanted:
            break
    assert not wanted
