"""Drawings from the visitor's hand to a model and back to the page: data, the knob, the activities, the painter."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from toyshelf import put, toy_shelf

from playground import data
from playground.activities import activities
from playground.backends import Request
from playground.backends.local import Local
from playground.capabilities import Continues
from playground.catalog import cards, load
from playground.data import Sketches, datasets
from playground.data.strokes import drawn, padded, simplified, to_steps, to_strokes
from playground.drawings import placed, rendered, taken
from playground.evaluation import strokes as evaluation
from playground.evaluation.parts import Options, Task, parts
from playground.export import export
from playground.families.sketch_rnn import SketchRNN, StrokeRNN
from playground.knobs import MAX_STROKES, Refused, Strokes
from playground.ui.theme import head
from playground.views import Drawings, Images, Progress, Refusal, Table, View, from_json

SETS = [d for d in datasets().values() if d.medium == "drawings"]
CROSS = [[[0.2, 0.5], [0.8, 0.5]], [[0.5, 0.2], [0.5, 0.8]]]
CORNER = [np.array([[0.0, 0], [1, 0], [2, 0], [2, 1], [2, 2]]), np.array([[5.0, 5]]), np.array([[1.0, 1], [3, 3]])]


def test_a_straight_line_is_its_ends_and_a_corner_stays() -> None:
    loop = np.array([[0.0, 0], [1, 0], [1, 1], [0, 0]])  # its ends are one point: distances are from that
    few = [line.tolist() for line in simplified([*CORNER, loop], 0.1)]
    assert few == [[[0, 0], [2, 0], [2, 2]], CORNER[1].tolist(), CORNER[2].tolist(), loop.tolist()]
    assert simplified(CORNER[:1], 9)[0].tolist() == [[0, 0], [2, 2]]


def test_no_point_is_further_away_than_was_allowed() -> None:
    t = np.linspace(0, 6, 400)
    line = np.stack([t, np.sin(t)], 1)
    few = simplified([line], 0.05)[0]
    assert len(few) < 30
    a, b = few[:-1, None], few[1:, None]
    share = (((line - a) * (b - a)).sum(2) / ((b - a) ** 2).sum(2)).clip(0, 1)[..., None]
    assert np.linalg.norm(line - a - share * (b - a), axis=2).min(0).max() <= 0.05 + 1e-9


def test_strokes_to_steps_and_back() -> None:
    x = padded(to_steps(CORNER), 12)
    assert x.shape == (12, 5) and x.dtype == np.float32 and (x[:, 2:].sum(1) == 1).all()
    for one, other in zip(to_strokes(x), CORNER, strict=True):
        np.testing.assert_allclose(one, other - CORNER[0][0], atol=1e-6)
    dot = to_strokes(padded(to_steps([np.array([[4.0, 4]]), CORNER[2]]), 12))
    assert [len(line) for line in dot] == [2, 2] and not np.ptp(dot[0], 0).any()


@pytest.mark.parametrize("found", SETS, ids=lambda d: d.name)
def test_stand_ins_are_drawings(found: Sketches) -> None:
    x, y = found.fixture()
    assert x.shape == (len(y), *found.shape) and x.dtype == np.float32 and y.dtype == np.int64
    assert (x[:, :, 2:].sum(2) == 1).all() and (x[:, -1, 4] == 1).all()
    assert max(y) < len(found.labels) and found.fixture_note and found.licence
    sizes = [np.ptp(np.concatenate(to_strokes(each)), 0).max() / found.frame for each in x]
    assert min(sizes) > 0.5 and max(sizes) < 1
    assert rendered(x).max((1, 2, 3)).min() > 200


@pytest.mark.data
@pytest.mark.parametrize("found", SETS, ids=lambda d: d.name)
def test_the_real_drawings(found: Sketches) -> None:
    for split, most in (("train", 30_000), ("valid", 1000), ("test", 1000)):
        x, y = found.load(split)  # type: ignore[arg-type]
        assert x.shape == (len(y), *found.shape) and 200 < len(y) <= most
        assert (x[..., 2:].sum(-1) == 1).all() and (x[:, -1, 4] == 1).all()
        assert set(y) == set(range(len(found.labels)))
    ends = x[..., 4].argmax(1)
    steps = np.concatenate([each[: n + 1, :2] for each, n in zip(x, ends, strict=True)])
    assert 0.85 < steps.std() < 1.15, "a step's standard deviation is the unit"
    sizes = [np.ptp(np.concatenate(to_strokes(each)), 0).max() / found.frame for each in x[:200]]
    assert 0.5 < np.median(sizes) < 0.9


def test_a_visitors_strokes_are_checked() -> None:
    knob = Strokes()
    assert knob.check("strokes", None) == knob.check("strokes", []) == ()
    assert knob.check("strokes", [[[0, 1], [0.5, 0.25]], [[1, 1]]]) == (((0.0, 1.0), (0.5, 0.25)), ((1.0, 1.0),))


@pytest.mark.parametrize(
    "bad",
    [
        [[[0.1, 0.1]]] * 10_000,
        [[[0.1, 0.1]] * 100_000],
        [[[0.1, float("nan")]]],
        [[[0.1, float("inf")]]],
        [[[0.1, 1.1]]],
        [[[0.1, True]]],
        [[[0.1, "0.2"]]],
        [[[0.1, 0.2, 0.3]]],
        [[[]]],
        [[]],
        [[0.1, 0.2]],
        "strokes",
        {"0": 1},
        7,
        float("nan"),
    ],
    ids=lambda v: repr(v)[:24],
)
def test_what_are_no_strokes_is_refused_in_a_sentence(bad: object) -> None:
    with pytest.raises(Refused) as refused:
        Strokes().check("strokes", bad)
    text = str(refused.value)
    assert text.endswith(".") and len(text) < 250


def test_a_drawing_arrives_where_it_was_drawn() -> None:
    kanji = datasets()["kanji"]
    assert isinstance(kanji, Sketches)
    begun = taken(CROSS, kanji, 60)
    assert begun.shape == (3, 5) and begun[:, 2:].argmax(1).tolist() == [1, 0, 1]  # lifted, moved to, lifted
    assert begun[0, 0] == pytest.approx(0.6 * kanji.frame)
    whole = np.zeros(kanji.shape, np.float32)
    whole[:, 4] = 1
    whole[:3] = begun
    whole[2, 2:] = 0, 0, 1
    back = placed(whole, kanji, CROSS)
    for one, other in zip(back, CROSS, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for line in placed(whole, kanji):
        assert line.min() >= 0 and line.max() <= 1


def test_a_long_scribble_is_simplified_until_it_fits_and_too_many_strokes_are_refused() -> None:
    kanji = datasets()["kanji"]
    assert isinstance(kanji, Sketches)
    t = np.linspace(0, 60, 3000)
    scribble = [(0.5 + 0.4 * np.stack([np.sin(t), np.cos(1.1 * t)], 1)).tolist()]
    assert 20 < len(taken(scribble, kanji, 60)) <= 60
    with pytest.raises(Refused, match="strokes"):
        taken([[[0.1, 0.1], [0.2, k / 200]] for k in range(MAX_STROKES)], kanji, 60)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A shelf with toy pictures and two small pens, untrained; the drawings are the stand-ins."""

    def stand_in(found: Sketches) -> Sketches:
        return replace(found, read=lambda split: found.fixture())

    known = {name: stand_in(d) if isinstance(d, Sketches) else d for name, d in datasets().items()}
    with toy_shelf(tmp_path_factory.mktemp("strokes")), pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setattr("playground.backends.shelf.datasets", lambda: known)
        patch.setattr(evaluation, "datasets", lambda: known)
        torch.manual_seed(0)
        small: dict[str, Any] = {"shape": (80, 5), "width": 8, "mixtures": 2}
        labels = datasets()["quickdraw"].labels
        put(SketchRNN(**small, latent=3, reads=4), "a-sketch", "kanji", **small, latent=3, reads=4)
        put(StrokeRNN(**small), "a-pen", "kanji", **small)
        put(StrokeRNN(**small, labels=labels), "a-doodle", "quickdraw", **small, labels=labels)
        yield Local("cpu")


