"""The conditional VAE: its bounds against the integral over a plane of codes and the sum over classes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from playground.families.conditional_vae import ConditionalVAE, LabelledVAE
from playground.families.semi_supervised_vae import SemiSupervisedVAE
from playground.rng import Rng


def lively(family: type[LabelledVAE] = ConditionalVAE) -> LabelledVAE:
    """A tiny model with two latent dimensions and three classes, whose decoder varies over them."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = family.tiny()
        assert isinstance(model, LabelledVAE)
        for parameter in model.parameters():
            parameter.data += 0.5 * torch.randn(parameter.shape) / max(1, parameter.shape[-1]) ** 0.5
    last = model.encoder[-1]  # an untrained encoder: let it be unsure, so that its codes cover the plane
    last.weight.data *= 0.1
    last.bias.data = torch.tensor([0.1, -0.2, 0.2, 0.1])
    return model.eval().requires_grad_(False)


def pictures(n: int) -> Tensor:
    """Random black-and-white pictures."""
    return torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(0)).round()


def by_quadrature(model: LabelledVAE, x: Tensor, points: int = 161) -> Tensor:
    """log p(x, y), (n, classes): the sum over a grid of the whole latent plane, for each class."""
    line = torch.linspace(-6, 6, points)
    z = torch.cartesian_prod(line, line)  # (g, 2)
    prior = -0.5 * z.square().sum(1) - math.log(2 * math.pi) + 2 * math.log(12 / (points - 1))
    classes = len(model.labels)
    joint = [
        [(model.log_likelihood(one.expand(len(z), -1, -1, -1), z, torch.full((len(z),), y)) + prior) for one in x]
        for y in range(classes)
    ]
    return torch.stack([torch.stack(row).logsumexp(1) for row in joint], 1) - math.log(classes)


def test_probabilities_of_all_pictures_sum_to_one() -> None:
    """Of all pictures of four pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ConditionalVAE((1, 2, 2), ("a", "b"), latent=2, width=8, depth=1).eval().requires_grad_(False)
    x = torch.tensor([[(k >> i) & 1 for i in range(4)] for k in range(16)]).float().view(16, 1, 2, 2)
    assert abs(float(by_quadrature(model, x, 61).flatten().logsumexp(0))) < 1e-4


def test_the_estimate_is_the_integral_summed_over_the_two_likeliest_classes() -> None:
    for family in (ConditionalVAE, SemiSupervisedVAE):
        model, x = lively(family), pictures(6)
        likely = model.belief(x).topk(2, 1).indices
        exact = by_quadrature(model, x).gather(1, likely).logsumexp(1)
        result = model.log_prob(x, Rng(0, 6), importance_samples=4000)
        assert result.kind == "estimate" and result.stderr is not None
        assert ((result.nats - exact).abs() < 5 * result.stderr + 1e-3).all()
        assert float(result.stderr.max()) < 0.2


def test_its_standard_error_is_the_spread_of_independent_estimates() -> None:
    model, x = lively(), pictures(1).expand(200, -1, -1, -1)
    result = model.log_prob(x, Rng(0, 200), importance_samples=200)
    assert result.stderr is not None
    assert abs(float(result.stderr.mean() / result.nats.std()) - 1) < 0.35


def test_one_code_a_class_is_a_lower_bound() -> None:
    model, x = lively(), pictures(5)
    exact = by_quadrature(model, x).logsumexp(1)
    result = model.log_prob(x.repeat_interleave(500, 0), Rng(1, 2500))
    assert result.kind == "lower bound" and result.measure == "binary pixels"
    assert (result.nats.view(5, 500).mean(1) < exact).all()


def test_rate_and_distortion_bound_the_probability_too() -> None:
    for family in (ConditionalVAE, SemiSupervisedVAE):
        model, x = lively(family), pictures(5)
        exact = by_quadrature(model, x).logsumexp(1)
        rate, distortion = model.rate_distortion(x.repeat_interleave(500, 0), Rng(1, 2500))
        bound = -(rate + distortion).view(5, 500).mean(1)
        summed = model.log_prob(x.repeat_interleave(500, 0), Rng(1, 2500)).nats.view(5, 500).mean(1)
        assert (bound < exact).all()
        assert (bound < summed + 0.5).all(), "the sum over classes is what the best q(y|x) would give"


def test_the_rate_is_the_divergence_from_the_standard_normal() -> None:
    model, x, y = lively(), pictures(4), torch.tensor([0, 1, 2, 0])
    mean, log_std = model.posterior(x, y)
    rate, _ = model.terms(x, y, torch.zeros(4, 2))
    wanted = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, log_std.exp()), torch.distributions.Normal(0.0, 1.0)
    ).sum(1)
    torch.testing.assert_close(rate, wanted)


def test_the_belief_follows_bayes_rule() -> None:
    """With an encoder that is exact, because the decoder ignores z, the bounds are the joint probabilities."""
    model = lively()
    model.encoder[-1].weight.data.zero_()
    model.encoder[-1].bias.data.zero_()  # q(z|x, y) is the prior
    model.decoder[0].weight.data[:, 3:] = 0  # what comes of z
    x = pictures(6)
    torch.testing.assert_close(model.belief(x), by_quadrature(model, x).log_softmax(1), atol=1e-3, rtol=1e-4)


def test_standard_normal_codes_have_every_class_equally_often() -> None:
    model = lively()
    codes = Rng(0, 3000).normal(*model.latent)
    own = model.decode(codes)
    shares = []
    for y, label in enumerate(model.labels):
        same = (own == model.decode(codes, label=label)).flatten(1).all(1)
        assert torch.equal(same, codes[:, :3].argmax(1) == y)
        shares.append(float(same.float().mean()))
    assert all(abs(share - 1 / 3) < 0.03 for share in shares)


def test_a_seed_is_a_style_whatever_the_class() -> None:
    model = lively()
    z = Rng(4, 5).normal(*model.latent)[:, 3:]
    for y, label in enumerate(model.labels):
        x = model.sample(Rng(4, 5), label=label)
        torch.testing.assert_close(x, model.logits(z, torch.full((5,), y)).sigmoid())
        still = model.sample(Rng(4, 5), label=label, temperature=0.0)
        torch.testing.assert_close(still, model.decode(torch.zeros(5, 5), label=label))


def test_a_picture_is_redrawn_as_its_likeliest_class_or_as_another() -> None:
    model, x = lively(), pictures(6)
    likeliest = model.belief(x).argmax(1)
    z = model.posterior(x, likeliest)[0]
    torch.testing.assert_close(model.reconstruct(x), model.logits(z, likeliest).sigmoid())
    torch.testing.assert_close(model.reconstruct(x, label="two"), model.logits(z, torch.ones(6).long()).sigmoid())
