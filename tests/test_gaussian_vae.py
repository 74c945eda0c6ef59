"""The VAE for points: its bound and its estimate against the integral over the latent plane, and what it learns."""

from __future__ import annotations

import math

import pytest
import torch
from plain import plain_vae, planted
from torch import Tensor

from playground.families.vae import GaussianVAE
from playground.rng import Rng, Stream


def lively() -> GaussianVAE:
    """A tiny VAE whose decoder varies over the plane and whose encoder is unsure, so that its codes cover the plane."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = GaussianVAE.tiny()
        for parameter in model.parameters():
            parameter.data += 0.4 * torch.randn(parameter.shape)
    model.encoder.weights[-1].data *= 0.1
    return model.eval().requires_grad_(False)


def points(n: int) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0))


def by_quadrature(model: GaussianVAE, x: Tensor, cells: int = 120) -> Tensor:
    """Log p(x), (n,): a mixture of one Gaussian for each place of a grid of the whole latent plane."""
    line = torch.linspace(-6, 6, cells + 1)
    z = torch.cartesian_prod(line, line)
    prior = -0.5 * z.square().sum(1) - math.log(2 * math.pi) + 2 * math.log(12 / cells)
    normal = torch.distributions.Normal(model.decoder(z), model.log_scale.exp())
    return torch.stack([(normal.log_prob(one).sum(1) + prior).logsumexp(0) for one in x])


def test_the_bound_lies_below_the_exact_value() -> None:
    model, x = lively(), points(20)
    result = model.log_prob(x, Stream(0, 20), samples=2000)
    assert result.kind == "lower bound" and result.measure == "continuous" and result.stderr is not None
    gap = by_quadrature(model, x) - result.nats
    assert (gap > -4 * result.stderr - 1e-3).all()
    assert float(gap.mean()) > 0.01, "an untrained encoder is not exact"


def test_the_weighted_estimate_is_the_exact_value() -> None:
    model, x = lively(), points(20)
    result = model.log_prob(x, Stream(0, 20), samples=4000, weighted=True)
    assert result.kind == "estimate" and result.stderr is not None
    assert ((result.nats - by_quadrature(model, x)).abs() < 5 * result.stderr + 1e-3).all()
    assert float(result.stderr.max()) < 0.2


def test_the_exact_value_is_a_density() -> None:
    line = torch.linspace(-12, 12, 49)
    nats = by_quadrature(lively(), torch.cartesian_prod(line, line), 40)
    assert float(nats.exp().sum()) * 0.5**2 == pytest.approx(1, abs=0.01)


def test_a_bound_of_few_codes_is_right_on_average() -> None:
    model, x = lively(), points(1).expand(3000, -1)
    few, many = (model.log_prob(x, Stream(1, 3000), samples=k) for k in (1, 50))
    assert few.stderr is not None and many.stderr is not None
    error = float((few.nats.var() / 3000 + many.nats.var() / 3000).sqrt())
    assert float(few.nats.mean()) == pytest.approx(float(many.nats.mean()), abs=5 * error)
    assert float(many.stderr.mean()) == pytest.approx(float(many.nats.std()), rel=0.15)


def test_one_code_has_a_bound_but_no_error() -> None:
    result = lively().log_prob(points(4), Rng(0, 4), samples=1)
    assert result.nats.isfinite().all() and result.stderr is not None and not result.stderr.any()


def test_samples_have_the_noise_of_the_density_unless_told_otherwise() -> None:
    model = lively()
    noisy, plain = (model.sample(Stream(5, 4000), noise=noise) for noise in (True, False))
    z = Stream(5, 4000).normal(2)
    assert torch.equal(plain, model.decode(z))
    torch.testing.assert_close((noisy - plain).std(0), model.log_scale.exp(), rtol=0.05, atol=0)


def test_a_path_is_a_code_and_its_datum() -> None:
    model, z = lively(), points(3)
    path = model.carry(z)
    assert path.shape == (2, 3, 2)
    assert torch.equal(path[0], z) and torch.equal(path[1], model.decode(z))


def test_the_scales_learn_the_spread_that_codes_cannot_say() -> None:
    """Data of one Gaussian: the bound becomes tight, so the loss reaches the entropy."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GaussianVAE(width=16, depth=1)
    generator = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    losses = []
    for _ in range(400):
        x = 0.5 * torch.randn(256, 2, generator=generator)
        losses.append(float(model.gradient(x, generator, "model")))
        optimiser.step()
    entropy = 1 + math.log(2 * math.pi * 0.25)
    assert sum(losses[-100:]) / 100 == pytest.approx(entropy, abs=0.05)


def test_the_plain_loop_trains_the_same_model() -> None:
    """The same weights and noise give the same loss and gradients."""
    model, (parameters, plain_loss), x = GaussianVAE(), plain_vae(), points(256)
    planted(parameters, [model.log_scale], [model.encoder, model.decoder])
    with torch.random.fork_rng():
        torch.manual_seed(7)
        theirs = plain_loss(x)
    ours = model.gradient(x, torch.Generator().manual_seed(7), "model")
    theirs.backward()
    torch.testing.assert_close(ours, theirs.detach(), atol=1e-5, rtol=1e-5)
    assert model.log_scale.grad is not None and parameters[0].grad is not None
    torch.testing.assert_close(model.log_scale.grad, parameters[0].grad, atol=1e-5, rtol=1e-4)
