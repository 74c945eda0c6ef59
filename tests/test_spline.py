"""The neural spline flow: splines, inverse, log-determinant and gradient, against autograd, zuko and plain PyTorch."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from plain import plain_spline, planted
from torch import Tensor
from zuko.distributions import DiagNormal, NormalizingFlow
from zuko.transforms import (
    AutoregressiveTransform,
    ComposedTransform,
    DependentTransform,
    MonotonicRQSTransform,
    PermutationTransform,
)

from playground.families.spline import BOX, NeuralSplineFlow, Spline
from playground.lab.targets import targets
from playground.lab.trainer import Trainer
from playground.rng import Rng, Stream

BINS = 7


def lively(size: float = 0.2, **settings: int) -> NeuralSplineFlow:
    """With weights that are all at work."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = NeuralSplineFlow(**settings)
        for p in model.parameters():
            p.data += size * torch.randn(p.shape)
    return model.eval().requires_grad_(False)


def points(n: int, seed: int = 1) -> Tensor:
    return 2 * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def raws(n: int, spread: float) -> Tensor:
    g = torch.Generator().manual_seed(2)
    return spread * torch.randn(n, 3 * BINS - 1, generator=g, dtype=torch.float64)


def zukos(raw: Tensor, bins: int = BINS) -> MonotonicRQSTransform:
    return MonotonicRQSTransform(*raw.split([bins, bins, bins - 1], -1))


@pytest.mark.parametrize("spread", [0.1, 1.0, 20.0])
def test_the_spline_is_zukos(spread: float) -> None:
    raw = raws(1000, spread)
    x = torch.linspace(-6, 6, 1000, dtype=torch.float64)  # outside of the box too
    spline, other = Spline.through(raw, x), zukos(raw)
    y, ladj = other.call_and_ladj(x)
    torch.testing.assert_close(spline.y, y, atol=1e-9, rtol=0)
    torch.testing.assert_close(spline.log_slope, ladj, atol=1e-7, rtol=0)
    torch.testing.assert_close(Spline.inverse(raw, y), x, atol=1e-6, rtol=0)


