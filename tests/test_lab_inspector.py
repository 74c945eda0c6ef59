"""The laboratory's inspector and its probe in a real browser, over an arena that only pretends to learn."""

from __future__ import annotations

from typing import Any

import pytest
from fake_arena import FakeArena
from pages import Open, no_sideways
from test_lab_browser import arena, url, visit

pytestmark = pytest.mark.browser
__all__ = ["arena", "url", "visit"]  # fixtures
FEW = "?learners=mixture,vae,gan,flow_matching,score"
INSPECTOR, PROBE = ".pg-lab-inspector", "[data-lab-probe]"
START = f"{INSPECTOR} [data-start]"


def opened(visit: Open, name: str, **options: Any) -> Any:
    """The page with a race that has come some way and is paused, and ``name`` chosen."""
    page = visit(f"{FEW}&selected={name}", **options)
    page.evaluate("window.lab.start()")
    page.wait_for_function("Object.keys(window.lab.panels).length === 5 && window.lab.race.progress > 0.1")
    page.evaluate("window.lab.pause()")
    page.wait_for_selector(".lab-bar[data-status=paused]")
    return page


def over(page: Any) -> str:
    return str(page.evaluate(f"document.querySelector('{INSPECTOR} [data-over]').toDataURL()"))


def ground(page: Any) -> str:
    return str(page.evaluate(f"document.querySelector('{INSPECTOR} [data-base]').toDataURL()"))


def changed(page: Any, canvas: str, before: str) -> None:
    page.wait_for_function(
        f"before => document.querySelector('{INSPECTOR} [{canvas}]').toDataURL() !== before", arg=before
    )


def watched(page: Any) -> None:
    """From here on the page counts its questions."""
    page.evaluate(
        """() => { window.asked = []; const ask = window.lab.ask;
        window.lab.ask = (name, args) => { window.asked.push(args.question); return ask(name, args); }; }"""
    )


def rows(page: Any) -> list[str]:
    return [
        str(name)
        for name in page.evaluate(f"[...document.querySelectorAll('{PROBE} [data-row]')].map(r => r.dataset.row)")
    ]


def exact(page: Any) -> None:
    """Wait until no value is read off a map any more."""
    page.wait_for_function(f"!document.querySelector('{PROBE} tbody').innerText.includes('≈')")


def press_at(page: Any, plane: str, x: float, y: float) -> None:
    """Click where ``x``, ``y`` of the plane is."""
    size = page.locator(plane).bounding_box()["width"]
    page.click(plane, position={"x": (x + 4.5) / 9 * size, "y": (4.5 - y) / 9 * size})


def test_who_it_is_its_figures_losses_and_code(visit: Open) -> None:
    page = opened(visit, "flow_matching")
    words = page.inner_text(INSPECTOR)
    assert "Flow matching" in words and "in one line" in words and "density: exact" in words
    for term in ("Steps", "Own training", "820 µs", "1,220"):
        assert term in words
    assert page.is_visible(f"{INSPECTOR} [data-curve]")
    assert page.locator(f"{INSPECTOR} [data-player]").count() == 1
    page.click(f"{INSPECTOR} [data-source]")
    page.wait_for_selector(".pg-dialog .pg-source")
    assert "FlowMatching" in page.inner_text(".pg-source")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.click(f"{INSPECTOR} [aria-label='The next panel']")
    assert page.evaluate("window.lab.state.selected") == "score"


def test_what_it_cannot_do_is_grey_and_says_why(visit: Open) -> None:
    page = opened(visit, "mixture")
    field = f"{INSPECTOR} [data-layer=field]"
    assert page.get_attribute(field, "aria-disabled") == "true"
    assert "nothing in it moves points" in page.inner_text(f"{INSPECTOR} [data-reason=field]")
    page.click(field, force=True)
    assert "nothing in it moves points" in page.inner_text("#pg-toast")
    assert not page.is_visible(f"{INSPECTOR} [data-times]")
    assert not page.is_visible(f"{INSPECTOR} [data-turns]")


def test_grounds_and_samples(visit: Open) -> None:
    page = opened(visit, "mixture")
    density = ground(page)
    page.click(f"{INSPECTOR} [data-ground=difference]")
    changed(page, "data-base", density)
    difference = ground(page)
    page.click(f"{INSPECTOR} [data-layer=samples]")
    changed(page, "data-base", difference)
    page.click(f"{INSPECTOR} [aria-label='The panel before']")
    assert page.get_attribute(f"{INSPECTOR} [data-ground=difference]", "aria-disabled") == "true"  # the truth itself


