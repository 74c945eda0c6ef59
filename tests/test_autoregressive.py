"""The autoregressive mixture: density, samples and gradient, against zuko, autograd and a plain PyTorch version."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from plain import plain_autoregressive, planted
from torch import Tensor
from torch.distributions import Normal
from zuko.distributions import Mixture

from playground.families.autoregressive import NARROWEST, WIDEST, AutoregressiveMixture
from playground.lab.targets import targets
from playground.lab.trainer import Trainer
from playground.rng import Rng, Stream


def lively(size: float = 0.2, **settings: int) -> AutoregressiveMixture:
    """With weights that are all at work."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoregressiveMixture(**settings)
        for p in model.parameters():
            p.data += size * torch.randn(p.shape)
    return model.eval().requires_grad_(False)


def points(n: int, seed: int = 1, d: int = 2) -> Tensor:
    return 2 * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def integral(model: AutoregressiveMixture) -> tuple[float, float]:
    """Of the density over the plane, and of minus its logarithm times it, the entropy."""
    axis = torch.linspace(-20, 20, 801)
    grid = torch.cartesian_prod(axis, axis)
    parts = [model.log_prob(some, Stream(0, len(some))).nats.double() for some in grid.split(50_000)]
    nats = torch.cat(parts)
    cell = float(axis[1] - axis[0]) ** 2
    return cell * float(nats.exp().sum()), -cell * float((nats.exp() * nats).sum())


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_density_is_that_of_zukos_mixtures(d: int) -> None:
    model, x = lively(shape=(d,)), points(1000, d=d)
    expected = torch.zeros(1000)
    for i in range(d):
        log_weight, mean, log_scale = model.conditional(x[:, :i])
        expected += Mixture(Normal(mean, log_scale.exp()), log_weight).log_prob(x[:, i])
    torch.testing.assert_close(model.log_prob(x, Rng(0, 1000)).nats, expected, atol=1e-3, rtol=1e-5)


def test_the_plain_version_has_the_same_loss_and_gradient() -> None:
    model = lively(0.1).requires_grad_(True)
    parameters, plain = plain_autoregressive()
    planted(parameters, [model.first], model.nets)
    x = points(256)
    value = plain(x)
    value.backward()
    torch.testing.assert_close(model.gradient(x, torch.Generator(), "model"), value.detach(), atol=1e-5, rtol=1e-5)
    for one, other in zip((model.first.grad, model.nets[0].weights[0].grad.T), parameters, strict=False):
        torch.testing.assert_close(one, other.grad, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_the_gradient_is_autograds_in_any_dimension(d: int) -> None:
    model = lively(0.1, shape=(d,), components=5).double().requires_grad_(True)
    x = points(40, d=d).double()
    model.loss(x, torch.zeros(40), torch.Generator(), "model")["nats"].backward()
    expected = [p.grad.clone() for p in model.parameters()]
    model.gradient(x, torch.Generator(), "model")
    for p, grad in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(p.grad, grad, atol=1e-9, rtol=1e-9)


def test_the_density_integrates_to_one_and_samples_follow_it() -> None:
    model, n = lively(0.05), 20_000
    mass, entropy = integral(model)
    assert mass == pytest.approx(1, abs=0.01)
    x = model.sample(Stream(0, n))
    nats = model.log_prob(x, Stream(0, n)).nats.double()
    assert -float(nats.mean()) == pytest.approx(entropy, abs=5 * float(nats.std()) / n**0.5)


def test_a_number_does_not_depend_on_those_after_it() -> None:
    model, x = lively(shape=(3,)), points(5, d=3)
    other = x.clone()
    other[:, 2] += 1
    for i in range(3):
        pairs = zip(model.conditional(x[:, :i]), model.conditional(other[:, :i]), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_no_component_is_narrower_or_wider_than_it_may_be() -> None:
    model = lively(100.0)
    _, _, log_scale = model.conditional(points(100)[:, :1])
    assert float(log_scale.exp().min()) >= NARROWEST * 0.999 and float(log_scale.exp().max()) <= WIDEST * 1.001


@pytest.mark.parametrize(("name", "least"), [("ring", 0.05), ("checkerboard", 0.15)])
def test_it_learns(name: str, least: float) -> None:
    target = targets()[name]
    x, new = (torch.from_numpy(target.sample(10_000, np.random.default_rng(seed))) for seed in (0, 1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trainer = Trainer(AutoregressiveMixture(), x, seed=0)
    trainer.advance_steps(1000)
    nats = trainer.shown().log_prob(new, Stream(0, 10_000)).nats
    kl = target.log_prob(new.numpy()).mean() - float(nats.double().mean())
    assert -0.01 < kl < least


@pytest.mark.parametrize("data", [torch.ones(300, 2), 100 * torch.randn(300, 2, generator=torch.Generator())])
def test_training_on_impossible_data_stays_finite(data: Tensor) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trainer = Trainer(AutoregressiveMixture(components=4, width=16), data, seed=0, rate_factor=10)
    trainer.advance_steps(300)
    assert not trainer.trouble
    assert all(p.isfinite().all() for p in trainer.model.parameters())


def test_a_copy_learns_by_itself() -> None:
    model = AutoregressiveMixture.tiny()
    twin = copy.deepcopy(model)
    model.gradient(points(8), torch.Generator(), "model")
    assert all(p.grad is None for p in twin.parameters())


def test_a_shape_it_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="must be"):
        AutoregressiveMixture(shape=(1, 4, 4))
