"""Codes found by descent: a picture that the generator itself drew is found again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from playground.activities import invert as module
from playground.activities.invert import invert
from playground.capabilities import Decodes
from playground.data import datasets
from playground.families.conditional_gan import ConditionalGAN
from playground.families.few_step import FewStep
from playground.families.gan import GAN
from playground.families.vqvae import VQVAE
from playground.families.wgan import PictureWassersteinGAN
from playground.knobs import Refused
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.views import Curve, Images, Progress, View

DIGITS = datasets()["mnist"]


def lively(make: Any, **sizes: Any) -> Decodes:
    """An untrained model whose pictures differ with their codes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make(**sizes)
        for parameter in model.parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape)
        return model.eval().requires_grad_(False)


def found(model: Decodes, picture: Tensor, **knobs: Any) -> dict[str, View]:
    """What is left at the end of a descent towards a picture (1, 1, 28, 28)."""
    sent = to_pixels(picture)[0].repeat(3, 2)
    with torch.no_grad():  # as the backend has it
        views = list(invert(model, Rng(2), data=DIGITS, title="it", picture=sent, **knobs))
    assert isinstance(views[0], Progress)
    return {v.key: v for v in views}


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (GAN, {"latent": 4, "width": 4, "hidden": 8}),
        (PictureWassersteinGAN, {"latent": 4, "width": 4, "hidden": 8}),
        (ConditionalGAN, {"latent": 4, "width": 4, "hidden": 8}),
    ],
)
def test_what_a_generator_drew_is_found_again(make: Any, sizes: Any) -> None:
    model = lively(make, **sizes)
    drawn = model.decode(Rng(5, 1).normal(*model.latent))
    views = found(model, drawn, steps=80, starts=4)
    three, starts, at = views["main"], views["starts"], views["place"]
    assert isinstance(three, Images) and isinstance(starts, Images) and isinstance(at, Curve)
    off = float(three.captions[2].removeprefix("off by "))
    first = float((drawn - model.decode(Rng(6, 1).normal(*model.latent))).square().mean().sqrt())
    assert off < 0.02 and off < first / 5
    assert three.seconds is not None and np.isfinite([at.x, at.y]).all()
    assert starts.captions[0] == three.captions[2] and len(starts.pixels) == 4


def test_steps_are_those_of_the_library() -> None:
    ours, walk = torch.tensor([3.0, -1.0, 0.5]), module.Adam()
    theirs = ours.clone().requires_grad_()
    adam = torch.optim.Adam([theirs], 0.1)
    for _ in range(5):
        ours = ours - 0.1 * walk.direction(4 * ours**3)
        theirs.grad = 4 * theirs.detach() ** 3
        adam.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_a_code_stays_where_normal_draws_are() -> None:
    model = lively(GAN, latent=16, width=4, hidden=8)
    lengths = []
    for pull in (0.0, 10.0):
        three = found(model, torch.ones(1, 1, 28, 28), steps=40, starts=2, pull=pull)["main"]
        lengths.append(float(three.caption.split("length is ")[1].split(";")[0]))
    assert abs(lengths[1] - 4) < abs(lengths[0] - 4) and abs(lengths[1] - 4) < 1


def test_a_model_that_rounds_its_grey_levels_has_a_slope() -> None:
    model = lively(FewStep, width=8, deep=8, blocks=1, norm_groups=4)
    assert isinstance(model, FewStep)
    model.student.greys.look(torch.rand(4, 1, 28, 28))
    z = Rng(0, 1).normal(*model.latent)
    exact = model.decode(z)
    z.requires_grad_()
    again = model.decode(z)
    assert torch.equal(again, exact)
    again.sum().backward()
    assert z.grad is not None and z.grad.isfinite().all() and z.grad.any()


def test_what_cannot_be_inverted_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 4)
    with pytest.raises(Refused, match="no slope"):
        found(lively(VQVAE, channels=8, layers=1, width=8, depth=1, heads=2), torch.zeros(1, 1, 28, 28))
    with pytest.raises(Refused, match="Draw or send"):
        next(invert(lively(GAN, width=4), Rng(0), data=DIGITS, title="it"))
