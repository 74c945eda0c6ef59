"""Views go to JSON and back without a change; files are made of them."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from playground.export import export
from playground.knobs import Refused
from playground.views import Curve, Drawings, Film, Images, Progress, Refusal, Table, Text, View, from_json

GREY = np.arange(6 * 28 * 28, dtype=np.uint8).reshape(6, 28, 28, 1)
COLOUR = np.arange(4 * 2 * 8 * 8 * 3, dtype=np.uint8).reshape(4, 2, 8, 8, 3)
X = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, np.nan]])
REQUEST = {"model": "m", "activity": "a", "seed": 3, "knobs": {"n": 6, "picture": "x" * 1000}}
VIEWS = [
    Images(pixels=GREY, captions=tuple("abcdef"), columns=3, group=("one", "two"), title="T", caption="C", seconds=0.5),
    Film(key="film", pixels=COLOUR, steps=("0", "1", "2", "3")),
    Table(key="t", columns=("a", "b"), rows=(("x", 1.5), ("y", None))),
    Text(key="p", text="words"),
    Refusal(text="no"),
    Progress(done=1, total=2),
    Drawings(key="d", drawings=((((0.0, 1.0), (0.5, 0.5)), ((0.25, 0.25),)), (((1.0, 1.0),),)), given=(2, 0)),
    Curve(key="c", series=("a", "b"), x=X, y=X**2, error=X / 9, axes=("n", "nats"), marks=True, log="x"),
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: type(v).__name__)
def test_to_json_and_back(view: View) -> None:
    record = json.loads(json.dumps(view.to_json()))
    again = from_json(record)
    assert type(again) is type(view)
    for field in dataclasses.fields(view):
        if isinstance(view, Drawings):
            assert again == view
            continue
        np.testing.assert_array_equal(getattr(again, field.name), getattr(view, field.name))


@pytest.mark.parametrize("record", [{}, {"view": "Other"}, {"view": "Text"}, {"view": "Text", "text": "x", "odd": 1}])
def test_no_views(record: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"view|field|incomplete"):
        from_json(record)


def test_png_holds_pictures_and_the_request() -> None:
    image = Image.open(io.BytesIO(export(VIEWS[:4], REQUEST, "png")))
    assert image.format == "PNG" and image.width > 3 * 84 and image.height > 2 * 84
    kept = json.loads(image.text["request"])
    assert kept["seed"] == 3 and kept["knobs"] == {"n": 6}
    alone = Image.open(io.BytesIO(export(VIEWS[1:2], REQUEST, "png")))
    assert alone.width > 4 * 80


def test_gif_has_every_frame_loops_and_rests_at_its_end() -> None:
    image = Image.open(io.BytesIO(export(VIEWS, REQUEST, "gif")))
    assert image.n_frames == 4 and image.info["loop"] == 0
    times = []
    for i in range(4):
        image.seek(i)
        times.append(image.info["duration"])
    assert times[-1] >= 1000 > times[0]


def test_npz_holds_the_very_arrays() -> None:
    with np.load(io.BytesIO(export(VIEWS, REQUEST, "npz")), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["main.pixels"], GREY)
        np.testing.assert_array_equal(file["film.pixels"], COLOUR)
        assert json.loads(str(file["request.json"]))["model"] == "m"
        assert json.loads(str(file["t.rows"])) == [["x", 1.5], ["y", None]]


@pytest.mark.parametrize("format", ["png", "gif", "npz"])
def test_nothing_to_save(format: str) -> None:
    with pytest.raises(Refused):
        export([VIEWS[3]], REQUEST, format)
