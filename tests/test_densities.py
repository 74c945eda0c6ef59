"""The same pictures through several densities, and kinds of pictures told apart: on toys, against known answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pages import Open, no_sideways, opening, serve
from scipy import stats
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as their_roc_curve
from test_activities import shown
from torch import Tensor
from toyshelf import sent, toy_shelf

from playground.activities.densities import Sheet, cells, coloured, densities, lesson, seen, surprises, table
from playground.activities.tell_apart import FEWEST, Verdict, judged, pairs, tell_apart
from playground.activities.tell_apart import lesson as verdict_in_words
from playground.backends import Request
from playground.backends.local import Local
from playground.capabilities import Density, LogProb, Surprises
from playground.data import datasets
from playground.knobs import Drawing, Refused, knobs
from playground.pictures import to_data
from playground.rng import Rng
from playground.strangers import USUAL, another, flat, foreign, noise
from playground.ui import build
from playground.views import Curve, Images, Progress, Refusal, Table, Text, View
from playground.weighing import ranks, roc_area, roc_curve, weigh

MNIST = datasets()["mnist"]
SHAPE = (1, 4, 4)


class Coins(Density, Surprises):
    """Independent black and white pixels: its log-probability and surprises are sums that can be checked by hand."""

    shape = SHAPE

    def __init__(self, white: float) -> None:
        super().__init__()
        self.white = white

    @classmethod
    def tiny(cls) -> Coins:
        return cls(0.25)

    def surprise(self, x: Tensor) -> Tensor:
        return -torch.where(x > 0.5, math.log(self.white), math.log(1 - self.white)).sum(1)

    def log_prob(self, x: Tensor, rng: Rng, **own: Any) -> LogProb:
        return LogProb(-self.surprise(x).sum((1, 2)), "exact", "binary pixels")


class Noisy(Density):
    """Answers with what its streams draw, with an error and whatever kind is asked for."""

    shape = SHAPE

    @classmethod
    def tiny(cls) -> Noisy:
        return cls()

    def log_prob(self, x: Tensor, rng: Rng, **own: Any) -> LogProb:
        return LogProb(rng.normal(), "estimate", "8-bit pixels", torch.full((len(x),), 0.5))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


def weighed(model: Density, levels: np.ndarray, **options: Any) -> LogProb:
    """What ``weigh`` returns."""
    weighing = weigh(model, levels, 3, {}, **options)
    while True:
        try:
            next(weighing)
        except StopIteration as end:
            assert isinstance(end.value, LogProb)
            return end.value


def sheet_of(levels: np.ndarray, own: int) -> Sheet:
    return Sheet(levels, tuple(f"picture {i}" for i in range(len(levels))), own, len(levels) - own)


def levels(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


# ---- weighing


def test_groups_of_any_size_give_the_same_values() -> None:
    many = levels(37)
    alone = Noisy().log_prob(to_data(many), Rng(4, 37))
    together = weighed(Noisy(), many)
    assert torch.equal(together.nats, alone.nats) and together.stderr is not None and len(together.stderr) == 37
    exact = weighed(Coins(0.25), many)
    white = torch.from_numpy(many > 127).flatten(1).sum(1)
    torch.testing.assert_close(exact.nats, white * math.log(0.25) + (16 - white) * math.log(0.75))
    assert exact.stderr is None


@pytest.mark.parametrize(
    ("fixed", "each", "sizes"),
    [(1.3, 0.0, [1, 2, 4, 8, 16, 6]), (0.0, 0.3, [1, *[2] * 18]), (0.0, 0.01, [1, 2, 4, 8, 16, 6])],
    ids=["as long for many as for one", "slow", "quick"],
)
def test_groups_grow_while_it_costs_little(
    fixed: float, each: float, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, seen = [0.0], []

    class Timed(Noisy):
        def log_prob(self, x: Tensor, rng: Rng, **own: Any) -> LogProb:
            clock[0] += fixed + each * len(x)
            seen.append(len(x))
            return super().log_prob(x, rng, **own)

    monkeypatch.setattr("playground.weighing.time.perf_counter", lambda: clock[0])
    weighed(Timed(), levels(37))
    assert seen == sizes


def test_impatience_leaves_the_rest_unweighed() -> None:
    assert len(weighed(Noisy(), levels(9), patience=0).nats) == 1


def test_the_evaluation_draws_from_other_streams_than_the_pictures() -> None:
    drawn = Rng(3, 5).normal()
    assert not torch.equal(weighed(Noisy(), levels(5)).nats, drawn)


def test_ranks() -> None:
    assert ranks(np.array([-5.0, 2.0, 2.0, -math.inf])).tolist() == [3, 1, 1, 4]


@pytest.mark.parametrize("decimals", [6, 0], ids=["all different", "many equal"])
def test_roc_against_scikit_learn(decimals: int) -> None:
    g = np.random.default_rng(0)
    inside, outside = g.normal(1, 1, 70).round(decimals), g.normal(0, 2, 50).round(decimals)
    truth, scores = np.repeat([1, 0], [70, 50]), np.concatenate([inside, outside])
    alarms, hits = roc_curve(inside, outside)
    theirs = their_roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose((alarms, hits), theirs[:2])
    area, _ = roc_area(inside, outside)
    assert area == pytest.approx(roc_auc_score(truth, scores))
    assert area == pytest.approx(np.trapezoid(hits, alarms))
    assert area == pytest.approx(stats.mannwhitneyu(inside, outside).statistic / (70 * 50))


def test_the_impossible_comes_last() -> None:
    inside, outside = np.array([-1.0, -math.inf]), np.array([-math.inf, -math.inf, -2.0])
    alarms, hits = roc_curve(inside, outside)
    assert alarms.tolist() == [0, 0, 1 / 3, 1] and hits.tolist() == [0, 0.5, 0.5, 1]
    assert roc_area(inside, outside)[0] == pytest.approx(np.trapezoid(hits, alarms))
    known = LogProb(torch.tensor([-math.inf, -1.0]), "exact", "8-bit pixels")
    assert cells(known, "nats", 16) == ["−∞ (2)", "−1.0 (1)"]


def test_the_standard_error_of_the_area_is_the_spread_over_many_samples() -> None:
    g = np.random.default_rng(1)
    runs = np.array([roc_area(g.normal(1, 1, 60), g.normal(0, 1, 40)) for _ in range(1000)])
    assert runs[:, 0].mean() == pytest.approx(stats.norm.cdf(1 / math.sqrt(2)), abs=0.005)  # known: P(N(1, 2) > 0)
    assert runs[:, 1].mean() == pytest.approx(runs[:, 0].std(), rel=0.08)
    assert roc_area(np.array([2.0, 3]), np.array([0.0, 1])) == (1.0, 0.0)


# ---- strange pictures


def test_the_usual_other_data_set_is_never_the_same() -> None:
    assert another(MNIST).name == "fashion-mnist" and another(datasets()["fashion-mnist"]).name == "mnist"
    for data in datasets().values():
        assert another(data).name != data.name


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 8, 8), (3, 32, 32)])
def test_pictures_of_any_data_set_fit_any_other(shape: tuple[int, int, int]) -> None:
    pictures = np.full((9, 3, 16, 16), 200, np.uint8), np.zeros(9, np.int64)
    coloured = replace(MNIST, shape=(3, 16, 16), read=lambda split: pictures)
    for other in (coloured, MNIST, datasets()["digits"]):
        strange, names, note = foreign(replace(MNIST, shape=shape), other, Rng(0), 3)
        assert strange.shape == (3, *shape) and strange.dtype == np.uint8 and len(names) == 3
        assert ("was brought" in note) == (shape != other.shape)
        assert other is not coloured or (abs(strange.astype(int) - 200) <= 1).all()
        assert foreign(replace(MNIST, shape=shape), other, Rng(0), 0)[0].shape == (0, *shape)


def test_noise_and_flat_pictures() -> None:
    grain = noise(MNIST, Rng(5), 40)
    assert grain.shape == (40, 1, 28, 28) and abs(grain.mean() - 127.5) < 2 and {grain.min(), grain.max()} == {0, 255}
    np.testing.assert_array_equal(noise(MNIST, Rng(5), 2), grain[:2])
    assert noise(MNIST, Rng(5), 0).shape == (0, 1, 28, 28)
    assert {int(flat(MNIST, name).max()) for name in ("black", "grey", "white")} == {0, 128, 255}


# ---- the densities side by side


def test_values_of_different_measures_are_never_in_one_table() -> None:
    sheet = sheet_of(levels(4), 2)
    known = {"coins": weighed(Coins(0.25), sheet.levels), "bent": weighed(Coins(0.5), sheet.levels)}
    known["noisy"] = weighed(Noisy(), sheet.levels)
    binary, grey = (table(sheet, known, known[name].measure, "nats", 0) for name in ("coins", "noisy"))
    assert binary.columns == ("", "coins (exact)", "bent (exact)") and grey.columns == ("", "noisy (estimate)")
    assert binary.key != grey.key and "only the places can be compared" in binary.caption
    first = [float(str(row[1]).partition(" ")[0].replace("−", "-")) for row in binary.rows]
    assert first == sorted(first, reverse=True) and str(binary.rows[0][1]).endswith("(1)")
    assert binary.pictures is not None and set(np.unique(binary.pictures)) == {0, 255}  # as the model sees them
    assert grey.pictures is not None and len(np.unique(grey.pictures)) > 2


def test_every_value_says_its_kind() -> None:
    two = torch.tensor([-1234.5, -20.0])
    said = {kind: cells(LogProb(two, kind, "8-bit pixels"), "nats", 16)[0] for kind in ("exact", "lower bound")}
    assert said == {"exact": "−1,234 (2)", "lower bound": "≥ −1,234 (2)"}
    assert (
        cells(LogProb(two, "estimate", "8-bit pixels", torch.tensor([0.5, 1.0])), "nats", 16)[1] == "≈ −20.0 ± 1.0 (1)"
    )
    assert cells(LogProb(two, "unnormalised", "continuous"), "bits/dim", 16)[1] == "−20.0 + c (1)"  # no such bits


def test_bits_per_dimension() -> None:
    known = LogProb(
        torch.tensor([-16 * math.log(2), 0.0]), "lower bound", "binary pixels", torch.tensor([1.01 * math.log(2), 0])
    )
    assert cells(known, "bits/dim", 16) == ["≤ 1.000 ± 0.063 (2)", "≤ 0.000 ± 0.000 (1)"]


def test_an_impatient_table_has_dashes() -> None:
    sheet = sheet_of(levels(4), 2)
    view = table(sheet, {"coins": weighed(Coins(0.25), sheet.levels, patience=0)}, "binary pixels", "nats", 0)
    assert [row[1] is None for row in view.rows] == [False, True, True, True] and "A dash" in view.caption


def test_maps_show_each_pixels_surprise() -> None:
    sheet = sheet_of(levels(3), 2)
    field = {"coins": Coins(0.01), "noisy": Noisy()}
    (view,) = surprises(sheet, field, {name: weighed(model, sheet.levels) for name, model in field.items()})
    assert view.group == ("picture", "coins") and view.columns == 3 and view.pixels.shape == (6, 4, 4, 3)
    white = sheet.levels[0, 0] > 127
    assert (view.pixels[3][white] == (252, 255, 164)).all() and view.pixels[3][~white].max() < 10
    assert view.ramp is not None and view.ends == ("0", f"{-math.log(0.01):.1f} nats")
    total = white.sum() * -math.log(0.01) + (~white).sum() * -math.log(0.99)
    assert view.captions[3] == f"{total:,.0f} nats"


def test_colours_run_from_black_to_pale() -> None:
    shades = coloured(np.array([[[-1.0, 0.0, 0.5, 1.0, 9.0]]]))[0, 0].astype(int)
    np.testing.assert_array_equal(shades[[0, 3]], shades[[1, 4]])
    assert (np.diff(shades[1:4].sum(1)) > 100).all()


def test_black_and_white_is_cut_as_models_cut() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    cut = torch.from_numpy(seen(every, "binary pixels")) > 0
    assert torch.equal(cut, to_data(every) > 0.5)


def test_the_lesson_is_that_of_the_numbers() -> None:
    sheet = sheet_of(levels(3), 2)
    fooled = lesson(sheet, {"m": LogProb(torch.tensor([-3.0, -2.0, -1.0]), "exact", "8-bit pixels")})
    assert "picture 2 (m)" in fooled and "1810.09136" in fooled
    right = lesson(sheet, {"m": LogProb(torch.tensor([-3.0, -1.0, -2.0]), "exact", "8-bit pixels")})
    assert "less probable" in right


def test_densities_on_the_shelf(local: Local) -> None:
    page = np.zeros((60, 60, 3), np.uint8)
    page[10:50, 25:32] = 255
    views = shown(
        local, "densities", "toy-classes", others=["toy-plain"], samples=1, drawing=sent(page), picture=sent(page)
    )
    found = views["continuous"]
    assert isinstance(found, Table) and found.pictures is not None and len(found.rows) == len(found.pictures) == 10
    names = {str(row[0]) for row in found.rows}
    assert {"noise", "all black", "all white", "your picture", "your drawing"} <= names
    assert sum("Fashion-MNIST" in name for name in names) >= 1 and any(name.startswith("drawn by") for name in names)
    twins = {str(row[0]): row[1:] for row in found.rows}
    strip = [str(v).partition(" ")[0] for v in twins["your picture"]]
    assert strip == [str(v).partition(" ")[0] for v in twins["your drawing"]]
    assert isinstance(views["lesson"], Text) and found.columns[1] != found.columns[2]


def test_densities_tell_of_their_progress_and_can_be_left(local: Local) -> None:
    running = local.run(Request("toy-plain", "densities", {"others": []}, 3))
    assert isinstance(next(running), Progress)
    running.close()


def test_no_picture_at_all_is_refused(local: Local) -> None:
    nothing: dict[str, Any] = {"test_pictures": 0, "strange_pictures": 0, "noise": 0, "flat": "none"}
    view = shown(local, "densities", "toy-plain", **nothing)["main"]
    assert isinstance(view, Refusal) and "test pictures: 2" in view.text
    spoilt = shown(local, "densities", "toy-plain", drawing="data:image/png;base64,AAAA")["main"]
    assert isinstance(spoilt, Refusal) and "picture" in spoilt.text
    misfit = shown(local, "densities", "toy-blob")["main"]
    assert isinstance(misfit, Refusal) and "no density" in misfit.text


def test_a_drawing_is_a_picture() -> None:
    (spec,) = (s for s in knobs(densities) if isinstance(s.knob, Drawing))
    assert spec.to_json()["knob"] == "Drawing" and spec.knob.check("drawing", "") is None
    with pytest.raises(Refused):
        spec.knob.check("drawing", "x" * 10**7)


# ---- telling kinds apart


def test_any_part_of_the_pairs_has_both_kinds() -> None:
    both, kinds, _ = pairs(MNIST, Rng(1), 12, "noise", USUAL)
    assert both.shape == (24, 1, 28, 28) and kinds == ("MNIST", "noise")
    ink = (both > 0).mean((1, 2, 3))
    assert (ink[1::2] > 0.9).all() and (ink[0::2] < 0.5).all()
    with pytest.raises(Refused, match="itself"):
        pairs(MNIST, Rng(1), 12, "another data set", "mnist")


def test_a_verdict_needs_enough_pictures() -> None:
    known = LogProb(torch.arange(2.0 * FEWEST), "exact", "continuous")
    assert judged(known).area == pytest.approx((FEWEST - 1) / (2 * FEWEST))  # each strange one is above its own
    short = judged(LogProb(torch.arange(5.0), "exact", "continuous"))
    assert short.area is None and len(short.inside) == len(short.outside) == 2


def test_tell_apart_on_the_shelf(local: Local) -> None:
    views = shown(local, "tell_apart", "toy-classes", n=20, against="noise", others=["toy-plain"])
    roc, areas = views["roc"], views["areas"]
    assert isinstance(roc, Curve) and len(roc.series) == 3 and roc.series[-1] == "guessing"
    assert isinstance(areas, Table) and len(areas.rows) == 2
    for row, x, y in zip(areas.rows, roc.x, roc.y, strict=False):
        there = ~np.isnan(x)
        area = float(str(row[1]).partition(" ")[0])
        assert area == pytest.approx(np.trapezoid(y[there], x[there]), abs=1e-3) and row[-1] == 20
    assert isinstance(views["lesson"], Text)


def test_the_known_failure_is_named_when_it_shows() -> None:
    known = LogProb(torch.zeros(1), "exact", "8-bit pixels")
    few = np.zeros(1)

    def said(area: float | None, stderr: float | None) -> str:
        return verdict_in_words({"m": Verdict(known, few, few, area, stderr)}, ("Fashion-MNIST", "MNIST"))

    assert "m: trained on Fashion-MNIST, and finds MNIST the more probable" in said(0.1, 0.02)
    assert "does not tell" in said(0.5, 0.02) and "need not be so" in said(0.9, 0.02) and "patience" in said(None, None)


def test_knobs_of_both_are_explained() -> None:
    for activity in (densities, tell_apart):
        assert all(spec.knob.help for spec in knobs(activity, others=("a", "b")))


def test_seconds_and_order_of_views(local: Local) -> None:
    views: list[View] = [
        v for v in local.run(Request("toy-plain", "densities", {}, 3)) if not isinstance(v, Progress | Images)
    ]
    assert isinstance(views[0], Text) and isinstance(views[1], Table) and views[1].seconds is not None


# ---- in a browser


@pytest.fixture(scope="module")
def url(local: Local) -> Iterator[str]:
    yield from serve(build(local))


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Open]:
    """Opens the page at a query."""
    with opening(browser, "html[data-pg-ready]") as opened:
        yield lambda query, **options: opened(url, query, **options)


def run(page: Any) -> list[str]:
    """Press the button; the first cells of all rows of the first table."""
    before = page.get_attribute(".pg-stage", "data-run")
    page.click("[data-go]")
    page.wait_for_function(f"document.querySelector('.pg-stage').dataset.run !== '{before}'")
    page.wait_for_selector(".pg-stage[data-status=done]")
    rows = page.locator("[data-view=continuous] tbody tr")
    return [rows.nth(i).locator("td").nth(1).inner_text() for i in range(rows.count())]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "touch"), [(1280, False), (390, True)])
def test_a_drawing_is_weighed_with_the_rest(visit: Open, width: int, touch: bool) -> None:
    page = visit("?model=toy-classes&do=densities", width=width, has_touch=touch)
    assert "your drawing" not in run(page)
    pad = page.locator("[data-knob=drawing] [data-pad]")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    if touch:
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    else:
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 40, steps=5)
        page.mouse.up()
    names = run(page)
    assert names.count("your drawing") == 1 and len(names) == 8
    thumb = page.locator(".pg-thumb canvas").nth(names.index("your drawing"))
    reds = thumb.evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0)"
    )
    assert 10 < sum(red > 128 for red in reds) < 500
    assert "drawing" not in page.url and no_sideways(page)
    page.click("[data-activity=generate]")
    page.click("[data-activity=densities]")
    assert "your drawing" in run(page)  # still there, and still on the pad
    page.click("[data-knob=drawing] [data-act=clear]")
    assert "your drawing" not in run(page)


@pytest.mark.browser
def test_pictures_in_a_table_are_never_inverted_and_can_be_saved(visit: Open) -> None:
    page = visit("?model=toy-plain&do=densities&others=", color_scheme="light")
    names = run(page)
    shade = page.locator(".pg-thumb canvas").nth(names.index("all black")).evaluate("c => getComputedStyle(c).filter")
    assert shade == "none"
    assert page.get_attribute("[data-download=png]", "aria-disabled") == "false"


@pytest.mark.browser
def test_the_curve_is_drawn(visit: Open) -> None:
    page = visit("?model=toy-plain&do=tell_apart&others=&n=10&against=noise")
    run(page)
    page.wait_for_selector("[data-view=roc] .pg-plot[data-drawn='2']", timeout=60_000)  # the library is large
