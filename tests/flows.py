"""What is asked of every family whose density comes from a flow: known answers, and an independent solver."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from plain import Plain, planted
from torch import Tensor
from torchdiffeq import odeint

from playground.capabilities import Model
from playground.rng import Rng, Stream

MEAN, STD = torch.tensor([0.7, -0.4]), 0.6  # of the Gaussian
RADIUS, SIGMA = 2.83, 0.3536  # of the eight Gaussians on a ring


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ring(n: int, seed: int) -> Tensor:
    angle = torch.randint(8, (n,), generator=seeded(seed)) * (math.pi / 4)
    centre = RADIUS * torch.stack([angle.cos(), angle.sin()], 1)
    return centre + SIGMA * torch.randn(n, 2, generator=seeded(seed + 1))


def gaussian(n: int, seed: int) -> Tensor:
    return MEAN + STD * torch.randn(n, 2, generator=seeded(seed))


def gaussian_nats(x: Tensor) -> Tensor:
    return -0.5 * ((x - MEAN) / STD).square().sum(1) - math.log(2 * math.pi * STD**2)


@cache
def trained(family: type[Any], draw: Callable[[int, int], Tensor], steps: int = 800) -> Any:
    """A model trained with its own written gradients, at a falling rate in place of averaged weights; shared."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = family()
    data = draw(10_000, 10)
    optimiser = torch.optim.Adam(model.parameters(), family.rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 1 - k / steps)
    generator = seeded(0)
    for _ in range(steps):
        model.gradient(data[torch.randint(len(data), (256,), generator=generator)], generator, "model")
        optimiser.step()
        schedule.step()
    return model.eval().requires_grad_(False)


def check_density_of_gaussian(family: type[Any]) -> None:
    """Trained on a Gaussian, its density is the Gaussian's: KL in nats."""
    x = gaussian(1000, 1)
    nats = trained(family, gaussian).log_prob(x, Stream(0, 1000)).nats
    assert -0.02 < float((gaussian_nats(x) - nats).mean()) < 0.1


def check_denoiser_of_gaussian(family: type[Any]) -> None:
    """Trained on a Gaussian, it denoises by Bayes' rule for two normals."""
    model = trained(family, gaussian)
    for sigma, most in ((0.2, 0.06), (1.0, 0.15), (4.0, 0.25)):
        x = gaussian(1000, 2) + sigma * torch.randn(1000, 2, generator=seeded(3))
        expected = (STD**2 * x + sigma**2 * MEAN) / (STD**2 + sigma**2)
        clean = model.denoise(x, torch.full((1000,), sigma))
        assert float((clean - expected).square().mean().sqrt()) < most


def check_integral(family: type[Any]) -> None:
    """At default steps the density integrates to one over the plane."""
    side, half = 64, 5.0
    line = ((torch.arange(side) + 0.5) / side * 2 - 1) * half
    nats = trained(family, ring).log_prob(torch.cartesian_prod(line, line), Stream(0, side**2)).nats
    assert abs(float(nats.double().exp().sum()) * (2 * half / side) ** 2 - 1) < 0.01


def check_against_dopri5(
    family: type[Any],
    velocity: Callable[[Any], Callable[[Tensor, float], Tensor]],
    start: float,
    end: float,
    unit: float,
) -> None:
    """torchdiffeq's adaptive solver, in double precision and with autograd's divergence, finds the same density.

    Args:
        family: which.
        velocity: of a model: the function of points and time that its flow follows.
        start: the time at the data.
        end: the time at the noise.
        unit: how long the flow's unit is, in data units.
    """
    model = trained(family, ring)
    x = torch.cat([ring(700, 20), 9 * torch.rand(300, 2, generator=seeded(21)) - 4.5])
    nats = model.log_prob(x, Stream(0, len(x))).nats
    moved = velocity(family().double())
    double = moved.__self__  # type: ignore[attr-defined]
    double.load_state_dict(model.state_dict())

    def flow(t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            y = state[0].detach().requires_grad_()
            v = moved(y, float(t))
            slopes = [torch.autograd.grad(v[:, k].sum(), y, retain_graph=True)[0][:, k] for k in range(2)]
        return v.detach(), slopes[0] + slopes[1]

    times = torch.tensor([start, end], dtype=torch.float64)
    inside = {"step_t": times[1:]}  # else its last step goes beyond the end, where there is no flow
    begin = (x.double() / unit, torch.zeros(len(x), dtype=torch.float64))
    y, total = odeint(flow, begin, times, method="dopri5", rtol=1e-6, atol=1e-6, options=inside)
    expected = -0.5 * y[-1].square().sum(1) - math.log(2 * math.pi) + total[-1] - 2 * math.log(unit)
    likely = expected > -30  # beyond, single precision has fewer than four decimals
    assert int(likely.sum()) > 950
    torch.testing.assert_close(nats[likely].double(), expected[likely], atol=1e-3, rtol=1e-5)


def check_preview(family: type[Any]) -> None:
    """The quick density for live pictures is that of the default steps, but for what nobody can see."""
    model, x = trained(family, ring), ring(1000, 30)
    exact = model.log_prob(x, Stream(0, 1000)).nats
    quick = model.log_prob(x, Stream(0, 1000), **family.preview).nats
    assert float((quick - exact).abs().mean()) < 0.1


def check_codes(family: type[Any]) -> None:
    """Coding and decoding give the datum back; the path ends where decoding does; codes are standard normal."""
    model, x = trained(family, ring), ring(1000, 40)
    z = model.encode(x)
    torch.testing.assert_close(model.decode(z), x, atol=5e-3, rtol=0)
    assert torch.equal(model.carry(z)[-1], model.decode(z))
    assert float((z.std(0) - 1).abs().max()) < 0.15


def share_on_ring(x: Tensor) -> float:
    """The share of points within four standard deviations of one of the ring's centres."""
    angle = torch.arange(8) * (math.pi / 4)
    centres = RADIUS * torch.stack([angle.cos(), angle.sin()], 1)
    return float((torch.cdist(x, centres).min(1).values < 4 * SIGMA).float().mean())


def check_samples(family: type[Any], **knobs: Any) -> None:
    """Samples lie on the ring, as many in every mode."""
    x = trained(family, ring).sample(Stream(3, 2000), **knobs)
    assert share_on_ring(x) > 0.9
    parts = torch.bincount((torch.atan2(x[:, 1], x[:, 0]) / (math.pi / 4)).round().long() % 8, minlength=8)
    assert int(parts.min()) > 150 and int(parts.max()) < 350


def check_streams(model: Model, **knobs: Any) -> None:
    """One sample's stream draws the same alone."""
    batch = model.sample(Rng(5, 4), **knobs)  # type: ignore[attr-defined]
    torch.testing.assert_close(model.sample(Rng(5, 4).pick([2]), **knobs), batch[2:3], atol=1e-4, rtol=1e-4)  # type: ignore[attr-defined]


def check_plain(family: type[Any], build: Callable[[], Plain]) -> None:
    """The loss of plain PyTorch with the same weights, up to the noise of two draws of many."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model, (parameters, loss) = family(), build()
        planted(parameters, [], [model.net])
        x = ring(50_000, 50)
        theirs = loss(x)
    ours = model.loss(x, torch.zeros(len(x)), seeded(2), "model")["mse"]
    torch.testing.assert_close(ours, theirs, atol=0, rtol=0.03)