def shown(local: Local, model: str, activity: str, **knobs: object) -> dict[str, View]:
    """What is left on the page at the end."""
    views = list(local.run(Request(model, activity, json.loads(json.dumps(knobs)), 3)))
    return {v.key: v for v in views if not isinstance(v, Progress)}


def test_what_is_offered_fits_the_medium(local: Local) -> None:
    fits = {m["name"]: m["fits"] for m in local.describe()["models"]}
    assert {name for name, why in fits["a-sketch"].items() if why is None} == {
        "generate", "interpolate", "continue_drawing", "morph"
    }  # fmt: skip
    assert "no encoder" in fits["a-pen"]["morph"] and "pixels" in fits["a-pen"]["compare"]
    assert "no pen" in fits["toy-plain"]["continue_drawing"] and "strokes" in fits["toy-plain"]["morph"]
    refusal = shown(local, "a-sketch", "reconstruct")["main"]
    assert isinstance(refusal, Refusal) and "done with pixels" in refusal.text
    for activity in activities().values():
        if "drawings" in activity.takes and activity.page == "sketch":
            assert issubclass(Continues, activity.needs) or activity.name == "morph"


@pytest.mark.parametrize("model", ["a-sketch", "a-pen", "a-doodle"])
def test_play_draws_drawings(local: Local, model: str) -> None:
    view = shown(local, model, "generate", n=3)["main"]
    assert isinstance(view, Images) and view.pixels.shape == (3, 64, 64, 1) and view.pixels.max() > 100


