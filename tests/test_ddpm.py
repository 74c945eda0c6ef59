"""DDPM: known answers, an independent solver, and few steps against many."""

from __future__ import annotations

import math

import flows
import plain
import pytest
import torch

from playground.families import noise
from playground.families.ddpm import DDPM
from playground.rng import Stream


def test_it_learns_a_gaussian() -> None:
    flows.check_density_of_gaussian(DDPM)
    flows.check_denoiser_of_gaussian(DDPM)


def test_training_sees_exactly_the_levels() -> None:
    model = DDPM(levels=5)
    inputs, added = model._noised(torch.zeros(1000, 2), flows.seeded(0))
    angles = (inputs[:, 2] + 1) * (math.pi / 4)
    expected = torch.linspace(noise.CALM, noise.WILD, 5)
    torch.testing.assert_close(angles.unique(), expected)
    torch.testing.assert_close(inputs[:, :2], angles.sin()[:, None] * added, atol=1e-5, rtol=1e-5)


def test_the_guessed_noise_is_the_score() -> None:
    model, x = flows.trained(DDPM, flows.gaussian), flows.gaussian(500, 5)
    for t in (0.3, 0.5, 0.6):
        variance = flows.STD**2 + noise.sigma_at(t) ** 2
        error = model.field(x, t) - (flows.MEAN - x) / variance
        assert float(error.square().mean().sqrt()) < 0.15 / math.sqrt(variance)
    assert model.field(x, 1.0).isfinite().all()


def test_its_density_is_that_of_an_adaptive_solver() -> None:
    flows.check_against_dopri5(DDPM, lambda model: model.velocity, noise.CALM, noise.WILD, noise.UNIT)


def test_its_density_integrates_to_one() -> None:
    flows.check_integral(DDPM)


def test_its_density_says_that_it_is_an_estimate() -> None:
    result = DDPM.tiny().log_prob(torch.zeros(3, 2), Stream(0, 3), steps=4)
    assert result.kind == "estimate" and result.stderr is not None and not result.stderr.any()


def test_the_preview_is_close_to_the_density() -> None:
    flows.check_preview(DDPM)


def test_codes_lead_back() -> None:
    flows.check_codes(DDPM)


@pytest.mark.parametrize(("sampler", "steps"), [("DDPM", 50), ("DDIM", 30)])
def test_every_sampler_draws_the_ring(sampler: str, steps: int) -> None:
    flows.check_samples(DDPM, sampler=sampler, steps=steps)


@pytest.mark.parametrize("sampler", ["DDPM", "DDIM"])
def test_one_step_gives_the_average_and_many_the_data(sampler: str) -> None:
    model = flows.trained(DDPM, flows.ring)
    one = model.sample(Stream(4, 500), sampler=sampler, steps=1)
    x = noise.start(Stream(4, 500).normal(2))
    torch.testing.assert_close(one, model.denoise(x, torch.full((500,), noise.HIGH)))
    assert flows.share_on_ring(one) < 0.6


def test_ddpm_draws_from_each_samples_own_stream_and_ddim_draws_nothing() -> None:
    model = flows.trained(DDPM, flows.ring)
    flows.check_streams(model, sampler="DDPM", steps=10)
    rng = Stream(7, 3)
    model.sample(rng, sampler="DDIM", steps=3)
    after = rng.normal(2)
    fresh = Stream(7, 3)
    fresh.normal(2)
    assert torch.equal(after, fresh.normal(2))


def test_its_loss_is_that_of_plain_pytorch() -> None:
    flows.check_plain(DDPM, plain.plain_ddpm)
