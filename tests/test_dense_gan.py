"""The GAN for points: the losses of the paper, its penalty, its verdict, and the field that its generator follows."""

from __future__ import annotations

import pytest
import torch
from plain import plain_gan, planted
from torch import Tensor

from playground.families.gan import DenseGAN
from playground.rng import Stream


def made(**changes: object) -> DenseGAN:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DenseGAN(**{"width": 16, **changes})  # type: ignore[arg-type]


def points(n: int) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(1))


def loss(model: DenseGAN, player: str, x: Tensor) -> Tensor:
    return model.loss(x, torch.zeros(len(x)), torch.Generator().manual_seed(0), player)[player].detach()


def test_losses_are_those_of_the_paper() -> None:
    """-log D(x) - log(1 - D(G(z))), and the non-saturating -log D(G(z))."""
    model, x = made(), points(64)
    drawn = model.decode(torch.randn(64, 2, generator=torch.Generator().manual_seed(0)))
    real, fake = model.verdict(x).sigmoid(), model.verdict(drawn).sigmoid()
    torch.testing.assert_close(loss(model, "generator", x), -fake.log().mean())
    torch.testing.assert_close(loss(model, "discriminator", x), -real.log().mean() - (1 - fake).log().mean())


def test_the_penalty_is_half_gamma_times_the_squared_slope_at_data() -> None:
    x = points(64).requires_grad_()
    slope = torch.autograd.grad(made().discriminator(x).sum(), x)[0].square().sum(1).mean()
    extra = loss(made(penalty=0.6), "discriminator", x.detach()) - loss(made(), "discriminator", x.detach())
    torch.testing.assert_close(extra, 0.3 * slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("penalty", [0.0, 0.5])
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_the_written_gradient_is_autograds_at_the_size_that_races(penalty: float, player: str) -> None:
    model, same, x = made(width=64, penalty=penalty), made(width=64, penalty=penalty), points(256)
    same.loss(x, torch.zeros(256), torch.Generator().manual_seed(4), player)[player].backward()
    model.gradient(x, torch.Generator().manual_seed(4), player)
    for ours, autograds in zip(model.players()[player], same.players()[player], strict=True):
        assert ours.grad is not None and autograds.grad is not None
        torch.testing.assert_close(ours.grad, autograds.grad, atol=1e-5, rtol=1e-4)


def test_a_players_turn_leaves_the_others_gradients_alone() -> None:
    model, x = made(), points(32)
    model.gradient(x, torch.Generator(), "generator")
    assert all(p.grad is None for p in model.discriminator.parameters())
    model.zero_grad(set_to_none=True)
    model.gradient(x, torch.Generator(), "discriminator")
    assert all(p.grad is None for p in model.generator.parameters())


def test_the_field_is_the_slope_of_log_d() -> None:
    model, x = made(), points(20).requires_grad_()
    log_d = torch.nn.functional.logsigmoid(model.discriminator(x))
    torch.testing.assert_close(model.field(x.detach(), 0.3), torch.autograd.grad(log_d.sum(), x)[0])
    torch.testing.assert_close(model.verdict(x.detach()), model.discriminator(x)[:, 0].detach())


def test_it_learns_where_the_data_are() -> None:
    model = made()
    generator = torch.Generator().manual_seed(0)
    optimisers = {n: torch.optim.Adam(ps, 3e-3, betas=(0.5, 0.9)) for n, ps in model.players().items()}
    for _ in range(400):
        x = torch.tensor([2.0, -1.0]) + 0.5 * torch.randn(128, 2, generator=generator)
        for player, optimiser in optimisers.items():
            model.gradient(x, generator, player)
            optimiser.step()
    drawn = model.sample(Stream(0, 1000))
    assert (drawn.mean(0) - torch.tensor([2.0, -1.0])).norm() < 0.7, (
        "of the 2.2 it began with; the game goes in circles"
    )
    assert 0.2 < float(drawn.std(0).mean()) < 0.9


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_the_plain_loop_trains_the_same_model(player: str) -> None:
    model, (parameters, plain_loss), x = made(width=64), plain_gan(), points(256)
    planted(parameters["discriminator"], [], [model.discriminator])
    planted(parameters["generator"], [], [model.generator])
    with torch.random.fork_rng():
        torch.manual_seed(7)
        theirs = plain_loss(x, player).detach()
    torch.testing.assert_close(model.gradient(x, torch.Generator().manual_seed(7), player), theirs)