def test_walks_between_drawings(local: Local) -> None:
    view = shown(local, "a-sketch", "interpolate", pairs=1, frames=3, ends="test pictures")["main"]
    assert isinstance(view, Images) and view.pixels.shape == (6, 64, 64, 1)


@pytest.mark.parametrize("model", ["a-sketch", "a-pen", "a-doodle"])
@pytest.mark.parametrize("strokes", [[], CROSS, [[[0.5, 0.5]]]], ids=["nothing", "a cross", "a point"])
def test_a_drawing_is_gone_on_with(local: Local, model: str, strokes: list[Any]) -> None:
    views = shown(local, model, "continue_drawing", n=4, strokes=strokes, temperature=0.3)
    view = views["main"]
    assert isinstance(view, Drawings) and len(view.drawings) == len(view.captions) == 4
    assert view.given == (sum(map(len, strokes)),) * 4
    points = np.array([p for drawing in view.drawings for line in drawing for p in line])
    assert np.isfinite(points).all() and points.min() >= 0 and points.max() <= 1
    assert ("yours" in views) == bool(strokes)
    if strokes:
        table = views["yours"]
        assert isinstance(table, Table) and len(table.rows) == len(strokes)
    again = shown(local, model, "continue_drawing", n=1, strokes=strokes, temperature=0.3)["main"]
    assert isinstance(again, Drawings)
    np.testing.assert_allclose(np.concatenate(again.drawings[0]), np.concatenate(view.drawings[0]), atol=2e-4)


def test_a_class_can_be_asked_for(local: Local) -> None:
    view = shown(local, "a-doodle", "continue_drawing", n=2, strokes=CROSS, label="sun")["main"]
    assert isinstance(view, Drawings)


@pytest.mark.parametrize("strokes", [[[[0.1, 0.1]]] * 10_000, [[[0.1, None]]], [[]]], ids=["10,000", "null", "empty"])
def test_what_cannot_be_gone_on_with_is_refused(local: Local, strokes: list[Any]) -> None:
    view = shown(local, "a-sketch", "continue_drawing", strokes=strokes)["main"]
    assert isinstance(view, Refusal) and view.text.endswith(".")


@pytest.mark.parametrize("first", [[], CROSS], ids=["tests", "own"])
def test_morph(local: Local, first: list[Any]) -> None:
    views = shown(local, "a-sketch", "morph", first=first, frames=5)
    ends, walk = views["ends"], views["main"]
    assert isinstance(ends, Drawings) and isinstance(walk, Drawings)
    assert len(ends.drawings) == 2 and len(walk.drawings) == 5
    assert ends.captions[0] == ("yours" if first else "test: kanji") and ends.captions[1] == "test: kanji"


VIEW = Drawings(
    drawings=((((0.1, 0.1), (0.9, 0.1)), ((0.5, 0.2), (0.5, 0.9))), (((0.5, 0.5),),)),
    given=(2, 0),
    captions=("one", "two"),
    columns=2,
)