def test_the_field_follows_the_slider_and_asks_only_for_the_latest(visit: Open) -> None:
    page = opened(visit, "flow_matching")
    empty = over(page)
    page.click(f"{INSPECTOR} [data-layer=field]")
    changed(page, "data-over", empty)
    page.wait_for_function(f"document.querySelector('{INSPECTOR} [data-longest]').innerText.includes('longest')")
    page.wait_for_timeout(500)
    before = over(page)
    watched(page)
    page.evaluate(
        f"""() => {{ const time = document.querySelector('{INSPECTOR} [data-time]');
        for (let i = 1; i <= 20; i++) {{ time.value = i / 40; time.dispatchEvent(new Event('input')); }}
        time.value = 0.9; time.dispatchEvent(new Event('input')); }}"""
    )
    changed(page, "data-over", before)
    page.wait_for_timeout(600)
    times = [q["t"] for q in page.evaluate("window.asked") if q and q.get("what") == "field"]
    assert times[-1] == 0.9 and len(times) <= 3
    assert page.inner_text(f"{INSPECTOR} [data-moment]") == "t = 0.90"
    page.focus(f"{INSPECTOR} [data-time]")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(f"{INSPECTOR} [data-moment]") == "t = 0.93"
    page.click(f"{INSPECTOR} [data-run-time]")
    page.wait_for_function(f"document.querySelector('{INSPECTOR} [data-moment]').innerText === 't = 1.00'")


def test_a_start_point_is_dragged_by_mouse_and_by_keys(visit: Open) -> None:
    page = opened(visit, "flow_matching")
    assert not page.is_visible(START)
    empty = over(page)
    page.click(f"{INSPECTOR} [data-layer=path]")
    changed(page, "data-over", empty)
    page.wait_for_timeout(300)
    before, box = over(page), page.locator(START).bounding_box()
    page.mouse.move(box["x"] + 22, box["y"] + 22)
    page.mouse.down()
    page.mouse.move(box["x"] - 80, box["y"] + 60, steps=8)
    page.mouse.up()
    changed(page, "data-over", before)
    assert not page.evaluate("document.body.classList.contains('pg-lab-probed')")  # a drag is no click
    where = page.get_attribute(START, "aria-label")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.get_attribute(START, "aria-label") != where


def test_the_latent_grid(visit: Open) -> None:
    page = opened(visit, "vae")
    empty = over(page)
    page.click(f"{INSPECTOR} [data-layer=latent_grid]")
    changed(page, "data-over", empty)


def test_the_game_in_slow_motion(visit: Open) -> None:
    page = opened(visit, "gan")
    assert page.get_attribute(f"{INSPECTOR} [data-ground=density]", "aria-disabled") == "true"
    assert page.locator(f"{INSPECTOR} [data-player]").count() == 2
    watched(page)
    page.click("[data-steps-of-turn='50']")
    for player in ("discriminator", "generator"):
        page.click(f"[data-turn={player}]")
        page.wait_for_function(
            "n => window.asked.filter(q => q && q.what === 'turn').length === n",
            arg=["", "discriminator", "generator"].index(player),
        )
        page.wait_for_selector("[data-moment=after] canvas")
        assert "0.7 before, 0.6 after" in page.inner_text("[data-turn-words]")
    turns = [q for q in page.evaluate("window.asked") if q and q.get("what") == "turn"]
    assert [(q["player"], q["steps"]) for q in turns] == [("discriminator", 50), ("generator", 50)]


def test_settings_reach_the_race_and_the_address(visit: Open, arena: FakeArena) -> None:
    page = opened(visit, "flow_matching")
    page.click(f"{INSPECTOR} summary")
    arena.asked.clear()
    page.fill("[data-setting=width] input[type=number]", "128")
    page.keyboard.press("Tab")
    page.click("[data-setting=pairing] [data-option='optimal transport']")
    page.wait_for_function('decodeURIComponent(location.search).includes(\'"pairing":"optimal\')')
    told = [command for what, command in arena.asked if what == "tell"]
    assert {"do": "set", "learner": "flow_matching", "settings": {"width": 128}} in told
    assert {"do": "set", "learner": "flow_matching", "settings": {"pairing": "optimal transport"}} in told


def test_one_point_under_every_model(visit: Open) -> None:
    page = visit(FEW, permissions=["clipboard-read", "clipboard-write"])
    assert "Click or tap" in page.inner_text(PROBE)
    page.evaluate("window.lab.start()")
    page.wait_for_selector(".lab-bar[data-status=done]")
    press_at(page, "[data-panel=flow_matching] .lab-plane", 2.83, 0.0)
    exact(page)
    assert float(page.input_value(f"{PROBE} [data-axis=x]")) == pytest.approx(2.83, abs=0.1)
    names = rows(page)
    assert names[0] == "truth" and names[-1] == "gan" and set(names) >= {"mixture", "vae", "score"}
    assert "it only learns to draw samples" in page.inner_text(f"{PROBE} [data-row=gan]")
    assert "lower bound" in page.inner_text(f"{PROBE} [data-row=vae]")
    assert "± 0.02" in page.inner_text(f"{PROBE} [data-row=score]")
    gaps = page.evaluate(
        f"""[...document.querySelectorAll('{PROBE} [data-row] td:last-child')]
        .map(c => Number(c.innerText.replace('−', '-')))"""
    )
    far = [abs(gap) for gap in gaps if gap == gap]
    assert len(far) == 4 and far == sorted(far)
    assert page.get_attribute("[data-panel=mixture] .lab-plane", "data-probe").startswith("−")
    assert page.get_attribute("[data-panel=gan] .lab-plane", "data-probe") == "no density"
    page.click(f"{PROBE} [data-copy]")
    text = page.evaluate("navigator.clipboard.readText()")
    assert len(text.splitlines()) == 2 + 1 + 5 and "Flow matching" in text
    page.click(f"{PROBE} [data-clear]")
    assert "Click or tap" in page.inner_text(PROBE)


