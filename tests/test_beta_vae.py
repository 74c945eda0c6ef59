"""The beta-VAE: the VAE with a weight, in training only."""

from __future__ import annotations

import pytest
import torch

from playground.families.beta_vae import BetaVAE
from playground.families.vae import VAE
from playground.rng import Rng


def pair(beta: float, warmup: int = 0) -> tuple[BetaVAE, VAE]:
    """A beta-VAE and a VAE with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BetaVAE((1, 4, 4), 2, beta, 16, 1, warmup)
        plain = VAE((1, 4, 4), 2, 16, 1, warmup)
    plain.load_state_dict(model.vae.state_dict())
    return model, plain


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0])
def test_the_loss_weighs_the_rate(beta: float) -> None:
    model, plain = pair(beta)
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    losses = model.loss(x, torch.zeros(8), torch.Generator().manual_seed(0), "model")
    theirs = plain.loss(x, torch.zeros(8), torch.Generator().manual_seed(0), "model")
    torch.testing.assert_close(losses["loss"], theirs["distortion"] + beta * theirs["rate"])
    torch.testing.assert_close(losses["nats"], theirs["nats"])


def test_the_weight_grows_from_zero() -> None:
    model, _ = pair(4.0, warmup=4)
    x, weights = torch.full((8, 1, 4, 4), 0.5), []
    for step in range(6):
        losses = model.loss(x, torch.zeros(8), torch.Generator().manual_seed(step), "model")
        weights.append(((losses["loss"] - losses["distortion"]) / losses["rate"]).item())
    assert weights == pytest.approx([1, 2, 3, 4, 4, 4], abs=4e-3)


def test_its_probabilities_are_the_vaes() -> None:
    model, plain = pair(4.0)
    x = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(1)).round()
    for k in (1, 50):
        ours, theirs = (m.log_prob(x, Rng(0, 3), importance_samples=k) for m in (model, plain))
        assert ours.kind == theirs.kind and torch.equal(ours.nats, theirs.nats)


def test_a_dearer_code_says_less() -> None:
    rates = {}
    for beta in (0.2, 6.0):
        model, _ = pair(beta)
        generator = torch.Generator().manual_seed(0)
        optimiser = torch.optim.Adam(model.parameters(), 5e-3)
        bright = (
            torch.rand(256, 1, 1, 1, generator=generator).round().expand(-1, 1, 4, 4)
        )  # one bit: all white or black
        for _ in range(100):
            losses = model.loss(bright, torch.zeros(256), generator, "model")
            optimiser.zero_grad()
            losses["loss"].backward()
            optimiser.step()
        rates[beta] = losses["rate"].item()
    assert rates[6.0] < rates[0.2]