def test_drawings_go_to_json_and_back_and_into_files() -> None:
    assert from_json(json.loads(json.dumps(VIEW.to_json()))) == VIEW
    request = {"model": "m", "activity": "morph", "seed": 3, "knobs": {"first": CROSS}}
    assert export([VIEW], request, "png").startswith(b"\x89PNG") and export([VIEW], request, "npz")


def test_stand_ins_are_looked_at() -> None:
    """A cross is a cross: ink in the middle row and column, none in a corner."""
    picture = rendered(drawn([CROSS], 20, 5.0))[0, ..., 0]
    assert picture.shape == (64, 64) and picture[32, 10] > 100 and picture[10, 32] > 100 and picture[5, 5] == 0


def test_a_mean_per_stroke_is_a_ratio_with_its_error() -> None:
    nats, counts = torch.tensor([2.0, 6.0, 4.0]), torch.tensor([1, 3, 2])
    assert evaluation.share(nats, counts) == (2.0, 0.0)  # two nats a stroke, in every drawing
    value, error = evaluation.share(torch.tensor([1.0, 3.0]), torch.ones(2))
    assert (value, error) == (2.0, pytest.approx(1.0))


def test_the_card_gets_nats_beside_those_of_the_pen_alone(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "CODES", 3)
    task = Task(cards()["a-sketch"], load("a-sketch"), Options(limit=4, folder=tmp_path, quiet=True))
    wanted = {name for name, part in parts().items() if part.takes(task)}
    assert wanted == {"strokes", "timing", "network"}
    found = evaluation.measure(task)
    kinds = {"nll": "lower bound", "nll_iw": "estimate", "nll_alone": "exact"}
    for prefix, kind in kinds.items():
        for suffix in ("", "_per_stroke", "_per_point"):
            metric = found[f"{prefix}{suffix}_nats"]
            assert (
                metric.kind == kind and metric.n == 4 and metric.stderr is not None and "deviations" in metric.protocol
            )
    pen = Task(cards()["a-pen"], load("a-pen"), Options(limit=4, folder=tmp_path, quiet=True))
    alone = evaluation.measure(pen)
    assert alone["nll_per_stroke_nats"].value == found["nll_alone_per_stroke_nats"].value
    assert "a-pen" in found["nll_alone_nats"].protocol and set(alone) == {
        f"nll{s}_nats" for s in ("", "_per_stroke", "_per_point")
    }


@pytest.mark.browser
def test_the_page_draws_as_a_pen_and_saves_lines(browser: Any, tmp_path: Path) -> None:
    """The visitor's part in ink at once, the model's in the accent colour after its time; less motion, no waiting."""
    body = f"<html><head>{head()}</head><body><div id=it style='width:600px'></div></body></html>"
    file = tmp_path / "it.html"
    file.write_text(body)
    count = """([r, g, b]) => [...document.querySelectorAll("canvas")].map((c) => {
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        return d.filter((v, i) => i % 4 === 0 && v === r && d[i + 1] === g && d[i + 2] === b).length; })"""
    ink, accent = [0x15, 0x17, 0x1C], [0x2D, 0x4E, 0xCF]
    view = json.dumps({**VIEW.to_json(), "run": 1, "at": 1})
    begin = f"(playground.drawStrokes(document.querySelector('#it'), {view}), [({count})({ink}), ({count})({accent})])"
    for motion in ("reduce", "no-preference"):
        page = browser.new_page(reduced_motion=motion)
        errors: list[str] = []
        page.on("pageerror", lambda e: errors.append(str(e)))  # noqa: B023
        page.goto(file.as_uri())
        own, models = page.evaluate(begin)
        assert own[0] > 50 and own[1] == 0
        assert (models[0] > 50) == (motion == "reduce")
        page.wait_for_function(f"({count})({accent})[0] > 50")
        svg = page.evaluate("window.playground.strokesAsSvg(document.querySelector('#it'))")
        paths = ET.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}path")
        assert [p.get("stroke") for p in paths] == ["#15171c", "#2d4ecf", "#2d4ecf"]
        with page.expect_download() as download:
            page.click("[data-save=png]")
        with Image.open(download.value.path()) as saved:
            assert saved.size == (960, 480)
        assert not errors
        page.close()


def test_every_set_of_drawings_is_found() -> None:
    assert {d.name for d in SETS} == {"kanji", "quickdraw", "sheep", "omniglot"}
    assert data.Sketches.top == 1 and data.Dataset.top == 255
