"""Maps of representations: what is laid out, how it is scored, and against known answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from toyshelf import toy_shelf

from playground import maps
from playground.activities import embed as module
from playground.backends import Request
from playground.backends.local import Local
from playground.data import datasets
from playground.views import Images, Progress, Refusal, Scatter, Table, View

DIGITS = datasets()["mnist"]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


def run(local: Local, model: str = "toy-plain", seed: int = 3, **knobs: object) -> list[View]:
    return list(local.run(Request(model, "embed", knobs, seed)))


def test_a_map_of_codes(local: Local) -> None:
    views = {v.key: v for v in run(local, way="PCA", n=60)}
    pictures, scatter, table = views["pictures"], views["main"], views["neighbours"]
    assert isinstance(pictures, Images) and isinstance(scatter, Scatter) and isinstance(table, Table)
    assert pictures.pixels.shape == (60, 28, 28, 1) and scatter.points.shape == (60, 2)
    levels, classes, _ = DIGITS.examples()
    index = [int((levels[:, 0] == p[..., 0]).all((1, 2)).argmax()) for p in pictures.pixels[:5]]
    assert (classes[index] == scatter.classes[:5]).all()  # each point's class is its picture's
    names, shares = zip(*table.rows, strict=True)
    assert [str(n).split(",")[0] for n in names] == ["codes", "pictures", "the map"]
    assert shares[0] == shares[1]  # the toy's code is the picture itself, on another scale
    assert "60 pictures" in table.caption and "leave-one-out" in table.caption


def test_tsne_begins_at_the_main_directions_and_can_be_watched(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.0)
    monkeypatch.setattr(maps, "STEPS", 300)
    monkeypatch.setattr(module, "STEPS", 300)
    views = run(local, n=50, perplexity=100)
    scatters = [v for v in views if isinstance(v, Scatter)]
    assert len(scatters) == 1 + 300 // maps.SLICE and scatters[-1].seconds is not None
    assert "perplexity 16" in scatters[-1].caption  # so many as fifty pictures allow
    assert sum(isinstance(v, Progress) and v.total == 300 for v in views) == 300 // maps.SLICE
    again = [v for v in run(local, n=50, perplexity=100) if isinstance(v, Scatter)]
    assert len(again) == 1  # kept: an equal request is not computed anew
    np.testing.assert_array_equal(again[0].points, scatters[-1].points)


def test_tsne_keeps_groups_together() -> None:
    x, classes = make_blobs(120, 8, centers=4, cluster_std=0.5, random_state=0)
    places, share = maps.principal(x, 0)
    assert places.shape == (120, 8) and 0 < share <= 1
    *_, (ends, done) = maps.laid_out(places, 15, 0)
    assert done == maps.STEPS and maps.named_by_neighbours(ends, classes, 10)[0] > 0.99
    *_, (same, _) = maps.laid_out(places, 15, 0)
    np.testing.assert_array_equal(ends, same)


def test_neighbours_are_counted_as_a_library_counts_them() -> None:
    x, classes = make_blobs(60, 3, centers=3, cluster_std=6.0, random_state=1)
    share, error = maps.named_by_neighbours(x, classes, 5)
    theirs = cross_val_score(KNeighborsClassifier(5), x, classes, cv=LeaveOneOut()).mean()
    assert share == pytest.approx(theirs)
    assert error == pytest.approx((share * (1 - share) / 60) ** 0.5)


def test_a_code_of_one_number_is_a_line() -> None:
    places, share = maps.principal(np.arange(9.0)[:, None], 0)
    assert places.shape == (9, 2) and share == pytest.approx(1)
    np.testing.assert_allclose(places[:, 1], 0, atol=1e-9)


def test_a_slow_encoder_gets_fewer_pictures_and_says_so(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    scatter = next(v for v in run(local, way="PCA", n=300) if isinstance(v, Scatter))
    assert module.FEWEST <= len(scatter.points) < 100 and "codes slowly" in scatter.caption


def test_without_an_encoder_there_is_no_map(local: Local) -> None:
    (refused,) = run(local, "toy-blob")
    assert isinstance(refused, Refusal) and "encoder" in refused.text
