"""RealNVP: its map, inverse, log-determinant and gradient, against autograd, zuko and a plain PyTorch version."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from plain import plain_realnvp, planted
from torch import Tensor
from zuko.transforms import CouplingTransform, MonotonicAffineTransform

from playground.families.realnvp import RealNVP
from playground.lab.targets import targets
from playground.lab.trainer import Trainer
from playground.rng import Rng, Stream


def lively(size: float = 0.2, **settings: int) -> RealNVP:
    """With weights that are all at work."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = RealNVP(**settings)
        for p in model.parameters():
            p.data += size * torch.randn(p.shape)
    return model.eval().requires_grad_(False)


def points(n: int, seed: int = 1, d: int = 2) -> Tensor:
    return 2 * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def ring(n: int, seed: int) -> Tensor:
    return torch.from_numpy(targets()["ring"].sample(n, np.random.default_rng(seed)))


def test_the_log_determinant_is_that_of_autograds_jacobian() -> None:
    model = lively().double()
    x = points(50).double()
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda p: model.forward_map(p[None])[0][0], p) for p in x]
    )
    sign, expected = torch.linalg.slogdet(jacobian)
    assert (sign == 1).all()
    torch.testing.assert_close(model.forward_map(x)[1], expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("shape", [(2,), (3,), (5,)])
def test_data_and_noise_are_one_to_one(shape: tuple[int]) -> None:
    model = lively(0.05, shape=shape).double()
    x = points(1000, d=shape[0]).double()
    torch.testing.assert_close(model.decode(model.encode(x)), x, atol=1e-8, rtol=0)
    torch.testing.assert_close(model.encode(model.decode(x)), x, atol=1e-8, rtol=0)


def test_the_map_is_zukos_couplings() -> None:
    model, x = lively(), points(1000)
    z, log_det = x, torch.zeros(1000)
    for i, net in enumerate(model.nets):

        def affine(known: Tensor, net: torch.nn.Module = net) -> MonotonicAffineTransform:
            bend, shift = net(known).chunk(2, 1)
            transform = MonotonicAffineTransform(shift, bend)
            transform.scale = bend.tanh().exp()  # our bound of the log-scale; its formulas
            transform.log_scale = bend.tanh()
            return torch.distributions.transforms.IndependentTransform(transform, 1)

        coupling = CouplingTransform(affine, torch.tensor([i % 2 == 0, i % 2 == 1]))
        z, ladj = coupling.call_and_ladj(z)
        log_det = log_det + ladj
    ours = model.log_prob(x, Rng(0, 1000)).nats
    noise = torch.distributions.Normal(0.0, 1.0)
    torch.testing.assert_close(model.encode(x), z, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours, noise.log_prob(z).sum(1) + log_det, atol=1e-3, rtol=1e-4)


def test_the_plain_version_has_the_same_loss_and_gradient() -> None:
    model = lively(0.1).requires_grad_(True)
    parameters, plain = plain_realnvp()
    planted(parameters, [], model.nets)
    x = points(256)
    value = plain(x)
    value.backward()
    ours = model.gradient(x, torch.Generator(), "model")
    torch.testing.assert_close(ours, value.detach(), atol=1e-5, rtol=1e-5)
    both = zip(model.nets[0].weights, parameters[::2], strict=False)
    for weight, theirs in both:
        torch.testing.assert_close(weight.grad.T, theirs.grad, atol=1e-5, rtol=1e-4)


def test_the_density_integrates_to_one() -> None:
    model = lively(0.02)
    axis = torch.linspace(-12, 12, 481)
    grid = torch.cartesian_prod(axis, axis)
    cell = float(axis[1] - axis[0]) ** 2
    total = cell * float(model.log_prob(grid, Stream(0, len(grid))).nats.double().exp().sum())
    assert total == pytest.approx(1, abs=0.01)


def test_an_untrained_one_is_the_standard_normal() -> None:
    x = points(20)
    expected = -x.square().sum(1) / 2 - math.log(2 * math.pi)
    torch.testing.assert_close(RealNVP.tiny().log_prob(x, Rng(0, 20)).nats, expected)


def test_a_path_is_what_refining_shows() -> None:
    model = lively()
    path = model.carry(Rng(5, 3).normal(2))
    shown = torch.stack([state.x for state in model.refine(Rng(5, 3))])
    assert len(path) == len(model.nets) + 1
    torch.testing.assert_close(path, shown)
    moved = (path[1:] - path[:-1]).abs().amax(1)
    assert (moved.min(1).values == 0).all(), "a coupling moves along one axis"
    assert (moved.max(1).values > 0).all()


def test_it_learns_eight_gaussians() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trainer = Trainer(RealNVP(), ring(10_000, 0), seed=0)
    trainer.advance_steps(800)
    x = ring(20_000, 1)
    nats = trainer.shown().log_prob(x, Stream(0, len(x))).nats
    kl = targets()["ring"].log_prob(x.numpy()).mean() - float(nats.double().mean())
    assert -0.01 < kl < 0.25
    back = trainer.shown().reconstruct(x)
    torch.testing.assert_close(back, x, atol=1e-4, rtol=0)


@pytest.mark.parametrize("data", [torch.ones(300, 2), 100 * torch.randn(300, 2, generator=torch.Generator())])
def test_training_on_impossible_data_stays_finite(data: Tensor) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trainer = Trainer(RealNVP(couplings=4, width=16), data, seed=0, rate_factor=10)
    trainer.advance_steps(300)
    assert not trainer.trouble
    assert all(p.isfinite().all() for p in trainer.model.parameters())


def test_a_copy_learns_by_itself() -> None:
    model = RealNVP.tiny()
    twin = copy.deepcopy(model)
    model.gradient(points(8), torch.Generator(), "model")
    assert all(p.grad is None for p in twin.parameters())
    twin.nets[0].biases[-1].data += 1
    assert not torch.equal(twin.encode(points(8)), model.encode(points(8)))


def test_a_shape_it_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        RealNVP(shape=(1,))
