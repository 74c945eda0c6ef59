"""The GAN: two players who train in turns, and the one of them that is kept."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from playground.families.gan import EVERY, GAN
from playground.rng import Rng


def pictures(n: int) -> Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def made(seed: int = 0) -> GAN:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GAN.tiny()


def loss(model: GAN, player: str, x: Tensor, seed: int = 0) -> dict[str, Tensor]:
    return model.loss(x, torch.zeros(len(x)), torch.Generator().manual_seed(seed), player)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_players_move_changes_that_player_alone(player: str) -> None:
    model = made()
    optimiser = torch.optim.Adam(model.players()[player], 0.1)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    loss(model, player, pictures(8))[player].backward()
    optimiser.step()
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    own = {id(p) for p in model.players()[player]}
    assert moved == {n for n, p in model.named_parameters() if id(p) in own}


def test_the_generator_learns_nothing_while_the_discriminator_moves() -> None:
    model = made()
    loss(model, "discriminator", pictures(8))["discriminator"].backward()
    assert all(p.grad is None for p in model.generator.parameters())


def test_the_discriminator_gets_better_and_the_generator_answers() -> None:
    model = made()
    optimisers = {name: torch.optim.Adam(ps, 0.02) for name, ps in model.players().items()}
    bright = 0.9 + 0.1 * pictures(16)

    def play(player: str, rounds: int) -> list[float]:
        seen = []
        for step in range(rounds):
            optimisers[player].zero_grad()
            value = loss(model, player, bright, step)[player]
            value.backward()
            optimisers[player].step()
            seen.append(float(value.detach()))
        return seen

    learnt, answered = play("discriminator", 40), play("generator", 40)
    assert learnt[-1] < learnt[0] - 0.1
    assert answered[-1] < answered[0] - 0.1


def test_losses_are_those_of_the_paper() -> None:
    """The discriminator's -log D(x) - log(1 - D(G(z))), and the non-saturating -log D(G(z)) of the generator."""
    x = pictures(8)
    model = made(1).eval()
    model.penalty = 0.0
    fake = model.decode(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)))
    d_fake, d_real = model.discriminator(fake).sigmoid(), model.discriminator(x).sigmoid()
    torch.testing.assert_close(loss(model, "generator", x)["generator"], -d_fake.log().mean())
    expected = -d_real.log().mean() - (1 - d_fake).log().mean()
    torch.testing.assert_close(loss(model, "discriminator", x)["discriminator"], expected)


def test_only_the_generator_is_stored() -> None:
    model = made().eval()
    stored = model.weights().state_dict()
    assert {id(v) for v in model.weights().parameters()} == {id(p) for p in model.players()["generator"]}
    other = made(1).eval()
    other.weights().load_state_dict(stored)
    assert torch.equal(other.sample(Rng(0, 3)), model.sample(Rng(0, 3)))


def spread(model: GAN, x: Tensor) -> Tensor:
    """What the verdict is told of the batch's spread, (n,)."""
    told: list[Tensor] = []
    verdict = model.discriminator.verdict
    hook = verdict.register_forward_pre_hook(lambda module, inputs: told.append(inputs[0][:, -1].detach()))
    model.discriminator(x)
    hook.remove()
    return told[0]


def test_the_discriminator_sees_the_spread_of_every_four_pictures() -> None:
    model, x = made().eval(), pictures(8)
    same = torch.cat([x[:1].expand(4, -1, -1, -1), x[4:]])
    seen = spread(model, same)
    assert float(seen[:4].abs().max()) < 1e-3 < float(seen[4])
    assert len(seen[4:].unique()) == 1
    features = model.discriminator.critic(2 * same - 1)[4:]
    torch.testing.assert_close(seen[4], features.std(0, correction=0).mean().detach())


def test_a_batch_that_is_no_multiple_of_four_is_one_group() -> None:
    model, x = made().eval(), pictures(7)
    features = model.discriminator.critic(2 * x - 1)
    seen = spread(model, x)
    torch.testing.assert_close(seen, features.std(0, correction=0).mean().detach().expand(7))


def test_the_slope_at_real_pictures_is_penalised() -> None:
    """R1, one step in ``EVERY`` bearing it for all: gamma/2 times the mean squared slope (their equation 9)."""
    model, x = made().eval(), pictures(8).requires_grad_()
    slope = torch.autograd.grad(model.discriminator(x).sum(), x)[0].square().sum((1, 2, 3)).mean()
    x = x.detach()
    with_it = torch.stack([loss(model, "discriminator", x, seed)["discriminator"].detach() for seed in range(200)])
    model.penalty = 0.0
    without = torch.stack([loss(model, "discriminator", x, seed)["discriminator"].detach() for seed in range(200)])
    extra = with_it - without
    due = extra > 1e-6
    assert 0.15 < float(due.float().mean()) < 0.35
    torch.testing.assert_close(extra[due].mean(), EVERY * 0.25 / 2 * slope, rtol=1e-4, atol=1e-6)