def test_the_probe_by_keyboard(visit: Open) -> None:
    page = opened(visit, "mixture")
    page.focus("[data-panel=vae] .lab-plane")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert [page.input_value(f"{PROBE} [data-axis={axis}]") for axis in "xy"] == ["0.10", "0.50"]
    exact(page)
    page.fill(f"{PROBE} [data-axis=x]", "-2")
    page.keyboard.press("Tab")
    page.wait_for_function("document.body.style.getPropertyValue('--probe-x').startsWith('27.7')")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.body.classList.contains('pg-lab-probed')")


def test_who_looks_back_asks_the_snapshot(visit: Open, arena: FakeArena) -> None:
    page = opened(visit, "flow_matching")
    page.click(f"{INSPECTOR} [data-layer=path]")
    press_at(page, "[data-panel=vae] .lab-plane", 1.0, 1.0)
    exact(page)
    assert not page.is_visible(f"{INSPECTOR} [data-past]")
    page.evaluate("window.lab.set({selected: 'flow_matching'})")
    arena.asked.clear()
    page.evaluate("window.lab.scrub(2)")
    page.wait_for_selector(f"{INSPECTOR} [data-past]:visible")
    page.wait_for_function(f"document.querySelector('{PROBE} [data-note]').innerText.includes('snapshot')")
    page.wait_for_timeout(300)
    asked = [question for what, question in arena.asked if what == "probe"]
    assert {question["what"] for question in asked} == {"path", "log_prob"}
    assert {question["kept"] for question in asked} == {2}
    assert {question["quick"] for question in asked if question["what"] == "log_prob"} == {True, False}


def test_the_probe_is_in_the_address(visit: Open) -> None:
    page = visit(f"{FEW}&probe=1.5,-2")
    page.wait_for_function("document.body.classList.contains('pg-lab-probed')")
    assert [page.input_value(f"{PROBE} [data-axis={axis}]") for axis in "xy"] == ["1.50", "-2.00"]
    page.fill(f"{PROBE} [data-axis=x]", "-3")
    page.keyboard.press("Tab")
    page.wait_for_function("decodeURIComponent(location.search).includes('probe=-3,-2')")
    page.click(f"{PROBE} [data-clear]")
    page.wait_for_function("!location.search.includes('probe')")
    page = visit(f"{FEW}&probe=99,nothing")
    assert not page.evaluate("document.body.classList.contains('pg-lab-probed')")


def test_an_unknown_truth_is_said(visit: Open) -> None:
    page = opened(visit, "mixture")
    page.evaluate("() => { window.lab.target = {...window.lab.target, known: false, logp: null}; }")
    page.evaluate(
        "() => { const ask = window.lab.ask; window.lab.ask = async (...a) => ({...(await ask(...a)), true: null}); }"
    )
    press_at(page, "[data-panel=vae] .lab-plane", 1.0, 1.0)
    exact(page)
    assert "unknown" in page.inner_text(f"{PROBE} [data-row=truth]")


def test_the_first_click_hits_although_the_grid_makes_room(visit: Open) -> None:
    page = visit(FEW)
    press_at(page, "[data-panel=score] .lab-plane", -2.0, 2.0)
    page.wait_for_selector(f"{INSPECTOR}:visible")
    assert float(page.input_value(f"{PROBE} [data-axis=x]")) == pytest.approx(-2, abs=0.1)
    assert float(page.input_value(f"{PROBE} [data-axis=y]")) == pytest.approx(2, abs=0.1)


def test_phone_and_fingers(visit: Open) -> None:
    page = opened(visit, "flow_matching", width=390, height=844, has_touch=True, is_mobile=True)
    for layer in ("field", "path"):
        page.tap(f"{INSPECTOR} [data-layer={layer}]")
    assert no_sideways(page)
    page.evaluate("window.scrollTo(0, 0)")
    page.tap("[data-panel=vae] .lab-plane")
    page.wait_for_function(f"document.querySelector('{INSPECTOR}').getBoundingClientRect().top < innerHeight / 2")
    exact(page)
    assert no_sideways(page)
    small = page.evaluate(
        f"""[...document.querySelectorAll(':is({INSPECTOR}, {PROBE}) :is(button, input[type=number], summary)')]
        .filter(e => e.offsetParent).map(e => [e.className, e.getBoundingClientRect()])
        .filter(([, r]) => r.width < 40 || r.height < 40).map(([name, r]) => `${{name}} ${{r.width}}x${{r.height}}`)"""
    )
    assert small == []
