"""The semi-supervised VAE: its bound by brute force, what labels do and do not enter, and a few labels that suffice."""

from __future__ import annotations

import math

import torch
from test_conditional_vae import by_quadrature, lively, pictures
from torch import Tensor

from playground.families.semi_supervised_vae import SemiSupervisedVAE, distorted


def tiny() -> SemiSupervisedVAE:
    model = lively(SemiSupervisedVAE)
    assert isinstance(model, SemiSupervisedVAE)
    return model


def bound(model: SemiSupervisedVAE, x: Tensor, odds: Tensor, seed: int = 0) -> float:
    """The mean bound of log p(x) in nats."""
    rate, distortion = model._bound(x, odds, torch.Generator().manual_seed(seed))
    return -float(rate + distortion)


def test_the_bound_without_labels_is_the_sum_over_classes() -> None:
    """Kingma et al. 2014, equation 7, written out."""
    model, x = tiny(), pictures(4)
    odds = torch.tensor([0.5, 0.3, 0.2]).expand(4, 3)
    noise = torch.randn((4, 2), generator=torch.Generator().manual_seed(0))
    value = torch.zeros(4)
    for y in range(3):
        rate, distortion = model.terms(x, torch.full((4,), y), noise)
        value += odds[:, y] * (-distortion - rate + math.log(1 / 3) - odds[:, y].log())
    torch.testing.assert_close(torch.tensor(bound(model, x, odds)), value.mean())


def test_leaving_negligible_classes_out_is_another_posterior_and_still_a_bound() -> None:
    model, x = tiny(), pictures(1).expand(2000, -1, -1, -1)
    exact = float(by_quadrature(model, x[:1]).logsumexp(1))
    for odds in ([0.5, 0.3, 0.2], [0.992, 0.004, 0.004], [0.0, 1.0, 0.0]):
        assert bound(model, x, torch.tensor(odds).expand(2000, 3)) < exact
    one, almost = (torch.tensor(o).expand(2000, 3) for o in ([1.0, 0.0, 0.0], [0.992, 0.004, 0.004]))
    assert bound(model, x, one) == bound(model, x, almost)


def test_with_a_label_the_bound_is_that_of_picture_and_label() -> None:
    model, x = tiny(), pictures(1).expand(2000, -1, -1, -1)
    for y, exact in enumerate(by_quadrature(model, x[:1])[0].tolist()):
        assert bound(model, x, torch.eye(3)[y].expand(2000, 3)) < exact


def test_the_bound_is_of_the_pictures_without_labels() -> None:
    model, x = tiny(), torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    label = torch.tensor([0, 1, 2, 0, -1, -1, -1, -1])
    losses = [model.loss(torch.cat([part, x[4:]]), label, torch.Generator().manual_seed(0), "model")
              for part in (x[:4], x[:4].flip(0))]  # fmt: skip
    assert losses[0]["nats"].item() == losses[1]["nats"].item()
    assert losses[0]["cross-entropy"].item() != losses[1]["cross-entropy"].item()


def bars(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Lines across (0), down (1) or aslant (2) somewhere in pictures of 12x12, and which of them, in turn."""
    y, x = torch.arange(n) % 3, torch.zeros(n, 1, 12, 12)
    along = torch.arange(12)
    for i, at in enumerate(torch.randint(3, 9, (n,), generator=generator)):
        row, column = ((at, along), (along, at), (along, (along + at) % 12))[i % 3]
        x[i, 0, row, column] = 1
    return x, y


def test_a_few_labels_are_enough() -> None:
    """Four of each of three directions: the pictures without labels teach the rest."""
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = SemiSupervisedVAE((1, 12, 12), ("-", "|", "/"), 2, 32, 1, 50, channels=8, features=16)
    (named, names), (x, _) = bars(12, generator), bars(300, generator)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(80):
        i, j = (torch.randint(n, (32,), generator=generator) for n in (300, 12))
        label = torch.cat([names[j], torch.full((32,), -1)])
        loss = model.loss(torch.cat([named[j], x[i]]), label, generator, "model")["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    x, y = bars(300, generator)
    assert float((model.eval().classify(x).argmax(1) == y).float().mean()) > 0.9


def test_distorted_pictures_are_pictures_in_other_places() -> None:
    x = torch.zeros(200, 1, 28, 28)
    x[:, :, 10:18, 10:18] = 0.8
    y = distorted(x, torch.Generator().manual_seed(0))
    assert y.shape == x.shape and float(y.min()) >= 0 and float(y.max()) <= 1
    assert 0.7 < float(y.sum() / x.sum()) < 1.3
    rows = (y.sum((1, 3)) * torch.arange(28)).sum(1) / y.sum((1, 2, 3)) - 13.5
    assert 1 < float(rows.std()) < 3 and abs(float(rows.mean())) < 0.5
    assert 0.35 < float(((y == 0) | (y == 1)).flatten(1).all(1).float().mean()) < 0.65
