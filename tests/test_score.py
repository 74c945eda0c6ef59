"""The score model: known answers, an independent solver, and four ways to take noise away."""

from __future__ import annotations

import math

import flows
import plain
import pytest
import torch
from torch import Tensor

from playground.families import noise
from playground.families.score import ScoreBased

M, S = 0.6, 0.8  # of a Gaussian in both directions, in data units


def flow(y: Tensor, angle: float) -> tuple[Tensor, Tensor]:
    """The probability flow of the Gaussian by Bayes' rule, -sin(a) datum + cos(a) noise, and its divergence."""
    sin, cos = math.sin(angle), math.cos(angle)
    m, s = M / noise.SPREAD, S / noise.SPREAD
    share = cos * s**2 / (cos**2 * s**2 + sin**2)
    datum = m + share * (y - cos * m)
    added = (y - cos * datum) / sin
    return cos * added - sin * datum, torch.full(
        (len(y),), 2 * (cos * (1 - cos * share) / sin - sin * share), dtype=y.dtype
    )


def moments(angle: float) -> tuple[float, float]:
    """Mean and standard deviation of y at an angle."""
    m, s = M / noise.SPREAD, S / noise.SPREAD
    return math.cos(angle) * m, math.sqrt((math.cos(angle) * s) ** 2 + math.sin(angle) ** 2)


def affine() -> tuple[float, float]:
    """What the exact flow makes of a standard normal z at the greatest noise: shift + scale z, in data units."""
    (calm, calm_std), (wild, wild_std) = moments(noise.CALM), moments(noise.WILD)
    scale = calm_std / wild_std
    return (calm - wild * scale) * noise.UNIT, scale * noise.UNIT


@pytest.mark.parametrize(("solver", "tolerance"), [("Runge-Kutta", 1e-4), ("Adams-Bashforth", 0.01)])
def test_the_density_of_a_gaussians_flow_is_known(solver: str, tolerance: float) -> None:
    x = torch.tensor([[0.6, 0.6], [2.0, -1.0], [-1.0, 3.0]], dtype=torch.float64)
    shift, scale = affine()
    exact = -0.5 * ((x - shift) / scale).square().sum(1) - math.log(2 * math.pi * scale**2)
    torch.testing.assert_close(noise.flow_density(flow, x, 32, solver), exact, atol=tolerance, rtol=0)


def test_paths_of_a_gaussians_flow_are_known() -> None:
    z = torch.tensor([[0.0, 1.0], [-2.0, 0.5]], dtype=torch.float64)
    shift, scale = affine()
    states = noise.path(lambda y, a: flow(y, a)[0], z)
    assert torch.equal(states[0], z)
    torch.testing.assert_close(states[-1], shift + scale * z, atol=1e-4, rtol=0)
    torch.testing.assert_close(noise.back(lambda y, a: flow(y, a)[0], states[-1]), z, atol=1e-4, rtol=0)


def test_it_learns_a_gaussian() -> None:
    flows.check_density_of_gaussian(ScoreBased)
    flows.check_denoiser_of_gaussian(ScoreBased)


def test_its_arrows_are_the_gradient_of_the_log_density() -> None:
    """At little noise they are the Gaussian's own; at much noise those of the blurred one; at no time infinite."""
    model, x = flows.trained(ScoreBased, flows.gaussian), flows.gaussian(500, 5)
    for t in (0.3, 0.5, 0.6):
        variance = flows.STD**2 + noise.sigma_at(t) ** 2
        error = model.field(x, t) - (flows.MEAN - x) / variance
        assert float(error.square().mean().sqrt()) < 0.15 / math.sqrt(variance)
    assert model.field(x, 1.0).isfinite().all()


def test_its_density_is_that_of_an_adaptive_solver() -> None:
    flows.check_against_dopri5(ScoreBased, lambda model: model.velocity, noise.CALM, noise.WILD, noise.UNIT)


def test_its_velocity_is_the_score_in_other_coordinates() -> None:
    """Song et al. 2021, equation 13, by finite differences of the same path in data units."""
    model = flows.trained(ScoreBased, flows.ring)
    y, angle, h = flows.ring(100, 6) / noise.SPREAD, 0.5, 1e-3
    sigma = noise.SPREAD * math.tan(angle)
    x = y * noise.SPREAD / math.cos(angle)
    score = (model.denoise(x, torch.full((100,), sigma)) - x) / sigma**2
    ahead = noise.SPREAD / math.cos(angle + h) * (y + h * model.velocity(y, angle))
    slope = (ahead - x) / (noise.SPREAD * (math.tan(angle + h) - math.tan(angle)))
    torch.testing.assert_close(slope, -sigma * score, atol=0.02, rtol=0.02)


def test_its_density_integrates_to_one() -> None:
    flows.check_integral(ScoreBased)


def test_the_preview_is_close_to_the_density() -> None:
    flows.check_preview(ScoreBased)


def test_codes_lead_back() -> None:
    flows.check_codes(ScoreBased)


@pytest.mark.parametrize(
    ("sampler", "steps"), [("Heun", 12), ("Euler", 30), ("predictor-corrector", 40), ("Langevin", 100)]
)
def test_every_sampler_draws_the_ring(sampler: str, steps: int) -> None:
    flows.check_samples(ScoreBased, sampler=sampler, steps=steps)


@pytest.mark.parametrize("sampler", ["predictor-corrector", "Langevin"])
def test_noise_comes_from_each_samples_own_stream(sampler: str) -> None:
    flows.check_streams(flows.trained(ScoreBased, flows.ring), sampler=sampler)


def test_its_loss_is_that_of_plain_pytorch() -> None:
    flows.check_plain(ScoreBased, plain.plain_score)
