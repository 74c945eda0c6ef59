"""Planes through latent spaces: where codes are on them, what a place means, and the lattice of pictures over them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image
from toy import Toy
from toyshelf import toy_shelf

from playground import planes
from playground.activities.place import place
from playground.activities.plane import SIDES
from playground.backends import Request
from playground.backends.local import Local
from playground.data import datasets
from playground.families.beta_vae import BetaVAE
from playground.families.conditional_vae import ConditionalVAE
from playground.families.gan import GAN
from playground.families.semi_supervised_vae import SemiSupervisedVAE
from playground.families.vae import VAE
from playground.knobs import Refused
from playground.pictures import to_data
from playground.planes import CORNERS, THROUGH, plane_of
from playground.rng import Rng
from playground.ui.trails import pictures
from playground.views import Curve, Images, Lattice, Progress, View

DIGITS = datasets()["mnist"]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


def vae(latent: int) -> VAE:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VAE(latent=latent, width=16, depth=1).eval().requires_grad_(False)


def places(*xy: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    x, y = torch.tensor(xy).T
    return x, y


@pytest.mark.parametrize("through", THROUGH)
def test_a_code_of_two_numbers_is_its_place(through: str) -> None:
    model = vae(2)
    plane = plane_of(model, DIGITS, Rng(0), through)
    x, y = places((0.5, -1.0), (2.0, 0.25))
    torch.testing.assert_close(plane.codes(x, y), torch.stack([x, y], 1))
    levels, classes, _ = DIGITS.examples()
    assert plane.points is not None and plane.classes is not None
    np.testing.assert_allclose(plane.points[:8], model.encode(to_data(levels[:8])).numpy(), atol=1e-5)
    assert (plane.classes == classes[: len(plane.classes)]).all()
    left, right, bottom, top = plane.extent
    assert right - left == pytest.approx(top - bottom)
    inside = (plane.points > [left, bottom]) & (plane.points < [right, top])
    assert inside.all(1).mean() > 0.97


def test_main_directions_are_where_codes_vary_most() -> None:
    model = vae(8)
    plane = plane_of(model, DIGITS, Rng(0), THROUGH[0])
    assert plane.points is not None
    np.testing.assert_allclose(plane.points.std(0, ddof=1), 1, rtol=1e-3)
    assert abs(np.corrcoef(plane.points.T)[0, 1]) < 1e-3
    levels, _, _ = DIGITS.examples()
    codes = model.encode(to_data(levels[: len(plane.points)]))
    sizes = torch.linalg.eigvalsh(codes.T.cov()).flip(0)[:2].sqrt()
    torch.testing.assert_close(torch.stack([plane.across.norm(), plane.up.norm()]), sizes, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(plane.codes(*places((0, 0)))[0], codes.mean(0), atol=1e-5, rtol=1e-4)


def test_three_pictures_are_at_the_corners() -> None:
    model = vae(8)
    plane = plane_of(model, DIGITS, Rng(5), THROUGH[1])
    levels, _, _ = DIGITS.examples()
    codes = model.encode(to_data(levels[: planes.CODED]))
    at = plane.codes(*places(*CORNERS))
    assert torch.cdist(at, codes).min(1).values.max() < 1e-3
    assert plane.points is not None
    nearest = torch.cdist(at, codes).argmin(1)
    np.testing.assert_allclose(plane.points[nearest], CORNERS, atol=1e-3)
    assert not torch.equal(
        plane.codes(*places(*CORNERS)), plane_of(model, DIGITS, Rng(6), THROUGH[1]).codes(*places(*CORNERS))
    )


@pytest.mark.parametrize("through", THROUGH)
def test_without_an_encoder_three_draws_and_codes_of_normal_length(through: str) -> None:
    model = GAN(latent=64, width=4, hidden=8).eval().requires_grad_(False)
    plane = plane_of(model, DIGITS, Rng(5), through)
    draws = Rng(5, 3).normal(64)
    torch.testing.assert_close(plane.codes(*places(*CORNERS)), draws, atol=1e-4, rtol=1e-4)
    middle = plane.codes(*places((0.5, 3**0.5 / 6)))[0]
    torch.testing.assert_close(middle, draws.sum(0) / 3**0.5, atol=1e-4, rtol=1e-4)
    assert plane.points is None and "no encoder" in plane.note


def test_a_slow_encoder_codes_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planes, "PATIENCE", 0.0)
    plane = plane_of(Toy(), DIGITS, Rng(0), THROUGH[0])
    assert plane.points is not None and len(plane.points) == planes.FIRST
    assert f"{planes.FIRST} test pictures" in plane.note


def run(local: Local, activity: str, **knobs: object) -> list[View]:
    return [v for v in local.run(Request("toy-plain", activity, knobs, 3)) if not isinstance(v, Progress)]


def test_lattices_become_finer_and_hold_the_ones_before(local: Local) -> None:
    made = run(local, "plane")
    assert [v.pixels.shape for v in made if isinstance(v, Lattice)] == [(n, n, 28, 28, 1) for n in SIDES]
    coarse, *_, fine = made
    assert isinstance(coarse, Lattice) and isinstance(fine, Lattice)
    np.testing.assert_array_equal(fine.pixels[::8, ::8], coarse.pixels)
    assert len(run(local, "plane", side=20)) == 2


def test_a_spot_is_the_lattices_picture_there(local: Local) -> None:
    lattice = run(local, "plane")[-1]
    assert isinstance(lattice, Lattice)
    left, right, bottom, top = lattice.extent
    for row, column in ((0, 0), (16, 48), (64, 9)):
        x, y = left + (right - left) * column / 64, top + (bottom - top) * row / 64
        spot = run(local, "spot", x=x, y=y)[-1]
        assert isinstance(spot, Images)
        assert np.abs(spot.pixels[0].astype(int) - lattice.pixels[row, column]).max() <= 1


def test_ones_own_picture_is_where_its_code_is(local: Local) -> None:
    levels, _, _ = DIGITS.examples()
    sent = io.BytesIO()
    Image.fromarray(levels[4, 0]).save(sent, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(sent.getvalue()).decode()}"
    three, at = run(local, "place", picture=url)  # the toy's code is certain: no cloud
    lattice = run(local, "plane", side=9)[-1]
    assert isinstance(three, Images) and isinstance(at, Curve) and isinstance(lattice, Lattice)
    np.testing.assert_array_equal(three.pixels[0, :, :, 0], levels[4, 0])
    assert lattice.points is not None
    np.testing.assert_allclose([at.x[0, 0], at.y[0, 0]], lattice.points[4], atol=1e-3)
    assert "Draw or send" in str(vars(run(local, "place")[0])["text"])


def test_the_shadow_of_a_cloud_of_codes() -> None:
    g = torch.Generator().manual_seed(0)
    plane = plane_of(vae(8), DIGITS, Rng(5), THROUGH[1])  # its directions are not at right angles
    mean, deviation = torch.randn(8, generator=g), torch.rand(8, generator=g)
    rings = plane.ellipses(mean, deviation)
    assert rings.shape == (2, planes.POINTS, 2)
    middle = plane.places(mean[None])[0]
    np.testing.assert_allclose(rings[1] - middle, 2 * (rings[0] - middle), atol=1e-4)
    drawn = plane.places(mean + deviation * torch.randn(20_000, 8, generator=g))
    inverse = np.linalg.inv(np.cov(drawn.T))
    away = rings[0] - middle
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", away, inverse, away), 1, atol=0.05)
    np.testing.assert_allclose(plane.ellipses(mean, 0 * deviation) - middle, 0, atol=1e-5)


@pytest.mark.parametrize("family", [VAE, BetaVAE, ConditionalVAE, SemiSupervisedVAE])
def test_a_vae_places_a_cloud(family: type[VAE]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = family(latent=2, width=16, depth=1).eval().requires_grad_(False)
    levels, _, _ = DIGITS.examples()
    picture = levels[4].repeat(3, 0).transpose(1, 2, 0)
    views = {v.key: v for v in place(model, Rng(0), data=DIGITS, title="it", picture=picture)}
    at, cloud = views["place"], views["cloud"]
    assert isinstance(at, Curve) and isinstance(cloud, Curve) and cloud.x.shape == (2, planes.POINTS)
    for ring in np.stack([cloud.x, cloud.y], 2)[:, :-1]:  # the last point is the first
        np.testing.assert_allclose(ring.mean(0), [at.x[0, 0], at.y[0, 0]], atol=1e-4)
    if family is VAE:  # a code of two numbers is its place
        np.testing.assert_allclose(np.ptp(cloud.x[0]), 2 * model.cloud(to_data(levels[4:5]))[1][0, 0].exp(), rtol=1e-2)


def test_a_trail_that_is_not_what_it_says_is_refused() -> None:
    good = base64.b64encode(bytes(range(2 * 3 * 3))).decode()
    assert pictures([2, 3, 3, 1], good).shape == (2, 3, 3, 1)
    for shape, b64 in (
        ([3, 3, 3, 1], good),
        ([10**6, 28, 28, 1], good),
        ([2, 3, 3, 2], good),
        ([2, 3, 3, -1], good),
        (None, good),
        ([2, 3, 3, 1], "?"),
        ([2, 3, 3, 1], None),
    ):
        with pytest.raises(Refused):
            pictures(shape, b64)
