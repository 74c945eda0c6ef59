"""The score model of pictures: a network that answers nothing is a known Gaussian; every sampler draws a Gaussian."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from playground import samplers
from playground.families import ode
from playground.families.greys import normal_nats
from playground.families.picture_score import (
    HIGH,
    LOW,
    SPREAD,
    PictureScore,
    _angles,
    annealed,
    corrected,
    dequantised,
    pictures,
)
from playground.rng import Rng

MEAN, STD = -0.5, 0.3  # of a Gaussian


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def silent() -> PictureScore:
    """A model whose network answers zero, as it begins: that of a Gaussian of deviation ``SPREAD`` about zero."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PictureScore.tiny().eval().requires_grad_(False)


def lively() -> PictureScore:
    model = silent()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=seeded(0))
    return model


def grey(n: int) -> Tensor:
    return torch.randint(256, (n, 1, 8, 8), generator=seeded(1)) / 255


def clean(x: Tensor, sigma: float) -> Tensor:
    """Bayes' rule for two normals."""
    return (STD**2 * x + sigma**2 * MEAN) / (STD**2 + sigma**2)


def test_without_a_network_it_denoises_a_gaussian() -> None:
    x = torch.randn(4, 1, 8, 8, generator=seeded(0))
    for sigma in (LOW, 0.5, HIGH):
        expected = x * SPREAD**2 / (SPREAD**2 + sigma**2)
        torch.testing.assert_close(silent().denoise(x, torch.full((4,), sigma)), expected, atol=1e-6, rtol=1e-5)


def test_without_a_network_the_score_is_a_gaussians() -> None:
    x = torch.randn(4, 1, 8, 8, generator=seeded(0))
    torch.testing.assert_close(silent().field(x, 0.0), -x / (SPREAD**2 + HIGH**2), atol=1e-8, rtol=1e-3)
    torch.testing.assert_close(silent().field(x, 1.0), -x / (SPREAD**2 + LOW**2), atol=0.5, rtol=2e-2)  # 1e-7 / LOW^2


def test_without_a_network_the_likelihood_is_a_gaussians() -> None:
    x = grey(6)
    result = silent().log_prob(x, Rng(2, 6), steps=4)
    y = dequantised(x, Rng(2, 6).uniform(1, 8, 8))
    width = (SPREAD**2 + LOW**2) ** 0.5
    nats = normal_nats(y / width) + 64 * math.log(2 / 256 / width)
    torch.testing.assert_close(result.nats, nats, atol=1e-2, rtol=1e-5)
    assert (result.kind, result.measure) == ("estimate", "8-bit pixels")


def test_the_flow_of_a_gaussian_gives_its_density() -> None:
    """With the closed form in place of the network, of a Gaussian of another width: all of the flow is at work."""

    def flow(y: Tensor, angle: float) -> Tensor:
        sigma = SPREAD * math.tan(angle)
        x = y * SPREAD / math.cos(angle)
        guess = STD**2 * x / (STD**2 + sigma**2)
        return -(guess / SPREAD - math.cos(angle) * y) / math.sin(angle)

    y = torch.tensor([[0.3, -0.2], [0.05, 0.6]], dtype=torch.float64)
    axes = 2**0.5 * torch.eye(2, dtype=torch.float64)[:, None].expand(2, 2, 2)
    start, seen = ode.probed(flow, y, _angles(100), axes)
    cos = math.cos(math.atan(LOW / SPREAD))
    width = (STD**2 + LOW**2) ** 0.5 * cos / SPREAD
    exact = normal_nats(y / width) - 2 * math.log(width)
    torch.testing.assert_close(normal_nats(start) + seen.mean(0), exact, atol=1e-3, rtol=0)


def walks() -> dict[str, tuple[Callable[[Tensor, list[float], Rng], samplers.Steps], float]]:
    """Every sampler with how much the deviation of its samples may be off, as a share."""
    return {
        "Heun": (lambda x, sigmas, rng: samplers.heun(clean, x, sigmas), 0.03),
        "Euler": (lambda x, sigmas, rng: samplers.euler(clean, x, sigmas), 0.06),
        "predictor-corrector": (lambda x, sigmas, rng: corrected(clean, x, sigmas, rng), 0.06),
        "Langevin": (lambda x, sigmas, rng: annealed(clean, x, sigmas, rng), 0.15),  # one step a level: too wide
    }


@pytest.mark.parametrize("name", ["Heun", "Euler", "predictor-corrector", "Langevin"])
def test_every_sampler_draws_a_gaussian(name: str) -> None:
    walk, most = walks()[name]
    rng = Rng(0, 20)
    *_, (x, _) = walk(HIGH * rng.normal(500), samplers.karras_sigmas(150, LOW, HIGH), rng)
    assert float(x.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(x.std()) == pytest.approx(STD, rel=most)


def test_pictures_come_back_from_the_middle_of_their_levels() -> None:
    x = grey(3)
    torch.testing.assert_close(pictures(dequantised(x, torch.full_like(x, 0.5))), x)
    edges = dequantised(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]))
    assert edges.tolist() == [-1.0, 1.0]


def test_codes_lead_back() -> None:
    model = lively()
    x = grey(3)
    torch.testing.assert_close(model.reconstruct(x), x, atol=0.01, rtol=0)


def test_it_learns_what_its_classes_look_like() -> None:
    """Class 0 is dark, class 1 bright."""
    model = silent().requires_grad_(True)
    x = (torch.arange(64)[:, None, None, None] % 2).expand(64, 1, 8, 8) * 0.8
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(80):
        loss = model.loss(x, torch.arange(64) % 2, seeded(step), "model")["mse"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
    dark, bright = (float(model.sample(Rng(0, 8), label=k, steps=12).mean()) for k in ("0", "1"))
    assert bright - dark > 0.3
