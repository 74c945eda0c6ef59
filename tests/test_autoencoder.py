"""The autoencoder: it gives data back, through a curve where its code is one number, and is no generative model."""

from __future__ import annotations

import pytest
import torch
from plain import plain_autoencoder, planted
from torch import Tensor

from playground.capabilities import Density, Model, Samples, why_not
from playground.data import digits
from playground.families.autoencoder import Autoencoder, ImageAutoencoder


def ring(n: int, generator: torch.Generator) -> Tensor:
    """Points near a circle of radius two."""
    turn = 2 * torch.pi * torch.rand(n, generator=generator)
    return 2 * torch.stack([turn.cos(), turn.sin()], 1) + 0.05 * torch.randn(n, 2, generator=generator)


def trained(latent: int, steps: int = 300) -> tuple[Autoencoder, float]:
    """A small autoencoder of a ring, and its squared error on new data."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = Autoencoder(latent=latent, width=32)
    generator = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        model.gradient(ring(256, generator), generator, "model")
        optimiser.step()
    x = ring(1000, generator)
    return model, float((model.reconstruct(x) - x).square().mean())


def test_two_numbers_hold_a_point_and_one_holds_a_place_on_a_curve() -> None:
    (_, whole), (_, curve) = trained(2), trained(1)
    assert whole < 0.01
    assert whole < curve < 0.5, "a curve passes near the ring, though it is not closed"


def test_what_comes_back_through_one_number_lies_on_one_curve() -> None:
    model, _ = trained(1, steps=50)
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(3))
    codes = model.encode(x)
    assert codes.shape == (500, 1)
    order = codes[:, 0].argsort()
    steps = model.reconstruct(x)[order].diff(dim=0).norm(dim=1)
    assert float(steps.max()) < 1.0, "neighbouring codes give neighbouring points"


@pytest.mark.parametrize("family", [Autoencoder, ImageAutoencoder])
@pytest.mark.parametrize("needed", [Samples, Density])
def test_it_says_why_it_is_no_generative_model(needed: type[Model], family: type[Model]) -> None:
    reason = why_not(family, needed)
    assert reason is not None and "autoencoder" in reason


def test_the_plain_loop_trains_the_same_model() -> None:
    model, (parameters, plain_loss) = Autoencoder(), plain_autoencoder()
    planted(parameters, [], [model.encoder, model.decoder])
    x = torch.randn(256, 2, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(model.gradient(x, torch.Generator(), "model"), plain_loss(x).detach())


def test_two_numbers_redraw_pictures_better_than_two_principal_components() -> None:
    """Scikit-learn's 8x8 digits, of which a code of two numbers keeps more if it may bend."""
    x = torch.as_tensor(digits.read("train")[0]).float() / 255
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ImageAutoencoder((1, 8, 8), latent=2, width=64, depth=1)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        batch = x[torch.randint(len(x), (200,), generator=generator)]
        loss = model.loss(batch, torch.zeros(200), generator, "model")["squared error"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    flat = (x - x.mean(0)).flatten(1)
    left = torch.linalg.svdvals(flat)[2:].square().sum() / len(x)  # what two components lose, exactly
    model.eval().requires_grad_(False)
    assert float((model.reconstruct(x) - x).square().flatten(1).sum(1).mean()) < float(left)
    codes = model.encode(x)
    assert float(codes.mean(0).abs().max()) < 0.3 and float((codes.std(0) - 1).abs().max()) < 0.3
