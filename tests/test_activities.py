"""Every activity on toy models, and its parts against known answers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from toyshelf import sent, toy_shelf

from playground.activities import activities
from playground.activities.compare import explained
from playground.activities.interpolate import interpolate, linear, spherical
from playground.activities.neighbours import distances
from playground.activities.watch import FRAMES, keep
from playground.backends import Request
from playground.backends.local import Local
from playground.capabilities import Decodes, LogProb
from playground.data import datasets
from playground.families.autoencoder import ImageAutoencoder
from playground.families.vqvae import VQVAE
from playground.knobs import Refused
from playground.pictures import as_canvas, as_data, to_data, to_pixels, usual_room
from playground.rng import Rng
from playground.views import Film, Images, Progress, Refusal, Table, View


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


def shown(local: Local, activity: str, model: str = "toy-classes", seed: int = 3, **knobs: object) -> dict[str, View]:
    """What is left on the page at the end."""
    views = list(local.run(Request(model, activity, knobs, seed)))
    return {v.key: v for v in views if not isinstance(v, Progress)}


def test_every_activity_says_what_it_is() -> None:
    assert list(activities())[:6] == ["generate", "watch", "reconstruct", "interpolate", "compare", "neighbours"]
    for activity in activities().values():
        assert activity.help.endswith((".", "?")) and len(activity.help) < 130
    assert [name for name, activity in activities().items() if activity.page == "scores"] == ["measure", "versus"]


def test_generate(local: Local) -> None:
    view = shown(local, "generate", n=5, label="3")["main"]
    assert isinstance(view, Images) and view.pixels.shape == (5, 28, 28, 1) and view.pixels.dtype == np.uint8
    assert "class 3" in view.caption and view.seconds is not None


def test_a_sample_is_the_same_alone_and_in_company(local: Local) -> None:
    one, many = (shown(local, "generate", n=n)["main"] for n in (1, 9))
    assert isinstance(one, Images) and isinstance(many, Images)
    np.testing.assert_array_equal(one.pixels[0], many.pixels[0])
    assert not np.array_equal(many.pixels[0], many.pixels[1])


def test_watch_ends_in_the_sample(local: Local) -> None:
    film = shown(local, "watch", n=2, steps=200)["main"]
    sample = shown(local, "generate", n=2, steps=200)["main"]
    assert isinstance(film, Film) and isinstance(sample, Images)
    assert 2 <= len(film.pixels) <= FRAMES and len(film.steps) == len(film.pixels)
    np.testing.assert_array_equal(film.pixels[-1], sample.pixels)
    assert film.steps[0] == "t = 0.00" and film.steps[-1] == "t = 1.00"


@pytest.mark.parametrize("count", [1, 2, 59, 60, 61, 100, 785, 1001])
def test_kept_frames(count: int) -> None:
    kept = [i for i in range(count) if keep(i, count)]
    assert len(kept) == min(count, FRAMES) and kept[0] == 0 and kept[-1] == count - 1


def test_reconstruct_exactly(local: Local) -> None:
    view = shown(local, "reconstruct", n=4)["main"]
    assert isinstance(view, Images) and view.pixels.shape == (12, 28, 28, 1) and view.columns == 4
    np.testing.assert_array_equal(view.pixels[:4], view.pixels[4:8])
    assert view.pixels[8:].max() <= 1 and view.captions[8] == "off by 0.000"


def test_reconstruct_ones_own_picture(local: Local) -> None:
    page = np.full((200, 150, 3), 250, np.uint8)
    page[60:140, 70:80] = 10
    view = shown(local, "reconstruct", picture=sent(page))["main"]
    assert isinstance(view, Images) and view.columns == 1
    stroke = view.pixels[0, ..., 0]
    assert stroke.max() > 200 and stroke[:3].max() == 0  # bright on black now, and not at the edge
    ys, xs = np.nonzero(stroke > 100)
    assert abs(ys.mean() - 13.5) < 1 and abs(xs.mean() - 13.5) < 1
    blank = shown(local, "reconstruct", picture=sent(np.full((90, 90, 3), 250, np.uint8)))["main"]
    assert isinstance(blank, Refusal) and "stands out" in blank.text


def test_interpolate(local: Local) -> None:
    for ends in ("samples", "test pictures"):
        views = shown(local, "interpolate", pairs=2, frames=5, ends=ends)
        strip, film = views["main"], views["film"]
        assert isinstance(strip, Images) and strip.pixels.shape == (20, 28, 28, 1)
        assert strip.group == ("linear", "spherical") * 2
        assert isinstance(film, Film) and film.pixels.shape == (5, 4, 28, 28, 1)
        np.testing.assert_array_equal(film.pixels[:, 0], strip.pixels[:5])
        np.testing.assert_array_equal(strip.pixels[[0, 4]], strip.pixels[[5, 9]])  # both ways have the same ends


def walked(model: Decodes) -> Images:
    """One walk of three pictures."""
    views = interpolate(model, Rng(3), data=datasets()["mnist"], title="it", pairs=1, frames=3)
    return next(v for v in views if isinstance(v, Images))


def test_codes_that_are_not_normal_come_from_pictures() -> None:
    model = VQVAE(channels=8, layers=1, width=8, depth=1, heads=2).eval()
    strip = walked(model)
    ends = to_pixels(model.decode(model.encode(model.sample(Rng(3).take(2)))))
    np.testing.assert_array_equal(strip.pixels[[0, 2]], ends)
    assert "two new pictures" in strip.caption
    caption = walked(ImageAutoencoder(width=8, depth=1).eval()).caption
    assert "two test pictures each. It draws none of its own." in caption


def test_interpolate_says_who_cannot_encode(local: Local) -> None:
    view = shown(local, "interpolate", "toy-blob", ends="test pictures")["main"]
    assert isinstance(view, Refusal) and "no encoder" in view.text and "samples" in view.text


def test_paths_against_known_answers() -> None:
    a, b = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    t = torch.tensor([0.0, 1 / 3, 1.0])
    torch.testing.assert_close(linear(a, b, t)[0], torch.tensor([[3.0, 0.0], [2.0, 1.0], [0.0, 3.0]]))
    third = [3 * math.cos(math.pi / 6), 3 * math.sin(math.pi / 6)]
    torch.testing.assert_close(spherical(a, b, t)[0], torch.tensor([[3.0, 0.0], third, [0.0, 3.0]]))
    torch.testing.assert_close(spherical(a, 2 * a, t)[0, :, 0], torch.tensor([3.0, 4.0, 6.0]))
    assert torch.isfinite(spherical(a, -a, t)).all() and torch.isfinite(spherical(0 * a, b, t)).all()


def test_compare(local: Local) -> None:
    views = shown(local, "compare", n=3)
    sheet, table = views["main"], views["figures"]
    assert isinstance(sheet, Images) and isinstance(table, Table)
    assert len(sheet.group) == 3 and sheet.pixels.shape[0] == 9 and len(sheet.captions) == 9
    kinds = {row[0]: row[3] for row in table.rows}
    assert kinds["Toy blob"] == "none" and set(kinds.values()) == {"none", "exact"}
    own = shown(local, "generate", n=3)["main"]
    assert isinstance(own, Images)
    np.testing.assert_array_equal(sheet.pixels[:3], own.pixels)


def test_compare_alone_and_without_density(local: Local) -> None:
    views = shown(local, "compare", "toy-blob", n=2, others=["toy-plain"])
    assert isinstance(views["main"], Images) and views["main"].group[0] == "Toy blob"


def test_measures_are_never_ranked() -> None:
    x = torch.zeros(1)
    bits, binary = LogProb(x, "exact", "8-bit pixels"), LogProb(x, "lower bound", "binary pixels")
    assert "never rank" in explained([bits, binary]) and "≥ a lower bound" in explained([bits, binary])
    assert "never rank" not in explained([bits, bits])


@pytest.mark.data
def test_neighbours_of_a_training_picture_begin_with_itself(local: Local) -> None:
    train, classes = datasets()["mnist"].load("train")
    views = shown(local, "neighbours", k=5, picture=sent(np.repeat(train[123].transpose(1, 2, 0), 3, 2)))
    found = views["neighbours"]
    assert isinstance(found, Images) and len(found.pixels) == 5
    np.testing.assert_array_equal(found.pixels[0, ..., 0], train[123, 0])
    assert found.captions[0] == f"{classes[123]} · 0.00"


def test_neighbours_without_data_is_one_sentence(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    from playground.data import DataMissing, Dataset

    def missing(self: Dataset, split: str) -> None:
        raise DataMissing("No data here; do this or that.")

    monkeypatch.setattr(Dataset, "load", missing)
    view = shown(local, "neighbours", seed=99)["main"]
    assert isinstance(view, Refusal) and view.text == "No data here; do this or that."


def test_distances() -> None:
    pictures = torch.randint(0, 256, (1500, 1, 4, 4), dtype=torch.uint8)
    x = torch.rand(1, 1, 4, 4)
    expected = torch.cdist((pictures.flatten(1) / 255).double(), x.flatten(1).double())[:, 0]
    torch.testing.assert_close(distances(pictures, x).double(), expected, rtol=1e-4, atol=1e-4)


def test_pictures_there_and_back() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (3, 1, 5, 5), np.uint8)
    np.testing.assert_array_equal(to_pixels(to_data(levels))[..., 0], levels[:, 0])
    assert to_pixels(torch.tensor([[[[float("nan"), -1.0, 2.0]]]])).ravel().tolist() == [0, 0, 255]


def test_a_canvas_stays_where_it_is() -> None:
    mnist, emoji = datasets()["mnist"], datasets()["emoji"]
    corner = np.zeros((28, 28, 3), np.uint8)
    corner[2:6, 3:7] = 200
    np.testing.assert_array_equal(as_canvas(corner, mnist)[0], corner[..., 0])
    np.testing.assert_array_equal(as_canvas(corner.repeat(10, 0).repeat(10, 1), mnist)[0], corner[..., 0])
    assert as_canvas(corner, emoji).shape == (3, 32, 32)


def test_as_data() -> None:
    mnist = datasets()["mnist"]
    room = usual_room("mnist")
    assert room is not None and 0.6 < room < 0.85  # 20 of 28 pixels
    exact = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    exact[...] = exact[..., :1]
    np.testing.assert_array_equal(as_data(exact, mnist)[0], exact[..., 0])
    dark = np.zeros((300, 100, 3), np.uint8)
    dark[20:80, 20:60] = 240
    shade = np.linspace(150, 250, 300).astype(np.uint8)[:, None, None] * np.ones((1, 100, 3), np.uint8)
    shade[20:80, 20:60] = 15
    for photo in (dark, shade):  # light on dark, and dark on paper in uneven light
        square = as_data(photo, mnist)[0]
        assert square[10:18, 10:18].min() > 150 and square[:3].max() < 60
    with pytest.raises(Refused):
        as_data(np.full((64, 64, 3), 80, np.uint8), mnist)
