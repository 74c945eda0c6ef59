"""Completing and redrawing: contracts of every family that can, and samplers against known answers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from test_contracts import assert_data, close, data, lively, those
from torch import Tensor
from toyshelf import put, sent, toy_shelf

from playground.backends import Request
from playground.backends.local import Local
from playground.capabilities import Completes, Edits
from playground.families.codes import fitting
from playground.families.inpainting import filled, noise_of, suggested
from playground.families.picture_flow import PictureFlow
from playground.families.transformer import Transformer
from playground.rng import Rng, Stream
from playground.samplers import karras_sigmas
from playground.views import Images, Refusal, View


def holes(model: Completes, n: int) -> Tensor:
    """Which of random elements are known, (n, *shape); other ones for each datum."""
    return torch.rand(n, *model.shape, generator=torch.Generator().manual_seed(4)) < 0.5


@those(Completes)
def test_a_completion_keeps_what_is_known(family: type[Completes]) -> None:
    model = lively(family)
    x, known = data(model, 2), holes(model, 2)
    states = list(model.complete(x, known, Rng(3, 2)))
    assert_data(model, states[-1].x, 2)
    assert torch.equal(states[-1].x[known], x[known])
    assert [s.done for s in states] == list(range(1, states[0].total + 1)) and all(s.label for s in states)
    assert model.completing.endswith(".")


@those(Completes)
def test_a_completion_depends_on_its_seed_and_not_on_its_batch(family: type[Completes]) -> None:
    model = lively(family)
    x, known = data(model, 1).expand(3, *model.shape), holes(model, 1).expand(3, *model.shape)
    *_, three = model.complete(x, known, Rng(3, 3))
    *_, one = model.complete(x[:1], known[:1], Rng(3, 3).pick([1]))
    torch.testing.assert_close(one.x, three.x[1:2], atol=1e-4, rtol=1e-4)
    assert not torch.equal(three.x[0], three.x[1])


@those(Completes)
def test_what_is_hidden_is_not_looked_at(family: type[Completes]) -> None:
    model = lively(family)
    x, known = data(model, 1), holes(model, 1)
    *_, one = model.complete(x, known, Rng(3, 1))
    *_, other = model.complete(torch.where(known, x, 1 - x), known, Rng(3, 1))
    close(one.x, other.x)


@those(Edits)
def test_an_edit_of_no_strength_gives_the_datum_back_and_of_full_strength_forgets_it(family: type[Edits]) -> None:
    model = lively(family)
    x = data(model, 2)
    *_, faithful = model.edit(x, 0.0, Rng(3, 2))
    assert_data(model, faithful.x, 2)
    if family.__name__ not in ("VAE", "ConditionalVAE", "SemiSupervisedVAE"):  # whose codes lose something
        close(faithful.x, x)
    *_, free = model.edit(x, 1.0, Rng(3, 2))
    *_, other = model.edit(1 - x, 1.0, Rng(3, 2))
    torch.testing.assert_close(free.x, other.x, atol=1e-4, rtol=1e-4)
    *_, half = model.edit(x, 0.5, Rng(3, 2))
    *_, alone = model.edit(x[1:], 0.5, Rng(3, 2).pick([1]))
    torch.testing.assert_close(alone.x, half.x[1:], atol=1e-4, rtol=1e-4)


def test_an_edits_noise_grows_from_none_to_the_most() -> None:
    levels = [noise_of(k / 8, 0.5, 20.0) for k in range(9)]
    assert levels[0] == 0 and levels[-1] == 20 and levels == sorted(levels)


def test_filling_in_a_normal_pair_has_the_conditional_mean_and_variance() -> None:
    """Two standard normal numbers of correlation r: given the first, a, the second has mean r a, variance 1 - r^2."""
    r, a, n = 0.8, 1.0, 4000
    covariance = torch.tensor([[1.0, r], [r, 1.0]])

    def guess(x: Tensor, sigma: float) -> Tensor:
        gain = covariance @ torch.linalg.inv(covariance + sigma**2 * torch.eye(2))
        return (x.flatten(1) @ gain.T).view_as(x)

    given = torch.tensor([a, 0.0]).view(1, 1, 1, 2).expand(n, 1, 1, 2)
    known = torch.tensor([True, False]).view(1, 1, 1, 2).expand(n, 1, 1, 2)
    *_, (x, _) = filled(guess, given, known, Stream(0, n), karras_sigmas(60, 0.01, 20), 1.0)
    assert torch.equal(x[..., 0], given[..., 0])
    second = x[..., 1].flatten()
    assert float(second.mean()) == pytest.approx(r * a, abs=0.06)
    assert float(second.var()) == pytest.approx(1 - r**2, abs=0.08)


def test_the_class_that_explains_what_is_known_is_suggested() -> None:
    centres = torch.tensor([-1.0, 1.0])

    def denoise(x: Tensor, sigma: Tensor, label: Tensor) -> Tensor:
        share = 1 / (1 + sigma**2)[:, None, None, None]  # data of variance one around their class's centre
        return centres[label].view(-1, 1, 1, 1) * (1 - share) + share * x

    y = torch.tensor([-1.0, 1.0, 1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    known = torch.ones(3, 1, 4, 4, dtype=torch.bool)
    chosen = suggested(denoise, y, known, 2, 1.0, torch.full((3, 1), 0.5))
    assert chosen.tolist() == [0, 1, 1]


def test_codes_fit_what_is_known() -> None:
    """The posterior of z ~ N(0, 1) given that 2 z was seen as 1.5 with deviation 0.1 is narrow, at about 0.748."""

    def nats(z: Tensor, rows: Tensor) -> Tensor:
        return -((2 * z[:, 0] - 1.5) ** 2) / (2 * 0.1**2)

    *_, z = fitting(nats, 2, Rng(0, 200), 60)
    assert float(z[:, 0].mean()) == pytest.approx(0.748, abs=0.02)
    assert 0.2 < float(z[:, 1].std()) < 1.3  # nothing is known of the second number


def test_endings_of_a_transformer_have_its_own_conditional_odds() -> None:
    """Two patches of one pixel follow the known ones: all four endings against the frequencies of many draws."""
    torch.manual_seed(0)
    model = Transformer(shape=(1, 2, 2), classes=2, patch=1, width=8, depth=1, heads=2).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape)
    n = 4000
    x, known = torch.zeros(n, 1, 2, 2), torch.tensor([True, True, False, False]).view(1, 1, 2, 2).expand(n, 1, 2, 2)
    x[:, 0, 0, 1] = 1
    every = x[:4].clone()
    every[:, 0, 1] = torch.tensor(list(itertools.product((0.0, 1.0), repeat=2)))
    joint = sum(model.log_prob(every, Rng(0, 4), label=c).nats.exp() for c in model.labels)
    odds = joint / joint.sum()
    *_, last = model.complete(x, known, Stream(1, n))
    seen = (last.x[:, 0, 1] @ torch.tensor([2.0, 1.0])).long().bincount(minlength=4) / n
    assert float((seen - odds).abs().max()) < 4 * math.sqrt(0.25 / n)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        small = {"width": 8, "deep": 8, "blocks": 1, "norm_groups": 4}
        with torch.random.fork_rng():
            torch.manual_seed(0)
            put(PictureFlow(**small), "toy-flow", **small)
        yield Local("cpu")


def shown(local: Local, activity: str, **knobs: object) -> dict[str, View]:
    return {v.key: v for v in local.run(Request("toy-flow", activity, dict(knobs), 3))}


def test_complete_and_edit_show_what_was_given_and_what_came_of_it(local: Local) -> None:
    views = shown(local, "complete", n=2)
    assert isinstance(views["given"], Images) and isinstance(views["main"], Images)
    assert views["main"].pixels.shape[0] == 2
    strip = shown(local, "edit", n=1)["strip"]
    assert isinstance(strip, Images) and len(strip.pixels) == 9


def test_bad_canvases(local: Local) -> None:
    nothing = shown(local, "complete", hide="brushed")["main"]
    assert isinstance(nothing, Refusal) and "Nothing is hidden" in nothing.text
    white, dot = np.full((28, 28, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)
    everything = shown(local, "complete", hide="brushed", hidden=sent(white), n=1)["main"]
    blank = shown(local, "complete", canvas=sent(dot), n=1)["main"]
    assert isinstance(everything, Images) and isinstance(blank, Images)
