"""The conditional GAN: its projection, that the class counts, and that it learns to obey."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from playground.families.conditional_gan import ConditionalGAN
from playground.rng import Rng


def made(**changes: object) -> ConditionalGAN:
    settings = {"shape": (1, 8, 8), "labels": ("one", "two", "three"), "latent": 3, "width": 2, "hidden": 4}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ConditionalGAN(**{**settings, **changes})  # type: ignore[arg-type]


def pictures(n: int) -> Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_log_odds_are_a_common_part_and_a_projection_on_the_class() -> None:
    """Miyato and Koyama 2018, equation 3: y V phi(x) + psi(phi(x)), with phi what the last layer is given."""
    model, x, y = made(), pictures(8), torch.arange(8) % 3
    last = model.discriminator.verdict[-1]
    given: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0]))
    odds = model.log_odds(x, y)
    hook.remove()
    (phi,) = given
    weight, bias = last.weight, last.bias
    expected = phi @ weight[0] + bias[0] + (phi * weight[1:][y]).sum(1) + bias[1:][y]
    torch.testing.assert_close(odds, expected)


def test_a_discriminator_that_knows_the_class_tells_a_wrong_one() -> None:
    model, x, y = made(), pictures(8), torch.zeros(8, dtype=torch.int64)
    assert (model.log_odds(x, y) != model.log_odds(x, y + 1)).all()


def test_losses_are_those_of_the_paper() -> None:
    """-log D(x|y) - log(1 - D(G(z|y)|y)), and the non-saturating -log D(G(z|y)|y) (their equation 2)."""
    model, x, y = made(penalty=0.0).eval(), pictures(8), torch.arange(8) % 3
    fake = model.draw(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), y)
    d_fake, d_real = model.log_odds(fake, y).sigmoid(), model.log_odds(x, y).sigmoid()
    losses = {p: model.loss(x, y, torch.Generator().manual_seed(0), p)[p] for p in model.players()}
    torch.testing.assert_close(losses["generator"], -d_fake.log().mean())
    torch.testing.assert_close(losses["discriminator"], -d_real.log().mean() - (1 - d_fake).log().mean())


def test_a_code_holds_its_class_which_a_label_overrules() -> None:
    model = made().eval()
    z = torch.randn(6, *model.latent, generator=torch.Generator().manual_seed(3))
    y = z[:, :3].argmax(1)
    own = model.decode(z)
    torch.testing.assert_close(own, model.draw(z[:, 3:], y))
    told = model.decode(z, label="three")
    torch.testing.assert_close(told, model.draw(z[:, 3:], torch.full((6,), 2)))


def test_classes_of_codes_are_equally_frequent() -> None:
    model = made(labels=tuple("0123456789"))
    drawn = Rng(0, 4000).normal(*model.latent)[:, :10].argmax(1).bincount() / 4000
    assert float((drawn - 0.1).abs().max()) < 4 * (0.09 / 4000) ** 0.5


def test_temperature_leaves_the_class_alone() -> None:
    model = made().eval()
    z = Rng(5, 20).normal(*model.latent)
    y = z[:, :3].argmax(1)
    torch.testing.assert_close(model.sample(Rng(5, 20), temperature=0.0), model.draw(torch.zeros(20, 3), y))


def test_it_learns_to_draw_what_is_asked_for() -> None:
    """Classes that differ in brightness, 0.1, 0.5 and 0.9: after a short training each is nearest to its own."""
    model, generator = made(width=4, hidden=16), torch.Generator().manual_seed(0)
    optimisers = {name: torch.optim.Adam(ps, 0.01, betas=(0.0, 0.99)) for name, ps in model.players().items()}
    levels = torch.tensor([0.1, 0.5, 0.9])
    for _ in range(150):
        y = torch.randint(3, (16,), generator=generator)
        x = levels[y][:, None, None, None].expand(16, 1, 8, 8) + 0.05 * torch.rand(16, 1, 8, 8, generator=generator)
        for player, optimiser in optimisers.items():
            optimiser.zero_grad()
            model.loss(x, y, generator, player)[player].backward()
            optimiser.step()
    model.eval()
    for wanted, label in enumerate(model.labels):
        brightness = model.sample(Rng(0, 64), label=label).mean((1, 2, 3))
        nearest = (brightness[:, None] - levels).abs().argmin(1)
        assert float((nearest == wanted).float().mean()) > 0.9


def test_only_the_generator_is_stored() -> None:
    model = made()
    assert {id(v) for v in model.weights().parameters()} == {id(p) for p in model.players()["generator"]}


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_the_generator_learns_in_its_own_turn_only(player: str) -> None:
    model = made()
    model.loss(pictures(8), torch.arange(8) % 3, torch.Generator().manual_seed(0), player)[player].backward()
    moved = any(p.grad is not None for p in model.generator.parameters())
    assert moved == (player == "generator")
