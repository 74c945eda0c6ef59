"""The VAE: its bound and its importance-weighted estimate, against the integral over a latent of two dimensions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from playground.families.vae import VAE, _rate
from playground.rng import Rng


def lively(size: float = 0.5) -> VAE:
    """A tiny VAE with two latent dimensions and a decoder that varies over them."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = VAE.tiny()
        for parameter in model.parameters():
            parameter.data += size * torch.randn(parameter.shape) / max(1, parameter.shape[-1]) ** 0.5
    last = model.encoder[-1]  # an untrained encoder: let it be unsure, so that its codes cover the plane
    last.weight.data *= 0.1
    last.bias.data = torch.tensor([0.1, -0.2, 0.2, 0.1])
    return model.eval().requires_grad_(False)


def pictures(n: int) -> Tensor:
    """Random black-and-white pictures."""
    return torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(0)).round()


def grid(points: int) -> tuple[Tensor, Tensor]:
    """Places all over the latent plane, (g, 2), and the log of the prior's mass around each, (g,)."""
    line = torch.linspace(-6, 6, points)
    z = torch.cartesian_prod(line, line)
    return z, -0.5 * z.square().sum(1) - math.log(2 * math.pi) + 2 * math.log(12 / (points - 1))


def by_quadrature(model: VAE, x: Tensor, points: int = 161) -> Tensor:
    """log p(x), (n,): the sum over a grid of the whole latent plane."""
    z, prior = grid(points)
    joint = torch.stack([model.log_likelihood(one.expand(len(z), -1, -1, -1), z) + prior for one in x])  # (n, g)
    return joint.logsumexp(1)


def test_probabilities_of_pictures_sum_to_those_of_their_parts() -> None:
    """Over all 256 lower halves under one upper half: to the probability of that upper half."""
    model, (z, prior) = lively(), grid(61)
    halves = torch.tensor([[(k >> i) & 1 for i in range(8)] for k in range(256)])
    x = torch.cat([torch.zeros(256, 8), halves.float()], 1).view(256, 1, 4, 4)
    black = -torch.nn.functional.softplus(model.logits(z).flatten(1)[:, :8]).sum(1)  # (g,): the upper half, given z
    assert float(prior.logsumexp(0)) == pytest.approx(0, abs=1e-4)
    summed = by_quadrature(model, x, 61).logsumexp(0)
    torch.testing.assert_close(summed, (prior + black).logsumexp(0), atol=1e-4, rtol=0)


def test_the_importance_weighted_estimate_is_the_integral() -> None:
    model, x = lively(), pictures(6)
    exact = by_quadrature(model, x)
    result = model.log_prob(x, Rng(0, 6), importance_samples=5000)
    assert result.kind == "estimate" and result.stderr is not None
    assert ((result.nats - exact).abs() < 5 * result.stderr + 1e-3).all()
    assert float(result.stderr.max()) < 0.2


def test_its_standard_error_is_the_spread_of_independent_estimates() -> None:
    model, x = lively(), pictures(1)
    results = [model.log_prob(x, Rng(seed, 1), importance_samples=300) for seed in range(150)]
    spread = torch.cat([r.nats for r in results]).std()
    stated = torch.stack([r.stderr for r in results if r.stderr is not None]).mean()
    assert float(stated) == pytest.approx(float(spread), rel=0.35)


def test_the_bound_rises_with_the_number_of_codes_to_the_integral() -> None:
    model, x = lively(), pictures(1).expand(400, -1, -1, -1)  # one picture, 400 independent estimates of it
    exact = float(by_quadrature(model, x[:1]))
    means, errors = [], []
    for k in (1, 2, 10, 200):
        nats = model.log_prob(x, Rng(1, 400), importance_samples=k).nats
        means.append(float(nats.mean()))
        errors.append(float(nats.std()) / 20)
    for lower, higher, e, f in zip(means, means[1:], errors, errors[1:], strict=False):
        assert lower < higher + 3 * math.hypot(e, f)
    assert means[0] < means[2] < means[3] < exact + 3 * errors[3]
    assert means[3] == pytest.approx(exact, abs=0.1)


def test_one_code_is_a_lower_bound_with_an_exact_rate() -> None:
    model, x = lively(), pictures(5)
    bound = model.log_prob(x, Rng(0, 5))
    assert bound.kind == "lower bound" and bound.measure == "binary pixels"
    mean, log_std = model.posterior(x)
    z = mean + log_std.exp() * Rng(0, 5).normal(2)
    torch.testing.assert_close(bound.nats, model.log_likelihood(x, z) - _rate(mean, log_std))
    many = x.repeat_interleave(500, 0)
    average = model.log_prob(many, Rng(1, 2500)).nats.view(5, 500).mean(1)
    assert (average < by_quadrature(model, x)).all()


@pytest.mark.parametrize("codes", [40, 5000])
def test_the_estimate_does_not_depend_on_how_many_pictures_are_asked_for_at_once(codes: int) -> None:
    model, x = lively(), pictures(9)
    together = model.log_prob(x, Rng(2, 9), importance_samples=codes).nats
    alone = model.log_prob(x[7:8], Rng(2, 9).pick([7]), importance_samples=codes).nats
    torch.testing.assert_close(alone, together[7:8])


def test_the_rate_is_the_divergence_from_the_standard_normal() -> None:
    mean = torch.tensor([[0.0, 0.0], [1.0, -2.0], [0.3, 0.1]], dtype=torch.float64)
    log_std = torch.tensor([[0.0, 0.0], [0.5, -1.0], [-2.0, 1.0]], dtype=torch.float64)
    q = torch.distributions.Normal(mean, log_std.exp())
    p = torch.distributions.Normal(torch.zeros(2, dtype=torch.float64), 1.0)
    torch.testing.assert_close(_rate(mean, log_std), torch.distributions.kl_divergence(q, p).sum(1))
    n = 100_000
    z = mean + log_std.exp() * torch.randn(n, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    draws = (q.log_prob(z) - p.log_prob(z)).sum(2)  # (n, 3)
    assert ((draws.mean(0) - _rate(mean, log_std)).abs() < 5 * draws.std(0) / math.sqrt(n) + 1e-9).all()


def test_the_weight_of_the_rate_grows_to_one() -> None:
    model = VAE(shape=(1, 4, 4), latent=2, width=8, depth=1, warmup=4)
    x, weights = torch.full((8, 1, 4, 4), 0.5), []
    for step in range(6):
        losses = model.loss(x, torch.zeros(8), torch.Generator().manual_seed(step), "model")
        weights.append(((losses["loss"] - losses["distortion"]) / losses["rate"]).item())
        torch.testing.assert_close(losses["nats"], losses["distortion"] + losses["rate"])
    assert weights == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1], abs=1e-3)


def test_greys_are_binarised_at_one_half_to_be_judged() -> None:
    model = lively()
    x = torch.rand(4, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model.log_prob(x, Rng(0, 4)).nats, model.log_prob(x.round(), Rng(0, 4)).nats)
