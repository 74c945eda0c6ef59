"""The Wasserstein GAN: its penalty, whose gradient is written out, and that its critic measures a distance."""

from __future__ import annotations

import pytest
import torch
from plain import plain_wgan, planted
from torch import Tensor

from playground.families.layers import Mlp
from playground.families.wgan import PictureWassersteinGAN, WassersteinGAN
from playground.rng import Rng, Stream


def made(**changes: object) -> WassersteinGAN:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WassersteinGAN(**{"width": 16, **changes})  # type: ignore[arg-type]


def points(n: int) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("penalty", [0.0, 0.1, 10.0])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("player", ["critic", "generator"])
def test_the_written_gradient_is_autograds(penalty: float, depth: int, player: str) -> None:
    settings = {"width": 64, "depth": depth, "penalty": penalty}
    model, same, x = made(**settings), made(**settings), points(256)
    value = same.loss(x, torch.zeros(256), torch.Generator().manual_seed(4), player)[player]
    value.backward()
    ours = model.gradient(x, torch.Generator().manual_seed(4), player)
    torch.testing.assert_close(ours, value.detach(), atol=1e-5, rtol=1e-5)
    for mine, autograds in zip(model.players()[player], same.players()[player], strict=True):
        assert mine.grad is not None and autograds.grad is not None
        torch.testing.assert_close(mine.grad, autograds.grad, atol=1e-5, rtol=1e-4)


def test_a_smooth_network_has_no_written_gradient_of_a_penalty() -> None:
    net = Mlp(2, 4, 1)
    _, tape = net.ahead(points(4))
    with pytest.raises(ValueError, match="leaky_relu"):
        net.back_penalised(tape, torch.ones(2, 1), lambda slope: slope)


def test_a_penalty_of_several_outputs_is_that_of_their_sum() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        net = Mlp(3, 8, 2, 2, "leaky_relu")
    x = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    at = x[6:].clone().requires_grad_()
    slope = torch.autograd.grad(net(at).sum(), at, create_graph=True)[0]
    expected = torch.autograd.grad(net(x[:6]).sum() + slope.pow(3).sum(), list(net.parameters()))
    _, tape = net.ahead(x.clone())
    net.back_penalised(tape, torch.ones(6, 2), lambda s: 3 * s**2)
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-5)


def test_the_field_is_the_critics_slope() -> None:
    model, x = made(), points(20).requires_grad_()
    slope = torch.autograd.grad(model.critic(x).sum(), x)[0]
    torch.testing.assert_close(model.field(x.detach(), 0.3), slope)
    torch.testing.assert_close(model.verdict(x.detach()), model.critic(x)[:, 0].detach())


def test_a_trained_critic_measures_the_wasserstein_distance() -> None:
    """Of the generator's points, held still, to the same points moved by (2, 1): that shift's length W.

    Times the slope that balances distance and penalty, at the maximum of W s - lambda (s - 1)^2: 1 + W / 2 lambda.
    """
    model = made(penalty=10.0, width=32)
    generator, shift = torch.Generator().manual_seed(0), torch.tensor([2.0, 1.0])
    optimiser = torch.optim.Adam(model.players()["critic"], 5e-3, betas=(0.0, 0.99))
    for _ in range(400):
        x = model.decode(torch.randn(256, 2, generator=generator)) + shift
        model.gradient(x, generator, "critic")
        optimiser.step()
    drawn = model.sample(Stream(0, 2000))
    distance = float((model.verdict(drawn + shift) - model.verdict(drawn)).mean())
    assert distance == pytest.approx(5**0.5 * (1 + 5**0.5 / 20), rel=0.08)


def test_a_round_is_two_turns_of_the_critic_and_one_of_the_generator() -> None:
    assert WassersteinGAN.turns.keys() == made().players().keys()
    assert WassersteinGAN.turns == {"critic": 2, "generator": 1}