@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_the_way_back_through_a_spline_is_autograds(spread: float) -> None:
    raw = raws(1000, spread).requires_grad_()
    x = torch.linspace(-6, 6, 1000, dtype=torch.float64).requires_grad_()
    g = torch.randn(1000, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    y, ladj = zukos(raw).call_and_ladj(x)
    ((g * y).sum() - 0.3 * ladj.sum()).backward()
    with torch.no_grad():
        g_x, g_raw = Spline.through(raw, x).back(g, -0.3)
    torch.testing.assert_close(g_x, x.grad, atol=1e-9, rtol=1e-7)
    torch.testing.assert_close(g_raw, raw.grad, atol=1e-9, rtol=1e-7)


def test_raw_zeros_and_the_outside_are_the_identity() -> None:
    x = torch.tensor([-1e30, -BOX - 1e-3, -BOX, -1.2, 0.0, 3.3, BOX, 70.0], dtype=torch.float64)
    spline = Spline.through(raws(8, 0.0), x)
    torch.testing.assert_close(spline.y, x)
    torch.testing.assert_close(spline.log_slope, torch.zeros_like(x), atol=1e-12, rtol=0)
    outside = x.abs() >= BOX
    assert torch.equal(Spline.through(raws(8, 3.0), x).y[outside], x[outside])


def test_the_log_determinant_is_that_of_autograds_jacobian() -> None:
    model, x = lively().double(), points(30).double()
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda p: model.forward_map(p[None])[0][0], p) for p in x]
    )
    sign, expected = torch.linalg.slogdet(jacobian)
    assert (sign == 1).all()
    torch.testing.assert_close(model.forward_map(x)[1], expected, atol=1e-8, rtol=0)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_data_and_noise_are_one_to_one(layers: int) -> None:
    model, x = lively(0.05, layers=layers).double(), points(1000).double()
    torch.testing.assert_close(model.decode(model.encode(x)), x, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.encode(model.decode(x)), x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_flow_is_zukos(layers: int) -> None:
    """zuko's normalising flow of its autoregressive splines, whose parameters our networks give."""
    model, x = lively(layers=layers).double(), points(1000).double()
    steps: list[torch.distributions.Transform] = []
    for free, net in zip(model.free, model.nets, strict=True):

        def univariate(x: Tensor, free: Tensor = free, net: torch.nn.Module = net) -> DependentTransform:
            raw = torch.stack([free.expand(len(x), -1), net(x[:, :1])], 1)
            return DependentTransform(zukos(raw, bins=16), 1)

        steps += [AutoregressiveTransform(univariate, 2), PermutationTransform(torch.tensor([1, 0]))]
    flow = NormalizingFlow(ComposedTransform(*steps), DiagNormal(torch.zeros(2).double(), torch.ones(2).double()))
    torch.testing.assert_close(model.log_prob(x, Rng(0, 1000)).nats, flow.log_prob(x), atol=1e-6, rtol=0)
    single = lively(0.05, layers=layers).log_prob(x.float(), Rng(0, 1000)).nats.double()
    model.load_state_dict(lively(0.05, layers=layers).state_dict())
    torch.testing.assert_close(single, flow.log_prob(x), atol=1e-3, rtol=0)


def test_the_plain_version_has_the_same_loss_and_gradient() -> None:
    model = lively(0.1).requires_grad_(True)
    parameters, plain = plain_spline()
    planted(parameters, model.free, model.nets)
    x = points(256)
    value = plain(x)
    value.backward()
    torch.testing.assert_close(model.gradient(x, torch.Generator(), "model"), value.detach(), atol=1e-5, rtol=1e-5)
    ours = [*(f.grad for f in model.free), model.nets[0].weights[0].grad.T, model.nets[0].biases[0].grad]
    for one, other in zip(ours, parameters, strict=False):
        torch.testing.assert_close(one, other.grad, atol=1e-5, rtol=1e-3)


def test_the_density_integrates_to_one() -> None:
    model = lively(0.03)
    axis = torch.linspace(-8, 8, 641)
    grid = torch.cartesian_prod(axis, axis)
    cell = float(axis[1] - axis[0]) ** 2
    parts = [model.log_prob(some, Stream(0, len(some))).nats.double().exp().sum() for some in grid.split(50_000)]
    assert cell * float(sum(parts)) == pytest.approx(1, abs=0.01)


def test_an_untrained_one_is_the_standard_normal() -> None:
    x = points(20)
    expected = -x.square().sum(1) / 2 - math.log(2 * math.pi)
    torch.testing.assert_close(NeuralSplineFlow.tiny().log_prob(x, Rng(0, 20)).nats, expected)


def test_a_path_is_what_refining_shows_and_moves_along_one_axis_at_a_time() -> None:
    model = lively(layers=3)
    path = model.carry(Rng(5, 3).normal(2))
    torch.testing.assert_close(path, torch.stack([state.x for state in model.refine(Rng(5, 3))]))
    moved = (path[1:] - path[:-1]).abs().amax(1)
    assert len(path) == 7
    assert (moved.min(1).values == 0).all() and (moved.max(1).values > 0).all()


@pytest.mark.parametrize(("name", "least"), [("ring", 0.08), ("checkerboard", 0.15)])
def test_it_learns(name: str, least: float) -> None:
    target = targets()[name]
    x, new = (torch.from_numpy(target.sample(10_000, np.random.default_rng(seed))) for seed in (0, 1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trainer = Trainer(NeuralSplineFlow(), x, seed=0)
    trainer.advance_steps(500)
    model = trainer.shown()
    kl = target.log_prob(new.numpy()).mean() - float(model.log_prob(new, Stream(0, 10_000)).nats.double().mean())
    assert -0.01 < kl < least
    torch.testing.assert_close(model.reconstruct(new), new, atol=1e-4, rtol=0)


@pytest.mark.parametrize("data", [torch.ones(300, 2), 100 * torch.randn(300, 2, generator=torch.Generator())])
def test_training_on_impossible_data_stays_finite(data: Tensor) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trainer = Trainer(NeuralSplineFlow(bins=8, width=16), data, seed=0, rate_factor=10)
    trainer.advance_steps(200)
    assert not trainer.trouble
    assert all(p.isfinite().all() for p in trainer.model.parameters())


def test_a_copy_learns_by_itself() -> None:
    model = NeuralSplineFlow.tiny()
    twin = copy.deepcopy(model)
    model.gradient(points(8), torch.Generator(), "model")
    assert all(p.grad is None for p in twin.parameters())
    twin.free[0].data += torch.arange(len(twin.free[0])) % 3
    assert not torch.equal(twin.encode(points(8)), model.encode(points(8)))


def test_a_shape_it_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="points in the plane"):
        NeuralSplineFlow(shape=(3,))
