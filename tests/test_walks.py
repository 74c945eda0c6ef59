"""Walks between codes, and codes turned: geodesics, directions, collapsed numbers and sums against known answers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from toyshelf import sent, toy_shelf

from playground.activities import perturb as perturbing
from playground.activities.interpolate import linear
from playground.activities.perturb import UNUSED, kl
from playground.backends import Request
from playground.backends.local import Local
from playground.data import datasets
from playground.ends import end, same
from playground.families.autoencoder import ImageAutoencoder
from playground.families.gan import GAN
from playground.families.vae import VAE
from playground.geodesics import KNOTS, Decode, along, changes, differentiable, resampled, shortest
from playground.knobs import CodeOf, Refused
from playground.measures import MEASURES, direction
from playground.pictures import to_data
from playground.planes import coded
from playground.rng import Rng
from playground.trips import INVERTED, coarse_first
from playground.views import Curve, Images, Progress, Table, View

DIGITS = datasets()["mnist"]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


def shown(local: Local, model: str, activity: str, **knobs: object) -> dict[str, View]:
    views = list(local.run(Request(model, activity, knobs, 3)))
    return {v.key: v for v in views if not isinstance(v, Progress)}


def ended(decode: Decode, knots: Tensor) -> Tensor:
    search = shortest(decode, knots, 20.0)
    while True:
        try:
            next(search)
        except StopIteration as stop:
            return stop.value


def test_the_shortest_way_of_a_linear_decoder_is_straight() -> None:
    matrix = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    a, b = torch.tensor([[0.0, 1.0, -1.0]]), torch.tensor([[2.0, -1.0, 0.5]])
    straight = linear(a, b, torch.linspace(0, 1, KNOTS + 1))[0]
    bent = straight.clone()
    bent[1:-1] += torch.randn(KNOTS - 1, 3, generator=torch.Generator().manual_seed(1))

    def decode(z: Tensor) -> Tensor:
        return (z @ matrix).view(-1, 1, 4, 4)

    found = ended(decode, bent)
    assert float(changes(decode, along(found)).sum()) == pytest.approx(
        float((matrix.T @ (b - a)[0]).square().mean().sqrt()), rel=5e-3
    )
    assert float((found - straight).abs().max()) < 0.1
    torch.testing.assert_close(found[[0, -1]], torch.cat([a, b]))


def test_the_shortest_way_on_a_sphere_is_a_great_circle() -> None:
    def decode(z: Tensor) -> Tensor:
        """The plane on the unit sphere, by stereographic projection."""
        square = z.square().sum(1, keepdim=True)
        return torch.cat([2 * z, square - 1], 1) / (1 + square)

    a, b = torch.tensor([[2.0, 0.3]]), torch.tensor([[-0.5, 1.5]])
    straight = linear(a, b, torch.linspace(0, 1, KNOTS + 1))[0]
    angle = float((decode(a) @ decode(b).T).acos()) / math.sqrt(3)  # a root mean square of three numbers
    found = ended(decode, straight)
    before, after = (float(changes(decode, along(path)).sum()) for path in (straight, found))
    assert before > 1.05 * angle and after == pytest.approx(angle, rel=5e-3)
    plane = torch.linalg.cross(decode(a), decode(b), dim=1)[0]
    assert float((decode(found) @ (plane / plane.norm())).abs().max()) < 0.03


def test_points_of_paths() -> None:
    knots = torch.tensor([[0.0], [3.0], [4.0]])
    assert along(knots, 3).flatten().tolist() == pytest.approx([0, 1, 2, 3, 3 + 1 / 3, 3 + 2 / 3, 4])
    assert resampled(knots, 5).flatten().tolist() == pytest.approx([0, 1.5, 3, 3.5, 4])
    for n in (5, 9, 17, 20):
        assert sorted(coarse_first(n)) == list(range(n)) and coarse_first(n)[:2] == [0, n - 1]
    assert differentiable(VAE.tiny().decode, torch.zeros(1, 2))
    assert not differentiable(torch.no_grad()(VAE.tiny().decode), torch.zeros(1, 2))


@pytest.mark.parametrize("name", ["test-3", "test-x-1", "mean-", "sample-", "yours ", "", "test-3-1234567890", None, 3])
def test_what_names_no_code_is_refused(name: object) -> None:
    with pytest.raises(Refused, match="first must be test-CLASS-SEED"):
        CodeOf().check("first", name)


def test_codes_by_name() -> None:
    model = ImageAutoencoder(width=16, depth=1).eval().requires_grad_(False)
    levels, classes, _ = DIGITS.examples()
    for seed in range(3):
        found = end(model, DIGITS, f"test-7-{seed}", None, "it")
        assert found.x is not None and "of 7" in found.words
        match = (torch.from_numpy(levels).float() / 255 - found.x).flatten(1).abs().sum(1) < 1e-4
        assert set(classes[match.numpy()]) == {7}
        torch.testing.assert_close(found.code, model.encode(found.x))
    codes, known = coded(model, DIGITS)
    torch.testing.assert_close(end(model, DIGITS, "mean-any", None, "it").code[0], codes.mean(0))
    torch.testing.assert_close(end(model, DIGITS, "mean-4", None, "it").code[0], codes[known == 4].mean(0))
    drawn = np.broadcast_to(levels[5, 0, :, :, None], (28, 28, 3))
    torch.testing.assert_close(end(model, DIGITS, "yours", drawn, "it").code, model.encode(to_data(levels[5:6])))
    for name, why in (("yours", "Draw or send"), ("test-10-1", "classes 0 to 9"), ("sample-1", "draws nothing")):
        with pytest.raises(Refused, match=why):
            end(model, DIGITS, name, None, "it")
    gan = GAN(latent=8, width=4, hidden=8).eval().requires_grad_(False)
    torch.testing.assert_close(end(gan, DIGITS, "sample-5", None, "it").code, Rng(5, 1).normal(8))
    with pytest.raises(Refused, match="own draws only"):
        end(gan, DIGITS, "mean-3", None, "it")
    first = end(gan, DIGITS, "sample-5", None, "it")
    assert first.x is not None
    torch.testing.assert_close(same(model, DIGITS, "sample-5", first, "it").code, model.encode(first.x))


def test_a_walk_shows_three_ways_and_what_they_cost(local: Local) -> None:
    views = shown(local, "toy-blob", "walk", first="sample-1", second="sample-2", frames=9)
    strips, lengths, prior = views["strips"], views["lengths"], views["prior"]
    assert isinstance(strips, Images) and isinstance(lengths, Table) and isinstance(prior, Curve)
    assert strips.group == ("linear", "spherical", "geodesic") and len(strips.pixels) == 27
    for row in (9, 18):
        np.testing.assert_array_equal(strips.pixels[row], strips.pixels[0])
        np.testing.assert_array_equal(strips.pixels[row + 8], strips.pixels[8])
    whole = {str(name): float(str(value)) for name, value, *_ in lengths.rows}
    assert whole["geodesic"] < min(whole["linear"], whole["spherical"]) + 1e-4
    codes = Rng(1, 1).normal(2), Rng(2, 1).normal(2)
    ends = [-0.5 * float(z.square().sum()) - math.log(2 * math.pi) for z in codes]
    np.testing.assert_allclose(prior.y[:, [0, -1]], [ends] * 3, rtol=1e-5)
    assert "density" not in views


def test_a_walk_says_what_happens_to_log_p_and_takes_a_second_model(local: Local) -> None:
    views = shown(local, "toy-plain", "walk", first="test-3-1", second="test-8-2", frames=5, others=["toy-classes"])
    strips, density = views["strips"], views["density"]
    assert isinstance(strips, Images) and isinstance(density, Curve)
    assert INVERTED in strips.caption and "(exact)" in density.axes[1] and np.isfinite(density.y).all()
    crossed = strips.pixels[10:].astype(float)  # the geodesic's row
    half = (crossed[0] + crossed[4]) / 2
    assert np.abs(crossed[2] - half).max() <= 1
    beside = views["strips beside"]
    assert isinstance(beside, Images) and np.abs(beside.pixels[0].astype(int) - strips.pixels[0]).max() <= 1
    refused = shown(local, "toy-blob", "walk", first="test-3-1", second="sample-1")
    assert "own draws only" in str(vars(refused["main"])["text"])


def test_a_collapsed_number_is_marked(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(latent=4, width=16, depth=1).eval().requires_grad_(False)
    last = [m for m in model.encoder.modules() if isinstance(m, torch.nn.Linear)][-1]
    for row in (2, 6):  # mean and log deviation of the third number
        last.weight[row] = last.bias[row] = 0.0
    last.bias[[0, 4]] = torch.tensor([2.0, -1.0])
    found = kl(model, DIGITS)
    assert found[2] == pytest.approx(0, abs=1e-6) and found.argmax() == 0
    views = {v.key: v for v in perturbing.perturb(model, Rng(0), data=DIGITS, title="it", base="test-3-1", most=3)}
    table, strips = views["numbers"], views["strips"]
    assert isinstance(table, Table) and isinstance(strips, Images)
    used = {row[0]: row[2] for row in table.rows}
    assert used["z3"] == "unused" and table.rows[0][0] == "z1" and table.rows[-1][0] == "z3"
    assert all((row[1] >= UNUSED) == (row[2] == "used") for row in table.rows)
    assert "z3" in strips.group and len(strips.pixels) == 13 * len(strips.group)


def test_effects_sort_the_numbers_of_a_code_without_clouds(local: Local) -> None:
    views = shown(local, "toy-blob", "perturb", base="sample-3", steps=5)
    table, strips = views["numbers"], views["strips"]
    assert isinstance(table, Table) and isinstance(strips, Images)
    worth = [float(str(row[1])) for row in table.rows]
    assert worth == sorted(worth, reverse=True) and "root-mean-square" in table.caption
    z = Rng(3, 1).normal(2)[0]
    assert {str(row[0]): row[4] for row in table.rows} == {"z1": round(float(z[0]), 3), "z2": round(float(z[1]), 3)}
    large = shown(local, "toy-plain", "perturb", base="test-3-1", steps=3, most=4)["strips"]
    assert isinstance(large, Images) and set(large.group) == {f"direction {i}" for i in (1, 2, 3, 4)}


def bar(lean: float = 0.0, wide: int = 4) -> np.ndarray:
    """A grey upright bar on black, (1, 1, 48, 48), sheared by so many pixels a row."""
    rows, columns = np.mgrid[:48, :48]
    middle = 24 - lean * (rows - 24)
    inside = (np.abs(rows - 23.5) < 12) & (np.abs(columns - middle + 0.5) < wide / 2)
    return inside[None, None].astype(np.float32)


def test_measures_of_a_bar() -> None:
    measured = {name: float(measure(bar(wide=6))[0]) for name, (measure, _) in MEASURES.items()}
    assert measured["slant"] == pytest.approx(0, abs=0.1)
    assert measured["width"] == pytest.approx(6, abs=0.2)
    assert measured["thickness"] == pytest.approx(2 * 6 * 24 / (2 * (6 + 24)), rel=0.05)  # its ends count too
    assert measured["brightness"] == pytest.approx(100 * 6 * 24 / 48**2)
    slant, _ = MEASURES["slant"]
    assert float(slant(bar(lean=0.5))[0]) == pytest.approx(math.degrees(math.atan(0.5)), abs=1.5)
    assert float(slant(1 - bar(lean=0.5))[0]) == pytest.approx(float(slant(bar(lean=0.5))[0]), abs=1e-3)
    assert np.isnan(slant(np.zeros((1, 1, 8, 8), np.float32))[0])


def test_the_direction_of_a_planted_attribute_is_found() -> None:
    draw = np.random.default_rng(0)
    codes = draw.normal(size=(600, 5)) * [1, 2, 1, 0.5, 1]
    planted = np.array([0.0, 0.3, 0.0, -2.0, 0.0])
    found = direction(codes, codes @ planted + 0.1 * draw.normal(size=600))
    expected = planted * [1, 4, 1, 0.25, 1]  # the covariance of such codes with it
    cosine = found.step @ expected / np.linalg.norm(found.step) / np.linalg.norm(expected)
    assert cosine > 0.99 and found.r2 > 0.97
    assert direction(codes, draw.normal(size=600)).r2 < 0.1
    assert math.isnan(direction(codes, np.ones(600)).r2)
    assert math.isnan(direction(codes[:20], codes[:20, 0]).r2)


def test_directions_of_a_class_and_of_what_is_measured(local: Local) -> None:
    views = shown(local, "toy-plain", "directions", base="test-3-1", towards=8, away=3, steps=5)
    strips, table = views["strips"], views["numbers"]
    assert isinstance(strips, Images) and isinstance(table, Table)
    assert strips.group == ("8 − 3", "slant", "thickness", "width", "brightness")
    middle = strips.pixels.reshape(5, 5, 28, 28)[:, 2]
    assert (middle == middle[0]).all()
    brighter = strips.pixels.reshape(5, 5, -1).astype(float).mean(2)[4]
    assert (np.diff(brighter) > 0).all()
    own = shown(local, "toy-blob", "directions", base="sample-1", towards=8, steps=5)["strips"]
    assert isinstance(own, Images) and own.group == ("slant", "thickness", "width", "brightness")


def test_codes_are_added_and_subtracted(local: Local) -> None:
    levels, _, _ = DIGITS.examples()
    a, b, c = (levels[i, 0] for i in (3, 4, 5))
    given = {f"{k}_picture": sent(np.repeat(v[:, :, None], 3, 2)) for k, v in zip("abc", (a, b, c), strict=True)}
    view = shown(local, "toy-plain", "arithmetic", a="yours", b="yours", c="yours", **given)["sum"]
    assert isinstance(view, Images) and len(view.pixels) == 5
    expected = np.clip(a.astype(int) - b + c, 0, 255)  # its decoder is linear
    assert np.abs(view.pixels[3, :, :, 0].astype(int) - expected).max() <= 1
    again = shown(local, "toy-plain", "arithmetic", a="test-3-1", b="test-1-1", c="test-1-1")["sum"]
    assert isinstance(again, Images)
    np.testing.assert_array_equal(again.pixels[4], again.pixels[0])  # A - B + B is A, and the nearest to it