def test_it_covers_every_mode_of_a_ring() -> None:
    """A mode of eight is covered if at least one in a hundred of 2500 points lies within three deviations of it."""
    model = made(width=64)
    generator = torch.Generator().manual_seed(0)
    turn = torch.arange(8) * torch.pi / 4
    modes = 2.83 * torch.stack([turn.cos(), turn.sin()], 1)
    optimisers = {
        n: torch.optim.Adam(ps, WassersteinGAN.rate, betas=WassersteinGAN.betas) for n, ps in model.players().items()
    }
    for _ in range(800):
        for player, optimiser in optimisers.items():
            for _ in range(WassersteinGAN.turns[player]):
                which = torch.randint(8, (256,), generator=generator)
                x = modes[which] + 0.3536 * torch.randn(256, 2, generator=generator)
                model.gradient(x, generator, player)
                optimiser.step()
    near = torch.cdist(model.sample(Stream(0, 2500)), modes) < 3 * 0.3536
    assert (near.float().mean(0) > 0.01).all()
    assert float(near.any(1).float().mean()) > 0.75


@pytest.mark.parametrize("player", ["critic", "generator"])
def test_the_plain_loop_trains_the_same_model(player: str) -> None:
    model, (parameters, plain_loss), x = made(width=64), plain_wgan(), points(256)
    planted(parameters["critic"], [], [model.critic])
    planted(parameters["generator"], [], [model.generator])
    with torch.random.fork_rng():
        torch.manual_seed(7)
        theirs = plain_loss(x, player).detach()
    ours = model.gradient(x, torch.Generator().manual_seed(7), player)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def drawer(seed: int = 0, **changes: object) -> PictureWassersteinGAN:
    settings = {"shape": (1, 8, 8), "latent": 3, "width": 4, "hidden": 8}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return PictureWassersteinGAN(**{**settings, **changes})  # type: ignore[arg-type]


def pictures(n: int) -> Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_losses_of_pictures_are_those_of_the_paper() -> None:
    """Gulrajani et al. 2017, equation 3, the slope taken picture by picture; the generator's is -E[D(G(z))]."""
    model, x, generator = drawer().eval(), pictures(6), torch.Generator().manual_seed(3)
    z = torch.randn(6, 3, generator=generator)
    share = torch.rand(6, 1, 1, 1, generator=generator)
    drawn, real = 2 * model.decode(z).detach() - 1, 2 * x - 1
    sizes = []
    for one in (real + share * (drawn - real)).split(1):
        slope = torch.autograd.functional.jacobian(lambda p: model.critic(p).sum(), one)
        sizes.append(slope.square().sum().sqrt())
    penalty = (torch.stack(sizes) - 1).square().mean()
    expected = model.critic(drawn).mean() - model.critic(real).mean() + 10 * penalty
    losses = {p: model.loss(x, torch.zeros(6), torch.Generator().manual_seed(3), p)[p] for p in model.players()}
    torch.testing.assert_close(losses["critic"], expected)
    torch.testing.assert_close(losses["generator"], -model.critic(drawn).mean())


def test_a_trained_critic_measures_how_far_pictures_are_moved() -> None:
    """As of points: pictures that are those of a still generator made brighter by 0.05, W = 0.1 * 8 in [-1, 1]."""
    model, generator = drawer(width=8, hidden=32), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.players()["critic"], 3e-3, betas=(0.0, 0.99))
    seen = []
    for _ in range(300):
        with torch.no_grad():
            x = model.decode(torch.randn(32, 3, generator=generator)) + 0.05
        losses = model.loss(x, torch.zeros(32), generator, "critic")
        optimiser.zero_grad()
        losses["critic"].backward()
        optimiser.step()
        seen.append(float(losses["distance"].detach()))
    assert sum(seen[-50:]) / 50 == pytest.approx(0.8 * (1 + 0.8 / 20), rel=0.15)


@pytest.mark.parametrize("player", ["critic", "generator"])
def test_the_generator_of_pictures_learns_in_its_own_turn_only(player: str) -> None:
    model = drawer()
    model.loss(pictures(8), torch.zeros(8), torch.Generator().manual_seed(0), player)[player].backward()
    assert any(p.grad is not None for p in model.generator.parameters()) == (player == "generator")


def test_only_the_generator_of_pictures_is_stored() -> None:
    model, other = drawer().eval(), drawer(1).eval()
    assert {id(v) for v in model.weights().parameters()} == {id(p) for p in model.players()["generator"]}
    other.weights().load_state_dict(model.weights().state_dict())
    assert torch.equal(other.sample(Rng(0, 3)), model.sample(Rng(0, 3)))
