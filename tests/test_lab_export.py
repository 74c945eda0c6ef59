"""A race as GIF, CSV and NPZ: what is in the files is what the page was sent."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playground.knobs import Refused
from playground.lab import export as files
from playground.lab.export import CLOCK, GAP, LABEL, PANEL, RAMP, Finished, export
from playground.lab.targets import targets

FLAT = np.full((64, 64), -4.0)


def packed(values: np.ndarray, scale: float) -> dict[str, str]:
    whole = np.where(np.isnan(values), -32768, np.clip(np.rint(np.nan_to_num(values) * scale), -32767, 32767))
    return {"b64": base64.b64encode(whole.astype("<i2").tobytes()).decode()}


def frame(k: int, of: int, logp: np.ndarray | None, points: np.ndarray) -> dict[str, Any]:
    told = {"progress": k / of, "step": 100 * k, "seconds": k / 10, "loss": {"model": 1.0 / (k + 1)}, "seq": k}
    told |= {"points": packed(points, 2000), "kind": "exact" if logp is not None else "none", "micros": 800.0}
    return told if logp is None else {**told, "logp": packed(logp, 100)}


def race(of: int = 4, kind: str = "seconds") -> Finished:
    """A flow whose map brightens and a GAN that has none."""
    points = targets()["ring"].sample(50, np.random.default_rng(0))
    flow = [frame(k, of, FLAT - 3 * (1 - k / of), points) for k in range(of + 1)]
    gan = [frame(k, of, None, points[: 50 - k]) for k in range(0, of + 1, 2)]
    spec = {"target": {"name": "ring"}, "data": 10_000, "seed": 17, "budget": {"kind": kind, "amount": 0.4}}
    truth = {"title": "8 Gaussians", "logp": packed(FLAT, 100), "points": packed(points, 2000)}
    numbers = {"spline": {"kl": 0.0123, "kl_stderr": 0.002, "modes": [7, 8], "lost": 0.25, "nll": math.nan}}
    return Finished(spec, truth, {"spline": "Spline flow", "gan": "GAN"}, {"spline": flow, "gan": gan}, numbers)


def film(data: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["loop"] == 0
        frames = []
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            frames.append(np.asarray(image.convert("RGB")).astype(int))
        return frames


def colour(picture: np.ndarray, panel: int) -> list[int]:
    """What most of a panel is painted in; three panels stand in two columns."""
    row, column = divmod(panel, 2)
    y, x = CLOCK + GAP + row * (PANEL + LABEL + GAP), GAP + column * (PANEL + GAP)
    pixels = picture[y : y + PANEL, x : x + PANEL].reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    return colours[counts.argmax()].tolist()


def hex_colour(text: str) -> list[int]:
    return [int(text[i : i + 2], 16) for i in (0, 2, 4)]


def test_the_film_shows_every_moment_on_one_scale() -> None:
    frames = film(export(race(), "gif"))
    assert len(frames) == 5
    peak, nothing = hex_colour(RAMP[-1]), hex_colour(RAMP[0])
    assert all(colour(f, 0) == peak for f in frames)
    assert all(colour(f, 2) == nothing for f in frames)  # no density, points only
    brightness = [sum(colour(f, 1)) for f in frames]
    assert brightness == sorted(brightness)
    assert colour(frames[-1], 1) == peak
    share = math.exp(files.GAMMA * -3)  # three nats below the peak
    stops = np.array([hex_colour(c) for c in RAMP])
    expected = [np.interp(share * (len(RAMP) - 1), range(len(RAMP)), channel) for channel in stops.T]
    assert colour(frames[0], 1) == pytest.approx(expected, abs=4)


def test_the_film_shows_points_where_they_are() -> None:
    one = race(1)
    corner = packed(np.array([[4.4, 4.4], [-99, 0]]), 2000)
    still = {**one.frames["gan"][0], "points": corner}
    last = film(export(Finished(one.spec, one.truth, one.titles, {**one.frames, "gan": [still]}), "gif"))[-1]
    y, x = CLOCK + GAP + PANEL + LABEL + GAP, GAP
    white = np.argwhere((last[y : y + PANEL, x : x + PANEL] == 255).all(2))
    assert len(white) == 1
    assert white[0] == pytest.approx([1, PANEL - 2], abs=1)  # right at the top


def test_a_long_race_makes_a_film_of_bounded_length() -> None:
    assert len(film(export(race(300, "steps"), "gif"))) <= files.MOMENTS


def test_own_points_have_no_true_map() -> None:
    one = race()
    own = Finished(one.spec, {**one.truth, "logp": None, "title": "height and weight " * 9}, one.titles, one.frames)
    assert len(film(export(own, "gif"))) == 5
    with np.load(io.BytesIO(export(own, "npz"))) as saved:
        assert np.isnan(saved["truth.logp"]).all()


def test_the_table_has_one_line_per_learner() -> None:
    lines = list(csv.DictReader(io.StringIO(export(race(), "csv").decode())))
    assert [line["learner"] for line in lines] == ["spline", "gan"]
    flow, gan = lines
    assert (flow["kl"], flow["kl_stderr"], flow["modes_covered"], flow["modes"]) == ("0.0123", "0.002", "7", "8")
    assert (flow["target"], flow["seed"], flow["budget"], flow["budget_unit"]) == ("ring", "17", "0.4", "seconds")
    assert (flow["steps"], flow["seconds"], flow["density"]) == ("400", "0.4", "exact")
    assert flow["nll"] == gan["kl"] == gan["modes"] == ""


def test_the_tables_target_may_be_ones_own() -> None:
    one = race()
    drawn = Finished({**one.spec, "target": {"formula": "=1+1"}}, one.truth, one.titles, one.frames)
    assert next(csv.DictReader(io.StringIO(export(drawn, "csv").decode())))["target"] == "formula"


def test_the_arrays_are_those_of_the_frames() -> None:
    one = race()
    with np.load(io.BytesIO(export(one, "npz")), allow_pickle=False) as saved:
        assert json.loads(str(saved["race.json"])) == one.spec
        assert json.loads(str(saved["numbers.json"]))["spline"]["modes"] == [7, 8]
        assert saved["spline.logp"].shape == (5, 64, 64)
        assert np.allclose(saved["spline.logp"][0], -7)
        assert saved["gan.points"].shape == (3, 46, 2)
        assert "gan.logp" not in saved
        assert saved["spline.loss.model"][-1] == 0.2
        assert saved["spline.seconds"].tolist() == [0, 0.1, 0.2, 0.3, 0.4]
        ring = targets()["ring"].sample(50, np.random.default_rng(0))
        assert np.abs(saved["truth.points"] - ring).max() < 1 / 2000


def test_nothing_to_save_is_said() -> None:
    one = race()
    with pytest.raises(Refused, match="gif, csv, npz"):
        export(one, "exe")
    with pytest.raises(Refused, match="start the race first"):
        export(Finished(one.spec, one.truth, one.titles, {"spline": [], "gan": []}), "gif")


def test_a_learner_without_a_frame_is_left_out() -> None:
    one = race()
    part = Finished(one.spec, one.truth, one.titles, {"spline": one.frames["spline"], "gan": []})
    assert len(list(csv.DictReader(io.StringIO(export(part, "csv").decode())))) == 1
    assert len(film(export(part, "gif"))) == 5
